#!/bin/bash
# The program for a GPU on the CPU: built with the CUDA toolkit of tests/emulated_cuda, whose device is the CPU. All
# tests that need a card run, kernels, streams, graphs and, where mpicc and mpirun are, ranks with them, by the emulated
# NCCL too; docs/gpu-checks.md says what that can find and what it cannot. Prints TAP.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
cd "$root" || exit 1
emulation=$root/build/emulated_cuda build=$root/build/emulated
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
number=0 failures=0 mpi=0
unset LD_LIBRARY_PATH # or it might find a real CUDA first
! command -v mpicc >"$log" || ! command -v mpirun >"$log" || mpi=1

make_emulated() {
    make -s --no-print-directory -j"$(nproc)" GPU=1 CUDNN=1 MPI=$mpi NCCL=$mpi OPENCV=0 CUDA="$emulation" ARCH=-arch=emulated \
        BUILD="$build" OPTS=-O1 DLB_OPTS=-O1 "$@"
}

result() { # ok|'not ok' NAME
    number=$((number + 1))
    echo "$1 $number - $2"
    [ "$1" = ok ] || failures=$((failures + 1))
}

# The command's own results, a line each. That it ends before its plan, or with another status, is one more failure.
forward() { # NAME COMMAND...
    local name=$1 status results planned line
    shift
    timeout 600 "$@" >"$log" 2>&1 </dev/null
    status=$?
    planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | head -n 1)
    results=$(grep -cE '^(not )?ok ' "$log")
    while read -r line; do
        result "${line%% [0-9]*}" "$name: ${line#*- }"
    done < <(grep -E '^(not )?ok ' "$log")
    if [ "$results" != "${planned:-none}" ] || { [ $status != 0 ] && ! grep -q '^not ok' "$log"; }; then
        result 'not ok' "$name: ended with status $status after $results of ${planned:-no} tests"
    fi
    ! grep -q '^not ok' "$log" && [ $status = 0 ] || tail -n 30 "$log" | sed 's/^/# /'
}

of_ranks=()
[ $mpi = 0 ] || of_ranks=(build/emulated_cuda/test_nccl "$build/tests/device_sums")
if ! make -s --no-print-directory emulated-cuda build/emulated_cuda/test_emulation >"$log" 2>&1 ||
    ! make_emulated "$build/darknet" build-tests "${of_ranks[@]}" >"$log" 2>&1; then
    echo "not ok 1 - GPU=1 CUDNN=1 MPI=$mpi NCCL=$mpi compiles and links with the emulated CUDA"
    tail -n 20 "$log" | sed 's/^/# /'
    echo '1..1'
    exit 1
fi
result ok "GPU=1 CUDNN=1 MPI=$mpi NCCL=$mpi compiles and links with the emulated CUDA"

export PATH=$emulation/bin:$PATH EMULATED_GPUS=2 CMOCKA_MESSAGE_OUTPUT=TAP
export DARKNET=$build/darknet COMPARE_WEIGHTS=$build/tests/compare_weights
forward emulation "$emulation/test_emulation"
for file in $(grep -lE 'ON_GPU\(|ON_BOTH\(' tests/unit/test_*.c); do
    name=$(basename "$file" .c)
    forward "$name" "$build/tests/$name"
done
# What goes wrong if work is done too early.
for name in test_gpu_twins test_drawn_rows test_step_graph; do
    for pace in early ahead; do
        forward "$name, work done $pace" env EMULATED_PACE=$pace "$build/tests/$name"
    done
done
forward trajectory tests/trajectory/trajectory_test.sh
forward train tests/end_to_end/train_test.sh
forward resume tests/end_to_end/resume_test.sh
forward recipe tests/end_to_end/recipe_test.sh

# ---- ranks ----

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
sums() { # NAME STATUS SENTENCE MODE...: what device_sums ends with, and says
    local name=$1 expected=$2 sentence=$3 status
    shift 3
    timeout 120 mpirun -np 2 "$build/tests/device_sums" "$@" >"$log" 2>&1 </dev/null
    status=$?
    if [ $status = "$expected" ] && grep -qE "$sentence" "$log" && [ "$(grep -c '^darknet: ' "$log")" = "$expected" ]; then
        result ok "sums over ranks, $name"
    else
        result 'not ok' "sums over ranks, $name: ended with status $status"
        tail -n 30 "$log" | sed 's/^/# /'
    fi
}

if [ $mpi = 1 ]; then
    forward NCCL mpirun -np 2 "$emulation/test_nccl"
    export EMULATED_NCCL=watched
    forward ranks tests/gpu/ranks_test.sh
    sums 'slow backward passes, by NCCL' 0 'are added up by NCCL' own slow
    sums "slow backward passes, through the host's memory" 0 'ranks share a card' shared slow
    sums 'a rank that NCCL has lost' 1 'rank [01] of 2 on .*NCCL says a remote process is gone' own lost
    sums 'a rank that does not answer NCCL' 1 'rank [01] of 2 on .* 1 seconds \(gradients by NCCL\)' own silent
    sums 'nor at the start' 1 "rank [01] of 2 on .* 1 seconds \(NCCL's start\)" own unanswered
    for EMULATED_PACE in early ahead; do
        export EMULATED_PACE
        sums "work done $EMULATED_PACE, by NCCL" 0 'are added up by NCCL' own
        sums "work done $EMULATED_PACE, through the host's memory" 0 'ranks share a card' shared
    done
fi
echo "1..$number"
[ $failures = 0 ]
