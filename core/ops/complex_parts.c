/* What complex functions are in real arithmetic on pairs z = x + i y, for compiled code.  The formulas keep the error of the
 * result small against its modulus, and do not overflow before the result does:
 *   W. Kahan, "Branch cuts for complex elementary functions, or much ado about nothing's sign bit", 1987 (sqrt, asin, acos,
 *   acosh, atanh); R. Smith, "Algorithm 116: complex division", 1962; T. Hull, T. Fairgrieve and P. Tang, "Implementing
 *   complex elementary functions using exception handling", 1994 (log). */
#include "complex.h"
#include <math.h>
#include <string.h>

typedef sec_pair cplx;

/* ---- small words ---- */
static sec_value num(sec_value like, double x) { return sec_literal_like(like, x); }
static sec_value scaled(sec_value x, double factor) { return sec_mul(num(x, factor), x); }
static sec_value plus(sec_value x, double term) { return sec_add(num(x, term), x); }
static bool      is_f64(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  return a && a->dtype == SEC_F64;
}
static sec_value is_infinite(sec_value x) { return sec_eq(sec_abs(x), num(x, INFINITY)); }
static sec_value is_negative(sec_value x) { /* -0 is */
  bool wide = is_f64(x);
  sec_value bits = sec_bitcast_convert_type(x, wide ? SEC_I64 : SEC_I32);
  return sec_lt(bits, sec_literal_like(bits, 0));
}
/* x with the sign of `sign` */
static sec_value with_sign(sec_value x, sec_value sign) {
  x = sec_abs(x);
  sec_value negative = sec_neg(x);
  return sec_where(is_negative(sign), negative, x);
}
static cplx where(sec_value condition, cplx a, cplx b) {
  sec_value re = sec_where(condition, a.re, b.re);
  return (cplx){re, sec_where(condition, a.im, b.im)};
}
static cplx times(cplx a, sec_value real) {
  sec_value re = sec_mul(a.re, real);
  return (cplx){re, sec_mul(a.im, real)};
}
static cplx negative(cplx z) {
  sec_value re = sec_neg(z.re);
  return (cplx){re, sec_neg(z.im)};
}
/* i z and -i z */
static cplx turned(cplx z) { return (cplx){sec_neg(z.im), z.re}; }
static cplx turned_back(cplx z) { return (cplx){z.im, sec_neg(z.re)}; }
static cplx one_plus(cplx z) { return (cplx){plus(z.re, 1), z.im}; }
static cplx one_minus(cplx z) { return one_plus(negative(z)); }

/* |x| and |y| in order, and the smaller over the larger: 0 where both are 0, 1 where both are infinite */
typedef struct ratio { sec_value high, low, r; } ratio;
static ratio ratio_of(cplx z) {
  sec_value a = sec_abs(z.re), b = sec_abs(z.im), high = sec_max(a, b), low = sec_min(a, b);
  sec_value equal = sec_eq(high, low), quotient = sec_div(low, high);
  return (ratio){high, low, sec_where(equal, num(high, 1), quotient)};
}
/* sqrt(1 + r^2), and |z| */
static sec_value growth(ratio q) { return sec_sqrt(plus(sec_square(q.r), 1)); }
static sec_value modulus(cplx z) {
  ratio q = ratio_of(z);
  return sec_mul(q.high, growth(q));
}

/* ---- arithmetic ---- */
static cplx mul_z(cplx a, cplx b) {
  sec_value ac = sec_mul(a.re, b.re), bd = sec_mul(a.im, b.im), ad = sec_mul(a.re, b.im);
  return (cplx){sec_sub(ac, bd), sec_add(ad, sec_mul(a.im, b.re))};
}

/* Smith: with c >= d in modulus, (a + b r) / (c + d r) and (b - a r) / (c + d r), r = d / c; else the other way round */
static cplx div_z(cplx n, cplx d) {
  sec_value c = sec_abs(d.re), e = sec_abs(d.im), real = sec_ge(c, e), none = sec_eq(sec_max(c, e), num(c, 0));
  cplx      to = where(real, d, (cplx){d.im, d.re}), from = where(real, n, (cplx){n.im, n.re});
  sec_value one = with_sign(num(c, 1), d.re);
  sec_value sign = with_sign(one, d.im), quotient = sec_div(to.im, to.re);
  sec_value unit = sec_mul(one, sign), r = sec_where(sec_eq(c, e), unit, quotient);
  sec_value scale = sec_add(to.re, sec_mul(to.im, r));
  sec_value re = sec_add(from.re, sec_mul(from.im, r)), im = sec_sub(from.im, sec_mul(from.re, r));
  im = sec_where(real, im, sec_neg(im));
  cplx infinite = times(n, sec_mul(num(c, INFINITY), one));
  re = sec_div(re, scale);
  return where(none, infinite, (cplx){re, sec_div(im, scale)});
}

static cplx square_z(cplx z) {
  sec_value minus = sec_sub(z.re, z.im), sum = sec_add(z.re, z.im);
  return (cplx){sec_mul(minus, sum), scaled(sec_mul(z.re, z.im), 2)};
}

static cplx sign_z(cplx z) {
  ratio     q = ratio_of(z);
  sec_value size = growth(q), none = sec_eq(q.high, num(q.high, 0));
  sec_value re = sec_div(z.re, q.high), im = sec_div(z.im, q.high);
  re = sec_div(re, size);
  return where(none, z, (cplx){re, sec_div(im, size)});
}

/* ---- exponentials ---- */
/* exp(x) overflows before exp(x) cos(y) may: a factor exp(step) is taken out of large x. */
static cplx exp_z(cplx z) {
  bool      wide = is_f64(z.re);
  double    step = wide ? 512 : 64;
  sec_value large = sec_gt(z.re, num(z.re, wide ? 709 : 88)), zero = num(z.re, 0);
  sec_value e = sec_exp(sec_sub(z.re, sec_where(large, num(z.re, step), zero)));
  sec_value factor = sec_where(large, num(z.re, exp(step)), num(z.re, 1));
  sec_value re = sec_mul(sec_mul(e, sec_cos(z.im)), factor), im = sec_mul(sec_mul(e, sec_sin(z.im)), factor);
  return (cplx){re, sec_where(sec_eq(z.im, zero), z.im, im)};
}
static cplx exp2_z(cplx z) { return exp_z(times(z, num(z.re, M_LN2))); }

/* exp(x) cos(y) - 1 = expm1(x) cos(y) - 2 sin(y/2)^2 */
static cplx expm1_z(cplx z) {
  sec_value e = sec_expm1(z.re), half = sec_square(sec_sin(scaled(z.im, 0.5)));
  sec_value re = sec_sub(sec_mul(e, sec_cos(z.im)), scaled(half, 2));
  sec_value im = sec_mul(plus(e, 1), sec_sin(z.im));
  return (cplx){re, sec_where(sec_eq(z.im, num(z.im, 0)), z.im, im)};
}

/* log|z| of |x| = high, |y| = low or the other way round: near |z| = 1 by log1p(|z|^2 - 1) / 2, else
 * log(high) + log1p((low/high)^2) / 2.  Where `given` holds, |z|^2 - 1 is `excess`. */
static sec_value log_modulus(cplx z, sec_value given, sec_value excess) {
  ratio     q = ratio_of(z);
  sec_value near = sec_and(sec_gt(q.high, num(q.high, 0.5)), sec_lt(q.high, num(q.high, 2)));
  sec_value around = sec_mul(plus(q.high, -1), plus(q.high, 1));
  sec_value x = sec_where(near, sec_add(around, sec_square(q.low)), sec_square(q.r));
  sec_value one = num(x, 1), base = sec_log(sec_where(near, one, q.high));
  if (sec_value_ok(given)) {
    x = sec_where(given, excess, x);
    base = sec_where(given, num(x, 0), base);
  }
  return sec_add(base, scaled(sec_log1p(x), 0.5));
}
static cplx log_z(cplx z) {
  sec_value re = log_modulus(z, SEC_VALUE_POISON, SEC_VALUE_POISON);
  return (cplx){re, sec_atan2(z.im, z.re)};
}

/* for small z: |1 + z|^2 - 1 = x (2 + x) + y^2 */
static cplx log1p_z(cplx z) {
  cplx      w = one_plus(z);
  sec_value small = sec_lt(sec_max(sec_abs(z.re), sec_abs(z.im)), num(z.re, 0.5));
  sec_value excess = sec_add(sec_mul(z.re, plus(z.re, 2)), sec_square(z.im));
  sec_value re = log_modulus(w, small, excess);
  return (cplx){re, sec_atan2(w.im, w.re)};
}

/* t = sqrt((|x| + |z|) / 2) and |y| / (2 t); the larger modulus is taken out of the root */
static cplx sqrt_z(cplx z) {
  ratio     q = ratio_of(z);
  sec_value x = sec_abs(z.re), y = sec_abs(z.im), zero = num(x, 0), one = num(x, 1);
  sec_value part = sec_where(sec_ge(x, y), one, q.r), sum = sec_add(part, growth(q));
  sec_value t = sec_mul(sec_sqrt(q.high), sec_sqrt(scaled(sum, 0.5)));
  sec_value other = sec_div(scaled(y, 0.5), t), right = sec_ge(z.re, zero);
  other = sec_where(sec_eq(q.high, zero), zero, other);
  cplx r = {sec_where(right, t, other), with_sign(sec_where(right, other, t), z.im)};
  return where(is_infinite(z.im), (cplx){num(x, INFINITY), z.im}, r);
}
static cplx rsqrt_z(cplx z) {
  sec_value one = num(z.re, 1);
  return div_z((cplx){one, num(z.re, 0)}, sqrt_z(z));
}

/* 1 / (1 + exp(-z)), or exp(z) / (1 + exp(z)) left of the imaginary axis */
static cplx logistic_z(cplx z) {
  sec_value right = sec_ge(z.re, num(z.re, 0));
  cplx      e = exp_z(where(right, negative(z), z)), one = {num(z.re, 1), num(z.re, 0)};
  return div_z(where(right, one, e), one_plus(e));
}

/* ---- circular and hyperbolic functions ---- */
static cplx sinh_z(cplx z) {
  sec_value re = sec_mul(sec_sinh(z.re), sec_cos(z.im)), im = sec_mul(sec_cosh(z.re), sec_sin(z.im));
  return (cplx){re, sec_where(sec_eq(z.im, num(z.im, 0)), z.im, im)};
}
static cplx cosh_z(cplx z) {
  sec_value re = sec_mul(sec_cosh(z.re), sec_cos(z.im)), im = sec_mul(sec_sinh(z.re), sec_sin(z.im));
  sec_value zero = sec_mul(with_sign(num(z.re, 1), z.re), z.im);
  return (cplx){re, sec_where(sec_eq(z.im, num(z.im, 0)), zero, im)};
}
/* (sinh x cosh x + i sin y cos y) / (sinh^2 x + cos^2 y): nothing cancels; far out 1 or -1 */
static cplx tanh_z(cplx z) {
  double    limit = is_f64(z.re) ? 300 : 40;
  sec_value far = sec_gt(sec_abs(z.re), num(z.re, limit)), x = sec_clamp(num(z.re, -limit), z.re, num(z.re, limit));
  sec_value sh = sec_sinh(x), ch = sec_cosh(x), s = sec_sin(z.im), c = sec_cos(z.im);
  sec_value scale = sec_square(sh), half = sec_mul(s, c);
  scale = sec_add(scale, sec_square(c));
  sec_value re = sec_div(sec_mul(sh, ch), scale), im = sec_div(half, scale), zero = num(x, 0);
  return where(far, (cplx){with_sign(num(x, 1), x), zero}, (cplx){re, im});
}
/* sin z = -i sinh(i z), cos z = cosh(i z), tan z = -i tanh(i z) */
static cplx sin_z(cplx z) { return turned_back(sinh_z(turned(z))); }
static cplx cos_z(cplx z) { return cosh_z(turned(z)); }
static cplx tan_z(cplx z) { return turned_back(tanh_z(turned(z))); }

/* Kahan: with s = sqrt(1 - z), t = sqrt(1 + z): atan2(x, Re(s t)) + i asinh(Im(conj(s) t)) */
static cplx asin_z(cplx z) {
  cplx      s = sqrt_z(one_minus(z)), t = sqrt_z(one_plus(z));
  sec_value product = sec_mul(s.re, t.re), cross = sec_mul(s.re, t.im);
  sec_value re = sec_atan2(z.re, sec_sub(product, sec_mul(s.im, t.im)));
  return (cplx){re, sec_asinh(sec_sub(cross, sec_mul(s.im, t.re)))};
}
/* 2 atan2(Re s, Re t) + i asinh(Im(conj(t) s)) */
static cplx acos_z(cplx z) {
  cplx      s = sqrt_z(one_minus(z)), t = sqrt_z(one_plus(z));
  sec_value cross = sec_mul(t.re, s.im), re = scaled(sec_atan2(s.re, t.re), 2);
  return (cplx){re, sec_asinh(sec_sub(cross, sec_mul(t.im, s.re)))};
}
/* with s = sqrt(z - 1), t = sqrt(z + 1): asinh(Re(conj(s) t)) + 2 i atan2(Im s, Re t) */
static cplx acosh_z(cplx z) {
  cplx      s = sqrt_z((cplx){plus(z.re, -1), z.im}), t = sqrt_z(one_plus(z));
  sec_value dot = sec_mul(s.re, t.re), re = sec_asinh(sec_add(dot, sec_mul(s.im, t.im)));
  return (cplx){re, scaled(sec_atan2(s.im, t.re), 2)};
}
static cplx asinh_z(cplx z) { return turned_back(asin_z(turned(z))); }

/* for x >= 0: log1p(4 x / ((1 - x)^2 + y^2)) / 4 + i atan2(2 y, (1 - x) (1 + x) - y^2) / 2; odd in z.
 * Far out: x / |z|^2 + i pi / 2. */
static cplx atanh_z(cplx z) {
  sec_value x = sec_abs(z.re), y = z.im, rest = sec_sub(num(x, 1), x), zero = num(x, 0);
  ratio     q = ratio_of(z);
  sec_value far = sec_gt(q.high, num(x, is_f64(x) ? 1e100 : 1e12)), size = plus(sec_square(q.r), 1);
  sec_value safe = sec_where(far, num(x, 1), y), square = sec_square(safe), near = sec_where(far, zero, x);
  sec_value scale = sec_add(sec_square(sec_where(far, zero, rest)), square);
  sec_value re = scaled(sec_log1p(sec_div(scaled(near, 4), scale)), 0.25);
  sec_value across = sec_mul(rest, plus(x, 1)), im = scaled(sec_atan2(scaled(safe, 2), sec_sub(across, square)), 0.5);
  sec_value small = sec_div(sec_div(sec_div(x, q.high), size), q.high), right = with_sign(num(x, M_PI_2), y);
  small = sec_where(is_infinite(q.high), zero, small);
  cplx r = where(far, (cplx){small, right}, (cplx){re, im});
  return (cplx){with_sign(r.re, z.re), r.im};
}
/* atan z = -i atanh(i z) */
static cplx atan_z(cplx z) { return turned_back(atanh_z(turned(z))); }

/* ---- rules ---- */
#define X(name)                                                                                   \
  sec_status sec_parts_##name(const sec_parts *p) {                                               \
    p->out[0] = name##_z(p->in[0]);                                                               \
    return SEC_OK;                                                                                \
  }
SEC_COMPLEX_UNARY(X)
#undef X

sec_status sec_parts_abs(const sec_parts *p) {
  p->out[0].re = modulus(p->in[0]);
  return SEC_OK;
}
sec_status sec_parts_mul(const sec_parts *p) {
  p->out[0] = mul_z(p->in[0], p->in[1]);
  return SEC_OK;
}
sec_status sec_parts_div(const sec_parts *p) {
  p->out[0] = div_z(p->in[0], p->in[1]);
  return SEC_OK;
}

/* z ** w = exp(w log z); 0 ** 0 = 1, and 0 to a power with a positive real part is 0, else NaN.  An integer w is converted. */
sec_status sec_parts_pow(const sec_parts *p) {
  cplx      z = p->in[0], w = p->in[1];
  sec_value zero = num(z.re, 0), one = num(z.re, 1), nan = num(z.re, NAN);
  if (sec_value_is_zero(w.im)) w = (cplx){sec_convert(w.re, sec_value_aval(z.re)->dtype, false), zero};
  sec_value base = sec_and(sec_eq(z.re, zero), sec_eq(z.im, zero)), unit = sec_and(sec_eq(w.re, zero), sec_eq(w.im, zero));
  cplx      log = log_z(z), power = exp_z(mul_z(w, log));
  sec_value at_zero = sec_where(sec_gt(w.re, zero), zero, nan);
  power = where(base, (cplx){at_zero, at_zero}, power);
  p->out[0] = where(unit, (cplx){one, zero}, power);
  return SEC_OK;
}

sec_status sec_parts_integer_pow(const sec_parts *p) {
  int64_t  y = sec_params_int(p->params, "y");
  cplx     factor = p->in[0], one = {num(factor.re, 1), num(factor.re, 0)}, power = one;
  bool     is_one = true;
  for (uint64_t n = y < 0 ? 0 - (uint64_t)y : (uint64_t)y; n; n >>= 1) {
    if (n & 1) power = is_one ? factor : mul_z(power, factor);
    if (n & 1) is_one = false;
    if (n > 1) factor = mul_z(factor, factor);
  }
  p->out[0] = y < 0 ? div_z(one, power) : power;
  return SEC_OK;
}

/* Lexicographic; the second where neither comes first. */
static cplx pick(cplx a, cplx b, bool larger) {
  sec_value (*before)(sec_value, sec_value) = larger ? sec_gt : sec_lt;
  sec_value equal = sec_eq(a.re, b.re), re = before(a.re, b.re), im = before(a.im, b.im);
  return where(sec_select_n(equal, (sec_value[]){re, im}, 2), a, b);
}
static bool is_max(const sec_primitive *p) { return p->combine ? is_max(p->combine) : strcmp(p->name, "max") == 0; }

sec_status sec_parts_max(const sec_parts *p) {
  p->out[0] = pick(p->in[0], p->in[1], is_max(p->prim));
  return SEC_OK;
}

sec_status sec_parts_eq(const sec_parts *p) {
  sec_value re = sec_bind2(p->prim, p->in[0].re, p->in[1].re, NULL), im = sec_bind2(p->prim, p->in[0].im, p->in[1].im, NULL);
  p->out[0].re = strcmp(p->prim->name, "eq") == 0 ? sec_and(re, im) : sec_or(re, im);
  return SEC_OK;
}

sec_status sec_parts_is_finite(const sec_parts *p) {
  sec_value re = sec_is_finite(p->in[0].re);
  p->out[0].re = sec_and(re, sec_is_finite(p->in[0].im));
  return SEC_OK;
}

sec_status sec_parts_convert(const sec_parts *p) {
  const sec_aval *out = p->out_avals[0];
  bool            from_complex = !sec_value_is_zero(p->in[0].im);
  sec_dtype       part = sec_dtype_part(out->dtype);
  p->out[0].re = sec_convert(p->in[0].re, part, false);
  if (from_complex && part == SEC_BOOL) p->out[0].re = sec_or(p->out[0].re, sec_convert(p->in[0].im, part, false));
  if (sec_aval_is_complex(out)) p->out[0].im = from_complex ? sec_convert(p->in[0].im, part, false) : num(p->out[0].re, 0);
  return SEC_OK;
}
