/* Factorisations by LAPACK against those of core/dense_*.c, in batches over threads: the same numbers, but for the signs
 * of singular and eigenvectors. */
#include "../../backends/cpu/factor.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_BYTES = 8, EITHER_SIGN = 1 };

typedef struct row {
  const char *name;
  sec_runtime_fn *library;
  const sec_dense *dense;
  int64_t words[8];    /* after kind and batch */
  unsigned compared;   /* bit i: buffer i */
  unsigned flags;
} row;

static const double rtol = 1e-5;

static const row rows[] = {
    {"geqrf", sec_rt_geqrf, &sec_dense_geqrf, {7, 5}, 6, 0},
    {"geqrf wide", sec_rt_geqrf, &sec_dense_geqrf, {3, 5}, 6, 0},
    {"householder_product", sec_rt_householder_product, &sec_dense_householder, {6, 4, 3}, 4, 0},
    {"ormqr", sec_rt_ormqr, &sec_dense_ormqr, {6, 4, 3, 6, 2, 1, 0}, 8, 0},
    {"ormqr right", sec_rt_ormqr, &sec_dense_ormqr, {6, 4, 4, 3, 6, 0, 1}, 8, 0},
    {"qr", sec_rt_qr, &sec_dense_qr, {6, 4, 6, 0}, 6, 0},
    {"qr wide", sec_rt_qr, &sec_dense_qr, {4, 6, 4, 0}, 6, 0},
    {"qr pivoted", sec_rt_qr, &sec_dense_qr_pivoted, {6, 4, 4, 1}, 14, 0},
    {"hessenberg", sec_rt_hessenberg, &sec_dense_hessenberg, {6}, 6, 0},
    {"tridiagonal", sec_rt_tridiagonal, &sec_dense_tridiagonal, {6, 1}, 30, 0},
    {"tridiagonal upper", sec_rt_tridiagonal, &sec_dense_tridiagonal, {6, 0}, 30, 0},
    {"eigh", sec_rt_eigh, &sec_dense_eigh, {6, 1}, 6, EITHER_SIGN},
    {"svd", sec_rt_svd, &sec_dense_svd, {6, 4, 0, 1}, 14, EITHER_SIGN},
    {"svd full wide", sec_rt_svd, &sec_dense_svd, {5, 6, 1, 1}, 6, EITHER_SIGN},
    {"svd values", sec_rt_svd, &sec_dense_values, {4, 6, 0, 0}, 2, 0},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static double get(const void *x, int kind, int64_t i) { return kind == SEC_RT_F32 ? ((const float *)x)[i] : ((const double *)x)[i]; }

static uint64_t seed = 1;
static double number(void) { /* in (-1, 1); Knuth's MMIX generator */
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (double)(int64_t)seed / 9.3e18;
}

static void compare(const row *r, int kind, int b, const void *given, const void *expected, int64_t n) {
  if (r->dense->integers >> b & 1) {
    assert_memory_equal(given, expected, (size_t)n * sizeof(int32_t));
    return;
  }
  double tolerance = kind == SEC_RT_F32 ? 3e-4 : 1e-12; /* of inverses of matrices that may be bad */
  for (int64_t i = 0; i < n; i++) {
    double x = get(given, kind, i), y = get(expected, kind, i);
    if (r->flags & EITHER_SIGN) x = fabs(x), y = fabs(y);
    if (!(fabs(x - y) <= tolerance)) fail_msg("%s: buffer %d, element %d: %.17g and %.17g", r->name, b, (int)i, x, y);
  }
}

static void check(const row *r, int kind, int64_t batch) {
  const sec_factor without = {r->dense, NULL, NULL};
  int64_t meta[10] = {kind, batch}, sizes[SEC_DENSE_BUFFERS], work;
  memcpy(meta + 2, r->words, sizeof r->words);
  r->dense->sizes(meta, sizes, &work);
  int n_in = r->dense->n_in, n = n_in + r->dense->n_out, status[2] = {0, 0};
  void *given[SEC_DENSE_BUFFERS + 1], *expected[SEC_DENSE_BUFFERS + 1];
  for (int b = 0; b < n; b++) {
    expected[b] = given[b] = calloc((size_t)(batch * sizes[b] + 1), MAX_BYTES);
    if (b >= n_in) expected[b] = calloc((size_t)(batch * sizes[b] + 1), MAX_BYTES);
    for (int64_t i = 0; b < n_in && i < batch * sizes[b]; i++)
      if (kind == SEC_RT_F32) ((float *)given[b])[i] = (float)number();
      else ((double *)given[b])[i] = number();
  }
  given[n] = &status[0];
  expected[n] = &status[1];
  r->library(given, meta);
  sec_factor_run(&without, expected, meta);
  assert_int_equal(status[0], 0);
  assert_int_equal(status[1], 0);
  for (int b = n_in; b < n; b++)
    if (r->compared >> b & 1) compare(r, kind, b, given[b], expected[b], batch * sizes[b]);
  for (int b = 0; b < n; b++) {
    if (b >= n_in) free(expected[b]);
    free(given[b]);
  }
}

static void test_factors(void **state) {
  (void)state;
  for (int i = 0; i < N_ROWS; i++)
    for (int kind = SEC_RT_F32; kind <= SEC_RT_F64; kind++) {
      check(&rows[i], kind, 1);
      check(&rows[i], kind, 300);
      check(&rows[i], kind, 0);
    }
}

/* A tolerance in meta is the bits of a double. */
static void test_pinv(void **state) {
  (void)state;
  row r = {"pinv", sec_rt_pinv, &sec_dense_pinv, {6, 4}, 2, 0};
  memcpy(&r.words[2], &rtol, sizeof rtol);
  for (int kind = SEC_RT_F32; kind <= SEC_RT_F64; kind++) check(&r, kind, 40);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_factors), cmocka_unit_test(test_pinv)};
  return cmocka_run_group_tests_name("factor", tests, NULL, NULL);
}
