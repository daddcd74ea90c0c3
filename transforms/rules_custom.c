/* Rules of custom_jvp_call, custom_vjp_call and custom_lin.
 *
 * jvp of custom_jvp_call : the user's rule runs in the current trace; what it does is differentiated again as usual.
 * jvp of custom_vjp_call : fwd runs in the current trace; the tangents go into custom_lin, which holds bwd.
 * transpose of custom_lin: bwd runs in the current trace.
 * batch                  : the body is batched, and the user's functions are wrapped: a wrapper traces them with the
 *                          types of one lane and batches what comes out. */
#include "memory.h"
#include "rules.h"
#include <secant/callable.h>
#include <string.h>

static sec_callable *callable_of(const sec_params *p, const char *name) {
  const sec_param *q = sec_params_find(p, name);
  return q && q->kind == SEC_PARAM_FN ? q->u.fn : NULL;
}

/* Runs a user's rule; results that it did not set are poison. */
static sec_status run_rule(sec_callable *c, const sec_value *in, int n_in, sec_value *out,
                           int n_out) {
  if (!c)
    return sec_error_set(SEC_NO_RULE, "define the rule of the custom function",
                         "a custom function has no rule");
  for (int i = 0; i < n_out; i++) out[i] = SEC_VALUE_POISON;
  sec_status status = c->call(c->user, in, n_in, out, n_out);
  if (status != SEC_OK) sec_error_set(status, NULL, "the rule %s failed", c->name);
  return status;
}

/* *x has the type `want`, or is made to by dropping weakness. */
static sec_status check_result(const sec_callable *c, const char *what, int i, const sec_aval *want,
                               sec_value *x) {
  if (!sec_value_ok(*x)) {
    sec_error_set(SEC_CALLBACK, "return one value for each", "the rule %s set no %s %d", c->name,
                  what, i);
    return sec_failed(); /* of the operation that gave poison, if there was one */
  }
  *x = sec_fit_weak(*x, want);
  const sec_aval *have = sec_value_aval(*x);
  if (!have) return sec_failed();
  if (sec_same_type(have, want)) return SEC_OK;
  return sec_error_set(SEC_TYPE, "broadcast or convert it in the rule",
                       "the rule %s: %s %d is %s, but must be %s", c->name, what, i, have->text,
                       want->text);
}

static int n_consts_of(const sec_params *p) { return (int)sec_params_int(p, "num_consts"); }

static bool any_tangent(const sec_value *in_dot, int from, int to) {
  for (int i = from; i < to; i++)
    if (!sec_value_is_zero(in_dot[i])) return true;
  return false;
}

static sec_status rebind(const sec_rule *r, sec_value *out, sec_value *out_dot) {
  for (int i = 0; i < r->n_out; i++) out_dot[i] = SEC_VALUE_ZERO;
  sec_params_retain(r->params);
  return sec_bind(r->prim, r->in, r->n_in, r->params, out, r->n_out);
}

/* ---- jvp ---- */
sec_status sec_custom_jvp_call_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                                   sec_value *out_dot) {
  int first = n_consts_of(r->params), n = r->n_in - first;
  sec_callable *rule = callable_of(r->params, "jvp_jaxpr_fun");
  if (!any_tangent(in_dot, first, r->n_in)) return rebind(r, out, out_dot);
  sec_value *in = sec_alloc(r->cx, (size_t)(2 * (n + r->n_out) + 1) * sizeof *in);
  if (!in) return SEC_MEMORY;
  sec_value *results = in + 2 * n;
  for (int i = 0; i < n; i++) {
    in[i] = r->in[first + i];
    in[n + i] = sec_instantiate(in_dot[first + i], r->in_avals[first + i]);
  }
  sec_status status = run_rule(rule, in, 2 * n, results, 2 * r->n_out);
  for (int i = 0; i < r->n_out && status == SEC_OK; i++) {
    bool has_tangent = sec_has_tangent(r->out_avals[i]);
    status = check_result(rule, "result", i, r->out_avals[i], &results[i]);
    if (status == SEC_OK && has_tangent)
      status = check_result(rule, "tangent", i, r->out_avals[i], &results[r->n_out + i]);
    out[i] = results[i];
    out_dot[i] = has_tangent ? results[r->n_out + i] : SEC_VALUE_ZERO;
  }
  sec_free(r->cx, in);
  return status;
}

/* Binds custom_lin on residuals and tangents; dots: tangents of the float results. */
static sec_status bind_custom_lin(const sec_rule *r, int n_res, const sec_value *in, int n_in,
                                  sec_value *dots, int n_dots) {
  sec_callable *bwd = callable_of(r->params, "bwd");
  const sec_params *p = sec_params_make(
      r->cx,
      SEC_PARAMS(SEC_P_FN("bwd", bwd),
                 SEC_P_JAXPR("call_jaxpr", sec_params_jaxpr(r->params, "call_jaxpr")),
                 SEC_P_INT("n_res", n_res), SEC_P_INT("num_consts", n_consts_of(r->params))));
  return p ? sec_bind(&sec_custom_lin_p, in, n_in, p, dots, n_dots) : SEC_MEMORY;
}

/* room: results and residuals of fwd, tangents, tangents of the results. */
static sec_status custom_vjp_forward(const sec_rule *r, const sec_value *in_dot, sec_value *room,
                                     sec_value *out, sec_value *out_dot) {
  int first = n_consts_of(r->params), n_res = (int)sec_params_int(r->params, "n_res"), n = n_res,
      n_dots = 0;
  sec_callable *fwd = callable_of(r->params, "fwd");
  sec_value *lin = room + r->n_out, *dots = lin + n_res + r->n_in;
  SEC_TRY(run_rule(fwd, r->in + first, r->n_in - first, room, r->n_out + n_res));
  for (int i = 0; i < r->n_out; i++) {
    SEC_TRY(check_result(fwd, "result", i, r->out_avals[i], &room[i]));
    out[i] = room[i];
    n_dots += sec_has_tangent(r->out_avals[i]);
  }
  for (int i = 0; i < n_res; i++)
    if (!sec_value_ok(lin[i])) {
      sec_error_set(SEC_CALLBACK, "return every residual", "the rule %s set no residual %d",
                    fwd->name, i);
      return sec_failed();
    }
  for (int i = first; i < r->n_in; i++)
    if (sec_has_tangent(r->in_avals[i])) lin[n++] = sec_instantiate(in_dot[i], r->in_avals[i]);
  SEC_TRY(bind_custom_lin(r, n_res, lin, n, dots, n_dots));
  for (int i = 0; i < r->n_out; i++)
    out_dot[i] = sec_has_tangent(r->out_avals[i]) ? *dots++ : SEC_VALUE_ZERO;
  return SEC_OK;
}

sec_status sec_custom_vjp_call_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                                   sec_value *out_dot) {
  if (!any_tangent(in_dot, n_consts_of(r->params), r->n_in)) return rebind(r, out, out_dot);
  int n_res = (int)sec_params_int(r->params, "n_res");
  sec_value *room = sec_alloc(r->cx, (size_t)(2 * r->n_out + n_res + r->n_in + 1) * sizeof *room);
  if (!room) return SEC_MEMORY;
  sec_status status = custom_vjp_forward(r, in_dot, room, out, out_dot);
  sec_free(r->cx, room);
  return status;
}

/* ---- transpose of custom_lin ---- */
/* room: residuals and cotangents of all results, then cotangents of all operands. */
static sec_status custom_lin_backward(const sec_rule *r, const bool *linear, const sec_value *ct,
                                      sec_value *room, sec_value *in_ct) {
  const sec_jaxpr *body = sec_params_jaxpr(r->params, "call_jaxpr");
  sec_callable *bwd = callable_of(r->params, "bwd");
  int n_res = (int)sec_params_int(r->params, "n_res"), first = n_consts_of(r->params), n = n_res;
  int n_ct = n_res + (int)body->n_out, n_primals = (int)body->n_in - first;
  sec_value *found = room + n_ct;
  for (int i = 0; i < n_res; i++) {
    if (linear[i])
      return sec_error_set(SEC_FORWARD, "use reverse mode twice",
                           "the derivative of a custom_vjp rule's residuals is not linear");
    room[i] = r->in[i];
  }
  for (uint32_t i = 0; i < body->n_out; i++) {
    const sec_aval *a = sec_out_aval(body, i);
    room[n_res + (int)i] = sec_has_tangent(a) ? sec_instantiate(*ct++, a) : sec_zeros_of(a);
  }
  SEC_TRY(run_rule(bwd, room, n_ct, found, n_primals));
  for (int i = 0; i < n_primals; i++) {
    const sec_aval *a = body->avals[first + i];
    if (!sec_has_tangent(a)) continue;
    if (linear[n]) {
      SEC_TRY(check_result(bwd, "cotangent", i, a, &found[i]));
      in_ct[n] = found[i];
    }
    n++;
  }
  return SEC_OK;
}

sec_status sec_custom_lin_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                                    sec_value *in_ct) {
  const sec_jaxpr *body = sec_params_jaxpr(r->params, "call_jaxpr");
  int n_res = (int)sec_params_int(r->params, "n_res");
  sec_value *room = sec_alloc(r->cx, ((size_t)n_res + body->n_out + body->n_in + 1) * sizeof *room);
  if (!room) return SEC_MEMORY;
  sec_status status = custom_lin_backward(r, linear, ct, room, in_ct);
  sec_free(r->cx, room);
  return status;
}

/* ---- wrappers for batching ---- */
typedef struct lane_rule {
  sec_callable *inner;
  sec_context *cx;
  int n_in, n_out;
  bool *batched; /* operands */
  bool *sum;     /* results that belong to unbatched operands: added up over the lanes */
  int64_t size;
  char *axis_name;
} lane_rule;

static void lane_rule_free(void *user) {
  lane_rule *l = user;
  sec_callable_release(l->inner);
  sec_mem_free(l->batched);
  sec_mem_free(l->axis_name);
  sec_mem_free(l);
}

/* The inner function in a trace of its own, at the types of one lane.  A cotangent of an integer may be missing. */
static sec_status lane_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const lane_rule *l = user;
  sec_status before = sec_error_status(l->cx);
  *n_out = l->n_out;
  if (l->axis_name) SEC_TRY(sec_axis_push(l->axis_name, l->size));
  sec_status status = run_rule(l->inner, in, l->n_in, out, l->n_out);
  if (l->axis_name) sec_axis_pop();
  if (status == SEC_OK && before == SEC_OK) status = sec_error_status(l->cx);
  for (int i = 0; i < l->n_out && status == SEC_OK; i++)
    if (!sec_value_ok(out[i])) out[i] = sec_literal_of(SEC_F32, true, 0, 0);
  return status;
}

static const sec_aval *lane_aval(sec_context *cx, sec_value x, bool batched) {
  const sec_aval *a = sec_value_aval(x);
  if (!a || !batched) return a;
  return sec_aval_get(cx, a->dtype, a->weak, a->rank - 1, a->dims + 1);
}

static sec_status lane_run(const lane_rule *l, const sec_value *in, sec_value *out,
                           sec_arena *arena) {
  const sec_aval **avals = SEC_NEW(arena, const sec_aval *, l->n_in);
  bool *flags = SEC_NEW(arena, bool, 2 * l->n_out);
  sec_jaxpr *j = NULL;
  if (!avals || !flags) return SEC_MEMORY;
  memset(flags, 1, (size_t)l->n_out);
  for (int i = 0; i < l->n_in; i++)
    if (!(avals[i] = lane_aval(l->cx, in[i], l->batched[i]))) return sec_failed();
  SEC_TRY(sec_build(&(sec_plan){.cx = l->cx,
                                .name = l->inner->name,
                                .in_avals = avals,
                                .n_in = l->n_in,
                                .max_out = l->n_out,
                                .build = lane_build,
                                .user = (void *)l},
                    &j));
  sec_status status = sec_batch_apply(j, &(sec_lanes){l->batched, flags, l->size, l->axis_name}, in,
                                      out, flags + l->n_out);
  sec_jaxpr_release(j);
  for (int i = 0; i < l->n_out && status == SEC_OK; i++)
    if (l->sum[i]) out[i] = sec_reduce_sum(out[i], (const int64_t[]){0}, 1);
  return status;
}

static sec_status lane_call(void *user, const sec_value *in, int n_in, sec_value *out, int n_out) {
  const lane_rule *l = user;
  if (n_in != l->n_in || n_out != l->n_out)
    return sec_error_set(
        SEC_ARGUMENT, NULL,
        "the rule %s is called with %d operands for %d results, but takes %d for %d",
        l->inner->name, n_in, n_out, l->n_in, l->n_out);
  sec_arena *arena = sec_arena_create(l->cx);
  sec_status status = arena ? lane_run(l, in, out, arena) : SEC_MEMORY;
  sec_arena_destroy(arena);
  return status;
}

/* A wrapper of `inner` for the mapped axis of b; batched and sum are to be filled in.  NULL on failure. */
static sec_callable *wrap(const sec_batch *b, sec_callable *inner, int n_in, int n_out,
                          lane_rule **out) {
  lane_rule *l = sec_mem_zeroed(1, sizeof *l);
  bool *flags = sec_mem_zeroed((size_t)(n_in + n_out) + 1, sizeof *flags);
  char *name = b->axis_name ? sec_mem_strdup(b->axis_name) : NULL;
  if (!inner || !l || !flags || (b->axis_name && !name)) {
    sec_mem_free(l), sec_mem_free(flags), sec_mem_free(name);
    sec_error_set(inner ? SEC_MEMORY : SEC_NO_RULE, NULL, "%s: its rule could not be batched",
                  b->prim->name);
    return NULL;
  }
  *l = (lane_rule){
      sec_callable_retain(inner), b->cx, n_in, n_out, flags, flags + n_in, b->size, name};
  sec_callable *c = sec_callable_create(inner->name, lane_call, lane_rule_free, l);
  if (!c) lane_rule_free(l);
  *out = l;
  return c;
}

/* The body with every result batched. */
static sec_status batch_all(sec_batch *b, const bool *batched, const sec_jaxpr *body,
                            sec_jaxpr **out) {
  bool *flags = sec_alloc(b->cx, 2 * (size_t)body->n_out + 1);
  *out = NULL;
  if (!flags) return SEC_MEMORY;
  memset(flags, 1, body->n_out);
  for (int i = 0; i < b->n_out; i++) b->out_batched[i] = true;
  sec_status status = sec_batch_body(body, &(sec_lanes){batched, flags, b->size, b->axis_name},
                                     flags + body->n_out, out);
  sec_free(b->cx, flags);
  return status;
}

/* Binds prim with new rules around `body`; releases the body. */
static sec_status bind_batched(sec_batch *b, const sec_param *list, int n, sec_jaxpr *body) {
  const sec_params *like = sec_params_make(b->cx, list, n);
  sec_status status =
      like ? sec_bind_call(&(sec_call_spec){b->prim, like, body}, b->in, b->n_in, b->out)
           : SEC_MEMORY;
  sec_params_release(like);
  sec_jaxpr_release(body);
  return status;
}

sec_status sec_custom_jvp_call_batch(sec_batch *b) {
  int first = n_consts_of(b->params), n = b->n_in - first;
  sec_jaxpr *body;
  lane_rule *l;
  sec_callable *jvp = wrap(b, callable_of(b->params, "jvp_jaxpr_fun"), 2 * n, 2 * b->n_out, &l);
  if (!jvp) return sec_failed();
  for (int i = 0; i < n; i++) l->batched[i] = l->batched[n + i] = b->batched[first + i];
  sec_status status = batch_all(b, b->batched, sec_params_jaxpr(b->params, "call_jaxpr"), &body);
  if (status == SEC_OK)
    status = bind_batched(
        b, SEC_PARAMS(SEC_P_FN("jvp_jaxpr_fun", jvp), SEC_P_INT("num_consts", first)), body);
  sec_callable_release(jvp);
  return status;
}

/* bwd takes batched residuals and cotangents; cotangents of unbatched operands are added up. */
static sec_callable *wrap_bwd(const sec_batch *b, const sec_jaxpr *body, int n_res,
                              const bool *primal_batched, lane_rule **l) {
  int n_in = n_res + (int)body->n_out, n_out = (int)body->n_in - n_consts_of(b->params);
  sec_callable *bwd = wrap(b, callable_of(b->params, "bwd"), n_in, n_out, l);
  if (!bwd) return NULL;
  memset((*l)->batched, 1, (size_t)n_in);
  for (int i = 0; i < n_out; i++) (*l)->sum[i] = !primal_batched[i];
  return bwd;
}

sec_status sec_custom_vjp_call_batch(sec_batch *b) {
  const sec_jaxpr *body = sec_params_jaxpr(b->params, "call_jaxpr");
  int first = n_consts_of(b->params), n = b->n_in - first,
      n_res = (int)sec_params_int(b->params, "n_res");
  sec_jaxpr *batched;
  lane_rule *lf, *lb;
  sec_callable *fwd = wrap(b, callable_of(b->params, "fwd"), n, b->n_out + n_res, &lf);
  sec_callable *bwd = fwd ? wrap_bwd(b, body, n_res, b->batched + first, &lb) : NULL;
  sec_status status = bwd ? SEC_OK : sec_failed();
  if (status == SEC_OK) {
    for (int i = 0; i < n; i++) lf->batched[i] = b->batched[first + i];
    status = batch_all(b, b->batched, body, &batched);
  }
  if (status == SEC_OK)
    status = bind_batched(b,
                          SEC_PARAMS(SEC_P_FN("fwd", fwd), SEC_P_FN("bwd", bwd),
                                     SEC_P_INT("n_res", n_res), SEC_P_INT("num_consts", first)),
                          batched);
  sec_callable_release(fwd);
  sec_callable_release(bwd);
  return status;
}

/* ---- batch of custom_lin: call_jaxpr only gives the types ---- */
static sec_status custom_lin_bind_batched(sec_batch *b, sec_callable *bwd, sec_jaxpr *types,
                                          int n_res) {
  const sec_params *p =
      sec_params_make(b->cx, SEC_PARAMS(SEC_P_FN("bwd", bwd), SEC_P_JAXPR("call_jaxpr", types),
                                        SEC_P_INT("n_res", n_res),
                                        SEC_P_INT("num_consts", n_consts_of(b->params))));
  return p ? sec_bind(&sec_custom_lin_p, b->in, b->n_in, p, b->out, b->n_out) : SEC_MEMORY;
}

sec_status sec_custom_lin_batch(sec_batch *b) {
  const sec_jaxpr *body = sec_params_jaxpr(b->params, "call_jaxpr");
  int first = n_consts_of(b->params), n_res = (int)sec_params_int(b->params, "n_res"), n = n_res;
  bool *batched = sec_alloc(b->cx, body->n_in + 1);
  sec_jaxpr *types = NULL;
  lane_rule *l;
  if (!batched) return SEC_MEMORY;
  for (int i = 0; i < (int)body->n_in; i++) {
    bool has_operand = i >= first && sec_has_tangent(body->avals[i]);
    batched[i] = has_operand && b->batched[n];
    n += has_operand;
  }
  sec_callable *bwd = wrap_bwd(b, body, n_res, batched + first, &l);
  sec_status status = bwd ? SEC_OK : sec_failed();
  if (status == SEC_OK) {
    memcpy(l->batched, b->batched, (size_t)n_res);
    status = batch_all(b, batched, body, &types);
  }
  if (status == SEC_OK) status = custom_lin_bind_batched(b, bwd, types, n_res);
  sec_jaxpr_release(types);
  sec_callable_release(bwd);
  sec_free(b->cx, batched);
  return status;
}
