/* Elements: loads, stores, literals, iotas and equations that are computed where they are read. */
#include "emit.h"
#include "memory.h"
#include <string.h>

sec_ltype sec_lower_type(sec_dtype d);

static sec_text *place_of(const sec_emitter *e) { return e->in_row ? e->row : e->body; }

int sec_e_lanes(const sec_emitter *e) {
  if (e->vdim < 0) return 1;
  return e->in_row && e->vdim >= e->split ? 1 : e->lanes;
}

/* ---- scalar i64 arithmetic ---- */
static uint32_t scalar(sec_emitter *e, const char *op, uint32_t a, uint32_t b) {
  uint32_t id = e->fn->b.next_id++;
  sec_text_append(e->fn->b.out, "%%v%u = %s %%v%u, %%v%u : i64\n", id, op, a, b);
  return id;
}

uint32_t sec_f_index(sec_function *f, int64_t value) {
  size_t k = ((uint64_t)value * 0x9e3779b97f4a7c15ull) >> 58;
  if (f->constants[k].id && f->constants[k].value == value) return f->constants[k].id - 1;
  uint32_t id = f->b.next_id++;
  sec_text_append(&f->head, "%%v%u = arith.constant %lld : i64\n", id, (long long)value);
  f->constants[k].value = value;
  f->constants[k].id = id + 1;
  return id;
}

/* sum so far (1 + id, 0: nothing) plus factor * index */
static uint32_t plus_scaled(sec_emitter *e, uint32_t sum, uint32_t index, int64_t factor) {
  uint32_t term = factor == 1 ? index : scalar(e, "arith.muli", index, sec_f_index(e->fn, factor));
  return 1 + (sum ? scalar(e, "arith.addi", sum - 1, term) : term);
}

/* ---- run-time starts ---- */
/* The scalar integer `ref`, clamped to [0, limit], as i64. */
static uint32_t clamped_start(sec_emitter *e, sec_ref ref, int64_t limit) {
  bool         was_row = e->in_row;
  int          lanes = e->fn->b.lanes;
  sec_map      zero = {.rank = 0};
  const sec_aval *aval = sec_ref_aval(e->frame->j, ref);
  int          vdim = e->vdim;
  uint32_t     mask = e->mask;
  e->vdim = -1, e->mask = 0, e->fn->b.lanes = 1;
  sec_lv v = sec_e_value(e, ref, &zero, false);
  sec_builder *b = &e->fn->b;
  b->lanes = 1;
  bool is_unsigned = sec_dtype_kind(aval->dtype) == SEC_KIND_UINT;
  if (v.type != SEC_LT_I64) v = sec_l_cast(b, is_unsigned ? "arith.extui" : "arith.extsi", v, SEC_LT_I64);
  sec_lv low = sec_l_int(b, SEC_LT_I64, 0), high = sec_l_int(b, SEC_LT_I64, limit);
  if (is_unsigned) v = sec_l_binary(b, "arith.minui", v, high);
  else v = sec_l_binary(b, "arith.minsi", sec_l_binary(b, "arith.maxsi", v, low), high);
  e->vdim = vdim, e->mask = mask, e->in_row = was_row;
  b->lanes = lanes;
  return v.id;
}

/* ---- addresses ---- */
typedef struct address {
  int64_t  offset, coef[SEC_MAX_DIMS]; /* by old dimension */
  uint32_t dynamic;                    /* 1 + SSA id */
} address;

static void add_axis(sec_emitter *e, address *at, const sec_affine *axis, int64_t stride, const sec_dynamics *dynamics) {
  at->offset += stride * axis->offset;
  for (int d = 0; d < SEC_MAX_DIMS; d++) at->coef[d] += stride * axis->coef[d];
  if (e->dry) return;
  for (uint32_t t = axis->dynamic; t; t = dynamics->list[t - 1].next) {
    const sec_dynamic *term = &dynamics->list[t - 1];
    uint32_t value = term->value ? term->value - 1 : clamped_start(e, term->ref, term->limit);
    at->dynamic = plus_scaled(e, at->dynamic, value, stride * term->factor);
  }
}

static address address_of(sec_emitter *e, int slot, const sec_aval *aval, const sec_map *map, const sec_dynamics *dynamics) {
  address at = {0};
  bool    rotated = aval->rank > 1 && sec_f_rotated(e->fn, e->frame, slot);
  int64_t stride = rotated ? aval->dims[0] : 1;
  for (int a = aval->rank; a-- > (rotated ? 1 : 0); stride *= aval->dims[a])
    if (aval->dims[a] != 1) add_axis(e, &at, &map->axis[a], stride, dynamics);
  if (rotated) add_axis(e, &at, &map->axis[0], 1, dynamics);
  return at;
}

static void note_access(sec_emitter *e, const address *at) {
  if (e->n_accesses == e->access_room) {
    int   room = e->access_room ? 2 * e->access_room : 64;
    void *grown = sec_mem_realloc(e->accesses, (size_t)room * sizeof *e->accesses);
    if (!grown) {
      e->failed = true;
      return;
    }
    e->accesses = grown;
    e->access_room = room;
  }
  memcpy(e->accesses[e->n_accesses++], at->coef, sizeof at->coef);
}

static int64_t lane_stride(const sec_emitter *e, const address *at) { return e->vdim < 0 ? 0 : at->coef[e->last[e->vdim]]; }

/* The scalar part of an address in elements (1 + id; 0: zero), the vector dimension's index being its first lane's. */
static uint32_t scalar_offset(sec_emitter *e, const address *at) {
  uint32_t sum = at->dynamic;
  for (int m = 0; m < e->n; m++) {
    int64_t c = at->coef[e->last[m]];
    if (c && e->size[m] > 1) sum = plus_scaled(e, sum, e->index[m], c);
  }
  if (at->offset) {
    uint32_t constant = sec_f_index(e->fn, at->offset);
    sum = 1 + (sum ? scalar(e, "arith.addi", sum - 1, constant) : constant);
  }
  return sum;
}

/* Depends on inner dimensions? */
static bool varies_inside(const sec_emitter *e, const address *at) {
  for (int m = e->split; m < e->n; m++)
    if (at->coef[e->last[m]]) return true;
  return false;
}

static const char *storage_type(sec_dtype d) { return d == SEC_BOOL ? "i8" : sec_lt_name(sec_lower_type(d)); }

static uint32_t pointer_to(sec_emitter *e, uint32_t base, uint32_t offset, sec_dtype d) {
  if (!offset) return base;
  uint32_t id = e->fn->b.next_id++;
  sec_text_append(e->fn->b.out, "%%v%u = llvm.getelementptr %%v%u[%%v%u] : (!llvm.ptr, i64) -> !llvm.ptr, %s\n", id, base, offset - 1,
                  storage_type(d));
  return id;
}

/* Pointers of every lane: base + offset + lane * stride. */
static uint32_t lane_pointers(sec_emitter *e, uint32_t pointer, int64_t stride, sec_dtype d) {
  sec_text *out = e->fn->b.out;
  uint32_t  lanes = e->fn->b.next_id++, id = e->fn->b.next_id++;
  int       n = e->fn->b.lanes;
  sec_text_append(&e->fn->head, "%%v%u = arith.constant dense<[", lanes);
  for (int l = 0; l < n; l++) sec_text_append(&e->fn->head, "%s%lld", l ? ", " : "", (long long)(l * stride));
  sec_text_append(&e->fn->head, "]> : vector<%dxi64>\n", n);
  sec_text_append(out, "%%v%u = llvm.getelementptr %%v%u[%%v%u] : (!llvm.ptr, vector<%dxi64>) -> vector<%dx!llvm.ptr>, %s\n", id, pointer,
                  lanes, n, n, storage_type(d));
  return id;
}

static uint32_t all_lanes(sec_emitter *e) {
  if (e->mask) return e->mask - 1;
  uint32_t id = e->fn->b.next_id++;
  sec_text_append(&e->fn->head, "%%v%u = arith.constant dense<true> : vector<%dxi1>\n", id, e->fn->b.lanes);
  return id;
}

/* From and to storage: a bool is a byte in memory and a bit in registers. */
static sec_lv from_storage(sec_emitter *e, uint32_t id, sec_dtype d) {
  sec_lv v = {id, d == SEC_BOOL ? SEC_LT_I8 : sec_lower_type(d)};
  return d == SEC_BOOL ? sec_l_cmpi(&e->fn->b, "ne", v, sec_l_int(&e->fn->b, SEC_LT_I8, 0)) : v;
}

static sec_lv broadcast(sec_emitter *e, sec_lv v, int lanes) {
  if (lanes == 1) return v;
  uint32_t id = e->fn->b.next_id++;
  sec_text_append(e->fn->b.out, "%%v%u = vector.broadcast %%v%u : %s to vector<%dx%s>\n", id, v.id, sec_lt_name(v.type), lanes, sec_lt_name(v.type));
  return (sec_lv){id, v.type};
}

static sec_lv load_vector(sec_emitter *e, uint32_t pointer, int64_t stride, sec_dtype d) {
  sec_builder *b = &e->fn->b;
  const char  *type = storage_type(d);
  int          n = b->lanes, align = (int)sec_dtype_size(d);
  uint32_t     id;
  if (stride == 1 && !e->mask) {
    id = b->next_id++;
    sec_text_append(b->out, "%%v%u = llvm.load %%v%u {alignment = %d : i64} : !llvm.ptr -> vector<%dx%s>\n", id, pointer, align, n, type);
    return from_storage(e, id, d);
  }
  sec_ltype lt = d == SEC_BOOL ? SEC_LT_I8 : sec_lower_type(d);
  sec_lv    pass = sec_lt_is_float(lt) ? sec_l_float(b, lt, 0) : sec_l_int(b, lt, 0);
  if (stride == 1) {
    id = b->next_id++;
    sec_text_append(b->out, "%%v%u = llvm.intr.masked.load %%v%u, %%v%u, %%v%u {alignment = %d : i32} : (!llvm.ptr, vector<%dxi1>, vector<%dx%s>) -> vector<%dx%s>\n",
                    id, pointer, e->mask - 1, pass.id, align, n, n, type, n, type);
  } else {
    uint32_t lanes = lane_pointers(e, pointer, stride, d), mask = all_lanes(e);
    id = b->next_id++;
    sec_text_append(b->out, "%%v%u = llvm.intr.masked.gather %%v%u, %%v%u, %%v%u {alignment = %d : i32} : (vector<%dx!llvm.ptr>, vector<%dxi1>, vector<%dx%s>) -> vector<%dx%s>\n",
                    id, lanes, mask, pass.id, align, n, n, n, type, n, type);
  }
  return from_storage(e, id, d);
}

/* A scalar that may lie outside: read under the first lane of the mask, or, in scalar code, under the mask's only bit. */
static uint32_t masked_scalar(sec_emitter *e, uint32_t pointer, sec_dtype d) {
  sec_builder *b = &e->fn->b;
  const char  *type = storage_type(d);
  uint32_t     bit = e->mask - 1, one = b->next_id++, pass = b->next_id++, loaded = b->next_id++, id = b->next_id++;
  if (b->lanes > 1) { /* all lanes read one element: any of them decides */
    bit = b->next_id++;
    sec_text_append(b->out, "%%v%u = vector.reduction <or>, %%v%u : vector<%dxi1> into i1\n", bit, e->mask - 1, b->lanes);
  }
  bool is_float = d != SEC_BOOL && sec_lt_is_float(sec_lower_type(d));
  sec_text_append(b->out, "%%v%u = vector.broadcast %%v%u : i1 to vector<1xi1>\n%%v%u = arith.constant dense<%s> : vector<1x%s>\n", one, bit, pass, is_float ? "0.0" : "0",
                  type);
  sec_text_append(b->out, "%%v%u = llvm.intr.masked.load %%v%u, %%v%u, %%v%u {alignment = %d : i32} : (!llvm.ptr, vector<1xi1>, vector<1x%s>) -> vector<1x%s>\n", loaded, pointer,
                  one, pass, (int)sec_dtype_size(d), type, type);
  sec_text_append(b->out, "%%v%u = vector.extract %%v%u[0] : %s from vector<1x%s>\n", id, loaded, type, type);
  return id;
}

static sec_lv load(sec_emitter *e, int slot, const sec_aval *aval, const address *at) {
  sec_builder *b = &e->fn->b;
  int          lanes = b->lanes;
  int64_t      stride = lanes > 1 ? lane_stride(e, at) : 0;
  uint32_t     base = sec_f_base(e->fn, slot);
  uint32_t     pointer = pointer_to(e, base, scalar_offset(e, at), aval->dtype);
  if (lanes > 1 && stride) return load_vector(e, pointer, stride, aval->dtype);
  uint32_t id = e->piecewise ? masked_scalar(e, pointer, aval->dtype) : b->next_id++;
  if (!e->piecewise)
    sec_text_append(b->out, "%%v%u = llvm.load %%v%u {alignment = %d : i64} : !llvm.ptr -> %s\n", id, pointer, (int)sec_dtype_size(aval->dtype),
                    storage_type(aval->dtype));
  b->lanes = 1;
  sec_lv v = from_storage(e, id, aval->dtype);
  b->lanes = lanes;
  return broadcast(e, v, lanes);
}

void sec_e_store(sec_emitter *e, sec_lv v, int slot, const sec_aval *type, const sec_map *map, const sec_op *window) {
  sec_dynamics none = {.n = 0};
  address      at = address_of(e, slot, type, map, &none);
  if (e->dry) {
    note_access(e, &at);
    return;
  }
  sec_builder *b = &e->fn->b;
  b->out = place_of(e);
  b->lanes = sec_e_lanes(e);
  if (window && window->start) {
    bool    rotated = type->rank > 1 && sec_f_rotated(e->fn, e->frame, slot);
    int64_t stride = rotated ? type->dims[0] : 1;
    for (int a = type->rank; a-- > (rotated ? 1 : 0); stride *= type->dims[a])
      if (type->dims[a] != window->window->dims[a])
        at.dynamic = plus_scaled(e, at.dynamic, clamped_start(e, window->start[a], type->dims[a] - window->window->dims[a]), stride);
    if (rotated && type->dims[0] != window->window->dims[0])
      at.dynamic = plus_scaled(e, at.dynamic, clamped_start(e, window->start[0], type->dims[0] - window->window->dims[0]), 1);
    b->out = place_of(e);
    b->lanes = sec_e_lanes(e);
  }
  sec_dtype d = type->dtype;
  if (d == SEC_BOOL) v = sec_l_cast(b, "arith.extui", v, SEC_LT_I8);
  uint32_t    pointer = pointer_to(e, sec_f_base(e->fn, slot), scalar_offset(e, &at), d);
  const char *name = storage_type(d);
  int         n = b->lanes, align = (int)sec_dtype_size(d);
  int64_t     stride = n > 1 ? lane_stride(e, &at) : 0;
  if (n == 1)
    sec_text_append(b->out, "llvm.store %%v%u, %%v%u {alignment = %d : i64} : %s, !llvm.ptr\n", v.id, pointer, align, name);
  else if (stride == 1 && !e->mask)
    sec_text_append(b->out, "llvm.store %%v%u, %%v%u {alignment = %d : i64} : vector<%dx%s>, !llvm.ptr\n", v.id, pointer, align, n, name);
  else if (stride == 1)
    sec_text_append(b->out, "llvm.intr.masked.store %%v%u, %%v%u, %%v%u {alignment = %d : i32} : vector<%dx%s>, vector<%dxi1> into !llvm.ptr\n", v.id,
                    pointer, e->mask - 1, align, n, name, n);
  else {
    uint32_t lanes = lane_pointers(e, pointer, stride, d), mask = all_lanes(e);
    sec_text_append(b->out, "llvm.intr.masked.scatter %%v%u, %%v%u, %%v%u {alignment = %d : i32} : vector<%dx%s>, vector<%dxi1> into vector<%dx!llvm.ptr>\n", v.id,
                    lanes, mask, align, n, name, n, n);
  }
}

/* ---- iota ---- */
/* The position along an axis, as i64. */
static sec_lv position(sec_emitter *e, const sec_affine *axis, const sec_dynamics *dynamics) {
  address at = {0};
  add_axis(e, &at, axis, 1, dynamics);
  if (e->dry) {
    note_access(e, &at);
    return (sec_lv){0, SEC_LT_I64};
  }
  sec_builder *b = &e->fn->b;
  int          lanes = b->lanes;
  int64_t      stride = lanes > 1 ? lane_stride(e, &at) : 0;
  uint32_t     offset = scalar_offset(e, &at);
  sec_lv       v = {offset ? offset - 1 : sec_f_index(e->fn, 0), SEC_LT_I64};
  v = broadcast(e, v, lanes);
  if (stride) {
    uint32_t id = b->next_id++;
    sec_text_append(&e->fn->head, "%%v%u = arith.constant dense<[", id);
    for (int l = 0; l < lanes; l++) sec_text_append(&e->fn->head, "%s%lld", l ? ", " : "", (long long)(l * stride));
    sec_text_append(&e->fn->head, "]> : vector<%dxi64>\n", lanes);
    v = sec_l_binary(b, "arith.addi", v, (sec_lv){id, SEC_LT_I64});
  }
  return v;
}

static sec_lv iota(sec_emitter *e, const sec_aval *aval, const sec_affine *axis, const sec_dynamics *dynamics) {
  sec_lv       v = position(e, axis, dynamics);
  sec_ltype    to = sec_lower_type(aval->dtype);
  sec_builder *b = &e->fn->b;
  if (e->dry) return (sec_lv){0, to};
  if (to == SEC_LT_I64) return v;
  if (sec_lt_is_float(to)) return sec_l_cast(b, "arith.sitofp", v, to);
  return sec_l_cast(b, "arith.trunci", v, to);
}

/* ---- values ---- */
static sec_lv literal(sec_emitter *e, const sec_literal *l) {
  sec_ltype t = sec_lower_type(l->aval->dtype);
  if (e->dry) return (sec_lv){0, t};
  return sec_lt_is_float(t) ? sec_l_float(&e->fn->b, t, l->f) : sec_l_int(&e->fn->b, t, l->i);
}

static sec_memo *find_memo(sec_emitter *e, sec_ref ref, const sec_map *map, const sec_aval *aval) {
  int lanes = e->fn->b.lanes;
  for (int i = e->n_memo; i-- > 0;)
    if (e->memo[i].ref == ref && e->memo[i].where == lanes && sec_map_equal(&e->memo[i].map, map, aval) && (!e->in_row || i < e->row_memo))
      return &e->memo[i];
  return NULL;
}

static void add_memo(sec_emitter *e, sec_ref ref, const sec_map *map, sec_lv v, int lanes, bool row) {
  if (e->n_memo == e->memo_room) {
    int       room = e->memo_room ? 2 * e->memo_room : 64;
    sec_memo *grown = sec_mem_realloc(e->memo, (size_t)room * sizeof *grown);
    if (!grown) {
      e->failed = true;
      return;
    }
    e->memo = grown;
    e->memo_room = room;
  }
  int at = e->n_memo++;
  if (row) { /* row entries stand first */
    e->memo[at] = e->memo[e->row_memo];
    at = e->row_memo++;
  }
  e->memo[at] = (sec_memo){ref, *map, lanes, v};
}

static bool has_dynamic(const sec_map *m) {
  for (int a = 0; a < m->rank; a++)
    if (m->axis[a].dynamic) return true;
  return false;
}

/* A buffer element; what does not vary inside a row is loaded once before the row's loop. */
static sec_lv buffer_value(sec_emitter *e, sec_ref ref, const sec_map *map, const sec_dynamics *dynamics) {
  const sec_aval *aval = e->frame->j->avals[ref];
  sec_builder    *b = &e->fn->b;
  int             lanes = sec_e_lanes(e);
  sec_memo       *known = has_dynamic(map) || e->piecewise ? NULL : find_memo(e, ref, map, aval);
  if (known) return known->value;
  bool    was_row = e->in_row;
  address probe = {0};
  for (int a = 0; a < aval->rank; a++)
    if (aval->dims[a] != 1)
      for (int d = 0; d < SEC_MAX_DIMS; d++) probe.coef[d] |= map->axis[a].coef[d];
  bool hoist = !e->piecewise && !was_row && e->split < e->n && !(e->vdim >= 0 && e->vdim < e->split) && !varies_inside(e, &probe);
  if (hoist) { /* row code, but with the body's lanes: a scalar load spread out */
    e->in_row = true;
    b->out = e->row;
  }
  address at = address_of(e, e->frame->slot[ref], aval, map, dynamics);
  b->out = place_of(e);
  b->lanes = lanes;
  uint32_t mask = e->mask;
  if (hoist) e->mask = 0;
  sec_lv v = load(e, e->frame->slot[ref], aval, &at);
  e->mask = mask;
  e->in_row = was_row;
  b->out = place_of(e);
  if (!has_dynamic(map) && !e->piecewise) add_memo(e, ref, map, v, lanes, hoist || was_row);
  return v;
}

/* A value that this group computes, read at its own place. */
static sec_lv own_value(sec_emitter *e, sec_ref ref, const sec_map *map) {
  sec_builder    *b = &e->fn->b;
  const sec_aval *aval = e->frame->j->avals[ref];
  const sec_op   *o = e->frame->op[ref];
  int             lanes = sec_e_lanes(e);
  sec_memo       *known = find_memo(e, ref, map, aval);
  if (known) return known->value;
  if (o->row || o->kind == SEC_OP_REDUCE || o->kind == SEC_OP_DOT) { /* finished row results */
    sec_lv v = {e->row_value[ref] - 1, sec_lower_type(aval->dtype)};
    if (lanes > 1 && e->vdim >= e->split) {
      sec_text *out = b->out;
      b->out = e->row;
      v = broadcast(e, v, lanes);
      b->out = out;
      add_memo(e, ref, map, v, lanes, true);
    }
    return v;
  }
  if (e->row_buffer[ref] && o->segment < e->segment) { /* kept in a row buffer by an earlier segment */
    address at = {0};
    int64_t stride = 1;
    for (int m = e->n; m-- > e->split; stride *= e->size[m]) at.coef[e->last[m]] = stride;
    uint32_t pointer = pointer_to(e, e->row_buffer[ref] - 1, scalar_offset(e, &at), aval->dtype);
    sec_lv   v;
    if (lanes > 1) v = load_vector(e, pointer, 1, aval->dtype);
    else {
      uint32_t id = b->next_id++;
      sec_text_append(b->out, "%%v%u = llvm.load %%v%u {alignment = %d : i64} : !llvm.ptr -> %s\n", id, pointer, (int)sec_dtype_size(aval->dtype),
                      storage_type(aval->dtype));
      v = from_storage(e, id, aval->dtype);
    }
    add_memo(e, ref, map, v, lanes, false);
    return v;
  }
  sec_lv outs[8];
  sec_e_equation(e, o->eqn, map, true, outs);
  for (uint32_t k = 0; k < o->eqn->n_out; k++) add_memo(e, o->out + k, map, outs[k], lanes, e->in_row);
  return outs[ref - o->out];
}

/* ---- pieces: concatenations and paddings read in place ---- */
/* The operand's value where `inside` holds; its memory is not touched elsewhere. */
static sec_lv piece(sec_emitter *e, sec_ref ref, const sec_map *map, sec_lv inside) {
  sec_builder *b = &e->fn->b;
  uint32_t     mask = e->mask;
  bool         was = e->piecewise;
  if (!e->dry) e->mask = 1 + (mask && b->lanes > 1 ? sec_l_binary(b, "arith.andi", (sec_lv){mask - 1, SEC_LT_I1}, inside).id : inside.id);
  e->piecewise = true;
  sec_lv v = sec_e_value(e, ref, map, false);
  e->piecewise = was;
  e->mask = mask;
  b->lanes = sec_e_lanes(e);
  b->out = place_of(e);
  return v;
}

/* low <= at < high */
static sec_lv between(sec_emitter *e, sec_lv at, int64_t low, int64_t high) {
  sec_builder *b = &e->fn->b;
  if (e->dry) return (sec_lv){0, SEC_LT_I1};
  sec_lv above = sec_l_cmpi(b, "sge", at, sec_l_int(b, SEC_LT_I64, low)), below = sec_l_cmpi(b, "slt", at, sec_l_int(b, SEC_LT_I64, high));
  return sec_l_binary(b, "arith.andi", above, below);
}

static bool same_in_all_lanes(const sec_emitter *e, const sec_affine *axis) {
  return e->dry || e->fn->b.lanes == 1 || axis->coef[e->last[e->vdim]] == 0;
}

/* Whether the position along the axis lies in [low, low + size), as a condition over the lanes; and moves the axis of the
 * map there.  Where all lanes agree, the axis is clamped instead, so that no address outside is ever formed. */
static sec_lv enter(sec_emitter *e, sec_affine *axis, int64_t low, int64_t size, bool *masked) {
  sec_builder *b = &e->fn->b;
  int          lanes = b->lanes;
  if (!same_in_all_lanes(e, axis)) {
    sec_lv inside = between(e, position(e, axis, &e->dynamics), low, low + size);
    axis->offset -= low;
    *masked = true;
    return inside;
  }
  b->lanes = 1;
  sec_lv at = position(e, axis, &e->dynamics), inside = between(e, at, low, low + size);
  if (!e->dry && e->dynamics.n < SEC_MAX_DYNAMICS) {
    sec_lv near = sec_l_binary(b, "arith.maxsi", at, sec_l_int(b, SEC_LT_I64, low));
    near = sec_l_binary(b, "arith.minsi", near, sec_l_int(b, SEC_LT_I64, low + size - 1));
    e->dynamics.list[e->dynamics.n++] = (sec_dynamic){.value = near.id + 1, .factor = 1};
    *axis = (sec_affine){.offset = -low, .dynamic = (uint32_t)e->dynamics.n};
    inside = broadcast(e, inside, lanes);
  } else
    axis->offset -= low;
  b->lanes = lanes;
  return inside;
}

static sec_lv concatenated(sec_emitter *e, const sec_eqn *eqn, const sec_map *map) {
  int     axis = (int)sec_params_int(eqn->params, "dimension");
  int64_t start = 0;
  sec_lv  v = {0, SEC_LT_F32};
  for (uint32_t k = 0; k < eqn->n_in; k++) {
    int64_t size = sec_ref_aval(e->frame->j, eqn->in[k])->dims[axis];
    sec_map there = *map;
    bool    masked = false;
    if (size == 0) continue;
    sec_lv inside = enter(e, &there.axis[axis], start, size, &masked);
    sec_lv x = masked ? piece(e, eqn->in[k], &there, inside) : sec_e_value(e, eqn->in[k], &there, false);
    e->fn->b.lanes = sec_e_lanes(e);
    e->fn->b.out = place_of(e);
    v = start == 0 || e->dry ? x : sec_l_select(&e->fn->b, inside, x, v);
    start += size;
  }
  return v;
}

static sec_lv padded(sec_emitter *e, const sec_eqn *eqn, const sec_map *map) {
  const sec_param *q = sec_params_find(eqn->params, "padding_config");
  const sec_aval  *in = sec_ref_aval(e->frame->j, eqn->in[0]);
  sec_map          there = *map, zero = {.rank = 0};
  sec_lv           inside = {0, SEC_LT_I1}, mask = {0, SEC_LT_I1};
  bool             any = false, masked = false;
  for (int a = 0; a < in->rank; a++) {
    int64_t low = q->u.intss.v[a][0];
    if (low <= 0 && q->u.intss.v[a][1] <= 0) { /* only cut: always inside */
      there.axis[a].offset -= low;
      continue;
    }
    bool   lanes_differ = false;
    sec_lv here = enter(e, &there.axis[a], low, in->dims[a], &lanes_differ);
    if (lanes_differ) mask = here, masked = true; /* one axis at most runs along the vectors */
    inside = any && !e->dry ? sec_l_binary(&e->fn->b, "arith.andi", inside, here) : here;
    any = true;
  }
  sec_lv x = masked ? piece(e, eqn->in[0], &there, mask) : sec_e_value(e, eqn->in[0], &there, false);
  if (!any) return x;
  sec_lv fill = sec_e_value(e, eqn->in[1], &zero, false);
  e->fn->b.lanes = sec_e_lanes(e);
  e->fn->b.out = place_of(e);
  return e->dry ? x : sec_l_select(&e->fn->b, inside, x, fill);
}

sec_lv sec_e_value(sec_emitter *e, sec_ref ref, const sec_map *given, bool through) {
  sec_builder *b = &e->fn->b;
  sec_map      map = *given;
  sec_dynamics *dynamics = &e->dynamics;
  b->lanes = sec_e_lanes(e);
  b->out = place_of(e);
  while (sec_map_step(e->frame, &ref, &map, dynamics, through)) through = false;
  if (sec_ref_is_literal(ref)) return literal(e, &e->frame->j->literals[sec_ref_index(ref)]);
  const sec_aval *aval = e->frame->j->avals[ref];
  if (sec_is_virtual(e->frame, ref) || through) {
    const sec_eqn *eqn = e->frame->def[ref];
    if (eqn->prim->form == SEC_FORM_IOTA) return iota(e, aval, &map.axis[sec_params_int(eqn->params, "dimension")], dynamics);
    sec_memo *known = has_dynamic(&map) || e->piecewise ? NULL : find_memo(e, ref, &map, aval);
    if (known) return known->value;
    sec_lv outs[8];
    if (eqn->prim->form == SEC_FORM_CONCATENATE) outs[0] = concatenated(e, eqn, &map);
    else if (eqn->prim->form == SEC_FORM_PAD) outs[0] = padded(e, eqn, &map);
    else sec_e_equation(e, eqn, &map, false, outs);
    b->lanes = sec_e_lanes(e);
    b->out = place_of(e);
    if (!has_dynamic(&map) && !e->piecewise) add_memo(e, ref, &map, outs[ref - eqn->out], b->lanes, e->in_row);
    return outs[ref - eqn->out];
  }
  if (e->frame->group[ref] == e->g) return own_value(e, ref, &map);
  if (e->dry) {
    address at = address_of(e, e->frame->slot[ref], aval, &map, dynamics);
    note_access(e, &at);
    return (sec_lv){0, sec_lower_type(aval->dtype)};
  }
  return buffer_value(e, ref, &map, dynamics);
}

void sec_e_equation(sec_emitter *e, const sec_eqn *eqn, const sec_map *map, bool native, sec_lv *out) {
  sec_lv          x[16];
  const sec_aval *in[16], *results[8];
  (void)native;
  if (eqn->n_in > 16 || eqn->n_out > 8) {
    e->failed = true;
    memset(out, 0, 8 * sizeof *out);
    return;
  }
  for (uint32_t k = 0; k < eqn->n_in; k++) {
    in[k] = sec_ref_aval(e->frame->j, eqn->in[k]);
    sec_map operand = *map;
    operand.rank = in[k]->rank;
    x[k] = sec_e_value(e, eqn->in[k], &operand, false);
  }
  for (uint32_t k = 0; k < eqn->n_out; k++) results[k] = e->frame->j->avals[eqn->out + k];
  if (e->dry) {
    for (uint32_t k = 0; k < eqn->n_out; k++) out[k] = (sec_lv){0, sec_lower_type(results[k]->dtype)};
    return;
  }
  sec_builder *b = &e->fn->b;
  b->lanes = sec_e_lanes(e);
  b->out = place_of(e);
  sec_lower l = {.prim = eqn->prim, .params = eqn->params, .in_avals = in, .out_avals = results, .n_in = (int)eqn->n_in, .n_out = (int)eqn->n_out};
  eqn->prim->lower(b, &l, x, out);
}
