/* Plans of Fourier transforms, kept for the lengths used last, and one axis of an array transformed with them. */
#ifndef SEC_FFT_H
#define SEC_FFT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fft_kind { FFT_FORWARD, FFT_INVERSE, FFT_REAL, FFT_TO_REAL } fft_kind;

typedef struct fft_plan fft_plan;

/* One axis: in [outer, n_in, inner] to out [outer, n_out, inner], complex numbers as pairs; of a transform of length n with real
 * numbers on one side, that side has n and the other n/2 + 1.  Results are times `scale`.  Complex to complex may be in
 * place. */
typedef struct fft_pass {
  const fft_plan *plan;
  const void     *in;
  void           *out;
  int64_t         outer, inner, n, n_in, n_out;
  double          scale;
  fft_kind        kind;
  bool            is_f64;
} fft_pass;

void fft_axis(fft_pass *t);

#endif
