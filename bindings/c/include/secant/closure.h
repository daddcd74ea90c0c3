/* A transformed, compiled function as a plain C function pointer, for solvers that know nothing of Secant.
 *
 *   sec_closure *c = sec_closure_create(sec_grad(f, 0), "v(i:n, d[n], >d[n])");
 *   void (*gradient)(int, const double *, double *) = (void (*)(int, const double *, double *))sec_closure_function(c);
 *
 * A signature is what the function returns, then its parameters:
 *
 *   d f i l b     double, float, int32_t, int64_t (a long), uint8_t (0 or 1): the next argument, by value
 *   d[n,3]        const double *: the next argument, an array of n x 3 numbers, row-major
 *   >d  >d[n]     double *: where the next result goes
 *   i:n  l:n      an int or a long with the size n (one of a .. z), which arrays name; before or after them
 *   p             void *: a pointer of the user's
 *
 *   returned:     d f i l b  the first result;  v  nothing;  s  an int, 0 or a sec_status when the call failed */
#ifndef SECANT_CLOSURE_H
#define SECANT_CLOSURE_H

#include <secant/fn.h>

SEC_BEGIN_DECLS

typedef struct sec_closure sec_closure;
typedef void (*sec_function)(void); /* to be cast to the type that the signature describes */

/* NULL with the error recorded when the signature is wrong, or does not fit f's numbers of arguments and results.  The
 * caller destroys it, before the context; f may be destroyed earlier.  A pointer argument p is ignored. */
SEC_API sec_closure *sec_closure_create(sec_fn *f, const char *signature);
SEC_API void         sec_closure_destroy(sec_closure *c);
/* May be called from any thread; compiles at the first call with new sizes.  A call that fails gives NaN (0 where there
 * is none) in all results, and keeps the error in the thread's record. */
SEC_API sec_function sec_closure_function(const sec_closure *c);

SEC_END_DECLS
#endif
