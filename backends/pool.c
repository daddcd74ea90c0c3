/* The buffer pool: size classes, a list of free blocks for each, and for small classes a list of
 * the thread's own in front.  Invariant: a block's class follows from the size it was asked for, so
 * blocks have no headers. */
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
  N_CLASSES = 160,
  N_SMALL = 32,           /* classes of blocks up to 32 KiB */
  SMALL_BYTES = 64 << 10, /* what a thread keeps of one class */
  SMALL_COUNT = 64,       /* and at most so many blocks */
  ALIGNMENT = 64
};

#define MAX_BYTES ((size_t)1 << 46)
#define HUGE_PAGE ((size_t)2 << 20) /* blocks from this size on are mapped */
#define DEFAULT_LIMIT ((size_t)1 << 30)

typedef struct free_block {
  struct free_block *next;
} free_block;

typedef struct small_cache {
  free_block *blocks[N_SMALL];
  int counts[N_SMALL];
  enum { CACHE_NEW, CACHE_LIVE, CACHE_DEAD } state;
} small_cache;

static _Thread_local small_cache cache;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t cache_key; /* its destructor empties an ending thread's cache */

static struct {
  pthread_mutex_t lock;
  free_block *blocks[N_CLASSES];
  uint64_t used_at[N_CLASSES]; /* value of `clock` at the last use of the class */
  uint64_t clock;
  size_t limit;
  sec_pool_stats stats;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Classes: 64, 128, 192, 256, then four steps to each power of two. */
static int class_of(size_t bytes) {
  if (bytes <= 256)
    return bytes ? (int)((bytes - 1) / ALIGNMENT) : 0;
  int shift = 63 - __builtin_clzll(bytes - 1);
  return 4 * (shift - 8) + (int)((bytes - 1) >> (shift - 2));
}

static size_t class_bytes(int c) {
  if (c < 4)
    return (size_t)ALIGNMENT * (size_t)(c + 1);
  return (size_t)(c % 4 + 5) << (c / 4 - 1 + 6);
}

/* ---- the system ---------------------------------------------------------------------------- */

/* Maps `bytes` at a multiple of the huge page, so that all of it but the end can be huge pages. */
static void *map_block(size_t bytes) {
  size_t mapped = bytes + HUGE_PAGE;
  char *base = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    return NULL;
  size_t before = (HUGE_PAGE - (uintptr_t)base % HUGE_PAGE) % HUGE_PAGE;
  if (before)
    munmap(base, before);
  munmap(base + before + bytes, mapped - before - bytes);
  madvise(base + before, bytes, MADV_HUGEPAGE); /* a wish: nothing depends on it */
  return base + before;
}

static void *system_alloc(size_t bytes) {
  return bytes >= HUGE_PAGE ? map_block(bytes) : aligned_alloc(ALIGNMENT, bytes);
}

static void system_free(void *block, size_t bytes) {
  if (bytes >= HUGE_PAGE)
    munmap(block, bytes);
  else
    free(block);
}

/* ---- the shared lists: all need the lock --------------------------------------------------- */

static free_block *shared_pop(int c) {
  free_block *block = shared.blocks[c];
  if (block) {
    shared.blocks[c] = block->next;
    shared.stats.kept -= class_bytes(c);
  }
  shared.used_at[c] = ++shared.clock;
  return block;
}

static void shared_release(void *block, int c) {
  shared.stats.reserved -= class_bytes(c);
  system_free(block, class_bytes(c));
}

/* The class with blocks whose last use is longest ago; -1 if nothing is kept. */
static int oldest_class(void) {
  int oldest = -1;
  for (int c = 0; c < N_CLASSES; c++)
    if (shared.blocks[c] && (oldest < 0 || shared.used_at[c] < shared.used_at[oldest]))
      oldest = c;
  return oldest;
}

/* Releases kept blocks until no more than `bytes` are kept. */
static void shared_shrink(size_t bytes) {
  while (shared.stats.kept > bytes) {
    int c = oldest_class();
    uint64_t used_at = shared.used_at[c];
    shared_release(shared_pop(c), c);
    shared.used_at[c] = used_at;
  }
}

static void shared_push(void *memory, int c) {
  size_t bytes = class_bytes(c);
  if (bytes > shared.limit) {
    shared_release(memory, c);
    return;
  }
  shared_shrink(shared.limit - bytes);
  free_block *block = memory;
  block->next = shared.blocks[c];
  shared.blocks[c] = block;
  shared.used_at[c] = ++shared.clock;
  shared.stats.kept += bytes;
}

static void stats_count(size_t bytes) {
  sec_pool_stats *s = &shared.stats;
  s->fresh++;
  s->reserved += bytes;
  if (s->reserved > s->reserved_peak)
    s->reserved_peak = s->reserved;
}

/* ---- threads ------------------------------------------------------------------------------- */

/* Moves blocks of class `c` to the shared list until `left` stay.  Needs the lock. */
static void cache_flush(small_cache *own, int c, int left) {
  while (own->counts[c] > left) {
    free_block *block = own->blocks[c];
    own->blocks[c] = block->next;
    own->counts[c]--;
    shared_push(block, c);
  }
}

static void cache_flush_all(small_cache *own) {
  pthread_mutex_lock(&shared.lock);
  for (int c = 0; c < N_SMALL; c++)
    cache_flush(own, c, 0);
  pthread_mutex_unlock(&shared.lock);
}

static void cache_end(void *own) {
  cache_flush_all(own);
  ((small_cache *)own)->state = CACHE_DEAD;
}

static void fork_lock(void) {
  pthread_mutex_lock(&shared.lock);
}

static void fork_unlock(void) {
  pthread_mutex_unlock(&shared.lock);
}

static void start(void) {
  const char *chosen = getenv("SECANT_POOL_BYTES");
  shared.limit = chosen && *chosen ? (size_t)strtoull(chosen, NULL, 10) : DEFAULT_LIMIT;
  pthread_atfork(fork_lock, fork_unlock, fork_unlock);
  if (pthread_key_create(&cache_key, cache_end) != 0)
    cache_key = (pthread_key_t)-1; /* no key: setting it fails, and threads get no caches */
}

/* The thread's cache, made known to its end; NULL when the thread ends or cannot have one. */
static small_cache *cache_open(void) {
  pthread_once(&once, start);
  if (cache.state == CACHE_NEW)
    cache.state = pthread_setspecific(cache_key, &cache) == 0 ? CACHE_LIVE : CACHE_DEAD;
  return cache.state == CACHE_LIVE ? &cache : NULL;
}

static int cache_capacity(int c) {
  size_t n = SMALL_BYTES / class_bytes(c);
  return n < SMALL_COUNT ? (int)n : SMALL_COUNT;
}

/* ---- the interface ------------------------------------------------------------------------- */

static void *block_fresh(int c) {
  size_t bytes = class_bytes(c);
  void *block = system_alloc(bytes);
  if (!block) {
    sec_pool_trim();
    block = system_alloc(bytes);
  }
  if (block) {
    pthread_mutex_lock(&shared.lock);
    stats_count(bytes);
    pthread_mutex_unlock(&shared.lock);
  }
  return block;
}

void *sec_pool_alloc(size_t bytes) {
  if (bytes > MAX_BYTES)
    return NULL;
  int c = class_of(bytes);
  if (c < N_SMALL && cache.blocks[c]) {
    free_block *block = cache.blocks[c];
    cache.blocks[c] = block->next;
    cache.counts[c]--;
    return block;
  }
  pthread_once(&once, start);
  pthread_mutex_lock(&shared.lock);
  void *block = shared_pop(c);
  pthread_mutex_unlock(&shared.lock);
  return block ? block : block_fresh(c);
}

void sec_pool_free(void *memory, size_t bytes) {
  if (!memory)
    return;
  int c = class_of(bytes);
  small_cache *own = NULL;
  if (c < N_SMALL)
    own = cache.state == CACHE_LIVE ? &cache : cache_open();
  if (own && own->counts[c] < cache_capacity(c)) {
    free_block *block = memory;
    block->next = own->blocks[c];
    own->blocks[c] = block;
    own->counts[c]++;
    return;
  }
  pthread_mutex_lock(&shared.lock);
  if (own)
    cache_flush(own, c, cache_capacity(c) / 2);
  shared_push(memory, c);
  pthread_mutex_unlock(&shared.lock);
}

void sec_pool_trim(void) {
  pthread_once(&once, start);
  cache_flush_all(&cache);
  pthread_mutex_lock(&shared.lock);
  shared_shrink(0);
  pthread_mutex_unlock(&shared.lock);
}

void sec_pool_set_limit(size_t bytes) {
  pthread_once(&once, start);
  pthread_mutex_lock(&shared.lock);
  shared.limit = bytes;
  shared_shrink(bytes);
  pthread_mutex_unlock(&shared.lock);
}

sec_pool_stats sec_pool_stats_get(void) {
  pthread_mutex_lock(&shared.lock);
  sec_pool_stats stats = shared.stats;
  pthread_mutex_unlock(&shared.lock);
  return stats;
}
