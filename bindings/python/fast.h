/* The fast path of the Python package: limited-API functions of the running CPython, found with
 * dlsym, and the types that are made with them.  No Python header: one binary serves every CPython
 * 3.11 and newer.  Everything here runs with the GIL held; what has no fast path goes to Python. */
#ifndef SECANT_PYTHON_FAST_H
#define SECANT_PYTHON_FAST_H

#include "ir.h"
#include <secant/compile.h>
#include <secant/ops.h>
#include <string.h>
#include <sys/types.h>

typedef struct sec_py_object *sec_pyo;

/* ---- structs of the stable ABI ---- */
typedef struct sec_py_slot { int slot; void *function; } sec_py_slot;
typedef struct sec_py_spec {
  const char  *name;
  int          size, item_size;
  unsigned     flags;
  sec_py_slot *slots;
} sec_py_spec;
typedef struct sec_py_member {
  const char *name;
  int         type;
  ssize_t     offset;
  int         flags;
  const char *doc;
} sec_py_member;
typedef struct sec_py_getset {
  const char *name;
  sec_pyo   (*get)(sec_pyo, void *);
  int       (*set)(sec_pyo, sec_pyo, void *);
  const char *doc;
  void       *closure;
} sec_py_getset;
typedef struct sec_py_method {
  const char *name;
  sec_pyo   (*function)(sec_pyo, sec_pyo);
  int         flags;
  const char *doc;
} sec_py_method;
typedef struct sec_py_buffer { /* Py_buffer */
  void    *data;
  sec_pyo  object;
  ssize_t  bytes, item_size;
  int      read_only, rank;
  char    *format;
  ssize_t *shape, *strides, *suboffsets;
  void    *internal;
} sec_py_buffer;
typedef int (*sec_py_visit)(sec_pyo, void *);
typedef void (*sec_py_free)(void *);
/* Functions and data share one slot; ISO C converts between them by way of an integer. */
#define SEC_PY_SLOT(number, function) {number, (void *)(uintptr_t)(function)}

enum { /* numbers of slots, fixed by the stable ABI */
  PY_BF_GETBUFFER = 1, PY_BF_RELEASEBUFFER = 2, PY_MP_LENGTH = 4, PY_NB_ADD = 7, PY_NB_AND = 8, PY_NB_MULTIPLY = 29, PY_NB_NEGATIVE = 30,
  PY_NB_OR = 31, PY_NB_POWER = 33, PY_NB_SUBTRACT = 36, PY_NB_TRUE_DIVIDE = 37, PY_NB_XOR = 38,
  PY_TP_CALL = 50, PY_TP_CLEAR = 51, PY_TP_DEALLOC = 52, PY_TP_HASH = 59, PY_TP_INIT = 60,
  PY_TP_METHODS = 64, PY_TP_NEW = 65, PY_TP_RICHCOMPARE = 67, PY_TP_TRAVERSE = 71,
  PY_TP_MEMBERS = 72, PY_TP_GETSET = 73, PY_TP_FREE = 74, PY_NB_MATRIX_MULTIPLY = 75,
};
enum { PY_BASETYPE = 1 << 10, PY_VECTORCALL = 1 << 11, PY_GC = 1 << 14 };
enum { PY_METHOD = 1 << 17, PY_DEFAULT = 1 << 18 };
enum { PY_MEMBER_SSIZE = 19, PY_MEMBER_READONLY = 1, PY_NOARGS = 4 };

/* ---- what is looked up ---- */
#define SEC_PY_FUNCTIONS(X)                                                                       \
  X(sec_pyo, PyObject_Type, (sec_pyo))                                                            \
  X(void, Py_IncRef, (sec_pyo))                                                                   \
  X(void, Py_DecRef, (sec_pyo))                                                                   \
  X(sec_pyo, PyType_FromSpec, (sec_py_spec *))                                                    \
  X(sec_pyo, PyType_FromSpecWithBases, (sec_py_spec *, sec_pyo))                                  \
  X(void, PyObject_Free, (void *))                                                                \
  X(sec_pyo, _PyObject_New, (sec_pyo)) /* of types that are not collected */                      \
  X(sec_pyo, PyType_GenericAlloc, (sec_pyo, ssize_t))                                             \
  X(sec_py_free, PyType_GetSlot, (sec_pyo, int)) /* of PY_TP_FREE only */                         \
  X(void, PyObject_GC_UnTrack, (void *))                                                          \
  X(void, PyObject_ClearWeakRefs, (sec_pyo))                                                      \
  X(sec_pyo, PyObject_GenericGetDict, (sec_pyo, void *))                                          \
  X(int, PyObject_GenericSetDict, (sec_pyo, sec_pyo, void *))                                     \
  X(ssize_t, PyObject_HashNotImplemented, (sec_pyo))                                              \
  X(ssize_t, PyObject_Hash, (sec_pyo))                                                            \
  X(int, PyObject_RichCompareBool, (sec_pyo, sec_pyo, int))                                       \
  X(sec_pyo, PyObject_CallFunctionObjArgs, (sec_pyo, ...))                                        \
  X(sec_pyo, PyObject_Vectorcall, (sec_pyo, sec_pyo const *, size_t, sec_pyo))                    \
  X(sec_pyo, PyVectorcall_Call, (sec_pyo, sec_pyo, sec_pyo))                                      \
  X(sec_pyo, PyTuple_New, (ssize_t))                                                              \
  X(ssize_t, PyTuple_Size, (sec_pyo))                                                             \
  X(sec_pyo, PyTuple_GetItem, (sec_pyo, ssize_t))                                                 \
  X(int, PyTuple_SetItem, (sec_pyo, ssize_t, sec_pyo))                                            \
  X(sec_pyo, PyList_New, (ssize_t))                                                               \
  X(ssize_t, PyList_Size, (sec_pyo))                                                              \
  X(sec_pyo, PyList_GetItem, (sec_pyo, ssize_t))                                                  \
  X(int, PyList_SetItem, (sec_pyo, ssize_t, sec_pyo))                                             \
  X(int, PyList_Append, (sec_pyo, sec_pyo))                                                       \
  X(sec_pyo, PyDict_New, (void))                                                                  \
  X(sec_pyo, PyDict_Copy, (sec_pyo))                                                              \
  X(ssize_t, PyDict_Size, (sec_pyo))                                                              \
  X(int, PyDict_Next, (sec_pyo, ssize_t *, sec_pyo *, sec_pyo *))                                 \
  X(int, PyDict_SetItem, (sec_pyo, sec_pyo, sec_pyo))                                             \
  X(sec_pyo, PyBool_FromLong, (long))                                                             \
  X(sec_pyo, PyLong_FromVoidPtr, (void *))                                                        \
  X(sec_pyo, PyLong_FromSsize_t, (ssize_t))                                                       \
  X(sec_pyo, PyLong_FromUnsignedLongLong, (unsigned long long))                                   \
  X(void *, PyLong_AsVoidPtr, (sec_pyo))                                                          \
  X(long long, PyLong_AsLongLong, (sec_pyo))                                                      \
  X(unsigned long long, PyLong_AsUnsignedLongLong, (sec_pyo))                                     \
  X(long long, PyLong_AsLongLongAndOverflow, (sec_pyo, int *))                                    \
  X(double, PyFloat_AsDouble, (sec_pyo))                                                          \
  X(int, PyUnicode_Compare, (sec_pyo, sec_pyo))                                                   \
  X(const char *, PyUnicode_AsUTF8AndSize, (sec_pyo, ssize_t *))                                  \
  X(sec_pyo, PyObject_GetAttrString, (sec_pyo, const char *))                                     \
  X(char *, PyBytes_AsString, (sec_pyo))                                                          \
  X(int, PyObject_GetBuffer, (sec_pyo, sec_py_buffer *, int))                                     \
  X(void, PyBuffer_Release, (sec_py_buffer *))                                                    \
  X(sec_pyo, PyErr_Occurred, (void))                                                              \
  X(int, PyErr_CheckSignals, (void))                                                              \
  X(void, PyErr_Clear, (void))                                                                    \
  X(void, PyErr_SetObject, (sec_pyo, sec_pyo))                                                    \
  X(void, PyErr_SetString, (sec_pyo, const char *))                                               \
  X(sec_pyo, PyErr_NoMemory, (void))                                                              \
  X(sec_pyo, PyEval_GetFrame, (void))                                                             \
  X(sec_pyo, PyFrame_GetCode, (sec_pyo))                                                          \
  X(int, PyFrame_GetLineNumber, (sec_pyo))                                                        \
  X(void *, PyEval_SaveThread, (void))                                                            \
  X(void, PyEval_RestoreThread, (void *))                                                         \
  X(void *, PyInterpreterState_Get, (void))
#define SEC_PY_OBJECTS(X)                                                                         \
  X(PyTuple_Type) X(PyList_Type) X(PyDict_Type) X(PyFloat_Type) X(PyLong_Type) X(PyBool_Type)     \
  X(PyUnicode_Type) X(PyType_Type) X(_Py_NoneStruct) X(_Py_TrueStruct)                            \
  X(_Py_NotImplementedStruct)
#define SEC_PY_EXCEPTIONS(X) X(PyExc_TypeError) X(PyExc_BufferError)

typedef struct sec_py_api {
#define X(type, name, arguments) type(*name) arguments;
  SEC_PY_FUNCTIONS(X)
#undef X
#define X(name) sec_pyo name;
  SEC_PY_OBJECTS(X)
  SEC_PY_EXCEPTIONS(X)
#undef X
} sec_py_api;

/* Operators: the first N_COMPARED are in the order of tp_richcompare. */
enum {
  OP_LT, OP_LE, OP_EQ, OP_NE, OP_GT, OP_GE, N_COMPARED,
  OP_ADD = N_COMPARED, OP_SUB, OP_MUL, OP_DIV, OP_MATMUL, OP_AND, OP_OR, OP_XOR, OP_POW, OP_NEG,
  N_OPERATORS
};

/* ---- the state of the one interpreter that has the fast path ---- */
typedef struct sec_py_state {
  sec_py_api      py;
  size_t          head;        /* bytes of an object's header; its last word is the type */
  void           *interpreter;
  sec_context    *cx;
  const sec_aval *weak[2][3];  /* [x64][bool, int, float] */
  sec_pyo         tracer_base, call_type, operation_type, cache_type;
  /* from Python, borrowed from `hooks`, which is kept */
  sec_pyo hooks, array, tracer, aval_at, error, place, call_miss, operation_miss, leaf, none;
  sec_pyo own_prefix;
  sec_pyo flying, ended; /* lists: see _running.py */
  sec_pyo ndarray;
  sec_pyo avals; /* a list that keeps every Aval for good */
  sec_pyo live; /* the first of the arrays */
  sec_pyo fallback[N_OPERATORS];  /* Python functions of (a, b) or (a) */
  sec_pyo operation[N_OPERATORS]; /* functions of secant.numpy, once that is loaded */
} sec_py_state;
extern sec_py_state sec_py;

#define PY(name) sec_py.py.name
#define TYPE(o) (*(sec_pyo *)((char *)(o) + sec_py.head - sizeof(void *)))
#define BODY(o, T) ((T *)((char *)(o) + sec_py.head))

typedef struct sec_py_array {
  sec_array *array;
  sec_pyo    aval; /* borrowed: avals stay */
  sec_pyo    weakrefs, next, *before; /* live arrays: the next one, and where this one is noted */
} sec_py_array;
typedef struct sec_py_tracer { sec_value value; sec_pyo aval; } sec_py_tracer;
static inline sec_array *sec_py_array_of(sec_pyo o) { return BODY(o, sec_py_array)->array; }

static inline sec_pyo sec_py_kept(sec_pyo o) {
  PY(Py_IncRef)(o);
  return o;
}
static inline sec_pyo sec_py_none(void) { return sec_py_kept(PY(_Py_NoneStruct)); }
static inline sec_pyo sec_py_type_error(const char *text) {
  PY(PyErr_SetString)(*(sec_pyo *)PY(PyExc_TypeError), text);
  return NULL;
}
/* Raises the library's recorded error; returns NULL. */
sec_pyo sec_py_raise(void);
/* A Python int in 64 bits; false (without an exception) when it needs more, or more than 32 where
 * ints are int32. */
bool sec_py_int(sec_pyo o, long long *out);

/* A new Array around `array`, whose count it takes, also on failure; aval may be NULL. */
sec_pyo sec_py_array_new(sec_array *array, sec_pyo aval);
/* Writes the two slots of the buffer protocol. */
void    sec_py_buffer_slots(sec_py_slot *slots);
bool    sec_py_make_tracer_type(sec_py_slot *operators);
/* The slots of the operators, shared by arrays and tracers; room for 16. */
void sec_py_operator_slots(sec_py_slot *slots);

bool sec_py_make_call_types(void);
/* Calls a jitted function or an operation with the arguments of a vectorcall. */
sec_pyo sec_py_call(sec_pyo self, sec_pyo const *args, size_t n, sec_pyo names);

#endif
