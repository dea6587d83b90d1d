#!/bin/bash
# Trains with several loader threads and looks for what ThreadSanitizer found. Only with a binary
# built with SANITIZE=thread does this test anything; tests/run.sh gives it one.
set -u
darknet=${DARKNET:-bin/darknet}
inputs=$(cd "$(dirname "$0")/../trajectory/inputs" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! grep -q __tsan_init "$darknet"; then
    echo 'ok 1 - no data race # SKIP the binary is not built with SANITIZE=thread'
    echo '1..1'
    exit 0
fi

cp "$inputs"/*.ppm "$inputs"/labels.list "$work"
ls "$work"/*.ppm >"$work/train.list"
printf 'classes=3\ntrain=%s\nlabels=%s\nbackup=%s\n' "$work/train.list" "$work/labels.list" \
    "$work/backup" >"$work/x.data"
echo broken >"$work/img8_klass_a.ppm"
(cat "$work/train.list" && echo "$work/img8_klass_a.ppm") >"$work/bad.list"
sed "s|^train=.*|train=$work/bad.list|" "$work/x.data" >"$work/bad.data"

failed=0
# check NUMBER NAME ARGUMENT...: trains; fails on a race or a status that is not 0
check() {
    local number=$1 name=$2
    shift 2
    if "$darknet" classifier train "$@" -seed 1 >"$work/out" 2>&1 &&
        ! grep -q 'WARNING: ThreadSanitizer' "$work/out"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        tail -n 60 "$work/out" | sed 's/^/# /'
        failed=1
    fi
}
check 1 'no data race, 4 loader threads' "$work/x.data" "$inputs/dlb.cfg" -threads 4
check 2 'no data race, two micro-batches' "$work/x.data" "$inputs/dlb_subdivisions.cfg" -threads 3
check 3 'no data race, a bad image left out' "$work/bad.data" "$inputs/dlb.cfg" -threads 4 -skip_bad
sed 's/^pad_crop=0/pad_crop=1\nmixup=.4\ncutout=2/' "$inputs/dlb_recipe.cfg" >"$work/mixed.cfg"
check 4 'no data race, rows mixed' "$work/x.data" "$work/mixed.cfg" -threads 4
echo '1..4'
exit $failed
