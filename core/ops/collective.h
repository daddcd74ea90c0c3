/* What the files of collectives share.  Parameter axis_name says which vmap or pmap a collective
 * belongs to; axis_size is how many lanes that has. */
#ifndef SEC_COLLECTIVE_H
#define SEC_COLLECTIVE_H

#include "family.h"

/* The size of a bound axis; -1 with AXIS_NAME recorded. */
int64_t sec_collective_size(const char *op, const char *name);
const char *sec_collective_name(const sec_params *p); /* "" when missing */
sec_status sec_collective_type(const sec_typing *t);  /* axis_name is there */
sec_status sec_collective_eval(const sec_eval *e);    /* an error: no lane has a value alone */
bool sec_collective_is_mine(const sec_batch *b);      /* the axis that is mapped is the one meant */
sec_status sec_collective_give(sec_batch *b, sec_value out, bool batched);

/* All of them tiled or along an axis of their own, as the parameters of their primitives. */
sec_value sec_collective_all_gather(sec_context *cx, sec_value x, const char *name, int axis,
                                    int64_t size, bool tiled);
sec_value sec_collective_reduce_scatter(sec_context *cx, sec_value x, const char *name, int axis,
                                        int64_t size, bool tiled);

#endif
