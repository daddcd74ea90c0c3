/* transpose : (r, a -> b, linear in a) to ((r, cotangents of b) -> cotangents of a).
 *
 * The equations that do not depend on `a` are split off and run forward; the others are walked backward, each one's
 * rule turning the cotangents of its results into those of its linear operands, which add up. */
#include "body.h"
#include "partial.h"
#include <secant/transforms.h>
#include <string.h>

typedef struct back_walk {
  sec_walk w;
  bool *linear;  /* one a variable */
  sec_value *ct; /* one a variable */
  bool *in_linear;
  sec_value *in_ct, *out_ct;
} back_walk;

static sec_status no_transpose(const sec_primitive *prim) {
  return sec_error_set(SEC_NO_RULE, "give the function its own rule with custom_vjp, or use jvp",
                       "%s has no transpose rule", prim->name);
}

static sec_status by_operand(back_walk *b, const sec_eqn *e, sec_rule *rule) {
  if (e->n_out != 1) return no_transpose(e->prim);
  for (uint32_t i = 0; i < e->n_in; i++) {
    if (!b->in_linear[i]) continue;
    sec_transpose_rule f = e->prim->transpose[i < SEC_MAX_OPERANDS ? i : SEC_MAX_OPERANDS - 1];
    if (!f) return no_transpose(e->prim);
    rule->wrt = (int)i;
    b->in_ct[i] = f(rule, b->out_ct[0]);
    if (!sec_value_ok(b->in_ct[i]) && !sec_value_is_zero(b->in_ct[i])) return sec_failed();
  }
  return SEC_OK;
}

static sec_status check_ct(const sec_eqn *e, sec_value ct, const sec_aval *want) {
  const sec_aval *have = sec_value_aval(ct);
  if (!have) return sec_failed();
  if (sec_same_type(have, want)) return SEC_OK;
  return sec_error_set(SEC_TYPE,
                       "look at the transpose rule, or at the backward rule of a custom_vjp",
                       "%s: the cotangent of an operand is %s, but the operand is %s",
                       e->prim->name, have->text, want->text);
}

static sec_status back_eqn(back_walk *b, const sec_eqn *e) {
  bool any = false;
  for (uint32_t i = 0; i < e->n_out; i++) {
    b->out_ct[i] = b->ct[e->out + i];
    any |= !sec_value_is_zero(b->out_ct[i]);
  }
  if (!any) return SEC_OK;
  sec_walk_at(&b->w, e);
  for (uint32_t i = 0; i < e->n_in; i++) {
    b->in_linear[i] = !sec_ref_is_literal(e->in[i]) && b->linear[e->in[i]];
    if (b->in_linear[i]) b->w.in[i] = SEC_VALUE_ZERO;
    b->in_ct[i] = SEC_VALUE_ZERO;
  }
  sec_rule rule = {.prim = e->prim,
                   .params = e->params,
                   .cx = b->w.cx,
                   .in = b->w.in,
                   .in_avals = b->w.in_avals,
                   .n_in = (int)e->n_in,
                   .out_avals = b->w.out_avals,
                   .n_out = (int)e->n_out};
  SEC_TRY(e->prim->transpose_all ? e->prim->transpose_all(&rule, b->in_linear, b->out_ct, b->in_ct)
                                 : by_operand(b, e, &rule));
  for (uint32_t i = 0; i < e->n_in; i++) {
    if (!b->in_linear[i] || sec_value_is_zero(b->in_ct[i])) continue;
    SEC_TRY(check_ct(e, b->in_ct[i], b->w.in_avals[i]));
    SEC_TRY(sec_accumulate(&b->ct[e->in[i]], b->in_ct[i]));
  }
  return SEC_OK;
}

static sec_status back_start(back_walk *b, const sec_jaxpr *j, const sec_value *in, int n_res) {
  SEC_TRY(sec_walk_begin(&b->w, j, in));
  uint32_t wide = b->w.max_in + b->w.max_out;
  b->linear = SEC_NEW(b->w.arena, bool, j->n_vars + b->w.max_in);
  b->ct = SEC_NEW(b->w.arena, sec_value, j->n_vars + wide);
  if (!b->linear || !b->ct) return SEC_MEMORY;
  b->in_linear = b->linear + j->n_vars;
  b->in_ct = b->ct + j->n_vars;
  b->out_ct = b->in_ct + b->w.max_in;
  for (uint32_t i = 0; i < j->n_vars; i++)
    b->linear[i] = i >= (uint32_t)n_res, b->ct[i] = SEC_VALUE_ZERO;
  for (uint32_t k = 0; k < j->n_consts; k++) b->linear[j->consts[k].var] = false;
  return SEC_OK;
}

/* j : (residuals, linear inputs) -> outputs, every equation linear.  in: the residuals, then anything. */
static sec_status back_linear(const sec_jaxpr *j, const sec_value *in, int n_res,
                              const sec_value *ct, sec_value *ct_in) {
  back_walk b = {0};
  sec_status status = back_start(&b, j, in, n_res);
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++)
    if (!sec_ref_is_literal(j->outs[i]) && b.linear[j->outs[i]])
      status = sec_accumulate(&b.ct[j->outs[i]], ct[i]);
  for (uint32_t i = j->n_eqns; i-- > 0 && status == SEC_OK;) status = back_eqn(&b, &j->eqns[i]);
  for (uint32_t i = (uint32_t)n_res; i < j->n_in && status == SEC_OK; i++)
    ct_in[i - (uint32_t)n_res] = b.ct[i];
  sec_walk_end(&b.w);
  return status;
}

/* Values for one pullback: known inputs and outputs, inputs of the unknown side, cotangents. */
typedef struct back_room {
  sec_value *known_in, *known_out, *in, *ct, *ct_in;
} back_room;

static sec_status back_split(const sec_pullback *p, const sec_split *split, const bool *out_known,
                             sec_arena *arena) {
  const sec_jaxpr *j = p->j, *u = split->unknown;
  uint32_t n_known = 0, n_ct = 0, next = 0;
  sec_value *v = SEC_NEW(arena, sec_value, 2 * j->n_in + split->known->n_out + u->n_in + j->n_out);
  if (!v) return SEC_MEMORY;
  back_room r = {v, v + j->n_in, v + j->n_in + split->known->n_out, NULL, NULL};
  r.ct = r.in + u->n_in;
  r.ct_in = r.ct + j->n_out;
  for (uint32_t i = 0; i < j->n_in; i++)
    if (!p->linear[i]) r.known_in[n_known++] = p->in[i];
  SEC_TRY(sec_jaxpr_apply(split->known, r.known_in, r.known_out));
  for (int i = 0; i < split->n_res; i++)
    r.in[i] = r.known_out[split->known->n_out - (uint32_t)split->n_res + (uint32_t)i];
  for (uint32_t i = 0; i < j->n_out; i++)
    if (!out_known[i]) r.ct[n_ct++] = p->ct[i];
  SEC_TRY(back_linear(u, r.in, split->n_res, r.ct, r.ct_in));
  for (uint32_t i = 0; i < j->n_in; i++)
    if (p->linear[i]) p->ct_in[i] = r.ct_in[next++];
  return SEC_OK;
}

sec_status sec_backward(const sec_pullback *p) {
  const sec_jaxpr *j = p->j;
  sec_split split = {0};
  sec_arena *arena = sec_arena_create(j->cx);
  bool *flags = arena ? SEC_NEW(arena, bool, j->n_in + j->n_out) : NULL;
  for (uint32_t i = 0; i < j->n_in; i++) p->ct_in[i] = SEC_VALUE_ZERO;
  sec_status status = flags ? SEC_OK : SEC_MEMORY;
  for (uint32_t i = 0; i < j->n_in && status == SEC_OK; i++) flags[i] = !p->linear[i];
  if (status == SEC_OK) status = sec_jaxpr_partial(j, flags, NULL, flags + j->n_in, &split);
  if (status == SEC_OK) status = back_split(p, &split, flags + j->n_in, arena);
  sec_split_release(&split);
  sec_arena_destroy(arena);
  return status;
}

/* ---- as a jaxpr ---- */
typedef struct transpose_job {
  const sec_jaxpr *j;
  const bool *linear, *ct_given;
} transpose_job;

static sec_status transpose_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const transpose_job *job = user;
  const sec_jaxpr *j = job->j;
  sec_value *v = sec_alloc(j->cx, (2 * j->n_in + j->n_out + 1) * sizeof *v);
  if (!v) return SEC_MEMORY;
  sec_value *ct = v + j->n_in, *ct_in = ct + j->n_out;
  for (uint32_t i = 0; i < j->n_in; i++) v[i] = job->linear[i] ? SEC_VALUE_ZERO : *in++;
  for (uint32_t i = 0; i < j->n_out; i++)
    ct[i] = !job->ct_given || job->ct_given[i] ? *in++ : SEC_VALUE_ZERO;
  sec_status status = sec_backward(&(sec_pullback){j, job->linear, v, ct, ct_in});
  int n = 0;
  for (uint32_t i = 0; i < j->n_in && status == SEC_OK; i++)
    if (job->linear[i]) out[n++] = sec_instantiate(ct_in[i], j->avals[i]);
  *n_out = n;
  sec_free(j->cx, v);
  return status;
}

sec_status sec_transpose_body(const sec_jaxpr *j, const bool *linear, const bool *ct_given,
                              sec_jaxpr **out) {
  *out = NULL;
  const sec_aval **avals = sec_alloc(j->cx, (j->n_in + j->n_out + 1) * sizeof *avals);
  if (!avals) return SEC_MEMORY;
  int n = 0, n_linear = 0;
  for (uint32_t i = 0; i < j->n_in; i++) {
    if (linear[i]) n_linear++;
    else avals[n++] = j->avals[i];
  }
  for (uint32_t i = 0; i < j->n_out; i++)
    if (!ct_given || ct_given[i]) avals[n++] = sec_out_aval(j, i);
  transpose_job job = {j, linear, ct_given};
  sec_status status = sec_build(&(sec_plan){.cx = j->cx,
                                            .name = j->name,
                                            .in_avals = avals,
                                            .n_in = n,
                                            .max_out = n_linear,
                                            .build = transpose_build,
                                            .user = &job},
                                out);
  sec_free(j->cx, avals);
  return status;
}

sec_status sec_jaxpr_transpose(const sec_jaxpr *linear, int n_nonlinear, sec_jaxpr **out) {
  *out = NULL;
  if (n_nonlinear < 0 || (uint32_t)n_nonlinear > linear->n_in)
    return sec_error_set(SEC_ARGUMENT, NULL,
                         "transpose: %d inputs are not linear, but there are %u inputs",
                         n_nonlinear, linear->n_in);
  bool *flags = sec_alloc(linear->cx, linear->n_in + 1);
  if (!flags) return SEC_MEMORY;
  for (uint32_t i = 0; i < linear->n_in; i++) flags[i] = i >= (uint32_t)n_nonlinear;
  sec_status status = sec_transpose_body(linear, flags, NULL, out);
  sec_free(linear->cx, flags);
  return status;
}
