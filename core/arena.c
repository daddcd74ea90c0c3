/* A bump allocator for compiler data: blocks double, everything is freed at once. */
#include "ir.h"
#include <string.h>

typedef struct block {
  struct block *next;
  size_t        used, room;
} block;
#define BLOCK_HEAD ((sizeof(block) + 15) & ~(size_t)15)

struct sec_arena {
  sec_context *cx;
  block       *top;
};

sec_arena *sec_arena_create(sec_context *cx) {
  sec_arena *a = sec_alloc(cx, sizeof *a);
  if (a) *a = (sec_arena){cx, NULL};
  return a;
}

void *sec_arena_alloc(sec_arena *a, size_t bytes) {
  bytes = (bytes + 15) & ~(size_t)15;
  block *b = a->top;
  if (!b || b->room - b->used < bytes) {
    size_t room = b ? 2 * b->room : 1024;
    if (room > (1u << 20)) room = 1u << 20;
    if (room < bytes) room = bytes;
    b = sec_alloc(a->cx, BLOCK_HEAD + room);
    if (!b) return NULL;
    *b = (block){a->top, 0, room};
    a->top = b;
  }
  char *p = (char *)b + BLOCK_HEAD + b->used;
  b->used += bytes;
  return memset(p, 0, bytes);
}

char *sec_arena_strdup(sec_arena *a, const char *s) {
  size_t n = strlen(s) + 1;
  char  *p = sec_arena_alloc(a, n);
  return p ? memcpy(p, s, n) : NULL;
}

void sec_arena_destroy(sec_arena *a) {
  if (!a) return;
  while (a->top) {
    block *b = a->top;
    a->top = b->next;
    sec_free(a->cx, b);
  }
  sec_free(a->cx, a);
}
