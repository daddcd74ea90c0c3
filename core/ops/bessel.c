/* Bessel functions: bessel_i0e bessel_i1e, modified ones of the first kind, scaled by exp(-|x|) (DLMF 10.25 to 10.40), and
 * bessel_jn. */
#include "family.h"

#include "../special.h"

#include <math.h>

/* exp(-|x|) I_order(|x|) for order 0 or 1: the ascending series (DLMF 10.25.2) up to 30, beyond it the asymptotic one
 * (10.40.1), whose terms fall below an ulp before they grow. */
static double scaled_i(double x, int order) {
  double a = fabs(x), term = 1, total = 1;
  if (isnan(a)) return a;
  if (a < 30) {
    for (int k = 1; term > 1e-18 * total; k++) total += term *= a * a / (4.0 * k * (k + order));
    return exp(-a) * total * (order ? a / 2 : 1);
  }
  for (int k = 1; fabs(term) > 1e-18; k++) {
    term *= ((2.0 * k - 1) * (2 * k - 1) - 4 * order) / (8 * k * a);
    total += term;
  }
  return total / sqrt(2 * M_PI * a);
}

/* bessel_i0e: d = bessel_i1e(x) - sign(x) bessel_i0e(x) */
static double bessel_i0e_f(const double *x) { return scaled_i(x[0], 0); }
static sec_value bessel_i0e_jvp(const sec_rule *r, sec_value dx) {
  sec_value scale = sec_mul(sec_sign(r->in[0]), r->out[0]);
  return sec_mul(dx, sec_sub(sec_bessel_i1e(r->in[0]), scale));
}
SEC_PRIMITIVE(bessel_i0e, .doc = "exp(-|x|) I0(x), I0 the modified Bessel function of order 0.", .operands = {"x"},
              SEC_MATH_FUNCTION(bessel_i0e_f), .jvp = {bessel_i0e_jvp})
sec_value sec_bessel_i0e(sec_value x) { return sec_bind_float(&sec_bessel_i0e_p, x); }

static double epsilon(sec_dtype d) {
  return d == SEC_F64 ? 0x1p-52 : d == SEC_F32 ? 0x1p-23 : d == SEC_F16 ? 0x1p-10 : 0x1p-7;
}

/* bessel_i1e: d = bessel_i0e(x) - bessel_i1e(x) (sign(x) + 1/x), 1/2 near 0 */
static double bessel_i1e_f(const double *x) { return copysign(scaled_i(x[0], 1), x[0]); }
static sec_value bessel_i1e_jvp(const sec_rule *r, sec_value dx) {
  sec_value x = r->in[0];
  sec_value tiny = sec_le(sec_abs(x), sec_literal_like(x, epsilon(r->in_avals[0]->dtype)));
  sec_value safe = sec_where(tiny, sec_literal_like(x, 1), x);
  sec_value scale = sec_add(sec_sign(safe), sec_div(sec_literal_like(x, 1), safe));
  sec_value slope = sec_sub(sec_bessel_i0e(safe), sec_mul(r->out[0], scale));
  return sec_mul(dx, sec_where(tiny, sec_literal_like(x, 0.5), slope));
}
SEC_PRIMITIVE(bessel_i1e, .doc = "exp(-|x|) I1(x), I1 the modified Bessel function of order 1.", .operands = {"x"},
              SEC_MATH_FUNCTION(bessel_i1e_f), .jvp = {bessel_i1e_jvp})
sec_value sec_bessel_i1e(sec_value x) { return sec_bind_float(&sec_bessel_i1e_p, x); }

/* bessel_jn: d = (bessel_jn(n - 1, x) - bessel_jn(n + 1, x)) / 2 dx; n is an integer and has no derivative */
double sec_special_bessel_jn(const double *x) {
  return x[0] == floor(x[0]) && fabs(x[0]) < 1e6 && !isnan(x[1]) ? jn((int)x[0], x[1]) : NAN;
}
static sec_value bessel_jn_jvp_x(const sec_rule *r, sec_value dx) {
  sec_value n = r->in[0], one = sec_literal_like(n, 1);
  sec_value difference = sec_sub(sec_bessel_jn(sec_sub(n, one), r->in[1]), sec_bessel_jn(sec_add(n, one), r->in[1]));
  return sec_mul(dx, sec_mul(sec_literal_like(n, 0.5), difference));
}
SEC_PRIMITIVE(bessel_jn, .doc = "Bessel function of the first kind of whole order n.", .operands = {"n", "x"},
              SEC_MATH_FUNCTION(sec_special_bessel_jn), .jvp = {NULL, bessel_jn_jvp_x})
sec_value sec_bessel_jn(sec_value n, sec_value x) { return sec_bind_floats(&sec_bessel_jn_p, (sec_value[]){n, x}, 2); }
