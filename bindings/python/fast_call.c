/* The types of jitted functions and of operations outside jit: a vectorcall that ends in an entry
 * of the cache, or in Python, which traces, compiles and says what to remember. */
#include "fast_call.h"

static sec_pyo vectorcall(sec_pyo self, sec_pyo const *args, size_t nargsf, sec_pyo names) {
  return sec_py_call(self, args, nargsf & ~((size_t)1 << (8 * sizeof(size_t) - 1)), names);
}

/* (result, what to remember or None) from Python; what is remembered goes to the cache. */
static sec_pyo finish(sec_py_callable *c, sec_py_walk *w, sec_pyo pair) {
  if (!pair) return NULL;
  sec_pyo result = PY(PyTuple_GetItem)(pair, 0),
          registration = result ? PY(PyTuple_GetItem)(pair, 1) : NULL;
  bool done = registration != NULL;
  if (done && w->refs && registration != PY(_Py_NoneStruct))
    done = sec_py_cache_add(BODY(c->cache, sec_py_cache), w, registration);
  if (done) PY(Py_IncRef)(result);
  PY(Py_DecRef)(pair);
  return done ? result : NULL;
}

/* The call by way of Python: miss(self, args, keywords, whether it can be remembered). */
static sec_pyo miss(sec_pyo self, sec_py_walk *w, sec_pyo const *args, ssize_t n, sec_pyo names) {
  sec_py_callable *c = BODY(self, sec_py_callable);
  ssize_t          n_names = names ? PY(PyTuple_Size)(names) : 0;
  sec_pyo          tuple = PY(PyTuple_New)(n), keywords = PY(PyDict_New)(), result = NULL;
  bool             done = tuple && keywords;
  for (ssize_t i = 0; i < n && done; i++)
    done = PY(PyTuple_SetItem)(tuple, i, sec_py_kept(args[i])) == 0;
  for (ssize_t i = 0; i < n_names && done; i++)
    done = PY(PyDict_SetItem)(keywords, PY(PyTuple_GetItem)(names, i), args[n + i]) == 0;
  if (done) {
    sec_pyo function = c->leading < 0 ? sec_py.call_miss : sec_py.operation_miss,
            wanted = PY(PyBool_FromLong)(w->refs != NULL);
    result = finish(
        c, w, PY(PyObject_CallFunctionObjArgs)(function, self, tuple, keywords, wanted, NULL));
    PY(Py_DecRef)(wanted);
  }
  PY(Py_DecRef)(tuple);
  PY(Py_DecRef)(keywords);
  return result;
}

sec_pyo sec_py_call(sec_pyo self, sec_pyo const *args, size_t count, sec_pyo names) {
  sec_py_callable *c = BODY(self, sec_py_callable);
  ssize_t          n = (ssize_t)count;
  if (!c->cache) return sec_py_type_error("a jitted function that was never given its function");
  bool open = sec_trace_depth() > 0;
  if (open && c->traced) return PY(PyObject_Vectorcall)(c->traced, args, count, names);
  sec_py_walk w;
  sec_pyo     result = NULL;
  w.refs = NULL;
  bool walked = !open && sec_py_walk_all(&w, c, args, n, names, NULL);
  if (open || (!walked && w.unusual)) {
    result = miss(self, &w, args, n, names);
    if (!open) sec_py_walk_end(&w);
    return result;
  }
  if (walked) {
    if (w.n_statics) sec_py_walk_hold(&w);
    sec_py_entry *e = sec_py_cache_find(BODY(c->cache, sec_py_cache), &w);
    if (e) {
      result = sec_py_entry_run(e, &w);
      sec_py_entry_release(e);
      if (!result && w.unusual) result = miss(self, &w, args, n, names);
    } else if (!PY(PyErr_Occurred)()) {
      sec_py_walk_end(&w);
      sec_pyo refs = PY(PyList_New)(0);
      walked = sec_py_walk_all(&w, c, args, n, names, refs);
      if (walked || w.unusual) {
        if (!walked) w.refs = NULL;
        result = miss(self, &w, args, n, names);
      }
      PY(Py_DecRef)(refs);
    }
  }
  sec_py_walk_end(&w);
  return result;
}

/* ---- callables ---- */
static sec_pyo callable_new(sec_pyo type, sec_pyo args, sec_pyo keywords) {
  (void)args, (void)keywords;
  sec_pyo self = PY(PyType_GenericAlloc)(type, 0);
  if (!self) return NULL;
  BODY(self, sec_py_callable)->vectorcall = vectorcall;
  return self;
}

static int callable_traverse(sec_pyo self, sec_py_visit visit, void *arg) {
  sec_py_callable *c = BODY(self, sec_py_callable);
  sec_pyo          seen[] = {TYPE(self), c->dict, c->cache, c->traced, c->static_names};
  for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
    if (seen[i]) {
      int stop = visit(seen[i], arg);
      if (stop) return stop;
    }
  return 0;
}

static int callable_clear(sec_pyo self) {
  sec_py_callable *c = BODY(self, sec_py_callable);
  sec_pyo          held[] = {c->dict, c->cache, c->traced, c->static_names};
  c->dict = c->cache = c->traced = c->static_names = NULL;
  for (size_t i = 0; i < sizeof held / sizeof *held; i++) PY(Py_DecRef)(held[i]);
  return 0;
}

static void callable_dealloc(sec_pyo self) {
  sec_pyo type = TYPE(self);
  PY(PyObject_GC_UnTrack)(self);
  if (BODY(self, sec_py_callable)->weakrefs) PY(PyObject_ClearWeakRefs)(self);
  callable_clear(self);
  PY(PyType_GetSlot)(type, PY_TP_FREE)(self);
  PY(Py_DecRef)(type);
}

static sec_pyo make_callable_type(const char *name) {
  static sec_py_getset fields[] = {{"__dict__", NULL, NULL, NULL, NULL}, {0}};
  static sec_py_member members[4];
  fields[0].get = PY(PyObject_GenericGetDict), fields[0].set = PY(PyObject_GenericSetDict);
#define PLACE(label, field)                                                                      \
  (sec_py_member){label, PY_MEMBER_SSIZE,                                                        \
                  (ssize_t)(sec_py.head + offsetof(sec_py_callable, field)), PY_MEMBER_READONLY, \
                  NULL}
  members[0] = PLACE("__vectorcalloffset__", vectorcall);
  members[1] = PLACE("__dictoffset__", dict);
  members[2] = PLACE("__weaklistoffset__", weakrefs);
  sec_py_slot slots[] = {SEC_PY_SLOT(PY_TP_NEW, callable_new),
                         SEC_PY_SLOT(PY_TP_CALL, PY(PyVectorcall_Call)),
                         SEC_PY_SLOT(PY_TP_TRAVERSE, callable_traverse),
                         SEC_PY_SLOT(PY_TP_CLEAR, callable_clear),
                         SEC_PY_SLOT(PY_TP_DEALLOC, callable_dealloc),
                         SEC_PY_SLOT(PY_TP_GETSET, fields),
                         SEC_PY_SLOT(PY_TP_MEMBERS, members),
                         {0, NULL}};
  sec_py_spec spec = {name, (int)(sec_py.head + sizeof(sec_py_callable)), 0,
                      PY_DEFAULT | PY_GC | PY_VECTORCALL | PY_METHOD, slots};
  return PY(PyType_FromSpec)(&spec);
}

/* Fills a new callable.  cache: of the cache type; traced: None, or an operation's function;
 * leading: an operation's operands, -1 for jit; nums, names: what is static. */
SEC_API sec_pyo sec_py_callable_setup(sec_pyo self, sec_pyo cache, sec_pyo traced, int leading,
                                      sec_pyo nums, sec_pyo names) {
  if (TYPE(self) != sec_py.call_type && TYPE(self) != sec_py.operation_type)
    return sec_py_type_error("not a callable of Secant");
  if (TYPE(cache) != sec_py.cache_type) return sec_py_type_error("not a cache of Secant");
  sec_py_callable *c = BODY(self, sec_py_callable);
  sec_pyo          old[] = {c->cache, c->traced, c->static_names}; /* __init__ may run twice */
  c->cache = c->traced = c->static_names = NULL;
  c->leading = leading;
  c->static_nums = 0;
  c->slow = false;
  for (ssize_t i = 0; i < PY(PyTuple_Size)(nums); i++) {
    long long place = PY(PyLong_AsLongLong)(PY(PyTuple_GetItem)(nums, i));
    if (place < 0 || place >= 64) c->slow = true;
    else c->static_nums |= (uint64_t)1 << place;
  }
  if (traced != PY(_Py_NoneStruct)) c->traced = sec_py_kept(traced);
  if (PY(PyTuple_Size)(names)) c->static_names = sec_py_kept(names);
  c->cache = sec_py_kept(cache);
  for (size_t i = 0; i < sizeof old / sizeof *old; i++) PY(Py_DecRef)(old[i]);
  return sec_py_none();
}

/* ---- caches ---- */
static int cache_traverse(sec_pyo self, sec_py_visit visit, void *arg) {
  sec_py_cache *c = BODY(self, sec_py_cache);
  int           stop = visit(TYPE(self), arg);
  for (int i = 0; i < c->room && !stop; i++)
    if (c->slots[i]) stop = visit(c->slots[i]->refs, arg);
  return stop;
}

static int cache_clear(sec_pyo self) {
  sec_py_cache_clear(BODY(self, sec_py_cache));
  return 0;
}

static void cache_dealloc(sec_pyo self) {
  sec_pyo type = TYPE(self);
  PY(PyObject_GC_UnTrack)(self);
  cache_clear(self);
  PY(PyType_GetSlot)(type, PY_TP_FREE)(self);
  PY(Py_DecRef)(type);
}

static sec_pyo cache_forget(sec_pyo self, sec_pyo unused) {
  (void)unused;
  cache_clear(self);
  return sec_py_none();
}

static ssize_t cache_length(sec_pyo self) { return BODY(self, sec_py_cache)->n; }

static bool make_cache_type(void) {
  static sec_py_method methods[] = {{"clear", cache_forget, PY_NOARGS, "Forgets every signature."},
                                    {0}};
  sec_py_slot          slots[] = {
               SEC_PY_SLOT(PY_TP_TRAVERSE, cache_traverse), SEC_PY_SLOT(PY_TP_CLEAR, cache_clear),
               SEC_PY_SLOT(PY_TP_DEALLOC, cache_dealloc),   SEC_PY_SLOT(PY_TP_METHODS, methods),
               SEC_PY_SLOT(PY_MP_LENGTH, cache_length),     {0, NULL}};
  sec_py_spec spec = {"secant._fast.Cache", (int)(sec_py.head + sizeof(sec_py_cache)), 0,
                      PY_DEFAULT | PY_GC, slots};
  return (sec_py.cache_type = PY(PyType_FromSpec)(&spec)) != NULL;
}

bool sec_py_make_call_types(void) {
  sec_py.call_type = make_callable_type("secant._jit.Jitted");
  sec_py.operation_type = make_callable_type("secant._eager.Operation");
  return sec_py.call_type && sec_py.operation_type && make_cache_type();
}
