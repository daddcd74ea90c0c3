/* Rules and helpers that families of primitives share: types, evaluation, batching and lowering of
 * elementwise operations, access to the elements of arrays, and small pieces of jvp and transpose
 * rules.  Elementwise operands have one shape, or rank 0 beside any shape. */
#include "family.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- types ---- */

sec_status sec_type_error(const sec_typing *t, sec_status status, const char *hint,
                          const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return sec_error_set(status, hint, "%s: %s", t->prim->name, text);
}

/* What a primitive says that it takes, and what to do about a dtype outside. */
static const struct { unsigned takes; const char *text, *hint; } dtype_classes[] = {
    {SEC_TAKES_INEXACT, "a float or complex number", "convert it to a float type with sec_convert"},
    {SEC_TAKES_NUMBER, "a number", "convert it to an integer or float type with sec_convert"},
    {SEC_TAKES_COMPLEX, "a complex number", "convert it to a complex type with sec_convert"},
    {SEC_TAKES_FLOAT, "a float", "convert it to a float type with sec_convert"},
    {SEC_TAKES_REAL, "an integer or a float",
     "convert it to an integer or float type with sec_convert"},
    {SEC_TAKES_SIGNED, "a signed integer, a float or a complex number",
     "convert it to a signed integer or float type with sec_convert"},
    {SEC_TAKES_BITS, "a bool or an integer",
     "convert it to an integer type, or compare it with zero"},
    {SEC_TAKES_INT | SEC_TAKES_UINT, "an integer",
     "convert it to an integer type with sec_convert"},
    {0, "a real number", "convert it to a real type with sec_convert"}};

sec_status sec_type_takes(const sec_typing *t, int i) {
  unsigned takes = t->prim->takes;
  if (takes >> sec_dtype_kind(t->in[i]->dtype) & 1) return SEC_OK;
  size_t c = 0;
  while (dtype_classes[c].takes && dtype_classes[c].takes != takes) c++;
  const char *name = i < SEC_MAX_OPERANDS ? t->prim->operands[i] : NULL;
  return sec_type_error(t, SEC_TYPE, dtype_classes[c].hint,
                        "operand %s%shas type %s, but must be %s", name ? name : "",
                        name ? " " : "", t->in[i]->text, dtype_classes[c].text);
}

static bool same_shape(const sec_aval *a, const sec_aval *b) {
  return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

const sec_aval *sec_type_shape(const sec_typing *t) {
  const sec_aval *shape = t->in[0];
  for (int i = 1; i < t->n_in; i++) {
    if (t->in[i] == shape || t->in[i]->rank == 0) continue;
    if (shape->rank == 0) shape = t->in[i];
    else if (!same_shape(shape, t->in[i])) {
      sec_type_error(t, SEC_SHAPE, "broadcast one operand to the shape of the other",
                     "operands have different shapes, %s and %s", shape->text, t->in[i]->text);
      return NULL;
    }
  }
  return shape;
}

sec_status sec_type_result(sec_typing *t, sec_dtype dtype, bool weak, const sec_aval *shape) {
  bool is_shape = shape->dtype == dtype && shape->weak == weak;
  t->out[0] = is_shape ? shape : sec_aval_get(t->cx, dtype, weak, shape->rank, shape->dims);
  t->n_out = 1;
  return t->out[0] ? SEC_OK : SEC_MEMORY;
}

/* Equal dtypes of a class that the primitive takes, and shapes that fit. */
static sec_status check_operands(const sec_typing *t, const sec_aval **shape, bool *weak) {
  SEC_TRY(sec_type_takes(t, 0));
  *weak = t->in[0]->weak;
  for (int i = 1; i < t->n_in; i++) {
    *weak = *weak && t->in[i]->weak;
    if (t->in[i]->dtype == t->in[0]->dtype) continue;
    return sec_type_error(t, SEC_TYPE, "convert one operand with sec_convert",
                          "operands have different dtypes, %s and %s", t->in[0]->text,
                          t->in[i]->text);
  }
  *shape = sec_type_shape(t);
  return *shape ? SEC_OK : SEC_SHAPE;
}

sec_status sec_type_elementwise(sec_typing *t) {
  const sec_aval *shape = NULL;
  bool weak = false;
  SEC_TRY(check_operands(t, &shape, &weak));
  return sec_type_result(t, t->in[0]->dtype, weak, shape);
}

sec_status sec_type_compare(sec_typing *t) {
  const sec_aval *shape = NULL;
  bool weak = false;
  SEC_TRY(check_operands(t, &shape, &weak));
  return sec_type_result(t, SEC_BOOL, false, shape);
}

/* ---- elements ---- */

/* 16-bit floats laid out as IEEE 754 does: a sign, an exponent, and `fraction` bits of fraction. */
typedef struct narrow_format { int fraction, bias; } narrow_format;
static const narrow_format f16_format = {10, 15}, bf16_format = {7, 127};

/* Rounds to nearest even: the magnitude in units of its last place is an integer, and a carry out
 * of the fraction moves into the exponent by itself. */
static uint16_t narrow(double x, narrow_format format) {
  unsigned sign = signbit(x) ? 0x8000u : 0;
  unsigned infinity = (2u * (unsigned)format.bias + 1u) << format.fraction;
  if (isnan(x)) return (uint16_t)(sign | infinity | 1u << (format.fraction - 1));
  if (isinf(x)) return (uint16_t)(sign | infinity);
  int exponent = x == 0 ? 1 - format.bias : ilogb(x);
  if (exponent > format.bias) return (uint16_t)(sign | infinity);
  if (exponent < 1 - format.bias) exponent = 1 - format.bias;
  double   units = rint(ldexp(fabs(x), format.fraction - exponent));
  unsigned field = (unsigned)(exponent + format.bias - 1);
  return (uint16_t)(sign | ((field << format.fraction) + (unsigned)units));
}

static double widen(uint16_t bits, narrow_format format) {
  int fraction = bits & ((1 << format.fraction) - 1), field = (bits & 0x7fff) >> format.fraction;
  double magnitude;
  if (field == 2 * format.bias + 1) magnitude = fraction ? NAN : INFINITY;
  else if (field == 0) magnitude = ldexp(fraction, 1 - format.bias - format.fraction);
  else magnitude = ldexp(fraction + (1 << format.fraction), field - format.bias - format.fraction);
  return bits & 0x8000 ? -magnitude : magnitude;
}

double sec_round_to(sec_dtype dtype, double x) {
  switch (dtype) {
  case SEC_F16: return widen(narrow(x, f16_format), f16_format);
  case SEC_BF16: return widen(narrow(x, bf16_format), bf16_format);
  case SEC_F32: return (float)x;
  default: return x;
  }
}

int64_t sec_wrap(sec_dtype dtype, int64_t x) {
  int unused = 64 - sec_dtype_bits(dtype);
  uint64_t high = (uint64_t)x << unused;
  switch (sec_dtype_kind(dtype)) {
  case SEC_KIND_BOOL: return x != 0;
  case SEC_KIND_INT: return (int64_t)high >> unused;
  default: return (int64_t)(high >> unused);
  }
}

int64_t sec_saturate(sec_dtype dtype, double x) {
  sec_kind kind = sec_dtype_kind(dtype);
  int bits = sec_dtype_bits(dtype);
  if (kind == SEC_KIND_BOOL) return x != 0;
  if (isnan(x)) return 0;
  if (kind == SEC_KIND_UINT) {
    if (x <= 0) return 0;
    return x >= ldexp(1, bits) ? sec_wrap(dtype, -1) : (int64_t)(uint64_t)x;
  }
  int64_t highest = (int64_t)(UINT64_MAX >> (65 - bits));
  if (x >= ldexp(1, bits - 1)) return highest;
  return x <= -ldexp(1, bits - 1) ? -highest - 1 : (int64_t)x;
}

double sec_get_f(const sec_array *a, int64_t i) {
  switch (a->aval->dtype) {
  case SEC_F16: return widen(((const uint16_t *)a->data)[i], f16_format);
  case SEC_BF16: return widen(((const uint16_t *)a->data)[i], bf16_format);
  case SEC_F32: return ((const float *)a->data)[i];
  case SEC_F64: return ((const double *)a->data)[i];
  case SEC_C64: return ((const float *)a->data)[2 * i];
  case SEC_C128: return ((const double *)a->data)[2 * i];
  case SEC_U64: return (double)((const uint64_t *)a->data)[i];
  default: return (double)sec_get_i(a, i);
  }
}

int64_t sec_get_i(const sec_array *a, int64_t i) {
  switch (a->aval->dtype) {
  case SEC_BOOL:
  case SEC_U8: return ((const uint8_t *)a->data)[i];
  case SEC_I8: return ((const int8_t *)a->data)[i];
  case SEC_I16: return ((const int16_t *)a->data)[i];
  case SEC_U16: return ((const uint16_t *)a->data)[i];
  case SEC_I32: return ((const int32_t *)a->data)[i];
  case SEC_U32: return ((const uint32_t *)a->data)[i];
  case SEC_I64:
  case SEC_U64: return ((const int64_t *)a->data)[i];
  default: return sec_saturate(SEC_I64, sec_get_f(a, i));
  }
}

double _Complex sec_get_c(const sec_array *a, int64_t i) {
  switch (a->aval->dtype) {
  case SEC_C64:
    return __builtin_complex((double)((const float *)a->data)[2 * i], (double)((const float *)a->data)[2 * i + 1]);
  case SEC_C128:
    return __builtin_complex(((const double *)a->data)[2 * i], ((const double *)a->data)[2 * i + 1]);
  default: return __builtin_complex(sec_get_f(a, i), 0.0);
  }
}

void sec_put_c(sec_array *a, int64_t i, double _Complex x) {
  double re = __real__ x, im = __imag__ x;
  switch (a->aval->dtype) {
  case SEC_C64: memcpy((float *)a->data + 2 * i, (float[]){(float)re, (float)im}, 2 * sizeof(float)); break;
  case SEC_C128: memcpy((double *)a->data + 2 * i, (double[]){re, im}, 2 * sizeof(double)); break;
  default: sec_put_f(a, i, re);
  }
}

sec_dtype sec_dtype_part(sec_dtype d) { return d == SEC_C64 ? SEC_F32 : d == SEC_C128 ? SEC_F64 : d; }

void sec_put_f(sec_array *a, int64_t i, double x) {
  switch (a->aval->dtype) {
  case SEC_F16: ((uint16_t *)a->data)[i] = narrow(x, f16_format); break;
  case SEC_BF16: ((uint16_t *)a->data)[i] = narrow(x, bf16_format); break;
  case SEC_F32: ((float *)a->data)[i] = (float)x; break;
  case SEC_F64: ((double *)a->data)[i] = x; break;
  case SEC_C64: memcpy((float *)a->data + 2 * i, (float[]){(float)x, 0}, 2 * sizeof(float)); break;
  case SEC_C128: memcpy((double *)a->data + 2 * i, (double[]){x, 0}, 2 * sizeof(double)); break;
  default: sec_put_i(a, i, sec_saturate(a->aval->dtype, x));
  }
}

void sec_put_i(sec_array *a, int64_t i, int64_t x) {
  switch (a->aval->dtype) {
  case SEC_BOOL: ((uint8_t *)a->data)[i] = x != 0; break;
  case SEC_I8:
  case SEC_U8: ((uint8_t *)a->data)[i] = (uint8_t)x; break;
  case SEC_I16:
  case SEC_U16: ((uint16_t *)a->data)[i] = (uint16_t)x; break;
  case SEC_I32:
  case SEC_U32: ((uint32_t *)a->data)[i] = (uint32_t)x; break;
  case SEC_I64:
  case SEC_U64: ((int64_t *)a->data)[i] = x; break;
  default: sec_put_f(a, i, (double)x);
  }
}

void sec_strides(int rank, const int64_t *dims, int64_t *strides) {
  int64_t stride = 1;
  for (int d = rank - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= dims[d];
  }
}

int64_t sec_linear(int rank, const int64_t *strides, const int64_t *index) {
  int64_t sum = 0;
  for (int d = 0; d < rank; d++) sum += strides[d] * index[d];
  return sum;
}

bool sec_next_index(int rank, const int64_t *dims, int64_t *index) {
  for (int d = rank - 1; d >= 0; d--) {
    if (++index[d] < dims[d]) return true;
    index[d] = 0;
  }
  return false;
}

/* ---- evaluation ---- */

static void eval_float(const sec_eval *e, int64_t i) {
  double x[SEC_MAX_OPERANDS];
  for (int k = 0; k < e->n_in; k++) x[k] = sec_get_f(e->in[k], e->in[k]->aval->rank ? i : 0);
  sec_put_f(e->out[0], i, e->prim->scalar.f(x));
}

static void eval_int(const sec_eval *e, int64_t i) {
  int64_t x[SEC_MAX_OPERANDS];
  for (int k = 0; k < e->n_in; k++) x[k] = sec_get_i(e->in[k], e->in[k]->aval->rank ? i : 0);
  sec_put_i(e->out[0], i, e->prim->scalar.i(x, sec_dtype_bits(e->in[0]->aval->dtype)));
}

static void eval_unsigned(const sec_eval *e, int64_t i) {
  uint64_t x[SEC_MAX_OPERANDS];
  for (int k = 0; k < e->n_in; k++)
    x[k] = (uint64_t)sec_get_i(e->in[k], e->in[k]->aval->rank ? i : 0);
  sec_put_i(e->out[0], i, (int64_t)e->prim->scalar.u(x, sec_dtype_bits(e->in[0]->aval->dtype)));
}

static void eval_complex(const sec_eval *e, int64_t i) {
  double _Complex x[SEC_MAX_OPERANDS];
  for (int k = 0; k < e->n_in; k++) x[k] = sec_get_c(e->in[k], e->in[k]->aval->rank ? i : 0);
  sec_put_c(e->out[0], i, e->prim->scalar.c(x));
}

sec_status sec_eval_elementwise(const sec_eval *e) {
  static void (*const by_kind[])(const sec_eval *, int64_t) = {
      eval_unsigned, eval_int, eval_unsigned, eval_float, eval_complex};
  sec_kind kind = sec_dtype_kind(e->in[0]->aval->dtype);
  assert(e->n_in <= SEC_MAX_OPERANDS);
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) by_kind[kind](e, i);
  return SEC_OK;
}

/* ---- batching ---- */

/* `dims` of one lane with the mapped axis in front; returns the rank. */
static int batched_dims(const sec_batch *b, const sec_aval *lane, int64_t dims[SEC_MAX_RANK + 1]) {
  dims[0] = b->size;
  memcpy(dims + 1, lane->dims, (size_t)lane->rank * sizeof *dims);
  return lane->rank + 1;
}

sec_value sec_batch_operand(const sec_batch *b, int i) {
  if (b->batched[i]) return b->in[i];
  int64_t dims[SEC_MAX_RANK + 1], dimensions[SEC_MAX_RANK];
  int rank = batched_dims(b, b->in_avals[i], dims);
  for (int d = 0; d < rank - 1; d++) dimensions[d] = d + 1;
  return sec_broadcast_in_dim(b->in[i], rank, dims, dimensions);
}

/* A scalar of every lane beside a lane with a shape is spread over that shape; a scalar without
 * lanes stays. */
sec_status sec_batch_elementwise(sec_batch *b) {
  sec_value in[SEC_MAX_CASES + 1];
  int64_t dims[SEC_MAX_RANK + 1];
  int rank = batched_dims(b, b->out_avals[0], dims);
  assert(b->n_in <= SEC_MAX_CASES + 1);
  for (int i = 0; i < b->n_in; i++) {
    bool scalar = b->in_avals[i]->rank == 0;
    if (!scalar) in[i] = sec_batch_operand(b, i);
    else if (!b->batched[i] || rank == 1) in[i] = b->in[i];
    else in[i] = sec_broadcast_in_dim(b->in[i], rank, dims, (const int64_t[]){0});
  }
  if (b->params) sec_params_retain(b->params);
  b->out_batched[0] = true;
  return sec_bind(b->prim, in, b->n_in, b->params, b->out, 1);
}

/* ---- lowering ---- */

void sec_lower_math(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  out[0] = sec_l_math(b, l->prim->name, x, l->n_in);
}

sec_ltype sec_lower_type(sec_dtype d) {
  static const sec_ltype types[] = {
      [SEC_BOOL] = SEC_LT_I1, [SEC_I8] = SEC_LT_I8,     [SEC_U8] = SEC_LT_I8,
      [SEC_I16] = SEC_LT_I16, [SEC_U16] = SEC_LT_I16,   [SEC_I32] = SEC_LT_I32,
      [SEC_U32] = SEC_LT_I32, [SEC_I64] = SEC_LT_I64,   [SEC_U64] = SEC_LT_I64,
      [SEC_F16] = SEC_LT_F16, [SEC_BF16] = SEC_LT_BF16, [SEC_F32] = SEC_LT_F32,
      [SEC_F64] = SEC_LT_F64};
  assert(d <= SEC_F64);
  return types[d];
}

/* ---- jvp, transpose, cost ---- */

sec_value sec_jvp_zero(const sec_rule *r, sec_value dx) {
  (void)r, (void)dx;
  return SEC_VALUE_ZERO;
}

sec_value sec_jvp_identity(const sec_rule *r, sec_value dx) {
  return sec_tangent_like(dx, r->out_avals[0]);
}
sec_value sec_special_jvp(const sec_rule *r, sec_value dx) {
  sec_value in[SEC_MAX_OPERANDS], out;
  for (int i = 0; i < r->n_in; i++) in[i] = r->in[i];
  in[0] = sec_add(in[0], sec_literal_like(in[0], 1 << 2 * (r->wrt - 1)));
  return sec_bind(r->prim, in, r->n_in, NULL, &out, 1) == SEC_OK ? sec_mul(dx, out) : SEC_VALUE_POISON;
}

sec_value sec_tangent_like(sec_value dx, const sec_aval *out) {
  const sec_aval *aval = sec_value_aval(dx);
  if (!aval || aval->rank == out->rank) return dx;
  return sec_broadcast_in_dim(dx, out->rank, out->dims, (const int64_t[]){0});
}

sec_value sec_unbroadcast(sec_value ct, const sec_aval *aval) {
  const sec_aval *full = sec_value_aval(ct);
  if (!full || full->rank == aval->rank) return ct;
  return sec_reduce_sum(ct, NULL, -1);
}

sec_cost sec_cost_elementwise(const sec_typing *t) {
  double bytes = 0;
  for (int i = 0; i < t->n_in; i++)
    bytes += (double)t->in[i]->size * (double)sec_dtype_size(t->in[i]->dtype);
  bytes += (double)t->out[0]->size * (double)sec_dtype_size(t->out[0]->dtype);
  return (sec_cost){.flops = (double)t->out[0]->size, .bytes = bytes};
}

sec_value sec_full_like(sec_value like, double value) {
  const sec_aval *aval = sec_value_aval(like);
  return aval ? sec_full_of(aval, value) : SEC_VALUE_POISON;
}

sec_value sec_literal_like(sec_value like, double value) {
  const sec_aval *aval = sec_value_aval(like);
  if (!aval) return SEC_VALUE_POISON;
  return sec_literal_of(aval->dtype, aval->weak, value, (int64_t)value);
}
