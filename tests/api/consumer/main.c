/* A program of somebody else's: the gradient of sum(x^3) at (1, 2). */
#include <secant.h>
#include <secant/secant.h>
#include <stdio.h>

static void cubes(const sec_value *in, sec_value *out, void *user) {
  (void)user;
  out[0] = sec_sum(sec_integer_pow(in[0], 3));
}

int main(void) {
  sec_context *cx = sec_context_create();
  sec_array *x = sec_array_create_f64(cx, SEC_SHAPE(2), (double[]){1, 2}), *g = NULL;
  if (sec_call(sec_grad(sec_fn_create(cx, "cubes", cubes, NULL, 1, 1), 0), &x, &g) != SEC_OK) {
    fprintf(stderr, "%s\n", sec_error_message(cx));
    return 1;
  }
  printf("%s %g %g\n", sec_version(), ((double *)sec_array_data(g))[0], ((double *)sec_array_data(g))[1]);
  sec_array_release(x);
  sec_array_release(g);
  sec_context_destroy(cx);
  return 0;
}
