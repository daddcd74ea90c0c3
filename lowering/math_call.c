/* Functions of core/special.h in compiled code: the lanes go as doubles through a block on the stack to a runtime function
 * (backends/cpu/rt_special.c), one call a vector. */
#include "math_library.h"

/* The address of the block's array `field`. */
static uint32_t field_address(sec_builder *b, uint32_t block, int field) {
  uint32_t at = b->next_id++;
  sec_text_append(b->out, "%%v%u = llvm.getelementptr %%v%u[%d] : (!llvm.ptr) -> !llvm.ptr, i8\n", at, block,
                  8 + field * b->lanes * 8);
  return at;
}

static sec_lv call(sec_builder *b, const char *name, int n, const sec_lv *x) {
  uint32_t stack = b->next_id++, lanes = b->next_id++, words = b->next_id++, block = b->next_id++;
  sec_ltype type = x[0].type;
  char doubles[40];
  sec_b_type(b, SEC_LT_F64, doubles);
  sec_text_append(b->out,
                  "%%v%u = llvm.intr.stacksave : !llvm.ptr\n"
                  "%%v%u = arith.constant %d : i64\n"
                  "%%v%u = arith.constant %d : i64\n"
                  "%%v%u = llvm.alloca %%v%u x i64 : (i64) -> !llvm.ptr\n"
                  "llvm.store %%v%u, %%v%u : i64, !llvm.ptr\n",
                  stack, lanes, b->lanes, words, 1 + (n + 1) * b->lanes, block, words, lanes, block);
  for (int i = 0; i < n; i++) {
    sec_lv wide = type == SEC_LT_F64 ? x[i] : sec_l_cast(b, "arith.extf", x[i], SEC_LT_F64);
    sec_text_append(b->out, "llvm.store %%v%u, %%v%u {alignment = 8 : i64} : %s, !llvm.ptr\n", wide.id,
                    field_address(b, block, i), doubles);
  }
  sec_text_append(b->out, "llvm.call @sec_rt_%s(%%v%u, %%v%u) : (!llvm.ptr, !llvm.ptr) -> ()\n", name, block, block);
  uint32_t at = field_address(b, block, n);
  sec_lv out = sec_b_new(b, SEC_LT_F64);
  sec_text_append(b->out,
                  "%%v%u = llvm.load %%v%u {alignment = 8 : i64} : !llvm.ptr -> %s\n"
                  "llvm.intr.stackrestore %%v%u : !llvm.ptr\n",
                  out.id, at, doubles, stack);
  return type == SEC_LT_F64 ? out : sec_l_cast(b, "arith.truncf", out, type);
}

#define CALL(name, n_in, narrow)                                                                   \
  sec_lv sec_math_##name(sec_builder *b, const sec_lv *x) { return call(b, #name, n_in, x); }
SEC_SPECIAL_FUNCTIONS(CALL)
