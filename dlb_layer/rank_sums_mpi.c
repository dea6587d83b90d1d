#include "ranks.h"

#include "fail.h"
#include "pairwise_sum.h"
#include "ranks_mpi.h"

#include <stdlib.h>

/* Of a sum of two steps: each rank gets all ranks' terms of its own part, and adds them up; then
 * all get all parts. */
typedef struct {
    size_t number;    /* of these sums, in the order in which they begin */
    float *values;    /* the caller's */
    float *terms;     /* (ranks, floats of the own part) */
    int *own, *owns;  /* (ranks) floats of the own part, and where they go in `terms` */
    int *parts, *ats; /* (ranks) floats of each part, and where it is in `values` */
    bool gathers;     /* the second step has begun */
} parted_sum;

struct rank_sum {
    MPI_Request request;
    bool done;
    parted_sum *parted; /* NULL: one step */
};

static struct {
    MPI_Comm large;   /* so that sums in the background do not mix with what is said meanwhile */
    MPI_Comm gathers; /* of the second steps, which begin in the order of the sums, whatever
                         the order in which the first ones end here */
    size_t sums, gathered_sums; /* how many parted sums, and second steps, have begun */
} channels;

void open_sum_channels(void) {
    channels.large = open_rank_channel();
    channels.gathers = open_rank_channel();
}

static parted_sum *part_sum(float *values, size_t count) {
    parted_sum *p = allocate(1, sizeof *p);
    int all = rank_count(), most = (int)((count + (size_t)all - 1) / (size_t)all),
        left = (int)count;
    p->number = channels.sums++;
    p->values = values;
    p->own = allocate(4 * (size_t)all, sizeof *p->own);
    p->owns = p->own + all;
    p->parts = p->owns + all;
    p->ats = p->parts + all;
    for (int rank = 0; rank < all; rank++) {
        p->parts[rank] = left < most ? left : most;
        p->ats[rank] = (int)count - left;
        left -= p->parts[rank];
    }
    for (int rank = 0; rank < all; rank++) {
        p->own[rank] = p->parts[rank_number()];
        p->owns[rank] = rank * p->own[rank];
    }
    p->terms = allocate((size_t)all * (size_t)p->own[0] + 1, sizeof *p->terms);
    return p;
}

static void free_parts(parted_sum *p) {
    if (!p)
        return;
    free(p->terms);
    free(p->own);
    free(p);
}

static void begin_second_step(rank_sum *sum) {
    parted_sum *p = sum->parted;
    int own = p->own[0];
    add_pairwise(p->terms, rank_count(), (size_t)own);
    check_mpi(MPI_Iallgatherv(p->terms, own, MPI_FLOAT, p->values, p->parts, p->ats, MPI_FLOAT,
                              channels.gathers, &sum->request),
              "gradients");
    p->gathers = true;
    channels.gathered_sums++;
}

rank_sum *rank_sum_start(float *values, size_t count, bool pairwise) {
    rank_sum *sum = allocate(1, sizeof *sum);
    parted_sum *p = pairwise ? part_sum(values, count) : NULL;
    sum->parted = p;
    if (p)
        check_mpi(MPI_Ialltoallv(values, p->parts, p->ats, MPI_FLOAT, p->terms, p->own, p->owns,
                                 MPI_FLOAT, channels.large, &sum->request),
                  "gradients");
    else
        check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, MPI_FLOAT, MPI_SUM,
                                 channels.large, &sum->request),
                  "gradients");
    return sum;
}

static bool has_second_step(const rank_sum *sum) {
    return sum->parted && !sum->parted->gathers;
}

bool rank_sum_test(rank_sum *sum) {
    int done = sum->done;
    if (has_second_step(sum) && sum->parted->number > channels.gathered_sums)
        return false; /* its second step has to wait for that of another sum */
    if (!done)
        check_mpi(MPI_Test(&sum->request, &done, MPI_STATUS_IGNORE), "gradients");
    if (done && has_second_step(sum)) {
        begin_second_step(sum);
        done = false;
    }
    sum->done = done;
    return done;
}

typedef struct {
    rank_sum **sums;
    int count, done; /* the first `done` are */
} awaited_sums;

/* All of them go on: the second step of one may be what another rank waits for. */
static bool are_done(void *context) {
    awaited_sums *awaited = context;
    for (int i = awaited->done; i < awaited->count; i++)
        rank_sum_test(awaited->sums[i]);
    while (awaited->done < awaited->count && awaited->sums[awaited->done]->done)
        awaited->done++;
    return awaited->done == awaited->count;
}

void rank_sums_wait(rank_sum **sums, int count) {
    awaited_sums awaited = {.sums = sums, .count = count};
    rank_wait_until(are_done, &awaited, "gradients");
    for (int i = 0; i < count; i++) {
        free_parts(sums[i]->parted);
        free(sums[i]);
    }
}
