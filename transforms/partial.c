/* Partial evaluation : (known a, unknown a -> b) to (known a -> known b, residuals) and
 * (residuals, unknown a -> unknown b).
 *
 * The known side is replayed in an open trace; unknown equations are noted.  At its end only those that an unknown
 * output needs are kept, and the known values that they read become the residuals. */
#include "body.h"
#include "partial.h"
#include <string.h>

typedef struct deferred {
  const sec_primitive *prim;
  const sec_params *params; /* counted */
  sec_operand *in;
  uint32_t n_in, out, n_out, loc;
  bool needed;
} deferred;

typedef struct sec_unknowns {
  sec_context *cx;
  sec_arena *arena;
  deferred **list;
  const sec_aval **avals; /* one an unknown */
  uint32_t n, room, n_unknowns, unknown_room, loc;
} unknowns;

/* *list with room for one more. */
static bool grow(sec_context *cx, void *list, uint32_t n, uint32_t *room, size_t size) {
  if (n < *room) return true;
  uint32_t more = *room ? 2 * *room : 32;
  void *grown = sec_realloc(cx, *(void **)list, more * size);
  if (!grown) return false;
  *(void **)list = grown;
  *room = more;
  return true;
}

static sec_status new_unknown(unknowns *u, const sec_aval *aval, sec_operand *out) {
  if (!grow(u->cx, &u->avals, u->n_unknowns, &u->unknown_room, sizeof *u->avals)) return SEC_MEMORY;
  u->avals[u->n_unknowns] = aval;
  *out = (sec_operand){.known = false, .unknown = u->n_unknowns++};
  return SEC_OK;
}

static sec_status defer(unknowns *u, const sec_deferral *d, sec_operand *out) {
  deferred *e = SEC_NEW(u->arena, deferred, 1);
  if (!e || !(e->in = SEC_NEW(u->arena, sec_operand, d->n_in))) return SEC_MEMORY;
  if (!grow(u->cx, &u->list, u->n, &u->room, sizeof *u->list)) return SEC_MEMORY;
  if (d->n_in) memcpy(e->in, d->in, (size_t)d->n_in * sizeof *e->in);
  e->prim = d->prim, e->loc = u->loc;
  e->n_in = (uint32_t)d->n_in, e->out = u->n_unknowns, e->n_out = (uint32_t)d->n_out;
  for (int i = 0; i < d->n_out; i++) SEC_TRY(new_unknown(u, d->out_avals[i], &out[i]));
  e->params = d->params; /* from here on ours */
  u->list[u->n++] = e;
  return SEC_OK;
}

sec_status sec_partial_defer(struct sec_partial *p, const sec_deferral *d, sec_operand *out) {
  sec_status status = defer(p->unknowns, d, out);
  if (status != SEC_OK) sec_params_release(d->params);
  return status;
}

sec_status sec_partial_defer_all(struct sec_partial *p) {
  sec_params_retain(p->params);
  return sec_partial_defer(
      p, &(sec_deferral){p->prim, p->params, p->in, p->out_avals, p->n_in, p->n_out}, p->out);
}

static void unknowns_free(unknowns *u) {
  for (uint32_t i = 0; i < u->n; i++) sec_params_release(u->list[i]->params);
  sec_free(u->cx, u->list);
  sec_free(u->cx, u->avals);
  sec_arena_destroy(u->arena);
}

/* ---- the known side ---- */
typedef struct split_job {
  const sec_jaxpr *j;
  const bool *known_in, *force_unknown;
  bool *out_known;
  unknowns u;
  sec_operand *env;      /* one a variable */
  sec_operand *in, *out; /* of the current equation */
  sec_operand *outs;     /* the unknown outputs, in order */
  sec_value *known_outs;
  sec_map residual; /* known value -> its number */
  const sec_aval **res_avals;
  sec_value *residuals;
  uint32_t n_res, n_unknown_outs, n_known_outs, max_res;
} split_job;

static sec_operand known_operand(sec_value v) { return (sec_operand){.known = true, .value = v}; }

static sec_status split_eqn(split_job *s, sec_walk *w, const sec_eqn *e) {
  bool all_known = true;
  sec_walk_at(w, e);
  for (uint32_t i = 0; i < e->n_in; i++) {
    s->in[i] = sec_ref_is_literal(e->in[i]) ? known_operand(w->in[i]) : s->env[e->in[i]];
    all_known &= s->in[i].known;
    w->in[i] = s->in[i].value;
  }
  if (all_known) {
    SEC_TRY(sec_walk_rebind(w, e));
    for (uint32_t i = 0; i < e->n_out; i++) s->env[e->out + i] = known_operand(w->out[i]);
    return SEC_OK;
  }
  s->u.loc = e->loc;
  struct sec_partial p = {.prim = e->prim,
                          .params = e->params,
                          .cx = w->cx,
                          .in = s->in,
                          .in_avals = w->in_avals,
                          .n_in = (int)e->n_in,
                          .out_avals = w->out_avals,
                          .n_out = (int)e->n_out,
                          .out = s->out,
                          .unknowns = &s->u};
  SEC_TRY(e->prim->partial ? e->prim->partial(&p) : sec_partial_defer_all(&p));
  if (e->n_out) memcpy(s->env + e->out, s->out, e->n_out * sizeof *s->out);
  return SEC_OK;
}

/* Marks the equations that unknown outputs need and counts the known values that they read. */
static sec_status mark_needed(split_job *s) {
  bool *needed = SEC_NEW(s->u.arena, bool, s->u.n_unknowns);
  if (!needed) return SEC_MEMORY;
  s->max_res = s->n_unknown_outs;
  for (uint32_t i = 0; i < s->n_unknown_outs; i++)
    if (!s->outs[i].known) needed[s->outs[i].unknown] = true;
  for (uint32_t k = s->u.n; k-- > 0;) {
    deferred *e = s->u.list[k];
    for (uint32_t i = 0; i < e->n_out; i++) e->needed |= needed[e->out + i];
    e->needed |= sec_has_effect(e->prim, e->params);
    for (uint32_t i = 0; e->needed && i < e->n_in; i++)
      if (!e->in[i].known) needed[e->in[i].unknown] = true;
    s->max_res += e->needed ? e->n_in : 0;
  }
  return SEC_OK;
}

static sec_status note_residual(split_job *s, const sec_operand *x) {
  if (!x->known || sec_value_literal(x->value) || sec_map_get(&s->residual, x->value) >= 0)
    return SEC_OK;
  const sec_aval *aval = sec_value_aval(x->value);
  if (!aval) return sec_failed();
  s->res_avals[s->n_res] = aval;
  s->residuals[s->n_res] = x->value;
  return sec_map_put(&s->residual, x->value, (int)s->n_res++);
}

static sec_status collect_residuals(split_job *s) {
  SEC_TRY(mark_needed(s));
  s->res_avals = SEC_NEW(s->u.arena, const sec_aval *, s->max_res);
  s->residuals = SEC_NEW(s->u.arena, sec_value, s->max_res);
  if (!s->res_avals || !s->residuals) return SEC_MEMORY;
  for (uint32_t k = 0; k < s->u.n; k++)
    for (uint32_t i = 0; s->u.list[k]->needed && i < s->u.list[k]->n_in; i++)
      SEC_TRY(note_residual(s, &s->u.list[k]->in[i]));
  for (uint32_t i = 0; i < s->n_unknown_outs; i++) SEC_TRY(note_residual(s, &s->outs[i]));
  return SEC_OK;
}

static sec_status known_walk(split_job *s, sec_walk *w) {
  const sec_jaxpr *j = s->j;
  for (uint32_t k = 0; k < j->n_consts; k++)
    s->env[j->consts[k].var] = known_operand(w->env[j->consts[k].var]);
  for (uint32_t i = 0; i < j->n_eqns; i++) SEC_TRY(split_eqn(s, w, &j->eqns[i]));
  for (uint32_t i = 0; i < j->n_out; i++) {
    sec_ref r = j->outs[i];
    sec_operand x = sec_ref_is_literal(r) ? known_operand(sec_walk_get(w, r)) : s->env[r];
    s->out_known[i] = x.known && !(s->force_unknown && s->force_unknown[i]);
    if (s->out_known[i]) s->known_outs[s->n_known_outs++] = x.value;
    else s->outs[s->n_unknown_outs++] = x;
  }
  return collect_residuals(s);
}

/* Closes the known trace with its outputs and residuals. */
static sec_status known_end(split_job *s, sec_trace *t, sec_jaxpr **out) {
  uint32_t n = s->n_known_outs + s->n_res;
  sec_value *outs = SEC_NEW(s->u.arena, sec_value, n);
  if (!outs) {
    sec_trace_abandon(t);
    return SEC_MEMORY;
  }
  if (s->n_known_outs) memcpy(outs, s->known_outs, s->n_known_outs * sizeof *outs);
  if (s->n_res) memcpy(outs + s->n_known_outs, s->residuals, s->n_res * sizeof *outs);
  return sec_trace_end(t, outs, (int)n, out);
}

static sec_status known_side(split_job *s, sec_jaxpr **out) {
  const sec_jaxpr *j = s->j;
  sec_trace *t = sec_trace_begin(j->cx, j->name);
  if (!t) return sec_failed();
  sec_status status = SEC_OK;
  for (uint32_t i = 0; i < j->n_in && status == SEC_OK; i++) {
    if (s->known_in[i]) s->env[i] = known_operand(sec_trace_input_aval(t, j->avals[i]));
    else status = new_unknown(&s->u, j->avals[i], &s->env[i]);
    if (s->known_in[i] && !sec_value_ok(s->env[i].value)) status = sec_failed();
  }
  sec_walk w = {0};
  if (status == SEC_OK) {
    status = sec_walk_begin(&w, j, NULL);
    if (status == SEC_OK) status = known_walk(s, &w);
    sec_walk_end(&w);
  }
  if (status == SEC_OK) return known_end(s, t, out);
  sec_trace_abandon(t);
  return status;
}

/* ---- the unknown side ---- */
typedef struct unknown_job {
  split_job *s;
  const sec_jaxpr *known;
  const sec_value *residuals; /* inputs of the unknown side */
  sec_value *env;             /* one an unknown */
} unknown_job;

/* Literals of the known side are written out again. */
static sec_value unknown_value(const unknown_job *job, const sec_operand *x) {
  if (!x->known) return job->env[x->unknown];
  if (!sec_ref_is_literal(x->value.ref))
    return job->residuals[sec_map_get(&job->s->residual, x->value)];
  const sec_literal *l = &job->known->literals[sec_ref_index(x->value.ref)];
  return sec_literal_copy(l);
}

static sec_status unknown_eqn(const unknown_job *job, const deferred *e, sec_value *in) {
  for (uint32_t i = 0; i < e->n_in; i++) in[i] = unknown_value(job, &e->in[i]);
  uint32_t former = sec_trace_set_location(e->loc);
  sec_params_retain(e->params);
  sec_status status =
      sec_bind(e->prim, in, (int)e->n_in, e->params, job->env + e->out, (int)e->n_out);
  sec_trace_set_location(former);
  return status;
}

static sec_status unknown_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  unknown_job *job = user;
  split_job *s = job->s;
  uint32_t widest = 0, next = s->n_res;
  for (uint32_t k = 0; k < s->u.n; k++)
    widest = s->u.list[k]->n_in > widest ? s->u.list[k]->n_in : widest;
  sec_value *room = SEC_NEW(s->u.arena, sec_value, widest);
  if (!room) return SEC_MEMORY;
  job->residuals = in;
  for (uint32_t i = 0; i < s->j->n_in; i++)
    if (!s->known_in[i]) job->env[s->env[i].unknown] = in[next++];
  for (uint32_t k = 0; k < s->u.n; k++)
    if (s->u.list[k]->needed) SEC_TRY(unknown_eqn(job, s->u.list[k], room));
  for (uint32_t i = 0; i < s->n_unknown_outs; i++) out[i] = unknown_value(job, &s->outs[i]);
  *n_out = (int)s->n_unknown_outs;
  return SEC_OK;
}

static sec_status unknown_side(split_job *s, const sec_jaxpr *known, sec_jaxpr **out) {
  const sec_jaxpr *j = s->j;
  uint32_t n = s->n_res;
  const sec_aval **avals = SEC_NEW(s->u.arena, const sec_aval *, n + j->n_in);
  sec_value *env = SEC_NEW(s->u.arena, sec_value, s->u.n_unknowns);
  if (!avals || !env) return SEC_MEMORY;
  if (n) memcpy(avals, s->res_avals, n * sizeof *avals);
  for (uint32_t i = 0; i < j->n_in; i++)
    if (!s->known_in[i]) avals[n++] = j->avals[i];
  unknown_job job = {.s = s, .known = known, .env = env};
  return sec_build(&(sec_plan){.cx = j->cx,
                               .name = j->name,
                               .in_avals = avals,
                               .n_in = (int)n,
                               .max_out = (int)s->n_unknown_outs,
                               .build = unknown_build,
                               .user = &job},
                   out);
}

/* ---- both ---- */
static sec_status split_start(split_job *s) {
  const sec_jaxpr *j = s->j;
  uint32_t widest_in = 0, widest_out = 0;
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    widest_in = j->eqns[i].n_in > widest_in ? j->eqns[i].n_in : widest_in;
    widest_out = j->eqns[i].n_out > widest_out ? j->eqns[i].n_out : widest_out;
  }
  s->u.arena = sec_arena_create(j->cx);
  if (!s->u.arena) return SEC_MEMORY;
  s->env = SEC_NEW(s->u.arena, sec_operand, j->n_vars + widest_in + widest_out + j->n_out);
  s->known_outs = SEC_NEW(s->u.arena, sec_value, j->n_out);
  if (!s->env || !s->known_outs) return SEC_MEMORY;
  s->in = s->env + j->n_vars;
  s->out = s->in + widest_in;
  s->outs = s->out + widest_out;
  return SEC_OK;
}

sec_status sec_jaxpr_partial(const sec_jaxpr *j, const bool *known, const bool *force_unknown,
                             bool *out_known, sec_split *out) {
  *out = (sec_split){0};
  split_job s = {.j = j,
                 .known_in = known,
                 .force_unknown = force_unknown,
                 .out_known = out_known,
                 .u.cx = j->cx,
                 .residual.cx = j->cx};
  sec_status status = split_start(&s);
  if (status == SEC_OK) status = known_side(&s, &out->known);
  if (status == SEC_OK) status = unknown_side(&s, out->known, &out->unknown);
  out->n_res = (int)s.n_res;
  if (status != SEC_OK) sec_split_release(out);
  sec_map_free(&s.residual);
  unknowns_free(&s.u);
  return status;
}

void sec_split_release(sec_split *s) {
  sec_jaxpr_release(s->known);
  sec_jaxpr_release(s->unknown);
  *s = (sec_split){0};
}
