/* Fourier transforms: plans and the choice of a way through memory.  Lengths whose prime factors are at most 31 go through radix
 * 4, 2, 3, 5, 7 .. stages, others by Bluestein's convolution.  Several vectors are transformed side by side in SIMD lanes
 * (fft_lanes.h); one long vector is a matrix whose columns and rows are such vectors (D. Bailey, "FFTs in external or hierarchical
 * memory", 1990). */
#include "fft.h"
#include "../threads.h"
#include "../pool.h"
#include "memory.h"
#include <math.h>
#include <pthread.h>
#include <string.h>

enum {
  MAX_RADIX = 31,
  LANES_MAX = 8192,  /* longer ones do not fit the caches side by side */
  SPLIT_MIN = 512,   /* shorter ones are not worth a matrix */
  MAX_STAGES = 40,
  MAX_PLANS = 48,
  FFT_PAD = 8        /* pairs between rows of a matrix, so that they do not meet in the caches */
};

struct fft_plan {
  int64_t   n;
  bool      is_f64, smooth, failed;
  int       refs, n_radix, radix[MAX_STAGES], bits;
  uint64_t  used;
  void     *twiddle[MAX_STAGES], *circle[MAX_STAGES]; /* of the stages; NULL in plans for matrices alone */
  void     *roots;                                    /* e^(-pi i k / n), k = 0 .. n */
  void     *chirp, *spectrum;                         /* Bluestein */
  double   *low, *high;                               /* e^(-2 pi i k / n) of k below 2^bits, and of multiples of 2^bits */
  fft_plan *first, *second, *inner;                   /* the matrix; Bluestein's convolution */
};

typedef struct fft_line {
  const fft_plan *plan;
  const void     *in;
  void           *tmp, *out;
  double          scale;
  bool            inverse, failed;
} fft_line;

typedef struct fft_kernels {
  sec_kernel *pass, *columns, *lines;
  void (*multiply)(const void *x, const void *c, void *y, int64_t n, double scale);
  void (*untangle)(void *y, int64_t h, const void *roots);
  void (*tangle)(const void *x, void *z, int64_t h, const void *roots);
} fft_kernels;

static int64_t fft_room(const fft_plan *p) { return p->smooth ? p->n : p->inner->n; }

/* e^(-2 pi i k / n), right to the last bits: the angle is brought to the first eighth. */
static void root_of_unity(int64_t k, int64_t n, double w[2]) {
  const long double tau = 6.283185307179586476925286766559005768L;
  k %= n;
  int64_t     eighth = 8 * k / n, rest = 8 * k - eighth * n; /* k / n = eighth / 8 + rest / 8 n */
  bool        back = eighth & 1;
  long double angle = tau * (long double)(back ? n - rest : rest) / (long double)(8 * n);
  double      c = (double)cosl(angle), s = (double)sinl(angle);
  if (back) { double t = c; c = s, s = t; }
  switch (eighth >> 1) {
  case 0: w[0] = c, w[1] = -s; break;
  case 1: w[0] = -s, w[1] = -c; break;
  case 2: w[0] = -c, w[1] = s; break;
  default: w[0] = s, w[1] = c;
  }
}

/* The same of a plan with tables, for many k. */
static void fft_root(const fft_plan *p, int64_t k, double w[2]) {
  k %= p->n;
  const double *a = p->high + 2 * (k >> p->bits), *b = p->low + 2 * (k & ((1 << p->bits) - 1));
  w[0] = a[0] * b[0] - a[1] * b[1];
  w[1] = a[0] * b[1] + a[1] * b[0];
}

static void fft_slow(const fft_pass *t, int64_t lo, int64_t hi);

#define CONCATENATED(a, b) a##b
#define JOINED(a, b) CONCATENATED(a, b)
#define REAL float
#define REAL_BITS 32
#define TARGET
#define FN(name) fft_f32_##name
#include "fft_lanes.h"
#undef REAL
#undef REAL_BITS
#undef FN
#define REAL double
#define REAL_BITS 64
#define FN(name) fft_f64_##name
#include "fft_lanes.h"
#undef REAL
#undef REAL_BITS
#undef FN
#undef TARGET
#if defined(__x86_64__)
#define REAL float
#define REAL_BITS 32
#define TARGET __attribute__((target("avx2,fma")))
#define FN(name) fft_f32_avx2_##name
#include "fft_lanes.h"
#undef REAL
#undef REAL_BITS
#undef FN
#define REAL double
#define REAL_BITS 64
#define FN(name) fft_f64_avx2_##name
#include "fft_lanes.h"
#undef REAL
#undef REAL_BITS
#undef FN
#undef TARGET
#define REAL float
#define REAL_BITS 32
#define TARGET __attribute__((target("avx512f,avx512dq,fma")))
#define FN(name) fft_f32_avx512_##name
#include "fft_lanes.h"
#undef REAL
#undef REAL_BITS
#undef FN
#define REAL double
#define REAL_BITS 64
#define FN(name) fft_f64_avx512_##name
#include "fft_lanes.h"
#undef REAL
#undef REAL_BITS
#undef FN
#undef TARGET
#endif

static const fft_kernels *kernels_of(bool is_f64) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return is_f64 ? &fft_f64_avx512_kernels : &fft_f32_avx512_kernels;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return is_f64 ? &fft_f64_avx2_kernels : &fft_f32_avx2_kernels;
#endif
  return is_f64 ? &fft_f64_kernels : &fft_f32_kernels;
}

static int64_t lanes_of(bool is_f64) { return is_f64 ? 8 : 16; }

/* ---- plans ---- */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fft_plan       *plans[MAX_PLANS];
static uint64_t        now;

static fft_plan *plan_get(int64_t n, bool is_f64);

/* With the lock held. */
static void plan_drop(fft_plan *p) {
  if (!p || --p->refs) return;
  for (int i = 0; i < MAX_STAGES; i++) sec_mem_free(p->twiddle[i]), sec_mem_free(p->circle[i]);
  sec_mem_free(p->roots), sec_mem_free(p->chirp), sec_mem_free(p->spectrum), sec_mem_free(p->low), sec_mem_free(p->high);
  plan_drop(p->first), plan_drop(p->second), plan_drop(p->inner);
  sec_mem_free(p);
}
static void plan_release(fft_plan *p) {
  pthread_mutex_lock(&lock);
  plan_drop(p);
  pthread_mutex_unlock(&lock);
}

static void *table(const fft_plan *p, int64_t n) { return sec_mem_alloc((size_t)(2 * n + 2) * (p->is_f64 ? sizeof(double) : sizeof(float))); }
static void put(const fft_plan *p, void *to, int64_t k, const double w[2]) {
  if (p->is_f64) memcpy((double *)to + 2 * k, w, 2 * sizeof *w);
  else ((float *)to)[2 * k] = (float)w[0], ((float *)to)[2 * k + 1] = (float)w[1];
}

/* n as a product of radices, or false. */
static bool factor(int64_t n, int *radix, int *count) {
  *count = 0;
  for (; n % 4 == 0; n /= 4) radix[(*count)++] = 4;
  for (int r = 2; r <= MAX_RADIX; r++)
    for (; n % r == 0; n /= r) radix[(*count)++] = r;
  return n == 1;
}

static bool make_stages(fft_plan *p) {
  double w[2];
  for (int64_t i = 0, m = p->n; i < p->n_radix; i++) {
    int     r = p->radix[i];
    int64_t whole = m;
    m /= r;
    p->twiddle[i] = table(p, m * (r - 1));
    p->circle[i] = table(p, r);
    if (!p->twiddle[i] || !p->circle[i]) return false;
    for (int64_t k = 0; k < m; k++)
      for (int j = 1; j < r; j++) root_of_unity(k * j, whole, w), put(p, p->twiddle[i], k * (r - 1) + j - 1, w);
    for (int j = 0; j < r; j++) root_of_unity(j, r, w), put(p, p->circle[i], j, w);
  }
  return true;
}

static bool make_matrix(fft_plan *p) {
  int64_t n1 = 0;
  for (int64_t k = (int64_t)sqrt((double)p->n); k >= 8 && !n1; k--)
    if (p->n % k == 0) n1 = k;
  if (n1 == 0) return p->n <= LANES_MAX;
  double w[2];
  while (((int64_t)1 << 2 * p->bits) < p->n) p->bits++;
  int64_t few = (int64_t)1 << p->bits, many = (p->n >> p->bits) + 1;
  p->low = sec_mem_alloc((size_t)(2 * few) * sizeof *p->low);
  p->high = sec_mem_alloc((size_t)(2 * many) * sizeof *p->high);
  if (!p->low || !p->high) return false;
  for (int64_t k = 0; k < few; k++) root_of_unity(k, p->n, p->low + 2 * k);
  for (int64_t k = 0; k < many; k++) root_of_unity(k << p->bits, p->n, p->high + 2 * k);
  (void)w;
  p->first = plan_get(n1, p->is_f64);
  p->second = plan_get(p->n / n1, p->is_f64);
  return p->first && p->second;
}

static int64_t good_length(int64_t n) {
  for (int radix[2 * MAX_STAGES], count;; n++) {
    int64_t rest = n;
    for (int r = 2; r <= 5; r++)
      while (rest % r == 0) rest /= r;
    if (rest == 1 && factor(n, radix, &count)) return n;
  }
}

static bool line(const fft_plan *p, const void *x, void *y, bool inverse, double scale);

static bool make_bluestein(fft_plan *p) {
  int64_t m = good_length(2 * p->n - 1), n = p->n;
  double  w[2], back[2];
  p->inner = plan_get(m, p->is_f64);
  p->chirp = table(p, n);
  p->spectrum = table(p, m);
  void *conjugate = table(p, m);
  bool  ok = p->inner && p->chirp && p->spectrum && conjugate;
  if (ok) {
    memset(conjugate, 0, (size_t)(2 * m) * (p->is_f64 ? sizeof(double) : sizeof(float)));
    for (int64_t k = 0, square = 0; k < n; square = (square + 2 * k + 1) % (2 * n), k++) { /* k^2 */
      root_of_unity(square, 2 * n, w);
      back[0] = w[0], back[1] = -w[1];
      put(p, p->chirp, k, w);
      put(p, conjugate, k, back);
      if (k) put(p, conjugate, m - k, back);
    }
    ok = line(p->inner, conjugate, p->spectrum, false, 1 / (double)m);
  }
  sec_mem_free(conjugate);
  return ok;
}

static fft_plan *plan_make(int64_t n, bool is_f64) {
  int       radix[2 * MAX_STAGES], count;
  double    w[2];
  fft_plan *p = sec_mem_zeroed(1, sizeof *p);
  if (!p) return NULL;
  p->n = n, p->is_f64 = is_f64, p->refs = 1;
  p->smooth = factor(n, radix, &count) && count <= MAX_STAGES;
  p->roots = table(p, n + 1);
  bool ok = p->roots != NULL;
  for (int64_t k = 0; k <= n && ok; k++) root_of_unity(k, 2 * n, w), put(p, p->roots, k, w);
  if (p->smooth) {
    p->n_radix = count;
    memcpy(p->radix, radix, (size_t)count * sizeof *radix);
    if (ok && n >= SPLIT_MIN) ok = make_matrix(p);
    if (ok && (n <= LANES_MAX || !p->first)) ok = make_stages(p);
  } else if (ok) {
    ok = make_bluestein(p);
  }
  if (ok) return p;
  plan_release(p);
  return NULL;
}

/* A counted plan, from those kept, or new; NULL without memory. */
static fft_plan *plan_get(int64_t n, bool is_f64) {
  fft_plan *p = NULL;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < MAX_PLANS && !p; i++)
    if (plans[i] && plans[i]->n == n && plans[i]->is_f64 == is_f64) p = plans[i];
  if (p) p->refs++, p->used = ++now;
  pthread_mutex_unlock(&lock);
  if (p || !(p = plan_make(n, is_f64))) return p;
  pthread_mutex_lock(&lock);
  int oldest = 0;
  for (int i = 1; i < MAX_PLANS; i++)
    if (!plans[i] || (plans[oldest] && plans[i]->used < plans[oldest]->used)) oldest = i;
  plan_drop(plans[oldest]);
  plans[oldest] = p;
  p->refs++;
  p->used = ++now;
  pthread_mutex_unlock(&lock);
  return p;
}

/* ---- one vector ---- */
static size_t real_bytes(bool is_f64) { return is_f64 ? sizeof(double) : sizeof(float); }

/* x to y, which may be x; false without memory. */
static bool line_bluestein(const fft_plan *p, const void *x, void *y, bool inverse, double scale) {
  const fft_kernels *f = kernels_of(p->is_f64);
  size_t             pair = 2 * real_bytes(p->is_f64);
  int64_t            n = p->n, m = p->inner->n;
  char              *u = sec_pool_alloc((size_t)(2 * m) * pair), *v = u + (size_t)m * pair;
  if (!u) return false;
  memset(u, 0, (size_t)m * pair);
  memcpy(u, x, (size_t)n * pair);
  /* an inverse transform: the conjugate of the transform of the conjugate */
  if (inverse)
    for (int64_t k = 0; k < n; k++) {
      if (p->is_f64) ((double *)u)[2 * k + 1] *= -1;
      else ((float *)u)[2 * k + 1] *= -1;
    }
  f->multiply(u, p->chirp, u, n, 1);
  bool ok = line(p->inner, u, v, false, 1);
  f->multiply(v, p->spectrum, v, m, 1);
  ok = ok && line(p->inner, v, u, true, 1);
  f->multiply(u, p->chirp, y, n, scale);
  if (inverse)
    for (int64_t k = 0; k < n; k++) {
      if (p->is_f64) ((double *)y)[2 * k + 1] *= -1;
      else ((float *)y)[2 * k + 1] *= -1;
    }
  sec_pool_free(u, (size_t)(2 * m) * pair);
  return ok;
}

static bool line(const fft_plan *p, const void *x, void *y, bool inverse, double scale) {
  const fft_kernels *f = kernels_of(p->is_f64);
  int64_t            lanes = lanes_of(p->is_f64);
  if (!p->smooth && p->inner->n >= SPLIT_MIN) return line_bluestein(p, x, y, inverse, scale);
  if (!p->smooth || !p->first) {
    fft_pass t = {p, x, y, 1, 1, p->n, p->n, p->n, scale, inverse ? FFT_INVERSE : FFT_FORWARD, p->is_f64};
    f->pass((void *[]){&t}, 0, 1);
    return true;
  }
  size_t bytes = (size_t)(p->first->n * (p->second->n + FFT_PAD)) * 2 * real_bytes(p->is_f64);
  void  *tmp = sec_pool_alloc(bytes);
  if (!tmp) return false;
  fft_line t = {p, x, tmp, y, scale, inverse, false};
  int64_t  columns = (p->second->n + lanes - 1) / lanes, rows = (p->first->n + lanes - 1) / lanes;
  bool     small = p->n < 16384;
  sec_parallel(f->columns, (void *[]){&t}, columns, small ? columns : 1);
  sec_parallel(f->lines, (void *[]){&t}, rows, small ? rows : 1);
  sec_pool_free(tmp, bytes);
  return !t.failed;
}

/* ---- axes ---- */
static double get(const void *x, int64_t i, bool is_f64) { return is_f64 ? ((const double *)x)[i] : (double)((const float *)x)[i]; }
static void   set(void *x, int64_t i, double v, bool is_f64) {
  if (is_f64) ((double *)x)[i] = v;
  else ((float *)x)[i] = (float)v;
}

/* Without memory for anything: the sums of the definition, of vectors lo .. hi.  In place it needs the vector's input as it was,
 * so results are made of an own copy where there is one to be had; the caller sees to that. */
static void fft_slow(const fft_pass *t, int64_t lo, int64_t hi) {
  bool    real_in = t->kind == FFT_REAL, real_out = t->kind == FFT_TO_REAL, forward = t->kind == FFT_FORWARD || real_in;
  int64_t all = t->outer * t->inner;
  for (int64_t l = lo; l < hi && l < all; l++) {
    int64_t from = l / t->inner * t->n_in * t->inner + l % t->inner, to = l / t->inner * t->n_out * t->inner + l % t->inner;
    for (int64_t k = 0; k < t->n_out; k++) {
      double re = 0, im = 0, w[2];
      for (int64_t j = 0, jk = 0; j < t->n; j++, jk = (jk + k) % t->n) {
        int64_t at = j < t->n_in ? j : t->n - j;
        double  a = get(t->in, (real_in ? 1 : 2) * (from + at * t->inner), t->is_f64);
        double  b = real_in ? 0 : get(t->in, 2 * (from + at * t->inner) + 1, t->is_f64);
        if (at != j) b = -b;
        if (real_out && (j == 0 || 2 * j == t->n)) b = 0;
        root_of_unity(jk, t->n, w);
        if (!forward) w[1] = -w[1];
        re += a * w[0] - b * w[1], im += a * w[1] + b * w[0];
      }
      set(t->out, (real_out ? 1 : 2) * (to + k * t->inner), re * t->scale, t->is_f64);
      if (!real_out) set(t->out, 2 * (to + k * t->inner) + 1, im * t->scale, t->is_f64);
    }
  }
}

/* `count` elements of `bytes`, `step` elements apart, to or from neighbours. */
static void gather(char *to, const char *from, int64_t count, int64_t step, size_t bytes) {
  if (step == 1) memcpy(to, from, (size_t)count * bytes);
  else
    for (int64_t k = 0; k < count; k++) memcpy(to + (size_t)k * bytes, from + (size_t)(k * step) * bytes, bytes);
}
static void scatter(char *to, const char *from, int64_t count, int64_t step, size_t bytes) {
  if (step == 1) memcpy(to, from, (size_t)count * bytes);
  else
    for (int64_t k = 0; k < count; k++) memcpy(to + (size_t)(k * step) * bytes, from + (size_t)k * bytes, bytes);
}

/* One vector after another, each by way of a buffer. */
static void lines_of(void **bufs, int64_t lo, int64_t hi) {
  const fft_pass    *t = bufs[0];
  const fft_plan    *p = t->plan;
  const fft_kernels *f = kernels_of(t->is_f64);
  size_t             real = real_bytes(t->is_f64), in_bytes = real * (t->kind == FFT_REAL ? 1 : 2), out_bytes = real * (t->kind == FFT_TO_REAL ? 1 : 2);
  int64_t            h = t->n / 2;
  bool               even = t->n % 2 == 0, ok = true;
  size_t             bytes = (size_t)(2 * (t->n + 2)) * 2 * real;
  char              *block = sec_pool_alloc(bytes), *x = block, *y = x + bytes / 2;
  for (int64_t l = lo; l < hi; l++) {
    const char *from = (const char *)t->in + (size_t)(l / t->inner * t->n_in * t->inner + l % t->inner) * in_bytes;
    char       *to = (char *)t->out + (size_t)(l / t->inner * t->n_out * t->inner + l % t->inner) * out_bytes;
    ok = x != NULL;
    if (ok) gather(x, from, t->n_in, t->inner, in_bytes);
    if (!ok) {
    } else if (t->kind == FFT_FORWARD || t->kind == FFT_INVERSE) {
      ok = line(p, x, y, t->kind == FFT_INVERSE, t->scale);
    } else if (t->kind == FFT_REAL && even) {
      ok = line(p, x, y, false, t->scale);
      f->untangle(y, h, p->roots);
    } else if (t->kind == FFT_REAL) { /* pairs with imaginary part 0, made from the end */
      for (int64_t k = t->n; k-- > 0;) set(x, 2 * k, get(x, k, t->is_f64), t->is_f64), set(x, 2 * k + 1, 0, t->is_f64);
      ok = line(p, x, y, false, t->scale);
    } else if (even) {
      f->tangle(x, y, h, p->roots);
      ok = line(p, y, x, true, t->scale);
      char *swap = x;
      x = y, y = swap;
    } else {
      set(x, 1, 0, t->is_f64);
      for (int64_t k = 1; k <= h; k++) {
        set(x, 2 * (t->n - k), get(x, 2 * k, t->is_f64), t->is_f64);
        set(x, 2 * (t->n - k) + 1, -get(x, 2 * k + 1, t->is_f64), t->is_f64);
      }
      ok = line(p, x, y, true, t->scale);
      for (int64_t k = 0; k < t->n; k++) set(y, k, get(y, 2 * k, t->is_f64), t->is_f64);
    }
    if (ok) scatter(to, y, t->n_out, t->inner, out_bytes);
    else fft_slow(t, l, l + 1);
  }
  sec_pool_free(block, bytes);
}

void fft_axis(fft_pass *t) {
  int64_t all = t->outer * t->inner, lanes = lanes_of(t->is_f64);
  bool    halved = (t->kind == FFT_REAL || t->kind == FFT_TO_REAL) && t->n % 2 == 0;
  if (all == 0 || t->n_out == 0) return;
  fft_plan *p = plan_get(halved ? t->n / 2 : t->n, t->is_f64);
  t->plan = p;
  if (!p) {
    fft_slow(t, 0, all);
    return;
  }
  bool stages = p->smooth ? p->twiddle[0] || p->n == 1 : fft_room(p) <= LANES_MAX;
  bool by_line = !stages || (all < lanes / 2 && fft_room(p) >= SPLIT_MIN);
  if (by_line) {
    bool apart = all >= 2 * sec_threads_count();
    if (apart) sec_parallel(lines_of, (void *[]){t}, all, 1);
    else lines_of((void *[]){t}, 0, all);
  } else {
    int64_t blocks = (all + lanes - 1) / lanes, work = fft_room(p) * lanes;
    sec_parallel(kernels_of(t->is_f64)->pass, (void *[]){t}, blocks, work > 16384 ? 1 : 16384 / work + 1);
  }
  plan_release(p);
}
