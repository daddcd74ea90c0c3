/* The compiler behind libsecant: MLIR text in, machine code out.
 *
 * MLIR and LLVM are large, so they live in a shared object of their own, libsecant-mlir.so, which
 * is loaded at the first compile.  This header is the whole interface between the two; the shared
 * object exports one symbol, the table `sec_compiler_table` of type sec_compiler_api.
 *
 * Threads: every function may be called from any thread at any time, several compiles run in
 * parallel; only `destroy` needs that no other call is running.
 * Errors: functions return 0 on success.  Otherwise they return nonzero, set their results to NULL
 * and *error to a text that the caller frees with free(); nothing is printed.  `error` may be NULL.
 * Strings and objects returned through out parameters are malloc'd and the caller frees them. */
#ifndef SEC_COMPILER_H
#define SEC_COMPILER_H

#include <stddef.h>

typedef struct sec_compiler sec_compiler;

/* A function that generated code may call by `name`. */
typedef struct sec_compiler_symbol {
  const char *name;
  void *address;
} sec_compiler_symbol;

typedef enum sec_compiler_stage {
  SEC_STAGE_MLIR_LOWERED, /* MLIR after lowering, only the llvm dialect */
  SEC_STAGE_LLVM,         /* LLVM IR after optimisation */
  SEC_STAGE_ASM           /* assembly of the target */
} sec_compiler_stage;

typedef struct sec_compiler_api {
  /* A compiler for the host's processor.  `symbols` is copied, the names are not and must outlive
   * the compiler.  Cheap: MLIR starts at the first compile.  NULL on error. */
  sec_compiler *(*create)(const sec_compiler_symbol *symbols, size_t n, char **error);
  /* Frees the compiler and all code loaded by it.  NULL is allowed. */
  void (*destroy)(sec_compiler *compiler);

  /* Compiles the module `text` (`size` bytes; dialects llvm, scf, cf, arith, math, vector, ub) to a
   * relocatable object, position independent, for the processor that `target` names. */
  int (*compile)(sec_compiler *compiler, const char *text, size_t size, void **object,
                 size_t *object_size, char **error);

  /* Links `object` (copied) into the process and looks up `n` functions.  Objects do not see each
   * other: equal names in two of them do not clash.  *handle is for `unload`. */
  int (*load)(sec_compiler *compiler, const void *object, size_t size, const char *const *names,
              void **addresses, int n, void **handle, char **error);
  /* Frees the code of one `load`; its addresses are invalid from here on.  NULL is allowed. */
  void (*unload)(sec_compiler *compiler, void *handle);

  /* The text of one stage of the compilation, NUL-terminated. */
  int (*dump)(sec_compiler *compiler, const char *text, size_t size, sec_compiler_stage stage,
              char **out, char **error);

  /* Names LLVM's version, triple, processor, features and pipelines: what, beside the text, decides
   * the object.  Part of cache keys.  Owned by the compiler. */
  const char *(*target)(sec_compiler *compiler);
} sec_compiler_api;

/* Loads libsecant-mlir.so on the first call: from $SECANT_MLIR_LIBRARY, else from the directory of
 * the library that contains this function.  The table is valid until the process ends.
 * NULL and *error (malloc'd) if the library is missing or unusable; a later call tries again. */
const sec_compiler_api *sec_compiler_load(char **error);
/* The path it is, or would be, loaded from, malloc'd; NULL if it is unknown. */
char *sec_compiler_path(void);

#endif
