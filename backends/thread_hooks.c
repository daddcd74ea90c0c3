/* The program's say in threads: told when ours start and end, or running our loops on its own. */
#include "thread_hooks.h"
#include "threads.h"
#include <pthread.h>

static sec_thread_hooks hooks;

void sec_set_thread_hooks(const sec_thread_hooks *wanted) {
  sec_threads_set(sec_threads_count()); /* ends our workers, which know the old ones */
  hooks = wanted ? *wanted : (sec_thread_hooks){0};
}

void sec_thread_started(void) {
  if (hooks.started) hooks.started(hooks.user);
}

void sec_thread_ended(void) {
  if (hooks.ended) hooks.ended(hooks.user);
}

bool sec_thread_host_runs(int n, sec_part task, void *data) {
  if (hooks.parallel) hooks.parallel(hooks.user, n, task, data);
  return hooks.parallel != NULL;
}

/* ---- tasks ---- */
typedef struct started {
  sec_part task;
  void    *data;
  int      i;
} started;

static void *run_task(void *argument) {
  const started *s = argument;
  sec_thread_started();
  s->task(s->data, s->i);
  sec_thread_ended();
  return NULL;
}

void sec_tasks(int n, sec_part task, void *data) {
  enum { MOST = 16 };
  pthread_t threads[MOST];
  started   what[MOST];
  bool      runs[MOST] = {false};
  if (n > 1 && sec_thread_host_runs(n, task, data)) return;
  for (int i = 1; i < n && i < MOST; i++) {
    what[i] = (started){task, data, i};
    runs[i] = pthread_create(&threads[i], NULL, run_task, &what[i]) == 0;
  }
  for (int i = 0; i < n; i++)
    if (i >= MOST || !runs[i]) task(data, i);
  for (int i = 1; i < n && i < MOST; i++)
    if (runs[i]) pthread_join(threads[i], NULL);
}
