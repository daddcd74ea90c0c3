/* Incomplete gamma and beta functions (DLMF 8): igamma igammac igamma_grad_a random_gamma_grad
 * regularized_incomplete_beta. */
#include "family.h"

#include "../special.h"
#include "jet.h"

#include <math.h>

/* ---- factors ---- */

/* a log(a/x) + x - a, at least 0: by the series of the logarithm where it is small (Loader, "Fast and accurate
 * computation of binomial probabilities", 2000) */
static double deviance(double a, double x) {
  double v = (x - a) / (x + a);
  if (fabs(v) > 0.1) return a * log(a / x) + x - a;
  double sum = v * (x - a), power = 2 * a * v, square = v * v;
  for (int k = 1; k < 30; k++) {
    double next = sum - (power *= square) / (2 * k + 1);
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

/* x^a e^-x / gamma(a + 1) */
static double gamma_factor(double a, double x) {
  if (a < 1) return exp(a * log(x) - x - lgamma(a + 1));
  return exp(-sec_special_stirling(a) - deviance(a, x)) / sqrt(2 * M_PI * a);
}

/* x^a y^b / (a beta(a, b)), y = 1 - x */
static double beta_factor(double a, double b, double x, double y) {
  if (a < 1 || b < 1) {
    double in[] = {a, b};
    return exp(a * log(x) + b * (x < 0.5 ? log1p(-x) : log(y)) - sec_special_betaln(in)) / a;
  }
  double n = a + b, errors = sec_special_stirling(n) - sec_special_stirling(a) - sec_special_stirling(b);
  double e = errors - deviance(a, n * x) - deviance(b, n * y);
  return exp(e) * sqrt(b / (2 * M_PI * a * n));
}

/* ---- the incomplete gamma function: jets in a ---- */

enum { MAX_TERMS = 200000 };

/* The sum of x^n / ((a + 1) ... (a + n)) (DLMF 8.7.1). */
static jet lower_series(double a, double x, int order) {
  jet term = {{1}}, sum = {{1}};
  for (int n = 1; n < MAX_TERMS; n++) {
    jet_scale(&term, order, x);
    jet_over(&term, order, a + n);
    jet_add(&sum, order, 1, &term);
    if (term.c[0] <= 1e-17 * sum.c[0] && fabs(term.c[order]) <= 1e-17 * fabs(sum.c[order])) break;
  }
  return sum;
}

/* gamma(a, x) e^x x^-a as a continued fraction (DLMF 8.9.2) by Lentz's method. */
static jet upper_fraction(double a, double x, int order) {
  jet one = {{1}}, b = {{x + 1 - a, -1}}, d = jet_quotient(&one, &b, order), h = d, c = b;
  for (int n = 1; n < MAX_TERMS; n++) {
    jet up = {{-n * (n - a), n}}, below = jet_product(&up, &d, order);
    b.c[0] += 2;
    jet_add(&below, order, 1, &b);
    if (below.c[0] == 0) below.c[0] = 1e-300;
    d = jet_quotient(&one, &below, order);
    jet part = jet_quotient(&up, &c, order);
    c = b;
    if (n > 1) jet_add(&c, order, 1, &part);
    if (c.c[0] == 0) c.c[0] = 1e-300;
    jet step = jet_product(&c, &d, order), next = jet_product(&h, &step, order);
    bool same = fabs(step.c[0] - 1) < 1e-16 && fabs(next.c[order] - h.c[order]) <= 1e-16 * fabs(next.c[order]);
    h = next;
    if (same) break;
  }
  return h;
}

static bool by_fraction(double a, double x) { return x >= 1 && x > a; }

/* x^e gamma(a) / gamma(a + e) */
static jet power_over_gamma(double a, double x, int order) {
  jet log_of = {{0, log(x) - sec_special_digamma(&a)}};
  double factorial = 1;
  for (int k = 2; k <= order; k++) {
    double in[] = {k - 1, a};
    log_of.c[k] = -sec_special_polygamma(in) / (factorial *= k);
  }
  return jet_exp(&log_of, order);
}

/* The regularized functions for 0 < a, x < infinity; `upper` wants 1 - P. */
static double gamma_ratio(double a, double x, bool upper) {
  double factor = gamma_factor(a, x);
  if (factor == 0) return (x > a) != upper ? 1 : 0;
  if (by_fraction(a, x)) {
    double q = a * factor * upper_fraction(a, x, 0).c[0];
    return upper ? q : 1 - q;
  }
  double p = factor * lower_series(a, x, 0).c[0];
  return upper ? 1 - p : p;
}

static bool gamma_outside(double a, double x) { return !(a >= 0 && x >= 0) || (a == 0 && x == 0); }

double sec_special_igamma(const double *in) {
  double a = in[0], x = in[1];
  if (gamma_outside(a, x)) return NAN;
  if (x == 0 || isinf(a)) return isinf(x) && isinf(a) ? 1 : 0;
  if (isinf(x) || a == 0) return 1;
  return gamma_ratio(a, x, false);
}
double sec_special_igammac(const double *in) {
  double a = in[0], x = in[1];
  if (gamma_outside(a, x)) return NAN;
  if (isinf(x) || a == 0) return 0;
  if (x == 0 || isinf(a)) return 1;
  return gamma_ratio(a, x, true);
}

static double factorial(int n) { return n < 2 ? 1 : n * factorial(n - 1); }

/* P without its common factor x^a e^-x / gamma(a + 1): what is `lower` of it, by a, `order` >= 1 times */
static double gamma_slope(double a, double x, int order) {
  bool fraction = by_fraction(a, x);
  jet p = fraction ? upper_fraction(a, x, order) : lower_series(a, x, order);
  jet power = power_over_gamma(fraction ? a : a + 1, x, order);
  double slope = jet_product(&p, &power, order).c[order] * factorial(order);
  return fraction ? -a * slope : slope;
}

/* x^(a-1) e^-x / gamma(a), by a `order` times and by x `by_x` times: each time (a - 1)/x of it, a one less, minus itself */
static double density_slope(double a, double x, int order, int by_x) {
  jet sum = {{0}}, term = power_over_gamma(a, x, order);
  double ways = 1;
  for (int m = 0; m <= by_x; m++) {
    jet_add(&sum, order, (by_x - m) % 2 ? -ways : ways, &term);
    jet_times(&term, order, a - 1 - m);
    jet_scale(&term, order, 1 / x);
    ways = ways * (by_x - m) / (m + 1);
  }
  return sum.c[order] * factorial(order) * a / x;
}

/* order + 4 by_x: how often by a and by x */
double sec_special_igamma_grad(const double *in) {
  double a = in[1], x = in[2], factor;
  if (!(in[0] >= 0 && in[0] < 16 && a > 0 && x >= 0)) return NAN;
  int order = (int)in[0] % 4, by_x = (int)in[0] / 4;
  if (order + by_x == 0) return sec_special_igamma(in + 1);
  if (isinf(x) || isinf(a) || (x == 0 && !by_x)) return 0;
  if ((factor = gamma_factor(a, x)) == 0) return 0;
  return factor * (by_x ? density_slope(a, x, order, by_x - 1) : gamma_slope(a, x, order));
}
double sec_special_igamma_grad_a(const double *x) { return sec_special_igamma_grad((double[]){1, x[0], x[1]}); }

/* dP/da over -dP/dx: the common factor cancels */
double sec_special_random_gamma_grad(const double *in) {
  double a = in[0], x = in[1];
  if (!(a > 0 && x >= 0)) return NAN;
  return x == 0 || isinf(x) || isinf(a) ? 0 : -gamma_slope(a, x, 1) * x / a;
}

/* ---- the incomplete beta function ---- */

/* The continued fraction of DLMF 8.17.22, by Lentz's method; quick for x < (a + 1)/(a + b + 2). */
static double beta_fraction(double a, double b, double x) {
  double c = 1, d = 1 - (a + b) * x / (a + 1), h;
  if (d == 0) d = 1e-300;
  h = d = 1 / d;
  for (int m = 1; m < MAX_TERMS; m++) {
    double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), step = 1;
    for (int i = 0; i < 2; i++) {
      double part = i ? odd : even;
      d = 1 + part * d;
      c = 1 + part / c;
      if (d == 0) d = 1e-300;
      if (c == 0) c = 1e-300;
      d = 1 / d;
      h *= step = c * d;
    }
    if (fabs(step - 1) < 1e-16) break;
  }
  return h;
}

double sec_special_regularized_incomplete_beta(const double *in) {
  double a = in[0], b = in[1], x = in[2];
  bool no_a = a == 0 || isinf(b), no_b = b == 0 || isinf(a);
  if (!(a >= 0 && b >= 0 && x >= 0 && x <= 1) || (no_a && no_b)) return NAN;
  if (x == 0 || x == 1) return x;
  if (no_a || no_b) return no_a;
  if (x < (a + 1) / (a + b + 2)) return beta_factor(a, b, x, 1 - x) * beta_fraction(a, b, x);
  return 1 - beta_factor(b, a, 1 - x, x) * beta_fraction(b, a, 1 - x);
}

/* ---- primitives ---- */

/* x^(a-1) e^-x / gamma(a) */
static sec_value gamma_density(sec_value a, sec_value x) {
  sec_value power = sec_mul(sec_sub(a, sec_literal_like(a, 1)), sec_log(x));
  return sec_exp(sec_sub(sec_sub(power, x), sec_lgamma(a)));
}
static sec_value density_of(const sec_rule *r) { return gamma_density(r->in[0], r->in[1]); }

/* igamma: d = igamma_grad_a(a, x) da + x^(a-1) e^-x / gamma(a) dx, and igammac = 1 - igamma */
static sec_value igamma_jvp_a(const sec_rule *r, sec_value da) {
  return sec_mul(da, sec_igamma_grad_a(r->in[0], r->in[1]));
}
static sec_value igamma_jvp_x(const sec_rule *r, sec_value dx) { return sec_mul(dx, density_of(r)); }
static sec_value igammac_jvp_a(const sec_rule *r, sec_value da) { return sec_neg(igamma_jvp_a(r, da)); }
static sec_value igammac_jvp_x(const sec_rule *r, sec_value dx) { return sec_neg(igamma_jvp_x(r, dx)); }
SEC_PRIMITIVE(igamma, .doc = "Regularized lower incomplete gamma function P(a, x).", .operands = {"a", "x"},
              SEC_MATH_FUNCTION(sec_special_igamma), .jvp = {igamma_jvp_a, igamma_jvp_x}, .domain = {0.5, 4})
sec_value sec_igamma(sec_value a, sec_value x) { return sec_bind_floats(&sec_igamma_p, (sec_value[]){a, x}, 2); }
SEC_PRIMITIVE(igammac, .doc = "Regularized upper incomplete gamma function Q(a, x) = 1 - P(a, x).", .operands = {"a", "x"},
              SEC_MATH_FUNCTION(sec_special_igammac), .jvp = {igammac_jvp_a, igammac_jvp_x}, .domain = {0.5, 4})
sec_value sec_igammac(sec_value a, sec_value x) { return sec_bind_floats(&sec_igammac_p, (sec_value[]){a, x}, 2); }

/* igamma_grad: d = one more derivative by a or x */
SEC_PRIMITIVE(igamma_grad, .doc = "Derivative of igamma(a, x) of order i, j by a, x: order = i + 4 j.",
              .operands = {"order", "a", "x"}, SEC_MATH_FUNCTION(sec_special_igamma_grad),
              .jvp = {NULL, sec_special_jvp, sec_special_jvp}, .domain = {0.5, 4})
static sec_value igamma_grad(double order, sec_value a, sec_value x) {
  return sec_bind_floats(&sec_igamma_grad_p, (sec_value[]){sec_literal_like(a, order), a, x}, 3);
}

/* igamma_grad_a: the derivatives by a, and by a and x */
static sec_value igamma_grad_a_jvp_a(const sec_rule *r, sec_value da) {
  return sec_mul(da, igamma_grad(2, r->in[0], r->in[1]));
}
static sec_value igamma_grad_a_jvp_x(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, igamma_grad(5, r->in[0], r->in[1]));
}
SEC_PRIMITIVE(igamma_grad_a, .doc = "Derivative of igamma by a.", .operands = {"a", "x"},
              SEC_MATH_FUNCTION(sec_special_igamma_grad_a), .jvp = {igamma_grad_a_jvp_a, igamma_grad_a_jvp_x}, .domain = {0.5, 4})
sec_value sec_igamma_grad_a(sec_value a, sec_value x) {
  return sec_bind_floats(&sec_igamma_grad_a_p, (sec_value[]){a, x}, 2);
}

/* random_gamma_grad g = -P_a / p with p = P_x: d = -(P_aa / p + g l) da - (l + g ((a - 1)/x - 1)) dx, l = log x - digamma(a) */
static sec_value log_over(const sec_rule *r) { return sec_sub(sec_log(r->in[1]), sec_digamma(r->in[0])); }
static sec_value random_gamma_grad_jvp_a(const sec_rule *r, sec_value da) {
  sec_value second = sec_div(igamma_grad(2, r->in[0], r->in[1]), density_of(r));
  return sec_mul(da, sec_neg(sec_add(second, sec_mul(r->out[0], log_over(r)))));
}
static sec_value random_gamma_grad_jvp_x(const sec_rule *r, sec_value dx) {
  sec_value one = sec_literal_like(r->in[0], 1), bend = sec_sub(sec_div(sec_sub(r->in[0], one), r->in[1]), one);
  return sec_mul(dx, sec_neg(sec_add(log_over(r), sec_mul(r->out[0], bend))));
}
SEC_PRIMITIVE(random_gamma_grad, .doc = "How a sample x of the gamma distribution moves with its parameter a.",
              .operands = {"a", "x"}, SEC_MATH_FUNCTION(sec_special_random_gamma_grad),
              .jvp = {random_gamma_grad_jvp_a, random_gamma_grad_jvp_x}, .domain = {0.5, 4})
sec_value sec_random_gamma_grad(sec_value a, sec_value x) {
  return sec_bind_floats(&sec_random_gamma_grad_p, (sec_value[]){a, x}, 2);
}

/* regularized_incomplete_beta: d = x^(a-1) (1-x)^(b-1) / beta(a, b) dx; none by a and b, as in JAX */
static sec_value betainc_jvp_x(const sec_rule *r, sec_value dx) {
  sec_value a = r->in[0], b = r->in[1], x = r->in[2], one = sec_literal_like(x, 1);
  sec_value left = sec_mul(sec_sub(b, one), sec_log1p(sec_neg(x))), right = sec_mul(sec_sub(a, one), sec_log(x));
  return sec_mul(dx, sec_exp(sec_sub(sec_add(left, right), sec_betaln(a, b))));
}
SEC_PRIMITIVE(regularized_incomplete_beta, .doc = "Regularized incomplete beta function I_x(a, b).",
              .operands = {"a", "b", "x"}, SEC_MATH_FUNCTION(sec_special_regularized_incomplete_beta),
              .jvp = {NULL, NULL, betainc_jvp_x}, .domain = {0.1, 0.9})
sec_value sec_betainc(sec_value a, sec_value b, sec_value x) {
  return sec_bind_floats(&sec_regularized_incomplete_beta_p, (sec_value[]){a, b, x}, 3);
}
