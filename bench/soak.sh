#!/bin/bash
# A long training of a small network, with validation and checkpoints: its resident memory and its
# open files, from a tenth of the way on. Fails where memory grows by more than a page in a hundred
# iterations, or where a descriptor is left open.
#
# ITERATIONS says how many (default: 20000). DARKNET names the binary (default: bin/darknet).
: "${ITERATIONS:=20000}"
# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/../tests/end_to_end/tap.sh"
make_data_set
{
    net max_batches="$ITERATIONS" batch=8 subdivisions=2 mixup=0.5
    section convolutional filters=8 size=3 stride=2 pad=1 activation=leaky batch_normalize=1
    section dropout probability=.3
    section connected output=3 activation=linear
    section softmax groups=1
    section dlb_cost
} >soak.cfg

"$DARKNET" classifier train x.data soak.cfg -seed 1 -valid_every 20 -save_every 0 -checkpoint_every 50 \
    >printed 2>said </dev/null &
process=$!
while kill -0 $process 2>polled; do
    iteration=$(tail -n 1 backup/soak.log.csv 2>polled | cut -d, -f1)
    memory=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$process/status 2>polled)
    files=$(find "/proc/$process/fd" -mindepth 1 2>polled | wc -l)
    case $iteration in
    '' | *[!0-9]*) ;;
    *) [ -z "$memory" ] || echo "$iteration $memory $files" ;;
    esac
    sleep 0.1
done >samples
wait $process || { echo "the training failed:"; tail -n 3 said; exit 1; }

# Least squares over all samples after the warm-up; the last sample may see the process end.
head -n -1 samples | awk -v iterations="$ITERATIONS" '
    $1 < iterations / 10 { next }
    {
        n++; x += $1; y += $2; xx += $1 * $1; xy += $1 * $2
        if (n == 1) { least = most = $2; first_files = $3 }
        if ($2 < least) least = $2
        if ($2 > most) most = $2
        last_files = $3
        if (n == 1 || $3 < fewest) fewest = $3
    }
    END {
        if (n < 10) { print "too few samples: " n; exit 1 }
        slope = (n * xy - x * y) / (n * xx - x * x)
        printf "%d iterations, %d samples after the first %d\n", iterations, n, iterations / 10
        printf "resident memory %d to %d KiB, %.4f KiB an iteration\n", least, most, slope
        printf "open files %d at first, %d at last, %d at least\n", first_files, last_files, fewest
        exit !(slope < 0.04 && last_files <= first_files + 1)
    }'
