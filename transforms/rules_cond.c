/* Rules of cond.  The index is an integer: it has no tangent and is never linear.
 *
 * jvp, transpose: of every branch, with the same nonzero results in all.
 * batch         : a cond over batched branches; with a batched index every branch runs and a select chooses.
 * partial       : every branch in two; its residuals fill slots shared by type, the other branches put zeros there. */
#include "rules.h"
#include <string.h>

typedef struct branch_list {
  sec_jaxpr *const *old;
  sec_jaxpr **now;
  int n;
} branch_list;

static sec_status branches_begin(branch_list *b, const sec_params *p, sec_arena *arena) {
  b->old = sec_cond_branches(p, &b->n);
  b->now = arena ? SEC_NEW(arena, sec_jaxpr *, b->n) : NULL;
  return b->now ? SEC_OK : SEC_MEMORY;
}

static void branches_end(branch_list *b) {
  for (int k = 0; b->now && k < b->n; k++) sec_jaxpr_release(b->now[k]);
}

/* ---- jvp ---- */
/* Jvps of all branches, with the union of their nonzero results. */
static sec_status cond_jvp_branches(branch_list *b, const bool *nz, bool *force, bool *found,
                                    int n_out) {
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < b->n; k++) {
      sec_jaxpr_release(b->now[k]);
      SEC_TRY(sec_jvp_body(b->old[k], nz, force, found, &b->now[k]));
      for (int i = 0; i < n_out; i++) force[i] |= found[i];
    }
  return SEC_OK;
}

sec_status sec_cond_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                        sec_value *out_dot) {
  branch_list b = {0};
  sec_arena *arena = sec_arena_create(r->cx);
  sec_status status = branches_begin(&b, r->params, arena);
  bool *nz = arena ? SEC_NEW(arena, bool, r->n_in + 2 * r->n_out) : NULL;
  sec_value *in = arena ? SEC_NEW(arena, sec_value, 2 * (r->n_in + r->n_out)) : NULL;
  if (!nz || !in) status = SEC_MEMORY;
  if (status == SEC_OK) {
    sec_nonzero(in_dot, r->n_in, nz);
    status = cond_jvp_branches(&b, nz + 1, nz + r->n_in, nz + r->n_in + r->n_out, r->n_out);
  }
  if (status == SEC_OK) {
    sec_value *results = in + 2 * r->n_in;
    sec_primals_and_tangents(r, in_dot, in);
    status =
        sec_bind_cond(&(sec_cond_spec){b.now, b.n}, in, r->n_in + sec_count(nz, r->n_in), results);
    for (int i = 0, n = r->n_out; i < r->n_out; i++) {
      out[i] = results[i];
      out_dot[i] = nz[r->n_in + i] ? results[n++] : SEC_VALUE_ZERO;
    }
  }
  branches_end(&b);
  sec_arena_destroy(arena);
  return status;
}

/* ---- transpose ---- */
sec_status sec_cond_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                              sec_value *in_ct) {
  branch_list b = {0};
  sec_arena *arena = sec_arena_create(r->cx);
  sec_status status = branches_begin(&b, r->params, arena);
  bool *given = arena ? SEC_NEW(arena, bool, r->n_out) : NULL;
  sec_values in = {arena ? SEC_NEW(arena, sec_value, 2 * r->n_in + r->n_out) : NULL, 0};
  if (!given || !in.v) status = SEC_MEMORY;
  if (status == SEC_OK) {
    sec_nonzero(ct, r->n_out, given);
    for (int k = 0; k < b.n && status == SEC_OK; k++)
      status = sec_transpose_body(b.old[k], linear + 1, given, &b.now[k]);
  }
  if (status == SEC_OK) {
    for (int i = 0; i < r->n_in; i++)
      if (!linear[i]) sec_push(&in, r->in[i]);
    for (int i = 0; i < r->n_out; i++)
      if (given[i]) sec_push(&in, ct[i]);
    sec_value *results = in.v + in.n;
    status = sec_bind_cond(&(sec_cond_spec){b.now, b.n}, in.v, in.n, results);
    for (int i = 0, n = 0; i < r->n_in && status == SEC_OK; i++)
      if (linear[i]) in_ct[i] = results[n++];
  }
  branches_end(&b);
  sec_arena_destroy(arena);
  return status;
}

/* ---- batch ---- */
/* One index for all lanes: batched branches, batched in the same results. */
static sec_status cond_batch_branches(sec_batch *b, branch_list *list, bool *force) {
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < list->n; k++) {
      sec_jaxpr_release(list->now[k]);
      list->now[k] = NULL;
      SEC_TRY(sec_batch_body(list->old[k],
                             &(sec_lanes){b->batched + 1, force, b->size, b->axis_name},
                             b->out_batched, &list->now[k]));
      for (int i = 0; i < b->n_out; i++) force[i] |= b->out_batched[i];
    }
  return sec_bind_cond(&(sec_cond_spec){list->now, list->n}, b->in, b->n_in, b->out);
}

/* pred, one a lane, spread over the shape of x. */
static sec_value spread(sec_value pred, sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (!a || a->rank == 1) return a ? pred : SEC_VALUE_POISON;
  return sec_broadcast_in_dim(pred, a->rank, a->dims, (const int64_t[]){0});
}

/* Operands of branch k, every one batched.  In lanes that take another branch no cotangent comes back through a
 * float: a NaN there stays there. */
static sec_status guarded_operands(sec_batch *b, sec_value in_branch, sec_value *in) {
  for (int i = 1; i < b->n_in; i++) {
    sec_value x = b->batched[i] ? b->in[i] : sec_repeat_front(b->in[i], b->size);
    if (sec_has_tangent(b->in_avals[i]))
      x = sec_select_n(spread(in_branch, x), (sec_value[]){sec_stop_gradient(x), x}, 2);
    in[i - 1] = x;
    if (!sec_value_ok(x)) return sec_failed();
  }
  return SEC_OK;
}

/* Which lanes take branch k: the index is clamped. */
static sec_value takes_branch(sec_value index, int k, int n) {
  sec_value number = sec_literal_of(SEC_I32, false, 0, k);
  if (n == 1) return sec_eq(index, index);
  if (k == 0) return sec_le(index, number);
  return k == n - 1 ? sec_ge(index, number) : sec_eq(index, number);
}

/* An index for each lane: every branch runs, then its lanes are put into the results. */
static sec_status cond_batch_select(sec_batch *b, const branch_list *list, sec_arena *arena) {
  sec_value *in = SEC_NEW(arena, sec_value, b->n_in + b->n_out);
  bool *flags = SEC_NEW(arena, bool, b->n_in + 2 * b->n_out);
  if (!in || !flags) return SEC_MEMORY;
  sec_value *results = in + b->n_in;
  memset(flags, 1, (size_t)(b->n_in + b->n_out));
  sec_lanes lanes = {flags, flags + b->n_in, b->size, b->axis_name};
  for (int k = 0; k < list->n; k++) {
    sec_value here = takes_branch(b->in[0], k, list->n);
    SEC_TRY(guarded_operands(b, here, in));
    SEC_TRY(sec_batch_apply(list->old[k], &lanes, in, results, flags + b->n_in + b->n_out));
    for (int i = 0; i < b->n_out; i++) {
      b->out[i] =
          k == 0 ? results[i]
                 : sec_select_n(spread(here, results[i]), (sec_value[]){b->out[i], results[i]}, 2);
      b->out_batched[i] = true;
      if (!sec_value_ok(b->out[i])) return sec_failed();
    }
  }
  return SEC_OK;
}

sec_status sec_cond_batch(sec_batch *b) {
  branch_list list = {0};
  sec_arena *arena = sec_arena_create(b->cx);
  sec_status status = branches_begin(&list, b->params, arena);
  bool *force = arena ? SEC_NEW(arena, bool, b->n_out) : NULL;
  if (!force) status = SEC_MEMORY;
  if (status == SEC_OK)
    status =
        b->batched[0] ? cond_batch_select(b, &list, arena) : cond_batch_branches(b, &list, force);
  branches_end(&list);
  sec_arena_destroy(arena);
  return status;
}
