/* The inside of code emission, shared by emit_group.c (loop nests), emit_value.c (elements) and emit_loop.c (steps). */
#ifndef SEC_EMIT_H
#define SEC_EMIT_H

#include "builder.h"
#include "plan.h"

/* A function being written.  `base` holds the SSA id of every slot's pointer, 0: not loaded yet. */
typedef struct sec_function {
  sec_plan   *plan;
  sec_text    head;        /* loads of pointers and other things at the function's entry */
  sec_builder b;           /* writes where b.out points */
  uint32_t   *base;        /* 1 + SSA id, one a slot */
  int        *slots;       /* slots in the order of the arguments */
  int         n_slots;
  sec_text    globals;     /* module-level text before the function */
  int         n_globals;
  struct { int64_t value; uint32_t id; } constants[64]; /* a small cache; id 0: free, else 1 + SSA id */
  int         vector_bytes;
  int64_t         rotate;  /* in that loop: arrays whose first axis has this length keep it innermost; 0: none do */
  unsigned char  *layout;  /* of every slot: 0 not settled, 1 row-major, 2 first axis innermost */
  const sec_step *loop;    /* the loop that is compiled whole, or NULL: its scalars live in registers */
} sec_function;

#define SEC_MAX_PARTS 8

/* A group being written into a function. */
typedef struct sec_memo { sec_ref ref; sec_map map; int where; sec_lv value; } sec_memo;
typedef struct sec_emitter {
  sec_function    *fn;
  const sec_frame *frame;
  sec_group       *g;
  /* dimensions after merging: loop m stands for the old dimensions that end in last[m] */
  int      n, split, last[SEC_MAX_DIMS];
  bool     columns;       /* vectors run along the last row dimension */
  int64_t  size[SEC_MAX_DIMS];
  bool     straight;      /* no loops: every element written out, for the few elements of a compiled loop's small arrays */
  int      unroll;        /* vectors of columns worked side by side */
  uint32_t part_index[SEC_MAX_PARTS];
  int      vdim, lanes;   /* the dimension that vectors run along (-1: none) and how many lanes */
  uint32_t index[SEC_MAX_DIMS]; /* SSA id of each loop's index; for vdim that of its first lane */
  uint32_t mask;          /* 1 + SSA id of the mask over lanes; 0: all lanes */
  int      segment;
  bool     piecewise;     /* reading a piece under a mask: not hoisted, not remembered */
  bool     in_row;        /* writing code that runs once a row */
  sec_text *row, *body;
  sec_memo *memo;
  int       n_memo, memo_room, row_memo; /* entries [0, row_memo) hold for the whole row */
  uint32_t *row_value;    /* 1 + SSA id of row results, one a variable */
  uint32_t *row_buffer;   /* 1 + SSA id of the row buffer of a value that crosses segments, one a variable */
  sec_dynamics dynamics;  /* run-time terms of the maps in use */
  bool      dry;          /* only collects accesses */
  /* accesses collected: linear coefficients by old dimension */
  int64_t (*accesses)[SEC_MAX_DIMS];
  int       n_accesses, access_room;
  bool      failed;
} sec_emitter;

uint32_t sec_f_base(sec_function *f, int slot); /* SSA id of the slot's pointer */
uint32_t sec_f_index(sec_function *f, int64_t value);  /* an i64 constant */

/* The element of `ref` at `map`, under the emitter's lanes (row code: scalar unless vectors run along a row dimension). */
sec_lv sec_e_value(sec_emitter *e, sec_ref ref, const sec_map *map, bool through);
/* The results of an op's equation at its own place. */
void sec_e_equation(sec_emitter *e, const sec_eqn *eqn, const sec_map *map, bool native, sec_lv *out);
void sec_e_store(sec_emitter *e, sec_lv value, int slot, const sec_aval *type, const sec_map *map, const sec_op *window);
int  sec_e_lanes(const sec_emitter *e); /* of the code being written now */

/* Writes the group as a loop nest at the current place: loops over [lo, hi) of the outermost dimension when these are
 * SSA ids (1 + id), else over all of it. */
void sec_emit_group(sec_function *f, const sec_frame *frame, sec_group *g, uint32_t lo, uint32_t hi, int64_t *extent, int64_t *grain);

/* Whether the slot's memory has its first axis innermost. */
bool sec_f_rotated(sec_function *f, const sec_frame *frame, int slot);
#define SEC_FEW 4 /* elements of an array that a compiled loop keeps in registers */
/* emit_loop.c: A stack place for the slot's few elements; LLVM turns it into registers.  Returns the SSA id. */
uint32_t sec_f_register(sec_function *f, int slot);
/* loops, branches and runtime calls written into a function. */
void sec_emit_block(sec_function *f, const sec_block *block);

#endif
