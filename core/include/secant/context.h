/* A context owns interned types and parameters, jaxprs, functions and executables.  It may be used from
 * several threads; each thread has its own stack of open traces and its own error record. */
#ifndef SECANT_CONTEXT_H
#define SECANT_CONTEXT_H

#include <secant/status.h>

SEC_BEGIN_DECLS

/* The caller owns the context; NULL when there is no memory.  _destroy(NULL) does nothing. */
SEC_API sec_context *sec_context_create(void);
SEC_API void         sec_context_destroy(sec_context *cx);

/* Default dtypes of literals and index results become 64-bit when `on` (JAX's enable_x64). */
SEC_API void sec_context_enable_x64(sec_context *cx, bool on);
SEC_API bool sec_context_x64(const sec_context *cx);

SEC_END_DECLS
#endif
