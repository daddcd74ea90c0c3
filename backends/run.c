/* Runs an executable: results from the pool, one block of memory for everything temporary, then the steps in order. */
#include "executable.h"
#include "interrupt.h"
#include "memory.h"
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

/* ---- loops: the turns of a carry alternate between its result and a spare buffer ---- */
/* `first`: the first turn writes into the result; not where the first value lies there. */
static void begin_carries(run *r, const sec_step *s, bool first) {
  for (int k = 0; k < s->n_carry; k++) {
    r->at[s->carry_in[k]] = r->at[s->init[k]];
    r->at[s->carry_out[k]] = r->at[first && r->at[s->init[k]] != r->at[s->result[k]] ? s->result[k] : s->spare[k]];
  }
}

static void turn(run *r, const sec_step *s) {
  for (int k = 0; k < s->n_carry; k++) {
    char *written = r->at[s->carry_out[k]];
    r->at[s->carry_in[k]] = written;
    r->at[s->carry_out[k]] = r->at[written == r->at[s->result[k]] ? s->spare[k] : s->result[k]];
  }
}

/* `from`: where the last values lie. */
static void end_carries(run *r, const sec_step *s, const int *from) {
  for (int k = 0; k < s->n_carry; k++)
    if (r->at[from[k]] != r->at[s->result[k]]) memcpy(r->at[s->result[k]], r->at[from[k]], r->plan->slots[s->init[k]].bytes);
}

/* The last turn writes into the result: turn i writes there when an even number of turns follow. */
static void run_scan(run *r, const sec_step *s) {
  begin_carries(r, s, s->length % 2 != 0);
  for (int64_t i = 0; i < s->length && r->status == SEC_OK; i++) {
    size_t index = (size_t)(s->reverse ? s->length - 1 - i : i);
    for (int k = 0; k < s->n_xs; k++) r->at[s->x[k]] = r->at[s->xs[k]] + index * r->plan->slots[s->x[k]].bytes;
    for (int k = 0; k < s->n_ys; k++) r->at[s->y[k]] = r->at[s->ys[k]] + index * r->plan->slots[s->y[k]].bytes;
    run_block(r, &s->blocks[0]);
    if (i + 1 < s->length) turn(r, s);
  }
  if (r->status == SEC_OK) end_carries(r, s, s->length ? s->carry_out : s->init);
}

static void run_while(run *r, const sec_step *s) {
  begin_carries(r, s, true);
  for (;;) {
    run_block(r, &s->blocks[0]);
    if (r->status != SEC_OK || !*(unsigned char *)r->at[s->which]) break;
    run_block(r, &s->blocks[1]);
    if (r->status != SEC_OK) break;
    turn(r, s);
  }
  end_carries(r, s, s->carry_in);
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
    if (s->copied && r->at[s->copied - 1] == r->at[s->copy]) continue;
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
static size_t result_bytes(size_t bytes) { return (bytes + 127) & ~(size_t)63; } /* vectors may touch the end */

static void release_result(void *array) {
  sec_array *a = array;
  sec_pool_free(a->data, result_bytes(a->bytes));
}

/* A small result lies behind its struct, in one block of the pool. */
enum { SMALL_RESULT = 8192, HEAD = (sizeof(sec_array) + 63) & ~63 };

static void release_small(void *array) {
  sec_array *a = array;
  sec_pool_free(a, HEAD + result_bytes(a->bytes));
}

static sec_array *small_result(sec_context *cx, const sec_aval *aval, size_t bytes) {
  sec_array *a = sec_pool_alloc(HEAD + result_bytes(bytes));
  if (!a) return NULL;
  *a = (sec_array){.cx = cx, .aval = aval, .data = (char *)a + HEAD, .bytes = bytes,
                   .release_data = release_small, .owner = a, .inside = true};
  atomic_init(&a->refs, 1);
  return a;
}

static sec_array *large_result(sec_context *cx, const sec_aval *aval, size_t bytes) {
  void      *data = sec_pool_alloc(result_bytes(bytes));
  sec_array *a = data ? sec_array_wrap_aval(cx, aval, data, release_result, NULL) : NULL;
  if (!a && data) sec_pool_free(data, result_bytes(bytes));
  if (a) a->owner = a;
  return a;
}

/* taken: its memory will be that of an operand. */
static sec_array *new_result(sec_context *cx, const sec_aval *aval, size_t bytes, bool taken) {
  sec_array *a = taken ? sec_array_wrap_aval(cx, aval, NULL, NULL, NULL)
                       : (bytes <= SMALL_RESULT ? small_result : large_result)(cx, aval, bytes);
  if (a) a->own = true;
  else sec_error_set(SEC_MEMORY, "free arrays that are no longer needed", "out of memory: no room for a result %s", aval->text);
  return a;
}

static sec_status check_input(const sec_executable *e, int i, const sec_array *a) {
  const sec_aval *want = e->program->avals[i], *have = a ? a->aval : NULL;
  if (have == want && !a->deleted) return SEC_OK;
  if (!have) return sec_error_set(SEC_ARGUMENT, NULL, "execute: operand %d is missing, expected %s", i, want->text);
  SEC_TRY(sec_array_check(a));
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

/* ---- devices ---- */
static sec_status incompatible(int a, const sec_array *x, int b, const sec_array *y) {
  return sec_error_set(SEC_DEVICE, "move one of them with sec_array_to_device",
                       "Received incompatible devices for jitted computation: operand %d %s is committed to device %d, operand %d %s "
                       "to device %d", a, x->aval->text, sec_array_device(x), b, y->aval->text, sec_array_device(y));
}

/* Where the results are: on the device that an operand is committed to, else on the default device. */
static sec_status find_place(const sec_executable *e, sec_array *const *in, uint32_t *place) {
  int committed = -1;
  *place = sec_default_place();
  for (int i = 0; i < e->n_in; i++) {
    if (!(in[i]->place & 1)) continue;
    if (committed >= 0 && in[i]->place != *place) return incompatible(committed, in[committed], i, in[i]);
    committed = i;
    *place = in[i]->place;
  }
  return SEC_OK;
}

/* ---- donation ---- */
/* Operands and results are matched by their types, each with the first that is free. */
int sec_executable_donation(const sec_executable *e, const bool *donate, int *taken_by) {
  const sec_jaxpr *j = e->program;
  int              n = 0;
  uint64_t         small[4] = {0}, *free_out = e->n_out <= 256 ? small : sec_mem_zeroed(1, ((size_t)e->n_out + 63) / 64 * 8);
  for (int i = 0; i < e->n_in; i++) taken_by[i] = -1;
  for (int i = 0; i < e->n_in && free_out; i++) {
    if (!donate[i]) continue;
    if (e->plan->slots[e->plan->in_slots[i]].last < 0) { /* nothing reads it */
      taken_by[i] = -2;
      continue;
    }
    for (int o = 0; o < e->n_out && taken_by[i] < 0; o++) {
      const sec_aval *x = j->avals[i], *y = e->results[o].aval;
      if (free_out[o / 64] >> o % 64 & 1 || x->dtype != y->dtype || x->rank != y->rank || x->size != y->size) continue;
      if (x->rank && memcmp(x->dims, y->dims, (size_t)x->rank * sizeof *x->dims) != 0) continue;
      free_out[o / 64] |= (uint64_t)1 << o % 64;
      taken_by[i] = o;
      n++;
    }
  }
  if (free_out != small) sec_mem_free(free_out);
  return n;
}

/* from[o]: the operand whose memory result o takes over, -1: none.  given[i]: operand i is deleted by the call. */
typedef struct donation { int *from, *given; } donation;

static void choose_aliases(const sec_executable *e, donation *d) {
  for (int o = 0; o < e->n_out; o++) d->from[o] = -1;
  for (int k = 0; k < e->plan->n_aliases; k++) {
    sec_alias a = e->plan->aliases[k];
    if (d->given[a.in] != 1 || d->from[a.out] >= 0) continue;
    d->from[a.out] = a.in;
    d->given[a.in] = 2;
  }
}

double sec_executable_alias_bytes(const sec_executable *e, const bool *donate) {
  int    *all = sec_mem_alloc(((size_t)e->n_in + (size_t)e->n_out + 1) * sizeof *all);
  double  bytes = 0;
  if (!all) return -1;
  donation d = {all + e->n_in, all};
  sec_executable_donation(e, donate, d.given);
  for (int i = 0; i < e->n_in; i++) d.given[i] = d.given[i] >= 0;
  choose_aliases(e, &d);
  for (int o = 0; o < e->n_out; o++)
    if (d.from[o] >= 0) bytes += (double)e->plan->slots[e->plan->out_slots[o]].bytes;
  sec_mem_free(all);
  return bytes;
}

static sec_status choose(const sec_executable *e, sec_array *const *in, const bool *donate, donation *d) {
  sec_executable_donation(e, donate, d->given);
  for (int i = 0; i < e->n_in; i++) {
    for (int k = 0; k < e->n_in && d->given[i] >= 0; k++)
      if (k != i && in[k] == in[i])
        return sec_error_set(SEC_DELETED, "pass a copy as one of them",
                             "Attempt to donate a buffer that the call uses twice: operand %d is donated, and operand %d is the same array", i, k);
    d->given[i] = d->given[i] >= 0 && sec_array_is_sole(in[i]);
  }
  choose_aliases(e, d);
  return SEC_OK;
}

/* ---- runs ---- */
static void release_all(const sec_executable *e, sec_array **out) {
  for (int i = 0; i < e->n_out; i++) {
    sec_array_release(out[i]);
    out[i] = NULL;
  }
}

static sec_status make_results(const sec_executable *e, uint32_t place, const donation *d, sec_array *const *in, sec_array **out) {
  for (int i = 0; i < e->n_out; i++) {
    out[i] = new_result(e->cx, e->results[i].aval, e->results[i].bytes, d && d->from[i] >= 0);
    if (!out[i]) return SEC_MEMORY;
    out[i]->place = place;
  }
  for (int i = 0; d && i < e->n_out; i++)
    if (d->from[i] >= 0) out[i]->data = in[d->from[i]]->data;
  return SEC_OK;
}

/* After the buffers are laid out: results own what they took; what else was donated goes when the run has ended. */
static void hand_over(const sec_executable *e, const donation *d, sec_array *const *in, sec_array **out) {
  for (int i = 0; i < e->n_out; i++)
    if (d->from[i] >= 0) sec_array_give(in[d->from[i]], out[i]);
}

static sec_status execute(sec_executable *e, sec_array *const *in, const donation *d, sec_array **out) {
  uint32_t places = 0, place = 0;
  for (int i = 0; i < e->n_in; i++) {
    SEC_TRY(check_input(e, i, in[i]));
    places |= in[i]->place;
  }
  if (places & 1) SEC_TRY(find_place(e, in, &place));
  else place = sec_default_place();
  char      *frame = sec_pool_alloc(e->frame_bytes);
  sec_status status = SEC_OK;
  if (!frame)
    status = sec_error_set(SEC_MEMORY, "free arrays that are no longer needed", "out of memory: a run needs %zu bytes", e->frame_bytes);
  if (status == SEC_OK) status = make_results(e, place, d, in, out);
  if (status == SEC_OK) {
    const sec_plan *p = e->plan;
    run             r = {.plan = p, .interrupts = atomic_load(&sec_interrupts),
                         .at = (char **)(frame + ((p->arena_bytes + 63) & ~(size_t)63))};
    r.scratch = (void **)(r.at + p->n_slots);
    lay_out(p, frame, r.at, in, out);
    if (d) hand_over(e, d, in, out);
    run_block(&r, &p->block);
    status = r.status;
  }
  if (status != SEC_OK) release_all(e, out);
  if (frame) sec_pool_free(frame, e->frame_bytes);
  return status;
}

sec_status sec_execute(sec_executable *e, sec_array *const *in, sec_array **out) {
  for (int i = 0; i < e->n_out; i++) out[i] = NULL;
  return execute(e, in, NULL, out);
}

sec_status sec_execute_donating(sec_executable *e, sec_array *const *in, const bool *donate, sec_array **out) {
  int  small[64], n = e->n_in + e->n_out;
  int *all = n <= 64 ? small : sec_mem_alloc((size_t)n * sizeof *all);
  for (int i = 0; i < e->n_out; i++) out[i] = NULL;
  if (!all) return sec_error_set(SEC_MEMORY, NULL, "out of memory: a call that donates could not start");
  donation   d = {all + e->n_in, all};
  sec_status status = SEC_OK;
  for (int i = 0; i < e->n_in && status == SEC_OK; i++) status = check_input(e, i, in[i]);
  if (status == SEC_OK) status = choose(e, in, donate, &d);
  if (status == SEC_OK) status = execute(e, in, &d, out);
  for (int i = 0; i < e->n_in && status == SEC_OK; i++)
    if (d.given[i] == 1) status = sec_array_delete(in[i]);
  if (all != small) sec_mem_free(all);
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
