#!/bin/bash
# Every step of the patch series builds: the host alone until the layer's type is there, with
# dlb_layer/ from then on, with onednn/ from its hooks on.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 number=0

layer_type=$(basename "$(ls patches/*-layer-type-dlb-cost.patch)" | cut -d- -f1)
commands=$(basename "$(ls patches/*-commands-of-dlb.patch)" | cut -d- -f1)
backend=$(basename "$(ls patches/*-layers-of-a-cpu-backend.patch)" | cut -d- -f1)
# build STEP PATCH: with the time stamps kept, each step compiles only what its patch changed. OpenCV's
# headers take long and few patches touch what includes them.
build() {
    local extra=() opencv=0
    ! grep -qi opencv "$2" || opencv=1
    [ "$1" -ge "$layer_type" ] || extra+=(DLB_OBJECTS= HOST_ALLOC=)
    [ "$1" -ge "$commands" ] || extra+=(COMMANDS=)
    [ "$1" -ge "$backend" ] || extra+=(BACKEND=none)
    HOST_DIR=$work/host SERIES_UPTO=$1 darknet/apply_patches.sh &&
        make -s -j"$(nproc)" HOST="$work/host" BUILD="$work/build$opencv" OPENCV=$opencv OPTS=-O0 DLB_OPTS=-O0 "${extra[@]}" \
            "$work/build$opencv/darknet" "$work/build$opencv/libdarknet.so"
}
for patch in patches/*.patch; do
    step=$(basename "$patch" | cut -d- -f1)
    number=$((number + 1))
    if build "$step" "$patch" >"$work/out" 2>&1; then
        echo "ok $number - the series builds up to $(basename "$patch")"
    else
        echo "not ok $number - the series builds up to $(basename "$patch")"
        tail -n 20 "$work/out" | sed 's/^/# /'
        failed=1
    fi
done
echo "1..$number"
exit $failed
