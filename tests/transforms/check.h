/* Tracing, evaluating and comparing for the tests of the transforms.  All floats are f64. */
#ifndef TRANSFORMS_CHECK_H
#define TRANSFORMS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SEC_NO_LOCATIONS
#include "primitive.h"
#include <math.h>
#include <secant/axis.h>
#include <secant/ops.h>
#include <secant/transforms.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_IN = 6, MAX_OUT = 6 };

/* A function to test: operands of these shapes (rank -1 ends the list), and what it can do. */
typedef void (*function)(const sec_value *in, sec_value *out);
typedef struct shape {
  int rank;
  int64_t dims[3];
} shape;
typedef struct row {
  const char *name;
  function f;
  int n_in, n_out;
  shape in[MAX_IN];
  bool forward_only; /* no reverse mode */
  bool reverse_only; /* no forward mode */
  bool own_rule;     /* the derivative is the user's, not the function's */
} row;

#define S0                                                                                         \
  {                                                                                                \
    0, { 0 }                                                                                       \
  }
#define S(n)                                                                                       \
  {                                                                                                \
    1, { n }                                                                                       \
  }
#define S2(m, n)                                                                                   \
  {                                                                                                \
    2, { m, n }                                                                                    \
  }

static sec_context *cx;

/* Ends the test with the recorded error. */
#define OK(expression)                                                                             \
  do {                                                                                             \
    if ((expression) != SEC_OK) fail_msg("%s: %s", #expression, sec_error_message(cx));            \
  } while (0)

static sec_jaxpr *trace_named(const char *name, function f, const shape *in, int n_in, int n_out) {
  sec_trace *t = sec_trace_begin(cx, name);
  sec_value x[MAX_IN], y[MAX_OUT] = {{0, 0}};
  sec_jaxpr *j;
  for (int i = 0; i < n_in; i++) x[i] = sec_trace_input(t, SEC_F64, in[i].rank, in[i].dims);
  f(x, y);
  OK(sec_trace_end(t, y, n_out, &j));
  return j;
}
static inline sec_jaxpr *trace_row(const row *r) {
  return trace_named(r->name, r->f, r->in, r->n_in, r->n_out);
}

/* A body for control flow, from types. */
static inline sec_jaxpr *body(function f, const sec_value *like, int n_in, int n_out) {
  sec_trace *t;
  const sec_aval *avals[MAX_IN];
  sec_value x[MAX_IN], y[MAX_OUT] = {{0, 0}};
  sec_jaxpr *j;
  for (int i = 0; i < n_in; i++) avals[i] = sec_value_aval(like[i]);
  t = sec_trace_begin(cx, "body");
  for (int i = 0; i < n_in; i++) x[i] = sec_trace_input_aval(t, avals[i]);
  f(x, y);
  OK(sec_trace_end(t, y, n_out, &j));
  return j;
}

/* ---- values ---- */
static uint32_t seed = 1;
static inline double uniform(double low, double high) {
  seed = seed * 1664525u + 1013904223u;
  return low + (high - low) * (seed >> 8) / 16777216.0;
}

static inline sec_array *random_like(const sec_aval *a, double low, double high) {
  sec_array *x = sec_array_create_aval(cx, a);
  assert_non_null(x);
  for (int64_t i = 0; i < a->size; i++) {
    if (a->dtype == SEC_F64) ((double *)x->data)[i] = uniform(low, high);
    else
      memset((char *)x->data + (size_t)i * sec_dtype_size(a->dtype), 0, sec_dtype_size(a->dtype));
  }
  return x;
}

static inline void release_all(sec_array **a, int n) {
  for (int i = 0; i < n; i++) sec_array_release(a[i]);
}

static inline double at(const sec_array *a, int64_t i) {
  switch (a->aval->dtype) {
  case SEC_F64: return ((double *)a->data)[i];
  case SEC_F32: return (double)((float *)a->data)[i];
  case SEC_I32: return ((int32_t *)a->data)[i];
  case SEC_I64: return (double)((int64_t *)a->data)[i];
  default: return ((uint8_t *)a->data)[i];
  }
}

static inline void assert_close(const char *what, const sec_array *a, const sec_array *b,
                                double tolerance) {
  if (a->aval->size != b->aval->size || a->aval->rank != b->aval->rank)
    fail_msg("%s: %s and %s", what, a->aval->text, b->aval->text);
  for (int64_t i = 0; i < a->aval->size; i++) {
    double x = at(a, i), y = at(b, i);
    if ((isnan(x) && isnan(y)) || x == y) continue;
    if (!(fabs(x - y) <= tolerance * (1 + fabs(x) + fabs(y))))
      fail_msg("%s: element %lld: %.12g and %.12g", what, (long long)i, x, y);
  }
}

/* Element `lane` along the leading axis. */
static inline sec_array *lane_of(const sec_array *a, int64_t lane, const sec_aval *type) {
  sec_array *x = sec_array_create_aval(cx, type);
  assert_non_null(x);
  memcpy(x->data, (char *)a->data + (size_t)lane * x->bytes, x->bytes);
  return x;
}

/* Evaluates j, and again after simplification: both must agree and be well typed. */
static inline void eval(const sec_jaxpr *j, sec_array **in, sec_array **out) {
  sec_array *again[2 * (MAX_IN + MAX_OUT)];
  sec_jaxpr *simple;
  OK(sec_jaxpr_check(j));
  OK(sec_jaxpr_eval(j, in, out));
  OK(sec_jaxpr_simplify(j, true, &simple));
  OK(sec_jaxpr_check(simple));
  assert_int_equal(simple->n_in, j->n_in);
  OK(sec_jaxpr_eval(simple, in, again));
  for (uint32_t i = 0; i < j->n_out; i++) assert_close("simplify", out[i], again[i], 1e-12);
  release_all(again, (int)j->n_out);
  sec_jaxpr_release(simple);
}

#endif
