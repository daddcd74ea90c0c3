/* sec_rt_sort against an insertion by comparison: every dtype, zeros of both signs, NaNs, ties,
 * rows of all lengths, columns, several keys, threads. */
#include "../../backends/cpu/runtime.h"
#include "../../backends/pool.h"

#include <secant/dtype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static uint64_t random_state = 1;
static uint64_t random_bits(void) { /* splitmix64 */
  uint64_t z = (random_state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static const sec_dtype dtypes[] = {SEC_BOOL, SEC_I8,  SEC_I16, SEC_I32,  SEC_I64, SEC_U8, SEC_U16,
                                   SEC_U32,  SEC_U64, SEC_F16, SEC_BF16, SEC_F32, SEC_F64};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

static uint64_t get(const void *x, sec_dtype d, int64_t i) {
  size_t size = sec_dtype_size(d);
  uint64_t v = 0;
  memcpy(&v, (const char *)x + (size_t)i * size, size);
  return v;
}

static uint64_t infinity_of(sec_dtype d) {
  return d == SEC_F16    ? 0x7c00
         : d == SEC_BF16 ? 0x7f80
         : d == SEC_F32  ? 0x7f800000
                         : 0x7ff0000000000000;
}

/* Few values, so that there are ties: for floats zeros, infinities and NaNs of both signs. */
static void fill(void *x, sec_dtype d, int64_t n, bool few) {
  size_t size = sec_dtype_size(d);
  for (int64_t i = 0; i < n; i++) {
    uint64_t v = random_bits(), sign = (uint64_t)1 << (8 * size - 1);
    if (d == SEC_BOOL) v &= 1;
    else if (few && sec_dtype_kind(d) == SEC_KIND_FLOAT) {
      const uint64_t values[] = {0, 1, infinity_of(d), infinity_of(d) + 1 + (v >> 8 & 3), 77};
      v = values[v % 5] | (v >> 16 & 1 ? sign : 0);
    } else if (few) v = v % 7 * 0x0101010101010101;
    memcpy((char *)x + (size_t)i * size, &v, size);
  }
}

static int compare(sec_dtype d, uint64_t a, uint64_t b) {
  int bits = (int)(8 * sec_dtype_size(d));
  uint64_t sign = (uint64_t)1 << (bits - 1);
  if (sec_dtype_kind(d) == SEC_KIND_FLOAT) {
    bool a_nan = (a & ~sign) > infinity_of(d), b_nan = (b & ~sign) > infinity_of(d);
    int64_t u = a & sign ? -(int64_t)(a & ~sign) : (int64_t)a;
    int64_t v = b & sign ? -(int64_t)(b & ~sign) : (int64_t)b;
    return a_nan || b_nan ? a_nan - b_nan : (u > v) - (u < v);
  }
  if (sec_dtype_kind(d) == SEC_KIND_INT) a ^= sign, b ^= sign;
  return (a > b) - (a < b);
}

typedef struct problem {
  int n_operands, n_keys;
  int64_t outer, n, inner;
  sec_dtype dtype[4];
  void *in[4], *out[4];
} problem;

static int compare_places(const problem *p, int64_t a, int64_t b) {
  int order = 0;
  for (int j = 0; j < p->n_keys && order == 0; j++)
    order = compare(p->dtype[j], get(p->in[j], p->dtype[j], a), get(p->in[j], p->dtype[j], b));
  return order;
}

/* Results are the operands' elements, each once, in order; equals in their old order. */
static void merge(const problem *p, int64_t *at, int64_t *other, int64_t n) {
  int64_t half = n / 2;
  if (n < 2) return;
  merge(p, at, other, half);
  merge(p, at + half, other, n - half);
  memcpy(other, at, (size_t)n * sizeof *at);
  for (int64_t i = 0, j = half, k = 0; k < n; k++) {
    bool second = i == half || (j < n && compare_places(p, other[i], other[j]) > 0);
    at[k] = second ? other[j++] : other[i++];
  }
}

static void check(const problem *p) {
  int64_t *at = malloc(2 * (size_t)(p->n + 1) * sizeof *at);
  for (int64_t o = 0; o < p->outer * p->inner; o++) {
    int64_t first = o / p->inner * p->n * p->inner + o % p->inner;
    for (int64_t i = 0; i < p->n; i++) at[i] = first + i * p->inner;
    merge(p, at, at + p->n, p->n);
    for (int j = 0; j < p->n_operands; j++)
      for (int64_t i = 0; i < p->n; i++) {
        uint64_t given = get(p->out[j], p->dtype[j], first + i * p->inner);
        if (given != get(p->in[j], p->dtype[j], at[i]))
          fail_msg("%s, row %lld of %lld: operand %d, element %lld is %llx",
                   sec_dtype_name(p->dtype[0]), (long long)o, (long long)p->n, j, (long long)i,
                   (unsigned long long)given);
      }
  }
  free(at);
}

static void run(problem *p, bool few) {
  void *bufs[8];
  int64_t meta[9] = {p->n_operands, p->n_keys, p->outer, p->n, p->inner};
  for (int j = 0; j < p->n_operands; j++) {
    size_t bytes = (size_t)(p->outer * p->n * p->inner) * sec_dtype_size(p->dtype[j]);
    bufs[j] = p->in[j] = malloc(bytes + 1);
    bufs[p->n_operands + j] = p->out[j] = malloc(bytes + 1);
    fill(p->in[j], p->dtype[j], p->outer * p->n * p->inner, few);
    if (j == p->n_operands - 1 && p->dtype[j] == SEC_I32 && p->inner == 1)
      for (int64_t i = 0; i < p->outer * p->n; i++) ((int32_t *)p->in[j])[i] = (int32_t)(i % p->n);
    meta[5 + j] = p->dtype[j];
  }
  sec_rt_sort(bufs, meta);
  check(p);
  for (int j = 0; j < 2 * p->n_operands; j++) free(bufs[j]);
}

static void test_dtypes(void **state) {
  const int64_t lengths[] = {0, 1, 2, 17, 48, 49, 300, 5000};
  (void)state;
  for (int d = 0; d < N_DTYPES; d++)
    for (int few = 0; few < 2; few++)
      for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        run(&(problem){1, 1, 3, lengths[k], 1, {dtypes[d]}}, few);
        run(&(problem){2, 1, 3, lengths[k], 1, {dtypes[d], SEC_I32}}, few);
        run(&(problem){1, 1, 2, lengths[k], 19, {dtypes[d]}}, few);
      }
}

static void test_keys(void **state) {
  (void)state;
  for (int a = 0; a < N_DTYPES; a++)
    for (int b = 0; b < N_DTYPES; b++) {
      run(&(problem){3, 2, 2, 200, 1, {dtypes[a], dtypes[b], SEC_I32}}, true);
      run(&(problem){4, 3, 1, 77, 5, {dtypes[a], dtypes[b], SEC_F64, SEC_U8}}, true);
    }
}

static void test_threads(void **state) {
  (void)state;
  for (int threads = 1; threads < 5; threads += 3) {
    sec_threads_set(threads);
    for (int few = 0; few < 2; few++)
      for (int d = 0; d < N_DTYPES; d++) {
        run(&(problem){1, 1, 1, 70001, 1, {dtypes[d]}}, few);
        run(&(problem){2, 1, 1, 70001, 1, {dtypes[d], SEC_I32}}, few);
        run(&(problem){1, 1, 200, 90, 1, {dtypes[d]}}, few);
      }
    run(&(problem){2, 2, 1, 300001, 2, {SEC_F32, SEC_I16}}, true);
  }
  sec_threads_set(0);
}

/* Where no memory is to be had, rows are sorted in place. */
static void test_no_memory(void **state) {
#ifdef __SANITIZE_ADDRESS__
  (void)state; /* its allocator does not fail */
#else
  struct rlimit old, none;
  (void)state;
  sec_threads_set(1);
  getrlimit(RLIMIT_AS, &old);
  none = (struct rlimit){1 << 20, old.rlim_max};
  for (int d = 0; d < N_DTYPES; d++) {
    sec_pool_trim();
    setrlimit(RLIMIT_AS, &none);
    run(&(problem){1, 1, 2, 40, 1, {dtypes[d]}}, true);
    run(&(problem){3, 2, 2, 40, 3, {dtypes[d], SEC_F32, SEC_I8}}, true);
    setrlimit(RLIMIT_AS, &old);
  }
  sec_threads_set(0);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dtypes),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_no_memory),
  };
  return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
