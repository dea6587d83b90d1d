/* Which class names are part of a path: Darknet's labelling, for long lists and many classes.
 *
 * The time for a path grows with its length and with the number of different lengths of names, not
 * with the number of classes (Karp and Rabin's hash of every substring of such a length). */
#ifndef CLASS_NAMES_H
#define CLASS_NAMES_H

typedef struct class_names class_names;

enum { NO_LABEL = -1 };

/* Of the (classes) strings in names, which must outlive it. The caller releases it with
 * class_names_free. Ends the program where memory runs out. */
class_names *class_names_create(char *const *names, int classes);

void class_names_free(class_names *index);

/* How many classes have a name that is part of `path`; *label is one of them, NO_LABEL if none. Two
 * classes of the same name count as two, a name that occurs twice counts once. */
int class_names_in_path(class_names *index, const char *path, int *label);

/* The class called just `name`; NO_LABEL if none is. */
int class_named(const class_names *index, const char *name);

#endif
