/* The public operations.  Each appends equations to the innermost open trace and returns a value; a bad
 * operand gives poison and records the error.  Binary operations broadcast and promote as NumPy and JAX do;
 * the primitives under them are strict.  Axes may be negative.  After a change: sh bindings/gen/run, for the bindings. */
#ifndef SECANT_OPS_H
#define SECANT_OPS_H

#include <secant/trace.h>

SEC_BEGIN_DECLS

/* core/ops/arithmetic.c */
SEC_API sec_value sec_neg(sec_value x);
SEC_API sec_value sec_sign(sec_value x);
SEC_API sec_value sec_abs(sec_value x);
SEC_API sec_value sec_add(sec_value x, sec_value y);
SEC_API sec_value sec_sub(sec_value x, sec_value y);
SEC_API sec_value sec_mul(sec_value x, sec_value y);
SEC_API sec_value sec_div(sec_value x, sec_value y);  /* integers truncate toward zero */
SEC_API sec_value sec_rem(sec_value x, sec_value y);  /* sign of the dividend */
SEC_API sec_value sec_max(sec_value x, sec_value y);
SEC_API sec_value sec_min(sec_value x, sec_value y);
SEC_API sec_value sec_pow(sec_value x, sec_value y);
SEC_API sec_value sec_integer_pow(sec_value x, int64_t y);
SEC_API sec_value sec_square(sec_value x);
SEC_API sec_value sec_clamp(sec_value low, sec_value x, sec_value high); /* low, high: scalars or x's shape */

/* core/ops/exponential.c */
SEC_API sec_value sec_exp(sec_value x);
SEC_API sec_value sec_exp2(sec_value x);
SEC_API sec_value sec_expm1(sec_value x);
SEC_API sec_value sec_log(sec_value x);
SEC_API sec_value sec_log1p(sec_value x);
SEC_API sec_value sec_sqrt(sec_value x);
SEC_API sec_value sec_rsqrt(sec_value x);
SEC_API sec_value sec_cbrt(sec_value x);
SEC_API sec_value sec_logistic(sec_value x);
SEC_API sec_value sec_tanh(sec_value x);
SEC_API sec_value sec_sinh(sec_value x);
SEC_API sec_value sec_cosh(sec_value x);
SEC_API sec_value sec_asinh(sec_value x);
SEC_API sec_value sec_acosh(sec_value x);
SEC_API sec_value sec_atanh(sec_value x);

/* core/ops/trigonometric.c */
SEC_API sec_value sec_sin(sec_value x);
SEC_API sec_value sec_cos(sec_value x);
SEC_API sec_value sec_tan(sec_value x);
SEC_API sec_value sec_asin(sec_value x);
SEC_API sec_value sec_acos(sec_value x);
SEC_API sec_value sec_atan(sec_value x);
SEC_API sec_value sec_atan2(sec_value y, sec_value x);

/* core/ops/special.c */
SEC_API sec_value sec_erf(sec_value x);
SEC_API sec_value sec_erfc(sec_value x);
SEC_API sec_value sec_erf_inv(sec_value x);

/* core/ops/bessel.c */
SEC_API sec_value sec_bessel_i0e(sec_value x); /* exp(-|x|) I0(x) */
SEC_API sec_value sec_bessel_i1e(sec_value x);
SEC_API sec_value sec_bessel_jn(sec_value n, sec_value x); /* n: whole numbers of a float type, here and below */

/* core/ops/special_gamma.c */
SEC_API sec_value sec_lgamma(sec_value x);
SEC_API sec_value sec_digamma(sec_value x);
SEC_API sec_value sec_polygamma(sec_value m, sec_value x);
SEC_API sec_value sec_zeta(sec_value s, sec_value q); /* Hurwitz's */
SEC_API sec_value sec_zeta_grad(sec_value order, sec_value s, sec_value q); /* derivative by s */
SEC_API sec_value sec_betaln(sec_value a, sec_value b);

/* core/ops/special_incomplete.c */
SEC_API sec_value sec_igamma(sec_value a, sec_value x);
SEC_API sec_value sec_igammac(sec_value a, sec_value x);
SEC_API sec_value sec_igamma_grad_a(sec_value a, sec_value x);
SEC_API sec_value sec_random_gamma_grad(sec_value a, sec_value x);
SEC_API sec_value sec_betainc(sec_value a, sec_value b, sec_value x);

/* core/ops/special_integrals.c */
SEC_API sec_value sec_erfcx(sec_value x);
SEC_API sec_value sec_ndtri(sec_value p);
SEC_API sec_value sec_dawsn(sec_value x);
SEC_API sec_value sec_expi(sec_value x);
SEC_API sec_value sec_expn(sec_value n, sec_value x);
SEC_API sec_value sec_spence(sec_value x);
SEC_API sec_value sec_spence_grad(sec_value order, sec_value x);
SEC_API sec_value sec_sine_integral(sec_value x);
SEC_API sec_value sec_cosine_integral(sec_value x);
SEC_API sec_value sec_fresnel_s(sec_value x);
SEC_API sec_value sec_fresnel_c(sec_value x);
SEC_API sec_value sec_owens_t(sec_value h, sec_value a);

/* core/ops/special_hypergeometric.c */
SEC_API sec_value sec_hyp1f1(sec_value a, sec_value b, sec_value x);
SEC_API sec_value sec_hyp2f1(sec_value a, sec_value b, sec_value c, sec_value x);

/* core/ops/rounding.c */
SEC_API sec_value sec_floor(sec_value x);
SEC_API sec_value sec_ceil(sec_value x);
SEC_API sec_value sec_round(sec_value x, int method); /* 0: half away from zero, 1: half to even */
SEC_API sec_value sec_is_finite(sec_value x);
SEC_API sec_value sec_nextafter(sec_value x, sec_value y);

/* core/ops/compare.c */
SEC_API sec_value sec_eq(sec_value x, sec_value y);
SEC_API sec_value sec_ne(sec_value x, sec_value y);
SEC_API sec_value sec_lt(sec_value x, sec_value y); /* complex numbers: real parts first, then imaginary ones */
SEC_API sec_value sec_le(sec_value x, sec_value y);
SEC_API sec_value sec_gt(sec_value x, sec_value y);
SEC_API sec_value sec_ge(sec_value x, sec_value y);
SEC_API sec_value sec_select_n(sec_value which, const sec_value *cases, int n_cases); /* strict: lax.select_n */
SEC_API sec_value sec_where(sec_value condition, sec_value x, sec_value y);           /* broadcasts, promotes */

/* core/ops/bitwise.c */
SEC_API sec_value sec_and(sec_value x, sec_value y);
SEC_API sec_value sec_or(sec_value x, sec_value y);
SEC_API sec_value sec_xor(sec_value x, sec_value y);
SEC_API sec_value sec_not(sec_value x);
SEC_API sec_value sec_shift_left(sec_value x, sec_value y);
SEC_API sec_value sec_shift_right_logical(sec_value x, sec_value y);
SEC_API sec_value sec_shift_right_arithmetic(sec_value x, sec_value y);
SEC_API sec_value sec_mulhi(sec_value x, sec_value y); /* the high half of the product */

/* core/ops/convert.c */
SEC_API sec_value sec_convert(sec_value x, sec_dtype dtype, bool weak); /* convert_element_type; same type: x */
SEC_API sec_value sec_bitcast_convert_type(sec_value x, sec_dtype dtype);
SEC_API sec_value sec_copy(sec_value x);
SEC_API sec_value sec_stop_gradient(sec_value x);

/* core/ops/complex.c: of a real x, sec_real and sec_conj give x, sec_imag zeros */
SEC_API sec_value sec_complex(sec_value x, sec_value y); /* x + i y of f32 or f64 */
SEC_API sec_value sec_real(sec_value x);
SEC_API sec_value sec_imag(sec_value x);
SEC_API sec_value sec_conj(sec_value x);

/* core/ops/fft.c: the last n axes, lengths[i] of axis rank - n + i; inverse transforms divide by the number of elements.  Of a real
 * transform the last axis has lengths[n - 1] / 2 + 1 complex elements. */
typedef enum sec_fft_type { SEC_FFT, SEC_IFFT, SEC_RFFT, SEC_IRFFT } sec_fft_type;
SEC_API sec_value sec_fft(sec_value x, sec_fft_type type, const int64_t *lengths, int n);

/* core/ops/shape.c */
SEC_API sec_value sec_iota(sec_dtype dtype, int rank, const int64_t *dims, int dimension);
SEC_API sec_value sec_full(sec_value scalar, int rank, const int64_t *dims);
SEC_API sec_value sec_broadcast_in_dim(sec_value x, int rank, const int64_t *dims, const int64_t *dimensions);
SEC_API sec_value sec_broadcast_to(sec_value x, int rank, const int64_t *dims); /* NumPy's rule */
SEC_API sec_value sec_reshape(sec_value x, int rank, const int64_t *dims);
SEC_API sec_value sec_transpose(sec_value x, const int64_t *permutation);
SEC_API sec_value sec_squeeze(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_expand_dims(sec_value x, const int64_t *axes, int n); /* axes of the result */
SEC_API sec_value sec_rev(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_concatenate(const sec_value *x, int n, int axis);
SEC_API sec_value sec_pad(sec_value x, sec_value value, const int64_t *low, const int64_t *high, const int64_t *interior);

/* core/ops/slice.c */
SEC_API sec_value sec_slice(sec_value x, const int64_t *start, const int64_t *limit, const int64_t *strides); /* strides may be NULL */
SEC_API sec_value sec_dynamic_slice(sec_value x, const sec_value *start, const int64_t *sizes);      /* start: one integer scalar an axis; clamped */
SEC_API sec_value sec_dynamic_update_slice(sec_value x, sec_value update, const sec_value *start);

/* core/ops/top_k.c: the k greatest along an axis, in descending order (the greatest NaN first), and their places as i32 */
SEC_API sec_status sec_top_k(sec_value x, int k, int axis, sec_value out[2]);

/* core/ops/gather.c: JAX's dimension numbers; mode 0 clip, 1 fill_or_drop, 2 promise_in_bounds */
typedef struct sec_gather_dims {
  const int64_t *offset_dims, *collapsed_slice_dims, *start_index_map, *operand_batching_dims, *start_indices_batching_dims;
  int n_offset, n_collapsed, n_start, n_batching;
} sec_gather_dims;
typedef struct sec_scatter_dims {
  const int64_t *update_window_dims, *inserted_window_dims, *scatter_dims_to_operand_dims, *operand_batching_dims, *scatter_indices_batching_dims;
  int n_window, n_inserted, n_scatter, n_batching;
} sec_scatter_dims;
/* What a caller knows of the indices, added to `mode`: no two windows meet; they rise. */
enum { SEC_INDICES_UNIQUE = 16, SEC_INDICES_SORTED = 32 };
SEC_API sec_value sec_gather(sec_value x, sec_value indices, const sec_gather_dims *dims, const int64_t *slice_sizes, int mode);
SEC_API sec_value sec_scatter(sec_value x, sec_value indices, sec_value updates, const sec_scatter_dims *dims, int mode);
SEC_API sec_value sec_scatter_add(sec_value x, sec_value indices, sec_value updates, const sec_scatter_dims *dims, int mode);
/* core/ops/scatter_combine.c; unique: no two windows overlap (scatter_mul's derivative by the updates needs that) */
SEC_API sec_value sec_scatter_mul(sec_value x, sec_value indices, sec_value updates, const sec_scatter_dims *dims, int mode, bool unique);
SEC_API sec_value sec_scatter_min(sec_value x, sec_value indices, sec_value updates, const sec_scatter_dims *dims, int mode);
SEC_API sec_value sec_scatter_max(sec_value x, sec_value indices, sec_value updates, const sec_scatter_dims *dims, int mode);

/* core/ops/reduce.c: axes NULL with n -1 means all axes.  Strict in dtype like lax.reduce_* */
SEC_API sec_value sec_reduce_sum(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_reduce_prod(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_reduce_max(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_reduce_min(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_reduce_and(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_reduce_or(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_reduce_xor(sec_value x, const int64_t *axes, int n);
SEC_API sec_value sec_argmax(sec_value x, int axis, sec_dtype index_dtype);
SEC_API sec_value sec_argmin(sec_value x, int axis, sec_dtype index_dtype);
SEC_API sec_value sec_sum(sec_value x); /* over all axes */

/* core/ops/cumulative.c */
SEC_API sec_value sec_cumsum(sec_value x, int axis, bool reverse);
SEC_API sec_value sec_cumprod(sec_value x, int axis, bool reverse);
SEC_API sec_value sec_cummax(sec_value x, int axis, bool reverse);
SEC_API sec_value sec_cummin(sec_value x, int axis, bool reverse);

/* core/ops/sort.c: n arrays of one shape into out[0 .. n), ordered by the first num_keys of them; NaN last, -0 beside +0 */
SEC_API sec_status sec_sort(const sec_value *x, int n, int dimension, int num_keys, bool is_stable, sec_value *out);

/* core/ops/dot.c */
typedef struct sec_dot_dims {
  const int64_t *lhs_contract, *rhs_contract, *lhs_batch, *rhs_batch;
  int n_contract, n_batch;
} sec_dot_dims;
SEC_API sec_value sec_dot_general(sec_value x, sec_value y, const sec_dot_dims *dims, sec_dtype preferred); /* SEC_N_DTYPES: promoted */
SEC_API sec_value sec_dot(sec_value x, sec_value y);    /* lax.dot: vectors and matrices */
SEC_API sec_value sec_matmul(sec_value x, sec_value y); /* NumPy's matmul, batched */

/* core/ops/pooling.c, pooling_select.c: windows that slide over x; one number an axis, NULL: 1, of low and high 0 */
typedef struct sec_window_dims {
  const int64_t *window, *strides, *low, *high, *base_dilation, *window_dilation;
} sec_window_dims;
SEC_API sec_value sec_reduce_window_sum(sec_value x, const sec_window_dims *dims);
SEC_API sec_value sec_reduce_window_prod(sec_value x, const sec_window_dims *dims);
SEC_API sec_value sec_reduce_window_max(sec_value x, const sec_window_dims *dims);
SEC_API sec_value sec_reduce_window_min(sec_value x, const sec_window_dims *dims);
SEC_API sec_value sec_reduce_window_and(sec_value x, const sec_window_dims *dims);
SEC_API sec_value sec_reduce_window_or(sec_value x, const sec_window_dims *dims);
/* The windows themselves, padded with the scalar `fill`: axes of places (where the window is longer than 1) in front, *n of them. */
SEC_API sec_value sec_window_places(sec_value x, sec_value fill, const sec_window_dims *dims, int *n);
/* y at the first greatest (or least) element of each window of x; and its transpose, y added there */
SEC_API sec_value sec_select_and_gather_add(sec_value y, sec_value x, const sec_window_dims *dims, bool greatest);
SEC_API sec_value sec_select_and_scatter_add(sec_value y, sec_value x, const sec_window_dims *dims, bool greatest);

/* core/ops/convolution.c: `window` gives strides, padding and dilations of the spatial axes; its sizes are those of rhs */
typedef struct sec_conv_dims {
  const int64_t *lhs, *rhs, *out; /* axes: (batch, feature, spatial ones), (output, input, ...), (batch, feature, ...); NULL: in this order */
  const sec_window_dims *window;
  int64_t feature_groups, batch_groups;
} sec_conv_dims;
SEC_API sec_value sec_conv_general_dilated(sec_value lhs, sec_value rhs, const sec_conv_dims *dims, sec_dtype preferred); /* SEC_N_DTYPES: that of lhs */

/* core/ops/linalg*.c: matrices are the last two axes; f32 and f64 */
SEC_API sec_value sec_cholesky(sec_value x, bool symmetrize_input);
SEC_API sec_value sec_triangular_solve(sec_value a, sec_value b, bool left_side, bool lower, bool transpose_a, bool unit_diagonal);
SEC_API sec_status sec_lu(sec_value x, sec_value *lu, sec_value *pivots, sec_value *permutation);
SEC_API sec_value sec_solve(sec_value a, sec_value b); /* a x = b; b a vector or matrix, batched in front */
SEC_API sec_status sec_qr(sec_value a, bool full_matrices, bool pivoting, sec_value *q, sec_value *r, sec_value *p); /* p: i32, NULL without pivoting */
SEC_API sec_status sec_geqrf(sec_value a, sec_value *factors, sec_value *taus); /* LAPACK's: r above reflectors */
SEC_API sec_value sec_householder_product(sec_value a, sec_value taus);
SEC_API sec_value sec_ormqr(sec_value a, sec_value taus, sec_value c, bool left, bool transpose);
SEC_API sec_status sec_eigh(sec_value a, bool lower, sec_value *v, sec_value *w); /* one triangle is read; w ascending */
SEC_API sec_status sec_svd(sec_value a, bool full_matrices, bool compute_uv, sec_value *s, sec_value *u, sec_value *vt); /* u, vt: NULL without compute_uv */
SEC_API sec_status sec_eig(sec_value a, bool enable_eigvec_derivs, sec_value *w, sec_value *vl, sec_value *vr); /* complex; vl, vr NULL: not wanted */
SEC_API sec_status sec_schur(sec_value a, sec_value *t, sec_value *q); /* q NULL: not wanted */
SEC_API sec_status sec_hessenberg(sec_value a, sec_value *h, sec_value *taus);
SEC_API sec_status sec_tridiagonal(sec_value a, bool lower, sec_value out[4]); /* a, d, e, taus */
SEC_API sec_value sec_tridiagonal_solve(sec_value dl, sec_value d, sec_value du, sec_value b, bool perturb_singular);
SEC_API sec_value sec_pinv(sec_value a, double rtol); /* negative: 10 max(rows, columns) epsilon */
SEC_API sec_value sec_cholesky_update(sec_value r, sec_value w); /* upper r with r^T r + w w^T */

/* core/ops/random.c */
SEC_API sec_status sec_threefry2x32(const sec_value in[4], sec_value out[2]); /* u32: key 0, key 1, count 0, count 1 */

/* core/ops/control.c: bodies are jaxprs without captures; values used from outside are operands */
SEC_API sec_status sec_cond(sec_value which, sec_jaxpr *const *branches, int n_branches, const sec_value *in, int n_in, sec_value *out);
SEC_API sec_status sec_while(sec_jaxpr *cond, int n_cond_consts, sec_jaxpr *body, int n_body_consts, const sec_value *in, int n_in, sec_value *out);
/* core/ops/linear_solve.c: x = solve(b), differentiated as the solution of matvec(x) = b; vecmat and transpose_solve, or
 * NULL, do the same for the transpose.  Bodies take the n_in vectors in[]; they may capture. */
SEC_API sec_status sec_custom_linear_solve(sec_jaxpr *matvec, sec_jaxpr *vecmat, sec_jaxpr *solve, sec_jaxpr *transpose_solve,
                                           const sec_value *in, int n_in, sec_value *out);
SEC_API sec_status sec_scan(sec_jaxpr *body, int n_consts, int n_carry, int64_t length, bool reverse, const sec_value *in, int n_in, sec_value *out);

/* core/ops/call.c */
SEC_API sec_status sec_jit_call(const char *name, sec_jaxpr *body, const sec_value *in, sec_value *out);
SEC_API sec_status sec_remat(sec_jaxpr *body, const sec_value *in, sec_value *out);

/* core/ops/collective.c: axis_name of an enclosing vmap or pmap */
SEC_API sec_value sec_psum(sec_value x, const char *axis_name);
SEC_API sec_value sec_pmax(sec_value x, const char *axis_name);
SEC_API sec_value sec_pmin(sec_value x, const char *axis_name);
SEC_API sec_value sec_all_gather(sec_value x, const char *axis_name, int axis, bool tiled);
SEC_API sec_value sec_ppermute(sec_value x, const char *axis_name, const int64_t *source_target_pairs, int n_pairs);
SEC_API sec_value sec_all_to_all(sec_value x, const char *axis_name, int split_axis, int concat_axis, bool tiled);
SEC_API sec_value sec_psum_scatter(sec_value x, const char *axis_name, int scatter_dimension, bool tiled);
SEC_API sec_value sec_axis_index(const char *axis_name);

/* core/ops/composite_*.c: compositions of the above, after NumPy and jax.nn.  axes NULL: all of them. */
SEC_API sec_value sec_mean(sec_value x, const int64_t *axes, int n, bool keepdims);
SEC_API sec_value sec_var(sec_value x, const int64_t *axes, int n, bool keepdims, double ddof); /* divides by count - ddof */
SEC_API sec_value sec_std(sec_value x, const int64_t *axes, int n, bool keepdims, double ddof);
SEC_API sec_value sec_norm(sec_value x, double order, const int64_t *axes, int n, bool keepdims); /* of vectors: 2, 1, INFINITY, 0, p */
SEC_API sec_value sec_logsumexp(sec_value x, const int64_t *axes, int n, bool keepdims);
SEC_API sec_value sec_softmax(sec_value x, int axis);
SEC_API sec_value sec_log_softmax(sec_value x, int axis);
SEC_API sec_value sec_layer_norm(sec_value x, int axis, double epsilon);
SEC_API sec_value sec_relu(sec_value x); /* derivative 0 at 0 */
SEC_API sec_value sec_sigmoid(sec_value x);
SEC_API sec_value sec_silu(sec_value x);
SEC_API sec_value sec_gelu(sec_value x, bool approximate); /* approximate: by tanh */
SEC_API sec_value sec_softplus(sec_value x);
SEC_API sec_value sec_logaddexp(sec_value x, sec_value y);
SEC_API sec_value sec_hypot(sec_value x, sec_value y);
SEC_API sec_value sec_mod(sec_value x, sec_value y);          /* sign of the divisor */
SEC_API sec_value sec_floor_divide(sec_value x, sec_value y); /* rounds down */
SEC_API sec_value sec_clip(sec_value x, sec_value low, sec_value high);
SEC_API sec_value sec_eye(sec_dtype dtype, int64_t rows, int64_t columns, int64_t k); /* ones k columns to the right */
SEC_API sec_value sec_arange(sec_dtype dtype, double start, double stop, double step);
SEC_API sec_value sec_linspace(sec_dtype dtype, double start, double stop, int64_t n, bool endpoint);
SEC_API sec_value sec_one_hot(sec_value indices, int64_t n, sec_dtype dtype); /* the new axis is the last */
SEC_API sec_value sec_stack(const sec_value *x, int n, int axis);
SEC_API sec_status sec_split_axis(sec_value x, int sections, int axis, sec_value *out); /* equal sections */
SEC_API sec_value sec_take(sec_value x, sec_value indices, int axis); /* negative: from the end; outside: NaN, or the lowest integer */
SEC_API sec_value sec_tril(sec_value x, int k);
SEC_API sec_value sec_triu(sec_value x, int k);
SEC_API sec_value sec_diag(sec_value x, int64_t k); /* a vector to a matrix; else the diagonal of the last two axes */
SEC_API sec_value sec_trace_of(sec_value x);        /* the matrix trace, of the last two axes */
SEC_API sec_value sec_vdot(sec_value x, sec_value y);
SEC_API sec_value sec_inner(sec_value x, sec_value y);
SEC_API sec_value sec_outer(sec_value x, sec_value y);
SEC_API sec_status sec_lstsq(sec_value a, sec_value b, double rcond, sec_value out[4]); /* x, residuals, rank, singular values; rcond NAN: max(rows, columns) epsilon */
SEC_API sec_value sec_spectral_norm(sec_value x, int order); /* by singular values: 2 the largest, -2 the smallest, 1 their sum */
SEC_API sec_value sec_symmetric_product(sec_value a, sec_value c, double alpha, double beta); /* alpha a a^T + beta c */
/* "ij,jk->ik", "...i,i", "ii": NumPy's subscripts over n operands, contracted from left to right. */
SEC_API sec_value sec_einsum(const char *subscripts, const sec_value *x, int n);

SEC_END_DECLS

#include <secant/places.h>

#endif
