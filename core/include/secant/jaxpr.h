/* Jaxprs: immutable typed programs.  Counted; a jaxpr may be read from any thread. */
#ifndef SECANT_JAXPR_H
#define SECANT_JAXPR_H

#include <secant/trace.h>

SEC_BEGIN_DECLS

SEC_API sec_jaxpr      *sec_jaxpr_retain(sec_jaxpr *j);
SEC_API void            sec_jaxpr_release(sec_jaxpr *j); /* NULL does nothing */
SEC_API sec_context    *sec_jaxpr_context(const sec_jaxpr *j);
SEC_API int             sec_jaxpr_n_in(const sec_jaxpr *j);
SEC_API int             sec_jaxpr_n_out(const sec_jaxpr *j);
SEC_API int             sec_jaxpr_n_eqns(const sec_jaxpr *j); /* at the top level */
SEC_API const sec_aval *sec_jaxpr_in_aval(const sec_jaxpr *j, int i);
SEC_API const sec_aval *sec_jaxpr_out_aval(const sec_jaxpr *j, int i);
/* The name of input or result i in the text that the jaxpr was read from; NULL when it was traced, or the result is a
 * literal there.  It lives as long as the jaxpr. */
SEC_API const char     *sec_jaxpr_in_name(const sec_jaxpr *j, int i);
SEC_API const char     *sec_jaxpr_out_name(const sec_jaxpr *j, int i);
/* Captured arrays, and captured values of enclosing traces (array NULL). */
SEC_API int        sec_jaxpr_n_consts(const sec_jaxpr *j);
SEC_API sec_array *sec_jaxpr_const_array(const sec_jaxpr *j, int i); /* borrowed */
SEC_API sec_value  sec_jaxpr_const_value(const sec_jaxpr *j, int i); /* what it captured, in the current trace */

/* The text in JAX's grammar; the caller frees it with free().  NULL when there is no memory. */
SEC_API char *sec_jaxpr_print(const sec_jaxpr *j);
/* Reads such text back.  *out is the caller's; on error NULL, and the message names line and column. */
SEC_API sec_status sec_jaxpr_parse(sec_context *cx, const char *text, sec_jaxpr **out);
/* Whether there is a primitive of that name, as text or the registry calls it. */
SEC_API bool sec_has_primitive(const char *name);
/* Applies it in the current trace, with parameters as in text: "[axes=(0,)]", or "".  out has room for max_out values;
 * *n_out says how many there are. */
SEC_API sec_status sec_bind_text(const char *name, const char *params, const sec_value *in, int n_in, sec_value *out,
                                 int max_out, int *n_out);
/* Re-types every equation and checks single assignment and order. */
SEC_API sec_status sec_jaxpr_check(const sec_jaxpr *j);
/* Structure, parameters and types alike; captured arrays by type only.  Equal jaxprs hash alike. */
SEC_API uint64_t sec_jaxpr_hash(const sec_jaxpr *j);
SEC_API bool     sec_jaxpr_equal(const sec_jaxpr *a, const sec_jaxpr *b);

/* Applies a jaxpr in the current trace: its equations are replayed there.  `out` has n_out places. */
SEC_API sec_status sec_jaxpr_apply(const sec_jaxpr *j, const sec_value *in, sec_value *out);

/* The reference evaluator: slow and obvious, the oracle of the tests.  out[i] are new arrays, the caller's. */
SEC_API sec_status sec_jaxpr_eval(const sec_jaxpr *j, sec_array *const *in, sec_array **out);

SEC_END_DECLS
#endif
