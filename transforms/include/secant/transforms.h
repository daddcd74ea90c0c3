/* jaxpr -> jaxpr transforms.  Each takes an immutable jaxpr and returns a new one, owned by the caller
 * (*out is NULL on error).  Captured constants of the input are captured by the result. */
#ifndef SECANT_TRANSFORMS_H
#define SECANT_TRANSFORMS_H

#include <secant/jaxpr.h>

SEC_BEGIN_DECLS

#define SEC_NOT_MAPPED (-1000) /* an in_axes or out_axes entry: this argument is whole */

/* jvp: (a -> b) to ((a, a') -> (b, b')).  nonzero[i]: input i has a tangent; inputs are the primals, then the
 * tangents of the nonzero inputs in order; outputs the primals, then a tangent for every output that is a float
 * (zeros are instantiated; if out_nonzero is not NULL it receives which tangents are not identically zero, and
 * then only those are outputs).  nonzero NULL: every float input. */
SEC_API sec_status sec_jaxpr_jvp(const sec_jaxpr *j, const bool *nonzero, bool *out_nonzero, sec_jaxpr **out);

/* Partial evaluation of jvp: *primal : inputs -> (outputs, residuals), *linear : (residuals, tangents of the
 * wrt inputs) -> tangents of the float outputs (zeros instantiated).  *n_residuals tells the split.  Constant captures
 * of `linear` are moved to residuals, so that it captures nothing. */
SEC_API sec_status sec_jaxpr_linearize(const sec_jaxpr *j, const bool *wrt, sec_jaxpr **primal, sec_jaxpr **linear,
                                       int *n_residuals);
/* transpose of a jaxpr that is linear in the inputs from n_nonlinear on:
 * (nonlinear inputs, cotangents of outputs) -> cotangents of the linear inputs (zeros instantiated). */
SEC_API sec_status sec_jaxpr_transpose(const sec_jaxpr *linear, int n_nonlinear, sec_jaxpr **out);
/* vjp: (inputs, cotangents of the float outputs) -> (outputs, cotangents of the wrt inputs) in one jaxpr. */
SEC_API sec_status sec_jaxpr_vjp(const sec_jaxpr *j, const bool *wrt, sec_jaxpr **out);
/* grad: inputs -> (outputs if with_value, gradients of output 0 by the inputs wrt[0..n_wrt-1]).
 * Output 0 must be a float scalar (a complex one is differentiated as a holomorphic function); further outputs are auxiliary and returned after it when with_value. */
SEC_API sec_status sec_jaxpr_grad(const sec_jaxpr *j, const int *wrt, int n_wrt, bool with_value, sec_jaxpr **out);
/* vmap: axis in_axes[i] (may be negative, or SEC_NOT_MAPPED) of every input is mapped; the mapped axis of
 * output i is put at out_axes[i] (SEC_NOT_MAPPED: the output must not depend on it).  j is the program of one lane,
 * so axis_size has to be given; an axis list of NULL is all 0.  axis_name may be NULL. */
SEC_API sec_status sec_jaxpr_vmap(const sec_jaxpr *j, const int *in_axes, const int *out_axes, int64_t axis_size,
                                  const char *axis_name, sec_jaxpr **out);
/* Dead code, common subexpressions, constant folding of literals, algebra; calls inlined when `inline_calls`. */
SEC_API sec_status sec_jaxpr_simplify(const sec_jaxpr *j, bool inline_calls, sec_jaxpr **out);
/* What is lowered: primitives that are made of others written out, then simplified with calls inlined. */
SEC_API sec_status sec_jaxpr_prepare(const sec_jaxpr *j, sec_jaxpr **out);
/* Captured arrays become leading inputs: *out captures nothing.  consts: the arrays (borrowed from j) in order. */
SEC_API sec_status sec_jaxpr_close(const sec_jaxpr *j, sec_jaxpr **out);

SEC_END_DECLS
#endif
