/* Darknet's parser without what it prints about each layer. */
#ifndef QUIET_PARSER_H
#define QUIET_PARSER_H

#include "darknet.h"

/* The network of cfg_file, on the CPU: gpu_index is -1 from here on. Of what the parser says on
 * standard error, only what a user should know is let through: settings that it does not use or
 * replaces. Where the parser ends the program, by whichever way, everything that it said is shown.
 * In a build with GPU=1 the host's main opens the card, and its layers allocate there, all the
 * same. One thread at a time. The caller releases the network with free_network(). */
network *parse_network_quietly(char *cfg_file);

#endif
