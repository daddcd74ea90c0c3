/* The cache of kernels on disk, file by file: keys, names, damage, others' files, the limit, writers at once and killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "disk.h"
#include "memory.h"
#include "backends/folder.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGET "a processor"

static sec_disk *opened(const char *target) {
  sec_disk *d = sec_disk_open(directory, target);
  assert_non_null(d);
  return d;
}

static void key_of(const sec_disk *d, int i, char key[SEC_KEY_ROOM]) {
  char text[32];
  snprintf(text, sizeof text, "kernel %d", i);
  sec_disk_key(d, text, key);
}

/* An object of `size` bytes that are all those of `i`. */
static bool put(sec_disk *d, int i, size_t size) {
  char        key[SEC_KEY_ROOM], note[2 * SEC_KEY_ROOM];
  const char *keys = key;
  char       *object = malloc(size + 1);
  memset(object, 'a' + i % 26, size);
  key_of(d, i, key);
  snprintf(note, sizeof note, "%s number %d\n", key, i);
  bool good = sec_disk_write(d, &keys, 1, object, size, note);
  free(object);
  return good;
}

/* Whether it is there, and then it is right. */
static bool get(const sec_disk *d, int i, size_t size) {
  char   key[SEC_KEY_ROOM];
  size_t got;
  key_of(d, i, key);
  char *object = sec_disk_read(d, key, &got);
  if (!object) return false;
  assert_int_equal(got, size);
  for (size_t k = 0; k < size; k++)
    if (object[k] != 'a' + i % 26) fail_msg("byte %zu of %d", k, i);
  sec_mem_free(object);
  return true;
}

static void path_of_key(const sec_disk *d, int i, char path[256]) {
  char key[SEC_KEY_ROOM];
  key_of(d, i, key);
  snprintf(path, 256, "%s/%s.o", directory, key);
}

static int files_in(const char *folder) {
  DIR *d = opendir(folder);
  int  n = 0;
  for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

/* ---- keys ---- */
static void check_digest(size_t n, const char *expected) { /* made by Python's hashlib.blake2b(digest_size=32) */
  unsigned char data[300], out[SEC_DIGEST_BYTES];
  char          text[SEC_KEY_ROOM];
  for (size_t i = 0; i < n; i++) data[i] = (unsigned char)(7 * i + 3);
  for (size_t cut = 0; cut <= n; cut += 43) {
    sec_digest d;
    sec_digest_begin(&d);
    sec_digest_add(&d, data, cut);
    sec_digest_add(&d, data + cut, n - cut);
    sec_digest_end(&d, out);
    for (int i = 0; i < SEC_DIGEST_BYTES; i++) snprintf(text + 2 * i, 3, "%02x", out[i]);
    assert_string_equal(text, expected);
  }
}
static void test_digest(void **state) {
  (void)state;
  check_digest(0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  check_digest(127, "c9ae3859964b35f04c54b36d33cf299d7290ee621005d28e51598a943560aaaa");
  check_digest(128, "f0501d06597880592bc49234eef100ec1ff349058d0e9d9b753504e24af86dd6");
  check_digest(129, "a34a4e1e03c541dfbf3099c4b6c143c022ced65c28bd7e8a10e0a098461aecf0");
  check_digest(256, "d93ebb9c802f5630ab22516fd82b6c21bc8bd551d531349b715f046ed11ed871");
}

static void test_keys(void **state) {
  (void)state;
  sec_disk *d = opened(TARGET), *same = opened(TARGET), *other = opened("a processor with wider vectors"), *here = opened(NULL);
  char      a[SEC_KEY_ROOM], b[SEC_KEY_ROOM];
  key_of(d, 1, a);
  key_of(same, 1, b);
  assert_string_equal(a, b);
  assert_int_equal(strspn(a, "0123456789abcdef"), SEC_KEY_LENGTH);
  key_of(d, 2, b);
  assert_string_not_equal(a, b);
  key_of(other, 1, b);
  assert_string_not_equal(a, b);
  key_of(here, 1, b);
  assert_string_not_equal(a, b);
  assert_true(put(d, 1, 100));
  assert_true(get(same, 1, 100));
  assert_false(get(other, 1, 100));
  /* nor where a file of the one has a name of the other */
  char from[256], to[256];
  path_of_key(d, 1, from);
  path_of_key(other, 1, to);
  assert_int_equal(rename(from, to), 0);
  assert_false(get(other, 1, 100));
  sec_disk_release(d), sec_disk_release(same), sec_disk_release(other), sec_disk_release(here);
}

static void test_environment(void **state) {
  (void)state;
  static const struct {
    const char *dir, *xdg, *home, *expected, *limit;
    int64_t     bytes;
  } rows[] = {{"/a/b", "/x", "/", "/a/b", "1000", 1000}, {NULL, "/x", "/", "/x/secant", "3k", 3072},
              {NULL, "relative", "/nowhere", "/nowhere/.cache/secant", "2G", (int64_t)2 << 30}, {NULL, NULL, "/nowhere", "/nowhere/.cache/secant", "", SEC_DISK_LIMIT},
              {"", "/x", "/", NULL, "5MB", SEC_DISK_LIMIT}, {"off", "/x", "/", NULL, "-1", SEC_DISK_LIMIT}, {NULL, NULL, NULL, NULL, "9999999999999999999", SEC_DISK_LIMIT}};
  static const char *const names[] = {"SECANT_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "SECANT_CACHE_LIMIT"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *values[] = {rows[i].dir, rows[i].xdg, rows[i].home, rows[i].limit};
    for (int k = 0; k < 4; k++) values[k] ? setenv(names[k], values[k], 1) : unsetenv(names[k]);
    sec_disk *d = sec_disk_open(NULL, TARGET);
    if (rows[i].expected) assert_string_equal(d->directory, rows[i].expected);
    else assert_null(d->directory);
    assert_true((d->off != NULL) == (d->directory == NULL));
    assert_int_equal(d->limit, rows[i].bytes);
    char   key[SEC_KEY_ROOM];
    size_t n;
    key_of(d, 1, key);
    if (!d->directory) assert_null(sec_disk_read(d, key, &n));
    if (!d->directory) assert_false(put(d, 1, 10));
    sec_disk_release(d);
  }
  for (int k = 0; k < 4; k++) unsetenv(names[k]);
}

/* ---- files ---- */
static void test_names(void **state) {
  (void)state;
  char nested[128];
  snprintf(nested, sizeof nested, "%s/not/there/yet", directory);
  sec_disk *d = sec_disk_open(nested, TARGET);
  char      keys[3][SEC_KEY_ROOM], path[512];
  for (int i = 0; i < 3; i++) key_of(d, i, keys[i]);
  char note[512];
  snprintf(note, sizeof note, "%s one\n%s two\n%s three\n", keys[0], keys[1], keys[2]);
  assert_true(sec_disk_write(d, (const char *[]){keys[0], keys[1], keys[2]}, 3, "object", 6, note));
  for (int i = 0; i < 3; i++) {
    struct stat s;
    size_t      size;
    snprintf(path, sizeof path, "%s/%s.o", nested, keys[i]);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_int_equal(s.st_nlink, 3);
    char *object = sec_disk_read(d, keys[i], &size);
    assert_int_equal(size, 6);
    assert_memory_equal(object, "object", 6);
    sec_mem_free(object);
    char *again = sec_disk_note(d, keys[i]);
    assert_string_equal(again, note);
    sec_mem_free(again);
    assert_int_equal(stat(nested, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
  }
  assert_int_equal(files_in(nested), 3);
  sec_buffer t = {0};
  sec_disk_print_list(d, &t);
  assert_non_null(strstr(t.data, "three\n"));
  sec_disk_print_stats(d, &t);
  assert_non_null(strstr(t.data, "kernels: 3 in 1 file\n"));
  sec_mem_free(t.data);
  assert_true(put(d, 1, 50)); /* of the file's names, the other two stay */
  assert_true(get(d, 1, 50));
  assert_int_equal(sec_disk_clear(d), 3);
  assert_int_equal(files_in(nested), 0);
  sec_disk_release(d);
}

static void overwrite(const char *path, const char *data, size_t n) {
  FILE *f = fopen(path, "w");
  assert_int_equal(fwrite(data, 1, n, f), n);
  fclose(f);
}

/* Cut at every length, every byte changed, then longer. */
static void test_damage(void **state) {
  (void)state;
  sec_disk *d = opened(TARGET);
  char      path[256], whole[512];
  put(d, 0, 40);
  path_of_key(d, 0, path);
  FILE  *f = fopen(path, "r");
  size_t n = fread(whole, 1, sizeof whole - 1, f);
  fclose(f);
  for (size_t i = 0; i < n; i++) {
    overwrite(path, whole, i);
    assert_false(get(d, 0, 40));
    whole[i] ^= 0x20;
    overwrite(path, whole, n);
    assert_false(get(d, 0, 40));
    whole[i] ^= 0x20;
  }
  whole[n] = 0;
  overwrite(path, whole, n + 1);
  assert_false(get(d, 0, 40));
  assert_true(put(d, 0, 40));
  assert_true(get(d, 0, 40));
  sec_disk_release(d);
}

static void test_others(void **state) {
  (void)state;
  sec_disk *d = opened(TARGET);
  char      path[256], there[256];
  put(d, 0, 40);
  path_of_key(d, 0, path);
  snprintf(there, sizeof there, "%s/there", directory);
  chmod(path, 0620);
  assert_false(get(d, 0, 40));
  chmod(path, 0600);
  assert_true(get(d, 0, 40));
  rename(path, there);
  assert_int_equal(symlink(there, path), 0);
  assert_false(get(d, 0, 40));
  unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0); /* does not wait for a writer */
  assert_false(get(d, 0, 40));
  unlink(path);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_false(get(d, 0, 40));
  assert_false(put(d, 0, 40));
  rmdir(path);
  rename(there, path);
  sec_disk_release(d);
  d = opened(TARGET);
  chmod(directory, 0770);
  assert_false(get(d, 0, 40));
  assert_false(put(d, 1, 40));
  char room[256];
  assert_non_null(strstr(sec_disk_problem(d, room), "chmod go-w"));
  chmod(directory, 0700);
  assert_true(get(d, 0, 40));
  sec_disk_release(d);
}

/* ---- where nothing can be written ---- */
/* Runs in a process of its own, as nobody when this is root. */
static void read_only_child(void) {
  if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
  sec_disk *d = sec_disk_open(directory, TARGET);
  char      room[256];
  bool      good = d && get(d, 0, 40) && !get(d, 1, 40) && !put(d, 1, 40) && sec_disk_problem(d, room);
  sec_disk_release(d);
  _exit(good ? 0 : 1);
}
static void full_child(void) {
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){60, 60}); /* less than any file of ours */
  sec_disk *d = sec_disk_open(directory, TARGET);
  char      room[256];
  bool      good = d && get(d, 0, 40) && !put(d, 1, 40) && strstr(sec_disk_problem(d, room), "large");
  sec_disk_release(d);
  _exit(good ? 0 : 1);
}

static int child(void (*work)(void)) {
  int   status;
  pid_t pid = fork();
  if (pid == 0) work();
  waitpid(pid, &status, 0);
  return status;
}

static void test_unwritable(void **state) {
  (void)state;
  char      path[256], room[256];
  sec_disk *d = opened(TARGET);
  put(d, 0, 40);
  path_of_key(d, 0, path);
  assert_int_equal(child(full_child), 0);
  chmod(path, 0644);
  chmod(directory, 0555);
  assert_int_equal(child(read_only_child), 0);
  chmod(directory, 0700);
  assert_int_equal(files_in(directory), 1);
  sec_disk_release(d);
  static const char *const places[] = {"/proc/self", "/proc/nowhere/secant", "/dev/null", "/dev/null/secant"};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    d = sec_disk_open(places[i], TARGET);
    assert_false(get(d, 0, 40));
    assert_non_null(sec_disk_problem(d, room));
    assert_false(put(d, 0, 40));
    sec_disk_release(d);
  }
}

/* ---- the limit ---- */
static void test_limit(void **state) {
  (void)state;
  setenv("SECANT_CACHE_LIMIT", "64K", 1);
  sec_disk *d = opened(TARGET);
  for (int i = 0; i < 60; i++) {
    assert_true(put(d, i, 1000));
    usleep(1000);
    assert_true(get(d, 0, 1000)); /* always used last */
    usleep(1000);
  }
  int            n;
  int64_t        bytes = 0;
  sec_disk_file *files = sec_disk_files(d, &n);
  for (int i = 0; i < n; i++) bytes += files[i].bytes;
  sec_mem_free(files);
  assert_true(bytes <= 64 << 10 && n > 8); /* a small file takes a block, 4 KB here */
  assert_true(get(d, 59, 1000) && get(d, 58, 1000));
  assert_false(get(d, 1, 1000) || get(d, 30, 1000));
  assert_true(put(d, 70, 80000)); /* larger than all: it goes, and the rest with it or not */
  assert_false(get(d, 70, 80000));
  sec_disk_release(d);
  setenv("SECANT_CACHE_LIMIT", "0", 1);
  d = opened(TARGET);
  assert_false(put(d, 61, 10));
  sec_disk_release(d);
  unsetenv("SECANT_CACHE_LIMIT");
}

/* ---- processes ---- */
enum { N_SHARED = 12, BIG = 20000, HUGE_FILE = 1 << 20 };

static void write_and_read(void) {
  sec_disk *d = sec_disk_open(directory, TARGET);
  bool      good = true;
  for (int i = 0; i < 300 && good; i++) {
    good = put(d, i % N_SHARED, BIG);
    get(d, (i * 7) % N_SHARED, BIG);
  }
  sec_disk_release(d);
  _exit(good ? 0 : 1);
}
/* A byte into the pipe after the first file. */
static void write_for_ever(int started) {
  sec_disk *d = sec_disk_open(directory, TARGET);
  for (int i = 0;; i++)
    if (put(d, i % N_SHARED, HUGE_FILE) && i == 0 && write(started, "", 1) != 1) _exit(1);
}

static void test_race(void **state) {
  (void)state;
  pid_t pids[3];
  for (int i = 0; i < 3; i++)
    if ((pids[i] = fork()) == 0) write_and_read();
  for (int i = 0; i < 3; i++) {
    int status;
    waitpid(pids[i], &status, 0);
    assert_int_equal(status, 0);
  }
  sec_disk *d = opened(TARGET);
  for (int i = 0; i < N_SHARED; i++) assert_true(get(d, i, BIG));
  assert_int_equal(files_in(directory), N_SHARED);
  sec_disk_release(d);
}

/* Killed at any moment: what has a key's name is whole; what has not is cleared away. */
static void test_killed(void **state) {
  (void)state;
  sec_disk *d = opened(TARGET);
  int       left = 0;
  for (int round = 0; round < 40; round++) {
    int  started[2];
    char byte;
    assert_int_equal(pipe(started), 0);
    pid_t pid = fork();
    if (pid == 0) write_for_ever(started[1]);
    close(started[1]);
    assert_int_equal(read(started[0], &byte, 1), 1);
    close(started[0]);
    usleep((useconds_t)(137 * round));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    int            n;
    sec_disk_file *files = sec_disk_files(d, &n);
    sec_mem_free(files);
    for (int i = 0; i < N_SHARED; i++) {
      char        path[256];
      struct stat s;
      path_of_key(d, i, path);
      if (stat(path, &s) == 0) assert_true(get(d, i, HUGE_FILE));
    }
    left = files_in(directory) - n;
  }
  print_message("  %d temporary files were left\n", left);
  assert_true(sec_disk_clear(d) > 0);
  assert_int_equal(files_in(directory), 0);
  sec_disk_release(d);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {ROW(test_digest), ROW(test_keys), ROW(test_environment), ROW(test_names), ROW(test_damage), ROW(test_others),
                                     ROW(test_unwritable), ROW(test_limit), ROW(test_race), ROW(test_killed)};
  return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
