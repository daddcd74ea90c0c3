/* The math library against long double libm: every function, f32 and f64, scalar and vector code,
 * on special values, on random bit patterns (the whole range) and on an interval where it is used
 * most. */
#include "backends/compiler.h"
#include "backends/cpu/runtime.h"
#include "lowering/builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef SAMPLES
#define SAMPLES                                                                                    \
  32768 /* random points of a kind for vector code; an eighth of that for scalar code */
#endif

typedef long double (*reference_1)(long double x);
typedef long double (*reference_2)(long double x, long double y);

/* One function: its exact value, an interval of frequent operands and the largest error allowed, in
 * units in the last place; 0 asks for the correctly rounded result. */
typedef struct row {
  const char *name;
  reference_1 one;
  reference_2 two;
  double low, high;
  double ulp_f32, ulp_f64;
  double least[2]; /* size by which errors are measured at least: zeros at operands >= 0, and below */
} row;

static long double logistic_reference(long double x) { return 1 / (1 + expl(-x)); }
static long double rsqrt_reference(long double x) { return 1 / sqrtl(x); }

/* The root of erf(y) = x by Newton's rule on the smaller of erf and erfc, from Winitzki's estimate.
 */
static long double erf_inv_reference(long double x) {
  const long double half_root_pi = 0.886226925452758013649083741670572592L;
  long double a = fabsl(x), w = log1pl(-a * a), m = 4.33L + w / 2;
  if (!(a < 1) || a == 0) return a == 0 ? x : a == 1 ? x * INFINITY : NAN;
  if (a < 1e-9L) return x * half_root_pi;
  long double y = sqrtl(sqrtl(m * m - w / 0.147L) - m);
  for (int i = 0; i < 8; i++) {
    long double error = a < 0.5L ? erfl(y) - a : (1 - a) - erfcl(y);
    y -= error * half_root_pi * expl(y * y);
  }
  return copysignl(y, x);
}

/* exp(-|x|) I of order 0 and 1: the ascending series, beyond 40 the asymptotic one. */
static long double scaled_i(long double x, int order) {
  long double a = fabsl(x), term = 1, total = 1;
  if (isnan(a)) return a;
  if (a < 40) {
    for (int k = 1; term > 1e-21L * total; k++) total += term *= a * a / (4.0L * k * (k + order));
    return expl(-a) * total * (order ? a / 2 : 1);
  }
  for (int k = 1; fabsl(term) > 1e-21L; k++)
    total += term *= ((2.0L * k - 1) * (2 * k - 1) - 4 * order) / (8 * k * a);
  return total / sqrtl(2 * 3.14159265358979323846264338327950288L * a);
}
static long double bessel_i0e_reference(long double x) { return scaled_i(x, 0); }
static long double bessel_i1e_reference(long double x) { return copysignl(scaled_i(x, 1), x); }

static long double erfcx_reference(long double x) {
  long double sum = 1, term = 1;
  if (x < 50) return x < -30 ? INFINITY : expl(x * x) * erfcl(x);
  for (int k = 1; k < 6; k++) sum += term *= -(2 * k - 1) / (2 * x * x);
  return sum / x * 0.564189583547756286948079451560772586L;
}

static const long double pi = 3.14159265358979323846264338327950288L;

static long double digamma_reference(long double x) {
  static const long double terms[] = {1.L / 12, -1.L / 120, 1.L / 252, -1.L / 240, 1.L / 132, -691.L / 32760, 1.L / 12};
  long double shift = 0, series = 0;
  if (x <= 0) {
    if (x == floorl(x)) return NAN;
    long double part = x - roundl(x);
    return digamma_reference(1 - x) - pi / tanl(pi * part);
  }
  if (isinf(x)) return x;
  for (; x < 30; x++) shift += 1 / x;
  for (int k = 6; k >= 0; k--) series = (terms[k] + series) / (x * x);
  return logl(x) - 0.5L / x - series - shift;
}

/* The root of erfc(y) = 2p on the smaller side by Newton's rule on the logarithm, in the middle of erf(y) = 1 - 2p */
static long double ndtri_reference(long double p) {
  long double tail = p < 0.5L ? p : 1 - p, w = -logl(4 * tail * (1 - tail)), m = 4.33L + w / -2;
  if (!(p >= 0 && p <= 1)) return NAN;
  if (tail == 0) return p == 0 ? -INFINITY : INFINITY;
  if (p == 0.5L) return 0;
  long double y = sqrtl(sqrtl(m * m + w / 0.147L) - m);
  for (int i = 0; i < 12; i++) {
    long double slope = 2 / sqrtl(pi) * expl(-y * y);
    if (tail > 0.25L) y -= (erfl(y) - (1 - 2 * tail)) / slope;
    else y += logl(erfcl(y) / (2 * tail)) * erfcl(y) / slope;
  }
  return copysignl(y * sqrtl(2), p - 0.5L);
}

static long double dawsn_reference(long double in) {
  long double x = fabsl(in), square = x * x, sum = 1, term = 1;
  if (x < 8) {
    for (int k = 1; k < 400; k++) sum += (term *= square / k) / (2 * k + 1);
    return copysignl(x * sum * expl(-square), in);
  }
  for (int k = 1; k < 40; k++) sum += term *= (2 * k - 1) / (2 * square);
  return copysignl(sum / (2 * x), in);
}

static const row rows[] = {
  {"exp", expl, NULL, -90, 90, 1.5, 1.5},
  {"exp2", exp2l, NULL, -130, 130, 1.5, 1.5},
  {"expm1", expm1l, NULL, -2, 2, 2.5, 2.5},
  {"sinh", sinhl, NULL, -5, 5, 2.5, 2.5},
  {"cosh", coshl, NULL, -5, 5, 2.5, 2.5},
  {"tanh", tanhl, NULL, -5, 5, 2.5, 2.5},
  {"logistic", logistic_reference, NULL, -20, 20, 2.5, 2.5},
  {"log", logl, NULL, 0, 4, 1.5, 1.5},
  {"log2", log2l, NULL, 0, 4, 2.5, 2.5},
  {"log1p", log1pl, NULL, -1, 4, 1.5, 1.5},
  {"asinh", asinhl, NULL, -5, 5, 2.5, 2.5},
  {"acosh", acoshl, NULL, 1, 5, 2.5, 2.5},
  {"atanh", atanhl, NULL, -1, 1, 2.5, 2.5},
  {"sin", sinl, NULL, -10, 10, 2, 2},
  {"cos", cosl, NULL, -10, 10, 2, 2},
  {"tan", tanl, NULL, -10, 10, 2.5, 2.5},
  {"asin", asinl, NULL, -1, 1, 1.5, 1.5},
  {"acos", acosl, NULL, -1, 1, 1.5, 1.5},
  {"atan", atanl, NULL, -5, 5, 2.5, 2.5},
  {"atan2", NULL, atan2l, -5, 5, 2.5, 2.5},
  {"erf", erfl, NULL, -4, 4, 2.5, 2.5},
  {"erfc", erfcl, NULL, -3, 12, 1.5, 2.5},
  {"erfcx", erfcx_reference, NULL, -3, 40, 1.5, 3},
  {"erf_inv", erf_inv_reference, NULL, -1, 1, 2.5, 2.5},
  {"ndtri", ndtri_reference, NULL, 0, 1, 4, 6},
  {"dawsn", dawsn_reference, NULL, -8, 8, 8, 8},
  {"lgamma", lgammal, NULL, 0, 12, 1, 8, {0, 1}},
  {"digamma", digamma_reference, NULL, 0, 12, 1, 8, {0.01, 1}},
  {"bessel_i0e", bessel_i0e_reference, NULL, -20, 20, 4, 4},
  {"bessel_i1e", bessel_i1e_reference, NULL, -20, 20, 3, 3},
  {"pow", NULL, powl, 0, 20, 1.5, 1.5},
  {"cbrt", cbrtl, NULL, -10, 10, 1, 1},
  {"sqrt", sqrtl, NULL, 0, 10, 0.5, 0.5},
  {"rsqrt", rsqrt_reference, NULL, 0, 10, 1.5, 1.5},
  {"rem", NULL, fmodl, -100, 100, 0, 0},
  {"nextafter", NULL, NULL, -2, 2, 0, 0},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static const double specials[] = {
  0,
  1,
  2,
  3,
  4,
  8,
  0.5,
  0.25,
  1.0 / 3,
  1.5,
  10,
  100,
  0.99999994,
  1.0000001,
  0x1.fffffffffffffp-1,
  0x1.0000000000001p0,
  0x1p-149,
  0x1.fffffcp-127,
  0x1p-126,
  0x1.fffffep127,
  0x1p-1074,
  0x1.ffffffffffffep-1023,
  0x1p-1022,
  0x1.fffffffffffffp1023,
  0.7853981633974483,
  1.5707963267948966,
  3.141592653589793,
  6.283185307179586,
  0.6931471805599453,
  88.72283,
  88.72284,
  103.97,
  104.1,
  709.782712893384,
  709.7827128933841,
  745.13,
  745.2,
  1e5,
  1e6,
  1048576,
  1048577,
  1e9,
  3e9,
  1e15,
  1e22,
  0x1p53,
  0x1p60,
  1e100,
  1e300,
  5.319372648326541e255,
  27,
  9.1,
  17.5,
  0x1p-30,
  0x1p-60,
  INFINITY,
  NAN,
};
enum { N_SPECIALS = 2 * (sizeof specials / sizeof *specials) };

static double special(int i) { return i % 2 ? -specials[i / 2] : specials[i / 2]; }

/* The kernel's text: result[i] = name(x[i], y[i]) for i in [lo, hi), `lanes` at a time. */
static sec_text kernel_text(const row *r, sec_ltype type, int lanes) {
  sec_text text = {0};
  int n_in = r->one ? 1 : 2;
  sec_builder b = {.out = &text, .lanes = lanes};
  sec_lv x[2];
  char buffer[40];
  const char *element = sec_lt_name(type), *t = sec_b_type(&b, type, buffer);
  int alignment = sec_lt_bits(type) / 8;
  sec_text_append(&text,
                  "llvm.func @sec_rt_reduce_f32(!llvm.ptr, !llvm.ptr)\n"
                  "llvm.func @sec_rt_reduce_f64(!llvm.ptr, !llvm.ptr)\n"
                  "llvm.func @k(%%bufs: !llvm.ptr, %%lo: i64, %%hi: i64) {\n"
                  "%%step = arith.constant %d : i64\n",
                  lanes);
  for (int i = 0; i <= n_in; i++)
    sec_text_append(&text,
                    "%%q%d = llvm.getelementptr %%bufs[%d] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr\n"
                    "%%p%d = llvm.load %%q%d : !llvm.ptr -> !llvm.ptr\n",
                    i, i, i, i);
  sec_text_append(&text, "scf.for %%i = %%lo to %%hi step %%step : i64 {\n");
  for (int i = 0; i <= n_in; i++)
    sec_text_append(&text,
                    "%%a%d = llvm.getelementptr %%p%d[%%i] : (!llvm.ptr, i64) -> !llvm.ptr, %s\n",
                    i, i, element);
  for (int i = 0; i < n_in; i++) {
    x[i] = sec_b_new(&b, type);
    sec_text_append(&text, "%%v%u = llvm.load %%a%d {alignment = %d : i64} : !llvm.ptr -> %s\n",
                    x[i].id, i, alignment, t);
  }
  sec_lv result = sec_l_math(&b, r->name, x, n_in);
  sec_text_append(&text,
                  "llvm.store %%v%u, %%a%d {alignment = %d : i64} : %s, !llvm.ptr\n}\n"
                  "llvm.return\n}\n",
                  result.id, n_in, alignment, t);
  if (b.error) fail_msg("%s", b.error);
  return text;
}

typedef void (*kernel)(void **buffers, int64_t low, int64_t high);

static const sec_compiler_api *api;
static sec_compiler *compiler;

static kernel load_kernel(const row *r, sec_ltype type, int lanes, void **handle) {
  sec_text text = kernel_text(r, type, lanes);
  char *error = NULL;
  void *object, *address;
  size_t size;
  if (api->compile(compiler, text.data, text.size, &object, &size, &error))
    fail_msg("%s: %s", r->name, error);
  const char *names[] = {"k"};
  if (api->load(compiler, object, size, names, &address, 1, handle, &error)) fail_msg("%s", error);
  free(object);
  free(text.data);
  kernel k;
  memcpy(&k, &address, sizeof k);
  return k;
}

/* Values of one element type seen as double. */
static double get(sec_ltype type, const void *data, int64_t i) {
  return type == SEC_LT_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}
static void set(sec_ltype type, void *data, int64_t i, double value) {
  if (type == SEC_LT_F32) ((float *)data)[i] = (float)value;
  else ((double *)data)[i] = value;
}

static uint64_t random_state;
static uint64_t random_bits(void) { /* splitmix64 (Steele, Lea, Flood 2014) */
  uint64_t z = random_state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}
static double random_number(sec_ltype type, const row *r, bool anywhere) {
  uint64_t bits = random_bits();
  float single;
  double wide;
  uint32_t low = (uint32_t)bits;
  if (!anywhere) return r->low + (r->high - r->low) * (double)(bits >> 11) * 0x1p-53;
  memcpy(&single, &low, sizeof single);
  memcpy(&wide, &bits, sizeof wide);
  return type == SEC_LT_F32 ? (double)single : wide;
}

/* Error of `got` in units of the last place of the exact value; infinite where the two differ in
 * kind. */
static double error_in_ulp(sec_ltype type, double got, long double exact) {
  int digits = type == SEC_LT_F32 ? 24 : 53, least = type == SEC_LT_F32 ? -149 : -1074;
  long double limit = type == SEC_LT_F32 ? 0x1p128L : 0x1p1024L;
  if (isnan(got) || isnan(exact)) return isnan(got) && isnan(exact) ? 0 : INFINITY;
  if (exact == 0) return got == 0 && !signbit(got) == !signbit(exact) ? 0 : INFINITY;
  if (isinf(exact)) return (long double)got == exact ? 0 : INFINITY;
  if (isinf(got) && (got > 0) != (exact > 0)) return INFINITY;
  long double value = isinf(got) ? copysignl(limit, got) : got;
  if (fabsl(exact) > limit) exact = copysignl(limit, exact);
  int exponent = ilogbl(exact) - digits + 1;
  return (double)ldexpl(fabsl(value - exact), -(exponent > least ? exponent : least));
}

static long double exact_value(const row *r, sec_ltype type, double x, double y) {
  if (r->one) return r->one(x);
  if (r->two) return r->two(x, y);
  return type == SEC_LT_F32 ? nextafterf((float)x, (float)y) : nextafter(x, y);
}

static const double half_pi = 0x1.921fb54442d18p+0;

typedef struct operands {
  void *x, *y, *result;
  int64_t n;
} operands;

static int64_t fill(const row *r, sec_ltype type, int64_t samples, operands *o) {
  int64_t n = 0;
  for (int i = 0; i < N_SPECIALS; i++)
    for (int j = 0; j < (r->one ? 1 : N_SPECIALS); j++, n++) {
      set(type, o->x, n, special(i));
      set(type, o->y, n, special(j));
    }
  for (int64_t i = 0; i < 2 * samples; i++, n++) {
    set(type, o->x, n, random_number(type, r, i % 2));
    set(type, o->y, n, random_number(type, r, i % 4 > 1));
  }
  for (int64_t i = 0; i < samples; i++, n++) { /* where the reduction of sin, cos and tan cancels */
    set(type, o->x, n, half_pi * (double)(i * i / 8 + i));
    set(type, o->y, n, random_number(type, r, false));
  }
  return n;
}

static double check(const row *r, sec_ltype type, int lanes, double limit) {
  int64_t samples = lanes > 1 ? SAMPLES : SAMPLES / 8;
  size_t bytes = (size_t)(3 * samples + N_SPECIALS * N_SPECIALS + lanes) * 8;
  operands o = {calloc(1, bytes), calloc(1, bytes), calloc(1, bytes), 0};
  random_state = 1;
  o.n = fill(r, type, samples, &o);
  void *handle, *buffers[] = {o.x, r->one ? o.result : o.y, o.result};
  kernel k = load_kernel(r, type, lanes, &handle);
  k(buffers, 0, (o.n + lanes - 1) / lanes * lanes);
  double worst = 0;
  int bad = 0;
  for (int64_t i = 0; i < o.n; i++) {
    double x = get(type, o.x, i), y = get(type, o.y, i), got = get(type, o.result, i);
    long double exact = exact_value(r, type, x, y);
    double error = error_in_ulp(type, got, exact);
    double least = r->least[x < 0];
    if (exact != 0 && fabsl(exact) < least) error *= ldexp(1, ilogbl(exact) - ilogb(least));
    if (error > limit && bad++ < 8)
      print_error("%s %s x%d: (%a, %a) = %a, exact %La, %.2f ulp\n", r->name, sec_lt_name(type),
                  lanes, x, y, got, exact, error);
    if (error > worst) worst = error;
  }
  api->unload(compiler, handle);
  free(o.x);
  free(o.y);
  free(o.result);
  print_message("%-10s %s x%-2d %6.3f ulp\n", r->name, sec_lt_name(type), lanes, worst);
  return worst;
}

static void test_function(void **state) {
  const row *r = *state;
  double worst[] = {check(r, SEC_LT_F32, 16, r->ulp_f32), check(r, SEC_LT_F32, 1, r->ulp_f32),
                    check(r, SEC_LT_F64, 8, r->ulp_f64), check(r, SEC_LT_F64, 1, r->ulp_f64)};
  for (int i = 0; i < 4; i++) assert_true(worst[i] <= (i < 2 ? r->ulp_f32 : r->ulp_f64));
}

/* f16 and bf16 go through f32, or directly where the function says so. */
static void test_narrow(void **state) {
  (void)state;
  static const struct {
    const char *name;
    sec_ltype type;
    uint16_t x, y, result;
  } cases[] = {
    {"exp", SEC_LT_F16, 0x3C00, 0, 0x4170},        /* e = 2.71875 to 11 bits */
    {"exp", SEC_LT_BF16, 0x3F80, 0, 0x402E},       /* e = 2.71875 to 8 bits */
    {"exp", SEC_LT_F16, 0x4A00, 0, 0x7C00},        /* e^12 overflows */
    {"atan2", SEC_LT_F16, 0x0000, 0xBC00, 0x4248}, /* pi */
    {"nextafter", SEC_LT_F16, 0x3C00, 0x7C00, 0x3C01},
    {"nextafter", SEC_LT_BF16, 0x0000, 0xBF80, 0x8001},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int lanes = 1; lanes <= 16; lanes += 15) {
      uint16_t x[16], y[16], result[16];
      for (int j = 0; j < 16; j++) x[j] = cases[i].x, y[j] = cases[i].y;
      row r = {.name = cases[i].name, .one = strcmp(cases[i].name, "exp") ? NULL : expl};
      void *handle, *buffers[] = {x, r.one ? result : y, result};
      kernel k = load_kernel(&r, cases[i].type, lanes, &handle);
      k(buffers, 0, 16);
      for (int j = 0; j < 16; j++) assert_int_equal(result[j], cases[i].result);
      api->unload(compiler, handle);
    }
}

/* Constants are written as exact bits, rounded to nearest even. */
static void test_constants(void **state) {
  (void)state;
  static const struct {
    sec_ltype type;
    double value;
    const char *bits;
  } cases[] = {
    {SEC_LT_F64, 1.0 / 3, "0x3FD5555555555555"},
    {SEC_LT_F32, 1.0 / 3, "0x3EAAAAAB"},
    {SEC_LT_F16, 1.0 / 3, "0x3555"},
    {SEC_LT_F16, 65519, "0x7BFF"},
    {SEC_LT_F16, 65520, "0x7C00"},
    {SEC_LT_F16, 0x1p-24, "0x0001"},
    {SEC_LT_F16, 0x1p-25, "0x0000"},
    {SEC_LT_F16, 0x1.8p-24, "0x0002"},
    {SEC_LT_F16, 0x1.ff8p-15, "0x03FF"},
    {SEC_LT_F16, 0x1.ffcp-15, "0x0400"},
    {SEC_LT_F16, -0.0, "0x8000"},
    {SEC_LT_F16, NAN, "0x7E00"},
    {SEC_LT_BF16, 1.0 / 3, "0x3EAB"},
    {SEC_LT_BF16, -INFINITY, "0xFF80"},
    {SEC_LT_BF16, 0x1p-133, "0x0001"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sec_text text = {0};
    sec_builder b = {.out = &text, .lanes = 4};
    sec_l_float(&b, cases[i].type, cases[i].value);
    if (!strstr(text.data, cases[i].bits)) fail_msg("%s in %s", cases[i].bits, text.data);
    free(text.data);
  }
}

/* A name, an operand count or a type that the library does not have is an error, not a crash. */
static void test_errors(void **state) {
  (void)state;
  sec_text text = {0};
  sec_builder b = {.out = &text, .lanes = 1};
  sec_lv x[] = {sec_b_new(&b, SEC_LT_F32), sec_b_new(&b, SEC_LT_F64), sec_b_new(&b, SEC_LT_I32)};
  sec_l_math(&b, "no_such_function", x, 1);
  assert_non_null(strstr(b.error, "name"));
  b.error = NULL;
  sec_l_math(&b, "atan2", x, 1);
  assert_non_null(strstr(b.error, "number of operands"));
  b.error = NULL;
  sec_l_math(&b, "atan2", x, 2);
  assert_non_null(strstr(b.error, "different element types"));
  b.error = NULL;
  sec_l_math(&b, "exp", x + 2, 1);
  assert_non_null(strstr(b.error, "float type"));
  free(text.data);
}

static int set_up(void **state) {
  (void)state;
  char *error = NULL;
  api = sec_compiler_load(&error);
  size_t n_symbols;
  const sec_compiler_symbol *symbols = sec_runtime_symbols(&n_symbols);
  if (api) compiler = api->create(symbols, n_symbols, &error);
  if (!compiler) print_error("%s\n", error);
  free(error);
  return compiler ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  api->destroy(compiler);
  return 0;
}

int main(void) {
  struct CMUnitTest tests[N_ROWS + 3];
  for (int i = 0; i < N_ROWS; i++)
    tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                   .test_func = test_function,
                                   .initial_state = (void *)(uintptr_t)&rows[i]};
  tests[N_ROWS] = (struct CMUnitTest){.name = "narrow", .test_func = test_narrow};
  tests[N_ROWS + 1] = (struct CMUnitTest){.name = "constants", .test_func = test_constants};
  tests[N_ROWS + 2] = (struct CMUnitTest){.name = "errors", .test_func = test_errors};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
