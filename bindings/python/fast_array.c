/* Concrete arrays: a counted sec_array and its type's Python object. */
#include "fast.h"

/* ---- the list of live arrays ---- */
static void enter(sec_pyo self) {
  sec_py_array *a = BODY(self, sec_py_array);
  a->next = sec_py.live;
  a->before = &sec_py.live;
  if (a->next) BODY(a->next, sec_py_array)->before = &a->next;
  sec_py.live = self;
}

static void leave(sec_py_array *a) {
  if (!a->before) return;
  *a->before = a->next;
  if (a->next) BODY(a->next, sec_py_array)->before = a->before;
}

SEC_API sec_pyo sec_py_live_arrays(void) {
  sec_pyo list = PY(PyList_New)(0);
  for (sec_pyo o = sec_py.live; o && list; o = BODY(o, sec_py_array)->next)
    if (PY(PyList_Append)(list, o)) {
      PY(Py_DecRef)(list);
      return NULL;
    }
  return list;
}

/* ---- arrays ---- */
static int array_init(sec_pyo self, sec_pyo args, sec_pyo keywords) {
  sec_py_array *a = BODY(self, sec_py_array);
  ssize_t       n = PY(PyTuple_Size)(args);
  if (n < 1 || n > 2 || (keywords && PY(PyDict_Size)(keywords))) {
    sec_py_type_error("an array is made from a handle and an aval");
    return -1;
  }
  void *handle = PY(PyLong_AsVoidPtr)(PY(PyTuple_GetItem)(args, 0));
  if (!handle && PY(PyErr_Occurred)()) return -1;
  sec_pyo aval = n == 2 ? PY(PyTuple_GetItem)(args, 1) : NULL;
  if (aval == PY(_Py_NoneStruct)) aval = NULL;
  sec_array_release(a->array);
  a->array = handle;
  if (!a->before) enter(self);
  a->aval = aval;
  return 0;
}

static void array_dealloc(sec_pyo self) {
  sec_py_array *a = BODY(self, sec_py_array);
  sec_pyo       type = TYPE(self);
  if (a->weakrefs) PY(PyObject_ClearWeakRefs)(self);
  leave(a);
  sec_array_release(a->array);
  if (type == sec_py.array) PY(PyObject_Free)(self);
  else PY(PyType_GetSlot)(type, PY_TP_FREE)(self);
  PY(Py_DecRef)(type);
}

sec_pyo sec_py_array_new(sec_array *array, sec_pyo aval) {
  sec_pyo self = PY(_PyObject_New)(sec_py.array);
  if (!self) {
    sec_array_release(array);
    return NULL;
  }
  *BODY(self, sec_py_array) = (sec_py_array){.array = array, .aval = aval};
  enter(self);
  return self;
}

static sec_pyo get_handle(sec_pyo self, void *unused) {
  (void)unused;
  sec_array *array = sec_py_array_of(self);
  return array ? PY(PyLong_FromVoidPtr)(array)
               : sec_py_type_error("an array that was never filled");
}

/* Gives the object another array; the count of the former one is the caller's, who read its handle. */
static int set_handle(sec_pyo self, sec_pyo value, void *unused) {
  (void)unused;
  void *handle = value ? PY(PyLong_AsVoidPtr)(value) : NULL;
  if (!handle) {
    sec_py_type_error("an array is given a handle");
    return -1;
  }
  BODY(self, sec_py_array)->array = handle;
  return 0;
}

static sec_pyo get_aval(sec_pyo self, void *unused) {
  (void)unused;
  sec_py_array *a = BODY(self, sec_py_array);
  if (!a->array) return sec_py_type_error("an array that was never filled");
  if (!a->aval) {
    sec_pyo pointer = PY(PyLong_FromVoidPtr)((void *)a->array->aval);
    sec_pyo aval = pointer ? PY(PyObject_CallFunctionObjArgs)(sec_py.aval_at, pointer, NULL) : NULL;
    PY(Py_DecRef)(pointer);
    if (!aval) return NULL;
    a->aval = aval;
    PY(Py_DecRef)(aval);
  }
  return sec_py_kept(a->aval);
}

/* ---- methods that calls in a loop use ---- */
static sec_pyo block_until_ready(sec_pyo self, sec_pyo unused) {
  (void)unused;
  sec_array *array = sec_py_array_of(self);
  return array && sec_array_check(array) == SEC_OK ? sec_py_kept(self) : sec_py_raise();
}

static sec_pyo is_deleted(sec_pyo self, sec_pyo unused) {
  (void)unused;
  sec_array *array = sec_py_array_of(self);
  return PY(PyBool_FromLong)(!array || array->deleted);
}

static int traverse_nothing(sec_pyo self, sec_py_visit visit, void *arg) {
  (void)self, (void)visit, (void)arg;
  return 0;
}

/* The type of concrete arrays, with the tuple of its Python bases; not collected, though these are: hence the traverse. */
SEC_API sec_pyo sec_py_make_array_type(sec_pyo bases) {
  static sec_py_getset fields[] = {
      {"_handle", get_handle, set_handle, NULL, NULL}, {"aval", get_aval, NULL, NULL, NULL}, {0}};
  static sec_py_method methods[] = {
      {"block_until_ready", block_until_ready, PY_NOARGS, "The array itself: a run has ended when its results are there."},
      {"is_deleted", is_deleted, PY_NOARGS, "Whether the array was deleted, or donated to a call that took its memory."},
      {0}};
  static sec_py_member members[2];
  members[0] = (sec_py_member){"__weaklistoffset__", PY_MEMBER_SSIZE,
                               (ssize_t)(sec_py.head + offsetof(sec_py_array, weakrefs)),
                               PY_MEMBER_READONLY, NULL};
  sec_py_slot slots[29] = {SEC_PY_SLOT(PY_TP_INIT, array_init),
                           SEC_PY_SLOT(PY_TP_DEALLOC, array_dealloc),
                           SEC_PY_SLOT(PY_TP_FREE, PY(PyObject_Free)),
                           SEC_PY_SLOT(PY_TP_TRAVERSE, traverse_nothing),
                           SEC_PY_SLOT(PY_TP_GETSET, fields), SEC_PY_SLOT(PY_TP_MEMBERS, members),
                           SEC_PY_SLOT(PY_TP_METHODS, methods),
                           SEC_PY_SLOT(PY_TP_HASH, PY(PyObject_HashNotImplemented))};
  sec_py_buffer_slots(slots + 8);
  sec_py_operator_slots(slots + 10);
  sec_py_spec spec = {"secant._array.ArrayImpl", (int)(sec_py.head + sizeof(sec_py_array)), 0,
                      PY_DEFAULT | PY_BASETYPE, slots};
  return PY(PyType_FromSpecWithBases)(&spec, bases);
}
