/* secant run: a jaxpr with arrays in and arrays out. */
#include "arguments.h"
#include "npy.h"
#include <getopt.h>
#include <math.h>
#include <stdio.h>

enum { MAX_PRINTED = 1000 };

static void print_float(double x, int digits) {
  if (isnan(x)) printf(" nan"); /* of either sign */
  else printf(" %.*g", digits, x);
}

static void print_element(const sec_array *a, int64_t i) {
  const void *data = sec_array_data(a);
  switch (sec_array_dtype(a)) {
  case SEC_BOOL: printf(" %s", ((const unsigned char *)data)[i] ? "True" : "False"); break;
  case SEC_I64: printf(" %lld", (long long)((const int64_t *)data)[i]); break;
  case SEC_U64: printf(" %llu", (unsigned long long)((const uint64_t *)data)[i]); break;
  case SEC_F32: print_float(((const float *)data)[i], 9); break;
  case SEC_C64: printf(" %.9g%+.9gj", (double)((const float *)data)[2 * i], (double)((const float *)data)[2 * i + 1]); break;
  case SEC_C128: printf(" %.17g%+.17gj", ((const double *)data)[2 * i], ((const double *)data)[2 * i + 1]); break;
  default: print_float(((const double *)data)[i], 17); break;
  }
}

/* The type that shows elements of `dtype` exactly. */
static sec_dtype shown_as(sec_dtype dtype) {
  switch (sec_dtype_kind(dtype)) {
  case SEC_KIND_INT: return SEC_I64;
  case SEC_KIND_UINT: return SEC_U64;
  case SEC_KIND_FLOAT: return dtype == SEC_F64 ? SEC_F64 : SEC_F32;
  default: return dtype;
  }
}

static sec_status print_array(sec_context *cx, sec_array *a) {
  int64_t    n = sec_array_size(a);
  sec_array *shown = cli_converted(cx, a, shown_as(sec_array_dtype(a)));
  if (!shown) return sec_error_status(cx);
  printf("%s", sec_aval_text(sec_array_aval(a)));
  for (int64_t i = 0; i < n && i < MAX_PRINTED; i++) print_element(shown, i);
  printf("%s\n", n > MAX_PRINTED ? " ..." : "");
  sec_array_release(shown);
  return SEC_OK;
}

/* Where each result goes: NULL is the screen. */
static sec_status place_outputs(const cli_program *p, int n, char *const *texts, int n_texts, const char **paths) {
  if (n > CLI_MAX_ARGUMENTS) return sec_error_set(SEC_ARGUMENT, "return at most 256 results", "the program has %d results", n);
  for (int k = 0; k < n_texts; k++) {
    const char *text = texts[k];
    int         i = cli_named(p->jaxpr, sec_jaxpr_out_name, n, "result", &text);
    if (i == -2) return SEC_ARGUMENT;
    if (i == -1)
      for (i = 0; i < n && paths[i];) i++;
    if (i == n) return sec_error_set(SEC_ARGUMENT, "give at most one --output a result", "the program has %d results, \"%s\" is one more", n, text);
    if (paths[i]) return sec_error_set(SEC_ARGUMENT, "give each result once", "result %d is given a second --output", i);
    paths[i] = text + (*text == '@');
  }
  return SEC_OK;
}

static int run_program(const cli_program *p, char *const *outputs, int n_outputs) {
  sec_array  *out[CLI_MAX_ARGUMENTS] = {NULL};
  const char *paths[CLI_MAX_ARGUMENTS] = {NULL};
  int         n = sec_executable_n_out(p->executable);
  sec_status  status = place_outputs(p, n, outputs, n_outputs, paths);
  if (status == SEC_OK) status = sec_execute(p->executable, p->in, out);
  for (int i = 0; i < n && status == SEC_OK; i++) status = paths[i] ? npy_write(paths[i], out[i]) : print_array(p->cx, out[i]);
  for (int i = 0; i < n && i < CLI_MAX_ARGUMENTS; i++) sec_array_release(out[i]);
  return status == SEC_OK ? CLI_OK : cli_failed(p->cx);
}

static int run(int argc, char **argv) {
  static const struct option options[] = {
      {"input", required_argument, NULL, 'i'}, {"output", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {0}};
  char *inputs[CLI_MAX_ARGUMENTS], *outputs[CLI_MAX_ARGUMENTS];
  int   n_inputs = 0, n_outputs = 0;
  for (int c; (c = getopt_long(argc, argv, "i:o:h", options, NULL)) != -1;) {
    if (c == 'h') printf("%s", cli_run.help);
    if (c == 'h') return CLI_OK;
    if (c == 'i' && n_inputs < CLI_MAX_ARGUMENTS) inputs[n_inputs++] = optarg;
    else if (c == 'o' && n_outputs < CLI_MAX_ARGUMENTS) outputs[n_outputs++] = optarg;
    else return cli_usage(&cli_run);
  }
  if (optind + 1 != argc) return cli_usage(&cli_run);
  cli_program p;
  int         code = CLI_FAILED;
  if (cli_program_begin(&p, argv[optind], inputs, n_inputs, NULL)) code = run_program(&p, outputs, n_outputs);
  cli_program_end(&p);
  return code;
}

const cli_command cli_run = {
    "run", "a jaxpr, compiled and run with arrays from .npy files",
    "usage: secant run [--input [NAME=]VALUE]... [--output [NAME=]@FILE.npy]... FILE\n\n"
    "Reads a jaxpr from FILE (- is standard input), compiles it and runs it.\n" CLI_ARGUMENT_HELP
    "  --output NAME=@FILE.npy where the result of that name goes; without NAME= : the first\n"
    "                          result that has no place; results without a file are printed\n",
    run};
