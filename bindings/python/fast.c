/* The functions of the running CPython, the probe of its object header, and Python's hooks. */
#include "fast.h"
#include <dlfcn.h>
#include <secant/context.h>

sec_py_state sec_py;

/* False when a symbol is missing: PyPy, or a host that loaded libpython with RTLD_LOCAL. */
static bool find_all(sec_py_api *py) {
#define X(type, name, arguments) \
  if (!(*(void **)&py->name = dlsym(RTLD_DEFAULT, #name))) return false;
  SEC_PY_FUNCTIONS(X)
#undef X
#define X(name) \
  if (!(py->name = dlsym(RTLD_DEFAULT, #name))) return false;
  SEC_PY_OBJECTS(X)
  SEC_PY_EXCEPTIONS(X)
#undef X
  return true;
}

/* Whether the last word of the header is the type, for objects of several kinds. */
static bool header_is_known(void) {
  sec_pyo samples[] = {PY(PyTuple_New)(0), PY(PyList_New)(1),
                       PY(PyDict_New)(),   PY(PyLong_FromSsize_t)(1 << 20),
                       sec_py_none(),      sec_py_kept(PY(PyTuple_Type))};
  bool    known = true;
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
    if (!samples[i]) return false;
    sec_pyo type = PY(PyObject_Type)(samples[i]);
    known = known && TYPE(samples[i]) == type;
    PY(Py_DecRef)(type);
    PY(Py_DecRef)(samples[i]);
  }
  return known;
}

static void find_weak_avals(void) {
  static const sec_dtype dtypes[2][3] = {{SEC_BOOL, SEC_I32, SEC_F32},
                                         {SEC_BOOL, SEC_I64, SEC_F64}};
  for (int wide = 0; wide < 2; wide++)
    for (int kind = 0; kind < 3; kind++)
      sec_py.weak[wide][kind] = sec_aval_get(sec_py.cx, dtypes[wide][kind], kind > 0, 0, NULL);
}

/* Makes the types.  head: object.__basicsize__.  Not 0: this interpreter goes without (a symbol is
 * missing, the header is another, or an interpreter has the fast path already). */
SEC_API int sec_py_init(size_t head, sec_context *cx) {
  if (sec_py.interpreter) return 1;
  if (!find_all(&sec_py.py)) return 2;
  sec_py.head = head;
  sec_py.cx = cx;
  if (head < 2 * sizeof(void *) || head > 64 || !header_is_known()) return 3;
  find_weak_avals();
  sec_py_slot operators[16];
  sec_py_operator_slots(operators);
  if (!sec_py_make_tracer_type(operators) ||
      !sec_py_make_call_types()) {
    PY(PyErr_Clear)();
    return 4;
  }
  sec_py.interpreter = PY(PyInterpreterState_Get)();
  return 0;
}

/* 0: base of tracers, 1: jitted functions, 2: operations, 3: their caches. */
SEC_API sec_pyo sec_py_type(int which) {
  sec_pyo types[] = {sec_py.tracer_base, sec_py.call_type, sec_py.operation_type,
                     sec_py.cache_type};
  return sec_py_kept(types[which]);
}

/* Takes a tuple of what the C code calls and compares with, in the order below, and a tuple of
 * operators in Python. */
SEC_API sec_pyo sec_py_setup(sec_pyo hooks, sec_pyo fallbacks) {
  sec_pyo *fields[] = {&sec_py.array, &sec_py.tracer,    &sec_py.aval_at,        &sec_py.error,
                       &sec_py.place, &sec_py.call_miss, &sec_py.operation_miss, &sec_py.leaf,
                       &sec_py.none,  &sec_py.own_prefix, &sec_py.flying,        &sec_py.ended,
                       &sec_py.ndarray, &sec_py.avals};
  if (PY(PyTuple_Size)(hooks) != sizeof fields / sizeof *fields ||
      PY(PyTuple_Size)(fallbacks) != N_OPERATORS)
    return sec_py_type_error("secant: the fast path got other hooks than it knows");
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    *fields[i] = PY(PyTuple_GetItem)(hooks, (ssize_t)i);
  for (int i = 0; i < N_OPERATORS; i++) sec_py.fallback[i] = PY(PyTuple_GetItem)(fallbacks, i);
  PY(Py_IncRef)(hooks);
  PY(Py_IncRef)(fallbacks);
  sec_py.hooks = hooks;
  return sec_py_none();
}

/* Takes the functions of secant.numpy that operators of concrete arrays call. */
SEC_API sec_pyo sec_py_operations(sec_pyo functions) {
  PY(Py_IncRef)(functions);
  for (int i = 0; i < N_OPERATORS; i++) {
    sec_pyo function = PY(PyTuple_GetItem)(functions, i);
    sec_py.operation[i] = function && TYPE(function) == sec_py.operation_type ? function : NULL;
  }
  return sec_py_none();
}

sec_pyo sec_py_raise(void) {
  sec_pyo exception = PY(PyObject_CallFunctionObjArgs)(sec_py.error, NULL);
  if (!exception) return NULL;
  PY(PyErr_SetObject)(TYPE(exception), exception);
  PY(Py_DecRef)(exception);
  return NULL;
}

bool sec_py_int(sec_pyo o, long long *out) {
  int overflow;
  *out = PY(PyLong_AsLongLongAndOverflow)(o, &overflow);
  if (overflow) return false;
  return sec_context_x64(sec_py.cx) || (*out >= INT32_MIN && *out <= INT32_MAX);
}
