#!/bin/bash
# Trains what docs/results.md reports: on parts of Fashion-MNIST, with and without wrong labels,
# baseline, control and DLB in both protocols, and DLB with other weights and temperatures.
#
#     bench/claims.sh [CELL...]      default: all cells; CELL is a name of the table below
#
# JOBS runs at a time (default: a core each), each on one thread. Goes on where it was stopped.
# Leaves runs/claims/CELL (equal-images), CELL-2n (equal-updates-2n) and, for the cell that has them,
# CELL-variants, each with report.md and results.csv.
set -eu
cd "$(dirname "$0")/.."
darknet=${DARKNET:-bin/darknet}
jobs=${JOBS:-$(nproc)}
runs=runs/claims
export OMP_NUM_THREADS=1

# cell, network, training images, share of wrong labels, epochs from one validation to the next, seeds
cells='
small-noise40        small          1000  0.4  16  5
small-clean          small          1000  0    16  5
resnet20-noise40     resnet20       1000  0.4  15  5
resnet20short-clean  resnet20short  1000  0    16  5
small-noise60        small          1000  0.6  16  3
small-300-noise40    small           300  0.4  54  3
small-5000-noise40   small          5000  0.4   3  3'
variant_seeds=3

data_of() { # IMAGES NOISE: prepares, prints the data file
    local folder=data/claims/$1-noise$2
    "$darknet" dlb prepare fashion-mnist "$folder" -subset "$1" -noise "$2" >&2
    echo "$folder/fashion-mnist.data"
}

plan() { # ARGUMENT...: of dlb compare
    "$darknet" dlb compare "$@" -threads 1 -plan
}

# Runs of the same cfg, data, seed and options are trained once, whichever comparison they are in.
share() { # FROM TO
    mkdir -p "$2"
    cp -rn "$1/." "$2/"
}

train() { # FOLDER ARGUMENT...: what is missing there; then its report
    local folder=$1
    shift
    plan "$@" -out "$folder" | xargs -r -d '\n' -P "$jobs" -n 1 sh -c
    "$darknet" dlb report "$folder"
}

both_protocols() { # CELL DATA NETWORK EVERY SEEDS
    local pair=("$2" "bench/claims/$3.cfg" "bench/claims/$3-dlb.cfg" -valid_every "$4" -seeds "$5")
    train "$runs/$1" "${pair[@]}"
    plan "${pair[@]}" -protocol equal-updates-2n -out "$runs/$1-2n" >/dev/null
    share "$runs/$1/$3-dlb" "$runs/$1-2n/$3-dlb"
    share "$runs/$1/$3-dlb-control" "$runs/$1-2n/$3-dlb-control"
    train "$runs/$1-2n" "${pair[@]}" -protocol equal-updates-2n
}

# The control comes first, so that each difference of the report is what distillation adds.
variants() { # CELL DATA EVERY
    local folder=$runs/$1-variants
    local arms=("$2" bench/claims/small-dlb-control.cfg bench/claims/small-dlb.cfg
        bench/claims/small-dlb-{alpha,t}*.cfg -no_control -valid_every "$3" -seeds "$variant_seeds")
    plan "${arms[@]}" -out "$folder" >/dev/null
    share "$runs/$1/small-dlb" "$folder/small-dlb"
    share "$runs/$1/small-dlb-control" "$folder/small-dlb-control"
    train "$folder" "${arms[@]}"
}

while read -r cell network images noise every seeds; do
    [ -n "$cell" ] || continue
    [ $# -eq 0 ] || [[ " $* " == *" $cell "* ]] || continue
    data=$(data_of "$images" "$noise")
    both_protocols "$cell" "$data" "$network" "$every" "$seeds" </dev/null
    [ "$cell" != small-noise40 ] || variants "$cell" "$data" "$every" </dev/null
done <<<"$cells"
