/* Between the runtime functions of factorisations (lapack_*.c) and what runs them over a batch (rt_factor.c). */
#ifndef SEC_FACTOR_H
#define SEC_FACTOR_H

#include "dense.h"
#include "runtime.h"

/* What LAPACK asks for one matrix: words of work, and all bytes that `run` takes. */
typedef struct sec_factor_work {
  int lwork, liwork;
  size_t bytes;
} sec_factor_work;

typedef struct sec_factor {
  const sec_dense *dense; /* buffers, and the way without a library */
  /* False if the library lacks the function. NULL: there is none. */
  bool (*prepare)(sec_rt_kind kind, const int64_t *meta, sec_factor_work *work);
  /* One matrix by rows; false: it failed, results become NaN. */
  bool (*run)(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *work, char *memory);
} sec_factor;

/* The body of a runtime function: `f` over the batch that meta[0 .. 1] (kind, batch) says. */
void sec_factor_run(const sec_factor *f, void **bufs, const int64_t *meta);

/* to[j, i] = from[i, j]; rows of `from` are from_row apart, those of `to` to_row. */
void sec_factor_transpose(sec_rt_kind kind, const void *from, int64_t from_row, void *to, int64_t to_row, int64_t rows,
                          int64_t columns);

#endif
