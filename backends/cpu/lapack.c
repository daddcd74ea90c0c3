/* Factorisations and triangular solves: LAPACK's where a library has them, plain loops otherwise.
 *
 * The library works by columns, we by rows: a matrix by rows is its transpose by columns.  So lower
 * and upper, left and right change places, and only LU needs a transposed copy. */
#include "../pool.h"
#include "runtime.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const size_t kind_bytes[2] = {4, 8};

/* Operations below which a loop stays on one thread. */
static const double parallel_operations = 1e5;

/* So many matrices of `operations` each are worth a thread's while. */
static int64_t batch_grain(double operations) {
  return 1 + (int64_t)(parallel_operations / (operations + 1));
}

static bool fits_int(int64_t x) {
  return x > 0 && x <= INT_MAX;
}

/* ---- plain loops --------------------------------------------------------------------------- */

/* A triangular system by rows: m rows of n right-hand sides, or n unknowns in each of m rows. */
typedef struct solve {
  sec_rt_kind kind;
  bool left, lower, transpose, unit;
  int64_t m, n, ldb;
  const void *a; /* [size, size] */
  void *b;       /* overwritten by the solution */
} solve;

static int64_t solve_size(const solve *s) {
  return s->left ? s->m : s->n;
}

/* Unknown number `step` in the order of substitution: downwards if op(a) is lower on the left, or
 * upper on the right. */
static int64_t solve_index(const solve *s, int64_t step) {
  bool down = (s->lower != s->transpose) == s->left;
  return down ? step : solve_size(s) - 1 - step;
}

#define LAPACK_LOOPS(suffix, type, square_root, magnitude)                                         \
  /* In place; the upper triangle is not touched.  False: not positive definite. */                \
  static bool cholesky_##suffix(type *a, int64_t n) {                                              \
    for (int64_t i = 0; i < n; i++)                                                                \
      for (int64_t j = 0; j <= i; j++) {                                                           \
        type sum = a[i * n + j];                                                                   \
        for (int64_t l = 0; l < j; l++)                                                            \
          sum -= a[i * n + l] * a[j * n + l];                                                      \
        if (i == j && !(sum > 0))                                                                  \
          return false;                                                                            \
        a[i * n + j] = i == j ? square_root(sum) : sum / a[j * n + j];                             \
      }                                                                                            \
    return true;                                                                                   \
  }                                                                                                \
                                                                                                   \
  static void solve_##suffix(const solve *s) {                                                     \
    const type *a = s->a;                                                                          \
    type *b = s->b;                                                                                \
    int64_t size = solve_size(s), rhs = s->left ? s->n : s->m;                                     \
    int64_t along = s->left ? s->ldb : 1, across = s->left ? 1 : s->ldb;                           \
    bool by_row = s->left != s->transpose; /* equation i reads row i of a */                       \
    int64_t equation = by_row ? size : 1, unknown = by_row ? 1 : size;                             \
    for (int64_t r = 0; r < rhs; r++)                                                              \
      for (int64_t step = 0; step < size; step++) {                                                \
        int64_t i = solve_index(s, step);                                                          \
        type sum = b[i * along + r * across];                                                      \
        for (int64_t done = 0; done < step; done++) {                                              \
          int64_t l = solve_index(s, done);                                                        \
          sum -= a[i * equation + l * unknown] * b[l * along + r * across];                        \
        }                                                                                          \
        b[i * along + r * across] = s->unit ? sum : sum / a[i * size + i];                         \
      }                                                                                            \
  }                                                                                                \
                                                                                                   \
  static int64_t lu_pivot_##suffix(const type *a, int64_t m, int64_t n, int64_t column) {          \
    int64_t pivot = column;                                                                        \
    for (int64_t i = column + 1; i < m; i++)                                                       \
      if (magnitude(a[i * n + column]) > magnitude(a[pivot * n + column]))                         \
        pivot = i;                                                                                 \
    return pivot;                                                                                  \
  }                                                                                                \
                                                                                                   \
  /* In place, by rows; pivots count from 0. */                                                    \
  static void lu_##suffix(type *a, int64_t m, int64_t n, int32_t *pivots) {                        \
    for (int64_t l = 0; l < m && l < n; l++) {                                                     \
      int64_t pivot = lu_pivot_##suffix(a, m, n, l);                                               \
      pivots[l] = (int32_t)pivot;                                                                  \
      for (int64_t j = 0; j < n; j++) {                                                            \
        type held = a[l * n + j];                                                                  \
        a[l * n + j] = a[pivot * n + j];                                                           \
        a[pivot * n + j] = held;                                                                   \
      }                                                                                            \
      for (int64_t i = l + 1; a[l * n + l] != 0 && i < m; i++) {                                   \
        type factor = a[i * n + l] /= a[l * n + l];                                                \
        for (int64_t j = l + 1; j < n; j++)                                                        \
          a[i * n + j] -= factor * a[l * n + j];                                                   \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static void fill_nan_##suffix(type *a, int64_t n) {                                              \
    for (int64_t i = 0; i < n; i++)                                                                \
      for (int64_t j = 0; j <= i; j++)                                                             \
        a[i * n + j] = (type)NAN;                                                                  \
  }                                                                                                \
                                                                                                   \
  /* to[j, i] = from[i, j], in tiles that fit the cache. */                                        \
  static void transpose_##suffix(const type *from, type *to, int64_t rows, int64_t columns) {      \
    enum { TILE = 32 };                                                                            \
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)                                                    \
      for (int64_t j0 = 0; j0 < columns; j0 += TILE)                                               \
        for (int64_t i = i0; i < i0 + TILE && i < rows; i++)                                       \
          for (int64_t j = j0; j < j0 + TILE && j < columns; j++)                                  \
            to[j * rows + i] = from[i * columns + j];                                              \
  }

LAPACK_LOOPS(f32, float, sqrtf, fabsf)
LAPACK_LOOPS(f64, double, sqrt, fabs)

/* ---- Cholesky ------------------------------------------------------------------------------ */

typedef struct cholesky {
  sec_rt_kind kind;
  int64_t n;
  const char *a;
  char *factor;
} cholesky;

static bool cholesky_factor(const cholesky *c, void *factor) {
  sec_potrf *potrf = sec_blas_get()->potrf[c->kind];
  if (!potrf || !fits_int(c->n))
    return c->kind == SEC_RT_F32 ? cholesky_f32(factor, c->n) : cholesky_f64(factor, c->n);
  int n = (int)c->n, info = 0;
  potrf("U", &n, factor, &n, &info, 1); /* upper by columns is lower by rows */
  return info == 0;
}

static void cholesky_matrix(const cholesky *c, int64_t i) {
  size_t element = kind_bytes[c->kind], n = (size_t)c->n, row = n * element;
  const char *a = c->a + (size_t)i * n * row;
  char *factor = c->factor + (size_t)i * n * row;
  for (size_t r = 0; r < n; r++) {
    memcpy(factor + r * row, a + r * row, (r + 1) * element);
    memset(factor + r * row + (r + 1) * element, 0, (n - r - 1) * element);
  }
  if (cholesky_factor(c, factor))
    return;
  if (c->kind == SEC_RT_F32)
    fill_nan_f32((float *)factor, c->n);
  else
    fill_nan_f64((double *)factor, c->n);
}

static void cholesky_run(void **bufs, int64_t lo, int64_t hi) {
  for (int64_t i = lo; i < hi; i++)
    cholesky_matrix(bufs[0], i);
}

void sec_rt_cholesky(void **bufs, const int64_t *meta) {
  cholesky c = {(sec_rt_kind)meta[0], meta[2], bufs[0], bufs[1]};
  double n = (double)c.n;
  sec_parallel(cholesky_run, (void *[]){&c}, meta[1], batch_grain(n * n * n / 3));
}

/* ---- triangular solve ---------------------------------------------------------------------- */

typedef struct solve_batch {
  solve s;       /* of the first matrix, with `a` and `b` at their starts */
  int64_t parts; /* of each matrix's right-hand sides */
  const char *from;
} solve_batch;

static void solve_one(const solve *s) {
  sec_trsm *trsm = sec_blas_get()->trsm[s->kind];
  if (!trsm || !fits_int(s->m) || !fits_int(s->n) || !fits_int(s->ldb)) {
    if (s->kind == SEC_RT_F32)
      solve_f32(s);
    else
      solve_f64(s);
    return;
  }
  int rows = (int)s->n, columns = (int)s->m, lda = (int)solve_size(s), ldb = (int)s->ldb;
  trsm(s->left ? "R" : "L", s->lower ? "U" : "L", s->transpose ? "T" : "N", s->unit ? "U" : "N",
       &rows, &columns, sec_blas_one[s->kind], s->a, &lda, s->b, &ldb, 1, 1, 1, 1);
}

/* Solves part `part` of the batch: the right-hand sides of one matrix, or some of them. */
static void solve_part(const solve_batch *batch, int64_t part) {
  solve s = batch->s;
  size_t element = kind_bytes[s.kind], size = (size_t)solve_size(&s);
  size_t matrix = (size_t)(part / batch->parts);
  size_t at = matrix * (size_t)(s.m * s.n);
  int64_t rhs = s.left ? s.n : s.m, p = part % batch->parts;
  int64_t begin = rhs * p / batch->parts, end = rhs * (p + 1) / batch->parts;
  at += (size_t)(s.left ? begin : begin * s.n);
  s.a = (const char *)s.a + matrix * size * size * element;
  s.b = (char *)s.b + at * element;
  *(s.left ? &s.n : &s.m) = end - begin;
  for (int64_t i = 0; i < s.m; i++) {
    size_t row = (size_t)(i * s.ldb) * element;
    memcpy((char *)s.b + row, batch->from + at * element + row, (size_t)s.n * element);
  }
  if (begin < end)
    solve_one(&s);
}

static void solve_run(void **bufs, int64_t lo, int64_t hi) {
  for (int64_t i = lo; i < hi; i++)
    solve_part(bufs[0], i);
}

void sec_rt_triangular_solve(void **bufs, const int64_t *meta) {
  int64_t n_matrices = meta[1];
  solve_batch batch = {.s = {.kind = (sec_rt_kind)meta[0],
                             .left = meta[4] != 0,
                             .lower = meta[5] != 0,
                             .transpose = meta[6] != 0,
                             .unit = meta[7] != 0,
                             .m = meta[2],
                             .n = meta[3],
                             .ldb = meta[3],
                             .a = bufs[0],
                             .b = bufs[2]},
                       .parts = 1,
                       .from = bufs[1]};
  double operations = (double)meta[2] * (double)meta[3] * (double)solve_size(&batch.s);
  if (n_matrices < sec_threads_count() && operations > 2 * parallel_operations)
    batch.parts = sec_threads_count();
  sec_parallel(solve_run, (void *[]){&batch}, n_matrices * batch.parts,
               batch_grain(operations / (double)batch.parts));
}

/* ---- LU ------------------------------------------------------------------------------------ */

typedef struct lu {
  sec_rt_kind kind;
  int64_t m, n;
  const char *a;
  char *factors;
  int32_t *pivots, *permutation;
} lu;

static void transpose(sec_rt_kind kind, const void *from, void *to, int64_t rows, int64_t columns) {
  if (kind == SEC_RT_F32)
    transpose_f32(from, to, rows, columns);
  else
    transpose_f64(from, to, rows, columns);
}

/* False if there is no library, or no memory for the copy by columns. */
static bool lu_by_library(const lu *l, const void *a, void *factors, int32_t *pivots) {
  sec_getrf *getrf = sec_blas_get()->getrf[l->kind];
  size_t bytes = (size_t)(l->m * l->n) * kind_bytes[l->kind];
  void *columns = getrf && fits_int(l->m) && fits_int(l->n) ? sec_pool_alloc(bytes) : NULL;
  if (!columns)
    return false;
  transpose(l->kind, a, columns, l->m, l->n);
  int m = (int)l->m, n = (int)l->n, info;
  getrf(&m, &n, columns, &m, pivots, &info); /* a zero pivot (info > 0) is no error here */
  transpose(l->kind, columns, factors, l->n, l->m);
  sec_pool_free(columns, bytes);
  for (int i = 0; i < m && i < n; i++) /* a matrix of NaNs has no largest element */
    pivots[i] = pivots[i] > i && pivots[i] <= m ? pivots[i] - 1 : i;
  return true;
}

static void lu_permute(const int32_t *pivots, int64_t n_pivots, int32_t *permutation, int64_t m) {
  for (int64_t i = 0; i < m; i++)
    permutation[i] = (int32_t)i;
  for (int64_t i = 0; i < n_pivots; i++) {
    int32_t held = permutation[i];
    permutation[i] = permutation[pivots[i]];
    permutation[pivots[i]] = held;
  }
}

static void lu_matrix(const lu *l, int64_t i) {
  int64_t elements = l->m * l->n, n_pivots = l->m < l->n ? l->m : l->n;
  size_t bytes = (size_t)elements * kind_bytes[l->kind];
  const char *a = l->a + (size_t)i * bytes;
  char *factors = l->factors + (size_t)i * bytes;
  int32_t *pivots = l->pivots + i * n_pivots;
  if (!lu_by_library(l, a, factors, pivots)) {
    memcpy(factors, a, bytes);
    if (l->kind == SEC_RT_F32)
      lu_f32((float *)factors, l->m, l->n, pivots);
    else
      lu_f64((double *)factors, l->m, l->n, pivots);
  }
  lu_permute(pivots, n_pivots, l->permutation + i * l->m, l->m);
}

static void lu_run(void **bufs, int64_t lo, int64_t hi) {
  for (int64_t i = lo; i < hi; i++)
    lu_matrix(bufs[0], i);
}

void sec_rt_lu(void **bufs, const int64_t *meta) {
  lu l = {(sec_rt_kind)meta[0], meta[2], meta[3], bufs[0], bufs[1], bufs[2], bufs[3]};
  double m = (double)l.m, n = (double)l.n;
  sec_parallel(lu_run, (void *[]){&l}, meta[1], batch_grain(m * n * (m < n ? m : n)));
}
