/* The dtype table and JAX's promotion lattice. */
#include "ir.h"
#include <string.h>

typedef struct dtype_row {
  const char *name, *numpy, *mlir;
  size_t      size;
  sec_kind    kind;
  int         bits;
} dtype_row;

static const dtype_row rows[] = {
#define SEC_DTYPE(name, NAME, ctype, size, kind, bits, mlir, numpy) {#name, numpy, mlir, size, SEC_KIND_##kind, bits},
#include <secant/dtype.def>
#undef SEC_DTYPE
};

const char *sec_dtype_name(sec_dtype d) { return rows[d].name; }
const char *sec_dtype_numpy_name(sec_dtype d) { return rows[d].numpy; }
const char *sec_dtype_mlir_name(sec_dtype d) { return rows[d].mlir; }
size_t      sec_dtype_size(sec_dtype d) { return rows[d].size; }
int         sec_dtype_bits(sec_dtype d) { return rows[d].bits; }
sec_kind    sec_dtype_kind(sec_dtype d) { return rows[d].kind; }

sec_dtype sec_dtype_from_name(const char *name) {
  for (int d = 0; d < SEC_N_DTYPES; d++)
    if (strcmp(name, rows[d].name) == 0 || strcmp(name, rows[d].numpy) == 0) return (sec_dtype)d;
  return SEC_N_DTYPES;
}

sec_dtype sec_dtype_default(const sec_context *cx, sec_kind kind) {
  static const sec_dtype narrow[] = {SEC_BOOL, SEC_I32, SEC_U32, SEC_F32, SEC_C64};
  static const sec_dtype wide[] = {SEC_BOOL, SEC_I64, SEC_U64, SEC_F64, SEC_C128};
  return cx->x64 ? wide[kind] : narrow[kind];
}

/* 0 bool, 1 integers, 2 floats, 3 complex */
static int level(sec_dtype d) {
  static const int levels[] = {0, 1, 1, 2, 3};
  return levels[rows[d].kind];
}

static sec_dtype signed_of_bits(int bits) {
  return bits <= 8 ? SEC_I8 : bits <= 16 ? SEC_I16 : bits <= 32 ? SEC_I32 : SEC_I64;
}

static sec_dtype promote_strong(const sec_context *cx, sec_dtype a, sec_dtype b, bool *weak) {
  if (a == b) return a;
  if (level(a) > level(b)) {
    sec_dtype t = a;
    a = b, b = t;
  }
  if (level(a) < level(b)) { /* float into complex may widen it; everything else takes the higher level as it is */
    if (level(b) == 3 && a == SEC_F64) return SEC_C128;
    return b;
  }
  if (level(a) == 1 && rows[a].kind != rows[b].kind) { /* signed with unsigned */
    sec_dtype u = rows[a].kind == SEC_KIND_UINT ? a : b, i = u == a ? b : a;
    if (rows[u].bits < rows[i].bits) return i;
    if (u == SEC_U64) {
      *weak = true;
      return sec_dtype_default(cx, SEC_KIND_FLOAT);
    }
    if (rows[u].bits == 32 && !cx->x64) return SEC_I32; /* one lattice, then narrowed */
    return signed_of_bits(2 * rows[u].bits);
  }
  if (rows[a].bits == rows[b].bits) return SEC_F32; /* f16 with bf16 */
  return rows[a].bits > rows[b].bits ? a : b;
}

/* weak `w` with strong `s` */
static sec_dtype promote_weak(const sec_context *cx, sec_dtype w, sec_dtype s, bool *weak) {
  if (level(w) < level(s)) return s;
  if (level(w) == level(s) && level(s) > 0) return s;
  if (level(w) == 3 && level(s) == 2) return s == SEC_F64 ? SEC_C128 : SEC_C64;
  *weak = level(s) < level(w);
  (void)cx;
  return w;
}

sec_dtype sec_dtype_promote(const sec_context *cx, sec_dtype a, bool a_weak, sec_dtype b, bool b_weak, bool *weak) {
  bool ignored;
  if (!weak) weak = &ignored;
  *weak = false;
  if (a_weak == b_weak) {
    sec_dtype d = promote_strong(cx, a, b, weak);
    *weak |= a_weak;
    return d;
  }
  return a_weak ? promote_weak(cx, a, b, weak) : promote_weak(cx, b, a, weak);
}
