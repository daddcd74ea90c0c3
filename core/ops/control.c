/* Control flow: cond and while, and what they share with scan.  Types, evaluation and the public functions; the
 * rules of the transforms are in transforms/ (see control_rules.h).
 *
 * A body is a jaxpr that captures nothing: values from outside are operands.  Weak types may differ between an
 * operand and the body's input, dtypes and shapes may not. */
#include "control_rules.h"
#include <string.h>

/* ---- shared ---- */
bool sec_fits(const sec_aval *have, const sec_aval *want) {
  return have == want ||
         (have->dtype == want->dtype && have->rank == want->rank &&
          memcmp(have->dims, want->dims, (size_t)have->rank * sizeof *have->dims) == 0);
}

sec_status sec_type_inputs(const sec_typing *t, const sec_jaxpr *body, int from, int at, int n,
                           const char *what) {
  for (int i = 0; i < n; i++)
    if (!sec_fits(t->in[from + i], body->avals[at + i]))
      return sec_type_error(t, SEC_TYPE,
                            "convert or broadcast it, or trace the body with this type",
                            "%s %d has type %s, but the body takes %s", what, i,
                            t->in[from + i]->text, body->avals[at + i]->text);
  return SEC_OK;
}

sec_status sec_type_n_results(sec_typing *t, int n) {
  t->n_out = n;
  if (n <= t->max_out) return SEC_OK;
  return sec_type_error(t, SEC_ARGUMENT, NULL,
                        "the body has %d results, but there are places for %d", n, t->max_out);
}

sec_status sec_eval_move(sec_array *to, sec_array *from) {
  memcpy(to->data, from->data, to->bytes < from->bytes ? to->bytes : from->bytes);
  sec_array_release(from);
  return SEC_OK;
}

sec_value sec_fit_weak(sec_value x, const sec_aval *want) {
  const sec_aval *have = sec_value_aval(x);
  if (!have || !have->weak || have->dtype == want->dtype) return x;
  return sec_convert(x, want->dtype, want->weak);
}

sec_value sec_capture_value(const sec_jaxpr *j, uint32_t k) {
  return j->consts[k].array ? sec_constant(j->consts[k].array) : j->consts[k].outer;
}

sec_value sec_jaxpr_const_value(const sec_jaxpr *j, int i) {
  return sec_capture_value(j, (uint32_t)i);
}

const sec_aval *sec_capture_aval(const sec_jaxpr *j, uint32_t k) {
  return j->avals[j->consts[k].var];
}

static sec_status no_body(const sec_typing *t, const char *what) {
  return sec_type_error(t, SEC_ARGUMENT, "give it as a jaxpr that captures nothing",
                        "parameter %s is missing", what);
}

/* A result's type: weak only if every candidate is. */
static const sec_aval *join_weak(sec_context *cx, const sec_aval *a, const sec_aval *b) {
  return a->weak && !b->weak ? sec_aval_get(cx, a->dtype, false, a->rank, a->dims) : a;
}

/* ---- cond ---- */
sec_jaxpr *const *sec_cond_branches(const sec_params *p, int *n) {
  const sec_param *q = sec_params_find(p, "branches");
  bool found = q && q->kind == SEC_PARAM_JAXPRS;
  *n = found ? q->u.jaxprs.n : 0;
  return found ? q->u.jaxprs.v : NULL;
}

static sec_status cond_branch_type(const sec_typing *t, const sec_jaxpr *branch,
                                   const sec_jaxpr *first, int k) {
  if ((int)branch->n_in != t->n_in - 1 || branch->n_consts)
    return sec_type_error(t, SEC_ARGUMENT, "all branches take the same operands",
                          "branch %d takes %u operands, but %d are given", k, branch->n_in,
                          t->n_in - 1);
  if (branch->n_out != first->n_out)
    return sec_type_error(t, SEC_TYPE, "return as many results from every branch",
                          "branch 0 has %u results, but branch %d has %u", first->n_out, k,
                          branch->n_out);
  SEC_TRY(sec_type_inputs(t, branch, 1, 0, (int)branch->n_in, "operand"));
  for (uint32_t i = 0; i < branch->n_out; i++) {
    const sec_aval *want = sec_ref_aval(first, first->outs[i]),
                   *have = sec_ref_aval(branch, branch->outs[i]);
    if (!sec_fits(have, want))
      return sec_type_error(t, SEC_TYPE, "convert or broadcast one of them",
                            "result %u is %s in branch 0, but %s in branch %d", i, want->text,
                            have->text, k);
  }
  return SEC_OK;
}

static sec_status cond_type(sec_typing *t) {
  int n;
  sec_jaxpr *const *branches = sec_cond_branches(t->params, &n);
  if (n == 0 || t->n_in == 0) return no_body(t, "branches");
  if (t->in[0]->rank != 0 || t->in[0]->dtype != SEC_I32)
    return sec_type_error(t, SEC_TYPE, "give a bool or an i32 scalar",
                          "the index is %s, but must be i32[]", t->in[0]->text);
  for (int k = 0; k < n; k++) SEC_TRY(cond_branch_type(t, branches[k], branches[0], k));
  SEC_TRY(sec_type_n_results(t, (int)branches[0]->n_out));
  for (int i = 0; i < t->n_out; i++) {
    t->out[i] = sec_ref_aval(branches[0], branches[0]->outs[i]);
    for (int k = 1; k < n; k++) {
      t->out[i] = join_weak(t->cx, t->out[i], sec_ref_aval(branches[k], branches[k]->outs[i]));
      if (!t->out[i]) return SEC_MEMORY;
    }
  }
  return SEC_OK;
}

/* Runs a body on arrays and puts its results where they belong. */
static sec_status eval_into(const sec_jaxpr *body, sec_array *const *in, sec_array **out) {
  sec_array **made = sec_alloc(body->cx, (body->n_out + 1) * sizeof *made);
  if (!made) return SEC_MEMORY;
  sec_status status = sec_jaxpr_eval(body, in, made);
  for (uint32_t i = 0; i < body->n_out; i++) {
    if (status == SEC_OK) sec_eval_move(out[i], made[i]);
    else sec_array_release(made[i]);
  }
  sec_free(body->cx, made);
  return status;
}

static sec_status cond_eval(const sec_eval *e) {
  int n;
  sec_jaxpr *const *branches = sec_cond_branches(e->params, &n);
  int64_t which = sec_get_i(e->in[0], 0);
  return eval_into(branches[which < 0 ? 0 : which >= n ? n - 1 : which], e->in + 1, e->out);
}

SEC_PRIMITIVE(cond, .doc = "Runs one of several branches, chosen by an index that is clamped.",
              .variadic = true, .operands = {"index"}, .type = cond_type, .eval = cond_eval,
              .jvp_all = sec_cond_jvp, .transpose_all = sec_cond_transpose, .batch = sec_cond_batch,
              .partial = sec_cond_partial, .form = SEC_FORM_CONTROL)

/* ---- hoisting for cond: all captures of all branches lead the operands ---- */
typedef struct cond_parts {
  sec_arena *arena;
  sec_value *in; /* index, captures, operands */
  const sec_aval **lead;
  sec_jaxpr **bodies; /* owned */
  int n_lead;
} cond_parts;

static sec_status cond_hoist(cond_parts *c, const sec_cond_spec *s, const sec_value *in, int n_in) {
  int at = 0;
  c->in = sec_arena_alloc(c->arena, (size_t)(c->n_lead + n_in + 1) * sizeof *c->in);
  c->lead = sec_arena_alloc(c->arena, (size_t)(c->n_lead + 1) * sizeof *c->lead);
  c->bodies = sec_arena_alloc(c->arena, (size_t)(s->n + 1) * sizeof *c->bodies);
  if (!c->in || !c->lead || !c->bodies) return SEC_MEMORY;
  c->in[0] = in[0];
  if (n_in > 1) memcpy(c->in + 1 + c->n_lead, in + 1, (size_t)(n_in - 1) * sizeof *in);
  for (int b = 0; b < s->n; b++)
    for (uint32_t k = 0; k < s->branches[b]->n_consts; k++, at++) {
      c->in[1 + at] = sec_capture_value(s->branches[b], k);
      c->lead[at] = sec_capture_aval(s->branches[b], k);
    }
  at = 0;
  for (int b = 0; b < s->n; at += (int)s->branches[b]->n_consts, b++)
    SEC_TRY(
        sec_hoist_captures(s->branches[b], &(sec_hoist){c->lead, c->n_lead, at}, &c->bodies[b]));
  return SEC_OK;
}

static sec_status cond_bind(const sec_cond_spec *s, const sec_value *in, int n_in, sec_value *out) {
  const sec_params *p =
      sec_params_make(s->branches[0]->cx, SEC_PARAMS(SEC_P_JAXPRS("branches", s->branches, s->n)));
  return p ? sec_bind(&sec_cond_p, in, n_in, p, out, (int)s->branches[0]->n_out) : SEC_MEMORY;
}

sec_status sec_bind_cond(const sec_cond_spec *s, const sec_value *in, int n_in, sec_value *out) {
  int n_lead = 0;
  for (int b = 0; b < s->n; b++) n_lead += (int)s->branches[b]->n_consts;
  if (n_lead == 0) return cond_bind(s, in, n_in, out);
  cond_parts c = {.arena = sec_arena_create(s->branches[0]->cx), .n_lead = n_lead};
  sec_status status = c.arena ? cond_hoist(&c, s, in, n_in) : SEC_MEMORY;
  if (status == SEC_OK)
    status = cond_bind(&(sec_cond_spec){c.bodies, s->n}, c.in, n_in + n_lead, out);
  for (int b = 0; c.bodies && b < s->n; b++) sec_jaxpr_release(c.bodies[b]);
  if (c.arena) sec_arena_destroy(c.arena);
  return status;
}

static sec_status poisoned(sec_value *out, int n, sec_status status) {
  for (int i = 0; i < n; i++) out[i] = SEC_VALUE_POISON;
  return status;
}

/* A bool counts as 0 or 1; an integer is clamped to the branches there are. */
static sec_value branch_index(sec_value which, int n) {
  const sec_aval *a = sec_value_aval(which);
  if (!a) return SEC_VALUE_POISON;
  sec_kind kind = sec_dtype_kind(a->dtype);
  if (a->rank != 0 || kind > SEC_KIND_UINT) {
    sec_error_set(SEC_TYPE, "compare it with something, or convert it to i32",
                  "cond: the predicate is %s, but must be a bool or integer scalar", a->text);
    return SEC_VALUE_POISON;
  }
  if (kind == SEC_KIND_BOOL) return sec_convert(which, SEC_I32, false);
  if (a->dtype != SEC_I32) {
    which = sec_clamp(sec_literal_of(a->dtype, false, 0, 0), which,
                      sec_literal_of(a->dtype, false, 0, n - 1));
    return sec_convert(which, SEC_I32, false);
  }
  return sec_clamp(sec_literal_of(SEC_I32, false, 0, 0), which,
                   sec_literal_of(SEC_I32, false, 0, n - 1));
}

sec_status sec_cond(sec_value which, sec_jaxpr *const *branches, int n_branches,
                    const sec_value *in, int n_in, sec_value *out) {
  if (n_branches < 1 || !branches[0])
    return sec_error_set(SEC_ARGUMENT, "give at least one branch", "cond: there are no branches");
  int n_out = (int)branches[0]->n_out;
  sec_value *all = sec_alloc(branches[0]->cx, (size_t)(n_in + 1) * sizeof *all);
  if (!all) return poisoned(out, n_out, SEC_MEMORY);
  all[0] = branch_index(which, n_branches);
  for (int i = 0; i < n_in; i++)
    all[i + 1] = i < (int)branches[0]->n_in ? sec_fit_weak(in[i], branches[0]->avals[i]) : in[i];
  sec_status status = sec_value_ok(all[0]) ? sec_bind_cond(&(sec_cond_spec){branches, n_branches},
                                                           all, n_in + 1, out)
                                           : sec_error_status(NULL);
  sec_free(branches[0]->cx, all);
  return status == SEC_OK ? SEC_OK : poisoned(out, n_out, status);
}

/* ---- while ---- */
sec_while_spec sec_while_read(const sec_params *p) {
  return (sec_while_spec){sec_params_jaxpr(p, "cond_jaxpr"), sec_params_jaxpr(p, "body_jaxpr"),
                          (int)sec_params_int(p, "cond_nconsts"),
                          (int)sec_params_int(p, "body_nconsts")};
}

const sec_params *sec_while_params(const sec_while_spec *s) {
  return sec_params_make(s->body->cx, SEC_PARAMS(SEC_P_JAXPR("cond_jaxpr", s->cond),
                                                 SEC_P_JAXPR("body_jaxpr", s->body),
                                                 SEC_P_INT("cond_nconsts", s->n_cond_consts),
                                                 SEC_P_INT("body_nconsts", s->n_body_consts)));
}

static sec_status while_type(sec_typing *t) {
  sec_while_spec s = sec_while_read(t->params);
  if (!s.cond || !s.body) return no_body(t, s.cond ? "body_jaxpr" : "cond_jaxpr");
  int n_consts = s.n_cond_consts + s.n_body_consts, n_carry = t->n_in - n_consts;
  if (s.n_cond_consts < 0 || s.n_body_consts < 0 || n_carry < 0 ||
      (int)s.cond->n_in != s.n_cond_consts + n_carry ||
      (int)s.body->n_in != s.n_body_consts + n_carry || (int)s.body->n_out != n_carry ||
      s.cond->n_consts || s.body->n_consts)
    return sec_type_error(
        t, SEC_ARGUMENT, "the condition and the body take their constants and the whole carry",
        "%d operands with %d and %d constants do not fit a condition of %u inputs and a body of %u "
        "inputs and %u results",
        t->n_in, s.n_cond_consts, s.n_body_consts, s.cond->n_in, s.body->n_in, s.body->n_out);
  SEC_TRY(sec_type_inputs(t, s.cond, 0, 0, s.n_cond_consts, "condition constant"));
  SEC_TRY(sec_type_inputs(t, s.body, s.n_cond_consts, 0, s.n_body_consts, "body constant"));
  SEC_TRY(sec_type_inputs(t, s.cond, n_consts, s.n_cond_consts, n_carry, "carry"));
  SEC_TRY(sec_type_inputs(t, s.body, n_consts, s.n_body_consts, n_carry, "carry"));
  const sec_aval *test = s.cond->n_out == 1 ? sec_ref_aval(s.cond, s.cond->outs[0]) : NULL;
  if (!test || test->dtype != SEC_BOOL || test->rank != 0)
    return sec_type_error(t, SEC_TYPE, "return one comparison of scalars",
                          "the condition returns %s, but must return bool[]",
                          test ? test->text : "several results");
  SEC_TRY(sec_type_n_results(t, n_carry));
  for (int i = 0; i < n_carry; i++) {
    const sec_aval *out = sec_ref_aval(s.body, s.body->outs[i]),
                   *in = s.body->avals[s.n_body_consts + i];
    if (!sec_fits(out, in))
      return sec_type_error(t, SEC_TYPE, "return every carry with the type that it came in with",
                            "carry %d has type %s, but the body returns %s", i, in->text,
                            out->text);
    t->out[i] = join_weak(t->cx, out, in);
    if (!t->out[i]) return SEC_MEMORY;
  }
  return SEC_OK;
}

/* Asks the condition, given its constants and the carry. */
static sec_status while_goes_on(const sec_while_spec *s, sec_array **in, bool *go_on) {
  sec_array *test;
  SEC_TRY(sec_jaxpr_eval(s->cond, in, &test));
  *go_on = sec_get_i(test, 0) != 0;
  sec_array_release(test);
  return SEC_OK;
}

/* for_cond, for_body: constants, then the carry, which stands in both and is counted once. */
static sec_status while_run(const sec_while_spec *s, sec_array **for_cond, sec_array **for_body,
                            sec_array **next) {
  sec_array **cond_carry = for_cond + s->n_cond_consts, **body_carry = for_body + s->n_body_consts;
  for (bool go_on;;) {
    SEC_TRY(while_goes_on(s, for_cond, &go_on));
    if (!go_on) return SEC_OK;
    SEC_TRY(sec_jaxpr_eval(s->body, for_body, next));
    for (uint32_t i = 0; i < s->body->n_out; i++) {
      sec_array_release(body_carry[i]);
      cond_carry[i] = body_carry[i] = next[i];
    }
  }
}

static sec_status while_eval(const sec_eval *e) {
  sec_while_spec s = sec_while_read(e->params);
  int n_consts = s.n_cond_consts + s.n_body_consts, n_carry = e->n_out;
  sec_array **room = sec_alloc(e->cx, (size_t)(n_consts + 3 * n_carry + 1) * sizeof *room);
  if (!room) return SEC_MEMORY;
  sec_array **for_body = room + s.n_cond_consts + n_carry, **carry = for_body + s.n_body_consts;
  for (int i = 0; i < s.n_cond_consts; i++) room[i] = e->in[i];
  for (int i = 0; i < s.n_body_consts; i++) for_body[i] = e->in[s.n_cond_consts + i];
  for (int i = 0; i < n_carry; i++)
    room[s.n_cond_consts + i] = carry[i] = sec_array_retain(e->in[n_consts + i]);
  sec_status status = while_run(&s, room, for_body, carry + n_carry);
  for (int i = 0; i < n_carry; i++) {
    if (status == SEC_OK) sec_eval_move(e->out[i], carry[i]);
    else sec_array_release(carry[i]);
  }
  sec_free(e->cx, room);
  return status;
}

SEC_PRIMITIVE(while, .doc = "Runs a body on a carry as long as a condition on it holds.",
              .variadic = true, .operands = {"carry"}, .type = while_type, .eval = while_eval,
              .jvp_all = sec_while_jvp, .transpose_all = sec_while_transpose,
              .batch = sec_while_batch, .partial = sec_while_partial, .form = SEC_FORM_CONTROL)

static sec_status while_bind(const sec_while_spec *s, const sec_value *in, int n_in,
                             sec_value *out) {
  const sec_params *p = sec_while_params(s);
  return p ? sec_bind(&sec_while_p, in, n_in, p, out, (int)s->body->n_out) : SEC_MEMORY;
}

/* Captures of one body as new leading inputs, its values at in[]. */
static sec_status hoist_one(const sec_jaxpr *j, sec_value *in, sec_jaxpr **out) {
  const sec_aval **lead = sec_alloc(j->cx, (j->n_consts + 1) * sizeof *lead);
  if (!lead) return SEC_MEMORY;
  for (uint32_t k = 0; k < j->n_consts; k++) {
    in[k] = sec_capture_value(j, k);
    lead[k] = sec_capture_aval(j, k);
  }
  sec_status status = sec_hoist_captures(j, &(sec_hoist){lead, (int)j->n_consts, 0}, out);
  sec_free(j->cx, lead);
  return status;
}

sec_status sec_bind_while(const sec_while_spec *s, const sec_value *in, int n_in, sec_value *out) {
  int n_cond = (int)s->cond->n_consts, n_body = (int)s->body->n_consts;
  if (n_cond + n_body == 0) return while_bind(s, in, n_in, out);
  if (s->n_cond_consts > n_in)
    return sec_error_set(SEC_ARGUMENT, NULL, "while: %d operands are too few", n_in);
  sec_while_spec closed = {NULL, NULL, s->n_cond_consts + n_cond, s->n_body_consts + n_body};
  sec_value *all = sec_alloc(s->body->cx, (size_t)(n_in + n_cond + n_body + 1) * sizeof *all);
  sec_value *at_body = all ? all + closed.n_cond_consts : NULL;
  sec_status status = all ? hoist_one(s->cond, all, &closed.cond) : SEC_MEMORY;
  if (status == SEC_OK) status = hoist_one(s->body, at_body, &closed.body);
  if (status == SEC_OK) {
    for (int i = 0; i < n_in; i++)
      *(i < s->n_cond_consts ? all + n_cond + i : at_body + n_body + i - s->n_cond_consts) = in[i];
    status = while_bind(&closed, all, n_in + n_cond + n_body, out);
  }
  sec_jaxpr_release(closed.cond);
  sec_jaxpr_release(closed.body);
  sec_free(s->body->cx, all);
  return status;
}

sec_status sec_while(sec_jaxpr *cond, int n_cond_consts, sec_jaxpr *body, int n_body_consts,
                     const sec_value *in, int n_in, sec_value *out) {
  int n_out = (int)body->n_out, n_consts = n_cond_consts + n_body_consts;
  sec_value *all = sec_alloc(body->cx, (size_t)(n_in + 1) * sizeof *all);
  if (!all) return poisoned(out, n_out, SEC_MEMORY);
  for (int i = 0; i < n_in; i++) {
    int at = i - n_consts + n_body_consts; /* a carry's place in the body */
    all[i] = i >= n_consts && at < (int)body->n_in ? sec_fit_weak(in[i], body->avals[at]) : in[i];
  }
  sec_status status =
      sec_bind_while(&(sec_while_spec){cond, body, n_cond_consts, n_body_consts}, all, n_in, out);
  sec_free(body->cx, all);
  return status == SEC_OK ? SEC_OK : poisoned(out, n_out, status);
}
