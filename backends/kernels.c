/* Kernels: texts to machine code, each distinct text compiled once in a context.  New kernels of a program go into
 * modules, about one a thread, which are compiled side by side. */
#include "executable.h"
#include "cpu/runtime.h"
#include "hash.h"
#include "text.h"
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
  sec_cache *cache;
  job       *jobs;
  int        n_jobs;
  size_t     bytes;
  void      *handle;
  char      *error;
  bool       failed;
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
  const char **texts = malloc((size_t)(m->n_jobs + 1) * sizeof *texts);
  int          n = 0;
  for (job *j = m->jobs; texts && j; j = j->next) texts[n++] = j->entry->text;
  if (texts) add_declarations(&t, texts, n);
  for (job *j = m->jobs; j; j = j->next) add_named(&t, j->entry->text, j->name);
  free(texts);
  if (t.failed) free(t.data);
  return t.failed ? NULL : t.data;
}

/* ---- compiling ---- */
static void *compile_module(void *argument) {
  module     *m = argument;
  sec_cache  *c = m->cache;
  char       *text = module_text(m);
  void       *object = NULL;
  size_t      size = 0;
  const char **names = malloc((size_t)m->n_jobs * sizeof *names);
  void      **addresses = malloc((size_t)m->n_jobs * sizeof *addresses);
  int         n = 0;
  m->failed = !text || !names || !addresses;
  for (job *j = m->jobs; j && !m->failed; j = j->next) names[n++] = j->name;
  if (!m->failed) m->failed = c->api->compile(c->compiler, text, strlen(text), &object, &size, &m->error) != 0;
  if (!m->failed) m->failed = c->api->load(c->compiler, object, size, names, addresses, n, &m->handle, &m->error) != 0;
  n = 0;
  for (job *j = m->jobs; j && !m->failed; j = j->next) memcpy(&j->entry->function, &addresses[n++], sizeof(void *));
  free(text), free(object), free(names), free(addresses);
  return NULL;
}

static sec_status compile_modules(module *modules, int n) {
  pthread_t threads[MAX_MODULES];
  bool      started[MAX_MODULES] = {false};
  for (int i = 1; i < n; i++) started[i] = pthread_create(&threads[i], NULL, compile_module, &modules[i]) == 0;
  for (int i = 0; i < n; i++)
    if (!started[i]) compile_module(&modules[i]);
  for (int i = 1; i < n; i++)
    if (started[i]) pthread_join(threads[i], NULL);
  sec_status status = SEC_OK;
  for (int i = 0; i < n; i++) {
    if (modules[i].failed) status = sec_error_set(SEC_COMPILE, "report this with the program's jaxpr", "generated code did not compile: %s", modules[i].error ? modules[i].error : "out of memory");
    free(modules[i].error);
  }
  return status;
}

/* ---- the kernels of a plan ---- */
typedef struct gather {
  sec_cache *cache;
  job       *jobs;
  int        n_jobs;
  sec_kernel_entry *fresh; /* not in the cache yet */
  bool       failed;
} gather;

static sec_kernel_entry *find(sec_kernel_entry *list, uint64_t hash, const char *text) {
  for (; list; list = list->next)
    if (list->hash == hash && strcmp(list->text, text) == 0) return list;
  return NULL;
}

static void gather_step(gather *g, sec_step *s) {
  uint64_t          hash = sec_hash_bytes(0, s->text, strlen(s->text));
  sec_kernel_entry *known = find(g->cache->kernels[hash % SEC_CACHE_SLOTS], hash, s->text);
  if (known) {
    g->cache->stats.kernel_hits++;
    s->kernel = known->function;
    return;
  }
  if (find(g->fresh, hash, s->text)) return;
  sec_kernel_entry *e = calloc(1, sizeof *e);
  job              *j = calloc(1, sizeof *j);
  char             *copy = strdup(s->text);
  if (!e || !j || !copy) {
    free(e), free(j), free(copy);
    g->failed = true;
    return;
  }
  *e = (sec_kernel_entry){.next = g->fresh, .hash = hash, .text = copy};
  g->fresh = e;
  *j = (job){.next = g->jobs, .entry = e};
  snprintf(j->name, sizeof j->name, "k%llu", (unsigned long long)g->cache->next_name++);
  g->jobs = j;
  g->n_jobs++;
}

static void for_steps(sec_block *b, void (*visit)(gather *, sec_step *), gather *g) {
  for (int i = 0; i < b->n_steps; i++) {
    if (b->steps[i].text) visit(g, &b->steps[i]);
    else
      for (int k = 0; k < b->steps[i].n_blocks; k++) for_steps(&b->steps[i].blocks[k], visit, g);
  }
}

static void link_step(gather *g, sec_step *s) {
  if (s->kernel) return;
  uint64_t          hash = sec_hash_bytes(0, s->text, strlen(s->text));
  sec_kernel_entry *e = find(g->cache->kernels[hash % SEC_CACHE_SLOTS], hash, s->text);
  s->kernel = e ? e->function : NULL;
  if (!e) g->failed = true;
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

static sec_status publish(sec_cache *c, gather *g, module *modules, int n) {
  pthread_mutex_lock(&c->lock);
  bool ok = true;
  if (c->n_modules + n > c->module_room) {
    int    room = 2 * c->module_room + n + 16;
    void **grown = realloc(c->modules, (size_t)room * sizeof *grown);
    if (grown) c->modules = grown, c->module_room = room;
    else ok = false;
  }
  for (int i = 0; i < n && ok; i++) c->modules[c->n_modules++] = modules[i].handle;
  while (g->fresh && ok) {
    sec_kernel_entry *e = g->fresh;
    g->fresh = e->next;
    e->next = c->kernels[e->hash % SEC_CACHE_SLOTS];
    c->kernels[e->hash % SEC_CACHE_SLOTS] = e;
    c->stats.kernels++;
  }
  pthread_mutex_unlock(&c->lock);
  return ok ? SEC_OK : sec_error_set(SEC_MEMORY, NULL, "out of memory: kernels could not be kept");
}

static void drop(gather *g, module *modules, int n) {
  for (int i = 0; i < n; i++)
    for (job *j = modules[i].jobs, *next; j; j = next) {
      next = j->next;
      free(j);
    }
  for (job *j = g->jobs, *next; j; j = next) {
    next = j->next;
    free(j);
  }
  while (g->fresh) {
    sec_kernel_entry *e = g->fresh;
    g->fresh = e->next;
    free(e->text);
    free(e);
  }
}

sec_status sec_kernels_compile(sec_cache *c, sec_plan *p) {
  gather g = {.cache = c};
  module modules[MAX_MODULES];
  int    n = 0;
  double begin = now();
  SEC_TRY(sec_cache_compiler(c));
  pthread_mutex_lock(&c->lock);
  for_steps(&p->block, gather_step, &g);
  pthread_mutex_unlock(&c->lock);
  sec_status status = g.failed ? sec_error_set(SEC_MEMORY, NULL, "out of memory: kernels could not be gathered") : SEC_OK;
  if (status == SEC_OK && g.n_jobs) {
    n = distribute(&g, modules);
    status = compile_modules(modules, n);
    if (status == SEC_OK) status = publish(c, &g, modules, n);
  }
  drop(&g, modules, n);
  pthread_mutex_lock(&c->lock);
  if (status == SEC_OK) for_steps(&p->block, link_step, &g);
  c->stats.compile_seconds += now() - begin;
  pthread_mutex_unlock(&c->lock);
  if (status == SEC_OK && g.failed) status = sec_error_set(SEC_COMPILE, NULL, "a kernel is missing after its compilation");
  return status;
}

/* ---- text of a whole plan ---- */
static void list_step(gather *g, sec_step *s) {
  if (find(g->fresh, 0, s->text)) return;
  gather_step(g, s);
}

char *sec_kernels_module(const sec_plan *p) {
  sec_cache *none = calloc(1, sizeof *none); /* an empty cache: every kernel is listed */
  gather     g = {.cache = none};
  if (none) for_steps((sec_block *)&p->block, list_step, &g);
  module m = {.jobs = NULL};
  for (job *j = g.jobs, *next; j; j = next) { /* first kernel first */
    next = j->next;
    j->next = m.jobs;
    m.jobs = j;
    m.n_jobs++;
  }
  g.jobs = NULL;
  char *text = module_text(&m);
  drop(&g, &m, 1);
  free(none);
  return text ? text : strdup("");
}
