/* secant opt: transforms a jaxpr, left to right, and prints the result. */
#include "cli.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARGUMENTS = 256, DEFAULT_LANES = 2 };

/* A transform of the command line: *out is new; `argument` is what stands after "=", or NULL. */
typedef sec_status (*transform_fn)(const sec_jaxpr *j, const char *argument, sec_jaxpr **out);
typedef struct transform {
  const char  *name;
  int          has_argument;
  transform_fn apply;
} transform;
typedef struct step {
  const transform *transform;
  const char      *argument;
} step;

static sec_status bad_argument(const char *what, const char *argument, const char *hint) {
  return sec_error_set(SEC_ARGUMENT, hint, "%s: cannot read \"%s\"", what, argument);
}

/* "0,none,1": ints, SEC_NOT_MAPPED for none; -1 on a mistake. */
static int parse_axes(const char *text, int *axes) {
  int n = 0;
  for (const char *at = text; n < MAX_ARGUMENTS; at++) {
    char *end;
    if (strncmp(at, "none", 4) == 0) {
      axes[n++] = SEC_NOT_MAPPED;
      end = (char *)at + 4;
    } else {
      axes[n++] = (int)strtol(at, &end, 10);
      if (end == at) return -1;
    }
    at = end;
    if (*at == 0 || *at == ':') return n;
    if (*at != ',') return -1;
  }
  return -1;
}

static sec_status grad_of(const sec_jaxpr *j, const char *argument, bool with_value,
                          sec_jaxpr **out) {
  int argnums[MAX_ARGUMENTS], n = parse_axes(argument ? argument : "0", argnums);
  for (int i = 0; i < n; i++)
    if (argnums[i] < 0 || argnums[i] >= sec_jaxpr_n_in(j)) n = -1;
  if (n < 0)
    return bad_argument("--grad", argument, "name arguments of the jaxpr by number: --grad=0,1");
  return sec_jaxpr_grad(j, argnums, n, with_value, out);
}
static sec_status apply_grad(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  return grad_of(j, argument, false, out);
}
static sec_status apply_value_and_grad(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  return grad_of(j, argument, true, out);
}

/* AXES[:SIZE[:NAME]] */
static sec_status apply_vmap(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  int         in_axes[MAX_ARGUMENTS], out_axes[MAX_ARGUMENTS] = {0};
  const char *text = argument ? argument : "0", *size = strchr(text, ':'),
             *name = size ? strchr(size + 1, ':') : NULL;
  int n = parse_axes(text, in_axes), n_in = sec_jaxpr_n_in(j);
  if (n == 1)
    for (; n < n_in && n < MAX_ARGUMENTS; n++) in_axes[n] = in_axes[0];
  if (n != n_in || sec_jaxpr_n_out(j) > MAX_ARGUMENTS)
    return bad_argument("--vmap", text, "give one axis an argument, or none: --vmap=0,none:8");
  int64_t lanes = size ? strtoll(size + 1, NULL, 10) : DEFAULT_LANES;
  if (lanes < 0)
    return bad_argument("--vmap", text, "the size of the mapped axis is 0 or more: --vmap=0:8");
  return sec_jaxpr_vmap(j, in_axes, out_axes, lanes, name ? name + 1 : NULL, out);
}

static sec_status apply_jvp(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  (void)argument;
  return sec_jaxpr_jvp(j, NULL, NULL, out);
}

static void float_inputs(const sec_jaxpr *j, bool *wrt) {
  for (int i = 0; i < sec_jaxpr_n_in(j) && i < MAX_ARGUMENTS; i++)
    wrt[i] = sec_dtype_kind(sec_aval_dtype(sec_jaxpr_in_aval(j, i))) >= SEC_KIND_FLOAT;
}

static sec_status apply_vjp(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  bool wrt[MAX_ARGUMENTS] = {false};
  (void)argument;
  float_inputs(j, wrt);
  return sec_jaxpr_vjp(j, wrt, out);
}

/* "primal" or "linear": that part of the linearized function. */
static sec_status apply_linearize(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  bool       wrt[MAX_ARGUMENTS] = {false}, linear = argument && strcmp(argument, "linear") == 0;
  sec_jaxpr *parts[2] = {NULL, NULL};
  int        n_residuals;
  if (argument && !linear && strcmp(argument, "primal") != 0)
    return bad_argument("--linearize", argument, "--linearize=primal or --linearize=linear");
  float_inputs(j, wrt);
  sec_status status = sec_jaxpr_linearize(j, wrt, &parts[0], &parts[1], &n_residuals);
  if (status != SEC_OK) return status;
  *out = parts[linear];
  sec_jaxpr_release(parts[!linear]);
  return SEC_OK;
}

static sec_status apply_transpose(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  return sec_jaxpr_transpose(j, argument ? atoi(argument) : 0, out);
}

static sec_status call_in_trace(const sec_jaxpr *j, sec_trace *t, sec_jaxpr **out) {
  sec_value in[MAX_ARGUMENTS], results[MAX_ARGUMENTS];
  for (int i = 0; i < sec_jaxpr_n_in(j); i++)
    in[i] = sec_trace_input_aval(t, sec_jaxpr_in_aval(j, i));
  sec_status status = sec_jit_call("f", (sec_jaxpr *)j, in, results);
  if (status == SEC_OK) return sec_trace_end(t, results, sec_jaxpr_n_out(j), out);
  sec_trace_abandon(t);
  return status;
}

static sec_status apply_jit(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  (void)argument;
  if (sec_jaxpr_n_in(j) > MAX_ARGUMENTS || sec_jaxpr_n_out(j) > MAX_ARGUMENTS ||
      sec_jaxpr_n_consts(j) > 0)
    return sec_error_set(SEC_ARGUMENT, "use at most 256 inputs and results, and no captured arrays",
                         "--jit: the jaxpr does not fit");
  sec_trace *t = sec_trace_begin(sec_jaxpr_context(j), "jit");
  return t ? call_in_trace(j, t, out) : sec_error_status(NULL);
}

static sec_status apply_simplify(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  (void)argument;
  return sec_jaxpr_simplify(j, false, out);
}
static sec_status apply_inline(const sec_jaxpr *j, const char *argument, sec_jaxpr **out) {
  (void)argument;
  return sec_jaxpr_simplify(j, true, out);
}

static const transform transforms[] = {{"grad", optional_argument, apply_grad},
                                       {"value-and-grad", optional_argument, apply_value_and_grad},
                                       {"vmap", optional_argument, apply_vmap},
                                       {"jvp", no_argument, apply_jvp},
                                       {"vjp", no_argument, apply_vjp},
                                       {"linearize", optional_argument, apply_linearize},
                                       {"transpose", optional_argument, apply_transpose},
                                       {"jit", no_argument, apply_jit},
                                       {"simplify", no_argument, apply_simplify},
                                       {"inline", no_argument, apply_inline}};
enum { N_TRANSFORMS = sizeof transforms / sizeof *transforms, MAX_STEPS = 64 };

static int transform_and_print(const char *path, const step *steps, int n) {
  sec_context *cx = sec_context_create();
  if (!cx) return cli_failed(cx);
  sec_jaxpr *j = cli_read(cx, path);
  int        code = j ? CLI_OK : CLI_FAILED;
  for (int i = 0; i < n && code == CLI_OK; i++) {
    sec_jaxpr *next = NULL;
    if (steps[i].transform->apply(j, steps[i].argument, &next) != SEC_OK) code = cli_failed(cx);
    sec_jaxpr_release(j);
    j = next;
  }
  if (code == CLI_OK) code = cli_print(cx, j);
  sec_jaxpr_release(j);
  sec_context_destroy(cx);
  return code;
}

static int run(int argc, char **argv) {
  struct option options[N_TRANSFORMS + 2] = {{0}};
  step          steps[MAX_STEPS];
  int           n = 0;
  for (int i = 0; i < N_TRANSFORMS; i++)
    options[i] = (struct option){transforms[i].name, transforms[i].has_argument, NULL, 256 + i};
  options[N_TRANSFORMS] = (struct option){"help", no_argument, NULL, 'h'};
  for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    if (c == 'h') {
      printf("%s", cli_opt.help);
      return CLI_OK;
    }
    if (c < 256 || n == MAX_STEPS) return cli_usage(&cli_opt);
    steps[n++] = (step){&transforms[c - 256], optarg};
  }
  return optind + 1 == argc ? transform_and_print(argv[optind], steps, n) : cli_usage(&cli_opt);
}

const cli_command cli_opt = {
    "opt", "a jaxpr after transforms",
    "usage: secant opt [TRANSFORM]... FILE\n\n"
    "Reads a jaxpr from FILE (- is standard input), applies the transforms from left to right, "
    "prints the result.\n"
    "  --grad[=ARGNUMS]             gradient of result 0 by arguments (0)\n"
    "  --value-and-grad[=ARGNUMS]   the results, then the gradients\n"
    "  --vmap[=AXES[:SIZE[:NAME]]]  one axis an argument, or none: --vmap=0,none:8 (0 everywhere, "
    "size 2)\n"
    "  --jvp                        (primals, tangents) -> (results, tangents)\n"
    "  --vjp                        (primals, cotangents) -> (results, cotangents)\n"
    "  --linearize[=primal|linear]  one half of the linearized function\n"
    "  --transpose[=N]              of a function that is linear in the arguments from N on (0)\n"
    "  --jit                        the whole as one call\n"
    "  --simplify                   without dead code and repetitions\n"
    "  --inline                     the same with calls inlined\n",
    run};
