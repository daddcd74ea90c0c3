/* Closures: compiled functions as C function pointers, given to solvers that know nothing of
 * Secant. */
#include "ops/check.h"
#include <pthread.h>
#include <secant.h>

static sec_context *cx;

#define BODY(name, expression)                                                                     \
  static void name(const sec_value *in, sec_value *out, void *user) {                              \
    (void)user, (void)in;                                                                          \
    out[0] = expression;                                                                           \
  }

/* A closure and its function pointer; f is destroyed: the closure keeps what it needs. */
static sec_closure *closed(sec_fn *f, const char *signature) {
  sec_closure *c = sec_closure_create(f, signature);
  if (!c) print_error("%s\n", sec_error_message(cx));
  assert_non_null(c);
  sec_fn_destroy(f);
  return c;
}

/* ---- solvers: plain C ---- */
static double newton(double (*f)(double), double (*slope)(double), double x) {
  for (int i = 0; i < 50 && fabs(f(x)) > 1e-14; i++) x -= f(x) / slope(x);
  return x;
}

typedef double (*value_fn)(int n, const double *x);
typedef void (*gradient_fn)(int n, const double *x, double *g);

/* Gradient descent with halved steps. */
static int descend(value_fn f, gradient_fn gradient, int n, double *x) {
  double g[8], trial[8];
  int    steps = 0;
  for (; steps < 20000; steps++) {
    double norm = 0, step = 1, at = f(n, x);
    gradient(n, x, g);
    for (int i = 0; i < n; i++) norm += g[i] * g[i];
    if (sqrt(norm) < 1e-5) break;
    for (;; step /= 2) {
      for (int i = 0; i < n; i++) trial[i] = x[i] - step * g[i];
      if (f(n, trial) <= at - 1e-4 * step * norm || step < 1e-18) break;
    }
    memcpy(x, trial, (size_t)n * sizeof *x);
  }
  return steps;
}

/* GSL's multimin style: (x, params, f, df) and a status; Newton's method for systems in MINPACK's:
 * (m, n, x, f, jacobian). */
typedef struct minimiser {
  double (*f)(const double *x, void *params);
  void (*fdf)(const double *x, void *params, double *f, double *df);
  void *params;
} minimiser;

typedef int (*system_fn)(void *user, long n, const double *x, double *f, double *jacobian);

static int solve2(system_fn system, double *x) {
  double f[2], j[4];
  for (int i = 0; i < 50; i++) {
    if (system(NULL, 2, x, f, j) != 0) return -1;
    double det = j[0] * j[3] - j[1] * j[2];
    x[0] -= (j[3] * f[0] - j[1] * f[1]) / det;
    x[1] -= (j[0] * f[1] - j[2] * f[0]) / det;
  }
  return 0;
}

/* ---- tests ---- */
BODY(kepler, sec_sub(sec_sub(in[0], sec_mul(sec_scalar(0.3), sec_sin(in[0]))), sec_scalar(1)))

static void test_newton(void **state) {
  (void)state;
  sec_fn      *f = sec_fn_create(cx, "kepler", kepler, NULL, 1, 1);
  sec_closure *slope = closed(sec_grad(f, 0), "d(d)"), *value = closed(f, "d(d)");
  double       x = newton((double (*)(double))sec_closure_function(value),
                          (double (*)(double))sec_closure_function(slope), 1);
  assert_true(fabs(x - 0.3 * sin(x) - 1) < 1e-14);
  sec_closure_destroy(slope);
  sec_closure_destroy(value);
}

/* Rosenbrock's function in n dimensions. */
static void rosenbrock(const sec_value *in, sec_value *out, void *user) {
  const sec_aval *a = sec_value_aval(in[0]);
  const int64_t   zero = 0, one = 1, n = sec_aval_dims(a)[0], before = n - 1;
  (void)user;
  sec_value x = sec_slice(in[0], &zero, &before, NULL), next = sec_slice(in[0], &one, &n, NULL);
  sec_value valley = sec_square(sec_sub(next, sec_square(x)));
  sec_value slope = sec_square(sec_sub(sec_scalar(1), x));
  out[0] = sec_sum(sec_add(sec_mul(sec_scalar(100), valley), slope));
}

static void test_descend(void **state) {
  (void)state;
  sec_fn      *f = sec_fn_create(cx, "rosenbrock", rosenbrock, NULL, 1, 1);
  sec_closure *gradient = closed(sec_grad(f, 0), "v(i:n, d[n], >d[n])"),
              *value = closed(f, "d(i:n, d[n])");
  value_fn    v = (value_fn)sec_closure_function(value);
  gradient_fn g = (gradient_fn)sec_closure_function(gradient);
  for (int n = 2; n <= 3; n++) { /* one pointer, several sizes */
    double x[] = {0.5, 0.5, 0.5};
    assert_in_range(descend(v, g, n, x), 1, 19999);
    for (int i = 0; i < n; i++) assert_true(fabs(x[i] - 1) < 1e-4);
  }
  sec_closure_destroy(gradient);
  sec_closure_destroy(value);
}

static void test_gsl_style(void **state) {
  (void)state;
  sec_fn      *f = sec_fn_create(cx, "rosenbrock", rosenbrock, NULL, 1, 1);
  sec_closure *both = closed(sec_value_and_grad(f, 0), "v(d[2], p, >d, >d[2])");
  sec_closure *value = closed(f, "d(d[2], p)");
  minimiser    m = {(double (*)(const double *, void *))sec_closure_function(value),
                    (void (*)(const double *, void *, double *, double *))sec_closure_function(both),
                    NULL};
  double       x[] = {-1.2, 1}, y, g[2];
  m.fdf(x, m.params, &y, g);
  assert_true(check_near(y, m.f(x, &m), 1e-14) && check_near(y, 24.2, 1e-12));
  assert_true(check_near(g[0], -215.6, 1e-12) && check_near(g[1], -88, 1e-12));
  sec_closure_destroy(both);
  sec_closure_destroy(value);
}

/* x^2 + y^2 = 4, x y = 1, and its Jacobian. */
BODY(circle, sec_stack((sec_value[]){sec_sub(sec_sum(sec_square(in[0])), sec_scalar(4)),
                                     sec_sub(sec_reduce_prod(in[0], NULL, -1), sec_scalar(1))},
                       2, 0))
static void with_jacobian(const sec_value *in, sec_value *out, void *user) {
  sec_fn **f = user;
  sec_apply(f[0], in, &out[0]);
  sec_apply(f[1], in, &out[1]);
}

static void test_system(void **state) {
  (void)state;
  sec_fn *f[2] = {sec_fn_create(cx, "circle", circle, NULL, 1, 1), NULL};
  f[1] = sec_jacfwd(f[0], 0);
  sec_closure *c =
      closed(sec_fn_create(cx, "both", with_jacobian, f, 1, 2), "s(p, l:n, d[n], >d[n], >d[n,n])");
  double x[] = {2, 0.3};
  assert_int_equal(solve2((system_fn)sec_closure_function(c), x), 0);
  assert_true(fabs(x[0] * x[0] + x[1] * x[1] - 4) < 1e-12 && fabs(x[0] * x[1] - 1) < 1e-12);
  double g[2], j[4]; /* a wrong size: a status, NaN in the results, the error in the record */
  assert_int_equal(((system_fn)sec_closure_function(c))(NULL, -1, x, g, j), SEC_ARGUMENT);
  assert_string_equal(sec_error_text(cx), "closure: size n is -1");
  sec_error_clear(cx);
  sec_closure_destroy(c);
}

/* Every type, by value and through pointers. */
static void mixed(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_add(in[1], sec_scalar_int(1));
  out[1] = sec_mul(in[0], sec_convert(in[2], SEC_F32, false));
  out[2] = sec_not(in[3]);
}

static void test_types(void **state) {
  (void)state;
  sec_closure *c = closed(sec_fn_create(cx, "mixed", mixed, NULL, 4, 3), "i( f, i, l, b, >f, >b )");
  int32_t (*f)(float, int32_t, int64_t, uint8_t, float *, uint8_t *) =
      (int32_t(*)(float, int32_t, int64_t, uint8_t, float *, uint8_t *))sec_closure_function(c);
  float   y;
  uint8_t no;
  assert_int_equal(f(1.5f, -8, 4, 1, &y, &no), -7);
  assert_true(y == 6 && no == 0);
  sec_closure_destroy(c);
}

/* ---- errors ---- */
BODY(mismatch, sec_add(in[0], sec_iota(SEC_F64, 1, (int64_t[]){3}, 0)))

static void test_failure(void **state) {
  (void)state;
  sec_closure *c =
      closed(sec_fn_create(cx, "mismatch", mismatch, NULL, 1, 1), "v(i:n, d[n], >d[n])");
  gradient_fn f = (gradient_fn)sec_closure_function(c);
  double      x[4] = {1, 2, 3, 4}, y[4] = {0};
  f(4, x, y);
  for (int i = 0; i < 4; i++) assert_true(isnan(y[i]));
  assert_int_equal(sec_error_status(cx), SEC_SHAPE);
  sec_error_clear(cx);
  f(3, x, y);
  assert_true(y[2] == 5 && sec_error_status(cx) == SEC_OK);
  sec_closure_destroy(c);
  c = closed(sec_fn_create(cx, "kepler", kepler, NULL, 1, 1), "f(d)");
  assert_true(isnan(((float (*)(double))sec_closure_function(c))(1)));
  assert_string_equal(sec_error_text(cx),
                      "closure: result 0 is f64[], but the signature says f32[]");
  sec_error_clear(cx);
  sec_closure_destroy(c);
}

static void test_signatures(void **state) {
  static const struct {
    const char *signature, *text;
  } rows[] = {
      {"q(d)", "closure: signature \"q(d)\": position 0: one of d f i l b s v is expected here"},
      {"d d", "closure: signature \"d d\": position 2: \"(\" is expected here"},
      {"d(d", "closure: signature \"d(d\": position 3: \",\" or \")\" is expected here"},
      {"d(d[n])", "closure: signature \"d(d[n])\": no parameter gives the size n"},
      {"d(d[])", "closure: signature \"d(d[])\": position 4: a size is expected here"},
      {"d(d:n)", "closure: signature \"d(d:n)\": position 4: a size is an i or an l"},
      {"d(d) x", "closure: signature \"d(d) x\": position 5: the signature ends before this"},
      {"v(d)", "closure: \"v(d)\" has 1 arguments and 0 results, the function has 1 and 1"}};
  (void)state;
  sec_fn *f = sec_fn_create(cx, "kepler", kepler, NULL, 1, 1);
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    assert_null(sec_closure_create(f, rows[k].signature));
    assert_string_equal(sec_error_text(cx), rows[k].text);
    sec_error_clear(cx);
  }
  assert_null(sec_closure_create(NULL, "d(d)"));
  sec_fn_destroy(f);
}

/* ---- threads ---- */
static void *call_often(void *function) {
  double (*f)(double) = *(double (**)(double))function;
  for (int i = 0; i < 2000; i++)
    if (!check_near(f(i), i - 0.3 * sin(i) - 1, 1e-13)) return function;
  return NULL;
}

static void test_threads(void **state) {
  (void)state;
  sec_closure *c = closed(sec_fn_create(cx, "kepler", kepler, NULL, 1, 1), "d(d)");
  double (*f)(double) = (double (*)(double))sec_closure_function(c);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, call_often, &f), 0);
  for (int i = 0; i < 4; i++) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    assert_null(wrong);
  }
  sec_closure_destroy(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_newton),     cmocka_unit_test(test_descend),
      cmocka_unit_test(test_gsl_style),  cmocka_unit_test(test_system),
      cmocka_unit_test(test_types),      cmocka_unit_test(test_failure),
      cmocka_unit_test(test_signatures), cmocka_unit_test(test_threads)};
  cx = sec_context_create();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
