/* sin, cos and tan: |x| = q pi/2 + r, |r| <= pi/4, then two short polynomials in r.
 * Up to `fast_limit` the reduction subtracts q pi/2 in three parts by fused multiply-adds (Cody and
 * Waite 1980): the first is exact, and the parts together hold more digits than can cancel.
 * Beyond, under a branch taken if any lane needs it, a runtime function does it
 * (backends/cpu/rt_trig.c). */
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

/* |x| = q pi/2 + r; of `quadrant`, an integer of r's width, the low two bits count, q or q + 1
 * modulo 4. */
typedef struct reduced {
  sec_lv r, quadrant;
} reduced;

static double fast_limit(sec_lv x) { return m_pick(x, 0x1p20, 0x1p28); }

/* For 0 <= x <= fast_limit(x); an infinite x gives a NaN r.  The quadrant is q + turn. */
static reduced reduce_fast(sec_builder *b, sec_lv x, int turn) {
  double c = ldexp(1.5, m_fraction_bits(x.type)) + turn; /* leaves q + turn in the sum's low bits */
  sec_lv t = m_fma_c(b, x, two_over_pi, m_float(b, x, c));
  sec_lv q = m_offset(b, t, -c);
  reduced d = {.r = x, .quadrant = m_bits(b, t)};
  for (int i = 0; i < 3; i++) d.r = m_fma_c(b, q, -half_pi[m_is_double(x)][i], d.r);
  return d;
}

static void append_ids(sec_builder *b, const sec_lv *v, int n) {
  for (int i = 0; i < n; i++) sec_text_append(b->out, "%s%%v%u", i ? ", " : "", v[i].id);
}

static void append_types(sec_builder *b, const sec_lv *v, int n) {
  char buffer[40];
  for (int i = 0; i < n; i++)
    sec_text_append(b->out, "%s%s", i ? ", " : "", sec_b_type(b, v[i].type, buffer));
}

/* Stores to or loads from the `field`th array of the block, each as long as x: x, r and q. */
static void access_block(sec_builder *b, const char *op, uint32_t block, int field, sec_lv v) {
  char type[40];
  int bytes = sec_lt_bits(v.type) / 8;
  uint32_t at = b->next_id++;
  bool store = op[0] == 's';
  sec_text_append(b->out, "%%v%u = llvm.getelementptr %%v%u[%d] : (!llvm.ptr) -> !llvm.ptr, i8\n",
                  at, block, 8 + field * b->lanes * bytes);
  if (!store) sec_text_append(b->out, "%%v%u = ", v.id);
  sec_text_append(b->out, "llvm.%s ", op);
  if (store) sec_text_append(b->out, "%%v%u, ", v.id);
  sec_text_append(b->out, "%%v%u {alignment = %d : i64} : ", at, bytes);
  sec_b_type(b, v.type, type);
  if (store) sec_text_append(b->out, "%s, !llvm.ptr\n", type);
  else sec_text_append(b->out, "!llvm.ptr -> %s\n", type);
}

/* The reduction of x > fast_limit(x) by a runtime function; other lanes give an arbitrary value, a
 * NaN for an infinite x.  The block is that of backends/cpu/rt_trig.c. */
static reduced reduce_large(sec_builder *b, sec_lv x) {
  int bytes = 8 + 3 * b->lanes * sec_lt_bits(x.type) / 8;
  uint32_t stack = b->next_id++, lanes = b->next_id++, words = b->next_id++, block = b->next_id++;
  sec_text_append(b->out,
                  "%%v%u = llvm.intr.stacksave : !llvm.ptr\n"
                  "%%v%u = arith.constant %d : i64\n"
                  "%%v%u = arith.constant %d : i64\n"
                  "%%v%u = llvm.alloca %%v%u x i64 : (i64) -> !llvm.ptr\n"
                  "llvm.store %%v%u, %%v%u : i64, !llvm.ptr\n",
                  stack, lanes, b->lanes, words, (bytes + 7) / 8, block, words, lanes, block);
  access_block(b, "store", block, 0, x);
  sec_text_append(b->out,
                  "llvm.call @sec_rt_reduce_%s(%%v%u, %%v%u) : (!llvm.ptr, !llvm.ptr) -> ()\n",
                  sec_lt_name(x.type), block, block);
  reduced d = {.r = sec_b_new(b, x.type), .quadrant = sec_b_new(b, m_int_type(x.type))};
  access_block(b, "load", block, 1, d.r);
  access_block(b, "load", block, 2, d.quadrant);
  sec_text_append(b->out, "llvm.intr.stackrestore %%v%u : !llvm.ptr\n", stack);
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

/* For a >= 0 or NaN.  The quadrant is q + turn. */
static reduced reduce(sec_builder *b, sec_lv a, int turn) {
  reduced fast = reduce_fast(b, a, turn), result;
  sec_lv large = m_is(b, "ogt", a, fast_limit(a)), any = m_any(b, large);
  result.r = sec_b_new(b, fast.r.type);
  result.quadrant = sec_b_new(b, fast.quadrant.type);
  sec_lv v[] = {result.r, result.quadrant};
  append_ids(b, v, 2);
  sec_text_append(b->out, " = scf.if %%v%u -> (", any.id);
  append_types(b, v, 2);
  sec_text_append(b->out, ") {\n");
  reduced slow = reduce_large(b, a);
  if (turn) slow.quadrant = m_iadd(b, slow.quadrant, m_int(b, slow.quadrant, turn));
  slow.r = sec_l_select(b, large, slow.r, fast.r);
  slow.quadrant = sec_l_select(b, large, slow.quadrant, fast.quadrant);
  yield(b, slow);
  sec_text_append(b->out, "} else {\n");
  yield(b, fast);
  sec_text_append(b->out, "}\n");
  return result;
}

static sec_lv odd_quadrant(sec_builder *b, sec_lv quadrant) {
  sec_lv bit = m_and(b, quadrant, m_int(b, quadrant, 1));
  return sec_l_cmpi(b, "ne", bit, m_int(b, bit, 0));
}

/* odd ? cos r : sin r; that is base + base z P(z) with base 1 or r. */
static sec_lv sin_or_cos(sec_builder *b, sec_lv r, sec_lv odd) {
  sec_lv z = m_mul(b, r, r), base = sec_l_select(b, odd, m_float(b, r, 1), r);
  sec_lv p = sec_l_select(b, odd, m_poly_pair(b, z, cos_poly), m_poly_pair(b, z, sin_poly));
  return sec_l_fma(b, m_mul(b, base, z), p, base);
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
  reduced d = reduce(b, m_abs(b, in[0]), 0);
  sec_lv y = sin_or_cos(b, d.r, odd_quadrant(b, d.quadrant));
  return flip_sign(b, y, m_xor(b, upper_half(b, d.quadrant), m_bits(b, in[0])));
}

/* sin, one quadrant on */
sec_lv sec_math_cos(sec_builder *b, const sec_lv *in) {
  reduced d = reduce(b, m_abs(b, in[0]), 1);
  sec_lv y = sin_or_cos(b, d.r, odd_quadrant(b, d.quadrant));
  return flip_sign(b, y, upper_half(b, d.quadrant));
}

/* tan = sin/cos, or -cos/sin in odd quadrants.  Both come with what their last addition lost, and
 * so does the quotient, which leaves the error of r. */
sec_lv sec_math_tan(sec_builder *b, const sec_lv *in) {
  reduced d = reduce(b, m_abs(b, in[0]), 0);
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
