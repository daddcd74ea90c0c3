/* What the engine itself costs from C: a call of a compiled function of 8 numbers, and tracing, per
 * equation. */
#include <secant.h>

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { NUMBERS = 8, CALLS = 20000, EQUATIONS = 1000, ROUNDS = 20 };

static double seconds_now(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* x -> 2 x + 1 */
static void line(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_add(sec_mul(in[0], sec_scalar(2)), sec_scalar(1));
}

/* The best time of a cached call [s]; negative on an error. */
static double time_call(sec_context *cx) {
  const float numbers[NUMBERS] = {0, 1, 2, 3, 4, 5, 6, 7};
  sec_array *x = sec_array_create_f32(cx, SEC_SHAPE(NUMBERS), numbers), *y;
  sec_fn *f = sec_fn_create(cx, "line", line, NULL, 1, 1);
  double best = INFINITY;
  for (int round = 0; round <= ROUNDS; round++) {
    double start = seconds_now();
    for (int i = 0; i < CALLS; i++) {
      if (sec_call(f, &x, &y) != SEC_OK) return -1;
      sec_array_release(y);
    }
    best = fmin(best, (seconds_now() - start) / CALLS);
  }
  sec_array_release(x);
  return best;
}

/* The best time to trace one of EQUATIONS sums and products [s]; negative on an error. */
static double time_trace(sec_context *cx) {
  double best = INFINITY;
  for (int round = 0; round < ROUNDS; round++) {
    double start = seconds_now();
    sec_trace *t = sec_trace_begin(cx, "f");
    sec_value x = sec_trace_input(t, SEC_F32, SEC_SHAPE(NUMBERS)), y = x;
    for (int i = 0; i < EQUATIONS / 2; i++) y = sec_add(sec_mul(y, x), x);
    sec_jaxpr *j;
    if (sec_trace_end(t, &y, 1, &j) != SEC_OK) return -1;
    best = fmin(best, (seconds_now() - start) / EQUATIONS);
    sec_jaxpr_release(j);
  }
  return best;
}

static void print_row(const char *what, double seconds, double reach) {
  const char *verdict = seconds > reach ? "  MISSED" : "";
  printf("  %-34s%7.3f us  <= %g us%s\n", what, seconds * 1e6, reach * 1e6, verdict);
}

int main(void) {
  sec_context *cx = sec_context_create();
  double call = time_call(cx), trace = time_trace(cx);
  puts("\ncalls: overheads from C");
  print_row("call, 8 f32, cached", call, 1e-6);
  print_row("trace, an equation of 1000", trace, 1e-6);
  if (call < 0 || trace < 0) fprintf(stderr, "%s\n", sec_error_message(cx));
  sec_context_destroy(cx);
  return call < 0 || trace < 0;
}
