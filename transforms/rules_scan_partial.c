/* Partial evaluation of scan.
 *
 *   body    : known side K and unknown side U, with the least set of unknown carries that holds over the loop
 *   K       : again in two: what depends on known constants alone runs once before the loop, the rest is the loop L
 *   residual: from before the loop (a constant of the unknown scan), a known xs itself, or stacked by L */
#include "rules.h"
#include <string.h>

typedef struct scan_split {
  struct sec_partial *p;
  sec_scan_spec s;
  sec_arena *arena;
  bool *known, *force, *out_known; /* the body's inputs; its outputs */
  sec_split body, loop;            /* loop: K before the loop and in it */
  bool *res_before;                /* residual k is computed before the loop */
  sec_value *residuals;            /* the whole array of each */
  sec_value *before;               /* results of loop.known */
  int n_consts, n_carry, n_xs;     /* known ones */
  int n_outs;                      /* known results */
} scan_split;

static sec_status split_body(scan_split *f) {
  bool *carry = f->known + f->s.n_consts;
  for (bool changed = true; changed;) {
    for (int c = 0; c < f->s.n_carry; c++) f->force[c] = !carry[c];
    sec_split_release(&f->body);
    SEC_TRY(sec_jaxpr_partial(f->s.body, f->known, f->force, f->out_known, &f->body));
    changed = false;
    for (int c = 0; c < f->s.n_carry; c++) {
      changed |= carry[c] && !f->out_known[c];
      carry[c] &= f->out_known[c];
    }
  }
  f->n_consts = sec_count(f->known, f->s.n_consts);
  f->n_carry = sec_count(carry, f->s.n_carry);
  f->n_xs = sec_count(f->known, f->p->n_in) - f->n_consts - f->n_carry;
  f->n_outs = (int)f->body.known->n_out - f->body.n_res;
  return SEC_OK;
}

/* Parts K by what known constants determine, and runs the part before the loop. */
static sec_status split_loop(scan_split *f) {
  const sec_jaxpr *k = f->body.known;
  bool *known = SEC_NEW(f->arena, bool, k->n_in + 2 * k->n_out);
  sec_value *consts = SEC_NEW(f->arena, sec_value, f->n_consts);
  if (!known || !consts) return SEC_MEMORY;
  bool *force = known + k->n_in, *out_known = force + k->n_out;
  for (uint32_t i = 0; i < k->n_in; i++) known[i] = (int)i < f->n_consts;
  for (uint32_t i = 0; i < k->n_out; i++) force[i] = (int)i < f->n_outs;
  SEC_TRY(sec_jaxpr_partial(k, known, force, out_known, &f->loop));
  f->res_before = out_known + f->n_outs;
  for (int i = 0, n = 0; i < f->s.n_consts; i++)
    if (f->known[i]) consts[n++] = f->p->in[i].value;
  f->before = SEC_NEW(f->arena, sec_value, f->loop.known->n_out);
  f->residuals = SEC_NEW(f->arena, sec_value, f->body.n_res);
  if (!f->before || !f->residuals) return SEC_MEMORY;
  SEC_TRY(sec_jaxpr_apply(f->loop.known, consts, f->before));
  for (int i = 0, n = 0; i < f->body.n_res; i++)
    if (f->res_before[i]) f->residuals[i] = f->before[n++];
  return SEC_OK;
}

/* The operand behind the x that output `out` of L merely passes on, or -1. */
static int passed_x(const scan_split *f, uint32_t out) {
  const sec_jaxpr *l = f->loop.unknown;
  int first = f->loop.n_res + f->n_carry, rank = (int)l->outs[out] - first;
  if (sec_ref_is_literal(l->outs[out]) || rank < 0 || l->outs[out] >= l->n_in) return -1;
  for (int i = f->s.n_consts + f->s.n_carry; i < f->p->n_in; i++)
    if (f->known[i] && rank-- == 0) return i;
  return -1;
}

/* The known scan's operands: what L wants from before the loop, known carries, known xs. */
static void loop_operands(const scan_split *f, sec_values *in) {
  int n = (int)f->loop.known->n_out;
  for (int i = n - f->loop.n_res; i < n; i++) sec_push(in, f->before[i]);
  for (int i = f->s.n_consts; i < f->p->n_in; i++)
    if (f->known[i]) sec_push(in, f->p->in[i].value);
}

static sec_status run_loop(scan_split *f) {
  const sec_jaxpr *l = f->loop.unknown;
  int *source = SEC_NEW(f->arena, int, l->n_in), *outs = SEC_NEW(f->arena, int, l->n_out);
  sec_values in = {SEC_NEW(f->arena, sec_value, l->n_in + l->n_out), 0};
  if (!source || !outs || !in.v) return SEC_MEMORY;
  int n_outs = 0, out = f->n_outs;
  for (int i = 0; i < (int)l->n_in; i++) source[i] = i;
  for (int i = 0; i < f->n_outs; i++) outs[n_outs++] = i;
  for (int k = 0; k < f->body.n_res; k++) { /* `out` runs over the residuals of L */
    if (f->res_before[k]) continue;
    int x = passed_x(f, (uint32_t)out);
    if (x >= 0) f->residuals[k] = f->p->in[x].value;
    else outs[n_outs++] = out;
    out++;
  }
  loop_operands(f, &in);
  sec_value *results = in.v + l->n_in;
  sec_scan_spec s = {.n_consts = f->loop.n_res,
                     .n_carry = f->n_carry,
                     .length = f->s.length,
                     .reverse = f->s.reverse};
  SEC_TRY(sec_rewire(l, &(sec_rewiring){l->avals, source, outs, (int)l->n_in, n_outs}, &s.body));
  sec_status status = n_outs ? sec_bind_scan(&s, in.v, in.n, results) : SEC_OK;
  sec_jaxpr_release(s.body);
  for (int i = 0, n = 0; i < f->p->n_out; i++)
    if (f->out_known[i]) f->p->out[i] = (sec_operand){.known = true, .value = results[n++]};
  out = f->n_outs;
  for (int k = 0, n = f->n_outs; k < f->body.n_res; k++)
    if (!f->res_before[k] && passed_x(f, (uint32_t)out++) < 0) f->residuals[k] = results[n++];
  return status;
}

/* U's inputs are (residuals, unknown constants, carries, xs); a scan wants (constants, carries, xs). */
typedef struct operand_list {
  sec_operand *v;
  int *order, n;
} operand_list;

static void push_residuals(const scan_split *f, bool before, operand_list *l) {
  for (int k = 0; k < f->body.n_res; k++) {
    if (f->res_before[k] != before) continue;
    l->order[l->n] = k;
    l->v[l->n++] = (sec_operand){.known = true, .value = f->residuals[k]};
  }
}

static void push_unknown(const scan_split *f, int from, int to, int *input, operand_list *l) {
  for (int i = from; i < to; i++) {
    if (f->known[i]) continue;
    l->order[l->n] = (*input)++;
    l->v[l->n++] = f->p->in[i];
  }
}

static sec_status defer_rest(scan_split *f) {
  const sec_jaxpr *u = f->body.unknown;
  int n_out = (int)u->n_out, input = f->body.n_res, first_x = f->s.n_consts + f->s.n_carry;
  operand_list l = {SEC_NEW(f->arena, sec_operand, u->n_in + u->n_out),
                    SEC_NEW(f->arena, int, u->n_in + u->n_out), 0};
  const sec_aval **avals = SEC_NEW(f->arena, const sec_aval *, n_out);
  if (n_out == 0) return SEC_OK;
  if (!l.v || !l.order || !avals) return SEC_MEMORY;
  push_residuals(f, true, &l);
  push_unknown(f, 0, f->s.n_consts, &input, &l);
  sec_scan_spec s = {.n_consts = l.n, .length = f->s.length, .reverse = f->s.reverse};
  push_unknown(f, f->s.n_consts, first_x, &input, &l);
  s.n_carry = l.n - s.n_consts;
  push_residuals(f, false, &l);
  push_unknown(f, first_x, f->p->n_in, &input, &l);
  int *outs = l.order + l.n;
  for (int i = 0, n = 0; i < f->p->n_out; i++)
    if (!f->out_known[i]) avals[n] = f->p->out_avals[i], outs[n] = n, n++;
  SEC_TRY(sec_reorder(u, l.order, outs, n_out, &s.body));
  const sec_params *params = sec_scan_params(&s);
  sec_jaxpr_release(s.body);
  sec_operand *out = l.v + l.n;
  if (!params) return SEC_MEMORY;
  SEC_TRY(
      sec_partial_defer(f->p, &(sec_deferral){&sec_scan_p, params, l.v, avals, l.n, n_out}, out));
  for (int i = 0, n = 0; i < f->p->n_out; i++)
    if (!f->out_known[i]) f->p->out[i] = out[n++];
  return SEC_OK;
}

static sec_status scan_partial(scan_split *f) {
  f->known = SEC_NEW(f->arena, bool, f->p->n_in + 2 * f->p->n_out);
  if (!f->known) return SEC_MEMORY;
  f->force = f->known + f->p->n_in;
  f->out_known = f->force + f->p->n_out;
  for (int i = 0; i < f->p->n_in; i++) f->known[i] = f->p->in[i].known;
  SEC_TRY(split_body(f));
  if (f->body.known->n_eqns == 0 && f->n_outs == 0) return sec_partial_defer_all(f->p);
  SEC_TRY(split_loop(f));
  SEC_TRY(run_loop(f));
  return defer_rest(f);
}

sec_status sec_scan_partial(struct sec_partial *p) {
  scan_split f = {.p = p, .s = sec_scan_read(p->params), .arena = sec_arena_create(p->cx)};
  if (!f.arena) return SEC_MEMORY;
  sec_status status = scan_partial(&f);
  sec_split_release(&f.body);
  sec_split_release(&f.loop);
  sec_arena_destroy(f.arena);
  return status;
}
