/* Executables and the caches behind them, for executable.c, kernels.c, cache.c and run.c. */
#ifndef SEC_EXECUTABLE_H
#define SEC_EXECUTABLE_H

#include "compiler.h"
#include "disk.h"
#include "image.h"
#include "plan.h"
#include <secant/compile.h>

typedef struct sec_cache sec_cache;

struct sec_executable {
  atomic_int   refs;
  sec_context *cx;
  sec_jaxpr   *program; /* simplified, without captures */
  sec_plan    *plan;
  sec_cache   *cache;   /* counted, when there are kernels */
  struct sec_kernel_entry **kernels; /* whose code the plan runs, counted */
  int          n_kernels;
  int          n_in, n_out;
  struct sec_result { const sec_aval *aval; size_t bytes; } *results;
  int          most_slots;  /* of any step: scratch for its buffer list */
  size_t       frame_bytes; /* arena, slot table and scratch of one run */
};

/* Loaded code, unloaded with the last of its kernels. */
typedef struct sec_module {
  sec_image         *image;  /* NULL: LLVM loaded it */
  void              *handle; /* LLVM's */
  int                refs; /* kernels; under the cache's lock */
  struct sec_module *next; /* in a list of those to unload */
} sec_module;

/* A compiled kernel, found by its text.  It lives as long as an executable that runs it. */
typedef struct sec_kernel_entry {
  struct sec_kernel_entry *next;
  uint64_t                 hash;
  char                    *text;
  sec_kernel_fn           *function;
  sec_module              *module;
  int                      refs;   /* executables; under the cache's lock */
  bool                     listed; /* in the cache's table, which does not count */
} sec_kernel_entry;

typedef struct sec_cache_entry {
  struct sec_cache_entry *next;
  uint64_t                hash;
  sec_jaxpr              *key;        /* closed */
  sec_executable         *executable; /* NULL while it is being compiled */
  uint64_t                used;       /* the cache's clock at the last hit */
} sec_cache_entry;

#define SEC_CACHE_SLOTS 1024
#define SEC_CACHE_LIMIT 4096 /* signatures; beyond, the one not used for longest is forgotten */
struct sec_cache {
  atomic_int              refs; /* the context's and the executables' */
  pthread_mutex_t         lock;
  pthread_cond_t          finished;
  sec_cache_entry        *entries[SEC_CACHE_SLOTS];
  sec_kernel_entry       *kernels[SEC_CACHE_SLOTS];
  const sec_compiler_api *api;
  sec_compiler           *compiler;
  sec_disk               *disk; /* NULL until the first compile */
  uint64_t                clock;
  int                     n_entries;
  sec_cache_stats         stats;
};

sec_cache *sec_cache_of(sec_context *cx); /* made at the first use; NULL without memory */
void       sec_cache_release(sec_cache *c);
/* Machine code for every kernel of the executable's plan, from the cache or compiled now. */
sec_status sec_kernels_compile(sec_cache *c, sec_executable *e);
void       sec_kernels_release(sec_executable *e);
/* Assembles one module of the plan's kernels as text; sec_mem_free() it, NULL without memory. */
char *sec_kernels_module(const sec_plan *p);

/* ---- modules.c ---- */
typedef struct sec_job { /* one distinct kernel to load or compile */
  struct sec_job   *next;
  sec_kernel_entry *entry;
  char             *label;                  /* what it computes; NULL: not asked for */
  char              name[SEC_KEY_ROOM + 1]; /* k and its key on disk */
} sec_job;

/* Machine code for every job, from disk or compiled now.  Takes and frees the jobs. */
sec_status sec_modules_make(sec_cache *c, sec_disk *disk, sec_job *jobs);
/* One module with kernels k0, k1, ... */
char *sec_modules_text(sec_job *jobs);
void  sec_modules_unload(sec_cache *c, sec_module *list);
void  sec_jobs_free(sec_job *jobs);
/* The MLIR compiler, loaded at the first call. */
sec_status sec_cache_compiler(sec_cache *c);
/* The cache on disk, counted; NULL, with MEMORY recorded, without memory. */
sec_disk *sec_cache_disk(sec_cache *c);
/* Compiles a closed jaxpr, without looking into the signature cache. */
sec_status sec_executable_make(sec_cache *c, const sec_jaxpr *closed, sec_executable **out);

#endif
