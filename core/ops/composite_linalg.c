/* What is made of factorisations: least squares, norms of matrices, products with a transpose. */
#include "composite.h"
#include "linalg.h"

#include <math.h>

/* ---- lstsq ---- */
/* 1 where x holds, else 0 */
static sec_value ones_where(sec_value condition, sec_dtype dtype) { return sec_convert(condition, dtype, false); }

/* x = v diag(1/s) u^T b over the singular values that count */
static sec_value solution(sec_value u, sec_value s, sec_value vt, sec_value b, sec_value counts) {
  sec_value inverse = sec_div(ones_where(counts, sec_value_aval(s)->dtype), sec_where(counts, s, sec_literal_like(s, 1)));
  sec_value part = sec_mul(sec_as_column(inverse), sec_matmul(sec_matrix_transpose(u), b));
  return sec_matmul(sec_matrix_transpose(vt), part);
}

static sec_status lstsq_error(const sec_aval *a, const sec_aval *b) {
  return sec_error_set(SEC_SHAPE, "a is a matrix, b a vector or matrix with as many rows",
                       "lstsq: a is %s and b is %s", a->text, b->text);
}

sec_status sec_lstsq(sec_value a, sec_value b, double rcond, sec_value out[4]) {
  sec_value v[2] = {sec_to_float(a), sec_to_float(b)}, s, u, vt;
  for (int i = 0; i < 4; i++) out[i] = SEC_VALUE_POISON;
  if (sec_promote_dtypes(v, 2) == SEC_N_DTYPES) return sec_error_status(NULL);
  const sec_aval *ma = sec_value_aval(v[0]), *mb = sec_value_aval(v[1]);
  if (ma->rank != 2 || mb->rank < 1 || mb->rank > 2 || ma->dims[0] != mb->dims[0]) return lstsq_error(ma, mb);
  const int64_t last = 1, first = 0;
  sec_value rhs = mb->rank == 1 ? sec_expand_dims(v[1], &last, 1) : v[1], x;
  double epsilon = ma->dtype == SEC_F32 ? 0x1p-23 : 0x1p-52;
  int64_t m = ma->dims[0], n = ma->dims[1];
  if (isnan(rcond)) rcond = epsilon * (double)(m > n ? m : n);
  else if (rcond < 0) rcond = epsilon;
  SEC_TRY(sec_svd(v[0], false, true, &s, &u, &vt));
  if (ma->size == 0) {
    const sec_aval *r = sec_value_aval(rhs);
    x = sec_full(sec_zero_literal(ma->dtype), 2, (int64_t[]){n, r->dims[1]});
    out[2] = sec_literal_of(SEC_I32, false, 0, 0);
  } else {
    sec_value largest = sec_slice(s, &first, &last, NULL), limit = sec_mul(largest, sec_literal_like(s, rcond));
    sec_value counts = sec_and(sec_gt(s, sec_literal_like(s, 0)), sec_ge(s, limit));
    x = solution(u, s, vt, rhs, counts);
    out[2] = sec_sum(sec_convert(counts, SEC_I32, false));
  }
  out[1] = sec_reduce_sum(sec_square(sec_sub(rhs, sec_matmul(v[0], x))), &first, 1);
  out[0] = mb->rank == 1 ? sec_squeeze(x, &last, 1) : x;
  out[3] = s;
  for (int i = 0; i < 4; i++)
    if (!sec_value_ok(out[i])) return sec_error_status(NULL);
  return SEC_OK;
}

/* ---- norms by singular values ---- */
sec_value sec_spectral_norm(sec_value x, int order) {
  sec_value s, a = sec_to_float(x);
  const sec_aval *aval = sec_value_aval(a);
  if (aval == NULL || sec_svd(a, false, false, &s, NULL, NULL) != SEC_OK) return SEC_VALUE_POISON;
  const int64_t last = aval->rank - 2;
  if (order == 2) return sec_reduce_max(s, &last, 1);
  if (order == -2) return sec_reduce_min(s, &last, 1);
  if (order == 1) return sec_reduce_sum(s, &last, 1);
  sec_error_set(SEC_ARGUMENT, "2: the largest, -2: the smallest singular value, 1: their sum",
                "spectral_norm: there is no order %d", order);
  return SEC_VALUE_POISON;
}

/* ---- symmetric_product: alpha a a^T + beta c ---- */
sec_value sec_symmetric_product(sec_value a, sec_value c, double alpha, double beta) {
  if (sec_value_aval(a) == NULL || sec_value_aval(c) == NULL) return SEC_VALUE_POISON;
  sec_value product = sec_mul(sec_literal_like(a, alpha), sec_matmul(a, sec_matrix_transpose(a)));
  return sec_add(product, sec_mul(sec_literal_like(c, beta), c));
}
