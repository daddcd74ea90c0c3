/* An engine: what one compilation needs, kept for the next.  Used by one thread at a time. */
#ifndef SEC_MLIR_ENGINE_H
#define SEC_MLIR_ENGINE_H

#include "text.h"
#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <mlir-c/IR.h>
#include <mlir-c/Pass.h>
#include <pthread.h>
#include <stdbool.h>

/* Both are part of the compiler's `target`, because they decide the object. */
#define OPTIMISATION "function(sroa,early-cse<memssa>,loop-mssa(licm),simplifycfg)"
#define LOWERING "scf-to-cf,vector-to-llvm,to-llvm"

/* The host: strings of LLVM, freed with LLVMDisposeMessage. */
typedef struct host {
  char *triple, *cpu, *features;
} host;

typedef struct engine {
  struct engine *next; /* in the list of idle engines */
  MlirContext context;
  MlirPassManager lowering;
  LLVMTargetMachineRef machine;
  LLVMPassBuilderOptionsRef options;
  size_t text_seen; /* bytes */
  text log;         /* diagnostics of the compile in progress */
} engine;

/* Engines that are not in use. */
typedef struct engine_pool {
  pthread_mutex_t lock;
  engine *idle;
} engine_pool;

/* An idle engine, or a new one; NULL with the reason in `log`. */
engine *engine_take(engine_pool *pool, const host *h, text *log);
void engine_give(engine_pool *pool, engine *e);
void engines_destroy(engine_pool *pool);

/* What a compilation ends in: a stage of sec_compiler_stage to print, or the object. */
enum { STAGE_OBJECT = 1000 };

/* Compiles `source` (NUL-terminated) up to `stage`; the result is malloc'd, NULL with the reason in e->log. */
char *engine_run(engine *e, const char *source, size_t size, int stage, size_t *out_size);
/* Diagnostics of LLVM, into the text `log`. */
void engine_llvm_diagnostic(LLVMDiagnosticInfoRef diagnostic, void *log);

#endif
