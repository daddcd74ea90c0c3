/* The geometry that gather and scatter share; see gather.h. */
#include "gather.h"

const char *const sec_gather_names[5] = {"offset_dims", "collapsed_slice_dims", "start_index_map",
                                         "operand_batching_dims", "start_indices_batching_dims"};
const char *const sec_scatter_names[5] = {"update_window_dims", "inserted_window_dims",
                                          "scatter_dims_to_operand_dims", "operand_batching_dims",
                                          "scatter_indices_batching_dims"};

sec_gather_dims sec_gather_dims_of(const sec_params *p, const char *const names[5]) {
  sec_gather_dims d;
  d.offset_dims = sec_params_ints(p, names[0], &d.n_offset);
  d.collapsed_slice_dims = sec_params_ints(p, names[1], &d.n_collapsed);
  d.start_index_map = sec_params_ints(p, names[2], &d.n_start);
  d.operand_batching_dims = sec_params_ints(p, names[3], &d.n_batching);
  d.start_indices_batching_dims = sec_params_ints(p, names[4], &d.n_batching);
  return d;
}

/* Lists within range, without repeats, and of matching lengths. */
static sec_status check_lists(const sec_typing *t, const char *const names[5], sec_gather_dims *d) {
  const sec_aval *x = t->in[0], *indices = t->in[1];
  const int64_t *lists[5];
  int n[5], batch = indices->rank - 1;
  for (int i = 0; i < 5; i++) SEC_TRY(sec_type_ints(t, names[i], &lists[i], &n[i]));
  const int limits[5] = {batch + n[0], x->rank, x->rank, x->rank, batch};
  for (int i = 0; i < 5; i++) SEC_TRY(sec_type_axes(t, names[i], lists[i], n[i], limits[i]));
  *d = sec_gather_dims_of(t->params, names);
  if (n[3] != n[4])
    return sec_type_error(t, SEC_SHAPE, "pair each operand axis with an axis of the indices",
                          "%s has %d entries, %s has %d", names[3], n[3], names[4], n[4]);
  for (int i = 0; i < n[3]; i++)
    if (sec_has_axis(lists[1], n[1], lists[3][i]) || sec_has_axis(lists[2], n[2], lists[3][i]))
      return sec_type_error(t, SEC_AXIS, "a batching axis has no index and no window",
                            "axis %" PRId64 " of %s is in another list too", lists[3][i], names[3]);
  for (int i = 1; i < n[0]; i++)
    if (lists[0][i] < lists[0][i - 1])
      return sec_type_error(t, SEC_AXIS, "sort it", "%s is not in increasing order", names[0]);
  if (n[0] + n[1] + n[3] != x->rank)
    return sec_type_error(t, SEC_SHAPE,
                          "each operand axis is a window's axis, collapsed, or batching",
                          "%d + %d + %d axes are named for %s", n[0], n[1], n[3], x->text);
  if (n[2] != indices->dims[batch])
    return sec_type_error(t, SEC_SHAPE, "the last axis of the indices holds one index vector",
                          "%s has %d entries for indices %s", names[2], n[2], indices->text);
  return SEC_OK;
}

static bool is_window_axis(const sec_gather_dims *d, int64_t a) {
  return !sec_has_axis(d->collapsed_slice_dims, d->n_collapsed, a) &&
         !sec_has_axis(d->operand_batching_dims, d->n_batching, a);
}

sec_status sec_windows_type(const sec_typing *t, const char *const names[5],
                            const int64_t *slice_sizes, const sec_aval *windows, int *rank,
                            int64_t *dims) {
  const sec_aval *x = t->in[0], *indices = t->in[1];
  sec_gather_dims d;
  int64_t mode = sec_params_int(t->params, "mode");
  sec_kind kind = sec_dtype_kind(indices->dtype);
  if (kind != SEC_KIND_INT && kind != SEC_KIND_UINT)
    return sec_type_error(t, SEC_TYPE, "convert the indices", "indices must be integers, got %s",
                          indices->text);
  if (indices->rank == 0)
    return sec_type_error(t, SEC_SHAPE, "expand the indices by an axis",
                          "indices need a last axis of index vectors");
  if (mode < SEC_MODE_CLIP || mode > SEC_MODE_PROMISE_IN_BOUNDS)
    return sec_type_error(t, SEC_ARGUMENT, "0: clip, 1: fill or drop, 2: promise",
                          "there is no mode %" PRId64, mode);
  SEC_TRY(check_lists(t, names, &d));
  *rank = d.n_offset + indices->rank - 1;
  if (*rank > SEC_MAX_RANK || (windows != NULL && windows->rank != *rank))
    return sec_type_error(t, SEC_SHAPE, "window axes and index axes make its shape",
                          "the windows have rank %d, not %d",
                          windows == NULL ? *rank : windows->rank,
                          windows == NULL ? SEC_MAX_RANK : *rank);
  for (int k = 0, next = 0; k < *rank; k++)
    dims[k] = sec_has_axis(d.offset_dims, d.n_offset, k) ? 0 : indices->dims[next++];
  for (int a = 0, next = 0; a < x->rank; a++) {
    bool window = is_window_axis(&d, a);
    int64_t size = slice_sizes != NULL ? slice_sizes[a]
                   : window            ? windows->dims[d.offset_dims[next]]
                                       : 1;
    bool fits = size >= 0 && (size <= x->dims[a] || (slice_sizes == NULL && !window));
    if (!fits || (!window && size != 1))
      return sec_type_error(t, SEC_SHAPE,
                            "a window is at most as long as its axis, and 1 where it is collapsed",
                            "a window of %" PRId64 " does not fit axis %d of %s", size, a, x->text);
    if (window) dims[d.offset_dims[next++]] = size;
  }
  for (int i = 0; i < d.n_batching; i++)
    if (x->dims[d.operand_batching_dims[i]] != indices->dims[d.start_indices_batching_dims[i]])
      return sec_type_error(t, SEC_SHAPE, "batching axes have one size",
                            "batching axes of %s and %s differ", x->text, indices->text);
  return SEC_OK;
}

void sec_windows_make(const sec_gather_dims *d, const sec_aval *x, const sec_aval *windows,
                      sec_windows *w) {
  int64_t from[SEC_MAX_RANK], to[SEC_MAX_RANK], size[SEC_MAX_RANK];
  sec_strides(x->rank, x->dims, from);
  sec_strides(windows->rank, windows->dims, to);
  *w = (sec_windows){.n_start = d->n_start};
  for (int k = 0; k < windows->rank; k++) {
    if (sec_has_axis(d->offset_dims, d->n_offset, k)) continue;
    int b = w->n_batch++;
    w->batch[b].size = windows->dims[k];
    w->batch[b].windows = to[k];
    for (int i = 0; i < d->n_batching; i++)
      if (d->start_indices_batching_dims[i] == b)
        w->batch[b].operand = from[d->operand_batching_dims[i]];
  }
  for (int a = 0; a < x->rank; a++) {
    size[a] = 1;
    if (!is_window_axis(d, a)) continue;
    int j = w->n_window++;
    int64_t k = d->offset_dims[j];
    size[a] = w->window[j].size = windows->dims[k];
    w->window[j].operand = from[a];
    w->window[j].windows = to[k];
  }
  for (int k = 0; k < d->n_start; k++) {
    int64_t a = d->start_index_map[k];
    w->start[k].last = x->dims[a] - size[a];
    w->start[k].operand = from[a];
  }
}

int sec_windows_meta(const sec_windows *w, sec_dtype dtype, sec_dtype index, int64_t mode,
                     int64_t extra, int64_t *meta) {
  int n = 0;
  meta[n++] = (int64_t)sec_dtype_size(dtype);
  meta[n++] = dtype;
  meta[n++] = index;
  meta[n++] = mode;
  meta[n++] = extra;
  meta[n++] = w->n_batch;
  meta[n++] = w->n_start;
  meta[n++] = w->n_window;
  for (int b = 0; b < w->n_batch; b++) {
    meta[n++] = w->batch[b].size;
    meta[n++] = w->batch[b].operand;
    meta[n++] = w->batch[b].windows;
  }
  for (int k = 0; k < w->n_start; k++) {
    meta[n++] = w->start[k].last;
    meta[n++] = w->start[k].operand;
  }
  for (int j = 0; j < w->n_window; j++) {
    meta[n++] = w->window[j].size;
    meta[n++] = w->window[j].operand;
    meta[n++] = w->window[j].windows;
  }
  return n;
}

/* Operand offset of the start that `indices` gives from element `first`; -1: outside. */
static int64_t window_start(const sec_windows *w, const sec_array *indices, int64_t first,
                            int64_t mode) {
  bool is_unsigned = sec_dtype_kind(indices->aval->dtype) == SEC_KIND_UINT;
  int64_t at = 0;
  for (int k = 0; k < w->n_start; k++) {
    int64_t i = sec_get_i(indices, first + k), last = w->start[k].last;
    if (is_unsigned && i < 0) i = INT64_MAX;
    if (mode == SEC_MODE_CLIP) i = i > last ? last : i;
    if (mode == SEC_MODE_CLIP) i = i < 0 ? 0 : i;
    if (i < 0 || i > last) return -1;
    at += i * w->start[k].operand;
  }
  return at;
}

void sec_windows_walk(const sec_windows *w, const sec_array *indices, int64_t mode,
                      sec_window_visit visit, void *user) {
  int64_t batch[SEC_MAX_RANK] = {0}, batch_size[SEC_MAX_RANK], window_size[SEC_MAX_RANK], first = 0,
          elements = 1;
  for (int b = 0; b < w->n_batch; b++) elements *= batch_size[b] = w->batch[b].size;
  for (int j = 0; j < w->n_window; j++) elements *= window_size[j] = w->window[j].size;
  if (elements == 0) return;
  do {
    int64_t window[SEC_MAX_RANK] = {0}, start = window_start(w, indices, first, mode),
            operand = start, windows = 0;
    for (int b = 0; b < w->n_batch; b++) {
      operand += batch[b] * w->batch[b].operand;
      windows += batch[b] * w->batch[b].windows;
    }
    do {
      int64_t from = operand, to = windows;
      for (int j = 0; j < w->n_window; j++) {
        from += window[j] * w->window[j].operand;
        to += window[j] * w->window[j].windows;
      }
      visit(user, start < 0 ? -1 : from, to);
    } while (sec_next_index(w->n_window, window_size, window));
    first += w->n_start;
  } while (sec_next_index(w->n_batch, batch_size, batch));
}

void sec_gather_dims_batch(const sec_gather_dims *lane, bool x_batched, bool indices_batched,
                           sec_batched_dims *out) {
  int64_t(*l)[SEC_LIST + 1] = out->lists;
  int both = x_batched && indices_batched, whole = x_batched && !indices_batched;
  l[0][0] = l[3][0] = l[4][0] = 0;
  sec_gather_dims d = {.offset_dims = l[0],
                       .collapsed_slice_dims = l[1],
                       .start_index_map = l[2],
                       .operand_batching_dims = l[3],
                       .start_indices_batching_dims = l[4]};
  d.n_offset = whole + sec_shift_axes(lane->offset_dims, lane->n_offset, l[0] + whole);
  d.n_collapsed = sec_shift_axes(lane->collapsed_slice_dims, lane->n_collapsed, l[1]);
  d.n_start = sec_shift_axes(lane->start_index_map, lane->n_start, l[2]);
  d.n_batching = both + sec_shift_axes(lane->operand_batching_dims, lane->n_batching, l[3] + both);
  sec_shift_axes(lane->start_indices_batching_dims, lane->n_batching, l[4] + both);
  if (!x_batched) {
    d.collapsed_slice_dims = lane->collapsed_slice_dims;
    d.start_index_map = lane->start_index_map;
    d.operand_batching_dims = lane->operand_batching_dims;
  }
  if (!indices_batched) d.start_indices_batching_dims = lane->start_indices_batching_dims;
  out->dims = d;
}
