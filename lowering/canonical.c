/* Rewrites before fusion: a dot whose only reader swaps its two sides is written the other way round; a reduction over several axes ends in the innermost one first, so that it joins the rows that
 * make its operand, and a long vector is reduced in pieces that threads can share.  sec_canonical: a -> b to a -> b. */
#include "memory.h"
#include "primitive.h"
#include <secant/ops.h>
#include <string.h>

#define PIECES 256
#define LONG_VECTOR (1 << 17)
#define SMALL_REDUCTION 4096

static sec_value reduce(const sec_eqn *e, sec_context *cx, sec_value x, const int64_t *axes, int n) {
  return sec_bind1(e->prim, x, sec_params_make(cx, SEC_PARAMS(SEC_P_INTS("axes", axes, n))));
}

static bool is_narrow(const sec_aval *a) { return a->dtype == SEC_F16 || a->dtype == SEC_BF16; }

/* Binds the reduction in two steps when that helps; false: leave it as it is. */
static bool split_reduction(const sec_jaxpr *j, const sec_eqn *e, sec_value x, sec_value *out) {
  const sec_aval *in = sec_ref_aval(j, e->in[0]);
  int             n;
  const int64_t  *axes = sec_params_ints(e->params, "axes", &n);
  int64_t         rest[SEC_MAX_RANK], inner = -1;
  int             n_rest = 0, long_axes = 0;
  for (int k = 0; k < n; k++) {
    if (in->dims[axes[k]] > 1) long_axes++;
    if (axes[k] > inner && in->dims[axes[k]] > 1) inner = axes[k];
  }
  for (int a = in->rank; inner >= 0 && a-- > inner + 1;)
    if (in->dims[a] != 1) return false; /* the innermost axis is kept */
  bool in_pieces = in->rank == 1 && n == 1 && in->size >= LONG_VECTOR && in->size % PIECES == 0;
  if (!in_pieces && (long_axes < 2 || in->size < SMALL_REDUCTION)) return false;
  if (is_narrow(in)) x = sec_convert(x, SEC_F32, false); /* what is added up in between is not rounded */
  if (in_pieces) {
    int64_t   pieces[] = {PIECES, in->size / PIECES}, one = 1, zero = 0;
    sec_value partial = reduce(e, j->cx, sec_reshape(x, 2, pieces), &one, 1);
    *out = reduce(e, j->cx, partial, &zero, 1);
  } else {
    for (int k = 0; k < n; k++)
      if (axes[k] != inner) rest[n_rest++] = axes[k] - (axes[k] > inner);
    *out = reduce(e, j->cx, reduce(e, j->cx, x, &inner, 1), rest, n_rest);
  }
  if (is_narrow(in)) *out = sec_convert(*out, in->dtype, in->weak);
  return true;
}

static sec_value value_of(const sec_jaxpr *j, const sec_value *env, sec_ref r) {
  if (!sec_ref_is_literal(r)) return env[r];
  const sec_literal *l = &j->literals[sec_ref_index(r)];
  return sec_literal_copy(l);
}

/* ---- transpose(dot(x, y)) = dot(y, x) when the transpose swaps the free axes of x and y ---- */
static bool swaps_sides(const sec_jaxpr *j, const sec_eqn *dot, const sec_eqn *transpose) {
  if (strcmp(transpose->prim->name, "transpose") != 0) return false;
  const sec_param *q = sec_params_find(dot->params, "dimension_numbers");
  int              n, n_batch = q->u.intss.n[2], n_contract = q->u.intss.n[0];
  const int64_t   *perm = sec_params_ints(transpose->params, "permutation", &n);
  int              left = sec_ref_aval(j, dot->in[0])->rank - n_batch - n_contract, right = n - n_batch - left;
  for (int k = 0; k < n; k++) {
    int64_t expected = k < n_batch ? k : k < n_batch + right ? k + left : k - right;
    if (perm[k] != expected) return false;
  }
  return true;
}

/* For every equation: the transpose that it is merged with, or NULL. */
static const sec_eqn **find_swaps(const sec_jaxpr *j) {
  const sec_eqn **swap = sec_mem_zeroed(j->n_eqns + 1, sizeof *swap);
  uint32_t       *uses = sec_mem_zeroed(j->n_vars + 1, sizeof *uses), *maker = sec_mem_zeroed(j->n_vars + 1, sizeof *maker);
  for (uint32_t i = 0; swap && uses && maker && i < j->n_eqns; i++) {
    if (j->eqns[i].prim->form == SEC_FORM_DOT) maker[j->eqns[i].out] = i + 1;
    for (uint32_t k = 0; k < j->eqns[i].n_in; k++)
      if (!sec_ref_is_literal(j->eqns[i].in[k])) uses[j->eqns[i].in[k]]++;
  }
  for (uint32_t i = 0; swap && uses && maker && i < j->n_out; i++)
    if (!sec_ref_is_literal(j->outs[i])) uses[j->outs[i]]++;
  for (uint32_t i = 0; swap && uses && maker && i < j->n_eqns; i++) {
    const sec_eqn *e = &j->eqns[i];
    sec_ref        x = e->n_in ? e->in[0] : SEC_REF_LITERAL_BIT;
    if (!sec_ref_is_literal(x) && maker[x] && uses[x] == 1 && swaps_sides(j, &j->eqns[maker[x] - 1], e)) swap[maker[x] - 1] = e;
  }
  sec_mem_free(uses), sec_mem_free(maker);
  return swap;
}

static sec_value swapped_dot(const sec_jaxpr *j, const sec_eqn *e, const sec_value *in) {
  const sec_param *q = sec_params_find(e->params, "dimension_numbers");
  const int64_t   *lists[4] = {q->u.intss.v[1], q->u.intss.v[0], q->u.intss.v[3], q->u.intss.v[2]};
  const int        n[4] = {q->u.intss.n[1], q->u.intss.n[0], q->u.intss.n[3], q->u.intss.n[2]};
  sec_param        list[8];
  int              n_params = 0;
  for (int k = 0; k < e->params->n && k < 8; k++) list[n_params++] = e->params->list[k];
  for (int k = 0; k < n_params; k++)
    if (strcmp(list[k].name, "dimension_numbers") == 0) list[k].u.intss.v = lists, list[k].u.intss.n = n;
  return sec_bind2(e->prim, in[1], in[0], sec_params_make(j->cx, list, n_params));
}

/* ---- the product of two long vectors is a sum, which is cut into pieces ---- */
static bool long_inner_product(const sec_jaxpr *j, const sec_eqn *e) {
  if (e->prim->form != SEC_FORM_DOT) return false;
  const sec_aval *x = sec_ref_aval(j, e->in[0]), *y = sec_ref_aval(j, e->in[1]);
  return x->rank == 1 && y->rank == 1 && x->size >= SMALL_REDUCTION && j->avals[e->out]->rank == 0 && x->dtype == y->dtype &&
         x->dtype == j->avals[e->out]->dtype && (x->dtype == SEC_F32 || x->dtype == SEC_F64);
}

static sec_value sum_of_products(sec_value x, sec_value y) {
  sec_value       product = sec_mul(x, y);
  const sec_aval *aval = sec_value_aval(product);
  int64_t         zero = 0, one = 1;
  if (!aval || aval->size < LONG_VECTOR || aval->size % PIECES) return sec_reduce_sum(product, &zero, 1);
  int64_t pieces[] = {PIECES, aval->size / PIECES};
  return sec_reduce_sum(sec_reduce_sum(sec_reshape(product, 2, pieces), &one, 1), &zero, 1);
}

/* ---- a product of narrow floats that is not small runs in f32, as its sums would anyway ---- */
static bool is_narrow_dot(const sec_jaxpr *j, const sec_eqn *e) {
  if (e->prim->form != SEC_FORM_DOT) return false;
  const sec_aval *x = sec_ref_aval(j, e->in[0]), *y = sec_ref_aval(j, e->in[1]), *out = j->avals[e->out];
  return is_narrow(x) && is_narrow(y) && (is_narrow(out) || out->dtype == SEC_F32) && x->size >= SMALL_REDUCTION && y->size >= SMALL_REDUCTION;
}

static sec_value widened_dot(const sec_jaxpr *j, const sec_eqn *e, const sec_value *in) {
  const sec_aval *out = j->avals[e->out];
  sec_param       list[8];
  int             n = 0;
  for (int k = 0; k < e->params->n && k < 8; k++) {
    list[n] = e->params->list[k];
    if (strcmp(list[n].name, "preferred_element_type") == 0) list[n] = (sec_param)SEC_P_DTYPE("preferred_element_type", SEC_F32);
    n++;
  }
  sec_value x = sec_convert(in[0], SEC_F32, false), y = sec_convert(in[1], SEC_F32, false);
  return sec_convert(sec_bind2(e->prim, x, y, sec_params_make(j->cx, list, n)), out->dtype, out->weak);
}

static sec_status replay(const sec_jaxpr *j, sec_value *env, sec_value *in, const sec_eqn **swap) {
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    const sec_eqn *e = &j->eqns[i];
    for (uint32_t k = 0; k < e->n_in; k++) in[k] = value_of(j, env, e->in[k]);
    sec_trace_set_location(e->loc);
    if (swap[i]) { /* its transpose, met later, is done already */
      env[swap[i]->out] = swapped_dot(j, e, in);
      if (!sec_value_ok(env[swap[i]->out])) return sec_error_status(j->cx);
      env[e->out] = SEC_VALUE_ZERO;
      continue;
    }
    if (e->n_in && sec_value_is_zero(in[0])) continue; /* that transpose */
    if (is_narrow_dot(j, e)) {
      env[e->out] = widened_dot(j, e, in);
      if (!sec_value_ok(env[e->out])) return sec_error_status(j->cx);
      continue;
    }
    if (long_inner_product(j, e)) {
      env[e->out] = sum_of_products(in[0], in[1]);
      if (!sec_value_ok(env[e->out])) return sec_error_status(j->cx);
      continue;
    }
    if (e->prim->form == SEC_FORM_REDUCE && split_reduction(j, e, in[0], &env[e->out])) {
      if (!sec_value_ok(env[e->out])) return sec_error_status(j->cx);
      continue;
    }
    sec_params_retain(e->params);
    SEC_TRY(sec_bind(e->prim, in, (int)e->n_in, e->params, env + e->out, (int)e->n_out));
  }
  return SEC_OK;
}

sec_status sec_canonical(const sec_jaxpr *j, sec_jaxpr **out) {
  *out = NULL;
  uint32_t widest = 1;
  for (uint32_t i = 0; i < j->n_eqns; i++)
    if (j->eqns[i].n_in > widest) widest = j->eqns[i].n_in;
  sec_value *env = sec_mem_alloc((j->n_vars + j->n_out + widest + 1) * sizeof *env), *in = env + j->n_vars, *outs = in + widest;
  if (!env) return sec_error_set(SEC_MEMORY, NULL, "out of memory: the program could not be prepared");
  sec_trace *t = sec_trace_begin(j->cx, j->name);
  for (uint32_t i = 0; i < j->n_in; i++) env[i] = sec_trace_input_aval(t, j->avals[i]);
  const sec_eqn **swap = find_swaps(j);
  sec_status      status = !t ? sec_error_status(j->cx) : !swap ? SEC_MEMORY : replay(j, env, in, swap);
  sec_trace_set_location(0);
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++) outs[i] = value_of(j, env, j->outs[i]);
  if (status == SEC_OK) status = sec_trace_end(t, outs, (int)j->n_out, out);
  else sec_trace_abandon(t);
  sec_mem_free(swap);
  sec_mem_free(env);
  return status;
}
