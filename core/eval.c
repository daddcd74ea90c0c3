/* The reference evaluator: runs a jaxpr equation by equation through the primitives' eval rules.  Slow and obvious:
 * the oracle of the tests.  Arrays are freed after their last use. */
#include "memory.h"
#include "primitive.h"

void sec_put_f(sec_array *a, int64_t i, double x);
void sec_put_i(sec_array *a, int64_t i, int64_t x);
void sec_put_c(sec_array *a, int64_t i, double _Complex x);

static sec_array *literal_array(sec_context *cx, const sec_literal *l) {
  sec_array *a = sec_array_create_aval(cx, l->aval);
  if (!a) return NULL;
  sec_kind kind = sec_dtype_kind(l->aval->dtype);
  if (kind == SEC_KIND_COMPLEX) sec_put_c(a, 0, __builtin_complex(l->f, sec_literal_im(l)));
  else if (kind == SEC_KIND_FLOAT) sec_put_f(a, 0, l->f);
  else sec_put_i(a, 0, l->i);
  return a;
}

static sec_array *operand(const sec_jaxpr *j, sec_array *const *env, sec_ref r) {
  if (sec_ref_is_literal(r)) return literal_array(j->cx, &j->literals[sec_ref_index(r)]);
  return env[r] ? sec_array_retain(env[r]) : NULL;
}

sec_status sec_eval_primitive(sec_context *cx, const sec_primitive *prim, const sec_params *params, sec_array *const *in, int n_in,
                              const sec_aval *const *out_avals, sec_array **out, int n_out) {
  if (!prim->eval) return sec_error_set(SEC_NO_RULE, NULL, "%s has no evaluation rule", prim->name);
  sec_status status = SEC_OK;
  for (int i = 0; i < n_out; i++) {
    out[i] = status == SEC_OK ? sec_array_create_aval(cx, out_avals[i]) : NULL;
    if (!out[i]) status = SEC_MEMORY;
  }
  if (status == SEC_OK)
    status = prim->eval(&(sec_eval){.prim = prim, .params = params, .cx = cx, .in = in, .n_in = n_in, .out = out, .n_out = n_out});
  if (status != SEC_OK)
    for (int i = 0; i < n_out; i++) {
      sec_array_release(out[i]);
      out[i] = NULL;
    }
  return status;
}

static sec_status eval_eqn(const sec_jaxpr *j, const sec_eqn *e, sec_array **env) {
  sec_array **in = sec_mem_zeroed(e->n_in + 1, sizeof *in);
  sec_status  status = in ? SEC_OK : SEC_MEMORY;
  for (uint32_t k = 0; k < e->n_in && status == SEC_OK; k++)
    if (!(in[k] = operand(j, env, e->in[k]))) status = SEC_MEMORY;
  if (status == SEC_OK)
    status = sec_eval_primitive(j->cx, e->prim, e->params, in, (int)e->n_in, j->avals + e->out, env + e->out, (int)e->n_out);
  for (uint32_t k = 0; in && k < e->n_in; k++) sec_array_release(in[k]);
  sec_mem_free(in);
  return status;
}

sec_status sec_jaxpr_eval(const sec_jaxpr *j, sec_array *const *in, sec_array **out) {
  for (uint32_t i = 0; i < j->n_out; i++) out[i] = NULL;
  sec_array **env = sec_mem_zeroed(j->n_vars + 1, sizeof *env);
  if (!env) return sec_error_set(SEC_MEMORY, NULL, "out of memory: the evaluator could not start");
  sec_status status = SEC_OK;
  for (uint32_t i = 0; i < j->n_in; i++) {
    if (sec_array_check(in[i]) != SEC_OK) status = SEC_DELETED;
    else if (in[i]->aval->dtype != j->avals[i]->dtype || in[i]->aval->size != j->avals[i]->size)
      status = sec_error_set(SEC_TYPE, "pass arrays of the types that were traced", "eval: input %d has type %s, expected %s", (int)i,
                             in[i]->aval->text, j->avals[i]->text);
    env[i] = sec_array_retain(in[i]);
  }
  for (uint32_t k = 0; k < j->n_consts && status == SEC_OK; k++) {
    if (j->consts[k].array) env[j->consts[k].var] = sec_array_retain(j->consts[k].array);
    else status = sec_error_set(SEC_ARGUMENT, "apply it inside that trace", "eval: the jaxpr captures a value of an open trace");
  }
  for (uint32_t i = 0; i < j->n_eqns && status == SEC_OK; i++) status = eval_eqn(j, &j->eqns[i], env);
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++)
    if (!(out[i] = operand(j, env, j->outs[i]))) status = SEC_MEMORY;
  for (uint32_t v = 0; v < j->n_vars; v++) sec_array_release(env[v]);
  sec_mem_free(env);
  return status;
}
