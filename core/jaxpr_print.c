/* Text out: what jax.make_jaxpr prints.  Variables are named in order of appearance, captured ones first, and names go on
 * through sub-jaxprs; the body of a jit has the names of its operands and results.  A body that stands in several places,
 * or is long, is written once, in front: let f = { lambda ... } in.  Lines are broken to 80 columns. */
#include "jaxpr_bodies.h"
#include "jaxpr_forms.h"
#include "layout.h"
#include "memory.h"
#include "ops/family.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80 };
#define UNREAD UINT32_MAX /* the name _ */

typedef struct printer {
  sec_layout layout;
  sec_bodies bodies;
  uint32_t   next_name;
} printer;

typedef struct scope {
  const sec_jaxpr *j;
  uint32_t        *names; /* 1 + number of the variable's name; 0: not named yet */
} scope;

#define WORD(...) sec_layout_word(&p->layout, __VA_ARGS__)
#define BREAK(flat) sec_layout_break(&p->layout, flat)
#define OPEN() sec_layout_open(&p->layout)
#define CLOSE() sec_layout_close(&p->layout)
#define NEST(n) sec_layout_nest(&p->layout, n)

static void put_jaxpr(printer *p, const sec_jaxpr *j, const scope *inner);

/* ---- names and atoms ---- */
static const char *name_text(uint32_t n, char buffer[16]) { /* a .. z, ba .. */
  int k = 16;
  buffer[--k] = 0;
  do buffer[--k] = (char)('a' + n % 26);
  while (n /= 26);
  return buffer + k;
}

/* The next name that is none of a shared body. */
static uint32_t fresh_name(printer *p) {
  char buffer[16];
  for (const char *name = "";;) {
    name = name_text(p->next_name++, buffer);
    if (!sec_bodies_names(&p->bodies, name)) return p->next_name;
  }
}

static uint32_t name_of(printer *p, const scope *s, uint32_t var) {
  if (!s->names[var]) s->names[var] = fresh_name(p);
  return s->names[var];
}

static void put_var(printer *p, const scope *s, uint32_t var) {
  char     buffer[16];
  uint32_t name = name_of(p, s, var);
  WORD("%s", name == UNREAD ? "_" : name_text(name - 1, buffer));
}

/* the shortest digits that read back as the same double */
static const char *float_text(double x, char buffer[40]) {
  if (isnan(x)) return "nan";
  if (isinf(x)) return x < 0 ? "-inf" : "inf";
  int digits = 1;
  for (; digits <= 17; digits++) {
    snprintf(buffer, 40, "%.*e", digits - 1, x);
    if (strtod(buffer, NULL) == x) break;
  }
  int exponent = atoi(strchr(buffer, 'e') + 1), decimals = digits - 1 - exponent;
  if (exponent >= -4 && exponent < 16) snprintf(buffer, 40, "%.*f", decimals < 1 ? 1 : decimals, x);
  return buffer;
}

/* A complex number as Python prints it: (1+2j), 2j, (inf-nanj). */
static const char *digits_of(double x, char buffer[40]) {
  const char *text = float_text(x, buffer);
  size_t      n = strlen(text);
  if (n > 2 && strcmp(text + n - 2, ".0") == 0) buffer[n - 2] = 0;
  return text;
}

static void put_complex(printer *p, const sec_literal *l) {
  char        buffer[40], other[40];
  sec_dtype   part = sec_dtype_part(l->aval->dtype);
  double      re = sec_round_to(part, l->f), im = sec_round_to(part, sec_literal_im(l));
  const char *imaginary = digits_of(im, other);
  if (re == 0 && !signbit(re)) WORD("%sj:%s", imaginary, l->aval->text);
  else WORD("(%s%s%sj):%s", digits_of(re, buffer), *imaginary == '-' ? "" : "+", imaginary, l->aval->text);
}

static void put_ref(printer *p, const scope *s, sec_ref r) {
  char buffer[40];
  if (!sec_ref_is_literal(r)) {
    put_var(p, s, r);
    return;
  }
  const sec_literal *l = &s->j->literals[sec_ref_index(r)];
  sec_dtype          d = l->aval->dtype;
  switch (sec_dtype_kind(d)) {
  case SEC_KIND_BOOL: WORD("%s:%s", l->i ? "True" : "False", l->aval->text); break;
  case SEC_KIND_INT: WORD("%lld:%s", (long long)l->i, l->aval->text); break;
  case SEC_KIND_UINT: WORD("%llu:%s", (unsigned long long)l->i, l->aval->text); break;
  case SEC_KIND_COMPLEX: put_complex(p, l); break;
  default: WORD("%s:%s", float_text(sec_round_to(d, l->f), buffer), l->aval->text);
  }
}

/* Operands, or results: a line is broken only where it is full. */
static void put_atoms(printer *p, const scope *s, const sec_ref *refs, uint32_t n, const char *separator) {
  NEST(2), OPEN();
  for (uint32_t i = 0; i < n; i++) {
    if (i) WORD("%s", separator), OPEN(), BREAK(" "), CLOSE();
    put_ref(p, s, refs[i]);
  }
  CLOSE(), NEST(-2);
}

/* Variables with their types. */
static void put_range(printer *p, const scope *s, uint32_t first, uint32_t n) {
  NEST(2), OPEN();
  for (uint32_t i = 0; i < n; i++) {
    if (i) OPEN(), BREAK(" "), CLOSE();
    put_var(p, s, first + i);
    WORD(":%s", s->j->avals[first + i]->text);
  }
  CLOSE(), NEST(-2);
}

/* ---- parameters ---- */
static void put_ints(printer *p, const int64_t *v, int n) {
  WORD("(");
  for (int i = 0; i < n; i++) WORD("%s%lld", i ? ", " : "", (long long)v[i]);
  WORD(n == 1 ? ",)" : ")");
}

static void put_list(printer *p, const int64_t *v, int n) {
  WORD("[");
  for (int i = 0; i < n; i++) WORD("%s%lld", i ? ", " : "", (long long)v[i]);
  WORD("]");
}

static void put_lists(printer *p, const sec_param *q) {
  const int64_t *const *v = q->u.intss.v;
  const int            *n = q->u.intss.n;
  if (strcmp(q->name, "dimension_numbers") == 0 && q->u.intss.count == 4) { /* ((contract), (batch)), as JAX prints it */
    for (int i = 0; i < 4; i++) {
      WORD("%s", i == 0 ? "((" : i == 2 ? "), (" : ", ");
      put_list(p, v[i], n[i]);
    }
    WORD("))");
    return;
  }
  WORD("(");
  for (int i = 0; i < q->u.intss.count; i++) {
    if (i) WORD(", ");
    put_ints(p, v[i], n[i]);
  }
  WORD(q->u.intss.count == 1 ? ",)" : ")");
}

static void put_body(printer *p, const sec_jaxpr *j, const scope *named) {
  const sec_body *b = sec_bodies_find(&p->bodies, j);
  if (!b || !b->shared) put_jaxpr(p, j, named);
  else if (b->number) WORD("%.*s%d", b->name_length, b->name, b->number);
  else WORD("%.*s", b->name_length, b->name);
}

static void put_bodies(printer *p, sec_jaxpr *const *v, int n) {
  OPEN(), NEST(2), WORD("("), BREAK("");
  for (int i = 0; i < n; i++) {
    if (i) BREAK(" ");
    put_body(p, v[i], NULL);
  }
  NEST(-2), BREAK(""), WORD(")"), CLOSE();
}

static void put_value(printer *p, const sec_param *q, const scope *named) {
  char buffer[40];
  switch (q->kind) {
  case SEC_PARAM_INT:
    if (strcmp(q->name, "mode") == 0 && sec_text_mode(q->u.i)) WORD("%s", sec_text_mode(q->u.i));
    else WORD("%lld", (long long)q->u.i);
    break;
  case SEC_PARAM_BOOL: WORD("%s", q->u.i ? "True" : "False"); break;
  case SEC_PARAM_FLOAT: WORD("%s", float_text(q->u.f, buffer)); break;
  case SEC_PARAM_DTYPE: WORD("%s", sec_dtype_numpy_name(q->u.dtype)); break;
  case SEC_PARAM_STR: WORD("%s", q->u.str); break;
  case SEC_PARAM_INTS: put_ints(p, q->u.ints.v, q->u.ints.n); break;
  case SEC_PARAM_INTSS: put_lists(p, q); break;
  case SEC_PARAM_JAXPR: put_body(p, q->u.jaxpr, named); break;
  case SEC_PARAM_JAXPRS: put_bodies(p, q->u.jaxprs.v, q->u.jaxprs.n); break;
  case SEC_PARAM_FN: WORD("<function %s>", q->u.fn->name); break;
  case SEC_PARAM_NONE: WORD("None"); break;
  }
}

/* ScatterDimensionNumbers(update_window_dims=(), ...): five parameters as one */
static void put_dimensions(printer *p, const sec_text_form *f, const sec_params *params) {
  WORD("dimension_numbers=%s(", f->dimensions);
  for (int i = 0; i < 5; i++) {
    int            n;
    const int64_t *v = sec_params_ints(params, f->lists[i], &n);
    WORD("%s%s=", i ? ", " : "", f->lists[i]);
    put_ints(p, v, n);
  }
  WORD(")");
}

/* update_jaxpr={ lambda ; d:f32[] e:f32[]. let f:f32[] = add d e in (f,) } */
static void put_update(printer *p, const sec_text_form *f, const sec_aval *x) {
  const char *type = sec_dtype_name(x->dtype);
  char        a[16], b[16], c[16];
  const char *left = name_text(fresh_name(p) - 1, a), *right = name_text(fresh_name(p) - 1, b);
  const char *sum = name_text(fresh_name(p) - 1, c);
  WORD("update_jaxpr="), OPEN(), NEST(2);
  WORD("{ lambda ; %s:%s[] %s:%s[]. let", left, type, right, type);
  NEST(2), BREAK(" "), WORD("%s:%s[] = %s %s %s", sum, type, f->update, left, right), NEST(-2);
  BREAK(" "), WORD("in (%s,)", sum), NEST(-2), WORD(" }"), CLOSE();
}

/* One parameter of the text: of the equation, or of the form. */
typedef struct entry {
  const char      *key;
  const sec_param *param;
  const char      *fixed;
} entry;
enum { MAX_ENTRIES = 48 };

static void add_entry(entry *list, int *n, entry e) {
  int k = (*n)++;
  for (; k > 0 && strcmp(list[k - 1].key, e.key) > 0; k--) list[k] = list[k - 1];
  list[k] = e;
}

static bool is_zero(const sec_param *q) {
  return q->kind == SEC_PARAM_INTS ? q->u.ints.n == 0 : q->kind <= SEC_PARAM_BOOL && q->u.i == 0;
}

static bool is_one_of(const char *name, const char *const *names, int n) {
  for (int i = 0; names && i < n; i++)
    if (names[i] && strcmp(names[i], name) == 0) return true;
  return false;
}

/* Sorted by name, but "name" is the first. */
static int text_entries(const sec_text_form *f, const sec_params *params, entry *list) {
  int n = 0;
  for (int i = 0; params && i < params->n; i++) {
    const sec_param *q = &params->list[i];
    if (is_one_of(q->name, f->hidden, 2) || is_one_of(q->name, f->lists, 5)) continue;
    if (is_one_of(q->name, f->unless_zero, 2) && is_zero(q)) continue;
    bool renamed = f->renamed[0] && strcmp(q->name, f->renamed[0]) == 0;
    add_entry(list, &n, (entry){renamed ? f->renamed[1] : q->name, q, NULL});
  }
  for (int i = 0; i < 4 && f->fixed[i]; i++) {
    size_t length = strcspn(f->fixed[i], "=");
    bool   given = false;
    for (int k = 0; params && k < params->n; k++)
      given |= strncmp(params->list[k].name, f->fixed[i], length) == 0 && !params->list[k].name[length];
    if (!given) add_entry(list, &n, (entry){f->fixed[i], NULL, f->fixed[i]});
  }
  if (f->dimensions) add_entry(list, &n, (entry){"dimension_numbers", NULL, NULL});
  for (int i = 1; i < n; i++) {
    if (strcmp(list[i].key, "name") != 0) continue;
    entry name = list[i];
    memmove(list + 1, list, (size_t)i * sizeof *list);
    list[0] = name;
  }
  return n;
}

static void put_entry(printer *p, const sec_text_form *f, const sec_eqn *e, const entry *t, const scope *s,
                      const scope *named) {
  bool rule = f->named_by && t->param && t->param->kind == SEC_PARAM_FN;
  if (rule) {
    WORD("%s=%s", t->key, t->param->u.fn->name);
  } else if (t->param) {
    WORD("%s=", t->key);
    put_value(p, t->param, named);
  } else if (!t->fixed) {
    put_dimensions(p, f, e->params);
  } else if (f->update && strcmp(t->fixed, "update_jaxpr=") == 0) {
    put_update(p, f, s->j->avals[e->out]);
  } else {
    WORD("%s", t->fixed);
  }
}

static void put_params(printer *p, const sec_text_form *f, const sec_eqn *e, const scope *s, const scope *named) {
  entry list[MAX_ENTRIES];
  int   n = text_entries(f, e->params, list);
  if (n == 0) return;
  OPEN(), NEST(2), WORD("["), BREAK("");
  if (f->named_by) {
    const sec_jaxpr *body = sec_params_jaxpr(e->params, f->named_by);
    WORD("name=%s", body && body->name ? body->name : "f");
    BREAK(" ");
  }
  for (int i = 0; i < n; i++) {
    if (i) BREAK(" ");
    put_entry(p, f, e, &list[i], s, named);
  }
  NEST(-2), BREAK(""), WORD("]"), CLOSE();
}

/* ---- equations and jaxprs ---- */
static bool scope_make(printer *p, scope *s, const sec_jaxpr *j) {
  *s = (scope){j, sec_mem_zeroed(j->n_vars + 1, sizeof *s->names)};
  if (!s->names) p->layout.failed = true;
  return s->names != NULL;
}

/* What no equation and no result reads is called _; JAX says so at the top level only. */
static void name_unread(scope *s) {
  const sec_jaxpr *j = s->j;
  for (uint32_t i = 0; i < j->n_eqns; i++)
    for (uint32_t k = 0; k < j->eqns[i].n_out; k++) s->names[j->eqns[i].out + k] = UNREAD;
  for (uint32_t i = 0; i < j->n_eqns; i++)
    for (uint32_t k = 0; k < j->eqns[i].n_in; k++)
      if (!sec_ref_is_literal(j->eqns[i].in[k])) s->names[j->eqns[i].in[k]] = 0;
  for (uint32_t i = 0; i < j->n_out; i++)
    if (!sec_ref_is_literal(j->outs[i])) s->names[j->outs[i]] = 0;
}

static void same_name(printer *p, const scope *inner, sec_ref to, const scope *s, sec_ref from) {
  if (sec_ref_is_literal(to) || sec_ref_is_literal(from) || inner->names[to]) return;
  inner->names[to] = name_of(p, s, from);
}

static bool stands_before(const sec_ref *list, uint32_t i) {
  for (uint32_t k = 0; k < i; k++)
    if (list[k] == list[i]) return true;
  return false;
}

/* The names of the body of a jit: false when it takes none over. */
static bool jit_names(printer *p, const scope *s, const sec_eqn *e, scope *inner) {
  const sec_jaxpr *body = e->prim->form == SEC_FORM_CALL && strcmp(e->prim->name, "jit") == 0
                              ? sec_params_jaxpr(e->params, "jaxpr")
                              : NULL;
  const sec_body *b = body ? sec_bodies_find(&p->bodies, body) : NULL;
  if (!body || (b && b->shared) || body->n_in != e->n_in || !scope_make(p, inner, body)) return false;
  for (uint32_t k = 0; k < e->n_in; k++)
    if (!stands_before(e->in, k)) same_name(p, inner, k, s, e->in[k]);
  for (uint32_t k = 0; k < e->n_out && k < body->n_out; k++) same_name(p, inner, body->outs[k], s, e->out + k);
  return true;
}

static void put_eqn(printer *p, const scope *s, const sec_eqn *e) {
  const sec_text_form *f = sec_text_form_of(e->prim);
  scope                inner;
  bool                 named = jit_names(p, s, e, &inner);
  put_range(p, s, e->out, e->n_out);
  if (e->n_out) WORD(" = ");
  WORD("%s", f->text ? f->text : e->prim->name);
  put_params(p, f, e, s, named ? &inner : NULL);
  WORD(" ");
  put_atoms(p, s, e->in, e->n_in, "");
  if (named) sec_mem_free(inner.names);
}

static void put_consts(printer *p, const scope *s) {
  NEST(2), OPEN();
  for (uint32_t k = 0; k < s->j->n_consts; k++) {
    if (k) OPEN(), BREAK(" "), CLOSE();
    put_var(p, s, s->j->consts[k].var);
    WORD(":%s", s->j->avals[s->j->consts[k].var]->text);
  }
  CLOSE(), NEST(-2);
}

static void put_scope(printer *p, const scope *s) {
  const sec_jaxpr *j = s->j;
  OPEN(), NEST(2), WORD("{ lambda ");
  put_consts(p, s);
  WORD("; ");
  put_range(p, s, 0, j->n_in);
  WORD(". let"), NEST(2), BREAK(" ");
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    if (i) BREAK("; ");
    put_eqn(p, s, &j->eqns[i]);
  }
  NEST(-2), BREAK(" "), WORD("in (");
  put_atoms(p, s, j->outs, j->n_out, ",");
  WORD(j->n_out == 1 ? ",)" : ")"), NEST(-2), WORD(" }"), CLOSE();
}

/* `named`: a scope of j in which some variables have names, or NULL. */
static void put_jaxpr(printer *p, const sec_jaxpr *j, const scope *named) {
  scope s;
  if (named) {
    put_scope(p, named);
  } else if (scope_make(p, &s, j)) {
    put_scope(p, &s);
    sec_mem_free(s.names);
  }
}

static void put_shared(printer *p) {
  for (uint32_t i = 1; i < p->bodies.n; i++) {
    const sec_body *b = &p->bodies.list[i];
    if (!b->shared) continue;
    WORD("let ");
    put_body(p, b->j, NULL);
    WORD(" = ");
    put_jaxpr(p, b->j, NULL);
    WORD(" in"), BREAK(" ");
  }
}

char *sec_jaxpr_print(const sec_jaxpr *j) {
  printer p = {.layout.failed = false};
  scope   s = {j, NULL};
  if (!sec_bodies_collect(&p.bodies, j)) p.layout.failed = true;
  if (!p.layout.failed && scope_make(&p, &s, j)) {
    put_shared(&p);
    name_unread(&s);
    put_scope(&p, &s);
  }
  sec_mem_free(s.names);
  sec_bodies_free(&p.bodies);
  char *text = sec_layout_finish(&p.layout, WIDTH);
  if (text) return sec_mem_hand_out(text);
  sec_error_set(SEC_MEMORY, NULL, "out of memory: the jaxpr could not be printed");
  return NULL;
}
