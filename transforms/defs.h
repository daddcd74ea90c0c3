/* The equations made so far in one trace, by the values that they define and by what they compute. */
#ifndef SEC_DEFS_H
#define SEC_DEFS_H

#include "replay.h"

typedef struct sec_def {
  const sec_primitive *prim;
  const sec_params *params; /* held by the trace's equation */
  const sec_value *in, *out;
  int n_in, n_out;
  uint64_t hash;
  struct sec_def *next; /* with the same hash bucket */
} sec_def;

typedef struct sec_defs {
  sec_context *cx;
  sec_arena *arena;
  sec_def **list;
  sec_map of; /* result -> place in the list */
  sec_def **buckets;
  uint32_t n, room, n_buckets;
} sec_defs;

sec_status sec_defs_begin(sec_defs *d, sec_context *cx);
void sec_defs_end(sec_defs *d);
/* An equation about to be made, and how it is looked up. */
typedef struct sec_candidate {
  const sec_primitive *prim;
  const sec_params *params; /* counted */
  sec_value *in;
  const sec_aval *const *out_avals;
  int n_in, n_out;
} sec_candidate;
sec_status sec_defs_add(sec_defs *d, const sec_candidate *c, const sec_value *out);
const sec_def *sec_defs_of(const sec_defs *d,
                           sec_value v); /* the equation that defined v, or NULL */
const sec_def *sec_defs_same(const sec_defs *d,
                             const sec_candidate *c); /* an equal equation, or NULL */

/* fold.c: rewrites *c by algebra until nothing fits any more.  True when it comes out as the value *out. */
bool sec_fold(const sec_defs *d, sec_candidate *c, sec_value *out);

#endif
