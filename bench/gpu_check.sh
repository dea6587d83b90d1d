#!/bin/bash
# The whole proof on a machine with a GPU, without network: builds, tests, sanitizers, short trainings with each
# key of a GPU's, speed beside PyTorch, and baseline, control and DLB trained on Fashion-MNIST. Writes
# bench/results/gpu.md, anew after each part, and the comparisons' reports to bench/results/gpu/.
#
#   make gpu-check TIME=SECONDS DARKNET_SRC=FOLDER FASHION_MNIST=FOLDER [SEEDS=N ...]
#   DARKNET_SRC=FOLDER FASHION_MNIST=FOLDER bench/gpu_check.sh SECONDS
#   bench/gpu_check.sh SECONDS -plan
#
# SECONDS is the time for the trainings; building and testing come on top. The same command goes on
# with trainings that it was stopped in; without build/gpu-check it starts anew. -plan says what would
# be done, and with which numbers, and does nothing; it needs no card, and none of the variables.
#
#   DARKNET_SRC     the host's source: a checkout, its tarball, or a folder with the tarball in it
#   FASHION_MNIST   the folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
#                   t10k-labels-idx1-ubyte, plain or as .gz
#   CUDA            the toolkit (default: /usr/local/cuda); its compute-sanitizer is used if it is there
#   SEEDS           of each comparison (default: 3)
#   STEP_MS         milliseconds of a DLB step, "RESNET20 RESNET32" (default: measured; 20 30 in -plan)
#   PYTHON          an interpreter that has PyTorch, if any (default: python3, or /usr/bin/python3)
#   ROUNDS          of the arms beside PyTorch (default: 5)
#
# Nothing is installed: the machine must have what `make install-packages` installs (but for Debian's package of
# Fashion-MNIST), libcmocka-dev, python3, gnuplot for the charts, and a CUDA toolkit with a driver. cuDNN and NCCL
# are used where their headers are. Where mpicc and mpirun are there, two ranks are tried on one card, under
# memcheck too, and, where there are two, on two.
set -eu
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS # or what was given to make gpu-check would win over what is found here
export CUDA=${CUDA:-/usr/local/cuda} LC_ALL=C
# shellcheck source=darknet/host.lock
. darknet/host.lock
work=build/gpu-check
results=bench/results/gpu.md reports=bench/results/gpu
images=60000 batch=128 seeds=${SEEDS:-3} most_epochs=100 short=60
fashion=${FASHION_MNIST:-}
networks=(resnet20 resnet32)
labels=(clean noise40)
protocols=(equal-images equal-updates-2n)
build='' plan=0 failed=0 iterations=
unfinished='The check has not come to its end: what is missing here has not been measured.'

say() { printf '%s\n' "$*"; }
die() {
    say "gpu_check.sh: $*" >&2
    exit 1
}
usage() { die 'usage: DARKNET_SRC=FOLDER FASHION_MNIST=FOLDER bench/gpu_check.sh SECONDS [-plan]'; }

# ---- doing, or saying ----

# step LOG COMMAND...: its output goes to a log; a failure is noted and the rest goes on
step() {
    local log=$work/$1
    shift
    say "+ $*"
    [ $plan = 0 ] || return 0
    if "$@" >"$log" 2>&1 </dev/null; then
        return 0
    fi
    say "  failed; see $log"
    failed=$((failed + 1))
    return 1
}

# table LINE: into the results
table() { [ $plan = 1 ] || printf '%s\n' "$*" >>"$work/gpu.md"; }

# What is measured so far is kept, whatever becomes of the rest.
publish() { # [NOTE]
    [ $plan = 0 ] || return 0
    { cat "$work/gpu.md"; [ $# = 0 ] || printf '\n%s\n' "$*"; } >"$results"
}

# ---- before anything takes time ----

tarball_in() { # FOLDER
    if [ -f "$1/$HOST_TARBALL" ]; then say "$1/$HOST_TARBALL"; else say "$1"; fi
}

check_machine() {
    [ $plan = 0 ] || return 0
    command -v "$CUDA/bin/nvcc" >/dev/null || die "there is no $CUDA/bin/nvcc: set CUDA to the toolkit's folder."
    nvidia-smi -L >/dev/null 2>&1 || die 'nvidia-smi finds no GPU.'
}

check_inputs() {
    local name
    [ $plan = 0 ] || return 0
    [ -n "${DARKNET_SRC:-}" ] || die 'set DARKNET_SRC to a folder with the host'\''s source.'
    [ -e "$DARKNET_SRC" ] || die "DARKNET_SRC=$DARKNET_SRC does not exist."
    DARKNET_SRC=$(tarball_in "$DARKNET_SRC")
    export DARKNET_SRC
    [ -n "$fashion" ] || die 'set FASHION_MNIST to the folder of its four files.'
    for name in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
        [ -f "$fashion/$name-ubyte" ] || [ -f "$fashion/$name-ubyte.gz" ] ||
            die "FASHION_MNIST=$fashion has no $name-ubyte, plain or as .gz."
    done
}

# ---- build and tests ----

cudnn=0 mpi=0 nccl=0
has_header() { echo "#include <$1>" | "$CUDA/bin/nvcc" -x cu -E - >/dev/null 2>&1; }
make_gpu() { make --no-print-directory -j"$(nproc)" GPU=1 CUDNN=$cudnn MPI=$mpi NCCL=$nccl "$@"; }

# What of it is there. NCCL is for several ranks, which need MPI.
find_libraries() {
    ! has_header cudnn.h || cudnn=1
    ! command -v mpicc >/dev/null || ! command -v mpirun >/dev/null || mpi=1
    [ $mpi = 0 ] || ! has_header nccl.h || nccl=1
}

unit_tests() {
    local file
    for file in tests/unit/test_*.c; do
        basename "$file" .c
    done
}

build_all() {
    find_libraries
    build=$(make_gpu -s show-build 2>/dev/null) || build=build/gpu
    step build.log make_gpu build-tests "$build/darknet" "$build/bench/step_times" "$build/bench/step_cost" ||
        [ $plan = 1 ] || die 'nothing more can be done.'
}

# count LOG PATTERN
count() { grep -cE "$2" "$work/$1" || true; }

# run_test NAME COMMAND...: a program that prints TAP, without TF32, whose products are not the CPU's
run_test() {
    local name=$1 skipped ok bad
    shift
    NVIDIA_TF32_OVERRIDE=0 CMOCKA_MESSAGE_OUTPUT=TAP step "$name.log" "$@" || true
    [ $plan = 0 ] || return 0
    skipped=$(count "$name.log" '^(not )?ok .*# *SKIP')
    ok=$(($(count "$name.log" '^ok ') - $(count "$name.log" '^ok .*# *SKIP')))
    bad=$(($(count "$name.log" '^not ok ') - $(count "$name.log" '^not ok .*# *SKIP')))
    table "| $name | $ok | $bad | $skipped |"
}

run_tests() {
    local name
    table '' && table '## Tests' && table '' && table '| test | passed | failed | skipped |' && table '| --- | --- | --- | --- |'
    for name in $(unit_tests); do
        run_test "$name" "$build/tests/$name"
    done
    export DARKNET=$PWD/$build/darknet COMPARE_WEIGHTS=$PWD/$build/tests/compare_weights # tests change the folder
    run_test trajectory tests/trajectory/trajectory_test.sh
    [ $mpi = 0 ] || run_test ranks tests/gpu/ranks_test.sh
    for name in train resume recipe; do
        run_test "end-to-end-$name" "tests/end_to_end/${name}_test.sh"
    done
    table '' && table 'Those of end-to-end compare bit for bit, as the CPU promises it and a GPU does not: see what failed' \
        "in \`$work/end-to-end-*.log\`."
}

run_sanitizers() {
    local tool name verdict sanitizer=$CUDA/bin/compute-sanitizer
    table '' && table '## compute-sanitizer' && table ''
    if [ $plan = 0 ] && [ ! -x "$sanitizer" ]; then
        table "Not run: there is no compute-sanitizer in the toolkit."
        return
    fi
    table '| tool | test | verdict |' && table '| --- | --- | --- |'
    for tool in memcheck racecheck initcheck; do
        for name in test_dlb_cost_layer test_gpu_twins test_gpu_kernels test_half_convolution test_drawn_rows test_step_graph; do
            verdict=clean
            step "$tool-$name.log" "$sanitizer" --tool $tool --error-exitcode 9 "$build/tests/$name" ||
                verdict="see the log: $(tail -n 1 "$work/$tool-$name.log")"
            table "| $tool | $name | $verdict |"
        done
    done
    [ $mpi = 0 ] || sanitize_ranks "$sanitizer"
}

# Each rank has a sanitizer of its own, whose status mpirun passes on.
sanitize_ranks() { # SANITIZER
    local verdict=clean
    step memcheck-ranks.log tests/gpu/ranks_test.sh -under \
        "$1" --tool memcheck --target-processes all --error-exitcode 9 ||
        verdict="see $work/memcheck-ranks.log"
    table "| memcheck | two ranks on one card | $verdict |"
}

# ---- what changes a step on a GPU ----

# A few iterations of ResNet-20, as they are and with each key; half needs cuDNN.
run_short_trainings() {
    local keys settings=('' cuda_graph=1 augment_on_gpu=1 fused_batchnorm=1 'cuda_graph=1 fused_batchnorm=1')
    [ $cudnn = 0 ] || settings+=(half=1 half=bfloat16 'half=1 cuda_graph=1' 'half=1 fused_batchnorm=1')
    table '' && table '## Short trainings' && table '' && table "ResNet-20, $short iterations from one seed, means of the last 10:"
    table '' && table "| \`[net]\` | CE | LB |" && table '| --- | --- | --- |'
    for keys in "${settings[@]}"; do
        train_short "$keys"
    done
}

train_short() { # KEYS
    local keys=$1 name cfg losses='failed | see the log'
    name=short${keys:+-${keys//[ =]/-}}
    cfg=$work/$name.cfg
    [ $plan = 1 ] || sed "s/^\[net\]\$/&\n${keys// /\\n}/" "$(write_cfg resnet20 $short)" >"$cfg"
    if step "$name.log" "$build/darknet" classifier train "$work/clean/fashion-mnist.data" "$cfg" -seed 1 -valid_every 0 \
        -save_every 0 -backup "$work/short" && [ $plan = 0 ]; then
        losses=$(tail -n 10 "$work/short/$name.log.csv" |
            awk -F, '{ ce += $5; lb += $6 } END { printf "%.4f | %.4f", ce / NR, lb / NR }')
    fi
    table "| ${keys:-as it is} | $losses |"
}

# ---- speed ----

run_speed() {
    table '' && table '## Speed' && table '' && table 'A step of ResNet-20 at 32x32:' && table ''
    step step_cost.log "$build/bench/step_cost" cfg/resnet20.cfg 101 || true
    [ $plan = 1 ] || sed 's/^/    /' "$work/step_cost.log" | grep -v 'conv\|layer  ' >>"$work/gpu.md" || true
    table ''
    step pytorch.log bench/gpu_vs_pytorch.py "$build" ||
        table "Something of this failed: see $work/pytorch.log."
    [ $plan = 1 ] || grep -E '^(PyTorch |\||$)' "$work/pytorch.log" >>"$work/gpu.md" || true
}

# ---- trainings ----

source_of() { # NETWORK: a cfg with DLB
    case $1 in
    resnet20) say cfg/resnet20.cfg ;;
    resnet32) say cfg/paper/resnet32-10-dlb.cfg ;;
    esac
}

# write_cfg NETWORK ITERATIONS: into the work folder, with the recipe of the paper's cfgs in cfg/paper, whose
# steps are these parts of a run
write_cfg() {
    local out=$work/$1-dlb.cfg
    awk -v n="$2" -v batch=$batch '
        /^\[/ { section = $0 }
        section != "[net]" { print; if ($0 == "[dlb_cost]") has = 1; next }
        $0 == "[net]" {
            print
            print "batch=" batch "\nsubdivisions=1\npad_crop=4\nflip=1\nmean=.286,.286,.286\nstd=.353,.353,.353"
            print "momentum=0.9\nnesterov=1\ndecay=0.0005\ndecay_all=1\nlearning_rate=0.05\npolicy=steps\nscales=.1,.1,.1"
            printf "steps=%d,%d,%d\nmax_batches=%d\ncudnn_benchmark=1\n", n * .625, n * .75, n * .875, n
            next
        }
        /^(height|width|channels)=/ { print }
        END { if (!has) print "\n[dlb_cost]\nalpha=1\ntemperature=3" }' "$(source_of "$1")" >"$out"
    say "$out"
}

# DLB's steps that all runs of a network together last for, an iteration each: three arms with each
# protocol, label set and seed; the baseline of equal-updates-2n has half of the batch.
steps_an_iteration() {
    awk -v seeds="$seeds" -v labels=${#labels[@]} 'BEGIN { print seeds * labels * (3 + 2.5) }'
}

# iterations_within SECONDS MS_A MS_B: as many for each network, in the time of both
iterations_within() {
    awk -v seconds="$1" -v a="$2" -v b="$3" -v steps="$(steps_an_iteration)" -v most=$((most_epochs * images / batch)) \
        'BEGIN { n = int(seconds * 1000 / (steps * (a + b) * 1.2)); print n < most ? n : most }'
}

measure_ms() { # NETWORK: median milliseconds of an iteration, loading included
    local cfg backup=$work/measure
    cfg=$(write_cfg "$1" 200)
    step "measure-$1.log" "$build/darknet" classifier train "$work/clean/fashion-mnist.data" "$cfg" -seed 1 -valid_every 0 \
        -save_every 0 -backup "$backup" >&2 || die "$1 cannot be trained."
    tail -n +50 "$backup/$1-dlb.log.csv" | awk -F, '{ print 1000 * ($8 + $9) }' | sort -n |
        awk '{ v[NR] = $1 } END { median = v[int((NR + 1) / 2)]; print median; exit !(median > 0) }' ||
        die "the log of $1's training has no times."
}

prepare_data() {
    step clean.log "$build/darknet" dlb prepare fashion-mnist "$fashion" "$work/clean" || die 'no data.'
    step noise40.log "$build/darknet" dlb prepare fashion-mnist "$fashion" "$work/noise40" -noise 0.4 || die 'no data.'
}

compare_one() { # NETWORK LABELS PROTOCOL DEADLINE
    local out=$work/runs/$1-$2-$3 left
    left=$(($4 - SECONDS))
    [ $left -ge 1 ] || left=1
    step "compare-$1-$2-$3.log" timeout "$left" "$build/darknet" dlb compare "$work/$2/fashion-mnist.data" "$work/$1-dlb.cfg" \
        -protocol "$3" -seeds "$seeds" -valid_every 10 -out "$out" || true
    [ $plan = 0 ] || return 0
    "$build/darknet" dlb report "$out" >>"$work/compare-$1-$2-$3.log" 2>&1 || true
    table '' && table "### $1, $2, $3" && table ''
    if [ -f "$out/report.md" ]; then
        keep_report "$1-$2-$3" "$out"
    else
        table "No report: see $work/compare-$1-$2-$3.log."
    fi
}

# Beside the results, which get its accuracies and a link.
keep_report() { # NAME FOLDER
    local kept=$reports/$1 part
    rm -rf "$kept"
    mkdir -p "$kept"
    for part in report.md results.csv charts; do
        [ ! -e "$2/$part" ] || cp -r "$2/$part" "$kept"
    done
    awk '/^## / { accuracies = /^## Accuracy/ } accuracies && /^\|/' "$2/report.md" >>"$work/gpu.md"
    table '' && table "[The whole report](gpu/$1/report.md), [its numbers](gpu/$1/results.csv)."
}

# Of a DLB step of each network: given, or of the run that is gone on with, or measured.
step_ms() { # into ms
    local a b
    if [ -n "${STEP_MS:-}" ]; then
        read -r -a ms <<<"$STEP_MS"
    elif [ $plan = 1 ]; then
        ms=(20 30)
    elif [ -f "$work/step_ms" ]; then
        read -r -a ms <"$work/step_ms"
    else
        a=$(measure_ms resnet20) || exit 1
        b=$(measure_ms resnet32) || exit 1
        ms=("$a" "$b")
        say "${ms[*]}" >"$work/step_ms"
    fi
    awk -v given="${ms[*]}" 'BEGIN { n = split(given, v, " "); number = "^[0-9]*[.]?[0-9]+$"
        exit !(n == 2 && v[1] ~ number && v[2] ~ number && v[1] * v[2] > 0) }' ||
        die "\"${ms[*]}\" milliseconds a step: two numbers above 0 are needed, for ${networks[*]} (STEP_MS, or $work/step_ms)."
}

# All that can be refused is, before anything is measured that would be lost.
prepare_trainings() { # SECONDS
    local ms
    prepare_data
    step_ms
    iterations=$(iterations_within "$1" "${ms[0]}" "${ms[1]}")
    say "# ${ms[0]} and ${ms[1]} ms a step: $iterations iterations of batch $batch a run, $((iterations * batch / images)) epochs"
    [ "$iterations" -ge $((images / batch)) ] ||
        die "$1 seconds are $iterations iterations a run, less than an epoch: give more, or fewer SEEDS."
}

run_trainings() { # SECONDS
    local deadline=$((SECONDS + $1 * 11 / 10)) network label protocol
    table '' && table '## Trainings' && table ''
    table "Fashion-MNIST, all $images images, batch $batch, $iterations iterations, $seeds seeds."
    for network in "${networks[@]}"; do
        [ $plan = 1 ] || write_cfg "$network" "$iterations" >/dev/null
        for label in "${labels[@]}"; do
            for protocol in "${protocols[@]}"; do
                compare_one "$network" "$label" "$protocol" "$deadline"
                publish "$unfinished"
            done
        done
    done
}

# ---- all of it ----

begin_results() {
    [ $plan = 0 ] || return 0
    [ ! -f "$work/gpu.md" ] || mv "$work/gpu.md" "$work/gpu-before.md"
    table '# On a GPU'
    table ''
    table "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | head -n 1);" \
        "$("$CUDA/bin/nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/CUDA \1/p')," \
        "cuDNN: $cudnn, MPI: $mpi, NCCL: $nccl. Made by \`make gpu-check\`."
}

main() {
    local section
    case ${1:-} in
    '' | *[!0-9]*) usage ;;
    esac
    [ $# -le 2 ] || usage
    case ${2:-} in
    '') ;;
    -plan) plan=1 fashion=${fashion:-FASHION_MNIST} ;;
    *) usage ;;
    esac
    check_inputs
    check_machine
    mkdir -p "$work"
    build_all
    prepare_trainings "$1"
    begin_results
    for section in run_tests run_sanitizers run_short_trainings run_speed; do
        $section
        publish "$unfinished"
    done
    run_trainings "$1"
    [ $plan = 0 ] || return 0
    publish
    say "$results is written; $failed steps failed; logs are in $work"
    [ $failed -eq 0 ]
}

main "$@"
