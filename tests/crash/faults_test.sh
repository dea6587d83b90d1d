#!/bin/bash
# Trainings that cannot save: a full disk, a read-only folder, a folder that is gone, a disk that
# reports errors. They go on, say so once, keep the last good checkpoint and end with status 1;
# what they leave can be resumed. Prints TAP. DARKNET names the binary, built without sanitizers
# (default: bin/darknet).

[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/../end_to_end/tap.sh"
make_data_set
export OMP_NUM_THREADS=1
"${CC:-cc}" -std=c11 -O1 -Wall -Wextra -Werror -shared -fPIC "$repository/tests/crash/crash_points.c" \
    -o crash_points.so -ldl -pthread || { echo 'Bail out! the preloaded library does not build'; exit 1; }

dlb_cfg max_batches=300 >x.cfg
usual=(-seed 4 -threads 2 -checkpoint_every 5 -save_every 0 -valid_every 0)
train x.data x.cfg "${usual[@]}"
check "an undisturbed run" test "$status" = 0
mv backup whole

without_times() { # LOG
    cut -d, -f1-7,10- "$1"
}

# Starts a training, with COMMAND before it, and waits until it has stopped itself, some checkpoints
# after its start.
cat >start_and_stop <<'SCRIPT'
STOP_CALL=200 CRASH_FOLDER=backup LD_PRELOAD=$PWD/crash_points.so "$@" &
process=$!
until grep -q '^State:.*stopped' /proc/$process/status 2>polled || ! kill -0 $process 2>polled; do
    sleep 0.01
done
SCRIPT
start_training() { # [COMMAND...]
    set -- "$@" "$DARKNET" classifier train x.data x.cfg "${usual[@]}"
    # shellcheck source=/dev/null
    . ./start_and_stop >printed 2>said </dev/null
}

# shellcheck disable=SC2154  # start_and_stop sets it
end_training() { # the process is that of start_and_stop
    kill -s CONT "$process"
    wait "$process"
    status=$?
}

iterations_printed() {
    grep -cE '^[0-9]+, [0-9.]+: ' printed
}

# After a run that could not save from some moment on.
check_failing_run() { # NAME REASON
    check "$1: the training goes on to its end" test "$(iterations_printed)" = 300
    check "$1: says why, once" test "$(grep -c "^darknet: cannot write .*: $2; the training goes on" said)" = 1
    check "$1: ends with status 1" test "$status" = 1
    check "$1: and names what is lost" grep -q '^darknet: could not be written: .*x\.weights' said
}

# With the checkpoint that is left in backup/, where things can be written again.
check_going_on() { # NAME
    train x.data x.cfg "${usual[@]}" -resume
    check "$1: goes on from the last good checkpoint" test "$status" = 0
    check "$1: which is there" grep -q '^Going on from .*, written after [1-9]' said
    check "$1: to the same weights" cmp whole/x.weights backup/x.weights
    check "$1: and the same log" cmp <(without_times whole/x.log.csv) <(without_times backup/x.log.csv)
}

# ---- a full disk ----

# In a mount namespace of its own, so that nothing has to be unmounted.
if unshare -m true 2>said; then
    rm -rf backup small
    mkdir small
    cat >on_small_disk <<'SCRIPT'
mount -t tmpfs -o size=64k tmpfs small || exit 99
ln -sfn small backup
. ./start_and_stop
head -c 100000 /dev/zero >small/filler 2>polled
kill -s CONT $process
wait $process
status=$?
rm -f small/filler
cp -r small kept
exit $status
SCRIPT
    rm -rf kept
    unshare -m bash on_small_disk "$DARKNET" classifier train x.data x.cfg "${usual[@]}" \
        >printed 2>said </dev/null
    status=$?
    check_failing_run "full disk" "No space left on device"
    check "full disk: the log is among what is lost" grep -q '^darknet: could not be written: .*log' said
    rm -rf backup
    cp -r kept backup
    check_going_on "full disk"
else
    skip "a full disk" "no mount namespaces here"
fi

# ---- a limit of the size of files ----

rm -rf backup
(ulimit -f 16 && exec "$DARKNET" classifier train x.data x.cfg "${usual[@]}" </dev/null) \
    2>&1 >/dev/null | cat >said
status=${PIPESTATUS[0]}
check "limit of a file's size: ends with status 1" test "$status" = 1
check "limit of a file's size: and names what is lost" \
    grep -qx 'darknet: could not be written: the log, x.state' said
check_going_on "limit of a file's size"

# ---- a folder that is gone, or read-only ----

rm -rf backup away
start_training
mv backup away
end_training
check_failing_run "folder gone" "No such file or directory"
check "folder gone: no other is made" test ! -e backup
mv away backup
check_going_on "folder gone"

# Root may write everywhere.
unprivileged=()
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups test -r x.cfg 2>said; then
    unprivileged=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi
chmod 755 .
if [ "$(id -u)" != 0 ] || [ ${#unprivileged[@]} -gt 0 ]; then
    rm -rf backup
    mkdir backup
    chmod 777 backup
    start_training "${unprivileged[@]}"
        chmod 555 backup
    end_training
    check_failing_run "read-only folder" "Permission denied"
    chmod 777 backup
    check_going_on "read-only folder"
else
    skip "a read-only folder" "root, and no setpriv"
fi

# ---- a disk with errors ----

failing() { # CALL FROM TO
    rm -rf backup
    FAIL_CALL=$1 FAIL_FROM=$2 FAIL_TO=$3 CRASH_FOLDER=backup LD_PRELOAD=$PWD/crash_points.so \
        "$DARKNET" classifier train x.data x.cfg "${usual[@]}" >printed 2>said </dev/null
    status=$?
}

for call in write fsync rename; do
    failing $call 60 1000000
    check_failing_run "$call fails" "Input/output error"
    check_going_on "$call fails"
done
# Errors that pass leave nothing behind; fsync is not asked again about the same bytes.
for call in write fsync rename; do
    failing $call 20 50
    check "$call fails for a while: status 0" test "$status" = 0
    check "$call fails for a while: it was said" grep -q 'Input/output error; the training goes on' said
    check "$call fails for a while: the same weights" cmp whole/x.weights backup/x.weights
    check "$call fails for a while: the same log" \
        cmp <(without_times whole/x.log.csv) <(without_times backup/x.log.csv)
done

# A folder that cannot be flushed once, after either of a checkpoint's renames, ends no checkpoints.
for nth in 4 5 6; do
    failing fsync $nth $nth
    check "flush $nth fails: status 0" test "$status" = 0
    check "flush $nth fails: it was said, or done by the next" \
        test "$(grep -c 'Input/output error; the training goes on' said)" -le 1
    check "flush $nth fails: the last checkpoint" cmp whole/x.backup backup/x.backup
done

finish
