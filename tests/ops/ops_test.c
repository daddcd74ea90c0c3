/* Checks of every registered primitive, from the registry itself: compiled = reference evaluator,
 * jvp = differences, <ct, J dx> = <J^T ct, dx>, second derivatives, vmap = loop.  Primitives that
 * need parameters have rows in rows.h; one without a row that needs it fails.  A missing rule is a
 * line in tests/golden/rule_coverage.txt. */
#include "ops/cases.h"

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
      same = check_same("compiled and evaluated", given[i], expected[i],
                        check_tolerance(expected[i]->aval->dtype)) &&
             same;
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
static bool is_narrow(const sec_aval *a) {
  return check_is_float(a) && a->dtype != SEC_F64 && a->dtype != SEC_C128;
}
static bool is_coarse(const sec_jaxpr *j) {
  bool coarse = false;
  for (int i = 0; i < sec_jaxpr_n_in(j); i++)
    coarse |= is_narrow(sec_jaxpr_in_aval(j, i));
  for (int i = 0; i < sec_jaxpr_n_out(j); i++)
    coarse |= is_narrow(sec_jaxpr_out_aval(j, i));
  return coarse;
}

/* f(x + h dx) - f(x - h dx) over 2 h for every float result, beside `tangents`; `flat`: zero by
 * definition. */
static bool matches_differences(const sec_jaxpr *j, sec_array **x, sec_array **dx,
                                sec_array **tangents, bool flat) {
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
      double _Complex slope = (sec_get_c(up[i], e) - sec_get_c(down[i], e)) / (2 * h),
                      given = sec_get_c(tangents[k], e);
      if (check_near_complex(flat ? 0 : slope, given, tolerance)) continue;
      print_error("result %d, element %" PRId64 ": tangent %.12g + %.12g i, difference %.12g + %.12g i\n", i, e,
                  __real__ given, __imag__ given, __real__ slope, __imag__ slope);
      same = false;
    }
    k++;
  }
  check_release(up, n_out);
  check_release(down, n_out);
  return same;
}

typedef sec_status (*transform_fn)(const sec_jaxpr *j, sec_jaxpr **out);
static sec_status forward(const sec_jaxpr *j, sec_jaxpr **out) {
  return sec_jaxpr_jvp(j, NULL, NULL, out);
}
static sec_status backward(const sec_jaxpr *j, sec_jaxpr **out) {
  bool wrt[CHECK_MAX];
  for (int i = 0; i < sec_jaxpr_n_in(j); i++) wrt[i] = check_is_float(sec_jaxpr_in_aval(j, i));
  return sec_jaxpr_vjp(j, wrt, out);
}

/* The transform of c's jaxpr, mapped if it is a collective; false when a rule is missing. */
static bool transformed(const test_case *c, const sec_jaxpr *j, transform_fn transform, int check,
                        sec_jaxpr **out) {
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
static void compare_jvp(const test_case *c, const sec_jaxpr *base, sec_array **x, sec_array **dx,
                        int check) {
  sec_jaxpr *jvp, *plain;
  sec_array *in[2 * CHECK_MAX], *out[CHECK_MAX];
  if (!transformed(c, base, forward, check, &jvp)) return;
  check_ok(finish(c, (sec_jaxpr *)base, &plain), "vmap", base);
  append_directions(x, dx, sec_jaxpr_n_in(plain), in);
  bool same = true;
  if (evaluates(c->prim, jvp, in, out, check)) {
    same = matches_differences(plain, x, dx, out + sec_jaxpr_n_out(plain),
                               c->prim->flags & SEC_FLAG_NO_GRADIENT);
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
static bool identity_holds(const test_case *c, const sec_jaxpr *j, const sec_jaxpr *jvp,
                           const sec_jaxpr *vjp, sec_array **x, sec_array **dx) {
  sec_array *in[2 * CHECK_MAX], *a[CHECK_MAX], *b[CHECK_MAX], *ct[CHECK_MAX];
  int    n = sec_jaxpr_n_in(j), n_out = sec_jaxpr_n_out(j), n_ct = sec_jaxpr_n_in(vjp) - n, k = 0;
  double left = 0, right = 0, scale = 1;
  append_directions(x, dx, n, in);
  if (!evaluates(c->prim, jvp, in, a, CHECK_JVP)) return true;
  for (int i = 0; i < n_ct; i++)
    in[n + i] = ct[i] = check_random(cx, sec_jaxpr_in_aval(vjp, n + i), -1, 1);
  check_eval(vjp, in, b, "vjp");
  for (int i = 0; i < n_ct; i++)
    left += check_dot(ct[i], a[n_out + i]), scale += fabs(check_dot(ct[i], a[n_out + i]));
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
  if (transformed(c, base, backward, check, &vjp) &&
      transformed(c, base, forward, CHECK_JVP, &jvp)) {
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

static void test_transpose_case(const test_case *c) {
  compare_transpose(c, c->jaxpr, CHECK_TRANSPOSE);
}

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
static sec_array *batched_input(const test_case *c, const sec_aval *lane, int axis,
                                sec_array *whole, int place) {
  int64_t dims[SEC_MAX_RANK];
  if (axis == SEC_NOT_MAPPED) return sec_array_retain(whole);
  for (int d = 0; d <= lane->rank; d++)
    dims[d] = d == axis ? LANES : lane->dims[d > axis ? d - 1 : d];
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
      lane_in[i] = axes[i] == SEC_NOT_MAPPED ? sec_array_retain(in[i])
                                             : check_lane(cx, in[i], axes[i], lane);
    check_eval(j, lane_in, lane_out, "one lane");
    for (int i = 0; i < n_out; i++) {
      sec_array *given = check_lane(cx, out[i], 0, lane);
      same = check_same("vmap and loop", given, lane_out[i],
                        4 * check_tolerance(given->aval->dtype)) &&
             same;
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
  for (int i = 0; i < n_in; i++)
    in[i] = batched_input(c, sec_jaxpr_in_aval(j, i), axes[i], whole[i], i);
  bool evaluated = evaluates(c->prim, mapped, in, out, CHECK_VMAP),
       same = !evaluated || same_as_loop(j, axes, in, out);
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
static void over_dtype(const sec_primitive *p, sec_dtype d, bool any, void (*run)(const test_case *c)) {
  test_case cases[MAX_CASES];
  if (!takes(p, d)) return;
  int n = make_cases(p, d, false, cases);
  for (int i = 0; i < n; i++) {
    bool values = cases[i].row && (cases[i].row->flags & ROW_VALUES);
    if (any || (has_float(cases[i].jaxpr) && !values)) run(&cases[i]);
    sec_jaxpr_release(cases[i].jaxpr);
  }
}

/* In f64 and c128, or for `any` in the first dtype that is taken and c128. */
static void over_cases(const sec_primitive *p, bool any, void (*run)(const test_case *c)) {
  int d = 0;
  check_reseed(p->name);
  while (any && d < N_DTYPES - 1 && !takes(p, dtypes[d])) d++;
  over_dtype(p, dtypes[d], any, run);
  if (dtypes[d] != SEC_C128) over_dtype(p, SEC_C128, any, run);
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
  const char *path = SECANT_SOURCE_DIR "/tests/golden/rule_coverage.txt",
             *update = getenv("SECANT_UPDATE_GOLDEN");
  char *to = table;
  (void)state;
  to += sprintf(to, "# Rules that are missing, by primitive; written by tests/ops/ops_test.c "
                    "(SECANT_UPDATE_GOLDEN=1).\n");
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
static const struct {
  const char        *name;
  CMUnitTestFunction run;
} checks[] = {{"text", test_text},           {"compiled", test_compiled}, {"jvp", test_jvp},
              {"transpose", test_transpose}, {"second", test_second},     {"vmap", test_vmap}};
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
      tests[n] =
          (struct CMUnitTest){names[n], checks[k].run, NULL, NULL, (void *)sec_primitive_at(i)};
    }
  if (!only) tests[n++] = (struct CMUnitTest){"coverage table", test_coverage, NULL, NULL, NULL};
  int failed = _cmocka_run_group_tests("ops", tests, (size_t)n, NULL, NULL);
  sec_context_destroy(cx);
  free(tests);
  free(names);
  return failed;
}
