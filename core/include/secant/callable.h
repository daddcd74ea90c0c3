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

/* ---- host functions that compiled code calls ---- */
/* Reads the operands' elements, writes all of the results': dense, row-major.  types: of the operands, then of the
 * results.  Returns 0, or a code that makes the run fail with CALLBACK; it may say more with sec_error_set.  Pure: it
 * may run on any thread, several times, or not at all when nobody reads its results. */
typedef int (*sec_host_body)(void *user, const void *const *in, void *const *out, const sec_aval *const *types);

/* One count, the caller's; executables keep theirs. */
SEC_API sec_callable *sec_host_create(const char *name, sec_host_body run, void (*destroy)(void *user), void *user);
/* Calls it in the current trace with at most 64 operands and 16 results, of the types given.  vmap runs it lane after
 * lane.  It has no derivative: give one to the function around it with sec_custom_jvp or sec_custom_vjp. */
SEC_API sec_status sec_host_call(sec_callable *host, const sec_value *in, int n_in, const sec_aval *const *out_types,
                                 int n_out, sec_value *out);
/* The same for a function that is called for what it does: never removed, never merged, in the order of the calls.  Its
 * results are not floats where derivatives are taken. */
SEC_API sec_status sec_io_call(sec_callable *host, const sec_value *in, int n_in, const sec_aval *const *out_types,
                               int n_out, sec_value *out);

SEC_END_DECLS
#endif
