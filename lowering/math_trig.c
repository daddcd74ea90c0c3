/* sin, cos and tan: |x| = q pi/2 + r, |r| <= pi/4, then two short polynomials in r.
 * Up to `fast_limit` the reduction subtracts q pi/2 in three parts by fused multiply-adds (Cody and
 * Waite 1980): the first is exact, and the parts together hold more digits than can cancel.
 * Beyond, under a branch taken if any lane needs it, x times a window of the bits of 2/pi
 * (Payne and Hanek 1983) in integer arithmetic. */
#include "math_library.h"

/* (sin(r)/r - 1) / z and (cos(r) - 1) / z with z = r^2, |r| <= 0.7864: own fits by interpolation at
 * Chebyshev nodes (mpmath); errors 1.2e-8 and 8e-10, 1.3e-17 and 5e-19. */
static const sec_poly sin_poly[2] = {
  {3, {-0.0001958721751, 0.00833274515, -0.1666666465}},
  {6,
   {1.59177540331726356e-10, -2.50511266294034822e-8, 2.75573160774939748e-6,
    -0.000198412698367102006, 0.00833333333333091647, -0.166666666666666646}},
};
static const sec_poly cos_poly[2] = {
  {4, {2.45472673e-5, -0.001388829991, 0.04166666464, -0.5}},
  {7,
   {-1.13823976647893079e-11, 2.08761430055881305e-9, -2.7557317256053664e-7,
    0.0000248015872987354266, -0.00138888888888873772, 0.0416666666666666654, -0.5}},
};

static const double two_over_pi = 0x1.45f306dc9c883p-1;
/* pi/2 in parts of 24 and of 53 bits */
static const double half_pi[2][3] = {
  {0x1.921fb6p+0, -0x1.777a5cp-25, -0x1.ee59dap-50},
  {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110},
};

/* |x| = q pi/2 + r; the low two bits of `quadrant` are q mod 4, its type is the integer of r's
 * width. */
typedef struct reduced {
  sec_lv r, quadrant;
} reduced;

static double fast_limit(sec_lv x) { return m_pick(x, 0x1p20, 0x1p28); }

/* For 0 <= x <= fast_limit(x); an infinite x gives a NaN r. */
static reduced reduce_fast(sec_builder *b, sec_lv x) {
  double c = ldexp(1.5, m_fraction_bits(x.type)); /* leaves q in the low bits of the sum */
  sec_lv t = m_fma_c(b, x, two_over_pi, m_float(b, x, c));
  sec_lv q = m_offset(b, t, -c);
  reduced d = {.r = x, .quadrant = m_bits(b, t)};
  for (int i = 0; i < 3; i++) d.r = m_fma_c(b, q, -half_pi[m_is_double(x)][i], d.r);
  return d;
}

/* Payne and Hanek.  x = M 2^e, M an integer.  Of 2/pi the bits above weight 2^(2-e) only add
 * multiples of 4 to the quotient; a window from there on gives the fraction to within M 2^(2 - its
 * bits): 2^-137 for f64 and 2^-102 for f32, far below the 2^-62 and 2^-31 that separate a number
 * from a multiple of pi/2. */
enum { TABLE_DIGITS = 40, WINDOW_MAX = 6 };
typedef struct shape {
  int table;   /* digits of the table in use */
  int window;  /* digits of the window */
  int dropped; /* low bits of the f64 fraction that are zero: M has 53 - dropped bits */
} shape;
static const shape shapes[2] = {{10, 4, 29}, {TABLE_DIGITS, 6, 0}};
/* 64 zero bits, then the bits of 2/pi, in digits of 32 bits */
static const uint32_t two_over_pi_digits[TABLE_DIGITS] = {
  0,          0,          2734261102, 1313084713, 4230436817, 4113882560, 3680671129, 1011060801,
  4266746795, 3736847713, 3072618042, 1112396512, 105459434,  164729372,  4263373596, 2972297022,
  3900847605, 784024708,  3919343654, 3026157121, 965858873,  2203269620, 2625920907, 3187222587,
  536385535,  3724908559, 4012839307, 1510632735, 1832287951, 667617719,  1330003814, 2657085997,
  1965537991, 3957715323, 1023883767, 2320667370, 1811636145, 529358088,  1443049542, 4235946923};

/* An index constant; its id. */
static uint32_t index_constant(sec_builder *b, int value) {
  uint32_t id = b->next_id++;
  sec_text_append(b->out, "%%v%u = arith.constant %d : index\n", id, value);
  return id;
}

/* The scalar i64 over all lanes. */
static sec_lv splat(sec_builder *b, sec_lv scalar) {
  if (b->lanes == 1) return scalar;
  sec_lv r = sec_b_new(b, SEC_LT_I64);
  sec_text_append(b->out, "%%v%u = vector.broadcast %%v%u : i64 to vector<%dxi64>\n", r.id,
                  scalar.id, b->lanes);
  return r;
}

static void append_ids(sec_builder *b, const sec_lv *v, int n) {
  for (int i = 0; i < n; i++) sec_text_append(b->out, "%s%%v%u", i ? ", " : "", v[i].id);
}

static void append_types(sec_builder *b, const sec_lv *v, int n) {
  char buffer[40];
  for (int i = 0; i < n; i++)
    sec_text_append(b->out, "%s%s", i ? ", " : "", sec_b_type(b, v[i].type, buffer));
}

/* Defines digits[k] = table[start + k] of each lane: one loop over the table, with the digit's
 * place relative to the lane's start, in which each lane takes the digits that it needs. */
static void read_window(sec_builder *b, sec_lv start, const shape *p, sec_lv *digits) {
  int n = p->window + 1, n_carried = n + 1;
  uint32_t table = b->next_id++;
  sec_text_append(b->out, "%%v%u = arith.constant dense<[", table);
  for (int i = 0; i < p->table; i++)
    sec_text_append(b->out, "%s%u", i ? ", " : "", two_over_pi_digits[i]);
  sec_text_append(b->out, "]> : vector<%dxi64>\n", p->table);
  uint32_t from = index_constant(b, 0), to = index_constant(b, p->table);
  uint32_t step = index_constant(b, 1), j = b->next_id++;
  sec_lv zero = m_int(b, start, 0), place = m_isub(b, zero, start);
  sec_lv result[WINDOW_MAX + 2], carried[WINDOW_MAX + 2], next[WINDOW_MAX + 2];
  for (int i = 0; i < n_carried; i++) result[i] = sec_b_new(b, SEC_LT_I64);
  for (int i = 0; i < n_carried; i++) carried[i] = sec_b_new(b, SEC_LT_I64);
  append_ids(b, result, n_carried);
  sec_text_append(b->out, " = scf.for %%v%u = %%v%u to %%v%u step %%v%u iter_args(", j, from, to,
                  step);
  for (int i = 0; i < n_carried; i++)
    sec_text_append(b->out, "%s%%v%u = %%v%u", i ? ", " : "", carried[i].id,
                    i < n ? zero.id : place.id);
  sec_text_append(b->out, ") -> (");
  append_types(b, result, n_carried);
  sec_text_append(b->out, ") {\n");
  sec_lv digit = sec_b_new(b, SEC_LT_I64);
  sec_text_append(b->out, "%%v%u = vector.extract %%v%u[%%v%u] : i64 from vector<%dxi64>\n",
                  digit.id, table, j, p->table);
  digit = splat(b, digit);
  for (int i = 0; i < n; i++) {
    sec_lv here = sec_l_cmpi(b, "eq", carried[n], m_int(b, place, i));
    next[i] = sec_l_select(b, here, digit, carried[i]);
  }
  next[n] = m_iadd(b, carried[n], m_int(b, place, 1));
  sec_text_append(b->out, "scf.yield ");
  append_ids(b, next, n_carried);
  sec_text_append(b->out, " : ");
  append_types(b, next, n_carried);
  sec_text_append(b->out, "\n}\n");
  for (int i = 0; i < n; i++) digits[i] = result[i];
}

static sec_lv low_half(sec_builder *b, sec_lv i) { return m_and(b, i, m_int(b, i, 0xFFFFFFFF)); }

/* product += factor * window 2^(32 place), modulo 2^(32 n); n digits of 32 bits, most significant
 * first. */
static void accumulate(sec_builder *b, int n, const sec_lv *window, sec_lv factor, int place,
                       sec_lv *product) {
  sec_lv carry = m_int(b, factor, 0);
  for (int i = n - 1; i - place >= 0; i--) {
    sec_lv t = m_iadd(b, sec_l_binary(b, "arith.muli", window[i], factor), carry);
    t = m_iadd(b, t, product[i - place]);
    product[i - place] = low_half(b, t);
    carry = m_shr(b, t, 32);
  }
}

/* The remainder from the product, in units of pi/2 2^-62: `high` and below it `low`, both >= 0. */
static sec_lv remainder_from_bits(sec_builder *b, sec_lv high, sec_lv low) {
  sec_lv h = sec_l_cast(b, "arith.sitofp", m_shr(b, high, 32), SEC_LT_F64);
  sec_lv l = sec_l_cast(b, "arith.sitofp", low_half(b, high), SEC_LT_F64);
  sec_lv rest = sec_l_cast(b, "arith.sitofp", m_shr(b, low, 11), SEC_LT_F64);
  l = m_fma_c(b, rest, 0x1p-53, l);
  h = m_scale(b, h, 0x1p32);
  sec_lv sum = m_add(b, h, l), error = m_sub(b, l, m_sub(b, sum, h));
  const double *part = half_pi[1];
  sec_lv tail = m_fma_c(b, sum, part[1] * 0x1p-62, m_scale(b, error, part[0] * 0x1p-62));
  return m_fma_c(b, sum, part[0] * 0x1p-62, tail);
}

/* The reduction of a finite f64 x > 2^20, or of an f32 extended to f64; other lanes give an
 * arbitrary value. */
static reduced reduce_large(sec_builder *b, sec_lv x, const shape *p) {
  sec_lv i = m_bits(b, x);
  sec_lv m = m_or(b, m_and(b, i, m_int(b, i, 0xFFFFFFFFFFFFF)), m_int(b, i, (int64_t)1 << 52));
  if (p->dropped) m = m_shr(b, m, p->dropped);
  /* e = exponent - 1075 + dropped; the window starts at bit e - 2, after the 64 zero bits */
  sec_lv position = m_isub(b, m_shr(b, i, 52), m_int(b, i, 1075 - p->dropped + 2 - 64));
  sec_lv shift = m_and(b, position, m_int(b, i, 31));
  sec_lv digits[WINDOW_MAX + 1], window[WINDOW_MAX], product[WINDOW_MAX];
  read_window(b, m_shr(b, position, 5), p, digits);
  for (int k = 0; k < p->window; k++) { /* of two digits, shifted left, the upper 32 bits */
    sec_lv pair = m_or(b, m_shl(b, digits[k], 32), digits[k + 1]);
    window[k] = m_shr(b, sec_l_binary(b, "arith.shli", pair, shift), 32);
    product[k] = m_int(b, i, 0);
  }
  accumulate(b, p->window, window, low_half(b, m), 0, product);
  if (!p->dropped) accumulate(b, p->window, window, m_shr(b, m, 32), 1, product);
  sec_lv high = m_or(b, m_shl(b, product[0], 32), product[1]);
  sec_lv low = m_or(b, m_shl(b, product[2], 32), product[3]);
  /* the product is 4 times the quotient's fraction: two integer bits on top; round to nearest */
  sec_lv q = m_shr(b, m_iadd(b, high, m_int(b, i, (int64_t)1 << 61)), 62);
  high = m_isub(b, high, m_shl(b, q, 62));
  sec_lv sign = sec_l_binary(b, "arith.shrsi", high, m_int(b, i, 63)); /* 0 or -1 */
  reduced d = {.r = remainder_from_bits(b, m_xor(b, high, sign), m_xor(b, low, sign)),
               .quadrant = q};
  d.r = m_from_bits(b, m_xor(b, m_bits(b, d.r), m_shl(b, sign, 63)), SEC_LT_F64);
  return d;
}

static void yield(sec_builder *b, reduced d) {
  sec_lv v[] = {d.r, d.quadrant};
  sec_text_append(b->out, "scf.yield ");
  append_ids(b, v, 2);
  sec_text_append(b->out, " : ");
  append_types(b, v, 2);
  sec_text_append(b->out, "\n");
}

/* For a >= 0 or NaN. */
static reduced reduce(sec_builder *b, sec_lv a) {
  reduced fast = reduce_fast(b, a), result;
  sec_lv any = m_any(b, m_is(b, "ogt", a, fast_limit(a)));
  result.r = sec_b_new(b, fast.r.type);
  result.quadrant = sec_b_new(b, fast.quadrant.type);
  sec_lv v[] = {result.r, result.quadrant};
  append_ids(b, v, 2);
  sec_text_append(b->out, " = scf.if %%v%u -> (", any.id);
  append_types(b, v, 2);
  sec_text_append(b->out, ") {\n");
  sec_lv large = m_and(b, m_is(b, "ogt", a, fast_limit(a)), m_is(b, "olt", a, INFINITY));
  sec_lv wide = m_is_double(a) ? a : sec_l_cast(b, "arith.extf", a, SEC_LT_F64);
  reduced slow = reduce_large(b, wide, &shapes[m_is_double(a)]);
  if (!m_is_double(a)) {
    slow.r = sec_l_cast(b, "arith.truncf", slow.r, a.type);
    slow.quadrant = sec_l_cast(b, "arith.trunci", slow.quadrant, fast.quadrant.type);
  }
  slow.r = sec_l_select(b, large, slow.r, fast.r);
  slow.quadrant = sec_l_select(b, large, slow.quadrant, fast.quadrant);
  yield(b, slow);
  sec_text_append(b->out, "} else {\n");
  yield(b, fast);
  sec_text_append(b->out, "}\n");
  return result;
}

/* sin r = r + r z S(z) and cos r = 1 + z C(z) */
static sec_lv sin_reduced(sec_builder *b, sec_lv r, sec_lv z) {
  return sec_l_fma(b, m_mul(b, r, z), m_poly_pair(b, z, sin_poly), r);
}

static sec_lv cos_reduced(sec_builder *b, sec_lv z) {
  return sec_l_fma(b, z, m_poly_pair(b, z, cos_poly), m_float(b, z, 1));
}

static sec_lv odd_quadrant(sec_builder *b, sec_lv quadrant) {
  sec_lv bit = m_and(b, quadrant, m_int(b, quadrant, 1));
  return sec_l_cmpi(b, "ne", bit, m_int(b, bit, 0));
}

/* x with the sign bit of `bits` flipped in */
static sec_lv flip_sign(sec_builder *b, sec_lv x, sec_lv bits) {
  sec_lv sign = m_and(b, bits, m_int(b, bits, (int64_t)((uint64_t)1 << (sec_lt_bits(x.type) - 1))));
  return m_from_bits(b, m_xor(b, m_bits(b, x), sign), x.type);
}

/* Bit 1 of the quadrant, at the place of the sign. */
static sec_lv upper_half(sec_builder *b, sec_lv quadrant) {
  return m_shl(b, quadrant, sec_lt_bits(quadrant.type) - 2);
}

sec_lv sec_math_sin(sec_builder *b, const sec_lv *in) {
  reduced d = reduce(b, m_abs(b, in[0]));
  sec_lv z = m_mul(b, d.r, d.r), odd = odd_quadrant(b, d.quadrant);
  sec_lv y = sec_l_select(b, odd, cos_reduced(b, z), sin_reduced(b, d.r, z));
  return flip_sign(b, y, m_xor(b, upper_half(b, d.quadrant), m_bits(b, in[0])));
}

/* sin, one quadrant on */
sec_lv sec_math_cos(sec_builder *b, const sec_lv *in) {
  reduced d = reduce(b, m_abs(b, in[0]));
  sec_lv z = m_mul(b, d.r, d.r), odd = odd_quadrant(b, d.quadrant);
  sec_lv y = sec_l_select(b, odd, sin_reduced(b, d.r, z), cos_reduced(b, z));
  return flip_sign(b, y, upper_half(b, m_iadd(b, d.quadrant, m_int(b, d.quadrant, 1))));
}

/* tan = sin/cos, or -cos/sin in odd quadrants.  Both come with what their last addition lost, and
 * so does the quotient, which leaves the error of r. */
sec_lv sec_math_tan(sec_builder *b, const sec_lv *in) {
  reduced d = reduce(b, m_abs(b, in[0]));
  sec_lv r = d.r, z = m_mul(b, r, r), one = m_float(b, r, 1);
  sec_lv odd = odd_quadrant(b, d.quadrant);
  sec_lv s_tail = m_mul(b, m_mul(b, r, z), m_poly_pair(b, z, sin_poly)), s = m_add(b, r, s_tail);
  sec_lv c_tail = m_mul(b, z, m_poly_pair(b, z, cos_poly)), c = m_add(b, one, c_tail);
  sec_lv s_lost = m_sub(b, s_tail, m_sub(b, s, r)), c_lost = m_sub(b, c_tail, m_sub(b, c, one));
  sec_lv above = sec_l_select(b, odd, c, s), above_lost = sec_l_select(b, odd, c_lost, s_lost);
  sec_lv below = sec_l_select(b, odd, s, c), below_lost = sec_l_select(b, odd, s_lost, c_lost);
  sec_lv inverse = m_div(b, one, below), q = m_mul(b, above, inverse);
  sec_lv residual = m_add(b, m_fnma(b, q, below, above), m_fnma(b, q, below_lost, above_lost));
  q = sec_l_fma(b, residual, inverse, q);
  sec_lv sign = m_shl(b, d.quadrant, sec_lt_bits(r.type) - 1); /* odd quadrants change it */
  return flip_sign(b, q, m_xor(b, sign, m_bits(b, in[0])));
}
