/* Folding: equations that are their operand, or that read through their operand's own equation.
 *
 * Only what is exact for every value, NaN, infinities and -0 included: x * 0 stays, and so does x + 0 of floats
 * (-0 + 0 is +0).  A result has exactly the type that the equation had, weak type included. */
#include "defs.h"
#include "ops/family.h"
#include "ops/structure.h"
#include <string.h>

SEC_DECLARE_PRIMITIVE(add)
SEC_DECLARE_PRIMITIVE(add_any)
SEC_DECLARE_PRIMITIVE(expand_dims)
SEC_DECLARE_PRIMITIVE(sub)
SEC_DECLARE_PRIMITIVE(mul)
SEC_DECLARE_PRIMITIVE(div)
SEC_DECLARE_PRIMITIVE(neg)
SEC_DECLARE_PRIMITIVE(integer_pow)
SEC_DECLARE_PRIMITIVE(copy)
SEC_DECLARE_PRIMITIVE(select_n)
SEC_DECLARE_PRIMITIVE(slice)
SEC_DECLARE_PRIMITIVE(concatenate)
SEC_DECLARE_PRIMITIVE(convert_element_type)
SEC_DECLARE_PRIMITIVE(broadcast_in_dim)
SEC_DECLARE_PRIMITIVE(squeeze)
SEC_DECLARE_PRIMITIVE(transpose)

/* What a rule did. */
typedef enum folded { KEPT, CHANGED, IS_VALUE } folded;
typedef folded (*fold_rule)(const sec_defs *d, sec_candidate *c, sec_value *out);

/* The equation behind operand i when it is `prim`. */
static const sec_def *behind(const sec_defs *d, const sec_candidate *c, int i,
                             const sec_primitive *prim) {
  const sec_def *e = sec_defs_of(d, c->in[i]);
  return e && e->prim == prim ? e : NULL;
}

/* The literal that every element of v is, or NULL. */
static const sec_literal *constant_of(const sec_defs *d, sec_value v) {
  const sec_literal *l = sec_value_literal(v);
  if (l) return l;
  const sec_def *e = sec_defs_of(d, v);
  return e && e->prim == &sec_broadcast_in_dim_p ? sec_value_literal(e->in[0]) : NULL;
}

static bool is_constant(const sec_defs *d, sec_value v, double value) {
  const sec_literal *l = constant_of(d, v);
  if (!l || sec_dtype_kind(l->aval->dtype) == SEC_KIND_COMPLEX) return false; /* (a + bi) 1 is NaN where b is infinite */
  if (sec_dtype_kind(l->aval->dtype) < SEC_KIND_FLOAT) return l->i == (int64_t)value;
  return memcmp(&l->f, &value, sizeof value) == 0;
}

/* The result is x, when the types are one. */
static folded is_operand(const sec_candidate *c, sec_value x, sec_value *out) {
  if (sec_value_aval(x) != c->out_avals[0]) return KEPT;
  *out = x;
  return IS_VALUE;
}

/* x * 1, 1 * x */
static folded fold_mul(const sec_defs *d, sec_candidate *c, sec_value *out) {
  for (int i = 0; i < 2; i++)
    if (is_constant(d, c->in[i], 1) && is_operand(c, c->in[1 - i], out) == IS_VALUE)
      return IS_VALUE;
  return KEPT;
}

/* x / 1 */
static folded fold_div(const sec_defs *d, sec_candidate *c, sec_value *out) {
  return is_constant(d, c->in[1], 1) ? is_operand(c, c->in[0], out) : KEPT;
}

/* x - 0 */
static folded fold_sub(const sec_defs *d, sec_candidate *c, sec_value *out) {
  return is_constant(d, c->in[1], 0) ? is_operand(c, c->in[0], out) : KEPT;
}

/* n + 0 of integers */
static folded fold_add(const sec_defs *d, sec_candidate *c, sec_value *out) {
  if (sec_dtype_kind(c->out_avals[0]->dtype) >= SEC_KIND_FLOAT) return KEPT;
  for (int i = 0; i < 2; i++)
    if (is_constant(d, c->in[i], 0) && is_operand(c, c->in[1 - i], out) == IS_VALUE)
      return IS_VALUE;
  return KEPT;
}

/* a sum of derivatives is a sum */
static folded fold_add_any(const sec_defs *d, sec_candidate *c, sec_value *out) {
  (void)d, (void)out;
  c->prim = &sec_add_p;
  return CHANGED;
}

/* -(-x) */
static folded fold_neg(const sec_defs *d, sec_candidate *c, sec_value *out) {
  const sec_def *e = behind(d, c, 0, &sec_neg_p);
  return e ? is_operand(c, e->in[0], out) : KEPT;
}

/* x ** 1 */
static folded fold_integer_pow(const sec_defs *d, sec_candidate *c, sec_value *out) {
  (void)d;
  return sec_params_int(c->params, "y") == 1 ? is_operand(c, c->in[0], out) : KEPT;
}

static folded fold_identity(const sec_defs *d, sec_candidate *c, sec_value *out) {
  (void)d;
  return is_operand(c, c->in[0], out);
}

/* select_n(which, x, x) */
static folded fold_select(const sec_defs *d, sec_candidate *c, sec_value *out) {
  (void)d;
  for (int i = 2; i < c->n_in; i++)
    if (c->in[i].trace != c->in[1].trace || c->in[i].ref != c->in[1].ref) return KEPT;
  return is_operand(c, c->in[1], out);
}

static folded fold_concatenate(const sec_defs *d, sec_candidate *c, sec_value *out) {
  (void)d;
  return c->n_in == 1 ? is_operand(c, c->in[0], out) : KEPT;
}

/* Converted to a wider type of its kind and back. */
static folded fold_convert(const sec_defs *d, sec_candidate *c, sec_value *out) {
  if (is_operand(c, c->in[0], out) == IS_VALUE) return IS_VALUE;
  const sec_def *e = behind(d, c, 0, &sec_convert_element_type_p);
  if (!e) return KEPT;
  const sec_aval *wide = sec_value_aval(c->in[0]), *source = sec_value_aval(e->in[0]);
  bool widened = wide && source && sec_dtype_kind(wide->dtype) == sec_dtype_kind(source->dtype) &&
                 sec_dtype_bits(wide->dtype) >= 2 * sec_dtype_bits(source->dtype);
  return widened ? is_operand(c, e->in[0], out) : KEPT;
}

static folded set_params(sec_candidate *c, const sec_params *p, sec_value x) {
  if (!p) return KEPT;
  sec_params_release(c->params);
  c->params = p;
  c->in[0] = x;
  return CHANGED;
}

/* A broadcast that only adds axes of size 1 re-reads its operand. */
static folded fold_to_expand(const sec_defs *d, sec_candidate *c) {
  const sec_aval *x = sec_value_aval(c->in[0]), *y = c->out_avals[0];
  int n, n_new = 0;
  int64_t axes[SEC_MAX_RANK];
  const int64_t *places = sec_params_ints(c->params, "broadcast_dimensions", &n);
  if (!x || x->size != y->size || x->size == 0 || n == 0 || !sec_rises(places, n)) return KEPT;
  for (int k = 0; k < y->rank; k++)
    if (!sec_has_axis(places, n, k)) axes[n_new++] = k;
  const sec_params *p = sec_params_make(d->cx, SEC_PARAMS(SEC_P_INTS("dimensions", axes, n_new)));
  if (!p) return KEPT;
  c->prim = &sec_expand_dims_p;
  return set_params(c, p, c->in[0]);
}

/* The whole operand; or a broadcast of a broadcast, or of an expand_dims, in one step. */
static folded fold_broadcast(const sec_defs *d, sec_candidate *c, sec_value *out) {
  if (is_operand(c, c->in[0], out) == IS_VALUE) return IS_VALUE;
  const sec_def *e = behind(d, c, 0, &sec_broadcast_in_dim_p);
  int n, n_inner, rank;
  int64_t places[SEC_MAX_RANK];
  if (!e) return fold_to_expand(d, c);
  const int64_t *outer = sec_params_ints(c->params, "broadcast_dimensions", &n);
  const int64_t *inner = sec_params_ints(e->params, "broadcast_dimensions", &n_inner);
  const int64_t *shape = sec_params_ints(c->params, "shape", &rank);
  for (int i = 0; i < n_inner; i++) places[i] = outer[inner[i]];
  return set_params(
      c,
      sec_params_make(d->cx, SEC_PARAMS(SEC_P_INTS("broadcast_dimensions", places, n_inner),
                                        SEC_P_INTS("shape", shape, rank))),
      e->in[0]);
}

static folded fold_transpose(const sec_defs *d, sec_candidate *c, sec_value *out) {
  const sec_def *e = behind(d, c, 0, &sec_transpose_p);
  int n;
  bool identity = true;
  int64_t both[SEC_MAX_RANK];
  const int64_t *outer = sec_params_ints(c->params, "permutation", &n);
  for (int i = 0; i < n; i++) identity &= outer[i] == i;
  if (identity) return is_operand(c, c->in[0], out);
  if (!e) return KEPT;
  const int64_t *inner = sec_params_ints(e->params, "permutation", &n);
  for (int i = 0; i < n; i++) both[i] = inner[outer[i]];
  return set_params(c, sec_params_make(d->cx, SEC_PARAMS(SEC_P_INTS("permutation", both, n))),
                    e->in[0]);
}

/* ---- by form ---- */
/* Shapes of the same elements in the same order: back to the shape that it had, or one step fewer. */
static folded fold_reshape(const sec_defs *d, sec_candidate *c, sec_value *out) {
  if (is_operand(c, c->in[0], out) == IS_VALUE) return IS_VALUE;
  const sec_def *e = sec_defs_of(d, c->in[0]);
  for (const sec_def *f = e; f && f->prim->form == SEC_FORM_RESHAPE && f->n_in == 1;
       f = sec_defs_of(d, f->in[0]))
    if (is_operand(c, f->in[0], out) == IS_VALUE) return IS_VALUE;
  if (!e || e->prim->form != SEC_FORM_RESHAPE || strcmp(c->prim->name, "reshape") != 0) return KEPT;
  c->in[0] = e->in[0];
  return CHANGED;
}

/* Over no axes; or over axes of size 1, which is another shape of the operand (-0 stays -0). */
static folded fold_reduce(const sec_defs *d, sec_candidate *c, sec_value *out) {
  int n;
  const int64_t *axes = sec_params_ints(c->params, "axes", &n);
  if (!axes || n == 0) return is_operand(c, c->in[0], out);
  const sec_aval *x = sec_value_aval(c->in[0]), *y = c->out_avals[0];
  if (!x || x->size != y->size || x->size == 0 || x->dtype != y->dtype || x->weak != y->weak) return KEPT;
  const sec_params *p = sec_params_make(d->cx, SEC_PARAMS(SEC_P_INTS("dimensions", axes, n)));
  if (!p) return KEPT;
  c->prim = &sec_squeeze_p;
  return set_params(c, p, c->in[0]);
}

static sec_array *literal_array(const sec_literal *l, sec_context *cx) {
  sec_array *a = sec_array_create_aval(cx, l->aval);
  if (!a) return NULL;
  if (sec_dtype_kind(l->aval->dtype) >= SEC_KIND_FLOAT) sec_put_f(a, 0, l->f);
  else sec_put_i(a, 0, l->i);
  return a;
}

/* Cheap operations on literals alone are done here, by the reference evaluator. */
static folded fold_literals(const sec_defs *d, sec_candidate *c, sec_value *out) {
  sec_array *in[SEC_MAX_OPERANDS] = {0}, *result = NULL;
  const sec_aval *aval = c->out_avals[0];
  if (!(c->prim->flags & SEC_FLAG_CHEAP) || c->n_in > SEC_MAX_OPERANDS || aval->rank) return KEPT;
  for (int i = 0; i < c->n_in; i++) {
    const sec_literal *l = sec_value_literal(c->in[i]);
    if (!l || sec_dtype_kind(l->aval->dtype) == SEC_KIND_COMPLEX) return KEPT;
  }
  bool ready = sec_dtype_kind(aval->dtype) != SEC_KIND_COMPLEX;
  for (int i = 0; i < c->n_in && ready; i++)
    ready = (in[i] = literal_array(sec_value_literal(c->in[i]), d->cx)) != NULL;
  if (ready &&
      sec_eval_primitive(d->cx, c->prim, c->params, in, c->n_in, &aval, &result, 1) == SEC_OK) {
    bool is_float = sec_dtype_kind(aval->dtype) == SEC_KIND_FLOAT;
    *out = sec_literal_of(aval->dtype, aval->weak, is_float ? sec_get_f(result, 0) : 0,
                          is_float ? 0 : sec_get_i(result, 0));
  }
  for (int i = 0; i < c->n_in; i++) sec_array_release(in[i]);
  sec_array_release(result);
  return sec_value_ok(*out) ? IS_VALUE : KEPT;
}

/* A filled array beside a whole one is as good as its scalar. */
static folded fold_fill(const sec_defs *d, sec_candidate *c, sec_value *out) {
  bool whole = false;
  (void)out;
  if (c->prim->type != sec_type_elementwise && c->prim->type != sec_type_compare) return KEPT;
  if (c->n_in < 2) return KEPT;
  for (int i = 0; i < c->n_in; i++) {
    const sec_aval *a = sec_value_aval(c->in[i]);
    whole |= a && a->rank == c->out_avals[0]->rank && !constant_of(d, c->in[i]);
  }
  for (int i = 0; i < c->n_in && whole; i++) {
    const sec_def *e = behind(d, c, i, &sec_broadcast_in_dim_p);
    if (!e || !sec_value_literal(e->in[0])) continue;
    c->in[i] = e->in[0];
    return CHANGED;
  }
  return KEPT;
}

static const struct {
  const sec_primitive *prim;
  fold_rule rule;
} rules[] = {
    {&sec_add_p, fold_add},
    {&sec_add_any_p, fold_add_any},
    {&sec_sub_p, fold_sub},
    {&sec_mul_p, fold_mul},
    {&sec_div_p, fold_div},
    {&sec_neg_p, fold_neg},
    {&sec_integer_pow_p, fold_integer_pow},
    {&sec_copy_p, fold_identity},
    {&sec_slice_p, fold_identity}, /* a slice of the operand's size is the operand */
    {&sec_select_n_p, fold_select},
    {&sec_concatenate_p, fold_concatenate},
    {&sec_convert_element_type_p, fold_convert},
    {&sec_broadcast_in_dim_p, fold_broadcast},
    {&sec_transpose_p, fold_transpose},
};

static const struct {
  sec_form form;
  fold_rule rule;
} form_rules[] = {
    {SEC_FORM_RESHAPE, fold_reshape},
    {SEC_FORM_REDUCE, fold_reduce},
    {SEC_FORM_ELEMENTWISE, fold_literals},
    {SEC_FORM_ELEMENTWISE, fold_fill},
};

static folded fold_once(const sec_defs *d, sec_candidate *c, sec_value *out) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    folded f = rules[i].prim == c->prim ? rules[i].rule(d, c, out) : KEPT;
    if (f != KEPT) return f;
  }
  for (size_t i = 0; i < sizeof form_rules / sizeof *form_rules; i++) {
    folded f = form_rules[i].form == c->prim->form ? form_rules[i].rule(d, c, out) : KEPT;
    if (f != KEPT) return f;
  }
  return KEPT;
}

bool sec_fold(const sec_defs *d, sec_candidate *c, sec_value *out) {
  folded f = KEPT;
  *out = SEC_VALUE_POISON;
  if (c->n_out != 1 || c->n_in == 0) return false;
  do f = fold_once(d, c, out);
  while (f == CHANGED);
  return f == IS_VALUE;
}
