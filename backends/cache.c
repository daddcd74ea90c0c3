/* The signature cache: one executable for each closed jaxpr of a context.  A signature is compiled by the first thread
 * that asks for it; others wait. */
#include "executable.h"
#include <secant/transforms.h>
#include <stdlib.h>
#include <string.h>

static void cache_free(void *object) {
  sec_cache *c = object;
  for (int s = 0; s < SEC_CACHE_SLOTS; s++) {
    for (sec_cache_entry *e = c->entries[s], *next; e; e = next) {
      next = e->next;
      sec_jaxpr_release(e->key);
      sec_executable_release(e->executable);
      free(e);
    }
    for (sec_kernel_entry *k = c->kernels[s], *next; k; k = next) {
      next = k->next;
      free(k->text);
      free(k);
    }
  }
  if (c->compiler) c->api->destroy(c->compiler); /* with all loaded code */
  free(c->modules);
  pthread_mutex_destroy(&c->lock);
  pthread_cond_destroy(&c->finished);
  free(c);
}

sec_cache *sec_cache_of(sec_context *cx) {
  pthread_mutex_lock(&cx->lock);
  if (!cx->cache) {
    sec_cache *c = calloc(1, sizeof *c);
    if (c) {
      c->cx = cx;
      pthread_mutex_init(&c->lock, NULL);
      pthread_cond_init(&c->finished, NULL);
      if (sec_context_own(cx, c, cache_free) == SEC_OK) cx->cache = c;
      else cache_free(c);
    }
  }
  pthread_mutex_unlock(&cx->lock);
  if (!cx->cache) sec_error_set(SEC_MEMORY, NULL, "out of memory: no cache could be made");
  return cx->cache;
}

static sec_cache_entry *lookup(sec_cache *c, const sec_jaxpr *key, uint64_t hash) {
  for (sec_cache_entry *e = c->entries[hash % SEC_CACHE_SLOTS]; e; e = e->next)
    if (e->hash == hash && sec_jaxpr_equal(e->key, key)) return e;
  return NULL;
}

static void remove_entry(sec_cache *c, sec_cache_entry *entry) {
  sec_cache_entry **at = &c->entries[entry->hash % SEC_CACHE_SLOTS];
  while (*at && *at != entry) at = &(*at)->next;
  if (*at) *at = entry->next;
  sec_jaxpr_release(entry->key);
  sec_executable_release(entry->executable);
  free(entry);
}

static sec_status compile_closed(sec_cache *c, sec_jaxpr *closed, sec_executable **out) {
  uint64_t hash = sec_jaxpr_hash(closed);
  pthread_mutex_lock(&c->lock);
  sec_cache_entry *e;
  while ((e = lookup(c, closed, hash)) && !e->executable) pthread_cond_wait(&c->finished, &c->lock);
  if (e) {
    c->stats.hits++;
    *out = sec_executable_retain(e->executable);
    pthread_mutex_unlock(&c->lock);
    return SEC_OK;
  }
  e = calloc(1, sizeof *e);
  if (!e) {
    pthread_mutex_unlock(&c->lock);
    return sec_error_set(SEC_MEMORY, NULL, "out of memory: no cache entry could be made");
  }
  *e = (sec_cache_entry){.next = c->entries[hash % SEC_CACHE_SLOTS], .hash = hash, .key = sec_jaxpr_retain(closed)};
  c->entries[hash % SEC_CACHE_SLOTS] = e;
  pthread_mutex_unlock(&c->lock);
  sec_executable *made = NULL;
  sec_status      status = sec_executable_make(c, closed, &made);
  pthread_mutex_lock(&c->lock);
  if (status == SEC_OK) {
    e->executable = made;
    c->stats.compiles++;
    *out = sec_executable_retain(made);
  } else
    remove_entry(c, e);
  pthread_cond_broadcast(&c->finished);
  pthread_mutex_unlock(&c->lock);
  return status;
}

sec_status sec_compile(sec_context *cx, const sec_jaxpr *j, const char *device, sec_executable **out) {
  *out = NULL;
  if (device && strcmp(device, "cpu") != 0)
    return sec_error_set(SEC_UNSUPPORTED, "use \"cpu\"", "compile: there is no device \"%s\" in this build", device);
  for (uint32_t k = 0; k < j->n_consts; k++)
    if (!j->consts[k].array)
      return sec_error_set(SEC_LEAKED, "apply the jaxpr inside that trace instead", "compile: the jaxpr captures a value of an open trace");
  sec_cache *c = sec_cache_of(cx);
  if (!c) return SEC_MEMORY;
  sec_jaxpr *closed = NULL;
  if (j->n_consts) SEC_TRY(sec_jaxpr_close(j, &closed));
  else closed = sec_jaxpr_retain((sec_jaxpr *)j);
  sec_status status = compile_closed(c, closed, out);
  sec_jaxpr_release(closed);
  return status;
}

sec_cache_stats sec_cache_get_stats(const sec_context *cx) {
  if (!cx->cache) return (sec_cache_stats){0};
  pthread_mutex_lock(&cx->cache->lock);
  sec_cache_stats stats = cx->cache->stats;
  pthread_mutex_unlock(&cx->cache->lock);
  return stats;
}

/* Kernels stay loaded while an executable that somebody holds may run them: their texts are forgotten, so that they
 * are compiled again, and the code goes with the context or, when nothing is held, at once. */
void sec_cache_clear(sec_context *cx) {
  sec_cache *c = cx->cache;
  if (!c) return;
  pthread_mutex_lock(&c->lock);
  bool held = false;
  for (int s = 0; s < SEC_CACHE_SLOTS; s++)
    for (sec_cache_entry *e = c->entries[s], *next; e; e = next) {
      next = e->next;
      if (!e->executable) held = true; /* being compiled on another thread */
      else {
        held |= atomic_load(&e->executable->refs) > 1;
        remove_entry(c, e);
      }
    }
  for (int s = 0; s < SEC_CACHE_SLOTS; s++)
    for (sec_kernel_entry *k = c->kernels[s], *next; k; k = next) {
      next = k->next;
      free(k->text);
      free(k);
      c->kernels[s] = next;
    }
  for (int m = 0; m < c->n_modules && !held; m++) c->api->unload(c->compiler, c->modules[m]);
  if (!held) c->n_modules = 0;
  pthread_mutex_unlock(&c->lock);
}
