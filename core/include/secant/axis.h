/* Named axes: the names of the vmaps and pmaps whose functions are being traced, a stack a thread.  A collective
 * (psum, all_gather, ...) asks it for the size of its axis; a name that is not there is an error (AXIS_NAME). */
#ifndef SECANT_AXIS_H
#define SECANT_AXIS_H

#include <secant/trace.h>

SEC_BEGIN_DECLS

/* Binds a name while a mapped function is traced; an inner name shadows an outer one.  Copies `name`. */
SEC_API sec_status sec_axis_push(const char *name, int64_t size);
/* Unbinds the name bound last. */
SEC_API void sec_axis_pop(void);
/* The size of the innermost axis of this name; -1 when none is bound. */
SEC_API int64_t sec_axis_size(const char *name);

SEC_END_DECLS
#endif
