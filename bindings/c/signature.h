/* C functions described by a signature: "d(l:n, d[n], >d[n], p)"; the grammar is in
 * secant/closure.h. Shared by closures (Secant as a C function) and host functions (a C function in
 * Secant). */
#ifndef SEC_SIGNATURE_H
#define SEC_SIGNATURE_H

#include <ffi.h>
#include <secant/dtype.h>

enum { SEC_MAX_PARAMETERS = 24, SEC_SIGNATURE_SIZES = 26 };

typedef enum sec_parameter_kind {
  SEC_BY_VALUE, /* d         an argument of rank 0 */
  SEC_ARRAY,    /* d[n,3]    const double *: an argument */
  SEC_RESULT,   /* >d[n]     double *: a result */
  SEC_SIZE,     /* i:n       a size that arrays name */
  SEC_USER      /* p         void *: the user's pointer */
} sec_parameter_kind;

typedef struct sec_parameter {
  sec_parameter_kind kind;
  sec_dtype dtype;
  int rank;
  int64_t dims[SEC_MAX_RANK]; /* a number, or -1 - k for size 'a' + k */
  int size;                   /* SEC_SIZE: k */
} sec_parameter;

typedef enum sec_returns { SEC_RETURNS_NOTHING, SEC_RETURNS_STATUS, SEC_RETURNS_VALUE } sec_returns;

typedef struct sec_signature {
  sec_returns returns;
  sec_dtype dtype; /* of the value that it returns */
  sec_parameter parameter[SEC_MAX_PARAMETERS];
  int n, n_in, n_out; /* parameters; arguments and results of the function on arrays */
  bool elementwise;   /* numbers in, one number out */
  ffi_cif cif;
  ffi_type *types[SEC_MAX_PARAMETERS];
} sec_signature;

/* Reads the text and prepares the call; `who` begins the error's message. */
sec_status sec_signature_read(const char *who, const char *text, sec_signature *s);
/* The shape of parameter k for the sizes given. */
void sec_signature_dims(const sec_parameter *p, const int64_t *sizes, int64_t *dims);
/* A size's value, of type i32 or i64. */
int64_t sec_signature_get_size(const sec_parameter *p, const void *value);

#endif
