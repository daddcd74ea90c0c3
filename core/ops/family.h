/* Rules shared by families of primitives, and helpers for rule writers.  A rule comes here at its third user. */
#ifndef SEC_FAMILY_H
#define SEC_FAMILY_H

#define SEC_NO_LOCATIONS /* rules are not the user's lines */
#include "../primitive.h"
#include <secant/ops.h>

/* type rules; all record an error that names the primitive and both types */
sec_status sec_type_elementwise(sec_typing *t);  /* equal shapes and dtypes (of prim->takes) -> the same; weak if all are */
sec_status sec_type_compare(sec_typing *t);      /* equal shapes and dtypes -> bool */
sec_status sec_type_error(const sec_typing *t, sec_status status, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));       /* "mul: ..." prefixed */

/* evaluation by prim->scalar over every element */
sec_status sec_eval_elementwise(const sec_eval *e);
/* element access of arrays of any real dtype: the value widened */
double     sec_get_f(const sec_array *a, int64_t i);
int64_t    sec_get_i(const sec_array *a, int64_t i);   /* bits for unsigned */
void       sec_put_f(sec_array *a, int64_t i, double x); /* rounds to the dtype; saturates to integers as XLA */
void       sec_put_i(sec_array *a, int64_t i, int64_t x); /* wraps */
/* row-major strides in elements; linear index from a multi-index; next multi-index (false at the end) */
void    sec_strides(int rank, const int64_t *dims, int64_t *strides);
int64_t sec_linear(int rank, const int64_t *strides, const int64_t *index);
bool    sec_next_index(int rank, const int64_t *dims, int64_t *index);

/* batching */
sec_status sec_batch_elementwise(sec_batch *b);  /* unbatched operands are broadcast; binds the same params */
/* Operand i with the mapped axis in front, broadcast there if it was not batched. */
sec_value  sec_batch_operand(const sec_batch *b, int i);

/* lowering: one MLIR operation by class of the operand's dtype (NULL: not for that class) */
void sec_lower_math(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out); /* sec_l_math(prim->name) */
sec_ltype sec_lower_type(sec_dtype d);
static inline sec_kind sec_lower_kind(const sec_lower *l, int i) {
  return sec_dtype_kind(sec_aval_dtype(l->in_avals[i]));
}

/* jvp and transpose helpers */
sec_value sec_jvp_zero(const sec_rule *r, sec_value dx);       /* SEC_VALUE_ZERO */
sec_value sec_jvp_identity(const sec_rule *r, sec_value dx);
sec_cost  sec_cost_elementwise(const sec_typing *t);           /* one flop an element */

/* strict binds used by rules where shapes are known to be equal: the public ops also work */
static inline bool sec_aval_is_float(const sec_aval *a) { return sec_dtype_kind(a->dtype) == SEC_KIND_FLOAT; }
/* the literal's value spread over the shape of `like`: x * 2.0 is sec_mul(x, sec_scalar(2.0)) as well */
sec_value sec_full_like(sec_value like, double value);

#endif
