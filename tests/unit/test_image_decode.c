/* image_decode: pixels of PNG, PPM and JPEG files, the host's own pixels, damaged files, threads.
 */
#include "image_decode.h"

#include <pthread.h>

#include "darknet.h"
#include "expect_fail.h"

/* 3x2 pixels; the rows that it holds are colour_pixels. */
static const unsigned char colour_png[] = {
    137, 80,  78,  71, 13,  10,  26,  10,  0,   0,   0,   13,  73,  72,  68,  82,  0,
    0,   0,   3,   0,  0,   0,   2,   8,   2,   0,   0,   0,   18,  22,  241, 77,  0,
    0,   0,   24,  73, 68,  65,  84,  120, 218, 99,  248, 207, 192, 192, 0,   193, 140,
    76,  204, 245, 13, 141, 127, 254, 254, 3,   0,   58,  127, 7,   123, 43,  222, 182,
    249, 0,   0,   0,  0,   73,  69,  78,  68,  174, 66,  96,  130};
static const unsigned char colour_pixels[] = {255, 0, 0, 0,   255, 0,   0,   0,   255,
                                              1,   2, 3, 127, 128, 129, 252, 253, 254};

/* 3x2 pixels of one channel: 0 1 2 / 127 128 255. */
static const unsigned char grey_png[] = {
    137, 80,  78,  71,  13,  10, 26, 10, 0,   0,  0,   13,  73,  72,  68, 82, 0,   0,  0,
    3,   0,   0,   0,   2,   8,  0,  0,  0,   0,  184, 31,  57,  198, 0,  0,  0,   16, 73,
    68,  65,  84,  120, 218, 99, 96, 96, 100, 98, 168, 111, 248, 15,  0,  3,  148, 2,  2,
    38,  176, 170, 28,  0,   0,  0,  0,  73,  69, 78,  68,  174, 66,  96, 130};

/* 16x8 pixels, a baseline and a progressive JPEG of the same picture. */
static const unsigned char jpeg[] = {
    255, 216, 255, 224, 0,   16,  74,  70,  73,  70,  0,   1,  1,  0,  0,  1,   0,   1,   0,   0,
    255, 219, 0,   67,  0,   16,  11,  12,  14,  12,  10,  16, 14, 13, 14, 18,  17,  16,  19,  24,
    40,  26,  24,  22,  22,  24,  49,  35,  37,  29,  40,  58, 51, 61, 60, 57,  51,  56,  55,  64,
    72,  92,  78,  64,  68,  87,  69,  55,  56,  80,  109, 81, 87, 95, 98, 103, 104, 103, 62,  77,
    113, 121, 112, 100, 120, 92,  101, 103, 99,  255, 219, 0,  67, 1,  17, 18,  18,  24,  21,  24,
    47,  26,  26,  47,  99,  66,  56,  66,  99,  99,  99,  99, 99, 99, 99, 99,  99,  99,  99,  99,
    99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99, 99, 99, 99, 99,  99,  99,  99,  99,
    99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99, 99, 99, 99, 99,  99,  99,  255, 192,
    0,   17,  8,   0,   8,   0,   16,  3,   1,   34,  0,   2,  17, 1,  3,  17,  1,   255, 196, 0,
    21,  0,   1,   1,   0,   0,   0,   0,   0,   0,   0,   0,  0,  0,  0,  0,   0,   0,   0,   2,
    255, 196, 0,   23,  16,  1,   0,   3,   0,   0,   0,   0,  0,  0,  0,  0,   0,   0,   0,   0,
    0,   0,   1,   5,   98,  255, 196, 0,   21,  1,   1,   1,  0,  0,  0,  0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   2,   3,   255, 196, 0,   26, 17, 0,  2,  2,   3,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   3,   4,  33, 2,  5,  81,  255, 218, 0,   12,
    3,   1,   0,   2,   17,  3,   17,  0,   63,  0,   77,  70, 81, 53, 25, 4,   53,  143, 206, 172,
    82,  230, 187, 167, 255, 217};
static const unsigned char progressive_jpeg[] = {
    255, 216, 255, 224, 0,   16,  74,  70,  73,  70,  0,   1,   1,   0,   0,   1,   0,   1,   0,
    0,   255, 219, 0,   67,  0,   16,  11,  12,  14,  12,  10,  16,  14,  13,  14,  18,  17,  16,
    19,  24,  40,  26,  24,  22,  22,  24,  49,  35,  37,  29,  40,  58,  51,  61,  60,  57,  51,
    56,  55,  64,  72,  92,  78,  64,  68,  87,  69,  55,  56,  80,  109, 81,  87,  95,  98,  103,
    104, 103, 62,  77,  113, 121, 112, 100, 120, 92,  101, 103, 99,  255, 219, 0,   67,  1,   17,
    18,  18,  24,  21,  24,  47,  26,  26,  47,  99,  66,  56,  66,  99,  99,  99,  99,  99,  99,
    99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,
    99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,  99,
    99,  99,  99,  99,  99,  99,  255, 194, 0,   17,  8,   0,   8,   0,   16,  3,   1,   34,  0,
    2,   17,  1,   3,   17,  1,   255, 196, 0,   21,  0,   1,   1,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   2,   255, 196, 0,   21,  1,   1,   1,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   1,   3,   255, 218, 0,   12,  3,
    1,   0,   2,   16,  3,   16,  0,   0,   1,   73,  55,  255, 196, 0,   21,  16,  1,   1,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   19,  255, 218, 0,   8,
    1,   1,   0,   1,   5,   2,   146, 79,  255, 196, 0,   22,  17,  1,   1,   1,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   3,   0,   2,   255, 218, 0,   8,   1,   3,
    1,   1,   63,  1,   86,  221, 255, 196, 0,   23,  17,  0,   3,   1,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   1,   2,   4,   255, 218, 0,   8,   1,   2,   1,
    1,   63,  1,   205, 108, 255, 196, 0,   20,  16,  1,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   16,  255, 218, 0,   8,   1,   1,   0,   6,   63,  2,   63,
    255, 196, 0,   21,  16,  1,   1,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   113, 255, 218, 0,   8,   1,   1,   0,   1,   63,  33,  148, 191, 255, 218, 0,
    12,  3,   1,   0,   2,   0,   3,   0,   0,   0,   16,  123, 255, 196, 0,   21,  17,  1,   1,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   81,  255, 218, 0,
    8,   1,   3,   1,   1,   63,  16,  185, 255, 196, 0,   21,  17,  1,   1,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   33,  0,   255, 218, 0,   8,   1,   2,   1,
    1,   63,  16,  59,  127, 255, 196, 0,   21,  16,  1,   1,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   1,   255, 218, 0,   8,   1,   1,   0,   1,   63,  16,
    170, 175, 255, 217};

static char folder[] = "/tmp/test_image_decode.XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/image", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static rgb_image decode(const char *name) {
    rgb_image image;
    char *reason = NULL;
    if (!decode_image(name, &image, &reason))
        fail_msg("%s: %s", name, reason);
    return image;
}

static rgb_image decode_bytes(const void *bytes, size_t size) {
    write_file(bytes, size);
    return decode(path);
}

static void check_pixels(const void *bytes, size_t size, int width, int height,
                         const unsigned char *expected) {
    rgb_image image = decode_bytes(bytes, size);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    assert_memory_equal(image.pixels, expected, (size_t)(3 * width * height));
    free(image.pixels);
}

static void check_refused(const char *name, const char *expected) {
    rgb_image image;
    char *reason = NULL;
    assert_false(decode_image(name, &image, &reason));
    assert_non_null(reason);
    assert_string_equal(reason, expected);
    free(reason);
}

/* Writes a JPEG with a segment of `payload` put in behind its start-of-image marker; returns its
 * size. `to` has room for the JPEG and 64 bytes more. */
static size_t insert_segment(unsigned char *to, unsigned char marker, const void *payload,
                             size_t size) {
    const unsigned char head[] = {0xff, 0xd8, 0xff, marker, 0, (unsigned char)(size + 2)};
    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, payload, size);
    memcpy(to + sizeof head + size, jpeg + 2, sizeof jpeg - 2);
    return sizeof jpeg + 4 + size;
}

/* An Exif segment that says: turn the picture by a quarter. */
static size_t turned_jpeg(unsigned char *to) {
    static const unsigned char exif[] =
        "Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0\0";
    return insert_segment(to, 0xe1, exif, sizeof exif - 1);
}

/* ---- pixels ---- */

static void a_png_keeps_its_pixels(void **state) {
    (void)state;
    check_pixels(colour_png, sizeof colour_png, 3, 2, colour_pixels);
}

static void a_ppm_keeps_its_pixels(void **state) {
    (void)state;
    unsigned char ppm[11 + sizeof colour_pixels] = "P6\n3 2\n255\n";
    memcpy(ppm + 11, colour_pixels, sizeof colour_pixels);
    check_pixels(ppm, sizeof ppm, 3, 2, colour_pixels);
}

/* Much more than the block that reading begins with. */
static void a_file_of_many_blocks_keeps_its_pixels(void **state) {
    (void)state;
    enum { SIDE = 400, PIXELS = 3 * SIDE * SIDE };
    unsigned char *ppm = malloc(15 + PIXELS);
    assert_non_null(ppm);
    memcpy(ppm, "P6\n400 400\n255\n", 15);
    for (int i = 0; i < PIXELS; i++)
        ppm[15 + i] = (unsigned char)(i % 251);
    check_pixels(ppm, 15 + PIXELS, SIDE, SIDE, ppm + 15);
    free(ppm);
}

static void a_grey_png_becomes_rgb(void **state) {
    (void)state;
    static const unsigned char grey[] = {0,   0,   0,   1,   1,   1,   2,   2,   2,
                                         127, 127, 127, 128, 128, 128, 255, 255, 255};
    check_pixels(grey_png, sizeof grey_png, 3, 2, grey);
}

/* The picture falls from red on the left to blue on the right. */
static void a_jpeg_has_about_its_pixels(void **state) {
    (void)state;
    rgb_image image = decode_bytes(jpeg, sizeof jpeg);
    assert_int_equal(image.width, 16);
    assert_int_equal(image.height, 8);
    const unsigned char *last = image.pixels + 3 * 15;
    assert_in_range(image.pixels[0], 200, 255);
    assert_in_range(image.pixels[2], 0, 60);
    assert_in_range(last[0], 90, 170);
    assert_in_range(last[2], 180, 255);
    free(image.pixels);
}

static void the_files_name_does_not_matter(void **state) {
    (void)state;
    char name[sizeof folder + 32];
    snprintf(name, sizeof name, "%s/\xff\xe7\x8c\xab 'a b'%%s.txt", folder);
    write_file(colour_png, sizeof colour_png);
    assert_int_equal(rename(path, name), 0);
    rgb_image image = decode(name);
    assert_memory_equal(image.pixels, colour_pixels, sizeof colour_pixels);
    free(image.pixels);
    unlink(name);
}

/* Training has to see what the host's `valid` and `predict` see. */
static void check_against_host(const void *bytes, size_t size) {
    rgb_image ours = decode_bytes(bytes, size);
    image host = load_image_color(path, 0, 0);
    assert_int_equal(ours.width, host.w);
    assert_int_equal(ours.height, host.h);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < host.w * host.h; i++)
            assert_int_equal(ours.pixels[3 * i + c],
                             (int)(host.data[c * host.w * host.h + i] * 255 + .5f));
    free(ours.pixels);
    free_image(host);
}

static void the_host_sees_the_same_pixels(void **state) {
    (void)state;
    unsigned char turned[sizeof jpeg + 64];
    check_against_host(colour_png, sizeof colour_png);
    check_against_host(grey_png, sizeof grey_png);
    check_against_host(jpeg, sizeof jpeg);
    check_against_host(progressive_jpeg, sizeof progressive_jpeg);
    check_against_host(turned, turned_jpeg(turned));
}

/* ---- damage ---- */

/* Also of lengths 0 and 1; returns at the first length that is decoded all the same. */
static void check_every_prefix_is_refused(const unsigned char *bytes, size_t size) {
    for (size_t length = 0; length < size; length++) {
        rgb_image image;
        char *reason = NULL;
        write_file(bytes, length);
        if (decode_image(path, &image, &reason))
            fail_msg("the first %zu of %zu bytes were decoded", length, size);
        assert_non_null(reason);
        free(reason);
    }
    free(decode_bytes(bytes, size).pixels);
}

/* stb_image leaves the checksum at the very end of a PNG unread. */
#ifdef OPENCV
enum { UNREAD_END = 0 };
#else
enum { UNREAD_END = 4 };
#endif

static void every_truncated_png_is_refused(void **state) {
    (void)state;
    check_every_prefix_is_refused(colour_png, sizeof colour_png - UNREAD_END);
    check_every_prefix_is_refused(grey_png, sizeof grey_png - UNREAD_END);
}

static void every_truncated_ppm_is_refused(void **state) {
    (void)state;
    unsigned char ppm[11 + sizeof colour_pixels] = "P6\n3 2\n255\n";
    check_every_prefix_is_refused(ppm, sizeof ppm);
}

static void every_truncated_jpeg_is_refused(void **state) {
    (void)state;
    check_every_prefix_is_refused(jpeg, sizeof jpeg);
    check_every_prefix_is_refused(progressive_jpeg, sizeof progressive_jpeg);
}

/* A thumbnail, for instance, brings an end-of-image marker of its own. */
static void a_truncated_jpeg_with_an_end_marker_in_its_head_is_refused(void **state) {
    (void)state;
    static const unsigned char thumbnail[] = {0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xd9};
    unsigned char bytes[sizeof jpeg + 64];
    check_every_prefix_is_refused(bytes, insert_segment(bytes, 0xe0, thumbnail, sizeof thumbnail));
}

static void a_truncated_jpeg_says_so(void **state) {
    (void)state;
    write_file(jpeg, sizeof jpeg - 2);
    check_refused(path, "the JPEG file is truncated");
}

static void garbage_after_a_jpeg_is_ignored(void **state) {
    (void)state;
    unsigned char longer[sizeof jpeg + 40];
    memset(longer, 'x', sizeof longer);
    memcpy(longer, jpeg, sizeof jpeg);
    rgb_image image = decode_bytes(jpeg, sizeof jpeg);
    check_pixels(longer, sizeof longer, 16, 8, image.pixels);
    memset(longer + sizeof jpeg, 0xff, 40);
    check_pixels(longer, sizeof longer, 16, 8, image.pixels);
    free(image.pixels);
}

static void an_empty_file_is_refused(void **state) {
    (void)state;
    write_file("", 0);
    check_refused(path, "the file is empty");
}

static void a_text_file_is_refused(void **state) {
    (void)state;
    write_file("not a picture\n", 14);
    check_refused(path, "not an image, or a damaged one");
}

static void check_claim(const void *bytes, size_t size, const char *claimed) {
    char expected[200];
    snprintf(expected, sizeof expected,
             "it claims %s pixels; sides of up to 1048576 and 134217728 pixels in all are possible",
             claimed);
    write_file(bytes, size);
    check_refused(path, expected);
}

static void check_png_claim(uint32_t width, uint32_t height, const char *claimed) {
    unsigned char png[sizeof colour_png];
    memcpy(png, colour_png, sizeof png);
    for (int i = 0; i < 4; i++) {
        png[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        png[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    check_claim(png, sizeof png, claimed);
}

/* Far more pixels than memory has room for, announced by a few bytes. */
static void an_absurd_size_is_refused(void **state) {
    (void)state;
    check_png_claim(0x80000000, 0x80000000, "2147483648 x 2147483648");
    check_png_claim(60000, 60000, "60000 x 60000");
    check_png_claim(1, 0xffffffff, "1 x 4294967295");
    check_png_claim(1048577, 1, "1048577 x 1");
    check_png_claim(11586, 11586, "11586 x 11586");
    const struct {
        const char *text, *claimed;
    } pnm[] = {
        {"P6\n200000 200000\n255\n", "200000 x 200000"},
        {"P5 # 1 1\n\n 99999999999999999999 3\n255\n", "9999999999 x 3"},
        {"P3\n134217729\n#\n1\n255\n", "134217729 x 1"},
    };
    for (size_t i = 0; i < sizeof pnm / sizeof *pnm; i++)
        check_claim(pnm[i].text, strlen(pnm[i].text), pnm[i].claimed);
    unsigned char bmp[54] = {
        'B', 'M', [14] = 40, [18] = 0, 0, 1, [22] = 0, 0, 1, [26] = 1, [28] = 24};
    check_claim(bmp, sizeof bmp, "65536 x 65536");
}

static void check_jpeg_claim(const unsigned char *whole, size_t size, int marker) {
    unsigned char changed[2048];
    assert_true(size <= sizeof changed);
    memcpy(changed, whole, size);
    for (size_t at = 2; at + 9 < size; at++)
        if (changed[at] == 0xff && changed[at + 1] == marker && changed[at + 3] == 17)
            memset(changed + at + 5, 0xff, 4);
    check_claim(changed, size, "65535 x 65535");
}

static void a_jpegs_absurd_size_is_refused(void **state) {
    (void)state;
    unsigned char turned[sizeof jpeg + 64];
    check_jpeg_claim(jpeg, sizeof jpeg, 0xc0);
    check_jpeg_claim(progressive_jpeg, sizeof progressive_jpeg, 0xc2);
    check_jpeg_claim(turned, turned_jpeg(turned), 0xc0);
}

static void load_on_host(void *name) {
    load_image_color(name, 0, 0);
}

static void the_host_refuses_an_absurd_size(void **state) {
    (void)state;
    write_file("P6\n60000 60000\n255\n", 19);
    expect_fail(load_on_host, path, ": it claims 60000 x 60000 pixels; ");
}

static void a_missing_file_is_refused(void **state) {
    (void)state;
    unlink(path);
    check_refused(path, "No such file or directory");
    check_refused("", "No such file or directory");
}

static void a_directory_is_refused(void **state) {
    (void)state;
    check_refused(folder, "Is a directory");
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 20 };
static const char *const parallel_names[] = {"image", "jpeg", "damaged"};

/* Decodes a good PNG, a good JPEG and a damaged one by turns; returns how many went wrong. */
static void *decode_by_turns(void *folder_name) {
    size_t wrong = 0;
    for (int i = 0; i < 3 * ROUNDS; i++) {
        char name[64];
        rgb_image image;
        char *reason = NULL;
        snprintf(name, sizeof name, "%s/%s", (char *)folder_name, parallel_names[i % 3]);
        bool decoded = decode_image(name, &image, &reason);
        wrong += decoded != (i % 3 < 2);
        if (decoded && i % 3 == 0)
            wrong += memcmp(image.pixels, colour_pixels, sizeof colour_pixels) != 0;
        free(decoded ? (void *)image.pixels : reason);
    }
    return (void *)wrong;
}

static void many_threads_may_decode_at_once(void **state) {
    (void)state;
    char name[sizeof folder + 16];
    pthread_t threads[THREADS];
    write_file(jpeg, sizeof jpeg);
    snprintf(name, sizeof name, "%s/%s", folder, parallel_names[1]);
    assert_int_equal(rename(path, name), 0);
    write_file(colour_png, sizeof colour_png / 2);
    snprintf(name, sizeof name, "%s/%s", folder, parallel_names[2]);
    assert_int_equal(rename(path, name), 0);
    write_file(colour_png, sizeof colour_png);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decode_by_turns, folder), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    for (int i = 1; i < 3; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, parallel_names[i]);
        unlink(name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_keeps_its_pixels),
        cmocka_unit_test(a_ppm_keeps_its_pixels),
        cmocka_unit_test(a_file_of_many_blocks_keeps_its_pixels),
        cmocka_unit_test(a_grey_png_becomes_rgb),
        cmocka_unit_test(a_jpeg_has_about_its_pixels),
        cmocka_unit_test(the_files_name_does_not_matter),
        cmocka_unit_test(the_host_sees_the_same_pixels),
        cmocka_unit_test(every_truncated_png_is_refused),
        cmocka_unit_test(every_truncated_ppm_is_refused),
        cmocka_unit_test(every_truncated_jpeg_is_refused),
        cmocka_unit_test(a_truncated_jpeg_with_an_end_marker_in_its_head_is_refused),
        cmocka_unit_test(a_truncated_jpeg_says_so),
        cmocka_unit_test(garbage_after_a_jpeg_is_ignored),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(a_text_file_is_refused),
        cmocka_unit_test(an_absurd_size_is_refused),
        cmocka_unit_test(a_jpegs_absurd_size_is_refused),
        cmocka_unit_test(the_host_refuses_an_absurd_size),
        cmocka_unit_test(a_missing_file_is_refused),
        cmocka_unit_test(a_directory_is_refused),
        cmocka_unit_test(many_threads_may_decode_at_once),
    };
    return cmocka_run_group_tests_name("image_decode", tests, make_folder, remove_folder);
}
