/* Transforms of whole bodies, for the rules of primitives that have some (scan, cond, jit, ...) and for one
 * another.  The public entry points of transforms.h are these with their flags filled in. */
#ifndef SEC_BODY_H
#define SEC_BODY_H

#include "replay.h"

/* jvp: (a, tangents of the nonzero a) -> (b, tangents of b that are nonzero or forced, in order).
 * force may be NULL; out_nonzero receives which tangents are outputs. */
sec_status sec_jvp_body(const sec_jaxpr *j, const bool *nonzero, const bool *force,
                        bool *out_nonzero, sec_jaxpr **out);

/* Pulls cotangents of j's outputs back in the current trace: ct_in[i] for inputs with linear[i] (ZERO where there is
 * none).  in[i]: values of the other inputs.  Works for any split of nonlinear and linear equations in j. */
typedef struct sec_pullback {
  const sec_jaxpr *j;
  const bool *linear;
  const sec_value *in, *ct;
  sec_value *ct_in;
} sec_pullback;
sec_status sec_backward(const sec_pullback *p);

/* The pullback as a jaxpr: (inputs that are not linear, cotangents of the outputs with ct_given) -> cotangents of the
 * linear inputs, instantiated.  ct_given NULL: all. */
sec_status sec_transpose_body(const sec_jaxpr *j, const bool *linear, const bool *ct_given,
                              sec_jaxpr **out);

/* vmap with every mapped axis in front: batched[i] says which inputs carry it; force[i] (or NULL) which outputs
 * have to; out_batched which do. */
typedef struct sec_lanes {
  const bool *batched, *force;
  int64_t size;
  const char *axis_name;
} sec_lanes;
sec_status sec_batch_body(const sec_jaxpr *j, const sec_lanes *lanes, bool *out_batched,
                          sec_jaxpr **out);
/* The same in the current trace: in[i] carries the axis in front when batched[i]. */
sec_status sec_batch_apply(const sec_jaxpr *j, const sec_lanes *lanes, const sec_value *in,
                           sec_value *out, bool *out_batched);
/* The type of `lane` with an axis of this size in front. */
const sec_aval *sec_batched_aval(sec_context *cx, const sec_aval *lane, int64_t size);
/* x repeated `size` times along a new axis in front; an axis moved. */
sec_value sec_repeat_front(sec_value x, int64_t size);
sec_value sec_move_axis(sec_value x, int from, int to);

/* Whether an equation of this primitive does something beside its results, itself or in a body. */
bool sec_has_effect(const sec_primitive *prim, const sec_params *params);

/* j pruned to the outputs with used[i].  used_in[i]: input i stays anyway; afterwards, whether it stayed. */
sec_status sec_prune(const sec_jaxpr *j, const bool *used, bool *used_in, sec_jaxpr **out);

#endif
