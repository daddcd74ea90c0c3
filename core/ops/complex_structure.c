/* Rules of pairs for primitives that move, reduce and contract: see complex_parts.c for elementwise functions. */
#include "complex.h"
#include "structure.h"
#include <math.h>

SEC_DECLARE_PRIMITIVE(mul)

typedef sec_pair cplx;

enum { MAX_EACH = 128 };

static sec_status bind_part(const sec_parts *p, bool imaginary) {
  sec_value in[MAX_EACH], out[MAX_EACH];
  if (p->n_in > MAX_EACH || p->n_out > MAX_EACH)
    return sec_error_set(SEC_UNSUPPORTED, NULL, "%s: too many complex operands", p->prim->name);
  for (int i = 0; i < p->n_in; i++) in[i] = imaginary && !sec_value_is_zero(p->in[i].im) ? p->in[i].im : p->in[i].re;
  if (p->params) sec_params_retain(p->params);
  SEC_TRY(sec_bind(p->prim, in, p->n_in, p->params, out, p->n_out));
  for (int i = 0; i < p->n_out; i++) *(imaginary ? &p->out[i].im : &p->out[i].re) = out[i];
  return SEC_OK;
}

sec_status sec_parts_each(const sec_parts *p) {
  SEC_TRY(bind_part(p, false));
  return bind_part(p, true);
}

/* ---- products ---- */
/* The parameters with preferred_element_type, if there is one, of the parts. */
static const sec_params *product_params(const sec_parts *p) {
  sec_param list[16];
  if (!p->params || p->params->n > 16) return NULL;
  memcpy(list, p->params->list, (size_t)p->params->n * sizeof *list);
  for (int i = 0; i < p->params->n; i++)
    if (list[i].kind == SEC_PARAM_DTYPE && strcmp(list[i].name, "preferred_element_type") == 0)
      list[i].u.dtype = sec_dtype_part(list[i].u.dtype);
  return sec_params_make(p->cx, list, p->params->n);
}

sec_status sec_parts_product(const sec_parts *p) {
  cplx              a = p->in[0], b = p->in[1];
  const sec_params *params = product_params(p);
  bool              complex_a = !sec_value_is_zero(a.im), complex_b = !sec_value_is_zero(b.im);
  if (!params) return SEC_MEMORY;
#define PRODUCT(x, y) (sec_params_retain(params), sec_bind2(p->prim, x, y, params))
  sec_value re = PRODUCT(a.re, b.re), im = SEC_VALUE_ZERO;
  if (complex_a && complex_b) re = sec_sub(re, PRODUCT(a.im, b.im));
  if (complex_b) im = PRODUCT(a.re, b.im);
  if (complex_a) im = sec_value_is_zero(im) ? PRODUCT(a.im, b.re) : sec_add(im, PRODUCT(a.im, b.re));
#undef PRODUCT
  sec_params_release(params);
  p->out[0] = (cplx){re, im};
  return SEC_OK;
}

/* Operands and result have dtypes of their own: all are brought to the result's first. */
sec_status sec_parts_dot_general(const sec_parts *p) {
  cplx      in[2] = {p->in[0], p->in[1]};
  sec_dtype part = sec_dtype_part(p->out_avals[0]->dtype);
  sec_parts converted = *p;
  converted.in = in;
  for (int i = 0; i < 2; i++) {
    in[i].re = sec_convert(in[i].re, part, false);
    if (!sec_value_is_zero(in[i].im)) in[i].im = sec_convert(in[i].im, part, false);
  }
  return sec_parts_product(&converted);
}

/* ---- reductions ---- */
static const int64_t *axes_of(const sec_parts *p, int *n) { return sec_params_ints(p->params, "axes", n); }

/* y, reduced from `x` over the axes, at every place of it */
static sec_value spread(const sec_parts *p, sec_value y) {
  const sec_aval *x = p->in_avals[0];
  int             n, k = 0;
  const int64_t  *axes = axes_of(p, &n);
  int64_t         kept[SEC_MAX_RANK];
  for (int a = 0; a < x->rank; a++)
    if (!sec_has_axis(axes, n, a)) kept[k++] = a;
  return sec_broadcast_in_dim(y, x->rank, x->dims, kept);
}

/* The extremum of the real parts, then that of the imaginary parts beside it; NaN if one is. */
sec_status sec_parts_extremum(const sec_parts *p) {
  int            n;
  const int64_t *axes = axes_of(p, &n);
  bool           largest = p->prim->identity == SEC_ID_LOWEST;
  sec_value (*reduce)(sec_value, const int64_t *, int) = largest ? sec_reduce_max : sec_reduce_min;
  sec_value re = reduce(p->in[0].re, axes, n), here = sec_eq(p->in[0].re, spread(p, re));
  sec_value last = sec_literal_like(p->in[0].im, largest ? -INFINITY : INFINITY);
  sec_value im = reduce(sec_where(here, p->in[0].im, last), axes, n), nan = sec_ne(re, re);
  p->out[0] = (cplx){re, sec_where(nan, re, im)};
  return SEC_OK;
}

static sec_value part_of_axis(sec_value x, int64_t axis, int64_t start, int64_t limit) {
  const sec_aval *a = sec_value_aval(x);
  int64_t         from[SEC_MAX_RANK] = {0}, to[SEC_MAX_RANK];
  if (!a) return SEC_VALUE_POISON;
  memcpy(to, a->dims, sizeof to);
  from[axis] = start;
  to[axis] = limit;
  return sec_slice(x, from, to, NULL);
}
static cplx pieces(cplx z, int64_t axis, int64_t start, int64_t limit) {
  sec_value re = part_of_axis(z.re, axis, start, limit);
  return (cplx){re, part_of_axis(z.im, axis, start, limit)};
}
static cplx joined(cplx a, cplx b, int64_t axis) {
  sec_value re = sec_concatenate((sec_value[]){a.re, b.re}, 2, (int)axis);
  return (cplx){re, sec_concatenate((sec_value[]){a.im, b.im}, 2, (int)axis)};
}
static cplx combined(const sec_parts *p, const sec_primitive *prim, cplx a, cplx b) {
  cplx      in[2] = {a, b}, out = {SEC_VALUE_POISON, SEC_VALUE_POISON};
  sec_parts pair = {.prim = prim, .cx = p->cx, .in = in, .n_in = 2, .out = &out, .n_out = 1};
  prim->parts(&pair);
  return out;
}

/* A tree of products of halves. */
sec_status sec_parts_reduce_prod(const sec_parts *p) {
  const sec_aval *a = p->in_avals[0], *y = p->out_avals[0];
  int             n, k = 0;
  const int64_t  *axes = axes_of(p, &n);
  int64_t         order[SEC_MAX_RANK], shape[SEC_LIST] = {1};
  for (; k < n; k++) shape[0] *= a->dims[order[k] = axes[k]];
  for (int d = 0; d < a->rank; d++)
    if (!sec_has_axis(axes, n, d)) order[k++] = d;
  if (n == 0) return p->out[0] = p->in[0], SEC_OK;
  memcpy(shape + 1, y->dims, (size_t)y->rank * sizeof *shape);
  cplx z = {sec_reshape(sec_transpose(p->in[0].re, order), y->rank + 1, shape),
            sec_reshape(sec_transpose(p->in[0].im, order), y->rank + 1, shape)};
  if (shape[0] == 0) {
    sec_value one = sec_literal_like(p->in[0].re, 1);
    p->out[0] = (cplx){sec_full(one, y->rank, y->dims), sec_full(sec_literal_like(p->in[0].re, 0), y->rank, y->dims)};
    return SEC_OK;
  }
  for (int64_t m = shape[0]; m > 1; m = (m + 1) / 2) {
    int64_t half = m / 2;
    cplx    product = combined(p, p->prim->combine, pieces(z, 0, 0, half), pieces(z, 0, half, 2 * half));
    z = m % 2 ? joined(product, pieces(z, 0, m - 1, m), 0) : product;
  }
  p->out[0] = (cplx){sec_reshape(z.re, y->rank, y->dims), sec_reshape(z.im, y->rank, y->dims)};
  return SEC_OK;
}

/* Hillis and Steele, "Data parallel algorithms", 1986: after step s an element holds those up to 2 s - 1 before it. */
sec_status sec_parts_cumulative(const sec_parts *p) {
  int64_t axis = sec_params_int(p->params, "axis"), n = p->in_avals[0]->dims[axis];
  bool    reverse = sec_params_int(p->params, "reverse") != 0;
  cplx    z = p->in[0];
  if (p->in_avals[0]->size == 0) return p->out[0] = z, SEC_OK;
  for (int64_t s = 1; s < n; s *= 2) {
    cplx first = pieces(z, axis, 0, n - s), last = pieces(z, axis, s, n);
    cplx both = reverse ? combined(p, p->prim->combine, last, first) : combined(p, p->prim->combine, first, last);
    z = reverse ? joined(both, pieces(z, axis, n - s, n), axis) : joined(pieces(z, axis, 0, s), both, axis);
  }
  p->out[0] = z;
  return SEC_OK;
}

/* ---- sort: a complex key is two, the real part first ---- */
sec_status sec_parts_sort(const sec_parts *p) {
  sec_value in[32], out[32];
  int       n = 0, keys = 0, k = 0;
  for (int i = 0; i < p->n_in && n < 31; i++) {
    in[n++] = p->in[i].re;
    if (!sec_value_is_zero(p->in[i].im)) in[n++] = p->in[i].im;
    if (i < sec_params_int(p->params, "num_keys")) keys = n;
  }
  SEC_TRY(sec_sort(in, n, (int)sec_params_int(p->params, "dimension"), keys, sec_params_int(p->params, "is_stable") != 0, out));
  for (int i = 0; i < p->n_in; i++) {
    p->out[i].re = out[k++];
    if (!sec_value_is_zero(p->in[i].im)) p->out[i].im = out[k++];
  }
  return SEC_OK;
}

/* ---- gather: a window outside holds NaN + 0 i ---- */
sec_status sec_parts_gather(const sec_parts *p) {
  sec_param list[16];
  SEC_TRY(bind_part(p, false));
  if (sec_params_find(p->params, "fill_value") || p->params->n >= 16) return bind_part(p, true);
  memcpy(list, p->params->list, (size_t)p->params->n * sizeof *list);
  list[p->params->n] = (sec_param)SEC_P_INT("fill_value", 0);
  p->out[0].im = sec_bind2(p->prim, p->in[0].im, p->in[1].re, sec_params_make(p->cx, list, p->params->n + 1));
  return SEC_OK;
}
