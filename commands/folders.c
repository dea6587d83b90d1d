#include "folders.h"

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fail.h"

char *absolute_path(const char *path) {
    char *real = realpath(path, NULL);
    if (real)
        return real;
    int reason = errno;
    char *for_dirname = format_string("%s", path), *for_basename = format_string("%s", path);
    const char *name = basename(for_basename);
    if (reason != ENOENT || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        fail("cannot find the folder \"%s\": %s", path, strerror(reason));
    char *parent = absolute_path(dirname(for_dirname));
    char *whole = format_string("%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name);
    free(for_dirname);
    free(for_basename);
    free(parent);
    return whole;
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

void make_folder(const char *path) {
    if (is_folder(path))
        return;
    char *for_dirname = format_string("%s", path);
    make_folder(dirname(for_dirname));
    free(for_dirname);
    if (mkdir(path, 0777) == 0)
        return;
    int reason = errno;
    if (!is_folder(path)) /* nor has another process made it meanwhile */
        fail("cannot make the folder %s: %s", path, strerror(reason));
}

void rename_or_fail(const char *from, const char *to) {
    if (rename(from, to) != 0)
        fail("cannot rename %s to %s: %s", from, to, strerror(errno));
}
