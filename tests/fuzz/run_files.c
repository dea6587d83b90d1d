#define _GNU_SOURCE /* memfd_create, memmem */

#include "run_files.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

enum { MOST_FILES = 64, LONGEST_NAME = 250, MOST_ZEROS = 1 << 15, LARGEST_ARCHIVE = 1 << 20 };

static int open_files[MOST_FILES], open_count;
static char scratch[4096];
static int home = -1; /* where a run came from that entered a folder */

/* A file of the input. */
typedef struct {
    char name[LONGEST_NAME + 1];
    const uint8_t *bytes;
    size_t size, zeros;
} run_file;

typedef struct {
    const uint8_t *at, *end;
} run_input;

char *text_of(const uint8_t *data, size_t size) {
    return format_string("%.*s", (int)size, size ? (const char *)data : "");
}

char *file_of(const void *bytes, size_t size) {
    int file = memfd_create("input", MFD_CLOEXEC);
    if (file < 0 || open_count == MOST_FILES || write(file, bytes, size) != (ssize_t)size)
        abort();
    open_files[open_count++] = file;
    return format_string("/proc/self/fd/%d", file);
}

/* ---- the input's files ---- */

static bool begins_file(const run_input *in) {
    return in->end - in->at >= 4 && !memcmp(in->at, "=== ", 4);
}

static const uint8_t *next_line(const uint8_t *at, const uint8_t *end) {
    const uint8_t *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    return newline ? newline + 1 : end;
}

static void read_heading(const uint8_t *at, const uint8_t *end, run_file *file) {
    size_t length = (size_t)(end - at);
    if (length && at[length - 1] == '\n')
        length--;
    snprintf(file->name, sizeof file->name, "%.*s", (int)length, (const char *)at);
    char *plus = strstr(file->name, " +");
    if (!plus)
        return;
    *plus = '\0';
    file->zeros = strtoul(plus + 2, NULL, 10) % MOST_ZEROS;
}

/* False after the last one. */
static bool next_input_file(run_input *in, run_file *file) {
    while (in->at < in->end && !begins_file(in))
        in->at = next_line(in->at, in->end);
    if (in->at == in->end)
        return false;
    *file = (run_file){.bytes = next_line(in->at, in->end)};
    read_heading(in->at + 4, file->bytes, file);
    for (in->at = file->bytes; in->at < in->end && !begins_file(in);)
        in->at = next_line(in->at, in->end);
    file->size = (size_t)(in->at - file->bytes);
    return true;
}

static void copy_bytes(const run_file *file, uint8_t *to) {
    if (file->size)
        memcpy(to, file->bytes, file->size);
    memset(to + file->size, 0, file->zeros);
}

/* ---- a folder ---- */

static void empty_scratch(void) {
    char *paths[] = {scratch, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree && (entry = fts_read(tree));)
        if (entry->fts_info != FTS_D && entry->fts_level > 0)
            remove(entry->fts_path);
    fts_close(tree);
}

static void remove_scratch(void) {
    empty_scratch();
    rmdir(scratch);
}

static void make_scratch(void) {
    const char *folder = getenv("TMPDIR");
    if (*scratch)
        return;
    snprintf(scratch, sizeof scratch, "%s/dlb_fuzz.XXXXXX", folder ? folder : "/tmp");
    if (!mkdtemp(scratch) || atexit(remove_scratch))
        abort();
}

static bool leads_out(const char *name) {
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/'))
            return true;
    }
    return !*name;
}

/* Names that the file system does not take are left out. */
static void write_run_file(const run_file *file) {
    char path[sizeof scratch + LONGEST_NAME + 2];
    if (leads_out(file->name))
        return;
    snprintf(path, sizeof path, "%s/%s", scratch, file->name);
    for (char *slash = path + strlen(scratch); (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *stream = fopen(path, "wb");
    if (!stream)
        return;
    uint8_t *bytes = allocate(file->size + file->zeros, 1);
    copy_bytes(file, bytes);
    fwrite(bytes, 1, file->size + file->zeros, stream);
    fclose(stream);
    free(bytes);
}

char *folder_of(const uint8_t *data, size_t size) {
    run_input in = {data, data + size};
    run_file file;
    make_scratch();
    while (next_input_file(&in, &file))
        write_run_file(&file);
    return format_string("%s", scratch);
}

/* ---- an archive ---- */

static void add_to_archive(struct archive *archive, const run_file *file) {
    struct archive_entry *entry = archive_entry_new();
    uint8_t *bytes = allocate(file->size + file->zeros, 1);
    copy_bytes(file, bytes);
    archive_entry_set_pathname(entry, file->name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)(file->size + file->zeros));
    if (archive_write_header(archive, entry) == ARCHIVE_OK)
        archive_write_data(archive, bytes, file->size + file->zeros);
    free(bytes);
    archive_entry_free(entry);
}

static char *archive_of(const uint8_t *data, size_t size, bool zip) {
    static uint8_t bytes[LARGEST_ARCHIVE];
    size_t used = 0;
    run_input in = {data, data + size};
    run_file file;
    struct archive *archive = archive_write_new();
    if (zip)
        archive_write_set_format_zip(archive);
    else
        archive_write_set_format_ustar(archive);
    archive_write_open_memory(archive, bytes, sizeof bytes, &used);
    while (next_input_file(&in, &file))
        add_to_archive(archive, &file);
    archive_write_close(archive);
    archive_write_free(archive);
    return file_of(bytes, used);
}

char *source_of(const uint8_t *data, size_t size) {
    bool tar = size >= 4 && !memcmp(data, "tar\n", 4), zip = size >= 4 && !memcmp(data, "zip\n", 4);
    return tar || zip ? archive_of(data, size, zip) : folder_of(data, size);
}

void enter_folder(const char *folder) {
    home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home < 0 || chdir(folder))
        abort();
}

static void leave_folder(void) {
    if (fchdir(home))
        abort();
    close(home);
    home = -1;
}

void remove_run_files(void) {
    if (home >= 0)
        leave_folder();
    while (open_count)
        close(open_files[--open_count]);
    if (*scratch)
        empty_scratch();
}
