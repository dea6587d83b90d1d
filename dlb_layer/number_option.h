/* Options with a number, on command lines that the host's find_arg() reads too. */
#ifndef NUMBER_OPTION_H
#define NUMBER_OPTION_H

/* Takes `option` and its value out of argv, as the host's find_char_arg() does. Returns the value,
 * or `otherwise` where the option is not there; ends the program where it is no number from `low`
 * to `high`. */
long take_number(int argc, char **argv, char *option, long low, long high, long otherwise);

#endif
