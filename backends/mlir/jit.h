/* Objects in memory to functions that can be called, by LLJIT. */
#ifndef SEC_MLIR_JIT_H
#define SEC_MLIR_JIT_H

#include "../compiler.h"
#include <llvm-c/LLJIT.h>
#include <pthread.h>

typedef struct image image;

typedef struct jit {
  const sec_compiler_symbol *symbols; /* what code may call, beside the C library */
  size_t n_symbols;
  pthread_mutex_t lock; /* over the fields below */
  LLVMOrcLLJITRef lljit; /* NULL until the first load */
  image *images, *idle_images;
  unsigned n_images;
} jit;

/* As load and unload of sec_compiler_api. */
int jit_load(jit *j, const void *object, size_t size, const char *const *names, void **addresses, int n, void **handle,
             char **error);
void jit_unload(jit *j, void *handle);
/* Frees all code; no other call may be running. */
void jit_end(jit *j);

#endif
