/* MLIR text to machine code, in memory, through the C APIs of MLIR and LLVM.
 *
 * parse -> lower to the llvm dialect -> LLVM IR -> light optimisation -> object -> LLJIT.
 *
 * Vector code arrives vectorised, so LLVM only cleans up and generates code.  An engine (context,
 * pass manager, target machine) is used by one thread at a time and kept for the next compile; the
 * JIT is shared.  Invariant: nothing is printed and nothing ends the process; what MLIR and LLVM
 * have to say goes into the error text of the call. */
#include "../compiler.h"

#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <mlir-c/Conversion.h>
#include <mlir-c/Diagnostics.h>
#include <mlir-c/IR.h>
#include <mlir-c/Pass.h>
#include <mlir-c/RegisterEverything.h>
#include <mlir-c/Target/LLVMIR.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both are part of `target`, because they decide the object. */
#define OPTIMISATION "function(sroa,early-cse<memssa>,loop-mssa(licm),simplifycfg)"
#define LOWERING "scf-to-cf,vector-to-llvm,to-llvm"

/* A context keeps every type and attribute that it has seen: renew it after so much text. */
#define ENGINE_TEXT_LIMIT ((size_t)64 << 20)

/* ---- texts --------------------------------------------------------------------------------- */

/* A growable NUL-terminated text; zero-initialised is empty.  When memory ends, it is cut. */
typedef struct text {
  char *data;
  size_t size, capacity;
} text;

static void text_add(text *t, const char *data, size_t size) {
  if (t->size + size + 1 > t->capacity) {
    size_t capacity = 2 * (t->size + size) + 64;
    char *grown = realloc(t->data, capacity);
    if (!grown)
      return;
    t->data = grown;
    t->capacity = capacity;
  }
  memcpy(t->data + t->size, data, size);
  t->size += size;
  t->data[t->size] = '\0';
}

static void text_add_string(text *t, const char *s) {
  text_add(t, s, strlen(s));
}

static void text_add_mlir(MlirStringRef s, void *t) {
  text_add(t, s.data, s.length);
}

/* Appends what `e` says and consumes it. */
static void text_add_error(text *t, LLVMErrorRef e) {
  char *message = LLVMGetErrorMessage(e);
  if (t->size)
    text_add_string(t, "\n");
  text_add_string(t, message);
  LLVMDisposeErrorMessage(message);
}

/* Moves the text into *error, with what failed before it; returns `failed`. */
static int text_report(text *t, int failed, const char *what, char **error) {
  if (failed && error) {
    text message = {0};
    text_add_string(&message, "compiler: ");
    text_add_string(&message, what);
    if (t->size) {
      text_add_string(&message, ": ");
      text_add(&message, t->data, t->size);
    }
    *error = message.data;
  }
  free(t->data);
  return failed;
}

/* ---- engines ------------------------------------------------------------------------------- */

typedef struct engine {
  struct engine *next; /* in the list of idle engines */
  MlirContext context;
  MlirPassManager lowering;
  LLVMTargetMachineRef machine;
  LLVMPassBuilderOptionsRef options;
  size_t text_seen; /* bytes */
  text log;         /* diagnostics of the compile in progress */
} engine;

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

static void engine_llvm_diagnostic(LLVMDiagnosticInfoRef diagnostic, void *log) {
  if (LLVMGetDiagInfoSeverity(diagnostic) != LLVMDSError)
    return;
  char *message = LLVMGetDiagInfoDescription(diagnostic);
  text_add_string(log, message);
  LLVMDisposeMessage(message);
}

static MlirContext context_create(text *log) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  mlirRegisterAllDialects(registry);
  MlirContext context = mlirContextCreateWithRegistry(registry, false);
  mlirDialectRegistryDestroy(registry);
  mlirRegisterAllLLVMTranslations(context);
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

/* The host: strings of LLVM, freed with LLVMDisposeMessage. */
typedef struct host {
  char *triple, *cpu, *features;
} host;

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

/* ---- one compilation ----------------------------------------------------------------------- */

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

/* A NUL-terminated malloc'd copy. */
static char *bytes_copy(const void *data, size_t size) {
  char *copy = malloc(size + 1);
  if (copy) {
    memcpy(copy, data, size);
    copy[size] = '\0';
  }
  return copy;
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

/* What a compilation ends in: a stage to print, or the object. */
enum { STAGE_OBJECT = SEC_STAGE_ASM + 1 };

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

/* Compiles `source` up to `stage`; the result is malloc'd, NULL with the reason in e->log. */
static char *engine_run(engine *e, const char *source, size_t size, int stage, size_t *out_size) {
  MlirModule module = module_lower(e, source, size);
  if (mlirModuleIsNull(module))
    return NULL;
  char *out = module_finish(e, module, stage, out_size);
  mlirModuleDestroy(module);
  return out;
}

/* ---- the compiler -------------------------------------------------------------------------- */

/* The place of one loaded object: a JITDylib, which LLVM cannot free and so is used again. */
typedef struct image {
  struct image *next; /* in the list of all */
  struct image *idle; /* in the list of free ones */
  LLVMOrcJITDylibRef dylib;
  LLVMOrcResourceTrackerRef tracker; /* owns the code; NULL when nothing is loaded */
} image;

struct sec_compiler {
  host host;
  text target;
  sec_compiler_symbol *symbols;
  size_t n_symbols;
  pthread_mutex_t lock; /* over the fields below */
  engine *engines;      /* idle */
  LLVMOrcLLJITRef jit;
  image *images, *idle_images;
  unsigned n_images;
};

static pthread_once_t llvm_once = PTHREAD_ONCE_INIT;

static void llvm_start(void) {
  LLVMInitializeNativeTarget();
  LLVMInitializeNativeAsmPrinter();
}

static void target_describe(sec_compiler *c) {
  unsigned major, minor, patch;
  LLVMGetVersion(&major, &minor, &patch);
  char version[64];
  snprintf(version, sizeof version, "llvm %u.%u.%u ", major, minor, patch);
  const char *parts[] = {version,
                         c->host.triple,
                         " ",
                         c->host.cpu,
                         " ",
                         c->host.features,
                         " " LOWERING " " OPTIMISATION};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    text_add_string(&c->target, parts[i]);
}

/* The host's features, with full-width vectors where LLVM would rather use half of them. */
static char *host_features(void) {
  char *detected = LLVMGetHostCPUFeatures();
  if (!strstr(detected, "+avx512f"))
    return detected;
  text features = {0};
  text_add_string(&features, detected);
  text_add_string(&features, ",-prefer-256-bit");
  LLVMDisposeMessage(detected);
  char *copy = LLVMCreateMessage(features.data ? features.data : "");
  free(features.data);
  return copy;
}

static engine *engine_take(sec_compiler *c, text *log) {
  pthread_mutex_lock(&c->lock);
  engine *e = c->engines;
  if (e)
    c->engines = e->next;
  pthread_mutex_unlock(&c->lock);
  return e ? e : engine_create(&c->host, log);
}

static void engine_give(sec_compiler *c, engine *e) {
  e->log = (text){0};
  if (e->text_seen > ENGINE_TEXT_LIMIT) {
    engine_destroy(e);
    return;
  }
  pthread_mutex_lock(&c->lock);
  e->next = c->engines;
  c->engines = e;
  pthread_mutex_unlock(&c->lock);
}

static int compiler_run(sec_compiler *c, const char *source, size_t size, int stage, char **out,
                        size_t *out_size, char **error) {
  if (error)
    *error = NULL;
  *out = NULL;
  *out_size = 0;
  text log = {0};
  engine *e = engine_take(c, &log);
  char *copy = e ? bytes_copy(source, size) : NULL; /* MLIR's lexer needs a NUL behind the text */
  if (copy)
    *out = engine_run(e, copy, size, stage, out_size);
  free(copy);
  if (e) {
    e->text_seen += size;
    log = e->log;
    engine_give(c, e);
  }
  return text_report(&log, !*out, "the module does not compile", error);
}

static int compiler_compile(sec_compiler *c, const char *source, size_t size, void **object,
                            size_t *object_size, char **error) {
  char *out;
  int failed = compiler_run(c, source, size, STAGE_OBJECT, &out, object_size, error);
  *object = out;
  return failed;
}

static int compiler_dump(sec_compiler *c, const char *source, size_t size, sec_compiler_stage stage,
                         char **out, char **error) {
  size_t out_size;
  return compiler_run(c, source, size, (int)stage, out, &out_size, error);
}

/* ---- loading ------------------------------------------------------------------------------- */

/* Conversions that LLVM calls where the processor has no instruction.  Those of f16 are in the C
 * compiler's runtime; those of bf16 only in that of newer compilers. */
void __truncdfhf2(void);
void __truncsfhf2(void);
void __extendhfsf2(void);

/* A bf16 is returned where an f16 is: C has a type for one of them. */
__extension__ typedef _Float16 half_register;

static half_register bf16_return(uint32_t f32_bits, bool is_nan) {
  uint32_t rounded = is_nan ? f32_bits | 0x400000 : f32_bits + 0x7fff + (f32_bits >> 16 & 1);
  uint16_t bits = (uint16_t)(rounded >> 16);
  half_register out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

static half_register f32_to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bf16_return(bits, x != x);
}

/* Rounds to odd on the way through f32, so that the result is rounded once.  Boldo and Melquiond,
 * "Emulation of FMA and correctly rounded sums", IEEE Trans. Comp. 57 (2008), theorem 1. */
static half_register f64_to_bf16(double x) {
  float near = (float)x;
  uint32_t bits;
  memcpy(&bits, &near, sizeof bits);
  bool above = ((double)near > x) == (x > 0); /* near is away from zero */
  if (x == x && (double)near != x && !(bits & 1))
    bits = above ? bits - 1 : bits + 1;
  return bf16_return(bits, x != x);
}

typedef struct builtin {
  const char *name;
  void (*function)(void);
} builtin;

static const builtin builtins[] = {
    {"__truncdfhf2", __truncdfhf2},
    {"__truncsfhf2", __truncsfhf2},
    {"__extendhfsf2", __extendhfsf2},
    {"__truncsfbf2", (void (*)(void))f32_to_bf16},
    {"__truncdfbf2", (void (*)(void))f64_to_bf16},
};
enum { N_BUILTINS = sizeof builtins / sizeof *builtins };

/* Where the JIT's own messages go: they arrive on the thread that loads. */
static _Thread_local text *jit_log;

static void jit_report(void *unused, LLVMErrorRef e) {
  (void)unused;
  text ignored = {0};
  text_add_error(jit_log ? jit_log : &ignored, e);
  free(ignored.data);
}

static LLVMOrcCSymbolMapPair jit_symbol(LLVMOrcLLJITRef jit, const char *name, uintptr_t address) {
  return (LLVMOrcCSymbolMapPair){
      LLVMOrcLLJITMangleAndIntern(jit, name),
      {address, {LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable, 0}}};
}

/* Makes the compiler's symbols visible to the code in `dylib`. */
static LLVMErrorRef dylib_define(sec_compiler *c, LLVMOrcJITDylibRef dylib) {
  size_t n = c->n_symbols + N_BUILTINS;
  LLVMOrcCSymbolMapPair *pairs = calloc(n, sizeof *pairs);
  if (!pairs)
    return LLVMCreateStringError("out of memory");
  for (size_t i = 0; i < N_BUILTINS; i++)
    pairs[i] = jit_symbol(c->jit, builtins[i].name, (uintptr_t)builtins[i].function);
  for (size_t i = 0; i < c->n_symbols; i++)
    pairs[N_BUILTINS + i] =
        jit_symbol(c->jit, c->symbols[i].name, (uintptr_t)c->symbols[i].address);
  LLVMOrcMaterializationUnitRef unit = LLVMOrcAbsoluteSymbols(pairs, n);
  free(pairs);
  LLVMErrorRef failure = LLVMOrcJITDylibDefine(dylib, unit);
  if (failure)
    LLVMOrcDisposeMaterializationUnit(unit);
  return failure;
}

/* What LLVM itself calls: memcpy and friends from the process, mathematics from libm. */
static LLVMErrorRef dylib_search(sec_compiler *c, LLVMOrcJITDylibRef dylib) {
  char prefix = LLVMOrcLLJITGetGlobalPrefix(c->jit);
  LLVMOrcDefinitionGeneratorRef generator;
  LLVMErrorRef failure =
      LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(&generator, prefix, NULL, NULL);
  if (failure)
    return failure;
  LLVMOrcJITDylibAddGenerator(dylib, generator);
  failure = LLVMOrcCreateDynamicLibrarySearchGeneratorForPath(&generator, "libm.so.6", prefix, NULL,
                                                              NULL);
  if (!failure)
    LLVMOrcJITDylibAddGenerator(dylib, generator);
  return failure;
}

/* Needs the lock. */
static LLVMErrorRef jit_start(sec_compiler *c) {
  if (c->jit)
    return NULL;
  LLVMErrorRef failure = LLVMOrcCreateLLJIT(&c->jit, NULL);
  if (failure) {
    c->jit = NULL;
    return failure;
  }
  LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(c->jit), jit_report,
                                          NULL);
  return NULL;
}

/* Needs the lock. */
static LLVMErrorRef image_create(sec_compiler *c, image **out) {
  image *m = calloc(1, sizeof *m);
  if (!m)
    return LLVMCreateStringError("out of memory");
  char name[32];
  snprintf(name, sizeof name, "object%u", c->n_images++);
  m->dylib =
      LLVMOrcExecutionSessionCreateBareJITDylib(LLVMOrcLLJITGetExecutionSession(c->jit), name);
  LLVMErrorRef failure = dylib_define(c, m->dylib);
  if (!failure)
    failure = dylib_search(c, m->dylib);
  if (failure) {
    free(m);
    return failure;
  }
  m->next = c->images;
  c->images = m;
  *out = m;
  return NULL;
}

static LLVMErrorRef image_take(sec_compiler *c, image **out) {
  *out = NULL;
  pthread_mutex_lock(&c->lock);
  LLVMErrorRef failure = jit_start(c);
  if (!failure && c->idle_images) {
    *out = c->idle_images;
    c->idle_images = (*out)->idle;
  } else if (!failure) {
    failure = image_create(c, out);
  }
  pthread_mutex_unlock(&c->lock);
  return failure;
}

/* Frees the image's code.  Its dylib is clean afterwards unless this fails. */
static LLVMErrorRef image_clear(image *m) {
  if (!m->tracker)
    return NULL;
  LLVMErrorRef failure = LLVMOrcResourceTrackerRemove(m->tracker);
  LLVMOrcReleaseResourceTracker(m->tracker);
  m->tracker = NULL;
  return failure;
}

static void image_give(sec_compiler *c, image *m) {
  LLVMErrorRef failure = image_clear(m);
  if (failure) {
    LLVMConsumeError(failure); /* not used again, freed with the compiler */
    return;
  }
  pthread_mutex_lock(&c->lock);
  m->idle = c->idle_images;
  c->idle_images = m;
  pthread_mutex_unlock(&c->lock);
}

typedef struct lookup {
  const char *const *names;
  void **addresses;
  int n;
  text *log;
  bool done, failed;
  pthread_mutex_t lock;
  pthread_cond_t changed;
} lookup;

static void lookup_store(lookup *l, const LLVMOrcCSymbolMapPair *pair) {
  const char *name = LLVMOrcSymbolStringPoolEntryStr(pair->Name);
  for (int i = 0; i < l->n; i++)
    if (strcmp(l->names[i], name) == 0)
      l->addresses[i] = (void *)(uintptr_t)pair->Sym.Address;
}

static void lookup_finish(LLVMErrorRef failure, LLVMOrcCSymbolMapPairs pairs, size_t n, void *p) {
  lookup *l = p;
  pthread_mutex_lock(&l->lock);
  if (failure) {
    l->failed = true;
    text_add_error(l->log, failure);
  }
  for (size_t i = 0; !failure && i < n; i++)
    lookup_store(l, &pairs[i]);
  l->done = true;
  pthread_cond_signal(&l->changed);
  pthread_mutex_unlock(&l->lock);
}

/* Links what `m` holds and finds the names of `l`; false with the reason in l->log. */
static bool image_lookup(sec_compiler *c, image *m, lookup *l) {
  LLVMOrcCLookupSetElement *set = calloc((size_t)l->n + 1, sizeof *set);
  if (!set) {
    text_add_string(l->log, "out of memory");
    return false;
  }
  for (int i = 0; i < l->n; i++)
    set[i].Name = LLVMOrcLLJITMangleAndIntern(c->jit, l->names[i]);
  LLVMOrcCJITDylibSearchOrderElement order = {m->dylib,
                                              LLVMOrcJITDylibLookupFlagsMatchExportedSymbolsOnly};
  LLVMOrcExecutionSessionLookup(LLVMOrcLLJITGetExecutionSession(c->jit), LLVMOrcLookupKindStatic,
                                &order, 1, set, (size_t)l->n, lookup_finish, l);
  pthread_mutex_lock(&l->lock);
  while (!l->done)
    pthread_cond_wait(&l->changed, &l->lock);
  pthread_mutex_unlock(&l->lock);
  free(set);
  return !l->failed;
}

static LLVMErrorRef image_add(sec_compiler *c, image *m, const void *object, size_t size) {
  LLVMMemoryBufferRef buffer =
      LLVMCreateMemoryBufferWithMemoryRangeCopy(object, size, "secant object");
  m->tracker = LLVMOrcJITDylibCreateResourceTracker(m->dylib);
  return LLVMOrcLLJITAddObjectFileWithRT(c->jit, m->tracker, buffer);
}

static int compiler_load(sec_compiler *c, const void *object, size_t size, const char *const *names,
                         void **addresses, int n, void **handle, char **error) {
  if (error)
    *error = NULL;
  *handle = NULL;
  for (int i = 0; i < n; i++)
    addresses[i] = NULL;
  text log = {0};
  jit_log = &log;
  image *m;
  LLVMErrorRef failure = image_take(c, &m);
  if (!failure)
    failure = image_add(c, m, object, size);
  bool linked = false;
  if (failure) {
    text_add_error(&log, failure);
  } else {
    lookup l = {.names = names, .addresses = addresses, .n = n, .log = &log};
    pthread_mutex_init(&l.lock, NULL);
    pthread_cond_init(&l.changed, NULL);
    linked = image_lookup(c, m, &l);
    pthread_cond_destroy(&l.changed);
    pthread_mutex_destroy(&l.lock);
  }
  if (linked)
    *handle = m;
  else if (m)
    image_give(c, m);
  jit_log = NULL;
  return text_report(&log, !linked, "the object cannot be loaded", error);
}

static void compiler_unload(sec_compiler *c, void *handle) {
  if (handle)
    image_give(c, handle);
}

static const char *compiler_target(sec_compiler *c) {
  return c->target.data;
}

static void images_destroy(sec_compiler *c) {
  for (image *m = c->images, *next; m; m = next) {
    next = m->next;
    LLVMErrorRef failure = image_clear(m);
    if (failure)
      LLVMConsumeError(failure);
    free(m);
  }
}

static void compiler_destroy(sec_compiler *c) {
  if (!c)
    return;
  for (engine *e = c->engines, *next; e; e = next) {
    next = e->next;
    engine_destroy(e);
  }
  images_destroy(c);
  if (c->jit) {
    LLVMErrorRef failure = LLVMOrcDisposeLLJIT(c->jit);
    if (failure)
      LLVMConsumeError(failure);
  }
  LLVMDisposeMessage(c->host.triple);
  LLVMDisposeMessage(c->host.cpu);
  LLVMDisposeMessage(c->host.features);
  pthread_mutex_destroy(&c->lock);
  free(c->target.data);
  free(c->symbols);
  free(c);
}

static sec_compiler *compiler_create(const sec_compiler_symbol *symbols, size_t n, char **error) {
  if (error)
    *error = NULL;
  pthread_once(&llvm_once, llvm_start);
  sec_compiler *c = calloc(1, sizeof *c);
  if (c) {
    pthread_mutex_init(&c->lock, NULL);
    c->host = (host){LLVMGetDefaultTargetTriple(), LLVMGetHostCPUName(), host_features()};
    target_describe(c);
    c->symbols = calloc(n + 1, sizeof *symbols);
  }
  if (c && c->symbols && c->target.data) {
    if (n)
      memcpy(c->symbols, symbols, n * sizeof *symbols);
    c->n_symbols = n;
    return c;
  }
  compiler_destroy(c);
  text_report(&(text){0}, 1, "out of memory", error);
  return NULL;
}

extern const sec_compiler_api sec_compiler_table;

__attribute__((visibility("default"))) const sec_compiler_api sec_compiler_table = {
    compiler_create, compiler_destroy, compiler_compile, compiler_load,
    compiler_unload, compiler_dump,    compiler_target,
};
