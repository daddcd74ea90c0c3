/* The thread pool that runs kernels: one loop at a time, the caller takes part.
 *
 * Workers start at the first parallel loop, spin for some microseconds after each and then sleep.
 * A loop that is started inside a loop, or while another thread's loop runs, runs on its caller
 * alone.  After fork() the child starts its own workers.  Nothing here fails: where threads cannot
 * be had, fewer of them do the work.  All functions may be called from any thread. */
#ifndef SEC_THREADS_H
#define SEC_THREADS_H

#include <stdint.h>

/* Computes the part [lo, hi) of a kernel's range. */
typedef void sec_kernel(void **bufs, int64_t lo, int64_t hi);

/* Runs `kernel` over [0, n) in parts that begin at multiples of `grain` (>= 1), about 8 for each
 * thread; parts run in any order, at the same time.  Returns when all are done. */
void sec_parallel(sec_kernel *kernel, void **bufs, int64_t n, int64_t grain);

/* Sets the number of threads, the caller included; 0 asks for the default: $SECANT_NUM_THREADS,
 * else the number of processors this process may run on.  Waits for the loop that runs. */
void sec_threads_set(int n);
int sec_threads_count(void);

#endif
