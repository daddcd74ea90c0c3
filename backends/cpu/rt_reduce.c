/* argmax and argmin at run time, called by generated code.
 * bufs: operand [outer, n, inner], result [outer, inner].
 * meta: dtype, index dtype, 1 for argmin, outer, n, inner.
 * The first NaN wins, else the first extremum. */
#include "../threads.h"
#include <secant/dtype.h>
#include <string.h>

#define BLOCK 256 /* columns scanned together when inner > 1 */

/* One lane of n elements, inner apart, and BLOCK lanes side by side.  `BEFORE(v, b)`: v is strictly
 * better. */
#define ARG_LOOPS(name, type, BEFORE)                                                              \
  static void name##_lane(const type *x, int64_t n, int64_t *at) {                                 \
    enum { LANES = 16 };                                                                           \
    type best = x[0];                                                                              \
    int64_t i = 0;                                                                                 \
    if (n >= 2 * LANES) {                                                                          \
      type m[LANES], nans[LANES] = {0}, rest;                                                      \
      int unordered = 0;                                                                           \
      memcpy(m, x, sizeof m);                                                                      \
      for (int l = 0; l < LANES; l++) nans[l] = x[l] != x[l];                                      \
      for (i = LANES; i + LANES <= n; i += LANES)                                                  \
        for (int l = 0; l < LANES; l++) {                                                          \
          type v = x[i + l];                                                                       \
          m[l] = BEFORE(v, m[l]) ? v : m[l];                                                       \
          nans[l] = v != v ? 1 : nans[l];                                                          \
        }                                                                                          \
      for (int l = 0; l < LANES; l++) {                                                            \
        best = BEFORE(m[l], best) ? m[l] : best;                                                   \
        unordered |= nans[l] != 0;                                                                 \
      }                                                                                            \
      for (; i < n; i++) {                                                                         \
        rest = x[i];                                                                               \
        best = BEFORE(rest, best) ? rest : best;                                                   \
        unordered |= rest != rest;                                                                 \
      }                                                                                            \
      i = 0;                                                                                       \
      if (unordered)                                                                               \
        while (x[i] == x[i]) i++;                                                                  \
      else                                                                                         \
        while (x[i] != best) i++;                                                                  \
      *at = i;                                                                                     \
      return;                                                                                      \
    }                                                                                              \
    *at = 0;                                                                                       \
    for (i = 1; i < n && best == best; i++)                                                        \
      if (BEFORE(x[i], best) || x[i] != x[i]) {                                                    \
        best = x[i];                                                                               \
        *at = i;                                                                                   \
      }                                                                                            \
  }                                                                                                \
  static void name##_block(const type *x, int64_t n, int64_t inner, int count, int64_t *at) {      \
    type best[BLOCK];                                                                              \
    for (int j = 0; j < count; j++) {                                                              \
      best[j] = x[j];                                                                              \
      at[j] = 0;                                                                                   \
    }                                                                                              \
    for (int64_t i = 1; i < n; i++) {                                                              \
      const type *row = x + i * inner;                                                             \
      for (int j = 0; j < count; j++) {                                                            \
        type v = row[j], b = best[j];                                                              \
        int better = BEFORE(v, b) | ((v != v) & (b == b));                                         \
        best[j] = better ? v : b;                                                                  \
        at[j] = better ? i : at[j];                                                                \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  static void name(const void *x, int64_t n, int64_t inner, int count, int64_t *at) {              \
    if (inner == 1) name##_lane(x, n, at);                                                         \
    else name##_block(x, n, inner, count, at);                                                     \
  }

#define GREATER(a, b) ((a) > (b))
#define LESS(a, b) ((a) < (b))
#define ARG_BOTH(name, type)                                                                       \
  ARG_LOOPS(max_##name, type, GREATER)                                                             \
  ARG_LOOPS(min_##name, type, LESS)

ARG_BOTH(i8, int8_t)
ARG_BOTH(i16, int16_t)
ARG_BOTH(i32, int32_t)
ARG_BOTH(i64, int64_t)
ARG_BOTH(u8, uint8_t)
ARG_BOTH(u16, uint16_t)
ARG_BOTH(u32, uint32_t)
ARG_BOTH(u64, uint64_t)
ARG_BOTH(f32, float)
ARG_BOTH(f64, double)

/* 16-bit floats as integers in their order; NaN of either sign is INT32_MAX, -0 is 0. */
static int32_t half_key(uint16_t bits, uint16_t infinity) {
  int32_t magnitude = bits & 0x7fff;
  return magnitude > infinity ? INT32_MAX : bits & 0x8000 ? -magnitude : magnitude;
}

static void half_lanes(const uint16_t *x, int64_t n, int64_t inner, int count, bool least,
                       uint16_t infinity, int64_t *at) {
  for (int j = 0; j < count; j++) {
    int32_t best = half_key(x[j], infinity);
    at[j] = 0;
    for (int64_t i = 1; i < n && best != INT32_MAX; i++) {
      int32_t v = half_key(x[i * inner + j], infinity);
      if (v != INT32_MAX && !(least ? v < best : v > best)) continue;
      best = v;
      at[j] = i;
    }
  }
}

static void max_f16(const void *x, int64_t n, int64_t inner, int count, int64_t *at) {
  half_lanes(x, n, inner, count, false, 0x7c00, at);
}
static void min_f16(const void *x, int64_t n, int64_t inner, int count, int64_t *at) {
  half_lanes(x, n, inner, count, true, 0x7c00, at);
}
static void max_bf16(const void *x, int64_t n, int64_t inner, int count, int64_t *at) {
  half_lanes(x, n, inner, count, false, 0x7f80, at);
}
static void min_bf16(const void *x, int64_t n, int64_t inner, int count, int64_t *at) {
  half_lanes(x, n, inner, count, true, 0x7f80, at);
}

typedef void (*arg_loop)(const void *x, int64_t n, int64_t inner, int count, int64_t *at);

static const arg_loop loops[SEC_N_DTYPES][2] = {
    [SEC_BOOL] = {max_u8, min_u8},     [SEC_I8] = {max_i8, min_i8},
    [SEC_I16] = {max_i16, min_i16},    [SEC_I32] = {max_i32, min_i32},
    [SEC_I64] = {max_i64, min_i64},    [SEC_U8] = {max_u8, min_u8},
    [SEC_U16] = {max_u16, min_u16},    [SEC_U32] = {max_u32, min_u32},
    [SEC_U64] = {max_u64, min_u64},    [SEC_F16] = {max_f16, min_f16},
    [SEC_BF16] = {max_bf16, min_bf16}, [SEC_F32] = {max_f32, min_f32},
    [SEC_F64] = {max_f64, min_f64}};

static size_t element_size(int64_t dtype) {
  static const unsigned char sizes[] = {
#define SEC_DTYPE(name, NAME, ctype, size, kind, bits, mlir, numpy) size,
#include <secant/dtype.def>
#undef SEC_DTYPE
  };
  return sizes[dtype];
}

/* The low bytes of each index; the machine is little-endian. */
static void put_indices(char *to, size_t size, const int64_t *at, int count) {
  for (int j = 0; j < count; j++) memcpy(to + (size_t)j * size, &at[j], size);
}

typedef struct job {
  arg_loop loop;
  size_t size, index_size;
  int64_t n, inner, blocks; /* blocks of columns in each of the outer slices */
  const char *x;
  char *y;
} job;

static void argreduce_run(void **bufs, int64_t lo, int64_t hi) {
  const job *r = bufs[0];
  int64_t at[BLOCK];
  for (int64_t i = lo; i < hi; i++) {
    int64_t o = i / r->blocks, j = i % r->blocks * BLOCK;
    int count = (int)(r->inner - j < BLOCK ? r->inner - j : BLOCK);
    r->loop(r->x + (size_t)(o * r->n * r->inner + j) * r->size, r->n, r->inner, count, at);
    put_indices(r->y + (size_t)(o * r->inner + j) * r->index_size, r->index_size, at, count);
  }
}

void sec_rt_argreduce(void **bufs, const int64_t *meta);
void sec_rt_argreduce(void **bufs, const int64_t *meta) {
  int64_t outer = meta[3], n = meta[4], inner = meta[5], width = inner < BLOCK ? inner : BLOCK;
  if (outer <= 0 || inner <= 0) return;
  job r = {loops[meta[0]][meta[2]],
           element_size(meta[0]),
           element_size(meta[1]),
           n,
           inner,
           (inner - 1) / BLOCK + 1,
           bufs[0],
           bufs[1]};
  int64_t grain = 1 + 32768 / (n * width); /* elements that are worth a thread's while */
  sec_parallel(argreduce_run, (void *[]){&r}, outer * r.blocks, grain);
}
