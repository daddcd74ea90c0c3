/* Reading jaxpr text: see jaxpr_read.h. */
#include "jaxpr_read.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */
static bool memory_ended(const sec_reader *p) {
  return !p->stale && sec_error_status(p->cx) == SEC_MEMORY;
}

sec_status sec_read_error(const sec_reader *p, const char *at, const char *hint, const char *what) {
  int line = 1, column = 1;
  if (memory_ended(p)) return SEC_MEMORY;
  for (const char *c = p->text; c < at && *c; c++) {
    column = *c == '\n' ? 1 : column + 1;
    line += *c == '\n';
  }
  sec_error_set(SEC_PARSE, hint, "jaxpr text, line %d, column %d: %s", line, column, what);
  return SEC_PARSE;
}

sec_status sec_read_expected(const sec_reader *p, const char *what, const char *hint) {
  char   message[256], found[40];
  size_t n = 0;
  while (n < sizeof found - 1 && p->at[n] && !isspace((unsigned char)p->at[n])) n++;
  if (n == 0 && p->at[0]) n = 1;
  snprintf(found, sizeof found, "%.*s", (int)n, p->at);
  snprintf(message, sizeof message, "expected %s, found %s%s%s", what,
           n ? "\"" : "the end of the text", found, n ? "\"" : "");
  return sec_read_error(p, p->at, hint, message);
}

/* An error that a rule recorded becomes ours, with the place. */
sec_status sec_read_rule_failed(const sec_reader *p, const char *at) {
  char message[1024], hint[512];
  if (p->stale) return SEC_PARSE;
  if (memory_ended(p)) return SEC_MEMORY;
  snprintf(message, sizeof message, "%s", sec_error_text(p->cx));
  snprintf(hint, sizeof hint, "%s", sec_error_hint(p->cx));
  sec_error_clear(p->cx);
  return sec_read_error(p, at, hint[0] ? hint : NULL, message);
}

/* ---- words ---- */
void sec_read_skip(sec_reader *p) {
  p->newline = false;
  for (; isspace((unsigned char)*p->at) || *p->at == '#'; p->at++) {
    if (*p->at == '#') p->at += strcspn(p->at, "\n");
    if (!*p->at) return;
    if (*p->at == '\n') p->newline = true, p->line = p->at + 1;
  }
}

size_t sec_read_indent(const sec_reader *p) { return p->line ? strspn(p->line, " \t") : 0; }

bool sec_read_take(sec_reader *p, char c) {
  sec_read_skip(p);
  if (*p->at != c) return false;
  p->at++;
  return true;
}

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* The word here, without taking it: its length. */
size_t sec_read_word_length(const char *at) {
  size_t n = 0;
  while (in_word(at[n]) || (n > 0 && at[n] == '-' && in_word(at[n + 1]))) n++;
  return n;
}

char *sec_read_text(sec_reader *p, size_t n) {
  char *s = n <= SEC_READ_MAX_WORD ? sec_arena_alloc(p->arena, n + 1) : NULL;
  if (!s) return NULL;
  memcpy(s, p->at, n);
  p->at += n;
  return s;
}

sec_status sec_read_word(sec_reader *p, const char *what, const char **out) {
  sec_read_skip(p);
  size_t n = sec_read_word_length(p->at);
  if (n == 0) return sec_read_expected(p, what, NULL);
  *out = sec_read_text(p, n);
  return *out ? SEC_OK : sec_read_error(p, p->at, NULL, "a word is too long");
}

bool sec_read_at_word(const sec_reader *p, const char *word) {
  size_t n = strlen(word);
  return sec_read_word_length(p->at) == n && strncmp(p->at, word, n) == 0;
}

sec_status sec_read_char(sec_reader *p, char c, const char *hint) {
  char what[4] = {'"', c, '"', 0};
  return sec_read_take(p, c) ? SEC_OK : sec_read_expected(p, what, hint);
}

/* `item` at the end of a list in the arena. */
sec_status sec_read_push(sec_reader *p, sec_read_list *l, const void *item, size_t size) {
  if (l->n == l->room) {
    int   room = l->room ? 2 * l->room : 4;
    void *grown = sec_arena_alloc(p->arena, (size_t)room * size);
    if (!grown) return SEC_MEMORY;
    if (l->n) memcpy(grown, l->items, (size_t)l->n * size);
    l->items = grown;
    l->room = room;
  }
  memcpy((char *)l->items + (size_t)l->n++ * size, item, size);
  return SEC_OK;
}

/* ---- scopes ---- */
static sec_read_binding *find(const sec_read_scope *s, const char *name) {
  uint32_t h = 2166136261u;
  for (const char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * 16777619u;
  while (s->table[h & (s->room - 1)].name && strcmp(s->table[h & (s->room - 1)].name, name) != 0)
    h++;
  return &s->table[h & (s->room - 1)];
}

sec_status sec_read_define(sec_reader *p, sec_read_scope *s, const sec_read_declaration *v,
                           sec_value value) {
  if (2 * s->n >= s->room) {
    sec_read_scope grown = {NULL, s->n, s->room ? 2 * s->room : 32};
    grown.table = sec_arena_alloc(p->arena, grown.room * sizeof *grown.table);
    if (!grown.table) return SEC_MEMORY;
    for (uint32_t i = 0; i < s->room; i++)
      if (s->table[i].name) *find(&grown, s->table[i].name) = s->table[i];
    *s = grown;
  }
  if (strcmp(v->name, "_") == 0) return SEC_OK;
  sec_read_binding *b = find(s, v->name);
  if (b->name) {
    char message[128];
    snprintf(message, sizeof message, "%.60s is assigned a second time", v->name);
    return sec_read_error(p, v->at, "give each result a name of its own", message);
  }
  *b = (sec_read_binding){v->name, value};
  s->n++;
  return SEC_OK;
}

/* ---- types and atoms ---- */
sec_status sec_read_int(sec_reader *p, int64_t *out) {
  sec_read_skip(p);
  char *end;
  errno = 0;
  bool      negative = *p->at == '-';
  long long x = negative ? strtoll(p->at, &end, 10) : (long long)strtoull(p->at, &end, 10);
  if (end == p->at || !(isdigit((unsigned char)p->at[0]) || isdigit((unsigned char)p->at[1])))
    return sec_read_expected(p, "an integer", NULL);
  if (errno == ERANGE) return sec_read_error(p, p->at, NULL, "an integer does not fit 64 bits");
  p->at = end;
  *out = x;
  return SEC_OK;
}

static sec_status parse_type(sec_reader *p, const sec_aval **out) {
  const char *start = (sec_read_skip(p), p->at), *name;
  SEC_TRY(sec_read_word(p, "a dtype", &name));
  sec_dtype dtype = sec_dtype_from_name(name);
  if (dtype == SEC_N_DTYPES) {
    p->at = start;
    return sec_read_expected(p, "a dtype", "types are written f32[2,3]");
  }
  int64_t dims[SEC_MAX_RANK];
  int     rank = 0;
  SEC_TRY(sec_read_char(p, '[', "types are written f32[2,3]"));
  while (!sec_read_take(p, ']')) {
    if (rank == SEC_MAX_RANK)
      return sec_read_error(p, p->at, NULL, "a shape has more than 12 axes");
    if (rank > 0) SEC_TRY(sec_read_char(p, ',', "sizes are written [2,3]"));
    SEC_TRY(sec_read_int(p, &dims[rank]));
    if (dims[rank++] < 0) return sec_read_error(p, start, NULL, "a size is negative");
  }
  *out = sec_aval_get(p->cx, dtype, false, rank, dims);
  return *out ? SEC_OK : sec_read_rule_failed(p, start);
}

sec_status sec_read_typed(sec_reader *p, sec_read_declaration *out) {
  sec_read_skip(p);
  out->at = p->at;
  SEC_TRY(sec_read_word(p, "a name", &out->name));
  SEC_TRY(sec_read_char(p, ':', "variables are written a:f32[3]"));
  return parse_type(p, &out->aval);
}

bool sec_read_at_literal(const sec_reader *p) {
  const char *c = p->at + (*p->at == '-');
  if (isdigit((unsigned char)*c) || *c == '.' || *c == '(') return true;
  size_t n = sec_read_word_length(c);
  if (n == 4 && c[3] == 'j') n = 3; /* nanj */
  bool   word = (n == 3 && (!strncmp(c, "inf", 3) || !strncmp(c, "nan", 3))) ||
              (n == 4 && !strncmp(c, "True", 4)) || (n == 5 && !strncmp(c, "False", 5));
  return word && (c[n] == ':' || c[n] == 'j' || c != p->at);
}

/* "(1+2j)", "2j" or a real number, to its end. */
static char *read_complex(const char *at, double *re, double *im) {
  char *end, *second;
  bool  both = *at == '(';
  *re = strtod(at + both, &end);
  *im = 0;
  if (both) {
    *im = strtod(end, &second);
    return second != end && second[0] == 'j' && second[1] == ')' ? second + 2 : (char *)at;
  }
  if (end == at || *end != 'j') return end;
  *im = *re;
  *re = 0;
  return end + 1;
}

static sec_status parse_literal(sec_reader *p, sec_value *out) {
  double re = 0, im = 0;
  const char     *start = p->at;
  const sec_aval *aval;
  char           *end;
  if (sec_read_at_word(p, "True") || sec_read_at_word(p, "False"))
    end = (char *)p->at + sec_read_word_length(p->at);
  else end = read_complex(p->at, &re, &im);
  if (end == start) return sec_read_expected(p, "a number", NULL);
  p->at = end;
  SEC_TRY(sec_read_char(p, ':', "literals are written 2.0:f32[]"));
  SEC_TRY(parse_type(p, &aval));
  if (aval->rank != 0)
    return sec_read_error(p, start, "literals are scalars: 2.0:f32[]", "a literal has axes");
  double   f = *start == 'T' || *start == 'F' ? *start == 'T' : strtod(start, NULL);
  int64_t  i = *start == 'T';
  sec_kind kind = sec_dtype_kind(aval->dtype);
  if (isdigit((unsigned char)start[0]) || start[0] == '-')
    i = start[0] == '-' ? strtoll(start, NULL, 10) : (int64_t)strtoull(start, NULL, 10);
  if (kind == SEC_KIND_BOOL) i = i != 0;
  if (kind == SEC_KIND_COMPLEX) *out = sec_literal_complex(aval->dtype, false, re, im);
  else *out = sec_literal_of(aval->dtype, false, f, i);
  return sec_value_ok(*out) ? SEC_OK : sec_read_rule_failed(p, start);
}

sec_status sec_read_atom(sec_reader *p, const sec_read_scope *s, sec_value *out) {
  sec_read_skip(p);
  if (sec_read_at_literal(p)) return parse_literal(p, out);
  const char *start = p->at, *name;
  char        message[128];
  SEC_TRY(sec_read_word(p, "a variable or a literal", &name));
  sec_read_binding *b = s->room ? find(s, name) : NULL;
  if (b && b->name) {
    *out = b->value;
    return SEC_OK;
  }
  snprintf(message, sizeof message, "%.60s is not defined", name);
  return sec_read_error(p, start, "inputs stand after lambda, results left of =", message);
}
