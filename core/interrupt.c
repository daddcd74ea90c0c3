/* Interrupts: a count, and the handler that raises it at Ctrl-C before the host program's own. */
#include "interrupt.h"
#include <signal.h>

_Atomic uint64_t sec_interrupts;

static struct sigaction   host;   /* the handler that was there before ours */
static volatile sig_atomic_t inside;

void sec_interrupt(void) { atomic_fetch_add(&sec_interrupts, 1); }

static void on_signal(int number, siginfo_t *info, void *machine) {
  sec_interrupt();
  if (inside) return; /* a later handler calls ours, which is its former one */
  inside = 1;
  if (host.sa_flags & SA_SIGINFO) host.sa_sigaction(number, info, machine);
  else host.sa_handler(number);
  inside = 0;
}

bool sec_interrupt_on_sigint(void) {
  struct sigaction now;
  if (sigaction(SIGINT, NULL, &now) != 0) return false;
  if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal) return true;
  if (!(now.sa_flags & SA_SIGINFO) && (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN)) return false;
  struct sigaction ours = now;
  host = now;
  ours.sa_flags |= SA_SIGINFO;
  ours.sa_sigaction = on_signal;
  return sigaction(SIGINT, &ours, NULL) == 0;
}
