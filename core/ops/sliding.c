/* Sliding windows: geometry (sliding.h), and the view that reads them. */
#include "complex.h"
#include "sliding.h"

/* ---- one axis ---- */
/* (n - 1) * step + 1, 0 for none; -1 on overflow */
static int64_t spread(int64_t n, int64_t step) {
  int64_t length;
  if (n == 0) return 0;
  return __builtin_mul_overflow(n - 1, step, &length) || __builtin_add_overflow(length, 1, &length) ? -1 : length;
}

int64_t sec_slide_count(const sec_slide *s) {
  int64_t length = spread(s->size, s->base), window = spread(s->window, s->dilation);
  if (length < 0 || window < 0 || __builtin_add_overflow(length, s->low, &length) || __builtin_add_overflow(length, s->high, &length)) return -1;
  return length < window ? 0 : (length - window) / s->stride + 1;
}

int64_t sec_slide_at(const sec_slide *s, int64_t o, int64_t w) {
  int64_t i = o * s->stride + w * s->dilation - s->low;
  return i < 0 || i % s->base != 0 || i / s->base >= s->size ? -1 : i / s->base;
}

/* i base + low = o stride + w dilation  <=>  o stride + (window - 1) dilation - low = i base + (window - 1 - w) dilation */
sec_slide sec_slide_back(const sec_slide *s) {
  int64_t   n = sec_slide_count(s), reach = (s->window - 1) * s->dilation;
  sec_slide back = {.size = n, .window = s->window, .stride = s->base, .low = reach - s->low, .base = s->stride, .dilation = s->dilation};
  back.high = (s->size > 0 ? (s->size - 1) * s->base + 1 : 0) + reach - back.low - (n > 0 ? (n - 1) * s->stride + 1 : 0);
  return back;
}

/* ---- parameters ---- */
static sec_status positive(const sec_typing *t, const char *name, int rank, const int64_t **v) {
  int n;
  SEC_TRY(sec_type_ints(t, name, v, &n));
  if (n != rank) return sec_type_error(t, SEC_SHAPE, "give one number for each axis", "%s has %d entries for rank %d", name, n, rank);
  for (int a = 0; a < n; a++)
    if ((*v)[a] < 1) return sec_type_error(t, SEC_ARGUMENT, "it must be at least 1", "%s of axis %d is %" PRId64, name, a, (*v)[a]);
  return SEC_OK;
}

sec_sliding sec_sliding_of(const sec_params *p, const sec_aval *x) {
  int              n;
  const int64_t   *window = sec_params_ints(p, "window_dimensions", &n), *stride = sec_params_ints(p, "window_strides", &n),
                *base = sec_params_ints(p, "base_dilation", &n), *dilation = sec_params_ints(p, "window_dilation", &n);
  const sec_param *padding = sec_params_find(p, "padding");
  sec_sliding      s = {.rank = x->rank};
  for (int a = 0; a < x->rank; a++)
    s.axis[a] = (sec_slide){x->dims[a], window[a], stride[a], padding->u.intss.v[a][0], padding->u.intss.v[a][1], base[a], dilation[a]};
  return s;
}

sec_status sec_sliding_type(const sec_typing *t, const sec_aval *x, sec_sliding *s, int64_t *dims) {
  static const char *const names[] = {"window_dimensions", "window_strides", "base_dilation", "window_dilation"};
  const int64_t           *list, *const *padding;
  const int               *n;
  int                      count;
  for (int i = 0; i < 4; i++) SEC_TRY(positive(t, names[i], x->rank, &list));
  SEC_TRY(sec_type_intss(t, "padding", &padding, &n, &count));
  if (count != x->rank) return sec_type_error(t, SEC_SHAPE, "give (low, high) for each axis", "padding has %d entries for %s", count, x->text);
  for (int a = 0; a < count; a++)
    if (n[a] != 2) return sec_type_error(t, SEC_ARGUMENT, "give (low, high)", "padding of axis %d has %d entries", a, n[a]);
  *s = sec_sliding_of(t->params, x);
  for (int a = 0; a < x->rank; a++)
    if ((dims[a] = sec_slide_count(&s->axis[a])) < 0)
      return sec_type_error(t, SEC_SHAPE, NULL, "axis %d of %s with its padding or its window is too long", a, x->text);
  return SEC_OK;
}

bool sec_sliding_from_user(const char *name, sec_value x, const sec_window_dims *d, sec_sliding *s) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return false;
  if (d == NULL || d->window == NULL) {
    sec_error_set(SEC_ARGUMENT, "give the window's size along each axis", "%s: there is no window", name);
    return false;
  }
  s->rank = a->rank;
  for (int k = 0; k < a->rank; k++)
    s->axis[k] = (sec_slide){.size = a->dims[k],
                             .window = d->window[k],
                             .stride = d->strides ? d->strides[k] : 1,
                             .low = d->low ? d->low[k] : 0,
                             .high = d->high ? d->high[k] : 0,
                             .base = d->base_dilation ? d->base_dilation[k] : 1,
                             .dilation = d->window_dilation ? d->window_dilation[k] : 1};
  return true;
}

sec_sliding sec_sliding_batch(const sec_sliding *lane, int64_t size) {
  sec_sliding s = {.rank = lane->rank + 1};
  if (s.rank > SEC_MAX_RANK) s.rank = SEC_MAX_RANK; /* the batched operand could not be made either */
  s.axis[0] = (sec_slide){.size = size, .window = 1, .stride = 1, .base = 1, .dilation = 1};
  for (int a = 1; a < s.rank; a++) s.axis[a] = lane->axis[a - 1];
  return s;
}

const sec_params *sec_sliding_params(const char *name, const sec_sliding *s, const char *select) {
  int64_t        window[SEC_MAX_RANK], stride[SEC_MAX_RANK], base[SEC_MAX_RANK], dilation[SEC_MAX_RANK], pairs[SEC_MAX_RANK][2];
  const int64_t *padding[SEC_MAX_RANK];
  int            two[SEC_MAX_RANK];
  for (int a = 0; a < s->rank; a++) {
    const sec_slide *x = &s->axis[a];
    window[a] = x->window, stride[a] = x->stride, base[a] = x->base, dilation[a] = x->dilation;
    pairs[a][0] = x->low, pairs[a][1] = x->high, padding[a] = pairs[a], two[a] = 2;
  }
  const sec_param list[] = {SEC_P_INTS("base_dilation", base, s->rank),
                            {.name = "padding", .kind = SEC_PARAM_INTSS, .u.intss = {padding, two, s->rank}},
                            SEC_P_INTS("window_dilation", dilation, s->rank),
                            SEC_P_INTS("window_dimensions", window, s->rank),
                            SEC_P_INTS("window_strides", stride, s->rank),
                            SEC_P_STR("select_prim", select)};
  return sec_params_make(sec_current_context(name), list, select ? 6 : 5);
}

/* ---- evaluation ---- */
void sec_sliding_walk(const sec_sliding *s, const sec_sliding_visit *v) {
  int64_t dims[SEC_MAX_RANK], window[SEC_MAX_RANK], sizes[SEC_MAX_RANK], strides[SEC_MAX_RANK], o[SEC_MAX_RANK] = {0}, number = 0;
  for (int a = 0; a < s->rank; a++) {
    window[a] = s->axis[a].window, sizes[a] = s->axis[a].size;
    if ((dims[a] = sec_slide_count(&s->axis[a])) == 0) return;
  }
  sec_strides(s->rank, sizes, strides);
  do {
    int64_t w[SEC_MAX_RANK] = {0}, place = 0;
    if (v->begin) v->begin(v->user, number);
    do {
      int64_t at = 0;
      for (int a = 0; a < s->rank && at >= 0; a++) {
        int64_t i = sec_slide_at(&s->axis[a], o[a], w[a]);
        at = i < 0 ? -1 : at + i * strides[a];
      }
      if (at >= 0) v->step(v->user, number, place, at);
      place++;
    } while (sec_next_index(s->rank, window, w));
    if (v->done) v->done(v->user, number);
    number++;
  } while (sec_next_index(s->rank, dims, o));
}

/* ---- the view: windows along the listed axes of x, in front of what is left of those axes ---- */
typedef struct view_lists { const int64_t *axes, *window, *strides, *dilation; int n; } view_lists;

static view_lists lists_of(const sec_params *p) {
  view_lists l;
  l.axes = sec_params_ints(p, "axes", &l.n);
  l.window = sec_params_ints(p, "window_dimensions", &l.n);
  l.strides = sec_params_ints(p, "window_strides", &l.n);
  l.dilation = sec_params_ints(p, "window_dilation", &l.n);
  return l;
}

static sec_slide listed(const view_lists *l, int i, int64_t size) {
  return (sec_slide){.size = size, .window = l->window[i], .stride = l->strides[i], .base = 1, .dilation = l->dilation[i]};
}

static sec_status windows_type(sec_typing *t) {
  static const char *const names[] = {"window_dimensions", "window_strides", "window_dilation"};
  const sec_aval          *x = t->in[0];
  const int64_t           *axes, *list;
  int64_t                  dims[2 * SEC_MAX_RANK];
  int                      n;
  SEC_TRY(sec_type_ints(t, "axes", &axes, &n));
  SEC_TRY(sec_type_axes(t, "axes", axes, n, x->rank));
  for (int i = 0; i < 3; i++) SEC_TRY(positive(t, names[i], n, &list));
  if (x->rank + n > SEC_MAX_RANK)
    return sec_type_error(t, SEC_UNSUPPORTED, "reshape first", "windows along %d axes of %s have more than %d axes", n, x->text, SEC_MAX_RANK);
  view_lists l = lists_of(t->params);
  for (int a = 0; a < x->rank; a++) dims[n + a] = x->dims[a];
  for (int i = 0; i < n; i++) {
    sec_slide s = listed(&l, i, x->dims[axes[i]]);
    dims[i] = l.window[i];
    if ((dims[n + axes[i]] = sec_slide_count(&s)) < 0) return sec_type_error(t, SEC_SHAPE, NULL, "the window is too long");
  }
  return sec_type_gives(t, x->dtype, x->weak, x->rank + n, dims);
}

static void windows_view(const sec_params *p, const sec_aval *in, const sec_aval *out, sec_index_map *map) {
  view_lists l = lists_of(p);
  (void)out;
  *map = (sec_index_map){0};
  for (int a = 0; a < in->rank; a++) map->axis[a].coef[l.n + a] = 1;
  for (int i = 0; i < l.n; i++) {
    map->axis[l.axes[i]].coef[l.n + l.axes[i]] = l.strides[i];
    map->axis[l.axes[i]].coef[i] = l.dilation[i];
  }
}

static sec_value windows_along(sec_value x, const view_lists *l) {
  return sec_bind1(sec_primitive_find("sliding_windows"), x,
                   sec_params_make(sec_current_context("sliding_windows"),
                                   SEC_PARAMS(SEC_P_INTS("axes", l->axes, l->n), SEC_P_INTS("window_dilation", l->dilation, l->n),
                                              SEC_P_INTS("window_dimensions", l->window, l->n), SEC_P_INTS("window_strides", l->strides, l->n))));
}

/* One axis after the other, the last of the list first: the cotangents of its places, each put where it was read. */
static sec_value windows_transpose(const sec_rule *r, sec_value ct) {
  const sec_aval *x = r->in_avals[0];
  view_lists      l = lists_of(r->params);
  int64_t         from[SEC_MAX_RANK] = {0}, to[SEC_MAX_RANK], low[SEC_MAX_RANK] = {0}, high[SEC_MAX_RANK] = {0}, gaps[SEC_MAX_RANK] = {0};
  for (int i = 0; i < l.n; i++) {
    const sec_aval *a = sec_value_aval(ct);
    int             k = l.n - i - 1 + (int)l.axes[i]; /* the axis of the windows that is left, without that of the places */
    sec_value       sum = SEC_VALUE_ZERO;
    if (a == NULL) return SEC_VALUE_POISON;
    for (int64_t w = 0; w < l.window[i]; w++) {
      int64_t zero = 0, n = a->dims[k + 1], end = w * l.dilation[i] + (n > 0 ? (n - 1) * l.strides[i] + 1 : 0);
      memcpy(to, a->dims, sizeof to);
      from[0] = w, to[0] = w + 1;
      low[k] = n > 0 ? w * l.dilation[i] : 0, high[k] = x->dims[l.axes[i]] - (n > 0 ? end : 0), gaps[k] = l.strides[i] - 1;
      sec_value part = sec_pad(sec_squeeze(sec_slice(ct, from, to, NULL), &zero, 1), sec_zero_literal(a->dtype), low, high, gaps);
      sum = sec_value_is_zero(sum) ? part : sec_add(sum, part);
      if (!sec_value_ok(sum)) return SEC_VALUE_POISON;
    }
    low[k] = high[k] = gaps[k] = 0;
    ct = sum;
  }
  return ct;
}

static sec_status windows_batch(sec_batch *b) {
  view_lists l = lists_of(b->params);
  int64_t    axes[SEC_LIST];
  sec_shift_axes(l.axes, l.n, axes);
  l.axes = axes;
  return sec_batch_result(b, sec_move_to_front(windows_along(b->in[0], &l), l.n));
}

SEC_PRIMITIVE(sliding_windows, .doc = "The windows along some axes: their places in front, then the axes of the windows.",
              .operands = {"x"}, .type = windows_type, .eval = sec_eval_view, .linear = 1, .transpose = {windows_transpose},
              .batch = windows_batch, .form = SEC_FORM_VIEW, .view = windows_view,
              .parts = sec_parts_each, .takes = SEC_TAKES_ANY)

sec_value sec_sliding_pad(sec_value x, sec_value fill, const sec_sliding *s) {
  int64_t low[SEC_MAX_RANK], high[SEC_MAX_RANK], gaps[SEC_MAX_RANK];
  bool    any = false;
  for (int a = 0; a < s->rank; a++) {
    const sec_slide *v = &s->axis[a];
    int64_t          length = v->size > 0 ? (v->size - 1) * v->base + 1 : 0;
    low[a] = v->low, high[a] = v->high, gaps[a] = v->base - 1;
    if (length + low[a] + high[a] < 0) low[a] = -length, high[a] = 0; /* cropped away: no window */
    any |= low[a] != 0 || high[a] != 0 || (gaps[a] != 0 && v->size > 1);
  }
  return any ? sec_pad(x, fill, low, high, gaps) : x;
}

sec_value sec_sliding_windows(sec_value x, sec_value fill, const sec_sliding *s, int *n) {
  int64_t    axes[SEC_MAX_RANK], window[SEC_MAX_RANK], strides[SEC_MAX_RANK], dilation[SEC_MAX_RANK];
  int64_t    from[SEC_MAX_RANK] = {0}, to[SEC_MAX_RANK], step[SEC_MAX_RANK];
  view_lists l = {axes, window, strides, dilation, 0};
  x = sec_sliding_pad(x, fill, s);
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return SEC_VALUE_POISON;
  for (int k = 0; k < s->rank; k++) {
    const sec_slide *v = &s->axis[k];
    to[k] = a->dims[k], step[k] = v->window > 1 ? 1 : v->stride;
    if (v->window == 1) continue;
    axes[l.n] = k, window[l.n] = v->window, strides[l.n] = v->stride, dilation[l.n++] = v->dilation;
  }
  *n = l.n;
  x = sec_slice(x, from, to, step);
  return l.n == 0 ? x : windows_along(x, &l);
}

sec_value sec_sliding_places(sec_value windows, int n) {
  const sec_aval *a = sec_value_aval(windows);
  sec_value       sum = sec_literal_of(SEC_I32, false, 0, 0);
  int64_t         factor = 1;
  if (a == NULL) return SEC_VALUE_POISON;
  for (int k = n; k-- > 0; factor *= a->dims[k]) {
    sec_value along = sec_iota(SEC_I32, a->rank, a->dims, k);
    if (factor != 1) along = sec_mul(along, sec_literal_of(SEC_I32, false, 0, factor));
    sum = k == n - 1 ? along : sec_add(along, sum);
  }
  return n == 0 ? sec_full(sum, a->rank, a->dims) : sum;
}

sec_value sec_window_places(sec_value x, sec_value fill, const sec_window_dims *dims, int *n) {
  sec_sliding s;
  *n = 0;
  if (sec_value_aval(fill) == NULL || !sec_sliding_from_user("window_places", x, dims, &s)) return SEC_VALUE_POISON;
  for (int a = 0; a < s.rank; a++)
    if (s.axis[a].window < 1 || s.axis[a].stride < 1 || s.axis[a].base < 1 || s.axis[a].dilation < 1 || sec_slide_count(&s.axis[a]) < 0) {
      sec_error_set(SEC_ARGUMENT, "sizes, strides and dilations are at least 1", "window_places: the window along axis %d is not valid", a);
      return SEC_VALUE_POISON;
    }
  return sec_sliding_windows(x, fill, &s, n);
}
