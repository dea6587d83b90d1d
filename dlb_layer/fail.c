#include "fail.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void (*last_action)(void);
static const char *(*introduce_rank)(void);
static void (*end_ranks)(void);
static bool line_is_open;

void at_failure(void (*action)(void)) {
    last_action = action;
}

void fail_as_rank(const char *(*introduce)(void), void (*end)(void)) {
    introduce_rank = introduce;
    end_ranks = end;
}

void fail_on_new_line(bool open) {
    line_is_open = open;
}

/* In a job of several ranks the introduction and the end take their time, in which other threads
 * may fail too: the first one speaks for the rank. */
static void let_one_thread_speak(void) {
    static atomic_flag taken = ATOMIC_FLAG_INIT;
    while (introduce_rank && atomic_flag_test_and_set(&taken))
        pause();
}

/* In one write where it fits, so that no other process's output comes between its parts. */
static void print_sentence(const char *who, const char *format, va_list args) {
    enum { ROOM = 1 << 14 };
    char line[ROOM];
    va_list again;
    va_copy(again, args);
    int start = snprintf(line, ROOM, "%sdarknet: %s", line_is_open ? "\n" : "", who);
    int length =
        start < ROOM ? vsnprintf(line + start, (unsigned long)(ROOM - start), format, args) : ROOM;
    if (length >= 0 && start + length < ROOM - 1) {
        line[start + length] = '\n';
        line[start + length + 1] = '\0';
        fputs(line, stderr);
    } else {
        fprintf(stderr, "%sdarknet: %s", line_is_open ? "\n" : "", who);
        vfprintf(stderr, format, again);
        fputc('\n', stderr);
    }
    va_end(again);
}

void fail(const char *format, ...) {
    va_list args;
    let_one_thread_speak();
    fflush(stdout); /* what was printed before stays before */
    const char *who = introduce_rank ? introduce_rank() : "";
    va_start(args, format);
    print_sentence(who, format, args);
    va_end(args);
    fflush(NULL);
    if (last_action)
        last_action();
    if (end_ranks)
        end_ranks();
    _exit(EXIT_FAILURE); /* no exit handlers: other threads may still use what they tear down */
}

void *allocate(unsigned long count, unsigned long size) {
    void *block = calloc(count ? count : 1, size);
    if (!block)
        fail("out of memory: %lu times %lu bytes asked for", count, size);
    return block;
}

char *format_string(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        fail("cannot format \"%s\"", format);
    char *text = allocate((unsigned long)length + 1, 1);
    va_start(args, format);
    vsnprintf(text, (unsigned long)length + 1, format, args);
    va_end(args);
    return text;
}
