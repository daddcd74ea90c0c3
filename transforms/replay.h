/* The loop that every transform shares: a jaxpr's equations are walked in order, with an environment from
 * variables to values of the current trace; and the way a new jaxpr is made: inputs, `build`, outputs. */
#ifndef SEC_REPLAY_H
#define SEC_REPLAY_H

#include "primitive.h"
#include <secant/ops.h>

/* n zeroed items that live as long as the arena; NULL (recorded) without memory. */
#define SEC_NEW(arena, type, n) ((type *)sec_arena_alloc((arena), ((size_t)(n) + 1) * sizeof(type)))

/* Floats and complex numbers have tangents; integers and bools have none. */
static inline bool sec_has_tangent(const sec_aval *a) {
  return sec_dtype_kind(a->dtype) >= SEC_KIND_FLOAT;
}
static inline const sec_aval *sec_out_aval(const sec_jaxpr *j, uint32_t i) {
  return sec_ref_aval(j, j->outs[i]);
}
/* The same dtype and shape; weak types may differ. */
bool sec_same_type(const sec_aval *a, const sec_aval *b);
/* The recorded error's status, for a value that came back as poison. */
sec_status sec_failed(void);
/* x with weak type dropped or added as in `aval`; shape and dtype have to be those of `aval`. */
sec_value sec_with_weak(sec_value x, const sec_aval *aval);
/* ct added to *sum, either of which may be SEC_VALUE_ZERO. */
sec_status sec_accumulate(sec_value *sum, sec_value ct);

/* ---- a walk over the equations of one jaxpr ---- */
typedef struct sec_walk {
  const sec_jaxpr *j;
  sec_context *cx;
  sec_arena *arena;    /* scratch that lives as long as the walk */
  sec_value *env;      /* one a variable */
  sec_value *in, *out; /* of the current equation: room for the widest */
  const sec_aval **in_avals, **out_avals;
  uint32_t max_in, max_out, former_location;
} sec_walk;

/* Binds inputs (NULL: left as poison) and captures.  End it in any case. */
sec_status sec_walk_begin(sec_walk *w, const sec_jaxpr *j, const sec_value *in);
void sec_walk_end(sec_walk *w);
sec_value sec_walk_get(const sec_walk *w, sec_ref r);
/* Makes `e` the current equation: location, operands and types. */
void sec_walk_at(sec_walk *w, const sec_eqn *e);
/* Binds the current equation as it is; results go to w->out. */
sec_status sec_walk_rebind(sec_walk *w, const sec_eqn *e);
/* w->out becomes the value of the equation's results. */
void sec_walk_set(sec_walk *w, const sec_eqn *e);

/* ---- making a jaxpr ---- */
/* Fills out[] (at most max_out of them) and *n_out from the inputs, in the current trace. */
typedef sec_status (*sec_build_fn)(void *user, const sec_value *in, sec_value *out, int *n_out);
typedef struct sec_plan {
  sec_context *cx;
  const char *name;
  const sec_aval *const *in_avals;
  int n_in, max_out;
  sec_build_fn build;
  void *user;
} sec_plan;
/* Opens a trace, runs `build` and closes it.  *out is the caller's, NULL on error. */
sec_status sec_build(const sec_plan *p, sec_jaxpr **out);

/* j with other inputs and outputs: old input i is new input source[i]; output k is old output outs[k], or, when
 * outs[k] < 0, new input ~outs[k].  New inputs that no old one reads are ignored. */
typedef struct sec_rewiring {
  const sec_aval *const *in_avals;
  const int *source, *outs;
  int n_in, n_out;
} sec_rewiring;
sec_status sec_rewire(const sec_jaxpr *j, const sec_rewiring *r, sec_jaxpr **out);

/* ---- a map from values to integers, by open addressing ---- */
typedef struct sec_map {
  uint64_t *keys;
  int *values;
  uint32_t n, room;
  sec_context *cx;
} sec_map;
void sec_map_free(sec_map *m);
int sec_map_get(const sec_map *m, sec_value v); /* -1 when absent */
sec_status sec_map_put(sec_map *m, sec_value v, int value);

#endif
