/* Shape, slice, gather, reduction, dot and linear algebra primitives against values of JAX 0.10 on a CPU: the
 * function is traced, its jaxpr evaluated by the reference evaluator; for gradient rows the gradient of the sum
 * of its result by its first operand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/structure.h"
#include <math.h>
#include <secant/transforms.h>

typedef sec_value (*function)(const sec_value *x);

typedef struct input {
  sec_dtype dtype;
  int       rank;
  int64_t   dims[4];
  double    values[16];
} input;

typedef struct row {
  const char *name;
  function    f;
  bool        gradient;
  const char *type; /* of the result */
  double      want[16];
  int         n_in;
  input       in[4];
} row;

#define L(...) (const int64_t[]){__VA_ARGS__}
#define VEC(dtype, n, ...) {SEC_##dtype, 1, {n}, {__VA_ARGS__}}
#define MAT(dtype, m, n, ...) {SEC_##dtype, 2, {m, n}, {__VA_ARGS__}}
#define NUM(dtype, x) {SEC_##dtype, 0, {0}, {x}}
#define LET(name, expression) static sec_value name(const sec_value *x) { return expression; }
#define X5 VEC(F32, 5, 1, 2, 3, 4, 5)
#define INF INFINITY
#define NAN_ NAN

LET(broadcast_rows, sec_broadcast_in_dim(x[0], 2, L(2, 3), L(0)))
LET(broadcast_swapped, sec_broadcast_in_dim(x[0], 2, L(3, 2), L(1, 0)))
LET(pad_crop_high, sec_pad(x[0], x[1], L(1), L(-1), L(2)))
LET(pad_crop_both, sec_pad(x[0], x[1], L(-1), L(-1), L(1)))
LET(pad_crop_all, sec_pad(x[0], x[1], L(-5), L(3), L(0)))
LET(pad_nothing, sec_pad(x[0], x[1], L(1), L(1), L(3)))
LET(take_two, sec_dynamic_slice(x[0], x + 1, L(2)))
LET(put_two, sec_dynamic_update_slice(x[0], x[1], x + 2))
LET(count_u8, sec_slice(sec_iota(SEC_U8, 1, L(300), 0), L(299), L(300), NULL))
LET(count_bf16, sec_slice(sec_iota(SEC_BF16, 1, L(260), 0), L(257), L(260), NULL))
LET(rows_and_columns, sec_iota(SEC_I32, 2, L(2, 3), 1))
LET(sum_back, sec_cumsum(x[0], 0, true))
LET(max_back, sec_cummax(x[0], 0, true))
LET(products, sec_cumprod(x[0], 0, false))
LET(maxima, sec_cummax(x[0], -1, false))
LET(greatest, sec_reduce_max(x[0], L(0), 1))
LET(least, sec_reduce_min(x[0], L(0), 1))
LET(all, sec_reduce_and(x[0], L(0), 1))
LET(total, sec_sum(x[0]))
LET(product, sec_reduce_prod(x[0], NULL, -1))
LET(place_of_max, sec_argmax(x[0], 0, SEC_I8))
LET(dot8, sec_dot(x[0], x[1]))
LET(dot8_as_i32, sec_dot_general(x[0], x[1], &(sec_dot_dims){L(0), L(0), NULL, NULL, 1, 0}, SEC_I32))
LET(matmul, sec_matmul(x[0], x[1]))
LET(cholesky, sec_cholesky(x[0], true))
LET(cholesky_as_is, sec_cholesky(x[0], false))
LET(solve_left, sec_triangular_solve(x[0], x[1], true, true, false, false))
LET(solve_right, sec_triangular_solve(x[0], x[1], false, true, false, false))
LET(solve_unit, sec_triangular_solve(x[0], x[1], true, true, false, true))
LET(solve_transposed, sec_triangular_solve(x[0], x[1], true, true, true, false))
LET(solve, sec_solve(x[0], x[1]))

static const sec_gather_dims elements = {NULL, L(0), L(0), NULL, NULL, 0, 1, 1, 0};
static const sec_gather_dims windows = {L(1), NULL, L(0), NULL, NULL, 1, 0, 1, 0};
static const sec_scatter_dims places = {NULL, L(0), L(0), NULL, NULL, 0, 1, 1, 0};
LET(gather_clip, sec_gather(x[0], x[1], &elements, L(1), 0))
LET(gather_fill, sec_gather(x[0], x[1], &elements, L(1), 1))
LET(gather_promise, sec_gather(x[0], x[1], &elements, L(1), 2))
LET(windows_fill, sec_gather(x[0], x[1], &windows, L(3), 1))
LET(windows_clip, sec_gather(x[0], x[1], &windows, L(3), 0))
LET(scatter_drop, sec_scatter(x[0], x[1], x[2], &places, 1))
LET(scatter_clip, sec_scatter(x[0], x[1], x[2], &places, 0))
LET(scatter_add, sec_scatter_add(x[0], x[1], x[2], &places, 1))
LET(scatter_updates, sec_mul(sec_scatter(x[1], x[2], x[0], &places, 1), x[3]))

static sec_value lu_factors(const sec_value *x) {
  sec_value lu, pivots, permutation;
  sec_lu(x[0], &lu, &pivots, &permutation);
  return lu;
}

static sec_value lu_permutation(const sec_value *x) {
  sec_value lu, pivots, permutation;
  sec_lu(x[0], &lu, &pivots, &permutation);
  return sec_concatenate((sec_value[]){pivots, permutation}, 2, 0);
}

/* both words of block(key, count) */
static sec_value random_block(const sec_value *x) {
  sec_value words[2];
  sec_threefry2x32(x, words);
  for (int i = 0; i < 2; i++) words[i] = sec_reshape(words[i], 1, L(1));
  return sec_concatenate(words, 2, 0);
}

#define INDEX(n, ...) MAT(I32, n, 1, __VA_ARGS__)
#define FAR_PLACES INDEX(6, 0, 4, 5, -1, -9, 99)
#define SIX VEC(F32, 6, 10, 20, 30, 40, 50, 60)
#define LOWER_T MAT(F32, 2, 2, 2, 9, 1, 3)

static const row rows[] = {
    {"broadcast_in_dim", broadcast_rows, 0, "f32[2,3]", {1, 1, 1, 2, 2, 2}, 1, {VEC(F32, 2, 1, 2)}},
    {"broadcast_in_dim unsorted", broadcast_swapped, 0, "f32[3,2]", {0, 3, 1, 4, 2, 5}, 1, {MAT(F32, 2, 3, 0, 1, 2, 3, 4, 5)}},
    {"pad interior", pad_crop_high, 0, "f32[7]", {9, 1, 9, 9, 2, 9, 9}, 2, {VEC(F32, 3, 1, 2, 3), NUM(F32, 9)}},
    {"pad negative", pad_crop_both, 0, "f32[3]", {9, 2, 9}, 2, {VEC(F32, 3, 1, 2, 3), NUM(F32, 9)}},
    {"pad crops all", pad_crop_all, 0, "f32[1]", {9}, 2, {VEC(F32, 3, 1, 2, 3), NUM(F32, 9)}},
    {"pad of nothing", pad_nothing, 0, "f32[2]", {0, 0}, 2, {VEC(F32, 0, 0), NUM(F32, 0)}},
    {"dynamic_slice -1", take_two, 0, "f32[2]", {1, 2}, 2, {X5, NUM(I32, -1)}},
    {"dynamic_slice 99", take_two, 0, "f32[2]", {4, 5}, 2, {X5, NUM(U8, 99)}},
    {"dynamic_update_slice 4", put_two, 0, "f32[5]", {1, 2, 3, 8, 9}, 3, {X5, VEC(F32, 2, 8, 9), NUM(I32, 4)}},
    {"dynamic_update_slice -99", put_two, 0, "f32[5]", {8, 9, 3, 4, 5}, 3, {X5, VEC(F32, 2, 8, 9), NUM(I32, -99)}},
    {"iota u8 wraps", count_u8, 0, "u8[1]", {43}, 0, {{0}}},
    {"iota bf16 rounds", count_bf16, 0, "bf16[3]", {256, 258, 260}, 0, {{0}}},
    {"iota dimension", rows_and_columns, 0, "i32[2,3]", {0, 1, 2, 0, 1, 2}, 0, {{0}}},
    {"cumsum reverse", sum_back, 0, "f32[3]", {6, 5, 3}, 1, {VEC(F32, 3, 1, 2, 3)}},
    {"cummax reverse", max_back, 0, "i32[3]", {3, 3, 2}, 1, {VEC(I32, 3, 1, 3, 2)}},
    {"cumsum i8", sum_back, 0, "i8[3]", {-56, -106, 100}, 1, {VEC(I8, 3, 50, 50, 100)}},
    {"reduce_max of nothing", greatest, 0, "f32[]", {-INF}, 1, {VEC(F32, 0, 0)}},
    {"reduce_min of nothing", least, 0, "f16[]", {INF}, 1, {VEC(F16, 0, 0)}},
    {"reduce_max of no i32", greatest, 0, "i32[]", {-2147483648.0}, 1, {VEC(I32, 0, 0)}},
    {"reduce_min of no u8", least, 0, "u8[]", {255}, 1, {VEC(U8, 0, 0)}},
    {"reduce_and of nothing", all, 0, "i32[]", {-1}, 1, {VEC(I32, 0, 0)}},
    {"reduce_and of no bool", all, 0, "bool[]", {1}, 1, {VEC(BOOL, 0, 0)}},
    {"reduce_max NaN", greatest, 0, "f32[]", {NAN_}, 1, {VEC(F32, 3, 1, NAN_, 3)}},
    {"reduce_sum f16", total, 0, "f16[]", {INF}, 1, {VEC(F16, 2, 60000, 60000)}},
    {"reduce_sum i8", total, 0, "i8[]", {-56}, 1, {VEC(I8, 2, 100, 100)}},
    {"argmax", place_of_max, 0, "i8[]", {1}, 1, {VEC(F32, 2, 1, 2)}},
    {"argmax tie", place_of_max, 0, "i8[]", {1}, 1, {VEC(U64, 4, 0, 7, 7, 7)}},
    {"argmax NaN", place_of_max, 0, "i8[]", {2}, 1, {VEC(BF16, 5, 0, 7, NAN_, 8, NAN_)}},
    {"dot i8 wraps", dot8, 0, "i8[]", {32}, 2, {VEC(I8, 2, 100, 100), VEC(I8, 2, 100, 100)}},
    {"dot i8 preferred", dot8_as_i32, 0, "i32[]", {20000}, 2, {VEC(I8, 2, 100, 100), VEC(I8, 2, 100, 100)}},
    {"dot floats to i32", dot8_as_i32, 0, "i32[]", {2}, 2, {VEC(F32, 2, 1, 1), VEC(F32, 2, 1, 1)}},
    {"dot mixed", dot8, 0, "f32[]", {2}, 2, {VEC(I8, 2, 1, 1), VEC(F32, 2, 1, 1)}},
    {"dot bool", dot8, 0, "bool[]", {1}, 2, {VEC(BOOL, 2, 1, 1), VEC(BOOL, 2, 1, 1)}},
    {"dot of nothing", matmul, 0, "f32[2,2]", {0, 0, 0, 0}, 2, {MAT(F32, 2, 0, 0), MAT(F32, 0, 2, 0)}},
    {"gather clip", gather_clip, 0, "f32[6]", {1, 5, 5, 1, 1, 5}, 2, {X5, FAR_PLACES}},
    {"gather fill", gather_fill, 0, "f32[6]", {1, 5, NAN_, NAN_, NAN_, NAN_}, 2, {X5, FAR_PLACES}},
    {"gather promise", gather_promise, 0, "f32[6]", {1, 5, 5, 1, 1, 5}, 2, {X5, FAR_PLACES}},
    {"gather fill i32", gather_fill, 0, "i32[1]", {-2147483648.0}, 2, {VEC(I32, 2, 1, 2), INDEX(1, 9)}},
    {"gather fill u8", gather_fill, 0, "u8[1]", {255}, 2, {VEC(U8, 2, 1, 2), INDEX(1, 9)}},
    {"gather fill bool", gather_fill, 0, "bool[1]", {1}, 2, {VEC(BOOL, 2, 0, 0), INDEX(1, 9)}},
    {"windows fill", windows_fill, 0, "f32[2,3]", {NAN_, NAN_, NAN_, NAN_, NAN_, NAN_}, 2, {X5, INDEX(2, 3, -1)}},
    {"windows clip", windows_clip, 0, "f32[2,3]", {3, 4, 5, 1, 2, 3}, 2, {X5, INDEX(2, 3, -1)}},
    {"scatter drop", scatter_drop, 0, "f32[5]", {10, 2, 3, 4, 20}, 3, {X5, FAR_PLACES, SIX}},
    {"scatter clip", scatter_clip, 0, "f32[5]", {50, 2, 3, 4, 60}, 3, {X5, FAR_PLACES, SIX}},
    {"scatter duplicates", scatter_drop, 0, "f32[5]", {1, 8, 3, 4, 5}, 3, {X5, INDEX(3, 1, 1, 1), VEC(F32, 3, 9, 7, 8)}},
    {"scatter_add duplicates", scatter_add, 0, "f32[5]", {1, 17, 3, 4, 5}, 3, {X5, INDEX(2, 1, 1), VEC(F32, 2, 7, 8)}},
    {"cholesky", cholesky, 0, "f32[2,2]", {2, 0, 1, 1.4142135}, 1, {MAT(F32, 2, 2, 4, 2, 2, 3)}},
    {"cholesky not positive", cholesky, 0, "f32[2,2]", {NAN_, 0, NAN_, NAN_}, 1, {MAT(F32, 2, 2, -4, -2, -2, -3)}},
    {"cholesky symmetrized", cholesky, 0, "f32[2,2]", {NAN_, 0, NAN_, NAN_}, 1, {MAT(F32, 2, 2, 1, 9, 0, 4)}},
    {"cholesky as is", cholesky_as_is, 0, "f32[2,2]", {1, 0, 0, 2}, 1, {MAT(F32, 2, 2, 1, 9, 0, 4)}},
    {"lu", lu_factors, 0, "f32[2,2]", {2, 3, 0, 1}, 1, {MAT(F32, 2, 2, 0, 1, 2, 3)}},
    {"lu order", lu_permutation, 0, "i32[4]", {1, 1, 1, 0}, 1, {MAT(F32, 2, 2, 0, 1, 2, 3)}},
    {"lu singular", lu_permutation, 0, "i32[4]", {0, 1, 0, 1}, 1, {MAT(F32, 2, 2, 0, 0, 0, 0)}},
    {"triangular_solve", solve_left, 0, "f32[2,1]", {1, 1}, 2, {LOWER_T, MAT(F32, 2, 1, 2, 4)}},
    {"triangular_solve right", solve_right, 0, "f32[1,2]", {1 / 3.0, 4 / 3.0}, 2, {LOWER_T, MAT(F32, 1, 2, 2, 4)}},
    {"triangular_solve unit", solve_unit, 0, "f32[2,1]", {2, 2}, 2, {LOWER_T, MAT(F32, 2, 1, 2, 4)}},
    {"triangular_solve transposed", solve_transposed, 0, "f32[2,1]", {1 / 3.0, 4 / 3.0}, 2, {LOWER_T, MAT(F32, 2, 1, 2, 4)}},
    {"solve", solve, 0, "f32[2]", {-1, 2}, 2, {MAT(F32, 2, 2, 1, 2, 3, 4), VEC(F32, 2, 3, 5)}},
    {"threefry2x32 block(0, 0)", random_block, 0, "u32[2]", {0x6b200159, 0x99ba4efe}, 4, {NUM(U32, 0), NUM(U32, 0), NUM(U32, 0), NUM(U32, 0)}},
    {"threefry2x32 block(0, 1)", random_block, 0, "u32[2]", {0x375f238f, 0xcddb151d}, 4, {NUM(U32, 0), NUM(U32, 0), NUM(U32, 0), NUM(U32, 1)}},
    {"threefry2x32 block(1, 7)", random_block, 0, "u32[2]", {0x38e71e7a, 0xef6ba66e}, 4, {NUM(U32, 0), NUM(U32, 1), NUM(U32, 0), NUM(U32, 7)}},

    {"gradient of reduce_max, tie", greatest, 1, "f32[3]", {0, .5, .5}, 1, {VEC(F32, 3, 1, 3, 3)}},
    {"gradient of reduce_max, NaN", greatest, 1, "f32[3]", {NAN_, NAN_, NAN_}, 1, {VEC(F32, 3, 1, NAN_, 3)}},
    {"gradient of reduce_prod, zero", product, 1, "f32[3]", {6, 0, 0}, 1, {VEC(F32, 3, 0, 2, 3)}},
    {"gradient of reduce_prod, zeros", product, 1, "f32[3]", {0, 0, 0}, 1, {VEC(F32, 3, 0, 0, 3)}},
    {"gradient of cumprod, zero", products, 1, "f32[3]", {1, 8, 0}, 1, {VEC(F32, 3, 2, 0, 3)}},
    {"gradient of cummax, ties", maxima, 1, "f32[3]", {1.75, .75, .5}, 1, {VEC(F32, 3, 1, 1, 1)}},
    {"gradient of gather fill", gather_fill, 1, "f32[2]", {1, 0}, 2, {VEC(F32, 2, 1, 2), INDEX(2, 0, 9)}},
    {"gradient of gather promise", gather_promise, 1, "f32[2]", {1, 0}, 2, {VEC(F32, 2, 1, 2), INDEX(2, 0, 9)}},
    {"gradient of scatter, base", scatter_drop, 1, "f32[2]", {0, 1}, 3, {VEC(F32, 2, 1, 2), INDEX(2, 0, 0), VEC(F32, 2, 1, 2)}},
    {"gradient of scatter, last writer", scatter_updates, 1, "f32[2]", {0, 3}, 4, {VEC(F32, 2, 1, 2), VEC(F32, 2, 0, 0), INDEX(2, 0, 0), VEC(F32, 2, 3, 4)}},
    {"gradient of dynamic_slice, clamped", take_two, 1, "f32[3]", {0, 1, 1}, 2, {VEC(F32, 3, 1, 2, 3), NUM(I32, 9)}},
    {"gradient of dynamic_update_slice", put_two, 1, "f32[3]", {1, 0, 0}, 3, {VEC(F32, 3, 1, 2, 3), VEC(F32, 2, 8, 9), NUM(I32, 5)}},
    {"gradient of cholesky", cholesky, 1, "f32[2,2]", {.27883875, .14942925, .14942925, .40824828}, 1, {MAT(F32, 2, 2, 2, 1, 1, 2)}},
    {"gradient of triangular_solve", solve_left, 1, "f32[2,2]", {-.02083333, 0, -.08333333, -.16666667}, 2, {MAT(F32, 2, 2, 4, 1, 2, 3), MAT(F32, 2, 1, 1, 2)}},
    {"gradient of dot, mixed floats", dot8, 1, "f16[2]", {1, 2}, 2, {VEC(F16, 2, 1, 1), VEC(F32, 2, 1, 2)}},
};

static sec_array *array_of(sec_context *cx, const input *in) {
  sec_array *a = sec_array_create(cx, in->dtype, in->rank, in->dims);
  for (int64_t i = 0; i < sec_array_size(a); i++) {
    if (sec_aval_is_float(a->aval)) sec_put_f(a, i, in->values[i]);
    else sec_put_i(a, i, (int64_t)in->values[i]);
  }
  return a;
}

static double number_at(const sec_array *a, int64_t i) {
  return sec_aval_is_float(a->aval) ? sec_get_f(a, i) : (double)sec_get_i(a, i);
}

static bool near(double x, double want) {
  return x == want || (isnan(x) && isnan(want)) || fabs(x - want) <= 1e-6 * (1 + fabs(want));
}

/* The jaxpr of a row: its function, or that of the sum differentiated by operand 0. */
static sec_jaxpr *jaxpr_of(sec_context *cx, const row *r) {
  sec_trace *t = sec_trace_begin(cx, "f");
  sec_value in[4], out;
  sec_jaxpr *j, *g = NULL;
  for (int i = 0; i < r->n_in; i++) in[i] = sec_trace_input(t, r->in[i].dtype, r->in[i].rank, r->in[i].dims);
  out = r->f(in);
  if (r->gradient) out = sec_sum(out);
  if (sec_trace_end(t, &out, 1, &j) != SEC_OK) return NULL;
  if (!r->gradient) return j;
  sec_jaxpr_grad(j, (int[]){0}, 1, false, &g);
  sec_jaxpr_release(j);
  return g;
}

static void check_row(void **state) {
  const row *r = *state;
  sec_context *cx = sec_context_create();
  sec_array *in[4], *out = NULL;
  sec_jaxpr *j = jaxpr_of(cx, r);
  if (j == NULL) fail_msg("%s", sec_error_message(cx));
  for (int i = 0; i < r->n_in; i++) in[i] = array_of(cx, &r->in[i]);
  assert_int_equal(sec_jaxpr_check(j), SEC_OK);
  if (sec_jaxpr_eval(j, in, &out) != SEC_OK) fail_msg("%s", sec_error_message(cx));
  assert_string_equal(sec_aval_text(sec_array_aval(out)), r->type);
  for (int64_t i = 0; i < sec_array_size(out); i++)
    if (!near(number_at(out, i), r->want[i]))
      fail_msg("element %d is %.9g, not %.9g", (int)i, number_at(out, i), r->want[i]);
  for (int i = 0; i < r->n_in; i++) sec_array_release(in[i]);
  sec_array_release(out);
  sec_jaxpr_release(j);
  sec_context_destroy(cx);
}

/* What is the identity makes no equation; a bad operand makes poison and one error. */
static void check_identity(void **state) {
  (void)state;
  sec_context *cx = sec_context_create();
  sec_trace *t = sec_trace_begin(cx, "f");
  sec_value x = sec_trace_input(t, SEC_F32, SEC_SHAPE(2, 3));
  const sec_value same[] = {sec_reshape(x, SEC_SHAPE(2, 3)), sec_transpose(x, L(0, -1)), sec_squeeze(x, NULL, 0),
                            sec_broadcast_to(x, SEC_SHAPE(2, 3)), sec_slice(x, L(0, 0), L(2, 3), NULL),
                            sec_rev(x, NULL, 0), sec_concatenate(&x, 1, 0), sec_reduce_sum(x, NULL, 0)};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) assert_memory_equal(&same[i], &x, sizeof x);
  sec_value bad = sec_reshape(x, SEC_SHAPE(7));
  assert_false(sec_value_ok(bad));
  assert_string_equal(sec_error_text(cx), "reshape: f32[2,3] has 6 elements, f32[7] would have 7");
  assert_false(sec_value_ok(sec_transpose(bad, L(0))));
  assert_string_equal(sec_error_text(cx), "reshape: f32[2,3] has 6 elements, f32[7] would have 7");
  sec_error_clear(cx);
  sec_trace_abandon(t);
  sec_context_destroy(cx);
}

int main(void) {
  enum { N = sizeof rows / sizeof *rows };
  struct CMUnitTest tests[N + 1];
  for (int i = 0; i < N; i++) tests[i] = (struct CMUnitTest){rows[i].name, check_row, NULL, NULL, (void *)&rows[i]};
  tests[N] = (struct CMUnitTest){"identities and poison", check_identity, NULL, NULL, NULL};
  return _cmocka_run_group_tests("ops_shape", tests, N + 1, NULL, NULL);
}
