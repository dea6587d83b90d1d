#!/bin/bash
# The main job on real data: trains the small Fashion-MNIST network and its DLB twin with the same
# seed, validates both, prints both accuracies. `make demo` installs and builds what it needs.
set -eu
cd "$(dirname "$0")/.."
darknet=${DARKNET:-bin/darknet}
data=data/fashion-mnist
seed=${SEED:-1}

say() { printf '%s\n' "$*"; }

# quietly LOG COMMAND...: output into LOG; the progress line stays on the terminal
quietly() {
    local out=$1
    shift
    if [ -t 2 ]; then
        "$@" >"$out"
    else
        "$@" >"$out" 2>&1
    fi || { tail -n 20 "$out"; say "failed: $*; all of its output is in $out"; exit 1; } >&2
}

# train CFG: leaves data/fashion-mnist/backup/CFG.weights and CFG.log.csv
train() {
    local start=$SECONDS
    say "training cfg/$1.cfg, seed $seed ..."
    quietly "$data/backup/$1.train.log" "$darknet" classifier train "$data/fashion-mnist.data" \
        "cfg/$1.cfg" -seed "$seed"
    say "    $((SECONDS - start)) s; losses: $data/backup/$1.log.csv"
}

# validate CFG: prints its last line of `classifier valid`: 9999: top 1: 0.9, top 2: 0.97
validate() {
    quietly "$data/backup/$1.valid.log" "$darknet" classifier valid "$data/fashion-mnist.data" \
        "cfg/$1.cfg" "$data/backup/$1.weights"
    grep 'top 1' "$data/backup/$1.valid.log" | tail -n 1
}

# row NAME LINE: one row of the table
row() {
    awk -F '[:,]' -v name="$1" '{ printf "%-28s %8.2f %8.2f\n", name, 100 * $3, 100 * $5 }' <<<"$2"
}

"$darknet" dlb prepare fashion-mnist "$data"
train fashion-small
train fashion-small-dlb
say 'validating both on 10,000 images ...'
baseline=$(validate fashion-small)
dlb=$(validate fashion-small-dlb)
say ''
printf '%-28s %8s %8s\n' 'Fashion-MNIST, accuracy in %' top-1 top-2
row 'baseline (fashion-small)' "$baseline"
row 'DLB (fashion-small-dlb)' "$dlb"
say ''
say "Both saw the same number of images. One seed ($seed) each: a difference of a few tenths is noise;"
say 'SEED=2 make demo trains with another one.'
