/* Arithmetic: neg sign abs add sub mul div rem max min pow integer_pow square clamp.
 * Integers wrap and never trap; floats follow IEEE 754, with max and min that keep NaN
 * and order -0 < +0. */
#include "complex.h"

#include <math.h>

#define ELEMENTWISE SEC_ELEMENTWISE(sec_type_elementwise, sec_eval_elementwise)

static bool is_float(const sec_lower *l) { return sec_lower_kind(l, 0) == SEC_KIND_FLOAT; }

/* One operation for floats, one for integers of either sign. */
static sec_lv by_class(sec_builder *b, const sec_lower *l, const char *f, const char *i, sec_lv x,
                       sec_lv y) {
  return sec_l_binary(b, is_float(l) ? f : i, x, y);
}

/* Wrapping integer arithmetic is that of unsigned numbers. */
#define WRAPPING(name, expression)                                                                \
  static uint64_t name##_u(const uint64_t *x, int bits) { return (void)bits, (expression); }      \
  static int64_t name##_i(const int64_t *x, int bits) {                                           \
    return (int64_t)name##_u((const uint64_t *)x, bits);                                          \
  }

/* neg: d(-x) = -dx */
static double neg_f(const double *x) { return -x[0]; }
WRAPPING(neg, 0 - x[0])
static double _Complex neg_c(const double _Complex *x) { return -x[0]; }
static sec_value neg_transpose(const sec_rule *r, sec_value ct) { return (void)r, sec_neg(ct); }
static void neg_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  out[0] = is_float(l) ? sec_l_unary(b, "arith.negf", x[0])
                       : sec_l_binary(b, "arith.subi", sec_l_int(b, x[0].type, 0), x[0]);
}
SEC_PRIMITIVE(neg, .doc = "Negative of x.", .operands = {"x"}, ELEMENTWISE, .takes = SEC_TAKES_NUMBER,
              .scalar = {.f = neg_f, .i = neg_i, .u = neg_u, .c = neg_c}, .parts = sec_parts_each, .linear = 1,
              .transpose = {neg_transpose}, .lower = neg_lower, .flags = SEC_FLAG_CHEAP)
sec_value sec_neg(sec_value x) { return sec_bind1(&sec_neg_p, x, NULL); }

/* sign: -1, 0 or 1; of floats NaN and both zeros are kept */
static double sign_f(const double *x) {
  return isnan(x[0]) || x[0] == 0 ? x[0] : copysign(1, x[0]);
}
static int64_t sign_i(const int64_t *x, int bits) { return (void)bits, (x[0] > 0) - (x[0] < 0); }
static uint64_t sign_u(const uint64_t *x, int bits) { return (void)bits, x[0] != 0; }
static void sign_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  sec_ltype type = x[0].type;
  if (is_float(l)) {
    sec_lv kept = sec_l_cmpf(b, "ueq", x[0], sec_l_float(b, type, 0));
    sec_lv unit = sec_l_binary(b, "math.copysign", sec_l_float(b, type, 1), x[0]);
    out[0] = sec_l_select(b, kept, x[0], unit);
    return;
  }
  sec_lv zero = sec_l_int(b, type, 0), one = sec_l_int(b, type, 1);
  out[0] = sec_l_select(b, sec_l_cmpi(b, "eq", x[0], zero), zero, one);
  if (sec_lower_kind(l, 0) == SEC_KIND_INT)
    out[0] = sec_l_select(b, sec_l_cmpi(b, "slt", x[0], zero), sec_l_int(b, type, -1), out[0]);
}
SEC_PRIMITIVE(sign, .doc = "Sign of x: -1, 0 or 1; NaN and -0 stay.", .operands = {"x"},
              ELEMENTWISE, .takes = SEC_TAKES_NUMBER,
              .scalar = {.f = sign_f, .i = sign_i, .u = sign_u, .c = sec_c_sign}, .parts = sec_parts_sign, .lower = sign_lower,
              .flags = SEC_FLAG_CHEAP | SEC_FLAG_NO_GRADIENT)
sec_value sec_sign(sec_value x) { return sec_bind1(&sec_sign_p, x, NULL); }

/* abs: d|x| = dx where x >= 0 (also at both zeros), -dx elsewhere; of complex x: Re(conj(x) dx) / |x|, 0 at 0 */
static double abs_f(const double *x) { return fabs(x[0]); }
static int64_t abs_i(const int64_t *x, int bits) { return x[0] < 0 ? neg_i(x, bits) : x[0]; }
static double _Complex abs_c(const double _Complex *x) { return hypot(__real__ x[0], __imag__ x[0]); }
static sec_status abs_type(sec_typing *t) {
  SEC_TRY(sec_type_elementwise(t));
  return sec_type_result(t, sec_dtype_part(t->in[0]->dtype), t->in[0]->weak, t->in[0]);
}
static sec_value without_zeros(sec_value x);
static sec_value abs_jvp(const sec_rule *r, sec_value dx) {
  if (sec_aval_is_complex(r->in_avals[0])) {
    sec_value modulus = sec_convert(without_zeros(r->out[0]), r->in_avals[0]->dtype, false);
    return sec_real(sec_mul(dx, sec_div(sec_conj(r->in[0]), modulus)));
  }
  sec_value is_positive = sec_ge(r->in[0], sec_literal_like(r->in[0], 0));
  return sec_where(is_positive, dx, sec_neg(dx));
}
static void abs_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  out[0] = sec_l_unary(b, is_float(l) ? "math.absf" : "math.absi", x[0]);
}
SEC_PRIMITIVE(abs, .doc = "Absolute value of x.", .operands = {"x"}, SEC_ELEMENTWISE(abs_type, sec_eval_elementwise),
              .takes = SEC_TAKES_SIGNED, .scalar = {.f = abs_f, .i = abs_i, .c = abs_c}, .parts = sec_parts_abs, .jvp = {abs_jvp},
              .lower = abs_lower, .flags = SEC_FLAG_CHEAP)
sec_value sec_abs(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (!a) return SEC_VALUE_POISON;
  sec_kind kind = sec_dtype_kind(a->dtype);
  return kind == SEC_KIND_BOOL || kind == SEC_KIND_UINT ? x : sec_bind1(&sec_abs_p, x, NULL);
}

/* Transposes: the cotangent of a scalar beside a shape is summed over it. */
static sec_value unbroadcast_transpose(const sec_rule *r, sec_value ct) {
  return sec_unbroadcast(ct, r->in_avals[r->wrt]);
}
static sec_value negative_transpose(const sec_rule *r, sec_value ct) {
  return sec_neg(sec_unbroadcast(ct, r->in_avals[r->wrt]));
}
static sec_value negative_jvp(const sec_rule *r, sec_value dy) {
  return sec_tangent_like(sec_neg(dy), r->out_avals[0]);
}

/* add: d(x + y) = dx + dy */
static double add_f(const double *x) { return x[0] + x[1]; }
WRAPPING(add, x[0] + x[1])
static double _Complex add_c(const double _Complex *x) { return x[0] + x[1]; }
static void add_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  out[0] = by_class(b, l, "arith.addf", "arith.addi", x[0], x[1]);
}
SEC_PRIMITIVE(add, .doc = "Sum of x and y.", .operands = {"x", "y"}, ELEMENTWISE,
              .takes = SEC_TAKES_NUMBER, .scalar = {.f = add_f, .i = add_i, .u = add_u, .c = add_c}, .parts = sec_parts_each,
              .jvp = {sec_jvp_identity, sec_jvp_identity},
              .transpose = {unbroadcast_transpose, unbroadcast_transpose}, .lower = add_lower,
              .flags = SEC_FLAG_CHEAP | SEC_FLAG_COMMUTATIVE)
sec_value sec_add(sec_value x, sec_value y) {
  sec_dtype dtype = sec_promote2("add", &x, &y);
  if (dtype == SEC_N_DTYPES) return SEC_VALUE_POISON;
  return dtype == SEC_BOOL ? sec_or(x, y) : sec_bind2(&sec_add_p, x, y, NULL);
}

/* add_any: the sum of two contributions to one derivative, of one type; simplify makes it an add */
SEC_PRIMITIVE(add_any, .doc = "Sum of two parts of a derivative.", .operands = {"x", "y"}, ELEMENTWISE,
              .takes = SEC_TAKES_NUMBER, .scalar = {.f = add_f, .i = add_i, .u = add_u, .c = add_c}, .parts = sec_parts_each,
              .linear = 3, .jvp = {sec_jvp_identity, sec_jvp_identity},
              .transpose = {unbroadcast_transpose, unbroadcast_transpose}, .lower = add_lower,
              .flags = SEC_FLAG_CHEAP | SEC_FLAG_COMMUTATIVE)
sec_value sec_add_any(sec_value x, sec_value y) {
  const sec_aval *a = sec_value_aval(x), *b = sec_value_aval(y);
  bool plain = a && b && a->dtype == b->dtype && a->rank == b->rank && a->weak == b->weak && a->dtype != SEC_BOOL;
  return plain ? sec_bind2(&sec_add_any_p, x, y, NULL) : sec_add(x, y);
}

/* sub: d(x - y) = dx - dy */
static double sub_f(const double *x) { return x[0] - x[1]; }
WRAPPING(sub, x[0] - x[1])
static double _Complex sub_c(const double _Complex *x) { return x[0] - x[1]; }
static void sub_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  out[0] = by_class(b, l, "arith.subf", "arith.subi", x[0], x[1]);
}
SEC_PRIMITIVE(sub, .doc = "Difference x - y.", .operands = {"x", "y"}, ELEMENTWISE,
              .takes = SEC_TAKES_NUMBER, .scalar = {.f = sub_f, .i = sub_i, .u = sub_u, .c = sub_c}, .parts = sec_parts_each,
              .jvp = {sec_jvp_identity, negative_jvp},
              .transpose = {unbroadcast_transpose, negative_transpose}, .lower = sub_lower,
              .flags = SEC_FLAG_CHEAP)
sec_value sec_sub(sec_value x, sec_value y) { return sec_bind_promoted(&sec_sub_p, x, y); }

/* mul: d(x y) = dx y + x dy */
static double mul_f(const double *x) { return x[0] * x[1]; }
WRAPPING(mul, x[0] * x[1])
static sec_value mul_jvp_x(const sec_rule *r, sec_value dx) { return sec_mul(dx, r->in[1]); }
static sec_value mul_jvp_y(const sec_rule *r, sec_value dy) { return sec_mul(r->in[0], dy); }
static sec_value mul_transpose(const sec_rule *r, sec_value ct) {
  sec_value product = r->wrt == 0 ? sec_mul(ct, r->in[1]) : sec_mul(r->in[0], ct);
  return sec_unbroadcast(product, r->in_avals[r->wrt]);
}
static void mul_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  out[0] = by_class(b, l, "arith.mulf", "arith.muli", x[0], x[1]);
}
SEC_PRIMITIVE(mul, .doc = "Product of x and y.", .operands = {"x", "y"}, ELEMENTWISE,
              .takes = SEC_TAKES_NUMBER, .scalar = {.f = mul_f, .i = mul_i, .u = mul_u, .c = sec_c_mul}, .parts = sec_parts_mul,
              .jvp = {mul_jvp_x, mul_jvp_y}, .transpose = {mul_transpose, mul_transpose},
              .lower = mul_lower, .flags = SEC_FLAG_CHEAP | SEC_FLAG_COMMUTATIVE)
sec_value sec_mul(sec_value x, sec_value y) {
  sec_dtype dtype = sec_promote2("mul", &x, &y);
  if (dtype == SEC_N_DTYPES) return SEC_VALUE_POISON;
  return dtype == SEC_BOOL ? sec_and(x, y) : sec_bind2(&sec_mul_p, x, y, NULL);
}

/* Integer division that does not trap: a divisor of 0 is replaced, and so is -1 where it
 * would overflow. */
static sec_lv safe_divisor(sec_builder *b, sec_lv y, sec_lv unsafe) {
  return sec_l_select(b, unsafe, sec_l_int(b, y.type, 1), y);
}
static sec_lv is_equal(sec_builder *b, sec_lv x, int64_t value) {
  return sec_l_cmpi(b, "eq", x, sec_l_int(b, x.type, value));
}

/* div: d(x / y) = dx / y - dy (x / y) / y.  Integers truncate; x / 0 has all bits set,
 * lowest / -1 = lowest. */
static double div_f(const double *x) { return x[0] / x[1]; }
static int64_t div_i(const int64_t *x, int bits) {
  if (x[1] == 0) return -1;
  return x[1] == -1 ? neg_i(x, bits) : x[0] / x[1];
}
static uint64_t div_u(const uint64_t *x, int bits) {
  return (void)bits, x[1] == 0 ? UINT64_MAX : x[0] / x[1];
}
static sec_value div_jvp_x(const sec_rule *r, sec_value dx) { return sec_div(dx, r->in[1]); }
static sec_value div_jvp_y(const sec_rule *r, sec_value dy) {
  sec_value slope = sec_div(r->out[0], r->in[1]);
  return sec_mul(sec_neg(dy), slope);
}
static sec_value div_transpose(const sec_rule *r, sec_value ct) {
  return sec_unbroadcast(sec_div(ct, r->in[1]), r->in_avals[0]);
}
static void div_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  if (is_float(l)) {
    out[0] = sec_l_binary(b, "arith.divf", x[0], x[1]);
    return;
  }
  bool is_signed = sec_lower_kind(l, 0) == SEC_KIND_INT;
  sec_lv zero = is_equal(b, x[1], 0), unsafe = zero;
  if (is_signed) {
    int64_t lowest = (int64_t)(UINT64_MAX << (sec_lt_bits(x[0].type) - 1));
    sec_lv overflow =
        sec_l_binary(b, "arith.andi", is_equal(b, x[0], lowest), is_equal(b, x[1], -1));
    unsafe = sec_l_binary(b, "arith.ori", zero, overflow);
  }
  sec_lv y = safe_divisor(b, x[1], unsafe);
  sec_lv quotient = sec_l_binary(b, is_signed ? "arith.divsi" : "arith.divui", x[0], y);
  out[0] = sec_l_select(b, zero, sec_l_int(b, y.type, -1), quotient);
}
SEC_PRIMITIVE(div, .doc = "Quotient x / y; integers truncate toward zero.", .operands = {"x", "y"},
              ELEMENTWISE, .takes = SEC_TAKES_NUMBER, .scalar = {.f = div_f, .i = div_i, .u = div_u, .c = sec_c_div}, .parts = sec_parts_div,
              .jvp = {div_jvp_x, div_jvp_y}, .transpose = {div_transpose}, .lower = div_lower,
              .flags = SEC_FLAG_CHEAP, .domain = {0.5, 3})
sec_value sec_div(sec_value x, sec_value y) { return sec_bind_promoted(&sec_div_p, x, y); }

/* rem: x - y trunc(x / y), so d = dx - dy trunc(x / y).  Integers: x rem 0 = x. */
static double rem_f(const double *x) { return fmod(x[0], x[1]); }
static int64_t rem_i(const int64_t *x, int bits) {
  (void)bits;
  if (x[1] == 0) return x[0];
  return x[1] == -1 ? 0 : x[0] % x[1];
}
static uint64_t rem_u(const uint64_t *x, int bits) {
  return (void)bits, x[1] == 0 ? x[0] : x[0] % x[1];
}
static sec_value rem_jvp_y(const sec_rule *r, sec_value dy) {
  sec_value quotient = sec_div(r->in[0], r->in[1]), sign = sec_sign(quotient);
  sec_value whole = sec_mul(sign, sec_floor(sec_abs(quotient)));
  return sec_mul(sec_neg(dy), whole);
}
static void rem_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  if (is_float(l)) {
    out[0] = sec_l_math(b, "rem", x, 2);
    return;
  }
  bool is_signed = sec_lower_kind(l, 0) == SEC_KIND_INT;
  sec_lv zero = is_equal(b, x[1], 0), unsafe = zero;
  if (is_signed) unsafe = sec_l_binary(b, "arith.ori", zero, is_equal(b, x[1], -1));
  sec_lv y = safe_divisor(b, x[1], unsafe);
  sec_lv rest = sec_l_binary(b, is_signed ? "arith.remsi" : "arith.remui", x[0], y);
  out[0] = sec_l_select(b, zero, x[0], rest);
}
SEC_PRIMITIVE(rem, .doc = "Remainder of x / y with the sign of x.", .operands = {"x", "y"},
              ELEMENTWISE, .takes = SEC_TAKES_REAL, .scalar = {.f = rem_f, .i = rem_i, .u = rem_u},
              .jvp = {sec_jvp_identity, rem_jvp_y}, .lower = rem_lower, .domain = {0.5, 3})
sec_value sec_rem(sec_value x, sec_value y) { return sec_bind_promoted(&sec_rem_p, x, y); }

/* max, min: the tangent of the operand that was taken; equal operands share it by halves */
static double max_f(const double *x) {
  if (isnan(x[0]) || isnan(x[1])) return x[0] + x[1];
  if (x[0] == x[1]) return signbit(x[0]) ? x[1] : x[0];
  return x[0] > x[1] ? x[0] : x[1];
}
static int64_t max_i(const int64_t *x, int bits) { return (void)bits, x[0] > x[1] ? x[0] : x[1]; }
static uint64_t max_u(const uint64_t *x, int bits) { return (void)bits, x[0] > x[1] ? x[0] : x[1]; }
static double min_f(const double *x) { return -max_f((const double[]){-x[0], -x[1]}); }
static int64_t min_i(const int64_t *x, int bits) { return (void)bits, x[0] < x[1] ? x[0] : x[1]; }
static uint64_t min_u(const uint64_t *x, int bits) { return (void)bits, x[0] < x[1] ? x[0] : x[1]; }

static sec_value share(const sec_rule *r, sec_value dx, sec_value taken) {
  sec_value half = sec_literal_like(dx, 0.5), zero = sec_literal_like(dx, 0);
  sec_value equal = sec_eq(r->in[0], r->in[1]), all = sec_where(taken, sec_literal_like(dx, 1), zero);
  return sec_mul(dx, sec_where(equal, half, all));
}
/* Complex numbers are not compared, but one of them is the result. */
static sec_value is_taken(const sec_rule *r, sec_value (*before)(sec_value, sec_value)) {
  sec_value mine = r->in[r->wrt], other = r->in[1 - r->wrt];
  return sec_aval_is_complex(r->in_avals[0]) ? sec_eq(mine, r->out[0]) : before(mine, other);
}
static sec_value max_jvp(const sec_rule *r, sec_value dx) {
  return share(r, dx, is_taken(r, sec_gt));
}
static sec_value min_jvp(const sec_rule *r, sec_value dx) {
  return share(r, dx, is_taken(r, sec_lt));
}
static void max_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  static const char *const op[] = {"arith.ori", "arith.maxsi", "arith.maxui", "arith.maximumf"};
  out[0] = sec_l_binary(b, op[sec_lower_kind(l, 0)], x[0], x[1]);
}
static void min_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  static const char *const op[] = {"arith.andi", "arith.minsi", "arith.minui", "arith.minimumf"};
  out[0] = sec_l_binary(b, op[sec_lower_kind(l, 0)], x[0], x[1]);
}
SEC_PRIMITIVE(max, .doc = "Larger of x and y; NaN if either is.", .operands = {"x", "y"},
              ELEMENTWISE, .takes = SEC_TAKES_ANY, .scalar = {.f = max_f, .i = max_i, .u = max_u, .c = sec_c_max}, .parts = sec_parts_max,
              .jvp = {max_jvp, max_jvp}, .lower = max_lower,
              .flags = SEC_FLAG_CHEAP | SEC_FLAG_COMMUTATIVE)
SEC_PRIMITIVE(min, .doc = "Smaller of x and y; NaN if either is.", .operands = {"x", "y"},
              ELEMENTWISE, .takes = SEC_TAKES_ANY, .scalar = {.f = min_f, .i = min_i, .u = min_u, .c = sec_c_min}, .parts = sec_parts_max,
              .jvp = {min_jvp, min_jvp}, .lower = min_lower,
              .flags = SEC_FLAG_CHEAP | SEC_FLAG_COMMUTATIVE)
sec_value sec_max(sec_value x, sec_value y) { return sec_bind_promoted(&sec_max_p, x, y); }
sec_value sec_min(sec_value x, sec_value y) { return sec_bind_promoted(&sec_min_p, x, y); }

/* clamp: min(max(x, low), high), so high wins where low > high.  The slope at the bounds is 0. */
static double clamp_f(const double *x) {
  return min_f((const double[]){max_f((const double[]){x[0], x[1]}), x[2]});
}
static int64_t clamp_i(const int64_t *x, int bits) {
  return min_i((const int64_t[]){max_i(x, bits), x[2]}, bits);
}
static uint64_t clamp_u(const uint64_t *x, int bits) {
  return min_u((const uint64_t[]){max_u(x, bits), x[2]}, bits);
}
static sec_value pass_where(const sec_rule *r, sec_value mask, sec_value dx) {
  return sec_tangent_like(sec_where(mask, dx, sec_literal_like(dx, 0)), r->out_avals[0]);
}
static sec_value between(sec_value low, sec_value x, sec_value high) {
  sec_value is_above = sec_gt(x, low);
  return sec_and(is_above, sec_lt(x, high));
}
static sec_value clamp_jvp_low(const sec_rule *r, sec_value d) {
  return pass_where(r, between(r->in[1], r->in[0], r->in[2]), d);
}
static sec_value clamp_jvp_x(const sec_rule *r, sec_value d) {
  return pass_where(r, between(r->in[0], r->in[1], r->in[2]), d);
}
static sec_value clamp_jvp_high(const sec_rule *r, sec_value d) {
  return pass_where(r, sec_lt(r->in[2], r->in[1]), d);
}
static void clamp_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  sec_lv raised;
  max_lower(b, l, x, &raised);
  min_lower(b, l, (const sec_lv[]){raised, x[2]}, out);
}
SEC_PRIMITIVE(clamp, .doc = "x limited to [low, high].", .operands = {"low", "x", "high"},
              ELEMENTWISE, .takes = SEC_TAKES_REAL,
              .scalar = {.f = clamp_f, .i = clamp_i, .u = clamp_u},
              .jvp = {clamp_jvp_low, clamp_jvp_x, clamp_jvp_high}, .lower = clamp_lower,
              .flags = SEC_FLAG_CHEAP)
sec_value sec_clamp(sec_value low, sec_value x, sec_value high) {
  sec_value in[3] = {low, x, high}, out = SEC_VALUE_POISON;
  if (sec_promote_dtypes(in, 3) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  sec_bind(&sec_clamp_p, in, 3, NULL, &out, 1);
  return out;
}

/* square: d x^2 = 2 x dx */
static double square_f(const double *x) { return x[0] * x[0]; }
WRAPPING(square, x[0] * x[0])
static sec_value square_jvp(const sec_rule *r, sec_value dx) {
  return sec_mul(dx, sec_mul(sec_literal_like(r->in[0], 2), r->in[0]));
}
static void square_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  out[0] = by_class(b, l, "arith.mulf", "arith.muli", x[0], x[0]);
}
SEC_PRIMITIVE(square, .doc = "Square of x.", .operands = {"x"}, ELEMENTWISE,
              .takes = SEC_TAKES_NUMBER, .scalar = {.f = square_f, .i = square_i, .u = square_u, .c = sec_c_square}, .parts = sec_parts_square,
              .jvp = {square_jvp}, .lower = square_lower, .flags = SEC_FLAG_CHEAP)
sec_value sec_square(sec_value x) { return sec_bind1(&sec_square_p, x, NULL); }

/* integer_pow: d x^y = y x^(y-1) dx, and 0 for y = 0 even at NaN */
static uint64_t magnitude(int64_t y) { return y < 0 ? 0 - (uint64_t)y : (uint64_t)y; }
static sec_status integer_pow_type(sec_typing *t) {
  SEC_TRY(sec_type_elementwise(t));
  if (sec_params_int(t->params, "y") >= 0 || sec_aval_has_tangent(t->in[0])) return SEC_OK;
  return sec_type_error(t, SEC_TYPE, "convert x to a float type with sec_convert",
                        "operand x has type %s, but a negative exponent (y=%lld) needs a float",
                        t->in[0]->text, (long long)sec_params_int(t->params, "y"));
}
static sec_status integer_pow_complex(const sec_eval *e, int64_t y) {
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    double _Complex f = sec_get_c(e->in[0], i), power = 1;
    for (uint64_t n = magnitude(y); n; n >>= 1, f = sec_c_mul((double _Complex[]){f, f}))
      if (n & 1) power = sec_c_mul((double _Complex[]){power, f});
    sec_put_c(e->out[0], i, y < 0 ? sec_c_div((double _Complex[]){1, power}) : power);
  }
  return SEC_OK;
}
static sec_status integer_pow_eval(const sec_eval *e) {
  int64_t y = sec_params_int(e->params, "y");
  bool is_real = sec_aval_is_float(e->out[0]->aval);
  if (sec_aval_is_complex(e->out[0]->aval)) return integer_pow_complex(e, y);
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    double f = sec_get_f(e->in[0], i), power_f = 1;
    uint64_t u = is_real ? 0 : (uint64_t)sec_get_i(e->in[0], i), power_u = 1;
    for (uint64_t n = magnitude(y); n; n >>= 1, f *= f, u *= u)
      if (n & 1) power_f *= f, power_u *= u;
    if (is_real) sec_put_f(e->out[0], i, y < 0 ? 1 / power_f : power_f);
    else sec_put_i(e->out[0], i, (int64_t)power_u);
  }
  return SEC_OK;
}
static sec_value integer_pow_jvp(const sec_rule *r, sec_value dx) {
  int64_t y = sec_params_int(r->params, "y");
  if (y == 0) return SEC_VALUE_ZERO;
  if (y == 1) return dx;
  sec_value power = y == 2 ? r->in[0] : sec_integer_pow(r->in[0], y - 1);
  return sec_mul(dx, sec_mul(sec_literal_like(r->in[0], (double)y), power));
}
static void integer_pow_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  int64_t y = sec_params_int(l->params, "y");
  sec_ltype type = x[0].type;
  sec_lv one = is_float(l) ? sec_l_float(b, type, 1) : sec_l_int(b, type, 1);
  sec_lv factor = x[0], power = one;
  bool is_one = true;
  for (uint64_t n = magnitude(y); n; n >>= 1) {
    if (n & 1) power = is_one ? factor : by_class(b, l, "arith.mulf", "arith.muli", power, factor);
    if (n & 1) is_one = false;
    if (n > 1) factor = by_class(b, l, "arith.mulf", "arith.muli", factor, factor);
  }
  out[0] = y < 0 ? sec_l_binary(b, "arith.divf", one, power) : power;
}
SEC_PRIMITIVE(integer_pow, .doc = "x to the constant integer power y.", .operands = {"x"},
              SEC_ELEMENTWISE(integer_pow_type, integer_pow_eval), .takes = SEC_TAKES_NUMBER, .parts = sec_parts_integer_pow,
              .jvp = {integer_pow_jvp}, .lower = integer_pow_lower, .flags = SEC_FLAG_CHEAP)
sec_value sec_integer_pow(sec_value x, int64_t y) {
  const sec_aval *a = sec_value_aval(x);
  if (!a) return SEC_VALUE_POISON;
  const sec_params *params =
      sec_params_make(sec_trace_context(sec_trace_current()), SEC_PARAMS(SEC_P_INT("y", y)));
  return params ? sec_bind1(&sec_integer_pow_p, x, params) : SEC_VALUE_POISON;
}

/* pow: d x^y = y x^(y-1) dx + log(x) x^y dy; log(0) is taken as 0.  With an integer y, dx's factor
 * is 0 at y = 0. */
static sec_status pow_type(sec_typing *t) {
  SEC_TRY(sec_type_takes(t, 0));
  sec_kind kind = sec_dtype_kind(t->in[1]->dtype);
  bool is_integer = kind == SEC_KIND_INT || kind == SEC_KIND_UINT;
  if (!is_integer && t->in[1]->dtype != t->in[0]->dtype)
    return sec_type_error(
        t, SEC_TYPE, "convert y to the type of x, or to an integer type, with sec_convert",
        "operands have different dtypes, %s and %s", t->in[0]->text, t->in[1]->text);
  const sec_aval *shape = sec_type_shape(t);
  if (!shape) return SEC_SHAPE;
  return sec_type_result(t, t->in[0]->dtype, t->in[0]->weak && t->in[1]->weak, shape);
}
/* An integer y is rounded to the type of x first, as in compiled code. */
static sec_status pow_eval(const sec_eval *e) {
  sec_dtype dtype = e->out[0]->aval->dtype;
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    int64_t at_x = e->in[0]->aval->rank ? i : 0, at_y = e->in[1]->aval->rank ? i : 0;
    if (sec_aval_is_complex(e->out[0]->aval)) {
      sec_put_c(e->out[0], i, sec_c_pow((double _Complex[]){sec_get_c(e->in[0], at_x), sec_get_c(e->in[1], at_y)}));
      continue;
    }
    double x = sec_get_f(e->in[0], at_x);
    double y = sec_get_f(e->in[1], at_y);
    sec_put_f(e->out[0], i, pow(x, sec_round_to(dtype, y)));
  }
  return SEC_OK;
}
/* x with its zeros made ones */
static sec_value without_zeros(sec_value x) {
  return sec_where(sec_eq(x, sec_literal_like(x, 0)), sec_literal_like(x, 1), x);
}
static sec_value pow_jvp_x(const sec_rule *r, sec_value dx) {
  sec_value x = r->in[0], y = r->in[1], one = sec_literal_like(x, 1);
  if (sec_aval_has_tangent(r->in_avals[1]))
    return sec_mul(dx, sec_mul(y, sec_pow(x, sec_sub(y, one))));
  y = sec_convert(y, r->in_avals[0]->dtype, r->in_avals[0]->weak);
  sec_value power = sec_pow(x, sec_sub(y, one)), factor = sec_mul(without_zeros(y), power);
  return sec_mul(dx, sec_where(sec_eq(y, sec_literal_like(x, 0)), sec_literal_like(x, 0), factor));
}
static sec_value pow_jvp_y(const sec_rule *r, sec_value dy) {
  return sec_mul(dy, sec_mul(sec_log(without_zeros(r->in[0])), r->out[0]));
}
static void pow_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  sec_kind kind = sec_lower_kind(l, 1);
  sec_lv in[2] = {x[0], x[1]};
  if (kind != SEC_KIND_FLOAT)
    in[1] = sec_l_cast(b, kind == SEC_KIND_INT ? "arith.sitofp" : "arith.uitofp", x[1], x[0].type);
  out[0] = sec_l_math(b, "pow", in, 2);
}
SEC_PRIMITIVE(pow, .doc = "x to the power y; y may be an integer.", .operands = {"x", "y"},
              SEC_ELEMENTWISE(pow_type, pow_eval), .takes = SEC_TAKES_INEXACT, .parts = sec_parts_pow,
              .jvp = {pow_jvp_x, pow_jvp_y}, .lower = pow_lower, .domain = {0.1, 3})
/* A literal integer exponent gives integer_pow; a bool counts as an integer. */
sec_value sec_pow(sec_value x, sec_value y) {
  const sec_aval *a = sec_value_aval(x), *e = sec_value_aval(y);
  if (!a || !e) return SEC_VALUE_POISON;
  sec_kind kind = sec_dtype_kind(e->dtype);
  const sec_literal *literal = kind == SEC_KIND_INT ? sec_value_literal(y) : NULL;
  if (literal && sec_dtype_kind(a->dtype) != SEC_KIND_BOOL) return sec_integer_pow(x, literal->i);
  sec_value in[2] = {x, y};
  bool is_mixed = sec_aval_has_tangent(a) && (kind == SEC_KIND_INT || kind == SEC_KIND_UINT);
  if (!is_mixed && sec_promote_dtypes(in, 2) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  return sec_broadcast("pow", in, 2) ? sec_bind2(&sec_pow_p, in[0], in[1], NULL) : SEC_VALUE_POISON;
}
