/* Complex numbers become pairs of real ones, before fusion.  sec_planar: a -> b to a -> b, where nothing but the inputs, the
 * results and the operands of runtime calls is complex: those are arrays of pairs in memory, and their parts are views of
 * it.  What an equation is for pairs says its primitive (`parts` in core/primitive.h); bodies of loops and branches
 * take and give both parts. */
#include "memory.h"
#include "ops/structure.h"
#include "plan.h"

SEC_DECLARE_PRIMITIVE(scan)
SEC_DECLARE_PRIMITIVE(while)
SEC_DECLARE_PRIMITIVE(cond)

/* A variable: parts, or memory, or both; what is not there is poison.  Real variables are `re` alone. */
typedef struct variable { sec_pair parts; sec_value whole; } variable;

typedef struct planar {
  const sec_jaxpr *j;
  variable        *env;
  sec_pair        *in, *out;          /* of the current equation */
  const sec_aval **in_avals;
  sec_value       *flat, *flat_out;   /* twice as long */
} planar;

bool sec_has_complex(const sec_jaxpr *j) {
  for (uint32_t v = 0; v < j->n_vars; v++)
    if (sec_aval_is_complex(j->avals[v])) return true;
  for (uint32_t i = 0; i < j->n_out; i++)
    if (sec_aval_is_complex(sec_ref_aval(j, j->outs[i]))) return true;
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    const sec_params *p = j->eqns[i].params;
    for (uint32_t k = 0; k < j->eqns[i].n_in; k++)
      if (sec_aval_is_complex(sec_ref_aval(j, j->eqns[i].in[k]))) return true;
    for (int k = 0; p && k < p->n; k++) {
      if (p->list[k].kind == SEC_PARAM_JAXPR && sec_has_complex(p->list[k].u.jaxpr)) return true;
      for (int b = 0; p->list[k].kind == SEC_PARAM_JAXPRS && b < p->list[k].u.jaxprs.n; b++)
        if (sec_has_complex(p->list[k].u.jaxprs.v[b])) return true;
    }
  }
  return false;
}

/* ---- memory and parts ---- */
/* The shape of the floats behind a complex array: [.., 2], or [size, 2] where there is no axis left. */
static int pair_dims(const sec_aval *a, int64_t *dims) {
  int rank = a->rank < SEC_MAX_RANK ? a->rank : 1;
  memcpy(dims, a->dims, (size_t)a->rank * sizeof *dims);
  if (rank != a->rank) dims[0] = a->size;
  dims[rank] = 2;
  return rank + 1;
}

static sec_pair split(sec_value whole) {
  const sec_aval *a = sec_value_aval(whole);
  int64_t         dims[SEC_MAX_RANK], from[SEC_MAX_RANK] = {0};
  if (!a) return (sec_pair){SEC_VALUE_POISON, SEC_VALUE_POISON};
  int       rank = pair_dims(a, dims);
  sec_value floats = sec_reinterpret(whole, sec_dtype_part(a->dtype), false, rank, dims), part[2];
  for (int k = 0; k < 2; k++) {
    from[rank - 1] = k;
    dims[rank - 1] = k + 1;
    part[k] = sec_reshape(sec_slice(floats, from, dims, NULL), a->rank, a->dims);
  }
  return (sec_pair){part[0], part[1]};
}

static sec_value join(sec_pair z, const sec_aval *a) {
  int64_t dims[SEC_MAX_RANK];
  int     rank = pair_dims(a, dims);
  dims[rank - 1] = 1;
  sec_value part[2] = {sec_reshape(z.re, rank, dims), sec_reshape(z.im, rank, dims)};
  return sec_reinterpret(sec_concatenate(part, 2, rank - 1), a->dtype, a->weak, a->rank, a->dims);
}

static sec_pair literal_parts(const sec_literal *l) {
  if (!sec_aval_is_complex(l->aval)) return (sec_pair){sec_literal_copy(l), SEC_VALUE_ZERO};
  sec_dtype part = sec_dtype_part(l->aval->dtype);
  sec_value re = sec_literal_of(part, false, l->f, 0);
  return (sec_pair){re, sec_literal_of(part, false, sec_literal_im(l), 0)};
}

static sec_pair parts_of(planar *p, sec_ref r) {
  if (sec_ref_is_literal(r)) return literal_parts(&p->j->literals[sec_ref_index(r)]);
  if (!sec_value_ok(p->env[r].parts.re)) p->env[r].parts = split(p->env[r].whole);
  return p->env[r].parts;
}

static sec_value whole_of(planar *p, sec_ref r) {
  const sec_aval *a = sec_ref_aval(p->j, r);
  sec_pair        z = sec_ref_is_literal(r) ? literal_parts(&p->j->literals[sec_ref_index(r)]) : p->env[r].parts;
  if (!sec_aval_is_complex(a)) return z.re;
  if (sec_ref_is_literal(r)) return join(z, a);
  if (!sec_value_ok(p->env[r].whole)) p->env[r].whole = join(z, a);
  return p->env[r].whole;
}

/* A part has the result's shape and is strong; a real result has its own weakness. */
static sec_value settled(sec_value x, const sec_aval *out, bool weak) {
  const sec_aval *a = sec_value_aval(x);
  if (!a) return x;
  if (a->rank != out->rank) x = sec_broadcast_in_dim(x, out->rank, out->dims, NULL);
  return sec_convert(x, a->dtype, weak);
}

static sec_status define(planar *p, uint32_t var, sec_pair z) {
  const sec_aval *a = p->j->avals[var];
  bool            pair = sec_aval_is_complex(a);
  z.re = settled(z.re, a, !pair && a->weak);
  z.im = pair ? settled(z.im, a, false) : SEC_VALUE_ZERO;
  p->env[var].parts = z;
  bool ok = sec_value_ok(z.re) && (!pair || sec_value_ok(z.im));
  return ok || sec_error_status(p->j->cx) != SEC_OK ? sec_error_status(p->j->cx) : SEC_MEMORY;
}

/* ---- bodies ---- */
static sec_status walk(planar *p);

/* Room for the widest equation. */
static sec_status begin(planar *p, const sec_jaxpr *j) {
  uint32_t n_in = j->n_in, n_out = j->n_out;
  for (uint32_t i = 0; i < j->n_eqns; i++) {
    if (j->eqns[i].n_in > n_in) n_in = j->eqns[i].n_in;
    if (j->eqns[i].n_out > n_out) n_out = j->eqns[i].n_out;
  }
  *p = (planar){.j = j};
  p->env = sec_mem_zeroed(j->n_vars + 1, sizeof *p->env);
  p->in = sec_mem_zeroed(n_in + 1, sizeof *p->in);
  p->out = sec_mem_zeroed(n_out + 1, sizeof *p->out);
  p->in_avals = sec_mem_zeroed(n_in + 1, sizeof *p->in_avals);
  p->flat = sec_mem_zeroed(2 * (n_in + n_out) + 1, sizeof *p->flat);
  p->flat_out = p->flat ? p->flat + 2 * n_in : NULL;
  bool ok = p->env && p->in && p->out && p->in_avals && p->flat;
  return ok ? SEC_OK : sec_error_set(SEC_MEMORY, NULL, "out of memory: complex numbers could not be split");
}

static void end(planar *p) {
  sec_mem_free(p->env), sec_mem_free(p->in), sec_mem_free(p->out), sec_mem_free(p->in_avals), sec_mem_free(p->flat);
}

/* A body from both parts of its inputs to both parts of its results. */
static sec_status split_body(const sec_jaxpr *j, sec_jaxpr **out) {
  planar     p;
  int        n = 0;
  sec_status status = begin(&p, j);
  sec_trace *t = status == SEC_OK ? sec_trace_begin(j->cx, j->name) : NULL;
  *out = NULL;
  if (status == SEC_OK && !t) status = sec_error_status(j->cx);
  for (uint32_t v = 0; v < j->n_in && status == SEC_OK; v++) {
    const sec_aval *a = j->avals[v];
    bool            pair = sec_aval_is_complex(a);
    const sec_aval *part = pair ? sec_aval_get(j->cx, sec_dtype_part(a->dtype), false, a->rank, a->dims) : a;
    p.env[v].parts.re = sec_trace_input_aval(t, part);
    p.env[v].parts.im = pair ? sec_trace_input_aval(t, part) : SEC_VALUE_ZERO;
  }
  if (status == SEC_OK) status = walk(&p);
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++) {
    sec_pair z = parts_of(&p, j->outs[i]);
    p.flat_out[n++] = z.re;
    if (sec_aval_is_complex(sec_ref_aval(j, j->outs[i]))) p.flat_out[n++] = z.im;
  }
  if (status == SEC_OK) status = sec_trace_end(t, p.flat_out, n, out);
  else sec_trace_abandon(t);
  end(&p);
  return status;
}

/* ---- equations ---- */
/* Operands from..to with both parts, appended to p->flat. */
static int flatten(planar *p, const sec_eqn *e, uint32_t from, uint32_t to, int n) {
  for (uint32_t k = from; k < to; k++) {
    sec_pair z = parts_of(p, e->in[k]);
    p->flat[n++] = z.re;
    if (sec_aval_is_complex(sec_ref_aval(p->j, e->in[k]))) p->flat[n++] = z.im;
  }
  return n;
}

static sec_status unflatten(planar *p, const sec_eqn *e) {
  for (uint32_t k = 0, n = 0; k < e->n_out; k++) {
    bool     pair = sec_aval_is_complex(p->j->avals[e->out + k]);
    sec_pair z = {p->flat_out[n], pair ? p->flat_out[n + 1] : SEC_VALUE_ZERO};
    n += pair ? 2 : 1;
    SEC_TRY(define(p, e->out + k, z));
  }
  return SEC_OK;
}

static sec_status planar_scan(planar *p, const sec_eqn *e) {
  uint32_t   n_consts = (uint32_t)sec_params_int(e->params, "num_consts"), n_carry = (uint32_t)sec_params_int(e->params, "num_carry");
  sec_jaxpr *body;
  SEC_TRY(split_body(sec_params_jaxpr(e->params, "jaxpr"), &body));
  int        consts = flatten(p, e, 0, n_consts, 0), carried = flatten(p, e, n_consts, n_consts + n_carry, consts);
  int        all = flatten(p, e, n_consts + n_carry, e->n_in, carried);
  sec_status status = sec_scan(body, consts, carried - consts, sec_params_int(e->params, "length"),
                               sec_params_int(e->params, "reverse") != 0, p->flat, all, p->flat_out);
  sec_jaxpr_release(body);
  return status;
}

static sec_status planar_while(planar *p, const sec_eqn *e) {
  uint32_t   n_cond = (uint32_t)sec_params_int(e->params, "cond_nconsts"), n_body = (uint32_t)sec_params_int(e->params, "body_nconsts");
  sec_jaxpr *cond, *body = NULL;
  SEC_TRY(split_body(sec_params_jaxpr(e->params, "cond_jaxpr"), &cond));
  sec_status status = split_body(sec_params_jaxpr(e->params, "body_jaxpr"), &body);
  if (status == SEC_OK) {
    int for_cond = flatten(p, e, 0, n_cond, 0), for_body = flatten(p, e, n_cond, n_cond + n_body, for_cond);
    int all = flatten(p, e, n_cond + n_body, e->n_in, for_body);
    status = sec_while(cond, for_cond, body, for_body - for_cond, p->flat, all, p->flat_out);
  }
  sec_jaxpr_release(cond);
  sec_jaxpr_release(body);
  return status;
}

static sec_status planar_cond(planar *p, const sec_eqn *e) {
  const sec_param *branches = sec_params_find(e->params, "branches");
  int              n = branches->u.jaxprs.n, done = 0;
  sec_jaxpr      **split = sec_mem_zeroed((size_t)n + 1, sizeof *split);
  sec_status       status = split ? SEC_OK : SEC_MEMORY;
  for (; done < n && status == SEC_OK; done++) status = split_body(branches->u.jaxprs.v[done], &split[done]);
  if (status == SEC_OK) {
    int all = flatten(p, e, 1, e->n_in, 0);
    status = sec_cond(parts_of(p, e->in[0]).re, split, n, p->flat, all, p->flat_out);
  }
  for (int k = 0; k < done; k++) sec_jaxpr_release(split[k]);
  sec_mem_free(split);
  return status;
}

/* As it is: real, or a runtime call on memory. */
static sec_status rebind(planar *p, const sec_eqn *e) {
  for (uint32_t k = 0; k < e->n_in; k++) p->flat[k] = whole_of(p, e->in[k]);
  sec_params_retain(e->params);
  SEC_TRY(sec_bind(e->prim, p->flat, (int)e->n_in, e->params, p->flat_out, (int)e->n_out));
  for (uint32_t k = 0; k < e->n_out; k++) {
    variable *v = &p->env[e->out + k];
    if (sec_aval_is_complex(p->j->avals[e->out + k])) v->whole = p->flat_out[k];
    else v->parts = (sec_pair){p->flat_out[k], SEC_VALUE_ZERO};
  }
  return SEC_OK;
}

static sec_status by_rule(planar *p, const sec_eqn *e) {
  for (uint32_t k = 0; k < e->n_in; k++) {
    p->in[k] = parts_of(p, e->in[k]);
    p->in_avals[k] = sec_ref_aval(p->j, e->in[k]);
  }
  for (uint32_t k = 0; k < e->n_out; k++) p->out[k] = (sec_pair){SEC_VALUE_POISON, SEC_VALUE_POISON};
  const sec_parts parts = {.prim = e->prim, .params = e->params, .cx = p->j->cx, .in = p->in, .in_avals = p->in_avals,
                           .out_avals = p->j->avals + e->out, .n_in = (int)e->n_in, .n_out = (int)e->n_out, .out = p->out};
  SEC_TRY(e->prim->parts(&parts));
  for (uint32_t k = 0; k < e->n_out; k++) SEC_TRY(define(p, e->out + k, p->out[k]));
  return SEC_OK;
}

static sec_status equation(planar *p, const sec_eqn *e) {
  static const struct { const sec_primitive *prim; sec_status (*run)(planar *p, const sec_eqn *e); } control[] = {
      {&sec_scan_p, planar_scan}, {&sec_while_p, planar_while}, {&sec_cond_p, planar_cond}};
  bool is_complex = false;
  for (size_t i = 0; i < sizeof control / sizeof *control; i++)
    if (e->prim == control[i].prim) {
      SEC_TRY(control[i].run(p, e));
      return unflatten(p, e);
    }
  for (uint32_t k = 0; k < e->n_in; k++) is_complex |= sec_aval_is_complex(sec_ref_aval(p->j, e->in[k]));
  for (uint32_t k = 0; k < e->n_out; k++) is_complex |= sec_aval_is_complex(p->j->avals[e->out + k]);
  if (is_complex && e->prim->parts) return by_rule(p, e);
  if (!is_complex || e->prim->form == SEC_FORM_RUNTIME || e->prim->form == SEC_FORM_BITS) return rebind(p, e);
  return sec_error_set(SEC_UNSUPPORTED, "apply it to the real and imaginary parts", "%s: complex numbers cannot be compiled", e->prim->name);
}

static sec_status walk(planar *p) {
  for (uint32_t i = 0; i < p->j->n_eqns; i++) {
    sec_trace_set_location(p->j->eqns[i].loc);
    SEC_TRY(equation(p, &p->j->eqns[i]));
  }
  return SEC_OK;
}

sec_status sec_planar(const sec_jaxpr *j, sec_jaxpr **out) {
  planar     p;
  sec_status status = begin(&p, j);
  sec_trace *t = status == SEC_OK ? sec_trace_begin(j->cx, j->name) : NULL;
  *out = NULL;
  if (status == SEC_OK && !t) status = sec_error_status(j->cx);
  for (uint32_t v = 0; v < j->n_in && status == SEC_OK; v++) {
    sec_value x = sec_trace_input_aval(t, j->avals[v]);
    if (sec_aval_is_complex(j->avals[v])) p.env[v].whole = x;
    else p.env[v].parts = (sec_pair){x, SEC_VALUE_ZERO};
  }
  if (status == SEC_OK) status = walk(&p);
  for (uint32_t i = 0; i < j->n_out && status == SEC_OK; i++) p.flat_out[i] = whole_of(&p, j->outs[i]);
  if (status == SEC_OK) status = sec_trace_end(t, p.flat_out, (int)j->n_out, out);
  else sec_trace_abandon(t);
  end(&p);
  return status;
}
