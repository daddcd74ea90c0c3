/* Complex numbers from real ones and back: complex real imag conj; and complex functions for the reference evaluator, by
 * C's <complex.h> where that has them. */
#include "complex.h"
#include "structure.h"
#include <complex.h>
#undef complex
#include <math.h>

typedef double _Complex cplx;

/* ---- functions ---- */
#define STANDARD(name, function)                                                                  \
  cplx sec_c_##name(const cplx *x) { return function(x[0]); }
STANDARD(exp, cexp)
STANDARD(log, clog)
STANDARD(sqrt, csqrt)
STANDARD(sinh, csinh)
STANDARD(cosh, ccosh)
STANDARD(tanh, ctanh)
STANDARD(asinh, casinh)
STANDARD(acosh, cacosh)
STANDARD(atanh, catanh)
STANDARD(sin, csin)
STANDARD(cos, ccos)
STANDARD(tan, ctan)
STANDARD(asin, casin)
STANDARD(acos, cacos)
STANDARD(atan, catan)

cplx sec_c_exp2(const cplx *x) { return cexp(x[0] * M_LN2); }

/* exp(x) cos(y) - 1 = expm1(x) cos(y) - 2 sin(y/2)^2 */
cplx sec_c_expm1(const cplx *x) {
  double a = creal(x[0]), b = cimag(x[0]), s = sin(b / 2);
  return CMPLX(expm1(a) * cos(b) - 2 * s * s, b == 0 ? b : exp(a) * sin(b));
}

/* |1 + x|^2 - 1 = re (2 + re) + im^2 */
cplx sec_c_log1p(const cplx *x) {
  double a = creal(x[0]), b = cimag(x[0]);
  if (fmax(fabs(a), fabs(b)) >= 0.5) return clog(CMPLX(1 + a, b));
  return CMPLX(0.5 * log1p(a * (2 + a) + b * b), atan2(b, 1 + a));
}

cplx sec_c_rsqrt(const cplx *x) { return sec_c_div((const cplx[]){1, csqrt(x[0])}); }
cplx sec_c_logistic(const cplx *x) {
  if (creal(x[0]) >= 0) return sec_c_div((const cplx[]){1, 1 + cexp(-x[0])});
  return sec_c_div((const cplx[]){cexp(x[0]), 1 + cexp(x[0])});
}
cplx sec_c_square(const cplx *x) {
  double a = creal(x[0]), b = cimag(x[0]);
  return CMPLX((a - b) * (a + b), 2 * a * b);
}
cplx sec_c_sign(const cplx *x) {
  double r = cabs(x[0]);
  return r == 0 ? x[0] : CMPLX(creal(x[0]) / r, cimag(x[0]) / r);
}

cplx sec_c_mul(const cplx *x) {
  double a = creal(x[0]), b = cimag(x[0]), c = creal(x[1]), d = cimag(x[1]);
  return CMPLX(a * c - b * d, a * d + b * c);
}

/* Smith, Algorithm 116 (1962); by zero: infinities with the signs of C's annex G */
cplx sec_c_div(const cplx *x) {
  double a = creal(x[0]), b = cimag(x[0]), c = creal(x[1]), d = cimag(x[1]);
  if (c == 0 && d == 0) return CMPLX(copysign(INFINITY, c) * a, copysign(INFINITY, c) * b);
  bool   real = fabs(c) >= fabs(d);
  double r = fabs(c) == fabs(d) ? copysign(1, c) * copysign(1, d) : real ? d / c : c / d;
  double scale = real ? c + d * r : c * r + d;
  return real ? CMPLX((a + b * r) / scale, (b - a * r) / scale) : CMPLX((a * r + b) / scale, (b * r - a) / scale);
}

/* 0 ** 0 = 1; 0 to a power with a positive real part is 0, else NaN */
cplx sec_c_pow(const cplx *x) {
  if (x[1] == 0) return 1;
  if (x[0] == 0) return creal(x[1]) > 0 ? 0 : CMPLX(NAN, NAN);
  return cexp(sec_c_mul((const cplx[]){x[1], clog(x[0])}));
}

/* Lexicographic; the second where neither is larger. */
static bool is_above(const cplx *x) {
  double a = creal(x[0]), b = creal(x[1]);
  return a == b ? cimag(x[0]) > cimag(x[1]) : a > b;
}
cplx sec_c_max(const cplx *x) { return is_above(x) ? x[0] : x[1]; }
cplx sec_c_min(const cplx *x) { return is_above((const cplx[]){x[1], x[0]}) ? x[0] : x[1]; }

/* ---- complex: x + i y ---- */
static sec_dtype complex_of(sec_dtype part) { return part == SEC_F64 ? SEC_C128 : SEC_C64; }

static sec_status complex_type(sec_typing *t) {
  for (int i = 0; i < 2; i++)
    if (t->in[i]->dtype != SEC_F32 && t->in[i]->dtype != SEC_F64)
      return sec_type_error(t, SEC_TYPE, "convert it to f32 or f64", "operand %s has type %s, but must be f32 or f64",
                            t->prim->operands[i], t->in[i]->text);
  SEC_TRY(sec_type_elementwise(t));
  return sec_type_result(t, complex_of(t->in[0]->dtype), t->out[0]->weak, t->out[0]);
}

static sec_status complex_eval(const sec_eval *e) {
  for (int64_t i = 0; i < e->out[0]->aval->size; i++) {
    double re = sec_get_f(e->in[0], e->in[0]->aval->rank ? i : 0), im = sec_get_f(e->in[1], e->in[1]->aval->rank ? i : 0);
    sec_put_c(e->out[0], i, CMPLX(re, im));
  }
  return SEC_OK;
}

static sec_status complex_parts(const sec_parts *p) {
  p->out[0] = (sec_pair){p->in[0].re, p->in[1].re};
  return SEC_OK;
}

/* The transposes are for the pairing Re(x y): no conjugate, as in JAX. */
static sec_value complex_transpose_re(const sec_rule *r, sec_value ct) { return sec_unbroadcast(sec_real(ct), r->in_avals[0]); }
static sec_value complex_transpose_im(const sec_rule *r, sec_value ct) {
  return sec_unbroadcast(sec_imag(sec_neg(ct)), r->in_avals[1]);
}

SEC_PRIMITIVE(complex, .doc = "The complex number with real part x and imaginary part y.", .operands = {"x", "y"},
              SEC_ELEMENTWISE(complex_type, complex_eval), .takes = SEC_TAKES_FLOAT, .linear = 3,
              .transpose = {complex_transpose_re, complex_transpose_im}, .parts = complex_parts, .flags = SEC_FLAG_CHEAP)
sec_value sec_complex(sec_value x, sec_value y) {
  if (sec_promote2("complex", &x, &y) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  x = sec_to_float(x);
  return sec_bind2(&sec_complex_p, x, sec_to_float(y), NULL);
}

/* ---- real, imag ---- */
static sec_status part_type(sec_typing *t) {
  SEC_TRY(sec_type_takes(t, 0));
  return sec_type_result(t, sec_dtype_part(t->in[0]->dtype), t->in[0]->weak, t->in[0]);
}

static cplx real_c(const cplx *x) { return creal(x[0]); }
static cplx imag_c(const cplx *x) { return cimag(x[0]); }
static sec_status real_parts(const sec_parts *p) {
  p->out[0].re = p->in[0].re;
  return SEC_OK;
}
static sec_status imag_parts(const sec_parts *p) {
  p->out[0].re = p->in[0].im;
  return SEC_OK;
}
static sec_value real_transpose(const sec_rule *r, sec_value ct) {
  return sec_complex(ct, sec_zero_literal(sec_dtype_part(r->in_avals[0]->dtype)));
}
static sec_value imag_transpose(const sec_rule *r, sec_value ct) {
  return sec_complex(sec_zero_literal(sec_dtype_part(r->in_avals[0]->dtype)), sec_neg(ct));
}
SEC_PRIMITIVE(real, .doc = "Real part of x.", .operands = {"x"}, SEC_ELEMENTWISE(part_type, sec_eval_elementwise),
              .takes = SEC_TAKES_COMPLEX, .scalar = {.c = real_c}, .linear = 1, .transpose = {real_transpose},
              .parts = real_parts, .flags = SEC_FLAG_CHEAP)
SEC_PRIMITIVE(imag, .doc = "Imaginary part of x.", .operands = {"x"}, SEC_ELEMENTWISE(part_type, sec_eval_elementwise),
              .takes = SEC_TAKES_COMPLEX, .scalar = {.c = imag_c}, .linear = 1, .transpose = {imag_transpose},
              .parts = imag_parts, .flags = SEC_FLAG_CHEAP)
sec_value sec_real(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (!a || !sec_aval_is_complex(a)) return x;
  const sec_literal *l = sec_value_literal(x);
  return l ? sec_literal_of(sec_dtype_part(a->dtype), a->weak, l->f, 0) : sec_bind1(&sec_real_p, x, NULL);
}
sec_value sec_imag(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (!a) return SEC_VALUE_POISON;
  if (!sec_aval_is_complex(a)) return sec_full_of(a, 0);
  const sec_literal *l = sec_value_literal(x);
  return l ? sec_literal_of(sec_dtype_part(a->dtype), a->weak, sec_literal_im(l), 0) : sec_bind1(&sec_imag_p, x, NULL);
}

/* ---- conj: linear over the reals; its transpose is itself ---- */
static cplx conj_c(const cplx *x) { return conj(x[0]); }
static sec_status conj_parts(const sec_parts *p) {
  p->out[0] = (sec_pair){p->in[0].re, sec_neg(p->in[0].im)};
  return SEC_OK;
}
static sec_value conj_transpose(const sec_rule *r, sec_value ct) { return (void)r, sec_conj(ct); }
SEC_PRIMITIVE(conj, .doc = "Complex conjugate of x.", .operands = {"x"},
              SEC_ELEMENTWISE(sec_type_elementwise, sec_eval_elementwise), .takes = SEC_TAKES_COMPLEX,
              .scalar = {.c = conj_c}, .linear = 1, .transpose = {conj_transpose}, .parts = conj_parts,
              .flags = SEC_FLAG_CHEAP)
sec_value sec_conj(sec_value x) {
  const sec_aval *a = sec_value_aval(x);
  if (!a || !sec_aval_is_complex(a)) return x;
  const sec_params *params = sec_params_make(sec_trace_context(sec_trace_current()), SEC_PARAMS(SEC_P_DTYPE("input_dtype", a->dtype)));
  return params ? sec_bind1(&sec_conj_p, x, params) : SEC_VALUE_POISON;
}
