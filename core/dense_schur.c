/* The real Schur form by Francis' double-shift QR iteration: Golub and Van Loan, Matrix Computations, 7.5; blocks of
 * two with real eigenvalues are split, others get equal diagonals (as LAPACK's lanv2). */
#include "dense.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct schur { int64_t n; double *h, *q; } schur; /* q NULL: not wanted */

static double *at(const schur *s, int64_t i, int64_t j) { return s->h + i * s->n + j; }

/* Reflector of (x, y, z) at rows and columns k .. k + size - 1 of the active block [lo, hi]. */
static void chase(const schur *s, double *x, int64_t k, int64_t size, int64_t lo, int64_t hi) {
  double tau;
  int64_t first = k > lo ? k - 1 : lo, last = k + 3 < hi ? k + 3 : hi, n = s->n;
  sec_reflector(x, 1, size, &tau);
  sec_reflect(tau, x, 1, size, at(s, k, first), n, 1, n - first);
  sec_reflect(tau, x, 1, size, at(s, 0, k), 1, n, last + 1);
  if (s->q) sec_reflect(tau, x, 1, size, s->q + k, 1, n, n);
}

/* One step on the block [lo, hi] of at least three rows; `trace` and `det` are of the shifts. */
static void francis(const schur *s, int64_t lo, int64_t hi, double trace, double det) {
  double h00 = *at(s, lo, lo), h10 = *at(s, lo + 1, lo);
  double x[3] = {h00 * h00 + *at(s, lo, lo + 1) * h10 - trace * h00 + det,
                 h10 * (h00 + *at(s, lo + 1, lo + 1) - trace), h10 * *at(s, lo + 2, lo + 1)};
  for (int64_t k = lo; k < hi; k++) {
    int64_t size = k + 2 <= hi ? 3 : 2;
    if (k > lo)
      for (int64_t i = 0; i < size; i++) x[i] = *at(s, k + i, k - 1);
    chase(s, x, k, size, lo, hi);
    for (int64_t i = 1; k > lo && i < size; i++) *at(s, k + i, k - 1) = 0;
  }
}

/* Rows and columns i, i + 1 turned by [[c, s], [-s, c]]. */
static void turn(const schur *s, int64_t i, double c, double sine) {
  for (int64_t j = 0; j < s->n; j++) {
    double x = *at(s, i, j), y = *at(s, i + 1, j);
    *at(s, i, j) = c * x + sine * y;
    *at(s, i + 1, j) = c * y - sine * x;
  }
  for (int pass = 0; pass < 2; pass++) {
    double *m = pass == 0 ? s->h : s->q;
    for (int64_t r = 0; m && r < s->n; r++) {
      double x = m[r * s->n + i], y = m[r * s->n + i + 1];
      m[r * s->n + i] = c * x + sine * y;
      m[r * s->n + i + 1] = c * y - sine * x;
    }
  }
}

static void standardise(const schur *s, int64_t i) {
  double a = *at(s, i, i), b = *at(s, i, i + 1), c = *at(s, i + 1, i), d = *at(s, i + 1, i + 1);
  double p = (a - d) / 2, scale = fmax(fmax(fabs(b), fabs(c)), fabs(p));
  double square = p / scale * p + b / scale * c;
  if (c == 0) return;
  if (b == 0) {
    turn(s, i, 0, 1);
    *at(s, i + 1, i) = 0;
  } else if (square >= 0) { /* real: (z, c) is an eigenvector */
    double z = p + copysign(sqrt(scale) * sqrt(square), p), length = hypot(c, z);
    turn(s, i, z / length, c / length);
    *at(s, i + 1, i) = 0;
  } else if (p != 0) { /* complex: the angle that makes the diagonal equal */
    double sigma = b + c, length = hypot(sigma, 2 * p), cosine = sqrt((1 + fabs(sigma) / length) / 2);
    turn(s, i, cosine, -p / (length * cosine) * copysign(1, sigma));
    *at(s, i, i) = *at(s, i + 1, i + 1) = (*at(s, i, i) + *at(s, i + 1, i + 1)) / 2;
  }
}

static bool negligible(const schur *s, int64_t i, double norm) {
  double around = fabs(*at(s, i, i)) + fabs(*at(s, i - 1, i - 1));
  return fabs(*at(s, i, i - 1)) <= DBL_EPSILON * (around == 0 ? norm : around);
}

static bool iterate(const schur *s) {
  double norm = 0;
  int tries = 0;
  for (int64_t i = 0; i < s->n * s->n; i++) norm += fabs(s->h[i]);
  if (!(norm < INFINITY)) return false;
  for (int64_t hi = s->n - 1; hi > 0;) {
    int64_t lo = hi;
    while (lo > 0 && !negligible(s, lo, norm)) lo--;
    if (lo > 0) *at(s, lo, lo - 1) = 0;
    if (lo + 1 >= hi) {
      if (lo + 1 == hi) standardise(s, lo);
      hi = lo - 1;
      tries = 0;
      continue;
    }
    if (++tries > 100) return false;
    double trace = *at(s, hi, hi) + *at(s, hi - 1, hi - 1);
    double det = *at(s, hi, hi) * *at(s, hi - 1, hi - 1) - *at(s, hi, hi - 1) * *at(s, hi - 1, hi);
    if (tries % 10 == 0) { /* an exceptional shift */
      double x = fabs(*at(s, hi, hi - 1)) + fabs(*at(s, hi - 1, hi - 2));
      trace = 1.5 * x;
      det = x * x;
    }
    francis(s, lo, hi, trace, det);
  }
  return true;
}

/* Hessenberg form in h and q, from a in h. */
static void reduce(const schur *s) {
  int64_t n = s->n;
  for (int64_t i = 0; s->q && i < n * n; i++) s->q[i] = i % (n + 1) == 0;
  for (int64_t i = 0; i + 2 < n; i++) {
    double *v = at(s, i + 1, i), tau;
    sec_reflector(v, n, n - i - 1, &tau);
    sec_reflect(tau, v, n, n - i - 1, at(s, 0, i + 1), 1, n, n);
    sec_reflect(tau, v, n, n - i - 1, v + 1, n, 1, n - i - 1);
    if (s->q) sec_reflect(tau, v, n, n - i - 1, s->q + i + 1, 1, n, n);
    for (int64_t k = i + 2; k < n; k++) *at(s, k, i) = 0;
  }
}

static bool run(const int64_t *meta, double *const *bufs, bool vectors) {
  schur s = {meta[2], bufs[1], vectors ? bufs[2] : NULL};
  memcpy(s.h, bufs[0], (size_t)(s.n * s.n) * sizeof *s.h);
  reduce(&s);
  return iterate(&s);
}
static bool with_vectors(const int64_t *meta, double *const *bufs, double *work) {
  (void)work;
  return run(meta, bufs, true);
}
static bool without(const int64_t *meta, double *const *bufs, double *work) {
  (void)work;
  return run(meta, bufs, false);
}
static void sizes(const int64_t *meta, int64_t *out, int64_t *work) {
  out[0] = out[1] = out[2] = meta[2] * meta[2];
  *work = 0;
}

const sec_dense sec_dense_schur = {1, 2, 0, sizes, with_vectors};
const sec_dense sec_dense_schur_values = {1, 1, 0, sizes, without};
