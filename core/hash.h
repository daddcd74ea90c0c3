/* Hashing of words and bytes: a multiply-and-fold mix; not for untrusted keys. */
#ifndef SEC_HASH_H
#define SEC_HASH_H
#include <stddef.h>
#include <stdint.h>

static inline uint64_t sec_hash_word(uint64_t h, uint64_t word) {
  h = (h ^ word) * 0x9e3779b97f4a7c15ull;
  return h ^ (h >> 29);
}

static inline uint64_t sec_hash_bytes(uint64_t h, const void *data, size_t n) {
  const unsigned char *p = data;
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3ull;
  return sec_hash_word(h, n);
}
#endif
