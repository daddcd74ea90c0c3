/* Host functions: C functions that compiled code calls, with derivatives of the user's, under every
 * transform. */
#include "ops/check.h"
#include <secant.h>

static sec_context *cx;

static sec_array *vector(int64_t n, const double *x) { return sec_array_create_f64(cx, 1, &n, x); }

/* f on arrays, its result 0; the others are released. */
static sec_array *call(sec_fn *f, sec_array *const *in) {
  sec_array *out[8] = {NULL};
  assert_non_null(f);
  check_ok(sec_call(f, in, out), "call", NULL);
  check_release(out + 1, sec_fn_n_out(f) - 1);
  return out[0];
}

static void expect(sec_array *y, int64_t n, const double *expected) {
  assert_int_equal(sec_array_size(y), n);
  for (int64_t i = 0; i < n; i++)
    if (!check_near(check_get(y, i), expected[i], 1e-12)) {
      print_error("[%d] is %.15g, expected %.15g\n", (int)i, check_get(y, i), expected[i]);
      fail();
    }
  sec_array_release(y);
}

/* ---- elementwise C functions ---- */
static double power_c(double x, double y) { return pow(x, y); }
static double power_dx_c(double x, double y) { return y * pow(x, y - 1); }
static double power_dy_c(double x, double y) { return pow(x, y) * log(x); }

static sec_callable *power_host, *power_dx, *power_dy;

static sec_value applied(sec_callable *host, const sec_value *in) {
  sec_value out;
  sec_host_apply(host, in, &out);
  return out;
}
static void power(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = applied(power_host, in);
}
static void power_jvp(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = applied(power_host, in);
  out[1] = sec_add(sec_mul(applied(power_dx, in), in[2]), sec_mul(applied(power_dy, in), in[3]));
}
static void power_fwd(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = applied(power_host, in);
  out[1] = in[0];
  out[2] = in[1];
}
static void power_bwd(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_mul(applied(power_dx, in), in[2]);
  out[1] = sec_mul(applied(power_dy, in), in[2]);
}

static void test_elementwise(void **state) {
  const double xs[] = {1, 2, 3, 4, 5, 6}, ys[] = {2, 0.5, 3};
  double       value[6], dx[6], dy[6];
  (void)state;
  sec_fn    *f = sec_fn_create(cx, "power", power, NULL, 2, 1);
  sec_array *x = sec_array_create_f64(cx, SEC_SHAPE(2, 3), xs), *y = vector(3, ys), *in[] = {x, y};
  for (int i = 0; i < 6; i++) {
    value[i] = power_c(xs[i], ys[i % 3]), dx[i] = power_dx_c(xs[i], ys[i % 3]);
    dy[i] = power_dy_c(xs[i], ys[i % 3]);
  }
  expect(call(f, in), 6, value); /* broadcasts */
  sec_fn *rules[] = {sec_custom_jvp(f, power_jvp, NULL),
                     sec_custom_vjp(f, power_fwd, power_bwd, 2, NULL)};
  for (int k = 0; k < 2; k++) {
    int     over_x[] = {0, SEC_NOT_MAPPED}, over_both[] = {0, 0};
    sec_fn *each = sec_vmap(sec_vmap(rules[k], over_both), over_x);
    expect(call(each, in), 6, value);
    expect(call(sec_vmap(sec_vmap(sec_grad(rules[k], 0), over_both), over_x), in), 6, dx);
    expect(call(sec_vmap(sec_vmap(sec_grad(rules[k], 1), over_both), over_x), in), 6, dy);
  }
  /* lanes of vectors beside a scalar that is mapped as well */
  sec_array *two = vector(2, (double[]){2, 3});
  double     lanes[6];
  for (int i = 0; i < 6; i++) lanes[i] = power_c(xs[i], i / 3 + 2);
  expect(call(sec_vmap(f, (int[]){0, 0}), (sec_array *[]){x, two}), 6, lanes);
  check_release((sec_array *[]){x, y, two}, 3);
}

/* Integers are converted, results are of the signature's type. */
static int32_t bits_c(int64_t x, uint8_t flag, float scale) {
  return (int32_t)((double)x * scale) + flag;
}
static void bits(const sec_value *in, sec_value *out, void *user) { sec_host_apply(user, in, out); }

static void test_types(void **state) {
  (void)state;
  sec_callable *h = sec_host_c("bits", "i(l, b, f)", (sec_function)bits_c, NULL);
  const int32_t xs[] = {3, -4};
  sec_array    *x = sec_array_create_i32(cx, SEC_SHAPE(2), xs), *t = vector(1, (double[]){1}),
            *s = vector(1, (double[]){2.5}), *y;
  sec_fn *f = sec_fn_create(cx, "bits", bits, h, 3, 1);
  y = call(f, (sec_array *[]){x, t, s});
  assert_int_equal(sec_array_dtype(y), SEC_I32);
  expect(y, 2, (double[]){8, -9});
  sec_fn_destroy(f);
  sec_callable_release(h);
  check_release((sec_array *[]){x, t, s}, 3);
}

/* ---- functions on arrays ---- */
static int calls;
static int rotate(void *user, long n, const double *x, double *y, double *total) {
  *total = 0;
  for (long i = 0; i < n; i++) y[i] = x[(i + 1) % n] * *(double *)user, *total += x[i];
  calls++;
  return n > 3 ? 7 : 0;
}
static void rotated(const sec_value *in, sec_value *out, void *user) {
  sec_host_apply(user, in, out);
}

static void test_arrays(void **state) {
  double factor = 10;
  (void)state;
  sec_callable *h =
      sec_host_c("rotate", "s(p, l:n, d[n], >d[n], >d)", (sec_function)rotate, &factor);
  sec_fn    *f = sec_fn_create(cx, "rotated", rotated, h, 1, 2);
  sec_array *x = vector(3, (double[]){1, 2, 3}), *out[2];
  check_ok(sec_call(f, &x, out), "call", NULL);
  expect(out[0], 3, (double[]){20, 30, 10});
  expect(out[1], 1, (double[]){6});
  /* vmap: lane after lane */
  sec_array *rows = sec_array_create_f64(cx, SEC_SHAPE(3, 2), (double[]){1, 2, 3, 4, 5, 6});
  calls = 0;
  check_ok(sec_call(sec_vmap(f, (int[]){0}), &rows, out), "vmap", NULL);
  assert_int_equal(calls, 3);
  expect(out[0], 6, (double[]){20, 10, 40, 30, 60, 50});
  expect(out[1], 3, (double[]){3, 7, 11});
  /* a failing call, alone and in the second of five lanes */
  sec_array *long_x = vector(4, (double[]){1, 2, 3, 4});
  assert_int_equal(sec_call(f, &long_x, out), SEC_CALLBACK);
  assert_string_equal(sec_error_text(cx), "host_call: rotate failed with code 7");
  assert_true(out[0] == NULL && out[1] == NULL);
  sec_error_clear(cx);
  sec_array *many = sec_array_create_f64(cx, SEC_SHAPE(5, 4), (double[20]){0});
  calls = 0;
  assert_int_equal(sec_call(sec_vmap(f, (int[]){0}), &many, out), SEC_CALLBACK);
  assert_int_equal(calls, 1);
  sec_error_clear(cx);
  check_ok(sec_call(f, &x, out), "call after a failure", NULL);
  check_release(out, 2);
  sec_callable_release(h);
  check_release((sec_array *[]){x, rows, long_x, many}, 4);
}

/* ---- functions that know Secant's types, in loops and branches ---- */
static int counted(void *user, const void *const *in, void *const *out,
                   const sec_aval *const *types) {
  int *left = user;
  assert_string_equal(sec_aval_text(types[0]), "f64[2]");
  assert_string_equal(sec_aval_text(types[1]), "f64[2]");
  for (int i = 0; i < 2; i++) ((double *)out[0])[i] = ((const double *)in[0])[i] + 1;
  return --*left < 0;
}

static sec_callable *counter;
static void          one_up(const sec_value *in, sec_value *out, void *user) {
           const sec_aval *a = sec_value_aval(in[0]);
           (void)user;
           sec_host_call(counter, in, 1, &a, 1, out);
}
static void below(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_lt(sec_reduce_max(in[0], NULL, -1), sec_scalar(10));
}
static void one_up_at(const sec_value *in, sec_value *out, void *user) {
  one_up(in + 1, out, user);
}
static void loops(const sec_value *in, sec_value *out, void *user) {
  sec_value x, y;
  sec_fori_fn(sec_scalar_int(0), sec_scalar_int(4), one_up_at, user, 1, in, &x);
  sec_while_fn(below, one_up, user, 1, &x, &y);
  sec_cond_fn(sec_gt(sec_sum(y), sec_scalar(0)), (sec_fn_body[]){one_up, one_up}, 2, user, 1, 1, &y,
              out);
}

static void test_control(void **state) {
  int left = 1000;
  (void)state;
  counter = sec_host_create("counted", counted, NULL, &left);
  sec_fn    *f = sec_fn_create(cx, "loops", loops, NULL, 1, 1);
  sec_array *x = vector(2, (double[]){0, 1}), *out;
  expect(call(f, &x), 2, (double[]){10, 11});
  for (int after = 0; after < 10; after++) { /* fails in the loop, in the while, in the branch */
    left = after;
    assert_int_equal(sec_call(f, &x, &out), SEC_CALLBACK);
    assert_null(out);
    sec_error_clear(cx);
  }
  left = 10;
  expect(call(f, &x), 2, (double[]){10, 11});
  sec_fn_destroy(f);
  sec_callable_release(counter);
  sec_array_release(x);
}

/* The evaluator calls it as well, and a jaxpr keeps it alive. */
static int  destroyed;
static void note(void *user) { (void)user, destroyed++; }
static int  doubled(void *user, const void *const *in, void *const *out,
                    const sec_aval *const *types) {
   (void)user;
   for (int64_t i = 0; i < sec_aval_size(types[1]); i++)
    ((double *)out[0])[i] = 2 * ((const double *)in[0])[i];
  return 0;
}

static void test_lifetime(void **state) {
  (void)state;
  sec_jaxpr   *j = NULL;
  sec_array   *x, *y;
  sec_context *own = sec_context_create();
  counter = sec_host_create(NULL, doubled, note, NULL);
  const sec_aval *a = sec_aval_get(own, SEC_F64, false, 1, (int64_t[]){2});
  sec_fn         *f = sec_fn_create(own, "f", one_up, NULL, 1, 1);
  check_ok(sec_fn_jaxpr(f, &a, &j), "trace", NULL);
  sec_callable_release(counter);
  x = sec_array_create_f64(own, SEC_SHAPE(2), (double[]){1, 2});
  check_ok(sec_jaxpr_eval(j, &x, &y), "eval", j);
  expect(y, 2, (double[]){2, 4});
  check_ok(sec_run(own, j, &x, &y), "run", j);
  expect(y, 2, (double[]){2, 4});
  sec_jaxpr_release(j);
  sec_array_release(x);
  assert_int_equal(destroyed, 0); /* the executable has it */
  sec_context_destroy(own);
  assert_int_equal(destroyed, 1);
}

/* ---- errors ---- */
static void expect_error(sec_fn *f, sec_array *const *in, sec_status status, const char *text) {
  sec_array *out[8] = {NULL};
  assert_int_equal(f ? sec_call(f, in, out) : sec_error_status(cx), status);
  assert_string_equal(sec_error_text(cx), text);
  sec_error_clear(cx);
}

static void test_errors(void **state) {
  (void)state;
  double        factor = 1;
  sec_array    *x = vector(2, (double[]){1, 2}), *y = vector(3, (double[]){1, 2, 3});
  sec_fn       *f = sec_fn_create(cx, "power", power, NULL, 2, 1);
  sec_callable *h =
      sec_host_c("rotate", "s(p, l:n, d[n], >d[n], >d)", (sec_function)rotate, &factor);
  sec_fn *g = sec_fn_create(cx, "rotated", rotated, h, 1, 2), *sum = sec_jvp(f);
  expect_error(f, (sec_array *[]){x, y}, SEC_SHAPE,
               "power: shapes f64[2] and f64[3] do not broadcast");
  expect_error(sum, (sec_array *[]){x, x, x, x}, SEC_NO_RULE, "host_call has no jvp rule");
  sec_array *matrix = sec_array_create_f64(cx, SEC_SHAPE(1, 2), (double[]){1, 2});
  expect_error(g, &matrix, SEC_SHAPE, "rotate: operand 0 is f64[1,2], expected f64[1]");
  assert_null(sec_host_c("f", "d(d", (sec_function)power_c, NULL));
  expect_error(NULL, NULL, SEC_ARGUMENT,
               "f: signature \"d(d\": position 3: \",\" or \")\" is expected here");
  assert_null(sec_host_c("f", "v(d)", (sec_function)power_c, NULL));
  expect_error(NULL, NULL, SEC_ARGUMENT, "f: \"v(d)\" has no results");
  assert_null(sec_host_c("f", "v(i:n, >d[n])", (sec_function)power_c, NULL));
  expect_error(NULL, NULL, SEC_ARGUMENT, "f: no argument has the size n");
  sec_value out;
  assert_int_equal(sec_host_apply(NULL, NULL, &out), SEC_ARGUMENT);
  sec_error_clear(cx);
  assert_int_equal(sec_host_apply(power_host, NULL, &out), SEC_NO_TRACE);
  sec_error_clear(cx);
  sec_callable_release(h);
  check_release((sec_array *[]){x, y, matrix}, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_elementwise), cmocka_unit_test(test_types),
      cmocka_unit_test(test_arrays),      cmocka_unit_test(test_control),
      cmocka_unit_test(test_lifetime),    cmocka_unit_test(test_errors)};
  cx = sec_context_create();
  power_host = sec_host_c("power", "d(d, d)", (sec_function)power_c, NULL);
  power_dx = sec_host_c("power_dx", "d(d, d)", (sec_function)power_dx_c, NULL);
  power_dy = sec_host_c("power_dy", "d(d, d)", (sec_function)power_dy_c, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  sec_callable_release(power_host);
  sec_callable_release(power_dx);
  sec_callable_release(power_dy);
  sec_context_destroy(cx);
  return failed;
}
