/* secant version */
#include "cli.h"
#include <stdio.h>

static int run(int argc, char **argv) {
  int stop = cli_no_options(&cli_version, argc, argv);
  if (stop) return stop - 1;
  printf("secant %s\n", sec_version());
  return CLI_OK;
}

const cli_command cli_version = {"version", "the library's version",
                                 "usage: secant version\n\nPrints the version of the library.\n",
                                 run};
