/* Error messages: the text and hint of typical mistakes against tests/golden/errors.txt, every
 * status's name and text as well, and the user's file and line.  SECANT_UPDATE_GOLDEN=1 writes the
 * file. */
#include "ops/check.h"
#include <secant.h>

static sec_context *cx;
static char         report[65536];
static size_t       used;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  used += (size_t)vsnprintf(report + used, sizeof report - used, format, arguments);
  va_end(arguments);
  assert_true(used < sizeof report);
}

/* ---- mistakes inside a traced function: a f32[3], b f32[4], m f32[2,3], i i32[] ---- */
typedef struct operands {
  sec_value a, b, m, i;
} operands;
typedef void (*mistake_fn)(const operands *v, sec_value *out);

static void mistake_shapes(const operands *v, sec_value *out) { *out = sec_mul(v->a, v->b); }
static void mistake_types(const operands *v, sec_value *out) {
  *out = sec_sin(sec_and(v->a, v->a));
}
static void mistake_dot(const operands *v, sec_value *out) { *out = sec_dot(v->m, v->b); }
static void mistake_axis(const operands *v, sec_value *out) {
  *out = sec_reduce_sum(v->a, (int64_t[]){1}, 1);
}
static void mistake_reshape(const operands *v, sec_value *out) {
  *out = sec_reshape(v->a, SEC_SHAPE(2, 2));
}
static void mistake_concatenate(const operands *v, sec_value *out) {
  *out = sec_concatenate((sec_value[]){v->a, v->m}, 2, 0);
}
static void mistake_slice(const operands *v, sec_value *out) {
  *out = sec_slice(v->a, (int64_t[]){1}, (int64_t[]){9}, NULL);
}
static void mistake_transpose(const operands *v, sec_value *out) {
  *out = sec_transpose(v->m, (int64_t[]){0, 0});
}
static void mistake_axis_name(const operands *v, sec_value *out) { *out = sec_psum(v->a, "batch"); }
static void mistake_broadcast(const operands *v, sec_value *out) {
  *out = sec_broadcast_to(v->a, SEC_SHAPE(3, 4));
}
static void mistake_cholesky(const operands *v, sec_value *out) {
  *out = sec_cholesky(v->m, false);
}
static void mistake_unset(const operands *v, sec_value *out) { (void)v, (void)out; }
static void mistake_poison(const operands *v, sec_value *out) {
  const sec_value poison = {0, 0};
  *out = sec_add(v->a, poison);
}

static void grow(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_concatenate((sec_value[]){in[0], in[0]}, 2, 0);
}
static void to_bool(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_is_finite(in[0]);
}
static void same(const sec_value *in, sec_value *out, void *user) { (void)user, out[0] = in[0]; }
static void mistake_carry(const operands *v, sec_value *out) {
  sec_scan_fn(grow, NULL, 1, 0, 0, 3, false, &v->a, out);
}
static void mistake_length(const operands *v, sec_value *out) {
  sec_value results[2], in[2] = {v->a, v->b};
  sec_scan_fn(same, NULL, 0, 2, 1, 3, false, in, results);
  *out = results[0];
}
static void mistake_condition(const operands *v, sec_value *out) {
  sec_while_fn(same, same, NULL, 1, &v->a, out);
}
static void mistake_branches(const operands *v, sec_value *out) {
  sec_cond_fn(v->i, (const sec_fn_body[]){same, to_bool}, 2, NULL, 1, 1, &v->a, out);
}
static void mistake_predicate(const operands *v, sec_value *out) {
  sec_cond_fn(v->a, (const sec_fn_body[]){same, same}, 2, NULL, 1, 1, &v->a, out);
}

static const struct {
  const char *name;
  mistake_fn  make;
} mistakes[] = {{"shapes that do not broadcast", mistake_shapes},
                {"a bitwise operation of floats", mistake_types},
                {"contracted sizes differ", mistake_dot},
                {"an axis out of range", mistake_axis},
                {"a reshape of another size", mistake_reshape},
                {"ranks to concatenate differ", mistake_concatenate},
                {"a slice past the end", mistake_slice},
                {"a permutation with an axis twice", mistake_transpose},
                {"an axis name that is not bound", mistake_axis_name},
                {"a broadcast that does not fit", mistake_broadcast},
                {"cholesky of a matrix that is not square", mistake_cholesky},
                {"a result that is not set", mistake_unset},
                {"an operand that is not set", mistake_poison},
                {"a carry that changes its shape", mistake_carry},
                {"xs of different lengths", mistake_length},
                {"a condition that is no bool", mistake_condition},
                {"branches of different types", mistake_branches},
                {"a predicate that is no scalar", mistake_predicate}};
enum { N_MISTAKES = sizeof mistakes / sizeof *mistakes };

static void note(const char *name, sec_status status) {
  assert_int_not_equal(status, SEC_OK);
  assert_true(sec_error_text(cx)[0] != 0);
  add("== %s\n%s: %s\n", name, sec_status_name(status), sec_error_text(cx));
  if (sec_error_hint(cx)[0]) add("  hint: %s\n", sec_error_hint(cx));
  sec_error_clear(cx);
}

static void traced_mistakes(void) {
  for (int k = 0; k < N_MISTAKES; k++) {
    sec_trace *t = sec_trace_begin(cx, "f");
    operands   v = {sec_trace_input(t, SEC_F32, SEC_SHAPE(3)),
                    sec_trace_input(t, SEC_F32, SEC_SHAPE(4)),
                    sec_trace_input(t, SEC_F32, SEC_SHAPE(2, 3)),
                    sec_trace_input(t, SEC_I32, SEC_SCALAR_SHAPE)};
    sec_value  out = {0, 0};
    sec_jaxpr *j = NULL;
    mistakes[k].make(&v, &out);
    sec_status status = sec_trace_end(t, &out, 1, &j);
    if (status == SEC_OK) print_error("%s gave no error\n", mistakes[k].name);
    assert_null(j);
    note(mistakes[k].name, status);
    assert_int_equal(sec_trace_depth(), 0);
  }
}

/* ---- mistakes with transforms and calls ---- */
static void while_cond(const sec_value *in, sec_value *out, void *user) {
  (void)user, out[0] = sec_lt(in[0], sec_scalar(10));
}
static void doubled(const sec_value *in, sec_value *out, void *user) {
  (void)user, out[0] = sec_mul(in[0], sec_scalar(2));
}
static void looped(const sec_value *in, sec_value *out, void *user) {
  (void)user, sec_while_fn(while_cond, doubled, NULL, 1, in, out);
}
static void rounded(const sec_value *in, sec_value *out, void *user) {
  (void)user, out[0] = sec_convert(in[0], SEC_I32, false);
}
static void bwd(const sec_value *in, sec_value *out, void *user) { (void)user, out[0] = in[0]; }

static void called(const char *name, sec_fn *f, sec_array *x, sec_array *y) {
  sec_array *out[4] = {NULL};
  sec_status status = f ? sec_call(f, (sec_array *[]){x, y}, out) : sec_error_status(cx);
  note(name, status);
  assert_null(out[0]);
}

static void called_mistakes(void) {
  int        zero[] = {0, 0}, one[] = {1, 1}, none[] = {SEC_NOT_MAPPED};
  sec_array *x = sec_array_create_f32(cx, SEC_SHAPE(3), (float[]){1, 2, 3}),
            *s = sec_array_create_f32(cx, SEC_SCALAR_SHAPE, (float[]){1});
  sec_array *i = sec_array_create_i32(cx, SEC_SCALAR_SHAPE, (int32_t[]){1});
  sec_fn    *twice = sec_fn_create(cx, "twice", doubled, NULL, 1, 1),
         *loop = sec_fn_create(cx, "loop", looped, NULL, 1, 1);
  called("grad of a function that is no scalar", sec_grad(twice, 0), x, NULL);
  called("grad of an integer result",
         sec_grad(sec_fn_create(cx, "rounded", rounded, NULL, 1, 1), 0), s, NULL);
  called("grad by an integer", sec_grad(twice, 0), i, NULL);
  called("grad by an argument that is not there", sec_grad(twice, 1), s, NULL);
  called("grad through a while loop", sec_grad(loop, 0), s, NULL);
  called("jvp of a custom_vjp function", sec_jvp(sec_custom_vjp(twice, doubled, bwd, 0, NULL)), s,
         s);
  called("vmap of no argument", sec_vmap(twice, none), x, NULL);
  called("vmap over an axis that is not there", sec_vmap(twice, one), x, NULL);
  called("pmap over too many devices", sec_pmap(twice, zero, NULL), x, NULL);
  called("a tangent of another shape", sec_jvp(twice), x, s);
  called("no argument", twice, NULL, NULL);
  check_release((sec_array *[]){x, s, i}, 3);
}

static void leaked(void) {
  sec_trace *t = sec_trace_begin(cx, "first");
  sec_value  v = sec_trace_input(t, SEC_F32, SEC_SCALAR_SHAPE), out;
  sec_jaxpr *j = NULL;
  check_ok(sec_trace_end(t, &v, 1, &j), "trace", NULL);
  sec_jaxpr_release(j);
  t = sec_trace_begin(cx, "second");
  out = sec_sin(v);
  note("a value used after its trace", sec_trace_end(t, &out, 1, &j));
  (void)sec_scalar(1);
  note("an operation outside a trace", sec_error_status(cx));
}

static void test_texts(void **state) {
  static char committed[sizeof report];
  const char *path = SECANT_SOURCE_DIR "/tests/golden/errors.txt",
             *update = getenv("SECANT_UPDATE_GOLDEN");
  (void)state;
  add("# What the library says; written by tests/api/errors_test.c (SECANT_UPDATE_GOLDEN=1).\n");
  for (int s = 0; s < SEC_N_STATUS; s++) add("%s: %s\n", sec_status_name(s), sec_status_text(s));
  traced_mistakes();
  called_mistakes();
  leaked();
  FILE *file = fopen(path, update ? "w" : "r");
  assert_non_null(file);
  if (update) fputs(report, file);
  else committed[fread(committed, 1, sizeof committed - 1, file)] = 0;
  fclose(file);
  if (!update) assert_string_equal(report, committed);
}

/* Every status but OK and those of the machine (memory, files, callbacks) is reported as itself. */
static void test_statuses(void **state) {
  (void)state;
  for (int s = 1; s < SEC_N_STATUS; s++) {
    assert_true(sec_status_text(s)[0] != 0);
    assert_int_equal(sec_error_set(s, "a hint", "subject: %d", s), s);
    bool gives_way = s == SEC_INTERRUPTED; /* any other stays */
    assert_int_equal(sec_error_set(SEC_TYPE, NULL, "a later error"), gives_way ? SEC_TYPE : s);
    assert_string_equal(sec_error_hint(cx), gives_way ? "" : "a hint");
    assert_non_null(strstr(sec_error_message(cx), gives_way ? "a later error" : "subject: "));
    sec_error_clear(cx);
    assert_string_equal(sec_error_message(cx), "");
  }
}

#ifdef sec_mul
/* The place is the operation's own, also in nested calls. */
static sec_value layer(sec_value x) { return sec_sin(x); }
static void      test_place(void **state) {
       (void)state;
       sec_trace *t = sec_trace_begin(cx, "f");
       sec_value  a = sec_trace_input(t, SEC_F32, SEC_SHAPE(3)),
                 b = sec_trace_input(t, SEC_F32, SEC_SHAPE(4));
       (void)sec_mul(layer(a), layer(b));
       int line = __LINE__ - 1;
       assert_int_equal(sec_error_line(cx), line);
       assert_string_equal(sec_error_file(cx), __FILE__);
       assert_non_null(strstr(sec_error_message(cx), "errors_test.c"));
       sec_error_clear(cx);
       sec_trace_abandon(t);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_statuses),
#ifdef sec_mul
      cmocka_unit_test(test_place),
#endif
  };
  setenv("SECANT_NUM_CPU_DEVICES", "2", 1);
  cx = sec_context_create();
  int failed = cmocka_run_group_tests_name("errors", tests, NULL, NULL);
  sec_context_destroy(cx);
  return failed;
}
