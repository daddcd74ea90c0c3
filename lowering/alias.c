/* Which results may lie in the memory of an operand that the caller gives away.
 *
 * A result may take over an operand of as many bytes when every read of the operand comes before the first write of the result.
 * Within one step this holds for
 *  - a group that reads the operand nowhere but at the element that it writes: by ops that are done before the writing one, or
 *    are in its segment of the row and find the element loaded for it (a body loads an element once);
 *  - runtime functions that may write over their first operand;
 *  - loops that are interpreted, for a carry's first value and its result: turns alternate between two buffers. */
#include "fuse.h"
#include <string.h>

/* ---- addresses in a buffer, by the group's dimensions ---- */
typedef struct place { int64_t offset, coef[SEC_MAX_DIMS]; } place;

static bool place_of(const sec_map *map, const sec_aval *aval, place *at) {
  int64_t stride = 1;
  *at = (place){0};
  for (int a = aval->rank; a-- > 0; stride *= aval->dims[a]) {
    if (aval->dims[a] == 1) continue;
    if (map->axis[a].dynamic) return false;
    at->offset += stride * map->axis[a].offset;
    for (int d = 0; d < SEC_MAX_DIMS; d++) at->coef[d] += stride * map->axis[a].coef[d];
  }
  return true;
}

/* ---- reads of a group ---- */
typedef struct search {
  const sec_frame *frame;
  const sec_group *group;
  int              slot;    /* the operand's */
  int              segment; /* of the op that is looked at */
  place            written; /* where the result is written */
  uint32_t         var;     /* through which the operand is read; SEC_REF_DROPPED: not yet */
  const bool      *found, *loaded; /* of the group's ops so far: whether they read it, and load it in their own segment's body */
  bool             elsewhere, loads;
} search;

/* Whether `ref`, read by `map`, reads the operand; sets `elsewhere` when at another element than is written. */
static bool reads(search *s, sec_ref ref, sec_map map, bool through) {
  const sec_frame *fr = s->frame;
  sec_dynamics     dynamics = {.n = 0};
  bool             any = false;
  while (sec_map_step(fr, &ref, &map, &dynamics, through)) through = false;
  for (int t = 0; t < dynamics.n; t++)
    if (!sec_ref_is_literal(dynamics.list[t].ref) && fr->slot[dynamics.list[t].ref] == s->slot) s->elsewhere = true;
  if (sec_ref_is_literal(ref)) return false;
  if (sec_is_virtual(fr, ref) || through) { /* computed where it is read */
    const sec_eqn *e = fr->def[ref];
    bool           pieces = e->prim->form == SEC_FORM_CONCATENATE || e->prim->form == SEC_FORM_PAD;
    if (e->prim->form == SEC_FORM_IOTA) return false;
    for (uint32_t k = 0; k < e->n_in; k++) {
      sec_map operand = map;
      operand.rank = sec_ref_is_literal(e->in[k]) ? 0 : fr->j->avals[e->in[k]]->rank;
      if (!reads(s, e->in[k], operand, false)) continue;
      any = true;
      s->elsewhere |= pieces || operand.rank != map.rank;
    }
    return any;
  }
  if (fr->group[ref] == s->group) { /* an op of the group; its result may be computed again from what it reads */
    const sec_op *o = fr->op[ref];
    if (!o || o->kind != SEC_OP_ELEMENTWISE || o->row) return false;
    s->loads |= o->segment == s->segment && s->loaded[o - s->group->ops];
    return s->found[o - s->group->ops];
  }
  if (fr->slot[ref] != s->slot) return false;
  place at;
  if (s->var == SEC_REF_DROPPED) s->var = ref;
  if (!place_of(&map, fr->j->avals[ref], &at) || memcmp(&at, &s->written, sizeof at) != 0 || s->var != ref) s->elsewhere = true;
  s->loads = true;
  return true;
}

/* The only op that writes the whole of `slot`; NULL: there are several, or a part is written. */
static const sec_op *writer(const sec_frame *fr, const sec_group *g, int slot, place *at) {
  const sec_op *found = NULL;
  for (int i = 0; i < g->n_ops; i++) {
    const sec_op   *o = &g->ops[i];
    const sec_aval *aval = o->target;
    bool            writes = o->kind == SEC_OP_STORE && o->slot == slot;
    for (uint32_t k = 0; o->kind != SEC_OP_STORE && k < o->eqn->n_out; k++)
      if (fr->slot[o->out + k] == slot) writes = true, aval = fr->j->avals[o->out + k];
    if (!writes) continue;
    if (found || (o->kind != SEC_OP_STORE && o->kind != SEC_OP_ELEMENTWISE) || o->start) return NULL;
    if (!place_of(&o->out_map, aval, at)) return NULL;
    found = o;
  }
  return found;
}

static bool group_allows(const sec_frame *fr, const sec_group *g, int in, int out) {
  bool   found[256], loaded[256];
  search s = {.frame = fr, .group = g, .slot = in, .var = SEC_REF_DROPPED, .found = found, .loaded = loaded};
  if (g->columns || g->n_ops > (int)sizeof found) return false;
  const sec_op *w = writer(fr, g, out, &s.written);
  if (!w) return false;
  for (int i = 0; i < g->n_ops; i++) {
    const sec_op *o = &g->ops[i];
    found[i] = s.loads = false;
    s.segment = o->segment;
    for (int k = 0; k < o->n_in; k++) found[i] |= reads(&s, o->in[k], o->in_map[k], o->through);
    loaded[i] = s.loads;
    for (int a = 0; o->start && a < o->target->rank; a++)
      s.elsewhere |= !sec_ref_is_literal(o->start[a]) && fr->slot[o->start[a]] == in;
    if (s.elsewhere || (found[i] && o->segment > w->segment)) return false;
  }
  for (int i = 0; i < g->n_ops; i++) { /* those of the same segment that may be done after the writing one */
    const sec_op *o = &g->ops[i];
    bool          after = o > w || o->kind == SEC_OP_REDUCE || o->kind == SEC_OP_DOT || o->row != w->row;
    if (found[i] && o->segment == w->segment && after && !(loaded[w - g->ops] && o->row == w->row)) return false;
  }
  return true;
}

/* ---- other steps ---- */
static bool runtime_allows(const sec_step *s, int in, int out) {
  static const char *const over_first[] = {"sec_rt_scatter",     "sec_rt_scatter_add", "sec_rt_scatter_mul",
                                           "sec_rt_scatter_min", "sec_rt_scatter_max"};
  bool known = false;
  for (size_t k = 0; k < sizeof over_first / sizeof *over_first; k++) known |= strcmp(over_first[k], s->runtime) == 0;
  for (int k = 1; k < s->n_slots - 1; k++) known &= s->slots[k] != in;
  return known && s->slots[0] == in && s->slots[s->n_slots - 1] == out;
}

static bool loop_allows(const sec_frame *fr, const sec_step *s, int in, int out) {
  int carry = -1, uses = 0;
  for (int k = 0; k < s->n_carry; k++)
    if (s->result[k] == out) carry = k;
  for (uint32_t k = 0; k < s->eqn->n_in; k++) uses += !sec_ref_is_literal(s->eqn->in[k]) && fr->slot[s->eqn->in[k]] == in;
  return !s->text && carry >= 0 && s->init[carry] == in && uses == 1;
}

static bool step_allows(const sec_plan *p, int at, int in, int out) {
  for (int i = 0; i < p->block.n_steps; i++) {
    const sec_step *s = &p->block.steps[i];
    if (s->last != at) continue;
    p->block.frame->now = i;
    switch (s->kind) {
    case SEC_STEP_GROUP: return p->slots[out].first == at && group_allows(p->block.frame, s->group, in, out);
    case SEC_STEP_RUNTIME: return p->slots[out].first == at && runtime_allows(s, in, out);
    case SEC_STEP_SCAN: case SEC_STEP_WHILE: return p->slots[out].first == s->first && loop_allows(p->block.frame, s, in, out);
    case SEC_STEP_COND: return false;
    }
  }
  return false;
}

static bool may_take_over(const sec_plan *p, int in, int out) {
  const sec_slot *x = &p->slots[in], *y = &p->slots[out];
  if (x->bytes != y->bytes || x->bytes == 0 || x->last < 0 || y->last < 0) return false;
  return x->last < y->first || step_allows(p, x->last, in, out);
}

/* ---- copies that are none when the result lies in the operand's memory ---- */
static void note_copy(const sec_frame *fr, sec_step *s) {
  place         from, to;
  const sec_op *o = s->group->n_ops == 1 ? s->group->ops : NULL;
  if (!o || o->kind != SEC_OP_STORE || o->through || o->start || sec_ref_is_literal(o->in[0])) return;
  if (sec_is_virtual(fr, o->in[0])) return;
  if (!place_of(&o->in_map[0], fr->j->avals[o->in[0]], &from) || !place_of(&o->out_map, o->target, &to)) return;
  if (memcmp(&from, &to, sizeof from) == 0 && fr->slot[o->in[0]] >= 0) s->copied = 1 + fr->slot[o->in[0]], s->copy = o->slot;
}

/* ---- the plan ---- */
sec_status sec_plan_aliases(sec_plan *p) {
  const sec_jaxpr *j = p->jaxpr;
  int              room = 0;
  for (int i = 0; i < p->block.n_steps; i++) {
    p->block.frame->now = i;
    if (p->block.steps[i].kind == SEC_STEP_GROUP) note_copy(p->block.frame, &p->block.steps[i]);
  }
  for (uint32_t o = 0; o < j->n_out; o++)
    for (uint32_t i = 0; i < j->n_in; i++) {
      if (!may_take_over(p, p->in_slots[i], p->out_slots[o])) continue;
      if (p->n_aliases == room) {
        room = room ? 2 * room : 8;
        sec_alias *grown = sec_arena_alloc(p->memory, (size_t)room * sizeof *grown);
        if (!grown) return SEC_MEMORY;
        if (p->n_aliases) memcpy(grown, p->aliases, (size_t)p->n_aliases * sizeof *grown);
        p->aliases = grown;
      }
      p->aliases[p->n_aliases++] = (sec_alias){(int)i, (int)o};
    }
  return SEC_OK;
}
