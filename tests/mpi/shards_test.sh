#!/bin/bash
# With shards= any number of ranks ends in the same weights, log and state, bit for bit; and a
# training may change the number of ranks on its way. Prints TAP.

# shellcheck source=tests/mpi/ranks.sh
. "$(dirname "$0")/ranks.sh"
make_images 36
printf '%s\n' img/1?_*.ppm img/2_*.ppm >valid.list
data_file valid=valid.list >x.data

same_columns() { # LOG OTHER: all but the seconds
    cmp <(cut -d, -f1-7,10- "$1") <(cut -d, -f1-7,10- "$2")
}

# Momentum, random numbers and ring are in the state.
same_results() { # FOLDER OTHER
    cmp "$1/x.weights" "$2/x.weights" && cmp "$1/x_best.weights" "$2/x_best.weights" &&
        cmp "$1/x.state" "$2/x.state" && same_columns "$1/x.log.csv" "$2/x.log.csv"
}

# Trains x.cfg with $data on one rank, then on each number of ranks in RANKS.
data=x.data
same_bits() { # NAME RANKS [ARGUMENT...]
    local name=$1 numbers=$2 ranks
    shift 2
    rm -rf backup one
    if ! train $data x.cfg -seed 3 -threads 1 -save_every 0 "$@"; then
        not_ok "$name: trains on one rank"
        return
    fi
    mv backup one
    for ranks in $numbers; do
        rm -rf backup
        if ! job_trains "$ranks" $data x.cfg -seed 3 -threads 1 -save_every 0 "$@"; then
            not_ok "$name: trains on $ranks ranks"
            continue
        fi
        check "$name: $ranks ranks, the same bits" same_results backup one
    done
}

{
    net max_batches=40 batch=64 subdivisions=2 shards=8 nesterov=1 mixup=.5 learning_rate=.01
    conv batch_normalize=1
    section dropout probability=.3
    section connected output=5 activation=leaky
    head_of dlb
} >x.cfg
same_bits "everything at once" "2 4 8"

{ net max_batches=40 batch=32 shards=4 learning_rate=.05; conv batch_normalize=1; head_of; } >x.cfg
same_bits "the baseline" "2 4"
check "says who computes what" grep -qx \
    'A micro-batch of 32 rows in 4 shards of 8, 1 on each of 4 ranks; batch normalisation goes by the rows of each shard' said

{
    no_crop max_batches=40 batch=32 shards=2 adam=1 cutmix=1 pad_crop=1 cutout=2 learning_rate=.001
    section crop crop_height=6 crop_width=6 flip=1
    conv stopbackward=1
    section connected output=5 batch_normalize=1 activation=leaky
    head_of dlb
} >x.cfg
same_bits "cutmix, [crop], layers that are not trained" "2"

# Several messages, one of them from where the gradients are; more threads than mpirun gives
# processors to a rank.
{
    net max_batches=6 batch=32 shards=4 decay_all=1
    section connected output=4300 activation=leaky
    section connected output=64 activation=leaky
    head_of dlb
} >x.cfg
OMP_NUM_THREADS=2
same_bits "large layers, two threads" "2 4"
OMP_NUM_THREADS=1

# One white image among black ones, whose sums overflow in a layer with weights of 1e37.
small_image() { # FILE OCTAL
    {
        printf 'P6\n32 32\n255\n'
        head -c 3072 /dev/zero | tr '\0' "\\$2"
    } >"$1"
}
mkdir -p dark
for i in $(seq 15); do small_image "dark/${i}_k$((i % 3)).ppm" 000; done
small_image dark/16_k2.ppm 377
printf '%s\n' dark/*.ppm >dark.list
data_file train=dark.list valid=dark.list >dark.data
{
    net width=32 height=32 min_crop=32 max_crop=32 angle=0 aspect=1 hue=0 saturation=1 exposure=1 \
        learning_rate=.001 max_batches=12 batch=8 shards=4
    section connected output=3 activation=linear init_std=1e37
    section softmax groups=1
    section dlb_cost
} >x.cfg
data=dark.data
same_bits "updates that are dropped" "2 4" -on_nan=skip
check "of which there are some" grep -q 'of 12 updates were dropped' said
data=x.data

# ---- shards are parts of the same sum ----

for shards in 1 4; do
    rm -rf backup
    { net max_batches=12 batch=32 subdivisions=2 shards=$shards mixup=.5; conv; head_of dlb; } >x.cfg
    train x.data x.cfg -seed 3 -threads 1 -save_every 0
    mv backup shards_$shards
done
check "without batch normalisation 4 shards end where 1 does" \
    "$COMPARE_WEIGHTS" shards_4/x.weights shards_1/x.weights 1e-5
check "with the same log" same_losses shards_4/x.log.csv shards_1/x.log.csv
check "but other bits" test "$(cmp shards_4/x.weights shards_1/x.weights | wc -l)" = 1

# As ranks without shards=, whose statistics are those of their own rows.
normalised_cfg() { # [KEY=VALUE]
    net max_batches=12 batch=32 subdivisions=2 "$@"
    conv batch_normalize=1
    head_of dlb
}
rm -rf backup
normalised_cfg >y.cfg
job_trains 4 x.data y.cfg -seed 3 -threads 1 -save_every 0
mv backup four_ranks
normalised_cfg shards=4 >y.cfg
train x.data y.cfg -seed 3 -threads 1 -save_every 0
check "with it they end where as many ranks do" \
    "$COMPARE_WEIGHTS" backup/y.weights four_ranks/y.weights 1e-5

# ---- a training that changes the number of ranks ----

{
    net max_batches=400 batch=64 subdivisions=2 shards=4 nesterov=1 mixup=.5 learning_rate=.01
    conv batch_normalize=1
    section dropout probability=.3
    head_of dlb
} >x.cfg
rm -rf backup whole
train x.data x.cfg -seed 3 -threads 1 -save_every 0
mv backup whole

log_lines() {
    { wc -l <backup/x.log.csv; } 2>kills || echo 0
}

# Ends it by SIGTERM some iterations later than the log is.
leave_off_in_the_midst() { # COMMAND...
    local until=$(($(log_lines) + 8)) job
    "$@" >printed 2>said </dev/null &
    job=$!
    while [ "$(log_lines)" -le "$until" ] && kill -0 $job 2>kills; do sleep 0.01; done
    kill -s TERM $job 2>kills
    wait $job
}
leave_off_in_the_midst "$MPIRUN" -np 4 "$DARKNET" classifier train x.data x.cfg -seed 3 -threads 1 -save_every 0
leave_off_in_the_midst "$DARKNET" classifier train x.data x.cfg -threads 1 -save_every 0 -resume
check "goes on on one rank after four" grep -qE 'written after [1-9][0-9]* iterations' said
job_trains 2 x.data x.cfg -threads 1 -save_every 0 -resume
check "and on two after one" grep -qE 'written after [1-9][0-9]* iterations' said
check "without a word that the result can differ" test "$(grep -c 'number of ranks' said)" = 0
check "to the weights, bit for bit" cmp backup/x.weights whole/x.weights
check "and the log" same_columns backup/x.log.csv whole/x.log.csv

# ---- refusals ----

refuses() { # RANKS SENTENCE LINE...
    local ranks=$1 sentence=$2
    shift 2
    { net batch=32 max_batches=2 "$@"; conv; head_of dlb; } >z.cfg
    if [ "$ranks" = 1 ]; then
        train x.data z.cfg -seed 3
    else
        job_trains "$ranks" x.data z.cfg -seed 3
    fi
    check "$* on $ranks ranks ends with a status that is not 0" test "$status" != 0
    check "says: $sentence" grep -qF "z.cfg: $sentence" said
}
refuses 3 '[net] shards=4 cannot be shared out over 3 ranks, because 3 does not divide 4' shards=4
refuses 2 '[net] shards=1 cannot be shared out over 2 ranks' shards=1
refuses 1 '[net] shards=3 is not a power of 2 from 1 to 4096' shards=3
refuses 1 '[net] sync_bn=1 and shards=2 exclude each other' shards=2 sync_bn=1
refuses 1 'batch=32 with subdivisions=1 cannot be shared out over 32 shards' shards=32

{
    net max_batches=2 batch=32 shards=32
    section connected output=5 batch_normalize=1 activation=leaky
    head_of
} >z.cfg
train x.data z.cfg -seed 3 -check
check "a shard with one value of each channel is refused by -check" grep -qF \
    'z.cfg: layer 0, a [connected], would normalise each channel by a single value' said

job() { # RANKS ARGUMENT...: with another number of threads on the last rank
    local ranks=$1
    shift
    timeout 120 "$MPIRUN" -np $((ranks - 1)) "$DARKNET" "$@" : -np 1 -x OMP_NUM_THREADS=2 "$DARKNET" "$@" \
        >printed 2>said </dev/null
    status=$?
    [ "$status" = 0 ]
}
job_trains 2 x.data x.cfg -seed 3
check "ranks with another number of threads are refused" grep -qF \
    'it would not train what rank 0 does: there the number of threads' said

finish
