/* What decides the object of a text, beside the text: the processor, the compiler's library and this version. */
#ifndef SEC_TARGET_H
#define SEC_TARGET_H

/* One line, found without opening the compiler: equal lines mean equal objects for equal texts.  sec_mem_free() it; NULL, with
 * MEMORY recorded, without memory. */
char *sec_target_text(void);

#endif
