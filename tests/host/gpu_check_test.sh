#!/bin/bash
# bench/gpu_check.sh without a GPU: what it would do, and what it refuses before anything takes time.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
export DARKNET=/bin/true # nothing of it is run
# shellcheck source=tests/end_to_end/tap.sh
. "$root/tests/end_to_end/tap.sh"
unset STEP_MS SEEDS
mkdir source fashion
touch fashion/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz

gpu_check() { # ARGUMENT...
    DARKNET_SRC=${source-$WORK/source} FASHION_MNIST=${fashion-$WORK/fashion} "$root/bench/gpu_check.sh" "$@" \
        >printed 2>said
    status=$?
    [ $status = 0 ]
}
says() { grep -q -- "$1" said; }
lines() { [ "$(grep -c -- "$1" printed)" = "$2" ]; }

check 'says what it would do' gpu_check 36000 -plan
cp printed planned
source='' fashion='' gpu_check 36000 -plan
no_inputs_needed() { [ $status = 0 ] && [ "$(wc -l <printed)" = "$(wc -l <planned)" ]; }
check 'without the inputs, too' no_inputs_needed
check 'two networks, two label sets and two protocols are compared' lines 'dlb compare' 8
check 'half of them with wrong labels' lines 'noise40.*dlb compare\|dlb compare.*noise40' 4
check 'three sanitizers look at six programs' lines 'compute-sanitizer --tool.*/tests/test_' 18
if command -v mpicc >checked && command -v mpirun >checked; then
    check 'and one at two ranks' lines 'ranks_test.sh -under .*compute-sanitizer --tool memcheck' 1
else
    skip 'and one at two ranks' 'there is no mpicc, or no mpirun'
fi
check 'trains as it is and with graphs' lines 'classifier train .*/short\(-cuda_graph-1\)\?\.cfg' 2
check 'and each with fused batch normalisation' lines 'classifier train .*/short\(-cuda_graph-1\)\?-fused_batchnorm-1\.cfg' 2
check 'and with rows that the card renders' lines 'classifier train .*/short-augment_on_gpu-1\.cfg' 1
check 'tests of the CPU, by the program for a GPU' lines '^+ tests/end_to_end/' 3
check 'the time becomes iterations' lines '20 and 30 ms a step: 18181 iterations' 1
SEEDS=6 gpu_check 36000 -plan
check 'twice the seeds, half the iterations' lines ': 9090 iterations' 1
STEP_MS='5 5' gpu_check 3600000 -plan
check 'no more than a hundred epochs' lines ': 46875 iterations' 1
gpu_check 60 -plan
check 'less than an epoch is refused' says '60 seconds are 30 iterations a run, less than an epoch'
check 'before anything is measured' lines '/tests/' 0
for ms in 5 '0 5' '5 x' '1 2 3'; do
    STEP_MS=$ms gpu_check 36000 -plan
    check "STEP_MS=\"$ms\" is refused" says "\"$ms\" milliseconds a step: two numbers above 0"
done
gpu_check soon
check 'a time is needed' says 'usage:'
source='' gpu_check 36000
check 'the source is needed' says 'set DARKNET_SRC'
source=$WORK/none gpu_check 36000
check 'a source that is not there is named' says 'none does not exist'
rm fashion/t10k-labels*
gpu_check 36000
check 'a missing file of the data set is named' says 't10k-labels-idx1-ubyte'

# ---- the list of what has never run on a card ----

listed() {
    local test
    for test in $(grep -ohE 'ON_(GPU|BOTH)\([a-z0-9_]+\)' "$root"/tests/unit/test_*.c | sed 's/.*(\(.*\))/\1/'); do
        grep -q "\`${test}_on_the_gpu\`" "$root/docs/gpu-checks.md" || { echo "$test is missing"; return 1; }
    done
}
check 'docs/gpu-checks.md names all unit tests that need one' listed
finish
