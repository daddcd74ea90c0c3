/* Helpers of the structural primitives; see structure.h. */
#include "structure.h"

sec_status sec_type_ints(const sec_typing *t, const char *name, const int64_t **v, int *n) {
  const sec_param *p = sec_params_find(t->params, name);
  if (p == NULL || p->kind != SEC_PARAM_INTS)
    return sec_type_error(t, SEC_ARGUMENT, "give it as (1, 2)",
                          "parameter %s is not a list of integers", name);
  if (p->u.ints.n > SEC_MAX_RANK)
    return sec_type_error(t, SEC_ARGUMENT, NULL, "parameter %s has %d entries, more than rank %d",
                          name, p->u.ints.n, SEC_MAX_RANK);
  *v = p->u.ints.v;
  *n = p->u.ints.n;
  return SEC_OK;
}

sec_status sec_type_intss(const sec_typing *t, const char *name, const int64_t *const **v,
                          const int **n, int *count) {
  const sec_param *p = sec_params_find(t->params, name);
  *count = 0;
  *v = NULL;
  *n = NULL;
  if (p != NULL && p->kind == SEC_PARAM_INTS && p->u.ints.n == 0) return SEC_OK;
  if (p == NULL || p->kind != SEC_PARAM_INTSS)
    return sec_type_error(t, SEC_ARGUMENT, "give it as ((1, 2), (3,))",
                          "parameter %s is not a list of lists", name);
  *v = p->u.intss.v;
  *n = p->u.intss.n;
  *count = p->u.intss.count;
  return SEC_OK;
}

bool sec_has_axis(const int64_t *axes, int n, int64_t axis) {
  for (int i = 0; i < n; i++)
    if (axes[i] == axis) return true;
  return false;
}

bool sec_rises(const int64_t *list, int n) {
  for (int i = 1; i < n; i++)
    if (list[i] <= list[i - 1]) return false;
  return true;
}

sec_status sec_type_axes(const sec_typing *t, const char *what, const int64_t *axes, int n,
                         int rank) {
  for (int i = 0; i < n; i++) {
    if (axes[i] < 0 || axes[i] >= rank)
      return sec_type_error(t, SEC_AXIS, "axes of a primitive count from 0",
                            "%s has %" PRId64 ", outside rank %d", what, axes[i], rank);
    if (sec_has_axis(axes, i, axes[i]))
      return sec_type_error(t, SEC_AXIS, "name each axis once", "%s has axis %" PRId64 " twice",
                            what, axes[i]);
  }
  return SEC_OK;
}

sec_status sec_type_gives_at(sec_typing *t, int i, sec_dtype dtype, bool weak, int rank,
                             const int64_t *dims) {
  const sec_aval *a = sec_aval_get(t->cx, dtype, weak, rank, dims);
  if (a == NULL) return sec_error_status(t->cx);
  t->out[i] = a;
  t->n_out = i + 1;
  return SEC_OK;
}

sec_status sec_type_gives(sec_typing *t, sec_dtype dtype, bool weak, int rank,
                          const int64_t *dims) {
  return sec_type_gives_at(t, 0, dtype, weak, rank, dims);
}

sec_status sec_eval_view(const sec_eval *e) {
  const sec_array *x = e->in[0], *y = e->out[0];
  const sec_aval *in = x->aval, *out = y->aval;
  sec_index_map map;
  int64_t strides[SEC_MAX_RANK], index[SEC_MAX_RANK] = {0};
  size_t size = sec_dtype_size(in->dtype);
  char *to = y->data;
  if (out->size == 0) return SEC_OK;
  e->prim->view(e->params, in, out, &map);
  sec_strides(in->rank, in->dims, strides);
  do {
    int64_t at = 0;
    for (int a = 0; a < in->rank; a++) {
      int64_t i = map.axis[a].offset;
      for (int k = 0; k < out->rank; k++) i += map.axis[a].coef[k] * index[k];
      at += i * strides[a];
    }
    memcpy(to, (const char *)x->data + (size_t)at * size, size);
    to += size;
  } while (sec_next_index(out->rank, out->dims, index));
  return SEC_OK;
}

sec_status sec_eval_copy(const sec_eval *e) {
  if (e->out[0]->bytes > 0) memcpy(e->out[0]->data, e->in[0]->data, e->out[0]->bytes);
  return SEC_OK;
}

sec_status sec_batch_result(sec_batch *b, sec_value v) {
  b->out[0] = v;
  b->out_batched[0] = true;
  return sec_value_ok(v) ? SEC_OK : sec_error_status(b->cx);
}

int sec_shift_axes(const int64_t *axes, int n, int64_t *out) {
  for (int i = 0; i < n; i++) out[i] = axes[i] + 1;
  return n;
}

int sec_prepend(int64_t first, const int64_t *list, int n, int64_t *out) {
  out[0] = first;
  for (int i = 0; i < n; i++) out[i + 1] = list[i];
  return n + 1;
}

sec_value sec_move_to_front(sec_value x, int from) {
  const sec_aval *a = sec_value_aval(x);
  int64_t permutation[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  permutation[0] = from;
  for (int k = 1; k < a->rank; k++) permutation[k] = k <= from ? k - 1 : k;
  return sec_transpose(x, permutation);
}

sec_context *sec_current_context(const char *op) {
  sec_trace *t = sec_trace_current();
  if (t != NULL) return sec_trace_context(t);
  sec_error_set(SEC_NO_TRACE, "call it between sec_trace_begin and sec_trace_end",
                "%s: no trace is open", op);
  return NULL;
}

bool sec_rank_from_user(const char *op, int rank) {
  if (rank >= 0 && rank <= SEC_MAX_RANK) return true;
  sec_error_set(SEC_SHAPE, NULL, "%s: rank %d is outside 0 .. %d", op, rank, SEC_MAX_RANK);
  return false;
}

bool sec_axes_from_user(const char *op, int rank, const int64_t *axes, int n, int64_t *out) {
  if (n < 0 || n > rank) {
    sec_error_set(SEC_AXIS, NULL, "%s: %d axes for an array of rank %d", op, n, rank);
    return false;
  }
  for (int i = 0; i < n; i++) {
    if (axes[i] < -rank || axes[i] >= rank) {
      sec_error_set(SEC_AXIS, "axes count from 0, or from -1 at the end",
                    "%s: axis %" PRId64 " is outside rank %d", op, axes[i], rank);
      return false;
    }
    out[i] = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (sec_has_axis(out, i, out[i])) {
      sec_error_set(SEC_AXIS, "name each axis once", "%s: axis %" PRId64 " is named twice", op,
                    out[i]);
      return false;
    }
  }
  return true;
}

sec_value sec_zero_literal(sec_dtype dtype) { return sec_literal_of(dtype, false, 0, 0); }

sec_value sec_triangle(sec_value x, bool lower, int k) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return SEC_VALUE_POISON;
  const int64_t *dims = a->dims + a->rank - 2;
  sec_value row = sec_iota(SEC_I32, 2, dims, 0), column = sec_iota(SEC_I32, 2, dims, 1);
  sec_value edge = sec_add(row, sec_literal_of(SEC_I32, false, 0, k));
  sec_value keep = lower ? sec_le(column, edge) : sec_ge(column, edge);
  return sec_where(keep, x, sec_zero_literal(a->dtype));
}

sec_value sec_matrix_transpose(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  int64_t permutation[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  for (int k = 0; k < a->rank; k++) permutation[k] = k;
  permutation[a->rank - 2] = a->rank - 1;
  permutation[a->rank - 1] = a->rank - 2;
  return sec_transpose(x, permutation);
}

sec_value sec_take_along(sec_value x, sec_value at, int axis) {
  const sec_aval *a = sec_value_aval(x);
  const sec_aval *places = sec_value_aval(at);
  int64_t others[SEC_MAX_RANK], sizes[SEC_MAX_RANK], along = axis;
  if (a == NULL || places == NULL) return SEC_VALUE_POISON;
  if (places->size == 0) return sec_zeros_of(sec_aval_get(sec_trace_context(sec_trace_current()), a->dtype, a->weak, places->rank, places->dims));
  int64_t last = a->rank;
  for (int k = 0, n = 0; k < a->rank; k++) {
    sizes[k] = 1;
    if (k != axis) others[n++] = k;
  }
  const sec_gather_dims dims = {.collapsed_slice_dims = &along,
                                .n_collapsed = 1,
                                .start_index_map = &along,
                                .n_start = 1,
                                .operand_batching_dims = others,
                                .start_indices_batching_dims = others,
                                .n_batching = a->rank - 1};
  return sec_gather(x, sec_expand_dims(at, &last, 1), &dims, sizes, 2);
}
