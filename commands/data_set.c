#include "data_set.h"

#include <ctype.h>
#include <stdlib.h>

#include "fail.h"

image_set new_image_set(size_t count) {
    image_set set = {.count = count,
                     .labels = allocate(count, sizeof *set.labels),
                     .numbers = allocate(count, sizeof *set.numbers)};
    for (size_t i = 0; i < count; i++)
        set.numbers[i] = i + 1;
    return set;
}

/* Of a byte outside ASCII nothing is known, whatever the locale. */
static int is_plain(char c) {
    return (unsigned char)c < 128 && isalnum((unsigned char)c);
}

char *numbered_label(size_t k, size_t classes, const char *name) {
    enum { LONGEST = 60 };
    char word[LONGEST + 1];
    size_t length = 0;
    for (; *name && length < LONGEST; name++)
        if (is_plain(*name))
            word[length++] = (char)tolower((unsigned char)*name);
        else if (length && word[length - 1] != '-')
            word[length++] = '-';
    if (length && word[length - 1] == '-')
        length--;
    word[length] = '\0';
    int width = 1;
    for (size_t largest = classes - 1; largest >= 10; largest /= 10)
        width++;
    return format_string("c%0*zu_%s", width, k, length ? word : "class");
}

void name_classes(data_set *set, size_t classes, const char *const *names) {
    set->classes = classes;
    set->labels = allocate(classes, sizeof *set->labels);
    set->names = allocate(classes, sizeof *set->names);
    for (size_t k = 0; k < classes; k++) {
        set->labels[k] = numbered_label(k, classes, names[k]);
        set->names[k] = format_string("%s", names[k]);
    }
}

static void free_strings(char **strings, size_t count) {
    for (size_t i = 0; strings && i < count; i++)
        free(strings[i]);
    free(strings);
}

void free_data_set(data_set *set) {
    free_strings(set->labels, set->classes);
    free_strings(set->names, set->classes);
    for (int s = 0; s < SETS; s++) {
        free_strings(set->sets[s].files, set->sets[s].count);
        free(set->sets[s].labels);
        free(set->sets[s].numbers);
        free(set->sets[s].pixels);
    }
    free(set->archive);
    *set = (data_set){0};
}
