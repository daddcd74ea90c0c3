/* Convolutions of f32 and f64 at run time: a result's positions in blocks, its features in vectors, all products of a
 * block added in registers (rt_conv_kernels.c).  The operand is read where it lies; only a padded one is copied first, band by band.
 * A spread operand (lhs_dilation) is none of this: positions of one remainder meet every b-th place only, which is a smaller
 * convolution without gaps. */
#include "../pool.h"
#include "rt_conv.h"
#include "runtime.h"

#include <string.h>

enum { MAX_AXES = 10, CHUNK_BYTES = 1 << 17, BAND_BYTES = 1 << 18, SMALL_KERNEL = 1 << 17 };

/* One spatial axis; strides in lhs, rhs and result. */
typedef struct axis {
  int64_t size, window, count, stride, low, base, dilation, x, w, z;
} axis;

/* Features: C of a group in, O out; strides of group, batch and features in lhs (x), rhs (w), result (z). */
typedef struct conv {
  int64_t kind, n, groups, batch, features, outputs;
  int64_t x_group, x_batch, x_feature, w_group, w_feature, w_output, z_group, z_batch, z_output;
  axis    axis[MAX_AXES];
  const char *x, *w;
  char       *z;
} conv;

static int64_t bytes_of(const conv *c) { return c->kind ? 8 : 4; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
static int64_t ceil_div(int64_t a, int64_t b) { return -floor_div(-a, b); }

/* The next index of the axes but `skip` (-1: none); false at the end. */
static bool next(const conv *c, int skip, const int64_t *size, int64_t *index) {
  for (int a = (int)c->n; a-- > 0;) {
    if (a == skip) continue;
    if (++index[a] < size[a]) return true;
    index[a] = 0;
  }
  return false;
}

/* The places of axis a that lie inside the operand for position o: [*lo, *hi). */
static void inside(const axis *a, int64_t o, int64_t *lo, int64_t *hi) {
  int64_t first = o * a->stride - a->low;
  *lo = most(0, ceil_div(-first, a->dilation));
  *hi = most(*lo, least(a->window, floor_div(a->size - 1 - first, a->dilation) + 1));
}

/* ---- element by element: all zeros, and what no memory is left for ---- */
static double number(const conv *c, const char *p, int64_t i) { return c->kind ? ((const double *)p)[i] : (double)((const float *)p)[i]; }

static double sum_at(const conv *c, int64_t g, int64_t n, int64_t o, const int64_t *at) {
  int64_t w[MAX_AXES] = {0}, window[MAX_AXES];
  double  sum = 0;
  bool    some = c->features > 0;
  for (int a = 0; a < c->n; a++) some &= (window[a] = c->axis[a].window) > 0;
  while (some) {
    int64_t x = g * c->x_group + n * c->x_batch, y = g * c->w_group + o * c->w_output;
    bool    hit = true;
    for (int a = 0; a < c->n; a++) {
      const axis *v = &c->axis[a];
      int64_t     i = at[a] * v->stride + w[a] * v->dilation - v->low;
      hit &= i >= 0 && i < v->size;
      x += i * v->x, y += w[a] * v->w;
    }
    for (int64_t k = 0; k < c->features && hit; k++) sum += number(c, c->x, x + k * c->x_feature) * number(c, c->w, y + k * c->w_feature);
    some = next(c, -1, window, w);
  }
  return sum;
}

static void by_element(const conv *c) {
  int64_t at[MAX_AXES] = {0}, count[MAX_AXES];
  for (int a = 0; a < c->n; a++) count[a] = c->axis[a].count;
  do {
    int64_t z = 0;
    for (int a = 0; a < c->n; a++) z += at[a] * c->axis[a].z;
    for (int64_t g = 0; g < c->groups; g++)
      for (int64_t n = 0; n < c->batch; n++)
        for (int64_t o = 0; o < c->outputs; o++) {
          double  sum = sum_at(c, g, n, o, at);
          int64_t i = z + g * c->z_group + n * c->z_batch + o * c->z_output;
          if (c->kind) ((double *)c->z)[i] = sum;
          else ((float *)c->z)[i] = (float)sum;
        }
  } while (next(c, -1, count, at));
}

/* ---- what all blocks of one call share ---- */
typedef struct job {
  conv            c;
  sec_conv_kernel kernel;
  int             along;   /* the axis of a block's positions */
  int64_t         w_bytes; /* of the packed rhs, 0: read in place */
  void           *packed;
  int64_t         bands, rows; /* of the first axis but `along`, or of `along` if it is the only one: rows a band */
  int             banded;
  int             run_axis; /* the axis whose places make a run; -1: features; -2: those of `along` and features in one */
  int64_t         parts;
  bool            failed, dots; /* dots: vectors run along the features */
} job;

/* 16 outputs of a group for pack: their rows of rhs are read along, all at a time. */
#define PACK(name, type)                                                                                                 \
  static void name(const conv *from, const conv *to, int64_t g, int64_t o, int64_t n, int64_t room) {                    \
    int64_t w[MAX_AXES] = {0}, window[MAX_AXES];                                                                         \
    for (int a = 0; a < from->n; a++) window[a] = from->axis[a].window;                                                  \
    for (int64_t k = 0; k < from->features; k++) do {                                                                    \
        const type *x = (const type *)from->w + g * from->w_group + k * from->w_feature + o * from->w_output;            \
        type       *y = (type *)to->w + g * to->w_group + k * to->w_feature + o;                                         \
        for (int a = 0; a < from->n; a++) x += w[a] * from->axis[a].w, y += w[a] * to->axis[a].w;                        \
        for (int64_t i = 0; i < n; i++) y[i * to->w_output] = x[i * from->w_output];                                     \
        for (int64_t i = n; i < room; i++) y[i * to->w_output] = 0;                                                      \
      } while (next(from, -1, window, w));                                                                               \
  }
PACK(pack_f32, float)
PACK(pack_f64, double)

static void pack_run(void **bufs, int64_t lo, int64_t hi) {
  const conv *from = bufs[0], *to = bufs[1];
  int64_t     each = (to->outputs + 15) / 16;
  for (int64_t i = lo; i < hi; i++) {
    int64_t o = i % each * 16, room = least(16, to->outputs - o);
    (from->kind ? pack_f64 : pack_f32)(from, to, i / each, o, most(0, least(room, from->outputs - o)), room);
  }
}

/* rhs as [places][features][outputs rounded up to vectors], or for dots [outputs][places][features], for every group. */
static bool pack(job *j) {
  conv    to = j->c;
  int64_t lanes = j->kernel.lanes, stride;
  if (!j->dots) to.outputs = (to.outputs + lanes - 1) / lanes * lanes;
  if (!j->dots && to.w_output == 1 && to.outputs == j->c.outputs) return true;
  stride = j->dots ? to.features : to.outputs * to.features;
  to.w_output = 1, to.w_feature = j->dots ? 1 : to.outputs;
  for (int a = (int)to.n; a-- > 0; stride *= to.axis[a].window) to.axis[a].w = stride;
  if (j->dots) to.w_output = stride, stride *= to.outputs;
  to.w_group = stride;
  j->w_bytes = stride * to.groups * bytes_of(&to);
  to.w = j->packed = sec_pool_alloc((size_t)j->w_bytes);
  if (!j->packed) return false;
  sec_parallel(pack_run, (void *[]){&j->c, &to}, to.groups * ((to.outputs + 15) / 16), 1 + 65536 / most(1, 16 * stride / to.outputs));
  to.outputs = j->c.outputs;
  j->c = to;
  return true;
}

/* A block's result: straight into place, or through a buffer where features are no neighbours or no whole vectors. */
static void run_block(const job *j, sec_conv_tile *t, int64_t z, int64_t z_p, int p, int64_t o) {
  const conv *c = &j->c;
  int64_t     left = c->outputs - o, size = bytes_of(c);
  int         lanes = j->kernel.lanes, nv = left > lanes ? 2 : 1;
  char       *to = c->z + (z + o * c->z_output) * size;
  double      buffer[14 * 2 * 16];
  int64_t     n = least(left, nv * lanes);
  if (j->dots) nv = (int)left, lanes = 1, n = left;
  if (c->z_output == 1 && left >= nv * lanes) {
    t->c = to, t->c_p = z_p;
    j->kernel.run(p, nv, t);
    return;
  }
  t->c = buffer, t->c_p = nv * lanes;
  for (int i = 0; i < p && t->add; i++)
    for (int64_t k = 0; k < n; k++) {
      if (c->kind) buffer[i * t->c_p + k] = ((double *)to)[i * z_p + k * c->z_output];
      else ((float *)buffer)[i * t->c_p + k] = ((float *)to)[i * z_p + k * c->z_output];
    }
  j->kernel.run(p, nv, t);
  for (int64_t k = 0; k < n; k++)
    for (int i = 0; i < p; i++) {
      if (c->kind) ((double *)to)[i * z_p + k * c->z_output] = buffer[i * t->c_p + k];
      else ((float *)to)[i * z_p + k * c->z_output] = ((float *)buffer)[i * t->c_p + k];
    }
}

/* Positions in blocks as equal as can be. */
static int block_of(const job *j, int64_t left) {
  int64_t blocks = (left + j->kernel.most - 1) / j->kernel.most;
  return (int)((left + blocks - 1) / blocks);
}

/* ---- positions along an axis: the places of the band in `x`, all inside ---- */
static int positions_runs(const job *j, const conv *c, sec_conv_run *runs, sec_conv_tile *t) {
  int64_t     w[MAX_AXES] = {0}, window[MAX_AXES];
  int         n = 0, p = j->along;
  const axis *v = &c->axis[p];
  for (int a = 0; a < c->n; a++) window[a] = c->axis[a].window;
  t->a_k = c->x_feature, t->b_k = c->w_feature;
  if (j->run_axis >= 0) t->a_k = v->dilation * v->x, t->b_k = v->w;
  do {
    int64_t a = 0, b = 0, outer = j->run_axis >= 0 ? c->features : j->run_axis == -2 ? 1 : v->window;
    for (int i = 0; i < c->n; i++)
      if (i != p) a += w[i] * c->axis[i].dilation * c->axis[i].x, b += w[i] * c->axis[i].w;
    for (int64_t k = 0; k < outer; k++)
      runs[n++] = j->run_axis >= 0    ? (sec_conv_run){a + k * c->x_feature, b + k * c->w_feature, v->window}
                  : j->run_axis == -2 ? (sec_conv_run){a, b, v->window * c->features}
                                      : (sec_conv_run){a + k * v->dilation * v->x, b + k * v->w, c->features};
  } while (next(c, p, window, w));
  return n;
}

static int64_t n_runs(const job *j) {
  const conv *c = &j->c;
  int64_t     n = j->run_axis >= 0 ? c->features : j->run_axis == -2 ? 1 : c->axis[j->along].window;
  for (int a = 0; a < c->n; a++)
    if (a != j->along) n *= c->axis[a].window;
  return n;
}

/* The band [lo, hi) of the banded axis as a convolution of its own. */
static conv band_of(const job *j, int64_t lo, int64_t hi) {
  conv  c = j->c;
  axis *v = &c.axis[j->banded];
  v->low -= lo * v->stride;
  v->count = hi - lo;
  c.z += lo * v->z * bytes_of(&c);
  return c;
}

static int64_t reach(const axis *v) { return (v->count - 1) * v->stride + (v->window - 1) * v->dilation + 1; }

static bool needs_copy(const conv *c) {
  bool copy = false;
  for (int a = 0; a < c->n; a++) copy |= c->axis[a].low > 0 || reach(&c->axis[a]) - c->axis[a].low > c->axis[a].size;
  return copy;
}

static int64_t band_elements(const conv *c) {
  int64_t n = c->features;
  for (int a = 0; a < c->n; a++) n *= reach(&c->axis[a]);
  return n;
}

/* The padded band, features innermost if they lie so, else outermost; c->x and strides become its own. */
static void copy_band(conv *c, int along, char *to) {
  int64_t size = bytes_of(c), at[MAX_AXES] = {0}, dims[MAX_AXES], strides[MAX_AXES], feature, stride;
  bool    inner = c->x_feature == 1;
  axis   *p = &c->axis[along];
  feature = inner ? 1 : 0, stride = inner ? c->features : 1;
  strides[along] = stride, dims[along] = reach(p), stride *= dims[along];
  for (int a = (int)c->n; a-- > 0;)
    if (a != along) strides[a] = stride, dims[a] = reach(&c->axis[a]), stride *= dims[a];
  if (!inner) feature = stride;
  int64_t first = most(0, p->low), last = most(first, least(dims[along], p->size + p->low)); /* of a row, inside */
  for (int64_t k = 0; k < (inner ? 1 : c->features); k++) do {
      int64_t row = k * feature, from = k * c->x_feature + (first - p->low) * p->x, width = inner ? c->features : 1;
      bool    hit = first < last;
      for (int a = 0; a < c->n; a++) {
        if (a == along) continue;
        int64_t i = at[a] - c->axis[a].low;
        hit &= i >= 0 && i < c->axis[a].size;
        row += at[a] * strides[a], from += i * c->axis[a].x;
      }
      char *d = to + row * size;
      if (!hit) {
        memset(d, 0, (size_t)(dims[along] * width * size));
        continue;
      }
      memset(d, 0, (size_t)(first * width * size));
      memset(d + last * width * size, 0, (size_t)((dims[along] - last) * width * size));
      d += first * width * size;
      if (p->x == width) memcpy(d, c->x + from * size, (size_t)((last - first) * width * size));
      else if (width > 1)
        for (int64_t i = 0; i < last - first; i++) memcpy(d + i * width * size, c->x + (from + i * p->x) * size, (size_t)(width * size));
      else if (c->kind)
        for (int64_t i = 0; i < last - first; i++) ((double *)d)[i] = ((const double *)c->x)[from + i * p->x];
      else
        for (int64_t i = 0; i < last - first; i++) ((float *)d)[i] = ((const float *)c->x)[from + i * p->x];
    } while (next(c, along, dims, at));
  c->x = to, c->x_feature = inner ? 1 : feature;
  for (int a = 0; a < c->n; a++) c->axis[a].low = 0, c->axis[a].size = dims[a], c->axis[a].x = strides[a];
}

/* A row of positions of the band, for `features` outputs from o on. */
static void positions_row(const job *j, sec_conv_tile *t, const int64_t *at, int64_t o) {
  const conv *c = &j->c;
  const axis *v = &c->axis[j->along];
  int64_t     size = bytes_of(c), x = 0, z = 0;
  for (int a = 0; a < c->n; a++)
    if (a != j->along) x += (at[a] * c->axis[a].stride - c->axis[a].low) * c->axis[a].x, z += at[a] * c->axis[a].z;
  t->b = c->w + o * size;
  for (int64_t i = 0; i < v->count;) {
    int p = block_of(j, v->count - i);
    t->a = c->x + (x + (i * v->stride - v->low) * v->x) * size;
    run_block(j, t, z + i * v->z, v->z, p, o);
    i += p;
  }
}

/* A small kernel stays in the cache while the result is written row by row; else the operand does, for some outputs at a time. */
static void positions_band(const job *shared, const conv *c, sec_conv_run *runs) {
  job           j = *shared;
  int64_t       at[MAX_AXES] = {0}, count[MAX_AXES], features = 2 * j.kernel.lanes, places = c->features * c->outputs * bytes_of(c);
  const axis   *v = &c->axis[j.along];
  sec_conv_tile t = {.a_p = v->stride * v->x, .runs = runs};
  t.n_runs = positions_runs(&j, c, runs, &t);
  if (j.dots) t.b_k = c->w_output;
  j.c = *c;
  for (int a = 0; a < c->n; a++) count[a] = c->axis[a].count, places *= c->axis[a].window;
  bool small = places <= SMALL_KERNEL;
  for (int64_t first = 0; first < c->outputs; first += small ? c->outputs : features) do
      for (int64_t o = first; o < (small ? c->outputs : first + 1); o += features) positions_row(&j, &t, at, o);
    while (next(c, j.along, count, at));
}

static void positions_run(void **bufs, int64_t lo, int64_t hi) {
  job    *j = bufs[0];
  int64_t count = j->c.axis[j->banded].count, size = bytes_of(&j->c), runs_bytes = n_runs(j) * (int64_t)sizeof(sec_conv_run);
  for (int64_t i = lo; i < hi; i++) {
    int64_t band = i % j->bands, n = i / j->bands % j->c.batch, g = i / j->bands / j->c.batch;
    conv    c = band_of(j, band * j->rows, least(count, (band + 1) * j->rows));
    c.x += (g * c.x_group + n * c.x_batch) * size, c.w += g * c.w_group * size, c.z += (g * c.z_group + n * c.z_batch) * size;
    c.groups = c.batch = 1;
    int64_t       copied = needs_copy(&c) ? band_elements(&c) * size : 0;
    sec_conv_run *runs = sec_pool_alloc((size_t)runs_bytes);
    char         *copy = copied ? sec_pool_alloc((size_t)copied) : NULL;
    if (!runs || (copied && !copy)) by_element(&c);
    else {
      if (copied) copy_band(&c, j->along, copy);
      positions_band(j, &c, runs);
    }
    sec_pool_free(runs, (size_t)runs_bytes);
    sec_pool_free(copy, (size_t)copied);
  }
}

static void by_positions(job *j) {
  conv   *c = &j->c;
  axis   *v = &c->axis[j->along];
  int64_t row = c->features * bytes_of(c), halo;
  j->banded = j->along;
  for (int a = (int)c->n; a-- > 0;)
    if (a != j->along && c->axis[a].count > 1) j->banded = a;
  j->run_axis = c->x_feature == 1 && v->dilation == 1 && v->x == c->features && c->features * c->w_feature == v->w ? -2
                : c->features >= v->window || j->dots                                                           ? -1
                                                                                                                 : j->along;
  for (int a = 0; a < c->n; a++)
    if (a != j->banded) row *= reach(&c->axis[a]);
  axis *b = &c->axis[j->banded];
  halo = (b->window - 1) * b->dilation;
  int64_t fit = most(1, (BAND_BYTES / most(1, row) - halo) / b->stride);
  j->bands = (b->count + fit - 1) / fit;
  int64_t work = sec_threads_count() > 1 ? 4 * sec_threads_count() : 1;
  if (j->bands * c->batch * c->groups < work) j->bands = least(b->count, (work + c->batch * c->groups - 1) / (c->batch * c->groups));
  if (j->banded == j->along) { /* whole blocks */
    j->rows = (b->count + j->bands - 1) / j->bands;
    j->rows = (j->rows + j->kernel.most - 1) / j->kernel.most * j->kernel.most;
  } else j->rows = (b->count + j->bands - 1) / j->bands;
  j->bands = (b->count + j->rows - 1) / j->rows;
  sec_parallel(positions_run, (void *[]){j}, c->groups * c->batch * j->bands, 1);
}

/* ---- positions are the batch: gradients of kernels, with much to add for each of few places ---- */
/* Some of the products of all positions, [begin, end) of the outer places and features, for blocks lo .. hi of the result. */
static void batch_chunk(const job *j, int64_t g, int64_t begin, int64_t end, int64_t lo, int64_t hi, sec_conv_run *runs) {
  const conv *c = &j->c;
  int64_t     at[MAX_AXES] = {0}, count[MAX_AXES], size = bytes_of(c), features = 2 * j->kernel.lanes, number = 0;
  const axis *r = j->run_axis < 0 ? NULL : &c->axis[j->run_axis];
  int         most_p = block_of(j, c->batch);
  int64_t     blocks = (c->batch + most_p - 1) / most_p;
  for (int a = 0; a < c->n; a++) count[a] = c->axis[a].count;
  do {
    if ((number + 1) * blocks <= lo || number * blocks >= hi) {
      number++;
      continue;
    }
    sec_conv_tile t = {.a_p = c->x_batch, .a_k = r ? r->dilation * r->x : c->x_feature, .b_k = r ? r->w : c->w_feature, .runs = runs,
                       .add = begin > 0};
    int64_t       first = 0, last = c->features, z = g * c->z_group, inner = r ? c->features : 1;
    if (r) inside(r, at[j->run_axis], &first, &last);
    for (int a = 0; a < c->n; a++) z += at[a] * c->axis[a].z;
    for (int64_t i = begin; i < end; i++) { /* outer places, features innermost */
      int64_t rest = i / inner, k = i % inner, x = g * c->x_group + k * c->x_feature, w = k * c->w_feature;
      bool    hit = first < last;
      for (int a = (int)c->n; a-- > 0;) {
        const axis *v = &c->axis[a];
        int64_t     place = a == j->run_axis ? first : rest % v->window, from = at[a] * v->stride + place * v->dilation - v->low;
        if (a != j->run_axis) rest /= v->window, hit &= from >= 0 && from < v->size;
        x += from * v->x, w += place * v->w;
      }
      if (hit) runs[t.n_runs++] = (sec_conv_run){x, w, last - first};
    }
    for (int64_t b = most(0, lo - number * blocks); b < least(blocks, hi - number * blocks); b++) {
      int p = (int)least(most_p, c->batch - b * most_p);
      t.a = c->x + b * most_p * c->x_batch * size;
      for (int64_t o = 0; o < c->outputs; o += features) {
        t.b = c->w + (g * c->w_group + o) * size;
        run_block(j, &t, z + b * most_p * c->z_batch, c->z_batch, p, o);
      }
    }
    number++;
  } while (next(c, -1, count, at));
}

static int64_t outer_places(const job *j) {
  int64_t n = j->run_axis < 0 ? 1 : j->c.features;
  for (int a = 0; a < j->c.n; a++)
    if (a != j->run_axis) n *= j->c.axis[a].window;
  return n;
}

static void batch_run(void **bufs, int64_t lo, int64_t hi) {
  job          *j = bufs[0];
  const conv   *c = &j->c;
  int64_t       outer = outer_places(j), most_p = block_of(j, c->batch), blocks = (c->batch + most_p - 1) / most_p;
  int64_t       row = (j->run_axis < 0 ? c->features : c->axis[j->run_axis].window) * (c->outputs + c->batch) * bytes_of(c), chunk = most(1, least(outer, CHUNK_BYTES / most(1, row)));
  int64_t       bytes = chunk * (int64_t)sizeof(sec_conv_run);
  sec_conv_run *runs = sec_pool_alloc((size_t)bytes);
  for (int a = 0; a < c->n; a++) blocks *= c->axis[a].count;
  if (!runs) j->failed = true;
  for (int64_t i = lo; i < hi && runs; i++) {
    int64_t g = i / j->parts, part = i % j->parts;
    for (int64_t begin = 0; begin < outer; begin += chunk)
      batch_chunk(j, g, begin, least(outer, begin + chunk), blocks * part / j->parts, blocks * (part + 1) / j->parts, runs);
  }
  sec_pool_free(runs, (size_t)bytes);
}

static void by_batch(job *j) {
  const conv *c = &j->c;
  int64_t longest = c->features;
  j->run_axis = -1;
  for (int a = 0; a < c->n; a++)
    if (c->axis[a].window > longest) longest = c->axis[j->run_axis = a].window;
  j->parts = c->groups >= 4 * sec_threads_count() ? 1 : sec_threads_count();
  sec_parallel(batch_run, (void *[]){j}, c->groups * j->parts, 1);
}

/* ---- the choice ---- */
static void without_gaps(const conv *c) {
  job     j = {.c = *c, .kernel = sec_conv_kernel_for((int)c->kind, c->outputs)};
  int64_t longest = 0;
  bool    empty = c->features == 0;
  for (int a = 0; a < c->n; a++) {
    if (c->axis[a].count == 0) return;
    empty |= c->axis[a].window == 0;
    longest = most(longest, c->axis[a].count);
  }
  for (int a = 0; a < c->n; a++) /* the innermost axis, unless it is short */
    if (c->axis[a].count >= least(longest, j.kernel.most)) j.along = a;
  bool positioned = longest >= j.kernel.most || c->batch <= longest;
  j.dots = positioned && c->x_feature == 1 && sec_conv_dots_for((int)c->kind, c->features, c->outputs, &j.kernel);
  if (empty || !pack(&j)) by_element(c);
  else if (!positioned) by_batch(&j);
  else by_positions(&j);
  sec_pool_free(j.packed, (size_t)j.w_bytes);
  if (j.failed) by_element(c);
}

static int64_t gcd(int64_t a, int64_t b) { return b ? gcd(b, a % b) : a; }

/* Position b' q + r and place w0 + b'' u meet element (r stride + w0 dilation - low) / base + q stride' + u dilation'. */
static void remainders(const conv *c, int a) {
  while (a < c->n && c->axis[a].base == 1) a++;
  if (a == c->n) {
    without_gaps(c);
    return;
  }
  const axis v = c->axis[a];
  int64_t    positions = v.base / gcd(v.stride, v.base), places = v.base / gcd(v.dilation, v.base), size = bytes_of(c);
  for (int64_t r = 0; r < least(positions, v.count); r++) {
    conv    part = *c;
    axis   *p = &part.axis[a];
    int64_t w = 0;
    while (w < places && (r * v.stride + w * v.dilation - v.low) % v.base != 0) w++;
    *p = (axis){.size = v.size, .count = (v.count - r + positions - 1) / positions, .stride = positions * v.stride / v.base, .base = 1,
                .dilation = places * v.dilation / v.base, .x = v.x, .w = v.w * places, .z = v.z * positions};
    if (w < places && w < v.window) {
      p->window = (v.window - w + places - 1) / places;
      p->low = -(r * v.stride + w * v.dilation - v.low) / v.base;
    }
    part.w += w * v.w * size, part.z += r * v.z * size;
    remainders(&part, a + 1);
  }
}

void sec_rt_conv(void **bufs, const int64_t *meta) {
  conv           c = {.x = bufs[0], .w = bufs[1], .z = bufs[2]};
  const int64_t *row = meta + 15;
  memcpy(&c, meta, 15 * sizeof *meta);
  for (int a = 0; a < c.n; a++, row += 10) memcpy(&c.axis[a], row, 10 * sizeof *row);
  if (c.n == 0) c.axis[c.n++] = (axis){.size = 1, .window = 1, .count = 1, .stride = 1, .base = 1, .dilation = 1};
  if (c.batch > 0 && c.outputs > 0 && c.groups > 0) remainders(&c, 0);
}
