/* Rounding and neighbours of floats: floor ceil round is_finite nextafter.
 * The public rounding functions return integers and bools as they are. */
#include "complex.h"

#include <math.h>
#include <string.h>

#define FLOAT_FUNCTION(type_rule, eval_rule)                                                      \
  SEC_ELEMENTWISE(type_rule, eval_rule), .takes = SEC_TAKES_FLOAT,                                \
  .flags = SEC_FLAG_CHEAP | SEC_FLAG_NO_GRADIENT

static bool has_fraction(const sec_aval *a) { return sec_dtype_kind(a->dtype) >= SEC_KIND_FLOAT; }

static sec_value bind_rounding(const sec_primitive *prim, sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (!a) return SEC_VALUE_POISON;
  return has_fraction(a) ? sec_bind1(prim, x, NULL) : x;
}

/* floor: the largest integer <= x */
static double floor_f(const double *x) { return floor(x[0]); }
static void floor_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  (void)l;
  out[0] = sec_l_unary(b, "math.floor", x[0]);
}
SEC_PRIMITIVE(floor, .doc = "Largest integer not above x.", .operands = {"x"},
              FLOAT_FUNCTION(sec_type_elementwise, sec_eval_elementwise), .scalar = {.f = floor_f},
              .lower = floor_lower)
sec_value sec_floor(sec_value x) { return bind_rounding(&sec_floor_p, x); }

/* ceil: the smallest integer >= x */
static double ceil_f(const double *x) { return ceil(x[0]); }
static void ceil_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  (void)l;
  out[0] = sec_l_unary(b, "math.ceil", x[0]);
}
SEC_PRIMITIVE(ceil, .doc = "Smallest integer not below x.", .operands = {"x"},
              FLOAT_FUNCTION(sec_type_elementwise, sec_eval_elementwise), .scalar = {.f = ceil_f},
              .lower = ceil_lower)
sec_value sec_ceil(sec_value x) { return bind_rounding(&sec_ceil_p, x); }

/* round: to the nearest integer; halves away from zero (method 0) or to even (method 1) */
static sec_status round_eval(const sec_eval *e) {
  bool to_even = sec_params_int(e->params, "rounding_method") == 1;
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    double x = sec_get_f(e->in[0], i);
    sec_put_f(e->out[0], i, to_even ? rint(x) : round(x));
  }
  return SEC_OK;
}
/* Away from zero: t = trunc(x), and one more where |x - t| >= 1/2; the difference is exact. */
static void round_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  if (sec_params_int(l->params, "rounding_method") == 1) {
    out[0] = sec_l_unary(b, "math.roundeven", x[0]);
    return;
  }
  sec_ltype type = x[0].type;
  sec_lv whole = sec_l_unary(b, "math.trunc", x[0]);
  sec_lv rest = sec_l_unary(b, "math.absf", sec_l_binary(b, "arith.subf", x[0], whole));
  sec_lv step = sec_l_binary(b, "math.copysign", sec_l_float(b, type, 1), x[0]);
  sec_lv next = sec_l_binary(b, "arith.addf", whole, step);
  out[0] = sec_l_select(b, sec_l_cmpf(b, "oge", rest, sec_l_float(b, type, 0.5)), next, whole);
}
SEC_PRIMITIVE(round, .doc = "Nearest integer; halves away from zero, or to even.",
              .operands = {"x"}, FLOAT_FUNCTION(sec_type_elementwise, round_eval),
              .lower = round_lower)
sec_value sec_round(sec_value x, int method) {
  const sec_aval *a = sec_value_aval(x);
  if (!a) return SEC_VALUE_POISON;
  if (!has_fraction(a)) return x;
  if (method != 0 && method != 1) {
    sec_error_set(SEC_ARGUMENT, "pass 0 for halves away from zero, 1 for halves to even",
                  "round: rounding method is %d, but must be 0 or 1", method);
    return SEC_VALUE_POISON;
  }
  const sec_params *params = sec_params_make(sec_trace_context(sec_trace_current()),
                                             SEC_PARAMS(SEC_P_INT("rounding_method", method)));
  return params ? sec_bind1(&sec_round_p, x, params) : SEC_VALUE_POISON;
}

/* is_finite: |x| < infinity; false for NaN */
static double is_finite_f(const double *x) { return isfinite(x[0]); }
static double _Complex is_finite_c(const double _Complex *x) { return isfinite(__real__ x[0]) && isfinite(__imag__ x[0]); }
static void is_finite_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  (void)l;
  sec_lv size = sec_l_unary(b, "math.absf", x[0]);
  out[0] = sec_l_cmpf(b, "olt", size, sec_l_float(b, x[0].type, INFINITY));
}
SEC_PRIMITIVE(is_finite, .doc = "Whether x is neither infinite nor NaN.", .operands = {"x"},
              SEC_ELEMENTWISE(sec_type_compare, sec_eval_elementwise), .takes = SEC_TAKES_INEXACT,
              .scalar = {.f = is_finite_f, .c = is_finite_c}, .parts = sec_parts_is_finite,
              .flags = SEC_FLAG_CHEAP | SEC_FLAG_NO_GRADIENT,
              .lower = is_finite_lower)
/* Every integer equals itself. */
sec_value sec_is_finite(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  return a && has_fraction(a) ? sec_bind1(&sec_is_finite_p, x, NULL) : sec_eq(x, x);
}

/* nextafter: the float after x in the direction of y, by its bits: a sign, then a magnitude that
 * counts the floats from 0.  Equal operands give y, so that the sign of a zero is y's. */
static void next_bits(sec_array *out, int64_t i, double x, double y) {
  size_t bytes = sec_dtype_size(out->aval->dtype);
  char *place = (char *)out->data + (size_t)i * bytes;
  uint64_t bits = 0, sign = (uint64_t)1 << (8 * bytes - 1);
  memcpy(&bits, place, bytes);
  if (x == 0) bits = (y < 0 ? sign : 0) | 1;
  else bits = (x < y) == (x > 0) ? bits + 1 : bits - 1;
  memcpy(place, &bits, bytes);
}
static sec_status nextafter_eval(const sec_eval *e) {
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    double x = sec_get_f(e->in[0], e->in[0]->aval->rank ? i : 0);
    double y = sec_get_f(e->in[1], e->in[1]->aval->rank ? i : 0);
    bool moves = x < y || x > y;
    sec_put_f(e->out[0], i, isnan(x) || moves ? x : y);
    if (moves) next_bits(e->out[0], i, x, y);
  }
  return SEC_OK;
}
SEC_PRIMITIVE(nextafter, .doc = "The float next to x in the direction of y.",
              .operands = {"x", "y"}, SEC_ELEMENTWISE(sec_type_elementwise, nextafter_eval),
              .takes = SEC_TAKES_FLOAT, .lower = sec_lower_math)
sec_value sec_nextafter(sec_value x, sec_value y) {
  if (sec_promote2("nextafter", &x, &y) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  x = sec_to_float(x);
  return sec_bind2(&sec_nextafter_p, x, sec_to_float(y), NULL);
}
