/* One file of the cache on disk: where it is, reading, writing. */
#include "disk.h"
#include "memory.h"
#include "target.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE ((int64_t)1 << 28)

/* Behind object and note, at the end of the file. */
typedef struct tail {
  char          magic[16];
  uint64_t      object_bytes, note_bytes;
  unsigned char digest[SEC_DIGEST_BYTES]; /* of target, object and note */
} tail;
static const char magic[16] = "secant kernel 1";

/* ---- where ---- */
/* A number of bytes, with K, M or G behind; -1 if it is none. */
static int64_t parse_size(const char *text) {
  static const char units[] = "KMG";
  char             *end;
  errno = 0;
  long long   n = strtoll(text, &end, 10);
  const char *unit = *end ? strchr(units, *end & ~32) : NULL;
  int         shift = unit ? 10 * (int)(unit - units + 1) : 0;
  if (end == text || errno || n < 0 || n > INT64_MAX >> 30 || (*end && !unit) || (unit && end[1])) return -1;
  return (int64_t)n << shift;
}

static char *join(const char *a, const char *b) {
  sec_buffer t = {0};
  sec_buffer_add(&t, "%s%s", a, b);
  if (!t.failed) return t.data;
  sec_mem_free(t.data);
  return NULL;
}

/* Else root, under sudo, would make directories that their owner may not use. */
static bool home_is_ours(const char *home) {
  struct stat s;
  return stat(home, &s) != 0 || s.st_uid == geteuid();
}

/* Sets the directory, or why there is none; false without memory.  secure_getenv: a program with more rights than its user
 * does not run that user's files. */
static bool choose(sec_disk *d, const char *directory) {
  const char *named = directory ? directory : secure_getenv("SECANT_CACHE_DIR");
  const char *xdg = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
  if (named && (!*named || strcmp(named, "off") == 0)) d->off = directory ? "asked for" : "SECANT_CACHE_DIR says so";
  else if (named) d->directory = join(named, "");
  else if (xdg && *xdg == '/') d->directory = join(xdg, "/secant");
  else if (home && *home && !home_is_ours(home)) d->off = "HOME is another user's; set SECANT_CACHE_DIR";
  else if (home && *home) d->directory = join(home, "/.cache/secant");
  else d->off = "there is no HOME; set SECANT_CACHE_DIR";
  return d->off || d->directory;
}

static void choose_limit(sec_disk *d) {
  const char *text = secure_getenv("SECANT_CACHE_LIMIT");
  d->limit = text && *text ? parse_size(text) : SEC_DISK_LIMIT;
  if (d->limit >= 0) return;
  d->bad_limit = "SECANT_CACHE_LIMIT is no size like 256M";
  d->limit = SEC_DISK_LIMIT;
}

sec_disk *sec_disk_open(const char *directory, const char *target) {
  sec_disk *d = sec_mem_zeroed(1, sizeof *d);
  char     *own = d && !target ? sec_target_text() : NULL;
  if (!d || (!target && !own) || !choose(d, directory)) {
    sec_mem_free(own);
    sec_mem_free(d);
    return NULL;
  }
  atomic_init(&d->refs, 1);
  atomic_init(&d->failure, 0);
  choose_limit(d);
  sec_digest digest;
  sec_digest_begin(&digest);
  sec_digest_add(&digest, target ? target : own, strlen(target ? target : own));
  sec_digest_end(&digest, d->target);
  sec_mem_free(own);
  return d;
}

sec_disk *sec_disk_retain(sec_disk *d) {
  atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
  return d;
}

void sec_disk_release(sec_disk *d) {
  if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1) return;
  sec_mem_free(d->directory);
  sec_mem_free(d);
}

/* Files of others would be run as our own. */
static bool ours(const struct stat *s) { return (s->st_uid == geteuid() || s->st_uid == 0) && !(s->st_mode & (S_IWGRP | S_IWOTH)); }

int sec_disk_directory(const sec_disk *d) {
  struct stat s;
  if (stat(d->directory, &s) != 0) return errno;
  if (!S_ISDIR(s.st_mode)) return ENOTDIR;
  return ours(&s) ? 0 : SEC_DISK_NOT_OURS;
}

/* The directory and those above it, for this user only. */
static int make_directory(const sec_disk *d) {
  int status = sec_disk_directory(d);
  if (status != ENOENT) return status;
  char path[4096];
  if (snprintf(path, sizeof path, "%s", d->directory) >= (int)sizeof path) return ENAMETOOLONG;
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(path, 0700);
    *slash = '/';
  }
  if (mkdir(path, 0700) != 0 && errno != EEXIST) return errno;
  return sec_disk_directory(d);
}

/* ---- keys ---- */
void sec_disk_key(const sec_disk *d, const char *text, char key[SEC_KEY_ROOM]) {
  unsigned char out[SEC_DIGEST_BYTES];
  sec_digest    digest;
  sec_digest_begin(&digest);
  sec_digest_add(&digest, d->target, sizeof d->target);
  sec_digest_add(&digest, text, strlen(text));
  sec_digest_end(&digest, out);
  for (int i = 0; i < SEC_DIGEST_BYTES; i++) {
    key[2 * i] = "0123456789abcdef"[out[i] >> 4];
    key[2 * i + 1] = "0123456789abcdef"[out[i] & 15];
  }
  key[SEC_KEY_LENGTH] = 0;
}

static bool path_of(const sec_disk *d, const char *name, const char *end, char path[4096]) {
  return snprintf(path, 4096, "%s/%s%s", d->directory, name, end) < 4096;
}

static void digest_of(const sec_disk *d, const void *data, size_t n, unsigned char out[SEC_DIGEST_BYTES]) {
  sec_digest digest;
  sec_digest_begin(&digest);
  sec_digest_add(&digest, d->target, sizeof d->target);
  sec_digest_add(&digest, data, n);
  sec_digest_end(&digest, out);
}

/* ---- reading ---- */
static bool read_all(int file, void *data, size_t n) {
  for (size_t at = 0; at < n;) {
    ssize_t got = read(file, (char *)data + at, n - at);
    if (got <= 0 && !(got < 0 && errno == EINTR)) return false;
    if (got > 0) at += (size_t)got;
  }
  return true;
}

/* The whole file; NULL if there is none, or none that may be trusted. */
static char *file_read(const sec_disk *d, const char *key, size_t *size) {
  char        path[4096];
  struct stat s;
  int         file = path_of(d, key, ".o", path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
  if (file < 0) return NULL;
  bool  good = fstat(file, &s) == 0 && S_ISREG(s.st_mode) && ours(&s) && s.st_size >= (off_t)sizeof(tail) && s.st_size <= MAX_FILE;
  char *data = good ? sec_mem_try(1, (size_t)s.st_size) : NULL;
  if (data && read_all(file, data, (size_t)s.st_size)) *size = (size_t)s.st_size;
  else sec_mem_free(data), data = NULL;
  close(file);
  return data;
}

/* Whether the file is whole and of this target; then its tail is in *t. */
static bool file_check(const sec_disk *d, const char *data, size_t size, tail *t) {
  unsigned char digest[SEC_DIGEST_BYTES];
  memcpy(t, data + size - sizeof *t, sizeof *t);
  size_t content = size - sizeof *t;
  if (memcmp(t->magic, magic, sizeof magic) != 0 || t->object_bytes > content || t->note_bytes != content - t->object_bytes) return false;
  digest_of(d, data, content, digest);
  return memcmp(digest, t->digest, sizeof digest) == 0;
}

static char *checked(const sec_disk *d, const char *key, size_t *size, tail *t) {
  if (!d->directory || sec_disk_directory(d) != 0) return NULL;
  char *data = file_read(d, key, size);
  if (!data || file_check(d, data, *size, t)) return data;
  sec_mem_free(data);
  return NULL;
}

void *sec_disk_read(const sec_disk *d, const char *key, size_t *size) {
  tail  t;
  char  path[4096], *data = checked(d, key, size, &t);
  if (!data) return NULL;
  *size = t.object_bytes;
  if (path_of(d, key, ".o", path)) utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW); /* used now */
  return data;
}

char *sec_disk_note(const sec_disk *d, const char *key) {
  tail   t;
  size_t size;
  char  *data = checked(d, key, &size, &t);
  if (!data) return NULL;
  memmove(data, data + t.object_bytes, t.note_bytes);
  data[t.note_bytes] = 0; /* the tail was behind it */
  return data;
}

void sec_disk_forget(const sec_disk *d, const char *key) {
  char path[4096];
  if (d->directory && path_of(d, key, ".o", path)) unlink(path);
}

/* ---- writing ---- */
static bool write_all(int file, const void *data, size_t n) {
  for (size_t at = 0; at < n;) {
    ssize_t put = write(file, (const char *)data + at, n - at);
    if (put < 0 && errno != EINTR) return false;
    if (put > 0) at += (size_t)put;
  }
  return true;
}

/* Writes the content to a file with a name of its own, which goes to `path`; 0 or an errno, and then there is no file. */
static int write_temporary(const sec_disk *d, const void *content, size_t size, char path[4096]) {
  struct rlimit most;
  if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur < size) return EFBIG; /* else a signal */
  if (!path_of(d, "tmp-XXXXXX", "", path)) return ENAMETOOLONG;
  int file = mkostemp(path, O_CLOEXEC);
  if (file < 0) return errno;
  int status = write_all(file, content, size) ? 0 : errno;
  if (close(file) != 0 && !status) status = errno;
  if (status) unlink(path);
  return status;
}

/* Another name for the file; where the file system has one name a file, a copy. */
static void add_name(const sec_disk *d, const char *key, const char *temporary, const void *content, size_t size) {
  char path[4096], copy[4096];
  if (!path_of(d, key, ".o", path)) return;
  unlink(path); /* a damaged one, else none */
  if (link(temporary, path) == 0 || errno == EEXIST || write_temporary(d, content, size, copy) != 0) return;
  if (rename(copy, path) != 0) unlink(copy);
}

static int write_names(const sec_disk *d, const char *const *keys, int n, const void *content, size_t size) {
  char temporary[4096], path[4096];
  int  status = make_directory(d);
  if (!status) status = write_temporary(d, content, size, temporary);
  if (status) return status;
  for (int i = 1; i < n; i++) add_name(d, keys[i], temporary, content, size);
  if (!path_of(d, keys[0], ".o", path) || rename(temporary, path) != 0) {
    status = errno;
    unlink(temporary);
  }
  return status;
}

/* Whether this write should look at the sum of all files, which takes a walk over them: on average once in 1/64 of the
 * limit, by the key as a die, so that nobody has to keep a count. */
static bool time_to_trim(const sec_disk *d, const char *key, size_t size) {
  char digits[9];
  memcpy(digits, key, 8);
  digits[8] = 0;
  return 64 * (double)size >= (double)d->limit * (double)strtoul(digits, NULL, 16) / 4294967296.0;
}

bool sec_disk_write(sec_disk *d, const char *const *keys, int n, const void *object, size_t size, const char *note) {
  if (!d->directory || !d->limit || n < 1 || atomic_load_explicit(&d->failure, memory_order_relaxed)) return false;
  tail   t = {.object_bytes = size, .note_bytes = strlen(note)};
  size_t content = size + t.note_bytes;
  char  *data = sec_mem_try(1, content + sizeof t);
  if (!data) return false;
  memcpy(t.magic, magic, sizeof magic);
  memcpy(data, object, size);
  memcpy(data + size, note, t.note_bytes);
  digest_of(d, data, content, t.digest);
  memcpy(data + content, &t, sizeof t);
  int status = write_names(d, keys, n, data, content + sizeof t);
  sec_mem_free(data);
  if (status) atomic_store_explicit(&d->failure, status, memory_order_relaxed);
  else if (time_to_trim(d, keys[0], content + sizeof t)) sec_disk_trim(d, d->limit);
  return !status;
}

const char *sec_disk_problem(sec_disk *d, char room[256]) {
  static const char page[4096];
  char              path[4096];
  if (!d->limit) return "SECANT_CACHE_LIMIT is 0";
  int status = make_directory(d);
  if (status == SEC_DISK_NOT_OURS) return "it is another user's, or others may write to it (chmod go-w it, or set SECANT_CACHE_DIR)";
  if (!status) status = write_temporary(d, page, sizeof page, path);
  if (!status) unlink(path);
  if (!status) status = atomic_load_explicit(&d->failure, memory_order_relaxed);
  if (!status) return NULL;
  snprintf(room, 256, "%s (set SECANT_CACHE_DIR)", strerror(status));
  return room;
}
