/* vjp  : (a -> b) to ((a, cotangents of b) -> (b, cotangents of a))
 * grad : (R^n -> R) to (R^n -> R^n)
 *
 * Composed of linearize and the pullback; no rule of their own. */
#include "body.h"
#include <secant/transforms.h>

/* One linearized function. */
typedef struct linearized {
  const sec_jaxpr *j;
  sec_jaxpr *primal, *linear;
  int n_res;
} linearized;

/* Runs the primal side on `in` and pulls ct (one a float output of j) back: out receives j's outputs, ct_in one
 * cotangent for each wrt input, in order. */
static sec_status value_and_pullback(const linearized *f, const sec_value *in, const sec_value *ct,
                                     sec_value *out, sec_value *ct_in) {
  const sec_jaxpr *l = f->linear;
  uint32_t n_res = (uint32_t)f->n_res;
  sec_arena *arena = sec_arena_create(f->j->cx);
  sec_value *v = arena ? SEC_NEW(arena, sec_value, f->primal->n_out + 2 * l->n_in) : NULL;
  bool *is_linear = arena ? SEC_NEW(arena, bool, l->n_in) : NULL;
  sec_status status = v && is_linear ? sec_jaxpr_apply(f->primal, in, v) : SEC_MEMORY;
  if (status == SEC_OK) {
    sec_value *operands = v + f->primal->n_out, *found = operands + l->n_in;
    for (uint32_t i = 0; i < l->n_in; i++) {
      is_linear[i] = i >= n_res;
      operands[i] = i < n_res ? v[f->j->n_out + i] : SEC_VALUE_ZERO;
    }
    status = sec_backward(&(sec_pullback){l, is_linear, operands, ct, found});
    for (uint32_t i = 0; i < f->j->n_out; i++) out[i] = v[i];
    for (uint32_t i = n_res; i < l->n_in; i++)
      ct_in[i - n_res] = sec_instantiate(found[i], l->avals[i]);
  }
  sec_arena_destroy(arena);
  return status;
}

static sec_status linearize(const sec_jaxpr *j, const bool *wrt, linearized *f) {
  *f = (linearized){.j = j};
  return sec_jaxpr_linearize(j, wrt, &f->primal, &f->linear, &f->n_res);
}

static void linearized_release(linearized *f) {
  sec_jaxpr_release(f->primal);
  sec_jaxpr_release(f->linear);
}

/* ---- vjp ---- */
static sec_status vjp_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const linearized *f = user;
  *n_out = (int)(f->j->n_out + f->linear->n_in) - f->n_res;
  return value_and_pullback(f, in, in + f->j->n_in, out, out + f->j->n_out);
}

sec_status sec_jaxpr_vjp(const sec_jaxpr *j, const bool *wrt, sec_jaxpr **out) {
  *out = NULL;
  linearized f;
  const sec_aval **avals = sec_alloc(j->cx, (j->n_in + j->n_out + 1) * sizeof *avals);
  sec_status status = avals ? linearize(j, wrt, &f) : SEC_MEMORY;
  if (status == SEC_OK) {
    int n = 0;
    for (uint32_t i = 0; i < j->n_in; i++) avals[n++] = j->avals[i];
    for (uint32_t i = 0; i < j->n_out; i++)
      if (sec_has_tangent(sec_out_aval(j, i))) avals[n++] = sec_out_aval(j, i);
    status = sec_build(&(sec_plan){.cx = j->cx,
                                   .name = j->name,
                                   .in_avals = avals,
                                   .n_in = n,
                                   .max_out = (int)(j->n_out + j->n_in),
                                   .build = vjp_build,
                                   .user = &f},
                       out);
    linearized_release(&f);
  }
  sec_free(j->cx, avals);
  return status;
}

/* ---- grad ---- */
typedef struct grad_job {
  linearized f;
  const int *wrt, *place; /* place[input]: its rank among the differentiated inputs */
  sec_value *scratch;     /* cotangents of the outputs, outputs, gradients */
  int n_wrt;
  bool with_value;
} grad_job;

static sec_status grad_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  grad_job *job = user;
  const sec_jaxpr *j = job->f.j;
  sec_value *ct = job->scratch, *outs = ct + j->n_out, *found = outs + j->n_out;
  int n = 0;
  for (uint32_t i = 0; i < j->n_out; i++) ct[i] = SEC_VALUE_ZERO;
  ct[0] = sec_full_of(sec_out_aval(j, 0), 1);
  SEC_TRY(value_and_pullback(&job->f, in, ct, outs, found));
  for (uint32_t i = 0; job->with_value && i < j->n_out; i++) out[n++] = outs[i];
  for (int i = 0; i < job->n_wrt; i++) out[n++] = found[job->place[job->wrt[i]]];
  *n_out = n;
  return SEC_OK;
}

static sec_status check_grad(const sec_jaxpr *j, const int *wrt, int n_wrt) {
  if (j->n_out == 0)
    return sec_error_set(SEC_NOT_SCALAR, "return one float scalar",
                         "grad: the function has no output");
  const sec_aval *y = sec_out_aval(j, 0);
  if (y->rank != 0 || sec_dtype_kind(y->dtype) < SEC_KIND_FLOAT)
    return sec_error_set(
        SEC_NOT_SCALAR,
        y->rank ? "sum the output, or use vjp or a Jacobian" : "return a float, or use vjp",
        "grad: output 0 is %s, but a gradient needs a float scalar such as f32[]", y->text);
  for (int i = 0; i < n_wrt; i++)
    if (wrt[i] < 0 || (uint32_t)wrt[i] >= j->n_in)
      return sec_error_set(SEC_ARGUMENT, "count arguments from 0",
                           "grad: there is no argument %d, the function has %u", wrt[i], j->n_in);
  return SEC_OK;
}

sec_status sec_jaxpr_grad(const sec_jaxpr *j, const int *wrt, int n_wrt, bool with_value,
                          sec_jaxpr **out) {
  *out = NULL;
  SEC_TRY(check_grad(j, wrt, n_wrt));
  sec_arena *arena = sec_arena_create(j->cx);
  bool *flags = arena ? SEC_NEW(arena, bool, j->n_in) : NULL;
  int *place = arena ? SEC_NEW(arena, int, j->n_in) : NULL;
  sec_value *scratch = arena ? SEC_NEW(arena, sec_value, 2 * j->n_out + j->n_in) : NULL;
  grad_job job = {
      .wrt = wrt, .place = place, .scratch = scratch, .n_wrt = n_wrt, .with_value = with_value};
  sec_status status = flags && place && scratch ? SEC_OK : SEC_MEMORY;
  for (int i = 0; i < n_wrt && status == SEC_OK; i++) flags[wrt[i]] = true;
  for (uint32_t i = 0, n = 0; i < j->n_in && status == SEC_OK; i++)
    place[i] = flags[i] ? (int)n++ : -1;
  if (status == SEC_OK) status = linearize(j, flags, &job.f);
  if (status == SEC_OK) {
    status = sec_build(&(sec_plan){.cx = j->cx,
                                   .name = j->name,
                                   .in_avals = j->avals,
                                   .n_in = (int)j->n_in,
                                   .max_out = (int)j->n_out + n_wrt,
                                   .build = grad_build,
                                   .user = &job},
                       out);
    linearized_release(&job.f);
  }
  sec_arena_destroy(arena);
  return status;
}
