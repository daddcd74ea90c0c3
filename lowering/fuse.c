/* Fusion: elementwise work, reductions and stores go into groups that share a loop nest.
 *
 * A group has dimensions: rows, then inner ones.  An op joins the latest group whose dimensions are its own and in
 * which every operand computed by the same group is read just where it is computed; all others must be in buffers by an
 * earlier step.  A reduction over the trailing dimensions settles the split into rows and inner dimensions; ops on
 * its results join as row ops.  A reduction over other dimensions gets a group whose inner dimensions are the reduced
 * ones and whose vectors run along the last kept dimension ("columns"). */
#include "fuse.h"
#include <string.h>

#define MAX_OPS 160

void *sec_fuse_alloc(sec_fuser *f, size_t bytes) {
  void *p = sec_arena_alloc(f->plan->memory, bytes ? bytes : 1);
  if (!p) f->failed = true;
  return p;
}

sec_step *sec_fuse_add_step(sec_fuser *f, sec_step_kind kind, const sec_eqn *e) {
  sec_block *b = f->block;
  if (b->n_steps == b->room) {
    int       room = b->room ? 2 * b->room : 16;
    sec_step *steps = sec_fuse_alloc(f, (size_t)room * sizeof *steps);
    if (!steps) return NULL;
    if (b->n_steps) memcpy(steps, b->steps, (size_t)b->n_steps * sizeof *steps);
    b->steps = steps;
    b->room = room;
  }
  sec_step *s = &b->steps[b->n_steps++];
  *s = (sec_step){.kind = kind, .eqn = e};
  return s;
}

int sec_fuse_ready(const sec_fuser *f, sec_ref ref) {
  return sec_ref_is_literal(ref) ? -1 : f->frame->step[ref];
}

/* ---- operands ---- */
typedef struct need { int step; bool consistent; } need;

/* What reading `ref` through `map` asks for: the step of the latest buffer (or of the group that computes it in place:
 * then group is set when it is read where it is computed). */
typedef struct reader {
  sec_fuser   *f;
  sec_group   *group; /* candidate */
  int          step;  /* its step */
  bool         related;
  sec_dynamics dynamics;
} reader;

/* The last step among the buffers that `ref` reads. */
static int last_step(sec_fuser *f, sec_ref ref, bool through) {
  sec_frame *fr = f->frame;
  if (sec_ref_is_literal(ref)) return -1;
  if (!fr->is_virtual[ref] && !through) return fr->step[ref];
  int            last = -1;
  const sec_eqn *e = fr->def[ref];
  for (uint32_t k = 0; k < e->n_in; k++) {
    int s = last_step(f, e->in[k], false);
    if (s > last) last = s;
  }
  return last;
}

/* True when an op of the candidate group may read it. */
static bool may_read(reader *r, sec_ref ref, sec_map map, bool through) {
  sec_frame *fr = r->f->frame;
  r->dynamics.n = 0;
  while (sec_map_step(fr, &ref, &map, &r->dynamics, through)) through = false;
  for (int t = 0; t < r->dynamics.n; t++)
    if (sec_fuse_ready(r->f, r->dynamics.list[t].ref) >= r->step && sec_fuse_ready(r->f, r->dynamics.list[t].ref) != SEC_STEP_VIRTUAL)
      return false;
  if (sec_ref_is_literal(ref)) return true;
  if (fr->is_virtual[ref] || through) {
    const sec_eqn *e = fr->def[ref];
    if (e->prim->form == SEC_FORM_IOTA) return true;
    if (e->prim->form == SEC_FORM_CONCATENATE || e->prim->form == SEC_FORM_PAD) return last_step(r->f, ref, true) < r->step;
    for (uint32_t k = 0; k < e->n_in; k++) { /* recomputed where it is read */
      sec_map operand = map;
      if (sec_ref_aval(fr->j, e->in[k])->rank == 0) memset(&operand, 0, sizeof operand);
      reader inner = *r;
      if (!may_read(&inner, e->in[k], operand, false)) return false;
      r->related |= inner.related;
    }
    return true;
  }
  if (fr->step[ref] < r->step) return true;
  if (fr->step[ref] > r->step || fr->group[ref] != r->group || !r->group) return false;
  if (!sec_map_equal(&map, &fr->op[ref]->out_map, fr->j->avals[ref])) return false;
  r->related = true;
  return true;
}

/* Everything that the op reads from outside its own group needs a buffer. */
static void settle_reads(sec_fuser *f, sec_group *g, sec_ref ref, bool through) {
  sec_frame *fr = f->frame;
  if (sec_ref_is_literal(ref)) return;
  if (fr->is_virtual[ref] || through) {
    const sec_eqn *e = fr->def[ref];
    for (uint32_t k = 0; k < e->n_in; k++) settle_reads(f, g, e->in[k], false);
  } else if (fr->group[ref] != g && fr->slot[ref] < 0)
    sec_fuse_materialize(f, ref);
}

/* ---- joining ---- */
typedef struct candidate {
  sec_op  op;
  int     n_dims, split;
  int64_t dims[SEC_MAX_DIMS];
  bool    columns;
  int     after; /* not before the step behind this one */
} candidate;

static bool dims_equal(const int64_t *a, const int64_t *b, int n) { return n == 0 || memcmp(a, b, (size_t)n * sizeof *a) == 0; }

/* The place of the op in the group's dimensions: 2 as a full op, 1 as a row op, 0 none. */
static int fit(const candidate *c, const sec_group *g) {
  bool reduces = c->op.kind == SEC_OP_REDUCE || c->op.kind == SEC_OP_DOT;
  if (g->n_ops >= MAX_OPS) return 0;
  if (reduces)
    return c->n_dims == g->n_dims && c->columns == g->columns && dims_equal(c->dims, g->dims, g->n_dims) &&
                   (g->split < 0 || g->split == c->split) ? 2 : 0;
  if (!g->columns && c->n_dims == g->n_dims && dims_equal(c->dims, g->dims, g->n_dims)) return g->split == g->n_dims ? 1 : 2;
  return g->split >= 0 && c->n_dims == g->split && dims_equal(c->dims, g->dims, g->split) ? 1 : 0;
}

static bool joins(sec_fuser *f, candidate *c, int step, int place) {
  sec_group *g = f->block->steps[step].group;
  reader     r = {.f = f, .group = g, .step = step};
  for (int k = 0; k < c->op.n_in; k++)
    if (!may_read(&r, c->op.in[k], c->op.in_map[k], c->op.through)) return false;
  return place == 2 || r.related;
}

static int segment_of(sec_fuser *f, const sec_group *g, sec_ref ref, bool through) {
  sec_frame *fr = f->frame;
  if (sec_ref_is_literal(ref)) return 0;
  if (fr->is_virtual[ref] || through) {
    int            segment = 0;
    const sec_eqn *e = fr->def[ref];
    for (uint32_t k = 0; k < e->n_in; k++) {
      int s = segment_of(f, g, e->in[k], false);
      if (s > segment) segment = s;
    }
    return segment;
  }
  if (fr->group[ref] != g || !fr->op[ref]) return 0;
  const sec_op *o = fr->op[ref];
  return o->segment + (o->kind == SEC_OP_REDUCE || o->kind == SEC_OP_DOT);
}

static void group_add(sec_fuser *f, candidate *c, int step, bool row) {
  sec_group *g = f->block->steps[step].group;
  sec_frame *fr = f->frame;
  if (g->n_ops == g->room) { /* ops are found through fr->op, so they move with care */
    int     room = g->room ? 2 * g->room : 8;
    sec_op *ops = sec_fuse_alloc(f, (size_t)room * sizeof *ops);
    if (!ops) return;
    for (int i = 0; i < g->n_ops; i++) {
      ops[i] = g->ops[i];
      if (ops[i].eqn && ops[i].kind != SEC_OP_STORE)
        for (uint32_t k = 0; k < ops[i].eqn->n_out; k++) fr->op[ops[i].out + k] = &ops[i];
    }
    g->ops = ops;
    g->room = room;
  }
  sec_op *o = &g->ops[g->n_ops];
  *o = c->op;
  o->row = row;
  for (int k = 0; k < o->n_in; k++) {
    int s = segment_of(f, g, o->in[k], o->through);
    if (s > o->segment) o->segment = s;
  }
  g->n_ops++;
  if (o->kind == SEC_OP_REDUCE || o->kind == SEC_OP_DOT) g->split = c->split, g->reduces = true;
  int n_out = o->kind == SEC_OP_STORE ? 0 : (int)o->eqn->n_out;
  for (int k = 0; k < n_out; k++) {
    fr->op[o->out + k] = o;
    fr->group[o->out + k] = g;
    fr->step[o->out + k] = step;
  }
  if (o->kind == SEC_OP_STORE && o->out != SEC_REF_DROPPED && fr->step[o->out] < step) fr->step[o->out] = step;
  for (int k = 0; k < o->n_in; k++) settle_reads(f, g, o->in[k], o->through);
}

/* ---- one long dimension as two: a reduction in pieces joins the work on the whole vector ---- */
static void refine_map(sec_map *m, int64_t inner) {
  for (int a = 0; a < m->rank; a++) {
    m->axis[a].coef[1] = m->axis[a].coef[0];
    m->axis[a].coef[0] *= inner;
  }
}

static void coarsen_map(sec_map *m) {
  for (int a = 0; a < m->rank; a++) {
    m->axis[a].coef[0] = m->axis[a].coef[1];
    m->axis[a].coef[1] = 0;
  }
}

static void refine_group(sec_group *g, const int64_t *dims, bool refine) {
  for (int i = 0; i < g->n_ops; i++) {
    for (int k = 0; k < g->ops[i].n_in; k++) refine ? refine_map(&g->ops[i].in_map[k], dims[1]) : coarsen_map(&g->ops[i].in_map[k]);
    refine ? refine_map(&g->ops[i].out_map, dims[1]) : coarsen_map(&g->ops[i].out_map);
  }
  g->n_dims = refine ? 2 : 1;
  g->dims[0] = refine ? dims[0] : dims[0] * dims[1];
  g->dims[1] = refine ? dims[1] : 0;
}

/* Makes the group's dimensions the candidate's, or the candidate's the group's, where one has split the other's only one. */
static bool join_refined(sec_fuser *f, candidate *c, int step) {
  sec_group *g = f->block->steps[step].group;
  if (g->columns || c->columns || g->n_ops >= MAX_OPS) return false;
  if (c->n_dims == 2 && g->n_dims == 1 && g->split < 0 && c->op.kind == SEC_OP_REDUCE && c->split == 1 && g->dims[0] == c->dims[0] * c->dims[1]) {
    refine_group(g, c->dims, true);
    if (joins(f, c, step, 2)) return true;
    refine_group(g, c->dims, false);
  } else if (c->n_dims == 1 && g->n_dims == 2 && c->op.kind != SEC_OP_REDUCE && c->op.kind != SEC_OP_DOT && c->dims[0] == g->dims[0] * g->dims[1]) {
    candidate refined = *c;
    for (int k = 0; k < c->op.n_in; k++) refine_map(&c->op.in_map[k], g->dims[1]);
    refine_map(&refined.op.out_map, g->dims[1]);
    refined.n_dims = 2;
    memcpy(refined.dims, g->dims, sizeof refined.dims);
    if (joins(f, &refined, step, 2)) {
      *c = refined;
      return true;
    }
    for (int k = 0; k < c->op.n_in; k++) coarsen_map(&c->op.in_map[k]);
  }
  return false;
}

static void place(sec_fuser *f, candidate *c) {
  int earliest = c->after + 1;
  for (int k = 0; k < c->op.n_in && !c->op.through; k++)
    sec_fuse_straighten(f, c->op.in[k], &c->op.in_map[k], c->dims, c->n_dims, c->columns ? c->split - 1 : c->n_dims - 1);
  for (int k = 0; k < c->op.n_in; k++) {
    int s = last_step(f, c->op.in[k], c->op.through);
    if (s > earliest) earliest = s;
  }
  for (int step = f->block->n_steps - 1; step >= earliest; step--) {
    if (f->block->steps[step].kind != SEC_STEP_GROUP) continue;
    int how = fit(c, f->block->steps[step].group);
    if (how && joins(f, c, step, how)) {
      group_add(f, c, step, how == 1);
      return;
    }
    if (join_refined(f, c, step)) {
      group_add(f, c, step, false);
      return;
    }
  }
  sec_group *g = sec_fuse_alloc(f, sizeof *g);
  sec_step  *s = g ? sec_fuse_add_step(f, SEC_STEP_GROUP, c->op.eqn) : NULL;
  if (!s) return;
  *g = (sec_group){.n_dims = c->n_dims, .split = c->split, .columns = c->columns};
  memcpy(g->dims, c->dims, sizeof g->dims);
  s->group = g;
  group_add(f, c, f->block->n_steps - 1, false);
}

/* ---- candidates ---- */
static void candidate_dims(candidate *c, const sec_aval *aval) {
  for (int a = 0; a < aval->rank; a++)
    if (aval->dims[a] != 1) c->dims[c->n_dims++] = aval->dims[a];
}

static bool candidate_operands(sec_fuser *f, candidate *c, int n) {
  c->op.n_in = n;
  c->op.in = sec_fuse_alloc(f, (size_t)n * sizeof *c->op.in);
  c->op.in_map = sec_fuse_alloc(f, (size_t)n * sizeof *c->op.in_map);
  return c->op.in && c->op.in_map;
}

void sec_fuse_elementwise(sec_fuser *f, const sec_eqn *e) {
  const sec_aval *out = f->frame->j->avals[e->out];
  candidate       c = {.op = {.kind = SEC_OP_ELEMENTWISE, .eqn = e, .out = e->out, .out_map = sec_map_native(out)}, .split = -1, .after = -1};
  candidate_dims(&c, out);
  if (!candidate_operands(f, &c, (int)e->n_in)) return;
  for (uint32_t k = 0; k < e->n_in; k++) {
    c.op.in[k] = e->in[k];
    c.op.in_map[k] = sec_map_native(sec_ref_aval(f->frame->j, e->in[k]));
  }
  place(f, &c);
}

void sec_fuse_reduce(sec_fuser *f, const sec_eqn *e) {
  const sec_aval *in = sec_ref_aval(f->frame->j, e->in[0]), *out = f->frame->j->avals[e->out];
  int             n_axes;
  const int64_t  *axes = sec_params_ints(e->params, "axes", &n_axes);
  bool            reduced[SEC_MAX_RANK] = {false}, trailing = true;
  for (int k = 0; k < n_axes; k++) reduced[axes[k]] = true;
  candidate c = {.op = {.kind = SEC_OP_REDUCE, .eqn = e, .out = e->out, .out_map = sec_map_native(out)}, .after = -1};
  if (!candidate_operands(f, &c, 1)) return;
  c.op.in[0] = e->in[0];
  sec_map *map = &c.op.in_map[0];
  map->rank = in->rank;
  bool seen = false;
  for (int a = 0; a < in->rank; a++) {
    if (in->dims[a] == 1) continue;
    if (reduced[a]) seen = true;
    else if (seen) trailing = false;
  }
  for (int pass = 0; pass < 2; pass++) { /* kept dimensions, then reduced ones */
    for (int a = 0; a < in->rank; a++)
      if (in->dims[a] != 1 && reduced[a] == (pass == 1)) {
        map->axis[a].coef[c.n_dims] = 1;
        c.dims[c.n_dims++] = in->dims[a];
      }
    if (pass == 0) c.split = c.n_dims;
  }
  c.columns = !trailing;
  place(f, &c);
}

/* dot: the sum over contracted dimensions of a product, with dimensions batch, lhs free, rhs free, contracted. */
void sec_fuse_dot(sec_fuser *f, const sec_eqn *e) {
  const sec_aval  *av[2] = {sec_ref_aval(f->frame->j, e->in[0]), sec_ref_aval(f->frame->j, e->in[1])};
  const sec_param *q = sec_params_find(e->params, "dimension_numbers");
  candidate        c = {.op = {.kind = SEC_OP_DOT, .eqn = e, .out = e->out, .out_map = sec_map_native(f->frame->j->avals[e->out])}, .after = -1};
  if (!candidate_operands(f, &c, 2)) return;
  int n_contract = q->u.intss.n[0], n_batch = q->u.intss.n[2];
  for (int s = 0; s < 2; s++) c.op.in[s] = e->in[s], c.op.in_map[s].rank = av[s]->rank;
  bool taken[2][SEC_MAX_RANK] = {{false}};
  for (int k = 0; k < n_batch; k++) {
    int64_t size = av[0]->dims[q->u.intss.v[2][k]];
    for (int s = 0; s < 2; s++) {
      taken[s][q->u.intss.v[2 + s][k]] = true;
      if (size != 1) c.op.in_map[s].axis[q->u.intss.v[2 + s][k]].coef[c.n_dims] = 1;
    }
    if (size != 1) c.dims[c.n_dims++] = size;
  }
  for (int s = 0; s < 2; s++)
    for (int k = 0; k < n_contract; k++) taken[s][q->u.intss.v[s][k]] = true;
  int64_t last = 1;
  bool    minor = false; /* the last free dimension is its operand's last axis */
  for (int s = 0; s < 2; s++)
    for (int a = 0; a < av[s]->rank; a++)
      if (!taken[s][a] && av[s]->dims[a] != 1) {
        c.op.in_map[s].axis[a].coef[c.n_dims] = 1;
        last = c.dims[c.n_dims++] = av[s]->dims[a];
        minor = a == av[s]->rank - 1;
      }
  c.split = c.n_dims;
  int64_t contracted = 1;
  for (int k = 0; k < n_contract; k++) {
    int64_t size = av[0]->dims[q->u.intss.v[0][k]];
    contracted *= size;
    if (size == 1) continue;
    for (int s = 0; s < 2; s++) c.op.in_map[s].axis[q->u.intss.v[s][k]].coef[c.n_dims] = 1;
    c.dims[c.n_dims++] = size;
  }
  c.columns = c.split > 0 && minor && last >= 4; /* vectors along the last free dimension, else along the contracted one */
  place(f, &c);
}

sec_store sec_store_whole(sec_fuser *f, sec_ref ref, int slot, const sec_aval *target) {
  sec_store       s = {.ref = ref, .out = SEC_REF_DROPPED, .slot = slot, .after = -1, .target = target};
  const sec_aval *aval = sec_ref_aval(f->frame->j, ref);
  s.window = sec_map_native(target);
  s.in_map = aval->rank ? sec_map_native(aval) : (sec_map){.rank = 0};
  for (int a = 0; a < target->rank; a++)
    if (target->dims[a] != 1) s.dims[s.n_dims++] = target->dims[a];
  return s;
}

void sec_fuse_store(sec_fuser *f, const sec_store *s) {
  candidate c = {.op = {.kind = SEC_OP_STORE, .through = s->through, .out = s->out, .out_map = s->window, .slot = s->slot,
                        .target = s->target, .start = s->start, .window = s->window_type},
                 .split = -1, .after = s->after, .n_dims = s->n_dims};
  memcpy(c.dims, s->dims, sizeof c.dims);
  if (!candidate_operands(f, &c, 1)) return;
  c.op.in[0] = s->ref;
  c.op.in_map[0] = s->in_map;
  place(f, &c);
}

bool sec_fuse_view_strides(sec_fuser *f, sec_ref *ref, int64_t *strides, int64_t *offset) {
  if (sec_ref_is_literal(*ref)) return false;
  sec_frame      *fr = f->frame;
  const sec_aval *aval = sec_ref_aval(fr->j, *ref);
  sec_map         map = {.rank = aval->rank};
  sec_dynamics    dynamics = {.n = 0};
  for (int a = 0; a < aval->rank; a++) map.axis[a].coef[a] = 1;
  while (sec_map_step(fr, ref, &map, &dynamics, false)) continue;
  if (dynamics.n || sec_ref_is_literal(*ref) || fr->is_virtual[*ref]) return false;
  const sec_aval *base = fr->j->avals[*ref];
  *offset = 0;
  for (int a = 0; a < aval->rank; a++) strides[a] = 0;
  int64_t step = 1;
  for (int b = base->rank; b-- > 0; step *= base->dims[b]) {
    *offset += step * map.axis[b].offset;
    for (int a = 0; a < aval->rank; a++) strides[a] += step * map.axis[b].coef[a];
  }
  return true;
}

int sec_fuse_materialize(sec_fuser *f, sec_ref ref) {
  sec_frame *fr = f->frame;
  if (sec_ref_is_literal(ref)) {
    const sec_literal *l = &fr->j->literals[sec_ref_index(ref)];
    int                slot = sec_plan_add_slot(f->plan, SEC_SLOT_LITERAL, l->aval);
    if (slot < 0) { f->failed = true; return slot; }
    sec_literal_bytes(l, f->plan->slots[slot].literal);
    return slot;
  }
  if (fr->slot[ref] >= 0) return fr->slot[ref];
  if (fr->is_virtual[ref] && (sec_fuse_transpose(f, ref) || sec_fuse_windows(f, ref))) return fr->slot[ref];
  int slot = sec_plan_add_slot(f->plan, SEC_SLOT_TEMP, fr->j->avals[ref]);
  if (slot < 0) { f->failed = true; return slot; }
  fr->slot[ref] = slot;
  if (fr->is_virtual[ref]) {
    sec_store s = sec_store_whole(f, ref, slot, fr->j->avals[ref]);
    s.in_map = s.window;
    s.through = true;
    s.out = ref;
    fr->step[ref] = -1;
    sec_fuse_store(f, &s);
    fr->is_virtual[ref] = false;
  }
  return slot;
}
