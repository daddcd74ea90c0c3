/* scan: a loop of known length over the leading axis of arrays, with a carry.
 *   (consts, carry, xs) -> (carry, ys),  body: (consts, carry, x) -> (carry, y)
 * Types, evaluation and the public function; the rules of the transforms are in transforms/rules_scan.c. */
#include "control_rules.h"
#include <string.h>

sec_scan_spec sec_scan_read(const sec_params *p) {
  return (sec_scan_spec){sec_params_jaxpr(p, "jaxpr"), (int)sec_params_int(p, "num_consts"),
                         (int)sec_params_int(p, "num_carry"), sec_params_int(p, "length"),
                         sec_params_int(p, "reverse") != 0};
}

const sec_params *sec_scan_params(const sec_scan_spec *s) {
  return sec_params_make(s->body->cx,
                         SEC_PARAMS(SEC_P_JAXPR("jaxpr", s->body), SEC_P_INT("length", s->length),
                                    SEC_P_INT("num_carry", s->n_carry),
                                    SEC_P_INT("num_consts", s->n_consts),
                                    SEC_P_BOOL("reverse", s->reverse)));
}

static sec_status scan_counts(const sec_typing *t, const sec_scan_spec *s) {
  if (!s->body)
    return sec_type_error(t, SEC_ARGUMENT, "give the body as a jaxpr",
                          "parameter jaxpr is missing");
  bool fits = s->n_consts >= 0 && s->n_carry >= 0 && s->length >= 0 &&
              (int)s->body->n_in == t->n_in && s->n_consts + s->n_carry <= t->n_in &&
              s->n_carry <= (int)s->body->n_out && !s->body->n_consts;
  if (fits) return SEC_OK;
  return sec_type_error(
      t, SEC_ARGUMENT,
      "the body takes constants, carry and one slice of each xs, and returns carry and ys",
      "%d operands, %d of them constants and %d carry, do not fit a body of %u inputs and %u "
      "results over length %lld",
      t->n_in, s->n_consts, s->n_carry, s->body->n_in, s->body->n_out, (long long)s->length);
}

static sec_status scan_xs_type(const sec_typing *t, const sec_scan_spec *s) {
  for (int i = s->n_consts + s->n_carry; i < t->n_in; i++) {
    const sec_aval *xs = t->in[i], *x = s->body->avals[i];
    int k = i - s->n_consts - s->n_carry;
    if (xs->rank == 0 || xs->dims[0] != s->length)
      return sec_type_error(
          t, SEC_SHAPE, "all xs have the length of the scan as their leading axis",
          "xs %d has type %s, but the scan has length %lld", k, xs->text, (long long)s->length);
    if (xs->dtype != x->dtype || xs->rank != x->rank + 1 ||
        memcmp(xs->dims + 1, x->dims, (size_t)x->rank * sizeof *x->dims) != 0)
      return sec_type_error(t, SEC_TYPE, "trace the body with one slice of it",
                            "xs %d has type %s, but the body takes slices %s", k, xs->text,
                            x->text);
  }
  return SEC_OK;
}

static const sec_aval *stacked(const sec_typing *t, const sec_aval *y, int64_t length) {
  int64_t dims[SEC_MAX_RANK + 1] = {length};
  memcpy(dims + 1, y->dims, (size_t)y->rank * sizeof *dims);
  return sec_aval_get(t->cx, y->dtype, y->weak, y->rank + 1, dims);
}

static sec_status scan_type(sec_typing *t) {
  sec_scan_spec s = sec_scan_read(t->params);
  SEC_TRY(scan_counts(t, &s));
  SEC_TRY(sec_type_inputs(t, s.body, 0, 0, s.n_consts, "constant"));
  SEC_TRY(sec_type_inputs(t, s.body, s.n_consts, s.n_consts, s.n_carry, "carry"));
  SEC_TRY(scan_xs_type(t, &s));
  SEC_TRY(sec_type_n_results(t, (int)s.body->n_out));
  for (int i = 0; i < t->n_out; i++) {
    const sec_aval *out = sec_ref_aval(s.body, s.body->outs[i]);
    if (i >= s.n_carry) {
      t->out[i] = stacked(t, out, s.length);
    } else {
      const sec_aval *in = s.body->avals[s.n_consts + i];
      if (!sec_fits(out, in))
        return sec_type_error(
            t, SEC_TYPE,
            "return every carry with the type that it came in with, or convert the initial value",
            "carry %d has type %s, but the body returns %s", i, in->text, out->text);
      t->out[i] = in->weak ? out : in;
    }
    if (!t->out[i]) return sec_error_status(NULL);
  }
  return SEC_OK;
}

/* ---- evaluation ---- */
/* Slice `step` of an array along its leading axis, as an array of the body's type. */
static sec_array *slice_of(const sec_array *xs, const sec_aval *type, sec_context *cx,
                           int64_t step) {
  sec_array *x = sec_array_create_aval(cx, type);
  if (x) memcpy(x->data, (const char *)xs->data + (size_t)step * x->bytes, x->bytes);
  return x;
}

/* One step: in[] holds the constants and the carry (counted); the slices are made and freed here. */
static sec_status scan_step(const sec_eval *e, const sec_scan_spec *s, int64_t step, sec_array **in,
                            sec_array **next) {
  int first = s->n_consts + s->n_carry;
  sec_status status = SEC_OK;
  for (int i = first; i < e->n_in; i++) {
    in[i] = slice_of(e->in[i], s->body->avals[i], e->cx, step);
    if (!in[i]) status = SEC_MEMORY;
  }
  if (status == SEC_OK) status = sec_jaxpr_eval(s->body, in, next);
  for (int i = first; i < e->n_in; i++) sec_array_release(in[i]);
  for (int i = 0; i < e->n_out && status == SEC_OK; i++) {
    if (i < s->n_carry) {
      sec_array_release(in[s->n_consts + i]);
      in[s->n_consts + i] = next[i];
    } else {
      memcpy((char *)e->out[i]->data + (size_t)step * next[i]->bytes, next[i]->data,
             next[i]->bytes);
      sec_array_release(next[i]);
    }
  }
  return status;
}

static sec_status scan_eval(const sec_eval *e) {
  sec_scan_spec s = sec_scan_read(e->params);
  sec_array **in = sec_alloc(e->cx, (size_t)(e->n_in + e->n_out + 1) * sizeof *in);
  sec_status status = in ? SEC_OK : SEC_MEMORY;
  if (!in) return status;
  for (int i = 0; i < s.n_consts; i++) in[i] = e->in[i];
  for (int i = 0; i < s.n_carry; i++) in[s.n_consts + i] = sec_array_retain(e->in[s.n_consts + i]);
  for (int64_t k = 0; k < s.length && status == SEC_OK; k++)
    status = scan_step(e, &s, s.reverse ? s.length - 1 - k : k, in, in + e->n_in);
  for (int i = 0; i < s.n_carry; i++) {
    if (status == SEC_OK) sec_eval_move(e->out[i], in[s.n_consts + i]);
    else sec_array_release(in[s.n_consts + i]);
  }
  sec_free(e->cx, in);
  return status;
}

SEC_PRIMITIVE(scan, .doc = "Loops over the leading axis of arrays with a carry; stacks results.",
              .variadic = true, .operands = {"operand"}, .type = scan_type, .eval = scan_eval,
              .jvp_all = sec_scan_jvp, .transpose_all = sec_scan_transpose,
              .batch = sec_scan_batch, .partial = sec_scan_partial, .form = SEC_FORM_CONTROL)

/* ---- functions ---- */
static sec_status scan_bind(const sec_scan_spec *s, const sec_value *in, int n_in, sec_value *out) {
  const sec_params *p = sec_scan_params(s);
  return p ? sec_bind(&sec_scan_p, in, n_in, p, out, (int)s->body->n_out) : SEC_MEMORY;
}

sec_status sec_bind_scan(const sec_scan_spec *s, const sec_value *in, int n_in, sec_value *out) {
  const sec_jaxpr *body = s->body;
  int n = (int)body->n_consts;
  if (n == 0) return scan_bind(s, in, n_in, out);
  sec_scan_spec closed = *s;
  sec_value *all = sec_alloc(body->cx, (size_t)(n_in + n + 1) * sizeof *all);
  const sec_aval **lead = sec_alloc(body->cx, (size_t)(n + 1) * sizeof *lead);
  sec_status status = all && lead ? SEC_OK : SEC_MEMORY;
  closed.body = NULL;
  closed.n_consts += n;
  for (int i = 0; i < n_in + n && status == SEC_OK; i++) {
    all[i] = i < n ? sec_capture_value(body, (uint32_t)i) : in[i - n];
    if (i < n) lead[i] = sec_capture_aval(body, (uint32_t)i);
  }
  if (status == SEC_OK) status = sec_hoist_captures(body, &(sec_hoist){lead, n, 0}, &closed.body);
  if (status == SEC_OK) status = scan_bind(&closed, all, n_in + n, out);
  sec_jaxpr_release(closed.body);
  sec_free(body->cx, all);
  sec_free(body->cx, lead);
  return status;
}

sec_status sec_scan(sec_jaxpr *body, int n_consts, int n_carry, int64_t length, bool reverse,
                    const sec_value *in, int n_in, sec_value *out) {
  sec_value *all = sec_alloc(body->cx, (size_t)(n_in + 1) * sizeof *all);
  sec_status status = all ? SEC_OK : SEC_MEMORY;
  for (int i = 0; i < n_in && status == SEC_OK; i++) {
    bool is_carry = i >= n_consts && i < n_consts + n_carry && i < (int)body->n_in;
    all[i] = is_carry ? sec_fit_weak(in[i], body->avals[i]) : in[i];
  }
  if (status == SEC_OK)
    status =
        sec_bind_scan(&(sec_scan_spec){body, n_consts, n_carry, length, reverse}, all, n_in, out);
  for (uint32_t i = 0; i < body->n_out && status != SEC_OK; i++) out[i] = SEC_VALUE_POISON;
  sec_free(body->cx, all);
  return status;
}
