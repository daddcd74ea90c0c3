/* Abstract values, interned: one struct for each (dtype, weak, shape) of a context. */
#include "hash.h"
#include "ir.h"
#include "memory.h"
#include <stdio.h>
#include <string.h>

static uint64_t aval_hash(sec_dtype dtype, bool weak, int rank, const int64_t *dims) {
  uint64_t h = sec_hash_word(0x5ec, (uint64_t)dtype * 2 + weak);
  for (int d = 0; d < rank; d++) h = sec_hash_word(h, (uint64_t)dims[d]);
  return sec_hash_word(h, (uint64_t)rank);
}

static char *aval_text(sec_dtype dtype, int rank, const int64_t *dims) {
  char   buffer[32 + 21 * SEC_MAX_RANK];
  size_t n = (size_t)snprintf(buffer, sizeof buffer, "%s[", sec_dtype_name(dtype));
  for (int d = 0; d < rank; d++)
    n += (size_t)snprintf(buffer + n, sizeof buffer - n, "%s%lld", d ? "," : "", (long long)dims[d]);
  snprintf(buffer + n, sizeof buffer - n, "]");
  return sec_mem_strdup(buffer);
}

static bool table_grow(sec_context *cx) {
  uint32_t          slots = cx->aval_slots ? 2 * cx->aval_slots : 256;
  struct sec_aval **table = sec_mem_zeroed(slots, sizeof *table);
  if (!table) return false;
  for (uint32_t s = 0; s < cx->aval_slots; s++)
    for (struct sec_aval *a = cx->avals[s], *next; a; a = next) {
      next = a->next;
      a->next = table[a->hash & (slots - 1)];
      table[a->hash & (slots - 1)] = a;
    }
  sec_mem_free(cx->avals);
  cx->avals = table;
  cx->aval_slots = slots;
  return true;
}

static const sec_aval *aval_intern(sec_context *cx, sec_dtype dtype, bool weak, int rank, const int64_t *dims,
                                   int64_t size) {
  uint64_t h = aval_hash(dtype, weak, rank, dims);
  if (cx->aval_slots)
    for (struct sec_aval *a = cx->avals[h & (cx->aval_slots - 1)]; a; a = a->next)
      if (a->hash == h && a->dtype == dtype && a->weak == weak && a->rank == rank &&
          (rank == 0 || memcmp(a->dims, dims, (size_t)rank * sizeof *dims) == 0))
        return a;
  if (cx->n_avals >= cx->aval_slots && !table_grow(cx)) return NULL;
  struct sec_aval *a = sec_mem_zeroed(1, sizeof *a);
  if (!a) return NULL;
  *a = (struct sec_aval){.dtype = dtype, .weak = weak, .rank = rank, .size = size, .hash = h};
  if (rank) memcpy(a->dims, dims, (size_t)rank * sizeof *dims);
  a->text = aval_text(dtype, rank, dims);
  if (!a->text) {
    sec_mem_free(a);
    return NULL;
  }
  struct sec_aval **slot = &cx->avals[h & (cx->aval_slots - 1)];
  a->next = *slot;
  *slot = a;
  cx->n_avals++;
  return a;
}

const sec_aval *sec_aval_get(sec_context *cx, sec_dtype dtype, bool weak, int rank, const int64_t *dims) {
  if (rank < 0 || rank > SEC_MAX_RANK) {
    sec_error_set(SEC_SHAPE, "combine axes with reshape", "shape: rank %d is more than %d axes", rank, SEC_MAX_RANK);
    return NULL;
  }
  int64_t size = 1, extent = 1;
  for (int d = 0; d < rank; d++) {
    if (dims[d] < 0) {
      sec_error_set(SEC_SHAPE, "sizes are 0 or more", "shape: axis %d has size %lld", d, (long long)dims[d]);
      return NULL;
    }
    size *= dims[d] ? 1 : 0; /* any empty axis empties the shape, yet the others may not overflow */
    if (dims[d] && __builtin_mul_overflow(extent, dims[d], &extent)) extent = -1;
    if (extent < 0 || extent > INT64_MAX / 16) {
      sec_error_set(SEC_SHAPE, NULL, "shape: the number of elements overflows 64 bits");
      return NULL;
    }
  }
  pthread_mutex_lock(&cx->lock);
  const sec_aval *a = aval_intern(cx, dtype, weak, rank, dims, size * extent);
  pthread_mutex_unlock(&cx->lock);
  if (!a) sec_error_set(SEC_MEMORY, NULL, "out of memory: no type could be made");
  return a;
}

void sec_aval_table_free(sec_context *cx) {
  for (uint32_t s = 0; s < cx->aval_slots; s++)
    for (struct sec_aval *a = cx->avals[s], *next; a; a = next) {
      next = a->next;
      sec_mem_free(a->text);
      sec_mem_free(a);
    }
  sec_mem_free(cx->avals);
}

sec_dtype      sec_aval_dtype(const sec_aval *a) { return a->dtype; }
bool           sec_aval_weak(const sec_aval *a) { return a->weak; }
int            sec_aval_rank(const sec_aval *a) { return a->rank; }
const int64_t *sec_aval_dims(const sec_aval *a) { return a->dims; }
int64_t        sec_aval_size(const sec_aval *a) { return a->size; }
const char    *sec_aval_text(const sec_aval *a) { return a->text; }
