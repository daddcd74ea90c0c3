/* Logarithms and the inverse hyperbolic functions made from them.
 * Reduction: x = 2^k m with m next to 1; then, with f = m - 1 and s = f / (2 + f),
 * log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R(s^2))), R(z) = z P(z)
 * (fdlibm, e_log.c, Sun Microsystems 1993). */
#include "math_library.h"

/* P(z) = (log((1+s)/(1-s))/s - 2) / z with z = s^2, m in [sqrt(1/2), sqrt(2)]: own fit by
 * interpolation at Chebyshev nodes (mpmath); relative error of the logarithm 1.7e-11 and 4.6e-18.
 */
static const sec_poly log_poly[2] = {
  {4, {0.2333096405, 0.2855080255, 0.40000122, 0.6666666655}},
  {7,
   {0.146170375487916501, 0.153316740301678619, 0.181828905566956035, 0.222222111151441615,
    0.285714286260958915, 0.39999999999899239, 0.66666666666666697}},
};

/* (log(1+f) - f + f^2/2) / f^3 on |f| <= 1/3, own fit; error of the logarithm 2.7e-9.  The layout
 * (no division, m in [2/3, 4/3]) follows N. Juffa's logf. */
static const sec_poly log_single_poly = {9,
                                         {0.1133061739, -0.1242220058, 0.1091565479, -0.1228872161,
                                          0.1429186718, -0.1667331625, 0.1999994835, -0.2499994419,
                                          0.3333333333}};

static const double sqrt_half = 0x1.6a09e667f3bcdp-1;
static const double ln2 = 0x1.62e42fefa39efp-1;
/* ln 2 = high + low, k * high exact for any exponent k (fdlibm) */
static double ln2_high(sec_lv x) { return m_pick(x, 0x1.62e3p-1, 6.93147180369123816490e-01); }
static double ln2_low(sec_lv x) { return m_pick(x, 0x1.2fefa4p-17, 1.90821492927058770002e-10); }

/* x = 2^k (1 + f), 1 + f in [low, 2 low) */
typedef struct split {
  sec_lv k, f;
} split;

/* The signed integer i as a float of x's type, |i| < 2^22. */
static sec_lv small_int_to_float(sec_builder *b, sec_lv i, sec_ltype type) {
  if (type == SEC_LT_F32) return sec_l_cast(b, "arith.sitofp", i, type);
  sec_lv biased = m_iadd(b, i, m_int(b, i, 0x4338000000000000)); /* the bits of 1.5 2^52, plus i */
  return m_offset(b, m_from_bits(b, biased, type), -0x1.8p52);
}

/* Splits a positive normal x.  `low` is sqrt(1/2) or 2/3. */
static split split_normal(sec_builder *b, sec_lv x, double low) {
  int fraction_bits = m_fraction_bits(x.type);
  int64_t fraction_mask = ((int64_t)1 << fraction_bits) - 1;
  float low_single = (float)low;
  union {
    double d;
    int64_t i;
  } wide = {.d = low};
  union {
    float f;
    int32_t i;
  } narrow = {.f = low_single};
  int64_t low_bits = m_is_double(x) ? wide.i : narrow.i;
  sec_lv i = m_bits(b, x);
  i = m_isub(b, i, m_int(b, i, low_bits));
  sec_lv k = sec_l_binary(b, "arith.shrsi", i, m_int(b, i, fraction_bits));
  sec_lv m = m_iadd(b, m_and(b, i, m_int(b, i, fraction_mask)), m_int(b, i, low_bits));
  split s = {.k = small_int_to_float(b, k, x.type)};
  s.f = m_offset(b, m_from_bits(b, m, x.type), -1);
  return s;
}

/* Splits a positive x, subnormal ones included. */
static split split_positive(sec_builder *b, sec_lv x, double low) {
  int shift = m_is_double(x) ? 54 : 25;
  sec_lv tiny = m_is(b, "olt", x, m_pick(x, 0x1p-126, 0x1p-1022));
  x = sec_l_select(b, tiny, m_scale(b, x, ldexp(1, shift)), x);
  split s = split_normal(b, x, low);
  s.k = sec_l_select(b, tiny, m_offset(b, s.k, -shift), s.k);
  return s;
}

/* log(1 + f) + c in fdlibm's form, but for the leading f; `c` is a small correction.
 * Returns t such that log(1 + f) + c = f - t. */
static sec_lv log_tail(sec_builder *b, sec_lv f, sec_lv c, const sec_poly *p) {
  sec_lv s = m_div(b, f, m_offset(b, f, 2));
  sec_lv z = m_mul(b, s, s), half_square = m_mul(b, m_scale(b, f, 0.5), f);
  sec_lv R = m_mul(b, z, m_poly(b, z, p));
  return m_sub(b, half_square, sec_l_fma(b, s, m_add(b, half_square, R), c));
}

/* k ln 2 + log(1 + f) + c */
static sec_lv log_combine(sec_builder *b, split s, sec_lv c, const sec_poly *p) {
  c = m_fma_c(b, s.k, ln2_low(s.f), c);
  return m_fma_c(b, s.k, ln2_high(s.f), m_sub(b, s.f, log_tail(b, s.f, c, p)));
}

/* The logarithm's values outside (0, inf): log(inf) = inf, log(0) = -inf, NaN below and for NaN. */
static sec_lv log_special(sec_builder *b, sec_lv x, sec_lv r) {
  r = sec_l_select(b, m_is(b, "olt", x, INFINITY), r, x);
  r = m_replace(b, m_is(b, "olt", x, 0), NAN, r);
  return m_replace(b, m_is(b, "oeq", x, 0), -INFINITY, r);
}

sec_lv sec_math_log_finite(sec_builder *b, sec_lv x, bool single) {
  split s = split_positive(b, x, sqrt_half);
  return log_combine(b, s, m_float(b, x, 0), &log_poly[single ? 0 : 1]);
}

/* log(1 + f) of f32 without a division */
static sec_lv log1p_single(sec_builder *b, sec_lv f) {
  sec_lv q = m_poly(b, f, &log_single_poly);
  q = sec_l_fma(b, q, f, m_float(b, f, -0.5));
  return sec_l_fma(b, q, m_mul(b, f, f), f);
}

sec_lv sec_math_log(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0];
  if (m_is_double(x)) return log_special(b, x, sec_math_log_finite(b, x, false));
  split s = split_positive(b, x, 2.0 / 3);
  return log_special(b, x, m_fma_c(b, s.k, ln2, log1p_single(b, s.f)));
}

/* log2 x = k + log(1 + f) / ln 2 */
sec_lv sec_math_log2(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0];
  split s = split_positive(b, x, m_is_double(x) ? sqrt_half : 2.0 / 3);
  sec_lv l = m_is_double(x) ? m_sub(b, s.f, log_tail(b, s.f, m_float(b, x, 0), &log_poly[1]))
                            : log1p_single(b, s.f);
  double high = m_pick(x, 0x1.715476p+0, 0x1.71547652b82fep+0);
  double low = m_pick(x, 0x1.4ae0cp-26, 0x1.777d0ffda0d24p-56);
  sec_lv r = m_fma_c(b, l, high, m_fma_c(b, l, low, s.k));
  return log_special(b, x, r);
}

/* log1p for x >= -1 or NaN: with u = 1 + x rounded and c its error (Knuth's two-sum),
 * log(1 + x) = log(u) + c/u (fdlibm, s_log1p.c). */
static sec_lv log1p_of(sec_builder *b, sec_lv x) {
  sec_lv one = m_float(b, x, 1);
  sec_lv u = m_add(b, one, x), back = m_sub(b, u, x);
  sec_lv c = m_add(b, m_sub(b, x, m_sub(b, u, back)), m_sub(b, one, back));
  split s = split_normal(b, u, sqrt_half);
  sec_lv r = log_combine(b, s, m_div(b, c, u), &log_poly[m_is_double(x)]);
  return sec_l_select(b, m_is(b, "oeq", x, 0), x, log_special(b, u, r));
}

sec_lv sec_math_log1p(sec_builder *b, const sec_lv *x) { return log1p_of(b, x[0]); }

/* From here log1p(x) = log(x) and asinh(x) = acosh(x) = log(2 x) to the last digit. */
static double large_threshold(sec_lv x) { return m_pick(x, 0x1p28, 0x1p56); }

/* log1p(t), or log(2 x) = log(x) + ln 2 where x is large */
static sec_lv log1p_or_log_twice(sec_builder *b, sec_lv t, sec_lv x) {
  sec_lv large = m_is(b, "oge", x, large_threshold(x));
  sec_lv r = log1p_of(b, sec_l_select(b, large, x, t));
  return sec_l_select(b, large, m_offset(b, r, ln2), r);
}

/* asinh |x| = log1p(|x| + x^2 / (1 + sqrt(x^2 + 1))) (fdlibm, s_asinh.c) */
sec_lv sec_math_asinh(sec_builder *b, const sec_lv *in) {
  sec_lv a = m_abs(b, in[0]), z = m_mul(b, a, a);
  sec_lv root = m_sqrt(b, m_offset(b, z, 1));
  sec_lv t = m_add(b, a, m_div(b, z, m_offset(b, root, 1)));
  return m_copysign(b, log1p_or_log_twice(b, t, a), in[0]);
}

/* acosh x = log1p(t + sqrt(t (t + 2))), t = x - 1; NaN below 1 by the square root or the logarithm
 */
sec_lv sec_math_acosh(sec_builder *b, const sec_lv *in) {
  sec_lv t = m_offset(b, in[0], -1);
  sec_lv root = m_sqrt(b, m_mul(b, t, m_offset(b, t, 2)));
  sec_lv r = log1p_or_log_twice(b, m_add(b, t, root), in[0]);
  return m_replace(b, m_is(b, "olt", in[0], 1), NAN, r);
}

/* atanh |x| = log1p(2|x| / (1 - |x|)) / 2 */
sec_lv sec_math_atanh(sec_builder *b, const sec_lv *in) {
  sec_lv a = m_abs(b, in[0]);
  sec_lv t = m_div(b, m_add(b, a, a), m_sub(b, m_float(b, a, 1), a));
  return m_copysign(b, m_scale(b, log1p_of(b, t), 0.5), in[0]);
}
