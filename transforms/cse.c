/* Common subexpressions: a table of the equations of one trace.  Two are the same when primitive, parameters (one
 * pointer, for they are interned) and operands are; literals are compared by type and bits, and the operands of a
 * commutative primitive in either order. */
#include "body.h"
#include "defs.h"
#include "hash.h"
#include <string.h>

sec_status sec_defs_begin(sec_defs *d, sec_context *cx) {
  *d = (sec_defs){.cx = cx, .arena = sec_arena_create(cx), .of.cx = cx, .n_buckets = 1024};
  d->buckets = d->arena ? SEC_NEW(d->arena, sec_def *, d->n_buckets) : NULL;
  return d->buckets ? SEC_OK : SEC_MEMORY;
}

void sec_defs_end(sec_defs *d) {
  sec_map_free(&d->of);
  sec_free(d->cx, d->list);
  sec_arena_destroy(d->arena);
}

static uint64_t operand_hash(sec_value v) {
  const sec_literal *l = sec_value_literal(v);
  if (!l) return sec_hash_word(v.trace, v.ref);
  uint64_t h = sec_hash_bytes(l->aval->hash + l->aval->weak, &l->f, sizeof l->f);
  return sec_hash_word(h, (uint64_t)l->i);
}

/* A sum over the operands where their order does not matter. */
static uint64_t candidate_hash(const sec_candidate *c) {
  uint64_t h = sec_hash_word((uint64_t)(uintptr_t)c->prim, (uint64_t)(uintptr_t)c->params), sum = 0;
  for (int i = 0; i < c->n_in; i++) {
    uint64_t x = operand_hash(c->in[i]);
    if (c->prim->flags & SEC_FLAG_COMMUTATIVE) sum += x;
    else h = sec_hash_word(h, x);
  }
  return sec_hash_word(h, sum);
}

static bool same_operand(sec_value a, sec_value b) {
  if (a.trace == b.trace && a.ref == b.ref) return true;
  const sec_literal *l = sec_value_literal(a), *m = sec_value_literal(b);
  return l && m && l->aval == m->aval && l->i == m->i && memcmp(&l->f, &m->f, sizeof l->f) == 0;
}

static bool same_equation(const sec_def *d, const sec_candidate *c) {
  if (d->prim != c->prim || d->params != c->params || d->n_in != c->n_in || d->n_out != c->n_out)
    return false;
  int i = 0;
  while (i < c->n_in && same_operand(d->in[i], c->in[i])) i++;
  if (i == c->n_in) return true;
  return c->n_in == 2 && c->prim->flags & SEC_FLAG_COMMUTATIVE &&
         same_operand(d->in[0], c->in[1]) && same_operand(d->in[1], c->in[0]);
}

const sec_def *sec_defs_same(const sec_defs *d, const sec_candidate *c) {
  if (sec_has_effect(c->prim, c->params)) return NULL;
  uint64_t h = candidate_hash(c);
  for (const sec_def *e = d->buckets[h % d->n_buckets]; e; e = e->next)
    if (e->hash == h && same_equation(e, c)) return e;
  return NULL;
}

const sec_def *sec_defs_of(const sec_defs *d, sec_value v) {
  int i = sec_map_get(&d->of, v);
  return i < 0 ? NULL : d->list[i];
}

/* As many buckets as equations, roughly. */
static sec_status more_buckets(sec_defs *d) {
  uint32_t n = 4 * d->n_buckets;
  sec_def **buckets = SEC_NEW(d->arena, sec_def *, n);
  if (!buckets) return SEC_MEMORY;
  for (uint32_t i = 0; i < d->n; i++) {
    sec_def **slot = &buckets[d->list[i]->hash % n];
    d->list[i]->next = *slot;
    *slot = d->list[i];
  }
  d->buckets = buckets;
  d->n_buckets = n;
  return SEC_OK;
}

static sec_status room_for_one(sec_defs *d) {
  if (d->n == d->n_buckets) SEC_TRY(more_buckets(d));
  if (d->n < d->room) return SEC_OK;
  uint32_t room = d->room ? 2 * d->room : 64;
  sec_def **list = sec_realloc(d->cx, d->list, room * sizeof *list);
  if (!list) return SEC_MEMORY;
  d->list = list;
  d->room = room;
  return SEC_OK;
}

sec_status sec_defs_add(sec_defs *d, const sec_candidate *c, const sec_value *out) {
  SEC_TRY(room_for_one(d));
  sec_def *e = SEC_NEW(d->arena, sec_def, 1);
  sec_value *values = SEC_NEW(d->arena, sec_value, c->n_in + c->n_out);
  if (!e || !values) return SEC_MEMORY;
  if (c->n_in) memcpy(values, c->in, (size_t)c->n_in * sizeof *values);
  if (c->n_out) memcpy(values + c->n_in, out, (size_t)c->n_out * sizeof *values);
  *e = (sec_def){c->prim,  c->params,         values, values + c->n_in, c->n_in,
                 c->n_out, candidate_hash(c), NULL};
  for (int i = 0; i < c->n_out; i++) SEC_TRY(sec_map_put(&d->of, out[i], (int)d->n));
  sec_def **slot = &d->buckets[e->hash % d->n_buckets];
  e->next = *slot;
  *slot = e;
  d->list[d->n++] = e;
  return SEC_OK;
}
