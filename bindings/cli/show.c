/* secant show: the text of one stage of compilation. */
#include "cli.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `text`: the executable's name of the stage; NULL for those before compilation. */
typedef struct stage {
  const char *name, *text;
} stage;
static const stage stages[] = {{"jaxpr", NULL},  {"simplified", NULL},   {"groups", "groups"},
                               {"mlir", "mlir"}, {"lowered", "lowered"}, {"llvm", "llvm"},
                               {"asm", "asm"}};
#define N_STAGES (sizeof stages / sizeof *stages)

static int show_simplified(sec_context *cx, const sec_jaxpr *j) {
  sec_jaxpr *simple;
  if (sec_jaxpr_simplify(j, true, &simple) != SEC_OK) return cli_failed(cx);
  int code = cli_print(cx, simple);
  sec_jaxpr_release(simple);
  return code;
}

static int show_compiled(sec_context *cx, const sec_jaxpr *j, const char *text_name) {
  sec_executable *e;
  if (sec_compile(cx, j, NULL, &e) != SEC_OK) return cli_failed(cx);
  char *text = sec_executable_text(e, text_name);
  int   code = text ? CLI_OK : cli_failed(cx);
  if (text) printf("%s%s", text, *text && text[strlen(text) - 1] == '\n' ? "" : "\n");
  free(text);
  sec_executable_release(e);
  return code;
}

static int show(const char *path, const stage *s) {
  sec_context *cx = sec_context_create();
  if (!cx) return cli_failed(cx);
  sec_jaxpr *j = cli_read(cx, path);
  int        code = CLI_FAILED;
  if (j)
    code = s->text                              ? show_compiled(cx, j, s->text)
           : strcmp(s->name, "simplified") == 0 ? show_simplified(cx, j)
                                                : cli_print(cx, j);
  sec_jaxpr_release(j);
  sec_context_destroy(cx);
  return code;
}

static const stage *find_stage(const char *name) {
  for (size_t i = 0; i < N_STAGES; i++)
    if (strcmp(stages[i].name, name) == 0) return &stages[i];
  fprintf(stderr, "secant show: there is no stage %s\n\n", name);
  return NULL;
}

static int run(int argc, char **argv) {
  static const struct option options[] = {
      {"stage", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {0}};
  const stage *s = &stages[0];
  for (int c; (c = getopt_long(argc, argv, "s:h", options, NULL)) != -1;) {
    if (c == 'h') {
      printf("%s", cli_show.help);
      return CLI_OK;
    }
    s = c == 's' ? find_stage(optarg) : NULL;
    if (!s) return cli_usage(&cli_show);
  }
  return optind + 1 == argc ? show(argv[optind], s) : cli_usage(&cli_show);
}

const cli_command cli_show = {
    "show", "a jaxpr at a stage of its way to machine code",
    "usage: secant show [--stage STAGE] FILE\n\n"
    "Reads a jaxpr from FILE (- is standard input) and prints it at STAGE:\n"
    "  jaxpr       as it was read (the default)\n"
    "  simplified  calls inlined, dead code and common subexpressions removed\n"
    "  groups      fused groups: what is computed together\n"
    "  mlir        the MLIR module of the groups\n"
    "  lowered     the same after the passes\n"
    "  llvm        LLVM IR\n"
    "  asm         assembly for this processor\n",
    run};
