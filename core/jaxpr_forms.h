/* How the text of an equation differs from the equation: JAX's names, and parameters that it shows or hides. */
#ifndef SEC_JAXPR_FORMS_H
#define SEC_JAXPR_FORMS_H

#include "primitive.h"

typedef struct sec_text_form {
  const char *prim, *text;       /* the primitive, and its name in text (NULL: the same) */
  const char *fixed[4];          /* "sharding=None": always written, read and forgotten; a parameter of that name goes first */
  const char *hidden[2];         /* never written: it follows from the rest */
  const char *unless_zero[2];    /* written unless 0, False or () */
  const char *renamed[2];        /* a parameter, and its name in text */
  const char *dimensions;        /* "GatherDimensionNumbers": five lists are written as one parameter */
  const char *const *lists;      /* their names */
  const char *named_by;          /* the jaxpr whose name is written as "name" */
  const char *update;            /* the primitive that a scatter updates with */
} sec_text_form;

/* The row of a primitive; an empty one when its text is as the equation. */
const sec_text_form *sec_text_form_of(const sec_primitive *prim);
/* The primitive that text calls `name`, or NULL. */
const sec_primitive *sec_text_primitive(const char *name);
/* "GatherScatterMode.CLIP" and the number behind it; -1: there is none of that name. */
const char *sec_text_mode(int64_t mode);
int64_t     sec_text_mode_of(const char *text);

#endif
