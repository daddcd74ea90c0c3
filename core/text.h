/* A growable string.  After a failed allocation `failed` is set and further additions do nothing. */
#ifndef SEC_BUFFER_H
#define SEC_BUFFER_H
#include <stdbool.h>
#include <stddef.h>

typedef struct sec_buffer {
  char  *data; /* sec_mem_free() it */
  size_t size, room;
  bool   failed;
} sec_buffer;

void sec_buffer_add(sec_buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
