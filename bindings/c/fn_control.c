/* Loops and branches over C functions: bodies are traced here; what they capture from enclosing
 * traces becomes operands when the equation is bound. */
#include "fn_node.h"
#include "memory.h"
#include <string.h>

/* ---- carries ---- */
/* A body whose carry keeps its type: where the carry is weak and the result is not, the carry takes
 * the result's type; where only weakness differs the result is converted. */
typedef struct carried {
  sec_context     *cx;
  const char      *name;
  sec_fn_body      body;
  void            *user;
  int              n_in, n_out, n_carry;
  const sec_aval **avals; /* of the inputs; the carry stands in front */
} carried;

static void carried_body(const sec_value *in, sec_value *out, void *user) {
  carried *c = user;
  c->body(in, out, c->user);
  for (int i = 0; i < c->n_carry; i++) {
    const sec_aval *given = sec_value_ok(out[i]) ? sec_value_aval(out[i]) : NULL,
                   *want = c->avals[i];
    if (given && given != want && strcmp(sec_aval_text(given), sec_aval_text(want)) == 0)
      out[i] = sec_convert(out[i], want->dtype, want->weak);
  }
}

/* The carry's new type, or an error. */
static sec_status settle(carried *c, int i, const sec_aval *given) {
  const sec_aval *want = c->avals[i];
  bool            same_shape =
      given->rank == want->rank && memcmp(given->dims, want->dims, (size_t)want->rank * 8) == 0;
  if (!same_shape || !want->weak)
    return sec_error_set(same_shape ? SEC_TYPE : SEC_SHAPE,
                         "give the carry one type: convert the start value or the result",
                         "%s: carry %d goes in as %s and comes out as %s", c->name, i,
                         sec_aval_text(want), sec_aval_text(given));
  c->avals[i] = given;
  return SEC_OK;
}

static sec_status trace_carried(carried *c, sec_jaxpr **out) {
  for (bool settled = false; !settled;) {
    SEC_TRY(sec_fn_trace_body(c->cx, c->name, carried_body, c, c->avals, c->n_in, c->n_out, out));
    settled = true;
    for (int i = 0; i < c->n_carry; i++) {
      const sec_aval *given = sec_jaxpr_out_aval(*out, i);
      if (given == c->avals[i]) continue;
      sec_status status = settle(c, i, given);
      if (status == SEC_OK && settled) settled = false;
      if (status != SEC_OK) {
        sec_jaxpr_release(*out);
        *out = NULL;
        return status;
      }
    }
    if (!settled) sec_jaxpr_release(*out);
  }
  return SEC_OK;
}

static sec_context *current_context(const char *who) {
  sec_trace *t = sec_trace_current();
  if (!t)
    sec_error_set(SEC_NO_TRACE, "call it inside a function that is being traced",
                  "%s: no trace is open", who);
  return t ? sec_trace_context(t) : NULL;
}

static sec_status poison(sec_value *out, int n) {
  for (int i = 0; i < n; i++) out[i] = SEC_VALUE_POISON;
  return sec_error_status(NULL);
}

static sec_status value_types(const char *who, const sec_value *in, int n, const sec_aval **avals) {
  for (int i = 0; i < n; i++)
    if (!(avals[i] = sec_value_aval(in[i])))
      return sec_error_set(SEC_ARGUMENT, "set it before it is used", "%s: operand %d has no value",
                           who, i);
  return SEC_OK;
}

/* ---- scan ---- */
static sec_status slice_types(sec_context *cx, const sec_aval **avals, int from, int n,
                              int64_t *length) {
  for (int i = from; i < n; i++) {
    const sec_aval *a = avals[i];
    if (a->rank == 0)
      return sec_error_set(SEC_SHAPE, "scan slices axis 0 of every x",
                           "scan: x %d is %s, it has no axis", i - from, sec_aval_text(a));
    if (*length >= 0 && a->dims[0] != *length)
      return sec_error_set(SEC_SHAPE, "give all xs the same first axis, and the length",
                           "scan: x %d is %s, expected %lld slices", i - from, sec_aval_text(a),
                           (long long)*length);
    *length = a->dims[0];
    avals[i] = sec_aval_get(cx, a->dtype, a->weak, a->rank - 1, a->dims + 1);
    if (!avals[i]) return sec_error_status(cx);
  }
  if (*length >= 0) return SEC_OK;
  return sec_error_set(SEC_ARGUMENT, "pass the number of steps",
                       "scan: there are no xs, and length is negative");
}

static sec_status scan_with(carried *c, int64_t length, bool reverse, const sec_value *in,
                            sec_value *out) {
  sec_jaxpr *j = NULL;
  SEC_TRY(value_types("scan", in, c->n_in, c->avals));
  SEC_TRY(slice_types(c->cx, c->avals, c->n_carry, c->n_in, &length));
  SEC_TRY(trace_carried(c, &j));
  sec_status status = sec_scan(j, 0, c->n_carry, length, reverse, in, c->n_in, out);
  sec_jaxpr_release(j);
  return status;
}

sec_status sec_scan_fn(sec_fn_body body, void *user, int n_carry, int n_xs, int n_ys,
                       int64_t length, bool reverse, const sec_value *carry_and_xs,
                       sec_value *out) {
  sec_context *cx = current_context("scan");
  if (!cx) return poison(out, n_carry + n_ys);
  carried c = {.cx = cx,
               .name = "scan",
               .body = body,
               .user = user,
               .n_in = n_carry + n_xs,
               .n_out = n_carry + n_ys,
               .n_carry = n_carry};
  c.avals = sec_alloc(cx, ((size_t)c.n_in + 1) * sizeof *c.avals);
  sec_status status = c.avals ? scan_with(&c, length, reverse, carry_and_xs, out) : SEC_MEMORY;
  sec_free(cx, c.avals);
  return status == SEC_OK ? SEC_OK : poison(out, n_carry + n_ys);
}

/* ---- while ---- */
static sec_status while_with(carried *c, sec_fn_body cond, const sec_value *carry, sec_value *out) {
  sec_jaxpr *step = NULL, *test = NULL;
  SEC_TRY(value_types("while", carry, c->n_carry, c->avals));
  sec_status status = trace_carried(c, &step);
  if (status == SEC_OK)
    status = sec_fn_trace_body(c->cx, "while", cond, c->user, c->avals, c->n_carry, 1, &test);
  if (status == SEC_OK) status = sec_while(test, 0, step, 0, carry, c->n_carry, out);
  sec_jaxpr_release(test);
  sec_jaxpr_release(step);
  return status;
}

sec_status sec_while_fn(sec_fn_body cond, sec_fn_body body, void *user, int n_carry,
                        const sec_value *carry, sec_value *out) {
  sec_context *cx = current_context("while");
  if (!cx) return poison(out, n_carry);
  carried c = {.cx = cx,
               .name = "while",
               .body = body,
               .user = user,
               .n_in = n_carry,
               .n_out = n_carry,
               .n_carry = n_carry};
  c.avals = sec_alloc(cx, ((size_t)n_carry + 1) * sizeof *c.avals);
  sec_status status = c.avals ? while_with(&c, cond, carry, out) : SEC_MEMORY;
  sec_free(cx, c.avals);
  return status == SEC_OK ? SEC_OK : poison(out, n_carry);
}

/* ---- fori: a scan when the bounds are literals, so that it can be transposed; else a while ----
 */
typedef struct fori {
  sec_fn_body body;
  void       *user;
  int         n_carry;
} fori;

/* (i, carry...) -> (i + 1, carry...) */
static void fori_scan_body(const sec_value *in, sec_value *out, void *user) {
  const fori *f = user;
  f->body(in, out + 1, f->user);
  out[0] = sec_add(in[0], sec_scalar_int(1));
}

/* (i, upper, carry...) */
static void fori_while_body(const sec_value *in, sec_value *out, void *user) {
  const fori *f = user;
  sec_value  *args = sec_mem_alloc(((size_t)f->n_carry + 1) * sizeof *args);
  if (!args) {
    sec_error_set(SEC_MEMORY, NULL, "out of memory: a loop could not be traced");
    return;
  }
  args[0] = in[0];
  memcpy(args + 1, in + 2, (size_t)f->n_carry * sizeof *args);
  f->body(args, out + 2, f->user);
  out[0] = sec_add(in[0], sec_scalar_int(1));
  out[1] = in[1];
  sec_mem_free(args);
}
static void fori_while_cond(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_lt(in[0], in[1]);
}

static sec_status fori_with(fori *f, sec_value lower, sec_value upper, const sec_value *carry,
                            sec_value *values) {
  const sec_literal *lo = sec_value_literal(lower), *hi = sec_value_literal(upper);
  sec_value         *in = values, *out = values + f->n_carry + 2;
  if (lo && hi) {
    int64_t length = hi->i > lo->i ? hi->i - lo->i : 0;
    in[0] = sec_convert(lower, lo->aval->dtype, false);
    memcpy(in + 1, carry, (size_t)f->n_carry * sizeof *in);
    SEC_TRY(sec_scan_fn(fori_scan_body, f, f->n_carry + 1, 0, 0, length, false, in, out + 1));
    return SEC_OK;
  }
  bool            weak;
  const sec_aval *a = sec_value_aval(lower), *b = sec_value_aval(upper);
  if (!a || !b) return sec_error_status(NULL);
  sec_dtype dtype = sec_dtype_promote(sec_trace_context(sec_trace_current()), a->dtype, a->weak,
                                      b->dtype, b->weak, &weak);
  in[0] = sec_convert(lower, dtype, false);
  in[1] = sec_convert(upper, dtype, false);
  memcpy(in + 2, carry, (size_t)f->n_carry * sizeof *in);
  return sec_while_fn(fori_while_cond, fori_while_body, f, f->n_carry + 2, in, out);
}

sec_status sec_fori_fn(sec_value lower, sec_value upper, sec_fn_body body, void *user, int n_carry,
                       const sec_value *carry, sec_value *out) {
  sec_context *cx = current_context("fori");
  if (!cx) return poison(out, n_carry);
  fori       f = {body, user, n_carry};
  sec_value *values = sec_alloc(cx, 2 * ((size_t)n_carry + 2) * sizeof *values);
  sec_status status = values ? fori_with(&f, lower, upper, carry, values) : SEC_MEMORY;
  if (status == SEC_OK) memcpy(out, values + n_carry + 4, (size_t)n_carry * sizeof *out);
  sec_free(cx, values);
  return status == SEC_OK ? SEC_OK : poison(out, n_carry);
}

/* ---- cond ---- */
/* Results of all branches have one dtype and shape; weakness may differ. */
static sec_status agree(const sec_jaxpr *first, const sec_jaxpr *other, int branch) {
  for (int i = 0; i < sec_jaxpr_n_out(first); i++) {
    const sec_aval *a = sec_jaxpr_out_aval(first, i), *b = sec_jaxpr_out_aval(other, i);
    if (strcmp(sec_aval_text(a), sec_aval_text(b)) != 0)
      return sec_error_set(a->dtype == b->dtype ? SEC_SHAPE : SEC_TYPE,
                           "give every branch the same result types",
                           "cond: result %d is %s in branch 0 and %s in branch %d", i,
                           sec_aval_text(a), sec_aval_text(b), branch);
  }
  return SEC_OK;
}

static sec_status cond_with(sec_context *cx, sec_value which, const sec_fn_body *bodies, void *user,
                            const sec_value *in, int n_in, sec_value *out, int n_out,
                            sec_jaxpr **branches, int n_branches) {
  const sec_aval **types = sec_alloc(cx, ((size_t)n_in + 1) * sizeof *types);
  sec_status       status = types ? value_types("cond", in, n_in, types) : SEC_MEMORY;
  for (int k = 0; k < n_branches && status == SEC_OK; k++) {
    status = sec_fn_trace_body(cx, "branch", bodies[k], user, types, n_in, n_out, &branches[k]);
    if (status == SEC_OK) status = agree(branches[0], branches[k], k);
  }
  if (status == SEC_OK) status = sec_cond(which, branches, n_branches, in, n_in, out);
  sec_free(cx, types);
  return status;
}

sec_status sec_cond_fn(sec_value which, const sec_fn_body *bodies, int n_branches, void *user,
                       int n_in, int n_out, const sec_value *in, sec_value *out) {
  sec_context *cx = current_context("cond");
  if (!cx) return poison(out, n_out);
  size_t      bytes = ((size_t)n_branches + 1) * sizeof(sec_jaxpr *);
  sec_jaxpr **branches = sec_alloc(cx, bytes);
  sec_status  status = SEC_MEMORY;
  if (branches) {
    memset(branches, 0, bytes);
    status = cond_with(cx, which, bodies, user, in, n_in, out, n_out, branches, n_branches);
    for (int k = 0; k < n_branches; k++) sec_jaxpr_release(branches[k]);
  }
  sec_free(cx, branches);
  return status == SEC_OK ? SEC_OK : poison(out, n_out);
}
