/* Names and messages as a person sees them, in Markdown and in charts. */
#ifndef DLB_DISPLAY_TEXT_H
#define DLB_DISPLAY_TEXT_H

#include <stdio.h>

/* A copy of `text` with a question mark in place of each control character and of each byte that
 * is not part of valid UTF-8. The caller frees it. */
char *printable(const char *text);

/* Writes printable(text) so that Markdown shows it as it is, in a table's cell too. */
void write_markdown(FILE *stream, const char *text);

/* Writes the printable lines, each of which may be NULL and is then left out, as a Markdown block
 * of code. */
void write_code_block(FILE *stream, const char *const *lines, size_t count);

#endif
