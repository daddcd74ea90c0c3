/* From a jaxpr to machine code and to results. */
#ifndef SECANT_COMPILE_H
#define SECANT_COMPILE_H

#include <secant/jaxpr.h>

SEC_BEGIN_DECLS

typedef struct sec_executable sec_executable;

/* Compiles for `device` ("cpu"; NULL: the default).  Cached in the context by structure and types of the jaxpr
 * (signature) and device: an equal jaxpr gives the same executable and compiles nothing.  Captured arrays
 * are not part of the signature: they are operands after the inputs (sec_jaxpr_close order: see sec_execute).
 * *out has one count for the caller.  Thread-safe; one signature is compiled once, others wait. */
SEC_API sec_status sec_compile(sec_context *cx, const sec_jaxpr *j, const char *device, sec_executable **out);
SEC_API sec_executable *sec_executable_retain(sec_executable *e);
SEC_API void            sec_executable_release(sec_executable *e);

/* Runs: in has the jaxpr's captured arrays first, then its inputs (n_consts + n_in arrays, types as compiled);
 * out receives n_out new arrays, the caller's.  Any thread. */
SEC_API sec_status sec_execute(sec_executable *e, sec_array *const *in, sec_array **out);
/* Donation: runs, and where donate[i] the memory of operand i may become that of a result.  Such an operand is deleted
 * (array.h) when a result has its type and nobody else holds a count on it or its memory; else it stays as it is.  Passing a
 * deleted array, or one array twice when one of them is donated, is an error (SEC_DELETED). */
SEC_API sec_status sec_execute_donating(sec_executable *e, sec_array *const *in, const bool *donate, sec_array **out);
/* taken_by[i]: the result of operand i's type that is set against it; -1: none, or not donated; -2: nothing reads it.
 * Returns how many there are. */
SEC_API int sec_executable_donation(const sec_executable *e, const bool *donate, int *taken_by);
/* Bytes of results that lie in the memory of these operands. */
SEC_API double sec_executable_alias_bytes(const sec_executable *e, const bool *donate);
SEC_API int        sec_executable_n_in(const sec_executable *e);  /* consts + inputs */
SEC_API int        sec_executable_n_out(const sec_executable *e);
SEC_API const sec_aval *sec_executable_out_aval(const sec_executable *e, int i);

/* Text of a stage: "jaxpr" (simplified), "groups", "mlir", "lowered" (MLIR after passes), "llvm", "asm".  The
 * caller frees it with free(); NULL with the error recorded. */
SEC_API char *sec_executable_text(const sec_executable *e, const char *stage);
/* "flops", "bytes accessed", "temp bytes", "kernels", "runtime calls"; -1 when unknown. */
SEC_API double sec_executable_cost(const sec_executable *e, const char *what);

/* Counters since the context was made: signature cache hits and compiles, kernel cache hits and kernels made; of these,
 * kernels that were found on disk, that were looked for there in vain, and that were put there. */
typedef struct sec_cache_stats {
  int64_t hits, compiles, kernel_hits, kernels, disk_hits, disk_misses, disk_writes;
  double  compile_seconds;
} sec_cache_stats;
SEC_API sec_cache_stats sec_cache_get_stats(const sec_context *cx);
/* Forgets executables that nobody holds, and all kernels. */
SEC_API void sec_cache_clear(sec_context *cx);

/* Compiled kernels are kept in a directory of the user's and found there by later processes, which then do not open
 * MLIR and LLVM at all: SECANT_CACHE_DIR (empty or "off": none), else XDG_CACHE_HOME/secant, else ~/.cache/secant; at most
 * SECANT_CACHE_LIMIT bytes ("256M"), the ones not used for longest go.  A directory that cannot be used is no error:
 * sec_disk_cache_text tells.
 * _set: `directory` for this context from here on; "" or "off": none; NULL: as above. */
SEC_API sec_status sec_disk_cache_set(sec_context *cx, const char *directory);
/* "stats": one line, where and how much, or why not.  "list": a line a kernel, used last first.  The caller frees it with
 * free(); NULL with the error recorded. */
SEC_API char *sec_disk_cache_text(sec_context *cx, const char *what);
/* Deletes all kernels on disk; *n: how many. */
SEC_API sec_status sec_disk_cache_clear(sec_context *cx, int64_t *n);

/* Traces and runs one jaxpr at once: compile (cached) and execute with its captured arrays.  in: n_in arrays. */
SEC_API sec_status sec_run(sec_context *cx, const sec_jaxpr *j, sec_array *const *in, sec_array **out);

/* Threads that a run may use; 0: SECANT_NUM_THREADS or all in the affinity mask. */
SEC_API void sec_set_num_threads(int n);
SEC_API int  sec_num_threads(void);
/* A program's own threads.  started and ended are called on each thread of the engine (workers of runs, compilation) as it
 * begins and ends, to name or pin it, or to make it known to another runtime.  parallel, if not NULL, runs the loops of
 * runs and compilations in place of the engine's threads, of which none is started then: it calls part(data, i)
 * once for every i = 0 .. n - 1, on any threads, and returns when all are done; it may be called from several threads at
 * once, and from within a part when that calls the engine.  Results do not depend on it. */
typedef void (*sec_part)(void *data, int i);
typedef struct sec_thread_hooks {
  void (*started)(void *user);
  void (*ended)(void *user);
  void (*parallel)(void *user, int n, sec_part part, void *data);
  void *user;
} sec_thread_hooks;
/* Of the whole process; copied; NULL takes them back.  Ends the engine's workers.  Call it while nothing runs. */
SEC_API void sec_set_thread_hooks(const sec_thread_hooks *hooks);
/* CPU devices for pmap: SECANT_NUM_CPU_DEVICES, default 1. */
SEC_API int  sec_num_devices(const char *platform);
/* What this machine offers, one fact a line ("cpu: znver5, avx512", "llvm: 22.1.8", "blas: ...", "cuda: ..."), for `secant doctor`.
 * The caller frees it with free(). */
SEC_API char *sec_doctor(sec_context *cx);

SEC_END_DECLS
#endif
