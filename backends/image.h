/* Images: relocatable objects as code in memory.  A loader of our own for what kernels are made of, so that code from the
 * cache on disk runs without LLVM, whose library alone takes tens of milliseconds to open. */
#ifndef SEC_IMAGE_H
#define SEC_IMAGE_H

#include <stddef.h>

typedef struct sec_image sec_image;

/* Links an ELF object for x86-64 (copied; code and constants only) with the runtime functions and the C library, and looks
 * up `n` names; addresses[i] is NULL where there is none.  Pages are never writable and executable at once.  The object is
 * checked, whatever it holds.  NULL, and no error, when it is not of that kind, damaged, or asks for a name that nobody
 * defines: LLVM's loader then takes it, or says why not.  Any thread. */
sec_image *sec_image_load(const void *object, size_t size, const char *const *names, void **addresses, int n);
/* Frees the code; NULL is allowed. */
void sec_image_unload(sec_image *image);

#endif
