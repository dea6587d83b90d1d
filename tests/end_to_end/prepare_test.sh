#!/bin/bash
# `darknet dlb prepare`, on data sets of a few images. Prints TAP.
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

usage="usage: darknet dlb prepare fashion-mnist|cifar10|cifar100|tinyimagenet|folder SRC OUT [-subset N"
make_source
check "refuses no arguments" fails_with "$usage"
check "refuses a missing OUT" fails_with "$usage" fashion-mnist
check "refuses too many arguments" fails_with "$usage" fashion-mnist src out more
check "refuses an unknown data set" fails_with \
    "unknown data set \"fashion\"; $usage" fashion src out
check "refuses an unknown option" fails_with \
    "unknown option \"-subsets\"; $usage" fashion-mnist -subsets out
check "refuses an option without its value" fails_with "-subset needs a value; $usage" \
    fashion-mnist src out -subset
check "refuses a subset larger than the list" fails_with \
    "-subset 5 asks for more images than the 4 there are for training" fashion-mnist src out -subset 5
check "refuses CIFAR without SRC" fails_with "cifar10 needs SRC and OUT; $usage" cifar10 out
check "and makes nothing" test ! -e out
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

# ---- subset and noise ----

# The training labels are 0 1 2 0 1 2 ...: 30 images.
make_labelled_source() {
    make_source
    rm src/train-*
    images 30 >src/train-images-idx3-ubyte
    # shellcheck disable=SC2046
    labels $(for ((i = 0; i < 30; i++)); do echo $((i % 3)); done) >src/train-labels-idx1-ubyte
}

labels_in_paths() { # FILE: how often each label is in the paths, sorted
    cut -f1 "$1" | sed 's,.*/\(.*\)/.*,\1,' | sort | uniq -c | awk '{ print $1 }' | tr '\n' ' '
}

make_labelled_source
check "a subset" prepare fashion-mnist src out -subset 10
check "says how many" grep -q "10 images for training and 2 for validation\$" printed
check "is balanced" test "$(labels_in_paths out/train.list)" = "3 3 4 " -o \
    "$(labels_in_paths out/train.list)" = "3 4 3 " -o "$(labels_in_paths out/train.list)" = "4 3 3 "
check "writes only what it lists" test "$(find out/train -name '*.png' | wc -l)" = 10
check "keeps the source's order and places" test "$(sed 's,.*/,,' out/train.list)" = \
    "$(sed 's,.*/,,' out/train.list | sort -n)"
check "leaves the validation list whole" test "$(wc -l <out/valid.list)" = 2
check "is the same with the default seed given" prepare -subset_seed 1 fashion-mnist src out -subset 10
check "and complete" grep -q "already complete\$" printed
check "refuses another seed in the same folder" fails_with \
    "line 4: \"-subset 10 -subset_seed 1\" there, \"-subset 10 -subset_seed 2\" now" \
    fashion-mnist src out -subset 10 -subset_seed 2
check "refuses the whole list in the same folder" fails_with \
    "$WORK/out/made_from.txt is there already and holds something else than would be written now (line 4" \
    fashion-mnist src out
check "another seed takes other images" prepare fashion-mnist src other -subset 10 -subset_seed 2
check "which are others" test "$(sed 's,.*/,,' out/train.list)" != "$(sed 's,.*/,,' other/train.list)"
rm -rf other

rm -rf out
check "noise" prepare fashion-mnist src out -noise 0.25 -noise_seed 7
check "says the share" grep -qx "label noise: 8 of 30 labels for training changed, 26.67 %" printed
check "has a clean list beside it" test "$(grep -c $'\t' out/train_clean.list)" = 0
check "of the same images" cmp -s out/train_clean.list <(cut -f1 out/train.list)
wrong_labels() { # how many lines have a label that is not the one in the path
    awk -F '\t' 'index($1, "/" $2 "/") == 0' out/train.list | wc -l
}
check "with 8 wrong labels" test "$(wrong_labels)" = 8
check "and trains on the noisy list" grep -qx "train=$WORK/out/train.list" out/fashion-mnist.data
check "validation has no noise" test "$(grep -c $'\t' out/valid.list)" = 0
cp out/train.list noisy
rm out/train.list out/fashion-mnist.data
check "is resumed" prepare fashion-mnist src out -noise .25 -noise_seed 7
check "with the same noise" cmp -s out/train.list noisy
check "refuses other noise in the same folder" fails_with "-noise 0.5 -noise_seed 7\" now" \
    fashion-mnist src out -noise 0.5 -noise_seed 7
rm -rf out
check "subset and noise" prepare fashion-mnist src out -noise 0.5 -subset 6
check "count together" grep -qx "label noise: 3 of 6 labels for training changed, 50 %" printed
rm -rf out
check "no noise" prepare fashion-mnist src out -noise 0
check "is the plain data set" test ! -e out/train_clean.list -a "$(wc -l <out/made_from.txt)" = 3

# ---- CIFAR ----

planes() { # RED GREEN BLUE: 32x32 pixels of this colour
    local value
    for value; do
        head -c 1024 /dev/zero | tr '\0' "\\$(printf %03o "$value")"
    done
}

# 2 images in each of the five batches and in the test batch; all classes but 9 occur.
make_cifar10() {
    local batch
    rm -rf src out cifar-10-batches-bin
    mkdir cifar-10-batches-bin
    for batch in 1 2 3 4 5; do
        { bytes $((batch - 1)) && planes $batch 20 30 && bytes $((batch + 3)) && planes 40 $batch 60; } \
            >cifar-10-batches-bin/data_batch_$batch.bin
    done
    cp cifar-10-batches-bin/data_batch_1.bin cifar-10-batches-bin/test_batch.bin
    printf '%s\n' airplane automobile bird cat deer dog frog horse ship truck "" \
        >cifar-10-batches-bin/batches.meta.txt
}

# That the data set is taken as it is: two images an iteration, the whole network in four layers.
trains_one_iteration() { # DATA CLASSES
    local net
    net=$(net width=32 height=32 max_batches=1 min_crop=32 max_crop=32)
    { echo "$net" && echo && body "$2" && section softmax groups=1 && section dlb_cost alpha=1; } >one.cfg
    train "$1" one.cfg -seed 1 -nogpu && [ -s "$(dirname "$1")/backup/one.weights" ]
}

make_cifar10
tar -czf cifar-10-binary.tar.gz cifar-10-batches-bin
check "CIFAR-10 from the archive" prepare cifar10 cifar-10-binary.tar.gz out
check "train.list of CIFAR-10" same_lines out/train.list "$WORK"/out/train/{c0_airplane/00001,c4_deer/00002,\
c1_automobile/00003,c5_dog/00004,c2_bird/00005,c6_frog/00006,c3_cat/00007,c7_horse/00008,c4_deer/00009,\
c8_ship/00010}.png
check "images are 32x32, 8 bits, RGB" test "$(header_of_png out/train/c0_airplane/00001.png)" = \
    " 0 0 0 32 0 0 0 32 8 2 "
check "top of ten classes" grep -qx top=2 out/cifar10.data
check "classifier train takes it" trains_one_iteration out/cifar10.data 10
before=$(snapshot)
check "the unpacked folder is the same" prepare cifar10 cifar-10-batches-bin out
check "and complete" grep -q "already complete\$" printed
check "so is the folder above it" prepare cifar10 . out
check "and nothing is written" test "$before" = "$(snapshot)"

rm -rf out
head -c 500 cifar-10-binary.tar.gz >short.tar.gz
check "refuses a truncated archive" fails_with "short.tar.gz" cifar10 short.tar.gz out
head -c -3 cifar-10-binary.tar.gz >short.tar.gz
check "refuses one without its last bytes" fails_with "gzip stream ends early" cifar10 short.tar.gz out
check "refuses what is no archive" fails_with "Unrecognized archive format" \
    cifar10 cifar-10-batches-bin/batches.meta.txt out
check "refuses the wrong archive" fails_with "cifar-10-binary.tar.gz holds no train.bin" \
    cifar100 cifar-10-binary.tar.gz out
check "refuses an archive that is not there" fails_with "cannot find nowhere.tar.gz: No such file" \
    cifar10 nowhere.tar.gz out
head -c 3073 cifar-10-batches-bin/data_batch_3.bin >half
mv half cifar-10-batches-bin/data_batch_3.bin
check "refuses counts that disagree" fails_with \
    "cifar-10-batches-bin/data_batch_3.bin holds 1 images and cifar-10-batches-bin/test_batch.bin holds 2" \
    cifar10 cifar-10-batches-bin out
check "and none of these made anything" test ! -e out

make_cifar100() {
    rm -rf src out
    mkdir src
    { bytes 19 99 && planes 1 2 3; } >src/test.bin
    cat src/test.bin src/test.bin src/test.bin src/test.bin src/test.bin >src/train.bin
    seq -f name_%g 0 99 >src/fine_label_names.txt
}
make_cifar100
check "CIFAR-100" prepare cifar100 src out
check "valid.list of CIFAR-100" same_lines out/valid.list "$WORK/out/valid/c99_name-99/00001.png"
check "top of a hundred classes" grep -qx top=5 out/cifar100.data
rm -rf out
rm src/fine_label_names.txt
check "refuses a missing names file" fails_with "src holds no fine_label_names.txt" cifar100 src out

# ---- Tiny ImageNet ----

# Two classes of three images for training, two for validation; the endings are the owner's.
make_tiny() {
    local wnid i
    rm -rf tiny-imagenet-200 out
    for wnid in n01443537 n01629819; do
        mkdir -p tiny-imagenet-200/train/$wnid/images
        for i in 0 1 2; do
            ppm "tiny-imagenet-200/train/$wnid/images/${wnid}_$i.JPEG" $((i + ${wnid#n0} % 11))
        done
        : >tiny-imagenet-200/train/$wnid/${wnid}_boxes.txt
    done
    mkdir -p tiny-imagenet-200/{val,test}/images
    ppm tiny-imagenet-200/val/images/val_0.JPEG 5
    ppm tiny-imagenet-200/val/images/val_1.JPEG 6
    ppm tiny-imagenet-200/test/images/test_0.JPEG 7
    printf 'val_0.JPEG\t%s\t0\t0\t8\t8\nval_1.JPEG\t%s\t0\t0\t8\t8\n' n01443537 n01629819 \
        >tiny-imagenet-200/val/val_annotations.txt
    printf 'n01629819\nn01443537\n' >tiny-imagenet-200/wnids.txt
    printf '%s\t%s\n' n00001740 entity n01443537 "goldfish, Carassius auratus" n01629819 \
        "European fire salamander, Salamandra salamandra" >tiny-imagenet-200/words.txt
}

little_endian() { # BYTES NUMBER...
    local count=$1 number i
    shift
    for number; do
        for ((i = 0; i < count; i++)); do bytes $((number >> 8 * i & 255)); done
    done
}

crc() { # FILE: gzip ends in the CRC-32 of what it holds
    gzip -c "$1" | tail -c 8 | head -c 4
}

# What both headers of a stored zip entry share. Bare machines have no zip(1).
zip_fields() { # FILE
    local size
    size=$(stat -c %s "$1")
    little_endian 2 10 0 0 0 33 && crc "$1" && little_endian 4 "$size" "$size" && little_endian 2 ${#1} 0
}

make_zip() { # ZIP FOLDER
    local file files=0 offset=0 size
    : >"$1"
    : >directory
    while read -r file; do
        { printf 'PK\1\2' && little_endian 2 798 && zip_fields "$file" && little_endian 2 0 0 0 &&
            little_endian 4 $((0100644 << 16)) "$offset" && printf %s "$file"; } >>directory
        { printf 'PK\3\4' && zip_fields "$file" && printf %s "$file" && cat "$file"; } >>"$1"
        offset=$(stat -c %s "$1")
        files=$((files + 1))
    done < <(find "$2" -type f)
    size=$(stat -c %s directory)
    cat directory >>"$1"
    { printf 'PK\5\6' && little_endian 2 0 0 $files $files && little_endian 4 "$size" "$offset" &&
        little_endian 2 0; } >>"$1"
}

make_tiny
make_zip tiny.zip tiny-imagenet-200
check "Tiny ImageNet from the archive" prepare tinyimagenet tiny.zip out
check "labels of Tiny ImageNet" same_lines out/labels.list c0_european-fire-salamander c1_goldfish
check "names of Tiny ImageNet" same_lines out/names.list \
    "European fire salamander, Salamandra salamandra" "goldfish, Carassius auratus"
check "its lists" same_lines out/valid.list \
    "$WORK"/out/valid/{c1_goldfish/00001,c0_european-fire-salamander/00002}.JPEG
check "its images, byte for byte" cmp -s out/train/c1_goldfish/00002.JPEG \
    tiny-imagenet-200/train/n01443537/images/n01443537_1.JPEG
check "classifier train takes it" trains_one_iteration out/tinyimagenet.data 2
rm -rf out/backup
cp -r out whole-tiny
rm out/train/c1_goldfish/00001.JPEG out/tinyimagenet.data
check "resumes where an image is gone" prepare tinyimagenet tiny.zip out
check "and ends with the same files" diff -r -x backup out whole-tiny
rm -rf out whole-tiny
head -c 1500 tiny.zip >short.zip
check "refuses a truncated zip" fails_with "cannot read short.zip" tinyimagenet short.zip out
sed 's/n01629819$/n01629810/' tiny-imagenet-200/wnids.txt >wnids
mv wnids tiny-imagenet-200/wnids.txt
check "refuses an id that wnids.txt lacks" fails_with \
    "words.txt has no name for n01629810" tinyimagenet tiny-imagenet-200 out
check "and none of these made anything" test ! -e out

make_tiny
check "Tiny ImageNet from the folder" prepare tinyimagenet tiny-imagenet-200 out
check "lists the images where they are" same_lines out/valid.list \
    "$WORK/tiny-imagenet-200/val/images/val_0.JPEG"$'\t'c1_goldfish \
    "$WORK/tiny-imagenet-200/val/images/val_1.JPEG"$'\t'c0_european-fire-salamander
check "and copies none" test ! -e out/train
check "classifier train takes that" trains_one_iteration out/tinyimagenet.data 2

# ---- a folder of images ----

make_image_folder() {
    local class i=0
    rm -rf pictures out
    for class in "Small dog" "Small" cat_1; do
        mkdir -p "pictures/train/$class" "pictures/val/$class"
        for i in 1 2 3; do ppm "pictures/train/$class/a picture $i.ppm" $i; done
        ppm "pictures/val/$class/v.ppm" 9
    done
    : >pictures/train/.DS_Store
}
make_image_folder
check "a folder of images" prepare folder pictures out -noise 0.4
check "its labels" same_lines out/labels.list c0_small c1_small-dog c2_cat-1
check "its names" same_lines out/names.list Small "Small dog" cat_1
check "its clean list, with a column" grep -qxF \
    "$WORK/pictures/train/Small dog/a picture 2.ppm"$'\t'c1_small-dog out/train_clean.list
check "has the noise asked for" test "$(diff out/train.list out/train_clean.list | grep -c '^<')" = 4
check "classifier train takes it" trains_one_iteration out/folder.data 3
rm -rf out
mkdir pictures/train/horse
ppm pictures/train/horse/1.ppm 4
check "refuses classes that disagree" fails_with "holds the class \"horse\" in train/, but not in val/" \
    folder pictures out
rm -r pictures/train/horse
echo text >pictures/train/cat_1/notes.txt
check "refuses a file that is no image" fails_with \
    "pictures/train/cat_1/notes.txt is no image by its name" folder pictures out
rm pictures/train/cat_1/notes.txt
: >pictures/train/cat_1/b.jpg
check "refuses an empty image" fails_with "pictures/train/cat_1/b.jpg is empty" folder pictures out
check "and none of these made anything" test ! -e out

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

    make_tiny
    for i in 0 1 2; do ppm tiny-imagenet-200/train/n01443537/images/n01443537_$i.JPEG $i 150 150; done
    make_zip tiny.zip tiny-imagenet-200
    tiny="\"$DARKNET\" dlb prepare tinyimagenet tiny.zip disk/out"
    on_small_disk size=4m "$fill; $tiny; echo \$?; ls -d disk/out/*.*; find disk -name '*.tmp';
        find disk -empty -type f; rm disk/rest; $tiny; ls disk/out/*.data"
    check "a disk too full for images of an archive ends the run" grep -q \
        "^darknet: cannot write $WORK/disk/out/train/c1_goldfish/.*JPEG: No space left on device" said
    check "with nothing half-made, and is resumed" same_lines printed 1 disk/out/made_from.txt \
        "$WORK/disk/out/tinyimagenet.data: 6 images for training and 2 for validation" \
        disk/out/tinyimagenet.data

    on_small_disk ro "$run"
    check "a read-only disk" grep -q \
        "^darknet: cannot make the folder $WORK/disk/out: Read-only file system" said
else
    for name in "a full disk ends the run" "a disk too full for the lists" "a disk too full for images of an archive" \
        "a read-only disk"; do
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
