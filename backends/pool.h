/* Memory for arrays and arenas.  Freed blocks are kept for the next allocation of their size class,
 * because a fresh block costs more in page faults than most kernels take to fill it.
 *
 * All functions may be called from any thread; a block may be freed on another thread than its own.
 */
#ifndef SEC_POOL_H
#define SEC_POOL_H

#include <stddef.h>
#include <stdint.h>

/* A block of at least `bytes` bytes, aligned to 64, contents undefined.  NULL if there is no
 * memory. 0 bytes give a block too. */
void *sec_pool_alloc(size_t bytes);

/* Gives back a block; `bytes` is what it was allocated with.  NULL is allowed. */
void sec_pool_free(void *block, size_t bytes);

/* Returns kept blocks to the system: all but those in the small caches of other threads. */
void sec_pool_trim(void);

/* Sets how many bytes may be kept; at first $SECANT_POOL_BYTES, else 1 GiB. */
void sec_pool_set_limit(size_t bytes);

typedef struct sec_pool_stats {
  size_t reserved;      /* bytes taken from the system and not returned */
  size_t reserved_peak; /* the most of them so far */
  size_t kept;          /* bytes of `reserved` that wait for use, without threads' small caches */
  uint64_t fresh;       /* blocks taken from the system so far */
} sec_pool_stats;

sec_pool_stats sec_pool_stats_get(void);

#endif
