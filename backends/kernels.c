/* Kernels: texts to machine code, each distinct text compiled once in a context.  New kernels of a program go into
 * modules, about one a thread, which are compiled side by side. */
#include "executable.h"
#include "cpu/runtime.h"
#include "hash.h"
#include "memory.h"
#include "text.h"
#include "thread_hooks.h"
#include "threads.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SMALL_MODULE 12000 /* bytes of text below which a second module does not pay */
#define MAX_MODULES 8

typedef struct job {          /* one distinct kernel to compile */
  struct job       *next;     /* of its module */
  sec_kernel_entry *entry;
  char              name[32];
} job;

typedef struct module {
  sec_cache  *cache;
  job        *jobs;
  int         n_jobs;
  size_t      bytes;
  sec_module *loaded; /* owned by its kernels once compiled */
  char       *error;  /* malloc'd; NULL after a failure: memory ended */
  bool        failed;
} module;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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

/* ---- module text ---- */
static void add_named(sec_buffer *t, const char *text, const char *name) {
  for (const char *at = text;;) {
    const char *mark = strstr(at, "@KERNEL");
    if (!mark) {
      sec_buffer_add(t, "%s", at);
      return;
    }
    sec_buffer_add(t, "%.*s@%s", (int)(mark - at), at, name);
    at = mark + strlen("@KERNEL");
  }
}

static void add_declarations(sec_buffer *t, const char *const *texts, int n) {
  size_t                     n_symbols;
  const sec_compiler_symbol *symbols = sec_runtime_symbols(&n_symbols);
  for (size_t s = 0; s < n_symbols; s++) {
    char call[80];
    snprintf(call, sizeof call, "@%s(", symbols[s].name);
    for (int i = 0; i < n; i++)
      if (strstr(texts[i], call)) {
        sec_buffer_add(t, "llvm.func @%s(!llvm.ptr, !llvm.ptr)\n", symbols[s].name);
        break;
      }
  }
}

static char *module_text(const module *m) {
  sec_buffer   t = {0};
  sec_buffer_add(&t, "%s", "");
  const char **texts = sec_mem_alloc((size_t)(m->n_jobs + 1) * sizeof *texts);
  int          n = 0;
  for (job *j = m->jobs; texts && j; j = j->next) texts[n++] = j->entry->text;
  if (texts) add_declarations(&t, texts, n);
  for (job *j = m->jobs; j; j = j->next) add_named(&t, j->entry->text, j->name);
  bool texts_made = texts != NULL;
  sec_mem_free(texts);
  if (!t.failed && texts_made) return t.data;
  sec_mem_free(t.data);
  return NULL;
}

/* ---- compiling ---- */
static void compile_module(void *modules, int i) {
  module     *m = (module *)modules + i;
  sec_cache  *c = m->cache;
  char       *text = module_text(m);
  void       *object = NULL;
  size_t      size = 0;
  const char **names = sec_mem_alloc((size_t)m->n_jobs * sizeof *names);
  void      **addresses = sec_mem_alloc((size_t)m->n_jobs * sizeof *addresses);
  int         n = 0;
  m->loaded = sec_mem_zeroed(1, sizeof *m->loaded);
  m->failed = !text || !names || !addresses || !m->loaded;
  for (job *j = m->jobs; j && !m->failed; j = j->next) names[n++] = j->name;
  if (!m->failed) m->failed = c->api->compile(c->compiler, text, strlen(text), &object, &size, &m->error) != 0;
  if (!m->failed) m->failed = c->api->load(c->compiler, object, size, names, addresses, n, &m->loaded->handle, &m->error) != 0;
  if (m->failed) sec_mem_free(m->loaded);
  n = 0;
  for (job *j = m->jobs; j && !m->failed; j = j->next) {
    memcpy(&j->entry->function, &addresses[n++], sizeof(void *));
    j->entry->module = m->loaded;
    m->loaded->refs++;
  }
  sec_mem_free(text), sec_mem_free(names), sec_mem_free(addresses);
  free(object);
}

static sec_status compile_modules(module *modules, int n) {
  sec_tasks(n, compile_module, modules);
  sec_status status = SEC_OK;
  for (int i = 0; i < n; i++) {
    if (modules[i].failed && !modules[i].error) status = sec_error_set(SEC_MEMORY, NULL, "out of memory while compiling");
    else if (modules[i].failed) status = sec_error_set(SEC_COMPILE, "report this with the program's jaxpr", "generated code did not compile: %s", modules[i].error);
    free(modules[i].error);
  }
  return status;
}

/* ---- the kernels of a plan ---- */
typedef struct gather {
  sec_cache         *cache;
  job               *jobs; /* for those of the kernels that are not in the cache yet */
  int                n_jobs;
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

static sec_kernel_entry *fresh(gather *g, uint64_t hash, const char *text) {
  sec_kernel_entry *e = sec_mem_zeroed(1, sizeof *e);
  job              *j = sec_mem_zeroed(1, sizeof *j);
  char             *copy = sec_mem_strdup(text);
  if (!e || !j || !copy) {
    sec_mem_free(e), sec_mem_free(j), sec_mem_free(copy);
    return NULL;
  }
  *e = (sec_kernel_entry){.hash = hash, .text = copy};
  *j = (job){.next = g->jobs, .entry = e};
  snprintf(j->name, sizeof j->name, "k%llu", (unsigned long long)g->cache->next_name++);
  g->jobs = j;
  g->n_jobs++;
  return e;
}

static void gather_step(gather *g, sec_step *s) {
  uint64_t          hash = sec_hash_bytes(0, s->text, strlen(s->text));
  sec_kernel_entry *e = known(g, hash, s->text);
  if (e) {
    g->cache->stats.kernel_hits += e->function != NULL;
    return;
  }
  e = gather_room(g) ? cached(g->cache, hash, s->text) : NULL;
  g->cache->stats.kernel_hits += e != NULL;
  if (!e && g->n_kernels < g->room) e = fresh(g, hash, s->text);
  if (!e) {
    g->failed = true;
    return;
  }
  e->refs++;
  g->kernels[g->n_kernels++] = e;
}

static void for_steps(sec_block *b, void (*visit)(gather *, sec_step *), gather *g) {
  for (int i = 0; i < b->n_steps; i++) {
    if (b->steps[i].text) visit(g, &b->steps[i]);
    else
      for (int k = 0; k < b->steps[i].n_blocks; k++) for_steps(&b->steps[i].blocks[k], visit, g);
  }
}

static void link_step(gather *g, sec_step *s) {
  s->kernel = known(g, sec_hash_bytes(0, s->text, strlen(s->text)), s->text)->function;
}

/* Longest kernels first, each to the module with the least text. */
static int distribute(gather *g, module *modules) {
  size_t total = 0;
  for (job *j = g->jobs; j; j = j->next) total += strlen(j->entry->text);
  int n = sec_threads_count();
  if ((size_t)n > total / SMALL_MODULE) n = (int)(total / SMALL_MODULE);
  if (n > g->n_jobs) n = g->n_jobs;
  n = n < 1 ? 1 : n > MAX_MODULES ? MAX_MODULES : n;
  for (int i = 0; i < n; i++) modules[i] = (module){.cache = g->cache};
  for (job *j = g->jobs, *next; j; j = next) {
    int least = 0;
    next = j->next;
    for (int i = 1; i < n; i++)
      if (modules[i].bytes < modules[least].bytes) least = i;
    j->next = modules[least].jobs;
    modules[least].jobs = j;
    modules[least].n_jobs++;
    modules[least].bytes += strlen(j->entry->text);
  }
  g->jobs = NULL;
  return n;
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

static void drop_jobs(job *list) {
  for (job *j = list, *next; j; j = next) {
    next = j->next;
    sec_mem_free(j);
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
  for (sec_module *m = modules, *next; m; m = next) {
    next = m->next;
    c->api->unload(c->compiler, m->handle);
    sec_mem_free(m);
  }
  sec_mem_free(kernels);
}

void sec_kernels_release(sec_executable *e) {
  if (!e->cache) return;
  drop_kernels(e->cache, e->kernels, e->n_kernels);
  sec_cache_release(e->cache);
}

sec_status sec_kernels_compile(sec_cache *c, sec_executable *e) {
  gather g = {.cache = c};
  module modules[MAX_MODULES];
  int    n = 0;
  double begin = now();
  SEC_TRY(sec_cache_compiler(c));
  pthread_mutex_lock(&c->lock);
  for_steps(&e->plan->block, gather_step, &g);
  pthread_mutex_unlock(&c->lock);
  sec_status status = g.failed ? sec_error_set(SEC_MEMORY, NULL, "out of memory: kernels could not be gathered") : SEC_OK;
  if (status == SEC_OK && g.n_jobs) {
    n = distribute(&g, modules);
    status = compile_modules(modules, n);
  }
  for (int i = 0; i < n; i++) drop_jobs(modules[i].jobs);
  drop_jobs(g.jobs);
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
char *sec_kernels_module(const sec_plan *p) {
  sec_cache *none = sec_mem_zeroed(1, sizeof *none); /* an empty cache: every kernel is listed */
  gather     g = {.cache = none};
  module     m = {.jobs = NULL};
  if (!none) return NULL;
  pthread_mutex_init(&none->lock, NULL);
  for_steps((sec_block *)&p->block, gather_step, &g);
  for (job *j = g.jobs, *next; j; j = next) { /* first kernel first */
    next = j->next;
    j->next = m.jobs;
    m.jobs = j;
    m.n_jobs++;
  }
  char *text = g.failed ? NULL : module_text(&m);
  drop_jobs(m.jobs);
  drop_kernels(none, g.kernels, g.n_kernels);
  pthread_mutex_destroy(&none->lock);
  sec_mem_free(none);
  return text;
}
