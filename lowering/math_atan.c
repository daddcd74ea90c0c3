/* The inverse trigonometric functions. */
#include "math_library.h"

/* (atan(t)/t - 1) / z with z = t^2, |t| <= tan(pi/8): own fit by interpolation at Chebyshev nodes
 * (mpmath); errors 2.4e-9 and 4.7e-18. */
static const sec_poly atan_poly[2] = {
  {5, {-0.06450377352, 0.1074326338, -0.1426391227, 0.1999953923, -0.3333333176}},
  {11,
   {-0.0191659065063043004, 0.0392226888234763215, -0.0508513914870663795, 0.0585808953861020315,
    -0.0666450461003264793, 0.0769218270524631978, -0.0909090455721426694, 0.111111110147415619,
    -0.142857142846601402, 0.1999999999999549, -0.333333333333333301}},
};

/* (asin(t)/t - 1) / z with z = t^2 <= 1/4: own fit as above; errors 1e-9 and 3.8e-18. */
static const sec_poly asin_poly[2] = {
  {6, {0.0336908472, 0.01714923836, 0.03110066274, 0.04459940153, 0.07500094543, 0.1666666634}},
  {13,
   {0.0287578513674215647, -0.0148518870712472032, 0.0174008794426940224, 0.0054575067186403583,
    0.0103228143501857793, 0.0114791774151849059, 0.0139712129735529333, 0.0173523927208699729,
    0.0223721729421498879, 0.0303819441385312473, 0.0446428571463554298, 0.0749999999999843293,
    0.166666666666666678}},
};

/* pi/4 in two parts */
static double quarter_pi_high(sec_lv x) { return m_pick(x, 0x1.921fb6p-1, 0x1.921fb54442d18p-1); }
static double quarter_pi_low(sec_lv x) { return m_pick(x, -0x1.777a5cp-26, 0x1.1a62633145c07p-55); }
static const double tan_pi_8 = 0.41421356237309503;

/* r + quarters pi/4, `quarters` a small integer */
static sec_lv add_quarters(sec_builder *b, sec_lv r, sec_lv quarters) {
  r = m_fma_c(b, quarters, quarter_pi_low(r), r);
  return m_fma_c(b, quarters, quarter_pi_high(r), r);
}

/* An angle in the first octant as quarters pi/4 + r. */
typedef struct angle {
  sec_lv quarters, r;
} angle;

/* atan(low / high) for 0 <= low <= high: above tan(pi/8) as pi/4 + atan((low - high) / (low +
 * high)). */
static angle first_octant(sec_builder *b, sec_lv low, sec_lv high) {
  sec_lv upper = sec_l_cmpf(b, "ogt", low, m_scale(b, high, tan_pi_8));
  sec_lv numerator = sec_l_select(b, upper, m_sub(b, low, high), low);
  sec_lv denominator = sec_l_select(b, upper, m_add(b, low, high), high);
  sec_lv t = m_div(b, numerator, denominator), z = m_mul(b, t, t);
  angle a = {.r = sec_l_fma(b, m_mul(b, t, z), m_poly_pair(b, z, atan_poly), t)};
  a.quarters = sec_l_select(b, upper, m_float(b, t, 1), m_float(b, t, 0));
  return a;
}

/* The angle `turns` - a where `condition` holds, `turns` in quarters of pi. */
static angle reflect(sec_builder *b, sec_lv condition, double turns, angle a) {
  angle result = {.quarters = sec_l_select(
                    b, condition, m_sub(b, m_float(b, a.r, turns), a.quarters), a.quarters),
                  .r = sec_l_select(b, condition, m_neg(b, a.r), a.r)};
  return result;
}

/* atan |x| with max(|x|, 1) above and min(|x|, 1) below: infinity gives pi/2 - atan(1/inf). */
sec_lv sec_math_atan(sec_builder *b, const sec_lv *in) {
  sec_lv x = m_abs(b, in[0]), one = m_float(b, x, 1);
  sec_lv large = m_is(b, "ogt", x, 1);
  sec_lv low = sec_l_select(b, large, m_div(b, one, x), x);
  angle a = reflect(b, large, 2, first_octant(b, low, one));
  return m_copysign(b, add_quarters(b, a.r, a.quarters), in[0]);
}

/* atan2(y, x): the octant of (|x|, |y|), reflected at pi/4 and pi/2; sign of y.
 * 0/0 counts as 0 and inf/inf as 1 (C11 F.10.1.4). */
sec_lv sec_math_atan2(sec_builder *b, const sec_lv *in) {
  sec_lv y = m_abs(b, in[0]), x = m_abs(b, in[1]);
  sec_lv steep = sec_l_cmpf(b, "ogt", y, x);
  sec_lv low = sec_l_select(b, steep, x, y), high = sec_l_select(b, steep, y, x);
  sec_lv shrink =
    m_is(b, "ogt", high, m_pick(x, 0x1p126, 0x1p1022)); /* low + high would overflow */
  low = sec_l_select(b, shrink, m_scale(b, low, 0.25), low);
  high = sec_l_select(b, shrink, m_scale(b, high, 0.25), high);
  sec_lv both_infinite = m_is(b, "oeq", low, INFINITY);
  low = m_replace(b, both_infinite, 1, low);
  high = m_replace(b, both_infinite, 1, high);
  high = m_replace(b, m_is(b, "oeq", high, 0), 1, high);
  angle a = reflect(b, steep, 2, first_octant(b, low, high));
  sec_lv negative = sec_l_cmpi(b, "slt", m_bits(b, in[1]), m_int(b, m_bits(b, in[1]), 0));
  a = reflect(b, negative, 4, a);
  sec_lv r = m_copysign(b, add_quarters(b, a.r, a.quarters), in[0]);
  return sec_l_select(b, sec_l_cmpf(b, "uno", in[0], in[1]), m_add(b, in[0], in[1]), r);
}

/* sqrt(z) - root, to first order */
static sec_lv root_error(sec_builder *b, sec_lv root, sec_lv z) {
  sec_lv residual = m_fnma(b, root, root, z);
  sec_lv e = m_div(b, residual, m_add(b, root, root));
  return m_replace(b, m_is(b, "oeq", root, 0), 0, e);
}

/* What asin and acos share: for |x| <= 1/2 asin(t) with t = |x|, else with t = sqrt((1 - |x|)/2),
 * from acos|x| = 2 asin(sqrt((1 - |x|)/2)) (fdlibm, e_asin.c).  asin(t) = t + tail, the root's
 * error included. */
typedef struct half_angle {
  sec_lv large, t, tail;
} half_angle;

static half_angle asin_core(sec_builder *b, sec_lv a) {
  half_angle h = {.large = m_is(b, "ogt", a, 0.5)};
  sec_lv half = m_fma_c(b, a, -0.5, m_float(b, a, 0.5));
  sec_lv z = sec_l_select(b, h.large, half, m_mul(b, a, a));
  sec_lv root = m_sqrt(b, half);
  h.t = sec_l_select(b, h.large, root, a);
  sec_lv lost = sec_l_select(b, h.large, root_error(b, root, half), m_float(b, a, 0));
  h.tail = sec_l_fma(b, m_mul(b, h.t, z), m_poly_pair(b, z, asin_poly), lost);
  return h;
}

sec_lv sec_math_asin(sec_builder *b, const sec_lv *in) {
  half_angle h = asin_core(b, m_abs(b, in[0]));
  sec_lv two = m_float(b, h.t, 2);
  /* pi/2 - 2 (t + tail): t is subtracted by a fused multiply-add, from the high part */
  sec_lv high = m_float(b, h.t, 2 * quarter_pi_high(h.t));
  sec_lv top = m_fnma(b, two, h.t, high);
  sec_lv lost = m_fnma(b, two, h.t, m_sub(b, high, top));
  sec_lv rest = m_offset(b, m_fnma(b, two, h.tail, lost), 2 * quarter_pi_low(h.t));
  sec_lv r = sec_l_select(b, h.large, m_add(b, top, rest), m_add(b, h.t, h.tail));
  return m_copysign(b, r, in[0]);
}

/* acos x = 2 asin(t) above 1/2, pi - 2 asin(t) below -1/2, pi/2 -+ asin|x| between. */
sec_lv sec_math_acos(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0];
  half_angle h = asin_core(b, m_abs(b, x));
  sec_lv negative = m_is(b, "olt", x, 0), zero = m_float(b, x, 0);
  /* the angle is base + factor (t + tail) */
  sec_lv base =
    sec_l_select(b, h.large, sec_l_select(b, negative, m_float(b, x, 4), zero), m_float(b, x, 2));
  sec_lv factor = sec_l_select(b, h.large, m_float(b, x, 2), m_float(b, x, -1));
  factor = sec_l_select(b, negative, m_neg(b, factor), factor);
  sec_lv high = m_scale(b, base, quarter_pi_high(x));
  sec_lv top = sec_l_fma(b, factor, h.t, high);
  sec_lv lost = sec_l_fma(b, factor, h.t, m_sub(b, high, top));
  sec_lv rest = sec_l_fma(b, factor, h.tail, m_fma_c(b, base, quarter_pi_low(x), lost));
  return m_add(b, top, rest);
}
