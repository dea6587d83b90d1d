#!/bin/bash
# `darknet dlb show`: the contact sheet of one iteration, and what it refuses. Prints TAP.
# DARKNET names the binary (default: bin/darknet), BARE_DARKNET one without OpenCV, where there is one.
# What the pixels are is checked in tests/unit/test_show.c.

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
unset DISPLAY WAYLAND_DISPLAY
make_data_set
dlb_cfg >x.cfg

# ---- helpers ----

show() { # ARGUMENT...: of `dlb show x.data x.cfg`
    darknet dlb show x.data x.cfg "$@"
}

size_of_png() { # FILE: width and height
    od -An -tu1 -j16 -N8 "$1" | awk '{ print $3 * 256 + $4, $7 * 256 + $8 }'
}

# The red, green and blue of a pixel of a binary PPM with a header of three lines.
pixel() { # FILE X Y
    local width header
    width=$(sed -n '2s/ .*//p;2q' "$1")
    header=$(head -n 3 "$1" | wc -c)
    od -An -tu1 -j $((header + ($3 * width + $2) * 3)) -N 3 "$1" | tr -s ' '
}

fails_with() { # SENTENCE COMMAND...
    local sentence=$1
    shift
    "$@"
    [ "$status" = 1 ] && [ ! -s printed ] && tail -n 1 said | grep -q '^darknet: ' &&
        tail -n 1 said | grep -qF -- "$sentence"
}

refuses() { # NAME SENTENCE ARGUMENT...: of show
    local name=$1 sentence=$2
    shift 2
    check "refuses $name" fails_with "$sentence" show "$@"
}

# ---- without OpenCV ----

needs="dlb show draws with OpenCV, which this build is without: build with OPENCV=1"
with_bare() {
    DARKNET=$BARE_DARKNET darknet dlb show x.data x.cfg -out pairs.png
}
if [ -n "${BARE_DARKNET:-}" ]; then
    check "a build without OpenCV says so" fails_with "$needs" with_bare
else
    skip "a build without OpenCV says so" "BARE_DARKNET names no such build"
fi
show
if grep -qF "$needs" said; then
    skip "the contact sheet" "this build is without OpenCV"
    finish
    exit
fi

# ---- the picture ----

check "makes a picture" show -out pairs.png
check "says which" grep -qxF "pairs.png: x.cfg: 2 pairs of iteration 2, slot 0, seed 1" printed
check "and nothing else" test ! -s said
# Two tiles of 96 pixels with gaps of 10 and words of 64 beside them, between margins of 12, unless
# the title is wider; two tiles, the gap of 3 and the caption of 36 below the titles of 56.
check "of the expected height" test "$(size_of_png pairs.png | cut -d' ' -f2)" = \
    $((12 + 56 + 96 + 3 + 96 + 36 + 12))
check "and at least the expected width" test "$(size_of_png pairs.png | cut -d' ' -f1)" -ge \
    $((12 + 64 + 96 + 10 + 96 + 12))
check "nothing else is left" test -z "$(find . -name '*.new')"

cp pairs.png first.png
show -out pairs.png
check "the same again" cmp pairs.png first.png
show -seed 1 -iteration 2 -slot 0 -out pairs.png
check "these are the defaults" cmp pairs.png first.png
show -seed 2 -out pairs.png
check "another seed, another picture" test "$(cmp -s pairs.png first.png; echo $?)" = 1
show -iteration 3 -out pairs.png
check "another iteration, another picture" test "$(cmp -s pairs.png first.png; echo $?)" = 1
check "takes other formats" show -out pairs.jpg
check "and writes them" test "$(od -An -tx1 -N 3 pairs.jpg)" = " ff d8 ff"

# Images of one colour, 20 * number: without augmentation both visits have it, and over the
# iterations of an epoch, each image is revisited once.
for i in 1 2 3 4 5 6 7 8; do
    {
        printf 'P6\n8 8\n255\n'
        head -c 192 /dev/zero | tr '\0' "\\$(printf %03o $((20 * i)))"
    } >"img/${i}_k0.ppm"
done
printf '%s\n' img/[1-8]_k0.ppm >train.list
dlb_cfg min_crop=8 max_crop=8 angle=0 aspect=1 hue=0 saturation=1 exposure=1 >x.cfg
both_visits_agree() {
    local iteration pair above below seen=
    for iteration in 2 3 4; do
        show -iteration $iteration -out pairs.ppm || return 1
        for pair in 0 1; do
            above=$(pixel pairs.ppm $((12 + 64 + 106 * pair + 40)) $((12 + 56 + 40)))
            below=$(pixel pairs.ppm $((12 + 64 + 106 * pair + 40)) $((12 + 56 + 96 + 3 + 40)))
            echo "iteration $iteration, pair $pair: $above above, $below below"
            [ "$above" = "$below" ] || return 1
            [ $((${above##* } % 20)) = 0 ] && [ "${above##* }" != 0 ] || return 1
            seen="$seen$above\n"
        done
    done
    # the first iteration is all new, so that half of its images are never revisited
    [ "$(printf '%b' "$seen" | sort -u | wc -l)" = 6 ]
}
check "both visits show the same image, each pair another one" both_visits_agree

printf '%s\n' "a name much longer than a tile is wide" k1 k2 >names
data_file names=names >x.data
check "takes long names for people" show -out pairs.png
check "which change the captions alone" test "$(size_of_png pairs.png)" = "$(size_of_png first.png)"
printf '%s\n' one two >names
refuses "too few names" "names has 2 class names, but x.data has classes=3" -out pairs.png
data_file >x.data

dlb_cfg batch=8 subdivisions=2 random=0 >x.cfg
check "takes a slot" show -slot 1 -out pairs.png
check "and says which" grep -q "slot 1," printed
refuses "a slot that is not there" "-slot 2: x.cfg has subdivisions=2, slots 0 to 1" -slot 2 \
    -out pairs.png

for i in $(seq 140); do echo "img/$((i % 8 + 1))_k0.ppm"; done >train.list
dlb_cfg batch=140 >x.cfg
check "shows no more than fit" show -out pairs.png
check "and says so" grep -qF "the first 64 of 70 pairs" printed

# ---- wrong ----

make_data_set
dlb_cfg >x.cfg
usage="usage: darknet dlb show DATA CFG -out pairs.png"
check "refuses no arguments" fails_with "$usage" darknet dlb show
check "refuses a missing cfg" fails_with "$usage" darknet dlb show x.data -out pairs.png
refuses "too many arguments" "$usage" more -out pairs.png
refuses "no -out" "needs -out FILE or -show"
refuses "-out without a name" "has no option -out, or its value is missing" -out
refuses "an unknown option" "has no option -columns" -columns 3 -out pairs.png
refuses "a seed that is no number" "-seed x: a number from 0 to" -seed x -out pairs.png
refuses "iteration 0" "-iteration 0: a number from 1 to" -iteration 0 -out pairs.png
refuses "the first iteration" "-iteration 1: the first iteration revisits nothing" -iteration 1 \
    -out pairs.png
refuses "a negative slot" "-slot -1: a number from 0 to" -slot -1 -out pairs.png
refuses "an unknown format" "-out pairs.xyz: OpenCV writes no such format" -out pairs.xyz
refuses "a name without extension" "-out pairs: OpenCV writes no such format" -out pairs
refuses "a folder that is not there" "cannot write nowhere/pairs.png: No such file or directory" \
    -out nowhere/pairs.png
mkdir folder.png
refuses "a folder for a file" "cannot write folder.png: Is a directory" -out folder.png
check "and leaves nothing beside it" test -z "$(find . -name '*.new')"
refuses "-show without a display" "neither DISPLAY nor WAYLAND_DISPLAY is set" -show
with_lost_display() {
    DISPLAY=:9999 show -show
}
check "refuses a display that is not there" fails_with "cannot open a window" with_lost_display

baseline_cfg >x.cfg
refuses "a cfg without [dlb_cost]" "x.cfg has no [dlb_cost], so no image is revisited" \
    -out pairs.png
dlb_cfg batch=6 subdivisions=2 >x.cfg
refuses "an odd micro-batch" "batch/subdivisions = 6/2 = 3 is odd" -out pairs.png
dlb_cfg channels=1 >x.cfg
refuses "gray networks, as training does" "x.cfg: channels=1" -out pairs.png
dlb_cfg batch=64 >x.cfg
refuses "a short list, as training does" "fewer than half of batch=64" -out pairs.png
dlb_cfg >x.cfg
data_file classes=4 >x.data
refuses "another number of classes, as training does" "x.data has classes=4" -out pairs.png
data_file >x.data
echo rubbish >img/3_k0.ppm
refuses "an image that cannot be read, by name" "cannot use img/3_k0.ppm of train.list" \
    -iteration 4 -out pairs.png

finish
