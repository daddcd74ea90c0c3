/* Factorisations of one dense matrix, in double and by rows, after LAPACK's conventions for signs and storage.
 *
 * Two use them: the evaluation rules of core/ops/linalg_*.c, as the oracle, and the runtime where no LAPACK can be
 * opened.  Speed is no aim here.  A factorisation is a row of tables below: how long its operands and results are
 * for the words `meta` (kind, batch, then what is said at each), and what computes them. */
#ifndef SEC_DENSE_H
#define SEC_DENSE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { SEC_DENSE_BUFFERS = 6 };

typedef struct sec_dense {
  int n_in, n_out;
  unsigned integers; /* bit i: buffer i holds i32 where arrays are concerned, doubles here */
  /* Real numbers of each buffer that one matrix takes, and doubles of work. */
  void (*sizes)(const int64_t *meta, int64_t *sizes, int64_t *work);
  /* False: no convergence, or not finite; the float results are then NaN. */
  bool (*run)(const int64_t *meta, double *const *bufs, double *work);
} sec_dense;

/* dense_orthogonal.c: reflectors are I - tau v v^T, v[0] = 1, stored below the diagonal. */
extern const sec_dense sec_dense_geqrf;       /* m n; a[m,n] -> a[m,n] tau[min] */
extern const sec_dense sec_dense_householder; /* m n k; a[m,n] tau[k] -> q[m,n] */
extern const sec_dense sec_dense_ormqr;       /* m n k rows columns left transpose; a[m,n] tau[k] c -> c[rows,columns] */
extern const sec_dense sec_dense_qr;          /* m n q (columns of q); a[m,n] -> q[m,q] r[q,n] */
extern const sec_dense sec_dense_qr_pivoted;  /* the same, and the order of columns p[n] */
extern const sec_dense sec_dense_hessenberg;  /* n; a[n,n] -> a[n,n] tau[n-1] */
extern const sec_dense sec_dense_tridiagonal; /* n lower; a[n,n] -> a[n,n] d[n] e[n-1] tau[n-1] */

/* dense_jacobi.c */
extern const sec_dense sec_dense_eigh;   /* n lower; a[n,n] -> v[n,n] w[n], ascending */
extern const sec_dense sec_dense_svd;    /* m n full; a[m,n] -> s[min] u[m,m or min] vt[n or min,n], descending */
extern const sec_dense sec_dense_values; /* m n; a[m,n] -> s[min] */
extern const sec_dense sec_dense_pinv;   /* m n rtol (the bits of a double); a[m,n] -> p[n,m] */

/* dense_schur.c */
extern const sec_dense sec_dense_schur;        /* n; a[n,n] -> t[n,n] q[n,n] */
extern const sec_dense sec_dense_schur_values; /* n; a[n,n] -> t[n,n] */

/* dense_eig.c: complex numbers are pairs of doubles */
/* n complex left right; a[n,n] -> w[n] (complex), then left and right vectors v[n,n] (complex) as wanted */
extern const sec_dense sec_dense_eig_values, sec_dense_eig_one, sec_dense_eig_both;

/* dense_banded.c */
extern const sec_dense sec_dense_tridiagonal_solve; /* n k perturb; dl[n] d[n] du[n] b[n,k] -> x[n,k] */
extern const sec_dense sec_dense_cholesky_update;   /* n; r[n,n] w[n] -> r[n,n] */

static inline double sec_double_of_bits(int64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* A reflector that takes the n elements x, `step` apart, to (beta, 0, ..): x becomes beta and the rest of v. */
void sec_reflector(double *x, int64_t step, int64_t n, double *tau);
/* The reflector (v, step) of length n applied to `count` vectors: elements `along` apart, vectors `across`. */
void sec_reflect(double tau, const double *v, int64_t step, int64_t n, double *c, int64_t along, int64_t across,
                 int64_t count);

#endif
