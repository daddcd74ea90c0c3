/* einsum: NumPy's subscripts, read and contracted from left to right by dot_general. */
#include "composite.h"
#include <stdio.h>

/* ---- subscripts ---- */
/* Labels are letters, and for the axes of "..." the numbers ELLIPSIS + k, k counted from the last
 * of them. */
enum { MAX_EINSUM = 32, LETTERS = 128, ELLIPSIS = LETTERS, LABELS = LETTERS + SEC_MAX_RANK };

typedef struct term { /* one operand, or what has been contracted so far */
  sec_value x;
  unsigned char label[SEC_MAX_RANK];
  int rank;
} term;

typedef struct einsum {
  const char *text;
  term in[MAX_EINSUM], out;
  int n, n_ellipsis;
  bool known[LABELS];   /* an operand has it */
  int64_t size[LABELS]; /* of a known label */
  int uses[LABELS];     /* how many operands to come, and the result, have it */
} einsum;

static bool wrong(const einsum *e, const char *at, const char *hint, const char *what) {
  sec_error_set(SEC_ARGUMENT, hint, "einsum: \"%s\": position %d: %s", e->text, (int)(at - e->text),
                what);
  return false;
}

static const char *skip_spaces(const char *at) { return at + strspn(at, " "); }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* The labels up to a comma, an arrow or the end; n_ellipsis labels where "..." stands. */
static bool read_labels(const einsum *e, const char **at, term *t, int n_ellipsis) {
  bool dots = false;
  for (const char *c = *at = skip_spaces(*at);; c = *at = skip_spaces(*at)) {
    if (*c == ',' || *c == 0 || strncmp(c, "->", 2) == 0) return true;
    bool ellipsis = strncmp(c, "...", 3) == 0;
    if (!ellipsis && !is_letter(*c))
      return wrong(e, c, "write letters, \"...\", commas and one ->", "this is no label");
    if (ellipsis && dots) return wrong(e, c, NULL, "a second \"...\"");
    int n = ellipsis ? n_ellipsis : 1;
    if (t->rank + n > SEC_MAX_RANK) return wrong(e, c, NULL, "too many labels");
    for (int k = n; k-- > 0;) t->label[t->rank++] = (unsigned char)(ellipsis ? ELLIPSIS + k : *c);
    dots |= ellipsis;
    *at += ellipsis ? 3 : 1;
  }
}

/* How many axes the "..." of the operand at `at` stands for: what its letters leave. */
static int ellipsis_axes(const char *at, int rank) {
  bool dots = false;
  int letters = 0;
  for (; *at && *at != ',' && *at != '-'; at++) {
    letters += is_letter(*at);
    dots |= *at == '.';
  }
  return dots ? rank - letters : 0;
}

/* Axes of size 1 stretch to the size that others have. */
static bool note_sizes(einsum *e, const term *t, const char *at, int operand) {
  const sec_aval *a = sec_value_aval(t->x);
  for (int d = 0; d < t->rank; d++) {
    int64_t *size = &e->size[t->label[d]];
    if (!e->known[t->label[d]] || *size == 1) *size = a->dims[d];
    e->known[t->label[d]] = true;
    if (a->dims[d] == *size || a->dims[d] == 1) continue;
    char what[160];
    snprintf(what, sizeof what, "axis %d of operand %d, %.80s, has size %" PRId64 ", not %" PRId64,
             d, operand, a->text, a->dims[d], *size);
    return wrong(e, at, "give the axes of one label one size", what);
  }
  return true;
}

static bool read_operand(einsum *e, const char **at, int i) {
  term *t = &e->in[i];
  const sec_aval *a = sec_value_aval(t->x);
  const char *start = *at = skip_spaces(*at);
  int n_ellipsis = ellipsis_axes(start, a->rank);
  if (n_ellipsis > e->n_ellipsis) e->n_ellipsis = n_ellipsis;
  if (!read_labels(e, at, t, n_ellipsis > 0 ? n_ellipsis : 0)) return false;
  if (t->rank != a->rank || n_ellipsis < 0) {
    char what[160];
    snprintf(what, sizeof what, "%d labels for operand %d, %.80s", t->rank, i, a->text);
    return wrong(e, start, "write one label an axis", what);
  }
  if (!note_sizes(e, t, start, i)) return false;
  if (i + 1 < e->n && **at != ',') return wrong(e, *at, NULL, "labels of an operand are missing");
  if (i + 1 == e->n && **at == ',') return wrong(e, *at, NULL, "labels without an operand");
  *at += **at == ',';
  return true;
}

/* Without an arrow the result has the labels that stand once, in alphabetical order. */
static void implicit_output(einsum *e) {
  int count[LABELS] = {0};
  for (int i = 0; i < e->n; i++)
    for (int d = 0; d < e->in[i].rank; d++) count[e->in[i].label[d]]++;
  for (int k = e->n_ellipsis; k-- > 0;) e->out.label[e->out.rank++] = (unsigned char)(ELLIPSIS + k);
  for (int c = 0; c < LETTERS; c++)
    if (count[c] == 1 && e->out.rank < SEC_MAX_RANK) e->out.label[e->out.rank++] = (unsigned char)c;
}

static bool check_output(const einsum *e, const char *at) {
  bool seen[LABELS] = {false};
  for (int d = 0; d < e->out.rank; d++) {
    int label = e->out.label[d];
    const char *place = label < LETTERS ? strchr(at, label) : strchr(at, '.');
    if (!e->known[label]) return wrong(e, place ? place : at, NULL, "no operand has this label");
    if (seen[label]) return wrong(e, place ? place : at, NULL, "the result has this label twice");
    seen[label] = true;
  }
  return true;
}

static bool read_subscripts(einsum *e) {
  const char *at = e->text;
  for (int i = 0; i < e->n; i++)
    if (!read_operand(e, &at, i)) return false;
  if (*at == 0) implicit_output(e);
  if (*at == 0) return true;
  const char *output = at += 2;
  if (!read_labels(e, &at, &e->out, e->n_ellipsis)) return false;
  if (*at != 0) return wrong(e, at, NULL, "the subscripts end after the result's labels");
  return check_output(e, output);
}

/* ---- contraction ---- */
static int place_of(const term *t, int label) {
  for (int d = 0; d < t->rank; d++)
    if (t->label[d] == label) return d;
  return -1;
}

static void drop_axis(term *t, int d) {
  memmove(t->label + d, t->label + d + 1, (size_t)(--t->rank - d));
}

/* Axes of size 1 that stretch elsewhere go. */
static void squeeze_ones(const einsum *e, term *t) {
  for (int d = t->rank; d-- > 0;) {
    const sec_aval *a = sec_value_aval(t->x);
    const int64_t axis = d;
    if (a == NULL || a->dims[d] != 1 || e->size[t->label[d]] == 1) continue;
    t->x = sec_squeeze(t->x, &axis, 1);
    drop_axis(t, d);
  }
}

/* A label that stands twice in one operand: its diagonal, last. */
static void take_diagonals(term *t) {
  for (int d = 0; d < t->rank; d++) {
    int64_t permutation[SEC_MAX_RANK];
    int other = -1, n = 0;
    for (int k = d + 1; k < t->rank && other < 0; k++)
      if (t->label[k] == t->label[d]) other = k;
    if (other < 0) continue;
    for (int k = 0; k < t->rank; k++)
      if (k != d && k != other) permutation[n++] = k;
    permutation[n++] = d;
    permutation[n] = other;
    t->x = sec_diagonal("einsum", sec_transpose(t->x, permutation), 0);
    unsigned char label = t->label[d];
    drop_axis(t, other);
    drop_axis(t, d);
    t->label[t->rank++] = label;
    d = -1;
  }
}

/* Sums over labels that nothing else has. */
static void sum_alone(const einsum *e, term *t, const term *other) {
  int64_t axes[SEC_MAX_RANK];
  int n = 0;
  for (int d = 0; d < t->rank; d++)
    if (e->uses[t->label[d]] == 0 && (other == NULL || place_of(other, t->label[d]) < 0))
      axes[n++] = d;
  if (n > 0) t->x = sec_reduce_sum(t->x, axes, n);
  while (n-- > 0) drop_axis(t, (int)axes[n]);
}

static void count_uses(einsum *e, const term *t, int change) {
  bool seen[LABELS] = {false};
  for (int d = 0; d < t->rank; d++) {
    if (!seen[t->label[d]]) e->uses[t->label[d]] += change;
    seen[t->label[d]] = true;
  }
}

/* x and y become one: common labels that are still to come are batch axes, others are contracted.
 */
static bool contract(const einsum *e, term *x, const term *y) {
  int64_t list[4][SEC_MAX_RANK];
  term made = {.rank = 0};
  int n_contract = 0, n_batch = 0;
  for (int d = 0; d < x->rank; d++) {
    int other = place_of(y, x->label[d]);
    if (other < 0) continue;
    bool batch = e->uses[x->label[d]] > 0;
    int *n = batch ? &n_batch : &n_contract;
    list[batch ? 2 : 0][*n] = d;
    list[batch ? 3 : 1][(*n)++] = other;
    if (batch) made.label[made.rank++] = x->label[d];
  }
  if (x->rank + y->rank - n_batch - 2 * n_contract > SEC_MAX_RANK)
    return wrong(e, e->text, "write the operands in an order that contracts earlier",
                 "an intermediate result has too many axes");
  for (int d = 0; d < x->rank; d++)
    if (place_of(y, x->label[d]) < 0) made.label[made.rank++] = x->label[d];
  for (int d = 0; d < y->rank; d++)
    if (place_of(x, y->label[d]) < 0) made.label[made.rank++] = y->label[d];
  const sec_dot_dims dims = {list[0], list[1], list[2], list[3], n_contract, n_batch};
  made.x = n_contract + n_batch > 0 || (x->rank > 0 && y->rank > 0)
               ? sec_dot_general(x->x, y->x, &dims, SEC_N_DTYPES)
               : sec_mul(x->x, y->x);
  *x = made;
  return sec_value_ok(x->x);
}

static sec_value run_einsum(einsum *e) {
  int64_t permutation[SEC_MAX_RANK];
  term *t = &e->in[0];
  for (int i = 0; i < e->n; i++) {
    squeeze_ones(e, &e->in[i]);
    take_diagonals(&e->in[i]);
    if (!sec_value_ok(e->in[i].x)) return SEC_VALUE_POISON;
    count_uses(e, &e->in[i], 1);
  }
  count_uses(e, &e->out, 1);
  count_uses(e, t, -1);
  for (int i = 1; i < e->n; i++) {
    count_uses(e, &e->in[i], -1);
    sum_alone(e, t, &e->in[i]);
    sum_alone(e, &e->in[i], t);
    if (!contract(e, t, &e->in[i])) return SEC_VALUE_POISON;
  }
  sum_alone(e, t, NULL);
  for (int d = 0; d < e->out.rank; d++) permutation[d] = place_of(t, e->out.label[d]);
  return sec_transpose(t->x, permutation);
}

sec_value sec_einsum(const char *subscripts, const sec_value *x, int n) {
  einsum e = {.text = subscripts, .n = n};
  sec_value v[MAX_EINSUM];
  if (n < 1 || n > MAX_EINSUM) {
    sec_error_set(SEC_ARGUMENT, NULL, "einsum: %d operands, it takes 1 .. %d", n, MAX_EINSUM);
    return SEC_VALUE_POISON;
  }
  memcpy(v, x, (size_t)n * sizeof *v);
  if (sec_promote_dtypes(v, n) == SEC_N_DTYPES) return SEC_VALUE_POISON;
  for (int i = 0; i < n; i++) e.in[i].x = v[i];
  return read_subscripts(&e) ? run_einsum(&e) : SEC_VALUE_POISON;
}
