#!/bin/bash
# Trainings that are killed (SIGKILL) again and again: at every kind of moment within a save, between
# write, flush and rename, and anywhere else. After each kill a copy of what is left is resumed to
# the end, without a kill, and compared with an undisturbed run, bit for bit; then the run itself
# goes on to its next kill. Prints TAP, and at the end how many kills and differences there were.
#
# KILLS says how many (default: 200), SEED which (default: 1). DARKNET names the binary, built
# without sanitizers (default: bin/darknet).

# Nothing here depends on a disk, and a kill leaves what the kernel has.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/../end_to_end/tap.sh"
make_data_set
export OMP_NUM_THREADS=1
RANDOM=${SEED:-1}
: "${KILLS:=200}"

"${CC:-cc}" -std=c11 -O1 -Wall -Wextra -Werror -shared -fPIC "$repository/tests/crash/crash_points.c" \
    -o crash_points.so -ldl -pthread || { echo 'Bail out! the preloaded library does not build'; exit 1; }

# ---- trainings ----

# Each with its options; all validate, and save the best and some numbered weights.
dlb_cfg max_batches=24 >dlb.cfg
{
    net max_batches=16 batch=8 subdivisions=2 mixup=0.5 nesterov=1
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky batch_normalize=1
    section dropout probability=.3
    section connected output=3 activation=linear
    section softmax groups=1
    section dlb_cost
} >parts.cfg
baseline_cfg max_batches=24 cutmix=1 >plain.cfg
cp img/3_k0.ppm aside.ppm
options_of() { # NAME
    case $1 in
    dlb) echo -checkpoint_every 3 -save_every 4 ;;
    parts) echo -checkpoint_every 1 -save_every 3 ;;
    plain) echo -checkpoint_every 2 -save_every 3 -skip_bad ;;
    esac
}

train_in() { # FOLDER NAME: with -resume, which starts from the beginning where nothing is there
    # shellcheck disable=SC2046  # the options are words
    "$DARKNET" classifier train x.data "$2.cfg" -seed 11 -threads 2 $(options_of "$2") -resume \
        -backup "$1" >printed 2>said </dev/null
}

without_times() { # LOG
    cut -d, -f1-7,10- "$1"
}

# The files of an undisturbed run, and of another folder that has seen kills; what a kill has left
# half written beside them, as .new, does not count.
same_files() { # WHOLE OTHER
    local file other
    for file in "$1"/*; do
        other=$2/$(basename "$file")
        case $file in
        *.state) [ -s "$other" ] || return ;; # it says how long the log is, and so the times
        *.csv) cmp <(without_times "$file") <(without_times "$other") || return ;;
        *) cmp "$file" "$other" || return ;;
        esac
    done
}

for name in dlb parts plain; do
    CRASH_FOLDER=whole_$name CRASH_COUNT=calls_$name LD_PRELOAD=$PWD/crash_points.so \
        train_in whole_$name $name
    check "$name: an undisturbed run" test -s whole_$name/$name.weights -a "$(cat calls_$name)" -gt 100
done

# ---- kills ----

# Three times in four at one of the calls that write, otherwise after some microseconds.
killed_run() { # FOLDER NAME
    local calls
    calls=$(cat "calls_$2")
    if [ $((RANDOM % 4)) -gt 0 ]; then
        CRASH_CALL=$((1 + RANDOM % calls)) CRASH_PART=$((RANDOM % 3)) \
            CRASH_FOLDER=$1 LD_PRELOAD=$PWD/crash_points.so train_in "$1" "$2"
    else
        CRASH_AFTER=$((RANDOM % 30000)) CRASH_FOLDER=$1 LD_PRELOAD=$PWD/crash_points.so \
            train_in "$1" "$2"
    fi
} 2>shell

kills=0 differences=0 resumed=0 within_saves=0 runs=0
names=(dlb parts plain)
while [ $kills -lt "$KILLS" ] && [ $runs -lt $((10 * KILLS)) ]; do
    name=${names[$((runs % 3))]}
    runs=$((runs + 1))
    rm -rf run
    while [ $kills -lt "$KILLS" ]; do
        killed_run run $name
        status=$?
        [ $status -eq 137 ] || break
        kills=$((kills + 1))
        ! ls run/*.new >listed 2>&1 || within_saves=$((within_saves + 1))
        rm -rf copy
        [ ! -d run ] || cp -r run copy
        train_in copy $name
        status=$?
        ! grep -q ', written after ' said || resumed=$((resumed + 1))
        if [ $status -ne 0 ] || ! same_files whole_$name copy >differs 2>&1; then
            differences=$((differences + 1))
            echo "# kill $kills, $name: status $status, $(head -n 1 differs)"
            tail -n 3 said | sed 's/^/# /'
        fi
    done
    if [ $status -ne 137 ] && [ $kills -lt "$KILLS" ]; then # it came to its end between kills
        same_files whole_$name run >differs 2>&1 || differences=$((differences + 1))
    fi
done

check "$KILLS kills" test $kills -ge "$KILLS"
check "some of them within a save" test $within_saves -ge $((KILLS / 10))
check "most of them after a checkpoint" test $resumed -ge $((KILLS / 2))
check "no run ends otherwise than an undisturbed one" test $differences = 0
echo "# $within_saves with files half saved, $resumed went on from a checkpoint"
echo "# $kills kills, $differences differences"
finish
