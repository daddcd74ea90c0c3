/* What the public operations do before they bind a strict primitive: NumPy broadcasting and JAX
 * promotion. Operands of equal type pass untouched, which is the fast path of tracing. */
#include "family.h"

#include <string.h>

/* The sizes counted from the last axis are equal or 1. */
static bool fit(const sec_aval *a, const sec_aval *b) {
  for (int d = 1; d <= a->rank && d <= b->rank; d++) {
    int64_t n = a->dims[a->rank - d], m = b->dims[b->rank - d];
    if (n != m && n != 1 && m != 1) return false;
  }
  return true;
}

/* Stretches dims[0 .. rank-1] to hold `a` as well; returns the new rank. */
static int join(const sec_aval *a, int rank, int64_t *dims) {
  if (a->rank > rank) {
    memmove(dims + (a->rank - rank), dims, (size_t)rank * sizeof *dims);
    for (int d = 0; d < a->rank - rank; d++) dims[d] = 1;
    rank = a->rank;
  }
  for (int d = 1; d <= a->rank; d++)
    if (dims[rank - d] == 1) dims[rank - d] = a->dims[a->rank - d];
  return rank;
}

/* The operand with its axes put last in the shape `dims`. */
static sec_value stretch(sec_value x, const sec_aval *aval, int rank, const int64_t *dims) {
  if (aval->rank == 0) return x;
  if (aval->rank == rank && memcmp(aval->dims, dims, (size_t)rank * sizeof *dims) == 0) return x;
  int64_t dimensions[SEC_MAX_RANK];
  for (int d = 0; d < aval->rank; d++) dimensions[d] = rank - aval->rank + d;
  return sec_broadcast_in_dim(x, rank, dims, dimensions);
}

bool sec_broadcast(const char *name, sec_value *v, int n) {
  int64_t dims[SEC_MAX_RANK];
  int rank = 0;
  for (int i = 0; i < n; i++) {
    const sec_aval *a = sec_value_aval(v[i]);
    if (!a) return false;
    for (int j = 0; j < i; j++) {
      const sec_aval *b = sec_value_aval(v[j]);
      if (fit(a, b)) continue;
      sec_error_set(SEC_SHAPE,
                    "make the sizes equal or 1, counted from the last axis, or reshape one operand",
                    "%s: shapes %s and %s do not broadcast", name, b->text, a->text);
      return false;
    }
    rank = join(a, rank, dims);
  }
  for (int i = 0; i < n; i++) {
    v[i] = stretch(v[i], sec_value_aval(v[i]), rank, dims);
    if (!sec_value_ok(v[i])) return false;
  }
  return true;
}

sec_dtype sec_promote_dtypes(sec_value *v, int n) {
  const sec_aval *first = sec_value_aval(v[0]);
  if (!first) return SEC_N_DTYPES;
  sec_dtype dtype = first->dtype;
  bool weak = first->weak;
  const sec_context *cx = sec_trace_context(sec_trace_current());
  for (int i = 1; i < n; i++) {
    const sec_aval *a = sec_value_aval(v[i]);
    if (!a) return SEC_N_DTYPES;
    if (a->dtype == dtype) weak = weak && a->weak;
    else dtype = sec_dtype_promote(cx, dtype, weak, a->dtype, a->weak, &weak);
  }
  for (int i = 0; i < n; i++) {
    const sec_aval *a = sec_value_aval(v[i]);
    bool hardens = a->weak && !weak && !sec_value_literal(v[i]); /* beside a strong operand a weak one is converted */
    if (a->dtype != dtype || hardens) v[i] = sec_convert(v[i], dtype, weak);
    if (!sec_value_ok(v[i])) return SEC_N_DTYPES;
  }
  return dtype;
}

sec_dtype sec_promote(const char *name, sec_value *v, int n) {
  sec_dtype dtype = sec_promote_dtypes(v, n);
  return dtype != SEC_N_DTYPES && sec_broadcast(name, v, n) ? dtype : SEC_N_DTYPES;
}

sec_dtype sec_promote2(const char *name, sec_value *x, sec_value *y) {
  const sec_aval *a = sec_value_aval(*x), *b = sec_value_aval(*y);
  if (!a || !b) return SEC_N_DTYPES;
  if (a == b) return a->dtype;
  sec_value v[2] = {*x, *y};
  sec_dtype dtype = sec_promote(name, v, 2);
  *x = v[0];
  *y = v[1];
  return dtype;
}

sec_value sec_to_float(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (!a || sec_dtype_kind(a->dtype) >= SEC_KIND_FLOAT) return a ? x : SEC_VALUE_POISON;
  const sec_context *cx = sec_trace_context(sec_trace_current());
  return sec_convert(x, sec_dtype_default(cx, SEC_KIND_FLOAT), a->weak);
}

sec_value sec_bind_promoted(const sec_primitive *prim, sec_value x, sec_value y) {
  if (sec_promote2(prim->name, &x, &y) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  return sec_bind2(prim, x, y, NULL);
}

sec_value sec_bind_float(const sec_primitive *prim, sec_value x) {
  x = sec_to_float(x);
  return sec_value_ok(x) ? sec_bind1(prim, x, NULL) : SEC_VALUE_POISON;
}

sec_value sec_bind_floats(const sec_primitive *prim, const sec_value *v, int n) {
  sec_value in[SEC_MAX_OPERANDS], out;
  for (int i = 0; i < n; i++) in[i] = v[i];
  if (sec_promote(prim->name, in, n) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  for (int i = 0; i < n; i++) in[i] = sec_to_float(in[i]);
  return sec_bind(prim, in, n, NULL, &out, 1) == SEC_OK ? out : SEC_VALUE_POISON;
}
