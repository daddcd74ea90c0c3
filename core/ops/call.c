/* Calls: jit, checkpoint (remat), custom_jvp_call and custom_vjp_call hold a body that is inlined before lowering;
 * custom_lin is the linear part of a custom_vjp function.  Types, evaluation and the public functions; the rules of the
 * transforms are in transforms/ (see control_rules.h).
 *
 * A body captures nothing: its captures become leading operands.  Those of custom rules are num_consts constants,
 * to which no derivative flows. */
#include "control_rules.h"
#include <secant/callable.h>
#include <string.h>

enum { MAX_RESIDUALS = 1 << 20 };

/* ---- types and evaluation ---- */
static const sec_jaxpr *body_of(const sec_primitive *prim, const sec_params *p) {
  return sec_params_jaxpr(p, prim->call_param ? prim->call_param : "call_jaxpr");
}

/* Only text can get these wrong: constants among the operands, and a number of residuals. */
static sec_status type_counts(const sec_typing *t, const sec_jaxpr *body) {
  int64_t n_consts = sec_params_int(t->params, "num_consts"),
          n_res = sec_params_int(t->params, "n_res");
  if (n_consts >= 0 && n_consts <= body->n_in && n_res >= 0 && n_res <= MAX_RESIDUALS)
    return SEC_OK;
  return sec_type_error(t, SEC_ARGUMENT, NULL,
                        "%lld constants and %lld residuals do not fit a body of %u inputs",
                        (long long)n_consts, (long long)n_res, body->n_in);
}

static sec_status call_type(sec_typing *t) {
  const sec_jaxpr *body = body_of(t->prim, t->params);
  if (!body)
    return sec_type_error(t, SEC_ARGUMENT, "give the body as a jaxpr", "parameter %s is missing",
                          t->prim->call_param);
  if ((int)body->n_in != t->n_in || body->n_consts)
    return sec_type_error(t, SEC_ARGUMENT, "pass one operand an input",
                          "the body takes %u operands, but %d are given", body->n_in, t->n_in);
  SEC_TRY(type_counts(t, body));
  SEC_TRY(sec_type_inputs(t, body, 0, 0, t->n_in, "operand"));
  SEC_TRY(sec_type_n_results(t, (int)body->n_out));
  for (int i = 0; i < t->n_out; i++) t->out[i] = sec_ref_aval(body, body->outs[i]);
  return SEC_OK;
}

sec_status sec_call_eval(const sec_eval *e) {
  const sec_jaxpr *body = body_of(e->prim, e->params);
  sec_array **made = sec_alloc(e->cx, (size_t)(e->n_out + 1) * sizeof *made);
  if (!made) return SEC_MEMORY;
  sec_status status = sec_jaxpr_eval(body, e->in, made);
  for (int i = 0; i < e->n_out; i++) {
    if (status == SEC_OK) sec_eval_move(e->out[i], made[i]);
    else sec_array_release(made[i]);
  }
  sec_free(e->cx, made);
  return status;
}

#define CALL(key)                                                                                  \
  .variadic = true, .operands = {"operand"}, .type = call_type, .eval = sec_call_eval,                 \
  .form = SEC_FORM_CALL, .call_param = key

SEC_PRIMITIVE(jit, .doc = "Calls a function that was marked for compilation.", CALL("jaxpr"),
              .jvp_all = sec_jit_jvp, .transpose_all = sec_jit_transpose, .batch = sec_jit_batch,
              .partial = sec_jit_partial)

SEC_PRIMITIVE(checkpoint, .doc = "Calls a function that the backward pass computes again.",
              CALL("jaxpr"), .jvp_all = sec_checkpoint_jvp,
              .transpose_all = sec_checkpoint_transpose, .batch = sec_checkpoint_batch,
              .partial = sec_checkpoint_partial)

SEC_PRIMITIVE(custom_jvp_call, .doc = "Calls a function with a forward derivative of its own.",
              CALL("call_jaxpr"), .jvp_all = sec_custom_jvp_call_jvp,
              .batch = sec_custom_jvp_call_batch)

SEC_PRIMITIVE(custom_vjp_call, .doc = "Calls a function with a backward derivative of its own.",
              CALL("call_jaxpr"), .jvp_all = sec_custom_vjp_call_jvp,
              .batch = sec_custom_vjp_call_batch)

/* custom_lin: (residuals, tangents of the float operands) -> tangents of the float results of call_jaxpr. */
static sec_status forward_error(void) {
  return sec_error_set(SEC_FORWARD,
                       "use reverse mode (grad, vjp), or give the function a custom_jvp rule",
                       "can't apply forward-mode differentiation (jvp) to a custom_vjp function");
}

static bool is_float(const sec_aval *a) { return sec_dtype_kind(a->dtype) >= SEC_KIND_FLOAT; }

static sec_status custom_lin_type(sec_typing *t) {
  const sec_jaxpr *body = body_of(t->prim, t->params);
  int n_res = (int)sec_params_int(t->params, "n_res"), n = n_res, n_out = 0;
  if (!body) return sec_type_error(t, SEC_ARGUMENT, NULL, "parameter call_jaxpr is missing");
  SEC_TRY(type_counts(t, body));
  for (uint32_t i = (uint32_t)sec_params_int(t->params, "num_consts"); i < body->n_in; i++) {
    if (!is_float(body->avals[i])) continue;
    if (n >= t->n_in || !sec_fits(t->in[n], body->avals[i]))
      return sec_type_error(t, SEC_TYPE, NULL,
                            "the tangent of operand %u is %s, but the operand is %s", i,
                            n < t->n_in ? t->in[n]->text : "missing", body->avals[i]->text);
    n++;
  }
  if (n != t->n_in)
    return sec_type_error(t, SEC_ARGUMENT, NULL, "takes %d operands, got %d", n, t->n_in);
  for (uint32_t i = 0; i < body->n_out; i++) {
    const sec_aval *a = sec_ref_aval(body, body->outs[i]);
    if (!is_float(a)) continue;
    if (n_out == t->max_out) return sec_type_n_results(t, n_out + 1);
    t->out[n_out++] = a;
  }
  t->n_out = n_out;
  return SEC_OK;
}

static sec_status custom_lin_eval(const sec_eval *e) { return (void)e, forward_error(); }
static sec_status custom_lin_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                                 sec_value *out_dot) {
  return (void)r, (void)in_dot, (void)out, (void)out_dot, forward_error();
}

SEC_PRIMITIVE(custom_lin,
              .doc = "The linear part of a custom_vjp function: it can only be transposed.",
              .variadic = true, .operands = {"operand"}, .type = custom_lin_type, .refuse = forward_error,
              .eval = custom_lin_eval, .jvp_all = custom_lin_jvp,
              .transpose_all = sec_custom_lin_transpose, .batch = sec_custom_lin_batch)

/* ---- binding ---- */
enum { MAX_PARAMS = 8 };

/* The parameters of `like` with another body, and `more` on num_consts. */
static const sec_params *params_with_body(const sec_params *like, const char *key, sec_jaxpr *body,
                                          int more) {
  sec_param list[MAX_PARAMS + 1];
  int n = 0;
  for (int i = 0; like && i < like->n && i < MAX_PARAMS; i++) {
    if (strcmp(like->list[i].name, key) == 0) continue;
    list[n] = like->list[i];
    if (strcmp(list[n].name, "num_consts") == 0) list[n].u.i += more;
    n++;
  }
  list[n++] = (sec_param)SEC_P_JAXPR(key, body);
  return sec_params_make(body->cx, list, n);
}

const sec_params *sec_call_params(const sec_call_spec *s) {
  return params_with_body(s->like, s->prim->call_param, s->body, 0);
}

static sec_status bind_hoisted(const sec_call_spec *s, const sec_value *in, int n_in,
                               sec_value *out) {
  const sec_jaxpr *body = s->body;
  int n = (int)body->n_consts;
  sec_jaxpr *closed = NULL;
  sec_value *all = sec_alloc(body->cx, (size_t)(n_in + n + 1) * sizeof *all);
  const sec_aval **lead = sec_alloc(body->cx, (size_t)(n + 1) * sizeof *lead);
  sec_status status = all && lead ? SEC_OK : SEC_MEMORY;
  for (int i = 0; i < n_in + n && status == SEC_OK; i++) {
    all[i] = i < n ? sec_capture_value(body, (uint32_t)i) : in[i - n];
    if (i < n) lead[i] = sec_capture_aval(body, (uint32_t)i);
  }
  if (status == SEC_OK) status = sec_hoist_captures(body, &(sec_hoist){lead, n, 0}, &closed);
  if (status == SEC_OK) {
    const sec_params *p = params_with_body(s->like, s->prim->call_param, closed, n);
    status = p ? sec_bind(s->prim, all, n_in + n, p, out, (int)closed->n_out) : SEC_MEMORY;
  }
  sec_jaxpr_release(closed);
  sec_free(body->cx, all);
  sec_free(body->cx, lead);
  return status;
}

sec_status sec_bind_call(const sec_call_spec *s, const sec_value *in, int n_in, sec_value *out) {
  if (s->body->n_consts) return bind_hoisted(s, in, n_in, out);
  const sec_params *p = sec_call_params(s);
  return p ? sec_bind(s->prim, in, n_in, p, out, (int)s->body->n_out) : SEC_MEMORY;
}

/* ---- functions ---- */
/* Binds a body whose other parameters are in `list`. */
static sec_status call(const sec_primitive *prim, const sec_param *list, int n, sec_jaxpr *body,
                       const sec_value *in, sec_value *out) {
  const sec_params *like = sec_params_make(body->cx, list, n);
  sec_status status =
      like ? sec_bind_call(&(sec_call_spec){prim, like, body}, in, (int)body->n_in, out)
           : SEC_MEMORY;
  sec_params_release(like);
  for (uint32_t i = 0; i < body->n_out && status != SEC_OK; i++) out[i] = SEC_VALUE_POISON;
  return status;
}

sec_status sec_jit_call(const char *name, sec_jaxpr *body, const sec_value *in, sec_value *out) {
  return call(&sec_jit_p, SEC_PARAMS(SEC_P_STR("name", name ? name : body->name)), body, in, out);
}

sec_status sec_remat(sec_jaxpr *body, const sec_value *in, sec_value *out) {
  return call(
      &sec_checkpoint_p,
      SEC_PARAMS(SEC_P_BOOL("prevent_cse", true), {.name = "policy", .kind = SEC_PARAM_NONE}), body,
      in, out);
}

static sec_status wrong_count(const char *name, const sec_jaxpr *body, int n_in, sec_value *out) {
  for (uint32_t i = 0; i < body->n_out; i++) out[i] = SEC_VALUE_POISON;
  return sec_error_set(SEC_ARGUMENT, "pass one operand an input",
                       "%s: the function takes %u operands, but %d are given", name, body->n_in,
                       n_in);
}

sec_status sec_custom_jvp_call(sec_jaxpr *body, sec_callable *jvp, const sec_value *in, int n_in,
                               sec_value *out) {
  if (n_in != (int)body->n_in) return wrong_count("custom_jvp", body, n_in, out);
  return call(&sec_custom_jvp_call_p,
              SEC_PARAMS(SEC_P_FN("jvp_jaxpr_fun", jvp), SEC_P_INT("num_consts", 0)), body, in,
              out);
}

sec_status sec_custom_vjp_call(sec_jaxpr *body, sec_callable *fwd, sec_callable *bwd, int n_res,
                               const sec_value *in, int n_in, sec_value *out) {
  if (n_in != (int)body->n_in) return wrong_count("custom_vjp", body, n_in, out);
  return call(&sec_custom_vjp_call_p,
              SEC_PARAMS(SEC_P_FN("fwd", fwd), SEC_P_FN("bwd", bwd), SEC_P_INT("n_res", n_res),
                         SEC_P_INT("num_consts", 0)),
              body, in, out);
}
