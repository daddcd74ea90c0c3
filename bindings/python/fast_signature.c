/* The raw signature: one walk over the arguments by type pointer.  Only static arguments run Python
 * code. */
#include "fast_call.h"
#include <secant/context.h>
#include <stdlib.h>

enum { TAG_TUPLE = 1, TAG_LIST, TAG_DICT, TAG_NONE, TAG_STATIC, TAG_NAME, TAG_POSITIONAL };
typedef enum policy {
  OPERANDS,
  STATICS
} policy; /* what numbers and names are: operands, or part of the signature */

static bool unusual(sec_py_walk *w) {
  w->unusual = true;
  return false;
}

static bool grow(void **here, void *start, int *room, size_t size) {
  void *grown = malloc(2 * (size_t)*room * size);
  if (!grown) return PY(PyErr_NoMemory)() != NULL;
  memcpy(grown, *here, (size_t)*room * size);
  if (*here != start) free(*here);
  *here = grown;
  *room *= 2;
  return true;
}

static bool push(sec_py_walk *w, uint64_t word) {
  if (w->n == w->room && !grow((void **)&w->words, w->words_here, &w->room, sizeof word))
    return false;
  w->words[w->n++] = word;
  uint64_t h = (w->hash ^ word) * 0x9e3779b97f4a7c15u;
  w->hash = h ^ h >> 29;
  return true;
}

static bool push_pointer(sec_py_walk *w, sec_pyo o) {
  if (w->refs && PY(PyList_Append)(w->refs, o)) return false;
  return push(w, (uintptr_t)o);
}

static bool push_leaf(sec_py_walk *w, const sec_aval *aval, sec_array *array, sec_pyo object) {
  if (w->n_leaves == w->leaf_room &&
      !grow((void **)&w->leaves, w->leaves_here, &w->leaf_room, sizeof *w->leaves))
    return false;
  w->leaves[w->n_leaves++] = (sec_py_leaf){array, object};
  return push(w, (uintptr_t)aval);
}

static bool push_static(sec_py_walk *w, sec_pyo o) {
  if (w->n_statics == WALK_STATICS) return unusual(w);
  ssize_t hash = PY(PyObject_Hash)(o);
  if (hash == -1 && PY(PyErr_Occurred)()) {
    PY(PyErr_Clear)(); /* Python reports it with the function's name */
    return unusual(w);
  }
  w->statics[w->n_statics++] = o;
  return push(w, TAG_STATIC) && push(w, (uint64_t)hash) && push_pointer(w, TYPE(o)) &&
         (!w->refs || PY(PyList_Append)(w->refs, o) == 0);
}

static bool number(sec_py_walk *w, sec_pyo o, sec_pyo type) {
  int       kind = type == PY(PyBool_Type) ? 0 : type == PY(PyLong_Type) ? 1 : 2;
  long long i;
  if (kind == 1 && !sec_py_int(o, &i)) return unusual(w);
  return push_leaf(w, sec_py.weak[sec_context_x64(sec_py.cx)][kind], NULL, o);
}

static bool walk(sec_py_walk *w, sec_pyo o, policy p);

static bool walk_items(sec_py_walk *w, sec_pyo o, int tag, policy p) {
  bool    list = tag == TAG_LIST, done = ++w->depth < WALK_DEPTH || unusual(w);
  ssize_t n = list ? PY(PyList_Size)(o) : PY(PyTuple_Size)(o);
  done = done && push(w, (uint64_t)n << 8 | (uint64_t)tag);
  for (ssize_t i = 0; i < n && done; i++)
    done = walk(w, list ? PY(PyList_GetItem)(o, i) : PY(PyTuple_GetItem)(o, i), p);
  w->depth--;
  return done;
}

static bool walk_dict(sec_py_walk *w, sec_pyo o, policy p) {
  bool    done = ++w->depth < WALK_DEPTH || unusual(w);
  ssize_t place = 0;
  sec_pyo key, value;
  done = done && push(w, (uint64_t)PY(PyDict_Size)(o) << 8 | TAG_DICT);
  while (done && PY(PyDict_Next)(o, &place, &key, &value))
    done = push_pointer(w, key) && walk(w, value, p);
  w->depth--;
  return done;
}

static bool walk(sec_py_walk *w, sec_pyo o, policy p) {
  sec_pyo type = TYPE(o);
  if (type == sec_py.array) {
    sec_array *a = sec_py_array_of(o);
    return a ? push_leaf(w, a->aval, a, o) : unusual(w);
  }
  if (type == PY(PyTuple_Type)) return walk_items(w, o, TAG_TUPLE, p);
  if (type == PY(PyList_Type)) return walk_items(w, o, TAG_LIST, p);
  if (type == PY(PyDict_Type)) return walk_dict(w, o, p);
  if (o == PY(_Py_NoneStruct)) return push(w, TAG_NONE);
  bool plain = type == PY(PyFloat_Type) || type == PY(PyLong_Type) || type == PY(PyBool_Type);
  if (plain && p == OPERANDS) return number(w, o, type);
  if (type == sec_py.ndarray) {
    sec_array *a = sec_py_borrow(w, o);
    return a ? push_leaf(w, a->aval, a, NULL) : unusual(w);
  }
  if (p == STATICS && (plain || type == PY(PyUnicode_Type) || type == PY(PyType_Type)))
    return push_static(w, o);
  return unusual(w);
}

static bool is_static_name(const sec_py_callable *c, sec_pyo name) {
  ssize_t n = c->static_names ? PY(PyTuple_Size)(c->static_names) : 0;
  for (ssize_t i = 0; i < n; i++) {
    sec_pyo other = PY(PyTuple_GetItem)(c->static_names, i);
    if (other == name || PY(PyUnicode_Compare)(other, name) == 0) return true;
  }
  return false;
}

bool sec_py_walk_all(sec_py_walk *w, const sec_py_callable *c, sec_pyo const *args, ssize_t n,
                     sec_pyo names, sec_pyo refs) {
  w->words = w->words_here, w->room = WALK_WORDS;
  w->leaves = w->leaves_here, w->leaf_room = WALK_LEAVES;
  w->n = w->n_leaves = w->n_statics = w->depth = w->n_borrowed = 0;
  w->borrowed = NULL;
  w->unusual = w->held = w->copies = false;
  w->refs = refs;
  w->hash = 0;
  if (c->slow || (c->static_nums && n > 64)) return unusual(w);
  policy rest = c->leading < 0 ? OPERANDS : STATICS;
  if (!push(w, (uint64_t)n << 8 | TAG_POSITIONAL)) return false;
  for (ssize_t i = 0; i < n; i++) {
    bool fixed = c->static_nums && c->static_nums >> i & 1;
    if (fixed ? !push_static(w, args[i]) : !walk(w, args[i], i < c->leading ? OPERANDS : rest))
      return false;
  }
  ssize_t n_names = names ? PY(PyTuple_Size)(names) : 0;
  for (ssize_t i = 0; i < n_names; i++) {
    sec_pyo name = PY(PyTuple_GetItem)(names, i), value = args[n + i];
    if (!push(w, TAG_NAME) || !push_pointer(w, name)) return false;
    if (is_static_name(c, name) ? !push_static(w, value) : !walk(w, value, rest)) return false;
  }
  return true;
}

void sec_py_walk_hold(sec_py_walk *w) {
  if (w->held) return;
  for (int i = 0; i < w->n_leaves; i++)
    if (w->leaves[i].array) sec_array_retain(w->leaves[i].array);
  w->held = true;
}

void sec_py_walk_end(sec_py_walk *w) {
  if (w->held)
    for (int i = 0; i < w->n_leaves; i++) sec_array_release(w->leaves[i].array);
  if (w->n_borrowed) sec_py_return_borrowed(w);
  if (w->words != w->words_here) free(w->words);
  if (w->leaves != w->leaves_here) free(w->leaves);
}
