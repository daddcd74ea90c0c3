/* Growable texts. */
#include "text.h"
#include <stdlib.h>
#include <string.h>

void text_add(text *t, const char *data, size_t size) {
  if (t->size + size + 1 > t->capacity) {
    size_t capacity = 2 * (t->size + size) + 64;
    char *grown = realloc(t->data, capacity);
    if (!grown)
      return;
    t->data = grown;
    t->capacity = capacity;
  }
  memcpy(t->data + t->size, data, size);
  t->size += size;
  t->data[t->size] = '\0';
}

void text_add_string(text *t, const char *s) {
  text_add(t, s, strlen(s));
}

void text_add_mlir(MlirStringRef s, void *t) {
  text_add(t, s.data, s.length);
}

void text_add_error(text *t, LLVMErrorRef e) {
  char *message = LLVMGetErrorMessage(e);
  if (t->size)
    text_add_string(t, "\n");
  text_add_string(t, message);
  LLVMDisposeErrorMessage(message);
}

int text_report(text *t, int failed, const char *what, char **error) {
  if (failed && error) {
    text message = {0};
    text_add_string(&message, "compiler: ");
    text_add_string(&message, what);
    if (t->size) {
      text_add_string(&message, ": ");
      text_add(&message, t->data, t->size);
    }
    *error = message.data;
  }
  free(t->data);
  return failed;
}

char *bytes_copy(const void *data, size_t size) {
  char *copy = malloc(size + 1);
  if (copy) {
    memcpy(copy, data, size);
    copy[size] = '\0';
  }
  return copy;
}
