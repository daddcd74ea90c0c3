/* The base of traced values, and the operators of arrays and tracers: in a trace they call the
 * library's operations, outside one the compiled functions of secant.numpy; everything else goes to
 * their functions in Python. */
#include "fast.h"
#include <stdlib.h>

/* ---- the user's place ---- */
#define N_CODES 1024

typedef struct code_file {
  sec_pyo     code;
  const char *file;
} code_file;
static code_file codes[N_CODES]; /* by address, each with a count on its code */

/* The name, kept for good: few files make traces. */
static const char *kept_name(const char *name) {
  static const char **names;
  static int          n, room;
  for (int i = n; i-- > 0;)
    if (strcmp(names[i], name) == 0) return names[i];
  if (n == room) {
    const char **grown = realloc(names, (size_t)(room = 2 * room + 16) * sizeof *names);
    if (!grown) return NULL;
    names = grown;
  }
  char *copy = strdup(name);
  if (copy) names[n++] = copy;
  return copy;
}

/* The file of a code object: "" for Secant's own and for names that are no UTF-8. */
static const char *file_of(sec_pyo code) {
  const char *own = PY(PyBytes_AsString)(sec_py.own_prefix), *file = NULL;
  sec_pyo     name = PY(PyObject_GetAttrString)(code, "co_filename");
  const char *text = name ? PY(PyUnicode_AsUTF8AndSize)(name, NULL) : NULL;
  if (text)
    file = strncmp(text, own, strlen(own)) == 0 || strncmp(text, "<frozen", 7) == 0
               ? ""
               : kept_name(text);
  else PY(PyErr_Clear)();
  PY(Py_DecRef)(name);
  return file ? file : "";
}

/* Notes where the innermost Python frame stands; Secant's own are left to Python. */
static bool note(sec_value v) {
  sec_pyo     frame = PY(PyEval_GetFrame)();
  const char *file = "";
  if (frame) {
    sec_pyo    code = PY(PyFrame_GetCode)(frame);
    code_file *c = &codes[((uintptr_t)code >> 4) % N_CODES];
    if (c->code != code) {
      sec_pyo old = c->code;
      file = file_of(code);
      *c = (code_file){sec_py_kept(code), file};
      PY(Py_DecRef)(old);
    } else file = c->file;
    PY(Py_DecRef)(code);
  }
  if (*file) {
    sec_at(v, file, PY(PyFrame_GetLineNumber)(frame));
    return true;
  }
  sec_pyo place = PY(PyObject_CallFunctionObjArgs)(sec_py.place, NULL);
  if (!place) return false;
  sec_at(v, PY(PyBytes_AsString)(PY(PyTuple_GetItem)(place, 0)),
         (int)PY(PyLong_AsLongLong)(PY(PyTuple_GetItem)(place, 1)));
  PY(Py_DecRef)(place);
  return true;
}

/* ---- the type ---- */
static sec_pyo made(sec_value v) {
  if (!note(v)) return NULL;
  if (!sec_value_ok(v)) return sec_py_raise();
  sec_pyo self = PY(PyType_GenericAlloc)(sec_py.tracer, 0);
  if (self) BODY(self, sec_py_tracer)->value = v;
  return self;
}

static int tracer_init(sec_pyo self, sec_pyo args, sec_pyo keywords) {
  sec_py_tracer *t = BODY(self, sec_py_tracer);
  ssize_t        n = PY(PyTuple_Size)(args);
  if (n < 1 || n > 2 || (keywords && PY(PyDict_Size)(keywords))) {
    sec_py_type_error("a tracer is made from a value and an aval");
    return -1;
  }
  unsigned long long bits = PY(PyLong_AsUnsignedLongLong)(PY(PyTuple_GetItem)(args, 0));
  if (PY(PyErr_Occurred)()) return -1;
  sec_pyo aval = n == 2 ? PY(PyTuple_GetItem)(args, 1) : NULL, old = t->aval;
  memcpy(&t->value, &bits, sizeof t->value);
  t->aval = aval && aval != PY(_Py_NoneStruct) ? sec_py_kept(aval) : NULL;
  PY(Py_DecRef)(old);
  return 0;
}

static void tracer_dealloc(sec_pyo self) {
  sec_pyo type = TYPE(self);
  PY(Py_DecRef)(BODY(self, sec_py_tracer)->aval);
  PY(PyType_GetSlot)(type, PY_TP_FREE)(self);
  PY(Py_DecRef)(type);
}

static sec_pyo get_value(sec_pyo self, void *unused) {
  (void)unused;
  unsigned long long bits;
  memcpy(&bits, &BODY(self, sec_py_tracer)->value, sizeof bits);
  return PY(PyLong_FromUnsignedLongLong)(bits);
}

static sec_pyo get_aval(sec_pyo self, void *unused) {
  (void)unused;
  sec_py_tracer *t = BODY(self, sec_py_tracer);
  if (!t->aval) {
    sec_pyo pointer = PY(PyLong_FromVoidPtr)((void *)sec_value_aval(t->value));
    sec_pyo aval = pointer ? PY(PyObject_CallFunctionObjArgs)(sec_py.aval_at, pointer, NULL) : NULL;
    PY(Py_DecRef)(pointer);
    if (!aval) return NULL;
    PY(Py_DecRef)(t->aval); /* another thread may have been faster */
    t->aval = aval;
  }
  return sec_py_kept(t->aval);
}

bool sec_py_make_tracer_type(sec_py_slot *operators) {
  static sec_py_getset fields[] = {
      {"value", get_value, NULL, NULL, NULL}, {"aval", get_aval, NULL, NULL, NULL}, {0}};
  sec_py_slot slots[24] = {
      SEC_PY_SLOT(PY_TP_INIT, tracer_init), SEC_PY_SLOT(PY_TP_DEALLOC, tracer_dealloc),
      SEC_PY_SLOT(PY_TP_GETSET, fields), SEC_PY_SLOT(PY_TP_HASH, PY(PyObject_HashNotImplemented))};
  memcpy(slots + 4, operators, 16 * sizeof *operators);
  sec_py_spec spec = {"secant._fast.TracerBase", (int)(sec_py.head + sizeof(sec_py_tracer)), 0,
                      PY_DEFAULT | PY_BASETYPE, slots};
  return (sec_py.tracer_base = PY(PyType_FromSpec)(&spec)) != NULL;
}

/* ---- operators ---- */
static sec_value (*const binaries[N_OPERATORS])(sec_value, sec_value) = {
    [OP_LT] = sec_lt,   [OP_LE] = sec_le,   [OP_EQ] = sec_eq,         [OP_NE] = sec_ne,
    [OP_GT] = sec_gt,   [OP_GE] = sec_ge,   [OP_ADD] = sec_add,       [OP_SUB] = sec_sub,
    [OP_MUL] = sec_mul, [OP_DIV] = sec_div, [OP_MATMUL] = sec_matmul, [OP_AND] = sec_and,
    [OP_OR] = sec_or,   [OP_XOR] = sec_xor};

static bool is_float(sec_value v) {
  const sec_aval *aval = sec_value_aval(v);
  return aval && sec_dtype_kind(aval->dtype) >= SEC_KIND_FLOAT;
}

/* The value of an operand in the current trace; false: Python decides. */
static bool lifted(sec_pyo o, sec_value *out) {
  sec_pyo   type = TYPE(o);
  long long i;
  if (type == sec_py.tracer) *out = BODY(o, sec_py_tracer)->value;
  else if (type == PY(PyFloat_Type)) *out = sec_scalar(PY(PyFloat_AsDouble)(o));
  else if (type == PY(PyBool_Type)) *out = sec_scalar_bool(o == PY(_Py_TrueStruct));
  else if (type == PY(PyLong_Type) && sec_py_int(o, &i) && i >= INT32_MIN && i <= INT32_MAX)
    *out = sec_scalar_int(i);
  else if (type == sec_py.array && sec_py_array_of(o)) *out = sec_constant(sec_py_array_of(o));
  else return false;
  return true;
}

/* Whether a number may stand in x / y without a conversion: a float operand, or a number beside
 * one. */
static bool divides(sec_pyo o, sec_value v) {
  sec_pyo type = TYPE(o);
  return type == PY(PyFloat_Type) || type == PY(PyLong_Type) || is_float(v);
}

static sec_pyo traced(int op, sec_pyo a, sec_pyo b) {
  sec_value x, y;
  if (op == OP_DIV && TYPE(a) != sec_py.tracer && TYPE(a) != PY(PyFloat_Type) &&
      TYPE(a) != PY(PyLong_Type))
    return NULL;
  if (!lifted(a, &x) || !lifted(b, &y)) return NULL;
  if (op == OP_DIV && (!divides(a, x) || !divides(b, y))) return NULL;
  return made(binaries[op](x, y));
}

/* An operand of a compiled function: an array, or a number that needs no look at the other one's
 * type. */
static bool concrete(sec_pyo o) {
  sec_pyo   type = TYPE(o);
  long long i;
  if (type == sec_py.array || type == PY(PyFloat_Type) || type == PY(PyBool_Type)) return true;
  return type == PY(PyLong_Type) && sec_py_int(o, &i) && i >= INT32_MIN && i <= INT32_MAX;
}

static sec_pyo binary(int op, sec_pyo a, sec_pyo b) {
  if (TYPE(a) == sec_py.tracer || TYPE(b) == sec_py.tracer) {
    sec_pyo result = traced(op, a, b);
    if (result || PY(PyErr_Occurred)()) return result;
  } else if (sec_py.operation[op] && !sec_trace_depth() && concrete(a) && concrete(b)) {
    sec_pyo args[] = {a, b};
    return sec_py_call(sec_py.operation[op], args, 2, NULL);
  }
  return PY(PyObject_CallFunctionObjArgs)(sec_py.fallback[op], a, b, NULL);
}

static sec_pyo compare(sec_pyo a, sec_pyo b, int op) { return binary(op, a, b); }

#define BINARY(name, op) \
  static sec_pyo name(sec_pyo a, sec_pyo b) { return binary(op, a, b); }
BINARY(add, OP_ADD)
BINARY(subtract, OP_SUB)
BINARY(multiply, OP_MUL)
BINARY(divide, OP_DIV)
BINARY(matmul, OP_MATMUL)
BINARY(and, OP_AND)
BINARY(or, OP_OR)
BINARY(xor, OP_XOR)

static sec_pyo power(sec_pyo a, sec_pyo b, sec_pyo modulus) {
  long long n;
  if (modulus != PY(_Py_NoneStruct)) return sec_py_kept(PY(_Py_NotImplementedStruct));
  if (TYPE(a) == sec_py.tracer && TYPE(b) == PY(PyLong_Type) && sec_py_int(b, &n) &&
      is_float(BODY(a, sec_py_tracer)->value))
    return made(sec_integer_pow(BODY(a, sec_py_tracer)->value, n));
  return PY(PyObject_CallFunctionObjArgs)(sec_py.fallback[OP_POW], a, b, NULL);
}

static sec_pyo negative(sec_pyo a) {
  if (TYPE(a) == sec_py.tracer && is_float(BODY(a, sec_py_tracer)->value))
    return made(sec_neg(BODY(a, sec_py_tracer)->value));
  if (TYPE(a) == sec_py.array && sec_py.operation[OP_NEG] && !sec_trace_depth())
    return sec_py_call(sec_py.operation[OP_NEG], &a, 1, NULL);
  return PY(PyObject_CallFunctionObjArgs)(sec_py.fallback[OP_NEG], a, NULL);
}

void sec_py_operator_slots(sec_py_slot *slots) {
  sec_py_slot all[16] = {SEC_PY_SLOT(PY_NB_ADD, add),
                         SEC_PY_SLOT(PY_NB_SUBTRACT, subtract),
                         SEC_PY_SLOT(PY_NB_MULTIPLY, multiply),
                         SEC_PY_SLOT(PY_NB_AND, and),
                         SEC_PY_SLOT(PY_NB_OR, or),
                         SEC_PY_SLOT(PY_NB_XOR, xor),
                         SEC_PY_SLOT(PY_NB_TRUE_DIVIDE, divide),
                         SEC_PY_SLOT(PY_NB_MATRIX_MULTIPLY, matmul),
                         SEC_PY_SLOT(PY_NB_POWER, power),
                         SEC_PY_SLOT(PY_NB_NEGATIVE, negative),
                         SEC_PY_SLOT(PY_TP_RICHCOMPARE, compare)};
  memcpy(slots, all, sizeof all);
}
