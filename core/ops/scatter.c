/* scatter and scatter_add: windows written to, or added to, places that an array of indices gives,
 * in the order of the indices: of several writes to one place the last stays.  What the whole family
 * shares; its other members are in scatter_combine.c. */
#include "complex.h"
#include "gather.h"

SEC_DECLARE_PRIMITIVE(add)

sec_status sec_scatter_type(sec_typing *t) {
  const sec_aval *x = t->in[0], *updates = t->in[2];
  int64_t dims[SEC_MAX_RANK];
  int rank;
  if (x->dtype != updates->dtype)
    return sec_type_error(t, SEC_TYPE, "convert the updates",
                          "operand and updates have different types, %s and %s", x->text,
                          updates->text);
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(sec_windows_type(t, sec_scatter_names, NULL, updates, &rank, dims));
  for (int k = 0; k < rank; k++)
    if (dims[k] != updates->dims[k])
      return sec_type_error(t, SEC_SHAPE, "index axes of the updates are those of the indices",
                            "axis %d of updates %s does not fit indices %s", k, updates->text,
                            t->in[1]->text);
  return sec_type_gives(t, x->dtype, x->weak, x->rank, x->dims);
}

/* promised indices that are outside are dropped, as on XLA's CPU */
static int64_t scatter_mode(const sec_params *p) {
  return sec_params_int(p, "mode") == SEC_MODE_CLIP ? SEC_MODE_CLIP : SEC_MODE_FILL_OR_DROP;
}

typedef struct scatter_arrays {
  sec_array *y;
  const sec_array *updates;
  const sec_primitive *combine;
} scatter_arrays;

static void set_visit(void *user, int64_t operand, int64_t windows) {
  const scatter_arrays *s = user;
  size_t size = sec_dtype_size(s->y->aval->dtype);
  if (operand >= 0)
    memcpy((char *)s->y->data + (size_t)operand * size,
           (const char *)s->updates->data + (size_t)windows * size, size);
}

static void combine_visit(void *user, int64_t operand, int64_t windows) {
  const scatter_arrays *s = user;
  const sec_scalar_rule *rule = &s->combine->scalar;
  sec_dtype dtype = s->y->aval->dtype;
  sec_kind kind = sec_dtype_kind(dtype);
  int bits = sec_dtype_bits(dtype);
  if (operand < 0) return;
  if (kind == SEC_KIND_COMPLEX) {
    sec_put_c(s->y, operand, rule->c((const double _Complex[]){sec_get_c(s->y, operand), sec_get_c(s->updates, windows)}));
    return;
  }
  if (kind == SEC_KIND_FLOAT) {
    sec_put_f(s->y, operand,
              rule->f((const double[]){sec_get_f(s->y, operand), sec_get_f(s->updates, windows)}));
    return;
  }
  int64_t x[2] = {sec_get_i(s->y, operand), sec_get_i(s->updates, windows)};
  if (kind == SEC_KIND_INT) sec_put_i(s->y, operand, rule->i(x, bits));
  else sec_put_i(s->y, operand, (int64_t)rule->u((const uint64_t *)x, bits));
}

sec_status sec_scatter_eval(const sec_eval *e) {
  sec_gather_dims d = sec_gather_dims_of(e->params, sec_scatter_names);
  scatter_arrays s = {e->out[0], e->in[2], e->prim->combine};
  sec_windows w;
  SEC_TRY(sec_eval_copy(e));
  sec_windows_make(&d, e->in[0]->aval, e->in[2]->aval, &w);
  sec_windows_walk(&w, e->in[1], scatter_mode(e->params), s.combine ? combine_visit : set_visit, &s);
  return SEC_OK;
}

int sec_scatter_meta(const sec_typing *t, int64_t *meta) {
  sec_gather_dims d = sec_gather_dims_of(t->params, sec_scatter_names);
  sec_windows w;
  sec_windows_make(&d, t->in[0], t->in[2], &w);
  return sec_windows_meta(&w, t->in[0]->dtype, t->in[1]->dtype, scatter_mode(t->params),
                          t->in[0]->size, meta);
}

sec_value sec_bind_scatter(const sec_primitive *prim, sec_value x, sec_value indices,
                           sec_value updates, const sec_gather_dims *d, int mode, bool unique) {
  const sec_value in[3] = {x, indices, updates};
  sec_value out;
  for (int i = 0; i < 3; i++)
    if (sec_value_aval(in[i]) == NULL) return SEC_VALUE_POISON;
  sec_param list[8] = {
      SEC_P_INTS("update_window_dims", d->offset_dims, d->n_offset),
      SEC_P_INTS("inserted_window_dims", d->collapsed_slice_dims, d->n_collapsed),
      SEC_P_INTS("scatter_dims_to_operand_dims", d->start_index_map, d->n_start),
      SEC_P_INTS("operand_batching_dims", d->operand_batching_dims, d->n_batching),
      SEC_P_INTS("scatter_indices_batching_dims", d->start_indices_batching_dims, d->n_batching)};
  int n = 5 + sec_index_params(mode | (unique ? SEC_INDICES_UNIQUE : 0), list + 5);
  const sec_params *params = sec_params_make(sec_current_context(prim->name), list, n);
  sec_bind(prim, in, 3, params, &out, 1);
  return out;
}

bool sec_scatter_unique(const sec_params *p) { return sec_params_int(p, "unique_indices") != 0; }

sec_status sec_scatter_batch(sec_batch *b) {
  sec_gather_dims d = sec_gather_dims_of(b->params, sec_scatter_names);
  sec_batched_dims batched;
  sec_gather_dims_batch(&d, true, b->batched[1], &batched);
  return sec_batch_result(
      b, sec_bind_scatter(b->prim, sec_batch_operand(b, 0), b->in[1], sec_batch_operand(b, 2),
                          &batched.dims, (int)sec_params_int(b->params, "mode"),
                          sec_scatter_unique(b->params)));
}

sec_value sec_scatter_gather_back(const sec_rule *r, sec_value v) {
  const sec_aval *x = r->in_avals[0], *updates = r->in_avals[2];
  sec_gather_dims d = sec_gather_dims_of(r->params, sec_scatter_names);
  int64_t sizes[SEC_MAX_RANK];
  for (int a = 0, next = 0; a < x->rank; a++) {
    bool window = !sec_has_axis(d.collapsed_slice_dims, d.n_collapsed, a) &&
                  !sec_has_axis(d.operand_batching_dims, d.n_batching, a);
    sizes[a] = window ? updates->dims[d.offset_dims[next++]] : 1;
  }
  return sec_gather_or_zero(v, r->in[1], &d, sizes, (int)sec_params_int(r->params, "mode"));
}

/* ct with zeros where updates were written */
static sec_value scatter_transpose_x(const sec_rule *r, sec_value ct) {
  sec_gather_dims d = sec_gather_dims_of(r->params, sec_scatter_names);
  return sec_bind_scatter(r->prim, ct, r->in[1], sec_zeros_of(r->in_avals[2]), &d,
                          (int)sec_params_int(r->params, "mode"), false);
}

/* ct gathered back, where the update is the one that stayed: updates are numbered from 1, the
 * numbers are scattered, and an update that finds its own number stayed */
static sec_value scatter_transpose_updates(const sec_rule *r, sec_value ct) {
  const sec_aval *x = r->in_avals[0], *updates = r->in_avals[2];
  sec_gather_dims d = sec_gather_dims_of(r->params, sec_scatter_names);
  int64_t dims[SEC_MAX_RANK], axes[SEC_MAX_RANK], count = 1;
  for (int k = 0; k < updates->rank; k++) {
    axes[k] = k;
    dims[k] = sec_has_axis(d.offset_dims, d.n_offset, k) ? 1 : updates->dims[k];
    count *= dims[k];
  }
  sec_value one = sec_literal_of(SEC_U32, false, 0, 1);
  sec_value ids = sec_reshape(sec_add(sec_iota(SEC_U32, 1, &count, 0), one), updates->rank, dims);
  ids = sec_broadcast_in_dim(ids, updates->rank, updates->dims, axes);
  sec_value none = sec_full(sec_zero_literal(SEC_U32), x->rank, x->dims);
  sec_value stayed = sec_bind_scatter(r->prim, none, r->in[1], ids, &d,
                                      (int)sec_params_int(r->params, "mode"), false);
  return sec_where(sec_eq(sec_scatter_gather_back(r, stayed), ids), sec_scatter_gather_back(r, ct),
                   sec_zero_literal(x->dtype));
}

SEC_PRIMITIVE(scatter, .doc = "The operand with windows replaced; the last write stays.", SEC_SCATTER,
              .linear = 1 | 4, .transpose = {scatter_transpose_x, NULL, scatter_transpose_updates},
              .runtime = "sec_rt_scatter", .takes = SEC_TAKES_ANY, .parts = sec_parts_each)

static sec_value add_transpose_x(const sec_rule *r, sec_value ct) {
  (void)r;
  return ct;
}

SEC_PRIMITIVE(scatter_add, .doc = "The operand with windows added at places given by indices.",
              SEC_SCATTER, .linear = 1 | 4, .transpose = {add_transpose_x, NULL, sec_scatter_gather_back},
              .combine = &sec_add_p, .runtime = "sec_rt_scatter_add", .takes = SEC_TAKES_NUMBER,
              .parts = sec_parts_each)

sec_value sec_scatter_as(const sec_primitive *prim, sec_value x, sec_value indices,
                         sec_value updates, const sec_scatter_dims *s, int mode, bool unique) {
  sec_gather_dims d = {s->update_window_dims,
                       s->inserted_window_dims,
                       s->scatter_dims_to_operand_dims,
                       s->operand_batching_dims,
                       s->scatter_indices_batching_dims,
                       s->n_window,
                       s->n_inserted,
                       s->n_scatter,
                       s->n_batching};
  return sec_bind_scatter(prim, x, indices, updates, &d, mode, unique);
}

sec_value sec_scatter(sec_value x, sec_value indices, sec_value updates,
                      const sec_scatter_dims *dims, int mode) {
  return sec_scatter_as(&sec_scatter_p, x, indices, updates, dims, mode, false);
}

sec_value sec_scatter_add(sec_value x, sec_value indices, sec_value updates,
                          const sec_scatter_dims *dims, int mode) {
  return sec_scatter_as(&sec_scatter_add_p, x, indices, updates, dims, mode, false);
}
