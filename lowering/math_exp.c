/* The exponential and the hyperbolic functions made from it.
 * Reduction: x = n ln 2 + r with n = round(x / ln 2), |r| <= ln(2)/2 (Cody and Waite 1980, ch. 6);
 * e^r = 1 + r + r^2 q(r).  n is rounded by adding 1.5 * 2^fraction_bits, which leaves n, biased at
 * will, in the low bits of the sum: a shift turns them into the power of two. */
#include "math_library.h"

/* q(r) = (e^r - 1 - r) / r^2 on |r| <= 0.34666, interpolated at Chebyshev nodes (own fit, mpmath);
 * error of e^r 7.8e-9 and 1.3e-17. */
static const sec_poly exp_poly[2] = {
  {5, {0.001392619474, 0.008363187981, 0.04166655455, 0.1666657694, 0.5}},
  {10,
   {2.51003999265868227e-8, 2.76201072111758446e-7, 2.75572684296532251e-6,
    0.0000248015212564962232, 0.000198412698630731483, 0.00138888889172391149,
    0.00833333333333005792, 0.041666666666624077, 0.166666666666666675, 0.500000000000000102}},
};

/* (sinh(x)/x - 1) / z with z = x^2 on |x| <= 1: own fit as above; error of sinh 2e-10 and 3e-22. */
static const sec_poly sinh_poly[2] = {
  {4, {2.806280258e-6, 0.0001983810197, 0.008333339676, 0.1666666665}},
  {8,
   {2.84452641698952856e-15, 7.64662536165665766e-13, 1.60590483963505616e-10,
    2.50521083640580408e-8, 2.75573192240403386e-6, 0.000198412698412697732, 0.00833333333333333337,
    0.166666666666666667}},
};

static const double log2_e = 1.44269504088896341;

/* x = n ln 2 + r.  The low bits of `bits` hold n + bias. */
typedef struct reduced {
  sec_lv n, r, bits;
} reduced;

/* ln 2 in two parts; n times the high part is exact within a fused multiply-add. */
static double ln2_high(sec_lv x) { return m_pick(x, 0x1.62e43p-1, 0x1.62e42fefa39efp-1); }
static double ln2_low(sec_lv x) { return m_pick(x, -0x1.05c61p-29, 0x1.abc9e3b39803fp-56); }

static double rounding_constant(sec_lv x, int bias) {
  return ldexp(1.5, m_fraction_bits(x.type)) + bias;
}

static sec_lv round_biased(sec_builder *b, sec_lv x, double factor, int bias, reduced *out) {
  double c = rounding_constant(x, bias);
  sec_lv t = m_fma_c(b, x, factor, m_float(b, x, c));
  out->bits = m_bits(b, t);
  return out->n = m_offset(b, t, -c);
}

static reduced reduce(sec_builder *b, sec_lv x, int bias) {
  reduced d;
  sec_lv n = round_biased(b, x, log2_e, bias, &d);
  d.r = m_fma_c(b, n, -ln2_low(x), m_fma_c(b, n, -ln2_high(x), x));
  return d;
}

/* The bias of the exponent field: 2^e is (e + bias) << fraction_bits. */
static int exponent_bias(sec_lv x) { return m_is_double(x) ? 1023 : 127; }

static sec_lv power_of_two(sec_builder *b, sec_lv biased, sec_ltype type) {
  return m_from_bits(b, m_shl(b, biased, m_fraction_bits(type)), type);
}

/* y 2^n, where bits hold n + twice the exponent bias: by two factors, each a normal number, so that
 * the result underflows gradually and rounds once. */
static sec_lv scale(sec_builder *b, sec_lv y, sec_lv bits) {
  sec_lv half = m_shr(b, bits, 1);
  sec_lv rest = m_isub(b, bits, half);
  y = m_mul(b, y, power_of_two(b, half, y.type));
  return m_mul(b, y, power_of_two(b, rest, y.type));
}

/* e^r - 1 for the reduced argument; `q` is the polynomial's row. */
static sec_lv expm1_reduced(sec_builder *b, sec_lv r, const sec_poly *q) {
  return sec_l_fma(b, m_mul(b, r, r), m_poly(b, r, q), r);
}

/* e^x 2^shift; `shift` is 0 or -1.  Beyond the clamps the result is 0 or infinite in any case. */
static sec_lv exp_shifted(sec_builder *b, sec_lv x, int shift) {
  x = m_at_least(b, m_at_most(b, x, m_pick(x, 90, 712)), m_pick(x, -105, -747));
  reduced d = reduce(b, x, 2 * exponent_bias(x) + shift);
  return scale(b, m_offset(b, expm1_reduced(b, d.r, &exp_poly[m_is_double(x)]), 1), d.bits);
}

sec_lv sec_math_exp(sec_builder *b, const sec_lv *x) { return exp_shifted(b, x[0], 0); }

sec_lv sec_math_exp_sum(sec_builder *b, sec_lv high, sec_lv low, bool single) {
  reduced d = reduce(b, high, 2 * exponent_bias(high));
  sec_lv y = expm1_reduced(b, m_add(b, d.r, low), &exp_poly[single ? 0 : 1]);
  return scale(b, m_offset(b, y, 1), d.bits);
}

/* 2^x = 2^n e^(r ln 2), r = x - n exact. */
sec_lv sec_math_exp2(sec_builder *b, const sec_lv *in) {
  sec_lv x =
    m_at_least(b, m_at_most(b, in[0], m_pick(in[0], 130, 1026)), m_pick(in[0], -152, -1077));
  reduced d;
  sec_lv n = round_biased(b, x, 1, 2 * exponent_bias(x), &d);
  sec_lv r = m_sub(b, x, n);
  r = m_fma_c(b, r, ln2_low(x), m_scale(b, r, ln2_high(x)));
  return scale(b, m_offset(b, expm1_reduced(b, r, &exp_poly[m_is_double(x)]), 1), d.bits);
}

/* 2^n p + (2^n - 1), p = e^r - 1, for n within the exponent range. */
static sec_lv expm1_scaled(sec_builder *b, sec_lv p, sec_lv s) {
  return sec_l_fma(b, p, s, m_offset(b, s, -1));
}

/* expm1 as 2^n (e^r - 1) + (2^n - 1); n = 128 or 1024, just below the overflow, is split in two. */
sec_lv sec_math_expm1(sec_builder *b, const sec_lv *in) {
  sec_lv x = m_at_least(b, m_at_most(b, in[0], m_pick(in[0], 89, 710)), m_pick(in[0], -20, -40));
  reduced d = reduce(b, x, exponent_bias(x));
  sec_lv p = expm1_reduced(b, d.r, &exp_poly[m_is_double(x)]);
  sec_lv top = m_is(b, "ogt", d.n, exponent_bias(x));
  sec_lv bits = sec_l_select(b, top, m_iadd(b, d.bits, m_int(b, d.bits, -1)), d.bits);
  sec_lv y = expm1_scaled(b, p, power_of_two(b, bits, x.type));
  y = sec_l_select(b, top, m_add(b, y, y), y);
  y = m_replace(b, m_is(b, "oge", in[0], m_pick(x, 89, 710)), INFINITY, y);
  return m_copysign(b, y, in[0]);
}

/* sinh x = e/2 - 1/(2 e) with e = e^|x|; the odd Taylor-like polynomial where that would cancel. */
sec_lv sec_math_sinh(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0], a = m_abs(b, x), z = m_mul(b, x, x);
  sec_lv e = exp_shifted(b, a, -1);
  sec_lv large = m_sub(b, e, m_div(b, m_float(b, x, 0.25), e));
  sec_lv small = sec_l_fma(b, m_mul(b, a, z), m_poly_pair(b, z, sinh_poly), a);
  return m_copysign(b, sec_l_select(b, m_is(b, "olt", a, 1), small, large), x);
}

/* cosh x = e/2 + 1/(2 e) with e = e^|x| */
sec_lv sec_math_cosh(sec_builder *b, const sec_lv *in) {
  sec_lv e = exp_shifted(b, m_abs(b, in[0]), -1);
  return m_add(b, e, m_div(b, m_float(b, e, 0.25), e));
}

/* tanh x = t / (t + 2), t = e^2|x| - 1; it rounds to 1 well before the clamp. */
sec_lv sec_math_tanh(sec_builder *b, const sec_lv *in) {
  sec_lv a = m_at_most(b, m_abs(b, in[0]), m_pick(in[0], 10, 20));
  reduced d = reduce(b, m_add(b, a, a), exponent_bias(a));
  sec_lv p = expm1_reduced(b, d.r, &exp_poly[m_is_double(a)]);
  sec_lv t = expm1_scaled(b, p, power_of_two(b, d.bits, a.type));
  return m_copysign(b, m_div(b, t, m_offset(b, t, 2)), in[0]);
}

/* logistic x = 1 / (1 + e^-x) = e^x / (1 + e^x): by the form whose exponential is at most 1, so
 * that small results keep their digits. */
sec_lv sec_math_logistic(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0];
  sec_lv e = m_at_least(b, m_neg(b, m_abs(b, x)), m_pick(x, -105, -747));
  reduced d = reduce(b, e, 2 * exponent_bias(x));
  e = scale(b, m_offset(b, expm1_reduced(b, d.r, &exp_poly[m_is_double(x)]), 1), d.bits);
  sec_lv numerator = sec_l_select(b, m_is(b, "olt", x, 0), e, m_float(b, x, 1));
  return m_div(b, numerator, m_offset(b, e, 1));
}
