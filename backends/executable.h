/* Executables and the caches behind them, for executable.c, kernels.c, cache.c and run.c. */
#ifndef SEC_EXECUTABLE_H
#define SEC_EXECUTABLE_H

#include "compiler.h"
#include "plan.h"
#include <secant/compile.h>

struct sec_executable {
  atomic_int   refs;
  sec_context *cx;
  sec_jaxpr   *program; /* simplified, without captures */
  sec_plan    *plan;
  int          n_in, n_out;
  int          most_slots;  /* of any step: scratch for its buffer list */
  size_t       frame_bytes; /* arena, slot table and scratch of one run */
};

/* A compiled kernel, found by its text. */
typedef struct sec_kernel_entry {
  struct sec_kernel_entry *next;
  uint64_t                 hash;
  char                    *text;
  sec_kernel_fn           *function;
} sec_kernel_entry;

typedef struct sec_cache_entry {
  struct sec_cache_entry *next;
  uint64_t                hash;
  sec_jaxpr              *key;        /* closed */
  sec_executable         *executable; /* NULL while it is being compiled */
} sec_cache_entry;

#define SEC_CACHE_SLOTS 1024
typedef struct sec_cache {
  sec_context            *cx;
  pthread_mutex_t         lock;
  pthread_cond_t          finished;
  sec_cache_entry        *entries[SEC_CACHE_SLOTS];
  sec_kernel_entry       *kernels[SEC_CACHE_SLOTS];
  const sec_compiler_api *api;
  sec_compiler           *compiler;
  void                  **modules; /* handles of loaded objects */
  int                     n_modules, module_room;
  uint64_t                next_name;
  sec_cache_stats         stats;
} sec_cache;

sec_cache *sec_cache_of(sec_context *cx); /* made at the first use; NULL without memory */
/* Machine code for every kernel of the plan, from the cache or compiled now. */
sec_status sec_kernels_compile(sec_cache *c, sec_plan *p);
/* Assembles one module of the plan's kernels as text; free() it. */
char *sec_kernels_module(const sec_plan *p);
/* The MLIR compiler, loaded at the first call. */
sec_status sec_cache_compiler(sec_cache *c);
/* Compiles a closed jaxpr, without looking into the signature cache. */
sec_status sec_executable_make(sec_cache *c, const sec_jaxpr *closed, sec_executable **out);

#endif
