/* The math library: elementary functions emitted as polynomials over the element builder, one body
 * for scalars and vectors.  Each emits code for f32 and f64 operands.  This header declares the
 * functions and the small vocabulary they are written in (`m_` helpers, private to
 * lowering/math*.c). */
#ifndef SEC_MATH_LIBRARY_H
#define SEC_MATH_LIBRARY_H

#include "builder.h"
#include "special.h"
#include <math.h>

/* F(name, number of operands, whether f16 and bf16 are handled directly instead of through f32) */
#define SEC_MATH_FUNCTIONS(F)   \
  F(exp, 1, false)              \
  F(exp2, 1, false)             \
  F(expm1, 1, false)            \
  F(sinh, 1, false)             \
  F(cosh, 1, false)             \
  F(tanh, 1, false)             \
  F(logistic, 1, false)         \
  F(log, 1, false)              \
  F(log2, 1, false)             \
  F(log1p, 1, false)            \
  F(asinh, 1, false)            \
  F(acosh, 1, false)            \
  F(atanh, 1, false)            \
  F(sin, 1, false)              \
  F(cos, 1, false)              \
  F(tan, 1, false)              \
  F(asin, 1, false)             \
  F(acos, 1, false)             \
  F(atan, 1, false)             \
  F(atan2, 2, false)            \
  F(erf, 1, false)              \
  F(erfc, 1, false)             \
  F(erf_inv, 1, false)          \
  F(erfcx, 1, false)            \
  F(ndtri, 1, false)            \
  F(dawsn, 1, false)            \
  F(lgamma, 1, false)           \
  F(digamma, 1, false)          \
  F(bessel_i0e, 1, false)       \
  F(bessel_i1e, 1, false)       \
  F(pow, 2, false)              \
  F(cbrt, 1, false)             \
  F(sqrt, 1, false)             \
  F(rsqrt, 1, false)            \
  F(rem, 2, false)              \
  F(nextafter, 2, true)         \
  SEC_SPECIAL_FUNCTIONS(F)

enum { SEC_MATH_MAX_IN = SEC_SPECIAL_MAX_IN };

typedef struct sec_math_function {
  const char *name;
  int n_in;
  bool native_narrow; /* takes f16 and bf16 as they are; others get f32 */
  sec_lv (*emit)(sec_builder *b, const sec_lv *x);
} sec_math_function;

/* The function called `name`, or NULL. */
const sec_math_function *sec_math_find(const char *name);

#define SEC_MATH_DECLARE(name, n_in, native_narrow)                                                \
  sec_lv sec_math_##name(sec_builder *b, const sec_lv *x);
SEC_MATH_FUNCTIONS(SEC_MATH_DECLARE)
#undef SEC_MATH_DECLARE

/* Shared between files */

/* exp(high + low) for f64 operands, |low| << 1; `single`: a shorter polynomial, right to f32. */
sec_lv sec_math_exp_sum(sec_builder *b, sec_lv high, sec_lv low, bool single);

/* log(x) of f64 for x > 0 and finite; elsewhere unspecified.  `single` as above. */
sec_lv sec_math_log_finite(sec_builder *b, sec_lv x, bool single);

/* A polynomial by its n coefficients, highest power first. */
enum { SEC_POLY_MAX = 26 };
typedef struct sec_poly {
  int n;
  double c[SEC_POLY_MAX];
} sec_poly;

typedef struct rational {
  sec_poly over, under;
} rational;

static inline bool m_is_double(sec_lv x) { return x.type == SEC_LT_F64; }
static inline sec_ltype m_int_type(sec_ltype type) {
  return sec_lt_bits(type) == 64 ? SEC_LT_I64 : sec_lt_bits(type) == 32 ? SEC_LT_I32 : SEC_LT_I16;
}
/* Bits of the stored fraction. */
static inline int m_fraction_bits(sec_ltype type) {
  return type == SEC_LT_F64 ? 52 : type == SEC_LT_F32 ? 23 : type == SEC_LT_F16 ? 10 : 7;
}
static inline double m_pick(sec_lv x, double single, double full) {
  return m_is_double(x) ? full : single;
}

/* A constant of x's type. */
static inline sec_lv m_float(sec_builder *b, sec_lv x, double c) {
  return sec_l_float(b, x.type, c);
}
static inline sec_lv m_int(sec_builder *b, sec_lv i, int64_t c) { return sec_l_int(b, i.type, c); }

static inline sec_lv m_add(sec_builder *b, sec_lv x, sec_lv y) {
  return sec_l_binary(b, "arith.addf", x, y);
}
static inline sec_lv m_sub(sec_builder *b, sec_lv x, sec_lv y) {
  return sec_l_binary(b, "arith.subf", x, y);
}
static inline sec_lv m_mul(sec_builder *b, sec_lv x, sec_lv y) {
  return sec_l_binary(b, "arith.mulf", x, y);
}
static inline sec_lv m_div(sec_builder *b, sec_lv x, sec_lv y) {
  return sec_l_binary(b, "arith.divf", x, y);
}
static inline sec_lv m_scale(sec_builder *b, sec_lv x, double c) {
  return m_mul(b, x, m_float(b, x, c));
}
static inline sec_lv m_offset(sec_builder *b, sec_lv x, double c) {
  return m_add(b, x, m_float(b, x, c));
}
/* x * c + z */
static inline sec_lv m_fma_c(sec_builder *b, sec_lv x, double c, sec_lv z) {
  return sec_l_fma(b, x, m_float(b, x, c), z);
}
static inline sec_lv m_neg(sec_builder *b, sec_lv x) { return sec_l_unary(b, "arith.negf", x); }
/* z - x * y */
static inline sec_lv m_fnma(sec_builder *b, sec_lv x, sec_lv y, sec_lv z) {
  return sec_l_fma(b, m_neg(b, x), y, z);
}
static inline sec_lv m_abs(sec_builder *b, sec_lv x) { return sec_l_unary(b, "math.absf", x); }
static inline sec_lv m_sqrt(sec_builder *b, sec_lv x) { return sec_l_unary(b, "math.sqrt", x); }
static inline sec_lv m_trunc(sec_builder *b, sec_lv x) { return sec_l_unary(b, "math.trunc", x); }
static inline sec_lv m_copysign(sec_builder *b, sec_lv magnitude, sec_lv sign) {
  return sec_l_binary(b, "math.copysign", magnitude, sign);
}
static inline sec_lv m_and(sec_builder *b, sec_lv p, sec_lv q) {
  return sec_l_binary(b, "arith.andi", p, q);
}
static inline sec_lv m_or(sec_builder *b, sec_lv p, sec_lv q) {
  return sec_l_binary(b, "arith.ori", p, q);
}
static inline sec_lv m_xor(sec_builder *b, sec_lv p, sec_lv q) {
  return sec_l_binary(b, "arith.xori", p, q);
}
static inline sec_lv m_iadd(sec_builder *b, sec_lv i, sec_lv j) {
  return sec_l_binary(b, "arith.addi", i, j);
}
static inline sec_lv m_isub(sec_builder *b, sec_lv i, sec_lv j) {
  return sec_l_binary(b, "arith.subi", i, j);
}
static inline sec_lv m_shl(sec_builder *b, sec_lv i, int n) {
  return sec_l_binary(b, "arith.shli", i, m_int(b, i, n));
}
static inline sec_lv m_shr(sec_builder *b, sec_lv i, int n) {
  return sec_l_binary(b, "arith.shrui", i, m_int(b, i, n));
}
static inline sec_lv m_bits(sec_builder *b, sec_lv x) {
  return sec_l_cast(b, "arith.bitcast", x, m_int_type(x.type));
}
static inline sec_lv m_from_bits(sec_builder *b, sec_lv i, sec_ltype type) {
  return sec_l_cast(b, "arith.bitcast", i, type);
}
/* compare with a constant */
static inline sec_lv m_is(sec_builder *b, const char *predicate, sec_lv x, double c) {
  return sec_l_cmpf(b, predicate, x, m_float(b, x, c));
}
/* min(x, c) and max(x, c); a NaN x stays */
static inline sec_lv m_at_most(sec_builder *b, sec_lv x, double c) {
  sec_lv limit = m_float(b, x, c);
  return sec_l_select(b, sec_l_cmpf(b, "olt", limit, x), limit, x);
}
static inline sec_lv m_at_least(sec_builder *b, sec_lv x, double c) {
  sec_lv limit = m_float(b, x, c);
  return sec_l_select(b, sec_l_cmpf(b, "ogt", limit, x), limit, x);
}
/* condition ? c : x */
static inline sec_lv m_replace(sec_builder *b, sec_lv condition, double c, sec_lv x) {
  return sec_l_select(b, condition, m_float(b, x, c), x);
}

/* Horner's rule. */
static inline sec_lv m_poly(sec_builder *b, sec_lv x, const sec_poly *p) {
  sec_lv r = m_float(b, x, p->c[0]);
  for (int i = 1; i < p->n; i++) r = sec_l_fma(b, r, x, m_float(b, x, p->c[i]));
  return r;
}
static inline sec_lv m_rational(sec_builder *b, sec_lv x, const rational *r) {
  return m_div(b, m_poly(b, x, &r->over), m_poly(b, x, &r->under));
}
/* The row of a two-row table for x's type: [0] f32, [1] f64. */
static inline sec_lv m_poly_pair(sec_builder *b, sec_lv x, const sec_poly pair[2]) {
  return m_poly(b, x, &pair[m_is_double(x)]);
}

/* One i1 that says whether any lane of `mask` holds. */
static inline sec_lv m_any(sec_builder *b, sec_lv mask) {
  if (b->lanes == 1) return mask;
  sec_lv any = sec_b_new(b, SEC_LT_I1);
  sec_text_append(b->out, "%%v%u = vector.reduction <or>, %%v%u : vector<%dxi1> into i1\n", any.id,
                  mask.id, b->lanes);
  return any;
}

#endif
