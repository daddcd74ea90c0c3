/* Collectives that give each lane its own part: all_to_all, reduce_scatter (psum_scatter). */
#include "collective.h"
#include "structure.h"
#include <secant/axis.h>

SEC_DECLARE_PRIMITIVE(all_to_all)
SEC_DECLARE_PRIMITIVE(reduce_scatter)

static int64_t size_of(const sec_params *p) { return sec_params_int(p, "axis_size"); }
static int axis_of(const sec_params *p, const char *name) { return (int)sec_params_int(p, name); }

/* Axis `axis` of t's operand is made of axis_size equal parts. */
static sec_status type_parts(const sec_typing *t, const char *what, int64_t axis) {
  const sec_aval *x = t->in[0];
  int64_t size = size_of(t->params);
  SEC_TRY(sec_type_axes(t, what, &axis, 1, x->rank));
  if (size > 0 && x->dims[axis] % size == 0) return SEC_OK;
  return sec_type_error(t, SEC_SHAPE, "a multiple of the number of lanes",
                        "axis %" PRId64 " of %s is not made of %" PRId64 " equal parts", axis,
                        x->text, size);
}

/* Axis `axis` as two: `size` parts and what is in one. */
static sec_value part(sec_value x, int axis, int64_t size) {
  const sec_aval *a = sec_value_aval(x);
  int64_t dims[SEC_MAX_RANK + 1];
  if (a == NULL) return SEC_VALUE_POISON;
  for (int d = 0; d < a->rank; d++) dims[d < axis ? d : d + 1] = a->dims[d];
  dims[axis] = size;
  dims[axis + 1] = a->dims[axis] / size;
  return sec_reshape(x, a->rank + 1, dims);
}

/* Axes `axis` and `axis` + 1 as one. */
static sec_value join(sec_value x, int axis) {
  const sec_aval *a = sec_value_aval(x);
  int64_t dims[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  for (int d = 0; d < a->rank - 1; d++) dims[d] = a->dims[d <= axis ? d : d + 1];
  dims[axis] *= a->dims[axis + 1];
  return sec_reshape(x, a->rank - 1, dims);
}

/* ---- all_to_all: lane i sends part k of an axis to lane k, which joins what it gets along
 * another; transposes to the exchange backwards ---- */
static sec_value bind_all_to_all(sec_context *cx, sec_value x, const char *name, int64_t size,
                                 int split, int concat) {
  const sec_params *p = sec_params_make(
      cx, SEC_PARAMS(SEC_P_STR("axis_name", name), SEC_P_INT("axis_size", size),
                     SEC_P_INT("concat_axis", concat), SEC_P_INT("split_axis", split)));
  return p ? sec_bind1(&sec_all_to_all_p, x, p) : SEC_VALUE_POISON;
}

static sec_status all_to_all_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  int64_t split = axis_of(t->params, "split_axis"), concat = axis_of(t->params, "concat_axis");
  int64_t dims[SEC_MAX_RANK];
  SEC_TRY(sec_collective_type(t));
  SEC_TRY(type_parts(t, "split_axis", split));
  SEC_TRY(sec_type_axes(t, "concat_axis", &concat, 1, x->rank));
  memcpy(dims, x->dims, sizeof dims);
  dims[split] /= size_of(t->params);
  dims[concat] *= size_of(t->params);
  return sec_type_gives(t, x->dtype, x->weak, x->rank, dims);
}

static sec_value all_to_all_transpose(const sec_rule *r, sec_value ct) {
  return bind_all_to_all(r->cx, ct, sec_collective_name(r->params), size_of(r->params),
                         axis_of(r->params, "concat_axis"), axis_of(r->params, "split_axis"));
}

static sec_status all_to_all_batch(sec_batch *b) {
  int split = axis_of(b->params, "split_axis"), concat = axis_of(b->params, "concat_axis");
  if (!sec_collective_is_mine(b))
    return sec_collective_give(b,
                               bind_all_to_all(b->cx, b->in[0], sec_collective_name(b->params),
                                               size_of(b->params), split + 1, concat + 1),
                               true);
  sec_value x = part(sec_batch_operand(b, 0), split + 1, b->size); /* [sender, .., receiver, ..] */
  x = sec_move_to_front(x, split + 1);                             /* [receiver, sender, ..] */
  const sec_aval *a = sec_value_aval(x);
  int64_t order[SEC_MAX_RANK];
  if (a == NULL) return sec_error_status(b->cx);
  for (int d = 0; d < a->rank; d++) order[d] = d == 0 ? 0 : d <= concat ? d + 1 : d;
  order[concat + 1] = 1; /* the sender goes in front of the axis that it is joined to */
  return sec_collective_give(b, join(sec_transpose(x, order), concat + 1), true);
}

SEC_PRIMITIVE(all_to_all, .doc = "Parts of an axis to all lanes of a named axis, joined there.",
              .operands = {"x"}, .type = all_to_all_type, .eval = sec_collective_eval, .linear = 1,
              .transpose = {all_to_all_transpose}, .batch = all_to_all_batch)

/* Not tiled: split_axis, of one element a lane, goes, and the lanes come as a new axis. */
sec_value sec_all_to_all(sec_value x, const char *axis_name, int split_axis, int concat_axis,
                         bool tiled) {
  const sec_aval *a = sec_value_aval(x);
  int64_t size = a ? sec_collective_size("all_to_all", axis_name) : -1, split = split_axis,
          concat = concat_axis;
  if (size < 0 || !sec_axes_from_user("all_to_all", a->rank, &split, 1, &split) ||
      !sec_axes_from_user("all_to_all", a->rank, &concat, 1, &concat))
    return SEC_VALUE_POISON;
  if (!tiled && a->dims[split] != size) {
    sec_error_set(SEC_SHAPE, "or ask for tiled",
                  "all_to_all: axis %d of %s is not one of %lld lanes", (int)split, a->text,
                  (long long)size);
    return SEC_VALUE_POISON;
  }
  if (!tiled && split != concat) {
    if (split < concat) concat++; /* it counts without the axis that is split */
    else split++;
    x = sec_expand_dims(x, &concat, 1);
  }
  x = bind_all_to_all(sec_current_context("all_to_all"), x, axis_name, size, (int)split,
                      (int)concat);
  return tiled || split == concat ? x : sec_squeeze(x, &split, 1);
}

/* ---- reduce_scatter: a lane gets its part of the sum over all; transposes to all_gather ---- */
sec_value sec_collective_reduce_scatter(sec_context *cx, sec_value x, const char *name, int axis,
                                        int64_t size, bool tiled) {
  const sec_params *p = sec_params_make(
      cx, SEC_PARAMS(SEC_P_STR("axis_name", name), SEC_P_INT("axis_size", size),
                     SEC_P_INT("scatter_dimension", axis), SEC_P_BOOL("tiled", tiled)));
  return p ? sec_bind1(&sec_reduce_scatter_p, x, p) : SEC_VALUE_POISON;
}

static bool is_tiled(const sec_params *p) { return sec_params_int(p, "tiled") != 0; }

static sec_status reduce_scatter_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  int axis = axis_of(t->params, "scatter_dimension");
  bool tiled = is_tiled(t->params);
  int64_t size = size_of(t->params), dims[SEC_MAX_RANK];
  SEC_TRY(sec_collective_type(t));
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(type_parts(t, "scatter_dimension", axis));
  if (!tiled && x->dims[axis] != size)
    return sec_type_error(t, SEC_SHAPE, "or ask for tiled",
                          "axis %d of %s is not one of %" PRId64 " lanes", axis, x->text, size);
  for (int d = 0, k = 0; d < x->rank; d++)
    if (tiled || d != axis) dims[k++] = d == axis ? x->dims[d] / size : x->dims[d];
  return sec_type_gives(t, x->dtype, x->weak, tiled ? x->rank : x->rank - 1, dims);
}

static sec_value reduce_scatter_transpose(const sec_rule *r, sec_value ct) {
  return sec_collective_all_gather(r->cx, ct, sec_collective_name(r->params),
                                   axis_of(r->params, "scatter_dimension"), size_of(r->params),
                                   is_tiled(r->params));
}

static sec_status reduce_scatter_batch(sec_batch *b) {
  int axis = axis_of(b->params, "scatter_dimension");
  bool tiled = is_tiled(b->params);
  if (!sec_collective_is_mine(b))
    return sec_collective_give(
        b,
        sec_collective_reduce_scatter(b->cx, b->in[0], sec_collective_name(b->params), axis + 1,
                                      size_of(b->params), tiled),
        true);
  sec_value sum = sec_reduce_sum(sec_batch_operand(b, 0), (const int64_t[]){0}, 1);
  return sec_collective_give(b, sec_move_to_front(tiled ? part(sum, axis, b->size) : sum, axis),
                             true);
}

SEC_PRIMITIVE(reduce_scatter, .doc = "Each lane's part of the sum over the lanes of a named axis.",
              .operands = {"x"}, .type = reduce_scatter_type, .eval = sec_collective_eval,
              .linear = 1, .transpose = {reduce_scatter_transpose}, .batch = reduce_scatter_batch,
              .takes = SEC_TAKES_NUMBER)

sec_value sec_psum_scatter(sec_value x, const char *axis_name, int scatter_dimension, bool tiled) {
  const sec_aval *a = sec_value_aval(x);
  int64_t size = a ? sec_collective_size("psum_scatter", axis_name) : -1, axis = scatter_dimension;
  if (size < 0 || !sec_axes_from_user("psum_scatter", a->rank, &axis, 1, &axis))
    return SEC_VALUE_POISON;
  return sec_collective_reduce_scatter(sec_current_context("psum_scatter"), x, axis_name, (int)axis,
                                       size, tiled);
}
