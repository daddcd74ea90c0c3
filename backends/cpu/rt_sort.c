/* sort at run time, called by generated code.
 * bufs: operands [outer, n, inner], results.
 * meta: number of operands, number of keys, outer, n, inner, dtype of each operand.
 *
 * A key becomes an unsigned word in the same order, its image: NaN last, -0 beside +0.  One operand
 * alone is sorted as images and read back from them; several are sorted as pairs of an image and an
 * index, one key after another from the last to the first, and then moved to their places. */
#include "../pool.h"
#include "radix.h"
#include "runtime.h"

#include <secant/dtype.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = 16 };                /* operands */
enum { COLUMNS = 16, PART = 16384 }; /* worked together when inner > 1; of a row, in parallel */

/* How elements of a dtype are ordered; sign and infinity: bits, infinity 0 if it is not a float. */
typedef struct order {
  int bits;
  uint64_t sign, infinity;
} order;

static const order orders[SEC_N_DTYPES] = {
    [SEC_BOOL] = {8, 0, 0},
    [SEC_I8] = {8, 0x80, 0},
    [SEC_I16] = {16, 0x8000, 0},
    [SEC_I32] = {32, 0x80000000, 0},
    [SEC_I64] = {64, 0x8000000000000000, 0},
    [SEC_U8] = {8, 0, 0},
    [SEC_U16] = {16, 0, 0},
    [SEC_U32] = {32, 0, 0},
    [SEC_U64] = {64, 0, 0},
    [SEC_F16] = {16, 0x8000, 0x7c00},
    [SEC_BF16] = {16, 0x8000, 0x7f80},
    [SEC_F32] = {32, 0x80000000, 0x7f800000},
    [SEC_F64] = {64, 0x8000000000000000, 0x7ff0000000000000},
};

typedef struct sorter {
  int n_operands, n_keys;
  order order[MOST];
  int64_t n, inner, width, blocks; /* columns in a block, blocks in an outer slice */
  const char *in[MOST];
  char *out[MOST];
} sorter;

/* A row and what is known while it is sorted. */
typedef struct row {
  const sorter *s;
  int operand, shift; /* the one that a phase is about, and which half of its image */
  bool special;       /* it holds -0 or NaN, which images do not tell from +0 and other NaNs */
  const char *in[MOST];
  char *out[MOST];
  void *words, *spare, *sorted; /* room; which of them holds the result */
  sec_radix_counts *counts;
} row;

/* ---- images, and loops over a part of a row ---- */
typedef uint8_t __attribute__((may_alias)) word8;
typedef uint16_t __attribute__((may_alias)) word16;
typedef sec_word32 word32;
typedef sec_word64 word64;

/* `wide`: what images of `bits` bits are sorted in. */
#define LOOPS(bits, wide)                                                                          \
  static inline word##bits image##bits(word##bits x, word##bits sign, word##bits infinity) {       \
    word##bits magnitude = (word##bits)(x & ~sign), y = x ^ sign;                                  \
    if (infinity == 0) return y;                                                                   \
    y = x & sign ? (word##bits)~x : y;                                                             \
    y = magnitude == 0 ? sign : y;                                                                 \
    return magnitude > infinity ? (word##bits)-1 : y;                                              \
  }                                                                                                \
                                                                                                   \
  static inline word##bits preimage##bits(word##bits y, word##bits sign, word##bits infinity) {    \
    return infinity != 0 && !(y & sign) ? (word##bits)~y : y ^ sign;                               \
  }                                                                                                \
                                                                                                   \
  static void read##bits(void **bufs, int64_t lo, int64_t hi) {                                    \
    row *r = bufs[0];                                                                              \
    word##bits sign = (word##bits)r->s->order[0].sign;                                             \
    word##bits infinity = (word##bits)r->s->order[0].infinity;                                     \
    const word##bits *x = (const word##bits *)(const void *)r->in[0];                              \
    wide *to = r->words;                                                                           \
    bool special = false;                                                                          \
    for (int64_t i = lo; i < hi; i++) {                                                            \
      word##bits v = x[i];                                                                         \
      special |= v == sign || (word##bits)(v & ~sign) > infinity;                                  \
      to[i] = image##bits(v, sign, infinity);                                                      \
    }                                                                                              \
    if (special && infinity != 0) __atomic_store_n(&r->special, true, __ATOMIC_RELAXED);           \
  }                                                                                                \
                                                                                                   \
  static void write##bits(void **bufs, int64_t lo, int64_t hi) {                                   \
    const row *r = bufs[0];                                                                        \
    word##bits sign = (word##bits)r->s->order[0].sign;                                             \
    word##bits infinity = (word##bits)r->s->order[0].infinity;                                     \
    const wide *from = r->sorted;                                                                  \
    word##bits *y = (word##bits *)(void *)r->out[0];                                               \
    for (int64_t i = lo; i < hi; i++) y[i] = preimage##bits((word##bits)from[i], sign, infinity);  \
  }                                                                                                \
                                                                                                   \
  /* What images do not tell: the zeros and the NaNs of the operand, in its order. */              \
  static void restore##bits(const row *r) {                                                        \
    word##bits sign = (word##bits)r->s->order[0].sign;                                             \
    word##bits infinity = (word##bits)r->s->order[0].infinity;                                     \
    const word##bits *x = (const word##bits *)(const void *)r->in[0];                              \
    word##bits *y = (word##bits *)(void *)r->out[0];                                               \
    const wide *sorted = r->sorted;                                                                \
    int64_t zero = 0, nan = r->s->n, last = nan;                                                   \
    while (zero < last) { /* the first image of a zero, or greater */                              \
      int64_t middle = zero + (last - zero) / 2;                                                   \
      if (sorted[middle] < sign) zero = middle + 1;                                                \
      else last = middle;                                                                          \
    }                                                                                              \
    for (int64_t i = 0; i < r->s->n; i++) nan -= (word##bits)(x[i] & ~sign) > infinity;            \
    for (int64_t i = 0; i < r->s->n; i++) {                                                        \
      word##bits magnitude = (word##bits)(x[i] & ~sign);                                           \
      if (magnitude == 0) y[zero++] = x[i];                                                        \
      if (magnitude > infinity) y[nan++] = x[i];                                                   \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  /* In front of each index, (half of) the image of the operand there. */                          \
  static void pair##bits(void **bufs, int64_t lo, int64_t hi) {                                    \
    row *r = bufs[0];                                                                              \
    const order *o = &r->s->order[r->operand];                                                     \
    word##bits sign = (word##bits)o->sign, infinity = (word##bits)o->infinity;                     \
    const word##bits *x = (const word##bits *)(const void *)r->in[r->operand];                     \
    word64 *pairs = r->words;                                                                      \
    bool special = false;                                                                          \
    for (int64_t i = lo; i < hi; i++) {                                                            \
      uint32_t at = (uint32_t)pairs[i];                                                            \
      word##bits v = x[at];                                                                        \
      special |= v == sign || (word##bits)(v & ~sign) > infinity;                                  \
      pairs[i] = (uint64_t)(uint32_t)(image##bits(v, sign, infinity) >> r->shift) << 32 | at;      \
    }                                                                                              \
    if (special && infinity != 0) __atomic_store_n(&r->special, true, __ATOMIC_RELAXED);           \
  }                                                                                                \
                                                                                                   \
  static void unpair##bits(void **bufs, int64_t lo, int64_t hi) {                                  \
    const row *r = bufs[0];                                                                        \
    const order *o = &r->s->order[r->operand];                                                     \
    word##bits sign = (word##bits)o->sign, infinity = (word##bits)o->infinity;                     \
    word##bits *y = (word##bits *)(void *)r->out[r->operand];                                      \
    const word64 *pairs = r->sorted;                                                               \
    for (int64_t i = lo; i < hi; i++)                                                              \
      y[i] = preimage##bits((word##bits)(pairs[i] >> 32), sign, infinity);                         \
  }                                                                                                \
                                                                                                   \
  static void move##bits(void **bufs, int64_t lo, int64_t hi) {                                    \
    const row *r = bufs[0];                                                                        \
    const word##bits *x = (const word##bits *)(const void *)r->in[r->operand];                     \
    word##bits *y = (word##bits *)(void *)r->out[r->operand];                                      \
    const word64 *pairs = r->sorted;                                                               \
    for (int64_t i = lo; i < hi; i++) y[i] = x[(uint32_t)pairs[i]];                                \
  }                                                                                                \
                                                                                                   \
  static void swap##bits(char *data, int64_t i, int64_t k) {                                       \
    word##bits *x = (word##bits *)(void *)data, v = x[i];                                          \
    x[i] = x[k];                                                                                   \
    x[k] = v;                                                                                      \
  }                                                                                                \
                                                                                                   \
  static uint64_t image_at##bits(const char *data, int64_t i, const order *o) {                    \
    const word##bits *x = (const word##bits *)(const void *)data;                                  \
    return image##bits(x[i], (word##bits)o->sign, (word##bits)o->infinity);                        \
  }

LOOPS(8, word32)
LOOPS(16, word32)
LOOPS(32, word32)
LOOPS(64, word64)

/* By log2 of the element's bytes. */
#define EACH(name) {name##8, name##16, name##32, name##64}
static sec_kernel *const reads[] = EACH(read), *const writes[] = EACH(write),
                  *const pairs[] = EACH(pair), *const unpairs[] = EACH(unpair),
                  *const moves[] = EACH(move);
static void (*const restores[])(const row *r) = EACH(restore);
static void (*const swaps[])(char *data, int64_t i, int64_t k) = EACH(swap);
static uint64_t (*const images_at[])(const char *data, int64_t i, const order *o) = EACH(image_at);

static int log2_bytes(const order *o) { return __builtin_ctz((unsigned)o->bits) - 3; }
static size_t bytes_of(const order *o) { return (size_t)o->bits / 8; }

static void over_row(sec_kernel *const *loops, row *r, const order *o) {
  sec_radix_run(loops[log2_bytes(o)], r, r->s->n, PART);
}

/* ---- one row ---- */
static void sort_keys(row *r) {
  const order *o = &r->s->order[0];
  int digits = o->bits / 8;
  int64_t n = r->s->n;
  void *words = r->words;
  bool in_place = o->bits >= 32; /* images have the room of elements: the result's is used */
  r->special = false;
  if (in_place) r->words = r->out[0];
  over_row(reads, r, o);
  if (o->bits == 64) r->sorted = sec_radix_sort64(r->words, r->spare, n, 0, digits, r->counts);
  else r->sorted = sec_radix_sort32(r->words, r->spare, n, 0, digits, r->counts);
  if (r->special && in_place && r->sorted == r->words) { /* read once more after the writing */
    memcpy(r->spare, r->sorted, (size_t)n * bytes_of(o));
    r->sorted = r->spare;
  }
  over_row(writes, r, o);
  if (r->special) restores[log2_bytes(o)](r);
  r->words = words;
}

static void number(void **bufs, int64_t lo, int64_t hi) {
  word64 *pairs_of = bufs[0];
  for (int64_t i = lo; i < hi; i++) pairs_of[i] = (uint64_t)i;
}

static void indices(void **bufs, int64_t lo, int64_t hi) {
  const row *r = bufs[0];
  word32 *y = (word32 *)(void *)r->out[r->operand];
  const word64 *pairs_of = r->sorted;
  for (int64_t i = lo; i < hi; i++) y[i] = (uint32_t)pairs_of[i];
}

/* 0, 1, 2, ...: then its sorted values are the indices. */
static bool is_iota(const row *r) {
  const word32 *x = (const word32 *)(const void *)r->in[r->operand];
  if (r->s->order[r->operand].bits != 32) return false;
  for (int64_t i = 0; i < r->s->n; i++)
    if (x[i] != (uint32_t)i) return false;
  return true;
}

static void sort_pairs(row *r) {
  const sorter *s = r->s;
  void *words = r->words, *spare = r->spare;
  sec_radix_run(number, r->words, s->n, PART);
  for (r->operand = s->n_keys; r->operand-- > 0;) {
    const order *o = &s->order[r->operand];
    r->special = false;
    for (r->shift = 0; r->shift < o->bits; r->shift += 32) {
      int digits = o->bits < 32 ? o->bits / 8 : 4;
      over_row(pairs, r, o);
      r->sorted = sec_radix_sort64(r->words, r->spare, s->n, 32, digits, r->counts);
      r->spare = r->sorted == r->words ? r->spare : r->words;
      r->words = r->sorted;
    }
  }
  for (r->operand = 0; r->operand < s->n_operands; r->operand++) {
    const order *o = &s->order[r->operand];
    if (r->operand == 0 && o->bits <= 32 && !r->special) over_row(unpairs, r, o);
    else if (is_iota(r)) sec_radix_run(indices, r, s->n, PART);
    else over_row(moves, r, o);
  }
  r->words = words;
  r->spare = spare;
}

/* Without memory: the results by insertion. */
static bool is_before(const row *r, int64_t i, int64_t k) {
  for (int j = 0; j < r->s->n_keys; j++) {
    const order *o = &r->s->order[j];
    uint64_t a = images_at[log2_bytes(o)](r->out[j], i, o);
    uint64_t b = images_at[log2_bytes(o)](r->out[j], k, o);
    if (a != b) return a < b;
  }
  return false;
}

static void sort_in_place(const row *r, int64_t stride) {
  const sorter *s = r->s;
  for (int j = 0; j < s->n_operands; j++) {
    size_t size = bytes_of(&s->order[j]), step = (size_t)stride * size;
    for (int64_t i = 0; i < s->n; i++)
      memcpy(r->out[j] + (size_t)i * step, r->in[j] + (size_t)i * step, size);
  }
  for (int64_t i = 1; i < s->n; i++)
    for (int64_t k = i; k > 0 && is_before(r, k * stride, (k - 1) * stride); k--)
      for (int j = 0; j < s->n_operands; j++)
        swaps[log2_bytes(&s->order[j])](r->out[j], k * stride, (k - 1) * stride);
}

/* ---- columns to rows and back ---- */
#define TRANSPOSE(bits)                                                                            \
  static void transpose##bits(const void *from, int64_t from_step, void *to, int64_t to_step,      \
                              int64_t rows, int64_t columns) {                                     \
    const word##bits *x = from;                                                                    \
    word##bits *y = to;                                                                            \
    for (int64_t i = 0; i < rows; i++)                                                             \
      for (int64_t k = 0; k < columns; k++) y[k * to_step + i] = x[i * from_step + k];             \
  }
TRANSPOSE(8)
TRANSPOSE(16)
TRANSPOSE(32)
TRANSPOSE(64)
static void (*const transposes[])(const void *from, int64_t from_step, void *to, int64_t to_step,
                                  int64_t rows, int64_t columns) = EACH(transpose);

/* ---- blocks of columns ---- */
typedef struct room {
  size_t words, columns; /* bytes of each of two */
  char *memory, *from[MOST], *to[MOST];
} room;

static size_t room_bytes(const room *m) {
  return sizeof(sec_radix_counts) + 2 * m->words + 2 * m->columns;
}

/* Of operand j's columns. */
static size_t columns_bytes(const sorter *s, int j) {
  size_t bytes = (size_t)(s->inner > 1 ? s->n * s->width : 0) * bytes_of(&s->order[j]);
  return (bytes + 63) / 64 * 64;
}

static bool get_room(const sorter *s, room *m) {
  bool wide = s->n_operands > 1 || s->order[0].bits == 64;
  m->words = ((size_t)s->n + 15) / 16 * 16 * (wide ? 8 : 4);
  m->columns = 0;
  for (int j = 0; j < s->n_operands; j++) m->columns += columns_bytes(s, j);
  m->memory = sec_pool_alloc(room_bytes(m));
  if (!m->memory) return false;
  m->from[0] = m->memory + sizeof(sec_radix_counts) + 2 * m->words;
  m->to[0] = m->from[0] + m->columns;
  for (int j = 1; j < s->n_operands; j++) {
    m->from[j] = m->from[j - 1] + columns_bytes(s, j - 1);
    m->to[j] = m->to[j - 1] + columns_bytes(s, j - 1);
  }
  return true;
}

static void sort_row(row *r) {
  if (r->s->n_operands == 1) sort_keys(r);
  else sort_pairs(r);
}

/* The row or the columns that begin at element `first`. */
static void set_places(row *r, int64_t first) {
  const sorter *s = r->s;
  for (int j = 0; j < s->n_operands; j++) {
    r->in[j] = s->in[j] + (size_t)first * bytes_of(&s->order[j]);
    r->out[j] = s->out[j] + (size_t)first * bytes_of(&s->order[j]);
  }
}

/* `count` columns from element `first` on, brought together as rows. */
static void sort_columns(row *r, const room *m, int64_t first, int64_t count) {
  const sorter *s = r->s;
  set_places(r, first);
  for (int j = 0; j < s->n_operands; j++)
    transposes[log2_bytes(&s->order[j])](r->in[j], s->inner, m->from[j], s->n, s->n, count);
  for (int64_t k = 0; k < count; k++) {
    for (int j = 0; j < s->n_operands; j++) {
      size_t at = (size_t)(k * s->n) * bytes_of(&s->order[j]);
      r->in[j] = m->from[j] + at;
      r->out[j] = m->to[j] + at;
    }
    sort_row(r);
  }
  set_places(r, first);
  for (int j = 0; j < s->n_operands; j++)
    transposes[log2_bytes(&s->order[j])](m->to[j], s->n, r->out[j], s->inner, count, s->n);
}

static void sort_blocks(void **bufs, int64_t lo, int64_t hi) {
  const sorter *s = bufs[0];
  row r = {.s = s};
  room m;
  bool has_room = get_room(s, &m);
  if (has_room) {
    r.counts = (sec_radix_counts *)(void *)m.memory;
    r.words = m.memory + sizeof(sec_radix_counts);
    r.spare = (char *)r.words + m.words;
  }
  for (int64_t b = lo; b < hi; b++) {
    int64_t column = b % s->blocks * s->width, first = b / s->blocks * s->n * s->inner + column;
    int64_t count = s->inner - column < s->width ? s->inner - column : s->width;
    if (has_room && s->inner > 1) sort_columns(&r, &m, first, count);
    for (int64_t k = 0; k < count && !(has_room && s->inner > 1); k++) {
      set_places(&r, first + k);
      if (has_room) sort_row(&r);
      else sort_in_place(&r, s->inner);
    }
  }
  if (has_room) sec_pool_free(m.memory, room_bytes(&m));
}

void sec_rt_sort(void **bufs, const int64_t *meta) {
  sorter s = {.n_operands = (int)meta[0], .n_keys = (int)meta[1], .n = meta[3], .inner = meta[4]};
  int64_t outer = meta[2], most = ((int64_t)1 << 18) / (s.n ? s.n : 1);
  if (outer <= 0 || s.n <= 0 || s.inner <= 0) return;
  for (int j = 0; j < s.n_operands; j++) {
    s.order[j] = orders[meta[5 + j]];
    s.in[j] = bufs[j];
    s.out[j] = bufs[s.n_operands + j];
  }
  s.width = s.inner == 1 || most < 1 ? 1 : most < COLUMNS ? most : COLUMNS;
  s.blocks = (s.inner - 1) / s.width + 1;
  int64_t blocks = outer * s.blocks, grain = 1 + 4096 / (s.n * s.width);
  bool long_rows = s.n >= 4 * PART && blocks < sec_threads_count(); /* threads share each row */
  if (long_rows) sort_blocks((void *[]){&s}, 0, blocks);
  else sec_parallel(sort_blocks, (void *[]){&s}, blocks, grain);
}
