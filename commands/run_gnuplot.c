#define _GNU_SOURCE
#include "run_gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"

/* The environment with a locale whose characters are UTF-8, as those of the scripts are. The
 * strings are not copied; the caller frees the list. */
static char **utf8_environment(void) {
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **copy = allocate(count + 2, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "LC_ALL=", 7) != 0)
            copy[kept++] = environ[i];
    copy[kept] = "LC_ALL=C.UTF-8";
    return copy;
}

/* Returns 0 or an errno; that of a program that is missing is ENOENT. */
static int spawn_in(const char *folder, char *const *argv, pid_t *child) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (!error)
        error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    char **environment = utf8_environment();
    if (!error)
        error = posix_spawnp(child, argv[0], &actions, NULL, argv, environment);
    free(environment);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

gnuplot_outcome run_gnuplot(const char *folder, const char *settings, const char *script) {
    char *argv[] = {"gnuplot", "-d", "-e", (char *)settings, (char *)script, NULL};
    pid_t child;
    int status;
    int error = spawn_in(folder, argv, &child);
    if (error == ENOENT)
        return GNUPLOT_MISSING;
    if (error)
        fail("cannot start gnuplot in %s: %s", folder, strerror(error));
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            fail("cannot wait for gnuplot: %s", strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? GNUPLOT_DONE : GNUPLOT_FAILED;
}
