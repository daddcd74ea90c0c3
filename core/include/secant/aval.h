/* Abstract values: dtype, shape and weak type, interned in the context, so that equality is pointer
 * equality.  They live as long as the context. */
#ifndef SECANT_AVAL_H
#define SECANT_AVAL_H

#include <secant/dtype.h>

SEC_BEGIN_DECLS

typedef struct sec_aval sec_aval;

/* NULL, with the error recorded, when rank or a dimension is out of range or there is no memory. */
SEC_API const sec_aval *sec_aval_get(sec_context *cx, sec_dtype dtype, bool weak, int rank, const int64_t *dims);
SEC_API sec_dtype       sec_aval_dtype(const sec_aval *a);
SEC_API bool            sec_aval_weak(const sec_aval *a);
SEC_API int             sec_aval_rank(const sec_aval *a);
SEC_API const int64_t  *sec_aval_dims(const sec_aval *a);
SEC_API int64_t         sec_aval_size(const sec_aval *a); /* elements */
SEC_API const char     *sec_aval_text(const sec_aval *a); /* "f32[2,3]", weak types as "f32[]" too */

SEC_END_DECLS
#endif
