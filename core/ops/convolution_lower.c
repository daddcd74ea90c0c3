/* Convolutions lowered: a product and a sum over windows, in generated loops, or, where there is enough to contract, a call
 * of sec_rt_conv, which computes them in blocks. */
#include "convolution.h"

/* ---- generated: sum over (places, features) of lhs windows times kernel, in the layout of the result ---- */
typedef struct full_shape {
  int     rank, n_front;
  int64_t dims[2 * SEC_MAX_RANK + 4];
  int     batch, group, output, feature, place[SEC_MAX_RANK], spatial[SEC_MAX_RANK]; /* axes; -1: not there */
} full_shape;

static int add_axis(full_shape *f, int64_t size) {
  f->dims[f->rank] = size;
  return f->rank++;
}

/* Contracted axes in front, then those of the result, its features split by groups. */
static full_shape full_of(const sec_conv *c, const sec_aval *rhs, const sec_aval *out) {
  full_shape f = {.group = -1, .feature = -1};
  int64_t    groups = sec_conv_groups(c);
  bool       last = true; /* features are contracted innermost where they lie innermost */
  for (int a = 0; a < c->n; a++) last &= c->lhs[1] > c->lhs[2 + a];
  if (!last) f.feature = add_axis(&f, rhs->dims[c->rhs[1]]);
  for (int a = 0; a < c->n; a++) f.place[a] = c->axis[a].window > 1 ? add_axis(&f, c->axis[a].window) : -1;
  if (last) f.feature = add_axis(&f, rhs->dims[c->rhs[1]]);
  f.n_front = f.rank;
  for (int k = 0; k < c->n + 2; k++) {
    if (c->out[0] == k) f.batch = add_axis(&f, out->dims[k]);
    if (c->out[1] == k) {
      if (groups > 1) f.group = add_axis(&f, groups);
      f.output = add_axis(&f, out->dims[k] / groups);
    }
    for (int a = 0; a < c->n; a++)
      if (c->out[2 + a] == k) f.spatial[a] = add_axis(&f, out->dims[k]);
  }
  return f;
}

/* x with its axes at places[] of the full shape, the others broadcast. */
static sec_value placed(sec_value x, const full_shape *f, const int *places) {
  const sec_aval *a = sec_value_aval(x);
  int64_t         permutation[SEC_MAX_RANK], dims[SEC_MAX_RANK];
  int             n = 0;
  if (a == NULL) return SEC_VALUE_POISON;
  for (int p = 0; p < f->rank; p++)
    for (int k = 0; k < a->rank; k++)
      if (places[k] == p) permutation[n] = k, dims[n++] = p;
  return sec_broadcast_in_dim(sec_transpose(x, permutation), f->rank, f->dims, dims);
}

/* The axes of x as roles; axis `at` is split into groups and the rest. */
static sec_value split(sec_value x, int64_t at, int64_t groups, int *places, int group, int rest) {
  const sec_aval *a = sec_value_aval(x);
  int64_t         shape[SEC_MAX_RANK + 1];
  if (a == NULL) return SEC_VALUE_POISON;
  places[at] = rest;
  if (groups == 1) return x;
  for (int k = a->rank; k-- > 0;)
    if (k > at) places[k + 1] = places[k];
  for (int k = 0; k < a->rank; k++) shape[k + (k > at)] = a->dims[k];
  shape[at] = groups, shape[at + 1] = a->dims[at] / groups;
  places[at] = group, places[at + 1] = rest;
  return sec_reshape(x, a->rank + 1, shape);
}

static sec_value generated(const sec_conv *c, sec_value lhs, sec_value rhs, const full_shape *f) {
  int         places[2 * SEC_MAX_RANK], under[2 * SEC_MAX_RANK], n, at = 0;
  int64_t     groups = sec_conv_groups(c), front[SEC_MAX_RANK];
  bool        by_batch = c->batch_groups > 1;
  sec_sliding s = {.rank = c->n + 2 + (groups > 1)};
  places[c->rhs[1]] = f->feature;
  for (int a = 0; a < c->n; a++) places[c->rhs[2 + a]] = f->place[a] < 0 ? f->spatial[a] : f->place[a];
  rhs = split(rhs, c->rhs[0], groups, places, f->group, f->output);
  if (!sec_value_ok(rhs)) return SEC_VALUE_POISON;
  { /* kernel axes of size 1 stand nowhere */
    const sec_aval *a = sec_value_aval(rhs);
    int64_t         ones[SEC_MAX_RANK];
    int             n_ones = 0, kept = 0;
    for (int a2 = 0; a2 < c->n; a2++) {
      int64_t axis = c->rhs[2 + a2] + (groups > 1 && c->rhs[2 + a2] > c->rhs[0]);
      if (f->place[a2] < 0) ones[n_ones++] = axis;
    }
    for (int k = 0; k < a->rank; k++)
      if (!sec_has_axis(ones, n_ones, k)) under[kept++] = places[k];
    rhs = placed(sec_squeeze(rhs, ones, n_ones), f, under);
  }
  places[c->lhs[0]] = f->batch, places[c->lhs[1]] = f->feature;
  for (int a = 0; a < c->n; a++) places[c->lhs[2 + a]] = f->spatial[a];
  lhs = split(lhs, by_batch ? c->lhs[0] : c->lhs[1], groups, places, f->group, by_batch ? f->batch : f->feature);
  const sec_aval *x = sec_value_aval(lhs);
  if (x == NULL) return SEC_VALUE_POISON;
  for (int k = 0; k < x->rank; k++) {
    s.axis[k] = (sec_slide){.size = x->dims[k], .window = 1, .stride = 1, .base = 1, .dilation = 1};
    for (int a = 0; a < c->n; a++)
      if (places[k] == f->spatial[a]) {
        s.axis[k] = c->axis[a];
        if (f->place[a] >= 0) under[at++] = f->place[a];
      }
  }
  memcpy(under + at, places, (size_t)x->rank * sizeof *places);
  lhs = sec_sliding_windows(lhs, sec_zero_literal(x->dtype), &s, &n);
  for (int k = 0; k < f->n_front; k++) front[k] = k;
  return sec_reduce_sum(sec_mul(placed(lhs, f, under), rhs), front, f->n_front);
}

/* ---- the choice ---- */
static bool is_product(const sec_conv *c, const sec_aval *rhs, const sec_aval *out, sec_dtype dtype) {
  int64_t k = rhs->dims[c->rhs[1]], n = rhs->dims[c->rhs[0]] / sec_conv_groups(c);
  double  rows = n ? (double)out->size / (double)(n * sec_conv_groups(c)) : 0;
  for (int a = 0; a < c->n; a++) k *= c->axis[a].window;
  bool few = n < 4 && (k < 32 || sec_conv_groups(c) > 1); /* vectors would be nearly empty */
  return c->n <= 10 && (dtype == SEC_F32 || dtype == SEC_F64) && !few && k >= 8 && rows >= 4 && rows * (double)k * (double)n >= 1 << 14;
}

bool sec_conv_expand(const sec_rule *r, sec_value *out) {
  const sec_aval *x = r->in_avals[0], *y = r->in_avals[1], *z = r->out_avals[0];
  sec_conv        c = sec_conv_of(r->params, x, y);
  bool            narrow = z->dtype == SEC_F16 || z->dtype == SEC_BF16;
  sec_dtype       dtype = narrow ? SEC_F32 : z->dtype;
  if (z->size == 0 || y->size == 0) {
    *out = sec_full(sec_zero_literal(z->dtype), z->rank, z->dims);
    return true;
  }
  if (sec_aval_is_complex(z)) return false; /* four real ones, by its rule of parts */
  sec_value lhs = sec_convert(r->in[0], dtype, false), rhs = sec_convert(r->in[1], dtype, false);
  if (is_product(&c, y, z, dtype)) {
    if (x->dtype == z->dtype && !narrow) return false;
    *out = sec_convert(sec_conv_bind(lhs, rhs, &c, dtype), z->dtype, z->weak);
    return true;
  }
  full_shape f = full_of(&c, y, z);
  if (f.rank > SEC_MAX_RANK) {
    sec_error_set(SEC_UNSUPPORTED, "reshape first", "conv_general_dilated: %d spatial axes are too many", c.n);
    return true;
  }
  *out = sec_convert(sec_reshape(generated(&c, lhs, rhs, &f), z->rank, z->dims), z->dtype, z->weak);
  return true;
}

int sec_conv_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *x = t->in[0], *y = t->in[1], *z = t->out[0];
  sec_conv        c = sec_conv_of(t->params, x, y);
  int64_t         sx[SEC_MAX_RANK], sy[SEC_MAX_RANK], sz[SEC_MAX_RANK], groups = sec_conv_groups(&c);
  int64_t         batch = z->dims[c.out[0]], features = y->dims[c.rhs[1]], each = y->dims[c.rhs[0]] / groups;
  int             n = 0;
  sec_strides(x->rank, x->dims, sx);
  sec_strides(y->rank, y->dims, sy);
  sec_strides(z->rank, z->dims, sz);
  const int64_t head[] = {z->dtype == SEC_F64, c.n, groups, batch, features, each, /* sizes; then strides of the same in lhs, rhs, result */
                          c.batch_groups > 1 ? batch * sx[c.lhs[0]] : features * sx[c.lhs[1]], sx[c.lhs[0]], sx[c.lhs[1]],
                          each * sy[c.rhs[0]], sy[c.rhs[1]], sy[c.rhs[0]],
                          each * sz[c.out[1]], sz[c.out[0]], sz[c.out[1]]};
  for (size_t i = 0; i < sizeof head / sizeof *head; i++) meta[n++] = head[i];
  for (int a = 0; a < c.n; a++) {
    const sec_slide *s = &c.axis[a];
    const int64_t    row[] = {s->size, s->window, sec_slide_count(s), s->stride, s->low, s->base, s->dilation,
                              sx[c.lhs[2 + a]], sy[c.rhs[2 + a]], sz[c.out[2 + a]]};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) meta[n++] = row[i];
  }
  return n;
}
