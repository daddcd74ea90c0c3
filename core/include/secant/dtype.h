/* Element types, their table and JAX's promotion lattice. */
#ifndef SECANT_DTYPE_H
#define SECANT_DTYPE_H

#include <secant/context.h>

SEC_BEGIN_DECLS

typedef enum sec_dtype {
#define SEC_DTYPE(name, NAME, ctype, size, kind, bits, mlir, numpy) SEC_##NAME,
#include <secant/dtype.def>
#undef SEC_DTYPE
  SEC_N_DTYPES
} sec_dtype;

typedef enum sec_kind { SEC_KIND_BOOL, SEC_KIND_INT, SEC_KIND_UINT, SEC_KIND_FLOAT, SEC_KIND_COMPLEX } sec_kind;

SEC_API const char *sec_dtype_name(sec_dtype d);       /* "f32" */
SEC_API const char *sec_dtype_numpy_name(sec_dtype d); /* "float32" */
SEC_API const char *sec_dtype_mlir_name(sec_dtype d);  /* "f32", "i32" for u32 */
SEC_API size_t      sec_dtype_size(sec_dtype d);       /* bytes */
SEC_API int         sec_dtype_bits(sec_dtype d);
SEC_API sec_kind    sec_dtype_kind(sec_dtype d);
/* From "f32" or "float32"; SEC_N_DTYPES when there is none of that name. */
SEC_API sec_dtype sec_dtype_from_name(const char *name);
/* The least type that both convert to, and whether it stays weak (JAX's lattice, then narrowed to the
 * context's default width where the result is weak). */
SEC_API sec_dtype sec_dtype_promote(const sec_context *cx, sec_dtype a, bool a_weak, sec_dtype b, bool b_weak,
                                    bool *weak);
/* The context's default of a kind: f32 or f64, i32 or i64, ... */
SEC_API sec_dtype sec_dtype_default(const sec_context *cx, sec_kind kind);

SEC_END_DECLS
#endif
