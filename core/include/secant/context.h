/* A context owns interned types and parameters, jaxprs, functions and executables.  It may be used from
 * several threads; each thread has its own stack of open traces and its own error record. */
#ifndef SECANT_CONTEXT_H
#define SECANT_CONTEXT_H

#include <secant/status.h>

SEC_BEGIN_DECLS

/* Where the engine's memory comes from, as malloc, realloc (never of NULL) and free (never of NULL) do it; alloc
 * and realloc give blocks aligned to 16 bytes, or NULL: the operation then ends with SEC_MEMORY.  Called from any
 * thread.  Outside of it stay the blocks of results and temporaries of runs, which a pool keeps, what LLVM takes,
 * and texts that are documented to be freed with free(). */
typedef struct sec_allocator {
  void *(*alloc)(void *user, size_t bytes);
  void *(*realloc)(void *user, void *block, size_t bytes);
  void (*free)(void *user, void *block);
  void *user;
} sec_allocator;
/* Of the whole process; copied.  Call it before the first context is made, or when all are destroyed and nothing
 * of them is held.  NULL: malloc, realloc and free again. */
SEC_API void sec_set_allocator(const sec_allocator *allocator);

/* The caller owns the context; NULL when there is no memory.  _destroy(NULL) does nothing. */
SEC_API sec_context *sec_context_create(void);
SEC_API void         sec_context_destroy(sec_context *cx);

/* Default dtypes of literals and index results become 64-bit when `on` (JAX's enable_x64). */
SEC_API void sec_context_enable_x64(sec_context *cx, bool on);
SEC_API bool sec_context_x64(const sec_context *cx);

/* Ends every run in progress, on all threads, with SEC_INTERRUPTED: between two steps of a plan, and inside loops
 * within about a millisecond; a single large product or sort is not cut short.  Runs that begin later are not
 * affected.  May be called from any thread and from a signal handler. */
SEC_API void sec_interrupt(void);
/* Lets SIGINT call sec_interrupt() before the handler that the program has installed, which is called then; false,
 * with nothing changed, when it has none (the default ends the process as ever).  Call it again after the program
 * has changed its handler; it costs one system call. */
SEC_API bool sec_interrupt_on_sigint(void);

SEC_END_DECLS
#endif
