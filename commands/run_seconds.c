#include "run_seconds.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fail.h"
#include "key_values.h"
#include "text_file.h"

static const char *const KEYS[] = {"earlier", "start"};

static double last_written(const char *const *written, size_t count) {
    double last = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat about;
        if (stat(written[i], &about) == 0)
            last = fmax(last, (double)about.st_mtim.tv_sec + 1e-9 * (double)about.st_mtim.tv_nsec);
    }
    return last;
}

double seconds_so_far(const char *path, const char *const *written, size_t count) {
    if (!has_content(path))
        return 0;
    key_values file = read_key_values(path, KEYS, sizeof KEYS / sizeof *KEYS);
    double last_process = last_written(written, count) - number_value(&file, "start");
    double seconds = number_value(&file, "earlier") + fmax(0, last_process);
    free_key_values(&file);
    return seconds;
}

void note_start(const char *path, double so_far, double start) {
    text_file file = {.path = format_string("%s", path),
                      .text = format_string("earlier=%.3f\nstart=%.3f\n", so_far, start)};
    write_text_file(&file);
    free(file.path);
    free(file.text);
}
