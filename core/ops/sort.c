/* sort: several arrays put in order together, along one axis, by the first num_keys of them. */
#include "complex.h"
#include "structure.h"

enum { MAX_SORTED = 16 }; /* operands, one of them for the derivative */

static sec_status sort_type(sec_typing *t) {
  const sec_aval *x = t->n_in > 0 ? t->in[0] : NULL;
  int64_t axis = sec_params_int(t->params, "dimension");
  int64_t keys = sec_params_int(t->params, "num_keys");
  if (t->n_in < 1 || t->n_in > MAX_SORTED || t->n_in > t->max_out)
    return sec_type_error(t, SEC_ARGUMENT, "give from 1 to 16 operands, and as many results",
                          "%d operands and %d results", t->n_in, t->max_out);
  if (keys < 1 || keys > t->n_in)
    return sec_type_error(t, SEC_ARGUMENT, "from 1 to the number of operands",
                          "num_keys is %" PRId64 " for %d operands", keys, t->n_in);
  SEC_TRY(sec_type_axes(t, "dimension", &axis, 1, x->rank));
  if (x->dims[axis] > UINT32_MAX)
    return sec_type_error(t, SEC_UNSUPPORTED, "sort pieces of it",
                          "%s has more than 2^32 - 1 elements in a row", x->text);
  for (int i = 0; i < t->n_in; i++) {
    SEC_TRY(sec_type_takes(t, i));
    if (t->in[i]->rank != x->rank ||
        memcmp(t->in[i]->dims, x->dims, (size_t)x->rank * sizeof *x->dims) != 0)
      return sec_type_error(t, SEC_SHAPE, "operands have one shape", "%s beside %s", x->text,
                            t->in[i]->text);
    t->out[i] = t->in[i];
  }
  t->n_out = t->n_in;
  return SEC_OK;
}

/* ---- evaluation: a merge sort of places ---- */
static int compare_floats(double u, double v) {
  return u != u || v != v ? (u != u) - (v != v) : (u > v) - (u < v);
}
static int compare_at(const sec_array *x, int64_t a, int64_t b) {
  sec_kind kind = sec_dtype_kind(x->aval->dtype);
  if (kind == SEC_KIND_FLOAT) return compare_floats(sec_get_f(x, a), sec_get_f(x, b));
  if (kind == SEC_KIND_COMPLEX) {
    double _Complex u = sec_get_c(x, a), v = sec_get_c(x, b);
    int order = compare_floats(__real__ u, __real__ v);
    return order ? order : compare_floats(__imag__ u, __imag__ v);
  }
  int64_t u = sec_get_i(x, a), v = sec_get_i(x, b);
  if (kind == SEC_KIND_INT) return (u > v) - (u < v);
  return ((uint64_t)u > (uint64_t)v) - ((uint64_t)u < (uint64_t)v);
}

static bool is_after(const sec_eval *e, int64_t a, int64_t b) {
  int64_t keys = sec_params_int(e->params, "num_keys");
  int order = 0;
  for (int i = 0; i < keys && order == 0; i++) order = compare_at(e->in[i], a, b);
  return order > 0;
}

/* at[0 .. n) in order, by way of `other`. */
static void merge_sort(const sec_eval *e, int64_t *at, int64_t *other, int64_t n) {
  int64_t half = n / 2;
  if (n < 2) return;
  merge_sort(e, at, other, half);
  merge_sort(e, at + half, other, n - half);
  memcpy(other, at, (size_t)n * sizeof *at);
  for (int64_t i = 0, j = half, k = 0; k < n; k++) {
    bool second = i == half || (j < n && is_after(e, other[i], other[j]));
    at[k] = second ? other[j++] : other[i++];
  }
}

static sec_status sort_eval(const sec_eval *e) {
  const sec_aval *a = e->in[0]->aval;
  int64_t axis = sec_params_int(e->params, "dimension"), n = a->dims[axis];
  int64_t strides[SEC_MAX_RANK], heads[SEC_MAX_RANK], index[SEC_MAX_RANK] = {0};
  if (a->size == 0) return SEC_OK;
  int64_t *at = sec_alloc(e->cx, 2 * (size_t)n * sizeof *at);
  if (at == NULL) return SEC_MEMORY;
  sec_strides(a->rank, a->dims, strides);
  memcpy(heads, a->dims, sizeof heads);
  heads[axis] = 1;
  do {
    int64_t first = sec_linear(a->rank, strides, index);
    for (int64_t k = 0; k < n; k++) at[k] = first + k * strides[axis];
    merge_sort(e, at, at + n, n);
    for (int i = 0; i < e->n_in; i++) {
      size_t size = sec_dtype_size(e->in[i]->aval->dtype);
      const char *from = e->in[i]->data;
      char *to = e->out[i]->data;
      for (int64_t k = 0; k < n; k++)
        memcpy(to + (size_t)(first + k * strides[axis]) * size, from + (size_t)at[k] * size, size);
    }
  } while (sec_next_index(a->rank, heads, index));
  sec_free(e->cx, at);
  return SEC_OK;
}

static int sort_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0];
  int64_t axis = sec_params_int(t->params, "dimension");
  meta[0] = t->n_in;
  meta[1] = sec_params_int(t->params, "num_keys");
  meta[2] = meta[4] = 1;
  meta[3] = a->dims[axis];
  for (int k = 0; k < a->rank; k++) meta[k < axis ? 2 : 4] *= k == axis ? 1 : a->dims[k];
  for (int i = 0; i < t->n_in; i++) meta[5 + i] = t->in[i]->dtype;
  return 5 + t->n_in;
}

static sec_status bind_sort(const sec_value *x, int n, const sec_params *like, int64_t dimension,
                            sec_value *out) {
  return sec_sort(x, n, (int)dimension, (int)sec_params_int(like, "num_keys"),
                  sec_params_int(like, "is_stable") != 0, out);
}

/* ---- jvp: the tangents go where their elements go ---- */
static sec_status sort_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                           sec_value *out_dot) {
  const sec_aval *a = r->in_avals[0];
  int64_t axis = sec_params_int(r->params, "dimension");
  sec_dtype index = a->dims[axis] > INT32_MAX ? SEC_I64 : SEC_I32;
  sec_value x[MAX_SORTED + 1], y[MAX_SORTED + 1];
  memcpy(x, r->in, (size_t)r->n_in * sizeof *x);
  x[r->n_in] = sec_iota(index, a->rank, a->dims, (int)axis);
  SEC_TRY(bind_sort(x, r->n_in + 1, r->params, axis, y));
  for (int i = 0; i < r->n_in; i++) {
    out[i] = y[i];
    out_dot[i] = sec_value_is_zero(in_dot[i]) ? SEC_VALUE_ZERO
                                              : sec_take_along(in_dot[i], y[r->n_in], (int)axis);
    if (!sec_value_is_zero(out_dot[i]) && !sec_value_ok(out_dot[i])) return sec_error_status(r->cx);
  }
  return SEC_OK;
}

static sec_status sort_batch(sec_batch *b) {
  sec_value x[MAX_SORTED];
  for (int i = 0; i < b->n_in; i++) {
    x[i] = sec_batch_operand(b, i);
    b->out_batched[i] = true;
  }
  return bind_sort(x, b->n_in, b->params, sec_params_int(b->params, "dimension") + 1, b->out);
}

SEC_PRIMITIVE(sort, .doc = "Operands in the order of the first of them along one axis, NaN last.",
              .operands = {"operands"}, .variadic = true, .type = sort_type, .eval = sort_eval,
              .jvp_all = sort_jvp, .batch = sort_batch, .form = SEC_FORM_RUNTIME,
              .runtime = "sec_rt_sort", .meta = sort_meta, .takes = SEC_TAKES_ANY, .parts = sec_parts_sort)

sec_status sec_sort(const sec_value *x, int n, int dimension, int num_keys, bool is_stable,
                    sec_value *out) {
  int64_t axis = dimension;
  bool ok = n > 0;
  for (int i = 0; i < n; i++) ok &= sec_value_aval(x[i]) != NULL;
  if (n <= 0) sec_error_set(SEC_ARGUMENT, "give at least one operand", "sort: there is no operand");
  if (!ok || !sec_axes_from_user("sort", sec_value_aval(x[0])->rank, &axis, 1, &axis)) {
    for (int i = 0; i < n; i++) out[i] = SEC_VALUE_POISON;
    return sec_error_status(NULL);
  }
  return sec_bind(&sec_sort_p, x, n,
                  sec_params_make(sec_current_context("sort"),
                                  SEC_PARAMS(SEC_P_INT("dimension", axis),
                                             SEC_P_BOOL("is_stable", is_stable),
                                             SEC_P_INT("num_keys", num_keys))),
                  out, n);
}
