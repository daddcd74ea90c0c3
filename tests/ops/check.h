/* Helpers of the generic tests: random arrays, comparison, evaluation.  Header only: each test is
 * one program. */
#ifndef SEC_TEST_CHECK_H
#define SEC_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <secant.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "primitive.h"

enum { CHECK_MAX = 64 }; /* operands or results of a tested jaxpr */

double  sec_get_f(const sec_array *a, int64_t i);
int64_t sec_get_i(const sec_array *a, int64_t i);
void    sec_put_f(sec_array *a, int64_t i, double x);
double _Complex sec_get_c(const sec_array *a, int64_t i);
void            sec_put_c(sec_array *a, int64_t i, double _Complex x);
void    sec_put_i(sec_array *a, int64_t i, int64_t x);

static uint64_t      check_seed = 1;
static inline double check_uniform(double low, double high) { /* splitmix64 */
  uint64_t z = (check_seed += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return low + (high - low) * (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static inline void check_reseed(const char *name) {
  for (check_seed = 0; *name; name++) check_seed = check_seed * 31 + (unsigned char)*name;
}

/* Floats and complex numbers. */
static inline bool check_is_float(const sec_aval *a) {
  return sec_dtype_kind(a->dtype) >= SEC_KIND_FLOAT;
}

static inline double check_get(const sec_array *a, int64_t i) {
  return check_is_float(a->aval) ? sec_get_f(a, i) : (double)sec_get_i(a, i);
}

/* Floats from [low, high]; small integers of either sign, bools. */
static inline sec_array *check_random(sec_context *cx, const sec_aval *aval, double low,
                                      double high) {
  sec_array *a = sec_array_create_aval(cx, aval);
  assert_non_null(a);
  sec_kind kind = sec_dtype_kind(aval->dtype);
  for (int64_t i = 0; i < aval->size; i++) {
    if (kind == SEC_KIND_COMPLEX) {
      double re = check_uniform(low, high);
      sec_put_c(a, i, __builtin_complex(re, check_uniform(low, high)));
    } else if (kind == SEC_KIND_FLOAT) sec_put_f(a, i, check_uniform(low, high));
    else if (kind == SEC_KIND_BOOL) sec_put_i(a, i, check_uniform(0, 1) < 0.5);
    else
      sec_put_i(
          a, i,
          (int64_t)floor(kind == SEC_KIND_INT ? check_uniform(-9, 10) : check_uniform(0, 18)));
  }
  return a;
}

static inline void check_release(sec_array **a, int n) {
  for (int i = 0; i < n; i++) {
    sec_array_release(a[i]);
    a[i] = NULL;
  }
}

/* Relative and absolute: the compiled math is good to a few ulp, reductions to some more.  f16 and bf16 are
 * computed in f32 and rounded once, which may go the other way than the evaluator's: one ulp. */
static inline double check_tolerance(sec_dtype d) {
  return d == SEC_F64 || d == SEC_C128 ? 2e-12
         : d == SEC_F32 ? 5e-6
         : d == SEC_C64 ? 2e-5 /* sums are twice as long */
         : d == SEC_F16  ? 0x1p-10
         : d == SEC_BF16 ? 0x1p-7
                         : 0;
}

static inline bool check_near(double a, double b, double tolerance) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  if (a == b) return true;
  return fabs(a - b) <= tolerance * (1 + fmax(fabs(a), fabs(b)));
}

static inline bool check_near_complex(double _Complex a, double _Complex b, double tolerance) {
  return check_near(__real__ a, __real__ b, tolerance) && check_near(__imag__ a, __imag__ b, tolerance);
}

/* Prints the first difference. */
static inline bool check_same(const char *what, const sec_array *a, const sec_array *b,
                              double tolerance) {
  if (strcmp(sec_aval_text(a->aval), sec_aval_text(b->aval)) != 0) {
    print_error("%s: types %s and %s\n", what, sec_aval_text(a->aval), sec_aval_text(b->aval));
    return false;
  }
  bool is_float = check_is_float(a->aval);
  for (int64_t i = 0; i < a->aval->size; i++) {
    bool same = is_float ? check_near_complex(sec_get_c(a, i), sec_get_c(b, i), tolerance)
                         : sec_get_i(a, i) == sec_get_i(b, i);
    if (same) continue;
    print_error("%s: %s, element %" PRId64 ": %.17g and %.17g\n", what, sec_aval_text(a->aval), i,
                check_get(a, i), check_get(b, i));
    if (sec_dtype_kind(a->aval->dtype) == SEC_KIND_COMPLEX)
      print_error("  imaginary parts %.17g and %.17g\n", __imag__ sec_get_c(a, i), __imag__ sec_get_c(b, i));
    return false;
  }
  return true;
}

static inline void check_print_jaxpr(const char *title, const sec_jaxpr *j) {
  char *text = j ? sec_jaxpr_print(j) : NULL;
  print_error("%s:\n%s\n", title, text ? text : "(none)");
  free(text);
}

/* Fails the test with the error and the jaxpr unless status is OK. */
static inline void check_ok(sec_status status, const char *what, const sec_jaxpr *j) {
  if (status == SEC_OK) return;
  print_error("%s: %s: %s\n", what, sec_status_name(status), sec_error_message(NULL));
  if (j) check_print_jaxpr(what, j);
  sec_error_clear(NULL);
  fail();
}

static inline void check_eval(const sec_jaxpr *j, sec_array **in, sec_array **out,
                              const char *what) {
  assert_true(sec_jaxpr_n_out(j) <= CHECK_MAX);
  check_ok(sec_jaxpr_eval(j, in, out), what, j);
}

/* Well-typed, and print -> parse -> print is a fixed point. */
static inline void check_text(sec_context *cx, const sec_jaxpr *j, const char *what) {
  check_ok(sec_jaxpr_check(j), what, j);
  char      *first = sec_jaxpr_print(j), *second;
  sec_jaxpr *back = NULL;
  assert_non_null(first);
  check_ok(sec_jaxpr_parse(cx, first, &back), what, j);
  second = sec_jaxpr_print(back);
  assert_string_equal(first, second);
  sec_jaxpr_release(back);
  free(first);
  free(second);
}

/* x + h dx, for floats; other arrays are retained. */
static inline sec_array *check_step(sec_context *cx, sec_array *x, const sec_array *dx, double h) {
  if (!dx) return sec_array_retain(x);
  sec_array *y = sec_array_create_aval(cx, x->aval);
  assert_non_null(y);
  for (int64_t i = 0; i < x->aval->size; i++)
    sec_put_c(y, i, sec_get_c(x, i) + h * sec_get_c(dx, i));
  return y;
}

/* Lane `lane` of axis `axis`. */
static inline sec_array *check_lane(sec_context *cx, const sec_array *a, int axis, int64_t lane) {
  const int64_t *from = a->aval->dims;
  int64_t        dims[SEC_MAX_RANK], inner = 1, outer = 1, size = from[axis];
  int            rank = 0;
  for (int d = 0; d < axis; d++) outer *= dims[rank++] = from[d];
  for (int d = axis + 1; d < a->aval->rank; d++) inner *= dims[rank++] = from[d];
  sec_array *out = sec_array_create(cx, a->aval->dtype, rank, dims);
  assert_non_null(out);
  size_t bytes = sec_dtype_size(a->aval->dtype) * (size_t)inner;
  for (int64_t o = 0; o < outer; o++)
    if (bytes)
      memcpy((char *)out->data + (size_t)o * bytes,
             (char *)a->data + (size_t)(o * size + lane) * bytes, bytes);
  return out;
}

/* The pairing of JAX: the real part of products without conjugates. */
static inline double check_dot(const sec_array *a, const sec_array *b) {
  double sum = 0;
  for (int64_t i = 0; i < a->aval->size; i++) sum += __real__(sec_get_c(a, i) * sec_get_c(b, i));
  return sum;
}

#endif
