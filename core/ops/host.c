/* host_call: a function of the host program runs in the middle of compiled code (JAX's
 * pure_callback); io_call: one that runs for what it does (io_callback, debug.callback), so that it
 * is neither removed nor merged, and stays in the order of its calls.  They have no
 * derivative of their own: the function around gets one by custom_jvp or custom_vjp.  vmap runs them
 * lane after lane, unless they are elementwise. */
#include "structure.h"
#include <secant/callable.h>

enum { MAX_OUT = 16, MAX_IN = SEC_HOST_BUFFERS - MAX_OUT };

SEC_DECLARE_PRIMITIVE(host_call)

static sec_callable *function_of(const sec_params *p) {
  const sec_param *q = sec_params_find(p, "callback");
  return q != NULL && q->kind == SEC_PARAM_FN ? q->u.fn : NULL;
}

sec_status sec_host_run(sec_callable *host, const void *const *in, void *const *out,
                        const sec_aval *const *types) {
  if (host->run == NULL)
    return sec_error_set(SEC_CALLBACK, "make it with sec_host_create",
                         "host_call: %s is no function of this program", host->name);
  int code = host->run(host->user, in, out, types);
  if (code == 0) return SEC_OK;
  return sec_error_set(SEC_CALLBACK, NULL, "host_call: %s failed with code %d", host->name, code);
}

/* ---- rules ---- */
static sec_status host_type(sec_typing *t) {
  const int64_t *dtypes, *const *shapes;
  const int *ranks;
  int n, count;
  if (function_of(t->params) == NULL)
    return sec_type_error(t, SEC_ARGUMENT, NULL, "parameter callback is no function");
  SEC_TRY(sec_type_intss(t, "shapes", &shapes, &ranks, &count));
  const sec_param *types = sec_params_find(t->params, "dtypes");
  n = types != NULL && types->kind == SEC_PARAM_INTS ? types->u.ints.n : -1;
  if (n != count || n > t->max_out || n > MAX_OUT || t->n_in > MAX_IN)
    return sec_type_error(t, SEC_ARGUMENT, "give dtypes and shapes one entry a result",
                          "%d operands, %d dtypes and %d shapes do not fit", t->n_in, n, count);
  dtypes = types->u.ints.v;
  t->n_out = 0;
  for (int i = 0; i < n; i++) {
    if (dtypes[i] < 0 || dtypes[i] >= SEC_N_DTYPES || ranks[i] > SEC_MAX_RANK)
      return sec_type_error(t, SEC_ARGUMENT, NULL, "result %d has no type", i);
    SEC_TRY(sec_type_gives_at(t, i, (sec_dtype)dtypes[i], false, ranks[i], shapes[i]));
  }
  return SEC_OK;
}

static sec_status host_eval(const sec_eval *e) {
  const sec_aval *types[MAX_IN + MAX_OUT];
  const void *in[MAX_IN];
  void *out[MAX_OUT];
  for (int i = 0; i < e->n_in; i++) {
    in[i] = e->in[i]->data;
    types[i] = e->in[i]->aval;
  }
  for (int i = 0; i < e->n_out; i++) {
    out[i] = e->out[i]->data;
    types[e->n_in + i] = e->out[i]->aval;
  }
  return sec_host_run(function_of(e->params), in, out, types);
}

/* Words: the function, the numbers of operands and results, their types.  What they point to lives
 * as long as the jaxpr and its context. */
static int host_meta(const sec_typing *t, int64_t *meta) {
  int n = 0;
  meta[n++] = (int64_t)(intptr_t)function_of(t->params);
  meta[n++] = t->n_in;
  meta[n++] = t->n_out;
  for (int i = 0; i < t->n_in; i++) meta[n++] = (int64_t)(intptr_t)t->in[i];
  for (int i = 0; i < t->n_out; i++) meta[n++] = (int64_t)(intptr_t)t->out[i];
  return n;
}

static const sec_params *host_params(sec_context *cx, sec_callable *host,
                                     const sec_aval *const *types, int n) {
  int64_t dtypes[MAX_OUT];
  const int64_t *shapes[MAX_OUT];
  int ranks[MAX_OUT];
  for (int i = 0; i < n; i++) {
    dtypes[i] = types[i]->dtype;
    shapes[i] = types[i]->dims;
    ranks[i] = types[i]->rank;
  }
  return sec_params_make(
      cx, SEC_PARAMS(SEC_P_FN("callback", host), SEC_P_INTS("dtypes", dtypes, n),
                     {.name = "shapes", .kind = SEC_PARAM_INTSS, .u.intss = {shapes, ranks, n}}));
}

/* One call for all lanes: operands get the mapped axis in front, scalars that all lanes share stay.
 */
static sec_status batch_at_once(sec_batch *b) {
  const sec_aval *lane = b->out_avals[0], *type;
  int64_t dims[SEC_LIST], front = 0;
  sec_value in[MAX_IN];
  sec_prepend(b->size, lane->dims, lane->rank, dims);
  for (int i = 0; i < b->n_in; i++) {
    bool scalar = b->in_avals[i]->rank == 0;
    in[i] = scalar && b->batched[i] ? sec_broadcast_in_dim(b->in[i], lane->rank + 1, dims, &front)
            : scalar                ? b->in[i]
                                    : sec_batch_operand(b, i);
  }
  type = sec_aval_get(b->cx, lane->dtype, false, lane->rank + 1, dims);
  const sec_params *p = type ? host_params(b->cx, function_of(b->params), &type, 1) : NULL;
  b->out_batched[0] = true;
  return p != NULL ? sec_bind(b->prim, in, b->n_in, p, b->out, 1) : sec_error_status(b->cx);
}

/* The call on one lane: inputs are the operands that all lanes share, then those that are mapped.
 */
static sec_status lane_body(const sec_batch *b, sec_jaxpr **out) {
  sec_value in[MAX_IN], results[MAX_OUT];
  sec_trace *t = sec_trace_begin(b->cx, b->prim->name);
  if (t == NULL) return sec_error_status(b->cx);
  for (int mapped = 0; mapped < 2; mapped++)
    for (int i = 0; i < b->n_in; i++)
      if (b->batched[i] == (mapped == 1)) in[i] = sec_trace_input_aval(t, b->in_avals[i]);
  sec_params_retain(b->params);
  sec_bind(b->prim, in, b->n_in, b->params, results, b->n_out);
  return sec_trace_end(t, results, b->n_out, out);
}

static sec_status host_batch(sec_batch *b) {
  sec_value in[MAX_IN];
  sec_jaxpr *body;
  int n = 0, n_shared = 0;
  if (function_of(b->params)->elementwise) return batch_at_once(b);
  for (int mapped = 0; mapped < 2; mapped++)
    for (int i = 0; i < b->n_in; i++)
      if (b->batched[i] == (mapped == 1)) in[n++] = b->in[i];
  for (int i = 0; i < b->n_in; i++) n_shared += !b->batched[i];
  for (int i = 0; i < b->n_out; i++) b->out_batched[i] = true;
  SEC_TRY(lane_body(b, &body));
  sec_status status = sec_scan(body, n_shared, 0, b->size, false, in, n, b->out);
  sec_jaxpr_release(body);
  return status;
}

/* Without floats among its results it has no tangent to give. */
static sec_status io_jvp(const sec_rule *r, const sec_value *in_dot, sec_value *out,
                         sec_value *out_dot) {
  bool floats = false, moved = false;
  for (int i = 0; i < r->n_out; i++) {
    floats |= sec_aval_is_float(r->out_avals[i]);
    out_dot[i] = SEC_VALUE_ZERO;
  }
  for (int i = 0; i < r->n_in; i++) moved |= !sec_value_is_zero(in_dot[i]);
  if (floats && moved)
    return sec_error_set(SEC_NO_RULE, "give the function around it a custom_jvp or custom_vjp rule",
                         "io_call: %s has no derivative", function_of(r->params)->name);
  sec_params_retain(r->params);
  return sec_bind(r->prim, r->in, r->n_in, r->params, out, r->n_out);
}

#define HOST                                                                                       \
  .variadic = true, .operands = {"operand"}, .type = host_type, .eval = host_eval,                 \
  .batch = host_batch, .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_host_call", .meta = host_meta

SEC_PRIMITIVE(host_call, .doc = "Calls a function of the host program on arrays.", HOST,
              .flags = SEC_FLAG_HOST)
SEC_PRIMITIVE(io_call, .doc = "Calls a function of the host program for its effects.", HOST,
              .jvp_all = io_jvp, .takes = SEC_TAKES_BITS, .flags = SEC_FLAG_HOST | SEC_FLAG_EFFECT)

static sec_status host_bind(const sec_primitive *prim, sec_callable *host, const sec_value *in,
                            int n_in, const sec_aval *const *out_types, int n_out, sec_value *out) {
  sec_context *cx = sec_current_context(prim->name);
  sec_status status = cx != NULL ? SEC_OK : SEC_NO_TRACE;
  for (int i = 0; i < n_out; i++) out[i] = SEC_VALUE_POISON;
  if (status == SEC_OK && (host == NULL || n_in > MAX_IN || n_out < 1 || n_out > MAX_OUT))
    status = sec_error_set(SEC_ARGUMENT, "pass a function made by sec_host_create",
                           "host_call: %s, %d operands of %d, %d results of 1 .. %d",
                           host ? host->name : "no function", n_in, MAX_IN, n_out, MAX_OUT);
  for (int i = 0; i < n_out && status == SEC_OK; i++)
    if (out_types[i] == NULL)
      status = sec_error_set(SEC_ARGUMENT, "make it with sec_aval_get",
                             "host_call: result %d of %s has no type", i, host->name);
  if (status != SEC_OK) return status;
  const sec_params *p = host_params(cx, host, out_types, n_out);
  return p != NULL ? sec_bind(prim, in, n_in, p, out, n_out) : SEC_MEMORY;
}

sec_status sec_host_call(sec_callable *host, const sec_value *in, int n_in,
                         const sec_aval *const *out_types, int n_out, sec_value *out) {
  return host_bind(&sec_host_call_p, host, in, n_in, out_types, n_out, out);
}

sec_status sec_io_call(sec_callable *host, const sec_value *in, int n_in,
                       const sec_aval *const *out_types, int n_out, sec_value *out) {
  return host_bind(&sec_io_call_p, host, in, n_in, out_types, n_out, out);
}
