/* Jaxpr text to jaxpr: a recursive-descent reader of the grammar that jaxpr_print.c writes.  Every equation is
 * bound in an open trace, so that what comes out was typed by the primitives' own rules.
 *
 *   jaxpr  = "{ lambda" typed* ";" typed* ". let" [ eqn { (newline | ";") eqn } ] "in (" atom "," ... ") }"
 *   eqn    = typed* "=" primitive [ "[" { key "=" value } "]" ] atom*
 *   typed  = name ":" dtype "[" sizes "]"            atom = name | number ":" dtype "[]"
 *   value  = integer | float | True | False | None | word | "text" | <function f> | jaxpr | "(" value "," ... ")"
 *
 * A captured array has no elements in the text: it comes back as zeros.  <function f> is host code; it comes
 * back as one that fails when it is called.  "#" starts a comment. */
#include "primitive.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32, MAX_WORD = 4096 };

typedef struct parser {
  sec_context *cx;
  sec_arena   *arena;
  const char  *text, *at;
  int          depth;
  bool         newline; /* the last skip passed the end of a line or ";" */
  bool         stale;   /* an older error was recorded when we began */
} parser;

typedef struct binding { const char *name; sec_value value; } binding;
typedef struct scope { binding *table; uint32_t n, room; } scope; /* open addressing; room is a power of 2 */

typedef struct typed { const char *name, *at; const sec_aval *aval; } typed;
typedef struct list { void *items; int n, room; } list;
/* A parsed tuple: its numbers, its inner tuples, its jaxprs. */
typedef struct tuple { list ints, tuples, jaxprs; } tuple;

/* ---- errors ---- */
static sec_status report(const parser *p, const char *at, const char *hint, const char *what) {
  int line = 1, column = 1;
  for (const char *c = p->text; c < at && *c; c++) {
    column = *c == '\n' ? 1 : column + 1;
    line += *c == '\n';
  }
  sec_error_set(SEC_PARSE, hint, "jaxpr text, line %d, column %d: %s", line, column, what);
  return SEC_PARSE;
}

static sec_status expected(const parser *p, const char *what, const char *hint) {
  char   message[256], found[40];
  size_t n = 0;
  while (n < sizeof found - 1 && p->at[n] && !isspace((unsigned char)p->at[n])) n++;
  if (n == 0 && p->at[0]) n = 1;
  snprintf(found, sizeof found, "%.*s", (int)n, p->at);
  snprintf(message, sizeof message, "expected %s, found %s%s%s", what, n ? "\"" : "the end of the text", found,
           n ? "\"" : "");
  return report(p, p->at, hint, message);
}

/* An error that a rule recorded becomes ours, with the place. */
static sec_status rule_failed(const parser *p, const char *at) {
  char message[1024], hint[512];
  if (p->stale) return SEC_PARSE;
  snprintf(message, sizeof message, "%s", sec_error_text(p->cx));
  snprintf(hint, sizeof hint, "%s", sec_error_hint(p->cx));
  sec_error_clear(p->cx);
  return report(p, at, hint[0] ? hint : NULL, message);
}

/* ---- words ---- */
static void skip(parser *p) {
  p->newline = false;
  for (; isspace((unsigned char)*p->at) || *p->at == '#'; p->at++) {
    if (*p->at == '#') p->at += strcspn(p->at, "\n");
    if (!*p->at) return;
    if (*p->at == '\n') p->newline = true;
  }
}

static bool take(parser *p, char c) {
  skip(p);
  if (*p->at != c) return false;
  p->at++;
  return true;
}

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* The word here, without taking it: its length. */
static size_t word_length(const char *at) {
  size_t n = 0;
  while (in_word(at[n]) || (n > 0 && at[n] == '-' && in_word(at[n + 1]))) n++;
  return n;
}

static char *take_text(parser *p, size_t n) {
  char *s = n <= MAX_WORD ? sec_arena_alloc(p->arena, n + 1) : NULL;
  if (!s) return NULL;
  memcpy(s, p->at, n);
  p->at += n;
  return s;
}

static sec_status take_word(parser *p, const char *what, const char **out) {
  skip(p);
  size_t n = word_length(p->at);
  if (n == 0) return expected(p, what, NULL);
  *out = take_text(p, n);
  return *out ? SEC_OK : report(p, p->at, NULL, "a word is too long");
}

static bool at_word(const parser *p, const char *word) {
  size_t n = strlen(word);
  return word_length(p->at) == n && strncmp(p->at, word, n) == 0;
}

static sec_status take_char(parser *p, char c, const char *hint) {
  char what[4] = {'"', c, '"', 0};
  return take(p, c) ? SEC_OK : expected(p, what, hint);
}

/* `item` at the end of a list in the arena. */
static sec_status push(parser *p, list *l, const void *item, size_t size) {
  if (l->n == l->room) {
    int   room = l->room ? 2 * l->room : 4;
    void *grown = sec_arena_alloc(p->arena, (size_t)room * size);
    if (!grown) return SEC_MEMORY;
    if (l->n) memcpy(grown, l->items, (size_t)l->n * size);
    l->items = grown;
    l->room = room;
  }
  memcpy((char *)l->items + (size_t)l->n++ * size, item, size);
  return SEC_OK;
}

/* ---- scopes ---- */
static binding *find(const scope *s, const char *name) {
  uint32_t h = 2166136261u;
  for (const char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * 16777619u;
  while (s->table[h & (s->room - 1)].name && strcmp(s->table[h & (s->room - 1)].name, name) != 0) h++;
  return &s->table[h & (s->room - 1)];
}

static sec_status define(parser *p, scope *s, const typed *v, sec_value value) {
  if (2 * s->n >= s->room) {
    scope grown = {NULL, s->n, s->room ? 2 * s->room : 32};
    grown.table = sec_arena_alloc(p->arena, grown.room * sizeof *grown.table);
    if (!grown.table) return SEC_MEMORY;
    for (uint32_t i = 0; i < s->room; i++)
      if (s->table[i].name) *find(&grown, s->table[i].name) = s->table[i];
    *s = grown;
  }
  if (strcmp(v->name, "_") == 0) return SEC_OK;
  binding *b = find(s, v->name);
  if (b->name) {
    char message[128];
    snprintf(message, sizeof message, "%.60s is assigned a second time", v->name);
    return report(p, v->at, "give each result a name of its own", message);
  }
  *b = (binding){v->name, value};
  s->n++;
  return SEC_OK;
}

/* ---- types and atoms ---- */
static sec_status parse_int(parser *p, int64_t *out) {
  skip(p);
  char *end;
  errno = 0;
  bool      negative = *p->at == '-';
  long long x = negative ? strtoll(p->at, &end, 10) : (long long)strtoull(p->at, &end, 10);
  if (end == p->at || !(isdigit((unsigned char)p->at[0]) || isdigit((unsigned char)p->at[1])))
    return expected(p, "an integer", NULL);
  if (errno == ERANGE) return report(p, p->at, NULL, "an integer does not fit 64 bits");
  p->at = end;
  *out = x;
  return SEC_OK;
}

static sec_status parse_type(parser *p, const sec_aval **out) {
  const char *start = (skip(p), p->at), *name;
  SEC_TRY(take_word(p, "a dtype", &name));
  sec_dtype dtype = sec_dtype_from_name(name);
  if (dtype == SEC_N_DTYPES) {
    p->at = start;
    return expected(p, "a dtype", "types are written f32[2,3]");
  }
  int64_t dims[SEC_MAX_RANK];
  int     rank = 0;
  SEC_TRY(take_char(p, '[', "types are written f32[2,3]"));
  while (!take(p, ']')) {
    if (rank == SEC_MAX_RANK) return report(p, p->at, NULL, "a shape has more than 12 axes");
    if (rank > 0) SEC_TRY(take_char(p, ',', "sizes are written [2,3]"));
    SEC_TRY(parse_int(p, &dims[rank]));
    if (dims[rank++] < 0) return report(p, start, NULL, "a size is negative");
  }
  *out = sec_aval_get(p->cx, dtype, false, rank, dims);
  return *out ? SEC_OK : rule_failed(p, start);
}

static sec_status parse_typed(parser *p, typed *out) {
  skip(p);
  out->at = p->at;
  SEC_TRY(take_word(p, "a name", &out->name));
  SEC_TRY(take_char(p, ':', "variables are written a:f32[3]"));
  return parse_type(p, &out->aval);
}

static bool at_literal(const parser *p) {
  const char *c = p->at + (*p->at == '-');
  if (isdigit((unsigned char)*c) || *c == '.') return true;
  size_t n = word_length(c);
  bool   word = (n == 3 && (!strncmp(c, "inf", 3) || !strncmp(c, "nan", 3))) || (n == 4 && !strncmp(c, "True", 4)) ||
              (n == 5 && !strncmp(c, "False", 5));
  return word && (c[n] == ':' || c != p->at);
}

static sec_status parse_literal(parser *p, sec_value *out) {
  const char     *start = p->at;
  const sec_aval *aval;
  char           *end;
  if (at_word(p, "True") || at_word(p, "False"))
    end = (char *)p->at + word_length(p->at);
  else
    (void)strtod(p->at, &end);
  if (end == start) return expected(p, "a number", NULL);
  p->at = end;
  SEC_TRY(take_char(p, ':', "literals are written 2.0:f32[]"));
  SEC_TRY(parse_type(p, &aval));
  if (aval->rank != 0) return report(p, start, "literals are scalars: 2.0:f32[]", "a literal has axes");
  double   f = *start == 'T' || *start == 'F' ? *start == 'T' : strtod(start, NULL);
  int64_t  i = *start == 'T';
  sec_kind kind = sec_dtype_kind(aval->dtype);
  if (isdigit((unsigned char)start[0]) || start[0] == '-')
    i = start[0] == '-' ? strtoll(start, NULL, 10) : (int64_t)strtoull(start, NULL, 10);
  if (kind == SEC_KIND_BOOL) i = i != 0;
  *out = sec_literal_of(aval->dtype, false, f, i);
  return sec_value_ok(*out) ? SEC_OK : rule_failed(p, start);
}

static sec_status parse_atom(parser *p, const scope *s, sec_value *out) {
  skip(p);
  if (at_literal(p)) return parse_literal(p, out);
  const char *start = p->at, *name;
  char        message[128];
  SEC_TRY(take_word(p, "a variable or a literal", &name));
  binding *b = s->room ? find(s, name) : NULL;
  if (b && b->name) {
    *out = b->value;
    return SEC_OK;
  }
  snprintf(message, sizeof message, "%.60s is not defined", name);
  return report(p, start, "inputs stand after lambda, results left of =", message);
}

/* ---- parameters ---- */
static sec_status parse_jaxpr(parser *p, sec_jaxpr **out);

static sec_status host_function(void *user, const sec_value *in, int n_in, sec_value *out, int n_out) {
  (void)user, (void)in, (void)n_in, (void)out, (void)n_out;
  return sec_error_set(SEC_UNSUPPORTED, "differentiate the function before it is printed",
                       "a custom rule is host code: it is not part of jaxpr text");
}

static sec_status parse_tuple(parser *p, tuple *out) {
  char close = *p->at++ == '(' ? ')' : ']';
  if (++p->depth > MAX_DEPTH) return report(p, p->at, NULL, "parentheses are nested too deeply");
  while (!take(p, close)) {
    if (*p->at == '(' || *p->at == '[') {
      tuple inner = {{0}, {0}, {0}};
      SEC_TRY(parse_tuple(p, &inner));
      SEC_TRY(push(p, &out->tuples, &inner, sizeof inner));
    } else if (*p->at == '{') {
      sec_jaxpr *j;
      SEC_TRY(push(p, &out->jaxprs, &(sec_jaxpr *){NULL}, sizeof j));
      SEC_TRY(parse_jaxpr(p, &j));
      ((sec_jaxpr **)out->jaxprs.items)[out->jaxprs.n - 1] = j;
    } else {
      int64_t x;
      SEC_TRY(parse_int(p, &x));
      SEC_TRY(push(p, &out->ints, &x, sizeof x));
    }
    take(p, ',');
  }
  p->depth--;
  return SEC_OK;
}

/* The innermost tuples, left to right: ((1,), (0,)) and (([1], [0]), ([], [])) are lists of lists. */
static sec_status leaves(parser *p, const tuple *t, list *lists, list *counts) {
  if (t->tuples.n == 0) {
    SEC_TRY(push(p, lists, &t->ints.items, sizeof(void *)));
    return push(p, counts, &t->ints.n, sizeof(int));
  }
  for (int i = 0; i < t->tuples.n; i++) SEC_TRY(leaves(p, (const tuple *)t->tuples.items + i, lists, counts));
  return SEC_OK;
}

static void release_jaxprs(const list *l) {
  for (int i = 0; i < l->n; i++) sec_jaxpr_release(((sec_jaxpr **)l->items)[i]);
}

static sec_status tuple_value(parser *p, sec_param *out, list *jaxprs) {
  tuple      t = {{0}, {0}, {0}};
  list       lists = {0}, counts = {0};
  sec_status status = parse_tuple(p, &t);
  for (int i = 0; i < t.jaxprs.n; i++) {
    sec_jaxpr *j = ((sec_jaxpr **)t.jaxprs.items)[i];
    if (push(p, jaxprs, &j, sizeof j) != SEC_OK) sec_jaxpr_release(j), status = SEC_MEMORY;
  }
  SEC_TRY(status);
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

static sec_status quoted_value(parser *p, const char **out) {
  size_t n = 1 + strcspn(p->at + 1, *p->at == '"' ? "\"\n" : "'\n");
  if (p->at[n] != *p->at) return expected(p, "a closed string", NULL);
  p->at++;
  *out = take_text(p, n - 1);
  p->at++;
  return *out ? SEC_OK : report(p, p->at, NULL, "a word is too long");
}

/* <function NAME>, where NAME may have brackets of its own. */
static sec_status function_value(parser *p, sec_param *out, list *fns) {
  int    open = 0;
  size_t n = 0;
  do open += (p->at[n] == '<') - (p->at[n] == '>');
  while (p->at[n] && p->at[n++] != '\n' && open > 0);
  if (open > 0) return expected(p, "<function NAME>", NULL);
  const char *text = take_text(p, n);
  if (!text) return report(p, p->at, NULL, "a word is too long");
  char *name = sec_arena_strdup(p->arena, text + strlen("<function "));
  if (!name) return SEC_MEMORY;
  name[strlen(name) - 1] = 0;
  out->kind = SEC_PARAM_FN;
  out->u.fn = sec_callable_create(name, host_function, NULL, NULL);
  return out->u.fn ? push(p, fns, &out->u.fn, sizeof out->u.fn) : SEC_MEMORY;
}

static sec_status number_value(parser *p, sec_param *out) {
  char  *end;
  double f = strtod(p->at, &end);
  size_t digits = strspn(p->at, "+-0123456789");
  if (end == p->at) return expected(p, "a value", "values are 1, 2.0, True, (0, 1), float32, {lambda ...}");
  out->kind = SEC_PARAM_FLOAT;
  out->u.f = f;
  if (p->at + digits == end) {
    out->kind = SEC_PARAM_INT;
    return parse_int(p, &out->u.i);
  }
  p->at = end;
  return SEC_OK;
}

static sec_status word_value(parser *p, sec_param *out) {
  size_t      key = strlen(out->name);
  const char *word = take_text(p, strcspn(p->at, " \t\r\n,])};"));
  if (!word) return report(p, p->at, NULL, "a word is too long");
  if (!*word) return expected(p, "a value", "values are 1, 2.0, True, (0, 1), float32, {lambda ...}");
  sec_dtype dtype = sec_dtype_from_name(word);
  bool      text = key >= 4 && strcmp(out->name + key - 4, "name") == 0;
  out->kind = SEC_PARAM_STR;
  out->u.str = word;
  if (text) return SEC_OK;
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
         (word_length(c) == 3 && (strncmp(c, "inf", 3) == 0 || strncmp(c, "nan", 3) == 0));
}

/* The value of out->name.  Jaxprs made on the way are pushed on `jaxprs`, callables on `fns`, for release. */
static sec_status parse_value(parser *p, sec_param *out, list *jaxprs, list *fns) {
  skip(p);
  if (*p->at == '(' || *p->at == '[') return tuple_value(p, out, jaxprs);
  if (*p->at == '"' || *p->at == '\'') {
    out->kind = SEC_PARAM_STR;
    return quoted_value(p, &out->u.str);
  }
  if (strncmp(p->at, "<function ", strlen("<function ")) == 0) return function_value(p, out, fns);
  if (*p->at == '{') {
    out->kind = SEC_PARAM_JAXPR;
    SEC_TRY(push(p, jaxprs, &(sec_jaxpr *){NULL}, sizeof(sec_jaxpr *)));
    int        place = jaxprs->n - 1;
    sec_status status = parse_jaxpr(p, &out->u.jaxpr);
    ((sec_jaxpr **)jaxprs->items)[place] = out->u.jaxpr;
    return status;
  }
  return at_number(p->at) ? number_value(p, out) : word_value(p, out);
}

static sec_status collect_params(parser *p, list *params, list *jaxprs, list *fns) {
  while (!take(p, ']')) {
    const char *start = p->at, *key;
    sec_param   param = {0};
    SEC_TRY(take_word(p, "a parameter or \"]\"", &key));
    SEC_TRY(take_char(p, '=', "parameters are written [axes=(0,)]"));
    param.name = key;
    for (int i = 0; i < params->n; i++)
      if (strcmp(((sec_param *)params->items)[i].name, key) == 0)
        return report(p, start, NULL, "a parameter is given a second time");
    SEC_TRY(parse_value(p, &param, jaxprs, fns));
    SEC_TRY(push(p, params, &param, sizeof param));
    take(p, ',');
  }
  return SEC_OK;
}

static sec_status parse_params(parser *p, const sec_params **out) {
  list       params = {0}, jaxprs = {0}, fns = {0};
  sec_status status = collect_params(p, &params, &jaxprs, &fns);
  if (status == SEC_OK && params.n > 0) {
    *out = sec_params_make(p->cx, params.items, params.n);
    if (!*out) status = rule_failed(p, p->at);
  }
  release_jaxprs(&jaxprs);
  for (int i = 0; i < fns.n; i++) sec_callable_release(((sec_callable **)fns.items)[i]);
  return status;
}

/* ---- equations ---- */
/* "in (": the end of the equations; a variable may be called "in" as well. */
static bool at_end(const parser *p) {
  return at_word(p, "in") && p->at[2 + strspn(p->at + 2, " \t\r\n")] == '(';
}

static sec_status collect_operands(parser *p, const scope *s, list *operands) {
  for (;;) {
    skip(p);
    if (p->newline || *p->at == ';' || !*p->at || *p->at == '}' || at_end(p)) return SEC_OK;
    sec_value v;
    SEC_TRY(parse_atom(p, s, &v));
    SEC_TRY(push(p, operands, &v, sizeof v));
  }
}

/* The results have the types that the text says. */
static sec_status check_results(parser *p, const char *prim, const list *results, const sec_value *out) {
  for (int i = 0; i < results->n; i++) {
    const typed    *r = (const typed *)results->items + i;
    const sec_aval *a = sec_value_aval(out[i]);
    if (!a) return rule_failed(p, r->at);
    if (strcmp(sec_aval_text(a), sec_aval_text(r->aval)) == 0) continue;
    char message[512];
    snprintf(message, sizeof message, "%.60s gives %.150s, but %.60s is declared %.150s", prim, sec_aval_text(a), r->name,
             sec_aval_text(r->aval));
    return report(p, r->at, "correct the declared type, or the operands", message);
  }
  return SEC_OK;
}

static sec_status bind_equation(parser *p, const sec_primitive *prim, const sec_params *params, const list *operands,
                                const list *results, const char *at, sec_value *out) {
  sec_trace_set_location(0);
  if (sec_bind(prim, operands->items, operands->n, params, out, results->n) != SEC_OK) return rule_failed(p, at);
  return check_results(p, prim->name, results, out);
}

static sec_status parse_equation(parser *p, scope *s) {
  list              results = {0}, operands = {0};
  const char       *name, *start;
  const sec_params *params = NULL;
  for (skip(p); *p->at != '='; skip(p)) {
    typed t;
    SEC_TRY(parse_typed(p, &t));
    SEC_TRY(push(p, &results, &t, sizeof t));
  }
  p->at++;
  skip(p);
  start = p->at;
  SEC_TRY(take_word(p, "a primitive", &name));
  const sec_primitive *prim = sec_primitive_find(name);
  if (!prim) {
    char message[128];
    snprintf(message, sizeof message, "there is no primitive %.60s", name);
    return report(p, start, "primitives are named as in JAX: sin, dot_general, reduce_sum", message);
  }
  if (results.n == 0 && prim->form != SEC_FORM_CONTROL && prim->form != SEC_FORM_CALL)
    return report(p, start, "write its result left of =: b:f32[3] = sin a", "an equation has no results");
  if (*p->at == '[') {
    p->at++;
    SEC_TRY(parse_params(p, &params));
  }
  sec_status status = collect_operands(p, s, &operands);
  if (status != SEC_OK) {
    sec_params_release(params);
    return status;
  }
  sec_value *out = sec_arena_alloc(p->arena, ((size_t)results.n + 1) * sizeof *out);
  if (!out) return sec_params_release(params), SEC_MEMORY;
  SEC_TRY(bind_equation(p, prim, params, &operands, &results, start, out));
  for (int i = 0; i < results.n; i++) SEC_TRY(define(p, s, (typed *)results.items + i, out[i]));
  return SEC_OK;
}

/* ---- jaxprs ---- */
static sec_status parse_declarations(parser *p, char end, list *out) {
  for (skip(p); *p->at != end; skip(p)) {
    typed t;
    SEC_TRY(parse_typed(p, &t));
    SEC_TRY(push(p, out, &t, sizeof t));
  }
  p->at++;
  return SEC_OK;
}

static sec_status define_constant(parser *p, scope *s, const typed *v) {
  sec_array *zeros = sec_array_create_aval(p->cx, v->aval);
  if (!zeros) return rule_failed(p, v->at);
  memset(sec_array_data(zeros), 0, sec_array_bytes(zeros));
  sec_value value = sec_constant(zeros);
  sec_array_release(zeros);
  return sec_value_ok(value) ? define(p, s, v, value) : rule_failed(p, v->at);
}

/* "consts ; inputs .": a trace wants its inputs first. */
static sec_status parse_head(parser *p, sec_trace *t, scope *s) {
  list consts = {0}, inputs = {0};
  SEC_TRY(parse_declarations(p, ';', &consts));
  SEC_TRY(parse_declarations(p, '.', &inputs));
  for (int i = 0; i < inputs.n; i++) {
    const typed *v = (const typed *)inputs.items + i;
    sec_value    in = sec_trace_input_aval(t, v->aval);
    SEC_TRY(sec_value_ok(in) ? define(p, s, v, in) : rule_failed(p, v->at));
  }
  for (int i = 0; i < consts.n; i++) SEC_TRY(define_constant(p, s, (const typed *)consts.items + i));
  return SEC_OK;
}

static sec_status parse_outs(parser *p, const scope *s, list *outs) {
  p->at += strlen("in");
  SEC_TRY(take_char(p, '(', NULL));
  while (!take(p, ')')) {
    sec_value v;
    SEC_TRY(parse_atom(p, s, &v));
    SEC_TRY(push(p, outs, &v, sizeof v));
    if (!take(p, ',') && *p->at != ')') return expected(p, "\",\" or \")\"", "results are written (a, b)");
  }
  return take_char(p, '}', NULL);
}

static sec_status parse_body(parser *p, sec_trace *t, list *outs) {
  scope s = {NULL, 0, 0};
  SEC_TRY(take_char(p, '{', "a jaxpr is { lambda ; a:f32[]. let ... in (b,) }"));
  skip(p);
  if (!at_word(p, "lambda")) return expected(p, "\"lambda\"", "a jaxpr is { lambda ; a:f32[]. let ... in (b,) }");
  p->at += strlen("lambda");
  SEC_TRY(parse_head(p, t, &s));
  skip(p);
  if (!at_word(p, "let")) return expected(p, "\"let\"", NULL);
  p->at += strlen("let");
  for (skip(p); !at_end(p); skip(p)) {
    if (!*p->at || *p->at == '}') return expected(p, "an equation or \"in\"", NULL);
    SEC_TRY(parse_equation(p, &s));
    take(p, ';');
  }
  return parse_outs(p, &s, outs);
}

static sec_status parse_jaxpr(parser *p, sec_jaxpr **out) {
  const char *start = p->at;
  list        outs = {0};
  *out = NULL;
  if (++p->depth > MAX_DEPTH) return report(p, start, NULL, "jaxprs are nested too deeply");
  sec_trace *t = sec_trace_begin(p->cx, "text");
  if (!t) return rule_failed(p, start);
  sec_status status = parse_body(p, t, &outs);
  p->depth--;
  if (status != SEC_OK) {
    sec_trace_abandon(t);
    return status;
  }
  return sec_trace_end(t, outs.items, outs.n, out) == SEC_OK ? SEC_OK : rule_failed(p, start);
}

sec_status sec_jaxpr_parse(sec_context *cx, const char *text, sec_jaxpr **out) {
  parser p = {.cx = cx, .text = text, .at = text, .stale = sec_error_status(cx) != SEC_OK};
  *out = NULL;
  p.arena = sec_arena_create(cx);
  if (!p.arena) return SEC_MEMORY;
  skip(&p);
  sec_status status = parse_jaxpr(&p, out);
  skip(&p);
  if (status == SEC_OK && *p.at) status = expected(&p, "the end of the text", NULL);
  if (status != SEC_OK) {
    sec_jaxpr_release(*out);
    *out = NULL;
  }
  sec_arena_destroy(p.arena);
  return status;
}
