/* The element builder: writes one MLIR operation per call, for scalars or for vectors of
 * `lanes` elements.  Invariant: after an error the text may be unusable, but every call stays safe.
 */
#include "builder.h"
#include "math_library.h"
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text */

/* A failed allocation leaves `capacity` SIZE_MAX with no data: the mark of a text that ran out of
 * memory. */
static bool text_reserve(sec_text *t, size_t extra) {
  if (t->capacity == SIZE_MAX) return false;
  if (t->capacity - t->size > extra) return true;
  size_t capacity = t->capacity ? t->capacity : 1024;
  while (capacity - t->size <= extra) capacity *= 2;
  char *data = sec_mem_realloc(t->data, capacity);
  if (!data) {
    sec_mem_free(t->data);
    *t = (sec_text){.data = NULL, .size = 0, .capacity = SIZE_MAX};
    return false;
  }
  t->data = data;
  t->capacity = capacity;
  return true;
}

void sec_text_append(sec_text *t, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  size_t room = t->data ? t->capacity - t->size : 0;
  int n = vsnprintf(t->data ? t->data + t->size : NULL, room, format, arguments);
  if (n > 0 && (size_t)n < room) t->size += (size_t)n;
  else if (n > 0 && text_reserve(t, (size_t)n)) {
    vsnprintf(t->data + t->size, t->capacity - t->size, format, again);
    t->size += (size_t)n;
  }
  va_end(again);
  va_end(arguments);
}

/* Types */

const char *sec_lt_name(sec_ltype type) {
  static const char *const names[] = {"i1", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64"};
  return names[type];
}

const char *sec_b_type(const sec_builder *b, sec_ltype type, char buffer[40]) {
  if (b->lanes == 1) snprintf(buffer, 40, "%s", sec_lt_name(type));
  else snprintf(buffer, 40, "vector<%dx%s>", b->lanes, sec_lt_name(type));
  return buffer;
}

sec_lv sec_b_new(sec_builder *b, sec_ltype type) {
  if (b->out->capacity == SIZE_MAX && !b->error) b->error = "out of memory while writing code";
  return (sec_lv){.id = b->next_id++, .type = type};
}

/* Constants */

/* The bits of `value` rounded to nearest even into an IEEE-like format of `exponent_bits` and
 * `fraction_bits`, which must be narrower than double. */
static uint64_t narrow_bits(double value, int exponent_bits, int fraction_bits) {
  int bias = (1 << (exponent_bits - 1)) - 1;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint64_t sign = bits >> 63 << (exponent_bits + fraction_bits);
  uint64_t infinity = ((1ull << exponent_bits) - 1) << fraction_bits;
  int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
  uint64_t fraction = bits & 0xFFFFFFFFFFFFFull;
  if (exponent == 1024) return sign | infinity | (fraction ? 1ull << (fraction_bits - 1) : 0);
  if (exponent == -1023) return sign; /* zero, or far below the smallest narrow number */
  fraction |= 1ull << 52;
  int shift = 52 - fraction_bits; /* bits to drop */
  int64_t field = exponent + bias - 1;
  if (field < 0) {
    shift -= (int)field;
    field = 0;
  }
  if (shift > 54) return sign;
  uint64_t kept = fraction >> shift, dropped = fraction & ((1ull << shift) - 1);
  uint64_t half = 1ull << (shift - 1);
  kept += dropped > half || (dropped == half && (kept & 1));
  uint64_t magnitude =
    ((uint64_t)field << fraction_bits) + kept; /* a carry moves to the exponent */
  return sign | (magnitude > infinity ? infinity : magnitude);
}

static uint64_t float_bits(sec_ltype type, double value) {
  uint64_t wide;
  uint32_t single;
  float rounded = (float)value;
  switch (type) {
  case SEC_LT_F16: return narrow_bits(value, 5, 10);
  case SEC_LT_BF16: return narrow_bits(value, 8, 7);
  case SEC_LT_F32: memcpy(&single, &rounded, sizeof single); return single;
  default: memcpy(&wide, &value, sizeof wide); return wide;
  }
}

/* A constant of literal `text`.  A scalar boolean carries its type in the literal. */
static sec_lv constant(sec_builder *b, sec_ltype type, const char *text) {
  sec_lv r = sec_b_new(b, type);
  char buffer[40];
  sec_b_type(b, type, buffer);
  if (b->lanes > 1)
    sec_text_append(b->out, "%%v%u = arith.constant dense<%s> : %s\n", r.id, text, buffer);
  else if (type == SEC_LT_I1) sec_text_append(b->out, "%%v%u = arith.constant %s\n", r.id, text);
  else sec_text_append(b->out, "%%v%u = arith.constant %s : %s\n", r.id, text, buffer);
  return r;
}

sec_lv sec_l_float(sec_builder *b, sec_ltype type, double value) {
  char text[24];
  if (!sec_lt_is_float(type)) {
    b->error = "sec_l_float: the element type is not a float type";
    return sec_b_new(b, type);
  }
  snprintf(text, sizeof text, "0x%0*llX", sec_lt_bits(type) / 4,
           (unsigned long long)float_bits(type, value));
  return constant(b, type, text);
}

sec_lv sec_l_int(sec_builder *b, sec_ltype type, int64_t value) {
  char text[24];
  if (sec_lt_is_float(type)) {
    b->error = "sec_l_int: the element type is not an integer type";
    return sec_b_new(b, type);
  }
  int unused = 64 - sec_lt_bits(type); /* sign-extend: unsigned values are written as signed ones */
  value = (int64_t)((uint64_t)value << unused) >> unused;
  if (type == SEC_LT_I1) snprintf(text, sizeof text, "%s", value ? "true" : "false");
  else snprintf(text, sizeof text, "%lld", (long long)value);
  return constant(b, type, text);
}

/* Operations */

static void check_same(sec_builder *b, sec_lv x, sec_lv y, const char *message) {
  if (x.type != y.type && !b->error) b->error = message;
}

sec_lv sec_l_unary(sec_builder *b, const char *op, sec_lv x) {
  sec_lv r = sec_b_new(b, x.type);
  char buffer[40];
  sec_text_append(b->out, "%%v%u = %s %%v%u : %s\n", r.id, op, x.id, sec_b_type(b, x.type, buffer));
  return r;
}

sec_lv sec_l_binary(sec_builder *b, const char *op, sec_lv x, sec_lv y) {
  check_same(b, x, y, "sec_l_binary: operands have different element types");
  sec_lv r = sec_b_new(b, x.type);
  char buffer[40];
  sec_text_append(b->out, "%%v%u = %s %%v%u, %%v%u : %s\n", r.id, op, x.id, y.id,
                  sec_b_type(b, x.type, buffer));
  return r;
}

sec_lv sec_l_fma(sec_builder *b, sec_lv x, sec_lv y, sec_lv z) {
  check_same(b, x, y, "sec_l_fma: factors have different element types");
  check_same(b, x, z, "sec_l_fma: product and addend have different element types");
  sec_lv r = sec_b_new(b, x.type);
  char buffer[40];
  sec_text_append(b->out, "%%v%u = math.fma %%v%u, %%v%u, %%v%u : %s\n", r.id, x.id, y.id, z.id,
                  sec_b_type(b, x.type, buffer));
  return r;
}

static sec_lv compare(sec_builder *b, const char *op, const char *predicate, sec_lv x, sec_lv y) {
  check_same(b, x, y, "comparison: operands have different element types");
  sec_lv r = sec_b_new(b, SEC_LT_I1);
  char buffer[40];
  sec_text_append(b->out, "%%v%u = %s %s, %%v%u, %%v%u : %s\n", r.id, op, predicate, x.id, y.id,
                  sec_b_type(b, x.type, buffer));
  return r;
}

sec_lv sec_l_cmpf(sec_builder *b, const char *predicate, sec_lv x, sec_lv y) {
  return compare(b, "arith.cmpf", predicate, x, y);
}

sec_lv sec_l_cmpi(sec_builder *b, const char *predicate, sec_lv x, sec_lv y) {
  return compare(b, "arith.cmpi", predicate, x, y);
}

sec_lv sec_l_select(sec_builder *b, sec_lv condition, sec_lv if_true, sec_lv if_false) {
  check_same(b, if_true, if_false, "sec_l_select: alternatives have different element types");
  sec_lv r = sec_b_new(b, if_true.type);
  char condition_type[40], buffer[40];
  sec_text_append(b->out, "%%v%u = arith.select %%v%u, %%v%u, %%v%u : ", r.id, condition.id,
                  if_true.id, if_false.id);
  if (b->lanes > 1) sec_text_append(b->out, "%s, ", sec_b_type(b, condition.type, condition_type));
  sec_text_append(b->out, "%s\n", sec_b_type(b, if_true.type, buffer));
  return r;
}

sec_lv sec_l_cast(sec_builder *b, const char *op, sec_lv x, sec_ltype type) {
  sec_lv r = sec_b_new(b, type);
  char from[40], to[40];
  sec_text_append(b->out, "%%v%u = %s %%v%u : %s to %s\n", r.id, op, x.id,
                  sec_b_type(b, x.type, from), sec_b_type(b, type, to));
  return r;
}

/* The math library */

static sec_lv math_failed(sec_builder *b, const char *message, sec_ltype type) {
  if (!b->error) b->error = message;
  return sec_b_new(b, type);
}

sec_lv sec_l_math(sec_builder *b, const char *name, const sec_lv *x, int n) {
  const sec_math_function *f = sec_math_find(name);
  sec_ltype type = n > 0 ? x[0].type : SEC_LT_F32;
  if (!f) return math_failed(b, "sec_l_math: no function of this name in the math library", type);
  if (n != f->n_in) return math_failed(b, "sec_l_math: wrong number of operands", type);
  if (!sec_lt_is_float(type))
    return math_failed(b, "sec_l_math: operands must have a float type", type);
  for (int i = 1; i < n; i++)
    if (x[i].type != type)
      return math_failed(b, "sec_l_math: operands have different element types", type);
  if (type >= SEC_LT_F32 || f->native_narrow) return f->emit(b, x);
  sec_lv wide[SEC_MATH_MAX_IN];
  for (int i = 0; i < n; i++) wide[i] = sec_l_cast(b, "arith.extf", x[i], SEC_LT_F32);
  return sec_l_cast(b, "arith.truncf", f->emit(b, wide), type);
}
