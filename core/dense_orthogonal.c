/* Householder reflectors and what is made of them: QR, Hessenberg and tridiagonal form.
 * Golub and Van Loan, Matrix Computations, 5.1, 5.2, 7.4, 8.3; signs and storage as LAPACK's larfg, geqr2, org2r,
 * gehd2 and sytd2. */
#include "dense.h"

#include <math.h>
#include <string.h>

static int64_t smaller(int64_t m, int64_t n) { return m < n ? m : n; }

/* ---- reflectors ---- */
void sec_reflector(double *x, int64_t step, int64_t n, double *tau) {
  double largest = 0, sum = 0;
  *tau = 0;
  for (int64_t i = 1; i < n; i++) largest = fmax(largest, fabs(x[i * step]));
  if (largest == 0) {
    for (int64_t i = 1; i < n; i++) sum += x[i * step]; /* fmax passes over NaN */
    if (sum == 0) return;
    largest = 1;
  }
  for (int64_t i = 1; i < n; i++) sum += x[i * step] / largest * (x[i * step] / largest);
  double beta = -copysign(hypot(x[0], largest * sqrt(sum)), x[0]), scale = x[0] - beta;
  *tau = (beta - x[0]) / beta;
  for (int64_t i = 1; i < n; i++) x[i * step] /= scale;
  x[0] = beta;
}

void sec_reflect(double tau, const double *v, int64_t step, int64_t n, double *c, int64_t along, int64_t across,
                 int64_t count) {
  for (int64_t j = 0; j < count && tau != 0; j++, c += across) {
    double sum = c[0];
    for (int64_t i = 1; i < n; i++) sum += v[i * step] * c[i * along];
    c[0] -= tau * sum;
    for (int64_t i = 1; i < n; i++) c[i * along] -= tau * sum * v[i * step];
  }
}

/* ---- QR ---- */
static void swap_columns(double *a, int64_t m, int64_t n, int64_t i, int64_t j) {
  for (int64_t r = 0; r < m; r++) {
    double x = a[r * n + i];
    a[r * n + i] = a[r * n + j];
    a[r * n + j] = x;
  }
}

/* The column from k on that is longest below row k. */
static int64_t longest_column(const double *a, int64_t m, int64_t n, int64_t k) {
  int64_t best = k;
  double length = -1;
  for (int64_t j = k; j < n; j++) {
    double sum = 0;
    for (int64_t i = k; i < m; i++) sum += a[i * n + j] * a[i * n + j];
    if (sum > length) {
      length = sum;
      best = j;
    }
  }
  return best;
}

/* In place; `order` (or NULL) receives the order of columns. */
static void factor(double *a, int64_t m, int64_t n, double *tau, double *order) {
  for (int64_t j = 0; order && j < n; j++) order[j] = (double)j;
  for (int64_t k = 0; k < smaller(m, n); k++) {
    int64_t p = order ? longest_column(a, m, n, k) : k;
    if (p != k) {
      swap_columns(a, m, n, k, p);
      swap_columns(order, 1, n, k, p);
    }
    double *v = a + k * n + k;
    sec_reflector(v, n, m - k, &tau[k]);
    sec_reflect(tau[k], v, n, m - k, v + 1, n, 1, n - k - 1);
  }
}

/* The first `columns` columns of the product of k reflectors, which are columns of a[m, n]. */
static void product(const double *a, int64_t m, int64_t n, const double *tau, int64_t k, double *q, int64_t columns) {
  memset(q, 0, (size_t)(m * columns) * sizeof *q);
  for (int64_t i = 0; i < smaller(m, columns); i++) q[i * columns + i] = 1;
  for (int64_t i = k - 1; i >= 0; i--)
    sec_reflect(tau[i], a + i * n + i, n, m - i, q + i * columns + i, columns, 1, columns - i);
}

static void geqrf_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  sizes[0] = sizes[1] = meta[2] * meta[3];
  sizes[2] = smaller(meta[2], meta[3]);
  *work = 0;
}
static bool geqrf(const int64_t *meta, double *const *bufs, double *work) {
  (void)work;
  memcpy(bufs[1], bufs[0], (size_t)(meta[2] * meta[3]) * sizeof **bufs);
  factor(bufs[1], meta[2], meta[3], bufs[2], NULL);
  return true;
}
const sec_dense sec_dense_geqrf = {1, 2, 0, geqrf_sizes, geqrf};

static void householder_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  sizes[0] = sizes[2] = meta[2] * meta[3];
  sizes[1] = meta[4];
  *work = 0;
}
static bool householder(const int64_t *meta, double *const *bufs, double *work) {
  (void)work;
  product(bufs[0], meta[2], meta[3], bufs[1], meta[4], bufs[2], meta[3]);
  return true;
}
const sec_dense sec_dense_householder = {2, 1, 0, householder_sizes, householder};

static void ormqr_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  sizes[0] = meta[2] * meta[3];
  sizes[1] = meta[4];
  sizes[2] = sizes[3] = meta[5] * meta[6];
  *work = 0;
}
static bool ormqr(const int64_t *meta, double *const *bufs, double *work) {
  (void)work;
  int64_t m = meta[2], n = meta[3], k = meta[4], rows = meta[5], columns = meta[6];
  bool left = meta[7] != 0, backwards = left != (meta[8] != 0);
  double *c = bufs[3];
  memcpy(c, bufs[2], (size_t)(rows * columns) * sizeof *c);
  for (int64_t s = 0; s < k; s++) {
    int64_t i = backwards ? k - 1 - s : s;
    const double *v = bufs[0] + i * n + i;
    if (left) sec_reflect(bufs[1][i], v, n, m - i, c + i * columns, columns, 1, columns);
    else sec_reflect(bufs[1][i], v, n, m - i, c + i, 1, columns, rows);
  }
  return true;
}
const sec_dense sec_dense_ormqr = {3, 1, 0, ormqr_sizes, ormqr};

static void qr_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  sizes[0] = meta[2] * meta[3];
  sizes[1] = meta[2] * meta[4];
  sizes[2] = meta[4] * meta[3];
  sizes[3] = meta[3];
  *work = sizes[0] + smaller(meta[2], meta[3]);
}
static bool qr_ordered(const int64_t *meta, double *const *bufs, double *work, double *order) {
  int64_t m = meta[2], n = meta[3], q = meta[4], k = smaller(m, n);
  double *tau = work + m * n;
  memcpy(work, bufs[0], (size_t)(m * n) * sizeof *work);
  factor(work, m, n, tau, order);
  product(work, m, n, tau, k, bufs[1], q);
  for (int64_t i = 0; i < q; i++)
    for (int64_t j = 0; j < n; j++) bufs[2][i * n + j] = j < i ? 0 : work[i * n + j];
  return true;
}
static bool qr(const int64_t *meta, double *const *bufs, double *work) { return qr_ordered(meta, bufs, work, NULL); }
static bool qr_pivoted(const int64_t *meta, double *const *bufs, double *work) {
  return qr_ordered(meta, bufs, work, bufs[3]);
}
const sec_dense sec_dense_qr = {1, 2, 0, qr_sizes, qr};
const sec_dense sec_dense_qr_pivoted = {1, 3, 1u << 3, qr_sizes, qr_pivoted};

/* ---- Hessenberg form: a = q h q^T ---- */
static void hessenberg_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  sizes[0] = sizes[1] = meta[2] * meta[2];
  sizes[2] = meta[2] > 0 ? meta[2] - 1 : 0;
  *work = 0;
}
static bool hessenberg(const int64_t *meta, double *const *bufs, double *work) {
  (void)work;
  int64_t n = meta[2];
  double *a = bufs[1], *tau = bufs[2];
  memcpy(a, bufs[0], (size_t)(n * n) * sizeof *a);
  for (int64_t i = 0; i + 1 < n; i++) {
    double *v = a + (i + 1) * n + i;
    sec_reflector(v, n, n - i - 1, &tau[i]);
    sec_reflect(tau[i], v, n, n - i - 1, a + i + 1, 1, n, n);
    sec_reflect(tau[i], v, n, n - i - 1, v + 1, n, 1, n - i - 1);
  }
  return true;
}
const sec_dense sec_dense_hessenberg = {1, 2, 0, hessenberg_sizes, hessenberg};

/* ---- tridiagonal form of a symmetric matrix, of which one triangle is read ---- */
static void tridiagonal_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  int64_t n = meta[2];
  sizes[0] = sizes[1] = n * n;
  sizes[2] = n;
  sizes[3] = sizes[4] = n > 0 ? n - 1 : 0;
  *work = n * n + n;
}

/* In the order of elimination: upwards from the last column when the upper triangle is given. */
static bool tridiagonal(const int64_t *meta, double *const *bufs, double *work) {
  int64_t n = meta[2];
  bool lower = meta[3] != 0;
  double *a = bufs[1], *d = bufs[2], *e = bufs[3], *tau = bufs[4], *w = work, *v = work + n * n;
  memcpy(a, bufs[0], (size_t)(n * n) * sizeof *a);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) w[i * n + j] = (j <= i) == lower ? a[i * n + j] : a[j * n + i];
  for (int64_t s = 0; s + 1 < n; s++) {
    /* lower: column s, from row s + 1 down; upper: column c, from row c - 1 up to row 0 */
    int64_t c = lower ? s : n - 1 - s, first = lower ? c + 1 : c - 1, step = lower ? 1 : -1, count = n - 1 - s;
    double *x = w + first * n + c, t;
    if (lower) sec_reflector(x, n, count, &t);
    else sec_reflector(x, -n, count, &t);
    int64_t at = lower ? s : c - 1;
    tau[at] = t;
    e[at] = x[0];
    for (int64_t k = 0; k < count; k++) {
      v[k] = k == 0 ? 1 : x[k * step * n];
      a[(first + k * step) * n + c] = x[k * step * n];
    }
    double *corner = w + first * n + first; /* what is left: h (a h), columns and then rows */
    sec_reflect(t, v, 1, count, corner, step, step * n, count);
    sec_reflect(t, v, 1, count, corner, step * n, step, count);
  }
  for (int64_t i = 0; i < n; i++) a[i * n + i] = d[i] = w[i * n + i];
  return true;
}
const sec_dense sec_dense_tridiagonal = {1, 4, 0, tridiagonal_sizes, tridiagonal};
