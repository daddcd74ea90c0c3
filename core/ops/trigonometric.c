/* Trigonometric functions, in radians: sin cos tan asin acos atan atan2. */
#include "complex.h"

#include <math.h>

/* sin: d = cos(x) dx */
static double sin_f(const double *x) { return sin(x[0]); }
static sec_value sin_jvp(const sec_rule *r, sec_value dx) { return sec_mul(dx, sec_cos(r->in[0])); }
SEC_PRIMITIVE(sin, .doc = "Sine of x, in radians.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(sin_f, sec_c_sin, sec_parts_sin),
              .jvp = {sin_jvp})
sec_value sec_sin(sec_value x) { return sec_bind_float(&sec_sin_p, x); }

/* cos: d = -sin(x) dx */
static double cos_f(const double *x) { return cos(x[0]); }
static sec_value cos_jvp(const sec_rule *r, sec_value dx) {
  return sec_neg(sec_mul(dx, sec_sin(r->in[0])));
}
SEC_PRIMITIVE(cos, .doc = "Cosine of x, in radians.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(cos_f, sec_c_cos, sec_parts_cos),
              .jvp = {cos_jvp})
sec_value sec_cos(sec_value x) { return sec_bind_float(&sec_cos_p, x); }

/* tan: d = (1 + tan(x)^2) dx */
static double tan_f(const double *x) { return tan(x[0]); }
static sec_value tan_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_add(sec_scalar(1), sec_square(r->out[0])));
}
SEC_PRIMITIVE(tan, .doc = "Tangent of x, in radians.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(tan_f, sec_c_tan, sec_parts_tan),
              .jvp = {tan_jvp}, .domain = {-1.2, 1.2})
sec_value sec_tan(sec_value x) { return sec_bind_float(&sec_tan_p, x); }

/* (1 - x^2)^(-1/2), factored so that nothing cancels near |x| = 1; infinite there */
static sec_value inverse_root(sec_value x) {
  sec_value one = sec_scalar(1), minus = sec_sub(one, x);
  return sec_rsqrt(sec_mul(minus, sec_add(one, x)));
}

/* asin: d = (1 - x^2)^(-1/2) dx */
static double asin_f(const double *x) { return asin(x[0]); }
static sec_value asin_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, inverse_root(r->in[0]));
}
SEC_PRIMITIVE(asin, .doc = "Arc sine of |x| <= 1, in radians.", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(asin_f, sec_c_asin, sec_parts_asin), .jvp = {asin_jvp}, .domain = {-0.9, 0.9})
sec_value sec_asin(sec_value x) { return sec_bind_float(&sec_asin_p, x); }

/* acos: d = -(1 - x^2)^(-1/2) dx */
static double acos_f(const double *x) { return acos(x[0]); }
static sec_value acos_jvp(const sec_rule *r, sec_value dx) {
  return sec_neg(sec_mul(dx, inverse_root(r->in[0])));
}
SEC_PRIMITIVE(acos, .doc = "Arc cosine of |x| <= 1, in radians.", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(acos_f, sec_c_acos, sec_parts_acos), .jvp = {acos_jvp}, .domain = {-0.9, 0.9})
sec_value sec_acos(sec_value x) { return sec_bind_float(&sec_acos_p, x); }

/* atan: d = dx / (1 + x^2) */
static double atan_f(const double *x) { return atan(x[0]); }
static sec_value atan_jvp(const sec_rule *r, sec_value dx) {
  return sec_div(dx, sec_add(sec_scalar(1), sec_square(r->in[0])));
}
SEC_PRIMITIVE(atan, .doc = "Arc tangent of x, in radians.", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(atan_f, sec_c_atan, sec_parts_atan), .jvp = {atan_jvp})
sec_value sec_atan(sec_value x) { return sec_bind_float(&sec_atan_p, x); }

/* atan2: d = (x dy - y dx) / (x^2 + y^2); NaN at the origin */
static double atan2_f(const double *x) { return atan2(x[0], x[1]); }
static sec_value over_square(const sec_rule *r, sec_value numerator) {
  sec_value square = sec_square(r->in[0]);
  return sec_div(numerator, sec_add(square, sec_square(r->in[1])));
}
static sec_value atan2_jvp_y(const sec_rule *r, sec_value dy) {
  return sec_mul(dy, over_square(r, r->in[1]));
}
static sec_value atan2_jvp_x(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, over_square(r, sec_neg(r->in[0])));
}
SEC_PRIMITIVE(atan2, .doc = "Angle of the point (x, y), in radians.", .operands = {"y", "x"},
              SEC_MATH_FUNCTION(atan2_f), .jvp = {atan2_jvp_y, atan2_jvp_x}, .domain = {0.3, 3})
sec_value sec_atan2(sec_value y, sec_value x) {
  if (sec_promote2("atan2", &y, &x) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  y = sec_to_float(y);
  return sec_bind2(&sec_atan2_p, y, sec_to_float(x), NULL);
}
