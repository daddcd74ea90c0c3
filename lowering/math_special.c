/* The error function, its complement and its inverse. */
#include "math_library.h"

/* f32 erf(x)/x = P(z)/Q(z), z = x^2 <= 15.4: own rational fit (linearised least squares with Lawson's
 * weights, mpmath); relative error 2.2e-9. */
static const sec_poly erf_numerator = {
  6, {6.592635369e-6, 0.0004058518343, 0.004195053505, 0.05558536054, 0.1924639654, 1.12837917}};
static const sec_poly erf_denominator = {
  7, {2.492192591e-7, 7.11405867e-5, 0.001407784819, 0.01621455028, 0.1172273898, 0.5039001702, 1.0}};

/* erf(x)/x - 1 as a polynomial in z = x^2: own fits by interpolation at Chebyshev nodes; right to f32 on
 * |x| <= 1/2 (error 8e-10) and to f64 on |x| <= 1 (1.3e-19). */
static const sec_poly erf_poly[2] = {
  {6, {-0.0006933527665, 0.005136527572, -0.02684390014, 0.1128353312, -0.3761262787,
       0.1283791663}},
  {13, {5.9571761477489114e-11, -1.13728488567916737e-9, 1.46597752740474358e-8,
        -1.6350312701054695e-7, 1.6461000484121368e-6, -0.0000149255952668311816,
        0.000120553311116427109, -0.000854832698083378991, 0.00522397762481801447,
        -0.0268661706450767932, 0.112837916709548787, -0.376126389031837481,
        0.128379167095512574}},
};

/* (1 + 2x) e^(x^2) erfc(x) in q = (x - k)/(x + k): the form of Shepherd and Laframboise (Math. Comp. 36, 1981).
 * Own fits: k = 2, x in [1/2, 11], error 6e-9; k = 3, x in [1/2, 28], error 5e-18. */
static const sec_poly erfcx_poly[2] = {
  {10, {-0.0002195370394, -0.001258982813, 0.001141451725, 0.008653858448, -0.008004377811,
        -0.05420993979, 0.1640486368, -0.1660309276, -0.09276376275, 1.276978386}},
  {22, {-1.54105529247466698e-8, 2.29239300992189896e-8, 1.1177528463195771e-7,
        -1.21692406276396537e-7, -6.29912910328254137e-7, 3.44825369682477919e-7,
        3.48168698345204623e-6, -7.2706031098829302e-7, -0.000020104454851557475,
        4.94845353391924817e-6, 0.000125100373138233607, -0.000105159652247351902,
        -0.000779832439879313293, 0.00188869034660493786, 0.00252939183267518599,
        -0.0237705149180364438, 0.0683080273430707668, -0.119273663415324318, 0.129645158702783495,
        -0.0475622943534505761, -0.135621106124581343, 1.25300805826972965}},
};

/* erf_inv(x)/x as a function of w = -log(1 - x^2), in pieces (M. Giles, "Approximating the erfinv
 * function", GPU Computing Gems 2, 2010); the coefficients are own fits by interpolation at Chebyshev nodes.
 * f32: w - 2.5 for w < 5, sqrt(w) - 3.125 beyond; errors 6e-9 and 1e-8. */
static const sec_poly erf_inv_single[2] = {
  {10, {-8.93192597e-9, 2.33359672e-8, 4.681313481e-7, -3.463985268e-6, -4.972419689e-6,
        0.0002183493862, -0.001252726392, -0.004177392875, 0.2466402791, 1.50140936}},
  {10, {0.0001159532099, -0.0001794125114, -0.0003012326858, 0.001319045393, -0.002532902309,
        0.003777836032, -0.005298673613, 0.007049594853, 1.003718579, 2.958320121}},
};
/* f64: w - 3.125 for w < 6.25, sqrt(w) - 3.25 for w < 16, sqrt(w) - 5 beyond; errors below 3e-16. */
static const sec_poly erf_inv_double[3] = {
  {23, {-2.36236969856610742e-22, -1.67873306152567719e-19, 1.10277715915000329e-18,
        1.11257947593794649e-17, -1.29070235461307304e-16, 2.16699462628357397e-17,
        6.58195530592923886e-15, -4.05541397468860051e-14, -8.10659445643849512e-14,
        2.63357249246084841e-12, -1.29775052020149665e-11, -5.4154417754696635e-11,
        1.05122024401217841e-9, -4.11263310429761391e-9, -2.90703866601914295e-8,
        4.2347877672780653e-7, -1.36546917965920684e-6, -0.0000138825233612768762,
        0.000186734208021242716, -0.000740702534166940108, -0.0060336708714270113,
        0.24015818242558971, 1.65365456268310271}},
  {19, {-3.83103994607241138e-10, 9.07195057102992253e-8, -2.68609757255714609e-7,
        1.83239998813285777e-8, 1.49582631529849174e-6, -4.01394639819029188e-6,
        2.92737221159869259e-6, 0.0000124753434743769308, -0.0000473195291833718902,
        0.0000682848405229292337, 0.0000240313632454405481, -0.000355037518630697601,
        0.000953289352111817776, -0.0016882755561681803, 0.00249144209761988121,
        -0.00375120850756385379, 0.00537091455355819832, 1.0052589676941592, 3.08388561049222068}},
  {17, {-1.44320448311159066e-11, -2.54803001897965288e-10, 1.45745832262692821e-9,
        -3.79208595328534989e-9, 7.69642300734655264e-9, -1.4956453335334019e-8,
        2.90803877523271722e-8, -6.77144490971277032e-8, 2.29036139453764367e-7,
        -9.92981842618670688e-7, 4.52605471818434163e-6, -0.0000196817782669244937,
        0.0000759952780029749494, -0.000215030119287845975, -0.000138719318381975194,
        1.01030046486453413, 4.84990640140858439}},
};

/* erfc(a) for f64 a >= 1/2; `single`: right to f32. */
static sec_lv erfc_positive(sec_builder *b, sec_lv a, bool single) {
  double k = single ? 2 : 3;
  a = m_at_most(b, a, single ? 11 : 28); /* erfc is zero beyond */
  sec_lv square = m_mul(b, a, a), lost = m_fnma(b, a, a, square);
  sec_lv e = sec_math_exp_sum(b, m_neg(b, square), lost, single);
  sec_lv q = m_div(b, m_offset(b, a, -k), m_offset(b, a, k));
  sec_lv denominator = m_fma_c(b, a, 2, m_float(b, a, 1));
  return m_mul(b, e, m_div(b, m_poly(b, q, &erfcx_poly[!single]), denominator));
}

static sec_lv erf_single(sec_builder *b, sec_lv x) {
  /* erf rounds to 1 from the clamp on */
  sec_lv c = m_at_least(b, m_at_most(b, x, 3.925), -3.925), z = m_mul(b, c, c);
  sec_lv r = m_div(b, m_mul(b, c, m_poly(b, z, &erf_numerator)), m_poly(b, z, &erf_denominator));
  return m_at_least(b, m_at_most(b, r, 1), -1);
}

sec_lv sec_math_erf(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0];
  if (!m_is_double(x)) return erf_single(b, x);
  sec_lv a = m_abs(b, x), z = m_mul(b, a, a);
  sec_lv small = sec_l_fma(b, a, m_poly(b, z, &erf_poly[1]), a);
  sec_lv large = m_sub(b, m_float(b, x, 1), erfc_positive(b, a, false));
  return m_copysign(b, sec_l_select(b, m_is(b, "olt", a, 1), small, large), x);
}

/* erfc of f32 is computed in f64: it needs the exponential of -x^2 to more digits than f32 has. */
sec_lv sec_math_erfc(sec_builder *b, const sec_lv *in) {
  bool single = !m_is_double(in[0]);
  sec_lv x = single ? sec_l_cast(b, "arith.extf", in[0], SEC_LT_F64) : in[0];
  sec_lv a = m_abs(b, x), z = m_mul(b, x, x), one = m_float(b, x, 1);
  sec_lv small = m_fnma(b, x, m_poly(b, z, &erf_poly[!single]), m_sub(b, one, x));
  sec_lv large = erfc_positive(b, a, single);
  large = sec_l_select(b, m_is(b, "olt", x, 0), m_sub(b, m_float(b, x, 2), large), large);
  sec_lv r = sec_l_select(b, m_is(b, "olt", a, 0.5), small, large);
  return single ? sec_l_cast(b, "arith.truncf", r, SEC_LT_F32) : r;
}

sec_lv sec_math_erf_inv(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0], remainder = m_fnma(b, x, x, m_float(b, x, 1));
  sec_lv w = m_neg(b, sec_math_log(b, &remainder)), root = m_sqrt(b, w), p;
  if (m_is_double(x)) {
    sec_lv central = m_poly(b, m_offset(b, w, -3.125), &erf_inv_double[0]);
    sec_lv middle = m_poly(b, m_offset(b, root, -3.25), &erf_inv_double[1]);
    sec_lv tail = m_poly(b, m_offset(b, root, -5), &erf_inv_double[2]);
    p = sec_l_select(b, m_is(b, "olt", w, 16), middle, tail);
    p = sec_l_select(b, m_is(b, "olt", w, 6.25), central, p);
  } else {
    sec_lv central = m_poly(b, m_offset(b, w, -2.5), &erf_inv_single[0]);
    sec_lv tail = m_poly(b, m_offset(b, root, -3.125), &erf_inv_single[1]);
    p = sec_l_select(b, m_is(b, "olt", w, 5), central, tail);
  }
  p = m_replace(b, m_is(b, "oeq", w, INFINITY), INFINITY, p);
  return m_mul(b, p, x);
}
