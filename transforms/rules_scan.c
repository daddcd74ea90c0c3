/* Rules of scan.
 *
 * jvp       : the body's jvp, with carry tangents by fixpoint.
 * partial   : known and unknown parts of the body by fixpoint over the carry; residuals that do not depend on the loop
 *             are computed once outside it, the others are stacked, one slice a step.
 * transpose : a scan in the other direction over the transposed body; cotangents of constants are its carry.
 * batch     : the batched body, with batched carries by fixpoint. */
#include "rules.h"
#include <string.h>

/* ---- jvp ---- */
typedef struct scan_jvp {
  sec_scan_spec s;
  bool *nz, *force, *out_nz; /* nz: operands; the others: results */
  sec_jaxpr *body;
} scan_jvp;

/* The body's jvp with the least set of carry tangents that holds over the loop. */
static sec_status scan_jvp_fixpoint(scan_jvp *f) {
  bool *carry_nz = f->nz + f->s.n_consts;
  for (bool changed = true; changed;) {
    memcpy(f->force, carry_nz, (size_t)f->s.n_carry);
    sec_jaxpr_release(f->body);
    SEC_TRY(sec_jvp_body(f->s.body, f->nz, f->force, f->out_nz, &f->body));
    changed = false;
    for (int c = 0; c < f->s.n_carry; c++) {
      changed |= f->out_nz[c] && !carry_nz[c];
      carry_nz[c] |= f->out_nz[c];
    }
  }
  return SEC_OK;
}

static sec_status scan_jvp_bind(const scan_jvp *f, const sec_rule *r, const sec_value *in_dot,
                                sec_arena *arena, sec_value *out, sec_value *out_dot) {
  int n_consts = f->s.n_consts, n_carry = f->s.n_carry;
  int in_ends[] = {n_consts, n_consts + n_carry, r->n_in}, out_ends[] = {n_carry, r->n_out};
  int *in_order = SEC_NEW(arena, int, 2 * (r->n_in + r->n_out));
  sec_value *list = SEC_NEW(arena, sec_value, 4 * r->n_in + 2 * r->n_out);
  if (!in_order || !list) return SEC_MEMORY;
  int *out_order = in_order + 2 * r->n_in;
  int n_in = sec_group_order(in_ends, 3, f->nz, in_order),
      n_out = sec_group_order(out_ends, 2, f->out_nz, out_order);
  int n = r->n_in;
  for (int i = 0; i < r->n_in; i++) list[i] = r->in[i];
  for (int i = 0; i < r->n_in; i++)
    if (f->nz[i]) list[n++] = sec_instantiate(in_dot[i], r->in_avals[i]);
  sec_value *in = list + 2 * r->n_in, *results = in + 2 * r->n_in;
  for (int k = 0; k < n_in; k++) in[k] = list[in_order[k]];
  sec_scan_spec s = {.n_consts = n_consts + sec_count(f->nz, n_consts),
                     .n_carry = n_carry + sec_count(f->nz + n_consts, n_carry),
                     .length = f->s.length,
                     .reverse = f->s.reverse};
  SEC_TRY(sec_reorder(f->body, in_order, out_order, n_out, &s.body));
  sec_status status = sec_bind_scan(&s, in, n_in, results);
  sec_jaxpr_release(s.body);
  if (status == SEC_OK)
    sec_scatter_results(results, out_order, n_out, f->out_nz, r->n_out, out, out_dot);
  return status;
}

sec_status sec_scan_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                        sec_value *out_dot) {
  scan_jvp f = {.s = sec_scan_read(r->params)};
  sec_arena *arena = sec_arena_create(r->cx);
  f.nz = arena ? SEC_NEW(arena, bool, r->n_in + 2 * r->n_out) : NULL;
  sec_status status = f.nz ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK) {
    f.force = f.nz + r->n_in;
    f.out_nz = f.force + r->n_out;
    sec_nonzero(in_dot, r->n_in, f.nz);
    status = scan_jvp_fixpoint(&f);
  }
  if (status == SEC_OK) status = scan_jvp_bind(&f, r, in_dot, arena, out, out_dot);
  sec_jaxpr_release(f.body);
  sec_arena_destroy(arena);
  return status;
}

/* ---- transpose ---- */
/* The transposed body, traced with inputs
 *   (nonlinear constants, cotangents of linear constants, cotangents of the carry, cotangents of ys that have one,
 *    nonlinear xs)
 * and outputs (cotangents of linear constants, of the carry, of linear xs). */
typedef struct scan_transpose {
  sec_scan_spec s;
  bool *linear;   /* the body's inputs: as the operands, and every carry */
  bool *ct_given; /* the body's outputs */
  sec_value *in, *ct, *ct_in;
  int n_in, n_res, n_lin;
} scan_transpose;

static sec_status scan_transpose_build(void *user, const sec_value *in, sec_value *out,
                                       int *n_out) {
  scan_transpose *f = user;
  const sec_jaxpr *body = f->s.body;
  int n_consts = f->s.n_consts, first_x = n_consts + f->s.n_carry, n = 0;
  for (int i = 0; i < n_consts; i++) f->in[i] = f->linear[i] ? SEC_VALUE_ZERO : *in++;
  const sec_value *ct_consts = in;
  in += f->n_lin;
  for (uint32_t i = 0; i < body->n_out; i++) f->ct[i] = f->ct_given[i] ? *in++ : SEC_VALUE_ZERO;
  for (int i = first_x; i < f->n_in; i++) f->in[i] = f->linear[i] ? SEC_VALUE_ZERO : *in++;
  SEC_TRY(sec_backward(&(sec_pullback){body, f->linear, f->in, f->ct, f->ct_in}));
  for (int i = 0; i < n_consts; i++) {
    if (!f->linear[i]) continue;
    sec_value sum = ct_consts[n];
    SEC_TRY(sec_accumulate(&sum, f->ct_in[i]));
    out[n++] = sum;
  }
  for (int i = n_consts; i < f->n_in; i++)
    if (f->linear[i]) out[n++] = sec_instantiate(f->ct_in[i], body->avals[i]);
  *n_out = n;
  return SEC_OK;
}

/* Types of the transposed body's inputs beside its operands: constants of the loop, initial carry, xs. */
static int scan_transpose_operands(const scan_transpose *f, const sec_rule *r, const sec_value *ct,
                                   sec_value *operands, const sec_aval **avals) {
  const sec_jaxpr *body = f->s.body;
  int n = 0, first_x = f->s.n_consts + f->s.n_carry;
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < f->s.n_consts; i++) {
      if (f->linear[i] != (pass == 1)) continue;
      avals[n] = body->avals[i];
      operands[n++] = pass ? sec_zeros_of(body->avals[i]) : r->in[i];
    }
  for (int i = 0; i < (int)body->n_out; i++) {
    if (!f->ct_given[i]) continue;
    avals[n] = sec_out_aval(body, (uint32_t)i);
    operands[n] = i < f->s.n_carry ? sec_instantiate(ct[i], avals[n]) : ct[i];
    n++;
  }
  for (int i = first_x; i < f->n_in; i++) {
    if (f->linear[i]) continue;
    avals[n] = body->avals[i];
    operands[n++] = r->in[i];
  }
  return n;
}

static sec_status scan_transpose_bind(scan_transpose *f, const sec_rule *r, const bool *linear,
                                      const sec_value *ct, sec_arena *arena, sec_value *in_ct) {
  int max = r->n_in + r->n_out + f->n_in, n = 0;
  sec_value *operands = SEC_NEW(arena, sec_value, 2 * max);
  const sec_aval **avals = SEC_NEW(arena, const sec_aval *, max);
  if (!operands || !avals) return SEC_MEMORY;
  int n_operands = scan_transpose_operands(f, r, ct, operands, avals);
  sec_value *results = operands + max;
  sec_scan_spec s = {.n_consts = f->n_res,
                     .n_carry = f->n_lin + f->s.n_carry,
                     .length = f->s.length,
                     .reverse = !f->s.reverse};
  SEC_TRY(sec_build(&(sec_plan){.cx = r->cx,
                                .name = f->s.body->name,
                                .in_avals = avals,
                                .n_in = n_operands,
                                .max_out = f->n_in,
                                .build = scan_transpose_build,
                                .user = f},
                    &s.body));
  sec_status status = sec_bind_scan(&s, operands, n_operands, results);
  sec_jaxpr_release(s.body);
  for (int i = 0; i < f->n_in && status == SEC_OK; i++) {
    if (linear[i]) in_ct[i] = results[n];
    n += f->linear[i];
  }
  return status;
}

sec_status sec_scan_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                              sec_value *in_ct) {
  scan_transpose f = {.s = sec_scan_read(r->params), .n_in = r->n_in};
  sec_arena *arena = sec_arena_create(r->cx);
  f.linear = arena ? SEC_NEW(arena, bool, r->n_in + r->n_out) : NULL;
  f.in = arena ? SEC_NEW(arena, sec_value, 2 * r->n_in + r->n_out) : NULL;
  sec_status status = f.linear && f.in ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK) {
    f.ct_given = f.linear + r->n_in;
    f.ct = f.in + r->n_in;
    f.ct_in = f.ct + r->n_out;
    for (int i = 0; i < r->n_in; i++)
      f.linear[i] = linear[i] || (i >= f.s.n_consts && i < f.s.n_consts + f.s.n_carry);
    for (int i = 0; i < r->n_out; i++) f.ct_given[i] = i < f.s.n_carry || !sec_value_is_zero(ct[i]);
    f.n_lin = sec_count(f.linear, f.s.n_consts);
    f.n_res = f.s.n_consts - f.n_lin;
    status = scan_transpose_bind(&f, r, linear, ct, arena, in_ct);
  }
  sec_arena_destroy(arena);
  return status;
}

/* ---- batch ---- */
static sec_status scan_batch_body(sec_batch *b, const sec_scan_spec *s, bool *batched, bool *force,
                                  sec_jaxpr **body) {
  bool *carry = batched + s->n_consts;
  *body = NULL;
  for (bool changed = true; changed;) {
    memcpy(force, carry, (size_t)s->n_carry);
    sec_jaxpr_release(*body);
    SEC_TRY(sec_batch_body(s->body, &(sec_lanes){batched, force, b->size, b->axis_name},
                           b->out_batched, body));
    changed = false;
    for (int c = 0; c < s->n_carry; c++) {
      changed |= b->out_batched[c] && !carry[c];
      carry[c] |= b->out_batched[c];
    }
  }
  return SEC_OK;
}

sec_status sec_scan_batch(sec_batch *b) {
  sec_scan_spec s = sec_scan_read(b->params), bound = s;
  sec_arena *arena = sec_arena_create(b->cx);
  bool *batched = arena ? SEC_NEW(arena, bool, b->n_in + b->n_out) : NULL;
  sec_value *in = arena ? SEC_NEW(arena, sec_value, b->n_in) : NULL;
  sec_status status = batched && in ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK) {
    memcpy(batched, b->batched, (size_t)b->n_in);
    status = scan_batch_body(b, &s, batched, batched + b->n_in, &bound.body);
  } else {
    bound.body = NULL;
  }
  for (int i = 0; i < b->n_in && status == SEC_OK; i++) {
    bool is_x = i >= s.n_consts + s.n_carry;
    in[i] = b->in[i];
    if (is_x && b->batched[i]) in[i] = sec_swap_front(in[i]);
    if (!is_x && batched[i] && !b->batched[i]) in[i] = sec_repeat_front(in[i], b->size);
    if (!sec_value_ok(in[i])) status = sec_failed();
  }
  if (status == SEC_OK) status = sec_bind_scan(&bound, in, b->n_in, b->out);
  for (int i = s.n_carry; i < b->n_out && status == SEC_OK; i++)
    if (b->out_batched[i]) b->out[i] = sec_swap_front(b->out[i]);
  sec_jaxpr_release(bound.body);
  sec_arena_destroy(arena);
  return status;
}
