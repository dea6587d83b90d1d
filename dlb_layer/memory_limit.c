#include "memory_limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* The number in a file of the control group's; no limit where there is none. */
static uint64_t limit_in_file(const char *path) {
    uint64_t limit = UINT64_MAX;
    FILE *file = fopen(path, "r");
    if (!file)
        return limit;
    if (fscanf(file, "%" SCNu64, &limit) != 1) /* "max" */
        limit = UINT64_MAX;
    fclose(file);
    return limit;
}

static uint64_t limit_of_resource(int resource) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

uint64_t memory_limit(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t limit = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
    limit = smaller(limit, limit_in_file("/sys/fs/cgroup/memory.max"));
    limit = smaller(limit, limit_in_file("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    limit = smaller(limit, limit_of_resource(RLIMIT_AS));
    limit = smaller(limit, limit_of_resource(RLIMIT_DATA));
    return smaller(limit, limit_of_resource(RLIMIT_RSS));
}
