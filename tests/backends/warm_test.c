/* Compiled kernels across processes: each step is a process of its own, forked before anything has started. */
#include "ops/check.h"
#include "backends/folder.h"
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const programs[] = {
    "{ lambda ; a:f32[40]. let b:f32[40] = sin a; c:f32[] = reduce_sum[axes=(0,)] b; d:f32[40] = mul b c in (d,) }",
    "{ lambda ; a:f32[40]. let b:f32[40] = exp a; c:f32[40] = cumsum[axis=0 reverse=False] b; d:f32[40] = tanh c; e:f32[40] = cumsum[axis=0 reverse=True] d;"
    " f:f32[40] = log1p e in (f,) }", /* several kernels in a module */
    "{ lambda ; a:f32[40]. let b:f32[40] = exp a in (b,) }", /* one of them alone */
};
enum { N_PROGRAMS = sizeof programs / sizeof *programs };

typedef struct seen { /* what a process saw, in shared memory of a pipe */
  sec_cache_stats stats;
  float           results[N_PROGRAMS][40];
  bool            good, compiler_open;
} seen;

static bool compiler_open(void) {
  char  line[512];
  bool  found = false;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) found = found || strstr(line, "libsecant-mlir") || strstr(line, "libLLVM");
  if (maps) fclose(maps);
  return found;
}

static bool run(sec_context *cx, const char *text, float *result) {
  sec_jaxpr *j = NULL;
  sec_array *x = sec_array_create(cx, SEC_F32, SEC_SHAPE(40)), *y = NULL;
  for (int i = 0; x && i < 40; i++) ((float *)sec_array_data(x))[i] = (float)i / 40;
  bool good = x && sec_jaxpr_parse(cx, text, &j) == SEC_OK && sec_run(cx, j, &x, &y) == SEC_OK;
  if (good) memcpy(result, sec_array_data(y), 40 * sizeof *result);
  else fprintf(stderr, "%s\n", sec_error_message(cx));
  sec_array_release(x), sec_array_release(y), sec_jaxpr_release(j);
  return good;
}

/* Bit k of `which`: program k. */
static seen process(int which, const char *cache) {
  int  ends[2], status;
  seen s = {.good = false};
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    sec_context *cx = sec_context_create();
    s.good = cx && sec_disk_cache_set(cx, cache) == SEC_OK;
    for (int k = 0; k < N_PROGRAMS && s.good; k++)
      if (which >> k & 1) s.good = run(cx, programs[k], s.results[k]);
    s.stats = sec_cache_get_stats(cx);
    s.compiler_open = compiler_open();
    sec_context_destroy(cx);
    _exit(write(ends[1], &s, sizeof s) == sizeof s ? 0 : 1);
  }
  close(ends[1]);
  ssize_t n = read(ends[0], &s, sizeof s);
  close(ends[0]);
  waitpid(pid, &status, 0);
  assert_int_equal(status, 0);
  assert_int_equal(n, sizeof s);
  assert_true(s.good);
  return s;
}

static void check_stats(const seen *s, int hits, int misses, bool open) {
  assert_int_equal(s->stats.disk_hits, hits);
  assert_int_equal(s->stats.disk_misses, misses);
  assert_int_equal(s->stats.disk_writes, misses);
  assert_int_equal(s->compiler_open, open);
}

static void same_results(const seen *a, const seen *b, int which) {
  for (int k = 0; k < N_PROGRAMS; k++)
    if (which >> k & 1) assert_memory_equal(a->results[k], b->results[k], sizeof a->results[k]);
}

static void test_warm(void **state) {
  (void)state;
  seen plain = process(7, "off"), cold = process(7, directory), warm = process(7, directory);
  int  n = (int)cold.stats.disk_misses;
  check_stats(&plain, 0, 0, true);
  check_stats(&cold, 0, n, true);
  check_stats(&warm, n, 0, false);
  assert_true(n >= 4);
  assert_true(plain.stats.kernels == n && cold.stats.kernels == n && warm.stats.kernels == n);
  same_results(&plain, &cold, 7);
  same_results(&plain, &warm, 7);
  assert_true(fabsf(plain.results[2][39] - expf(39.0f / 40)) < 1e-5f);
}

/* A kernel that was compiled beside others is found alone, and one that is there makes others not compile it. */
static void test_one_of_many(void **state) {
  (void)state;
  seen many = process(2, directory), one = process(4, directory), more = process(3, directory);
  check_stats(&one, 1, 0, false);
  assert_int_equal(more.stats.disk_hits, many.stats.disk_misses);
  assert_true(more.stats.disk_misses >= 1 && more.compiler_open);
  same_results(&many, &more, 2);
}

/* Calls f for each file of the cache; how many there are. */
static int each_file(void (*f)(const char *path, const char *other)) {
  char  paths[64][512];
  int   n = 0;
  DIR  *d = opendir(directory);
  for (struct dirent *e; (e = readdir(d)) && n < 64;)
    if (e->d_name[0] != '.') snprintf(paths[n++], sizeof *paths, "%s/%s", directory, e->d_name);
  closedir(d);
  for (int i = 0; i < n && f; i++) f(paths[i], paths[(i + 1) % n]);
  return n;
}
static void truncated(const char *path, const char *other) {
  (void)other;
  assert_int_equal(truncate(path, 700), 0);
}
static void changed(const char *path, const char *other) {
  (void)other;
  FILE *f = fopen(path, "r+");
  fseek(f, 80, SEEK_SET);
  fputc(0xcc, f);
  fclose(f);
}
static void emptied(const char *path, const char *other) {
  (void)other;
  assert_int_equal(truncate(path, 0), 0);
}
/* A whole file under the name of another kernel. */
static void foreign(const char *path, const char *other) {
  char command[1200];
  snprintf(command, sizeof command, "cp %s %s.x && rm %s && mv %s.x %s", other, path, path, path, path);
  assert_int_equal(system(command), 0);
}

static void test_damaged(void **state) {
  (void)state;
  static void (*const ways[])(const char *, const char *) = {truncated, changed, emptied, foreign};
  seen first = process(5, directory);
  int  n = (int)first.stats.disk_misses;
  assert_int_equal(each_file(NULL), n);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    each_file(ways[i]);
    seen again = process(5, directory), warm = process(5, directory);
    same_results(&first, &again, 5);
    same_results(&first, &warm, 5);
    assert_int_equal(again.stats.disk_misses, ways[i] == foreign ? again.stats.disk_misses : n);
    assert_true(again.stats.disk_misses > 0);
    check_stats(&warm, n, 0, false);
  }
}

static void test_unwritable(void **state) {
  (void)state;
  seen plain = process(7, "off"), s = process(7, "/proc/self");
  same_results(&plain, &s, 7);
  assert_int_equal(s.stats.disk_writes, 0);
  assert_true(s.stats.disk_misses > 0);
}

static void test_texts(void **state) {
  (void)state;
  seen         cold = process(7, directory);
  sec_context *cx = sec_context_create();
  int64_t      n;
  char         expected[64];
  assert_int_equal(sec_disk_cache_set(cx, directory), SEC_OK);
  char *stats = sec_disk_cache_text(cx, "stats"), *list = sec_disk_cache_text(cx, "list"), *facts = sec_doctor(cx);
  snprintf(expected, sizeof expected, "kernels: %d in ", (int)cold.stats.disk_writes);
  assert_non_null(strstr(stats, expected));
  assert_non_null(strstr(stats, "writable: yes\n"));
  assert_non_null(strstr(list, "group [40]: exp*\n"));
  assert_non_null(strstr(facts, "kernel cache: /tmp/secant-test-"));
  assert_null(sec_disk_cache_text(cx, "nothing"));
  assert_int_equal(sec_error_status(cx), SEC_ARGUMENT);
  sec_error_clear(cx);
  free(stats), free(list), free(facts);
  assert_int_equal(sec_disk_cache_clear(cx, &n), SEC_OK);
  assert_int_equal(n, cold.stats.disk_writes);
  assert_int_equal(sec_disk_cache_set(cx, "off"), SEC_OK);
  stats = sec_disk_cache_text(cx, "stats");
  assert_string_equal(stats, "directory: none, the cache is off (asked for)\n");
  free(stats);
  sec_context_destroy(cx);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {ROW(test_warm), ROW(test_one_of_many), ROW(test_damaged), ROW(test_unwritable), ROW(test_texts)};
  return cmocka_run_group_tests_name("warm", tests, NULL, NULL);
}
