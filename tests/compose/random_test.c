/* Random programs: compiled = evaluated, for the program itself, its gradient and its vmap.  Each seed is one test;
 * SECANT_SEEDS=FROM,TO runs others, SECANT_SEED_PRINT=1 prints the jaxprs that differ. */
#include <math.h>
#include <secant.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these before it */
#include <cmocka.h>

#define MAX_VALUES 64
#define TOLERANCE 1e-9 /* f64, a few dozen operations on values near 1 */

typedef struct program {
  uint64_t  state;
  sec_value v[MAX_VALUES];
  int       n;
} program;

static uint64_t draw(program *p, uint64_t below) {
  p->state ^= p->state << 13, p->state ^= p->state >> 7, p->state ^= p->state << 17;
  return (p->state >> 11) % below;
}

static int64_t draw_size(program *p) {
  static const int64_t sizes[] = {1, 2, 3, 4, 5, 8, 9, 17, 33};
  return sizes[draw(p, 9)];
}

static sec_value pick(program *p) { return p->v[draw(p, (uint64_t)p->n)]; }
static const sec_aval *aval_of(sec_value v) { return sec_value_aval(v); }

static void keep(program *p, sec_value v) {
  if (sec_value_ok(v) && p->n < MAX_VALUES && sec_aval_size(aval_of(v)) <= 40000) p->v[p->n++] = v;
}

/* tame: values stay near 1 whatever the program does */
static sec_value tame(sec_value x) { return sec_sin(x); }

static void op_unary(program *p) {
  sec_value x = pick(p);
  switch (draw(p, 6)) {
  case 0: keep(p, sec_sin(x)); break;
  case 1: keep(p, sec_tanh(x)); break;
  case 2: keep(p, sec_exp(sec_neg(sec_square(x)))); break;
  case 3: keep(p, sec_sqrt(sec_add(sec_square(x), 1.0))); break;
  case 4: keep(p, sec_where(sec_gt(x, 0.1), x, sec_mul(x, 0.3))); break;
  default: keep(p, sec_neg(x));
  }
}

static bool broadcasts(const sec_aval *a, const sec_aval *b) {
  for (int i = 1; i <= sec_aval_rank(a) && i <= sec_aval_rank(b); i++) {
    int64_t x = sec_aval_dims(a)[sec_aval_rank(a) - i], y = sec_aval_dims(b)[sec_aval_rank(b) - i];
    if (x != y && x != 1 && y != 1) return false;
  }
  return true;
}

static void op_binary(program *p) {
  sec_value x = pick(p), y = pick(p);
  for (int tries = 0; tries < 8 && !broadcasts(aval_of(x), aval_of(y)); tries++) y = pick(p);
  if (!broadcasts(aval_of(x), aval_of(y))) return;
  switch (draw(p, 4)) {
  case 0: keep(p, sec_add(x, y)); break;
  case 1: keep(p, sec_mul(x, y)); break;
  case 2: keep(p, sec_sub(x, y)); break;
  default: keep(p, sec_max(x, y));
  }
}

static void op_reduce(program *p) {
  sec_value       x = pick(p);
  const sec_aval *a = aval_of(x);
  int64_t         axes[12];
  int             n = 0;
  for (int d = 0; d < sec_aval_rank(a); d++)
    if (draw(p, 2)) axes[n++] = d;
  if (n == 0) return;
  sec_value r = draw(p, 3) ? tame(sec_reduce_sum(x, axes, n)) : sec_reduce_max(x, axes, n);
  keep(p, draw(p, 2) ? sec_expand_dims(r, axes, n) : r);
}

static void op_shape(program *p) {
  sec_value       x = pick(p);
  const sec_aval *a = aval_of(x);
  int             rank = sec_aval_rank(a);
  int64_t         list[12], other[12], dims[12];
  if (rank == 0) return;
  for (int d = 0; d < rank; d++) dims[d] = sec_aval_dims(a)[d], list[d] = d;
  switch (draw(p, 7)) {
  case 0:
    for (int d = rank; d-- > 1;) {
      int k = (int)draw(p, (uint64_t)d + 1);
      int64_t t = list[d];
      list[d] = list[k], list[k] = t;
    }
    keep(p, sec_transpose(x, list));
    break;
  case 1: list[0] = sec_aval_size(a); keep(p, sec_reshape(x, 1, list)); break;
  case 2: list[0] = (int64_t)draw(p, (uint64_t)rank); keep(p, sec_rev(x, list, 1)); break;
  case 3:
    for (int d = 0; d < rank; d++) {
      list[d] = (int64_t)draw(p, (uint64_t)dims[d]);
      other[d] = list[d] + 1 + (int64_t)draw(p, (uint64_t)(dims[d] - list[d]));
    }
    keep(p, sec_slice(x, list, other, NULL));
    break;
  case 4: {
    sec_value both[2] = {x, tame(x)};
    keep(p, sec_concatenate(both, 2, (int)draw(p, (uint64_t)rank)));
    break;
  }
  case 5: {
    int64_t inside[12];
    for (int d = 0; d < rank; d++) list[d] = (int64_t)draw(p, 3), other[d] = (int64_t)draw(p, 3) - 1, inside[d] = (int64_t)(draw(p, 6) == 0);
    for (int d = 0; d < rank; d++)
      if (dims[d] + list[d] + other[d] < 1) other[d] = 0;
    keep(p, sec_pad(x, sec_literal_of(SEC_F64, false, 0.5, 0), list, other, inside));
    break;
  }
  default:
    dims[rank] = draw_size(p);
    for (int d = rank; d > 0; d--) dims[d] = dims[d - 1];
    dims[0] = draw_size(p);
    keep(p, sec_broadcast_to(x, rank + 1, dims));
  }
}

static void op_generator(program *p) {
  int64_t   n = draw_size(p), dims[2] = {n, draw_size(p)};
  sec_value i = sec_iota(SEC_I32, 2, dims, 0), j = sec_iota(SEC_I32, 2, dims, 1);
  keep(p, sec_convert(sec_eq(i, j), SEC_F64, false));
  keep(p, sec_mul(sec_convert(j, SEC_F64, false), 0.1));
}

static void op_dot(program *p) {
  sec_value x = pick(p);
  if (sec_aval_rank(aval_of(x)) != 2) return;
  for (int tries = 0; tries < 10; tries++) {
    sec_value y = pick(p);
    if (sec_aval_rank(aval_of(y)) == 2 && sec_aval_dims(aval_of(x))[1] == sec_aval_dims(aval_of(y))[0]) {
      keep(p, tame(sec_matmul(x, y)));
      return;
    }
  }
  keep(p, tame(sec_matmul(x, sec_transpose(x, (int64_t[]){1, 0}))));
}

static void op_moving(program *p) {
  sec_value       x = pick(p);
  const sec_aval *a = aval_of(x);
  int             rank = sec_aval_rank(a);
  sec_value       start[12];
  int64_t         sizes[12];
  if (rank == 0) return;
  sec_value at = sec_convert(sec_floor(sec_mul(sec_reduce_sum(x, NULL, -1), 3.0)), SEC_I32, false);
  for (int d = 0; d < rank; d++) {
    sizes[d] = 1 + (int64_t)draw(p, (uint64_t)sec_aval_dims(a)[d]);
    start[d] = d == 0 ? at : sec_literal_of(SEC_I32, false, 0, (int64_t)draw(p, 3));
  }
  sec_value part = sec_dynamic_slice(x, start, sizes);
  keep(p, draw(p, 2) ? part : sec_dynamic_update_slice(x, tame(part), start));
}

static void turn(const sec_value *in, sec_value *out, void *user) { /* (carry, x) -> (carry, y); closes over user's value */
  sec_value w = *(sec_value *)user;
  out[0] = sec_sin(sec_add(sec_mul(in[0], w), sec_reduce_sum(in[1], NULL, -1)));
  out[1] = sec_mul(in[1], in[0]);
}

static void op_scan(program *p) {
  sec_value x = pick(p), w = sec_reduce_max(pick(p), NULL, -1), out[2];
  int64_t   rank = sec_aval_rank(aval_of(x));
  if (rank == 0) return;
  sec_value init = sec_literal_of(SEC_F64, false, 0.7, 0);
  if (sec_scan_fn(turn, &w, 1, 1, 1, sec_aval_dims(aval_of(x))[0], draw(p, 2) != 0, (sec_value[]){init, x}, out) != SEC_OK) return;
  keep(p, out[0]);
  keep(p, out[1]);
}

static void body(const sec_value *in, sec_value *out, void *user) {
  static void (*const ops[])(program *) = {op_unary, op_unary, op_binary, op_binary, op_binary, op_reduce, op_reduce, op_shape,
                                           op_shape, op_generator, op_dot, op_moving, op_scan};
  program p = {.state = 0x9e3779b97f4a7c15ull * (*(uint64_t *)user + 1)};
  for (int i = 0; i < 3; i++) p.v[p.n++] = in[i];
  int n = 6 + (int)draw(&p, 24);
  for (int i = 0; i < n; i++) ops[draw(&p, sizeof ops / sizeof *ops)](&p);
  out[1] = p.v[p.n - 1];
  out[2] = pick(&p);
  out[0] = sec_sum(tame(out[1]));
  for (int i = 0; i < 3; i++) out[0] = sec_add(out[0], sec_sum(tame(pick(&p))));
}

/* ---- comparing ---- */
static void fill(sec_array *a, uint64_t seed) {
  double *x = sec_array_data(a);
  for (int64_t i = 0; i < sec_array_size(a); i++) x[i] = sin(1.3 * (double)(i + 1) + (double)seed) * 1.1;
}

static void compare(sec_context *cx, const sec_jaxpr *j, uint64_t seed, const char *what) {
  sec_array *in[3], *a[8], *b[8];
  int        n_out = sec_jaxpr_n_out(j);
  for (int i = 0; i < 3; i++) {
    in[i] = sec_array_create_aval(cx, sec_jaxpr_in_aval(j, i));
    fill(in[i], seed + (uint64_t)i);
  }
  if (sec_run(cx, j, in, a) != SEC_OK || sec_jaxpr_eval(j, in, b) != SEC_OK) fail_msg("seed %llu %s: %s", (unsigned long long)seed, what, sec_error_message(cx));
  double worst = 0;
  for (int k = 0; k < n_out; k++) {
    for (int64_t i = 0; i < sec_array_size(a[k]); i++) {
      double x = ((double *)sec_array_data(a[k]))[i], y = ((double *)sec_array_data(b[k]))[i];
      double error = fabs(x - y) / (1 + fabs(y));
      if (error > worst || isnan(x) != isnan(y)) worst = isnan(error) ? INFINITY : error;
    }
    sec_array_release(a[k]), sec_array_release(b[k]);
  }
  for (int i = 0; i < 3; i++) sec_array_release(in[i]);
  if (worst <= TOLERANCE) return;
  if (getenv("SECANT_SEED_PRINT")) {
    char *text = sec_jaxpr_print(j);
    fputs(text, stderr);
    free(text);
  }
  fail_msg("seed %llu %s: compiled and evaluated differ by %g", (unsigned long long)seed, what, worst);
}

static void run_seed(void **state) {
  uint64_t       seed = (uint64_t)(uintptr_t)*state;
  sec_context   *cx = sec_context_create();
  program        p = {.state = 77 + seed * 1234567};
  int64_t        n = draw_size(&p), m = draw_size(&p);
  const sec_aval *types[3] = {sec_aval_get(cx, SEC_F64, false, SEC_SHAPE(n, m)), sec_aval_get(cx, SEC_F64, false, SEC_SHAPE(m)),
                              sec_aval_get(cx, SEC_F64, false, SEC_SHAPE(m, 7))};
  sec_fn        *f = sec_fn_create(cx, "random", body, &seed, 3, 3);
  sec_jaxpr     *j = NULL, *g = NULL, *v = NULL;
  if (sec_fn_jaxpr(f, types, &j) != SEC_OK) fail_msg("seed %llu: %s", (unsigned long long)seed, sec_error_message(cx));
  compare(cx, j, seed, "program");
  if (sec_jaxpr_grad(j, (int[]){0, 1, 2}, 3, true, &g) != SEC_OK) fail_msg("seed %llu grad: %s", (unsigned long long)seed, sec_error_message(cx));
  compare(cx, g, seed, "gradient");
  int axes[] = {0, 0, 0};
  if (sec_jaxpr_vmap(j, axes, axes, 3, NULL, &v) != SEC_OK) fail_msg("seed %llu vmap: %s", (unsigned long long)seed, sec_error_message(cx));
  compare(cx, v, seed, "vmap");
  sec_jaxpr_release(v), sec_jaxpr_release(g), sec_jaxpr_release(j);
  sec_context_destroy(cx);
}

int main(void) {
  unsigned long from = 0, to = 150;
  if (getenv("SECANT_SEEDS")) sscanf(getenv("SECANT_SEEDS"), "%lu,%lu", &from, &to);
  struct CMUnitTest *tests = calloc(to - from, sizeof *tests);
  if (!tests) return 1;
  for (unsigned long s = from; s < to; s++) {
    char *name = malloc(32);
    if (name) snprintf(name, 32, "seed %lu", s);
    tests[s - from] = (struct CMUnitTest){.name = name, .test_func = run_seed, .initial_state = (void *)(uintptr_t)s};
  }
  int failed = _cmocka_run_group_tests("random programs", tests, to - from, NULL, NULL);
  for (unsigned long s = from; s < to; s++) free((char *)tests[s - from].name);
  free(tests);
  return failed != 0;
}
