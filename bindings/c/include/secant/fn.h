/* Layer A: a pure C function, transforms on it, and calls.  A sec_fn is traced for the types of its arguments
 * at the first call with them, compiled, and cached by signature.  Transforms compose in any order and depth.
 * The context owns every sec_fn; sec_fn_destroy frees one early (functions made from it keep what they need). */
#ifndef SECANT_FN_H
#define SECANT_FN_H

#include <secant/compile.h>
#include <secant/ops.h>
#include <secant/transforms.h>

SEC_BEGIN_DECLS

typedef struct sec_fn sec_fn;

/* The user's function: reads n_in values, writes n_out values, calls operations in between.  No side effects. */
typedef void (*sec_fn_body)(const sec_value *in, sec_value *out, void *user);

SEC_API sec_fn *sec_fn_create(sec_context *cx, const char *name, sec_fn_body body, void *user, int n_in, int n_out);
SEC_API sec_fn *sec_fn_from_jaxpr(sec_jaxpr *j);
SEC_API void    sec_fn_destroy(sec_fn *f);
SEC_API int     sec_fn_n_in(const sec_fn *f);
SEC_API int     sec_fn_n_out(const sec_fn *f);

/* Each returns a new function, NULL with the error recorded on bad arguments (NULL in gives NULL out).
 * grad: (R^n -> R) to its gradient by argument argnum.  value_and_grad: n_out + 1 results.
 * jvp: (primals, tangents) -> (results, tangents); all inputs and outputs are float.
 * vjp: (primals, cotangents of all results) -> (results, cotangents of all primals).
 * jacfwd, jacrev: of result 0 by argument argnum, shape result + argument.  hessian: jacfwd of jacrev.
 * vmap: in_axes has one entry an argument (SEC_NOT_MAPPED: whole); results are mapped at axis 0.
 * pmap: vmap over CPU devices: the mapped axis may not exceed sec_num_devices. */
SEC_API sec_fn *sec_grad(sec_fn *f, int argnum);
SEC_API sec_fn *sec_value_and_grad(sec_fn *f, int argnum);
SEC_API sec_fn *sec_grad_many(sec_fn *f, const int *argnums, int n, bool with_value);
SEC_API sec_fn *sec_jvp(sec_fn *f);
SEC_API sec_fn *sec_vjp(sec_fn *f);
SEC_API sec_fn *sec_jacfwd(sec_fn *f, int argnum);
SEC_API sec_fn *sec_jacrev(sec_fn *f, int argnum);
SEC_API sec_fn *sec_hessian(sec_fn *f, int argnum);
SEC_API sec_fn *sec_vmap(sec_fn *f, const int *in_axes);
SEC_API sec_fn *sec_vmap_named(sec_fn *f, const int *in_axes, const int *out_axes, const char *axis_name);
SEC_API sec_fn *sec_pmap(sec_fn *f, const int *in_axes, const char *axis_name);
SEC_API sec_fn *sec_checkpoint(sec_fn *f);
SEC_API sec_fn *sec_jit(sec_fn *f); /* under a trace: one call equation; at the top every sec_fn is compiled anyway */

/* Calls with arrays: out receives n_out new arrays, the caller's; on error they are NULL. */
SEC_API sec_status sec_call(sec_fn *f, sec_array *const *in, sec_array **out);
/* The same, with operands given away: where donate[i], results may take over the memory of in[i], which is deleted then
 * (see sec_execute_donating).  NULL: none. */
SEC_API sec_status sec_call_donating(sec_fn *f, sec_array *const *in, const bool *donate, sec_array **out);
/* Applies f inside a traced function; values of the open traces in and out. */
SEC_API sec_status sec_apply(sec_fn *f, const sec_value *in, sec_value *out);
/* The transformed, simplified jaxpr for argument types; the caller releases it. */
SEC_API sec_status sec_fn_jaxpr(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out);

/* Loops and branches over C functions; values of enclosing traces may be used in the bodies.
 * scan: body(carry..., x...) -> (carry..., y...); xs are sliced along axis 0; ys are stacked.
 * while: cond(carry...) -> bool scalar.  fori: body(i, carry...) -> carry...; bounds are integer scalars.
 * cond: the branch which[0] picks (index clamped); every branch has n_in operands and n_out results. */
SEC_API sec_status sec_scan_fn(sec_fn_body body, void *user, int n_carry, int n_xs, int n_ys, int64_t length, bool reverse,
                               const sec_value *carry_and_xs, sec_value *out);
SEC_API sec_status sec_while_fn(sec_fn_body cond, sec_fn_body body, void *user, int n_carry, const sec_value *carry, sec_value *out);
SEC_API sec_status sec_fori_fn(sec_value lower, sec_value upper, sec_fn_body body, void *user, int n_carry, const sec_value *carry,
                               sec_value *out);
SEC_API sec_status sec_cond_fn(sec_value which, const sec_fn_body *branches, int n_branches, void *user, int n_in, int n_out,
                               const sec_value *in, sec_value *out);
/* custom rules over C functions: jvp(primals..., tangents...) -> (results..., tangents...);
 * fwd(primals...) -> (results..., residuals...), bwd(residuals..., cotangents...) -> cotangents of the primals. */
SEC_API sec_fn *sec_custom_jvp(sec_fn *f, sec_fn_body jvp, void *user);
SEC_API sec_fn *sec_custom_vjp(sec_fn *f, sec_fn_body fwd, sec_fn_body bwd, int n_res, void *user);

SEC_END_DECLS
#endif
