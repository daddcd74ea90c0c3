/* Concrete arrays: a type, memory and a count. */
#include "ir.h"
#include <stdio.h>
#include <string.h>

/* `room`: bytes behind the struct. */
static sec_array *array_new(sec_context *cx, const sec_aval *aval, void *data, void (*release_data)(void *), void *owner, size_t room) {
  sec_array *a = sec_alloc(cx, sizeof *a + room);
  if (!a) return NULL;
  *a = (sec_array){.cx = cx, .aval = aval, .data = data, .place = sec_default_place(), .release_data = release_data, .owner = owner};
  a->bytes = (size_t)aval->size * sec_dtype_size(aval->dtype);
  atomic_init(&a->refs, 1);
  return a;
}

sec_array *sec_array_create_aval(sec_context *cx, const sec_aval *aval) {
  if (!aval) return NULL;
  size_t bytes = (size_t)aval->size * sec_dtype_size(aval->dtype);
  /* whole lines of 64 bytes in the array's own block, and as many to find where the first begins */
  sec_array *a = array_new(cx, aval, NULL, NULL, NULL, ((bytes + 64) & ~(size_t)63) + 63);
  if (!a) return NULL;
  a->data = (void *)(((uintptr_t)(a + 1) + 63) & ~(uintptr_t)63);
  a->own = true;
  return a;
}

sec_array *sec_array_create(sec_context *cx, sec_dtype dtype, int rank, const int64_t *dims) {
  return sec_array_create_aval(cx, sec_aval_get(cx, dtype, false, rank, dims));
}

sec_array *sec_array_from_data(sec_context *cx, sec_dtype dtype, int rank, const int64_t *dims, const void *data) {
  sec_array *a = sec_array_create(cx, dtype, rank, dims);
  if (a && a->bytes) memcpy(a->data, data, a->bytes);
  return a;
}

sec_array *sec_array_create_f32(sec_context *cx, int rank, const int64_t *dims, const float *data) {
  return sec_array_from_data(cx, SEC_F32, rank, dims, data);
}
sec_array *sec_array_create_f64(sec_context *cx, int rank, const int64_t *dims, const double *data) {
  return sec_array_from_data(cx, SEC_F64, rank, dims, data);
}
sec_array *sec_array_create_c64(sec_context *cx, int rank, const int64_t *dims, const float *data) {
  return sec_array_from_data(cx, SEC_C64, rank, dims, data);
}
sec_array *sec_array_create_c128(sec_context *cx, int rank, const int64_t *dims, const double *data) {
  return sec_array_from_data(cx, SEC_C128, rank, dims, data);
}
sec_array *sec_array_create_i32(sec_context *cx, int rank, const int64_t *dims, const int32_t *data) {
  return sec_array_from_data(cx, SEC_I32, rank, dims, data);
}

sec_array *sec_array_wrap(sec_context *cx, sec_dtype dtype, int rank, const int64_t *dims, void *data,
                          void (*release_data)(void *), void *owner) {
  const sec_aval *aval = sec_aval_get(cx, dtype, false, rank, dims);
  return aval ? array_new(cx, aval, data, release_data, owner, 0) : NULL;
}

sec_array *sec_array_wrap_aval(sec_context *cx, const sec_aval *aval, void *data, void (*release_data)(void *), void *owner) {
  return array_new(cx, aval, data, release_data, owner, 0);
}

static void release_base(void *base) { sec_array_release(base); }

sec_array *sec_array_reshape(sec_array *a, int rank, const int64_t *dims) {
  const sec_aval *aval = sec_aval_get(a->cx, a->aval->dtype, a->aval->weak, rank, dims);
  if (!aval) return NULL;
  if (aval->size != a->aval->size) {
    sec_error_set(SEC_SHAPE, "sizes must multiply to the same number", "reshape: %s has %lld elements, %s has %lld", a->aval->text,
                  (long long)a->aval->size, aval->text, (long long)aval->size);
    return NULL;
  }
  return sec_array_view(a, aval);
}

sec_array *sec_array_view(sec_array *a, const sec_aval *aval) {
  if (sec_array_check(a) != SEC_OK) return NULL;
  sec_array *view = array_new(a->cx, aval, a->data, release_base, a, 0);
  if (!view) return NULL;
  view->place = a->place;
  sec_array_retain(a);
  return view;
}

sec_array *sec_array_retain(sec_array *a) {
  atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
  return a;
}

void sec_array_release(sec_array *a) {
  if (!a) return;
  if (atomic_load_explicit(&a->refs, memory_order_acquire) != 1 && /* the only count is ours: nobody can add one */
      atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
    return;
  bool inside = a->inside;
  if (a->release_data) a->release_data(a->owner);
  if (!inside) sec_free(a->cx, a);
}

/* ---- the end before the last release ---- */
bool sec_array_is_deleted(const sec_array *a) { return a->deleted; }

sec_status sec_array_check(const sec_array *a) {
  if (!a->deleted) return SEC_OK;
  char dims[16 * SEC_MAX_RANK] = "";
  int  n = 0;
  for (int k = 0; k < a->aval->rank; k++)
    n += snprintf(dims + n, sizeof dims - (size_t)n, "%s%lld", k ? "," : "", (long long)a->aval->dims[k]);
  sec_error_set(SEC_DELETED, "it was deleted, or donated to a call that ended; use that call's results, or pass a copy",
                "Array has been deleted with shape=%s[%s].", sec_dtype_numpy_name(a->aval->dtype), dims);
  return SEC_DELETED;
}

bool sec_array_is_sole(const sec_array *a) {
  if (a->deleted || atomic_load_explicit(&a->refs, memory_order_acquire) != 1) return false;
  for (; a->release_data == release_base; a = a->owner) { /* what is below is read by nobody else */
    const sec_array *base = a->owner;
    if (!base->deleted && atomic_load_explicit(&base->refs, memory_order_acquire) != 1) return false;
  }
  return a->own;
}

/* Memory in one block with the struct goes with the last release. */
static void ended(sec_array *a) {
  a->data = NULL;
  if (!a->inside) a->release_data = NULL;
  a->deleted = true;
}

void sec_array_give(sec_array *a, sec_array *to) {
  to->data = a->data;
  to->own = a->own;
  if (a->release_data && !a->inside) {
    to->release_data = a->release_data;
    to->owner = a->owner == a ? to : a->owner;
  } else { /* in the block of `a`, which stays while the result does */
    to->release_data = release_base;
    to->owner = sec_array_retain(a);
  }
  ended(a);
}

sec_status sec_array_delete(sec_array *a) {
  if (a->deleted) return SEC_OK;
  if (atomic_load_explicit(&a->refs, memory_order_acquire) != 1)
    return sec_error_set(SEC_ARGUMENT, "release the other counts first", "delete: %s has more than one count", a->aval->text);
  if (a->release_data && !a->inside) a->release_data(a->owner);
  ended(a);
  return SEC_OK;
}

sec_array *sec_array_create_deleted(const sec_array *like) {
  sec_array *a = array_new(like->cx, like->aval, NULL, NULL, NULL, 0);
  if (!a) return NULL;
  a->place = like->place;
  a->deleted = true;
  return a;
}

const sec_aval *sec_array_aval(const sec_array *a) { return a->aval; }
void           *sec_array_data(const sec_array *a) { return a->data; }
sec_dtype       sec_array_dtype(const sec_array *a) { return a->aval->dtype; }
int             sec_array_rank(const sec_array *a) { return a->aval->rank; }
const int64_t  *sec_array_dims(const sec_array *a) { return a->aval->dims; }
int64_t         sec_array_size(const sec_array *a) { return a->aval->size; }
size_t          sec_array_bytes(const sec_array *a) { return a->bytes; }

void sec_array_set_weak(sec_array *a, bool weak) {
  const sec_aval *aval = sec_aval_get(a->cx, a->aval->dtype, weak, a->aval->rank, a->aval->dims);
  if (aval) a->aval = aval;
}
