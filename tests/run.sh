#!/bin/bash
# Runs every test and ends with one line: N passed, N failed, N skipped.
#
#   tests/run.sh             all of them
#   tests/run.sh loader      only those whose name contains "loader"
#
# Each test is a program or script that prints TAP; its output goes to build/log/.
# Unit and end-to-end tests run under AddressSanitizer and UndefinedBehaviorSanitizer, the loader's
# under ThreadSanitizer too. "bare" is the build without OpenCV and oneDNN, "mpi" is for several ranks.
set -u
cd "$(dirname "$0")/.." || exit 1
only=${1:-}
export log=build/log

export CMOCKA_MESSAGE_OUTPUT=TAP
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=suppressions=$PWD/tests/libraries.tsan
export LSAN_OPTIONS=suppressions=$PWD/tests/host_leaks.lsan:print_suppressions=0

# As the program would set it, which starts anew for that (onednn/thread_waiting.c); end_to_end/backends
# and the trajectory do without.
export OMP_WAIT_POLICY=passive

say() { printf '%s\n' "$*"; }

# built SANITIZERS [FLAG...]: the folder of that build
built() { make --no-print-directory -s show-build SANITIZE="$1" "${@:2}"; }

# build TARGET SANITIZERS [FLAG...]
build() {
    say "building: $1 ${2:-without sanitizers} ${*:3}"
    make --no-print-directory -s -j"$(nproc)" "$1" SANITIZE="$2" "${@:3}" >>"$log/build.log" 2>&1 && return
    tail -n 30 "$log/build.log"
    say "the build failed; all of it is in $log/build.log"
    say '0 passed, 1 failed, 0 skipped'
    exit 1
}

# count FILE PATTERN
count() { grep -cE "$2" "$1" || true; }

# plan NAME COMMAND...: one test to run
names=() commands=()
plan() {
    case $1 in *"$only"*) ;; *) return ;; esac
    names+=("$1")
    commands+=("$(printf '%q ' "${@:2}")")
}

# run NAME COMMAND: counts the TAP lines of the command's output, says the result at once and leaves
# the numbers behind. A crash, or fewer lines than the plan announces, is one more failure.
run() {
    local name=$1 out=$log/${1//\//-}.log status ok bad skip planned
    bash -c "$2" >"$out" 2>&1 </dev/null
    status=$?
    # cmocka says "not ok N # SKIP", others "ok N # SKIP"
    skip=$(count "$out" '^(not )?ok .*# *SKIP')
    ok=$(grep -E '^ok ' "$out" | grep -cvE '# *SKIP' || true)
    bad=$(grep -E '^not ok ' "$out" | grep -cvE '# *SKIP' || true)
    planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out" | head -n 1)
    {
        if [ "$((ok + bad + skip))" != "${planned:-none}" ]; then
            say "# $name: ${planned:-no} tests announced, $((ok + bad + skip)) reported"
            bad=$((bad + 1))
        elif [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
            say "# $name: ended with status $status"
            bad=1
        fi
        printf '%-44s %4d passed %3d failed %3d skipped %4d s\n' "$name" "$ok" "$bad" "$skip" "$SECONDS"
        grep -E '# *SKIP' "$out" | sed 's/^/    /'
        if [ "$bad" -gt 0 ]; then
            grep -nE -A 6 '^not ok|ERROR: |runtime error|WARNING: ThreadSanitizer' "$out" | head -n 40
            say "    all of it: $out"
        fi
    } >"$out.result"
    say "$ok $bad $skip" >"$out.numbers"
    cat "$out.result"
}

# What was planned, as many at a time as there are processors.
run_planned() {
    local i
    export -f run say count
    for i in "${!names[@]}"; do
        printf '%s\0%s\0' "${names[i]}" "${commands[i]}"
    done | xargs -0 -r -n 2 -P "$(nproc)" bash -c 'run "$@"' run
}

# sum COLUMN: of what the tests left behind
sum() { cat "$log"/*.numbers 2>/dev/null | awk -v column="$1" '{ sum += $column } END { print sum + 0 }'; }

rm -rf "$log"
mkdir -p "$log"
build all ''
build build-tests address,undefined
build build-thread-tests thread
build build-bare-tests '' OPENCV=0 ONEDNN=0
build build-mpi-tests '' MPI=1 OPENCV=0
checked=$(built address,undefined)
threaded=$(built thread)
bare=$(built '' OPENCV=0 ONEDNN=0)
mpi=$(built '' MPI=1 OPENCV=0)
export COMPARE_WEIGHTS=$PWD/$checked/tests/compare_weights
export DARKNET=$PWD/$checked/darknet
export BARE_DARKNET=$PWD/$bare/darknet

# The long ones first, so that none of them is left for the end. Those of crash/ run without
# sanitizers, which do not go with a preloaded library.
plan gpu/emulated tests/gpu/emulated_test.sh
for test in tests/host/*_test.sh; do
    plan "host/$(basename "$test" _test.sh)" "$test"
done
for test in tests/crash/*_test.sh; do
    plan "crash/$(basename "$test" _test.sh)" env DARKNET="$BARE_DARKNET" "$test"
done
# Without sanitizers: they find leaks in MPI, and a build for them would take minutes.
for test in tests/mpi/*_test.sh; do
    plan "mpi/$(basename "$test" _test.sh)" env DARKNET="$PWD/$mpi/darknet" "$test"
done
# The paper's networks are too large for sanitizers.
plan end_to_end/cfgs env DARKNET=bin/darknet tests/end_to_end/cfgs_test.sh
for test in tests/end_to_end/*_test.sh; do
    case $test in *threads_test.sh | *cfgs_test.sh | *backends_test.sh) continue ;; esac
    plan "end_to_end/$(basename "$test" _test.sh)" "$test"
done
plan end_to_end/backends env -u OMP_WAIT_POLICY tests/end_to_end/backends_test.sh
plan threads/train env DARKNET="$PWD/$threaded/darknet" tests/end_to_end/threads_test.sh
plan trajectory env -u OMP_WAIT_POLICY tests/trajectory/trajectory_test.sh
plan bare/trajectory env -u OMP_WAIT_POLICY DARKNET="$BARE_DARKNET" tests/trajectory/trajectory_test.sh
# Leaks are told by the targets themselves.
plan fuzz/replay env -C tests/fuzz ASAN_OPTIONS=detect_leaks=0 "$PWD/$checked/fuzz/replay"
for test in "$threaded"/tests/test_*; do
    case $test in *.d) continue ;; esac
    plan "threads/$(basename "$test" | sed 's/^test_//')" "$test"
done
for test in "$checked"/tests/test_*; do
    case $test in *.d) continue ;; esac
    plan "unit/$(basename "$test" | sed 's/^test_//')" "$test"
done
# What a processor without AVX-512 runs.
plan avx2/onednn_layers env DNNL_MAX_CPU_ISA=AVX2 "$checked/tests/test_onednn_layers"
plan bare/image_decode "$bare/tests/test_image_decode"
plan bare/dlb_cost_layer "$bare/tests/test_dlb_cost_layer"
plan bare/paper_networks "$bare/tests/test_paper_networks"

if [ ${#names[@]} -eq 0 ]; then
    say "no test has \"$only\" in its name"
    say '0 passed, 1 failed, 0 skipped'
    exit 1
fi
run_planned
failed=$(sum 2)
for name in "${names[@]}"; do
    [ -f "$log/${name//\//-}.log.numbers" ] && continue
    say "# $name: was not run to its end"
    failed=$((failed + 1))
done
say "$(sum 1) passed, $failed failed, $(sum 3) skipped"
[ "$failed" -eq 0 ]
