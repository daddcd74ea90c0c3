/* Elementwise functions of NumPy and of neural networks. */
#include "composite.h"
#include <math.h>

/* ---- activations ---- */
/* Written so that NaN stays NaN, and the derivative at 0 is 0. */
sec_value sec_relu(sec_value x) { return sec_where(sec_le(x, sec_scalar(0)), sec_scalar(0), x); }

sec_value sec_sigmoid(sec_value x) { return sec_logistic(x); }

sec_value sec_silu(sec_value x) {
  x = sec_to_float(x);
  return sec_mul(x, sec_logistic(x));
}

sec_value sec_gelu(sec_value x, bool approximate) {
  x = sec_to_float(x);
  sec_value half = sec_mul(x, sec_scalar(0.5)), one = sec_scalar(1);
  if (!approximate) return sec_mul(half, sec_add(sec_erf(sec_mul(x, sec_scalar(sqrt(0.5)))), one));
  sec_value cubic = sec_add(x, sec_mul(sec_scalar(0.044715), sec_integer_pow(x, 3)));
  return sec_mul(half, sec_add(sec_tanh(sec_mul(sec_scalar(sqrt(2 / M_PI)), cubic)), one));
}

sec_value sec_softplus(sec_value x) { return sec_logaddexp(x, sec_scalar(0)); }

/* ---- two operands ---- */
/* Infinities of one sign have a NaN difference: then the sum is the answer. */
sec_value sec_logaddexp(sec_value x, sec_value y) {
  x = sec_to_float(x);
  y = sec_to_float(y);
  sec_value delta = sec_sub(x, y), is_nan = sec_ne(delta, delta);
  sec_value apart = sec_neg(sec_abs(sec_where(is_nan, sec_scalar(0), delta)));
  return sec_where(is_nan, sec_add(x, y), sec_add(sec_max(x, y), sec_log1p(sec_exp(apart))));
}

/* The larger leg times sqrt(1 + ratio^2): no square overflows; the derivative at (0, 0) is 0. */
sec_value sec_hypot(sec_value x, sec_value y) {
  x = sec_abs(sec_to_float(x));
  y = sec_abs(sec_to_float(y));
  sec_value big = sec_max(x, y), small = sec_min(x, y), one = sec_scalar(1);
  sec_value zero = sec_eq(big, sec_scalar(0)), infinite = sec_eq(big, sec_scalar(INFINITY));
  sec_value ratio = sec_div(sec_where(infinite, one, small), sec_where(zero, one, big));
  sec_value length = sec_mul(big, sec_sqrt(sec_add(one, sec_square(ratio))));
  return sec_where(zero, sec_scalar(0), length);
}

/* The signs of remainder and divisor differ: the quotient is one too large. */
static sec_value is_above(sec_value remainder, sec_value y) {
  sec_value zero = sec_scalar_int(0);
  sec_value apart = sec_ne(sec_lt(remainder, zero), sec_lt(y, zero));
  return sec_and(apart, sec_ne(remainder, zero));
}

sec_value sec_mod(sec_value x, sec_value y) {
  sec_value remainder = sec_rem(x, y);
  return sec_where(is_above(remainder, y), sec_add(remainder, y), remainder);
}

sec_value sec_floor_divide(sec_value x, sec_value y) {
  sec_value v[2] = {x, y};
  sec_dtype dtype = sec_promote("floor_divide", v, 2);
  if (dtype == SEC_N_DTYPES) return SEC_VALUE_POISON;
  sec_value remainder = sec_rem(v[0], v[1]), above = is_above(remainder, v[1]);
  bool is_float = sec_dtype_kind(dtype) == SEC_KIND_FLOAT;
  sec_value quotient = sec_div(is_float ? sec_sub(v[0], remainder) : v[0], v[1]);
  quotient = sec_where(above, sec_sub(quotient, sec_scalar_int(1)), quotient);
  return is_float ? sec_round(quotient, 1) : quotient;
}

sec_value sec_clip(sec_value x, sec_value low, sec_value high) {
  return sec_min(sec_max(x, low), high);
}
