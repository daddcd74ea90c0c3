/* A jaxpr as a block of steps: each equation becomes part of a group, a view that costs nothing, a runtime call, or a
 * loop or branch with blocks of its own. */
#include "fuse.h"
#include "status_place.h"
#include <string.h>

/* ---- frames ---- */
static sec_frame *frame_new(sec_plan *p, const sec_jaxpr *j) {
  sec_frame *fr = sec_arena_alloc(p->memory, sizeof *fr);
  size_t     n = j->n_vars + 1;
  if (!fr) return NULL;
  *fr = (sec_frame){.j = j, .next = p->frames,
                    .slot = sec_arena_alloc(p->memory, n * sizeof *fr->slot), .def = sec_arena_alloc(p->memory, n * sizeof *fr->def),
                    .n_uses = sec_arena_alloc(p->memory, n * sizeof *fr->n_uses), .user = sec_arena_alloc(p->memory, n * sizeof *fr->user),
                    .step = sec_arena_alloc(p->memory, n * sizeof *fr->step), .op = sec_arena_alloc(p->memory, n * sizeof *fr->op),
                    .group = sec_arena_alloc(p->memory, n * sizeof *fr->group),
                    .is_virtual = sec_arena_alloc(p->memory, n * sizeof *fr->is_virtual),
                    .can_follow = sec_arena_alloc(p->memory, n * sizeof *fr->can_follow), .now = INT32_MAX};
  if (!fr->slot || !fr->def || !fr->n_uses || !fr->user || !fr->step || !fr->op || !fr->group || !fr->is_virtual || !fr->can_follow) return NULL;
  p->frames = fr;
  for (uint32_t v = 0; v < j->n_vars; v++) fr->slot[v] = -1, fr->step[v] = -1;
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    const sec_eqn *e = &j->eqns[i];
    for (uint32_t k = 0; k < e->n_out; k++) fr->def[e->out + k] = e;
    for (uint32_t k = 0; k < e->n_in; k++)
      if (!sec_ref_is_literal(e->in[k])) fr->n_uses[e->in[k]]++, fr->user[e->in[k]] = e;
  }
  for (uint32_t i = 0; i < j->n_out; i++)
    if (!sec_ref_is_literal(j->outs[i])) fr->n_uses[j->outs[i]] += 2; /* never "its only use" */
  return fr;
}

/* ---- views and constants spread out ---- */
/* A value made of literals and iotas alone: cheaper to compute again than to store. */
static bool is_generator(const sec_frame *fr, sec_ref r) {
  if (sec_ref_is_literal(r)) return true;
  if (!fr->is_virtual[r]) return false;
  const sec_eqn *e = fr->def[r];
  if (e->prim->form == SEC_FORM_DYNAMIC_SLICE || e->prim->form == SEC_FORM_CONCATENATE || e->prim->form == SEC_FORM_PAD) return false;
  for (uint32_t k = 0; k < e->n_in; k++)
    if (!is_generator(fr, e->in[k])) return false;
  return true;
}

/* Elementwise work that only one reduction over leading axes reads is done inside that reduction. */
static bool only_feeds_columns(const sec_frame *fr, const sec_eqn *e) {
  if (e->n_out != 1 || fr->n_uses[e->out] != 1) return false;
  const sec_eqn *user = fr->user[e->out];
  if (user->prim->form != SEC_FORM_REDUCE) return false;
  const sec_aval *in = fr->j->avals[e->out];
  int             n;
  const int64_t  *axes = sec_params_ints(user->params, "axes", &n);
  bool            reduced[SEC_MAX_RANK] = {false}, seen = false;
  for (int k = 0; k < n; k++) reduced[axes[k]] = true;
  for (int a = 0; a < in->rank; a++) {
    if (in->dims[a] == 1) continue;
    if (reduced[a]) seen = true;
    else if (seen) return true;
  }
  return false;
}

static void make_virtual(sec_fuser *f, const sec_eqn *e) {
  f->frame->is_virtual[e->out] = f->frame->can_follow[e->out] = true;
  f->frame->step[e->out] = SEC_STEP_VIRTUAL;
}

static sec_status lower_elementwise(sec_fuser *f, const sec_eqn *e) {
  bool generator = e->n_out == 1;
  for (uint32_t k = 0; k < e->n_in && generator; k++) generator = is_generator(f->frame, e->in[k]);
  if ((generator && e->n_in > 0) || only_feeds_columns(f->frame, e)) make_virtual(f, e);
  else sec_fuse_elementwise(f, e);
  return SEC_OK;
}

static sec_status lower_reshape(sec_fuser *f, const sec_eqn *e) {
  sec_frame *fr = f->frame;
  if (sec_ref_is_literal(e->in[0]) || sec_reshape_splits(sec_ref_aval(fr->j, e->in[0]), fr->j->avals[e->out])) {
    make_virtual(f, e);
    return SEC_OK;
  }
  fr->slot[e->out] = sec_fuse_materialize(f, e->in[0]); /* the same memory */
  fr->step[e->out] = fr->step[e->in[0]];
  return SEC_OK;
}

static sec_status lower_bits(sec_fuser *f, const sec_eqn *e) {
  f->frame->slot[e->out] = sec_fuse_materialize(f, e->in[0]);
  f->frame->step[e->out] = sec_fuse_ready(f, e->in[0]);
  return SEC_OK;
}

/* ---- windows: concatenate, pad, dynamic_update_slice write into a buffer of their own ---- */
static int own_buffer(sec_fuser *f, const sec_eqn *e) {
  int slot = sec_plan_add_slot(f->plan, SEC_SLOT_TEMP, f->frame->j->avals[e->out]);
  if (slot < 0) f->failed = true;
  f->frame->slot[e->out] = slot;
  f->frame->step[e->out] = -1;
  return slot;
}

/* Pieces that lie in buffers, or are literals, are read where they are wanted, lanes outside a piece masked off. */
static bool pieces_readable(const sec_fuser *f, const sec_eqn *e) {
  const sec_frame *fr = f->frame;
  const sec_aval  *out = fr->j->avals[e->out];
  if (e->n_in > 4 || out->size < 1024 || out->rank == 0 || out->dims[out->rank - 1] < 8) return false;
  for (uint32_t k = 0; k < e->n_in; k++) {
    sec_ref      ref = e->in[k];
    sec_dynamics dynamics = {.n = 0};
    if (sec_ref_is_literal(ref)) continue;
    sec_map map = sec_map_native(fr->j->avals[ref]);
    while (sec_map_step(fr, &ref, &map, &dynamics, false)) continue;
    if (dynamics.n || (!sec_ref_is_literal(ref) && fr->is_virtual[ref])) return false;
  }
  return true;
}

static sec_status lower_concatenate(sec_fuser *f, const sec_eqn *e);
static sec_status lower_pad(sec_fuser *f, const sec_eqn *e);

bool sec_fuse_windows(sec_fuser *f, uint32_t var) {
  const sec_eqn *e = f->frame->def[var];
  if (e->prim->form != SEC_FORM_CONCATENATE && e->prim->form != SEC_FORM_PAD) return false;
  f->frame->is_virtual[var] = false;
  (e->prim->form == SEC_FORM_PAD ? lower_pad : lower_concatenate)(f, e);
  return true;
}

static bool pads_inside(const sec_eqn *e) {
  const sec_param *q = sec_params_find(e->params, "padding_config");
  for (int a = 0; a < q->u.intss.count; a++)
    if (q->u.intss.v[a][2] != 0) return true;
  return false;
}

static sec_status lower_concatenate(sec_fuser *f, const sec_eqn *e) {
  int64_t at = 0;
  int     axis = (int)sec_params_int(e->params, "dimension"), slot = own_buffer(f, e);
  for (uint32_t k = 0; k < e->n_in; k++) {
    const sec_aval *in = sec_ref_aval(f->frame->j, e->in[k]);
    sec_store       s = sec_store_whole(f, e->in[k], slot, in);
    s.in_map = s.window; /* a scalar cannot be concatenated: the operand has the window's shape */
    s.out = e->out;
    s.target = f->frame->j->avals[e->out];
    s.window.axis[axis].offset = at;
    at += in->dims[axis];
    if (in->size) sec_fuse_store(f, &s);
  }
  return SEC_OK;
}

static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* pad: fill everything with the value, then write the part of the operand that stays inside. */
static sec_status lower_pad(sec_fuser *f, const sec_eqn *e) {
  const sec_aval  *in = sec_ref_aval(f->frame->j, e->in[0]), *out = f->frame->j->avals[e->out];
  const sec_param *q = sec_params_find(e->params, "padding_config");
  int              slot = own_buffer(f, e);
  sec_store        fill = sec_store_whole(f, e->in[1], slot, out);
  fill.out = e->out;
  if (out->size == 0) return SEC_OK;
  sec_fuse_store(f, &fill);
  sec_store s = {.ref = e->in[0], .out = e->out, .slot = slot, .after = f->frame->step[e->out], .target = out};
  s.in_map.rank = in->rank;
  s.window.rank = out->rank;
  for (int a = 0; a < in->rank; a++) {
    int64_t low = q->u.intss.v[a][0], stride = q->u.intss.v[a][2] + 1;
    int64_t first = low < 0 ? (-low + stride - 1) / stride : 0;                  /* the first element that lands at 0 or later */
    int64_t last = out->dims[a] - 1 - low < 0 ? -1 : (out->dims[a] - 1 - low) / stride; /* the last that lands inside */
    int64_t count = max64(0, min64(last, in->dims[a] - 1) - first + 1);
    if (count == 0) return SEC_OK;
    s.in_map.axis[a].offset = first;
    s.window.axis[a].offset = low + first * stride;
    if (count == 1) continue;
    s.in_map.axis[a].coef[s.n_dims] = 1;
    s.window.axis[a].coef[s.n_dims] = stride;
    s.dims[s.n_dims++] = count;
  }
  sec_fuse_store(f, &s);
  return SEC_OK;
}

static sec_status lower_update(sec_fuser *f, const sec_eqn *e) {
  sec_frame      *fr = f->frame;
  const sec_aval *operand = sec_ref_aval(fr->j, e->in[0]), *update = sec_ref_aval(fr->j, e->in[1]);
  const sec_eqn  *made = sec_ref_is_literal(e->in[0]) ? NULL : fr->def[e->in[0]];
  bool            own = made && made->prim->form == SEC_FORM_DYNAMIC_UPDATE_SLICE && fr->n_uses[e->in[0]] == 1;
  for (uint32_t k = 2; k < e->n_in; k++) sec_fuse_materialize(f, e->in[k]);
  if (own) { /* nobody else reads the operand: write into it */
    fr->slot[e->out] = fr->slot[e->in[0]];
    fr->step[e->out] = fr->step[e->in[0]];
  } else {
    sec_store whole = sec_store_whole(f, e->in[0], own_buffer(f, e), operand);
    whole.in_map = whole.window;
    whole.out = e->out;
    if (operand->size) sec_fuse_store(f, &whole);
  }
  sec_store s = sec_store_whole(f, e->in[1], fr->slot[e->out], update);
  s.in_map = s.window;
  s.out = e->out;
  s.target = operand;
  s.start = e->in + 2;
  s.window_type = update;
  s.after = fr->step[e->out];
  for (uint32_t k = 2; k < e->n_in; k++) s.after = (int)max64(s.after, sec_fuse_ready(f, e->in[k]));
  if (update->size) sec_fuse_store(f, &s);
  return SEC_OK;
}

/* ---- runtime calls ---- */
static sec_step *runtime_step(sec_fuser *f, const sec_eqn *e, const char *name, int n_in, const int *in) {
  sec_step *s = sec_fuse_add_step(f, SEC_STEP_RUNTIME, e);
  int      *slots = sec_fuse_alloc(f, (size_t)(n_in + (int)e->n_out) * sizeof *slots);
  if (!s || !slots) return NULL;
  memcpy(slots, in, (size_t)n_in * sizeof *slots);
  for (uint32_t k = 0; k < e->n_out; k++) {
    slots[n_in + (int)k] = f->frame->slot[e->out + k] = sec_plan_add_slot(f->plan, SEC_SLOT_TEMP, f->frame->j->avals[e->out + k]);
    f->frame->step[e->out + k] = f->block->n_steps - 1;
  }
  s->runtime = name;
  s->slots = slots;
  s->n_slots = n_in + (int)e->n_out;
  s->n_written = (int)e->n_out;
  return s;
}

static sec_status set_meta(sec_fuser *f, sec_step *s, const int64_t *meta, int n) {
  s->meta = sec_fuse_alloc(f, (size_t)n * sizeof *meta);
  if (!s->meta) return SEC_MEMORY;
  memcpy(s->meta, meta, (size_t)n * sizeof *meta);
  s->n_meta = n;
  return SEC_OK;
}

static sec_status lower_runtime(sec_fuser *f, const sec_eqn *e) {
  int             in[64];
  const sec_aval *avals[64];
  const sec_aval *outs[16];
  int64_t         meta[160];
  if (e->n_in > 64 || e->n_out > 16) return sec_error_set(SEC_UNSUPPORTED, NULL, "%s: too many operands", e->prim->name);
  for (uint32_t k = 0; k < e->n_in; k++) in[k] = sec_fuse_materialize(f, e->in[k]), avals[k] = sec_ref_aval(f->frame->j, e->in[k]);
  for (uint32_t k = 0; k < e->n_out; k++) outs[k] = f->frame->j->avals[e->out + k];
  sec_typing typing = {.prim = e->prim, .params = e->params, .cx = f->plan->cx, .in = avals, .n_in = (int)e->n_in,
                       .out = outs, .n_out = (int)e->n_out, .max_out = 16};
  int        n = e->prim->meta(&typing, meta);
  sec_step  *s = runtime_step(f, e, e->prim->runtime, (int)e->n_in, in);
  return s ? set_meta(f, s, meta, n) : SEC_MEMORY;
}

/* ---- transposed copies ---- */
#define LARGE_TRANSPOSE 16384 /* elements */

bool sec_fuse_transpose(sec_fuser *f, uint32_t var) {
  sec_frame      *fr = f->frame;
  const sec_eqn  *e = fr->def[var];
  const sec_aval *out = fr->j->avals[var];
  int             n;
  if (strcmp(e->prim->name, "transpose") != 0 || out->size < LARGE_TRANSPOSE) return false;
  const int64_t *perm = sec_params_ints(e->params, "permutation", &n);
  if (perm[n - 1] == n - 1 || sec_ref_is_literal(e->in[0])) return false;
  int64_t         meta[2 + 2 * SEC_MAX_RANK];
  const sec_aval *in = sec_ref_aval(fr->j, e->in[0]);
  int             slot = sec_fuse_materialize(f, e->in[0]);
  meta[0] = (int64_t)sec_dtype_size(in->dtype), meta[1] = n;
  for (int a = 0; a < n; a++) meta[2 + a] = in->dims[a], meta[2 + n + a] = perm[a];
  fr->is_virtual[var] = false;
  sec_step *s = runtime_step(f, e, "sec_rt_transpose", 1, &slot);
  return s && set_meta(f, s, meta, 2 + 2 * n) == SEC_OK;
}

void sec_fuse_straighten(sec_fuser *f, sec_ref ref, const sec_map *given, const int64_t *dims, int n_dims, int vdim) {
  sec_frame   *fr = f->frame;
  sec_map      map = *given;
  sec_dynamics dynamics = {.n = 0};
  sec_ref      transpose = SEC_REF_DROPPED;
  int64_t      size = 1;
  for (int d = 0; d < n_dims; d++) size *= dims[d];
  if (vdim < 0 || size < LARGE_TRANSPOSE) return;
  for (;;) {
    bool is_transpose = !sec_ref_is_literal(ref) && fr->is_virtual[ref] && strcmp(fr->def[ref]->prim->name, "transpose") == 0;
    if (is_transpose && transpose == SEC_REF_DROPPED) transpose = ref;
    if (!sec_map_step(fr, &ref, &map, &dynamics, false)) break;
  }
  if (transpose == SEC_REF_DROPPED || sec_ref_is_literal(ref) || fr->is_virtual[ref]) return;
  const sec_aval *base = fr->j->avals[ref];
  int64_t         stride = 1, along = 0;
  for (int a = base->rank; a-- > 0; stride *= base->dims[a]) along += stride * map.axis[a].coef[vdim];
  if (along > 1) sec_fuse_transpose(f, transpose);
}

/* ---- dot: generated when small, else one strided call ---- */
typedef struct strides { int64_t size, stride; bool fits; } strides;

/* The listed axes as one dimension with one stride, if their strides allow it. */
static strides join_axes(const sec_aval *logical, const int64_t *axes, int n, const int64_t *stride) {
  strides s = {1, 0, true};
  for (int k = n - 1; k >= 0; k--) {
    int64_t size = logical->dims[axes[k]];
    if (size == 1) continue;
    if (s.size == 1) s.stride = stride[axes[k]];
    else if (stride[axes[k]] != s.stride * s.size) s.fits = false;
    s.size *= size;
  }
  return s;
}

typedef struct side { int slot; strides batch, free, contract; } side;

/* Where an operand lies: through its views when their strides can be used as they are, else in a buffer. */
static side dot_side(sec_fuser *f, const sec_eqn *e, int which) {
  const sec_param *q = sec_params_find(e->params, "dimension_numbers");
  const sec_aval  *aval = sec_ref_aval(f->frame->j, e->in[which]);
  int64_t          free_axes[SEC_MAX_RANK];
  int              n_free = 0;
  for (int a = 0; a < aval->rank; a++) {
    bool used = false;
    for (int k = 0; k < q->u.intss.n[which]; k++) used |= q->u.intss.v[which][k] == a;
    for (int k = 0; k < q->u.intss.n[2 + which]; k++) used |= q->u.intss.v[2 + which][k] == a;
    if (!used) free_axes[n_free++] = a;
  }
  for (int attempt = 0;; attempt++) {
    sec_ref ref = e->in[which];
    int64_t stride[SEC_MAX_RANK], offset = 0;
    if (attempt == 0) {
      if (!sec_fuse_view_strides(f, &ref, stride, &offset) || offset != 0) continue;
    } else {
      int64_t s = 1;
      for (int a = aval->rank; a-- > 0; s *= aval->dims[a]) stride[a] = s;
    }
    side s = {.batch = join_axes(aval, q->u.intss.v[2 + which], q->u.intss.n[2 + which], stride),
              .free = join_axes(aval, free_axes, n_free, stride),
              .contract = join_axes(aval, q->u.intss.v[which], q->u.intss.n[which], stride)};
    bool fits = s.batch.fits && s.free.fits && s.contract.fits;
    bool unit = s.free.stride == 1 || s.contract.stride == 1 || s.free.size == 1 || s.contract.size == 1;
    if (attempt == 0 && (!fits || !unit)) continue;
    s.slot = fits ? sec_fuse_materialize(f, ref) : -1;
    return s;
  }
}

static sec_status lower_dot(sec_fuser *f, const sec_eqn *e) {
  const sec_jaxpr *j = f->frame->j;
  const sec_param *q = sec_params_find(e->params, "dimension_numbers");
  const sec_aval  *x = sec_ref_aval(j, e->in[0]), *y = sec_ref_aval(j, e->in[1]), *out = j->avals[e->out];
  int64_t          k = 1, batch = 1;
  for (int i = 0; i < q->u.intss.n[0]; i++) k *= x->dims[q->u.intss.v[0][i]];
  for (int i = 0; i < q->u.intss.n[2]; i++) batch *= x->dims[q->u.intss.v[2][i]];
  int64_t m = batch && k ? x->size / (batch * k) : 0, n = batch && k ? y->size / (batch * k) : 0;
  bool    small = m <= SEC_SMALL_DOT && n <= SEC_SMALL_DOT && k <= SEC_SMALL_DOT;
  bool    vector = (m == 1 || n == 1) && m * n * k < 1 << 15;
  static const int codes[SEC_N_DTYPES] = {[SEC_F32] = 1, [SEC_F64] = 2, [SEC_I32] = 3, [SEC_I64] = 4, [SEC_U32] = 5, [SEC_U64] = 6, [SEC_U8] = 7, [SEC_BOOL] = 8};
  int              code = codes[out->dtype] - 1;
  bool             callable = code >= 0 && x->dtype == out->dtype && y->dtype == out->dtype;
  if (small || vector || !callable || out->size == 0) {
    sec_fuse_dot(f, e);
    return SEC_OK;
  }
  side a = dot_side(f, e, 0), b = dot_side(f, e, 1);
  if (a.slot < 0 || b.slot < 0) { /* free or contracted axes in a mixed order: generated, with its own strides */
    sec_fuse_dot(f, e);
    return SEC_OK;
  }
  int64_t meta[] = {code, batch, a.free.size, b.free.size, a.contract.size, a.batch.stride, a.free.stride, a.contract.stride,
                    b.batch.stride, b.contract.stride, b.free.stride};
  sec_step *s = runtime_step(f, e, "sec_rt_dot", 2, (int[]){a.slot, b.slot});
  return s ? set_meta(f, s, meta, 11) : SEC_MEMORY;
}

/* ---- control flow ---- */
static int *new_slots(sec_fuser *f, int n) { return sec_fuse_alloc(f, (size_t)(n ? n : 1) * sizeof(int)); }

static int temp(sec_fuser *f, const sec_aval *aval, sec_slot_kind kind) {
  int s = sec_plan_add_slot(f->plan, kind, aval);
  if (s < 0) f->failed = true;
  return s;
}

/* Lowers a sub-jaxpr as block `which` of a step; results[i] receive the slots that hold its results, of kind POINTER when the
 * loop redirects them. */
static sec_status sub_block(sec_fuser *f, sec_block *block, const sec_jaxpr *j, const int *in_slots, int *results, sec_slot_kind kind) {
  sec_frame *frame;
  SEC_TRY(sec_fuse_block(f->plan, j, in_slots, block, &frame));
  sec_fuser inner = {.plan = f->plan, .frame = frame, .block = block};
  for (uint32_t i = 0; i < j->n_out; i++) results[i] = sec_fuse_result(&inner, (int)i, kind);
  return inner.failed ? SEC_MEMORY : SEC_OK;
}

static void define_results(sec_fuser *f, const sec_eqn *e, int first, int n, const int *slots) {
  for (int k = 0; k < n; k++) {
    f->frame->slot[e->out + (uint32_t)(first + k)] = slots[k];
    f->frame->step[e->out + (uint32_t)(first + k)] = f->block->n_steps - 1;
  }
}

static sec_status lower_scan(sec_fuser *f, const sec_eqn *e) {
  const sec_jaxpr *body = sec_params_jaxpr(e->params, "jaxpr");
  int              n_consts = (int)sec_params_int(e->params, "num_consts"), n_carry = (int)sec_params_int(e->params, "num_carry");
  int              n_xs = (int)e->n_in - n_consts - n_carry, n_ys = (int)e->n_out - n_carry;
  int             *in = new_slots(f, (int)e->n_in), *results = new_slots(f, (int)e->n_out);
  int             *init = new_slots(f, n_carry), *xs = new_slots(f, n_xs);
  if (!in || !results || !init || !xs) return SEC_MEMORY;
  for (int k = 0; k < n_consts; k++) in[k] = sec_fuse_materialize(f, e->in[k]);
  for (int k = 0; k < n_carry; k++) init[k] = sec_fuse_materialize(f, e->in[n_consts + k]);
  for (int k = 0; k < n_xs; k++) xs[k] = sec_fuse_materialize(f, e->in[n_consts + n_carry + k]);
  for (int k = n_consts; k < (int)e->n_in; k++) in[k] = temp(f, body->avals[k], SEC_SLOT_POINTER);
  sec_block *block = sec_fuse_alloc(f, sizeof *block);
  if (!block || f->failed) return SEC_MEMORY;
  SEC_TRY(sub_block(f, block, body, in, results, SEC_SLOT_POINTER));
  sec_step *s = sec_fuse_add_step(f, SEC_STEP_SCAN, e);
  if (!s) return SEC_MEMORY;
  s->blocks = block, s->n_blocks = 1;
  s->length = sec_params_int(e->params, "length");
  s->reverse = sec_params_int(e->params, "reverse") != 0;
  s->n_carry = n_carry, s->n_xs = n_xs, s->n_ys = n_ys;
  s->init = init, s->carry_in = in + n_consts, s->carry_out = results, s->xs = xs, s->x = in + n_consts + n_carry, s->y = results + n_carry;
  s->spare = new_slots(f, n_carry), s->result = new_slots(f, n_carry), s->ys = new_slots(f, n_ys);
  if (f->failed) return SEC_MEMORY;
  for (int k = 0; k < n_carry; k++) {
    s->spare[k] = temp(f, body->avals[n_consts + k], SEC_SLOT_TEMP);
    s->result[k] = temp(f, body->avals[n_consts + k], SEC_SLOT_TEMP);
  }
  for (int k = 0; k < n_ys; k++) s->ys[k] = temp(f, f->frame->j->avals[e->out + (uint32_t)(n_carry + k)], SEC_SLOT_TEMP);
  define_results(f, e, 0, n_carry, s->result);
  define_results(f, e, n_carry, n_ys, s->ys);
  return f->failed ? SEC_MEMORY : SEC_OK;
}

static sec_status lower_while(sec_fuser *f, const sec_eqn *e) {
  const sec_jaxpr *cond = sec_params_jaxpr(e->params, "cond_jaxpr"), *body = sec_params_jaxpr(e->params, "body_jaxpr");
  int              nc = (int)sec_params_int(e->params, "cond_nconsts"), nb = (int)sec_params_int(e->params, "body_nconsts");
  int              n_carry = (int)e->n_out;
  int             *cond_in = new_slots(f, nc + n_carry), *body_in = new_slots(f, nb + n_carry), *init = new_slots(f, n_carry);
  int             *results = new_slots(f, n_carry), *spare = new_slots(f, n_carry), *result = new_slots(f, n_carry), which;
  if (f->failed) return SEC_MEMORY;
  for (int k = 0; k < nc; k++) cond_in[k] = sec_fuse_materialize(f, e->in[k]);
  for (int k = 0; k < nb; k++) body_in[k] = sec_fuse_materialize(f, e->in[nc + k]);
  for (int k = 0; k < n_carry; k++) {
    init[k] = sec_fuse_materialize(f, e->in[nc + nb + k]);
    cond_in[nc + k] = body_in[nb + k] = temp(f, body->avals[nb + k], SEC_SLOT_POINTER);
  }
  sec_block *blocks = sec_fuse_alloc(f, 2 * sizeof *blocks);
  if (!blocks || f->failed) return SEC_MEMORY;
  SEC_TRY(sub_block(f, &blocks[0], cond, cond_in, &which, SEC_SLOT_TEMP));
  SEC_TRY(sub_block(f, &blocks[1], body, body_in, results, SEC_SLOT_POINTER));
  sec_step *s = sec_fuse_add_step(f, SEC_STEP_WHILE, e);
  if (!s) return SEC_MEMORY;
  for (int k = 0; k < n_carry; k++) {
    spare[k] = temp(f, body->avals[nb + k], SEC_SLOT_TEMP);
    result[k] = temp(f, body->avals[nb + k], SEC_SLOT_TEMP);
  }
  s->blocks = blocks, s->n_blocks = 2, s->n_carry = n_carry, s->init = init, s->carry_in = body_in + nb;
  s->carry_out = results, s->spare = spare, s->result = result, s->which = which;
  define_results(f, e, 0, n_carry, result);
  return f->failed ? SEC_MEMORY : SEC_OK;
}

static sec_status lower_cond(sec_fuser *f, const sec_eqn *e) {
  const sec_param *q = sec_params_find(e->params, "branches");
  int              n = q->u.jaxprs.n, n_out = (int)e->n_out;
  int             *in = new_slots(f, (int)e->n_in), *result = new_slots(f, n_out), *branch = new_slots(f, n * n_out);
  sec_block       *blocks = sec_fuse_alloc(f, (size_t)n * sizeof *blocks);
  if (f->failed) return SEC_MEMORY;
  for (uint32_t k = 0; k < e->n_in; k++) in[k] = sec_fuse_materialize(f, e->in[k]);
  for (int b = 0; b < n; b++) SEC_TRY(sub_block(f, &blocks[b], q->u.jaxprs.v[b], in + 1, branch + b * n_out, SEC_SLOT_POINTER));
  sec_step *s = sec_fuse_add_step(f, SEC_STEP_COND, e);
  if (!s) return SEC_MEMORY;
  for (int k = 0; k < n_out; k++) result[k] = temp(f, f->frame->j->avals[e->out + (uint32_t)k], SEC_SLOT_TEMP);
  s->blocks = blocks, s->n_blocks = n, s->which = in[0], s->n_carry = n_out, s->carry_out = branch, s->result = result;
  define_results(f, e, 0, n_out, result);
  return f->failed ? SEC_MEMORY : SEC_OK;
}

static sec_status lower_control(sec_fuser *f, const sec_eqn *e) {
  static const struct { const char *name; sec_status (*lower)(sec_fuser *, const sec_eqn *); } rules[] = {
      {"scan", lower_scan}, {"while", lower_while}, {"cond", lower_cond}};
  for (int k = 0; k < 3; k++)
    if (strcmp(rules[k].name, e->prim->name) == 0) return rules[k].lower(f, e);
  return sec_error_set(SEC_NO_RULE, NULL, "%s has no lowering", e->prim->name);
}

/* ---- equations and blocks ---- */
static sec_status lower_eqn(sec_fuser *f, const sec_eqn *e) {
  switch (e->prim->form) {
  case SEC_FORM_ELEMENTWISE: return lower_elementwise(f, e);
  case SEC_FORM_VIEW: case SEC_FORM_IOTA: case SEC_FORM_DYNAMIC_SLICE:
    if (e->prim->form == SEC_FORM_DYNAMIC_SLICE)
      for (uint32_t k = 1; k < e->n_in; k++) sec_fuse_materialize(f, e->in[k]);
    make_virtual(f, e);
    return SEC_OK;
  case SEC_FORM_RESHAPE: return lower_reshape(f, e);
  case SEC_FORM_BITS: return lower_bits(f, e);
  case SEC_FORM_REDUCE: sec_fuse_reduce(f, e); return SEC_OK;
  case SEC_FORM_CONCATENATE: case SEC_FORM_PAD:
    if (pieces_readable(f, e) && !(e->prim->form == SEC_FORM_PAD && pads_inside(e))) make_virtual(f, e);
    else return e->prim->form == SEC_FORM_PAD ? lower_pad(f, e) : lower_concatenate(f, e);
    return SEC_OK;
  case SEC_FORM_DYNAMIC_UPDATE_SLICE: return lower_update(f, e);
  case SEC_FORM_DOT: return lower_dot(f, e);
  case SEC_FORM_RUNTIME: return lower_runtime(f, e);
  case SEC_FORM_CONTROL: return lower_control(f, e);
  default:
    if (e->prim->refuse) return e->prim->refuse();
    return sec_error_set(SEC_NO_RULE, "it is known to transforms only; apply the transform that removes it first",
                         "%s has no lowering for this device", e->prim->name);
  }
}

sec_status sec_fuse_block(sec_plan *plan, const sec_jaxpr *j, const int *in_slots, sec_block *block, sec_frame **frame) {
  *frame = frame_new(plan, j);
  if (!*frame) return SEC_MEMORY;
  sec_fuser f = {.plan = plan, .frame = *frame, .block = block};
  block->frame = *frame;
  (*frame)->first_slot = plan->n_slots;
  for (uint32_t i = 0; i < j->n_in; i++) (*frame)->slot[i] = in_slots[i];
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    sec_status status = lower_eqn(&f, &j->eqns[i]);
    if (status != SEC_OK) {
      sec_error_place(sec_location_file(plan->cx, j->eqns[i].loc), sec_location_line(plan->cx, j->eqns[i].loc));
      return status;
    }
    if (f.failed) return sec_error_set(SEC_MEMORY, NULL, "out of memory: the plan could not be made");
  }
  return SEC_OK;
}

/* Kernels have no complex elements: a result that is an input is copied by a call. */
static bool copy_memory(sec_fuser *f, sec_ref from, int to) {
  int       in = sec_fuse_materialize(f, from);
  sec_step *s = sec_fuse_add_step(f, SEC_STEP_RUNTIME, f->frame->def[from]);
  int      *slots = sec_fuse_alloc(f, 2 * sizeof *slots);
  int64_t   bytes = (int64_t)f->plan->slots[to].bytes;
  if (!s || !slots) return false;
  slots[0] = in, slots[1] = to;
  s->runtime = "sec_rt_copy";
  s->slots = slots;
  s->n_slots = 2;
  s->n_written = 1;
  return set_meta(f, s, &bytes, 1) == SEC_OK;
}

int sec_fuse_result(sec_fuser *f, int i, sec_slot_kind kind) {
  sec_frame *fr = f->frame;
  sec_ref    ref = fr->j->outs[i];
  if (!sec_ref_is_literal(ref) && fr->is_virtual[ref]) sec_fuse_windows(f, ref);
  bool       made_here = !sec_ref_is_literal(ref) && ref >= fr->j->n_in && !fr->is_virtual[ref];
  if (made_here) {
    int       slot = sec_fuse_materialize(f, ref);
    sec_slot *s = slot < 0 ? NULL : &f->plan->slots[slot];
    if (s && s->kind == SEC_SLOT_TEMP && !s->claimed && slot >= fr->first_slot) {
      s->claimed = true;
      s->kind = kind;
      return slot;
    }
  }
  const sec_aval *aval = sec_ref_aval(fr->j, ref);
  int             slot = sec_plan_add_slot(f->plan, kind, aval);
  if (slot < 0) {
    f->failed = true;
    return slot;
  }
  f->plan->slots[slot].claimed = true;
  if (sec_dtype_kind(aval->dtype) == SEC_KIND_COMPLEX) return copy_memory(f, ref, slot) ? slot : (f->failed = true, -1);
  sec_store s = sec_store_whole(f, ref, slot, aval);
  s.in_map = s.window;
  if (aval->size) sec_fuse_store(f, &s);
  return slot;
}
