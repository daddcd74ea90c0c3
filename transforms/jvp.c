/* jvp : (a -> b) to ((a, a') -> (b, b')).
 *
 * Every equation is replayed and its rule asked for the tangents of its results.  A tangent known to be zero is
 * SEC_VALUE_ZERO and never becomes an equation unless the caller asks for it. */
#include "body.h"
#include "ops/control_rules.h"
#include <secant/transforms.h>

typedef struct jvp_walk {
  sec_walk w;
  sec_value *dot;              /* one a variable */
  sec_value *in_dot, *out_dot; /* of the current equation */
  sec_value *scratch;
} jvp_walk;

static sec_rule rule_of(const jvp_walk *v, const sec_eqn *e) {
  return (sec_rule){.prim = e->prim,
                    .params = e->params,
                    .cx = v->w.cx,
                    .in = v->w.in,
                    .in_avals = v->w.in_avals,
                    .n_in = (int)e->n_in,
                    .out = v->w.out,
                    .out_avals = v->w.out_avals,
                    .n_out = (int)e->n_out};
}

static sec_status no_jvp(const sec_primitive *prim) {
  return sec_error_set(
      SEC_NO_RULE, "give the function its own rule with custom_jvp, or stop_gradient the operand",
      "%s has no jvp rule", prim->name);
}

static bool is_linear_in(const sec_primitive *prim, uint32_t i) {
  return prim->linear >> (i < 31 ? i : 31) & 1;
}

/* The place of operand i's rule: variadic primitives share the last one. */
static uint32_t rule_slot(uint32_t i) { return i < SEC_MAX_OPERANDS ? i : SEC_MAX_OPERANDS - 1; }

/* Binds the primitive on the tangents when it is worth it: all linear operands have one, or there is no rule an
 * operand.  *used tells. */
static sec_status linear_term(jvp_walk *v, const sec_eqn *e, sec_value *sum, bool *used) {
  bool any = false, all = true, rules = true;
  for (uint32_t i = 0; i < e->n_in; i++) {
    if (!is_linear_in(e->prim, i)) continue;
    bool zero = sec_value_is_zero(v->in_dot[i]);
    any |= !zero;
    all &= !zero;
    rules &= zero || e->prim->jvp[rule_slot(i)];
  }
  *used = any && (all || !rules);
  if (!*used) return SEC_OK;
  for (uint32_t i = 0; i < e->n_in; i++)
    v->scratch[i] =
        is_linear_in(e->prim, i) ? sec_instantiate(v->in_dot[i], v->w.in_avals[i]) : v->w.in[i];
  sec_params_retain(e->params);
  return sec_bind(e->prim, v->scratch, (int)e->n_in, e->params, sum, 1);
}

/* The sum over the operands of their terms. */
static sec_status tangent_of(jvp_walk *v, const sec_eqn *e, sec_value *sum) {
  bool by_linearity;
  sec_rule rule = rule_of(v, e);
  *sum = SEC_VALUE_ZERO;
  SEC_TRY(linear_term(v, e, sum, &by_linearity));
  for (uint32_t i = 0; i < e->n_in; i++) {
    if (sec_value_is_zero(v->in_dot[i]) || (by_linearity && is_linear_in(e->prim, i))) continue;
    sec_jvp_rule f = e->prim->jvp[rule_slot(i)];
    if (!f) return no_jvp(e->prim);
    rule.wrt = (int)i;
    sec_value term = f(&rule, v->in_dot[i]);
    if (!sec_value_ok(term) && !sec_value_is_zero(term)) return sec_failed();
    SEC_TRY(sec_accumulate(sum, term));
  }
  return SEC_OK;
}

static sec_status jvp_eqn(jvp_walk *v, const sec_eqn *e) {
  const sec_primitive *prim = e->prim;
  bool active = false;
  sec_walk_at(&v->w, e);
  for (uint32_t i = 0; i < e->n_in; i++) {
    v->in_dot[i] = sec_ref_is_literal(e->in[i]) ? SEC_VALUE_ZERO : v->dot[e->in[i]];
    active |= !sec_value_is_zero(v->in_dot[i]);
  }
  for (uint32_t i = 0; i < e->n_out; i++) v->out_dot[i] = SEC_VALUE_ZERO;
  if (!active || prim->flags & SEC_FLAG_NO_GRADIENT) {
    SEC_TRY(sec_walk_rebind(&v->w, e));
  } else if (prim->jvp_all) {
    sec_rule rule = rule_of(v, e);
    rule.out = NULL;
    SEC_TRY(prim->jvp_all(&rule, v->in_dot, v->w.out, v->out_dot));
  } else {
    if (e->n_out != 1) return no_jvp(prim);
    SEC_TRY(sec_walk_rebind(&v->w, e));
    if (sec_has_tangent(v->w.out_avals[0])) SEC_TRY(tangent_of(v, e, &v->out_dot[0]));
  }
  sec_walk_set(&v->w, e);
  for (uint32_t i = 0; i < e->n_out; i++)
    v->dot[e->out + i] = sec_has_tangent(v->w.out_avals[i]) ? v->out_dot[i] : SEC_VALUE_ZERO;
  return SEC_OK;
}

static sec_status jvp_start(jvp_walk *v, const sec_jaxpr *j, const sec_value *in,
                            const sec_value *in_dot) {
  SEC_TRY(sec_walk_begin(&v->w, j, in));
  v->dot = SEC_NEW(v->w.arena, sec_value, j->n_vars + 2 * v->w.max_in + v->w.max_out);
  if (!v->dot) return SEC_MEMORY;
  v->in_dot = v->dot + j->n_vars;
  v->scratch = v->in_dot + v->w.max_in;
  v->out_dot = v->scratch + v->w.max_in;
  for (uint32_t i = 0; i < j->n_vars; i++) v->dot[i] = i < j->n_in ? in_dot[i] : SEC_VALUE_ZERO;
  return SEC_OK;
}

/* jvp in the current trace. */
static sec_status jvp_apply(const sec_jaxpr *j, const sec_value *in, const sec_value *in_dot,
                            sec_value *out, sec_value *out_dot) {
  jvp_walk v = {0};
  sec_status status = jvp_start(&v, j, in, in_dot);
  for (uint32_t i = 0; i < j->n_eqns && status == SEC_OK; i++) status = jvp_eqn(&v, &j->eqns[i]);
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++) {
    out[i] = sec_walk_get(&v.w, j->outs[i]);
    out_dot[i] = sec_ref_is_literal(j->outs[i]) ? SEC_VALUE_ZERO : v.dot[j->outs[i]];
  }
  sec_walk_end(&v.w);
  return status;
}

/* ---- as a jaxpr ---- */
typedef struct jvp_job {
  const sec_jaxpr *j;
  const bool *nonzero, *force;
  bool *out_nonzero;
  sec_value *in_dot, *out_dot;
} jvp_job;

static sec_status jvp_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  jvp_job *job = user;
  const sec_jaxpr *j = job->j;
  uint32_t next = j->n_in;
  for (uint32_t i = 0; i < j->n_in; i++)
    job->in_dot[i] = job->nonzero[i] ? in[next++] : SEC_VALUE_ZERO;
  SEC_TRY(jvp_apply(j, in, job->in_dot, out, job->out_dot));
  uint32_t n = j->n_out;
  for (uint32_t i = 0; i < j->n_out; i++) {
    const sec_aval *aval = sec_out_aval(j, i);
    bool wanted = job->force && job->force[i] && sec_has_tangent(aval);
    job->out_nonzero[i] = wanted || !sec_value_is_zero(job->out_dot[i]);
    if (job->out_nonzero[i]) out[n++] = sec_instantiate(job->out_dot[i], aval);
  }
  *n_out = (int)n;
  return SEC_OK;
}

sec_status sec_jvp_body(const sec_jaxpr *j, const bool *nonzero, const bool *force,
                        bool *out_nonzero, sec_jaxpr **out) {
  *out = NULL;
  sec_arena *arena = sec_arena_create(j->cx);
  sec_value *dots = arena ? SEC_NEW(arena, sec_value, j->n_in + j->n_out) : NULL;
  const sec_aval **avals = arena ? SEC_NEW(arena, const sec_aval *, 2 * j->n_in) : NULL;
  uint32_t n = j->n_in;
  sec_status status = dots && avals ? SEC_OK : SEC_MEMORY;
  for (uint32_t i = 0; i < j->n_in && status == SEC_OK; i++) {
    avals[i] = j->avals[i];
    if (nonzero[i]) avals[n++] = j->avals[i];
  }
  if (status == SEC_OK) {
    jvp_job job = {j, nonzero, force, out_nonzero, dots, dots + j->n_in};
    status = sec_build(&(sec_plan){.cx = j->cx,
                                   .name = j->name,
                                   .in_avals = avals,
                                   .n_in = (int)n,
                                   .max_out = 2 * (int)j->n_out,
                                   .build = jvp_build,
                                   .user = &job},
                       out);
  }
  sec_arena_destroy(arena);
  return status;
}

static sec_status check_tangents(const sec_jaxpr *j, const bool *nonzero) {
  for (uint32_t i = 0; i < j->n_in; i++)
    if (nonzero[i] && !sec_has_tangent(j->avals[i]))
      return sec_error_set(SEC_TYPE, "differentiate only by float arguments",
                           "jvp: argument %u is %s, which has no tangent", i, j->avals[i]->text);
  return SEC_OK;
}

/* Whether a linear part that can only be transposed stands in the jaxpr, needed or not. */
static bool has_custom_lin(const sec_jaxpr *j) {
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    const sec_params *p = j->eqns[i].params;
    if (j->eqns[i].prim == &sec_custom_lin_p) return true;
    for (int k = 0; p && k < p->n; k++) {
      const sec_param *q = &p->list[k];
      if (q->kind == SEC_PARAM_JAXPR && has_custom_lin(q->u.jaxpr)) return true;
      for (int b = 0; q->kind == SEC_PARAM_JAXPRS && b < q->u.jaxprs.n; b++)
        if (has_custom_lin(q->u.jaxprs.v[b])) return true;
    }
  }
  return false;
}

sec_status sec_jaxpr_jvp(const sec_jaxpr *j, const bool *nonzero, bool *out_nonzero,
                         sec_jaxpr **out) {
  *out = NULL;
  sec_arena *arena = sec_arena_create(j->cx);
  bool *flags = arena ? SEC_NEW(arena, bool, j->n_in + 2 * j->n_out) : NULL;
  sec_status status = flags ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK) {
    bool *force = flags + j->n_in, *found = force + j->n_out;
    for (uint32_t i = 0; i < j->n_in; i++)
      flags[i] = nonzero ? nonzero[i] : sec_has_tangent(j->avals[i]);
    for (uint32_t i = 0; i < j->n_out; i++) force[i] = !out_nonzero;
    status = check_tangents(j, flags);
    if (status == SEC_OK)
      status = sec_jvp_body(j, flags, force, out_nonzero ? out_nonzero : found, out);
  }
  if (status == SEC_OK && has_custom_lin(*out)) {
    status = sec_custom_lin_p.refuse();
    sec_jaxpr_release(*out);
    *out = NULL;
  }
  sec_arena_destroy(arena);
  return status;
}
