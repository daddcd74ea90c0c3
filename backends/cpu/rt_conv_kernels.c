/* The innermost loops of convolutions: a block of P result positions by NV vectors of output features stays in registers
 * while the products of all its runs are added.  One text for every vector width; see rt_conv.h. */
#include "rt_conv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Elements P apart are reached from every third one: that takes a third of the address registers. */
#define BLOCK(name, T, V, LANES, TARGET, LOAD, STORE, SPREAD, FMA)                                                       \
  TARGET static inline __attribute__((always_inline)) void name##_block(const int P, const int NV, const int64_t step,   \
                                                                        const sec_conv_tile *t) {                        \
    V acc[14][2];                                                                                                        \
    T *c = t->c;                                                                                                         \
    _Pragma("GCC unroll 14") for (int p = 0; p < P; p++)                                                                 \
      _Pragma("GCC unroll 2") for (int v = 0; v < NV; v++)                                                               \
        acc[p][v] = t->add ? LOAD(c + p * t->c_p + v * LANES) : SPREAD(0);                                               \
    for (int r = 0; r < t->n_runs; r++) {                                                                                \
      const T *a0 = (const T *)t->a + t->runs[r].a, *b = (const T *)t->b + t->runs[r].b;                                 \
      const T *a3 = a0 + 3 * t->a_p, *a6 = a0 + 6 * t->a_p, *a9 = a0 + 9 * t->a_p, *a12 = a0 + 12 * t->a_p;              \
      const int64_t a_p = t->a_p, b_k = t->b_k, a_k = step ? step : t->a_k;                                              \
      for (int64_t k = t->runs[r].n; k > 0; k--) {                                                                       \
        V w[2];                                                                                                          \
        _Pragma("GCC unroll 2") for (int v = 0; v < NV; v++) w[v] = LOAD(b + v * LANES);                                 \
        _Pragma("GCC unroll 14") for (int p = 0; p < P; p++) {                                                           \
          const T *at = p < 3 ? a0 : p < 6 ? a3 : p < 9 ? a6 : p < 12 ? a9 : a12;                                        \
          V        x = SPREAD(at[p % 3 * a_p]);                                                                          \
          _Pragma("GCC unroll 2") for (int v = 0; v < NV; v++) acc[p][v] = FMA(x, w[v], acc[p][v]);                      \
        }                                                                                                                \
        a0 += a_k, a3 += a_k, a6 += a_k, a9 += a_k, a12 += a_k, b += b_k;                                                \
      }                                                                                                                  \
    }                                                                                                                    \
    _Pragma("GCC unroll 14") for (int p = 0; p < P; p++)                                                                 \
      _Pragma("GCC unroll 2") for (int v = 0; v < NV; v++) STORE(c + p * t->c_p + v * LANES, acc[p][v]);                 \
  }

#define CASE(name, P)                                                                                                    \
  case 4 * P: name##_block(P, 1, 0, t); return;                                                                          \
  case 4 * P + 1: name##_block(P, 1, 1, t); return;                                                                      \
  case 4 * P + 2: name##_block(P, 2, 0, t); return;                                                                      \
  case 4 * P + 3: name##_block(P, 2, 1, t); return;
#define CASES_4(name) CASE(name, 1) CASE(name, 2) CASE(name, 3) CASE(name, 4)
#define CASES_6(name) CASES_4(name) CASE(name, 5) CASE(name, 6)
#define CASES_14(name)                                                                                                   \
  CASES_6(name) CASE(name, 7) CASE(name, 8) CASE(name, 9) CASE(name, 10) CASE(name, 11) CASE(name, 12) CASE(name, 13) CASE(name, 14)

#define KERNEL(name, TARGET, CASES)                                                                                      \
  TARGET static void name(int p, int nv, const sec_conv_tile *t) {                                                       \
    switch (4 * p + 2 * (nv - 1) + (t->a_k == 1)) { CASES(name) }                                                        \
  }

#if defined(__x86_64__)
#define AVX512 __attribute__((target("avx512f,fma")))
#define AVX2 __attribute__((target("avx2,fma")))
BLOCK(f32_512, float, __m512, 16, AVX512, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps)
BLOCK(f64_512, double, __m512d, 8, AVX512, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_set1_pd, _mm512_fmadd_pd)
BLOCK(f32_256, float, __m256, 8, AVX2, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps)
BLOCK(f64_256, double, __m256d, 4, AVX2, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_set1_pd, _mm256_fmadd_pd)
KERNEL(f32_512, AVX512, CASES_14)
KERNEL(f64_512, AVX512, CASES_14)
KERNEL(f32_256, AVX2, CASES_6)
KERNEL(f64_256, AVX2, CASES_6)
#endif

/* Few outputs: vectors along the features, which both operands have as neighbours in whole vectors; b_k apart in b are the
 * outputs.  c[p, o] = sum over runs r and k < n of a[r.a + p a_p + k] b[r.b + o b_k + k] */
#define DOTS(name, T, V, LANES, TARGET, LOAD, SPREAD, FMA, SUM)                                                          \
  TARGET static inline __attribute__((always_inline)) void name##_block(const int P, const int O, const sec_conv_tile *t) { \
    V acc[4][4];                                                                                                         \
    _Pragma("GCC unroll 4") for (int p = 0; p < P; p++)                                                                  \
      _Pragma("GCC unroll 4") for (int o = 0; o < O; o++) acc[p][o] = SPREAD(0);                                         \
    for (int r = 0; r < t->n_runs; r++) {                                                                                \
      const T *a = (const T *)t->a + t->runs[r].a, *b = (const T *)t->b + t->runs[r].b;                                  \
      for (int64_t k = 0; k < t->runs[r].n; k += LANES) {                                                                \
        V x[4];                                                                                                          \
        _Pragma("GCC unroll 4") for (int p = 0; p < P; p++) x[p] = LOAD(a + p * t->a_p + k);                             \
        _Pragma("GCC unroll 4") for (int o = 0; o < O; o++) {                                                            \
          V w = LOAD(b + o * t->b_k + k);                                                                                \
          _Pragma("GCC unroll 4") for (int p = 0; p < P; p++) acc[p][o] = FMA(x[p], w, acc[p][o]);                       \
        }                                                                                                                \
      }                                                                                                                  \
    }                                                                                                                    \
    _Pragma("GCC unroll 4") for (int p = 0; p < P; p++)                                                                  \
      _Pragma("GCC unroll 4") for (int o = 0; o < O; o++) ((T *)t->c)[p * t->c_p + o] = SUM(acc[p][o]);                  \
  }
#define DOT_CASE(name, P, O)                                                                                             \
  case 4 * P + O: name##_block(P, O, t); return;
#define DOT_CASES(name, P) DOT_CASE(name, P, 1) DOT_CASE(name, P, 2) DOT_CASE(name, P, 3) DOT_CASE(name, P, 4)
#define DOT_KERNEL(name, TARGET, CASES)                                                                                  \
  TARGET static void name(int p, int o, const sec_conv_tile *t) {                                                        \
    switch (4 * p + o) { CASES }                                                                                         \
  }

#if defined(__x86_64__)
AVX2 static inline float sum_f32(__m256 v) {
  float x[8];
  _mm256_storeu_ps(x, v);
  return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}
AVX2 static inline double sum_f64(__m256d v) {
  double x[4];
  _mm256_storeu_pd(x, v);
  return (x[0] + x[1]) + (x[2] + x[3]);
}
DOTS(dots_f32_512, float, __m512, 16, AVX512, _mm512_loadu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_reduce_add_ps)
DOTS(dots_f64_512, double, __m512d, 8, AVX512, _mm512_loadu_pd, _mm512_set1_pd, _mm512_fmadd_pd, _mm512_reduce_add_pd)
DOTS(dots_f32_256, float, __m256, 8, AVX2, _mm256_loadu_ps, _mm256_set1_ps, _mm256_fmadd_ps, sum_f32)
DOTS(dots_f64_256, double, __m256d, 4, AVX2, _mm256_loadu_pd, _mm256_set1_pd, _mm256_fmadd_pd, sum_f64)
DOT_KERNEL(dots_f32_512, AVX512, DOT_CASES(dots_f32_512, 1) DOT_CASES(dots_f32_512, 2) DOT_CASES(dots_f32_512, 3) DOT_CASES(dots_f32_512, 4))
DOT_KERNEL(dots_f64_512, AVX512, DOT_CASES(dots_f64_512, 1) DOT_CASES(dots_f64_512, 2) DOT_CASES(dots_f64_512, 3) DOT_CASES(dots_f64_512, 4))
DOT_KERNEL(dots_f32_256, AVX2, DOT_CASES(dots_f32_256, 1) DOT_CASES(dots_f32_256, 2))
DOT_KERNEL(dots_f64_256, AVX2, DOT_CASES(dots_f64_256, 1) DOT_CASES(dots_f64_256, 2))
#endif

typedef float  f32_4 __attribute__((vector_size(16)));
typedef double f64_2 __attribute__((vector_size(16)));
#define PLAIN
static inline f32_4 load_f32(const float *p) { return (f32_4){p[0], p[1], p[2], p[3]}; }
static inline f64_2 load_f64(const double *p) { return (f64_2){p[0], p[1]}; }
static inline void  store_f32(float *p, f32_4 v) { for (int i = 0; i < 4; i++) p[i] = v[i]; }
static inline void  store_f64(double *p, f64_2 v) { for (int i = 0; i < 2; i++) p[i] = v[i]; }
static inline f32_4 spread_f32(float x) { return (f32_4){x, x, x, x}; }
static inline f64_2 spread_f64(double x) { return (f64_2){x, x}; }
#define MULTIPLY_ADD(x, y, z) ((x) * (y) + (z))
BLOCK(f32_128, float, f32_4, 4, PLAIN, load_f32, store_f32, spread_f32, MULTIPLY_ADD)
BLOCK(f64_128, double, f64_2, 2, PLAIN, load_f64, store_f64, spread_f64, MULTIPLY_ADD)
KERNEL(f32_128, PLAIN, CASES_4)
KERNEL(f64_128, PLAIN, CASES_4)

sec_conv_kernel sec_conv_kernel_for(int kind, int64_t features) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma") && features > (kind ? 4 : 8))
    return kind ? (sec_conv_kernel){f64_512, 8, 14} : (sec_conv_kernel){f32_512, 16, 14};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return kind ? (sec_conv_kernel){f64_256, 4, 6} : (sec_conv_kernel){f32_256, 8, 6};
#endif
  (void)features;
  return kind ? (sec_conv_kernel){f64_128, 2, 4} : (sec_conv_kernel){f32_128, 4, 4};
}

bool sec_conv_dots_for(int kind, int64_t features, int64_t outputs, sec_conv_kernel *k) {
#if defined(__x86_64__)
  if (outputs > 4 || features % (kind ? 4 : 8) != 0) return false;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma") && features % (kind ? 8 : 16) == 0)
    *k = kind ? (sec_conv_kernel){dots_f64_512, 8, 4} : (sec_conv_kernel){dots_f32_512, 16, 4};
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    *k = kind ? (sec_conv_kernel){dots_f64_256, 4, 2} : (sec_conv_kernel){dots_f32_256, 8, 2};
  else return false;
  return true;
#else
  (void)kind, (void)features, (void)outputs, (void)k;
  return false;
#endif
}
