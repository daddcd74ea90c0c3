/* Jaxpr text: print -> parse -> print is a fixed point; errors name their place; damaged text never
 * crashes. */
#include "ops/check.h"

static sec_context *cx;

static const char *const programs[] = {
    "{ lambda ; a:f32[3] b:f32[]. let\n    c:f32[3] = sin a\n    d:f32[3] = mul c 2.5:f32[]\n  in "
    "(d, b, 1:i32[]) }",
    "{ lambda ; a:f32[3]. let  in (a,) }",
    "{ lambda ; a:f32[3]. let b:f32[3] = sin a; c:f32[3] = neg b in (c,) }",
    "{ lambda a:f64[2] b:i32[]; c:f64[2]. let d:f64[2] = add a c in (d, b) }",
    "{ lambda ; a:f64[4,3]. let\n    b:f64[4] = reduce_sum[axes=(1,) out_sharding=None] a\n    "
    "c:f64[] = reduce_max[axes=(0,)] b\n  in (c,) }",
    "{ lambda ; a:f32[2,3] b:f32[3,2]. let\n    c:f32[2,2] = dot_general[\n      "
    "dimension_numbers=(([1], [0]), ([], []))\n      preferred_element_type=float32\n    ] a b\n  "
    "in (c,) }",
    "{ lambda ; a:f32[3]. let\n    b:f32[3] = jit[\n      name=f\n      jaxpr={ lambda ; a:f32[3]. "
    "let b:f32[3] = sin a in (b,) }\n    ] a\n  in (b,) }",
    "{ lambda ; a:i32[] b:f32[]. let\n    c:f32[] = cond[\n      branches=(\n        { lambda ; "
    "d:f32[]. let e:f32[] = cos d in (e,) }\n        { lambda ; f:f32[]. let g:f32[] = sin f in "
    "(g,) }\n      )\n    ] a b\n  in (c,) }",
    "{ lambda ; a:f64[]. let\n    b:f64[] = max a nan:f64[]\n    c:f64[] = min b -inf:f64[]\n    "
    "d:f64[] = mul c 1e-300:f64[]\n"
    "    e:u64[] = add 18446744073709551615:u64[] 0:u64[]\n    f:bool[] = eq a inf:f64[]\n    "
    "_:bool[] = and f True:bool[]\n  in (d, e) }",
    "{ lambda ; a:f32[2,3]. let\n    b:f32[4,5] = pad[padding_config=((1, 1, 0), (0, 2, 0))] a "
    "0.0:f32[]\n"
    "    c:i64[4,5] = convert_element_type[new_dtype=int64 weak_type=False] b\n  in (c,) }",
    /* what the text hides: a shape, and what it shows of JAX's alone */
    "{ lambda ; a:f32[] b:f32[3]. let\n    c:f32[2] = broadcast_in_dim a\n    d:f32[2,3] = "
    "broadcast_in_dim[broadcast_dimensions=(1,)] b\n    e:f32[3,2] = reshape[dimensions=None "
    "new_sizes=(3, 2) sharding=None] d\n    f:i32[3] = iota[dimension=0 dtype=int32 shape=(3,) "
    "sharding=None] \n  in (c, e, f) }",
    "{ lambda ; a:f32[3] b:i32[1]. let\n    c:f32[] = gather[\n      "
    "dimension_numbers=GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=(0,), "
    "start_index_map=(0,), operand_batching_dims=(), start_indices_batching_dims=())\n      "
    "fill_value=None\n      indices_are_sorted=False\n      mode=GatherScatterMode.CLIP\n      "
    "slice_sizes=(1,)\n      unique_indices=False\n    ] a b\n    d:f32[3] = scatter-add[\n      "
    "dimension_numbers=ScatterDimensionNumbers(update_window_dims=(), inserted_window_dims=(0,), "
    "scatter_dims_to_operand_dims=(0,), operand_batching_dims=(), "
    "scatter_indices_batching_dims=())\n      indices_are_sorted=False\n      "
    "mode=GatherScatterMode.FILL_OR_DROP\n      unique_indices=False\n      update_consts=()\n      "
    "update_jaxpr={ lambda ; e:f32[] f:f32[]. let g:f32[] = add e f in (g,) }\n    ] a b c\n  in "
    "(d,) }",
    "{ lambda ; a:f32[]. let\n    b:f32[] = custom_jvp_call[\n      name=square\n      "
    "call_jaxpr={ lambda ; c:f32[]. let d:f32[] = mul c c in (d,) }\n      jvp=<lambda>\n      "
    "symbolic_zeros=False\n    ] a\n  in (b,) }",
    /* bodies in front: one that is met twice, and one that another names before it is read */
    "let outer = { lambda ; a:f32[]. let\n    b:f32[] = jit[name=f jaxpr=f] a\n    c:f32[] = "
    "jit[name=f jaxpr=f] b\n  in (c,) } in\nlet f = { lambda ; d:f32[]. let e:f32[] = sin d in "
    "(e,) } in\n{ lambda ; g:f32[]. let\n    h:f32[] = jit[name=outer jaxpr=outer] g\n    i:f32[] = "
    "jit[name=outer jaxpr=outer] h\n  in (i,) }",
    /* a full line */
    "{ lambda ; a:f32[1000,1000] b:f32[1000,1000] c:f32[1000,1000] d:f32[1000,1000] e:f32[1000,1000]\n"
    "    f:f32[1000,1000]. let\n    g:f32[6000,1000] = concatenate[dimension=0] a b c d e f\n    "
    "h:f32[24000,1000] = concatenate[dimension=0] g g g g\n  in (h, 1234567.0:f32[], "
    "1234567.0:f32[], 1234567.0:f32[], 1234567.0:f32[], 1234567.0:f32[],\n    1.5:f32[]) }"};
enum { N_PROGRAMS = sizeof programs / sizeof *programs };

static void test_fixed_point(void **state) {
  (void)state;
  for (int i = 0; i < N_PROGRAMS; i++) {
    sec_jaxpr *j = NULL;
    check_ok(sec_jaxpr_parse(cx, programs[i], &j), programs[i], NULL);
    check_ok(sec_jaxpr_check(j), programs[i], j);
    char *text = sec_jaxpr_print(j);
    assert_string_equal(text, programs[i]);
    free(text);
    sec_jaxpr_release(j);
  }
}

static char *reprint(const char *text) {
  sec_jaxpr *j = NULL;
  check_ok(sec_jaxpr_parse(cx, text, &j), text, NULL);
  char *printed = sec_jaxpr_print(j);
  sec_jaxpr_release(j);
  return printed;
}

/* JAX writes short bodies on one line, and names of any length are read. */
static void test_variants(void **state) {
  (void)state;
  char *a = reprint("# a comment\n{ lambda ; alpha:float32[ 3 ]. let in_2:f32[3] = sin alpha; "
                    "in:f32[3] = neg in_2 in (in,) } # end");
  char *b =
      reprint("{ lambda ; a:f32[3]. let\n    b:f32[3] = sin a\n    c:f32[3] = neg b\n  in (c,) }");
  assert_string_equal(a, b);
  free(a), free(b);
  a = reprint("{ lambda ; . let in () }");
  b = reprint(a);
  assert_string_equal(a, b);
  free(a), free(b);
}

static void test_keyword_names(void **state) {
  (void)state;
  char *a = reprint("{ lambda ; in:f32[] inf:f32[]. let nan:f32[] = add in inf; let:f32[] = sub "
                    "nan in in (let, nan) }");
  assert_string_equal(a, "{ lambda ; a:f32[] b:f32[]. let c:f32[] = add a b; d:f32[] = sub c a in "
                         "(d, c) }");
  free(a);
}

/* Hundreds of equations: two- and three-letter names, "in" among them. */
static void test_many_names(void **state) {
  (void)state;
  sec_trace *t = sec_trace_begin(cx, "many");
  sec_value  x = sec_trace_input(t, SEC_F32, 0, NULL), first = x;
  for (int i = 0; i < 20000; i++) x = sec_add(sec_sin(x), first);
  sec_jaxpr *j = NULL;
  check_ok(sec_trace_end(t, &x, 1, &j), "trace", NULL);
  check_text(cx, j, "many");
  sec_jaxpr_release(j);
}

typedef struct bad {
  const char *text, *message, *hint;
} bad;
static const bad bads[] = {
    {"", "jaxpr text, line 1, column 1: expected \"{\", found the end of the text", "{ lambda ;"},
    {"{ lambda ; a:f32[3] let", "line 1, column 24: expected \":\", found the end of the text",
     "a:f32[3]"},
    {"{ lambda ; a:f33[3]. let in (a,) }", "line 1, column 14: expected a dtype, found \"f33[3].\"",
     "f32[2,3]"},
    {"{ lambda ; a:f32[3]. let\n  b:f32[3] = sinn a\n in (b,) }",
     "line 2, column 14: there is no primitive sinn", "sin"},
    {"{ lambda ; a:f32[3]. let\n  b:f32[3] = sin c\n in (b,) }",
     "line 2, column 18: c is not defined", "lambda"},
    {"{ lambda ; a:f32[3]. let\n  b:f32[4] = sin a\n in (b,) }",
     "line 2, column 3: sin gives f32[3], but b is declared f32[4]", "declared"},
    {"{ lambda ; a:f32[3]. let\n  b:f32[3] = sin a\n  b:f32[3] = cos a\n in (b,) }",
     "line 3, column 3: b is assigned a second time", "name"},
    {"{ lambda ; a:f32[3] b:f32[4]. let\n  c:f32[3] = add a b\n in (c,) }",
     "line 2, column 14: add", ""},
    {"{ lambda ; a:f32[3]. let\n  b:f32[] = reduce_sum[axes=(0,) axes=(0,)] a\n in (b,) }",
     "line 2, column 34: a parameter is given a second time", ""},
    {"{ lambda ; a:f32[3]. let in (a,) } x",
     "line 1, column 36: expected the end of the text, found \"x\"", ""},
    {"{ lambda ; a:f32[3]. let in (a }", "line 1, column 32: expected \",\" or \")\", found \"}\"",
     "(a, b)"},
    {"{ lambda ; a:f32[99999999999999999999]. let in (a,) }",
     "line 1, column 18: an integer does not fit 64 bits", ""},
};

static void test_messages(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
    sec_jaxpr *j = (sec_jaxpr *)&bads;
    assert_int_equal(sec_jaxpr_parse(cx, bads[i].text, &j), SEC_PARSE);
    assert_null(j);
    assert_int_equal(sec_error_status(cx), SEC_PARSE);
    bool said =
        strstr(sec_error_text(cx), bads[i].message) && strstr(sec_error_hint(cx), bads[i].hint);
    if (!said)
      print_error("%s\n  gave: %s\n  hint: %s\n", bads[i].text, sec_error_text(cx),
                  sec_error_hint(cx));
    assert_true(said);
    sec_error_clear(cx);
    assert_int_equal(sec_trace_depth(), 0);
  }
}

/* Parses anything; when it is a jaxpr, it is a well-typed one. */
static void parse_any(const char *text) {
  sec_jaxpr *j = NULL;
  if (sec_jaxpr_parse(cx, text, &j) == SEC_OK) {
    assert_int_equal(sec_jaxpr_check(j), SEC_OK);
    sec_jaxpr_release(j);
  } else {
    assert_null(j);
  }
  sec_error_clear(cx);
  assert_int_equal(sec_trace_depth(), 0);
}

static void test_cut(void **state) {
  (void)state;
  for (int i = 0; i < N_PROGRAMS; i++) {
    size_t n = strlen(programs[i]);
    for (size_t k = 0; k <= n; k++) {
      char *text = malloc(k + 1);
      memcpy(text, programs[i], k);
      text[k] = 0;
      parse_any(text);
      free(text);
    }
  }
}

static void test_damaged(void **state) {
  static const char pieces[] = "{}()[]=:;,.#<>\"'-+eE0123456789abxTfin \n";
  const char       *rounds = getenv("SECANT_FUZZ_ROUNDS");
  (void)state;
  check_reseed("damaged");
  for (int round = 0; round < (rounds ? atoi(rounds) : 20000); round++) {
    char *text = strdup(programs[round % N_PROGRAMS]);
    int   n = (int)strlen(text), changes = 1 + (int)check_uniform(0, 4);
    for (int c = 0; c < changes; c++) {
      char *at = &text[(int)check_uniform(0, n)];
      *at = check_uniform(0, 1) < 0.2 ? (char)(*at ^ (1 << (int)check_uniform(0, 7)))
                                      : pieces[(int)check_uniform(0, sizeof pieces - 1)];
    }
    parse_any(text);
    free(text);
  }
}

/* Depth is limited, not the stack's size. */
static void test_depth(void **state) {
  (void)state;
  static const char start[] = "{ lambda ; . let a:f32[] = jit[jaxpr=",
                    other[] = "{ lambda ; a:f32[]. let b:f32[] = sin[x=";
  enum { TIMES = 3000 };
  char *text = calloc(TIMES, sizeof start);
  for (size_t i = 0; i < TIMES; i++) memcpy(text + i * (sizeof start - 1), start, sizeof start);
  parse_any(text);
  memset(text, '(', TIMES * (sizeof start - 1));
  memcpy(text, other, sizeof other - 1);
  parse_any(text);
  free(text);
}

static void test_stale_error(void **state) {
  (void)state;
  sec_jaxpr *j = NULL;
  sec_error_set(SEC_SHAPE, NULL, "an older error");
  assert_int_equal(sec_jaxpr_parse(cx, programs[0], &j), SEC_OK);
  sec_jaxpr_release(j);
  assert_int_not_equal(sec_jaxpr_parse(cx, "{", &j), SEC_OK);
  assert_string_equal(sec_error_text(cx), "an older error");
  sec_error_clear(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fixed_point),   cmocka_unit_test(test_variants),
      cmocka_unit_test(test_keyword_names), cmocka_unit_test(test_many_names),
      cmocka_unit_test(test_messages),      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_damaged),       cmocka_unit_test(test_depth),
      cmocka_unit_test(test_stale_error)};
  cx = sec_context_create();
  int failed = cmocka_run_group_tests_name("parse", tests, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
