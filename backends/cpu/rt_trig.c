/* The reduction of large arguments of sin, cos and tan, called by generated code
 * (lowering/math_trig.c): x = q pi/2 + r with |r| <= pi/4.
 * Payne and Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18 (1983).
 *
 * x = M 2^e, M an integer of 53 bits.  The bits of 2/pi above weight 2^(1-e) only add multiples of
 * 4 to x 2/pi; the 192 bits from there on give it modulo 4 to within 2^-137, far below the 2^-62
 * that separates a number from a multiple of pi/2.
 *
 * The block, dense: the number n of lanes (int64), x[n] (float or double), r[n] (as x), q[n]
 * (int32 or int64, modulo 4).  x >= 0; where x < 2^20, r and q are 0; an infinite or NaN x gives a
 * NaN r. */
#include "runtime.h"

#include <math.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;
__extension__ typedef __int128 signed_wide;

/* 64 zero bits, then the bits of 2/pi */
static const uint64_t two_over_pi[20] = {
  0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
  0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
  0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
  0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
  0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
};

static const double half_pi = 0x1.921fb54442d18p+0, half_pi_rest = 0x1.1a62633145c07p-54;

/* 64 bits of the table from bit `position` on. */
static uint64_t table_bits(int position) {
  int i = position / 64;
  wide pair = (wide)two_over_pi[i] << 64 | two_over_pi[i + 1];
  return (uint64_t)(pair << position % 64 >> 64);
}

/* x 2/pi - q in units of 2^-126, rounded: the parts *high and below it *low. */
static void reduce(double x, double *high, double *low, int64_t *q) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  int exponent = (int)(bits >> 52);
  *high = exponent < 0x7FF ? 0 : NAN;
  *low = 0;
  *q = 0;
  if (x < 0x1p20 || exponent >= 0x7FF) return;
  uint64_t m = (bits & 0xFFFFFFFFFFFFF) | (uint64_t)1 << 52;
  int from = exponent - 1075 - 2 + 64; /* e - 2, behind the zeros */
  wide product = ((wide)(table_bits(from) * m) << 64) + (wide)table_bits(from + 64) * m +
                 ((wide)table_bits(from + 128) * m >> 64);
  /* two bits of the integer, then the fraction: to the nearest integer */
  *q = (int64_t)((product + ((wide)1 << 125)) >> 126);
  signed_wide rest = (signed_wide)(product - ((wide)*q << 126));
  /* digits of 53, 53 and 22 bits, each exact as a double; the sum of the first two in two parts */
  const int64_t mask = ((int64_t)1 << 53) - 1;
  double first = (double)(int64_t)(rest >> 75) * 0x1p75;
  double second = (double)((int64_t)(rest >> 22) & mask) * 0x1p22;
  *high = first + second;
  *low = second - (*high - first) + (double)((int64_t)rest & (mask >> 31));
}

static double radians_f64(double high, double low) {
  return fma(high, half_pi, high * half_pi_rest + low * half_pi) * 0x1p-126;
}

static float radians_f32(double high, double low) {
  return (float)((high + low) * (half_pi * 0x1p-126));
}

#define REDUCE(suffix, type, int_type)                                                             \
  void sec_rt_reduce_##suffix(void **bufs, const int64_t *meta) {                                  \
    int64_t n = meta[0];                                                                           \
    type *x = (type *)(void *)((char *)bufs + sizeof n), *r = x + n;                               \
    int_type *q = (int_type *)(void *)(r + n);                                                     \
    for (int64_t i = 0, quotient; i < n; i++) {                                                    \
      double high, low;                                                                            \
      reduce(x[i], &high, &low, &quotient);                                                        \
      r[i] = radians_##suffix(high, low);                                                          \
      q[i] = (int_type)quotient;                                                                   \
    }                                                                                              \
  }

REDUCE(f32, float, int32_t)
REDUCE(f64, double, int64_t)
