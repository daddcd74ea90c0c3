/* lgamma and digamma.  With u = x - 1 from 1 on, x below, -x for negative x, all exact, the function of 1 + u > 0 is
 * a rational one up to u = 2 and up to 7, then the asymptotic series; below x = 1 the recurrence or the reflection
 * (DLMF 5.5) puts it right.  f32 goes through f64 with shorter fits, so that the terms may cancel. */
#include "math_library.h"

/* Own fits by interpolation at Chebyshev nodes (mpmath), [0] for f32, [1] for f64, with their relative errors. */

/* lgamma(1 + u) / (u (u - 1)) on [0, 2]: 1.19e-10 and 4.02e-18 */
static const rational lgamma_low[2] = {
  {{6, {-1.2411202284e-5, 0.00079959625488, 0.057086950205, 0.42178487311, 0.90797865363, 0.57721566483}},
   {5, {0.022042144057, 0.31712178295, 1.3103300874, 1.9979187767, 1.0}}},
  {{9, {1.54621296801623994e-7, 0.000103189367868462415, 0.00463021254704602723, 0.0662065241437298086,
       0.417525368104857566, 1.32268836812280773, 2.18653344189370549, 1.79587901899792793, 0.577215664901532858}},
   {9, {0.0000247018522190908336, 0.00174636810064529041, 0.0361388444712140058, 0.323976917346057596,
       1.47710045229590447, 3.67222175521075026, 5.02125790066125084, 3.53616596297452141, 1.0}}},
};
/* lgamma(3 + v) on [0, 5]: 7.4e-11 and 1.51e-17 */
static const rational lgamma_middle[2] = {
  {{6, {0.00042481205299, 0.017391527743, 0.19432535464, 0.81412764225, 1.3299170311, 0.69314718051}},
   {6, {-1.5251834358e-7, 9.8836538739e-5, 0.006706539349, 0.10769191595, 0.58736831787, 1.0}}},
  {{9, {2.36512553878917802e-7, 0.0000285084590206622616, 0.0010458701204505798, 0.0168526916383281385,
       0.137962721544005704, 0.606883679369317163, 1.42361992553150207, 1.63201105485377226,
       0.693147180559945299}},
   {9, {-2.39178080785531467e-11, 4.54887655278828245e-8, 8.1265014781742516e-6, 0.000394026552602994257,
       0.00800020978813802912, 0.0795596899625723042, 0.406785070370036156, 1.02319787145692354, 1.0}}},
};
/* digamma(1 + u) / (u - its zero) on [0, 2]: 1.54e-10 and 1.19e-17 */
static const rational digamma_low[2] = {
  {{5, {0.00014423476549, 0.031540628374, 0.41144120166, 1.3774768377, 1.2503801373}},
   {5, {0.0077848579435, 0.17004552675, 0.94752463879, 1.7851932507, 1.0}}},
  {{8, {-1.5785858596212909e-8, 2.50090243124184255e-6, 0.00081887414296051403, 0.0238414069598137997,
       0.237472559448536607, 1.01645665102467765, 1.89988453704788257, 1.25038013750340534}},
   {7, {0.000179336019818044366, 0.00756122432735505096, 0.102668838448573617, 0.609269490920887744,
       1.71697491275581866, 2.2029923661052757, 1.0}}},
};
/* digamma(3 + v) on [0, 5]: 1.37e-10 and 5.96e-18 */
static const rational digamma_middle[2] = {
  {{6, {1.4975677682e-6, 0.00096567162713, 0.033526883047, 0.31569221382, 1.009652486, 0.92278433522}},
   {5, {0.00019607359766, 0.010341653132, 0.1405109865, 0.66615611136, 1.0}}},
  {{9, {1.33076315091377055e-10, 2.91914001553250514e-7, 0.0000346426185479708517, 0.00128966989932531006,
       0.020952301161485723, 0.168288072014594955, 0.686316301928948699, 1.32673869636688526,
       0.922784335098467145}},
   {8, {4.86695943111789967e-8, 7.89429884096631819e-6, 0.000373805860158189855, 0.00758004565668629678,
       0.0761199448022489532, 0.395085406938938288, 1.00977508403329119, 1.0}}},
};
/* (sin(pi f)/(pi f) - 1) / f^2 in f^2, f <= 1/2: 1.87e-10 and 2.27e-18 */
static const sec_poly sin_pi[2] = {
  {5, {-0.0022550628169, 0.026128058859, -0.19075006209, 0.81174237029, -1.6449340666}},
  {8, {2.45918038481593938e-7, -6.97296055556422038e-6, 0.000148428178166936175, -0.00234608096349239961,
      0.0261478478130788072, -0.190751824121941279, 0.811742425283351942, -1.64493406684822643}},
};
/* (pi f cot(pi f) - 1) / f^2 in f^2, f <= 1/2: 6.76e-11 and 9.26e-18 */
static const sec_poly cot_pi[2] = {
  {9, {-6.9671413028, 0.87086208577, -2.803304485, -1.8749497645, -2.0132677444, -2.0075930276, -2.0347000083,
      -2.1646463362, -3.2898681339}},
  {15, {-16.0104415553501003, 14.0091363518995106, -11.3198825341560656, 1.38371480028915121,
      -2.83045970279646164, -1.85698690623401109, -2.01754827807091914, -1.99849899238856188,
      -2.00021639706156325, -2.0004882445092559, -2.00198925712056422, -2.00815471065088672, -2.03468612398377945,
      -2.16464646742222642, -3.2898681336964529}},
};

/* B_2k / (2k (2k - 1)) and B_2k / 2k, the last term first (DLMF 5.11.1, 5.11.2); errors from z = 8 on 4e-12 and 1e-17,
 * 4e-12 and 1e-17. */
static const sec_poly lgamma_series[2] = {
  {4, {-1. / 1680, 1. / 1260, -1. / 360, 1. / 12}},
  {8, {-3617. / 122400, 1. / 156, -691. / 360360, 1. / 1188, -1. / 1680, 1. / 1260, -1. / 360, 1. / 12}},
};
static const sec_poly digamma_series[2] = {
  {4, {-1. / 240, 1. / 252, -1. / 120, 1. / 12}},
  {9,
   {43867. / 14364, -3617. / 8160, 1. / 12, -691. / 32760, 1. / 132, -1. / 240, 1. / 252, -1. / 120, 1. / 12}},
};

/* The zero of digamma at 1 + u, in two parts */
static const double zero_high = 0x1.d8b618d5af8fep-2, zero_low = -0x1.1e563779a1f5bp-56;

/* An operand taken apart.  `part` is |x| less the nearest whole number. */
typedef struct operand {
  sec_lv x, u, near_u, z, log_z, inverse, square, part, below_0, below_1, far;
  bool single;
} operand;

static operand take_apart(sec_builder *b, sec_lv x) {
  operand o = {.single = !m_is_double(x)};
  o.x = x = o.single ? sec_l_cast(b, "arith.extf", x, SEC_LT_F64) : x;
  sec_lv a = m_abs(b, x), one = m_float(b, x, 1);
  o.below_0 = m_is(b, "olt", x, 0), o.below_1 = m_is(b, "olt", x, 1);
  o.u = sec_l_select(b, o.below_1, a, m_offset(b, x, -1));
  o.z = sec_l_select(b, o.below_1, m_offset(b, a, 1), x);
  o.near_u = m_at_most(b, o.u, 7);
  o.far = m_is(b, "oge", o.u, 7);
  o.log_z = sec_math_log_finite(b, o.z, o.single);
  o.inverse = m_div(b, one, o.z), o.square = m_mul(b, o.inverse, o.inverse);
  sec_lv part = m_sub(b, a, m_trunc(b, a));
  o.part = sec_l_select(b, m_is(b, "ogt", part, 0.5), m_sub(b, part, one), part);
  return o;
}

/* factor low(u) up to 2, else middle(u - 2) */
static sec_lv near_one(sec_builder *b, const operand *o, sec_lv factor, const rational *low, const rational *middle) {
  sec_lv u = o->near_u, v = m_offset(b, u, -2), is_low = m_is(b, "olt", u, 2);
  sec_lv over = m_mul(b, factor, m_poly(b, u, &low[!o->single].over));
  over = sec_l_select(b, is_low, over, m_poly(b, v, &middle[!o->single].over));
  sec_lv under = m_poly(b, u, &low[!o->single].under);
  return m_div(b, over, sec_l_select(b, is_low, under, m_poly(b, v, &middle[!o->single].under)));
}

static sec_lv narrowed(sec_builder *b, const operand *o, sec_lv r) {
  return o->single ? sec_l_cast(b, "arith.truncf", r, SEC_LT_F32) : r;
}

/* Below 1 lgamma(1 + x) - log x; below 0 -lgamma(1 - x) - log |sin(pi x)/pi|, infinite at whole numbers */
sec_lv sec_math_lgamma(sec_builder *b, const sec_lv *in) {
  operand o = take_apart(b, in[0]);
  sec_lv near = near_one(b, &o, sec_l_fma(b, o.near_u, o.near_u, m_neg(b, o.near_u)), lgamma_low, lgamma_middle);
  sec_lv series = m_poly(b, o.square, &lgamma_series[!o.single]);
  series = sec_l_fma(b, o.inverse, series, m_float(b, o.x, 0.418938533204672742)); /* log(2 pi)/2 - 1/2 */
  sec_lv far = sec_l_fma(b, m_offset(b, o.z, -0.5), m_offset(b, o.log_z, -1), series);
  sec_lv r = sec_l_select(b, o.far, far, near);
  sec_lv part = m_abs(b, o.part), square = m_mul(b, part, part);
  sec_lv sine = sec_l_fma(b, m_mul(b, part, square), m_poly(b, square, &sin_pi[!o.single]), part);
  sec_lv ratio = sec_l_select(b, o.below_0, sine, o.x);
  sec_lv moved = sec_l_select(b, o.below_0, m_neg(b, r), r);
  moved = m_sub(b, moved, sec_math_log_finite(b, ratio, o.single));
  moved = m_replace(b, m_is(b, "oeq", ratio, 0), INFINITY, moved);
  r = sec_l_select(b, o.below_1, moved, r);
  return narrowed(b, &o, m_replace(b, m_is(b, "oeq", m_abs(b, o.x), INFINITY), INFINITY, r));
}

/* Below 1 digamma(1 + x) - 1/x; below 0 digamma(1 - x) - pi cot(pi x), NaN at whole numbers */
sec_lv sec_math_digamma(sec_builder *b, const sec_lv *in) {
  operand o = take_apart(b, in[0]);
  sec_lv factor = m_offset(b, m_offset(b, o.near_u, -zero_high), -zero_low);
  sec_lv near = near_one(b, &o, factor, digamma_low, digamma_middle);
  sec_lv series = m_mul(b, o.square, m_poly(b, o.square, &digamma_series[!o.single]));
  sec_lv far = m_sub(b, o.log_z, m_fma_c(b, o.inverse, 0.5, series));
  sec_lv r = sec_l_select(b, o.far, far, near), square = m_mul(b, o.part, o.part);
  sec_lv cotangent = sec_l_fma(b, square, m_poly(b, square, &cot_pi[!o.single]), m_float(b, o.x, 1));
  sec_lv over = sec_l_select(b, o.below_0, cotangent, m_float(b, o.x, -1));
  sec_lv under = sec_l_select(b, o.below_0, o.part, o.x);
  sec_lv moved = m_add(b, r, m_div(b, over, under));
  moved = m_replace(b, m_is(b, "oeq", under, 0), NAN, moved);
  r = sec_l_select(b, o.below_1, moved, r);
  return narrowed(b, &o, m_replace(b, m_is(b, "oeq", o.x, INFINITY), INFINITY, r));
}
