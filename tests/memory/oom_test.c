/* An allocator that fails at the n-th call, n = 1, 2, 3, ...: once, and from there on.  Everything gives MEMORY or
 * succeeds, nothing is lost, and the context works afterwards. */
#include "ops/check.h"
#include <limits.h>

/* ---- the allocator ---- */
static atomic_long live, calls, fail_at;
static atomic_bool fails_on; /* every later call fails too */

static bool refuse(void) {
  long n = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&fail_at);
  return at && (n == at || (n > at && atomic_load(&fails_on)));
}
static void *hook_alloc(void *user, size_t bytes) {
  (void)user;
  void *p = refuse() ? NULL : malloc(bytes);
  if (p) memset(p, 0xa5, bytes);
  if (p) atomic_fetch_add(&live, 1);
  return p;
}
static void *hook_realloc(void *user, void *block, size_t bytes) {
  (void)user;
  return refuse() ? NULL : realloc(block, bytes);
}
static void hook_free(void *user, void *block) {
  (void)user;
  atomic_fetch_sub(&live, 1);
  free(block);
}

static void arm(long n, bool on) {
  atomic_store(&calls, 0);
  atomic_store(&fails_on, on);
  atomic_store(&fail_at, n);
}

/* ---- functions ---- */
static void product(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_value h = sec_tanh(sec_dot(in[0], in[1]));
  out[0] = sec_sum(sec_mul(h, sec_add(sec_sin(h), sec_scalar(2))));
}
static void scan_step(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_add(sec_mul(in[0], sec_scalar(0.5)), sec_cos(in[1]));
  out[1] = sec_mul(out[0], in[1]);
}
static void scanned(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_value s[2];
  sec_scan_fn(scan_step, NULL, 1, 1, 1, -1, false, (sec_value[]){sec_sum(in[1]), sec_reshape(in[0], SEC_SHAPE(6))}, s);
  sec_scan_fn(scan_step, NULL, 1, 1, 1, -1, true, (sec_value[]){s[0], sec_reshape(in[1], SEC_SHAPE(6))}, s);
  out[0] = sec_add(s[0], sec_add(sec_sum(s[1]), sec_sum(in[0])));
}
static void below(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_lt(in[0], sec_scalar(100));
}
static void twice(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_add(sec_mul(in[0], sec_scalar(2)), sec_scalar(1));
}
static void same(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_exp(sec_neg(in[0]));
}
static void looped(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_value x = sec_sum(sec_mul(in[0], in[0])), y;
  sec_while_fn(below, twice, NULL, 1, &x, &x);
  sec_cond_fn(sec_gt(x, sec_scalar(120)), (sec_fn_body[]){same, twice}, 2, NULL, 1, 1, &x, &y);
  sec_value both = sec_concatenate((sec_value[]){in[0], in[0]}, 2, 0), sorted;
  sec_sort(&both, 1, 0, 1, true, &sorted);
  out[0] = sec_add(sec_add(x, y), sec_add(sec_sum(in[1]), sec_sum(sorted)));
}

/* ---- what is tried: each gives everything back ---- */
typedef sec_status (*attempt)(sec_context *cx);
static const int mapped[] = {SEC_NOT_MAPPED, SEC_NOT_MAPPED, 0, 0};

static sec_status types(sec_context *cx, const sec_aval **avals, bool lanes) {
  for (int k = 0; k < 2; k++)
    avals[k] = sec_aval_get(cx, SEC_F32, false, lanes ? 3 : 2, lanes ? (int64_t[]){4, k ? 3 : 2, k ? 2 : 3} : (int64_t[]){k ? 3 : 2, k ? 2 : 3});
  return avals[0] && avals[1] ? SEC_OK : sec_error_status(cx);
}

/* The text of the transformed function, read again. */
static sec_status text_of(sec_context *cx, sec_fn *f, bool lanes) {
  const sec_aval *avals[2];
  sec_jaxpr      *j = NULL, *again = NULL;
  SEC_TRY(types(cx, avals, lanes));
  if (!f) return sec_error_status(cx);
  sec_status status = sec_fn_jaxpr(f, avals, &j);
  char      *text = status == SEC_OK ? sec_jaxpr_print(j) : NULL;
  if (status == SEC_OK && !text) status = sec_error_status(cx);
  if (status == SEC_OK) status = sec_jaxpr_parse(cx, text, &again);
  free(text);
  sec_jaxpr_release(again);
  sec_jaxpr_release(j);
  return status;
}

static sec_status try_transforms(sec_context *cx) {
  sec_fn *f = sec_fn_create(cx, "product", product, NULL, 2, 1);
  return text_of(cx, sec_vmap(sec_value_and_grad(f, 0), mapped + 2), true);
}
static sec_status try_scan(sec_context *cx) {
  return text_of(cx, sec_vmap(sec_grad(sec_fn_create(cx, "scanned", scanned, NULL, 2, 1), 1), mapped + 2), true);
}
static sec_status try_loops(sec_context *cx) {
  sec_fn *f = sec_vmap(sec_jit(sec_fn_create(cx, "looped", looped, NULL, 2, 1)), mapped + 2);
  return text_of(cx, f, true);
}
static sec_status try_hessian(sec_context *cx) {
  return text_of(cx, sec_hessian(sec_checkpoint(sec_fn_create(cx, "product", product, NULL, 2, 1)), 0), false);
}

static sec_status operands(sec_context *cx, sec_array **in) {
  static const float data[] = {1, 2, 3, 4, 5, 6};
  in[0] = sec_array_create_f32(cx, SEC_SHAPE(2, 3), data);
  in[1] = in[0] ? sec_array_create_f32(cx, SEC_SHAPE(3, 2), data) : NULL;
  return in[1] ? SEC_OK : sec_error_status(cx);
}

static sec_status call(sec_context *cx, sec_fn *f, sec_array **out) {
  sec_array *in[2] = {NULL, NULL};
  sec_status status = f ? operands(cx, in) : sec_error_status(cx);
  if (status == SEC_OK) status = sec_call(f, in, out);
  check_release(in, 2);
  return status;
}

static float expected; /* of the first result; NaN: not known yet */

static sec_status call_once(sec_context *cx, sec_fn *f) {
  sec_array *out[2] = {NULL, NULL};
  sec_status status = call(cx, f, out);
  if (status == SEC_OK) {
    float value = *(const float *)sec_array_data(out[0]);
    if (isnan(expected)) expected = value;
    assert_true(value == expected);
  }
  check_release(out, 2);
  sec_fn_destroy(f);
  return status;
}

static sec_status try_evaluation(sec_context *cx) {
  const sec_aval *avals[2];
  sec_array      *in[2] = {NULL, NULL}, *out = NULL;
  sec_jaxpr      *j = NULL;
  sec_fn         *f = sec_grad(sec_fn_create(cx, "scanned", scanned, NULL, 2, 1), 0);
  sec_status      status = f ? types(cx, avals, false) : sec_error_status(cx);
  if (status == SEC_OK) status = sec_fn_jaxpr(f, avals, &j);
  if (status == SEC_OK) status = operands(cx, in);
  if (status == SEC_OK) status = sec_jaxpr_eval(j, in, &out);
  sec_array_release(out);
  check_release(in, 2);
  sec_jaxpr_release(j);
  return status;
}

static sec_status run_compiled(sec_context *cx, const char *name, sec_fn_body body, bool with_gradient) {
  sec_fn *f = sec_fn_create(cx, name, body, NULL, 2, 1), *g = with_gradient ? sec_value_and_grad(f, 0) : sec_jit(f);
  sec_status status = call_once(cx, g);
  sec_fn_destroy(f);
  sec_cache_clear(cx);
  return status;
}
static sec_status try_compiled_product(sec_context *cx) { return run_compiled(cx, "product", product, true); }
static sec_status try_compiled_scan(sec_context *cx) { return run_compiled(cx, "scanned", scanned, true); }
static sec_status try_compiled_loops(sec_context *cx) { return run_compiled(cx, "looped", looped, false); }

static sec_status try_texts(sec_context *cx) {
  static const char *const stages[] = {"jaxpr", "groups", "mlir", "llvm"};
  sec_jaxpr      *j = NULL;
  sec_executable *e = NULL;
  sec_status      status = sec_jaxpr_parse(cx, "{ lambda ; a:f32[8]. let b:f32[8] = sin a; c:f32[] = reduce_sum[axes=(0,)] b in (c,) }", &j);
  if (status == SEC_OK) status = sec_compile(cx, j, NULL, &e);
  for (int i = 0; i < 4 && status == SEC_OK; i++) {
    char *text = sec_executable_text(e, stages[i]);
    if (!text) status = sec_error_status(cx);
    free(text);
  }
  sec_executable_release(e);
  sec_jaxpr_release(j);
  sec_cache_clear(cx);
  return status;
}

/* What could not run leaves its operands as they were. */
static sec_status try_donation(sec_context *cx) {
  const int64_t   n = 4000;
  sec_jaxpr      *j = NULL;
  sec_executable *e = NULL;
  sec_array      *in[] = {sec_array_create(cx, SEC_F32, 1, &n), sec_array_create(cx, SEC_F32, 1, &n)}, *out[2];
  sec_status      status = sec_error_status(cx);
  if (status == SEC_OK) memset(sec_array_data(in[0]), 0, sec_array_bytes(in[0])), memset(sec_array_data(in[1]), 0, sec_array_bytes(in[1]));
  if (status == SEC_OK) status = sec_jaxpr_parse(cx, "{ lambda ; a:f32[4000] b:f32[4000]. let c:f32[4000] = add a b; d:f32[4000] = sub a b in (c, d) }", &j);
  if (status == SEC_OK) status = sec_compile(cx, j, NULL, &e);
  if (status == SEC_OK) {
    status = sec_execute_donating(e, in, (bool[]){true, true}, out);
    for (int i = 0; i < 2; i++) assert_int_equal(sec_array_is_deleted(in[i]), status == SEC_OK);
    if (status == SEC_OK) sec_array_release(out[0]), sec_array_release(out[1]);
  }
  sec_array_release(in[0]), sec_array_release(in[1]);
  sec_executable_release(e);
  sec_jaxpr_release(j);
  sec_cache_clear(cx);
  return status;
}

/* ---- the loop over n ---- */
static void check_works(sec_context *cx) {
  const float want = 3;
  sec_array  *out[2] = {NULL, NULL}, *x = sec_array_create_f32(cx, 0, NULL, &want);
  sec_jaxpr  *j;
  assert_int_equal(sec_jaxpr_parse(cx, "{ lambda ; a:f32[]. let b:f32[] = mul a a in (b,) }", &j), SEC_OK);
  assert_int_equal(sec_jaxpr_eval(j, &x, out), SEC_OK);
  assert_true(*(const float *)sec_array_data(out[0]) == 9);
  sec_array_release(out[0]);
  sec_array_release(x);
  sec_jaxpr_release(j);
}

/* One attempt; true when no allocation was refused. */
static bool attempt_at(attempt run, sec_context *cx, long n, bool on) {
  arm(n, on);
  sec_error_clear(cx);
  sec_status status = run(cx);
  bool       refused = atomic_load(&calls) >= n;
  arm(0, false);
  if (status != SEC_OK && (status != SEC_MEMORY || !refused)) fail_msg("n = %ld: %s: %s", n, sec_status_name(status), sec_error_message(cx));
  assert_int_equal(sec_error_status(cx), status);
  assert_int_equal(sec_trace_depth(), 0);
  sec_error_clear(cx);
  check_works(cx);
  return !refused;
}

static void check_fresh(attempt run, bool on) {
  bool done = false;
  for (long n = 1; !done; n++) {
    arm(n, on);
    sec_context *cx = sec_context_create();
    if (cx) {
      long made = atomic_load(&calls);
      done = attempt_at(run, cx, n > made ? n - made : LONG_MAX, on) && n > made;
    }
    arm(0, false);
    sec_error_clear(NULL);
    sec_context_destroy(cx);
    assert_int_equal(atomic_load(&live), 0);
  }
}

/* In one context, which keeps its compiler: what is compiled is forgotten after every attempt. */
static void check_shared(attempt run, bool on) {
  sec_context *cx = sec_context_create();
  bool         done = false;
  expected = NAN;
  if (run(cx) != SEC_OK) fail_msg("%s", sec_error_message(cx));
  long before = 0;
  for (long n = 1; !done; n++) {
    done = attempt_at(run, cx, n, on);
    if (n == 1) before = atomic_load(&live);
    assert_int_equal(atomic_load(&live), before);
  }
  assert_int_equal(run(cx), SEC_OK);
  sec_context_destroy(cx);
  assert_int_equal(atomic_load(&live), 0);
}

static void test_fresh(void **state) {
  sec_error_clear(NULL);
  atomic_store(&live, 0);
  for (int on = 0; on < 2; on++) check_fresh((attempt)*state, on);
}
static void test_shared(void **state) {
  sec_error_clear(NULL);
  atomic_store(&live, 0);
  for (int on = 0; on < 2; on++) check_shared((attempt)*state, on);
}

static int set_allocator(void **state) {
  (void)state;
  sec_set_num_threads(2);
  sec_set_allocator(&(sec_allocator){hook_alloc, hook_realloc, hook_free, NULL});
  return 0;
}
static int reset_allocator(void **state) {
  (void)state;
  sec_set_num_threads(1); /* lets the workers go */
  sec_set_allocator(NULL);
  return 0;
}

#define FRESH(f) {#f, test_fresh, NULL, NULL, (void *)f}
#define SHARED(f) {#f, test_shared, NULL, NULL, (void *)f}
int main(void) {
  const struct CMUnitTest tests[] = {
      FRESH(try_transforms), FRESH(try_scan), FRESH(try_loops), FRESH(try_hessian), FRESH(try_evaluation), FRESH(try_texts),
      SHARED(try_compiled_product), SHARED(try_compiled_scan), SHARED(try_compiled_loops), SHARED(try_texts), SHARED(try_donation)};
  return cmocka_run_group_tests(tests, set_allocator, reset_allocator);
}
