/* Composite functions: compiled results against plain C loops, gradients against differences. */
#include "ops/check.h"

static sec_context *cx;

/* ---- running ---- */
enum { MAX_ARGS = 4 };
typedef struct program { /* reduced to one number by weights when it is differentiated */
  sec_fn_body body;
  bool        weigh;
} program;

static void run_program(const sec_value *in, sec_value *out, void *user) {
  const program *p = user;
  p->body(in, out, NULL);
  const sec_aval *a = sec_value_ok(out[0]) && p->weigh ? sec_value_aval(out[0]) : NULL;
  if (!a) return;
  sec_value w = sec_iota(a->dtype, 1, &a->size, 0);
  w = sec_add(sec_sin(sec_mul(w, sec_scalar(1.7))), sec_scalar(0.4));
  out[0] = sec_sum(sec_mul(out[0], sec_reshape(w, a->rank, a->dims)));
}

/* body on arrays: result 0. */
static sec_array *run(sec_fn_body body, sec_array *const *in, int n_in) {
  program    p = {body, false};
  sec_array *out = NULL;
  sec_fn    *f = sec_fn_create(cx, "f", run_program, &p, n_in, 1);
  check_ok(sec_call(f, in, &out), "call", NULL);
  sec_fn_destroy(f);
  return out;
}

static double weighed(sec_fn *f, sec_array *const *in) {
  sec_array *out = NULL;
  check_ok(sec_call(f, in, &out), "call", NULL);
  double y = check_get(out, 0);
  sec_array_release(out);
  return y;
}

/* The gradient of a weighed sum by every f64 argument, against central differences; the arguments
 * are released. */
static void check_gradient(const char *name, sec_fn_body body, sec_array **in, int n_in) {
  program p = {body, true};
  sec_fn *f = sec_fn_create(cx, name, run_program, &p, n_in, 1);
  for (int k = 0; k < n_in; k++) {
    sec_array *g = NULL;
    if (sec_array_dtype(in[k]) != SEC_F64) continue;
    sec_fn *df = sec_grad(f, k);
    check_ok(sec_call(df, in, &g), name, NULL);
    double *x = sec_array_data(in[k]);
    for (int64_t i = 0; i < sec_array_size(in[k]); i++) {
      double at = x[i], h = 1e-5;
      x[i] = at + h;
      double up = weighed(f, in);
      x[i] = at - h;
      double down = weighed(f, in);
      x[i] = at;
      if (!check_near(check_get(g, i), (up - down) / (2 * h), 1e-7)) {
        print_error("%s: d/dx%d[%d] is %.12g, differences say %.12g\n", name, k, (int)i,
                    check_get(g, i), (up - down) / (2 * h));
        fail();
      }
    }
    sec_array_release(g);
    sec_fn_destroy(df);
  }
  sec_fn_destroy(f);
  check_release(in, n_in);
}

static sec_array *random_f64(int rank, const int64_t *dims) {
  return check_random(cx, sec_aval_get(cx, SEC_F64, false, rank, dims), -2, 2);
}
static sec_array *numbers(int64_t n, const double *x) { return sec_array_create_f64(cx, 1, &n, x); }

/* Compares and releases. */
static void expect(const char *name, sec_array *y, int64_t n, const double *expected) {
  assert_int_equal(sec_array_size(y), n);
  for (int64_t i = 0; i < n; i++)
    if (!check_near(check_get(y, i), expected[i], 1e-12)) {
      print_error("%s[%d] is %.15g, expected %.15g\n", name, (int)i, check_get(y, i), expected[i]);
      fail();
    }
  sec_array_release(y);
}

#define BODY(name, expression)                                                                     \
  static void name(const sec_value *in, sec_value *out, void *user) {                              \
    (void)user, (void)in;                                                                          \
    out[0] = expression;                                                                           \
  }
static const int64_t axis_1[] = {1}, axes_02[] = {0, -1};

/* ---- reductions of a [2, 3, 4] array ---- */
enum { A = 2, B = 3, C = 4 };
BODY(mean_1, sec_mean(in[0], axis_1, 1, false))
BODY(mean_all, sec_mean(in[0], NULL, 0, true))
BODY(var_02, sec_var(in[0], axes_02, 2, false, 1))
BODY(std_1, sec_std(in[0], axis_1, 1, true, 0))
BODY(norm_1, sec_norm(in[0], 2, axis_1, 1, false))
BODY(norm_3, sec_norm(in[0], 3, axis_1, 1, false))
BODY(norm_max, sec_norm(in[0], INFINITY, NULL, 0, false))
BODY(logsumexp_1, sec_logsumexp(in[0], axis_1, 1, false))
BODY(logsumexp_0, sec_logsumexp(in[0], NULL, 0, false))
BODY(softmax_1, sec_softmax(in[0], -2))
BODY(log_softmax_1, sec_log_softmax(in[0], 1))
BODY(layer_norm_2, sec_layer_norm(in[0], -1, 1e-3))

static void test_reductions(void **state) {
  (void)state;
  int64_t    dims[] = {A, B, C};
  sec_array *x = random_f64(3, dims);
  const double(*v)[B][C] = sec_array_data(x);
  double mean[A * C], std[A * C], norm[A * C], norm3[A * C], lse[A * C], soft[A * B * C],
      log_soft[A * B * C], layer[A * B * C], var[B], all = 0, largest = 0;
  for (int a = 0; a < A; a++)
    for (int c = 0; c < C; c++) {
      double s = 0, q = 0, e = 0, p = 0, d = 0;
      for (int b = 0; b < B; b++) {
        s += v[a][b][c], q += v[a][b][c] * v[a][b][c], e += exp(v[a][b][c]);
        p += pow(fabs(v[a][b][c]), 3), all += v[a][b][c], largest = fmax(largest, fabs(v[a][b][c]));
      }
      for (int b = 0; b < B; b++) {
        d += pow(v[a][b][c] - s / B, 2);
        soft[(a * B + b) * C + c] = exp(v[a][b][c]) / e;
        log_soft[(a * B + b) * C + c] = v[a][b][c] - log(e);
      }
      mean[a * C + c] = s / B, std[a * C + c] = sqrt(d / B), norm[a * C + c] = sqrt(q);
      norm3[a * C + c] = cbrt(p), lse[a * C + c] = log(e);
    }
  all /= A * B * C;
  for (int b = 0; b < B; b++) {
    double m = 0, d = 0;
    for (int i = 0; i < A * C; i++) m += v[i / C][b][i % C] / (A * C);
    for (int i = 0; i < A * C; i++) d += pow(v[i / C][b][i % C] - m, 2);
    var[b] = d / (A * C - 1);
  }
  for (int r = 0; r < A * B; r++) {
    double m = 0, d = 0;
    for (int c = 0; c < C; c++) m += v[r / B][r % B][c] / C;
    for (int c = 0; c < C; c++) d += pow(v[r / B][r % B][c] - m, 2) / C;
    for (int c = 0; c < C; c++) layer[r * C + c] = (v[r / B][r % B][c] - m) / sqrt(d + 1e-3);
  }
  expect("mean", run(mean_1, &x, 1), A * C, mean);
  expect("mean of all", run(mean_all, &x, 1), 1, &all);
  expect("var", run(var_02, &x, 1), B, var);
  expect("std", run(std_1, &x, 1), A * C, std);
  expect("norm", run(norm_1, &x, 1), A * C, norm);
  expect("norm 3", run(norm_3, &x, 1), A * C, norm3);
  expect("norm max", run(norm_max, &x, 1), 1, &largest);
  expect("logsumexp", run(logsumexp_1, &x, 1), A * C, lse);
  expect("softmax", run(softmax_1, &x, 1), A * B * C, soft);
  expect("log_softmax", run(log_softmax_1, &x, 1), A * B * C, log_soft);
  expect("layer_norm", run(layer_norm_2, &x, 1), A * B * C, layer);
  const sec_fn_body bodies[] = {mean_1,        mean_all,     var_02,      std_1,
                                norm_1,        norm_3,       logsumexp_1, softmax_1,
                                log_softmax_1, layer_norm_2, norm_max};
  for (size_t k = 0; k < sizeof bodies / sizeof *bodies; k++) {
    sec_array *in = random_f64(3, dims);
    check_gradient("reduction", bodies[k], &in, 1);
  }
  sec_array_release(x);
}

static void test_integer_mean(void **state) {
  (void)state;
  const int32_t v[] = {1, 2, 4};
  sec_array    *x = sec_array_create_i32(cx, SEC_SHAPE(3), v), *y = run(mean_all, &x, 1);
  assert_int_equal(sec_array_dtype(y), SEC_F32);
  assert_true(fabs(check_get(y, 0) - 7.0 / 3) < 1e-6);
  check_release((sec_array *[]){x, y}, 2);
}

/* ---- elementwise ---- */
BODY(relu, sec_relu(in[0]))
BODY(gelu, sec_gelu(in[0], false))
BODY(gelu_tanh, sec_gelu(in[0], true))
BODY(silu, sec_silu(in[0]))
BODY(sigmoid, sec_sigmoid(in[0]))
BODY(softplus, sec_softplus(in[0]))
BODY(logaddexp, sec_logaddexp(in[0], in[1]))
BODY(hypot_of, sec_hypot(in[0], in[1]))
BODY(mod, sec_mod(in[0], in[1]))
BODY(floor_divide, sec_floor_divide(in[0], in[1]))
BODY(clip, sec_clip(in[0], sec_scalar(-1), in[1]))

static double relu_c(double x, double y) { return (void)y, x > 0 ? x : 0; }
static double gelu_c(double x, double y) { return (void)y, x / 2 * (1 + erf(x / sqrt(2))); }
static double gelu_tanh_c(double x, double y) {
  return (void)y, x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
static double silu_c(double x, double y) { return (void)y, x / (1 + exp(-x)); }
static double sigmoid_c(double x, double y) { return (void)y, 1 / (1 + exp(-x)); }
static double softplus_c(double x, double y) { return (void)y, log1p(exp(x)); }
static double logaddexp_c(double x, double y) { return log(exp(x) + exp(y)); }
static double mod_c(double x, double y) { return x - y * floor(x / y); }
static double floor_divide_c(double x, double y) { return floor(x / y); }
static double clip_c(double x, double y) { return fmin(fmax(x, -1), y); }

static void test_elementwise(void **state) {
  static const struct {
    const char *name;
    sec_fn_body body;
    double (*c)(double, double);
    int n;
  } rows[] = {{"relu", relu, relu_c, 1},
              {"gelu", gelu, gelu_c, 1},
              {"gelu_tanh", gelu_tanh, gelu_tanh_c, 1},
              {"silu", silu, silu_c, 1},
              {"sigmoid", sigmoid, sigmoid_c, 1},
              {"softplus", softplus, softplus_c, 1},
              {"logaddexp", logaddexp, logaddexp_c, 2},
              {"hypot", hypot_of, hypot, 2},
              {"mod", mod, mod_c, 2},
              {"floor_divide", floor_divide, floor_divide_c, 2},
              {"clip", clip, clip_c, 2}};
  (void)state;
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    int64_t       n = 21;
    sec_array    *in[2] = {random_f64(1, &n), random_f64(1, &n)};
    const double *x = sec_array_data(in[0]), *y = sec_array_data(in[1]);
    double        expected[21];
    for (int i = 0; i < n; i++) expected[i] = rows[k].c(x[i], y[i]);
    expect(rows[k].name, run(rows[k].body, in, rows[k].n), n, expected);
    check_gradient(rows[k].name, rows[k].body, in, rows[k].n);
    sec_array_release(in[1]);
  }
}

/* Values and derivatives where formulas break. */
static void test_edges(void **state) {
  (void)state;
  program    p = {relu, true}, q = {hypot_of, true};
  sec_fn    *drelu = sec_grad(sec_fn_create(cx, "relu", run_program, &p, 1, 1), 0);
  sec_fn    *dhypot = sec_grad(sec_fn_create(cx, "hypot", run_program, &q, 2, 1), 0);
  sec_array *zero = numbers(1, (double[]){0}), *g;
  check_ok(sec_call(drelu, &zero, &g), "relu'", NULL);
  expect("relu'(0)", g, 1, (double[]){0});
  check_ok(sec_call(dhypot, (sec_array *[]){zero, zero}, &g), "hypot'", NULL);
  expect("hypot'(0, 0)", g, 1, (double[]){0});
  sec_array *x = numbers(5, (double[]){NAN, -INFINITY, INFINITY, 1e300, -1e300});
  sec_array *y = numbers(5, (double[]){0, -INFINITY, 1, 1e300, 5});
  expect("relu", run(relu, &x, 1), 5, (double[]){NAN, 0, INFINITY, 1e300, 0});
  sec_array *two[] = {x, y};
  expect("logaddexp", run(logaddexp, two, 2), 5, (double[]){NAN, -INFINITY, INFINITY, 1e300, 5});
  expect("hypot", run(hypot_of, two, 2), 5,
         (double[]){NAN, INFINITY, INFINITY, hypot(1e300, 1e300), 1e300});
  sec_array *low = numbers(2, (double[]){-INFINITY, -INFINITY});
  expect("logsumexp", run(logsumexp_0, &low, 1), 1, (double[]){-INFINITY});
  const int32_t a[] = {7, -7, 7, -7, 6}, b[] = {3, 3, -3, -3, -3};
  sec_array    *ints[] = {sec_array_create_i32(cx, SEC_SHAPE(5), a),
                          sec_array_create_i32(cx, SEC_SHAPE(5), b)};
  expect("floor_divide", run(floor_divide, ints, 2), 5, (double[]){2, -3, -3, 2, -2});
  expect("mod", run(mod, ints, 2), 5, (double[]){1, 2, -2, -1, 0});
  check_release(ints, 2);
  check_release((sec_array *[]){x, y, zero, low}, 4);
}

/* ---- creation and arrangement ---- */
BODY(eye, sec_eye(SEC_F32, 2, 3, 1))
BODY(arange, sec_arange(SEC_F64, 1, 2.9, 0.5))
BODY(arange_down, sec_arange(SEC_I32, 5, 0, -2))
BODY(linspace, sec_linspace(SEC_F64, 1, 2, 5, true))
BODY(linspace_open, sec_linspace(SEC_F64, 1, 2, 4, false))
BODY(linspace_one, sec_linspace(SEC_F64, 3, 4, 1, true))

static void test_creation(void **state) {
  (void)state;
  expect("eye", run(eye, NULL, 0), 6, (double[]){0, 1, 0, 0, 0, 1});
  expect("arange", run(arange, NULL, 0), 4, (double[]){1, 1.5, 2, 2.5});
  expect("arange", run(arange_down, NULL, 0), 3, (double[]){5, 3, 1});
  expect("linspace", run(linspace, NULL, 0), 5, (double[]){1, 1.25, 1.5, 1.75, 2});
  expect("linspace", run(linspace_open, NULL, 0), 4, (double[]){1, 1.25, 1.5, 1.75});
  expect("linspace", run(linspace_one, NULL, 0), 1, (double[]){3});
}

BODY(one_hot, sec_one_hot(in[0], 3, SEC_F32))
BODY(take_rows, sec_take(in[0], in[1], 0))
BODY(take_columns, sec_take(in[0], in[1], -1))
BODY(stack, sec_stack(in, 2, -1))
BODY(tril, sec_tril(in[0], 0))
BODY(triu, sec_triu(in[0], 1))
BODY(diag, sec_diag(in[0], 0))
BODY(diag_up, sec_diag(in[0], 2))
BODY(diag_down, sec_diag(in[0], -1))
BODY(trace, sec_trace_of(in[0]))
static void split(const sec_value *in, sec_value *out, void *user) {
  sec_value parts[2];
  (void)user;
  sec_split_axis(in[0], 2, 1, parts);
  out[0] = sec_sub(parts[1], parts[0]);
}

static void test_arrangement(void **state) {
  (void)state;
  const double  v[] = {1, 2, 3, 4, 5, 6, 7, 8};
  const int32_t i[] = {1, 0, -1};
  sec_array    *x = sec_array_create_f64(cx, SEC_SHAPE(2, 4), v),
            *at = sec_array_create_i32(cx, SEC_SHAPE(3), i);
  sec_array *taken[] = {x, at}, *pair[] = {x, x};
  expect("one_hot", run(one_hot, &at, 1), 9, (double[]){0, 1, 0, 1, 0, 0, 0, 0, 0});
  expect("take", run(take_rows, taken, 2), 12, (double[]){5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8});
  expect("take", run(take_columns, taken, 2), 6, (double[]){2, 1, 4, 6, 5, 8});
  expect("stack", run(stack, pair, 2), 16,
         (double[]){1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8});
  expect("split", run(split, &x, 1), 4, (double[]){2, 2, 2, 2});
  expect("tril", run(tril, &x, 1), 8, (double[]){1, 0, 0, 0, 5, 6, 0, 0});
  expect("triu", run(triu, &x, 1), 8, (double[]){0, 2, 3, 4, 0, 0, 7, 8});
  expect("diag", run(diag, &x, 1), 2, (double[]){1, 6});
  expect("diag", run(diag_up, &x, 1), 2, (double[]){3, 8});
  expect("diag", run(diag_down, &x, 1), 1, (double[]){5});
  expect("trace", run(trace, &x, 1), 1, (double[]){7});
  sec_array *row = numbers(2, v);
  expect("diag", run(diag, &row, 1), 4, (double[]){1, 0, 0, 2});
  expect("diag", run(diag_down, &row, 1), 9, (double[]){0, 0, 0, 1, 0, 0, 0, 2, 0});
  sec_array_release(row);
  const sec_fn_body bodies[] = {split, tril, triu, diag, diag_up, diag_down, trace};
  for (size_t k = 0; k < sizeof bodies / sizeof *bodies; k++) {
    sec_array *in = random_f64(SEC_SHAPE(2, 4));
    check_gradient("arrangement", bodies[k], &in, 1);
  }
  check_gradient("take", take_columns, taken, 2);
}

/* ---- products ---- */
BODY(vdot, sec_vdot(in[0], in[1]))
BODY(inner, sec_inner(in[0], in[1]))
BODY(outer, sec_outer(in[0], in[1]))

static void test_products(void **state) {
  (void)state;
  const double v[] = {1, 2, 3, 4, 5, 6};
  sec_array   *x = sec_array_create_f64(cx, SEC_SHAPE(2, 3), v), *in[] = {x, x};
  sec_array   *p = numbers(2, v), *q = numbers(3, v), *pq[] = {p, q};
  expect("vdot", run(vdot, in, 2), 1, (double[]){91});
  expect("inner", run(inner, in, 2), 4, (double[]){14, 32, 32, 77});
  expect("outer", run(outer, pq, 2), 6, (double[]){1, 2, 3, 2, 4, 6});
  check_gradient("outer", outer, pq, 2);
  sec_array_release(x);
}

/* einsum against loops over all labels: every case names sizes by letter. */
typedef struct einsum_case {
  const char *subscripts, *operands[3], *result;
  int         n;
} einsum_case;

static const einsum_case *now;
static void               einsum(const sec_value *in, sec_value *out, void *user) {
                (void)user;
                out[0] = sec_einsum(now->subscripts, in, now->n);
}

static int64_t size_of(char label) { return label == '1' ? 1 : label - 'a' + 2; }

static void check_einsum(const einsum_case *c) {
  sec_array *in[3];
  int64_t    dims[8], total = 1, value[128] = {0};
  char       labels[16] = "";
  double     expected[4096] = {0};
  now = c;
  for (int k = 0; k < c->n; k++) {
    for (int d = 0; c->operands[k][d]; d++) {
      char label = c->operands[k][d];
      dims[d] = size_of(label);
      if (label != '1' && !strchr(labels, label)) strncat(labels, &label, 1);
    }
    in[k] = random_f64((int)strlen(c->operands[k]), dims);
  }
  for (const char *l = labels; *l; l++) total *= size_of(*l);
  int64_t n_result = 1;
  for (const char *l = c->result; *l; l++) n_result *= size_of(*l);
  for (int64_t i = 0; i < total; i++) {
    int64_t rest = i, at = 0;
    double  product = 1;
    for (const char *l = labels; *l; l++) value[(int)*l] = rest % size_of(*l), rest /= size_of(*l);
    for (int k = 0; k < c->n; k++) {
      int64_t place = 0;
      for (const char *l = c->operands[k]; *l; l++)
        place = place * size_of(*l) + (*l == '1' ? 0 : value[(int)*l]);
      product *= check_get(in[k], place);
    }
    for (const char *l = c->result; *l; l++) at = at * size_of(*l) + value[(int)*l];
    expected[at] += product;
  }
  expect(c->subscripts, run(einsum, in, c->n), n_result, expected);
  check_gradient(c->subscripts, einsum, in, c->n);
}

static void test_einsum(void **state) {
  static const einsum_case cases[] = {{"ab,bc->ac", {"ab", "bc"}, "ac", 2},
                                      {"ab,bc", {"ab", "bc"}, "ac", 2},
                                      {"ba", {"ba"}, "ab", 1},
                                      {"aa->a", {"aa"}, "a", 1},
                                      {"aa", {"aa"}, "", 1},
                                      {"ab->", {"ab"}, "", 1},
                                      {"dab,dbc->dac", {"dab", "dbc"}, "dac", 2},
                                      {"a,b->ba", {"a", "b"}, "ba", 2},
                                      {"ab,ab->ab", {"ab", "ab"}, "ab", 2},
                                      {"ab,bc,ca->", {"ab", "bc", "ca"}, "", 3},
                                      {"ab,b,bc->cb", {"ab", "b", "bc"}, "cb", 3},
                                      {"...a,a->...", {"dca", "a"}, "dc", 2},
                                      {"...ab,...bc->...ac", {"dab", "bc"}, "dac", 2},
                                      {" a b , b -> a ", {"ab", "b"}, "a", 2},
                                      {"ab,ab->a", {"ab", "a1"}, "a", 2},
                                      {"aab,b->ab", {"aab", "b"}, "ab", 2},
                                      {"abc->cab", {"abc"}, "cab", 1},
                                      {"...,...", {"ab", "ab"}, "ab", 2}};
  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) check_einsum(&cases[k]);
}

/* ---- errors ---- */
static void expect_error(sec_fn_body body, sec_array *const *in, int n, const char *text) {
  program    p = {body, false};
  sec_array *out = NULL;
  sec_fn    *f = sec_fn_create(cx, "f", run_program, &p, n, 1);
  assert_int_not_equal(sec_call(f, in, &out), SEC_OK);
  assert_string_equal(sec_error_text(cx), text);
  assert_null(out);
  sec_error_clear(cx);
  sec_fn_destroy(f);
}

BODY(mean_5, sec_mean(in[0], (int64_t[]){5}, 1, false))
BODY(arange_endless, sec_arange(SEC_F32, 0, 1, 0))
BODY(one_hot_float, sec_one_hot(in[0], 3, SEC_F32))
BODY(stack_unlike, sec_stack((sec_value[]){in[0], in[1]}, 2, 0))

static void test_errors(void **state) {
  static const struct {
    const char *subscripts, *text;
  } rows[] = {
      {"ab,bc->aq", "einsum: \"ab,bc->aq\": position 8: no operand has this label"},
      {"ab,bc->aa", "einsum: \"ab,bc->aa\": position 7: the result has this label twice"},
      {"ab;bc", "einsum: \"ab;bc\": position 2: this is no label"},
      {"ab", "einsum: \"ab\": position 2: labels of an operand are missing"},
      {"ab,bc,c", "einsum: \"ab,bc,c\": position 5: labels without an operand"},
      {"a,bc", "einsum: \"a,bc\": position 0: 1 labels for operand 0, f64[2,3]"},
      {"ab,ab", "einsum: \"ab,ab\": position 3: axis 0 of operand 1, f64[3,4], has size 3, not 2"}};
  (void)state;
  sec_array *in[] = {random_f64(SEC_SHAPE(2, 3)), random_f64(SEC_SHAPE(3, 4))};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    now = &(einsum_case){rows[k].subscripts, {0}, "", 2};
    expect_error(einsum, in, 2, rows[k].text);
  }
  expect_error(mean_5, in, 1, "mean: axis 5 is outside rank 2");
  expect_error(arange_endless, in, 0, "arange: from 0 to 1 in steps of 0");
  expect_error(one_hot_float, in, 1, "one_hot: the indices are f64[2,3], not integers");
  expect_error(stack_unlike, in, 2, "stack: array 0 is f64[2,3], array 1 is f64[3,4]");
  check_release(in, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reductions),  cmocka_unit_test(test_integer_mean),
      cmocka_unit_test(test_elementwise), cmocka_unit_test(test_edges),
      cmocka_unit_test(test_creation),    cmocka_unit_test(test_arrangement),
      cmocka_unit_test(test_products),    cmocka_unit_test(test_einsum),
      cmocka_unit_test(test_errors)};
  cx = sec_context_create();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
