#include "run_resources.h"

#include <archive.h>
#include <dirent.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <sanitizer/common_interface_defs.h>

/* Each function that the linker sends here, and the real one. */
#define WRAPPED(returns, name, ...)                                                                \
    returns __real_##name(__VA_ARGS__);                                                            \
    returns __wrap_##name(__VA_ARGS__);                                                            \
    returns __wrap_##name(__VA_ARGS__)

void *__real_malloc(size_t size);
void __real_free(void *block);
int __real_fclose(FILE *stream);

enum { BUCKET_BITS = 12 };
/* A run that asks for more ends as if memory had run out. */
static const size_t MOST_BYTES = (size_t)256 << 20;

/* A block of memory, or something that a library opened. */
typedef struct resource {
    void *handle;
    void (*release)(void *handle);
    size_t size; /* of a block */
    void *caller;
    struct resource *next_in_bucket;
    struct resource *newer, *older;
} resource;

/* A stream in memory hands its text over when it is closed, to variables that a run which was cut
 * short no longer has. So they are filled only where the code under test closes it. */
typedef struct memory_stream {
    FILE *stream;
    char *text, **text_for;
    size_t size, *size_for;
    struct memory_stream *next;
} memory_stream;

jmp_buf run_end;
static bool running;
static resource *buckets[1 << BUCKET_BITS], *newest;
static size_t held_bytes;
static memory_stream *memory_streams;

/* ---- the list of what is held ---- */

static resource **bucket_of(const void *handle) {
    return &buckets[((uintptr_t)handle * 0x9e3779b97f4a7c15u) >> (64 - BUCKET_BITS)];
}

static void unlink_resource(resource **at) {
    resource *r = *at;
    *at = r->next_in_bucket;
    if (r->newer)
        r->newer->older = r->older;
    else
        newest = r->older;
    if (r->older)
        r->older->newer = r->newer;
    held_bytes -= r->size;
    __real_free(r);
}

static void forget(const void *handle) {
    resource **at = bucket_of(handle);
    while (*at && (*at)->handle != handle)
        at = &(*at)->next_in_bucket;
    if (*at)
        unlink_resource(at);
}

static void *hold(void *handle, size_t size, void (*release)(void *), void *caller) {
    if (!handle || !running)
        return handle;
    resource *r = __real_malloc(sizeof *r), **bucket = bucket_of(handle);
    if (!r)
        abort();
    *r = (resource){handle, release, size, caller, *bucket, NULL, newest};
    *bucket = r;
    if (newest)
        newest->newer = r;
    newest = r;
    held_bytes += size;
    return handle;
}

#define HOLD(handle, size, release) hold(handle, size, release, __builtin_return_address(0))

static void end_where_memory_is_short(size_t more) {
    if (running && (more > MOST_BYTES || held_bytes + more > MOST_BYTES))
        longjmp(run_end, 1);
}

void begin_run(void) {
    running = true;
}

__attribute__((noreturn)) static void say_left_behind(void) {
    char caller[512];
    __sanitizer_symbolize_pc(newest->caller, "%F %L", caller, sizeof caller);
    fprintf(stderr, "left behind by the run, %zu bytes among others: %s\n", newest->size, caller);
    abort();
}

void end_run(bool expected) {
    running = false;
    if (newest && !expected)
        say_left_behind();
    while (newest) {
        void *handle = newest->handle;
        void (*release)(void *) = newest->release;
        forget(handle);
        release(handle);
    }
}

/* ---- the end of the program ---- */

WRAPPED(void, exit, int status) {
    if (running)
        longjmp(run_end, 1);
    __real_exit(status);
}

WRAPPED(void, _exit, int status) {
    if (running)
        longjmp(run_end, 1);
    __real__exit(status);
}

/* ---- memory ---- */

void __wrap_free(void *block);
void __wrap_free(void *block) {
    forget(block);
    __real_free(block);
}

void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size) {
    end_where_memory_is_short(size);
    return HOLD(__real_malloc(size), size, __real_free);
}

WRAPPED(void *, calloc, size_t count, size_t size) {
    size_t all;
    if (__builtin_mul_overflow(count, size, &all))
        all = SIZE_MAX;
    end_where_memory_is_short(all);
    return HOLD(__real_calloc(count, size), all, __real_free);
}

WRAPPED(void *, realloc, void *block, size_t size) {
    end_where_memory_is_short(size);
    forget(block);
    void *moved = __real_realloc(block, size);
    HOLD(moved || !size ? moved : block, size, __real_free);
    return moved;
}

WRAPPED(char *, strdup, const char *text) {
    return HOLD(__real_strdup(text), strlen(text) + 1, __real_free);
}

WRAPPED(char *, realpath, const char *path, char *to) {
    char *real = __real_realpath(path, to);
    return to ? real : HOLD(real, 0, __real_free);
}

WRAPPED(ssize_t, getline, char **line, size_t *room, FILE *stream) {
    forget(*line);
    ssize_t got = __real_getline(line, room, stream);
    HOLD(*line, *room, __real_free);
    return got;
}

/* ---- streams ---- */

static void close_stream(void *stream) {
    __real_fclose(stream);
}

WRAPPED(FILE *, fopen, const char *path, const char *mode) {
    return HOLD(__real_fopen(path, mode), 0, close_stream);
}

/* Takes the stream off the list; NULL where it is not one in memory. */
static memory_stream *take_memory_stream(const FILE *stream) {
    memory_stream **at = &memory_streams, *found;
    while (*at && (*at)->stream != stream)
        at = &(*at)->next;
    found = *at;
    if (found)
        *at = found->next;
    return found;
}

static void drop_memory_stream(void *stream) {
    memory_stream *memory = take_memory_stream(stream);
    __real_fclose(stream);
    __real_free(memory->text);
    __real_free(memory);
}

WRAPPED(FILE *, open_memstream, char **text, size_t *size) {
    memory_stream *memory = __real_malloc(sizeof *memory);
    if (!running || !memory)
        abort();
    *memory = (memory_stream){.text_for = text, .size_for = size, .next = memory_streams};
    memory->stream = __real_open_memstream(&memory->text, &memory->size);
    if (!memory->stream)
        abort();
    memory_streams = memory;
    return HOLD(memory->stream, 0, drop_memory_stream);
}

int __wrap_fclose(FILE *stream);
int __wrap_fclose(FILE *stream) {
    memory_stream *memory = take_memory_stream(stream);
    forget(stream);
    int status = __real_fclose(stream);
    if (!memory)
        return status;
    *memory->text_for = HOLD(memory->text, memory->size, __real_free);
    *memory->size_for = memory->size;
    __real_free(memory);
    return status;
}

/* ---- folders, compressed files, archives ---- */

WRAPPED(int, closedir, DIR *folder) {
    forget(folder);
    return __real_closedir(folder);
}

static void close_folder(void *folder) {
    __real_closedir(folder);
}

WRAPPED(DIR *, opendir, const char *path) {
    return HOLD(__real_opendir(path), 0, close_folder);
}

WRAPPED(int, fts_close, FTS *tree) {
    forget(tree);
    return __real_fts_close(tree);
}

static void close_tree(void *tree) {
    __real_fts_close(tree);
}

typedef int fts_order(const FTSENT **, const FTSENT **);
WRAPPED(FTS *, fts_open, char *const *paths, int options, fts_order *order) {
    return HOLD(__real_fts_open(paths, options, order), 0, close_tree);
}

WRAPPED(int, gzclose_r, gzFile file) {
    forget(file);
    return __real_gzclose_r(file);
}

static void close_gzip(void *file) {
    __real_gzclose_r(file);
}

WRAPPED(gzFile, gzopen, const char *path, const char *mode) {
    return HOLD(__real_gzopen(path, mode), 0, close_gzip);
}

WRAPPED(int, archive_read_free, struct archive *archive) {
    forget(archive);
    return __real_archive_read_free(archive);
}

static void close_archive(void *archive) {
    __real_archive_read_free(archive);
}

WRAPPED(struct archive *, archive_read_new, void) {
    return HOLD(__real_archive_read_new(), 0, close_archive);
}
