/* Options on the command lines of `darknet dlb ...`. */
#ifndef DLB_COMMAND_OPTIONS_H
#define DLB_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Each takes its option out of argv, with its value, and lowers *argc. */
bool take_flag(int *argc, char **argv, const char *option);
const char *take_text(int *argc, char **argv, const char *option, const char *otherwise);
uint64_t take_whole(int *argc, char **argv, const char *option, uint64_t least, uint64_t most,
                    uint64_t otherwise);

/* -threads; 0 where it is not given. */
int take_threads(int *argc, char **argv);

/* A seed, as text. Fails where it is none. */
uint64_t take_seed(const char *text);

/* Fails with the usage if an option is left. */
void refuse_options(int argc, char **argv, const char *usage);

#endif
