/* The signature cache: one executable for each closed jaxpr of a context.  A signature is compiled by the first thread
 * that asks for it; others wait. */
#include "executable.h"
#include "cpu/runtime.h"
#include "memory.h"
#include <secant/transforms.h>
#include <stdlib.h>
#include <string.h>

static void entries_free(sec_cache_entry *list) {
  for (sec_cache_entry *e = list, *next; e; e = next) {
    next = e->next;
    sec_jaxpr_release(e->key);
    sec_executable_release(e->executable);
    sec_mem_free(e);
  }
}

void sec_cache_release(sec_cache *c) {
  if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1) return;
  if (c->compiler) c->api->destroy(c->compiler);
  sec_disk_release(c->disk);
  pthread_mutex_destroy(&c->lock);
  pthread_cond_destroy(&c->finished);
  sec_mem_free(c);
}

/* The context ends. */
static void cache_end(void *object) {
  sec_cache *c = object;
  for (int s = 0; s < SEC_CACHE_SLOTS; s++) entries_free(c->entries[s]);
  sec_cache_release(c);
}

sec_cache *sec_cache_of(sec_context *cx) {
  sec_cache *c = atomic_load_explicit(&cx->cache, memory_order_acquire);
  if (c) return c;
  pthread_mutex_lock(&cx->lock);
  c = atomic_load_explicit(&cx->cache, memory_order_relaxed);
  if (!c && (c = sec_mem_zeroed(1, sizeof *c))) {
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->finished, NULL);
    if (sec_context_own(cx, c, cache_end) == SEC_OK) atomic_store_explicit(&cx->cache, c, memory_order_release);
    else {
      sec_cache_release(c);
      c = NULL;
    }
  }
  pthread_mutex_unlock(&cx->lock);
  return c;
}

sec_status sec_cache_compiler(sec_cache *c) {
  char *error = NULL;
  pthread_mutex_lock(&c->lock);
  if (!c->api) c->api = sec_compiler_load(&error);
  if (c->api && !c->compiler) {
    size_t                     n;
    const sec_compiler_symbol *symbols = sec_runtime_symbols(&n);
    c->compiler = c->api->create(symbols, n, &error);
  }
  bool ok = c->compiler != NULL;
  pthread_mutex_unlock(&c->lock);
  if (!ok) sec_error_set(SEC_COMPILE, "build libsecant-mlir beside libsecant, or set SECANT_MLIR_LIBRARY", "the compiler could not start: %s", error ? error : "no reason given");
  free(error);
  return ok ? SEC_OK : SEC_COMPILE;
}

sec_disk *sec_cache_disk(sec_cache *c) {
  pthread_mutex_lock(&c->lock);
  if (!c->disk) c->disk = sec_disk_open(NULL, NULL);
  sec_disk *d = c->disk ? sec_disk_retain(c->disk) : NULL;
  pthread_mutex_unlock(&c->lock);
  return d;
}

static sec_cache_entry *lookup(sec_cache *c, const sec_jaxpr *key, uint64_t hash) {
  for (sec_cache_entry *e = c->entries[hash % SEC_CACHE_SLOTS]; e; e = e->next)
    if (e->hash == hash && sec_jaxpr_equal(e->key, key)) return e;
  return NULL;
}

/* Takes the entry out of the table; needs the lock.  What is taken out is freed without it, since that may call the
 * host program. */
static void unlink_entry(sec_cache *c, sec_cache_entry *entry) {
  sec_cache_entry **at = &c->entries[entry->hash % SEC_CACHE_SLOTS];
  while (*at != entry) at = &(*at)->next;
  *at = entry->next;
  entry->next = NULL;
  c->n_entries--;
}

static sec_cache_entry *unlink_oldest(sec_cache *c) {
  sec_cache_entry *oldest = NULL;
  for (int s = 0; s < SEC_CACHE_SLOTS; s++)
    for (sec_cache_entry *e = c->entries[s]; e; e = e->next)
      if (e->executable && (!oldest || e->used < oldest->used)) oldest = e;
  if (oldest) unlink_entry(c, oldest);
  return oldest;
}

static sec_status compile_closed(sec_cache *c, sec_jaxpr *closed, sec_executable **out) {
  uint64_t hash = sec_jaxpr_hash(closed);
  pthread_mutex_lock(&c->lock);
  sec_cache_entry *e, *gone = NULL;
  while ((e = lookup(c, closed, hash)) && !e->executable) pthread_cond_wait(&c->finished, &c->lock);
  if (e) {
    c->stats.hits++;
    e->used = ++c->clock;
    *out = sec_executable_retain(e->executable);
    pthread_mutex_unlock(&c->lock);
    return SEC_OK;
  }
  e = sec_mem_zeroed(1, sizeof *e);
  if (!e) {
    pthread_mutex_unlock(&c->lock);
    return SEC_MEMORY;
  }
  *e = (sec_cache_entry){.next = c->entries[hash % SEC_CACHE_SLOTS], .hash = hash, .key = sec_jaxpr_retain(closed)};
  c->entries[hash % SEC_CACHE_SLOTS] = e;
  if (++c->n_entries > SEC_CACHE_LIMIT) gone = unlink_oldest(c);
  pthread_mutex_unlock(&c->lock);
  entries_free(gone);
  gone = NULL;
  sec_executable *made = NULL;
  sec_status      status = sec_executable_make(c, closed, &made);
  pthread_mutex_lock(&c->lock);
  if (status == SEC_OK) {
    e->executable = made;
    e->used = ++c->clock;
    c->stats.compiles++;
    *out = sec_executable_retain(made);
  } else {
    unlink_entry(c, e);
    gone = e;
  }
  pthread_cond_broadcast(&c->finished);
  pthread_mutex_unlock(&c->lock);
  entries_free(gone);
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
  sec_cache *c = atomic_load_explicit(&cx->cache, memory_order_acquire);
  if (!c) return (sec_cache_stats){0};
  pthread_mutex_lock(&c->lock);
  sec_cache_stats stats = c->stats;
  pthread_mutex_unlock(&c->lock);
  return stats;
}

/* What is being compiled stays.  Kernels are compiled again from here on; the code of old ones goes with the last
 * executable that runs it. */
void sec_cache_clear(sec_context *cx) {
  sec_cache       *c = atomic_load_explicit(&cx->cache, memory_order_acquire);
  sec_cache_entry *gone = NULL;
  if (!c) return;
  pthread_mutex_lock(&c->lock);
  for (int s = 0; s < SEC_CACHE_SLOTS; s++) {
    for (sec_cache_entry *e = c->entries[s], *next; e; e = next) {
      next = e->next;
      if (!e->executable) continue;
      unlink_entry(c, e);
      e->next = gone;
      gone = e;
    }
    for (sec_kernel_entry *k = c->kernels[s]; k; k = k->next) k->listed = false;
    c->kernels[s] = NULL;
  }
  pthread_mutex_unlock(&c->lock);
  entries_free(gone);
}

/* ---- the cache on disk ---- */
sec_status sec_disk_cache_set(sec_context *cx, const char *directory) {
  sec_cache *c = sec_cache_of(cx);
  sec_disk  *d = c ? sec_disk_open(directory, NULL) : NULL;
  if (!d) return SEC_MEMORY;
  pthread_mutex_lock(&c->lock);
  sec_disk *old = c->disk;
  c->disk = d;
  pthread_mutex_unlock(&c->lock);
  sec_disk_release(old);
  return SEC_OK;
}

char *sec_disk_cache_text(sec_context *cx, const char *what) {
  bool       list = strcmp(what, "list") == 0;
  sec_buffer t = {0};
  if (!list && strcmp(what, "stats") != 0) {
    sec_error_set(SEC_ARGUMENT, "stats or list", "disk cache: there is no text \"%s\"", what);
    return NULL;
  }
  sec_cache *c = sec_cache_of(cx);
  sec_disk  *d = c ? sec_cache_disk(c) : NULL;
  if (!d) return NULL;
  sec_buffer_add(&t, "%s", "");
  if (list) sec_disk_print_list(d, &t);
  else sec_disk_print_stats(d, &t);
  sec_disk_release(d);
  if (!t.failed) return sec_mem_hand_out(t.data);
  sec_mem_free(t.data);
  return NULL;
}

sec_status sec_disk_cache_clear(sec_context *cx, int64_t *n) {
  sec_cache *c = sec_cache_of(cx);
  sec_disk  *d = c ? sec_cache_disk(c) : NULL;
  *n = 0;
  if (!d) return SEC_MEMORY;
  *n = sec_disk_clear(d);
  sec_disk_release(d);
  return SEC_OK;
}
