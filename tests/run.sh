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
log=build/log
passed=0 failed=0 skipped=0

export CMOCKA_MESSAGE_OUTPUT=TAP
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=suppressions=$PWD/tests/libraries.tsan
export LSAN_OPTIONS=suppressions=$PWD/tests/host_leaks.lsan:print_suppressions=0

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

# run NAME COMMAND...: counts the TAP lines of the command's output. A crash, or fewer lines than
# the plan announces, is one more failure.
run() {
    local name=$1 out status ok bad skip planned
    shift
    case $name in *"$only"*) ;; *) return ;; esac
    out=$log/${name//\//-}.log
    "$@" >"$out" 2>&1 </dev/null
    status=$?
    # cmocka says "not ok N # SKIP", others "ok N # SKIP"
    skip=$(count "$out" '^(not )?ok .*# *SKIP')
    ok=$(grep -E '^ok ' "$out" | grep -cvE '# *SKIP' || true)
    bad=$(grep -E '^not ok ' "$out" | grep -cvE '# *SKIP' || true)
    planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out" | head -n 1)
    if [ "$((ok + bad + skip))" != "${planned:-none}" ]; then
        say "# $name: ${planned:-no} tests announced, $((ok + bad + skip)) reported"
        bad=$((bad + 1))
    elif [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        say "# $name: ended with status $status"
        bad=1
    fi
    printf '%-44s %4d passed %3d failed %3d skipped\n' "$name" "$ok" "$bad" "$skip"
    grep -E '# *SKIP' "$out" | sed 's/^/    /'
    if [ "$bad" -gt 0 ]; then
        grep -nE -A 6 '^not ok|ERROR: |runtime error|WARNING: ThreadSanitizer' "$out" | head -n 40
        say "    all of it: $out"
    fi
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

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

for test in "$checked"/tests/test_*; do
    case $test in *.d) continue ;; esac
    run "unit/$(basename "$test" | sed 's/^test_//')" "$test"
done
for test in "$threaded"/tests/test_*; do
    case $test in *.d) continue ;; esac
    run "threads/$(basename "$test" | sed 's/^test_//')" "$test"
done
# Leaks are told by the targets themselves.
ASAN_OPTIONS=detect_leaks=0 run fuzz/replay env -C tests/fuzz "$PWD/$checked/fuzz/replay"
# What a processor without AVX-512 runs.
DNNL_MAX_CPU_ISA=AVX2 run avx2/onednn_layers "$checked/tests/test_onednn_layers"
run bare/image_decode "$bare/tests/test_image_decode"
run bare/dlb_cost_layer "$bare/tests/test_dlb_cost_layer"
run bare/paper_networks "$bare/tests/test_paper_networks"
export COMPARE_WEIGHTS=$PWD/$checked/tests/compare_weights
export DARKNET=$PWD/$checked/darknet
export BARE_DARKNET=$PWD/$bare/darknet
run trajectory tests/trajectory/trajectory_test.sh
DARKNET=$PWD/$bare/darknet run bare/trajectory tests/trajectory/trajectory_test.sh
for test in tests/end_to_end/*_test.sh; do
    case $test in *threads_test.sh) continue ;; esac
    run "end_to_end/$(basename "$test" _test.sh)" "$test"
done
DARKNET=$PWD/$threaded/darknet run threads/train tests/end_to_end/threads_test.sh
# Without sanitizers, which do not go with a preloaded library.
for test in tests/crash/*_test.sh; do
    DARKNET=$PWD/$bare/darknet run "crash/$(basename "$test" _test.sh)" "$test"
done
# Without sanitizers, which find leaks in MPI.
for test in tests/mpi/*_test.sh; do
    DARKNET=$PWD/$mpi/darknet run "mpi/$(basename "$test" _test.sh)" "$test"
done
for test in tests/host/*_test.sh; do
    run "host/$(basename "$test" _test.sh)" "$test"
done

if [ $((passed + failed + skipped)) -eq 0 ]; then
    say "no test has \"$only\" in its name"
    failed=1
fi
say "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
