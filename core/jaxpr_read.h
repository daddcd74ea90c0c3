/* Reading jaxpr text: words, numbers, types, names and where a mistake stands.  The grammar is in
 * jaxpr_parse.c. Memory of a reading is in its arena. */
#ifndef SEC_JAXPR_READ_H
#define SEC_JAXPR_READ_H

#include "primitive.h"

enum { SEC_READ_MAX_DEPTH = 32, SEC_READ_MAX_WORD = 4096 };

typedef struct sec_read_list {
  void *items;
  int   n, room;
} sec_read_list;

/* A jaxpr that stands in front under a name, at `at`; read when it is first met. */
typedef struct sec_read_shared {
  const char *name, *at;
  sec_jaxpr  *jaxpr;
} sec_read_shared;

typedef struct sec_reader {
  sec_context  *cx;
  sec_arena    *arena;
  const char   *text, *at;
  const char   *name;    /* the last parameter of that name: bodies that follow bear it */
  sec_read_list shared;
  int           depth;
  bool          newline; /* the last skip passed the end of a line */
  const char   *line;    /* where that line begins */
  bool          stale;   /* an older error was recorded when we began */
} sec_reader;

typedef struct sec_read_binding {
  const char *name;
  sec_value   value;
} sec_read_binding;

/* Names of one jaxpr: open addressing, room is a power of 2. */
typedef struct sec_read_scope {
  sec_read_binding *table;
  uint32_t          n, room;
} sec_read_scope;

/* name:type, as it is declared at `at`. */
typedef struct sec_read_declaration {
  const char     *name, *at;
  const sec_aval *aval;
} sec_read_declaration;

/* Records a PARSE error with line and column of `at`; or what was expected and what was found; or
 * the error that a rule recorded, with the place put in front.  All return SEC_PARSE, or MEMORY when memory has
 * ended. */
sec_status sec_read_error(const sec_reader *p, const char *at, const char *hint, const char *what);
sec_status sec_read_expected(const sec_reader *p, const char *what, const char *hint);
sec_status sec_read_rule_failed(const sec_reader *p, const char *at);

/* Passes blanks and comments. */
void       sec_read_skip(sec_reader *p);
/* The blanks in front of the line that was last begun. */
size_t     sec_read_indent(const sec_reader *p);
/* Passes blanks, and `c` if it stands there; _char: it has to. */
bool       sec_read_take(sec_reader *p, char c);
sec_status sec_read_char(sec_reader *p, char c, const char *hint);
/* The length of the word at `at`; whether `word` stands here. */
size_t     sec_read_word_length(const char *at);
bool       sec_read_at_word(const sec_reader *p, const char *word);
/* Takes n characters, NULL when they are too many; takes a word. */
char      *sec_read_text(sec_reader *p, size_t n);
sec_status sec_read_word(sec_reader *p, const char *what, const char **out);
/* A copy of `item` at the end of the list. */
sec_status sec_read_push(sec_reader *p, sec_read_list *l, const void *item, size_t size);

sec_status sec_read_int(sec_reader *p, int64_t *out);
sec_status sec_read_typed(sec_reader *p, sec_read_declaration *out);
/* Whether a literal stands here: 1, -2.5, True, inf. */
bool       sec_read_at_literal(const sec_reader *p);
/* A variable of the scope or a literal, in the current trace. */
sec_status sec_read_atom(sec_reader *p, const sec_read_scope *s, sec_value *out);
sec_status sec_read_define(sec_reader *p, sec_read_scope *s, const sec_read_declaration *v,
                           sec_value value);

#endif
