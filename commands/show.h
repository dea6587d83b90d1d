/* `darknet dlb show DATA CFG -out pairs.png`: a contact sheet of the pairs of one iteration, each
 * revisited image above its previous visit, as the training loader hands them to the network. */
#ifndef SHOW_H
#define SHOW_H

/* Runs the command: argv[3] is the data file, argv[4] the cfg, and options say the rest:
 *
 *     -out FILE       the picture; its extension says which format
 *     -show           a window, until a key is pressed or it is closed; needs a display
 *     -seed N         as of `classifier train`, without weights to go on from; default 1
 *     -iteration N    from 2, as in the training log; default 2
 *     -slot N         the micro-batch, from 0; default 0
 *
 * At least one of the first two. argv[0..2] are not looked at. Prints one closing line to standard
 * output. Computes nothing on a GPU. Ends the program through fail() where the build has no OpenCV,
 * the arguments are no good, the cfg has no [dlb_cost], or the picture cannot be written or shown,
 * and as training does where cfg, data file, lists or images are no good. */
void run_show(int argc, char **argv);

#endif
