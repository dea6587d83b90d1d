/* What the code under test holds during a run, so that a run which fail() or exit() cut short can
 * be cleaned up, and one which returned can be asked what it forgot.
 *
 * The linker sends the code's calls here (--wrap, see the Makefile): those that allocate memory,
 * open files, archives and the like, and the two that end a program. Only what our objects and the
 * host's call themselves is seen: what a library keeps for itself is not. */
#ifndef RUN_RESOURCES_H
#define RUN_RESOURCES_H

#include <setjmp.h>
#include <stdbool.h>

/* Where the run goes on when the code under test ends the program. Set it, then begin. */
extern jmp_buf run_end;

void begin_run(void);

/* Releases all that is held. `expected`: what is left is no surprise; else the program aborts
 * where something is. */
void end_run(bool expected);

#endif
