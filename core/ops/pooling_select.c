/* select_and_gather_add, select_and_scatter_add: the derivative of reduce_window_max and _min, and its transpose.  Of
 * equal elements the first in a window is meant, and the first NaN before any. */
#include "sliding.h"

static sec_status select_type(sec_typing *t, bool gather) {
  const sec_aval  *y = t->in[0], *x = t->in[1];
  const sec_param *select = sec_params_find(t->params, "select_prim");
  sec_sliding      s;
  int64_t          dims[SEC_MAX_RANK];
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(sec_type_takes(t, 1));
  SEC_TRY(sec_sliding_type(t, x, &s, dims));
  if (select == NULL || select->kind != SEC_PARAM_STR || (strcmp(select->u.str, "ge") != 0 && strcmp(select->u.str, "le") != 0))
    return sec_type_error(t, SEC_ARGUMENT, "ge selects the greatest element, le the least", "select_prim is neither ge nor le");
  if (y->dtype != x->dtype) return sec_type_error(t, SEC_TYPE, "convert one of them", "operands have types %s and %s", y->text, x->text);
  bool fits = y->rank == x->rank;
  for (int a = 0; a < x->rank && fits; a++) fits = y->dims[a] == (gather ? x->dims[a] : dims[a]);
  if (!fits)
    return sec_type_error(t, SEC_SHAPE, gather ? "one element for each of x" : "one element for each window", "%s does not fit %s", y->text, x->text);
  return sec_type_gives(t, x->dtype, y->weak && x->weak, x->rank, gather ? dims : x->dims);
}

static sec_status gather_type(sec_typing *t) { return select_type(t, true); }
static sec_status scatter_type(sec_typing *t) { return select_type(t, false); }

static bool is_greatest(const sec_params *p) { return strcmp(sec_params_find(p, "select_prim")->u.str, "ge") == 0; }

/* ---- evaluation ---- */
typedef struct selection {
  const sec_eval *e;
  int64_t         best; /* element, -1: none yet */
} selection;

static void select_begin(void *user, int64_t o) {
  (void)o;
  ((selection *)user)->best = -1;
}

static void select_step(void *user, int64_t o, int64_t w, int64_t at) {
  selection       *s = user;
  const sec_array *x = s->e->in[1];
  bool             greatest = is_greatest(s->e->params), better;
  (void)o, (void)w;
  if (s->best < 0) {
    s->best = at;
    return;
  }
  if (sec_aval_is_float(x->aval)) {
    double v = sec_get_f(x, at), b = sec_get_f(x, s->best);
    better = b == b && (v != v || (greatest ? v > b : v < b));
  } else {
    int64_t v = sec_get_i(x, at), b = sec_get_i(x, s->best);
    bool    above = sec_dtype_kind(x->aval->dtype) == SEC_KIND_INT ? v > b : (uint64_t)v > (uint64_t)b;
    better = v != b && above == greatest;
  }
  if (better) s->best = at;
}

static void gather_done(void *user, int64_t o) {
  selection       *s = user;
  const sec_array *y = s->e->in[0];
  if (sec_aval_is_float(y->aval)) sec_put_f(s->e->out[0], o, s->best < 0 ? 0 : sec_get_f(y, s->best));
  else sec_put_i(s->e->out[0], o, s->best < 0 ? 0 : sec_get_i(y, s->best));
}

static void scatter_done(void *user, int64_t o) {
  selection *s = user;
  sec_array *out = s->e->out[0];
  if (s->best < 0) return;
  if (sec_aval_is_float(out->aval)) sec_put_f(out, s->best, sec_get_f(out, s->best) + sec_get_f(s->e->in[0], o));
  else sec_put_i(out, s->best, (int64_t)((uint64_t)sec_get_i(out, s->best) + (uint64_t)sec_get_i(s->e->in[0], o)));
}

static sec_status gather_eval(const sec_eval *e) {
  sec_sliding s = sec_sliding_of(e->params, e->in[1]->aval);
  selection   user = {.e = e};
  sec_sliding_walk(&s, &(sec_sliding_visit){select_begin, select_step, gather_done, &user});
  return SEC_OK;
}

static sec_status scatter_eval(const sec_eval *e) {
  sec_sliding s = sec_sliding_of(e->params, e->in[1]->aval);
  selection   user = {.e = e};
  memset(e->out[0]->data, 0, e->out[0]->bytes);
  sec_sliding_walk(&s, &(sec_sliding_visit){select_begin, select_step, scatter_done, &user});
  return SEC_OK;
}

/* ---- lowering ---- */
static sec_value reduce_front(sec_value (*reduce)(sec_value, const int64_t *, int), sec_value x, int n) {
  int64_t axes[SEC_MAX_RANK];
  for (int k = 0; k < n; k++) axes[k] = k;
  return n == 0 ? x : reduce(x, axes, n);
}

/* y spread over n axes in front */
static sec_value under(sec_value y, sec_value windows, int n) {
  const sec_aval *a = sec_value_aval(windows), *b = sec_value_aval(y);
  int64_t         dims[SEC_MAX_RANK];
  if (a == NULL || b == NULL) return SEC_VALUE_POISON;
  for (int k = 0; k < b->rank; k++) dims[k] = n + k;
  return sec_broadcast_in_dim(y, a->rank, a->dims, dims);
}

static sec_value integer(int64_t i) { return sec_literal_of(SEC_I32, false, 0, i); }

static bool is_padded(const sec_sliding *s) {
  bool padded = false;
  for (int a = 0; a < s->rank; a++) padded |= s->axis[a].low > 0 || s->axis[a].high > 0 || s->axis[a].base > 1;
  return padded;
}

SEC_DECLARE_PRIMITIVE(reduce_window_max)
SEC_DECLARE_PRIMITIVE(reduce_window_min)

/* The number of the selected place of every window; -1 where a window holds nothing. */
static sec_value selected(const sec_rule *r, const sec_sliding *s, int *n) {
  const sec_aval *a = r->in_avals[1];
  sec_value       x = r->in[1], windows = sec_sliding_windows(x, sec_zero_literal(a->dtype), s, n);
  sec_value       best = sec_sliding_reduce(is_greatest(r->params) ? &sec_reduce_window_max_p : &sec_reduce_window_min_p, x, s);
  int64_t         places = 1;
  for (int k = 0; k < s->rank; k++) places *= s->axis[k].window;
  if (places > INT32_MAX) {
    sec_error_set(SEC_UNSUPPORTED, NULL, "%s: the window has more than 2^31 places", r->prim->name);
    return SEC_VALUE_POISON;
  }
  sec_value here = sec_eq(windows, under(best, windows, *n));
  if (sec_aval_is_float(a)) here = sec_or(here, sec_ne(windows, windows)); /* with a NaN, that is the best */
  if (is_padded(s)) {
    sec_value all = sec_full(sec_scalar_bool(true), a->rank, a->dims);
    here = sec_and(here, sec_sliding_windows(all, sec_scalar_bool(false), s, n));
  }
  sec_value none = integer(places), first = reduce_front(sec_reduce_min, sec_where(here, sec_sliding_places(windows, *n), none), *n);
  return sec_where(sec_eq(first, none), integer(-1), first);
}

static bool gather_expand(const sec_rule *r, sec_value *out) {
  sec_sliding s = sec_sliding_of(r->params, r->in_avals[1]);
  int         n;
  sec_value   zero = sec_zero_literal(r->in_avals[0]->dtype), y = sec_sliding_windows(r->in[0], zero, &s, &n), place = selected(r, &s, &n);
  sec_value   here = sec_eq(under(place, y, n), sec_sliding_places(y, n));
  *out = reduce_front(sec_reduce_sum, sec_where(here, y, zero), n);
  return true;
}

/* Windows that do not overlap: every place of a window says whether it was selected. */
static bool is_tiling(const sec_sliding *s) {
  bool tiles = true;
  for (int a = 0; a < s->rank; a++) tiles &= s->axis[a].window == s->axis[a].stride && s->axis[a].base == 1 && s->axis[a].dilation == 1;
  return tiles && 2 * s->rank <= SEC_MAX_RANK;
}

static sec_value scatter_tiles(const sec_rule *r, const sec_sliding *s) {
  const sec_aval *y = r->in_avals[0], *x = r->in_avals[1];
  int             n, rank = s->rank;
  int64_t         dims[SEC_MAX_RANK], of[SEC_MAX_RANK], whole[SEC_MAX_RANK], factor = 1;
  sec_sliding     rest = {.rank = rank};
  sec_value       number = integer(0), place = selected(r, s, &n);
  for (int a = 0; a < rank; a++) {
    dims[2 * a] = y->dims[a], dims[2 * a + 1] = s->axis[a].window, of[a] = 2 * a;
    whole[a] = y->dims[a] * s->axis[a].window;
    rest.axis[a] = (sec_slide){.size = whole[a], .low = -s->axis[a].low, .high = x->dims[a] - whole[a] + s->axis[a].low, .base = 1};
  }
  for (int a = rank; a-- > 0; factor *= s->axis[a].window) {
    if (s->axis[a].window == 1) continue;
    number = sec_add(number, sec_mul(sec_iota(SEC_I32, 2 * rank, dims, 2 * a + 1), integer(factor)));
  }
  sec_value here = sec_eq(sec_broadcast_in_dim(place, 2 * rank, dims, of), number);
  sec_value out = sec_where(here, sec_broadcast_in_dim(r->in[0], 2 * rank, dims, of), sec_zero_literal(y->dtype));
  return sec_sliding_pad(sec_reshape(out, rank, whole), sec_zero_literal(y->dtype), &rest);
}

static bool scatter_expand(const sec_rule *r, sec_value *out) {
  sec_sliding s = sec_sliding_of(r->params, r->in_avals[1]), back = s;
  sec_value   zero = sec_zero_literal(r->in_avals[0]->dtype);
  int         n, last = -1;
  if (is_tiling(&s)) {
    *out = scatter_tiles(r, &s);
    return true;
  }
  for (int a = 0; a < s.rank; a++) {
    back.axis[a] = sec_slide_back(&s.axis[a]);
    last = (int)(last < 0 ? s.axis[a].window : (last + 1) * s.axis[a].window) - 1;
  }
  sec_value place = sec_sliding_windows(selected(r, &s, &n), integer(-1), &back, &n), y = sec_sliding_windows(r->in[0], zero, &back, &n);
  sec_value here = sec_eq(place, sec_sub(integer(last < 0 ? 0 : last), sec_sliding_places(place, n)));
  *out = reduce_front(sec_reduce_sum, sec_where(here, y, zero), n);
  return true;
}

/* ---- derivatives and maps: linear in the first operand, constant in the second where it has a derivative ---- */
static sec_value bind_select(const sec_primitive *prim, sec_value y, sec_value x, const sec_sliding *s, bool greatest) {
  return sec_bind2(prim, y, x, sec_sliding_params(prim->name, s, greatest ? "ge" : "le"));
}

static sec_value select_jvp(const sec_rule *r, sec_value dy) {
  sec_params_retain(r->params);
  return sec_bind2(r->prim, dy, r->in[1], r->params);
}

static sec_value select_transpose(const sec_rule *r, sec_value ct) {
  bool gather = strcmp(r->prim->name, "select_and_gather_add") == 0;
  sec_params_retain(r->params);
  return sec_bind2(sec_primitive_find(gather ? "select_and_scatter_add" : "select_and_gather_add"), ct, r->in[1], r->params);
}

static sec_status select_batch(sec_batch *b) {
  sec_sliding lane = sec_sliding_of(b->params, b->in_avals[1]), s = sec_sliding_batch(&lane, b->size);
  return sec_batch_result(b, bind_select(b->prim, sec_batch_operand(b, 0), sec_batch_operand(b, 1), &s, is_greatest(b->params)));
}

#define SELECT                                                                                                           \
  .operands = {"y", "x"}, .jvp = {select_jvp, sec_jvp_zero}, .transpose = {select_transpose}, .batch = select_batch,     \
  .takes = SEC_TAKES_REAL

SEC_PRIMITIVE(select_and_gather_add, .doc = "The elements of y that lie where x is selected in each window.", SELECT,
              .type = gather_type, .eval = gather_eval, .expand = gather_expand)
SEC_PRIMITIVE(select_and_scatter_add, .doc = "The elements of y, one a window, added where x is selected in it.", SELECT,
              .type = scatter_type, .eval = scatter_eval, .expand = scatter_expand)

static sec_value from_user(const sec_primitive *prim, sec_value y, sec_value x, const sec_window_dims *dims, bool greatest) {
  sec_sliding s;
  if (sec_value_aval(y) == NULL || !sec_sliding_from_user(prim->name, x, dims, &s)) return SEC_VALUE_POISON;
  return bind_select(prim, y, x, &s, greatest);
}

sec_value sec_select_and_gather_add(sec_value y, sec_value x, const sec_window_dims *dims, bool greatest) {
  return from_user(&sec_select_and_gather_add_p, y, x, dims, greatest);
}
sec_value sec_select_and_scatter_add(sec_value y, sec_value x, const sec_window_dims *dims, bool greatest) {
  return from_user(&sec_select_and_scatter_add_p, y, x, dims, greatest);
}
