/* Digests: BLAKE2b with 32 bytes of result (RFC 7693).  For keys and contents of files, where hash.h is too weak. */
#ifndef SEC_DIGEST_H
#define SEC_DIGEST_H
#include <stddef.h>
#include <stdint.h>

enum { SEC_DIGEST_BYTES = 32, SEC_DIGEST_BLOCK = 128 };

typedef struct sec_digest {
  uint64_t      h[8], total; /* bytes before the block */
  unsigned char block[SEC_DIGEST_BLOCK];
  size_t        filled;
} sec_digest;

void sec_digest_begin(sec_digest *d);
void sec_digest_add(sec_digest *d, const void *data, size_t n);
void sec_digest_end(sec_digest *d, unsigned char out[SEC_DIGEST_BYTES]);

#endif
