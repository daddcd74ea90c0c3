/* The runtime functions against plain loops in double, and the buffer pool. */
#include "../../backends/cpu/runtime.h"
#include "../../backends/pool.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers ------------------------------------------------------------------------------- */

static uint64_t random_state = 1;

static double random_number(void) { /* in (-1, 1); Knuth's MMIX generator */
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (double)(int64_t)random_state / 9.3e18;
}

/* Element `i` of an array of f32 or f64. */
static double get(const void *x, sec_rt_kind kind, int64_t i) {
  return kind == SEC_RT_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static void set(void *x, sec_rt_kind kind, int64_t i, double value) {
  if (kind == SEC_RT_F32)
    ((float *)x)[i] = (float)value;
  else
    ((double *)x)[i] = value;
}

static void *random_array(sec_rt_kind kind, int64_t n) {
  void *x = malloc((size_t)(n + 1) * 8);
  for (int64_t i = 0; i < n; i++)
    set(x, kind, i, random_number());
  return x;
}

/* Rounding errors of n additions of numbers up to `scale`. */
static void check_close(double x, double y, sec_rt_kind kind, double scale) {
  double tolerance = (kind == SEC_RT_F32 ? 0x1p-22 : 0x1p-50) * scale;
  if (!(fabs(x - y) <= tolerance))
    fail_msg("%.17g is not %.17g", x, y);
}

/* ---- dot ----------------------------------------------------------------------------------- */

static void check_dot(sec_rt_kind kind, const int64_t *meta, const void *a, const void *b,
                      const void *c) {
  for (int64_t q = 0, at = 0; q < meta[1]; q++)
    for (int64_t i = 0; i < meta[2]; i++)
      for (int64_t j = 0; j < meta[3]; j++, at++) {
        double sum = 0;
        for (int64_t l = 0; l < meta[4]; l++)
          sum += get(a, kind, q * meta[5] + i * meta[6] + l * meta[7]) *
                 get(b, kind, q * meta[8] + l * meta[9] + j * meta[10]);
        check_close(get(c, kind, at), sum, kind, 4 + (double)meta[4]);
      }
}

/* All layouts of both operands: by rows, by columns, spread, and the batch shared or not. */
static void dot_layouts(sec_rt_kind kind, int64_t batch, int64_t m, int64_t n, int64_t k) {
  void *a = random_array(kind, 2 * batch * m * k), *b = random_array(kind, 2 * batch * k * n);
  void *c = malloc((size_t)(batch * m * n + 1) * 8);
  for (int layout = 0; layout < 18; layout++) {
    int of_a = layout % 3, of_b = layout / 3 % 3, shared = layout / 9;
    int64_t a_m = of_a == 0 ? k : of_a == 1 ? 1 : 2 * k, a_k = of_a == 0 ? 1 : of_a == 1 ? m : 2;
    int64_t b_k = of_b == 0 ? n : of_b == 1 ? 1 : 2 * n, b_n = of_b == 0 ? 1 : of_b == 1 ? k : 2;
    int64_t meta[] = {kind, batch, m,
                      n,    k,     (of_a == 2 ? 2 : 1) * m * k,
                      a_m,  a_k,   shared ? 0 : (of_b == 2 ? 2 : 1) * k * n,
                      b_k,  b_n};
    memset(c, 0xff, (size_t)(batch * m * n) * 8);
    sec_rt_dot((void *[]){a, b, c}, meta);
    check_dot(kind, meta, a, b, c);
  }
  free(a);
  free(b);
  free(c);
}

static void test_dot(void **state) {
  (void)state;
  sec_threads_set(3);
  static const int64_t shapes[][4] = {
      {1, 1, 1, 1},      {1, 5, 7, 3},     {1, 1, 9, 4},      {1, 9, 1, 4},       {1, 4, 4, 0},
      {0, 4, 4, 4},      {2, 0, 4, 4},     {1, 8, 8, 1},      {3, 6, 5, 4},       {40, 3, 3, 3},
      {5, 1, 4, 6},      {7, 4, 1, 6},     {1, 130, 90, 110}, {2, 120, 130, 100}, {1, 1, 1, 300},
      {1, 1300, 1, 900}, {1, 1, 1300, 900}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int kind = SEC_RT_F32; kind <= SEC_RT_F64; kind++)
      dot_layouts((sec_rt_kind)kind, shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3]);
}

#define TEST_INTEGER_DOT(name, type, kind)                                                         \
  static void test_dot_##name(void **state) {                                                      \
    (void)state;                                                                                   \
    enum { M = 37, N = 1100, K = 70 };                                                             \
    type *a = malloc(M * K * sizeof *a), *b = malloc(K * N * sizeof *b);                           \
    type *c = malloc(M * N * sizeof *c);                                                           \
    for (int i = 0; i < M * K; i++)                                                                \
      a[i] = (type)(0x9e3779b97f4a7c15u * (uint64_t)i >> 7);                                       \
    for (int i = 0; i < K * N; i++)                                                                \
      b[i] = (type)(0xc2b2ae3d27d4eb4fu * (uint64_t)i >> 5);                                       \
    for (int by_rows = 0; by_rows < 2; by_rows++) {                                                \
      int64_t b_k = by_rows ? N : 1, b_n = by_rows ? 1 : K;                                        \
      sec_rt_dot((void *[]){a, b, c}, (int64_t[]){kind, 1, M, N, K, 0, K, 1, 0, b_k, b_n});        \
      for (int i = 0; i < M; i++)                                                                  \
        for (int j = 0; j < N; j++) {                                                              \
          type sum = 0;                                                                            \
          for (int l = 0; l < K; l++)                                                              \
            sum = (type)(sum + a[i * K + l] * b[l * b_k + j * b_n]);                               \
          assert_true(c[i * N + j] == sum);                                                        \
        }                                                                                          \
    }                                                                                              \
    free(a);                                                                                       \
    free(b);                                                                                       \
    free(c);                                                                                       \
  }

TEST_INTEGER_DOT(i32, uint32_t, SEC_RT_I32)
TEST_INTEGER_DOT(u32, uint32_t, SEC_RT_U32)
TEST_INTEGER_DOT(i64, uint64_t, SEC_RT_I64)
TEST_INTEGER_DOT(u64, uint64_t, SEC_RT_U64)
TEST_INTEGER_DOT(u8, uint8_t, SEC_RT_U8)

static void test_dot_bool(void **state) {
  (void)state;
  uint8_t a[] = {1, 1, 0, 0, 0, 1}, b[] = {1, 0, 1, 0, 0, 0}, c[4];
  sec_rt_dot((void *[]){a, b, c}, (int64_t[]){SEC_RT_BOOL, 1, 2, 2, 3, 0, 3, 1, 0, 2, 1});
  assert_memory_equal(c, ((uint8_t[]){1, 0, 0, 0}), 4);
}

/* A NaN that is in c's memory before does not stay; one in the operands does. */
static void test_dot_nan(void **state) {
  (void)state;
  for (int64_t n = 1; n < 40; n += 13) {
    float a[40 * 40] = {0}, b[40 * 40] = {0}, c[40 * 40];
    int64_t meta[] = {SEC_RT_F32, 1, n, n, n, 0, n, 1, 0, n, 1};
    memset(c, 0xff, sizeof c);
    sec_rt_dot((void *[]){a, b, c}, meta);
    assert_true(c[0] == 0 && c[n * n - 1] == 0);
    a[0] = NAN;
    sec_rt_dot((void *[]){a, b, c}, meta);
    assert_true(isnan(c[0]) && isnan(c[n - 1]));
  }
}

/* ---- factorisations ------------------------------------------------------------------------ */

static void check_cholesky(sec_rt_kind kind, int64_t batch, int64_t n) {
  void *x = random_array(kind, batch * n * n), *a = random_array(kind, batch * n * n);
  void *factor = malloc((size_t)(batch * n * n + 1) * 8);
  for (int64_t q = 0; q < batch; q++)
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) {
        double sum = i == j ? (double)n : 0;
        for (int64_t l = 0; l < n; l++)
          sum += get(x, kind, (q * n + i) * n + l) * get(x, kind, (q * n + j) * n + l);
        set(a, kind, (q * n + i) * n + j, j > i ? 1e9 : sum); /* what is above is not read */
      }
  sec_rt_cholesky((void *[]){a, factor}, (int64_t[]){kind, batch, n});
  for (int64_t q = 0; q < batch; q++)
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t l = 0; l <= j && l <= i; l++)
          sum += get(factor, kind, (q * n + i) * n + l) * get(factor, kind, (q * n + j) * n + l);
        if (j <= i)
          check_close(sum, get(a, kind, (q * n + i) * n + j), kind, 20 * (double)n);
        else
          assert_true(get(factor, kind, (q * n + i) * n + j) == 0);
      }
  free(x);
  free(a);
  free(factor);
}

static void test_cholesky(void **state) {
  (void)state;
  for (int kind = SEC_RT_F32; kind <= SEC_RT_F64; kind++) {
    check_cholesky((sec_rt_kind)kind, 1, 1);
    check_cholesky((sec_rt_kind)kind, 50, 3);
    check_cholesky((sec_rt_kind)kind, 2, 60);
    check_cholesky((sec_rt_kind)kind, 1, 0);
  }
}

static void test_cholesky_not_definite(void **state) {
  (void)state;
  double a[] = {4, 7, 2, 5, 1, 9, 2, 1}, factor[8];
  sec_rt_cholesky((void *[]){a, factor}, (int64_t[]){SEC_RT_F64, 2, 2});
  assert_true(factor[0] == 2 && factor[1] == 0 && factor[2] == 1 && factor[3] == 2);
  assert_true(isnan(factor[4]) && factor[5] == 0 && isnan(factor[6]) && isnan(factor[7]));
}

/* The element [i, j] of op(a) as the solve reads it. */
static double triangular(const void *a, const int64_t *meta, int64_t q, int64_t i, int64_t j) {
  int64_t size = meta[4] ? meta[2] : meta[3];
  int64_t row = meta[6] ? j : i, column = meta[6] ? i : j;
  if (row == column && meta[7])
    return 1;
  if (meta[5] ? column > row : column < row)
    return 0;
  return get(a, (sec_rt_kind)meta[0], (q * size + row) * size + column);
}

static void check_solve(const int64_t *meta) {
  sec_rt_kind kind = (sec_rt_kind)meta[0];
  int64_t batch = meta[1], m = meta[2], n = meta[3], size = meta[4] ? m : n;
  void *a = random_array(kind, batch * size * size), *b = random_array(kind, batch * m * n);
  void *x = malloc((size_t)(batch * m * n + 1) * 8);
  for (int64_t i = 0; i < batch * size * size; i++)
    set(a, kind, i, get(a, kind, i) / (double)size); /* well conditioned, also with unit diagonal */
  for (int64_t q = 0; q < batch; q++)
    for (int64_t i = 0; i < size; i++)
      set(a, kind, (q * size + i) * size + i, 2);
  sec_rt_triangular_solve((void *[]){a, b, x}, meta);
  for (int64_t q = 0; q < batch; q++)
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t l = 0; l < size; l++)
          sum += meta[4] ? triangular(a, meta, q, i, l) * get(x, kind, (q * m + l) * n + j)
                         : get(x, kind, (q * m + i) * n + l) * triangular(a, meta, q, l, j);
        check_close(sum, get(b, kind, (q * m + i) * n + j), kind, 4 + (double)size);
      }
  free(a);
  free(b);
  free(x);
}

static void test_triangular_solve(void **state) {
  (void)state;
  sec_threads_set(3);
  static const int64_t shapes[][3] = {{1, 1, 1},  {1, 5, 3},  {9, 3, 5}, {2, 70, 80},
                                      {1, 90, 1}, {1, 1, 90}, {1, 0, 4}, {1, 4, 0}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int64_t flags = 0; flags < 32; flags++) {
      const int64_t *p = shapes[s];
      int64_t meta[] = {flags >> 4,     p[0],           p[1],           p[2],
                        flags >> 3 & 1, flags >> 2 & 1, flags >> 1 & 1, flags & 1};
      check_solve(meta);
    }
}

static void test_triangular_solve_singular(void **state) {
  (void)state;
  double a[] = {0, 5, 1, 2}, b[] = {1, 4}, x[2];
  sec_rt_triangular_solve((void *[]){a, b, x}, (int64_t[]){SEC_RT_F64, 1, 2, 1, 1, 1, 0, 0});
  assert_true(isinf(x[0]) && x[0] > 0 && isinf(x[1]) && x[1] < 0);
}

static void check_lu(sec_rt_kind kind, int64_t batch, int64_t m, int64_t n) {
  int64_t k = m < n ? m : n;
  void *a = random_array(kind, batch * m * n), *lu = malloc((size_t)(batch * m * n + 1) * 8);
  int32_t *pivots = malloc((size_t)(batch * k + 1) * 4),
          *rows = malloc((size_t)(batch * m + 1) * 4);
  sec_rt_lu((void *[]){a, lu, pivots, rows}, (int64_t[]){kind, batch, m, n});
  for (int64_t q = 0; q < batch; q++)
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t l = 0; l <= i && l <= j && l < k; l++)
          sum += (l == i ? 1 : get(lu, kind, (q * m + i) * n + l)) *
                 get(lu, kind, (q * m + l) * n + j);
        double source = get(a, kind, (q * m + rows[q * m + i]) * n + j);
        check_close(sum, source, kind, 4 * (double)(k + 4));
        if (i > j)
          assert_true(fabs(get(lu, kind, (q * m + i) * n + j)) <= 1);
      }
  for (int64_t i = 0; i < batch * k; i++)
    assert_true(pivots[i] >= i % k && pivots[i] < m);
  free(a);
  free(lu);
  free(pivots);
  free(rows);
}

static void test_lu(void **state) {
  (void)state;
  for (int kind = SEC_RT_F32; kind <= SEC_RT_F64; kind++) {
    check_lu((sec_rt_kind)kind, 1, 1, 1);
    check_lu((sec_rt_kind)kind, 20, 4, 4);
    check_lu((sec_rt_kind)kind, 2, 50, 30);
    check_lu((sec_rt_kind)kind, 2, 30, 50);
    check_lu((sec_rt_kind)kind, 1, 0, 3);
  }
  double a[] = {NAN, NAN, NAN, NAN}, lu[4];
  int32_t pivots[2], rows[2];
  sec_rt_lu((void *[]){a, lu, pivots, rows}, (int64_t[]){SEC_RT_F64, 1, 2, 2});
  assert_true(isnan(lu[0]) && isnan(lu[3]) && pivots[0] >= 0 && pivots[0] < 2);
}

/* ---- running sums and copy ----------------------------------------------------------------- */

enum {
  DTYPE_BOOL,
  DTYPE_I8,
  DTYPE_I16,
  DTYPE_I32,
  DTYPE_I64,
  DTYPE_U8,
  DTYPE_U16,
  DTYPE_U32,
  DTYPE_U64,
  DTYPE_F16,
  DTYPE_BF16,
  DTYPE_F32,
  DTYPE_F64
};

static double combine(int op, double s, double x) {
  switch (op) {
  case 0:
    return s + x;
  case 1:
    return s * x;
  case 2:
    return isnan(s) || isnan(x) ? NAN : fmax(s, x);
  default:
    return isnan(s) || isnan(x) ? NAN : fmin(s, x);
  }
}

static void check_cumulative(int64_t outer, int64_t n, int64_t inner, int op, bool reverse) {
  int64_t size = outer * n * inner;
  double *x = random_array(SEC_RT_F64, size), *y = malloc((size_t)(size + 1) * 8);
  for (int64_t i = 0; i < size; i++)
    x[i] = i % 97 == 50 ? NAN : floor(8 * x[i]) / 4;
  sec_rt_cumulative((void *[]){x, y}, (int64_t[]){DTYPE_F64, op, outer, n, inner, reverse});
  for (int64_t o = 0; o < outer; o++)
    for (int64_t c = 0; c < inner; c++)
      for (int64_t i = 0, at; i < n; i++) {
        static double sum;
        at = (o * n + (reverse ? n - 1 - i : i)) * inner + c;
        sum = i == 0 ? x[at] : combine(op, sum, x[at]);
        assert_true(y[at] == sum || (isnan(sum) && isnan(y[at])));
      }
  free(x);
  free(y);
}

static void test_cumulative(void **state) {
  (void)state;
  sec_threads_set(3);
  for (int op = 0; op < 4; op++)
    for (int reverse = 0; reverse < 2; reverse++) {
      check_cumulative(1, 10, 1, op, reverse);
      check_cumulative(3, 40, 1, op, reverse);
      check_cumulative(2, 7, 150, op, reverse);
      check_cumulative(300, 20, 70, op, reverse);
      check_cumulative(2, 0, 3, op, reverse);
    }
}

#define CHECK_CUMULATIVE(type, dtype, op, ...)                                                     \
  do {                                                                                             \
    type x[][4] = {__VA_ARGS__}, y[4];                                                             \
    sec_rt_cumulative((void *[]){x[0], y}, (int64_t[]){dtype, op, 1, 4, 1, 0});                    \
    assert_memory_equal(y, x[1], sizeof y);                                                        \
  } while (0)

static void test_cumulative_dtypes(void **state) {
  (void)state;
  CHECK_CUMULATIVE(uint8_t, DTYPE_BOOL, 0, {0, 1, 0, 1}, {0, 1, 1, 1});
  CHECK_CUMULATIVE(uint8_t, DTYPE_BOOL, 3, {1, 1, 0, 1}, {1, 1, 0, 0});
  CHECK_CUMULATIVE(int8_t, DTYPE_I8, 0, {100, 27, 1, -1}, {100, 127, -128, 127});
  CHECK_CUMULATIVE(int16_t, DTYPE_I16, 2, {-3, -5, 2, 1}, {-3, -3, 2, 2});
  CHECK_CUMULATIVE(int32_t, DTYPE_I32, 1, {65536, 65536, 3, 1}, {65536, 0, 0, 0});
  CHECK_CUMULATIVE(int32_t, DTYPE_I32, 2, {INT32_MAX, 1, -1, 0},
                   {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX});
  CHECK_CUMULATIVE(int64_t, DTYPE_I64, 0, {INT64_MAX, 1, 2, 0},
                   {INT64_MAX, INT64_MIN, INT64_MIN + 2, INT64_MIN + 2});
  CHECK_CUMULATIVE(uint8_t, DTYPE_U8, 0, {200, 55, 1, 2}, {200, 255, 0, 2});
  CHECK_CUMULATIVE(uint16_t, DTYPE_U16, 3, {60000, 7, 9, 1}, {60000, 7, 7, 1});
  CHECK_CUMULATIVE(uint32_t, DTYPE_U32, 2, {1, UINT32_MAX, 3, 4},
                   {1, UINT32_MAX, UINT32_MAX, UINT32_MAX});
  CHECK_CUMULATIVE(uint64_t, DTYPE_U64, 2, {1, UINT64_MAX, 3, 4},
                   {1, UINT64_MAX, UINT64_MAX, UINT64_MAX});
  CHECK_CUMULATIVE(uint16_t, DTYPE_F16, 0, {0x3c00, 0x3c00, 0x4000, 0xc400},
                   {0x3c00, 0x4000, 0x4400, 0});
  CHECK_CUMULATIVE(uint16_t, DTYPE_BF16, 1, {0x3f80, 0x4000, 0x4000, 0xbf80},
                   {0x3f80, 0x4000, 0x4080, 0xc080});
  CHECK_CUMULATIVE(float, DTYPE_F32, 0, {1, 0x1p-24f, 0x1p-24f, 1},
                   {1, 1, 1 + 0x1p-23f, 2 + 0x1p-23f});
  CHECK_CUMULATIVE(float, DTYPE_F32, 1, {2, 3, 4, 0.5f}, {2, 6, 24, 12});
}

static void test_copy(void **state) {
  (void)state;
  for (int64_t bytes = 0; bytes < 20000000; bytes = 7 * bytes + 1) {
    unsigned char *from = malloc((size_t)bytes + 1), *to = calloc(1, (size_t)bytes + 1);
    for (int64_t i = 0; i <= bytes; i++)
      from[i] = (unsigned char)(i * 31 + 1);
    sec_rt_copy((void *[]){from, to}, &bytes);
    assert_memory_equal(from, to, (size_t)bytes);
    assert_int_equal(to[bytes], 0);
    free(from);
    free(to);
  }
}

static void test_table(void **state) {
  (void)state;
  size_t n;
  const sec_compiler_symbol *symbols = sec_runtime_symbols(&n);
  assert_true(n >= 6);
  for (size_t i = 0; i < n; i++) {
    if (strncmp(symbols[i].name, "sec_rt_", 7) != 0)
      continue; /* a conversion */
    sec_runtime_fn *function = sec_runtime_lookup(symbols[i].name);
    assert_non_null(function);
    assert_memory_equal(&function, &symbols[i].address, sizeof function);
  }
  assert_ptr_equal(sec_runtime_lookup("sec_rt_dot"), sec_rt_dot);
  assert_null(sec_runtime_lookup("sec_rt_absent"));
}

/* ---- pool ---------------------------------------------------------------------------------- */

static void test_pool(void **state) {
  (void)state;
  sec_pool_trim();
  for (size_t bytes = 0; bytes < 10000000; bytes = bytes * 5 / 4 + 1) {
    unsigned char *block = sec_pool_alloc(bytes);
    assert_non_null(block);
    assert_true((uintptr_t)block % 64 == 0);
    memset(block, 0xa5, bytes);
    sec_pool_free(block, bytes);
    assert_ptr_equal(sec_pool_alloc(bytes), block); /* kept */
    sec_pool_free(block, bytes);
  }
  sec_pool_free(NULL, 100);
  assert_null(sec_pool_alloc(SIZE_MAX));
  assert_null(sec_pool_alloc((size_t)1 << 45));
  sec_pool_trim();
  assert_true(sec_pool_stats_get().reserved == 0);
}

static void test_pool_limit(void **state) {
  (void)state;
  sec_pool_set_limit(10 << 20);
  void *blocks[8];
  for (int i = 0; i < 8; i++)
    blocks[i] = sec_pool_alloc(4 << 20);
  for (int i = 0; i < 8; i++)
    sec_pool_free(blocks[i], 4 << 20);
  sec_pool_stats stats = sec_pool_stats_get();
  assert_true(stats.kept == 8 << 20 && stats.reserved == stats.kept);
  sec_pool_free(sec_pool_alloc(5 << 20), 5 << 20); /* another class takes the place of the first */
  stats = sec_pool_stats_get();
  assert_true(stats.kept == 9 << 20);
  sec_pool_set_limit(0);
  assert_true(sec_pool_stats_get().kept == 0);
  sec_pool_set_limit((size_t)1 << 30);
}

/* Frees on one thread what another allocated. */
static void *pool_worker(void *shared) {
  void *_Atomic *slots = shared;
  uint64_t random = (uint64_t)(uintptr_t)&random;
  for (int i = 0; i < 100000; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    size_t slot = random >> 60, bytes = (slot + 1) * 700;
    unsigned char *block = sec_pool_alloc(bytes);
    memset(block, (int)slot, bytes);
    unsigned char *old =
        __atomic_exchange_n((void **)&slots[slot], (void *)block, __ATOMIC_ACQ_REL);
    if (old && (old[0] != slot || old[bytes - 1] != slot))
      return shared;
    sec_pool_free(old, bytes);
  }
  return NULL;
}

static void test_pool_threads(void **state) {
  (void)state;
  void *slots[16] = {0};
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    pthread_create(&threads[i], NULL, pool_worker, slots);
  for (int i = 0; i < 3; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  for (size_t slot = 0; slot < 16; slot++)
    sec_pool_free(slots[slot], (slot + 1) * 700);
  sec_pool_trim();
  assert_true(sec_pool_stats_get().reserved == 0); /* ended threads left nothing */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dot),
      cmocka_unit_test(test_dot_i32),
      cmocka_unit_test(test_dot_u32),
      cmocka_unit_test(test_dot_i64),
      cmocka_unit_test(test_dot_u64),
      cmocka_unit_test(test_dot_u8),
      cmocka_unit_test(test_dot_bool),
      cmocka_unit_test(test_dot_nan),
      cmocka_unit_test(test_cholesky),
      cmocka_unit_test(test_cholesky_not_definite),
      cmocka_unit_test(test_triangular_solve),
      cmocka_unit_test(test_triangular_solve_singular),
      cmocka_unit_test(test_lu),
      cmocka_unit_test(test_cumulative),
      cmocka_unit_test(test_cumulative_dtypes),
      cmocka_unit_test(test_copy),
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_pool),
      cmocka_unit_test(test_pool_limit),
      cmocka_unit_test(test_pool_threads),
  };
  return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
