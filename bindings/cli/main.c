/* The `secant` tool: a table of commands. */
#include "cli.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_command *const commands[] = {&cli_show,  &cli_opt,   &cli_run,    &cli_bench,
                                             &cli_cache, &cli_doctor, &cli_version};
#define N_COMMANDS (sizeof commands / sizeof *commands)

int cli_usage(const cli_command *command) {
  fprintf(stderr, "%s", command->help);
  return CLI_USAGE;
}

int cli_failed(const sec_context *cx) {
  fprintf(stderr, "secant: %s\n", sec_error_message(cx));
  return CLI_FAILED;
}

static char *read_all(FILE *file) {
  size_t n = 0, room = 4096;
  char  *text = malloc(room);
  while (text) {
    n += fread(text + n, 1, room - n - 1, file);
    if (n + 1 < room) break;
    char *grown = realloc(text, room *= 2);
    if (!grown) free(text);
    text = grown;
  }
  if (text) text[n] = 0;
  return text;
}

sec_jaxpr *cli_read(sec_context *cx, const char *path) {
  bool  standard = strcmp(path, "-") == 0;
  FILE *file = standard ? stdin : fopen(path, "r");
  char *text = file ? read_all(file) : NULL;
  if (file && !standard) fclose(file);
  if (!text) {
    fprintf(
        stderr,
        "secant: %s cannot be read\n  hint: name a file with a jaxpr, or - for standard input\n",
        path);
    return NULL;
  }
  sec_jaxpr *j = NULL;
  if (sec_jaxpr_parse(cx, text, &j) != SEC_OK)
    fprintf(stderr, "secant: %s: %s\n", standard ? "standard input" : path, sec_error_message(cx));
  free(text);
  return j;
}

int cli_print(sec_context *cx, const sec_jaxpr *j) {
  char *text = sec_jaxpr_print(j);
  if (!text) return cli_failed(cx);
  puts(text);
  free(text);
  return CLI_OK;
}

int cli_no_options(const cli_command *command, int argc, char **argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
  int                        c = getopt_long(argc, argv, "h", options, NULL);
  if (c == 'h') printf("%s", command->help);
  if (c == 'h') return CLI_OK + 1;
  return c != -1 || optind != argc ? cli_usage(command) + 1 : 0;
}

static void print_help(FILE *file) {
  fprintf(file, "usage: secant COMMAND [ARGUMENTS]\n\nLooks at programs of Secant: jaxpr text in; "
                "jaxpr, MLIR or machine code out.\n\n");
  for (size_t i = 0; i < N_COMMANDS; i++)
    fprintf(file, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
  fprintf(file, "\n`secant COMMAND --help` tells more.\n");
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
    print_help(stdout);
    return CLI_OK;
  }
  if (strcmp(name, "--version") == 0) name = "version";
  for (size_t i = 0; i < N_COMMANDS; i++)
    if (strcmp(commands[i]->name, name) == 0) return commands[i]->run(argc - 1, argv + 1);
  if (*name) fprintf(stderr, "secant: there is no command %s\n\n", name);
  print_help(stderr);
  return CLI_USAGE;
}
