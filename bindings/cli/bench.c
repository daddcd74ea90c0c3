/* secant bench: how long a jaxpr takes. */
#include "arguments.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_RUNS = 1000, MIN_RUNS = 5 };
#define SECONDS 1.0 /* spent on runs, about */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static sec_status run_once(const cli_program *p, double *seconds) {
  sec_array *out[CLI_MAX_ARGUMENTS];
  double     begin = now();
  SEC_TRY(sec_execute(p->executable, p->in, out));
  *seconds = now() - begin;
  for (int i = 0; i < sec_executable_n_out(p->executable); i++) sec_array_release(out[i]);
  return SEC_OK;
}

static int bench(const cli_program *p) {
  double times[MAX_RUNS], first, begin = now();
  int    n = 0;
  if (sec_executable_n_out(p->executable) > CLI_MAX_ARGUMENTS) {
    sec_error_set(SEC_ARGUMENT, "use at most 256 results", "the program has too many results");
    return cli_failed(p->cx);
  }
  if (run_once(p, &first) != SEC_OK) return cli_failed(p->cx); /* warms caches */
  while (n < MAX_RUNS && (n < MIN_RUNS || now() - begin < SECONDS))
    if (run_once(p, &times[n++]) != SEC_OK) return cli_failed(p->cx);
  qsort(times, (size_t)n, sizeof *times, by_value);
  double median = times[n / 2], flops = sec_executable_cost(p->executable, "flops"), bytes = sec_executable_cost(p->executable, "bytes accessed");
  printf("median  %.3f us (%.3f to %.3f in %d runs)\n", 1e6 * median, 1e6 * times[0], 1e6 * times[n - 1], n);
  printf("flops   %.3f GFLOP/s (%.0f a run)\n", 1e-9 * flops / median, flops);
  printf("memory  %.3f GB/s (%.0f bytes read and written by the equations)\n", 1e-9 * bytes / median, bytes);
  sec_cache_stats stats = sec_cache_get_stats(p->cx);
  printf("compile %.3f ms%s\n", 1e3 * stats.compile_seconds, stats.disk_hits ? " (kernels were on disk: SECANT_CACHE_DIR=off)" : "");
  return CLI_OK;
}

static int run(int argc, char **argv) {
  static const struct option options[] = {{"input", required_argument, NULL, 'i'}, {"help", no_argument, NULL, 'h'}, {0}};
  char *inputs[CLI_MAX_ARGUMENTS];
  int   n_inputs = 0;
  for (int c; (c = getopt_long(argc, argv, "i:h", options, NULL)) != -1;) {
    if (c == 'h') printf("%s", cli_bench.help);
    if (c == 'h') return CLI_OK;
    if (c != 'i' || n_inputs == CLI_MAX_ARGUMENTS) return cli_usage(&cli_bench);
    inputs[n_inputs++] = optarg;
  }
  if (optind + 1 != argc) return cli_usage(&cli_bench);
  cli_program p;
  int         code = CLI_FAILED;
  if (cli_program_begin(&p, argv[optind], inputs, n_inputs, "1")) code = bench(&p);
  cli_program_end(&p);
  return code;
}

const cli_command cli_bench = {"bench", "how long a jaxpr takes: median, GFLOP/s, GB/s",
                               "usage: secant bench [--input [NAME=]VALUE]... FILE\n\n"
                               "Reads a jaxpr from FILE (- is standard input), compiles it and runs it for about a second.\n" CLI_ARGUMENT_HELP
                               "                          those not given are 1 everywhere\n",
                               run};
