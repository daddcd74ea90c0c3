/* Tridiagonal systems, and a Cholesky factor after a change of rank one. */
#include "dense.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- tridiagonal_solve: Gaussian elimination, rows exchanged with the next where that one is larger ---- */
static void solve_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  sizes[0] = sizes[1] = sizes[2] = meta[2];
  sizes[3] = sizes[4] = meta[2] * meta[3];
  *work = 3 * meta[2];
}

/* Row i of the upper factor is d[i] u[i] v[i], u and v one and two columns to the right. */
typedef struct band { int64_t n, k; double *d, *u, *v, *x; } band;

/* Eliminates `below`, the element under d[i]: rows i and i + 1 of the matrix and of x. */
static void eliminate(const band *b, int64_t i, double below) {
  double *x = b->x + i * b->k, *y = x + b->k;
  if (fabs(b->d[i]) >= fabs(below)) {
    double factor = below == 0 ? 0 : below / b->d[i];
    b->d[i + 1] -= factor * b->u[i];
    for (int64_t j = 0; j < b->k; j++) y[j] -= factor * x[j];
    return;
  }
  double factor = b->d[i] / below, u = b->u[i];
  b->d[i] = below;
  b->u[i] = b->d[i + 1];
  b->d[i + 1] = u - factor * b->u[i];
  b->v[i] = b->u[i + 1];
  b->u[i + 1] *= -factor;
  for (int64_t j = 0; j < b->k; j++) {
    double held = x[j];
    x[j] = y[j];
    y[j] = held - factor * y[j];
  }
}

/* Pivots below epsilon times the largest element of the factor become that, with their sign. */
static void perturb(const band *b, double epsilon) {
  double largest = DBL_MIN;
  for (int64_t i = 0; i < b->n; i++) largest = fmax(largest, fmax(fabs(b->d[i]), fmax(fabs(b->u[i]), fabs(b->v[i]))));
  for (int64_t i = 0; i < b->n; i++)
    if (fabs(b->d[i]) < epsilon * largest) b->d[i] = copysign(epsilon * largest, b->d[i]);
}

static bool substitute(const band *b) {
  for (int64_t i = b->n - 1; i >= 0; i--) {
    double *x = b->x + i * b->k;
    if (b->d[i] == 0) return false;
    for (int64_t j = 0; j < b->k; j++) {
      if (i + 1 < b->n) x[j] -= b->u[i] * x[b->k + j];
      if (i + 2 < b->n) x[j] -= b->v[i] * x[2 * b->k + j];
      x[j] /= b->d[i];
    }
  }
  return true;
}

static bool solve(const int64_t *meta, double *const *bufs, double *work) {
  int64_t n = meta[2], k = meta[3];
  band b = {n, k, work, work + n, work + 2 * n, bufs[4]};
  size_t row = (size_t)n * sizeof *work;
  memcpy(b.d, bufs[1], row);
  memcpy(b.u, bufs[2], row);
  memset(b.v, 0, row);
  memcpy(b.x, bufs[3], row * (size_t)k);
  if (n > 0) b.u[n - 1] = 0; /* outside the matrix */
  for (int64_t i = 0; i + 1 < n; i++) eliminate(&b, i, bufs[0][i + 1]);
  if (meta[4]) perturb(&b, meta[0] == 0 ? FLT_EPSILON : DBL_EPSILON);
  return substitute(&b);
}
const sec_dense sec_dense_tridiagonal_solve = {4, 1, 0, solve_sizes, solve};

/* ---- cholesky_update: r'^T r' = r^T r + w w^T, by one rotation a row ---- */
static void update_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  sizes[0] = sizes[2] = meta[2] * meta[2];
  sizes[1] = *work = meta[2];
}
static bool update(const int64_t *meta, double *const *bufs, double *work) {
  int64_t n = meta[2];
  double *r = bufs[2], *w = work;
  for (int64_t i = 0; i < n * n; i++) r[i] = i / n > i % n ? 0 : bufs[0][i];
  memcpy(w, bufs[1], (size_t)n * sizeof *w);
  for (int64_t k = 0; k < n; k++) {
    double x = r[k * n + k], y = w[k], length = hypot(x, y);
    if (y == 0) continue;
    for (int64_t j = k; j < n; j++) {
      double u = r[k * n + j], v = w[j];
      r[k * n + j] = x / length * u + y / length * v;
      w[j] = x / length * v - y / length * u;
    }
  }
  return true;
}
const sec_dense sec_dense_cholesky_update = {2, 1, 0, update_sizes, update};
