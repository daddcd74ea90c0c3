/* The cases of a primitive: its jaxprs for a dtype, their operands, and what is missing. */
#ifndef SEC_TEST_CASES_H
#define SEC_TEST_CASES_H

#include "ops/check.h"
#include "ops/rows.h"
#include <secant/axis.h>

enum { LANES = 3, MAX_CASES = 32 };

static sec_context *cx;

/* ---- coverage ---- */
enum { CHECK_COMPILE, CHECK_JVP, CHECK_TRANSPOSE, CHECK_SECOND, CHECK_VMAP, N_CHECKS };
static const char *const check_names[N_CHECKS] = {"compile", "jvp", "transpose", "second", "vmap"};
static bool              missing[512][N_CHECKS];

static int index_of(const sec_primitive *p) {
  for (int i = 0; i < sec_n_primitives(); i++)
    if (sec_primitive_at(i) == p) return i;
  return 0;
}

/* True when a status says that a rule is not there: noted, no failure. */
static bool is_missing(const sec_primitive *p, int check, sec_status status) {
  if (status != SEC_NO_RULE && status != SEC_FORWARD && status != SEC_REVERSE &&
      status != SEC_UNSUPPORTED)
    return false;
  sec_error_clear(cx);
  return missing[index_of(p)][check] = true;
}

/* False when evaluation itself says that a derivative is not there (forward mode of a custom_vjp
 * function). */
static bool evaluates(const sec_primitive *p, const sec_jaxpr *j, sec_array **in, sec_array **out,
                      int check) {
  sec_status status = sec_jaxpr_eval(j, in, out);
  if (is_missing(p, check, status)) return false;
  check_ok(status, "evaluator", j);
  return true;
}

/* ---- cases ---- */
typedef struct test_case {
  const sec_primitive *prim;
  const row           *row; /* NULL: elementwise */
  sec_jaxpr           *jaxpr;
} test_case;

static const sec_dtype dtypes[] = {SEC_F64, SEC_F32, SEC_I32, SEC_I64, SEC_U32, SEC_U64, SEC_U8,
                                   SEC_BOOL, SEC_I8, SEC_I16, SEC_U16, SEC_F16, SEC_BF16,
                                   SEC_C128, SEC_C64};
#define N_DTYPES ((int)(sizeof dtypes / sizeof *dtypes))

static bool takes(const sec_primitive *p, sec_dtype d) {
  static const unsigned classes[] = {SEC_TAKES_BOOL, SEC_TAKES_INT, SEC_TAKES_UINT,
                                     SEC_TAKES_FLOAT, SEC_TAKES_COMPLEX};
  unsigned              taken = p->takes ? p->takes : SEC_TAKES_INEXACT;
  return taken & classes[sec_dtype_kind(d)];
}

static bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* T as a word of its own becomes the dtype; `found` says whether there was one. */
static char *instantiate(const row *r, sec_dtype d, bool *found) {
  static char template[4096], text[8192];
  snprintf(template, sizeof template, "{ lambda ; %s. let %s in (%s,) }", r->inputs, r->equation,
           r->results);
  char *to = text;
  *found = false;
  for (const char *c = template; *c; c++) {
    bool word = *c == 'T' && !word_char(c[1]) && (c == template || !word_char(c[-1]));
    if (word) {
      to += sprintf(to, "%s", sec_dtype_name(d));
      *found = true;
    } else {
      *to++ = *c;
    }
  }
  *to = 0;
  return text;
}

static int n_operands(const sec_primitive *p) {
  int n = 0;
  while (n < SEC_MAX_OPERANDS && p->operands[n]) n++;
  return n;
}

/* A jaxpr with one equation a shape. */
static sec_jaxpr *elementwise_jaxpr(const sec_primitive *p, sec_dtype d, bool every_shape) {
  static const struct {
    int     rank;
    int64_t dims[5];
  } shapes[] = {{1, {3}},    {0, {0}},       {1, {0}},          {1, {17}},           {1, {33}},
                {2, {2, 3}}, {3, {5, 1, 7}}, {4, {2, 3, 1, 5}}, {5, {1, 2, 3, 2, 2}}};
  enum { N_SHAPES = sizeof shapes / sizeof *shapes };
  int        n = every_shape ? N_SHAPES : 2, k = n_operands(p);
  sec_value  in[N_SHAPES * SEC_MAX_OPERANDS], out[N_SHAPES];
  sec_jaxpr *j = NULL;
  sec_trace *t = sec_trace_begin(cx, p->name);
  for (int s = 0; s < n; s++)
    for (int i = 0; i < k; i++)
      in[s * k + i] = sec_trace_input(t, d, shapes[s].rank, shapes[s].dims);
  for (int s = 0; s < n; s++) sec_bind(p, in + s * k, k, NULL, &out[s], 1);
  sec_trace_end(t, out, n, &j);
  return j;
}

/* Functions with rules in C have no text. */
static void triple(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_mul(sec_sin(in[0]), in[1]);
}
static void triple_jvp(const sec_value *in, sec_value *out, void *user) {
  triple(in, out, user);
  out[1] = sec_add(sec_mul(sec_mul(sec_cos(in[0]), in[1]), in[2]), sec_mul(sec_sin(in[0]), in[3]));
}
static void triple_fwd(const sec_value *in, sec_value *out, void *user) {
  triple(in, out, user);
  out[1] = in[0];
  out[2] = in[1];
}
static void triple_bwd(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_mul(sec_mul(sec_cos(in[0]), in[1]), in[2]);
  out[1] = sec_mul(sec_sin(in[0]), in[2]);
}

/* The linear half of a custom_vjp function holds custom_lin. */
static sec_jaxpr *linear_half(sec_jaxpr *j) {
  sec_jaxpr *primal = NULL, *linear = NULL;
  int        n;
  check_ok(sec_jaxpr_linearize(j, (bool[]){true, true}, &primal, &linear, &n), "linearize", j);
  sec_jaxpr_release(primal);
  sec_jaxpr_release(j);
  return linear;
}

/* The second operand, whatever the dtype. */
static int host_function(void *user, const void *const *in, void *const *out, const sec_aval *const *types) {
  (void)user;
  memcpy(out[0], in[1], (size_t)sec_aval_size(types[2]) * sec_dtype_size(sec_aval_dtype(types[2])));
  return 0;
}
static sec_jaxpr *host_jaxpr(const sec_primitive *p, const sec_aval *a) {
  sec_callable *host = sec_host_create("second", host_function, NULL, NULL);
  sec_jaxpr    *j = NULL;
  sec_value     out;
  sec_trace    *t = sec_trace_begin(cx, p->name);
  sec_value     in[] = {sec_trace_input_aval(t, a), sec_trace_input_aval(t, a)};
  (strcmp(p->name, "io_call") == 0 ? sec_io_call : sec_host_call)(host, in, 2, &a, 1, &out);
  check_ok(sec_trace_end(t, &out, 1, &j), p->name, NULL);
  sec_callable_release(host);
  return j;
}

static sec_jaxpr *custom_jaxpr(const sec_primitive *p, sec_dtype d) {
  bool forward = strcmp(p->name, "custom_jvp_call") == 0,
       linear = strcmp(p->name, "custom_lin") == 0;
  const sec_aval *a = sec_aval_get(cx, d, false, 1, (int64_t[]){3});
  sec_jaxpr      *j = NULL;
  if (strcmp(p->name, "host_call") == 0 || strcmp(p->name, "io_call") == 0) return host_jaxpr(p, a);
  if (!forward && !linear && strcmp(p->name, "custom_vjp_call") != 0) return NULL;
  sec_fn *f = sec_fn_create(cx, "triple", triple, NULL, 2, 1);
  f = forward ? sec_custom_jvp(f, triple_jvp, NULL)
              : sec_custom_vjp(f, triple_fwd, triple_bwd, 2, NULL);
  check_ok(sec_fn_jaxpr(f, (const sec_aval *[]){a, a}, &j), p->name, NULL);
  return linear ? linear_half(j) : j;
}

static void push_axis(const row *r) {
  if (r && (r->flags & ROW_NAMED)) check_ok(sec_axis_push("i", LANES), "axis", NULL);
}
static void pop_axis(const row *r) {
  if (r && (r->flags & ROW_NAMED)) sec_axis_pop();
}

/* The cases of a primitive for one dtype; the caller releases the jaxprs. */
static int make_cases(const sec_primitive *p, sec_dtype d, bool every_shape, test_case *cases) {
  int n = 0, n_rows = 0;
  for (size_t i = 0; i < N_ROWS; i++) {
    bool typed;
    if (strcmp(rows[i].prim, p->name) != 0) continue;
    n_rows++;
    char *text = instantiate(&rows[i], d, &typed);
    if (!typed && d != SEC_F64) continue;
    if ((rows[i].flags & ROW_REAL) && sec_dtype_kind(d) == SEC_KIND_COMPLEX) continue;
    if ((rows[i].flags & ROW_WIDE) && (d == SEC_F16 || d == SEC_BF16)) continue;
    cases[n] = (test_case){p, &rows[i], NULL};
    push_axis(&rows[i]);
    sec_status status = sec_jaxpr_parse(cx, text, &cases[n].jaxpr);
    pop_axis(&rows[i]);
    if (status != SEC_OK) print_error("%s\n", text);
    check_ok(status, p->name, NULL);
    n++;
  }
  if (n_rows > 0) return n;
  cases[0] = (test_case){p, NULL, custom_jaxpr(p, d)};
  if (!cases[0].jaxpr && !p->variadic && n_operands(p) > 0)
    cases[0].jaxpr = elementwise_jaxpr(p, d, every_shape);
  if (cases[0].jaxpr) return 1;
  print_error("%s: %s\n  add a row for it to tests/ops/rows.h\n", p->name, sec_error_message(cx));
  sec_error_clear(cx);
  fail();
  return 0;
}

/* A collective's jaxpr is mapped over its axis, every input at 0; the others are as they are. */
static sec_status finish(const test_case *c, sec_jaxpr *j, sec_jaxpr **out) {
  int axes[CHECK_MAX] = {0};
  *out = sec_jaxpr_retain(j);
  if (!c->row || !(c->row->flags & ROW_NAMED)) return SEC_OK;
  sec_jaxpr_release(*out);
  push_axis(c->row);
  sec_status status = sec_jaxpr_vmap(j, axes, axes, LANES, "i", out);
  pop_axis(c->row);
  return status;
}

/* ---- operands ---- */
/* Symmetric with a heavy diagonal, or only the diagonal made heavy: well away from singular. */
static void shape_matrix(sec_array *a, bool symmetric) {
  int64_t n = a->aval->dims[a->aval->rank - 1], matrices = n ? a->aval->size / (n * n) : 0;
  for (int64_t m = 0; m < matrices; m++)
    for (int64_t i = 0; i < n; i++)
      for (int64_t k = 0; k <= i; k++) {
        int64_t at = (m * n + i) * n + k, other = (m * n + k) * n + i;
        if (i == k) sec_put_f(a, at, (double)(3 * n) + sec_get_f(a, at) / 4);
        else if (symmetric) sec_put_f(a, other, sec_get_f(a, at));
      }
}

/* FILL_ORDERED: operand 0 in the lowest eighth of the domain, operand 2 in the highest. */
static void narrow(const test_case *c, int i, sec_domain *d) {
  double part = (d->high - d->low) / 8;
  if (!c->row || c->row->fill != FILL_ORDERED) return;
  if (i == 0) d->high = d->low + part;
  if (i == 2) d->low = d->high - part;
}

static bool heavy_diagonal(const test_case *c) {
  return c->row && c->row->fill >= FILL_POSITIVE_DEFINITE;
}

static void make_inputs(const test_case *c, const sec_jaxpr *j, sec_array **in) {
  sec_domain domain = c->prim->domain;
  if (domain.low == 0 && domain.high == 0) domain = (sec_domain){-2, 2};
  assert_true(sec_jaxpr_n_in(j) <= CHECK_MAX);
  for (int i = 0; i < sec_jaxpr_n_in(j); i++) {
    sec_domain d = domain;
    narrow(c, i, &d);
    in[i] = check_random(cx, sec_jaxpr_in_aval(j, i), d.low, d.high);
    if (i == 0 && heavy_diagonal(c) && check_is_float(in[i]->aval))
      shape_matrix(in[i], c->row->fill == FILL_POSITIVE_DEFINITE);
  }
}

/* Directions for the float inputs, NULL for the others. */
static void make_directions(const sec_jaxpr *j, int n, const test_case *c, sec_array **dx) {
  for (int i = 0; i < n; i++) {
    const sec_aval *a = sec_jaxpr_in_aval(j, i);
    dx[i] = check_is_float(a) ? check_random(cx, a, -1, 1) : NULL;
    if (i == 0 && dx[i] && c->row && c->row->fill == FILL_POSITIVE_DEFINITE)
      shape_matrix(dx[i], true);
  }
}

static bool has_float(const sec_jaxpr *j) {
  bool in = false, out = false;
  for (int i = 0; i < sec_jaxpr_n_in(j); i++) in |= check_is_float(sec_jaxpr_in_aval(j, i));
  for (int i = 0; i < sec_jaxpr_n_out(j); i++) out |= check_is_float(sec_jaxpr_out_aval(j, i));
  return in && out;
}

#endif
