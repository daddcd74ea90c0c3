/* The element builder: what a primitive's `lower` rule calls to say how one element of its result is
 * computed.  The same rule serves scalar and vector code and every target: the builder knows how many
 * lanes it emits.  Declared here so that core needs no MLIR header; implemented in lowering/builder.c,
 * which writes MLIR text (arith, math and llvm dialects).
 *
 * A `sec_lv` is one SSA value and its element type; the builder decides whether it is a scalar or a vector. */
#ifndef SEC_LOWER_H
#define SEC_LOWER_H

#include <stdbool.h>
#include <stdint.h>

/* Element types in registers.  Unsigned integers share the signless type of their width; bool is I1. */
typedef enum sec_ltype {
  SEC_LT_I1, SEC_LT_I8, SEC_LT_I16, SEC_LT_I32, SEC_LT_I64, SEC_LT_F16, SEC_LT_BF16, SEC_LT_F32, SEC_LT_F64
} sec_ltype;

typedef struct sec_lv { uint32_t id; sec_ltype type; } sec_lv;

typedef struct sec_builder sec_builder;

/* constants, splat over the lanes */
sec_lv sec_l_float(sec_builder *b, sec_ltype type, double value);
sec_lv sec_l_int(sec_builder *b, sec_ltype type, int64_t value);

/* `op` is the full MLIR operation name: "arith.addf", "math.sqrt", "arith.andi".
 * Operands have one type, which is the result's. */
sec_lv sec_l_unary(sec_builder *b, const char *op, sec_lv x);
sec_lv sec_l_binary(sec_builder *b, const char *op, sec_lv x, sec_lv y);
sec_lv sec_l_fma(sec_builder *b, sec_lv x, sec_lv y, sec_lv z); /* x * y + z, rounded once */

/* predicates as in arith: "olt", "une", "uno" (floats); "slt", "ult", "eq" (integers).  Result: I1. */
sec_lv sec_l_cmpf(sec_builder *b, const char *predicate, sec_lv x, sec_lv y);
sec_lv sec_l_cmpi(sec_builder *b, const char *predicate, sec_lv x, sec_lv y);
sec_lv sec_l_select(sec_builder *b, sec_lv condition, sec_lv if_true, sec_lv if_false);

/* `op`: "arith.sitofp", "arith.bitcast", "arith.truncf", "arith.extui", ...; result elements have `type` */
sec_lv sec_l_cast(sec_builder *b, const char *op, sec_lv x, sec_ltype type);

/* A function of the math library (lowering/math*.c) by name: "exp", "tanh", "erf", "pow", "atan2", ... */
sec_lv sec_l_math(sec_builder *b, const char *name, const sec_lv *x, int n);

static inline bool sec_lt_is_float(sec_ltype t) { return t >= SEC_LT_F16; }
static inline int sec_lt_bits(sec_ltype t) {
  static const int bits[] = {1, 8, 16, 32, 64, 16, 16, 32, 64};
  return bits[t];
}

#endif
