/* Compare two of Darknet's .weights files value by value.
 *
 * Usage: compare_weights FILE REFERENCE TOLERANCE
 *
 * Both files must have the same size and the same header (version and images
 * seen). Each float must satisfy |a - r| <= TOLERANCE * max(1, |r|); NaN does not.
 * Prints the worst element. Exit status: 0 equal, 1 different, 2 could not compare.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "compile without -Ofast and -ffast-math: they let NaN pass every comparison"
#endif

/* int32 major, minor, revision; then seen, a 64-bit size_t */
enum { HEADER = 3 * sizeof(int32_t) + sizeof(uint64_t) };

typedef struct {
    unsigned char *bytes;
    size_t size;
} file_bytes;

static file_bytes read_file(const char *path) {
    file_bytes f = {0};
    FILE *in = fopen(path, "rb");
    if (!in) {
        perror(path);
        exit(2);
    }
    size_t room = 0;
    size_t got = 1;
    while (got > 0) {
        if (f.size == room) {
            room = room ? 2 * room : 4096;
            f.bytes = realloc(f.bytes, room);
            if (!f.bytes) {
                perror(path);
                exit(2);
            }
        }
        got = fread(f.bytes + f.size, 1, room - f.size, in);
        f.size += got;
    }
    if (ferror(in)) {
        perror(path);
        exit(2);
    }
    fclose(in);
    if (f.size < HEADER || (f.size - HEADER) % sizeof(float) != 0) {
        fprintf(stderr, "%s: %zu bytes are no .weights file\n", path, f.size);
        exit(2);
    }
    return f;
}

static void print_header(const char *path, file_bytes f) {
    int32_t version[3];
    uint64_t seen;
    memcpy(version, f.bytes, sizeof version);
    memcpy(&seen, f.bytes + sizeof version, sizeof seen);
    printf("%s: version %d.%d.%d, %llu images seen\n", path, (int)version[0], (int)version[1],
           (int)version[2], (unsigned long long)seen);
}

static float value_at(file_bytes f, size_t i) {
    float v;
    memcpy(&v, f.bytes + HEADER + i * sizeof v, sizeof v);
    return v;
}

int main(int argc, char **argv) {
    char *end = NULL;
    double tolerance = argc == 4 ? strtod(argv[3], &end) : -1;
    if (argc != 4 || end == argv[3] || *end || !(tolerance >= 0)) {
        fprintf(stderr, "usage: %s FILE REFERENCE TOLERANCE\n", argv[0]);
        return 2;
    }
    file_bytes a = read_file(argv[1]);
    file_bytes r = read_file(argv[2]);
    if (a.size != r.size) {
        printf("%s has %zu bytes, %s has %zu\n", argv[1], a.size, argv[2], r.size);
        free(a.bytes);
        free(r.bytes);
        return 1;
    }
    int differ = 0;
    if (memcmp(a.bytes, r.bytes, HEADER) != 0) {
        print_header(argv[1], a);
        print_header(argv[2], r);
        differ = 1;
    }

    size_t count = (a.size - HEADER) / sizeof(float);
    size_t worst = 0;
    double worst_error = -1;
    for (size_t i = 0; i < count; ++i) {
        double reference = value_at(r, i);
        double error = fabs(value_at(a, i) - reference) / fmax(1, fabs(reference));
        if (!(error <= tolerance))
            differ = 1;
        if (!(error <= worst_error)) { /* a NaN is the worst there is: keep the first one */
            worst = i;
            worst_error = error;
            if (isnan(error))
                break;
        }
    }
    if (count > 0)
        printf("%s, worst of %zu values: [%zu] is %.9g, expected %.9g, error %.3g (tolerance %g)\n",
               differ ? "different" : "equal", count, worst, value_at(a, worst), value_at(r, worst),
               worst_error, tolerance);
    free(a.bytes);
    free(r.bytes);
    return differ;
}
