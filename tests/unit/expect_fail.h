/* For unit tests of code that ends the program through fail().
 *
 * cmocka has a macro fail() of its own, so include "fail.h", where a test needs it, before this
 * header, and do not call fail() in a test. */
#ifndef DLB_EXPECT_FAIL_H
#define DLB_EXPECT_FAIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* fail() leaves memory behind on purpose; a leak report would spoil the child's one line. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#else
static inline void __lsan_disable(void) {}
#endif

/* Reads all of `fd`, as a string that the caller frees. */
static inline char *expect_fail_read_all(int fd) {
    size_t length = 0, capacity = 4096;
    char *text = malloc(capacity);
    assert_non_null(text);
    for (ssize_t got; (got = read(fd, text + length, capacity - length - 1)) > 0;) {
        length += (size_t)got;
        if (length + 1 == capacity) {
            text = realloc(text, capacity *= 2);
            assert_non_null(text);
        }
    }
    text[length] = '\0';
    return text;
}

/* Runs action(arg) in a forked child. Returns what it wrote to standard error, which the caller
 * frees; *status is as waitpid() has it. */
static inline char *expect_fail_said(void (*action)(void *), void *arg, int *status) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        __lsan_disable();
        action(arg);
        fputs("nothing failed\n", stderr);
        _exit(0);
    }
    close(ends[1]);
    char *said = expect_fail_read_all(ends[0]);
    close(ends[0]);
    assert_int_equal(waitpid(child, status, 0), child);
    return said;
}

/* Asserts that action(arg), in a forked child, exits with status 1 after writing to standard error
 * one line: "darknet: ", then a sentence that contains `expected`. */
static inline void expect_fail(void (*action)(void *), void *arg, const char *expected) {
    int status;
    char *said = expect_fail_said(action, arg, &status);
    const char *newline = strchr(said, '\n');
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1 || strncmp(said, "darknet: ", 9) != 0 ||
        !strstr(said, expected) || !newline || newline[1])
        fail_msg("expected status 1 and one line with \"%s\", but got wait status 0x%x and \"%s\"",
                 expected, (unsigned)status, said);
    free(said);
}

#endif
