/* C functions that know nothing of Secant, called from traced code; see secant/callable.h for those that do.
 *
 *   sec_callable *j0_host = sec_host_c("j0", "d(d)", (sec_function)j0, NULL);
 *   static void bessel(const sec_value *in, sec_value *out, void *user) { sec_host_apply(user, in, out); }
 *   sec_fn *f = sec_custom_jvp(sec_fn_create(cx, "bessel", bessel, j0_host, 1, 1), bessel_jvp, NULL); */
#ifndef SECANT_HOST_H
#define SECANT_HOST_H

#include <secant/callable.h>
#include <secant/closure.h>

SEC_BEGIN_DECLS

/* signature: as in secant/closure.h; p receives `user`, and a returned s that is not 0 makes the run fail.  One count,
 * the caller's. */
SEC_API sec_callable *sec_host_c(const char *name, const char *signature, sec_function address, void *user);
/* Calls such a function in the current trace.  Operands are converted to the signature's types.  Numbers in and one
 * number out, as in "d(d, i)": applied to each element of operands that broadcast as NumPy's.  Else operands have the
 * signature's shapes, which give the sizes. */
SEC_API sec_status sec_host_apply(sec_callable *host, const sec_value *in, sec_value *out);

SEC_END_DECLS
#endif
