/* Powers, roots, the floating-point remainder and nextafter. */
#include "math_library.h"

/* (log((1+s)/(1-s))/s - 2 - 2z/3) / z^2 with z = s^2, (1+s)/(1-s) in [sqrt(1/2), sqrt(2)]: own fit
 * by interpolation at Chebyshev nodes (mpmath); relative error of the logarithm 2^-70. */
static const sec_poly log_tail_poly = {
  8,
  {0.117236036229054116, 0.117061956898813648, 0.133348062121006037, 0.153845949345979167,
   0.181818183356541595, 0.222222222216547326, 0.285714285714293681, 0.399999999999999998}};

/* An unevaluated sum, |low| at most half a unit in the last place of high (T. J. Dekker, Numer.
 * Math. 18, 1971). */
typedef struct sum {
  sec_lv high, low;
} sum;

/* x + y for |x| >= |y| or x = 0 */
static sum fast_sum(sec_builder *b, sec_lv x, sec_lv y) {
  sec_lv high = m_add(b, x, y);
  return (sum){high, m_sub(b, y, m_sub(b, high, x))};
}

/* x y, each a sum */
static sum product(sec_builder *b, sum x, sum y) {
  sec_lv high = m_mul(b, x.high, y.high);
  sec_lv low = sec_l_fma(b, x.high, y.high, m_neg(b, high));
  low = sec_l_fma(b, x.high, y.low, low);
  return (sum){high, sec_l_fma(b, x.low, y.high, low)};
}

/* s = f / (2 + f), f = m - 1 */
static sum log_argument(sec_builder *b, sec_lv m) {
  sec_lv f = m_offset(b, m, -1), d = m_offset(b, m, 1);
  sec_lv d_low = m_sub(b, m, m_offset(b, d, -1));
  sec_lv inverse = m_div(b, m_float(b, m, 1), d);
  sec_lv high = m_mul(b, f, inverse);
  sec_lv residual = m_fnma(b, high, d_low, m_fnma(b, high, d, f));
  return (sum){high, m_mul(b, residual, inverse)};
}

/* log x to some 65 bits for x > 0 and finite: k ln 2 + 2 s + s z (2/3 + z T(z)), z = s^2. */
static sum log_extended(sec_builder *b, sec_lv x) {
  const int64_t sqrt_half = 0x3FE6A09E667F3BCD;
  sec_lv tiny = m_is(b, "olt", x, 0x1p-1022);
  sec_lv i = m_bits(b, sec_l_select(b, tiny, m_scale(b, x, 0x1p54), x));
  i = m_isub(b, i, m_int(b, i, sqrt_half));
  sec_lv k = sec_l_binary(b, "arith.shrsi", i, m_int(b, i, 52));
  k = m_from_bits(b, m_iadd(b, k, m_int(b, k, 0x4338000000000000)), SEC_LT_F64); /* 1.5 2^52 + k */
  k = m_sub(b, k, sec_l_select(b, tiny, m_float(b, k, 0x1.8p52 + 54), m_float(b, k, 0x1.8p52)));
  sec_lv fraction = m_and(b, i, m_int(b, i, 0xFFFFFFFFFFFFF));
  sum s = log_argument(b, m_from_bits(b, m_iadd(b, fraction, m_int(b, i, sqrt_half)), SEC_LT_F64));
  sum z = product(b, s, s);
  sec_lv third = m_float(b, x, 0x1.5555555555555p-1); /* 2/3 */
  sum c = fast_sum(b, third, m_mul(b, z.high, m_poly(b, z.high, &log_tail_poly)));
  c.low = m_offset(b, c.low, 0x1.5555555555555p-55);
  sum cubic = product(b, product(b, s, z), c);
  /* ln 2 in two parts, k times the first exact (fdlibm) */
  sec_lv k_high = m_scale(b, k, 6.93147180369123816490e-01);
  sum head = fast_sum(b, k_high, m_add(b, s.high, s.high));
  sum next = fast_sum(b, head.high, cubic.high);
  sec_lv low = m_fma_c(b, s.low, 2, m_add(b, head.low, next.low));
  low = m_add(b, m_fma_c(b, k, 1.90821492927058770002e-10, low), cubic.low);
  return fast_sum(b, next.high, low);
}

/* e^(y log x) for x >= 0 and its limits at 0 and infinity; f64 operands. */
static sec_lv pow_magnitude(sec_builder *b, sec_lv x, sec_lv y, bool single) {
  sec_lv zero = m_float(b, x, 0);
  sum l = {zero, zero};
  if (single) l.high = sec_math_log_finite(b, x, true);
  else l = log_extended(b, x);
  l.high = m_replace(b, m_is(b, "oeq", x, 0), -INFINITY, l.high);
  l.high = sec_l_select(b, m_is(b, "olt", x, INFINITY), l.high, x);
  sec_lv p = m_mul(b, y, l.high), low = zero;
  if (!single) {
    low = sec_l_fma(b, y, l.low, sec_l_fma(b, y, l.high, m_neg(b, p)));
    low = sec_l_select(b, m_is(b, "olt", m_abs(b, p), 1000), low, zero);
  }
  p = m_at_least(b, m_at_most(b, p, 1000), -1000); /* the result is infinite or 0 far before */
  return sec_math_exp_sum(b, p, low, single);
}

static sec_lv is_integer(sec_builder *b, sec_lv y) {
  return sec_l_cmpf(b, "oeq", m_trunc(b, y), y);
}

/* pow with the special cases of C11 F.10.4.4.  f32 is computed in f64, where a plain logarithm has
 * the digits. */
sec_lv sec_math_pow(sec_builder *b, const sec_lv *in) {
  bool single = !m_is_double(in[0]);
  sec_lv x = single ? sec_l_cast(b, "arith.extf", in[0], SEC_LT_F64) : in[0];
  sec_lv y = single ? sec_l_cast(b, "arith.extf", in[1], SEC_LT_F64) : in[1];
  sec_lv a = m_abs(b, x), r = pow_magnitude(b, a, y, single);
  sec_lv whole = is_integer(b, y), half_whole = is_integer(b, m_scale(b, y, 0.5));
  sec_lv half_not = m_xor(b, half_whole, sec_l_int(b, SEC_LT_I1, 1));
  sec_lv odd = m_and(b, whole, half_not);
  r = sec_l_select(b, odd, m_copysign(b, r, x), r);
  sec_lv negative = m_and(b, m_is(b, "olt", x, 0), m_is(b, "ogt", x, -INFINITY));
  sec_lv fraction = m_xor(b, whole, sec_l_int(b, SEC_LT_I1, 1));
  r = m_replace(b, m_and(b, negative, fraction), NAN, r);
  sec_lv y_infinite = m_is(b, "oeq", m_abs(b, y), INFINITY);
  sec_lv one = m_or(b, m_is(b, "oeq", y, 0), m_is(b, "oeq", x, 1));
  one = m_or(b, one, m_and(b, y_infinite, m_is(b, "oeq", a, 1)));
  r = m_replace(b, one, 1, r);
  return single ? sec_l_cast(b, "arith.truncf", r, SEC_LT_F32) : r;
}

/* cbrt: the exponent divided by 3 gives 5 bits, a polynomial in t^3/x some 23, Newton the rest
 * (FreeBSD, s_cbrt.c; B. D. Evans).  f32 is computed in f64. */
sec_lv sec_math_cbrt(sec_builder *b, const sec_lv *in) {
  static const sec_poly p = {5,
                             {0.145996192886612446982, -0.758397934778766047437,
                              1.621429720105354466140, -1.88497979543377169875,
                              1.87595182427177009643}};
  bool single = !m_is_double(in[0]);
  sec_lv x = single ? sec_l_cast(b, "arith.extf", in[0], SEC_LT_F64) : in[0];
  sec_lv a = m_abs(b, x), tiny = m_is(b, "olt", a, 0x1p-1022);
  a = sec_l_select(b, tiny, m_scale(b, a, 0x1p54), a);
  sec_lv high = m_shr(b, m_bits(b, a), 32); /* floor(high / 3) by a multiplication, high < 2^31 */
  sec_lv third = m_shr(b, sec_l_binary(b, "arith.muli", high, m_int(b, high, 0x55555556)), 32);
  sec_lv start = m_iadd(b, third, m_int(b, third, 715094163));
  sec_lv t = m_from_bits(b, m_shl(b, start, 32), SEC_LT_F64);
  sec_lv r = m_mul(b, m_mul(b, t, t), m_div(b, t, a));
  t = m_mul(b, t, m_poly(b, r, &p));
  /* to 23 bits, so that the square is exact */
  sec_lv bits = m_iadd(b, m_bits(b, t), m_int(b, high, 0x80000000));
  t = m_from_bits(b, m_and(b, bits, m_int(b, bits, (int64_t)0xFFFFFFFFC0000000)), SEC_LT_F64);
  sec_lv q = m_div(b, a, m_mul(b, t, t));
  q = m_div(b, m_sub(b, q, t), m_add(b, m_add(b, t, t), q));
  t = sec_l_fma(b, t, q, t);
  t = sec_l_select(b, tiny, m_scale(b, t, 0x1p-18), t);
  t = m_copysign(b, t, x);
  sec_lv finite = m_and(b, m_is(b, "one", x, 0), m_is(b, "olt", m_abs(b, x), INFINITY));
  t = sec_l_select(b, finite, t, m_add(b, x, x));
  return single ? sec_l_cast(b, "arith.truncf", t, SEC_LT_F32) : t;
}

sec_lv sec_math_sqrt(sec_builder *b, const sec_lv *x) { return m_sqrt(b, x[0]); }

/* With s = sqrt(x) and y = 1/s rounded, x = s^2 + e and s y = 1 - d:
 * 1/sqrt(x) = y (1 + d - e y^2 / 2) to first order.  The correction is left out at 0 and infinity.
 */
sec_lv sec_math_rsqrt(sec_builder *b, const sec_lv *x) {
  sec_lv one = m_float(b, x[0], 1), s = m_sqrt(b, x[0]), y = m_div(b, one, s);
  sec_lv e = m_fnma(b, s, s, x[0]), d = m_fnma(b, s, y, one);
  d = sec_l_fma(b, m_scale(b, e, -0.5), m_mul(b, y, y), d);
  sec_lv corrected = sec_l_fma(b, y, d, y);
  return sec_l_select(b, sec_l_cmpf(b, "uno", corrected, corrected), y, corrected);
}

/* y times 2^1000 where r / y would exceed that: a multiple of y that serves as well, and exactly.
 */
static sec_lv enlarge(sec_builder *b, sec_lv r, sec_lv y) {
  sec_lv far = sec_l_cmpf(b, "oge", m_scale(b, m_abs(b, r), 0x1p-1000), y);
  return sec_l_select(b, far, m_scale(b, y, 0x1p1000), y);
}

/* r - q y with q = r/y rounded to nearest, to an integer at least: exact, since the difference is a
 * multiple of the product of their last places and below half of q's last place times y. */
static sec_lv reduce_once(sec_builder *b, sec_lv r, sec_lv y, bool single) {
  sec_lv divisor = single ? y : enlarge(b, r, enlarge(b, r, y));
  sec_lv q = sec_l_unary(b, "math.roundeven", m_div(b, r, divisor));
  return m_fnma(b, q, divisor, r);
}

/* rem(x, y) as C's fmod, exact: each round takes 53 bits off the quotient, until |r| < y.  The
 * first round ends the loop unless the quotient is larger.  f32 is computed in f64. */
sec_lv sec_math_rem(sec_builder *b, const sec_lv *in) {
  bool single = !m_is_double(in[0]);
  sec_lv x = single ? sec_l_cast(b, "arith.extf", in[0], SEC_LT_F64) : in[0];
  sec_lv y = m_abs(b, single ? sec_l_cast(b, "arith.extf", in[1], SEC_LT_F64) : in[1]);
  sec_lv start = m_abs(b, x);
  sec_lv result = sec_b_new(b, SEC_LT_F64), r = sec_b_new(b, SEC_LT_F64);
  char type[40];
  sec_b_type(b, SEC_LT_F64, type);
  sec_text_append(b->out, "%%v%u = scf.while (%%v%u = %%v%u) : (%s) -> %s {\n", result.id, r.id,
                  start.id, type, type);
  sec_lv next = reduce_once(b, r, y, single);
  sec_lv again = m_any(b, sec_l_cmpf(b, "oge", m_abs(b, next), y));
  sec_text_append(b->out, "scf.condition(%%v%u) %%v%u : %s\n} do {\n", again.id, next.id, type);
  sec_lv carried = sec_b_new(b, SEC_LT_F64);
  sec_text_append(b->out, "^bb0(%%v%u: %s):\nscf.yield %%v%u : %s\n}\n", carried.id, type,
                  carried.id, type);
  result = sec_l_select(b, m_is(b, "olt", result, 0), m_add(b, result, y), result);
  sec_lv finite = m_is(b, "olt", m_abs(b, x), INFINITY);
  result = sec_l_select(b, m_and(b, finite, m_is(b, "oeq", y, INFINITY)), x, result);
  result = m_copysign(b, result, x);
  return single ? sec_l_cast(b, "arith.truncf", result, SEC_LT_F32) : result;
}

/* The neighbour of x towards y: its bits plus or minus one. */
sec_lv sec_math_nextafter(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0], y = in[1], bits = m_bits(b, x);
  sec_lv up = sec_l_cmpf(b, "olt", x, y), positive = m_is(b, "ogt", x, 0);
  sec_lv shrink = m_xor(b, up, positive); /* the magnitude falls where exactly one holds */
  sec_lv step = sec_l_select(b, shrink, m_int(b, bits, -1), m_int(b, bits, 1));
  sec_lv r = m_from_bits(b, m_iadd(b, bits, step), x.type);
  sec_lv least = m_from_bits(b, m_int(b, bits, 1), x.type);
  r = sec_l_select(b, m_is(b, "oeq", x, 0), m_copysign(b, least, y), r);
  r = sec_l_select(b, sec_l_cmpf(b, "oeq", x, y), y, r);
  return sec_l_select(b, sec_l_cmpf(b, "uno", x, y), m_add(b, x, y), r);
}
