/* A growable string, printf style. */
#include "memory.h"
#include "text.h"
#include <stdarg.h>
#include <stdio.h>

void sec_buffer_add(sec_buffer *b, const char *format, ...) {
  while (!b->failed) {
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(b->data ? b->data + b->size : NULL, b->room - b->size, format, arguments);
    va_end(arguments);
    if (n < 0) {
      b->failed = true;
    } else if (b->size + (size_t)n < b->room) {
      b->size += (size_t)n;
      return;
    } else {
      size_t room = 2 * b->room + (size_t)n + 64;
      char  *grown = sec_mem_realloc(b->data, room);
      if (grown) b->data = grown, b->room = room;
      else b->failed = true;
    }
  }
}
