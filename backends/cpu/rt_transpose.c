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
  t.plane = t.bytes == 1 ? plane_1 : t.bytes == 2 ? plane_2 : t.bytes == 4 ? plane_4 : plane_8;
  sec_parallel(run, (void *[]){&t}, t.dims[t.grain], TILE);
}
