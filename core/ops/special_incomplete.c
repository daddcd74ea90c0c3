/* Incomplete gamma and beta functions (DLMF 8): igamma igammac igamma_grad_a random_gamma_grad
 * regularized_incomplete_beta. */
#include "family.h"

#include "../special.h"

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

/* ---- the incomplete gamma function ---- */

/* A number and its derivative by a. */
typedef struct dual {
  double v, d;
} dual;
static dual product(dual x, dual y) { return (dual){x.v * y.v, x.d * y.v + x.v * y.d}; }
static dual quotient(dual x, dual y) {
  double v = x.v / y.v;
  return (dual){v, (x.d - v * y.d) / y.v};
}
static dual sum_of(dual x, dual y) { return (dual){x.v + y.v, x.d + y.d}; }

enum { MAX_TERMS = 200000 };

/* The sum of x^n / ((a + 1) ... (a + n)) (DLMF 8.7.1). */
static dual lower_series(double a, double x) {
  dual term = {1, 0}, sum = {1, 0};
  for (int n = 1; n < MAX_TERMS; n++) {
    double down = a + n;
    term = (dual){term.v * x / down, (term.d - term.v / down) * x / down};
    sum = sum_of(sum, term);
    if (fabs(term.v) <= 1e-17 * sum.v && fabs(term.d) <= 1e-17 * fabs(sum.d)) break;
  }
  return sum;
}

/* gamma(a, x) e^x x^-a as a continued fraction (DLMF 8.9.2) by Lentz's method. */
static dual upper_fraction(double a, double x) {
  dual b = {x + 1 - a, -1}, c = {1e300, 0}, d = quotient((dual){1, 0}, b), h = d;
  for (int n = 1; n < MAX_TERMS; n++) {
    dual an = {-n * (n - a), n};
    b.v += 2;
    dual below = sum_of(product(an, d), b);
    if (below.v == 0) below.v = 1e-300;
    d = quotient((dual){1, 0}, below);
    c = n > 1 ? sum_of(b, quotient(an, c)) : b;
    if (c.v == 0) c.v = 1e-300;
    dual step = product(c, d);
    h = product(h, step);
    if (fabs(step.v - 1) < 1e-16 && fabs(step.d * h.v) <= 1e-16 * fabs(h.d)) break;
  }
  return h;
}

static bool by_fraction(double a, double x) { return x >= 1 && x > a; }

/* The regularized functions for 0 < a, x < infinity; `upper` wants 1 - P. */
static double gamma_ratio(double a, double x, bool upper) {
  double factor = gamma_factor(a, x);
  if (factor == 0) return (x > a) != upper ? 1 : 0;
  if (by_fraction(a, x)) {
    double q = a * factor * upper_fraction(a, x).v;
    return upper ? q : 1 - q;
  }
  double p = factor * lower_series(a, x).v;
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

/* dP/da over -dP/dx if `sample`, which leaves out the common factor, so that neither underflows. */
static double gamma_slope(double a, double x, bool sample) {
  double digits[1], factor = sample ? 1 : gamma_factor(a, x);
  if (!(a > 0 && x >= 0)) return NAN;
  if (x == 0 || factor == 0 || isinf(x) || isinf(a)) return 0;
  if (by_fraction(a, x)) {
    dual h = upper_fraction(a, x);
    digits[0] = a;
    double slope = h.v * (log(x) - sec_special_digamma(digits)) + h.d;
    return sample ? slope * x : -slope * a * factor;
  }
  dual s = lower_series(a, x);
  digits[0] = a + 1;
  double slope = s.v * (log(x) - sec_special_digamma(digits)) + s.d;
  return sample ? -slope * x / a : slope * factor;
}
double sec_special_igamma_grad_a(const double *x) { return gamma_slope(x[0], x[1], false); }
double sec_special_random_gamma_grad(const double *x) { return gamma_slope(x[0], x[1], true); }

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

/* igamma_grad_a: d/dx = x^(a-1) e^-x / gamma(a) (log x - digamma(a)) */
static sec_value igamma_grad_a_jvp_x(const sec_rule *r, sec_value dx) {
  sec_value slope = sec_sub(sec_log(r->in[1]), sec_digamma(r->in[0]));
  return sec_mul(dx, sec_mul(density_of(r), slope));
}
SEC_PRIMITIVE(igamma_grad_a, .doc = "Derivative of igamma by a.", .operands = {"a", "x"},
              SEC_MATH_FUNCTION(sec_special_igamma_grad_a), .jvp = {NULL, igamma_grad_a_jvp_x}, .domain = {0.5, 4})
sec_value sec_igamma_grad_a(sec_value a, sec_value x) {
  return sec_bind_floats(&sec_igamma_grad_a_p, (sec_value[]){a, x}, 2);
}

SEC_PRIMITIVE(random_gamma_grad, .doc = "How a sample x of the gamma distribution moves with its parameter a.",
              .operands = {"a", "x"}, SEC_MATH_FUNCTION(sec_special_random_gamma_grad), .domain = {0.5, 4})
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
