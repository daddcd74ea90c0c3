/* The BLAS library and dot.  Invariant: the library computes on one thread at a time per call;
 * threads are ours, each with a part of the result. */
#include "../pool.h"
#include "runtime.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- loading ------------------------------------------------------------------------------- */

static const float one_f32 = 1;
static const double one_f64 = 1;
const void *const sec_blas_one[2] = {&one_f32, &one_f64};

static pthread_once_t blas_once = PTHREAD_ONCE_INIT;
static sec_blas blas;

/* The address of `prefix``name` in `library`, as the function pointer at `out`. */
static void function_find(void *library, const char *prefix, const char *name, void *out) {
  char symbol[32];
  snprintf(symbol, sizeof symbol, "%s%s", prefix, name);
  void *address = dlsym(library, symbol);
  memcpy(out, &address, sizeof address);
}

static void blas_find(void *library) {
  static const char *const prefix[2] = {"s", "d"};
  for (int kind = 0; kind < 2; kind++) {
    function_find(library, prefix[kind], "gemm_", &blas.gemm[kind]);
    function_find(library, prefix[kind], "gemv_", &blas.gemv[kind]);
    function_find(library, prefix[kind], "trsm_", &blas.trsm[kind]);
  }
}

static void lapack_find(void *library) {
  static const char *const prefix[2] = {"s", "d"}, *const complex_prefix[2] = {"c", "z"};
  for (int kind = 0; kind < 2; kind++) {
    function_find(library, prefix[kind], "potrf_", &blas.potrf[kind]);
    function_find(library, prefix[kind], "getrf_", &blas.getrf[kind]);
    function_find(library, prefix[kind], "geqrf_", &blas.geqrf[kind]);
    function_find(library, prefix[kind], "geqp3_", &blas.geqp3[kind]);
    function_find(library, prefix[kind], "orgqr_", &blas.orgqr[kind]);
    function_find(library, prefix[kind], "ormqr_", &blas.ormqr[kind]);
    function_find(library, prefix[kind], "gehrd_", &blas.gehrd[kind]);
    function_find(library, prefix[kind], "sytrd_", &blas.sytrd[kind]);
    function_find(library, prefix[kind], "syevd_", &blas.syevd[kind]);
    function_find(library, prefix[kind], "gesdd_", &blas.gesdd[kind]);
    function_find(library, prefix[kind], "gees_", &blas.gees[kind]);
    function_find(library, prefix[kind], "geev_", &blas.geev[kind]);
    function_find(library, complex_prefix[kind], "geev_", &blas.geev_complex[kind]);
  }
}

static bool has_avx512(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

/* Sets a variable unless the user did; says whether it did. */
static bool environment_set(const char *name, const char *value) {
  return !getenv(name) && setenv(name, value, 1) == 0;
}

/* Opens a library that may be OpenBLAS under another name, and makes it leave threads to us. */
static void *library_open(const char *name) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  void (*set_num_threads)(int) = NULL;
  if (library)
    function_find(library, "openblas", "_set_num_threads", &set_num_threads);
  if (set_num_threads)
    set_num_threads(1);
  return library;
}

static void libraries_open(void) {
  void *library = library_open("libopenblas.so.0");
  if (library) {
    blas.library = "openblas";
    blas_find(library);
    lapack_find(library);
    return;
  }
  library = library_open("libblas.so.3");
  if (library) {
    blas.library = "blas";
    blas_find(library);
  }
  library = library_open("liblapack.so.3");
  if (library)
    lapack_find(library);
}

/* OpenBLAS reads the environment when it is loaded.  Versions before a processor take it for an
 * older one: 0.3.21 runs AVX2 code at half speed on AMD processors with AVX-512. */
static void blas_load(void) {
  bool set_type = has_avx512() && environment_set("OPENBLAS_CORETYPE", "SkylakeX");
  bool set_threads = environment_set("OPENBLAS_NUM_THREADS", "1");
  libraries_open();
  if (set_type)
    unsetenv("OPENBLAS_CORETYPE");
  if (set_threads)
    unsetenv("OPENBLAS_NUM_THREADS");
}

const sec_blas *sec_blas_get(void) {
  pthread_once(&blas_once, blas_load);
  return &blas;
}

/* ---- dot: the problem ---------------------------------------------------------------------- */

typedef struct dot {
  sec_rt_kind kind;
  int64_t batch, m, n, k;
  int64_t a_batch, a_m, a_k, b_batch, b_k, b_n; /* strides */
  const char *a, *b;
  char *c;
  int64_t c_m;  /* the stride of c's rows */
  bool by_rows; /* when parallel: parts are rows of c, else columns */
} dot;

static const int64_t kind_bytes[] = {4, 8, 4, 8, 4, 8, 1, 1};

/* Products below which a loop stays on one thread: a few microseconds of work. */
static const double parallel_products = 1e6;

static double dot_products(const dot *d) {
  return (double)d->m * (double)d->n * (double)d->k;
}

/* Matrix `i` of the batch. */
static dot dot_matrix(const dot *d, int64_t i) {
  dot part = *d;
  int64_t bytes = kind_bytes[d->kind];
  part.batch = 1;
  part.a += i * d->a_batch * bytes;
  part.b += i * d->b_batch * bytes;
  part.c += i * d->m * d->n * bytes;
  return part;
}

/* Rows or columns [lo, hi) of the result. */
static dot dot_part(const dot *d, int64_t lo, int64_t hi) {
  dot part = *d;
  int64_t bytes = kind_bytes[d->kind];
  if (d->by_rows) {
    part.m = hi - lo;
    part.a += lo * d->a_m * bytes;
    part.c += lo * d->c_m * bytes;
  } else {
    part.n = hi - lo;
    part.b += lo * d->b_n * bytes;
    part.c += lo * bytes;
  }
  return part;
}

static void dot_clear(const dot *d) {
  for (int64_t i = 0; i < d->m; i++)
    memset(d->c + i * d->c_m * kind_bytes[d->kind], 0, (size_t)(d->n * kind_bytes[d->kind]));
}

/* ---- dot by plain loops -------------------------------------------------------------------- */

enum { BLOCK_N = 1024, BLOCK_K = 64 };

static int64_t block_end(int64_t begin, int64_t block, int64_t n) {
  return n - begin < block ? n : begin + block;
}

#define ADD_PRODUCT(c, a, b) (c) + (a) * (b)
#define OR_AND(c, a, b) (c) | (((a) & (b)) != 0)

/* Adds a[0:m, l] b[l, j] for l in a block of k and j in a block of n: b's block stays in the cache.
 */
#define DOT_LOOPS(name, type, ACCUMULATE)                                                          \
  static void name##_block(const dot *d, int64_t k0, int64_t k1, int64_t n0, int64_t n1) {         \
    const type *a = (const type *)d->a, *b = (const type *)d->b;                                   \
    for (int64_t i = 0; i < d->m; i++) {                                                           \
      type *restrict c = (type *)d->c + i * d->c_m;                                                \
      for (int64_t l = k0; l < k1; l++) {                                                          \
        type x = a[i * d->a_m + l * d->a_k];                                                       \
        const type *row = b + l * d->b_k;                                                          \
        if (d->b_n == 1)                                                                           \
          for (int64_t j = n0; j < n1; j++)                                                        \
            c[j] = (type)(ACCUMULATE(c[j], x, row[j]));                                            \
        else                                                                                       \
          for (int64_t j = n0; j < n1; j++)                                                        \
            c[j] = (type)(ACCUMULATE(c[j], x, row[j * d->b_n]));                                   \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static void name(const dot *d) {                                                                 \
    for (int64_t n0 = 0; n0 < d->n; n0 += BLOCK_N)                                                 \
      for (int64_t k0 = 0; k0 < d->k; k0 += BLOCK_K)                                               \
        name##_block(d, k0, block_end(k0, BLOCK_K, d->k), n0, block_end(n0, BLOCK_N, d->n));       \
  }

DOT_LOOPS(loops_f32, float, ADD_PRODUCT)
DOT_LOOPS(loops_f64, double, ADD_PRODUCT)
DOT_LOOPS(loops_u32, uint32_t, ADD_PRODUCT)
DOT_LOOPS(loops_u64, uint64_t, ADD_PRODUCT)
DOT_LOOPS(loops_u8, uint8_t, ADD_PRODUCT)
DOT_LOOPS(loops_bool, uint8_t, OR_AND)

/* By kind: signed integers wrap as the unsigned ones do. */
static void (*const loops[])(const dot *) = {loops_f32, loops_f64, loops_u32, loops_u64,
                                             loops_u32, loops_u64, loops_u8,  loops_bool};

static void dot_by_loops(const dot *d) {
  dot_clear(d);
  loops[d->kind](d);
}

/* ---- dot by BLAS --------------------------------------------------------------------------- */

/* A matrix as BLAS wants it: elements of a row, or of a column, are neighbours. */
typedef struct operand {
  const char *data;
  bool by_rows;
  int64_t ld; /* distance of rows, or of columns */
  void *copy; /* if the strides are none of BLAS's: from the pool, else NULL */
  size_t bytes;
} operand;

/* Copies a matrix of any strides, by rows; false if there is no memory. */
static bool operand_copy(operand *o, int64_t rows, int64_t columns, int64_t row_stride,
                         int64_t column_stride, int64_t element) {
  o->bytes = (size_t)(rows * columns * element);
  o->copy = sec_pool_alloc(o->bytes);
  if (!o->copy)
    return false;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++)
      memcpy((char *)o->copy + (i * columns + j) * element,
             o->data + (i * row_stride + j * column_stride) * element, (size_t)element);
  o->data = o->copy;
  o->by_rows = true;
  o->ld = columns;
  return true;
}

static bool operand_open(operand *o, const char *data, int64_t rows, int64_t columns,
                         int64_t row_stride, int64_t column_stride, int64_t element) {
  *o = (operand){.data = data, .by_rows = true};
  if ((columns == 1 || column_stride == 1) && (rows == 1 || row_stride >= columns)) {
    o->ld = rows == 1 ? columns : row_stride;
  } else if ((rows == 1 || row_stride == 1) && (columns == 1 || column_stride >= rows)) {
    o->by_rows = false;
    o->ld = columns == 1 ? rows : column_stride;
  } else {
    return operand_copy(o, rows, columns, row_stride, column_stride, element);
  }
  return o->ld <= INT_MAX;
}

static void operand_close(const operand *o) {
  sec_pool_free(o->copy, o->bytes);
}

/* c = a b by rows is c^T = b^T a^T by columns, and what is stored by rows is transposed already. */
static void gemm_call(const dot *d, const operand *a, const operand *b) {
  int m = (int)d->m, n = (int)d->n, k = (int)d->k;
  int lda = (int)a->ld, ldb = (int)b->ld, ldc = (int)d->c_m;
  static const double zero = 0; /* of either kind */
  sec_blas_get()->gemm[d->kind](b->by_rows ? "N" : "T", a->by_rows ? "N" : "T", &n, &m, &k,
                                sec_blas_one[d->kind], b->data, &ldb, a->data, &lda, &zero, d->c,
                                &ldc, 1, 1);
}

/* y[i] = sum over l of matrix[i,l] x[l].  Adds to zeros: what beta = 0 does to a NaN in y differs.
 */
static void gemv_call(sec_rt_kind kind, const operand *matrix, int64_t rows, int64_t columns,
                      const char *x, int64_t x_stride, char *y) {
  memset(y, 0, (size_t)(rows * kind_bytes[kind]));
  int m = (int)(matrix->by_rows ? columns : rows), n = (int)(matrix->by_rows ? rows : columns);
  int ld = (int)matrix->ld, incx = (int)x_stride, incy = 1;
  const void *one = sec_blas_one[kind];
  sec_blas_get()->gemv[kind](matrix->by_rows ? "T" : "N", &m, &n, one, matrix->data, &ld, x, &incx,
                             one, y, &incy, 1);
}

static bool fits_int(int64_t x) {
  return x > 0 && x <= INT_MAX;
}

/* A result of one column or row; false if BLAS cannot do it. */
static bool dot_by_gemv(const dot *d) {
  bool column = d->n == 1;
  if (column ? d->m > 1 && d->c_m != 1 : d->m != 1)
    return false;
  int64_t rows = column ? d->m : d->n;
  int64_t x_stride = d->k == 1 ? 1 : column ? d->b_k : d->a_k;
  operand matrix;
  if (!fits_int(x_stride))
    return false;
  bool opened = operand_open(&matrix, column ? d->a : d->b, rows, d->k, column ? d->a_m : d->b_n,
                             column ? d->a_k : d->b_k, kind_bytes[d->kind]);
  if (opened)
    gemv_call(d->kind, &matrix, rows, d->k, column ? d->b : d->a, x_stride, d->c);
  operand_close(&matrix);
  return opened;
}

static bool dot_by_gemm(const dot *d) {
  int64_t element = kind_bytes[d->kind];
  operand a, b;
  bool opened_a = operand_open(&a, d->a, d->m, d->k, d->a_m, d->a_k, element);
  bool opened_b = operand_open(&b, d->b, d->k, d->n, d->b_k, d->b_n, element);
  if (opened_a && opened_b)
    gemm_call(d, &a, &b);
  operand_close(&a);
  operand_close(&b);
  return opened_a && opened_b;
}

static bool dot_by_blas(const dot *d) {
  if (d->kind > SEC_RT_F64 || !fits_int(d->m) || !fits_int(d->n) || !fits_int(d->k) ||
      !fits_int(d->c_m))
    return false;
  const sec_blas *library = sec_blas_get();
  if ((d->m == 1 || d->n == 1) && library->gemv[d->kind] && dot_by_gemv(d))
    return true;
  return library->gemm[d->kind] && dot_by_gemm(d);
}

/* ---- dot in parallel ----------------------------------------------------------------------- */

static void dot_one(const dot *d) {
  if (!dot_by_blas(d))
    dot_by_loops(d);
}

static void dot_run_matrices(void **bufs, int64_t lo, int64_t hi) {
  for (int64_t i = lo; i < hi; i++) {
    dot part = dot_matrix(bufs[0], i);
    dot_one(&part);
  }
}

static void dot_run_part(void **bufs, int64_t lo, int64_t hi) {
  const dot *d = bufs[0];
  int64_t threads = sec_threads_count(), extent = d->by_rows ? d->m : d->n;
  int64_t begin = extent * lo / threads, end = extent * hi / threads;
  dot part = dot_part(d, begin, end);
  if (begin < end)
    dot_one(&part);
}

/* One part of the result for each thread: smaller ones would pack the operands more often. */
static void dot_split(dot *d) {
  if (dot_products(d) < parallel_products || sec_threads_count() == 1) {
    dot_one(d);
    return;
  }
  d->by_rows = d->m >= d->n;
  void *bufs[] = {d};
  sec_parallel(dot_run_part, bufs, sec_threads_count(), 1);
}

/* Matrices that share b and follow each other in a are one matrix with more rows. */
static void dot_merge(dot *d) {
  if (d->m == 1)
    d->a_m = d->a_batch;
  if (d->batch > 1 && d->b_batch == 0 && d->a_batch == d->m * d->a_m) {
    d->m *= d->batch;
    d->batch = 1;
  }
}

static void dot_run(dot *d) {
  dot_merge(d);
  if (d->batch >= sec_threads_count() && d->batch > 1) {
    void *bufs[] = {d};
    double matrices = parallel_products / 8 / (dot_products(d) + 1);
    sec_parallel(dot_run_matrices, bufs, d->batch, 1 + (int64_t)matrices);
    return;
  }
  for (int64_t i = 0; i < d->batch; i++) {
    dot part = dot_matrix(d, i);
    dot_split(&part);
  }
}

void sec_rt_dot(void **bufs, const int64_t *meta) {
  dot d = {.kind = (sec_rt_kind)meta[0],
           .batch = meta[1],
           .m = meta[2],
           .n = meta[3],
           .k = meta[4],
           .a_batch = meta[5],
           .a_m = meta[6],
           .a_k = meta[7],
           .b_batch = meta[8],
           .b_k = meta[9],
           .b_n = meta[10],
           .a = bufs[0],
           .b = bufs[1],
           .c = bufs[2],
           .c_m = meta[3]};
  if (d.batch > 0 && d.m > 0 && d.n > 0)
    dot_run(&d);
}
