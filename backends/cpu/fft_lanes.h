/* The Fourier transform of many vectors side by side: one SIMD lane a vector.  A template: fft.c includes it for every REAL and
 * every TARGET (a target attribute); FN names its functions.
 *
 * Stages are Stockham's (see C. Van Loan, "Computational frameworks for the fast Fourier transform", 1992, 1.7): with s the
 * product of the radices done and n = r m s, element (p + m j) s + q goes to (r p + k) s + q, times w^(p k), w = e^(-2 pi i / (r m)).
 * Inverse transforms are forward ones with real and imaginary parts swapped on both sides. */

typedef REAL FN(vec) __attribute__((vector_size(64), may_alias));
typedef struct FN(rows) { FN(vec) *re, *im; } FN(rows);
enum { FN(lanes) = 64 / sizeof(REAL) };
#define vec FN(vec)
#define rows FN(rows)
#define LANES FN(lanes)

/* ---- stages ---- */
#define TIMES(to, at, a_re, a_im, w_re, w_im)                                                     \
  do {                                                                                            \
    vec v_re = (a_re), v_im = (a_im);                                                             \
    (to).re[at] = v_re * (w_re) - v_im * (w_im);                                                  \
    (to).im[at] = v_re * (w_im) + v_im * (w_re);                                                  \
  } while (0)

TARGET static void FN(stage_2)(rows x, rows y, int64_t m, int64_t s, const REAL *w) {
  for (int64_t p = 0; p < m; p++, w += 2)
    for (int64_t q = 0; q < s; q++) {
      int64_t i = q + s * p, j = i + s * m, o = q + s * 2 * p;
      vec a_re = x.re[i], a_im = x.im[i], b_re = x.re[j], b_im = x.im[j];
      y.re[o] = a_re + b_re;
      y.im[o] = a_im + b_im;
      TIMES(y, o + s, a_re - b_re, a_im - b_im, w[0], w[1]);
    }
}

TARGET static void FN(stage_4)(rows x, rows y, int64_t m, int64_t s, const REAL *w) {
  for (int64_t p = 0; p < m; p++, w += 6)
    for (int64_t q = 0; q < s; q++) {
      int64_t i = q + s * p, step = s * m, o = q + s * 4 * p;
      vec ac_re = x.re[i] + x.re[i + 2 * step], ac_im = x.im[i] + x.im[i + 2 * step];
      vec am_re = x.re[i] - x.re[i + 2 * step], am_im = x.im[i] - x.im[i + 2 * step];
      vec bd_re = x.re[i + step] + x.re[i + 3 * step], bd_im = x.im[i + step] + x.im[i + 3 * step];
      vec bm_re = x.re[i + step] - x.re[i + 3 * step], bm_im = x.im[i + step] - x.im[i + 3 * step];
      y.re[o] = ac_re + bd_re;
      y.im[o] = ac_im + bd_im;
      TIMES(y, o + s, am_re + bm_im, am_im - bm_re, w[0], w[1]);
      TIMES(y, o + 2 * s, ac_re - bd_re, ac_im - bd_im, w[2], w[3]);
      TIMES(y, o + 3 * s, am_re - bm_im, am_im + bm_re, w[4], w[5]);
    }
}

/* Odd r: sums and differences of x_j and x_(r-j) against cosines and sines; c holds cos and -sin of 2 pi k / r. */
TARGET static inline __attribute__((always_inline)) void FN(stage_odd)(int r, rows x, rows y, int64_t m, int64_t s, const REAL *w,
                                                                       const REAL *c) {
  for (int64_t p = 0; p < m; p++, w += 2 * (r - 1))
    for (int64_t q = 0; q < s; q++) {
      int64_t i = q + s * p, step = s * m, o = q + s * r * p;
      vec t_re[16], t_im[16], u_re[16], u_im[16], x_re = x.re[i], x_im = x.im[i], sum_re = x_re, sum_im = x_im;
      for (int j = 1; j <= r / 2; j++) {
        int64_t a = i + j * step, b = i + (r - j) * step;
        t_re[j] = x.re[a] + x.re[b], t_im[j] = x.im[a] + x.im[b];
        u_re[j] = x.re[a] - x.re[b], u_im[j] = x.im[a] - x.im[b];
        sum_re += t_re[j], sum_im += t_im[j];
      }
      y.re[o] = sum_re, y.im[o] = sum_im;
      for (int k = 1; k <= r / 2; k++) {
        vec e_re = x_re, e_im = x_im, d_re = u_re[1] * c[2 * k + 1], d_im = u_im[1] * c[2 * k + 1];
        e_re += t_re[1] * c[2 * k], e_im += t_im[1] * c[2 * k];
        for (int j = 2, jk = 2 * k; j <= r / 2; j++, jk += k) {
          if (jk >= r) jk -= r;
          e_re += t_re[j] * c[2 * jk], e_im += t_im[j] * c[2 * jk];
          d_re += u_re[j] * c[2 * jk + 1], d_im += u_im[j] * c[2 * jk + 1];
        }
        /* e + i d and e - i d, where d = -sum u sin */
        TIMES(y, o + s * k, e_re - d_im, e_im + d_re, w[2 * k - 2], w[2 * k - 1]);
        TIMES(y, o + s * (r - k), e_re + d_im, e_im - d_re, w[2 * (r - k) - 2], w[2 * (r - k) - 1]);
      }
    }
}
TARGET static void FN(stage_3)(rows x, rows y, int64_t m, int64_t s, const REAL *w, const REAL *c) { FN(stage_odd)(3, x, y, m, s, w, c); }
TARGET static void FN(stage_5)(rows x, rows y, int64_t m, int64_t s, const REAL *w, const REAL *c) { FN(stage_odd)(5, x, y, m, s, w, c); }
TARGET static void FN(stage_7)(rows x, rows y, int64_t m, int64_t s, const REAL *w, const REAL *c) { FN(stage_odd)(7, x, y, m, s, w, c); }
TARGET static void FN(stage_r)(int r, rows x, rows y, int64_t m, int64_t s, const REAL *w, const REAL *c) {
  FN(stage_odd)(r, x, y, m, s, w, c);
}

/* The transform of x, by way of y; where it is. */
TARGET static rows FN(smooth)(const fft_plan *p, rows x, rows y) {
  int64_t s = 1, m = p->n;
  for (int i = 0; i < p->n_radix; i++) {
    int         r = p->radix[i];
    const REAL *w = p->twiddle[i], *c = p->circle[i];
    rows        t = x;
    m /= r;
    if (r == 4) FN(stage_4)(x, y, m, s, w);
    else if (r == 2) FN(stage_2)(x, y, m, s, w);
    else if (r == 3) FN(stage_3)(x, y, m, s, w, c);
    else if (r == 5) FN(stage_5)(x, y, m, s, w, c);
    else if (r == 7) FN(stage_7)(x, y, m, s, w, c);
    else FN(stage_r)(r, x, y, m, s, w, c);
    s *= r;
    x = y, y = t;
  }
  return x;
}

static inline rows FN(swapped)(rows x) { return (rows){x.im, x.re}; }

/* By Bluestein (1970), where n is not smooth: x_j c_j convolved with conj(c), c_j = e^(-pi i j^2 / n). */
TARGET static rows FN(transform)(const fft_plan *p, rows x, rows y) {
  if (p->smooth) return FN(smooth)(p, x, y);
  const fft_plan *inner = p->inner;
  const REAL     *chirp = p->chirp, *spectrum = p->spectrum;
  for (int64_t k = 0; k < p->n; k++) TIMES(x, k, x.re[k], x.im[k], chirp[2 * k], chirp[2 * k + 1]);
  for (int64_t k = p->n; k < inner->n; k++) x.re[k] = x.im[k] = (vec){0};
  rows z = FN(smooth)(inner, x, y), other = z.re == x.re ? y : x;
  for (int64_t k = 0; k < inner->n; k++) TIMES(z, k, z.re[k], z.im[k], spectrum[2 * k], spectrum[2 * k + 1]);
  z = FN(swapped)(FN(smooth)(inner, FN(swapped)(z), FN(swapped)(other)));
  for (int64_t k = 0; k < p->n; k++) TIMES(z, k, z.re[k], z.im[k], chirp[2 * k], chirp[2 * k + 1]);
  return z;
}

/* ---- into and out of lanes ---- */
enum { FN(chunk) = 32 }; /* rows that stay in the nearest cache while lanes are filled one after another */

/* x[k] = in[offset[l] + k stride], of `width` reals each: 2 interleaved parts, or 1 and no imaginary part; `count` lanes. */
TARGET static void FN(load)(const REAL *in, const int64_t *offset, int count, int64_t n, int64_t stride, int width, rows x) {
  if (count < LANES)
    for (int64_t k = 0; k < n; k++) x.re[k] = x.im[k] = (vec){0};
  if (width == 1 && count == LANES)
    for (int64_t k = 0; k < n; k++) x.im[k] = (vec){0};
  for (int64_t from = 0; from < n; from += FN(chunk)) {
    int64_t to = from + FN(chunk) < n ? from + FN(chunk) : n;
    for (int l = 0; l < count; l++) {
      const REAL *at = in + width * offset[l];
      REAL       *re = (REAL *)x.re + l, *im = (REAL *)x.im + l;
      if (width == 1)
        for (int64_t k = from; k < to; k++) re[k * LANES] = at[k * stride];
      else
        for (int64_t k = from; k < to; k++) re[k * LANES] = at[2 * k * stride], im[k * LANES] = at[2 * k * stride + 1];
    }
  }
}

TARGET static void FN(store)(rows x, REAL *out, const int64_t *offset, int count, int64_t n, int64_t stride, int width, REAL scale) {
  for (int64_t from = 0; from < n; from += FN(chunk)) {
    int64_t to = from + FN(chunk) < n ? from + FN(chunk) : n;
    for (int l = 0; l < count; l++) {
      REAL       *at = out + width * offset[l];
      const REAL *re = (const REAL *)x.re + l, *im = (const REAL *)x.im + l;
      if (width == 1)
        for (int64_t k = from; k < to; k++) at[k * stride] = re[k * LANES] * scale;
      else
        for (int64_t k = from; k < to; k++) at[2 * k * stride] = re[k * LANES] * scale, at[2 * k * stride + 1] = im[k * LANES] * scale;
    }
  }
}

/* Neighbouring lanes: whole vectors of pairs, taken apart and put together in registers. */
TARGET static inline void FN(unzip)(const REAL *at, vec *re, vec *im) {
  vec a, b;
  memcpy(&a, at, sizeof a), memcpy(&b, at + LANES, sizeof b);
#if REAL_BITS == 32
  typedef int mask __attribute__((vector_size(64)));
  *re = __builtin_shuffle(a, b, (mask){0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30});
  *im = __builtin_shuffle(a, b, (mask){1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31});
#else
  typedef int64_t mask __attribute__((vector_size(64)));
  *re = __builtin_shuffle(a, b, (mask){0, 2, 4, 6, 8, 10, 12, 14});
  *im = __builtin_shuffle(a, b, (mask){1, 3, 5, 7, 9, 11, 13, 15});
#endif
}
TARGET static inline void FN(zip)(vec re, vec im, REAL *at) {
#if REAL_BITS == 32
  typedef int mask __attribute__((vector_size(64)));
  vec a = __builtin_shuffle(re, im, (mask){0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23});
  vec b = __builtin_shuffle(re, im, (mask){8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31});
#else
  typedef int64_t mask __attribute__((vector_size(64)));
  vec a = __builtin_shuffle(re, im, (mask){0, 8, 1, 9, 2, 10, 3, 11});
  vec b = __builtin_shuffle(re, im, (mask){4, 12, 5, 13, 6, 14, 7, 15});
#endif
  memcpy(at, &a, sizeof a), memcpy(at + LANES, &b, sizeof b);
}

static bool FN(neighbours)(const int64_t *offset, int count) {
  for (int l = 1; l < count; l++)
    if (offset[l] != offset[0] + l) return false;
  return count == LANES;
}

TARGET static void FN(load_complex)(const REAL *in, const int64_t *offset, int count, int64_t n, int64_t stride, rows x) {
  if (!FN(neighbours)(offset, count)) FN(load)(in, offset, count, n, stride, 2, x);
  else
    for (int64_t k = 0; k < n; k++) FN(unzip)(in + 2 * (offset[0] + k * stride), &x.re[k], &x.im[k]);
}
TARGET static void FN(store_complex)(rows x, REAL *out, const int64_t *offset, int count, int64_t n, int64_t stride, REAL scale) {
  if (!FN(neighbours)(offset, count)) FN(store)(x, out, offset, count, n, stride, 2, scale);
  else
    for (int64_t k = 0; k < n; k++) FN(zip)(x.re[k] * scale, x.im[k] * scale, out + 2 * (offset[0] + k * stride));
}

/* ---- real transforms of even length 2 h as complex ones of length h ---- */
/* From Z of z_j = x_2j + i x_2j+1 to X_k, k = 0 .. h, in y: with A = Z_k, B = conj(Z_h-k):
 * X_k = (A + B) / 2 + w^k (A - B) / 2i. */
TARGET static void FN(untangle)(rows z, rows y, int64_t h, const REAL *w) {
  for (int64_t k = 0; k <= h; k++) {
    int64_t i = k == h ? 0 : k, j = k == 0 ? 0 : h - k;
    vec e_re = (z.re[i] + z.re[j]) * (REAL)0.5, e_im = (z.im[i] - z.im[j]) * (REAL)0.5;
    vec o_re = (z.im[i] + z.im[j]) * (REAL)0.5, o_im = (z.re[j] - z.re[i]) * (REAL)0.5;
    y.re[k] = e_re + o_re * w[2 * k] - o_im * w[2 * k + 1];
    y.im[k] = e_im + o_re * w[2 * k + 1] + o_im * w[2 * k];
  }
}
/* Back: Z_k = (A + B) + i (A - B) conj(w)^k with A = X_k, B = conj(X_h-k); X_0 and X_h count as real. */
TARGET static void FN(tangle)(rows x, rows z, int64_t h, const REAL *w) {
  x.im[0] = x.im[h] = (vec){0};
  for (int64_t k = 0; k < h; k++) {
    vec e_re = x.re[k] + x.re[h - k], e_im = x.im[k] - x.im[h - k], d_re = x.re[k] - x.re[h - k], d_im = x.im[k] + x.im[h - k];
    z.re[k] = e_re + d_re * w[2 * k + 1] - d_im * w[2 * k];
    z.im[k] = e_im + d_re * w[2 * k] + d_im * w[2 * k + 1];
  }
}

/* ---- blocks of lanes ---- */
TARGET static void FN(pass)(void **bufs, int64_t lo, int64_t hi) {
  const fft_pass *t = bufs[0];
  const fft_plan *p = t->plan;
  int64_t         room = fft_room(p) + 1, half = t->n / 2;
  size_t          bytes = (size_t)(4 * room) * sizeof(vec);
  vec            *at = sec_pool_alloc(bytes);
  rows            x = {at, at + room}, y = {at + 2 * room, at + 3 * room};
  if (!at) {
    fft_slow(t, lo * LANES, hi * LANES);
    return;
  }
  for (int64_t b = lo; b < hi; b++) {
    int64_t from[LANES], to[LANES], first = b * LANES;
    int     count = t->outer * t->inner - first < LANES ? (int)(t->outer * t->inner - first) : LANES;
    for (int l = 0; l < count; l++) {
      int64_t o = (first + l) / t->inner, i = (first + l) % t->inner;
      from[l] = o * t->n_in * t->inner + i;
      to[l] = o * t->n_out * t->inner + i;
    }
    const REAL *in = t->in;
    REAL       *out = t->out, scale = (REAL)t->scale;
    rows        z;
    if (t->kind == FFT_FORWARD) {
      FN(load_complex)(in, from, count, t->n, t->inner, x);
      FN(store_complex)(FN(transform)(p, x, y), out, to, count, t->n, t->inner, scale);
    } else if (t->kind == FFT_INVERSE) {
      FN(load_complex)(in, from, count, t->n, t->inner, x);
      z = FN(swapped)(FN(transform)(p, FN(swapped)(x), FN(swapped)(y)));
      FN(store_complex)(z, out, to, count, t->n, t->inner, scale);
    } else if (t->kind == FFT_REAL && t->n % 2) {
      FN(load)(in, from, count, t->n, t->inner, 1, x);
      FN(store_complex)(FN(transform)(p, x, y), out, to, count, half + 1, t->inner, scale);
    } else if (t->kind == FFT_REAL) {
      for (int l = 0; l < LANES; l++) to[l] = l < count ? to[l] : 0;
      FN(load)(in, from, count, half, 2 * t->inner, 1, x);
      FN(load)(in + t->inner, from, count, half, 2 * t->inner, 1, (rows){x.im, y.im});
      z = FN(transform)(p, x, y);
      rows spectrum = z.re == x.re ? y : x;
      FN(untangle)(z, spectrum, half, p->roots);
      FN(store_complex)(spectrum, out, to, count, half + 1, t->inner, scale);
    } else if (t->n % 2) { /* real results: the other half is the conjugate */
      FN(load_complex)(in, from, count, half + 1, t->inner, x);
      x.im[0] = (vec){0};
      for (int64_t k = 1; k <= half; k++) x.re[t->n - k] = x.re[k], x.im[t->n - k] = -x.im[k];
      z = FN(swapped)(FN(transform)(p, FN(swapped)(x), FN(swapped)(y)));
      FN(store)(z, out, to, count, t->n, t->inner, 1, scale);
    } else {
      FN(load_complex)(in, from, count, half + 1, t->inner, x);
      FN(tangle)(x, y, half, p->roots);
      z = FN(swapped)(FN(transform)(p, FN(swapped)(y), FN(swapped)(x)));
      FN(store)(z, out, to, count, half, 2 * t->inner, 1, scale);
      FN(store)((rows){z.im, z.im}, out + t->inner, to, count, half, 2 * t->inner, 1, scale);
    }
  }
  sec_pool_free(at, bytes);
}

/* ---- one long vector as a matrix [first, second] ---- */
/* Transforms of columns, times w^(column row): x to tmp.  w^(j k) is w^(j (k & ~31)) w^(j (k & 31)). */
TARGET static void FN(columns)(void **bufs, int64_t lo, int64_t hi) {
  fft_line       *t = bufs[0];
  const fft_plan *p = t->plan, *first = p->first;
  int64_t         room = fft_room(first), n2 = p->second->n, steps = first->n / 32 + 1;
  size_t          bytes = (size_t)(4 * room + 2 * steps + 64) * sizeof(vec);
  vec            *at = sec_pool_alloc(bytes);
  rows            x = {at, at + room}, y = {at + 2 * room, at + 3 * room};
  rows            coarse = {at + 4 * room, at + 4 * room + steps}, fine = {at + 4 * room + 2 * steps, at + 4 * room + 2 * steps + 32};
  if (!at) {
    t->failed = true;
    return;
  }
  for (int64_t b = lo; b < hi; b++) {
    int64_t offset[LANES], column = b * LANES;
    int     count = n2 - column < LANES ? (int)(n2 - column) : LANES;
    for (int l = 0; l < LANES; l++) offset[l] = column + l;
    FN(load_complex)(t->in, offset, count, first->n, n2, t->inverse ? FN(swapped)(x) : x);
    rows z = FN(transform)(first, x, y);
    for (int l = 0; l < count; l++) {
      double w[2];
      for (int k = 0; k < 32; k++) {
        fft_root(p, (column + l) * k, w);
        ((REAL *)&fine.re[k])[l] = (REAL)w[0], ((REAL *)&fine.im[k])[l] = (REAL)w[1];
      }
      for (int64_t k = 0; k < steps; k++) {
        fft_root(p, (column + l) * 32 * k, w);
        ((REAL *)&coarse.re[k])[l] = (REAL)w[0], ((REAL *)&coarse.im[k])[l] = (REAL)w[1];
      }
    }
    for (int64_t k = 0; k < first->n; k++) {
      vec c_re = coarse.re[k >> 5], c_im = coarse.im[k >> 5], f_re = fine.re[k & 31], f_im = fine.im[k & 31];
      vec w_re = c_re * f_re - c_im * f_im, w_im = c_re * f_im + c_im * f_re;
      TIMES(z, k, z.re[k], z.im[k], w_re, w_im);
    }
    FN(store_complex)(z, t->tmp, offset, count, first->n, n2 + FFT_PAD, 1);
  }
  sec_pool_free(at, bytes);
}

/* Transforms of rows, tmp to out, which takes them as columns. */
TARGET static void FN(lines)(void **bufs, int64_t lo, int64_t hi) {
  fft_line       *t = bufs[0];
  const fft_plan *p = t->plan, *second = p->second;
  int64_t         room = fft_room(second), n1 = p->first->n, n2 = second->n;
  size_t          bytes = (size_t)(4 * room) * sizeof(vec);
  vec            *at = sec_pool_alloc(bytes);
  rows            x = {at, at + room}, y = {at + 2 * room, at + 3 * room};
  if (!at) {
    t->failed = true;
    return;
  }
  for (int64_t b = lo; b < hi; b++) {
    int64_t from[LANES], to[LANES], row = b * LANES;
    int     count = n1 - row < LANES ? (int)(n1 - row) : LANES;
    for (int l = 0; l < LANES; l++) from[l] = (row + l) * (n2 + FFT_PAD), to[l] = row + l;
    FN(load_complex)(t->tmp, from, count, n2, 1, x);
    rows z = FN(transform)(second, x, y);
    FN(store_complex)(t->inverse ? FN(swapped)(z) : z, t->out, to, count, n2, n1, (REAL)t->scale);
  }
  sec_pool_free(at, bytes);
}

/* ---- long vectors alone, as pairs in memory ---- */
TARGET static void FN(line_multiply)(const void *x_, const void *c_, void *y_, int64_t n, double scale_) {
  const REAL *x = x_, *c = c_;
  REAL       *y = y_, scale = (REAL)scale_;
  for (int64_t k = 0; k < 2 * n; k += 2) {
    REAL re = x[k] * c[k] - x[k + 1] * c[k + 1], im = x[k] * c[k + 1] + x[k + 1] * c[k];
    y[k] = re * scale, y[k + 1] = im * scale;
  }
}
/* As untangle and tangle; z is in y already, or in x. */
TARGET static void FN(line_untangle)(void *y_, int64_t h, const void *w_) {
  const REAL *w = w_, half = (REAL)0.5;
  REAL       *y = y_;
  REAL        re = y[0], im = y[1];
  y[0] = re + im, y[1] = 0, y[2 * h] = re - im, y[2 * h + 1] = 0;
  for (int64_t k = 1, j = h - 1; k <= j; k++, j--) {
    REAL e_re = (y[2 * k] + y[2 * j]) * half, e_im = (y[2 * k + 1] - y[2 * j + 1]) * half;
    REAL o_re = (y[2 * k + 1] + y[2 * j + 1]) * half, o_im = (y[2 * j] - y[2 * k]) * half;
    REAL t_re = o_re * w[2 * k] - o_im * w[2 * k + 1], t_im = o_re * w[2 * k + 1] + o_im * w[2 * k];
    y[2 * k] = e_re + t_re, y[2 * k + 1] = e_im + t_im;
    y[2 * j] = e_re - t_re, y[2 * j + 1] = t_im - e_im;
  }
}
TARGET static void FN(line_tangle)(const void *x_, void *z_, int64_t h, const void *w_) {
  const REAL *x = x_, *w = w_;
  REAL       *z = z_;
  z[0] = x[0] + x[2 * h], z[1] = x[0] - x[2 * h];
  for (int64_t k = 1; k < h; k++) {
    int64_t j = h - k;
    REAL    e_re = x[2 * k] + x[2 * j], e_im = x[2 * k + 1] - x[2 * j + 1], d_re = x[2 * k] - x[2 * j], d_im = x[2 * k + 1] + x[2 * j + 1];
    z[2 * k] = e_re + d_re * w[2 * k + 1] - d_im * w[2 * k];
    z[2 * k + 1] = e_im + d_re * w[2 * k] + d_im * w[2 * k + 1];
  }
}

static const fft_kernels FN(kernels) = {FN(pass), FN(columns), FN(lines), FN(line_multiply), FN(line_untangle), FN(line_tangle)};

#undef TIMES
#undef vec
#undef rows
#undef LANES
