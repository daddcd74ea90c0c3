/* simplify : (a -> b) to (a -> b), with fewer equations.
 *
 * One walk inlines calls, folds (fold.c) and merges equal equations (cse.c), bodies included; then what nothing needs
 * is dropped (dce.c).  Bodies of checkpoint are inlined in a second walk that merges nothing, since what they compute
 * again must not be taken from the forward pass. */
#include "body.h"
#include "defs.h"
#include "ops/control_rules.h"
#include <secant/transforms.h>
#include <string.h>

/* How one walk treats calls. */
typedef struct walk_mode {
  bool inline_calls; /* jit, custom_jvp_call, custom_vjp_call; stop_gradient goes as well */
  bool inline_checkpoints;
  bool merge;
  bool expand; /* primitives that are made of others */
} walk_mode;

typedef struct simplifier {
  walk_mode mode;
  sec_defs defs;
} simplifier;

SEC_DECLARE_PRIMITIVE(stop_gradient)

static sec_status simplify_walk(simplifier *s, const sec_jaxpr *j, const sec_value *in,
                                sec_value *out);
static sec_status simplify_body(const sec_jaxpr *j, walk_mode mode, sec_jaxpr **out);

/* ---- parameters with bodies ---- */
enum { MAX_PARAMS = 16 };

/* One parameter with its bodies simplified; owned says how many jaxprs were made. */
static sec_status simplify_param(sec_param *p, walk_mode mode, sec_jaxpr **made, int *n_made) {
  if (p->kind == SEC_PARAM_JAXPR) {
    SEC_TRY(simplify_body(p->u.jaxpr, mode, &made[*n_made]));
    p->u.jaxpr = made[(*n_made)++];
  }
  if (p->kind == SEC_PARAM_JAXPRS) {
    sec_jaxpr **first = made + *n_made;
    for (int i = 0; i < p->u.jaxprs.n; i++) {
      SEC_TRY(simplify_body(p->u.jaxprs.v[i], mode, &made[*n_made]));
      ++*n_made;
    }
    p->u.jaxprs.v = first;
  }
  return SEC_OK;
}

static int n_bodies(const sec_params *p) {
  int n = 0;
  for (int i = 0; p && i < p->n; i++) {
    n += p->list[i].kind == SEC_PARAM_JAXPR;
    n += p->list[i].kind == SEC_PARAM_JAXPRS ? p->list[i].u.jaxprs.n : 0;
  }
  return n;
}

/* The parameters with their bodies simplified, counted. */
static sec_status simplify_params(const sec_params *p, walk_mode mode, const sec_params **out) {
  int n = n_bodies(p), n_made = 0;
  *out = p;
  if (n == 0 || p->n > MAX_PARAMS) {
    sec_params_retain(p);
    return SEC_OK;
  }
  sec_param list[MAX_PARAMS];
  sec_jaxpr **made = sec_alloc(p->cx, (size_t)n * sizeof *made);
  sec_status status = made ? SEC_OK : SEC_MEMORY;
  memcpy(list, p->list, (size_t)p->n * sizeof *list);
  for (int i = 0; i < p->n && status == SEC_OK; i++)
    status = simplify_param(&list[i], mode, made, &n_made);
  if (status == SEC_OK && !(*out = sec_params_make(p->cx, list, p->n))) status = SEC_MEMORY;
  while (n_made > 0) sec_jaxpr_release(made[--n_made]);
  sec_free(p->cx, made);
  return status;
}

/* ---- one equation ---- */
/* The body to inline in place of an equation, or NULL; *skip operands are not its own. */
static const sec_jaxpr *inlined_body(const simplifier *s, const sec_walk *w, const sec_eqn *e,
                                     int *skip) {
  *skip = 0;
  if (e->prim->form == SEC_FORM_CALL) {
    bool wanted = e->prim == &sec_checkpoint_p ? s->mode.inline_checkpoints : s->mode.inline_calls;
    return wanted ? sec_params_jaxpr(e->params, e->prim->call_param) : NULL;
  }
  const sec_literal *which = e->prim == &sec_cond_p ? sec_value_literal(w->in[0]) : NULL;
  if (!which) return NULL;
  int n;
  sec_jaxpr *const *branches = sec_cond_branches(e->params, &n);
  *skip = 1;
  return branches[which->i < 0 ? 0 : which->i >= n ? n - 1 : which->i];
}

static sec_status emit(simplifier *s, sec_candidate *c, sec_value *out) {
  if (sec_fold(&s->defs, c, out)) return SEC_OK;
  const sec_def *same = s->mode.merge ? sec_defs_same(&s->defs, c) : NULL;
  if (same) {
    memcpy(out, same->out, (size_t)c->n_out * sizeof *out);
    return SEC_OK;
  }
  sec_params_retain(c->params);
  SEC_TRY(sec_bind(c->prim, c->in, c->n_in, c->params, out, c->n_out));
  return sec_defs_add(&s->defs, c, out);
}

/* The equation written out by its expand rule; *done: it was. */
static sec_status expand_eqn(sec_walk *w, const sec_eqn *e, bool *done) {
  sec_rule r = {.prim = e->prim,
                .params = e->params,
                .cx = w->j->cx,
                .in = w->in,
                .in_avals = w->in_avals,
                .n_in = (int)e->n_in,
                .out_avals = w->out_avals,
                .n_out = (int)e->n_out};
  *done = e->prim->expand(&r, w->out);
  if (!*done) return SEC_OK;
  if (sec_value_ok(w->out[0])) w->out[0] = sec_with_weak(w->out[0], w->out_avals[0]);
  return sec_value_ok(w->out[0]) ? SEC_OK : sec_failed();
}

static sec_status simplify_eqn(simplifier *s, sec_walk *w, const sec_eqn *e) {
  int skip;
  sec_walk_at(w, e);
  const sec_jaxpr *body = inlined_body(s, w, e, &skip);
  bool expanded = false;
  if (s->mode.expand && e->prim->expand) SEC_TRY(expand_eqn(w, e, &expanded));
  if (expanded) {
    /* w->out is set */
  } else if (body) {
    SEC_TRY(simplify_walk(s, body, w->in + skip, w->out));
  } else if (s->mode.inline_calls && e->prim == &sec_stop_gradient_p &&
             sec_value_aval(w->in[0]) == w->out_avals[0]) {
    w->out[0] = w->in[0];
  } else {
    const sec_aval **avals = w->out_avals;
    sec_candidate c = {.prim = e->prim,
                       .in = w->in,
                       .out_avals = avals,
                       .n_in = (int)e->n_in,
                       .n_out = (int)e->n_out};
    SEC_TRY(simplify_params(e->params, s->mode, &c.params));
    sec_status status = emit(s, &c, w->out);
    sec_params_release(c.params);
    SEC_TRY(status);
  }
  sec_walk_set(w, e);
  return SEC_OK;
}

static sec_status simplify_walk(simplifier *s, const sec_jaxpr *j, const sec_value *in,
                                sec_value *out) {
  sec_walk w;
  sec_status status = sec_walk_begin(&w, j, in);
  for (uint32_t i = 0; i < j->n_eqns && status == SEC_OK; i++)
    status = simplify_eqn(s, &w, &j->eqns[i]);
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++) out[i] = sec_walk_get(&w, j->outs[i]);
  sec_walk_end(&w);
  return status;
}

/* ---- one jaxpr ---- */
typedef struct simplify_job {
  const sec_jaxpr *j;
  walk_mode mode;
} simplify_job;

static sec_status simplify_build(void *user, const sec_value *in, sec_value *out, int *n_out) {
  const simplify_job *job = user;
  simplifier s = {.mode = job->mode};
  sec_status status = sec_defs_begin(&s.defs, job->j->cx);
  if (status == SEC_OK) status = simplify_walk(&s, job->j, in, out);
  *n_out = (int)job->j->n_out;
  sec_defs_end(&s.defs);
  return status;
}

/* A walk, then dead code away; all inputs stay. */
static sec_status simplify_body(const sec_jaxpr *j, walk_mode mode, sec_jaxpr **out) {
  *out = NULL;
  simplify_job job = {j, mode};
  sec_jaxpr *walked = NULL;
  bool *flags = sec_alloc(j->cx, j->n_in + j->n_out + 1);
  sec_status status = flags ? SEC_OK : SEC_MEMORY;
  if (status == SEC_OK)
    status = sec_build(&(sec_plan){.cx = j->cx,
                                   .name = j->name,
                                   .in_avals = j->avals,
                                   .n_in = (int)j->n_in,
                                   .max_out = (int)j->n_out,
                                   .build = simplify_build,
                                   .user = &job},
                       &walked);
  if (status == SEC_OK) {
    memset(flags, 1, j->n_in + j->n_out);
    status = sec_prune(walked, flags + j->n_in, flags, out);
  }
  sec_jaxpr_release(walked);
  sec_free(j->cx, flags);
  return status;
}

static bool is_checkpoint(const sec_primitive *p) { return p == &sec_checkpoint_p; }
static bool is_expandable(const sec_primitive *p) { return p->expand != NULL; }

/* Some equation, bodies included, has such a primitive. */
static bool has(const sec_jaxpr *j, bool (*wanted)(const sec_primitive *)) {
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    const sec_params *p = j->eqns[i].params;
    if (wanted(j->eqns[i].prim)) return true;
    for (int k = 0; p && k < p->n; k++) {
      const sec_param *q = &p->list[k];
      if (q->kind == SEC_PARAM_JAXPR && has(q->u.jaxpr, wanted)) return true;
      for (int b = 0; q->kind == SEC_PARAM_JAXPRS && b < q->u.jaxprs.n; b++)
        if (has(q->u.jaxprs.v[b], wanted)) return true;
    }
  }
  return false;
}

sec_status sec_jaxpr_simplify(const sec_jaxpr *j, bool inline_calls, sec_jaxpr **out) {
  SEC_TRY(simplify_body(j, (walk_mode){.inline_calls = inline_calls, .merge = true}, out));
  if (!inline_calls || !has(*out, is_checkpoint)) return SEC_OK;
  sec_jaxpr *first = *out;
  sec_status status =
      simplify_body(first, (walk_mode){.inline_calls = true, .inline_checkpoints = true}, out);
  sec_jaxpr_release(first);
  return status;
}

sec_status sec_jaxpr_prepare(const sec_jaxpr *j, sec_jaxpr **out) {
  sec_jaxpr *expanded = NULL;
  if (!has(j, is_expandable)) return sec_jaxpr_simplify(j, true, out);
  *out = NULL;
  SEC_TRY(simplify_body(j, (walk_mode){.expand = true}, &expanded));
  sec_status status = sec_jaxpr_simplify(expanded, true, out);
  sec_jaxpr_release(expanded);
  return status;
}
