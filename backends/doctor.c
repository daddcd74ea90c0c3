/* What this machine offers, one fact a line, each with a remedy when something is missing. */
#include "executable.h"
#include "cpu/runtime.h"
#include "memory.h"
#include "text.h"
#include "threads.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void cuda_line(sec_buffer *t) {
  void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!driver) {
    sec_buffer_add(t, "cuda: none, no libcuda.so.1 (install NVIDIA's driver to see a GPU)\n");
    return;
  }
  int (*init)(unsigned);
  int (*version)(int *);
  *(void **)&init = dlsym(driver, "cuInit");
  *(void **)&version = dlsym(driver, "cuDriverGetVersion");
  int number = 0, code = init ? init(0) : -1;
  if (version) version(&number);
  if (code) sec_buffer_add(t, "cuda: driver found, but cuInit says %d (no device, or no permission)\n", code);
  else sec_buffer_add(t, "cuda: driver for CUDA %d.%d; this version compiles for the CPU only\n", number / 1000, number % 1000 / 10);
  dlclose(driver);
}

char *sec_doctor(sec_context *cx) {
  sec_buffer  t = {0};
  sec_cache  *c = sec_cache_of(cx);
  const char *simd = __builtin_cpu_supports("avx512f") ? "avx512" : __builtin_cpu_supports("avx2") ? "avx2" : "sse2";
  sec_buffer_add(&t, "secant: %s\ncpu: vectors by %s\nthreads: %d (SECANT_NUM_THREADS sets them)\n", sec_version(), simd, sec_threads_count());
  if (c && sec_cache_compiler(c) == SEC_OK) {
    const char *target = c->api->target(c->compiler); /* version, triple, processor, then a long list of features */
    size_t      n = strcspn(target, "+-,");
    const char *end = strstr(target, " +");
    sec_buffer_add(&t, "llvm: %.*s\n", end ? (int)(end - target) : (int)n, target);
  }
  else sec_buffer_add(&t, "llvm: warn, %s\n", sec_error_message(cx));
  sec_disk *disk = c ? sec_cache_disk(c) : NULL;
  if (disk) {
    sec_buffer_add(&t, "kernel cache: ");
    sec_disk_print_line(disk, &t);
  }
  sec_disk_release(disk);
  const char *core = getenv("OPENBLAS_CORETYPE");
  sec_buffer_add(&t, "blas: %s\n", sec_blas_get()->library ? sec_blas_get()->library : "none, slow loops of our own (install libopenblas0-pthread)");
  if (core) sec_buffer_add(&t, "blas core type: %s (OPENBLAS_CORETYPE)\n", core);
  sec_buffer_add(&t, "devices: %d cpu (SECANT_NUM_CPU_DEVICES sets them)\n", sec_num_devices("cpu"));
  cuda_line(&t);
  if (!t.failed) return sec_mem_hand_out(t.data);
  sec_mem_free(t.data);
  return NULL;
}
