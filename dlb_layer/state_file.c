#include "state_file.h"

#include "fail.h"
#include "ranks.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

static const char MAGIC[8] = {'D', 'L', 'B', 'S', 'T', 'A', 'T', 'E'};

typedef struct {
    char magic[sizeof MAGIC];
    uint32_t version, zero;
    uint64_t size;
} header;

typedef struct {
    char name[STATE_NAME_BYTES];
    uint64_t size;
} block;

struct state_writer {
    FILE *file; /* NULL: only counts */
    uint64_t size;
    uint32_t checksum;
};

struct state_file {
    char *path, *bytes;
    size_t size; /* without the checksum */
};

/* ---- writing ---- */

static void put(state_writer *w, const void *bytes, size_t size) {
    w->size += size;
    if (!w->file || !size) /* zlib takes an empty block without an address for a new start */
        return;
    fwrite(bytes, 1, size, w->file);
    w->checksum = (uint32_t)crc32_z(w->checksum, bytes, size);
}

void put_state(state_writer *w, const char *name, const void *bytes, size_t size) {
    block b = {.size = size};
    assert(strlen(name) < sizeof b.name);
    memcpy(b.name, name, strlen(name));
    put(w, &b, sizeof b);
    put(w, bytes, size);
}

typedef struct {
    state_content content;
    void *context;
} all_blocks;

static void write_blocks(FILE *file, void *context) {
    const all_blocks *all = context;
    state_writer count = {0}, w = {.file = file};
    all->content(&count, all->context);
    header h = {.version = STATE_FILE_VERSION};
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    h.size = sizeof h + count.size + sizeof w.checksum;
    put(&w, &h, sizeof h);
    all->content(&w, all->context);
    put(&w, &w.checksum, sizeof w.checksum);
    assert(w.size == h.size);
}

char *write_state_file(const char *path, state_content content, void *context) {
    all_blocks all = {content, context};
    return write_new_file(path, true, write_blocks, &all, NULL);
}

/* ---- reading ---- */

/* All of the file; NULL with errno set where it cannot be read. */
static char *read_bytes(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *bytes = NULL;
    off_t end;
    struct stat status;
    errno = 0;
    if (fstat(fileno(file), &status) == 0 && !S_ISREG(status.st_mode))
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    else if (fseeko(file, 0, SEEK_END) == 0 && (end = ftello(file)) >= 0) {
        rewind(file);
        bytes = allocate((size_t)end, 1);
        *size = fread(bytes, 1, (size_t)end, file);
    }
    if (bytes && ferror(file)) {
        free(bytes);
        bytes = NULL;
    }
    int error = errno ? errno : EIO;
    fclose(file);
    errno = error;
    return bytes;
}

/* Whether the blocks fill what lies between header and checksum. */
static bool has_whole_blocks(const state_file *f) {
    size_t at = sizeof(header);
    while (at < f->size) {
        block b;
        if (f->size - at < sizeof b)
            return false;
        memcpy(&b, f->bytes + at, sizeof b);
        at += sizeof b;
        if (b.size > f->size - at || b.name[sizeof b.name - 1])
            return false;
        at += b.size;
    }
    return true;
}

/* What is wrong with the file of `size` bytes; NULL: nothing. */
static char *find_fault(state_file *f, size_t size) {
    header h;
    uint32_t checksum;
    if (size < sizeof h || memcmp(f->bytes, MAGIC, sizeof MAGIC) != 0)
        return format_string("%s is not a training's state", f->path);
    memcpy(&h, f->bytes, sizeof h);
    if (h.version != STATE_FILE_VERSION)
        return format_string("%s has version %" PRIu32 ", but this program reads version %d",
                             f->path, h.version, STATE_FILE_VERSION);
    if (h.size != size || size < sizeof h + sizeof checksum)
        return format_string("%s has %zu bytes, but says that it has %" PRIu64, f->path, size,
                             h.size);
    f->size = size - sizeof checksum;
    memcpy(&checksum, f->bytes + f->size, sizeof checksum);
    if (checksum != crc32_z(0, (const unsigned char *)f->bytes, f->size) || !has_whole_blocks(f))
        return format_string("%s is damaged: its checksum does not fit", f->path);
    return NULL;
}

state_file *read_state_file(const char *path, char **error) {
    size_t size;
    char *bytes = read_bytes(path, &size);
    *error = NULL;
    if (!bytes) {
        if (errno != ENOENT)
            *error = format_string("cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    state_file *f = allocate(1, sizeof *f);
    f->path = format_string("%s", path);
    f->bytes = bytes;
    *error = find_fault(f, size);
    if (*error) {
        state_file_free(f);
        return NULL;
    }
    return f;
}

/* With its final 0. */
static char *share_text(char *text) {
    size_t size = text ? strlen(text) + 1 : 0;
    ranks_broadcast(&size, sizeof size);
    char *all = text ? text : allocate(size, 1);
    ranks_broadcast(all, size);
    return all;
}

state_file *share_state_file(state_file *file) {
    bool is_there = file != NULL;
    if (rank_count() == 1)
        return file;
    ranks_broadcast(&is_there, sizeof is_there);
    if (!is_there)
        return NULL;
    state_file *f = file ? file : allocate(1, sizeof *f);
    f->path = share_text(f->path);
    ranks_broadcast(&f->size, sizeof f->size);
    if (!file)
        f->bytes = allocate(f->size, 1);
    ranks_broadcast(f->bytes, f->size);
    return f;
}

void state_file_free(state_file *f) {
    if (!f)
        return;
    free(f->path);
    free(f->bytes);
    free(f);
}

const char *state_file_path(const state_file *f) {
    return f->path;
}

const void *find_state(const state_file *f, const char *name, size_t *size) {
    for (size_t at = sizeof(header); at < f->size;) {
        block b;
        memcpy(&b, f->bytes + at, sizeof b);
        at += sizeof b;
        *size = b.size;
        if (strcmp(b.name, name) == 0)
            return f->bytes + at;
        at += b.size;
    }
    return NULL;
}

void get_state(const state_file *f, const char *name, void *to, size_t size) {
    size_t there;
    const void *bytes = find_state(f, name, &there);
    if (!bytes)
        fail("%s has no block \"%s\"", f->path, name);
    if (there != size)
        fail("%s: block \"%s\" has %zu bytes, but this training's has %zu", f->path, name, there,
             size);
    memcpy(to, bytes, size);
}
