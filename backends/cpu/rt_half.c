/* Conversions that LLVM calls where the processor has no instruction.  Those of f16 are in the C compiler's runtime;
 * those of bf16 only in that of newer compilers, so they are here. */
#include "runtime.h"

#include <stdbool.h>
#include <string.h>

/* A bf16 is returned where an f16 is: C has a type for one of them. */
__extension__ typedef _Float16 half_register;

static half_register bf16_return(uint32_t f32_bits, bool is_nan) {
  uint32_t rounded = is_nan ? f32_bits | 0x400000 : f32_bits + 0x7fff + (f32_bits >> 16 & 1);
  uint16_t bits = (uint16_t)(rounded >> 16);
  half_register out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

static half_register f32_to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bf16_return(bits, x != x);
}

/* Rounds to odd on the way through f32, so that the result is rounded once.  Boldo and Melquiond,
 * "Emulation of FMA and correctly rounded sums", IEEE Trans. Comp. 57 (2008), theorem 1. */
static half_register f64_to_bf16(double x) {
  float near = (float)x;
  uint32_t bits;
  memcpy(&bits, &near, sizeof bits);
  bool above = ((double)near > x) == (x > 0); /* near is away from zero */
  if (x == x && (double)near != x && !(bits & 1))
    bits = above ? bits - 1 : bits + 1;
  return bf16_return(bits, x != x);
}

void __truncdfhf2(void);
void __truncsfhf2(void);
void __extendhfsf2(void);

static const sec_rt_conversion conversions[] = {
    {"__truncdfhf2", __truncdfhf2},
    {"__truncsfhf2", __truncsfhf2},
    {"__extendhfsf2", __extendhfsf2},
    {"__truncsfbf2", (void (*)(void))f32_to_bf16},
    {"__truncdfbf2", (void (*)(void))f64_to_bf16},
};

const sec_rt_conversion *sec_rt_conversions(size_t *n) {
  *n = sizeof conversions / sizeof *conversions;
  return conversions;
}
