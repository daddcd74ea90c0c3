/* Transposed copies: tiles that fit the cache, small blocks inside them that turn in registers. */
#include "runtime.h"
#include <secant/base.h>
#include <string.h>

enum { TILE = 32 };

/* Result rows [i0, i1) x columns [j0, j1) of a plane: out[i][j] = in[j][i], with the row strides given in elements. */
typedef void plane_fn(char *out, const char *in, int64_t out_stride, int64_t in_stride, int64_t rows, int64_t columns);

#define PLANE(name, type)                                                                                             \
  static void name(char *o, const char *x, int64_t os, int64_t is, int64_t rows, int64_t columns) {                   \
    type       *out = (type *)o;                                                                                      \
    const type *in = (const type *)x;                                                                                 \
    for (int64_t i = 0; i < rows; i++)                                                                                \
      for (int64_t j = 0; j < columns; j++) out[i * os + j] = in[j * is + i];                                         \
  }
PLANE(plane_1, uint8_t)
PLANE(plane_2, uint16_t)
PLANE(plane_8, uint64_t)

typedef uint32_t four __attribute__((vector_size(16), aligned(4)));

/* four by four elements of 4 bytes: two rounds of interleaving */
static void block_4(uint32_t *out, const uint32_t *in, int64_t os, int64_t is) {
  four a, b, c, d;
  memcpy(&a, in, 16), memcpy(&b, in + is, 16), memcpy(&c, in + 2 * is, 16), memcpy(&d, in + 3 * is, 16);
  four ab = __builtin_shuffle(a, b, (four){0, 4, 1, 5}), cd = __builtin_shuffle(c, d, (four){0, 4, 1, 5});
  four ef = __builtin_shuffle(a, b, (four){2, 6, 3, 7}), gh = __builtin_shuffle(c, d, (four){2, 6, 3, 7});
  four r[4] = {__builtin_shuffle(ab, cd, (four){0, 1, 4, 5}), __builtin_shuffle(ab, cd, (four){2, 3, 6, 7}),
               __builtin_shuffle(ef, gh, (four){0, 1, 4, 5}), __builtin_shuffle(ef, gh, (four){2, 3, 6, 7})};
  for (int k = 0; k < 4; k++) memcpy(out + k * os, &r[k], 16);
}

static void plane_4(char *o, const char *x, int64_t os, int64_t is, int64_t rows, int64_t columns) {
  uint32_t       *out = (uint32_t *)o;
  const uint32_t *in = (const uint32_t *)x;
  int64_t         whole_rows = rows & ~(int64_t)3, whole_columns = columns & ~(int64_t)3;
  for (int64_t i = 0; i < whole_rows; i += 4)
    for (int64_t j = 0; j < whole_columns; j += 4) block_4(out + i * os + j, in + j * is + i, os, is);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; j++) out[i * os + j] = in[j * is + i];
}

#if defined(__x86_64__)
/* With AVX-512 a block of whole cache lines turns in registers: rounds of zipping row i with row i + n/2. */
typedef uint32_t lanes_16 __attribute__((vector_size(64), aligned(4)));
typedef uint64_t lanes_8 __attribute__((vector_size(64), aligned(8)));

#define LOW_16 (lanes_16){0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23}
#define HIGH_16 (lanes_16){8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31}
#define LOW_8 (lanes_8){0, 8, 1, 9, 2, 10, 3, 11}
#define HIGH_8 (lanes_8){4, 12, 5, 13, 6, 14, 7, 15}

#define WIDE_PLANE(name, type, lanes, n, rounds, low, high, narrow)                                                   \
  __attribute__((target("avx512f"))) static void name(char *o, const char *x, int64_t os, int64_t is, int64_t rows,   \
                                                      int64_t columns) {                                              \
    type       *out = (type *)o;                                                                                      \
    const type *in = (const type *)x;                                                                                 \
    int64_t     whole_rows = rows / n * n, whole_columns = columns / n * n;                                           \
    for (int64_t i = 0; i < whole_rows; i += n)                                                                       \
      for (int64_t j = 0; j < whole_columns; j += n) {                                                                \
        lanes r[n], t[n];                                                                                             \
        _Pragma("GCC unroll 16") for (int k = 0; k < n; k++) memcpy(&r[k], in + (j + k) * is + i, sizeof r[k]);                                \
        _Pragma("GCC unroll 4") for (int round = 0; round < rounds; round++) {                                                                \
          _Pragma("GCC unroll 8") for (int k = 0; k < n / 2; k++) {                                                                           \
            t[2 * k] = __builtin_shuffle(r[k], r[k + n / 2], low);                                                    \
            t[2 * k + 1] = __builtin_shuffle(r[k], r[k + n / 2], high);                                               \
          }                                                                                                           \
          _Pragma("GCC unroll 16") for (int k = 0; k < n; k++) r[k] = t[k];                                                                                     \
        }                                                                                                             \
        _Pragma("GCC unroll 16") for (int k = 0; k < n; k++) memcpy(out + (i + k) * os + j, &r[k], sizeof r[k]);                               \
      }                                                                                                               \
    if (whole_columns < columns)                                                                                      \
      narrow((char *)(out + whole_columns), (const char *)(in + whole_columns * is), os, is, whole_rows, columns - whole_columns); \
    narrow((char *)(out + whole_rows * os), (const char *)(in + whole_rows), os, is, rows - whole_rows, columns);     \
  }
WIDE_PLANE(plane_4_wide, uint32_t, lanes_16, 16, 4, LOW_16, HIGH_16, plane_4)
WIDE_PLANE(plane_8_wide, uint64_t, lanes_8, 8, 3, LOW_8, HIGH_8, plane_8)
#else
#define plane_4_wide plane_4
#define plane_8_wide plane_8
#endif

static plane_fn *choose_plane(size_t bytes) {
  bool wide = false;
#if defined(__x86_64__)
  wide = __builtin_cpu_supports("avx512f");
#endif
  if (bytes == 4) return wide ? plane_4_wide : plane_4;
  if (bytes == 8) return wide ? plane_8_wide : plane_8;
  return bytes == 1 ? plane_1 : plane_2;
}

typedef struct transposition {
  int         rank;
  size_t      bytes;
  int64_t     dims[SEC_MAX_RANK], stride[SEC_MAX_RANK]; /* of the result's axes; strides in the operand */
  int64_t     out_stride[SEC_MAX_RANK];
  int         grain;                                    /* the result axis that runs along the operand's last one */
  const char *in;
  char       *out;
  plane_fn   *plane;
} transposition;

static void one_plane(const transposition *t, const char *in, char *out, int64_t i0, int64_t i1) {
  int     last = t->rank - 1;
  int64_t columns = t->dims[last];
  for (int64_t i = i0; i < i1; i += TILE)
    for (int64_t j = 0; j < columns; j += TILE) {
      int64_t rows = i1 - i < TILE ? i1 - i : TILE, width = columns - j < TILE ? columns - j : TILE;
      t->plane(out + (size_t)(i * t->out_stride[t->grain] + j) * t->bytes, in + (size_t)(i + j * t->stride[last]) * t->bytes,
               t->out_stride[t->grain], t->stride[last], rows, width);
    }
}

/* The other axes, outermost first. */
static void planes(const transposition *t, int axis, const char *in, char *out, int64_t i0, int64_t i1) {
  if (axis == t->rank - 1) {
    one_plane(t, in, out, i0, i1);
    return;
  }
  if (axis == t->grain) {
    planes(t, axis + 1, in, out, i0, i1);
    return;
  }
  for (int64_t k = 0; k < t->dims[axis]; k++)
    planes(t, axis + 1, in + (size_t)(k * t->stride[axis]) * t->bytes, out + (size_t)(k * t->out_stride[axis]) * t->bytes, i0, i1);
}

static void run(void **bufs, int64_t lo, int64_t hi) {
  const transposition *t = bufs[0];
  planes(t, 0, t->in, t->out, lo, hi);
}

/* bufs: operand, result.  meta: element bytes, rank, the operand's dims, the permutation, which moves the last axis. */
void sec_rt_transpose(void **bufs, const int64_t *meta) {
  transposition t = {.rank = (int)meta[1], .bytes = (size_t)meta[0], .in = bufs[0], .out = bufs[1]};
  int64_t       in_stride[SEC_MAX_RANK], s = 1;
  for (int a = t.rank; a-- > 0; s *= meta[2 + a]) in_stride[a] = s;
  s = 1;
  for (int a = t.rank; a-- > 0; s *= t.dims[a]) {
    int64_t from = meta[2 + t.rank + a];
    t.dims[a] = meta[2 + from];
    t.stride[a] = in_stride[from];
    t.out_stride[a] = s;
    if (from == t.rank - 1) t.grain = a;
  }
  t.plane = choose_plane(t.bytes);
  sec_parallel(run, (void *[]){&t}, t.dims[t.grain], TILE);
}
