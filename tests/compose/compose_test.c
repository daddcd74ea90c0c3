/* All 3-deep nestings of {jit, grad, jvp, vmap, pmap} over a set of functions.  Each nesting that
 * type-checks is compared twice: compiled with the evaluator, and its outermost transform with what
 * that means for the function inside (the same values, differences, a loop).  By induction every
 * nesting is held against plain evaluation. */
#include "ops/check.h"

enum { LANES = 2, DEPTH = 3 };

static sec_context *cx;

/* ---- functions of one or two f64 arguments, the first result a scalar ---- */
static sec_value number(double x) { return sec_scalar(x); }

static void smooth(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_add(sec_mul(sec_sin(in[0]), sec_exp(in[0])), sec_integer_pow(in[0], 3));
}

static void two(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_add(sec_mul(in[0], in[1]), sec_sin(sec_mul(in[0], sec_mul(in[1], in[1]))));
}

static void softmax_like(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_value top = sec_stop_gradient(sec_reduce_max(in[0], NULL, -1)),
            e = sec_exp(sec_sub(in[0], top));
  sec_value p = sec_div(e, sec_sum(e));
  out[0] = sec_add(sec_sum(sec_mul(p, sec_mul(in[0], in[0]))), sec_add(sec_log(sec_sum(e)), top));
}

static void scan_body(const sec_value *in, sec_value *out, void *user) {
  const sec_value *x = user;
  out[0] = sec_add(sec_mul(sec_sin(in[0]), x[0]), in[1]);
  out[1] = sec_mul(out[0], in[1]);
}
static void scanned(const sec_value *in, sec_value *out, void *user) {
  sec_value results[2], start[2] = {sec_mul(in[0], number(0.5)), sec_constant(user)};
  sec_scan_fn(scan_body, (void *)in, 1, 1, 1, -1, false, start, results);
  out[0] = sec_add(results[0], sec_sum(results[1]));
}

static void fori_body(const sec_value *in, sec_value *out, void *user) {
  const sec_value *x = user;
  out[0] = sec_mul(in[1], sec_add(x[0], sec_convert(in[0], SEC_F64, false)));
}
static void counted(const sec_value *in, sec_value *out, void *user) {
  sec_value one = sec_literal_of(SEC_F64, false, 1, 0);
  (void)user;
  sec_fori_fn(sec_scalar_int(0), sec_scalar_int(3), fori_body, (void *)in, 1, &one, out);
}

static void positive(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_mul(sec_sin(in[0]), in[0]);
}
static void negative(const sec_value *in, sec_value *out, void *user) {
  const sec_value *x = user;
  out[0] = sec_mul(sec_mul(in[0], in[0]), sec_exp(x[0]));
}
static void branched(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  sec_cond_fn(sec_gt(in[0], number(0)), (const sec_fn_body[]){negative, positive}, 2, (void *)in, 1,
              1, in, out);
}

static void while_cond(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_lt(in[0], sec_scalar_int(4));
}
static void while_body(const sec_value *in, sec_value *out, void *user) {
  const sec_value *x = user;
  out[0] = sec_add(in[0], sec_scalar_int(1));
  out[1] = sec_add(sec_mul(sec_mul(in[1], in[1]), number(0.5)), x[0]);
}
static void looped(const sec_value *in, sec_value *out, void *user) {
  sec_value carry[2] = {sec_scalar_int(0), in[0]}, results[2];
  (void)user;
  sec_while_fn(while_cond, while_body, (void *)in, 2, carry, results);
  out[0] = results[1];
}

/* x * d/dy (x y^2 + sin(x) y) at y = x: a derivative inside, which must not take x for its own
 * variable. */
static void inner_of_y(const sec_value *in, sec_value *out, void *user) {
  const sec_value *x = user;
  out[0] = sec_add(sec_mul(x[0], sec_mul(in[0], in[0])), sec_mul(sec_sin(x[0]), in[0]));
}
static void closed_over(const sec_value *in, sec_value *out, void *user) {
  sec_value slope;
  sec_fn   *f = sec_fn_create(cx, "inner", inner_of_y, (void *)in, 1, 1), *df = sec_grad(f, 0);
  (void)user;
  sec_apply(df, in, &slope);
  out[0] = sec_mul(in[0], slope);
  sec_fn_destroy(df);
  sec_fn_destroy(f);
}

static void plain_cube(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_mul(in[0], sec_mul(in[0], in[0]));
}
static void cube_jvp(const sec_value *in, sec_value *out, void *user) {
  plain_cube(in, out, user);
  out[1] = sec_mul(sec_mul(number(3), sec_mul(in[0], in[0])), in[1]);
}
static void cube_fwd(const sec_value *in, sec_value *out, void *user) {
  plain_cube(in, out, user);
  out[1] = in[0];
}
static void cube_bwd(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_mul(sec_mul(number(3), sec_mul(in[0], in[0])), in[1]);
}

/* sin(g(x)) * x for a g made from the cube */
static void around(const sec_value *in, sec_value *out, void *user) {
  sec_value inside;
  sec_apply(user, in, &inside);
  out[0] = sec_mul(sec_sin(inside), in[0]);
}

typedef enum skips { SKIP_NONE, SKIP_REVERSE, SKIP_FORWARD } skips;
typedef struct function {
  const char *name;
  sec_fn_body body;
  int         n_in, rank; /* rank 1: f64[3] */
  double      low, high;
  skips       skips;
} function;

static const function functions[] = {{"smooth", smooth, 1, 0, 0.2, 0.9, SKIP_NONE},
                                     {"two arguments", two, 2, 0, 0.2, 0.9, SKIP_NONE},
                                     {"softmax", softmax_like, 1, 1, -1, 1, SKIP_NONE},
                                     {"scan", scanned, 1, 0, 0.2, 0.9, SKIP_NONE},
                                     {"fori", counted, 1, 0, 0.2, 0.9, SKIP_NONE},
                                     {"cond, first branch", branched, 1, 0, -0.9, -0.2, SKIP_NONE},
                                     {"cond, second branch", branched, 1, 0, 0.2, 0.9, SKIP_NONE},
                                     {"while", looped, 1, 0, 0.2, 0.6, SKIP_REVERSE},
                                     {"closure", closed_over, 1, 0, 0.2, 0.9, SKIP_NONE},
                                     {"custom_jvp", around, 1, 0, 0.2, 0.9, SKIP_NONE},
                                     {"custom_vjp", around, 1, 0, 0.2, 0.9, SKIP_FORWARD},
                                     {"checkpoint", around, 1, 0, 0.2, 0.9, SKIP_NONE},
                                     {"jit inside", around, 1, 0, 0.2, 0.9, SKIP_NONE}};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

static sec_fn *make(const function *f) {
  sec_fn *cube = sec_fn_create(cx, "cube", plain_cube, NULL, 1, 1);
  void   *user = NULL;
  if (strcmp(f->name, "scan") == 0) {
    static sec_array *xs;
    if (!xs) xs = sec_array_create_f64(cx, SEC_SHAPE(3), (double[]){0.3, -0.2, 0.7});
    user = xs;
  }
  if (strcmp(f->name, "custom_jvp") == 0) user = sec_custom_jvp(cube, cube_jvp, NULL);
  if (strcmp(f->name, "custom_vjp") == 0) user = sec_custom_vjp(cube, cube_fwd, cube_bwd, 1, NULL);
  if (strcmp(f->name, "checkpoint") == 0) user = sec_checkpoint(cube);
  if (strcmp(f->name, "jit inside") == 0) user = sec_jit(cube);
  return sec_fn_create(cx, f->name, f->body, user, f->n_in, 1);
}

/* ---- nestings ---- */
typedef enum kind { JIT, GRAD, JVP, VMAP, PMAP, N_KINDS } kind;
static const char *const kind_names[] = {"jit", "grad", "jvp", "vmap", "pmap"};

/* A function with the types of its arguments. */
typedef struct nest {
  sec_fn         *fn;
  const sec_aval *avals[CHECK_MAX];
  int             n;
} nest;

static const sec_aval *with_lanes(const sec_aval *a) {
  int64_t dims[SEC_MAX_RANK] = {LANES};
  for (int d = 0; d < a->rank; d++) dims[d + 1] = a->dims[d];
  return sec_aval_get(cx, a->dtype, false, a->rank + 1, dims);
}

static nest wrap(const nest *inner, kind k) {
  nest outer = *inner;
  int  axes[CHECK_MAX] = {0};
  switch (k) {
  case JIT:
    outer.fn = sec_jit(inner->fn);
    break;
  case GRAD:
    outer.fn = sec_grad(inner->fn, 0);
    break;
  case JVP:
    outer.fn = sec_jvp(inner->fn);
    for (int i = 0; i < inner->n; i++) outer.avals[inner->n + i] = inner->avals[i];
    outer.n = 2 * inner->n;
    break;
  default:
    outer.fn = k == VMAP ? sec_vmap(inner->fn, axes) : sec_pmap(inner->fn, axes, "devices");
    for (int i = 0; i < inner->n; i++) outer.avals[i] = with_lanes(inner->avals[i]);
  }
  assert_non_null(outer.fn);
  return outer;
}

static sec_status jaxpr_of(const nest *n, sec_jaxpr **out) {
  return sec_fn_jaxpr(n->fn, n->avals, out);
}

/* ---- what the outermost transform means ---- */
static bool check_differences(const sec_jaxpr *inner, sec_array **in, sec_array **directions,
                              int result, const sec_array *given) {
  const double h = 1e-5;
  sec_array   *moved[CHECK_MAX], *up[CHECK_MAX], *down[CHECK_MAX];
  bool         same = true;
  int          n = sec_jaxpr_n_in(inner);
  for (int side = 0; side < 2; side++) {
    for (int i = 0; i < n; i++) moved[i] = check_step(cx, in[i], directions[i], side ? -h : h);
    check_eval(inner, moved, side ? down : up, "difference");
    check_release(moved, n);
  }
  for (int64_t e = 0; e < up[result]->aval->size; e++) {
    double slope = (sec_get_f(up[result], e) - sec_get_f(down[result], e)) / (2 * h);
    if (check_near(slope, sec_get_f(given, e), 1e-5)) continue;
    print_error("difference %.12g, derivative %.12g\n", slope, sec_get_f(given, e));
    same = false;
  }
  check_release(up, sec_jaxpr_n_out(inner));
  check_release(down, sec_jaxpr_n_out(inner));
  return same;
}

/* The gradient along a random direction. */
static bool means_grad(const sec_jaxpr *inner, sec_array **in, sec_array **out) {
  sec_array *directions[CHECK_MAX] = {check_random(cx, in[0]->aval, -1, 1)};
  sec_array *slope =
      sec_array_create_f64(cx, 0, NULL, (double[]){check_dot(out[0], directions[0])});
  bool same = check_differences(inner, in, directions, 0, slope);
  sec_array_release(slope);
  sec_array_release(directions[0]);
  return same;
}

static bool means_jvp(const sec_jaxpr *inner, sec_array **in, sec_array **out) {
  int  n = sec_jaxpr_n_in(inner), n_out = sec_jaxpr_n_out(inner);
  bool same = true;
  for (int k = 0; k < n_out; k++)
    same = check_differences(inner, in, in + n, k, out[n_out + k]) && same;
  return same;
}

static bool means_values(const sec_jaxpr *inner, sec_array **in, sec_array **out) {
  sec_array *plain[CHECK_MAX];
  bool       same = true;
  check_eval(inner, in, plain, "without jit");
  for (int k = 0; k < sec_jaxpr_n_out(inner); k++)
    same = check_same("jit and plain", out[k], plain[k], 1e-12) && same;
  check_release(plain, sec_jaxpr_n_out(inner));
  return same;
}

static bool means_loop(const sec_jaxpr *inner, sec_array **in, sec_array **out) {
  sec_array *lane_in[CHECK_MAX], *lane_out[CHECK_MAX];
  int        n = sec_jaxpr_n_in(inner), n_out = sec_jaxpr_n_out(inner);
  bool       same = true;
  for (int lane = 0; lane < LANES; lane++) {
    for (int i = 0; i < n; i++) lane_in[i] = check_lane(cx, in[i], 0, lane);
    check_eval(inner, lane_in, lane_out, "one lane");
    for (int k = 0; k < n_out; k++) {
      sec_array *mine = check_lane(cx, out[k], 0, lane);
      same = check_same("map and loop", mine, lane_out[k], 1e-11) && same;
      sec_array_release(mine);
    }
    check_release(lane_in, n);
    check_release(lane_out, n_out);
  }
  return same;
}

/* ---- one nesting ---- */
/* A nesting that does not type-check: grad of something that is no scalar, reverse through while,
 * forward through custom_vjp. */
static bool may_skip(const function *f, sec_status status) {
  bool may = status == SEC_NOT_SCALAR || (status == SEC_REVERSE && f->skips == SKIP_REVERSE) ||
             (status == SEC_FORWARD && f->skips == SKIP_FORWARD);
  if (may) sec_error_clear(cx);
  return may;
}

static bool means(kind k, const nest *inner, sec_array **in, sec_array **out) {
  static bool (*const meanings[])(const sec_jaxpr *, sec_array **, sec_array **) = {
      means_values, means_grad, means_jvp, means_loop, means_loop};
  sec_jaxpr *inside;
  check_ok(jaxpr_of(inner, &inside), "inner", NULL);
  bool same = meanings[k](inside, in, out);
  sec_jaxpr_release(inside);
  return same;
}

/* `outer` is `inner` under k, and j its jaxpr.  Counts the nesting when it can run. */
static bool check_nest(const function *f, const nest *inner, const nest *outer, kind k,
                       const sec_jaxpr *j, int *n_checked) {
  sec_array *in[CHECK_MAX], *out[CHECK_MAX], *compiled[CHECK_MAX];
  bool       same = true;
  check_ok(sec_jaxpr_check(j), "check", j);
  for (int i = 0; i < outer->n; i++) in[i] = check_random(cx, outer->avals[i], f->low, f->high);
  sec_status status = sec_jaxpr_eval(j, in, out);
  if (!may_skip(f, status)) {
    check_ok(status, "evaluator", j);
    same = means(k, inner, in, out);
    check_ok(sec_call(outer->fn, in, compiled), "compiled", j);
    for (int i = 0; i < sec_jaxpr_n_out(j); i++)
      same = check_same("compiled and evaluated", compiled[i], out[i], 1e-11) && same;
    check_release(out, sec_jaxpr_n_out(j));
    check_release(compiled, sec_jaxpr_n_out(j));
    ++*n_checked;
  }
  check_release(in, outer->n);
  return same;
}

static void run_nesting(const function *f, const kind *kinds, int *n_checked) {
  const sec_aval *base = sec_aval_get(cx, SEC_F64, false, f->rank, (int64_t[]){3});
  nest            levels[DEPTH + 1] = {{make(f), {base, base}, f->n_in}};
  sec_jaxpr      *j = NULL;
  char            name[96];
  for (int d = 0; d < DEPTH; d++) levels[d + 1] = wrap(&levels[d], kinds[d]);
  snprintf(name, sizeof name, "%s of %s of %s of %s", kind_names[kinds[2]], kind_names[kinds[1]],
           kind_names[kinds[0]], f->name);
  sec_status status = jaxpr_of(&levels[DEPTH], &j);
  if (may_skip(f, status)) return;
  check_ok(status, name, NULL);
  bool same = check_nest(f, &levels[DEPTH - 1], &levels[DEPTH], kinds[DEPTH - 1], j, n_checked);
  if (!same) check_print_jaxpr(name, j);
  sec_jaxpr_release(j);
  assert_true(same);
}

static void test_function(void **state) {
  const function *f = *state;
  int             n_checked = 0;
  check_reseed(f->name);
  for (int code = 0; code < N_KINDS * N_KINDS * N_KINDS; code++) {
    kind kinds[DEPTH] = {code % N_KINDS, code / N_KINDS % N_KINDS, code / N_KINDS / N_KINDS};
    run_nesting(f, kinds, &n_checked);
  }
  assert_true(n_checked >= 27); /* at the least everything without grad and jvp */
}

/* ---- perturbation confusion: d/dx (x * d/dy (x + y)) = 1 ---- */
static void plus_outer(const sec_value *in, sec_value *out, void *user) {
  const sec_value *x = user;
  out[0] = sec_add(x[0], in[0]);
}
static void confusing(const sec_value *in, sec_value *out, void *user) {
  sec_value one = sec_literal_of(SEC_F64, false, 1, 0), pair[2] = {one, one}, result[2];
  sec_fn   *f = sec_fn_create(cx, "plus", plus_outer, (void *)in, 1, 1);
  sec_apply(*(bool *)user ? sec_jvp(f) : sec_grad(f, 0), pair, result);
  out[0] = sec_mul(in[0], result[*(bool *)user]);
}

static void test_confusion(void **state) {
  (void)state;
  for (int inner = 0; inner < 2; inner++) {
    bool       forward = inner;
    sec_fn    *f = sec_fn_create(cx, "confusing", confusing, &forward, 1, 1);
    sec_array *x = sec_array_create_f64(cx, 0, NULL, (double[]){1}), *out[2];
    check_ok(sec_call(sec_grad(f, 0), &x, out), "grad", NULL);
    assert_true(sec_get_f(out[0], 0) == 1);
    check_release(out, 1);
    check_ok(sec_call(sec_jvp(f), (sec_array *[]){x, x}, out), "jvp", NULL);
    assert_true(sec_get_f(out[1], 0) == 1);
    check_release(out, 2);
    sec_array_release(x);
  }
}

/* ---- collectives under grad: x_l * sum x has the gradient sum x + x_l, and other lanes add theirs
 * ---- */
static void with_sum(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_mul(in[0], sec_psum(in[0], "i"));
}
static void test_collective(void **state) {
  static const int zero[] = {0};
  (void)state;
  sec_fn    *f = sec_fn_create(cx, "with_sum", with_sum, NULL, 1, 1);
  sec_array *x = sec_array_create_f64(cx, SEC_SHAPE(3), (double[]){1, 2, 4}), *out;
  check_ok(sec_call(sec_vmap_named(sec_grad(f, 0), zero, zero, "i"), &x, &out), "vmap of grad",
           NULL);
  for (int i = 0; i < 3; i++)
    assert_true(sec_get_f(out, i) == 14); /* sum x, and from each lane its x */
  sec_array_release(out);
  check_ok(sec_call(sec_pmap(f, zero, "i"), &x, &out), "pmap", NULL);
  for (int i = 0; i < 3; i++) assert_true(sec_get_f(out, i) == 7 * sec_get_f(x, i));
  sec_array_release(out);
  sec_array_release(x);
}

int main(void) {
  struct CMUnitTest tests[N_FUNCTIONS + 2];
  for (int i = 0; i < N_FUNCTIONS; i++)
    tests[i] =
        (struct CMUnitTest){functions[i].name, test_function, NULL, NULL, (void *)&functions[i]};
  tests[N_FUNCTIONS] = (struct CMUnitTest)cmocka_unit_test(test_confusion);
  tests[N_FUNCTIONS + 1] = (struct CMUnitTest)cmocka_unit_test(test_collective);
  setenv("SECANT_NUM_CPU_DEVICES", "4", 1);
  cx = sec_context_create();
  int failed = _cmocka_run_group_tests("compose", tests, N_FUNCTIONS + 2, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
