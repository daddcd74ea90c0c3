/* The arguments of a jaxpr on the command line, for run and bench. */
#ifndef SECANT_CLI_ARGUMENTS_H
#define SECANT_CLI_ARGUMENTS_H

#include "cli.h"

enum { CLI_MAX_ARGUMENTS = 256 };

/* A program that is compiled, with arrays for its captured values (zeros) and arguments. */
typedef struct cli_program {
  sec_context    *cx;
  sec_jaxpr      *jaxpr;
  sec_executable *executable;
  sec_array      *in[CLI_MAX_ARGUMENTS];
  int             n_in;
} cli_program;

/* Reads the jaxpr at `path`; argument i is texts[i]: @FILE.npy, or a number for all its elements; from n_texts on it is
 * `filling`, or missing when that is NULL.  False after printing the error; cli_program_end in both cases. */
bool cli_program_begin(cli_program *p, const char *path, char *const *texts, int n_texts, const char *filling);
void cli_program_end(cli_program *p);

#endif
