/* Conversions and identities: convert_element_type bitcast_convert_type copy stop_gradient.
 * Float to integer truncates and saturates, NaN is 0; to bool is x != 0.  Integers wrap.  Of a complex number that becomes
 * real the imaginary part is dropped. */
#include "complex.h"
#include "structure.h"

#include <string.h>

static bool is_integer(sec_dtype dtype) {
  sec_kind kind = sec_dtype_kind(dtype);
  return kind == SEC_KIND_INT || kind == SEC_KIND_UINT;
}

static sec_dtype new_dtype(const sec_params *p) {
  return (sec_dtype)sec_params_int(p, "new_dtype");
}

/* ---- convert_element_type ---- */

static sec_status convert_type(sec_typing *t) {
  sec_dtype dtype = new_dtype(t->params);
  SEC_TRY(sec_type_takes(t, 0));
  return sec_type_result(t, dtype, sec_params_int(t->params, "weak_type") != 0, t->in[0]);
}

/* An integer goes to f32 directly: through a double it would be rounded twice. */
static void convert_int(sec_array *out, int64_t i, sec_dtype from, int64_t x) {
  bool is_unsigned = sec_dtype_kind(from) == SEC_KIND_UINT;
  if (out->aval->dtype == SEC_F32)
    ((float *)out->data)[i] = is_unsigned ? (float)(uint64_t)x : (float)x;
  else if (sec_aval_is_float(out->aval))
    sec_put_f(out, i, is_unsigned ? (double)(uint64_t)x : (double)x);
  else sec_put_i(out, i, x);
}

static sec_status convert_eval(const sec_eval *e) {
  sec_dtype from = e->in[0]->aval->dtype;
  bool is_float = sec_aval_is_float(e->in[0]->aval), is_complex = sec_aval_is_complex(e->in[0]->aval);
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    if (is_complex && e->out[0]->aval->dtype == SEC_BOOL) sec_put_i(e->out[0], i, sec_get_c(e->in[0], i) != 0);
    else if (is_complex) sec_put_c(e->out[0], i, sec_get_c(e->in[0], i));
    else if (is_float) sec_put_f(e->out[0], i, sec_get_f(e->in[0], i));
    else convert_int(e->out[0], i, from, sec_get_i(e->in[0], i));
  }
  return SEC_OK;
}

/* convert_element_type: the tangent is converted as well between floats, and 0 elsewhere */
static sec_value convert_jvp(const sec_rule *r, sec_value dx) {
  const sec_aval *out = r->out_avals[0];
  if (!sec_aval_has_tangent(r->in_avals[0]) || !sec_aval_has_tangent(out)) return SEC_VALUE_ZERO;
  return sec_convert(dx, out->dtype, out->weak);
}
static sec_value convert_transpose(const sec_rule *r, sec_value ct) {
  return sec_convert(ct, r->in_avals[0]->dtype, r->in_avals[0]->weak);
}

/* Saturation: converts what is in range, and overwrites the rest with the ends of the range. */
static sec_lv lower_float_to_int(sec_builder *b, sec_lv x, sec_dtype to) {
  sec_ltype type = sec_lower_type(to);
  bool is_signed = sec_dtype_kind(to) == SEC_KIND_INT;
  int bits = sec_dtype_bits(to);
  if (sec_lt_bits(x.type) == 16) x = sec_l_cast(b, "arith.extf", x, SEC_LT_F32);
  double end = 2 * (double)((uint64_t)1 << (bits - 1 - is_signed)), start = is_signed ? -end : 0;
  int64_t highest = (int64_t)(UINT64_MAX >> (64 - bits + is_signed)),
          lowest = is_signed ? -highest - 1 : 0;
  sec_lv below = sec_l_cmpf(b, "olt", x, sec_l_float(b, x.type, start));
  sec_lv above = sec_l_cmpf(b, "oge", x, sec_l_float(b, x.type, end));
  sec_lv outside = sec_l_binary(b, "arith.ori", sec_l_cmpf(b, "uno", x, x),
                                sec_l_binary(b, "arith.ori", below, above));
  sec_lv inside = sec_l_select(b, outside, sec_l_float(b, x.type, 0), x);
  sec_lv r = sec_l_cast(b, is_signed ? "arith.fptosi" : "arith.fptoui", inside, type);
  r = sec_l_select(b, above, sec_l_int(b, type, highest), r);
  return is_signed ? sec_l_select(b, below, sec_l_int(b, type, lowest), r) : r;
}

static sec_lv lower_float_to_float(sec_builder *b, sec_lv x, sec_ltype type) {
  if (x.type == type) return x;
  if (sec_lt_bits(x.type) == 16 && sec_lt_bits(type) == 16)
    x = sec_l_cast(b, "arith.extf", x, SEC_LT_F32);
  return sec_l_cast(b, sec_lt_bits(type) > sec_lt_bits(x.type) ? "arith.extf" : "arith.truncf", x,
                    type);
}

static sec_lv lower_int_to_int(sec_builder *b, sec_lv x, sec_ltype type, bool from_signed) {
  int from = sec_lt_bits(x.type), to = sec_lt_bits(type);
  if (from == to) return x;
  const char *extension = from_signed ? "arith.extsi" : "arith.extui";
  return sec_l_cast(b, to < from ? "arith.trunci" : extension, x, type);
}

static void convert_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  sec_dtype to = l->out_avals[0]->dtype;
  sec_ltype type = sec_lower_type(to);
  sec_kind kind = sec_lower_kind(l, 0), to_kind = sec_dtype_kind(to);
  bool from_signed = kind == SEC_KIND_INT;
  if (to_kind == SEC_KIND_BOOL && kind == SEC_KIND_BOOL) out[0] = x[0];
  else if (to_kind == SEC_KIND_BOOL && kind == SEC_KIND_FLOAT)
    out[0] = sec_l_cmpf(b, "une", x[0], sec_l_float(b, x[0].type, 0));
  else if (to_kind == SEC_KIND_BOOL) out[0] = sec_l_cmpi(b, "ne", x[0], sec_l_int(b, x[0].type, 0));
  else if (kind == SEC_KIND_FLOAT && to_kind == SEC_KIND_FLOAT)
    out[0] = lower_float_to_float(b, x[0], type);
  else if (kind == SEC_KIND_FLOAT) out[0] = lower_float_to_int(b, x[0], to);
  else if (to_kind == SEC_KIND_FLOAT)
    out[0] = sec_l_cast(b, from_signed ? "arith.sitofp" : "arith.uitofp", x[0], type);
  else out[0] = lower_int_to_int(b, x[0], type, from_signed);
}

SEC_PRIMITIVE(convert_element_type, .doc = "x converted to another dtype.", .operands = {"x"},
              SEC_ELEMENTWISE(convert_type, convert_eval), .takes = SEC_TAKES_ANY,
              .jvp = {convert_jvp}, .transpose = {convert_transpose}, .lower = convert_lower,
              .parts = sec_parts_convert,
              .flags = SEC_FLAG_CHEAP)

/* A literal is converted here and now. */
static sec_value convert_literal(const sec_literal *x, sec_dtype dtype, bool weak) {
  bool is_complex = sec_aval_is_complex(x->aval), is_float = sec_aval_is_float(x->aval);
  bool is_unsigned = sec_dtype_kind(x->aval->dtype) == SEC_KIND_UINT;
  if (sec_dtype_kind(dtype) == SEC_KIND_COMPLEX) {
    double re = is_complex || is_float ? x->f : is_unsigned ? (double)(uint64_t)x->i : (double)x->i;
    return sec_literal_complex(dtype, weak, re, is_complex ? sec_literal_im(x) : 0);
  }
  if (is_complex && dtype == SEC_BOOL) return sec_literal_of(dtype, weak, 0, x->f != 0 || sec_literal_im(x) != 0);
  if (is_float || is_complex) return sec_literal_of(dtype, weak, sec_round_to(dtype, x->f), sec_saturate(dtype, x->f));
  double f = is_unsigned ? (double)(uint64_t)x->i : (double)x->i;
  return sec_literal_of(dtype, weak, sec_round_to(dtype, f), sec_wrap(dtype, x->i));
}
sec_value sec_convert(sec_value x, sec_dtype dtype, bool weak) {
  const sec_aval *a = sec_value_aval(x);
  if (!a) return SEC_VALUE_POISON;
  weak = weak && dtype != SEC_BOOL;
  if (a->dtype == dtype && a->weak == weak) return x;
  const sec_literal *literal = a->rank == 0 ? sec_value_literal(x) : NULL;
  if (literal) return convert_literal(literal, dtype, weak);
  const sec_params *params =
      sec_params_make(sec_trace_context(sec_trace_current()),
                      SEC_PARAMS(SEC_P_DTYPE("new_dtype", dtype), SEC_P_BOOL("weak_type", weak)));
  return params ? sec_bind1(&sec_convert_element_type_p, x, params) : SEC_VALUE_POISON;
}

/* ---- bitcast_convert_type: the same bits read as another dtype ---- */

static sec_status bitcast_type(sec_typing *t) {
  SEC_TRY(sec_type_takes(t, 0));
  const sec_aval *x = t->in[0];
  sec_dtype dtype = new_dtype(t->params);
  if (!is_integer(dtype) && sec_dtype_kind(dtype) != SEC_KIND_FLOAT)
    return sec_type_error(t, SEC_TYPE, "convert by value with sec_convert",
                          "operand x has type %s, and its bits cannot be read as %s", x->text,
                          sec_dtype_name(dtype));
  if (sec_dtype_size(dtype) != sec_dtype_size(x->dtype))
    return sec_type_error(t, SEC_TYPE, "use a dtype of the same width",
                          "operand x has type %s, and %s has another width", x->text,
                          sec_dtype_name(dtype));
  return sec_type_result(t, dtype, false, x);
}

static sec_status copy_eval(const sec_eval *e) {
  memcpy(e->out[0]->data, e->in[0]->data, e->out[0]->bytes);
  return SEC_OK;
}

static void bitcast_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  sec_ltype type = sec_lower_type(l->out_avals[0]->dtype);
  out[0] = type == x[0].type ? x[0] : sec_l_cast(b, "arith.bitcast", x[0], type);
}

SEC_PRIMITIVE(bitcast_convert_type, .doc = "The bits of x read as another dtype of the same width.",
              .operands = {"x"}, SEC_ELEMENTWISE(bitcast_type, copy_eval), .takes = SEC_TAKES_REAL,
              .lower = bitcast_lower, .flags = SEC_FLAG_CHEAP | SEC_FLAG_NO_GRADIENT)
/* A narrower dtype adds an axis, a wider one takes the last away, as in JAX. */
static sec_value change_width(sec_value x, const sec_aval *a, sec_dtype dtype) {
  int64_t dims[SEC_MAX_RANK + 1], from = (int64_t)sec_dtype_size(a->dtype), to = (int64_t)sec_dtype_size(dtype);
  memcpy(dims, a->dims, (size_t)a->rank * sizeof *dims);
  dims[a->rank] = from / to;
  if (to < from && sec_rank_from_user("bitcast_convert_type", a->rank + 1)) return sec_reinterpret(x, dtype, false, a->rank + 1, dims);
  if (to > from && a->rank > 0 && dims[a->rank - 1] == to / from) return sec_reinterpret(x, dtype, false, a->rank - 1, dims);
  if (to > from)
    sec_error_set(SEC_SHAPE, "the last axis holds the bits of one element",
                  "bitcast_convert_type: the last axis of %s must be of size %" PRId64 " to become %s", a->text, to / from,
                  sec_dtype_name(dtype));
  return SEC_VALUE_POISON;
}

sec_value sec_bitcast_convert_type(sec_value x, sec_dtype dtype) {
  const sec_aval *a = sec_value_aval(x);
  if (!a) return SEC_VALUE_POISON;
  bool readable = sec_dtype_kind(a->dtype) != SEC_KIND_BOOL && sec_dtype_kind(dtype) != SEC_KIND_BOOL &&
                  !sec_aval_is_complex(a) && sec_dtype_kind(dtype) != SEC_KIND_COMPLEX;
  if (readable && sec_dtype_size(dtype) != sec_dtype_size(a->dtype)) return change_width(x, a, dtype);
  const sec_params *params = sec_params_make(sec_trace_context(sec_trace_current()),
                                             SEC_PARAMS(SEC_P_DTYPE("new_dtype", dtype)));
  return params ? sec_bind1(&sec_bitcast_convert_type_p, x, params) : SEC_VALUE_POISON;
}

/* ---- reinterpret ---- */
static sec_status reinterpret_type(sec_typing *t) {
  const int64_t *shape;
  int            rank;
  SEC_TRY(sec_type_ints(t, "shape", &shape, &rank));
  sec_dtype dtype = new_dtype(t->params);
  SEC_TRY(sec_type_gives(t, dtype, sec_params_int(t->params, "weak_type") != 0, rank, shape));
  const sec_aval *x = t->in[0], *y = t->out[0];
  if (x->size * (int64_t)sec_dtype_size(x->dtype) == y->size * (int64_t)sec_dtype_size(dtype)) return SEC_OK;
  return sec_type_error(t, SEC_SHAPE, "the number of bytes must stay", "%s cannot be read as %s", x->text, y->text);
}

static sec_status reinterpret_batch(sec_batch *b) {
  const sec_aval *y = b->out_avals[0];
  int64_t         shape[SEC_LIST];
  sec_prepend(b->size, y->dims, y->rank, shape);
  return sec_batch_result(b, sec_reinterpret(b->in[0], y->dtype, y->weak, y->rank + 1, shape));
}

SEC_PRIMITIVE(reinterpret, .doc = "The memory of x read as elements of another dtype in another shape.", .operands = {"x"},
              .type = reinterpret_type, .eval = copy_eval, .batch = reinterpret_batch, .form = SEC_FORM_BITS,
              .takes = SEC_TAKES_ANY, .flags = SEC_FLAG_NO_GRADIENT)
sec_value sec_reinterpret(sec_value x, sec_dtype dtype, bool weak, int rank, const int64_t *dims) {
  if (!sec_value_aval(x)) return SEC_VALUE_POISON;
  return sec_bind1(&sec_reinterpret_p, x,
                   sec_params_make(sec_current_context("reinterpret"),
                                   SEC_PARAMS(SEC_P_DTYPE("new_dtype", dtype), SEC_P_INTS("shape", dims, rank), SEC_P_BOOL("weak_type", weak))));
}

/* ---- identities ---- */

/* The same elements in the same order. */
#define IDENTITY \
  .operands = {"x"}, .type = sec_type_elementwise, .eval = copy_eval, \
  .batch = sec_batch_elementwise, .form = SEC_FORM_RESHAPE, .cost = sec_cost_elementwise, \
  .parts = sec_parts_each, \
  .takes = SEC_TAKES_ANY

/* copy: d = dx */
static sec_value copy_transpose(const sec_rule *r, sec_value ct) { return (void)r, ct; }
SEC_PRIMITIVE(copy, .doc = "A copy of x.", IDENTITY, .linear = 1, .transpose = {copy_transpose},
              .flags = SEC_FLAG_CHEAP)
sec_value sec_copy(sec_value x) { return sec_bind1(&sec_copy_p, x, NULL); }

SEC_PRIMITIVE(stop_gradient, .doc = "x, whose derivative counts as 0.", IDENTITY,
              .flags = SEC_FLAG_CHEAP | SEC_FLAG_NO_GRADIENT)
sec_value sec_stop_gradient(sec_value x) { return sec_bind1(&sec_stop_gradient_p, x, NULL); }
