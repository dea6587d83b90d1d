/* Which GPU a rank computes on. All functions are for one thread. */
#ifndef RANK_DEVICE_H
#define RANK_DEVICE_H

#include <stdbool.h>

/* ---- host seams ---- */

/* Before -i and -gpus are taken from the command line: whether they are there; argv, (argc), is
 * kept as it is, and its strings must stay. Ends the program with one sentence where -i is no
 * number or -gpus no list of numbers. */
void note_card_options(int argc, char **argv);

/* Whether the command line's command computes nothing, or takes its card itself when it knows its
 * rank, so that the program may not take one for it before. argv, (argc), has a command, and at its
 * end NULL for options that the host took out. */
int takes_card_itself(int argc, char **argv);

#ifdef GPU
/* Ends the program with one sentence where -i names a card that is not there. */
void need_card(int card);
#endif

/* Of random numbers that a GPU draws: `seed`, another one on each rank. */
unsigned long long seed_of_rank(unsigned long long seed);

/* ---- for training ---- */

/* Before MPI begins, with as many cards as -gpus names: where these are several, and neither -nogpu
 * nor a launcher is there, the program becomes the launcher that starts a rank for each, with the
 * same command line. Does nothing in a build without GPU=1 MPI=1. */
void start_rank_of_each_card(int count);

/* Makes a card the current one, or none with -nogpu: with one rank gpus[0]; with several the one at
 * the rank's place of `gpus`, (count), if -gpus is there, else the one with the rank's number on
 * its host. In a GPU build rank 0 says on standard error which that is. Called by all ranks at
 * once. Ends the program with one sentence where that does not work out. */
void take_card_of_rank(const int *gpus, int count);

/* Whether two ranks have the same card. Called by all ranks at once, each with its card as the
 * current one. */
bool ranks_share_a_card(void);

#endif
