/* Gives the recorded error the user's place, unless it has one. */
#ifndef SEC_STATUS_PLACE_H
#define SEC_STATUS_PLACE_H
void sec_error_place(const char *file, int line);
#endif
