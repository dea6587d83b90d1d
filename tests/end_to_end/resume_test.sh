#!/bin/bash
# Checkpoints: a training that is stopped and resumed ends as an undisturbed one, bit for bit;
# signals, what is refused, what happens where nothing can be written. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set
export OMP_NUM_THREADS=1 # a result may depend on it

# ---- helpers ----

iterations_in() { # LOG
    if [ -f "$1" ]; then awk 'FNR > 1' "$1" | wc -l; else echo 0; fi
}

# Trains anew or, with -resume, on, until the log has LINES iterations; then sends the signal and
# waits for the end.
train_until() { # SIGNAL LINES CFG [ARGUMENT...]
    local signal=$1 lines=$2 cfg=$3 process
    shift 3
    "$DARKNET" classifier train "${data:-x.data}" "$cfg" -threads 2 "$@" >printed 2>said </dev/null &
    process=$!
    while [ "$(iterations_in "backup/${cfg%.cfg}.log.csv")" -lt "$lines" ] &&
        kill -0 $process 2>kills; do
        sleep 0.01
    done
    kill -s "$signal" $process 2>kills
    wait $process
    status=$?
}

train_on() { # CFG [ARGUMENT...]
    local cfg=$1
    shift
    train "${data:-x.data}" "$cfg" -threads 2 "$@"
}

without_times() { # LOG
    cut -d, -f1-7,10- "$1"
}

# The folder of an undisturbed run and that of one that was stopped: the same files, but for the
# time columns of the log.
same_run() { # FOLDER OTHER
    local file
    diff <(ls "$1") <(ls "$2") || return
    for file in "$1"/*; do
        case $file in
        *.state) ;; # says how many bytes the log has, and with it the times
        *.csv) cmp <(without_times "$file") <(without_times "$2/$(basename "$file")") || return ;;
        *) cmp "$file" "$2/$(basename "$file")" || return ;;
        esac
    done
}

went_on() { # whether the last run did, and not from its start or after its end
    local first
    first=$(sed -n 's/.* written after \([0-9]*\) iterations$/\1/p' said)
    [ "${first:-0}" -gt 0 ] && [ "$first" -lt "${1:-300}" ]
}

# A run that ends by itself and one that is stopped twice, the second time soon after it went on.
resumes_exactly() { # NAME CFG [ARGUMENT...]
    local name=$1 cfg=$2
    shift 2
    rm -rf backup whole
    train_on "$cfg" -seed 3 "$@" || { not_ok "$name: trains"; return; }
    mv backup whole
    train_until TERM 40 "$cfg" -seed 3 "$@"
    check "$name: SIGTERM ends with 143" test "$status" = 143
    train_until TERM 60 "$cfg" -resume "$@"
    check "$name: and again" test "$status" = 143
    train_on "$cfg" -resume "$@"
    check "$name: goes on to the end" test "$status" = 0
    check "$name: from where it was" went_on
    check "$name: to the same files" same_run whole backup
}

# ---- to the same result ----

long="max_batches=300"

dlb_cfg $long >x.cfg
resumes_exactly "[dlb_cost]" x.cfg

deep() { # layers with everything that has a state
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky batch_normalize=1
    section convolutional filters=4 size=1 activation=linear bias=0
    section batchnorm
    section activation activation=leaky
    section dropout probability=.3
    section connected output=3 activation=linear
    section softmax groups=1
}
{
    net $long batch=8 subdivisions=2 mixup=0.5 nesterov=1 pad_crop=1 max_crop= min_crop= angle= aspect= |
        grep -v '=$'
    deep
    section dlb_cost
} >x.cfg
resumes_exactly "subdivisions, mixup, nesterov, dropout, batch normalisation" x.cfg -valid_every 2

{
    net $long adam=1 cutmix=1 cutout=3 label_smoothing=0.1 policy=random power=1
    section crop crop_height=6 crop_width=6 flip=1
    deep
    section dlb_cost
} >x.cfg
resumes_exactly "adam, cutmix, cutout, smoothed labels, random rates, [crop]" x.cfg

echo 'no image' >img/5_k2.ppm
baseline_cfg $long >x.cfg
resumes_exactly "the baseline with -skip_bad" x.cfg -skip_bad -save_every 20
check "which names the image in the end" grep -qx 'Left out: img/5_k2.ppm' said
check "once" test "$(grep -c '^Left out: ' said)" = 2 # and once for the validation
make_data_set

finish
