/* What gather and scatter share.  Both move windows between an operand and an array of windows (the
 * result of gather, the updates of scatter): gather reads, scatter writes.  A scatter's dimension
 * numbers are a gather's under other names. */
#ifndef SEC_GATHER_H
#define SEC_GATHER_H

#include "structure.h"

enum { SEC_MODE_CLIP, SEC_MODE_FILL_OR_DROP, SEC_MODE_PROMISE_IN_BOUNDS };

/* Writes what the caller knows of the indices as parameters; returns how many. */
int sec_index_params(int mode, sec_param *list);

/* The names of the five lists in the order of sec_gather_dims, then that of the mode. */
extern const char *const sec_gather_names[5], *const sec_scatter_names[5];

/* The dimension numbers behind the parameters, borrowed. */
sec_gather_dims sec_gather_dims_of(const sec_params *p, const char *const names[5]);

/* Checks indices, lists and mode of t->params, and gives the shape of the array of windows.
 * slice_sizes NULL: taken from the windows themselves, `windows`. */
sec_status sec_windows_type(const sec_typing *t, const char *const names[5],
                            const int64_t *slice_sizes, const sec_aval *windows, int *rank,
                            int64_t *dims);

/* One window starts at sum over batch axes b_i * batch[i].operand + sum_k start_k *
 * start[k].operand; the indices of its start_k are n_start neighbours in the array of indices.
 * Strides in elements. */
typedef struct sec_windows {
  int n_batch, n_start, n_window;
  struct {
    int64_t size, operand, windows;
  } batch[SEC_MAX_RANK];
  struct {
    int64_t last, operand;
  } start[SEC_MAX_RANK]; /* last: the largest start inside */
  struct {
    int64_t size, operand, windows;
  } window[SEC_MAX_RANK];
} sec_windows;
void sec_windows_make(const sec_gather_dims *d, const sec_aval *x, const sec_aval *windows,
                      sec_windows *w);

/* The runtime's words: element size, dtype, index dtype, mode, `extra` (gather: the fill's bits;
 * scatter: the operand's elements), then the counts and entries of sec_windows. */
int sec_windows_meta(const sec_windows *w, sec_dtype dtype, sec_dtype index, int64_t mode,
                     int64_t extra, int64_t *meta);

/* Calls visit(user, operand element or -1 when the window is outside, windows element) for each
 * pair. */
typedef void (*sec_window_visit)(void *user, int64_t operand, int64_t windows);
void sec_windows_walk(const sec_windows *w, const sec_array *indices, int64_t mode,
                      sec_window_visit visit, void *user);

/* Dimension numbers with the mapped axis in front; the lists live in the struct. */
typedef struct sec_batched_dims {
  sec_gather_dims dims;
  int64_t lists[5][SEC_LIST + 1];
} sec_batched_dims;
/* x_batched, indices_batched: which of the two has it; a scatter's operand always has. */
void sec_gather_dims_batch(const sec_gather_dims *lane, bool x_batched, bool indices_batched,
                           sec_batched_dims *out);

/* gather whose windows outside the operand are zero: the inverse of a scatter that drops them */
sec_value sec_gather_or_zero(sec_value x, sec_value indices, const sec_gather_dims *dims,
                             const int64_t *slice_sizes, int mode);

/* ---- scatter.c: what the scatters share; they fold by .combine, or replace ---- */
sec_status sec_scatter_type(sec_typing *t);
sec_status sec_scatter_eval(const sec_eval *e);
sec_status sec_scatter_batch(sec_batch *b);
int sec_scatter_meta(const sec_typing *t, int64_t *meta);
/* Whether the caller promised that no two windows overlap. */
bool sec_scatter_unique(const sec_params *p);
/* The windows of `v`, an array of the operand's shape, where the updates went; zero where they were
 * dropped. */
sec_value sec_scatter_gather_back(const sec_rule *r, sec_value v);
sec_value sec_bind_scatter(const sec_primitive *prim, sec_value x, sec_value indices,
                           sec_value updates, const sec_gather_dims *d, int mode, bool unique);
sec_value sec_scatter_as(const sec_primitive *prim, sec_value x, sec_value indices,
                         sec_value updates, const sec_scatter_dims *dims, int mode, bool unique);

#define SEC_SCATTER                                                                                \
  .operands = {"x", "indices", "updates"}, .type = sec_scatter_type, .eval = sec_scatter_eval,     \
  .batch = sec_scatter_batch, .form = SEC_FORM_RUNTIME, .meta = sec_scatter_meta

#endif
