/* The registry: every SEC_PRIMITIVE block of core/ops, from the list that the build's scan writes. */
#include "primitive.h"
#include <string.h>

#define SEC_PRIMITIVE_NAME(id) SEC_DECLARE_PRIMITIVE(id)
#include "primitives.inc"
#undef SEC_PRIMITIVE_NAME

static const sec_primitive *const table[] = {
#define SEC_PRIMITIVE_NAME(id) &sec_##id##_p,
#include "primitives.inc"
#undef SEC_PRIMITIVE_NAME
};

int                  sec_n_primitives(void) { return (int)(sizeof table / sizeof *table); }
const sec_primitive *sec_primitive_at(int i) { return table[i]; }

const sec_primitive *sec_primitive_find(const char *name) {
  for (int i = 0; i < sec_n_primitives(); i++)
    if (strcmp(table[i]->name, name) == 0) return table[i];
  return NULL;
}
