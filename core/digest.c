/* BLAKE2b, RFC 7693, without a key.  Little-endian machines only, as the rest. */
#include "digest.h"
#include <stdbool.h>
#include <string.h>

static const uint64_t start[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/* RFC 7693, 2.7; rounds 10 and 11 are 0 and 1 again. */
static const unsigned char sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint64_t rotate(uint64_t x, int n) { return x >> n | x << (64 - n); }

static void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
  v[a] += v[b] + x;
  v[d] = rotate(v[d] ^ v[a], 32);
  v[c] += v[d];
  v[b] = rotate(v[b] ^ v[c], 24);
  v[a] += v[b] + y;
  v[d] = rotate(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = rotate(v[b] ^ v[c], 63);
}

static void compress(sec_digest *d, const unsigned char *block, uint64_t total, bool last) {
  uint64_t v[16], m[16];
  memcpy(m, block, sizeof m);
  memcpy(v, d->h, sizeof d->h);
  memcpy(v + 8, start, sizeof start);
  v[12] ^= total;
  if (last) v[14] = ~v[14];
  for (int r = 0; r < 12; r++) {
    const unsigned char *s = sigma[r % 10];
    for (int i = 0; i < 4; i++) mix(v, i, 4 + i, 8 + i, 12 + i, m[s[2 * i]], m[s[2 * i + 1]]);
    for (int i = 0; i < 4; i++) mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
  }
  for (int i = 0; i < 8; i++) d->h[i] ^= v[i] ^ v[8 + i];
}

void sec_digest_begin(sec_digest *d) {
  memcpy(d->h, start, sizeof start);
  d->h[0] ^= 0x01010000 ^ SEC_DIGEST_BYTES;
  d->total = 0;
  d->filled = 0;
}

/* A full block waits until more comes: the last one is marked. */
void sec_digest_add(sec_digest *d, const void *data, size_t n) {
  const unsigned char *p = data;
  while (n) {
    if (d->filled == SEC_DIGEST_BLOCK) {
      d->total += SEC_DIGEST_BLOCK;
      compress(d, d->block, d->total, false);
      d->filled = 0;
    }
    size_t part = SEC_DIGEST_BLOCK - d->filled < n ? SEC_DIGEST_BLOCK - d->filled : n;
    memcpy(d->block + d->filled, p, part);
    d->filled += part;
    p += part;
    n -= part;
  }
}

void sec_digest_end(sec_digest *d, unsigned char out[SEC_DIGEST_BYTES]) {
  memset(d->block + d->filled, 0, SEC_DIGEST_BLOCK - d->filled);
  compress(d, d->block, d->total + d->filled, true);
  memcpy(out, d->h, SEC_DIGEST_BYTES);
}
