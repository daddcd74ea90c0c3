/* Applies a primitive in the innermost open trace: lifts operands, runs the type rule, appends the equation. */
#include "primitive.h"
#include "trace.h"

#define SMALL 16

static sec_status bind_error(const sec_primitive *prim, const char *what, int given, int expected) {
  return sec_error_set(SEC_ARGUMENT, NULL, "%s: %s: expected %d, given %d", prim->name, what, expected, given);
}

static int n_operands(const sec_primitive *prim) {
  int n = 0;
  while (n < SEC_MAX_OPERANDS && prim->operands[n]) n++;
  return n;
}

static sec_status append(sec_trace *t, const sec_primitive *prim, const sec_value *in, int n_in, const sec_params *params,
                         sec_value *out, int n_out) {
  sec_ref *refs = sec_arena_alloc(t->arena, (size_t)(n_in ? n_in : 1) * sizeof *refs);
  if (!refs) return SEC_MEMORY;
  const sec_aval  *small[2 * SMALL];
  const sec_aval **avals = small;
  if (n_in > SMALL || n_out > SMALL) {
    avals = sec_arena_alloc(t->arena, (size_t)(n_in + n_out) * sizeof *avals);
    if (!avals) return SEC_MEMORY;
  }
  for (int i = 0; i < n_in; i++) {
    if (!sec_trace_lift(t, in[i], &refs[i])) {
      sec_error_set(SEC_ARGUMENT, "set it before it is used", "%s: operand %d has no value", prim->name, i);
      return sec_error_status(NULL);
    }
    avals[i] = sec_ref_is_literal(refs[i]) ? t->literals[sec_ref_index(refs[i])].aval : t->avals[refs[i]];
  }
  sec_typing typing = {.prim = prim, .params = params, .cx = t->cx, .in = avals, .n_in = n_in, .out = avals + n_in,
                       .n_out = n_out, .max_out = n_out};
  SEC_TRY(prim->type(&typing));
  if (typing.n_out != n_out) return bind_error(prim, "number of results", n_out, typing.n_out);
  sec_eqn eqn = {.prim = prim, .params = params, .in = refs, .n_in = (uint32_t)n_in, .out = t->n_vars, .n_out = (uint32_t)n_out};
  for (int i = 0; i < n_out; i++) {
    uint32_t var;
    if (!sec_trace_new_var(t, typing.out[i], &var)) return SEC_MEMORY;
    out[i] = (sec_value){t->id, var};
  }
  return sec_trace_new_eqn(t, &eqn) ? SEC_OK : SEC_MEMORY;
}

sec_status sec_bind(const sec_primitive *prim, const sec_value *in, int n_in, const sec_params *params, sec_value *out,
                    int n_out) {
  sec_trace *t = sec_trace_current();
  sec_status status;
  if (!t)
    status = sec_error_set(SEC_NO_TRACE, "call it inside a function that is being traced", "%s: no trace is open", prim->name);
  else if (t->no_memory)
    status = sec_error_set(SEC_MEMORY, NULL, "out of memory: %s has no parameters", prim->name);
  else if (!prim->variadic && n_in != n_operands(prim))
    status = bind_error(prim, "number of operands", n_in, n_operands(prim));
  else
    status = append(t, prim, in, n_in, params, out, n_out);
  if (status == SEC_OK) return SEC_OK; /* the equation holds the parameters now */
  sec_params_release(params);
  for (int i = 0; i < n_out; i++) out[i] = SEC_VALUE_POISON;
  return status;
}

sec_value sec_bind1(const sec_primitive *prim, sec_value x, const sec_params *params) {
  sec_value out;
  sec_bind(prim, &x, 1, params, &out, 1);
  return out;
}

sec_value sec_bind2(const sec_primitive *prim, sec_value x, sec_value y, const sec_params *params) {
  sec_value out;
  sec_bind(prim, (sec_value[]){x, y}, 2, params, &out, 1);
  return out;
}
