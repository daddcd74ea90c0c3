/* Text that breaks its lines where it has to: words, breaks and groups.  A group whose breaks fit the line as blanks is
 * written so; else its breaks are new lines, and the groups inside are asked one by one (Wadler, A prettier printer). */
#ifndef SEC_LAYOUT_H
#define SEC_LAYOUT_H

#include "text.h"
#include <stdint.h>

typedef struct sec_layout_item {
  enum { SEC_LAYOUT_WORD, SEC_LAYOUT_BREAK, SEC_LAYOUT_OPEN, SEC_LAYOUT_CLOSE, SEC_LAYOUT_NEST } kind;
  uint32_t start, width; /* a word or a break: its text; a group: the width of its line, `start` the group around it */
  int      nest;
} sec_layout_item;

typedef struct sec_layout {
  sec_buffer       words; /* the texts, one after the other */
  sec_layout_item *items;
  size_t           n, room;
  uint32_t         width, open; /* of all on one line; the innermost open group, counted from 1 */
  bool             failed;
} sec_layout;

void sec_layout_word(sec_layout *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sec_layout_break(sec_layout *l, const char *flat); /* a new line, or `flat` */
void sec_layout_open(sec_layout *l);
void sec_layout_close(sec_layout *l);
void sec_layout_nest(sec_layout *l, int more); /* new lines from here on are indented by `more` */

/* The text in lines of `width` where breaks allow it: sec_mem_free() it; NULL without memory.  Frees what `l` holds. */
char *sec_layout_finish(sec_layout *l, int width);

#endif
