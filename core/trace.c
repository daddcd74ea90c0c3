/* Open traces: a stack a thread, growing lists of variables and equations, captures, source places.
 * A trace becomes a jaxpr by handing its lists over: nothing is copied at the end. */
#include "memory.h"
#include "trace.h"
#include "status_place.h"
#include <string.h>

#define MAX_DEPTH 256
#define N_CLOSED 64

static _Thread_local sec_trace *stack[MAX_DEPTH];
static _Thread_local int        depth;
static _Thread_local uint32_t   forced_location;
/* names of the traces closed last, for the error about a leaked value */
static _Thread_local struct { uint32_t id; char name[48]; } closed[N_CLOSED];
static _Thread_local int next_closed;
static atomic_uint next_id = 1;

sec_trace   *sec_trace_current(void) { return depth ? stack[depth - 1] : NULL; }
sec_context *sec_trace_context(const sec_trace *t) { return t->cx; }
int          sec_trace_depth(void) { return depth; }

void sec_trace_no_memory(void) {
  if (depth) stack[depth - 1]->no_memory = true;
}

sec_trace *sec_trace_find(uint32_t id) {
  for (int i = depth; i-- > 0;)
    if (stack[i]->id == id) return stack[i];
  return NULL;
}

sec_trace *sec_trace_begin(sec_context *cx, const char *name) {
  if (depth == MAX_DEPTH) {
    sec_error_set(SEC_ARGUMENT, "look for a transform that calls itself without end", "trace %s: %d traces are open", name,
                  MAX_DEPTH);
    return NULL;
  }
  sec_trace *t = sec_mem_zeroed(1, sizeof *t);
  sec_arena *arena = t ? sec_arena_create(cx) : NULL;
  char      *copy = arena ? sec_mem_strdup(name ? name : "f") : NULL;
  if (!copy) {
    sec_arena_destroy(arena);
    sec_mem_free(t);
    sec_error_set(SEC_MEMORY, NULL, "out of memory: no trace could be opened");
    return NULL;
  }
  *t = (sec_trace){.cx = cx, .arena = arena, .name = copy, .saved_location = forced_location};
  do t->id = atomic_fetch_add(&next_id, 1);
  while (t->id == 0);
  forced_location = 0;
  stack[depth++] = t;
  return t;
}

/* Room for one more of `n` items in a list that starts at 32 and doubles. */
static bool room_for(void **list, uint32_t n, uint32_t *room, size_t size) {
  if (n < *room) return true;
  uint32_t more = *room ? 2 * *room : 32;
  void    *grown = sec_mem_realloc(*list, more * size);
  if (!grown) {
    sec_error_set(SEC_MEMORY, NULL, "out of memory: the trace could not grow");
    return false;
  }
  *list = grown;
  *room = more;
  return true;
}

bool sec_trace_new_var(sec_trace *t, const sec_aval *aval, uint32_t *var) {
  if (!room_for((void **)&t->avals, t->n_vars, &t->var_room, sizeof *t->avals)) return false;
  t->avals[t->n_vars] = aval;
  *var = t->n_vars++;
  return true;
}

bool sec_trace_new_eqn(sec_trace *t, const sec_eqn *eqn) {
  if (!room_for((void **)&t->eqns, t->n_eqns, &t->eqn_room, sizeof *t->eqns)) return false;
  t->eqns[t->n_eqns] = *eqn;
  t->eqns[t->n_eqns++].loc = forced_location;
  return true;
}

sec_value sec_trace_input_aval(sec_trace *t, const sec_aval *aval) {
  uint32_t var;
  if (!t || !aval) return SEC_VALUE_POISON;
  if (t->n_in != t->n_vars) {
    sec_error_set(SEC_ARGUMENT, "declare every input before the first operation", "trace %s: an input after an operation", t->name);
    return SEC_VALUE_POISON;
  }
  if (!sec_trace_new_var(t, aval, &var)) return SEC_VALUE_POISON;
  t->n_in++;
  return (sec_value){t->id, var};
}

sec_value sec_trace_input(sec_trace *t, sec_dtype dtype, int rank, const int64_t *dims) {
  return t ? sec_trace_input_aval(t, sec_aval_get(t->cx, dtype, false, rank, dims)) : SEC_VALUE_POISON;
}

/* ---- literals and captures ---- */
static sec_value literal_in(sec_trace *t, const sec_literal *l) {
  if (!room_for((void **)&t->literals, t->n_literals, &t->literal_room, sizeof *t->literals)) return SEC_VALUE_POISON;
  t->literals[t->n_literals] = *l;
  return (sec_value){t->id, t->n_literals++ | SEC_REF_LITERAL_BIT};
}

static sec_trace *literal_trace(void) {
  sec_trace *t = sec_trace_current();
  if (!t) sec_error_set(SEC_NO_TRACE, "call it inside a function that is being traced", "literal: no trace is open");
  return t;
}

sec_value sec_literal_complex(sec_dtype dtype, bool weak, double re, double im) {
  sec_trace      *t = literal_trace();
  const sec_aval *aval = t ? sec_aval_get(t->cx, dtype, weak, 0, NULL) : NULL;
  if (!aval) return SEC_VALUE_POISON;
  if (dtype == SEC_C64 && !weak) re = (double)(float)re, im = (double)(float)im;
  union { double f; int64_t i; } bits = {im};
  return literal_in(t, &(sec_literal){aval, re, bits.i});
}

sec_value sec_literal_of(sec_dtype dtype, bool weak, double x, int64_t i) {
  sec_trace      *t = literal_trace();
  const sec_aval *aval = t ? sec_aval_get(t->cx, dtype, weak, 0, NULL) : NULL;
  if (!aval) return SEC_VALUE_POISON;
  sec_kind kind = sec_dtype_kind(dtype);
  bool     is_float = kind == SEC_KIND_FLOAT;
  if (kind == SEC_KIND_COMPLEX) return sec_literal_complex(dtype, weak, x, 0);
  if (dtype == SEC_F32 && !weak) x = (double)(float)x; /* a weak literal keeps its digits until it meets a type */
  if (kind == SEC_KIND_BOOL) i = i != 0;
  else if (!is_float && sec_dtype_bits(dtype) < 64) { /* wrap to the width */
    int shift = 64 - sec_dtype_bits(dtype);
    i = kind == SEC_KIND_INT ? (int64_t)((uint64_t)i << shift) >> shift : (int64_t)(((uint64_t)i << shift) >> shift);
  }
  return literal_in(t, &(sec_literal){aval, is_float ? x : 0, is_float ? 0 : i});
}

sec_value sec_literal_copy(const sec_literal *l) {
  sec_trace  *t = literal_trace();
  sec_literal copy = *l; /* the list that it is in may move */
  return t ? literal_in(t, &copy) : SEC_VALUE_POISON;
}

static sec_value weak_literal(sec_kind kind, double x, int64_t i) {
  sec_trace *t = sec_trace_current();
  return sec_literal_of(t ? sec_dtype_default(t->cx, kind) : SEC_F32, kind != SEC_KIND_BOOL, x, i);
}
sec_value sec_scalar(double x) { return weak_literal(SEC_KIND_FLOAT, x, 0); }
sec_value sec_scalar_complex(double re, double im) {
  sec_trace *t = sec_trace_current();
  return sec_literal_complex(t ? sec_dtype_default(t->cx, SEC_KIND_COMPLEX) : SEC_C64, true, re, im);
}
sec_value sec_scalar_int(int64_t x) { return weak_literal(SEC_KIND_INT, 0, x); }
sec_value sec_scalar_bool(bool x) { return weak_literal(SEC_KIND_BOOL, 0, x); }

static sec_value capture(sec_trace *t, sec_array *array, sec_value outer, const sec_aval *aval) {
  for (uint32_t k = t->n_consts; k-- > 0;)
    if (array ? t->consts[k].array == array : !t->consts[k].array && t->consts[k].outer.trace == outer.trace && t->consts[k].outer.ref == outer.ref)
      return (sec_value){t->id, t->consts[k].var};
  uint32_t var;
  if (!room_for((void **)&t->consts, t->n_consts, &t->const_room, sizeof *t->consts)) return SEC_VALUE_POISON;
  if (!sec_trace_new_var(t, aval, &var)) return SEC_VALUE_POISON;
  t->consts[t->n_consts++] = (sec_const){var, array ? sec_array_retain(array) : NULL, outer};
  return (sec_value){t->id, var};
}

sec_value sec_constant(sec_array *a) {
  sec_trace *t = sec_trace_current();
  if (!a) return SEC_VALUE_POISON;
  if (!t) {
    sec_error_set(SEC_NO_TRACE, "call it inside a function that is being traced", "constant %s: no trace is open", a->aval->text);
    return SEC_VALUE_POISON;
  }
  if (sec_array_check(a) != SEC_OK) return SEC_VALUE_POISON;
  if (!a->place) return capture(t, a, SEC_VALUE_POISON, a->aval);
  sec_array *constant = sec_array_to_device(a, 0, false); /* what is captured does not say where code runs */
  if (!constant) return SEC_VALUE_POISON;
  sec_value v = capture(t, constant, SEC_VALUE_POISON, a->aval);
  sec_array_release(constant);
  return v;
}

static void leaked(sec_value v) {
  for (int k = 0; k < N_CLOSED; k++)
    if (closed[k].id == v.trace) {
      sec_error_set(SEC_LEAKED, "return it from the function instead of storing it outside",
                    "a value of %s was used after that function's trace had ended", closed[k].name);
      return;
    }
  sec_error_set(SEC_LEAKED, "return it from the function instead of storing it outside",
                "a value was used outside the trace that made it");
}

static const sec_aval *ref_aval(const sec_trace *t, sec_ref r) {
  return sec_ref_is_literal(r) ? t->literals[sec_ref_index(r)].aval : t->avals[r];
}

bool sec_trace_lift(sec_trace *t, sec_value v, sec_ref *ref) {
  if (v.trace == t->id) {
    *ref = v.ref;
    return true;
  }
  if (v.trace == 0) {
    if (v.ref == 1) sec_error_set(SEC_ARGUMENT, "report this as a defect", "a symbolic zero was used as an operand");
    return false; /* poison: the error is recorded already */
  }
  sec_trace *owner = sec_trace_find(v.trace);
  if (!owner) {
    leaked(v);
    return false;
  }
  sec_value here = sec_ref_is_literal(v.ref) ? literal_in(t, &owner->literals[sec_ref_index(v.ref)])
                                             : capture(t, NULL, v, owner->avals[v.ref]);
  *ref = here.ref;
  return sec_value_ok(here);
}

const sec_aval *sec_value_aval(sec_value v) {
  sec_trace *t = depth && stack[depth - 1]->id == v.trace ? stack[depth - 1] : sec_trace_find(v.trace);
  if (t) return ref_aval(t, v.ref);
  if (v.trace) leaked(v);
  return NULL;
}

const sec_literal *sec_value_literal(sec_value v) {
  sec_trace *t = v.trace ? sec_trace_find(v.trace) : NULL;
  return t && sec_ref_is_literal(v.ref) ? &t->literals[sec_ref_index(v.ref)] : NULL;
}

/* ---- places ---- */
uint32_t sec_trace_set_location(uint32_t loc) {
  uint32_t former = forced_location;
  forced_location = loc;
  return former;
}

sec_value sec_at(sec_value v, const char *file, int line) {
  if (!sec_value_ok(v)) {
    sec_error_place(file, line);
    return v;
  }
  sec_trace *t = sec_trace_current();
  if (!t || t->n_located == t->n_eqns) return v;
  if (file != t->last_file || line != t->last_line) {
    t->last_loc = sec_location_get(t->cx, file, line);
    t->last_file = file;
    t->last_line = line;
  }
  for (; t->n_located < t->n_eqns; t->n_located++)
    if (!t->eqns[t->n_located].loc) t->eqns[t->n_located].loc = t->last_loc;
  return v;
}

/* ---- the end ---- */
static void trace_pop(sec_trace *t) {
  while (depth && stack[depth - 1] != t) sec_trace_abandon(stack[depth - 1]); /* inner ones that a failure left open */
  if (depth) depth--;
  forced_location = t->saved_location;
  closed[next_closed].id = t->id;
  strncpy(closed[next_closed].name, t->name, sizeof closed[0].name - 1);
  next_closed = (next_closed + 1) % N_CLOSED;
}

static void trace_free(sec_trace *t) {
  for (uint32_t i = 0; i < t->n_eqns; i++) sec_params_release(t->eqns[i].params);
  for (uint32_t k = 0; k < t->n_consts; k++) sec_array_release(t->consts[k].array);
  sec_mem_free(t->avals), sec_mem_free(t->eqns), sec_mem_free(t->literals), sec_mem_free(t->consts), sec_mem_free(t->name);
  sec_arena_destroy(t->arena);
  sec_mem_free(t);
}

void sec_trace_abandon(sec_trace *t) {
  if (!t) return;
  trace_pop(t);
  trace_free(t);
}

sec_status sec_trace_end(sec_trace *t, const sec_value *outs, int n_outs, sec_jaxpr **out) {
  *out = NULL;
  if (!t) return sec_error_status(NULL);
  sec_jaxpr *j = sec_mem_zeroed(1, sizeof *j);
  sec_ref   *refs = sec_arena_alloc(t->arena, (size_t)(n_outs ? n_outs : 1) * sizeof *refs);
  sec_status status = j && refs && !t->no_memory ? SEC_OK : sec_error_set(SEC_MEMORY, NULL, "out of memory: no jaxpr could be made");
  for (int i = 0; i < n_outs && status == SEC_OK; i++)
    if (!sec_trace_lift(t, outs[i], &refs[i])) {
      sec_error_set(SEC_ARGUMENT, "set every result of the function", "trace %s: result %d has no value", t->name, i);
      status = sec_error_status(NULL);
    }
  if (status != SEC_OK) {
    sec_mem_free(j);
    sec_trace_abandon(t);
    return status;
  }
  *j = (sec_jaxpr){.cx = t->cx, .name = t->name, .avals = t->avals, .eqns = t->eqns, .outs = refs, .literals = t->literals,
                   .consts = t->consts, .n_vars = t->n_vars, .n_in = t->n_in, .n_eqns = t->n_eqns, .n_out = (uint32_t)n_outs,
                   .n_literals = t->n_literals, .n_consts = t->n_consts, .arena = t->arena};
  atomic_init(&j->refs, 1);
  trace_pop(t);
  sec_mem_free(t);
  *out = j;
  return SEC_OK;
}
