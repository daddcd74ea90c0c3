/* Lists and orders for the rules of primitives with bodies: see rules.h. */
#include "rules.h"

int sec_group_order(const int *ends, int n_groups, const bool *nz, int *order) {
  int n = 0, first = 0, tangent = n_groups ? ends[n_groups - 1] : 0;
  for (int g = 0; g < n_groups; first = ends[g++]) {
    for (int i = first; i < ends[g]; i++) order[n++] = i;
    for (int i = first; i < ends[g]; i++)
      if (nz[i]) order[n++] = tangent++;
  }
  return n;
}

int sec_count(const bool *flags, int n) {
  int count = 0;
  for (int i = 0; i < n; i++) count += flags[i];
  return count;
}

sec_status sec_reorder(const sec_jaxpr *j, const int *in_order, const int *out_order, int n_out,
                       sec_jaxpr **out) {
  *out = NULL;
  int *source = sec_alloc(j->cx, (j->n_in + 1) * sizeof *source);
  const sec_aval **avals = sec_alloc(j->cx, (j->n_in + 1) * sizeof *avals);
  sec_status status = source && avals ? SEC_OK : SEC_MEMORY;
  for (int k = 0; k < (int)j->n_in && status == SEC_OK; k++) {
    source[in_order[k]] = k;
    avals[k] = j->avals[in_order[k]];
  }
  if (status == SEC_OK)
    status = sec_rewire(j, &(sec_rewiring){avals, source, out_order, (int)j->n_in, n_out}, out);
  sec_free(j->cx, source);
  sec_free(j->cx, avals);
  return status;
}

void sec_nonzero(const sec_value *in_dot, int n, bool *nz) {
  for (int i = 0; i < n; i++) nz[i] = !sec_value_is_zero(in_dot[i]);
}

void sec_primals_and_tangents(const sec_rule *r, const sec_value *in_dot, sec_value *list) {
  int n = r->n_in;
  for (int i = 0; i < r->n_in; i++) list[i] = r->in[i];
  for (int i = 0; i < r->n_in; i++)
    if (!sec_value_is_zero(in_dot[i])) list[n++] = in_dot[i];
}

void sec_scatter_results(const sec_value *results, const int *order, int n, const bool *nz,
                         int n_out, sec_value *out, sec_value *out_dot) {
  for (int i = 0; i < n_out; i++) out_dot[i] = SEC_VALUE_ZERO;
  for (int k = 0; k < n; k++) {
    if (order[k] < n_out) {
      out[order[k]] = results[k];
      continue;
    }
    int i = 0;
    for (int rank = order[k] - n_out; !nz[i] || rank-- > 0; i++) continue;
    out_dot[i] = results[k];
  }
}

sec_value sec_swap_front(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  int64_t order[SEC_MAX_RANK] = {1, 0};
  if (!a) return SEC_VALUE_POISON;
  for (int d = 2; d < a->rank; d++) order[d] = d;
  return sec_transpose(x, order);
}
