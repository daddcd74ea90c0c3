/* qr, and the reflectors under it: geqrf, householder_product, ormqr. */
#include "linalg.h"

/* ---- geqrf: r above, reflectors below the diagonal; their factors ---- */
static sec_status geqrf_type(sec_typing *t) {
  SEC_TRY(sec_type_matrix(t, 0, false));
  const sec_aval *a = t->in[0];
  const int64_t dims[3] = {sec_rows(a), sec_columns(a), sec_smaller(sec_rows(a), sec_columns(a))};
  SEC_TRY(sec_type_gives_inner(t, 0, a->dtype, 2, 2, dims));
  return sec_type_gives_inner(t, 1, a->dtype, 2, 1, dims + 2);
}
static sec_status geqrf_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_geqrf); }
static int geqrf_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0];
  return sec_linalg_meta(t, 2, 2, (int64_t[]){sec_rows(a), sec_columns(a)}, meta);
}

SEC_PRIMITIVE(geqrf, .doc = "QR factors as LAPACK keeps them: r above reflectors, and their factors.",
              .operands = {"a"}, .type = geqrf_type, .eval = geqrf_eval, .batch = sec_batch_linalg,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_geqrf", .meta = geqrf_meta, .flags = SEC_FLAG_HOST,
              .takes = SEC_TAKES_FLOAT)

sec_status sec_geqrf(sec_value a, sec_value *factors, sec_value *taus) {
  sec_value out[2];
  sec_status status = sec_bind_factors(&sec_geqrf_p, &a, 1, NULL, out, 2);
  *factors = out[0];
  *taus = out[1];
  return status;
}

/* ---- householder_product ---- */
static sec_status reflectors_type(const sec_typing *t) {
  SEC_TRY(sec_type_matrix(t, 0, false));
  SEC_TRY(sec_type_beside(t, 1, 1));
  const sec_aval *a = t->in[0], *taus = t->in[1];
  if (sec_columns(taus) > sec_smaller(sec_rows(a), sec_columns(a)))
    return sec_type_error(t, SEC_SHAPE, "at most one factor a row and column", "%s beside factors %s", a->text,
                          taus->text);
  return SEC_OK;
}
static sec_status householder_type(sec_typing *t) {
  SEC_TRY(reflectors_type(t));
  const sec_aval *a = t->in[0];
  if (sec_rows(a) < sec_columns(a))
    return sec_type_error(t, SEC_SHAPE, "take the first columns, as many as there are rows",
                          "needs at least as many rows as columns, not %s", a->text);
  return sec_type_gives(t, a->dtype, false, a->rank, a->dims);
}
static sec_status householder_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_householder); }
static int householder_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0];
  return sec_linalg_meta(t, 2, 3, (int64_t[]){sec_rows(a), sec_columns(a), sec_columns(t->in[1])}, meta);
}

SEC_PRIMITIVE(householder_product, .doc = "The first columns of the product of reflectors, as geqrf gives them.",
              .operands = {"a", "taus"}, .type = householder_type, .eval = householder_eval,
              .batch = sec_batch_linalg, .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_householder_product",
              .meta = householder_meta, .flags = SEC_FLAG_HOST, .takes = SEC_TAKES_FLOAT)

sec_value sec_householder_product(sec_value a, sec_value taus) {
  sec_value out;
  sec_bind_factors(&sec_householder_product_p, (sec_value[]){a, taus}, 2, NULL, &out, 1);
  return out;
}

/* ---- ormqr: q c, q^T c, c q or c q^T ---- */
static sec_status ormqr_type(sec_typing *t) {
  SEC_TRY(reflectors_type(t));
  SEC_TRY(sec_type_beside(t, 2, 2));
  const sec_aval *a = t->in[0], *c = t->in[2];
  if (sec_rows(a) != (sec_params_int(t->params, "left") ? sec_rows(c) : sec_columns(c)))
    return sec_type_error(t, SEC_SHAPE, "q has as many rows and columns as a has rows",
                          "reflectors %s do not fit beside %s", a->text, c->text);
  return sec_type_gives(t, c->dtype, false, c->rank, c->dims);
}
static sec_status ormqr_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_ormqr); }
static int ormqr_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0], *c = t->in[2];
  const int64_t words[] = {sec_rows(a), sec_columns(a), sec_columns(t->in[1]), sec_rows(c), sec_columns(c),
                           sec_params_int(t->params, "left"), sec_params_int(t->params, "transpose")};
  return sec_linalg_meta(t, 2, 7, words, meta);
}
static sec_value ormqr_jvp_c(const sec_rule *r, sec_value dc) {
  return sec_ormqr(r->in[0], r->in[1], dc, sec_params_int(r->params, "left") != 0,
                   sec_params_int(r->params, "transpose") != 0);
}
static sec_value ormqr_transpose_c(const sec_rule *r, sec_value ct) {
  return sec_ormqr(r->in[0], r->in[1], ct, sec_params_int(r->params, "left") != 0,
                   sec_params_int(r->params, "transpose") == 0);
}

SEC_PRIMITIVE(ormqr, .doc = "A matrix times the q of reflectors, or its transpose, from one side.",
              .operands = {"a", "taus", "c"}, .type = ormqr_type, .eval = ormqr_eval, .jvp = {[2] = ormqr_jvp_c},
              .transpose = {[2] = ormqr_transpose_c}, .batch = sec_batch_linalg, .form = SEC_FORM_RUNTIME,
              .runtime = "sec_rt_ormqr", .meta = ormqr_meta, .flags = SEC_FLAG_HOST, .takes = SEC_TAKES_FLOAT)

sec_value sec_ormqr(sec_value a, sec_value taus, sec_value c, bool left, bool transpose) {
  sec_value out = SEC_VALUE_POISON;
  sec_context *cx = sec_current_context("ormqr");
  if (cx == NULL) return out;
  sec_bind_factors(&sec_ormqr_p, (sec_value[]){a, taus, c}, 3,
                   sec_params_make(cx, SEC_PARAMS(SEC_P_BOOL("left", left), SEC_P_BOOL("transpose", transpose))),
                   &out, 1);
  return out;
}

/* ---- qr: a, or a with its columns in the order p, is q r ---- */
static int64_t q_columns(const sec_aval *a, bool full) {
  return full ? sec_rows(a) : sec_smaller(sec_rows(a), sec_columns(a));
}
static sec_status qr_type(sec_typing *t) {
  SEC_TRY(sec_type_matrix(t, 0, false));
  const sec_aval *a = t->in[0];
  int64_t n = sec_columns(a), k = q_columns(a, sec_params_int(t->params, "full_matrices") != 0);
  SEC_TRY(sec_type_gives_inner(t, 0, a->dtype, 2, 2, (int64_t[]){sec_rows(a), k}));
  SEC_TRY(sec_type_gives_inner(t, 1, a->dtype, 2, 2, (int64_t[]){k, n}));
  return sec_params_int(t->params, "pivoting") ? sec_type_gives_inner(t, 2, SEC_I32, 2, 1, &n) : SEC_OK;
}
static sec_status qr_eval(const sec_eval *e) {
  return sec_eval_dense(e, sec_params_int(e->params, "pivoting") ? &sec_dense_qr_pivoted : &sec_dense_qr);
}
static int qr_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0];
  const int64_t words[] = {sec_rows(a), sec_columns(a), q_columns(a, sec_params_int(t->params, "full_matrices") != 0),
                           sec_params_int(t->params, "pivoting")};
  return sec_linalg_meta(t, 2, 4, words, meta);
}

/* Walter, Lehmann, Lamour: On evaluating higher-order derivatives of the QR decomposition, 2012.  With
 * m = q^T da r^-1 and the antisymmetric o = tril(m, -1) - tril(m, -1)^T:
 * dq = q (o - m) + da r^-1 and dr = (m - o) r.  For q of as many columns as r has. */
static void thin_tangent(sec_value q, sec_value r, sec_value da, sec_value *dq, sec_value *dr) {
  sec_value right = sec_triangular_solve(r, da, false, false, false, false);
  sec_value m = sec_matmul(sec_matrix_transpose(q), right), lower = sec_triangle(m, true, -1);
  sec_value o = sec_sub(lower, sec_matrix_transpose(lower));
  *dq = sec_add(sec_matmul(q, sec_sub(o, m)), right);
  *dr = sec_matmul(sec_sub(m, o), r);
}

/* The columns of dq beyond those of a: Roberts and Roberts, arXiv 2409.13374, eq. 32 and 33, with
 * z = q21 (q11 - 1)^-1, q11 the square above q21. */
static sec_value rest_tangent(sec_value q, sec_value dq, int64_t m, int64_t n) {
  sec_value first = sec_columns_of(q, 0, n), rest = sec_columns_of(q, n, m);
  sec_value q11 = sec_rows_of(first, 0, n), q21 = sec_rows_of(first, n, m);
  sec_value shifted = sec_sub(q11, sec_identity_like(q, n));
  sec_value zt = sec_solve(sec_matrix_transpose(shifted), sec_matrix_transpose(q21)), z = sec_matrix_transpose(zt);
  sec_value below = sec_sub(sec_rows_of(dq, n, m), sec_matmul(z, sec_rows_of(dq, 0, n)));
  return sec_sub(sec_matmul(dq, zt),
                 sec_matmul(sec_add(first, sec_matmul(rest, z)), sec_matrix_transpose(below)));
}

static void tall_tangent(const sec_value *out, sec_value da, int64_t m, int64_t n, int64_t k, sec_value *dq,
                         sec_value *dr) {
  const sec_aval *a = sec_value_aval(da);
  thin_tangent(sec_columns_of(out[0], 0, n), sec_rows_of(out[1], 0, n), da, dq, dr);
  if (k == n || a == NULL) return;
  int64_t zero[SEC_MAX_RANK] = {0}, high[SEC_MAX_RANK] = {0};
  high[a->rank - 2] = m - n;
  *dq = sec_concatenate((sec_value[]){*dq, rest_tangent(out[0], *dq, m, n)}, 2, a->rank - 1);
  *dr = sec_pad(*dr, sec_zero_literal(a->dtype), zero, high, NULL);
}

/* a = (x1 x2), r = (r1 r2): x1 = q r1 as above, and r2 = q^T x2 */
static void wide_tangent(sec_value a, const sec_value *out, sec_value da, int64_t m, int64_t n, sec_value *dq,
                         sec_value *dr) {
  sec_value dr1, qt = sec_matrix_transpose(out[0]);
  thin_tangent(out[0], sec_columns_of(out[1], 0, m), sec_columns_of(da, 0, m), dq, &dr1);
  sec_value dr2 = sec_add(sec_matmul(sec_matrix_transpose(*dq), sec_columns_of(a, m, n)),
                          sec_matmul(qt, sec_columns_of(da, m, n)));
  const sec_aval *aval = sec_value_aval(dr2);
  *dr = aval != NULL ? sec_concatenate((sec_value[]){dr1, dr2}, 2, aval->rank - 1) : SEC_VALUE_POISON;
}

/* Columns of x in the order p. */
static sec_value permute_columns(sec_value x, sec_value p) {
  return sec_matrix_transpose(sec_permute_rows(sec_matrix_transpose(x), p));
}

static sec_status qr_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out, sec_value *out_dot) {
  const sec_aval *a = r->in_avals[0];
  bool pivoting = sec_params_int(r->params, "pivoting") != 0, full = sec_params_int(r->params, "full_matrices") != 0;
  int64_t m = sec_rows(a), n = sec_columns(a);
  sec_value x = r->in[0], da = in_dot[0];
  SEC_TRY(sec_qr(x, full, pivoting, &out[0], &out[1], pivoting ? &out[2] : NULL));
  for (int i = 0; i < r->n_out; i++) out_dot[i] = SEC_VALUE_ZERO;
  if (sec_value_is_zero(da) || a->size == 0) return SEC_OK;
  if (pivoting) {
    x = permute_columns(x, out[2]);
    da = permute_columns(da, out[2]);
  }
  if (m < n) wide_tangent(x, out, da, m, n, &out_dot[0], &out_dot[1]);
  else tall_tangent(out, da, m, n, q_columns(a, full), &out_dot[0], &out_dot[1]);
  return sec_value_ok(out_dot[0]) && sec_value_ok(out_dot[1]) ? SEC_OK : sec_error_status(r->cx);
}

SEC_PRIMITIVE(qr, .doc = "Orthogonal and triangular factors; pivoting: and the order of columns.", .operands = {"a"},
              .type = qr_type, .eval = qr_eval, .jvp_all = qr_jvp, .batch = sec_batch_linalg,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_qr", .meta = qr_meta, .flags = SEC_FLAG_HOST,
              .takes = SEC_TAKES_FLOAT)

sec_status sec_qr(sec_value a, bool full_matrices, bool pivoting, sec_value *q, sec_value *r, sec_value *p) {
  sec_value out[3] = {SEC_VALUE_POISON, SEC_VALUE_POISON, SEC_VALUE_POISON};
  sec_context *cx = sec_current_context("qr");
  const sec_params *params =
      cx == NULL ? NULL : sec_params_make(cx, SEC_PARAMS(SEC_P_BOOL("full_matrices", full_matrices),
                                                         SEC_P_BOOL("pivoting", pivoting)));
  sec_status status =
      params == NULL ? sec_error_status(NULL) : sec_bind_factors(&sec_qr_p, &a, 1, params, out, pivoting ? 3 : 2);
  *q = out[0];
  *r = out[1];
  if (p != NULL) *p = out[2];
  return status;
}
