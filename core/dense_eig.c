/* Eigenvalues and eigenvectors of any matrix, in complex numbers: Hessenberg form and explicitly shifted QR steps by plane
 * rotations, then substitution in the triangular factor (Golub and Van Loan, Matrix Computations, 7.5 to 7.6).  Vectors
 * have length 1, and a real largest component where their value is complex, as LAPACK's geev. */
#include "dense.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <string.h>

typedef double _Complex cplx;

/* a = q t q^H with t triangular in the end; c[i], s[i] are the rotation of rows i and i + 1. */
typedef struct eig { int64_t n; cplx *t, *q, *s, *x; double *c; } eig;

static cplx *at(const eig *e, int64_t i, int64_t j) { return e->t + i * e->n + j; }

/* The rotation [[c, s], [-conj(s), c]] that takes (x, y) to (r, 0). */
static void rotation(cplx x, cplx y, double *c, cplx *s) {
  double length = hypot(cabs(x), cabs(y));
  *c = length == 0 ? 1 : cabs(x) / length;
  *s = length == 0 ? 0 : x == 0 ? conj(y) / length : x / cabs(x) * conj(y) / length;
}

/* Rows i, i + 1 from column `from` on. */
static void turn_rows(const eig *e, int64_t i, int64_t from, double c, cplx s) {
  for (int64_t j = from; j < e->n; j++) {
    cplx x = *at(e, i, j), y = *at(e, i + 1, j);
    *at(e, i, j) = c * x + s * y;
    *at(e, i + 1, j) = c * y - conj(s) * x;
  }
}
/* Columns i, i + 1 of `m`, rows before `rows`, by the adjoint. */
static void turn_columns(const eig *e, cplx *m, int64_t i, int64_t rows, double c, cplx s) {
  for (int64_t r = 0; r < rows; r++) {
    cplx x = m[r * e->n + i], y = m[r * e->n + i + 1];
    m[r * e->n + i] = c * x + conj(s) * y;
    m[r * e->n + i + 1] = c * y - s * x;
  }
}

static void reduce(const eig *e) {
  for (int64_t j = 0; j + 2 < e->n; j++)
    for (int64_t i = e->n - 2; i > j; i--) {
      double c;
      cplx s;
      rotation(*at(e, i, j), *at(e, i + 1, j), &c, &s);
      turn_rows(e, i, j, c, s);
      *at(e, i + 1, j) = 0;
      turn_columns(e, e->t, i, e->n, c, s);
      turn_columns(e, e->q, i, e->n, c, s);
    }
}

/* The eigenvalue of the last block of two that is nearer to its last element. */
static cplx shift_of(const eig *e, int64_t hi) {
  cplx a = *at(e, hi - 1, hi - 1), b = *at(e, hi - 1, hi), c = *at(e, hi, hi - 1), d = *at(e, hi, hi);
  cplx half = (a - d) / 2, root = csqrt(half * half + b * c);
  return cabs(half + root) > cabs(half - root) ? d + (half - root) : d + (half + root);
}

static void step(const eig *e, int64_t lo, int64_t hi, cplx shift) {
  for (int64_t i = lo; i <= hi; i++) *at(e, i, i) -= shift;
  for (int64_t i = lo; i < hi; i++) {
    rotation(*at(e, i, i), *at(e, i + 1, i), &e->c[i], &e->s[i]);
    turn_rows(e, i, i, e->c[i], e->s[i]);
    *at(e, i + 1, i) = 0;
  }
  for (int64_t i = lo; i < hi; i++) {
    turn_columns(e, e->t, i, i + 2, e->c[i], e->s[i]);
    turn_columns(e, e->q, i, e->n, e->c[i], e->s[i]);
  }
  for (int64_t i = lo; i <= hi; i++) *at(e, i, i) += shift;
}

static bool iterate(const eig *e) {
  double norm = 0;
  int tries = 0;
  for (int64_t i = 0; i < e->n * e->n; i++) norm += cabs(e->t[i]);
  if (!(norm < INFINITY)) return false;
  for (int64_t hi = e->n - 1; hi > 0;) {
    int64_t lo = hi;
    for (; lo > 0; lo--) {
      double around = cabs(*at(e, lo, lo)) + cabs(*at(e, lo - 1, lo - 1));
      if (cabs(*at(e, lo, lo - 1)) <= DBL_EPSILON * (around == 0 ? norm : around)) break;
    }
    if (lo > 0) *at(e, lo, lo - 1) = 0;
    if (lo == hi) {
      hi--;
      tries = 0;
      continue;
    }
    if (++tries > 100) return false;
    step(e, lo, hi, tries % 10 == 0 ? *at(e, hi, hi) + cabs(*at(e, hi, hi - 1)) : shift_of(e, hi));
  }
  return true;
}

/* v[., k] = q x, of length 1 and with a real largest component. */
static void put_vector(const eig *e, cplx *v, int64_t k) {
  double length = 0, largest = 0;
  cplx phase = 1;
  for (int64_t i = 0; i < e->n; i++) {
    cplx sum = 0;
    for (int64_t j = 0; j < e->n; j++) sum += e->q[i * e->n + j] * e->x[j];
    v[i * e->n + k] = sum;
    length = hypot(length, cabs(sum));
    if (cabs(sum) > largest * (1 + 1e-12)) {
      largest = cabs(sum);
      phase = conj(sum) / cabs(sum);
    }
  }
  for (int64_t i = 0; i < e->n; i++) v[i * e->n + k] *= phase / length;
}

static cplx gap(const eig *e, int64_t i, int64_t k) {
  cplx d = *at(e, i, i) - *at(e, k, k);
  double tiny = DBL_EPSILON * (cabs(*at(e, k, k)) + DBL_MIN);
  return cabs(d) < tiny ? tiny : d;
}

static void right_vector(const eig *e, cplx *v, int64_t k) {
  memset(e->x, 0, (size_t)e->n * sizeof *e->x);
  e->x[k] = 1;
  for (int64_t i = k - 1; i >= 0; i--) {
    cplx sum = 0;
    for (int64_t j = i + 1; j <= k; j++) sum += *at(e, i, j) * e->x[j];
    e->x[i] = -sum / gap(e, i, k);
  }
  put_vector(e, v, k);
}

/* of t^H, with the conjugate value */
static void left_vector(const eig *e, cplx *v, int64_t k) {
  memset(e->x, 0, (size_t)e->n * sizeof *e->x);
  e->x[k] = 1;
  for (int64_t i = k + 1; i < e->n; i++) {
    cplx sum = 0;
    for (int64_t j = k; j < i; j++) sum += conj(*at(e, j, i)) * e->x[j];
    e->x[i] = -sum / conj(gap(e, i, k));
  }
  put_vector(e, v, k);
}

static void sizes(const int64_t *meta, int64_t *out, int64_t *work) {
  int64_t n = meta[2], pairs = 2 * n * n;
  out[0] = n * n * (meta[3] ? 2 : 1);
  out[1] = 2 * n;
  out[2] = meta[4] || meta[5] ? pairs : 0;
  out[3] = pairs;
  *work = 2 * pairs + 2 * n + 2 * n + n;
}

static bool run(const int64_t *meta, double *const *bufs, double *work) {
  int64_t n = meta[2];
  eig e = {.n = n, .t = (cplx *)(void *)work};
  e.q = e.t + n * n;
  e.s = e.q + n * n;
  e.x = e.s + n;
  e.c = (double *)(e.x + n);
  cplx *w = (cplx *)(void *)bufs[1], *vectors[2] = {NULL, NULL};
  if (meta[4]) vectors[0] = (cplx *)(void *)bufs[2];
  if (meta[5]) vectors[1] = (cplx *)(void *)bufs[meta[4] ? 3 : 2];
  for (int64_t i = 0; i < n * n; i++) {
    e.t[i] = meta[3] ? CMPLX(bufs[0][2 * i], bufs[0][2 * i + 1]) : bufs[0][i];
    e.q[i] = i % (n + 1) == 0;
  }
  reduce(&e);
  if (!iterate(&e)) return false;
  for (int64_t k = 0; k < n; k++) {
    w[k] = *at(&e, k, k);
    if (vectors[0]) left_vector(&e, vectors[0], k);
    if (vectors[1]) right_vector(&e, vectors[1], k);
  }
  return true;
}

const sec_dense sec_dense_eig_values = {1, 1, 0, sizes, run}, sec_dense_eig_one = {1, 2, 0, sizes, run},
                sec_dense_eig_both = {1, 3, 0, sizes, run};
