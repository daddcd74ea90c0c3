/* Primitives: what an operation is and how every transform treats it.  THE FILE A NEWCOMER READS FIRST.
 *
 * One primitive = one SEC_PRIMITIVE block in one file of core/ops/.  CMake scans core/ops/ for lines that
 * start with SEC_PRIMITIVE( and writes primitives.inc; the registry, the Python table, the coverage table
 * and the generic tests follow from it.  Nobody keeps a second list.
 *
 * Rules are written with the user's own operations (`sec_mul(dx, sec_cos(r->in[0]))`) and run while a trace
 * is open, which receives the equations.  A missing rule is a named error and a line in the coverage table. */
#ifndef SEC_PRIMITIVE_H
#define SEC_PRIMITIVE_H

#include "ir.h"
#include "lower.h"

#define SEC_MAX_OPERANDS 6 /* named operands; variadic primitives (concatenate, scan, ...) set .variadic */

/* ---- type rule: operand avals -> result avals ---- */
typedef struct sec_typing {
  const sec_primitive   *prim;
  const sec_params      *params;
  sec_context           *cx;
  const sec_aval *const *in;
  int                    n_in;
  const sec_aval       **out; /* room for max_out */
  int                    n_out, max_out;
} sec_typing;
typedef sec_status (*sec_type_rule)(sec_typing *t);

/* ---- reference evaluation: out[i] are made with the right avals, uninitialised ---- */
typedef struct sec_eval {
  const sec_primitive *prim;
  const sec_params    *params;
  sec_context         *cx;
  sec_array *const    *in;
  int                  n_in;
  sec_array          **out;
  int                  n_out;
} sec_eval;
typedef sec_status (*sec_eval_rule)(const sec_eval *e);

/* Elementwise evaluation by class of the OPERANDS: one function a class, over all operands of one element.
 * Floats are evaluated in double and rounded to the result's dtype.  Signed and unsigned integers come
 * widened to 64 bits and are wrapped to the result's width afterwards; `bits` is the operand's width.
 * bool operands use .u with bits = 1.  A comparison returns 0 or 1.  Complex numbers are evaluated in double as well;
 * of a result that is real or bool, the real part is taken. */
typedef struct sec_scalar_rule {
  double (*f)(const double *x);
  int64_t (*i)(const int64_t *x, int bits);
  uint64_t (*u)(const uint64_t *x, int bits);
  double _Complex (*c)(const double _Complex *x);
} sec_scalar_rule;

/* ---- differentiation ---- */
typedef struct sec_rule {
  const sec_primitive   *prim;
  const sec_params      *params;
  sec_context           *cx;
  const sec_value       *in;       /* operands; in transpose rules the linear ones are SEC_VALUE_ZERO */
  const sec_aval *const *in_avals;
  int                    n_in;
  const sec_value       *out;      /* results (jvp only; NULL in transpose rules) */
  const sec_aval *const *out_avals;
  int                    n_out;
  int                    wrt;      /* the operand that this call is about */
} sec_rule;
/* The tangent of the (single) result due to tangent dx of operand `wrt`; dx is never zero. */
typedef sec_value (*sec_jvp_rule)(const sec_rule *r, sec_value dx);
/* The cotangent of the linear operand `wrt`, given the result's cotangent; ct is never zero.
 * May return SEC_VALUE_ZERO. */
typedef sec_value (*sec_transpose_rule)(const sec_rule *r, sec_value ct);
/* All at once, for several results or coupled operands.  Tangents and cotangents may be SEC_VALUE_ZERO.
 * jvp_all also binds the primal: it fills out[] (primal results) and out_dot[]. */
typedef sec_status (*sec_jvp_all_rule)(const sec_rule *r, const sec_value *in_dot, sec_value *out, sec_value *out_dot);
/* linear[i]: operand i is linear (its r->in is SEC_VALUE_ZERO) and wants in_ct[i]; the rest is left zero. */
typedef sec_status (*sec_transpose_all_rule)(const sec_rule *r, const bool *linear, const sec_value *ct, sec_value *in_ct);

/* ---- batching ---- */
/* Batched operands carry the mapped axis in front (axis 0).  The rule binds the batched equation, fills
 * out[] and says which results are batched (in front as well). */
typedef struct sec_batch {
  const sec_primitive   *prim;
  const sec_params      *params;
  sec_context           *cx;
  const sec_value       *in;
  const bool            *batched;
  const sec_aval *const *in_avals;  /* types of one lane */
  int                    n_in;
  const sec_aval *const *out_avals; /* types of one lane */
  int                    n_out;
  int64_t                size;      /* of the mapped axis */
  const char            *axis_name; /* or NULL */
  sec_value             *out;
  bool                  *out_batched;
} sec_batch;
typedef sec_status (*sec_batch_rule)(sec_batch *b);

/* ---- partial evaluation (only for primitives with bodies: scan, while, cond, jit, remat, ...) ----
 * Splits one equation into a known part, bound in the current trace, and an unknown part.
 * known[i] says whether operand i is known (then in[i] is its value).  Declared in transforms/partial.h. */
struct sec_partial;
typedef sec_status (*sec_partial_rule)(struct sec_partial *p);

/* ---- complex numbers ---- */
/* Compiled code has none: before fusion a complex value becomes a pair of real ones (lowering/planar.c), and `parts` binds
 * what an equation with complex operands or results is for pairs.  Parts are strong.  A runtime call without
 * the rule is given whole complex arrays. */
typedef struct sec_pair { sec_value re, im; } sec_pair; /* im: SEC_VALUE_ZERO for a real value */
typedef struct sec_parts {
  const sec_primitive   *prim;
  const sec_params      *params;
  sec_context           *cx;
  const sec_pair        *in;
  const sec_aval *const *in_avals, *const *out_avals; /* of the equation */
  int                    n_in, n_out;
  sec_pair              *out;                         /* an `im` of a real result is ignored */
} sec_parts;
typedef sec_status (*sec_parts_rule)(const sec_parts *p);

/* ---- lowering ---- */
/* How the lowering treats a primitive. */
typedef enum sec_form {
  SEC_FORM_NONE,        /* cannot be lowered: an error that names it */
  SEC_FORM_ELEMENTWISE, /* `lower` computes one element (or one a result) */
  SEC_FORM_VIEW,        /* re-reads its operand through `view` */
  SEC_FORM_RESHAPE,     /* the same elements in the same order (reshape, squeeze, expand_dims, copy) */
  SEC_FORM_BITS,        /* the same memory read as elements of another size */
  SEC_FORM_IOTA,
  SEC_FORM_REDUCE,      /* params "axes"; combines by primitive `combine` from `identity` */
  SEC_FORM_CONCATENATE, /* param "dimension" */
  SEC_FORM_PAD,         /* param "padding_config" */
  SEC_FORM_DYNAMIC_SLICE, SEC_FORM_DYNAMIC_UPDATE_SLICE,
  SEC_FORM_DOT,         /* param "dimension_numbers" */
  SEC_FORM_RUNTIME,     /* calls `runtime` with the words that `meta` writes */
  SEC_FORM_CONTROL,     /* cond, while, scan: by name in lowering */
  SEC_FORM_CALL         /* has a sub-jaxpr in param `call_param`, inlined before lowering */
} sec_form;

/* One element: x[i] are the operands' elements, out[i] what the rule gives back. */
typedef struct sec_lower {
  const sec_primitive   *prim;
  const sec_params      *params;
  const sec_aval *const *in_avals, *const *out_avals;
  int                    n_in, n_out;
} sec_lower;
typedef void (*sec_lower_rule)(sec_builder *b, const sec_lower *l, const sec_lv *x, sec_lv *out);

/* Where result element i_0.. is read from in the operand: operand axis a at offset + sum_k coef[k] * i_k. */
typedef struct sec_axis_map { int64_t offset, coef[SEC_MAX_RANK]; } sec_axis_map;
typedef struct sec_index_map { sec_axis_map axis[SEC_MAX_RANK]; } sec_index_map;
typedef void (*sec_view_rule)(const sec_params *p, const sec_aval *in, const sec_aval *out, sec_index_map *map);

/* Words for the runtime function; returns how many (<= 128).  bufs are the operands, then the results. */
typedef int (*sec_meta_rule)(const sec_typing *t, int64_t *meta);

typedef enum sec_identity { SEC_ID_ZERO, SEC_ID_ONE, SEC_ID_LOWEST, SEC_ID_HIGHEST, SEC_ID_ALL_ONES } sec_identity;

/* Flops and bytes of one equation, for fusion and reports. */
typedef struct sec_cost { double flops, bytes; } sec_cost;
typedef sec_cost (*sec_cost_rule)(const sec_typing *t);

/* What one equation is made of, in public operations: bound in its place just before lowering, after all
 * derivatives and maps.  False: this one is lowered by its form. */
typedef bool (*sec_expand_rule)(const sec_rule *r, sec_value *out);

/* ---- tests ---- */
/* Where the generic tests sample floats, [low, high] (both 0: [-2, 2]), and classes of dtypes that it takes. */
enum { SEC_TAKES_BOOL = 1, SEC_TAKES_INT = 2, SEC_TAKES_UINT = 4, SEC_TAKES_FLOAT = 8,
       SEC_TAKES_COMPLEX = 16, SEC_TAKES_REAL = 14, SEC_TAKES_ORDERED = 15, SEC_TAKES_BITS = 7, SEC_TAKES_SIGNED = 26,
       SEC_TAKES_INEXACT = 24, SEC_TAKES_NUMBER = 30, SEC_TAKES_ANY = 31 };
typedef struct sec_domain { double low, high; } sec_domain;

typedef enum sec_flags {
  SEC_FLAG_NONE = 0,
  SEC_FLAG_NO_GRADIENT = 1, /* derivative zero by definition: floor, comparisons, integer results, stop_gradient */
  SEC_FLAG_EFFECT = 2,      /* never removed, never merged */
  SEC_FLAG_COMMUTATIVE = 4,
  SEC_FLAG_CHEAP = 8,       /* recompute rather than store: a few instructions */
  SEC_FLAG_HOST = 16        /* RUNTIME that may fail: it calls the host program, or needs memory; never part of a kernel */
} sec_flags;

struct sec_primitive {
  const char            *name, *doc;                   /* "sin", "Sine of x, in radians." */
  const char            *operands[SEC_MAX_OPERANDS];   /* names in errors, docs and keywords */
  bool                   variadic;
  sec_type_rule          type;                         /* required */
  sec_eval_rule          eval;                         /* required: or sec_eval_elementwise with .scalar */
  sec_scalar_rule        scalar;
  uint32_t               linear;                       /* bit i: jointly linear in these operands; the engine then
                                                          gives jvp: bind the primitive on the tangents */
  sec_jvp_rule           jvp[SEC_MAX_OPERANDS];        /* one an operand; the engine adds the terms, skips zeros */
  sec_jvp_all_rule       jvp_all;
  sec_transpose_rule     transpose[SEC_MAX_OPERANDS];
  sec_transpose_all_rule transpose_all;
  sec_batch_rule         batch;
  sec_partial_rule       partial;
  sec_parts_rule         parts;                        /* complex operands or results */
  sec_form               form;
  sec_lower_rule         lower;
  sec_view_rule          view;
  const sec_primitive   *combine;                      /* REDUCE */
  sec_identity           identity;                     /* REDUCE */
  const char            *runtime;                      /* RUNTIME: "sec_rt_cholesky" */
  sec_meta_rule          meta;
  const char            *call_param;                   /* CALL */
  sec_expand_rule        expand;                       /* with form NONE: always */
  sec_status           (*refuse)(void);                /* never run: records why */
  sec_cost_rule          cost;
  unsigned               flags, takes;
  sec_domain             domain;
};

#define SEC_PRIMITIVE(id, ...) const sec_primitive sec_##id##_p = {.name = #id, __VA_ARGS__};
#define SEC_DECLARE_PRIMITIVE(id) extern const sec_primitive sec_##id##_p;

/* ---- the registry, from primitives.inc ---- */
const sec_primitive *sec_primitive_find(const char *name);
int                  sec_n_primitives(void);
const sec_primitive *sec_primitive_at(int i); /* in alphabetical order */

#endif
