/* Statuses and the error record.  A status is an int-sized enum, 0 is OK.  The record of the first error
 * since the last clear is kept per thread: subject and both types in the message, then a hint, then the
 * user's file and line. */
#ifndef SECANT_STATUS_H
#define SECANT_STATUS_H

#include <secant/base.h>

SEC_BEGIN_DECLS

typedef enum sec_status {
#define SEC_STATUS(name, text, python) SEC_##name,
#include <secant/status.def>
#undef SEC_STATUS
  SEC_N_STATUS
} sec_status;

typedef struct sec_context sec_context;

#define SEC_TRY(expression)                                                                       \
  do {                                                                                            \
    sec_status sec_try_status_ = (expression);                                                    \
    if (sec_try_status_ != SEC_OK) return sec_try_status_;                                        \
  } while (0)

/* The first error of this thread since the last sec_error_clear; cx may be NULL.  The strings live until
 * the next error or clear; empty, never NULL, when there is nothing to say. */
SEC_API sec_status  sec_error_status(const sec_context *cx);
SEC_API const char *sec_error_message(const sec_context *cx); /* "main.c:8: mul: ...\n  hint: ..." */
SEC_API const char *sec_error_text(const sec_context *cx);    /* the message alone */
SEC_API const char *sec_error_hint(const sec_context *cx);
SEC_API const char *sec_error_file(const sec_context *cx);
SEC_API int         sec_error_line(const sec_context *cx);
SEC_API void        sec_error_clear(const sec_context *cx);
/* "SHAPE"; "operand shapes do not fit". */
SEC_API const char *sec_status_name(sec_status status);
SEC_API const char *sec_status_text(sec_status status);

/* Records an error unless one is recorded already; returns the status of the one that is.  `hint` may be NULL.  Host languages
 * report the failure of their own callbacks with it. */
SEC_API sec_status sec_error_set(sec_status status, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

SEC_END_DECLS
#endif
