/* `darknet dlb ...`: the commands that the plugin adds to Darknet's command line. */
#ifndef DLB_COMMAND_H
#define DLB_COMMAND_H

/* Runs the command that argv[2] names; argv[1] is "dlb". Trailing NULLs in argv, which Darknet
 * leaves behind when it takes out an option of its own, do not count as arguments. An unknown or
 * missing command ends the program through fail() with the usage. */
void run_dlb_command(int argc, char **argv);

#endif
