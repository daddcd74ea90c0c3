/* linearize : (a -> b) to (a -> (b, residuals)) and ((residuals, a') -> b').
 *
 * The jvp with the primals known and the tangents not: partial evaluation parts it in two. */
#include "body.h"
#include "partial.h"
#include <secant/transforms.h>

static sec_status check_wrt(const sec_jaxpr *j, const bool *wrt) {
  for (uint32_t i = 0; i < j->n_in; i++)
    if (wrt[i] && !sec_has_tangent(j->avals[i]))
      return sec_error_set(SEC_TYPE, "differentiate by float arguments, or convert this one first",
                           "grad: argument %u is %s, but a derivative needs a float", i,
                           j->avals[i]->text);
  return SEC_OK;
}

/* flags: room for n_in (wrt), then n_out (force) and n_out (found). */
static sec_status jvp_of_floats(const sec_jaxpr *j, const bool *wrt, bool *flags, sec_jaxpr **out) {
  bool *force = flags + j->n_in, *found = force + j->n_out;
  for (uint32_t i = 0; i < j->n_in; i++) flags[i] = wrt ? wrt[i] : sec_has_tangent(j->avals[i]);
  for (uint32_t i = 0; i < j->n_out; i++) force[i] = true;
  SEC_TRY(check_wrt(j, flags));
  return sec_jvp_body(j, flags, force, found, out);
}

/* known: room for the inputs of `jvp`, then two lists of its outputs. */
static sec_status split_tangents(const sec_jaxpr *j, const sec_jaxpr *jvp, bool *known,
                                 sec_split *split) {
  bool *force = known + jvp->n_in, *out_known = force + jvp->n_out;
  for (uint32_t i = 0; i < jvp->n_in; i++) known[i] = i < j->n_in;
  for (uint32_t i = 0; i < jvp->n_out; i++) force[i] = i >= j->n_out;
  SEC_TRY(sec_jaxpr_partial(jvp, known, force, out_known, split));
  for (uint32_t i = 0; i < j->n_out; i++)
    if (!out_known[i])
      return sec_error_set(SEC_ARGUMENT,
                           "compute the results of a custom_jvp rule from the primals alone",
                           "linearize: output %u depends on the tangents", i);
  return SEC_OK;
}

sec_status sec_jaxpr_linearize(const sec_jaxpr *j, const bool *wrt, sec_jaxpr **primal,
                               sec_jaxpr **linear, int *n_residuals) {
  *primal = *linear = NULL;
  *n_residuals = 0;
  sec_jaxpr *jvp = NULL;
  sec_split split = {0};
  sec_arena *arena = sec_arena_create(j->cx);
  bool *flags = arena ? SEC_NEW(arena, bool, 2 * j->n_in + 4 * j->n_out) : NULL;
  sec_status status = flags ? jvp_of_floats(j, wrt, flags, &jvp) : SEC_MEMORY;
  if (status == SEC_OK) {
    bool *known = SEC_NEW(arena, bool, jvp->n_in + 2 * jvp->n_out);
    status = known ? split_tangents(j, jvp, known, &split) : SEC_MEMORY;
  }
  if (status == SEC_OK) {
    *primal = sec_jaxpr_retain(split.known);
    *linear = sec_jaxpr_retain(split.unknown);
    *n_residuals = split.n_res;
  }
  sec_split_release(&split);
  sec_jaxpr_release(jvp);
  sec_arena_destroy(arena);
  return status;
}
