#include "pinned_sums.h"

#if defined(GPU) && defined(DLB_MPI)
#include "device_event.h"
#include "fail.h"
#include "pinned_floats.h"
#include "ranks.h"

#include <stdlib.h>

typedef struct {
    size_t from, count;
    cudaEvent_t arrived; /* on the host */
    rank_sum *sum;
} pinned_sum;

struct pinned_sums {
    float *floats; /* as those on the device */
    int most;
    pinned_sum *all; /* (most) */
    int begun, sent; /* how many are on their way to the host, and from there to the ranks */
};

pinned_sums *pinned_sums_create(int most, size_t floats) {
    pinned_sums *s = allocate(1, sizeof *s);
    s->floats = make_pinned_floats(floats);
    s->most = most;
    s->all = allocate((size_t)most, sizeof *s->all);
    for (int i = 0; i < most; i++)
        s->all[i].arrived = make_device_event();
    return s;
}

void pinned_sums_free(pinned_sums *s) {
    if (!s)
        return;
    check_error(cudaDeviceSynchronize()); /* the last results may still be on their way */
    for (int i = 0; i < s->most; i++)
        check_error(cudaEventDestroy(s->all[i].arrived));
    free_pinned_floats(s->floats);
    free(s->all);
    free(s);
}

void pinned_sums_start(pinned_sums *s, const float *flat, size_t from, size_t count,
                       cudaStream_t stream) {
    pinned_sum *sum = &s->all[s->begun++];
    sum->from = from;
    sum->count = count;
    check_error(cudaMemcpyAsync(s->floats + from, flat + from, count * sizeof *flat,
                                cudaMemcpyDeviceToHost, stream));
    check_error(cudaEventRecord(sum->arrived, stream));
}

static void send_next(pinned_sums *s) {
    pinned_sum *sum = &s->all[s->sent++];
    sum->sum = rank_sum_start(s->floats + sum->from, sum->count, false);
}

void pinned_sums_advance(pinned_sums *s) {
    while (s->sent < s->begun && device_is_past(s->all[s->sent].arrived))
        send_next(s);
    for (int i = 0; i < s->sent; i++)
        rank_sum_test(s->all[i].sum);
}

/* Meanwhile those before it go on. */
static void send_rest(pinned_sums *s) {
    while (s->sent < s->begun) {
        int before = s->sent;
        pinned_sums_advance(s);
        if (s->sent == before)
            check_error(cudaEventSynchronize(s->all[before].arrived));
    }
}

void pinned_sums_finish(pinned_sums *s, float *flat) {
    send_rest(s);
    for (int i = 0; i < s->begun; i++) {
        pinned_sum *sum = &s->all[i];
        rank_sums_wait(&sum->sum, 1);
        check_error(cudaMemcpyAsync(flat + sum->from, s->floats + sum->from,
                                    sum->count * sizeof *flat, cudaMemcpyHostToDevice, 0));
    }
    s->begun = s->sent = 0;
}
#endif
