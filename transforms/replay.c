/* Walks, builds and rewirings: see replay.h. */
#include "replay.h"
#include "ops/family.h"
#include <string.h>

bool sec_same_type(const sec_aval *a, const sec_aval *b) {
  return a == b || (a->dtype == b->dtype && a->rank == b->rank &&
                    memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0);
}

sec_status sec_failed(void) {
  sec_status status = sec_error_status(NULL);
  return status != SEC_OK ? status : sec_error_set(SEC_ARGUMENT, NULL, "a value is missing");
}

sec_value sec_with_weak(sec_value x, const sec_aval *aval) {
  const sec_aval *have = sec_value_aval(x);
  return !have || have->weak == aval->weak ? x : sec_convert(x, aval->dtype, aval->weak);
}

sec_status sec_accumulate(sec_value *sum, sec_value ct) {
  if (sec_value_is_zero(ct)) return SEC_OK;
  *sum = sec_value_is_zero(*sum) ? ct : sec_add_any(*sum, ct);
  return sec_value_ok(*sum) ? SEC_OK : sec_failed();
}

/* ---- walks ---- */
static void widest(sec_walk *w) {
  for (uint32_t i = 0; i < w->j->n_eqns; i++) {
    if (w->j->eqns[i].n_in > w->max_in) w->max_in = w->j->eqns[i].n_in;
    if (w->j->eqns[i].n_out > w->max_out) w->max_out = w->j->eqns[i].n_out;
  }
}

sec_status sec_walk_begin(sec_walk *w, const sec_jaxpr *j, const sec_value *in) {
  *w = (sec_walk){.j = j, .cx = j->cx, .arena = sec_arena_create(j->cx)};
  w->former_location = sec_trace_set_location(0);
  sec_trace_set_location(w->former_location);
  if (!w->arena) return SEC_MEMORY;
  widest(w);
  uint32_t n = j->n_vars + w->max_in + w->max_out;
  w->env = SEC_NEW(w->arena, sec_value, n);
  w->in_avals = SEC_NEW(w->arena, const sec_aval *, w->max_in + w->max_out);
  if (!w->env || !w->in_avals) return SEC_MEMORY;
  w->in = w->env + j->n_vars;
  w->out = w->in + w->max_in;
  w->out_avals = w->in_avals + w->max_in;
  for (uint32_t i = 0; in && i < j->n_in; i++) w->env[i] = in[i];
  for (uint32_t k = 0; k < j->n_consts; k++) {
    const sec_const *c = &j->consts[k];
    w->env[c->var] = c->array ? sec_constant(c->array) : c->outer;
    if (!sec_value_ok(w->env[c->var])) return sec_failed();
  }
  return SEC_OK;
}

void sec_walk_end(sec_walk *w) {
  sec_trace_set_location(w->former_location);
  sec_arena_destroy(w->arena);
}

sec_value sec_walk_get(const sec_walk *w, sec_ref r) {
  if (!sec_ref_is_literal(r)) return w->env[r];
  const sec_literal *l = &w->j->literals[sec_ref_index(r)];
  return sec_literal_copy(l);
}

void sec_walk_at(sec_walk *w, const sec_eqn *e) {
  sec_trace_set_location(e->loc ? e->loc : w->former_location);
  for (uint32_t i = 0; i < e->n_in; i++) {
    w->in[i] = sec_walk_get(w, e->in[i]);
    w->in_avals[i] = sec_ref_aval(w->j, e->in[i]);
  }
  for (uint32_t i = 0; i < e->n_out; i++) w->out_avals[i] = w->j->avals[e->out + i];
}

sec_status sec_walk_rebind(sec_walk *w, const sec_eqn *e) {
  sec_params_retain(e->params);
  return sec_bind(e->prim, w->in, (int)e->n_in, e->params, w->out, (int)e->n_out);
}

void sec_walk_set(sec_walk *w, const sec_eqn *e) {
  if (e->n_out) memcpy(w->env + e->out, w->out, e->n_out * sizeof *w->out);
}

/* ---- builds ---- */
static sec_status build_in(const sec_plan *p, sec_trace *t, sec_arena *scratch, sec_jaxpr **out) {
  sec_value *values = SEC_NEW(scratch, sec_value, p->n_in + p->max_out);
  int n_out = 0;
  sec_status status = values ? SEC_OK : SEC_MEMORY;
  for (int i = 0; i < p->n_in && status == SEC_OK; i++) {
    values[i] = sec_trace_input_aval(t, p->in_avals[i]);
    if (!sec_value_ok(values[i])) status = sec_failed();
  }
  if (status == SEC_OK) status = p->build(p->user, values, values + p->n_in, &n_out);
  if (status == SEC_OK) return sec_trace_end(t, values + p->n_in, n_out, out);
  sec_trace_abandon(t);
  return status;
}

sec_status sec_build(const sec_plan *p, sec_jaxpr **out) {
  *out = NULL;
  sec_arena *scratch = sec_arena_create(p->cx);
  if (!scratch) return SEC_MEMORY;
  sec_trace *t = sec_trace_begin(p->cx, p->name);
  sec_status status = t ? build_in(p, t, scratch, out) : sec_failed();
  sec_arena_destroy(scratch);
  return status;
}

typedef struct rewire_job {
  const sec_jaxpr *j;
  const sec_rewiring *r;
} rewire_job;

static sec_status rewire_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const rewire_job *job = user;
  const sec_jaxpr *j = job->j;
  sec_value *v = sec_alloc(j->cx, (j->n_in + j->n_out + 1) * sizeof *v);
  if (!v) return SEC_MEMORY;
  for (uint32_t i = 0; i < j->n_in; i++) v[i] = in[job->r->source[i]];
  sec_status status = sec_jaxpr_apply(j, v, v + j->n_in);
  for (int k = 0; k < job->r->n_out; k++) {
    int from = job->r->outs[k];
    out[k] = from < 0 ? in[~from] : v[j->n_in + (uint32_t)from];
  }
  *n_out = job->r->n_out;
  sec_free(j->cx, v);
  return status;
}

sec_status sec_rewire(const sec_jaxpr *j, const sec_rewiring *r, sec_jaxpr **out) {
  rewire_job job = {j, r};
  return sec_build(&(sec_plan){.cx = j->cx,
                               .name = j->name,
                               .in_avals = r->in_avals,
                               .n_in = r->n_in,
                               .max_out = r->n_out,
                               .build = rewire_build,
                               .user = &job},
                   out);
}

/* ---- the map ---- */
static uint64_t map_key(sec_value v) { return (uint64_t)v.trace << 32 | v.ref; }

static uint32_t map_slot(const sec_map *m, uint64_t key) {
  uint32_t slot = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (m->room - 1);
  while (m->keys[slot] && m->keys[slot] != key) slot = (slot + 1) & (m->room - 1);
  return slot;
}

void sec_map_free(sec_map *m) {
  sec_free(m->cx, m->keys);
  sec_free(m->cx, m->values);
  *m = (sec_map){.cx = m->cx};
}

int sec_map_get(const sec_map *m, sec_value v) {
  if (!m->room) return -1;
  uint32_t slot = map_slot(m, map_key(v));
  return m->keys[slot] ? m->values[slot] : -1;
}

static sec_status map_grow(sec_map *m) {
  sec_map more = {.cx = m->cx, .n = m->n, .room = m->room ? 2 * m->room : 64};
  more.keys = sec_alloc(m->cx, more.room * sizeof *more.keys);
  more.values = sec_alloc(m->cx, more.room * sizeof *more.values);
  if (!more.keys || !more.values) {
    sec_map_free(&more);
    return SEC_MEMORY;
  }
  memset(more.keys, 0, more.room * sizeof *more.keys);
  for (uint32_t i = 0; i < m->room; i++) {
    if (!m->keys[i]) continue;
    uint32_t slot = map_slot(&more, m->keys[i]);
    more.keys[slot] = m->keys[i];
    more.values[slot] = m->values[i];
  }
  sec_map_free(m);
  *m = more;
  return SEC_OK;
}

sec_status sec_map_put(sec_map *m, sec_value v, int value) {
  if (2 * (m->n + 1) > m->room) SEC_TRY(map_grow(m));
  uint32_t slot = map_slot(m, map_key(v));
  if (!m->keys[slot]) m->n++;
  m->keys[slot] = map_key(v);
  m->values[slot] = value;
  return SEC_OK;
}
