/* Collectives over a named axis: psum pmax pmin all_gather ppermute axis_index.
 *
 * Their types are those of one lane.  They live until the vmap of their axis name replaces them by
 * operations on the batched operand; under a vmap of another name they pass through. */
#include "collective.h"
#include <secant/axis.h>
#include <string.h>

/* ---- the names that are bound ---- */
enum { MAX_AXES = 64, MAX_NAME = 128 };
static _Thread_local struct {
  char name[MAX_NAME];
  int64_t size;
} axes[MAX_AXES];
static _Thread_local int n_axes;

sec_status sec_axis_push(const char *name, int64_t size) {
  if (n_axes == MAX_AXES)
    return sec_error_set(SEC_ARGUMENT, "nest fewer maps",
                         "axis %s: %d axis names are bound already", name, MAX_AXES);
  if (strlen(name) >= MAX_NAME)
    return sec_error_set(SEC_ARGUMENT, "use a shorter name",
                         "axis %.40s...: a name has at most %d bytes", name, MAX_NAME - 1);
  strcpy(axes[n_axes].name, name);
  axes[n_axes++].size = size;
  return SEC_OK;
}

void sec_axis_pop(void) {
  if (n_axes > 0) n_axes--;
}

int64_t sec_axis_size(const char *name) {
  for (int i = n_axes; i-- > 0;)
    if (strcmp(axes[i].name, name) == 0) return axes[i].size;
  return -1;
}

int64_t sec_collective_size(const char *op, const char *name) {
  int64_t size = sec_axis_size(name);
  if (size < 0)
    sec_error_set(SEC_AXIS_NAME, "call the function under a vmap or pmap with this axis_name",
                  "%s: the axis name %s is not bound", op, name);
  return size;
}

/* ---- shared rules ---- */
const char *sec_collective_name(const sec_params *p) {
  const sec_param *q = sec_params_find(p, "axis_name");
  return q && q->kind == SEC_PARAM_STR ? q->u.str : "";
}

sec_status sec_collective_type(const sec_typing *t) {
  if (sec_collective_name(t->params)[0]) return SEC_OK;
  return sec_type_error(t, SEC_ARGUMENT, "name the axis of a vmap or pmap",
                        "parameter axis_name is missing");
}

static sec_status same_type(sec_typing *t) {
  SEC_TRY(sec_collective_type(t));
  t->out[0] = t->in[0];
  t->n_out = 1;
  return SEC_OK;
}

sec_status sec_collective_eval(const sec_eval *e) {
  return sec_error_set(SEC_AXIS_NAME, "apply vmap or pmap with this axis_name first",
                       "%s: the axis name %s is not bound", e->prim->name,
                       sec_collective_name(e->params));
}

bool sec_collective_is_mine(const sec_batch *b) {
  return b->axis_name && strcmp(b->axis_name, sec_collective_name(b->params)) == 0;
}

sec_status sec_collective_give(sec_batch *b, sec_value out, bool batched) {
  b->out[0] = out;
  b->out_batched[0] = batched;
  return sec_value_ok(out) ? SEC_OK : sec_error_status(b->cx);
}

/* Under a vmap of another name: the same collective on the batched operand. */
static sec_status pass_through(sec_batch *b) {
  sec_params_retain(b->params);
  return sec_collective_give(b, sec_bind1(b->prim, b->in[0], b->params), true);
}

static sec_value with_name(const sec_primitive *prim, sec_value x, const char *name) {
  const sec_aval *a = sec_value_aval(x);
  if (!a || sec_collective_size(prim->name, name) < 0) return SEC_VALUE_POISON;
  const sec_params *p = sec_params_make(sec_trace_context(sec_trace_current()),
                                        SEC_PARAMS(SEC_P_STR("axis_name", name)));
  return p ? sec_bind1(prim, x, p) : SEC_VALUE_POISON;
}

static sec_value rebind(const sec_rule *r, const sec_primitive *prim, sec_value x) {
  const sec_params *p =
      sec_params_make(r->cx, SEC_PARAMS(SEC_P_STR("axis_name", sec_collective_name(r->params))));
  return p ? sec_bind1(prim, x, p) : SEC_VALUE_POISON;
}

SEC_DECLARE_PRIMITIVE(psum)
SEC_DECLARE_PRIMITIVE(all_gather)
SEC_DECLARE_PRIMITIVE(ppermute)
SEC_DECLARE_PRIMITIVE(axis_index)

/* ---- psum: transposes to itself ---- */
static sec_status psum_batch(sec_batch *b) {
  if (!sec_collective_is_mine(b)) return pass_through(b);
  if (b->batched[0])
    return sec_collective_give(b, sec_reduce_sum(b->in[0], (const int64_t[]){0}, 1), false);
  const sec_aval *a = b->in_avals[0];
  sec_value size = sec_literal_of(a->dtype, a->weak, (double)b->size, b->size);
  return sec_collective_give(b, sec_mul(b->in[0], size), false);
}
static sec_value psum_transpose(const sec_rule *r, sec_value ct) {
  return rebind(r, &sec_psum_p, ct);
}

SEC_PRIMITIVE(psum, .doc = "Sum over the lanes of a named axis.", .operands = {"x"},
              .type = same_type, .eval = sec_collective_eval, .linear = 1,
              .transpose = {psum_transpose}, .batch = psum_batch)

sec_value sec_psum(sec_value x, const char *axis_name) {
  const sec_literal *l = sec_value_literal(x);
  int64_t size = sec_axis_size(axis_name);
  if (!l || size < 0 || sec_aval_is_complex(l->aval)) return with_name(&sec_psum_p, x, axis_name);
  return sec_literal_of(l->aval->dtype, l->aval->weak, l->f * (double)size,
                        (int64_t)((uint64_t)l->i * (uint64_t)size));
}

/* ---- pmax, pmin: the tangent is the mean over the lanes that hold the extreme ---- */
static sec_value extreme_jvp(const sec_rule *r, sec_value dx) {
  sec_value here = sec_convert(sec_eq(r->in[0], r->out[0]), r->out_avals[0]->dtype, false);
  return sec_div(rebind(r, &sec_psum_p, sec_mul(dx, here)), rebind(r, &sec_psum_p, here));
}
static sec_status pmax_batch(sec_batch *b) {
  if (!sec_collective_is_mine(b)) return pass_through(b);
  sec_value x = b->in[0];
  return sec_collective_give(b, b->batched[0] ? sec_reduce_max(x, (const int64_t[]){0}, 1) : x,
                             false);
}
static sec_status pmin_batch(sec_batch *b) {
  if (!sec_collective_is_mine(b)) return pass_through(b);
  sec_value x = b->in[0];
  return sec_collective_give(b, b->batched[0] ? sec_reduce_min(x, (const int64_t[]){0}, 1) : x,
                             false);
}

SEC_PRIMITIVE(pmax, .doc = "Largest value over the lanes of a named axis.", .operands = {"x"},
              .type = same_type, .eval = sec_collective_eval, .jvp = {extreme_jvp},
              .batch = pmax_batch)
SEC_PRIMITIVE(pmin, .doc = "Smallest value over the lanes of a named axis.", .operands = {"x"},
              .type = same_type, .eval = sec_collective_eval, .jvp = {extreme_jvp},
              .batch = pmin_batch)

sec_value sec_pmax(sec_value x, const char *axis_name) {
  return with_name(&sec_pmax_p, x, axis_name);
}
sec_value sec_pmin(sec_value x, const char *axis_name) {
  return with_name(&sec_pmin_p, x, axis_name);
}

/* ---- all_gather: the lanes side by side along a new axis, or end to end along an old one when tiled ---- */
static int gather_axis(const sec_params *p) {
  return (int)sec_params_int(p, "all_gather_dimension");
}
static int64_t gather_size(const sec_params *p) { return sec_params_int(p, "axis_size"); }
static bool gather_tiled(const sec_params *p) { return sec_params_int(p, "tiled") != 0; }

sec_value sec_collective_all_gather(sec_context *cx, sec_value x, const char *name, int axis,
                                 int64_t size, bool tiled) {
  const sec_params *p = sec_params_make(
      cx, SEC_PARAMS(SEC_P_INT("all_gather_dimension", axis), SEC_P_STR("axis_name", name),
                     SEC_P_INT("axis_size", size), SEC_P_BOOL("tiled", tiled)));
  return p ? sec_bind1(&sec_all_gather_p, x, p) : SEC_VALUE_POISON;
}

static sec_status all_gather_type(sec_typing *t) {
  SEC_TRY(sec_collective_type(t));
  const sec_aval *x = t->in[0];
  int axis = gather_axis(t->params);
  int64_t size = gather_size(t->params), dims[SEC_MAX_RANK + 1];
  bool tiled = gather_tiled(t->params);
  if (axis < 0 || axis > x->rank - (tiled ? 1 : 0) || size < 0)
    return sec_type_error(t, SEC_AXIS, "the axis counts in the result", "axis %d does not fit %s",
                          axis, x->text);
  for (int d = 0, k = 0; k < x->rank || d == axis; d++) {
    if (d == axis) dims[d] = tiled ? size * x->dims[k++] : size;
    else dims[d] = x->dims[k++];
    if (d == SEC_MAX_RANK) break;
  }
  t->out[0] = sec_aval_get(t->cx, x->dtype, x->weak, tiled ? x->rank : x->rank + 1, dims);
  t->n_out = 1;
  return t->out[0] ? SEC_OK : sec_error_status(t->cx);
}

/* The cotangents of all lanes add up, and each lane takes its own part. */
static sec_value all_gather_transpose(const sec_rule *r, sec_value ct) {
  return sec_collective_reduce_scatter(r->cx, ct, sec_collective_name(r->params),
                                       gather_axis(r->params), gather_size(r->params),
                                       gather_tiled(r->params));
}

static sec_value move_front_to(sec_value x, int axis) {
  const sec_aval *a = sec_value_aval(x);
  int64_t order[SEC_MAX_RANK];
  if (!a || axis == 0) return x;
  for (int d = 0; d < a->rank; d++) order[d] = d < axis ? d + 1 : d == axis ? 0 : d;
  return sec_transpose(x, order);
}

static sec_status all_gather_batch(sec_batch *b) {
  int axis = gather_axis(b->params);
  bool tiled = gather_tiled(b->params);
  if (!sec_collective_is_mine(b))
    return sec_collective_give(
        b,
        sec_collective_all_gather(b->cx, b->in[0], sec_collective_name(b->params), axis + 1,
                                  gather_size(b->params), tiled),
        true);
  sec_value all = move_front_to(sec_batch_operand(b, 0), axis);
  const sec_aval *out = b->out_avals[0];
  return sec_collective_give(b, tiled ? sec_reshape(all, out->rank, out->dims) : all, false);
}

SEC_PRIMITIVE(all_gather, .doc = "The values of all lanes of a named axis, stacked or end to end.",
              .operands = {"x"}, .type = all_gather_type, .eval = sec_collective_eval, .linear = 1,
              .transpose = {all_gather_transpose}, .batch = all_gather_batch)

sec_value sec_all_gather(sec_value x, const char *axis_name, int axis, bool tiled) {
  const sec_aval *a = sec_value_aval(x);
  int64_t size = a ? sec_collective_size("all_gather", axis_name) : -1;
  if (size < 0) return SEC_VALUE_POISON;
  if (axis < 0) axis += a->rank + (tiled ? 0 : 1);
  return sec_collective_all_gather(sec_trace_context(sec_trace_current()), x, axis_name, axis, size,
                                   tiled);
}

/* ---- ppermute: lane `target` receives what `source` has; lanes that receive nothing get zeros ---- */
static sec_value bind_ppermute(sec_context *cx, sec_value x, const char *name, const int64_t *flat,
                               int n) {
  const int64_t **pairs = sec_alloc(cx, (size_t)(n + 1) * sizeof *pairs);
  int *two = sec_alloc(cx, (size_t)(n + 1) * sizeof *two);
  const sec_params *p = NULL;
  for (int i = 0; pairs && two && i < n; i++) {
    pairs[i] = flat + 2 * i;
    two[i] = 2;
  }
  if (pairs && two)
    p = sec_params_make(
        cx, SEC_PARAMS(SEC_P_STR("axis_name", name),
                       {.name = "perm", .kind = SEC_PARAM_INTSS, .u.intss = {pairs, two, n}}));
  sec_free(cx, pairs);
  sec_free(cx, two);
  return p ? sec_bind1(&sec_ppermute_p, x, p) : SEC_VALUE_POISON;
}

/* The lane that `target` receives from, or -1. */
static int64_t source_of(const sec_param *perm, int64_t target) {
  for (int i = 0; perm && perm->kind == SEC_PARAM_INTSS && i < perm->u.intss.count; i++)
    if (perm->u.intss.n[i] == 2 && perm->u.intss.v[i][1] == target) return perm->u.intss.v[i][0];
  return -1;
}

static sec_status ppermute_type(sec_typing *t) {
  const sec_param *perm = sec_params_find(t->params, "perm");
  bool pairs = perm && perm->kind == SEC_PARAM_INTSS;
  for (int i = 0; pairs && i < perm->u.intss.count; i++) pairs = perm->u.intss.n[i] == 2;
  if (pairs) return same_type(t);
  return sec_type_error(t, SEC_ARGUMENT, "give pairs of lanes: ((0, 1), (1, 0))",
                        "parameter perm is not a list of pairs");
}

static sec_value ppermute_transpose(const sec_rule *r, sec_value ct) {
  const sec_param *perm = sec_params_find(r->params, "perm");
  int n = perm && perm->kind == SEC_PARAM_INTSS ? perm->u.intss.count : 0;
  int64_t *flat = sec_alloc(r->cx, (size_t)(2 * n + 1) * sizeof *flat);
  if (!flat) return SEC_VALUE_POISON;
  for (int i = 0; i < n; i++) {
    flat[2 * i] = perm->u.intss.v[i][1];
    flat[2 * i + 1] = perm->u.intss.v[i][0];
  }
  sec_value out = bind_ppermute(r->cx, ct, sec_collective_name(r->params), flat, n);
  sec_free(r->cx, flat);
  return out;
}

/* Lanes [first, first + n) of x, or zeros when first < 0. */
static sec_value lanes(sec_value x, int64_t first, int64_t n) {
  const sec_aval *a = sec_value_aval(x);
  int64_t start[SEC_MAX_RANK] = {0}, limit[SEC_MAX_RANK];
  if (!a) return SEC_VALUE_POISON;
  memcpy(limit, a->dims, (size_t)a->rank * sizeof *limit);
  limit[0] = n;
  if (first < 0) return sec_full(sec_literal_of(a->dtype, a->weak, 0, 0), a->rank, limit);
  start[0] = first;
  limit[0] = first + n;
  return sec_slice(x, start, limit, NULL);
}

/* Runs of targets whose sources follow one another are one slice each: a shift is two. */
static sec_status ppermute_batch(sec_batch *b) {
  if (!sec_collective_is_mine(b)) return pass_through(b);
  const sec_param *perm = sec_params_find(b->params, "perm");
  sec_value x = sec_batch_operand(b, 0);
  sec_value *parts = sec_alloc(b->cx, (size_t)(b->size + 1) * sizeof *parts);
  int n = 0;
  if (!parts) return SEC_MEMORY;
  for (int64_t target = 0, run; target < b->size; target += run) {
    int64_t first = source_of(perm, target);
    for (run = 1; target + run < b->size; run++)
      if (source_of(perm, target + run) != (first < 0 ? -1 : first + run)) break;
    parts[n++] = lanes(x, first, run);
  }
  sec_value out = n == 1 ? parts[0] : n ? sec_concatenate(parts, n, 0) : x;
  sec_status status = sec_collective_give(b, out, true);
  sec_free(b->cx, parts);
  return status;
}

SEC_PRIMITIVE(ppermute, .doc = "Sends values from lane to lane of a named axis.", .operands = {"x"},
              .type = ppermute_type, .eval = sec_collective_eval, .linear = 1,
              .transpose = {ppermute_transpose}, .batch = ppermute_batch)

sec_value sec_ppermute(sec_value x, const char *axis_name, const int64_t *source_target_pairs,
                       int n_pairs) {
  const sec_aval *a = sec_value_aval(x);
  int64_t size = a ? sec_collective_size("ppermute", axis_name) : -1;
  for (int i = 0; i < 2 * n_pairs && size >= 0; i++)
    for (int k = i; k >= 0; k -= 2) {
      bool inside = source_target_pairs[i] >= 0 && source_target_pairs[i] < size;
      if (inside && (k == i || source_target_pairs[k] != source_target_pairs[i])) continue;
      sec_error_set(
          SEC_ARGUMENT, "name each source and each target once, from 0 to the size of the axis",
          "ppermute: lane %lld does not fit the axis %s of size %lld, or stands there twice",
          (long long)source_target_pairs[i], axis_name, (long long)size);
      return SEC_VALUE_POISON;
    }
  if (size < 0) return SEC_VALUE_POISON;
  return bind_ppermute(sec_trace_context(sec_trace_current()), x, axis_name, source_target_pairs,
                       n_pairs);
}

/* ---- axis_index ---- */
static sec_status axis_index_type(sec_typing *t) {
  t->out[0] = sec_aval_get(t->cx, SEC_I32, false, 0, NULL);
  t->n_out = 1;
  return t->out[0] ? SEC_OK : SEC_MEMORY;
}
static sec_status axis_index_batch(sec_batch *b) {
  return sec_collective_give(b, sec_iota(SEC_I32, 1, &b->size, 0), true);
}

SEC_PRIMITIVE(axis_index, .doc = "The number of the lane in a named axis.", .type = axis_index_type,
              .eval = sec_collective_eval, .batch = axis_index_batch, .flags = SEC_FLAG_NO_GRADIENT)

sec_value sec_axis_index(const char *axis_name) {
  sec_trace *t = sec_trace_current();
  sec_value out = SEC_VALUE_POISON;
  if (!t) {
    sec_error_set(SEC_NO_TRACE, "call it inside a function that is being traced",
                  "axis_index: no trace is open");
    return out;
  }
  int64_t size = sec_collective_size("axis_index", axis_name);
  if (size < 0) return out;
  const sec_params *p =
      sec_params_make(sec_trace_context(t),
                      SEC_PARAMS(SEC_P_STR("axis_name", axis_name), SEC_P_INT("axis_size", size)));
  if (p) sec_bind(&sec_axis_index_p, NULL, 0, p, &out, 1);
  return out;
}
