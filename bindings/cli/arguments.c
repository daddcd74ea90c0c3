/* Arguments from files and numbers. */
#include "arguments.h"
#include "npy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An array of `type` with one number everywhere: the engine reads and spreads it. */
static sec_array *filled(sec_context *cx, const sec_aval *type, const char *number) {
  char       text[1024], shape[512] = "";
  size_t     n = 0, length = strcspn(sec_aval_text(type), "[");
  sec_jaxpr *j = NULL;
  sec_array *out = NULL;
  char      *end;
  strtod(number, &end);
  if (end == number || *end || strlen(number) > 64) {
    sec_error_set(SEC_ARGUMENT, "write @FILE.npy, or a number", "\"%s\" is no argument", number);
    return NULL;
  }
  for (int k = 0; k < sec_aval_rank(type); k++) n += (size_t)snprintf(shape + n, sizeof shape - n, "%lld,", (long long)sec_aval_dims(type)[k]);
  if (sec_aval_rank(type) == 0) snprintf(text, sizeof text, "{ lambda ; . let in (%s:%s,) }", number, sec_aval_text(type));
  else
    snprintf(text, sizeof text, "{ lambda ; . let a:%s = broadcast_in_dim[broadcast_dimensions=() shape=(%s)] %s:%.*s[] in (a,) }",
             sec_aval_text(type), shape, number, (int)length, sec_aval_text(type));
  if (sec_jaxpr_parse(cx, text, &j) == SEC_OK) sec_jaxpr_eval(j, NULL, &out);
  sec_jaxpr_release(j);
  return out;
}

static bool fill_arguments(cli_program *p, char *const *texts, int n_texts, const char *filling) {
  int n_consts = sec_jaxpr_n_consts(p->jaxpr), n = sec_jaxpr_n_in(p->jaxpr);
  if (n_consts + n > CLI_MAX_ARGUMENTS || n_texts > n || (n_texts < n && !filling)) {
    sec_error_set(SEC_ARGUMENT, "give one --input an argument, in order", "the program takes %d arguments, given %d", n, n_texts);
    return false;
  }
  for (int k = 0; k < n_consts; k++) p->in[p->n_in++] = sec_array_retain(sec_jaxpr_const_array(p->jaxpr, k));
  for (int i = 0; i < n; i++) {
    const char *text = i < n_texts ? texts[i] : filling;
    sec_array  *a = *text == '@' ? npy_read(p->cx, text + 1) : filled(p->cx, sec_jaxpr_in_aval(p->jaxpr, i), text);
    if (!a) return false;
    p->in[p->n_in++] = a;
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
