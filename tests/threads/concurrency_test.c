/* Four threads at once in one context: tracing, transforming, compiling, calling, forgetting.  Meant for
 * -DSECANT_SANITIZE=thread, and right without it. */
#include "ops/check.h"
#include <pthread.h>

enum { N_THREADS = 4, N_ROUNDS = 24 };

typedef struct worker {
  sec_context    *cx;
  sec_fn         *fn;
  sec_executable *executable;
  int             number;
  int             wrong; /* results that are not what they should be */
  pthread_barrier_t *start;
} worker;

static void run_workers(void *(*work)(void *), sec_context *cx, sec_fn *fn, sec_executable *e) {
  pthread_t         threads[N_THREADS];
  worker            workers[N_THREADS];
  pthread_barrier_t start;
  pthread_barrier_init(&start, NULL, N_THREADS);
  for (int i = 0; i < N_THREADS; i++) {
    workers[i] = (worker){cx, fn, e, i, 0, &start};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < N_THREADS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&start);
  for (int i = 0; i < N_THREADS; i++) assert_int_equal(workers[i].wrong, 0);
}

static void cube(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_sum(sec_mul(in[0], sec_mul(in[0], in[0])));
}
static void scaled(const sec_value *in, sec_value *out, void *user) {
  sec_value k = sec_scalar(*(const int *)user);
  out[0] = sec_sum(sec_mul(sec_mul(in[0], in[0]), k));
}

static sec_array *ramp(sec_context *cx, int64_t n) {
  sec_array *a = sec_array_create(cx, SEC_F32, SEC_SHAPE(n));
  for (int64_t i = 0; a && i < n; i++) ((float *)sec_array_data(a))[i] = (float)(i % 7);
  return a;
}

/* Whether f at a ramp of n is k times x to the power p, everywhere. */
static bool gives(sec_context *cx, sec_fn *f, int64_t n, double k, int p) {
  sec_array *x = ramp(cx, n), *y = NULL;
  bool       good = f && x && sec_call(f, &x, &y) == SEC_OK;
  for (int64_t i = 0; i < n && good; i++) good = fabs(((float *)sec_array_data(y))[i] - k * pow((double)(i % 7), p)) < 1e-3;
  sec_array_release(x);
  sec_array_release(y);
  return good;
}

/* ---- one function, its signatures met by all threads at the same moment ---- */
static void *call_shared(void *argument) {
  worker *w = argument;
  pthread_barrier_wait(w->start);
  for (int i = 0; i < N_ROUNDS; i++) w->wrong += !gives(w->cx, w->fn, 8 + i % 3, 3, 2);
  return NULL;
}

static void test_one_compile(void **state) {
  (void)state;
  sec_context *cx = sec_context_create();
  run_workers(call_shared, cx, sec_grad(sec_fn_create(cx, "cube", cube, NULL, 1, 1), 0), NULL);
  sec_cache_stats stats = sec_cache_get_stats(cx);
  assert_int_equal(stats.compiles, 3);
  sec_context_destroy(cx);
}

/* ---- functions of their own, some of them the same; caches are cleared meanwhile ---- */
static void *make_own(void *argument) {
  worker *w = argument;
  pthread_barrier_wait(w->start);
  for (int i = 0; i < N_ROUNDS; i++) {
    int     k = 1 + (w->number % 2 ? i : i % 5);
    sec_fn *f = sec_fn_create(w->cx, "scaled", scaled, &k, 1, 1), *g = sec_grad(f, 0);
    w->wrong += !gives(w->cx, g, 16, 2.0 * k, 1);
    sec_fn_destroy(g);
    sec_fn_destroy(f);
    if (i % 6 == w->number) sec_cache_clear(w->cx);
    sec_array *missing = NULL, *y = NULL;
    w->wrong += sec_call(w->fn, &missing, &y) != SEC_ARGUMENT || !strstr(sec_error_message(w->cx), "argument 0 is NULL");
    sec_error_clear(w->cx);
  }
  return NULL;
}

static void test_own_functions(void **state) {
  (void)state;
  sec_context *cx = sec_context_create();
  run_workers(make_own, cx, sec_fn_create(cx, "cube", cube, NULL, 1, 1), NULL);
  sec_context_destroy(cx);
}

/* ---- one executable, large enough for the pool of threads; results go from thread to thread ---- */
static void *run_shared(void *argument) {
  worker *w = argument;
  int64_t n = 300000;
  pthread_barrier_wait(w->start);
  for (int i = 0; i < N_ROUNDS; i++) {
    sec_array *x = ramp(w->cx, n), *y = NULL;
    w->wrong += sec_execute(w->executable, &x, &y) != SEC_OK || ((float *)sec_array_data(y))[n - 1] != (float)((n - 1) % 7) * 2;
    sec_array_release(x);
    sec_array_release(y);
    if (i == N_ROUNDS / 2) sec_cache_clear(w->cx);
    if (i % 8 == 0) sec_set_num_threads(2 + w->number % 2);
  }
  return NULL;
}

static void test_one_executable(void **state) {
  (void)state;
  sec_context    *cx = sec_context_create();
  sec_executable *e;
  sec_jaxpr      *j;
  sec_set_num_threads(3);
  assert_int_equal(sec_jaxpr_parse(cx, "{ lambda ; a:f32[300000]. let b:f32[300000] = add a a in (b,) }", &j), SEC_OK);
  assert_int_equal(sec_compile(cx, j, NULL, &e), SEC_OK);
  run_workers(run_shared, cx, NULL, e);
  sec_executable_release(e);
  sec_jaxpr_release(j);
  sec_context_destroy(cx);
}

/* ---- jaxprs with places in the source, shared text, errors with places ---- */
static void *trace_places(void *argument) {
  worker *w = argument;
  char    file[32];
  pthread_barrier_wait(w->start);
  for (int i = 0; i < 40 * N_ROUNDS; i++) {
    snprintf(file, sizeof file, "file%d.c", i % 50);
    sec_trace *t = sec_trace_begin(w->cx, "places");
    sec_value  x = sec_trace_input(t, SEC_F32, SEC_SHAPE(1 + i % 40)), y = sec_at((sec_mul)((sec_sin)(x), x), file, i);
    sec_jaxpr *j = NULL;
    w->wrong += sec_trace_end(t, &y, 1, &j) != SEC_OK;
    uint32_t loc = j ? j->eqns[j->n_eqns - 1].loc : 0;
    w->wrong += strcmp(sec_location_file(w->cx, loc), file) != 0 || sec_location_line(w->cx, loc) != i;
    sec_jaxpr_release(j);
  }
  return NULL;
}

static void test_places(void **state) {
  (void)state;
  sec_context *cx = sec_context_create();
  run_workers(trace_places, cx, NULL, NULL);
  assert_true(cx->n_locations <= 40 * N_ROUNDS + 1);
  sec_context_destroy(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_compile), cmocka_unit_test(test_own_functions),
                                     cmocka_unit_test(test_one_executable), cmocka_unit_test(test_places)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
