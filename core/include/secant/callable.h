/* Host functions that Secant traces on demand: the rules of custom_jvp and custom_vjp. */
#ifndef SECANT_CALLABLE_H
#define SECANT_CALLABLE_H

#include <secant/jaxpr.h>

SEC_BEGIN_DECLS

typedef struct sec_callable sec_callable;

/* Called with operands of the current trace; fills out[0 .. n_out-1] with values of it; returns SEC_OK or,
 * after sec_error_set, a status.  It may run on any thread that traces, and several times. */
typedef sec_status (*sec_callable_fn)(void *user, const sec_value *in, int n_in, sec_value *out, int n_out);

/* One count, the caller's.  destroy(user) runs at the last release; it may be NULL. */
SEC_API sec_callable *sec_callable_create(const char *name, sec_callable_fn call, void (*destroy)(void *user), void *user);
SEC_API sec_callable *sec_callable_retain(sec_callable *c);
SEC_API void          sec_callable_release(sec_callable *c);

/* custom_jvp_call: `body` is the function; jvp gets (primals..., tangents...) with instantiated tangents of the
 * float operands and zeros of the operand's type for the others, and gives (results..., tangents of results...). */
SEC_API sec_status sec_custom_jvp_call(sec_jaxpr *body, sec_callable *jvp, const sec_value *in, int n_in, sec_value *out);
/* custom_vjp_call: fwd gets the primals and gives (results..., n_res residuals); bwd gets (residuals...,
 * cotangents of the results...) and gives one cotangent a primal (ignored for non-float primals). */
SEC_API sec_status sec_custom_vjp_call(sec_jaxpr *body, sec_callable *fwd, sec_callable *bwd, int n_res,
                                       const sec_value *in, int n_in, sec_value *out);

SEC_END_DECLS
#endif
