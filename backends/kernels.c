/* Kernels: texts to machine code, each distinct text compiled once in a context. */
#include "executable.h"
#include "hash.h"
#include "memory.h"
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the kernels of a plan ---- */
typedef struct gather {
  sec_cache         *cache;
  sec_job           *jobs; /* for those of the kernels that are not in the cache yet */
  bool               with_labels;
  sec_kernel_entry **kernels;
  int                n_kernels, room;
  bool               failed;
} gather;

static sec_kernel_entry *known(const gather *g, uint64_t hash, const char *text) {
  for (int i = 0; i < g->n_kernels; i++)
    if (g->kernels[i]->hash == hash && strcmp(g->kernels[i]->text, text) == 0) return g->kernels[i];
  return NULL;
}

static sec_kernel_entry *cached(const sec_cache *c, uint64_t hash, const char *text) {
  for (sec_kernel_entry *e = c->kernels[hash % SEC_CACHE_SLOTS]; e; e = e->next)
    if (e->hash == hash && strcmp(e->text, text) == 0) return e;
  return NULL;
}

static bool gather_room(gather *g) {
  if (g->n_kernels < g->room) return true;
  int                room = 2 * g->room + 16;
  sec_kernel_entry **grown = sec_mem_realloc(g->kernels, (size_t)room * sizeof(sec_kernel_entry *));
  if (grown) g->kernels = grown, g->room = room;
  return grown != NULL;
}

static sec_kernel_entry *fresh(gather *g, uint64_t hash, const sec_block *b, const sec_step *s) {
  sec_kernel_entry *e = sec_mem_zeroed(1, sizeof *e);
  sec_job          *j = sec_mem_zeroed(1, sizeof *j);
  char             *text = sec_mem_strdup(s->text), *label = g->with_labels ? sec_step_print(b, s) : NULL;
  if (!e || !j || !text || (g->with_labels && !label)) {
    sec_mem_free(e), sec_mem_free(j), sec_mem_free(text), sec_mem_free(label);
    return NULL;
  }
  *e = (sec_kernel_entry){.hash = hash, .text = text};
  *j = (sec_job){.next = g->jobs, .entry = e, .label = label};
  g->jobs = j;
  return e;
}

static void gather_step(gather *g, const sec_block *b, sec_step *s) {
  uint64_t          hash = sec_hash_bytes(0, s->text, strlen(s->text));
  sec_kernel_entry *e = known(g, hash, s->text);
  if (e) {
    g->cache->stats.kernel_hits += e->function != NULL;
    return;
  }
  e = gather_room(g) ? cached(g->cache, hash, s->text) : NULL;
  g->cache->stats.kernel_hits += e != NULL;
  if (!e && g->n_kernels < g->room) e = fresh(g, hash, b, s);
  if (!e) {
    g->failed = true;
    return;
  }
  e->refs++;
  g->kernels[g->n_kernels++] = e;
}

static void for_steps(sec_block *b, void (*visit)(gather *, const sec_block *, sec_step *), gather *g) {
  for (int i = 0; i < b->n_steps; i++) {
    if (b->steps[i].text) visit(g, b, &b->steps[i]);
    else
      for (int k = 0; k < b->steps[i].n_blocks; k++) for_steps(&b->steps[i].blocks[k], visit, g);
  }
}

static void link_step(gather *g, const sec_block *b, sec_step *s) {
  (void)b;
  s->kernel = known(g, sec_hash_bytes(0, s->text, strlen(s->text)), s->text)->function;
}

/* Another thread may have compiled the same text meanwhile: either serves. */
static void publish(sec_cache *c, gather *g) {
  for (int i = 0; i < g->n_kernels; i++) {
    sec_kernel_entry *e = g->kernels[i];
    if (e->listed || e->refs != 1) continue; /* from the cache, or forgotten by it */
    e->listed = true;
    e->next = c->kernels[e->hash % SEC_CACHE_SLOTS];
    c->kernels[e->hash % SEC_CACHE_SLOTS] = e;
    c->stats.kernels++;
  }
}

static void unlist(sec_cache *c, sec_kernel_entry *e) {
  sec_kernel_entry **at = &c->kernels[e->hash % SEC_CACHE_SLOTS];
  while (e->listed && *at != e) at = &(*at)->next;
  if (e->listed) *at = e->next;
  e->listed = false;
}

/* Gives up a count of each kernel. */
static void drop_kernels(sec_cache *c, sec_kernel_entry **kernels, int n) {
  sec_module       *modules = NULL;
  sec_kernel_entry *dead = NULL;
  pthread_mutex_lock(&c->lock);
  for (int i = 0; i < n; i++) {
    sec_kernel_entry *e = kernels[i];
    if (--e->refs > 0) continue;
    unlist(c, e);
    e->next = dead;
    dead = e;
    if (!e->module || --e->module->refs > 0) continue;
    e->module->next = modules;
    modules = e->module;
  }
  pthread_mutex_unlock(&c->lock);
  for (sec_kernel_entry *e = dead, *next; e; e = next) {
    next = e->next;
    sec_mem_free(e->text);
    sec_mem_free(e);
  }
  sec_modules_unload(c, modules);
  sec_mem_free(kernels);
}

void sec_kernels_release(sec_executable *e) {
  if (!e->cache) return;
  drop_kernels(e->cache, e->kernels, e->n_kernels);
  sec_cache_release(e->cache);
}

sec_status sec_kernels_compile(sec_cache *c, sec_executable *e) {
  double    begin = now();
  sec_disk *disk = sec_cache_disk(c);
  if (!disk) return SEC_MEMORY;
  gather g = {.cache = c, .with_labels = disk->directory != NULL};
  pthread_mutex_lock(&c->lock);
  for_steps(&e->plan->block, gather_step, &g);
  pthread_mutex_unlock(&c->lock);
  sec_status status = g.failed ? sec_error_set(SEC_MEMORY, NULL, "out of memory: kernels could not be gathered") : SEC_OK;
  if (status == SEC_OK && g.jobs) status = sec_modules_make(c, disk, g.jobs);
  else sec_jobs_free(g.jobs);
  sec_disk_release(disk);
  pthread_mutex_lock(&c->lock);
  if (status == SEC_OK) publish(c, &g);
  c->stats.compile_seconds += now() - begin;
  pthread_mutex_unlock(&c->lock);
  if (status == SEC_OK) for_steps(&e->plan->block, link_step, &g);
  if (status != SEC_OK) {
    drop_kernels(c, g.kernels, g.n_kernels);
    return status;
  }
  atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
  e->cache = c;
  e->kernels = g.kernels;
  e->n_kernels = g.n_kernels;
  return SEC_OK;
}

/* ---- text of a whole plan ---- */
static sec_job *reversed(sec_job *jobs) {
  sec_job *out = NULL;
  for (sec_job *j = jobs, *next; j; j = next) {
    next = j->next;
    j->next = out;
    out = j;
  }
  return out;
}

char *sec_kernels_module(const sec_plan *p) {
  sec_cache *none = sec_mem_zeroed(1, sizeof *none); /* an empty cache: every kernel is listed */
  gather     g = {.cache = none};
  if (!none) return NULL;
  pthread_mutex_init(&none->lock, NULL);
  for_steps((sec_block *)&p->block, gather_step, &g);
  sec_job *jobs = reversed(g.jobs); /* first kernel first */
  char    *text = g.failed ? NULL : sec_modules_text(jobs);
  sec_jobs_free(jobs);
  drop_kernels(none, g.kernels, g.n_kernels);
  pthread_mutex_destroy(&none->lock);
  sec_mem_free(none);
  return text;
}
