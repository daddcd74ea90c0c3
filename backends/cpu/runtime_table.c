/* The table of runtime functions, and those of them that are simple loops: copy and running sums.
 */
#include "runtime.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/* ---- copy ---------------------------------------------------------------------------------- */

static void copy_run(void **bufs, int64_t lo, int64_t hi) {
  memcpy((char *)bufs[1] + lo, (const char *)bufs[0] + lo, (size_t)(hi - lo));
}

void sec_rt_copy(void **bufs, const int64_t *meta) {
  sec_parallel(copy_run, bufs, meta[0], (int64_t)1 << 20);
}

/* ---- running sums -------------------------------------------------------------------------- */

typedef struct cumulative {
  int dtype, op;
  int64_t outer, n, inner;
  bool reverse;
  const void *x;
  void *y;
} cumulative;

/* Columns that run together: their sums stay in the cache, and neighbours are computed at once. */
enum { WIDTH = 64 };

/* Blocks of WIDTH columns in one outer slice. */
static int64_t blocks_per_slice(const cumulative *c) {
  return (c->inner - 1) / WIDTH + 1;
}

__extension__ typedef _Float16 half;

static float load_half(half x) {
  return (float)x;
}
static half store_half(float x) {
  return (half)x;
}

static float load_bf16(uint16_t x) {
  uint32_t bits = (uint32_t)x << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

/* Rounds to nearest even; a NaN stays one. */
static uint16_t store_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = x != x ? bits | 0x400000 : bits + 0x7fff + (bits >> 16 & 1);
  return (uint16_t)(bits >> 16);
}

#define AS_IS(x) (x)
#define ADD(s, x) ((s) + (x))
#define MULTIPLY(s, x) ((s) * (x))
#define OR(s, x) ((s) | (x))
#define AND(s, x) ((s) & (x))
/* If x is a NaN it is taken; if s is one, no comparison replaces it. */
#define MAXIMUM(s, x) ((x) > (s) || (x) != (x) ? (x) : (s))
#define MINIMUM(s, x) ((x) < (s) || (x) != (x) ? (x) : (s))
/* The same of floats, which order -0 before +0. */
#define MAXIMUM_F(s, x) ((x) > (s) || (x) != (x) ? (x) : (x) == 0 && (s) == 0 ? (s) + (x) : (s))
#define MINIMUM_F(s, x) ((x) < (s) || (x) != (x) ? (x) : (x) == 0 && (s) == 0 ? -(-(s) - (x)) : (s))
/* Wraps, whatever the sign: the low bits of the unsigned result. */
#define ADD_WRAP(s, x) ((int64_t)((uint64_t)(s) + (uint64_t)(x)))
#define MULTIPLY_WRAP(s, x) ((int64_t)((uint64_t)(s) * (uint64_t)(x)))

/* One block of columns: `width` elements in each of `n` rows that are `step` apart. */
#define SCAN(name, type, sum_type, LOAD, STORE, OP)                                                \
  static void name##_column(const type *x, type *y, int64_t n, int64_t step) {                     \
    sum_type sum = (sum_type)LOAD(*x);                                                             \
    *y = *x;                                                                                       \
    for (int64_t i = 1; i < n; i++) {                                                              \
      sum = OP(sum, (sum_type)LOAD(x[i * step]));                                                  \
      y[i * step] = (type)STORE(sum);                                                              \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static void name(const void *from, void *to, int64_t n, int64_t width, int64_t step) {           \
    const type *x = from;                                                                          \
    type *y = to;                                                                                  \
    sum_type sums[WIDTH];                                                                          \
    if (width == 1) {                                                                              \
      name##_column(x, y, n, step);                                                                \
      return;                                                                                      \
    }                                                                                              \
    for (int64_t w = 0; w < width; w++) {                                                          \
      y[w] = x[w];                                                                                 \
      sums[w] = (sum_type)LOAD(x[w]);                                                              \
    }                                                                                              \
    for (int64_t i = 1; i < n; i++) {                                                              \
      x += step;                                                                                   \
      y += step;                                                                                   \
      for (int64_t w = 0; w < width; w++) {                                                        \
        sums[w] = OP(sums[w], (sum_type)LOAD(x[w]));                                               \
        y[w] = (type)STORE(sums[w]);                                                               \
      }                                                                                            \
    }                                                                                              \
  }

#define SCANS(name, type, sum_type, LOAD, STORE, SUM, PRODUCT, MAX, MIN)                           \
  SCAN(name##_sum, type, sum_type, LOAD, STORE, SUM)                                               \
  SCAN(name##_product, type, sum_type, LOAD, STORE, PRODUCT)                                       \
  SCAN(name##_maximum, type, sum_type, LOAD, STORE, MAX)                                           \
  SCAN(name##_minimum, type, sum_type, LOAD, STORE, MIN)

SCANS(scan_bool, uint8_t, uint8_t, AS_IS, AS_IS, OR, AND, OR, AND)
SCANS(scan_i8, int8_t, int64_t, AS_IS, AS_IS, ADD_WRAP, MULTIPLY_WRAP, MAXIMUM, MINIMUM)
SCANS(scan_i16, int16_t, int64_t, AS_IS, AS_IS, ADD_WRAP, MULTIPLY_WRAP, MAXIMUM, MINIMUM)
SCANS(scan_i32, int32_t, int64_t, AS_IS, AS_IS, ADD_WRAP, MULTIPLY_WRAP, MAXIMUM, MINIMUM)
SCANS(scan_i64, int64_t, int64_t, AS_IS, AS_IS, ADD_WRAP, MULTIPLY_WRAP, MAXIMUM, MINIMUM)
SCANS(scan_u8, uint8_t, uint64_t, AS_IS, AS_IS, ADD, MULTIPLY, MAXIMUM, MINIMUM)
SCANS(scan_u16, uint16_t, uint64_t, AS_IS, AS_IS, ADD, MULTIPLY, MAXIMUM, MINIMUM)
SCANS(scan_u32, uint32_t, uint64_t, AS_IS, AS_IS, ADD, MULTIPLY, MAXIMUM, MINIMUM)
SCANS(scan_u64, uint64_t, uint64_t, AS_IS, AS_IS, ADD, MULTIPLY, MAXIMUM, MINIMUM)
SCANS(scan_f16, half, float, load_half, store_half, ADD, MULTIPLY, MAXIMUM_F, MINIMUM_F)
SCANS(scan_bf16, uint16_t, float, load_bf16, store_bf16, ADD, MULTIPLY, MAXIMUM_F, MINIMUM_F)
/* A sum of f32 runs in double: its error does not grow with its length. */
SCAN(scan_f32_sum, float, double, AS_IS, AS_IS, ADD)
SCAN(scan_f32_product, float, float, AS_IS, AS_IS, MULTIPLY)
SCAN(scan_f32_maximum, float, float, AS_IS, AS_IS, MAXIMUM_F)
SCAN(scan_f32_minimum, float, float, AS_IS, AS_IS, MINIMUM_F)
SCANS(scan_f64, double, double, AS_IS, AS_IS, ADD, MULTIPLY, MAXIMUM_F, MINIMUM_F)

typedef void scan_fn(const void *from, void *to, int64_t n, int64_t width, int64_t step);

/* By dtype, in the order of dtype.def, and op. */
#define ROW(name, bytes)                                                                           \
  {                                                                                                \
    bytes, {                                                                                       \
      name##_sum, name##_product, name##_maximum, name##_minimum                                   \
    }                                                                                              \
  }
static const struct {
  int64_t bytes;
  scan_fn *by_op[4];
} scans[] = {
    ROW(scan_bool, 1), ROW(scan_i8, 1),  ROW(scan_i16, 2), ROW(scan_i32, 4), ROW(scan_i64, 8),
    ROW(scan_u8, 1),   ROW(scan_u16, 2), ROW(scan_u32, 4), ROW(scan_u64, 8), ROW(scan_f16, 2),
    ROW(scan_bf16, 2), ROW(scan_f32, 4), ROW(scan_f64, 8),
};

static void cumulative_block(const cumulative *c, int64_t block) {
  int64_t per_slice = blocks_per_slice(c), bytes = scans[c->dtype].bytes;
  int64_t column = block % per_slice * WIDTH, left = c->inner - column;
  int64_t first_row = c->reverse ? c->n - 1 : 0;
  int64_t at = ((block / per_slice * c->n + first_row) * c->inner + column) * bytes;
  scans[c->dtype].by_op[c->op]((const char *)c->x + at, (char *)c->y + at, c->n,
                               left < WIDTH ? left : WIDTH, c->reverse ? -c->inner : c->inner);
}

static void cumulative_run(void **bufs, int64_t lo, int64_t hi) {
  for (int64_t block = lo; block < hi; block++)
    cumulative_block(bufs[0], block);
}

void sec_rt_cumulative(void **bufs, const int64_t *meta) {
  cumulative c = {.dtype = (int)meta[0],
                  .op = (int)meta[1],
                  .outer = meta[2],
                  .n = meta[3],
                  .inner = meta[4],
                  .reverse = meta[5] != 0,
                  .x = bufs[0],
                  .y = bufs[1]};
  if (c.outer <= 0 || c.n <= 0 || c.inner <= 0)
    return;
  int64_t width = c.inner < WIDTH ? c.inner : WIDTH;
  int64_t grain = 1 + 65536 / (c.n * width); /* elements that are worth a thread's while */
  sec_parallel(cumulative_run, (void *[]){&c}, c.outer * blocks_per_slice(&c), grain);
}

/* ---- the table ----------------------------------------------------------------------------- */

#define FUNCTION(name)                                                                             \
  { #name, name }
static const struct {
  const char *name;
  sec_runtime_fn *function;
} functions[] = {
    FUNCTION(sec_rt_dot), FUNCTION(sec_rt_cholesky),   FUNCTION(sec_rt_triangular_solve),
    FUNCTION(sec_rt_lu), FUNCTION(sec_rt_cumulative), FUNCTION(sec_rt_fft), FUNCTION(sec_rt_copy),
    FUNCTION(sec_rt_gather), FUNCTION(sec_rt_scatter), FUNCTION(sec_rt_scatter_add), FUNCTION(sec_rt_scatter_mul),
    FUNCTION(sec_rt_scatter_min), FUNCTION(sec_rt_scatter_max), FUNCTION(sec_rt_argreduce), FUNCTION(sec_rt_transpose),
    FUNCTION(sec_rt_conv),
    FUNCTION(sec_rt_sort), FUNCTION(sec_rt_top_k), FUNCTION(sec_rt_reduce_f32), FUNCTION(sec_rt_reduce_f64),
    FUNCTION(sec_rt_host_call),
#define SPECIAL(name, n_in, narrow) FUNCTION(sec_rt_##name),
    SEC_SPECIAL_FUNCTIONS(SPECIAL)
#undef SPECIAL
    FUNCTION(sec_rt_geqrf), FUNCTION(sec_rt_householder_product), FUNCTION(sec_rt_ormqr), FUNCTION(sec_rt_qr),
    FUNCTION(sec_rt_hessenberg), FUNCTION(sec_rt_tridiagonal), FUNCTION(sec_rt_eigh), FUNCTION(sec_rt_svd),
    FUNCTION(sec_rt_schur), FUNCTION(sec_rt_tridiagonal_solve), FUNCTION(sec_rt_cholesky_update), FUNCTION(sec_rt_pinv), FUNCTION(sec_rt_eig),
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

static pthread_once_t symbols_once = PTHREAD_ONCE_INIT;
static sec_compiler_symbol symbols[N_FUNCTIONS + 8];
static size_t n_symbols;

/* C has no constant conversion of a function's address to a data pointer; POSIX makes them alike.
 */
static void symbol_add(const char *name, const void *function_at) {
  symbols[n_symbols].name = name;
  memcpy(&symbols[n_symbols++].address, function_at, sizeof symbols->address);
}

static void symbols_fill(void) {
  size_t n_conversions;
  const sec_rt_conversion *conversions = sec_rt_conversions(&n_conversions);
  for (size_t i = 0; i < N_FUNCTIONS; i++)
    symbol_add(functions[i].name, &functions[i].function);
  for (size_t i = 0; i < n_conversions && n_symbols < sizeof symbols / sizeof *symbols; i++)
    symbol_add(conversions[i].name, &conversions[i].function);
}

const sec_compiler_symbol *sec_runtime_symbols(size_t *n) {
  pthread_once(&symbols_once, symbols_fill);
  *n = n_symbols;
  return symbols;
}

sec_runtime_fn *sec_runtime_lookup(const char *name) {
  for (size_t i = 0; i < N_FUNCTIONS; i++)
    if (strcmp(functions[i].name, name) == 0)
      return functions[i].function;
  return NULL;
}
