/* The CPU's runtime functions for gather, the scatters, argmax and argmin against the reference
 * evaluator, for every dtype, from the words that the primitives' meta rules write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/structure.h"
#include <math.h>
#include <stdlib.h>

void sec_rt_gather(void **bufs, const int64_t *meta);
void sec_rt_scatter(void **bufs, const int64_t *meta);
void sec_rt_scatter_add(void **bufs, const int64_t *meta);
void sec_rt_scatter_mul(void **bufs, const int64_t *meta);
void sec_rt_scatter_min(void **bufs, const int64_t *meta);
void sec_rt_scatter_max(void **bufs, const int64_t *meta);
void sec_rt_argreduce(void **bufs, const int64_t *meta);

typedef struct operand {
  int     rank;
  int64_t dims[4];
  int     low, high; /* of integers; indices run outside */
} operand;

typedef struct row {
  const char *name;
  void (*runtime)(void **bufs, const int64_t *meta);
  sec_value (*f)(const sec_value *x);
  bool    with_bool;
  int     n_in;
  operand in[3]; /* in[1] are indices */
} row;

#define L(...) (const int64_t[]){__VA_ARGS__}
#define LET(name, expression) static sec_value name(const sec_value *x) { return expression; }

static const sec_gather_dims by_rows = {L(1), L(0), L(0), NULL, NULL, 1, 1, 1, 0};
static const sec_gather_dims by_elements = {NULL, L(0, 1), L(1, 0), NULL, NULL, 0, 2, 2, 0};
static const sec_gather_dims batched = {L(0, 2), L(2), L(2, 0), L(1), L(0), 2, 1, 2, 1};
static const sec_scatter_dims to_rows = {L(1), L(0), L(0), NULL, NULL, 1, 1, 1, 0};
static const sec_scatter_dims to_elements = {NULL, L(0, 1), L(1, 0), NULL, NULL, 0, 2, 2, 0};
static const sec_scatter_dims to_batched = {L(0, 2), L(2), L(2, 0), L(1), L(0), 2, 1, 2, 1};
LET(rows_clip, sec_gather(x[0], x[1], &by_rows, L(1, 7), 0))
LET(rows_part_fill, sec_gather(x[0], x[1], &by_rows, L(1, 4), 1))
LET(elements_fill, sec_gather(x[0], x[1], &by_elements, L(1, 1), 1))
LET(batched_clip, sec_gather(x[0], x[1], &batched, L(2, 1, 1, 2), 0))
LET(scatter_rows, sec_scatter(x[0], x[1], x[2], &to_rows, 1))
LET(scatter_elements, sec_scatter(x[0], x[1], x[2], &to_elements, 0))
LET(scatter_batched, sec_scatter(x[0], x[1], x[2], &to_batched, 0))
LET(add_rows, sec_scatter_add(x[0], x[1], x[2], &to_rows, 1))
LET(add_elements, sec_scatter_add(x[0], x[1], x[2], &to_elements, 1))
LET(add_batched, sec_scatter_add(x[0], x[1], x[2], &to_batched, 2))
LET(mul_rows, sec_scatter_mul(x[0], x[1], x[2], &to_rows, 1, false))
LET(min_elements, sec_scatter_min(x[0], x[1], x[2], &to_elements, 1))
LET(max_batched, sec_scatter_max(x[0], x[1], x[2], &to_batched, 0))
LET(argmax_last, sec_argmax(x[0], -1, SEC_I32))
LET(argmin_last, sec_argmin(x[0], -1, SEC_I64))
LET(argmax_middle, sec_argmax(x[0], 1, SEC_U8))
LET(argmin_first, sec_argmin(x[0], 0, SEC_I16))

#define SMALL -6, 6
static const row rows[] = {
    {"gather rows", sec_rt_gather, rows_clip, true, 2, {{2, {9, 7}, SMALL}, {2, {20, 1}, -3, 12}}},
    {"gather parts of rows", sec_rt_gather, rows_part_fill, true, 2, {{2, {9, 7}, SMALL}, {2, {20, 1}, -3, 12}}},
    {"gather elements", sec_rt_gather, elements_fill, true, 2, {{2, {9, 7}, SMALL}, {3, {3, 20, 2}, -3, 12}}},
    {"gather batched", sec_rt_gather, batched_clip, true, 2, {{4, {4, 3, 5, 2}, SMALL}, {2, {3, 2}, -2, 6}}},
    {"scatter rows", sec_rt_scatter, scatter_rows, true, 3, {{2, {9, 7}, SMALL}, {2, {20, 1}, -3, 12}, {2, {20, 4}, SMALL}}},
    {"scatter elements", sec_rt_scatter, scatter_elements, true, 3, {{2, {9, 7}, SMALL}, {3, {3, 20, 2}, -3, 12}, {2, {3, 20}, SMALL}}},
    {"scatter batched", sec_rt_scatter, scatter_batched, true, 3, {{4, {4, 3, 5, 2}, SMALL}, {2, {3, 2}, -2, 6}, {3, {2, 3, 2}, SMALL}}},
    {"scatter_add rows", sec_rt_scatter_add, add_rows, false, 3, {{2, {9, 7}, SMALL}, {2, {20, 1}, -3, 12}, {2, {20, 7}, SMALL}}},
    {"scatter_add elements", sec_rt_scatter_add, add_elements, false, 3, {{2, {9, 7}, SMALL}, {3, {3, 20, 2}, -3, 12}, {2, {3, 20}, SMALL}}},
    {"scatter_add batched", sec_rt_scatter_add, add_batched, false, 3, {{4, {4, 3, 5, 2}, SMALL}, {2, {3, 2}, -2, 6}, {3, {2, 3, 2}, SMALL}}},
    {"scatter_add nothing", sec_rt_scatter_add, add_rows, false, 3, {{2, {9, 7}, SMALL}, {2, {0, 1}, 0, 1}, {2, {0, 7}, SMALL}}},
    {"scatter_mul rows", sec_rt_scatter_mul, mul_rows, false, 3, {{2, {9, 7}, -1, 2}, {2, {5, 1}, -3, 12}, {2, {5, 7}, -2, 3}}},
    {"scatter_min elements", sec_rt_scatter_min, min_elements, true, 3, {{2, {9, 7}, SMALL}, {3, {3, 20, 2}, -3, 12}, {2, {3, 20}, SMALL}}},
    {"scatter_max batched", sec_rt_scatter_max, max_batched, true, 3, {{4, {4, 3, 5, 2}, SMALL}, {2, {3, 2}, -2, 6}, {3, {2, 3, 2}, SMALL}}},
    {"argmax last axis", sec_rt_argreduce, argmax_last, true, 1, {{2, {60, 77}, -40, 40}}},
    {"argmin last axis, short", sec_rt_argreduce, argmin_last, true, 1, {{2, {60, 7}, SMALL}}},
    {"argmax middle axis", sec_rt_argreduce, argmax_middle, true, 1, {{3, {3, 6, 300}, SMALL}}},
    {"argmin first axis", sec_rt_argreduce, argmin_first, true, 1, {{3, {5, 3, 4}, SMALL}}},
};

/* Small integers, so that there are ties; of floats some are NaN, -0 or not whole. */
static sec_array *random_array(sec_context *cx, const operand *o, sec_dtype dtype) {
  sec_array *a = sec_array_create(cx, dtype, o->rank, o->dims);
  for (int64_t i = 0; i < sec_array_size(a); i++) {
    int v = o->low + rand() % (o->high - o->low + 1), kind = rand() % 80;
    if (!sec_aval_is_float(a->aval)) sec_put_i(a, i, v);
    else sec_put_f(a, i, kind == 0 ? NAN : kind == 1 ? -0.0 : kind < 20 ? v * 0.3 : v);
  }
  return a;
}

static bool same_bytes(const sec_array *a, const sec_array *b) {
  if (!sec_aval_is_float(a->aval)) return a->bytes == 0 || memcmp(a->data, b->data, a->bytes) == 0;
  for (int64_t i = 0; i < sec_array_size(a); i++) {
    double x = sec_get_f(a, i), y = sec_get_f(b, i);
    if (x != y && !(isnan(x) && isnan(y))) return false;
  }
  return true;
}

static sec_jaxpr *trace_row(sec_context *cx, const row *r, sec_array *const *in) {
  sec_trace *t = sec_trace_begin(cx, "f");
  sec_value x[3], out;
  sec_jaxpr *j;
  for (int i = 0; i < r->n_in; i++) x[i] = sec_trace_input_aval(t, in[i]->aval);
  out = r->f(x);
  if (sec_trace_end(t, &out, 1, &j) != SEC_OK) fail_msg("%s", sec_error_message(cx));
  return j;
}

static void check_types(sec_context *cx, const row *r, sec_dtype dtype, sec_dtype index) {
  sec_array *in[3], *want, *got;
  const sec_aval *avals[3];
  for (int i = 0; i < r->n_in; i++) {
    in[i] = random_array(cx, &r->in[i], i == 1 ? index : dtype);
    avals[i] = in[i]->aval;
  }
  sec_jaxpr *j = trace_row(cx, r, in);
  const sec_eqn *e = &j->eqns[0];
  const sec_aval *out = j->avals[e->out];
  int64_t meta[128];
  assert_int_equal(j->n_eqns, 1);
  assert_int_equal(sec_jaxpr_eval(j, in, &want), SEC_OK);
  got = sec_array_create_aval(cx, out);
  const sec_typing typing = {.prim = e->prim, .params = e->params, .cx = cx, .in = avals, .n_in = r->n_in, .out = &out,
                             .n_out = 1, .max_out = 1};
  assert_true(e->prim->meta(&typing, meta) <= 128);
  void *bufs[4] = {in[0]->data, NULL, NULL, NULL};
  for (int i = 0; i < r->n_in; i++) bufs[i] = in[i]->data;
  bufs[r->n_in] = got->data;
  r->runtime(bufs, meta);
  if (!same_bytes(want, got)) fail_msg("%s with indices %s differs", sec_dtype_name(dtype), sec_dtype_name(index));
  for (int i = 0; i < r->n_in; i++) sec_array_release(in[i]);
  sec_array_release(want);
  sec_array_release(got);
  sec_jaxpr_release(j);
}

static void check_row(void **state) {
  const row *r = *state;
  static const sec_dtype indices[] = {SEC_I32, SEC_I8, SEC_I64, SEC_U64};
  sec_context *cx = sec_context_create();
  for (sec_dtype d = SEC_BOOL; d <= SEC_F64; d++)
    for (int i = 0; i < (r->n_in > 1 ? 4 : 1); i++)
      if (d != SEC_BOOL || r->with_bool) check_types(cx, r, d, indices[i]);
  sec_context_destroy(cx);
}

int main(void) {
  enum { N = sizeof rows / sizeof *rows };
  struct CMUnitTest tests[N];
  for (int i = 0; i < N; i++) tests[i] = (struct CMUnitTest){rows[i].name, check_row, NULL, NULL, (void *)&rows[i]};
  return _cmocka_run_group_tests("ops_runtime", tests, N, NULL, NULL);
}
