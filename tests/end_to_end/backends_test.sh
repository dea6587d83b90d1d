#!/bin/bash
# One training on oneDNN's code and on the host's own (ONEDNN=0), from one seed: the same losses in
# every iteration and the same end weights, up to rounding. The images are PPM, which both builds
# read alike. Prints TAP. DARKNET names the binary with oneDNN (default: bin/darknet), BARE_DARKNET
# the one without, COMPARE_WEIGHTS the program of that name; without them the test is skipped.

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"

# Over 20 seeds the backends differed in eight iterations by at most 4.2e-5 in a loss (relative) and
# 1.1e-5 in a weight. The first iteration's losses agree to 2e-7; from then on a ReLU or a maximum
# whose inputs are equal to rounding goes the other way now and then, and the difference grows. With
# ten times this learning rate it grew to 3e-3, which would hide a mistake. A rate that is larger by
# a tenth, at the end, is what must be seen.
rate=0.001
larger_rate=0.0011
losses_differ_by=2e-4
weights_differ_by=1e-4 # as compare_weights has it

# ---- helpers ----

# The classes differ in their pixels, so that there is something to learn.
make_images() {
    local i
    mkdir -p img
    for i in $(seq 40); do
        ppm "img/${i}_k$((i % 4)).ppm" $((i % 4 * 9 + i)) 18 18
    done
    printf '%s\n' img/*.ppm >train.list
    printf '%s\n' k0 k1 k2 k3 >labels
    data_file classes=4 >x.data
}

conv() { # FILTERS SIZE STRIDE PADDING ACTIVATION [LINE...]
    section convolutional filters="$1" size="$2" stride="$3" padding="$4" activation="$5" "${@:6}"
}

# What oneDNN computes, in each of its kinds: wide 3x3 (Winograd's algorithm where the processor has
# it), a stride, 1x1, with and without normalization, both shortcuts, both poolings.
cfg() { # RATE
    net batch=16 subdivisions=2 width=16 height=16 min_crop=16 max_crop=20 max_batches=8 \
        learning_rate="$1"
    conv 64 3 1 1 relu batch_normalize=1
    conv 64 3 1 1 relu batch_normalize=1
    conv 64 3 1 1 linear batch_normalize=1
    section shortcut from=-3 activation=relu
    conv 96 3 2 1 leaky batch_normalize=1
    conv 96 3 1 1 linear batch_normalize=1
    section shortcut from=-3 activation=leaky
    conv 64 1 1 0 leaky
    section maxpool size=2 stride=2
    conv 32 3 1 1 leaky
    section avgpool
    section connected output=4 activation=linear
    section softmax groups=1
    section dlb_cost alpha=1 temperature=3
}

train_as() { # NAME BINARY [RATE]: what it leaves is in the folder NAME
    local name=$1 binary=$2
    cfg "${3:-$rate}" >small.cfg
    rm -rf backup "$name"
    DARKNET=$binary train x.data small.cfg -seed "${seed:-5}" -threads 2
    mkdir -p backup
    mv backup "$name"
    cp said "$name"
    [ "$status" = 0 ]
}

# Line by line; all but the times, of which no two runs have the same.
same_losses() { # LOG OTHER RELATIVE
    paste -d, "$1" "$2" | awk -F, -v relative="$3" '
        function compare(name, got, want,    off) {
            if ((got == "") != (want == "")) {
                print "line " FNR ", " name ": \"" got "\" and \"" want "\""
                bad = 1
                return
            }
            off = (got > want ? got - want : want - got) / (want > 1e-3 ? want : 1e-3)
            if (!(off <= relative)) { print "line " FNR ", " name ": " got " and " want; bad = 1 }
            if (off > worst) worst = off
        }
        NF != 24 { print "line " FNR ": " NF " columns"; bad = 1; next }
        FNR == 1 { next }
        $1 "," $2 "," $3 != $13 "," $14 "," $15 { print "line " FNR ": " $0; bad = 1 }
        { compare("ce", $5, $17); compare("lb", $6, $18); compare("total", $7, $19) }
        END {
            if (FNR != 9) { print FNR " lines, expected 9"; bad = 1 }
            printf "worst relative difference %.3g\n", worst
            exit bad
        }'
}

differ() { # COMMAND...: it finds a difference, which is status 1
    "$@"
    [ $? -eq 1 ]
}

# ---- the two ----

if [ ! -x "${BARE_DARKNET:-}" ] || [ ! -x "${COMPARE_WEIGHTS:-}" ]; then
    skip "both backends train alike" "BARE_DARKNET or COMPARE_WEIGHTS names no program"
    finish
    exit
fi
make_images
if train_as ours "$DARKNET" && ! grep -q '^oneDNN .* runs ' ours/said; then
    skip "both backends train alike" "$DARKNET runs on the host's own code"
    finish
    exit
fi

for seed in 5 6; do
    check "seed $seed: trains on oneDNN's code" train_as ours "$DARKNET"
    check "seed $seed: trains on the host's" train_as host "$BARE_DARKNET"
    check "seed $seed: which says nothing of oneDNN" differ grep -q oneDNN host/said
    check "seed $seed: the losses are the same" \
        same_losses ours/small.log.csv host/small.log.csv $losses_differ_by
    check "seed $seed: the end weights are the same" \
        "$COMPARE_WEIGHTS" ours/small.weights host/small.weights $weights_differ_by
done

# the test can fail
check "trains with a larger rate" train_as faster "$BARE_DARKNET" $larger_rate
check "which the losses show" \
    differ same_losses faster/small.log.csv host/small.log.csv $losses_differ_by
check "and the end weights" \
    differ "$COMPARE_WEIGHTS" faster/small.weights host/small.weights $weights_differ_by

finish
