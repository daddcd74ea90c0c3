/* Blocks of convolutions (rt_conv.c cuts them, rt_conv_kernels.c computes them). */
#ifndef SEC_RT_CONV_H
#define SEC_RT_CONV_H

#include <stdbool.h>
#include <stdint.h>

/* n products along a and b; offsets in elements. */
typedef struct sec_conv_run { int64_t a, b, n; } sec_conv_run;

/* c[p, o] (+)= sum over runs r and k < n of a[r.a + p a_p + k a_k] b[r.b + k b_k + o] */
typedef struct sec_conv_tile {
  const void         *a, *b;
  void               *c;
  int64_t             a_p, a_k, b_k, c_p;
  int                 n_runs;
  const sec_conv_run *runs;
  bool                add;
} sec_conv_tile;

typedef struct sec_conv_kernel {
  void (*run)(int p, int nv, const sec_conv_tile *t); /* 1 <= p <= most positions, 1 <= nv <= 2 vectors of features */
  int lanes, most;
} sec_conv_kernel;

/* kind: 0 for f32, 1 for f64. */
sec_conv_kernel sec_conv_kernel_for(int kind, int64_t features);
/* For few outputs, with whole vectors of features that are neighbours: nv is the number of outputs, b_k their distance in b. */
bool sec_conv_dots_for(int kind, int64_t features, int64_t outputs, sec_conv_kernel *k);

#endif
