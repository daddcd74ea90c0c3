/* Dead code elimination : (a -> b) to (the a that are needed -> the b that are wanted).
 *
 * Backward over the equations: those that no wanted value needs are dropped, and those with bodies shrink to what is
 * read of their results.  Then the rest is replayed. */
#include "body.h"
#include "ops/control_rules.h"
#include <string.h>

static bool body_has_effect(const sec_jaxpr *j) {
  for (uint32_t i = 0; i < j->n_eqns; i++)
    if (sec_has_effect(j->eqns[i].prim, j->eqns[i].params)) return true;
  return false;
}

bool sec_has_effect(const sec_primitive *prim, const sec_params *params) {
  if (prim->flags & SEC_FLAG_EFFECT) return true;
  for (int i = 0; params && i < params->n; i++) {
    const sec_param *q = &params->list[i];
    if (q->kind == SEC_PARAM_JAXPR && body_has_effect(q->u.jaxpr)) return true;
    for (int k = 0; q->kind == SEC_PARAM_JAXPRS && k < q->u.jaxprs.n; k++)
      if (body_has_effect(q->u.jaxprs.v[k])) return true;
  }
  return false;
}

/* An equation that stays, perhaps with other parameters and fewer operands and results. */
typedef struct shrunk {
  bool live;
  const sec_params *params; /* counted; NULL: the equation stays as it is */
  bool *in, *out;
} shrunk;

typedef sec_status (*shrink_rule)(const sec_eqn *e, shrunk *s);

/* ---- bodies ---- */
/* Calls: the body is pruned, and operands that it does not need go. */
static sec_status shrink_call(const sec_eqn *e, shrunk *s) {
  sec_jaxpr *body = sec_params_jaxpr(e->params, e->prim->call_param), *pruned;
  SEC_TRY(sec_prune(body, s->out, s->in, &pruned));
  s->params = sec_call_params(&(sec_call_spec){e->prim, e->params, pruned});
  sec_jaxpr_release(pruned);
  return s->params ? SEC_OK : SEC_MEMORY;
}

/* All branches need the union of what each needs. */
static sec_status shrink_cond(const sec_eqn *e, shrunk *s) {
  int n;
  sec_jaxpr *const *branches = sec_cond_branches(e->params, &n);
  sec_context *cx = branches[0]->cx;
  sec_jaxpr **pruned = sec_alloc(cx, (size_t)n * sizeof *pruned);
  sec_status status = pruned ? SEC_OK : SEC_MEMORY;
  if (!pruned) return status;
  memset(pruned, 0, (size_t)n * sizeof *pruned);
  s->in[0] = true;
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < n && status == SEC_OK; k++) {
      sec_jaxpr_release(pruned[k]);
      status = sec_prune(branches[k], s->out, s->in + 1, &pruned[k]);
    }
  if (status == SEC_OK) {
    s->params = sec_params_make(cx, SEC_PARAMS(SEC_P_JAXPRS("branches", pruned, n)));
    if (!s->params) status = SEC_MEMORY;
  }
  for (int k = 0; k < n; k++) sec_jaxpr_release(pruned[k]);
  sec_free(cx, pruned);
  return status;
}

/* Carries by fixpoint: one is needed when its result is, or when the body needs it. */
static sec_status shrink_scan(const sec_eqn *e, shrunk *s) {
  sec_scan_spec spec = sec_scan_read(e->params);
  sec_jaxpr *body = spec.body;
  bool *carry = s->in + spec.n_consts;
  spec.body = NULL;
  memcpy(carry, s->out, (size_t)spec.n_carry);
  for (bool changed = true; changed;) {
    sec_jaxpr_release(spec.body);
    SEC_TRY(sec_prune(body, s->out, s->in, &spec.body));
    changed = memcmp(carry, s->out, (size_t)spec.n_carry) != 0;
    memcpy(s->out, carry, (size_t)spec.n_carry);
  }
  int n_consts = 0, n_carry = 0;
  for (int i = 0; i < spec.n_consts; i++) n_consts += s->in[i];
  for (int i = 0; i < spec.n_carry; i++) n_carry += carry[i];
  spec.n_consts = n_consts;
  spec.n_carry = n_carry;
  s->params = sec_scan_params(&spec);
  sec_jaxpr_release(spec.body);
  return s->params ? SEC_OK : SEC_MEMORY;
}

/* The same over the condition and the body; for_cond: its inputs, room for the carry behind its constants. */
static sec_status shrink_while_with(const sec_eqn *e, shrunk *s, bool *for_cond) {
  sec_while_spec spec = sec_while_read(e->params), old = spec;
  int n_carry = (int)e->n_out;
  bool *carry = s->in + spec.n_cond_consts + spec.n_body_consts,
       *cond_carry = for_cond + spec.n_cond_consts;
  spec.cond = spec.body = NULL;
  sec_status status = SEC_OK;
  memcpy(carry, s->out, (size_t)n_carry);
  for (bool changed = true; changed && status == SEC_OK;) {
    sec_jaxpr_release(spec.cond);
    sec_jaxpr_release(spec.body);
    spec.cond = spec.body = NULL;
    memcpy(cond_carry, carry, (size_t)n_carry);
    status = sec_prune(old.cond, (const bool[]){true}, for_cond, &spec.cond);
    memcpy(carry, cond_carry, (size_t)n_carry);
    memcpy(s->out, carry, (size_t)n_carry);
    if (status == SEC_OK)
      status = sec_prune(old.body, s->out, s->in + spec.n_cond_consts, &spec.body);
    changed = memcmp(carry, s->out, (size_t)n_carry) != 0;
  }
  memcpy(s->in, for_cond, (size_t)spec.n_cond_consts);
  spec.n_cond_consts = spec.n_body_consts = 0;
  for (int i = 0; i < old.n_cond_consts; i++) spec.n_cond_consts += s->in[i];
  for (int i = 0; i < old.n_body_consts; i++) spec.n_body_consts += s->in[old.n_cond_consts + i];
  if (status == SEC_OK && !(s->params = sec_while_params(&spec))) status = SEC_MEMORY;
  sec_jaxpr_release(spec.cond);
  sec_jaxpr_release(spec.body);
  return status;
}

static sec_status shrink_while(const sec_eqn *e, shrunk *s) {
  sec_context *cx = e->params->cx;
  bool *for_cond = sec_alloc(cx, e->n_in + 1);
  if (!for_cond) return SEC_MEMORY;
  memset(for_cond, 0, e->n_in + 1);
  sec_status status = shrink_while_with(e, s, for_cond);
  sec_free(cx, for_cond);
  return status;
}

static const struct {
  const sec_primitive *prim;
  shrink_rule rule;
} shrink_rules[] = {
    {&sec_scan_p, shrink_scan}, {&sec_cond_p, shrink_cond},       {&sec_while_p, shrink_while},
    {&sec_jit_p, shrink_call},  {&sec_checkpoint_p, shrink_call},
};

/* ---- the walk backward ---- */
typedef struct prune_job {
  const sec_jaxpr *j;
  const bool *used;
  bool *used_in; /* in: inputs that stay anyway; out: those that stay */
  bool *live;    /* one a variable */
  shrunk *eqns;
} prune_job;

static sec_status shrink(prune_job *p, const sec_eqn *e, shrunk *s, sec_arena *arena) {
  s->in = SEC_NEW(arena, bool, e->n_in + e->n_out);
  if (!s->in) return SEC_MEMORY;
  s->out = s->in + e->n_in;
  memcpy(s->out, p->live + e->out, e->n_out);
  for (size_t k = 0; k < sizeof shrink_rules / sizeof *shrink_rules; k++)
    if (shrink_rules[k].prim == e->prim) return shrink_rules[k].rule(e, s);
  memset(s->in, 1, e->n_in + e->n_out);
  return SEC_OK;
}

static sec_status mark_live(prune_job *p, sec_arena *arena) {
  const sec_jaxpr *j = p->j;
  for (uint32_t i = 0; i < j->n_out; i++)
    if (p->used[i] && !sec_ref_is_literal(j->outs[i])) p->live[j->outs[i]] = true;
  for (uint32_t i = j->n_eqns; i-- > 0;) {
    const sec_eqn *e = &j->eqns[i];
    shrunk *s = &p->eqns[i];
    s->live = sec_has_effect(e->prim, e->params);
    for (uint32_t k = 0; k < e->n_out; k++) s->live |= p->live[e->out + k];
    if (!s->live) continue;
    SEC_TRY(shrink(p, e, s, arena));
    for (uint32_t k = 0; k < e->n_in; k++)
      if (s->in[k] && !sec_ref_is_literal(e->in[k])) p->live[e->in[k]] = true;
  }
  for (uint32_t i = 0; i < j->n_in; i++) p->used_in[i] |= p->live[i];
  return SEC_OK;
}

/* ---- the replay ---- */
static sec_status replay_shrunk(sec_walk *w, const sec_eqn *e, const shrunk *s) {
  int n_in = 0, n_out = 0;
  sec_walk_at(w, e);
  for (uint32_t k = 0; k < e->n_in; k++)
    if (s->in[k]) w->in[n_in++] = w->in[k];
  for (uint32_t k = 0; k < e->n_out; k++) n_out += s->out[k];
  const sec_params *params = s->params ? s->params : e->params;
  sec_params_retain(params);
  SEC_TRY(sec_bind(e->prim, w->in, n_in, params, w->out, n_out));
  for (uint32_t k = 0, n = 0; k < e->n_out; k++)
    w->env[e->out + k] = s->out[k] ? w->out[n++] : SEC_VALUE_POISON;
  return SEC_OK;
}

/* Captures that nothing reads are not captured again. */
static sec_status bind_live_captures(const prune_job *p, sec_walk *w) {
  for (uint32_t k = 0; k < p->j->n_consts; k++) {
    if (!p->live[p->j->consts[k].var]) continue;
    w->env[p->j->consts[k].var] = sec_capture_value(p->j, k);
    if (!sec_value_ok(w->env[p->j->consts[k].var])) return sec_failed();
  }
  return SEC_OK;
}

static sec_status prune_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const prune_job *p = user;
  sec_jaxpr open = *p->j; /* the same equations, without captures */
  sec_walk w;
  int n = 0;
  open.n_consts = 0;
  sec_status status = sec_walk_begin(&w, &open, NULL);
  for (uint32_t i = 0; i < open.n_in && status == SEC_OK; i++)
    if (p->used_in[i]) w.env[i] = *in++;
  if (status == SEC_OK) status = bind_live_captures(p, &w);
  for (uint32_t i = 0; i < open.n_eqns && status == SEC_OK; i++)
    if (p->eqns[i].live) status = replay_shrunk(&w, &open.eqns[i], &p->eqns[i]);
  for (uint32_t i = 0; i < open.n_out && status == SEC_OK; i++)
    if (p->used[i]) out[n++] = sec_walk_get(&w, open.outs[i]);
  *n_out = n;
  sec_walk_end(&w);
  return status;
}

static sec_status prune(prune_job *p, sec_arena *arena, sec_jaxpr **out) {
  const sec_jaxpr *j = p->j;
  const sec_aval **avals = SEC_NEW(arena, const sec_aval *, j->n_in);
  int n = 0;
  p->live = SEC_NEW(arena, bool, j->n_vars);
  p->eqns = SEC_NEW(arena, shrunk, j->n_eqns);
  if (!avals || !p->live || !p->eqns) return SEC_MEMORY;
  sec_status status = mark_live(p, arena);
  for (uint32_t i = 0; i < j->n_in && status == SEC_OK; i++)
    if (p->used_in[i]) avals[n++] = j->avals[i];
  if (status == SEC_OK)
    status = sec_build(&(sec_plan){.cx = j->cx,
                                   .name = j->name,
                                   .in_avals = avals,
                                   .n_in = n,
                                   .max_out = (int)j->n_out,
                                   .build = prune_build,
                                   .user = p},
                       out);
  for (uint32_t i = 0; i < j->n_eqns; i++) sec_params_release(p->eqns[i].params);
  return status;
}

sec_status sec_prune(const sec_jaxpr *j, const bool *used, bool *used_in, sec_jaxpr **out) {
  *out = NULL;
  prune_job p = {.j = j, .used = used, .used_in = used_in};
  sec_arena *arena = sec_arena_create(j->cx);
  sec_status status = arena ? prune(&p, arena, out) : SEC_MEMORY;
  sec_arena_destroy(arena);
  return status;
}
