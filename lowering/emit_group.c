/* A group as a loop nest.
 *
 * Rows are loops; a row is worked in segments, each one loop over the inner dimensions, cut where a reduction over the row
 * must be finished before its result is used.  Vectors run along the last inner dimension, or, in a group of columns,
 * along the last row dimension while the inner ones are reduced lane by lane.  What is left over at the end of the vector
 * dimension is done once more under a mask.  Full values that cross segments wait in a row buffer on the stack. */
#include "emit.h"
#include "memory.h"
#include <string.h>

sec_ltype sec_lower_type(sec_dtype d);
SEC_DECLARE_PRIMITIVE(add)
#define MAX_ROW_BUFFER 65536 /* bytes; wider rows are computed again */

static uint32_t new_id(sec_function *f) { return f->b.next_id++; }

uint32_t sec_f_base(sec_function *f, int slot) {
  if (f->base[slot]) return f->base[slot] - 1;
  const sec_slot *s = &f->plan->slots[slot];
  if (f->loop && s->kind == SEC_SLOT_TEMP && s->aval->size >= 1 && s->aval->size <= SEC_FEW && s->first > f->loop->first && s->last < f->loop->last) {
    uint32_t place = sec_f_register(f, slot);
    f->base[slot] = place + 1;
    return place;
  }
  int      k = f->n_slots++;
  uint32_t at = new_id(f), id = new_id(f);
  f->slots[k] = slot;
  sec_text_append(&f->head, "%%v%u = llvm.getelementptr %%bufs[%d] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr\n%%v%u = llvm.load %%v%u : !llvm.ptr -> !llvm.ptr\n", at, k,
                  id, at);
  f->base[slot] = id + 1;
  return id;
}

static bool is_reduction(const sec_op *o) { return o->kind == SEC_OP_REDUCE || o->kind == SEC_OP_DOT; }
static bool is_stored(const sec_emitter *e, uint32_t var) { return e->frame->slot[var] >= 0; }

/* ---- merging of dimensions ---- */
static void collect(sec_emitter *e) {
  e->dry = true;
  e->vdim = -1;
  for (int i = 0; i < e->g->n_ops; i++) {
    const sec_op *o = &e->g->ops[i];
    e->dynamics.n = 0;
    if (o->kind == SEC_OP_ELEMENTWISE) {
      sec_lv outs[8];
      sec_e_equation(e, o->eqn, &o->out_map, true, outs);
    } else
      for (int k = 0; k < o->n_in; k++) sec_e_value(e, o->in[k], &o->in_map[k], o->through);
    if (o->kind == SEC_OP_STORE) sec_e_store(e, (sec_lv){0, SEC_LT_F32}, o->slot, o->target, &o->out_map, NULL);
    else
      for (uint32_t k = 0; k < o->eqn->n_out; k++)
        if (is_stored(e, o->out + k)) {
          const sec_aval *aval = e->frame->j->avals[o->out + k];
          sec_e_store(e, (sec_lv){0, SEC_LT_F32}, e->frame->slot[o->out + k], aval, &o->out_map, NULL);
        }
  }
  e->dry = false;
  e->n_memo = e->row_memo = 0;
}

static void merge_dims(sec_emitter *e) {
  const sec_group *g = e->g;
  int              split = g->split;
  bool             row_ops = false;
  for (int i = 0; i < g->n_ops; i++) row_ops |= g->ops[i].row;
  if (split < 0 || (!g->reduces && !row_ops)) split = -1;
  e->n = 0;
  e->columns = g->columns;
  int order[SEC_MAX_DIMS];
  for (int d = 0; d < g->n_dims; d++) order[d] = d;
  if (e->fn->rotate && g->n_dims > 1 && g->dims[0] == e->fn->rotate && split != 0) { /* the long first axis goes last among the rows */
    int rows = split < 0 ? g->n_dims : split;
    for (int d = 1; d < rows; d++) order[d - 1] = d;
    order[rows - 1] = 0;
    e->columns = split > 0;
  }
  for (int k = 0; k < g->n_dims; k++) {
    int  d = order[k];
    bool merge = e->n > 0 && k != split;
    for (int a = 0; a < e->n_accesses && merge; a++) merge = e->accesses[a][order[k - 1]] == e->accesses[a][d] * g->dims[d];
    if (merge) {
      e->size[e->n - 1] *= g->dims[d];
      e->last[e->n - 1] = d;
    } else {
      if (k == split) e->split = e->n;
      e->size[e->n] = g->dims[d];
      e->last[e->n++] = d;
    }
  }
  if (split < 0) e->split = e->n > 0 ? e->n - 1 : 0;
  else if (split >= g->n_dims) e->split = e->n;
  else if (split == 0) e->split = 0;
}

/* ---- vectors ---- */
static int widest(const sec_emitter *e) {
  int bytes = 1;
  for (int i = 0; i < e->g->n_ops; i++) {
    const sec_op *o = &e->g->ops[i];
    for (int k = 0; k < o->n_in; k++) {
      int size = (int)sec_dtype_size(sec_ref_aval(e->frame->j, o->in[k])->dtype);
      if (size > bytes) bytes = size;
    }
    for (uint32_t k = 0; o->kind != SEC_OP_STORE && k < o->eqn->n_out; k++) {
      int size = (int)sec_dtype_size(e->frame->j->avals[o->out + k]->dtype);
      if (size > bytes) bytes = size;
    }
  }
  return bytes < 2 ? 2 : bytes;
}

static void choose_vectors(sec_emitter *e) {
  e->vdim = e->columns ? e->split - 1 : e->n > e->split ? e->n - 1 : -1;
  e->lanes = 1;
  if (e->vdim < 0) return;
  int most = e->fn->vector_bytes / widest(e);
  while (e->lanes < most && e->lanes < e->size[e->vdim]) e->lanes *= 2;
  if (e->lanes == 1) e->vdim = -1;
}

/* Reductions over leading axes work several vectors side by side: longer runs of memory, independent sums. */
static void choose_unroll(sec_emitter *e) {
  e->unroll = 1;
  if (!e->columns || e->vdim < 0 || e->split == e->n) return;
  int reductions = 0;
  for (int i = 0; i < e->g->n_ops; i++) {
    const sec_op *o = &e->g->ops[i];
    if (!(o->kind == SEC_OP_REDUCE || o->kind == SEC_OP_DOT) || o->segment) return;
    reductions++;
  }
  while (e->unroll < SEC_MAX_PARTS && 2 * e->unroll * e->lanes <= e->size[e->vdim] && 2 * e->unroll * reductions <= 16) e->unroll *= 2;
}

static uint32_t tail_mask(sec_emitter *e, int64_t left) {
  uint32_t id = new_id(e->fn);
  sec_text_append(&e->fn->head, "%%v%u = arith.constant dense<[", id);
  for (int l = 0; l < e->lanes; l++) sec_text_append(&e->fn->head, "%s%s", l ? ", " : "", l < left ? "true" : "false");
  sec_text_append(&e->fn->head, "]> : vector<%dxi1>\n", e->lanes);
  return id + 1;
}

/* ---- accumulators ---- */
typedef struct accumulators {
  int     n;
  sec_op *op[64];
  int     part[64]; /* which of the vectors that are worked side by side */
  sec_lv  value[64];
} accumulators;

static const char *type_at(const sec_emitter *e, sec_ltype t, int lanes, char buffer[40]) {
  (void)e;
  if (lanes == 1) snprintf(buffer, 40, "%s", sec_lt_name(t));
  else snprintf(buffer, 40, "vector<%dx%s>", lanes, sec_lt_name(t));
  return buffer;
}

static const sec_primitive *combiner(const sec_op *o) {
  return o->kind == SEC_OP_DOT ? &sec_add_p : o->eqn->prim->combine;
}

/* Sums and products of f16 and bf16 run in f32 and are rounded once. */
static sec_ltype accumulator_type(const sec_emitter *e, const sec_op *o) {
  sec_ltype   t = sec_lower_type(e->frame->j->avals[o->out]->dtype);
  const char *name = combiner(o)->name;
  return (t == SEC_LT_F16 || t == SEC_LT_BF16) && (strcmp(name, "add") == 0 || strcmp(name, "mul") == 0) ? SEC_LT_F32 : t;
}

static sec_lv identity(sec_emitter *e, const sec_op *o) {
  sec_builder *b = &e->fn->b;
  sec_dtype    d = e->frame->j->avals[o->out]->dtype;
  sec_kind     kind = sec_dtype_kind(d);
  sec_ltype    t = accumulator_type(e, o);
  sec_identity id = o->kind == SEC_OP_DOT ? SEC_ID_ZERO : o->eqn->prim->identity;
  int          bits = sec_dtype_bits(d);
  if (kind == SEC_KIND_FLOAT) {
    double values[] = {0.0, 1.0, -__builtin_inf(), __builtin_inf(), 0.0};
    return sec_l_float(b, t, values[id]);
  }
  int64_t lowest = kind == SEC_KIND_INT ? INT64_MIN >> (64 - bits) : 0;
  int64_t highest = kind == SEC_KIND_INT ? ~lowest : -1; /* all ones, wrapped to the width */
  if (kind == SEC_KIND_BOOL) highest = 1;
  int64_t values[] = {0, 1, lowest, highest, kind == SEC_KIND_BOOL ? 1 : -1};
  return sec_l_int(b, t, values[id]);
}

static sec_lv combine(sec_emitter *e, const sec_op *o, sec_lv a, sec_lv x) {
  const sec_aval *aval = e->frame->j->avals[o->out];
  const sec_aval *avals[2] = {aval, aval};
  if (x.type != a.type) x = sec_l_cast(&e->fn->b, "arith.extf", x, a.type);
  sec_lv          in[2] = {a, x}, out;
  sec_lower       l = {.prim = combiner(o), .in_avals = avals, .out_avals = avals, .n_in = 2, .n_out = 1};
  const char *name = l.prim->name;
  if (sec_lt_is_float(a.type) && (strcmp(name, "max") == 0 || strcmp(name, "min") == 0)) { /* which zero wins does not matter here */
    uint32_t id = new_id(e->fn);
    char     type[40];
    sec_text_append(e->fn->b.out, "%%v%u = arith.%simumf %%v%u, %%v%u fastmath<nsz> : %s\n", id, name, a.id, x.id, sec_b_type(&e->fn->b, a.type, type));
    return (sec_lv){id, a.type};
  }
  if (aval->dtype == SEC_BOOL && o->kind == SEC_OP_DOT) return sec_l_binary(&e->fn->b, "arith.ori", a, x);
  l.prim->lower(&e->fn->b, &l, in, &out);
  return out;
}

static sec_lv product(sec_emitter *e, const sec_op *o, sec_lv acc, sec_lv x, sec_lv y) {
  sec_builder *b = &e->fn->b;
  sec_dtype    d = e->frame->j->avals[o->out]->dtype;
  sec_ltype    t = acc.type;
  sec_kind     from[2] = {sec_dtype_kind(sec_ref_aval(e->frame->j, o->in[0])->dtype), sec_dtype_kind(sec_ref_aval(e->frame->j, o->in[1])->dtype)};
  sec_lv      *v[2] = {&x, &y};
  for (int k = 0; k < 2; k++) { /* operands take the result's type first */
    if (v[k]->type == t) continue;
    bool wide = sec_lt_bits(v[k]->type) < sec_lt_bits(t), is_float = sec_lt_is_float(v[k]->type), uns = from[k] != SEC_KIND_INT;
    const char *op = sec_lt_is_float(t) ? (is_float ? (wide ? "arith.extf" : "arith.truncf") : uns ? "arith.uitofp" : "arith.sitofp")
                     : is_float ? "arith.fptosi" : wide ? (uns ? "arith.extui" : "arith.extsi") : "arith.trunci";
    *v[k] = sec_l_cast(b, op, *v[k], t);
  }
  if (sec_lt_is_float(t)) return sec_l_fma(b, x, y, acc);
  return combine(e, o, acc, sec_l_binary(b, d == SEC_BOOL ? "arith.andi" : "arith.muli", x, y));
}

static const char *reduction_name(sec_emitter *e, const sec_op *o) {
  static const struct { const char *combine, *floats, *ints, *uints; } names[] = {
      {"add", "add", "add", "add"}, {"mul", "mul", "mul", "mul"}, {"max", "maximumf", "maxsi", "maxui"},
      {"min", "minimumf", "minsi", "minui"}, {"and", NULL, "and", "and"}, {"or", NULL, "or", "or"}, {"xor", NULL, "xor", "xor"}};
  sec_kind    kind = sec_dtype_kind(e->frame->j->avals[o->out]->dtype);
  const char *name = combiner(o)->name;
  if (kind == SEC_KIND_BOOL && o->kind == SEC_OP_DOT) name = "or";
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (strcmp(names[k].combine, name) == 0)
      return kind == SEC_KIND_FLOAT ? names[k].floats : kind == SEC_KIND_INT ? names[k].ints : names[k].uints;
  return "add";
}

/* Lanes to one value. */
static sec_lv horizontal(sec_emitter *e, const sec_op *o, sec_lv v, int lanes) {
  if (lanes == 1) return v;
  uint32_t    id = new_id(e->fn);
  const char *name = reduction_name(e, o);
  bool        reassociate = sec_lt_is_float(v.type) && (!strcmp(name, "add") || !strcmp(name, "mul"));
  sec_text_append(e->row, "%%v%u = vector.reduction <%s>, %%v%u%s : vector<%dx%s> into %s\n", id, name, v.id,
                  reassociate ? " fastmath<reassoc>" : "", lanes, sec_lt_name(v.type), sec_lt_name(v.type));
  return (sec_lv){id, v.type};
}

/* ---- the body of a segment ---- */
static bool crosses(const sec_emitter *e, const sec_op *o) {
  for (uint32_t k = 0; k < o->eqn->n_out; k++)
    if (e->row_buffer[o->out + k]) return true;
  return false;
}

static void keep_row(sec_emitter *e, const sec_op *o, uint32_t var, sec_lv v) {
  (void)o;
  const sec_aval *aval = e->frame->j->avals[var];
  sec_builder    *b = &e->fn->b;
  uint32_t        sum = 0;
  int64_t         stride = 1;
  b->out = e->body;
  b->lanes = sec_e_lanes(e);
  for (int m = e->n; m-- > e->split; stride *= e->size[m]) {
    uint32_t term = e->index[m];
    if (stride != 1) {
      uint32_t c = sec_f_index(e->fn, stride);
      term = new_id(e->fn);
      sec_text_append(b->out, "%%v%u = arith.muli %%v%u, %%v%u : i64\n", term, e->index[m], c);
    }
    if (sum) {
      uint32_t id = new_id(e->fn);
      sec_text_append(b->out, "%%v%u = arith.addi %%v%u, %%v%u : i64\n", id, sum - 1, term);
      term = id;
    }
    sum = term + 1;
  }
  const char *name = aval->dtype == SEC_BOOL ? "i8" : sec_lt_name(v.type);
  if (aval->dtype == SEC_BOOL) v = sec_l_cast(b, "arith.extui", v, SEC_LT_I8);
  uint32_t p = e->row_buffer[var] - 1; /* a row of one element needs no address */
  char     type[40];
  if (sum) {
    p = new_id(e->fn);
    sec_text_append(b->out, "%%v%u = llvm.getelementptr %%v%u[%%v%u] : (!llvm.ptr, i64) -> !llvm.ptr, %s\n", p, e->row_buffer[var] - 1, sum - 1, name);
  }
  type_at(e, aval->dtype == SEC_BOOL ? SEC_LT_I8 : v.type, b->lanes, type);
  sec_text_append(b->out, "llvm.store %%v%u, %%v%u {alignment = %d : i64} : %s, !llvm.ptr\n", v.id, p, (int)sec_dtype_size(aval->dtype), type);
}

/* One element (or vector) of every full op of the segment. */
static void emit_body(sec_emitter *e, accumulators *acc) {
  sec_builder *b = &e->fn->b;
  e->n_memo = e->row_memo;
  e->in_row = false;
  for (int i = 0; i < e->g->n_ops; i++) {
    sec_op *o = &e->g->ops[i];
    if (o->row || o->segment != e->segment || is_reduction(o)) continue;
    e->dynamics.n = 0;
    if (o->kind == SEC_OP_STORE) {
      sec_lv v = sec_e_value(e, o->in[0], &o->in_map[0], o->through);
      sec_e_store(e, v, o->slot, o->target, &o->out_map, o);
      continue;
    }
    for (uint32_t k = 0; k < o->eqn->n_out; k++) {
      bool keep = crosses(e, o) && e->row_buffer[o->out + k];
      if (!keep && !is_stored(e, o->out + k)) continue;
      sec_lv v = sec_e_value(e, o->out + k, &o->out_map, false);
      if (is_stored(e, o->out + k)) sec_e_store(e, v, e->frame->slot[o->out + k], e->frame->j->avals[o->out + k], &o->out_map, NULL);
      if (keep) keep_row(e, o, o->out + k, v);
    }
  }
  for (int i = 0; i < acc->n; i++) {
    sec_op *o = acc->op[i];
    if (e->unroll > 1 && (i == 0 || acc->part[i] != acc->part[i - 1])) {
      e->index[e->vdim] = e->part_index[acc->part[i]];
      e->n_memo = e->row_memo;
    }
    e->dynamics.n = 0;
    sec_lv  x = sec_e_value(e, o->in[0], &o->in_map[0], false), next;
    sec_lv  y = o->kind == SEC_OP_DOT ? sec_e_value(e, o->in[1], &o->in_map[1], false) : x;
    b->out = e->body;
    b->lanes = sec_e_lanes(e);
    if (o->kind == SEC_OP_DOT) next = product(e, o, acc->value[i], x, y);
    else next = combine(e, o, acc->value[i], x);
    if (e->mask && e->vdim >= e->split) next = sec_l_select(b, (sec_lv){e->mask - 1, SEC_LT_I1}, next, acc->value[i]);
    acc->value[i] = next;
  }
}

/* ---- loops ---- */
static void open_loop(sec_emitter *e, int m, uint32_t lo, uint32_t hi, uint32_t step, accumulators *acc, uint32_t *results, int lanes) {
  sec_text *out = e->body;
  int n = acc ? acc->n : 0;
  *results = e->fn->b.next_id;
  e->fn->b.next_id += (uint32_t)n;
  e->index[m] = new_id(e->fn);
  for (int i = 0; i < n; i++) sec_text_append(out, "%%v%u%s", *results + (uint32_t)i, i < n - 1 ? ", " : " = ");
  sec_text_append(out, "scf.for %%v%u = %%v%u to %%v%u step %%v%u", e->index[m], lo, hi, step);
  char type[40];
  for (int i = 0; acc && i < acc->n; i++) {
    uint32_t id = new_id(e->fn);
    sec_text_append(out, "%s%%v%u = %%v%u", i ? ", " : " iter_args(", id, acc->value[i].id);
    acc->value[i].id = id;
  }
  for (int i = 0; acc && i < acc->n; i++)
    sec_text_append(out, "%s%s", i ? ", " : ") -> (", type_at(e, acc->value[i].type, lanes, type));
  sec_text_append(out, "%s : i64 {\n", acc && acc->n ? ")" : "");
}

static void close_loop(sec_emitter *e, accumulators *acc, uint32_t results, int lanes) {
  sec_text *out = e->body;
  char      type[40];
  for (int i = 0; acc && i < acc->n; i++) sec_text_append(out, "%s%%v%u", i ? ", " : "scf.yield ", acc->value[i].id);
  for (int i = 0; acc && i < acc->n; i++) sec_text_append(out, "%s%s", i ? ", " : " : ", type_at(e, acc->value[i].type, lanes, type));
  sec_text_append(out, "%s}\n", acc && acc->n ? "\n" : "");
  for (int i = 0; acc && i < acc->n; i++) acc->value[i].id = results + (uint32_t)i;
}

static void emit_inner(sec_emitter *e, int m, accumulators *acc) {
  int lanes = sec_e_lanes(e);
  if (m == e->n) {
    emit_body(e, acc);
    return;
  }
  uint32_t zero = sec_f_index(e->fn, 0), results;
  if (e->straight) {
    for (int64_t i = 0; i < e->size[m]; i++) {
      e->index[m] = sec_f_index(e->fn, i);
      emit_inner(e, m + 1, acc);
    }
    return;
  }
  if (m != e->vdim) {
    open_loop(e, m, zero, sec_f_index(e->fn, e->size[m]), sec_f_index(e->fn, 1), acc, &results, lanes);
    emit_inner(e, m + 1, acc);
    close_loop(e, acc, results, lanes);
    return;
  }
  int64_t full = e->size[m] / e->lanes * e->lanes;
  if (full == e->lanes) {
    e->index[m] = zero;
    emit_body(e, acc);
  } else if (full) {
    open_loop(e, m, zero, sec_f_index(e->fn, full), sec_f_index(e->fn, e->lanes), acc, &results, lanes);
    emit_body(e, acc);
    close_loop(e, acc, results, lanes);
  }
  if (full == e->size[m]) return;
  e->mask = tail_mask(e, e->size[m] - full);
  e->index[m] = sec_f_index(e->fn, full);
  emit_body(e, acc);
  e->mask = 0;
}

/* ---- rows ---- */
static void row_ops(sec_emitter *e, int segment) {
  e->in_row = true;
  for (int i = 0; i < e->g->n_ops; i++) {
    sec_op *o = &e->g->ops[i];
    if (!o->row || o->segment != segment) continue;
    e->dynamics.n = 0;
    if (o->kind == SEC_OP_STORE) {
      sec_lv v = sec_e_value(e, o->in[0], &o->in_map[0], o->through);
      sec_e_store(e, v, o->slot, o->target, &o->out_map, o);
      continue;
    }
    sec_lv outs[8];
    sec_e_equation(e, o->eqn, &o->out_map, true, outs);
    for (uint32_t k = 0; k < o->eqn->n_out; k++) {
      e->row_value[o->out + k] = outs[k].id + 1;
      if (is_stored(e, o->out + k)) sec_e_store(e, outs[k], e->frame->slot[o->out + k], e->frame->j->avals[o->out + k], &o->out_map, NULL);
    }
  }
  e->in_row = false;
}

static void emit_segment(sec_emitter *e, int segment, sec_text *out) {
  sec_builder *b = &e->fn->b;
  sec_text     row = {0}, body = {0};
  accumulators acc = {.n = 0};
  bool         full_work = false;
  int          n_reductions = 0;
  e->segment = segment;
  e->row = &row, e->body = &body;
  row_ops(e, segment);
  bool columns = e->vdim >= 0 && e->vdim < e->split;
  b->lanes = columns || e->vdim >= 0 ? e->lanes : 1;
  b->out = &body;
  for (int i = 0; i < e->g->n_ops; i++) {
    sec_op *o = &e->g->ops[i];
    if (o->row || o->segment != segment) continue;
    full_work = true;
    if (is_reduction(o)) n_reductions++;
  }
  for (int u = 0; u < e->unroll; u++) {
    if (e->unroll > 1) {
      uint32_t step = sec_f_index(e->fn, (int64_t)u * e->lanes);
      e->part_index[u] = new_id(e->fn);
      sec_text_append(&row, "%%v%u = arith.addi %%v%u, %%v%u : i64\n", e->part_index[u], e->index[e->vdim], step);
    }
    for (int i = 0; i < e->g->n_ops && n_reductions * e->unroll <= 64; i++) {
      sec_op *o = &e->g->ops[i];
      if (o->row || o->segment != segment || !is_reduction(o)) continue;
      acc.op[acc.n] = o;
      acc.part[acc.n] = u;
      acc.value[acc.n++] = identity(e, o);
    }
  }
  if (n_reductions * e->unroll > 64) b->error = "a group has too many reductions";
  if (full_work) emit_inner(e, e->split, &acc);
  int lanes = b->lanes = e->vdim >= 0 ? e->lanes : 1;
  sec_text_append(out, "%s%s", row.data ? row.data : "", body.data ? body.data : "");
  sec_mem_free(row.data), sec_mem_free(body.data);
  row = body = (sec_text){0};
  for (int i = 0; i < acc.n; i++) {
    sec_lv    v = columns ? acc.value[i] : horizontal(e, acc.op[i], acc.value[i], lanes);
    sec_ltype type = sec_lower_type(e->frame->j->avals[acc.op[i]->out]->dtype);
    b->out = &row;
    b->lanes = columns ? lanes : 1;
    if (v.type != type) v = sec_l_cast(b, "arith.truncf", v, type);
    e->row_value[acc.op[i]->out] = v.id + 1;
    if (e->unroll > 1) e->index[e->vdim] = e->part_index[acc.part[i]];
    e->in_row = true;
    if (is_stored(e, acc.op[i]->out)) sec_e_store(e, v, e->frame->slot[acc.op[i]->out], e->frame->j->avals[acc.op[i]->out], &acc.op[i]->out_map, NULL);
    e->in_row = false;
  }
  if (row.data) sec_text_append(out, "%s", row.data);
  sec_mem_free(row.data);
}

static void emit_row(sec_emitter *e, sec_text *out) {
  int last = 0;
  for (int i = 0; i < e->g->n_ops; i++)
    if (e->g->ops[i].segment > last) last = e->g->ops[i].segment;
  e->n_memo = e->row_memo = 0;
  for (int s = 0; s <= last; s++) emit_segment(e, s, out);
}

/* Loops over the row dimensions from m on; the outermost loop of a kernel takes its bounds from the arguments. */
static void emit_rows(sec_emitter *e, int m, uint32_t lo, uint32_t hi, sec_text *out) {
  if (m == e->split) {
    emit_row(e, out);
    return;
  }
  if (e->straight) {
    for (int64_t i = 0; i < e->size[m]; i++) {
      e->index[m] = sec_f_index(e->fn, i);
      emit_rows(e, m + 1, 0, 0, out);
    }
    return;
  }
  bool     vector = m == e->vdim;
  uint32_t from = lo ? lo - 1 : sec_f_index(e->fn, 0), to = hi ? hi - 1 : sec_f_index(e->fn, e->size[m]);
  int64_t  done = 0, size = e->size[m];
  int      unroll = e->unroll;
  for (int pass = 0; pass < (vector && unroll > 1 ? 2 : 1); pass++) { /* several vectors at a time, then one */
    int64_t width = vector ? e->lanes * (pass == 0 ? unroll : 1) : 1, end = size / width * width;
    if (end == done) continue;
    uint32_t limit = to, begin = done ? sec_f_index(e->fn, done) : from, step = sec_f_index(e->fn, width);
    if (end != size) {
      uint32_t bound = sec_f_index(e->fn, end);
      limit = new_id(e->fn);
      sec_text_append(out, "%%v%u = arith.minsi %%v%u, %%v%u : i64\n", limit, to, bound);
    }
    e->unroll = pass == 0 ? unroll : 1;
    e->index[m] = new_id(e->fn);
    sec_text_append(out, "scf.for %%v%u = %%v%u to %%v%u step %%v%u : i64 {\n", e->index[m], begin, limit, step);
    emit_rows(e, m + 1, 0, 0, out);
    sec_text_append(out, "}\n");
    done = end;
  }
  if (done != size) {
    uint32_t edge = sec_f_index(e->fn, done), more = new_id(e->fn);
    e->unroll = 1;
    sec_text_append(out, "%%v%u = arith.cmpi sgt, %%v%u, %%v%u : i64\nscf.if %%v%u {\n", more, to, edge, more);
    e->mask = tail_mask(e, size - done);
    e->index[m] = edge;
    emit_rows(e, m + 1, 0, 0, out);
    e->mask = 0;
    sec_text_append(out, "}\n");
  }
  e->unroll = unroll;
}

/* Elementwise groups of one dimension: the kernel's range is cut along the vectors themselves. */
static void emit_flat(sec_emitter *e, uint32_t lo, uint32_t hi, sec_text *out) {
  int split = e->split;
  e->split = e->n; /* the vector dimension is walked as a row dimension; there are no inner ones */
  emit_rows(e, 0, lo, hi, out);
  e->split = split;
}

/* ---- row buffers ---- */
static bool read_later(const sec_emitter *e, const sec_op *o, uint32_t var);

static bool reads(const sec_emitter *e, sec_ref ref, uint32_t var, bool through) {
  if (sec_ref_is_literal(ref)) return false;
  if (ref == var) return true;
  if (!sec_is_virtual(e->frame, ref) && !through) return false;
  const sec_eqn *eqn = e->frame->def[ref];
  for (uint32_t k = 0; k < eqn->n_in; k++)
    if (reads(e, eqn->in[k], var, false)) return true;
  return false;
}

static bool read_later(const sec_emitter *e, const sec_op *o, uint32_t var) {
  for (int i = 0; i < e->g->n_ops; i++) {
    const sec_op *q = &e->g->ops[i];
    if (q->segment <= o->segment) continue;
    for (int k = 0; k < q->n_in; k++)
      if (reads(e, q->in[k], var, q->through)) return true;
  }
  return false;
}

static void make_row_buffers(sec_emitter *e) {
  int64_t elements = 1;
  for (int m = e->split; m < e->n; m++) elements *= e->size[m];
  for (int i = 0; i < e->g->n_ops; i++) {
    const sec_op *o = &e->g->ops[i];
    if (o->kind != SEC_OP_ELEMENTWISE || o->row || (o->eqn->prim->flags & SEC_FLAG_CHEAP)) continue;
    for (uint32_t k = 0; k < o->eqn->n_out; k++) {
      const sec_aval *aval = e->frame->j->avals[o->out + k];
      int64_t         bytes = (elements + 64) * (int64_t)sec_dtype_size(aval->dtype);
      if (bytes > MAX_ROW_BUFFER || !read_later(e, o, o->out + k)) continue;
      uint32_t count = sec_f_index(e->fn, bytes), id = new_id(e->fn);
      sec_text_append(&e->fn->head, "%%v%u = llvm.alloca %%v%u x i8 {alignment = 64 : i64} : (i64) -> !llvm.ptr\n", id, count);
      e->row_buffer[o->out + k] = id + 1;
    }
  }
}

void sec_emit_group(sec_function *f, const sec_frame *frame, sec_group *g, uint32_t lo, uint32_t hi, int64_t *extent, int64_t *grain) {
  sec_emitter e = {.fn = f, .frame = frame, .g = g, .vdim = -1, .lanes = 1, .unroll = 1};
  sec_text   *out = f->b.out;
  for (int d = 0; d < g->n_dims; d++)
    if (g->dims[d] == 0 && !(g->reduces && d >= g->split)) { /* nothing to compute */
      *extent = 0, *grain = 1;
      return;
    }
  e.row_value = sec_mem_zeroed(frame->j->n_vars + 1, sizeof *e.row_value);
  e.row_buffer = sec_mem_zeroed(frame->j->n_vars + 1, sizeof *e.row_buffer);
  if (!e.row_value || !e.row_buffer) f->b.error = "out of memory while writing code";
  else {
    collect(&e);
    merge_dims(&e);
    int64_t elements = 1;
    for (int m = 0; m < e.n; m++) elements *= e.size[m];
    e.straight = f->loop && elements <= SEC_FEW;
    if (!e.straight) choose_vectors(&e);
    choose_unroll(&e);
    make_row_buffers(&e);
    bool flat = e.n == 1 && e.split == 0 && !g->reduces && g->split != 0;
    *extent = e.split > 0 || flat ? e.size[0] : 1;
    *grain = e.vdim == 0 ? e.lanes * e.unroll : 1;
    if (!(e.split > 0 || flat)) lo = hi = 0;
    if (flat) emit_flat(&e, lo, hi, out);
    else emit_rows(&e, 0, lo, hi, out);
  }
  if (e.failed) f->b.error = "out of memory while writing code";
  f->b.out = out;
  sec_mem_free(e.row_value), sec_mem_free(e.row_buffer), sec_mem_free(e.memo), sec_mem_free(e.accesses);
}
