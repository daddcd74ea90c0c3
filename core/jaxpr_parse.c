/* Jaxpr text to jaxpr: a recursive-descent reader of the grammar that jaxpr_print.c writes.  Every equation is bound in
 * an open trace, so that what comes out was typed by the primitives' own rules.
 *
 *   text   = { "let" name "=" jaxpr "in" } jaxpr
 *   jaxpr  = "{ lambda" typed* ";" typed* ". let" [ eqn { (newline | ";") eqn } ] "in (" atom "," ... ") }"
 *   eqn    = typed* "=" primitive [ "[" { key "=" value } "]" ] atom*
 *   typed  = name ":" dtype "[" sizes "]"            atom = name | number ":" dtype "[]"
 *   value  = integer | float | True | False | None | word | "text" | <function f> | jaxpr | name of a jaxpr
 *          | "(" value "," ... ")" | DimensionNumbers "(" key "=" value "," ... ")"
 *
 * A line that ends in the middle of an equation's operands goes on further in than the equation began.  Parameters that the
 * text has and the engine has not (jaxpr_forms.c) are read and forgotten.  A captured array has no elements in the text: it
 * comes back as zeros.  <function f> and the rules of custom functions are host code; they come back as functions that fail
 * when they are called.  "#" starts a comment. */
#include "jaxpr_forms.h"
#include "jaxpr_read.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A parsed tuple: its numbers, its inner tuples, its jaxprs. */
typedef struct tuple {
  sec_read_list ints, tuples, jaxprs;
} tuple;

/* ---- parameters ---- */
static sec_status parse_jaxpr(sec_reader *p, sec_jaxpr **out);

static sec_status host_function(void *user, const sec_value *in, int n_in, sec_value *out,
                                int n_out) {
  (void)user, (void)in, (void)n_in, (void)out, (void)n_out;
  return sec_error_set(SEC_UNSUPPORTED, "differentiate the function before it is printed",
                       "a custom rule is host code: it is not part of jaxpr text");
}

/* A jaxpr that `owned` will release, whatever comes after. */
static sec_status parse_owned(sec_reader *p, sec_read_list *owned, sec_jaxpr **out) {
  int place = owned->n;
  SEC_TRY(sec_read_push(p, owned, &(sec_jaxpr *){NULL}, sizeof *out));
  sec_status status = parse_jaxpr(p, out);
  ((sec_jaxpr **)owned->items)[place] = *out;
  return status;
}

/* The jaxpr that stands in front under the word here; NULL when the word is none of their names. */
static sec_read_shared *shared_here(sec_reader *p) {
  for (int i = 0; i < p->shared.n; i++) {
    sec_read_shared *s = (sec_read_shared *)p->shared.items + i;
    if (sec_read_at_word(p, s->name)) return s;
  }
  return NULL;
}

/* It is read when it is first met: those in front may name each other in any order. */
static sec_status take_shared(sec_reader *p, sec_read_shared *s, sec_read_list *owned, sec_jaxpr **out) {
  p->at += strlen(s->name);
  if (!s->jaxpr) {
    const char *after = p->at;
    p->at = s->at;
    SEC_TRY(parse_jaxpr(p, &s->jaxpr));
    p->at = after;
  }
  *out = s->jaxpr;
  SEC_TRY(sec_read_push(p, owned, out, sizeof *out));
  sec_jaxpr_retain(*out);
  return SEC_OK;
}

static sec_status parse_tuple(sec_reader *p, tuple *out, sec_read_list *owned) {
  char             close = *p->at++ == '(' ? ')' : ']';
  sec_read_shared *shared;
  if (++p->depth > SEC_READ_MAX_DEPTH)
    return sec_read_error(p, p->at, NULL, "parentheses are nested too deeply");
  while (!sec_read_take(p, close)) {
    if (*p->at == '(' || *p->at == '[') {
      tuple inner = {{0}, {0}, {0}};
      SEC_TRY(parse_tuple(p, &inner, owned));
      SEC_TRY(sec_read_push(p, &out->tuples, &inner, sizeof inner));
    } else if (*p->at == '{') {
      sec_jaxpr *j;
      SEC_TRY(parse_owned(p, owned, &j));
      SEC_TRY(sec_read_push(p, &out->jaxprs, &j, sizeof j));
    } else if ((shared = shared_here(p))) {
      sec_jaxpr *j;
      SEC_TRY(take_shared(p, shared, owned, &j));
      SEC_TRY(sec_read_push(p, &out->jaxprs, &j, sizeof j));
    } else {
      int64_t x;
      SEC_TRY(sec_read_int(p, &x));
      SEC_TRY(sec_read_push(p, &out->ints, &x, sizeof x));
    }
    sec_read_take(p, ',');
  }
  p->depth--;
  return SEC_OK;
}

/* The innermost tuples, left to right: ((1,), (0,)) and (([1], [0]), ([], [])) are lists of lists.
 */
static sec_status leaves(sec_reader *p, const tuple *t, sec_read_list *lists,
                         sec_read_list *counts) {
  if (t->tuples.n == 0) {
    SEC_TRY(sec_read_push(p, lists, &t->ints.items, sizeof(void *)));
    return sec_read_push(p, counts, &t->ints.n, sizeof(int));
  }
  for (int i = 0; i < t->tuples.n; i++)
    SEC_TRY(leaves(p, (const tuple *)t->tuples.items + i, lists, counts));
  return SEC_OK;
}

static void release_jaxprs(const sec_read_list *l) {
  for (int i = 0; i < l->n; i++) sec_jaxpr_release(((sec_jaxpr **)l->items)[i]);
}

static sec_status tuple_value(sec_reader *p, sec_param *out, sec_read_list *owned) {
  tuple         t = {{0}, {0}, {0}};
  sec_read_list lists = {0}, counts = {0};
  SEC_TRY(parse_tuple(p, &t, owned));
  if (t.jaxprs.n > 0) {
    out->kind = SEC_PARAM_JAXPRS;
    out->u.jaxprs.v = t.jaxprs.items;
    out->u.jaxprs.n = t.jaxprs.n;
  } else if (t.tuples.n == 0) {
    out->kind = SEC_PARAM_INTS;
    out->u.ints.v = t.ints.items;
    out->u.ints.n = t.ints.n;
  } else {
    SEC_TRY(leaves(p, &t, &lists, &counts));
    out->kind = SEC_PARAM_INTSS;
    out->u.intss.v = lists.items;
    out->u.intss.n = counts.items;
    out->u.intss.count = lists.n;
  }
  return SEC_OK;
}

static sec_status quoted_value(sec_reader *p, const char **out) {
  size_t n = 1 + strcspn(p->at + 1, *p->at == '"' ? "\"\n" : "'\n");
  if (p->at[n] != *p->at) return sec_read_expected(p, "a closed string", NULL);
  p->at++;
  *out = sec_read_text(p, n - 1);
  p->at++;
  return *out ? SEC_OK : sec_read_error(p, p->at, NULL, "a word is too long");
}

/* <function NAME>, where NAME may have brackets of its own. */
static sec_status function_value(sec_reader *p, sec_param *out, sec_read_list *fns) {
  int    open = 0;
  size_t n = 0;
  do open += (p->at[n] == '<') - (p->at[n] == '>');
  while (p->at[n] && p->at[n++] != '\n' && open > 0);
  if (open > 0) return sec_read_expected(p, "<function NAME>", NULL);
  const char *text = sec_read_text(p, n);
  if (!text) return sec_read_error(p, p->at, NULL, "a word is too long");
  char *name = sec_arena_strdup(p->arena, text + strlen("<function "));
  if (!name) return SEC_MEMORY;
  name[strlen(name) - 1] = 0;
  out->kind = SEC_PARAM_FN;
  out->u.fn = sec_callable_create(name, host_function, NULL, NULL);
  return out->u.fn ? sec_read_push(p, fns, &out->u.fn, sizeof out->u.fn) : SEC_MEMORY;
}

static sec_status number_value(sec_reader *p, sec_param *out) {
  char  *end;
  double f = strtod(p->at, &end);
  size_t digits = strspn(p->at, "+-0123456789");
  if (end == p->at)
    return sec_read_expected(p, "a value",
                             "values are 1, 2.0, True, (0, 1), float32, {lambda ...}");
  out->kind = SEC_PARAM_FLOAT;
  out->u.f = f;
  if (p->at + digits == end) {
    out->kind = SEC_PARAM_INT;
    return sec_read_int(p, &out->u.i);
  }
  p->at = end;
  return SEC_OK;
}

/* A rule of a custom function: jvp=f, fwd=f, bwd=<lambda>. */
static sec_status rule_value(sec_reader *p, sec_param *out, sec_read_list *fns) {
  const char *name = sec_read_text(p, strcspn(p->at, " \t\r\n]"));
  if (!name) return sec_read_error(p, p->at, NULL, "a word is too long");
  out->kind = SEC_PARAM_FN;
  out->u.fn = sec_callable_create(name, host_function, NULL, NULL);
  return out->u.fn ? sec_read_push(p, fns, &out->u.fn, sizeof out->u.fn) : SEC_MEMORY;
}

static sec_status word_value(sec_reader *p, sec_param *out) {
  size_t      key = strlen(out->name);
  const char *word = sec_read_text(p, strcspn(p->at, " \t\r\n,])};"));
  if (!word) return sec_read_error(p, p->at, NULL, "a word is too long");
  if (!*word)
    return sec_read_expected(p, "a value",
                             "values are 1, 2.0, True, (0, 1), float32, {lambda ...}");
  sec_dtype dtype = sec_dtype_from_name(word);
  bool      text = key >= 4 && strcmp(out->name + key - 4, "name") == 0;
  out->kind = SEC_PARAM_STR;
  out->u.str = word;
  if (text) {
    p->name = word;
    return SEC_OK;
  }
  if (strncmp(word, "GatherScatterMode.", strlen("GatherScatterMode.")) == 0) {
    out->kind = SEC_PARAM_INT;
    out->u.i = sec_text_mode_of(word);
    return SEC_OK;
  }
  if (strcmp(word, "True") == 0 || strcmp(word, "False") == 0) {
    out->kind = SEC_PARAM_BOOL;
    out->u.i = *word == 'T';
  } else if (strcmp(word, "None") == 0) {
    out->kind = SEC_PARAM_NONE;
  } else if (dtype != SEC_N_DTYPES) {
    out->kind = SEC_PARAM_DTYPE;
    out->u.dtype = dtype;
  }
  return SEC_OK;
}

static bool at_number(const char *at) {
  const char *c = at + (*at == '-');
  return isdigit((unsigned char)*c) || *c == '.' ||
         (sec_read_word_length(c) == 3 && (strncmp(c, "inf", 3) == 0 || strncmp(c, "nan", 3) == 0));
}

/* Owned things of the parameters of one equation. */
typedef struct reading {
  const sec_text_form *form;
  sec_read_list        list, jaxprs, fns;
} reading;

/* The value of out->name.  Jaxprs and callables made on the way are kept for release. */
static sec_status parse_value(sec_reader *p, sec_param *out, reading *q) {
  sec_read_skip(p);
  sec_read_shared *shared = shared_here(p);
  size_t           key = strlen(out->name);
  bool             body = key >= 5 && strcmp(out->name + key - 5, "jaxpr") == 0;
  if (*p->at == '(' || *p->at == '[') return tuple_value(p, out, &q->jaxprs);
  if (*p->at == '"' || *p->at == '\'') {
    out->kind = SEC_PARAM_STR;
    return quoted_value(p, &out->u.str);
  }
  if (strncmp(p->at, "<function ", strlen("<function ")) == 0) return function_value(p, out, &q->fns);
  if (*p->at == '{' || (body && shared)) {
    out->kind = SEC_PARAM_JAXPR;
    return shared && body ? take_shared(p, shared, &q->jaxprs, &out->u.jaxpr) : parse_owned(p, &q->jaxprs, &out->u.jaxpr);
  }
  if (q->form->named_by && (strcmp(out->name, "jvp") == 0 || strcmp(out->name, "fwd") == 0 || strcmp(out->name, "bwd") == 0))
    return rule_value(p, out, &q->fns);
  return at_number(p->at) ? number_value(p, out) : word_value(p, out);
}

static bool is_dropped(const sec_text_form *f, const sec_param *q) {
  size_t n = strlen(q->name);
  bool   extra = false;
  if (f->named_by && strcmp(q->name, "name") == 0) return true;
  for (int i = 0; i < 4 && f->fixed[i]; i++) extra |= strncmp(f->fixed[i], q->name, n) == 0 && f->fixed[i][n] == '=';
  bool kept = q->kind == SEC_PARAM_BOOL ? q->u.i : q->kind == SEC_PARAM_INT && strcmp(q->name, "fill_value") == 0;
  return extra && !kept;
}

static sec_status parse_param(sec_reader *p, reading *q);

/* GatherDimensionNumbers(offset_dims=(), ...): its parts are parameters. */
static sec_status parse_dimensions(sec_reader *p, reading *q) {
  p->at += strlen(q->form->dimensions);
  SEC_TRY(sec_read_char(p, '(', NULL));
  while (!sec_read_take(p, ')')) SEC_TRY(parse_param(p, q));
  return SEC_OK;
}

static sec_status parse_param(sec_reader *p, reading *q) {
  const char *start = p->at, *key;
  sec_param   param = {0};
  SEC_TRY(sec_read_word(p, "a parameter or \"]\"", &key));
  SEC_TRY(sec_read_char(p, '=', "parameters are written [axes=(0,)]"));
  sec_read_skip(p);
  param.name = key;
  if (q->form->dimensions && sec_read_at_word(p, q->form->dimensions)) return parse_dimensions(p, q);
  SEC_TRY(parse_value(p, &param, q));
  if (q->form->renamed[0] && strcmp(key, q->form->renamed[1]) == 0) param.name = q->form->renamed[0];
  for (int i = 0; i < q->list.n; i++)
    if (strcmp(((sec_param *)q->list.items)[i].name, param.name) == 0)
      return sec_read_error(p, start, NULL, "a parameter is given a second time");
  sec_read_take(p, ',');
  return is_dropped(q->form, &param) ? SEC_OK : sec_read_push(p, &q->list, &param, sizeof param);
}

static bool is_given(const reading *q, const char *name) {
  for (int i = 0; i < q->list.n; i++)
    if (strcmp(((sec_param *)q->list.items)[i].name, name) == 0) return true;
  return false;
}

/* What the text hides: a shape is that of the result, and a number is 0. */
static sec_status add_hidden(sec_reader *p, reading *q, const sec_read_list *results) {
  const sec_aval *result = results->n ? ((const sec_read_declaration *)results->items)->aval : NULL;
  for (int i = 0; i < 2 && q->form->unless_zero[i]; i++) {
    const char *name = q->form->unless_zero[i];
    sec_param   zero = SEC_P_INT(name, 0);
    if (strcmp(name, "broadcast_dimensions") == 0) zero = (sec_param)SEC_P_INTS(name, NULL, 0);
    if (!is_given(q, name)) SEC_TRY(sec_read_push(p, &q->list, &zero, sizeof zero));
  }
  if (!result || !q->form->hidden[0] || strcmp(q->form->hidden[0], "shape") != 0 || is_given(q, "shape")) return SEC_OK;
  return sec_read_push(p, &q->list, &(sec_param)SEC_P_INTS("shape", result->dims, result->rank), sizeof(sec_param));
}

static sec_status collect_params(sec_reader *p, reading *q, const sec_read_list *results) {
  p->name = NULL;
  if (*p->at == '[') {
    p->at++;
    while (!sec_read_take(p, ']')) SEC_TRY(parse_param(p, q));
  }
  return add_hidden(p, q, results);
}

static sec_status parse_params(sec_reader *p, const sec_primitive *prim, const sec_read_list *results,
                               const sec_params **out) {
  reading    q = {.form = sec_text_form_of(prim)};
  sec_status status = collect_params(p, &q, results);
  if (status == SEC_OK && q.list.n > 0) {
    *out = sec_params_make(p->cx, q.list.items, q.list.n);
    if (!*out) status = sec_read_rule_failed(p, p->at);
  }
  release_jaxprs(&q.jaxprs);
  for (int i = 0; i < q.fns.n; i++) sec_callable_release(((sec_callable **)q.fns.items)[i]);
  return status;
}

/* ---- equations ---- */
/* "in (": the end of the equations; a variable may be called "in" as well. */
static bool at_end(const sec_reader *p) {
  return sec_read_at_word(p, "in") && p->at[2 + strspn(p->at + 2, " \t\r\n")] == '(';
}

/* A new line goes on with operands when it is indented more than the line on which the equation began. */
static bool operands_go_on(const sec_reader *p, size_t indent) {
  const char *after = p->at + sec_read_word_length(p->at);
  bool        variable = !isdigit((unsigned char)*p->at) && *p->at != '-';
  return sec_read_indent(p) > indent && !(variable && after > p->at && *after == ':' && !sec_read_at_literal(p));
}

static sec_status collect_operands(sec_reader *p, const sec_read_scope *s, size_t indent, sec_read_list *operands) {
  for (;;) {
    sec_read_skip(p);
    if (*p->at == ';' || !*p->at || *p->at == '}' || at_end(p)) return SEC_OK;
    if (p->newline && !operands_go_on(p, indent)) return SEC_OK;
    sec_value v;
    SEC_TRY(sec_read_atom(p, s, &v));
    SEC_TRY(sec_read_push(p, operands, &v, sizeof v));
  }
}

/* The results have the types that the text says. */
static sec_status check_results(sec_reader *p, const char *prim, const sec_read_list *results,
                                const sec_value *out) {
  for (int i = 0; i < results->n; i++) {
    const sec_read_declaration *r = (const sec_read_declaration *)results->items + i;
    const sec_aval             *a = sec_value_aval(out[i]);
    if (!a) return sec_read_rule_failed(p, r->at);
    if (strcmp(sec_aval_text(a), sec_aval_text(r->aval)) == 0) continue;
    char message[512];
    snprintf(message, sizeof message, "%.60s gives %.150s, but %.60s is declared %.150s", prim,
             sec_aval_text(a), r->name, sec_aval_text(r->aval));
    return sec_read_error(p, r->at, "correct the declared type, or the operands", message);
  }
  return SEC_OK;
}

static sec_status bind_equation(sec_reader *p, const sec_primitive *prim, const sec_params *params,
                                const sec_read_list *operands, const sec_read_list *results,
                                const char *at, sec_value *out) {
  sec_trace_set_location(0);
  if (sec_bind(prim, operands->items, operands->n, params, out, results->n) != SEC_OK)
    return sec_read_rule_failed(p, at);
  return check_results(p, prim->name, results, out);
}

static sec_status parse_equation(sec_reader *p, sec_read_scope *s) {
  sec_read_list     results = {0}, operands = {0};
  const char       *name, *start;
  const sec_params *params = NULL;
  sec_read_skip(p);
  size_t      indent = sec_read_indent(p);
  const char *after = p->at + sec_read_word_length(p->at);
  if (*after != '[' || after == p->at) { /* jit[...] a: without results there is no = */
    for (; *p->at != '='; sec_read_skip(p)) {
      sec_read_declaration t;
      SEC_TRY(sec_read_typed(p, &t));
      SEC_TRY(sec_read_push(p, &results, &t, sizeof t));
    }
    p->at++;
  }
  sec_read_skip(p);
  start = p->at;
  SEC_TRY(sec_read_word(p, "a primitive", &name));
  const sec_primitive *prim = sec_text_primitive(name);
  if (!prim) {
    char message[128];
    snprintf(message, sizeof message, "there is no primitive %.60s", name);
    return sec_read_error(p, start, "primitives are named as in JAX: sin, dot_general, reduce_sum",
                          message);
  }
  if (results.n == 0 && prim->form != SEC_FORM_CONTROL && prim->form != SEC_FORM_CALL)
    return sec_read_error(p, start, "write its result left of =: b:f32[3] = sin a",
                          "an equation has no results");
  SEC_TRY(parse_params(p, prim, &results, &params));
  sec_status status = collect_operands(p, s, indent, &operands);
  if (status != SEC_OK) {
    sec_params_release(params);
    return status;
  }
  sec_value *out = sec_arena_alloc(p->arena, ((size_t)results.n + 1) * sizeof *out);
  if (!out) return sec_params_release(params), SEC_MEMORY;
  SEC_TRY(bind_equation(p, prim, params, &operands, &results, start, out));
  for (int i = 0; i < results.n; i++)
    SEC_TRY(sec_read_define(p, s, (sec_read_declaration *)results.items + i, out[i]));
  return SEC_OK;
}

/* ---- jaxprs ---- */
static sec_status parse_declarations(sec_reader *p, char end, sec_read_list *out) {
  for (sec_read_skip(p); *p->at != end; sec_read_skip(p)) {
    sec_read_declaration t;
    SEC_TRY(sec_read_typed(p, &t));
    SEC_TRY(sec_read_push(p, out, &t, sizeof t));
  }
  p->at++;
  return SEC_OK;
}

static sec_status define_constant(sec_reader *p, sec_read_scope *s, const sec_read_declaration *v) {
  sec_array *zeros = sec_array_create_aval(p->cx, v->aval);
  if (!zeros) return sec_read_rule_failed(p, v->at);
  memset(sec_array_data(zeros), 0, sec_array_bytes(zeros));
  sec_value value = sec_constant(zeros);
  sec_array_release(zeros);
  return sec_value_ok(value) ? sec_read_define(p, s, v, value) : sec_read_rule_failed(p, v->at);
}

/* What the text says of inputs and results: names (NULL for a literal), and the results' values. */
typedef struct interface {
  sec_read_list in_names, out_names, outs;
} interface;

/* "consts ; inputs .": a trace wants its inputs first. */
static sec_status parse_head(sec_reader *p, sec_trace *t, sec_read_scope *s, interface *f) {
  sec_read_list consts = {0}, inputs = {0};
  SEC_TRY(parse_declarations(p, ';', &consts));
  SEC_TRY(parse_declarations(p, '.', &inputs));
  for (int i = 0; i < inputs.n; i++) {
    const sec_read_declaration *v = (const sec_read_declaration *)inputs.items + i;
    sec_value                   in = sec_trace_input_aval(t, v->aval);
    SEC_TRY(sec_value_ok(in) ? sec_read_define(p, s, v, in) : sec_read_rule_failed(p, v->at));
    SEC_TRY(sec_read_push(p, &f->in_names, &v->name, sizeof v->name));
  }
  for (int i = 0; i < consts.n; i++)
    SEC_TRY(define_constant(p, s, (const sec_read_declaration *)consts.items + i));
  return SEC_OK;
}

static sec_status parse_out(sec_reader *p, const sec_read_scope *s, interface *f) {
  sec_value   v;
  const char *name = NULL;
  sec_reader  before = (sec_read_skip(p), *p);
  SEC_TRY(sec_read_atom(p, s, &v));
  if (sec_read_word_length(before.at) == (size_t)(p->at - before.at)) SEC_TRY(sec_read_word(&before, "a name", &name));
  SEC_TRY(sec_read_push(p, &f->out_names, &name, sizeof name));
  return sec_read_push(p, &f->outs, &v, sizeof v);
}

static sec_status parse_outs(sec_reader *p, const sec_read_scope *s, interface *f) {
  p->at += strlen("in");
  SEC_TRY(sec_read_char(p, '(', NULL));
  while (!sec_read_take(p, ')')) {
    SEC_TRY(parse_out(p, s, f));
    if (!sec_read_take(p, ',') && *p->at != ')')
      return sec_read_expected(p, "\",\" or \")\"", "results are written (a, b)");
  }
  return sec_read_char(p, '}', NULL);
}

static sec_status parse_body(sec_reader *p, sec_trace *t, interface *f) {
  sec_read_scope s = {NULL, 0, 0};
  SEC_TRY(sec_read_char(p, '{', "a jaxpr is { lambda ; a:f32[]. let ... in (b,) }"));
  sec_read_skip(p);
  if (!sec_read_at_word(p, "lambda"))
    return sec_read_expected(p, "\"lambda\"", "a jaxpr is { lambda ; a:f32[]. let ... in (b,) }");
  p->at += strlen("lambda");
  SEC_TRY(parse_head(p, t, &s, f));
  sec_read_skip(p);
  if (!sec_read_at_word(p, "let")) return sec_read_expected(p, "\"let\"", NULL);
  p->at += strlen("let");
  for (sec_read_skip(p); !at_end(p); sec_read_skip(p)) {
    if (!*p->at || *p->at == '}') return sec_read_expected(p, "an equation or \"in\"", NULL);
    SEC_TRY(parse_equation(p, &s));
    sec_read_take(p, ';');
  }
  return parse_outs(p, &s, f);
}

/* Copies the names into the new jaxpr. */
static sec_status keep_names(sec_jaxpr *j, const interface *f) {
  const char *const *in = f->in_names.items, *const *out = f->out_names.items;
  j->names = sec_arena_alloc(j->arena, (j->n_in + j->n_out + 1) * sizeof *j->names);
  if (!j->names) return SEC_MEMORY;
  for (uint32_t i = 0; i < j->n_in + j->n_out; i++) {
    const char *name = i < j->n_in ? in[i] : out[i - j->n_in];
    if (name && !(j->names[i] = sec_arena_strdup(j->arena, name))) return SEC_MEMORY;
  }
  return SEC_OK;
}

static sec_status parse_jaxpr(sec_reader *p, sec_jaxpr **out) {
  const char *start = p->at;
  interface   f = {0};
  *out = NULL;
  if (++p->depth > SEC_READ_MAX_DEPTH)
    return sec_read_error(p, start, NULL, "jaxprs are nested too deeply");
  sec_trace *t = sec_trace_begin(p->cx, p->name ? p->name : "text");
  if (!t) return sec_read_rule_failed(p, start);
  sec_status status = parse_body(p, t, &f);
  p->depth--;
  if (status != SEC_OK) {
    sec_trace_abandon(t);
    return status;
  }
  status = sec_trace_end(t, f.outs.items, f.outs.n, out);
  return status == SEC_OK ? keep_names(*out, &f) : sec_read_rule_failed(p, start);
}

/* let f = { lambda ... } in: kept as the place where it stands, until its name is met. */
static sec_status parse_shared(sec_reader *p) {
  while (sec_read_skip(p), sec_read_at_word(p, "let")) {
    sec_read_shared s = {0};
    p->at += strlen("let");
    SEC_TRY(sec_read_word(p, "a name", &s.name));
    SEC_TRY(sec_read_char(p, '=', "write let f = { lambda ... } in"));
    sec_read_skip(p);
    s.at = p->at;
    if (*p->at != '{') return sec_read_expected(p, "\"{\"", "write let f = { lambda ... } in");
    for (int open = 0; *p->at && (open += (*p->at == '{') - (*p->at == '}')) > 0;) p->at++;
    SEC_TRY(sec_read_char(p, '}', NULL));
    sec_read_skip(p);
    if (!sec_read_at_word(p, "in")) return sec_read_expected(p, "\"in\"", "write let f = { lambda ... } in");
    p->at += strlen("in");
    SEC_TRY(sec_read_push(p, &p->shared, &s, sizeof s));
  }
  return SEC_OK;
}

static sec_status parse_text(sec_reader *p, sec_jaxpr **out) {
  SEC_TRY(parse_shared(p));
  return parse_jaxpr(p, out);
}

sec_status sec_jaxpr_parse(sec_context *cx, const char *text, sec_jaxpr **out) {
  sec_reader p = {.cx = cx, .text = text, .at = text, .stale = sec_error_status(cx) != SEC_OK};
  *out = NULL;
  p.arena = sec_arena_create(cx);
  if (!p.arena) return SEC_MEMORY;
  sec_status status = parse_text(&p, out);
  sec_read_skip(&p);
  if (status == SEC_OK && *p.at) status = sec_read_expected(&p, "the end of the text", NULL);
  if (status != SEC_OK) {
    sec_jaxpr_release(*out);
    *out = NULL;
  }
  for (int i = 0; i < p.shared.n; i++) sec_jaxpr_release(((sec_read_shared *)p.shared.items)[i].jaxpr);
  sec_arena_destroy(p.arena);
  return status;
}

/* ---- one equation by name ---- */
bool sec_has_primitive(const char *name) { return sec_text_primitive(name) != NULL; }

/* How many results the type rule gives, at most max_out. */
static sec_status count_results(const sec_primitive *prim, const sec_params *params, sec_reader *p, const sec_value *in,
                                int n_in, int max_out, int *n_out) {
  const sec_aval **avals = sec_arena_alloc(p->arena, (size_t)(n_in + max_out + 1) * sizeof *avals);
  if (!avals) return SEC_MEMORY;
  for (int i = 0; i < n_in; i++)
    if (!(avals[i] = sec_value_aval(in[i]))) return sec_error_status(p->cx);
  sec_typing t = {.prim = prim, .params = params, .cx = p->cx, .in = avals, .n_in = n_in, .out = avals + n_in,
                  .n_out = max_out, .max_out = max_out};
  int operands = 0;
  while (!prim->variadic && operands < SEC_MAX_OPERANDS && prim->operands[operands]) operands++;
  if (!prim->variadic && n_in != operands)
    return sec_error_set(SEC_ARGUMENT, NULL, "%s takes %d operands, given %d", prim->name, operands, n_in);
  t.n_out = *n_out; /* what a rule expects that asks */
  SEC_TRY(prim->type(&t));
  *n_out = t.n_out;
  return SEC_OK;
}

static sec_status bind_text(sec_reader *p, const char *name, const sec_value *in, int n_in, sec_value *out, int max_out,
                            int *n_out) {
  const sec_primitive *prim = sec_text_primitive(name);
  const sec_params    *params = NULL;
  if (!prim) return sec_error_set(SEC_ARGUMENT, NULL, "there is no primitive %.60s", name);
  SEC_TRY(parse_params(p, prim, &(sec_read_list){NULL, 0, 0}, &params));
  sec_status status = count_results(prim, params, p, in, n_in, max_out, n_out);
  if (status != SEC_OK) {
    sec_params_release(params);
    return status;
  }
  return sec_bind(prim, in, n_in, params, out, *n_out);
}

sec_status sec_bind_text(const char *name, const char *params, const sec_value *in, int n_in, sec_value *out,
                         int max_out, int *n_out) {
  sec_trace *t = sec_trace_current();
  *n_out = 0;
  if (!t) return sec_error_set(SEC_NO_TRACE, "call it inside a function that is being traced", "%s: no trace is open", name);
  sec_context *cx = sec_trace_context(t);
  sec_reader   p = {.cx = cx, .text = params, .at = params, .stale = sec_error_status(cx) != SEC_OK};
  p.arena = sec_arena_create(cx);
  if (!p.arena) return SEC_MEMORY;
  sec_status status = bind_text(&p, name, in, n_in, out, max_out, n_out);
  sec_arena_destroy(p.arena);
  return status;
}
