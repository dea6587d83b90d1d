#!/bin/bash
# A rank that fails ends the job, with one message that says which rank and why; ranks that would not
# train the same are refused; a rank killed at any moment leaves a checkpoint to go on from. Prints
# TAP. KILLS: how many of these (default 4).

# shellcheck source=tests/mpi/ranks.sh
. "$(dirname "$0")/ranks.sh"
make_images 36
host=$(hostname)

small() { # [KEY=VALUE...]: of [net]
    # shellcheck disable=SC2046 # a word for each
    net $(pairs "$@" -- batch=24 subdivisions=2 learning_rate=.01 max_batches=12)
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky
    section dropout probability=.3
    section connected output=3 activation=linear
    section softmax groups=1
    section dlb_cost
}
small >x.cfg

# The last job ended with 1 and one message of the program's own, which matches.
one_message() { # PATTERN
    [ "$status" = 1 ] || { echo "status $status"; return 1; }
    [ "$(grep -c '^darknet: ' said)" = 1 ] || { grep '^darknet: ' said; return 1; }
    grep -qE "^darknet: $1" said || { grep '^darknet: ' said; return 1; }
}

# ---- all ranks find the same ----

small batch=20 >odd.cfg
job_trains 3 x.data odd.cfg -seed 3
check "rows that cannot be shared out" one_message "rank 0 of 3 on $host: odd.cfg: batch=20 with subdivisions=2 .* 3 ranks, .*the nearest batch that can is 24"
baseline_cfg batch=10 >odd.cfg
job_trains 3 x.data odd.cfg -seed 3
check "the same without [dlb_cost]" one_message "rank 0 of 3 on $host: odd.cfg: batch=10 .* is 9"
job_trains 3 x.data none.cfg -seed 3
check "a cfg that is missing" test "$status" != 0
check "is said once" test "$(grep -c none.cfg said)" = 1
job_trains 2 x.data x.cfg -stock_loader
check "-stock_loader" one_message 'rank 0 of 2 on .*: -stock_loader trains in one process, but there are 2'
job_trains 2 x.data x.cfg -seed 3 -gpus 0,1
check "-gpus without GPU=1" one_message 'rank 0 of 2 on .*: -gpus names cards, but the program is built without GPU=1'
{ net batch=24 cuda_graph=1 sync_bn=1; section connected output=3 activation=linear; section softmax groups=1; } >graph.cfg
job_trains 2 x.data graph.cfg -seed 3
check "a graph with sync_bn" one_message 'rank 0 of 2 on .*: graph.cfg: \[net\] cuda_graph=1 does not go with sync_bn=1 on several ranks'
sed -i s/cuda_graph/fused_batchnorm/ graph.cfg
job_trains 2 x.data graph.cfg -seed 3
check "fused batch normalisation with sync_bn" one_message 'rank 0 of 2 on .*: graph.cfg: \[net\] fused_batchnorm=1 does not go with sync_bn=1 on several ranks'

# The kernel does not enforce this limit, the program does. The network has 786,432 outputs a row.
{
    net batch=24 max_batches=1 width=256 height=256
    for _ in 1 2 3; do section convolutional filters=4 size=1 activation=leaky; done
    section avgpool
    section connected output=3 activation=linear
    section softmax groups=1
} >large.cfg
(ulimit -m 60000 && job_trains 2 x.data large.cfg -seed 3)
check "validation's memory is counted" grep -qE '^darknet: rank 0 of 2 on .*: large.cfg: .* batch/subdivisions = 24 and a second network with all these rows, which -valid_every 0 spares' said
(ulimit -m 60000 && job_trains 2 x.data large.cfg -seed 3 -valid_every 0 -check)
check "without it there is room" grep -q '^large.cfg can be trained' printed

# ---- processes that do not find each other ----

job_trains 1 x.data x.cfg -seed 3
check "a single rank trains" test "$status" = 0
baseline_cfg max_batches=2 >stock.cfg
job_trains 1 x.data stock.cfg -stock_loader
check "with -stock_loader too" test "$status" = 0
cp stock.cfg compared.cfg
job 1 dlb compare x.data compared.cfg -seeds 1 -no_control -out comparison
check "dlb compare under a launcher trains outside of it" test "$status" = 0
for sign in OMPI_COMM_WORLD_SIZE PMI_SIZE SLURM_STEP_NUM_TASKS; do
    # Some make the program look for its launcher, without which Open MPI starts it alone.
    env $sign=2 timeout 60 "$DARKNET" classifier train x.data x.cfg -seed 3 >printed 2>said </dev/null
    status=$?
    check "$sign=2, but no other process" one_message "$sign=2: a launcher has started so many processes, but this one finds no other .*srun"
done

# ---- ranks that differ ----

# Two jobs in one: rank 1 gets the other arguments.
two_kinds() { # ARGUMENT... -- ARGUMENT...
    local one=()
    while [ "$1" != -- ]; do
        one+=("$1")
        shift
    done
    shift
    timeout 60 "$MPIRUN" -np 1 "$DARKNET" classifier train "${one[@]}" : -np 1 "$DARKNET" classifier train "$@" >printed 2>said </dev/null
    status=$?
}

small momentum=.8 >other.cfg
two_kinds x.data x.cfg -seed 3 -- x.data other.cfg -seed 3
check "another cfg" one_message "rank 1 of 2 on $host: it would not train what rank 0 does: there line 2 of the cfg was \"momentum=0.9\" and is \"momentum=.8\" here|rank 1 of 2 on $host: .* line [0-9]+ of the cfg"
two_kinds x.data x.cfg -seed 3 -- x.data x.cfg -seed 4
check "another seed" one_message "rank 1 of 2 on $host: .*the seed was 3 and is 4"
head -n 30 train.list >shorter.list
data_file train=shorter.list >shorter.data
two_kinds x.data x.cfg -seed 3 -- shorter.data x.cfg -seed 3
check "another list" one_message "rank 1 of 2 on $host: .*the training list was 36 images.* and is 30"
data_file valid=shorter.list >shorter.data
two_kinds x.data x.cfg -seed 3 -- shorter.data x.cfg -seed 3
check "another list for validation" one_message "rank 1 of 2 on $host: .*the validation list was 36 images.* and is 30"
grep -v '^valid=' x.data >without.data
two_kinds x.data x.cfg -seed 3 -- without.data x.cfg -seed 3
check "no list for validation on rank 1" one_message "rank 1 of 2 on $host: .*the line valid= of the data file was there and is missing"
two_kinds without.data x.cfg -seed 3 -- x.data x.cfg -seed 3
check "none on rank 0" one_message "rank 1 of 2 on $host: .*the line valid= of the data file was missing and is there"
data_file top=2 >top.data
two_kinds x.data x.cfg -seed 3 -- top.data x.cfg -seed 3
check "another top=" one_message "rank 1 of 2 on $host: .*the number top= of the data file was 1 and is 2"
two_kinds x.data x.cfg -- x.data x.cfg -seed 4
check "a seed on rank 1 alone" one_message "rank 1 of 2 on $host: .*the seed was [0-9]+ and is 4"
two_kinds x.data x.cfg -seed 4 -- x.data x.cfg
check "a seed on rank 0 alone is that of all" test "$status" = 0
two_kinds x.data x.cfg -seed 3 -valid_every 2 -- x.data x.cfg -seed 3 -valid_every 3
check "another option" one_message "rank 1 of 2 on $host: .*-valid_every was 2 and is 3"
two_kinds x.data x.cfg -seed 3 -- x.data x.cfg -seed 3 -skip_bad
check "-skip_bad on rank 1 alone" one_message "rank 1 of 2 on $host: .*-skip_bad on all ranks was off and is on"
two_kinds x.data x.cfg -seed 3 -- x.data x.cfg -seed 3 -on_nan=skip
check "-on_nan=skip on rank 1 alone" one_message "rank 1 of 2 on $host: .*-on_nan=skip was off and is on"
cp "$DARKNET" other_build && echo >>other_build
here=$DARKNET
timeout 60 "$MPIRUN" -np 1 "$here" classifier train x.data x.cfg -seed 3 : -np 1 "$WORK/other_build" classifier train x.data x.cfg -seed 3 >printed 2>said </dev/null
status=$?
check "another build" one_message "rank 1 of 2 on $host: .*the program was crc32"

# ---- in the course of training ----

data_file train=bad.list >bad.data
sed 's,img/7_k1.ppm,bad/7_k1.ppm,' train.list >bad.list
mkdir bad && echo 'no image' >bad/7_k1.ppm
small max_batches=200 >long.cfg
job_trains 3 bad.data long.cfg -seed 3 -valid_every 0
check "an image that cannot be read" one_message "rank [0-9] of 3 on $host: cannot use bad/7_k1.ppm of bad.list: .*-skip_bad"
data_file valid=bad.list >bad.data
job_trains 3 bad.data long.cfg -seed 3
check "one for validation" one_message "rank [0-9] of 3 on $host: cannot use bad/7_k1.ppm: .* in bad.list"
check "leaves a checkpoint" test -s backup/long.state
ppm bad/7_k1.ppm 7
job_trains 3 bad.data long.cfg -seed 3 -resume -save_every 0
check "to go on from once it is there" test "$status" = 0
mv backup after_bad
job_trains 3 bad.data long.cfg -seed 3 -save_every 0
check "to the weights of an undisturbed run" cmp backup/long.weights after_bad/long.weights

rm -rf backup
small learning_rate=1e30 >nan.cfg
job_trains 3 x.data nan.cfg -seed 3
check "NaN" one_message "rank [0-9] of 3 on $host: nan.cfg: iteration [0-9]+, learning rate 1e\+30: "
rm -rf backup
# One image of 36 is bright, and its loss overflows.
for i in $(seq 36); do
    { printf 'P6\n32 32\n255\n' && head -c 3072 /dev/zero; } >"dark_${i}_k$((i % 3)).ppm"
done
{ printf 'P6\n32 32\n255\n' && head -c 3072 /dev/zero | tr '\0' '\377'; } >dark_8_k2.ppm
printf '%s\n' dark_*.ppm >dark.list
data_file train=dark.list valid=dark.list >dark.data
{
    net batch=12 width=32 height=32 max_batches=12 min_crop=32 max_crop=32 angle=0 aspect=1 hue=0 saturation=1 exposure=1 learning_rate=0.001
    section connected output=3 activation=linear init_std=1e37
    section softmax groups=1
    section dlb_cost
} >skip.cfg
train dark.data skip.cfg -seed 3 -on_nan=skip -threads 1 -save_every 0
dropped=$(grep ' updates were dropped ' said)
rm -rf one
mv backup one
job_trains 3 dark.data skip.cfg -seed 3 -on_nan=skip -save_every 0
check "-on_nan=skip drops updates" test -n "$dropped"
check "those that one rank drops" test "$(grep ' updates were dropped ' said)" = "$dropped"
check "and says on which rank" grep -q '^Dropped the update of iteration .*: on rank [0-2] the ' said
check "and ends in the same weights" "$COMPARE_WEIGHTS" backup/skip.weights one/skip.weights 1e-5
job_trains 3 dark.data skip.cfg -seed 3
check "without it the job stops" one_message "rank [0-2] of 3 on $host: skip.cfg: iteration [0-9]+, .*the training stops"

# ---- killed ----

small max_batches=200 >long.cfg
rm -rf backup
job_trains 3 x.data long.cfg -seed 3 -save_every 0 -valid_every 20
rm -rf whole
mv backup whole

longest=0 # milliseconds from a kill to the end of the job
too_late=0

# Kills a rank some milliseconds after the log has so many lines; the job must end.
kill_a_rank() { # RANKS LINES MILLISECONDS
    local job waited=0 start took
    "$MPIRUN" -np "$1" "$DARKNET" classifier train x.data long.cfg -seed 3 -threads 1 -save_every 0 -valid_every 20 -checkpoint_every 7 >printed 2>said </dev/null &
    job=$!
    while [ "$(cat backup/long.log.csv 2>/dev/null | wc -l)" -lt "$2" ] && kill -0 $job 2>kills; do
        sleep 0.005
    done
    sleep "0.$(printf %03d "$3")"
    mapfile -t victims < <(pgrep -P $job)
    start=${EPOCHREALTIME/./}
    [ ${#victims[@]} -eq 0 ] || kill -KILL "${victims[RANDOM % ${#victims[@]}]}" 2>kills
    while kill -0 $job 2>kills && [ $waited -lt 1200 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    took=$(((${EPOCHREALTIME/./} - start) / 1000))
    [ $took -le $longest ] || longest=$took
    [ $waited -lt 1200 ] || kill -KILL $job
    wait $job
    status=$?
    [ $waited -lt 1200 ] || return 1
    [ $status = 0 ] || return 0
    too_late=$((too_late + 1)) # the training was through: all of it must be there
    cmp backup/long.weights whole/long.weights
}

RANDOM=${KILL_SEED:-7}
bad_kills=0 went_on=0
for round in $(seq "${KILLS:-4}"); do
    rm -rf backup
    kill_a_rank 3 $((RANDOM % 180)) $((RANDOM % 20)) || { echo "# kill $round: it ended with $status"; bad_kills=$((bad_kills + 1)); }
    job_trains 3 x.data long.cfg -seed 3 -threads 1 -save_every 0 -valid_every 20 -resume || { echo "# kill $round: -resume ends with $status"; bad_kills=$((bad_kills + 1)); }
    ! grep -qE 'written after [1-9]' said || went_on=$((went_on + 1))
    cmp backup/long.weights whole/long.weights || bad_kills=$((bad_kills + 1))
done
echo "# $went_on of ${KILLS:-4} went on from a checkpoint; $too_late kills came after the end; the longest end of a job took $longest ms"
check "${KILLS:-4} ranks killed: all jobs ended, all went on to the same weights" test $bad_kills = 0

finish
