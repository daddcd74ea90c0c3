/* Loading: an object becomes a JITDylib of one LLJIT, which all of them share. */
#include "jit.h"
#include "text.h"
#include <llvm-c/Core.h>
#include <llvm-c/Orc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The place of one loaded object: a JITDylib, which LLVM cannot free and so is used again. */
struct image {
  struct image *next; /* in the list of all */
  struct image *idle; /* in the list of free ones */
  LLVMOrcJITDylibRef dylib;
  LLVMOrcResourceTrackerRef tracker; /* owns the code; NULL when nothing is loaded */
};

/* Where the JIT's own messages go: they arrive on the thread that loads. */
static _Thread_local text *jit_log;

static void jit_report(void *unused, LLVMErrorRef e) {
  (void)unused;
  text ignored = {0};
  text_add_error(jit_log ? jit_log : &ignored, e);
  free(ignored.data);
}

static LLVMOrcCSymbolMapPair jit_symbol(LLVMOrcLLJITRef lljit, const char *name, uintptr_t address) {
  return (LLVMOrcCSymbolMapPair){
      LLVMOrcLLJITMangleAndIntern(lljit, name),
      {address, {LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable, 0}}};
}

/* Makes the symbols visible to the code in `dylib`. */
static LLVMErrorRef dylib_define(jit *j, LLVMOrcJITDylibRef dylib) {
  size_t n = j->n_symbols;
  LLVMOrcCSymbolMapPair *pairs = calloc(n + 1, sizeof *pairs);
  if (!pairs)
    return LLVMCreateStringError("out of memory");
  for (size_t i = 0; i < n; i++)
    pairs[i] = jit_symbol(j->lljit, j->symbols[i].name, (uintptr_t)j->symbols[i].address);
  LLVMOrcMaterializationUnitRef unit = LLVMOrcAbsoluteSymbols(pairs, n);
  free(pairs);
  LLVMErrorRef failure = LLVMOrcJITDylibDefine(dylib, unit);
  if (failure)
    LLVMOrcDisposeMaterializationUnit(unit);
  return failure;
}

/* What LLVM itself calls: memcpy and friends from the process, mathematics from libm. */
static LLVMErrorRef dylib_search(jit *j, LLVMOrcJITDylibRef dylib) {
  char prefix = LLVMOrcLLJITGetGlobalPrefix(j->lljit);
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
static LLVMErrorRef jit_start(jit *j) {
  if (j->lljit)
    return NULL;
  LLVMErrorRef failure = LLVMOrcCreateLLJIT(&j->lljit, NULL);
  if (failure) {
    j->lljit = NULL;
    return failure;
  }
  LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(j->lljit), jit_report,
                                          NULL);
  return NULL;
}

/* Needs the lock. */
static LLVMErrorRef image_create(jit *j, image **out) {
  image *m = calloc(1, sizeof *m);
  if (!m)
    return LLVMCreateStringError("out of memory");
  char name[32];
  snprintf(name, sizeof name, "object%u", j->n_images++);
  m->dylib =
      LLVMOrcExecutionSessionCreateBareJITDylib(LLVMOrcLLJITGetExecutionSession(j->lljit), name);
  LLVMErrorRef failure = dylib_define(j, m->dylib);
  if (!failure)
    failure = dylib_search(j, m->dylib);
  if (failure) {
    free(m);
    return failure;
  }
  m->next = j->images;
  j->images = m;
  *out = m;
  return NULL;
}

static LLVMErrorRef image_take(jit *j, image **out) {
  *out = NULL;
  pthread_mutex_lock(&j->lock);
  LLVMErrorRef failure = jit_start(j);
  if (!failure && j->idle_images) {
    *out = j->idle_images;
    j->idle_images = (*out)->idle;
  } else if (!failure) {
    failure = image_create(j, out);
  }
  pthread_mutex_unlock(&j->lock);
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

static void image_give(jit *j, image *m) {
  LLVMErrorRef failure = image_clear(m);
  if (failure) {
    LLVMConsumeError(failure); /* not used again, freed with the compiler */
    return;
  }
  pthread_mutex_lock(&j->lock);
  m->idle = j->idle_images;
  j->idle_images = m;
  pthread_mutex_unlock(&j->lock);
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
static bool image_lookup(jit *j, image *m, lookup *l) {
  LLVMOrcCLookupSetElement *set = calloc((size_t)l->n + 1, sizeof *set);
  if (!set) {
    text_add_string(l->log, "out of memory");
    return false;
  }
  for (int i = 0; i < l->n; i++)
    set[i].Name = LLVMOrcLLJITMangleAndIntern(j->lljit, l->names[i]);
  LLVMOrcCJITDylibSearchOrderElement order = {m->dylib,
                                              LLVMOrcJITDylibLookupFlagsMatchExportedSymbolsOnly};
  LLVMOrcExecutionSessionLookup(LLVMOrcLLJITGetExecutionSession(j->lljit), LLVMOrcLookupKindStatic,
                                &order, 1, set, (size_t)l->n, lookup_finish, l);
  pthread_mutex_lock(&l->lock);
  while (!l->done)
    pthread_cond_wait(&l->changed, &l->lock);
  pthread_mutex_unlock(&l->lock);
  free(set);
  return !l->failed;
}

static LLVMErrorRef image_add(jit *j, image *m, const void *object, size_t size) {
  LLVMMemoryBufferRef buffer =
      LLVMCreateMemoryBufferWithMemoryRangeCopy(object, size, "secant object");
  m->tracker = LLVMOrcJITDylibCreateResourceTracker(m->dylib);
  return LLVMOrcLLJITAddObjectFileWithRT(j->lljit, m->tracker, buffer);
}

int jit_load(jit *j, const void *object, size_t size, const char *const *names,
                         void **addresses, int n, void **handle, char **error) {
  if (error)
    *error = NULL;
  *handle = NULL;
  for (int i = 0; i < n; i++)
    addresses[i] = NULL;
  text log = {0};
  jit_log = &log;
  image *m;
  LLVMErrorRef failure = image_take(j, &m);
  if (!failure)
    failure = image_add(j, m, object, size);
  bool linked = false;
  if (failure) {
    text_add_error(&log, failure);
  } else {
    lookup l = {.names = names, .addresses = addresses, .n = n, .log = &log};
    pthread_mutex_init(&l.lock, NULL);
    pthread_cond_init(&l.changed, NULL);
    linked = image_lookup(j, m, &l);
    pthread_cond_destroy(&l.changed);
    pthread_mutex_destroy(&l.lock);
  }
  if (linked)
    *handle = m;
  else if (m)
    image_give(j, m);
  jit_log = NULL;
  return text_report(&log, !linked, "the object cannot be loaded", error);
}

void jit_unload(jit *j, void *handle) {
  if (handle)
    image_give(j, handle);
}
static void images_destroy(jit *j) {
  for (image *m = j->images, *next; m; m = next) {
    next = m->next;
    LLVMErrorRef failure = image_clear(m);
    if (failure)
      LLVMConsumeError(failure);
    free(m);
  }
}

void jit_end(jit *j) {
  images_destroy(j);
  if (!j->lljit)
    return;
  LLVMErrorRef failure = LLVMOrcDisposeLLJIT(j->lljit);
  if (failure)
    LLVMConsumeError(failure);
}
