/* Integrals of elementary functions: erfcx dawsn ndtri expi expn spence sine_integral cosine_integral fresnel_s fresnel_c
 * owens_t (DLMF 6, 7, 25.12). */
#include "family.h"

#include "../special.h"

#include <complex.h>
#include <float.h>
#include <math.h>

static const double euler = 0.57721566490153286061;

/* ---- functions of doubles ---- */

/* exp(x^2), what rounding x^2 loses put back */
static double exp_square(double x, double sign) {
  double square = x * x, lost = fma(x, x, -square);
  return exp(sign * square) * (1 + sign * lost);
}

/* exp(x^2) erfc(x); far out the asymptotic series (DLMF 7.12.1) */
double sec_special_erfcx(const double *in) {
  double x = in[0], sum = 1, term = 1;
  if (x < -26.7) return INFINITY;
  if (x < 25) return exp_square(x, 1) * erfc(x);
  if (isinf(x)) return 0;
  for (int k = 1; k < 12; k++) sum += term *= -(2 * k - 1) / (2 * x * x);
  return sum / (x * sqrt(M_PI));
}

/* The x below which the normal distribution has the part p: Halley's method from Abramowitz and Stegun 26.2.23, on the
 * smaller tail, or in the middle on the distance from 1/2, so that no digits are lost */
double sec_special_ndtri(const double *in) {
  double p = in[0], tail = fmin(p, 1 - p), middle = p - 0.5;
  if (!(p >= 0 && p <= 1)) return NAN;
  if (tail == 0) return p == 0 ? -INFINITY : INFINITY;
  double t = sqrt(-2 * log(tail));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  if (tail > 0.2 && middle > 0) x = -x;
  for (int i = 0; i < 3; i++) {
    double error = tail > 0.2 ? 0.5 * erf(x * M_SQRT1_2) - middle : 0.5 * erfc(-x * M_SQRT1_2) - tail;
    double newton = error * sqrt(2 * M_PI) * exp(0.5 * x * x);
    x -= newton / (1 + 0.5 * newton * x);
  }
  return tail > 0.2 ? x : middle > 0 ? -x : x;
}

/* exp(-x^2) times the integral of exp(t^2): its series of positive terms; the asymptotic one from 6.5 on */
double sec_special_dawsn(const double *in) {
  double x = fabs(in[0]), square = x * x, sum = 1, term = 1;
  if (isnan(x)) return x;
  if (x < 6.5) {
    for (int k = 1; k < 300; k++) {
      term *= square / k;
      double next = sum + term / (2 * k + 1);
      if (next == sum) break;
      sum = next;
    }
    return copysign(x * sum * exp_square(x, -1), in[0]);
  }
  for (int k = 1; k < 40 && term > 1e-17; k++) sum += term *= (2 * k - 1) / (2 * square);
  return copysign(sum / (2 * x), in[0]);
}

/* E_n(x) for whole n: below 0 its closed form, for x <= 1 the series (DLMF 6.6.2, 8.19.8), else the continued fraction
 * (8.19.17) by Lentz's method; for n >= 5000 the asymptotic expansion in 1 / (x + n) (8.20.2) */
static double expn_series(int n, double x) {
  double factor = 1, sum = n > 1 ? 1.0 / (n - 1) : -log(x) - euler;
  for (int k = 1; k < 200; k++) {
    factor *= -x / k;
    double term = -factor / (k - n + 1);
    if (k == n - 1) {
      double psi = -euler;
      for (int i = 1; i < n; i++) psi += 1.0 / i;
      term = factor * (psi - log(x));
    }
    sum += term;
    if (k >= n && fabs(term) < 1e-17 * fabs(sum)) break;
  }
  return sum;
}
static double expn_fraction(double n, double x) {
  double b = x + n, c = 1e300, d = 1 / b, h = d;
  for (int k = 1; k < 10000; k++) {
    double a = -k * (n - 1 + k);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    h *= c * d;
    if (fabs(c * d - 1) < 1e-16) break;
  }
  return h * exp(-x);
}
static double expn_below(int n, double x) { /* -n! / x^(-n + 1) e^-x times the first terms of e^x */
  double term = 1, sum = 1;
  for (int k = 1; k <= -n; k++) sum += term *= x / k;
  return tgamma(1 - n) * pow(x, n - 1) * exp(-x) * sum;
}
double sec_special_expn(const double *in) {
  double n = in[0], x = in[1];
  if (isnan(x) || n != floor(n) || x < 0 || n < -170) return NAN;
  if (x == 0) return n < 2 ? INFINITY : 1 / (n - 1);
  if (isinf(x)) return 0;
  if (n <= 0) return n == 0 ? exp(-x) / x : expn_below((int)n, x);
  if (n >= 5000) {
    double up = x + n, y = 1 / (up * up), sum = y * n * (6 * x * x - 8 * n * x + n * n);
    sum = y * (sum + n * (n - 2 * x));
    return (y * (sum + n) + 1) * exp(-x) / up;
  }
  return x <= 1 ? expn_series((int)n, x) : expn_fraction(n, x);
}

/* Ei: the series of positive terms, or the asymptotic one from 40 on; -E_1(-x) below 0 */
double sec_special_expi(const double *in) {
  double x = in[0], sum = 0, term = 1;
  if (isnan(x)) return x;
  if (x <= 0) {
    double mirrored[] = {1, -x};
    return -sec_special_expn(mirrored);
  }
  if (x < 40) {
    for (int k = 1; k < 300; k++) {
      term *= x / k;
      double next = sum + term / k;
      if (next == sum) break;
      sum = next;
    }
    return euler + log(x) + sum;
  }
  if (isinf(x)) return x;
  sum = 1;
  for (int k = 1; k < 60 && k < x && term > 1e-17; k++) sum += term *= k / x;
  return exp(x - log(x)) * sum;
}

/* The dilogarithm of -w in u = -log(1 + w): sum of B_k u^(k+1) / (k+1)! (from DLMF 25.12.2), for |u| < 1 */
static double spence_near(double w) {
  static const double even[] = {0.0277777777777777778, -0.000277777777777777778, 4.72411186696900983e-6, -9.18577307466196355e-8, 1.89788699889709991e-9, -4.06476164514422553e-11, 8.92169102045645256e-13, -1.99392958607210757e-14, 4.51898002961991819e-16, -1.0356517612181247e-17};
  double u = -log1p(w), square = u * u, sum = 0;
  for (int k = 9; k >= 0; k--) sum = sum * square + even[k];
  return u - square / 4 + u * square * sum;
}
static double spence(double x) {
  if (!(x >= 0)) return NAN;
  if (x == 0) return M_PI * M_PI / 6;
  if (isinf(x)) return -INFINITY;
  if (x < 0.5) return M_PI * M_PI / 6 - log(x) * log1p(-x) - spence_near(-x);
  if (x > 2) return -0.5 * log(x) * log(x) - spence(1 / x);
  return spence_near(x - 1);
}

/* Derivative n - 1 of log1p(w)/w, negative: from w g = log1p(w), or near 0 by its series */
static double spence_slope(int n, double w) {
  if (fabs(w) < 0.5) {
    double sum = 0, power = 1;
    for (int k = n - 1; k < 400; k++, power *= -w) {
      double rising = 1;
      for (int i = 0; i < n - 1; i++) rising *= -(k - i);
      double next = sum + rising * power / (k + 1);
      if (next == sum && k > n + 1) break;
      sum = next;
    }
    return -sum;
  }
  double g = log1p(w) / w, right = 1 / (1 + w);
  for (int k = 1; k < n; k++) {
    g = (right - k * g) / w;
    right *= -k / (1 + w);
  }
  return -g;
}
double sec_special_spence_grad(const double *x) {
  if (!(x[0] >= 0 && x[0] < 100)) return NAN;
  return x[0] < 1 ? spence(x[1]) : spence_slope((int)x[0], x[1] - 1);
}

/* E_1(ix) e^(ix) for x > 2 by its continued fraction: g - i f of the auxiliary functions (DLMF 6.2.17, 6.9.1). */
static double complex exponential_fraction(double x) {
  double complex b = 1 + x * I, c = 1e300, d = 1 / b, h = d;
  for (int k = 1; k < 200; k++) {
    double a = -(double)k * k;
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    double complex step = c * d;
    h *= step;
    if (fabs(creal(step) - 1) + fabs(cimag(step)) < 1e-16) break;
  }
  return h;
}
/* The series (DLMF 6.6.5, 6.6.6) up to 4. */
static double odd_series(double x) {
  double sum = x, term = x;
  for (int k = 3; k < 60; k += 2) sum += (term *= -x * x / (k * (k - 1))) / k;
  return sum;
}
static double even_series(double x) {
  double sum = 0, term = 1;
  for (int k = 2; k < 60; k += 2) sum += (term *= -x * x / (k * (k - 1))) / k;
  return euler + log(x) + sum;
}
double sec_special_sine_integral(const double *in) {
  double x = fabs(in[0]);
  if (isnan(x) || x <= 4) return isnan(x) ? x : copysign(odd_series(x), in[0]);
  if (isinf(x)) return copysign(M_PI_2, in[0]);
  double complex h = exponential_fraction(x);
  return copysign(M_PI_2 + cos(x) * cimag(h) - sin(x) * creal(h), in[0]);
}
double sec_special_cosine_integral(const double *in) {
  double x = fabs(in[0]);
  if (isnan(x) || x <= 4) return isnan(x) ? x : x == 0 ? -INFINITY : even_series(x);
  if (isinf(x)) return in[0] > 0 ? 0 : NAN;
  double complex h = exponential_fraction(x);
  return -sin(x) * cimag(h) - cos(x) * creal(h);
}

/* C + iS: the series (DLMF 7.6.4, 7.6.6) up to 1.5, then erfc by its continued fraction (7.9.3).  The angle pi x^2/2 is
 * reduced first. */
static double complex fresnel_series(double x) {
  double angle = M_PI_2 * x * x, term = x;
  double complex sum = x, turn = I;
  for (int k = 1; k < 60; k++, turn *= I) sum += turn * (term *= angle / k) / (2 * k + 1);
  return sum;
}
static double complex fresnel_fraction(double x) {
  double square = x * x, lost = fma(x, x, -square), whole = 4 * floor(square / 4);
  double angle = M_PI_2 * (square - whole + lost), size = M_PI * square;
  double complex b = 1 - size * I, c = 1e300, d = 1 / b, h = d;
  for (int k = 1, n = 1; k < 300; k++, n += 2) {
    double a = -(double)n * (n + 1);
    b += 4;
    d = 1 / (a * d + b);
    c = b + a / c;
    double complex step = c * d;
    h *= step;
    if (fabs(creal(step) - 1) + fabs(cimag(step)) < 1e-16) break;
  }
  h *= x - x * I;
  return (0.5 + 0.5 * I) * (1 - (cos(angle) + sin(angle) * I) * h);
}
static double complex fresnel(double x) {
  if (isnan(x) || x > 1e8) return isnan(x) ? x + x * I : 0.5 + 0.5 * I;
  return x < 1.5 ? fresnel_series(x) : fresnel_fraction(x);
}
double sec_special_fresnel_s(const double *x) { return copysign(cimag(fresnel(fabs(x[0]))), x[0]); }
double sec_special_fresnel_c(const double *x) { return copysign(creal(fresnel(fabs(x[0]))), x[0]); }

/* Gauss-Legendre nodes and weights on [0, 1], 16 points, mirrored */
static const double gauss_node[8] = {0.0052995325041750337, 0.027712488463383712, 0.0671843988060841281, 0.122297795822498483, 0.191061877798678126, 0.270991611171386307, 0.359198224610370543, 0.45249374508118128};
static const double gauss_weight[8] = {0.0135762297058770474, 0.0311267619693239464, 0.0475792558412463924, 0.062314485627766936, 0.074797994408288366, 0.0845782596975012691, 0.0913017075224617944, 0.0947253052275342481};

/* 1/(2 pi) times the integral of exp(-h^2 (1 + t^2) / 2) / (1 + t^2) over [0, a], 0 <= a <= 1, in panels no wider than
 * the exponential needs */
static double owens_integral(double h, double a) {
  double end = fmin(a, 9 / h), sum = 0;
  int panels = 2 + (int)fmin(2 * h * end, 20);
  for (int p = 0; p < panels; p++)
    for (int i = 0; i < 16; i++) {
      double node = i < 8 ? gauss_node[i] : 1 - gauss_node[15 - i], t = end * (p + node) / panels;
      sum += gauss_weight[i < 8 ? i : 15 - i] * exp(-0.5 * h * h * t * t) / (1 + t * t);
    }
  return exp(-0.5 * h * h) * sum * end / panels / (2 * M_PI);
}
/* |a| > 1 by T(h, a) = (erfc(h) + erfc(ah) - erfc(h) erfc(ah))/4 - T(ah, 1/a), h and ah over sqrt 2 (Owen 1956) */
double sec_special_owens_t(const double *x) {
  double h = fabs(x[0]), a = fabs(x[1]), t;
  if (isnan(h) || isnan(a)) return NAN;
  if (isinf(h)) return copysign(0, x[1]);
  if (h == 0) t = atan(a) / (2 * M_PI);
  else if (isinf(a)) t = 0.25 * erfc(h * M_SQRT1_2);
  else if (a <= 1) t = owens_integral(h, a);
  else {
    double p = erfc(h * M_SQRT1_2), q = erfc(a * h * M_SQRT1_2);
    if (a * h <= 0.67) t = 0.25 - 0.25 * erf(h * M_SQRT1_2) * erf(a * h * M_SQRT1_2) - owens_integral(a * h, 1 / a);
    else t = 0.25 * (p + q - p * q) - owens_integral(a * h, 1 / a);
  }
  return copysign(t, x[1]);
}

/* ---- primitives ---- */

static sec_value constant(sec_value like, double c) { return sec_literal_like(like, c); }

/* erfcx: d = (2x erfcx(x) - 2/sqrt(pi)) dx */
static sec_value erfcx_jvp(const sec_rule *r, sec_value dx) {
  sec_value x = r->in[0], twice = sec_mul(constant(x, 2), sec_mul(x, r->out[0]));
  return sec_mul(dx, sec_sub(twice, constant(x, M_2_SQRTPI)));
}
SEC_PRIMITIVE(erfcx, .doc = "exp(x^2) erfc(x).", .operands = {"x"}, SEC_MATH_FUNCTION(sec_special_erfcx), .jvp = {erfcx_jvp})
sec_value sec_erfcx(sec_value x) { return sec_bind_float(&sec_erfcx_p, x); }

/* ndtri: d = sqrt(2 pi) exp(ndtri(p)^2 / 2) dp */
static sec_value ndtri_jvp(const sec_rule *r, sec_value dp) {
  sec_value e = sec_exp(sec_mul(constant(r->in[0], 0.5), sec_square(r->out[0])));
  return sec_mul(dp, sec_mul(constant(r->in[0], sqrt(2 * M_PI)), e));
}
SEC_PRIMITIVE(ndtri, .doc = "Inverse of the normal distribution function.", .operands = {"p"},
              SEC_MATH_FUNCTION(sec_special_ndtri), .jvp = {ndtri_jvp}, .domain = {0.1, 0.9})
sec_value sec_ndtri(sec_value p) { return sec_bind_float(&sec_ndtri_p, p); }

/* dawsn: d = (1 - 2x dawsn(x)) dx */
static sec_value dawsn_jvp(const sec_rule *r, sec_value dx) {
  sec_value x = r->in[0], twice = sec_mul(constant(x, 2), sec_mul(x, r->out[0]));
  return sec_mul(dx, sec_sub(constant(x, 1), twice));
}
SEC_PRIMITIVE(dawsn, .doc = "Dawson's integral, exp(-x^2) times the integral of exp(t^2) from 0 to x.", .operands = {"x"},
              SEC_MATH_FUNCTION(sec_special_dawsn), .jvp = {dawsn_jvp})
sec_value sec_dawsn(sec_value x) { return sec_bind_float(&sec_dawsn_p, x); }

/* expi: d = exp(x) / x dx */
static sec_value expi_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_div(sec_exp(r->in[0]), r->in[0]));
}
SEC_PRIMITIVE(expi, .doc = "Exponential integral Ei(x).", .operands = {"x"}, SEC_MATH_FUNCTION(sec_special_expi),
              .jvp = {expi_jvp}, .domain = {0.3, 4})
sec_value sec_expi(sec_value x) { return sec_bind_float(&sec_expi_p, x); }

/* expn: d = -expn(n - 1, x) dx; n is an integer and has no derivative */
static sec_value expn_jvp_x(const sec_rule *r, sec_value dx) {
  sec_value n = r->in[0];
  return sec_mul(dx, sec_neg(sec_expn(sec_sub(n, constant(n, 1)), r->in[1])));
}
SEC_PRIMITIVE(expn, .doc = "Exponential integral E_n(x) of whole order n.", .operands = {"n", "x"},
              SEC_MATH_FUNCTION(sec_special_expn), .jvp = {NULL, expn_jvp_x}, .domain = {0.3, 4})
sec_value sec_expn(sec_value n, sec_value x) { return sec_bind_floats(&sec_expn_p, (sec_value[]){n, x}, 2); }

/* spence_grad: d = spence_grad(order + 1, x) dx */
static sec_value spence_grad_jvp_x(const sec_rule *r, sec_value dx) {
  sec_value order = r->in[0];
  return sec_mul(dx, sec_spence_grad(sec_add(order, constant(order, 1)), r->in[1]));
}
SEC_PRIMITIVE(spence_grad, .doc = "Derivative of whole order of spence, which is that of order 0.", .operands = {"order", "x"},
              SEC_MATH_FUNCTION(sec_special_spence_grad), .jvp = {NULL, spence_grad_jvp_x}, .domain = {0.3, 4})
sec_value sec_spence_grad(sec_value order, sec_value x) {
  return sec_bind_floats(&sec_spence_grad_p, (sec_value[]){order, x}, 2);
}
sec_value sec_spence(sec_value x) { return sec_spence_grad(sec_scalar(0), x); }

/* sine_integral: d = sin(x)/x dx, dx at 0; cosine_integral: d = cos(x)/x dx */
static sec_value sine_integral_jvp(const sec_rule *r, sec_value dx) {
  sec_value x = r->in[0], zero = sec_eq(x, constant(x, 0)), safe = sec_where(zero, constant(x, 1), x);
  return sec_mul(dx, sec_where(zero, constant(x, 1), sec_div(sec_sin(safe), safe)));
}
static sec_value cosine_integral_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_div(sec_cos(r->in[0]), r->in[0]));
}
SEC_PRIMITIVE(sine_integral, .doc = "Sine integral Si(x).", .operands = {"x"}, SEC_MATH_FUNCTION(sec_special_sine_integral),
              .jvp = {sine_integral_jvp})
SEC_PRIMITIVE(cosine_integral, .doc = "Cosine integral Ci(|x|).", .operands = {"x"},
              SEC_MATH_FUNCTION(sec_special_cosine_integral), .jvp = {cosine_integral_jvp}, .domain = {0.3, 4})
sec_value sec_sine_integral(sec_value x) { return sec_bind_float(&sec_sine_integral_p, x); }
sec_value sec_cosine_integral(sec_value x) { return sec_bind_float(&sec_cosine_integral_p, x); }

/* fresnel_s: d = sin(pi/2 x^2) dx; fresnel_c: d = cos(pi/2 x^2) dx */
static sec_value half_turns(sec_value x) { return sec_mul(constant(x, M_PI_2), sec_square(x)); }
static sec_value fresnel_s_jvp(const sec_rule *r, sec_value dx) { return sec_mul(dx, sec_sin(half_turns(r->in[0]))); }
static sec_value fresnel_c_jvp(const sec_rule *r, sec_value dx) { return sec_mul(dx, sec_cos(half_turns(r->in[0]))); }
SEC_PRIMITIVE(fresnel_s, .doc = "Integral of sin(pi/2 t^2) from 0 to x.", .operands = {"x"},
              SEC_MATH_FUNCTION(sec_special_fresnel_s), .jvp = {fresnel_s_jvp})
SEC_PRIMITIVE(fresnel_c, .doc = "Integral of cos(pi/2 t^2) from 0 to x.", .operands = {"x"},
              SEC_MATH_FUNCTION(sec_special_fresnel_c), .jvp = {fresnel_c_jvp})
sec_value sec_fresnel_s(sec_value x) { return sec_bind_float(&sec_fresnel_s_p, x); }
sec_value sec_fresnel_c(sec_value x) { return sec_bind_float(&sec_fresnel_c_p, x); }

/* owens_t: d = -exp(-h^2/2) erf(a h/sqrt 2) / (2 sqrt(2 pi)) dh + exp(-h^2 (1 + a^2)/2) / (2 pi (1 + a^2)) da */
static sec_value owens_t_jvp_h(const sec_rule *r, sec_value dh) {
  sec_value h = r->in[0], e = sec_exp(sec_mul(constant(h, -0.5), sec_square(h)));
  sec_value f = sec_erf(sec_mul(constant(h, M_SQRT1_2), sec_mul(r->in[1], h)));
  return sec_mul(dh, sec_mul(constant(h, -0.5 / sqrt(2 * M_PI)), sec_mul(e, f)));
}
static sec_value owens_t_jvp_a(const sec_rule *r, sec_value da) {
  sec_value h = r->in[0], a = r->in[1], s = sec_add(sec_square(a), constant(a, 1));
  sec_value e = sec_exp(sec_mul(constant(h, -0.5), sec_mul(s, sec_square(h))));
  return sec_mul(da, sec_div(e, sec_mul(constant(a, 2 * M_PI), s)));
}
SEC_PRIMITIVE(owens_t, .doc = "Owen's T function of h and a.", .operands = {"h", "a"}, SEC_MATH_FUNCTION(sec_special_owens_t),
              .jvp = {owens_t_jvp_h, owens_t_jvp_a})
sec_value sec_owens_t(sec_value h, sec_value a) { return sec_bind_floats(&sec_owens_t_p, (sec_value[]){h, a}, 2); }
