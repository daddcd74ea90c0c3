/* Partial evaluation: a jaxpr is split by what is known of its inputs. */
#ifndef SEC_PARTIAL_H
#define SEC_PARTIAL_H

#include "replay.h"

/* An operand or result while a jaxpr is split: a value of the known side, or an unknown by number. */
typedef struct sec_operand {
  bool known;
  sec_value value;  /* when known */
  uint32_t unknown; /* when not */
} sec_operand;

/* One equation, for the .partial rules: bind the known part in the current trace, defer the rest, fill out[]. */
struct sec_partial {
  const sec_primitive *prim;
  const sec_params *params;
  sec_context *cx;
  const sec_operand *in;
  const sec_aval *const *in_avals;
  int n_in;
  const sec_aval *const *out_avals;
  int n_out;
  sec_operand *out;
  struct sec_unknowns *unknowns;
};

/* An equation for the unknown side.  Takes `params`; out[] become new unknowns.  Known operands become residuals. */
typedef struct sec_deferral {
  const sec_primitive *prim;
  const sec_params *params;
  const sec_operand *in;
  const sec_aval *const *out_avals;
  int n_in, n_out;
} sec_deferral;
sec_status sec_partial_defer(struct sec_partial *p, const sec_deferral *d, sec_operand *out);
/* The whole equation is unknown. */
sec_status sec_partial_defer_all(struct sec_partial *p);

/* known   : known inputs -> (outputs with out_known, residuals)
 * unknown : (residuals, unknown inputs) -> the other outputs */
typedef struct sec_split {
  sec_jaxpr *known, *unknown;
  int n_res;
} sec_split;
/* force_unknown (or NULL): outputs that have to be on the unknown side.  Release both jaxprs. */
sec_status sec_jaxpr_partial(const sec_jaxpr *j, const bool *known, const bool *force_unknown,
                             bool *out_known, sec_split *out);
void sec_split_release(sec_split *s);

#endif
