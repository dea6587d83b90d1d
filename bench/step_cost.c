/* What a training step with [dlb_cost] costs: the same network without the section, with alpha=0
 * and with alpha=1, each in the same process, steps taken in turn so that a busy machine slows all
 * three alike.
 *
 *     step_cost [CFG [ROUNDS]]      default: cfg/resnet20.cfg 15
 *
 * Prints the median time of a step and the median and quartiles of the rounds' ratios. */
#include "cpu_backend.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "timed_steps.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARMS = 3 };
static const char *const ARM_NAMES[ARMS] = {"without [dlb_cost]", "alpha=0", "alpha=1"};
static const char *const SECTIONS[ARMS] = {"", "\n[dlb_cost]\nalpha=0\n",
                                           "\n[dlb_cost]\nalpha=1\n"};

static void print_ratio(int arm, int base, double *const seconds[], int rounds) {
    double *ratios = allocate((size_t)rounds, sizeof *ratios);
    for (int i = 0; i < rounds; i++)
        ratios[i] = seconds[arm][i] / seconds[base][i];
    printf("%-18s : %-18s  %.4f   (quartiles %.4f to %.4f)\n", ARM_NAMES[arm], ARM_NAMES[base],
           quantile(ratios, rounds, .5), quantile(ratios, rounds, .25),
           quantile(ratios, rounds, .75));
    free(ratios);
}

int main(int argc, char **argv) {
    wait_without_spinning(argv); /* as in `classifier train` */
    const char *cfg_file = argc > 1 ? argv[1] : "cfg/resnet20.cfg";
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    if (rounds < 1)
        fail("usage: step_cost [CFG [ROUNDS]]");
    network *nets[ARMS];
    double *seconds[ARMS];
    int64_t next_id[ARMS] = {0};
    for (int arm = 0; arm < ARMS; arm++) {
        nets[arm] = load_network_with(cfg_file, SECTIONS[arm]);
        seconds[arm] = allocate((size_t)rounds, sizeof **seconds);
        train_one_step(nets[arm], &next_id[arm]); /* warms up, and gives the ring its teachers */
    }
    for (int i = 0; i < rounds; i++)
        for (int turn = 0; turn < ARMS; turn++) {
            int arm = (i + turn) % ARMS;
            seconds[arm][i] = train_one_step(nets[arm], &next_id[arm]);
        }
    layer *dlb = find_dlb_cost_layer(nets[2]);
    int expected = rounds * nets[2]->subdivisions * (nets[2]->batch / 2);
    if (take_dlb_cost_sums(dlb).teachers != expected)
        fail("the rows did not find their teachers; the figures would mean nothing");
    printf("%s, batch %d, %d rounds\n", cfg_file, nets[0]->batch * nets[0]->subdivisions, rounds);
    print_ratio(2, 1, seconds, rounds);
    print_ratio(2, 0, seconds, rounds);
    print_ratio(1, 0, seconds, rounds);
    for (int arm = 0; arm < ARMS; arm++) {
        printf("%-18s  %.4f s a step\n", ARM_NAMES[arm], quantile(seconds[arm], rounds, .5));
    }
    double own = dlb_cost_seconds(nets[2]), whole = quantile(seconds[2], rounds, .5);
    printf("the layer's own two passes: %.6f s a step, %.4f %% of it\n", own, 100 * own / whole);
    return 0;
}
