/* Memory shared with NumPy: arrays as read-only buffers, and NumPy's arrays as operands without a copy. */
#include "fast_call.h"
#include <secant/context.h>
#include <stdlib.h>

enum { BUFFER_WRITABLE = 1, BUFFER_FORMAT = 4, BUFFER_ND = 8, BUFFER_STRIDES = 0x18, BUFFER_F = 0x40 };

/* ---- element types, in the letters of Python's struct module ---- */
static const char *const formats[SEC_N_DTYPES] = {
    [SEC_BOOL] = "?", [SEC_I8] = "b",  [SEC_I16] = "h", [SEC_I32] = "i", [SEC_I64] = "q",  [SEC_U8] = "B",   [SEC_U16] = "H",
    [SEC_U32] = "I",  [SEC_U64] = "Q", [SEC_F16] = "e", [SEC_F32] = "f", [SEC_F64] = "d", [SEC_C64] = "Zf", [SEC_C128] = "Zd"};

/* The type of a buffer's elements; SEC_N_DTYPES: none of ours, or in a foreign byte order. */
static sec_dtype dtype_of(const char *format, ssize_t size) {
  if (!format) return SEC_U8;
  if (format[0] == 'l') return size == 8 ? SEC_I64 : SEC_I32;
  if (format[0] == 'L') return size == 8 ? SEC_U64 : SEC_U32;
  for (int d = 0; d < SEC_N_DTYPES; d++)
    if (formats[d] && strcmp(formats[d], format) == 0) return (sec_dtype)d;
  return SEC_N_DTYPES;
}

/* ---- out ---- */
/* What a buffer holds: a count on the array, which the object may lose, and the strides. */
typedef struct shown {
  sec_array *array;
  ssize_t    strides[SEC_MAX_RANK];
} shown;

static int refuse(sec_py_buffer *view, const char *why) {
  view->object = NULL;
  PY(PyErr_SetString)(*(sec_pyo *)PY(PyExc_BufferError), why);
  return -1;
}

static int get_buffer(sec_pyo self, sec_py_buffer *view, int flags) {
  sec_array *a = sec_py_array_of(self);
  view->object = NULL;
  if (!a) return refuse(view, "an array that was never filled");
  if (sec_array_check(a) != SEC_OK) {
    sec_py_raise();
    return -1;
  }
  const sec_aval *aval = a->aval;
  if (flags & BUFFER_WRITABLE) return refuse(view, "arrays are immutable: their memory is read-only");
  if (!formats[aval->dtype]) return refuse(view, "the buffer protocol has no letter for this dtype; use numpy.asarray");
  if (flags & BUFFER_F && aval->rank > 1) return refuse(view, "the array is in C order");
  shown *s = malloc(sizeof *s);
  if (!s) {
    PY(PyErr_NoMemory)();
    return -1;
  }
  s->array = sec_array_retain(a);
  ssize_t size = (ssize_t)sec_dtype_size(aval->dtype), stride = size;
  for (int k = aval->rank; k-- > 0; stride *= (ssize_t)aval->dims[k]) s->strides[k] = stride;
  *view = (sec_py_buffer){.data = a->data, .object = sec_py_kept(self), .bytes = (ssize_t)a->bytes, .item_size = size, .read_only = 1,
                          .rank = aval->rank, .internal = s};
  if (flags & BUFFER_FORMAT) view->format = (char *)(uintptr_t)formats[aval->dtype];
  if (flags & BUFFER_ND) view->shape = (ssize_t *)(uintptr_t)aval->dims;
  if ((flags & BUFFER_STRIDES) == BUFFER_STRIDES) view->strides = s->strides;
  return 0;
}

static void release_buffer(sec_pyo self, sec_py_buffer *view) {
  (void)self;
  shown *s = view->internal;
  sec_array_release(s->array);
  free(s);
}

void sec_py_buffer_slots(sec_py_slot *slots) {
  slots[0] = (sec_py_slot)SEC_PY_SLOT(PY_BF_GETBUFFER, get_buffer);
  slots[1] = (sec_py_slot)SEC_PY_SLOT(PY_BF_RELEASEBUFFER, release_buffer);
}

/* ---- in ---- */
static sec_py_borrowed *new_borrowed(sec_py_walk *w) {
  if (w->n_borrowed < WALK_BORROWED) return &w->borrowed_here[w->n_borrowed];
  sec_py_borrowed *b = malloc(sizeof *b);
  if (!b) return NULL;
  b->next = w->borrowed;
  w->borrowed = b;
  return b;
}

sec_array *sec_py_borrow(sec_py_walk *w, sec_pyo o) {
  sec_py_borrowed *b = new_borrowed(w);
  if (!b) return NULL;
  w->n_borrowed++;
  b->view.object = NULL; /* PyBuffer_Release leaves such a one alone */
  if (PY(PyObject_GetBuffer)(o, &b->view, BUFFER_ND | BUFFER_FORMAT)) { /* not contiguous, or of Python objects */
    PY(PyErr_Clear)();
    b->view.object = NULL;
    return NULL;
  }
  const sec_py_buffer *v = &b->view;
  sec_dtype            dtype = dtype_of(v->format, v->item_size);
  if (dtype == SEC_N_DTYPES || v->rank > SEC_MAX_RANK || (size_t)v->item_size != sec_dtype_size(dtype)) return NULL;
  if ((uintptr_t)v->data % (dtype == SEC_C64 || dtype == SEC_C128 ? sec_dtype_size(dtype) / 2 : sec_dtype_size(dtype))) return NULL;
  const sec_aval *aval = sec_aval_get(sec_py.cx, dtype, false, v->rank, (const int64_t *)v->shape);
  if (!aval) {
    sec_error_clear(sec_py.cx);
    return NULL;
  }
  b->array = (sec_array){.cx = sec_py.cx, .aval = aval, .data = v->data, .bytes = (size_t)v->bytes};
  atomic_init(&b->array.refs, 1);
  return &b->array;
}

void sec_py_return_borrowed(sec_py_walk *w) {
  for (int i = 0; i < w->n_borrowed && i < WALK_BORROWED; i++) PY(PyBuffer_Release)(&w->borrowed_here[i].view);
  for (sec_py_borrowed *b = w->borrowed, *next; b; b = next) {
    next = b->next;
    PY(PyBuffer_Release)(&b->view);
    free(b);
  }
}
