/* Host functions that are traced on demand, counted. */
#include "ir.h"
#include "memory.h"
#include <string.h>

sec_callable *sec_callable_create(const char *name, sec_callable_fn call, void (*destroy)(void *), void *user) {
  sec_callable *c = sec_mem_zeroed(1, sizeof *c);
  char         *copy = c ? sec_mem_strdup(name ? name : "rule") : NULL;
  if (!copy) {
    sec_mem_free(c);
    sec_error_set(SEC_MEMORY, NULL, "out of memory: no callable could be made");
    return NULL;
  }
  *c = (sec_callable){.call = call, .destroy = destroy, .user = user, .name = copy};
  atomic_init(&c->refs, 1);
  return c;
}

static sec_status not_traced(void *user, const sec_value *in, int n_in, sec_value *out, int n_out) {
  (void)user, (void)in, (void)n_in, (void)out, (void)n_out;
  return sec_error_set(SEC_CALLBACK, "call it with sec_host_call", "a host function is no rule: it cannot be traced");
}

sec_callable *sec_host_create(const char *name, sec_host_body run, void (*destroy)(void *), void *user) {
  sec_callable *c = sec_callable_create(name ? name : "host function", not_traced, destroy, user);
  if (c) c->run = run;
  return c;
}

sec_callable *sec_callable_retain(sec_callable *c) {
  atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
  return c;
}

void sec_callable_release(sec_callable *c) {
  if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1) return;
  if (c->destroy) c->destroy(c->user);
  sec_mem_free(c->name);
  sec_mem_free(c);
}
