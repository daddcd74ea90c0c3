/* Jaxprs: counting, queries, structural hash and equality, replay into the current trace. */
#include "hash.h"
#include "memory.h"
#include "primitive.h"
#include <secant/ops.h>
#include <string.h>

sec_jaxpr *sec_jaxpr_retain(sec_jaxpr *j) {
  atomic_fetch_add_explicit(&j->refs, 1, memory_order_relaxed);
  return j;
}

void sec_jaxpr_release(sec_jaxpr *j) {
  if (!j || atomic_fetch_sub_explicit(&j->refs, 1, memory_order_acq_rel) != 1) return;
  for (uint32_t i = 0; i < j->n_eqns; i++) sec_params_release(j->eqns[i].params);
  for (uint32_t k = 0; k < j->n_consts; k++) sec_array_release(j->consts[k].array);
  sec_mem_free(j->avals), sec_mem_free(j->eqns), sec_mem_free(j->literals), sec_mem_free(j->consts), sec_mem_free(j->name);
  sec_arena_destroy(j->arena);
  sec_mem_free(j);
}

sec_context    *sec_jaxpr_context(const sec_jaxpr *j) { return j->cx; }
int             sec_jaxpr_n_in(const sec_jaxpr *j) { return (int)j->n_in; }
int             sec_jaxpr_n_out(const sec_jaxpr *j) { return (int)j->n_out; }
int             sec_jaxpr_n_eqns(const sec_jaxpr *j) { return (int)j->n_eqns; }
const sec_aval *sec_jaxpr_in_aval(const sec_jaxpr *j, int i) { return j->avals[i]; }
const sec_aval *sec_jaxpr_out_aval(const sec_jaxpr *j, int i) { return sec_ref_aval(j, j->outs[i]); }
const char     *sec_jaxpr_in_name(const sec_jaxpr *j, int i) { return j->names ? j->names[i] : NULL; }
const char     *sec_jaxpr_out_name(const sec_jaxpr *j, int i) { return j->names ? j->names[j->n_in + (uint32_t)i] : NULL; }
int             sec_jaxpr_n_consts(const sec_jaxpr *j) { return (int)j->n_consts; }
sec_array      *sec_jaxpr_const_array(const sec_jaxpr *j, int i) { return j->consts[i].array; }

/* ---- structure ---- */
static uint64_t hash_ref(const sec_jaxpr *j, uint64_t h, sec_ref r) {
  if (!sec_ref_is_literal(r)) return sec_hash_word(h, r);
  const sec_literal *l = &j->literals[sec_ref_index(r)];
  h = sec_hash_bytes(h, &l->f, sizeof l->f);
  return sec_hash_word(sec_hash_word(h, l->aval->hash), (uint64_t)l->i);
}

uint64_t sec_jaxpr_hash(const sec_jaxpr *j) {
  uint64_t h = atomic_load_explicit(&j->hash, memory_order_relaxed);
  if (h) return h;
  h = sec_hash_word(sec_hash_word(j->n_in, j->n_eqns), j->n_consts);
  for (uint32_t i = 0; i < j->n_in; i++) h = sec_hash_word(h, j->avals[i]->hash);
  for (uint32_t k = 0; k < j->n_consts; k++) h = sec_hash_word(sec_hash_word(h, j->consts[k].var), j->avals[j->consts[k].var]->hash);
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    const sec_eqn *e = &j->eqns[i];
    h = sec_hash_word(h, (uint64_t)(uintptr_t)e->prim);
    if (e->params) h = sec_hash_word(h, e->params->hash);
    for (uint32_t k = 0; k < e->n_in; k++) h = hash_ref(j, h, e->in[k]);
  }
  for (uint32_t i = 0; i < j->n_out; i++) h = hash_ref(j, h, j->outs[i]);
  h = h ? h : 1;
  atomic_store_explicit((_Atomic uint64_t *)&j->hash, h, memory_order_relaxed);
  return h;
}

static bool refs_equal(const sec_jaxpr *a, sec_ref r, const sec_jaxpr *b, sec_ref s) {
  if (!sec_ref_is_literal(r) || !sec_ref_is_literal(s)) return r == s;
  const sec_literal *l = &a->literals[sec_ref_index(r)], *m = &b->literals[sec_ref_index(s)];
  return l->aval == m->aval && l->i == m->i && memcmp(&l->f, &m->f, sizeof l->f) == 0;
}

static bool eqns_equal(const sec_jaxpr *a, const sec_eqn *e, const sec_jaxpr *b, const sec_eqn *f) {
  if (e->prim != f->prim || e->params != f->params || e->n_in != f->n_in || e->n_out != f->n_out || e->out != f->out) return false;
  for (uint32_t k = 0; k < e->n_in; k++)
    if (!refs_equal(a, e->in[k], b, f->in[k])) return false;
  return true;
}

bool sec_jaxpr_equal(const sec_jaxpr *a, const sec_jaxpr *b) {
  if (a == b) return true;
  if (sec_jaxpr_hash(a) != sec_jaxpr_hash(b) || a->n_vars != b->n_vars || a->n_in != b->n_in || a->n_eqns != b->n_eqns ||
      a->n_out != b->n_out || a->n_consts != b->n_consts)
    return false;
  if (a->n_vars && memcmp(a->avals, b->avals, a->n_vars * sizeof *a->avals) != 0) return false;
  for (uint32_t k = 0; k < a->n_consts; k++)
    if (a->consts[k].var != b->consts[k].var) return false;
  for (uint32_t i = 0; i < a->n_eqns; i++)
    if (!eqns_equal(a, &a->eqns[i], b, &b->eqns[i])) return false;
  for (uint32_t i = 0; i < a->n_out; i++)
    if (!refs_equal(a, a->outs[i], b, b->outs[i])) return false;
  return true;
}

/* ---- replay ---- */
static sec_value value_of(const sec_jaxpr *j, const sec_value *env, sec_ref r) {
  if (!sec_ref_is_literal(r)) return env[r];
  const sec_literal *l = &j->literals[sec_ref_index(r)];
  return sec_literal_copy(l);
}

static sec_status apply_eqn(const sec_jaxpr *j, const sec_eqn *e, sec_value *env) {
  sec_value  small[16];
  sec_value *in = e->n_in <= 16 ? small : sec_alloc(j->cx, e->n_in * sizeof *in);
  if (!in) return SEC_MEMORY;
  for (uint32_t k = 0; k < e->n_in; k++) in[k] = value_of(j, env, e->in[k]);
  sec_params_retain(e->params);
  uint32_t   former = sec_trace_set_location(e->loc);
  sec_status status = sec_bind(e->prim, in, (int)e->n_in, e->params, env + e->out, (int)e->n_out);
  sec_trace_set_location(former);
  if (in != small) sec_free(j->cx, in);
  return status;
}

sec_status sec_jaxpr_apply(const sec_jaxpr *j, const sec_value *in, sec_value *out) {
  sec_value *env = sec_alloc(j->cx, (j->n_vars + 1) * sizeof *env);
  if (!env) return SEC_MEMORY;
  sec_status status = SEC_OK;
  for (uint32_t i = 0; i < j->n_in; i++) env[i] = in[i];
  for (uint32_t k = 0; k < j->n_consts; k++)
    env[j->consts[k].var] = j->consts[k].array ? sec_constant(j->consts[k].array) : j->consts[k].outer;
  for (uint32_t i = 0; i < j->n_eqns && status == SEC_OK; i++) status = apply_eqn(j, &j->eqns[i], env);
  for (uint32_t i = 0; i < j->n_out; i++) out[i] = status == SEC_OK ? value_of(j, env, j->outs[i]) : SEC_VALUE_POISON;
  sec_free(j->cx, env);
  return status;
}

/* ---- constants of a type ---- */
sec_value sec_full_of(const sec_aval *aval, double value) {
  sec_value scalar = sec_literal_of(aval->dtype, aval->weak, value, (int64_t)value);
  return aval->rank ? sec_full(scalar, aval->rank, aval->dims) : scalar;
}
sec_value sec_zeros_of(const sec_aval *aval) { return sec_full_of(aval, 0); }
sec_value sec_instantiate(sec_value tangent, const sec_aval *aval) {
  return sec_value_is_zero(tangent) ? sec_zeros_of(aval) : tangent;
}
