/* custom_linear_solve: a linear system that functions of the user solve, differentiated as the system
 * it is (rules in transforms/rules_solve.c).  It lowers to its body `solve`. */
#include "control_rules.h"
#include <string.h>

enum { N_BODIES = 4 };
static const char *const body_names[N_BODIES] = {"solve", "matvec", "transpose_solve", "vecmat"};

sec_solve_spec sec_solve_read(const sec_params *p) {
  return (sec_solve_spec){sec_params_jaxpr(p, "solve"), sec_params_jaxpr(p, "matvec"),
                          sec_params_jaxpr(p, "transpose_solve"), sec_params_jaxpr(p, "vecmat"),
                          (int)sec_params_int(p, "num_consts")};
}

/* The bodies of A and of its transpose give vectors like their own. */
static sec_status type_body(const sec_typing *t, int k, const sec_jaxpr *body, int n_consts) {
  int n = t->n_in - n_consts;
  bool exact = k % 2 == 1; /* the others may give more: auxiliary results */
  if ((int)body->n_in != t->n_in || body->n_consts || (int)body->n_out < n ||
      (exact && (int)body->n_out != n))
    return sec_type_error(t, SEC_ARGUMENT, NULL, "%s takes %u operands and gives %u, not %d and %d",
                          body_names[k], body->n_in, body->n_out, t->n_in, n);
  SEC_TRY(sec_type_inputs(t, body, 0, 0, t->n_in, body_names[k]));
  for (int i = 0; i < n; i++) {
    const sec_aval *out = sec_ref_aval(body, body->outs[i]), *in = t->in[n_consts + i];
    if (!sec_fits(out, in))
      return sec_type_error(t, SEC_TYPE, "keep the type of b", "%s gives %s for %s", body_names[k],
                            out->text, in->text);
  }
  return SEC_OK;
}

static sec_status solve_type(sec_typing *t) {
  sec_solve_spec s = sec_solve_read(t->params);
  const sec_jaxpr *const bodies[N_BODIES] = {s.solve, s.matvec, s.transpose_solve, s.vecmat};
  if (!s.solve || !s.matvec || s.n_consts < 0 || s.n_consts > t->n_in)
    return sec_type_error(t, SEC_ARGUMENT, NULL, "parameters solve, matvec and num_consts are needed");
  for (int k = 0; k < N_BODIES; k++)
    if (bodies[k]) SEC_TRY(type_body(t, k, bodies[k], s.n_consts));
  SEC_TRY(sec_type_n_results(t, (int)s.solve->n_out));
  for (int i = 0; i < t->n_out; i++) t->out[i] = sec_ref_aval(s.solve, s.solve->outs[i]);
  return SEC_OK;
}

SEC_PRIMITIVE(custom_linear_solve, .doc = "Solves a linear system by functions that are given.",
              .variadic = true, .operands = {"operand"}, .type = solve_type, .eval = sec_call_eval,
              .jvp_all = sec_custom_linear_solve_jvp,
              .transpose_all = sec_custom_linear_solve_transpose,
              .batch = sec_custom_linear_solve_batch, .form = SEC_FORM_CALL, .call_param = "solve")

sec_status sec_bind_solve(const sec_solve_spec *s, const sec_value *in, int n_in, sec_value *out) {
  sec_param list[N_BODIES + 1] = {SEC_P_JAXPR("solve", s->solve), SEC_P_JAXPR("matvec", s->matvec),
                                  SEC_P_INT("num_consts", s->n_consts)};
  int n = 3;
  if (s->transpose_solve && s->vecmat) {
    list[n++] = (sec_param)SEC_P_JAXPR("transpose_solve", s->transpose_solve);
    list[n++] = (sec_param)SEC_P_JAXPR("vecmat", s->vecmat);
  }
  const sec_params *p = sec_params_make(s->solve->cx, list, n);
  return p ? sec_bind(&sec_custom_linear_solve_p, in, n_in, p, out, (int)s->solve->n_out)
           : SEC_MEMORY;
}

/* ---- captures of all bodies lead the operands ---- */
typedef struct closing {
  sec_context *cx;
  sec_jaxpr *const *bodies;
  sec_jaxpr *closed[N_BODIES]; /* owned */
  sec_value *in;               /* captures, then operands */
  const sec_aval **lead;
  int n_lead;
} closing;

static sec_status close_bodies(closing *c) {
  int at = 0;
  c->lead = sec_alloc(c->cx, (size_t)(c->n_lead + 1) * sizeof *c->lead);
  if (!c->lead) return SEC_MEMORY;
  for (int k = 0; k < N_BODIES; k++)
    for (uint32_t i = 0; c->bodies[k] && i < c->bodies[k]->n_consts; i++, at++) {
      c->in[at] = sec_capture_value(c->bodies[k], i);
      c->lead[at] = sec_capture_aval(c->bodies[k], i);
    }
  at = 0;
  for (int k = 0; k < N_BODIES; k++) {
    if (!c->bodies[k]) continue;
    SEC_TRY(sec_hoist_captures(c->bodies[k], &(sec_hoist){c->lead, c->n_lead, at}, &c->closed[k]));
    at += (int)c->bodies[k]->n_consts;
  }
  return SEC_OK;
}

sec_status sec_custom_linear_solve(sec_jaxpr *matvec, sec_jaxpr *vecmat, sec_jaxpr *solve,
                                   sec_jaxpr *transpose_solve, const sec_value *in, int n_in,
                                   sec_value *out) {
  sec_jaxpr *const bodies[N_BODIES] = {solve, matvec, transpose_solve, vecmat};
  closing c = {.cx = solve->cx, .bodies = bodies};
  for (int k = 0; k < N_BODIES; k++)
    if (bodies[k]) c.n_lead += (int)bodies[k]->n_consts;
  for (uint32_t i = 0; i < solve->n_out; i++) out[i] = SEC_VALUE_POISON;
  c.in = sec_alloc(c.cx, (size_t)(c.n_lead + n_in + 1) * sizeof *c.in);
  sec_status status = c.in ? close_bodies(&c) : SEC_MEMORY;
  if (status == SEC_OK) {
    sec_solve_spec s = {c.closed[0], c.closed[1], c.closed[2], c.closed[3], c.n_lead};
    memcpy(c.in + c.n_lead, in, (size_t)n_in * sizeof *in);
    status = sec_bind_solve(&s, c.in, c.n_lead + n_in, out);
  }
  for (int k = 0; k < N_BODIES; k++) sec_jaxpr_release(c.closed[k]);
  sec_free(c.cx, c.lead);
  sec_free(c.cx, c.in);
  return status;
}
