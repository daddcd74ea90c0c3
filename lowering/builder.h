/* The text-writing element builder behind core/lower.h.  One builder writes into one growable text;
 * `lanes` may be changed between calls (1 = scalar code).  SSA names are %<prefix><id>; ids grow. */
#ifndef SEC_BUILDER_H
#define SEC_BUILDER_H

#include "lower.h"
#include <stddef.h>

typedef struct sec_text { char *data; size_t size, capacity; } sec_text; /* zero-initialise; sec_mem_free(data) */
void sec_text_append(sec_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct sec_builder {
  sec_text *out;
  uint32_t  next_id;   /* next SSA id: values are named %v<id> */
  int       lanes;     /* 1: scalar types; n > 1: vector<n x type> */
  const char *error;   /* set, and code emission continues harmlessly, when a request can't be met */
};

sec_lv sec_b_new(sec_builder *b, sec_ltype type);              /* a fresh value id, nothing written */
const char *sec_lt_name(sec_ltype type);                       /* "f32", "i1" */
/* The MLIR type of a value of `type` under the builder's lanes ("f32" or "vector<16xf32>"), written to `buffer`. */
const char *sec_b_type(const sec_builder *b, sec_ltype type, char buffer[40]);

#endif
