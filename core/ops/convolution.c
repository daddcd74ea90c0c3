/* conv_general_dilated: convolutions with strides, padding, dilation of both operands, and groups. */
#include "complex.h"
#include "convolution.h"

SEC_DECLARE_PRIMITIVE(conv_general_dilated)

sec_conv sec_conv_of(const sec_params *p, const sec_aval *lhs, const sec_aval *rhs) {
  const sec_param *d = sec_params_find(p, "dimension_numbers"), *padding = sec_params_find(p, "padding");
  sec_conv         c = {.n = lhs->rank - 2};
  int              n;
  const int64_t   *stride = sec_params_ints(p, "window_strides", &n), *base = sec_params_ints(p, "lhs_dilation", &n),
                *dilation = sec_params_ints(p, "rhs_dilation", &n);
  for (int k = 0; k < lhs->rank; k++) c.lhs[k] = d->u.intss.v[0][k], c.rhs[k] = d->u.intss.v[1][k], c.out[k] = d->u.intss.v[2][k];
  c.feature_groups = sec_params_int(p, "feature_group_count");
  c.batch_groups = sec_params_int(p, "batch_group_count");
  for (int a = 0; a < c.n; a++)
    c.axis[a] = (sec_slide){lhs->dims[c.lhs[2 + a]], rhs->dims[c.rhs[2 + a]], stride[a], padding->u.intss.v[a][0], padding->u.intss.v[a][1],
                            base[a], dilation[a]};
  return c;
}

/* ---- type ---- */
static sec_status check_lists(const sec_typing *t, int n) {
  static const char *const names[] = {"window_strides", "lhs_dilation", "rhs_dilation"};
  const int64_t           *v, *const *vs;
  const int               *lengths;
  int                      length, count;
  for (int i = 0; i < 3; i++) {
    SEC_TRY(sec_type_ints(t, names[i], &v, &length));
    if (length != n) return sec_type_error(t, SEC_SHAPE, "give one number for each spatial axis", "%s has %d entries for %d spatial axes", names[i], length, n);
    for (int a = 0; a < n; a++)
      if (v[a] < 1) return sec_type_error(t, SEC_ARGUMENT, "it must be at least 1", "%s of spatial axis %d is %" PRId64, names[i], a, v[a]);
  }
  SEC_TRY(sec_type_intss(t, "padding", &vs, &lengths, &count));
  if (count != n) return sec_type_error(t, SEC_SHAPE, "give (low, high) for each spatial axis", "padding has %d entries for %d spatial axes", count, n);
  for (int a = 0; a < n; a++)
    if (lengths[a] != 2) return sec_type_error(t, SEC_ARGUMENT, "give (low, high)", "padding of spatial axis %d has %d entries", a, lengths[a]);
  SEC_TRY(sec_type_intss(t, "dimension_numbers", &vs, &lengths, &count));
  if (count != 3) return sec_type_error(t, SEC_ARGUMENT, "give (lhs_spec, rhs_spec, out_spec)", "dimension_numbers have %d lists", count);
  for (int i = 0; i < 3; i++) {
    if (lengths[i] != n + 2) return sec_type_error(t, SEC_ARGUMENT, "each list names every axis", "dimension_numbers list %d axes of %d", lengths[i], n + 2);
    SEC_TRY(sec_type_axes(t, "dimension_numbers", vs[i], n + 2, n + 2));
  }
  return SEC_OK;
}

static sec_status check_groups(const sec_typing *t, const sec_conv *c) {
  const sec_aval *x = t->in[0], *y = t->in[1];
  int64_t         batch = x->dims[c->lhs[0]], features = x->dims[c->lhs[1]], in = y->dims[c->rhs[1]], outputs = y->dims[c->rhs[0]];
  if (c->feature_groups < 1 || c->batch_groups < 1 || (c->feature_groups > 1 && c->batch_groups > 1))
    return sec_type_error(t, SEC_ARGUMENT, "counts of groups are positive, and one of them is 1",
                          "feature_group_count is %" PRId64 " and batch_group_count %" PRId64, c->feature_groups, c->batch_groups);
  if (features % c->feature_groups != 0 || features / c->feature_groups != in)
    return sec_type_error(t, SEC_SHAPE, "lhs features = feature_group_count * rhs input features",
                          "lhs %s has %" PRId64 " features in %" PRId64 " groups, rhs %s takes %" PRId64, x->text, features, c->feature_groups, y->text, in);
  if (outputs % sec_conv_groups(c) != 0)
    return sec_type_error(t, SEC_SHAPE, "each group makes as many", "%" PRId64 " output features of rhs %s are not divisible by %" PRId64 " groups", outputs,
                          y->text, sec_conv_groups(c));
  if (batch % c->batch_groups != 0)
    return sec_type_error(t, SEC_SHAPE, "each group has as many", "batch %" PRId64 " of lhs %s is not divisible by %" PRId64 " groups", batch, x->text,
                          c->batch_groups);
  return SEC_OK;
}

static sec_status conv_type(sec_typing *t) {
  const sec_aval *x = t->in[0], *y = t->in[1];
  int64_t         dims[SEC_MAX_RANK];
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(sec_type_takes(t, 1));
  if (x->rank != y->rank || x->rank < 2)
    return sec_type_error(t, SEC_SHAPE, "both have a batch or output, a feature and spatial axes", "lhs %s and rhs %s differ in rank, or lack axes", x->text,
                          y->text);
  if (x->dtype != y->dtype) return sec_type_error(t, SEC_TYPE, "convert one of them", "lhs is %s, rhs is %s", x->text, y->text);
  SEC_TRY(check_lists(t, x->rank - 2));
  sec_conv c = sec_conv_of(t->params, x, y);
  SEC_TRY(check_groups(t, &c));
  const sec_param *preferred = sec_params_find(t->params, "preferred_element_type");
  if (preferred == NULL || preferred->kind != SEC_PARAM_DTYPE)
    return sec_type_error(t, SEC_ARGUMENT, "give the result's dtype", "parameter preferred_element_type is missing");
  if (sec_aval_is_complex(x) && sec_dtype_kind(preferred->u.dtype) != SEC_KIND_COMPLEX)
    return sec_type_error(t, SEC_TYPE, "take the real part of the result", "operands %s and %s give complex numbers, not %s", x->text, y->text,
                          sec_dtype_name(preferred->u.dtype));
  dims[c.out[0]] = x->dims[c.lhs[0]] / c.batch_groups;
  dims[c.out[1]] = y->dims[c.rhs[0]];
  for (int a = 0; a < c.n; a++)
    if ((dims[c.out[2 + a]] = sec_slide_count(&c.axis[a])) < 0)
      return sec_type_error(t, SEC_SHAPE, NULL, "spatial axis %d with its padding or its window is too long", a);
  return sec_type_gives(t, preferred->u.dtype, x->weak && y->weak, x->rank, dims);
}

/* ---- evaluation ---- */
/* The sum for one result: floats in double, integers wrapped; x and y: first elements of its group and kernel. */
static void put_sum(const sec_eval *e, const sec_conv *c, const int64_t *o, int64_t to, int64_t x, int64_t y, const int64_t *sx, const int64_t *sy) {
  const sec_array *lhs = e->in[0], *rhs = e->in[1];
  sec_array       *out = e->out[0];
  bool             floats = sec_aval_has_tangent(lhs->aval);
  int64_t          features = rhs->aval->dims[c->rhs[1]], window[SEC_MAX_RANK], w[SEC_MAX_RANK] = {0};
  double _Complex  z = 0;
  uint64_t         i = 0;
  bool             some = features > 0;
  for (int a = 0; a < c->n; a++) some &= (window[a] = c->axis[a].window) > 0;
  while (some) {
    int64_t at_x = x, at_y = y;
    for (int a = 0; a < c->n && at_x >= 0; a++) {
      int64_t at = sec_slide_at(&c->axis[a], o[c->out[2 + a]], w[a]);
      at_x = at < 0 ? -1 : at_x + at * sx[c->lhs[2 + a]];
      at_y += w[a] * sy[c->rhs[2 + a]];
    }
    for (int64_t k = 0; k < features && at_x >= 0; k++, at_x += sx[c->lhs[1]], at_y += sy[c->rhs[1]]) {
      if (floats) z += sec_c_mul((const double _Complex[]){sec_get_c(lhs, at_x), sec_get_c(rhs, at_y)});
      else i += (uint64_t)sec_get_i(lhs, at_x) * (uint64_t)sec_get_i(rhs, at_y);
    }
    some = sec_next_index(c->n, window, w);
  }
  if (sec_aval_has_tangent(out->aval)) sec_put_c(out, to, floats ? z : (double)(int64_t)i);
  else sec_put_i(out, to, floats ? sec_saturate(out->aval->dtype, __real__ z) : (int64_t)i);
}

static sec_status conv_eval(const sec_eval *e) {
  const sec_aval *x = e->in[0]->aval, *y = e->in[1]->aval, *out = e->out[0]->aval;
  sec_conv        c = sec_conv_of(e->params, x, y);
  int64_t         sx[SEC_MAX_RANK], sy[SEC_MAX_RANK], o[SEC_MAX_RANK] = {0}, to = 0;
  int64_t         batch = out->dims[c.out[0]], features = y->dims[c.rhs[1]], each = y->dims[c.rhs[0]] / sec_conv_groups(&c);
  sec_strides(x->rank, x->dims, sx);
  sec_strides(y->rank, y->dims, sy);
  if (out->size == 0) return SEC_OK;
  do {
    int64_t group = o[c.out[1]] / each, n = o[c.out[0]] + (c.batch_groups > 1 ? group * batch : 0);
    int64_t first = n * sx[c.lhs[0]] + (c.feature_groups > 1 ? group * features : 0) * sx[c.lhs[1]];
    put_sum(e, &c, o, to++, first, o[c.out[1]] * sy[c.rhs[0]], sx, sy);
  } while (sec_next_index(out->rank, out->dims, o));
  return SEC_OK;
}

/* ---- binding ---- */
sec_value sec_conv_bind(sec_value lhs, sec_value rhs, const sec_conv *c, sec_dtype result) {
  int64_t        stride[SEC_MAX_RANK], base[SEC_MAX_RANK], dilation[SEC_MAX_RANK], pairs[SEC_MAX_RANK][2];
  const int64_t *padding[SEC_MAX_RANK], *const specs[3] = {c->lhs, c->rhs, c->out};
  int            two[SEC_MAX_RANK];
  const int      lengths[3] = {c->n + 2, c->n + 2, c->n + 2};
  for (int a = 0; a < c->n; a++) {
    stride[a] = c->axis[a].stride, base[a] = c->axis[a].base, dilation[a] = c->axis[a].dilation;
    pairs[a][0] = c->axis[a].low, pairs[a][1] = c->axis[a].high, padding[a] = pairs[a], two[a] = 2;
  }
  const sec_param list[] = {SEC_P_INT("batch_group_count", c->batch_groups),
                            {.name = "dimension_numbers", .kind = SEC_PARAM_INTSS, .u.intss = {specs, lengths, 3}},
                            SEC_P_INT("feature_group_count", c->feature_groups),
                            SEC_P_INTS("lhs_dilation", base, c->n),
                            {.name = "padding", .kind = SEC_PARAM_INTSS, .u.intss = {padding, two, c->n}},
                            SEC_P_DTYPE("preferred_element_type", result),
                            SEC_P_INTS("rhs_dilation", dilation, c->n),
                            SEC_P_INTS("window_strides", stride, c->n)};
  return sec_bind2(&sec_conv_general_dilated_p, lhs, rhs, sec_params_make(sec_current_context("conv_general_dilated"), list, 8));
}

/* bilinear: d(x * y) = dx * y + x * dy */
static sec_value conv_jvp_lhs(const sec_rule *r, sec_value dx) {
  sec_params_retain(r->params);
  return sec_bind2(r->prim, dx, r->in[1], r->params);
}

static sec_value conv_jvp_rhs(const sec_rule *r, sec_value dy) {
  sec_params_retain(r->params);
  return sec_bind2(r->prim, r->in[0], dy, r->params);
}

static sec_cost conv_cost(const sec_typing *t) {
  sec_conv              c = sec_conv_of(t->params, t->in[0], t->in[1]);
  const sec_aval *const arrays[] = {t->in[0], t->in[1], t->out[0]};
  sec_cost              cost = {2.0 * (double)t->out[0]->size * (double)t->in[1]->dims[c.rhs[1]], 0};
  for (int a = 0; a < c.n; a++) cost.flops *= (double)c.axis[a].window;
  for (int i = 0; i < 3; i++) cost.bytes += (double)arrays[i]->size * (double)sec_dtype_size(arrays[i]->dtype);
  return cost;
}

SEC_PRIMITIVE(conv_general_dilated, .doc = "Sums of products of windows of lhs with the kernels of rhs.", .operands = {"lhs", "rhs"},
              .type = conv_type, .eval = conv_eval, .jvp = {conv_jvp_lhs, conv_jvp_rhs},
              .transpose = {sec_conv_transpose_lhs, sec_conv_transpose_rhs}, .batch = sec_conv_batch, .form = SEC_FORM_RUNTIME,
              .runtime = "sec_rt_conv", .meta = sec_conv_meta, .expand = sec_conv_expand, .cost = conv_cost,
              .takes = SEC_TAKES_NUMBER, .parts = sec_parts_product)

sec_value sec_conv_general_dilated(sec_value lhs, sec_value rhs, const sec_conv_dims *d, sec_dtype preferred) {
  const sec_aval *a = sec_value_aval(lhs), *b = sec_value_aval(rhs);
  if (a == NULL || b == NULL) return SEC_VALUE_POISON;
  if (a->rank < 2 || a->rank != b->rank) {
    sec_error_set(SEC_SHAPE, "both have a batch or output, a feature and spatial axes", "conv_general_dilated: lhs %s and rhs %s differ in rank, or lack axes",
                  a->text, b->text);
    return SEC_VALUE_POISON;
  }
  static const sec_window_dims ones;
  const sec_window_dims       *w = d->window ? d->window : &ones;
  sec_conv               c = {.n = a->rank - 2, .feature_groups = d->feature_groups, .batch_groups = d->batch_groups};
  for (int k = 0; k < a->rank; k++) {
    c.lhs[k] = d->lhs ? d->lhs[k] : k, c.rhs[k] = d->rhs ? d->rhs[k] : k, c.out[k] = d->out ? d->out[k] : k;
    if (k >= c.n) continue;
    c.axis[k] = (sec_slide){.stride = w->strides ? w->strides[k] : 1, .low = w->low ? w->low[k] : 0, .high = w->high ? w->high[k] : 0,
                            .base = w->base_dilation ? w->base_dilation[k] : 1, .dilation = w->window_dilation ? w->window_dilation[k] : 1};
  }
  return sec_conv_bind(lhs, rhs, &c, preferred == SEC_N_DTYPES ? a->dtype : preferred);
}
