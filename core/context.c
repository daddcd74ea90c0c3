/* Contexts: allocation, what a context owns, and interned source locations. */
#include "hash.h"
#include "ir.h"
#include "memory.h"
#include <string.h>

typedef struct sec_location { char *file; int line; } sec_location;
typedef struct sec_owned {
  struct sec_owned *next;
  void             *object;
  void            (*destroy)(void *object);
} sec_owned;

/* Block k holds the numbers from 64 * (2^k - 1) + 1 on. */
static sec_location *location_at(const sec_context *cx, uint32_t loc) {
  int block = 31 - __builtin_clz((loc - 1) / 64 + 1);
  return &cx->locations[block][loc - 1 - 64 * ((1u << block) - 1)];
}

void sec_aval_table_free(sec_context *cx);
void sec_params_table_free(sec_context *cx);

const char *sec_version(void) { return SEC_VERSION; }

sec_context *sec_context_create(void) {
  sec_context *cx = sec_mem_zeroed(1, sizeof *cx);
  if (!cx) return NULL;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&cx->lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
  cx->n_locations = 1; /* 0 is: unknown */
  return cx;
}

void sec_context_destroy(sec_context *cx) {
  if (!cx) return;
  while (cx->owned) {
    sec_owned *o = cx->owned;
    cx->owned = o->next;
    o->destroy(o->object);
    sec_mem_free(o);
  }
  sec_params_table_free(cx);
  sec_aval_table_free(cx);
  for (uint32_t loc = 1; loc < cx->n_locations; loc++) sec_mem_free(location_at(cx, loc)->file);
  for (int b = 0; b < SEC_LOCATION_BLOCKS; b++) sec_mem_free(cx->locations[b]);
  sec_mem_free(cx->location_slots);
  pthread_mutex_destroy(&cx->lock);
  sec_mem_free(cx);
}

void sec_context_enable_x64(sec_context *cx, bool on) { cx->x64 = on; }
bool sec_context_x64(const sec_context *cx) { return cx->x64; }

sec_status sec_context_own(sec_context *cx, void *object, void (*destroy)(void *)) {
  sec_owned *o = sec_alloc(cx, sizeof *o);
  if (!o) return SEC_MEMORY;
  pthread_mutex_lock(&cx->lock);
  *o = (sec_owned){cx->owned, object, destroy};
  cx->owned = o;
  pthread_mutex_unlock(&cx->lock);
  return SEC_OK;
}

void sec_context_disown(sec_context *cx, void *object) {
  pthread_mutex_lock(&cx->lock);
  for (sec_owned **p = &cx->owned; *p; p = &(*p)->next)
    if ((*p)->object == object) {
      sec_owned *o = *p;
      *p = o->next;
      sec_mem_free(o);
      break;
    }
  pthread_mutex_unlock(&cx->lock);
}

/* ---- locations: numbered from 1; the blocks never move, so that a number is looked up without the lock ---- */
static uint64_t location_hash(const char *file, int line) {
  return sec_hash_word(sec_hash_bytes(0, file, strlen(file)), (uint64_t)line);
}

static bool slots_grow(sec_context *cx) {
  uint32_t  n = cx->n_location_slots ? 2 * cx->n_location_slots : 256;
  uint32_t *slots = sec_mem_zeroed(n, sizeof *slots);
  if (!slots) return false;
  for (uint32_t loc = 1; loc < cx->n_locations; loc++) {
    const sec_location *l = location_at(cx, loc);
    uint64_t            at = location_hash(l->file, l->line);
    while (slots[at & (n - 1)]) at++;
    slots[at & (n - 1)] = loc;
  }
  sec_mem_free(cx->location_slots);
  cx->location_slots = slots;
  cx->n_location_slots = n;
  return true;
}

static uint32_t location_new(sec_context *cx, const char *file, int line) {
  uint32_t loc = cx->n_locations;
  int      block = 31 - __builtin_clz((loc - 1) / 64 + 1);
  if (block >= SEC_LOCATION_BLOCKS) return 0;
  if (!cx->locations[block]) cx->locations[block] = sec_mem_alloc(((size_t)64 << block) * sizeof(sec_location));
  char *copy = cx->locations[block] ? sec_mem_strdup(file) : NULL;
  if (!copy) return 0;
  *location_at(cx, loc) = (sec_location){copy, line};
  cx->n_locations++;
  return loc;
}

uint32_t sec_location_get(sec_context *cx, const char *file, int line) {
  if (!file) return 0;
  pthread_mutex_lock(&cx->lock);
  uint32_t found = 0;
  if (2 * cx->n_locations < cx->n_location_slots || slots_grow(cx)) {
    uint32_t mask = cx->n_location_slots - 1;
    uint64_t at = location_hash(file, line);
    for (; (found = cx->location_slots[at & mask]) != 0; at++)
      if (location_at(cx, found)->line == line && strcmp(location_at(cx, found)->file, file) == 0) break;
    if (!found) found = cx->location_slots[at & mask] = location_new(cx, file, line);
  }
  pthread_mutex_unlock(&cx->lock);
  return found;
}

const char *sec_location_file(const sec_context *cx, uint32_t loc) { return loc ? location_at(cx, loc)->file : ""; }
int         sec_location_line(const sec_context *cx, uint32_t loc) { return loc ? location_at(cx, loc)->line : 0; }
