/* Comparison and choice: eq ne lt le gt ge select_n, and where on top of it.
 * Comparisons of floats follow IEEE 754: with a NaN all but ne are false. */
#include "complex.h"

#include <stdio.h>
#include <string.h>

/* The primitives' names are arith's predicates: "oeq" and "une" of floats, "slt" of signed, "ult"
 * of unsigned integers and bools, "eq" and "ne" of integers of either sign. */
static void compare_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  const char *name = l->prim->name;
  sec_kind kind = sec_lower_kind(l, 0);
  bool is_ne = strcmp(name, "ne") == 0, is_equality = is_ne || strcmp(name, "eq") == 0;
  char predicate[8];
  if (kind == SEC_KIND_FLOAT) {
    snprintf(predicate, sizeof predicate, "%s%s", is_ne ? "u" : "o", name);
    out[0] = sec_l_cmpf(b, predicate, x[0], x[1]);
    return;
  }
  const char *sign = kind == SEC_KIND_INT ? "s" : "u";
  snprintf(predicate, sizeof predicate, "%s%s", is_equality ? "" : sign, name);
  out[0] = sec_l_cmpi(b, predicate, x[0], x[1]);
}

#define COMPARISON(name, operator)                                                                \
  static double name##_f(const double *x) { return x[0] operator x[1]; }                          \
  static int64_t name##_i(const int64_t *x, int bits) { return (void)bits, x[0] operator x[1]; }  \
  static uint64_t name##_u(const uint64_t *x, int bits) { return (void)bits, x[0] operator x[1]; }
#define RULES(name) \
  .operands = {"x", "y"}, SEC_ELEMENTWISE(sec_type_compare, sec_eval_elementwise), \
  .scalar = {.f = name##_f, .i = name##_i, .u = name##_u, .c = name##_c}, \
  .lower = compare_lower
enum { COMPARES = SEC_FLAG_CHEAP | SEC_FLAG_NO_GRADIENT };

COMPARISON(eq, ==)
COMPARISON(ne, !=)
static double _Complex eq_c(const double _Complex *x) { return x[0] == x[1]; }
static double _Complex ne_c(const double _Complex *x) { return x[0] != x[1]; }
#define lt_c NULL /* complex numbers have no order */
#define le_c NULL
#define gt_c NULL
#define ge_c NULL
COMPARISON(lt, <)
COMPARISON(le, <=)
COMPARISON(gt, >)
COMPARISON(ge, >=)
SEC_PRIMITIVE(eq, .doc = "Whether x = y.", RULES(eq), .takes = SEC_TAKES_ANY, .parts = sec_parts_eq, .flags = COMPARES | SEC_FLAG_COMMUTATIVE)
SEC_PRIMITIVE(ne, .doc = "Whether x differs from y; NaN differs from itself.", RULES(ne), .takes = SEC_TAKES_ANY, .parts = sec_parts_eq,
              .flags = COMPARES | SEC_FLAG_COMMUTATIVE)
SEC_PRIMITIVE(lt, .doc = "Whether x < y.", RULES(lt), .takes = SEC_TAKES_ORDERED, .flags = COMPARES)
SEC_PRIMITIVE(le, .doc = "Whether x <= y.", RULES(le), .takes = SEC_TAKES_ORDERED, .flags = COMPARES)
SEC_PRIMITIVE(gt, .doc = "Whether x > y.", RULES(gt), .takes = SEC_TAKES_ORDERED, .flags = COMPARES)
SEC_PRIMITIVE(ge, .doc = "Whether x >= y.", RULES(ge), .takes = SEC_TAKES_ORDERED, .flags = COMPARES)
sec_value sec_eq(sec_value x, sec_value y) { return sec_bind_promoted(&sec_eq_p, x, y); }
sec_value sec_ne(sec_value x, sec_value y) { return sec_bind_promoted(&sec_ne_p, x, y); }
/* Complex numbers by the real part, then by the imaginary part, as jax.numpy. */
static sec_value ordered(const sec_primitive *prim, sec_value x, sec_value y) {
  sec_dtype dtype = sec_promote2(prim->name, &x, &y);
  if (dtype == SEC_N_DTYPES) return SEC_VALUE_POISON;
  if (sec_dtype_kind(dtype) != SEC_KIND_COMPLEX) return sec_bind2(prim, x, y, NULL);
  sec_value x_re = sec_real(x), y_re = sec_real(y), equal = sec_eq(x_re, y_re), re = sec_bind2(prim, x_re, y_re, NULL);
  sec_value x_im = sec_imag(x), im = sec_bind2(prim, x_im, sec_imag(y), NULL);
  return sec_where(equal, im, re);
}
sec_value sec_lt(sec_value x, sec_value y) { return ordered(&sec_lt_p, x, y); }
sec_value sec_le(sec_value x, sec_value y) { return ordered(&sec_le_p, x, y); }
sec_value sec_gt(sec_value x, sec_value y) { return ordered(&sec_gt_p, x, y); }
sec_value sec_ge(sec_value x, sec_value y) { return ordered(&sec_ge_p, x, y); }

/* select_n: cases[which], elementwise; an index out of range takes the first or the last case */
static sec_status select_n_type(sec_typing *t) {
  if (t->n_in < 2 || t->n_in > SEC_MAX_CASES + 1)
    return sec_type_error(t, SEC_ARGUMENT, "pass `which` and the cases",
                          "takes 1 to %d cases, got %d", SEC_MAX_CASES, t->n_in - 1);
  const sec_aval *which = t->in[0], *first = t->in[1];
  SEC_TRY(sec_type_takes(t, 0));
  if (which->dtype == SEC_BOOL && t->n_in > 3)
    return sec_type_error(t, SEC_TYPE, "convert `which` to an integer type with sec_convert",
                          "operand which has type %s, which tells 2 cases apart, got %d",
                          which->text, t->n_in - 1);
  bool weak = true;
  for (int i = 1; i < t->n_in; i++) {
    weak = weak && t->in[i]->weak;
    if (t->in[i]->dtype == first->dtype) continue;
    return sec_type_error(t, SEC_TYPE, "convert the cases to one dtype with sec_convert",
                          "cases have different dtypes, %s and %s", first->text, t->in[i]->text);
  }
  const sec_aval *shape = sec_type_shape(t);
  return shape ? sec_type_result(t, first->dtype, weak, shape) : SEC_SHAPE;
}

static sec_status select_n_eval(const sec_eval *e) {
  size_t bytes = sec_dtype_size(e->out[0]->aval->dtype);
  bool is_signed = sec_dtype_kind(e->in[0]->aval->dtype) == SEC_KIND_INT;
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    int64_t which = sec_get_i(e->in[0], e->in[0]->aval->rank ? i : 0), last = e->n_in - 2;
    if (which < 0) which = is_signed ? 0 : last;
    if (which > last) which = last;
    const sec_array *taken = e->in[1 + which];
    size_t from = (size_t)(taken->aval->rank ? i : 0) * bytes;
    memcpy((char *)e->out[0]->data + (size_t)i * bytes, (const char *)taken->data + from, bytes);
  }
  return SEC_OK;
}

/* The tangent is the chosen case's; a case without one gives a literal zero. */
static sec_status select_n_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                               sec_value *out_dot) {
  SEC_TRY(sec_bind(r->prim, r->in, r->n_in, NULL, out, 1));
  sec_value in[SEC_MAX_CASES + 1] = {r->in[0]};
  int tangent = 0;
  for (int i = 1; i < r->n_in; i++)
    if (!sec_value_is_zero(in_dot[i])) tangent = i;
  out_dot[0] = SEC_VALUE_ZERO;
  if (tangent == 0) return SEC_OK;
  for (int i = 1; i < r->n_in; i++)
    in[i] = sec_value_is_zero(in_dot[i]) ? sec_literal_like(in_dot[tangent], 0) : in_dot[i];
  SEC_TRY(sec_bind(r->prim, in, r->n_in, NULL, out_dot, 1));
  out_dot[0] = sec_tangent_like(out_dot[0], sec_value_aval(out[0]));
  return sec_value_ok(out_dot[0]) ? SEC_OK : SEC_MEMORY;
}

/* The cotangent of case i is ct where i was chosen, 0 elsewhere. */
static sec_status select_n_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,
                                     sec_value *in_ct) {
  sec_value in[SEC_MAX_CASES + 1] = {r->in[0]};
  if (sec_value_is_zero(ct[0])) return SEC_OK;
  for (int i = 1; i < r->n_in; i++) in[i] = sec_literal_like(ct[0], 0);
  for (int i = 1; i < r->n_in; i++) {
    if (!linear[i]) continue;
    sec_value zero = in[i], chosen;
    in[i] = ct[0];
    SEC_TRY(sec_bind(r->prim, in, r->n_in, NULL, &chosen, 1));
    in[i] = zero;
    in_ct[i] = sec_unbroadcast(chosen, r->in_avals[i]);
  }
  return SEC_OK;
}

static void select_n_lower(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out) {
  sec_kind kind = sec_lower_kind(l, 0);
  out[0] = x[1];
  if (kind == SEC_KIND_BOOL && l->n_in == 3) out[0] = sec_l_select(b, x[0], x[2], x[1]);
  if (kind == SEC_KIND_BOOL) return;
  const char *predicate = kind == SEC_KIND_INT ? "sge" : "uge";
  for (int i = 2; i < l->n_in; i++) {
    sec_lv reached = sec_l_cmpi(b, predicate, x[0], sec_l_int(b, x[0].type, i - 1));
    out[0] = sec_l_select(b, reached, x[i], out[0]);
  }
}

SEC_PRIMITIVE(select_n, .doc = "cases[which], elementwise; `which` is a bool or an integer.",
              .operands = {"which"}, .variadic = true,
              SEC_ELEMENTWISE(select_n_type, select_n_eval), .takes = SEC_TAKES_BITS,
              .jvp_all = select_n_jvp, .transpose_all = select_n_transpose, .lower = select_n_lower,
              .parts = sec_parts_each,
              .flags = SEC_FLAG_CHEAP)
sec_value sec_select_n(sec_value which, const sec_value *cases, int n_cases) {
  sec_value in[SEC_MAX_CASES + 2] = {which}, out = SEC_VALUE_POISON;
  /* one too many is the type rule's error */
  int n = n_cases > SEC_MAX_CASES ? SEC_MAX_CASES + 1 : n_cases;
  if (n > 0) memcpy(in + 1, cases, (size_t)n * sizeof *cases);
  sec_bind(&sec_select_n_p, in, 1 + n, NULL, &out, 1);
  return out;
}

/* where(c, x, y) = select_n(c != 0, y, x) */
sec_value sec_where(sec_value condition, sec_value x, sec_value y) {
  const sec_aval *c = sec_value_aval(condition);
  if (!c) return SEC_VALUE_POISON;
  if (c->dtype != SEC_BOOL) condition = sec_ne(condition, sec_literal_like(condition, 0));
  sec_value v[3] = {condition, y, x};
  if (sec_promote_dtypes(v + 1, 2) == SEC_N_DTYPES || !sec_broadcast("where", v, 3))
    return SEC_VALUE_POISON;
  return sec_select_n(v[0], v + 1, 2);
}
