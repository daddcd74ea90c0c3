/* Checks of every registered primitive, from the registry itself: compiled = reference evaluator, jvp = differences,
 * <ct, J dx> = <J^T ct, dx>, second derivatives, vmap = loop.  Primitives that need parameters have rows in rows.h;
 * one without a row that needs it fails.  A missing rule is a line in tests/golden/rule_coverage.txt. */
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
  if (status != SEC_NO_RULE && status != SEC_FORWARD && status != SEC_REVERSE && status != SEC_UNSUPPORTED) return false;
  sec_error_clear(cx);
  return missing[index_of(p)][check] = true;
}

/* False when evaluation itself says that a derivative is not there (forward mode of a custom_vjp function). */
static bool evaluates(const sec_primitive *p, const sec_jaxpr *j, sec_array **in, sec_array **out, int check) {
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

static const sec_dtype dtypes[] = {SEC_F64, SEC_F32, SEC_I32, SEC_I64, SEC_U32, SEC_U64, SEC_U8, SEC_BOOL};
#define N_DTYPES ((int)(sizeof dtypes / sizeof *dtypes))

static bool takes(const sec_primitive *p, sec_dtype d) {
  static const unsigned classes[] = {SEC_TAKES_BOOL, SEC_TAKES_INT, SEC_TAKES_UINT, SEC_TAKES_FLOAT};
  unsigned              taken = p->takes ? p->takes : SEC_TAKES_FLOAT;
  return sec_dtype_kind(d) <= SEC_KIND_FLOAT && (taken & classes[sec_dtype_kind(d)]);
}

static bool word_char(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* T as a word of its own becomes the dtype; `found` says whether there was one. */
static char *instantiate(const row *r, sec_dtype d, bool *found) {
  static char template[4096], text[8192];
  snprintf(template, sizeof template, "{ lambda ; %s. let %s in (%s,) }", r->inputs, r->equation, r->results);
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
  static const struct { int rank; int64_t dims[5]; } shapes[] = {{1, {3}},       {0, {0}},          {1, {0}},
                                                                 {1, {17}},      {1, {33}},         {2, {2, 3}},
                                                                 {3, {5, 1, 7}}, {4, {2, 3, 1, 5}}, {5, {1, 2, 3, 2, 2}}};
  enum { N_SHAPES = sizeof shapes / sizeof *shapes };
  int        n = every_shape ? N_SHAPES : 2, k = n_operands(p);
  sec_value  in[N_SHAPES * SEC_MAX_OPERANDS], out[N_SHAPES];
  sec_jaxpr *j = NULL;
  sec_trace *t = sec_trace_begin(cx, p->name);
  for (int s = 0; s < n; s++)
    for (int i = 0; i < k; i++) in[s * k + i] = sec_trace_input(t, d, shapes[s].rank, shapes[s].dims);
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

static sec_jaxpr *custom_jaxpr(const sec_primitive *p, sec_dtype d) {
  bool            forward = strcmp(p->name, "custom_jvp_call") == 0, linear = strcmp(p->name, "custom_lin") == 0;
  const sec_aval *a = sec_aval_get(cx, d, false, 1, (int64_t[]){3});
  sec_jaxpr      *j = NULL;
  if (!forward && !linear && strcmp(p->name, "custom_vjp_call") != 0) return NULL;
  sec_fn *f = sec_fn_create(cx, "triple", triple, NULL, 2, 1);
  f = forward ? sec_custom_jvp(f, triple_jvp, NULL) : sec_custom_vjp(f, triple_fwd, triple_bwd, 2, NULL);
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
  if (!cases[0].jaxpr && !p->variadic && n_operands(p) > 0) cases[0].jaxpr = elementwise_jaxpr(p, d, every_shape);
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

static bool heavy_diagonal(const test_case *c) { return c->row && c->row->fill >= FILL_POSITIVE_DEFINITE; }

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
    if (i == 0 && dx[i] && c->row && c->row->fill == FILL_POSITIVE_DEFINITE) shape_matrix(dx[i], true);
  }
}

static bool has_float(const sec_jaxpr *j) {
  bool in = false, out = false;
  for (int i = 0; i < sec_jaxpr_n_in(j); i++) in |= check_is_float(sec_jaxpr_in_aval(j, i));
  for (int i = 0; i < sec_jaxpr_n_out(j); i++) out |= check_is_float(sec_jaxpr_out_aval(j, i));
  return in && out;
}

/* ---- compiled = evaluator ---- */
static void compare_compiled(const test_case *c) {
  sec_array *in[CHECK_MAX], *expected[CHECK_MAX], *given[CHECK_MAX];
  sec_jaxpr *j;
  check_ok(finish(c, c->jaxpr, &j), "vmap", c->jaxpr);
  make_inputs(c, j, in);
  bool       evaluated = evaluates(c->prim, j, in, expected, CHECK_COMPILE);
  sec_status status = evaluated ? sec_run(cx, j, in, given) : SEC_OK;
  if (evaluated && !is_missing(c->prim, CHECK_COMPILE, status)) {
    bool same = true;
    check_ok(status, "compiled", j);
    for (int i = 0; i < sec_jaxpr_n_out(j); i++)
      same = check_same("compiled and evaluated", given[i], expected[i], check_tolerance(expected[i]->aval->dtype)) && same;
    if (!same) check_print_jaxpr("of", j);
    assert_true(same);
    check_release(given, sec_jaxpr_n_out(j));
  }
  if (evaluated) check_release(expected, sec_jaxpr_n_out(j));
  check_release(in, sec_jaxpr_n_in(j));
  sec_jaxpr_release(j);
}

static void test_compiled(void **state) {
  const sec_primitive *p = *state;
  check_reseed(p->name);
  for (int d = 0; d < N_DTYPES; d++) {
    test_case cases[MAX_CASES];
    int       n = takes(p, dtypes[d]) ? make_cases(p, dtypes[d], true, cases) : 0;
    for (int i = 0; i < n; i++) {
      compare_compiled(&cases[i]);
      sec_jaxpr_release(cases[i].jaxpr);
    }
  }
}

/* ---- derivatives ---- */
/* A jaxpr with a float narrower than f64 is differentiated as coarsely as that rounds. */
static bool is_coarse(const sec_jaxpr *j) {
  bool coarse = false;
  for (int i = 0; i < sec_jaxpr_n_in(j); i++)
    coarse |= check_is_float(sec_jaxpr_in_aval(j, i)) && sec_jaxpr_in_aval(j, i)->dtype != SEC_F64;
  for (int i = 0; i < sec_jaxpr_n_out(j); i++)
    coarse |= check_is_float(sec_jaxpr_out_aval(j, i)) && sec_jaxpr_out_aval(j, i)->dtype != SEC_F64;
  return coarse;
}

/* f(x + h dx) - f(x - h dx) over 2 h for every float result, beside `tangents`; `flat`: zero by definition. */
static bool matches_differences(const sec_jaxpr *j, sec_array **x, sec_array **dx, sec_array **tangents, bool flat) {
  const double h = is_coarse(j) ? 1e-3 : 1e-5, tolerance = is_coarse(j) ? 1e-3 : 1e-6;
  int          n_in = sec_jaxpr_n_in(j), n_out = sec_jaxpr_n_out(j), k = 0;
  sec_array   *moved[CHECK_MAX], *up[CHECK_MAX], *down[CHECK_MAX];
  bool         same = true;
  for (int side = 0; side < 2; side++) {
    for (int i = 0; i < n_in; i++) moved[i] = check_step(cx, x[i], dx[i], side ? -h : h);
    check_eval(j, moved, side ? down : up, "difference");
    check_release(moved, n_in);
  }
  for (int i = 0; i < n_out; i++) {
    if (!check_is_float(up[i]->aval)) continue;
    for (int64_t e = 0; e < up[i]->aval->size; e++) {
      double slope = (sec_get_f(up[i], e) - sec_get_f(down[i], e)) / (2 * h), given = sec_get_f(tangents[k], e);
      if (check_near(flat ? 0 : slope, given, tolerance)) continue;
      print_error("result %d, element %" PRId64 ": tangent %.12g, difference %.12g\n", i, e, given, slope);
      same = false;
    }
    k++;
  }
  check_release(up, n_out);
  check_release(down, n_out);
  return same;
}

typedef sec_status (*transform_fn)(const sec_jaxpr *j, sec_jaxpr **out);
static sec_status forward(const sec_jaxpr *j, sec_jaxpr **out) { return sec_jaxpr_jvp(j, NULL, NULL, out); }
static sec_status backward(const sec_jaxpr *j, sec_jaxpr **out) {
  bool wrt[CHECK_MAX];
  for (int i = 0; i < sec_jaxpr_n_in(j); i++) wrt[i] = check_is_float(sec_jaxpr_in_aval(j, i));
  return sec_jaxpr_vjp(j, wrt, out);
}

/* The transform of c's jaxpr, mapped if it is a collective; false when a rule is missing. */
static bool transformed(const test_case *c, const sec_jaxpr *j, transform_fn transform, int check, sec_jaxpr **out) {
  sec_jaxpr *raw = NULL;
  push_axis(c->row);
  sec_status status = transform(j, &raw);
  if (status == SEC_OK) check_ok(sec_jaxpr_check(raw), "check", raw);
  pop_axis(c->row);
  *out = NULL;
  if (is_missing(c->prim, check, status)) return false;
  check_ok(status, check_names[check], j);
  status = finish(c, raw, out);
  bool there = !is_missing(c->prim, CHECK_VMAP, status);
  if (there) check_ok(status, "vmap of a transform", raw);
  sec_jaxpr_release(raw);
  return there;
}

/* Operands of jvp: x, then the directions that are there. */
static void append_directions(sec_array **x, sec_array **dx, int n, sec_array **out) {
  int k = n;
  for (int i = 0; i < n; i++) out[i] = x[i];
  for (int i = 0; i < n; i++)
    if (dx[i]) out[k++] = dx[i];
}

/* jvp of `base` against differences of `base`. */
static void compare_jvp(const test_case *c, const sec_jaxpr *base, sec_array **x, sec_array **dx, int check) {
  sec_jaxpr *jvp, *plain;
  sec_array *in[2 * CHECK_MAX], *out[CHECK_MAX];
  if (!transformed(c, base, forward, check, &jvp)) return;
  check_ok(finish(c, (sec_jaxpr *)base, &plain), "vmap", base);
  append_directions(x, dx, sec_jaxpr_n_in(plain), in);
  bool same = true;
  if (evaluates(c->prim, jvp, in, out, check)) {
    same = matches_differences(plain, x, dx, out + sec_jaxpr_n_out(plain), c->prim->flags & SEC_FLAG_NO_GRADIENT);
    check_release(out, sec_jaxpr_n_out(jvp));
  }
  if (!same) check_print_jaxpr("jvp", jvp);
  sec_jaxpr_release(jvp);
  sec_jaxpr_release(plain);
  assert_true(same);
}

static void test_jvp_case(const test_case *c) {
  sec_array *x[CHECK_MAX], *dx[CHECK_MAX];
  sec_jaxpr *j;
  check_ok(finish(c, c->jaxpr, &j), "vmap", c->jaxpr);
  make_inputs(c, j, x);
  make_directions(j, sec_jaxpr_n_in(j), c, dx);
  compare_jvp(c, c->jaxpr, x, dx, CHECK_JVP);
  check_release(x, sec_jaxpr_n_in(j));
  check_release(dx, sec_jaxpr_n_in(j));
  sec_jaxpr_release(j);
}

/* <ct, J dx> = <J^T ct, dx>, for J dx from `jvp` and J^T ct from `vjp`. */
static bool identity_holds(const test_case *c, const sec_jaxpr *j, const sec_jaxpr *jvp, const sec_jaxpr *vjp, sec_array **x,
                           sec_array **dx) {
  sec_array *in[2 * CHECK_MAX], *a[CHECK_MAX], *b[CHECK_MAX], *ct[CHECK_MAX];
  int        n = sec_jaxpr_n_in(j), n_out = sec_jaxpr_n_out(j), n_ct = sec_jaxpr_n_in(vjp) - n, k = 0;
  double     left = 0, right = 0, scale = 1;
  append_directions(x, dx, n, in);
  if (!evaluates(c->prim, jvp, in, a, CHECK_JVP)) return true;
  for (int i = 0; i < n_ct; i++) in[n + i] = ct[i] = check_random(cx, sec_jaxpr_in_aval(vjp, n + i), -1, 1);
  check_eval(vjp, in, b, "vjp");
  for (int i = 0; i < n_ct; i++) left += check_dot(ct[i], a[n_out + i]), scale += fabs(check_dot(ct[i], a[n_out + i]));
  for (int i = 0; i < n; i++)
    if (dx[i]) right += check_dot(b[n_out + k++], dx[i]);
  check_release(ct, n_ct);
  check_release(a, sec_jaxpr_n_out(jvp));
  check_release(b, sec_jaxpr_n_out(vjp));
  bool same = fabs(left - right) <= (is_coarse(j) ? 1e-5 : 1e-10) * scale;
  if (!same) print_error("<ct, J dx> = %.15g, <J^T ct, dx> = %.15g\n", left, right);
  return same;
}

static void compare_transpose(const test_case *c, const sec_jaxpr *base, int check) {
  sec_jaxpr *jvp = NULL, *vjp = NULL, *j;
  sec_array *x[CHECK_MAX], *dx[CHECK_MAX];
  bool       same = true;
  if (transformed(c, base, backward, check, &vjp) && transformed(c, base, forward, CHECK_JVP, &jvp)) {
    check_ok(finish(c, (sec_jaxpr *)base, &j), "vmap", base);
    make_inputs(c, j, x);
    make_directions(j, sec_jaxpr_n_in(j), c, dx);
    same = identity_holds(c, j, jvp, vjp, x, dx);
    check_release(x, sec_jaxpr_n_in(j));
    check_release(dx, sec_jaxpr_n_in(j));
    sec_jaxpr_release(j);
  }
  if (!same) check_print_jaxpr("vjp", vjp);
  sec_jaxpr_release(jvp);
  sec_jaxpr_release(vjp);
  assert_true(same);
}

static void test_transpose_case(const test_case *c) { compare_transpose(c, c->jaxpr, CHECK_TRANSPOSE); }

/* The vjp is a function as well: its jvp and its vjp. */
static void test_second_case(const test_case *c) {
  sec_jaxpr *vjp = NULL, *j;
  sec_array *x[CHECK_MAX], *dx[CHECK_MAX];
  push_axis(c->row);
  sec_status status = backward(c->jaxpr, &vjp);
  pop_axis(c->row);
  if (is_missing(c->prim, CHECK_SECOND, status)) return;
  check_ok(status, "vjp", c->jaxpr);
  check_ok(finish(c, vjp, &j), "vmap", vjp);
  make_inputs(c, j, x);
  make_directions(j, sec_jaxpr_n_in(j), c, dx);
  compare_jvp(c, vjp, x, dx, CHECK_SECOND);
  compare_transpose(c, vjp, CHECK_SECOND);
  check_release(x, sec_jaxpr_n_in(j));
  check_release(dx, sec_jaxpr_n_in(j));
  sec_jaxpr_release(j);
  sec_jaxpr_release(vjp);
}

/* ---- vmap = loop ---- */
static sec_array *batched_input(const test_case *c, const sec_aval *lane, int axis, sec_array *whole, int place) {
  int64_t dims[SEC_MAX_RANK];
  if (axis == SEC_NOT_MAPPED) return sec_array_retain(whole);
  for (int d = 0; d <= lane->rank; d++) dims[d] = d == axis ? LANES : lane->dims[d > axis ? d - 1 : d];
  sec_domain      domain = c->prim->domain;
  const sec_aval *a = sec_aval_get(cx, lane->dtype, false, lane->rank + 1, dims);
  if (domain.low == 0 && domain.high == 0) domain = (sec_domain){-2, 2};
  sec_array *x = check_random(cx, a, domain.low, domain.high);
  if (place == 0 && axis == 0 && heavy_diagonal(c) && check_is_float(a))
    shape_matrix(x, c->row->fill == FILL_POSITIVE_DEFINITE);
  return x;
}

static bool same_as_loop(const sec_jaxpr *j, const int *axes, sec_array **in, sec_array **out) {
  int        n_in = sec_jaxpr_n_in(j), n_out = sec_jaxpr_n_out(j);
  sec_array *lane_in[CHECK_MAX], *lane_out[CHECK_MAX];
  bool       same = true;
  for (int64_t lane = 0; lane < LANES; lane++) {
    for (int i = 0; i < n_in; i++)
      lane_in[i] = axes[i] == SEC_NOT_MAPPED ? sec_array_retain(in[i]) : check_lane(cx, in[i], axes[i], lane);
    check_eval(j, lane_in, lane_out, "one lane");
    for (int i = 0; i < n_out; i++) {
      sec_array *given = check_lane(cx, out[i], 0, lane);
      same = check_same("vmap and loop", given, lane_out[i], 4 * check_tolerance(given->aval->dtype)) && same;
      sec_array_release(given);
    }
    check_release(lane_in, n_in);
    check_release(lane_out, n_out);
  }
  return same;
}

static void compare_vmap(const test_case *c, const sec_jaxpr *j, const int *axes) {
  int        out_axes[CHECK_MAX] = {0}, n_in = sec_jaxpr_n_in(j);
  sec_jaxpr *mapped = NULL;
  sec_array *in[CHECK_MAX], *whole[CHECK_MAX], *out[CHECK_MAX];
  sec_status status = sec_jaxpr_vmap(j, axes, out_axes, LANES, NULL, &mapped);
  if (is_missing(c->prim, CHECK_VMAP, status)) return;
  check_ok(status, "vmap", j);
  check_ok(sec_jaxpr_check(mapped), "check of vmap", mapped);
  make_inputs(c, j, whole);
  for (int i = 0; i < n_in; i++) in[i] = batched_input(c, sec_jaxpr_in_aval(j, i), axes[i], whole[i], i);
  bool evaluated = evaluates(c->prim, mapped, in, out, CHECK_VMAP), same = !evaluated || same_as_loop(j, axes, in, out);
  if (!same) {
    for (int i = 0; i < n_in; i++) print_error("in_axes[%d] = %d\n", i, axes[i]);
    check_print_jaxpr("vmap", mapped);
  }
  if (evaluated) check_release(out, sec_jaxpr_n_out(mapped));
  check_release(in, n_in);
  check_release(whole, n_in);
  sec_jaxpr_release(mapped);
  assert_true(same);
}

/* Each operand alone at each axis, then all in front and all behind. */
static void test_vmap_case(const test_case *c) {
  int        axes[CHECK_MAX], n;
  sec_jaxpr *j;
  check_ok(finish(c, c->jaxpr, &j), "vmap", c->jaxpr);
  n = sec_jaxpr_n_in(j);
  for (int i = 0; i < n; i++)
    for (int axis = 0; axis <= sec_jaxpr_in_aval(j, i)->rank; axis++) {
      for (int k = 0; k < n; k++) axes[k] = k == i ? axis : SEC_NOT_MAPPED;
      compare_vmap(c, j, axes);
    }
  for (int k = 0; k < n; k++) axes[k] = 0;
  compare_vmap(c, j, axes);
  for (int k = 0; k < n; k++) axes[k] = sec_jaxpr_in_aval(j, k)->rank;
  if (!heavy_diagonal(c)) compare_vmap(c, j, axes);
  sec_jaxpr_release(j);
}

/* ---- running a check over the cases ---- */
/* In f64, or for `any` in the first dtype that is taken. */
static void over_cases(const sec_primitive *p, bool any, void (*run)(const test_case *c)) {
  test_case cases[MAX_CASES];
  int       d = 0;
  check_reseed(p->name);
  while (any && d < N_DTYPES - 1 && !takes(p, dtypes[d])) d++;
  if (!takes(p, dtypes[d])) return;
  int n = make_cases(p, dtypes[d], false, cases);
  for (int i = 0; i < n; i++) {
    bool values = cases[i].row && (cases[i].row->flags & ROW_VALUES);
    if (any || (has_float(cases[i].jaxpr) && !values)) run(&cases[i]);
    sec_jaxpr_release(cases[i].jaxpr);
  }
}

static void test_jvp(void **state) { over_cases(*state, false, test_jvp_case); }
static void test_transpose(void **state) { over_cases(*state, false, test_transpose_case); }
static void test_second(void **state) { over_cases(*state, false, test_second_case); }
static void test_vmap(void **state) { over_cases(*state, true, test_vmap_case); }

static void text_case(const test_case *c) {
  push_axis(c->row);
  check_text(cx, c->jaxpr, c->prim->name);
  pop_axis(c->row);
}
static void test_text(void **state) { over_cases(*state, true, text_case); }

/* ---- the coverage table ---- */
static void test_coverage(void **state) {
  static char table[65536], committed[65536];
  const char *path = SECANT_SOURCE_DIR "/tests/golden/rule_coverage.txt", *update = getenv("SECANT_UPDATE_GOLDEN");
  char       *to = table;
  (void)state;
  to += sprintf(to, "# Rules that are missing, by primitive; written by tests/ops/ops_test.c (SECANT_UPDATE_GOLDEN=1).\n");
  for (int i = 0; i < sec_n_primitives(); i++) {
    bool any = false;
    for (int k = 0; k < N_CHECKS; k++) any |= missing[i][k];
    if (any) to += sprintf(to, "%s:", sec_primitive_at(i)->name);
    for (int k = 0; k < N_CHECKS; k++)
      if (missing[i][k]) to += sprintf(to, " %s", check_names[k]);
    if (any) *to++ = '\n';
  }
  *to = 0;
  FILE *file = fopen(path, update ? "w" : "r");
  assert_non_null(file);
  if (update) fputs(table, file);
  else committed[fread(committed, 1, sizeof committed - 1, file)] = 0;
  fclose(file);
  if (!update) assert_string_equal(table, committed);
}

/* ---- main ---- */
static const struct { const char *name; CMUnitTestFunction run; } checks[] = {
    {"text", test_text}, {"compiled", test_compiled}, {"jvp", test_jvp}, {"transpose", test_transpose}, {"second", test_second},
    {"vmap", test_vmap}};
enum { N_TESTS = sizeof checks / sizeof *checks };

/* SECANT_OPS=sin,cos: those primitives alone, without the coverage table. */
static bool wanted(const char *only, const char *name) {
  size_t n = strlen(name);
  for (const char *at = only; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
    if (strncmp(at, name, n) == 0 && (at[n] == 0 || at[n] == ',')) return true;
  return !only;
}

int main(void) {
  const char        *only = getenv("SECANT_OPS");
  int                n = 0, room = sec_n_primitives() * N_TESTS + 1;
  struct CMUnitTest *tests = calloc((size_t)room, sizeof *tests);
  char(*names)[64] = calloc((size_t)room, sizeof *names);
  cx = sec_context_create();
  for (int i = 0; i < sec_n_primitives(); i++)
    for (int k = 0; k < N_TESTS && wanted(only, sec_primitive_at(i)->name); k++, n++) {
      snprintf(names[n], sizeof *names, "%s: %s", sec_primitive_at(i)->name, checks[k].name);
      tests[n] = (struct CMUnitTest){names[n], checks[k].run, NULL, NULL, (void *)sec_primitive_at(i)};
    }
  if (!only) tests[n++] = (struct CMUnitTest){"coverage table", test_coverage, NULL, NULL, NULL};
  int failed = _cmocka_run_group_tests("ops", tests, (size_t)n, NULL, NULL);
  sec_context_destroy(cx);
  free(tests);
  free(names);
  return failed;
}
