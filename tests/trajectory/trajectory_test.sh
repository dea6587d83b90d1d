#!/usr/bin/env bash
# Train with the real binary and compare where it ends with a simulation in PyTorch
# (see simulate.py): the end weights, and ce, lb and total of each iteration.
# No case may depend on the seed.
#
# Usage: COMPARE_WEIGHTS=path/to/compare_weights [DARKNET=bin/darknet] trajectory_test.sh
set -u

darknet=${DARKNET:-bin/darknet}
compare_weights=${COMPARE_WEIGHTS:-}
cases=(baseline dlb dlb_subdivisions dlb_alpha_zero nesterov label_smoothing normalised recipe dlb_recipe)
seeds=(1 7 4242)
tolerance=1e-5

for tool in "$darknet" "$compare_weights"; do
    if ! command -v "$tool" >/dev/null; then
        echo "Bail out! '$tool' cannot be run; set DARKNET and COMPARE_WEIGHTS"
        exit 1
    fi
done
here=$(cd "$(dirname "$0")" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp "$here"/inputs/* "$work" || exit 1
for list in "${cases[@]/%/.list}"; do
    sed "s|^|$work/|" "$here/inputs/$list" >"$work/$list"
done

count=0
failures=0

# check NAME COMMAND...: one line of TAP; the command's output follows as comments
check() {
    local name=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    count=$((count + 1))
    if [ $status -eq 0 ]; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        failures=$((failures + 1))
    fi
    [ -z "$output" ] || printf '# %s\n' "${output//$'\n'/$'\n'# }"
}

# differs COMMAND...: success if the command finds a difference (status 1), not if it breaks
differs() {
    "$@"
    [ $? -eq 1 ]
}

# train CASE SEED BACKUP
train() {
    mkdir "$3"
    cat >"$3/x.data" <<END
classes=3
train=$work/$1.list
valid=$work/$1.list
labels=$work/labels.list
backup=$3
END
    timeout 60 "$darknet" classifier train "$3/x.data" "$work/$1.cfg" "$work/start.weights" \
        -seed "$2" -threads 2 "${@:4}" >"$3/output.txt" 2>&1
    local status=$?
    if [ $status -ne 0 ]; then
        echo "status $status, after:"
        tail -n 5 "$3/output.txt"
    fi
    return $status
}

# compare_log LOG EXPECTED: status 0 if ce, lb and total agree, 1 if not, 2 if there is no log
compare_log() {
    if [ ! -f "$1" ]; then
        echo "there is no $1"
        return 2
    fi
    awk -F, -v relative=$tolerance -v absolute=1e-6 '
        function differ(what) { print "line " FNR ": " what; different = 1 }
        function compare(name, got, want,    off) {
            if (want == "") {
                if (got != "") differ(name " is " got ", expected none")
                return
            }
            if (got !~ /^[-+]?[0-9]+([.][0-9]*)?([eE][-+]?[0-9]+)?$/) {
                differ(name " is \"" got "\", expected " want)
                return
            }
            off = got > want ? got - want : want - got
            if (off > absolute + relative * want) differ(name " is " got ", expected " want)
            if (off / want > worst) worst = off / want
        }
        NR == FNR {
            ce[FNR] = $2; lb[FNR] = $3; total[FNR] = $4
            lines = FNR
            next
        }
        FNR == 1 {
            if ($0 != "iteration,images,epoch,rate,ce,lb,total,load_s,step_s,valid_top1,valid_topk,valid_ce") differ("header " $0)
            next
        }
        {
            if (NF != 12 || $1 != FNR - 1) differ("iteration " $1 ", " NF " columns")
            compare("ce", $5, ce[FNR])
            compare("lb", $6, lb[FNR])
            compare("total", $7, total[FNR])
        }
        END {
            if (FNR != lines) differ(FNR " lines, expected " lines)
            printf "worst relative error %.3g\n", worst
            exit different
        }' "$2" "$1"
}

for case in "${cases[@]}"; do
    expected=$here/expected/$case
    for seed in "${seeds[@]}"; do
        run=$work/$case.$seed
        check "$case, seed $seed: trains" train "$case" "$seed" "$run"
        check "$case, seed $seed: end weights as simulated" \
            "$compare_weights" "$run/$case.weights" "$expected.weights" $tolerance
        check "$case, seed $seed: losses as simulated" \
            compare_log "$run/$case.log.csv" "$expected.csv"
    done
done

# Shards, on the CPU, add up to the same: without batch normalisation the simulation is theirs, too.
for case in dlb_subdivisions dlb_recipe; do
    expected=$here/expected/$case
    run=$work/$case.shards
    sed -i 's/^subdivisions=.*/&\nshards=2/' "$work/$case.cfg"
    check "$case in shards: trains" train "$case" 1 "$run" -nogpu
    check "$case in shards: end weights as simulated" \
        "$compare_weights" "$run/$case.weights" "$expected.weights" $tolerance
    check "$case in shards: losses as simulated" \
        compare_log "$run/$case.log.csv" "$expected.csv"
    check "$case in shards: a sum in another order" \
        differs cmp -s "$run/$case.weights" "$work/$case.1/$case.weights"
done

# the test can fail: dlb does not train like the baseline
run=$work/dlb.${seeds[0]}
check "dlb's end weights are not the baseline's" \
    differs "$compare_weights" "$run/dlb.weights" "$here/expected/baseline.weights" $tolerance
check "dlb's losses are not the baseline's" \
    differs compare_log "$run/dlb.log.csv" "$here/expected/baseline.csv"
for case in nesterov label_smoothing normalised; do
    check "nor are those of $case" differs "$compare_weights" \
        "$work/$case.${seeds[0]}/$case.weights" "$here/expected/baseline.weights" $tolerance
done

echo "1..$count"
[ $failures -eq 0 ]
