/* Functions with derivative rules of their own: the C functions become callables that the engine
 * traces. */
#include "fn_node.h"

/* A C function as a rule: lives in the callable. */
typedef struct rule {
  sec_context *cx;
  sec_fn_body  body;
  void        *user;
} rule;

static void rule_destroy(void *user) {
  rule *r = user;
  sec_free(r->cx, r);
}

static sec_status rule_run(void *user, const sec_value *in, int n_in, sec_value *out, int n_out) {
  const rule *r = user;
  bool        clean = sec_error_status(r->cx) == SEC_OK;
  (void)n_in;
  for (int i = 0; i < n_out; i++) out[i] = SEC_VALUE_POISON;
  r->body(in, out, r->user);
  if (clean && sec_error_status(r->cx) != SEC_OK) return sec_error_status(r->cx);
  for (int i = 0; i < n_out; i++)
    if (!sec_value_ok(out[i]))
      return sec_error_set(SEC_ARGUMENT, "set every result of the rule",
                           "custom rule: result %d has no value", i);
  return SEC_OK;
}

static sec_callable *rule_callable(sec_context *cx, const char *name, sec_fn_body body,
                                   void *user) {
  rule *r = sec_alloc(cx, sizeof *r);
  if (!r) return NULL;
  *r = (rule){cx, body, user};
  sec_callable *made = sec_callable_create(name, rule_run, rule_destroy, r);
  if (!made) rule_destroy(r);
  return made;
}

static sec_status emit_custom_jvp(sec_fn *f, sec_jaxpr *body, const sec_value *in, sec_value *out) {
  return sec_custom_jvp_call(body, f->rule, in, f->n_in, out);
}
static sec_status emit_custom_vjp(sec_fn *f, sec_jaxpr *body, const sec_value *in, sec_value *out) {
  return sec_custom_vjp_call(body, f->rule, f->bwd, f->n_res, in, f->n_in, out);
}
static sec_status trace_custom_jvp(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  return sec_fn_trace_call(f, in, emit_custom_jvp, out);
}
static sec_status trace_custom_vjp(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  return sec_fn_trace_call(f, in, emit_custom_vjp, out);
}

static bool rule_given(const sec_fn *f, const char *who, bool given) {
  if (!given)
    sec_error_set(SEC_ARGUMENT, "pass a C function", "%s of %s: a rule is NULL", who, f->name);
  return given;
}

/* The node with its callables, or NULL when one of them could not be made. */
static sec_fn *complete(sec_fn *f, bool wants_bwd) {
  if (f && f->rule && (f->bwd || !wants_bwd)) return f;
  sec_fn_destroy(f);
  return NULL;
}

sec_fn *sec_custom_jvp(sec_fn *f, sec_fn_body jvp, void *user) {
  if (!f || !rule_given(f, "custom_jvp", jvp != NULL)) return NULL;
  sec_fn *g = sec_fn_derive(f, trace_custom_jvp, f->n_in, f->n_out);
  if (g) g->rule = rule_callable(f->cx, f->name, jvp, user);
  return complete(g, false);
}

sec_fn *sec_custom_vjp(sec_fn *f, sec_fn_body fwd, sec_fn_body bwd, int n_res, void *user) {
  if (!f || !rule_given(f, "custom_vjp", fwd && bwd)) return NULL;
  if (n_res < 0) {
    sec_error_set(SEC_ARGUMENT, "n_res is 0 or more", "custom_vjp of %s: %d residuals", f->name,
                  n_res);
    return NULL;
  }
  sec_fn *g = sec_fn_derive(f, trace_custom_vjp, f->n_in, f->n_out);
  if (!g) return NULL;
  g->rule = rule_callable(f->cx, f->name, fwd, user);
  g->bwd = rule_callable(f->cx, f->name, bwd, user);
  g->n_res = n_res;
  return complete(g, true);
}
