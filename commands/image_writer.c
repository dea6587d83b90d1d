#include "image_writer.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "file_tree.h"
#include "file_bytes.h"
#include "folders.h"
#include "text_file.h"

const char *const set_folders[SETS] = {"train", "valid"};

typedef struct {
    size_t done, total;
    bool shown;
    struct timespec last;
} progress;

/* ---- where images are ---- */

bool stays_in_place(const data_set *set) {
    return set->sets[TRAIN].files && !set->archive;
}

char *image_path(const char *out, const data_set *set, int s, size_t i) {
    const image_set *half = &set->sets[s];
    if (stays_in_place(set))
        return format_string("%s", half->files[i]);
    return format_string("%s/%s/%s/%05zu%s", out, set_folders[s], set->labels[half->labels[i]],
                         half->numbers[i], half->files ? strrchr(half->files[i], '.') : ".png");
}

size_t count_missing(const char *out, const data_set *set) {
    size_t missing = 0;
    for (int s = 0; !stays_in_place(set) && s < SETS; s++)
        for (size_t i = 0; i < set->sets[s].count; i++) {
            char *path = image_path(out, set, s, i);
            missing += !has_content(path);
            free(path);
        }
    return missing;
}

/* ---- progress ---- */

/* Shown at most ten times a second. Ends in a carriage return, so that whatever is printed next,
 * be it an error, begins at the start of the line. */
static void show_progress(progress *p) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds =
        (double)(now.tv_sec - p->last.tv_sec) + 1e-9 * (double)(now.tv_nsec - p->last.tv_nsec);
    if (!p->shown || seconds < 0.1)
        return;
    fprintf(stderr, "%10zu of %zu images\r", p->done, p->total);
    p->last = now;
}

/* ---- pixels ---- */

/* With libpng, not with the image writer that Darknet brings: that one hides a full disk. */
static void write_pixels(const char *path, const data_set *set, const unsigned char *pixels) {
    char *temporary = format_string("%s.tmp", path);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)set->width,
                       .height = (png_uint_32)set->height,
                       .format = set->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    if (!png_image_write_to_file(&image, temporary, 0, pixels, 0, NULL))
        fail("cannot write %s: %s", path, image.message);
    rename_or_fail(temporary, path);
    free(temporary);
}

static void write_from_pixels(const char *out, const data_set *set, progress *p) {
    size_t size = set->height * set->width * set->channels;
    for (int s = 0; s < SETS; s++)
        for (size_t i = 0; i < set->sets[s].count; i++) {
            const image_set *half = &set->sets[s];
            char *path = image_path(out, set, s, i);
            if (!has_content(path)) {
                write_pixels(path, set, half->pixels + (half->numbers[i] - 1) * size);
                p->done++;
                show_progress(p);
            }
            free(path);
        }
}

/* ---- files of an archive ---- */

typedef struct {
    const char *file; /* name in the archive */
    char *path;       /* where it is to be; owned */
} copy;

static int by_file(const void *a, const void *b) {
    return strcmp(((const copy *)a)->file, ((const copy *)b)->file);
}

/* The (missing) copies to be made, sorted by name in the archive. The caller frees them. */
static copy *plan_copies(const char *out, const data_set *set, size_t missing) {
    copy *copies = allocate(missing, sizeof *copies);
    size_t planned = 0;
    for (int s = 0; s < SETS; s++)
        for (size_t i = 0; i < set->sets[s].count && planned < missing; i++) {
            char *path = image_path(out, set, s, i);
            if (has_content(path))
                free(path);
            else
                copies[planned++] = (copy){set->sets[s].files[i], path};
        }
    qsort(copies, planned, sizeof *copies, by_file);
    return copies;
}

static void write_from_archive(const char *out, const data_set *set, progress *p) {
    size_t size, missing = p->total;
    copy *copies = plan_copies(out, set, missing);
    file_tree *tree = open_file_tree(set->archive);
    for (const char *file; p->done < missing && (file = next_file(tree));) {
        copy *found = bsearch(&(copy){.file = file}, copies, missing, sizeof *copies, by_file);
        if (!found)
            continue;
        char *bytes = read_tree_file(tree, &size);
        write_file_bytes(found->path, bytes, size, false);
        free(bytes);
        p->done++;
        show_progress(p);
    }
    if (p->done < missing)
        fail("%s has changed while it was read: %zu images are not there any more", set->archive,
             missing - p->done);
    close_file_tree(tree);
    for (size_t i = 0; i < missing; i++)
        free(copies[i].path);
    free(copies);
}

/* ---- both ---- */

static void make_folders(const char *out, const data_set *set) {
    for (int s = 0; s < SETS; s++)
        for (size_t k = 0; k < set->classes; k++) {
            char *folder = format_string("%s/%s/%s", out, set_folders[s], set->labels[k]);
            make_folder(folder);
            free(folder);
        }
}

void write_missing_images(const char *out, const data_set *set, size_t missing) {
    progress p = {.total = missing, .shown = isatty(STDERR_FILENO)};
    if (stays_in_place(set))
        return;
    make_folders(out, set);
    if (set->archive && missing)
        write_from_archive(out, set, &p);
    else if (!set->archive)
        write_from_pixels(out, set, &p);
    if (p.shown)
        fprintf(stderr, "%50s\r", "");
}
