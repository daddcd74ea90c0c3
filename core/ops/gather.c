/* gather: windows of the operand at places that an array of indices gives. */
#include "complex.h"
#include "gather.h"

static sec_status gather_type(sec_typing *t) {
  const int64_t *sizes;
  int64_t dims[SEC_MAX_RANK];
  int n, rank;
  SEC_TRY(sec_type_ints(t, "slice_sizes", &sizes, &n));
  if (n != t->in[0]->rank)
    return sec_type_error(t, SEC_SHAPE, "give one size for each operand axis",
                          "%d slice_sizes for %s", n, t->in[0]->text);
  SEC_TRY(sec_windows_type(t, sec_gather_names, sizes, NULL, &rank, dims));
  return sec_type_gives(t, t->in[0]->dtype, t->in[0]->weak, rank, dims);
}

/* What a window outside holds: NaN, the least signed, the greatest unsigned, true; or zero if
 * asked. */
static int64_t fill_bits(const sec_params *p, sec_dtype dtype) {
  if (sec_params_find(p, "fill_value") != NULL) return 0;
  switch (sec_dtype_kind(dtype)) {
  case SEC_KIND_BOOL: return 1;
  case SEC_KIND_INT: return INT64_MIN >> (64 - sec_dtype_bits(dtype));
  case SEC_KIND_UINT: return -1;
  default: break;
  }
  sec_dtype part = sec_dtype_part(dtype); /* NaN + 0 i of complex numbers */
  return part == SEC_F64    ? 0x7ff8000000000000
         : part == SEC_F32  ? 0x7fc00000
         : dtype == SEC_BF16 ? 0x7fc0
                             : 0x7e00;
}

typedef struct gather_arrays {
  const char *x;
  char *y;
  size_t size;
  int64_t fill[2]; /* as wide as the widest element */
} gather_arrays;

static void gather_visit(void *user, int64_t operand, int64_t windows) {
  const gather_arrays *g = user;
  const void *from = operand < 0 ? (const void *)g->fill : g->x + (size_t)operand * g->size;
  memcpy(g->y + (size_t)windows * g->size, from, g->size);
}

/* promised indices are clipped, as on XLA's CPU */
static int64_t gather_mode(const sec_params *p) {
  return sec_params_int(p, "mode") == SEC_MODE_FILL_OR_DROP ? SEC_MODE_FILL_OR_DROP : SEC_MODE_CLIP;
}

static sec_status gather_eval(const sec_eval *e) {
  const sec_aval *x = e->in[0]->aval;
  sec_gather_dims d = sec_gather_dims_of(e->params, sec_gather_names);
  gather_arrays g = {e->in[0]->data, e->out[0]->data, sec_dtype_size(x->dtype),
                     {fill_bits(e->params, x->dtype), 0}};
  sec_windows w;
  sec_windows_make(&d, x, e->out[0]->aval, &w);
  sec_windows_walk(&w, e->in[1], gather_mode(e->params), gather_visit, &g);
  return SEC_OK;
}

static int gather_meta(const sec_typing *t, int64_t *meta) {
  sec_gather_dims d = sec_gather_dims_of(t->params, sec_gather_names);
  sec_windows w;
  sec_windows_make(&d, t->in[0], t->out[0], &w);
  return sec_windows_meta(&w, t->in[0]->dtype, t->in[1]->dtype, gather_mode(t->params),
                          fill_bits(t->params, t->in[0]->dtype), meta);
}

/* ct added into zeros at the same places; a promised index that is outside adds nothing */
static sec_value gather_transpose(const sec_rule *r, sec_value ct) {
  sec_gather_dims d = sec_gather_dims_of(r->params, sec_gather_names);
  const sec_scatter_dims s = {d.offset_dims,
                              d.collapsed_slice_dims,
                              d.start_index_map,
                              d.operand_batching_dims,
                              d.start_indices_batching_dims,
                              d.n_offset,
                              d.n_collapsed,
                              d.n_start,
                              d.n_batching};
  return sec_scatter_add(sec_zeros_of(r->in_avals[0]), r->in[1], ct, &s,
                         (int)sec_params_int(r->params, "mode"));
}

static sec_value bind_gather(sec_value x, sec_value indices, const sec_gather_dims *d,
                             const int64_t *slice_sizes, int mode, bool zero);

static sec_status gather_batch(sec_batch *b) {
  sec_gather_dims d = sec_gather_dims_of(b->params, sec_gather_names);
  int n;
  const int64_t *lane = sec_params_ints(b->params, "slice_sizes", &n);
  int64_t sizes[SEC_LIST];
  sec_batched_dims batched;
  sec_gather_dims_batch(&d, b->batched[0], b->batched[1], &batched);
  if (b->batched[0]) sec_prepend(b->batched[1] ? 1 : b->size, lane, n, sizes);
  return sec_batch_result(b, bind_gather(b->in[0], b->in[1], &batched.dims,
                                         b->batched[0] ? sizes : lane,
                                         (int)sec_params_int(b->params, "mode"),
                                         sec_params_find(b->params, "fill_value") != NULL));
}

SEC_PRIMITIVE(gather, .doc = "Windows of the operand at places given by indices.",
              .operands = {"x", "indices"}, .type = gather_type, .eval = gather_eval, .linear = 1,
              .transpose = {gather_transpose}, .batch = gather_batch, .form = SEC_FORM_RUNTIME,
              .runtime = "sec_rt_gather", .meta = gather_meta, .takes = SEC_TAKES_ANY, .parts = sec_parts_gather)

enum { MODES = 15 };

int sec_index_params(int mode, sec_param *list) {
  int n = 0;
  if (mode & SEC_INDICES_UNIQUE) list[n++] = (sec_param)SEC_P_BOOL("unique_indices", true);
  if (mode & SEC_INDICES_SORTED) list[n++] = (sec_param)SEC_P_BOOL("indices_are_sorted", true);
  list[n++] = (sec_param)SEC_P_INT("mode", mode & MODES);
  return n;
}

static sec_value bind_gather(sec_value x, sec_value indices, const sec_gather_dims *d,
                             const int64_t *slice_sizes, int mode, bool zero) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL || sec_value_aval(indices) == NULL) return SEC_VALUE_POISON;
  sec_param list[10] = {
      SEC_P_INTS("offset_dims", d->offset_dims, d->n_offset),
      SEC_P_INTS("collapsed_slice_dims", d->collapsed_slice_dims, d->n_collapsed),
      SEC_P_INTS("start_index_map", d->start_index_map, d->n_start),
      SEC_P_INTS("operand_batching_dims", d->operand_batching_dims, d->n_batching),
      SEC_P_INTS("start_indices_batching_dims", d->start_indices_batching_dims, d->n_batching),
      SEC_P_INTS("slice_sizes", slice_sizes, a->rank)};
  int n = 6 + sec_index_params(mode, list + 6);
  if (zero) list[n++] = (sec_param)SEC_P_INT("fill_value", 0);
  return sec_bind2(&sec_gather_p, x, indices,
                   sec_params_make(sec_current_context("gather"), list, n));
}

sec_value sec_gather(sec_value x, sec_value indices, const sec_gather_dims *dims,
                     const int64_t *slice_sizes, int mode) {
  return bind_gather(x, indices, dims, slice_sizes, mode, false);
}

sec_value sec_gather_or_zero(sec_value x, sec_value indices, const sec_gather_dims *dims,
                             const int64_t *slice_sizes, int mode) {
  return bind_gather(x, indices, dims, slice_sizes,
                     (mode & MODES) == SEC_MODE_CLIP ? mode : SEC_MODE_FILL_OR_DROP, true);
}
