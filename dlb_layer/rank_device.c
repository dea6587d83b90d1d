#include "rank_device.h"

#include "darknet.h"
#include "fail.h"
#include "launcher.h"
#include "own_program.h"
#include "ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef GPU
#include "gpu_status.h"

static const char WITHOUT_CARD[] = "-nogpu is there too";
#else
static const char WITHOUT_CARD[] = "the program is built without GPU=1";
#endif

static struct {
    bool one, list;      /* -i, -gpus */
    char **command_line; /* (arguments), NULL */
    const char *sign;    /* the variable of a launcher that has started this process, or NULL */
} noted;

/* ---- the command line ---- */

static bool is_list_of_numbers(const char *text) {
    static const char DIGITS[] = "0123456789";
    size_t digits = strspn(text, DIGITS);
    while (digits && text[digits] == ',') {
        text += digits + 1;
        digits = strspn(text, DIGITS);
    }
    return digits && !text[digits];
}

/* Below 0: none, as Darknet has it. */
static void note_one_card(const char *text) {
    noted.one = true;
    if (!is_list_of_numbers(text + (*text == '-')) || strchr(text, ','))
        fail("-i %s: the number of a card is needed", text);
}

void note_card_options(int argc, char **argv) {
    free(noted.command_line);
    noted.command_line = allocate((size_t)argc + 1, sizeof *noted.command_line);
    memcpy(noted.command_line, argv, (size_t)argc * sizeof *argv);
    for (int i = 1; i + 1 < argc; i++) {
        if (!strcmp(argv[i], "-i"))
            note_one_card(argv[i + 1]);
        if (strcmp(argv[i], "-gpus") != 0)
            continue;
        noted.list = true;
        if (!is_list_of_numbers(argv[i + 1]))
            fail("-gpus %s: numbers of cards are needed, with commas between, as in 0,1",
                 argv[i + 1]);
    }
}

int takes_card_itself(int argc, char **argv) {
    if (!strcmp(argv[1], "dlb"))
        return 1;
    return argc > 2 && argv[2] && !strcmp(argv[1], "classifier") && !strcmp(argv[2], "train");
}

static _Noreturn void fail_with_one_card(int ranks) {
    fail("-i names one card for %d ranks; -gpus names one for each of them", ranks);
}

void start_rank_of_each_card(int count) {
#if defined GPU && defined DLB_MPIRUN
    if (count <= 1 || gpu_index < 0)
        return;
    if (noted.one)
        fail_with_one_card(count);
    noted.command_line[0] = own_program(); /* its name may be another file's here */
    noted.sign = become_launcher(DLB_MPIRUN, count, noted.command_line);
#else
    (void)count;
#endif
}

/* ---- a rank's card ---- */

static void check_options(int count) {
    int ranks = rank_count();
    if (noted.list && gpu_index < 0)
        fail("-gpus names cards, but %s", WITHOUT_CARD);
    if (ranks == 1 && noted.list && noted.one && gpu_index >= 0)
        fail("-i and -gpus exclude each other: both name cards");
    if (ranks == 1 && count > 1 && noted.sign)
        fail("-gpus names %d cards for one process, which does not start more because a launcher "
             "has started it, as %s=%s says",
             count, noted.sign, getenv(noted.sign));
    if (ranks == 1 && count > 1)
        fail("-gpus names %d cards for one process: mpirun -np %d darknet classifier train ... "
             "starts one for each, with a build of MPI=1; -stock_loader trains on several by "
             "itself, without [dlb_cost]",
             count, count);
    if (ranks > 1 && noted.one && gpu_index >= 0)
        fail_with_one_card(ranks);
    if (ranks > 1 && noted.list && count != ranks)
        fail("-gpus has to name a card for each of %d ranks, maybe one twice, but names %d", ranks,
             count);
}

#ifdef GPU
static int count_cards(void) {
    int cards = 0;
    cudaError_t status = cudaGetDeviceCount(&cards);
    if (status != cudaSuccess)
        fail("there is no card to compute on: CUDA says %s: %s; -nogpu computes on the CPU",
             cudaGetErrorName(status), cudaGetErrorString(status));
    return cards;
}

void need_card(int card) {
    int cards = count_cards();
    if (card >= cards)
        fail("-i names card %d, but there %s %d, counted from 0", card, cards == 1 ? "is" : "are",
             cards);
}

/* By -gpus. */
static int listed_card(const int *gpus) {
    int card = gpus[rank_number()], cards = count_cards();
    if (card >= cards)
        fail("-gpus names card %d, but this rank sees %d, counted from 0", card, cards);
    return card;
}

/* Of `ranks` on this host the one with this number. */
static int card_on_host(int number, int ranks) {
    int cards = count_cards();
    if (ranks > cards)
        fail("there are %d ranks on a host, but each sees %d cards; -gpus names a card for each "
             "rank, and may name one twice",
             ranks, cards);
    return number;
}
#endif

#ifdef GPU
static void say_where(void) {
    int card;
    struct cudaDeviceProp properties;
    if (rank_number() != 0)
        return;
    if (gpu_index < 0) {
        fprintf(stderr, "Training on the CPU\n");
        return;
    }
    check_error(cudaGetDevice(&card));
    check_error(cudaGetDeviceProperties(&properties, card));
    fprintf(stderr, "Training on GPU %d, %s%s\n", card, properties.name,
            rank_count() > 1 ? " (rank 0)" : "");
}
#endif

#ifdef GPU
static void take_one_card(int card) {
    if (card >= 0)
        need_card(card);
    cuda_set_device(card);
}
#endif

void take_card_of_rank(const int *gpus, int count) {
    check_options(count);
#ifdef GPU
    int number, ranks;
    ranks_of_host(&number, &ranks); /* also by ranks that take no card */
    if (gpu_index >= 0 && noted.list)
        cuda_set_device(listed_card(gpus));
    else if (gpu_index >= 0 && rank_count() > 1)
        cuda_set_device(card_on_host(number, ranks));
    else
        take_one_card(gpus[0]);
    say_where();
#else
    (void)gpus;
#endif
}

bool ranks_share_a_card(void) {
    bool share = false;
#ifdef GPU
    int card, ranks = rank_number() == 0 ? rank_count() : 0;
    struct cudaDeviceProp properties;
    cudaUUID_t *cards = allocate((size_t)ranks, sizeof *cards);
    check_error(cudaGetDevice(&card));
    check_error(cudaGetDeviceProperties(&properties, card));
    ranks_gather(&properties.uuid, cards, sizeof *cards);
    for (int i = 0; i < ranks; i++)
        for (int k = 0; k < i; k++)
            share |= !memcmp(&cards[i], &cards[k], sizeof *cards);
    ranks_broadcast(&share, sizeof share);
    free(cards);
#endif
    return share;
}

/* ---- random numbers ---- */

unsigned long long seed_of_rank(unsigned long long seed) {
    enum { ABOVE_ANY_SECONDS = 40 }; /* so that ranks which start a second apart differ, too */
    return seed ^ (unsigned long long)rank_number() << ABOVE_ANY_SECONDS;
}
