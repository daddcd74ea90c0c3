/* One compilation: parse -> lower to the llvm dialect -> LLVM IR -> light optimisation -> object, or the text of a stage.
 *
 * Vector code arrives vectorised, so LLVM only cleans up and generates code. */
#include "../compiler.h"
#include "engine.h"
#include <llvm-c/Target.h>
#include <mlir-c/Target/LLVMIR.h>
#include <stdlib.h>
#include <string.h>

/* The module of `source` (NUL-terminated) in the llvm dialect; null, with the reason in e->log. */
static MlirModule module_lower(engine *e, const char *source, size_t size) {
  MlirModule module = mlirModuleCreateParse(e->context, mlirStringRefCreate(source, size));
  if (mlirModuleIsNull(module))
    return module;
  MlirLogicalResult lowered = mlirPassManagerRunOnOp(e->lowering, mlirModuleGetOperation(module));
  if (mlirLogicalResultIsSuccess(lowered))
    return module;
  mlirModuleDestroy(module);
  return (MlirModule){NULL};
}

/* LLVM IR of the lowered `module`, in `context`; NULL, with the reason in e->log. */
static LLVMModuleRef module_translate(engine *e, MlirModule module, LLVMContextRef context) {
  LLVMModuleRef ir = mlirTranslateModuleToLLVMIR(mlirModuleGetOperation(module), context);
  if (!ir)
    return NULL;
  char *triple = LLVMGetTargetMachineTriple(e->machine);
  LLVMSetTarget(ir, triple);
  LLVMDisposeMessage(triple);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(e->machine);
  LLVMSetModuleDataLayout(ir, layout);
  LLVMDisposeTargetData(layout);
  return ir;
}

static bool ir_optimise(engine *e, LLVMModuleRef ir) {
  LLVMErrorRef failure = LLVMRunPasses(ir, OPTIMISATION, e->machine, e->options);
  if (failure)
    text_add_error(&e->log, failure);
  return !failure;
}

static char *ir_emit(engine *e, LLVMModuleRef ir, LLVMCodeGenFileType kind, size_t *size) {
  LLVMMemoryBufferRef buffer = NULL;
  char *message = NULL;
  if (LLVMTargetMachineEmitToMemoryBuffer(e->machine, ir, kind, &message, &buffer)) {
    text_add_string(&e->log, message ? message : "no code was generated");
    LLVMDisposeMessage(message);
    return NULL;
  }
  *size = LLVMGetBufferSize(buffer);
  char *copy = bytes_copy(LLVMGetBufferStart(buffer), *size);
  LLVMDisposeMemoryBuffer(buffer);
  if (!copy)
    text_add_string(&e->log, "out of memory");
  return copy;
}

static char *ir_print(LLVMModuleRef ir, size_t *size) {
  char *printed = LLVMPrintModuleToString(ir);
  *size = strlen(printed);
  char *copy = bytes_copy(printed, *size);
  LLVMDisposeMessage(printed);
  return copy;
}

static char *ir_finish(engine *e, LLVMModuleRef ir, int stage, size_t *size) {
  if (e->log.size || !ir_optimise(e, ir))
    return NULL;
  if (stage == SEC_STAGE_LLVM)
    return ir_print(ir, size);
  char *out = ir_emit(e, ir, stage == STAGE_OBJECT ? LLVMObjectFile : LLVMAssemblyFile, size);
  if (e->log.size == 0)
    return out;
  free(out); /* code generation reported an error and went on */
  return NULL;
}

static char *module_finish(engine *e, MlirModule module, int stage, size_t *size) {
  if (stage == SEC_STAGE_MLIR_LOWERED) {
    text printed = {0};
    mlirOperationPrint(mlirModuleGetOperation(module), text_add_mlir, &printed);
    *size = printed.size;
    return printed.data;
  }
  LLVMContextRef context = LLVMContextCreate();
  LLVMContextSetDiagnosticHandler(context, engine_llvm_diagnostic, &e->log);
  LLVMModuleRef ir = module_translate(e, module, context);
  char *out = ir ? ir_finish(e, ir, stage, size) : NULL;
  if (ir)
    LLVMDisposeModule(ir);
  LLVMContextDispose(context);
  return out;
}

char *engine_run(engine *e, const char *source, size_t size, int stage, size_t *out_size) {
  MlirModule module = module_lower(e, source, size);
  if (mlirModuleIsNull(module))
    return NULL;
  char *out = module_finish(e, module, stage, out_size);
  mlirModuleDestroy(module);
  return out;
}
