/* Steps as code: groups become kernels of their own; a loop whose body is small becomes one kernel with the loop, its
 * groups, branches and runtime calls inside, the carried buffers taking turns. */
#include "emit.h"
#include "memory.h"
#include <string.h>

#define SMALL_BODY (1 << 16) /* elements a body may touch at a turn to be compiled whole */
#define MANY_STEPS 400

static int64_t block_work(const sec_plan *p, const sec_block *b, int *n_steps);

static uint32_t new_id(sec_function *f) { return f->b.next_id++; }

static uint32_t at_bytes(sec_function *f, uint32_t base, uint32_t index, size_t bytes) {
  uint32_t stride = sec_f_index(f, (int64_t)bytes), offset = new_id(f), id = new_id(f);
  sec_text_append(f->b.out, "%%v%u = arith.muli %%v%u, %%v%u : i64\n%%v%u = llvm.getelementptr %%v%u[%%v%u] : (!llvm.ptr, i64) -> !llvm.ptr, i8\n", offset, index, stride, id,
                  base, offset);
  return id;
}

static void copy_bytes(sec_function *f, uint32_t to, uint32_t from, size_t bytes) {
  if (bytes)
    sec_text_append(f->b.out, "\"llvm.intr.memmove\"(%%v%u, %%v%u, %%v%u) <{isVolatile = false}> : (!llvm.ptr, !llvm.ptr, i64) -> ()\n", to, from,
                    sec_f_index(f, (int64_t)bytes));
}

/* ---- small arrays of a loop: in registers ---- */
static const char *storage(const sec_function *f, int slot) {
  sec_dtype d = f->plan->slots[slot].aval->dtype;
  if (sec_dtype_kind(d) == SEC_KIND_COMPLEX) return d == SEC_C64 ? "i64" : "i128"; /* only moved */
  return d == SEC_BOOL ? "i8" : sec_dtype_mlir_name(d);
}

uint32_t sec_f_register(sec_function *f, int slot) {
  uint32_t id = new_id(f), count = sec_f_index(f, f->plan->slots[slot].aval->size);
  sec_text_append(&f->head, "%%v%u = llvm.alloca %%v%u x %s : (i64) -> !llvm.ptr\n", id, count, storage(f, slot));
  return id;
}

static uint32_t element(sec_function *f, uint32_t base, int slot, int64_t i) {
  if (i == 0) return base;
  uint32_t id = new_id(f);
  sec_text_append(f->b.out, "%%v%u = llvm.getelementptr %%v%u[%lld] : (!llvm.ptr) -> !llvm.ptr, %s\n", id, base, (long long)i, storage(f, slot));
  return id;
}

static void copy_element(sec_function *f, uint32_t to, uint32_t from, int slot) {
  uint32_t id = new_id(f);
  sec_text_append(f->b.out, "%%v%u = llvm.load %%v%u : !llvm.ptr -> %s\nllvm.store %%v%u, %%v%u : %s, !llvm.ptr\n", id, from, storage(f, slot), id, to, storage(f, slot));
}

static void copy_few(sec_function *f, uint32_t to, uint32_t from, int slot) {
  for (int64_t i = 0; i < f->plan->slots[slot].aval->size; i++) copy_element(f, element(f, to, slot, i), element(f, from, slot, i), slot);
}

/* ---- batches of small arrays: a loop may keep the first axis innermost, so that vectors run along the batch ---- */
bool sec_f_rotated(sec_function *f, const sec_frame *frame, int slot) {
  if (!f->rotate || f->layout[slot] == 1) return false;
  if (f->layout[slot] == 2) return true;
  const sec_slot *s = &f->plan->slots[slot];
  bool            fits = s->kind == SEC_SLOT_TEMP && s->first > f->loop->first && s->last < f->loop->last && s->aval->size > SEC_FEW;
  for (uint32_t v = 0; v < frame->j->n_vars && fits; v++) /* reshaped names of the memory too */
    if (frame->slot[v] == slot) fits = frame->j->avals[v]->rank > 0 && frame->j->avals[v]->dims[0] == f->rotate;
  f->layout[slot] = fits && s->aval->rank > 0 && s->aval->dims[0] == f->rotate ? 2 : 1;
  return f->layout[slot] == 2;
}

static bool worth_rotating(const sec_aval *a) {
  return a->rank > 1 && a->dims[0] >= 8 && a->dims[a->rank - 1] < 8 && a->size > SEC_FEW && a->size <= 4096;
}

/* Settles the layout of a loop whose bodies are groups alone: the first axis of its carried arrays, if that is long and
 * their last one short. */
static void choose_rotation(sec_function *f, const sec_step *s) {
  if (f->loop != s) return;
  for (int b = 0; b < s->n_blocks; b++)
    for (int i = 0; i < s->blocks[b].n_steps; i++)
      if (s->blocks[b].steps[i].kind != SEC_STEP_GROUP) return;
  for (int k = 0; k < s->n_carry && !f->rotate; k++)
    if (worth_rotating(f->plan->slots[s->init[k]].aval)) f->rotate = f->plan->slots[s->init[k]].aval->dims[0];
  const sec_frame *frame = s->blocks[s->n_blocks - 1].frame;
  for (int k = 0; k < s->n_carry && f->rotate; k++) {
    const sec_aval *a = f->plan->slots[s->init[k]].aval;
    bool            fits = worth_rotating(a) && a->dims[0] == f->rotate;
    for (int b = 0; b < s->n_blocks && fits; b++) {
      frame = s->blocks[b].frame;
      for (uint32_t v = 0; v < frame->j->n_vars && fits; v++)
        if (frame->slot[v] == s->carry_in[k] || frame->slot[v] == s->carry_out[k])
          fits = frame->j->avals[v]->rank > 0 && frame->j->avals[v]->dims[0] == f->rotate;
    }
    f->layout[s->carry_in[k]] = f->layout[s->carry_out[k]] = fits ? 2 : 1;
  }
}

static uint32_t room_for(sec_function *f, int slot) {
  uint32_t id = new_id(f), bytes = sec_f_index(f, (int64_t)f->plan->slots[slot].bytes + 128);
  sec_text_append(&f->head, "%%v%u = llvm.alloca %%v%u x i8 {alignment = 64 : i64} : (i64) -> !llvm.ptr\n", id, bytes);
  return id;
}

/* Copies [first, rest] with the first axis innermost (into) or back. */
static void turn_axes(sec_function *f, uint32_t to, uint32_t from, int slot, bool into) {
  const sec_aval *a = f->plan->slots[slot].aval;
  int64_t         first = a->dims[0], rest = a->size / first;
  const char     *type = storage(f, slot);
  uint32_t        b = new_id(f), r = new_id(f), row = new_id(f), rows = new_id(f), turned = new_id(f), turns = new_id(f), x = new_id(f), p = new_id(f), q = new_id(f);
  uint32_t        zero = sec_f_index(f, 0), one = sec_f_index(f, 1), n = sec_f_index(f, first), m = sec_f_index(f, rest);
  sec_text_append(f->b.out, "scf.for %%v%u = %%v%u to %%v%u step %%v%u : i64 {\nscf.for %%v%u = %%v%u to %%v%u step %%v%u : i64 {\n", b, zero, n, one, r, zero, m, one);
  sec_text_append(f->b.out, "%%v%u = arith.muli %%v%u, %%v%u : i64\n%%v%u = arith.addi %%v%u, %%v%u : i64\n", rows, b, m, row, rows, r);
  sec_text_append(f->b.out, "%%v%u = arith.muli %%v%u, %%v%u : i64\n%%v%u = arith.addi %%v%u, %%v%u : i64\n", turns, r, n, turned, turns, b);
  sec_text_append(f->b.out, "%%v%u = llvm.getelementptr %%v%u[%%v%u] : (!llvm.ptr, i64) -> !llvm.ptr, %s\n", p, from, into ? row : turned, type);
  sec_text_append(f->b.out, "%%v%u = llvm.getelementptr %%v%u[%%v%u] : (!llvm.ptr, i64) -> !llvm.ptr, %s\n", q, to, into ? turned : row, type);
  sec_text_append(f->b.out, "%%v%u = llvm.load %%v%u : !llvm.ptr -> %s\nllvm.store %%v%u, %%v%u : %s, !llvm.ptr\n}\n}\n", x, p, type, x, q, type);
}

static bool is_turned(const sec_function *f, const sec_step *s, int k) { return f->rotate && f->layout[s->carry_in[k]] == 2; }

/* Pointers (read, write, other) of a carried array with its axes turned: two places of the kernel's own. */
static void start_turned(sec_function *f, const sec_step *s, int k, uint32_t *start) {
  start[0] = start[2] = room_for(f, s->init[k]);
  start[1] = room_for(f, s->init[k]);
  turn_axes(f, start[0], sec_f_base(f, s->init[k]), s->init[k], true);
}

/* The carried values that take turns in buffers; the others, of few elements, have a place for what is read and one for
 * what is written, copied after every turn. */
typedef struct carried {
  int  n, *which;             /* turning values: numbers in the step's lists */
  int  n_scalars, *scalars;
  uint32_t *read, *write;     /* places of the scalars */
} carried;

static bool carry_split(sec_function *f, const sec_step *s, carried *c) {
  choose_rotation(f, s);
  size_t n = (size_t)s->n_carry + 1;
  *c = (carried){.which = sec_arena_alloc(f->plan->memory, n * sizeof(int)), .scalars = sec_arena_alloc(f->plan->memory, n * sizeof(int)),
                 .read = sec_arena_alloc(f->plan->memory, n * sizeof(uint32_t)), .write = sec_arena_alloc(f->plan->memory, n * sizeof(uint32_t))};
  if (!c->which || !c->scalars || !c->read || !c->write) {
    f->b.error = "out of memory while writing code";
    return false;
  }
  for (int k = 0; k < s->n_carry; k++) {
    if (f->plan->slots[s->init[k]].aval->size < 1 || f->plan->slots[s->init[k]].aval->size > SEC_FEW) {
      c->which[c->n++] = k;
      continue;
    }
    int i = c->n_scalars++;
    c->scalars[i] = k;
    c->read[i] = sec_f_register(f, s->init[k]);
    c->write[i] = sec_f_register(f, s->init[k]);
    copy_few(f, c->read[i], sec_f_base(f, s->init[k]), s->init[k]);
  }
  return true;
}

static void scalars_turn(sec_function *f, const sec_step *s, const carried *c) {
  for (int i = 0; i < c->n_scalars; i++) copy_few(f, c->read[i], c->write[i], s->init[c->scalars[i]]);
}

static void scalars_end(sec_function *f, const sec_step *s, const carried *c) {
  for (int i = 0; i < c->n_scalars; i++) copy_few(f, sec_f_base(f, s->result[c->scalars[i]]), c->read[i], s->init[c->scalars[i]]);
}

/* ---- carried buffers: (read, write, other) pointers, three a value, turning at every step ---- */
static uint32_t *turn_ids(sec_function *f, int n) {
  uint32_t *ids = sec_arena_alloc(f->plan->memory, (size_t)(3 * n + 1) * sizeof *ids);
  if (!ids) f->b.error = "out of memory while writing code";
  for (int k = 0; ids && k < 3 * n; k++) ids[k] = new_id(f);
  return ids;
}

static void list_pointers(sec_function *f, const char *before, const char *each, const uint32_t *ids, const uint32_t *values, int n, const char *after) {
  for (int k = 0; k < n; k++) {
    sec_text_append(f->b.out, "%s", k ? ", " : before);
    if (values) sec_text_append(f->b.out, "%%v%u = %%v%u", ids[k], values[k]);
    else if (ids) sec_text_append(f->b.out, "%%v%u%s", ids[k], each);
    else sec_text_append(f->b.out, "!llvm.ptr");
  }
  if (n) sec_text_append(f->b.out, "%s", after);
}

static void set_carry(sec_function *f, const sec_step *s, const carried *c, const uint32_t *ids) {
  for (int i = 0; i < c->n; i++) {
    f->base[s->carry_in[c->which[i]]] = ids[3 * i] + 1;
    f->base[s->carry_out[c->which[i]]] = ids[3 * i + 1] + 1;
  }
  for (int i = 0; i < c->n_scalars; i++) {
    f->base[s->carry_in[c->scalars[i]]] = c->read[i] + 1;
    f->base[s->carry_out[c->scalars[i]]] = c->write[i] + 1;
  }
}

static void yield_turn(sec_function *f, const uint32_t *ids, int n) {
  if (!n) return;
  sec_text_append(f->b.out, "scf.yield ");
  for (int k = 0; k < n; k++) sec_text_append(f->b.out, "%s%%v%u, %%v%u, %%v%u", k ? ", " : "", ids[3 * k + 1], ids[3 * k + 2], ids[3 * k + 1]);
  list_pointers(f, " : ", "", NULL, NULL, 3 * n, "\n");
}

/* ---- interruption: %v0 is the count of interrupts when the run began, %v1 the address of the count ---- */
#define CHECK_EVERY 1024 /* turns; fewer when a turn does more than 64 elements */

/* The SSA id of an i1: `also`, and nobody has interrupted the run.  Volatile: a load that stays in the loop. */
static uint32_t not_interrupted(sec_function *f, uint32_t also) {
  uint32_t count = new_id(f), same = new_id(f), both = new_id(f), address = new_id(f);
  sec_text_append(f->b.out, "%%v%u = llvm.inttoptr %%v1 : i64 to !llvm.ptr\n%%v%u = llvm.load volatile %%v%u : !llvm.ptr -> i64\n", address, count, address);
  sec_text_append(f->b.out, "%%v%u = arith.cmpi eq, %%v%u, %%v0 : i64\n%%v%u = arith.andi %%v%u, %%v%u : i1\n", same, count, both, same, also);
  return both;
}

static int64_t turns_between_checks(const sec_function *f, const sec_step *s) {
  int     n_steps = 0;
  int64_t work = block_work(f->plan, &s->blocks[0], &n_steps), turns = 64 * CHECK_EVERY / (work ? work : 1);
  return turns < 1 ? 1 : turns > CHECK_EVERY ? CHECK_EVERY : turns;
}

/* Turns `from` (an SSA id) up to `to`, from the pointers `start` to `end`. */
static void emit_turns(sec_function *f, const sec_step *s, const carried *c, uint32_t from, uint32_t to, const uint32_t *start, const uint32_t *end) {
  int       n = c->n;
  uint32_t *ids = turn_ids(f, n), i = new_id(f), index = i;
  if (!ids) return;
  list_pointers(f, "", "", end, NULL, 3 * n, " = ");
  sec_text_append(f->b.out, "scf.for %%v%u = %%v%u to %%v%u step %%v%u", i, from, to, sec_f_index(f, 1));
  list_pointers(f, " iter_args(", "", ids, start, 3 * n, ")");
  list_pointers(f, " -> (", "", NULL, NULL, 3 * n, ")");
  sec_text_append(f->b.out, " : i64 {\n");
  if (s->reverse) {
    index = new_id(f);
    sec_text_append(f->b.out, "%%v%u = arith.subi %%v%u, %%v%u : i64\n", index, sec_f_index(f, s->length - 1), i);
  }
  set_carry(f, s, c, ids);
  for (int k = 0; k < s->n_xs; k++) f->base[s->x[k]] = 1 + at_bytes(f, sec_f_base(f, s->xs[k]), index, f->plan->slots[s->x[k]].bytes);
  for (int k = 0; k < s->n_ys; k++) f->base[s->y[k]] = 1 + at_bytes(f, sec_f_base(f, s->ys[k]), index, f->plan->slots[s->y[k]].bytes);
  sec_emit_block(f, &s->blocks[0]);
  scalars_turn(f, s, c);
  yield_turn(f, ids, n);
  sec_text_append(f->b.out, "}\n");
}

/* Runs of turns, with a look at the count of interrupts before each. */
static void emit_runs(sec_function *f, const sec_step *s, const carried *c, int64_t turns, const uint32_t *start, const uint32_t *end) {
  int       n = c->n;
  uint32_t *ids = turn_ids(f, n), *inner = turn_ids(f, n), *last = turn_ids(f, n);
  uint32_t  length = sec_f_index(f, s->length), done = new_id(f), from = new_id(f), to = new_id(f), less = new_id(f);
  if (!ids || !inner || !last) return;
  sec_text_append(f->b.out, "%%v%u", new_id(f));
  list_pointers(f, ", ", "", end, NULL, 3 * n, "");
  sec_text_append(f->b.out, " = scf.while (%%v%u = %%v%u", done, sec_f_index(f, 0));
  list_pointers(f, ", ", "", ids, start, 3 * n, "");
  sec_text_append(f->b.out, ") : (i64");
  list_pointers(f, ", ", "", NULL, NULL, 3 * n, "");
  sec_text_append(f->b.out, ") -> (i64");
  list_pointers(f, ", ", "", NULL, NULL, 3 * n, "");
  sec_text_append(f->b.out, ") {\n%%v%u = arith.cmpi slt, %%v%u, %%v%u : i64\n", less, done, length);
  sec_text_append(f->b.out, "scf.condition(%%v%u) %%v%u", not_interrupted(f, less), done);
  list_pointers(f, ", ", "", ids, NULL, 3 * n, "");
  sec_text_append(f->b.out, " : i64");
  list_pointers(f, ", ", "", NULL, NULL, 3 * n, "");
  sec_text_append(f->b.out, "\n} do {\n^bb0(%%v%u: i64", from);
  list_pointers(f, ", ", ": !llvm.ptr", inner, NULL, 3 * n, "");
  uint32_t sum = new_id(f);
  sec_text_append(f->b.out, "):\n%%v%u = arith.addi %%v%u, %%v%u : i64\n%%v%u = arith.minsi %%v%u, %%v%u : i64\n", sum, from, sec_f_index(f, turns), to, sum, length);
  emit_turns(f, s, c, from, to, inner, last);
  sec_text_append(f->b.out, "scf.yield %%v%u", to);
  list_pointers(f, ", ", "", last, NULL, 3 * n, "");
  sec_text_append(f->b.out, " : i64");
  list_pointers(f, ", ", "", NULL, NULL, 3 * n, "");
  sec_text_append(f->b.out, "\n}\n");
}

static void emit_scan(sec_function *f, const sec_step *s) {
  carried c;
  if (s->length == 0) {
    for (int k = 0; k < s->n_carry; k++) copy_bytes(f, sec_f_base(f, s->result[k]), sec_f_base(f, s->init[k]), f->plan->slots[s->init[k]].bytes);
    return;
  }
  if (!carry_split(f, s, &c)) return;
  int       n = c.n;
  uint32_t *start = turn_ids(f, n), *end = turn_ids(f, n);
  if (!start || !end) return;
  for (int i = 0; i < n; i++) { /* the last turn writes into the result */
    uint32_t result = sec_f_base(f, s->result[c.which[i]]), spare = sec_f_base(f, s->spare[c.which[i]]);
    start[3 * i] = sec_f_base(f, s->init[c.which[i]]);
    start[3 * i + 1] = s->length % 2 ? result : spare;
    start[3 * i + 2] = s->length % 2 ? spare : result;
    if (is_turned(f, s, c.which[i])) start_turned(f, s, c.which[i], start + 3 * i);
  }
  for (int k = 0; k < s->n_xs; k++) sec_f_base(f, s->xs[k]);
  for (int k = 0; k < s->n_ys; k++) sec_f_base(f, s->ys[k]);
  int64_t turns = turns_between_checks(f, s);
  if (s->length > turns) emit_runs(f, s, &c, turns, start, end);
  else emit_turns(f, s, &c, sec_f_index(f, 0), sec_f_index(f, s->length), start, end);
  scalars_end(f, s, &c);
  for (int i = 0; i < n; i++)
    if (is_turned(f, s, c.which[i])) turn_axes(f, sec_f_base(f, s->result[c.which[i]]), end[3 * i], s->init[c.which[i]], false);
}

static void emit_while(sec_function *f, const sec_step *s) {
  carried c;
  if (!carry_split(f, s, &c)) return;
  int       n = c.n;
  uint32_t *ids = turn_ids(f, n), *inner = turn_ids(f, n), *start = turn_ids(f, n), *end = turn_ids(f, n);
  if (!ids || !start || !end || !inner) return;
  for (int i = 0; i < n; i++) {
    start[3 * i] = sec_f_base(f, s->init[c.which[i]]);
    start[3 * i + 1] = sec_f_base(f, s->result[c.which[i]]);
    start[3 * i + 2] = sec_f_base(f, s->spare[c.which[i]]);
    if (is_turned(f, s, c.which[i])) start_turned(f, s, c.which[i], start + 3 * i);
  }
  sec_f_base(f, s->which);
  list_pointers(f, "", "", end, NULL, 3 * n, " = ");
  sec_text_append(f->b.out, "scf.while%s", n ? "" : " : () -> ()");
  list_pointers(f, " (", "", ids, start, 3 * n, ")");
  list_pointers(f, " : (", "", NULL, NULL, 3 * n, ") -> ");
  list_pointers(f, "(", "", NULL, NULL, 3 * n, ")");
  sec_text_append(f->b.out, " {\n");
  set_carry(f, s, &c, ids);
  sec_emit_block(f, &s->blocks[0]);
  uint32_t byte = new_id(f), bit = new_id(f);
  sec_text_append(f->b.out, "%%v%u = llvm.load %%v%u : !llvm.ptr -> i8\n%%v%u = arith.trunci %%v%u : i8 to i1\n", byte, sec_f_base(f, s->which), bit, byte);
  sec_text_append(f->b.out, "scf.condition(%%v%u)", not_interrupted(f, bit));
  list_pointers(f, " ", "", ids, NULL, 3 * n, "");
  list_pointers(f, " : ", "", NULL, NULL, 3 * n, "");
  sec_text_append(f->b.out, "\n} do {\n");
  list_pointers(f, "^bb0(", ": !llvm.ptr", inner, NULL, 3 * n, "):\n");
  set_carry(f, s, &c, inner);
  sec_emit_block(f, &s->blocks[1]);
  scalars_turn(f, s, &c);
  if (n) yield_turn(f, inner, n);
  else sec_text_append(f->b.out, "scf.yield\n");
  sec_text_append(f->b.out, "}\n");
  scalars_end(f, s, &c);
  for (int i = 0; i < n; i++) {
    int k = c.which[i];
    if (is_turned(f, s, k)) turn_axes(f, sec_f_base(f, s->result[k]), end[3 * i], s->init[k], false);
    else copy_bytes(f, start[3 * i + 1], end[3 * i], f->plan->slots[s->init[k]].bytes);
  }
}

static void emit_cond(sec_function *f, const sec_step *s) {
  const sec_aval *aval = f->plan->slots[s->which].aval;
  bool            is_bool = aval->dtype == SEC_BOOL;
  uint32_t        index = new_id(f);
  const char     *type = is_bool ? "i8" : "i32";
  sec_text_append(f->b.out, "%%v%u = llvm.load %%v%u : !llvm.ptr -> %s\n", index, sec_f_base(f, s->which), type);
  for (int k = 0; k < s->n_carry; k++) sec_f_base(f, s->result[k]);
  for (int b = 0; b < s->n_blocks; b++) { /* the first branch also takes what is below, the last what is above */
    uint32_t    number = new_id(f), test = new_id(f);
    bool        first = b == 0, last = b == s->n_blocks - 1;
    const char *predicate = first && last ? "eq" : first ? "sle" : last ? "sge" : "eq";
    sec_text_append(f->b.out, "%%v%u = arith.constant %d : %s\n%%v%u = arith.cmpi %s, %%v%u, %%v%u : %s\nscf.if %%v%u {\n", number, b, type, test, predicate,
                    first && last ? number : index, number, type, test);
    for (int k = 0; k < s->n_carry; k++) f->base[s->carry_out[b * s->n_carry + k]] = 1 + sec_f_base(f, s->result[k]);
    sec_emit_block(f, &s->blocks[b]);
    sec_text_append(f->b.out, "}\n");
  }
}

static void emit_runtime(sec_function *f, const sec_step *s) {
  uint32_t count = sec_f_index(f, s->n_slots), list = new_id(f), meta = new_id(f);
  sec_text_append(&f->head, "%%v%u = llvm.alloca %%v%u x !llvm.ptr : (i64) -> !llvm.ptr\n", list, count);
  for (int k = 0; k < s->n_slots; k++) {
    uint32_t at = new_id(f);
    sec_text_append(f->b.out, "%%v%u = llvm.getelementptr %%v%u[%d] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr\nllvm.store %%v%u, %%v%u : !llvm.ptr, !llvm.ptr\n", at, list, k,
                    sec_f_base(f, s->slots[k]), at);
  }
  sec_text_append(&f->globals, "llvm.mlir.global internal constant @KERNEL_meta%d(dense<[", f->n_globals);
  for (int k = 0; k < s->n_meta; k++) sec_text_append(&f->globals, "%s%lld", k ? ", " : "", (long long)s->meta[k]);
  sec_text_append(&f->globals, "]> : tensor<%dxi64>) : !llvm.array<%d x i64>\n", s->n_meta, s->n_meta);
  sec_text_append(f->b.out, "%%v%u = llvm.mlir.addressof @KERNEL_meta%d : !llvm.ptr\nllvm.call @%s(%%v%u, %%v%u) : (!llvm.ptr, !llvm.ptr) -> ()\n", meta, f->n_globals++,
                  s->runtime, list, meta);
}

void sec_emit_block(sec_function *f, const sec_block *block) {
  for (int i = 0; i < block->n_steps && !f->b.error; i++) {
    sec_step *s = &block->steps[i];
    int64_t   extent, grain;
    block->frame->now = i;
    switch (s->kind) {
    case SEC_STEP_GROUP: sec_emit_group(f, block->frame, s->group, 0, 0, &extent, &grain); break;
    case SEC_STEP_RUNTIME: emit_runtime(f, s); break;
    case SEC_STEP_SCAN: emit_scan(f, s); break;
    case SEC_STEP_WHILE: emit_while(f, s); break;
    case SEC_STEP_COND: emit_cond(f, s); break;
    }
  }
}

/* ---- kernels ---- */
static int64_t group_elements(const sec_group *g) {
  int64_t n = 1;
  for (int d = 0; d < g->n_dims; d++) n *= g->dims[d];
  return n;
}

/* Elements that one pass over the block touches, and how many steps it has. */
static int64_t block_work(const sec_plan *p, const sec_block *b, int *n_steps) {
  int64_t work = 0;
  for (int i = 0; i < b->n_steps; i++) {
    const sec_step *s = &b->steps[i];
    ++*n_steps;
    if (s->kind == SEC_STEP_GROUP) work += group_elements(s->group);
    if (s->kind == SEC_STEP_RUNTIME && s->eqn->prim->flags & SEC_FLAG_HOST) work += SMALL_BODY + 1;
    if (s->kind == SEC_STEP_RUNTIME)
      for (int k = 0; k < s->n_slots; k++) work += p->slots[s->slots[k]].aval->size;
    for (int k = 0; k < s->n_blocks; k++) work += block_work(p, &s->blocks[k], n_steps);
  }
  return work;
}

static void weigh(const sec_group *g, double *weight) {
  *weight = 0;
  for (int i = 0; i < g->n_ops; i++) {
    const sec_op *o = &g->ops[i];
    if (!o->row) *weight += o->kind == SEC_OP_STORE || (o->eqn && (o->eqn->prim->flags & SEC_FLAG_CHEAP)) ? 1 : 4;
  }
}

static sec_status finish(sec_function *f, sec_step *s) {
  sec_text text = {0};
  if (!f->b.error && f->b.out->data)
    sec_text_append(&text, "%sllvm.func @KERNEL(%%bufs: !llvm.ptr, %%v0: i64, %%v1: i64) {\n%s%sllvm.return\n}\n", f->globals.data ? f->globals.data : "",
                    f->head.data ? f->head.data : "", f->b.out->data);
  s->n_slots = f->n_slots;
  s->slots = sec_arena_alloc(f->plan->memory, (size_t)(f->n_slots + 1) * sizeof *s->slots);
  if (s->slots && f->slots) memcpy(s->slots, f->slots, (size_t)f->n_slots * sizeof *s->slots);
  s->text = text.data;
  sec_status status = SEC_OK;
  if (f->b.error) status = sec_error_set(SEC_COMPILE, NULL, "%s", f->b.error);
  else if (!s->slots || (f->b.out->data && !s->text)) status = sec_error_set(SEC_MEMORY, NULL, "out of memory while writing code");
  sec_mem_free(f->head.data), sec_mem_free(f->globals.data), sec_mem_free(f->b.out->data), sec_mem_free(f->base), sec_mem_free(f->slots), sec_mem_free(f->layout);
  return status;
}

static sec_status emit_step(sec_plan *p, const sec_block *block, sec_step *s, int vector_bytes) {
  sec_text     body = {0};
  sec_function f = {.plan = p, .vector_bytes = vector_bytes, .b = {.out = &body, .next_id = 2, .lanes = 1}};
  f.base = sec_mem_zeroed((size_t)p->n_slots + 1, sizeof *f.base);
  f.slots = sec_mem_zeroed((size_t)p->n_slots + 1, sizeof *f.slots);
  f.layout = sec_mem_zeroed((size_t)p->n_slots + 1, sizeof *f.layout);
  if (!f.base || !f.slots || !f.layout) f.b.error = "out of memory while writing code";
  else if (s->kind == SEC_STEP_GROUP) {
    double weight;
    block->frame->now = (int)(s - block->steps);
    weigh(s->group, &weight);
    sec_emit_group(&f, block->frame, s->group, 1, 2, &s->extent, &s->grain);
    s->parallel = s->extent > 1 && (double)group_elements(s->group) * weight > 100000;
  } else {
    f.loop = s;
    sec_block one = {.frame = block->frame, .steps = s, .n_steps = 1}; /* a loop: its own blocks have their own frames */
    sec_emit_block(&f, &one);
    s->extent = s->grain = 1;
  }
  return finish(&f, s);
}

static sec_status emit_steps(sec_plan *p, sec_block *b, int vector_bytes) {
  for (int i = 0; i < b->n_steps; i++) {
    sec_step *s = &b->steps[i];
    int       n_steps = 0;
    if (s->kind == SEC_STEP_RUNTIME) continue;
    bool whole = s->kind == SEC_STEP_GROUP;
    if (s->kind == SEC_STEP_SCAN || s->kind == SEC_STEP_WHILE) {
      int64_t work = 0;
      for (int k = 0; k < s->n_blocks; k++) work += block_work(p, &s->blocks[k], &n_steps);
      whole = work <= SMALL_BODY && n_steps <= MANY_STEPS;
    }
    if (whole) SEC_TRY(emit_step(p, b, s, vector_bytes));
    else
      for (int k = 0; k < s->n_blocks; k++) SEC_TRY(emit_steps(p, &s->blocks[k], vector_bytes));
  }
  return SEC_OK;
}

sec_status sec_emit_plan(sec_plan *p, int vector_bytes) { return emit_steps(p, &p->block, vector_bytes); }
