/* The compiler behind libsecant: compile, load, run, unload, and what it says when it cannot. */
#include "../../backends/cpu/runtime.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef void kernel(void **bufs, int64_t lo, int64_t hi);

/* y[i] = factor x[i] + 1 */
#define SCALE_KERNEL(name, factor)                                                                 \
  "llvm.func @" name "(%bufs: !llvm.ptr, %lo: i64, %hi: i64) {\n"                                  \
  "  %x = llvm.load %bufs : !llvm.ptr -> !llvm.ptr\n"                                              \
  "  %q = llvm.getelementptr %bufs[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr\n"                     \
  "  %y = llvm.load %q : !llvm.ptr -> !llvm.ptr\n"                                                 \
  "  %step = arith.constant 1 : i64\n"                                                             \
  "  %f = arith.constant " factor " : f32\n"                                                       \
  "  %one = arith.constant 1.0 : f32\n"                                                            \
  "  scf.for %i = %lo to %hi step %step : i64 {\n"                                                 \
  "    %px = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32\n"                     \
  "    %py = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32\n"                     \
  "    %v = llvm.load %px : !llvm.ptr -> f32\n"                                                    \
  "    %w = math.fma %v, %f, %one : f32\n"                                                         \
  "    llvm.store %w, %py : f32, !llvm.ptr\n"                                                      \
  "  }\n"                                                                                          \
  "  llvm.return\n"                                                                                \
  "}\n"

/* Vectors that need more than a conversion of single operations. */
static const char transpose_text[] =
    "llvm.func @transpose(%bufs: !llvm.ptr, %lo: i64, %hi: i64) {\n"
    "  %x = llvm.load %bufs : !llvm.ptr -> !llvm.ptr\n"
    "  %q = llvm.getelementptr %bufs[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr\n"
    "  %y = llvm.load %q : !llvm.ptr -> !llvm.ptr\n"
    "  %v = llvm.load %x {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>\n"
    "  %m = vector.shape_cast %v : vector<16xf32> to vector<4x4xf32>\n"
    "  %t = vector.transpose %m, [1, 0] : vector<4x4xf32> to vector<4x4xf32>\n"
    "  %f = vector.shape_cast %t : vector<4x4xf32> to vector<16xf32>\n"
    "  llvm.store %f, %y {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr\n"
    "  llvm.return\n"
    "}\n";

/* y = x in f16 and bf16; z = callback(x) + fmod(x, 3), and memory of the C library is copied. */
static const char calls_text[] =
    "llvm.func @callback(f64) -> f64\n"
    "llvm.func @fmod(f64, f64) -> f64\n"
    "llvm.func @calls(%bufs: !llvm.ptr, %lo: i64, %hi: i64) {\n"
    "  %x = llvm.load %bufs : !llvm.ptr -> !llvm.ptr\n"
    "  %q = llvm.getelementptr %bufs[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr\n"
    "  %y = llvm.load %q : !llvm.ptr -> !llvm.ptr\n"
    "  %q2 = llvm.getelementptr %bufs[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr\n"
    "  %z = llvm.load %q2 : !llvm.ptr -> !llvm.ptr\n"
    "  %v = llvm.load %x : !llvm.ptr -> f64\n"
    "  %h = arith.truncf %v : f64 to f16\n"
    "  llvm.store %h, %y : f16, !llvm.ptr\n"
    "  %b = arith.truncf %v : f64 to bf16\n"
    "  %y1 = llvm.getelementptr %y[1] : (!llvm.ptr) -> !llvm.ptr, i16\n"
    "  llvm.store %b, %y1 : bf16, !llvm.ptr\n"
    "  %three = arith.constant 3.0 : f64\n"
    "  %c = llvm.call @callback(%v) : (f64) -> f64\n"
    "  %r = llvm.call @fmod(%v, %three) : (f64, f64) -> f64\n"
    "  %s = arith.addf %c, %r : f64\n"
    "  llvm.store %s, %z : f64, !llvm.ptr\n"
    "  %z1 = llvm.getelementptr %z[1] : (!llvm.ptr) -> !llvm.ptr, f64\n"
    "  \"llvm.intr.memcpy\"(%z1, %z, %hi) <{isVolatile = false}> "
    ": (!llvm.ptr, !llvm.ptr, i64) -> ()\n"
    "  llvm.return\n"
    "}\n";

static const sec_compiler_api *api;
static sec_compiler *compiler;

static double callback(double x) {
  return 100 * x;
}

static kernel *as_kernel(void *address) {
  kernel *k;
  memcpy(&k, &address, sizeof k);
  return k;
}

/* Compiles and loads one function; fails the test on an error. */
static kernel *build(const char *text, const char *name, void **handle) {
  void *object, *address;
  size_t size;
  char *error;
  if (api->compile(compiler, text, strlen(text), &object, &size, &error))
    fail_msg("%s", error);
  if (api->load(compiler, object, size, &name, &address, 1, handle, &error))
    fail_msg("%s", error);
  free(object);
  return as_kernel(address);
}

static void check_scale(kernel *k, float factor) {
  float x[8], y[8] = {0};
  for (int i = 0; i < 8; i++)
    x[i] = (float)i;
  k((void *[]){x, y}, 2, 7);
  for (int i = 0; i < 8; i++)
    assert_true(y[i] == (i >= 2 && i < 7 ? factor * x[i] + 1 : 0));
}

static void test_missing_library(void **state) {
  (void)state;
  const char *before = getenv("SECANT_MLIR_LIBRARY");
  char *kept = before ? strdup(before) : NULL, *error;
  setenv("SECANT_MLIR_LIBRARY", "/nowhere/libsecant-mlir.so", 1);
  assert_null(sec_compiler_load(&error));
  assert_non_null(strstr(error, "/nowhere/libsecant-mlir.so"));
  assert_non_null(strstr(error, "hint:"));
  free(error);
  assert_null(sec_compiler_load(NULL));
  if (kept)
    setenv("SECANT_MLIR_LIBRARY", kept, 1);
  else
    unsetenv("SECANT_MLIR_LIBRARY");
  free(kept);
}

static void test_create(void **state) {
  (void)state;
  char *error;
  api = sec_compiler_load(&error);
  if (!api)
    fail_msg("%s", error);
  assert_ptr_equal(api, sec_compiler_load(&error));
  size_t n;
  const sec_compiler_symbol *runtime = sec_runtime_symbols(&n);
  sec_compiler_symbol *symbols = malloc((n + 1) * sizeof *symbols);
  assert_non_null(symbols);
  memcpy(symbols, runtime, n * sizeof *symbols);
  double (*function)(double) = callback;
  symbols[n].name = "callback";
  memcpy(&symbols[n].address, &function, sizeof function);
  compiler = api->create(symbols, n + 1, &error);
  free(symbols);
  assert_non_null(compiler);
  assert_null(error);
  assert_non_null(strstr(api->target(compiler), "llvm "));
}

static void test_run(void **state) {
  (void)state;
  void *handle;
  check_scale(build(SCALE_KERNEL("k", "2.0"), "k", &handle), 2);
  api->unload(compiler, handle);
  api->unload(compiler, NULL);
}

static void test_vectors(void **state) {
  (void)state;
  void *handle;
  kernel *k = build(transpose_text, "transpose", &handle);
  float x[16], y[16];
  for (int i = 0; i < 16; i++)
    x[i] = (float)i;
  k((void *[]){x, y}, 0, 0);
  for (int i = 0; i < 16; i++)
    assert_true(y[i] == x[i % 4 * 4 + i / 4]);
  api->unload(compiler, handle);
}

static void test_calls(void **state) {
  (void)state;
  void *handle;
  kernel *k = build(calls_text, "calls", &handle);
  double x = 5.5, z[2] = {0};
  uint16_t y[2];
  k((void *[]){&x, y, z}, 0, sizeof z[0]);
  assert_int_equal(y[0], 0x4580);
  assert_int_equal(y[1], 0x40b0);
  assert_true(z[0] == 550 + 2.5 && z[1] == z[0]);
  x = 1.00390625 + 0x1p-40; /* above the middle of two bf16, but not in f32 */
  k((void *[]){&x, y, z}, 0, sizeof z[0]);
  assert_int_equal(y[1], 0x3f81);
  api->unload(compiler, handle);
}

/* Two functions in one object; equal names in two objects. */
static void test_names(void **state) {
  (void)state;
  static const char text[] = SCALE_KERNEL("a", "2.0") SCALE_KERNEL("b", "3.0");
  const char *names[] = {"b", "a"};
  void *object, *addresses[2], *handle, *other;
  size_t size;
  char *error;
  assert_int_equal(api->compile(compiler, text, strlen(text), &object, &size, &error), 0);
  assert_int_equal(api->load(compiler, object, size, names, addresses, 2, &handle, &error), 0);
  free(object);
  kernel *a = build(SCALE_KERNEL("a", "5.0"), "a", &other);
  check_scale(as_kernel(addresses[0]), 3);
  check_scale(as_kernel(addresses[1]), 2);
  check_scale(a, 5);
  api->unload(compiler, handle);
  check_scale(a, 5);
  api->unload(compiler, other);
}

static void expect_error(const char *text, const char *expected) {
  void *object;
  size_t size;
  char *error;
  assert_int_not_equal(api->compile(compiler, text, strlen(text), &object, &size, &error), 0);
  assert_null(object);
  assert_non_null(error);
  if (!strstr(error, expected))
    fail_msg("unexpected message: %s", error);
  free(error);
}

static void test_errors(void **state) {
  (void)state;
  FILE *capture = tmpfile();
  int kept = dup(STDERR_FILENO);
  fflush(stderr);
  dup2(fileno(capture), STDERR_FILENO);
  expect_error("llvm.func @k() { nonsense }", "nonsense");
  expect_error("llvm.func @k(%x: i32) { %y = arith.addf %x, %x : i32 llvm.return }", "addf");
  expect_error("llvm.func @k(%p: !llvm.ptr) { %c = arith.constant 0 : index\n"
               "%t = tensor.empty() : tensor<4xf32>\n"
               "%e = tensor.extract %t[%c] : tensor<4xf32>\n"
               "llvm.store %e, %p : f32, !llvm.ptr llvm.return }",
               "ranslation failed");
  expect_error("llvm.func @k() { %c = \"test.op\"() : () -> i32 llvm.return }", "");
  expect_error("%", "");
  const char *name = "absent";
  void *object, *address = compiler, *handle = compiler;
  size_t size;
  char *error;
  const char *text = SCALE_KERNEL("k", "2.0");
  assert_int_equal(api->compile(compiler, text, strlen(text), &object, &size, NULL), 0);
  assert_int_not_equal(api->load(compiler, object, size, &name, &address, 1, &handle, &error), 0);
  assert_non_null(strstr(error, "absent"));
  assert_null(handle);
  assert_null(address);
  free(error);
  assert_int_not_equal(api->load(compiler, object, size / 2, &name, &address, 1, &handle, NULL), 0);
  free(object);
  text = "llvm.func @gone()\nllvm.func @k() { llvm.call @gone() : () -> () llvm.return }";
  name = "k";
  assert_int_equal(api->compile(compiler, text, strlen(text), &object, &size, NULL), 0);
  assert_int_not_equal(api->load(compiler, object, size, &name, &address, 1, &handle, &error), 0);
  assert_non_null(strstr(error, "gone"));
  free(error);
  free(object);
  fflush(stderr);
  dup2(kept, STDERR_FILENO);
  close(kept);
  assert_int_equal(lseek(fileno(capture), 0, SEEK_END), 0); /* nothing was printed */
  fclose(capture);
  void *still;
  check_scale(build(SCALE_KERNEL("k", "4.0"), "k", &still), 4);
  api->unload(compiler, still);
}

static void test_dump(void **state) {
  (void)state;
  static const char *const expected[] = {"llvm.func @k", "define void @k", "k:"};
  const char *text = SCALE_KERNEL("k", "2.0");
  for (int stage = SEC_STAGE_MLIR_LOWERED; stage <= SEC_STAGE_ASM; stage++) {
    char *out, *error;
    assert_int_equal(
        api->dump(compiler, text, strlen(text), (sec_compiler_stage)stage, &out, &error), 0);
    assert_non_null(strstr(out, expected[stage]));
    free(out);
  }
  char *out, *error;
  assert_int_not_equal(api->dump(compiler, "x", 1, SEC_STAGE_ASM, &out, &error), 0);
  assert_null(out);
  free(error);
}

/* Compiles, runs and unloads kernels of its own; the result is not null if one was wrong. */
static void *compile_many(void *factor) {
  int wrong = 0;
  for (int i = 0; i < 20; i++) {
    char number[9], text[1024];
    float f = *(float *)factor + (float)i, x = 3, y = 0;
    snprintf(number, sizeof number, "%-8.1f", (double)f);
    snprintf(text, sizeof text, "%s", SCALE_KERNEL("k", "########"));
    memcpy(strstr(text, "########"), number, 8);
    const char *name = "k";
    void *object, *address, *handle;
    size_t size;
    if (api->compile(compiler, text, strlen(text), &object, &size, NULL) ||
        api->load(compiler, object, size, &name, &address, 1, &handle, NULL))
      return factor;
    free(object);
    as_kernel(address)((void *[]){&x, &y}, 0, 1);
    wrong += y != f * x + 1;
    api->unload(compiler, handle);
  }
  return wrong ? factor : NULL;
}

static void test_threads(void **state) {
  (void)state;
  pthread_t threads[3];
  float factors[] = {2, 100, 1000};
  for (int i = 0; i < 3; i++)
    pthread_create(&threads[i], NULL, compile_many, &factors[i]);
  for (int i = 0; i < 3; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
}

static long resident_bytes(void) {
  long total, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2)
    resident = 0;
  if (f)
    fclose(f);
  return resident * sysconf(_SC_PAGESIZE);
}

static void test_memory(void **state) {
  (void)state;
  float factor = 5000;
  for (int i = 0; i < 3; i++)
    assert_null(compile_many(&factor));
  long before = resident_bytes();
  for (int i = 0; i < 10; i++) {
    factor += 100;
    assert_null(compile_many(&factor));
  }
#ifndef __SANITIZE_ADDRESS__ /* its quarantine keeps what is freed */
  assert_true(resident_bytes() - before < 4 << 20);
#endif
}

static void test_destroy(void **state) {
  (void)state;
  void *left_loaded;
  check_scale(build(SCALE_KERNEL("k", "2.0"), "k", &left_loaded), 2);
  api->destroy(compiler);
  api->destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_missing_library),
      cmocka_unit_test(test_create),
      cmocka_unit_test(test_run),
      cmocka_unit_test(test_vectors),
      cmocka_unit_test(test_calls),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_dump),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_memory),
      cmocka_unit_test(test_destroy),
  };
  return cmocka_run_group_tests_name("compiler", tests, NULL, NULL);
}
