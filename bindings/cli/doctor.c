/* secant doctor: what this machine offers. */
#include "cli.h"
#include <stdio.h>
#include <stdlib.h>

static int run(int argc, char **argv) {
  int stop = cli_no_options(&cli_doctor, argc, argv);
  if (stop) return stop - 1;
  sec_context *cx = sec_context_create();
  char        *facts = cx ? sec_doctor(cx) : NULL;
  int          code = facts ? CLI_OK : cli_failed(cx);
  if (facts) fputs(facts, stdout);
  free(facts);
  sec_context_destroy(cx);
  return code;
}

const cli_command cli_doctor = {"doctor",
                                "CPU, LLVM, BLAS, threads, CUDA: what is there, or why not",
                                "usage: secant doctor\n\nPrints one fact a line about the "
                                "processor, the compiler and the libraries that Secant found.\n",
                                run};
