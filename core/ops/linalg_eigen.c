/* eigh, svd, and the pseudo-inverse. */
#include "linalg.h"

/* ---- eigh: a = v diag(w) v^T, of which one triangle is read; w ascending ---- */
static sec_status eigh_type(sec_typing *t) {
  SEC_TRY(sec_type_matrix(t, 0, true));
  const sec_aval *a = t->in[0];
  const int64_t dims[2] = {sec_rows(a), sec_rows(a)};
  SEC_TRY(sec_type_gives_inner(t, 0, a->dtype, 2, 2, dims));
  return sec_type_gives_inner(t, 1, a->dtype, 2, 1, dims);
}
static sec_status eigh_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_eigh); }
static int eigh_meta(const sec_typing *t, int64_t *meta) {
  return sec_linalg_meta(t, 2, 2, (int64_t[]){sec_rows(t->in[0]), sec_params_int(t->params, "lower")}, meta);
}

/* The tangent that the read triangle stands for. */
static sec_value mirrored(sec_value x, bool lower) {
  return sec_add(sec_triangle(x, lower, 0), sec_matrix_transpose(sec_triangle(x, lower, lower ? -1 : 1)));
}

/* Giles, An extended collection of matrix derivative results, 2008, 3.1: with m = v^T da v,
 * dw = diag(m) and dv = v (f * m), f = 1 / (w_j - w_i) off the diagonal; equal values give NaN, as in JAX. */
static sec_status eigh_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out, sec_value *out_dot) {
  bool lower = sec_params_int(r->params, "lower") != 0;
  SEC_TRY(sec_eigh(r->in[0], lower, &out[0], &out[1]));
  out_dot[0] = out_dot[1] = SEC_VALUE_ZERO;
  if (sec_value_is_zero(in_dot[0])) return SEC_OK;
  sec_value v = out[0], w = out[1], one = sec_identity_like(w, sec_rows(r->in_avals[0]));
  sec_value f = sec_sub(sec_integer_pow(sec_add(one, sec_sub(sec_as_row(w), sec_as_column(w))), -1), one);
  sec_value m = sec_matmul(sec_matmul(sec_matrix_transpose(v), mirrored(in_dot[0], lower)), v);
  out_dot[0] = sec_matmul(v, sec_mul(f, m));
  out_dot[1] = sec_diag(m, 0);
  return sec_value_ok(out_dot[0]) && sec_value_ok(out_dot[1]) ? SEC_OK : sec_error_status(r->cx);
}

SEC_PRIMITIVE(eigh, .doc = "Eigenvectors, as columns, and ascending eigenvalues of a symmetric matrix.",
              .operands = {"a"}, .type = eigh_type, .eval = eigh_eval, .jvp_all = eigh_jvp,
              .batch = sec_batch_linalg, .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_eigh", .meta = eigh_meta,
              .flags = SEC_FLAG_HOST, .takes = SEC_TAKES_FLOAT)

sec_status sec_eigh(sec_value a, bool lower, sec_value *v, sec_value *w) {
  sec_value out[2] = {SEC_VALUE_POISON, SEC_VALUE_POISON};
  sec_context *cx = sec_current_context("eigh");
  sec_status status = cx == NULL ? sec_error_status(NULL)
                                 : sec_bind_factors(&sec_eigh_p, &a, 1,
                                                    sec_params_make(cx, SEC_PARAMS(SEC_P_BOOL("lower", lower))), out, 2);
  *v = out[0];
  *w = out[1];
  return status;
}

/* ---- svd: a = u diag(s) vt, s descending ---- */
static bool with_vectors(const sec_params *p) { return sec_params_int(p, "compute_uv") != 0; }
static bool full(const sec_params *p) { return sec_params_int(p, "full_matrices") != 0; }

static sec_status svd_type(sec_typing *t) {
  SEC_TRY(sec_type_matrix(t, 0, false));
  const sec_aval *a = t->in[0];
  int64_t m = sec_rows(a), n = sec_columns(a), k = sec_smaller(m, n);
  SEC_TRY(sec_type_gives_inner(t, 0, a->dtype, 2, 1, &k));
  if (!with_vectors(t->params)) return SEC_OK;
  SEC_TRY(sec_type_gives_inner(t, 1, a->dtype, 2, 2, (int64_t[]){m, full(t->params) ? m : k}));
  return sec_type_gives_inner(t, 2, a->dtype, 2, 2, (int64_t[]){full(t->params) ? n : k, n});
}
static sec_status svd_eval(const sec_eval *e) {
  return sec_eval_dense(e, with_vectors(e->params) ? &sec_dense_svd : &sec_dense_values);
}
static int svd_meta(const sec_typing *t, int64_t *meta) {
  const sec_aval *a = t->in[0];
  const int64_t words[] = {sec_rows(a), sec_columns(a), full(t->params), with_vectors(t->params)};
  return sec_linalg_meta(t, 2, 4, words, meta);
}

/* 1 / x, 0 where x is 0 */
static sec_value inverse_or_zero(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (a == NULL) return SEC_VALUE_POISON;
  sec_value zero = sec_convert(sec_eq(x, sec_literal_like(x, 0)), a->dtype, false);
  return sec_sub(sec_div(sec_literal_like(x, 1), sec_add(x, zero)), zero);
}

/* What a direction outside the space of `basis` adds: (x - b b^T x) / s */
static sec_value outside(sec_value x, sec_value basis, sec_value s) {
  sec_value inside = sec_matmul(basis, sec_matmul(sec_matrix_transpose(basis), x));
  return sec_div(sec_sub(x, inside), sec_as_row(s));
}

/* Giles, as above, 3.2, with f = 1 / (s_j^2 - s_i^2) off the diagonal and m = u^T da v: equal values give NaN. */
static void svd_tangent(const sec_aval *a, const sec_value *out, sec_value da, sec_value *out_dot) {
  sec_value s = out[0], u = out[1], ut = sec_matrix_transpose(u), v = sec_matrix_transpose(out[2]);
  sec_value m = sec_matmul(sec_matmul(ut, da), v), mt = sec_matrix_transpose(m), row = sec_as_row(s);
  int64_t k = sec_smaller(sec_rows(a), sec_columns(a));
  sec_value column = sec_as_column(s), one = sec_identity_like(s, k);
  out_dot[0] = sec_diag(m, 0);
  sec_value squares = sec_mul(sec_add(row, column), sec_sub(row, column));
  sec_value f = sec_sub(sec_div(sec_literal_like(s, 1), sec_add(squares, one)), one);
  sec_value ms = sec_mul(m, row), sm = sec_mul(column, m);
  sec_value turn = sec_mul(sec_mul(sec_literal_like(s, 0.5), sec_sub(m, mt)),
                           sec_mul(one, sec_as_row(inverse_or_zero(s))));
  sec_value du = sec_matmul(u, sec_add(sec_mul(f, sec_add(ms, sec_matrix_transpose(ms))), turn));
  sec_value dv = sec_matmul(v, sec_mul(f, sec_add(sm, sec_matrix_transpose(sm))));
  if (sec_rows(a) > k) du = sec_add(du, outside(sec_matmul(da, v), u, s));
  if (sec_columns(a) > k) dv = sec_add(dv, outside(sec_matmul(sec_matrix_transpose(da), u), v, s));
  out_dot[1] = du;
  out_dot[2] = sec_matrix_transpose(dv);
}

static sec_status svd_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out, sec_value *out_dot) {
  const sec_aval *a = r->in_avals[0];
  bool zero = sec_value_is_zero(in_dot[0]), vectors = with_vectors(r->params), whole = full(r->params);
  sec_value all[3], dots[3] = {SEC_VALUE_ZERO, SEC_VALUE_ZERO, SEC_VALUE_ZERO};
  if (!zero && vectors && whole && sec_rows(a) != sec_columns(a))
    return sec_error_set(SEC_NO_RULE, "full_matrices=False has one",
                         "svd of %s with full matrices has no derivative", a->text);
  SEC_TRY(sec_svd(r->in[0], whole && vectors, !zero || vectors, &all[0], &all[1], &all[2]));
  if (!zero) svd_tangent(a, all, in_dot[0], dots);
  for (int i = 0; i < r->n_out; i++) {
    out[i] = all[i];
    out_dot[i] = dots[i];
    if (!zero && !sec_value_ok(dots[i])) return sec_error_status(r->cx);
  }
  return SEC_OK;
}

SEC_PRIMITIVE(svd, .doc = "Singular values, descending; with compute_uv the matrices u and vt around them.",
              .operands = {"a"}, .type = svd_type, .eval = svd_eval, .jvp_all = svd_jvp, .batch = sec_batch_linalg,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_svd", .meta = svd_meta, .flags = SEC_FLAG_HOST,
              .takes = SEC_TAKES_FLOAT)

sec_status sec_svd(sec_value a, bool full_matrices, bool compute_uv, sec_value *s, sec_value *u, sec_value *vt) {
  sec_value out[3] = {SEC_VALUE_POISON, SEC_VALUE_POISON, SEC_VALUE_POISON};
  sec_context *cx = sec_current_context("svd");
  sec_status status = sec_error_status(NULL);
  if (cx != NULL)
    status = sec_bind_factors(&sec_svd_p, &a, 1,
                              sec_params_make(cx, SEC_PARAMS(SEC_P_BOOL("compute_uv", compute_uv),
                                                             SEC_P_BOOL("full_matrices", full_matrices))),
                              out, compute_uv ? 3 : 1);
  *s = out[0];
  if (u != NULL) *u = out[1];
  if (vt != NULL) *vt = out[2];
  return status;
}

/* ---- pinv ---- */
static double rtol_of(const sec_params *p) {
  const sec_param *q = sec_params_find(p, "rtol");
  return q != NULL ? q->u.f : 0;
}
static sec_status pinv_type(sec_typing *t) {
  SEC_TRY(sec_type_matrix(t, 0, false));
  return sec_type_gives_inner(t, 0, t->in[0]->dtype, 2, 2,
                              (int64_t[]){sec_columns(t->in[0]), sec_rows(t->in[0])});
}
static sec_status pinv_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_pinv); }
static int pinv_meta(const sec_typing *t, int64_t *meta) {
  double rtol = rtol_of(t->params);
  int64_t words[3] = {sec_rows(t->in[0]), sec_columns(t->in[0])};
  memcpy(&words[2], &rtol, sizeof rtol);
  return sec_linalg_meta(t, 2, 3, words, meta);
}

/* Golub and Pereyra, SIAM J. Numer. Anal. 10, 1973, eq. 4.12: dp = -p da p + p p^T da^T (1 - a p) + (1 - p a) da^T p^T p,
 * in the order of products that is cheaper for tall, or for wide matrices. */
static sec_value pinv_jvp(const sec_rule *r, sec_value da) {
  sec_value a = r->in[0], p = r->out[0], pt = sec_matrix_transpose(p), dat = sec_matrix_transpose(da), s, t, first;
  if (sec_rows(r->in_avals[0]) >= sec_columns(r->in_avals[0])) {
    first = sec_matmul(sec_matmul(p, da), p);
    s = sec_matmul(sec_matmul(p, pt), dat);
    t = sec_matmul(sec_matmul(dat, pt), p);
    s = sec_sub(s, sec_matmul(sec_matmul(s, a), p));
    t = sec_sub(t, sec_matmul(sec_matmul(p, a), t));
  } else {
    first = sec_matmul(p, sec_matmul(da, p));
    s = sec_matmul(p, sec_matmul(pt, dat));
    t = sec_matmul(dat, sec_matmul(pt, p));
    s = sec_sub(s, sec_matmul(s, sec_matmul(a, p)));
    t = sec_sub(t, sec_matmul(p, sec_matmul(a, t)));
  }
  return sec_sub(sec_add(s, t), first);
}

SEC_PRIMITIVE(pinv, .doc = "The pseudo-inverse: singular values up to rtol times the largest count as zero.",
              .operands = {"a"}, .type = pinv_type, .eval = pinv_eval, .jvp = {pinv_jvp}, .batch = sec_batch_linalg,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_pinv", .meta = pinv_meta, .flags = SEC_FLAG_HOST,
              .takes = SEC_TAKES_FLOAT)

sec_value sec_pinv(sec_value a, double rtol) {
  const sec_aval *aval = sec_value_aval(a);
  sec_context *cx = sec_current_context("pinv");
  sec_value out = SEC_VALUE_POISON;
  if (aval == NULL || cx == NULL) return out;
  if (rtol < 0 && aval->rank >= 2) {
    int64_t m = sec_rows(aval), n = sec_columns(aval);
    rtol = 10 * (double)(m > n ? m : n) * (aval->dtype == SEC_F32 ? 0x1p-23 : 0x1p-52);
  }
  sec_bind_factors(&sec_pinv_p, &a, 1, sec_params_make(cx, SEC_PARAMS(SEC_P_FLOAT("rtol", rtol))), &out, 1);
  return out;
}
