/* Every function of functions.h through jvp, vjp, grad of grad, vmap and their compositions, against differences,
 * the transpose identity and a loop over lanes, evaluated by the reference evaluator before and after simplify. */
#include "check.h"
#include "functions.h"

static void random_inputs(const sec_jaxpr *j, sec_array **in) {
  for (uint32_t i = 0; i < j->n_in; i++)
    in[i] = random_like(sec_jaxpr_in_aval(j, (int)i), 0.4, 1.4);
}

/* x + h dx in every input. */
static void shifted(sec_array *const *x, sec_array *const *dx, int n, double h, sec_array **out) {
  for (int i = 0; i < n; i++) {
    out[i] = sec_array_create_aval(cx, x[i]->aval);
    for (int64_t k = 0; k < x[i]->aval->size; k++)
      ((double *)out[i]->data)[k] = ((double *)x[i]->data)[k] + h * ((double *)dx[i]->data)[k];
  }
}

/* Outputs of jvp(j) at (x, dx) against central differences of j. */
static void check_jvp_against_differences(const sec_jaxpr *j, double tolerance) {
  int n = (int)j->n_in, m = (int)j->n_out;
  sec_array *in[2 * MAX_IN], *moved[MAX_IN], *up[MAX_OUT + MAX_IN], *down[MAX_OUT + MAX_IN],
      *out[2 * (MAX_OUT + MAX_IN)];
  sec_jaxpr *jvp;
  double h = 1e-5;
  OK(sec_jaxpr_jvp(j, NULL, NULL, &jvp));
  random_inputs(j, in);
  for (int i = 0; i < n; i++) in[n + i] = random_like(in[i]->aval, -1, 1);
  eval(jvp, in, out);
  shifted(in, in + n, n, h, moved);
  OK(sec_jaxpr_eval(j, moved, up));
  release_all(moved, n);
  shifted(in, in + n, n, -h, moved);
  OK(sec_jaxpr_eval(j, moved, down));
  release_all(moved, n);
  for (int i = 0; i < m; i++) {
    for (int64_t k = 0; k < up[i]->aval->size; k++)
      ((double *)up[i]->data)[k] = (at(up[i], k) - at(down[i], k)) / (2 * h);
    assert_close("jvp against differences", out[m + i], up[i], tolerance);
  }
  release_all(up, m), release_all(down, m), release_all(out, 2 * m), release_all(in, 2 * n);
  sec_jaxpr_release(jvp);
}

static double inner(sec_array *const *a, sec_array *const *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++)
    for (int64_t k = 0; k < a[i]->aval->size; k++) sum += at(a[i], k) * at(b[i], k);
  return sum;
}

/* <ct, J dx> = <J^T ct, dx> */
static void check_transpose_identity(const sec_jaxpr *j) {
  int n = (int)j->n_in, m = (int)j->n_out;
  sec_array *in[2 * MAX_IN + MAX_OUT], *out[2 * MAX_OUT], *back[MAX_OUT + MAX_IN], *ct[MAX_OUT],
      *for_vjp[MAX_IN + MAX_OUT];
  sec_jaxpr *jvp, *vjp;
  OK(sec_jaxpr_jvp(j, NULL, NULL, &jvp));
  OK(sec_jaxpr_vjp(j, NULL, &vjp));
  random_inputs(j, in);
  for (int i = 0; i < n; i++) in[n + i] = random_like(in[i]->aval, -1, 1), for_vjp[i] = in[i];
  for (int i = 0; i < m; i++) for_vjp[n + i] = ct[i] = random_like(sec_jaxpr_out_aval(j, i), -1, 1);
  eval(jvp, in, out);
  eval(vjp, for_vjp, back);
  for (int i = 0; i < m; i++) assert_close("vjp value", back[i], out[i], 1e-12);
  double forward = inner(ct, out + m, m), backward = inner(back + m, in + n, n);
  if (fabs(forward - backward) > 1e-9 * (1 + fabs(forward)))
    fail_msg("transpose identity: %.12g and %.12g", forward, backward);
  release_all(in, 2 * n), release_all(out, 2 * m), release_all(back, m + n), release_all(ct, m);
  sec_jaxpr_release(jvp), sec_jaxpr_release(vjp);
}

/* sum of sines of all outputs: a scalar */
static sec_jaxpr *to_scalar(const sec_jaxpr *j) {
  sec_trace *t = sec_trace_begin(cx, "scalar");
  sec_value x[MAX_IN], y[MAX_OUT], sum = SEC_VALUE_POISON;
  sec_jaxpr *out;
  for (uint32_t i = 0; i < j->n_in; i++) x[i] = sec_trace_input_aval(t, j->avals[i]);
  OK(sec_jaxpr_apply(j, x, y));
  for (uint32_t i = 0; i < j->n_out; i++) {
    sec_value s = sec_sum(sec_sin(y[i]));
    sum = i ? sec_add(sum, s) : s;
  }
  OK(sec_trace_end(t, &sum, 1, &out));
  return out;
}

static sec_jaxpr *gradient(const sec_jaxpr *scalar) {
  sec_jaxpr *g;
  int wrt[MAX_IN];
  for (uint32_t i = 0; i < scalar->n_in; i++) wrt[i] = (int)i;
  OK(sec_jaxpr_grad(scalar, wrt, (int)scalar->n_in, false, &g));
  return g;
}

/* vmap over the inputs with mapped[i] against a loop over lanes. */
static void check_vmap(const sec_jaxpr *j, const bool *mapped, double tolerance) {
  enum { LANES = 3 };
  int n = (int)j->n_in, m = (int)j->n_out, axes[2 * MAX_IN];
  sec_array *in[2 * MAX_IN], *out[2 * MAX_OUT], *lane[2 * MAX_IN], *want[2 * MAX_OUT];
  sec_jaxpr *v;
  for (int i = 0; i < n; i++) axes[i] = mapped[i] ? 0 : SEC_NOT_MAPPED;
  OK(sec_jaxpr_vmap(j, axes, NULL, LANES, "lane", &v));
  random_inputs(v, in);
  eval(v, in, out);
  for (int64_t l = 0; l < LANES; l++) {
    for (int i = 0; i < n; i++)
      lane[i] = mapped[i] ? lane_of(in[i], l, j->avals[i]) : sec_array_retain(in[i]);
    OK(sec_jaxpr_eval(j, lane, want));
    for (int i = 0; i < m; i++) {
      sec_array *got = lane_of(out[i], l, want[i]->aval);
      assert_close("vmap against a loop", got, want[i], tolerance);
      sec_array_release(got);
    }
    release_all(lane, n), release_all(want, m);
  }
  release_all(in, n), release_all(out, m);
  sec_jaxpr_release(v);
}

static void check_all_vmaps(const sec_jaxpr *j) {
  bool all[2 * MAX_IN], first[2 * MAX_IN] = {true}, last[2 * MAX_IN] = {false};
  memset(all, 1, sizeof all);
  last[j->n_in - 1] = true;
  check_vmap(j, all, 1e-12);
  check_vmap(j, first, 1e-12);
  check_vmap(j, last, 1e-12);
}

/* The sum over lanes of a vmapped scalar, differentiated: the same as the vmapped gradient. */
static sec_jaxpr *sum_over_lanes(const sec_jaxpr *scalar) {
  int axes[MAX_IN] = {0};
  sec_jaxpr *v, *s;
  OK(sec_jaxpr_vmap(scalar, axes, NULL, 3, NULL, &v));
  s = to_scalar(v);
  sec_jaxpr_release(v);
  return s;
}

static void check_row(const row *r) {
  sec_jaxpr *j = trace_row(r), *scalar = to_scalar(j);
  check_all_vmaps(j);
  if (!r->reverse_only) {
    sec_jaxpr *jvp;
    if (!r->own_rule) check_jvp_against_differences(j, 1e-7);
    OK(sec_jaxpr_jvp(j, NULL, NULL, &jvp));
    check_all_vmaps(jvp);
    if (!r->own_rule) check_jvp_against_differences(jvp, 1e-6);
    sec_jaxpr_release(jvp);
  }
  if (!r->forward_only) {
    sec_jaxpr *g = gradient(scalar), *lanes = sum_over_lanes(scalar), *of_lanes = gradient(lanes),
              *twice, *g2;
    if (!r->reverse_only) check_transpose_identity(j);
    check_all_vmaps(g);
    if (!r->reverse_only && !r->own_rule) check_jvp_against_differences(g, 1e-6);
    if (!r->reverse_only) check_transpose_identity(lanes);
    twice = to_scalar(g);
    g2 = gradient(twice);
    if (!r->reverse_only) check_transpose_identity(g);
    check_all_vmaps(g2);
    sec_jaxpr_release(g), sec_jaxpr_release(lanes), sec_jaxpr_release(of_lanes),
        sec_jaxpr_release(twice), sec_jaxpr_release(g2);
  }
  sec_jaxpr_release(j), sec_jaxpr_release(scalar);
}

static void test_row(void **state) {
  seed = 1;
  sec_error_clear(cx);
  check_row(*state);
}

int main(void) {
  enum { N = sizeof rows / sizeof *rows };
  struct CMUnitTest tests[N];
  cx = sec_context_create();
  sec_context_enable_x64(cx, true);
  for (size_t i = 0; i < N; i++)
    tests[i] = (struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)&rows[i]};
  int failed = cmocka_run_group_tests_name("transforms", tests, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
