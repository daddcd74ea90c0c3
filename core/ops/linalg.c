/* cholesky and triangular_solve.  Matrices are the last two axes; those before are a batch. */
#include "linalg.h"

static int64_t batch_size(const sec_aval *a) {
  int64_t n = 1;
  for (int k = 0; k < a->rank - 2; k++) n *= a->dims[k];
  return n;
}

/* ---- cholesky: a = l l^T, l lower triangular; the upper triangle of a is not read ---- */
static sec_status cholesky_type(sec_typing *t) {
  SEC_TRY(sec_type_matrix(t, 0, true));
  return sec_type_gives(t, t->in[0]->dtype, t->in[0]->weak, t->in[0]->rank, t->in[0]->dims);
}

/* Column by column; a pivot that is not positive makes the whole lower triangle NaN. */
static sec_status cholesky_eval(const sec_eval *e) {
  const sec_aval *a = e->in[0]->aval;
  int64_t n = a->dims[a->rank - 1], count = n > 0 ? batch_size(a) : 0;
  double *l = sec_alloc(e->cx, (size_t)(n * n + 1) * sizeof *l);
  if (l == NULL) return SEC_MEMORY;
  for (int64_t m = 0; m < count; m++) {
    bool positive = true;
    for (int64_t j = 0; j < n; j++)
      for (int64_t i = j; i < n; i++) {
        double s = sec_get_f(e->in[0], (m * n + i) * n + j);
        for (int64_t k = 0; k < j; k++) s -= l[i * n + k] * l[j * n + k];
        if (i == j) positive &= s > 0;
        l[i * n + j] = i == j ? __builtin_sqrt(s) : s / l[j * n + j];
      }
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++)
        sec_put_f(e->out[0], (m * n + i) * n + j,
                  j > i      ? 0
                  : positive ? l[i * n + j]
                             : __builtin_nan(""));
  }
  sec_free(e->cx, l);
  return SEC_OK;
}

static int cholesky_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0];
  meta[0] = a->dtype == SEC_F64;
  meta[1] = batch_size(a);
  meta[2] = a->dims[a->rank - 1];
  return 3;
}

/* Murray, arXiv 1602.07527, eq. 8: dl = l phi(l^-1 da l^-T), phi the lower triangle with half the
 * diagonal. da is the lower triangle mirrored, since no other element is read. */
static sec_value cholesky_jvp(const sec_rule *r, sec_value da) {
  sec_value l = r->out[0];
  sec_value mirrored =
      sec_add(sec_triangle(da, true, 0), sec_matrix_transpose(sec_triangle(da, true, -1)));
  sec_value right = sec_triangular_solve(l, mirrored, false, true, true, false);
  sec_value both = sec_triangular_solve(l, right, true, true, false, false);
  sec_value half = sec_mul(sec_add(sec_triangle(both, true, 0), sec_triangle(both, true, -1)),
                           sec_literal_of(r->in_avals[0]->dtype, false, 0.5, 0));
  return sec_matmul(l, half);
}

static sec_status cholesky_batch(sec_batch *b) {
  return sec_batch_result(b, sec_cholesky(b->in[0], false));
}

SEC_PRIMITIVE(cholesky,
              .doc = "Lower triangular l with l l^T = x; NaN where x is not positive definite.",
              .operands = {"x"}, .type = cholesky_type, .eval = cholesky_eval,
              .jvp = {cholesky_jvp}, .batch = cholesky_batch, .form = SEC_FORM_RUNTIME,
              .runtime = "sec_rt_cholesky", .meta = cholesky_meta, .takes = SEC_TAKES_FLOAT)

sec_value sec_cholesky(sec_value x, bool symmetrize_input) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return SEC_VALUE_POISON;
  bool matrix =
      a->rank >= 2 && a->dims[a->rank - 2] == a->dims[a->rank - 1] && sec_aval_is_float(a);
  if (symmetrize_input && matrix)
    x = sec_div(sec_add(x, sec_matrix_transpose(x)), sec_literal_of(a->dtype, false, 2, 0));
  return sec_bind1(&sec_cholesky_p, x, NULL);
}

/* ---- triangular_solve: op(a) x = b (left_side) or x op(a) = b; op transposes or not ---- */
typedef struct solve_flags {
  bool left_side, lower, transpose_a, unit_diagonal;
} solve_flags;

static solve_flags flags_of(const sec_params *p) {
  return (solve_flags){sec_params_int(p, "left_side") != 0, sec_params_int(p, "lower") != 0,
                       sec_params_int(p, "transpose_a") != 0,
                       sec_params_int(p, "unit_diagonal") != 0};
}

static sec_status triangular_solve_type(sec_typing *t) {
  const sec_aval *a = t->in[0], *b = t->in[1];
  SEC_TRY(sec_type_matrix(t, 0, true));
  SEC_TRY(sec_type_matrix(t, 1, false));
  if (a->dtype != b->dtype)
    return sec_type_error(t, SEC_TYPE, "convert one of them",
                          "operands have different types, %s and %s", a->text, b->text);
  bool fits = a->rank == b->rank;
  for (int k = 0; fits && k < a->rank - 2; k++) fits = a->dims[k] == b->dims[k];
  if (!fits)
    return sec_type_error(t, SEC_SHAPE, "broadcast them first", "batch axes of %s and %s differ",
                          a->text, b->text);
  if (a->dims[a->rank - 1] != b->dims[b->rank - (flags_of(t->params).left_side ? 2 : 1)])
    return sec_type_error(t, SEC_SHAPE, "left_side decides whether a stands before x or after it",
                          "a is %s and b is %s", a->text, b->text);
  return sec_type_gives(t, a->dtype, a->weak && b->weak, b->rank, b->dims);
}

/* One right-hand side of `count` elements, `step` apart: substitution in place; the matrix starts
 * at `base`. */
static void substitute(const sec_array *a, int64_t base, int64_t n, solve_flags f, sec_array *y,
                       int64_t first, int64_t step) {
  bool transposed = f.transpose_a == f.left_side; /* x op(a) = b is op(a)^T x^T = b^T */
  bool forward = f.lower != transposed;
  for (int64_t k = 0; k < n; k++) {
    int64_t i = forward ? k : n - 1 - k;
    double s = sec_get_f(y, first + i * step);
    for (int64_t m = 0; m < k; m++) {
      int64_t j = forward ? m : n - 1 - m;
      s -= sec_get_f(a, base + (transposed ? j * n + i : i * n + j)) *
           sec_get_f(y, first + j * step);
    }
    sec_put_f(y, first + i * step, f.unit_diagonal ? s : s / sec_get_f(a, base + i * n + i));
  }
}

static sec_status triangular_solve_eval(const sec_eval *e) {
  const sec_aval *a = e->in[0]->aval, *b = e->in[1]->aval;
  solve_flags f = flags_of(e->params);
  int64_t rows = b->dims[b->rank - 2], columns = b->dims[b->rank - 1], n = a->dims[a->rank - 1];
  if (b->size == 0) return SEC_OK;
  memcpy(e->out[0]->data, e->in[1]->data, e->out[0]->bytes);
  for (int64_t m = 0; m < batch_size(b); m++)
    for (int64_t i = 0; i < (f.left_side ? columns : rows); i++)
      substitute(e->in[0], m * n * n, n, f, e->out[0],
                 m * rows * columns + (f.left_side ? i : i * columns), f.left_side ? columns : 1);
  return SEC_OK;
}

static int triangular_solve_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *b = t->in[1];
  solve_flags f = flags_of(t->params);
  const int64_t words[] = {b->dtype == SEC_F64,  batch_size(b),  b->dims[b->rank - 2],
                           b->dims[b->rank - 1], f.left_side,    f.lower,
                           f.transpose_a,        f.unit_diagonal};
  memcpy(meta, words, sizeof words);
  return 8;
}

static sec_value solve_with(sec_value a, sec_value b, solve_flags f) {
  return sec_triangular_solve(a, b, f.left_side, f.lower, f.transpose_a, f.unit_diagonal);
}

/* op(a) x = b: dx = -op(a)^-1 op(da) x; x op(a) = b: dx = -x op(da) op(a)^-1; da only in the
 * triangle that is read.  The cheaper order of the two products is taken. */
static sec_value triangular_solve_jvp_a(const sec_rule *r, sec_value da) {
  const sec_aval *b = r->in_avals[1];
  solve_flags f = flags_of(r->params);
  int64_t rows = b->dims[b->rank - 2], columns = b->dims[b->rank - 1];
  sec_value x = r->out[0];
  da = sec_neg(sec_triangle(da, f.lower, f.unit_diagonal ? (f.lower ? -1 : 1) : 0));
  if (f.transpose_a) da = sec_matrix_transpose(da);
  if (f.left_side)
    return rows > columns ? solve_with(r->in[0], sec_matmul(da, x), f)
                          : sec_matmul(solve_with(r->in[0], da, f), x);
  return rows < columns ? solve_with(r->in[0], sec_matmul(x, da), f)
                        : sec_matmul(x, solve_with(r->in[0], da, f));
}

static sec_value triangular_solve_jvp_b(const sec_rule *r, sec_value db) {
  return solve_with(r->in[0], db, flags_of(r->params));
}

/* the solve with op(a) transposed */
static sec_value triangular_solve_transpose_b(const sec_rule *r, sec_value ct) {
  solve_flags f = flags_of(r->params);
  f.transpose_a = !f.transpose_a;
  return solve_with(r->in[0], ct, f);
}

/* b batched and a not: the lanes become more right-hand sides, columns (or rows) of one b. */
static sec_value solve_lanes(const sec_batch *batch) {
  const sec_aval *b = sec_value_aval(batch->in[1]);
  solve_flags f = flags_of(batch->params);
  int64_t order[SEC_MAX_RANK], back[SEC_MAX_RANK], dims[SEC_MAX_RANK], flat[SEC_MAX_RANK];
  if (b == NULL) return SEC_VALUE_POISON;
  int place = f.left_side ? b->rank - 1 : b->rank - 2; /* beside the columns, or the rows */
  for (int k = 0; k < b->rank; k++) {
    order[k] = k == place ? 0 : k < place ? k + 1 : k;
    dims[k] = b->dims[order[k]];
  }
  for (int k = 0; k < b->rank; k++) back[order[k]] = k;
  for (int k = 0; k < b->rank - 1; k++) flat[k] = b->dims[k + 1];
  flat[b->rank - (f.left_side ? 2 : 3)] *= b->dims[0];
  sec_value x = solve_with(batch->in[0],
                           sec_reshape(sec_transpose(batch->in[1], order), b->rank - 1, flat), f);
  return sec_transpose(sec_reshape(x, b->rank, dims), back);
}

static sec_status triangular_solve_batch(sec_batch *b) {
  if (!b->batched[0]) return sec_batch_result(b, solve_lanes(b));
  return sec_batch_result(b, solve_with(b->in[0], sec_batch_operand(b, 1), flags_of(b->params)));
}

SEC_PRIMITIVE(triangular_solve, .doc = "The solution of equations with a triangular matrix.",
              .operands = {"a", "b"}, .type = triangular_solve_type, .eval = triangular_solve_eval,
              .jvp = {triangular_solve_jvp_a, triangular_solve_jvp_b},
              .transpose = {NULL, triangular_solve_transpose_b}, .batch = triangular_solve_batch,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_triangular_solve",
              .meta = triangular_solve_meta, .takes = SEC_TAKES_FLOAT)

sec_value sec_triangular_solve(sec_value a, sec_value b, bool left_side, bool lower,
                               bool transpose_a, bool unit_diagonal) {
  if (sec_value_aval(a) == NULL || sec_value_aval(b) == NULL) return SEC_VALUE_POISON;
  return sec_bind2(
      &sec_triangular_solve_p, a, b,
      sec_params_make(sec_current_context("triangular_solve"),
                      SEC_PARAMS(SEC_P_BOOL("conjugate_a", false),
                                 SEC_P_BOOL("left_side", left_side), SEC_P_BOOL("lower", lower),
                                 SEC_P_BOOL("transpose_a", transpose_a),
                                 SEC_P_BOOL("unit_diagonal", unit_diagonal))));
}
