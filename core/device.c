/* Devices of arrays: numbers, since all CPU devices share memory and threads. */
#include "ir.h"

static atomic_int        everywhere;          /* the default device of all threads */
static atomic_bool       ever;                /* a default was set: until then nobody looks */
static _Thread_local int here;                /* 1 + this thread's own; 0: none */

void sec_set_default_device(int device) {
  atomic_store(&everywhere, device > 0 ? device : 0);
  atomic_store(&ever, true);
}

void sec_set_thread_device(int device) {
  here = device < 0 ? 0 : device + 1;
  atomic_store(&ever, true);
}

int sec_default_device(void) {
  if (!atomic_load_explicit(&ever, memory_order_relaxed)) return 0;
  return here ? here - 1 : atomic_load_explicit(&everywhere, memory_order_relaxed);
}

uint32_t sec_default_place(void) { return 2 * (uint32_t)sec_default_device(); }

int  sec_array_device(const sec_array *a) { return (int)(a->place / 2); }
bool sec_array_is_committed(const sec_array *a) { return a->place & 1; }

sec_array *sec_array_to_device(sec_array *a, int device, bool commit) {
  if (device < 0) {
    sec_error_set(SEC_ARGUMENT, "devices are 0, 1, ... as sec_num_devices counts them", "to_device: there is no device %d", device);
    return NULL;
  }
  sec_array *view = sec_array_view(a, a->aval);
  if (view) view->place = 2 * (uint32_t)device + commit;
  return view;
}
