/* Functions with control flow, calls and custom rules, for transforms_test.c. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <secant/callable.h>

/* Runs a scan over a body traced from `f` at (in..., slices); hands the body's count back. */
static void scan_of(function f, const sec_value *in, int n_consts, int n_carry, int n_in, int n_ys,
                    int64_t length, bool reverse, sec_value *out) {
  sec_value like[MAX_IN];
  sec_trace *t = sec_trace_begin(cx, "types");
  for (int i = 0; i < n_in; i++) {
    const sec_aval *a = sec_value_aval(in[i]);
    like[i] =
        i < n_consts + n_carry ? in[i] : sec_trace_input(t, a->dtype, a->rank - 1, a->dims + 1);
  }
  sec_jaxpr *j = body(f, like, n_in, n_carry + n_ys);
  sec_trace_abandon(t);
  sec_scan(j, n_consts, n_carry, length, reverse, in, n_in, out);
  sec_jaxpr_release(j);
}

/* ---- straight line ---- */
static void chain(const sec_value *in, sec_value *out) {
  sec_value h = sec_tanh(sec_add(sec_matmul(in[0], in[1]), in[2]));
  out[0] = sec_mul(h, sec_exp(sec_neg(h)));
  out[1] = sec_sum(sec_mul(sec_sin(h), in[2]));
}

/* ---- scan ---- */
static void rnn_step(const sec_value *in, sec_value *out) { /* w, h, x */
  out[0] = sec_tanh(sec_add(sec_matmul(in[0], in[1]), in[2]));
  out[1] = sec_mul(out[0], in[2]);
}
static void rnn(const sec_value *in, sec_value *out) {
  scan_of(rnn_step, in, 1, 1, 3, 1, 4, false, out);
}
static void rnn_reverse(const sec_value *in, sec_value *out) {
  scan_of(rnn_step, in, 1, 1, 3, 1, 4, true, out);
}

static sec_value outer;                                         /* a value of an enclosing trace */
static void closure_step(const sec_value *in, sec_value *out) { /* c, x */
  out[0] = sec_mul(in[0], sec_sin(sec_mul(in[1], sec_exp(outer))));
  out[1] = sec_add(out[0], outer);
}
static void scan_closure(const sec_value *in, sec_value *out) {
  outer = sec_mul(in[0], in[0]);
  scan_of(closure_step, in + 1, 0, 1, 2, 1, 3, false, out);
}

/* an integer counter, and a carry that starts as a literal */
static void counter_step(const sec_value *in, sec_value *out) { /* w, i, sum, x */
  sec_value i = sec_convert(in[1], SEC_F64, false);
  out[0] = sec_add(in[1], sec_literal_of(SEC_I32, false, 0, 1));
  out[1] = sec_add(in[2], sec_mul(sec_mul(in[3], sec_sin(in[0])), i));
}
static void scan_counter(const sec_value *in, sec_value *out) {
  sec_value all[] = {in[0], sec_literal_of(SEC_I32, false, 0, 0),
                     sec_literal_of(SEC_F64, false, 0, 0), in[1]},
            results[2];
  scan_of(counter_step, all, 1, 2, 4, 0, 5, false, results);
  out[0] = results[1];
}

static void inner_step(const sec_value *in, sec_value *out) { /* c, x */
  out[0] = sec_mul(in[0], sec_cos(sec_mul(in[1], in[0])));
}
static void outer_step(const sec_value *in, sec_value *out) { /* c, row */
  scan_of(inner_step, in, 0, 1, 2, 0, 3, false, out);
  out[1] = sec_sin(out[0]);
}
static void scan_nested(const sec_value *in, sec_value *out) {
  scan_of(outer_step, in, 0, 1, 2, 1, 2, false, out);
}

static void power_step(const sec_value *in, sec_value *out) {
  out[0] = sec_mul(in[1], in[0]);
} /* x, c */
static void power(const sec_value *in, sec_value *out) {
  sec_value all[] = {in[0], sec_literal_of(SEC_F64, false, 1, 0)};
  scan_of(power_step, all, 1, 1, 2, 0, 3, false, out);
}

/* ---- cond ---- */
static void branch_sin(const sec_value *in, sec_value *out) {
  out[0] = sec_sin(sec_mul(in[0], in[1]));
}
static void branch_exp(const sec_value *in, sec_value *out) {
  out[0] = sec_mul(sec_exp(in[0]), sec_cos(in[0]));
}
static void branch_plain(const sec_value *in, sec_value *out) { out[0] = in[1]; }
static void branch_closure(const sec_value *in, sec_value *out) {
  out[0] = sec_mul(sec_mul(in[0], outer), in[1]);
}
static void cond_of(sec_value which, const function *f, int n, const sec_value *in, int n_in,
                    sec_value *out) {
  sec_jaxpr *branches[4] = {0};
  for (int i = 0; i < n; i++) branches[i] = body(f[i], in, n_in, 1);
  sec_cond(which, branches, n, in, n_in, out);
  for (int i = 0; i < n; i++) sec_jaxpr_release(branches[i]);
}
static void cond_bool(const sec_value *in, sec_value *out) {
  outer = sec_exp(in[0]);
  cond_of(sec_gt(sec_sum(in[0]), sec_sum(in[1])), (function[]){branch_sin, branch_closure}, 2, in,
          2, out);
}
static void cond_switch(const sec_value *in, sec_value *out) {
  sec_value which = sec_convert(
      sec_floor(sec_mul(sec_sub(sec_sum(in[0]), sec_scalar(0.4)), sec_scalar(4))), SEC_I32, false);
  cond_of(which, (function[]){branch_sin, branch_exp, branch_plain}, 3, in, 2, out);
}
static void cond_step(const sec_value *in, sec_value *out) { /* c, x */
  cond_of(sec_gt(in[1], sec_scalar(0.9)), (function[]){branch_sin, branch_exp}, 2, in, 2, out);
}
static void cond_in_scan(const sec_value *in, sec_value *out) {
  scan_of(cond_step, in, 0, 1, 2, 0, 4, false, out);
}

/* a branch that is not finite where it is not taken */
static void branch_log(const sec_value *in, sec_value *out) {
  out[0] = sec_log(sec_sub(in[0], in[1]));
}
static void cond_guard(const sec_value *in, sec_value *out) {
  cond_of(sec_gt(in[0], in[1]), (function[]){branch_plain, branch_log}, 2, in, 2, out);
}

/* ---- while ---- */
static void below_ten(const sec_value *in, sec_value *out) {
  out[0] = sec_lt(in[0], sec_scalar(10));
}
static void grow(const sec_value *in, sec_value *out) { /* c, x */
  out[0] = sec_mul(in[0], sec_add(sec_scalar(1.5), sec_mul(in[1], sec_scalar(0.1))));
  out[1] = sec_sin(in[1]);
}
static void while_grow(const sec_value *in, sec_value *out) {
  sec_jaxpr *c = body(below_ten, in, 2, 1), *b = body(grow, in, 2, 2);
  sec_while(c, 0, b, 0, in, 2, out);
  sec_jaxpr_release(c), sec_jaxpr_release(b);
}
static void fewer_steps(const sec_value *in, sec_value *out) {
  out[0] = sec_lt(in[0], sec_scalar_int(3));
}
static void closed_step(const sec_value *in, sec_value *out) { /* i, c */
  out[0] = sec_add(in[0], sec_literal_of(SEC_I32, false, 0, 1));
  out[1] = sec_mul(in[1], outer);
}
static void while_closure(const sec_value *in, sec_value *out) {
  sec_value carry[] = {sec_literal_of(SEC_I32, false, 0, 0), in[1]}, results[2];
  outer = sec_sin(in[0]);
  sec_jaxpr *c = body(fewer_steps, carry, 2, 1), *b = body(closed_step, carry, 2, 2);
  sec_while(c, 0, b, 0, carry, 2, results);
  sec_jaxpr_release(c), sec_jaxpr_release(b);
  out[0] = results[1];
}
/* known in a gradient: nothing differentiated goes through it */
static void while_beside(const sec_value *in, sec_value *out) {
  sec_value carry[] = {sec_literal_of(SEC_I32, false, 0, 0), sec_stop_gradient(in[1])}, results[2];
  outer = sec_literal_of(SEC_F64, false, 0.9, 0);
  sec_jaxpr *c = body(fewer_steps, carry, 2, 1), *b = body(closed_step, carry, 2, 2);
  sec_while(c, 0, b, 0, carry, 2, results);
  sec_jaxpr_release(c), sec_jaxpr_release(b);
  out[0] = sec_mul(sec_sin(in[0]), sec_convert(results[0], SEC_F64, false));
}

/* ---- calls ---- */
static void call_body(const sec_value *in, sec_value *out) {
  out[0] = sec_sin(sec_mul(sec_sin(in[0]), in[1]));
  out[1] = sec_mul(in[0], outer);
}
static void jit_call(const sec_value *in, sec_value *out) {
  outer = sec_cos(in[1]);
  sec_jaxpr *j = body(call_body, in, 2, 2);
  sec_jit_call("call_body", j, in, out);
  sec_jaxpr_release(j);
}
static void remat_call(const sec_value *in, sec_value *out) {
  outer = sec_cos(in[1]);
  sec_jaxpr *j = body(call_body, in, 2, 2);
  sec_remat(j, in, out);
  sec_jaxpr_release(j);
}
static void remat_rnn(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(rnn, in, 3, 2);
  sec_remat(j, in, out);
  sec_jaxpr_release(j);
}
static void remat_step(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(rnn_step, in, 3, 2);
  sec_remat(j, in, out);
  sec_jaxpr_release(j);
}
static void scan_of_remat(const sec_value *in, sec_value *out) {
  scan_of(remat_step, in, 1, 1, 3, 1, 4, false, out);
}
static void remat_cond(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(cond_bool, in, 2, 1);
  sec_remat(j, in, out);
  sec_jaxpr_release(j);
}

/* ---- custom rules ---- */
static void square_sin(const sec_value *in, sec_value *out) {
  out[0] = sec_mul(sec_sin(in[0]), in[1]);
}
/* the true derivative, said by the user */
static sec_status square_sin_jvp(void *user, const sec_value *in, int n_in, sec_value *out,
                                 int n_out) {
  (void)user, (void)n_in, (void)n_out;
  out[0] = sec_mul(sec_sin(in[0]), in[1]);
  out[1] = sec_add(sec_mul(sec_mul(sec_cos(in[0]), in[2]), in[1]), sec_mul(sec_sin(in[0]), in[3]));
  return SEC_OK;
}
static void custom_jvp(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(square_sin, in, 2, 1);
  sec_callable *rule = sec_callable_create("square_sin_jvp", square_sin_jvp, NULL, NULL);
  sec_custom_jvp_call(j, rule, in, 2, out);
  sec_callable_release(rule), sec_jaxpr_release(j);
}
static sec_status square_sin_fwd(void *user, const sec_value *in, int n_in, sec_value *out,
                                 int n_out) {
  (void)user, (void)n_in, (void)n_out;
  out[0] = sec_mul(sec_sin(in[0]), in[1]);
  out[1] = in[0];
  out[2] = in[1];
  return SEC_OK;
}
static sec_status square_sin_bwd(void *user, const sec_value *in, int n_in, sec_value *out,
                                 int n_out) {
  (void)user, (void)n_in, (void)n_out;
  out[0] = sec_mul(in[2], sec_mul(sec_cos(in[0]), in[1]));
  out[1] = sec_mul(in[2], sec_sin(in[0]));
  return SEC_OK;
}
static void custom_vjp(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(square_sin, in, 2, 1);
  sec_callable *fwd = sec_callable_create("fwd", square_sin_fwd, NULL, NULL),
               *bwd = sec_callable_create("bwd", square_sin_bwd, NULL, NULL);
  sec_custom_vjp_call(j, fwd, bwd, 2, in, 2, out);
  sec_callable_release(fwd), sec_callable_release(bwd), sec_jaxpr_release(j);
}
static void custom_vjp_in_scan(const sec_value *in, sec_value *out) {
  scan_of(custom_vjp, in, 0, 1, 2, 0, 3, false, out);
}
static void custom_jvp_in_scan(const sec_value *in, sec_value *out) {
  scan_of(custom_jvp, in, 0, 1, 2, 0, 3, false, out);
}
static void custom_jvp_in_cond(const sec_value *in, sec_value *out) {
  cond_of(sec_gt(sec_sum(in[0]), sec_sum(in[1])), (function[]){custom_jvp, branch_exp}, 2, in, 2,
          out);
}
static void custom_vjp_in_remat(const sec_value *in, sec_value *out) {
  sec_jaxpr *j = body(custom_vjp, in, 2, 1);
  sec_remat(j, in, out);
  sec_jaxpr_release(j);
}

static const row rows[] = {
    {"chain", chain, 3, 2, {S2(2, 3), S(3), S(2)}, 0, 0, 0},
    {"scan", rnn, 3, 2, {S2(2, 2), S(2), S2(4, 2)}, 0, 0, 0},
    {"scan in reverse", rnn_reverse, 3, 2, {S2(2, 2), S(2), S2(4, 2)}, 0, 0, 0},
    {"scan over a closure", scan_closure, 3, 2, {S0, S(2), S2(3, 2)}, 0, 0, 0},
    {"scan with a counter", scan_counter, 2, 1, {S0, S(5)}, 0, 0, 0},
    {"scan in scan", scan_nested, 2, 2, {S0, S2(2, 3)}, 0, 0, 0},
    {"scan without xs", power, 1, 1, {S0}, 0, 0, 0},
    {"cond of a bool", cond_bool, 2, 1, {S(2), S(2)}, 0, 0, 0},
    {"cond of three", cond_switch, 2, 1, {S0, S0}, 0, 0, 0},
    {"cond in scan", cond_in_scan, 2, 1, {S0, S(4)}, 0, 0, 0},
    {"cond around a logarithm", cond_guard, 2, 1, {S0, S0}, 0, 0, 0},
    {"while", while_grow, 2, 2, {S0, S0}, true, 0, 0},
    {"while over a closure", while_closure, 2, 1, {S(2), S(2)}, true, 0, 0},
    {"while beside a gradient", while_beside, 2, 1, {S(2), S(2)}, 0, 0, true},
    {"jit", jit_call, 2, 2, {S(2), S(2)}, 0, 0, 0},
    {"remat", remat_call, 2, 2, {S(2), S(2)}, 0, 0, 0},
    {"remat of scan", remat_rnn, 3, 2, {S2(2, 2), S(2), S2(4, 2)}, 0, 0, 0},
    {"scan of remat", scan_of_remat, 3, 2, {S2(2, 2), S(2), S2(4, 2)}, 0, 0, 0},
    {"remat of cond", remat_cond, 2, 1, {S(2), S(2)}, 0, 0, 0},
    {"custom_jvp", custom_jvp, 2, 1, {S(2), S(2)}, 0, 0, 0},
    {"custom_jvp in scan", custom_jvp_in_scan, 2, 1, {S0, S(3)}, 0, 0, 0},
    {"custom_jvp in cond", custom_jvp_in_cond, 2, 1, {S(2), S(2)}, 0, 0, 0},
    {"custom_vjp", custom_vjp, 2, 1, {S(2), S(2)}, 0, true, 0},
    {"custom_vjp in scan", custom_vjp_in_scan, 2, 1, {S0, S(3)}, 0, true, 0},
    {"custom_vjp in remat", custom_vjp_in_remat, 2, 1, {S(2), S(2)}, 0, true, 0},
};

#endif
