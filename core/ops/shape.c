/* Primitives that only change the shape: iota, broadcast_in_dim, reshape, squeeze, expand_dims,
 * transpose, rev.  No element is computed; each result element is one operand element. */
#include "complex.h"
#include "structure.h"

/* ---- iota: element i = its index along `dimension`, converted (integers wrap) ---- */
static sec_status iota_type(sec_typing *t) {
  const int64_t *shape;
  int rank;
  SEC_TRY(sec_type_ints(t, "shape", &shape, &rank));
  sec_dtype dtype = (sec_dtype)sec_params_int(t->params, "dtype");
  int64_t dimension = sec_params_int(t->params, "dimension");
  sec_kind kind = sec_dtype_kind(dtype);
  if (kind == SEC_KIND_BOOL || kind == SEC_KIND_COMPLEX)
    return sec_type_error(t, SEC_TYPE, "make integers, then convert", "cannot count in %s",
                          sec_dtype_name(dtype));
  SEC_TRY(sec_type_axes(t, "dimension", &dimension, 1, rank));
  return sec_type_gives(t, dtype, false, rank, shape);
}

static sec_status iota_eval(const sec_eval *e) {
  sec_array *y = e->out[0];
  const sec_aval *a = y->aval;
  int64_t index[SEC_MAX_RANK] = {0}, dimension = sec_params_int(e->params, "dimension"), i = 0;
  if (a->size == 0) return SEC_OK;
  do {
    if (sec_aval_is_float(a)) sec_put_f(y, i, (double)index[dimension]);
    else sec_put_i(y, i, index[dimension]);
    i++;
  } while (sec_next_index(a->rank, a->dims, index));
  return SEC_OK;
}

SEC_PRIMITIVE(iota, .doc = "The index along one axis, at every place of a shape.",
              .type = iota_type, .eval = iota_eval, .form = SEC_FORM_IOTA, .takes = SEC_TAKES_REAL,
              .flags = SEC_FLAG_NO_GRADIENT | SEC_FLAG_CHEAP)

sec_value sec_iota(sec_dtype dtype, int rank, const int64_t *dims, int dimension) {
  sec_context *cx = sec_current_context("iota");
  int64_t axis = dimension;
  if (cx == NULL || !sec_rank_from_user("iota", rank) ||
      !sec_axes_from_user("iota", rank, &axis, 1, &axis))
    return SEC_VALUE_POISON;
  sec_value out;
  sec_bind(&sec_iota_p, NULL, 0,
           sec_params_make(cx, SEC_PARAMS(SEC_P_DTYPE("dtype", dtype), SEC_P_INT("dimension", axis),
                                          SEC_P_INTS("shape", dims, rank))),
           &out, 1);
  return out;
}

/* ---- broadcast_in_dim: operand axis k goes to result axis broadcast_dimensions[k]; size 1
 * stretches ---- */
static sec_status broadcast_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  const int64_t *shape, *dims;
  int rank, n;
  SEC_TRY(sec_type_ints(t, "shape", &shape, &rank));
  SEC_TRY(sec_type_ints(t, "broadcast_dimensions", &dims, &n));
  if (n != x->rank)
    return sec_type_error(t, SEC_SHAPE, "give one result axis for each operand axis",
                          "broadcast_dimensions has %d entries for %s", n, x->text);
  SEC_TRY(sec_type_axes(t, "broadcast_dimensions", dims, n, rank));
  for (int k = 0; k < n; k++)
    if (x->dims[k] != 1 && x->dims[k] != shape[dims[k]])
      return sec_type_error(t, SEC_SHAPE, "sizes must be equal, or the operand's 1",
                            "axis %d of %s does not fit axis %" PRId64
                            " of the result, of size %" PRId64,
                            k, x->text, dims[k], shape[dims[k]]);
  return sec_type_gives(t, x->dtype, x->weak, rank, shape);
}

static void broadcast_view(const sec_params *p, const sec_aval *in, const sec_aval *out,
                           sec_index_map *map) {
  int n;
  const int64_t *dims = sec_params_ints(p, "broadcast_dimensions", &n);
  (void)out;
  *map = (sec_index_map){0};
  for (int a = 0; a < in->rank; a++)
    if (in->dims[a] != 1) map->axis[a].coef[dims[a]] = 1;
}

/* ct summed over the result axes that the operand does not fill, in the operand's axis order */
static sec_value broadcast_transpose(const sec_rule *r, sec_value ct) {
  const sec_aval *x = r->in_avals[0], *y = r->out_avals[0];
  int n, summed = 0, kept = 0;
  const int64_t *dims = sec_params_ints(r->params, "broadcast_dimensions", &n);
  int64_t axes[SEC_MAX_RANK], permutation[SEC_MAX_RANK], place[SEC_MAX_RANK];
  for (int k = 0; k < y->rank; k++) {
    bool filled = false;
    for (int a = 0; a < n; a++) filled |= dims[a] == k && x->dims[a] != 1;
    if (filled) place[k] = kept++;
    else axes[summed++] = k;
  }
  if (y->size == x->size && x->size > 0 && sec_rises(dims, n)) { /* only axes of size 1 are new */
    for (int k = summed = 0; k < y->rank; k++)
      if (!sec_has_axis(dims, n, k)) axes[summed++] = k;
    return sec_squeeze(ct, axes, summed);
  }
  kept = 0;
  for (int a = 0; a < n; a++)
    if (x->dims[a] != 1) permutation[kept++] = place[dims[a]];
  return sec_reshape(sec_transpose(sec_reduce_sum(ct, axes, summed), permutation), x->rank,
                     x->dims);
}

static sec_status broadcast_batch(sec_batch *b) {
  const sec_aval *y = b->out_avals[0];
  int n;
  const int64_t *dims = sec_params_ints(b->params, "broadcast_dimensions", &n);
  int64_t shape[SEC_LIST], to[SEC_LIST];
  sec_prepend(b->size, y->dims, y->rank, shape);
  to[0] = 0;
  sec_shift_axes(dims, n, to + 1);
  return sec_batch_result(b, sec_broadcast_in_dim(b->in[0], y->rank + 1, shape, to));
}

SEC_PRIMITIVE(broadcast_in_dim, .doc = "The operand repeated along new axes and axes of size 1.",
              .operands = {"x"}, .type = broadcast_type, .eval = sec_eval_view, .linear = 1,
              .transpose = {broadcast_transpose}, .batch = broadcast_batch, .form = SEC_FORM_VIEW,
              .view = broadcast_view, .takes = SEC_TAKES_ANY, .parts = sec_parts_each, .flags = SEC_FLAG_CHEAP)

static bool same_shape(const sec_aval *a, int rank, const int64_t *dims) {
  return a->rank == rank && (rank == 0 || memcmp(a->dims, dims, (size_t)rank * sizeof *dims) == 0);
}

static bool is_identity(const int64_t *axes, int n) {
  for (int k = 0; k < n; k++)
    if (axes[k] != k) return false;
  return true;
}

sec_value sec_broadcast_in_dim(sec_value x, int rank, const int64_t *dims,
                               const int64_t *dimensions) {
  const sec_aval *a = sec_value_aval(x);
  int64_t axes[SEC_MAX_RANK];
  if (a == NULL || !sec_rank_from_user("broadcast_in_dim", rank)) return SEC_VALUE_POISON;
  if (!sec_axes_from_user("broadcast_in_dim", rank, dimensions, a->rank, axes))
    return SEC_VALUE_POISON;
  if (same_shape(a, rank, dims) && is_identity(axes, a->rank)) return x;
  return sec_bind1(&sec_broadcast_in_dim_p, x,
                   sec_params_make(sec_current_context("broadcast_in_dim"),
                                   SEC_PARAMS(SEC_P_INTS("broadcast_dimensions", axes, a->rank),
                                              SEC_P_INTS("shape", dims, rank))));
}

sec_value sec_full(sec_value scalar, int rank, const int64_t *dims) {
  const sec_aval *a = sec_value_aval(scalar);
  if (a == NULL) return SEC_VALUE_POISON;
  if (a->rank != 0) {
    sec_error_set(SEC_SHAPE, "call sec_broadcast_to for arrays",
                  "full: the value must be a scalar, got %s", a->text);
    return SEC_VALUE_POISON;
  }
  return sec_broadcast_in_dim(scalar, rank, dims, NULL);
}

sec_value sec_broadcast_to(sec_value x, int rank, const int64_t *dims) {
  const sec_aval *a = sec_value_aval(x);
  int64_t axes[SEC_MAX_RANK];
  if (a == NULL || !sec_rank_from_user("broadcast_to", rank)) return SEC_VALUE_POISON;
  if (a->rank > rank) {
    sec_error_set(SEC_SHAPE, "reshape or reduce it first",
                  "broadcast_to: %s has more axes than the %d wanted", a->text, rank);
    return SEC_VALUE_POISON;
  }
  for (int k = 0; k < a->rank; k++) axes[k] = rank - a->rank + k;
  return sec_broadcast_in_dim(x, rank, dims, axes);
}

/* ---- reshape: the same elements in row-major order ---- */
static sec_status reshape_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  const int64_t *sizes;
  int rank;
  SEC_TRY(sec_type_ints(t, "new_sizes", &sizes, &rank));
  SEC_TRY(sec_type_gives(t, x->dtype, x->weak, rank, sizes));
  if (t->out[0]->size == x->size) return SEC_OK;
  return sec_type_error(t, SEC_SHAPE, "the number of elements must stay",
                        "%s has %" PRId64 " elements, %s would have %" PRId64, x->text, x->size,
                        t->out[0]->text, t->out[0]->size);
}

static sec_value reshape_transpose(const sec_rule *r, sec_value ct) {
  return sec_reshape(ct, r->in_avals[0]->rank, r->in_avals[0]->dims);
}

static sec_status reshape_batch(sec_batch *b) {
  int64_t sizes[SEC_LIST];
  int rank = sec_prepend(b->size, b->out_avals[0]->dims, b->out_avals[0]->rank, sizes);
  return sec_batch_result(b, sec_reshape(b->in[0], rank, sizes));
}

SEC_PRIMITIVE(reshape, .doc = "The same elements, in row-major order, in another shape.",
              .operands = {"x"}, .type = reshape_type, .eval = sec_eval_copy, .linear = 1,
              .transpose = {reshape_transpose}, .batch = reshape_batch, .form = SEC_FORM_RESHAPE,
              .takes = SEC_TAKES_ANY, .parts = sec_parts_each, .flags = SEC_FLAG_CHEAP)

sec_value sec_reshape(sec_value x, int rank, const int64_t *dims) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL || !sec_rank_from_user("reshape", rank)) return SEC_VALUE_POISON;
  if (same_shape(a, rank, dims)) return x;
  return sec_bind1(&sec_reshape_p, x,
                   sec_params_make(sec_current_context("reshape"),
                                   SEC_PARAMS(SEC_P_INTS("new_sizes", dims, rank))));
}

/* ---- squeeze: axes of size 1 removed ---- */
static sec_status squeeze_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  const int64_t *axes;
  int64_t dims[SEC_MAX_RANK];
  int n, rank = 0;
  SEC_TRY(sec_type_ints(t, "dimensions", &axes, &n));
  SEC_TRY(sec_type_axes(t, "dimensions", axes, n, x->rank));
  for (int a = 0; a < x->rank; a++) {
    if (!sec_has_axis(axes, n, a)) dims[rank++] = x->dims[a];
    else if (x->dims[a] != 1)
      return sec_type_error(t, SEC_SHAPE, "only axes of size 1 can go",
                            "axis %d of %s has size %" PRId64, a, x->text, x->dims[a]);
  }
  return sec_type_gives(t, x->dtype, x->weak, rank, dims);
}

static sec_value squeeze_transpose(const sec_rule *r, sec_value ct) {
  int n;
  const int64_t *axes = sec_params_ints(r->params, "dimensions", &n);
  return sec_expand_dims(ct, axes, n);
}

static sec_status squeeze_batch(sec_batch *b) {
  int n;
  int64_t axes[SEC_LIST];
  const int64_t *lane = sec_params_ints(b->params, "dimensions", &n);
  return sec_batch_result(b, sec_squeeze(b->in[0], axes, sec_shift_axes(lane, n, axes)));
}

SEC_PRIMITIVE(squeeze, .doc = "The operand without some axes of size 1.", .operands = {"x"},
              .type = squeeze_type, .eval = sec_eval_copy, .linear = 1,
              .transpose = {squeeze_transpose}, .batch = squeeze_batch, .form = SEC_FORM_RESHAPE,
              .takes = SEC_TAKES_ANY, .parts = sec_parts_each, .flags = SEC_FLAG_CHEAP)

/* Binds a primitive with a list of axes of an array of `rank`. */
static sec_value bind_axes(const sec_primitive *prim, sec_value x, int rank, const int64_t *axes,
                           int n) {
  int64_t list[SEC_MAX_RANK];
  if (!sec_axes_from_user(prim->name, rank, axes, n, list)) return SEC_VALUE_POISON;
  if (n == 0) return x;
  return sec_bind1(prim, x,
                   sec_params_make(sec_current_context(prim->name),
                                   SEC_PARAMS(SEC_P_INTS("dimensions", list, n))));
}

sec_value sec_squeeze(sec_value x, const int64_t *axes, int n) {
  const sec_aval *a = sec_value_aval(x);
  return a == NULL ? SEC_VALUE_POISON : bind_axes(&sec_squeeze_p, x, a->rank, axes, n);
}

/* ---- expand_dims: new axes of size 1 at the places `dimensions` of the result ---- */
static sec_status expand_dims_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  const int64_t *axes;
  int64_t dims[SEC_MAX_RANK];
  int n, next = 0;
  SEC_TRY(sec_type_ints(t, "dimensions", &axes, &n));
  int rank = x->rank + n;
  if (rank > SEC_MAX_RANK)
    return sec_type_error(t, SEC_SHAPE, NULL, "%s with %d more axes has more than %d", x->text, n,
                          SEC_MAX_RANK);
  SEC_TRY(sec_type_axes(t, "dimensions", axes, n, rank));
  for (int a = 0; a < rank; a++) dims[a] = sec_has_axis(axes, n, a) ? 1 : x->dims[next++];
  return sec_type_gives(t, x->dtype, x->weak, rank, dims);
}

static sec_value expand_dims_transpose(const sec_rule *r, sec_value ct) {
  int n;
  const int64_t *axes = sec_params_ints(r->params, "dimensions", &n);
  return sec_squeeze(ct, axes, n);
}

SEC_DECLARE_PRIMITIVE(expand_dims)
static sec_status expand_dims_batch(sec_batch *b) {
  int n;
  int64_t axes[SEC_LIST];
  const int64_t *lane = sec_params_ints(b->params, "dimensions", &n);
  return sec_batch_result(b, bind_axes(&sec_expand_dims_p, b->in[0], b->out_avals[0]->rank + 1, axes,
                                       sec_shift_axes(lane, n, axes)));
}

SEC_PRIMITIVE(expand_dims, .doc = "The operand with new axes of size 1.", .operands = {"x"},
              .type = expand_dims_type, .eval = sec_eval_copy, .linear = 1,
              .transpose = {expand_dims_transpose}, .batch = expand_dims_batch,
              .form = SEC_FORM_RESHAPE, .takes = SEC_TAKES_ANY, .parts = sec_parts_each, .flags = SEC_FLAG_CHEAP)

/* As JAX: a broadcast in text and in transforms; folding makes it an expand_dims again, which is a re-reading. */
sec_value sec_expand_dims(sec_value x, const int64_t *axes, int n) {
  const sec_aval *a = sec_value_aval(x);
  int64_t new_axes[SEC_MAX_RANK], dims[SEC_MAX_RANK], places[SEC_MAX_RANK];
  int next = 0;
  if (a == NULL || !sec_rank_from_user("expand_dims", a->rank + n)) return SEC_VALUE_POISON;
  if (!sec_axes_from_user("expand_dims", a->rank + n, axes, n, new_axes)) return SEC_VALUE_POISON;
  for (int k = 0; k < a->rank + n; k++) {
    bool is_new = sec_has_axis(new_axes, n, k);
    dims[k] = is_new ? 1 : a->dims[next];
    if (!is_new) places[next++] = k;
  }
  return sec_broadcast_in_dim(x, a->rank + n, dims, places);
}

/* ---- transpose: result axis k is operand axis permutation[k] ---- */
static sec_status transpose_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  const int64_t *permutation;
  int64_t dims[SEC_MAX_RANK];
  int n;
  SEC_TRY(sec_type_ints(t, "permutation", &permutation, &n));
  if (n != x->rank)
    return sec_type_error(t, SEC_SHAPE, "name each axis once", "permutation has %d entries for %s",
                          n, x->text);
  SEC_TRY(sec_type_axes(t, "permutation", permutation, n, n));
  for (int k = 0; k < n; k++) dims[k] = x->dims[permutation[k]];
  return sec_type_gives(t, x->dtype, x->weak, n, dims);
}

static void transpose_view(const sec_params *p, const sec_aval *in, const sec_aval *out,
                           sec_index_map *map) {
  int n;
  const int64_t *permutation = sec_params_ints(p, "permutation", &n);
  (void)in, (void)out;
  *map = (sec_index_map){0};
  for (int k = 0; k < n; k++) map->axis[permutation[k]].coef[k] = 1;
}

static sec_value transpose_transpose(const sec_rule *r, sec_value ct) {
  int n;
  const int64_t *permutation = sec_params_ints(r->params, "permutation", &n);
  int64_t inverse[SEC_MAX_RANK];
  for (int k = 0; k < n; k++) inverse[permutation[k]] = k;
  return sec_transpose(ct, inverse);
}

static sec_status transpose_batch(sec_batch *b) {
  int n;
  const int64_t *lane = sec_params_ints(b->params, "permutation", &n);
  int64_t permutation[SEC_LIST];
  permutation[0] = 0;
  sec_shift_axes(lane, n, permutation + 1);
  return sec_batch_result(b, sec_transpose(b->in[0], permutation));
}

SEC_PRIMITIVE(transpose, .doc = "The axes in another order.", .operands = {"x"},
              .type = transpose_type, .eval = sec_eval_view, .linear = 1,
              .transpose = {transpose_transpose}, .batch = transpose_batch, .form = SEC_FORM_VIEW,
              .view = transpose_view, .takes = SEC_TAKES_ANY, .parts = sec_parts_each, .flags = SEC_FLAG_CHEAP)

sec_value sec_transpose(sec_value x, const int64_t *permutation) {
  const sec_aval *a = sec_value_aval(x);
  int64_t axes[SEC_MAX_RANK];
  if (a == NULL || !sec_axes_from_user("transpose", a->rank, permutation, a->rank, axes))
    return SEC_VALUE_POISON;
  if (is_identity(axes, a->rank)) return x;
  return sec_bind1(&sec_transpose_p, x,
                   sec_params_make(sec_current_context("transpose"),
                                   SEC_PARAMS(SEC_P_INTS("permutation", axes, a->rank))));
}

/* ---- rev: the elements in reverse order along some axes ---- */
static sec_status rev_type(sec_typing *t) {
  const int64_t *axes;
  int n;
  SEC_TRY(sec_type_ints(t, "dimensions", &axes, &n));
  SEC_TRY(sec_type_axes(t, "dimensions", axes, n, t->in[0]->rank));
  t->out[0] = t->in[0];
  t->n_out = 1;
  return SEC_OK;
}

static void rev_view(const sec_params *p, const sec_aval *in, const sec_aval *out,
                     sec_index_map *map) {
  int n;
  const int64_t *axes = sec_params_ints(p, "dimensions", &n);
  (void)out;
  *map = (sec_index_map){0};
  for (int a = 0; a < in->rank; a++) {
    bool reversed = sec_has_axis(axes, n, a);
    map->axis[a].offset = reversed ? in->dims[a] - 1 : 0;
    map->axis[a].coef[a] = reversed ? -1 : 1;
  }
}

static sec_value rev_transpose(const sec_rule *r, sec_value ct) {
  int n;
  const int64_t *axes = sec_params_ints(r->params, "dimensions", &n);
  return sec_rev(ct, axes, n);
}

static sec_status rev_batch(sec_batch *b) {
  int n;
  int64_t axes[SEC_LIST];
  const int64_t *lane = sec_params_ints(b->params, "dimensions", &n);
  return sec_batch_result(b, sec_rev(b->in[0], axes, sec_shift_axes(lane, n, axes)));
}

SEC_PRIMITIVE(rev, .doc = "The elements in reverse order along some axes.", .operands = {"x"},
              .type = rev_type, .eval = sec_eval_view, .linear = 1, .transpose = {rev_transpose},
              .batch = rev_batch, .form = SEC_FORM_VIEW, .view = rev_view, .takes = SEC_TAKES_ANY, .parts = sec_parts_each,
              .flags = SEC_FLAG_CHEAP)

sec_value sec_rev(sec_value x, const int64_t *axes, int n) {
  const sec_aval *a = sec_value_aval(x);
  return a == NULL ? SEC_VALUE_POISON : bind_axes(&sec_rev_p, x, a->rank, axes, n);
}
