/* Reductions over axes, and argmax, argmin.  They fold primitive `combine` from `identity`. */
#include "complex.h"
#include "structure.h"

SEC_DECLARE_PRIMITIVE(add)
SEC_DECLARE_PRIMITIVE(mul)
SEC_DECLARE_PRIMITIVE(max)
SEC_DECLARE_PRIMITIVE(min)
SEC_DECLARE_PRIMITIVE(and)
SEC_DECLARE_PRIMITIVE(or)
SEC_DECLARE_PRIMITIVE(xor)

/* The axes that stay, in order; how many. */
static int kept_axes(int rank, const int64_t *axes, int n, int64_t *kept) {
  int k = 0;
  for (int a = 0; a < rank; a++)
    if (!sec_has_axis(axes, n, a)) kept[k++] = a;
  return k;
}

static sec_status reduced_type(sec_typing *t, sec_dtype dtype, bool weak) {
  const sec_aval *x = t->in[0];
  const int64_t *axes;
  int64_t kept[SEC_MAX_RANK], dims[SEC_MAX_RANK];
  int n;
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(sec_type_ints(t, "axes", &axes, &n));
  SEC_TRY(sec_type_axes(t, "axes", axes, n, x->rank));
  int rank = kept_axes(x->rank, axes, n, kept);
  for (int k = 0; k < rank; k++) dims[k] = x->dims[kept[k]];
  return sec_type_gives(t, dtype, weak, rank, dims);
}

static sec_status reduce_type(sec_typing *t) {
  return reduced_type(t, t->in[0]->dtype, t->in[0]->weak);
}

sec_scalar_value sec_identity_value(sec_identity identity, sec_dtype dtype) {
  sec_kind kind = sec_dtype_kind(dtype);
  int bits = sec_dtype_bits(dtype);
  int64_t ones = kind == SEC_KIND_INT ? -1 : (int64_t)(UINT64_MAX >> (64 - bits));
  int64_t lowest = kind == SEC_KIND_INT ? INT64_MIN >> (64 - bits) : 0;
  int64_t highest = kind == SEC_KIND_INT ? INT64_MAX >> (64 - bits) : ones;
  switch (identity) {
  case SEC_ID_ONE: return (sec_scalar_value){1, 1};
  case SEC_ID_LOWEST: return (sec_scalar_value){__builtin_complex(-__builtin_inf(), -__builtin_inf()), lowest};
  case SEC_ID_HIGHEST: return (sec_scalar_value){__builtin_complex(__builtin_inf(), __builtin_inf()), highest};
  case SEC_ID_ALL_ONES: return (sec_scalar_value){0, ones};
  default: return (sec_scalar_value){0, 0};
  }
}

void sec_fold_element(const sec_primitive *combine, const sec_array *x, int64_t at,
                    sec_scalar_value *acc) {
  sec_dtype dtype = x->aval->dtype;
  int bits = sec_dtype_bits(dtype);
  if (sec_dtype_kind(dtype) == SEC_KIND_COMPLEX) {
    bool extremum = combine == &sec_max_p || combine == &sec_min_p;
    if (!extremum || acc->f == acc->f) /* a NaN stays */
      acc->f = combine->scalar.c((const double _Complex[]){acc->f, sec_get_c(x, at)});
  } else if (sec_dtype_kind(dtype) == SEC_KIND_FLOAT) {
    acc->f = combine->scalar.f((const double[]){__real__ acc->f, sec_get_f(x, at)});
  } else if (sec_dtype_kind(dtype) == SEC_KIND_INT) {
    acc->i = combine->scalar.i((const int64_t[]){acc->i, sec_get_i(x, at)}, bits);
  } else {
    acc->i = (int64_t)combine->scalar.u(
        (const uint64_t[]){(uint64_t)acc->i, (uint64_t)sec_get_i(x, at)}, bits);
  }
}

/* One element is its own sum: -0 stays. */
static sec_status reduce_eval(const sec_eval *e) {
  const sec_array *x = e->in[0];
  sec_array *y = e->out[0];
  const sec_aval *a = x->aval;
  if (a->size == y->aval->size) return sec_eval_copy(e);
  int n;
  const int64_t *axes = sec_params_ints(e->params, "axes", &n);
  int64_t strides[SEC_MAX_RANK], kept[SEC_MAX_RANK], inner[SEC_MAX_RANK], index[SEC_MAX_RANK] = {0},
                                                                          i = 0;
  sec_strides(a->rank, a->dims, strides);
  kept_axes(a->rank, axes, n, kept);
  for (int k = 0; k < n; k++) inner[k] = a->dims[axes[k]];
  if (y->aval->size == 0) return SEC_OK;
  do {
    sec_scalar_value acc = sec_identity_value(e->prim->identity, a->dtype);
    int64_t within[SEC_MAX_RANK] = {0}, base = 0;
    for (int k = 0; k < y->aval->rank; k++) base += index[k] * strides[kept[k]];
    if (a->size > 0) do {
        int64_t at = base;
        for (int k = 0; k < n; k++) at += within[k] * strides[axes[k]];
        sec_fold_element(e->prim->combine, x, at, &acc);
      } while (sec_next_index(n, inner, within));
    if (sec_aval_has_tangent(a)) sec_put_c(y, i, acc.f);
    else sec_put_i(y, i, acc.i);
    i++;
  } while (sec_next_index(y->aval->rank, y->aval->dims, index));
  return SEC_OK;
}

/* The result's value at every place that it was reduced from. */
static sec_value spread(const sec_rule *r, sec_value y) {
  const sec_aval *x = r->in_avals[0];
  int n;
  const int64_t *axes = sec_params_ints(r->params, "axes", &n);
  int64_t kept[SEC_MAX_RANK];
  kept_axes(x->rank, axes, n, kept);
  return sec_broadcast_in_dim(y, x->rank, x->dims, kept);
}

static sec_status reduce_batch(sec_batch *b) {
  int n;
  const int64_t *axes = sec_params_ints(b->params, "axes", &n);
  int64_t shifted[SEC_LIST];
  sec_shift_axes(axes, n, shifted);
  return sec_batch_result(
      b, sec_bind1(b->prim, b->in[0],
                   sec_params_make(b->cx, SEC_PARAMS(SEC_P_INTS("axes", shifted, n)))));
}

#define REDUCTION                                                                                  \
  .operands = {"x"}, .type = reduce_type, .eval = reduce_eval, .batch = reduce_batch,              \
  .form = SEC_FORM_REDUCE

SEC_PRIMITIVE(reduce_sum, .doc = "Sum over axes.", REDUCTION, .linear = 1, .transpose = {spread},
              .combine = &sec_add_p, .identity = SEC_ID_ZERO, .takes = SEC_TAKES_NUMBER, .parts = sec_parts_each)

/* max, min: of c elements equal to the result each has weight 1/c:
 * dy = sum(dx [x = y]) / sum([x = y]) */
static sec_value extremum_jvp(const sec_rule *r, sec_value dx) {
  int n;
  const int64_t *axes = sec_params_ints(r->params, "axes", &n);
  sec_value here =
      sec_convert(sec_eq(r->in[0], spread(r, r->out[0])), r->in_avals[0]->dtype, false);
  sec_value count = sec_reduce_sum(here, axes, n);
  return sec_div(sec_reduce_sum(sec_mul(dx, here), axes, n), count);
}

SEC_PRIMITIVE(reduce_max, .doc = "Greatest element over axes; NaN if there is one.", REDUCTION,
              .jvp = {extremum_jvp}, .combine = &sec_max_p, .identity = SEC_ID_LOWEST,
              .takes = SEC_TAKES_ANY, .parts = sec_parts_extremum)
SEC_PRIMITIVE(reduce_min, .doc = "Least element over axes; NaN if there is one.", REDUCTION,
              .jvp = {extremum_jvp}, .combine = &sec_min_p, .identity = SEC_ID_HIGHEST,
              .takes = SEC_TAKES_ANY, .parts = sec_parts_extremum)

/* The elements start .. limit of axis 0, then `high` times `fill`. */
static sec_value rows(sec_value x, int64_t start, int64_t limit, int64_t high, double fill) {
  const sec_aval *a = sec_value_aval(x);
  int64_t from[SEC_MAX_RANK] = {0}, to[SEC_MAX_RANK], zero[SEC_MAX_RANK] = {0},
          after[SEC_MAX_RANK] = {0};
  if (a == NULL) return SEC_VALUE_POISON;
  memcpy(to, a->dims, sizeof to);
  from[0] = start;
  to[0] = limit;
  after[0] = high;
  x = sec_slice(x, from, to, NULL);
  return high == 0 ? x : sec_pad(x, sec_literal_of(a->dtype, false, fill, 0), zero, after, zero);
}

/* A tree of products of halves, (x, dx) -> (x1 x2, dx1 x2 + x1 dx2): no division, so right at
 * zeros. */
sec_value sec_product_tangent(sec_value x, sec_value dx) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return SEC_VALUE_POISON;
  for (int64_t m = a->dims[0]; m > 1; m = (m + 1) / 2) {
    int64_t half = (m + 1) / 2, odd = m % 2;
    sec_value x1 = rows(x, 0, half, 0, 0), x2 = rows(x, half, m, odd, 1);
    sec_value dx1 = rows(dx, 0, half, 0, 0), dx2 = rows(dx, half, m, odd, 0);
    dx = sec_add(sec_mul(dx1, x2), sec_mul(x1, dx2));
    x = m > 2 ? sec_mul(x1, x2) : SEC_VALUE_POISON;
  }
  return sec_reshape(dx, a->rank - 1, a->dims + 1);
}

static sec_value prod_jvp(const sec_rule *r, sec_value dx) {
  const sec_aval *a = r->in_avals[0], *y = r->out_avals[0];
  int n, rank = y->rank;
  const int64_t *axes = sec_params_ints(r->params, "axes", &n);
  int64_t permutation[SEC_MAX_RANK], shape[SEC_LIST];
  shape[0] = 1;
  for (int k = 0; k < n; k++) shape[0] *= a->dims[permutation[k] = axes[k]];
  kept_axes(a->rank, axes, n, permutation + n);
  memcpy(shape + 1, y->dims, (size_t)rank * sizeof *shape);
  if (shape[0] == 0) return SEC_VALUE_ZERO;
  if (rank == SEC_MAX_RANK) return dx; /* no axis is reduced */
  return sec_product_tangent(sec_reshape(sec_transpose(r->in[0], permutation), rank + 1, shape),
                             sec_reshape(sec_transpose(dx, permutation), rank + 1, shape));
}

SEC_PRIMITIVE(reduce_prod, .doc = "Product over axes.", REDUCTION, .jvp = {prod_jvp},
              .combine = &sec_mul_p, .identity = SEC_ID_ONE, .takes = SEC_TAKES_NUMBER, .parts = sec_parts_reduce_prod)
SEC_PRIMITIVE(reduce_and, .doc = "Bitwise and over axes.", REDUCTION, .combine = &sec_and_p,
              .identity = SEC_ID_ALL_ONES, .takes = SEC_TAKES_BITS, .flags = SEC_FLAG_NO_GRADIENT)
SEC_PRIMITIVE(reduce_or, .doc = "Bitwise or over axes.", REDUCTION, .combine = &sec_or_p,
              .identity = SEC_ID_ZERO, .takes = SEC_TAKES_BITS, .flags = SEC_FLAG_NO_GRADIENT)
SEC_PRIMITIVE(reduce_xor, .doc = "Bitwise exclusive or over axes.", REDUCTION,
              .combine = &sec_xor_p, .identity = SEC_ID_ZERO, .takes = SEC_TAKES_BITS,
              .flags = SEC_FLAG_NO_GRADIENT)

static sec_value reduce(const sec_primitive *prim, sec_value x, const int64_t *axes, int n) {
  const sec_aval *a = sec_value_aval(x);
  int64_t list[SEC_MAX_RANK], sorted[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  if (axes == NULL && n < 0) {
    n = a->rank;
    for (int k = 0; k < n; k++) list[k] = k;
  } else if (!sec_axes_from_user(prim->name, a->rank, axes, n, list)) {
    return SEC_VALUE_POISON;
  }
  if (n == 0) return x;
  for (int k = 0, i = 0; k < a->rank; k++)
    if (sec_has_axis(list, n, k)) sorted[i++] = k;
  return sec_bind1(
      prim, x,
      sec_params_make(sec_current_context(prim->name), SEC_PARAMS(SEC_P_INTS("axes", sorted, n))));
}

sec_value sec_reduce_sum(sec_value x, const int64_t *axes, int n) {
  return reduce(&sec_reduce_sum_p, x, axes, n);
}
sec_value sec_reduce_prod(sec_value x, const int64_t *axes, int n) {
  return reduce(&sec_reduce_prod_p, x, axes, n);
}
sec_value sec_reduce_max(sec_value x, const int64_t *axes, int n) {
  return reduce(&sec_reduce_max_p, x, axes, n);
}
sec_value sec_reduce_min(sec_value x, const int64_t *axes, int n) {
  return reduce(&sec_reduce_min_p, x, axes, n);
}
sec_value sec_reduce_and(sec_value x, const int64_t *axes, int n) {
  return reduce(&sec_reduce_and_p, x, axes, n);
}
sec_value sec_reduce_or(sec_value x, const int64_t *axes, int n) {
  return reduce(&sec_reduce_or_p, x, axes, n);
}
sec_value sec_reduce_xor(sec_value x, const int64_t *axes, int n) {
  return reduce(&sec_reduce_xor_p, x, axes, n);
}
sec_value sec_sum(sec_value x) { return sec_reduce_sum(x, NULL, -1); }

/* ---- argmax, argmin: the first NaN, else the first extremum, along one axis ---- */
SEC_DECLARE_PRIMITIVE(argmin)

static sec_status arg_type(sec_typing *t) {
  const int64_t *axes;
  int n;
  sec_dtype index = (sec_dtype)sec_params_int(t->params, "index_dtype");
  SEC_TRY(sec_type_ints(t, "axes", &axes, &n));
  if (n != 1) return sec_type_error(t, SEC_ARGUMENT, "reshape first", "needs one axis, got %d", n);
  SEC_TRY(reduced_type(t, index, false));
  if (sec_dtype_kind(index) != SEC_KIND_INT && sec_dtype_kind(index) != SEC_KIND_UINT)
    return sec_type_error(t, SEC_TYPE, "use i32", "index_dtype must be an integer type, got %s",
                          sec_dtype_name(index));
  if (t->in[0]->dims[axes[0]] == 0)
    return sec_type_error(t, SEC_ARGUMENT, NULL, "axis %" PRId64 " of %s has no element", axes[0],
                          t->in[0]->text);
  return SEC_OK;
}

/* The axis seen as [outer, n, inner]. */
typedef struct axis_split {
  int64_t outer, n, inner;
} axis_split;

static axis_split split_at(const sec_aval *a, int64_t axis) {
  axis_split s = {1, a->dims[axis], 1};
  for (int k = 0; k < a->rank; k++) *(k < axis ? &s.outer : &s.inner) *= k == axis ? 1 : a->dims[k];
  return s;
}

/* Element `at` comes before element `best`, which is earlier. */
static bool beats(const sec_array *x, int64_t at, int64_t best, bool least) {
  sec_kind kind = sec_dtype_kind(x->aval->dtype);
  if (kind == SEC_KIND_FLOAT) {
    double v = sec_get_f(x, at), b = sec_get_f(x, best);
    return b == b && (v != v || (least ? v < b : v > b));
  }
  int64_t v = sec_get_i(x, at), b = sec_get_i(x, best);
  if (kind == SEC_KIND_INT) return least ? v < b : v > b;
  return least ? (uint64_t)v < (uint64_t)b : (uint64_t)v > (uint64_t)b;
}

static sec_status arg_eval(const sec_eval *e) {
  int n;
  const sec_array *x = e->in[0];
  axis_split s = split_at(x->aval, sec_params_ints(e->params, "axes", &n)[0]);
  for (int64_t o = 0; o < s.outer; o++)
    for (int64_t i = 0; i < s.inner; i++) {
      int64_t first = o * s.n * s.inner + i, best = 0;
      for (int64_t k = 1; k < s.n; k++)
        if (beats(x, first + k * s.inner, first + best * s.inner, e->prim == &sec_argmin_p))
          best = k;
      sec_put_i(e->out[0], o * s.inner + i, best);
    }
  return SEC_OK;
}

static sec_status arg_batch(sec_batch *b) {
  int n, axis = (int)sec_params_ints(b->params, "axes", &n)[0] + 1;
  sec_dtype index = (sec_dtype)sec_params_int(b->params, "index_dtype");
  return sec_batch_result(b, b->prim == &sec_argmin_p ? sec_argmin(b->in[0], axis, index)
                                                      : sec_argmax(b->in[0], axis, index));
}

static int arg_meta(const sec_typing *t, int64_t *meta) {
  int n;
  axis_split s = split_at(t->in[0], sec_params_ints(t->params, "axes", &n)[0]);
  meta[0] = t->in[0]->dtype;
  meta[1] = t->out[0]->dtype;
  meta[2] = t->prim == &sec_argmin_p;
  meta[3] = s.outer;
  meta[4] = s.n;
  meta[5] = s.inner;
  return 6;
}

#define ARG_REDUCTION                                                                              \
  .operands = {"x"}, .type = arg_type, .eval = arg_eval, .batch = arg_batch,                       \
  .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_argreduce", .meta = arg_meta,                       \
  .takes = SEC_TAKES_ORDERED, .flags = SEC_FLAG_NO_GRADIENT

SEC_PRIMITIVE(argmax,
              .doc = "Index of the greatest element along an axis; the first, or the first NaN.",
              ARG_REDUCTION)
SEC_PRIMITIVE(argmin,
              .doc = "Index of the least element along an axis; the first, or the first NaN.",
              ARG_REDUCTION)

static sec_value arg_reduce(const sec_primitive *prim, sec_value x, int axis,
                            sec_dtype index_dtype) {
  const sec_aval *a = sec_value_aval(x);
  int64_t k = axis;
  if (a == NULL || !sec_axes_from_user(prim->name, a->rank, &k, 1, &k)) return SEC_VALUE_POISON;
  return sec_bind1(prim, x,
                   sec_params_make(sec_current_context(prim->name),
                                   SEC_PARAMS(SEC_P_INTS("axes", &k, 1),
                                              SEC_P_DTYPE("index_dtype", index_dtype))));
}

sec_value sec_argmax(sec_value x, int axis, sec_dtype index_dtype) {
  return arg_reduce(&sec_argmax_p, x, axis, index_dtype);
}
sec_value sec_argmin(sec_value x, int axis, sec_dtype index_dtype) {
  return arg_reduce(&sec_argmin_p, x, axis, index_dtype);
}
