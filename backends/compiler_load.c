/* Finds and loads libsecant-mlir.so at the first compile.  Invariant: it is opened at most once. */
#include "compiler.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libsecant-mlir.so"

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static const sec_compiler_api
    *loaded; /* under load_lock; its address also says where libsecant is */

__attribute__((format(printf, 1, 2))) static char *text_format(const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = NULL;
  if (vasprintf(&text, format, args) < 0)
    text = NULL;
  va_end(args);
  return text;
}

char *sec_compiler_path(void) {
  const char *chosen = getenv("SECANT_MLIR_LIBRARY");
  if (chosen && *chosen)
    return strdup(chosen);
  Dl_info info;
  if (!dladdr(&loaded, &info) || !info.dli_fname)
    return NULL;
  const char *slash = strrchr(info.dli_fname, '/');
  int length = slash ? (int)(slash - info.dli_fname) : 1;
  return text_format("%.*s/%s", length, slash ? info.dli_fname : ".", LIBRARY);
}

static const sec_compiler_api *library_open(char **error) {
  char *path = sec_compiler_path();
  if (!path) {
    *error = text_format("compiler: the path of %s is unknown\n  hint: set SECANT_MLIR_LIBRARY",
                         LIBRARY);
    return NULL;
  }
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const sec_compiler_api *api = library ? dlsym(library, "sec_compiler_table") : NULL;
  if (!api) {
    const char *reason = dlerror();
    *error =
        text_format("compiler: %s cannot be loaded: %s\n  hint: install it beside libsecant, or "
                    "set SECANT_MLIR_LIBRARY to its path",
                    path, reason ? reason : "no reason given");
    if (library)
      dlclose(library);
  }
  free(path);
  return api;
}

const sec_compiler_api *sec_compiler_load(char **error) {
  char *ignored = NULL;
  char **message = error ? error : &ignored;
  *message = NULL;
  pthread_mutex_lock(&load_lock);
  if (!loaded)
    loaded = library_open(message);
  const sec_compiler_api *api = loaded;
  pthread_mutex_unlock(&load_lock);
  free(ignored);
  return api;
}
