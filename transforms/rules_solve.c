/* Rules of custom_linear_solve: x with A x = b, where `matvec` is A, `solve` finds x, and `vecmat` and
 * `transpose_solve` (or neither) are the same of A's transpose.  Every body takes (constants, vector).
 *
 * jvp      : A dx = db - dA x, solved by the same bodies.
 * transpose: the cotangent of b solves the transposed system: the pairs of bodies change places.
 * batch    : every body is batched; all lanes of b are. */
#include "rules.h"
#include <string.h>

static bool is_solved(const sec_solve_spec *s) { return s->transpose_solve && s->vecmat; }

/* ---- jvp ---- */
typedef struct solve_jvp {
  const sec_rule *r;
  const sec_value *in_dot;
  sec_solve_spec s;
  int n;          /* vectors */
  sec_value *rhs; /* constants, then db - dA x */
} solve_jvp;

/* dA x: the tangents of matvec's results by its constants. */
static sec_status moved(const solve_jvp *f, const sec_value *x, sec_arena *arena, sec_value *out) {
  int n_consts = f->s.n_consts, n_in = n_consts + f->n;
  bool *nz = SEC_NEW(arena, bool, n_in + f->n);
  sec_value *in = SEC_NEW(arena, sec_value, 2 * n_in), *results = SEC_NEW(arena, sec_value, 2 * f->n);
  sec_jaxpr *body = NULL;
  if (!nz || !in || !results) return SEC_MEMORY;
  sec_nonzero(f->in_dot, n_consts, nz);
  SEC_TRY(sec_jvp_body(f->s.matvec, nz, NULL, nz + n_in, &body));
  sec_values all = {in, 0};
  for (int i = 0; i < n_consts; i++) sec_push(&all, f->r->in[i]);
  for (int i = 0; i < f->n; i++) sec_push(&all, x[i]);
  for (int i = 0; i < n_consts; i++)
    if (nz[i]) sec_push(&all, f->in_dot[i]);
  sec_status status = sec_jaxpr_apply(body, in, results);
  for (int i = 0, k = f->n; i < f->n; i++) out[i] = nz[n_in + i] ? results[k++] : SEC_VALUE_ZERO;
  sec_jaxpr_release(body);
  return status;
}

/* *any: whether the right side is not zero. */
static sec_status right_side(const solve_jvp *f, const sec_value *x, sec_arena *arena, bool *any) {
  int n_consts = f->s.n_consts;
  sec_value *change = SEC_NEW(arena, sec_value, f->n);
  if (!change) return SEC_MEMORY;
  for (int i = 0; i < f->n; i++) change[i] = SEC_VALUE_ZERO;
  for (int i = 0, done = 0; i < n_consts && !done; i++)
    if (!sec_value_is_zero(f->in_dot[i])) {
      SEC_TRY(moved(f, x, arena, change));
      done = 1;
    }
  memcpy(f->rhs, f->r->in, (size_t)n_consts * sizeof *f->rhs);
  for (int i = 0; i < f->n; i++) {
    sec_value db = f->in_dot[n_consts + i];
    const sec_aval *b = f->r->in_avals[n_consts + i];
    *any |= !sec_value_is_zero(db) || !sec_value_is_zero(change[i]);
    if (sec_value_is_zero(db) && sec_value_is_zero(change[i])) db = sec_zeros_of(b);
    else if (sec_value_is_zero(db)) db = sec_neg(change[i]);
    else if (!sec_value_is_zero(change[i])) db = sec_sub(db, change[i]);
    f->rhs[n_consts + i] = sec_fit_weak(db, b);
  }
  return SEC_OK;
}

static sec_status solve_tangent(const sec_rule *r, const sec_value *in_dot, sec_arena *arena,
                                sec_value *out, sec_value *out_dot) {
  solve_jvp f = {.r = r, .in_dot = in_dot, .s = sec_solve_read(r->params)};
  bool any = false;
  f.n = r->n_in - f.s.n_consts;
  f.rhs = SEC_NEW(arena, sec_value, r->n_in);
  sec_value *dots = SEC_NEW(arena, sec_value, r->n_out);
  if (!f.rhs || !dots) return SEC_MEMORY;
  for (int i = 0; i < r->n_out; i++) out_dot[i] = SEC_VALUE_ZERO;
  SEC_TRY(sec_bind_solve(&f.s, r->in, r->n_in, out));
  SEC_TRY(right_side(&f, out, arena, &any));
  if (!any) return SEC_OK;
  SEC_TRY(sec_bind_solve(&f.s, f.rhs, r->n_in, dots));
  for (int i = 0; i < f.n; i++)
    if (sec_has_tangent(r->out_avals[i])) out_dot[i] = dots[i];
  return SEC_OK;
}

sec_status sec_custom_linear_solve_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                                       sec_value *out_dot) {
  sec_arena *arena = sec_arena_create(r->cx);
  sec_status status = arena ? solve_tangent(r, in_dot, arena, out, out_dot) : SEC_MEMORY;
  sec_arena_destroy(arena);
  return status;
}

/* ---- transpose ---- */
static sec_status solve_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                                  sec_arena *arena, sec_value *in_ct) {
  sec_solve_spec s = sec_solve_read(r->params);
  int n = r->n_in - s.n_consts;
  if (!is_solved(&s))
    return sec_error_set(SEC_TYPE, "give transpose_solve, or say symmetric=True",
                         "transpose_solve required for backwards mode automatic differentiation of "
                         "custom_linear_solve");
  for (int i = 0; i < s.n_consts; i++)
    if (linear[i])
      return sec_error_set(SEC_NO_RULE, NULL,
                           "custom_linear_solve is linear in b, not in what its functions use");
  sec_solve_spec turned = {s.transpose_solve, s.vecmat, s.solve, s.matvec, s.n_consts};
  sec_value *in = SEC_NEW(arena, sec_value, r->n_in);
  sec_value *out = SEC_NEW(arena, sec_value, turned.solve->n_out);
  if (!in || !out) return SEC_MEMORY;
  memcpy(in, r->in, (size_t)s.n_consts * sizeof *in);
  for (int i = 0; i < n; i++)
    in[s.n_consts + i] = sec_instantiate(ct[i], r->in_avals[s.n_consts + i]);
  SEC_TRY(sec_bind_solve(&turned, in, r->n_in, out));
  for (int i = 0; i < n; i++)
    if (linear[s.n_consts + i]) in_ct[s.n_consts + i] = out[i];
  return SEC_OK;
}

sec_status sec_custom_linear_solve_transpose(const sec_rule *r, const bool *linear,
                                             const sec_value *ct, sec_value *in_ct) {
  sec_arena *arena = sec_arena_create(r->cx);
  sec_status status = arena ? solve_transpose(r, linear, ct, arena, in_ct) : SEC_MEMORY;
  sec_arena_destroy(arena);
  return status;
}

/* ---- batch ---- */
static sec_status batch_bodies(sec_batch *b, const sec_solve_spec *s, sec_solve_spec *now,
                               bool *flags) {
  sec_jaxpr *const old[] = {s->solve, s->matvec, s->transpose_solve, s->vecmat};
  sec_jaxpr **const to[] = {&now->solve, &now->matvec, &now->transpose_solve, &now->vecmat};
  bool *force = flags + b->n_in;
  for (int k = 0; k < 4; k++) {
    if (!old[k]) continue;
    memset(force, 1, old[k]->n_out);
    SEC_TRY(sec_batch_body(old[k], &(sec_lanes){flags, force, b->size, b->axis_name},
                           force + old[k]->n_out, to[k]));
  }
  return SEC_OK;
}

static sec_status solve_batch(sec_batch *b, sec_arena *arena, sec_solve_spec *now) {
  sec_solve_spec s = sec_solve_read(b->params);
  int most = b->n_out;
  if (s.transpose_solve && (int)s.transpose_solve->n_out > most) most = (int)s.transpose_solve->n_out;
  bool *flags = SEC_NEW(arena, bool, b->n_in + 2 * most);
  sec_value *in = SEC_NEW(arena, sec_value, b->n_in);
  if (!flags || !in) return SEC_MEMORY;
  for (int i = 0; i < b->n_in; i++) {
    flags[i] = i >= s.n_consts || b->batched[i];
    in[i] = flags[i] && !b->batched[i] ? sec_repeat_front(b->in[i], b->size) : b->in[i];
  }
  for (int i = 0; i < b->n_out; i++) b->out_batched[i] = true;
  now->n_consts = s.n_consts;
  SEC_TRY(batch_bodies(b, &s, now, flags));
  return sec_bind_solve(now, in, b->n_in, b->out);
}

sec_status sec_custom_linear_solve_batch(sec_batch *b) {
  sec_solve_spec now = {NULL, NULL, NULL, NULL, 0};
  sec_arena *arena = sec_arena_create(b->cx);
  sec_status status = arena ? solve_batch(b, arena, &now) : SEC_MEMORY;
  sec_jaxpr *const made[] = {now.solve, now.matvec, now.transpose_solve, now.vecmat};
  for (int k = 0; k < 4; k++) sec_jaxpr_release(made[k]);
  sec_arena_destroy(arena);
  return status;
}
