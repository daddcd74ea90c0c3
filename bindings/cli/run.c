/* secant run: a jaxpr with arrays in and arrays out. */
#include "arguments.h"
#include "npy.h"
#include <getopt.h>
#include <stdio.h>

enum { MAX_PRINTED = 1000 };

static void print_element(const sec_array *a, int64_t i) {
  const void *data = sec_array_data(a);
  switch (sec_array_dtype(a)) {
  case SEC_BOOL: printf(" %s", ((const unsigned char *)data)[i] ? "True" : "False"); break;
  case SEC_I8: printf(" %d", ((const int8_t *)data)[i]); break;
  case SEC_I16: printf(" %d", ((const int16_t *)data)[i]); break;
  case SEC_I32: printf(" %d", ((const int32_t *)data)[i]); break;
  case SEC_I64: printf(" %lld", (long long)((const int64_t *)data)[i]); break;
  case SEC_U8: printf(" %u", ((const uint8_t *)data)[i]); break;
  case SEC_U16: printf(" %u", ((const uint16_t *)data)[i]); break;
  case SEC_U32: printf(" %u", ((const uint32_t *)data)[i]); break;
  case SEC_U64: printf(" %llu", (unsigned long long)((const uint64_t *)data)[i]); break;
  case SEC_F32: printf(" %.9g", (double)((const float *)data)[i]); break;
  case SEC_F64: printf(" %.17g", ((const double *)data)[i]); break;
  default: printf(" ?"); break; /* f16, bf16: only to a file */
  }
}

static void print_array(const sec_array *a) {
  int64_t n = sec_array_size(a);
  printf("%s", sec_aval_text(sec_array_aval(a)));
  for (int64_t i = 0; i < n && i < MAX_PRINTED; i++) print_element(a, i);
  printf("%s\n", n > MAX_PRINTED ? " ..." : "");
}

/* A result without a file is printed. */
static sec_status put_results(sec_array *const *out, int n, char *const *outputs, int n_outputs) {
  for (int i = 0; i < n; i++) {
    if (i >= n_outputs) print_array(out[i]);
    else SEC_TRY(npy_write(outputs[i] + (*outputs[i] == '@'), out[i]));
  }
  return SEC_OK;
}

static int run_program(const cli_program *p, char *const *outputs, int n_outputs) {
  sec_array *out[CLI_MAX_ARGUMENTS] = {NULL};
  int        n = sec_executable_n_out(p->executable);
  sec_status status = SEC_OK;
  if (n > CLI_MAX_ARGUMENTS || n_outputs > n)
    status = sec_error_set(SEC_ARGUMENT, "give at most one --output a result, in order", "the program has %d results, given %d outputs", n, n_outputs);
  if (status == SEC_OK) status = sec_execute(p->executable, p->in, out);
  if (status == SEC_OK) status = put_results(out, n, outputs, n_outputs);
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
    "usage: secant run [--input @FILE.npy|NUMBER]... [--output @FILE.npy]... FILE\n\n"
    "Reads a jaxpr from FILE (- is standard input), compiles it and runs it.\n"
    "  --input @FILE.npy   an argument, in order, as numpy.save wrote it\n"
    "  --input NUMBER      an argument with this number everywhere\n"
    "  --output @FILE.npy  where a result goes, in order; results without a file are printed\n",
    run};
