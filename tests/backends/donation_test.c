/* Donation: results are the same, lie in the operands' memory where the plan says so, and what was given away is deleted; what
 * others hold, or what no result can use, stays as it was. */
#include "ops/check.h"
#include "executable.h"

static sec_context *cx;

/* All operands are f32[3,5] or as written and are donated; aliases: how many results lie in them; kept: a bit an operand
 * that must stay. */
static const struct row { const char *what, *text; int aliases; unsigned kept; } rows[] = {
    {"elementwise", "{ lambda ; a:f32[3,5]. let b:f32[3,5] = mul a 2.0:f32[]\nc:f32[3,5] = sin b in (c,) }", 1, 0},
    {"the operand itself", "{ lambda ; a:f32[3,5]. let in (a,) }", 1, 0},
    {"two of one", "{ lambda ; a:f32[3,5]. let in (a, a) }", 1, 0},
    {"exchanged", "{ lambda ; a:f32[3,5] b:f32[3,5]. let in (b, a) }", 2, 0},
    {"read by a later result", "{ lambda ; a:f32[3,5] b:f32[3,5]. let c:f32[3,5] = add a b\nd:f32[3,5] = sub a b in (c, d) }", 2, 0},
    {"one result for two", "{ lambda ; a:f32[3,5] b:f32[3,5]. let c:f32[3,5] = add a b in (c,) }", 1, 2},
    {"normalised rows, the sum after the result is written",
     "{ lambda ; a:f32[3,5]. let b:f32[3] = reduce_sum[axes=(1,)] a\nc:f32[3,5] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(3, 5)] b\n"
     "    d:f32[3,5] = div a c in (d,) }", 1, 0},
    {"read again by a later segment",
     "{ lambda ; a:f32[3,5]. let e:f32[3,5] = mul a 2.0:f32[]\nb:f32[3] = reduce_sum[axes=(1,)] e\n"
     "    c:f32[3,5] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(3, 5)] b\nd:f32[3,5] = sub a c in (e, d) }", 1, 0},
    {"backwards", "{ lambda ; a:f32[3,5]. let b:f32[3,5] = rev[dimensions=(1,)] a\nc:f32[3,5] = add b 1.0:f32[] in (c,) }", 0, 0},
    {"transposed", "{ lambda ; a:f32[4,4]. let b:f32[4,4] = transpose[permutation=(1, 0)] a\nc:f32[4,4] = add a b in (c,) }", 0, 0},
    {"another type", "{ lambda ; a:f32[3,5]. let b:i32[3,5] = convert_element_type[new_dtype=int32 weak_type=False] a in (b,) }", 0, 1},
    {"another shape", "{ lambda ; a:f32[3,5]. let b:f32[15] = reshape[new_sizes=(15,) dimensions=None] a in (b,) }", 0, 1},
    {"not read", "{ lambda ; a:f32[3,5] b:f32[3,5]. let c:f32[3,5] = neg b in (c,) }", 1, 1},
    {"a loop that is interpreted, of an even length",
     "{ lambda ; a:f32[300000]. let b:f32[300000] = scan[jaxpr={ lambda ; c:f32[300000]. let d:f32[300000] = cos c in (d,) } length=4\n"
     "    reverse=False num_carry=1 num_consts=0] a in (b,) }", 1, 0},
    {"of an odd one",
     "{ lambda ; a:f32[300000]. let b:f32[300000] = scan[jaxpr={ lambda ; c:f32[300000]. let d:f32[300000] = cos c in (d,) } length=3\n"
     "    reverse=False num_carry=1 num_consts=0] a in (b,) }", 1, 0},
    {"that reads it at every turn",
     "{ lambda ; a:f32[300000]. let b:f32[300000] = scan[jaxpr={ lambda ; e:f32[300000] c:f32[300000]. let d:f32[300000] = sub c e in (d,) }\n"
     "    length=3 reverse=False num_carry=1 num_consts=1] a a in (b,) }", 0, 0},
    {"a window", "{ lambda ; a:f32[3,5] b:f32[1,2]. let c:f32[3,5] = dynamic_update_slice a b 1:i32[] 2:i32[] in (c,) }", 1, 2},
};

static void run_row(const struct row *r) {
  sec_jaxpr      *j;
  sec_executable *e;
  sec_array      *in[4], *plain[4], *out[4];
  const void     *data[4];
  bool            donate[4] = {true, true, true, true};
  check_reseed(r->what);
  if (sec_jaxpr_parse(cx, r->text, &j) != SEC_OK) fail_msg("%s: %s", r->what, sec_error_message(cx));
  for (uint32_t i = 0; i < j->n_in; i++) {
    in[i] = check_random(cx, j->avals[i], -2, 2);
    data[i] = sec_array_data(in[i]);
  }
  check_ok(sec_compile(cx, j, NULL, &e), r->what, j);
  check_ok(sec_execute(e, in, plain), r->what, j);
  check_ok(sec_execute_donating(e, in, donate, out), r->what, j);
  int aliases = 0;
  for (uint32_t o = 0; o < j->n_out; o++) {
    assert_memory_equal(sec_array_data(out[o]), sec_array_data(plain[o]), sec_array_bytes(plain[o]));
    for (uint32_t i = 0; i < j->n_in; i++) aliases += sec_array_data(out[o]) == data[i];
  }
  for (uint32_t i = 0; i < j->n_in; i++)
    if (sec_array_is_deleted(in[i]) != !(r->kept >> i & 1)) fail_msg("%s: operand %u deleted: %d", r->what, i, sec_array_is_deleted(in[i]));
  if (aliases != r->aliases) fail_msg("%s: %d results lie in operands, expected %d", r->what, aliases, r->aliases);
  if (!(r->kept & 1)) { /* a deleted operand is an error that says so */
    sec_array *again[4];
    assert_int_equal(sec_execute(e, in, again), SEC_DELETED);
    assert_non_null(strstr(sec_error_message(cx), "has been deleted"));
    sec_error_clear(cx);
  }
  check_release(in, (int)j->n_in), check_release(plain, (int)j->n_out), check_release(out, (int)j->n_out);
  sec_executable_release(e);
  sec_jaxpr_release(j);
}

static void test_rows(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) run_row(&rows[k]);
}

static void twice(const sec_value *in, sec_value *out, void *user) { (void)user, out[0] = sec_add(in[0], in[0]); }
static void sum(const sec_value *in, sec_value *out, void *user) { (void)user, out[0] = sec_add(in[0], in[1]); }

/* The memory goes from call to call; the structs in between do not pile up. */
static void test_chain(void **state) {
  (void)state;
  sec_fn    *f = sec_fn_create(cx, "twice", twice, NULL, 1, 1);
  float      one = 1;
  sec_array *x = sec_array_create_f32(cx, 0, NULL, &one), *y;
  void      *data = sec_array_data(x);
  for (int i = 0; i < 20; i++) {
    check_ok(sec_call_donating(f, &x, (bool[]){true}, &y), "twice", NULL);
    assert_true(sec_array_is_deleted(x) && !sec_array_data(x));
    assert_ptr_equal(sec_array_data(y), data);
    sec_array_release(x);
    x = y;
  }
  assert_true(*(float *)sec_array_data(x) == 1048576);
  assert_int_equal(sec_array_delete(x), SEC_OK);
  assert_int_equal(sec_call(f, &x, &y), SEC_DELETED);
  sec_error_clear(cx);
  assert_null(sec_array_reshape(x, 0, NULL));
  sec_error_clear(cx);
  sec_array_release(x);
}

static void free_nothing(void *owner) { (void)owner; }

/* Memory that others hold is not written over, and the operand stays. */
static void test_shared(void **state) {
  (void)state;
  sec_fn       *f = sec_fn_create(cx, "twice", twice, NULL, 1, 1), *g = sec_fn_create(cx, "sum", sum, NULL, 2, 1);
  const float   numbers[] = {1, 2, 3, 4};
  const int64_t n = 4, square[] = {2, 2};
  float         user[4] = {1, 2, 3, 4};
  sec_array    *y, *x = sec_array_create_f32(cx, 1, &n, numbers), *view = sec_array_reshape(x, 2, square);
  sec_array    *wrapped = sec_array_wrap(cx, SEC_F32, 1, &n, user, free_nothing, NULL);
  sec_array    *operands[] = {x, view, wrapped};
  for (int k = 0; k < 3; k++) {
    check_ok(sec_call_donating(f, &operands[k], (bool[]){true}, &y), "twice", NULL);
    assert_true(!sec_array_is_deleted(operands[k]) || k == 2);
    assert_memory_equal(k == 2 ? user : sec_array_data(operands[k]), numbers, sizeof numbers);
    sec_array_release(y);
  }
  assert_int_equal(sec_array_delete(x), SEC_ARGUMENT); /* the view holds a count */
  sec_error_clear(cx);
  sec_array_release(x);
  check_ok(sec_call_donating(f, &view, (bool[]){true}, &y), "twice", NULL); /* now it is the only one */
  assert_true(sec_array_is_deleted(view));
  sec_array_release(view), sec_array_release(wrapped);
  assert_int_equal(sec_call_donating(g, (sec_array *[]){y, y}, (bool[]){true, false}, &view), SEC_DELETED);
  assert_non_null(strstr(sec_error_message(cx), "twice"));
  sec_error_clear(cx);
  assert_false(sec_array_is_deleted(y));
  sec_array_release(y);
}

static void test_devices(void **state) {
  (void)state;
  sec_fn       *g = sec_fn_create(cx, "sum", sum, NULL, 2, 1);
  const float   numbers[] = {1, 2, 3, 4};
  const int64_t n = 4;
  sec_array    *x = sec_array_create_f32(cx, 1, &n, numbers), *on1 = sec_array_to_device(x, 1, true), *on2 = sec_array_to_device(x, 2, true), *y;
  assert_int_equal(sec_array_device(x), 0);
  check_ok(sec_call(g, (sec_array *[]){x, on2}, &y), "sum", NULL);
  assert_true(sec_array_device(y) == 2 && sec_array_is_committed(y));
  sec_array_release(y);
  assert_int_equal(sec_call(g, (sec_array *[]){on1, on2}, &y), SEC_DEVICE);
  sec_error_clear(cx);
  sec_set_thread_device(1);
  check_ok(sec_call(g, (sec_array *[]){x, x}, &y), "sum", NULL);
  assert_true(sec_array_device(y) == 1 && !sec_array_is_committed(y));
  sec_set_thread_device(-1);
  assert_int_equal(sec_default_device(), 0);
  sec_array_release(x), sec_array_release(y), sec_array_release(on1), sec_array_release(on2);
  assert_null(sec_array_to_device(NULL, -1, true));
  sec_error_clear(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_chain), cmocka_unit_test(test_shared),
                                     cmocka_unit_test(test_devices)};
  cx = sec_context_create();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
