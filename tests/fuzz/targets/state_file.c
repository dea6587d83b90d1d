#include "fingerprint.h"
#include "fuzz_target.h"
#include "run_files.h"
#include "state_file.h"
#include "train_state.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SIZE_AT = 16, SHORTEST = 28, IMAGES = 9 };

static void compare_print(const state_file *file, const char *block) {
    fingerprint now = {0};
    size_t size;
    const char *bytes = find_state(file, block, &size);
    fingerprint_add(&now, "cfg", "[net]\nbatch=4\n[softmax]\n");
    fingerprint_add(&now, "number of threads", "2");
    free(fingerprint_difference(bytes ? bytes : "", bytes ? size : 0, &now));
    fingerprint_free(&now);
}

/* What a training reads before it has a network. The last two end the run where they fail. */
static void read_blocks(const state_file *file) {
    compare_print(file, "fingerprint");
    compare_print(file, "circumstances");
    get_train_progress(file);
    free(get_unusable_images(file, IMAGES));
}

static void read_state_bytes(const uint8_t *data, size_t size) {
    char *error, *path = file_of(data, size);
    state_file *file = read_state_file(path, &error);
    if (file)
        read_blocks(file);
    state_file_free(file);
    free(error);
    free(path);
}

/* Bytes behind a wrong size or checksum are not looked at, so that they are read once more with
 * both put right. */
FUZZ_TARGET(state_file, "dlb_layer/state_file.c dlb_layer/fingerprint.c") {
    read_state_bytes(data, size);
    if (size < SHORTEST)
        return;
    uint8_t *sound = malloc(size);
    uint64_t whole = size;
    memcpy(sound, data, size);
    memcpy(sound + SIZE_AT, &whole, sizeof whole);
    uint32_t sum = (uint32_t)crc32_z(0, sound, size - sizeof sum);
    memcpy(sound + size - sizeof sum, &sum, sizeof sum);
    read_state_bytes(sound, size);
    free(sound);
}
