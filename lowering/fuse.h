/* The inside of fusion, shared by fuse.c (groups), steps.c (everything that is not a group) and plan.c. */
#ifndef SEC_FUSE_H
#define SEC_FUSE_H

#include "plan.h"

#define SEC_STEP_VIRTUAL INT32_MAX
#define SEC_SMALL_DOT 40 /* a dot is generated when all of m, n, k are at most this */

typedef struct sec_fuser {
  sec_plan  *plan;
  sec_frame *frame;
  sec_block *block;
  bool       failed; /* out of memory */
} sec_fuser;

void *sec_fuse_alloc(sec_fuser *f, size_t bytes); /* plan memory; sets failed */
sec_step *sec_fuse_add_step(sec_fuser *f, sec_step_kind kind, const sec_eqn *e); /* NULL: no memory */

/* Gives the value a buffer and returns its slot: literals get constant slots, virtual values a store. */
int sec_fuse_materialize(sec_fuser *f, sec_ref ref);
/* The step after which `ref` can be read from its buffer. */
int sec_fuse_ready(const sec_fuser *f, sec_ref ref);

/* Adds an op to the latest group that takes it, or to a new one. */
void sec_fuse_elementwise(sec_fuser *f, const sec_eqn *e);
void sec_fuse_reduce(sec_fuser *f, const sec_eqn *e);
void sec_fuse_dot(sec_fuser *f, const sec_eqn *e);
/* A store: the value `ref`, read at in_map by the given dimensions, goes to `slot` (of type target) at window.
 * through: read the definition of ref, which is the variable that gets this buffer.  out: the variable whose
 * readiness depends on it, or SEC_REF_DROPPED.  Not before the step behind `after`. */
typedef struct sec_store {
  sec_ref         ref;
  bool            through;
  uint32_t        out;
  int             slot, after;
  const sec_aval *target;
  sec_map         in_map, window;
  int             n_dims;
  int64_t         dims[SEC_MAX_DIMS];
  const sec_ref  *start;         /* a moving window: its start scalars */
  const sec_aval *window_type;
} sec_store;
/* Filled in for a store of the whole of `ref` into the whole of `target` (ref may be a scalar: spread out). */
sec_store sec_store_whole(sec_fuser *f, sec_ref ref, int slot, const sec_aval *target);
void      sec_fuse_store(sec_fuser *f, const sec_store *s);

/* The strides and the offset with which `*ref` can be read from the buffer of the value below its views (returned in
 * *ref); false when it cannot. */
bool sec_fuse_view_strides(sec_fuser *f, sec_ref *ref, int64_t *strides, int64_t *offset);

/* Reads of a large array across its grain go through a transposed copy: makes it, when `ref` (read by map, vectors along
 * dimension vdim) is such a read and a transpose is among its views. */
void sec_fuse_straighten(sec_fuser *f, sec_ref ref, const sec_map *map, const int64_t *dims, int n_dims, int vdim);

/* Gives a concatenation or a padding that was virtual a buffer, written window by window; false for other equations. */
bool sec_fuse_windows(sec_fuser *f, uint32_t var);
/* A runtime call that makes the transposed copy, when `var` is a large transpose that moves its last axis. */
bool sec_fuse_transpose(sec_fuser *f, uint32_t var);

/* steps.c */
sec_status sec_fuse_block(sec_plan *plan, const sec_jaxpr *j, const int *in_slots, sec_block *block, sec_frame **frame);
/* The slot that holds result i of a block; a fresh store when the value is an input, a literal or taken already. */
int sec_fuse_result(sec_fuser *f, int i, sec_slot_kind kind);

#endif
