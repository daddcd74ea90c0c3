/* The thread pool: every element once, from any thread, nested, after fork, and quiet when idle. */
#include "../../backends/thread_hooks.h"
#include "../../backends/threads.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* bufs: counts (u8 an element), grain, number of parts, parts with a wrong begin. */
static void count_kernel(void **bufs, int64_t lo, int64_t hi) {
  unsigned char *counts = bufs[0];
  int64_t grain = *(int64_t *)bufs[1];
  atomic_fetch_add((_Atomic int64_t *)bufs[2], 1);
  if (lo % grain != 0 || lo >= hi)
    atomic_fetch_add((_Atomic int64_t *)bufs[3], 1);
  for (int64_t i = lo; i < hi; i++)
    counts[i]++;
}

/* Runs one loop; 0 if every element was computed once. */
static int count_once(int64_t n, int64_t grain, int64_t *n_parts) {
  unsigned char *counts = calloc((size_t)n + 1, 1);
  _Atomic int64_t parts = 0, wrong = 0;
  sec_parallel(count_kernel, (void *[]){counts, &grain, &parts, &wrong}, n, grain);
  int bad = wrong != 0 || counts[n] != 0;
  for (int64_t i = 0; i < n; i++)
    bad += counts[i] != 1;
  free(counts);
  *n_parts = parts;
  return bad;
}

static void test_coverage(void **state) {
  (void)state;
  const int64_t sizes[] = {0, 1, 2, 15, 16, 17, 1000, 4096, 100001};
  const int64_t grains[] = {1, 16, 1000, 1 << 20};
  for (int threads = 1; threads <= 5; threads++) {
    sec_threads_set(threads);
    assert_int_equal(sec_threads_count(), threads);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
      for (size_t g = 0; g < sizeof grains / sizeof *grains; g++) {
        int64_t n_parts;
        assert_int_equal(count_once(sizes[s], grains[g], &n_parts), 0);
        assert_true(n_parts <= 8 * threads);
      }
  }
}

static void test_many(void **state) {
  (void)state;
  sec_threads_set(3);
  for (int i = 0; i < 20000; i++) {
    int64_t n_parts;
    assert_int_equal(count_once(i % 50, 1, &n_parts), 0);
  }
}

static void *count_many(void *failed) {
  int64_t n_parts;
  for (int i = 0; i < 2000; i++)
    if (count_once(100 + i % 100, 7, &n_parts))
      return failed;
  return NULL;
}

static void test_callers(void **state) {
  (void)state;
  sec_threads_set(3);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    pthread_create(&threads[i], NULL, count_many, threads);
  for (int i = 0; i < 50; i++)
    sec_threads_set(1 + i % 4);
  for (int i = 0; i < 4; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
}

static void nested_kernel(void **bufs, int64_t lo, int64_t hi) {
  for (int64_t i = lo; i < hi; i++) {
    int64_t n_parts;
    if (count_once(1000, 10, &n_parts) || n_parts != 1)
      atomic_fetch_add((_Atomic int64_t *)bufs[0], 1);
  }
}

static void test_nested(void **state) {
  (void)state;
  sec_threads_set(3);
  _Atomic int64_t wrong = 0;
  sec_parallel(nested_kernel, (void *[]){&wrong}, 64, 1);
  assert_int_equal(wrong, 0);
}

static void test_fork(void **state) {
  (void)state;
  sec_threads_set(3);
  int64_t n_parts;
  assert_int_equal(count_once(10000, 1, &n_parts), 0);
  for (int i = 0; i < 5; i++) {
    pid_t child = fork();
    if (child == 0)
      _exit(count_once(10000, 1, &n_parts) || n_parts < 2);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(count_once(10000, 1, &n_parts), 0);
  }
}

static double processor_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void test_idle(void **state) {
  (void)state;
  sec_threads_set(3);
  int64_t n_parts;
  assert_int_equal(count_once(10000, 1, &n_parts), 0);
  double before = processor_seconds();
  nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
  assert_true(processor_seconds() - before < 0.02);
}

static void test_default(void **state) {
  (void)state;
  setenv("SECANT_NUM_THREADS", "7", 1);
  sec_threads_set(0);
  assert_int_equal(sec_threads_count(), 7);
  unsetenv("SECANT_NUM_THREADS");
  sec_threads_set(0);
  assert_true(sec_threads_count() >= 1);
}

/* ---- the program's own threads ---- */
static struct { _Atomic int started, ended, loops; } seen;
typedef struct share {
  sec_part part;
  void *data;
  int n, self;
} share;

static void hook_started(void *user) { atomic_fetch_add(&seen.started, user == &seen); }
static void hook_ended(void *user) { atomic_fetch_add(&seen.ended, user == &seen); }

static void *share_run(void *argument) {
  const share *s = argument;
  for (int i = s->self; i < s->n; i += 3)
    s->part(s->data, i);
  return NULL;
}

static void hook_parallel(void *user, int n, sec_part part, void *data) {
  pthread_t threads[3];
  share shares[3];
  atomic_fetch_add(&seen.loops, user == &seen);
  for (int k = 0; k < 3; k++) {
    shares[k] = (share){part, data, n, k};
    pthread_create(&threads[k], NULL, share_run, &shares[k]);
  }
  for (int k = 0; k < 3; k++)
    pthread_join(threads[k], NULL);
}

static void task_count(void *data, int i) { atomic_fetch_add((_Atomic int *)data + i, 1); }

static void test_hooks(void **state) {
  (void)state;
  _Atomic int counts[40] = {0};
  int64_t n_parts;
  sec_threads_set(3);
  sec_set_thread_hooks(&(sec_thread_hooks){hook_started, hook_ended, NULL, &seen});
  assert_int_equal(count_once(10000, 1, &n_parts), 0);
  sec_tasks(40, task_count, counts);
  sec_set_thread_hooks(&(sec_thread_hooks){hook_started, hook_ended, hook_parallel, &seen});
  assert_true(seen.started > 2);
  assert_int_equal(seen.started, seen.ended);
  int before = seen.started;
  for (int64_t n = 0; n < 3000; n += 111)
    assert_int_equal(count_once(n, 16, &n_parts), 0);
  sec_tasks(40, task_count, counts);
  assert_true(seen.loops > 20);
  assert_int_equal(seen.started, before); /* none of ours */
  _Atomic int64_t wrong = 0;
  sec_parallel(nested_kernel, (void *[]){&wrong}, 64, 1);
  assert_int_equal(wrong, 0);
  sec_set_thread_hooks(NULL);
  for (int i = 0; i < 40; i++)
    assert_int_equal(counts[i], 2);
  assert_int_equal(count_once(10000, 1, &n_parts), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_coverage), cmocka_unit_test(test_many), cmocka_unit_test(test_callers),
      cmocka_unit_test(test_nested),   cmocka_unit_test(test_fork), cmocka_unit_test(test_idle),
      cmocka_unit_test(test_default),  cmocka_unit_test(test_hooks),
  };
  return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
