#!/bin/bash
# `dlb compare`: arms, protocols, going on after being killed, plans, failing runs. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set
# The loaders' threads never change a result; OpenMP's number of threads may.
export OMP_NUM_THREADS=1

# ---- helpers ----

compare() { # [ARGUMENT...]
    darknet dlb compare x.data "$@"
}

arms() { # FOLDER: name, role and batch of each
    tail -n +2 "$1/arms.csv" | cut -d, -f1,2,4 | tr '\n' ' '
}

runs() { # FOLDER: how many finished
    find "$1" -name finished.txt | wc -l
}

cfg_value() { # FILE KEY: the first value
    sed -n "s/^$2=//p" "$1" | head -n 1
}

refuses() { # NAME SENTENCE [ARGUMENT...] after `dlb compare`
    local name=$1 sentence=$2
    shift 2
    darknet dlb compare "$@"
    check "refuses $name" grep -qF "darknet: $sentence" said
    check "with status 1" test "$status" = 1
}

# ---- the whole of it ----

baseline_cfg max_batches=5 >x.cfg
cp x.data before.data
check "compares a cfg with its DLB twin" compare x.cfg -seeds 2 -out whole -alpha 0.5 -temperature 2
check "and with a control" test "$(arms whole)" = \
    "x,baseline,4 x-dlb,arm,4 x-dlb-control,control,4 "
check "the twin has the alpha asked for" test "$(cfg_value whole/x-dlb.cfg alpha)" = 0.5
check "and the temperature" test "$(cfg_value whole/x-dlb.cfg temperature)" = 2
check "the control differs from it in alpha alone" test \
    "$(diff whole/x-dlb.cfg whole/x-dlb-control.cfg | grep -c '^[<>]')" = 2
check "which is 0" test "$(cfg_value whole/x-dlb-control.cfg alpha)" = 0
check "the baseline is as given" cmp x.cfg whole/x.cfg
check "six runs have finished" test "$(runs whole)" = 6
# 5 iterations of 4 of 9 images: validated after 3 and 5.
check "results.csv has a row for each validation" test "$(grep -c , whole/results.csv)" = 13
check "report.md is there" grep -q '^## Differences to x' whole/report.md
check "and splits the difference" grep -q '^| distillation: x-dlb minus x-dlb-control | 2 |' \
    whole/report.md
check "nothing else has changed" cmp x.data before.data

train x.data x.cfg -seed 2
check "a run is what classifier train does" cmp backup/x.weights whole/x/seed-2/x.weights
cp whole/results.csv undisturbed.csv
compare x.cfg -seeds 2 -out whole -alpha 0.5 -temperature 2
check "again, all runs are there" test "$(grep -c 'finished before' printed)" = 6
check "and the results the same" cmp undisturbed.csv whole/results.csv

# ---- killed ----

# The time to the kill grows until a comparison comes through.
rm -rf killed
kills=0
for tenths in 2 4 6 9 13 18 25 40 60 90 1200; do
    timeout -s KILL "$((tenths / 10)).$((tenths % 10))" "$DARKNET" dlb compare x.data x.cfg \
        -seeds 2 -out killed -alpha 0.5 -temperature 2 >printed 2>said </dev/null
    status=$?
    [ $status = 137 ] || break
    kills=$((kills + 1))
done
check "a comparison killed again and again comes through" test $status = 0
check "after some kills" test $kills -ge 2
check "with the results of an undisturbed one" cmp undisturbed.csv killed/results.csv
check "and the same weights" eval 'for w in whole/*/seed-*/*.weights; do
    cmp "$w" "killed/${w#whole/}" || exit 1; done'

# A training must not outlive its comparison and write into the runs of the next.
rm -rf orphan
timeout -s KILL 2 "$DARKNET" dlb compare x.data x.cfg -out orphan >/dev/null 2>&1 </dev/null
# It saves first.
is_training() { pgrep -f "$(realpath orphan 2>/dev/null || echo none)/x" >/dev/null; }
for _ in $(seq 100); do
    is_training || break
    sleep 0.1
done
check "no training outlives the comparison" eval '! is_training'

# ---- within a run ----

baseline_cfg max_batches=1500 >long.cfg
check "longer runs" compare long.cfg -seeds 1 -no_control -valid_every 100 -out longer
cp longer/results.csv undisturbed_longer.csv
rm -rf within
"$DARKNET" dlb compare x.data long.cfg -seeds 1 -no_control -valid_every 100 \
    -out within >printed 2>said </dev/null &
process=$!
log=within/long/seed-1/long.log.csv
until [ "$(cat $log 2>polled | wc -l)" -gt 100 ] || ! kill -0 $process 2>polled; do
    sleep 0.01
done
kill -s KILL $process
wait $process 2>polled
# As if processes before the killed one had taken long.
spent=within/long/seed-1/seconds.txt
check "a run notes what its processes take" grep -q '^earlier=0.000$' $spent
sed -i 's/^earlier=.*/earlier=5000/' $spent
check "killed within a run, the same command" compare long.cfg -seeds 1 -no_control \
    -valid_every 100 -out within
check "goes on within it" grep -q ', written after [1-9]' within/long/seed-1/train.err
check "to the same results" cmp undisturbed_longer.csv within/results.csv
check "the same weights" cmp longer/long/seed-1/long.weights within/long/seed-1/long.weights
check "with the seconds of all processes" eval \
    'grep "^seconds=5[0-9][0-9][0-9]\." within/long/seed-1/finished.txt && [ ! -e $spent ]'
check "and no checkpoint is left" eval '! ls within/*/seed-1/*.state within/*/seed-1/*.backup'

# ---- more seeds, plans ----

check "more seeds" compare x.cfg -seeds 1,2,5 -out whole -alpha 0.5 -temperature 2
check "train what is missing" test "$(grep -c 'finished before' printed)" = 6
check "and make nine" test "$(runs whole)" = 9
check "-plan" compare x.cfg -seeds 2 -out planned -alpha 0.5 -temperature 2 -plan
check "prints a line for each run" test "$(grep -c ' dlb run ' printed)" = 6
check "and trains nothing" test "$(runs planned)" = 0
cp printed plan
check "a line runs from another folder" eval 'head -n 1 plan | (cd / && timeout 120 sh 2>/dev/null)'
check "and trains one" test "$(runs planned)" = 1
check "again, it has finished already" eval 'head -n 1 plan | sh 2>said | grep -q "finished already"'
check "dlb report with what is there" darknet dlb report planned
check "names what is missing" grep -q 'x-dlb, seed 1' planned/report.md
check "-plan again" compare x.cfg -seeds 2 -out planned -alpha 0.5 -temperature 2 -plan
check "prints what is missing" test "$(wc -l <printed)" = 5
check "the other lines, in any order" eval 'tac printed >rest; timeout 240 sh rest 2>said >/dev/null'
check "dlb report" darknet dlb report planned
check "gives the results of compare" cmp undisturbed.csv planned/results.csv

# ---- arms ----

dlb_cfg max_batches=2 >d.cfg
baseline_cfg max_batches=2 >b.cfg
check "a single cfg with [dlb_cost]" compare d.cfg -seeds 1 -out single -plan
check "gets a twin without" test "$(arms single)" = \
    "d-baseline,baseline,4 d,arm,4 d-control,control,4 "
check "which is the same but for the section" cmp b.cfg single/d-baseline.cfg
check "two cfgs" compare b.cfg d.cfg -seeds 1 -out two -no_control -plan
check "-no_control leaves the control out" test "$(arms two)" = "b,baseline,4 d,arm,4 "
check "-protocol equal-updates-2n" compare b.cfg d.cfg -seeds 1 -out updates \
    -protocol equal-updates-2n
check "halves the batch without the section" test "$(arms updates)" = \
    "b,baseline,2 d,arm,4 d-control,control,4 "
check "in the cfg too" test "$(cfg_value updates/b.cfg batch)" = 2
check "so that it sees half the images" test \
    "$(grep '^b,' updates/results.csv | tail -n 1 | cut -d, -f5)" = 4
check "in as many updates" test \
    "$(tail -n 1 updates/b/seed-1/b.log.csv | cut -d, -f1)" = 2

# ---- runs that fail ----

# The first arm's run gets through, the second one's has no folder.
check "a plan" compare d.cfg -seeds 1 -out broken -plan
mkdir -p broken/d
: >broken/d/seed-1 # a file where the run's folder should be
compare d.cfg -seeds 1 -out broken
check "a file in the place of a run's folder ends it" grep -q '^darknet: .*broken/d/seed-1' said
rm broken/d/seed-1
mv img/4_k1.ppm aside.ppm # of the validation list too, so that no run can do without
compare d.cfg -seeds 1 -out broken
check "failing runs are counted" grep -q '^darknet: 2 of 3 runs failed; broken/report.md names them' said
check "with status 1" test "$status" = 1
check "with the reason" grep -q 'd-control, seed 1: failed: cannot use img/4_k1.ppm' printed
check "in the report too" grep -q 'cannot use img/4_k1.ppm' broken/report.md
mv aside.ppm img/4_k1.ppm
check "the same command tries again" compare d.cfg -seeds 1 -out broken
check "and finishes" test "$(runs broken)" = 3
check "with nothing left of the failure" test "$(find broken -name failed.txt | wc -l)" = 0

# ---- refusals ----

sed 's/^learning_rate=.*/learning_rate=0.01/' x.cfg >other.cfg
mkdir other
mv other.cfg other/x.cfg
refuses "another cfg of the same name" "whole/x.cfg, line " x.data other/x.cfg -out whole \
    -alpha 0.5 -temperature 2
refuses "another protocol" 'whole holds another comparison: its protocol is "equal-images"' \
    x.data x.cfg -out whole -alpha 0.5 -temperature 2 -protocol equal-updates-2n
refuses "other data" 'whole holds another comparison: its data file is' \
    before.data x.cfg -out whole -alpha 0.5 -temperature 2
mkdir mine
echo notes >mine/notes
refuses "a folder that is something else" "mine holds files, but no comparison; choose another -out" x.data x.cfg -out mine
check "which stays as it is" test "$(ls mine)" = notes
refuses "two arms of one name" "two arms would be called x" x.data x.cfg other/x.cfg -out none
refuses "no seeds" "-seeds 0: a number of seeds" x.data x.cfg -seeds 0 -out none
refuses "an unknown option" 'unknown option "-seed"' x.data x.cfg -seed 3 -out none
refuses "an unknown protocol" "-protocol fair: it is equal-images or equal-updates-2n" \
    x.data x.cfg -protocol fair -out none
refuses "a missing cfg" "cannot read nowhere.cfg: No such file" x.data nowhere.cfg -out none
refuses "a missing data file" "cannot read nowhere.data: No such file" nowhere.data x.cfg -out none
baseline_cfg max_batches=0 >endless.cfg
refuses "an endless training" "endless.cfg: max_batches=0" x.data endless.cfg -out none
dlb_cfg batch=6 subdivisions=2 >odd.cfg
refuses "an arm that cannot be trained" "the arm odd cannot be trained: none/odd.cfg: " \
    x.data odd.cfg -out none
check "before anything is trained" test "$(runs none)" = 0

finish
