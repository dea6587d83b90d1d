#!/bin/bash
# Steps of the patch series build: the host alone until the layer's type is there, with dlb_layer/ from
# then on, with onednn/ from its hooks on. Those that bring these, every third one and the last;
# EVERY_STEP=1 builds each.
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
is_built() { # PATCH
    local step
    step=$(basename "$1" | cut -d- -f1)
    case $step in "$layer_type" | "$commands" | "$backend") return ;; esac
    [ $((10#$step % ${EVERY_STEP:-3})) = 0 ] || [ "$1" = "${patches[-1]}" ]
}
patches=(patches/*.patch)
for patch in "${patches[@]}"; do
    is_built "$patch" || continue
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
