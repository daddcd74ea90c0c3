/* Plans: slots, the top-level block, memory of the temporaries, text. */
#include "fuse.h"
#include "memory.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

int sec_plan_add_slot(sec_plan *p, sec_slot_kind kind, const sec_aval *aval) {
  if (p->n_slots == p->slot_room) {
    int       room = p->slot_room ? 2 * p->slot_room : 64;
    sec_slot *grown = sec_mem_realloc(p->slots, (size_t)room * sizeof *grown);
    if (!grown) return -1;
    p->slots = grown;
    p->slot_room = room;
  }
  p->slots[p->n_slots] = (sec_slot){.kind = kind, .aval = aval, .bytes = (size_t)aval->size * sec_dtype_size(aval->dtype),
                                    .index = -1, .first = INT32_MAX, .last = -1};
  return p->n_slots++;
}

void sec_literal_bytes(const sec_literal *l, unsigned char bytes[16]) {
  union { float f; double d; int64_t i; } u;
  switch (l->aval->dtype) {
  case SEC_F32: u.f = (float)l->f; break;
  case SEC_F64: u.d = l->f; break;
  default: u.i = l->i; /* little-endian: the low bytes are the narrower integer */
  }
  memcpy(bytes, &u, sizeof u);
}

/* ---- lifetimes: steps are numbered in running order, nested ones included ---- */
typedef struct walk { sec_plan *p; int n; } walk;

static void touch(walk *w, int slot) {
  sec_slot *s = &w->p->slots[slot];
  if (s->first > w->n) s->first = w->n;
  if (s->last < w->n) s->last = w->n;
}

static void touch_list(walk *w, const int *slots, int n) {
  for (int i = 0; i < n && slots; i++) touch(w, slots[i]);
}

static void touch_ref(walk *w, const sec_frame *fr, sec_ref r) {
  if (sec_ref_is_literal(r)) return;
  if (fr->slot[r] >= 0 && !sec_is_virtual(fr, r)) touch(w, fr->slot[r]);
}

static void touch_reads(walk *w, const sec_frame *fr, const sec_group *g, sec_ref r, bool through) {
  if (sec_ref_is_literal(r)) return;
  if (sec_is_virtual(fr, r) || through) {
    const sec_eqn *e = fr->def[r];
    for (uint32_t k = 0; k < e->n_in; k++) touch_reads(w, fr, g, e->in[k], false);
  } else
    touch_ref(w, fr, r);
}

static void touch_group(walk *w, const sec_frame *fr, const sec_group *g) {
  for (int i = 0; i < g->n_ops; i++) {
    const sec_op *o = &g->ops[i];
    for (int k = 0; k < o->n_in; k++) touch_reads(w, fr, g, o->in[k], o->through);
    if (o->kind == SEC_OP_STORE) {
      touch(w, o->slot);
      for (int a = 0; o->start && a < o->target->rank; a++) touch_ref(w, fr, o->start[a]);
    } else
      for (uint32_t k = 0; k < o->eqn->n_out; k++) touch_ref(w, fr, o->out + k);
  }
}

static void walk_block(walk *w, const sec_block *b);

static void walk_loop(walk *w, sec_step *s) {
  int begin = s->first = w->n;
  touch_list(w, s->init, s->n_carry), touch_list(w, s->spare, s->n_carry), touch_list(w, s->result, s->n_carry);
  touch_list(w, s->xs, s->n_xs), touch_list(w, s->ys, s->n_ys);
  if (s->kind != SEC_STEP_SCAN) touch(w, s->which);
  w->n++;
  for (int b = 0; b < s->n_blocks; b++) walk_block(w, &s->blocks[b]);
  touch_list(w, s->init, s->n_carry), touch_list(w, s->spare, s->n_carry), touch_list(w, s->result, s->n_carry);
  touch_list(w, s->xs, s->n_xs), touch_list(w, s->ys, s->n_ys);
  if (s->kind != SEC_STEP_SCAN) touch(w, s->which);
  for (int k = 0; k < w->p->n_slots; k++) { /* what came from outside is read again at every turn */
    sec_slot *slot = &w->p->slots[k];
    if (slot->first <= begin && slot->last >= begin) slot->last = w->n;
  }
  s->last = w->n;
  w->n++;
}

static void walk_block(walk *w, const sec_block *b) {
  for (int i = 0; i < b->n_steps; i++) {
    sec_step *s = &b->steps[i];
    b->frame->now = i;
    s->first = s->last = w->n;
    if (s->kind == SEC_STEP_GROUP) touch_group(w, b->frame, s->group);
    else if (s->kind == SEC_STEP_RUNTIME) touch_list(w, s->slots, s->n_slots);
    else walk_loop(w, s);
    w->n++;
  }
}

/* ---- offsets: by time of first use, each in the first gap that is free for its whole life ---- */
static int by_first(const void *a, const void *b, void *plan) {
  const sec_slot *slots = ((const sec_plan *)plan)->slots, *x = &slots[*(const int *)a], *y = &slots[*(const int *)b];
  return x->first != y->first ? (x->first > y->first) - (x->first < y->first) : (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

static size_t padded(size_t bytes) { return (bytes + 127) & ~(size_t)63; } /* vectors may read past the end */

static void place_temporaries(sec_plan *p, const int *order, int n, int *active) {
  int n_active = 0; /* sorted by offset */
  for (int i = 0; i < n; i++) {
    sec_slot *s = &p->slots[order[i]];
    int       kept = 0;
    for (int k = 0; k < n_active; k++)
      if (p->slots[active[k]].last >= s->first) active[kept++] = active[k];
    n_active = kept;
    size_t at = 0;
    int    k = 0;
    for (; k < n_active && p->slots[active[k]].offset < at + padded(s->bytes); k++)
      at = p->slots[active[k]].offset + padded(p->slots[active[k]].bytes);
    s->offset = at;
    if (at + padded(s->bytes) > p->arena_bytes) p->arena_bytes = at + padded(s->bytes);
    memmove(active + k + 1, active + k, (size_t)(n_active - k) * sizeof *active);
    active[k] = order[i];
    n_active++;
  }
}

static sec_status plan_memory(sec_plan *p) {
  walk w = {p, 0};
  walk_block(&w, &p->block);
  p->n_numbered = w.n;
  int *order = sec_mem_alloc(2 * ((size_t)p->n_slots + 1) * sizeof *order), n = 0;
  if (!order) return sec_error_set(SEC_MEMORY, NULL, "out of memory: the plan's memory could not be laid out");
  for (int k = 0; k < p->n_slots; k++)
    if (p->slots[k].kind == SEC_SLOT_TEMP && p->slots[k].last >= 0) order[n++] = k;
  qsort_r(order, (size_t)n, sizeof *order, by_first, p);
  place_temporaries(p, order, n, order + n);
  sec_mem_free(order);
  return SEC_OK;
}

/* ---- plans ---- */
static sec_status plan_build(sec_plan *p) {
  const sec_jaxpr *j = p->jaxpr;
  p->in_slots = sec_arena_alloc(p->memory, (j->n_in + 1) * sizeof(int));
  p->out_slots = sec_arena_alloc(p->memory, (j->n_out + 1) * sizeof(int));
  if (!p->in_slots || !p->out_slots) return SEC_MEMORY;
  for (uint32_t i = 0; i < j->n_in; i++) {
    p->in_slots[i] = sec_plan_add_slot(p, SEC_SLOT_INPUT, j->avals[i]);
    if (p->in_slots[i] < 0) return SEC_MEMORY;
    p->slots[p->in_slots[i]].index = (int)i;
  }
  sec_frame *frame;
  SEC_TRY(sec_fuse_block(p, j, p->in_slots, &p->block, &frame));
  sec_fuser f = {.plan = p, .frame = frame, .block = &p->block};
  for (uint32_t i = 0; i < j->n_out; i++) {
    int slot = sec_fuse_result(&f, (int)i, SEC_SLOT_OUTPUT);
    if (f.failed) return SEC_MEMORY;
    p->out_slots[i] = slot;
    p->slots[slot].index = (int)i;
  }
  return plan_memory(p);
}

sec_status sec_plan_make(const sec_jaxpr *closed, sec_plan **out) {
  *out = NULL;
  sec_plan *p = sec_mem_zeroed(1, sizeof *p);
  if (!p) return sec_error_set(SEC_MEMORY, NULL, "out of memory: no plan could be made");
  p->jaxpr = sec_jaxpr_retain((sec_jaxpr *)closed);
  p->cx = closed->cx;
  p->memory = sec_arena_create(closed->cx);
  sec_status status = p->memory ? plan_build(p) : SEC_MEMORY;
  if (status != SEC_OK) {
    sec_plan_free(p);
    return sec_error_set(status, NULL, "out of memory: the plan could not be made");
  }
  *out = p;
  return SEC_OK;
}

static void free_texts(sec_block *b) {
  for (int i = 0; i < b->n_steps; i++) {
    sec_mem_free(b->steps[i].text);
    for (int k = 0; k < b->steps[i].n_blocks; k++) free_texts(&b->steps[i].blocks[k]);
  }
}

void sec_plan_free(sec_plan *p) {
  if (!p) return;
  free_texts(&p->block);
  sec_jaxpr_release((sec_jaxpr *)p->jaxpr);
  sec_mem_free(p->slots);
  sec_arena_destroy(p->memory);
  sec_mem_free(p);
}

/* ---- text ---- */
static void print_block(sec_buffer *t, const sec_plan *p, const sec_block *b, int indent);

static void print_group(sec_buffer *t, const sec_step *s, const sec_frame *fr) {
  const sec_group *g = s->group;
  sec_buffer_add(t, "group");
  for (int d = 0; d < g->n_dims; d++) sec_buffer_add(t, "%s%lld", d == 0 ? " [" : d == g->split ? " | " : " ", (long long)g->dims[d]);
  sec_buffer_add(t, "%s%s:", g->n_dims ? "]" : "", g->columns ? " columns" : "");
  for (int i = 0; i < g->n_ops; i++) {
    const sec_op *o = &g->ops[i];
    bool          stored = o->kind != SEC_OP_STORE && fr->slot[o->out] >= 0;
    sec_buffer_add(t, " %s%s%s", o->kind == SEC_OP_STORE ? "store" : o->eqn->prim->name, o->row ? "'" : "", stored ? "*" : "");
  }
}

static void print_line(sec_buffer *t, const sec_block *b, const sec_step *s) {
  static const char *const names[] = {"group", "runtime", "scan", "while", "cond"};
  if (s->kind == SEC_STEP_GROUP) print_group(t, s, b->frame);
  else if (s->kind == SEC_STEP_RUNTIME) sec_buffer_add(t, "runtime %s", s->runtime);
  else sec_buffer_add(t, "%s%s length %lld carry %d", names[s->kind], s->text ? " (one kernel)" : "", (long long)s->length, s->n_carry);
}

static void print_step(sec_buffer *t, const sec_plan *p, const sec_block *b, const sec_step *s, int indent) {
  sec_buffer_add(t, "%*s", indent, "");
  print_line(t, b, s);
  sec_buffer_add(t, "\n");
  for (int k = 0; k < s->n_blocks; k++) print_block(t, p, &s->blocks[k], indent + 2);
}

static void print_block(sec_buffer *t, const sec_plan *p, const sec_block *b, int indent) {
  for (int i = 0; i < b->n_steps; i++) print_step(t, p, b, &b->steps[i], indent);
}

char *sec_step_print(const sec_block *b, const sec_step *s) {
  sec_buffer t = {0};
  print_line(&t, b, s);
  if (!t.failed) return t.data;
  sec_mem_free(t.data);
  return NULL;
}

char *sec_plan_print(const sec_plan *p) {
  sec_buffer t = {0};
  sec_buffer_add(&t, "# ' computed once a row, * stored; %zu bytes of temporaries\n", p->arena_bytes);
  print_block(&t, p, &p->block, 0);
  if (!t.failed) return t.data;
  sec_mem_free(t.data);
  return NULL;
}
