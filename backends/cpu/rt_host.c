/* Calls of host functions.  meta: function, number of operands and of results, their types; after
 * the buffers stands the address of the run's status. */
#include "ir.h"
#include "runtime.h"

void sec_rt_host_call(void **bufs, const int64_t *meta) {
  sec_callable *host = (sec_callable *)(intptr_t)meta[0];
  int64_t n_in = meta[1], n_out = meta[2];
  const sec_aval *types[SEC_HOST_BUFFERS];
  sec_status *status = bufs[n_in + n_out];
  for (int64_t i = 0; i < n_in + n_out; i++) types[i] = (const sec_aval *)(intptr_t)meta[3 + i];
  *status = sec_host_run(host, (const void *const *)bufs, bufs + n_in, types);
}
