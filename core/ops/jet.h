/* Polynomials in e, cut after e^order: functions near a point by their Taylor coefficients. */
#ifndef SEC_JET_H
#define SEC_JET_H

enum { SEC_JET_MAX = 6 };
typedef struct jet {
  double c[SEC_JET_MAX + 1];
} jet;

/* j *= (u + e) and j /= (u + e) */
static inline void jet_times(jet *j, int order, double u) {
  for (int i = order; i > 0; i--) j->c[i] = u * j->c[i] + j->c[i - 1];
  j->c[0] *= u;
}
static inline void jet_over(jet *j, int order, double u) {
  j->c[0] /= u;
  for (int i = 1; i <= order; i++) j->c[i] = (j->c[i] - j->c[i - 1]) / u;
}
/* sum += scale * j, j *= scale */
static inline void jet_add(jet *sum, int order, double scale, const jet *j) {
  for (int i = 0; i <= order; i++) sum->c[i] += scale * j->c[i];
}
static inline void jet_scale(jet *j, int order, double scale) {
  for (int i = 0; i <= order; i++) j->c[i] *= scale;
}
static inline jet jet_product(const jet *x, const jet *y, int order) {
  jet z = {{0}};
  for (int i = 0; i <= order; i++)
    for (int k = 0; k <= i; k++) z.c[i] += x->c[k] * y->c[i - k];
  return z;
}
static inline jet jet_quotient(const jet *x, const jet *y, int order) {
  jet z = {{0}};
  for (int i = 0; i <= order; i++) {
    double rest = x->c[i];
    for (int k = 0; k < i; k++) rest -= z.c[k] * y->c[i - k];
    z.c[i] = rest / y->c[0];
  }
  return z;
}
/* exp of a jet without its constant */
static inline jet jet_exp(const jet *x, int order) {
  jet z = {{1}};
  for (int i = 1; i <= order; i++) {
    for (int k = 1; k <= i; k++) z.c[i] += k * x->c[k] * z.c[i - k];
    z.c[i] /= i;
  }
  return z;
}

#endif
