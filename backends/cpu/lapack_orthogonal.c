/* QR and what belongs to reflectors, by LAPACK. */
#include "factor.h"

#include <string.h>

static const size_t kind_bytes[2] = {4, 8};

static int64_t smaller(int64_t m, int64_t n) { return m < n ? m : n; }
static int64_t larger(int64_t m, int64_t n) { return m < n ? n : m; }
static int query(sec_rt_kind kind, const void *x) { return kind == SEC_RT_F32 ? (int)*(const float *)x : (int)*(const double *)x; }

/* Work of `lwork` elements after `elements` of copies. */
static bool want(sec_rt_kind kind, int64_t elements, sec_factor_work *w) {
  w->bytes = (size_t)(elements + w->lwork) * kind_bytes[kind];
  return true;
}
/* Element `at` of the memory. */
static char *place(sec_rt_kind kind, char *memory, int64_t at) { return memory + (size_t)at * kind_bytes[kind]; }

/* ---- geqrf ---- */
static bool geqrf_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  int m = (int)meta[2], n = (int)meta[3], ask = -1, info;
  double answer = 0;
  if (!library->geqrf[kind]) return false;
  library->geqrf[kind](&m, &n, NULL, &m, NULL, &answer, &ask, &info);
  w->lwork = query(kind, &answer);
  return want(kind, meta[2] * meta[3], w);
}
static bool geqrf_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  int m = (int)meta[2], n = (int)meta[3], lwork = w->lwork, info;
  sec_factor_transpose(kind, bufs[0], n, memory, m, m, n);
  sec_blas_get()->geqrf[kind](&m, &n, memory, &m, bufs[2], place(kind, memory, meta[2] * meta[3]), &lwork, &info);
  sec_factor_transpose(kind, memory, m, bufs[1], n, n, m);
  return info == 0;
}
static const sec_factor geqrf = {&sec_dense_geqrf, geqrf_prepare, geqrf_run};
void sec_rt_geqrf(void **bufs, const int64_t *meta) { sec_factor_run(&geqrf, bufs, meta); }

/* ---- householder_product ---- */
static bool orgqr_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  int m = (int)meta[2], n = (int)meta[3], k = (int)meta[4], ask = -1, info;
  double answer = 0;
  if (!library->orgqr[kind]) return false;
  library->orgqr[kind](&m, &n, &k, NULL, &m, NULL, &answer, &ask, &info);
  w->lwork = query(kind, &answer);
  return want(kind, meta[2] * meta[3], w);
}
static bool orgqr_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  int m = (int)meta[2], n = (int)meta[3], k = (int)meta[4], lwork = w->lwork, info;
  sec_factor_transpose(kind, bufs[0], n, memory, m, m, n);
  sec_blas_get()->orgqr[kind](&m, &n, &k, memory, &m, bufs[1], place(kind, memory, meta[2] * meta[3]), &lwork, &info);
  sec_factor_transpose(kind, memory, m, bufs[2], n, n, m);
  return info == 0;
}
static const sec_factor householder = {&sec_dense_householder, orgqr_prepare, orgqr_run};
void sec_rt_householder_product(void **bufs, const int64_t *meta) { sec_factor_run(&householder, bufs, meta); }

/* ---- ormqr ---- */
static bool ormqr_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  int rows = (int)meta[5], columns = (int)meta[6], k = (int)meta[4], lda = (int)meta[2], ask = -1, info;
  double answer = 0;
  if (!library->ormqr[kind] || rows == 0 || columns == 0) return false;
  library->ormqr[kind](meta[7] ? "L" : "R", meta[8] ? "T" : "N", &rows, &columns, &k, NULL, &lda, NULL, NULL, &rows,
                       &answer, &ask, &info, 1, 1);
  w->lwork = query(kind, &answer);
  return want(kind, meta[2] * meta[3] + meta[5] * meta[6], w);
}
static bool ormqr_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  int m = (int)meta[2], n = (int)meta[3], k = (int)meta[4], rows = (int)meta[5], columns = (int)meta[6];
  int lwork = w->lwork, info;
  char *c = place(kind, memory, meta[2] * meta[3]);
  sec_factor_transpose(kind, bufs[0], n, memory, m, m, n);
  sec_factor_transpose(kind, bufs[2], columns, c, rows, rows, columns);
  sec_blas_get()->ormqr[kind](meta[7] ? "L" : "R", meta[8] ? "T" : "N", &rows, &columns, &k, memory, &m, bufs[1], c,
                              &rows, place(kind, c, meta[5] * meta[6]), &lwork, &info, 1, 1);
  sec_factor_transpose(kind, c, rows, bufs[3], columns, columns, rows);
  return info == 0;
}
static const sec_factor ormqr = {&sec_dense_ormqr, ormqr_prepare, ormqr_run};
void sec_rt_ormqr(void **bufs, const int64_t *meta) { sec_factor_run(&ormqr, bufs, meta); }

/* ---- qr: the copy has room for the columns of q; behind it tau, work, and the order of columns ---- */
static int64_t qr_room(const int64_t *meta) { return meta[2] * larger(meta[3], meta[4]) + smaller(meta[2], meta[3]); }

static bool qr_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  int m = (int)meta[2], n = (int)meta[3], q = (int)meta[4], k = (int)smaller(m, n), ask = -1, info;
  double answers[2] = {0, 0};
  bool pivoting = meta[5] != 0;
  if (!library->orgqr[kind] || (pivoting ? !library->geqp3[kind] : !library->geqrf[kind])) return false;
  if (pivoting) library->geqp3[kind](&m, &n, NULL, &m, NULL, NULL, &answers[0], &ask, &info);
  else library->geqrf[kind](&m, &n, NULL, &m, NULL, &answers[0], &ask, &info);
  library->orgqr[kind](&m, &q, &k, NULL, &m, NULL, &answers[1], &ask, &info);
  w->lwork = (int)larger(query(kind, &answers[0]), query(kind, &answers[1]));
  return want(kind, qr_room(meta), w);
}

/* The upper triangle of a, by columns, as r by rows. */
static void take_triangle(sec_rt_kind kind, const int64_t *meta, const char *a, char *r) {
  size_t element = kind_bytes[kind];
  int64_t m = meta[2], n = meta[3], q = meta[4];
  sec_factor_transpose(kind, a, m, r, n, n, q);
  for (int64_t i = 1; i < q; i++) memset(place(kind, r, i * n), 0, (size_t)smaller(i, n) * element);
}

static bool qr_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  const sec_blas *library = sec_blas_get();
  int m = (int)meta[2], n = (int)meta[3], q = (int)meta[4], k = (int)smaller(m, n), lwork = w->lwork, info = 0;
  char *tau = place(kind, memory, meta[2] * larger(n, q)), *work = place(kind, tau, k);
  sec_factor_transpose(kind, bufs[0], n, memory, m, m, n);
  if (meta[5]) {
    int *order = bufs[3];
    memset(order, 0, (size_t)n * sizeof *order);
    library->geqp3[kind](&m, &n, memory, &m, order, tau, work, &lwork, &info);
    for (int j = 0; j < n; j++) order[j]--;
  } else {
    library->geqrf[kind](&m, &n, memory, &m, tau, work, &lwork, &info);
  }
  take_triangle(kind, meta, memory, bufs[2]);
  if (info == 0) library->orgqr[kind](&m, &q, &k, memory, &m, tau, work, &lwork, &info);
  sec_factor_transpose(kind, memory, m, bufs[1], q, q, m);
  return info == 0;
}

void sec_rt_qr(void **bufs, const int64_t *meta) {
  static const sec_factor plain = {&sec_dense_qr, qr_prepare, qr_run},
                          pivoted = {&sec_dense_qr_pivoted, qr_prepare, qr_run};
  sec_factor_run(meta[5] ? &pivoted : &plain, bufs, meta);
}

/* ---- hessenberg ---- */
static bool gehrd_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  int n = (int)meta[2], one = 1, ask = -1, info;
  double answer = 0;
  if (!library->gehrd[kind]) return false;
  library->gehrd[kind](&n, &one, &n, NULL, &n, NULL, &answer, &ask, &info);
  w->lwork = query(kind, &answer);
  return want(kind, meta[2] * meta[2], w);
}
static bool gehrd_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  int n = (int)meta[2], one = 1, lwork = w->lwork, info;
  sec_factor_transpose(kind, bufs[0], n, memory, n, n, n);
  sec_blas_get()->gehrd[kind](&n, &one, &n, memory, &n, bufs[2], place(kind, memory, meta[2] * meta[2]), &lwork, &info);
  sec_factor_transpose(kind, memory, n, bufs[1], n, n, n);
  return info == 0;
}
static const sec_factor hessenberg = {&sec_dense_hessenberg, gehrd_prepare, gehrd_run};
void sec_rt_hessenberg(void **bufs, const int64_t *meta) { sec_factor_run(&hessenberg, bufs, meta); }

/* ---- tridiagonal ---- */
static bool sytrd_prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  int n = (int)meta[2], ask = -1, info;
  double answer = 0;
  if (!library->sytrd[kind]) return false;
  library->sytrd[kind](meta[3] ? "L" : "U", &n, NULL, &n, NULL, NULL, NULL, &answer, &ask, &info, 1);
  w->lwork = query(kind, &answer);
  return want(kind, meta[2] * meta[2], w);
}
static bool sytrd_run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  int n = (int)meta[2], lwork = w->lwork, info;
  sec_factor_transpose(kind, bufs[0], n, memory, n, n, n);
  sec_blas_get()->sytrd[kind](meta[3] ? "L" : "U", &n, memory, &n, bufs[2], bufs[3], bufs[4],
                              place(kind, memory, meta[2] * meta[2]), &lwork, &info, 1);
  sec_factor_transpose(kind, memory, n, bufs[1], n, n, n);
  return info == 0;
}
static const sec_factor tridiagonal = {&sec_dense_tridiagonal, sytrd_prepare, sytrd_run};
void sec_rt_tridiagonal(void **bufs, const int64_t *meta) { sec_factor_run(&tridiagonal, bufs, meta); }

/* ---- without a library ---- */
static const sec_factor tridiagonal_solve = {&sec_dense_tridiagonal_solve, NULL, NULL},
                        cholesky_update = {&sec_dense_cholesky_update, NULL, NULL};
void sec_rt_tridiagonal_solve(void **bufs, const int64_t *meta) { sec_factor_run(&tridiagonal_solve, bufs, meta); }
void sec_rt_cholesky_update(void **bufs, const int64_t *meta) { sec_factor_run(&cholesky_update, bufs, meta); }
