/* close : (captures; a -> b) to ((captures, a) -> b): what a jaxpr captured becomes leading inputs. */
#include "body.h"
#include "ops/control_rules.h"
#include <secant/transforms.h>

typedef struct hoist_job {
  const sec_jaxpr *j;
  const sec_hoist *h;
} hoist_job;

/* Captures are bound to inputs where a walk would bind them to themselves. */
static sec_status hoist_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const hoist_job *job = user;
  const sec_jaxpr *j = job->j;
  sec_jaxpr open = *j; /* the same equations, without captures */
  sec_walk w;
  open.n_consts = 0;
  sec_status status = sec_walk_begin(&w, &open, in + job->h->n_lead);
  for (uint32_t k = 0; k < j->n_consts && status == SEC_OK; k++)
    w.env[j->consts[k].var] = in[job->h->at + (int)k];
  for (uint32_t i = 0; i < j->n_eqns && status == SEC_OK; i++) {
    sec_walk_at(&w, &j->eqns[i]);
    status = sec_walk_rebind(&w, &j->eqns[i]);
    sec_walk_set(&w, &j->eqns[i]);
  }
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++) out[i] = sec_walk_get(&w, j->outs[i]);
  *n_out = (int)j->n_out;
  sec_walk_end(&w);
  return status;
}

sec_status sec_hoist_captures(const sec_jaxpr *j, const sec_hoist *h, sec_jaxpr **out) {
  *out = NULL;
  int n = h->n_lead + (int)j->n_in;
  const sec_aval **avals = sec_alloc(j->cx, (size_t)(n + 1) * sizeof *avals);
  if (!avals) return SEC_MEMORY;
  for (int i = 0; i < n; i++) avals[i] = i < h->n_lead ? h->lead[i] : j->avals[i - h->n_lead];
  hoist_job job = {j, h};
  sec_status status = sec_build(&(sec_plan){.cx = j->cx,
                                            .name = j->name,
                                            .in_avals = avals,
                                            .n_in = n,
                                            .max_out = (int)j->n_out,
                                            .build = hoist_build,
                                            .user = &job},
                                out);
  sec_free(j->cx, avals);
  return status;
}

sec_status sec_jaxpr_close(const sec_jaxpr *j, sec_jaxpr **out) {
  *out = NULL;
  const sec_aval **lead = sec_alloc(j->cx, (j->n_consts + 1) * sizeof *lead);
  if (!lead) return SEC_MEMORY;
  for (uint32_t k = 0; k < j->n_consts; k++) lead[k] = sec_capture_aval(j, k);
  sec_status status = sec_hoist_captures(j, &(sec_hoist){lead, (int)j->n_consts, 0}, out);
  sec_free(j->cx, lead);
  return status;
}
