/* Limits, visibility and version: what every public header starts from. */
#ifndef SECANT_BASE_H
#define SECANT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEC_API __attribute__((visibility("default")))
#define SEC_VERSION "0.1.0"
#define SEC_MAX_RANK 12

#ifdef __cplusplus
#define SEC_BEGIN_DECLS extern "C" {
#define SEC_END_DECLS }
#else
#define SEC_BEGIN_DECLS
#define SEC_END_DECLS
#endif

SEC_BEGIN_DECLS
/* The version of the library at run time: "0.1.0".  Static storage. */
SEC_API const char *sec_version(void);
SEC_END_DECLS

/* SEC_SHAPE(2, 3): the two arguments `rank, dims` of a shape.  SEC_SCALAR_SHAPE: those of a scalar. */
#ifndef __cplusplus
#define SEC_SHAPE(...)                                                                            \
  (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) { __VA_ARGS__ }
#endif
#define SEC_SCALAR_SHAPE 0, NULL

#endif
