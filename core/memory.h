/* Memory: everything of the engine but the pool's blocks and what LLVM takes comes from here, and so from the
 * process's allocator (sec_set_allocator).  Internal. */
#ifndef SEC_MEMORY_H
#define SEC_MEMORY_H

#include <secant/context.h>

/* NULL, with MEMORY recorded, on failure; 0 bytes give a block too. */
void *sec_mem_alloc(size_t bytes);
void *sec_mem_zeroed(size_t n, size_t bytes);
void *sec_mem_realloc(void *p, size_t bytes);
char *sec_mem_strdup(const char *s);
void  sec_mem_free(void *p);
/* The same as sec_mem_zeroed where failure is no error. */
void *sec_mem_try(size_t n, size_t bytes);

/* Takes a text of these functions and gives it to a caller outside, who frees it with free(); NULL stays NULL. */
char *sec_mem_hand_out(char *text);

#endif
