/* Helpers shared by the rules of structural primitives (shape, slice, gather, reduce, dot, linalg):
 * parameter lists, axes, result types, evaluation by view, and the ends of batch rules. */
#ifndef SEC_STRUCTURE_H
#define SEC_STRUCTURE_H

#include "family.h"
#include <inttypes.h>
#include <string.h>

/* A batched list has one entry more than the lane's. */
#define SEC_LIST (SEC_MAX_RANK + 1)

/* ---- type rules ---- */
/* The list of parameter `name`, at most SEC_MAX_RANK long; an error when it is missing. */
sec_status sec_type_ints(const sec_typing *t, const char *name, const int64_t **v, int *n);
/* A list of lists; an empty list of any kind counts as one. */
sec_status sec_type_intss(const sec_typing *t, const char *name, const int64_t *const **v,
                          const int **n, int *count);
/* Axes lie in 0 .. rank-1 and differ; `what` names them in the error. */
sec_status sec_type_axes(const sec_typing *t, const char *what, const int64_t *axes, int n,
                         int rank);
/* The only result, or result i. */
sec_status sec_type_gives(sec_typing *t, sec_dtype dtype, bool weak, int rank, const int64_t *dims);
sec_status sec_type_gives_at(sec_typing *t, int i, sec_dtype dtype, bool weak, int rank,
                             const int64_t *dims);
bool sec_has_axis(const int64_t *axes, int n, int64_t axis);
bool sec_rises(const int64_t *list, int n); /* each greater than the one before */

/* ---- evaluation ---- */
sec_status sec_eval_view(const sec_eval *e); /* through prim->view */
sec_status sec_eval_copy(const sec_eval *e); /* the same bytes in the same order */

/* A value on its way through a reduction: f of floats and complex numbers, i of the rest. */
typedef struct sec_scalar_value {
  double _Complex f;
  int64_t i;
} sec_scalar_value;
sec_scalar_value sec_identity_value(sec_identity identity, sec_dtype dtype);
/* acc = combine(acc, x[at]) */
void sec_fold_element(const sec_primitive *combine, const sec_array *x, int64_t at,
                    sec_scalar_value *acc);

/* ---- batching ---- */
/* v is the only result, batched in front; its status. */
sec_status sec_batch_result(sec_batch *b, sec_value v);
/* out[i] = axes[i] + 1; returns n. */
int sec_shift_axes(const int64_t *axes, int n, int64_t *out);
/* out = (first, list[0], ...), as long as n + 1 <= SEC_LIST; returns n + 1. */
int sec_prepend(int64_t first, const int64_t *list, int n, int64_t *out);
/* Axis `from` of x in front. */
sec_value sec_move_to_front(sec_value x, int from);

/* ---- public functions ---- */
/* The context of the innermost trace; NULL with NO_TRACE recorded when there is none. */
sec_context *sec_current_context(const char *op);
/* axes of an array of `rank`, negative ones counted from the end, into out; AXIS is recorded on
 * failure. */
bool sec_axes_from_user(const char *op, int rank, const int64_t *axes, int n, int64_t *out);
bool sec_rank_from_user(const char *op, int rank);

/* ---- rules ---- */
/* A zero of the dtype, as a literal. */
sec_value sec_zero_literal(sec_dtype dtype);
/* x where column - row <= k (lower) or >= k (upper) in the last two axes, else 0. */
sec_value sec_triangle(sec_value x, bool lower, int k);
/* The tangent of the product over axis 0, which is not empty. */
sec_value sec_product_tangent(sec_value x, sec_value dx);
/* The last two axes swapped. */
sec_value sec_matrix_transpose(sec_value x);

/* x[.., at[..], ..] along `axis`: indices that are inside; at has x's shape but along the axis */
sec_value sec_take_along(sec_value x, sec_value at, int axis);

#endif
