/* fft at run time: the transform of the last axes, one after another.
 * bufs: x, y.
 * meta: 1 for f64, kind (fft_type: 0 forward, 1 inverse, 2 real to half, 3 half to real), axes, rank, dims of x, dims of y. */
#include "../pool.h"
#include "fft.h"
#include "runtime.h"

static int64_t product(const int64_t *dims, int from, int to) {
  int64_t n = 1;
  for (int a = from; a < to; a++) n *= dims[a];
  return n;
}

/* Axis a of an array whose other axes have the sizes in dims. */
static void pass(const int64_t *meta, const int64_t *dims, int a, int64_t n, int64_t n_in, int64_t n_out, fft_kind kind, const void *in,
                 void *out) {
  int      rank = (int)meta[3];
  bool     inverse = kind == FFT_INVERSE || kind == FFT_TO_REAL;
  fft_pass t = {.in = in, .out = out, .outer = product(dims, 0, a), .inner = product(dims, a + 1, rank), .n = n, .n_in = n_in,
                .n_out = n_out, .scale = inverse ? 1 / (double)n : 1, .kind = kind, .is_f64 = meta[0] != 0};
  fft_axis(&t);
}

void sec_rt_fft(void **bufs, const int64_t *meta) {
  fft_kind       kind = (fft_kind)meta[1], others = kind == FFT_FORWARD || kind == FFT_REAL ? FFT_FORWARD : FFT_INVERSE;
  int            rank = (int)meta[3], last = rank - 1, first = rank - (int)meta[2];
  const int64_t *x = meta + 4, *y = x + rank;
  const void    *in = bufs[0];
  if (product(y, 0, rank) == 0) return;
  if (kind != FFT_TO_REAL) {
    pass(meta, y, last, x[last], x[last], y[last], kind, in, bufs[1]);
    for (int a = last; a-- > first;) pass(meta, y, a, y[a], y[a], y[a], others, bufs[1], bufs[1]);
    return;
  }
  size_t bytes = (size_t)product(x, 0, rank) * (meta[0] ? 16 : 8);
  void  *tmp = first < last ? sec_pool_alloc(bytes) : NULL;
  for (int a = last; a-- > first && tmp; in = tmp) pass(meta, x, a, x[a], x[a], x[a], others, in, tmp);
  pass(meta, y, last, y[last], x[last], y[last], kind, in, bufs[1]);
  if (tmp) sec_pool_free(tmp, bytes);
}
