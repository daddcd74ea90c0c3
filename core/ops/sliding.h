/* Windows that slide over an array: the geometry that reduce_window, its derivatives and convolutions share.
 *
 * Along one axis an array of `size` elements is spread (`base` - 1 gaps between neighbours), padded by `low` and `high`
 * (negative: cropped), and read by a window of `window` places `dilation` apart that moves by `stride`: place w of window o
 * is the padded position o * stride + w * dilation, which holds element i where that is low + i * base, else nothing. */
#ifndef SEC_SLIDING_H
#define SEC_SLIDING_H

#include "structure.h"

typedef struct sec_slide { int64_t size, window, stride, low, high, base, dilation; } sec_slide;
typedef struct sec_sliding {
  int       rank;
  sec_slide axis[SEC_MAX_RANK];
} sec_sliding;

/* How many windows fit; -1 when a size overflows. */
int64_t sec_slide_count(const sec_slide *s);
/* The element at place w of window o; -1: none. */
int64_t sec_slide_at(const sec_slide *s, int64_t o, int64_t w);
/* The slide over window results that gives, for each element, the windows that hold it, in the order of falling places:
 * place w of the back slide is place window - 1 - w of the forward one. */
sec_slide sec_slide_back(const sec_slide *s);

/* Parameters base_dilation, padding, window_dilation, window_dimensions and window_strides, over an array of type x. */
sec_status  sec_sliding_type(const sec_typing *t, const sec_aval *x, sec_sliding *s, int64_t *dims);
sec_sliding sec_sliding_of(const sec_params *p, const sec_aval *x);
/* As a user gives it; false: an error of `name` is recorded. */
bool        sec_sliding_from_user(const char *name, sec_value x, const sec_window_dims *d, sec_sliding *s);
/* One more axis in front that no window covers. */
sec_sliding sec_sliding_batch(const sec_sliding *lane, int64_t size);
/* The parameters again; `select` is that of select_and_*, or NULL. */
const sec_params *sec_sliding_params(const char *name, const sec_sliding *s, const char *select);

/* Visits the windows in row-major order: calls step for every place that holds an element, with the window's number, the
 * place's number and the element's, then done. */
typedef struct sec_sliding_visit {
  void (*begin)(void *user, int64_t o);
  void (*step)(void *user, int64_t o, int64_t w, int64_t at);
  void (*done)(void *user, int64_t o);
  void *user;
} sec_sliding_visit;
void sec_sliding_walk(const sec_sliding *s, const sec_sliding_visit *v);

/* The array spread and padded with the scalar `fill`. */
sec_value sec_sliding_pad(sec_value x, sec_value fill, const sec_sliding *s);
/* Its windows: axes longer than 1 of the window in front, then the axes of the windows' places.  *n: how many in front. */
sec_value sec_sliding_windows(sec_value x, sec_value fill, const sec_sliding *s, int *n);
/* The windows reduced by what `prim` (a reduce_window_*) stands for, in other operations. */
sec_value sec_sliding_reduce(const sec_primitive *prim, sec_value x, const sec_sliding *s);
/* The number of each place within its window, as i32 in the shape of the windows. */
sec_value sec_sliding_places(sec_value windows, int n);

#endif
