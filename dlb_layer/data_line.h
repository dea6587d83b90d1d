/* Lines of data files and of lists of images. */
#ifndef DATA_LINE_H
#define DATA_LINE_H

#include <stdbool.h>

/* Host seam: takes the blanks off the ends of a line KEY = VALUE and from about its first '=', in
 * place. Those inside the value stay: it may be a path. */
void tidy_data_line(char *line);

/* Host seam: whether a line of a list names an image: neither blank nor a comment, which begins
 * with '#'. An image whose name begins so is "./#name". */
bool names_image(const char *line);

/* Host seam: takes UTF-8's byte order mark off the start of a text, in place. */
void skip_byte_order_mark(char *text);

#endif
