/* Compiled functions as C function pointers: libffi makes a small piece of code that calls
 * `called` with the addresses of the arguments. */
#include "fn_node.h"
#include "signature.h"
#include <math.h>
#include <secant/closure.h>
#include <string.h>

struct sec_closure {
  sec_context *cx;
  sec_fn *f; /* a node of its own */
  ffi_closure *closure;
  void *code;
  sec_signature s;
};

/* ---- one call ---- */
typedef struct call {
  sec_closure *c;
  void *returned, **args;
  int64_t sizes[SEC_SIGNATURE_SIZES];
  sec_array *in[SEC_MAX_PARAMETERS], *out[SEC_MAX_PARAMETERS + 1];
} call;

static void *pointer_at(const void *place) {
  void *p;
  memcpy(&p, place, sizeof p);
  return p;
}

static sec_status read_sizes(call *k) {
  const sec_signature *s = &k->c->s;
  for (int i = 0; i < s->n; i++) {
    if (s->parameter[i].kind != SEC_SIZE) continue;
    int64_t size = sec_signature_get_size(&s->parameter[i], k->args[i]);
    if (size < 0)
      return sec_error_set(SEC_ARGUMENT, "sizes are 0 or more", "closure: size %c is %lld",
                           'a' + s->parameter[i].size, (long long)size);
    k->sizes[s->parameter[i].size] = size;
  }
  return SEC_OK;
}

static sec_status read_arguments(call *k) {
  const sec_signature *s = &k->c->s;
  int64_t dims[SEC_MAX_RANK];
  for (int i = 0, n = 0; i < s->n; i++) {
    const sec_parameter *p = &s->parameter[i];
    if (p->kind != SEC_BY_VALUE && p->kind != SEC_ARRAY) continue;
    void *data = p->kind == SEC_ARRAY ? pointer_at(k->args[i]) : k->args[i];
    sec_signature_dims(p, k->sizes, dims);
    k->in[n] = sec_array_wrap(k->c->cx, p->dtype, p->rank, dims, data, NULL, NULL);
    if (k->in[n] == NULL) return sec_error_status(k->c->cx);
    if (data == NULL && sec_array_size(k->in[n]) > 0)
      return sec_error_set(SEC_ARGUMENT, NULL, "closure: parameter %d is NULL", i);
    n++;
  }
  return SEC_OK;
}

/* Where result r goes and its type: what is returned, then the parameters in order. */
static void *result_place(const call *k, int r, sec_parameter *type) {
  const sec_signature *s = &k->c->s;
  *type = (sec_parameter){.dtype = s->dtype};
  if (s->returns == SEC_RETURNS_VALUE && r-- == 0) return k->returned;
  for (int i = 0; i < s->n; i++)
    if (s->parameter[i].kind == SEC_RESULT && r-- == 0) {
      *type = s->parameter[i];
      return pointer_at(k->args[i]);
    }
  return NULL;
}

/* libffi returns integers in whole registers. */
static void put_returned(void *place, sec_dtype dtype, const void *value) {
  switch (dtype) {
  case SEC_I32: *(ffi_sarg *)place = *(const int32_t *)value; break;
  case SEC_BOOL: *(ffi_arg *)place = *(const uint8_t *)value; break;
  default: memcpy(place, value, sec_dtype_size(dtype)); break;
  }
}

static sec_status write_results(call *k) {
  int64_t dims[SEC_MAX_RANK];
  for (int r = 0; r < k->c->s.n_out; r++) {
    sec_parameter type;
    void *place = result_place(k, r, &type);
    const sec_array *a = k->out[r];
    sec_signature_dims(&type, k->sizes, dims);
    const sec_aval *want = sec_aval_get(k->c->cx, type.dtype, false, type.rank, dims);
    if (want == NULL) return sec_error_status(k->c->cx);
    if (strcmp(want->text, a->aval->text) != 0)
      return sec_error_set(SEC_TYPE, "give the signature the types of the function's results",
                           "closure: result %d is %s, but the signature says %s", r, a->aval->text,
                           want->text);
    if (place == NULL && a->bytes > 0)
      return sec_error_set(SEC_ARGUMENT, NULL, "closure: the place of result %d is NULL", r);
    if (place == k->returned) put_returned(place, type.dtype, a->data);
    else if (a->bytes > 0) memcpy(place, a->data, a->bytes);
  }
  return SEC_OK;
}

static void write_failure(call *k) {
  int64_t dims[SEC_MAX_RANK];
  for (int r = 0; r < k->c->s.n_out; r++) {
    sec_parameter type;
    char *place = result_place(k, r, &type);
    size_t size = sec_dtype_size(type.dtype), n = 1;
    const float nan32 = NAN;
    const double nan64 = NAN;
    const int64_t none = 0;
    const void *value = type.dtype == SEC_F64   ? (const void *)&nan64
                        : type.dtype == SEC_F32 ? (const void *)&nan32
                                                : &none;
    sec_signature_dims(&type, k->sizes, dims);
    for (int d = 0; d < type.rank; d++) n *= dims[d] > 0 ? (size_t)dims[d] : 0;
    if (place == k->returned) put_returned(place, type.dtype, value);
    else
      for (size_t i = 0; place != NULL && i < n; i++) memcpy(place + i * size, value, size);
  }
}

static void called(ffi_cif *cif, void *returned, void **args, void *user) {
  call k = {.c = user, .returned = returned, .args = args};
  (void)cif;
  sec_status status = read_sizes(&k);
  if (status == SEC_OK) status = read_arguments(&k);
  if (status == SEC_OK) status = sec_call(k.c->f, k.in, k.out);
  if (status == SEC_OK) status = write_results(&k);
  if (status != SEC_OK) write_failure(&k);
  if (k.c->s.returns == SEC_RETURNS_STATUS) *(ffi_sarg *)returned = status;
  for (int i = 0; i < k.c->s.n_in; i++) sec_array_release(k.in[i]);
  for (int i = 0; i < k.c->s.n_out; i++) sec_array_release(k.out[i]);
}

/* ---- making and freeing ---- */
static sec_status check_counts(const sec_fn *f, const char *text, const sec_signature *s) {
  if (s->n_in == sec_fn_n_in(f) && s->n_out == sec_fn_n_out(f)) return SEC_OK;
  return sec_error_set(
      SEC_ARGUMENT, "give each argument and each result one place",
      "closure: \"%s\" has %d arguments and %d results, the function has %d and %d", text, s->n_in,
      s->n_out, sec_fn_n_in(f), sec_fn_n_out(f));
}

sec_closure *sec_closure_create(sec_fn *f, const char *signature) {
  sec_fn *own = sec_jit(f);
  if (own == NULL) return NULL;
  sec_context *cx = own->cx;
  sec_closure *c = sec_alloc(cx, sizeof *c);
  if (c != NULL) *c = (sec_closure){.cx = cx, .f = own};
  if (c == NULL || sec_signature_read("closure", signature, &c->s) != SEC_OK ||
      check_counts(f, signature, &c->s) != SEC_OK) {
    sec_fn_destroy(own);
    sec_free(cx, c);
    return NULL;
  }
  c->closure = ffi_closure_alloc(sizeof *c->closure, &c->code);
  if (c->closure == NULL ||
      ffi_prep_closure_loc(c->closure, &c->s.cif, called, c, c->code) != FFI_OK) {
    sec_error_set(SEC_MEMORY, NULL, "closure: libffi gives no memory that can run");
    sec_closure_destroy(c);
    return NULL;
  }
  return c;
}

void sec_closure_destroy(sec_closure *c) {
  if (c == NULL) return;
  if (c->closure != NULL) ffi_closure_free(c->closure);
  sec_fn_destroy(c->f);
  sec_free(c->cx, c);
}

sec_function sec_closure_function(const sec_closure *c) {
  sec_function f;
  memcpy(&f, &c->code, sizeof f); /* C has no conversion of data to function pointers */
  return f;
}
