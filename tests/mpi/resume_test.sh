#!/bin/bash
# Checkpoints of several ranks: a training goes on with any number of ranks, signals end it as on one
# rank, the validation's figures are those of one rank to the last digit. Prints TAP.

# shellcheck source=tests/mpi/ranks.sh
. "$(dirname "$0")/ranks.sh"
make_images 36
printf '%s\n' img/1?_*.ppm img/2_*.ppm >valid.list
data_file valid=valid.list >x.data

network() {
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky batch_normalize=1
    section dropout probability=.3
    section connected output=3 activation=linear
    section softmax groups=1
    section dlb_cost alpha=1 temperature=3
}
{ net batch=24 subdivisions=2 max_batches=300 nesterov=1 mixup=.5 sync_bn=1 learning_rate=.01; network; } >x.cfg

# ---- a checkpoint of so many ranks goes on with as many others ----

train x.data x.cfg -seed 3 -threads 1 -valid_every 20 -save_every 0
mv backup whole

# Starts `ranks` of them in the background, or one without mpirun.
start() { # RANKS ARGUMENT...
    local ranks=$1
    shift
    if [ "$ranks" = 1 ]; then
        "$DARKNET" classifier train "$@" >printed 2>said </dev/null &
    else
        "$MPIRUN" --mca odls_base_sigkill_timeout 2 -np "$ranks" "$DARKNET" classifier train "$@" >printed 2>said </dev/null &
    fi
    job=$!
}

# Ends it by SIGTERM once the log has so many lines.
stop_after() { # LINES
    while [ "$(cat backup/x.log.csv 2>/dev/null | wc -l)" -le "$1" ] && kill -0 $job 2>kills; do
        sleep 0.01
    done
    kill -s TERM $job 2>kills
    wait $job
    status=$?
}

goes_on() { # RANKS THEN
    rm -rf backup
    start "$1" x.data x.cfg -seed 3 -threads 1 -valid_every 20 -save_every 0
    stop_after 60
    # 143 on one rank; mpirun has a status of its own
    check "$1 ranks: SIGTERM ends them, with a status that is not 0" test "$status" != 0
    check "and a checkpoint" test -s backup/x.state
    if [ "$2" = 1 ]; then
        train x.data x.cfg -threads 1 -valid_every 20 -save_every 0 -resume
    else
        job_trains "$2" x.data x.cfg -threads 1 -valid_every 20 -save_every 0 -resume
    fi
    check "$2 ranks go on" test "$status" = 0
    check "from where they were" grep -qE 'written after [1-9][0-9]* iterations' said
    check "which says that the number differs" grep -q "number of ranks was $1 and is $2" said
    check "to the same weights" "$COMPARE_WEIGHTS" backup/x.weights whole/x.weights 1e-4
    check "and the same log" same_losses backup/x.log.csv whole/x.log.csv
}

goes_on 1 3
goes_on 3 2
goes_on 2 1

{ net batch=24 max_batches=8; network; } >y.cfg
rm -rf backup
train x.data y.cfg -seed 3 -threads 1 -save_every 0
sed -i 's/^max_batches=8/max_batches=9/' y.cfg
job_trains 2 x.data y.cfg -threads 1 -save_every 0 -resume=weights
check "says how the rows are shared out" grep -qx \
    '2 ranks, each with 12 of the 24 rows of a micro-batch; batch normalisation goes by the rows of each rank' said
sed -i 's/^max_batches=9/max_batches=8/' y.cfg
rm -rf backup
train x.data y.cfg -seed 3 -threads 1 -save_every 0
job_trains 2 x.data y.cfg -threads 1 -save_every 0 -resume
check "that batch normalisation makes another number of ranks another training" \
    grep -q 'goes by the rows of each rank, so that another number of ranks trains otherwise' said

# ---- signals to one rank, and SIGUSR1 ----

rm -rf backup
start 2 x.data x.cfg -seed 3 -threads 1 -save_every 0
while [ "$(cat backup/x.log.csv 2>/dev/null | wc -l)" -le 20 ]; do sleep 0.01; done
last_rank=$(pgrep -P $job -n)
kill -s USR1 "$last_rank"
while [ ! -e backup/x.state ] && kill -0 $job 2>kills; do sleep 0.01; done
check "SIGUSR1 to a rank saves" test -s backup/x.state
kill -s TERM "$last_rank"
wait $job
status=$?
check "SIGTERM to a rank ends the job with 143" test "$status" = 143
check "and says when" grep -q '^Terminated after iteration [0-9]*; -resume goes on from there' said
job_trains 2 x.data x.cfg -threads 1 -save_every 0 -resume
check "which goes on to the same weights" "$COMPARE_WEIGHTS" backup/x.weights whole/x.weights 1e-4

# ---- a seed that is not given; early stop ----

rm -rf backup
job_trains 3 x.data x.cfg -threads 1 -patience 2 -valid_every 1 -save_every 0
check "without -seed, with -patience" test "$status" = 0
check "the seed is printed once" test "$(grep -c '^Seed: ' printed)" = 1
seed=$(sed -n 's/^Seed: //p' printed)
mv backup three
train x.data x.cfg -seed "$seed" -threads 1 -patience 2 -valid_every 1 -save_every 0
check "stops where one rank does" same_losses backup/x.log.csv three/x.log.csv

# ---- the validation ----

# Weights that stay as they are; fewer images than batches in the last round.
{ net batch=24 max_batches=1 learning_rate=0 decay=0; body; section softmax groups=1; section dlb_cost; } >y.cfg
rm -rf backup
train x.data y.cfg -seed 3 -threads 1
cut -d, -f10- backup/y.log.csv >one
for ranks in 2 3; do
    rm -rf backup
    job_trains $ranks x.data y.cfg -seed 3 -threads 1
    cut -d, -f10- backup/y.log.csv >other
    check "on $ranks ranks the validation's figures are those of one" cmp one other
done
check "of which there are some" grep -q '^0\.[0-9]*,' one

finish
