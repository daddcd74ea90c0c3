/* secant cache: the compiled kernels on disk. */
#include "cli.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_text(sec_context *cx, const char *what) {
  char *text = sec_disk_cache_text(cx, what);
  if (!text) return cli_failed(cx);
  fputs(text, stdout);
  free(text);
  return CLI_OK;
}

static int clear(sec_context *cx) {
  int64_t n;
  if (sec_disk_cache_clear(cx, &n) != SEC_OK) return cli_failed(cx);
  printf("%" PRId64 " kernel%s deleted\n", n, n == 1 ? "" : "s");
  return CLI_OK;
}

static int run(int argc, char **argv) {
  const char *what = argc == 2 ? argv[1] : "";
  if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
    printf("%s", cli_cache.help);
    return CLI_OK;
  }
  bool list = strcmp(what, "ls") == 0, stats = strcmp(what, "stats") == 0;
  if (!list && !stats && strcmp(what, "clear") != 0) return cli_usage(&cli_cache);
  sec_context *cx = sec_context_create();
  int          code = !cx ? cli_failed(cx) : list || stats ? print_text(cx, list ? "list" : "stats") : clear(cx);
  sec_context_destroy(cx);
  return code;
}

const cli_command cli_cache = {
    "cache", "the compiled kernels that are kept on disk",
    "usage: secant cache ls | stats | clear\n\n"
    "Compiled kernels are kept in a directory, where later processes find them:\n"
    "SECANT_CACHE_DIR (empty or off: none), else XDG_CACHE_HOME/secant, else ~/.cache/secant.\n"
    "It holds SECANT_CACHE_LIMIT bytes (256M); what was not used for longest goes first.\n"
    "  ls      one line a kernel, used last first: when, the key's beginning, what it computes\n"
    "  stats   where, how many, how much, whether it can be written\n"
    "  clear   deletes them\n",
    run};
