/* Special functions: erf erfc erf_inv (DLMF 7.2). */
#include "family.h"

#include <math.h>

/* exp(-x^2) times a constant: the derivative of erf for 2/sqrt(pi) */
static sec_value gaussian(sec_value x, double constant) {
  return sec_mul(sec_literal_like(x, constant), sec_exp(sec_neg(sec_square(x))));
}

/* erf: d = 2/sqrt(pi) exp(-x^2) dx */
static double erf_f(const double *x) { return erf(x[0]); }
static sec_value erf_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, gaussian(r->in[0], M_2_SQRTPI));
}
SEC_PRIMITIVE(erf, .doc = "Error function of x.", .operands = {"x"}, SEC_MATH_FUNCTION(erf_f),
              .jvp = {erf_jvp})
sec_value sec_erf(sec_value x) { return sec_bind_float(&sec_erf_p, x); }

/* erfc: d = -2/sqrt(pi) exp(-x^2) dx */
static double erfc_f(const double *x) { return erfc(x[0]); }
static sec_value erfc_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, gaussian(r->in[0], -M_2_SQRTPI));
}
SEC_PRIMITIVE(erfc, .doc = "1 - erf(x), accurate for large x.", .operands = {"x"},
              SEC_MATH_FUNCTION(erfc_f), .jvp = {erfc_jvp})
sec_value sec_erfc(sec_value x) { return sec_bind_float(&sec_erfc_p, x); }

/* erf_inv by Halley's method on erfc(z) = 1 - |x|, whose right side is exact near 1, from
 * Winitzki's approximation erf(z)^2 ~ 1 - exp(-z^2 (4/pi + a z^2) / (1 + a z^2)) with a = 0.147,
 * solved for z; below 1/2 on erf itself. */
static double erf_inv_f(const double *x) {
  double size = fabs(x[0]), a = 0.147;
  if (!(size < 1)) return size == 1 ? x[0] * INFINITY : NAN;
  if (size < 1e-8) return x[0] / M_2_SQRTPI;
  double log_term = log((1 - size) * (1 + size)), half = 2 / (M_PI * a) + log_term / 2;
  double z = sqrt(sqrt(half * half - log_term / a) - half);
  for (int i = 0; i < 4; i++) {
    double error = size < 0.5 ? erf(z) - size : (1 - size) - erfc(z);
    double newton = error / (M_2_SQRTPI * exp(-z * z));
    z -= newton / (1 + newton * z);
  }
  return copysign(z, x[0]);
}
/* erf_inv: d = sqrt(pi)/2 exp(erf_inv(x)^2) dx; infinite at the ends */
static sec_value erf_inv_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(
      dx, sec_mul(sec_literal_like(r->in[0], 1 / M_2_SQRTPI), sec_exp(sec_square(r->out[0]))));
}
SEC_PRIMITIVE(erf_inv, .doc = "Inverse of erf, for |x| <= 1.", .operands = {"x"},
              SEC_MATH_FUNCTION(erf_inv_f), .jvp = {erf_inv_jvp}, .domain = {-0.9, 0.9})
sec_value sec_erf_inv(sec_value x) { return sec_bind_float(&sec_erf_inv_p, x); }
