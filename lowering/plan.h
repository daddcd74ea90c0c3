/* The plan of a program: what an executable runs.  A jaxpr becomes a block of steps over numbered slots (buffers);
 * a step is a fused group (one generated kernel), a call of a runtime function, or a loop or branch with blocks of
 * its own.  Made by fuse.c, given memory by memory.c, turned into code by emit_*.c, run by backends/run.c. */
#ifndef SEC_PLAN_H
#define SEC_PLAN_H

#include "primitive.h"
#include <stdio.h>

#define SEC_MAX_DIMS 12 /* of a group's iteration space */

/* ---- affine maps: axis a of an array at offset + sum_d coef[d] * i_d over a group's dimensions ---- */
typedef struct sec_affine {
  int64_t  offset, coef[SEC_MAX_DIMS];
  uint32_t dynamic; /* 1 + index of a run-time term (sec_dynamic of the group); 0: none */
} sec_affine;
typedef struct sec_map {
  int        rank;
  sec_affine axis[SEC_MAX_RANK];
} sec_map;

/* ---- slots ---- */
typedef enum sec_slot_kind {
  SEC_SLOT_INPUT, SEC_SLOT_OUTPUT, /* of the executable; index: which */
  SEC_SLOT_TEMP,                   /* in the arena, at offset */
  SEC_SLOT_LITERAL,                /* a constant scalar, kept by the executable */
  SEC_SLOT_POINTER                 /* set by the loop around it at every turn */
} sec_slot_kind;
typedef struct sec_slot {
  sec_slot_kind   kind;
  const sec_aval *aval;
  size_t          bytes, offset;
  int             index;
  int             first, last; /* steps between which a TEMP lives */
  bool            claimed;     /* already the home of a result of its block */
  unsigned char   literal[16];
} sec_slot;

/* ---- groups ---- */
typedef enum sec_op_kind { SEC_OP_ELEMENTWISE, SEC_OP_REDUCE, SEC_OP_DOT, SEC_OP_STORE } sec_op_kind;

/* A run-time index term: a scalar operand, clamped to [0, limit], or an i64 in the code being written, times a factor. */
typedef struct sec_dynamic {
  sec_ref  ref;
  int64_t  limit, factor;
  uint32_t value; /* 1 + SSA id; 0: the operand */
  uint32_t next; /* 1 + index of a further term; 0: none */
} sec_dynamic;

/* One piece of work of a group over the group's dimensions. */
typedef struct sec_op {
  sec_op_kind    kind;
  const sec_eqn *eqn;      /* STORE: may be NULL */
  bool           through;  /* STORE: reads the definition of in[0], which is the variable that it gives a buffer */
  bool           row;      /* computed once a row: does not vary along the inner dimensions */
  int            n_in;
  sec_ref       *in;
  sec_map       *in_map;   /* where each operand is read, by the group's dimensions */
  uint32_t       out;      /* the variable (the first of several results) */
  sec_map        out_map;  /* where the result's element belongs; STORE: where it is written */
  int            slot;     /* STORE: into this buffer, of type target */
  const sec_aval *target;
  const sec_ref *start;    /* STORE of dynamic_update_slice: its start scalars, one an axis; else NULL */
  const sec_aval *window;  /* and the type of the update */
  int            segment;  /* row reductions end segments */
} sec_op;

typedef struct sec_group {
  int       n_dims, split; /* dimensions [0, split) are rows, the others inner; split -1: not settled */
  bool      columns;       /* vectors run along the last row dimension, inner dimensions are reduced one by one */
  bool      reduces;
  int64_t   dims[SEC_MAX_DIMS];
  sec_op   *ops;
  int       n_ops, room;
  int64_t   weight;        /* operations an element, for the choice of threads */
} sec_group;

/* ---- steps ---- */
typedef enum sec_step_kind { SEC_STEP_GROUP, SEC_STEP_RUNTIME, SEC_STEP_SCAN, SEC_STEP_WHILE, SEC_STEP_COND } sec_step_kind;

typedef struct sec_block sec_block;
/* [lo, hi) is a part of the kernel's range; a loop compiled whole gets the count of interrupts when the run began and
 * the count's address instead, and leaves early when they differ. */
typedef void sec_kernel_fn(void **bufs, int64_t lo, int64_t hi);

typedef struct sec_step {
  sec_step_kind  kind;
  const sec_eqn *eqn;
  int            first, last;  /* its number, as in slots; of a loop those of its begin and end */
  sec_group     *group;
  int            copied, copy; /* a group that only copies slot copied - 1 to slot copy; 0: does more */
  /* slots of GROUP and RUNTIME: operands, then results (GROUP: in the order of the kernel's arguments) */
  int           *slots;
  int            n_slots;
  int            n_written;    /* RUNTIME: how many of the last slots are results */
  /* RUNTIME */
  const char    *runtime;
  void         (*function)(void **bufs, const int64_t *meta);
  int64_t       *meta;
  int            n_meta;
  /* GROUP, and loops compiled whole */
  char          *text;         /* MLIR of the kernel, its name written as @KERNEL; NULL: interpreted */
  sec_kernel_fn *kernel;
  int64_t        extent, grain; /* the kernel's range [0, extent), to be cut at multiples of grain */
  bool           parallel;
  /* SCAN, WHILE, COND: blocks (SCAN: body; WHILE: cond, body; COND: branches) */
  sec_block     *blocks;
  int            n_blocks;
  int64_t        length;
  bool           reverse;
  int            n_carry, n_xs, n_ys;
  int           *init, *carry_in, *carry_out, *spare, *result; /* n_carry slots each */
  int           *xs, *x, *ys, *y;
  int            which;        /* COND: slot of the index; WHILE: slot of the predicate */
} sec_step;

struct sec_block {
  struct sec_frame *frame;
  sec_step *steps;
  int       n_steps, room;
};

/* Result `out` may be written over the memory of operand `in`, when the caller gives it away. */
typedef struct sec_alias { int in, out; } sec_alias;

typedef struct sec_plan {
  const sec_jaxpr *jaxpr;    /* closed: no captures */
  sec_slot        *slots;
  int              n_slots, slot_room;
  sec_block        block;
  int             *in_slots, *out_slots;
  size_t           arena_bytes;
  sec_alias       *aliases;   /* by result, then operand */
  int              n_aliases;
  int              n_numbered; /* steps, nested ones included */
  struct sec_frame *frames;    /* one a (sub-)jaxpr: variables to slots, for the emitters */
  sec_arena       *memory;
  sec_context     *cx;
} sec_plan;

/* A (sub-)jaxpr being lowered. */
typedef struct sec_frame {
  struct sec_frame *next;
  const sec_jaxpr  *j;
  int              *slot;     /* of every variable, -1: has none */
  const sec_eqn   **def;      /* the equation that makes a variable; NULL for inputs */
  uint32_t         *n_uses;
  const sec_eqn   **user;     /* the last equation that reads it */
  int              *step;     /* when a variable is ready: -1 before the block, else its step; INT32_MAX: virtual */
  sec_op          **op;       /* the op that computes it, with its group's step in `step` */
  sec_group       **group;
  int               first_slot; /* slots from here on were made by this block */
  bool             *is_virtual; /* computed wherever it is read: views, iota, constants spread out */
  bool             *can_follow; /* was so before it got a buffer: steps up to the one that fills it still follow it */
  int               now;        /* the step being laid out or written; INT32_MAX while groups are made */
} sec_frame;

static inline bool sec_is_virtual(const sec_frame *f, uint32_t var) {
  return f->is_virtual[var] || (f->can_follow[var] && f->step[var] >= f->now);
}

/* Makes the plan; *out is freed with sec_plan_free.  vector_bytes: of the target. */
sec_status sec_plan_make(const sec_jaxpr *closed, sec_plan **out);
void       sec_plan_free(sec_plan *p);
char      *sec_plan_print(const sec_plan *p); /* the groups and steps as text; sec_mem_free() it, NULL without memory */
char      *sec_step_print(const sec_block *b, const sec_step *s); /* one step's line of it */

/* The bytes of a literal in its dtype. */
void sec_literal_bytes(const sec_literal *l, unsigned char bytes[16]);
int  sec_plan_add_slot(sec_plan *p, sec_slot_kind kind, const sec_aval *aval); /* -1 without memory */

/* access.c */
bool sec_map_equal(const sec_map *a, const sec_map *b, const sec_aval *aval);
#define SEC_MAX_DYNAMICS 256
typedef struct sec_dynamics {
  sec_dynamic list[SEC_MAX_DYNAMICS]; /* a map's axis names its first term by 1 + index */
  int         n;
} sec_dynamics;
/* One step: reads through the equation that makes *ref if that is virtual; false when there is nothing to follow. */
bool sec_map_step(const sec_frame *f, sec_ref *ref, sec_map *map, sec_dynamics *dynamics, bool through);
/* Whether the reshape can be followed: every operand axis is a run of result axes. */
bool sec_reshape_splits(const sec_aval *in, const sec_aval *out);
/* The map of an array whose axes longer than 1 are the dimensions, in order. */
sec_map sec_map_native(const sec_aval *aval);

/* emit.c: writes step->text for every group and for loops that are compiled whole. */
sec_status sec_emit_plan(sec_plan *p, int vector_bytes);

/* alias.c: finds the plan's aliases and copies, once code is written. */
sec_status sec_plan_aliases(sec_plan *p);

/* canonical.c: rewrites that help fusion. */
/* planar.c: no complex arithmetic any more; whether there is something to do. */
sec_status sec_planar(const sec_jaxpr *j, sec_jaxpr **out);
bool       sec_has_complex(const sec_jaxpr *j);
sec_status sec_canonical(const sec_jaxpr *j, sec_jaxpr **out);

#endif
