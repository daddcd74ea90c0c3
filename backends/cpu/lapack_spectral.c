/* Eigenvalues, singular values and the Schur form, by LAPACK. */
#include "factor.h"

#include <math.h>
#include <string.h>

static const size_t kind_bytes[2] = {4, 8};

static int query(sec_rt_kind kind, const void *x) { return kind == SEC_RT_F32 ? (int)*(const float *)x : (int)*(const double *)x; }

/* `elements` of copies, lwork elements of work, liwork integers after them. */
static bool want(sec_rt_kind kind, int64_t elements, sec_factor_work *w) {
  w->bytes = (size_t)(elements + w->lwork + 1) * kind_bytes[kind] + (size_t)w->liwork * sizeof(int);
  return true;
}
static char *place(sec_rt_kind kind, char *memory, int64_t at) { return memory + (size_t)at * kind_bytes[kind]; }

/* LAPACK may not return from a matrix with NaN or infinity. */
static bool all_finite(sec_rt_kind kind, const void *x, int64_t n) {
  if (kind == SEC_RT_F32) {
    float sum = 0;
    for (int64_t i = 0; i < n; i++) sum += ((const float *)x)[i] * 0;
    return sum == 0;
  }
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += ((const double *)x)[i] * 0;
  return sum == 0;
}

/* ---- eigh ---- */
static bool syevd_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  int n = (int)meta[2], ask = -1, info;
  double answer = 0;
  if (!library->syevd[kind]) return false;
  library->syevd[kind]("V", "L", &n, NULL, &n, NULL, &answer, &ask, &w->liwork, &ask, &info, 1, 1);
  w->lwork = query(kind, &answer);
  return want(kind, meta[2] * meta[2], w);
}
static bool syevd_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  int n = (int)meta[2], lwork = w->lwork, liwork = w->liwork, info;
  char *work = place(kind, memory, meta[2] * meta[2]);
  sec_factor_transpose(kind, bufs[0], n, memory, n, n, n);
  if (!all_finite(kind, memory, meta[2] * meta[2])) return false;
  sec_blas_get()->syevd[kind]("V", meta[3] ? "L" : "U", &n, memory, &n, bufs[2], work, &lwork,
                              (int *)(void *)place(kind, work, (lwork + 1) & ~1), &liwork, &info, 1, 1);
  sec_factor_transpose(kind, memory, n, bufs[1], n, n, n);
  return info == 0;
}
static const sec_factor eigh = {&sec_dense_eigh, syevd_prepare, syevd_run};
void sec_rt_eigh(void **bufs, const int64_t *meta) { sec_factor_run(&eigh, bufs, meta); }

/* ---- svd: copies of a, u and vt by columns ---- */
typedef struct svd_shape {
  int m, n, k, full, vectors; /* k columns of u, rows of vt when not full */
  int64_t u, vt;              /* elements */
  const char *job;
} svd_shape;

static svd_shape svd_of(const int64_t *meta) {
  svd_shape s = {.m = (int)meta[2], .n = (int)meta[3], .full = meta[4] != 0, .vectors = meta[5] != 0};
  s.k = s.m < s.n ? s.m : s.n;
  s.job = !s.vectors ? "N" : s.full ? "A" : "S";
  s.u = s.vectors ? (int64_t)s.m * (s.full ? s.m : s.k) : 0;
  s.vt = s.vectors ? (int64_t)s.n * (s.full ? s.n : s.k) : 0;
  return s;
}

static bool gesdd_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  svd_shape s = svd_of(meta);
  int ask = -1, info, ldvt = s.full ? s.n : s.k;
  double answer = 0;
  if (!library->gesdd[kind]) return false;
  library->gesdd[kind](s.job, &s.m, &s.n, NULL, &s.m, NULL, NULL, &s.m, NULL, &ldvt, &answer, &ask, NULL, &info, 1);
  w->lwork = query(kind, &answer);
  w->liwork = 8 * s.k;
  return want(kind, meta[2] * meta[3] + s.u + s.vt, w);
}
static bool gesdd_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  svd_shape s = svd_of(meta);
  int lwork = w->lwork, info, ldvt = s.full ? s.n : s.k;
  char *u = place(kind, memory, meta[2] * meta[3]), *vt = place(kind, u, s.u), *work = place(kind, vt, s.vt);
  sec_factor_transpose(kind, bufs[0], s.n, memory, s.m, s.m, s.n);
  if (!all_finite(kind, memory, meta[2] * meta[3])) return false;
  sec_blas_get()->gesdd[kind](s.job, &s.m, &s.n, memory, &s.m, bufs[1], u, &s.m, vt, &ldvt, work, &lwork,
                              (int *)(void *)place(kind, work, (lwork + 1) & ~1), &info, 1);
  if (s.vectors) {
    int64_t columns = s.full ? s.m : s.k;
    sec_factor_transpose(kind, u, s.m, bufs[2], columns, columns, s.m);
    sec_factor_transpose(kind, vt, ldvt, bufs[3], s.n, s.n, ldvt);
  }
  return info == 0;
}

void sec_rt_svd(void **bufs, const int64_t *meta) {
  static const sec_factor vectors = {&sec_dense_svd, gesdd_prepare, gesdd_run},
                          values = {&sec_dense_values, gesdd_prepare, gesdd_run};
  sec_factor_run(meta[5] ? &vectors : &values, bufs, meta);
}

/* ---- schur: behind the copies of t and q the eigenvalues' parts ---- */
static bool gees_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  int n = (int)meta[2], ask = -1, info, none;
  double answer = 0;
  if (!library->gees[kind]) return false;
  library->gees[kind](meta[3] ? "V" : "N", "N", NULL, &n, NULL, &n, &none, NULL, NULL, NULL, &n, &answer, &ask, NULL,
                      &info, 1, 1);
  w->lwork = query(kind, &answer);
  return want(kind, 2 * meta[2] * meta[2] + 2 * meta[2], w);
}
static bool gees_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  int n = (int)meta[2], lwork = w->lwork, info, none;
  char *q = place(kind, memory, meta[2] * meta[2]), *re = place(kind, q, meta[2] * meta[2]), *im = place(kind, re, n);
  sec_factor_transpose(kind, bufs[0], n, memory, n, n, n);
  if (!all_finite(kind, memory, meta[2] * meta[2])) return false;
  sec_blas_get()->gees[kind](meta[3] ? "V" : "N", "N", NULL, &n, memory, &n, &none, re, im, q, &n, place(kind, im, n),
                             &lwork, NULL, &info, 1, 1);
  sec_factor_transpose(kind, memory, n, bufs[1], n, n, n);
  if (meta[3]) sec_factor_transpose(kind, q, n, bufs[2], n, n, n);
  return info == 0;
}

void sec_rt_schur(void **bufs, const int64_t *meta) {
  static const sec_factor vectors = {&sec_dense_schur, gees_prepare, gees_run},
                          values = {&sec_dense_schur_values, gees_prepare, gees_run};
  sec_factor_run(meta[3] ? &vectors : &values, bufs, meta);
}

/* ---- pinv: behind the svd's copies the singular values; u is scaled, and p^T = u vt by columns is p by rows ---- */
static void scale_columns(sec_rt_kind kind, void *u, const void *s, int m, int k, double rtol) {
  for (int j = 0; j < k; j++) {
    double first = kind == SEC_RT_F32 ? *(const float *)s : *(const double *)s;
    double value = kind == SEC_RT_F32 ? ((const float *)s)[j] : ((const double *)s)[j];
    double cut = kind == SEC_RT_F32 ? (double)((float)rtol * (float)first) : rtol * first;
    double factor = value > cut ? 1 / value : 0;
    for (int64_t i = (int64_t)j * m; i < (int64_t)(j + 1) * m; i++)
      if (kind == SEC_RT_F32) ((float *)u)[i] *= (float)factor;
      else ((double *)u)[i] *= factor;
  }
}

static void pinv_svd(const int64_t *meta, int64_t *svd_meta) {
  const int64_t words[6] = {meta[0], 1, meta[2], meta[3], 0, 1};
  memcpy(svd_meta, words, sizeof words);
}

static bool pinv_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  int64_t words[6];
  pinv_svd(meta, words);
  if (!sec_blas_get()->gemm[kind] || !gesdd_prepare(kind, words, w)) return false;
  svd_shape s = svd_of(words);
  w->bytes += (size_t)(s.u + s.vt + 2 * s.k + 2) * kind_bytes[kind];
  return true;
}

static bool pinv_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  int64_t words[6];
  pinv_svd(meta, words);
  svd_shape s = svd_of(words);
  char *values = memory, *u = place(kind, values, (s.k + 1) & ~1), *vt = place(kind, u, s.u);
  char *rest = place(kind, vt, s.vt + (s.u + s.vt) % 2);
  static const double zero = 0; /* of either kind */
  void *parts[4] = {bufs[0], values, u, vt}; /* by rows: u[m,k], vt[k,n] */
  if (!gesdd_run(kind, words, parts, w, rest)) return false;
  sec_factor_transpose(kind, u, s.k, rest, s.m, s.m, s.k);
  scale_columns(kind, rest, values, s.m, s.k, sec_double_of_bits(meta[4]));
  sec_blas_get()->gemm[kind]("N", "T", &s.m, &s.n, &s.k, sec_blas_one[kind], rest, &s.m, vt, &s.n, &zero, bufs[1],
                             &s.m, 1, 1);
  return true;
}
static const sec_factor pinv = {&sec_dense_pinv, pinv_prepare, pinv_run};
void sec_rt_pinv(void **bufs, const int64_t *meta) { sec_factor_run(&pinv, bufs, meta); }
