/* What the program has set with sec_set_thread_hooks, for threads.c and whoever starts threads. */
#ifndef SEC_THREAD_HOOKS_H
#define SEC_THREAD_HOOKS_H

#include <secant/compile.h>

/* Every thread of ours calls these first and last. */
void sec_thread_started(void);
void sec_thread_ended(void);
/* Runs task(data, i) for i = 0 .. n - 1 on the program's threads; false when it has not offered any. */
bool sec_thread_host_runs(int n, sec_part task, void *data);
/* Runs them each on a thread of its own, the caller's included, or on the program's; a few long ones. */
void sec_tasks(int n, sec_part task, void *data);

#endif
