#include "image_decode.h"

#include "fail.h"
#include "file_bytes.h"
#include "image_claim.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Whether a JPEG stream lacks its end-of-image marker after the first start-of-scan. JPEG
 * decoders fill the missing part with grey and call it a success (ITU-T T.81, annex B). */
static bool is_truncated_jpeg(const unsigned char *data, size_t size) {
    enum { MARKER = 0xff, START_OF_IMAGE = 0xd8, END_OF_IMAGE = 0xd9, START_OF_SCAN = 0xda };
    if (size < 4 || data[0] != MARKER || data[1] != START_OF_IMAGE)
        return false;
    size_t at = 2;
    while (at + 4 <= size && data[at] == MARKER && data[at + 1] != START_OF_SCAN) {
        if (data[at + 1] == MARKER) { /* fill byte */
            at++;
            continue;
        }
        at += 2 + (size_t)(data[at + 2] << 8 | data[at + 3]);
    }
    for (; at + 2 <= size; at++)
        if (data[at] == MARKER && data[at + 1] == END_OF_IMAGE)
            return false;
    return true;
}

/* Reading a pipe could wait for ever. Sets errno where it is false. */
static bool is_file(const char *path) {
    struct stat status;
    if (stat(path, &status))
        return false;
    errno = S_ISDIR(status.st_mode) ? EISDIR : 0;
    return S_ISREG(status.st_mode);
}

static char *say_why_unread(void) {
    return format_string("%s", errno ? strerror(errno) : "not a regular file");
}

/* A fresh sentence; NULL where the bytes are worth decoding. */
static char *find_problem(const unsigned char *data, size_t size) {
    if (size == 0)
        return format_string("the file is empty");
    if (size > INT_MAX)
        return format_string("%zu bytes are too many for an image", size);
    char *absurd = find_absurd_size(data, size);
    if (!absurd && is_truncated_jpeg(data, size))
        return format_string("the JPEG file is truncated");
    return absurd;
}

bool decode_image(const char *path, rgb_image *image, char **reason) {
    size_t size = 0;
    unsigned char *data = is_file(path) ? (unsigned char *)read_file_bytes(path, &size) : NULL;
    char *problem = data ? find_problem(data, size) : say_why_unread();
    if (!problem && !decode_image_bytes(data, size, image))
        problem = format_string("not an image, or a damaged one");
    free(data);
    if (problem)
        *reason = problem;
    return !problem;
}
