/* Rules of jit and checkpoint.
 *
 * jvp, transpose, batch: of the body, called by the same primitive.
 * partial of jit       : both sides are calls.
 * partial of checkpoint: known results are computed here and nothing is kept; the unknown side computes all that it
 *                        needs again from the inputs, inside a checkpoint with differentiated=True. */
#include "rules.h"
#include <string.h>

static sec_call_spec call_with(const sec_primitive *prim, const sec_params *params,
                               sec_jaxpr *body) {
  return (sec_call_spec){prim, params, body};
}

static const sec_jaxpr *body_of(const sec_params *p) { return sec_params_jaxpr(p, "jaxpr"); }

static sec_status call_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                           sec_value *out_dot) {
  sec_arena *arena = sec_arena_create(r->cx);
  bool *nz = arena ? SEC_NEW(arena, bool, r->n_in + r->n_out) : NULL;
  sec_value *in = arena ? SEC_NEW(arena, sec_value, 2 * (r->n_in + r->n_out)) : NULL;
  sec_jaxpr *body = NULL;
  sec_status status = nz && in ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK) {
    sec_nonzero(in_dot, r->n_in, nz);
    status = sec_jvp_body(body_of(r->params), nz, NULL, nz + r->n_in, &body);
  }
  if (status == SEC_OK) {
    sec_value *results = in + 2 * r->n_in;
    sec_call_spec call = call_with(r->prim, r->params, body);
    sec_primals_and_tangents(r, in_dot, in);
    status = sec_bind_call(&call, in, r->n_in + sec_count(nz, r->n_in), results);
    for (int i = 0, n = r->n_out; i < r->n_out; i++) {
      out[i] = results[i];
      out_dot[i] = nz[r->n_in + i] ? results[n++] : SEC_VALUE_ZERO;
    }
  }
  sec_jaxpr_release(body);
  sec_arena_destroy(arena);
  return status;
}

static sec_status call_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                                 sec_value *in_ct) {
  sec_arena *arena = sec_arena_create(r->cx);
  bool *given = arena ? SEC_NEW(arena, bool, r->n_out) : NULL;
  sec_values in = {arena ? SEC_NEW(arena, sec_value, 2 * r->n_in + r->n_out) : NULL, 0};
  sec_jaxpr *body = NULL;
  sec_status status = given && in.v ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK) {
    sec_nonzero(ct, r->n_out, given);
    status = sec_transpose_body(body_of(r->params), linear, given, &body);
  }
  if (status == SEC_OK) {
    sec_call_spec call = call_with(r->prim, r->params, body);
    for (int i = 0; i < r->n_in; i++)
      if (!linear[i]) sec_push(&in, r->in[i]);
    for (int i = 0; i < r->n_out; i++)
      if (given[i]) sec_push(&in, ct[i]);
    sec_value *results = in.v + in.n;
    status = sec_bind_call(&call, in.v, in.n, results);
    for (int i = 0, n = 0; i < r->n_in && status == SEC_OK; i++)
      if (linear[i]) in_ct[i] = results[n++];
  }
  sec_jaxpr_release(body);
  sec_arena_destroy(arena);
  return status;
}

static sec_status call_batch(sec_batch *b) {
  sec_jaxpr *body = NULL;
  SEC_TRY(sec_batch_body(body_of(b->params), &(sec_lanes){b->batched, NULL, b->size, b->axis_name},
                         b->out_batched, &body));
  sec_call_spec call = call_with(b->prim, b->params, body);
  sec_status status = sec_bind_call(&call, b->in, b->n_in, b->out);
  sec_jaxpr_release(body);
  return status;
}

sec_status sec_jit_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                       sec_value *out_dot) {
  return call_jvp(r, in_dot, out, out_dot);
}
sec_status sec_checkpoint_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                              sec_value *out_dot) {
  return call_jvp(r, in_dot, out, out_dot);
}
sec_status sec_jit_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                             sec_value *in_ct) {
  return call_transpose(r, linear, ct, in_ct);
}
sec_status sec_checkpoint_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                                    sec_value *in_ct) {
  return call_transpose(r, linear, ct, in_ct);
}
sec_status sec_jit_batch(sec_batch *b) { return call_batch(b); }
sec_status sec_checkpoint_batch(sec_batch *b) { return call_batch(b); }

/* ---- partial ---- */
typedef struct call_split {
  struct sec_partial *p;
  sec_arena *arena;
  bool *known, *out_known;
  sec_split split;
  int n_known_out;
} call_split;

static sec_status split_begin(call_split *f) {
  f->known = SEC_NEW(f->arena, bool, f->p->n_in + f->p->n_out);
  if (!f->known) return SEC_MEMORY;
  f->out_known = f->known + f->p->n_in;
  for (int i = 0; i < f->p->n_in; i++) f->known[i] = f->p->in[i].known;
  SEC_TRY(sec_jaxpr_partial(body_of(f->p->params), f->known, NULL, f->out_known, &f->split));
  f->n_known_out = sec_count(f->out_known, f->p->n_out);
  return SEC_OK;
}

/* The known side by a call, or in place when there is nothing in it. */
static sec_status run_known(const call_split *f, sec_value *results) {
  sec_jaxpr *k = f->split.known;
  sec_values in = {SEC_NEW(f->arena, sec_value, f->p->n_in), 0};
  if (!in.v) return SEC_MEMORY;
  for (int i = 0; i < f->p->n_in; i++)
    if (f->known[i]) sec_push(&in, f->p->in[i].value);
  if (k->n_eqns == 0) return sec_jaxpr_apply(k, in.v, results);
  sec_call_spec call = call_with(f->p->prim, f->p->params, k);
  return sec_bind_call(&call, in.v, in.n, results);
}

/* The known results in place, without what the unknown side would keep. */
static sec_status apply_known(const call_split *f, sec_value *results) {
  const sec_jaxpr *k = f->split.known;
  sec_values in = {SEC_NEW(f->arena, sec_value, f->p->n_in), 0};
  bool *used = SEC_NEW(f->arena, bool, k->n_out + k->n_in);
  sec_jaxpr *pruned = NULL;
  if (!in.v || !used) return SEC_MEMORY;
  for (int i = 0; i < f->n_known_out; i++) used[i] = true;
  SEC_TRY(sec_prune(k, used, used + k->n_out, &pruned));
  for (int i = 0, next = 0; i < f->p->n_in; i++)
    if (f->known[i] && used[k->n_out + (uint32_t)next++]) sec_push(&in, f->p->in[i].value);
  sec_status status = sec_jaxpr_apply(pruned, in.v, results);
  sec_jaxpr_release(pruned);
  return status;
}

static void set_results(const call_split *f, const sec_value *known, const sec_operand *unknown) {
  for (int i = 0; i < f->p->n_out; i++)
    f->p->out[i] = f->out_known[i] ? (sec_operand){.known = true, .value = *known++} : *unknown++;
}

/* The parameters of a checkpoint whose body is a derivative, counted. */
static const sec_params *differentiated(const sec_params *p) {
  sec_param list[8];
  int n = 0;
  for (int i = 0; i < p->n && n < 7; i++)
    if (strcmp(p->list[i].name, "differentiated") != 0) list[n++] = p->list[i];
  list[n++] = (sec_param)SEC_P_BOOL("differentiated", true);
  return sec_params_make(p->cx, list, n);
}

static sec_status defer_body(const call_split *f, const sec_params *like, sec_jaxpr *body, const sec_operand *in,
                             sec_operand *out) {
  sec_call_spec call = call_with(f->p->prim, like, body);
  const sec_aval **avals = SEC_NEW(f->arena, const sec_aval *, body->n_out);
  const sec_params *params = avals && like ? sec_call_params(&call) : NULL;
  if (!params) return SEC_MEMORY;
  for (uint32_t i = 0; i < body->n_out; i++) avals[i] = sec_out_aval(body, i);
  return sec_partial_defer(
      f->p, &(sec_deferral){f->p->prim, params, in, avals, (int)body->n_in, (int)body->n_out}, out);
}

static sec_status jit_partial(call_split *f) {
  SEC_TRY(split_begin(f));
  const sec_jaxpr *k = f->split.known, *u = f->split.unknown;
  sec_value *results = SEC_NEW(f->arena, sec_value, k->n_out);
  sec_operand *in = SEC_NEW(f->arena, sec_operand, u->n_in + u->n_out);
  if (!results || !in) return SEC_MEMORY;
  SEC_TRY(run_known(f, results));
  int n = 0;
  for (; n < f->split.n_res; n++)
    in[n] = (sec_operand){.known = true, .value = results[f->n_known_out + n]};
  for (int i = 0; i < f->p->n_in; i++)
    if (!f->known[i]) in[n++] = f->p->in[i];
  if (u->n_out) SEC_TRY(defer_body(f, f->p->params, f->split.unknown, in, in + n));
  set_results(f, results, in + n);
  return SEC_OK;
}

static sec_status checkpoint_partial(call_split *f) {
  SEC_TRY(split_begin(f));
  const sec_jaxpr *body = body_of(f->p->params), *k = f->split.known;
  sec_jaxpr *again = NULL;
  sec_value *results = SEC_NEW(f->arena, sec_value, k->n_out);
  sec_operand *in = SEC_NEW(f->arena, sec_operand, body->n_in + body->n_out);
  bool *used = SEC_NEW(f->arena, bool, body->n_in + body->n_out);
  if (!results || !in || !used) return SEC_MEMORY;
  if (f->n_known_out) SEC_TRY(apply_known(f, results));
  int n = 0;
  for (uint32_t i = 0; i < body->n_out; i++) used[i] = !f->out_known[i];
  if (f->n_known_out < f->p->n_out) {
    SEC_TRY(sec_prune(body, used, used + body->n_out, &again));
    for (uint32_t i = 0; i < body->n_in; i++)
      if (used[body->n_out + i]) in[n++] = f->p->in[i];
    const sec_params *like = differentiated(f->p->params);
    sec_status status = defer_body(f, like, again, in, in + n);
    sec_params_release(like);
    sec_jaxpr_release(again);
    SEC_TRY(status);
  }
  set_results(f, results, in + n);
  return SEC_OK;
}

static sec_status with_split(struct sec_partial *p, sec_status (*rule)(call_split *f)) {
  call_split f = {.p = p, .arena = sec_arena_create(p->cx)};
  if (!f.arena) return SEC_MEMORY;
  sec_status status = rule(&f);
  sec_split_release(&f.split);
  sec_arena_destroy(f.arena);
  return status;
}

sec_status sec_jit_partial(struct sec_partial *p) { return with_split(p, jit_partial); }
sec_status sec_checkpoint_partial(struct sec_partial *p) {
  return with_split(p, checkpoint_partial);
}
