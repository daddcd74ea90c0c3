/* The special functions of core/special.h against values of mpmath to 18 digits, and at the ends of their domains. */
#include "special.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define F(name) #name, sec_special_##name

typedef struct row {
  const char *name;
  double (*f)(const double *x);
  double x[SEC_SPECIAL_MAX_IN], value;
} row;

/* Operands are exact in binary or not near where the function is steep. */
static const row values[] = {
  {F(lgamma), {0.001}, 6.90717888538385366},
  {F(lgamma), {0.5}, 0.572364942924700087},
  {F(lgamma), {2.5}, 0.28468287047291916},
  {F(lgamma), {100}, 359.134205369575399},
  {F(lgamma), {-2.5}, -0.0562437164976740507},
  {F(lgamma), {10000000000}, 220258509288.810581},
  {F(digamma), {0.001}, -1000.57557193181028},
  {F(digamma), {0.5}, -1.96351002602142348},
  {F(digamma), {7.25}, 1.91045352688373603},
  {F(digamma), {-2.75}, -1.95905526497799701},
  {F(digamma), {1000000}, 13.8155100579641908},
  {F(polygamma), {1, 0.5}, 4.93480220054467931},
  {F(polygamma), {3, 2.25}, 0.324544009188396023},
  {F(polygamma), {5, 30}, 1.07269949361616239e-6},
  {F(polygamma), {2, -1.25}, 123.72136678366236},
  {F(polygamma), {120, 20}, -2.52320456914962229e+41},
  {F(zeta), {1.0625, 1}, 16.5817476466550214},
  {F(zeta), {2, 0.25}, 17.1973291545071107},
  {F(zeta), {30, 300}, 5.27130978333784223e-74},
  {F(zeta), {3, -1.75}, 62.106910677115291},
  {F(zeta), {6.5, 1000}, 5.76542426304732465e-18},
  {F(zeta_grad), {1, 2, 1}, -0.937548254315843754},
  {F(zeta_grad), {2, 1.5, 0.25}, 31.3692013613017783},
  {F(zeta_grad), {1, 40, 3}, -9.03649007211356931e-20},
  {F(betaln), {0.5, 0.25}, 1.65710651619148217},
  {F(betaln), {3, 40}, -10.4469739585416671},
  {F(betaln), {1000000, 0.01}, 4.46132477741237977},
  {F(betaln), {50, 70}, -82.2686039684236558},
  {F(betaln), {100000000, 100000000}, -138629444.056817309},
  {F(igamma), {0.5, 0.25}, 0.520499877813046538},
  {F(igamma), {2.5, 1.5}, 0.300014164121372491},
  {F(igamma), {30, 45}, 0.992662800702203496},
  {F(igamma), {1000, 990}, 0.379521378537963941},
  {F(igamma), {0.001, 2}, 0.999951023082169019},
  {F(igammac), {0.5, 0.25}, 0.479500122186953462},
  {F(igammac), {2.5, 9}, 0.00294640458788029037},
  {F(igammac), {30, 45}, 0.00733719929779650363},
  {F(igammac), {1000, 1040}, 0.104026911543107046},
  {F(igammac), {0.001, 2}, 0.0000489769178309814798},
  {F(igamma_grad_a), {0.5, 0.25}, -0.797947316783222941},
  {F(igamma_grad_a), {2.5, 1.5}, -0.25217540042362785},
  {F(igamma_grad_a), {30, 25}, -0.0499548774258348562},
  {F(random_gamma_grad), {0.5, 0.25}, 0.908014491764111317},
  {F(random_gamma_grad), {2.5, 1.5}, 0.817793685953909759},
  {F(random_gamma_grad), {30, 35}, 1.0850658643202265},
  {F(regularized_incomplete_beta), {0.5, 0.25, 0.75}, 0.445514890183131231},
  {F(regularized_incomplete_beta), {2, 3, 0.125}, 0.078857421875},
  {F(regularized_incomplete_beta), {200, 300, 0.4375}, 0.95560009413403892},
  {F(regularized_incomplete_beta), {0.01, 5, 0.5}, 0.999889784288554189},
  {F(erfcx), {-3}, 16205.9888539995866},
  {F(erfcx), {0.5}, 0.615690344192925875},
  {F(erfcx), {10}, 0.0561409927438225859},
  {F(erfcx), {1000}, 0.000564189301453387654},
  {F(ndtri), {0.25}, -0.674489750196081743},
  {F(ndtri), {0.75}, 0.674489750196081743},
  {F(ndtri), {0.501953125}, 0.00489577790634245161},
  {F(ndtri), {9.3132257461547852e-10}, -6.00935356553074389},
  {F(ndtri), {9.3326361850321888e-302}, -37.1110119371647914},
  {F(igamma_grad), {2, 2.5, 1.5}, 0.136554033455009492},
  {F(igamma_grad), {2, 3, 9}, -0.0097431442598343106},
  {F(igamma_grad), {5, 2.5, 1.5}, -0.0917963573327126454},
  {F(igamma_grad), {8, 3, 9}, -0.00388740882873040581},
  {F(dawsn), {0.001}, 0.000999999333333600021},
  {F(dawsn), {0.9375}, 0.540948436287198929},
  {F(dawsn), {6}, 0.0845426889745438522},
  {F(dawsn), {-20}, -0.0250313679264036719},
  {F(expi), {-2}, -0.0489005107080611196},
  {F(expi), {0.25}, -0.54254326466191373},
  {F(expi), {10}, 2492.22897624187776},
  {F(expi), {60}, 1.93618221392927654e+24},
  {F(expn), {1, 0.5}, 0.559773594776160812},
  {F(expn), {3, 2}, 0.0301333797978158932},
  {F(expn), {2, 1}, 0.148495506775922048},
  {F(expn), {40, 0.25}, 0.0198387557570042436},
  {F(expn), {6000, 3}, 8.29507901049921195e-6},
  {F(spence_grad), {0, 0.25}, 0.978469392930306104},
  {F(spence_grad), {0, 1.5}, -0.448414206923646202},
  {F(spence_grad), {0, 10}, -3.95066377824415773},
  {F(spence_grad), {1, 1.0009765625}, -0.999512036408789909},
  {F(spence_grad), {2, 0.75}, 0.730420174104838494},
  {F(spence_grad), {3, 4}, -0.0262995823051770829},
  {F(sine_integral), {0.5}, 0.493107418043066689},
  {F(sine_integral), {-3}, -1.84865252799946826},
  {F(sine_integral), {10}, 1.65834759421887405},
  {F(sine_integral), {10000}, 1.57089154538596192},
  {F(cosine_integral), {0.5}, -0.177784078806612901},
  {F(cosine_integral), {3}, 0.119629786008000328},
  {F(cosine_integral), {10}, -0.0454564330044553726},
  {F(cosine_integral), {10000}, -0.0000305519167244852127},
  {F(fresnel_s), {0.5}, 0.0647324328599992776},
  {F(fresnel_s), {1.75}, 0.499384674590674552},
  {F(fresnel_s), {-20}, -0.484084535925953893},
  {F(fresnel_c), {0.5}, 0.492344225871446393},
  {F(fresnel_c), {1.75}, 0.32193504614953786},
  {F(fresnel_c), {-20}, -0.499987334972344388},
  {F(owens_t), {0.5, 0.25}, 0.0343202171270942096},
  {F(owens_t), {2, 3}, 0.0113750659715450406},
  {F(owens_t), {-1, -0.75}, -0.0573647267816791488},
  {F(owens_t), {5, 0.125}, 6.92419988083430735e-8},
  {F(bessel_jn), {0, 1.5}, 0.511827671735918129},
  {F(bessel_jn), {3, 10}, 0.0583793793051868123},
  {F(bessel_jn), {2, 0.125}, 0.00195058310992969289},
  {F(hyp1f1_grad), {0, 1.5, 2.5, 3}, 7.93166246514957792},
  {F(hyp1f1_grad), {0, 0.5, 1.25, -20}, 0.166482496981692368},
  {F(hyp1f1_grad), {0, 0.5, 1.25, 150}, 1.66703222169692291e+63},
  {F(hyp1f1_grad), {1, 1.5, 2.5, 2}, 2.75557050126726769},
  {F(hyp1f1_grad), {4, 1.5, 2.5, 2}, -1.77915090072926225},
  {F(hyp1f1_grad), {16, 1.5, 2.5, 2}, 2.71545333325242714},
  {F(hyp2f1_grad), {0, 0.5, 1.5, 2.25, 0.5}, 1.24163611941585197},
  {F(hyp2f1_grad), {0, 0.5, 1.5, 2.25, -4}, 0.544489358944083168},
  {F(hyp2f1_grad), {0, 0.5, 1.25, 2.375, 0.96875}, 1.71380079470882602},
  {F(hyp2f1_grad), {1, 0.5, 1.5, 2.25, 0.5}, 0.54842243668289273},
  {F(hyp2f1_grad), {16, 0.5, 1.5, 2.25, 0.5}, -0.139835939861184564},
  {F(hyp2f1_grad), {64, 0.5, 1.5, 2.25, 0.5}, 0.722411851338440147},
};

static const row ends[] = {
  {F(lgamma), {0}, INFINITY},
  {F(lgamma), {-INFINITY}, INFINITY},
  {F(digamma), {0}, NAN},
  {F(digamma), {-3}, NAN},
  {F(digamma), {INFINITY}, INFINITY},
  {F(polygamma), {0.5, 2}, NAN},
  {F(zeta), {1, 2}, INFINITY},
  {F(zeta), {0.5, 2}, NAN},
  {F(zeta), {2, -1}, INFINITY},
  {F(zeta), {3, -1}, NAN},
  {F(zeta), {2.5, -0.5}, NAN},
  {F(igamma), {2, 0}, 0},
  {F(igamma), {2, INFINITY}, 1},
  {F(igamma), {-1, 2}, NAN},
  {F(igamma), {0, 0}, NAN},
  {F(igammac), {2, 0}, 1},
  {F(igammac), {0, 2}, 0},
  {F(regularized_incomplete_beta), {2, 3, 0}, 0},
  {F(regularized_incomplete_beta), {2, 3, 1}, 1},
  {F(regularized_incomplete_beta), {2, 3, 1.5}, NAN},
  {F(regularized_incomplete_beta), {0, 0, 0.5}, NAN},
  {F(erfcx), {-40}, INFINITY},
  {F(erfcx), {INFINITY}, 0},
  {F(dawsn), {INFINITY}, 0},
  {F(expi), {0}, -INFINITY},
  {F(expn), {1, 0}, INFINITY},
  {F(expn), {3, 0}, 0.5},
  {F(expn), {1, -1}, NAN},
  {F(spence_grad), {0, 0}, 1.64493406684822644},
  {F(spence_grad), {0, 1}, 0},
  {F(spence_grad), {0, -1}, NAN},
  {F(spence_grad), {1, 1}, -1},
  {F(sine_integral), {-INFINITY}, -1.57079632679489662},
  {F(cosine_integral), {0}, -INFINITY},
  {F(cosine_integral), {INFINITY}, 0},
  {F(fresnel_s), {INFINITY}, 0.5},
  {F(owens_t), {INFINITY, 2}, 0},
  {F(owens_t), {0, 1}, 0.125},
  {F(hyp1f1_grad), {0, 0, 2, 3}, 1},
  {F(hyp2f1_grad), {0, 1, 2, -3, 0.5}, INFINITY},
  {F(hyp2f1_grad), {0, -1, 3.5, 1, 1}, -2.5},
};

static void check(const row *r, double limit) {
  double given = r->f(r->x);
  if (isnan(r->value) ? isnan(given) : given == r->value || fabs(given - r->value) <= limit * fabs(r->value)) return;
  fail_msg("%s(%g, %g, %g, ...) = %.17g, not %.17g", r->name, r->x[0], r->x[1], r->x[2], given, r->value);
}

static void test_values(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) check(&values[i], 32 * 0x1p-52);
}

static void test_ends(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) check(&ends[i], 4 * 0x1p-52);
}

/* Every operand may be anything: the functions come to an end. */
static void test_anything(void **state) {
  (void)state;
  static const double any[] = {0, -0.0, 1, -1, 0.5, -2.5, 1e-300, 1e300, -1e300, 1e9, INFINITY, -INFINITY, NAN};
  enum { N = sizeof any / sizeof *any };
#define ALL(name, n_in, narrow)                                                                    \
  for (int i = 0, all = n_in > 3 ? N * N * N : (int)pow(N, n_in); i < all; i++) {                  \
    double x[] = {any[i % N], any[i / N % N], any[i / N / N % N], any[i % N], any[i / N % N]};     \
    (void)sec_special_##name(x);                                                                   \
  }
  SEC_SPECIAL_FUNCTIONS(ALL)
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_ends),
                                     cmocka_unit_test(test_anything)};
  return cmocka_run_group_tests_name("special", tests, NULL, NULL);
}
