#!/bin/bash
# Runs the targets with libFuzzer, as many at once as there are processors, and ends with a table.
#
#   tests/fuzz/fuzz.sh PROGRAM SECONDS [PART-OF-A-TARGET'S-NAME]
#
# Inputs that reach new code stay in build/fuzz/corpus/TARGET for the next time. An input that
# crashes is kept in build/fuzz/crashes: put it, made small, into tests/fuzz/regressions/TARGET.
# Leaks are told by run_resources.c, so libFuzzer's own search for them is off.
set -u
program=$PWD/$1 seconds=$2 only=${3:-}
cd "$(dirname "$0")/../.." || exit 1
folder=$PWD/build/fuzz
TMPDIR=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer)
export ASAN_SYMBOLIZER_PATH

# shellcheck disable=SC2317 # xargs calls it
fuzz_one() { # TARGET
    local target=$1 corpus=$folder/corpus/$1 dictionary=$PWD/tests/fuzz/$1.dict
    local regressions=$PWD/tests/fuzz/regressions/$1
    mkdir -p "$corpus"
    [ -d "$regressions" ] || regressions=
    [ -e "$dictionary" ] && dictionary=-dict=$dictionary || dictionary=
    rm -f "$folder/$target.profraw"
    # shellcheck disable=SC2086 # nothing where there is none
    LLVM_PROFILE_FILE=$folder/$target.profraw FUZZ_TARGET=$target "$program" -max_total_time="$seconds" -max_len=16384 -timeout=30 \
        -rss_limit_mb=2048 -close_fd_mask=3 -print_final_stats=1 \
        -artifact_prefix="$folder/crashes/$target-" $dictionary \
        "$corpus" "$PWD/tests/fuzz/seeds/$target" $regressions >"$folder/$target.log" 2>&1 </dev/null
    echo $? >"$folder/$target.status"
}

# The lines of the target's files, and how many of them were run. A run that crashed does not say.
count_lines() { # TARGET SOURCE...
    local profile=$folder/$1.profraw
    shift
    [ -s "$profile" ] || { echo -; return; }
    llvm-profdata merge -o "$profile.merged" "$profile"
    llvm-cov report "$program" -instr-profile="$profile.merged" "$@" |
        awk '$1 == "TOTAL" { printf "%d of %d, %d %%", $8 - $9, $8, $8 ? 100 * ($8 - $9) / $8 : 0 }'
}

mkdir -p "$folder/crashes"
export -f fuzz_one
export program seconds folder
targets=$("$program" | grep -- "^[^ ]*${only}[^ ]* ")
[ -n "$targets" ] || { echo "no target has \"$only\" in its name" >&2; exit 1; }
cut -d ' ' -f 1 <<<"$targets" | xargs -P "$(nproc)" -I {} bash -c 'fuzz_one {}'

failed=0
printf '%-16s %12s %12s  %-22s %s\n' target executions a-second 'lines of its files run' result
while read -r target sources; do
    log=$folder/$target.log status=$(cat "$folder/$target.status")
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    result='no crash'
    [ "$status" = 0 ] || { result="FAILED, see $log"; failed=1; }
    # shellcheck disable=SC2086 # one word for each file
    printf '%-16s %12s %12s  %-22s %s\n' "$target" "${runs:--}" "${speed:--}" "$(count_lines "$target" $sources)" "$result"
done <<<"$targets"
exit $failed
