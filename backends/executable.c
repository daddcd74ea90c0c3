/* Executables: simplify, prepare, plan, write code, compile; and what can be asked of them. */
#include "executable.h"
#include "cpu/runtime.h"
#include "memory.h"
#include "threads.h"
#include <secant/transforms.h>
#include <stdlib.h>
#include <string.h>

static int vector_bytes(void) {
  if (__builtin_cpu_supports("avx512f")) return 64;
  return __builtin_cpu_supports("avx2") ? 32 : 16;
}

/* The widest step; and runtime calls find their functions. */
static void measure(const sec_block *b, int *most) {
  for (int i = 0; i < b->n_steps; i++) {
    if (b->steps[i].kind == SEC_STEP_RUNTIME) b->steps[i].function = sec_runtime_lookup(b->steps[i].runtime);
    if (b->steps[i].n_slots > *most) *most = b->steps[i].n_slots;
    for (int k = 0; k < b->steps[i].n_blocks; k++) measure(&b->steps[i].blocks[k], most);
  }
}

static sec_status prepare(const sec_jaxpr *closed, sec_jaxpr **out) {
  sec_jaxpr *simple = NULL, *canonical = NULL, *planar = NULL;
  SEC_TRY(sec_jaxpr_prepare(closed, &simple));
  if (sec_has_complex(simple)) {
    sec_status split = sec_planar(simple, &planar);
    sec_jaxpr_release(simple);
    simple = NULL;
    if (split == SEC_OK) split = sec_jaxpr_simplify(planar, true, &simple);
    sec_jaxpr_release(planar);
    if (split != SEC_OK) return split;
  }
  sec_status status = sec_canonical(simple, &canonical);
  sec_jaxpr_release(simple);
  *out = canonical;
  return status;
}

sec_status sec_executable_make(sec_cache *c, const sec_jaxpr *closed, sec_executable **out) {
  *out = NULL;
  bool            clean = sec_error_status(closed->cx) == SEC_OK;
  sec_executable *e = sec_mem_zeroed(1, sizeof *e);
  if (!e) return sec_error_set(SEC_MEMORY, NULL, "out of memory: no executable could be made");
  atomic_init(&e->refs, 1);
  e->cx = closed->cx;
  e->n_in = (int)closed->n_in;
  e->n_out = (int)closed->n_out;
  sec_status status = prepare(closed, &e->program);
  if (status == SEC_OK) status = sec_plan_make(e->program, &e->plan);
  if (status == SEC_OK) status = sec_emit_plan(e->plan, vector_bytes());
  if (status == SEC_OK) status = sec_plan_aliases(e->plan);
  if (status == SEC_OK) status = sec_kernels_compile(c, e);
  if (status == SEC_OK && clean) status = sec_error_status(closed->cx); /* code whose text was cut is no code */
  if (status != SEC_OK) {
    sec_executable_release(e);
    return status;
  }
  e->results = sec_mem_alloc(((size_t)e->n_out + 1) * sizeof *e->results);
  if (!e->results) {
    sec_executable_release(e);
    return SEC_MEMORY;
  }
  for (int i = 0; i < e->n_out; i++) {
    const sec_aval *aval = sec_jaxpr_out_aval(e->program, i);
    e->results[i] = (struct sec_result){aval, (size_t)aval->size * sec_dtype_size(aval->dtype)};
  }
  measure(&e->plan->block, &e->most_slots);
  e->frame_bytes = ((e->plan->arena_bytes + 63) & ~(size_t)63) + (size_t)(e->plan->n_slots + e->most_slots + 8) * sizeof(void *);
  *out = e;
  return SEC_OK;
}

sec_executable *sec_executable_retain(sec_executable *e) {
  atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
  return e;
}

void sec_executable_release(sec_executable *e) {
  if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1) return;
  sec_kernels_release(e);
  sec_plan_free(e->plan);
  sec_jaxpr_release(e->program);
  sec_mem_free(e->results);
  sec_mem_free(e);
}

int sec_executable_n_in(const sec_executable *e) { return e->n_in; }
int sec_executable_n_out(const sec_executable *e) { return e->n_out; }
const sec_aval *sec_executable_out_aval(const sec_executable *e, int i) { return e->results[i].aval; }

/* ---- text ---- */
static char *lowered(const sec_executable *e, sec_compiler_stage stage) {
  sec_cache *c = sec_cache_of(e->cx);
  char      *module = sec_kernels_module(e->plan), *out = NULL, *error = NULL;
  if (module && c && sec_cache_compiler(c) == SEC_OK && c->api->dump(c->compiler, module, strlen(module), stage, &out, &error) != 0)
    sec_error_set(SEC_COMPILE, NULL, "generated code did not compile: %s", error ? error : "no reason given");
  sec_mem_free(module);
  free(error);
  return out;
}

char *sec_executable_text(const sec_executable *e, const char *stage) {
  if (strcmp(stage, "jaxpr") == 0) return sec_jaxpr_print(e->program);
  if (strcmp(stage, "groups") == 0) return sec_mem_hand_out(sec_plan_print(e->plan));
  if (strcmp(stage, "mlir") == 0) return sec_mem_hand_out(sec_kernels_module(e->plan));
  if (strcmp(stage, "lowered") == 0) return lowered(e, SEC_STAGE_MLIR_LOWERED);
  if (strcmp(stage, "llvm") == 0) return lowered(e, SEC_STAGE_LLVM);
  if (strcmp(stage, "asm") == 0) return lowered(e, SEC_STAGE_ASM);
  sec_error_set(SEC_ARGUMENT, "one of jaxpr, groups, mlir, lowered, llvm, asm", "executable: there is no stage \"%s\"", stage);
  return NULL;
}

/* ---- cost ---- */
static void add_costs(const sec_jaxpr *j, double *flops, double *bytes) {
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    const sec_eqn *q = &j->eqns[i];
    const sec_aval *in[64];
    if (!q->prim->cost || q->n_in > 64) continue;
    for (uint32_t k = 0; k < q->n_in; k++) in[k] = sec_ref_aval(j, q->in[k]);
    sec_typing typing = {.prim = q->prim, .params = q->params, .cx = j->cx, .in = in, .n_in = (int)q->n_in,
                         .out = j->avals + q->out, .n_out = (int)q->n_out, .max_out = (int)q->n_out};
    sec_cost   cost = q->prim->cost(&typing);
    *flops += cost.flops;
    *bytes += cost.bytes;
  }
}

static void count_steps(const sec_block *b, double *kernels, double *calls) {
  for (int i = 0; i < b->n_steps; i++) {
    *kernels += b->steps[i].text != NULL;
    *calls += b->steps[i].kind == SEC_STEP_RUNTIME;
    for (int k = 0; k < b->steps[i].n_blocks && !b->steps[i].text; k++) count_steps(&b->steps[i].blocks[k], kernels, calls);
  }
}

double sec_executable_cost(const sec_executable *e, const char *what) {
  double flops = 0, bytes = 0, kernels = 0, calls = 0;
  add_costs(e->program, &flops, &bytes);
  count_steps(&e->plan->block, &kernels, &calls);
  if (strcmp(what, "flops") == 0) return flops;
  if (strcmp(what, "bytes accessed") == 0) return bytes;
  if (strcmp(what, "temp bytes") == 0) return (double)e->plan->arena_bytes;
  if (strcmp(what, "kernels") == 0) return kernels;
  return strcmp(what, "runtime calls") == 0 ? calls : -1;
}

void sec_set_num_threads(int n) { sec_threads_set(n); }
int  sec_num_threads(void) { return sec_threads_count(); }

int sec_num_devices(const char *platform) {
  if (platform && strcmp(platform, "cpu") != 0) return 0;
  const char *n = getenv("SECANT_NUM_CPU_DEVICES");
  return n && atoi(n) > 0 ? atoi(n) : 1;
}
