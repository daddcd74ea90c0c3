/* eig: eigenvalues and eigenvectors of any matrix, complex. */
#include "linalg.h"

typedef struct eig_flags { bool left, right, derivatives; } eig_flags;

static eig_flags flags_of(const sec_params *p) {
  return (eig_flags){sec_params_int(p, "compute_left_eigenvectors") != 0,
                     sec_params_int(p, "compute_right_eigenvectors") != 0,
                     sec_params_int(p, "enable_eigvec_derivs") != 0};
}

static sec_status eig_type(sec_typing *t) {
  const sec_aval *a = t->in[0];
  sec_dtype part = sec_dtype_part(a->dtype), complex = part == SEC_F64 ? SEC_C128 : SEC_C64;
  eig_flags f = flags_of(t->params);
  if (part != SEC_F32 && part != SEC_F64)
    return sec_type_error(t, SEC_TYPE, "convert it to f32, f64, c64 or c128", "does not take %s", a->text);
  if (a->rank < 2 || sec_rows(a) != sec_columns(a))
    return sec_type_error(t, SEC_SHAPE, "rows and columns must be as many", "operand %s is not a square matrix", a->text);
  const int64_t dims[2] = {sec_rows(a), sec_rows(a)};
  SEC_TRY(sec_type_gives_inner(t, 0, complex, 2, 1, dims));
  for (int i = 1; i <= f.left + f.right; i++) SEC_TRY(sec_type_gives_inner(t, i, complex, 2, 2, dims));
  return SEC_OK;
}

static sec_status eig_eval(const sec_eval *e) {
  static const sec_dense *const by_vectors[3] = {&sec_dense_eig_values, &sec_dense_eig_one, &sec_dense_eig_both};
  eig_flags f = flags_of(e->params);
  return sec_eval_dense(e, by_vectors[f.left + f.right]);
}

static int eig_meta(const sec_typing *t, int64_t *meta) {
  eig_flags f = flags_of(t->params);
  const int64_t words[4] = {sec_rows(t->in[0]), sec_aval_is_complex(t->in[0]), f.left, f.right};
  return sec_linalg_meta(t, 2, 4, words, meta);
}

SEC_DECLARE_PRIMITIVE(eig)
static sec_status bind_eig(sec_value a, eig_flags f, sec_value *out) {
  sec_context *cx = sec_current_context("eig");
  if (cx == NULL) return sec_error_status(NULL);
  return sec_bind_factors(&sec_eig_p, &a, 1,
                          sec_params_make(cx, SEC_PARAMS(SEC_P_BOOL("compute_left_eigenvectors", f.left),
                                                         SEC_P_BOOL("compute_right_eigenvectors", f.right),
                                                         SEC_P_BOOL("enable_eigvec_derivs", f.derivatives))),
                          out, 1 + f.left + f.right);
}

static sec_value conjugate_transpose(sec_value x) { return sec_matrix_transpose(sec_conj(x)); }

/* Sums over the rows of a matrix, as a row. */
static sec_value column_sums(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  const int64_t rows = a != NULL ? a->rank - 2 : 0;
  return a != NULL ? sec_as_row(sec_reduce_sum(x, &rows, 1)) : SEC_VALUE_POISON;
}

/* v^-1 da v for right vectors v and left ones u: v^-1 is u^H, each row divided by u_j^H v_j. */
static sec_value in_eigenbasis(sec_value u, sec_value v, sec_value da) {
  sec_value scale = column_sums(sec_mul(sec_conj(u), v));
  return sec_div(sec_matmul(conjugate_transpose(u), sec_matmul(da, v)), sec_matrix_transpose(scale));
}

/* 1 in the first place of each column where |v| is largest */
static sec_value largest_places(sec_value v) {
  const sec_aval *a = sec_value_aval(v);
  if (a == NULL) return SEC_VALUE_POISON;
  sec_value at = sec_as_row(sec_argmax(sec_abs(v), a->rank - 2, SEC_I32));
  sec_value row = sec_iota(SEC_I32, a->rank, a->dims, a->rank - 2);
  return sec_convert(sec_eq(row, at), sec_dtype_part(a->dtype), false);
}

/* Giles, An extended collection of matrix derivative results, 2008, 3.1: with m = v^-1 da v, dv = v (f * m) + v diag(c),
 * f = 1 / (w_j - w_i) off the diagonal; c keeps the length, and the largest component's imaginary part at 0. */
static sec_value vector_tangent(sec_value w, sec_value v, sec_value m, int64_t n) {
  sec_value one = sec_identity_like(w, n);
  sec_value gaps = sec_add(one, sec_sub(sec_as_row(w), sec_as_column(w)));
  sec_value f = sec_sub(sec_div(sec_literal_like(w, 1), gaps), one);
  sec_value u = sec_matmul(v, sec_mul(f, m)), places = largest_places(v);
  sec_value along = sec_neg(sec_real(column_sums(sec_mul(sec_conj(v), u))));
  sec_value imaginary = column_sums(sec_mul(places, sec_imag(u))), largest = column_sums(sec_mul(places, sec_real(v)));
  return sec_add(u, sec_mul(v, sec_complex(along, sec_neg(sec_div(imaginary, largest)))));
}

static sec_status eig_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out, sec_value *out_dot) {
  eig_flags f = flags_of(r->params), all = {true, true, true};
  bool vectors = f.left || f.right;
  for (int i = 0; i < r->n_out; i++) out_dot[i] = SEC_VALUE_ZERO;
  if (sec_value_is_zero(in_dot[0])) return bind_eig(r->in[0], f, out);
  if (vectors && !f.derivatives)
    return sec_error_set(SEC_NO_RULE, "lax.linalg.eig takes enable_eigvec_derivs=True where eigenvalues are distinct",
                         "eig: derivatives of eigenvectors are only defined for distinct eigenvalues");
  sec_value whole[3]; /* w, left, right */
  SEC_TRY(bind_eig(r->in[0], all, whole));
  int64_t n = sec_rows(r->in_avals[0]);
  sec_value da = sec_convert(in_dot[0], sec_value_aval(whole[0])->dtype, false);
  sec_value m = in_eigenbasis(whole[1], whole[2], da);
  out[0] = whole[0];
  out_dot[0] = sec_diag(m, 0);
  if (f.left) {
    sec_value adjoint = in_eigenbasis(whole[2], whole[1], conjugate_transpose(da));
    out[1] = whole[1];
    out_dot[1] = vector_tangent(sec_conj(whole[0]), whole[1], adjoint, n);
  }
  if (f.right) {
    out[1 + f.left] = whole[2];
    out_dot[1 + f.left] = vector_tangent(whole[0], whole[2], m, n);
  }
  for (int i = 0; i < r->n_out; i++)
    if (!sec_value_ok(out_dot[i])) return sec_error_status(r->cx);
  return SEC_OK;
}

SEC_PRIMITIVE(eig, .doc = "Eigenvalues of a matrix, with left and right eigenvectors as columns.", .operands = {"a"},
              .type = eig_type, .eval = eig_eval, .jvp_all = eig_jvp, .batch = sec_batch_linalg,
              .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_eig", .meta = eig_meta, .flags = SEC_FLAG_HOST,
              .takes = SEC_TAKES_INEXACT)

sec_status sec_eig(sec_value a, bool enable_eigvec_derivs, sec_value *w, sec_value *vl, sec_value *vr) {
  sec_value out[3] = {SEC_VALUE_POISON, SEC_VALUE_POISON, SEC_VALUE_POISON};
  sec_status status = bind_eig(a, (eig_flags){vl != NULL, vr != NULL, enable_eigvec_derivs}, out);
  *w = out[0];
  if (vl != NULL) *vl = out[1];
  if (vr != NULL) *vr = out[vl != NULL ? 2 : 1];
  return status;
}
