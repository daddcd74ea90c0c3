/* A sec_fn inside: a node that knows how to give its jaxpr for argument types, from its parent's.
 */
#ifndef SEC_FN_NODE_H
#define SEC_FN_NODE_H

#include "ir.h"
#include <secant/fn.h>

typedef sec_status (*sec_fn_tracer)(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out);

#define SEC_FN_BUCKETS 16
/* One signature: argument types and what runs them.  Never changed once it is in the table. */
typedef struct sec_fn_entry {
  struct sec_fn_entry *next;
  sec_executable      *executable;
  sec_jaxpr           *jaxpr; /* holds the captured arrays */
  int                  n_consts;
  bool                 x64;
  const sec_aval      *avals[];
} sec_fn_entry;

struct sec_fn {
  sec_context            *cx;
  atomic_int              refs; /* the context's (or the caller's) and one a child */
  char                   *name;
  sec_fn_tracer           trace;  /* the node's kind */
  sec_fn                 *parent; /* NULL for bodies and jaxprs */
  int                     n_in, n_out;
  sec_fn_body             body;
  void                   *user;
  sec_callable           *rule, *bwd; /* rule: custom jvp, or fwd */
  int                     n_res;
  sec_jaxpr              *jaxpr;
  int                    *axes, *out_axes, n_axes; /* argnums, or in_axes and out_axes */
  char                   *axis_name;
  bool                    with_value;
  _Atomic(sec_fn_entry *) last, entries[SEC_FN_BUCKETS];
};

/* A new node owned by the context, with the parent's name, user data and shape; NULL on error or
 * for a NULL parent. */
sec_fn *sec_fn_derive(sec_fn *parent, sec_fn_tracer trace, int n_in, int n_out);
/* The same for a copy of `n` ints (`axes` may be NULL: they are zeros). */
sec_fn *sec_fn_with_axes(sec_fn *f, const int *axes, int n);

/* The jaxpr of a node for argument types, not simplified. */
sec_status sec_fn_trace(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out);
/* Runs a C function in a new trace over inputs of the given types. */
sec_status sec_fn_trace_body(sec_context *cx, const char *name, sec_fn_body body, void *user,
                             const sec_aval *const *in, int n_in, int n_out, sec_jaxpr **out);

/* A jaxpr that does `emit` on the body of f's parent: one call equation.  What the body captures
 * becomes operands when the equation is bound. */
typedef sec_status (*sec_fn_emit)(sec_fn *f, sec_jaxpr *body, const sec_value *in, sec_value *out);
sec_status sec_fn_trace_call(sec_fn *f, const sec_aval *const *in, sec_fn_emit emit,
                             sec_jaxpr **out);

#endif
