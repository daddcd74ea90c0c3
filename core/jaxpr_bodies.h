/* The jaxprs inside a jaxpr: which of them its text writes in front, once, under a name. */
#ifndef SEC_JAXPR_BODIES_H
#define SEC_JAXPR_BODIES_H

#include "ir.h"

typedef struct sec_body {
  const sec_jaxpr *j;
  bool             shared; /* met twice, or long */
  uint32_t         visits;
  const char      *name;   /* of a shared one, with `number` behind it unless that is 0 */
  int              name_length, number;
} sec_body;

typedef struct sec_bodies {
  sec_body *list; /* level by level; the whole jaxpr is the first */
  uint32_t *slots, n, n_slots, n_shared;
} sec_bodies;

/* False without memory; what it holds is freed by sec_bodies_free in any case. */
bool            sec_bodies_collect(sec_bodies *b, const sec_jaxpr *whole);
const sec_body *sec_bodies_find(const sec_bodies *b, const sec_jaxpr *j);
/* Whether a shared one is called so. */
bool            sec_bodies_names(const sec_bodies *b, const char *name);
void            sec_bodies_free(sec_bodies *b);

#endif
