/* Memory stays level: many calls, many functions compiled and forgotten, many contexts.  Sizes are compared between the
 * middle and the end, when caches and heaps are warm. */
#include "ops/check.h"
#include <unistd.h>

enum { N_CALLS = 10000, N_COMPILES = 1000, N_CONTEXTS = 40, MEGABYTE = 1 << 20 };

static int64_t resident(void) {
  long  all = 0, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &all, &pages) != 2) pages = 0;
  if (file) fclose(file);
  return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

/* `once(cx, i)` for i = 0 .. n - 1; the growth over the second half, in bytes. */
static int64_t growth(void (*once)(sec_context *cx, int i), sec_context *cx, int n) {
  int64_t middle = 0;
  for (int i = 0; i < n; i++) {
    if (i == n / 2) middle = resident();
    once(cx, i);
  }
  return resident() - middle;
}

static void body(const sec_value *in, sec_value *out, void *user) {
  sec_value k = sec_scalar(user ? 1 + *(const int *)user : 1);
  out[0] = sec_sum(sec_mul(sec_sin(sec_mul(in[0], k)), in[0]));
}

static void call_with(sec_context *cx, sec_fn *f) {
  sec_array *x = sec_array_create(cx, SEC_F32, SEC_SHAPE(16)), *y = NULL;
  assert_non_null(x);
  memset(sec_array_data(x), 0, sec_array_bytes(x));
  assert_int_equal(sec_call(f, &x, &y), SEC_OK);
  sec_array_release(x);
  sec_array_release(y);
}

static sec_fn *shared;
static void    call_shared(sec_context *cx, int i) {
  (void)i;
  call_with(cx, shared);
}

static void compile_own(sec_context *cx, int i) {
  sec_fn *f = sec_fn_create(cx, "body", body, &i, 1, 1), *g = sec_grad(f, 0);
  call_with(cx, g);
  sec_fn_destroy(g);
  sec_fn_destroy(f);
  sec_cache_clear(cx);
}

static void whole_context(sec_context *unused, int i) {
  sec_context *cx = sec_context_create();
  (void)unused;
  compile_own(cx, i);
  call_with(cx, sec_fn_create(cx, "body", body, NULL, 1, 1));
  sec_context_destroy(cx);
}

static void test_calls(void **state) {
  (void)state;
  sec_context *cx = sec_context_create();
  shared = sec_grad(sec_fn_create(cx, "body", body, NULL, 1, 1), 0);
  assert_true(growth(call_shared, cx, N_CALLS) < 2 * MEGABYTE);
  sec_context_destroy(cx);
}

static void test_compiles(void **state) {
  (void)state;
  sec_context *cx = sec_context_create();
  int64_t      bytes = growth(compile_own, cx, N_COMPILES);
  assert_true(sec_cache_get_stats(cx).compiles == N_COMPILES);
  print_message("%lld KB over the second half\n", (long long)bytes >> 10);
  assert_true(bytes < 8 * MEGABYTE);
  sec_context_destroy(cx);
}

static void test_contexts(void **state) {
  (void)state;
  int64_t bytes = growth(whole_context, NULL, N_CONTEXTS);
  print_message("%lld KB over the second half\n", (long long)bytes >> 10);
  assert_true(bytes < 8 * MEGABYTE);
}

int main(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  print_message("sanitizers keep freed memory: nothing to measure\n");
  return 0;
#endif
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls), cmocka_unit_test(test_compiles), cmocka_unit_test(test_contexts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
