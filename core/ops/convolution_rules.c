/* Transposes and maps of convolutions, which are convolutions.  With m the batch, j and k input and output features and g
 * groups, the features are contracted as [m, g j] [j, g k] -> [m, g k]; the cotangent of lhs is [m, g k] [k, g j] -> [m, g j],
 * that of rhs [g j, m] [m, g k] -> [j, g k], which makes feature groups batch groups and the other way round. */
#include "convolution.h"

/* Axis `from` taken out and made the outer part of axis `to` of what is left. */
static sec_value into(sec_value x, int from, int to) {
  const sec_aval *a = sec_value_aval(x);
  int64_t         permutation[SEC_MAX_RANK], shape[SEC_MAX_RANK];
  int             at = 0;
  if (a == NULL) return SEC_VALUE_POISON;
  for (int k = 0, left = 0; k < a->rank; k++) {
    if (k == from) continue;
    if (left == to) permutation[at++] = from;
    shape[left++] = a->dims[k];
    permutation[at++] = k;
  }
  shape[to] *= a->dims[from];
  return sec_reshape(sec_transpose(x, permutation), a->rank - 1, shape);
}

/* Axis `axis` split into `outer` and the rest. */
static sec_value out_of(sec_value x, int axis, int64_t outer) {
  const sec_aval *a = sec_value_aval(x);
  int64_t         shape[SEC_MAX_RANK + 1];
  if (a == NULL) return SEC_VALUE_POISON;
  if (a->rank == SEC_MAX_RANK) {
    sec_error_set(SEC_UNSUPPORTED, NULL, "conv_general_dilated: %s has no room for an axis of groups", a->text);
    return SEC_VALUE_POISON;
  }
  for (int k = 0; k < a->rank; k++) shape[k + (k > axis)] = a->dims[k];
  shape[axis + 1] = outer ? a->dims[axis] / outer : 0;
  shape[axis] = outer;
  return sec_reshape(x, a->rank + 1, shape);
}

static void swap_spec(int64_t *to, const int64_t *from, int n) {
  memcpy(to, from, (size_t)n * sizeof *to);
  to[0] = from[1], to[1] = from[0];
}

static sec_dtype preferred_of(const sec_params *p) { return (sec_dtype)sec_params_int(p, "preferred_element_type"); }

sec_value sec_conv_transpose_lhs(const sec_rule *r, sec_value ct) {
  const sec_aval *x = r->in_avals[0];
  sec_conv        c = sec_conv_of(r->params, x, r->in_avals[1]), back = c;
  int64_t         groups = sec_conv_groups(&c);
  sec_value       rhs = r->in[1];
  if (x->size == 0 || r->in_avals[1]->size == 0 || r->out_avals[0]->size == 0) return SEC_VALUE_ZERO;
  if (groups > 1) rhs = into(out_of(rhs, (int)c.rhs[0], groups), (int)c.rhs[0], (int)c.rhs[1]);
  rhs = sec_convert(sec_rev(rhs, c.rhs + 2, c.n), r->out_avals[0]->dtype, false);
  swap_spec(back.rhs, c.rhs, c.n + 2);
  memcpy(back.lhs, c.out, sizeof back.lhs);
  memcpy(back.out, c.lhs, sizeof back.out);
  back.feature_groups = groups, back.batch_groups = 1;
  for (int a = 0; a < c.n; a++) back.axis[a] = sec_slide_back(&c.axis[a]);
  sec_value out = sec_conv_bind(ct, rhs, &back, preferred_of(r->params));
  if (c.batch_groups > 1) out = into(out_of(out, (int)c.lhs[1], groups), (int)c.lhs[1], (int)c.lhs[0]);
  return sec_convert(out, x->dtype, x->weak);
}

sec_value sec_conv_transpose_rhs(const sec_rule *r, sec_value ct) {
  const sec_aval *y = r->in_avals[1];
  sec_conv        c = sec_conv_of(r->params, r->in_avals[0], y), back = c;
  if (y->size == 0 || r->in_avals[0]->size == 0 || r->out_avals[0]->size == 0) return SEC_VALUE_ZERO;
  swap_spec(back.lhs, c.lhs, c.n + 2);
  swap_spec(back.rhs, c.out, c.n + 2);
  swap_spec(back.out, c.rhs, c.n + 2);
  back.feature_groups = c.batch_groups, back.batch_groups = c.feature_groups;
  for (int a = 0; a < c.n; a++) {
    const sec_slide *s = &c.axis[a];
    int64_t          n = sec_slide_count(s), reach = (s->window - 1) * s->dilation;
    back.axis[a] = (sec_slide){.size = s->size, .window = n, .stride = s->dilation, .low = s->low, .base = s->base, .dilation = s->stride};
    back.axis[a].high = (n - 1) * s->stride - (s->size - 1) * s->base + reach - s->low;
  }
  sec_value lhs = sec_convert(r->in[0], r->out_avals[0]->dtype, false);
  return sec_convert(sec_conv_bind(lhs, ct, &back, preferred_of(r->params)), y->dtype, y->weak);
}

/* The mapped axis joins the batch, the features or the output features, as more groups where both operands have it. */
sec_status sec_conv_batch(sec_batch *b) {
  sec_conv  c = sec_conv_of(b->params, b->in_avals[0], b->in_avals[1]);
  sec_dtype result = preferred_of(b->params);
  sec_value lhs = b->in[0], rhs = b->in[1], out;
  int       batch = (int)c.lhs[0], feature = (int)c.lhs[1], outputs = (int)c.rhs[0], axis = (int)c.out[1];
  int64_t   groups = sec_conv_groups(&c);
  if (b->size == 0) {
    int64_t dims[SEC_LIST];
    sec_prepend(0, b->out_avals[0]->dims, b->out_avals[0]->rank, dims);
    return sec_batch_result(b, sec_full(sec_zero_literal(result), b->out_avals[0]->rank + 1, dims));
  }
  if (b->batched[0] && b->batched[1]) {
    bool by_batch = c.batch_groups > 1;
    *(by_batch ? &c.batch_groups : &c.feature_groups) *= b->size;
    out = sec_conv_bind(into(lhs, 0, by_batch ? batch : feature), into(rhs, 0, outputs), &c, result);
    out = out_of(out, axis, b->size);
  } else if (b->batched[0]) {
    axis = (int)c.out[0];
    if (c.batch_groups > 1) { /* groups stay outermost */
      lhs = into(out_of(lhs, batch + 1, groups), 0, batch + 1);
      lhs = into(lhs, batch, batch);
    } else lhs = into(lhs, 0, batch);
    out = out_of(sec_conv_bind(lhs, rhs, &c, result), axis, b->size);
  } else {
    if (groups > 1) {
      rhs = into(out_of(rhs, outputs + 1, groups), 0, outputs + 1);
      out = sec_conv_bind(lhs, into(rhs, outputs, outputs), &c, result);
      out = out_of(out_of(out, axis, groups), axis + 1, b->size);
      out = into(out, axis, axis + 1);
    } else out = out_of(sec_conv_bind(lhs, into(rhs, 0, outputs), &c, result), axis, b->size);
  }
  return sec_batch_result(b, sec_move_to_front(out, axis));
}
