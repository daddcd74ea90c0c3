/* The count of interrupts: what runs remembers it at its start and ends when it has changed.  Internal. */
#ifndef SEC_INTERRUPT_H
#define SEC_INTERRUPT_H

#include <secant/context.h>
#include <stdatomic.h>
#include <stdint.h>

extern _Atomic uint64_t sec_interrupts;

#endif
