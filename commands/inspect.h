/* `darknet dlb inspect CFG`: what a cfg amounts to, for people: batch and halves, the ring, which
 * layer is the logits, and a table of layers with their parameters and multiply-adds. */
#ifndef INSPECT_H
#define INSPECT_H

/* Runs the command: argv[3] is the cfg; argv[0..2] are not looked at. Prints to standard output
 * alone. Computes nothing on a GPU. Ends the program through fail() where the arguments are no good
 * or standard output cannot be written, and as training does where the cfg is no good. */
void run_inspect(int argc, char **argv);

#endif
