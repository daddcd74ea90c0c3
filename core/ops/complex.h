/* Complex numbers: `parts` rules by name (complex_parts.c), and functions of complex doubles for evaluation (complex.c).
 * A rule sec_parts_x is of primitive x. */
#ifndef SEC_COMPLEX_H
#define SEC_COMPLEX_H

#include "family.h"

/* The primitive with the same parameters, of the real parts and of the imaginary parts; real operands go to both. */
sec_status sec_parts_each(const sec_parts *p);
/* Linear in each of the first two operands: a product of some kind. */
sec_status sec_parts_product(const sec_parts *p);

#define SEC_COMPLEX_UNARY(X)                                                                      \
  X(exp) X(exp2) X(expm1) X(log) X(log1p) X(sqrt) X(rsqrt) X(logistic) X(tanh) X(sinh) X(cosh)    \
  X(asinh) X(acosh) X(atanh) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sign) X(square)
#define X(name)                                                                                   \
  sec_status sec_parts_##name(const sec_parts *p);                                                \
  double _Complex sec_c_##name(const double _Complex *x);
SEC_COMPLEX_UNARY(X)
#undef X
sec_status sec_parts_abs(const sec_parts *p);
sec_status sec_parts_mul(const sec_parts *p);
sec_status sec_parts_div(const sec_parts *p);
sec_status sec_parts_pow(const sec_parts *p);
sec_status sec_parts_integer_pow(const sec_parts *p);
sec_status sec_parts_max(const sec_parts *p); /* and min */
sec_status sec_parts_eq(const sec_parts *p);  /* and ne */
sec_status sec_parts_is_finite(const sec_parts *p);
sec_status sec_parts_convert(const sec_parts *p);
sec_status sec_parts_extremum(const sec_parts *p); /* reduce_max, reduce_min */
sec_status sec_parts_reduce_prod(const sec_parts *p);
sec_status sec_parts_cumulative(const sec_parts *p); /* cumprod, cummax, cummin */
sec_status sec_parts_sort(const sec_parts *p);
sec_status sec_parts_gather(const sec_parts *p);
sec_status sec_parts_dot_general(const sec_parts *p);

/* Products and quotients as formulas have them: no recovery of infinities. */
double _Complex sec_c_mul(const double _Complex *x);
double _Complex sec_c_div(const double _Complex *x);
double _Complex sec_c_pow(const double _Complex *x);
double _Complex sec_c_max(const double _Complex *x);
double _Complex sec_c_min(const double _Complex *x);

#endif
