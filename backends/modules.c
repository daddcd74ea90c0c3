/* Modules: what is compiled, kept on disk and loaded as one object.  New kernels of a program are looked for on disk; those
 * that are not there go into modules, about one a thread, which are compiled side by side. */
#include "executable.h"
#include "cpu/runtime.h"
#include "memory.h"
#include "text.h"
#include "thread_hooks.h"
#include "threads.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_MODULE 12000 /* bytes of text below which a second module does not pay */
#define MAX_MODULES 8

typedef struct module {
  sec_cache  *cache;
  sec_disk   *disk;
  sec_job    *jobs;
  int         n_jobs;
  size_t      bytes;
  sec_module *loaded; /* owned by its kernels once compiled */
  char       *error;  /* malloc'd; NULL after a failure: memory ended */
  bool        failed;
  bool        kept; /* on disk */
} module;

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

static char *module_text(const sec_job *jobs, int n_jobs) {
  sec_buffer   t = {0};
  sec_buffer_add(&t, "%s", "");
  const char **texts = sec_mem_alloc((size_t)(n_jobs + 1) * sizeof *texts);
  int          n = 0;
  for (const sec_job *j = jobs; texts && j; j = j->next) texts[n++] = j->entry->text;
  if (texts) add_declarations(&t, texts, n);
  for (const sec_job *j = jobs; j; j = j->next) add_named(&t, j->entry->text, j->name);
  bool texts_made = texts != NULL;
  sec_mem_free(texts);
  if (!t.failed && texts_made) return t.data;
  sec_mem_free(t.data);
  return NULL;
}

static int count(const sec_job *jobs) {
  int n = 0;
  for (; jobs; jobs = jobs->next) n++;
  return n;
}

char *sec_modules_text(sec_job *jobs) {
  int n = 0;
  for (sec_job *j = jobs; j; j = j->next) snprintf(j->name, sizeof j->name, "k%d", n++);
  return module_text(jobs, n);
}

/* ---- loading ---- */
/* Names of the jobs, and room for their addresses. */
typedef struct table {
  const char **names;
  void       **addresses;
  int          n;
} table;

static bool table_make(table *t, const sec_job *jobs) {
  int n = count(jobs);
  *t = (table){sec_mem_alloc((size_t)n * sizeof *t->names), sec_mem_alloc((size_t)n * sizeof *t->addresses), 0};
  if (!t->names || !t->addresses) return false;
  for (const sec_job *j = jobs; j; j = j->next) t->names[t->n++] = j->name;
  return true;
}

static void table_free(table *t) {
  sec_mem_free(t->names);
  sec_mem_free(t->addresses);
}

/* The jobs whose kernels were found get their code. */
static int assign(sec_job *jobs, const table *t, sec_module *m) {
  int n = 0, found = 0;
  for (sec_job *j = jobs; j; j = j->next, n++) {
    if (!t->addresses[n] || j->entry->function) continue;
    memcpy(&j->entry->function, &t->addresses[n], sizeof(void *));
    j->entry->module = m;
    m->refs++;
    found++;
  }
  return found;
}

void sec_modules_unload(sec_cache *c, sec_module *list) {
  for (sec_module *m = list, *next; m; m = next) {
    next = m->next;
    sec_image_unload(m->image);
    if (m->handle) c->api->unload(c->compiler, m->handle);
    sec_mem_free(m);
  }
}

/* One file may bring several of the jobs. */
static int load_file(sec_disk *disk, sec_job *wanted, sec_job *jobs, const table *t) {
  size_t      size;
  void       *object = sec_disk_read(disk, wanted->name + 1, &size);
  sec_module *m = object ? sec_mem_try(1, sizeof *m) : NULL;
  if (m) m->image = sec_image_load(object, size, t->names, t->addresses, t->n);
  sec_mem_free(object);
  int found = m && m->image ? assign(jobs, t, m) : 0;
  if (m && !found) sec_modules_unload(NULL, m);
  return found;
}

static int load_files(sec_disk *disk, sec_job *jobs) {
  table t;
  int   found = 0;
  bool  good = disk->directory && table_make(&t, jobs);
  for (sec_job *j = jobs; j && good; j = j->next)
    if (!j->entry->function) found += load_file(disk, j, jobs, &t);
  if (disk->directory) table_free(&t);
  return found;
}

/* ---- compiling ---- */
/* Our loader, or LLVM's for what ours does not take. */
static bool load_object(module *m, const void *object, size_t size, const table *t) {
  m->loaded->image = sec_image_load(object, size, t->names, t->addresses, t->n);
  for (int i = 0; i < t->n && m->loaded->image; i++)
    if (!t->addresses[i]) sec_image_unload(m->loaded->image), m->loaded->image = NULL;
  if (m->loaded->image) return true;
  return m->cache->api->load(m->cache->compiler, object, size, t->names, t->addresses, t->n, &m->loaded->handle, &m->error) == 0;
}

/* An object that LLVM had to load is not kept: it would bring LLVM into every process that reads it. */
static void keep(module *m, const table *t, const void *object, size_t size) {
  sec_buffer   note = {0};
  const char **keys = m->disk->directory && m->loaded->image ? sec_mem_try((size_t)t->n, sizeof *keys) : NULL;
  if (!keys) return;
  for (int i = 0; i < t->n; i++) keys[i] = t->names[i] + 1;
  for (const sec_job *j = m->jobs; j; j = j->next) sec_buffer_add(&note, "%s %s\n", j->name + 1, j->label ? j->label : "");
  m->kept = !note.failed && sec_disk_write(m->disk, keys, t->n, object, size, note.data);
  sec_mem_free(note.data);
  sec_mem_free(keys);
}

static void compile_module(void *modules, int i) {
  module    *m = (module *)modules + i;
  sec_cache *c = m->cache;
  char      *text = module_text(m->jobs, m->n_jobs);
  void      *object = NULL;
  size_t     size = 0;
  table      t;
  m->loaded = sec_mem_zeroed(1, sizeof *m->loaded);
  m->failed = !table_make(&t, m->jobs) || !text || !m->loaded;
  if (!m->failed) m->failed = c->api->compile(c->compiler, text, strlen(text), &object, &size, &m->error) != 0;
  if (!m->failed) m->failed = !load_object(m, object, size, &t);
  if (m->failed) sec_mem_free(m->loaded);
  else assign(m->jobs, &t, m->loaded), keep(m, &t, object, size);
  sec_mem_free(text);
  table_free(&t);
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

/* Longest kernels first, each to the module with the least text. */
static int distribute(sec_job *jobs, int n_jobs, module *modules) {
  size_t total = 0;
  for (sec_job *j = jobs; j; j = j->next) total += strlen(j->entry->text);
  int n = sec_threads_count();
  if ((size_t)n > total / SMALL_MODULE) n = (int)(total / SMALL_MODULE);
  if (n > n_jobs) n = n_jobs;
  n = n < 1 ? 1 : n > MAX_MODULES ? MAX_MODULES : n;
  for (sec_job *j = jobs, *next; j; j = next) {
    int least = 0;
    next = j->next;
    for (int i = 1; i < n; i++)
      if (modules[i].bytes < modules[least].bytes) least = i;
    j->next = modules[least].jobs;
    modules[least].jobs = j;
    modules[least].n_jobs++;
    modules[least].bytes += strlen(j->entry->text);
  }
  return n;
}

/* ---- jobs ---- */
void sec_jobs_free(sec_job *jobs) {
  for (sec_job *j = jobs, *next; j; j = next) {
    next = j->next;
    sec_mem_free(j->label);
    sec_mem_free(j);
  }
}

/* Takes those without code out of the list. */
static sec_job *take_missing(sec_job **jobs) {
  sec_job *missing = NULL, **end = &missing;
  for (sec_job **at = jobs; *at;) {
    sec_job *j = *at;
    if (j->entry->function) {
      at = &j->next;
      continue;
    }
    *at = j->next;
    *end = j;
    end = &j->next;
    j->next = NULL;
  }
  return missing;
}

static sec_status compile_jobs(sec_cache *c, sec_disk *disk, sec_job *jobs, int *written) {
  module     modules[MAX_MODULES] = {{0}};
  sec_status status = sec_cache_compiler(c);
  if (status != SEC_OK) {
    sec_jobs_free(jobs);
    return status;
  }
  for (int i = 0; i < MAX_MODULES; i++) modules[i] = (module){.cache = c, .disk = disk};
  int n = distribute(jobs, count(jobs), modules);
  status = compile_modules(modules, n);
  for (int i = 0; i < n; i++) {
    *written += modules[i].kept ? modules[i].n_jobs : 0;
    sec_jobs_free(modules[i].jobs);
  }
  return status;
}

sec_status sec_modules_make(sec_cache *c, sec_disk *disk, sec_job *jobs) {
  for (sec_job *j = jobs; j; j = j->next) {
    j->name[0] = 'k';
    sec_disk_key(disk, j->entry->text, j->name + 1);
  }
  int        found = load_files(disk, jobs), written = 0;
  sec_job   *missing = take_missing(&jobs);
  int        missed = disk->directory ? count(missing) : 0;
  sec_status status = missing ? compile_jobs(c, disk, missing, &written) : SEC_OK;
  sec_jobs_free(jobs);
  pthread_mutex_lock(&c->lock);
  c->stats.disk_hits += found;
  c->stats.disk_misses += missed;
  c->stats.disk_writes += written;
  pthread_mutex_unlock(&c->lock);
  return status;
}
