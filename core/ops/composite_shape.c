/* Parts and arrangements of arrays: stack, split, take, triangles, diagonals. */
#include "composite.h"

int sec_axis_from_user(const char *op, int rank, int axis) {
  int64_t given = axis, at;
  if (rank == 0) {
    sec_error_set(SEC_AXIS, "pass an array", "%s: axis %d of a scalar", op, axis);
    return -1;
  }
  return sec_axes_from_user(op, rank, &given, 1, &at) ? (int)at : -1;
}

sec_value sec_slice_axis(sec_value x, int axis, int64_t start, int64_t limit) {
  const sec_aval *a = sec_value_aval(x);
  int64_t from[SEC_MAX_RANK] = {0}, to[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  memcpy(to, a->dims, (size_t)a->rank * sizeof *to);
  from[axis] = start;
  to[axis] = limit;
  return sec_slice(x, from, to, NULL);
}

sec_value sec_stack(const sec_value *x, int n, int axis) {
  const sec_aval *first = n > 0 ? sec_value_aval(x[0]) : NULL;
  if (n <= 0) sec_error_set(SEC_ARGUMENT, "pass at least one array", "stack: no arrays");
  if (first == NULL) return SEC_VALUE_POISON;
  int at = sec_axis_from_user("stack", first->rank + 1, axis);
  sec_context *cx = sec_current_context("stack");
  sec_value *parts = at >= 0 && cx != NULL ? sec_alloc(cx, (size_t)n * sizeof *parts) : NULL;
  if (parts == NULL) return SEC_VALUE_POISON;
  const int64_t axes[1] = {at};
  memcpy(parts, x, (size_t)n * sizeof *parts);
  bool fits = sec_promote_dtypes(parts, n) != SEC_N_DTYPES;
  for (int i = 0; i < n && fits; i++) {
    const sec_aval *a = sec_value_aval(x[i]);
    fits = a->rank == first->rank && memcmp(a->dims, first->dims, (size_t)a->rank * 8) == 0;
    if (!fits)
      sec_error_set(SEC_SHAPE, "stack arrays of one shape", "stack: array 0 is %s, array %d is %s",
                    first->text, i, a->text);
    parts[i] = sec_expand_dims(parts[i], axes, 1);
  }
  sec_value y = fits ? sec_concatenate(parts, n, at) : SEC_VALUE_POISON;
  sec_free(cx, parts);
  return y;
}

sec_status sec_split_axis(sec_value x, int sections, int axis, sec_value *out) {
  const sec_aval *a = sec_value_aval(x);
  for (int i = 0; i < sections; i++) out[i] = SEC_VALUE_POISON;
  if (a == NULL) return sec_error_status(NULL);
  int at = sec_axis_from_user("split_axis", a->rank, axis);
  if (at < 0) return SEC_AXIS;
  if (sections <= 0 || a->dims[at] % sections != 0)
    return sec_error_set(SEC_SHAPE, "the sections have equal sizes; sec_slice cuts anywhere",
                         "split_axis: axis %d of %s does not divide into %d sections", axis,
                         a->text, sections);
  int64_t size = a->dims[at] / sections;
  for (int i = 0; i < sections; i++) {
    out[i] = sec_slice_axis(x, at, i * size, (i + 1) * size);
    if (!sec_value_ok(out[i])) return sec_error_status(NULL);
  }
  return SEC_OK;
}

/* A gather of whole slices: the indices' axes stand where `axis` was. */
sec_value sec_take(sec_value x, sec_value indices, int axis) {
  const sec_aval *a = sec_value_aval(x), *i = sec_value_aval(indices);
  int64_t sizes[SEC_MAX_RANK], offset[SEC_MAX_RANK];
  const int64_t last = -1;
  if (a == NULL || i == NULL) return SEC_VALUE_POISON;
  int64_t at = sec_axis_from_user("take", a->rank, axis);
  if (at < 0 || !sec_rank_from_user("take", a->rank - 1 + i->rank)) return SEC_VALUE_POISON;
  if (sec_dtype_kind(i->dtype) == SEC_KIND_INT) {
    sec_dtype wide = sec_dtype_bits(i->dtype) < 32 ? SEC_I32 : i->dtype;
    indices = sec_convert(indices, wide, false);
    sec_value from_end = sec_add(indices, sec_literal_of(wide, false, 0, a->dims[at]));
    indices = sec_where(sec_lt(indices, sec_zero_literal(wide)), from_end, indices);
  }
  for (int d = 0, k = 0; d < a->rank; d++) {
    sizes[d] = d == at ? 1 : a->dims[d];
    if (d != at) offset[k++] = d < at ? d : d - 1 + i->rank;
  }
  const sec_gather_dims dims = {.offset_dims = offset,
                                .collapsed_slice_dims = &at,
                                .start_index_map = &at,
                                .n_offset = a->rank - 1,
                                .n_collapsed = 1,
                                .n_start = 1};
  return sec_gather(x, sec_expand_dims(indices, &last, 1), &dims, sizes, 1);
}

/* ---- triangles and diagonals of the last two axes ---- */
static const sec_aval *matrix_type(const char *op, sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL || a->rank >= 2) return a;
  sec_error_set(SEC_SHAPE, "pass an array of 2 axes or more", "%s: %s is no matrix", op, a->text);
  return NULL;
}

sec_value sec_tril(sec_value x, int k) {
  return matrix_type("tril", x) ? sec_triangle(x, true, k) : SEC_VALUE_POISON;
}
sec_value sec_triu(sec_value x, int k) {
  return matrix_type("triu", x) ? sec_triangle(x, false, k) : SEC_VALUE_POISON;
}

/* The square that the diagonal crosses, as one row: every (size + 1)-th element. */
sec_value sec_diagonal(const char *op, sec_value x, int64_t k) {
  const sec_aval *a = matrix_type(op, x);
  int64_t dims[SEC_MAX_RANK], start[SEC_MAX_RANK] = {0}, step[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  int row = a->rank - 2;
  int64_t top = k < 0 ? -k : 0, left = k > 0 ? k : 0;
  int64_t high = a->dims[row] - top, wide = a->dims[row + 1] - left;
  int64_t size = high < wide ? high : wide;
  if (size <= 0) top = left = size = 0;
  x = sec_slice_axis(sec_slice_axis(x, row, top, top + size), row + 1, left, left + size);
  for (int d = 0; d < row; d++) dims[d] = a->dims[d], step[d] = 1;
  dims[row] = size * size;
  step[row] = size + 1;
  return sec_slice(sec_reshape(x, row + 1, dims), start, dims, step);
}

/* A vector's elements on the diagonal of zeros. */
static sec_value diagonal_matrix(sec_value x, const sec_aval *a, int64_t k) {
  int64_t below = k < 0 ? -k : 0, right = k > 0 ? k : 0, none = 0, row = 0;
  int64_t n = a->dims[0] + below + right, dims[2] = {n, n};
  sec_value zero = sec_zero_literal(a->dtype), padded = sec_pad(x, zero, &below, &right, &none);
  sec_value spread = sec_broadcast_in_dim(padded, 2, dims, &row);
  return sec_where(sec_eye(SEC_BOOL, n, n, k), spread, zero);
}

sec_value sec_diag(sec_value x, int64_t k) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return SEC_VALUE_POISON;
  return a->rank == 1 ? diagonal_matrix(x, a, k) : sec_diagonal("diag", x, k);
}

sec_value sec_trace_of(sec_value x) {
  const int64_t last = -1;
  sec_value d = sec_diagonal("trace", x, 0);
  return sec_value_ok(d) ? sec_reduce_sum(d, &last, 1) : d;
}
