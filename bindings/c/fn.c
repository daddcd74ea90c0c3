/* Functions: nodes, their cache by signature, and calls.  A cached call looks at its last entry
 * first, takes no lock and allocates nothing of its own. */
#include "fn_node.h"
#include "hash.h"
#include <stdlib.h>
#include <string.h>

#define SMALL 64

/* ---- nodes ---- */
static void entry_free(sec_context *cx, sec_fn_entry *e) {
  sec_executable_release(e->executable);
  sec_jaxpr_release(e->jaxpr);
  sec_free(cx, e);
}

static void fn_release(void *object) {
  sec_fn *f = object;
  if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1) return;
  for (int b = 0; b < SEC_FN_BUCKETS; b++)
    for (sec_fn_entry *e = atomic_load(&f->entries[b]), *next; e; e = next) {
      next = e->next;
      entry_free(f->cx, e);
    }
  fn_release(f->parent);
  sec_jaxpr_release(f->jaxpr);
  sec_callable_release(f->rule);
  sec_callable_release(f->bwd);
  sec_free(f->cx, f->name);
  sec_free(f->cx, f->axes);
  sec_free(f->cx, f->out_axes);
  sec_free(f->cx, f->axis_name);
  sec_free(f->cx, f);
}

static sec_fn *fn_new(sec_context *cx, const char *name, sec_fn_tracer trace, int n_in, int n_out) {
  sec_fn *f = sec_alloc(cx, sizeof *f);
  if (!f) return NULL;
  memset(f, 0, sizeof *f);
  f->cx = cx;
  f->trace = trace;
  f->n_in = n_in;
  f->n_out = n_out;
  atomic_init(&f->refs, 1);
  size_t bytes = strlen(name) + 1;
  f->name = sec_alloc(cx, bytes);
  if (f->name) memcpy(f->name, name, bytes);
  if (!f->name || sec_context_own(cx, f, fn_release) != SEC_OK) {
    fn_release(f);
    return NULL;
  }
  return f;
}

sec_fn *sec_fn_derive(sec_fn *parent, sec_fn_tracer trace, int n_in, int n_out) {
  if (!parent) return NULL;
  sec_fn *f = fn_new(parent->cx, parent->name, trace, n_in, n_out);
  if (!f) return NULL;
  atomic_fetch_add_explicit(&parent->refs, 1, memory_order_relaxed);
  f->parent = parent;
  return f;
}

sec_fn *sec_fn_with_axes(sec_fn *f, const int *axes, int n) {
  if (!f) return NULL;
  size_t bytes = (size_t)(n ? n : 1) * sizeof(int);
  f->axes = sec_alloc(f->cx, bytes);
  if (!f->axes) {
    sec_fn_destroy(f);
    return NULL;
  }
  memset(f->axes, 0, bytes);
  if (axes) memcpy(f->axes, axes, (size_t)n * sizeof(int));
  f->n_axes = n;
  return f;
}

void sec_fn_destroy(sec_fn *f) {
  if (!f) return;
  sec_context_disown(f->cx, f);
  fn_release(f);
}

int sec_fn_n_in(const sec_fn *f) { return f->n_in; }
int sec_fn_n_out(const sec_fn *f) { return f->n_out; }

/* ---- leaves: C functions and jaxprs ---- */
static sec_status run_body(sec_trace *t, sec_fn_body body, void *user, const sec_aval *const *in,
                           int n_in, sec_value *values, int n_out, sec_jaxpr **out) {
  sec_value *results = values + n_in;
  for (int i = 0; i < n_in; i++) values[i] = sec_trace_input_aval(t, in[i]);
  for (int i = 0; i < n_out; i++) results[i] = SEC_VALUE_POISON;
  bool clean = sec_error_status(NULL) == SEC_OK;
  body(values, results, user);
  if (clean && sec_error_status(NULL) != SEC_OK) {
    sec_trace_abandon(t);
    return sec_error_status(NULL);
  }
  return sec_trace_end(t, results, n_out, out);
}

sec_status sec_fn_trace_body(sec_context *cx, const char *name, sec_fn_body body, void *user,
                             const sec_aval *const *in, int n_in, int n_out, sec_jaxpr **out) {
  sec_value  small[SMALL];
  sec_value *values =
      n_in + n_out <= SMALL ? small : sec_alloc(cx, (size_t)(n_in + n_out) * sizeof *values);
  *out = NULL;
  sec_trace *t = values ? sec_trace_begin(cx, name) : NULL;
  sec_status status =
      t ? run_body(t, body, user, in, n_in, values, n_out, out) : sec_error_status(cx);
  if (values != small) sec_free(cx, values);
  return status;
}

static sec_status trace_user_body(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  return sec_fn_trace_body(f->cx, f->name, f->body, f->user, in, f->n_in, f->n_out, out);
}

static sec_status trace_jaxpr(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  for (int i = 0; i < f->n_in; i++) {
    const sec_aval *want = sec_jaxpr_in_aval(f->jaxpr, i);
    if (strcmp(sec_aval_text(want), sec_aval_text(in[i])) != 0)
      return sec_error_set(SEC_TYPE, "a jaxpr takes the types that it was traced for",
                           "%s: argument %d is %s, expected %s", f->name, i, sec_aval_text(in[i]),
                           sec_aval_text(want));
  }
  *out = sec_jaxpr_retain(f->jaxpr);
  return SEC_OK;
}

sec_fn *sec_fn_create(sec_context *cx, const char *name, sec_fn_body body, void *user, int n_in,
                      int n_out) {
  if (!cx || !body || n_in < 0 || n_out < 0) {
    sec_error_set(SEC_ARGUMENT,
                  "pass a context, a function and its numbers of arguments and results",
                  "sec_fn_create: %s%s, %d arguments, %d results", cx ? "" : "no context, ",
                  body ? "a body" : "no body", n_in, n_out);
    return NULL;
  }
  sec_fn *f = fn_new(cx, name ? name : "f", trace_user_body, n_in, n_out);
  if (!f) return NULL;
  f->body = body;
  f->user = user;
  return f;
}

sec_fn *sec_fn_from_jaxpr(sec_jaxpr *j) {
  if (!j) return NULL;
  sec_fn *f = fn_new(sec_jaxpr_context(j), j->name ? j->name : "f", trace_jaxpr, sec_jaxpr_n_in(j),
                     sec_jaxpr_n_out(j));
  if (f) f->jaxpr = sec_jaxpr_retain(j);
  return f;
}

/* ---- jaxprs ---- */
sec_status sec_fn_trace(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  *out = NULL;
  for (int i = 0; i < f->n_in; i++)
    if (!in[i])
      return sec_error_set(SEC_ARGUMENT, "pass a type for every argument",
                           "%s: argument %d has no type", f->name, i);
  return f->trace(f, in, out);
}

sec_status sec_fn_jaxpr(sec_fn *f, const sec_aval *const *in, sec_jaxpr **out) {
  sec_jaxpr *j;
  *out = NULL;
  if (!f)
    return sec_error_set(SEC_ARGUMENT, "look at the error of the call that made it",
                         "sec_fn_jaxpr: the function is NULL");
  SEC_TRY(sec_fn_trace(f, in, &j));
  sec_status status = sec_jaxpr_simplify(j, false, out);
  sec_jaxpr_release(j);
  return status;
}

sec_status sec_apply(sec_fn *f, const sec_value *in, sec_value *out) {
  const sec_aval *small[SMALL];
  if (!f)
    return sec_error_set(SEC_ARGUMENT, "look at the error of the call that made it",
                         "sec_apply: the function is NULL");
  for (int i = 0; i < f->n_out; i++) out[i] = SEC_VALUE_POISON;
  if (!sec_trace_current())
    return sec_error_set(SEC_NO_TRACE, "use sec_call with arrays",
                         "%s: sec_apply outside a traced function", f->name);
  const sec_aval **avals =
      f->n_in <= SMALL ? small : sec_alloc(f->cx, (size_t)f->n_in * sizeof *avals);
  if (!avals) return SEC_MEMORY;
  sec_jaxpr *j = NULL;
  sec_status status = SEC_OK;
  for (int i = 0; i < f->n_in && status == SEC_OK; i++)
    if (!(avals[i] = sec_value_aval(in[i])))
      status = sec_error_set(SEC_ARGUMENT, "set it before it is used",
                             "%s: argument %d has no value", f->name, i);
  if (status == SEC_OK) status = sec_fn_trace(f, avals, &j);
  if (status == SEC_OK) status = sec_jaxpr_apply(j, in, out);
  sec_jaxpr_release(j);
  if (avals != small) sec_free(f->cx, avals);
  return status;
}

/* ---- calls ---- */
static inline bool matches(const sec_fn *f, const sec_fn_entry *e, sec_array *const *in) {
  if (e->x64 != f->cx->x64) return false;
  for (int i = 0; i < f->n_in; i++)
    if (!in[i] || in[i]->aval != e->avals[i]) return false;
  return true;
}

static int bucket_of(const sec_fn *f, sec_array *const *in) {
  uint64_t h = f->cx->x64;
  for (int i = 0; i < f->n_in; i++) h = sec_hash_word(h, in[i]->aval->hash);
  return (int)(h % SEC_FN_BUCKETS);
}

/* Traces and compiles for the types of `in`. */
static sec_status entry_new(sec_fn *f, sec_array *const *in, sec_fn_entry **out) {
  sec_fn_entry *e = sec_alloc(f->cx, sizeof *e + (size_t)f->n_in * sizeof e->avals[0]);
  if (!e) return SEC_MEMORY;
  *e = (sec_fn_entry){.x64 = f->cx->x64};
  for (int i = 0; i < f->n_in; i++) e->avals[i] = in[i]->aval;
  sec_status status = sec_fn_jaxpr(f, e->avals, &e->jaxpr);
  e->n_consts = e->jaxpr ? sec_jaxpr_n_consts(e->jaxpr) : 0;
  for (int k = 0; k < e->n_consts; k++)
    if (!sec_jaxpr_const_array(e->jaxpr, k))
      status =
          sec_error_set(SEC_ARGUMENT, "use sec_apply inside a traced function",
                        "%s: sec_call of a function that uses a value of an open trace", f->name);
  if (status == SEC_OK) status = sec_compile(f->cx, e->jaxpr, NULL, &e->executable);
  if (status == SEC_OK) *out = e;
  else entry_free(f->cx, e);
  return status;
}

static sec_status check_arguments(const sec_fn *f, sec_array *const *in) {
  for (int i = 0; i < f->n_in; i++) {
    if (!in[i])
      return sec_error_set(SEC_ARGUMENT, "pass an array for every argument",
                           "%s: argument %d is NULL", f->name, i);
    if (in[i]->cx != f->cx)
      return sec_error_set(SEC_ARGUMENT, "make arrays and functions in one context",
                           "%s: argument %d belongs to another context", f->name, i);
  }
  return SEC_OK;
}

/* Two threads may both make an entry: either serves. */
static sec_status find_entry(sec_fn *f, sec_array *const *in, sec_fn_entry **out) {
  SEC_TRY(check_arguments(f, in));
  _Atomic(sec_fn_entry *) *bucket = &f->entries[bucket_of(f, in)];
  sec_fn_entry            *e = atomic_load_explicit(bucket, memory_order_acquire);
  while (e && !matches(f, e, in)) e = e->next;
  if (!e) {
    SEC_TRY(entry_new(f, in, &e));
    e->next = atomic_load_explicit(bucket, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(bucket, &e->next, e, memory_order_acq_rel,
                                                  memory_order_relaxed)) {
    }
  }
  atomic_store_explicit(&f->last, e, memory_order_release);
  *out = e;
  return SEC_OK;
}

static sec_status run(sec_executable *e, sec_array *const *in, const bool *donate,
                      sec_array **out) {
  return donate ? sec_execute_donating(e, in, donate, out) : sec_execute(e, in, out);
}

static sec_status execute(const sec_fn *f, const sec_fn_entry *e, sec_array *const *in,
                          const bool *donate, sec_array **out) {
  sec_array *small[SMALL];
  bool       none[SMALL];
  size_t     n = (size_t)e->n_consts + (size_t)f->n_in, n_consts = (size_t)e->n_consts;
  if (n_consts == 0) return run(e->executable, in, donate, out);
  size_t      bytes = n * (sizeof *small + sizeof *none);
  sec_array **operands = n <= SMALL ? small : sec_alloc(f->cx, bytes);
  if (!operands) return SEC_MEMORY;
  bool *donated = !donate ? NULL : n <= SMALL ? none : (bool *)(operands + n);
  for (size_t k = 0; k < n_consts; k++) operands[k] = e->jaxpr->consts[k].array;
  for (size_t k = 0; donated && k < n; k++) donated[k] = k >= n_consts && donate[k - n_consts];
  memcpy(operands + n_consts, in, (size_t)f->n_in * sizeof *in);
  sec_status status = run(e->executable, operands, donated, out);
  if (operands != small) sec_free(f->cx, operands);
  return status;
}

sec_status sec_call(sec_fn *f, sec_array *const *in, sec_array **out) {
  return sec_call_donating(f, in, NULL, out);
}

sec_status sec_call_donating(sec_fn *f, sec_array *const *in, const bool *donate,
                             sec_array **out) {
  if (!f)
    return sec_error_set(SEC_ARGUMENT, "look at the error of the call that made it",
                         "sec_call: the function is NULL");
  sec_fn_entry *e = atomic_load_explicit(&f->last, memory_order_acquire);
  sec_status    status = SEC_OK;
  if (!e || !matches(f, e, in)) status = find_entry(f, in, &e);
  if (status == SEC_OK) status = execute(f, e, in, donate, out);
  if (status != SEC_OK)
    for (int i = 0; i < f->n_out; i++) out[i] = NULL;
  return status;
}
