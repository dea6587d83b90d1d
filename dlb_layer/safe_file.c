#define _GNU_SOURCE /* fopencookie */

#include "safe_file.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BUFFER_BYTES = 1 << 20 };

/* ---- a stream that counts ---- */

typedef struct {
    int file;
    int error; /* the first one's errno; nothing is written after it */
    file_sum sum;
} output;

static void add_bytes(file_sum *sum, const void *bytes, size_t size) {
    sum->size += size;
    sum->crc32 = (uint32_t)crc32_z(sum->crc32, bytes, size);
}

/* As fopencookie() has it: 0 is an error. */
static ssize_t write_bytes(void *cookie, const char *bytes, size_t size) {
    output *o = cookie;
    size_t done = 0;
    while (done < size && !o->error) {
        ssize_t written = write(o->file, bytes + done, size - done);
        if (written > 0)
            done += (size_t)written;
        else if (written == 0 || errno != EINTR)
            o->error = written ? errno : EIO;
    }
    if (o->error)
        return 0;
    add_bytes(&o->sum, bytes, size);
    return (ssize_t)size;
}

static void stream_content(output *o, file_content content, void *context) {
    FILE *stream = fopencookie(o, "wb", (cookie_io_functions_t){.write = write_bytes});
    char *buffer = allocate(BUFFER_BYTES, 1);
    if (!stream)
        fail("out of memory for a file to write");
    setvbuf(stream, buffer, _IOFBF, BUFFER_BYTES);
    content(stream, context);
    fclose(stream);
    free(buffer);
}

/* ---- whole files ---- */

static char *sentence(const char *path, int error) {
    return error ? format_string("cannot write %s: %s", path, strerror(error)) : NULL;
}

/* A device stays, whatever could not be written to it. */
static void remove_file(const char *path) {
    struct stat about;
    if (lstat(path, &about) == 0 && S_ISREG(about.st_mode))
        unlink(path);
}

/* Returns 0, or what went wrong as an errno, with `path` gone. */
static int write_file(const char *path, bool to_disk, file_content content, void *context,
                      file_sum *sum) {
    output o = {.file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (o.file < 0)
        return errno;
    stream_content(&o, content, context);
    if (!o.error && to_disk && fsync(o.file))
        o.error = errno;
    if (close(o.file) && !o.error)
        o.error = errno;
    if (o.error)
        remove_file(path);
    else if (sum)
        *sum = o.sum;
    return o.error;
}

char *write_new_file(const char *path, bool to_disk, file_content content, void *context,
                     file_sum *sum) {
    return sentence(path, write_file(path, to_disk, content, context, sum));
}

/* Makes a rename outlive a crash. File systems that cannot do that for folders say EINVAL. */
static int bring_folder_to_disk(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = slash ? format_string("%.*s", (int)(slash - path) + 1, path) : NULL;
    int file = open(folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = file < 0 || (fsync(file) && errno != EINVAL) ? errno : 0;
    if (file >= 0)
        close(file);
    free(folder);
    return error;
}

static int rename_file(const char *from, const char *to, bool to_disk) {
    return rename(from, to) ? errno : to_disk ? bring_folder_to_disk(to) : 0;
}

char *move_file(const char *from, const char *to, bool to_disk) {
    return sentence(to, rename_file(from, to, to_disk));
}

char *bring_names_to_disk(const char *path) {
    return sentence(path, bring_folder_to_disk(path));
}

char *replace_file(const char *path, const char *suffix, bool to_disk, file_content content,
                   void *context) {
    char *aside = format_string("%s%s", path, suffix);
    int error = write_file(aside, to_disk, content, context, NULL);
    if (!error && (error = rename_file(aside, path, to_disk)))
        remove_file(aside);
    free(aside);
    return sentence(path, error);
}

bool file_has_sum(const char *path, file_sum expected) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    file_sum sum = {0};
    char *buffer = allocate(BUFFER_BYTES, 1);
    for (size_t got; (got = fread(buffer, 1, BUFFER_BYTES, file)) > 0;)
        add_bytes(&sum, buffer, got);
    bool same = !ferror(file) && sum.size == expected.size && sum.crc32 == expected.crc32;
    fclose(file);
    free(buffer);
    return same;
}
