/* Contexts: allocation, what a context owns, and interned source locations. */
#include "ir.h"
#include <stdlib.h>
#include <string.h>

typedef struct sec_location { char *file; int line; } sec_location;
typedef struct sec_owned {
  struct sec_owned *next;
  void             *object;
  void            (*destroy)(void *object);
} sec_owned;

void sec_aval_table_free(sec_context *cx);
void sec_params_table_free(sec_context *cx);

const char *sec_version(void) { return SEC_VERSION; }

void *sec_alloc(sec_context *cx, size_t bytes) { return sec_realloc(cx, NULL, bytes); }

void *sec_realloc(sec_context *cx, void *p, size_t bytes) {
  (void)cx;
  void *q = bytes <= PTRDIFF_MAX ? realloc(p, bytes ? bytes : 1) : NULL;
  if (!q) sec_error_set(SEC_MEMORY, "free arrays that are no longer needed", "out of memory: %zu bytes were asked for", bytes);
  return q;
}

void sec_free(sec_context *cx, void *p) {
  (void)cx;
  free(p);
}

sec_context *sec_context_create(void) {
  sec_context *cx = calloc(1, sizeof *cx);
  if (!cx) {
    sec_error_set(SEC_MEMORY, NULL, "out of memory: no context could be made");
    return NULL;
  }
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
    free(o);
  }
  sec_params_table_free(cx);
  sec_aval_table_free(cx);
  for (uint32_t i = 1; i < cx->n_locations; i++) free(cx->locations[i].file);
  free(cx->locations);
  pthread_mutex_destroy(&cx->lock);
  free(cx);
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
      free(o);
      break;
    }
  pthread_mutex_unlock(&cx->lock);
}

/* ---- locations: searched newest first, since neighbouring equations share lines ---- */
uint32_t sec_location_get(sec_context *cx, const char *file, int line) {
  if (!file) return 0;
  pthread_mutex_lock(&cx->lock);
  uint32_t found = 0, floor = cx->n_locations > 64 ? cx->n_locations - 64 : 1;
  for (uint32_t i = cx->n_locations; i-- > floor && !found;)
    if (cx->locations[i].line == line && strcmp(cx->locations[i].file, file) == 0) found = i;
  if (!found) {
    if (cx->n_locations >= cx->location_room) {
      uint32_t      room = cx->location_room ? 2 * cx->location_room : 64;
      sec_location *grown = realloc(cx->locations, room * sizeof *grown);
      if (grown) cx->locations = grown, cx->location_room = room;
    }
    char *copy = cx->n_locations < cx->location_room ? strdup(file) : NULL;
    if (copy) {
      found = cx->n_locations++;
      cx->locations[found] = (sec_location){copy, line};
    }
  }
  pthread_mutex_unlock(&cx->lock);
  return found;
}

const char *sec_location_file(const sec_context *cx, uint32_t loc) { return loc ? cx->locations[loc].file : ""; }
int         sec_location_line(const sec_context *cx, uint32_t loc) { return loc ? cx->locations[loc].line : 0; }
