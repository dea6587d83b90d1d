/* For unit tests that need files: a folder of their own, and archives made with libarchive. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <archive.h>
#include <archive_entry.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "expect_fail.h"

static char scratch_folder[] = "/tmp/dlb_test.XXXXXX";

/* Four names can be in use at a time. */
static inline const char *scratch(const char *name) {
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    assert_true(snprintf(path, sizeof *paths, "%s/%s", scratch_folder, name) < (int)sizeof *paths);
    return path;
}

static inline int make_scratch(void **state) {
    (void)state;
    return mkdtemp(scratch_folder) ? 0 : -1;
}

static inline int remove_scratch(void **state) {
    (void)state;
    char *paths[] = {scratch_folder, NULL};
    int failed = 0;
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; (entry = fts_read(tree));)
        if (entry->fts_info != FTS_D)
            failed |= remove(entry->fts_path);
    fts_close(tree);
    return failed;
}

/* What is in the scratch folder goes; the folder stays. */
static inline int empty_scratch(void **state) {
    return remove_scratch(state) == 0 ? mkdir(scratch_folder, 0777) : -1;
}

/* Writes a file in the scratch folder, and the folders it lies in. */
static inline void write_scratch(const char *name, const void *bytes, size_t size) {
    const char *path = scratch(name);
    char folder[512];
    for (const char *slash = path + strlen(scratch_folder); (slash = strchr(slash + 1, '/'));) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        mkdir(folder, 0777);
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void write_scratch_text(const char *name, const char *text) {
    write_scratch(name, text, strlen(text));
}

/* A file for an archive; with `link` a symbolic link to that. */
typedef struct {
    const char *name;
    const void *bytes;
    size_t size;
    const char *link;
} member;

typedef enum { PLAIN_TAR, GZIP_TAR, ZIP } archive_kind;

static inline void write_archive(const char *name, archive_kind kind, const member *members,
                                 size_t count) {
    struct archive *archive = archive_write_new();
    if (kind == ZIP)
        assert_int_equal(archive_write_set_format_zip(archive), ARCHIVE_OK);
    else
        assert_int_equal(archive_write_set_format_ustar(archive), ARCHIVE_OK);
    if (kind == GZIP_TAR)
        assert_int_equal(archive_write_add_filter_gzip(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, scratch(name)), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, members[i].name);
        archive_entry_set_filetype(entry, members[i].link ? AE_IFLNK : AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, members[i].link ? 0 : (la_int64_t)members[i].size);
        if (members[i].link)
            archive_entry_set_symlink(entry, members[i].link);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        if (!members[i].link)
            assert_int_equal(archive_write_data(archive, members[i].bytes, members[i].size),
                             members[i].size);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

/* Writes the file `from` again as `to`: without its last `cut` bytes, and with the byte `flip`
 * before its end turned over, where that is not 0. */
static inline void damage(const char *from, const char *to, size_t cut, size_t flip) {
    enum { MOST = 1 << 20 };
    unsigned char *bytes = malloc(MOST);
    FILE *file = fopen(scratch(from), "rb");
    assert_non_null(file);
    assert_non_null(bytes);
    size_t size = fread(bytes, 1, MOST, file);
    assert_true(size < MOST && cut < size && flip <= size);
    fclose(file);
    if (flip)
        bytes[size - flip] ^= 0xff;
    write_scratch(to, bytes, size - cut);
    free(bytes);
}

#endif
