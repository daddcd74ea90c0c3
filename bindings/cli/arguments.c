/* Arguments from files, numbers and lists. */
#include "arguments.h"
#include "npy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */
int cli_named(const sec_jaxpr *j, const char *(*name)(const sec_jaxpr *, int), int n, const char *what, const char **text) {
  char   all[512] = "";
  size_t length = strcspn(*text, "=@[,"), used = 0;
  if ((*text)[length] != '=') return -1;
  for (int i = 0; i < n; i++) {
    const char *is = name(j, i);
    if (is && strlen(is) == length && strncmp(is, *text, length) == 0) {
      *text += length + 1;
      return i;
    }
    if (is && used < sizeof all) used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", is);
  }
  char hint[600];
  snprintf(hint, sizeof hint, "the names are: %s", used ? all : "none");
  sec_error_set(SEC_ARGUMENT, hint, "the program has no %s %.*s", what, (int)length, *text);
  return -2;
}

/* ---- values ---- */
sec_array *cli_converted(sec_context *cx, sec_array *a, sec_dtype dtype) {
  const char *from = sec_aval_text(sec_array_aval(a));
  char        text[512];
  sec_jaxpr  *j = NULL;
  sec_array  *out = NULL;
  if (sec_array_dtype(a) == dtype) return sec_array_retain(a);
  snprintf(text, sizeof text, "{ lambda ; a:%s. let b:%s%s = convert_element_type[new_dtype=%s weak_type=False] a in (b,) }", from,
           sec_dtype_name(dtype), strchr(from, '['), sec_dtype_numpy_name(dtype));
  if (sec_jaxpr_parse(cx, text, &j) == SEC_OK) sec_jaxpr_eval(j, &a, &out);
  sec_jaxpr_release(j);
  return out;
}

/* Elements that are being read, as floats and as integers modulo 2^64: which of them counts is known at the end. */
typedef struct elements {
  sec_array *f, *i;
  int64_t    n, size; /* read; wanted */
  bool       whole;   /* so far all are integers */
} elements;

static bool read_element(elements *e, const char **at) {
  bool    word = **at == 'T' || **at == 'F';
  char   *end = (char *)*at + (**at == 'T' ? strlen("True") : strlen("False"));
  double  f = word ? **at == 'T' : strtod(*at, &end);
  int64_t i = word ? **at == 'T' : **at == '-' ? strtoll(*at, NULL, 10) : (int64_t)strtoull(*at, NULL, 10);
  if (end == *at || (word && strncmp(*at, f != 0 ? "True" : "False", (size_t)(end - *at)) != 0)) return false;
  e->whole &= word || strcspn(*at, ".eEiInN") >= (size_t)(end - *at);
  if (e->n < e->size) ((double *)sec_array_data(e->f))[e->n] = f, ((int64_t *)sec_array_data(e->i))[e->n] = i;
  e->n++;
  *at = end;
  return true;
}

/* Numbers between brackets and commas, or one number: false when it is neither. */
static bool read_elements(elements *e, const char *text) {
  int depth = 0;
  for (const char *at = text; *at; at += strspn(at, ", ")) {
    if (*at != '[' && *at != ']') {
      if (!read_element(e, &at)) return false;
    } else depth += *at++ == '[' ? 1 : -1;
    if (depth < 0 || (depth == 0 && *at)) return false;
  }
  return depth == 0 && (*text == '[' || e->n == 1);
}

static sec_array *made(sec_context *cx, const sec_aval *type, const elements *e, bool fills) {
  double  *f = sec_array_data(e->f);
  int64_t *i = sec_array_data(e->i);
  for (int64_t k = 1; fills && k < e->size; k++) f[k] = f[0], i[k] = i[0];
  if (fills || e->n == e->size) return cli_converted(cx, e->whole ? e->i : e->f, sec_aval_dtype(type));
  sec_error_set(SEC_SHAPE, "give as many as the type has", "%lld elements for an argument of type %s, which has %lld", (long long)e->n,
                sec_aval_text(type), (long long)e->size);
  return NULL;
}

/* A list of elements in row-major order, or one number for all of them. */
static sec_array *listed(sec_context *cx, const sec_aval *type, const char *text) {
  int        rank = sec_aval_rank(type);
  elements   e = {.f = sec_array_create(cx, SEC_F64, rank, sec_aval_dims(type)), .i = sec_array_create(cx, SEC_I64, rank, sec_aval_dims(type)),
                  .size = sec_aval_size(type), .whole = true};
  sec_array *out = NULL;
  if (e.f && e.i) {
    if (read_elements(&e, text)) out = made(cx, type, &e, *text != '[');
    else sec_error_set(SEC_ARGUMENT, "write @FILE.npy, a number, or a list such as [1,2,3]", "\"%s\" is no argument", text);
  }
  sec_array_release(e.f), sec_array_release(e.i);
  return out;
}

/* ---- arguments of a program ---- */
static sec_array *read_value(cli_program *p, int i, const char *text) {
  const sec_aval *type = sec_jaxpr_in_aval(p->jaxpr, i);
  sec_array      *a = *text == '@' ? npy_read(p->cx, text + 1) : listed(p->cx, type, text);
  if (!a || sec_array_aval(a) == type) return a;
  sec_error_set(SEC_TYPE, "save an array of that type, or change the program", "argument %d is %s, given %s from %s", i, sec_aval_text(type),
                sec_aval_text(sec_array_aval(a)), text);
  sec_array_release(a);
  return NULL;
}

/* The argument that `text` is for: by name, or the first without a value; -1 after recording the error. */
static int place_of(const cli_program *p, sec_array *const *given, const char **text) {
  int n = sec_jaxpr_n_in(p->jaxpr), i = cli_named(p->jaxpr, sec_jaxpr_in_name, n, "argument", text);
  if (i == -2) return -1;
  if (i == -1)
    for (i = 0; i < n && given[i];) i++;
  if (i < n && !given[i]) return i;
  if (i < n) sec_error_set(SEC_ARGUMENT, "give each argument once", "argument %s is given a second time", sec_jaxpr_in_name(p->jaxpr, i));
  else sec_error_set(SEC_ARGUMENT, "give one --input an argument", "the program takes %d arguments, \"%s\" is one more", n, *text);
  return -1;
}

static bool fill_arguments(cli_program *p, char *const *texts, int n_texts, const char *filling) {
  int n_consts = sec_jaxpr_n_consts(p->jaxpr), n = sec_jaxpr_n_in(p->jaxpr);
  if (n_consts + n > CLI_MAX_ARGUMENTS) {
    sec_error_set(SEC_ARGUMENT, "use at most 256 arguments", "the program takes %d arguments", n_consts + n);
    return false;
  }
  for (int k = 0; k < n_consts; k++) p->in[p->n_in++] = sec_array_retain(sec_jaxpr_const_array(p->jaxpr, k));
  sec_array **given = p->in + n_consts;
  p->n_in = n_consts + n;
  for (int k = 0; k < n_texts; k++) {
    const char *text = texts[k];
    int         i = place_of(p, given, &text);
    if (i < 0 || !(given[i] = read_value(p, i, text))) return false;
  }
  for (int i = 0; i < n; i++) {
    if (!given[i] && !filling) {
      const char *name = sec_jaxpr_in_name(p->jaxpr, i);
      sec_error_set(SEC_ARGUMENT, "give one --input an argument", "argument %s, of type %s, is not given", name ? name : "?", sec_aval_text(sec_jaxpr_in_aval(p->jaxpr, i)));
    }
    if (!given[i] && (!filling || !(given[i] = read_value(p, i, filling)))) return false;
  }
  return true;
}

bool cli_program_begin(cli_program *p, const char *path, char *const *texts, int n_texts, const char *filling) {
  *p = (cli_program){.cx = sec_context_create()};
  p->jaxpr = p->cx ? cli_read(p->cx, path) : NULL;
  if (!p->jaxpr) return false;
  if (fill_arguments(p, texts, n_texts, filling) && sec_compile(p->cx, p->jaxpr, NULL, &p->executable) == SEC_OK) return true;
  cli_failed(p->cx);
  return false;
}

void cli_program_end(cli_program *p) {
  for (int i = 0; i < p->n_in; i++) sec_array_release(p->in[i]);
  sec_executable_release(p->executable);
  sec_jaxpr_release(p->jaxpr);
  sec_context_destroy(p->cx);
}
