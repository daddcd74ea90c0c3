/* The IR's own structures: contexts, avals, arrays, parameters, equations, jaxprs, traces.  Internal.
 * The one invariant: a jaxpr is never changed once sec_trace_end or the parser returned it. */
#ifndef SEC_IR_H
#define SEC_IR_H

#include <pthread.h>
#include <secant/callable.h>
#include <stdatomic.h>

typedef struct sec_primitive sec_primitive;
typedef struct sec_params sec_params;

struct sec_aval {
  sec_dtype dtype;
  bool      weak;
  int       rank;
  int64_t   size;                /* elements */
  int64_t   dims[SEC_MAX_RANK];
  uint64_t  hash;
  char     *text;                /* "f32[2,3]" */
  struct sec_aval *next;         /* intern chain */
};

struct sec_array {
  sec_context    *cx;
  const sec_aval *aval;
  void           *data;
  size_t          bytes;
  atomic_int      refs;
  uint32_t        place;                      /* twice the device, and 1 when committed to it */
  bool            inside;                     /* the struct lies in what release_data frees */
  bool            own;                        /* the memory is the engine's own: a result may take it over */
  bool            deleted;                    /* its memory is gone: data is NULL */
  void          (*release_data)(void *owner); /* NULL: `data` is in the array's own block, or nobody's */
  void           *owner;
};

/* ---- operands ---- */
/* A reference: a variable or a literal, packed in 32 bits. */
typedef uint32_t sec_ref;
#define SEC_REF_LITERAL_BIT 0x80000000u
#define SEC_REF_DROPPED 0x7fffffffu /* an output that nobody reads prints as _ */
static inline bool     sec_ref_is_literal(sec_ref r) { return (r & SEC_REF_LITERAL_BIT) != 0; }
static inline uint32_t sec_ref_index(sec_ref r) { return r & ~SEC_REF_LITERAL_BIT; }

typedef struct sec_literal {
  const sec_aval *aval; /* rank 0 */
  double          f;    /* floats, and the real part of complex numbers */
  int64_t         i;    /* bool, signed, unsigned (as bits); the bits of the imaginary part, a double */
} sec_literal;
static inline double sec_literal_im(const sec_literal *l) {
  union { int64_t i; double f; } bits = {l->i};
  return bits.f;
}

/* ---- parameters ---- */
typedef enum sec_param_kind {
  SEC_PARAM_INT, SEC_PARAM_BOOL, SEC_PARAM_FLOAT, SEC_PARAM_INTS, SEC_PARAM_INTSS, SEC_PARAM_DTYPE, SEC_PARAM_STR,
  SEC_PARAM_JAXPR, SEC_PARAM_JAXPRS, SEC_PARAM_FN, SEC_PARAM_NONE
} sec_param_kind;

struct sec_callable {
  sec_callable_fn call;        /* traced */
  sec_host_body   run;         /* or run, by host_call */
  bool            elementwise; /* run takes operands of one shape or of rank 0, and gives one result of that shape */
  void          (*destroy)(void *user);
  void           *user;
  atomic_int      refs;
  char           *name;
};

typedef struct sec_param {
  const char    *name; /* static storage: the primitive's spec */
  sec_param_kind kind;
  union {
    int64_t   i;
    double    f;
    sec_dtype dtype;
    const char *str;
    struct { const int64_t *v; int n; } ints;             /* (1, 2) */
    struct { const int64_t *const *v; const int *n; int count; } intss; /* ((1,), (0,)): a list of lists */
    sec_jaxpr *jaxpr;
    struct { sec_jaxpr *const *v; int n; } jaxprs;
    sec_callable *fn;
  } u;
} sec_param;

/* Interned and counted: equal parameters are one pointer while any of them lives. */
struct sec_params {
  atomic_int  refs;
  int         n;
  sec_param  *list; /* sorted by name */
  uint64_t    hash;
  sec_context *cx;
  struct sec_params *next; /* intern chain */
};

enum { SEC_HOST_BUFFERS = 80 }; /* operands and results of a host_call */
/* Runs a host function; types: of the operands, then of the results. */
sec_status sec_host_run(sec_callable *host, const void *const *in, void *const *out, const sec_aval *const *types);

/* Copies `list` (names must be static; int lists and strings are copied; jaxprs and fns retained).
 * Returns a counted pointer (release it, or hand it to sec_bind, which takes it), NULL without memory. */
const sec_params *sec_params_make(sec_context *cx, const sec_param *list, int n);
void              sec_params_retain(const sec_params *p);
void              sec_params_release(const sec_params *p);
const sec_param  *sec_params_find(const sec_params *p, const char *name); /* NULL when absent; p may be NULL */
int64_t           sec_params_int(const sec_params *p, const char *name);  /* INT, BOOL, DTYPE; 0 when absent */
const int64_t    *sec_params_ints(const sec_params *p, const char *name, int *n);
sec_jaxpr        *sec_params_jaxpr(const sec_params *p, const char *name); /* borrowed */
/* Initialisers for the lists handed to sec_params_make. */
#define SEC_P_INT(nm, x)    {.name = nm, .kind = SEC_PARAM_INT, .u.i = (x)}
#define SEC_P_BOOL(nm, x)   {.name = nm, .kind = SEC_PARAM_BOOL, .u.i = (x)}
#define SEC_P_FLOAT(nm, x)  {.name = nm, .kind = SEC_PARAM_FLOAT, .u.f = (x)}
#define SEC_P_DTYPE(nm, x)  {.name = nm, .kind = SEC_PARAM_DTYPE, .u.dtype = (x)}
#define SEC_P_STR(nm, x)    {.name = nm, .kind = SEC_PARAM_STR, .u.str = (x)}
#define SEC_P_INTS(nm, p, k) {.name = nm, .kind = SEC_PARAM_INTS, .u.ints = {(p), (k)}}
#define SEC_P_JAXPR(nm, x)  {.name = nm, .kind = SEC_PARAM_JAXPR, .u.jaxpr = (x)}
#define SEC_P_JAXPRS(nm, p, k) {.name = nm, .kind = SEC_PARAM_JAXPRS, .u.jaxprs = {(p), (k)}}
#define SEC_P_FN(nm, x)     {.name = nm, .kind = SEC_PARAM_FN, .u.fn = (x)}
/* params of one list: sec_params_make(cx, SEC_PARAMS(SEC_P_INT("axis", 0), ...)) */
#define SEC_PARAMS(...)                                                                           \
  (const sec_param[]){__VA_ARGS__}, (int)(sizeof((const sec_param[]){__VA_ARGS__}) / sizeof(sec_param))

/* ---- equations and jaxprs ---- */
typedef struct sec_eqn {
  const sec_primitive *prim;
  const sec_params    *params;       /* counted by the jaxpr; NULL when there are none */
  const sec_ref       *in;
  uint32_t             n_in, out, n_out; /* results are the variables out .. out + n_out - 1 */
  uint32_t             loc;          /* index into the context's locations; 0: unknown */
} sec_eqn;

typedef struct sec_const {           /* a captured variable */
  uint32_t   var;
  sec_array *array;                  /* counted; or NULL for a value of an enclosing trace */
  sec_value  outer;
} sec_const;

struct sec_jaxpr {
  sec_context     *cx;
  atomic_int       refs;
  char            *name;
  const sec_aval **avals;            /* one a variable; the first n_in variables are the inputs */
  sec_eqn         *eqns;             /* topological order, single assignment */
  sec_ref         *outs;
  sec_literal     *literals;
  sec_const       *consts;
  uint32_t         n_vars, n_in, n_eqns, n_out, n_literals, n_consts;
  const char     **names;            /* inputs, then results, when read from text (NULL: a literal); in the arena */
  struct sec_arena *arena;
  _Atomic uint64_t hash;             /* 0: not computed yet */
};

static inline const sec_aval *sec_ref_aval(const sec_jaxpr *j, sec_ref r) {
  return sec_ref_is_literal(r) ? j->literals[sec_ref_index(r)].aval : j->avals[r];
}

/* ---- contexts ---- */
enum { SEC_LOCATION_BLOCKS = 26 };
struct sec_context {
  pthread_mutex_t lock;              /* guards the tables below */
  atomic_bool     x64;
  struct sec_aval **avals;           /* hash table of chains */
  uint32_t        n_avals, aval_slots;
  struct sec_params **params;
  uint32_t        n_params, param_slots;
  struct sec_location *locations[SEC_LOCATION_BLOCKS]; /* block k holds 64 << k; they stay where they are */
  uint32_t       *location_slots;    /* hash table of numbers, open addressing */
  uint32_t        n_locations, n_location_slots;
  struct sec_owned *owned;           /* freed with the context, newest first */
  _Atomic(struct sec_cache *) cache;           /* the backend's: made at the first compile, freed through `owned` */
};

/* The context destroys `object` at its end, unless it is disowned before. */
sec_status sec_context_own(sec_context *cx, void *object, void (*destroy)(void *object));
void       sec_context_disown(sec_context *cx, void *object);

/* ---- memory: as in memory.h, for what belongs to a context ---- */
void *sec_alloc(sec_context *cx, size_t bytes);
void *sec_realloc(sec_context *cx, void *p, size_t bytes);
void  sec_free(sec_context *cx, void *p);

/* A bump allocator for compiler data; freed whole. */
typedef struct sec_arena sec_arena;
sec_arena *sec_arena_create(sec_context *cx);
void      *sec_arena_alloc(sec_arena *a, size_t bytes); /* zeroed, 16-byte aligned */
char      *sec_arena_strdup(sec_arena *a, const char *s);
void       sec_arena_destroy(sec_arena *a);

/* As sec_array_wrap, for a type at hand. */
sec_array *sec_array_wrap_aval(sec_context *cx, const sec_aval *aval, void *data, void (*release_data)(void *),
                               void *owner);
/* The same memory under another type of as many bytes; one more count on it. */
sec_array *sec_array_view(sec_array *a, const sec_aval *aval);
/* Whether nobody else can read the memory, and a result may be written over it. */
bool sec_array_is_sole(const sec_array *a);
/* Makes `a`, which is sole, give its memory to `to`, which has none; `a` counts as deleted from there on. */
void sec_array_give(sec_array *a, sec_array *to);
/* The place of new arrays: that of the thread's default device. */
uint32_t sec_default_place(void);

/* ---- locations ---- */
uint32_t    sec_location_get(sec_context *cx, const char *file, int line); /* interned, > 0 */
const char *sec_location_file(const sec_context *cx, uint32_t loc);
int         sec_location_line(const sec_context *cx, uint32_t loc);
/* While set (not 0) new equations of the current trace take this location: transforms set it to the
 * equation that they process. Returns the former one. */
uint32_t sec_trace_set_location(uint32_t loc);

/* ---- binding ---- */
#define SEC_VALUE_POISON ((sec_value){0, 0})
/* A tangent or cotangent known to be zero, or an operand that has no value (the linear operand of a
 * transpose rule).  Never an operand of sec_bind. */
#define SEC_VALUE_ZERO ((sec_value){0, 1})
static inline bool sec_value_is_zero(sec_value v) { return v.trace == 0 && v.ref == 1; }

/* Applies a primitive in the current trace: lifts operands, runs its type rule, appends the equation.
 * Takes `params`.  On error every out is poison.  Strict: no broadcasting, no promotion. */
sec_status sec_bind(const sec_primitive *prim, const sec_value *in, int n_in, const sec_params *params,
                    sec_value *out, int n_out);
sec_value sec_bind1(const sec_primitive *prim, sec_value x, const sec_params *params);
sec_value sec_bind2(const sec_primitive *prim, sec_value x, sec_value y, const sec_params *params);

/* Evaluates one primitive with the reference rule; out[i] are new arrays. */
sec_status sec_eval_primitive(sec_context *cx, const sec_primitive *prim, const sec_params *params,
                              sec_array *const *in, int n_in, const sec_aval *const *out_avals, sec_array **out,
                              int n_out);

/* Zeros or ones of a type in the current trace (a literal, broadcast when rank > 0). */
sec_value sec_zeros_of(const sec_aval *aval);
sec_value sec_full_of(const sec_aval *aval, double value);
/* The tangent if it is one, else zeros of `aval`. */
sec_value sec_instantiate(sec_value tangent, const sec_aval *aval);

/* The literal behind a value of an open trace, or NULL. */
const sec_literal *sec_value_literal(sec_value v);
/* The same literal in the current trace. */
sec_value sec_literal_copy(const sec_literal *l);

#endif
