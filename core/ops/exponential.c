/* Exponentials, logarithms, roots and hyperbolic functions: exp exp2 expm1 log log1p sqrt rsqrt
 * cbrt logistic tanh sinh cosh asinh acosh atanh.  Derivatives are raw: infinite at poles, and 1/x
 * for log of a negative x. */
#include "complex.h"

#include <math.h>

/* exp: d = exp(x) dx */
static double exp_f(const double *x) { return exp(x[0]); }
static sec_value exp_jvp(const sec_rule *r, sec_value dx) { return sec_mul(dx, r->out[0]); }
SEC_PRIMITIVE(exp, .doc = "Exponential of x.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(exp_f, sec_c_exp, sec_parts_exp),
              .jvp = {exp_jvp})
sec_value sec_exp(sec_value x) { return sec_bind_float(&sec_exp_p, x); }

/* exp2: d = log(2) 2^x dx */
static double exp2_f(const double *x) { return exp2(x[0]); }
static sec_value exp2_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_mul(sec_literal_like(r->in[0], M_LN2), r->out[0]));
}
SEC_PRIMITIVE(exp2, .doc = "2 to the power x.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(exp2_f, sec_c_exp2, sec_parts_exp2),
              .jvp = {exp2_jvp})
sec_value sec_exp2(sec_value x) { return sec_bind_float(&sec_exp2_p, x); }

/* expm1: d = (expm1(x) + 1) dx */
static double expm1_f(const double *x) { return expm1(x[0]); }
static sec_value expm1_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_add(r->out[0], sec_scalar(1)));
}
SEC_PRIMITIVE(expm1, .doc = "exp(x) - 1, accurate near 0.", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(expm1_f, sec_c_expm1, sec_parts_expm1), .jvp = {expm1_jvp})
sec_value sec_expm1(sec_value x) { return sec_bind_float(&sec_expm1_p, x); }

/* log: d = dx / x */
static double log_f(const double *x) { return log(x[0]); }
static sec_value log_jvp(const sec_rule *r, sec_value dx) { return sec_div(dx, r->in[0]); }
SEC_PRIMITIVE(log, .doc = "Natural logarithm of x.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(log_f, sec_c_log, sec_parts_log),
              .jvp = {log_jvp}, .domain = {0.1, 4})
sec_value sec_log(sec_value x) { return sec_bind_float(&sec_log_p, x); }

/* log1p: d = dx / (1 + x) */
static double log1p_f(const double *x) { return log1p(x[0]); }
static sec_value log1p_jvp(const sec_rule *r, sec_value dx) {
  return sec_div(dx, sec_add(r->in[0], sec_scalar(1)));
}
SEC_PRIMITIVE(log1p, .doc = "log(1 + x), accurate near 0.", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(log1p_f, sec_c_log1p, sec_parts_log1p), .jvp = {log1p_jvp}, .domain = {-0.5, 3})
sec_value sec_log1p(sec_value x) { return sec_bind_float(&sec_log1p_p, x); }

/* sqrt: d = dx / (2 sqrt(x)); infinite at 0 */
static double sqrt_f(const double *x) { return sqrt(x[0]); }
static sec_value sqrt_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_div(sec_scalar(0.5), r->out[0]));
}
SEC_PRIMITIVE(sqrt, .doc = "Square root of x.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(sqrt_f, sec_c_sqrt, sec_parts_sqrt),
              .jvp = {sqrt_jvp}, .flags = SEC_FLAG_CHEAP, .domain = {0.1, 4})
sec_value sec_sqrt(sec_value x) { return sec_bind_float(&sec_sqrt_p, x); }

/* rsqrt: d = -1/2 x^(-3/2) dx; minus infinity at 0 */
static double rsqrt_f(const double *x) { return 1 / sqrt(x[0]); }
static sec_value rsqrt_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_mul(sec_scalar(-0.5), sec_div(r->out[0], r->in[0])));
}
SEC_PRIMITIVE(rsqrt, .doc = "1 / sqrt(x).", .operands = {"x"}, SEC_COMPLEX_FUNCTION(rsqrt_f, sec_c_rsqrt, sec_parts_rsqrt),
              .jvp = {rsqrt_jvp}, .flags = SEC_FLAG_CHEAP, .domain = {0.1, 4})
sec_value sec_rsqrt(sec_value x) { return sec_bind_float(&sec_rsqrt_p, x); }

/* cbrt: d = 1/3 cbrt(x)^-2 dx; infinite at 0 */
static double cbrt_f(const double *x) { return cbrt(x[0]); }
static sec_value cbrt_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_div(sec_literal_like(r->in[0], 1. / 3), sec_square(r->out[0])));
}
SEC_PRIMITIVE(cbrt, .doc = "Cube root of x.", .operands = {"x"}, SEC_MATH_FUNCTION(cbrt_f),
              .jvp = {cbrt_jvp}, .domain = {0.1, 4})
sec_value sec_cbrt(sec_value x) { return sec_bind_float(&sec_cbrt_p, x); }

/* logistic: y = 1 / (1 + exp(-x)), d = y (1 - y) dx */
static double logistic_f(const double *x) { return 1 / (1 + exp(-x[0])); }
static sec_value logistic_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_mul(r->out[0], sec_sub(sec_scalar(1), r->out[0])));
}
SEC_PRIMITIVE(logistic, .doc = "1 / (1 + exp(-x)).", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(logistic_f, sec_c_logistic, sec_parts_logistic), .jvp = {logistic_jvp})
sec_value sec_logistic(sec_value x) { return sec_bind_float(&sec_logistic_p, x); }

/* tanh: d = (1 - tanh(x)^2) dx */
static double tanh_f(const double *x) { return tanh(x[0]); }
static sec_value tanh_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_sub(sec_scalar(1), sec_square(r->out[0])));
}
SEC_PRIMITIVE(tanh, .doc = "Hyperbolic tangent of x.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(tanh_f, sec_c_tanh, sec_parts_tanh),
              .jvp = {tanh_jvp})
sec_value sec_tanh(sec_value x) { return sec_bind_float(&sec_tanh_p, x); }

/* sinh: d = cosh(x) dx */
static double sinh_f(const double *x) { return sinh(x[0]); }
static sec_value sinh_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_cosh(r->in[0]));
}
SEC_PRIMITIVE(sinh, .doc = "Hyperbolic sine of x.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(sinh_f, sec_c_sinh, sec_parts_sinh),
              .jvp = {sinh_jvp})
sec_value sec_sinh(sec_value x) { return sec_bind_float(&sec_sinh_p, x); }

/* cosh: d = sinh(x) dx */
static double cosh_f(const double *x) { return cosh(x[0]); }
static sec_value cosh_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_sinh(r->in[0]));
}
SEC_PRIMITIVE(cosh, .doc = "Hyperbolic cosine of x.", .operands = {"x"}, SEC_COMPLEX_FUNCTION(cosh_f, sec_c_cosh, sec_parts_cosh),
              .jvp = {cosh_jvp})
sec_value sec_cosh(sec_value x) { return sec_bind_float(&sec_cosh_p, x); }

/* asinh: d = (x^2 + 1)^(-1/2) dx; 0 where x^2 overflows */
static double asinh_f(const double *x) { return asinh(x[0]); }
static sec_value asinh_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_rsqrt(sec_add(sec_square(r->in[0]), sec_scalar(1))));
}
SEC_PRIMITIVE(asinh, .doc = "Inverse hyperbolic sine of x.", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(asinh_f, sec_c_asinh, sec_parts_asinh), .jvp = {asinh_jvp})
sec_value sec_asinh(sec_value x) { return sec_bind_float(&sec_asinh_p, x); }

/* (1 - x) (1 + x), which is 1 - x^2 without cancellation near the ends */
static sec_value one_minus_square(sec_value x) {
  sec_value one = sec_scalar(1), minus = sec_sub(one, x);
  return sec_mul(minus, sec_add(one, x));
}

/* acosh: d = ((x - 1) (x + 1))^(-1/2) dx; 0 where x^2 overflows */
static double acosh_f(const double *x) { return acosh(x[0]); }
static sec_value acosh_jvp(const sec_rule *r, sec_value dx) {
  sec_value x = r->in[0], one = sec_scalar(1), minus = sec_sub(x, one);
  return sec_mul(dx, sec_rsqrt(sec_mul(minus, sec_add(x, one))));
}
SEC_PRIMITIVE(acosh, .doc = "Inverse hyperbolic cosine of x >= 1.", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(acosh_f, sec_c_acosh, sec_parts_acosh), .jvp = {acosh_jvp}, .domain = {1.2, 4})
sec_value sec_acosh(sec_value x) { return sec_bind_float(&sec_acosh_p, x); }

/* atanh: d = dx / (1 - x^2) */
static double atanh_f(const double *x) { return atanh(x[0]); }
static sec_value atanh_jvp(const sec_rule *r, sec_value dx) {
  return sec_div(dx, one_minus_square(r->in[0]));
}
SEC_PRIMITIVE(atanh, .doc = "Inverse hyperbolic tangent of |x| <= 1.", .operands = {"x"},
              SEC_COMPLEX_FUNCTION(atanh_f, sec_c_atanh, sec_parts_atanh), .jvp = {atanh_jvp}, .domain = {-0.9, 0.9})
sec_value sec_atanh(sec_value x) { return sec_bind_float(&sec_atanh_p, x); }
