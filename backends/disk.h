/* The cache of compiled kernels on disk.
 *
 * A file is one object as the compiler made it, with a tail behind it (objdump and readelf do not mind): what the kernels
 * compute, and a digest.  A kernel's key is the digest of its text and of the target, and the kernel's name in the object is
 * made of the key.  Kernels of one module are compiled together, which costs a third of compiling them one by one; so a file
 * has several kernels and a name for each, KEY.o, as hard links: whichever process needs one of them later finds it,
 * whatever else it needs.
 *
 * Files appear whole or not at all: written under another name, then linked and renamed.  Nothing is locked; of two
 * processes that write the same, one wins.  What is damaged, cut, of another target or of another user counts as not there.
 * Nothing here is an error of the engine: without a directory, or without room in it, kernels are compiled as ever. */
#ifndef SEC_DISK_H
#define SEC_DISK_H

#include "digest.h"
#include "text.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define SEC_KEY_LENGTH (2 * SEC_DIGEST_BYTES) /* hexadecimal digits */
#define SEC_KEY_ROOM (SEC_KEY_LENGTH + 1)
#define SEC_DISK_LIMIT ((int64_t)256 << 20)

typedef struct sec_disk {
  atomic_int    refs;
  char         *directory; /* NULL: off */
  const char   *off;       /* why */
  int64_t       limit;     /* bytes of all files */
  const char   *bad_limit; /* SECANT_CACHE_LIMIT when it is no size */
  unsigned char target[SEC_DIGEST_BYTES];
  atomic_int    failure; /* errno of a write that failed: none is tried again */
} sec_disk;

/* A cache in `directory`; "" or "off": none; NULL: as SECANT_CACHE_DIR, XDG_CACHE_HOME and HOME say.  target: NULL, or in
 * tests what stands for this machine's.  NULL, with MEMORY recorded, without memory. */
sec_disk *sec_disk_open(const char *directory, const char *target);
sec_disk *sec_disk_retain(sec_disk *d);
void      sec_disk_release(sec_disk *d); /* NULL is allowed */

/* The key of a kernel's text. */
void sec_disk_key(const sec_disk *d, const char *text, char key[SEC_KEY_ROOM]);
/* The object that has the kernel: sec_mem_free() it.  NULL, and no error, when there is none. */
void *sec_disk_read(const sec_disk *d, const char *key, size_t *size);
/* Keeps an object under the keys of its kernels.  note: a line of text for each, for those who look.  False when it could
 * not be kept. */
bool sec_disk_write(sec_disk *d, const char *const *keys, int n, const void *object, size_t size, const char *note);
/* Takes the files of the key away, since what they hold does not load. */
void sec_disk_forget(const sec_disk *d, const char *key);

/* Why files cannot be written now, tried out; NULL when they can. */
const char *sec_disk_problem(sec_disk *d, char room[256]);
/* 0, ENOENT, or why the directory is not used: an errno, or that others may write to it. */
#define SEC_DISK_NOT_OURS -1
int sec_disk_directory(const sec_disk *d);

/* ---- disk_files.c: all files ---- */
typedef struct sec_disk_file {
  char            name[SEC_KEY_ROOM + 2]; /* KEY.o */
  uint64_t        inode;
  int64_t         bytes; /* that the file takes on disk, shared by its names */
  int             names;
  struct timespec used;
} sec_disk_file;

/* All names, used last first; *n of them.  sec_mem_free() it; NULL when there are none or memory ended. */
sec_disk_file *sec_disk_files(const sec_disk *d, int *n);
/* Deletes what was not used for longest until all is within `limit` bytes; abandoned files of dead writers too. */
void sec_disk_trim(const sec_disk *d, int64_t limit);
/* Deletes everything; how many kernels that was. */
int64_t sec_disk_clear(const sec_disk *d);
/* The note of a file; sec_mem_free() it, NULL if it is not readable. */
char *sec_disk_note(const sec_disk *d, const char *key);
/* Where, how much, or why not: in one line, and in a line each; and a line for each kernel. */
void sec_disk_print_line(sec_disk *d, sec_buffer *t);
void sec_disk_print_stats(sec_disk *d, sec_buffer *t);
void sec_disk_print_list(const sec_disk *d, sec_buffer *t);

#endif
