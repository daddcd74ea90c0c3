/* hessenberg, tridiagonal and schur: similar matrices of a simpler form.  JAX has no derivatives of them. */
#include "linalg.h"

static sec_status square_type(sec_typing *t, int64_t *dims) {
  SEC_TRY(sec_type_matrix(t, 0, true));
  dims[0] = dims[1] = sec_rows(t->in[0]);
  dims[2] = dims[0] > 0 ? dims[0] - 1 : 0;
  return sec_type_gives_inner(t, 0, t->in[0]->dtype, 2, 2, dims);
}

/* ---- hessenberg ---- */
static sec_status hessenberg_type(sec_typing *t) {
  int64_t dims[3];
  SEC_TRY(square_type(t, dims));
  return sec_type_gives_inner(t, 1, t->in[0]->dtype, 2, 1, dims + 2);
}
static sec_status hessenberg_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_hessenberg); }
static int hessenberg_meta(const sec_typing *t, int64_t *meta) {
  return sec_linalg_meta(t, 2, 1, (int64_t[]){sec_rows(t->in[0])}, meta);
}

SEC_PRIMITIVE(hessenberg, .doc = "The Hessenberg form above the reflectors that lead to it, and their factors.",
              .operands = {"a"}, .type = hessenberg_type, .eval = hessenberg_eval, .batch = sec_batch_linalg,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_hessenberg", .meta = hessenberg_meta,
              .flags = SEC_FLAG_HOST, .takes = SEC_TAKES_FLOAT)

sec_status sec_hessenberg(sec_value a, sec_value *h, sec_value *taus) {
  sec_value out[2];
  sec_status status = sec_bind_factors(&sec_hessenberg_p, &a, 1, NULL, out, 2);
  *h = out[0];
  *taus = out[1];
  return status;
}

/* ---- tridiagonal ---- */
static sec_status tridiagonal_type(sec_typing *t) {
  int64_t dims[3];
  SEC_TRY(square_type(t, dims));
  if (dims[0] == 0)
    return sec_type_error(t, SEC_SHAPE, "give at least one row", "does not take the empty matrix %s", t->in[0]->text);
  SEC_TRY(sec_type_gives_inner(t, 1, t->in[0]->dtype, 2, 1, dims));
  SEC_TRY(sec_type_gives_inner(t, 2, t->in[0]->dtype, 2, 1, dims + 2));
  return sec_type_gives_inner(t, 3, t->in[0]->dtype, 2, 1, dims + 2);
}
static sec_status tridiagonal_eval(const sec_eval *e) { return sec_eval_dense(e, &sec_dense_tridiagonal); }
static int tridiagonal_meta(const sec_typing *t, int64_t *meta) {
  return sec_linalg_meta(t, 2, 2, (int64_t[]){sec_rows(t->in[0]), sec_params_int(t->params, "lower")}, meta);
}

SEC_PRIMITIVE(tridiagonal, .doc = "The tridiagonal form of a symmetric matrix with its reflectors, and d, e, taus.",
              .operands = {"a"}, .type = tridiagonal_type, .eval = tridiagonal_eval, .batch = sec_batch_linalg,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_tridiagonal", .meta = tridiagonal_meta,
              .flags = SEC_FLAG_HOST, .takes = SEC_TAKES_FLOAT)

sec_status sec_tridiagonal(sec_value a, bool lower, sec_value out[4]) {
  sec_context *cx = sec_current_context("tridiagonal");
  for (int i = 0; i < 4; i++) out[i] = SEC_VALUE_POISON;
  if (cx == NULL) return sec_error_status(NULL);
  return sec_bind_factors(&sec_tridiagonal_p, &a, 1, sec_params_make(cx, SEC_PARAMS(SEC_P_BOOL("lower", lower))),
                          out, 4);
}

/* ---- schur: a = q t q^T ---- */
static bool with_vectors(const sec_params *p) { return sec_params_int(p, "compute_schur_vectors") != 0; }
static sec_status schur_type(sec_typing *t) {
  int64_t dims[3];
  SEC_TRY(square_type(t, dims));
  return with_vectors(t->params) ? sec_type_gives_inner(t, 1, t->in[0]->dtype, 2, 2, dims) : SEC_OK;
}
static sec_status schur_eval(const sec_eval *e) {
  return sec_eval_dense(e, with_vectors(e->params) ? &sec_dense_schur : &sec_dense_schur_values);
}
static int schur_meta(const sec_typing *t, int64_t *meta) {
  return sec_linalg_meta(t, 2, 2, (int64_t[]){sec_rows(t->in[0]), with_vectors(t->params)}, meta);
}

SEC_PRIMITIVE(schur, .doc = "The real Schur form t of a matrix, and q with q t q^T the matrix.", .operands = {"a"},
              .type = schur_type, .eval = schur_eval, .batch = sec_batch_linalg, .form = SEC_FORM_RUNTIME,
              .runtime = "sec_rt_schur", .meta = schur_meta, .flags = SEC_FLAG_HOST, .takes = SEC_TAKES_FLOAT)

sec_status sec_schur(sec_value a, sec_value *t, sec_value *q) {
  sec_value out[2] = {SEC_VALUE_POISON, SEC_VALUE_POISON};
  sec_context *cx = sec_current_context("schur");
  sec_status status = sec_error_status(NULL);
  if (cx != NULL)
    status = sec_bind_factors(&sec_schur_p, &a, 1,
                              sec_params_make(cx, SEC_PARAMS(SEC_P_BOOL("compute_schur_vectors", q != NULL))), out,
                              q != NULL ? 2 : 1);
  *t = out[0];
  if (q != NULL) *q = out[1];
  return status;
}
