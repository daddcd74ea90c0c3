/* The error function, its complement and its inverse, on [0, 1] ndtri; Dawson's integral. */
#include "math_library.h"

/* erf(x)/x - 1 as a polynomial in z = x^2, |x| <= 1: own fits by interpolation at Chebyshev nodes
 * (mpmath); errors 1.3e-9 and 1.3e-19. */
static const sec_poly erf_poly[2] = {
  {7,
   {7.875875063e-5, -0.0008016864287, 0.005189087423, -0.02685421201, 0.1128359472, -0.3761262667,
    0.1283791658}},
  {13,
   {5.9571761477489114e-11, -1.13728488567916737e-9, 1.46597752740474358e-8, -1.6350312701054695e-7,
    1.6461000484121368e-6, -0.0000149255952668311816, 0.000120553311116427109,
    -0.000854832698083378991, 0.00522397762481801447, -0.0268661706450767932, 0.112837916709548787,
    -0.376126389031837481, 0.128379167095512574}},
};

/* erfc(t + 2.46875) for f32 erf on [1, 3.9375]: own fit as above, absolute error 8e-9. */
static const sec_poly erfc_single_poly = {
  15,
  {-1.050337914e-6, -1.808846041e-7, 1.7007878e-5, -2.320132735e-5, -7.728914569e-5,
   0.0002936681382, -0.0003336766714, -0.0004843693613, 0.002909050145, -0.00664554703,
   0.009619819749, -0.009490763135, 0.006280957442, -0.002544105428, 0.0004806047088}};

/* (1 + 2x) e^(x^2) erfc(x) in q = (x - k)/(x + k): the form of Shepherd and Laframboise (Math.
 * Comp. 36, 1981). Own fits: k = 2, x in [1/2, 11], error 6e-9; k = 3, x in [1/2, 28], error 5e-18.
 */
static const sec_poly erfcx_poly[2] = {
  {10,
   {-0.0002195370394, -0.001258982813, 0.001141451725, 0.008653858448, -0.008004377811,
    -0.05420993979, 0.1640486368, -0.1660309276, -0.09276376275, 1.276978386}},
  {22, {-1.54105529247466698e-8,  2.29239300992189896e-8,  1.1177528463195771e-7,
        -1.21692406276396537e-7,  -6.29912910328254137e-7, 3.44825369682477919e-7,
        3.48168698345204623e-6,   -7.2706031098829302e-7,  -0.000020104454851557475,
        4.94845353391924817e-6,   0.000125100373138233607, -0.000105159652247351902,
        -0.000779832439879313293, 0.00188869034660493786,  0.00252939183267518599,
        -0.0237705149180364438,   0.0683080273430707668,   -0.119273663415324318,
        0.129645158702783495,     -0.0475622943534505761,  -0.135621106124581343,
        1.25300805826972965}},
};

/* erf_inv(x)/x as a function of w = -log(1 - x^2), in pieces (M. Giles, "Approximating the erfinv
 * function", GPU Computing Gems 2, 2010); the coefficients are own fits by interpolation at
 * Chebyshev nodes. f32: w for w < 5, sqrt(w) - 3.125 beyond; errors 6e-9 and 1e-8. */
static const sec_poly erf_inv_single[2] = {
  {10,
   {-8.93192597e-9, 2.243043015e-7, -2.008271339e-6, 4.150663237e-6, 4.404880433e-5,
    -0.0001265394743, -0.002335270595, 0.01154916512, 0.2320137128, 0.8862269242}},
  {10,
   {0.0001159532099, -0.0001794125114, -0.0003012326858, 0.001319045393, -0.002532902309,
    0.003777836032, -0.005298673613, 0.007049594853, 1.003718579, 2.958320121}},
};
/* f64: w - 3.125 for w < 6.25, sqrt(w) - 3.25 for w < 16, sqrt(w) - 5 beyond; errors below 8e-18.
 */
static const sec_poly erf_inv_double[3] = {
  {25, {-3.59320289270206953e-22, 3.19401554813627109e-21,   1.99925998886153488e-20,
        -3.4734793888538035e-19,  6.07505070207241388e-19,   1.55107870099025245e-17,
        -1.22156371924041723e-16, -3.94018812230432014e-17,  6.52133351150223846e-15,
        -4.00200310875584951e-14, -8.07192593899004068e-14,  2.63052683125951831e-12,
        -1.29788053699325656e-11, -5.41430328391950441e-11,  1.05122337705042902e-9,
        -4.1126604371632182e-9,   -2.90703912756413195e-8,   4.23478816822245958e-7,
        -1.36546917587856571e-6,  -0.0000138825233939574822, 0.000186734208019811867,
        -0.000740702534154643122, -0.00603367087142685108,   0.240158182425588342,
        1.65365456268310271}},
  {21, {7.68020047907705274e-9,   -1.53053979641525482e-8,   -2.09145333477312597e-8,
        1.3158663683192966e-7,    -2.45498189633398225e-7,   -2.76171622381624125e-8,
        1.48159778740225387e-6,   -3.98570594564817333e-6,   2.93257845538534997e-6,
        0.0000124650282242174553, -0.0000473206806654469684, 0.0000682871173925195572,
        0.0000240315128657583563, -0.000355037813785245177,  0.000953289341579413721,
        -0.00168827553544885554,  0.00249144209795696039,    -0.00375120850822473403,
        0.00537091455355503303,   1.00525896769416538,       3.08388561049222068}},
  {19,
   {-1.96893170196224187e-11, 4.28830639274870582e-11, 6.64614473432584159e-11,
    -4.3752073162016195e-10, 1.3217356090705065e-9, -3.471592786518304e-9, 7.81570102884222184e-9,
    -1.525464535688987e-8, 2.90219878091001634e-8, -6.75565041143005642e-8, 2.29051678048671492e-7,
    -9.93029274060690002e-7, 4.52605274379095043e-6, -0.0000196817707190436774,
    0.0000759952780760477616, -0.000215030119826562735, -0.000138719318379390186,
    1.01030046486454532, 4.84990640140858434}},
};

/* Goes on for ndtri, in sqrt(w) - 7 for 4 <= sqrt(w) <= 10.25 and in sqrt(w) - 6 up to 27.35: errors 8e-9 and 1e-17. */
static const sec_poly ndtri_single_tail =
  {11, {3.021722146e-10, -2.430693505e-9, 8.213517295e-9, -4.232595177e-8, 3.118321961e-7, -1.669319076e-6,
      6.072361697e-6, 6.370129892e-6, -0.0005126807756, 1.008595581, 6.869019657}};
static const rational ndtri_tail = {
  {11, {2.82235626627110921e-12, 1.13584184987857424e-9, 1.49278478800202278e-7, 9.09889840665462828e-6,
      0.000300066398371927232, 0.00581580958919558473, 0.0691310911643614173, 0.509431472242788389,
      2.2685328816746684, 5.59207205825343134, 5.85991314394624507}},
  {10, {2.82235498672561837e-12, 1.11890977143123824e-9, 1.42574448882614652e-7, 8.2463157485009308e-6,
      0.000250881060491351072, 0.00432402646706095672, 0.0435061596501803441, 0.252476772264739007,
      0.782002535462163207, 1.0}}};

/* Dawson's integral D: D(x)/x in x^2 for |x| <= 2, then D(x) in x - 3 and x - 5 (f32: x - 3) up to 6 (f32: 4), then
 * 2x D(x) in 1/x^2.  Own fits as above; errors at most 5e-9 and 3e-17. */
static const rational dawsn_near[2] = {
  {{6, {-6.420595614e-6, 0.0002471919397, -0.003985366879, 0.04759875057, -0.1902307133, 0.9999999993}},
   {5, {0.0005752977325, 0.01085866837, 0.09855634154, 0.4764359172, 1.0}}},
  {{9, {3.02387340299207451e-10, -2.57029134279309805e-8, 1.06760791602074253e-6, -0.0000246408238440925787,
       0.000488196458987715511, -0.00468669496791105751, 0.0522945028941735176, -0.181771504680199304, 1.0}},
   {8, {5.58421424271574215e-8, 2.98351847489133486e-6, 0.0000793016363321948947, 0.00132542529288457784,
       0.0147925897274322065, 0.108891277551812865, 0.484895161986467628, 1.0}}},
};
static const sec_poly dawsn_single_middle =
  {13, {1.150970365e-5, -3.131588211e-5, -8.218622972e-6, 0.0001875785925, -0.000485618614, 0.0006228677933,
      5.546329483e-5, -0.002351485568, 0.006892504621, -0.01479765759, 0.03060752441, -0.06962618114,
      0.1782710306}};
static const sec_poly dawsn_middle[2] = {
  {24, {-4.3759981903335636e-11, -3.82875310143425871e-11, 8.80393814351018482e-10, -1.28577237597448586e-9,
      -6.07471773821979168e-9, 2.88481759707474346e-8, -2.77981720625737763e-8, -1.73201268003337277e-7,
      7.54897642773981127e-7, -8.81670881876691517e-7, -3.01609424689432932e-6, 0.0000152214128455561974,
      -0.0000260598893898166773, -0.0000131493281939037028, 0.000182777449297518415, -0.000482585586533563488,
      0.000625258224910608312, 0.0000545676544111583932, -0.00235210674908663073, 0.00689261728535343367,
      -0.0147975849834152918, 0.0306075203794913888, -0.069626183663349724, 0.178271030610558286}},
  {20, {1.34531832730812774e-12, -1.10279786187258857e-11, 3.72003311530693776e-11, -6.75204388193091046e-11,
      2.90365873778956208e-11, 3.58926206265234603e-10, -2.01748518895850331e-9, 7.61174697637586416e-9,
      -2.49442397334863292e-8, 7.90285034852260361e-8, -2.57948353764251561e-7, 8.946073063922372e-7,
      -3.31226949079684926e-6, 0.0000129829165245815751, -0.0000533216392706973704, 0.000227659446973343066,
      -0.0010049931367043332, 0.00456964678956508098, -0.0213407442427683538, 0.102134074424276835}},
};
static const rational dawsn_far[2] = {
  {{4, {2.800820882, 12.32068286, -9.2705779, 0.9999999978}},
   {3, {16.45640596, -9.770580381, 1.0}}},
  {{6, {-455.951423643067232, 2272.8659757204992, -1689.76722438553524, 402.41280872718955,
       -35.5791244563611468, 1.0}},
   {6, {-1108.02556245089768, 2956.39208710385986, -1874.43406651329822, 419.702370955355705,
       -36.0791244563611365, 1.0}}},
};

/* erfc(a) for f64 a >= 1/2; `single`: right to f32.  The quotient P/(1 + 2a) carries its error
 * along. */
static sec_lv erfc_positive(sec_builder *b, sec_lv a, bool single) {
  double k = single ? 2 : 3;
  a = m_at_most(b, a, single ? 11 : 28); /* erfc is zero beyond */
  sec_lv square = m_mul(b, a, a), lost = m_fnma(b, a, a, square);
  sec_lv e = sec_math_exp_sum(b, m_neg(b, square), lost, single);
  sec_lv q = m_div(b, m_offset(b, a, -k), m_offset(b, a, k));
  sec_lv below = m_fma_c(b, a, 2, m_float(b, a, 1));
  sec_poly head = erfcx_poly[!single]; /* all but the last coefficient, which is added with care */
  sec_lv last = m_float(b, a, head.c[--head.n]), tail = m_mul(b, q, m_poly(b, q, &head));
  sec_lv p = m_add(b, last, tail);
  if (single) return m_mul(b, e, m_div(b, p, below));
  sec_lv p_lost = m_sub(b, tail, m_sub(b, p, last));
  sec_lv below_lost = m_fma_c(b, a, 2, m_sub(b, m_float(b, a, 1), below));
  sec_lv inverse = m_div(b, m_float(b, a, 1), below), w = m_mul(b, p, inverse);
  sec_lv residual = m_add(b, m_fnma(b, w, below, p), m_fnma(b, w, below_lost, p_lost));
  return sec_l_fma(b, e, w, m_mul(b, e, m_mul(b, residual, inverse)));
}

/* erf |x| from the series below 1, from erfc above */
sec_lv sec_math_erf(sec_builder *b, const sec_lv *in) {
  sec_lv x = in[0], a = m_abs(b, x), z = m_mul(b, a, a), complement;
  sec_lv small = sec_l_fma(b, a, m_poly_pair(b, z, erf_poly), a);
  if (m_is_double(x)) complement = erfc_positive(b, a, false);
  else { /* erf rounds to 1 from 3.9375 on */
    sec_lv t = m_offset(b, m_at_most(b, a, 3.9375), -2.46875);
    complement = m_poly(b, t, &erfc_single_poly);
  }
  sec_lv large = m_sub(b, m_float(b, x, 1), complement);
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

/* e^(x^2) erfc(x): near 0 from erf's series, above 1/2 without the exponential, below -1/2 as 2 e^(x^2) less its
 * mirror image; from 28 on by the asymptotic series (DLMF 7.12.1).  f32 goes through f64, as for erfc. */
sec_lv sec_math_erfcx(sec_builder *b, const sec_lv *in) {
  static const sec_poly far_poly = {7, {162.421875, -29.53125, 6.5625, -1.875, 0.75, -0.5, 1}};
  bool single = !m_is_double(in[0]);
  sec_lv x = single ? sec_l_cast(b, "arith.extf", in[0], SEC_LT_F64) : in[0];
  sec_lv a = m_abs(b, x), one = m_float(b, x, 1), low = m_at_most(b, a, 28), k = m_float(b, x, single ? 2 : 3);
  if (single) low = m_at_most(b, a, 11);
  sec_lv square = m_mul(b, low, low), lost = m_neg(b, m_fnma(b, low, low, square));
  sec_lv e = sec_math_exp_sum(b, square, lost, single);
  sec_lv q = m_div(b, m_sub(b, low, k), m_add(b, low, k));
  sec_lv middle = m_div(b, m_poly(b, q, &erfcx_poly[!single]), m_fma_c(b, low, 2, one));
  sec_lv inverse = m_div(b, one, a), t = m_mul(b, inverse, inverse);
  sec_lv far = m_scale(b, m_mul(b, inverse, m_poly(b, t, &far_poly)), 0.564189583547756287);
  sec_lv large = sec_l_select(b, m_is(b, "olt", a, single ? 11 : 28), middle, far);
  sec_lv mirrored = m_sub(b, m_add(b, e, e), large);
  mirrored = m_replace(b, m_is(b, "olt", x, -26.7), INFINITY, mirrored);
  large = sec_l_select(b, m_is(b, "olt", x, 0), mirrored, large);
  sec_lv small = m_mul(b, e, m_fnma(b, x, m_poly(b, square, &erf_poly[!single]), m_sub(b, one, x)));
  sec_lv r = sec_l_select(b, m_is(b, "olt", a, 0.5), small, large);
  return single ? sec_l_cast(b, "arith.truncf", r, SEC_LT_F32) : r;
}

/* erf_inv(x)/x from w = -log(1 - x^2), for sqrt(w) <= 27.35 (f32: 10.25) with `tail` */
static sec_lv erf_inv_ratio(sec_builder *b, sec_lv remainder, bool tail) {
  sec_lv w = m_neg(b, sec_math_log(b, &remainder)), root = m_sqrt(b, w), p;
  if (m_is_double(w)) {
    sec_lv central = m_poly(b, m_offset(b, w, -3.125), &erf_inv_double[0]);
    sec_lv middle = m_poly(b, m_offset(b, root, -3.25), &erf_inv_double[1]);
    p = m_poly(b, m_offset(b, root, -5), &erf_inv_double[2]);
    if (tail) p = sec_l_select(b, m_is(b, "olt", root, 6), p, m_rational(b, m_offset(b, root, -6), &ndtri_tail));
    p = sec_l_select(b, m_is(b, "olt", w, 16), middle, p);
    p = sec_l_select(b, m_is(b, "olt", w, 6.25), central, p);
  } else {
    sec_lv central = m_poly(b, w, &erf_inv_single[0]);
    p = m_poly(b, m_offset(b, root, -3.125), &erf_inv_single[1]);
    if (tail) p = sec_l_select(b, m_is(b, "olt", w, 16), p, m_poly(b, m_offset(b, root, -7), &ndtri_single_tail));
    p = sec_l_select(b, m_is(b, "olt", w, 5), central, p);
  }
  return m_replace(b, m_is(b, "oeq", w, INFINITY), INFINITY, p);
}

sec_lv sec_math_erf_inv(sec_builder *b, const sec_lv *in) {
  sec_lv remainder = m_fnma(b, in[0], in[0], m_float(b, in[0], 1));
  return m_mul(b, erf_inv_ratio(b, remainder, false), in[0]);
}

/* sqrt(2) erf_inv(2p - 1), where 1 - (2p - 1)^2 = 4p (1 - p) */
sec_lv sec_math_ndtri(sec_builder *b, const sec_lv *in) {
  sec_lv p = in[0], one = m_float(b, p, 1);
  sec_lv ratio = erf_inv_ratio(b, m_mul(b, m_scale(b, p, 4), m_sub(b, one, p)), true);
  return m_mul(b, ratio, m_scale(b, m_fma_c(b, p, 2, m_neg(b, one)), 1.41421356237309505));
}

sec_lv sec_math_dawsn(sec_builder *b, const sec_lv *in) {
  sec_lv x = m_abs(b, in[0]), square = m_mul(b, x, x), middle;
  bool single = !m_is_double(x);
  sec_lv near = m_mul(b, x, m_rational(b, square, &dawsn_near[!single]));
  if (single) middle = m_poly(b, m_offset(b, x, -3), &dawsn_single_middle);
  else {
    sec_lv lower = m_poly(b, m_offset(b, x, -3), &dawsn_middle[0]);
    sec_lv upper = m_poly(b, m_offset(b, x, -5), &dawsn_middle[1]);
    middle = sec_l_select(b, m_is(b, "olt", x, 4), lower, upper);
  }
  sec_lv inverse = m_div(b, m_float(b, x, 1), x);
  sec_lv far = m_mul(b, m_scale(b, inverse, 0.5), m_rational(b, m_mul(b, inverse, inverse), &dawsn_far[!single]));
  sec_lv r = sec_l_select(b, m_is(b, "olt", x, single ? 4 : 6), middle, far);
  return m_copysign(b, sec_l_select(b, m_is(b, "olt", x, 2), near, r), in[0]);
}
