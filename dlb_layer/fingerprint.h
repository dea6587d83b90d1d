/* What a training's result depends on, as names and texts: whether two trainings are the same, and
 * in what they differ. */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *bytes; /* name, 0, text, 0 for each */
    size_t size;
} fingerprint;

/* Adds a name with a text, which is not kept. The caller releases the whole with
 * fingerprint_free(). */
void fingerprint_add(fingerprint *print, const char *name, const char *text);
void fingerprint_free(fingerprint *print);

/* The text of a name in the (size) bytes of a fingerprint; NULL without. */
const char *fingerprint_text(const char *bytes, size_t size, const char *name);

/* NULL where the (size) bytes have the same texts as `now`; otherwise a fresh sentence that says
 * what the first difference is, in a text of several lines which line. */
char *fingerprint_difference(const char *bytes, size_t size, const fingerprint *now);

#endif
