#include "image_claim.h"

#include "fail.h"
#include "stb_image.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t width, height;
} claimed_size;

/* ---- formats ---- */

static uint64_t big_endian(const unsigned char *at, int bytes) {
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

/* PNG 1.2, 11.2.2: IHDR is the first chunk. */
static bool read_png(const unsigned char *data, size_t size, claimed_size *claim) {
    static const unsigned char MAGIC[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (size < 24 || memcmp(data, MAGIC, sizeof MAGIC))
        return false;
    *claim = (claimed_size){big_endian(data + 16, 4), big_endian(data + 20, 4)};
    return true;
}

/* ITU-T T.81, B.2.2: SOF0 to SOF15, without the three other markers in between. */
static bool is_frame(int marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static bool read_jpeg(const unsigned char *data, size_t size, claimed_size *claim) {
    enum { MARKER = 0xff, START_OF_IMAGE = 0xd8 };
    if (size < 4 || data[0] != MARKER || data[1] != START_OF_IMAGE)
        return false;
    for (size_t at = 2; at + 9 <= size && data[at] == MARKER;) {
        if (data[at + 1] == MARKER) { /* fill byte */
            at++;
            continue;
        }
        if (is_frame(data[at + 1])) {
            *claim = (claimed_size){big_endian(data + at + 7, 2), big_endian(data + at + 5, 2)};
            return true;
        }
        at += 2 + (size_t)big_endian(data + at + 2, 2);
    }
    return false;
}

/* The next number of a PNM header, after blanks and comments; 0 without. */
static uint64_t read_pnm_number(const unsigned char *data, size_t size, size_t *at) {
    while (*at < size && (isspace(data[*at]) || data[*at] == '#'))
        if (data[(*at)++] == '#')
            while (*at < size && data[*at] != '\n')
                (*at)++;
    uint64_t number = 0;
    for (; *at < size && isdigit(data[*at]); (*at)++)
        if (number < UINT32_MAX)
            number = number * 10 + (uint64_t)(data[*at] - '0');
    return number;
}

static bool read_pnm(const unsigned char *data, size_t size, claimed_size *claim) {
    if (size < 3 || data[0] != 'P' || data[1] < '1' || data[1] > '6')
        return false;
    size_t at = 2;
    claim->width = read_pnm_number(data, size, &at);
    claim->height = read_pnm_number(data, size, &at);
    return true;
}

static bool read_other(const unsigned char *data, size_t size, claimed_size *claim) {
    int width, height, channels;
    int bytes = size < INT_MAX ? (int)size : INT_MAX;
    if (!stbi_info_from_memory(data, bytes, &width, &height, &channels))
        return false;
    *claim = (claimed_size){(uint64_t)(width < 0 ? 0 : width), (uint64_t)(height < 0 ? 0 : height)};
    return true;
}

/* ---- the limit ---- */

static bool is_absurd(claimed_size claim) {
    return claim.width > LONGEST_SIDE || claim.height > LONGEST_SIDE ||
           claim.width * claim.height > MOST_PIXELS;
}

char *find_absurd_size(const unsigned char *data, size_t size) {
    claimed_size claim;
    bool known = read_png(data, size, &claim) || read_jpeg(data, size, &claim) ||
                 read_pnm(data, size, &claim) || read_other(data, size, &claim);
    if (!known || !is_absurd(claim))
        return NULL;
    return format_string("it claims %" PRIu64 " x %" PRIu64
                         " pixels; sides of up to %d and %d pixels in all are possible",
                         claim.width, claim.height, LONGEST_SIDE, MOST_PIXELS);
}

void refuse_absurd_image(const char *path) {
    enum { HEADER = 1 << 16 }; /* of a JPEG, whose size may stand behind a preview */
    FILE *file = fopen(path, "rb");
    if (!file)
        return;
    unsigned char *data = allocate(HEADER, 1);
    char *absurd = find_absurd_size(data, fread(data, 1, HEADER, file));
    if (absurd)
        fail("cannot use %s: %s", path, absurd);
    free(data);
    fclose(file);
}
