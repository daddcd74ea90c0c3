/* Static parameters of equations: sorted by name, interned and counted, so that equality is pointer equality. */
#include "hash.h"
#include "ir.h"
#include "memory.h"
#include "trace.h"
#include <string.h>

static uint64_t param_hash(uint64_t h, const sec_param *p) {
  h = sec_hash_bytes(h, p->name, strlen(p->name));
  h = sec_hash_word(h, p->kind);
  switch (p->kind) {
  case SEC_PARAM_INT: case SEC_PARAM_BOOL: return sec_hash_word(h, (uint64_t)p->u.i);
  case SEC_PARAM_FLOAT: return sec_hash_bytes(h, &p->u.f, sizeof p->u.f);
  case SEC_PARAM_DTYPE: return sec_hash_word(h, p->u.dtype);
  case SEC_PARAM_STR: return sec_hash_bytes(h, p->u.str, strlen(p->u.str));
  case SEC_PARAM_INTS: return sec_hash_bytes(h, p->u.ints.v, (size_t)p->u.ints.n * sizeof(int64_t));
  case SEC_PARAM_INTSS:
    for (int i = 0; i < p->u.intss.count; i++)
      h = sec_hash_bytes(h, p->u.intss.v[i], (size_t)p->u.intss.n[i] * sizeof(int64_t));
    return sec_hash_word(h, (uint64_t)p->u.intss.count);
  case SEC_PARAM_JAXPR: return sec_hash_word(h, sec_jaxpr_hash(p->u.jaxpr));
  case SEC_PARAM_JAXPRS:
    for (int i = 0; i < p->u.jaxprs.n; i++) h = sec_hash_word(h, sec_jaxpr_hash(p->u.jaxprs.v[i]));
    return h;
  case SEC_PARAM_FN: return sec_hash_word(h, (uint64_t)(uintptr_t)p->u.fn);
  case SEC_PARAM_NONE: return h;
  }
  return h;
}

static bool ints_equal(const int64_t *a, int n, const int64_t *b, int m) {
  return n == m && (n == 0 || memcmp(a, b, (size_t)n * sizeof *a) == 0);
}

static bool param_equal(const sec_param *a, const sec_param *b) {
  if (a->kind != b->kind || strcmp(a->name, b->name) != 0) return false;
  switch (a->kind) {
  case SEC_PARAM_INT: case SEC_PARAM_BOOL: return a->u.i == b->u.i;
  case SEC_PARAM_FLOAT: return memcmp(&a->u.f, &b->u.f, sizeof a->u.f) == 0;
  case SEC_PARAM_DTYPE: return a->u.dtype == b->u.dtype;
  case SEC_PARAM_STR: return strcmp(a->u.str, b->u.str) == 0;
  case SEC_PARAM_INTS: return ints_equal(a->u.ints.v, a->u.ints.n, b->u.ints.v, b->u.ints.n);
  case SEC_PARAM_INTSS:
    if (a->u.intss.count != b->u.intss.count) return false;
    for (int i = 0; i < a->u.intss.count; i++)
      if (!ints_equal(a->u.intss.v[i], a->u.intss.n[i], b->u.intss.v[i], b->u.intss.n[i])) return false;
    return true;
  case SEC_PARAM_JAXPR: return sec_jaxpr_equal(a->u.jaxpr, b->u.jaxpr);
  case SEC_PARAM_JAXPRS:
    if (a->u.jaxprs.n != b->u.jaxprs.n) return false;
    for (int i = 0; i < a->u.jaxprs.n; i++)
      if (!sec_jaxpr_equal(a->u.jaxprs.v[i], b->u.jaxprs.v[i])) return false;
    return true;
  case SEC_PARAM_FN: return a->u.fn == b->u.fn;
  case SEC_PARAM_NONE: return true;
  }
  return false;
}

/* ---- copies: one block holds the struct, the list and everything it points to ---- */
static size_t param_bytes(const sec_param *p) {
  size_t n = strlen(p->name) + 1;
  if (p->kind == SEC_PARAM_STR) n += strlen(p->u.str) + 1;
  if (p->kind == SEC_PARAM_INTS) n += (size_t)p->u.ints.n * sizeof(int64_t);
  if (p->kind == SEC_PARAM_JAXPRS) n += (size_t)p->u.jaxprs.n * sizeof(sec_jaxpr *);
  if (p->kind == SEC_PARAM_INTSS)
    for (int i = 0; i < p->u.intss.count; i++)
      n += (size_t)p->u.intss.n[i] * sizeof(int64_t) + sizeof(int64_t *) + sizeof(int) + 8;
  return (n + 15 + 8) & ~(size_t)7;
}

static void *take(char **at, const void *from, size_t bytes) {
  void *p = *at;
  if (bytes) memcpy(p, from, bytes);
  *at += (bytes + 7) & ~(size_t)7;
  return p;
}

static void param_copy(sec_param *to, const sec_param *from, char **at) {
  *to = *from;
  switch (from->kind) {
  case SEC_PARAM_INTS: to->u.ints.v = take(at, from->u.ints.v, (size_t)from->u.ints.n * sizeof(int64_t)); break;
  case SEC_PARAM_INTSS: {
    int             count = from->u.intss.count;
    const int64_t **lists = take(at, from->u.intss.v, (size_t)count * sizeof *lists);
    to->u.intss.n = take(at, from->u.intss.n, (size_t)count * sizeof(int));
    for (int i = 0; i < count; i++)
      lists[i] = take(at, from->u.intss.v[i], (size_t)from->u.intss.n[i] * sizeof(int64_t));
    to->u.intss.v = lists;
    break;
  }
  case SEC_PARAM_JAXPRS: {
    sec_jaxpr **list = take(at, from->u.jaxprs.v, (size_t)from->u.jaxprs.n * sizeof *list);
    for (int i = 0; i < from->u.jaxprs.n; i++) sec_jaxpr_retain(list[i]);
    to->u.jaxprs.v = list;
    break;
  }
  case SEC_PARAM_STR: to->u.str = take(at, from->u.str, strlen(from->u.str) + 1); break;
  case SEC_PARAM_JAXPR: sec_jaxpr_retain(from->u.jaxpr); break;
  case SEC_PARAM_FN: sec_callable_retain(from->u.fn); break;
  default: break;
  }
  to->name = take(at, from->name, strlen(from->name) + 1);
}

static void param_drop(const sec_param *p) {
  if (p->kind == SEC_PARAM_JAXPR) sec_jaxpr_release(p->u.jaxpr);
  if (p->kind == SEC_PARAM_FN) sec_callable_release(p->u.fn);
  if (p->kind == SEC_PARAM_JAXPRS)
    for (int i = 0; i < p->u.jaxprs.n; i++) sec_jaxpr_release(p->u.jaxprs.v[i]);
}

/* ---- interning ---- */
static bool table_grow(sec_context *cx) {
  uint32_t            slots = cx->param_slots ? 2 * cx->param_slots : 256;
  struct sec_params **table = sec_mem_zeroed(slots, sizeof *table);
  if (!table) return false;
  for (uint32_t s = 0; s < cx->param_slots; s++)
    for (struct sec_params *p = cx->params[s], *next; p; p = next) {
      next = p->next;
      p->next = table[p->hash & (slots - 1)];
      table[p->hash & (slots - 1)] = p;
    }
  sec_mem_free(cx->params);
  cx->params = table;
  cx->param_slots = slots;
  return true;
}

static struct sec_params *params_lookup(sec_context *cx, const sec_param *list, int n, uint64_t h) {
  if (!cx->param_slots) return NULL;
  for (struct sec_params *p = cx->params[h & (cx->param_slots - 1)]; p; p = p->next) {
    if (p->hash != h || p->n != n) continue;
    int i = 0;
    while (i < n && param_equal(&p->list[i], &list[i])) i++;
    if (i == n) return p;
  }
  return NULL;
}

static struct sec_params *params_new(sec_context *cx, const sec_param *list, int n, uint64_t h) {
  size_t bytes = sizeof(struct sec_params) + (size_t)n * sizeof(sec_param) + 64;
  for (int i = 0; i < n; i++) bytes += param_bytes(&list[i]) + 16;
  struct sec_params *p = sec_alloc(cx, bytes);
  if (!p) return NULL;
  *p = (struct sec_params){.n = n, .hash = h, .cx = cx, .list = (sec_param *)(p + 1)};
  atomic_init(&p->refs, 1);
  char *at = (char *)(p->list + n);
  for (int i = 0; i < n; i++) param_copy(&p->list[i], &list[i], &at);
  struct sec_params **slot = &cx->params[h & (cx->param_slots - 1)];
  p->next = *slot;
  *slot = p;
  cx->n_params++;
  return p;
}

const sec_params *sec_params_make(sec_context *cx, const sec_param *unsorted, int n) {
  sec_param list[32];
  if (n > 32) {
    sec_error_set(SEC_ARGUMENT, NULL, "parameters: %d given, 32 at most", n);
    return NULL;
  }
  for (int i = 0; i < n; i++) { /* insertion sort: lists have a handful of entries */
    int k = i;
    for (; k > 0 && strcmp(list[k - 1].name, unsorted[i].name) > 0; k--) list[k] = list[k - 1];
    list[k] = unsorted[i];
  }
  uint64_t h = (uint64_t)n;
  for (int i = 0; i < n; i++) h = param_hash(h, &list[i]);
  pthread_mutex_lock(&cx->lock);
  struct sec_params *p = params_lookup(cx, list, n, h);
  if (p)
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
  else {
    bool room = cx->n_params < cx->param_slots || table_grow(cx);
    p = room ? params_new(cx, list, n, h) : NULL;
  }
  pthread_mutex_unlock(&cx->lock);
  if (!p) sec_trace_no_memory();
  return p;
}

void sec_params_retain(const sec_params *p) {
  if (p) atomic_fetch_add_explicit((atomic_int *)&p->refs, 1, memory_order_relaxed);
}

static void params_unlink(struct sec_params *p) {
  struct sec_params **at = &p->cx->params[p->hash & (p->cx->param_slots - 1)];
  while (*at != p) at = &(*at)->next;
  *at = p->next;
  p->cx->n_params--;
}

void sec_params_release(const sec_params *constant) {
  struct sec_params *p = (struct sec_params *)constant;
  if (!p) return;
  sec_context *cx = p->cx;
  if (atomic_load_explicit(&p->refs, memory_order_relaxed) > 1) { /* fast: not the last */
    int refs = atomic_load(&p->refs);
    while (refs > 1)
      if (atomic_compare_exchange_weak(&p->refs, &refs, refs - 1)) return;
  }
  pthread_mutex_lock(&cx->lock); /* the last count goes under the lock: a lookup may revive it */
  bool last = atomic_fetch_sub(&p->refs, 1) == 1;
  if (last) params_unlink(p);
  pthread_mutex_unlock(&cx->lock);
  if (!last) return;
  for (int i = 0; i < p->n; i++) param_drop(&p->list[i]);
  sec_free(cx, p);
}

void sec_params_table_free(sec_context *cx) { sec_mem_free(cx->params); }

/* ---- access ---- */
const sec_param *sec_params_find(const sec_params *p, const char *name) {
  for (int i = 0; p && i < p->n; i++)
    if (strcmp(p->list[i].name, name) == 0) return &p->list[i];
  return NULL;
}

int64_t sec_params_int(const sec_params *p, const char *name) {
  const sec_param *q = sec_params_find(p, name);
  if (!q) return 0;
  return q->kind == SEC_PARAM_DTYPE ? (int64_t)q->u.dtype : q->kind <= SEC_PARAM_BOOL ? q->u.i : 0;
}

const int64_t *sec_params_ints(const sec_params *p, const char *name, int *n) {
  const sec_param *q = sec_params_find(p, name);
  bool             is_list = q && q->kind == SEC_PARAM_INTS;
  *n = is_list ? q->u.ints.n : 0;
  return is_list ? q->u.ints.v : NULL;
}

sec_jaxpr *sec_params_jaxpr(const sec_params *p, const char *name) {
  const sec_param *q = sec_params_find(p, name);
  return q && q->kind == SEC_PARAM_JAXPR ? q->u.jaxpr : NULL;
}
