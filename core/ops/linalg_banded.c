/* tridiagonal_solve and cholesky_update. */
#include "linalg.h"

/* ---- tridiagonal_solve: dl[i] left of, du[i] right of d[i] in row i; dl[0] and du[n-1] are not read ---- */
static sec_status tridiagonal_solve_type(sec_typing *t) {
  const sec_aval *b = t->in[3];
  SEC_TRY(sec_type_matrix(t, 3, false));
  for (int i = 0; i < 3; i++) {
    const sec_aval *d = t->in[i];
    if (d->dtype != b->dtype)
      return sec_type_error(t, SEC_TYPE, "convert one of them", "operands have different types, %s and %s", d->text,
                            b->text);
    if (d->rank != b->rank - 1 || memcmp(d->dims, b->dims, (size_t)d->rank * sizeof *d->dims) != 0)
      return sec_type_error(t, SEC_SHAPE, "diagonals have the shape of b without its last axis",
                            "diagonal %s does not fit beside %s", d->text, b->text);
  }
  return sec_type_gives(t, b->dtype, false, b->rank, b->dims);
}
static sec_status tridiagonal_solve_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_tridiagonal_solve); }
static int tridiagonal_solve_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *b = t->in[3];
  const int64_t words[] = {sec_rows(b), sec_columns(b), sec_params_int(t->params, "perturb_singular")};
  return sec_linalg_meta(t, 1, 3, words, meta);
}

static sec_value solve_like(const sec_rule *r, sec_value dl, sec_value du, sec_value b) {
  return sec_tridiagonal_solve(dl, r->in[1], du, b, sec_params_int(r->params, "perturb_singular") != 0);
}
static sec_value solve_negative(const sec_rule *r, sec_value x) {
  return solve_like(r, r->in[0], r->in[2], sec_neg(x));
}

/* a^-1 (db - da x), one diagonal of da at a time; x moved down, in place, or moved up */
static sec_value moved(const sec_rule *r, sec_value x, int64_t by) {
  const sec_aval *a = r->out_avals[0];
  int64_t n = sec_rows(a), low[SEC_MAX_RANK] = {0}, high[SEC_MAX_RANK] = {0};
  sec_value part = by > 0 ? sec_rows_of(x, 0, n - 1) : sec_rows_of(x, 1, n);
  if (a->rank >= 2) (by > 0 ? low : high)[a->rank - 2] = 1;
  return sec_pad(part, sec_zero_literal(a->dtype), low, high, NULL);
}
static sec_value jvp_dl(const sec_rule *r, sec_value dx) {
  if (r->out_avals[0]->size == 0) return SEC_VALUE_ZERO;
  return solve_negative(r, sec_mul(sec_as_column(dx), moved(r, r->out[0], 1)));
}
static sec_value jvp_d(const sec_rule *r, sec_value dx) {
  return solve_negative(r, sec_mul(sec_as_column(dx), r->out[0]));
}
static sec_value jvp_du(const sec_rule *r, sec_value dx) {
  if (r->out_avals[0]->size == 0) return SEC_VALUE_ZERO;
  return solve_negative(r, sec_mul(sec_as_column(dx), moved(r, r->out[0], -1)));
}
static sec_value jvp_b(const sec_rule *r, sec_value db) { return solve_like(r, r->in[0], r->in[2], db); }

/* A diagonal of the transposed matrix: x one place on, or back, with a zero where nothing comes. */
static sec_value shifted(sec_value x, int64_t by) {
  const sec_aval *a = sec_value_aval(x);
  int64_t low[SEC_MAX_RANK] = {0}, high[SEC_MAX_RANK] = {0};
  if (a == NULL || a->rank < 1 || a->size == 0) return x;
  low[a->rank - 1] = by;
  high[a->rank - 1] = -by;
  return sec_pad(x, sec_zero_literal(a->dtype), low, high, NULL);
}
static sec_value transpose_b(const sec_rule *r, sec_value ct) {
  return solve_like(r, shifted(r->in[2], 1), shifted(r->in[0], -1), ct);
}

/* b batched alone: the lanes become more right-hand sides. */
static sec_value solve_lanes(const sec_batch *batch) {
  const sec_aval *b = sec_value_aval(batch->in[3]);
  int64_t order[SEC_MAX_RANK], back[SEC_MAX_RANK], dims[SEC_MAX_RANK], flat[SEC_MAX_RANK];
  if (b == NULL) return SEC_VALUE_POISON;
  int rank = b->rank;
  for (int k = 0; k < rank; k++) {
    order[k] = k < rank - 2 ? k + 1 : k == rank - 2 ? 0 : k;
    dims[k] = b->dims[order[k]];
  }
  for (int k = 0; k < rank; k++) back[order[k]] = k;
  memcpy(flat, dims, sizeof flat);
  flat[rank - 2] *= flat[rank - 1];
  sec_value x = sec_tridiagonal_solve(batch->in[0], batch->in[1], batch->in[2],
                                      sec_reshape(sec_transpose(batch->in[3], order), rank - 1, flat),
                                      sec_params_int(batch->params, "perturb_singular") != 0);
  return sec_transpose(sec_reshape(x, rank, dims), back);
}

static sec_status tridiagonal_solve_batch(sec_batch *b) {
  bool alone = !b->batched[0] && !b->batched[1] && !b->batched[2];
  return alone ? sec_batch_result(b, solve_lanes(b)) : sec_batch_linalg(b);
}

SEC_PRIMITIVE(tridiagonal_solve, .doc = "The solution of equations with a tridiagonal matrix; NaN if it is singular.",
              .operands = {"dl", "d", "du", "b"}, .type = tridiagonal_solve_type, .eval = tridiagonal_solve_eval,
              .jvp = {jvp_dl, jvp_d, jvp_du, jvp_b}, .transpose = {[3] = transpose_b}, .batch = tridiagonal_solve_batch,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_tridiagonal_solve", .meta = tridiagonal_solve_meta,
              .flags = SEC_FLAG_HOST, .takes = SEC_TAKES_FLOAT)

sec_value sec_tridiagonal_solve(sec_value dl, sec_value d, sec_value du, sec_value b, bool perturb_singular) {
  sec_value out = SEC_VALUE_POISON;
  sec_context *cx = sec_current_context("tridiagonal_solve");
  if (cx == NULL) return out;
  sec_bind_factors(&sec_tridiagonal_solve_p, (sec_value[]){dl, d, du, b}, 4,
                   sec_params_make(cx, SEC_PARAMS(SEC_P_BOOL("perturb_singular", perturb_singular))), &out, 1);
  return out;
}

/* ---- cholesky_update ---- */
static sec_status cholesky_update_type(sec_typing *t) {
  SEC_TRY(sec_type_matrix(t, 0, true));
  SEC_TRY(sec_type_beside(t, 1, 1));
  const sec_aval *r = t->in[0], *w = t->in[1];
  if (sec_columns(w) != sec_columns(r))
    return sec_type_error(t, SEC_SHAPE, "w has as many elements as r has rows", "r is %s and w is %s", r->text, w->text);
  return sec_type_gives(t, r->dtype, false, r->rank, r->dims);
}
static sec_status cholesky_update_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_cholesky_update); }
static int cholesky_update_meta(const sec_typing *t, int64_t *meta) {
  return sec_linalg_meta(t, 2, 1, (int64_t[]){sec_rows(t->in[0])}, meta);
}

/* s^T s = r^T r + w w^T, so that, as for cholesky, ds = phi(s^-T (d(r^T r) + d(w w^T)) s^-1) s, phi the upper triangle
 * with half the diagonal; `half` is of the two products that are each other's transposes. */
static sec_value update_tangent(const sec_rule *r, sec_value half) {
  sec_value s = r->out[0], both = sec_add(half, sec_matrix_transpose(half));
  sec_value left = sec_triangular_solve(s, both, true, false, true, false);
  sec_value m = sec_triangular_solve(s, left, false, false, false, false);
  sec_value phi = sec_add(sec_triangle(m, false, 0), sec_triangle(m, false, 1));
  return sec_matmul(sec_mul(phi, sec_literal_of(r->in_avals[0]->dtype, false, 0.5, 0)), s);
}
static sec_value cholesky_update_jvp_r(const sec_rule *r, sec_value dr) {
  return update_tangent(r, sec_matmul(sec_matrix_transpose(sec_triangle(r->in[0], false, 0)),
                                      sec_triangle(dr, false, 0)));
}
static sec_value cholesky_update_jvp_w(const sec_rule *r, sec_value dw) {
  return update_tangent(r, sec_mul(sec_as_column(r->in[1]), sec_as_row(dw)));
}

SEC_PRIMITIVE(cholesky_update, .doc = "The upper factor of r^T r + w w^T, from the upper triangle of r.",
              .operands = {"r", "w"}, .type = cholesky_update_type, .eval = cholesky_update_eval,
              .jvp = {cholesky_update_jvp_r, cholesky_update_jvp_w}, .batch = sec_batch_linalg,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_cholesky_update", .meta = cholesky_update_meta,
              .flags = SEC_FLAG_HOST, .takes = SEC_TAKES_FLOAT)

sec_value sec_cholesky_update(sec_value r, sec_value w) {
  sec_value out;
  sec_bind_factors(&sec_cholesky_update_p, (sec_value[]){r, w}, 2, NULL, &out, 1);
  return out;
}
