/* concatenate and pad: results that hold all of their operands and more than one source of
 * elements. */
#include "complex.h"
#include "structure.h"

/* ---- concatenate: the operands one after another along `dimension` ---- */
static sec_status concatenate_type(sec_typing *t) {
  if (t->n_in == 0) return sec_type_error(t, SEC_ARGUMENT, NULL, "there is no operand");
  const sec_aval *x = t->in[0];
  int64_t axis = sec_params_int(t->params, "dimension"), dims[SEC_MAX_RANK];
  bool weak = true;
  SEC_TRY(sec_type_axes(t, "dimension", &axis, 1, x->rank));
  memcpy(dims, x->dims, sizeof dims);
  dims[axis] = 0;
  for (int i = 0; i < t->n_in; i++) {
    const sec_aval *y = t->in[i];
    if (y->dtype != x->dtype)
      return sec_type_error(t, SEC_TYPE, "convert one of them",
                            "operands have different types, %s and %s", x->text, y->text);
    bool fits = y->rank == x->rank;
    for (int a = 0; fits && a < x->rank; a++) fits = a == axis || y->dims[a] == x->dims[a];
    if (!fits)
      return sec_type_error(t, SEC_SHAPE, "all other axes must agree",
                            "operands %s and %s differ outside axis %" PRId64, x->text, y->text,
                            axis);
    if (__builtin_add_overflow(dims[axis], y->dims[axis], &dims[axis]))
      return sec_type_error(t, SEC_SHAPE, NULL, "axis %" PRId64 " of the result is too long", axis);
    weak &= y->weak;
  }
  return sec_type_gives(t, x->dtype, weak, x->rank, dims);
}

static sec_status concatenate_eval(const sec_eval *e) {
  const sec_aval *y = e->out[0]->aval;
  int64_t axis = sec_params_int(e->params, "dimension");
  size_t outer = 1, row = sec_dtype_size(y->dtype);
  char *to = e->out[0]->data;
  for (int a = 0; a < axis; a++) outer *= (size_t)y->dims[a];
  for (int a = (int)axis + 1; a < y->rank; a++) row *= (size_t)y->dims[a];
  for (size_t o = 0; o < outer; o++)
    for (int i = 0; i < e->n_in; i++) {
      size_t bytes = (size_t)e->in[i]->aval->dims[axis] * row;
      if (bytes > 0) memcpy(to, (const char *)e->in[i]->data + o * bytes, bytes);
      to += bytes;
    }
  return SEC_OK;
}

/* each operand's cotangent is its part of ct */
static sec_status concatenate_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                                        sec_value *in_ct) {
  const sec_aval *y = r->out_avals[0];
  int64_t axis = sec_params_int(r->params, "dimension"), start[SEC_MAX_RANK] = {0},
          limit[SEC_MAX_RANK];
  if (sec_value_is_zero(ct[0])) return SEC_OK;
  memcpy(limit, y->dims, sizeof limit);
  limit[axis] = 0;
  for (int i = 0; i < r->n_in; i++) {
    start[axis] = limit[axis];
    limit[axis] += r->in_avals[i]->dims[axis];
    if (!linear[i]) continue;
    in_ct[i] = sec_slice(ct[0], start, limit, NULL);
    if (!sec_value_ok(in_ct[i])) return sec_error_status(r->cx);
  }
  return SEC_OK;
}

static sec_status concatenate_batch(sec_batch *b) {
  sec_value *in = sec_alloc(b->cx, (size_t)b->n_in * sizeof *in);
  if (in == NULL) return SEC_MEMORY;
  for (int i = 0; i < b->n_in; i++) in[i] = sec_batch_operand(b, i);
  sec_value out = sec_concatenate(in, b->n_in, (int)sec_params_int(b->params, "dimension") + 1);
  sec_free(b->cx, in);
  return sec_batch_result(b, out);
}

SEC_PRIMITIVE(concatenate, .doc = "The operands one after another along one axis.",
              .operands = {"x"}, .variadic = true, .type = concatenate_type,
              .eval = concatenate_eval, .linear = ~0u, .transpose_all = concatenate_transpose,
              .batch = concatenate_batch, .form = SEC_FORM_CONCATENATE, .takes = SEC_TAKES_ANY, .parts = sec_parts_each)

sec_value sec_concatenate(const sec_value *x, int n, int axis) {
  if (n <= 0) {
    sec_error_set(SEC_ARGUMENT, "give at least one operand", "concatenate: there is no operand");
    return SEC_VALUE_POISON;
  }
  for (int i = 0; i < n; i++)
    if (sec_value_aval(x[i]) == NULL) return SEC_VALUE_POISON;
  int64_t dimension = axis;
  if (!sec_axes_from_user("concatenate", sec_value_aval(x[0])->rank, &dimension, 1, &dimension))
    return SEC_VALUE_POISON;
  if (n == 1) return x[0];
  sec_value out;
  sec_bind(&sec_concatenate_p, x, n,
           sec_params_make(sec_current_context("concatenate"),
                           SEC_PARAMS(SEC_P_INT("dimension", dimension))),
           &out, 1);
  return out;
}

/* ---- pad: (low, high, interior) an axis; interior first; low and high may crop ---- */
static sec_status pad_type(sec_typing *t) {
  const sec_aval *x = t->in[0], *value = t->in[1];
  const int64_t *const *config;
  const int *lengths;
  int64_t dims[SEC_MAX_RANK];
  int n;
  SEC_TRY(sec_type_intss(t, "padding_config", &config, &lengths, &n));
  if (value->rank != 0 || value->dtype != x->dtype)
    return sec_type_error(t, SEC_TYPE, "pad with a scalar of the operand's type",
                          "cannot pad %s with %s", x->text, value->text);
  if (n != x->rank)
    return sec_type_error(t, SEC_SHAPE, "give (low, high, interior) for each axis",
                          "padding_config has %d entries for %s", n, x->text);
  for (int a = 0; a < n; a++) {
    if (lengths[a] != 3 || config[a][2] < 0)
      return sec_type_error(t, SEC_ARGUMENT, "give (low, high, interior) with interior >= 0",
                            "padding of axis %d is not valid", a);
    int64_t gaps = x->dims[a] > 0 ? x->dims[a] - 1 : 0;
    bool overflow = __builtin_mul_overflow(gaps, config[a][2], &dims[a]);
    overflow |= __builtin_add_overflow(dims[a], x->dims[a], &dims[a]);
    overflow |= __builtin_add_overflow(dims[a], config[a][0], &dims[a]);
    overflow |= __builtin_add_overflow(dims[a], config[a][1], &dims[a]);
    if (overflow || dims[a] < 0)
      return sec_type_error(t, SEC_ARGUMENT, "crop less", "axis %d of %s would get size %" PRId64,
                            a, x->text, dims[a]);
  }
  return sec_type_gives(t, x->dtype, x->weak && value->weak, n, dims);
}

static const int64_t *const *padding_config(const sec_params *p) {
  const sec_param *config = sec_params_find(p, "padding_config");
  return config->kind == SEC_PARAM_INTSS ? config->u.intss.v : NULL;
}

static sec_status pad_eval(const sec_eval *e) {
  const sec_aval *x = e->in[0]->aval, *y = e->out[0]->aval;
  const int64_t *const *config = padding_config(e->params);
  int64_t index[SEC_MAX_RANK] = {0}, strides[SEC_MAX_RANK];
  size_t size = sec_dtype_size(x->dtype);
  const char *from = e->in[0]->data;
  char *to = e->out[0]->data;
  for (int64_t i = 0; i < y->size; i++) memcpy(to + (size_t)i * size, e->in[1]->data, size);
  if (x->size == 0) return SEC_OK;
  sec_strides(y->rank, y->dims, strides);
  do {
    int64_t at = 0;
    bool inside = true;
    for (int a = 0; a < x->rank; a++) {
      int64_t i = config[a][0] + index[a] * (config[a][2] + 1);
      inside &= i >= 0 && i < y->dims[a];
      at += i * strides[a];
    }
    if (inside) memcpy(to + (size_t)at * size, from, size);
    from += size;
  } while (sec_next_index(x->rank, x->dims, index));
  return SEC_OK;
}

/* The part of ct where the operand's elements went: low and high undone, then every (interior +
 * 1)-th. */
static sec_value pad_transpose_x(const sec_rule *r, sec_value ct) {
  const sec_aval *x = r->in_avals[0], *y = r->out_avals[0];
  const int64_t *const *config = padding_config(r->params);
  int64_t low[SEC_MAX_RANK], high[SEC_MAX_RANK], zero[SEC_MAX_RANK] = {0}, limit[SEC_MAX_RANK],
                                                 step[SEC_MAX_RANK];
  for (int a = 0; a < x->rank; a++) {
    low[a] = -config[a][0];
    high[a] = -config[a][1];
    limit[a] = y->dims[a] + low[a] + high[a];
    step[a] = config[a][2] + 1;
  }
  return sec_slice(sec_pad(ct, sec_zero_literal(x->dtype), low, high, zero), zero, limit, step);
}

/* the rest of ct */
static sec_value pad_transpose_value(const sec_rule *r, sec_value ct) {
  return sec_sub(sec_sum(ct), sec_sum(pad_transpose_x(r, ct)));
}

/* A batched value: pad with zero, and choose the value where nothing of the operand is. */
static sec_status pad_batch(sec_batch *b) {
  const sec_aval *x = b->in_avals[0];
  const int64_t *const *config = padding_config(b->params);
  int64_t low[SEC_LIST] = {0}, high[SEC_LIST] = {0}, interior[SEC_LIST] = {0}, axis = 0;
  for (int a = 0; a < x->rank; a++) {
    low[a + 1] = config[a][0];
    high[a + 1] = config[a][1];
    interior[a + 1] = config[a][2];
  }
  sec_value operand = sec_batch_operand(b, 0);
  if (!b->batched[1]) return sec_batch_result(b, sec_pad(operand, b->in[1], low, high, interior));
  sec_value padded = sec_pad(operand, sec_zero_literal(x->dtype), low, high, interior);
  const sec_aval *a = sec_value_aval(padded), *lanes = sec_value_aval(operand);
  if (a == NULL) return sec_error_status(b->cx);
  sec_value inside = sec_full(sec_scalar_bool(true), lanes->rank, lanes->dims);
  inside = sec_pad(inside, sec_scalar_bool(false), low, high, interior);
  return sec_batch_result(
      b, sec_where(inside, padded, sec_broadcast_in_dim(b->in[1], a->rank, a->dims, &axis)));
}

SEC_PRIMITIVE(pad, .doc = "The operand with a value before, after and between its elements.",
              .operands = {"x", "value"}, .type = pad_type, .eval = pad_eval, .linear = 3,
              .transpose = {pad_transpose_x, pad_transpose_value}, .batch = pad_batch,
              .form = SEC_FORM_PAD, .takes = SEC_TAKES_ANY, .parts = sec_parts_each)

sec_value sec_pad(sec_value x, sec_value value, const int64_t *low, const int64_t *high,
                  const int64_t *interior) {
  const sec_aval *a = sec_value_aval(x);
  int64_t config[SEC_MAX_RANK][3];
  const int64_t *rows[SEC_MAX_RANK];
  int lengths[SEC_MAX_RANK];
  if (a == NULL || sec_value_aval(value) == NULL) return SEC_VALUE_POISON;
  for (int k = 0; k < a->rank; k++) {
    config[k][0] = low[k];
    config[k][1] = high[k];
    config[k][2] = interior == NULL ? 0 : interior[k];
    rows[k] = config[k];
    lengths[k] = 3;
  }
  const sec_param padding = {
      .name = "padding_config", .kind = SEC_PARAM_INTSS, .u.intss = {rows, lengths, a->rank}};
  return sec_bind2(&sec_pad_p, x, value, sec_params_make(sec_current_context("pad"), &padding, 1));
}
