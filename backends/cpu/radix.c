#include "radix.h"

#include <stdbool.h>
#include <string.h>

int sec_radix_chunks(int64_t n) {
  int threads = sec_threads_count();
  if (n < 1 << 16) return 1;
  return threads < SEC_RADIX_CHUNKS ? threads : SEC_RADIX_CHUNKS;
}

/* One pass: chunks are counted, then moved, each at the same time as the others. */
typedef struct radix {
  void *from, *to;
  int64_t n;
  int chunks, low, digits, digit; /* digit: of this pass */
  sec_radix_counts *counts;
} radix;

/* A word's digit d. */
#define DIGIT(word, low, d) ((word) >> ((low) + 8 * (d)) & 255)

/* Where each value of the digit begins in each chunk, in place of the counts. */
static void prefix(const radix *r) {
  uint32_t sum = 0;
  if (r->chunks == 1) {
    uint32_t *at = r->counts->of[0][r->digit];
    for (int v = 0; v < 256; v++) {
      uint32_t count = at[v];
      at[v] = sum;
      sum += count;
    }
    return;
  }
  for (int v = 0; v < 256; v++)
    for (int c = 0; c < r->chunks; c++) {
      uint32_t *at = &r->counts->of[c][r->digit][v], count = *at;
      *at = sum;
      sum += count;
    }
}

/* All words have the same value of digit d. */
static bool is_constant(const radix *r, int d, int value) {
  uint64_t sum = 0;
  for (int c = 0; c < r->chunks; c++) sum += r->counts->of[c][d][value];
  return sum == (uint64_t)r->n;
}

/* count: digits [first, last) of the chunks [lo, hi). */
#define RADIX(bits)                                                                                \
  static inline void count_digits##bits(const sec_word##bits *x, int64_t n, int low, int first,    \
                                        int last, uint32_t counts[][256]) {                        \
    memset(counts[first], 0, (size_t)(last - first) * sizeof *counts);                             \
    for (int64_t i = 0; i < n; i++) {                                                              \
      sec_word##bits v = x[i];                                                                     \
      for (int d = first; d < last; d++) counts[d][DIGIT(v, low, d)]++;                            \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static void count_all##bits(void **bufs, int64_t lo, int64_t hi) {                               \
    const radix *r = bufs[0];                                                                      \
    for (int c = (int)lo; c < hi; c++) {                                                           \
      int64_t start = sec_radix_start(r->n, r->chunks, c);                                         \
      int64_t n = sec_radix_start(r->n, r->chunks, c + 1) - start;                                 \
      const sec_word##bits *x = (const sec_word##bits *)r->from + start;                           \
      if (r->digits == 4) count_digits##bits(x, n, r->low, 0, 4, r->counts->of[c]);                \
      else count_digits##bits(x, n, r->low, 0, r->digits, r->counts->of[c]);                       \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static void count_one##bits(void **bufs, int64_t lo, int64_t hi) {                               \
    const radix *r = bufs[0];                                                                      \
    for (int c = (int)lo; c < hi; c++) {                                                           \
      int64_t start = sec_radix_start(r->n, r->chunks, c);                                         \
      int64_t n = sec_radix_start(r->n, r->chunks, c + 1) - start;                                 \
      count_digits##bits((const sec_word##bits *)r->from + start, n, r->low, r->digit,             \
                         r->digit + 1, r->counts->of[c]);                                          \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static void move##bits(void **bufs, int64_t lo, int64_t hi) {                                    \
    const radix *r = bufs[0];                                                                      \
    sec_word##bits *to = r->to;                                                                    \
    int shift = r->low + 8 * r->digit;                                                             \
    for (int c = (int)lo; c < hi; c++) {                                                           \
      int64_t start = sec_radix_start(r->n, r->chunks, c);                                         \
      int64_t n = sec_radix_start(r->n, r->chunks, c + 1) - start;                                 \
      const sec_word##bits *x = (const sec_word##bits *)r->from + start;                           \
      uint32_t at[256];                                                                            \
      memcpy(at, r->counts->of[c][r->digit], sizeof at);                                           \
      for (int64_t i = 0; i < n; i++) {                                                            \
        sec_word##bits v = x[i];                                                                   \
        to[at[v >> shift & 255]++] = v;                                                            \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static void insert##bits(sec_word##bits *x, int64_t n, int low) {                                \
    for (int64_t i = 1; i < n; i++) {                                                              \
      sec_word##bits v = x[i];                                                                     \
      int64_t k = i;                                                                               \
      for (; k > 0 && x[k - 1] >> low > v >> low; k--) x[k] = x[k - 1];                            \
      x[k] = v;                                                                                    \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  sec_word##bits *sec_radix_sort##bits(sec_word##bits *a, sec_word##bits *b, int64_t n, int low,   \
                                       int digits, sec_radix_counts *counts) {                     \
    radix r = {a, b, n, sec_radix_chunks(n), low, digits, 0, counts};                              \
    bool counted = true;                                                                           \
    if (n <= SEC_RADIX_SMALL) {                                                                    \
      insert##bits(a, n, low);                                                                     \
      return a;                                                                                    \
    }                                                                                              \
    sec_radix_run(count_all##bits, &r, r.chunks, 1);                                              \
    for (r.digit = 0; r.digit < digits; r.digit++) {                                               \
      if (is_constant(&r, r.digit, (int)DIGIT(*(sec_word##bits *)r.from, low, r.digit))) continue; \
      if (!counted && r.chunks > 1) sec_radix_run(count_one##bits, &r, r.chunks, 1);              \
      prefix(&r);                                                                                  \
      sec_radix_run(move##bits, &r, r.chunks, 1);                                                 \
      void *moved = r.to;                                                                          \
      r.to = r.from;                                                                               \
      r.from = moved;                                                                              \
      counted = false;                                                                             \
    }                                                                                              \
    return r.from;                                                                                 \
  }

RADIX(32)
RADIX(64)
