/* Command lines as a shell reads them. */
#ifndef DLB_SHELL_WORDS_H
#define DLB_SHELL_WORDS_H

/* The words joined by blanks, each in quotes where a POSIX shell needs them. `words` ends with
 * NULL. The caller frees the string. Fails where a word holds a line feed. */
char *join_shell_words(char *const *words);

#endif
