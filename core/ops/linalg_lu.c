/* lu with partial pivoting, and solve on top of it.  Matrices are the last two axes. */
#include "linalg.h"

/* ---- lu: rows of a in the order of `permutation` are l u; both packed, l without its unit
 * diagonal ---- */
static sec_status lu_type(sec_typing *t) {
  const sec_aval *a = t->in[0];
  int64_t dims[SEC_MAX_RANK];
  SEC_TRY(sec_type_matrix(t, 0, false));
  int64_t m = a->dims[a->rank - 2], n = a->dims[a->rank - 1];
  memcpy(dims, a->dims, sizeof dims);
  SEC_TRY(sec_type_gives_at(t, 0, a->dtype, false, a->rank, dims));
  dims[a->rank - 2] = m < n ? m : n;
  SEC_TRY(sec_type_gives_at(t, 1, SEC_I32, false, a->rank - 1, dims));
  dims[a->rank - 2] = m;
  return sec_type_gives_at(t, 2, SEC_I32, false, a->rank - 1, dims);
}

/* One matrix, row-major in w[m][n]: at each step the first row of greatest |pivot| comes up. */
static void factor(double *w, int64_t m, int64_t n, int64_t *pivots, int64_t *permutation) {
  for (int64_t i = 0; i < m; i++) permutation[i] = i;
  for (int64_t k = 0; k < m && k < n; k++) {
    int64_t p = k;
    for (int64_t i = k + 1; i < m; i++)
      if (__builtin_fabs(w[i * n + k]) > __builtin_fabs(w[p * n + k])) p = i;
    pivots[k] = p;
    int64_t row = permutation[k];
    permutation[k] = permutation[p];
    permutation[p] = row;
    for (int64_t j = 0; j < n; j++) {
      double x = w[k * n + j];
      w[k * n + j] = w[p * n + j];
      w[p * n + j] = x;
    }
    if (w[k * n + k] == 0) continue;
    for (int64_t i = k + 1; i < m; i++) {
      w[i * n + k] /= w[k * n + k];
      for (int64_t j = k + 1; j < n; j++) w[i * n + j] -= w[i * n + k] * w[k * n + j];
    }
  }
}

static sec_status lu_eval(const sec_eval *e) {
  const sec_aval *a = e->in[0]->aval;
  int64_t m = a->dims[a->rank - 2], n = a->dims[a->rank - 1], k = m < n ? m : n, count = 1;
  for (int i = 0; i < a->rank - 2; i++) count *= a->dims[i];
  double *w = sec_alloc(e->cx, (size_t)(m * n + 1) * sizeof *w);
  int64_t *pivots = sec_alloc(e->cx, (size_t)(m + k + 1) * sizeof *pivots);
  bool ready = w != NULL && pivots != NULL;
  for (int64_t b = 0; ready && b < count; b++) {
    for (int64_t i = 0; i < m * n; i++) w[i] = sec_get_f(e->in[0], b * m * n + i);
    factor(w, m, n, pivots, pivots + k);
    for (int64_t i = 0; i < m * n; i++) sec_put_f(e->out[0], b * m * n + i, w[i]);
    for (int64_t i = 0; i < k; i++) sec_put_i(e->out[1], b * k + i, pivots[i]);
    for (int64_t i = 0; i < m; i++) sec_put_i(e->out[2], b * m + i, pivots[k + i]);
  }
  sec_free(e->cx, w);
  sec_free(e->cx, pivots);
  return ready ? SEC_OK : SEC_MEMORY;
}

static int lu_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0];
  meta[0] = a->dtype == SEC_F64;
  meta[1] = 1;
  for (int k = 0; k < a->rank - 2; k++) meta[1] *= a->dims[k];
  meta[2] = a->dims[a->rank - 2];
  meta[3] = a->dims[a->rank - 1];
  return 4;
}

/* The first `count` elements of x along `axis`, and zeros up to `size`. */
static sec_value fit(sec_value x, int axis, int64_t count, int64_t size) {
  const sec_aval *a = sec_value_aval(x);
  int64_t start[SEC_MAX_RANK] = {0}, limit[SEC_MAX_RANK], high[SEC_MAX_RANK] = {0};
  if (a == NULL) return SEC_VALUE_POISON;
  memcpy(limit, a->dims, sizeof limit);
  limit[axis] = count;
  high[axis] = size - count;
  x = sec_slice(x, start, limit, NULL);
  return high[axis] == 0 ? x : sec_pad(x, sec_zero_literal(a->dtype), start, high, NULL);
}

/* An n by n matrix with ones on the diagonal from `first` on. */
static sec_value unit_diagonal(sec_dtype dtype, int64_t n, int64_t first) {
  const int64_t dims[2] = {n, n};
  sec_value row = sec_iota(SEC_I32, 2, dims, 0), column = sec_iota(SEC_I32, 2, dims, 1);
  sec_value on =
      sec_and(sec_eq(row, column), sec_ge(row, sec_literal_of(SEC_I32, false, 0, first)));
  return sec_convert(on, dtype, false);
}

/* de Hoog, Anderssen, Lukas: with m = l^-1 p da u^-1, dl = l tril(m, -1) and du = triu(m) u */
static sec_value lu_tangent(const sec_aval *a, const sec_value *out, sec_value da) {
  int64_t m = a->dims[a->rank - 2], n = a->dims[a->rank - 1], k = m < n ? m : n;
  sec_value l = sec_add(fit(sec_triangle(out[0], true, -1), a->rank - 1, k, m),
                        unit_diagonal(a->dtype, m, 0));
  sec_value u = sec_add(fit(sec_triangle(out[0], false, 0), a->rank - 2, k, n),
                        unit_diagonal(a->dtype, n, k));
  sec_value left = sec_triangular_solve(l, sec_permute_rows(da, out[2]), true, true, false, true);
  sec_value both = sec_triangular_solve(u, left, false, false, false, false);
  sec_value dl = sec_matmul(l, sec_triangle(both, true, -1));
  return sec_add(dl, sec_matmul(sec_triangle(both, false, 0), u));
}

static sec_status lu_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                         sec_value *out_dot) {
  SEC_TRY(sec_lu(r->in[0], &out[0], &out[1], &out[2]));
  for (int i = 0; i < 3; i++) out_dot[i] = SEC_VALUE_ZERO;
  if (sec_value_is_zero(in_dot[0])) return SEC_OK;
  out_dot[0] = lu_tangent(r->in_avals[0], out, in_dot[0]);
  return sec_value_ok(out_dot[0]) ? SEC_OK : sec_error_status(r->cx);
}

static sec_status lu_batch(sec_batch *b) {
  for (int i = 0; i < 3; i++) b->out_batched[i] = true;
  return sec_lu(b->in[0], &b->out[0], &b->out[1], &b->out[2]);
}

SEC_PRIMITIVE(lu, .doc = "Triangular factors with partial pivoting: packed, pivots, permutation.",
              .operands = {"x"}, .type = lu_type, .eval = lu_eval, .jvp_all = lu_jvp,
              .batch = lu_batch, .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_lu",
              .meta = lu_meta, .takes = SEC_TAKES_FLOAT)

sec_status sec_lu(sec_value x, sec_value *lu, sec_value *pivots, sec_value *permutation) {
  sec_value out[3] = {SEC_VALUE_POISON, SEC_VALUE_POISON, SEC_VALUE_POISON};
  sec_status status =
      sec_value_aval(x) == NULL ? sec_error_status(NULL) : sec_bind(&sec_lu_p, &x, 1, NULL, out, 3);
  *lu = out[0];
  *pivots = out[1];
  *permutation = out[2];
  return status;
}

/* ---- solve ---- */
static sec_value solve_error(const sec_aval *a, const sec_aval *b) {
  sec_error_set(SEC_SHAPE,
                "a is square and b has as many rows; batch axes come in front and broadcast",
                "solve: a is %s and b is %s", a->text, b->text);
  return SEC_VALUE_POISON;
}

/* x with `batch` (n sizes) in front of its last `inner` axes */
static sec_value with_batch(sec_value x, const int64_t *batch, int n, int inner) {
  const sec_aval *a = sec_value_aval(x);
  int64_t dims[2 * SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  memcpy(dims, batch, (size_t)n * sizeof *dims);
  memcpy(dims + n, a->dims + a->rank - inner, (size_t)inner * sizeof *dims);
  return sec_broadcast_to(x, n + inner, dims);
}

/* NumPy's broadcast of the axes before the last two; the number of them, or -1. */
static int common_batch(const sec_aval *a, const sec_aval *b, int64_t *batch) {
  int n = (a->rank > b->rank ? a->rank : b->rank) - 2;
  for (int k = 0; k < n; k++) {
    int i = k - (n + 2 - a->rank), j = k - (n + 2 - b->rank);
    int64_t x = i < 0 ? 1 : a->dims[i], y = j < 0 ? 1 : b->dims[j];
    if (x != y && x != 1 && y != 1) return -1;
    batch[k] = x == 1 ? y : x;
  }
  return n;
}

/* x beside y, or above it: the last axis, or the one before */
static sec_value joined(sec_value x, sec_value y, bool above) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return SEC_VALUE_POISON;
  return sec_concatenate((sec_value[]){x, y}, 2, a->rank - (above ? 2 : 1));
}

/* The real equations of twice the size: (r -i; i r) (x; y) = (re b; im b). */
static sec_value solve_complex(sec_value a, sec_value b) {
  sec_value r = sec_real(a), i = sec_imag(a);
  const sec_aval *aval = sec_value_aval(b);
  if (aval == NULL) return SEC_VALUE_POISON;
  bool vector = aval->rank == 1;
  int64_t n = vector ? aval->dims[0] : sec_rows(aval), one = 1;
  sec_value rhs = vector ? sec_expand_dims(b, &one, 1) : b;
  sec_value whole = joined(joined(r, sec_neg(i), false), joined(i, r, false), true);
  sec_value x = sec_solve(whole, joined(sec_real(rhs), sec_imag(rhs), true));
  sec_value out = sec_complex(sec_rows_of(x, 0, n), sec_rows_of(x, n, 2 * n));
  const sec_aval *last = sec_value_aval(out);
  const int64_t axis = last != NULL ? last->rank - 1 : 0;
  return vector ? sec_squeeze(out, &axis, 1) : out;
}

sec_value sec_solve(sec_value a, sec_value b) {
  sec_value v[2] = {sec_to_float(a), sec_to_float(b)}, lu, pivots, permutation;
  if (sec_promote_dtypes(v, 2) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  const sec_aval *ma = sec_value_aval(v[0]), *mb = sec_value_aval(v[1]);
  bool vector = mb->rank == 1;
  int64_t one = 1, batch[SEC_MAX_RANK];
  if (ma->rank < 2 || mb->rank < 1) return solve_error(ma, mb);
  sec_value rhs = vector ? sec_expand_dims(v[1], &one, 1) : v[1];
  const sec_aval *mr = sec_value_aval(rhs);
  int64_t n = ma->dims[ma->rank - 1];
  int count = common_batch(ma, mr, batch);
  if (ma->dims[ma->rank - 2] != n || mr->dims[mr->rank - 2] != n || count < 0)
    return solve_error(ma, mb);
  if (sec_aval_is_complex(ma)) return solve_complex(v[0], v[1]);
  if (sec_lu(v[0], &lu, &pivots, &permutation) != SEC_OK) return SEC_VALUE_POISON;
  lu = with_batch(lu, batch, count, 2);
  rhs = sec_permute_rows(with_batch(rhs, batch, count, 2), with_batch(permutation, batch, count, 1));
  sec_value x = sec_triangular_solve(lu, rhs, true, true, false, true);
  x = sec_triangular_solve(lu, x, true, false, false, false);
  const int64_t last = count + 1;
  return vector ? sec_squeeze(x, &last, 1) : x;
}
