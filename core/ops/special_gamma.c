/* The gamma family: lgamma digamma polygamma zeta betaln (DLMF 5, 25.11). */
#include "family.h"

#include "../special.h"
#include "jet.h"

#include <math.h>

/* ---- functions of doubles ---- */

static bool is_integer(double x) { return x == floor(x); }

double sec_special_lgamma(const double *x) {
  int sign;
  return lgamma_r(x[0], &sign);
}

/* B_2k / 2k for k = 1, 2, ...: the asymptotic series of digamma (DLMF 5.11.2). */
static const double digamma_terms[] = {1. / 12,      -1. / 120, 1. / 252,          -1. / 240,
                                       1. / 132,     -691. / 32760, 1. / 12,       -3617. / 8160};

/* Above 0 the recurrence up to 10 and the series; below it the reflection (DLMF 5.5.4). */
double sec_special_digamma(const double *in) {
  double x = in[0], shift = 0, series = 0;
  if (x <= 0) {
    if (is_integer(x)) return NAN;
    double part = x - floor(x + 0.5), up = 1 - x;
    return sec_special_digamma(&up) - M_PI / tan(M_PI * part);
  }
  if (isinf(x)) return x;
  for (; x < 10; x++) shift += 1 / x;
  double z = 1 / (x * x);
  for (int k = 7; k >= 0; k--) series = z * (digamma_terms[k] + series);
  return log(x) - 0.5 / x - series - shift;
}

/* u^-(s + e) */
static jet jet_power(double u, double s, int order) {
  jet j = {{pow(u, -s)}};
  double l = order ? -log(u) : 0;
  for (int i = 1; i <= order; i++) j.c[i] = j.c[i - 1] * l / i;
  return j;
}

/* B_2k / (2k)! */
static const double zeta_terms[] = {1. / 12,
                                    -1. / 720,
                                    1. / 30240,
                                    -1. / 1209600,
                                    1. / 47900160,
                                    -691. / 1307674368000.,
                                    1. / 74724249600.,
                                    -3617. / 10670622842880000.,
                                    43867. / 5109094217170944000.,
                                    -174611. / 802857662698291200000.};

/* Whether `rest` + 1 terms like this one are lost in the sum. */
static bool below_ulp(const jet *term, const jet *sum, int i, double rest) {
  return fabs(term->c[i]) * (1 + rest) < 1e-18 * fabs(sum->c[i]);
}

/* The sum of (q + k)^-s over k >= 0 for q > 0 by Euler and Maclaurin's formula (DLMF 25.11.5), as a jet in s. */
static jet hurwitz(double s, double q, int order) {
  jet sum = {{0}};
  double far = fmax(12, s / 3), a = q;
  for (int k = 0; a < far && k < 100000; k++, a++) {
    jet term = jet_power(a, s, order);
    jet_add(&sum, order, 1, &term);
    if (k > 1 && below_ulp(&term, &sum, 0, a / (s - 1)) && below_ulp(&term, &sum, order, a / (s - 1))) return sum;
  }
  jet edge = jet_power(a, s, order), integral = edge, term = edge;
  jet_scale(&integral, order, a);
  jet_over(&integral, order, s - 1);
  jet_add(&sum, order, 1, &integral);
  jet_add(&sum, order, 0.5, &edge);
  for (int k = 0; k < 10; k++) { /* s (s + 1) ... (s + 2k) a^(-s - 2k - 1) */
    if (k) jet_times(&term, order, s + 2 * k - 1);
    jet_times(&term, order, s + 2 * k);
    jet_scale(&term, order, k ? 1 / (a * a) : 1 / a);
    jet_add(&sum, order, zeta_terms[k], &term);
  }
  return sum;
}

/* Below 0, where s is an integer: the terms on either side of 0, and all of them mirrored. */
static jet zeta_jet(double s, double q, int order) {
  if (q > 0) return hurwitz(s, q, order);
  double part = q - floor(q), sign = fmod(s, 2) == 0 ? 1 : -1;
  jet sum = hurwitz(s, part, order), near = hurwitz(s, 1 - part, order), far = hurwitz(s, 1 - q, order);
  jet_add(&sum, order, sign, &near);
  jet_add(&sum, order, -sign, &far);
  return sum;
}

static double zeta_order(double s, double q, int order) {
  if (isnan(s) || isnan(q)) return NAN;
  if (s == 1) return order % 2 ? -INFINITY : INFINITY;
  if (q <= 0 && is_integer(q)) return fmod(s, 2) == 0 ? INFINITY : NAN;
  if (s < 1 || (q <= 0 && (order || !is_integer(s)))) return NAN;
  if (isinf(q)) return 0;
  if (isinf(s)) return order ? 0 : q < 1 ? INFINITY : q == 1 ? 1 : 0;
  double factorial = 1;
  for (int k = 2; k <= order; k++) factorial *= k;
  return factorial * zeta_jet(s, q, order).c[order];
}
double sec_special_zeta(const double *x) { return zeta_order(x[0], x[1], 0); }
double sec_special_zeta_grad(const double *x) {
  return x[0] >= 0 && x[0] < SEC_JET_MAX + 1 ? zeta_order(x[1], x[2], (int)x[0]) : NAN;
}

/* (-1)^(m+1) m! zeta(m + 1, x) (DLMF 25.11.12) */
double sec_special_polygamma(const double *in) {
  double m = in[0], x = in[1];
  if (m == 0) return sec_special_digamma(&x);
  if (!(m > 0) || !is_integer(m)) return NAN;
  double z = zeta_order(m + 1, x, 0), size;
  if (m < 170 || z == 0 || isinf(z)) size = tgamma(m + 1) * z;
  else size = copysign(exp(lgamma(m + 1) + log(fabs(z))), z);
  return fmod(m, 2) == 0 ? -size : size;
}

/* Up to 16 by steps that are sums of positive terms, log1p(1/a) being 2 atanh(1 / (2a + 1)). */
double sec_special_stirling(double a) {
  static const double c[] = {1. / 12, -1. / 360, 1. / 1260, -1. / 1680, 1. / 1188, -691. / 360360};
  double steps = 0, sum = 0;
  for (; a < 16; a++) {
    double square = 1 / ((2 * a + 1) * (2 * a + 1)), power = square;
    for (int k = 1; power > 1e-17; k++, power *= square) steps += power / (2 * k + 1);
  }
  double z = 1 / (a * a);
  for (int k = 5; k >= 0; k--) sum = sum * z + c[k];
  return sum / a + steps;
}

/* Large operands by Stirling's series, so that what is large never comes up (as in TOMS 708, Didonato and Morris). */
double sec_special_betaln(const double *x) {
  double a = fmin(x[0], x[1]), b = fmax(x[0], x[1]);
  if (isnan(x[0]) || isnan(x[1])) return NAN;
  if (b < 10 || a + b < 10 || isinf(b)) {
    double s = a + b;
    return sec_special_lgamma(&a) + (sec_special_lgamma(&b) - sec_special_lgamma(&s));
  }
  double rest = sec_special_stirling(b) - sec_special_stirling(a + b);
  if (a < 10) return sec_special_lgamma(&a) - a * log(b) + a - (a + b - 0.5) * log1p(a / b) + rest;
  double p = a / (a + b);
  return sec_special_stirling(a) + rest + 0.5 * log(2 * M_PI / b) + (a - 0.5) * log(p) - b * log1p(a / b);
}

/* ---- primitives ---- */

/* lgamma: d = digamma(x) dx */
static sec_value lgamma_jvp(const sec_rule *r, sec_value dx) { return sec_mul(dx, sec_digamma(r->in[0])); }
SEC_PRIMITIVE(lgamma, .doc = "Logarithm of |gamma(x)|.", .operands = {"x"}, SEC_MATH_FUNCTION(sec_special_lgamma),
              .jvp = {lgamma_jvp}, .domain = {0.3, 4})
sec_value sec_lgamma(sec_value x) { return sec_bind_float(&sec_lgamma_p, x); }

/* digamma: d = polygamma(1, x) dx */
static sec_value digamma_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_polygamma(sec_literal_like(r->in[0], 1), r->in[0]));
}
SEC_PRIMITIVE(digamma, .doc = "Derivative of lgamma.", .operands = {"x"}, SEC_MATH_FUNCTION(sec_special_digamma),
              .jvp = {digamma_jvp}, .domain = {0.3, 4})
sec_value sec_digamma(sec_value x) { return sec_bind_float(&sec_digamma_p, x); }

/* polygamma: d = polygamma(m + 1, x) dx; m is an integer and has no derivative */
static sec_value polygamma_jvp_x(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_polygamma(sec_add(r->in[0], sec_literal_like(r->in[0], 1)), r->in[1]));
}
SEC_PRIMITIVE(polygamma, .doc = "Derivative of order m of digamma; m is a whole number.", .operands = {"m", "x"},
              SEC_MATH_FUNCTION(sec_special_polygamma), .jvp = {NULL, polygamma_jvp_x}, .domain = {0.5, 4})
sec_value sec_polygamma(sec_value m, sec_value x) { return sec_bind_floats(&sec_polygamma_p, (sec_value[]){m, x}, 2); }

/* zeta_grad: d = zeta_grad(order + 1, s, q) ds - (s zeta_grad(order, s + 1, q) + order zeta_grad(order - 1, s + 1, q)) dq:
 * the sum of (-log u)^order u^-s over u = q, q + 1, ... */
static sec_value zeta_terms_q(sec_value order, sec_value s, sec_value q) {
  sec_value one = sec_literal_like(s, 1), up = sec_add(s, one);
  sec_value below = sec_zeta_grad(sec_max(sec_sub(order, one), sec_literal_like(s, 0)), up, q);
  return sec_neg(sec_add(sec_mul(s, sec_zeta_grad(order, up, q)), sec_mul(order, below)));
}
static sec_value zeta_grad_jvp_s(const sec_rule *r, sec_value ds) {
  return sec_mul(ds, sec_zeta_grad(sec_add(r->in[0], sec_literal_like(r->in[0], 1)), r->in[1], r->in[2]));
}
static sec_value zeta_grad_jvp_q(const sec_rule *r, sec_value dq) {
  return sec_mul(dq, zeta_terms_q(r->in[0], r->in[1], r->in[2]));
}
SEC_PRIMITIVE(zeta_grad, .doc = "Derivative of zeta by s, `order` times (0 to 6).", .operands = {"order", "s", "q"},
              SEC_MATH_FUNCTION(sec_special_zeta_grad), .jvp = {NULL, zeta_grad_jvp_s, zeta_grad_jvp_q}, .domain = {1.5, 4})
sec_value sec_zeta_grad(sec_value order, sec_value s, sec_value q) {
  return sec_bind_floats(&sec_zeta_grad_p, (sec_value[]){order, s, q}, 3);
}

/* zeta: d = zeta_grad(1, s, q) ds - s zeta(s + 1, q) dq */
static sec_value zeta_jvp_s(const sec_rule *r, sec_value ds) {
  return sec_mul(ds, sec_zeta_grad(sec_literal_like(r->in[0], 1), r->in[0], r->in[1]));
}
static sec_value zeta_jvp_q(const sec_rule *r, sec_value dq) {
  sec_value up = sec_add(r->in[0], sec_literal_like(r->in[0], 1));
  return sec_mul(dq, sec_neg(sec_mul(r->in[0], sec_zeta(up, r->in[1]))));
}
SEC_PRIMITIVE(zeta, .doc = "Hurwitz's zeta function, the sum of (q + k)^-s over k = 0, 1, ...", .operands = {"s", "q"},
              SEC_MATH_FUNCTION(sec_special_zeta), .jvp = {zeta_jvp_s, zeta_jvp_q}, .domain = {1.5, 4})
sec_value sec_zeta(sec_value s, sec_value q) { return sec_bind_floats(&sec_zeta_p, (sec_value[]){s, q}, 2); }

/* betaln: d = (digamma(a) - digamma(a + b)) da, and so for b */
static sec_value betaln_jvp(const sec_rule *r, sec_value dx) {
  sec_value sum = sec_digamma(sec_add(r->in[0], r->in[1]));
  return sec_mul(dx, sec_sub(sec_digamma(r->in[r->wrt]), sum));
}
SEC_PRIMITIVE(betaln, .doc = "Logarithm of |beta(a, b)|.", .operands = {"a", "b"}, SEC_MATH_FUNCTION(sec_special_betaln),
              .jvp = {betaln_jvp, betaln_jvp}, .domain = {0.5, 4})
sec_value sec_betaln(sec_value a, sec_value b) { return sec_bind_floats(&sec_betaln_p, (sec_value[]){a, b}, 2); }
