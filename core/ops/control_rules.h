/* Rules of primitives with bodies.
 *
 * jvp of a scan needs the jvp of its body, which is a transform; but core does not know the transforms, and a
 * SEC_PRIMITIVE block is one constant.  So the rules are declared here and written in transforms/ (rules_cond.c,
 * rules_while.c, rules_scan.c, rules_call.c, rules_custom.c, rules_solve.c): the one place where core looks up.  All of it is
 * linked into one library. */
#ifndef SEC_CONTROL_RULES_H
#define SEC_CONTROL_RULES_H

#include "family.h"
#include <secant/axis.h>

#define SEC_DECLARE_RULES(id)                                                                      \
  sec_status sec_##id##_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,            \
                            sec_value *out_dot);                                                   \
  sec_status sec_##id##_transpose(const sec_rule *r, const bool *linear, const sec_value *ct,      \
                                  sec_value *in_ct);                                               \
  sec_status sec_##id##_batch(sec_batch *b);                                                       \
  sec_status sec_##id##_partial(struct sec_partial *p);
SEC_DECLARE_RULES(cond)
SEC_DECLARE_RULES(while)
SEC_DECLARE_RULES(scan)
SEC_DECLARE_RULES(jit)
SEC_DECLARE_RULES(checkpoint)
SEC_DECLARE_RULES(custom_jvp_call)
SEC_DECLARE_RULES(custom_vjp_call)
SEC_DECLARE_RULES(custom_lin)
SEC_DECLARE_RULES(custom_linear_solve)
#undef SEC_DECLARE_RULES

SEC_DECLARE_PRIMITIVE(cond)
SEC_DECLARE_PRIMITIVE(while)
SEC_DECLARE_PRIMITIVE(scan)
SEC_DECLARE_PRIMITIVE(jit)
SEC_DECLARE_PRIMITIVE(checkpoint)
SEC_DECLARE_PRIMITIVE(custom_jvp_call)
SEC_DECLARE_PRIMITIVE(custom_vjp_call)
SEC_DECLARE_PRIMITIVE(custom_lin)
SEC_DECLARE_PRIMITIVE(custom_linear_solve)

/* ---- captures: a body's captured arrays and outer values become operands ---- */
/* Where the captures of one of the bodies stand among the new leading inputs: lead[at .. at + n_consts). */
typedef struct sec_hoist {
  const sec_aval *const *lead;
  int n_lead, at;
} sec_hoist;
/* *out: inputs lead[], then j's own; captures nothing.  The caller's, NULL on error. */
sec_status sec_hoist_captures(const sec_jaxpr *j, const sec_hoist *h, sec_jaxpr **out);
/* Capture k as a value of the current trace, and its type. */
sec_value sec_capture_value(const sec_jaxpr *j, uint32_t k);
const sec_aval *sec_capture_aval(const sec_jaxpr *j, uint32_t k);

/* ---- parameters, read and checked by the type rules ---- */
typedef struct sec_scan_spec {
  sec_jaxpr *body; /* (consts, carry, x) -> (carry, y) */
  int n_consts, n_carry;
  int64_t length;
  bool reverse;
} sec_scan_spec;
typedef struct sec_while_spec {
  sec_jaxpr *cond, *body; /* (cond consts, carry) -> bool; (body consts, carry) -> carry */
  int n_cond_consts, n_body_consts;
} sec_while_spec;
sec_scan_spec sec_scan_read(const sec_params *p);
sec_while_spec sec_while_read(const sec_params *p);
sec_jaxpr *const *sec_cond_branches(const sec_params *p, int *n);
const sec_params *sec_scan_params(const sec_scan_spec *s);
const sec_params *sec_while_params(const sec_while_spec *s);

/* ---- strict binds: captures are hoisted, nothing is converted or clamped ---- */
sec_status sec_bind_scan(const sec_scan_spec *s, const sec_value *in, int n_in, sec_value *out);
sec_status sec_bind_while(const sec_while_spec *s, const sec_value *in, int n_in, sec_value *out);
typedef struct sec_cond_spec {
  sec_jaxpr *const *branches;
  int n;
} sec_cond_spec;
/* in[0] is the index. */
sec_status sec_bind_cond(const sec_cond_spec *s, const sec_value *in, int n_in, sec_value *out);
/* A primitive with one body in param `key` beside the parameters of `like` (or NULL). */
typedef struct sec_call_spec {
  const sec_primitive *prim;
  const sec_params *like;
  sec_jaxpr *body;
} sec_call_spec;
sec_status sec_bind_call(const sec_call_spec *s, const sec_value *in, int n_in, sec_value *out);
/* The same parameters with another body; counted, NULL on failure. */
const sec_params *sec_call_params(const sec_call_spec *s);

/* custom_linear_solve: every body takes (constants, vector); transpose_solve and vecmat, or neither. */
typedef struct sec_solve_spec {
  sec_jaxpr *solve, *matvec, *transpose_solve, *vecmat;
  int n_consts;
} sec_solve_spec;
sec_solve_spec sec_solve_read(const sec_params *p);
sec_status sec_bind_solve(const sec_solve_spec *s, const sec_value *in, int n_in, sec_value *out);

/* ---- shared by the type and evaluation rules ---- */
bool sec_fits(const sec_aval *have,
              const sec_aval *want); /* dtype and shape; weak types may differ */
/* t->in[from ..] fit the inputs of `body` from `at` on: n of them.  `what` names them in the error. */
sec_status sec_type_inputs(const sec_typing *t, const sec_jaxpr *body, int from, int at, int n,
                           const char *what);
sec_status sec_call_eval(const sec_eval *e); /* of primitives with one body to call */
sec_status sec_type_n_results(sec_typing *t, int n);
sec_status sec_eval_move(sec_array *to,
                         sec_array *from); /* copies the elements and releases `from` */
/* x in the dtype of `want` when x is weak. */
sec_value sec_fit_weak(sec_value x, const sec_aval *want);

#endif
