/* Transforms on functions: each node takes its parent's jaxpr for the parent's argument types and
 * gives that to the transform on jaxprs.  Jacobians are vmap of jvp or vjp over the identity. */
#include "fn_node.h"
#include <secant/axis.h>
#include <stdio.h>
#include <string.h>

static bool is_float(const sec_aval *a) { return sec_dtype_kind(a->dtype) >= SEC_KIND_FLOAT; }

/* ---- grad ---- */
static sec_status trace_grad(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  sec_jaxpr *j;
  SEC_TRY(sec_fn_trace(f->parent, in, &j));
  sec_status status = sec_jaxpr_grad(j, f->axes, f->n_axes, f->with_value, out);
  sec_jaxpr_release(j);
  return status;
}

static bool argnum_ok(const sec_fn *f, const char *who, int argnum) {
  if (argnum >= 0 && argnum < f->n_in) return true;
  char hint[64];
  snprintf(hint, sizeof hint, "argnum is one of 0 .. %d", f->n_in - 1);
  sec_error_set(SEC_ARGUMENT, hint, "%s of %s: argument %d of a function of %d", who, f->name,
                argnum, f->n_in);
  return false;
}

sec_fn *sec_grad_many(sec_fn *f, const int *argnums, int n, bool with_value) {
  if (!f) return NULL;
  if (f->n_out < 1) {
    sec_error_set(SEC_NOT_SCALAR, "return the loss as result 0", "grad of %s: it has no results",
                  f->name);
    return NULL;
  }
  for (int i = 0; i < n; i++)
    if (!argnum_ok(f, "grad", argnums[i])) return NULL;
  sec_fn *g = sec_fn_with_axes(sec_fn_derive(f, trace_grad, f->n_in, with_value ? f->n_out + n : n),
                               argnums, n);
  if (g) g->with_value = with_value;
  return g;
}

sec_fn *sec_grad(sec_fn *f, int argnum) { return sec_grad_many(f, &argnum, 1, false); }
sec_fn *sec_value_and_grad(sec_fn *f, int argnum) { return sec_grad_many(f, &argnum, 1, true); }

/* ---- jvp and vjp ---- */
static sec_status check_float(const sec_fn *f, const char *who, const sec_jaxpr *j) {
  for (int i = 0; i < sec_jaxpr_n_in(j); i++)
    if (!is_float(sec_jaxpr_in_aval(j, i)))
      return sec_error_set(SEC_TYPE,
                           "capture integer arguments, or use sec_jaxpr_jvp and sec_jaxpr_vjp",
                           "%s of %s: argument %d is %s, expected a float", who, f->name, i,
                           sec_aval_text(sec_jaxpr_in_aval(j, i)));
  for (int i = 0; i < sec_jaxpr_n_out(j); i++)
    if (!is_float(sec_jaxpr_out_aval(j, i)))
      return sec_error_set(SEC_TYPE, "return float results only",
                           "%s of %s: result %d is %s, expected a float", who, f->name, i,
                           sec_aval_text(sec_jaxpr_out_aval(j, i)));
  return SEC_OK;
}

/* The second half of the arguments has the types of what it goes with. */
static sec_status check_pair(const sec_fn *f, const char *what, int i, const sec_aval *given,
                             const sec_aval *expected) {
  if (strcmp(sec_aval_text(given), sec_aval_text(expected)) == 0) return SEC_OK;
  return sec_error_set(given->dtype == expected->dtype ? SEC_SHAPE : SEC_TYPE,
                       "give it the type of its primal value", "%s: %s %d is %s, expected %s",
                       f->name, what, i, sec_aval_text(given), sec_aval_text(expected));
}

static sec_status trace_jvp(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  int        n = f->parent->n_in;
  sec_jaxpr *j;
  for (int i = 0; i < n; i++) SEC_TRY(check_pair(f, "tangent", i, in[n + i], in[i]));
  SEC_TRY(sec_fn_trace(f->parent, in, &j));
  sec_status status = check_float(f, "jvp", j);
  if (status == SEC_OK) status = sec_jaxpr_jvp(j, NULL, NULL, out);
  sec_jaxpr_release(j);
  return status;
}

static sec_status trace_vjp(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  int        n = f->parent->n_in;
  sec_jaxpr *j;
  SEC_TRY(sec_fn_trace(f->parent, in, &j));
  bool      *wrt = sec_alloc(f->cx, (size_t)n + 1);
  sec_status status = wrt ? check_float(f, "vjp", j) : SEC_MEMORY;
  for (int i = 0; i < f->parent->n_out && status == SEC_OK; i++)
    status = check_pair(f, "cotangent", i, in[n + i], sec_jaxpr_out_aval(j, i));
  if (status == SEC_OK) status = sec_jaxpr_vjp(j, memset(wrt, 1, (size_t)n), out);
  sec_free(f->cx, wrt);
  sec_jaxpr_release(j);
  return status;
}

sec_fn *sec_jvp(sec_fn *f) {
  return f ? sec_fn_derive(f, trace_jvp, 2 * f->n_in, 2 * f->n_out) : NULL;
}
sec_fn *sec_vjp(sec_fn *f) {
  return f ? sec_fn_derive(f, trace_vjp, f->n_in + f->n_out, f->n_out + f->n_in) : NULL;
}

/* ---- vmap and pmap ---- */
static sec_status lane_aval(const sec_fn *f, int i, const sec_aval *in, int64_t *size,
                            const sec_aval **out) {
  int axis = f->axes[i], at = axis < 0 ? axis + in->rank : axis;
  *out = in;
  if (axis == SEC_NOT_MAPPED) return SEC_OK;
  if (at < 0 || at >= in->rank)
    return sec_error_set(SEC_AXIS, "an axis of the argument, or SEC_NOT_MAPPED",
                         "vmap of %s: in_axes[%d] is %d, argument %d is %s", f->name, i, axis, i,
                         sec_aval_text(in));
  if (*size >= 0 && in->dims[at] != *size)
    return sec_error_set(SEC_SHAPE, "mapped axes have one size",
                         "vmap of %s: axis %d of argument %d, %s, has size %lld, expected %lld",
                         f->name, axis, i, sec_aval_text(in), (long long)in->dims[at],
                         (long long)*size);
  *size = in->dims[at];
  int64_t dims[SEC_MAX_RANK];
  for (int d = 0, k = 0; d < in->rank; d++)
    if (d != at) dims[k++] = in->dims[d];
  *out = sec_aval_get(f->cx, in->dtype, in->weak, in->rank - 1, dims);
  return *out ? SEC_OK : sec_error_status(f->cx);
}

static sec_status vmap_lanes(sec_fn *f, const sec_aval *const *in, const sec_aval **lanes,
                             int64_t *size, sec_jaxpr **out) {
  sec_jaxpr *j;
  *size = -1;
  for (int i = 0; i < f->n_in; i++) SEC_TRY(lane_aval(f, i, in[i], size, &lanes[i]));
  if (*size < 0)
    return sec_error_set(SEC_AXIS, "map an axis of at least one argument",
                         "vmap of %s: every argument is SEC_NOT_MAPPED", f->name);
  if (f->axis_name) SEC_TRY(sec_axis_push(f->axis_name, *size));
  sec_status status = sec_fn_trace(f->parent, lanes, &j);
  if (f->axis_name) sec_axis_pop();
  SEC_TRY(status);
  status = sec_jaxpr_vmap(j, f->axes, f->out_axes, *size, f->axis_name, out);
  sec_jaxpr_release(j);
  return status;
}

static sec_status trace_vmap(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  int64_t          size;
  const sec_aval **lanes = sec_alloc(f->cx, ((size_t)f->n_in + 1) * sizeof *lanes);
  sec_status       status = lanes ? vmap_lanes(f, in, lanes, &size, out) : SEC_MEMORY;
  sec_free(f->cx, lanes);
  return status;
}

static sec_status trace_pmap(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  int devices = sec_num_devices("cpu");
  for (int i = 0; i < f->n_in; i++) {
    int axis = f->axes[i] < 0 ? f->axes[i] + in[i]->rank : f->axes[i];
    if (axis < 0 || axis >= in[i]->rank || in[i]->dims[axis] <= devices) continue;
    return sec_error_set(
        SEC_ARGUMENT, "set SECANT_NUM_CPU_DEVICES to the number of devices, or use sec_vmap",
        "pmap of %s: axis %d of argument %d, %s, has size %lld, but there are %d devices", f->name,
        f->axes[i], i, sec_aval_text(in[i]), (long long)in[i]->dims[axis], devices);
  }
  return trace_vmap(f, in, out);
}

static sec_fn *map_node(sec_fn *f, sec_fn_tracer trace, const int *in_axes, const int *out_axes,
                        const char *axis_name) {
  if (!f) return NULL;
  sec_fn *g = sec_fn_with_axes(sec_fn_derive(f, trace, f->n_in, f->n_out), in_axes, f->n_in);
  if (!g) return NULL;
  size_t bytes = ((size_t)f->n_out + 1) * sizeof(int),
         length = axis_name ? strlen(axis_name) + 1 : 0;
  g->out_axes = sec_alloc(f->cx, bytes);
  g->axis_name = length ? sec_alloc(f->cx, length) : NULL;
  if (!g->out_axes || (length && !g->axis_name)) {
    sec_fn_destroy(g);
    return NULL;
  }
  memset(g->out_axes, 0, bytes);
  if (out_axes) memcpy(g->out_axes, out_axes, (size_t)f->n_out * sizeof(int));
  if (length) memcpy(g->axis_name, axis_name, length);
  return g;
}

sec_fn *sec_vmap(sec_fn *f, const int *in_axes) {
  return map_node(f, trace_vmap, in_axes, NULL, NULL);
}
sec_fn *sec_vmap_named(sec_fn *f, const int *in_axes, const int *out_axes, const char *axis_name) {
  return map_node(f, trace_vmap, in_axes, out_axes, axis_name);
}
sec_fn *sec_pmap(sec_fn *f, const int *in_axes, const char *axis_name) {
  return map_node(f, trace_pmap, in_axes, NULL, axis_name);
}

/* ---- Jacobians ---- */
/* `j` with result `k` alone. */
static sec_status one_result(const sec_jaxpr *j, int k, sec_jaxpr **out) {
  int        n_in = sec_jaxpr_n_in(j), n_out = sec_jaxpr_n_out(j);
  sec_value *values = sec_alloc(j->cx, (size_t)(n_in + n_out) * sizeof *values);
  sec_trace *t = values ? sec_trace_begin(j->cx, j->name) : NULL;
  *out = NULL;
  if (!t) {
    sec_free(j->cx, values);
    return sec_error_status(j->cx);
  }
  for (int i = 0; i < n_in; i++) values[i] = sec_trace_input_aval(t, sec_jaxpr_in_aval(j, i));
  sec_status status = sec_jaxpr_apply(j, values, values + n_in);
  if (status == SEC_OK) status = sec_trace_end(t, values + n_in + k, 1, out);
  else sec_trace_abandon(t);
  sec_free(j->cx, values);
  return status;
}

/* The identity matrix of a type's elements: shape (size,) + the type's own. */
static sec_value identity(const sec_aval *a) {
  int64_t square[2] = {a->size, a->size}, dims[SEC_MAX_RANK] = {a->size};
  if (a->rank + 1 > SEC_MAX_RANK) {
    sec_error_set(SEC_SHAPE, "reshape it to fewer axes", "Jacobian by %s: it has too many axes",
                  sec_aval_text(a));
    return SEC_VALUE_POISON;
  }
  for (int d = 0; d < a->rank; d++) dims[d + 1] = a->dims[d];
  sec_value eye = sec_eq(sec_iota(SEC_I64, 2, square, 0), sec_iota(SEC_I64, 2, square, 1));
  return sec_reshape(sec_convert(eye, a->dtype, false), a->rank + 1, dims);
}

/* `linear` has one result and a last input of type `basis`: mapped over the identity of `basis` and
 * shaped y.shape + x.shape, in the current trace. */
static sec_value over_identity(const sec_jaxpr *linear, sec_value *in, const sec_aval *basis,
                               int out_axis, const sec_aval *y, const sec_aval *x) {
  int       n = sec_jaxpr_n_in(linear);
  int64_t   dims[2 * SEC_MAX_RANK];
  sec_value out = SEC_VALUE_POISON;
  if (x->rank + y->rank > SEC_MAX_RANK) {
    sec_error_set(SEC_SHAPE, "reshape them to fewer axes",
                  "Jacobian of %s by %s: it has too many axes", sec_aval_text(y), sec_aval_text(x));
    return out;
  }
  memcpy(dims, y->dims, (size_t)y->rank * sizeof *dims);
  memcpy(dims + y->rank, x->dims, (size_t)x->rank * sizeof *dims);
  int *axes = sec_alloc(linear->cx, (size_t)n * sizeof *axes);
  if (!axes) return out;
  for (int i = 0; i < n; i++) axes[i] = i == n - 1 ? 0 : SEC_NOT_MAPPED;
  sec_jaxpr *mapped = NULL;
  in[n - 1] = identity(basis);
  if (sec_value_ok(in[n - 1]) &&
      sec_jaxpr_vmap(linear, axes, &out_axis, basis->size, NULL, &mapped) == SEC_OK)
    sec_jaxpr_apply(mapped, in, &out);
  sec_jaxpr_release(mapped);
  sec_free(linear->cx, axes);
  return sec_value_ok(out) ? sec_reshape(out, y->rank + x->rank, dims) : out;
}

/* The part of the Jacobian that is linear: tangent (or cotangent) last, its image the only result.
 */
static sec_status linear_part(const sec_jaxpr *f0, int argnum, bool forward, sec_jaxpr **out) {
  int        n = sec_jaxpr_n_in(f0);
  sec_jaxpr *both = NULL;
  bool      *wrt = sec_alloc(f0->cx, (size_t)n);
  if (!wrt) return SEC_MEMORY;
  memset(wrt, 0, (size_t)n);
  wrt[argnum] = true;
  sec_status status = forward ? sec_jaxpr_jvp(f0, wrt, NULL, &both) : sec_jaxpr_vjp(f0, wrt, &both);
  if (status == SEC_OK) status = one_result(both, 1, out);
  sec_jaxpr_release(both);
  sec_free(f0->cx, wrt);
  return status;
}

static sec_status jacobian(sec_fn *f, const sec_jaxpr *f0, const sec_jaxpr *linear, bool forward,
                           sec_jaxpr **out) {
  const sec_aval *x = sec_jaxpr_in_aval(f0, f->axes[0]), *y = sec_jaxpr_out_aval(f0, 0);
  sec_value      *in = sec_alloc(f->cx, ((size_t)f->n_in + 1) * sizeof *in);
  sec_trace      *t = in ? sec_trace_begin(f->cx, f->name) : NULL;
  sec_status      status = t ? SEC_OK : sec_error_status(f->cx);
  if (t) {
    for (int i = 0; i < f->n_in; i++) in[i] = sec_trace_input_aval(t, sec_jaxpr_in_aval(f0, i));
    sec_value result = over_identity(linear, in, forward ? x : y, forward ? y->rank : 0, y, x);
    status = sec_trace_end(t, &result, 1, out);
  }
  sec_free(f->cx, in);
  return status;
}

static sec_status trace_jacobian(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  sec_jaxpr *j, *f0 = NULL, *linear = NULL;
  int        argnum = f->axes[0];
  bool       forward = f->with_value;
  SEC_TRY(sec_fn_trace(f->parent, in, &j));
  sec_status status = one_result(j, 0, &f0);
  sec_jaxpr_release(j);
  if (status == SEC_OK &&
      (!is_float(sec_jaxpr_in_aval(f0, argnum)) || !is_float(sec_jaxpr_out_aval(f0, 0))))
    status = sec_error_set(SEC_TYPE, "convert it to a float first",
                           "Jacobian of %s: argument %d is %s, result 0 is %s, expected floats",
                           f->name, argnum, sec_aval_text(sec_jaxpr_in_aval(f0, argnum)),
                           sec_aval_text(sec_jaxpr_out_aval(f0, 0)));
  if (status == SEC_OK) status = linear_part(f0, argnum, forward, &linear);
  if (status == SEC_OK) status = jacobian(f, f0, linear, forward, out);
  sec_jaxpr_release(linear);
  sec_jaxpr_release(f0);
  return status;
}

static sec_fn *jacobian_node(sec_fn *f, const char *who, int argnum, bool forward) {
  if (!f || !argnum_ok(f, who, argnum)) return NULL;
  if (f->n_out < 1) {
    sec_error_set(SEC_ARGUMENT, "return a value", "%s of %s: it has no results", who, f->name);
    return NULL;
  }
  sec_fn *g = sec_fn_with_axes(sec_fn_derive(f, trace_jacobian, f->n_in, 1), &argnum, 1);
  if (g) g->with_value = forward;
  return g;
}

sec_fn *sec_jacfwd(sec_fn *f, int argnum) { return jacobian_node(f, "jacfwd", argnum, true); }
sec_fn *sec_jacrev(sec_fn *f, int argnum) { return jacobian_node(f, "jacrev", argnum, false); }
sec_fn *sec_hessian(sec_fn *f, int argnum) { return sec_jacfwd(sec_jacrev(f, argnum), argnum); }
