#!/bin/bash
# The GPU build, for one architecture and without optimisation: it compiles and links where nvcc is
# installed, card or not, and works with -nogpu. With a card its tests run there too. CUDA says where
# the toolkit is. Where mpicc and NCCL's header are there, the build is for ranks, too.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=$root/build/gpu-test
nvcc=${CUDA:-/usr/local/cuda}/bin/nvcc
cpu_build=$(realpath "${DARKNET:-$root/bin/darknet}")
unit_tests=(gpu_twins half_convolution dlb_cost_layer gpu_kernels drawn_rows step_graph)
cudnn=0 mpi=0 nccl=0
log=$(mktemp) || exit 1

# make_gpu TARGET...
make_gpu() {
    make -s --no-print-directory -C "$root" -j"$(nproc)" GPU=1 CUDNN="$cudnn" MPI="$mpi" MPIRUN=mpirun NCCL="$nccl" OPENCV=0 ARCH=-arch=sm_75 BUILD="$build" \
        OPTS=-O0 DLB_OPTS=-O0 "$@"
}

compile() {
    make_gpu build-tests "$build/libdarknet.so" # as bench/gpu_check.sh does
}

if ! command -v "$nvcc" >/dev/null; then
    echo "ok 1 - GPU=1 CUDNN=1 compiles and links # SKIP there is no $nvcc"
    echo '1..1'
    exit
fi
has_header() { echo "#include <$1>" | "$nvcc" -x cu -E - >/dev/null 2>&1; }
! has_header cudnn.h || cudnn=1
! command -v mpicc >/dev/null || mpi=1
[ $mpi = 0 ] || ! has_header nccl.h || nccl=1
if ! compile >"$log" 2>&1; then
    echo "not ok 1 - GPU=1 CUDNN=$cudnn MPI=$mpi NCCL=$nccl compiles and links"
    tail -n 20 "$log" | sed 's/^/# /'
    echo '1..1'
    exit 1
fi

export DARKNET=$build/darknet
# shellcheck source=tests/end_to_end/tap.sh
. "$root/tests/end_to_end/tap.sh"
if [ $cudnn = 1 ]; then
    ok 'GPU=1 CUDNN=1 compiles and links'
else
    ok 'GPU=1 compiles and links'
    skip 'CUDNN=1 too' 'there is no cudnn.h'
fi
# The build above has all that is here. What it lacks without a library is read by the compiler alone: our C files and
# those of the host's that ask for cuDNN.
reads_without() { # CUDNN MPI PATTERN: what has it of our files
    local cudnn=$1 mpi=$2 nccl=0 build=$WORK/read-$1$2 objects
    mapfile -t objects < <(cd "$root" && { grep -lE "$3" dlb_layer/*.c | grep -vE '/(ranks_mpi|rank_sums_mpi|gradient_sums_gpu|pinned_sums|nccl_sums)\.c'
        grep -l CUDNN darknet/host/src/*.c; } | sed 's|^darknet/host/src|host|; s|c$|o|; s|^|'"$build/|")
    make_gpu CC='cc -fsyntax-only' "${objects[@]}" >printed 2>said
}
[ $mpi = 0 ] || check 'GPU=1 CUDNN=1 without ranks compiles' reads_without $cudnn 0 '"(ranks|gpu_status|gradient_sums.*)\.h"|DLB_MPI'
[ $cudnn = 0 ] || check 'GPU=1 alone compiles' reads_without 0 0 .
if [ $mpi = 1 ]; then ok 'MPI=1 too'; else skip 'MPI=1 too' 'there is no mpicc'; fi
if [ $nccl = 1 ]; then ok 'NCCL=1 too'; else skip 'NCCL=1 too' 'there is no nccl.h, or no mpicc'; fi
refuses_nccl_alone() { ! make -s --no-print-directory -C "$root" NCCL=1 show-build >printed 2>said && grep -q 'needs GPU=1 MPI=1' said; }
check 'NCCL=1 alone is refused' refuses_nccl_alone

needs_driver() { readelf -d "$1" | grep -q 'NEEDED.*libcuda\.so'; }
no_driver_needed() { ! needs_driver "$build/darknet" && ! needs_driver "$build/libdarknet.so"; }
check "needs no driver's library to start" no_driver_needed

# losses BINARY OPTION...: of a training, one line an iteration
losses() {
    rm -rf backup
    timeout 120 "$1" classifier train x.data dlb.cfg -seed 3 "${@:2}" >printed 2>said </dev/null || return
    cut -d, -f5-7 backup/dlb.log.csv
}
trains_as_the_cpu_build() {
    losses "$DARKNET" -nogpu >got && losses "$cpu_build" >expected && paste -d, got expected | awk -F, '
        function off(a, b) { return a == b ? 0 : (a > b ? a - b : b - a) }
        NR > 1 && (off($1, $4) > 1e-4 || off($2, $5) > 1e-4 || off($3, $6) > 1e-4) { print; wrong = 1 }
        NR > 1 && $2 != "" { taught = 1 }
        END { exit wrong || !taught }'
}
make_data_set
dlb_cfg >dlb.cfg
check 'trains with -nogpu as the CPU build does' trains_as_the_cpu_build
says_where() { losses "$DARKNET" -nogpu >got && grep -qx 'Training on the CPU' said; }
check 'and says so' says_where
check 'validates with -nogpu' darknet classifier valid x.data dlb.cfg backup/dlb.weights -nogpu
check 'commands of dlb need no card' darknet dlb inspect dlb.cfg

# ---- of the card's part what runs without one ----

in_root() { (cd "$root" && "$@"); }
for name in half half_passes layer_end_passes drawn_rows; do
    check "$name, built for a GPU" in_root "$build/tests/test_$name"
done

# ---- which card ----

one_sentence() { # PATTERN
    [ "$status" = 1 ] && [ "$(grep -c '^darknet: ' said)" = 1 ] && grep -qE "^darknet: .*$1" said
}
how_to_start() { one_sentence '-gpus names 2 cards for one process: .*mpirun -np 2 .*MPI=1; -stock_loader'; }
if [ $mpi = 1 ]; then
    # What mpirun is, as a script; then a training on two cards by one command.
    with_mpirun() { # SCRIPT
        mkdir -p stand-in
        printf '#!/bin/sh\n%s\n' "$1" >stand-in/mpirun
        chmod +x stand-in/mpirun
        PATH=$WORK/stand-in:$PATH darknet classifier train x.data 'my dlb.cfg' -gpus 0,1 -backup '' -check
    }
    starts_itself_again() {
        printf '<%s>\n' -np 2 --bind-to none "$DARKNET" classifier train x.data 'my dlb.cfg' -gpus 0,1 -backup '' -check >expected
        [ "$status" = 7 ] && cmp printed expected && grep -qx "Starting 2 ranks: mpirun -np 2 --bind-to none $DARKNET, with the same arguments" said
    }
    with_mpirun 'printf "<%s>\n" "$@"; exit 7'
    check 'several cards: becomes mpirun, with all arguments as they are' starts_itself_again
    # shellcheck disable=SC2016 # of the script
    with_mpirun 'shift 4; exec "$@"'
    check 'a rank that is alone does not start others' one_sentence 'DLB_RANKS=2: a launcher has started so many processes'
    timeout 60 env PATH="$WORK/none" "$DARKNET" classifier train x.data dlb.cfg -gpus 0,1 >printed 2>said
    status=$?
    check 'no mpirun' one_sentence 'mpirun, which is to start 2 ranks, cannot be run: No such file'
    export OMPI_COMM_WORLD_SIZE=1
    darknet classifier train x.data dlb.cfg -gpus 0,1
    unset OMPI_COMM_WORLD_SIZE
    check 'several cards for one rank of a launcher' one_sentence '-gpus names 2 cards for one process, which .* as OMPI_COMM_WORLD_SIZE=1 says'
    darknet classifier train x.data dlb.cfg -gpus 0,1 -i 1
    check 'several cards and one' one_sentence '-i names one card for 2 ranks'
else
    darknet classifier train x.data dlb.cfg -gpus 0,1
    check 'several cards for one process: how to start it' how_to_start
fi
for card in one 1,2 ''; do
    darknet classifier train x.data dlb.cfg -i "$card"
    check "-i '$card' is no card's number" one_sentence "-i $card: the number of a card is needed"
done
darknet classifier train x.data dlb.cfg -i 1 -gpus 0
check '-i and -gpus' one_sentence '-i and -gpus exclude each other'
darknet classifier train x.data dlb.cfg -gpus 0,,1
check 'no list of numbers' one_sentence '-gpus 0,,1: numbers of cards'
darknet classifier train x.data dlb.cfg -nogpu -gpus 0
check '-nogpu and -gpus' one_sentence '-gpus names cards, but -nogpu is there too'

# ---- ranks ----

ranks_test() { in_root tests/gpu/ranks_test.sh "$@"; }
export COMPARE_WEIGHTS=$build/tests/compare_weights
if [ $mpi = 1 ] && command -v mpirun >/dev/null; then
    two_ranks() { # PROGRAM ARGUMENT...
        OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
            timeout 60 mpirun -np 2 "$@" >printed 2>said </dev/null
        status=$?
    }
    check 'two ranks with -nogpu end in the weights of one' ranks_test -nogpu
    two_ranks "$DARKNET" classifier train x.data dlb.cfg -gpus 0
    check 'a card for each rank' one_sentence 'rank 0 of 2 on .*-gpus has to name a card for each of 2 ranks, maybe one twice, but names 1'
    two_ranks "$DARKNET" classifier train x.data dlb.cfg -i 1
    check '-i with several ranks' one_sentence 'rank 0 of 2 on .*-i names one card for 2 ranks'
    if ! nvidia-smi -L >/dev/null 2>&1; then
        OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
            darknet classifier train x.data dlb.cfg -gpus 0,1
        check 'two ranks by one command' one_sentence 'rank 0 of 2 on .*there is no card to compute on: CUDA says cuda[A-Z]'
        check 'which says so' grep -q '^Starting 2 ranks: mpirun' said
    fi
else
    skip 'ranks with -nogpu' 'there is no mpicc, or no mpirun'
fi

if ! nvidia-smi -L >/dev/null 2>&1; then
    darknet classifier train x.data dlb.cfg
    check 'says that there is no card, and what to do' one_sentence 'there is no card to compute on: CUDA says cuda[A-Z].*; -nogpu computes on the CPU'
    darknet classifier valid x.data dlb.cfg backup/dlb.weights
    check 'so does validation' one_sentence 'there is no card to compute on'
    skip 'trajectory on the GPU' 'there is no card'
    skip 'two ranks on one card' 'there is no card'
    skip 'two ranks on two cards' 'there is no card'
    finish
    exit
fi

export NVIDIA_TF32_OVERRIDE=0 CMOCKA_MESSAGE_OUTPUT=TAP
for name in "${unit_tests[@]}"; do
    check "$name on the GPU" in_root "$build/tests/test_$name"
done
check 'trajectory on the GPU' in_root tests/trajectory/trajectory_test.sh
if [ $mpi = 1 ]; then
    check 'ranks on the GPU' ranks_test
else
    skip 'ranks on the GPU' 'there is no mpicc'
fi
finish
