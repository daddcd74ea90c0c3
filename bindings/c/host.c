/* C functions with a signature as host functions: libffi calls them, once an element or once for
 * all. */
#include "family.h"
#include "ir.h"
#include "signature.h"
#include <secant/host.h>
#include <stdlib.h>
#include <string.h>

typedef struct c_function {
  sec_signature s;
  sec_function address;
  void *user;
} c_function;

typedef union returned { /* libffi returns integers in whole registers */
  double d;
  float f;
  int64_t l;
  ffi_arg integer;
} returned;

static void store(sec_dtype dtype, const returned *r, void *to) {
  switch (dtype) {
  case SEC_I32: *(int32_t *)to = (int32_t)(ffi_sarg)r->integer; break;
  case SEC_BOOL: *(uint8_t *)to = r->integer != 0; break;
  default: memcpy(to, r, sec_dtype_size(dtype)); break;
  }
}

/* ---- running ---- */
static void run_elements(c_function *c, const void *const *in, void *out,
                         const sec_aval *const *types) {
  const sec_signature *s = &c->s;
  char *args[SEC_MAX_PARAMETERS], *to = out;
  size_t step[SEC_MAX_PARAMETERS];
  returned r;
  for (int k = 0, n = 0; k < s->n; k++) {
    bool user = s->parameter[k].kind == SEC_USER;
    step[k] = user || types[n]->rank == 0 ? 0 : sec_dtype_size(s->parameter[k].dtype);
    args[k] = user ? (char *)&c->user : (char *)in[n++];
  }
  for (int64_t i = 0; i < types[s->n_in]->size; i++) {
    ffi_call((ffi_cif *)&s->cif, c->address, &r, (void **)args);
    store(s->dtype, &r, to);
    to += sec_dtype_size(s->dtype);
    for (int k = 0; k < s->n; k++) args[k] += step[k];
  }
}

/* The sizes that the shapes of arrays give. */
static void find_sizes(const sec_signature *s, const sec_aval *const *types, int64_t *sizes) {
  for (int k = 0, n = 0; k < s->n; k++) {
    const sec_parameter *p = &s->parameter[k];
    if (p->kind != SEC_BY_VALUE && p->kind != SEC_ARRAY) continue;
    for (int d = 0; d < p->rank && d < types[n]->rank; d++)
      if (p->dims[d] < 0) sizes[-1 - p->dims[d]] = types[n]->dims[d];
    n++;
  }
}

static int run_arrays(c_function *c, const void *const *in, void *const *out,
                      const sec_aval *const *types) {
  const sec_signature *s = &c->s;
  int64_t sizes[SEC_SIGNATURE_SIZES];
  void *args[SEC_MAX_PARAMETERS];
  union {
    const void *pointer;
    int32_t i;
    int64_t l;
  } place[SEC_MAX_PARAMETERS];
  returned r = {.integer = 0};
  int n_in = 0, n_out = s->returns == SEC_RETURNS_VALUE;
  find_sizes(s, types, sizes);
  for (int k = 0; k < s->n; k++) {
    const sec_parameter *p = &s->parameter[k];
    args[k] = &place[k];
    switch (p->kind) {
    case SEC_BY_VALUE: args[k] = (void *)in[n_in++]; break;
    case SEC_ARRAY: place[k].pointer = in[n_in++]; break;
    case SEC_RESULT: place[k].pointer = out[n_out++]; break;
    case SEC_USER: place[k].pointer = c->user; break;
    case SEC_SIZE:
      if (p->dtype == SEC_I32) place[k].i = (int32_t)sizes[p->size];
      else place[k].l = sizes[p->size];
      break;
    }
  }
  ffi_call((ffi_cif *)&s->cif, c->address, &r, args);
  if (s->returns == SEC_RETURNS_VALUE) store(s->dtype, &r, out[0]);
  return s->returns == SEC_RETURNS_STATUS ? (int)(ffi_sarg)r.integer : 0;
}

static int run(void *user, const void *const *in, void *const *out, const sec_aval *const *types) {
  c_function *c = user;
  if (!c->s.elementwise) return run_arrays(c, in, out, types);
  run_elements(c, in, out[0], types);
  return 0;
}

/* ---- making ---- */
/* Every size can be told from the operands' shapes. */
static sec_status check_sizes(const char *name, const sec_signature *s) {
  bool known[SEC_SIGNATURE_SIZES] = {false};
  for (int k = 0; k < s->n; k++)
    for (int d = 0; d < s->parameter[k].rank; d++)
      if (s->parameter[k].kind == SEC_ARRAY && s->parameter[k].dims[d] < 0)
        known[-1 - s->parameter[k].dims[d]] = true;
  for (int k = 0; k < s->n; k++)
    if (s->parameter[k].kind == SEC_SIZE && !known[s->parameter[k].size])
      return sec_error_set(SEC_ARGUMENT, "name it in the shape of an argument, or pass it by value",
                           "%s: no argument has the size %c", name, 'a' + s->parameter[k].size);
  return SEC_OK;
}

sec_callable *sec_host_c(const char *name, const char *signature, sec_function address,
                         void *user) {
  c_function *c = malloc(sizeof *c);
  if (c == NULL) {
    sec_error_set(SEC_MEMORY, NULL, "out of memory: no host function could be made");
    return NULL;
  }
  name = name ? name : "C function";
  sec_status status = sec_signature_read(name, signature, &c->s);
  if (status == SEC_OK) status = check_sizes(name, &c->s);
  if (status == SEC_OK && c->s.n_out == 0)
    status = sec_error_set(SEC_ARGUMENT, "mark results with >", "%s: \"%s\" has no results", name,
                           signature);
  if (status == SEC_OK && address == NULL)
    status = sec_error_set(SEC_ARGUMENT, "pass a function", "%s: the address is NULL", name);
  c->address = address;
  c->user = user;
  sec_callable *host = status == SEC_OK ? sec_host_create(name, run, free, c) : NULL;
  if (host != NULL) host->elementwise = c->s.elementwise;
  else free(c);
  return host;
}

/* ---- calling ---- */
static sec_status convert(const sec_signature *s, const sec_value *in, sec_value *v) {
  for (int k = 0, n = 0; k < s->n; k++) {
    if (s->parameter[k].kind != SEC_BY_VALUE && s->parameter[k].kind != SEC_ARRAY) continue;
    v[n] = sec_value_ok(in[n]) ? sec_convert(in[n], s->parameter[k].dtype, false) : in[n];
    if (!sec_value_ok(v[n])) return sec_error_status(NULL);
    n++;
  }
  return SEC_OK;
}

static sec_status apply_elements(sec_callable *host, sec_context *cx, sec_value *v,
                                 sec_value *out) {
  const sec_signature *s = &((c_function *)host->user)->s;
  const sec_aval *shape = NULL;
  if (s->n_in > 0 && !sec_broadcast(host->name, v, s->n_in)) return sec_error_status(cx);
  for (int i = 0; i < s->n_in; i++) {
    const sec_aval *a = sec_value_aval(v[i]);
    if (shape == NULL || a->rank > shape->rank) shape = a;
  }
  const sec_aval *type =
      sec_aval_get(cx, s->dtype, false, shape ? shape->rank : 0, shape ? shape->dims : NULL);
  return type ? sec_host_call(host, v, s->n_in, &type, 1, out) : sec_error_status(cx);
}

static sec_status check_shape(const sec_callable *host, sec_context *cx, const sec_parameter *p,
                              int i, const sec_aval *have, const int64_t *sizes) {
  int64_t dims[SEC_MAX_RANK];
  sec_signature_dims(p, sizes, dims);
  const sec_aval *want = sec_aval_get(cx, p->dtype, false, p->rank, dims);
  if (want == NULL) return sec_error_status(cx);
  if (strcmp(have->text, want->text) == 0) return SEC_OK;
  return sec_error_set(SEC_SHAPE, "pass arrays of the signature's shapes",
                       "%s: operand %d is %s, expected %s", host->name, i, have->text, want->text);
}

static sec_status apply_arrays(sec_callable *host, sec_context *cx, const sec_value *v,
                               sec_value *out) {
  const sec_signature *s = &((c_function *)host->user)->s;
  const sec_aval *in[SEC_MAX_PARAMETERS], *types[SEC_MAX_PARAMETERS + 1];
  int64_t sizes[SEC_SIGNATURE_SIZES] = {0}, dims[SEC_MAX_RANK];
  int n_in = 0, n_out = 0;
  for (int i = 0; i < s->n_in; i++) in[i] = sec_value_aval(v[i]);
  find_sizes(s, in, sizes);
  if (s->returns == SEC_RETURNS_VALUE) types[n_out++] = sec_aval_get(cx, s->dtype, false, 0, NULL);
  for (int k = 0; k < s->n; k++) {
    const sec_parameter *p = &s->parameter[k];
    if (p->kind == SEC_BY_VALUE || p->kind == SEC_ARRAY) {
      SEC_TRY(check_shape(host, cx, p, n_in, in[n_in], sizes));
      n_in++;
    }
    if (p->kind != SEC_RESULT) continue;
    sec_signature_dims(p, sizes, dims);
    types[n_out++] = sec_aval_get(cx, p->dtype, false, p->rank, dims);
  }
  return sec_host_call(host, v, n_in, types, n_out, out);
}

sec_status sec_host_apply(sec_callable *host, const sec_value *in, sec_value *out) {
  sec_trace *t = sec_trace_current();
  sec_value v[SEC_MAX_PARAMETERS];
  if (host == NULL || host->run != run)
    return sec_error_set(SEC_ARGUMENT, "make it with sec_host_c",
                         "sec_host_apply: %s has no signature", host ? host->name : "NULL");
  const sec_signature *s = &((c_function *)host->user)->s;
  for (int i = 0; i < s->n_out; i++) out[i] = SEC_VALUE_POISON;
  if (t == NULL)
    return sec_error_set(SEC_NO_TRACE, "call it inside a function that is being traced",
                         "%s: no trace is open", host->name);
  SEC_TRY(convert(s, in, v));
  return s->elementwise ? apply_elements(host, sec_trace_context(t), v, out)
                        : apply_arrays(host, sec_trace_context(t), v, out);
}
