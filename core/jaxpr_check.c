/* Checks a jaxpr: every reference is defined before its use and only once, and every equation has
 * the types that its primitive's type rule gives.  Bodies in parameters are checked as well. */
#include "primitive.h"
#include <string.h>

#define HINT "this is a bug of the transform that made the jaxpr"

typedef struct checker {
  const sec_jaxpr *j;
  bool            *defined; /* one a variable */
} checker;

static sec_status check_ref(const checker *c, sec_ref r, const char *who, uint32_t place) {
  bool literal = sec_ref_is_literal(r);
  if (literal ? sec_ref_index(r) >= c->j->n_literals : r >= c->j->n_vars)
    return sec_error_set(SEC_ARGUMENT, HINT, "%s: operand %u is not in the jaxpr", who, place);
  if (!literal && !c->defined[r])
    return sec_error_set(SEC_ARGUMENT, HINT, "%s: operand %u is used before it is defined", who,
                         place);
  return SEC_OK;
}

static sec_status define(const checker *c, uint32_t var, const char *who) {
  if (var >= c->j->n_vars)
    return sec_error_set(SEC_ARGUMENT, HINT, "%s: variable %u is not in the jaxpr", who, var);
  if (c->defined[var])
    return sec_error_set(SEC_ARGUMENT, HINT, "%s: variable %u is defined twice", who, var);
  if (!c->j->avals[var])
    return sec_error_set(SEC_ARGUMENT, HINT, "%s: variable %u has no type", who, var);
  c->defined[var] = true;
  return SEC_OK;
}

static sec_status check_bodies(const sec_eqn *e) {
  for (int i = 0; e->params && i < e->params->n; i++) {
    const sec_param *p = &e->params->list[i];
    if (p->kind == SEC_PARAM_JAXPR) SEC_TRY(sec_jaxpr_check(p->u.jaxpr));
    if (p->kind == SEC_PARAM_JAXPRS)
      for (int k = 0; k < p->u.jaxprs.n; k++) SEC_TRY(sec_jaxpr_check(p->u.jaxprs.v[k]));
  }
  return SEC_OK;
}

/* Runs the type rule; in and out have room for all operands and results. */
static sec_status check_types(const checker *c, const sec_eqn *e, const sec_aval **in,
                              const sec_aval **out) {
  for (uint32_t i = 0; i < e->n_in; i++) in[i] = sec_ref_aval(c->j, e->in[i]);
  sec_typing t = {.prim = e->prim,
                  .params = e->params,
                  .cx = c->j->cx,
                  .in = in,
                  .n_in = (int)e->n_in,
                  .out = out,
                  .max_out = (int)e->n_out};
  SEC_TRY(e->prim->type(&t));
  if (t.n_out != (int)e->n_out)
    return sec_error_set(SEC_TYPE, HINT, "%s: the rule gives %d results, the equation has %u",
                         e->prim->name, t.n_out, e->n_out);
  for (uint32_t i = 0; i < e->n_out; i++)
    if (out[i] != c->j->avals[e->out + i])
      return sec_error_set(
          SEC_TYPE, HINT, "%s: the rule gives %s, the variable is %s%s", e->prim->name,
          sec_aval_text(out[i]), sec_aval_text(c->j->avals[e->out + i]),
          out[i]->weak != c->j->avals[e->out + i]->weak ? ", and one of them is weak" : "");
  return SEC_OK;
}

static sec_status check_equation(const checker *c, const sec_eqn *e) {
  const sec_jaxpr *j = c->j;
  if (!e->prim) return sec_error_set(SEC_ARGUMENT, HINT, "an equation has no primitive");
  for (uint32_t i = 0; i < e->n_in; i++) SEC_TRY(check_ref(c, e->in[i], e->prim->name, i));
  const sec_aval **types = sec_alloc(j->cx, (e->n_in + e->n_out + 4u) * sizeof *types);
  if (!types) return SEC_MEMORY;
  sec_status status = check_types(c, e, types, types + e->n_in);
  sec_free(j->cx, types);
  SEC_TRY(status);
  SEC_TRY(check_bodies(e));
  for (uint32_t i = 0; i < e->n_out; i++) SEC_TRY(define(c, e->out + i, e->prim->name));
  return SEC_OK;
}

static sec_status check_all(const checker *c) {
  const sec_jaxpr *j = c->j;
  for (uint32_t i = 0; i < j->n_in; i++) SEC_TRY(define(c, i, "inputs"));
  for (uint32_t i = 0; i < j->n_consts; i++) {
    const sec_const *k = &j->consts[i];
    SEC_TRY(define(c, k->var, "captures"));
    if (k->array && k->array->aval != j->avals[k->var])
      return sec_error_set(SEC_TYPE, HINT, "captures: the array is %s, the variable is %s",
                           sec_aval_text(k->array->aval), sec_aval_text(j->avals[k->var]));
  }
  for (uint32_t i = 0; i < j->n_literals; i++)
    if (!j->literals[i].aval || j->literals[i].aval->rank != 0)
      return sec_error_set(SEC_TYPE, HINT, "literal %u is not a scalar", i);
  for (uint32_t i = 0; i < j->n_eqns; i++) SEC_TRY(check_equation(c, &j->eqns[i]));
  for (uint32_t i = 0; i < j->n_out; i++) SEC_TRY(check_ref(c, j->outs[i], "results", i));
  return SEC_OK;
}

sec_status sec_jaxpr_check(const sec_jaxpr *j) {
  checker c = {j, sec_alloc(j->cx, j->n_vars + 1u)};
  if (!c.defined) return SEC_MEMORY;
  memset(c.defined, 0, j->n_vars + 1u);
  sec_status status = check_all(&c);
  sec_free(j->cx, c.defined);
  return status;
}
