/* reduce_window_sum, _prod, _max, _min, _and, _or: reductions of the windows that slide over an array.  Padding adds
 * nothing.  They are lowered as what they are: pad, read windows, reduce; long windows in steps. */
#include "sliding.h"

SEC_DECLARE_PRIMITIVE(add)
SEC_DECLARE_PRIMITIVE(mul)
SEC_DECLARE_PRIMITIVE(max)
SEC_DECLARE_PRIMITIVE(min)
SEC_DECLARE_PRIMITIVE(and)
SEC_DECLARE_PRIMITIVE(or)

static sec_status window_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  sec_sliding     s;
  int64_t         dims[SEC_MAX_RANK];
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(sec_sliding_type(t, x, &s, dims));
  return sec_type_gives(t, x->dtype, x->weak, x->rank, dims);
}

/* ---- evaluation ---- */
typedef struct folding {
  const sec_eval  *e;
  sec_scalar_value acc;
} folding;

static void fold_begin(void *user, int64_t o) {
  folding *f = user;
  (void)o;
  f->acc = sec_identity_value(f->e->prim->identity, f->e->in[0]->aval->dtype);
}

static void fold_step(void *user, int64_t o, int64_t w, int64_t at) {
  folding *f = user;
  (void)o, (void)w;
  sec_fold_element(f->e->prim->combine, f->e->in[0], at, &f->acc);
}

static void fold_done(void *user, int64_t o) {
  folding *f = user;
  if (sec_aval_has_tangent(f->e->in[0]->aval)) sec_put_c(f->e->out[0], o, f->acc.f);
  else sec_put_i(f->e->out[0], o, f->acc.i);
}

static sec_status window_eval(const sec_eval *e) {
  sec_sliding s = sec_sliding_of(e->params, e->in[0]->aval);
  folding     f = {.e = e};
  sec_sliding_walk(&s, &(sec_sliding_visit){fold_begin, fold_step, fold_done, &f});
  return SEC_OK;
}

/* ---- lowering ---- */
enum { DIRECT_PLACES = 24 }; /* windows of so many places are read whole */

static sec_value identity_of(const sec_primitive *prim, sec_dtype dtype) {
  sec_scalar_value v = sec_identity_value(prim->identity, dtype);
  return sec_literal_of(dtype, false, __real__ v.f, v.i);
}

static sec_value reduced(const sec_primitive *prim, sec_value x, int n) {
  static const struct { const sec_primitive *combine; sec_value (*reduce)(sec_value, const int64_t *, int); } rules[] = {
      {&sec_add_p, sec_reduce_sum}, {&sec_mul_p, sec_reduce_prod}, {&sec_max_p, sec_reduce_max},
      {&sec_min_p, sec_reduce_min}, {&sec_and_p, sec_reduce_and},  {&sec_or_p, sec_reduce_or}};
  int64_t axes[SEC_MAX_RANK];
  int     i = 0;
  for (int k = 0; k < n; k++) axes[k] = k;
  while (rules[i].combine != prim->combine) i++;
  return n == 0 ? x : rules[i].reduce(x, axes, n);
}

/* Elements start, start + step, ... of one axis, `count` of them. */
static sec_value every(sec_value x, int axis, int64_t start, int64_t count, int64_t step) {
  const sec_aval *a = sec_value_aval(x);
  int64_t         from[SEC_MAX_RANK] = {0}, to[SEC_MAX_RANK], steps[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  for (int k = 0; k < a->rank; k++) to[k] = a->dims[k], steps[k] = 1;
  from[axis] = start, to[axis] = count > 0 ? start + (count - 1) * step + 1 : start, steps[axis] = step;
  return sec_slice(x, from, to, steps);
}

/* Windows of 1, 2, 4, ... places by doubling; those that add up to the window are combined. */
static sec_value by_doubling(const sec_primitive *prim, sec_value x, int axis, const sec_slide *s) {
  int64_t   n = sec_slide_count(s), reached = 0, length = s->size;
  sec_value all = SEC_VALUE_ZERO;
  for (int64_t k = 1;; k *= 2) {
    if (s->window & k) {
      sec_value part = every(x, axis, reached * s->dilation, n, s->stride);
      all = sec_value_is_zero(all) ? part : sec_bind2(prim->combine, all, part, NULL);
      reached += k;
    }
    if (2 * k > s->window) return all;
    length -= k * s->dilation;
    x = sec_bind2(prim->combine, every(x, axis, 0, length, 1), every(x, axis, k * s->dilation, length, 1), NULL);
    if (!sec_value_ok(x)) return SEC_VALUE_POISON;
  }
}

/* The padded array with the windows of the axes in `now` reduced; the other axes stay. */
static sec_value reduce_axes(const sec_primitive *prim, sec_value x, sec_sliding *s, const bool *now) {
  sec_sliding part = *s;
  int         n;
  for (int a = 0; a < s->rank; a++) {
    if (!now[a]) part.axis[a] = (sec_slide){.size = s->axis[a].size, .window = 1, .stride = 1, .base = 1, .dilation = 1};
    else s->axis[a] = (sec_slide){.size = sec_slide_count(&s->axis[a]), .window = 1, .stride = 1, .base = 1, .dilation = 1};
  }
  x = sec_sliding_windows(x, SEC_VALUE_POISON, &part, &n);
  return sec_value_ok(x) ? reduced(prim, x, n) : SEC_VALUE_POISON;
}

static sec_value windows_reduced(const sec_primitive *prim, sec_value x, sec_sliding *s) {
  int64_t places = 1, strides = 1;
  int     windowed = 0;
  bool    now[SEC_MAX_RANK];
  for (int a = 0; a < s->rank; a++) {
    sec_slide *v = &s->axis[a];
    v->size = sec_value_aval(x)->dims[a], v->low = v->high = 0, v->base = 1;
    if (v->window > DIRECT_PLACES && v->window / v->stride > 8 && sec_slide_count(v) > 0) {
      x = by_doubling(prim, x, a, v);
      *v = (sec_slide){.size = sec_slide_count(v), .window = 1, .stride = 1, .base = 1, .dilation = 1};
      if (!sec_value_ok(x)) return x;
    }
    places *= v->window > 1024 ? 1024 : v->window;
    strides *= v->stride > 1024 ? 1024 : v->stride;
    if (places > 1 << 20) places = 1 << 20;
    if (strides > 1 << 20) strides = 1 << 20;
    windowed += v->window > 1;
  }
  bool apart = (places > DIRECT_PLACES && places / strides > 2) || s->rank + windowed > SEC_MAX_RANK;
  for (int a = 0; a < s->rank; a++) now[a] = !apart;
  if (!apart) return reduce_axes(prim, x, s, now);
  for (int a = s->rank; a-- > 0;) {
    if (s->axis[a].window == 1 && s->axis[a].stride == 1) continue;
    now[a] = true;
    x = reduce_axes(prim, x, s, now);
    now[a] = false;
    if (!sec_value_ok(x)) break;
  }
  return x;
}

/* Elements spread as far as the window is long: each is in `window` sums, and alone there. */
static bool is_repeated(const sec_sliding *s) {
  bool repeated = true;
  for (int a = 0; a < s->rank; a++)
    repeated &= s->axis[a].window == s->axis[a].base && s->axis[a].stride == 1 && s->axis[a].dilation == 1 && s->axis[a].size > 0;
  return repeated && 2 * s->rank <= SEC_MAX_RANK;
}

/* Position i holds element ceil((i - low) / base). */
static sec_value repeat(sec_value x, const sec_sliding *s) {
  const sec_aval *a = sec_value_aval(x);
  int64_t         dims[SEC_MAX_RANK], of[SEC_MAX_RANK], whole[SEC_MAX_RANK];
  sec_sliding     rest = {.rank = s->rank};
  for (int k = 0; k < s->rank; k++) {
    const sec_slide *v = &s->axis[k];
    int64_t          low = v->low - v->base + 1;
    dims[2 * k] = v->size, dims[2 * k + 1] = v->base, of[k] = 2 * k, whole[k] = v->size * v->base;
    rest.axis[k] = (sec_slide){.size = whole[k], .low = low, .high = sec_slide_count(v) - whole[k] - low, .base = 1};
  }
  x = sec_reshape(sec_broadcast_in_dim(x, 2 * s->rank, dims, of), s->rank, whole);
  return sec_sliding_pad(x, sec_zero_literal(a->dtype), &rest);
}

sec_value sec_sliding_reduce(const sec_primitive *prim, sec_value v, const sec_sliding *sliding) {
  const sec_aval *a = sec_value_aval(v);
  sec_sliding     s = *sliding;
  if (a == NULL) return SEC_VALUE_POISON;
  if (prim->combine == &sec_add_p && is_repeated(&s)) return repeat(v, &s);
  bool      narrow = a->dtype == SEC_F16 || a->dtype == SEC_BF16;
  sec_dtype dtype = narrow ? SEC_F32 : a->dtype; /* what is added up in between is not rounded */
  sec_value x = narrow ? sec_convert(v, dtype, false) : v;
  x = sec_sliding_pad(x, identity_of(prim, dtype), &s);
  if (sec_value_ok(x)) x = windows_reduced(prim, x, &s);
  return sec_convert(x, a->dtype, a->weak);
}

static bool window_expand(const sec_rule *r, sec_value *out) {
  sec_sliding s = sec_sliding_of(r->params, r->in_avals[0]);
  *out = sec_sliding_reduce(r->prim, r->in[0], &s);
  return true;
}

/* ---- derivatives and maps ---- */
static sec_value bind_window(const sec_primitive *prim, sec_value x, const sec_sliding *s) {
  return sec_bind1(prim, x, sec_sliding_params(prim->name, s, NULL));
}

static sec_status window_batch(sec_batch *b) {
  sec_sliding lane = sec_sliding_of(b->params, b->in_avals[0]), s = sec_sliding_batch(&lane, b->size);
  return sec_batch_result(b, bind_window(b->prim, b->in[0], &s));
}

/* each element gets the sum of the windows that hold it */
static sec_value sum_transpose(const sec_rule *r, sec_value ct) {
  sec_sliding s = sec_sliding_of(r->params, r->in_avals[0]);
  for (int a = 0; a < s.rank; a++) s.axis[a] = sec_slide_back(&s.axis[a]);
  return bind_window(r->prim, ct, &s);
}

static sec_value extremum_jvp(const sec_rule *r, sec_value dx) {
  sec_sliding s = sec_sliding_of(r->params, r->in_avals[0]);
  return sec_bind2(sec_primitive_find("select_and_gather_add"), dx, r->in[0],
                   sec_sliding_params(r->prim->name, &s, r->prim->combine == &sec_max_p ? "ge" : "le"));
}

static sec_value prod_jvp(const sec_rule *r, sec_value dx) {
  sec_sliding     s = sec_sliding_of(r->params, r->in_avals[0]);
  const sec_aval *a = r->in_avals[0];
  int             n;
  sec_value       x = sec_sliding_windows(r->in[0], identity_of(r->prim, a->dtype), &s, &n);
  dx = sec_sliding_windows(dx, sec_zero_literal(a->dtype), &s, &n);
  const sec_aval *w = sec_value_aval(x);
  if (w == NULL || !sec_value_ok(dx)) return SEC_VALUE_POISON;
  int64_t flat[SEC_LIST] = {1};
  for (int k = 0; k < n; k++) flat[0] *= w->dims[k];
  if (n == 0) return dx;
  memcpy(flat + 1, w->dims + n, (size_t)(w->rank - n) * sizeof *flat);
  return sec_product_tangent(sec_reshape(x, w->rank - n + 1, flat), sec_reshape(dx, w->rank - n + 1, flat));
}

static sec_cost window_cost(const sec_typing *t) {
  sec_sliding s = sec_sliding_of(t->params, t->in[0]);
  sec_cost    c = {(double)t->out[0]->size, (double)(t->in[0]->size + t->out[0]->size) * (double)sec_dtype_size(t->in[0]->dtype)};
  for (int a = 0; a < s.rank; a++) c.flops *= (double)s.axis[a].window;
  return c;
}

#define REDUCE_WINDOW                                                                                                    \
  .operands = {"x"}, .type = window_type, .eval = window_eval, .batch = window_batch, .expand = window_expand,           \
  .cost = window_cost

SEC_PRIMITIVE(reduce_window_sum, .doc = "Sum of each window.", REDUCE_WINDOW, .linear = 1, .transpose = {sum_transpose},
              .combine = &sec_add_p, .identity = SEC_ID_ZERO, .takes = SEC_TAKES_NUMBER)
SEC_PRIMITIVE(reduce_window_prod, .doc = "Product of each window.", REDUCE_WINDOW, .jvp = {prod_jvp}, .combine = &sec_mul_p,
              .identity = SEC_ID_ONE, .takes = SEC_TAKES_NUMBER)
SEC_PRIMITIVE(reduce_window_max, .doc = "Greatest element of each window; NaN if there is one.", REDUCE_WINDOW,
              .jvp = {extremum_jvp}, .combine = &sec_max_p, .identity = SEC_ID_LOWEST, .takes = SEC_TAKES_ORDERED)
SEC_PRIMITIVE(reduce_window_min, .doc = "Least element of each window; NaN if there is one.", REDUCE_WINDOW,
              .jvp = {extremum_jvp}, .combine = &sec_min_p, .identity = SEC_ID_HIGHEST, .takes = SEC_TAKES_ORDERED)
SEC_PRIMITIVE(reduce_window_and, .doc = "Bitwise and of each window.", REDUCE_WINDOW, .combine = &sec_and_p,
              .identity = SEC_ID_ALL_ONES, .takes = SEC_TAKES_BITS, .flags = SEC_FLAG_NO_GRADIENT)
SEC_PRIMITIVE(reduce_window_or, .doc = "Bitwise or of each window.", REDUCE_WINDOW, .combine = &sec_or_p,
              .identity = SEC_ID_ZERO, .takes = SEC_TAKES_BITS, .flags = SEC_FLAG_NO_GRADIENT)

static sec_value from_user(const sec_primitive *prim, sec_value x, const sec_window_dims *dims) {
  sec_sliding s;
  return sec_sliding_from_user(prim->name, x, dims, &s) ? bind_window(prim, x, &s) : SEC_VALUE_POISON;
}

sec_value sec_reduce_window_sum(sec_value x, const sec_window_dims *dims) { return from_user(&sec_reduce_window_sum_p, x, dims); }
sec_value sec_reduce_window_prod(sec_value x, const sec_window_dims *dims) { return from_user(&sec_reduce_window_prod_p, x, dims); }
sec_value sec_reduce_window_max(sec_value x, const sec_window_dims *dims) { return from_user(&sec_reduce_window_max_p, x, dims); }
sec_value sec_reduce_window_min(sec_value x, const sec_window_dims *dims) { return from_user(&sec_reduce_window_min_p, x, dims); }
sec_value sec_reduce_window_and(sec_value x, const sec_window_dims *dims) { return from_user(&sec_reduce_window_and_p, x, dims); }
sec_value sec_reduce_window_or(sec_value x, const sec_window_dims *dims) { return from_user(&sec_reduce_window_or_p, x, dims); }
