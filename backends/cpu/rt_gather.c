/* gather and the scatters at run time, called by generated code.
 * bufs: gather: operand, indices, result; scatter: operand, indices, updates, result (which may be
 * the operand). meta: see sec_windows_meta in core/ops/gather.h. scatter visits the windows in the
 * order of the indices, so of several writes to one place the last stays; gather shares them among
 * threads. */
#include "../threads.h"
#include <secant/dtype.h>
#include <string.h>

typedef struct axis {
  int64_t size, operand, windows;
} axis;
typedef struct start {
  int64_t last, operand;
} start;

enum { ELEMENT, DTYPE, INDEX, MODE, EXTRA, N_BATCH, N_START, N_WINDOW, HEADER };
enum { CLIP = 0 };

typedef struct plan {
  const int64_t *meta;
  size_t element;
  const void *indices;
  int n_batch, n_start, n_window;
  axis batch[SEC_MAX_RANK], window[SEC_MAX_RANK];
  start starts[SEC_MAX_RANK];
} plan;

/* Axes of size 1 go, and neighbours that lie alike on both sides become one; the number that is
 * left. */
static int merge(axis *list, int n) {
  int kept = 0;
  for (int j = 0; j < n; j++) {
    axis a = list[j];
    if (a.size == 1) continue;
    if (kept > 0 && list[kept - 1].operand == a.size * a.operand &&
        list[kept - 1].windows == a.size * a.windows)
      a.size *= list[--kept].size;
    list[kept++] = a;
  }
  return kept;
}

/* False when there is nothing to move. */
static bool read_plan(plan *p, const int64_t *meta, const void *indices) {
  const int64_t *word = meta + HEADER;
  bool some = true;
  p->meta = meta;
  p->element = (size_t)meta[ELEMENT];
  p->indices = indices;
  p->n_batch = (int)meta[N_BATCH];
  p->n_start = (int)meta[N_START];
  p->n_window = (int)meta[N_WINDOW];
  for (int i = 0; i < p->n_batch; i++, word += 3) {
    p->batch[i] = (axis){word[0], word[1], word[2]};
    some &= word[0] > 0;
  }
  for (int i = 0; i < p->n_start; i++, word += 2) p->starts[i] = (start){word[0], word[1]};
  for (int i = 0; i < p->n_window; i++, word += 3) {
    p->window[i] = (axis){word[0], word[1], word[2]};
    some &= word[0] > 0;
  }
  p->n_window = merge(p->window, p->n_window);
  p->n_batch = merge(p->batch, p->n_batch);
  if (p->n_batch == 0) p->batch[p->n_batch++] = (axis){1, 0, 0};
  return some;
}

#define TO_SIGNED(v) ((v) > INT64_MAX ? INT64_MAX : (int64_t)(v))

/* Adds one index of each of n windows, `step` elements apart, to the windows' operand offsets; -1:
 * outside. */
#define STARTS(name, type, SIGNED)                                                                 \
  static void starts_##name(const void *indices, int64_t step, int64_t n, start s, bool clip,      \
                            int64_t *at) {                                                         \
    const type *index = indices;                                                                   \
    for (int64_t i = 0; i < n; i++) {                                                              \
      int64_t k = SIGNED(index[i * step]);                                                         \
      if (clip) {                                                                                  \
        k = k > s.last ? s.last : k;                                                               \
        k = k < 0 ? 0 : k;                                                                         \
      }                                                                                            \
      at[i] = at[i] < 0 || k < 0 || k > s.last ? -1 : at[i] + k * s.operand;                       \
    }                                                                                              \
  }

STARTS(i8, int8_t, (int64_t))
STARTS(i16, int16_t, (int64_t))
STARTS(i32, int32_t, (int64_t))
STARTS(i64, int64_t, (int64_t))
STARTS(u8, uint8_t, (int64_t))
STARTS(u16, uint16_t, (int64_t))
STARTS(u32, uint32_t, (int64_t))
STARTS(u64, uint64_t, TO_SIGNED)

static const struct {
  size_t size;
  void (*add)(const void *indices, int64_t step, int64_t n, start s, bool clip, int64_t *at);
} starts_of[SEC_N_DTYPES] = {
    [SEC_I8] = {1, starts_i8},   [SEC_I16] = {2, starts_i16}, [SEC_I32] = {4, starts_i32},
    [SEC_I64] = {8, starts_i64}, [SEC_U8] = {1, starts_u8},   [SEC_U16] = {2, starts_u16},
    [SEC_U32] = {4, starts_u32}, [SEC_U64] = {8, starts_u64}};

/* Operand offsets of the windows first .. first + n - 1; -1: outside. */
static void window_starts(const plan *p, int64_t first, int64_t n, int64_t *at) {
  int64_t index = p->meta[INDEX];
  size_t size = starts_of[index].size;
  const char *indices = (const char *)p->indices + (size_t)(first * p->n_start) * size;
  memset(at, 0, (size_t)n * sizeof *at);
  for (int k = 0; k < p->n_start; k++)
    starts_of[index].add(indices + (size_t)k * size, p->n_start, n, p->starts[k],
                         p->meta[MODE] == CLIP, at);
}

/* n elements, each side with its step in elements. */
typedef void (*row_move)(const plan *p, char *operand, int64_t operand_step, char *windows,
                         int64_t windows_step, int64_t n);

/* All rows of one window. */
static void move_window(const plan *p, row_move move, char *operand, char *windows) {
  int64_t index[SEC_MAX_RANK] = {0}, size = (int64_t)p->element;
  int outer = p->n_window - 1;
  if (p->n_window == 0) {
    move(p, operand, 1, windows, 1, 1);
    return;
  }
  const axis *row = &p->window[outer];
  for (;;) {
    move(p, operand, row->operand, windows, row->windows, row->size);
    int j = outer - 1;
    for (; j >= 0; j--) {
      operand += p->window[j].operand * size;
      windows += p->window[j].windows * size;
      if (++index[j] < p->window[j].size) break;
      operand -= p->window[j].operand * p->window[j].size * size;
      windows -= p->window[j].windows * p->window[j].size * size;
      index[j] = 0;
    }
    if (j < 0) return;
  }
}

/* n windows along one batch axis, with offsets `at`; `outside` moves those that are outside, or is
 * NULL. */
static void move_run(const plan *p, row_move move, row_move outside, char *operand, char *windows,
                     const int64_t *at, int64_t n) {
  const axis *last = &p->batch[p->n_batch - 1];
  int64_t size = (int64_t)p->element, operand_step = last->operand * size,
          windows_step = last->windows * size;
  for (int64_t i = 0; i < n; i++, operand += operand_step, windows += windows_step) {
    row_move m = at[i] < 0 ? outside : move;
    if (m == NULL) continue;
    char *from = at[i] < 0 ? operand : operand + at[i] * size;
    if (p->n_window == 0) m(p, from, 1, windows, 1, 1);
    else move_window(p, m, from, windows);
  }
}

/* Single elements of 4 or 8 bytes, all inside. */
#define READ_ELEMENTS(name, bytes)                                                                 \
  static void name(const axis *last, const char *operand, char *windows, const int64_t *at,        \
                   int64_t n) {                                                                    \
    int64_t operand_step = last->operand * bytes, windows_step = last->windows * bytes;            \
    for (int64_t i = 0; i < n; i++)                                                                \
      memcpy(windows + i * windows_step, operand + i * operand_step + at[i] * bytes, bytes);       \
  }

READ_ELEMENTS(read_elements_4, 4)
READ_ELEMENTS(read_elements_8, 8)

enum { RUN = 256 }; /* windows whose offsets are computed together */

/* Windows lo .. hi - 1 in order, in runs along the last batch axis. */
static void move_windows(const plan *p, row_move move, row_move outside, char *operand,
                         char *windows, int64_t lo, int64_t hi) {
  int64_t index[SEC_MAX_RANK], starts[RUN], size = (int64_t)p->element, left = lo;
  for (int b = p->n_batch - 1; b >= 0; b--) {
    index[b] = left % p->batch[b].size;
    left /= p->batch[b].size;
  }
  for (int64_t n; lo < hi; lo += n) {
    const axis *last = &p->batch[p->n_batch - 1];
    int64_t at = 0, to = 0, rest = last->size - index[p->n_batch - 1];
    n = hi - lo < rest ? hi - lo : rest;
    if (n > RUN) n = RUN;
    for (int b = 0; b < p->n_batch; b++) {
      at += index[b] * p->batch[b].operand;
      to += index[b] * p->batch[b].windows;
    }
    window_starts(p, lo, n, starts);
    char *from = operand + at * size, *into = windows + to * size;
    bool elements = outside != NULL && p->n_window == 0 && p->meta[MODE] == CLIP;
    if (elements && size == 4) read_elements_4(last, from, into, starts, n);
    else if (elements && size == 8) read_elements_8(last, from, into, starts, n);
    else move_run(p, move, outside, from, into, starts, n);
    index[p->n_batch - 1] += n;
    for (int b = p->n_batch - 1; b > 0 && index[b] == p->batch[b].size; b--) {
      index[b] = 0;
      index[b - 1]++;
    }
  }
}

static int64_t n_windows(const plan *p) {
  int64_t n = 1;
  for (int b = 0; b < p->n_batch; b++) n *= p->batch[b].size;
  return n;
}

static int64_t window_size(const plan *p) {
  int64_t n = 1;
  for (int j = 0; j < p->n_window; j++) n *= p->window[j].size;
  return n;
}

/* Copies n elements between rows of any steps; dense rows by memcpy. */
static void copy_row(size_t size, char *to, int64_t to_step, const char *from, int64_t from_step,
                     int64_t n) {
  if ((to_step == 1 && from_step == 1) || n == 1) {
    if (n == 1 && size == 4) memcpy(to, from, 4);
    else if (n == 1 && size == 8) memcpy(to, from, 8);
    else memcpy(to, from, (size_t)n * size);
    return;
  }
  int64_t t = to_step * (int64_t)size, f = from_step * (int64_t)size;
  if (size == 4)
    for (int64_t i = 0; i < n; i++) memcpy(to + i * t, from + i * f, 4);
  else if (size == 8)
    for (int64_t i = 0; i < n; i++) memcpy(to + i * t, from + i * f, 8);
  else
    for (int64_t i = 0; i < n; i++) memcpy(to + i * t, from + i * f, size);
}

static void read_row(const plan *p, char *operand, int64_t operand_step, char *windows,
                     int64_t windows_step, int64_t n) {
  copy_row(p->element, windows, windows_step, operand, operand_step, n);
}

static void write_row(const plan *p, char *operand, int64_t operand_step, char *windows,
                      int64_t windows_step, int64_t n) {
  copy_row(p->element, operand, operand_step, windows, windows_step, n);
}

static void fill_row(const plan *p, char *operand, int64_t operand_step, char *windows,
                     int64_t windows_step, int64_t n) {
  (void)operand, (void)operand_step;
  for (int64_t i = 0; i < n; i++)
    memcpy(windows + i * windows_step * (int64_t)p->element, &p->meta[EXTRA], p->element);
}

/* ---- scatter_add, mul, min, max: a row of results, one function a dtype ---- */
#define ADD(y, x) ((y) + (x))
#define MULTIPLY(y, x) ((y) * 1U * (x)) /* 1U: no product in int, which overflows */
/* If either is a NaN the result is one. */
#define LESSER(y, x) ((x) < (y) || (x) != (x) ? (x) : (y))
#define GREATER(y, x) ((x) > (y) || (x) != (x) ? (x) : (y))

#define FOLD_ROW(name, type, OP)                                                                   \
  static void name(const plan *p, char *operand, int64_t operand_step, char *windows,              \
                   int64_t windows_step, int64_t n) {                                              \
    type *y = (type *)(void *)operand;                                                             \
    const type *x = (const type *)(const void *)windows;                                           \
    (void)p;                                                                                       \
    if (operand_step == 1 && windows_step == 1)                                                    \
      for (int64_t i = 0; i < n; i++) y[i] = (type)OP(y[i], x[i]);                                 \
    else                                                                                           \
      for (int64_t i = 0; i < n; i++)                                                              \
        y[i * operand_step] = (type)OP(y[i * operand_step], x[i * windows_step]);                  \
  }

#define FOLD_ROWS(name, type)                                                                      \
  FOLD_ROW(add_##name, type, ADD)                                                                  \
  FOLD_ROW(multiply_##name, type, MULTIPLY)                                                        \
  FOLD_ROW(lesser_##name, type, LESSER)                                                            \
  FOLD_ROW(greater_##name, type, GREATER)

/* sums and products of signed integers wrap as unsigned ones do */
FOLD_ROWS(u8, uint8_t)
FOLD_ROWS(u16, uint16_t)
FOLD_ROWS(u32, uint32_t)
FOLD_ROWS(u64, uint64_t)
FOLD_ROWS(f32, float)
FOLD_ROWS(f64, double)
#define SIGNED_ROWS(name, type)                                                                    \
  FOLD_ROW(lesser_##name, type, LESSER)                                                            \
  FOLD_ROW(greater_##name, type, GREATER)
SIGNED_ROWS(i8, int8_t)
SIGNED_ROWS(i16, int16_t)
SIGNED_ROWS(i32, int32_t)
SIGNED_ROWS(i64, int64_t)

static float float_of_bits(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static uint32_t bits_of_float(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

static float from_bf16(uint16_t h) { return float_of_bits((uint32_t)h << 16); }

/* round to nearest, ties to even; NaN stays quiet */
static uint16_t to_bf16(float f) {
  uint32_t bits = bits_of_float(f);
  if (f != f) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* The exponent is moved by a product with 2^112, which also makes subnormals right. */
static float from_f16(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = (uint32_t)(h & 0x7fff) << 13;
  if ((h & 0x7c00) == 0x7c00) return float_of_bits(sign | 0x7f800000 | magnitude);
  return float_of_bits(sign | bits_of_float(float_of_bits(magnitude) * 0x1p112f));
}

static uint16_t to_f16(float f) {
  uint32_t bits = bits_of_float(f), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00);
  if (magnitude >= 0x477ff000)
    return (uint16_t)(sign | 0x7c00); /* 65520 and more round to infinity */
  if (magnitude < 0x38800000) {       /* subnormal: the sum rounds to 2^-24 */
    float sum = float_of_bits(magnitude) + 0.5f;
    return (uint16_t)(sign | (bits_of_float(sum) - 0x3f000000));
  }
  return (uint16_t)(sign | ((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13));
}

#define HALF_ROW(name, half, OP)                                                                   \
  static void name##_##half(const plan *p, char *operand, int64_t operand_step, char *windows,     \
                            int64_t windows_step, int64_t n) {                                     \
    uint16_t *y = (uint16_t *)(void *)operand;                                                     \
    const uint16_t *x = (const uint16_t *)(const void *)windows;                                   \
    (void)p;                                                                                       \
    for (int64_t i = 0; i < n; i++) {                                                              \
      float a = from_##half(y[i * operand_step]), b = from_##half(x[i * windows_step]);            \
      y[i * operand_step] = to_##half(OP(a, b));                                                   \
    }                                                                                              \
  }

#define HALF_ROWS(half)                                                                            \
  HALF_ROW(add, half, ADD)                                                                         \
  HALF_ROW(multiply, half, MULTIPLY)                                                               \
  HALF_ROW(lesser, half, LESSER)                                                                   \
  HALF_ROW(greater, half, GREATER)
HALF_ROWS(f16)
HALF_ROWS(bf16)

#define WRAPPING(op)                                                                               \
  [SEC_I8] = op##_u8, [SEC_I16] = op##_u16, [SEC_I32] = op##_u32, [SEC_I64] = op##_u64
#define SIGNED(op)                                                                                 \
  [SEC_BOOL] = op##_u8, [SEC_I8] = op##_i8, [SEC_I16] = op##_i16, [SEC_I32] = op##_i32,            \
  [SEC_I64] = op##_i64
#define OTHERS(op)                                                                                 \
  [SEC_U8] = op##_u8, [SEC_U16] = op##_u16, [SEC_U32] = op##_u32, [SEC_U64] = op##_u64,            \
  [SEC_F16] = op##_f16, [SEC_BF16] = op##_bf16, [SEC_F32] = op##_f32, [SEC_F64] = op##_f64
static const row_move add_rows[SEC_N_DTYPES] = {WRAPPING(add), OTHERS(add)};
static const row_move multiply_rows[SEC_N_DTYPES] = {WRAPPING(multiply), OTHERS(multiply)};
static const row_move lesser_rows[SEC_N_DTYPES] = {SIGNED(lesser), OTHERS(lesser)};
static const row_move greater_rows[SEC_N_DTYPES] = {SIGNED(greater), OTHERS(greater)};

/* ---- what generated code calls ---- */

static void gather_run(void **bufs, int64_t lo, int64_t hi) {
  move_windows(bufs[3], read_row, fill_row, bufs[0], bufs[2], lo, hi);
}

void sec_rt_gather(void **bufs, const int64_t *meta) {
  plan p;
  if (!read_plan(&p, meta, bufs[1])) return;
  int64_t grain = 1 + 16384 / (window_size(&p) + 4); /* elements that are worth a thread's while */
  sec_parallel(gather_run, (void *[]){bufs[0], bufs[1], bufs[2], &p}, n_windows(&p), grain);
}

static void scatter(void **bufs, const int64_t *meta, row_move move) {
  plan p;
  size_t bytes = (size_t)(meta[EXTRA] * meta[ELEMENT]);
  if (bufs[3] != bufs[0] && bytes > 0) memcpy(bufs[3], bufs[0], bytes);
  if (read_plan(&p, meta, bufs[1]))
    move_windows(&p, move, NULL, bufs[3], bufs[2], 0, n_windows(&p));
}

void sec_rt_scatter(void **bufs, const int64_t *meta) { scatter(bufs, meta, write_row); }
#define SCATTER(name, rows)                                                                        \
  void sec_rt_scatter_##name(void **bufs, const int64_t *meta) {                                   \
    scatter(bufs, meta, rows[meta[DTYPE]]);                                                        \
  }
SCATTER(add, add_rows)
SCATTER(mul, multiply_rows)
SCATTER(min, lesser_rows)
SCATTER(max, greater_rows)
