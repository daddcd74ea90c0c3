/* Engines: MLIR's context and passes, LLVM's target machine, and where their diagnostics go. */
#include "engine.h"
#include "register.h"
#include <llvm-c/Target.h>
#include <mlir-c/Conversion.h>
#include <mlir-c/Diagnostics.h>
#include <stdlib.h>

/* A context keeps every type and attribute that it has seen: renew it after so much text. */
#define ENGINE_TEXT_LIMIT ((size_t)64 << 20)

/* ---- diagnostics ---- */
static MlirLogicalResult engine_diagnostic(MlirDiagnostic diagnostic, void *log) {
  if (mlirDiagnosticGetSeverity(diagnostic) != MlirDiagnosticError)
    return mlirLogicalResultSuccess();
  text *t = log;
  if (t->size)
    text_add_string(t, "\n");
  mlirLocationPrint(mlirDiagnosticGetLocation(diagnostic), text_add_mlir, t);
  text_add_string(t, ": ");
  mlirDiagnosticPrint(diagnostic, text_add_mlir, t);
  return mlirLogicalResultSuccess();
}

void engine_llvm_diagnostic(LLVMDiagnosticInfoRef diagnostic, void *log) {
  if (LLVMGetDiagInfoSeverity(diagnostic) != LLVMDSError)
    return;
  char *message = LLVMGetDiagInfoDescription(diagnostic);
  text_add_string(log, message);
  LLVMDisposeMessage(message);
}

/* ---- the parts ---- */
static MlirContext context_create(text *log) {
  MlirDialectRegistry registry = registry_create();
  MlirContext context = mlirContextCreateWithRegistry(registry, false);
  mlirDialectRegistryDestroy(registry);
  mlirContextAttachDiagnosticHandler(context, engine_diagnostic, log, NULL);
  return context;
}

/* convert-to-llvm takes all dialects in one walk, but leaves transposes and slices of vectors to
 * convert-vector-to-llvm. */
static MlirPassManager lowering_create(MlirContext context) {
  MlirPassManager manager = mlirPassManagerCreate(context);
  mlirPassManagerEnableVerifier(manager, false);
  mlirPassManagerAddOwnedPass(manager, mlirCreateConversionSCFToControlFlowPass());
  mlirPassManagerAddOwnedPass(manager, mlirCreateConversionConvertVectorToLLVMPass());
  mlirPassManagerAddOwnedPass(manager, mlirCreateConversionConvertToLLVMPass());
  mlirPassManagerAddOwnedPass(manager, mlirCreateConversionReconcileUnrealizedCastsPass());
  return manager;
}

static void engine_destroy(engine *e) {
  if (!e)
    return;
  mlirPassManagerDestroy(e->lowering);
  mlirContextDestroy(e->context);
  LLVMDisposePassBuilderOptions(e->options);
  LLVMDisposeTargetMachine(e->machine);
  free(e->log.data);
  free(e);
}
static LLVMTargetMachineRef machine_create(const host *h, text *log) {
  LLVMTargetRef target;
  char *message = NULL;
  if (LLVMGetTargetFromTriple(h->triple, &target, &message)) {
    text_add_string(log, message);
    LLVMDisposeMessage(message);
    return NULL;
  }
  return LLVMCreateTargetMachine(target, h->triple, h->cpu, h->features, LLVMCodeGenLevelDefault,
                                 LLVMRelocPIC, LLVMCodeModelDefault);
}

static engine *engine_create(const host *h, text *log) {
  engine *e = calloc(1, sizeof *e);
  LLVMTargetMachineRef machine = e ? machine_create(h, log) : NULL;
  if (!machine) {
    free(e);
    return NULL;
  }
  e->machine = machine;
  e->options = LLVMCreatePassBuilderOptions();
  e->context = context_create(&e->log);
  e->lowering = lowering_create(e->context);
  return e;
}

/* ---- engines that wait ---- */
engine *engine_take(engine_pool *pool, const host *h, text *log) {
  pthread_mutex_lock(&pool->lock);
  engine *e = pool->idle;
  if (e)
    pool->idle = e->next;
  pthread_mutex_unlock(&pool->lock);
  return e ? e : engine_create(h, log);
}

void engine_give(engine_pool *pool, engine *e) {
  e->log = (text){0};
  if (e->text_seen > ENGINE_TEXT_LIMIT) {
    engine_destroy(e);
    return;
  }
  pthread_mutex_lock(&pool->lock);
  e->next = pool->idle;
  pool->idle = e;
  pthread_mutex_unlock(&pool->lock);
}

void engines_destroy(engine_pool *pool) {
  for (engine *e = pool->idle, *next; e; e = next) {
    next = e->next;
    engine_destroy(e);
  }
}
