#include "file_tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "fail.h"
#include "file_bytes.h"

enum { CHUNK = 1 << 18 };

struct file_tree {
    char *src;
    char *name;  /* of the current file */
    FTS *folder; /* one of these two; the other is NULL */
    struct archive *archive;
    FTSENT *entry; /* the folder's current file */
    gzFile gzip;   /* what the archive is read from, where it is compressed */
    unsigned char chunk[CHUNK];
};

/* ---- folders ---- */

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void open_folder(file_tree *tree) {
    char *paths[] = {tree->src, NULL};
    tree->folder = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!tree->folder)
        fail("cannot open %s: %s", tree->src, strerror(errno));
}

static const char *next_in_folder(file_tree *tree) {
    while ((errno = 0, tree->entry = fts_read(tree->folder))) {
        const FTSENT *entry = tree->entry;
        if (entry->fts_info == FTS_F) {
            const char *below = entry->fts_path + strlen(tree->src);
            free(tree->name);
            tree->name = format_string("%s", below + strspn(below, "/"));
            return tree->name;
        }
        if (entry->fts_info == FTS_DC)
            fail("%s is a link to a folder that it lies in", entry->fts_path);
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            fail("cannot read %s: %s", entry->fts_path, strerror(entry->fts_errno));
        if (entry->fts_info == FTS_SLNONE)
            fail("%s is a link to nothing", entry->fts_path);
        if (entry->fts_info == FTS_DEFAULT)
            fail("%s is neither a file nor a folder", entry->fts_path);
    }
    if (errno)
        fail("cannot read %s: %s", tree->src, strerror(errno));
    return NULL;
}

/* ---- archives ---- */

/* libarchive's own gzip reader does not compare the checksum at the end; zlib does. */
static la_ssize_t read_gzip(struct archive *archive, void *data, const void **bytes) {
    file_tree *tree = data;
    int got = gzread(tree->gzip, tree->chunk, CHUNK), status;
    *bytes = tree->chunk;
    const char *reason = gzerror(tree->gzip, &status);
    if (got > 0 || (got == 0 && status == Z_OK))
        return got;
    if (status == Z_BUF_ERROR)
        reason = "the gzip stream ends early";
    archive_set_error(archive, EIO, "%s", status == Z_ERRNO ? strerror(errno) : reason);
    return -1;
}

static bool is_gzip(const char *path) {
    unsigned char magic[2] = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        fail("cannot open %s: %s", path, strerror(errno));
    size_t got = fread(magic, 1, sizeof magic, file);
    if (ferror(file))
        fail("cannot read %s: %s", path, strerror(errno));
    fclose(file);
    return got == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
}

_Noreturn static void fail_archive(const file_tree *tree, const char *name) {
    const char *reason = archive_error_string(tree->archive);
    fail("cannot read %s%s%s: %s", tree->src, name ? ", at " : "", name ? name : "",
         reason ? reason : "it is damaged");
}

static void open_archive(file_tree *tree) {
    tree->archive = archive_read_new();
    if (!tree->archive)
        fail("out of memory to read %s", tree->src);
    archive_read_support_format_tar(tree->archive);
    archive_read_support_format_zip(tree->archive);
    int status;
    if (is_gzip(tree->src)) {
        tree->gzip = gzopen(tree->src, "rb");
        if (!tree->gzip)
            fail("cannot open %s", tree->src);
        status = archive_read_open(tree->archive, tree, NULL, read_gzip, NULL);
    } else {
        status = archive_read_open_filename(tree->archive, tree->src, CHUNK);
    }
    if (status != ARCHIVE_OK)
        fail_archive(tree, NULL);
}

/* Nothing is ever written under a name from an archive; one that tries is not what it should be. */
static void check_name(const file_tree *tree, const char *name) {
    if (*name == '/')
        fail("%s is refused: it holds the absolute path %s", tree->src, name);
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            fail("%s is refused: it holds the path %s, which leads out of it", tree->src, name);
    }
}

static void take_name(file_tree *tree, struct archive_entry *entry) {
    const char *name = archive_entry_pathname(entry);
    if (!name)
        name = archive_entry_pathname_utf8(entry);
    if (!name)
        fail("cannot read %s: the name after %s is not in the locale's encoding nor in UTF-8",
             tree->src, tree->name ? tree->name : "the beginning");
    check_name(tree, name);
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    char *taken = format_string("%s", name);
    free(tree->name);
    tree->name = taken;
}

/* Reading on to the end is what makes zlib compare its checksum. */
static void check_end(file_tree *tree) {
    if (!tree->gzip)
        return;
    int got, status;
    while ((got = gzread(tree->gzip, tree->chunk, CHUNK)) > 0)
        ;
    const char *reason = gzerror(tree->gzip, &status);
    if (got < 0)
        fail("cannot read %s: %s", tree->src, status == Z_ERRNO ? strerror(errno) : reason);
    gzFile gzip = tree->gzip;
    tree->gzip = NULL;
    if (gzclose_r(gzip) != Z_OK)
        fail("%s is truncated: its gzip stream ends early", tree->src);
}

static const char *next_in_archive(file_tree *tree) {
    struct archive_entry *entry;
    int status;
    while ((status = archive_read_next_header(tree->archive, &entry)) == ARCHIVE_OK ||
           status == ARCHIVE_WARN) {
        take_name(tree, entry);
        bool link = archive_entry_hardlink(entry) || archive_entry_filetype(entry) == AE_IFLNK;
        if (link)
            fail("%s is refused: %s in it is a link", tree->src, tree->name);
        if (archive_entry_filetype(entry) == AE_IFDIR)
            continue;
        if (archive_entry_filetype(entry) != AE_IFREG)
            fail("%s is refused: %s in it is neither a file nor a folder", tree->src, tree->name);
        return tree->name;
    }
    if (status != ARCHIVE_EOF)
        fail_archive(tree, tree->name);
    check_end(tree);
    return NULL;
}

static char *read_in_archive(file_tree *tree, size_t *size) {
    char *bytes, *part = allocate(CHUNK, 1);
    la_ssize_t got = 0;
    FILE *stream = open_memstream(&bytes, size);
    while (stream && (got = archive_read_data(tree->archive, part, CHUNK)) > 0)
        fwrite(part, 1, (size_t)got, stream);
    if (got < 0)
        fail_archive(tree, tree->name);
    if (!stream || ferror(stream) || fclose(stream) != 0)
        fail("out of memory to read %s in %s", tree->name, tree->src);
    free(part);
    return bytes;
}

/* ---- both ---- */

file_tree *open_file_tree(const char *src) {
    struct stat status;
    if (stat(src, &status) != 0)
        fail("cannot find %s: %s", src, strerror(errno));
    file_tree *tree = allocate(1, sizeof *tree);
    tree->src = format_string("%s", src);
    if (S_ISDIR(status.st_mode))
        open_folder(tree);
    else
        open_archive(tree);
    return tree;
}

const char *next_file(file_tree *tree) {
    return tree->folder ? next_in_folder(tree) : next_in_archive(tree);
}

char *read_tree_file(file_tree *tree, size_t *size) {
    if (tree->archive)
        return read_in_archive(tree, size);
    char *bytes = read_file_bytes(tree->entry->fts_accpath, size);
    if (!bytes)
        fail("cannot read %s: %s", tree->entry->fts_path, strerror(errno));
    return bytes;
}

bool is_in_archive(const file_tree *tree) {
    return tree->archive != NULL;
}

size_t folder_file_size(const file_tree *tree) {
    return (size_t)tree->entry->fts_statp->st_size;
}

void close_file_tree(file_tree *tree) {
    if (tree->folder)
        fts_close(tree->folder);
    if (tree->archive)
        archive_read_free(tree->archive);
    if (tree->gzip)
        gzclose_r(tree->gzip);
    free(tree->src);
    free(tree->name);
    free(tree);
}
