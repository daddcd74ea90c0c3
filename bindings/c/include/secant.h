/* Secant's C API in one header.  Layer A (secant/fn.h): functions and transforms of functions.  Layer B:
 * open traces (trace.h), jaxprs, transforms on jaxprs, compile and execute. */
#ifndef SECANT_H
#define SECANT_H

#include <secant/aval.h>
#include <secant/array.h>
#include <secant/base.h>
#include <secant/callable.h>
#include <secant/closure.h>
#include <secant/compile.h>
#include <secant/context.h>
#include <secant/dtype.h>
#include <secant/fn.h>
#include <secant/host.h>
#include <secant/jaxpr.h>
#include <secant/ops.h>
#include <secant/status.h>
#include <secant/trace.h>
#include <secant/transforms.h>

#endif
