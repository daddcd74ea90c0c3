/* What the primitives of linear algebra share.  Matrices are the last two axes; those before are a batch. */
#ifndef SEC_LINALG_H
#define SEC_LINALG_H

#include "../dense.h"
#include "structure.h"

/* The smaller of a matrix's sides. */
static inline int64_t sec_smaller(int64_t m, int64_t n) { return m < n ? m : n; }
static inline int64_t sec_rows(const sec_aval *a) { return a->dims[a->rank - 2]; }
static inline int64_t sec_columns(const sec_aval *a) { return a->dims[a->rank - 1]; }

/* ---- type rules ---- */
/* Operand i is a matrix of a float type that LAPACK has. */
sec_status sec_type_matrix(const sec_typing *t, int i, bool square);
/* Operand i has operand 0's dtype and batch axes, and `inner` axes after them. */
sec_status sec_type_beside(const sec_typing *t, int i, int inner);
/* Result i: the batch axes of operand 0, whose own axes are `inner`, then the n axes of `dims`. */
sec_status sec_type_gives_inner(sec_typing *t, int i, sec_dtype dtype, int inner, int n, const int64_t *dims);

/* ---- meta: kind and batch of operand 0, then `n` words ---- */
int sec_linalg_meta(const sec_typing *t, int inner, int n, const int64_t *words, int64_t *meta);

/* ---- evaluation: `f` on every matrix of the batch ---- */
sec_status sec_eval_dense(const sec_eval *e, const sec_dense *f);

/* ---- binding ---- */
/* Binds with n_out results into out, poison after an error; `params` as given. */
sec_status sec_bind_factors(const sec_primitive *prim, const sec_value *in, int n_in, const sec_params *params,
                            sec_value *out, int n_out);
/* The only batch rule that they need: one more batch axis in front. */
sec_status sec_batch_linalg(sec_batch *b);

/* ---- rules ---- */
/* x with its rows in the order of `permutation`, one an element of the batch */
sec_value sec_permute_rows(sec_value x, sec_value permutation);
/* The part [start, limit) of the rows, or of the columns. */
sec_value sec_rows_of(sec_value x, int64_t start, int64_t limit);
sec_value sec_columns_of(sec_value x, int64_t start, int64_t limit);
/* A vector in the last axis as factors of the rows, or of the columns, of matrices. */
sec_value sec_as_column(sec_value x);
sec_value sec_as_row(sec_value x);
/* n by n, spread over nothing: broadcasts against batches. */
sec_value sec_identity_like(sec_value x, int64_t n);

#endif
