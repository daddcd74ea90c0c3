/* .npy files: what is written is read again, and any damage is an error that names the file. */
#include "../../bindings/cli/npy.c"
#include <signal.h>
#include <sys/resource.h>
#include "ops/check.h"
#include <unistd.h>

static char path[64];

static size_t slurp(unsigned char *bytes, size_t room) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t n = fread(bytes, 1, room, file);
  fclose(file);
  return n;
}
static void spill(const void *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  fclose(file);
}

static void test_again(void **state) {
  static const struct { int rank; int64_t dims[3]; } shapes[] = {{0, {0}}, {1, {5}}, {2, {0, 3}}, {3, {2, 1, 4}}};
  (void)state;
  sec_context *cx = sec_context_create();
  for (int d = 0; d < N_DTYPES; d++)
    for (int s = 0; s < 4; s++) {
      sec_array *a = sec_array_create(cx, dtypes[d].dtype, shapes[s].rank, shapes[s].dims), *b;
      for (size_t i = 0; i < sec_array_bytes(a); i++) ((unsigned char *)sec_array_data(a))[i] = (unsigned char)(dtypes[d].dtype == SEC_BOOL ? i % 2 : i);
      assert_int_equal(npy_write(path, a), SEC_OK);
      assert_non_null(b = npy_read(cx, path));
      assert_ptr_equal(sec_array_aval(a), sec_array_aval(b));
      if (sec_array_bytes(a)) assert_memory_equal(sec_array_data(a), sec_array_data(b), sec_array_bytes(a));
      sec_array_release(a);
      sec_array_release(b);
    }
  sec_context_destroy(cx);
}

static void expect_error(sec_context *cx, sec_status status, const char *part) {
  assert_null(npy_read(cx, path));
  assert_int_equal(sec_error_status(cx), status);
  if (!strstr(sec_error_message(cx), path) || !strstr(sec_error_message(cx), part)) fail_msg("%s", sec_error_message(cx));
  sec_error_clear(cx);
}

static void test_damage(void **state) {
  unsigned char bytes[512], changed[512];
  const float   data[] = {1, 2, 3};
  (void)state;
  sec_context *cx = sec_context_create();
  sec_array   *a = sec_array_create_f32(cx, SEC_SHAPE(3), data);
  assert_int_equal(npy_write(path, a), SEC_OK);
  size_t n = slurp(bytes, sizeof bytes);
  for (size_t cut = 0; cut < n; cut++) {
    spill(bytes, cut);
    expect_error(cx, SEC_IO, "is not a whole .npy file");
  }
  for (size_t at = 0; at < n; at++) { /* another value, or an error; never more than that */
    memcpy(changed, bytes, n);
    changed[at] ^= 0x15;
    spill(changed, n);
    sec_array_release(npy_read(cx, path));
    sec_error_clear(cx);
  }
  unlink(path);
  expect_error(cx, SEC_IO, "No such file");
  sec_array_release(a);
  sec_context_destroy(cx);
}

static void check_header(sec_context *cx, const char *dict, sec_status status, const char *part) {
  unsigned char bytes[256] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
  int           n = snprintf((char *)bytes + 10, sizeof bytes - 10, "%-117s\n", dict);
  spill(bytes, 10 + (size_t)n + 64);
  expect_error(cx, status, part);
}

static void test_kinds(void **state) {
  (void)state;
  sec_context *cx = sec_context_create();
  check_header(cx, "{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }", SEC_UNSUPPORTED, ">f4");
  check_header(cx, "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", SEC_UNSUPPORTED, "|O");
  check_header(cx, "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", SEC_UNSUPPORTED, "Fortran");
  check_header(cx, "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", SEC_IO, "shape");
  check_header(cx, "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999,), }", SEC_IO, "ends before");
  check_header(cx, "{'descr': '<f4', 'shape': (3,), }", SEC_IO, "lacks");
  sec_context_destroy(cx);
}

/* A write that fails, here for want of room, leaves the file as it was. */
static void test_kept(void **state) {
  const struct rlimit full = {100, RLIM_INFINITY};
  struct rlimit       before;
  unsigned char       bytes[512];
  char                part[128];
  (void)state;
  sec_context *cx = sec_context_create();
  sec_array   *small = sec_array_create(cx, SEC_F32, SEC_SHAPE(2)), *large = sec_array_create(cx, SEC_F32, SEC_SHAPE(1000));
  memset(sec_array_data(small), 0, sec_array_bytes(small)), memset(sec_array_data(large), 0, sec_array_bytes(large));
  assert_int_equal(npy_write(path, small), SEC_OK);
  size_t n = slurp(bytes, sizeof bytes);
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  setrlimit(RLIMIT_FSIZE, &full);
  sec_status status = npy_write(path, large);
  setrlimit(RLIMIT_FSIZE, &before);
  assert_int_equal(status, SEC_IO);
  assert_int_equal(slurp(bytes, sizeof bytes), n);
  snprintf(part, sizeof part, "%s.part", path);
  assert_int_not_equal(access(part, F_OK), 0);
  sec_array_release(small), sec_array_release(large);
  sec_context_destroy(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_again), cmocka_unit_test(test_damage), cmocka_unit_test(test_kinds),
                                     cmocka_unit_test(test_kept)};
  snprintf(path, sizeof path, "/tmp/secant_npy_%ld.npy", (long)getpid());
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(path);
  return failed;
}
