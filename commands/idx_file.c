#include "idx_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "fail.h"

enum { MAX_DIMENSIONS = 3, CHUNK = 1 << 20 };

/* A file being read. gzread passes a file that is not compressed through as it is. */
typedef struct {
    const char *path;
    const char *items; /* "images" or "labels", for messages */
    gzFile stream;
} idx_reader;

static int exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

char *find_idx_file(const char *folder, const char *name) {
    char *compressed = format_string("%s/%s.gz", folder, name);
    if (exists(compressed))
        return compressed;
    char *plain = format_string("%s/%s", folder, name);
    if (!exists(plain))
        fail("cannot find %s, nor the same without .gz: %s", compressed, strerror(errno));
    free(compressed);
    return plain;
}

static idx_reader open_idx(const char *path, const char *items) {
    errno = 0;
    idx_reader in = {path, items, gzopen(path, "rb")};
    if (!in.stream)
        fail("cannot open %s: %s", path, errno ? strerror(errno) : "out of memory");
    return in;
}

/* Returns how many bytes it read; fewer than asked for only where the file ends. */
static size_t read_bytes(const idx_reader *in, unsigned char *to, size_t size) {
    int status, got = gzread(in->stream, to, (unsigned)size);
    if (got >= 0)
        return (size_t)got;
    const char *reason = gzerror(in->stream, &status);
    fail("cannot read %s: %s", in->path, status == Z_ERRNO ? strerror(errno) : reason);
}

static uint32_t big_endian(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Reads the magic number and `dimensions` sizes, at most MAX_DIMENSIONS. */
static void read_header(const idx_reader *in, unsigned dimensions, size_t *sizes) {
    unsigned char header[4 + 4 * MAX_DIMENSIONS] = {0};
    size_t length = 4 + (size_t)4 * dimensions;
    size_t got = read_bytes(in, header, length);
    uint32_t magic = big_endian(header), expected = 0x800 | dimensions;
    if (got >= 4 && magic != expected)
        fail("%s begins with the magic number 0x%08x, but IDX %s begin with 0x%08x", in->path,
             magic, in->items, expected);
    if (got < length)
        fail("%s is truncated: %zu bytes, but its header alone takes %zu", in->path, got, length);
    for (unsigned d = 0; d < dimensions; d++)
        sizes[d] = big_endian(header + 4 + (size_t)4 * d);
    if (sizes[0] == 0)
        fail("%s holds no %s", in->path, in->items);
}

/* Reads `size` bytes. The buffer grows with what is really there, so that a header that announces
 * too much is reported as such and does not ask for more memory than there is. */
static unsigned char *read_elements(const idx_reader *in, size_t size) {
    unsigned char *bytes = NULL;
    size_t got = 0, capacity = 0;
    while (got < size) {
        if (got == capacity) {
            capacity = capacity ? 2 * capacity : CHUNK;
            if (capacity > size)
                capacity = size;
            bytes = realloc(bytes, capacity);
            if (!bytes)
                fail("out of memory: %zu bytes asked for to read %s", capacity, in->path);
        }
        size_t room = capacity - got;
        size_t more = read_bytes(in, bytes + got, room < CHUNK ? room : CHUNK);
        if (more == 0)
            fail("%s is truncated: its header announces %zu bytes of %s, but only %zu follow",
                 in->path, size, in->items, got);
        got += more;
    }
    return bytes;
}

/* Trying to read on is also what makes zlib compare its checksum. */
static void close_at_end(idx_reader *in, size_t size) {
    unsigned char beyond;
    if (read_bytes(in, &beyond, 1))
        fail("%s is longer than its header says: more than %zu bytes of %s", in->path, size,
             in->items);
    if (gzclose_r(in->stream) != Z_OK)
        fail("%s is truncated: all %zu bytes of %s are there, but not the end of the gzip stream",
             in->path, size, in->items);
}

static idx_file read_items(idx_reader *in, size_t count, size_t item_size) {
    idx_file file = {count, item_size, read_elements(in, count * item_size)};
    close_at_end(in, count * item_size);
    return file;
}

idx_file read_idx_images(const char *path, size_t height, size_t width) {
    size_t sizes[MAX_DIMENSIONS];
    idx_reader in = open_idx(path, "images");
    read_header(&in, 3, sizes);
    if (sizes[1] != height || sizes[2] != width)
        fail("%s holds images of %zux%zu pixels, but %zux%zu are expected", path, sizes[1],
             sizes[2], height, width);
    return read_items(&in, sizes[0], height * width);
}

idx_file read_idx_labels(const char *path, size_t classes) {
    size_t count;
    idx_reader in = open_idx(path, "labels");
    read_header(&in, 1, &count);
    idx_file file = read_items(&in, count, 1);
    for (size_t i = 0; i < count; i++)
        if (file.bytes[i] >= classes)
            fail("%s: label %zu of %zu is %d, but only 0 to %zu are classes", path, i + 1, count,
                 file.bytes[i], classes - 1);
    return file;
}

void free_idx_file(idx_file *file) {
    free(file->bytes);
    file->bytes = NULL;
}
