/* The thread pool.  Every thread has a range of a loop's parts, the same for every loop of that
 * extent, so that an array stays in the cache of the core that worked on it; a thread that is done
 * takes parts from the far end of the others' ranges.
 *
 * Invariant: a part is claimed by one compare-and-swap on a word that names its loop, so that a
 * worker that wakes late finds nothing and cannot take part in the wrong loop; a claimed part keeps
 * its loop's description alive until it is counted as done. */
#include "memory.h"
#include "thread_hooks.h"
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MAX_THREADS = 1024, PARTS_PER_THREAD = 8, SPINS = 2000 };

/* A range of parts: serial number of the loop (24 bits), end (20), begin (20). */
#define FIELD_BITS 20
#define FIELD_MASK (((uint64_t)1 << FIELD_BITS) - 1)

typedef struct range {
  _Alignas(64) _Atomic uint64_t word;
} range;

typedef struct loop {
  sec_kernel *kernel;
  void **bufs;
  int64_t n, part; /* extent; extent of a part */
} loop;

static struct {
  pthread_mutex_t owner; /* held by the thread whose loop runs, or that changes the workers */
  loop current;
  range ranges[MAX_THREADS];
  _Alignas(64) _Atomic uint64_t serial;    /* of the last loop; changes after its ranges are set */
  _Alignas(64) _Atomic int64_t unfinished; /* parts */
  _Alignas(64) _Atomic int sleepers;       /* workers that need a wake-up */
  _Atomic int n_ranges;                    /* threads that take part */
  _Atomic bool owner_sleeps, stopping;
  pthread_mutex_t sleep_lock;
  pthread_cond_t work, finished;
  _Atomic int wanted; /* threads; 0: not decided yet */
  int n_workers;      /* running; under `owner`, as are the next two */
  int n_started;      /* asked for: more than run when the system has no more threads */
  pthread_t *workers;
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER,
          .sleep_lock = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER,
          .finished = PTHREAD_COND_INITIALIZER};

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static _Thread_local bool in_loop;

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* Claims the first part of a range, or the last: its number, or -1 when there is none. */
static int64_t part_claim(range *r, bool first) {
  uint64_t word = atomic_load_explicit(&r->word, memory_order_acquire);
  for (;;) {
    uint64_t begin = word & FIELD_MASK, end = word >> FIELD_BITS & FIELD_MASK;
    if (begin >= end)
      return -1;
    uint64_t claimed = first ? word + 1 : word - ((uint64_t)1 << FIELD_BITS);
    if (atomic_compare_exchange_weak_explicit(&r->word, &word, claimed, memory_order_acq_rel,
                                              memory_order_acquire))
      return (int64_t)(first ? begin : end - 1);
  }
}

static void part_run(int64_t part) {
  const loop *l = &pool.current;
  int64_t lo = part * l->part, hi = lo + l->part;
  l->kernel(l->bufs, lo, hi < l->n ? hi : l->n);
  if (atomic_fetch_sub(&pool.unfinished, 1) == 1 && atomic_load(&pool.owner_sleeps)) {
    pthread_mutex_lock(&pool.sleep_lock);
    pthread_cond_signal(&pool.finished);
    pthread_mutex_unlock(&pool.sleep_lock);
  }
}

/* Runs parts until none is left: those of thread `self` first. */
static void parts_run(int self) {
  int n = atomic_load_explicit(&pool.n_ranges, memory_order_relaxed);
  for (int i = 0; i < n; i++) {
    range *r = &pool.ranges[(self + i) % n];
    for (int64_t part; (part = part_claim(r, i == 0)) >= 0;)
      part_run(part);
  }
}

static void worker_sleep(uint64_t seen) {
  pthread_mutex_lock(&pool.sleep_lock);
  atomic_fetch_add(&pool.sleepers, 1);
  while (atomic_load(&pool.serial) == seen && !atomic_load(&pool.stopping))
    pthread_cond_wait(&pool.work, &pool.sleep_lock);
  atomic_fetch_sub(&pool.sleepers, 1);
  pthread_mutex_unlock(&pool.sleep_lock);
}

static void worker_wait(uint64_t seen) {
  for (int spins = 0; spins < SPINS; spins++) {
    if (atomic_load_explicit(&pool.serial, memory_order_acquire) != seen)
      return;
    pause_briefly();
  }
  worker_sleep(seen);
}

static void *worker_main(void *self) {
  in_loop = true;
  sec_thread_started();
  while (!atomic_load_explicit(&pool.stopping, memory_order_relaxed)) {
    uint64_t seen = atomic_load_explicit(&pool.serial, memory_order_acquire);
    parts_run((int)((range *)self - pool.ranges));
    worker_wait(seen);
  }
  sec_thread_ended();
  return NULL;
}

static void workers_wake(int n) {
  pthread_mutex_lock(&pool.sleep_lock);
  for (int i = 0; i < n; i++)
    pthread_cond_signal(&pool.work);
  pthread_mutex_unlock(&pool.sleep_lock);
}

/* Needs `owner`, as do the functions below. */
static void workers_stop(void) {
  atomic_store(&pool.stopping, true);
  workers_wake(pool.n_workers);
  for (int i = 0; i < pool.n_workers; i++)
    pthread_join(pool.workers[i], NULL);
  sec_mem_free(pool.workers);
  pool.workers = NULL;
  pool.n_workers = pool.n_started = 0;
  atomic_store(&pool.stopping, false);
}

/* The child of a fork has no workers, and locks in any state. */
static void fork_child(void) {
  pthread_mutex_init(&pool.owner, NULL);
  pthread_mutex_init(&pool.sleep_lock, NULL);
  pthread_cond_init(&pool.work, NULL);
  pthread_cond_init(&pool.finished, NULL);
  for (int i = 0; i < MAX_THREADS; i++)
    atomic_store(&pool.ranges[i].word, 0);
  atomic_store(&pool.sleepers, 0);
  atomic_store(&pool.owner_sleeps, false);
  atomic_store(&pool.stopping, false);
  sec_mem_free(pool.workers);
  pool.workers = NULL;
  pool.n_workers = pool.n_started = 0;
  in_loop = false;
}

static void fork_watch(void) {
  pthread_atfork(NULL, NULL, fork_child);
}

/* Starts what is missing; signals are left to the threads of the program. */
static void workers_start(int n) {
  if (n == pool.n_started)
    return;
  pthread_once(&fork_once, fork_watch);
  workers_stop();
  pool.n_started = n;
  pool.workers = sec_mem_zeroed((size_t)n, sizeof *pool.workers);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool.workers && pool.n_workers < n &&
         pthread_create(&pool.workers[pool.n_workers], NULL, worker_main,
                        &pool.ranges[pool.n_workers + 1]) == 0)
    pool.n_workers++;
  atomic_store(&pool.n_ranges, pool.n_workers + 1);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void loop_publish(const loop *l, int64_t n_parts) {
  pool.current = *l;
  atomic_store_explicit(&pool.unfinished, n_parts, memory_order_relaxed);
  uint64_t serial = atomic_load_explicit(&pool.serial, memory_order_relaxed) + 1;
  int64_t n = pool.n_workers + 1;
  for (int64_t i = 0; i < n; i++) {
    uint64_t begin = (uint64_t)(n_parts * i / n), end = (uint64_t)(n_parts * (i + 1) / n);
    uint64_t word = serial << (2 * FIELD_BITS) | end << FIELD_BITS | begin;
    atomic_store_explicit(&pool.ranges[i].word, word, memory_order_release);
  }
  atomic_store(&pool.serial, serial);
  int64_t sleepers = atomic_load(&pool.sleepers);
  if (sleepers)
    workers_wake((int)(sleepers < n_parts - 1 ? sleepers : n_parts - 1));
}

static void loop_join(void) {
  for (int spins = 0; spins < SPINS; spins++) {
    if (atomic_load_explicit(&pool.unfinished, memory_order_acquire) == 0)
      return;
    pause_briefly();
  }
  pthread_mutex_lock(&pool.sleep_lock);
  atomic_store(&pool.owner_sleeps, true);
  while (atomic_load(&pool.unfinished) != 0)
    pthread_cond_wait(&pool.finished, &pool.sleep_lock);
  atomic_store(&pool.owner_sleeps, false);
  pthread_mutex_unlock(&pool.sleep_lock);
}

static void loop_run(const loop *l, int64_t n_parts) {
  loop_publish(l, n_parts);
  in_loop = true;
  parts_run(0);
  in_loop = false;
  loop_join();
}

static int threads_default(void) {
  const char *chosen = getenv("SECANT_NUM_THREADS");
  long n = chosen ? strtol(chosen, NULL, 10) : 0;
  cpu_set_t set;
  if (n <= 0)
    n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return n < MAX_THREADS ? (int)n : MAX_THREADS;
}

int sec_threads_count(void) {
  int n = atomic_load_explicit(&pool.wanted, memory_order_relaxed);
  if (n == 0) {
    n = threads_default();
    atomic_store(&pool.wanted, n);
  }
  return n;
}

void sec_threads_set(int n) {
  if (n <= 0)
    n = threads_default();
  atomic_store(&pool.wanted, n < MAX_THREADS ? n : MAX_THREADS);
  if (in_loop)
    return; /* the workers change at the next loop */
  pthread_mutex_lock(&pool.owner);
  workers_stop();
  pthread_mutex_unlock(&pool.owner);
}

/* The extent of a part: a multiple of grain that makes about PARTS_PER_THREAD parts a thread. */
static int64_t part_extent(int64_t n, int64_t grain, int threads) {
  int64_t grains = (n - 1) / grain + 1;
  int64_t parts = (int64_t)threads * PARTS_PER_THREAD;
  return grain * (grains > parts ? (grains - 1) / parts + 1 : 1);
}

/* A part of a loop that runs on the program's threads. */
static void host_part(void *data, int i) {
  const loop *l = data;
  int64_t lo = i * l->part, hi = lo + l->part;
  bool nested = in_loop;
  in_loop = true;
  l->kernel(l->bufs, lo, hi < l->n ? hi : l->n);
  in_loop = nested;
}

void sec_parallel(sec_kernel *kernel, void **bufs, int64_t n, int64_t grain) {
  if (n <= 0)
    return;
  int threads = in_loop || n <= grain ? 1 : sec_threads_count();
  loop l = {kernel, bufs, n, part_extent(n, grain, threads)};
  int64_t n_parts = (n - 1) / l.part + 1;
  if (threads > 1 && sec_thread_host_runs((int)n_parts, host_part, &l))
    return;
  if (threads == 1 || pthread_mutex_trylock(&pool.owner) != 0) {
    kernel(bufs, 0, n);
    return;
  }
  workers_start(threads - 1);
  loop_run(&l, n_parts);
  pthread_mutex_unlock(&pool.owner);
}
