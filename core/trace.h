/* The inside of an open trace, for trace.c and bind.c. */
#ifndef SEC_TRACE_H
#define SEC_TRACE_H
#include "ir.h"

struct sec_trace {
  sec_context     *cx;
  uint32_t         id;
  char            *name;
  sec_arena       *arena; /* operand lists */
  const sec_aval **avals;
  sec_eqn         *eqns;
  sec_literal     *literals;
  sec_const       *consts;
  uint32_t         n_vars, n_in, n_eqns, n_literals, n_consts;
  uint32_t         var_room, eqn_room, literal_room, const_room;
  bool             no_memory;      /* parameters were lost: nothing more can be bound, and there will be no jaxpr */
  uint32_t         n_located;      /* equations whose place is settled */
  const char      *last_file;      /* the place noted last and its id */
  int              last_line;
  uint32_t         last_loc, saved_location;
};

sec_trace *sec_trace_find(uint32_t id); /* an open trace of this thread, or NULL */
bool       sec_trace_new_var(sec_trace *t, const sec_aval *aval, uint32_t *var);
bool       sec_trace_new_eqn(sec_trace *t, const sec_eqn *eqn);
/* The operand for `v` in t: its own variable, a copied literal, or a capture.  False: poison or an error. */
bool sec_trace_lift(sec_trace *t, sec_value v, sec_ref *ref);

/* After parameters could not be made: the current trace, if there is one, is lost. */
void sec_trace_no_memory(void);

#endif
