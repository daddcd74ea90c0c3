/* Partial evaluation of cond: both sides are conds with the same index.  Residuals of a branch fill slots that all
 * branches share by type; a branch without a residual for a slot puts zeros there. */
#include "rules.h"
#include <string.h>

typedef struct cond_split {
  struct sec_partial *p;
  sec_arena *arena;
  sec_jaxpr *const *branches;
  int n, n_known_out, n_slots;
  bool *known, *force, *out_known; /* operands without the index; results */
  sec_split *split;                /* one a branch */
  int **slot;                      /* slot[branch][residual] */
  const sec_aval **slot_avals;
  sec_jaxpr **sides; /* the branches of the cond that is being made */
} cond_split;

/* All branches, with what is unknown in one unknown in all. */
static sec_status split_branches(cond_split *f) {
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < f->n; k++) {
      sec_split_release(&f->split[k]);
      SEC_TRY(sec_jaxpr_partial(f->branches[k], f->known, f->force, f->out_known, &f->split[k]));
      for (int i = 0; i < f->p->n_out; i++) f->force[i] |= !f->out_known[i];
    }
  for (int i = 0; i < f->p->n_out; i++) f->n_known_out += !f->force[i];
  return SEC_OK;
}

static const sec_aval *residual_aval(const cond_split *f, int branch, int r) {
  return sec_out_aval(f->split[branch].known, (uint32_t)(f->n_known_out + r));
}

/* The first slot of this type that the branch does not use yet, or a new one. */
static int take_slot(cond_split *f, const sec_aval *aval, bool *taken) {
  int s = 0;
  while (s < f->n_slots && (taken[s] || f->slot_avals[s] != aval)) s++;
  if (s == f->n_slots) f->slot_avals[f->n_slots++] = aval;
  taken[s] = true;
  return s;
}

static sec_status assign_slots(cond_split *f) {
  int total = 0;
  for (int k = 0; k < f->n; k++) total += f->split[k].n_res;
  bool *taken = SEC_NEW(f->arena, bool, total);
  f->slot_avals = SEC_NEW(f->arena, const sec_aval *, total);
  if (!taken || !f->slot_avals) return SEC_MEMORY;
  for (int k = 0; k < f->n; k++) {
    memset(taken, 0, (size_t)total);
    f->slot[k] = SEC_NEW(f->arena, int, f->split[k].n_res);
    if (!f->slot[k]) return SEC_MEMORY;
    for (int r = 0; r < f->split[k].n_res; r++)
      f->slot[k][r] = take_slot(f, residual_aval(f, k, r), taken);
  }
  return SEC_OK;
}

/* ---- the known branches: their results, then the slots ---- */
typedef struct side_job {
  const cond_split *f;
  int branch;
} side_job;

static sec_status known_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const side_job *job = user;
  const cond_split *f = job->f;
  const sec_split *split = &f->split[job->branch];
  sec_value *results = sec_alloc(f->p->cx, (split->known->n_out + 1) * sizeof *results);
  if (!results) return SEC_MEMORY;
  sec_status status = sec_jaxpr_apply(split->known, in, results);
  *n_out = f->n_known_out + f->n_slots;
  for (int i = 0; i < f->n_known_out; i++) out[i] = results[i];
  for (int s = 0; s < f->n_slots; s++) out[f->n_known_out + s] = SEC_VALUE_ZERO;
  for (int r = 0; r < split->n_res; r++)
    out[f->n_known_out + f->slot[job->branch][r]] = results[f->n_known_out + r];
  for (int s = 0; s < f->n_slots; s++)
    out[f->n_known_out + s] = sec_instantiate(out[f->n_known_out + s], f->slot_avals[s]);
  sec_free(f->p->cx, results);
  return status;
}

static sec_status build_sides(cond_split *f, const sec_plan *common) {
  for (int k = 0; k < f->n; k++) {
    side_job job = {f, k};
    sec_plan plan = *common;
    plan.name = f->branches[k]->name;
    plan.user = &job;
    SEC_TRY(sec_build(&plan, &f->sides[k]));
  }
  return SEC_OK;
}

static void release_sides(cond_split *f) {
  for (int k = 0; k < f->n; k++) {
    sec_jaxpr_release(f->sides[k]);
    f->sides[k] = NULL;
  }
}

/* results: the known results, then the slots. */
static sec_status bind_known(cond_split *f, sec_value *results) {
  const sec_jaxpr *k0 = f->split[0].known;
  sec_values in = {SEC_NEW(f->arena, sec_value, f->p->n_in), 0};
  if (!in.v) return SEC_MEMORY;
  sec_push(&in, f->p->in[0].value);
  for (int i = 1; i < f->p->n_in; i++)
    if (f->known[i - 1]) sec_push(&in, f->p->in[i].value);
  SEC_TRY(build_sides(f, &(sec_plan){.cx = f->p->cx,
                                     .in_avals = k0->avals,
                                     .n_in = (int)k0->n_in,
                                     .max_out = f->n_known_out + f->n_slots,
                                     .build = known_build}));
  sec_status status = f->n_known_out + f->n_slots
                          ? sec_bind_cond(&(sec_cond_spec){f->sides, f->n}, in.v, in.n, results)
                          : SEC_OK;
  release_sides(f);
  return status;
}

/* ---- the unknown branches: slots and unknown operands ---- */
static sec_status unknown_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const side_job *job = user;
  const cond_split *f = job->f;
  const sec_split *split = &f->split[job->branch];
  sec_value *operands = sec_alloc(f->p->cx, (split->unknown->n_in + 1) * sizeof *operands);
  if (!operands) return SEC_MEMORY;
  for (int r = 0; r < split->n_res; r++) operands[r] = in[f->slot[job->branch][r]];
  for (int i = split->n_res; i < (int)split->unknown->n_in; i++)
    operands[i] = in[f->n_slots + i - split->n_res];
  *n_out = (int)split->unknown->n_out;
  sec_status status = sec_jaxpr_apply(split->unknown, operands, out);
  sec_free(f->p->cx, operands);
  return status;
}

static sec_status defer_unknown(cond_split *f, const sec_value *slots) {
  int max = f->p->n_in + f->n_slots, n = 0, n_out = f->p->n_out - f->n_known_out;
  sec_operand *in = SEC_NEW(f->arena, sec_operand, max + n_out);
  const sec_aval **avals = SEC_NEW(f->arena, const sec_aval *, max + n_out);
  if (!in || !avals) return SEC_MEMORY;
  in[n++] = f->p->in[0];
  for (int s = 0; s < f->n_slots; s++, n++) {
    in[n] = (sec_operand){.known = true, .value = slots[s]};
    avals[n - 1] = f->slot_avals[s];
  }
  for (int i = 1; i < f->p->n_in; i++) {
    if (f->known[i - 1]) continue;
    in[n] = f->p->in[i];
    avals[n++ - 1] = f->branches[0]->avals[i - 1];
  }
  SEC_TRY(build_sides(f, &(sec_plan){.cx = f->p->cx,
                                     .in_avals = avals,
                                     .n_in = n - 1,
                                     .max_out = n_out,
                                     .build = unknown_build}));
  const sec_params *params =
      sec_params_make(f->p->cx, SEC_PARAMS(SEC_P_JAXPRS("branches", f->sides, f->n)));
  release_sides(f);
  if (!params) return SEC_MEMORY;
  for (int i = 0, k = 0; i < f->p->n_out; i++)
    if (f->force[i]) avals[k++] = f->p->out_avals[i];
  sec_operand *out = in + n;
  SEC_TRY(sec_partial_defer(f->p, &(sec_deferral){&sec_cond_p, params, in, avals, n, n_out}, out));
  for (int i = 0, k = 0; i < f->p->n_out; i++)
    if (f->force[i]) f->p->out[i] = out[k++];
  return SEC_OK;
}

static sec_status cond_partial(cond_split *f) {
  struct sec_partial *p = f->p;
  f->known = SEC_NEW(f->arena, bool, p->n_in + 2 * p->n_out);
  f->split = SEC_NEW(f->arena, sec_split, f->n);
  f->slot = SEC_NEW(f->arena, int *, f->n);
  f->sides = SEC_NEW(f->arena, sec_jaxpr *, f->n);
  if (!f->known || !f->split || !f->slot || !f->sides) return SEC_MEMORY;
  f->force = f->known + p->n_in;
  f->out_known = f->force + p->n_out;
  for (int i = 1; i < p->n_in; i++) f->known[i - 1] = p->in[i].known;
  SEC_TRY(split_branches(f));
  SEC_TRY(assign_slots(f));
  sec_value *results = SEC_NEW(f->arena, sec_value, f->n_known_out + f->n_slots);
  if (!results) return SEC_MEMORY;
  SEC_TRY(bind_known(f, results));
  for (int i = 0, n = 0; i < p->n_out; i++)
    if (!f->force[i]) p->out[i] = (sec_operand){.known = true, .value = results[n++]};
  return f->n_known_out < p->n_out ? defer_unknown(f, results + f->n_known_out) : SEC_OK;
}

sec_status sec_cond_partial(struct sec_partial *p) {
  if (!p->in[0].known) return sec_partial_defer_all(p);
  cond_split f = {.p = p, .arena = sec_arena_create(p->cx)};
  if (!f.arena) return SEC_MEMORY;
  f.branches = sec_cond_branches(p->params, &f.n);
  sec_status status = cond_partial(&f);
  for (int k = 0; k < f.n; k++) {
    if (f.split) sec_split_release(&f.split[k]);
    if (f.sides) sec_jaxpr_release(f.sides[k]);
  }
  sec_arena_destroy(f.arena);
  return status;
}
