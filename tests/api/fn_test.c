/* Layer A: functions, transforms on them, calls, loops and branches over C functions, ownership and
 * the cache. */
#include "ops/check.h"
#include <secant.h>

static sec_context *cx;

static sec_array *vector(const double *x, int64_t n) { return sec_array_create_f64(cx, 1, &n, x); }
static sec_array *scalar(double x) { return sec_array_create_f64(cx, 0, NULL, &x); }

/* The result of f for `in`, compared with `expected` and released. */
static void expect(sec_fn *f, sec_array *const *in, int result, const double *expected,
                   double tolerance) {
  sec_array *out[16] = {NULL};
  assert_non_null(f);
  assert_true(sec_fn_n_out(f) <= 16);
  check_ok(sec_call(f, in, out), "call", NULL);
  for (int64_t i = 0; i < sec_array_size(out[result]); i++)
    if (!check_near(check_get(out[result], i), expected[i], tolerance)) {
      print_error("element %d: %.12g, expected %.12g\n", (int)i, check_get(out[result], i),
                  expected[i]);
      fail();
    }
  check_release(out, sec_fn_n_out(f));
}

static void loss(const sec_value *in, sec_value *out, void *user) { /* sum(sin(x) * y) */
  (void)user;
  out[0] = sec_sum(sec_mul(sec_sin(in[0]), in[1]));
}

static void test_loss(void **state) {
  const double xs[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, ys[] = {1, 2, 3};
  double       expected[6];
  (void)state;
  sec_fn    *f = sec_fn_create(cx, "loss", loss, NULL, 2, 1), *df = sec_grad(f, 0);
  sec_fn    *dfs = sec_vmap(df, (int[]){0, SEC_NOT_MAPPED});
  sec_array *x = sec_array_create_f64(cx, SEC_SHAPE(2, 3), xs), *y = vector(ys, 3);
  for (int i = 0; i < 6; i++) expected[i] = cos(xs[i]) * ys[i % 3];
  expect(dfs, (sec_array *[]){x, y}, 0, expected, 1e-12);
  expect(dfs, (sec_array *[]){x, y}, 0, expected, 1e-12);
  assert_int_equal(sec_fn_n_in(dfs), 2);
  assert_int_equal(sec_fn_n_out(sec_value_and_grad(f, 1)), 2);
  sec_array_release(x);
  sec_array_release(y);
}

static void square_each(const sec_value *in, sec_value *out, void *user) { /* (x * x, x * y) */
  (void)user;
  out[0] = sec_mul(in[0], sec_mul(in[0], in[0]));
  out[1] = sec_mul(in[0], in[1]);
}

static void test_jvp_vjp(void **state) {
  (void)state;
  sec_fn    *f = sec_fn_create(cx, "f", square_each, NULL, 2, 2);
  sec_array *x = scalar(2), *y = scalar(5), *one = scalar(1), *three = scalar(3);
  expect(sec_jvp(f), (sec_array *[]){x, y, one, three}, 2, (double[]){12}, 1e-12);
  expect(sec_jvp(f), (sec_array *[]){x, y, one, three}, 3, (double[]){11}, 1e-12);
  expect(sec_vjp(f), (sec_array *[]){x, y, one, three}, 2, (double[]){12 + 15}, 1e-12);
  expect(sec_vjp(f), (sec_array *[]){x, y, one, three}, 3, (double[]){6}, 1e-12);
  expect(sec_grad_many(f, (int[]){1, 0}, 2, true), (sec_array *[]){x, y}, 3, (double[]){12}, 1e-12);
  check_release((sec_array *[]){x, y, one, three}, 4);
}

static void outer_sin(const sec_value *in, sec_value *out, void *user) { /* (sin(x0 x1), x0^2 x1) */
  (void)user;
  sec_value a =
      sec_reshape(sec_slice(in[0], (int64_t[]){0}, (int64_t[]){1}, NULL), SEC_SCALAR_SHAPE);
  sec_value b =
      sec_reshape(sec_slice(in[0], (int64_t[]){1}, (int64_t[]){2}, NULL), SEC_SCALAR_SHAPE);
  sec_value parts[2] = {sec_sin(sec_mul(a, b)), sec_mul(sec_mul(a, a), b)};
  for (int i = 0; i < 2; i++) parts[i] = sec_expand_dims(parts[i], (int64_t[]){0}, 1);
  out[0] = sec_concatenate(parts, 2, 0);
}
static void summed(const sec_value *in, sec_value *out, void *user) {
  outer_sin(in, out, user);
  out[0] = sec_sum(out[0]);
}

static void test_jacobians(void **state) {
  const double a = 0.7, b = -0.4, c = cos(a * b), s = sin(a * b);
  const double jacobian[] = {b * c, a * c, 2 * a * b, a * a};
  const double hessian[] = {-b * b * s + 2 * b, c - a * b * s + 2 * a, c - a * b * s + 2 * a,
                            -a * a * s};
  (void)state;
  sec_fn *f = sec_fn_create(cx, "f", outer_sin, NULL, 1, 1),
         *g = sec_fn_create(cx, "g", summed, NULL, 1, 1);
  sec_array *x = vector((double[]){a, b}, 2);
  expect(sec_jacfwd(f, 0), &x, 0, jacobian, 1e-12);
  expect(sec_jacrev(f, 0), &x, 0, jacobian, 1e-12);
  expect(sec_hessian(g, 0), &x, 0, hessian, 1e-12);
  expect(sec_jacrev(sec_jacrev(g, 0), 0), &x, 0, hessian, 1e-12);
  sec_array_release(x);
}

static void linear_map(const sec_value *in, sec_value *out, void *user) {
  out[0] = sec_dot(sec_constant(user), in[0]);
}

static void test_capture(void **state) {
  (void)state;
  sec_array *w = sec_array_create_f64(cx, SEC_SHAPE(2, 3), (double[]){1, 2, 3, 4, 5, 6}),
            *x = vector((double[]){1, 0, -1}, 3);
  sec_fn *f = sec_fn_create(cx, "linear", linear_map, w, 1, 1);
  expect(f, &x, 0, (double[]){-2, -2}, 1e-12);
  expect(sec_jacrev(f, 0), &x, 0, (double[]){1, 2, 3, 4, 5, 6}, 1e-12);
  sec_fn_destroy(f);
  sec_array_release(w);
  sec_array_release(x);
}

/* ---- loops and branches ---- */
static void scan_step(const sec_value *in, sec_value *out, void *user) { /* c' = c + k x; y = c' */
  const sec_value *k = user;
  out[0] = sec_add(in[0], sec_mul(k[0], in[1]));
  out[1] = out[0];
}
static void cumulative(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_value start[2] = {sec_scalar(0), in[1]}; /* a weak f32 zero: the carry becomes f64 */
  sec_scan_fn(scan_step, (void *)in, 1, 1, 1, -1, false, start, out);
}
static void halve_cond(const sec_value *in, sec_value *out, void *user) {
  out[0] = sec_gt(in[0], ((const sec_value *)user)[1]);
}
static void halve_body(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_mul(in[0], sec_scalar(0.5));
  out[1] = sec_add(in[1], sec_scalar_int(1));
}
static void halve(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_while_fn(halve_cond, halve_body, (void *)in, 2, (sec_value[]){in[0], sec_scalar_int(0)}, out);
}
static void power_body(const sec_value *in, sec_value *out, void *user) {
  out[0] = sec_mul(in[1], ((const sec_value *)user)[0]);
}
static void power(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_value one = sec_scalar(1);
  sec_fori_fn(sec_scalar_int(0), in[1], power_body, (void *)in, 1, &one, out);
}
static void branch_sin(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_sin(in[0]);
}
static void branch_user(const sec_value *in, sec_value *out, void *user) {
  const sec_value *outer = user;
  out[0] = sec_mul(in[0], outer[0]);
}
static void branch_weak(const sec_value *in, sec_value *out, void *user) {
  (void)in, (void)user;
  out[0] = sec_literal_of(SEC_F64, true, 4, 0);
}
static void three_ways(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_cond_fn(in[1], (const sec_fn_body[]){branch_sin, branch_user, branch_weak}, 3, (void *)in, 1,
              1, in, out);
}

static void test_control(void **state) {
  (void)state;
  sec_array *xs = vector((double[]){1, 2, 3}, 3), *k = scalar(2), *limit = scalar(0.3);
  sec_fn    *scan = sec_fn_create(cx, "scan", cumulative, NULL, 2, 2),
         *loop = sec_fn_create(cx, "halve", halve, NULL, 2, 2);
  expect(scan, (sec_array *[]){k, xs}, 0, (double[]){12}, 1e-12);
  expect(scan, (sec_array *[]){k, xs}, 1, (double[]){2, 6, 12}, 1e-12);
  expect(sec_grad(scan, 1), (sec_array *[]){k, xs}, 0, (double[]){2, 2, 2}, 1e-12);
  expect(sec_grad(scan, 0), (sec_array *[]){k, xs}, 0, (double[]){6}, 1e-12);
  expect(loop, (sec_array *[]){k, limit}, 0, (double[]){0.25}, 1e-12);
  expect(loop, (sec_array *[]){k, limit}, 1, (double[]){3}, 1e-12);
  sec_array *n = sec_array_create_i32(cx, 0, NULL, (int32_t[]){5});
  expect(sec_fn_create(cx, "power", power, NULL, 2, 1), (sec_array *[]){k, n}, 0, (double[]){32},
         1e-12);
  sec_fn *ways = sec_fn_create(cx, "ways", three_ways, NULL, 2, 1);
  for (int i = -1; i < 4; i++) {
    sec_array *which = sec_array_create_i32(cx, 0, NULL, (int32_t[]){i});
    expect(ways, (sec_array *[]){k, which}, 0, (double[]){i < 1 ? sin(2) : 4}, 1e-12);
    sec_array_release(which);
  }
  check_release((sec_array *[]){xs, k, limit, n}, 4);
}

/* ---- ownership ---- */
static void test_destroy(void **state) {
  (void)state;
  sec_fn *f = sec_fn_create(cx, "loss", loss, NULL, 2, 1), *df = sec_grad(f, 0), *jit = sec_jit(df);
  sec_array *x = vector((double[]){0.5}, 1), *y = vector((double[]){2}, 1);
  expect(f, (sec_array *[]){x, y}, 0, (double[]){2 * sin(0.5)}, 1e-12);
  sec_fn_destroy(f);
  sec_fn_destroy(df);
  expect(jit, (sec_array *[]){x, y}, 0, (double[]){2 * cos(0.5)}, 1e-12);
  sec_fn_destroy(jit);
  sec_fn_destroy(NULL);
  check_release((sec_array *[]){x, y}, 2);
}

static void test_context_owns(void **state) {
  (void)state;
  sec_context *own = sec_context_create();
  sec_fn      *f = sec_fn_create(own, "loss", loss, NULL, 2, 1);
  sec_array   *x = sec_array_create_f32(own, SEC_SHAPE(2), (float[]){1, 2}), *out = NULL;
  check_ok(sec_call(sec_grad(f, 1), (sec_array *[]){x, x}, &out), "call", NULL);
  assert_true(fabs(sec_get_f(out, 1) - sin(2)) < 1e-6);
  sec_array_release(out);
  sec_array_release(x);
  sec_context_destroy(own); /* and the functions with it */
}

static void test_from_jaxpr(void **state) {
  (void)state;
  sec_jaxpr *j = NULL;
  check_ok(sec_jaxpr_parse(cx, "{ lambda ; a:f64[]. let b:f64[] = sin a in (b,) }", &j), "parse",
           NULL);
  sec_fn    *f = sec_fn_from_jaxpr(j);
  sec_array *x = scalar(0.3), *wrong = vector((double[]){1, 2}, 2), *out = x;
  sec_jaxpr_release(j);
  expect(sec_grad(f, 0), &x, 0, (double[]){cos(0.3)}, 1e-12);
  assert_int_equal(sec_call(f, &wrong, &out), SEC_TYPE);
  assert_null(out);
  sec_error_clear(cx);
  check_release((sec_array *[]){x, wrong}, 2);
}

/* ---- mistakes ---- */
static void expect_error(sec_fn *made, const char *part) {
  assert_null(made);
  if (!strstr(sec_error_message(cx), part)) print_error("%s\n", sec_error_message(cx));
  assert_non_null(strstr(sec_error_message(cx), part));
  assert_true(sec_error_hint(cx)[0] != 0);
  sec_error_clear(cx);
}

static void test_arguments(void **state) {
  (void)state;
  sec_fn *f = sec_fn_create(cx, "loss", loss, NULL, 2, 1);
  expect_error(sec_grad(f, 2), "grad of loss: argument 2 of a function of 2");
  expect_error(sec_jacfwd(f, -1), "jacfwd of loss: argument -1");
  expect_error(sec_fn_create(cx, "none", NULL, NULL, 1, 1), "no body");
  expect_error(sec_custom_jvp(f, NULL, NULL), "a rule is NULL");
  assert_null(sec_grad(NULL, 0));
  assert_null(sec_hessian(NULL, 0));
  assert_null(sec_vmap(NULL, NULL));
  assert_int_equal(sec_error_status(cx), SEC_OK);
}

static void test_call_errors(void **state) {
  (void)state;
  sec_fn    *f = sec_fn_create(cx, "loss", loss, NULL, 2, 1);
  sec_array *x = vector((double[]){1, 2, 3}, 3), *y = vector((double[]){1, 2}, 2), *out = x;
  assert_int_equal(sec_call(f, (sec_array *[]){x, y}, &out), SEC_SHAPE);
  assert_null(out);
  assert_non_null(strstr(sec_error_text(cx), "f64[3]"));
  assert_non_null(strstr(sec_error_text(cx), "f64[2]"));
  sec_error_clear(cx);
  assert_int_equal(sec_call(f, (sec_array *[]){x, NULL}, &out), SEC_ARGUMENT);
  sec_error_clear(cx);
  assert_int_equal(
      sec_call(sec_vmap(f, (int[]){SEC_NOT_MAPPED, SEC_NOT_MAPPED}), (sec_array *[]){x, x}, &out),
      SEC_AXIS);
  sec_error_clear(cx);
  assert_int_equal(sec_call(sec_vmap(f, (int[]){0, 0}), (sec_array *[]){x, y}, &out), SEC_SHAPE);
  sec_error_clear(cx);
  assert_int_equal(sec_call(sec_pmap(f, (int[]){0, 0}, NULL), (sec_array *[]){x, x}, &out),
                   SEC_ARGUMENT);
  assert_non_null(strstr(sec_error_message(cx), "SECANT_NUM_CPU_DEVICES"));
  sec_error_clear(cx);
  assert_int_equal(sec_apply(f, (sec_value[2]){{0, 0}, {0, 0}}, (sec_value[1]){{0, 0}}),
                   SEC_NO_TRACE);
  sec_error_clear(cx);
  assert_int_equal(sec_trace_depth(), 0);
  check_release((sec_array *[]){x, y}, 2);
}

/* ---- the cache ---- */
static int64_t compiles_of(sec_fn *f, sec_array *x) {
  int64_t    before = sec_cache_get_stats(cx).compiles;
  sec_array *out = NULL;
  check_ok(sec_call(f, &x, &out), "call", NULL);
  sec_array_release(out);
  return sec_cache_get_stats(cx).compiles - before;
}
static void tanh_plus(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_add(sec_tanh(in[0]), sec_scalar(0.625));
}

static void test_cache(void **state) {
  (void)state;
  sec_fn *f = sec_fn_create(cx, "cached", tanh_plus, NULL, 1, 1),
         *same = sec_fn_create(cx, "cached", tanh_plus, NULL, 1, 1);
  sec_array *x = vector((double[]){1, 2, 3}, 3), *y = vector((double[]){4, 5, 6}, 3),
            *longer = vector((double[]){1, 2, 3, 4}, 4);
  sec_array *single = sec_array_create_f32(cx, SEC_SHAPE(3), (float[]){1, 2, 3});
  sec_array *weak = vector((double[]){1, 2, 3}, 3);
  sec_array_set_weak(weak, true);
  assert_int_equal(compiles_of(f, x), 1);
  assert_int_equal(compiles_of(f, x), 0);
  assert_int_equal(compiles_of(f, y), 0);    /* other values */
  assert_int_equal(compiles_of(same, x), 0); /* another function of the same structure */
  assert_int_equal(compiles_of(f, longer), 1);
  assert_int_equal(compiles_of(f, single), 1);
  assert_int_equal(compiles_of(f, weak), 1);
  assert_int_equal(compiles_of(sec_vmap(f, (int[]){0}), x), 0); /* the same program, simplified */
  for (int i = 0; i < 3; i++)
    assert_int_equal(compiles_of(f, i == 0 ? x : i == 1 ? longer : single), 0);
  check_release((sec_array *[]){x, y, longer, single, weak}, 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loss),       cmocka_unit_test(test_jvp_vjp),
      cmocka_unit_test(test_jacobians),  cmocka_unit_test(test_capture),
      cmocka_unit_test(test_control),    cmocka_unit_test(test_destroy),
      cmocka_unit_test(test_from_jaxpr), cmocka_unit_test(test_context_owns),
      cmocka_unit_test(test_arguments),  cmocka_unit_test(test_call_errors),
      cmocka_unit_test(test_cache)};
  setenv("SECANT_NUM_CPU_DEVICES", "2", 1);
  cx = sec_context_create();
  int failed = cmocka_run_group_tests_name("fn", tests, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
