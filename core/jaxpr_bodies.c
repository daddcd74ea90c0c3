/* Counting the bodies of a jaxpr: see jaxpr_bodies.h. */
#include "jaxpr_bodies.h"
#include "memory.h"
#include <string.h>

enum { LONG_BODY = 10 }; /* equations from which on a body stands in front even if it is met once */

typedef struct meeting {
  const sec_jaxpr *j;
  const char      *name;
} meeting;

typedef struct queue {
  meeting *list;
  size_t   n, room;
} queue;

static uint32_t *slot_of(const sec_bodies *b, const sec_jaxpr *j) {
  uint32_t h = (uint32_t)(((uint64_t)(uintptr_t)j * 0x9e3779b97f4a7c15u) >> 32);
  while (b->slots[h & (b->n_slots - 1)] && b->list[b->slots[h & (b->n_slots - 1)] - 1].j != j) h++;
  return &b->slots[h & (b->n_slots - 1)];
}

static bool grow(sec_bodies *b) {
  uint32_t  n_slots = b->n_slots ? 2 * b->n_slots : 64;
  uint32_t *slots = sec_mem_zeroed(n_slots, sizeof *slots);
  sec_body *list = slots ? sec_mem_realloc(b->list, n_slots / 2 * sizeof *list) : NULL;
  if (!list) return sec_mem_free(slots), false;
  sec_mem_free(b->slots);
  b->list = list, b->slots = slots, b->n_slots = n_slots;
  for (uint32_t i = 0; i < b->n; i++) *slot_of(b, list[i].j) = i + 1;
  return true;
}

static bool push(queue *q, const sec_jaxpr *j, const char *name) {
  if (q->n == q->room) {
    size_t   room = q->room ? 2 * q->room : 64;
    meeting *grown = sec_mem_realloc(q->list, room * sizeof *grown);
    if (!grown) return false;
    q->list = grown, q->room = room;
  }
  q->list[q->n++] = (meeting){j, name};
  return true;
}

static bool push_bodies(queue *q, const sec_params *p) {
  const sec_param *name = sec_params_find(p, "name");
  const char      *text = name && name->kind == SEC_PARAM_STR ? name->u.str : NULL;
  for (int i = 0; p && i < p->n; i++) {
    const sec_param *v = &p->list[i];
    if (v->kind == SEC_PARAM_JAXPR && !push(q, v->u.jaxpr, text)) return false;
    for (int k = 0; v->kind == SEC_PARAM_JAXPRS && k < v->u.jaxprs.n; k++)
      if (!push(q, v->u.jaxprs.v[k], text)) return false;
  }
  return true;
}

/* A body met again is gone through once more, so that those inside are counted again: not a third time. */
static bool visit(sec_bodies *b, queue *q, meeting m) {
  if (2 * b->n >= b->n_slots && !grow(b)) return false;
  uint32_t *slot = slot_of(b, m.j);
  if (!*slot) {
    *slot = ++b->n;
    b->list[b->n - 1] = (sec_body){.j = m.j, .shared = b->n > 1 && m.j->n_eqns > LONG_BODY};
  }
  sec_body *body = &b->list[*slot - 1];
  if (!body->name) body->name = m.name;
  body->shared |= body->visits > 0;
  if (body->visits == 2) return true;
  body->visits++;
  for (uint32_t i = 0; i < m.j->n_eqns; i++)
    if (!push_bodies(q, m.j->eqns[i].params)) return false;
  return true;
}

static bool same_name(const sec_body *a, const sec_body *b) {
  return a->name_length == b->name_length && memcmp(a->name, b->name, (size_t)a->name_length) == 0;
}

/* <lambda> becomes lambda; the k-th of one name gets a number. */
static void name_all(sec_bodies *b) {
  for (uint32_t i = 0; i < b->n; i++) {
    sec_body *body = &b->list[i];
    if (!body->shared) continue;
    b->n_shared++;
    if (!body->name) body->name = "jaxpr";
    body->name += strspn(body->name, "<>");
    body->name_length = (int)strcspn(body->name, "<>");
    for (uint32_t k = i; k-- > 0 && !body->number;)
      if (b->list[k].shared && same_name(&b->list[k], body)) body->number = b->list[k].number + 1;
  }
}

bool sec_bodies_collect(sec_bodies *b, const sec_jaxpr *whole) {
  queue q = {0};
  bool  ok = push(&q, whole, NULL);
  for (size_t i = 0; ok && i < q.n; i++) ok = visit(b, &q, q.list[i]);
  sec_mem_free(q.list);
  if (ok) name_all(b);
  return ok;
}

const sec_body *sec_bodies_find(const sec_bodies *b, const sec_jaxpr *j) {
  uint32_t at = b->n_slots ? *slot_of(b, j) : 0;
  return at ? &b->list[at - 1] : NULL;
}

bool sec_bodies_names(const sec_bodies *b, const char *name) {
  size_t length = b->n_shared ? strlen(name) : 0;
  for (uint32_t i = 1; b->n_shared && i < b->n; i++) {
    const sec_body *body = &b->list[i];
    if (body->shared && !body->number && (size_t)body->name_length == length && !memcmp(body->name, name, length))
      return true;
  }
  return false;
}

void sec_bodies_free(sec_bodies *b) { sec_mem_free(b->list), sec_mem_free(b->slots); }
