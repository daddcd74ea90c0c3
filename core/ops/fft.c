/* fft: discrete Fourier transforms of the last axes, forward, inverse, and between real numbers and the half of their
 * transform that determines it.  Inverse transforms divide by the number of elements. */
#include "structure.h"
#include <math.h>

enum { FORWARD, INVERSE, REAL, TO_REAL }; /* fft_type, in JAX's order */

static bool is_complex_type(int64_t type) { return type == FORWARD || type == INVERSE; }
static const char *const type_names[] = {"FFT", "IFFT", "RFFT", "IRFFT"};

static sec_status lengths_error(const sec_typing *t, const char *what) {
  return sec_type_error(t, SEC_SHAPE, "pad or slice the operand, or pass its own lengths",
                        "%s input %s: minor dimensions must be equal to %s", type_names[sec_params_int(t->params, "fft_type")],
                        t->in[0]->text, what);
}

static sec_status fft_type(sec_typing *t) {
  const sec_aval *x = t->in[0];
  const int64_t  *lengths;
  int64_t         dims[SEC_MAX_RANK], type = sec_params_int(t->params, "fft_type");
  int             n;
  SEC_TRY(sec_type_ints(t, "fft_lengths", &lengths, &n));
  if (type < FORWARD || type > TO_REAL)
    return sec_type_error(t, SEC_ARGUMENT, "0 is FFT, 1 IFFT, 2 RFFT, 3 IRFFT", "fft_type %lld is unknown", (long long)type);
  if (n > x->rank)
    return sec_type_error(t, SEC_SHAPE, "one length for each of the last axes", "operand %s has fewer axes than the %d lengths", x->text, n);
  if (n < 1 && type != FORWARD && type != INVERSE)
    return sec_type_error(t, SEC_ARGUMENT, "name the length of the last axis", "%s needs a length", type_names[type]);
  if (type == REAL ? x->dtype != SEC_F32 && x->dtype != SEC_F64 : !sec_aval_is_complex(x))
    return sec_type_error(t, SEC_TYPE, type == REAL ? "convert it to f32 or f64" : "convert it to c64 or c128",
                          "%s input must be %s, got %s", type_names[type], type == REAL ? "f32 or f64" : "c64 or c128", x->text);
  for (int a = 0; a < x->rank; a++) {
    int k = a - (x->rank - n);
    dims[a] = x->dims[a];
    if (k < 0) continue;
    if (lengths[k] < (is_complex_type(type) ? 0 : 1)) return sec_type_error(t, SEC_ARGUMENT, NULL, "length %lld is too small", (long long)lengths[k]);
    bool half = type == TO_REAL && k == n - 1;
    if (!half && x->dims[a] != lengths[k]) return lengths_error(t, "fft_lengths");
    if (half && x->dims[a] != lengths[k] / 2 + 1) return lengths_error(t, "fft_lengths, of which the last counts n / 2 + 1");
    if (half) dims[a] = lengths[k];
    if (type == REAL && k == n - 1) dims[a] = lengths[k] / 2 + 1;
  }
  bool      wide = sec_dtype_part(x->dtype) == SEC_F64;
  sec_dtype dtype = type == TO_REAL ? sec_dtype_part(x->dtype) : wide ? SEC_C128 : SEC_C64;
  return sec_type_gives(t, dtype, false, x->rank, dims);
}

/* ---- evaluation, by the definition ---- */
typedef double _Complex cplx;

/* y[.., k, ..] = sum over j of x[.., j, ..] e^(sign 2 pi i j k / n) along axis a; x has n elements there, or the first half of a
 * transform of real numbers. */
static void transform_axis(const cplx *x, const int64_t *from, cplx *y, const int64_t *to, int rank, int a, int64_t n, int sign) {
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < rank; d++) *(d < a ? &outer : &inner) *= d == a ? 1 : from[d];
  for (int64_t o = 0; o < outer; o++)
    for (int64_t k = 0; k < to[a]; k++)
      for (int64_t i = 0; i < inner; i++) {
        cplx sum = 0;
        for (int64_t j = 0; j < n; j++) {
          int64_t at = j < from[a] ? j : n - j;
          cplx    v = x[(o * from[a] + at) * inner + i];
          if (at != j) v = __builtin_complex(__real__ v, -__imag__ v);
          if (from[a] != n && (j == 0 || 2 * j == n)) v = __real__ v;
          double angle = 2 * M_PI * (double)(j * k % n) / (double)n;
          sum += v * __builtin_complex(cos(angle), sign * sin(angle));
        }
        y[(o * to[a] + k) * inner + i] = sum;
      }
}

static sec_status fft_eval(const sec_eval *e) {
  const sec_aval *x = e->in[0]->aval, *y = e->out[0]->aval;
  int64_t         type = sec_params_int(e->params, "fft_type"), dims[SEC_MAX_RANK], next[SEC_MAX_RANK];
  int             n, rank = x->rank, sign = type == FORWARD || type == REAL ? -1 : 1;
  const int64_t  *lengths = sec_params_ints(e->params, "fft_lengths", &n);
  size_t          room = (size_t)(x->size > y->size ? x->size : y->size) + 1;
  cplx           *from = sec_alloc(e->cx, 2 * room * sizeof *from), *to = from + room;
  double          scale = 1;
  if (!from) return SEC_MEMORY;
  cplx *memory = from;
  memcpy(dims, x->dims, sizeof dims);
  for (int64_t i = 0; i < x->size; i++) from[i] = sec_get_c(e->in[0], i);
  /* the last axis comes last on the way back to real numbers: the others are complex then */
  for (int k = 0; k < n; k++) {
    int a = rank - n + (type == TO_REAL ? k : n - 1 - k);
    memcpy(next, dims, sizeof next);
    next[a] = y->dims[a];
    if (sign > 0) scale /= (double)lengths[a - (rank - n)];
    transform_axis(from, dims, to, next, rank, a, lengths[a - (rank - n)], sign);
    memcpy(dims, next, sizeof dims);
    cplx *t = from;
    from = to, to = t;
  }
  for (int64_t i = 0; i < y->size; i++) sec_put_c(e->out[0], i, from[i] * scale);
  sec_free(e->cx, memory);
  return SEC_OK;
}

static int fft_meta(const sec_typing *t, int64_t *meta) {
  int n, rank = t->in[0]->rank;
  sec_params_ints(t->params, "fft_lengths", &n);
  meta[0] = sec_dtype_part(t->in[0]->dtype) == SEC_F64;
  meta[1] = sec_params_int(t->params, "fft_type");
  meta[2] = n;
  meta[3] = rank;
  memcpy(meta + 4, t->in[0]->dims, (size_t)rank * sizeof *meta);
  memcpy(meta + 4 + rank, t->out[0]->dims, (size_t)rank * sizeof *meta);
  return 4 + 2 * rank;
}

static sec_value bind_fft(sec_value x, int64_t type, const int64_t *lengths, int n);

/* How often an element of the half stands in the whole: 2, and 1 for the first and, of an even length, the last. */
static sec_value multiplicity(const sec_aval *half, int64_t length, double factor) {
  int64_t   last = half->rank - 1, n = half->dims[last];
  sec_dtype part = sec_dtype_part(half->dtype);
  sec_value k = sec_iota(SEC_I64, 1, &n, 0), once = sec_eq(k, sec_literal_of(SEC_I64, false, 0, 0));
  if (length % 2 == 0) once = sec_or(once, sec_eq(k, sec_literal_of(SEC_I64, false, 0, n - 1)));
  sec_value times = sec_where(once, sec_literal_of(part, false, factor, 0), sec_literal_of(part, false, 2 * factor, 0));
  return sec_convert(sec_broadcast_in_dim(times, half->rank, half->dims, &last), half->dtype, false);
}

/* FFT and IFFT are symmetric.  RFFT: n IRFFT(conj(ct) / m), and IRFFT: conj(m / n RFFT(ct)), with m the multiplicity. */
static sec_value fft_transpose(const sec_rule *r, sec_value ct) {
  int64_t        type = sec_params_int(r->params, "fft_type"), elements = 1;
  int            n;
  const int64_t *lengths = sec_params_ints(r->params, "fft_lengths", &n);
  if (is_complex_type(type)) return bind_fft(ct, type, lengths, n);
  for (int k = 0; k < n; k++) elements *= lengths[k];
  const sec_aval *half = type == REAL ? r->out_avals[0] : r->in_avals[0];
  if (type == REAL) {
    sec_value whole = bind_fft(sec_div(sec_conj(ct), multiplicity(half, lengths[n - 1], 1)), TO_REAL, lengths, n);
    return sec_mul(whole, sec_literal_like(whole, (double)elements));
  }
  sec_value times = multiplicity(half, lengths[n - 1], 1 / (double)elements);
  return sec_conj(sec_mul(times, bind_fft(ct, REAL, lengths, n)));
}

static sec_status fft_batch(sec_batch *b) {
  int            n;
  const int64_t *lengths = sec_params_ints(b->params, "fft_lengths", &n);
  return sec_batch_result(b, bind_fft(b->in[0], sec_params_int(b->params, "fft_type"), lengths, n));
}

/* 5 n log2 n flops a complex transform, half of it where one side is real. */
static sec_cost fft_cost(const sec_typing *t) {
  int            n;
  const int64_t *lengths = sec_params_ints(t->params, "fft_lengths", &n);
  double         elements = (double)(t->in[0]->size > t->out[0]->size ? t->in[0]->size : t->out[0]->size), stages = 0;
  for (int k = 0; k < n; k++) stages += log2((double)lengths[k]);
  double bytes = (double)t->in[0]->size * (double)sec_dtype_size(t->in[0]->dtype) + (double)t->out[0]->size * (double)sec_dtype_size(t->out[0]->dtype);
  return (sec_cost){(is_complex_type(sec_params_int(t->params, "fft_type")) ? 5 : 2.5) * elements * stages, bytes};
}

SEC_PRIMITIVE(fft, .doc = "Discrete Fourier transforms of the last axes.", .operands = {"x"}, .type = fft_type, .eval = fft_eval,
              .linear = 1, .transpose = {fft_transpose}, .batch = fft_batch, .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_fft",
              .meta = fft_meta, .cost = fft_cost, .takes = SEC_TAKES_INEXACT)

static sec_value bind_fft(sec_value x, int64_t type, const int64_t *lengths, int n) {
  if (!sec_value_aval(x)) return SEC_VALUE_POISON;
  return sec_bind1(&sec_fft_p, x,
                   sec_params_make(sec_current_context("fft"), SEC_PARAMS(SEC_P_INTS("fft_lengths", lengths, n), SEC_P_INT("fft_type", type))));
}

sec_value sec_fft(sec_value x, sec_fft_type type, const int64_t *lengths, int n) { return bind_fft(x, (int64_t)type, lengths, n); }
