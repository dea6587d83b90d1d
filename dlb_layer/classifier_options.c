#include "classifier_options.h"

#include "darknet.h"
#include "fail.h"
#include "number_option.h"
#include "ranks.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_THREADS = 1024 };

static void refuse_unknown_options(int argc, char **argv) {
    for (int i = 3; i < argc; i++)
        if (argv[i] && argv[i][0] == '-' && argv[i][1])
            fail("classifier %s has no option %s, or its value is missing, or it is there twice",
                 argv[2], argv[i]);
}

static int default_threads(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors < MOST_THREADS ? (int)processors : MOST_THREADS;
}

static void parse_threads(classifier_options *o, int argc, char **argv) {
    long threads = take_number(argc, argv, "-threads", 1, MOST_THREADS, 0);
    if (o->stock_loader && threads)
        fail("-stock_loader knows nothing of -threads");
    o->threads = threads ? (int)threads : default_threads();
}

static void parse_train_and_valid(classifier_options *o, int argc, char **argv) {
    o->stock_loader = find_arg(argc, argv, "-stock_loader");
    o->skip_bad = find_arg(argc, argv, "-skip_bad");
    if (o->stock_loader && o->skip_bad)
        fail("-stock_loader knows nothing of -skip_bad");
}

/* -on_nan=skip and -on_nan skip alike. */
static bool takes_skip_on_nan(int argc, char **argv) {
    bool skip = find_arg(argc, argv, "-on_nan=skip"), stop = find_arg(argc, argv, "-on_nan=stop");
    char *value = find_char_arg(argc, argv, "-on_nan", skip ? "skip" : "stop");
    if ((strcmp(value, "skip") && strcmp(value, "stop")) || (skip && stop))
        fail("-on_nan %s: either skip or stop", value);
    return !strcmp(value, "skip");
}

/* `N` iterations or `Nm` minutes. */
static checkpoint_interval parse_interval(const char *text) {
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    bool minutes = end != text && !strcmp(end, "m");
    if (end == text || (*end && !minutes) || errno || number < 0 || number > INT_MAX)
        fail("-checkpoint_every %s: a number of iterations is needed, or one of minutes such as "
             "10m; 0: never",
             text);
    checkpoint_interval every = {0};
    if (minutes)
        every.minutes = (double)number;
    else
        every.iterations = (uint64_t)number;
    return every;
}

static resume_kind parse_resume(int argc, char **argv) {
    bool exactly = find_arg(argc, argv, "-resume");
    bool weights = find_arg(argc, argv, "-resume=weights");
    if (exactly && weights)
        fail("-resume and -resume=weights exclude each other");
    return weights ? RESUME_FROM_WEIGHTS : exactly ? RESUME : START_ANEW;
}

static void parse_checkpoints(classifier_options *o, int argc, char **argv) {
    char *every = find_char_arg(argc, argv, "-checkpoint_every", NULL);
    o->resume = parse_resume(argc, argv);
    o->checkpoint_every = parse_interval(every ? every : "10m");
    if (o->stock_loader && (every || o->resume))
        fail("-stock_loader knows nothing of -checkpoint_every and -resume");
}

static void parse_train(classifier_options *o, int argc, char **argv) {
    enum { NOT_GIVEN = -1 };
    o->check = find_arg(argc, argv, "-check");
    o->drops_not_finite = takes_skip_on_nan(argc, argv);
    parse_checkpoints(o, argc, argv);
    o->backup = find_char_arg(argc, argv, "-backup", NULL);
    long seed = take_number(argc, argv, "-seed", 0, UINT_MAX, NOT_GIVEN);
    long valid_every = take_number(argc, argv, "-valid_every", 0, INT_MAX, NOT_GIVEN);
    long patience = take_number(argc, argv, "-patience", 1, INT_MAX, NOT_GIVEN);
    long save_every = take_number(argc, argv, "-save_every", 0, INT_MAX, NOT_GIVEN);
    long timeout = take_number(argc, argv, "-rank_timeout", 1, INT_MAX, NOT_GIVEN);
    if (o->stock_loader && (seed != NOT_GIVEN || valid_every != NOT_GIVEN ||
                            patience != NOT_GIVEN || save_every != NOT_GIVEN || o->check ||
                            o->backup || o->drops_not_finite || timeout != NOT_GIVEN))
        fail("-stock_loader knows nothing of -seed, -valid_every, -patience, -save_every, "
             "-check, -backup, -on_nan and -rank_timeout");
    if (valid_every == 0 && patience != NOT_GIVEN)
        fail("-patience %ld counts validations, but -valid_every 0 leaves them out", patience);
    o->rank_timeout = timeout == NOT_GIVEN ? RANK_TIMEOUT_SECONDS : (int)timeout;
    o->has_seed = seed != NOT_GIVEN;
    o->seed = (unsigned)seed;
    o->has_valid_every = valid_every != NOT_GIVEN;
    o->valid_every = valid_every == NOT_GIVEN ? 1 : (int)valid_every;
    o->patience = patience == NOT_GIVEN ? 0 : (int)patience;
    o->save_every = save_every == NOT_GIVEN ? 1 : (int)save_every;
}

classifier_options parse_classifier_options(int argc, char **argv) {
    classifier_options o = {0};
    bool trains = !strcmp(argv[2], "train"), validates = !strcmp(argv[2], "valid"),
         predicts = !strcmp(argv[2], "predict");
    if (!trains && !validates && !predicts)
        return o;
    if (trains || validates)
        parse_train_and_valid(&o, argc, argv);
    if (trains)
        parse_train(&o, argc, argv);
    if (predicts)
        o.list = find_char_arg(argc, argv, "-list", NULL);
    parse_threads(&o, argc, argv);
    refuse_unknown_options(argc, argv);
    return o;
}
