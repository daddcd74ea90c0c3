/* The whole C API, for those who keep every header under its library's name. */
#ifndef SECANT_SECANT_H
#define SECANT_SECANT_H

#include <secant.h>

#endif
