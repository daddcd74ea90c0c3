/* Entries of a cached call: found by raw signature, run, and results built from a template. */
#include "fast_call.h"
#include <secant/context.h>
#include <stdlib.h>
#include <time.h>

/* A running mean above which other threads of Python may run meanwhile: beside a busy one, the GIL
 * comes back only after a switch interval. */
#define RELEASE_SECONDS 100e-6
#define ENTRIES                                                                                  \
  1024 /* signatures of one function, with those that differ in the addresses of equal keys only \
        */

/* ---- a run ---- */
/* A Python number as an array of its weak type; the walk has seen that it fits. */
static sec_array *number_array(sec_pyo o) {
  sec_pyo         type = TYPE(o);
  int             kind = type == PY(PyBool_Type) ? 0 : type == PY(PyLong_Type) ? 1 : 2;
  const sec_aval *aval = sec_py.weak[sec_context_x64(sec_py.cx)][kind];
  sec_array      *a = sec_array_create_aval(sec_py.cx, aval);
  if (!a) return NULL;
  switch (aval->dtype) {
  case SEC_BOOL: *(unsigned char *)a->data = o == PY(_Py_TrueStruct); break;
  case SEC_I32: *(int32_t *)a->data = (int32_t)PY(PyLong_AsLongLong)(o); break;
  case SEC_I64: *(int64_t *)a->data = PY(PyLong_AsLongLong)(o); break;
  case SEC_F32: *(float *)a->data = (float)PY(PyFloat_AsDouble)(o); break;
  default: *(double *)a->data = PY(PyFloat_AsDouble)(o); break;
  }
  return a;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static sec_status run(const sec_py_entry *e, const sec_py_walk *w, sec_array *const *in,
                      sec_array **out) {
  return e->donate && !w->copies ? sec_execute_donating(e->executable, in, e->donate, out)
                   : sec_execute(e->executable, in, out);
}

/* Holds the GIL for short runs: one run in 16 is measured, and every run that released it.  No run
 * calls Python: one that did, from a worker thread, would have to release it always. */
static sec_status execute(sec_py_entry *e, sec_py_walk *w, sec_array *const *in, sec_array **out) {
  bool release = e->calls == 0 || e->seconds > RELEASE_SECONDS;
  if (!release && e->calls++ % 16) return run(e, w, in, out);
  if (release) {
    e->calls++;
    sec_py_walk_hold(w);
  }
  void      *thread = release ? PY(PyEval_SaveThread)() : NULL;
  double     start = now();
  sec_status status = run(e, w, in, out);
  double     took = now() - start;
  if (release) PY(PyEval_RestoreThread)(thread);
  e->seconds = e->calls == 1 ? took : 0.75 * e->seconds + 0.25 * took;
  return status;
}

/* ---- donation ---- */
/* The leaf of operand i where it is an array that is given away. */
static sec_py_leaf *donated(const sec_py_entry *e, sec_py_walk *w, int i) {
  sec_py_leaf *leaf = &w->leaves[e->leaf[i]];
  return e->donate[e->n_consts + i] && leaf->array && leaf->object ? leaf : NULL;
}

static bool passed_twice(const sec_py_entry *e, const sec_py_walk *w, const sec_py_leaf *leaf) {
  int n = 0;
  for (int k = 0; k < e->n_in; k++) n += w->leaves[e->leaf[k]].array == leaf->array;
  return n > 1;
}

/* Before a run that donates: objects give their arrays to the walk, and have deleted ones meanwhile, so that other threads see
 * what is going to be. */
static bool claim(const sec_py_entry *e, sec_py_walk *w) {
  sec_py_walk_hold(w);
  bool claimed = false;
  for (int i = 0; i < e->n_in; i++) {
    sec_py_leaf *leaf = donated(e, w, i);
    if (!leaf || leaf->array->deleted || passed_twice(e, w, leaf)) continue;
    claimed = true;
    sec_array *deleted = sec_array_create_deleted(leaf->array);
    if (!deleted) return false;
    sec_py_array *body = BODY(sec_py_kept(leaf->object), sec_py_array);
    sec_array_release(body->array);
    body->array = deleted;
  }
  w->copies = claimed && PY(PyList_Size)(sec_py.flying) > 0;
  return true;
}

/* The array is deleted, but may be read yet. */
static void end_later(sec_array *a) {
  sec_pyo handle = PY(PyLong_FromVoidPtr)(sec_array_retain(a));
  if (!handle || PY(PyList_Append)(sec_py.ended, handle)) PY(PyErr_Clear)(); /* it leaks, rather than crash */
  PY(Py_DecRef)(handle);
}

/* After it: what was not taken goes back. */
static void unclaim(const sec_py_entry *e, sec_py_walk *w, bool done) {
  for (int i = 0; i < e->n_in; i++) {
    sec_py_leaf *leaf = donated(e, w, i);
    if (!leaf || BODY(leaf->object, sec_py_array)->array == leaf->array) continue;
    sec_py_array *body = BODY(leaf->object, sec_py_array);
    if (w->copies && done) end_later(leaf->array);
    else if (!leaf->array->deleted) {
      sec_array_release(body->array);
      body->array = sec_array_retain(leaf->array);
    }
    PY(Py_DecRef)(leaf->object);
  }
}

/* ---- results ---- */
typedef struct building {
  const sec_py_entry *entry;
  sec_array         **arrays;
  int                 node, next;
} building;

static sec_pyo build_leaf(building *b) {
  int        i = b->next++;
  sec_array *array = b->arrays[i];
  b->arrays[i] = NULL;
  return sec_py_array_new(array, b->entry->avals[i]);
}

static sec_pyo build(building *b) {
  const sec_py_node *node = &b->entry->nodes[b->node++];
  sec_pyo            made;
  switch (node->kind) {
  case NODE_LEAF: return build_leaf(b);
  case NODE_NONE: return sec_py_none();
  case NODE_TUPLE: made = PY(PyTuple_New)(node->n); break;
  case NODE_LIST: made = PY(PyList_New)(node->n); break;
  default: made = PY(PyDict_Copy)(node->empty); break;
  }
  for (int i = 0; i < node->n && made; i++) {
    sec_pyo item = build(b);
    bool    failed = !item;
    if (!failed && node->kind == NODE_DICT) {
      failed = PY(PyDict_SetItem)(made, node->keys[i], item) != 0;
      PY(Py_DecRef)(item);
    } else if (!failed)
      failed =
          (node->kind == NODE_TUPLE ? PY(PyTuple_SetItem) : PY(PyList_SetItem))(made, i, item) != 0;
    if (failed) {
      PY(Py_DecRef)(made);
      return NULL;
    }
  }
  return made;
}

static sec_pyo build_flat(building *b) {
  sec_pyo list = PY(PyList_New)(b->entry->n_out), result = NULL;
  for (int i = 0; i < b->entry->n_out && list; i++) {
    sec_pyo item = build_leaf(b);
    if (!item || PY(PyList_SetItem)(list, i, item)) {
      PY(Py_DecRef)(list);
      list = NULL;
    }
  }
  if (list) result = PY(PyObject_CallFunctionObjArgs)(b->entry->unflatten, list, NULL);
  PY(Py_DecRef)(list);
  return result;
}

sec_pyo sec_py_entry_run(sec_py_entry *e, sec_py_walk *w) {
  sec_array *here[WALK_LEAVES], **all = here, *made[WALK_STATICS];
  int        n_made = 0, total = e->n_consts + e->n_in + e->n_out;
  sec_status status = SEC_OK;
  if (total > WALK_LEAVES && !(all = malloc((size_t)total * sizeof *all)))
    return PY(PyErr_NoMemory)();
  sec_array **in = all, **out = all + e->n_consts + e->n_in;
  memcpy(in, e->consts, (size_t)e->n_consts * sizeof *in);
  for (int i = 0; i < e->n_in && status == SEC_OK; i++) {
    sec_py_leaf leaf = w->leaves[e->leaf[i]];
    if (!leaf.array) {
      leaf.array = n_made < WALK_STATICS ? number_array(leaf.object) : NULL;
      if (!leaf.array)
        status = sec_error_set(SEC_MEMORY, NULL, "no room for the numbers of a call");
      else made[n_made++] = leaf.array;
    }
    in[e->n_consts + i] = leaf.array;
  }
  if (status == SEC_OK && e->donate && !claim(e, w)) status = SEC_MEMORY;
  if (status == SEC_OK) status = execute(e, w, in, out);
  if (e->donate) unclaim(e, w, status == SEC_OK);
  for (int i = 0; i < n_made; i++) sec_array_release(made[i]);
  sec_pyo result = NULL;
  if (status == SEC_INTERRUPTED && PY(PyErr_CheckSignals)())
    sec_error_clear(sec_py.cx); /* KeyboardInterrupt */
  else if (status == SEC_DEVICE) { /* Python says which arguments do not agree */
    sec_error_clear(sec_py.cx);
    w->unusual = true;
  } else if (status != SEC_OK) sec_py_raise();
  else {
    building b = {.entry = e, .arrays = out};
    result = e->nodes ? build(&b) : build_flat(&b);
    if (!result)
      for (int i = 0; i < e->n_out; i++) sec_array_release(out[i]);
  }
  if (all != here) free(all);
  return result;
}

/* ---- finding ---- */
static bool same_statics(const sec_py_entry *e, const sec_py_walk *w) {
  for (int i = 0; i < e->n_statics; i++)
    if (e->statics[i] != w->statics[i] &&
        PY(PyObject_RichCompareBool)(e->statics[i], w->statics[i], OP_EQ) != 1)
      return false;
  return true;
}

sec_py_entry *sec_py_cache_find(sec_py_cache *c, const sec_py_walk *w) {
  for (int i = 0; i < c->room;
       i++) { /* a static's == may have changed the table: it is read anew each time */
    sec_py_entry *e = c->slots[(w->hash + (uint64_t)i) & (uint64_t)(c->room - 1)];
    if (!e) return NULL;
    if (e->hash != w->hash || e->n != w->n ||
        memcmp(e->words, w->words, (size_t)e->n * sizeof *e->words))
      continue;
    e->count++;
    if (e->n_statics == 0 || same_statics(e, w)) return e;
    sec_py_entry_release(e);
    if (PY(PyErr_Occurred)()) return NULL;
  }
  return NULL;
}

/* ---- adding ---- */
static void free_nodes(sec_py_entry *e) {
  for (int i = 0; i < e->n_nodes; i++) {
    PY(Py_DecRef)(e->nodes[i].empty);
    free(e->nodes[i].keys);
  }
  free(e->nodes);
  e->nodes = NULL;
  e->n_nodes = 0;
}

void sec_py_entry_release(sec_py_entry *e) {
  if (--e->count) return;
  sec_executable_release(e->executable);
  PY(Py_DecRef)(e->refs);
  free_nodes(e);
  free(e->words), free(e->statics), free(e->consts), free(e->leaf), free(e->avals);
  free(e->donate);
  free(e);
}

void sec_py_cache_clear(sec_py_cache *c) {
  sec_py_entry **slots = c->slots;
  int            room = c->room;
  c->slots = NULL;
  c->n = c->room = 0;
  for (int i = 0; i < room; i++)
    if (slots[i]) sec_py_entry_release(slots[i]);
  free(slots);
}

/* The nodes of a treedef's spec; false: it has nodes that Python builds. */
static bool read_nodes(sec_py_entry *e, sec_pyo spec) {
  if (e->n_nodes % 16 == 0) {
    sec_py_node *grown = realloc(e->nodes, (size_t)(e->n_nodes + 16) * sizeof *grown);
    if (!grown) return false;
    e->nodes = grown;
  }
  sec_py_node *node = &e->nodes[e->n_nodes++];
  *node = (sec_py_node){.kind = NODE_LEAF};
  if (spec == sec_py.leaf) return true;
  node->kind = NODE_NONE;
  if (spec == sec_py.none) return true;
  sec_pyo kind = PY(PyTuple_GetItem)(spec, 0);
  ssize_t n = PY(PyTuple_Size)(spec) - 2;
  if (n < 0 || (kind != PY(PyTuple_Type) && kind != PY(PyList_Type) && kind != PY(PyDict_Type)))
    return false;
  node->kind = kind == PY(PyTuple_Type)  ? NODE_TUPLE
               : kind == PY(PyList_Type) ? NODE_LIST
                                         : NODE_DICT;
  node->n = (int)n;
  if (node->kind == NODE_DICT) {
    sec_pyo keys = PY(PyTuple_GetItem)(spec, 1);
    node->keys = calloc((size_t)n + 1, sizeof *node->keys);
    if (!node->keys || !(node->empty = PY(PyDict_New)())) return false;
    for (ssize_t i = 0; i < n; i++)
      if (!(node->keys[i] = PY(PyTuple_GetItem)(keys, i)) ||
          PY(PyDict_SetItem)(node->empty, node->keys[i], PY(_Py_NoneStruct)))
        return false;
  }
  for (ssize_t i = 0; i < n; i++)
    if (!read_nodes(e, PY(PyTuple_GetItem)(spec, i + 2))) return false;
  return true;
}

static void *array_of(int n, size_t size) { return calloc((size_t)n + 1, size); }

static bool read_donate(sec_py_entry *e, sec_pyo flags) {
  if (flags == PY(_Py_NoneStruct)) return true;
  if (PY(PyTuple_Size)(flags) != e->n_in || !(e->donate = array_of(e->n_consts + e->n_in, 1)))
    return false;
  for (int i = 0; i < e->n_in; i++)
    e->donate[e->n_consts + i] = PY(PyTuple_GetItem)(flags, i) == PY(_Py_TrueStruct);
  return true;
}

/* registration: (executable, consts, leaves, avals, spec, unflatten, donated or None, what else to
 * keep); handles are ints. */
static sec_py_entry *entry_new(const sec_py_walk *w, sec_pyo r) {
  sec_pyo item[7];
  for (int i = 0; i < 7; i++)
    if (!(item[i] = PY(PyTuple_GetItem)(r, i))) return NULL;
  sec_py_entry *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  *e = (sec_py_entry){
      .count = 1, .n = w->n, .hash = w->hash, .n_statics = w->n_statics, .unflatten = item[5]};
  e->n_consts = (int)PY(PyTuple_Size)(item[1]), e->n_in = (int)PY(PyTuple_Size)(item[2]),
  e->n_out = (int)PY(PyTuple_Size)(item[3]);
  e->executable = sec_executable_retain(PY(PyLong_AsVoidPtr)(item[0]));
  e->words = array_of(e->n, sizeof *e->words),
  e->statics = array_of(e->n_statics, sizeof *e->statics);
  e->consts = array_of(e->n_consts, sizeof *e->consts),
  e->leaf = array_of(e->n_in, sizeof *e->leaf);
  e->avals = array_of(e->n_out, sizeof *e->avals);
  e->refs = PY(PyTuple_New)(2);
  bool fits = e->words && e->statics && e->consts && e->leaf && e->avals && e->refs;
  if (fits) {
    memcpy(e->words, w->words, (size_t)w->n * sizeof *w->words);
    memcpy(e->statics, w->statics, (size_t)w->n_statics * sizeof *w->statics);
    PY(PyTuple_SetItem)(e->refs, 0, sec_py_kept(r));
    PY(PyTuple_SetItem)(e->refs, 1, sec_py_kept(w->refs));
    for (int i = 0; i < e->n_consts; i++)
      e->consts[i] = PY(PyLong_AsVoidPtr)(PY(PyTuple_GetItem)(item[1], i));
    for (int i = 0; i < e->n_out; i++) e->avals[i] = PY(PyTuple_GetItem)(item[3], i);
    for (int i = 0; i < e->n_in; i++) {
      e->leaf[i] = (int)PY(PyLong_AsLongLong)(PY(PyTuple_GetItem)(item[2], i));
      fits = fits && e->leaf[i] >= 0 && e->leaf[i] < w->n_leaves;
    }
    fits = fits && read_donate(e, item[6]) && e->n_consts + e->n_in == sec_executable_n_in(e->executable) &&
           e->n_out == sec_executable_n_out(e->executable);
  }
  if (fits && !read_nodes(e, item[4])) {
    free_nodes(e);
    PY(PyErr_Clear)();
  }
  if (fits) return e;
  sec_py_entry_release(e);
  return NULL;
}

static bool make_room(sec_py_cache *c) {
  if (c->n >= ENTRIES) sec_py_cache_clear(c);
  if (2 * (c->n + 1) <= c->room) return true;
  int            room = c->room ? 2 * c->room : 8;
  sec_py_entry **slots = calloc((size_t)room, sizeof *slots);
  if (!slots) return false;
  for (int i = 0; i < c->room; i++) {
    if (!c->slots[i]) continue;
    uint64_t k = c->slots[i]->hash;
    while (slots[k & (uint64_t)(room - 1)]) k++;
    slots[k & (uint64_t)(room - 1)] = c->slots[i];
  }
  free(c->slots);
  c->slots = slots;
  c->room = room;
  return true;
}

bool sec_py_cache_add(sec_py_cache *c, const sec_py_walk *w, sec_pyo registration) {
  sec_py_entry *e = make_room(c) ? entry_new(w, registration) : NULL;
  if (!e) {
    if (!PY(PyErr_Occurred)())
      sec_py_type_error("secant: the fast path got an entry that does not fit its call");
    return false;
  }
  uint64_t k = e->hash;
  while (c->slots[k & (uint64_t)(c->room - 1)]) k++;
  c->slots[k & (uint64_t)(c->room - 1)] = e;
  c->n++;
  return true;
}
