/* Hypergeometric functions hyp1f1 and hyp2f1 with all their derivatives (DLMF 13.2, 15.2). */
#include "family.h"

#include "../special.h"

#include <math.h>

/* As family.h says at sec_special_jvp. */
enum { BASE = 4, MAX_VARIABLES = 4, MAX_GRID = BASE * BASE * BASE * BASE };

/* A product of powers of e_0, e_1, ..., each up to its order: coefficients of a function around a point. */
typedef struct grid {
  int n, size, order[MAX_VARIABLES], stride[MAX_VARIABLES];
} grid;

static grid grid_of(double code, int n) {
  grid g = {.n = n, .size = 1};
  for (int v = 0, rest = (int)code; v < n; v++, rest /= BASE) {
    g.order[v] = rest % BASE;
    g.stride[v] = g.size;
    g.size *= g.order[v] + 1;
  }
  return g;
}
static int power_of(const grid *g, int v, int i) { return i / g->stride[v] % (g->order[v] + 1); }

/* t *= (u + e_v), t /= (u + e_v) */
static void times(const grid *g, long double *t, int v, long double u) {
  for (int i = g->size - 1; i >= 0; i--) t[i] = u * t[i] + (power_of(g, v, i) ? t[i - g->stride[v]] : 0);
}
static void over(const grid *g, long double *t, int v, long double u) {
  for (int i = 0; i < g->size; i++) t[i] = (t[i] - (power_of(g, v, i) ? t[i - g->stride[v]] : 0)) / u;
}

/* The derivative by the series; operands are `above` numerators, one denominator and x. */
static double series_derivative(double code, const double *in, int above) {
  grid g = grid_of(code, above + 2);
  long double sum[MAX_GRID] = {1}, term[MAX_GRID] = {1}, factor = 1;
  int last = g.size - 1, quiet = 0;
  for (int k = 0; k < 20000 && quiet < 4 && isfinite(sum[last]); k++) {
    for (int v = 0; v < above; v++) times(&g, term, v, (long double)in[v] + k);
    over(&g, term, above, (long double)in[above] + k);
    times(&g, term, above + 1, in[above + 1]);
    for (int i = 0; i < g.size; i++) sum[i] += term[i] /= k + 1;
    quiet = fabsl(term[last]) <= 1e-19L * fabsl(sum[last]) && k > fabsl(in[above + 1]) ? quiet + 1 : 0;
  }
  for (int v = 0; v < g.n; v++)
    for (int k = 2; k <= g.order[v]; k++) factor *= k;
  return (double)(factor * sum[last]);
}

static bool is_integer(double x) { return x == floor(x); }
static bool ends(double a) { return a <= 0 && is_integer(a); }

/* gamma(p) gamma(q) / (gamma(r) gamma(s)), with 1/gamma = 0 at the poles */
static double gamma_quotient(double p, double q, double r, double s) {
  int sign[4];
  if (ends(r) || ends(s)) return 0;
  double size = lgamma_r(p, sign) + lgamma_r(q, sign + 1) - lgamma_r(r, sign + 2) - lgamma_r(s, sign + 3);
  return sign[0] * sign[1] * sign[2] * sign[3] * exp(size);
}

/* ---- 1F1 ---- */

/* The series; for x >= 100 the asymptotic expansion (DLMF 13.7.1); x < 0 by Kummer's transformation (13.2.39). */
static double hyp1f1(double a, double b, double x) {
  if (isnan(a) || isnan(b) || isnan(x)) return NAN;
  if (a == 0) return 1;
  if (a == b) return exp(x);
  if (b == 0) return INFINITY;
  if (x < 0 && !ends(a)) return exp(x) * hyp1f1(b - a, b, -x);
  if (x < 100 || ends(a)) return series_derivative(0, (double[]){a, b, x}, 1);
  double sum = 1, term = 1;
  for (int k = 0; k < 250; k++) {
    double next = term * (b - a + k) * (1 - a + k) / ((k + 1) * x);
    if (fabs(next) > fabs(term) && k > 2) break;
    sum += term = next;
    if (fabs(term) < 1e-17 * fabs(sum)) break;
  }
  double root = exp(x / 2); /* the result may be finite where exp(x) is not */
  return gamma_quotient(b, 1, a, 1) * root * pow(x, a - b) * sum * root;
}

/* By x alone: (a)_n / (b)_n 1F1(a + n, b + n, x) (DLMF 13.3.16). */
double sec_special_hyp1f1_grad(const double *in) {
  double code = in[0], factor = 1;
  if (!(code >= 0 && code < 64)) return NAN;
  int n = (int)code / 16;
  if ((int)code % 16) return series_derivative(code, in + 1, 1);
  for (int k = 0; k < n; k++) factor *= (in[1] + k) / (in[2] + k);
  return factor == 0 ? 0 : factor * hyp1f1(in[1] + n, in[2] + n, in[3]);
}

/* ---- 2F1 ---- */

/* For x < 1: Pfaff's transformation below -1/2 (DLMF 15.8.1), that to 1 - x near 1 unless c - a - b is an integer
 * or nearly one (15.8.4). */
static double hyp2f1_sum(double a, double b, double c, double x) {
  double d = c - a - b, s = 1 - x;
  if (!ends(a) && !ends(b)) {
    if (x < -0.5) return pow(s, -a) * hyp2f1_sum(a, c - b, c, x / (x - 1));
    if (x > 0.9 && fabs(d - round(d)) > 1e-3)
      return gamma_quotient(c, d, c - a, c - b) * hyp2f1_sum(a, b, 1 - d, s) +
             pow(s, d) * gamma_quotient(c, -d, a, b) * hyp2f1_sum(c - a, c - b, 1 + d, s);
  }
  long double sum = 1, term = 1;
  for (int k = 0; k < 400000; k++) {
    term *= ((long double)a + k) * ((long double)b + k) / (((long double)c + k) * (k + 1)) * x;
    sum += term;
    if (fabsl(term) <= 1e-19L * s * fabsl(sum) || !isfinite(sum)) break;
  }
  return (double)sum;
}

static double hyp2f1(double a, double b, double c, double x) {
  double d = c - a - b, s = 1 - x;
  if (isnan(d) || isnan(x)) return NAN;
  if (x == 0 || ((a == 0 || b == 0) && c != 0)) return 1;
  if (ends(c)) return INFINITY;
  if (ends(a) || ends(b)) return hyp2f1_sum(a, b, c, x);
  if (d <= -1 && (s >= 0 || is_integer(d))) return pow(s, d) * hyp2f1_sum(c - a, c - b, c, x);
  if (d <= 0 && x == 1) return INFINITY;
  if (x < 1 && b == c) return pow(s, -a);
  if (x < 1 && a == c) return pow(s, -b);
  if (x > 1) return INFINITY;
  return x == 1 ? gamma_quotient(c, d, c - a, c - b) : hyp2f1_sum(a, b, c, x);
}

/* By x alone: (a)_n (b)_n / (c)_n 2F1(a + n, b + n, c + n, x) (DLMF 15.5.2); by others the series, for |x| < 1. */
double sec_special_hyp2f1_grad(const double *in) {
  double code = in[0], factor = 1;
  if (!(code >= 0 && code < 256)) return NAN;
  int n = (int)code / 64;
  if ((int)code % 64) return fabs(in[4]) < 1 ? series_derivative(code, in + 1, 2) : NAN;
  for (int k = 0; k < n; k++) factor *= (in[1] + k) * (in[2] + k) / (in[3] + k);
  return factor == 0 ? 0 : factor * hyp2f1(in[1] + n, in[2] + n, in[3] + n, in[4]);
}

/* ---- primitives ---- */

SEC_PRIMITIVE(hyp1f1_grad, .doc = "Derivative of 1F1(a; b; x) of order i, j, k by a, b, x: order = i + 4 j + 16 k.",
              .operands = {"order", "a", "b", "x"}, SEC_MATH_FUNCTION(sec_special_hyp1f1_grad),
              .jvp = {NULL, sec_special_jvp, sec_special_jvp, sec_special_jvp}, .domain = {0.1, 0.9})
sec_value sec_hyp1f1(sec_value a, sec_value b, sec_value x) {
  return sec_bind_floats(&sec_hyp1f1_grad_p, (sec_value[]){sec_scalar(0), a, b, x}, 4);
}

SEC_PRIMITIVE(hyp2f1_grad, .doc = "Derivative of 2F1(a, b; c; x) of order i, j, k, l by a, b, c, x: order = i + 4 j + 16 k + 64 l.",
              .operands = {"order", "a", "b", "c", "x"}, SEC_MATH_FUNCTION(sec_special_hyp2f1_grad),
              .jvp = {NULL, sec_special_jvp, sec_special_jvp, sec_special_jvp, sec_special_jvp}, .domain = {0.1, 0.9})
sec_value sec_hyp2f1(sec_value a, sec_value b, sec_value c, sec_value x) {
  return sec_bind_floats(&sec_hyp2f1_grad_p, (sec_value[]){sec_scalar(0), a, b, c, x}, 5);
}
