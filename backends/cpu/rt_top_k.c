/* top_k at run time, called by generated code.
 * bufs: operand [outer, n, inner]; values, i32 indices [outer, k, inner].
 * meta: dtype, outer, n, inner, k.
 *
 * An element's rank is an unsigned word that is less where the element is greater, in the total order of its bits (the
 * greatest NaN first, +0 before -0).  A row is read once: what ranks before the k-th best so far is collected as pairs of
 * rank and index; when the room is full, a radix sort, which is stable, keeps the first k. */
#include "../pool.h"
#include "radix.h"
#include "runtime.h"

#include <secant/dtype.h>
#include <stdbool.h>
#include <string.h>

enum { BLOCK = 64, SLACK = 2048, PART = 1 << 17, MOST_PARTS = 16 };

typedef struct top {
  int      bits;
  bool     is_float;
  uint64_t sign;
  int64_t  outer, n, inner, k;
  const char *x;
  char       *values;
  int32_t    *indices;
} top;

/* Pairs of a rank (of 64-bit elements: half of it) above 32 bits of index. */
typedef struct room {
  sec_word64       *pairs, *spare;
  int64_t           size; /* pairs in each */
  sec_radix_counts *counts;
} room;

typedef uint8_t __attribute__((may_alias)) word8;
typedef uint16_t __attribute__((may_alias)) word16;
typedef sec_word32 word32;
typedef sec_word64 word64;

/* Collects from elements lo .. hi of a row those that rank before `limit` (NULL: all); stops when the room may not do, and
 * says where. */
#define LOOPS(bits)                                                                                                    \
  static inline word##bits rank##bits(word##bits x, word##bits sign, bool is_float) {                                  \
    word##bits y = x ^ sign;                                                                                           \
    if (is_float) y = x & sign ? (word##bits)~x : y;                                                                   \
    return (word##bits)~y;                                                                                             \
  }                                                                                                                    \
  static uint64_t rank_at##bits(const top *t, const char *row, int64_t i) {                                            \
    return rank##bits(((const word##bits *)(const void *)row)[i], (word##bits)t->sign, t->is_float);                   \
  }                                                                                                                    \
  static int64_t collect##bits(const top *t, const char *row, int64_t lo, int64_t hi, const uint64_t *limit, room *m,  \
                               int64_t *count) {                                                                       \
    const word##bits *x = (const word##bits *)(const void *)row, sign = (word##bits)t->sign;                           \
    const bool        is_float = t->is_float;                                                                          \
    const int64_t     step = t->inner;                                                                                 \
    const bool        all = !limit;                                                                                    \
    const word##bits  last = all ? 0 : (word##bits)*limit;                                                             \
    for (; lo < hi && *count + BLOCK <= m->size; lo += BLOCK) {                                                        \
      int64_t end = lo + BLOCK < hi ? lo + BLOCK : hi;                                                                 \
      if (step == 1 && !all && end == lo + BLOCK) {                                                                    \
        word##bits any = 0;                                                                                            \
        for (int64_t i = 0; i < BLOCK; i++) any |= (word##bits)(rank##bits(x[lo + i], sign, is_float) < last);         \
        if (!any) continue;                                                                                            \
      }                                                                                                                \
      for (int64_t i = lo; i < end; i++) {                                                                             \
        word##bits r = rank##bits(x[i * step], sign, is_float);                                                        \
        m->pairs[*count] = (uint64_t)(uint32_t)r << 32 | (uint32_t)i;                                                  \
        *count += all || r < last;                                                                                     \
      }                                                                                                                \
    }                                                                                                                  \
    return lo < hi ? lo : hi;                                                                                          \
  }                                                                                                                    \
  static void give##bits(const char *row, int64_t at, char *values, int64_t to) {                                      \
    ((word##bits *)(void *)values)[to] = ((const word##bits *)(const void *)row)[at];                                  \
  }

LOOPS(8)
LOOPS(16)
LOOPS(32)
LOOPS(64)

/* By log2 of the element's bytes. */
#define EACH(name) {name##8, name##16, name##32, name##64}
static uint64_t (*const ranks[])(const top *, const char *, int64_t) = EACH(rank_at);
static int64_t (*const collects[])(const top *, const char *, int64_t, int64_t, const uint64_t *, room *, int64_t *) = EACH(collect);
static void (*const gives[])(const char *, int64_t, char *, int64_t) = EACH(give);

static int size_class(const top *t) { return __builtin_ctz((unsigned)t->bits) - 3; }
static uint64_t rank_of(const top *t, const char *row, int64_t i) { return ranks[size_class(t)](t, row, i * t->inner); }

static void by_word(room *m, int64_t count, int digits) {
  sec_word64 *sorted = sec_radix_sort64(m->pairs, m->spare, count, 32, digits, m->counts);
  m->spare = sorted == m->pairs ? m->spare : m->pairs;
  m->pairs = sorted;
}

/* The pairs in order of rank; those of one rank stay in the order of their indices. */
static void sort_pairs(const top *t, const char *row, room *m, int64_t count) {
  if (t->bits < 64) {
    by_word(m, count, t->bits / 8);
    return;
  }
  for (int half = 0; half < 2; half++) {
    for (int64_t i = 0; i < count; i++) {
      uint32_t at = (uint32_t)m->pairs[i];
      m->pairs[i] = (rank_of(t, row, at) >> 32 * half & UINT32_MAX) << 32 | at;
    }
    by_word(m, count, 4);
  }
}

/* The first k of elements lo .. hi, sorted, as m->pairs; how many there are. */
static int64_t best_of(const top *t, const char *row, room *m, int64_t lo, int64_t hi) {
  int64_t  count = 0;
  uint64_t limit = 0;
  bool     known = false; /* k of them */
  while (lo < hi) {
    lo = collects[size_class(t)](t, row, lo, hi, known ? &limit : NULL, m, &count);
    if (count <= t->k) continue;
    sort_pairs(t, row, m, count);
    count = t->k;
    if (count == 0) return 0;
    limit = rank_of(t, row, (uint32_t)m->pairs[count - 1]);
    known = true;
  }
  sort_pairs(t, row, m, count);
  return count;
}

static void give(const top *t, const char *row, const sec_word64 *pairs, int64_t first) {
  int64_t bytes = t->bits / 8;
  for (int64_t i = 0; i < t->k; i++) {
    int64_t at = (uint32_t)pairs[i];
    gives[size_class(t)](row, at * t->inner, t->values + first * bytes, i * t->inner);
    t->indices[first + i * t->inner] = (int32_t)at;
  }
}

/* Without memory: the best so far are kept in order in the results. */
static void insert(const top *t, const char *row, int64_t first) {
  int32_t *found = t->indices + first;
  for (int64_t i = 0, count = 0; i < t->n; i++) {
    uint64_t rank = rank_of(t, row, i);
    int64_t  to = count;
    while (to > 0 && rank < rank_of(t, row, found[(to - 1) * t->inner])) to--;
    if (to == t->k) continue;
    count += count < t->k;
    for (int64_t j = count - 1; j > to; j--) found[j * t->inner] = found[(j - 1) * t->inner];
    found[to * t->inner] = (int32_t)i;
  }
  for (int64_t i = 0; i < t->k; i++)
    gives[size_class(t)](row, found[i * t->inner] * t->inner, t->values + first * (t->bits / 8), i * t->inner);
}

static int64_t room_size(const top *t, int64_t n) {
  int64_t all = (n + BLOCK) / BLOCK * BLOCK + BLOCK, some = 2 * t->k + SLACK;
  return some < all ? some : all;
}

static size_t room_bytes(int64_t size) { return sizeof(sec_radix_counts) + 2 * (size_t)size * sizeof(sec_word64); }

static bool room_get(room *m, int64_t size) {
  m->size = size;
  m->counts = sec_pool_alloc(room_bytes(size));
  if (!m->counts) return false;
  m->pairs = (sec_word64 *)(void *)(m->counts + 1);
  m->spare = m->pairs + size;
  return true;
}

static const char *row_at(const top *t, int64_t r, int64_t *first) {
  int64_t column = r % t->inner, slice = r / t->inner;
  *first = slice * t->k * t->inner + column;
  return t->x + (slice * t->n * t->inner + column) * (t->bits / 8);
}

static void rows(void **bufs, int64_t lo, int64_t hi) {
  const top *t = bufs[0];
  room       m;
  bool       has_room = room_get(&m, room_size(t, t->n));
  for (int64_t r = lo; r < hi; r++) {
    int64_t     first;
    const char *row = row_at(t, r, &first);
    if (!has_room) {
      insert(t, row, first);
    } else {
      best_of(t, row, &m, 0, t->n);
      give(t, row, m.pairs, first);
    }
  }
  if (has_room) sec_pool_free(m.counts, room_bytes(m.size));
}

/* One long row in parts: the best of each, then of those. */
typedef struct parts {
  const top  *t;
  const char *row;
  sec_word64 *found; /* k a part */
  int64_t     n_parts, counts[MOST_PARTS];
} parts;

static void part(void **bufs, int64_t lo, int64_t hi) {
  parts *p = bufs[0];
  room   m;
  for (int64_t c = lo; c < hi; c++) {
    int64_t start = sec_radix_start(p->t->n, (int)p->n_parts, (int)c), end = sec_radix_start(p->t->n, (int)p->n_parts, (int)c + 1);
    p->counts[c] = -1;
    if (!room_get(&m, room_size(p->t, end - start))) continue;
    p->counts[c] = best_of(p->t, p->row, &m, start, end);
    memcpy(p->found + c * p->t->k, m.pairs, (size_t)p->counts[c] * sizeof *m.pairs);
    sec_pool_free(m.counts, room_bytes(m.size));
  }
}

static bool in_parts(const top *t, const char *row, int64_t first) {
  room  m;
  parts p = {.t = t, .row = row, .n_parts = t->n / PART < MOST_PARTS ? t->n / PART : MOST_PARTS};
  if (p.n_parts < 2 || p.n_parts * t->k > t->n / 4 || !room_get(&m, p.n_parts * t->k + BLOCK)) return false;
  int64_t count = 0;
  p.found = m.pairs;
  sec_parallel(part, (void *[]){&p}, p.n_parts, 1);
  for (int64_t c = 0; c < p.n_parts && count >= 0; c++) {
    if (p.counts[c] > 0) memmove(p.found + count, p.found + c * t->k, (size_t)p.counts[c] * sizeof *p.found);
    count = p.counts[c] < 0 ? -1 : count + p.counts[c];
  }
  if (count >= 0) {
    sort_pairs(t, row, &m, count);
    give(t, row, m.pairs, first);
  }
  sec_pool_free(m.counts, room_bytes(m.size));
  return count >= 0;
}

void sec_rt_top_k(void **bufs, const int64_t *meta) {
  sec_dtype d = (sec_dtype)meta[0];
  top       t = {.bits = sec_dtype_bits(d) < 8 ? 8 : sec_dtype_bits(d),
                 .is_float = sec_dtype_kind(d) == SEC_KIND_FLOAT,
                 .outer = meta[1],
                 .n = meta[2],
                 .inner = meta[3],
                 .k = meta[4],
                 .x = bufs[0],
                 .values = bufs[1],
                 .indices = bufs[2]};
  bool      is_signed = t.is_float || sec_dtype_kind(d) == SEC_KIND_INT;
  t.sign = is_signed ? (uint64_t)1 << (t.bits - 1) : 0;
  int64_t n_rows = t.outer * t.inner, first;
  if (n_rows <= 0 || t.n <= 0 || t.k <= 0) return;
  if (n_rows == 1 && in_parts(&t, row_at(&t, 0, &first), first = 0)) return;
  sec_parallel(rows, (void *[]){&t}, n_rows, 1 + 16384 / t.n);
}
