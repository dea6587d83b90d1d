/* The file of the program that runs, whatever name it was called by. */
#ifndef OWN_PROGRAM_H
#define OWN_PROGRAM_H

/* Its path, by Linux's /proc; the caller frees it. Ends the program with one sentence where that
 * cannot be read. Any thread. */
char *own_program(void);

#endif
