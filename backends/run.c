/* Runs an executable: results from the pool, one block of memory for everything temporary, then the steps in order. */
#include "executable.h"
#include "interrupt.h"
#include "pool.h"
#include "status_place.h"
#include "threads.h"
#include <string.h>

typedef struct run {
  const sec_plan *plan;
  char          **at;      /* where every slot lies */
  void          **scratch; /* the buffer list of one step */
  sec_status      status;  /* of host functions; the run ends when one fails */
  uint64_t        interrupts; /* how many there were when the run began */
} run;

static void run_block(run *r, const sec_block *b);

static void run_kernel(run *r, const sec_step *s) {
  for (int k = 0; k < s->n_slots; k++) r->scratch[k] = r->at[s->slots[k]];
  if (s->kind != SEC_STEP_GROUP) s->kernel(r->scratch, (int64_t)r->interrupts, (int64_t)(intptr_t)&sec_interrupts);
  else if (s->parallel) sec_parallel(s->kernel, r->scratch, s->extent, s->grain);
  else s->kernel(r->scratch, 0, s->extent);
}

static void turn(run *r, const sec_step *s, bool even) {
  for (int k = 0; k < s->n_carry; k++) {
    r->at[s->carry_in[k]] = r->at[s->carry_out[k]];
    r->at[s->carry_out[k]] = r->at[even ? s->spare[k] : s->result[k]];
  }
}

/* The last turn writes into the result: turn i writes there when an even number of turns follow. */
static void run_scan(run *r, const sec_step *s) {
  for (int k = 0; k < s->n_carry; k++) {
    r->at[s->carry_in[k]] = r->at[s->init[k]];
    r->at[s->carry_out[k]] = r->at[s->length % 2 ? s->result[k] : s->spare[k]];
    if (s->length == 0) memcpy(r->at[s->result[k]], r->at[s->init[k]], r->plan->slots[s->init[k]].bytes);
  }
  for (int64_t i = 0; i < s->length && r->status == SEC_OK; i++) {
    size_t index = (size_t)(s->reverse ? s->length - 1 - i : i);
    for (int k = 0; k < s->n_xs; k++) r->at[s->x[k]] = r->at[s->xs[k]] + index * r->plan->slots[s->x[k]].bytes;
    for (int k = 0; k < s->n_ys; k++) r->at[s->y[k]] = r->at[s->ys[k]] + index * r->plan->slots[s->y[k]].bytes;
    run_block(r, &s->blocks[0]);
    if (i + 1 < s->length) turn(r, s, (s->length - 2 - i) % 2 != 0);
  }
}

static void run_while(run *r, const sec_step *s) {
  for (int k = 0; k < s->n_carry; k++) {
    r->at[s->carry_in[k]] = r->at[s->init[k]];
    r->at[s->carry_out[k]] = r->at[s->result[k]];
  }
  bool even = true;
  for (;; even = !even) {
    run_block(r, &s->blocks[0]);
    if (r->status != SEC_OK || !*(unsigned char *)r->at[s->which]) break;
    run_block(r, &s->blocks[1]);
    if (r->status != SEC_OK) break;
    turn(r, s, even);
  }
  for (int k = 0; k < s->n_carry; k++)
    if (r->at[s->carry_in[k]] != r->at[s->result[k]])
      memcpy(r->at[s->result[k]], r->at[s->carry_in[k]], r->plan->slots[s->init[k]].bytes);
}

static void run_cond(run *r, const sec_step *s) {
  const sec_slot *which = &r->plan->slots[s->which];
  int32_t         index;
  if (which->aval->dtype == SEC_BOOL) index = *(unsigned char *)r->at[s->which];
  else memcpy(&index, r->at[s->which], sizeof index);
  int b = index < 0 ? 0 : index >= s->n_blocks ? s->n_blocks - 1 : index;
  for (int k = 0; k < s->n_carry; k++) r->at[s->carry_out[b * s->n_carry + k]] = r->at[s->result[k]];
  run_block(r, &s->blocks[b]);
}

/* After the buffers stands the address of the status, for functions that may fail. */
static void run_runtime(run *r, const sec_step *s) {
  for (int k = 0; k < s->n_slots; k++) r->scratch[k] = r->at[s->slots[k]];
  r->scratch[s->n_slots] = &r->status;
  s->function(r->scratch, s->meta);
  if (r->status != SEC_OK)
    sec_error_place(sec_location_file(r->plan->cx, s->eqn->loc), sec_location_line(r->plan->cx, s->eqn->loc));
}

static bool goes_on(run *r) {
  if (r->status == SEC_OK && atomic_load_explicit(&sec_interrupts, memory_order_relaxed) != r->interrupts)
    r->status = sec_error_set(SEC_INTERRUPTED, NULL, "the run was interrupted");
  return r->status == SEC_OK;
}

static void run_block(run *r, const sec_block *b) {
  for (int i = 0; i < b->n_steps; i++) {
    const sec_step *s = &b->steps[i];
    if (s->kernel) run_kernel(r, s);
    else
      switch (s->kind) {
      case SEC_STEP_RUNTIME: run_runtime(r, s); break;
      case SEC_STEP_SCAN: run_scan(r, s); break;
      case SEC_STEP_WHILE: run_while(r, s); break;
      case SEC_STEP_COND: run_cond(r, s); break;
      case SEC_STEP_GROUP: break; /* a group of no elements has no kernel */
      }
    if (!goes_on(r)) return;
  }
}

/* ---- results and temporaries ---- */
static size_t result_bytes(const sec_array *a) { return (a->bytes + 127) & ~(size_t)63; } /* vectors may touch the end */

static void release_result(void *array) {
  sec_array *a = array;
  sec_pool_free(a->data, result_bytes(a));
}

static sec_array *new_result(sec_context *cx, const sec_aval *aval) {
  size_t     bytes = (size_t)aval->size * sec_dtype_size(aval->dtype);
  void      *data = sec_pool_alloc((bytes + 127) & ~(size_t)63);
  sec_array *a = data ? sec_array_wrap_aval(cx, aval, data, release_result, NULL) : NULL;
  if (!a) {
    if (data) sec_pool_free(data, (bytes + 127) & ~(size_t)63);
    sec_error_set(SEC_MEMORY, "free arrays that are no longer needed", "out of memory: no room for a result %s", aval->text);
    return NULL;
  }
  a->owner = a;
  return a;
}

static sec_status check_input(const sec_executable *e, int i, const sec_array *a) {
  const sec_aval *want = e->program->avals[i], *have = a ? a->aval : NULL;
  if (have == want) return SEC_OK;
  if (!have) return sec_error_set(SEC_ARGUMENT, NULL, "execute: operand %d is missing, expected %s", i, want->text);
  if (have->dtype == want->dtype && have->rank == want->rank && (have->rank == 0 || memcmp(have->dims, want->dims, (size_t)have->rank * sizeof *have->dims) == 0))
    return SEC_OK;
  return sec_error_set(SEC_TYPE, "compile for these types", "execute: operand %d has type %s, expected %s", i, have->text, want->text);
}

static void lay_out(const sec_plan *p, char *frame, char **at, sec_array *const *in, sec_array *const *out) {
  for (int k = 0; k < p->n_slots; k++) {
    const sec_slot *s = &p->slots[k];
    switch (s->kind) {
    case SEC_SLOT_INPUT: at[k] = in[s->index]->data; break;
    case SEC_SLOT_OUTPUT: at[k] = out[s->index]->data; break;
    case SEC_SLOT_TEMP: at[k] = frame + s->offset; break;
    case SEC_SLOT_LITERAL: at[k] = (char *)s->literal; break;
    case SEC_SLOT_POINTER: at[k] = NULL; break;
    }
  }
}

sec_status sec_execute(sec_executable *e, sec_array *const *in, sec_array **out) {
  for (int i = 0; i < e->n_out; i++) out[i] = NULL;
  for (int i = 0; i < e->n_in; i++) SEC_TRY(check_input(e, i, in[i]));
  char      *frame = sec_pool_alloc(e->frame_bytes);
  sec_status status = frame ? SEC_OK : sec_error_set(SEC_MEMORY, "free arrays that are no longer needed", "out of memory: a run needs %zu bytes", e->frame_bytes);
  for (int i = 0; i < e->n_out && status == SEC_OK; i++) {
    out[i] = new_result(e->cx, sec_jaxpr_out_aval(e->program, i));
    if (!out[i]) status = SEC_MEMORY;
  }
  if (status == SEC_OK) {
    const sec_plan *p = e->plan;
    run             r = {.plan = p, .interrupts = atomic_load(&sec_interrupts), .at = (char **)(frame + ((p->arena_bytes + 63) & ~(size_t)63))};
    r.scratch = (void **)(r.at + p->n_slots);
    lay_out(p, frame, r.at, in, out);
    run_block(&r, &p->block);
    status = r.status;
  }
  if (status != SEC_OK)
    for (int i = 0; i < e->n_out; i++) {
      sec_array_release(out[i]);
      out[i] = NULL;
    }
  if (frame) sec_pool_free(frame, e->frame_bytes);
  return status;
}

sec_status sec_run(sec_context *cx, const sec_jaxpr *j, sec_array *const *in, sec_array **out) {
  sec_executable *e;
  for (uint32_t i = 0; i < j->n_out; i++) out[i] = NULL;
  SEC_TRY(sec_compile(cx, j, NULL, &e));
  sec_array **all = sec_alloc(cx, (j->n_consts + j->n_in + 1) * sizeof *all);
  sec_status  status = all ? SEC_OK : SEC_MEMORY;
  if (all) {
    for (uint32_t k = 0; k < j->n_consts; k++) all[k] = j->consts[k].array;
    for (uint32_t i = 0; i < j->n_in; i++) all[j->n_consts + i] = in[i];
    status = sec_execute(e, all, out);
  }
  sec_free(cx, all);
  sec_executable_release(e);
  return status;
}
