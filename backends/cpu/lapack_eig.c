/* Eigenvalues and eigenvectors of any matrix, by LAPACK's geev. */
#include "factor.h"

#include <string.h>

static const size_t kind_bytes[2] = {4, 8};

static int query(sec_rt_kind kind, const void *x) { return kind == SEC_RT_F32 ? (int)*(const float *)x : (int)*(const double *)x; }
static char *place(sec_rt_kind kind, char *memory, int64_t at) { return memory + (size_t)at * kind_bytes[kind]; }
static double get(sec_rt_kind kind, const void *x, int64_t i) { return kind == SEC_RT_F32 ? ((const float *)x)[i] : ((const double *)x)[i]; }
static void put(sec_rt_kind kind, void *x, int64_t i, double value) {
  if (kind == SEC_RT_F32) ((float *)x)[i] = (float)value;
  else ((double *)x)[i] = value;
}

/* Places in the memory, in numbers: a and both matrices of vectors by columns, values (real: two vectors), work, and
 * for complex matrices 2 n real numbers. */
typedef struct layout { int n; int64_t part, left, right, values, rwork, work; const char *job_left, *job_right; bool complex; } layout;

static layout layout_of(const int64_t *meta) {
  layout l = {.n = (int)meta[2], .complex = meta[3] != 0, .job_left = meta[4] ? "V" : "N", .job_right = meta[5] ? "V" : "N"};
  l.part = meta[2] * meta[2] * (l.complex ? 2 : 1);
  l.left = l.part;
  l.right = l.left + l.part;
  l.values = l.right + l.part;
  l.rwork = l.values + 2 * meta[2];
  l.work = l.rwork + 2 * meta[2];
  return l;
}

static void call(sec_rt_kind kind, const layout *l, char *memory, void *work, const int *lwork, int *info) {
  const sec_blas *library = sec_blas_get();
  char *left = place(kind, memory, l->left), *right = place(kind, memory, l->right), *w = place(kind, memory, l->values);
  if (l->complex)
    library->geev_complex[kind](l->job_left, l->job_right, &l->n, memory, &l->n, w, left, &l->n, right, &l->n, work,
                                lwork, place(kind, memory, l->rwork), info, 1, 1);
  else
    library->geev[kind](l->job_left, l->job_right, &l->n, memory, &l->n, w, place(kind, w, l->n), left, &l->n, right,
                        &l->n, work, lwork, info, 1, 1);
}

static bool prepare(sec_rt_kind kind, const int64_t *meta, sec_factor_work *w) {
  const sec_blas *library = sec_blas_get();
  layout l = layout_of(meta);
  double answer[2] = {0, 0}, unused[8] = {0};
  int ask = -1, info;
  if (l.complex ? !library->geev_complex[kind] : !library->geev[kind]) return false;
  if (l.complex)
    library->geev_complex[kind](l.job_left, l.job_right, &l.n, unused, &l.n, unused, unused, &l.n, unused, &l.n, answer,
                                &ask, unused, &info, 1, 1);
  else
    library->geev[kind](l.job_left, l.job_right, &l.n, unused, &l.n, unused, unused, unused, &l.n, unused, &l.n, answer,
                        &ask, &info, 1, 1);
  w->lwork = query(kind, answer);
  w->bytes = (size_t)(l.work + (int64_t)w->lwork * (l.complex ? 2 : 1)) * kind_bytes[kind];
  return true;
}

/* to[j, i] = from[i, j], pairs of numbers */
static void transpose_pairs(sec_rt_kind kind, const void *from, void *to, int64_t n) {
  size_t pair = 2 * kind_bytes[kind];
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++)
      memcpy((char *)to + (size_t)(j * n + i) * pair, (const char *)from + (size_t)(i * n + j) * pair, pair);
}

/* Real geev gives the pair of vectors of conjugate values as real and imaginary parts, in neighbouring columns. */
static void unpack(sec_rt_kind kind, const void *imaginary, const void *from, void *to, int64_t n) {
  for (int64_t j = 0; j < n; j++) {
    bool pair = get(kind, imaginary, j) != 0 && j + 1 < n;
    for (int64_t i = 0; i < n; i++) {
      int64_t at = 2 * (i * n + j);
      put(kind, to, at, get(kind, from, j * n + i));
      put(kind, to, at + 1, pair ? get(kind, from, (j + 1) * n + i) : 0);
      if (!pair) continue;
      put(kind, to, at + 2, get(kind, from, j * n + i));
      put(kind, to, at + 3, -get(kind, from, (j + 1) * n + i));
    }
    j += pair;
  }
}

static bool run(sec_rt_kind kind, const int64_t *meta, void *const *bufs, const sec_factor_work *w, char *memory) {
  layout l = layout_of(meta);
  int info, lwork = w->lwork;
  int64_t n = l.n, next = 2;
  double sum = 0;
  for (int64_t i = 0; i < l.part; i++) sum += get(kind, bufs[0], i) * 0;
  if (sum != 0) return false; /* LAPACK may not return from NaN or infinity */
  if (l.complex) transpose_pairs(kind, bufs[0], memory, n);
  else sec_factor_transpose(kind, bufs[0], n, memory, n, n, n);
  call(kind, &l, memory, place(kind, memory, l.work), &lwork, &info);
  const char *values = place(kind, memory, l.values), *imaginary = place(kind, memory, l.values + n);
  for (int64_t i = 0; i < n; i++) {
    put(kind, bufs[1], 2 * i, get(kind, values, l.complex ? 2 * i : i));
    put(kind, bufs[1], 2 * i + 1, get(kind, values, l.complex ? 2 * i + 1 : n + i));
  }
  for (int side = 0; side < 2; side++) {
    if (!meta[4 + side]) continue;
    const char *from = place(kind, memory, side == 0 ? l.left : l.right);
    if (l.complex) transpose_pairs(kind, from, bufs[next++], n);
    else unpack(kind, imaginary, from, bufs[next++], n);
  }
  return info == 0;
}

void sec_rt_eig(void **bufs, const int64_t *meta) {
  static const sec_factor by_vectors[3] = {{&sec_dense_eig_values, prepare, run},
                                           {&sec_dense_eig_one, prepare, run},
                                           {&sec_dense_eig_both, prepare, run}};
  sec_factor_run(&by_vectors[meta[4] + meta[5]], bufs, meta);
}
