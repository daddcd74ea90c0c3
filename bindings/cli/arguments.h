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

#define CLI_ARGUMENT_HELP                                                                                  \
  "  --input NAME=@FILE.npy  the argument of that name in FILE, as numpy.save wrote it\n"                  \
  "  --input NAME=NUMBER     ... with this number everywhere\n"                                            \
  "  --input NAME=[1,2,3]    ... with these elements; brackets within may show the rows\n"                 \
  "                          without NAME= : the first argument that has not been given\n"

/* Reads the jaxpr at `path`; texts are [NAME=]VALUE; an argument that none of them gives is `filling`, or missing when
 * that is NULL.  False after printing the error; cli_program_end in both cases. */
bool cli_program_begin(cli_program *p, const char *path, char *const *texts, int n_texts, const char *filling);
void cli_program_end(cli_program *p);

/* Takes `NAME=` off the front of *text: the first of n names that it is; -1 when there is no NAME= in front, -2 after
 * recording that there is no such name.  name(j, i) is the i-th. */
int cli_named(const sec_jaxpr *j, const char *(*name)(const sec_jaxpr *, int), int n, const char *what, const char **text);
/* The array with its elements converted; NULL with the error recorded.  One count, the caller's. */
sec_array *cli_converted(sec_context *cx, sec_array *a, sec_dtype dtype);

#endif
