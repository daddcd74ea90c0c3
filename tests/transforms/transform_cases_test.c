/* Single cases: collectives by axis name, custom rules that are not the true derivative, axes of vmap, what
 * simplify removes and what it must keep, residuals, captures, and the text of errors. */
#include "check.h"
#include <secant/callable.h>

static const shape scalar = S0, vector = S(3);

static void expect(const sec_array *a, const double *want, int64_t n) {
  assert_int_equal(a->aval->size, n);
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(at(a, i) - want[i]) < 1e-9))
      fail_msg("element %lld: %.12g, expected %.12g", (long long)i, at(a, i), want[i]);
}
#define EXPECT(a, ...)                                                                             \
  expect(a, (const double[]){__VA_ARGS__},                                                         \
         (int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

static sec_array *values(int rank, const int64_t *dims, const double *x) {
  return sec_array_create_f64(cx, rank, dims, x);
}
#define VALUES(...)                                                                                \
  values(1, &(int64_t){(int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double))},         \
         (const double[]){__VA_ARGS__})

/* j on one array; releases both. */
static sec_array *run1(sec_jaxpr *j, sec_array *x) {
  sec_array *out;
  assert_int_equal(j->n_out, 1);
  eval(j, &x, &out);
  sec_array_release(x), sec_jaxpr_release(j);
  return out;
}

static sec_jaxpr *vmapped(sec_jaxpr *j, int64_t size, const char *name) {
  sec_jaxpr *v;
  OK(sec_jaxpr_vmap(j, NULL, NULL, size, name, &v));
  sec_jaxpr_release(j);
  return v;
}

static sec_jaxpr *grad_of(sec_jaxpr *j) {
  sec_jaxpr *g;
  OK(sec_jaxpr_grad(j, (int[]){0}, 1, false, &g));
  sec_jaxpr_release(j);
  return g;
}

/* f of a scalar lane, traced with the axis i of `size` bound, mapped over x. */
static sec_array *map_named(function f, bool grad, sec_array *x) {
  int64_t size = x->aval->dims[0];
  OK(sec_axis_push("i", size));
  sec_jaxpr *j = trace_named("lane", f, &scalar, 1, 1);
  if (grad) j = grad_of(j);
  sec_axis_pop();
  return run1(vmapped(j, size, "i"), x);
}

/* ---- collectives ---- */
static void total(const sec_value *in, sec_value *out) { out[0] = sec_psum(in[0], "i"); }
static void total_square(const sec_value *in, sec_value *out) {
  out[0] = sec_psum(sec_mul(in[0], in[0]), "i");
}
static void largest(const sec_value *in, sec_value *out) { out[0] = sec_pmax(in[0], "i"); }
static void smallest(const sec_value *in, sec_value *out) {
  out[0] = sec_pmin(sec_mul(in[0], in[0]), "i");
}
static void ones(const sec_value *in, sec_value *out) {
  (void)in, out[0] = sec_psum(sec_scalar(1), "i");
}
static void number(const sec_value *in, sec_value *out) { (void)in, out[0] = sec_axis_index("i"); }
static void everyone(const sec_value *in, sec_value *out) {
  out[0] = sec_all_gather(in[0], "i", 0, false);
}
static void shift(const sec_value *in, sec_value *out) {
  out[0] = sec_ppermute(in[0], "i", (const int64_t[]){0, 1, 1, 2, 2, 0}, 3);
}
static void shift_out(const sec_value *in, sec_value *out) {
  out[0] = sec_ppermute(in[0], "i", (const int64_t[]){0, 1}, 1);
}
static void weighted_gather(const sec_value *in, sec_value *out) {
  sec_value all = sec_all_gather(sec_mul(in[0], in[0]), "i", 0, false);
  out[0] = sec_sum(
      sec_mul(all, sec_add(sec_convert(sec_iota(SEC_I32, 1, (int64_t[]){3}, 0), SEC_F64, false),
                           sec_scalar(1))));
}
static void weighted_shift(const sec_value *in, sec_value *out) {
  shift(in, out);
  out[0] =
      sec_mul(out[0], sec_convert(sec_add(sec_axis_index("i"), sec_scalar_int(1)), SEC_F64, false));
}

#define MAPPED(f, is_grad, x, ...)                                                                 \
  do {                                                                                             \
    sec_array *got_ = map_named(f, is_grad, x);                                                    \
    EXPECT(got_, __VA_ARGS__);                                                                     \
    sec_array_release(got_);                                                                       \
  } while (0)

static void test_collectives(void **state) {
  (void)state;
  MAPPED(total, false, VALUES(1, 2, 3), 6, 6, 6);
  MAPPED(largest, false, VALUES(1, 5, 3), 5, 5, 5);
  MAPPED(smallest, false, VALUES(2, 1, 3), 1, 1, 1);
  MAPPED(ones, false, VALUES(1, 2, 3), 3, 3, 3);
  MAPPED(number, false, VALUES(1, 2, 3), 0, 1, 2);
  MAPPED(everyone, false, VALUES(1, 2), 1, 2, 1, 2);
  MAPPED(shift, false, VALUES(1, 2, 3), 3, 1, 2);
  MAPPED(shift_out, false, VALUES(1, 2, 3), 0, 1, 0);
}

static void test_gradients_of_collectives(void **state) {
  (void)state;
  MAPPED(total_square, true, VALUES(1, 2), 4, 8); /* psum transposes to psum */
  MAPPED(largest, true, VALUES(1, 5, 5), 0, 1.5, 1.5);
  MAPPED(weighted_gather, true, VALUES(1, 2, 3), 6, 24, 54);
  MAPPED(weighted_shift, true, VALUES(1, 1, 1), 2, 3, 1);
}

static void outer_and_inner(const sec_value *in, sec_value *out) {
  out[0] = sec_sub(sec_psum(in[0], "i"), sec_psum(in[0], "j"));
}
static void tiled(const sec_value *in, sec_value *out) {
  out[0] = sec_all_gather(in[0], "i", 0, true);
}

static void test_nested_names(void **state) {
  (void)state;
  OK(sec_axis_push("i", 2));
  OK(sec_axis_push("j", 3));
  sec_jaxpr *j = vmapped(trace_named("lane", outer_and_inner, &scalar, 1, 1), 3, "j");
  sec_axis_pop(), sec_axis_pop();
  sec_array *y =
      run1(vmapped(j, 2, "i"), values(2, (int64_t[]){2, 3}, (double[]){0, 1, 2, 3, 4, 5}));
  EXPECT(y, 0, 2, 4, -9, -7, -5); /* sums down the columns less the sum of the row */
  sec_array_release(y);
  OK(sec_axis_push("i", 2));
  j = trace_named("lane", tiled, &(shape)S(1), 1, 1);
  sec_axis_pop();
  y = run1(vmapped(j, 2, "i"), values(2, (int64_t[]){2, 1}, (double[]){1, 2}));
  EXPECT(y, 1, 2, 1, 2);
  sec_array_release(y);
}

/* the operand does not differ from lane to lane, but the body of the scan names the axis */
static void sum_step(const sec_value *in, sec_value *out) {
  out[0] = sec_add(in[0], sec_psum(in[1], "i"));
}
static void scan_psum(const sec_value *in, sec_value *out) {
  sec_value all[] = {sec_literal_of(SEC_F64, false, 0, 0), sec_literal_of(SEC_F64, false, 2, 0)},
            results[2];
  sec_value like[] = {in[0], in[0]};
  sec_value xs = sec_full(all[1], 1, (int64_t[]){2});
  sec_jaxpr *j = body(sum_step, like, 2, 1);
  sec_scan(j, 0, 1, 2, false, (sec_value[]){all[0], xs}, 2, results);
  sec_jaxpr_release(j);
  out[0] = results[0];
}
static void test_collective_in_scan(void **state) {
  (void)state;
  MAPPED(scan_psum, false, VALUES(1, 2, 3), 12, 12, 12);
}

/* ---- custom rules ---- */
static void square(const sec_value *in, sec_value *out) { out[0] = sec_mul(in[0], in[0]); }
static sec_status hundred(void *user, const sec_value *in, int n_in, sec_value *out, int n_out) {
  (void)user, (void)n_in, (void)n_out;
  out[0] = sec_mul(in[0], in[0]);
  out[1] = sec_mul(in[1], sec_scalar(100));
  return SEC_OK;
}
static void cj(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(square, in, 1, 1);
  sec_callable *rule = sec_callable_create("hundred", hundred, NULL, NULL);
  sec_custom_jvp_call(j, rule, in, 1, out);
  sec_callable_release(rule), sec_jaxpr_release(j);
}
static sec_status seven_fwd(void *user, const sec_value *in, int n_in, sec_value *out, int n_out) {
  (void)user, (void)n_in, (void)n_out;
  out[0] = sec_mul(in[0], in[1]);
  out[1] = in[0];
  return SEC_OK;
}
static sec_status seven_bwd(void *user, const sec_value *in, int n_in, sec_value *out, int n_out) {
  (void)user, (void)n_in, (void)n_out;
  out[0] = sec_mul(in[1], sec_scalar(7));
  out[1] = sec_mul(in[1], in[0]);
  return SEC_OK;
}
static void product(const sec_value *in, sec_value *out) { out[0] = sec_mul(in[0], in[1]); }
static void cv(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(product, in, 2, 1);
  sec_callable *fwd = sec_callable_create("fwd", seven_fwd, NULL, NULL),
               *bwd = sec_callable_create("bwd", seven_bwd, NULL, NULL);
  sec_custom_vjp_call(j, fwd, bwd, 1, in, 2, out);
  sec_callable_release(fwd), sec_callable_release(bwd), sec_jaxpr_release(j);
}

static void test_custom_jvp(void **state) {
  (void)state;
  sec_array *y =
      run1(grad_of(trace_named("cj", cj, &scalar, 1, 1)), values(SEC_SCALAR_SHAPE, (double[]){3}));
  EXPECT(y, 100);
  sec_array_release(y);
  y = run1(grad_of(grad_of(trace_named("cj", cj, &scalar, 1, 1))),
           values(SEC_SCALAR_SHAPE, (double[]){3}));
  EXPECT(y, 0);
  sec_array_release(y);
  y = run1(vmapped(grad_of(trace_named("cj", cj, &scalar, 1, 1)), 2, NULL), VALUES(1, 2));
  EXPECT(y, 100, 100);
  sec_array_release(y);
  y = run1(grad_of(trace_named("cj", cj, &scalar, 1, 1)), values(SEC_SCALAR_SHAPE, (double[]){3}));
  sec_array_release(y);
}

/* the cotangent of an operand that all lanes share is the sum over them */
static void test_custom_vjp_of_vmap(void **state) {
  (void)state;
  const shape two[] = {S0, S0};
  sec_jaxpr *j = trace_named("cv", cv, two, 2, 1), *v, *vjp;
  sec_array *in[3] = {VALUES(1, 2, 3), values(SEC_SCALAR_SHAPE, (double[]){10}),
                      VALUES(1, 10, 100)},
            *out[3];
  OK(sec_jaxpr_vmap(j, (int[]){0, SEC_NOT_MAPPED}, NULL, 3, NULL, &v));
  OK(sec_jaxpr_vjp(v, NULL, &vjp));
  eval(vjp, in, out);
  EXPECT(out[0], 10, 20, 30);
  EXPECT(out[1], 7, 70, 700);
  EXPECT(out[2], 321);
  release_all(in, 3), release_all(out, 3);
  sec_jaxpr_release(j), sec_jaxpr_release(v), sec_jaxpr_release(vjp);
}

/* ---- cond over lanes: what is not finite in a branch that a lane does not take stays there ---- */
static void root(const sec_value *in, sec_value *out) { out[0] = sec_sqrt(in[0]); }
static void zero(const sec_value *in, sec_value *out) {
  out[0] = sec_zeros_of(sec_value_aval(in[0]));
}
static void root_or_zero(const sec_value *in, sec_value *out) {
  sec_jaxpr *branches[] = {body(zero, in, 1, 1), body(root, in, 1, 1)};
  sec_cond(sec_gt(in[0], sec_scalar(0)), branches, 2, in, 1, out);
  sec_jaxpr_release(branches[0]), sec_jaxpr_release(branches[1]);
}
static void test_cond_keeps_nan_in_its_branch(void **state) {
  (void)state;
  sec_jaxpr *v = vmapped(trace_named("f", root_or_zero, &scalar, 1, 1), 2, NULL), *vjp;
  sec_array *in[] = {VALUES(0, 4), VALUES(1, 1)}, *out[2];
  OK(sec_jaxpr_vjp(v, NULL, &vjp));
  eval(vjp, in, out);
  EXPECT(out[1], 0, 0.25);
  release_all(in, 2), release_all(out, 2);
  sec_jaxpr_release(v), sec_jaxpr_release(vjp);
}

/* ---- vmap: axes ---- */
static void affine(const sec_value *in, sec_value *out) {
  out[0] = sec_add(in[0], in[1]);
  out[1] = sec_mul(in[1], sec_scalar(2));
}
static void test_axes(void **state) {
  (void)state;
  const shape two[] = {S(2), S(2)};
  sec_jaxpr *j = trace_named("affine", affine, two, 2, 2), *v;
  sec_array *in[] = {values(2, (int64_t[]){2, 3}, (double[]){1, 2, 3, 4, 5, 6}), VALUES(10, 20)},
            *out[2];
  OK(sec_jaxpr_vmap(j, (int[]){-1, SEC_NOT_MAPPED}, (int[]){1, SEC_NOT_MAPPED}, 3, NULL, &v));
  eval(v, in, out);
  EXPECT(out[0], 11, 12, 13, 24, 25, 26);
  EXPECT(out[1], 20, 40);
  release_all(out, 2), sec_jaxpr_release(v);
  OK(sec_jaxpr_vmap(j, (int[]){1, SEC_NOT_MAPPED}, (int[]){0, -1}, 3, NULL, &v));
  eval(v, in, out);
  EXPECT(out[0], 11, 24, 12, 25, 13, 26);
  EXPECT(out[1], 20, 20, 20, 40, 40, 40);
  release_all(in, 2), release_all(out, 2);
  sec_jaxpr_release(v), sec_jaxpr_release(j);
}

/* ---- simplify ---- */
static int n_equations(function f, int n_in, bool inline_calls) {
  const shape three[] = {S(3), S(3), S(3)};
  sec_jaxpr *j = trace_named("f", f, three, n_in, 1), *s;
  OK(sec_jaxpr_simplify(j, inline_calls, &s));
  OK(sec_jaxpr_check(s));
  int n = sec_jaxpr_n_eqns(s);
  sec_jaxpr_release(j), sec_jaxpr_release(s);
  return n;
}
static sec_value full(double x) {
  return sec_full(sec_literal_of(SEC_F64, false, x, 0), 1, (int64_t[]){3});
}
static void times_one(const sec_value *in, sec_value *out) {
  out[0] = sec_div(sec_mul(full(1), sec_mul(in[0], full(1))), full(1));
}
static void times_zero(const sec_value *in, sec_value *out) { out[0] = sec_mul(in[0], full(0)); }
static void plus_zero(const sec_value *in, sec_value *out) { out[0] = sec_add(in[0], full(0)); }
static void minus_zero(const sec_value *in, sec_value *out) {
  out[0] = sec_sub(sec_neg(sec_neg(in[0])), full(0));
}
static void divided_by_two(const sec_value *in, sec_value *out) {
  out[0] = sec_div(in[0], full(2));
}
static void twice(const sec_value *in, sec_value *out) {
  out[0] = sec_add(sec_mul(in[0], in[1]), sec_mul(in[1], in[0]));
}
static void differences(const sec_value *in, sec_value *out) {
  out[0] = sec_mul(sec_sub(in[0], in[1]), sec_sub(in[1], in[0]));
}
static void dead(const sec_value *in, sec_value *out) { sec_exp(in[0]), out[0] = sec_sin(in[0]); }
static void called(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(twice, in, 2, 1);
  sec_jit_call("twice", j, in, out);
  sec_jaxpr_release(j);
}
static void shapes(const sec_value *in, sec_value *out) {
  sec_value m = sec_reshape(sec_reshape(in[0], 2, (int64_t[]){3, 1}), 2, (int64_t[]){1, 3});
  m = sec_transpose(sec_transpose(m, (int64_t[]){1, 0}), (int64_t[]){1, 0});
  out[0] = sec_squeeze(m, (int64_t[]){0}, 1);
}
static void there_and_back(const sec_value *in, sec_value *out) {
  out[0] =
      sec_convert(sec_convert(sec_convert(in[0], SEC_F32, false), SEC_F64, false), SEC_F32, false);
}
static void literals(const sec_value *in, sec_value *out) {
  sec_value a = sec_literal_of(SEC_F64, false, 3, 0), b = sec_literal_of(SEC_F64, false, 4, 0);
  out[0] = sec_mul(in[0], sec_add(sec_mul(a, b), b));
}

static void test_simplify(void **state) {
  (void)state;
  assert_int_equal(n_equations(times_one, 1, false), 0);
  assert_int_equal(n_equations(minus_zero, 1, false), 0);
  assert_int_equal(n_equations(times_zero, 1, false), 1); /* NaN * 0 is NaN */
  assert_int_equal(n_equations(plus_zero, 1, false), 1);  /* -0 + 0 is +0 */
  assert_int_equal(n_equations(divided_by_two, 1, false), 1);
  assert_int_equal(n_equations(twice, 2, false), 2);       /* one mul */
  assert_int_equal(n_equations(differences, 2, false), 3); /* a - b is not b - a */
  assert_int_equal(n_equations(dead, 1, false), 1);
  assert_int_equal(n_equations(called, 2, false), 1);
  assert_int_equal(n_equations(called, 2, true), 2);
  assert_int_equal(n_equations(shapes, 1, false), 0);
  assert_int_equal(n_equations(there_and_back, 1, false), 1);
  assert_int_equal(n_equations(literals, 1, false), 1);
}

/* a scan whose second carry and ys nobody reads */
static void wasteful_step(const sec_value *in, sec_value *out) { /* w, c, d, x */
  out[0] = sec_add(in[1], in[3]);
  out[1] = sec_mul(in[2], sec_exp(in[0]));
  out[2] = sec_sin(in[2]);
}
static void wasteful(const sec_value *in, sec_value *out) {
  sec_value results[3], like[] = {in[0], in[0], in[0], in[0]};
  sec_value xs = sec_full(sec_literal_of(SEC_F64, false, 1, 0), 2, (int64_t[]){2, 3});
  sec_jaxpr *j = body(wasteful_step, like, 4, 3);
  sec_scan(j, 1, 2, 2, false, (sec_value[]){in[0], in[1], in[1], xs}, 4, results);
  sec_jaxpr_release(j);
  out[0] = results[0];
}
static void test_scan_shrinks(void **state) {
  (void)state;
  const shape two[] = {S(3), S(3)};
  sec_jaxpr *j = trace_named("wasteful", wasteful, two, 2, 1), *s;
  OK(sec_jaxpr_simplify(j, true, &s));
  const sec_eqn *scan = &s->eqns[s->n_eqns - 1];
  assert_string_equal(scan->prim->name, "scan");
  assert_int_equal(scan->n_in, 2);
  assert_int_equal(scan->n_out, 1);
  assert_int_equal(sec_params_jaxpr(scan->params, "jaxpr")->n_eqns, 1);
  sec_jaxpr_release(j), sec_jaxpr_release(s);
}

/* ---- residuals ---- */
static void count_residuals(function f, const shape *in, int n_in, int expected) {
  sec_jaxpr *j = trace_named("f", f, in, n_in, 1), *primal, *linear;
  int n;
  OK(sec_jaxpr_linearize(j, NULL, &primal, &linear, &n));
  assert_int_equal(n, expected);
  assert_int_equal(linear->n_consts, 0);
  assert_int_equal(primal->n_out, 1 + n);
  sec_jaxpr_release(j), sec_jaxpr_release(primal), sec_jaxpr_release(linear);
}
static void sines(const sec_value *in, sec_value *out) {
  out[0] = sec_sin(sec_sin(sec_sin(in[0])));
}
static void remat_sines(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(sines, in, 1, 1);
  sec_remat(j, in, out);
  sec_jaxpr_release(j);
}
static void affine_step(const sec_value *in, sec_value *out) {
  out[0] = sec_mul(in[1], sec_sin(sec_exp(in[0])));
}
static void
scan_constant_factor(const sec_value *in,
                     sec_value *out) { /* linear in the carry, the factor is a constant */
  sec_jaxpr *j = body(affine_step, in, 2, 1);
  sec_scan(j, 1, 1, 5, false, (sec_value[]){sec_stop_gradient(in[0]), in[1]}, 2, out);
  sec_jaxpr_release(j);
}
static void test_residuals(void **state) {
  (void)state;
  const shape two[] = {S(3), S(3)};
  count_residuals(sines, &vector, 1, 3);
  count_residuals(remat_sines, &vector, 1, 1); /* the input alone */
  count_residuals(scan_constant_factor, two, 2, 1);
  sec_jaxpr *j = trace_named("f", scan_constant_factor, two, 2, 1), *primal, *linear;
  int n;
  OK(sec_jaxpr_linearize(j, NULL, &primal, &linear, &n));
  assert_string_equal(sec_aval_text(linear->avals[0]), "f64[3]"); /* not five times */
  sec_jaxpr_release(j), sec_jaxpr_release(primal), sec_jaxpr_release(linear);
}

/* ---- captures ---- */
static sec_array *captured;
static void captured_step(const sec_value *in, sec_value *out) {
  out[0] = sec_mul(in[0], sec_constant(captured));
}
static void scan_captured(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(captured_step, in, 1, 1), *branches[2];
  assert_int_equal(j->n_consts, 1);
  sec_scan(j, 0, 1, 2, false, in, 1, out);
  branches[0] = branches[1] = j;
  sec_cond(sec_scalar_bool(true), branches, 2, out, 1, out);
  sec_jit_call("captured", j, out, out);
  out[0] = sec_sum(out[0]);
  sec_jaxpr_release(j);
}
static void test_captures(void **state) {
  (void)state;
  captured = VALUES(1, 2, 3);
  sec_jaxpr *j = trace_named("f", scan_captured, &vector, 1, 1), *closed;
  assert_int_equal(j->n_consts, 1);
  OK(sec_jaxpr_check(j));
  sec_array *g = run1(grad_of(j), VALUES(1, 1, 1));
  EXPECT(g, 1, 16, 81);
  sec_array_release(g);
  j = trace_named("f", scan_captured, &vector, 1, 1);
  OK(sec_jaxpr_close(j, &closed));
  assert_int_equal(closed->n_consts, 0);
  assert_int_equal(closed->n_in, 2);
  sec_array *in[] = {captured, VALUES(1, 1, 1)}, *out;
  OK(sec_jaxpr_eval(closed, in, &out));
  EXPECT(out, 98);
  sec_array_release(out), sec_array_release(in[1]), sec_array_release(captured);
  sec_jaxpr_release(j), sec_jaxpr_release(closed);
}

/* ---- errors ---- */
#define FAILS(status, expression, part)                                                            \
  do {                                                                                             \
    sec_error_clear(cx);                                                                           \
    assert_int_equal(expression, status);                                                          \
    if (!strstr(sec_error_message(cx), part)) fail_msg("the error is: %s", sec_error_message(cx)); \
    sec_error_clear(cx);                                                                           \
  } while (0)

static void doubling(const sec_value *in, sec_value *out) { out[0] = sec_add(in[0], in[0]); }
static void small(const sec_value *in, sec_value *out) { out[0] = sec_lt(in[0], sec_scalar(10)); }
static void loop(const sec_value *in, sec_value *out) {
  sec_jaxpr *c = body(small, in, 1, 1), *b = body(doubling, in, 1, 1);
  sec_while(c, 0, b, 0, in, 1, out);
  sec_jaxpr_release(c), sec_jaxpr_release(b);
}
static void no_rule(const sec_value *in, sec_value *out) { out[0] = sec_nextafter(in[0], in[0]); }
static void integers(const sec_value *in, sec_value *out) {
  out[0] = sec_convert(in[0], SEC_I32, false);
}

static void test_errors_of_derivatives(void **state) {
  (void)state;
  const shape two[] = {S0, S0};
  sec_jaxpr *v = trace_named("f", doubling, &vector, 1, 1),
            *w = trace_named("f", loop, &scalar, 1, 1), *out;
  sec_jaxpr *c = trace_named("f", cv, two, 2, 1), *n = trace_named("f", no_rule, &scalar, 1, 1);
  sec_jaxpr *i = trace_named("f", integers, &scalar, 1, 1);
  FAILS(SEC_NOT_SCALAR, sec_jaxpr_grad(v, (int[]){0}, 1, false, &out), "grad: output 0 is f64[3]");
  FAILS(SEC_NOT_SCALAR, sec_jaxpr_grad(i, (int[]){0}, 1, false, &out), "grad: output 0 is i32[]");
  FAILS(SEC_ARGUMENT, sec_jaxpr_grad(w, (int[]){1}, 1, false, &out), "there is no argument 1");
  FAILS(SEC_REVERSE, sec_jaxpr_grad(w, (int[]){0}, 1, false, &out),
        "while loops with dynamic trip counts");
  FAILS(SEC_NO_RULE, sec_jaxpr_jvp(n, NULL, NULL, &out), "nextafter has no jvp rule");
  FAILS(SEC_FORWARD, sec_jaxpr_jvp(c, NULL, NULL, &out), "forward-mode");
  sec_jaxpr_release(v), sec_jaxpr_release(w), sec_jaxpr_release(c), sec_jaxpr_release(n), sec_jaxpr_release(i);
}

static void test_errors_of_vmap(void **state) {
  (void)state;
  sec_jaxpr *j = trace_named("f", doubling, &vector, 1, 1), *out;
  FAILS(SEC_AXIS, sec_jaxpr_vmap(j, (int[]){2}, NULL, 2, NULL, &out),
        "does not fit argument 0, which is f64[3]");
  FAILS(SEC_AXIS, sec_jaxpr_vmap(j, NULL, (int[]){5}, 2, NULL, &out), "does not fit output 0");
  FAILS(SEC_ARGUMENT, sec_jaxpr_vmap(j, NULL, (int[]){SEC_NOT_MAPPED}, 2, NULL, &out),
        "differs from lane to lane");
  FAILS(SEC_ARGUMENT, sec_jaxpr_vmap(j, NULL, NULL, -1, NULL, &out), "size of the mapped axis");
  sec_jaxpr_release(j);
}

/* Runs f in a trace that is thrown away. */
static sec_status status_of(function f) {
  sec_value x[2], y[2];
  sec_trace *t = sec_trace_begin(cx, "f");
  x[0] = sec_trace_input(t, SEC_F64, 0, NULL);
  x[1] = sec_trace_input(t, SEC_F64, 1, (int64_t[]){3});
  f(x, y);
  assert_false(sec_value_ok(y[0]));
  sec_trace_abandon(t);
  return sec_error_status(cx);
}
static void to_vector(const sec_value *in, sec_value *out) { out[0] = sec_add(in[0], full(1)); }
static void bad_carry(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(to_vector, in, 1, 1);
  sec_scan(j, 0, 1, 3, false, in, 1, out);
  sec_jaxpr_release(j);
}
static void bad_while(const sec_value *in, sec_value *out) {
  sec_jaxpr *c = body(small, in, 1, 1), *b = body(to_vector, in, 1, 1);
  sec_while(c, 0, b, 0, in, 1, out);
  sec_jaxpr_release(c), sec_jaxpr_release(b);
}
static void bad_branches(const sec_value *in, sec_value *out) {
  sec_jaxpr *branches[] = {body(doubling, in, 1, 1), body(to_vector, in, 1, 1)};
  sec_cond(sec_scalar_bool(true), branches, 2, in, 1, out);
  sec_jaxpr_release(branches[0]), sec_jaxpr_release(branches[1]);
}
static void bad_predicate(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(doubling, in, 1, 1);
  sec_cond(in[0], &j, 1, in, 1, out);
  sec_jaxpr_release(j);
}
static void bad_length(const sec_value *in, sec_value *out) {
  sec_value like[] = {in[0], in[0]};
  sec_jaxpr *j = body(doubling, like, 2, 1);
  sec_scan(j, 0, 1, 4, false, in, 2, out);
  sec_jaxpr_release(j);
}
static void too_few(const sec_value *in, sec_value *out) {
  sec_value like[] = {in[0], in[0]};
  sec_jaxpr *j = body(doubling, like, 2, 1);
  sec_scan(j, 3, 3, 4, false, in, 1, out);
  sec_jaxpr_release(j);
}
static void poisoned(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(doubling, in, 1, 1);
  sec_value bad = sec_psum(in[0], "nowhere");
  sec_scan(j, 0, 1, 4, false, &bad, 1, out);
  sec_jaxpr_release(j);
}
static void unbound(const sec_value *in, sec_value *out) { out[0] = sec_psum(in[0], "nowhere"); }

static void test_errors_of_control_flow(void **state) {
  (void)state;
  FAILS(SEC_TYPE, status_of(bad_carry),
        "scan: carry 0 has type f64[], but the body returns f64[3]");
  FAILS(SEC_TYPE, status_of(bad_while),
        "while: carry 0 has type f64[], but the body returns f64[3]");
  FAILS(SEC_TYPE, status_of(bad_branches),
        "cond: result 0 is f64[] in branch 0, but f64[3] in branch 1");
  FAILS(SEC_TYPE, status_of(bad_predicate), "cond: the predicate is f64[]");
  FAILS(SEC_SHAPE, status_of(bad_length), "xs 0 has type f64[3], but the scan has length 4");
  FAILS(SEC_ARGUMENT, status_of(too_few), "scan: 1 operands, 3 of them constants and 3 carry");
  FAILS(SEC_AXIS_NAME, status_of(poisoned), "psum: the axis name nowhere is not bound");
  FAILS(SEC_AXIS_NAME, status_of(unbound), "psum: the axis name nowhere is not bound");
}

/* a weak literal as the initial carry takes the body's type */
static void weak_step(const sec_value *in, sec_value *out) { out[0] = sec_add(in[0], in[1]); }
static void weak_carry(const sec_value *in, sec_value *out) {
  sec_value like[] = {in[0], in[0]};
  sec_value xs = sec_full(in[0], 1, (int64_t[]){3});
  sec_jaxpr *j = body(weak_step, like, 2, 1);
  sec_scan(j, 0, 1, 3, false, (sec_value[]){sec_scalar_int(0), xs}, 2, out);
  sec_jaxpr_release(j);
}
static void test_weak_carry(void **state) {
  (void)state;
  sec_array *y = run1(grad_of(trace_named("f", weak_carry, &scalar, 1, 1)),
                      values(SEC_SCALAR_SHAPE, (double[]){2}));
  EXPECT(y, 3);
  sec_array_release(y);
}

/* the build finds a block only when its name stands on the line of SEC_PRIMITIVE( */
static void test_primitives_are_registered(void **state) {
  static const char *const names[] = {"cond",       "while",           "scan",            "jit",
                                      "checkpoint", "custom_jvp_call", "custom_vjp_call", "custom_lin",
                                      "psum",       "pmax",            "pmin",            "all_gather",
                                      "ppermute",   "axis_index"};
  (void)state;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!sec_primitive_find(names[i])) fail_msg("%s is not registered", names[i]);
}

/* text out, in and out again: bodies, branches, names and permutations (weak types are not in the text) */
static void check_text(sec_jaxpr *j) {
  char *text = sec_jaxpr_print(j);
  sec_jaxpr *back;
  OK(sec_jaxpr_parse(cx, text, &back));
  char *again = sec_jaxpr_print(back);
  assert_string_equal(text, again);
  free(text), free(again);
  sec_jaxpr_release(j), sec_jaxpr_release(back);
}
static void test_text(void **state) {
  const shape two[] = {S(3), S(3)};
  (void)state;
  check_text(trace_named("f", wasteful, two, 2, 1));
  check_text(trace_named("f", loop, &scalar, 1, 1));
  check_text(trace_named("f", root_or_zero, &scalar, 1, 1));
  check_text(trace_named("f", remat_sines, &vector, 1, 1));
  check_text(trace_named("f", called, two, 2, 1));
  OK(sec_axis_push("i", 3));
  check_text(trace_named("f", weighted_shift, &scalar, 1, 1));
  check_text(trace_named("f", weighted_gather, &scalar, 1, 1));
  sec_axis_pop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_collectives),
      cmocka_unit_test(test_gradients_of_collectives),
      cmocka_unit_test(test_nested_names),
      cmocka_unit_test(test_collective_in_scan),
      cmocka_unit_test(test_custom_jvp),
      cmocka_unit_test(test_custom_vjp_of_vmap),
      cmocka_unit_test(test_cond_keeps_nan_in_its_branch),
      cmocka_unit_test(test_axes),
      cmocka_unit_test(test_simplify),
      cmocka_unit_test(test_scan_shrinks),
      cmocka_unit_test(test_residuals),
      cmocka_unit_test(test_captures),
      cmocka_unit_test(test_errors_of_derivatives),
      cmocka_unit_test(test_errors_of_vmap),
      cmocka_unit_test(test_errors_of_control_flow),
      cmocka_unit_test(test_weak_carry),
      cmocka_unit_test(test_primitives_are_registered),
      cmocka_unit_test(test_text),
  };
  cx = sec_context_create();
  sec_context_enable_x64(cx, true);
  int failed = cmocka_run_group_tests_name("transform cases", tests, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
