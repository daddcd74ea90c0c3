/* Arrays from numbers: ranges, identity matrices, one-hot rows. */
#include "composite.h"
#include <math.h>

static sec_value literal(sec_dtype dtype, double x) {
  return sec_literal_of(dtype, false, x, (int64_t)x);
}

sec_value sec_eye(sec_dtype dtype, int64_t rows, int64_t columns, int64_t k) {
  int64_t dims[2] = {rows, columns};
  sec_value row = sec_iota(SEC_I64, 2, dims, 0), column = sec_iota(SEC_I64, 2, dims, 1);
  return sec_convert(sec_eq(sec_add(row, literal(SEC_I64, (double)k)), column), dtype, false);
}

sec_value sec_arange(sec_dtype dtype, double start, double stop, double step) {
  double steps = ceil((stop - start) / step);
  if (step == 0 || !(steps < 0x1p53)) {
    sec_error_set(SEC_ARGUMENT, "give a step that leads from start to stop",
                  "arange: from %g to %g in steps of %g", start, stop, step);
    return SEC_VALUE_POISON;
  }
  int64_t n = steps > 0 ? (int64_t)steps : 0;
  sec_value index = sec_iota(dtype, 1, &n, 0);
  if (step != 1) index = sec_mul(index, literal(dtype, step));
  return start != 0 ? sec_add(index, literal(dtype, start)) : index;
}

/* start * (1 - t) + stop * t; the last number is `stop` itself. */
sec_value sec_linspace(sec_dtype dtype, double start, double stop, int64_t n, bool endpoint) {
  if (n < 0 || sec_dtype_kind(dtype) != SEC_KIND_FLOAT) {
    sec_error_set(SEC_ARGUMENT, "ask for a float type and 0 numbers or more",
                  "linspace: %" PRId64 " numbers of type %s", n, sec_dtype_name(dtype));
    return SEC_VALUE_POISON;
  }
  int64_t spaces = endpoint ? n - 1 : n;
  sec_value index = sec_iota(dtype, 1, &n, 0);
  if (spaces <= 0) return sec_add(sec_mul(index, literal(dtype, 0)), literal(dtype, start));
  sec_value t = sec_div(index, literal(dtype, (double)spaces));
  sec_value from = sec_mul(literal(dtype, start), sec_sub(literal(dtype, 1), t));
  sec_value x = sec_add(from, sec_mul(literal(dtype, stop), t));
  sec_value last = sec_eq(index, literal(dtype, (double)spaces));
  return endpoint ? sec_where(last, literal(dtype, stop), x) : x;
}

sec_value sec_one_hot(sec_value indices, int64_t n, sec_dtype dtype) {
  const sec_aval *a = sec_value_aval(indices);
  if (a == NULL) return SEC_VALUE_POISON;
  if (sec_dtype_kind(a->dtype) != SEC_KIND_INT && sec_dtype_kind(a->dtype) != SEC_KIND_UINT) {
    sec_error_set(SEC_TYPE, "convert them to i32", "one_hot: the indices are %s, not integers",
                  a->text);
    return SEC_VALUE_POISON;
  }
  const int64_t last = -1;
  sec_value wide = sec_expand_dims(indices, &last, 1);
  return sec_convert(sec_eq(wide, sec_iota(a->dtype, 1, &n, 0)), dtype, false);
}
