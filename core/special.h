/* Special functions without a closed form for vector code, as functions of doubles.  One definition serves the
 * reference evaluator and compiled code, which calls it a lane at a time (lowering/math_call.c, backends/cpu/rt_special.c);
 * what they are tested against is therefore tables and JAX (tests/core/special_test.c, tests/python/test_special.py).
 * x[i] are the operands.  All of them end for every input and allocate nothing. */
#ifndef SEC_SPECIAL_H
#define SEC_SPECIAL_H

/* F(primitive, number of operands, whether f16 and bf16 come as they are) */
#define SEC_SPECIAL_FUNCTIONS(F)          \
  F(polygamma, 2, false)                  \
  F(zeta, 2, false)                       \
  F(zeta_grad, 3, false)                  \
  F(betaln, 2, false)                     \
  F(igamma, 2, false)                     \
  F(igammac, 2, false)                    \
  F(igamma_grad, 3, false)                \
  F(igamma_grad_a, 2, false)              \
  F(random_gamma_grad, 2, false)          \
  F(regularized_incomplete_beta, 3, false) \
  F(expi, 1, false)                       \
  F(expn, 2, false)                       \
  F(spence_grad, 2, false)                \
  F(sine_integral, 1, false)              \
  F(cosine_integral, 1, false)            \
  F(fresnel_s, 1, false)                  \
  F(fresnel_c, 1, false)                  \
  F(owens_t, 2, false)                    \
  F(bessel_jn, 2, false)                  \
  F(hyp1f1_grad, 4, false)                \
  F(hyp2f1_grad, 5, false)

enum { SEC_SPECIAL_MAX_IN = 5 };

#define SEC_SPECIAL_DECLARE(name, n_in, narrow) double sec_special_##name(const double *x);
SEC_SPECIAL_FUNCTIONS(SEC_SPECIAL_DECLARE)
#undef SEC_SPECIAL_DECLARE

/* Vector code of their own, in lowering/: evaluation alone. */
double sec_special_erfcx(const double *x);
double sec_special_ndtri(const double *x);
double sec_special_dawsn(const double *x);
double sec_special_lgamma(const double *x);
double sec_special_digamma(const double *x);

/* lgamma(a) - (a - 1/2) log a + a - log(2 pi)/2 for a >= 1: what Stirling's formula lacks (DLMF 5.11.1) */
double sec_special_stirling(double a);

#endif
