/* Rules of while.
 *
 * jvp       : the body's jvp, with carry tangents by fixpoint; the condition looks at primals alone.
 * transpose : an error: the number of steps is not known beforehand.
 * batch     : batched carries by fixpoint; with a batched condition the loop runs until all lanes are done, and
 *             finished lanes keep their carry.
 * partial   : the known carries that the condition needs run in a loop of their own; the unknown side runs the
 *             whole loop again. */
#include "rules.h"
#include <string.h>

/* ---- jvp ---- */
typedef struct while_jvp {
  sec_while_spec s;
  int n_carry;
  bool *nz, *out_nz; /* the body's inputs; its outputs */
  sec_jaxpr *body;
} while_jvp;

static sec_status while_jvp_fixpoint(while_jvp *f) {
  bool *carry_nz = f->nz + f->s.n_body_consts;
  for (bool changed = true; changed;) {
    sec_jaxpr_release(f->body);
    SEC_TRY(sec_jvp_body(f->s.body, f->nz, carry_nz, f->out_nz, &f->body));
    changed = false;
    for (int c = 0; c < f->n_carry; c++) {
      changed |= f->out_nz[c] && !carry_nz[c];
      carry_nz[c] |= f->out_nz[c];
    }
  }
  return SEC_OK;
}

/* The condition with the carry's tangents as further inputs, which it ignores. */
static sec_status condition_with_tangents(const while_jvp *f, sec_arena *arena, sec_jaxpr **out) {
  const sec_jaxpr *c = f->s.cond;
  int *source = SEC_NEW(arena, int, c->n_in);
  const sec_aval **avals = SEC_NEW(arena, const sec_aval *, c->n_in + (uint32_t)f->n_carry);
  *out = NULL;
  if (!source || !avals) return SEC_MEMORY;
  int n = (int)c->n_in;
  for (int i = 0; i < (int)c->n_in; i++) source[i] = i, avals[i] = c->avals[i];
  for (int i = 0; i < f->n_carry; i++)
    if (f->out_nz[i]) avals[n++] = sec_out_aval(f->s.body, (uint32_t)i);
  return sec_rewire(c, &(sec_rewiring){avals, source, (const int[]){0}, n, 1}, out);
}

static sec_status while_jvp_bind(while_jvp *f, const sec_rule *r, const sec_value *in_dot,
                                 sec_arena *arena, sec_value *out, sec_value *out_dot) {
  int n_consts = f->s.n_body_consts, n_body = (int)f->s.body->n_in, first = f->s.n_cond_consts,
      n = 0;
  int in_ends[] = {n_consts, n_body}, *in_order = SEC_NEW(arena, int, 2 * (n_body + f->n_carry));
  sec_value *list = SEC_NEW(arena, sec_value, 2 * n_body + first + 2 * n_body + 2 * f->n_carry);
  if (!in_order || !list) return SEC_MEMORY;
  int *out_order = in_order + 2 * n_body;
  int n_in = sec_group_order(in_ends, 2, f->nz, in_order),
      n_out = sec_group_order(&f->n_carry, 1, f->out_nz, out_order);
  sec_value *in = list + 2 * n_body, *results = in + first + 2 * n_body;
  for (int i = 0; i < n_body; i++) list[n++] = r->in[first + i];
  for (int i = 0; i < n_body; i++)
    if (f->nz[i]) list[n++] = sec_instantiate(in_dot[first + i], r->in_avals[first + i]);
  for (int i = 0; i < first; i++) in[i] = r->in[i];
  for (int k = 0; k < n_in; k++) in[first + k] = list[in_order[k]];
  sec_while_spec s = {.n_cond_consts = first,
                      .n_body_consts = n_consts + sec_count(f->nz, n_consts)};
  sec_status status = condition_with_tangents(f, arena, &s.cond);
  if (status == SEC_OK) status = sec_reorder(f->body, in_order, out_order, n_out, &s.body);
  if (status == SEC_OK) status = sec_bind_while(&s, in, first + n_in, results);
  sec_jaxpr_release(s.cond);
  sec_jaxpr_release(s.body);
  if (status == SEC_OK)
    sec_scatter_results(results, out_order, n_out, f->out_nz, f->n_carry, out, out_dot);
  return status;
}

sec_status sec_while_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                         sec_value *out_dot) {
  while_jvp f = {.s = sec_while_read(r->params), .n_carry = r->n_out};
  sec_arena *arena = sec_arena_create(r->cx);
  f.nz = arena ? SEC_NEW(arena, bool, r->n_in + r->n_out) : NULL;
  sec_status status = f.nz ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK) {
    f.out_nz = f.nz + r->n_in;
    sec_nonzero(in_dot + f.s.n_cond_consts, r->n_in - f.s.n_cond_consts, f.nz);
    status = while_jvp_fixpoint(&f);
  }
  if (status == SEC_OK) status = while_jvp_bind(&f, r, in_dot, arena, out, out_dot);
  sec_jaxpr_release(f.body);
  sec_arena_destroy(arena);
  return status;
}

/* ---- transpose ---- */
sec_status sec_while_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                               sec_value *in_ct) {
  (void)r, (void)linear, (void)ct, (void)in_ct;
  return sec_error_set(
      SEC_REVERSE, "use scan, or fori with static bounds",
      "reverse-mode differentiation does not work for while loops with dynamic trip counts");
}

/* ---- batch ---- */
typedef struct while_batch {
  sec_batch *b;
  sec_while_spec s;
  int n_carry;
  bool *for_cond, *for_body; /* which inputs are batched: constants, carry */
  bool test_batched;
  sec_jaxpr *cond, *body; /* batched */
} while_batch;

static sec_status while_batch_fixpoint(while_batch *f) {
  bool *cond_carry = f->for_cond + f->s.n_cond_consts,
       *body_carry = f->for_body + f->s.n_body_consts;
  for (bool changed = true; changed;) {
    sec_jaxpr_release(f->body);
    sec_jaxpr_release(f->cond);
    f->body = f->cond = NULL;
    SEC_TRY(sec_batch_body(f->s.body,
                           &(sec_lanes){f->for_body, body_carry, f->b->size, f->b->axis_name},
                           f->b->out_batched, &f->body));
    SEC_TRY(sec_batch_body(f->s.cond, &(sec_lanes){f->for_cond, NULL, f->b->size, f->b->axis_name},
                           &f->test_batched, &f->cond));
    changed = false;
    for (int c = 0; c < f->n_carry; c++) {
      bool now = f->b->out_batched[c] || f->test_batched;
      changed |= now && !body_carry[c];
      cond_carry[c] = body_carry[c] |= now;
    }
  }
  return SEC_OK;
}

/* Some lane goes on. */
static sec_status any_lane_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const while_batch *f = user;
  sec_value test;
  *n_out = 1;
  SEC_TRY(sec_jaxpr_apply(f->cond, in, &test));
  out[0] = sec_reduce_or(test, (const int64_t[]){0}, 1);
  return sec_value_ok(out[0]) ? SEC_OK : sec_failed();
}

/* One step in the lanes that go on: inputs are the condition's constants, the body's constants, the carry. */
static sec_status lanes_step_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const while_batch *f = user;
  int n_cond = f->s.n_cond_consts, n_body = f->s.n_body_consts, n = f->n_carry;
  const sec_value *carry = in + n_cond + n_body;
  sec_value *for_cond = sec_alloc(f->b->cx, (size_t)(n_cond + n + 1) * sizeof *for_cond), test;
  if (!for_cond) return SEC_MEMORY;
  for (int i = 0; i < n_cond; i++) for_cond[i] = in[i];
  for (int i = 0; i < n; i++) for_cond[n_cond + i] = carry[i];
  sec_status status = sec_jaxpr_apply(f->cond, for_cond, &test);
  sec_free(f->b->cx, for_cond);
  if (status == SEC_OK) status = sec_jaxpr_apply(f->body, in + n_cond, out);
  *n_out = n;
  for (int i = 0; i < n && status == SEC_OK; i++) {
    const sec_aval *a = sec_value_aval(out[i]);
    sec_value here =
        a->rank == 1 ? test : sec_broadcast_in_dim(test, a->rank, a->dims, (const int64_t[]){0});
    out[i] = sec_select_n(here, (sec_value[]){sec_with_weak(carry[i], a), out[i]}, 2);
    if (!sec_value_ok(out[i])) status = sec_failed();
  }
  return status;
}

/* The loop with a condition for each lane; in: operands with all carries batched. */
static sec_status while_batch_lanes(const while_batch *f, const sec_value *in, sec_arena *arena) {
  int n_cond = f->s.n_cond_consts, n_body = f->s.n_body_consts, n = 0, n_in = f->b->n_in + n_cond;
  const sec_aval **avals = SEC_NEW(arena, const sec_aval *, n_in);
  sec_value *all = SEC_NEW(arena, sec_value, n_in);
  sec_while_spec s = {.n_cond_consts = n_cond, .n_body_consts = n_cond + n_body};
  if (!avals || !all) return SEC_MEMORY;
  for (int i = 0; i < n_cond; i++) avals[n++] = f->cond->avals[i];
  for (uint32_t i = 0; i < f->body->n_in; i++) avals[n++] = f->body->avals[i];
  for (int i = 0; i < n_in; i++) all[i] = in[i < n_cond ? i : i - n_cond];
  sec_status status = sec_build(&(sec_plan){.cx = f->b->cx,
                                            .name = f->s.cond->name,
                                            .in_avals = f->cond->avals,
                                            .n_in = (int)f->cond->n_in,
                                            .max_out = 1,
                                            .build = any_lane_build,
                                            .user = (void *)f},
                                &s.cond);
  if (status == SEC_OK)
    status = sec_build(&(sec_plan){.cx = f->b->cx,
                                   .name = f->s.body->name,
                                   .in_avals = avals,
                                   .n_in = n,
                                   .max_out = f->n_carry,
                                   .build = lanes_step_build,
                                   .user = (void *)f},
                       &s.body);
  if (status == SEC_OK) status = sec_bind_while(&s, all, n_in, f->b->out);
  sec_jaxpr_release(s.cond);
  sec_jaxpr_release(s.body);
  return status;
}

static sec_status while_batch_run(while_batch *f, sec_arena *arena) {
  sec_batch *b = f->b;
  int n_cond = f->s.n_cond_consts, n_body = f->s.n_body_consts;
  sec_value *in = SEC_NEW(arena, sec_value, b->n_in);
  f->for_cond = SEC_NEW(arena, bool, 2 * b->n_in);
  if (!in || !f->for_cond) return SEC_MEMORY;
  f->for_body = f->for_cond + n_cond + f->n_carry;
  memcpy(f->for_cond, b->batched, (size_t)n_cond);
  memcpy(f->for_cond + n_cond, b->batched + n_cond + n_body, (size_t)f->n_carry);
  memcpy(f->for_body, b->batched + n_cond, (size_t)(n_body + f->n_carry));
  SEC_TRY(while_batch_fixpoint(f));
  for (int i = 0; i < b->n_in; i++) {
    bool repeat = i >= n_cond && f->for_body[i - n_cond] && !b->batched[i];
    in[i] = repeat ? sec_repeat_front(b->in[i], b->size) : b->in[i];
    if (!sec_value_ok(in[i])) return sec_failed();
  }
  if (f->test_batched) return while_batch_lanes(f, in, arena);
  return sec_bind_while(&(sec_while_spec){f->cond, f->body, n_cond, n_body}, in, b->n_in, b->out);
}

sec_status sec_while_batch(sec_batch *b) {
  while_batch f = {.b = b, .s = sec_while_read(b->params), .n_carry = b->n_out};
  sec_arena *arena = sec_arena_create(b->cx);
  sec_status status = arena ? while_batch_run(&f, arena) : SEC_MEMORY;
  sec_jaxpr_release(f.cond);
  sec_jaxpr_release(f.body);
  sec_arena_destroy(arena);
  return status;
}

/* ---- partial ---- */
typedef struct while_split {
  struct sec_partial *p;
  sec_while_spec s;
  bool *for_cond, *for_body, *force, *out_known; /* known inputs of both; the body's outputs */
  bool test_known;
  sec_split cond, body;
} while_split;

static sec_status while_split_fixpoint(while_split *f) {
  bool *carry = f->for_body + f->s.n_body_consts;
  for (bool changed = true; changed;) {
    for (int c = 0; c < f->p->n_out; c++) f->force[c] = !carry[c];
    sec_split_release(&f->body);
    SEC_TRY(sec_jaxpr_partial(f->s.body, f->for_body, f->force, f->out_known, &f->body));
    changed = false;
    for (int c = 0; c < f->p->n_out; c++) {
      changed |= carry[c] && !f->out_known[c];
      carry[c] &= f->out_known[c];
    }
  }
  memcpy(f->for_cond + f->s.n_cond_consts, carry, (size_t)f->p->n_out);
  return sec_jaxpr_partial(f->s.cond, f->for_cond, NULL, &f->test_known, &f->cond);
}

/* The loop over known carries; results in order. */
static sec_status while_known(const while_split *f, sec_arena *arena, sec_value *results) {
  const sec_jaxpr *k = f->body.known;
  int n_out = (int)k->n_out - f->body.n_res;
  int *list = SEC_NEW(arena, int, k->n_in + k->n_out);
  sec_values in = {SEC_NEW(arena, sec_value, f->p->n_in), 0};
  if (!list || !in.v) return SEC_MEMORY;
  int *outs = list + k->n_in;
  for (int i = 0; i < (int)k->n_in; i++) list[i] = i;
  for (int i = 0; i < n_out; i++) outs[i] = i;
  for (int i = 0; i < f->s.n_cond_consts; i++)
    if (f->for_cond[i]) sec_push(&in, f->p->in[i].value);
  for (int i = f->s.n_cond_consts; i < f->p->n_in; i++)
    if (f->for_body[i - f->s.n_cond_consts]) sec_push(&in, f->p->in[i].value);
  sec_while_spec s = {.cond = f->cond.known,
                      .n_cond_consts = sec_count(f->for_cond, f->s.n_cond_consts),
                      .n_body_consts = sec_count(f->for_body, f->s.n_body_consts)};
  SEC_TRY(sec_rewire(k, &(sec_rewiring){k->avals, list, outs, (int)k->n_in, n_out}, &s.body));
  sec_status status = sec_bind_while(&s, in.v, in.n, results);
  sec_jaxpr_release(s.body);
  return status;
}

static sec_status while_split_run(while_split *f, sec_arena *arena) {
  struct sec_partial *p = f->p;
  int n_cond = f->s.n_cond_consts, n_body = f->s.n_body_consts;
  f->for_cond = SEC_NEW(arena, bool, 2 * p->n_in + 3 * p->n_out);
  sec_value *results = SEC_NEW(arena, sec_value, p->n_out);
  if (!f->for_cond || !results) return SEC_MEMORY;
  f->for_body = f->for_cond + n_cond + p->n_out;
  f->force = f->for_body + n_body + p->n_out;
  f->out_known = f->force + p->n_out;
  for (int i = 0; i < n_cond; i++) f->for_cond[i] = p->in[i].known;
  for (int i = n_cond; i < p->n_in; i++) f->for_body[i - n_cond] = p->in[i].known;
  SEC_TRY(while_split_fixpoint(f));
  SEC_TRY(sec_partial_defer_all(p));
  if (!f->test_known || sec_count(f->out_known, p->n_out) == 0) return SEC_OK;
  SEC_TRY(while_known(f, arena, results));
  for (int i = 0, n = 0; i < p->n_out; i++)
    if (f->out_known[i]) p->out[i] = (sec_operand){.known = true, .value = results[n++]};
  return SEC_OK;
}

sec_status sec_while_partial(struct sec_partial *p) {
  while_split f = {.p = p, .s = sec_while_read(p->params)};
  sec_arena *arena = sec_arena_create(p->cx);
  sec_status status = arena ? while_split_run(&f, arena) : SEC_MEMORY;
  sec_split_release(&f.cond);
  sec_split_release(&f.body);
  sec_arena_destroy(arena);
  return status;
}
