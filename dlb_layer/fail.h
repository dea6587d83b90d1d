/* Ends the program with one sentence that says what is wrong. */
#ifndef DLB_FAIL_H
#define DLB_FAIL_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Prints "darknet: " and the formatted sentence (no final newline needed) to standard error
 * and exits with status 1. For input that the user can put right; bugs use assert.
 * Callable from any thread; in a job of several ranks the first one to call speaks for the rank.
 * Never returns. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* What fail() does after its sentence, just before the program ends; NULL for nothing, as at the
 * start. For one thread, while no other may fail. */
void at_failure(void (*action)(void));

/* Whether a line on standard error may be unfinished, which fail() then ends before its sentence.
 * For one thread, while no other may fail. */
void fail_on_new_line(bool open);

/* In a job of several ranks: what `introduce` returns comes before the sentence, and `end` is
 * called last, to end the other ranks too. NULL for nothing, as at the start. */
void fail_as_rank(const char *(*introduce)(void), void (*end)(void));

/* calloc(count, size) that ends the program through fail() where memory runs out.
 * The caller owns the zeroed block and releases it with free(). `count` may be 0. */
void *allocate(unsigned long count, unsigned long size);

/* Formats into a fresh string of just the needed length; the caller frees it. */
__attribute__((format(printf, 1, 2))) char *format_string(const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
