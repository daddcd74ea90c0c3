/* Special functions for generated code (lowering/math_call.c).  The block: the number n of lanes (int64), each operand's n
 * doubles, the result's. */
#include "runtime.h"

#include "special.h"

static void over_lanes(void *block, int n_in, double (*f)(const double *x)) {
  int64_t n = *(int64_t *)block;
  double *x = (double *)block + 1, *result = x + n_in * n, in[SEC_SPECIAL_MAX_IN];
  for (int64_t i = 0; i < n; i++) {
    for (int k = 0; k < n_in; k++) in[k] = x[k * n + i];
    result[i] = f(in);
  }
}

#define FUNCTION(name, n_in, narrow)                                                               \
  void sec_rt_##name(void **bufs, const int64_t *meta) {                                           \
    (void)meta;                                                                                    \
    over_lanes(bufs, n_in, sec_special_##name);                                                    \
  }
SEC_SPECIAL_FUNCTIONS(FUNCTION)
