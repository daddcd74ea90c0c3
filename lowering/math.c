/* The table of the math library. */
#include "math_library.h"

#include <string.h>

static const sec_math_function functions[] = {
#define ROW(name, n_in, native_narrow) {#name, n_in, native_narrow, sec_math_##name},
  SEC_MATH_FUNCTIONS(ROW)
#undef ROW
};

const sec_math_function *sec_math_find(const char *name) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (!strcmp(functions[i].name, name)) return &functions[i];
  return NULL;
}
