/* libsecant-mlir: MLIR text to machine code, in memory, through the C APIs of MLIR and LLVM.
 *
 *   compiler.c   the compiler: the host's processor, what a context owns, the table of functions
 *   engine.c     MLIR's context and pass pipeline, LLVM's target machine, diagnostics
 *   emit.c       one compilation, up to an object or the text of a stage
 *   jit.c        objects to addresses, by LLJIT
 *   text.c       growable texts
 *
 * Engines are kept for the next compile; the JIT is shared.  Invariant: nothing is printed and nothing
 * ends the process; what MLIR and LLVM have to say goes into the error text of the call. */
#include "../compiler.h"
#include "engine.h"
#include "jit.h"
#include <llvm-c/Target.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sec_compiler {
  host host;
  text target;
  sec_compiler_symbol *symbols;
  engine_pool engines;
  jit jit;
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

static int compiler_run(sec_compiler *c, const char *source, size_t size, int stage, char **out,
                        size_t *out_size, char **error) {
  if (error)
    *error = NULL;
  *out = NULL;
  *out_size = 0;
  text log = {0};
  engine *e = engine_take(&c->engines, &c->host, &log);
  char *copy = e ? bytes_copy(source, size) : NULL; /* MLIR's lexer needs a NUL behind the text */
  if (copy)
    *out = engine_run(e, copy, size, stage, out_size);
  free(copy);
  if (e) {
    e->text_seen += size;
    log = e->log;
    engine_give(&c->engines, e);
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

static int compiler_load(sec_compiler *c, const void *object, size_t size, const char *const *names,
                         void **addresses, int n, void **handle, char **error) {
  return jit_load(&c->jit, object, size, names, addresses, n, handle, error);
}

static void compiler_unload(sec_compiler *c, void *handle) {
  jit_unload(&c->jit, handle);
}

static const char *compiler_target(sec_compiler *c) {
  return c->target.data;
}

static void compiler_destroy(sec_compiler *c) {
  if (!c)
    return;
  engines_destroy(&c->engines);
  jit_end(&c->jit);
  LLVMDisposeMessage(c->host.triple);
  LLVMDisposeMessage(c->host.cpu);
  LLVMDisposeMessage(c->host.features);
  pthread_mutex_destroy(&c->engines.lock);
  pthread_mutex_destroy(&c->jit.lock);
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
    pthread_mutex_init(&c->engines.lock, NULL);
    pthread_mutex_init(&c->jit.lock, NULL);
    c->host = (host){LLVMGetDefaultTargetTriple(), LLVMGetHostCPUName(), host_features()};
    target_describe(c);
    c->symbols = calloc(n + 1, sizeof *symbols);
  }
  if (c && c->symbols && c->target.data) {
    if (n)
      memcpy(c->symbols, symbols, n * sizeof *symbols);
    c->jit.symbols = c->symbols;
    c->jit.n_symbols = n;
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
