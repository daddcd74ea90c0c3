/* scatter_mul, scatter_min, scatter_max: windows combined with places that an array of indices gives. */
#include "gather.h"

SEC_DECLARE_PRIMITIVE(mul)
SEC_DECLARE_PRIMITIVE(max)
SEC_DECLARE_PRIMITIVE(min)
SEC_DECLARE_PRIMITIVE(scatter_add)

static sec_value scattered(const sec_rule *r, const sec_primitive *prim, sec_value x,
                           sec_value updates) {
  sec_gather_dims d = sec_gather_dims_of(r->params, sec_scatter_names);
  return sec_bind_scatter(prim, x, r->in[1], updates, &d, (int)sec_params_int(r->params, "mode"),
                          sec_scatter_unique(r->params) && prim == r->prim);
}

static sec_value sum_of(const sec_rule *r, sec_value updates) {
  return scattered(r, &sec_scatter_add_p, sec_zeros_of(r->in_avals[0]), updates);
}

/* ---- scatter_mul: linear in the operand, and in the updates where no two meet ---- */
static sec_value mul_jvp_x(const sec_rule *r, sec_value dx) {
  return scattered(r, r->prim, dx, r->in[2]);
}

static sec_value mul_jvp_updates(const sec_rule *r, sec_value du) {
  if (sec_scatter_unique(r->params)) return sec_mul(r->in[0], sum_of(r, du));
  sec_error_set(SEC_UNSUPPORTED, "say unique_indices=True if no place is met twice",
                "scatter_mul: the derivative by the updates needs unique indices");
  return SEC_VALUE_POISON;
}

static sec_value mul_transpose_x(const sec_rule *r, sec_value ct) {
  return scattered(r, r->prim, ct, r->in[2]);
}

SEC_PRIMITIVE(scatter_mul, .doc = "The operand multiplied by windows at places given by indices.",
              SEC_SCATTER, .jvp = {mul_jvp_x, NULL, mul_jvp_updates},
              .transpose = {mul_transpose_x}, .combine = &sec_mul_p,
              .runtime = "sec_rt_scatter_mul", .takes = SEC_TAKES_REAL)

/* ---- scatter_min, scatter_max: of n values that are equal to the result (updates, and the operand
 * if it stayed) each has weight 1 / n ---- */
static sec_value ones(const sec_aval *a, sec_value where) {
  sec_value one = sec_literal_of(a->dtype, false, 1, 1);
  return sec_where(where, one, sec_zero_literal(a->dtype));
}

/* Of each update: whether it is the result; how many of its place are, the operand included. */
typedef struct winners {
  sec_value won, stayed, count;
} winners;

static winners winners_of(const sec_rule *r) {
  sec_value result = sec_scatter_gather_back(r, r->out[0]);
  winners w;
  w.won = ones(r->in_avals[2], sec_eq(r->in[2], result));
  w.stayed =
      ones(r->in_avals[2], sec_eq(sec_scatter_gather_back(r, r->in[0]), result));
  w.count = sec_add(sec_scatter_gather_back(r, sum_of(r, w.won)), w.stayed);
  w.count = sec_max(w.count, sec_literal_of(r->in_avals[2]->dtype, false, 1, 1));
  return w;
}

/* A place that several updates meet gets what is lost of its tangent in equal parts. */
static sec_value extremum_jvp_x(const sec_rule *r, sec_value dx) {
  winners w = winners_of(r);
  sec_value one = sec_literal_of(r->in_avals[2]->dtype, false, 1, 1);
  sec_value all = sec_full(one, r->in_avals[2]->rank, r->in_avals[2]->dims);
  sec_value met = sec_max(sec_scatter_gather_back(r, sum_of(r, all)), one);
  sec_value lost = sec_div(sec_sub(sec_div(w.stayed, w.count), one), met);
  return scattered(r, &sec_scatter_add_p, dx, sec_mul(sec_scatter_gather_back(r, dx), lost));
}

static sec_value extremum_jvp_updates(const sec_rule *r, sec_value du) {
  winners w = winners_of(r);
  return sum_of(r, sec_mul(du, sec_div(w.won, w.count)));
}

SEC_PRIMITIVE(scatter_min, .doc = "The lesser of the operand and windows at places given by indices.",
              SEC_SCATTER, .jvp = {extremum_jvp_x, NULL, extremum_jvp_updates},
              .combine = &sec_min_p, .runtime = "sec_rt_scatter_min", .takes = SEC_TAKES_ORDERED)
SEC_PRIMITIVE(scatter_max,
              .doc = "The greater of the operand and windows at places given by indices.",
              SEC_SCATTER, .jvp = {extremum_jvp_x, NULL, extremum_jvp_updates},
              .combine = &sec_max_p, .runtime = "sec_rt_scatter_max", .takes = SEC_TAKES_ORDERED)

sec_value sec_scatter_mul(sec_value x, sec_value indices, sec_value updates,
                          const sec_scatter_dims *dims, int mode, bool unique) {
  return sec_scatter_as(&sec_scatter_mul_p, x, indices, updates, dims, mode, unique);
}

sec_value sec_scatter_min(sec_value x, sec_value indices, sec_value updates,
                          const sec_scatter_dims *dims, int mode) {
  return sec_scatter_as(&sec_scatter_min_p, x, indices, updates, dims, mode, false);
}

sec_value sec_scatter_max(sec_value x, sec_value indices, sec_value updates,
                          const sec_scatter_dims *dims, int mode) {
  return sec_scatter_as(&sec_scatter_max_p, x, indices, updates, dims, mode, false);
}
