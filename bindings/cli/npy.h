/* NumPy's .npy files: C order, little-endian, versions 1 to 3. */
#ifndef SECANT_CLI_NPY_H
#define SECANT_CLI_NPY_H

#include <secant.h>

/* NULL, with IO or UNSUPPORTED recorded and the path in the message, for a file that is not there, damaged, cut, or of
 * a kind that is not read. */
sec_array *npy_read(sec_context *cx, const char *path);
sec_status npy_write(const char *path, const sec_array *array);

#endif
