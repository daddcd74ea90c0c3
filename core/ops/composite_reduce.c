/* Statistics and normalised exponentials along axes.  Sums of f16 and bf16 run in f32, as in JAX.
 */
#include "composite.h"
#include <math.h>

bool sec_reduction_read(const char *op, sec_value x, const int64_t *axes, int n, bool keepdims,
                        sec_reduction *r) {
  int64_t given[SEC_MAX_RANK];
  *r = (sec_reduction){.x = x, .aval = sec_value_aval(x), .count = 1, .keepdims = keepdims};
  if (r->aval == NULL) return false;
  if (axes != NULL && !sec_axes_from_user(op, r->aval->rank, axes, n, given)) return false;
  for (int a = 0; a < r->aval->rank; a++) {
    if (axes != NULL && !sec_has_axis(given, n, a)) continue;
    r->axes[r->n++] = a;
    r->count *= r->aval->dims[a];
  }
  return true;
}

sec_value sec_kept(const sec_reduction *r, sec_value y) {
  return r->n > 0 ? sec_expand_dims(y, r->axes, r->n) : y;
}

sec_value sec_reduced(const sec_reduction *r, sec_value y) {
  return r->keepdims ? sec_kept(r, y) : y;
}

static sec_value sum(const sec_reduction *r, sec_value x) {
  return sec_reduce_sum(x, r->axes, r->n);
}

/* ---- mean, variance ---- */
/* The float type that a result has. */
static sec_dtype result_type(const sec_reduction *r) {
  const sec_aval *a = sec_value_aval(sec_to_float(r->x));
  return a != NULL ? a->dtype : SEC_F32;
}

/* x as a float, and half floats as f32. */
static sec_value wide(sec_value x) {
  x = sec_to_float(x);
  const sec_aval *a = sec_value_aval(x);
  return a != NULL && sec_dtype_bits(a->dtype) < 32 ? sec_convert(x, SEC_F32, a->weak) : x;
}

static sec_value narrow(const sec_reduction *r, sec_value y) {
  const sec_aval *a = sec_value_aval(y);
  return a != NULL ? sec_convert(y, result_type(r), a->weak) : y;
}

static sec_value mean(const sec_reduction *r, sec_value x) {
  return sec_div(sum(r, x), sec_scalar((double)r->count));
}

sec_value sec_mean(sec_value x, const int64_t *axes, int n, bool keepdims) {
  sec_reduction r;
  if (!sec_reduction_read("mean", x, axes, n, keepdims, &r)) return SEC_VALUE_POISON;
  return sec_reduced(&r, narrow(&r, mean(&r, wide(x))));
}

static sec_value variance(const sec_reduction *r, double ddof) {
  sec_value x = wide(r->x), centred = sec_sub(x, sec_kept(r, mean(r, x)));
  return sec_div(sum(r, sec_square(centred)), sec_scalar((double)r->count - ddof));
}

sec_value sec_var(sec_value x, const int64_t *axes, int n, bool keepdims, double ddof) {
  sec_reduction r;
  if (!sec_reduction_read("var", x, axes, n, keepdims, &r)) return SEC_VALUE_POISON;
  return sec_reduced(&r, narrow(&r, variance(&r, ddof)));
}

sec_value sec_std(sec_value x, const int64_t *axes, int n, bool keepdims, double ddof) {
  sec_reduction r;
  if (!sec_reduction_read("std", x, axes, n, keepdims, &r)) return SEC_VALUE_POISON;
  return sec_reduced(&r, narrow(&r, sec_sqrt(variance(&r, ddof))));
}

sec_value sec_layer_norm(sec_value x, int axis, double epsilon) {
  sec_reduction r;
  if (!sec_reduction_read("layer_norm", x, (int64_t[]){axis}, 1, true, &r)) return SEC_VALUE_POISON;
  sec_value centred = sec_sub(wide(x), sec_kept(&r, mean(&r, wide(x))));
  sec_value spread = sec_kept(&r, mean(&r, sec_square(centred)));
  return narrow(&r, sec_mul(centred, sec_rsqrt(sec_add(spread, sec_scalar(epsilon)))));
}

/* ---- norms ---- */
static sec_value norm(const sec_reduction *r, sec_value x, double order) {
  sec_value size = sec_abs(x);
  if (order == 2) return sec_sqrt(sum(r, sec_square(x)));
  if (order == 1) return sum(r, size);
  if (isinf(order) && order > 0) return sec_reduce_max(size, r->axes, r->n);
  if (isinf(order)) return sec_reduce_min(size, r->axes, r->n);
  if (order == 0) {
    const sec_aval *a = sec_value_aval(x);
    return a ? sum(r, sec_convert(sec_ne(x, sec_scalar(0)), a->dtype, false)) : SEC_VALUE_POISON;
  }
  return sec_pow(sum(r, sec_pow(size, sec_scalar(order))), sec_scalar(1 / order));
}

sec_value sec_norm(sec_value x, double order, const int64_t *axes, int n, bool keepdims) {
  sec_reduction r;
  if (!sec_reduction_read("norm", x, axes, n, keepdims, &r)) return SEC_VALUE_POISON;
  return sec_reduced(&r, norm(&r, sec_to_float(x), order));
}

/* ---- exponentials, shifted by the largest element, to which no derivative flows ---- */
static sec_value shift_of(const sec_reduction *r, sec_value x) {
  sec_value top = sec_stop_gradient(sec_reduce_max(x, r->axes, r->n));
  return sec_where(sec_is_finite(top), top, sec_scalar(0));
}

sec_value sec_logsumexp(sec_value x, const int64_t *axes, int n, bool keepdims) {
  sec_reduction r;
  x = sec_to_float(x);
  if (!sec_reduction_read("logsumexp", x, axes, n, keepdims, &r)) return SEC_VALUE_POISON;
  sec_value shift = shift_of(&r, x);
  sec_value total = sum(&r, sec_exp(sec_sub(x, sec_kept(&r, shift))));
  return sec_reduced(&r, sec_add(sec_log(total), shift));
}

sec_value sec_softmax(sec_value x, int axis) {
  sec_reduction r;
  x = sec_to_float(x);
  if (!sec_reduction_read("softmax", x, (int64_t[]){axis}, 1, true, &r)) return SEC_VALUE_POISON;
  sec_value e = sec_exp(sec_sub(x, sec_kept(&r, shift_of(&r, x))));
  return sec_div(e, sec_kept(&r, sum(&r, e)));
}

sec_value sec_log_softmax(sec_value x, int axis) {
  sec_reduction r;
  x = sec_to_float(x);
  if (!sec_reduction_read("log_softmax", x, (int64_t[]){axis}, 1, true, &r))
    return SEC_VALUE_POISON;
  sec_value shifted = sec_sub(x, sec_kept(&r, shift_of(&r, x)));
  return sec_sub(shifted, sec_kept(&r, sec_log(sum(&r, sec_exp(shifted)))));
}
