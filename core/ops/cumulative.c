/* cumsum, cumprod, cummax, cummin: element k of the result combines the elements up to k (or from k
 * on, with `reverse`).  The derivatives of the last three go through JAX's parallel prefix tree,
 * which decides how ties are split. */
#include "complex.h"
#include "structure.h"

SEC_DECLARE_PRIMITIVE(add)
SEC_DECLARE_PRIMITIVE(mul)
SEC_DECLARE_PRIMITIVE(max)
SEC_DECLARE_PRIMITIVE(min)

static sec_status cumulative_type(sec_typing *t) {
  int64_t axis = sec_params_int(t->params, "axis");
  SEC_TRY(sec_type_takes(t, 0));
  SEC_TRY(sec_type_axes(t, "axis", &axis, 1, t->in[0]->rank));
  t->out[0] = t->in[0];
  t->n_out = 1;
  return SEC_OK;
}

static sec_status cumulative_eval(const sec_eval *e) {
  const sec_array *x = e->in[0];
  sec_array *y = e->out[0];
  const sec_aval *a = x->aval;
  const sec_scalar_rule *rule = &e->prim->combine->scalar;
  int64_t axis = sec_params_int(e->params, "axis"), index[SEC_MAX_RANK] = {0},
          strides[SEC_MAX_RANK];
  bool reverse = sec_params_int(e->params, "reverse") != 0;
  int64_t n = a->dims[axis], heads[SEC_MAX_RANK];
  if (a->size == 0) return SEC_OK;
  sec_strides(a->rank, a->dims, strides);
  memcpy(heads, a->dims, sizeof heads);
  heads[axis] = 1;
  do {
    int64_t first = sec_linear(a->rank, strides, index) + (reverse ? (n - 1) * strides[axis] : 0);
    int64_t step = reverse ? -strides[axis] : strides[axis];
    double f = sec_aval_is_float(a) ? sec_get_f(x, first) : 0;
    double _Complex c = sec_aval_is_complex(a) ? sec_get_c(x, first) : 0;
    int64_t i = sec_aval_has_tangent(a) ? 0 : sec_get_i(x, first);
    for (int64_t k = 0; k < n; k++) {
      int64_t at = first + k * step;
      if (sec_aval_is_complex(a)) {
        if (k > 0) c = rule->c((const double _Complex[]){c, sec_get_c(x, at)});
        sec_put_c(y, at, c);
      } else if (sec_aval_is_float(a)) {
        if (k > 0) f = rule->f((const double[]){f, sec_get_f(x, at)});
        sec_put_f(y, at, f);
      } else {
        bool is_signed = sec_dtype_kind(a->dtype) == SEC_KIND_INT;
        int64_t v = sec_get_i(x, at);
        if (k > 0)
          i = is_signed ? rule->i((const int64_t[]){i, v}, sec_dtype_bits(a->dtype))
                        : (int64_t)rule->u((const uint64_t[]){(uint64_t)i, (uint64_t)v},
                                           sec_dtype_bits(a->dtype));
        sec_put_i(y, at, i);
        i = sec_get_i(y, at);
      }
    }
  } while (sec_next_index(a->rank, heads, index));
  return SEC_OK;
}

static int cumulative_meta(const sec_typing *t, int64_t *meta) {
  const sec_primitive *const ops[] = {&sec_add_p, &sec_mul_p, &sec_max_p, &sec_min_p};
  const sec_aval *a = t->in[0];
  int64_t axis = sec_params_int(t->params, "axis");
  meta[0] = a->dtype;
  meta[1] = 0;
  while (ops[meta[1]] != t->prim->combine) meta[1]++;
  meta[2] = meta[4] = 1;
  meta[3] = a->dims[axis];
  for (int k = 0; k < a->rank; k++) meta[k < axis ? 2 : 4] *= k == axis ? 1 : a->dims[k];
  meta[5] = sec_params_int(t->params, "reverse");
  return 6;
}

static sec_value cumulative(const sec_primitive *prim, sec_value x, int axis, bool reverse) {
  const sec_aval *a = sec_value_aval(x);
  int64_t k = axis;
  if (a == NULL || !sec_axes_from_user(prim->name, a->rank, &k, 1, &k)) return SEC_VALUE_POISON;
  return sec_bind1(
      prim, x,
      sec_params_make(sec_current_context(prim->name),
                      SEC_PARAMS(SEC_P_INT("axis", k), SEC_P_BOOL("reverse", reverse))));
}

static sec_status cumulative_batch(sec_batch *b) {
  return sec_batch_result(b,
                          cumulative(b->prim, b->in[0], (int)sec_params_int(b->params, "axis") + 1,
                                     sec_params_int(b->params, "reverse") != 0));
}

/* the sums run the other way */
static sec_value cumsum_transpose(const sec_rule *r, sec_value ct) {
  return sec_cumsum(ct, (int)sec_params_int(r->params, "axis"),
                    sec_params_int(r->params, "reverse") == 0);
}

/* ---- the prefix tree over pairs of values and tangents ---- */
typedef struct pair {
  sec_value x, dx;
} pair;

/* [x = z] / (1 + [y = z]): the weight of x in z = max(x, y); equals share */
static sec_value share(sec_value x, sec_value z, sec_value y, sec_dtype dtype) {
  sec_value mine = sec_convert(sec_eq(x, z), dtype, false),
            other = sec_convert(sec_eq(y, z), dtype, false);
  return sec_div(mine, sec_add(other, sec_literal_of(dtype, false, 1, 1)));
}

static pair combine(const sec_rule *r, pair a, pair b) {
  sec_dtype dtype = r->in_avals[0]->dtype;
  if (r->prim->combine == &sec_mul_p)
    return (pair){sec_mul(a.x, b.x), sec_add(sec_mul(a.dx, b.x), sec_mul(a.x, b.dx))};
  sec_value z = r->prim->combine == &sec_max_p ? sec_max(a.x, b.x) : sec_min(a.x, b.x);
  sec_value da = sec_mul(a.dx, share(a.x, z, b.x, dtype)),
            db = sec_mul(b.dx, share(b.x, z, a.x, dtype));
  return (pair){z, sec_add(da, db)};
}

static sec_value every(sec_value x, int64_t axis, int64_t start, int64_t limit, int64_t step) {
  const sec_aval *a = sec_value_aval(x);
  int64_t from[SEC_MAX_RANK] = {0}, to[SEC_MAX_RANK], steps[SEC_MAX_RANK];
  if (a == NULL) return SEC_VALUE_POISON;
  for (int k = 0; k < a->rank; k++) {
    to[k] = a->dims[k];
    steps[k] = 1;
  }
  from[axis] = start;
  to[axis] = limit;
  steps[axis] = step;
  return sec_slice(x, from, to, steps);
}

static pair every_pair(pair p, int64_t axis, int64_t start, int64_t limit, int64_t step) {
  return (pair){every(p.x, axis, start, limit, step), every(p.dx, axis, start, limit, step)};
}

/* even[0], odd[0], even[1], ...: n elements in all */
static sec_value interleave(sec_value even, sec_value odd, int64_t axis, int64_t n) {
  const sec_aval *a = sec_value_aval(even);
  int64_t low[SEC_MAX_RANK] = {0}, high[SEC_MAX_RANK] = {0}, gaps[SEC_MAX_RANK] = {0};
  if (a == NULL) return SEC_VALUE_POISON;
  sec_value zero = sec_zero_literal(a->dtype);
  gaps[axis] = 1;
  high[axis] = n % 2 == 0;
  even = sec_pad(even, zero, low, high, gaps);
  low[axis] = 1;
  high[axis] = n % 2;
  return sec_add(even, sec_pad(odd, zero, low, high, gaps));
}

/* Prefixes of n pairs: those of neighbours combined are the odd ones; an even one is an odd one and
 * one more. */
static pair prefixes(const sec_rule *r, pair p, int64_t axis, int64_t n) {
  if (n < 2) return p;
  pair neighbours = combine(r, every_pair(p, axis, 0, n - 1, 2), every_pair(p, axis, 1, n, 2));
  pair odd = prefixes(r, neighbours, axis, n / 2), even = every_pair(p, axis, 0, 1, 1);
  if (n > 2) {
    pair rest = combine(r, every_pair(odd, axis, 0, (n - 1) / 2, 1), every_pair(p, axis, 2, n, 2));
    even.x = sec_concatenate((sec_value[]){even.x, rest.x}, 2, (int)axis);
    even.dx = sec_concatenate((sec_value[]){even.dx, rest.dx}, 2, (int)axis);
  }
  return (pair){interleave(even.x, odd.x, axis, n), interleave(even.dx, odd.dx, axis, n)};
}

static sec_value cumulative_jvp(const sec_rule *r, sec_value dx) {
  int64_t axis = sec_params_int(r->params, "axis"), n = r->in_avals[0]->dims[axis];
  bool reverse = sec_params_int(r->params, "reverse") != 0;
  if (!reverse) return prefixes(r, (pair){r->in[0], dx}, axis, n).dx;
  pair p = {sec_rev(r->in[0], &axis, 1), sec_rev(dx, &axis, 1)};
  return sec_rev(prefixes(r, p, axis, n).dx, &axis, 1);
}

#define CUMULATIVE                                                                                 \
  .operands = {"x"}, .type = cumulative_type, .eval = cumulative_eval, .batch = cumulative_batch,  \
  .form = SEC_FORM_RUNTIME, .runtime = "sec_rt_cumulative", .meta = cumulative_meta,               \
  .takes = SEC_TAKES_NUMBER

SEC_PRIMITIVE(cumsum, .doc = "Sums of the elements up to each.", CUMULATIVE, .linear = 1,
              .transpose = {cumsum_transpose}, .parts = sec_parts_each, .combine = &sec_add_p)
SEC_PRIMITIVE(cumprod, .doc = "Products of the elements up to each.", CUMULATIVE,
              .jvp = {cumulative_jvp}, .parts = sec_parts_cumulative, .combine = &sec_mul_p)
SEC_PRIMITIVE(cummax, .doc = "Greatest of the elements up to each.", CUMULATIVE,
              .jvp = {cumulative_jvp}, .parts = sec_parts_cumulative, .combine = &sec_max_p)
SEC_PRIMITIVE(cummin, .doc = "Least of the elements up to each.", CUMULATIVE,
              .jvp = {cumulative_jvp}, .parts = sec_parts_cumulative, .combine = &sec_min_p)

sec_value sec_cumsum(sec_value x, int axis, bool reverse) {
  return cumulative(&sec_cumsum_p, x, axis, reverse);
}
sec_value sec_cumprod(sec_value x, int axis, bool reverse) {
  return cumulative(&sec_cumprod_p, x, axis, reverse);
}
sec_value sec_cummax(sec_value x, int axis, bool reverse) {
  return cumulative(&sec_cummax_p, x, axis, reverse);
}
sec_value sec_cummin(sec_value x, int axis, bool reverse) {
  return cumulative(&sec_cummin_p, x, axis, reverse);
}
