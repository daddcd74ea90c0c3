/* top_k: the k greatest elements along an axis, in descending order, and their places.  The order is total: the greatest
 * NaN is first, +0 stands before -0; of equal elements the first comes first. */
#include "structure.h"

static sec_status top_k_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  int64_t         axis = sec_params_int(t->params, "axis"), k = sec_params_int(t->params, "k");
  int64_t         dims[SEC_MAX_RANK];
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(sec_type_axes(t, "axis", &axis, 1, x->rank));
  if (k < 0 || k > x->dims[axis])
    return sec_type_error(t, SEC_SHAPE, "from 0 to the size of the axis", "k is %" PRId64 " for axis %" PRId64 " of %s", k,
                          axis, x->text);
  if (x->dims[axis] > INT32_MAX)
    return sec_type_error(t, SEC_UNSUPPORTED, "take pieces of it", "%s has more than 2^31 - 1 elements in a row", x->text);
  if (t->max_out < 2) return sec_type_error(t, SEC_ARGUMENT, NULL, "there are two results, values and indices");
  memcpy(dims, x->dims, sizeof dims);
  dims[axis] = k;
  SEC_TRY(sec_type_gives_at(t, 0, x->dtype, x->weak, x->rank, dims));
  return sec_type_gives_at(t, 1, SEC_I32, false, x->rank, dims);
}

/* An integer in the total order of the elements. */
static int64_t order_at(const sec_array *x, int64_t i) {
  sec_dtype d = x->aval->dtype;
  size_t    size = sec_dtype_size(d);
  if (sec_dtype_kind(d) != SEC_KIND_FLOAT) {
    int64_t n = sec_get_i(x, i);
    return sec_dtype_kind(d) == SEC_KIND_INT ? n : (int64_t)((uint64_t)n ^ (uint64_t)1 << 63);
  }
  uint64_t bits = 0;
  memcpy((char *)&bits, (const char *)x->data + (size_t)i * size, size); /* little-endian */
  int64_t wide = (int64_t)(bits << (64 - 8 * size)); /* the sign on top */
  return wide < 0 ? wide ^ INT64_MAX : wide;
}

static sec_status top_k_eval(const sec_eval *e) {
  const sec_array *x = e->in[0];
  const sec_aval  *a = x->aval, *y = e->out[0]->aval;
  int64_t          axis = sec_params_int(e->params, "axis"), k = sec_params_int(e->params, "k"), n = a->dims[axis];
  int64_t          from[SEC_MAX_RANK], to[SEC_MAX_RANK], heads[SEC_MAX_RANK], index[SEC_MAX_RANK] = {0};
  size_t           size = sec_dtype_size(a->dtype);
  if (y->size == 0) return SEC_OK;
  sec_strides(a->rank, a->dims, from);
  sec_strides(y->rank, y->dims, to);
  memcpy(heads, a->dims, sizeof heads);
  heads[axis] = 1;
  do {
    int64_t first = sec_linear(a->rank, from, index), place = sec_linear(y->rank, to, index);
    int64_t last = 0;
    for (int64_t i = 0; i < k; i++) { /* the greatest of what comes after the last one */
      int64_t best = -1;
      for (int64_t j = 0; j < n; j++) {
        int64_t o = order_at(x, first + j * from[axis]);
        int64_t before = i ? order_at(x, first + last * from[axis]) : 0;
        bool    open = i == 0 || o < before || (o == before && j > last);
        if (open && (best < 0 || o > order_at(x, first + best * from[axis]))) best = j;
      }
      last = best;
      int64_t at = place + i * to[axis];
      memcpy((char *)e->out[0]->data + (size_t)at * size, (const char *)x->data + (size_t)(first + best * from[axis]) * size, size);
      sec_put_i(e->out[1], at, best);
    }
  } while (sec_next_index(a->rank, heads, index));
  return SEC_OK;
}

static int top_k_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0];
  int64_t         axis = sec_params_int(t->params, "axis");
  meta[0] = a->dtype;
  meta[1] = meta[3] = 1;
  meta[2] = a->dims[axis];
  for (int d = 0; d < a->rank; d++) meta[d < axis ? 1 : 3] *= d == axis ? 1 : a->dims[d];
  meta[4] = sec_params_int(t->params, "k");
  return 5;
}

/* the tangents of the elements that are taken */
static sec_status top_k_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out, sec_value *out_dot) {
  int axis = (int)sec_params_int(r->params, "axis");
  SEC_TRY(sec_top_k(r->in[0], (int)sec_params_int(r->params, "k"), axis, out));
  out_dot[1] = SEC_VALUE_ZERO;
  out_dot[0] = sec_value_is_zero(in_dot[0]) ? SEC_VALUE_ZERO : sec_take_along(in_dot[0], out[1], axis);
  return sec_value_is_zero(out_dot[0]) || sec_value_ok(out_dot[0]) ? SEC_OK : sec_error_status(r->cx);
}

static sec_status top_k_batch(sec_batch *b) {
  b->out_batched[0] = b->out_batched[1] = true;
  return sec_top_k(b->in[0], (int)sec_params_int(b->params, "k"), (int)sec_params_int(b->params, "axis") + 1, b->out);
}

SEC_PRIMITIVE(top_k, .doc = "The k greatest elements along an axis, and their places.", .operands = {"x"},
              .type = top_k_type, .eval = top_k_eval, .jvp_all = top_k_jvp, .batch = top_k_batch,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_top_k", .meta = top_k_meta, .takes = SEC_TAKES_ORDERED)

sec_status sec_top_k(sec_value x, int k, int axis, sec_value out[2]) {
  const sec_aval *a = sec_value_aval(x);
  int64_t         along = axis;
  out[0] = out[1] = SEC_VALUE_POISON;
  if (!a || !sec_axes_from_user("top_k", a->rank, &along, 1, &along)) return sec_error_status(NULL);
  return sec_bind(&sec_top_k_p, &x, 1,
                  sec_params_make(sec_current_context("top_k"), SEC_PARAMS(SEC_P_INT("axis", along), SEC_P_INT("k", k))),
                  out, 2);
}
