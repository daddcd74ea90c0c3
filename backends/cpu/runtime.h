/* Runtime functions: what schedules and generated code call by name instead of generating code.
 *
 * All have one signature: `bufs` are the inputs, then the outputs, dense and row-major unless
 * `meta` gives strides; `meta` are the numbers described at each function (sizes and strides in
 * elements). Outputs do not overlap inputs.  They may be called from any thread and use the thread
 * pool. They do not fail, host functions and factorisations apart: memory they want but cannot have makes them slower. */
#ifndef SEC_RUNTIME_H
#define SEC_RUNTIME_H

#include "../compiler.h"
#include "../threads.h"
#include "special.h"

#include <stddef.h>
#include <stdint.h>

typedef void sec_runtime_fn(void **bufs, const int64_t *meta);

/* Element kinds in `meta` of the linear algebra functions; those after F64 only for dot. */
typedef enum sec_rt_kind {
  SEC_RT_F32,
  SEC_RT_F64,
  SEC_RT_I32,
  SEC_RT_I64,
  SEC_RT_U32,
  SEC_RT_U64,
  SEC_RT_U8,
  SEC_RT_BOOL
} sec_rt_kind;

/* c[b,i,j] = sum over l of a[b,i,l] b[b,l,j]; integers wrap, bools: or of ands.
 * bufs: a, b, c.
 * meta: kind, batch, m, n, k, strides of a (batch, m, k), strides of b (batch, k, n). */
sec_runtime_fn sec_rt_dot;

/* The lower Cholesky factor, zero above the diagonal, of a matrix given by its lower triangle; NaN
 * on and below the diagonal if the matrix is not positive definite.
 * bufs: a, factor.
 * meta: kind, batch, n. */
sec_runtime_fn sec_rt_cholesky;

/* Solves op(a) x = b (left_side) or x op(a) = b for triangular a; op is the transpose if
 * transpose_a.  The other triangle, and with unit_diagonal the diagonal, are not read.  A zero pivot
 * divides by 0.
 * bufs: a, b, x.
 * meta: kind, batch, m, n (of b), left_side, lower, transpose_a, unit_diagonal. */
sec_runtime_fn sec_rt_triangular_solve;

/* The LU factorisation with row exchanges: `lu` holds L below its unit diagonal and U, `pivots`
 * (i32[min(m,n)]) the row exchanged with row i, `permutation` (i32[m]) the source of each row.
 * bufs: a, lu, pivots, permutation.
 * meta: kind, batch, m, n. */
sec_runtime_fn sec_rt_lu;

/* lapack_orthogonal.c, lapack_spectral.c, lapack_eig.c, by way of rt_factor.c: buffers and meta are those of the tables in
 * core/dense.h, then a pointer to the run's status; they fail when there is no memory for their work. */
sec_runtime_fn sec_rt_geqrf, sec_rt_householder_product, sec_rt_ormqr, sec_rt_qr, sec_rt_hessenberg, sec_rt_tridiagonal,
    sec_rt_eigh, sec_rt_svd, sec_rt_schur, sec_rt_tridiagonal_solve, sec_rt_cholesky_update, sec_rt_pinv, sec_rt_eig;

/* Running sums, products, maxima or minima along the middle axis; a NaN stays in maxima and minima.
 * bufs: x, y.
 * meta: dtype (row of core/include/secant/dtype.def, not complex), op (0 sum, 1 product, 2 maximum,
 * 3 minimum), outer, n, inner, reverse (from the end). */
sec_runtime_fn sec_rt_cumulative;

/* rt_conv.c: sums of products of windows.
 * bufs: lhs, rhs, result.
 * meta: kind (F32, F64), spatial axes (at most 10), groups, batch, features in and out of a group; strides of group, batch and
 * features in lhs, of group, features and outputs in rhs, of group, batch and outputs in the result; then for each spatial
 * axis size, window, positions, stride, padding in front, dilations of lhs and rhs, strides in lhs, rhs and result. */
sec_runtime_fn sec_rt_conv;

/* bufs: from, to.  meta: bytes. */
sec_runtime_fn sec_rt_copy;

/* rt_host.c: fails when the host function does. */
sec_runtime_fn sec_rt_host_call;

/* rt_gather.c, rt_reduce.c: meta is written by the primitives' meta rules (core/ops/gather.c, scatter.c, reduce.c). */
sec_runtime_fn sec_rt_gather, sec_rt_scatter, sec_rt_scatter_add, sec_rt_scatter_mul, sec_rt_scatter_min,
    sec_rt_scatter_max, sec_rt_argreduce, sec_rt_transpose;

/* rt_fft.c: Fourier transforms of the last axes; meta is described there. */
sec_runtime_fn sec_rt_fft;

/* rt_sort.c: sorts along the middle axis, lexicographically by the first operands; stable; NaN last.
 * bufs: operands, results.
 * meta: operands (at most 16), keys, outer, n (below 2^32), inner, dtype of each operand. */
sec_runtime_fn sec_rt_sort;

/* The k greatest elements along the middle axis, in descending total order, and their places.
 * bufs: operand [outer, n, inner]; values, i32 places [outer, k, inner].
 * meta: dtype, outer, n, inner, k. */
sec_runtime_fn sec_rt_top_k;

/* rt_trig.c: both arguments are the block described there, not buffers and meta. */
sec_runtime_fn sec_rt_reduce_f32, sec_rt_reduce_f64;

/* rt_special.c: as rt_trig.c. */
#define SEC_RT_SPECIAL(name, n_in, narrow) sec_runtime_fn sec_rt_##name;
SEC_SPECIAL_FUNCTIONS(SEC_RT_SPECIAL)
#undef SEC_RT_SPECIAL

/* rt_half.c: conversions of f16 and bf16 that LLVM's code calls by these names, with C's calling convention. */
typedef struct sec_rt_conversion {
  const char *name;
  void (*function)(void);
} sec_rt_conversion;
const sec_rt_conversion *sec_rt_conversions(size_t *n);

/* All of the above, for code to link with; valid until the process ends. */
const sec_compiler_symbol *sec_runtime_symbols(size_t *n);

/* The function called `name`; NULL if there is none. */
sec_runtime_fn *sec_runtime_lookup(const char *name);

/* ---- the library behind them --------------------------------------------------------------- */

/* Fortran's calling convention: everything by address, matrices by columns, then the lengths of the
 * character arguments. */
typedef void sec_gemm(const char *trans_a, const char *trans_b, const int *m, const int *n,
                      const int *k, const void *alpha, const void *a, const int *lda, const void *b,
                      const int *ldb, const void *beta, void *c, const int *ldc, size_t, size_t);
typedef void sec_gemv(const char *trans, const int *m, const int *n, const void *alpha,
                      const void *a, const int *lda, const void *x, const int *incx,
                      const void *beta, void *y, const int *incy, size_t);
typedef void sec_trsm(const char *side, const char *uplo, const char *trans, const char *diag,
                      const int *m, const int *n, const void *alpha, const void *a, const int *lda,
                      void *b, const int *ldb, size_t, size_t, size_t, size_t);
typedef void sec_potrf(const char *uplo, const int *n, void *a, const int *lda, int *info, size_t);
typedef void sec_getrf(const int *m, const int *n, void *a, const int *lda, int *pivots, int *info);
typedef void sec_geqrf_fn(const int *m, const int *n, void *a, const int *lda, void *tau, void *work, const int *lwork, int *info);
typedef void sec_geqp3_fn(const int *m, const int *n, void *a, const int *lda, int *order, void *tau, void *work, const int *lwork, int *info);
typedef void sec_orgqr_fn(const int *m, const int *n, const int *k, void *a, const int *lda, const void *tau, void *work, const int *lwork, int *info);
typedef void sec_ormqr_fn(const char *side, const char *trans, const int *m, const int *n, const int *k, const void *a, const int *lda, const void *tau,
                          void *c, const int *ldc, void *work, const int *lwork, int *info, size_t, size_t);
typedef void sec_gehrd_fn(const int *n, const int *low, const int *high, void *a, const int *lda, void *tau, void *work, const int *lwork, int *info);
typedef void sec_sytrd_fn(const char *uplo, const int *n, void *a, const int *lda, void *d, void *e, void *tau, void *work, const int *lwork, int *info,
                          size_t);
typedef void sec_syevd_fn(const char *job, const char *uplo, const int *n, void *a, const int *lda, void *w, void *work, const int *lwork, int *iwork,
                          const int *liwork, int *info, size_t, size_t);
typedef void sec_gesdd_fn(const char *job, const int *m, const int *n, void *a, const int *lda, void *s, void *u, const int *ldu, void *vt,
                          const int *ldvt, void *work, const int *lwork, int *iwork, int *info, size_t);
typedef void sec_gees_fn(const char *job, const char *sort, void *select, const int *n, void *a, const int *lda, int *sdim, void *re, void *im, void *vs,
                         const int *ldvs, void *work, const int *lwork, int *bwork, int *info, size_t, size_t);
typedef void sec_geev_fn(const char *left, const char *right, const int *n, void *a, const int *lda, void *re, void *im, void *vl, const int *ldvl,
                         void *vr, const int *ldvr, void *work, const int *lwork, int *info, size_t, size_t);
typedef void sec_geev_complex_fn(const char *left, const char *right, const int *n, void *a, const int *lda, void *w, void *vl, const int *ldvl, void *vr,
                                 const int *ldvr, void *work, const int *lwork, void *rwork, int *info, size_t, size_t);

/* Indexed by kind, F32 or F64; a function that no library has is NULL. */
typedef struct sec_blas {
  const char *library; /* its name; NULL if there is none */
  sec_gemm *gemm[2];
  sec_gemv *gemv[2];
  sec_trsm *trsm[2];
  sec_potrf *potrf[2];
  sec_getrf *getrf[2];
  sec_geqrf_fn *geqrf[2];
  sec_geqp3_fn *geqp3[2];
  sec_orgqr_fn *orgqr[2];
  sec_ormqr_fn *ormqr[2];
  sec_gehrd_fn *gehrd[2];
  sec_sytrd_fn *sytrd[2];
  sec_syevd_fn *syevd[2];
  sec_gesdd_fn *gesdd[2];
  sec_gees_fn *gees[2];
  sec_geev_fn *geev[2];
  sec_geev_complex_fn *geev_complex[2]; /* of pairs of that kind */
} sec_blas;

/* Loads OpenBLAS, else the reference libraries, at the first call.  Not NULL. */
const sec_blas *sec_blas_get(void);

/* 1 in both kinds, for alpha and beta. */
extern const void *const sec_blas_one[2];

#endif
