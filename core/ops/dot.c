/* dot_general: products summed over contracted axes, for each place of the batch axes.  The
 * result's axes are the batch axes in lhs order, then the free axes of lhs, then those of rhs. */
#include "complex.h"
#include "structure.h"

SEC_DECLARE_PRIMITIVE(dot_general)

/* The four lists of dimension_numbers; `free` are the other axes in order. */
typedef struct dot_side {
  const int64_t *contract, *batch;
  int64_t free[SEC_MAX_RANK];
  int n_free;
} dot_side;
typedef struct dot_sides {
  dot_side lhs, rhs;
  int n_contract, n_batch;
} dot_sides;

static void find_free(dot_side *s, int rank, int n_contract, int n_batch) {
  s->n_free = 0;
  for (int a = 0; a < rank; a++)
    if (!sec_has_axis(s->contract, n_contract, a) && !sec_has_axis(s->batch, n_batch, a))
      s->free[s->n_free++] = a;
}

static dot_sides sides_of(const sec_params *p, int lhs_rank, int rhs_rank) {
  const sec_param *d = sec_params_find(p, "dimension_numbers");
  dot_sides s = {.n_contract = d->u.intss.n[0], .n_batch = d->u.intss.n[2]};
  s.lhs.contract = d->u.intss.v[0];
  s.rhs.contract = d->u.intss.v[1];
  s.lhs.batch = d->u.intss.v[2];
  s.rhs.batch = d->u.intss.v[3];
  find_free(&s.lhs, lhs_rank, s.n_contract, s.n_batch);
  find_free(&s.rhs, rhs_rank, s.n_contract, s.n_batch);
  return s;
}

/* Axes a[i] of lhs and b[i] of rhs have equal sizes. */
static sec_status check_pairs(const sec_typing *t, const char *what, const int64_t *a,
                              const int64_t *b, int n) {
  const sec_aval *x = t->in[0], *y = t->in[1];
  for (int i = 0; i < n; i++)
    if (x->dims[a[i]] != y->dims[b[i]])
      return sec_type_error(t, SEC_SHAPE, "pair axes of equal size",
                            "%s dimensions differ, lhs is %s (axis %" PRId64 " = %" PRId64
                            "), rhs is %s (axis %" PRId64 " = %" PRId64 ")",
                            what, x->text, a[i], x->dims[a[i]], y->text, b[i], y->dims[b[i]]);
  return SEC_OK;
}

/* A list of axes of one operand, contracted and batch axes apart. */
static sec_status check_side(const sec_typing *t, const char *name, const int64_t *contract,
                             int n_contract, const int64_t *batch, int n_batch, int rank) {
  SEC_TRY(sec_type_axes(t, name, contract, n_contract, rank));
  SEC_TRY(sec_type_axes(t, name, batch, n_batch, rank));
  for (int i = 0; i < n_batch; i++)
    if (sec_has_axis(contract, n_contract, batch[i]))
      return sec_type_error(t, SEC_AXIS, "name each axis once",
                            "%s axis %" PRId64 " is contracted and a batch axis", name, batch[i]);
  return SEC_OK;
}

static sec_status dot_type(sec_typing *t) {
  const sec_aval *x = t->in[0], *y = t->in[1];
  const int64_t *const *v;
  const int *n;
  int64_t dims[2 * SEC_MAX_RANK];
  int count, rank = 0;
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(sec_type_takes(t, 1));
  SEC_TRY(sec_type_intss(t, "dimension_numbers", &v, &n, &count));
  if (count != 4 || n[0] != n[1] || n[2] != n[3])
    return sec_type_error(t, SEC_ARGUMENT,
                          "give (((lhs_contract), (rhs_contract)), ((lhs_batch), (rhs_batch)))",
                          "dimension_numbers do not pair axes of lhs and rhs");
  SEC_TRY(check_side(t, "lhs", v[0], n[0], v[2], n[2], x->rank));
  SEC_TRY(check_side(t, "rhs", v[1], n[1], v[3], n[3], y->rank));
  SEC_TRY(check_pairs(t, "contracted", v[0], v[1], n[0]));
  SEC_TRY(check_pairs(t, "batch", v[2], v[3], n[2]));
  const sec_param *preferred = sec_params_find(t->params, "preferred_element_type");
  if (preferred == NULL || preferred->kind != SEC_PARAM_DTYPE)
    return sec_type_error(t, SEC_ARGUMENT, "give the result's dtype",
                          "parameter preferred_element_type is missing");
  if ((sec_aval_is_complex(x) || sec_aval_is_complex(y)) && sec_dtype_kind((sec_dtype)preferred->u.dtype) != SEC_KIND_COMPLEX)
    return sec_type_error(t, SEC_TYPE, "take the real part of the result", "operands %s and %s give complex numbers, not %s", x->text,
                          y->text, sec_dtype_name(preferred->u.dtype));
  dot_sides s = sides_of(t->params, x->rank, y->rank);
  for (int i = 0; i < s.n_batch; i++) dims[rank++] = x->dims[s.lhs.batch[i]];
  for (int i = 0; i < s.lhs.n_free; i++) dims[rank++] = x->dims[s.lhs.free[i]];
  for (int i = 0; i < s.rhs.n_free; i++) dims[rank++] = y->dims[s.rhs.free[i]];
  return sec_type_gives(t, (sec_dtype)sec_params_int(t->params, "preferred_element_type"),
                        x->weak && y->weak, rank, dims);
}

/* The contracted axes: sizes, and strides in lhs and rhs. */
typedef struct contraction {
  int n;
  int64_t dims[SEC_MAX_RANK], lhs[SEC_MAX_RANK], rhs[SEC_MAX_RANK];
} contraction;

static double _Complex number(const sec_array *a, int64_t i) {
  if (sec_aval_is_complex(a->aval)) return sec_get_c(a, i);
  return sec_aval_is_float(a->aval) ? sec_get_f(a, i) : (double)sec_get_i(a, i);
}

/* Element `to` of the result, of operands from x and y on: floats are summed in double, integers
 * wrap, bools are an or of ands. */
static void put_dot(const sec_eval *e, const contraction *c, int64_t to, int64_t x, int64_t y) {
  const sec_array *a = e->in[0], *b = e->in[1];
  sec_array *out = e->out[0];
  bool floats = sec_aval_has_tangent(a->aval) || sec_aval_has_tangent(b->aval), some = true;
  int64_t index[SEC_MAX_RANK] = {0};
  uint64_t i = 0;
  double _Complex z = 0;
  for (int k = 0; k < c->n; k++) some &= c->dims[k] > 0;
  while (some) {
    int64_t at_x = x + sec_linear(c->n, c->lhs, index), at_y = y + sec_linear(c->n, c->rhs, index);
    if (floats) z += sec_c_mul((const double _Complex[]){number(a, at_x), number(b, at_y)});
    else i += (uint64_t)sec_get_i(a, at_x) * (uint64_t)sec_get_i(b, at_y);
    some = sec_next_index(c->n, c->dims, index);
  }
  double f = __real__ z;
  if (sec_aval_is_complex(out->aval)) sec_put_c(out, to, floats ? z : (double)(int64_t)i);
  else if (sec_aval_is_float(out->aval)) sec_put_f(out, to, floats ? f : (double)(int64_t)i);
  else if (out->aval->dtype == SEC_BOOL) sec_put_i(out, to, floats ? f != 0 : i != 0);
  else sec_put_i(out, to, floats ? sec_saturate(out->aval->dtype, f) : (int64_t)i);
}

static sec_status dot_eval(const sec_eval *e) {
  const sec_aval *x = e->in[0]->aval, *y = e->in[1]->aval, *out = e->out[0]->aval;
  dot_sides s = sides_of(e->params, x->rank, y->rank);
  contraction c = {.n = s.n_contract};
  int64_t sx[SEC_MAX_RANK], sy[SEC_MAX_RANK], index[SEC_MAX_RANK] = {0}, to = 0;
  sec_strides(x->rank, x->dims, sx);
  sec_strides(y->rank, y->dims, sy);
  for (int i = 0; i < c.n; i++) {
    c.dims[i] = x->dims[s.lhs.contract[i]];
    c.lhs[i] = sx[s.lhs.contract[i]];
    c.rhs[i] = sy[s.rhs.contract[i]];
  }
  if (out->size == 0) return SEC_OK;
  do {
    int64_t at_x = 0, at_y = 0;
    const int64_t *i = index;
    for (int k = 0; k < s.n_batch; k++, i++) {
      at_x += *i * sx[s.lhs.batch[k]];
      at_y += *i * sy[s.rhs.batch[k]];
    }
    for (int k = 0; k < s.lhs.n_free; k++) at_x += *i++ * sx[s.lhs.free[k]];
    for (int k = 0; k < s.rhs.n_free; k++) at_y += *i++ * sy[s.rhs.free[k]];
    put_dot(e, &c, to++, at_x, at_y);
  } while (sec_next_index(out->rank, out->dims, index));
  return SEC_OK;
}

static sec_dtype preferred_of(const sec_params *p) {
  return (sec_dtype)sec_params_int(p, "preferred_element_type");
}

static sec_value bind_dot(sec_value x, sec_value y, const sec_dot_dims *d, sec_dtype preferred) {
  const int64_t *const lists[4] = {d->lhs_contract, d->rhs_contract, d->lhs_batch, d->rhs_batch};
  const int n[4] = {d->n_contract, d->n_contract, d->n_batch, d->n_batch};
  const sec_param list[] = {
      {.name = "dimension_numbers", .kind = SEC_PARAM_INTSS, .u.intss = {lists, n, 4}},
      SEC_P_DTYPE("preferred_element_type", preferred)};
  return sec_bind2(&sec_dot_general_p, x, y,
                   sec_params_make(sec_current_context("dot_general"), list, 2));
}

/* bilinear: d(x y) = dx y + x dy */
static sec_value dot_jvp_lhs(const sec_rule *r, sec_value dx) {
  sec_params_retain(r->params);
  return sec_bind2(r->prim, dx, r->in[1], r->params);
}

static sec_value dot_jvp_rhs(const sec_rule *r, sec_value dy) {
  sec_params_retain(r->params);
  return sec_bind2(r->prim, r->in[0], dy, r->params);
}

/* The cotangent of operand wrt: ct and the other operand contracted over the other's free axes,
 * where ct has them from axis `first` on; then the axes are put back in the operand's order. */
static sec_value dot_transpose(const sec_rule *r, sec_value ct) {
  int wrt = r->wrt, n = 0;
  dot_sides s = sides_of(r->params, r->in_avals[0]->rank, r->in_avals[1]->rank);
  const dot_side *mine = wrt == 0 ? &s.lhs : &s.rhs, *other = wrt == 0 ? &s.rhs : &s.lhs;
  int first = s.n_batch + (wrt == 0 ? s.lhs.n_free : 0);
  int64_t ct_free[SEC_MAX_RANK], ct_batch[SEC_MAX_RANK], place[SEC_MAX_RANK];
  for (int i = 0; i < other->n_free; i++) ct_free[i] = first + i;
  for (int i = 0; i < s.n_batch; i++) ct_batch[i] = i;
  const sec_dot_dims dims = {ct_free,      other->free,   ct_batch,
                             other->batch, other->n_free, s.n_batch};
  sec_value out = bind_dot(ct, r->in[1 - wrt], &dims, preferred_of(r->params));
  for (int i = 0; i < s.n_batch; i++) place[mine->batch[i]] = n++;
  for (int i = 0; i < mine->n_free; i++) place[mine->free[i]] = n++;
  /* the contracted axes come out in the order that they have in the other operand */
  for (int a = 0; a < r->in_avals[1 - wrt]->rank; a++)
    for (int i = 0; i < s.n_contract; i++)
      if (other->contract[i] == a) place[mine->contract[i]] = n++;
  return sec_convert(sec_transpose(out, place), r->in_avals[wrt]->dtype, r->in_avals[wrt]->weak);
}

/* Both batched: a batch axis in front.  One batched: a free axis, moved to the front afterwards. */
static sec_status dot_batch(sec_batch *b) {
  bool lhs = b->batched[0], rhs = b->batched[1], both = lhs && rhs;
  dot_sides s = sides_of(b->params, b->in_avals[0]->rank, b->in_avals[1]->rank);
  int64_t lists[4][SEC_LIST];
  const int64_t *const lane[4] = {s.lhs.contract, s.rhs.contract, s.lhs.batch, s.rhs.batch};
  for (int i = 0; i < 4; i++) {
    int n = i < 2 ? s.n_contract : s.n_batch, front = both && i >= 2;
    lists[i][0] = 0;
    for (int k = 0; k < n; k++) lists[i][k + front] = lane[i][k] + (i % 2 == 0 ? lhs : rhs);
  }
  const sec_dot_dims dims = {lists[0], lists[1],     lists[2],
                             lists[3], s.n_contract, s.n_batch + both};
  sec_value out = bind_dot(b->in[0], b->in[1], &dims, preferred_of(b->params));
  return sec_batch_result(b, sec_move_to_front(out, both  ? 0
                                                    : lhs ? s.n_batch
                                                          : s.n_batch + s.lhs.n_free));
}

static sec_cost dot_cost(const sec_typing *t) {
  dot_sides s = sides_of(t->params, t->in[0]->rank, t->in[1]->rank);
  sec_cost c = {2.0 * (double)t->out[0]->size, 0};
  for (int i = 0; i < s.n_contract; i++) c.flops *= (double)t->in[0]->dims[s.lhs.contract[i]];
  const sec_aval *const arrays[] = {t->in[0], t->in[1], t->out[0]};
  for (int i = 0; i < 3; i++)
    c.bytes += (double)arrays[i]->size * (double)sec_dtype_size(arrays[i]->dtype);
  return c;
}

SEC_PRIMITIVE(dot_general,
              .doc = "Products summed over contracted axes, for each place of the batch axes.",
              .operands = {"lhs", "rhs"}, .type = dot_type, .eval = dot_eval,
              .jvp = {dot_jvp_lhs, dot_jvp_rhs}, .transpose = {dot_transpose, dot_transpose},
              .batch = dot_batch, .form = SEC_FORM_DOT, .cost = dot_cost, .takes = SEC_TAKES_ANY, .parts = sec_parts_dot_general)

sec_value sec_dot_general(sec_value x, sec_value y, const sec_dot_dims *dims, sec_dtype preferred) {
  const sec_aval *a = sec_value_aval(x), *b = sec_value_aval(y);
  sec_context *cx = sec_current_context("dot_general");
  bool weak;
  if (a == NULL || b == NULL || cx == NULL) return SEC_VALUE_POISON;
  if (preferred == SEC_N_DTYPES)
    preferred = sec_dtype_promote(cx, a->dtype, a->weak, b->dtype, b->weak, &weak);
  return bind_dot(x, y, dims, preferred);
}

sec_value sec_dot(sec_value x, sec_value y) {
  const sec_aval *a = sec_value_aval(x), *b = sec_value_aval(y);
  if (a == NULL || b == NULL) return SEC_VALUE_POISON;
  int64_t last = a->rank - 1, first = 0;
  if (a->rank < 1 || a->rank > 2 || b->rank < 1 || b->rank > 2) {
    sec_error_set(SEC_SHAPE, "call sec_matmul or sec_dot_general",
                  "dot: operands must be vectors or matrices, got %s and %s", a->text, b->text);
    return SEC_VALUE_POISON;
  }
  const sec_dot_dims dims = {&last, &first, NULL, NULL, 1, 0};
  return sec_dot_general(x, y, &dims, SEC_N_DTYPES);
}

/* One operand of matmul: its batch axes aligned to `n` of the result, 0 where it has none or
 * stretches. */
typedef struct matmul_side {
  int64_t batch[SEC_MAX_RANK], stretched[SEC_MAX_RANK], place[SEC_MAX_RANK];
  int n_batch, n_stretched, n_place;
} matmul_side;

/* Sorts the batch axes of `a` against those of `other`: common ones are batch axes of the dot,
 * others are free (their place in the result is noted), size 1 against more is squeezed away. */
static bool align(const sec_aval *a, const sec_aval *other, int n, matmul_side *s,
                  int64_t *common) {
  int mine = a->rank > 2 ? a->rank - 2 : 0, theirs = other->rank > 2 ? other->rank - 2 : 0,
      kept = 0, n_common = 0;
  *s = (matmul_side){0};
  for (int k = 0; k < n; k++) {
    int i = k - (n - mine), j = k - (n - theirs);
    if (i < 0) continue;
    if (j < 0 || (other->dims[j] == 1 && a->dims[i] != 1)) {
      s->place[s->n_place++] = k;
      kept++;
    } else if (a->dims[i] == other->dims[j]) {
      s->batch[s->n_batch++] = kept++;
      common[n_common++] = k;
    } else if (a->dims[i] == 1) {
      s->stretched[s->n_stretched++] = i;
    } else {
      sec_error_set(SEC_SHAPE, "batch axes must be equal, or 1",
                    "matmul: batch axes of %s and %s differ", a->text, other->text);
      return false;
    }
  }
  return true;
}

sec_value sec_matmul(sec_value x, sec_value y) {
  sec_value v[2] = {x, y};
  if (sec_promote_dtypes(v, 2) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  const sec_aval *a = sec_value_aval(v[0]), *b = sec_value_aval(v[1]);
  if (a->rank == 0 || b->rank == 0) {
    sec_error_set(SEC_SHAPE, "call sec_mul",
                  "matmul: operands need at least one axis, got %s and %s", a->text, b->text);
    return SEC_VALUE_POISON;
  }
  int n = (a->rank > b->rank ? a->rank : b->rank) - 2, at = 0;
  if (n < 0) n = 0;
  matmul_side s[2];
  int64_t common[SEC_MAX_RANK], order[2 * SEC_MAX_RANK];
  if (!align(a, b, n, &s[0], common) || !align(b, a, n, &s[1], common)) return SEC_VALUE_POISON;
  /* the dot's result axis p belongs at order[p] of NumPy's */
  for (int i = 0; i < s[0].n_batch; i++) order[at++] = common[i];
  for (int i = 0; i < s[0].n_place; i++) order[at++] = s[0].place[i];
  if (a->rank > 1) order[at++] = n;
  for (int i = 0; i < s[1].n_place; i++) order[at++] = s[1].place[i];
  if (b->rank > 1) order[at++] = n + (a->rank > 1);
  v[0] = sec_squeeze(v[0], s[0].stretched, s[0].n_stretched);
  v[1] = sec_squeeze(v[1], s[1].stretched, s[1].n_stretched);
  int64_t lhs = a->rank - s[0].n_stretched - 1,
          rhs = b->rank - s[1].n_stretched - (b->rank > 1 ? 2 : 1);
  const sec_dot_dims dims = {&lhs, &rhs, s[0].batch, s[1].batch, 1, s[0].n_batch};
  sec_value out = sec_dot_general(v[0], v[1], &dims, SEC_N_DTYPES);
  if (!sec_value_ok(out)) return SEC_VALUE_POISON;
  int64_t permutation[SEC_MAX_RANK];
  for (int p = 0; p < at; p++) permutation[order[p]] = p;
  return sec_transpose(out, permutation);
}
