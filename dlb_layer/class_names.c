#include "class_names.h"

#include "fail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t BASE = 0x9e3779b97f4a7c15u; /* odd, so that no power of it is 0 */

struct class_names {
    int classes;
    char *const *names;
    int *next;    /* (classes), the next class in the same bucket; NO_LABEL ends the chain */
    int *buckets; /* (mask + 1), first class of each */
    uint64_t mask;
    size_t *lengths; /* the different lengths of names */
    int length_count;
    uint64_t path_number; /* of the path in work */
    uint64_t *found_in;   /* (classes), number of the last path that the name was part of */
    uint64_t *prefixes;   /* hash of each beginning of the path in work */
    uint64_t *powers;     /* BASE^i */
    size_t prefix_room;
};

static uint64_t extend_hash(uint64_t hash, char c) {
    return hash * BASE + (unsigned char)c + 1;
}

static uint64_t hash_of(const char *text) {
    uint64_t hash = 0;
    for (; *text; text++)
        hash = extend_hash(hash, *text);
    return hash;
}

/* The low bits of a product depend on low bits only, so the high ones choose the bucket. */
static uint64_t bucket_of(const class_names *index, uint64_t hash) {
    return (hash ^ hash >> 32 ^ hash >> 47) & index->mask;
}

static void add_length(class_names *index, size_t length) {
    for (int i = 0; i < index->length_count; i++)
        if (index->lengths[i] == length)
            return;
    index->lengths[index->length_count++] = length;
}

class_names *class_names_create(char *const *names, int classes) {
    class_names *index = allocate(1, sizeof *index);
    index->classes = classes;
    index->names = names;
    index->next = allocate((size_t)classes, sizeof *index->next);
    index->lengths = allocate((size_t)classes, sizeof *index->lengths);
    index->found_in = allocate((size_t)classes, sizeof *index->found_in);
    while (index->mask < 4 * (uint64_t)classes)
        index->mask = 2 * index->mask + 1;
    index->buckets = allocate(index->mask + 1, sizeof *index->buckets);
    for (uint64_t i = 0; i <= index->mask; i++)
        index->buckets[i] = NO_LABEL;
    for (int k = classes - 1; k >= 0; k--) {
        int *bucket = &index->buckets[bucket_of(index, hash_of(names[k]))];
        index->next[k] = *bucket;
        *bucket = k;
        add_length(index, strlen(names[k]));
    }
    return index;
}

void class_names_free(class_names *index) {
    if (!index)
        return;
    free(index->next);
    free(index->buckets);
    free(index->lengths);
    free(index->found_in);
    free(index->prefixes);
    free(index->powers);
    free(index);
}

static void make_room(class_names *index, size_t length) {
    if (length < index->prefix_room)
        return;
    index->prefix_room = 2 * (length + 1);
    free(index->prefixes);
    free(index->powers);
    index->prefixes = allocate(index->prefix_room, sizeof *index->prefixes);
    index->powers = allocate(index->prefix_room, sizeof *index->powers);
    index->powers[0] = 1;
    for (size_t i = 1; i < index->prefix_room; i++)
        index->powers[i] = index->powers[i - 1] * BASE;
}

/* Counts the classes called just like the `length` bytes at `text`, each once a path. */
static int count_classes_called(class_names *index, uint64_t hash, const char *text, size_t length,
                                int *label) {
    int count = 0;
    for (int k = index->buckets[bucket_of(index, hash)]; k != NO_LABEL; k = index->next[k])
        if (index->found_in[k] != index->path_number && strlen(index->names[k]) == length &&
            !memcmp(index->names[k], text, length)) {
            index->found_in[k] = index->path_number;
            *label = k;
            count++;
        }
    return count;
}

int class_names_in_path(class_names *index, const char *path, int *label) {
    size_t path_length = strlen(path);
    int found = 0;
    *label = NO_LABEL;
    index->path_number++;
    make_room(index, path_length);
    index->prefixes[0] = 0;
    for (size_t i = 0; i < path_length; i++)
        index->prefixes[i + 1] = extend_hash(index->prefixes[i], path[i]);
    for (int l = 0; l < index->length_count; l++) {
        size_t length = index->lengths[l];
        for (size_t at = 0; at + length <= path_length; at++) {
            uint64_t hash =
                index->prefixes[at + length] - index->prefixes[at] * index->powers[length];
            found += count_classes_called(index, hash, path + at, length, label);
        }
    }
    return found;
}

int class_named(const class_names *index, const char *name) {
    for (int k = index->buckets[bucket_of(index, hash_of(name))]; k != NO_LABEL; k = index->next[k])
        if (!strcmp(index->names[k], name))
            return k;
    return NO_LABEL;
}
