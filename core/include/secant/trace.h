/* Open traces and the values that flow through user code while tracing. */
#ifndef SECANT_TRACE_H
#define SECANT_TRACE_H

#include <secant/array.h>

SEC_BEGIN_DECLS

typedef struct sec_trace sec_trace;
typedef struct sec_jaxpr sec_jaxpr;

/* A value is two ids: the trace that made it and its place there.  Eight bytes, passed by value, owned by
 * the trace.  {0, 0} is poison: what an operation returns after an error, and what it returns for poison. */
typedef struct sec_value { uint32_t trace, ref; } sec_value;

static inline bool sec_value_ok(sec_value v) { return v.trace != 0; }

/* Opens a trace on this thread's stack; operations go to the innermost.  A value of an enclosing trace is
 * captured as an extra input; a value of a closed trace is an error (LEAKED).
 * Every _begin is paired with one _end or _abandon, innermost first. */
SEC_API sec_trace *sec_trace_begin(sec_context *cx, const char *name);
SEC_API sec_value  sec_trace_input(sec_trace *t, sec_dtype dtype, int rank, const int64_t *dims);
SEC_API sec_value  sec_trace_input_aval(sec_trace *t, const sec_aval *aval);
/* Closes the trace; *out is owned by the caller (release it).  On error *out is NULL and the trace is closed. */
SEC_API sec_status sec_trace_end(sec_trace *t, const sec_value *outs, int n_outs, sec_jaxpr **out);
SEC_API void       sec_trace_abandon(sec_trace *t);
/* The innermost open trace of this thread, or NULL; its context; how many are open. */
SEC_API sec_trace   *sec_trace_current(void);
SEC_API sec_context *sec_trace_context(const sec_trace *t);
SEC_API int          sec_trace_depth(void);

/* Scalars as weakly typed literals of the current trace; a typed literal; an array captured by the trace. */
SEC_API sec_value sec_scalar(double x);
SEC_API sec_value sec_scalar_int(int64_t x);
SEC_API sec_value sec_scalar_bool(bool x);
SEC_API sec_value sec_scalar_complex(double re, double im);
SEC_API sec_value sec_literal_complex(sec_dtype dtype, bool weak, double re, double im);
SEC_API sec_value sec_literal_of(sec_dtype dtype, bool weak, double x, int64_t i); /* i for integers and bool */
SEC_API sec_value sec_constant(sec_array *a);

/* The type of a value: NULL for poison and for values of closed traces (the error is recorded). */
SEC_API const sec_aval *sec_value_aval(sec_value v);

/* Notes the user's place for the equations made since the last note, and for a fresh error; returns v.
 * The macros of ops.h call it after each operation. */
SEC_API sec_value sec_at(sec_value v, const char *file, int line);

SEC_END_DECLS
#endif
