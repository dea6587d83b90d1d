#!/bin/bash
# `darknet dlb prepare fashion-mnist`, on data sets of a few images. Prints TAP.
# Needs no data set and no network. DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"

# ---- IDX files ----

bytes() { # NUMBER...: one byte each
    local number
    # shellcheck disable=SC2059
    for number; do printf "\\x$(printf %02x "$number")"; done
}

big_endian() { # NUMBER...: four bytes each
    local number
    for number; do
        bytes $((number >> 24 & 255)) $((number >> 16 & 255)) $((number >> 8 & 255)) $((number & 255))
    done
}

# Image number i, from 0, has all its pixels at 7 * i + 1 (modulo 256).
images() { # COUNT [HEIGHT WIDTH]
    local i height=${2:-28} width=${3:-28}
    big_endian $((0x803)) "$1" "$height" "$width"
    for ((i = 0; i < $1; i++)); do
        head -c $((height * width)) /dev/zero | tr '\0' "\\$(printf %03o $(((7 * i + 1) % 256)))"
    done
}

labels() { # LABEL...
    big_endian $((0x801)) $#
    bytes "$@"
}

# Makes the folder src anew: 4 images for training, compressed, and 2 for validation, plain.
make_source() {
    rm -rf src out
    mkdir src
    images 4 | gzip >src/train-images-idx3-ubyte.gz
    labels 9 0 0 6 | gzip >src/train-labels-idx1-ubyte.gz
    images 2 >src/t10k-images-idx3-ubyte
    labels 3 1 >src/t10k-labels-idx1-ubyte
}

# ---- running ----

prepare() { # ARGUMENT...: leaves standard output in `printed`, standard error in `said`
    "$DARKNET" dlb prepare "$@" >printed 2>said
}

# Fails with status 1, and its last line is "darknet: " and a sentence with SENTENCE in it.
fails_with() { # SENTENCE ARGUMENT...
    local sentence=$1 status
    shift
    prepare "$@"
    status=$?
    [ $status -eq 1 ] && [ ! -s printed ] && tail -n 1 said | grep -q '^darknet: ' &&
        tail -n 1 said | grep -qF -- "$sentence"
}

refuses() { # NAME SENTENCE: with the source as it is now; nothing is written
    check "$1" fails_with "$2" fashion-mnist src out
    [ ! -e out ] || not_ok "$1: but out was made"
}

snapshot() { # the names, inodes, sizes and times of all files in out
    find out -type f -printf '%p %i %s %T@\n' | sort
}

no_leftovers() {
    [ -z "$(find out -name '*.tmp')" ]
}

same_lines() { # FILE LINE...
    local file=$1
    shift
    printf '%s\n' "$@" | cmp -s - "$file"
}

header_of_png() { # FILE: width, height, bit depth, colour type
    od -An -tu1 -j16 -N10 "$1" | tr -s ' \n' ' '
}

# ---- success ----

make_source
check "prepares a small data set" prepare fashion-mnist src out
check "closing line on standard output" same_lines printed \
    "$WORK/out/fashion-mnist.data: 4 images for training and 2 for validation"
check "no progress where standard error is no terminal" test ! -s said
check "train.list" same_lines out/train.list \
    "$WORK"/out/train/{c9_ankle_boot/00001,c0_tshirt/00002,c0_tshirt/00003,c6_shirt/00004}.png
check "valid.list" same_lines out/valid.list \
    "$WORK"/out/valid/{c3_dress/00001,c1_trouser/00002}.png
check "labels.list" same_lines out/labels.list c0_tshirt c1_trouser c2_pullover c3_dress c4_coat \
    c5_sandal c6_shirt c7_sneaker c8_bag c9_ankle_boot
check "names.list" same_lines out/names.list T-shirt/top Trouser Pullover Dress Coat Sandal Shirt \
    Sneaker Bag "Ankle boot"
check "the .data file" same_lines out/fashion-mnist.data classes=10 "train=$WORK/out/train.list" \
    "valid=$WORK/out/valid.list" "labels=$WORK/out/labels.list" "names=$WORK/out/names.list" \
    "backup=$WORK/out/backup" top=2
check "the folder for backups" test -d out/backup
check "no temporary files stay" no_leftovers

every_path_names_one_class() {
    local path label count
    while read -r path; do
        [ -s "$path" ] || return 1
        count=0
        while read -r label; do
            case $path in *"$label"*) count=$((count + 1)) ;; esac
        done <out/labels.list
        [ $count -eq 1 ] || return 1
    done < <(cat out/train.list out/valid.list)
}
check "every listed image exists and its path holds one label" every_path_names_one_class

images_are_gray_28x28() {
    local path
    while read -r path; do
        [ "$(header_of_png "$path")" = " 0 0 0 28 0 0 0 28 8 0 " ] || return 1
    done < <(cat out/train.list out/valid.list)
}
check "images are 28x28, 8 bits, gray" images_are_gray_28x28
check "the same pixels make the same file" cmp -s out/train/c9_ankle_boot/00001.png \
    out/valid/c3_dress/00001.png
check "other pixels make another file" test "$(find out -name '*.png' -exec md5sum {} + |
    cut -d' ' -f1 | sort -u | wc -l)" = 4

# ---- running it again ----

before=$(snapshot)
check "a second run succeeds" prepare fashion-mnist src out
check "and says so" same_lines printed \
    "$WORK/out/fashion-mnist.data: 4 images for training and 2 for validation, already complete"
check "and writes nothing" test "$before" = "$(snapshot)"

cp -r out whole
kept=$(find out -name 00002.png -printf '%p %i %T@\n' | sort)
rm out/train/c0_tshirt/00003.png out/fashion-mnist.data
: >out/valid/c3_dress/00001.png
echo rubbish >out/train/c0_tshirt/00003.png.tmp
check "resumes where an image and the .data file are gone" prepare fashion-mnist src out
check "and ends with the same files" diff -r out whole
check "and keeps the images that were there" test "$kept" = \
    "$(find out -name 00002.png -printf '%p %i %T@\n' | sort)"

rm out/train/c6_shirt/00004.png
check "resumes where only an image is gone" prepare fashion-mnist src out
check "and ends with the same files again" diff -r out whole

rmdir out/backup
: >out/valid.list
check "resumes where a list is empty and the folder for backups gone" prepare fashion-mnist src out
check "and ends with the same files once more" diff -r out whole

gunzip -c src/train-images-idx3-ubyte.gz >plain
gzip -c src/t10k-labels-idx1-ubyte >src/t10k-labels-idx1-ubyte.gz
rm src/train-images-idx3-ubyte.gz src/t10k-labels-idx1-ubyte
mv plain src/train-images-idx3-ubyte
check "plain or compressed makes no difference" prepare fashion-mnist src out
check "and is still complete" grep -q 'already complete$' printed

# Darknet takes its own options out of argv and leaves NULL in their place.
check "is not confused by an option of Darknet's" prepare -nogpu fashion-mnist src out

make_source
check "takes a relative OUT with .. and a slash, in a folder not yet made" \
    prepare fashion-mnist src/ src/../new/deep/out/
check "and writes its real path" grep -qx "train=$WORK/new/deep/out/train.list" \
    new/deep/out/fashion-mnist.data

ln -s new/deep link
check "follows a symbolic link" prepare fashion-mnist src link/out
check "to the same data set" grep -q "^$WORK/new/deep/out/.*already complete\$" printed

make_source
many=300
images $many >src/train-images-idx3-ubyte
rm src/train-*.gz
# shellcheck disable=SC2046
labels $(for ((i = 0; i < many; i++)); do echo $((i % 10)); done) >src/train-labels-idx1-ubyte
if script -qec true /dev/null >printed 2>said; then
    script -qec "'$DARKNET' dlb prepare fashion-mnist src out" /dev/null >terminal
    check "shows progress on a terminal" grep -q 'of 302 images' terminal
    check "and then the closing line" grep -q "300 images for training and 2 for validation" terminal
else
    skip "shows progress on a terminal" "no script(1) here"
fi

# ---- arguments ----

usage="usage: darknet dlb prepare fashion-mnist [SRC] OUT"
make_source
check "refuses no arguments" fails_with "$usage"
check "refuses a missing OUT" fails_with "$usage" fashion-mnist
check "refuses too many arguments" fails_with "$usage" fashion-mnist src out more
check "refuses an unknown data set" fails_with \
    "unknown data set \"fashion\"; $usage" fashion src out
check "refuses an unknown option" fails_with \
    "unknown option \"-subset\"; $usage" fashion-mnist -subset out
check "refuses an empty OUT" fails_with "cannot find the folder \"\": No such file" \
    fashion-mnist src ""

unknown_command() {
    "$DARKNET" dlb "$@" >printed 2>said
    [ $? -eq 1 ] && grep -q "^darknet: .*usage: darknet dlb prepare" said
}
check "refuses a missing command" unknown_command
check "refuses an unknown command" unknown_command prepair

check "refuses an OUT whose path holds a label" fails_with \
    "the path $WORK/my_c4_coats/out holds the label c4_coat" fashion-mnist src my_c4_coats/out
for bad in "a b" $'a\tb' $'a\nb'; do
    "$DARKNET" dlb prepare fashion-mnist src "$bad" >printed 2>said
    check "refuses an OUT with white space ($(printf %q "$bad"))" \
        grep -q "holds a space, tab or newline" <(tr '\n' ' ' <said)
done
check "and makes none of them" test -z "$(find . -name 'a?b' -o -name my_c4_coats)"

# ---- sources ----

make_source
rm src/train-images-idx3-ubyte.gz
refuses "refuses a missing file" \
    "cannot find src/train-images-idx3-ubyte.gz, nor the same without .gz: No such file"
check "refuses a missing source folder" fails_with "cannot find nowhere/train-images" \
    fashion-mnist nowhere out

make_source
images 4 >src/t10k-labels-idx1-ubyte
refuses "refuses a wrong magic number" \
    "src/t10k-labels-idx1-ubyte begins with the magic number 0x00000803, but IDX labels begin with 0x00000801"

make_source
images 2 | head -c 1000 >src/t10k-images-idx3-ubyte
refuses "refuses a truncated file" "src/t10k-images-idx3-ubyte is truncated: its header announces 1568 bytes of images, but only 984 follow"

make_source
images 2 | head -c 9 >src/t10k-images-idx3-ubyte
refuses "refuses a truncated header" \
    "src/t10k-images-idx3-ubyte is truncated: 9 bytes, but its header alone takes 16"

make_source
images 4 | gzip | head -c 40 >src/train-images-idx3-ubyte.gz
refuses "refuses a truncated gzip file" "src/train-images-idx3-ubyte.gz is truncated"

make_source
images 4 | gzip | tail -c +41 >src/train-images-idx3-ubyte.gz
refuses "refuses a file that is neither" "src/train-images-idx3-ubyte.gz begins with the magic"

make_source
bytes 0 >>src/t10k-labels-idx1-ubyte
refuses "refuses a file longer than its header says" \
    "src/t10k-labels-idx1-ubyte is longer than its header says: more than 2 bytes of labels"

make_source
images 2 32 27 >src/t10k-images-idx3-ubyte
refuses "refuses another image size" \
    "src/t10k-images-idx3-ubyte holds images of 32x27 pixels, but 28x28 are expected"

make_source
labels 3 10 >src/t10k-labels-idx1-ubyte
refuses "refuses a label out of range" \
    "src/t10k-labels-idx1-ubyte: label 2 of 2 is 10, but only 0 to 9 are classes"

make_source
labels 3 1 2 >src/t10k-labels-idx1-ubyte
refuses "refuses counts that disagree" \
    "src/t10k-images-idx3-ubyte holds 2 images, but src/t10k-labels-idx1-ubyte holds 3 labels"

make_source
labels >src/t10k-labels-idx1-ubyte
refuses "refuses an empty file" "src/t10k-labels-idx1-ubyte holds no labels"

# ---- what is there already ----

make_source
prepare fashion-mnist src out
before=$(snapshot)
labels 3 2 >src/t10k-labels-idx1-ubyte
check "refuses a folder made from other files" fails_with \
    "$WORK/out/made_from.txt is there already and holds something else" fashion-mnist src out
check "and leaves it as it was" test "$before" = "$(snapshot)"

make_source
mkdir out
echo mine >out/labels.list
check "refuses to overwrite a file that is not its own" fails_with \
    "$WORK/out/labels.list is there already and holds something else" fashion-mnist src out
check "and writes nothing beside it" test "$(ls out)" = labels.list

make_source
prepare fashion-mnist src out
mv out moved
check "refuses a data set that was moved, whose lists are stale" fails_with \
    "$WORK/moved/train.list is there already and holds something else" fashion-mnist src moved
rm -rf moved

# ---- writing that fails ----

make_source
: >file
check "refuses an OUT that is a file" fails_with "cannot make the folder $WORK/file: File exists" \
    fashion-mnist src file
check "refuses an OUT below a file" fails_with "cannot find the folder" fashion-mnist src file/out

make_source
prepare fashion-mnist src out
rm out/train/c6_shirt/00004.png
mkdir out/train/c6_shirt/00004.png.tmp
check "an image that cannot be written" fails_with \
    "cannot write $WORK/out/train/c6_shirt/00004.png: Is a directory" fashion-mnist src out
check "leaves no .data file, even where there was one" test ! -e out/fashion-mnist.data
rmdir out/train/c6_shirt/00004.png.tmp
check "and is resumed" prepare fashion-mnist src out

# The tmpfs lies in a mount namespace of its own: it goes when the shell ends.
on_small_disk() { # OPTIONS COMMAND: a bash command line that finds the disk in the folder disk
    unshare -rm bash -c "mount -t tmpfs -o $1 tmpfs disk && $2" >printed 2>said
}
mkdir disk
make_source
images 100 >src/t10k-images-idx3-ubyte
# shellcheck disable=SC2046
labels $(for ((i = 0; i < 100; i++)); do echo $((i % 10)); done) >src/t10k-labels-idx1-ubyte
run="\"$DARKNET\" dlb prepare fashion-mnist src disk/out"
if on_small_disk size=4m true; then
    fill="head -c 3936k /dev/zero >disk/rest"
    on_small_disk size=4m "$fill; $run; echo \$?; ls -d disk/out/*.*;
        find disk -name '*.tmp'; find disk -empty -type f"
    check "a full disk ends the run" grep -q \
        "^darknet: cannot write $WORK/disk/out/valid/c.*png: No space left on device" said
    check "with status 1, and nothing half-made" same_lines printed 1 disk/out/made_from.txt

    on_small_disk size=4m "$fill; $run; rm disk/rest; $run; ls disk/out"
    check "is resumed where there is room again" grep -qx fashion-mnist.data printed

    on_small_disk size=4m "$run; rm disk/out/*.{data,list}; cat /dev/zero >disk/rest; $run;
        ls -d disk/out/*.*"
    check "a disk too full for the lists ends the run" grep -q \
        "^darknet: cannot write $WORK/disk/out/train.list: No space left on device" said
    check "without a .data file" test "$(tail -n 1 printed)" = disk/out/made_from.txt

    on_small_disk ro "$run"
    check "a read-only disk" grep -q \
        "^darknet: cannot make the folder $WORK/disk/out: Read-only file system" said
else
    for name in "a full disk ends the run" "a disk too full for the lists" "a read-only disk"; do
        skip "$name" "a tmpfs cannot be mounted here"
    done
fi

if [ -e /dev/full ]; then
    make_source
    "$DARKNET" dlb prepare fashion-mnist src out >/dev/full 2>said
    check "a closing line that cannot be written" grep -q \
        "^darknet: cannot write to standard output: No space left on device" said
else
    skip "a closing line that cannot be written" "no /dev/full here"
fi

finish
