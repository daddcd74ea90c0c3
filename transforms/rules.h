/* What the rules of primitives with bodies share: lists of values in a scratch arena, and the order in which
 * primals and tangents stand when they are grouped. */
#ifndef SEC_RULES_H
#define SEC_RULES_H

#include "body.h"
#include "ops/control_rules.h"
#include "partial.h"

/* A list with room enough for what its user pushes. */
typedef struct sec_values {
  sec_value *v;
  int n;
} sec_values;
static inline void sec_push(sec_values *l, sec_value v) { l->v[l->n++] = v; }

/* Groups [0, ends[0]), [ends[0], ends[1]), ...: order[k] is a place in the list (primals..., tangents of those with
 * nz...), such that every group's tangents follow its primals.  Returns the length. */
int sec_group_order(const int *ends, int n_groups, const bool *nz, int *order);
int sec_count(const bool *flags, int n);
/* j with inputs and outputs in another order: new input k is old input in_order[k]; all are there. */
sec_status sec_reorder(const sec_jaxpr *j, const int *in_order, const int *out_order, int n_out,
                       sec_jaxpr **out);
/* nz[i]: in_dot[i] is not zero. */
void sec_nonzero(const sec_value *in_dot, int n, bool *nz);
/* list: primals, then the tangents that are not zero. */
void sec_primals_and_tangents(const sec_rule *r, const sec_value *in_dot, sec_value *list);
/* out[] and out_dot[] from the results in `order` over (primals..., tangents of nz...); the other tangents are zero. */
void sec_scatter_results(const sec_value *results, const int *order, int n, const bool *nz,
                         int n_out, sec_value *out, sec_value *out_dot);
/* x with its first two axes exchanged. */
sec_value sec_swap_front(sec_value x);

#endif
