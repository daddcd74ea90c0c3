/* Stable radix sorts of unsigned words, eight bits a pass, in chunks on several threads. */
#ifndef SEC_RADIX_H
#define SEC_RADIX_H

#include "../threads.h"

#include <stddef.h>
#include <stdint.h>

/* Words may lie in a buffer of floats. */
typedef uint32_t __attribute__((may_alias)) sec_word32;
typedef uint64_t __attribute__((may_alias)) sec_word64;

enum { SEC_RADIX_CHUNKS = 16, SEC_RADIX_DIGITS = 8, SEC_RADIX_SMALL = 48 };

/* Counts of one digit's values, by chunk and digit; a scratch area for the functions below. */
typedef struct sec_radix_counts {
  uint32_t of[SEC_RADIX_CHUNKS][SEC_RADIX_DIGITS][256];
} sec_radix_counts;

/* Parts that n elements are worked in, and where part c begins. */
int sec_radix_chunks(int64_t n);
static inline int64_t sec_radix_start(int64_t n, int chunks, int c) {
  return n / chunks * c + n % chunks * c / chunks;
}

/* sec_parallel, without its cost for a range that is not cut. */
static inline void sec_radix_run(sec_kernel *kernel, void *job, int64_t n, int64_t grain) {
  if (n <= grain) kernel(&job, 0, n);
  else sec_parallel(kernel, &job, n, grain);
}

/* Sorts n < 2^32 words by `digits` bytes from bit `low` on; uses b (n words) and gives back the one
 * of a and b in which the result is. */
sec_word32 *sec_radix_sort32(sec_word32 *a, sec_word32 *b, int64_t n, int low, int digits,
                             sec_radix_counts *counts);
sec_word64 *sec_radix_sort64(sec_word64 *a, sec_word64 *b, int64_t n, int low, int digits,
                             sec_radix_counts *counts);

#endif
