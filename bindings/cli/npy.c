/* Reading and writing .npy: a magic word, a version, the length of a header, a Python dict with descr, fortran_order
 * and shape, padded to 64 bytes, then the elements. */
#include "npy.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_HEADER = 65536, MAX_AXES = 12 };

static const struct {
  const char *descr;
  sec_dtype   dtype;
} dtypes[] = {{"|b1", SEC_BOOL}, {"|i1", SEC_I8},  {"<i2", SEC_I16}, {"<i4", SEC_I32}, {"<i8", SEC_I64}, {"|u1", SEC_U8},
              {"<u2", SEC_U16},  {"<u4", SEC_U32}, {"<u8", SEC_U64}, {"<f2", SEC_F16}, {"<f4", SEC_F32}, {"<f8", SEC_F64},
              {"<c8", SEC_C64},  {"<c16", SEC_C128}};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

/* ---- reading ---- */
typedef struct header {
  sec_dtype dtype;
  int       rank;
  int64_t   dims[MAX_AXES];
} header;

static sec_status damaged(const char *path, const char *what) {
  return sec_error_set(SEC_IO, "write it again with numpy.save", "%s is not a whole .npy file: %s", path, what);
}

/* The text after 'key': in the dict, or NULL. */
static const char *value_of(const char *dict, const char *key) {
  char quoted[32];
  snprintf(quoted, sizeof quoted, "'%s':", key);
  const char *at = strstr(dict, quoted);
  return at ? at + strlen(quoted) + strspn(at + strlen(quoted), " ") : NULL;
}

static sec_status read_descr(const char *path, const char *at, sec_dtype *out) {
  size_t n = *at == '\'' ? strcspn(at + 1, "'") : 0;
  for (int i = 0; i < N_DTYPES; i++)
    if (n == strlen(dtypes[i].descr) && strncmp(at + 1, dtypes[i].descr, n) == 0) {
      *out = dtypes[i].dtype;
      return SEC_OK;
    }
  return sec_error_set(SEC_UNSUPPORTED, "save it as bool, int8 to int64, uint8 to uint64, float16 to float64 or complex64 or 128, little-endian",
                       "%s has elements of a kind that is not read: %.*s", path, (int)(n ? n : strcspn(at, "}")), at + (n > 0));
}

static sec_status read_shape(const char *path, const char *at, header *h) {
  if (*at++ != '(') return damaged(path, "its shape is no tuple");
  for (at += strspn(at, " "); *at != ')'; at += strspn(at, ", ")) {
    char *end;
    if (h->rank == MAX_AXES) return sec_error_set(SEC_SHAPE, "reshape it before it is saved", "%s has more than %d axes", path, MAX_AXES);
    errno = 0;
    h->dims[h->rank] = strtoll(at, &end, 10);
    if (end == at || errno || h->dims[h->rank] < 0) return damaged(path, "its shape cannot be read");
    h->rank++;
    at = end;
  }
  return SEC_OK;
}

static sec_status read_header(const char *path, FILE *file, header *h) {
  unsigned char start[12];
  char          dict[MAX_HEADER];
  if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY", 6) != 0) return damaged(path, "it does not begin with NumPy's mark");
  size_t size = start[8] | (size_t)start[9] << 8;
  if (start[6] > 3 || start[6] == 0) return damaged(path, "its version is not 1, 2 or 3");
  if (start[6] > 1) {
    if (fread(start + 10, 1, 2, file) != 2) return damaged(path, "it ends in the header");
    size |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
  }
  if (size >= sizeof dict) return damaged(path, "its header is too long");
  if (fread(dict, 1, size, file) != size) return damaged(path, "it ends in the header");
  dict[size] = 0;
  const char *descr = value_of(dict, "descr"), *order = value_of(dict, "fortran_order"), *shape = value_of(dict, "shape");
  if (!descr || !order || !shape) return damaged(path, "its header lacks descr, fortran_order or shape");
  SEC_TRY(read_descr(path, descr, &h->dtype));
  SEC_TRY(read_shape(path, shape, h));
  if (strncmp(order, "True", 4) == 0 && h->rank > 1)
    return sec_error_set(SEC_UNSUPPORTED, "save numpy.ascontiguousarray of it", "%s is in Fortran order", path);
  return SEC_OK;
}

/* The length of the file is checked before there is memory for so many elements. */
static sec_status read_elements(sec_context *cx, const char *path, FILE *file, const header *h, sec_array **out) {
  long   begin = ftell(file), end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  double bytes = (double)sec_dtype_size(h->dtype);
  for (int k = 0; k < h->rank; k++) bytes *= (double)h->dims[k];
  if (begin < 0 || end < 0 || fseek(file, begin, SEEK_SET) != 0) return damaged(path, "its length cannot be found");
  if ((double)(end - begin) < bytes) return damaged(path, "it ends before the last element");
  *out = sec_array_create(cx, h->dtype, h->rank, h->dims);
  if (!*out) return sec_error_status(cx);
  unsigned char *data = sec_array_data(*out);
  bool           whole = fread(data, 1, sec_array_bytes(*out), file) == sec_array_bytes(*out);
  for (int64_t i = 0; h->dtype == SEC_BOOL && whole && i < sec_array_size(*out); i++) data[i] = data[i] != 0;
  if (whole) return SEC_OK;
  sec_array_release(*out);
  *out = NULL;
  return damaged(path, "it ends before the last element");
}

sec_array *npy_read(sec_context *cx, const char *path) {
  header     h = {.rank = 0};
  sec_array *out = NULL;
  FILE      *file = fopen(path, "rb");
  if (!file) {
    sec_error_set(SEC_IO, "name a file that was made by numpy.save", "%s cannot be read: %s", path, strerror(errno));
    return NULL;
  }
  if (read_header(path, file, &h) == SEC_OK) read_elements(cx, path, file, &h, &out);
  fclose(file);
  return out;
}

/* ---- writing ---- */
static bool write_header(FILE *file, const char *descr, const sec_array *a) {
  char dict[512];
  int  n = snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (int k = 0; k < sec_array_rank(a); k++)
    n += snprintf(dict + n, sizeof dict - (size_t)n, "%lld,%s", (long long)sec_array_dims(a)[k], k + 1 < sec_array_rank(a) ? " " : "");
  n += snprintf(dict + n, sizeof dict - (size_t)n, "), }");
  int size = (10 + n + 1 + 63) / 64 * 64 - 10;
  unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(size & 255), (unsigned char)(size >> 8)};
  return fwrite(start, 1, sizeof start, file) == sizeof start && fprintf(file, "%-*s\n", size - 1, dict) == size;
}

static sec_status unwritten(const char *path) {
  return sec_error_set(SEC_IO, "choose a place that can be written", "%s cannot be written: %s", path, strerror(errno));
}

static bool put(const char *path, const char *descr, const sec_array *a) {
  FILE *file = fopen(path, "wb");
  bool  good = file && write_header(file, descr, a) && fwrite(sec_array_data(a), 1, sec_array_bytes(a), file) == sec_array_bytes(a);
  if (file && fclose(file) != 0) good = false;
  return good;
}

/* A pipe or a device, which cannot be replaced by a new file. */
static bool special(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

/* What stood at `path` is replaced only by a whole file. */
sec_status npy_write(const char *path, const sec_array *a) {
  const char *descr = NULL;
  for (int i = 0; i < N_DTYPES; i++)
    if (dtypes[i].dtype == sec_array_dtype(a)) descr = dtypes[i].descr;
  if (!descr)
    return sec_error_set(SEC_UNSUPPORTED, "convert the result to f32 in the program", "%s: .npy has no type for %s", path,
                         sec_aval_text(sec_array_aval(a)));
  if (special(path)) return put(path, descr, a) ? SEC_OK : unwritten(path);
  size_t size = strlen(path) + sizeof ".part";
  char  *part = malloc(size);
  if (!part) return sec_error_set(SEC_MEMORY, NULL, "out of memory");
  snprintf(part, size, "%s.part", path);
  bool good = put(part, descr, a) && rename(part, path) == 0;
  sec_status status = good ? SEC_OK : unwritten(path);
  if (!good) remove(part);
  free(part);
  return status;
}
