#!/bin/bash
# The GPU build, for one architecture and without optimisation: it compiles and links where nvcc is
# installed, card or not, and works with -nogpu. With a card its tests run there too. CUDA says where
# the toolkit is.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=$root/build/gpu-test
nvcc=${CUDA:-/usr/local/cuda}/bin/nvcc
cpu_build=$(realpath "${DARKNET:-$root/bin/darknet}")
unit_tests=(gpu_twins half_convolution dlb_cost_layer gpu_kernels)
cudnn=0
log=$(mktemp) || exit 1

# make_gpu TARGET...
make_gpu() {
    make -s --no-print-directory -C "$root" -j"$(nproc)" GPU=1 CUDNN=$cudnn OPENCV=0 ARCH=-arch=sm_75 BUILD="$build" \
        OPTS=-O0 DLB_OPTS=-O0 "$@"
}

compile() {
    make_gpu "$build/darknet" "$build/libdarknet.so" "$build/tests/compare_weights" \
        "${unit_tests[@]/#/$build/tests/test_}"
}

if ! command -v "$nvcc" >/dev/null; then
    echo "ok 1 - GPU=1 CUDNN=1 compiles and links # SKIP there is no $nvcc"
    echo '1..1'
    exit
fi
! echo '#include <cudnn.h>' | "$nvcc" -x cu -E - >/dev/null 2>&1 || cudnn=1
if ! compile >"$log" 2>&1; then
    echo "not ok 1 - GPU=1 CUDNN=$cudnn compiles and links"
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
check 'validates with -nogpu' darknet classifier valid x.data dlb.cfg backup/dlb.weights -nogpu
check 'commands of dlb need no card' darknet dlb inspect dlb.cfg

if ! nvidia-smi -L >/dev/null 2>&1; then
    darknet classifier train x.data dlb.cfg
    says_what_is_missing() { [ "$status" = 1 ] && grep -q 'cuda\.c:[0-9]*: CUDA says cuda[A-Z]' said; }
    check 'says where there is no card: file, line and status' says_what_is_missing
    skip 'trajectory on the GPU' 'there is no card'
    finish
    exit
fi

in_root() { (cd "$root" && "$@"); }
export NVIDIA_TF32_OVERRIDE=0 CMOCKA_MESSAGE_OUTPUT=TAP COMPARE_WEIGHTS=$build/tests/compare_weights
for name in "${unit_tests[@]}"; do
    check "$name on the GPU" in_root "$build/tests/test_$name"
done
check 'trajectory on the GPU' in_root tests/trajectory/trajectory_test.sh
finish
