/* Weigh the giant planets: Gauss-Newton on 60 years of JPL positions, from nothing but positions.
 *
 *   planets [planets.csv]
 *
 * The same program as planets.py, through secant.h only.  Ends with status 1 if a mass is off by more
 * than 5e-4 of the known value, 2 on an error.  The unknowns are one vector p of 28: four masses (Sun = 1),
 * then the positions [au] and the velocities [au/day] of the first day as seen from the Sun, each
 * [xyz, planet]. */
#include <secant.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PLANETS = 4, UNKNOWNS = 28, MOST_STEPS = 8, MOST_SAMPLES = 2000, ROW = 12 };

static const char *const NAMES[PLANETS] = {"Jupiter", "Saturn", "Uranus", "Neptune"};
/* Sun / planet with moons: IAU 2009 system of constants. */
static const double KNOWN[PLANETS] = {1047.348644, 3497.9018, 22902.98, 19412.26};
static const double TOLERANCE = 5e-4; /* relative, of each mass */
static const double STEP = 20.0;      /* days */

/* Gauss's constant squared is the Sun's GM in au^3/day^2 (exactly so in DE421).  The inner planets are
 * not modelled one by one: their masses (IAU 2009) are added to the Sun's. */
static const double GAUSS = 0.01720209895;
static const double INNER = 1 / 6023600.0 + 1 / 408523.719 + 1 / 328900.5596 + 1 / 3098703.59;

/* The traced values that every step needs. */
typedef struct forces { sec_value gm, near; } forces;

static double seconds_now(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static sec_value times(double factor, sec_value x) { return sec_mul(sec_scalar(factor), x); }

static sec_value sum_axis(sec_value x, int64_t axis) { return sec_reduce_sum(x, &axis, 1); }

static sec_value identity(int64_t n) {
  sec_value row = sec_iota(SEC_I32, SEC_SHAPE(n, n), 0), column = sec_iota(SEC_I32, SEC_SHAPE(n, n), 1);
  return sec_convert(sec_eq(row, column), SEC_F64, false);
}

/* x / |x|^3 = x / (r2 sqrt(r2)) */
static sec_value over_cube(sec_value x, sec_value r2) { return sec_div(x, sec_mul(r2, sec_sqrt(r2))); }

/* Seen from the Sun: its pull, the planets' pull, less the planets' pull on the Sun.  x: [3, 4]. */
static sec_value acceleration(sec_value x, const forces *f) {
  sec_value to = sec_reshape(x, SEC_SHAPE(3, 1, PLANETS)), from = sec_reshape(x, SEC_SHAPE(3, PLANETS, 1));
  sec_value d = sec_sub(to, from); /* [xyz, i, j]: from planet i to planet j */
  sec_value r2 = sec_add(sum_axis(sec_mul(d, d), 0), f->near);
  sec_value sun = over_cube(x, sum_axis(sec_mul(x, x), 0));
  sec_value pull = sum_axis(sec_mul(d, over_cube(f->gm, r2)), 2);
  sec_value on_sun = sec_reshape(sum_axis(sec_mul(f->gm, sun), 1), SEC_SHAPE(3, 1));
  return sec_sub(sec_sub(pull, times(GAUSS * GAUSS * (1 + INNER), sun)), on_sun);
}

/* One step: drift, kick, drift, kick, drift, kick, drift.
 * E. Forest, R. D. Ruth, Physica D 43 (1990) 105, eq. 4.8.
 * (x, v) -> (x, v, x before the step) */
static void advance(const sec_value *in, sec_value *out, void *user) {
  const double theta = 1 / (2 - cbrt(2));
  const double drifts[4] = {theta / 2, (1 - theta) / 2, (1 - theta) / 2, theta / 2};
  const double kicks[3] = {theta, 1 - 2 * theta, theta};
  sec_value x = in[0], v = in[1];
  for (int i = 0; i < 3; i++) {
    x = sec_add(x, times(drifts[i] * STEP, v));
    v = sec_add(v, times(kicks[i] * STEP, acceleration(x, user)));
  }
  out[0] = sec_add(x, times(drifts[3] * STEP, v));
  out[1] = v;
  out[2] = in[0];
}

/* Elements start .. start+11 of p as [3, 4]. */
static sec_value matrix_of(sec_value p, int64_t start) {
  return sec_reshape(sec_slice(p, &start, &(int64_t){start + ROW}, NULL), SEC_SHAPE(3, PLANETS));
}

/* p -> the positions at every step, [samples, 3, 4].  user: the number of samples */
static void path(const sec_value *in, sec_value *out, void *user) {
  sec_value masses = sec_slice(in[0], &(int64_t){0}, &(int64_t){PLANETS}, NULL);
  forces f = {times(GAUSS * GAUSS, masses), identity(PLANETS)};
  sec_value start[2] = {matrix_of(in[0], PLANETS), matrix_of(in[0], PLANETS + ROW)}, end[3];
  sec_scan_fn(advance, &f, 2, 0, 1, *(int64_t *)user, false, start, end);
  out[0] = end[2];
}

typedef struct fit {
  int64_t samples;
  sec_fn *path, *jacobian, *improve;
} fit;

/* p -> the path and its derivative [28, samples, 3, 4]: one pass with 28 tangents side by side. */
static void jacobian(const sec_value *in, sec_value *out, void *user) {
  sec_fn *along = sec_vmap_named(sec_jvp(((fit *)user)->path), (int[]){SEC_NOT_MAPPED, 0},
                                 (int[]){SEC_NOT_MAPPED, 0}, NULL);
  sec_apply(along, (sec_value[]){in[0], identity(UNKNOWNS)}, out);
}

/* One step of Gauss and Newton, the unknowns scaled to columns of length one: (p, seen) -> p */
static void improve(const sec_value *in, sec_value *out, void *user) {
  const fit *f = user;
  sec_value at[2];
  sec_apply(f->jacobian, in, at);
  sec_value r = sec_reshape(sec_sub(at[0], in[1]), SEC_SHAPE(f->samples * ROW));
  sec_value j = sec_reshape(at[1], SEC_SHAPE(UNKNOWNS, f->samples * ROW));
  sec_value scale = sec_sqrt(sum_axis(sec_mul(j, j), 1));
  j = sec_div(j, sec_reshape(scale, SEC_SHAPE(UNKNOWNS, 1)));
  sec_value normal = sec_matmul(j, sec_transpose(j, (const int64_t[]){1, 0}));
  out[0] = sec_sub(in[0], sec_div(sec_solve(normal, sec_matmul(j, r)), scale));
}

/* Reads the rows "jd, 12 positions"; returns their number, 0 if the file cannot be read. */
static int64_t load(const char *file_name, double *seen) {
  FILE *file = fopen(file_name, "r");
  char line[1024];
  int64_t n = 0;
  while (file && n < MOST_SAMPLES && fgets(line, sizeof line, file)) {
    char *at = line;
    if (*at < '0' || *at > '9') continue;
    strtod(at, &at); /* the day */
    for (int i = 0; i < ROW; i++) seen[n * ROW + i] = strtod(at + (*at == ','), &at);
    n++;
  }
  if (file) fclose(file);
  return n;
}

/* The first guess: planets weigh nothing; velocities from the first five positions by differences. */
static void first_guess(const double *seen, double *p) {
  static const double weights[5] = {-25.0 / 12, 4, -3, 4.0 / 3, -1.0 / 4};
  memset(p, 0, UNKNOWNS * sizeof *p);
  memcpy(p + PLANETS, seen, ROW * sizeof *p);
  for (int i = 0; i < ROW; i++)
    for (int k = 0; k < 5; k++) p[PLANETS + ROW + i] += weights[k] * seen[k * ROW + i] / STEP;
}

/* Root of the mean square of computed less seen positions [au]. */
static double misfit(const double *computed, const double *seen, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (computed[i] - seen[i]) * (computed[i] - seen[i]);
  return sqrt(sum / (double)n);
}

static void print_step(int step, double error, const double *masses) {
  printf("  %4d%14.1e", step, error);
  for (int i = 0; i < PLANETS; i++) {
    if (masses[i] != 0)
      printf("%14.2f", 1 / masses[i]);
    else
      printf("%14s", "-");
  }
  puts(step == 0 ? "   start: planets weigh nothing" : "");
}

/* Improves *p, which it replaces, until the misfit stands still. */
static sec_status solve(fit *f, sec_array **p, sec_array *seen) {
  double last = INFINITY;
  for (int step = 0; step <= MOST_STEPS; step++) {
    sec_array *now, *next;
    SEC_TRY(sec_call(f->path, p, &now));
    double error = misfit(sec_array_data(now), sec_array_data(seen), f->samples * ROW);
    sec_array_release(now);
    print_step(step, error, sec_array_data(*p));
    if (fabs(error / last - 1) < 1e-4) break;
    last = error;
    SEC_TRY(sec_call(f->improve, (sec_array *[]){*p, seen}, &next));
    sec_array_release(*p);
    *p = next;
  }
  return SEC_OK;
}

/* The best time of a Jacobian on `threads` threads [s]. */
static sec_status time_jacobian(fit *f, sec_array *p, int threads, double *best) {
  sec_set_num_threads(threads);
  *best = INFINITY;
  for (int i = 0; i < 30; i++) {
    sec_array *out[2];
    double start = seconds_now();
    SEC_TRY(sec_call(f->jacobian, &p, out));
    *best = fmin(*best, seconds_now() - start);
    sec_array_release(out[0]);
    sec_array_release(out[1]);
  }
  sec_set_num_threads(0);
  return SEC_OK;
}

static sec_status print_times(sec_context *cx, fit *f, sec_array *p) {
  int all = sec_num_threads();
  double best;
  printf("\n  the derivative (%lld x %d numbers)\n", (long long)(f->samples * ROW), UNKNOWNS);
  for (int threads = 1; threads <= all; threads += all > 1 ? all - 1 : 1) {
    SEC_TRY(time_jacobian(f, p, threads, &best));
    printf("    Secant from C, %d core%s %10.2f ms\n", threads, threads > 1 ? "s" : " ", best * 1e3);
  }
  printf("  compile, all functions: %.2f s\n", sec_cache_get_stats(cx).compile_seconds);
  return SEC_OK;
}

/* Prints the known values and the verdict; the largest relative error. */
static double judge(const double *masses) {
  double worst = 0;
  printf("  known%13s", "");
  for (int i = 0; i < PLANETS; i++) {
    printf("%14.2f", KNOWN[i]);
    double off = fabs(1 / masses[i] / KNOWN[i] - 1);
    if (!(off <= worst)) worst = off;
  }
  puts("   (IAU 2009)");
  for (int i = 0; i < PLANETS; i++)
    if (!(fabs(1 / masses[i] / KNOWN[i] - 1) <= TOLERANCE)) printf("  %s is off\n", NAMES[i]);
  return worst;
}

static int run(sec_context *cx, const double *positions, int64_t samples) {
  double guess[UNKNOWNS];
  first_guess(positions, guess);
  fit f = {.samples = samples};
  f.path = sec_fn_create(cx, "path", path, &f.samples, 1, 1);
  f.jacobian = sec_fn_create(cx, "jacobian", jacobian, &f, 1, 2);
  f.improve = sec_fn_create(cx, "improve", improve, &f, 2, 1);
  sec_array *seen = sec_array_create_f64(cx, SEC_SHAPE(samples, 3, PLANETS), positions);
  sec_array *p = sec_array_create_f64(cx, SEC_SHAPE(UNKNOWNS), guess);

  puts("Secant from C: weighing the giant planets from 60 years of JPL positions (DE421, 1950-2010)");
  printf("  %4s%14s", "step", "misfit (au)");
  for (int i = 0; i < PLANETS; i++) printf("%*s%s", 14 - (int)strlen(NAMES[i]), "Sun/", NAMES[i]);
  puts("");
  int code = 2;
  if (solve(&f, &p, seen) == SEC_OK) {
    double worst = judge(sec_array_data(p));
    code = worst <= TOLERANCE ? 0 : 1;
    if (print_times(cx, &f, p) != SEC_OK) code = 2;
    printf("\n  masses within %.1e of the known values: %s\n", worst, code == 0 ? "ok" : "OFF");
  }
  if (code == 2) fprintf(stderr, "%s\n", sec_error_message(cx));
  sec_array_release(seen);
  sec_array_release(p);
  return code;
}

int main(int argc, char **argv) {
  static double positions[MOST_SAMPLES * ROW];
  const char *file_name = argc > 1 ? argv[1] : "benchmarks/planets/planets.csv";
  int64_t samples = load(file_name, positions);
  if (samples < 5) {
    fprintf(stderr, "planets: cannot read %s\n", file_name);
    return 2;
  }
  sec_context *cx = sec_context_create();
  int code = run(cx, positions, samples);
  sec_context_destroy(cx);
  return code;
}
