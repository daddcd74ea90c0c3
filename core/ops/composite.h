/* Helpers of the composite functions: what NumPy has beyond the primitives, written with the public
 * operations, so that every transform goes through them. */
#ifndef SEC_COMPOSITE_H
#define SEC_COMPOSITE_H

#include "structure.h"

/* A reduction from the user: axes of x counted from 0 in increasing order (NULL: all of them). */
typedef struct sec_reduction {
  sec_value x;
  const sec_aval *aval;
  int64_t axes[SEC_MAX_RANK];
  int n;
  int64_t count; /* elements that one result is made of */
  bool keepdims;
} sec_reduction;
/* False for poison, and for axes that do not fit (the error names `op`). */
bool sec_reduction_read(const char *op, sec_value x, const int64_t *axes, int n, bool keepdims,
                        sec_reduction *r);
/* y, reduced over r's axes, with axes of size 1 in their places. */
sec_value sec_kept(const sec_reduction *r, sec_value y);
/* The same when the user asked for it, else y. */
sec_value sec_reduced(const sec_reduction *r, sec_value y);

/* `axis` of an array of `rank`, counted from 0; -1 with AXIS recorded when it does not fit. */
int sec_axis_from_user(const char *op, int rank, int axis);
/* The part of x from `start` to `limit` along one axis. */
sec_value sec_slice_axis(sec_value x, int axis, int64_t start, int64_t limit);
/* The diagonal of the last two axes that starts k columns to the right. */
sec_value sec_diagonal(const char *op, sec_value x, int64_t k);

#endif
