#include "image_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "fail.h"

path_parts split_path(const char *path) {
    path_parts split = {.text = format_string("%s", path)};
    char *rest = split.text;
    while (rest && split.count <= MAX_PARTS)
        split.parts[split.count++] = strsep(&rest, "/");
    return split;
}

static bool begins_with(const char *path, const char *const *parts) {
    size_t length = strcspn(path, "/");
    for (; *parts; parts++)
        if (strlen(*parts) == length && memcmp(path, *parts, length) == 0)
            return true;
    return false;
}

const char *below_top(const char *src, char **top, const char *path, const char *const *parts) {
    const char *slash = strchr(path, '/'), *below = path;
    if (*path == '.' || strstr(path, "/."))
        return NULL;
    if (!begins_with(path, parts)) {
        if (!slash || !begins_with(slash + 1, parts))
            return NULL;
        below = slash + 1;
    }
    char *found = format_string("%.*s", (int)(below - path), path);
    if (!*top)
        *top = format_string("%s", found);
    if (strcmp(*top, found) != 0)
        fail("%s holds two data sets, one in \"%s\" and one in \"%s\"", src, *top, found);
    free(found);
    return below;
}

static bool is_image_name(const char *file) {
    static const char *const endings[] = {"jpg", "jpeg", "png", "bmp", "ppm", "pgm"};
    const char *dot = strrchr(file, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}

/* The size, and in an archive the checksum, which needs all of its bytes. */
static size_t measure(file_tree *tree, unsigned long *checksum) {
    if (!is_in_archive(tree))
        return folder_file_size(tree);
    size_t size;
    char *bytes = read_tree_file(tree, &size);
    *checksum = crc32_z(0, (unsigned char *)bytes, size);
    free(bytes);
    return size;
}

void add_image_file(image_files *files, file_tree *tree, const char *src, const char *file,
                    const char *key) {
    if (strpbrk(file, "\t\r\n"))
        fail("%s/%s has a tab or a line break in its name, which no list can hold", src, file);
    if (!is_image_name(file))
        fail("%s/%s is no image by its name (jpg, jpeg, png, bmp, ppm, pgm)", src, file);
    if (files->count == files->room) {
        files->room = files->room ? 2 * files->room : 1024;
        files->items = realloc(files->items, files->room * sizeof *files->items);
        if (!files->items)
            fail("out of memory for a list of %zu images", files->room);
    }
    image_file image = {.label = -1};
    if (measure(tree, &image.checksum) == 0)
        fail("%s/%s is empty", src, file);
    image.file = format_string("%s", file);
    image.key = format_string("%s", key);
    files->items[files->count++] = image;
}

static int by_file(const void *a, const void *b) {
    return strcmp(((const image_file *)a)->file, ((const image_file *)b)->file);
}

static unsigned long add_to_checksum(unsigned long sum, const image_file *image, int label) {
    char *line = format_string("%s\t%d\t%08lx\n", image->file, label, image->checksum);
    sum = crc32_z(sum, (unsigned char *)line, strlen(line));
    free(line);
    return sum;
}

image_set image_files_to_set(image_files *files, const char *src, bool in_archive,
                             const char *kind) {
    if (files->count == 0)
        fail("%s holds no %s images", src, kind);
    char *folder = in_archive ? NULL : realpath(src, NULL);
    if (!in_archive && !folder)
        fail("cannot find %s: %s", src, strerror(errno));
    image_set set = new_image_set(files->count);
    set.files = allocate(set.count, sizeof *set.files);
    qsort(files->items, files->count, sizeof *files->items, by_file);
    for (size_t i = 0; i < set.count; i++) {
        image_file *image = &files->items[i];
        if (i + 1 < set.count && by_file(image, image + 1) == 0)
            fail("%s holds %s twice", src, image->file);
        set.labels[i] = image->label;
        set.checksum = add_to_checksum(set.checksum, image, image->label);
        set.files[i] =
            format_string("%s%s%s", in_archive ? "" : folder, in_archive ? "" : "/", image->file);
    }
    for (size_t i = 0; i < set.count; i++) {
        free(files->items[i].file);
        free(files->items[i].key);
    }
    free(files->items);
    free(folder);
    *files = (image_files){0};
    return set;
}
