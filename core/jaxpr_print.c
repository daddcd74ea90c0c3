/* Text out: JAX's jaxpr grammar.  Variables are named in order of appearance, captured ones first, and names go on
 * through sub-jaxprs.  Parameters stand on one line unless one of them is a jaxpr. */
#include "memory.h"
#include "primitive.h"
#include "text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct printer {
  sec_buffer text;
  uint32_t   next_name;
} printer;

typedef struct scope {
  const sec_jaxpr *j;
  uint32_t        *names; /* 1 + number of the variable's name; 0: not named yet */
} scope;

static void print_jaxpr(printer *p, const sec_jaxpr *j, int indent);

static void put_name(printer *p, uint32_t n) { /* a .. z, ba .. */
  char     buffer[16];
  int      k = 16;
  buffer[--k] = 0;
  do buffer[--k] = (char)('a' + n % 26), n /= 26;
  while (n);
  sec_buffer_add(&p->text, "%s", buffer + k);
}

static void put_var(printer *p, scope *s, uint32_t var) {
  if (!s->names[var]) s->names[var] = ++p->next_name;
  put_name(p, s->names[var] - 1);
}

static void put_binder(printer *p, scope *s, uint32_t var) {
  put_var(p, s, var);
  sec_buffer_add(&p->text, ":%s", s->j->avals[var]->text);
}

/* the shortest digits that read back as the same number */
static void put_float(printer *p, double x, sec_dtype dtype) {
  if (isnan(x)) { sec_buffer_add(&p->text, "nan"); return; }
  if (isinf(x)) { sec_buffer_add(&p->text, x < 0 ? "-inf" : "inf"); return; }
  char buffer[40];
  int  digits = 1;
  for (; digits <= 17; digits++) {
    snprintf(buffer, sizeof buffer, "%.*e", digits - 1, x);
    double back = strtod(buffer, NULL);
    if (dtype == SEC_F64 || dtype == SEC_C128 ? back == x : (float)back == (float)x) break;
  }
  int exponent = atoi(strchr(buffer, 'e') + 1), decimals = digits - 1 - exponent;
  if (exponent >= -4 && exponent < 16) snprintf(buffer, sizeof buffer, "%.*f", decimals < 1 ? 1 : decimals, x);
  sec_buffer_add(&p->text, "%s", buffer);
}

static void put_ref(printer *p, scope *s, sec_ref r) {
  if (!sec_ref_is_literal(r)) { put_var(p, s, r); return; }
  const sec_literal *l = &s->j->literals[sec_ref_index(r)];
  sec_dtype          d = l->aval->dtype;
  switch (sec_dtype_kind(d)) {
  case SEC_KIND_BOOL: sec_buffer_add(&p->text, l->i ? "True" : "False"); break;
  case SEC_KIND_INT: sec_buffer_add(&p->text, "%lld", (long long)l->i); break;
  case SEC_KIND_UINT: sec_buffer_add(&p->text, "%llu", (unsigned long long)l->i); break;
  default: put_float(p, l->f, d);
  }
  sec_buffer_add(&p->text, ":%s", l->aval->text);
}

/* ---- parameters ---- */
static void put_ints(printer *p, const int64_t *v, int n) {
  sec_buffer_add(&p->text, "(");
  for (int i = 0; i < n; i++) sec_buffer_add(&p->text, "%s%lld", i ? ", " : "", (long long)v[i]);
  sec_buffer_add(&p->text, n == 1 ? ",)" : ")");
}

static void put_list(printer *p, const int64_t *v, int n) {
  sec_buffer_add(&p->text, "[");
  for (int i = 0; i < n; i++) sec_buffer_add(&p->text, "%s%lld", i ? ", " : "", (long long)v[i]);
  sec_buffer_add(&p->text, "]");
}

static void put_lists(printer *p, const sec_param *q) {
  const int64_t *const *v = q->u.intss.v;
  const int            *n = q->u.intss.n;
  if (strcmp(q->name, "dimension_numbers") == 0 && q->u.intss.count == 4) { /* ((contract), (batch)), as JAX prints it */
    for (int i = 0; i < 4; i++) {
      sec_buffer_add(&p->text, "%s", i == 0 ? "((" : i == 2 ? "), (" : ", ");
      put_list(p, v[i], n[i]);
    }
    sec_buffer_add(&p->text, "))");
    return;
  }
  sec_buffer_add(&p->text, "(");
  for (int i = 0; i < q->u.intss.count; i++) {
    if (i) sec_buffer_add(&p->text, ", ");
    put_ints(p, v[i], n[i]);
  }
  sec_buffer_add(&p->text, q->u.intss.count == 1 ? ",)" : ")");
}

static void put_param(printer *p, const sec_param *q, int indent) {
  sec_buffer_add(&p->text, "%s=", q->name);
  switch (q->kind) {
  case SEC_PARAM_INT: sec_buffer_add(&p->text, "%lld", (long long)q->u.i); break;
  case SEC_PARAM_BOOL: sec_buffer_add(&p->text, q->u.i ? "True" : "False"); break;
  case SEC_PARAM_FLOAT: put_float(p, q->u.f, SEC_F64); break;
  case SEC_PARAM_DTYPE: sec_buffer_add(&p->text, "%s", sec_dtype_numpy_name(q->u.dtype)); break;
  case SEC_PARAM_STR: sec_buffer_add(&p->text, "%s", q->u.str); break;
  case SEC_PARAM_INTS: put_ints(p, q->u.ints.v, q->u.ints.n); break;
  case SEC_PARAM_INTSS: put_lists(p, q); break;
  case SEC_PARAM_JAXPR: print_jaxpr(p, q->u.jaxpr, indent); break;
  case SEC_PARAM_JAXPRS:
    sec_buffer_add(&p->text, "(");
    for (int i = 0; i < q->u.jaxprs.n; i++) {
      sec_buffer_add(&p->text, "\n%*s", indent + 2, "");
      print_jaxpr(p, q->u.jaxprs.v[i], indent + 2);
    }
    sec_buffer_add(&p->text, "\n%*s)", indent, "");
    break;
  case SEC_PARAM_FN: sec_buffer_add(&p->text, "<function %s>", q->u.fn->name); break;
  case SEC_PARAM_NONE: sec_buffer_add(&p->text, "None"); break;
  }
}

static void put_params(printer *p, const sec_params *params, int indent) {
  if (!params || params->n == 0) return;
  bool tall = false;
  for (int i = 0; i < params->n; i++)
    tall |= params->list[i].kind == SEC_PARAM_JAXPR || params->list[i].kind == SEC_PARAM_JAXPRS;
  sec_buffer_add(&p->text, "[");
  for (int i = 0; i < params->n; i++) {
    if (tall) sec_buffer_add(&p->text, "\n%*s", indent + 2, "");
    else if (i) sec_buffer_add(&p->text, " ");
    put_param(p, &params->list[i], indent + 2);
  }
  if (tall) sec_buffer_add(&p->text, "\n%*s", indent, "");
  sec_buffer_add(&p->text, "]");
}

/* ---- equations and jaxprs ---- */
static void mark_used(const sec_jaxpr *j, bool *used) {
  for (uint32_t i = 0; i < j->n_eqns; i++)
    for (uint32_t k = 0; k < j->eqns[i].n_in; k++)
      if (!sec_ref_is_literal(j->eqns[i].in[k])) used[j->eqns[i].in[k]] = true;
  for (uint32_t i = 0; i < j->n_out; i++)
    if (!sec_ref_is_literal(j->outs[i])) used[j->outs[i]] = true;
}

static void put_eqn(printer *p, scope *s, const sec_eqn *e, const bool *used, int indent) {
  for (uint32_t k = 0; k < e->n_out; k++) {
    if (k) sec_buffer_add(&p->text, " ");
    if (used[e->out + k]) put_binder(p, s, e->out + k);
    else sec_buffer_add(&p->text, "_:%s", s->j->avals[e->out + k]->text);
  }
  sec_buffer_add(&p->text, " = %s", e->prim->name);
  put_params(p, e->params, indent);
  for (uint32_t k = 0; k < e->n_in; k++) {
    sec_buffer_add(&p->text, " ");
    put_ref(p, s, e->in[k]);
  }
}

static void print_jaxpr(printer *p, const sec_jaxpr *j, int indent) {
  scope s = {j, sec_mem_zeroed(j->n_vars + 1, sizeof *s.names)};
  bool *used = sec_mem_zeroed(j->n_vars + 1, sizeof *used);
  if (!s.names || !used) {
    p->text.failed = true;
    sec_mem_free(s.names), sec_mem_free(used);
    return;
  }
  mark_used(j, used);
  sec_buffer_add(&p->text, "{ lambda");
  for (uint32_t k = 0; k < j->n_consts; k++) {
    sec_buffer_add(&p->text, " ");
    put_binder(p, &s, j->consts[k].var);
  }
  sec_buffer_add(&p->text, j->n_consts ? ";" : " ;");
  for (uint32_t i = 0; i < j->n_in; i++) {
    sec_buffer_add(&p->text, " ");
    put_binder(p, &s, i);
  }
  sec_buffer_add(&p->text, j->n_in ? ". let" : " . let");
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    sec_buffer_add(&p->text, "\n%*s", indent + 4, "");
    put_eqn(p, &s, &j->eqns[i], used, indent + 4);
  }
  sec_buffer_add(&p->text, "\n%*sin (", indent + 2, "");
  for (uint32_t i = 0; i < j->n_out; i++) {
    if (i) sec_buffer_add(&p->text, ", ");
    put_ref(p, &s, j->outs[i]);
  }
  sec_buffer_add(&p->text, j->n_out == 1 ? ",) }" : ") }");
  sec_mem_free(s.names), sec_mem_free(used);
}

char *sec_jaxpr_print(const sec_jaxpr *j) {
  printer p = {0};
  print_jaxpr(&p, j, 0);
  if (!p.text.failed && p.text.data) return sec_mem_hand_out(p.text.data);
  sec_mem_free(p.text.data);
  sec_error_set(SEC_MEMORY, NULL, "out of memory: the jaxpr could not be printed");
  return NULL;
}
