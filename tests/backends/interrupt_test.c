/* Interrupts: loops that would run for hours end within 0.2 s, whether compiled whole or interpreted, and the engine
 * is usable after. */
#include "ops/check.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static const char *const endless[] = {
    /* compiled whole: a scan in registers, a while that never ends, a carried array, a loop in a loop */
    "{ lambda ; a:f32[]. let\n"
    "    b:f32[] = scan[jaxpr={ lambda ; c:f32[]. let d:f32[] = sin c in (d,) } length=1000000000000 reverse=False\n"
    "      num_carry=1 num_consts=0] a\n  in (b,) }",
    "{ lambda ; a:f32[]. let\n"
    "    b:f32[] = while[cond_jaxpr={ lambda ; c:f32[]. let d:bool[] = lt c 3.0:f32[] in (d,) } cond_nconsts=0\n"
    "      body_jaxpr={ lambda ; c:f32[]. let d:f32[] = sin c in (d,) } body_nconsts=0] a\n  in (b,) }",
    "{ lambda ; a:f32[]. let\n    e:f32[300] = broadcast_in_dim[broadcast_dimensions=() shape=(300,)] a\n"
    "    b:f32[300] = scan[jaxpr={ lambda ; c:f32[300]. let d:f32[300] = cos c in (d,) } length=1000000000000 reverse=False\n"
    "      num_carry=1 num_consts=0] e\n"
    "    f:f32[] = reduce_sum[axes=(0,)] b\n  in (f,) }",
    "{ lambda ; a:f32[]. let\n"
    "    b:f32[] = scan[jaxpr={ lambda ; c:f32[]. let\n"
    "        d:f32[] = scan[jaxpr={ lambda ; e:f32[]. let f:f32[] = sin e in (f,) } length=100000 reverse=False num_carry=1\n"
    "          num_consts=0] c\n      in (d,) } length=1000000000 reverse=False\n"
    "      num_carry=1 num_consts=0] a\n  in (b,) }",
    /* interpreted: a large body */
    "{ lambda ; a:f32[]. let\n    e:f32[200000] = broadcast_in_dim[broadcast_dimensions=() shape=(200000,)] a\n"
    "    b:f32[200000] = scan[jaxpr={ lambda ; c:f32[200000]. let d:f32[200000] = cos c in (d,) } length=1000000000\n"
    "      reverse=False num_carry=1 num_consts=0] e\n"
    "    f:f32[] = reduce_sum[axes=(0,)] b\n  in (f,) }",
};
enum { N_ENDLESS = sizeof endless / sizeof *endless };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static _Atomic double interrupted_at;
static void          *interrupt_soon(void *by_signal) {
  usleep(50000);
  interrupted_at = now();
  if (by_signal) kill(getpid(), SIGINT);
  else sec_interrupt();
  return NULL;
}

/* Runs it, and has it interrupted; then the same context runs something else. */
static void check_interrupted(const char *text, bool by_signal) {
  sec_context *cx = sec_context_create();
  sec_jaxpr   *j;
  float        half = 0.5f;
  sec_array   *x = sec_array_create_f32(cx, 0, NULL, &half), *y;
  pthread_t    thread;
  if (sec_jaxpr_parse(cx, text, &j) != SEC_OK) fail_msg("%s", sec_error_message(cx));
  sec_executable *e;
  assert_int_equal(sec_compile(cx, j, NULL, &e), SEC_OK);
  assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, by_signal ? &thread : NULL), 0);
  assert_int_equal(sec_execute(e, &x, &y), SEC_INTERRUPTED);
  double late = now() - interrupted_at;
  pthread_join(thread, NULL);
  if (late > 0.2) fail_msg("%.3f s after the interrupt", late);
  assert_null(y);
  sec_error_clear(cx);
  sec_executable_release(e);
  sec_jaxpr_release(j);
  assert_int_equal(sec_jaxpr_parse(cx, "{ lambda ; a:f32[]. let b:f32[] = add a a in (b,) }", &j), SEC_OK);
  assert_int_equal(sec_run(cx, j, &x, &y), SEC_OK);
  assert_true(*(const float *)sec_array_data(y) == 1);
  sec_array_release(y);
  sec_array_release(x);
  sec_jaxpr_release(j);
  sec_context_destroy(cx);
}

static void test_interrupt(void **state) {
  (void)state;
  for (int i = 0; i < N_ENDLESS; i++) check_interrupted(endless[i], false);
}

static volatile sig_atomic_t handled;
static void                  handler(int number) { handled = number; }

static void test_signal(void **state) {
  (void)state;
  assert_false(sec_interrupt_on_sigint()); /* nobody handles it: it ends the process, as ever */
  signal(SIGINT, handler);
  assert_true(sec_interrupt_on_sigint());
  assert_true(sec_interrupt_on_sigint());
  check_interrupted(endless[0], true);
  assert_int_equal(handled, SIGINT);
  signal(SIGINT, SIG_DFL);
}

/* Results of loops that look for interrupts are those of the reference: lengths around the runs of turns. */
static void test_lengths(void **state) {
  static const int lengths[] = {1, 1023, 1024, 1025, 2048, 5001};
  (void)state;
  sec_context *cx = sec_context_create();
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    for (int reverse = 0; reverse < 2; reverse++) {
      char       text[1024];
      float      start[] = {0, 1, 2};
      sec_array *in[2] = {sec_array_create_f32(cx, SEC_SHAPE(3), start), sec_array_create(cx, SEC_F32, SEC_SHAPE(lengths[i]))};
      sec_array *out[2], *expected[2];
      sec_jaxpr *j;
      for (int k = 0; k < lengths[i]; k++) ((float *)sec_array_data(in[1]))[k] = (float)(k % 5);
      snprintf(text, sizeof text,
               "{ lambda ; a:f32[3] x:f32[%d]. let\n    b:f32[3] y:f32[%d,3] = scan[jaxpr={ lambda ; c:f32[3] d:f32[]. let\n"
               "      e:f32[3] = mul c 0.5:f32[]\n      f:f32[3] = add e d\n    in (f, e) } length=%d reverse=%s num_carry=1\n"
               "      num_consts=0] a x\n  in (b, y) }",
               lengths[i], lengths[i], lengths[i], reverse ? "True" : "False");
      if (sec_jaxpr_parse(cx, text, &j) != SEC_OK) fail_msg("%s", sec_error_message(cx));
      assert_int_equal(sec_run(cx, j, in, out), SEC_OK);
      assert_int_equal(sec_jaxpr_eval(j, in, expected), SEC_OK);
      for (int k = 0; k < 2; k++) assert_memory_equal(sec_array_data(out[k]), sec_array_data(expected[k]), sec_array_bytes(out[k]));
      check_release(in, 2);
      check_release(out, 2);
      check_release(expected, 2);
      sec_jaxpr_release(j);
    }
  sec_context_destroy(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_interrupt), cmocka_unit_test(test_signal), cmocka_unit_test(test_lengths)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
