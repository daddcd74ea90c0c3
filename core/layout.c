/* Laying out text: see layout.h. */
#include "layout.h"
#include "memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static sec_layout_item *push(sec_layout *l, sec_layout_item item) {
  if (l->failed) return NULL;
  if (l->n == l->room) {
    size_t           room = l->room ? 2 * l->room : 256;
    sec_layout_item *grown = sec_mem_realloc(l->items, room * sizeof *grown);
    if (!grown) return l->failed = true, NULL;
    l->items = grown, l->room = room;
  }
  l->items[l->n] = item;
  return &l->items[l->n++];
}

static void put(sec_layout *l, int kind, size_t start) {
  uint32_t width = (uint32_t)(l->words.size - start);
  l->failed |= l->words.failed;
  push(l, (sec_layout_item){.kind = kind, .start = (uint32_t)start, .width = width});
  l->width += width;
}

void sec_layout_word(sec_layout *l, const char *format, ...) {
  char    small[256];
  size_t  start = l->words.size;
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(small, sizeof small, format, arguments);
  va_end(arguments);
  if (n >= 0 && (size_t)n < sizeof small) {
    sec_buffer_add(&l->words, "%s", small);
  } else { /* long: a list of many numbers */
    char *large = n < 0 ? NULL : sec_mem_zeroed((size_t)n + 1, 1);
    if (!large) {
      l->failed = true;
      return;
    }
    va_start(arguments, format);
    vsnprintf(large, (size_t)n + 1, format, arguments);
    va_end(arguments);
    sec_buffer_add(&l->words, "%s", large);
    sec_mem_free(large);
  }
  put(l, SEC_LAYOUT_WORD, start);
}

void sec_layout_break(sec_layout *l, const char *flat) {
  size_t start = l->words.size;
  sec_buffer_add(&l->words, "%s", flat);
  put(l, SEC_LAYOUT_BREAK, start);
}

void sec_layout_nest(sec_layout *l, int more) { push(l, (sec_layout_item){.kind = SEC_LAYOUT_NEST, .nest = more}); }

/* Until it is closed, a group's width is that of the line before it. */
void sec_layout_open(sec_layout *l) {
  if (push(l, (sec_layout_item){.kind = SEC_LAYOUT_OPEN, .start = l->open, .width = l->width}))
    l->open = (uint32_t)l->n;
}

void sec_layout_close(sec_layout *l) {
  if (!push(l, (sec_layout_item){.kind = SEC_LAYOUT_CLOSE})) return;
  sec_layout_item *group = &l->items[l->open - 1];
  group->width = l->width - group->width;
  l->open = group->start;
}

char *sec_layout_finish(sec_layout *l, int width) {
  sec_buffer out = {.failed = l->failed};
  int        indent = 0, flat = 0; /* how many open groups are on one line */
  uint32_t   column = 0;
  sec_buffer_add(&out, "%s", "");
  for (size_t i = 0; i < l->n && !out.failed; i++) {
    const sec_layout_item *t = &l->items[i];
    switch (t->kind) {
    case SEC_LAYOUT_OPEN: flat += flat > 0 || column + t->width <= (uint32_t)width; break;
    case SEC_LAYOUT_CLOSE: flat -= flat > 0; break;
    case SEC_LAYOUT_NEST: indent += t->nest; break;
    case SEC_LAYOUT_BREAK:
      if (flat == 0) {
        sec_buffer_add(&out, "\n%*s", indent, "");
        column = (uint32_t)indent;
        break;
      } /* fall through */
    case SEC_LAYOUT_WORD:
      sec_buffer_add(&out, "%.*s", (int)t->width, l->words.data + t->start);
      column += t->width;
    }
  }
  sec_mem_free(l->items), sec_mem_free(l->words.data);
  *l = (sec_layout){0};
  if (!out.failed) return out.data;
  sec_mem_free(out.data);
  return NULL;
}
