/* Factorisations of batches of matrices: each by LAPACK where a library has the function, else by core/dense_*.c in
 * double.  Matrices are split over the threads; a part of the batch takes its work space once.
 *
 * LAPACK works by columns: matrices are transposed on the way in and out, so that signs are those that it gives for
 * the matrix itself. */
#include "dense.h"
#include "factor.h"

#include "../pool.h"

#include <secant/status.h>

#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

static const size_t kind_bytes[2] = {4, 8};

/* ---- one call ---- */
typedef struct call {
  const sec_factor *f;
  const int64_t *meta;
  char **bufs;
  sec_rt_kind kind;
  int64_t sizes[SEC_DENSE_BUFFERS], dense_work;
  sec_factor_work work; /* of the library */
  bool by_library;
  atomic_bool no_memory;
} call;

static size_t element(const call *c, int buffer) {
  return c->f->dense->integers >> buffer & 1 ? sizeof(int32_t) : kind_bytes[c->kind];
}

/* Buffer `i` of matrix `matrix`. */
static char *buffer_at(const call *c, int i, int64_t matrix) {
  return c->bufs[i] + (size_t)(matrix * c->sizes[i]) * element(c, i);
}

static void fill_nan(sec_rt_kind kind, void *x, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (kind == SEC_RT_F32) ((float *)x)[i] = (float)NAN;
    else ((double *)x)[i] = NAN;
}

static int n_buffers(const call *c) { return c->f->dense->n_in + c->f->dense->n_out; }

static void spoil(const call *c, int64_t matrix) {
  for (int i = c->f->dense->n_in; i < n_buffers(c); i++)
    if (!(c->f->dense->integers >> i & 1)) fill_nan(c->kind, buffer_at(c, i, matrix), c->sizes[i]);
}

/* ---- by the library ---- */
static void library_matrix(const call *c, int64_t matrix, char *memory) {
  void *bufs[SEC_DENSE_BUFFERS];
  for (int i = 0; i < n_buffers(c); i++) bufs[i] = buffer_at(c, i, matrix);
  if (!c->f->run(c->kind, c->meta, bufs, &c->work, memory)) spoil(c, matrix);
}

/* ---- by the loops in double ---- */
static void dense_load(const call *c, int i, int64_t matrix, double *to) {
  const void *from = buffer_at(c, i, matrix);
  for (int64_t k = 0; k < c->sizes[i]; k++) to[k] = c->kind == SEC_RT_F32 ? ((const float *)from)[k] : ((const double *)from)[k];
}
static void dense_store(const call *c, int i, int64_t matrix, const double *from) {
  void *to = buffer_at(c, i, matrix);
  for (int64_t k = 0; k < c->sizes[i]; k++)
    if (c->f->dense->integers >> i & 1) ((int32_t *)to)[k] = (int32_t)from[k];
    else if (c->kind == SEC_RT_F32) ((float *)to)[k] = (float)from[k];
    else ((double *)to)[k] = from[k];
}

static void dense_matrix(const call *c, int64_t matrix, double *memory) {
  double *bufs[SEC_DENSE_BUFFERS], *next = memory + c->dense_work;
  for (int i = 0; i < n_buffers(c); i++) {
    bufs[i] = next;
    next += c->sizes[i];
  }
  for (int i = 0; i < c->f->dense->n_in; i++) dense_load(c, i, matrix, bufs[i]);
  bool ok = c->f->dense->run(c->meta, bufs, memory);
  for (int i = c->f->dense->n_in; i < n_buffers(c); i++) dense_store(c, i, matrix, bufs[i]);
  if (!ok) spoil(c, matrix);
}

static size_t memory_of(const call *c) {
  int64_t doubles = c->dense_work;
  if (c->by_library) return c->work.bytes;
  for (int i = 0; i < n_buffers(c); i++) doubles += c->sizes[i];
  return (size_t)doubles * sizeof(double);
}

static void run_part(void **bufs, int64_t lo, int64_t hi) {
  call *c = (call *)bufs[0];
  void *memory = sec_pool_alloc(memory_of(c));
  if (!memory) atomic_store(&c->no_memory, true);
  for (int64_t i = lo; memory && i < hi; i++) {
    if (c->by_library) library_matrix(c, i, memory);
    else dense_matrix(c, i, memory);
  }
  sec_pool_free(memory, memory_of(c));
}

/* LAPACK counts in int. */
static bool fits_library(const call *c) {
  bool fits = true;
  for (int i = 0; i < n_buffers(c); i++) fits &= c->sizes[i] <= INT_MAX;
  return fits;
}

void sec_factor_run(const sec_factor *f, void **bufs, const int64_t *meta) {
  call c = {.f = f, .meta = meta, .bufs = (char **)bufs, .kind = (sec_rt_kind)meta[0]};
  f->dense->sizes(meta, c.sizes, &c.dense_work);
  int64_t largest = 0;
  for (int i = 0; i < n_buffers(&c); i++) largest = c.sizes[i] > largest ? c.sizes[i] : largest;
  if (meta[1] == 0) return;
  bool empty = f->dense->n_in > 0 && c.sizes[0] == 0;
  c.by_library = f->prepare && !empty && fits_library(&c) && f->prepare(c.kind, meta, &c.work);
  double operations = pow((double)largest, 1.5) * 8;
  sec_parallel(run_part, (void *[]){&c}, meta[1], 1 + (int64_t)(1e5 / (operations + 1)));
  if (atomic_load(&c.no_memory)) {
    sec_status *status = bufs[n_buffers(&c)];
    *status = sec_error_set(SEC_MEMORY, "free arrays that are no longer needed",
                            "out of memory: no room for the work of a factorisation");
  }
}

/* ---- transposed copies ---- */
#define TRANSPOSE(name, type)                                                                      \
  static void name(const type *from, int64_t from_row, type *to, int64_t to_row, int64_t rows,     \
                   int64_t columns) {                                                              \
    enum { TILE = 32 };                                                                            \
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)                                                    \
      for (int64_t j0 = 0; j0 < columns; j0 += TILE)                                               \
        for (int64_t i = i0; i < i0 + TILE && i < rows; i++)                                       \
          for (int64_t j = j0; j < j0 + TILE && j < columns; j++)                                  \
            to[j * to_row + i] = from[i * from_row + j];                                           \
  }
TRANSPOSE(transpose_f32, float)
TRANSPOSE(transpose_f64, double)

void sec_factor_transpose(sec_rt_kind kind, const void *from, int64_t from_row, void *to, int64_t to_row, int64_t rows,
                          int64_t columns) {
  if (kind == SEC_RT_F32) transpose_f32(from, from_row, to, to_row, rows, columns);
  else transpose_f64(from, from_row, to, to_row, rows, columns);
}
