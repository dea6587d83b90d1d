/* Text files of lines KEY=VALUE. Values are kept as they are, blanks included. */
#ifndef DLB_KEY_VALUES_H
#define DLB_KEY_VALUES_H

#include <stddef.h>
#include <stdint.h>

/* Owned; release it with free_key_values(). */
typedef struct {
    char *path;
    char *text;
    size_t count;
    const char **keys;   /* (count), in `text` */
    const char **values; /* (count), in `text` */
} key_values;

/* Reads all of `path`, in which each of the `count` keys in `expected` must occur just once, and
 * no other. Fails, with the file's name, where that is not so, where a line has no "=", or where
 * the last line does not end in a line feed. */
key_values read_key_values(const char *path, const char *const *expected, size_t count);

/* The value of one of the expected keys, owned by the struct. */
const char *text_value(const key_values *file, const char *key);

/* The same as a whole number, at least `least`, or as a finite number, at least 0. Fail where it is
 * none. */
uint64_t whole_value(const key_values *file, const char *key, uint64_t least);
double number_value(const key_values *file, const char *key);

void free_key_values(key_values *file);

#endif
