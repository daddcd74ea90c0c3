/* Rules shared by families of primitives, and helpers for rule writers.  A rule comes here at its third user. */
#ifndef SEC_FAMILY_H
#define SEC_FAMILY_H

#ifndef SEC_NO_LOCATIONS
#define SEC_NO_LOCATIONS /* rules are not the user's lines */
#endif
#include "../primitive.h"
#include <secant/ops.h>

/* type rules; all record an error that names the primitive and both types */
sec_status sec_type_elementwise(sec_typing *t);  /* equal shapes and dtypes (of prim->takes) -> the same; weak if all are */
sec_status sec_type_compare(sec_typing *t);      /* equal shapes and dtypes -> bool */
sec_status sec_type_error(const sec_typing *t, sec_status status, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));       /* "mul: ..." prefixed */

sec_status sec_type_takes(const sec_typing *t, int i); /* operand i's dtype is of a class in prim->takes */
/* All operands have one shape or rank 0: an operand of that shape, or NULL with the error recorded. */
const sec_aval *sec_type_shape(const sec_typing *t);
/* One result of that dtype, with the shape of `shape`. */
sec_status sec_type_result(sec_typing *t, sec_dtype dtype, bool weak, const sec_aval *shape);

/* NumPy broadcasting and JAX promotion (broadcast.c); `name` is the operation's name in errors.
 * An operand of rank 0 stays as it is: elementwise primitives take it beside any shape.  Operands that differ
 * in weakness alone stay as well.  The promoted dtype; SEC_N_DTYPES for poison or after an error. */
sec_value sec_add_any(sec_value x, sec_value y); /* two parts of one derivative */
sec_dtype sec_promote2(const char *name, sec_value *x, sec_value *y);
sec_dtype sec_promote(const char *name, sec_value *v, int n);
sec_dtype sec_promote_dtypes(sec_value *v, int n);           /* dtypes alone */
bool      sec_broadcast(const char *name, sec_value *v, int n); /* shapes alone */
sec_value sec_to_float(sec_value x);                          /* integers and bools to the default float type */
sec_value sec_bind_promoted(const sec_primitive *prim, sec_value x, sec_value y);
sec_value sec_bind_float(const sec_primitive *prim, sec_value x); /* sec_bind1 of sec_to_float(x) */
sec_value sec_bind_floats(const sec_primitive *prim, const sec_value *v, int n); /* promoted, broadcast, to floats */

/* evaluation by prim->scalar over every element */
sec_status sec_eval_elementwise(const sec_eval *e);
/* element access of arrays of any real dtype: the value widened */
double     sec_get_f(const sec_array *a, int64_t i);
int64_t    sec_get_i(const sec_array *a, int64_t i);   /* bits for unsigned */
double _Complex sec_get_c(const sec_array *a, int64_t i);
void       sec_put_c(sec_array *a, int64_t i, double _Complex x); /* into a real array: the real part */
void       sec_put_f(sec_array *a, int64_t i, double x); /* rounds to the dtype; saturates to integers as XLA */
void       sec_put_i(sec_array *a, int64_t i, int64_t x); /* wraps */
int64_t    sec_wrap(sec_dtype dtype, int64_t x);       /* the integer that is stored: sign- or zero-extended again */
int64_t    sec_saturate(sec_dtype dtype, double x);    /* float to integer: truncated, NaN is 0; bool: x != 0 */
double     sec_round_to(sec_dtype dtype, double x);    /* the nearest float of that type */
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
/* Of primitives whose first operand asks for derivatives: order_1 + 4 order_2 + 16 order_3 + ... by the others in turn, a
 * number that every float type holds exactly.  One more derivative by operand `wrt`. */
sec_value sec_special_jvp(const sec_rule *r, sec_value dx);
/* A tangent with out's shape: one of rank 0 is broadcast.  jvp rules of operands that may be scalars end in it. */
sec_value sec_tangent_like(sec_value dx, const sec_aval *out);
/* Its transpose: the cotangent of an operand of type `aval`, summed if that was a scalar beside a shape. */
sec_value sec_unbroadcast(sec_value ct, const sec_aval *aval);
sec_cost  sec_cost_elementwise(const sec_typing *t);           /* one flop an element */

/* strict binds used by rules where shapes are known to be equal: the public ops also work */
static inline bool sec_aval_is_float(const sec_aval *a) { return sec_dtype_kind(a->dtype) == SEC_KIND_FLOAT; }
static inline bool sec_aval_is_complex(const sec_aval *a) { return sec_dtype_kind(a->dtype) == SEC_KIND_COMPLEX; }
static inline bool sec_aval_has_tangent(const sec_aval *a) { return sec_dtype_kind(a->dtype) >= SEC_KIND_FLOAT; }
/* The same memory as elements of another dtype in another shape. */
sec_value sec_reinterpret(sec_value x, sec_dtype dtype, bool weak, int rank, const int64_t *dims);
sec_dtype sec_dtype_part(sec_dtype d); /* f32 of c64, f64 of c128; else d */
/* the literal's value spread over the shape of `like`: x * 2.0 is sec_mul(x, sec_scalar(2.0)) as well */
sec_value sec_full_like(sec_value like, double value);
sec_value sec_literal_like(sec_value like, double value); /* the literal alone: rank 0, the dtype of `like` */

enum { SEC_MAX_CASES = 64 }; /* of select_n */

/* What elementwise primitives have in common. */
#define SEC_ELEMENTWISE(type_rule, eval_rule)                                                     \
  .type = type_rule, .eval = eval_rule, .batch = sec_batch_elementwise,                           \
  .form = SEC_FORM_ELEMENTWISE, .cost = sec_cost_elementwise
/* A float function that the math library has under the primitive's name; `function` is on doubles. */
#define SEC_MATH_FUNCTION(function)                                                               \
  SEC_ELEMENTWISE(sec_type_elementwise, sec_eval_elementwise), .takes = SEC_TAKES_FLOAT,          \
  .scalar = {.f = function}, .lower = sec_lower_math

/* The same of a float or a complex number: `real` on doubles, `cplx` on complex doubles, `parts_` on pairs. */
#define SEC_COMPLEX_FUNCTION(real, cplx, parts_)                                                  \
  SEC_ELEMENTWISE(sec_type_elementwise, sec_eval_elementwise), .takes = SEC_TAKES_INEXACT,        \
  .scalar = {.f = real, .c = cplx}, .parts = parts_, .lower = sec_lower_math

#endif
