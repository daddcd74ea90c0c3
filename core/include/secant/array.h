/* Concrete arrays: dense, row-major, immutable once made, counted.  Any thread may retain, release and
 * read them. */
#ifndef SECANT_ARRAY_H
#define SECANT_ARRAY_H

#include <secant/aval.h>

SEC_BEGIN_DECLS

typedef struct sec_array sec_array;

/* A new array with one count, owned by the caller; NULL with the error recorded on failure.
 * _create leaves the elements uninitialised for the caller to fill; _from_data copies; _wrap borrows `data`
 * (aligned for its dtype) until the last release, then calls release_data(owner). */
SEC_API sec_array *sec_array_create(sec_context *cx, sec_dtype dtype, int rank, const int64_t *dims);
SEC_API sec_array *sec_array_from_data(sec_context *cx, sec_dtype dtype, int rank, const int64_t *dims,
                                       const void *data);
SEC_API sec_array *sec_array_wrap(sec_context *cx, sec_dtype dtype, int rank, const int64_t *dims, void *data,
                                  void (*release_data)(void *owner), void *owner);
SEC_API sec_array *sec_array_create_aval(sec_context *cx, const sec_aval *aval);
/* The same elements with another shape of equal size, sharing the memory; one more count on it. */
SEC_API sec_array *sec_array_reshape(sec_array *a, int rank, const int64_t *dims);
SEC_API sec_array *sec_array_create_f32(sec_context *cx, int rank, const int64_t *dims, const float *data);
SEC_API sec_array *sec_array_create_f64(sec_context *cx, int rank, const int64_t *dims, const double *data);
/* Complex numbers are pairs: real part, imaginary part. */
SEC_API sec_array *sec_array_create_c64(sec_context *cx, int rank, const int64_t *dims, const float *data);
SEC_API sec_array *sec_array_create_c128(sec_context *cx, int rank, const int64_t *dims, const double *data);
SEC_API sec_array *sec_array_create_i32(sec_context *cx, int rank, const int64_t *dims, const int32_t *data);

SEC_API sec_array      *sec_array_retain(sec_array *a);
SEC_API void            sec_array_release(sec_array *a); /* NULL does nothing */
SEC_API const sec_aval *sec_array_aval(const sec_array *a);
SEC_API void           *sec_array_data(const sec_array *a);   /* NULL when deleted */
SEC_API sec_dtype       sec_array_dtype(const sec_array *a);
SEC_API int             sec_array_rank(const sec_array *a);
SEC_API const int64_t  *sec_array_dims(const sec_array *a);
SEC_API int64_t         sec_array_size(const sec_array *a);  /* elements */
SEC_API size_t          sec_array_bytes(const sec_array *a);
/* Changes the weak-type mark; only before the array is shared. */
SEC_API void sec_array_set_weak(sec_array *a, bool weak);

/* Deleting ends an array before its last release: later uses are errors (SEC_DELETED), the handle is still to be
 * released.  Only where it has one count.  A donated array is deleted by the call (compile.h).  _check records the error about
 * a deleted array; _create_deleted makes what stands for an array that gave its memory away. */
SEC_API sec_status sec_array_delete(sec_array *a);
SEC_API bool       sec_array_is_deleted(const sec_array *a);
SEC_API sec_status sec_array_check(const sec_array *a);
SEC_API sec_array *sec_array_create_deleted(const sec_array *like);

/* Devices are places: all CPU devices share memory and threads.  New arrays are on the default device and not committed to
 * it; results are on the device that operands are committed to, else on the default device.  Operands that are committed to
 * two devices are an error (SEC_DEVICE).  _to_device: the same elements and memory, committed there, or not. */
SEC_API int        sec_array_device(const sec_array *a);
SEC_API bool       sec_array_is_committed(const sec_array *a);
SEC_API sec_array *sec_array_to_device(sec_array *a, int device, bool commit);
/* The default device (0 at first) of all threads, and that of this thread, which goes first; -1: none of its own. */
SEC_API void sec_set_default_device(int device);
SEC_API void sec_set_thread_device(int device);
SEC_API int  sec_default_device(void);

SEC_END_DECLS
#endif
