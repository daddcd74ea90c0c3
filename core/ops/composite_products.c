/* Products of vectors: vdot, inner, outer. */
#include "composite.h"

static sec_value flat(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  return a != NULL ? sec_reshape(x, 1, &a->size) : SEC_VALUE_POISON;
}

sec_value sec_vdot(sec_value x, sec_value y) {
  sec_value v[2] = {flat(x), flat(y)};
  return sec_promote_dtypes(v, 2) != SEC_N_DTYPES ? sec_dot(v[0], v[1]) : SEC_VALUE_POISON;
}

sec_value sec_outer(sec_value x, sec_value y) {
  const int64_t last = 1, first = 0;
  return sec_mul(sec_expand_dims(flat(x), &last, 1), sec_expand_dims(flat(y), &first, 1));
}

sec_value sec_inner(sec_value x, sec_value y) {
  sec_value v[2] = {x, y};
  if (sec_promote_dtypes(v, 2) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  const sec_aval *a = sec_value_aval(x), *b = sec_value_aval(y);
  if (a->rank == 0 || b->rank == 0) return sec_mul(x, y);
  int64_t left = a->rank - 1, right = b->rank - 1;
  return sec_dot_general(v[0], v[1], &(sec_dot_dims){&left, &right, NULL, NULL, 1, 0},
                         SEC_N_DTYPES);
}
