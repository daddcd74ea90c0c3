/* All files of the cache on disk: listing, keeping to the limit, clearing, and a line about it. */
#include "disk.h"
#include "memory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ABANDONED 3600 /* seconds after which a temporary file has no writer any more */

static bool is_ours(const char *name) {
  return strlen(name) == SEC_KEY_LENGTH + 2 && strspn(name, "0123456789abcdef") == SEC_KEY_LENGTH && strcmp(name + SEC_KEY_LENGTH, ".o") == 0;
}
static bool is_temporary(const char *name) { return strncmp(name, "tmp-", 4) == 0 && strlen(name) == 10; }

/* Calls visit for each file of ours, and deletes temporary ones older than `age` seconds. */
static void walk(const sec_disk *d, int age, bool (*visit)(void *to, int directory, const char *name, const struct stat *s), void *to) {
  DIR *directory = d->directory && sec_disk_directory(d) == 0 ? opendir(d->directory) : NULL;
  bool go_on = directory != NULL;
  for (struct dirent *e; go_on && (e = readdir(directory));) {
    struct stat s;
    bool        temporary = is_temporary(e->d_name);
    if ((!temporary && !is_ours(e->d_name)) || fstatat(dirfd(directory), e->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!temporary) go_on = visit(to, dirfd(directory), e->d_name, &s);
    else if (s.st_mtim.tv_sec + age <= time(NULL)) unlinkat(dirfd(directory), e->d_name, 0);
  }
  if (directory) closedir(directory);
}

typedef struct list {
  sec_disk_file *files;
  int            n, room;
} list;

static bool add_file(void *to, int directory, const char *name, const struct stat *s) {
  list *l = to;
  (void)directory;
  if (l->n == l->room) {
    int            room = 2 * l->room + 64;
    sec_disk_file *grown = sec_mem_try((size_t)room, sizeof *grown);
    if (!grown) return false;
    if (l->n) memcpy(grown, l->files, (size_t)l->n * sizeof *grown);
    sec_mem_free(l->files);
    l->files = grown;
    l->room = room;
  }
  int64_t        taken = 512 * (int64_t)s->st_blocks; /* small files take a block */
  sec_disk_file *f = &l->files[l->n++];
  *f = (sec_disk_file){.inode = s->st_ino, .bytes = taken > s->st_size ? taken : s->st_size, .names = s->st_nlink > 0 ? (int)s->st_nlink : 1, .used = s->st_mtim};
  strcpy(f->name, name); /* is_ours: fits */
  return true;
}

/* Used last first; names of one file together. */
static int by_use(const void *a, const void *b) {
  const sec_disk_file *x = a, *y = b;
  if (x->used.tv_sec != y->used.tv_sec) return x->used.tv_sec < y->used.tv_sec ? 1 : -1;
  if (x->used.tv_nsec != y->used.tv_nsec) return x->used.tv_nsec < y->used.tv_nsec ? 1 : -1;
  if (x->inode != y->inode) return x->inode < y->inode ? 1 : -1;
  return strcmp(x->name, y->name);
}

sec_disk_file *sec_disk_files(const sec_disk *d, int *n) {
  list l = {0};
  walk(d, ABANDONED, add_file, &l);
  if (l.n) qsort(l.files, (size_t)l.n, sizeof *l.files, by_use);
  *n = l.n;
  return l.files;
}

static void delete(const sec_disk *d, const sec_disk_file *f) {
  char key[SEC_KEY_ROOM];
  memcpy(key, f->name, SEC_KEY_LENGTH);
  key[SEC_KEY_LENGTH] = 0;
  sec_disk_forget(d, key);
}

/* To 7/8 of the limit, so that the next write does not have to come back. */
void sec_disk_trim(const sec_disk *d, int64_t limit) {
  int            n;
  sec_disk_file *files = sec_disk_files(d, &n);
  int64_t        total = 0, kept = 0;
  for (int i = 0; i < n; i++) total += files[i].bytes / files[i].names;
  for (int i = 0; i < n && total > limit; i++) {
    bool first = i == 0 || files[i].inode != files[i - 1].inode; /* a file goes with all its names */
    if (first && kept <= limit - limit / 8) kept += files[i].bytes;
    if (kept > limit - limit / 8) delete (d, &files[i]);
  }
  sec_mem_free(files);
}

static bool delete_file(void *count, int directory, const char *name, const struct stat *s) {
  (void)s;
  *(int64_t *)count += unlinkat(directory, name, 0) == 0;
  return true;
}

int64_t sec_disk_clear(const sec_disk *d) {
  int64_t n = 0;
  walk(d, 0, delete_file, &n);
  return n;
}

static void add_size(sec_buffer *t, int64_t bytes) {
  static const char *const units[] = {"bytes", "KB", "MB", "GB"};
  double                   size = (double)bytes;
  int                      unit = 0;
  for (; size >= 1024 && unit < 3; unit++) size /= 1024;
  sec_buffer_add(t, "%.*f %s", unit && size < 10 ? 1 : 0, size, units[unit]);
}

/* ---- texts ---- */
typedef struct totals {
  int     kernels, files;
  int64_t bytes;
} totals;

static totals sum(const sec_disk *d) {
  totals         t = {0};
  sec_disk_file *all = sec_disk_files(d, &t.kernels);
  for (int i = 0; i < t.kernels; i++) {
    if (i > 0 && all[i].inode == all[i - 1].inode) continue; /* another name of it */
    t.files++;
    t.bytes += all[i].bytes;
  }
  sec_mem_free(all);
  return t;
}

static void add_count(sec_buffer *t, int n, const char *what) { sec_buffer_add(t, "%d %s%s", n, what, n == 1 ? "" : "s"); }

void sec_disk_print_line(sec_disk *d, sec_buffer *t) {
  if (!d->directory) {
    sec_buffer_add(t, "off (%s)\n", d->off);
    return;
  }
  char        reason[256];
  const char *problem = sec_disk_problem(d, reason);
  totals      all = sum(d);
  sec_buffer_add(t, "%s, ", d->directory);
  add_count(t, all.kernels, "kernel");
  sec_buffer_add(t, ", ");
  add_size(t, all.bytes);
  sec_buffer_add(t, " of at most ");
  add_size(t, d->limit);
  if (problem) sec_buffer_add(t, "; warn, it cannot be written: %s", problem);
  if (d->bad_limit) sec_buffer_add(t, "; warn, %s", d->bad_limit);
  sec_buffer_add(t, "\n");
}

void sec_disk_print_stats(sec_disk *d, sec_buffer *t) {
  if (!d->directory) {
    sec_buffer_add(t, "directory: none, the cache is off (%s)\n", d->off);
    return;
  }
  char        reason[256];
  const char *problem = sec_disk_problem(d, reason);
  totals      all = sum(d);
  sec_buffer_add(t, "directory: %s\nkernels: %d in ", d->directory, all.kernels);
  add_count(t, all.files, "file");
  sec_buffer_add(t, "\nsize: ");
  add_size(t, all.bytes);
  sec_buffer_add(t, "\nlimit: ");
  add_size(t, d->limit);
  sec_buffer_add(t, "%s%s\nwritable: %s%s\n", d->bad_limit ? ", since " : "", d->bad_limit ? d->bad_limit : "", problem ? "no, " : "yes", problem ? problem : "");
}

/* The label of the kernel in the note of its file. */
static void add_label(sec_buffer *t, const sec_disk *d, const char *key) {
  char       *note = sec_disk_note(d, key);
  const char *line = note ? strstr(note, key) : NULL;
  if (line) sec_buffer_add(t, "%.*s\n", (int)strcspn(line + SEC_KEY_LENGTH + 1, "\n"), line + SEC_KEY_LENGTH + 1);
  else sec_buffer_add(t, "damaged, or of another compiler, processor or version\n");
  sec_mem_free(note);
}

void sec_disk_print_list(const sec_disk *d, sec_buffer *t) {
  int            n;
  sec_disk_file *files = sec_disk_files(d, &n);
  for (int i = 0; i < n; i++) {
    struct tm when;
    char      time_text[32] = "", key[SEC_KEY_ROOM];
    memcpy(key, files[i].name, SEC_KEY_LENGTH);
    key[SEC_KEY_LENGTH] = 0;
    if (localtime_r(&files[i].used.tv_sec, &when)) strftime(time_text, sizeof time_text, "%Y-%m-%d %H:%M", &when);
    sec_buffer_add(t, "%s  %.12s  ", time_text, key);
    add_label(t, d, key);
  }
  sec_mem_free(files);
}
