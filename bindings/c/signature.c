/* Reads signatures; see signature.h. */
#include "signature.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
  const char *who, *text, *at;
} reader;

static sec_status wrong(const reader *r, const char *what) {
  return sec_error_set(SEC_ARGUMENT, "write it as \"d(d)\" or \"v(i:n, d[n], >d[n])\"",
                       "%s: signature \"%s\": position %d: %s", r->who, r->text,
                       (int)(r->at - r->text), what);
}

static bool accept(reader *r, char c) {
  r->at += strspn(r->at, " ");
  if (*r->at != c) return false;
  r->at++;
  return true;
}

static const struct {
  char letter;
  sec_dtype dtype;
  ffi_type *type;
} letters[] = {{'d', SEC_F64, &ffi_type_double},
               {'f', SEC_F32, &ffi_type_float},
               {'i', SEC_I32, &ffi_type_sint32},
               {'l', SEC_I64, &ffi_type_sint64},
               {'b', SEC_BOOL, &ffi_type_uint8}};

static bool read_type(reader *r, sec_dtype *dtype, ffi_type **type) {
  for (size_t k = 0; k < sizeof letters / sizeof *letters; k++)
    if (accept(r, letters[k].letter)) {
      *dtype = letters[k].dtype;
      *type = letters[k].type;
      return true;
    }
  return false;
}

static bool is_name(char c) { return c >= 'a' && c <= 'z'; }

static sec_status read_dims(reader *r, sec_parameter *p) {
  do {
    r->at += strspn(r->at, " ");
    if (p->rank == SEC_MAX_RANK) return wrong(r, "too many axes");
    if (is_name(*r->at)) {
      p->dims[p->rank++] = -1 - (*r->at++ - 'a');
      continue;
    }
    char *end;
    long long size = strtoll(r->at, &end, 10);
    if (end == r->at || size < 0 || size > INT32_MAX) return wrong(r, "a size is expected here");
    p->dims[p->rank++] = size;
    r->at = end;
  } while (accept(r, ','));
  return accept(r, ']') ? SEC_OK : wrong(r, "\"]\" is expected here");
}

static sec_status read_parameter(reader *r, sec_parameter *p, ffi_type **type) {
  *p = (sec_parameter){.kind = SEC_BY_VALUE};
  *type = &ffi_type_pointer;
  if (accept(r, 'p')) {
    p->kind = SEC_USER;
    return SEC_OK;
  }
  bool result = accept(r, '>');
  if (!read_type(r, &p->dtype, type)) return wrong(r, "one of d f i l b p > is expected here");
  if (!result && accept(r, ':')) {
    r->at += strspn(r->at, " ");
    if (!is_name(*r->at)) return wrong(r, "a size's name, one of a .. z, is expected here");
    if (p->dtype != SEC_I32 && p->dtype != SEC_I64) return wrong(r, "a size is an i or an l");
    p->kind = SEC_SIZE;
    p->size = *r->at++ - 'a';
    return SEC_OK;
  }
  bool array = accept(r, '[');
  if (array) SEC_TRY(read_dims(r, p));
  if (array || result) *type = &ffi_type_pointer;
  if (array || result) p->kind = result ? SEC_RESULT : SEC_ARRAY;
  return SEC_OK;
}

/* Every size that an array names is a parameter. */
static sec_status check_sizes(const reader *r, const sec_signature *s) {
  bool known[SEC_SIGNATURE_SIZES] = {false};
  for (int k = 0; k < s->n; k++)
    if (s->parameter[k].kind == SEC_SIZE) known[s->parameter[k].size] = true;
  for (int k = 0; k < s->n; k++)
    for (int d = 0; d < s->parameter[k].rank; d++) {
      int64_t size = s->parameter[k].dims[d];
      if (size < 0 && !known[-1 - size])
        return sec_error_set(SEC_ARGUMENT, "add a parameter i:n, or l:n for a long",
                             "%s: signature \"%s\": no parameter gives the size %c", r->who,
                             r->text, (char)('a' - 1 - size));
    }
  return SEC_OK;
}

static sec_status read_parameters(reader *r, sec_signature *s) {
  if (!accept(r, '(')) return wrong(r, "\"(\" is expected here");
  if (accept(r, ')')) return SEC_OK;
  do {
    if (s->n == SEC_MAX_PARAMETERS) return wrong(r, "too many parameters");
    sec_parameter *p = &s->parameter[s->n];
    SEC_TRY(read_parameter(r, p, &s->types[s->n]));
    s->n++;
    s->n_in += p->kind == SEC_BY_VALUE || p->kind == SEC_ARRAY;
    s->n_out += p->kind == SEC_RESULT;
  } while (accept(r, ','));
  return accept(r, ')') ? SEC_OK : wrong(r, "\",\" or \")\" is expected here");
}

sec_status sec_signature_read(const char *who, const char *text, sec_signature *s) {
  reader r = {who, text ? text : "", text ? text : ""};
  ffi_type *type = &ffi_type_void;
  *s = (sec_signature){.returns = SEC_RETURNS_NOTHING};
  if (accept(&r, 's')) {
    s->returns = SEC_RETURNS_STATUS;
    type = &ffi_type_sint32;
  } else if (!accept(&r, 'v')) {
    if (!read_type(&r, &s->dtype, &type)) return wrong(&r, "one of d f i l b s v is expected here");
    s->returns = SEC_RETURNS_VALUE;
    s->n_out = 1;
  }
  SEC_TRY(read_parameters(&r, s));
  if (*(r.at += strspn(r.at, " "))) return wrong(&r, "the signature ends before this");
  SEC_TRY(check_sizes(&r, s));
  s->elementwise = s->returns == SEC_RETURNS_VALUE && s->n_out == 1;
  for (int k = 0; k < s->n; k++)
    s->elementwise &= s->parameter[k].kind == SEC_BY_VALUE || s->parameter[k].kind == SEC_USER;
  if (ffi_prep_cif(&s->cif, FFI_DEFAULT_ABI, (unsigned)s->n, type, s->types) != FFI_OK)
    return sec_error_set(SEC_UNSUPPORTED, NULL, "%s: libffi cannot call \"%s\"", who, r.text);
  return SEC_OK;
}

void sec_signature_dims(const sec_parameter *p, const int64_t *sizes, int64_t *dims) {
  for (int d = 0; d < p->rank; d++) dims[d] = p->dims[d] < 0 ? sizes[-1 - p->dims[d]] : p->dims[d];
}

int64_t sec_signature_get_size(const sec_parameter *p, const void *value) {
  int32_t narrow;
  int64_t wide;
  if (p->dtype == SEC_I32) return memcpy(&narrow, value, sizeof narrow), narrow;
  return memcpy(&wide, value, sizeof wide), wide;
}
