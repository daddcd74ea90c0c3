/* The loader of images: code that calls out, and objects that are damaged in every way. */
#include "ops/check.h"
#include "cpu/runtime.h"
#include "image.h"
#include <pthread.h>

/* a: remainder, conversions and memcpy; b: constants; both in one object. */
static const char text[] = "llvm.func @fmod(f64, f64) -> f64\n"
                           "llvm.func @a(%bufs: !llvm.ptr, %lo: i64, %hi: i64) {\n"
                           "  %x = llvm.load %bufs : !llvm.ptr -> !llvm.ptr\n"
                           "  %v = llvm.load %x : !llvm.ptr -> f64\n"
                           "  %b = arith.truncf %v : f64 to bf16\n"
                           "  %w = arith.extf %b : bf16 to f64\n"
                           "  %three = arith.constant 3.0 : f64\n"
                           "  %r = llvm.call @fmod(%w, %three) : (f64, f64) -> f64\n"
                           "  llvm.store %r, %x : f64, !llvm.ptr\n"
                           "  %x1 = llvm.getelementptr %x[1] : (!llvm.ptr) -> !llvm.ptr, f64\n"
                           "  \"llvm.intr.memcpy\"(%x1, %x, %hi) <{isVolatile = false}> : (!llvm.ptr, !llvm.ptr, i64) -> ()\n"
                           "  llvm.return\n}\n"
                           "llvm.func @b(%bufs: !llvm.ptr, %lo: i64, %hi: i64) {\n"
                           "  %x = llvm.load %bufs : !llvm.ptr -> !llvm.ptr\n"
                           "  %v = arith.constant dense<[1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5]> : vector<8xf32>\n"
                           "  llvm.store %v, %x {alignment = 4 : i64} : vector<8xf32>, !llvm.ptr\n"
                           "  llvm.return\n}\n";

typedef void kernel(void **bufs, int64_t lo, int64_t hi);

static const sec_compiler_api *api;
static sec_compiler           *compiler;
static void                   *object;
static size_t                  size;

static void *compiled(const char *source, size_t *n) {
  void *out;
  char *error;
  if (api->compile(compiler, source, strlen(source), &out, n, &error)) fail_msg("%s", error);
  return out;
}

static int setup(void **state) {
  (void)state;
  char *error;
  api = sec_compiler_load(&error);
  if (!api) return -1;
  size_t                     n;
  const sec_compiler_symbol *symbols = sec_runtime_symbols(&n);
  compiler = api->create(symbols, n, &error);
  if (!compiler) return -1;
  object = compiled(text, &size);
  return 0;
}
static int teardown(void **state) {
  (void)state;
  free(object);
  api->destroy(compiler);
  return 0;
}

static void call(void *address, void *data, int64_t hi) {
  kernel *k;
  memcpy(&k, &address, sizeof k);
  k((void *[]){data}, 0, hi);
}

static void test_run(void **state) {
  (void)state;
  void       *at[3];
  sec_image  *image = sec_image_load(object, size, (const char *[]){"b", "absent", "a"}, at, 3);
  double      x[3] = {8.5, 0, 7};
  const float wanted[] = {1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5};
  float       y[8];
  assert_non_null(image);
  assert_null(at[1]);
  call(at[2], x, 8);
  assert_true(x[0] == 2.5 && x[1] == 2.5 && x[2] == 7);
  call(at[0], y, 0);
  assert_memory_equal(y, wanted, sizeof y);
  sec_image_unload(image);
  sec_image_unload(NULL);
}

/* No page may be written and run. */
static void test_pages(void **state) {
  (void)state;
  void      *at;
  char       line[512];
  bool       found = false;
  sec_image *image = sec_image_load(object, size, (const char *[]){"a"}, &at, 1);
  FILE      *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) {
    unsigned long from, to;
    char          rights[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || (uintptr_t)at < from || (uintptr_t)at >= to) continue;
    assert_string_equal(rights, "r-xp");
    found = true;
  }
  if (maps) fclose(maps);
  assert_true(found);
  sec_image_unload(image);
}

/* Left to LLVM's loader, which takes or refuses them with a reason. */
static void test_declined(void **state) {
  (void)state;
  static const char *const sources[] = {
      "llvm.mlir.global internal @count(0 : i64) : i64\n"
      "llvm.func @a(%bufs: !llvm.ptr, %lo: i64, %hi: i64) {\n"
      "  %p = llvm.mlir.addressof @count : !llvm.ptr\n  llvm.store %hi, %p : i64, !llvm.ptr\n  %q = llvm.load volatile %p : !llvm.ptr -> i64\n"
      "  llvm.store %q, %bufs : i64, !llvm.ptr\n  llvm.return\n}\n",
      "llvm.func @nobody_defines_this()\n"
      "llvm.func @a(%bufs: !llvm.ptr, %lo: i64, %hi: i64) {\n  llvm.call @nobody_defines_this() : () -> ()\n  llvm.return\n}\n"};
  for (int i = 0; i < 2; i++) {
    void  *at;
    size_t n;
    void  *o = compiled(sources[i], &n);
    assert_null(sec_image_load(o, n, (const char *[]){"a"}, &at, 1));
    free(o);
  }
}

/* Cut at every length; every byte set to other values.  Nothing is run: it only must not read or write elsewhere. */
static void test_damage(void **state) {
  (void)state;
  static const unsigned char values[] = {0, 1, 2, 4, 0x7f, 0x80, 0xff};
  void                      *at;
  for (size_t n = 0; n < size; n++) {
    char *cut = malloc(n + 1);
    memcpy(cut, object, n);
    sec_image_unload(sec_image_load(cut, n, (const char *[]){"a"}, &at, 1));
    free(cut);
  }
  char *changed = malloc(size);
  memcpy(changed, object, size);
  for (size_t i = 0; i < size; i++)
    for (size_t k = 0; k < sizeof values; k++) {
      char before = changed[i];
      changed[i] = (char)values[k];
      sec_image_unload(sec_image_load(changed, size, (const char *[]){"a"}, &at, 1));
      changed[i] = before;
    }
  for (int round = 0; round < 20000; round++) { /* several bytes of headers and tables at once */
    memcpy(changed, object, size);
    for (int k = 0; k < 4; k++) changed[(size_t)check_uniform(0, (double)size)] = (char)check_uniform(0, 256);
    sec_image_unload(sec_image_load(changed, size, (const char *[]){"a"}, &at, 1));
  }
  free(changed);
}

static void *load_many(void *wrong) {
  for (int i = 0; i < 500; i++) {
    void      *at;
    float      y[8] = {0};
    sec_image *image = sec_image_load(object, size, (const char *[]){"b"}, &at, 1);
    if (!image) return wrong;
    call(at, y, 0);
    sec_image_unload(image);
    if (y[7] != 8.5f) return wrong;
  }
  return NULL;
}
static void test_threads(void **state) {
  (void)state;
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, load_many, threads);
  for (int i = 0; i < 4; i++) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    assert_null(wrong);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_run), cmocka_unit_test(test_pages), cmocka_unit_test(test_declined), cmocka_unit_test(test_damage),
                                     cmocka_unit_test(test_threads)};
  return cmocka_run_group_tests_name("image", tests, setup, teardown);
}
