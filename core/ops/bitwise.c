/* Bits: and or xor not shift_left shift_right_logical shift_right_arithmetic mulhi.
 * A shift count is unsigned; counts of the width and more shift everything out. */
#include "family.h"

#define BITWISE(name)                                                                             \
  SEC_ELEMENTWISE(sec_type_elementwise, sec_eval_elementwise), .takes = SEC_TAKES_BITS,           \
  .scalar = {.i = name##_i, .u = name##_u}, .lower = name##_lower
#define SHIFT(name) \
  .operands = {"x", "y"}, SEC_ELEMENTWISE(sec_type_elementwise, sec_eval_elementwise), \
  .takes = SEC_TAKES_INT | SEC_TAKES_UINT, .scalar = {.i = name##_i, .u = name##_u}, \
  .lower = name##_lower

/* Signed operands come sign-extended, so one function on the bits serves both signs. */
#define ON_BITS(name, expression)                                                                 \
  static uint64_t name##_u(const uint64_t *x, int bits) { return (void)bits, (expression); }      \
  static int64_t name##_i(const int64_t *x, int bits) {                                           \
    return (int64_t)name##_u((const uint64_t *)x, bits);                                          \
  }
enum { OF_BITS = SEC_FLAG_CHEAP | SEC_FLAG_NO_GRADIENT, OF_TWO = OF_BITS | SEC_FLAG_COMMUTATIVE };

/* and */
ON_BITS(and, x[0] & x[1])
static void and_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  (void)l;
  out[0] = sec_l_binary(b, "arith.andi", x[0], x[1]);
}
SEC_PRIMITIVE(and, .doc = "Bitwise and, logical of bools.", .operands = {"x", "y"}, BITWISE(and),
              .flags = OF_TWO)
sec_value sec_and(sec_value x, sec_value y) { return sec_bind_promoted(&sec_and_p, x, y); }

/* or */
ON_BITS(or, x[0] | x[1])
static void or_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  (void)l;
  out[0] = sec_l_binary(b, "arith.ori", x[0], x[1]);
}
SEC_PRIMITIVE(or, .doc = "Bitwise or, logical of bools.", .operands = {"x", "y"}, BITWISE(or),
              .flags = OF_TWO)
sec_value sec_or(sec_value x, sec_value y) { return sec_bind_promoted(&sec_or_p, x, y); }

/* xor */
ON_BITS(xor, x[0] ^ x[1])
static void xor_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  (void)l;
  out[0] = sec_l_binary(b, "arith.xori", x[0], x[1]);
}
SEC_PRIMITIVE(xor, .doc = "Bitwise exclusive or, logical of bools.",
              .operands = {"x", "y"}, BITWISE(xor), .flags = OF_TWO)
sec_value sec_xor(sec_value x, sec_value y) { return sec_bind_promoted(&sec_xor_p, x, y); }

/* not */
ON_BITS(not, bits == 1 ? !x[0] : ~x[0])
static void not_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  (void)l;
  out[0] = sec_l_binary(b, "arith.xori", x[0], sec_l_int(b, x[0].type, -1));
}
SEC_PRIMITIVE(not, .doc = "Bitwise not, logical of bools.", .operands = {"x"}, BITWISE(not),
              .flags = OF_BITS)
sec_value sec_not(sec_value x) { return sec_bind1(&sec_not_p, x, NULL); }

/* The low `bits` of x, zero- or sign-extended. */
static uint64_t low_bits(uint64_t x, int bits) { return x << (64 - bits) >> (64 - bits); }
static int64_t signed_bits(uint64_t x, int bits) {
  return (int64_t)(x << (64 - bits)) >> (64 - bits);
}

static sec_lv is_short(sec_builder *b, sec_lv y) {
  return sec_l_cmpi(b, "ult", y, sec_l_int(b, y.type, sec_lt_bits(y.type)));
}
/* A logical shift: with a count below the width, then 0 where it was not below. */
static sec_lv logical_shift(sec_builder *b, const char *op, sec_lv x, sec_lv y) {
  sec_lv count = sec_l_binary(b, "arith.andi", y, sec_l_int(b, y.type, sec_lt_bits(y.type) - 1));
  return sec_l_select(b, is_short(b, y), sec_l_binary(b, op, x, count), sec_l_int(b, x.type, 0));
}

/* shift_left: x 2^y */
ON_BITS(shift_left, low_bits(x[1], bits) >= (uint64_t)bits ? 0 : x[0] << x[1])
static void shift_left_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  (void)l;
  out[0] = logical_shift(b, "arith.shli", x[0], x[1]);
}
SEC_PRIMITIVE(shift_left, .doc = "x shifted left by y bits.", SHIFT(shift_left), .flags = OF_BITS)
sec_value sec_shift_left(sec_value x, sec_value y) {
  return sec_bind_promoted(&sec_shift_left_p, x, y);
}

/* shift_right_logical: fills with zeros, also for signed x */
ON_BITS(shift_right_logical,
        low_bits(x[1], bits) >= (uint64_t)bits ? 0 : low_bits(x[0], bits) >> x[1])
static void shift_right_logical_lower(sec_builder *b, const sec_lower *l, const sec_lv *x,
                                      sec_lv *out) {
  (void)l;
  out[0] = logical_shift(b, "arith.shrui", x[0], x[1]);
}
SEC_PRIMITIVE(shift_right_logical, .doc = "x shifted right by y bits, filled with zeros.",
              SHIFT(shift_right_logical), .flags = OF_BITS)
sec_value sec_shift_right_logical(sec_value x, sec_value y) {
  return sec_bind_promoted(&sec_shift_right_logical_p, x, y);
}

/* shift_right_arithmetic: fills with the highest bit, also for unsigned x */
ON_BITS(shift_right_arithmetic,
        (uint64_t)(signed_bits(x[0], bits) >>
                   (low_bits(x[1], bits) >= (uint64_t)bits ? (uint64_t)bits - 1 : x[1])))
static void shift_right_arithmetic_lower(sec_builder *b, const sec_lower *l, const sec_lv *x,
                                         sec_lv *out) {
  (void)l;
  sec_lv last = sec_l_int(b, x[1].type, sec_lt_bits(x[1].type) - 1);
  out[0] = sec_l_binary(b, "arith.shrsi", x[0], sec_l_select(b, is_short(b, x[1]), x[1], last));
}
SEC_PRIMITIVE(shift_right_arithmetic,
              .doc = "x shifted right by y bits, filled with its highest bit.",
              SHIFT(shift_right_arithmetic), .flags = OF_BITS)
sec_value sec_shift_right_arithmetic(sec_value x, sec_value y) {
  return sec_bind_promoted(&sec_shift_right_arithmetic_p, x, y);
}

/* mulhi: the high half of the product.  Of 64 bits, from products of halves of 32 bits (Knuth, TAOCP
 * vol. 2, 4.3.1, algorithm M): x y = hh 2^64 + (hl + lh) 2^32 + ll; a signed product is the unsigned
 * one less 2^64 y where x < 0 and 2^64 x where y < 0. */
static uint64_t high_word(uint64_t x, uint64_t y) {
  uint64_t xl = x & UINT32_MAX, xh = x >> 32, yl = y & UINT32_MAX, yh = y >> 32;
  uint64_t middle = xh * yl + (xl * yl >> 32), other = xl * yh + (middle & UINT32_MAX);
  return xh * yh + (middle >> 32) + (other >> 32);
}
static uint64_t mulhi_u(const uint64_t *x, int bits) {
  return bits < 64 ? x[0] * x[1] >> bits : high_word(x[0], x[1]);
}
static int64_t mulhi_i(const int64_t *x, int bits) {
  if (bits < 64) return x[0] * x[1] >> bits;
  uint64_t u = (uint64_t)x[0], v = (uint64_t)x[1];
  return (int64_t)(high_word(u, v) - (x[0] < 0 ? v : 0) - (x[1] < 0 ? u : 0));
}

static sec_lv plus(sec_builder *b, sec_lv x, sec_lv y) { return sec_l_binary(b, "arith.addi", x, y); }
static sec_lv times(sec_builder *b, sec_lv x, sec_lv y) { return sec_l_binary(b, "arith.muli", x, y); }
static sec_lv high_half(sec_builder *b, sec_lv x) {
  return sec_l_binary(b, "arith.shrui", x, sec_l_int(b, x.type, 32));
}
static sec_lv low_half(sec_builder *b, sec_lv x) {
  return sec_l_binary(b, "arith.andi", x, sec_l_int(b, x.type, UINT32_MAX));
}
/* y where x < 0, else 0 */
static sec_lv where_negative(sec_builder *b, sec_lv x, sec_lv y) {
  sec_lv sign = sec_l_binary(b, "arith.shrsi", x, sec_l_int(b, x.type, 63));
  return sec_l_binary(b, "arith.andi", sign, y);
}

static sec_lv high_word_lower(sec_builder *b, sec_lv x, sec_lv y) {
  sec_lv xl = low_half(b, x), xh = high_half(b, x), yl = low_half(b, y), yh = high_half(b, y);
  sec_lv middle = plus(b, times(b, xh, yl), high_half(b, times(b, xl, yl)));
  sec_lv other = plus(b, times(b, xl, yh), low_half(b, middle));
  return plus(b, times(b, xh, yh), plus(b, high_half(b, middle), high_half(b, other)));
}

static void mulhi_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  bool is_signed = sec_lower_kind(l, 0) == SEC_KIND_INT;
  int bits = sec_lt_bits(x[0].type);
  if (bits == 64) {
    out[0] = high_word_lower(b, x[0], x[1]);
    if (!is_signed) return;
    sec_lv less = plus(b, where_negative(b, x[0], x[1]), where_negative(b, x[1], x[0]));
    out[0] = sec_l_binary(b, "arith.subi", out[0], less);
    return;
  }
  const char *extend = is_signed ? "arith.extsi" : "arith.extui";
  sec_lv product = times(b, sec_l_cast(b, extend, x[0], SEC_LT_I64),
                         sec_l_cast(b, extend, x[1], SEC_LT_I64));
  product = sec_l_binary(b, "arith.shrui", product, sec_l_int(b, SEC_LT_I64, bits));
  out[0] = sec_l_cast(b, "arith.trunci", product, x[0].type);
}
SEC_PRIMITIVE(mulhi, .doc = "High half of the product of x and y.", SHIFT(mulhi), .flags = OF_BITS)
sec_value sec_mulhi(sec_value x, sec_value y) { return sec_bind_promoted(&sec_mulhi_p, x, y); }
