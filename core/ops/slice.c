/* slice, dynamic_slice and dynamic_update_slice: one window of an array, at a place known when
 * tracing or given by integer scalars.  A dynamic window is moved to lie inside the array. */
#include "complex.h"
#include "structure.h"

/* ---- slice: operand elements start + i * stride below limit, an axis ---- */
static const int64_t *slice_strides(const sec_params *p) {
  const sec_param *strides = sec_params_find(p, "strides");
  return strides != NULL && strides->kind == SEC_PARAM_INTS ? strides->u.ints.v : NULL;
}

static sec_status slice_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  const int64_t *start, *limit, *strides = slice_strides(t->params);
  int64_t dims[SEC_MAX_RANK];
  int n_start, n_limit, n_strides = x->rank;
  SEC_TRY(sec_type_ints(t, "start_indices", &start, &n_start));
  SEC_TRY(sec_type_ints(t, "limit_indices", &limit, &n_limit));
  if (strides != NULL) SEC_TRY(sec_type_ints(t, "strides", &strides, &n_strides));
  if (n_start != x->rank || n_limit != x->rank || n_strides != x->rank)
    return sec_type_error(t, SEC_SHAPE, "give one start, limit and stride for each axis",
                          "%d starts and %d limits for %s", n_start, n_limit, x->text);
  for (int a = 0; a < x->rank; a++) {
    int64_t step = strides == NULL ? 1 : strides[a];
    if (start[a] < 0 || limit[a] < start[a] || limit[a] > x->dims[a] || step < 1)
      return sec_type_error(t, SEC_SHAPE, "0 <= start <= limit <= size, and stride >= 1",
                            "cannot take %" PRId64 ":%" PRId64 ":%" PRId64 " of axis %d of %s",
                            start[a], limit[a], step, a, x->text);
    dims[a] = (limit[a] - start[a]) / step + ((limit[a] - start[a]) % step != 0);
  }
  return sec_type_gives(t, x->dtype, x->weak, x->rank, dims);
}

static void slice_view(const sec_params *p, const sec_aval *in, const sec_aval *out,
                       sec_index_map *map) {
  int n;
  const int64_t *start = sec_params_ints(p, "start_indices", &n), *strides = slice_strides(p);
  (void)out;
  *map = (sec_index_map){0};
  for (int a = 0; a < in->rank; a++) {
    map->axis[a].offset = start[a];
    map->axis[a].coef[a] = strides == NULL ? 1 : strides[a];
  }
}

/* ct where the elements came from, zero elsewhere */
static sec_value slice_transpose(const sec_rule *r, sec_value ct) {
  const sec_aval *x = r->in_avals[0], *y = r->out_avals[0];
  int n;
  const int64_t *start = sec_params_ints(r->params, "start_indices", &n),
                *strides = slice_strides(r->params);
  int64_t high[SEC_MAX_RANK], interior[SEC_MAX_RANK];
  for (int a = 0; a < n; a++) {
    int64_t step = strides == NULL ? 1 : strides[a];
    int64_t end = y->dims[a] == 0 ? start[a] : start[a] + (y->dims[a] - 1) * step + 1;
    high[a] = x->dims[a] - end;
    interior[a] = step - 1;
  }
  return sec_pad(ct, sec_zero_literal(x->dtype), start, high, interior);
}

static sec_status slice_batch(sec_batch *b) {
  int n;
  int64_t start[SEC_LIST], limit[SEC_LIST], strides[SEC_LIST];
  const int64_t *lane = slice_strides(b->params);
  sec_prepend(0, sec_params_ints(b->params, "start_indices", &n), b->in_avals[0]->rank, start);
  sec_prepend(b->size, sec_params_ints(b->params, "limit_indices", &n), n, limit);
  if (lane != NULL) sec_prepend(1, lane, n, strides);
  return sec_batch_result(b, sec_slice(b->in[0], start, limit, lane == NULL ? NULL : strides));
}

SEC_PRIMITIVE(slice, .doc = "A window of the operand, with strides.", .operands = {"x"},
              .type = slice_type, .eval = sec_eval_view, .linear = 1,
              .transpose = {slice_transpose}, .batch = slice_batch, .form = SEC_FORM_VIEW,
              .view = slice_view, .takes = SEC_TAKES_ANY, .parts = sec_parts_each, .flags = SEC_FLAG_CHEAP)

sec_value sec_slice(sec_value x, const int64_t *start, const int64_t *limit,
                    const int64_t *strides) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return SEC_VALUE_POISON;
  bool whole = true, dense = true;
  for (int k = 0; k < a->rank; k++) {
    whole &= start[k] == 0 && limit[k] == a->dims[k];
    dense &= strides == NULL || strides[k] == 1;
  }
  if (whole && dense) return x;
  sec_param list[3] = {SEC_P_INTS("limit_indices", limit, a->rank),
                       SEC_P_INTS("start_indices", start, a->rank),
                       {.name = "strides", .kind = SEC_PARAM_NONE}};
  if (!dense) list[2] = (sec_param)SEC_P_INTS("strides", strides, a->rank);
  return sec_bind1(&sec_slice_p, x, sec_params_make(sec_current_context("slice"), list, 3));
}

/* ---- what dynamic_slice and dynamic_update_slice share: integer scalars in[first ..], one an axis
 * ---- */
static sec_status index_types(const sec_typing *t, int first, int rank) {
  if (t->n_in - first != rank)
    return sec_type_error(t, SEC_SHAPE, "give one start index for each axis",
                          "%d start indices for %s", t->n_in - first, t->in[0]->text);
  for (int i = first; i < t->n_in; i++) {
    sec_kind kind = sec_dtype_kind(t->in[i]->dtype);
    if (t->in[i]->rank != 0 || (kind != SEC_KIND_INT && kind != SEC_KIND_UINT))
      return sec_type_error(t, SEC_TYPE, "start indices are integer scalars",
                            "start index %d is %s", i - first, t->in[i]->text);
  }
  return SEC_OK;
}

/* Start of the window along one axis, moved into 0 .. size - window. */
static int64_t clamped_start(const sec_array *index, int64_t size, int64_t window) {
  int64_t i = sec_get_i(index, 0);
  if (sec_dtype_kind(index->aval->dtype) == SEC_KIND_UINT && i < 0) i = INT64_MAX;
  return i < 0 ? 0 : i > size - window ? size - window : i;
}

/* Copies between a window of `whole` at in[first ..] and `part`, row by row. */
static void copy_window(const sec_eval *e, int first, sec_array *whole, sec_array *part,
                        bool into_whole) {
  const sec_aval *w = whole->aval, *p = part->aval;
  int64_t index[SEC_MAX_RANK] = {0}, strides[SEC_MAX_RANK], origin = 0;
  size_t size = sec_dtype_size(w->dtype);
  char *dense = part->data;
  if (p->size == 0) return;
  sec_strides(w->rank, w->dims, strides);
  for (int a = 0; a < w->rank; a++)
    origin += clamped_start(e->in[first + a], w->dims[a], p->dims[a]) * strides[a];
  do {
    char *place =
        (char *)whole->data + (size_t)(origin + sec_linear(w->rank, strides, index)) * size;
    if (into_whole) memcpy(place, dense, size);
    else memcpy(dense, place, size);
    dense += size;
  } while (sec_next_index(p->rank, p->dims, index));
}

static bool any_batched(const sec_batch *b, int first) {
  for (int i = first; i < b->n_in; i++)
    if (b->batched[i]) return true;
  return false;
}

/* Operands of the batched equation when no index is batched: whole axis 0, from index 0. */
static void prepend_index(const sec_batch *b, int first, sec_value *start) {
  start[0] = sec_zero_literal(first < b->n_in ? b->in_avals[first]->dtype : SEC_I32);
  for (int i = first; i < b->n_in; i++) start[1 + i - first] = b->in[i];
}

/* The index scalars of all lanes as one array [size, rank]. */
static sec_value stacked_indices(const sec_batch *b, int first) {
  sec_value columns[SEC_MAX_RANK];
  int64_t axis = 1;
  bool wide = false;
  for (int i = first; i < b->n_in; i++)
    wide |= sec_dtype_bits(b->in_avals[i]->dtype) == 64 || b->in_avals[i]->dtype == SEC_U32;
  for (int i = first; i < b->n_in; i++)
    columns[i - first] = sec_expand_dims(
        sec_convert(sec_batch_operand(b, i), wide ? SEC_I64 : SEC_I32, false), &axis, 1);
  return sec_concatenate(columns, b->n_in - first, 1);
}

static void count_from(int64_t first, int n, int64_t *out) {
  for (int k = 0; k < n; k++) out[k] = first + k;
}

/* ---- dynamic_slice ---- */
static sec_status dynamic_slice_type(sec_typing *t) {
  const int64_t *sizes;
  int n;
  if (t->n_in == 0) return sec_type_error(t, SEC_ARGUMENT, NULL, "there is no operand");
  const sec_aval *x = t->in[0];
  SEC_TRY(sec_type_ints(t, "slice_sizes", &sizes, &n));
  if (n != x->rank)
    return sec_type_error(t, SEC_SHAPE, "give one size for each axis", "%d slice_sizes for %s", n,
                          x->text);
  SEC_TRY(index_types(t, 1, n));
  for (int a = 0; a < n; a++)
    if (sizes[a] < 0 || sizes[a] > x->dims[a])
      return sec_type_error(t, SEC_SHAPE, "a window is at most as long as its axis",
                            "a window of %" PRId64 " does not fit axis %d of %s", sizes[a], a,
                            x->text);
  return sec_type_gives(t, x->dtype, x->weak, n, sizes);
}

static sec_status dynamic_slice_eval(const sec_eval *e) {
  copy_window(e, 1, e->in[0], e->out[0], false);
  return SEC_OK;
}

/* ct put into zeros at the same place */
static sec_value dynamic_slice_transpose(const sec_rule *r, sec_value ct) {
  return sec_dynamic_update_slice(sec_zeros_of(r->in_avals[0]), ct, r->in + 1);
}

/* Batched indices: a gather that clips, of one window a lane. */
static sec_status dynamic_slice_batch(sec_batch *b) {
  int n, front = b->batched[0] ? 1 : 0;
  const int64_t *lane = sec_params_ints(b->params, "slice_sizes", &n);
  int64_t sizes[SEC_LIST], offset[SEC_LIST], map[SEC_LIST], zero = 0;
  if (!any_batched(b, 1)) {
    sec_value start[SEC_LIST];
    prepend_index(b, 1, start);
    sec_prepend(b->size, lane, n, sizes);
    return sec_batch_result(b, sec_dynamic_slice(b->in[0], start, sizes));
  }
  count_from(1, n, offset);
  count_from(front, n, map);
  sec_prepend(1, lane, n, sizes);
  const sec_gather_dims dims = {.offset_dims = offset,
                                .n_offset = n,
                                .start_index_map = map,
                                .n_start = n,
                                .operand_batching_dims = &zero,
                                .start_indices_batching_dims = &zero,
                                .n_batching = front};
  return sec_batch_result(b,
                          sec_gather(b->in[0], stacked_indices(b, 1), &dims, sizes + 1 - front, 0));
}

SEC_PRIMITIVE(dynamic_slice,
              .doc = "A window at start indices known when running; it is moved inside.",
              .operands = {"x", "start"}, .variadic = true, .type = dynamic_slice_type,
              .eval = dynamic_slice_eval, .linear = 1, .transpose = {dynamic_slice_transpose},
              .batch = dynamic_slice_batch, .form = SEC_FORM_DYNAMIC_SLICE, .takes = SEC_TAKES_ANY, .parts = sec_parts_each)

sec_value sec_dynamic_slice(sec_value x, const sec_value *start, const int64_t *sizes) {
  const sec_aval *a = sec_value_aval(x);
  sec_value in[SEC_LIST], out;
  if (a == NULL) return SEC_VALUE_POISON;
  if (a->rank == 0) return x;
  in[0] = x;
  for (int k = 0; k < a->rank; k++) {
    if (sec_value_aval(start[k]) == NULL) return SEC_VALUE_POISON;
    in[k + 1] = start[k];
  }
  sec_bind(&sec_dynamic_slice_p, in, a->rank + 1,
           sec_params_make(sec_current_context("dynamic_slice"),
                           SEC_PARAMS(SEC_P_INTS("slice_sizes", sizes, a->rank))),
           &out, 1);
  return out;
}

/* ---- dynamic_update_slice ---- */
static sec_status dynamic_update_slice_type(sec_typing *t) {
  if (t->n_in < 2) return sec_type_error(t, SEC_ARGUMENT, NULL, "needs an operand and an update");
  const sec_aval *x = t->in[0], *update = t->in[1];
  if (x->dtype != update->dtype)
    return sec_type_error(t, SEC_TYPE, "convert the update",
                          "operand and update have different types, %s and %s", x->text,
                          update->text);
  if (x->rank != update->rank)
    return sec_type_error(t, SEC_SHAPE, "give the update as many axes", "update %s does not fit %s",
                          update->text, x->text);
  for (int a = 0; a < x->rank; a++)
    if (update->dims[a] > x->dims[a])
      return sec_type_error(t, SEC_SHAPE, "the update is at most as long as each axis",
                            "update %s is longer than axis %d of %s", update->text, a, x->text);
  SEC_TRY(index_types(t, 2, x->rank));
  return sec_type_gives(t, x->dtype, x->weak, x->rank, x->dims);
}

static sec_status dynamic_update_slice_eval(const sec_eval *e) {
  SEC_TRY(sec_eval_copy(e));
  copy_window(e, 2, e->out[0], e->in[1], true);
  return SEC_OK;
}

/* ct with zeros in the window */
static sec_value update_transpose_x(const sec_rule *r, sec_value ct) {
  return sec_dynamic_update_slice(ct, sec_zeros_of(r->in_avals[1]), r->in + 2);
}

/* the window of ct */
static sec_value update_transpose_update(const sec_rule *r, sec_value ct) {
  return sec_dynamic_slice(ct, r->in + 2, r->in_avals[1]->dims);
}

/* Batched indices: a scatter that clips, of one window a lane. */
static sec_status dynamic_update_slice_batch(sec_batch *b) {
  int n = b->in_avals[0]->rank;
  int64_t window[SEC_LIST], zero = 0;
  sec_value x = sec_batch_operand(b, 0), update = sec_batch_operand(b, 1);
  if (!any_batched(b, 2)) {
    sec_value start[SEC_LIST];
    prepend_index(b, 2, start);
    return sec_batch_result(b, sec_dynamic_update_slice(x, update, start));
  }
  count_from(1, n, window);
  const sec_scatter_dims dims = {.update_window_dims = window,
                                 .n_window = n,
                                 .scatter_dims_to_operand_dims = window,
                                 .n_scatter = n,
                                 .operand_batching_dims = &zero,
                                 .scatter_indices_batching_dims = &zero,
                                 .n_batching = 1};
  return sec_batch_result(b, sec_scatter(x, stacked_indices(b, 2), update, &dims, 0));
}

SEC_PRIMITIVE(dynamic_update_slice,
              .doc = "The operand with a window replaced; the window is moved inside.",
              .operands = {"x", "update", "start"}, .variadic = true,
              .type = dynamic_update_slice_type, .eval = dynamic_update_slice_eval, .linear = 3,
              .transpose = {update_transpose_x, update_transpose_update},
              .batch = dynamic_update_slice_batch, .form = SEC_FORM_DYNAMIC_UPDATE_SLICE,
              .takes = SEC_TAKES_ANY, .parts = sec_parts_each)

sec_value sec_dynamic_update_slice(sec_value x, sec_value update, const sec_value *start) {
  const sec_aval *a = sec_value_aval(x);
  sec_value in[SEC_MAX_RANK + 2], out;
  if (a == NULL || sec_value_aval(update) == NULL) return SEC_VALUE_POISON;
  in[0] = x;
  in[1] = update;
  for (int k = 0; k < a->rank; k++) {
    if (sec_value_aval(start[k]) == NULL) return SEC_VALUE_POISON;
    in[k + 2] = start[k];
  }
  sec_bind(&sec_dynamic_update_slice_p, in, a->rank + 2, NULL, &out, 1);
  return out;
}
