/* Types, meta, evaluation and batching that the primitives of linear algebra share. */
#include "linalg.h"

#include <complex.h>

/* ---- types ---- */
sec_status sec_type_matrix(const sec_typing *t, int i, bool square) {
  const sec_aval *a = t->in[i];
  if (a->dtype != SEC_F32 && a->dtype != SEC_F64)
    return sec_type_error(t, SEC_TYPE, "convert it to f32 or f64", "does not take %s", a->text);
  if (a->rank < 2)
    return sec_type_error(t, SEC_SHAPE, "give at least two axes", "operand %s is not a matrix", a->text);
  if (square && sec_rows(a) != sec_columns(a))
    return sec_type_error(t, SEC_SHAPE, "rows and columns must be as many", "operand %s is not square", a->text);
  return SEC_OK;
}

/* Axes of one matrix of operand 0: all but one are counted by its primitive's type rule. */
static bool same_batch(const sec_aval *a, int a_inner, const sec_aval *b, int b_inner) {
  return a->rank - a_inner == b->rank - b_inner &&
         memcmp(a->dims, b->dims, (size_t)(a->rank - a_inner) * sizeof *a->dims) == 0;
}

sec_status sec_type_beside(const sec_typing *t, int i, int inner) {
  const sec_aval *a = t->in[0], *b = t->in[i];
  if (b->dtype != a->dtype)
    return sec_type_error(t, SEC_TYPE, "convert one of them", "operands have different types, %s and %s", a->text,
                          b->text);
  if (b->rank < inner || !same_batch(a, 2, b, inner))
    return sec_type_error(t, SEC_SHAPE, "broadcast them first", "batch axes of %s and %s differ", a->text, b->text);
  return SEC_OK;
}

sec_status sec_type_gives_inner(sec_typing *t, int i, sec_dtype dtype, int inner, int n, const int64_t *dims) {
  const sec_aval *a = t->in[0];
  int64_t all[SEC_MAX_RANK];
  int batch = a->rank - inner;
  memcpy(all, a->dims, (size_t)batch * sizeof *all);
  memcpy(all + batch, dims, (size_t)n * sizeof *all);
  return sec_type_gives_at(t, i, dtype, false, batch + n, all);
}

/* ---- meta ---- */
int sec_linalg_meta(const sec_typing *t, int inner, int n, const int64_t *words, int64_t *meta) {
  const sec_aval *a = t->in[0];
  meta[0] = sec_dtype_part(a->dtype) == SEC_F64;
  meta[1] = 1;
  for (int k = 0; k < a->rank - inner; k++) meta[1] *= a->dims[k];
  memcpy(meta + 2, words, (size_t)n * sizeof *meta);
  return n + 2;
}

/* ---- evaluation ---- */
typedef struct dense_call {
  const sec_dense *f;
  int64_t sizes[SEC_DENSE_BUFFERS];
  double *bufs[SEC_DENSE_BUFFERS], *work;
} dense_call;

/* Real number `at` of an array; a complex one has two an element. */
static double get_part(const sec_array *a, int64_t at) {
  if (!sec_aval_is_complex(a->aval)) return sec_get_f(a, at);
  double _Complex x = sec_get_c(a, at / 2);
  return at % 2 ? cimag(x) : creal(x);
}
static void put_part(sec_array *a, int64_t at, double x) {
  if (!sec_aval_is_complex(a->aval)) sec_put_f(a, at, x);
  else if (at % 2 == 0) sec_put_c(a, at / 2, CMPLX(x, 0));
  else sec_put_c(a, at / 2, CMPLX(creal(sec_get_c(a, at / 2)), x));
}

static void load(dense_call *c, const sec_eval *e, int64_t matrix) {
  for (int i = 0; i < c->f->n_in; i++)
    for (int64_t k = 0; k < c->sizes[i]; k++) c->bufs[i][k] = get_part(e->in[i], matrix * c->sizes[i] + k);
}

static void store(const dense_call *c, const sec_eval *e, int64_t matrix, bool ok) {
  for (int i = 0; i < c->f->n_out; i++) {
    int b = c->f->n_in + i;
    for (int64_t k = 0; k < c->sizes[b]; k++) {
      int64_t at = matrix * c->sizes[b] + k;
      if (c->f->integers >> b & 1) sec_put_i(e->out[i], at, (int64_t)c->bufs[b][k]);
      else put_part(e->out[i], at, ok ? c->bufs[b][k] : __builtin_nan(""));
    }
  }
}

sec_status sec_eval_dense(const sec_eval *e, const sec_dense *f) {
  const sec_aval *in[SEC_DENSE_BUFFERS], *out[SEC_DENSE_BUFFERS];
  int64_t meta[16], work, total = 0;
  for (int i = 0; i < e->n_in; i++) in[i] = e->in[i]->aval;
  for (int i = 0; i < e->n_out; i++) out[i] = e->out[i]->aval;
  sec_typing typing = {.prim = e->prim, .params = e->params, .cx = e->cx, .in = in, .n_in = e->n_in, .out = out,
                       .n_out = e->n_out, .max_out = e->n_out};
  e->prim->meta(&typing, meta);
  dense_call c = {.f = f};
  f->sizes(meta, c.sizes, &work);
  int n = f->n_in + f->n_out;
  for (int b = 0; b < n; b++) total += c.sizes[b];
  double *memory = sec_alloc(e->cx, (size_t)(total + work) * sizeof *memory);
  if (memory == NULL) return SEC_MEMORY;
  c.work = memory;
  for (int b = 0; b < n; b++) c.bufs[b] = b == 0 ? memory + work : c.bufs[b - 1] + c.sizes[b - 1];
  for (int64_t matrix = 0; matrix < meta[1]; matrix++) {
    load(&c, e, matrix);
    store(&c, e, matrix, f->run(meta, c.bufs, c.work));
  }
  sec_free(e->cx, memory);
  return SEC_OK;
}

/* ---- binding and batching ---- */
sec_status sec_bind_factors(const sec_primitive *prim, const sec_value *in, int n_in, const sec_params *params,
                            sec_value *out, int n_out) {
  for (int i = 0; i < n_out; i++) out[i] = SEC_VALUE_POISON;
  for (int i = 0; i < n_in; i++)
    if (sec_value_aval(in[i]) == NULL) {
      sec_params_release(params);
      return sec_error_status(NULL);
    }
  return sec_bind(prim, in, n_in, params, out, n_out);
}

sec_status sec_batch_linalg(sec_batch *b) {
  sec_value in[SEC_MAX_OPERANDS];
  for (int i = 0; i < b->n_in; i++) in[i] = sec_batch_operand(b, i);
  for (int i = 0; i < b->n_out; i++) b->out_batched[i] = true;
  if (b->params) sec_params_retain(b->params);
  return sec_bind_factors(b->prim, in, b->n_in, b->params, b->out, b->n_out);
}

/* ---- rules ---- */
sec_value sec_permute_rows(sec_value x, sec_value permutation) {
  const sec_aval *a = sec_value_aval(x);
  int64_t sizes[SEC_MAX_RANK], axes[SEC_MAX_RANK];
  if (a == NULL || sec_value_aval(permutation) == NULL) return SEC_VALUE_POISON;
  int n = a->rank - 2;
  for (int k = 0; k < a->rank; k++) {
    axes[k] = k;
    sizes[k] = 1;
  }
  sizes[n + 1] = a->dims[n + 1];
  const int64_t row = n, column = n + 1;
  const sec_gather_dims dims = {.offset_dims = &column,
                                .n_offset = 1,
                                .collapsed_slice_dims = &row,
                                .n_collapsed = 1,
                                .start_index_map = &row,
                                .n_start = 1,
                                .operand_batching_dims = axes,
                                .start_indices_batching_dims = axes,
                                .n_batching = n};
  return sec_gather(x, sec_expand_dims(permutation, &column, 1), &dims, sizes, 2);
}

static sec_value part(sec_value x, int from_last, int64_t start, int64_t limit) {
  const sec_aval *a = sec_value_aval(x);
  int64_t starts[SEC_MAX_RANK] = {0}, limits[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  memcpy(limits, a->dims, sizeof limits);
  if (start == 0 && limit == limits[a->rank - from_last]) return x;
  starts[a->rank - from_last] = start;
  limits[a->rank - from_last] = limit;
  return sec_slice(x, starts, limits, NULL);
}

sec_value sec_rows_of(sec_value x, int64_t start, int64_t limit) { return part(x, 2, start, limit); }
sec_value sec_columns_of(sec_value x, int64_t start, int64_t limit) { return part(x, 1, start, limit); }

sec_value sec_as_column(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  const int64_t last = a != NULL ? a->rank : 0;
  return a != NULL ? sec_expand_dims(x, &last, 1) : SEC_VALUE_POISON;
}
sec_value sec_as_row(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  const int64_t before = a != NULL ? a->rank - 1 : 0;
  return a != NULL ? sec_expand_dims(x, &before, 1) : SEC_VALUE_POISON;
}
sec_value sec_identity_like(sec_value x, int64_t n) {
  const sec_aval *a = sec_value_aval(x);
  return a != NULL ? sec_eye(a->dtype, n, n, 0) : SEC_VALUE_POISON;
}
