/* Memory of the device, which nobody but its work can touch, and of the host. A new array is full
 * of NaNs; around it, and where one was freed, nothing can be touched. */
#include "emulation.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, ALIGNMENT = 256, NAN_BYTE = 0xff, BESIDE = 0x5a };

static const size_t ROOM = (size_t)1 << 40; /* addresses, which cost nothing */

/* An array ends where its last page does, but for what its alignment leaves. */
typedef struct {
    char *pages, *begin;
    size_t page_bytes, bytes;
} array;

typedef struct {
    array *all;
    size_t count, room;
} array_list;

static array_list on_device, pinned;
static char *room, *next;
static int empty_file; /* whose mapping cannot be touched, whatever its protection */
static bool is_open;

/* ---- lists ---- */

static void add_array(array_list *list, array a) {
    if (list->count == list->room) {
        list->room = 2 * list->room + 16;
        list->all = realloc(list->all, list->room * sizeof *list->all);
        if (!list->all)
            emulation_abort("no memory is left");
    }
    list->all[list->count++] = a;
}

/* The array that begins at `memory`, or NULL. */
static array *array_at(const array_list *list, const void *memory) {
    for (size_t i = 0; i < list->count; i++)
        if (list->all[i].begin == memory)
            return &list->all[i];
    return NULL;
}

/* The array that has these bytes, or NULL. */
static const array *array_with(const array_list *list, const void *memory, size_t size) {
    const char *from = memory;
    for (size_t i = 0; i < list->count; i++) {
        const array *a = &list->all[i];
        if (from >= a->begin && from < a->begin + a->bytes)
            return size <= (size_t)(a->begin + a->bytes - from) ? a : NULL;
    }
    return NULL;
}

static void remove_array(array_list *list, array *a) {
    *a = list->all[--list->count];
}

/* ---- the device's ---- */

static bool is_in_room(const void *memory) {
    return room && (const char *)memory >= room && (const char *)memory < room + ROOM;
}

/* Of a signal; so it calls what a handler may call. */
static void say_who_touched(int number, siginfo_t *info, void *context) {
    static const char HOST[] = "emulated CUDA: the host has touched memory of the device\n",
                      DEVICE[] = "emulated CUDA: a kernel has touched memory beside its arrays\n";
    (void)context;
    if (is_in_room(info->si_addr)) {
        ssize_t written =
            is_open ? write(2, DEVICE, sizeof DEVICE - 1) : write(2, HOST, sizeof HOST - 1);
        (void)written;
    }
    signal(number, SIG_DFL); /* and it comes again */
}

static void make_device_room(void) {
    struct sigaction action = {.sa_sigaction = say_who_touched, .sa_flags = SA_SIGINFO};
    room = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    empty_file = memfd_create("emulated CUDA", MFD_CLOEXEC);
    if (room == MAP_FAILED || empty_file < 0)
        emulation_abort("no addresses are left for the device's memory");
    next = room;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

static void protect(int protection) {
    if (next > room && mprotect(room, (size_t)(next - room), protection))
        emulation_abort("the device's memory cannot be protected");
}

/* From here on nobody can touch these pages. */
static void make_forbidden(char *pages, size_t bytes) {
    off_t offset = pages - room; /* so that neighbours become one mapping */
    if (mmap(pages, bytes, PROT_NONE, MAP_PRIVATE | MAP_FIXED, empty_file, offset) == MAP_FAILED)
        emulation_abort("the device's memory cannot be protected");
}

static size_t rounded_up(size_t bytes, size_t to) {
    return (bytes + to - 1) / to * to;
}

static array place_array(size_t size) {
    array a = {.bytes = size, .page_bytes = rounded_up(size, PAGE)};
    if ((size_t)(room + ROOM - next) < a.page_bytes + 2 * (size_t)PAGE)
        emulation_abort("the device has no addresses left");
    make_forbidden(next, PAGE);
    a.pages = next + PAGE;
    a.begin = a.pages + a.page_bytes - rounded_up(size, ALIGNMENT);
    next = a.pages + a.page_bytes;
    return a;
}

static void fill_array(const array *a) {
    memset(a->pages, BESIDE, a->page_bytes);
    memset(a->begin, NAN_BYTE, a->bytes);
}

static void check_bytes(const char *from, const char *to, size_t bytes) {
    for (const char *at = from; at < to; at++)
        if (*at != BESIDE)
            emulation_abort("a kernel has written beside an array of %zu bytes", bytes);
}

static void check_beside(const array *a) {
    check_bytes(a->pages, a->begin, a->bytes);
    check_bytes(a->begin + a->bytes, a->pages + a->page_bytes, a->bytes);
}

void open_device_memory(void) {
    protect(PROT_READ | PROT_WRITE);
    is_open = true;
}

void close_device_memory(void) {
    protect(PROT_NONE);
    is_open = false;
}

cudaError_t cudaMalloc(void **memory, size_t size) {
    enter();
    cudaError_t status = refuse_in_capture();
    if (status != cudaSuccess)
        return leave(status);
    *memory = NULL;
    if (!size)
        return leave(cudaSuccess);
    if (!room)
        make_device_room();
    array a = place_array(size);
    open_device_memory();
    fill_array(&a);
    close_device_memory();
    add_array(&on_device, a);
    *memory = a.begin;
    return leave(cudaSuccess);
}

cudaError_t cudaFree(void *memory) {
    enter();
    cudaError_t status = do_all_work(); /* as CUDA waits */
    if (status != cudaSuccess || !memory)
        return leave(status);
    array *a = array_at(&on_device, memory);
    if (!a)
        return leave(cudaErrorInvalidValue);
    open_device_memory();
    check_beside(a);
    close_device_memory();
    make_forbidden(a->pages, a->page_bytes);
    remove_array(&on_device, a);
    return leave(cudaSuccess);
}

/* ---- the host's, pinned ---- */

cudaError_t cudaHostAlloc(void **memory, size_t size, unsigned flags) {
    enter();
    (void)flags;
    cudaError_t status = refuse_in_capture();
    if (status != cudaSuccess)
        return leave(status);
    array a = {.begin = malloc(size ? size : 1), .bytes = size};
    if (!a.begin)
        return leave(cudaErrorMemoryAllocation);
    memset(a.begin, NAN_BYTE, size);
    add_array(&pinned, a);
    *memory = a.begin;
    return leave(cudaSuccess);
}

cudaError_t cudaMallocHost(void **memory, size_t size) {
    return cudaHostAlloc(memory, size, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void *memory) {
    enter();
    cudaError_t status = do_all_work();
    if (status != cudaSuccess || !memory)
        return leave(status);
    array *a = array_at(&pinned, memory);
    if (!a)
        return leave(cudaErrorInvalidValue);
    remove_array(&pinned, a);
    free(memory);
    return leave(cudaSuccess);
}

memory_kind kind_of_memory(const void *memory, size_t size, bool *valid) {
    *valid = true;
    if (is_in_room(memory)) {
        *valid = array_with(&on_device, memory, size) != NULL;
        return ON_DEVICE;
    }
    if (!array_with(&pinned, memory, 1))
        return PAGEABLE;
    *valid = array_with(&pinned, memory, size) != NULL;
    return PINNED;
}

void need_device_memory(const void *memory, const char *user) {
    bool valid;
    if (kind_of_memory(memory, 1, &valid) == PAGEABLE)
        emulation_abort("%s is given memory of the host, %p", user, memory);
    if (!valid)
        emulation_abort("%s is given memory that is in no array, %p", user, memory);
}

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *memory) {
    static const enum cudaMemoryType TYPES[] = {[PAGEABLE] = cudaMemoryTypeUnregistered,
                                                [PINNED] = cudaMemoryTypeHost,
                                                [ON_DEVICE] = cudaMemoryTypeDevice};
    bool valid;
    enter();
    *attributes = (struct cudaPointerAttributes){.type = TYPES[kind_of_memory(memory, 1, &valid)]};
    return leave(valid ? cudaSuccess : cudaErrorInvalidValue);
}
