/* vmap : (a -> b) to (([n] a) -> [n] b) over one axis of each mapped input.
 *
 * Mapped axes are moved to the front on the way in and to out_axes on the way out; in between every batched value
 * carries the axis in front, and the equations' batch rules keep it there. */
#include "body.h"
#include <secant/transforms.h>
#include <string.h>

/* ---- axes ---- */
const sec_aval *sec_batched_aval(sec_context *cx, const sec_aval *lane, int64_t size) {
  int64_t dims[SEC_MAX_RANK + 1] = {size};
  memcpy(dims + 1, lane->dims, (size_t)lane->rank * sizeof *dims);
  return sec_aval_get(cx, lane->dtype, lane->weak, lane->rank + 1, dims);
}

static sec_value repeat_at(sec_value x, int64_t size, int axis) {
  const sec_aval *a = sec_value_aval(x);
  int64_t dims[SEC_MAX_RANK + 1], places[SEC_MAX_RANK];
  if (!a) return SEC_VALUE_POISON;
  if (a->rank == SEC_MAX_RANK) {
    sec_error_set(SEC_SHAPE, "map over fewer axes at once",
                  "vmap: %s has %d axes already, the most there can be", a->text, SEC_MAX_RANK);
    return SEC_VALUE_POISON;
  }
  for (int d = 0; d < a->rank; d++) {
    places[d] = d < axis ? d : d + 1;
    dims[places[d]] = a->dims[d];
  }
  dims[axis] = size;
  return sec_broadcast_in_dim(x, a->rank + 1, dims, places);
}

sec_value sec_repeat_front(sec_value x, int64_t size) { return repeat_at(x, size, 0); }

sec_value sec_move_axis(sec_value x, int from, int to) {
  const sec_aval *a = sec_value_aval(x);
  int64_t order[SEC_MAX_RANK];
  if (!a || from == to) return a ? x : SEC_VALUE_POISON;
  for (int d = 0, k = 0; d < a->rank; d++) {
    if (d == to) {
      order[d] = from;
      continue;
    }
    if (k == from) k++;
    order[d] = k++;
  }
  return sec_transpose(x, order);
}

/* ---- equations ---- */
typedef struct batch_walk {
  sec_walk w;
  const sec_lanes *lanes;
  bool *batched; /* one a variable */
  bool *in_batched, *out_batched;
} batch_walk;

/* Whether an equation's parameters, or those of its bodies, name the axis. */
static bool names_axis(const sec_params *p, const char *name);

static bool body_names_axis(const sec_jaxpr *j, const char *name) {
  for (uint32_t i = 0; i < j->n_eqns; i++)
    if (names_axis(j->eqns[i].params, name)) return true;
  return false;
}

static bool names_axis(const sec_params *p, const char *name) {
  for (int i = 0; p && i < p->n; i++) {
    const sec_param *q = &p->list[i];
    if (q->kind == SEC_PARAM_STR && strcmp(q->name, "axis_name") == 0 &&
        strcmp(q->u.str, name) == 0)
      return true;
    if (q->kind == SEC_PARAM_JAXPR && body_names_axis(q->u.jaxpr, name)) return true;
    for (int k = 0; q->kind == SEC_PARAM_JAXPRS && k < q->u.jaxprs.n; k++)
      if (body_names_axis(q->u.jaxprs.v[k], name)) return true;
  }
  return false;
}

static sec_status batch_eqn(batch_walk *v, const sec_eqn *e) {
  bool any = v->lanes->axis_name && names_axis(e->params, v->lanes->axis_name);
  sec_walk_at(&v->w, e);
  for (uint32_t i = 0; i < e->n_in; i++) {
    v->in_batched[i] = !sec_ref_is_literal(e->in[i]) && v->batched[e->in[i]];
    any |= v->in_batched[i];
  }
  for (uint32_t i = 0; i < e->n_out; i++) v->out_batched[i] = false;
  if (!any) {
    SEC_TRY(sec_walk_rebind(&v->w, e));
  } else if (e->prim->batch) {
    sec_batch b = {.prim = e->prim,
                   .params = e->params,
                   .cx = v->w.cx,
                   .in = v->w.in,
                   .batched = v->in_batched,
                   .in_avals = v->w.in_avals,
                   .n_in = (int)e->n_in,
                   .out_avals = v->w.out_avals,
                   .n_out = (int)e->n_out,
                   .size = v->lanes->size,
                   .axis_name = v->lanes->axis_name,
                   .out = v->w.out,
                   .out_batched = v->out_batched};
    SEC_TRY(e->prim->batch(&b));
  } else {
    return sec_error_set(SEC_NO_RULE, "call it outside vmap, or loop over the axis with scan",
                         "%s has no batch rule", e->prim->name);
  }
  sec_walk_set(&v->w, e);
  memcpy(v->batched + e->out, v->out_batched, e->n_out);
  return SEC_OK;
}

static sec_status batch_start(batch_walk *v, const sec_jaxpr *j, const sec_value *in) {
  SEC_TRY(sec_walk_begin(&v->w, j, in));
  v->batched = SEC_NEW(v->w.arena, bool, j->n_vars + v->w.max_in + v->w.max_out);
  if (!v->batched) return SEC_MEMORY;
  v->in_batched = v->batched + j->n_vars;
  v->out_batched = v->in_batched + v->w.max_in;
  memcpy(v->batched, v->lanes->batched, j->n_in);
  return SEC_OK;
}

sec_status sec_batch_apply(const sec_jaxpr *j, const sec_lanes *lanes, const sec_value *in,
                           sec_value *out, bool *out_batched) {
  batch_walk v = {.lanes = lanes};
  sec_status status = batch_start(&v, j, in);
  for (uint32_t i = 0; i < j->n_eqns && status == SEC_OK; i++) status = batch_eqn(&v, &j->eqns[i]);
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++) {
    out[i] = sec_walk_get(&v.w, j->outs[i]);
    out_batched[i] = !sec_ref_is_literal(j->outs[i]) && v.batched[j->outs[i]];
    if (out_batched[i] || !lanes->force || !lanes->force[i]) continue;
    out[i] = sec_repeat_front(out[i], lanes->size);
    out_batched[i] = true;
    if (!sec_value_ok(out[i])) status = sec_failed();
  }
  sec_walk_end(&v.w);
  return status;
}

/* ---- a body ---- */
typedef struct batch_job {
  const sec_jaxpr *j;
  const sec_lanes *lanes;
  bool *out_batched;
} batch_job;

static sec_status batch_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const batch_job *job = user;
  *n_out = (int)job->j->n_out;
  return sec_batch_apply(job->j, job->lanes, in, out, job->out_batched);
}

sec_status sec_batch_body(const sec_jaxpr *j, const sec_lanes *lanes, bool *out_batched,
                          sec_jaxpr **out) {
  *out = NULL;
  const sec_aval **avals = sec_alloc(j->cx, (j->n_in + 1) * sizeof *avals);
  sec_status status = avals ? SEC_OK : SEC_MEMORY;
  for (uint32_t i = 0; i < j->n_in && status == SEC_OK; i++) {
    avals[i] = lanes->batched[i] ? sec_batched_aval(j->cx, j->avals[i], lanes->size) : j->avals[i];
    if (!avals[i]) status = sec_failed();
  }
  batch_job job = {j, lanes, out_batched};
  if (status == SEC_OK)
    status = sec_build(&(sec_plan){.cx = j->cx,
                                   .name = j->name,
                                   .in_avals = avals,
                                   .n_in = (int)j->n_in,
                                   .max_out = (int)j->n_out,
                                   .build = batch_build,
                                   .user = &job},
                       out);
  sec_free(j->cx, avals);
  return status;
}

/* ---- the transform ---- */
typedef struct vmap_job {
  const sec_jaxpr *j;
  const int *in_axes, *out_axes; /* counted from 0; out_axes as the user gave them */
  sec_lanes lanes;
  bool *out_batched;
  sec_value *in;
} vmap_job;

static sec_status place_output(const vmap_job *job, uint32_t i, sec_value *x) {
  const sec_aval *lane = sec_out_aval(job->j, i);
  int axis = job->out_axes ? job->out_axes[i] : 0;
  if (axis == SEC_NOT_MAPPED) {
    if (!job->out_batched[i]) return SEC_OK;
    return sec_error_set(SEC_ARGUMENT, "give it an output axis, or reduce over the mapped axis",
                         "vmap: output %u, %s a lane, differs from lane to lane, but its out_axes "
                         "entry says that it does not",
                         i, lane->text);
  }
  if (axis < 0) axis += lane->rank + 1;
  if (axis < 0 || axis > lane->rank)
    return sec_error_set(SEC_AXIS, "the axis counts in the output with its mapped axis",
                         "vmap: out_axes entry %d does not fit output %u, which is %s a lane",
                         job->out_axes[i], i, lane->text);
  *x = job->out_batched[i] ? sec_move_axis(*x, 0, axis) : repeat_at(*x, job->lanes.size, axis);
  return sec_value_ok(*x) ? SEC_OK : sec_failed();
}

static sec_status vmap_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  vmap_job *job = user;
  const sec_jaxpr *j = job->j;
  for (uint32_t i = 0; i < j->n_in; i++) {
    job->in[i] = job->lanes.batched[i] ? sec_move_axis(in[i], job->in_axes[i], 0) : in[i];
    if (!sec_value_ok(job->in[i])) return sec_failed();
  }
  SEC_TRY(sec_batch_apply(j, &job->lanes, job->in, out, job->out_batched));
  for (uint32_t i = 0; i < j->n_out; i++) SEC_TRY(place_output(job, i, &out[i]));
  *n_out = (int)j->n_out;
  return SEC_OK;
}

/* The types of the whole inputs: a lane's with the mapped axis put in.  axes receives them counted from 0. */
static sec_status vmap_inputs(const sec_jaxpr *j, int64_t size, int *axes, const sec_aval **avals) {
  for (uint32_t i = 0; i < j->n_in; i++) {
    const sec_aval *lane = j->avals[i];
    int64_t dims[SEC_MAX_RANK + 1];
    avals[i] = lane;
    if (axes[i] == SEC_NOT_MAPPED) continue;
    int axis = axes[i] < 0 ? axes[i] + lane->rank + 1 : axes[i];
    if (axis < 0 || axis > lane->rank)
      return sec_error_set(SEC_AXIS,
                           "the axis counts in the whole argument, which has one more than a lane",
                           "vmap: in_axes entry %d does not fit argument %u, which is %s a lane",
                           axes[i], i, lane->text);
    for (int d = 0, k = 0; d <= lane->rank; d++) dims[d] = d == axis ? size : lane->dims[k++];
    axes[i] = axis;
    avals[i] = sec_aval_get(j->cx, lane->dtype, lane->weak, lane->rank + 1, dims);
    if (!avals[i]) return sec_failed();
  }
  return SEC_OK;
}

static sec_status vmap_run(vmap_job *job, sec_arena *arena, int *axes, bool *batched,
                           sec_jaxpr **out) {
  const sec_jaxpr *j = job->j;
  const sec_aval **avals = SEC_NEW(arena, const sec_aval *, j->n_in);
  if (!avals) return SEC_MEMORY;
  for (uint32_t i = 0; i < j->n_in; i++) {
    axes[i] = job->in_axes ? job->in_axes[i] : 0;
    batched[i] = axes[i] != SEC_NOT_MAPPED;
  }
  SEC_TRY(vmap_inputs(j, job->lanes.size, axes, avals));
  job->in_axes = axes;
  job->lanes.batched = batched;
  return sec_build(&(sec_plan){.cx = j->cx,
                               .name = j->name,
                               .in_avals = avals,
                               .n_in = (int)j->n_in,
                               .max_out = (int)j->n_out,
                               .build = vmap_build,
                               .user = job},
                   out);
}

sec_status sec_jaxpr_vmap(const sec_jaxpr *j, const int *in_axes, const int *out_axes,
                          int64_t axis_size, const char *axis_name, sec_jaxpr **out) {
  *out = NULL;
  if (axis_size < 0)
    return sec_error_set(SEC_ARGUMENT, "map an argument, or give axis_size",
                         "vmap: the size of the mapped axis is not known");
  sec_arena *arena = sec_arena_create(j->cx);
  vmap_job job = {.j = j,
                  .in_axes = in_axes,
                  .out_axes = out_axes,
                  .lanes = {.size = axis_size, .axis_name = axis_name}};
  int *axes = arena ? SEC_NEW(arena, int, j->n_in) : NULL;
  bool *flags = arena ? SEC_NEW(arena, bool, j->n_in + j->n_out) : NULL;
  job.in = arena ? SEC_NEW(arena, sec_value, j->n_in) : NULL;
  sec_status status = axes && flags && job.in ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK) {
    job.out_batched = flags + j->n_in;
    status = vmap_run(&job, arena, axes, flags, out);
  }
  sec_arena_destroy(arena);
  return status;
}
