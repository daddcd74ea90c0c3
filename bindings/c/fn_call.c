/* Call equations: the body of a function as one equation, for jit, checkpoint and the custom rules.
 */
#include "fn_node.h"

sec_status sec_fn_trace_call(sec_fn *f, const sec_aval *const *in, sec_fn_emit emit,
                             sec_jaxpr **out) {
  sec_jaxpr *body;
  SEC_TRY(sec_fn_trace(f->parent, in, &body));
  sec_value *values = sec_alloc(f->cx, (size_t)(f->n_in + f->n_out + 1) * sizeof *values);
  sec_trace *t = values ? sec_trace_begin(f->cx, f->name) : NULL;
  sec_status status = t ? SEC_OK : sec_error_status(f->cx);
  if (t) {
    for (int i = 0; i < f->n_in; i++) values[i] = sec_trace_input_aval(t, in[i]);
    status = emit(f, body, values, values + f->n_in);
    if (status == SEC_OK) status = sec_trace_end(t, values + f->n_in, f->n_out, out);
    else sec_trace_abandon(t);
  }
  sec_free(f->cx, values);
  sec_jaxpr_release(body);
  return status;
}

static sec_status emit_jit(sec_fn *f, sec_jaxpr *body, const sec_value *in, sec_value *out) {
  return sec_jit_call(f->name, body, in, out);
}
static sec_status emit_checkpoint(sec_fn *f, sec_jaxpr *body, const sec_value *in, sec_value *out) {
  (void)f;
  return sec_remat(body, in, out);
}
static sec_status trace_jit(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  return sec_fn_trace_call(f, in, emit_jit, out);
}
static sec_status trace_checkpoint(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  return sec_fn_trace_call(f, in, emit_checkpoint, out);
}

sec_fn *sec_jit(sec_fn *f) { return f ? sec_fn_derive(f, trace_jit, f->n_in, f->n_out) : NULL; }
sec_fn *sec_checkpoint(sec_fn *f) {
  return f ? sec_fn_derive(f, trace_checkpoint, f->n_in, f->n_out) : NULL;
}
