#!/bin/bash
# What goes wrong in the midst of a run, or lies wrong on the disk: numbers that are not finite,
# damaged weights, absurd images, long and odd names, long lists, sizes beyond memory. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set

# ---- helpers ----

fails_with() { # SENTENCE COMMAND...: status 1 and the sentence as the last line; "..." for anything
    local pattern last
    pattern=$(sed 's/[][\\*?]/\\&/g; s/\.\.\./*/g' <<<"$1")
    echo "expected status 1 and: $1"
    shift
    "$@"
    last=$(tail -n 1 said)
    # shellcheck disable=SC2053  # a pattern
    [ "$status" = 1 ] && [[ ${last#darknet: } == $pattern* ]]
}

contents() { # FOLDER: names, times and bytes of all files in it
    find "$1" -type f -printf '%p %s %T@\n' | sort
    find "$1" -type f -exec cksum {} + | sort
}

column() { # NUMBER: of the log
    cut -d, -f"$1" backup/x.log.csv | tail -n +2
}

# ---- numbers that are not finite ----

# Eight black images, and a white one whose sums overflow in a layer with weights of 1e37.
small_image() { # FILE OCTAL
    {
        printf 'P6\n32 32\n255\n'
        head -c 3072 /dev/zero | tr '\0' "\\$2"
    } >"$1"
}
mkdir -p dark
for i in 1 2 3 4 5 6 7; do small_image dark/${i}_k$((i % 3)).ppm 000; done
small_image dark/8_k2.ppm 377
printf '%s\n' dark/*.ppm >dark.list
data_file train=dark.list valid=dark.list >dark.data

overflowing_cfg() { # [SECTION LINE...]
    net width=32 height=32 min_crop=32 max_crop=32 angle=0 aspect=1 hue=0 saturation=1 exposure=1 \
        learning_rate=0.001 max_batches=12
    section connected output=3 activation=linear init_std=1e37
    section softmax groups=1
    [ $# -eq 0 ] || section "$@"
}

says_where() { # CFG: of the training before
    fails_with "$1: iteration ..., learning rate 0.001: the output of layer 0, a [connected], has a \
value that is ...; the training stops, and weights that were saved stay as they are" \
        train dark.data "$1" -seed 1 -save_every 1
}

stops_and_keeps_checkpoints() {
    rm -rf backup
    baseline_cfg max_batches=3 >x.cfg
    train x.data x.cfg -seed 1 || return
    contents backup | grep -v log.csv >before
    baseline_cfg max_batches=9 decay=1e38 >x.cfg
    fails_with "x.cfg: iteration 4, learning rate 0.05: the weights of layer 0, a [convolutional], \
has a value that is ...; the training stops" train x.data x.cfg backup/x.weights -seed 1 &&
        contents backup | grep -v log.csv | diff before - &&
        [ ! -e backup/x.weights.new ]
}

check "an update that makes weights infinite stops the run, and nothing is overwritten" \
    stops_and_keeps_checkpoints
overflowing_cfg >x.cfg
check "a loss that is not finite stops the run with iteration, rate and layer" says_where x.cfg
check "and no weights are written" test ! -e backup/x.weights.new -a ! -e backup/x_2.weights

rm -rf backup
check "-on_nan=skip goes on" train dark.data x.cfg -seed 1 -on_nan=skip
dropped=$(grep -c '^Dropped the update of iteration [0-9]*, learning rate 0.001: ' said)
check "each dropped update is said" test "$dropped" -gt 0 -a "$dropped" -lt 12
check "and how many they were" grep -qxF \
    "$dropped of 12 updates were dropped because they were not finite" said
check "all iterations are in the log" test "$(column 1 | wc -l)" = 12
check "the smoothed loss has nothing of them" test \
    "$(grep -c ' avg,' printed)" = 12 -a "$(grep -cE '(nan|inf) avg' printed)" = 0
check "-on_nan skip is the same" train dark.data x.cfg -seed 1 -on_nan skip
check "-on_nan with anything else is refused" fails_with "-on_nan go: either skip or stop" \
    train dark.data x.cfg -on_nan go
check "-on_nan=skip with -stock_loader is refused" fails_with "-stock_loader knows nothing of " \
    train dark.data x.cfg -on_nan=skip -stock_loader

# An iteration after a dropped one has no LB, and all the others but the first have.
lb_follows_drops() {
    awk -F, 'NR > 2 && ($5 ~ /nan|inf/ && !bad) { bad = 1; next }
        NR > 2 && !bad && $6 == "" || NR > 2 && bad && $6 != "" { exit 1 }
        NR > 2 { bad = ($5 ~ /nan|inf/) }' backup/x.log.csv
}
rm -rf backup
overflowing_cfg dlb_cost >x.cfg
check "-on_nan=skip with [dlb_cost]" train dark.data x.cfg -seed 1 -on_nan=skip
check "the iteration after a dropped one has no LB, others have" lb_follows_drops
check "and some were dropped" grep -q '^[1-9][0-9]* of 12 updates were dropped' said

finish
