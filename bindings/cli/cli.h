/* Shared by the commands of the `secant` tool. */
#ifndef SECANT_CLI_H
#define SECANT_CLI_H

#include <secant.h>

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

typedef struct cli_command {
  const char *name, *summary, *help;
  int (*run)(int argc, char **argv); /* argv[0] is the command's name */
} cli_command;

extern const cli_command cli_show, cli_opt, cli_run, cli_bench, cli_cache, cli_doctor, cli_version;

/* Prints the command's help on stderr; returns CLI_USAGE. */
int        cli_usage(const cli_command *command);
/* Prints the recorded error on stderr; returns CLI_FAILED. */
int        cli_failed(const sec_context *cx);
/* Reads and parses a jaxpr from a file, "-" for standard input; on error it is printed and NULL is
 * returned. */
sec_jaxpr *cli_read(sec_context *cx, const char *path);
/* Prints the jaxpr, or the error. */
int        cli_print(sec_context *cx, const sec_jaxpr *j);
/* Options of a command without options but --help: 0 to go on, else the exit code + 1. */
int        cli_no_options(const cli_command *command, int argc, char **argv);

#endif
