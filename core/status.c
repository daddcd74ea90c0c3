/* The error record of each thread: the first error since the last clear wins. */
#include "ir.h"
#include "status_place.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct error_record {
  sec_status status;
  int        line;
  char       text[1024], hint[512], file[256], message[4096];
} error_record;

static _Thread_local error_record the_error;

static const char *const names[] = {
#define SEC_STATUS(name, text, python) #name,
#include <secant/status.def>
#undef SEC_STATUS
};
static const char *const texts[] = {
#define SEC_STATUS(name, text, python) text,
#include <secant/status.def>
#undef SEC_STATUS
};

const char *sec_status_name(sec_status s) { return (unsigned)s < SEC_N_STATUS ? names[s] : "?"; }
const char *sec_status_text(sec_status s) { return (unsigned)s < SEC_N_STATUS ? texts[s] : "?"; }

sec_status sec_error_set(sec_status status, const char *hint, const char *format, ...) {
  error_record *e = &the_error;
  if (e->status != SEC_OK && e->status != SEC_INTERRUPTED) return e->status; /* an interruption gives way */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(e->text, sizeof e->text, format, arguments);
  va_end(arguments);
  snprintf(e->hint, sizeof e->hint, "%s", hint ? hint : "");
  e->status = status;
  e->file[0] = 0;
  e->line = 0;
  return status;
}

void sec_error_place(const char *file, int line) {
  error_record *e = &the_error;
  if (e->status == SEC_OK || e->file[0] || !file) return;
  snprintf(e->file, sizeof e->file, "%s", file);
  e->line = line;
}

sec_status  sec_error_status(const sec_context *cx) { (void)cx; return the_error.status; }
const char *sec_error_text(const sec_context *cx) { (void)cx; return the_error.status ? the_error.text : ""; }
const char *sec_error_hint(const sec_context *cx) { (void)cx; return the_error.status ? the_error.hint : ""; }
const char *sec_error_file(const sec_context *cx) { (void)cx; return the_error.status ? the_error.file : ""; }
int         sec_error_line(const sec_context *cx) { (void)cx; return the_error.status ? the_error.line : 0; }

const char *sec_error_message(const sec_context *cx) {
  (void)cx;
  error_record *e = &the_error;
  if (e->status == SEC_OK) return "";
  const char *mark = e->hint[0] ? "\n  hint: " : "";
  if (e->file[0]) snprintf(e->message, sizeof e->message, "%.255s:%d: %.1023s%s%.511s", e->file, e->line, e->text, mark, e->hint);
  else snprintf(e->message, sizeof e->message, "%.1023s%s%.511s", e->text, mark, e->hint);
  return e->message;
}

void sec_error_clear(const sec_context *cx) {
  (void)cx;
  the_error.status = SEC_OK;
}
