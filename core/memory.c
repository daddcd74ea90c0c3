/* The process's allocator, and what is asked of it. */
#include "memory.h"
#include "ir.h"
#include <stdlib.h>
#include <string.h>

static sec_allocator the; /* zero: that of the C library */

void sec_set_allocator(const sec_allocator *allocator) {
  bool whole = allocator && allocator->alloc && allocator->realloc && allocator->free;
  the = whole ? *allocator : (sec_allocator){0};
}

static void *resize(void *p, size_t bytes) {
  if (bytes > PTRDIFF_MAX) return NULL;
  bytes = bytes ? bytes : 1;
  if (!the.alloc) return realloc(p, bytes);
  return p ? the.realloc(the.user, p, bytes) : the.alloc(the.user, bytes);
}

static void *checked(void *p, size_t bytes) {
  if (!p) sec_error_set(SEC_MEMORY, "free arrays that are no longer needed", "out of memory: %zu bytes were asked for", bytes);
  return p;
}

void *sec_mem_realloc(void *p, size_t bytes) { return checked(resize(p, bytes), bytes); }
void *sec_mem_alloc(size_t bytes) { return sec_mem_realloc(NULL, bytes); }

void *sec_mem_try(size_t n, size_t bytes) {
  size_t all;
  if (__builtin_mul_overflow(n, bytes, &all)) return NULL;
  if (!the.alloc) return calloc(all ? all : 1, 1);
  void *p = resize(NULL, all);
  return p ? memset(p, 0, all) : NULL;
}

void *sec_mem_zeroed(size_t n, size_t bytes) { return checked(sec_mem_try(n, bytes), n * bytes); }

char *sec_mem_strdup(const char *s) {
  size_t n = strlen(s) + 1;
  char  *p = sec_mem_alloc(n);
  return p ? memcpy(p, s, n) : NULL;
}

void sec_mem_free(void *p) {
  if (!the.alloc) free(p);
  else if (p) the.free(the.user, p);
}

char *sec_mem_hand_out(char *text) {
  if (!the.alloc || !text) return text;
  char *copy = strdup(text);
  sec_mem_free(text);
  return checked(copy, 0);
}

void *sec_alloc(sec_context *cx, size_t bytes) { return sec_realloc(cx, NULL, bytes); }

void *sec_realloc(sec_context *cx, void *p, size_t bytes) {
  (void)cx;
  return sec_mem_realloc(p, bytes);
}

void sec_free(sec_context *cx, void *p) {
  (void)cx;
  sec_mem_free(p);
}
