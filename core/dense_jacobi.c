/* Eigenvalues of symmetric matrices and singular values by Jacobi rotations: Golub and Van Loan, Matrix Computations,
 * 8.5 (cyclic Jacobi) and 8.6.3 (one-sided, after Hestenes). */
#include "dense.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MAX_SWEEPS = 60 };

static int64_t smaller(int64_t m, int64_t n) { return m < n ? m : n; }

static bool all_finite(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] * 0;
  return sum == 0;
}

/* x, y -> c x - s y, s x + c y, for n elements `step` apart */
static void rotate(double *x, double *y, int64_t step, int64_t n, double c, double s) {
  for (int64_t i = 0; i < n * step; i += step) {
    double u = x[i], v = y[i];
    x[i] = c * u - s * v;
    y[i] = s * u + c * v;
  }
}

/* The smaller of the angles that make the off-diagonal y of [[x, y], [y, z]] zero. */
static void angle(double x, double y, double z, double *c, double *s) {
  double t = (z - x) / (2 * y);
  t = copysign(1, t) / (fabs(t) + hypot(1, t));
  *c = 1 / hypot(1, t);
  *s = t * *c;
}

/* order[0 .. n) sorts `key`, ascending or descending; an insertion sort. */
static void sort_places(const double *key, int64_t n, bool descending, double *order) {
  for (int64_t i = 0; i < n; i++) {
    int64_t j = i;
    for (; j > 0; j--) {
      double before = key[(int64_t)order[j - 1]];
      if (descending ? before >= key[i] : before <= key[i]) break;
      order[j] = order[j - 1];
    }
    order[j] = (double)i;
  }
}

/* ---- eigh: a = v diag(w) v^T ---- */
static void eigh_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  sizes[0] = sizes[1] = meta[2] * meta[2];
  sizes[2] = meta[2];
  *work = 2 * sizes[0] + 2 * meta[2];
}

/* One sweep over a[n, n] with rows of v as eigenvectors; false when all off-diagonals were negligible. */
static bool eigh_sweep(double *a, double *v, int64_t n) {
  bool rotated = false;
  for (int64_t p = 0; p < n; p++)
    for (int64_t q = p + 1; q < n; q++) {
      double y = a[p * n + q], c, s;
      if (fabs(y) <= DBL_EPSILON / 4 * sqrt(fabs(a[p * n + p] * a[q * n + q])) || fabs(y) < DBL_MIN) continue;
      angle(a[p * n + p], y, a[q * n + q], &c, &s);
      if (s == 0) continue;
      rotate(a + p * n, a + q * n, 1, n, c, s);
      rotate(a + p, a + q, n, n, c, s);
      rotate(v + p * n, v + q * n, 1, n, c, s);
      a[p * n + q] = a[q * n + p] = 0;
      rotated = true;
    }
  return rotated;
}

static bool eigh(const int64_t *meta, double *const *bufs, double *work) {
  int64_t n = meta[2];
  bool lower = meta[3] != 0;
  double *a = work, *v = work + n * n, *values = v + n * n, *order = values + n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      a[i * n + j] = bufs[0][(j <= i) == lower ? i * n + j : j * n + i];
      v[i * n + j] = i == j;
    }
  if (!all_finite(a, n * n)) return false;
  for (int sweep = 0; sweep < MAX_SWEEPS && eigh_sweep(a, v, n); sweep++) continue;
  for (int64_t i = 0; i < n; i++) values[i] = a[i * n + i];
  sort_places(values, n, false, order);
  for (int64_t j = 0; j < n; j++) {
    int64_t from = (int64_t)order[j];
    bufs[2][j] = values[from];
    for (int64_t i = 0; i < n; i++) bufs[1][i * n + j] = v[from * n + i];
  }
  return true;
}
const sec_dense sec_dense_eigh = {1, 2, 0, eigh_sizes, eigh};

/* ---- svd: the columns of the taller of a and a^T are made orthogonal ---- */
/* g and v hold columns as rows: g[columns][rows], v[columns][columns]; basis has room for rows rows. */
typedef struct svd {
  int64_t rows, columns;
  double *g, *v, *basis, *values, *order;
} svd;

static double dot(const double *x, const double *y, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

static bool svd_sweep(const svd *s) {
  bool rotated = false;
  for (int64_t p = 0; p < s->columns; p++)
    for (int64_t q = p + 1; q < s->columns; q++) {
      double *x = s->g + p * s->rows, *y = s->g + q * s->rows, c, sine;
      double xx = dot(x, x, s->rows), yy = dot(y, y, s->rows), xy = dot(x, y, s->rows);
      if (fabs(xy) <= DBL_EPSILON * sqrt(xx) * sqrt(yy)) continue;
      angle(xx, xy, yy, &c, &sine);
      if (sine == 0) continue;
      rotate(x, y, 1, s->rows, c, sine);
      rotate(s->v + p * s->columns, s->v + q * s->columns, 1, s->columns, c, sine);
      rotated = true;
    }
  return rotated;
}

/* Row `k` of the basis: a unit vector made orthogonal to the rows above. */
static void complete(double *basis, int64_t rows, int64_t k) {
  double *x = basis + k * rows, length = 0;
  for (int64_t unit = 0; unit < rows && length * length < 0.5 * (double)(rows - k) / (double)rows; unit++) {
    memset(x, 0, (size_t)rows * sizeof *x);
    x[unit] = 1;
    for (int twice = 0; twice < 2; twice++)
      for (int64_t i = 0; i < k; i++) {
        double part = dot(x, basis + i * rows, rows);
        for (int64_t j = 0; j < rows; j++) x[j] -= part * basis[i * rows + j];
      }
    length = sqrt(dot(x, x, rows));
  }
  for (int64_t j = 0; j < rows; j++) x[j] /= length;
}

/* values[], order[], and `vectors` rows of the basis; false if a is not finite. */
static bool svd_columns(const svd *s, const double *a, bool tall, int64_t vectors) {
  for (int64_t j = 0; j < s->columns; j++)
    for (int64_t i = 0; i < s->rows; i++) s->g[j * s->rows + i] = tall ? a[i * s->columns + j] : a[j * s->rows + i];
  for (int64_t i = 0; i < s->columns * s->columns; i++) s->v[i] = i % (s->columns + 1) == 0;
  if (!all_finite(a, s->rows * s->columns)) return false;
  for (int sweep = 0; sweep < MAX_SWEEPS && svd_sweep(s); sweep++) continue;
  for (int64_t j = 0; j < s->columns; j++) s->values[j] = sqrt(dot(s->g + j * s->rows, s->g + j * s->rows, s->rows));
  sort_places(s->values, s->columns, true, s->order);
  for (int64_t k = 0; k < vectors; k++) {
    int64_t from = k < s->columns ? (int64_t)s->order[k] : 0;
    double length = k < s->columns ? s->values[from] : 0, largest = s->columns ? s->values[(int64_t)s->order[0]] : 0;
    if (length <= DBL_EPSILON * largest)
      complete(s->basis, s->rows, k);
    else
      for (int64_t i = 0; i < s->rows; i++) s->basis[k * s->rows + i] = s->g[from * s->rows + i] / length;
  }
  return true;
}

static void svd_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  int64_t m = meta[2], n = meta[3], k = smaller(m, n), larger = m + n - k;
  sizes[0] = m * n;
  sizes[1] = k;
  sizes[2] = m * (meta[4] ? m : k);
  sizes[3] = (meta[4] ? n : k) * n;
  *work = m * n + k * k + larger * larger + 2 * k;
}
static void values_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  int64_t all[4], with_vectors[5] = {meta[0], meta[1], meta[2], meta[3], 0};
  svd_sizes(with_vectors, all, work);
  memcpy(sizes, all, 2 * sizeof *sizes);
}

static svd svd_of(const int64_t *meta, double *work) {
  int64_t k = smaller(meta[2], meta[3]), larger = meta[2] + meta[3] - k;
  svd s = {.rows = larger, .columns = k, .g = work};
  s.v = s.g + larger * k;
  s.basis = s.v + k * k;
  s.values = s.basis + larger * larger;
  s.order = s.values + k;
  return s;
}

static bool run_values(const int64_t *meta, double *const *bufs, double *work) {
  svd s = svd_of(meta, work);
  if (!svd_columns(&s, bufs[0], meta[2] >= meta[3], 0)) return false;
  for (int64_t k = 0; k < s.columns; k++) bufs[1][k] = s.values[(int64_t)s.order[k]];
  return true;
}

static bool run_svd(const int64_t *meta, double *const *bufs, double *work) {
  svd s = svd_of(meta, work);
  bool tall = meta[2] >= meta[3];
  int64_t vectors = meta[4] ? s.rows : s.columns;
  if (!svd_columns(&s, bufs[0], tall, vectors)) return false;
  for (int64_t k = 0; k < s.columns; k++) bufs[1][k] = s.values[(int64_t)s.order[k]];
  /* columns of u are the basis, rows of vt are rows of v; of a^T they change places */
  double *u = bufs[2], *vt = bufs[3];
  for (int64_t k = 0; k < vectors; k++)
    for (int64_t i = 0; i < s.rows; i++) *(tall ? u + i * vectors + k : vt + k * s.rows + i) = s.basis[k * s.rows + i];
  for (int64_t k = 0; k < s.columns; k++)
    for (int64_t i = 0; i < s.columns; i++)
      *(tall ? vt + k * s.columns + i : u + i * s.columns + k) = s.v[(int64_t)s.order[k] * s.columns + i];
  return true;
}

const sec_dense sec_dense_svd = {1, 3, 0, svd_sizes, run_svd};
const sec_dense sec_dense_values = {1, 1, 0, values_sizes, run_values};

/* ---- pinv: sum of v_k u_k^T / s_k over singular values above rtol times the largest ---- */
static void pinv_sizes(const int64_t *meta, int64_t *sizes, int64_t *work) {
  values_sizes(meta, sizes, work);
  sizes[1] = meta[2] * meta[3];
}

static bool run_pinv(const int64_t *meta, double *const *bufs, double *work) {
  int64_t m = meta[2], n = meta[3];
  svd s = svd_of(meta, work);
  double rtol = sec_double_of_bits(meta[4]), *p = bufs[1];
  bool tall = m >= n;
  if (!svd_columns(&s, bufs[0], tall, s.columns)) return false;
  memset(p, 0, (size_t)(m * n) * sizeof *p);
  for (int64_t k = 0; k < s.columns; k++) {
    int64_t from = (int64_t)s.order[k];
    const double *u = s.basis + k * s.rows, *v = s.v + from * s.columns;
    if (!(s.values[from] > rtol * s.values[(int64_t)s.order[0]])) continue;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < m; j++) p[i * m + j] += (tall ? v[i] * u[j] : u[i] * v[j]) / s.values[from];
  }
  return true;
}
const sec_dense sec_dense_pinv = {1, 1, 0, pinv_sizes, run_pinv};
