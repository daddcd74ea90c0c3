/* A growable NUL-terminated text: what MLIR and LLVM have to say is collected in one.  Memory is the C library's, because
 * what leaves this library is freed by the caller with free(). */
#ifndef SEC_MLIR_TEXT_H
#define SEC_MLIR_TEXT_H

#include <llvm-c/Error.h>
#include <mlir-c/Support.h>
#include <stddef.h>

/* Zero-initialised is empty.  When memory ends, it is cut. */
typedef struct text {
  char *data;
  size_t size, capacity;
} text;

void text_add(text *t, const char *data, size_t size);
void text_add_string(text *t, const char *s);
/* A callback for MLIR's printers; `t` is the text. */
void text_add_mlir(MlirStringRef s, void *t);
/* Appends what `e` says and consumes it. */
void text_add_error(text *t, LLVMErrorRef e);
/* Moves the text into *error, with what failed before it; returns `failed`. */
int text_report(text *t, int failed, const char *what, char **error);
/* A NUL-terminated malloc'd copy. */
char *bytes_copy(const void *data, size_t size);

#endif
