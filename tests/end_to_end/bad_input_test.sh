#!/bin/bash
# What `darknet classifier train` does with input that is wrong: it ends before the first
# iteration with status 1 and one sentence, or stops at an image it cannot read. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set

# ---- helpers ----

# The folder for weights, as runs before left it.
fill_backup() {
    rm -rf backup
    mkdir backup
    echo 'old weights' >backup/x.weights
    echo 'older weights' >backup/x_1.weights
    echo 'a checkpoint' >backup/x.backup
    echo iteration,images,epoch,rate,ce,lb,total,load_s,step_s,valid_top1,valid_topk,valid_ce >backup/x.log.csv
    echo 1,4,0.444444,0.05,1.1,,1.1,0.1,0.1,,, >>backup/x.log.csv
    echo 'my own' >backup/notes
}

snapshot() { # FOLDER: names, kinds, inodes, sizes, times and contents of all that is in it
    find "$1" -printf '%p %y %i %s %T@\n' | sort
    find "$1" -type f -exec cksum {} + | sort
}

# Whether the last line on standard error is the sentence, "darknet: " before it or not. Where the
# sentence holds " ... ", anything may stand there.
said_last() { # SENTENCE
    local last want=" $1"
    last=$(tail -n 1 said)
    last=" ${last#darknet: }"
    case $want in
    *' ... '*) [[ $last == "${want%% ... *}"*"${want#* ... }"* ]] ;;
    *) [[ $last == "$want"* ]] ;;
    esac
}

fails_before_training() { # SENTENCE ARGUMENT...
    local sentence=$1 before
    shift
    fill_backup
    before=$(snapshot backup)
    train "$@"
    if [ "$status" != 1 ]; then
        echo "expected status 1"
    elif ! said_last "$sentence"; then
        echo "expected as the last line: $sentence"
    elif [ "$(grep -c '^darknet: ' said)" -gt 1 ]; then
        echo "expected one sentence"
    elif grep -q '^Loaded:' printed; then
        echo "expected no iteration"
    elif [ "$before" != "$(snapshot backup)" ]; then
        echo "expected backup as it was, but now:"
        ls -l backup
    else
        return 0
    fi
    return 1
}

refuses() { # NAME SENTENCE [ARGUMENT...]: of `classifier train`; x.data x.cfg without any
    local name=$1 sentence=$2
    shift 2
    [ $# -gt 0 ] || set -- x.data x.cfg
    check "refuses $name" fails_before_training "$sentence" "$@"
}

refuses_section() { # NAME SENTENCE [LINE...]: of [dlb_cost]
    local name=$1 sentence=$2
    shift 2
    {
        baseline_cfg
        section dlb_cost "$@"
    } >x.cfg
    refuses "$name" "x.cfg: $sentence"
}

refuses_data() { # NAME SENTENCE KEY=VALUE...: of the data file bad.data, for x.cfg
    local name=$1 sentence=$2
    shift 2
    data_file "$@" >bad.data
    refuses "$name" "$sentence" bad.data x.cfg
}

# ---- what is right, as the measure of what follows ----

dlb_cfg >x.cfg
fill_backup
before=$(snapshot backup)
check "what is right trains" train x.data x.cfg
check "and changes the files that the next tests look at" test "$before" != "$(snapshot backup)"

OMPI_COMM_WORLD_SIZE=2 refuses "to be one of several copies" "OMPI_COMM_WORLD_SIZE=2: a launcher has started so many \
processes, but this one finds no other"

# ---- keys of [dlb_cost] ----

refuses_section "an unknown key" \
    '[dlb_cost] has no key "alhpa"; it knows alpha, temperature and logits' alhpa=1
for value in -1 abc 1x nan inf; do
    refuses_section "alpha=$value" "[dlb_cost] alpha=$value is not a number >= 0" alpha=$value
done
for value in 0 -1 inf nan 3,5; do
    refuses_section "temperature=$value" "[dlb_cost] temperature=$value is not a number > 0" \
        temperature=$value
done
refuses_section "alpha= without a value" "... alpha" temperature=3 alpha=
refuses_section "alpha without = and value" "... alpha" alpha
refuses_section "alpha given twice" "[dlb_cost] gives alpha twice" alpha=1 temperature=3 alpha=1
for value in 3 -4; do
    refuses_section "logits=$value, out of range" \
        "[dlb_cost] logits=$value is not a layer above it, 0 to 2 or -3 to -1" logits=$value
done
for value in 1.5 99999999999; do
    refuses_section "logits=$value" "[dlb_cost] logits=$value is not a layer's index" logits=$value
done
refuses_section "logits=0, of another size" \
    "[dlb_cost] logits=0: layer 0 has 64 outputs, but the softmax 3 inputs" logits=0
refuses_section "logits=-1, the softmax's own output" "[dlb_cost] logits=-1" logits=-1

# ---- where [dlb_cost] stands ----

{
    net
    body
    section dlb_cost
} >x.cfg
refuses "a cfg without [softmax]" "x.cfg: [dlb_cost], layer 2, has no [softmax] above it"
{
    net
    body
    section dlb_cost
    section softmax
} >x.cfg
refuses "[softmax] below" "x.cfg: [dlb_cost]"
{
    net width=1 height=1
    section softmax
    section dlb_cost
} >x.cfg
refuses "[softmax] as the first layer" \
    "x.cfg: [dlb_cost] finds no logits, because its [softmax] is the first layer"
{
    dlb_cfg
    section dlb_cost alpha=2
} >x.cfg
refuses "two sections" "x.cfg: two [dlb_cost] sections, layers 3 and 4"
{
    dlb_cfg
    section dropout
} >x.cfg
refuses "a section below" "x.cfg: [dlb_cost], layer 3, must be the last section"

# ---- the softmax above ----

with_softmax() { # OUTPUTS [LINE...]
    local outputs=$1
    shift
    net
    body "$outputs"
    section softmax "$@"
    section dlb_cost
}

data_file classes=4 >four.data
with_softmax 4 groups=2 >x.cfg
refuses "groups=2" "x.cfg: [dlb_cost] needs [softmax] groups=1, but layer 2 has groups=2" \
    four.data x.cfg
with_softmax 3 groups=2 >x.cfg
refuses "groups=2 of 3 outputs" "x.cfg: ... groups=2"
with_softmax 3 spatial=1 >x.cfg
refuses "spatial=1" "x.cfg: [dlb_cost] needs [softmax] spatial=0, but layer 2 has spatial=1"
printf '%s -1\n' k0 k1 k2 >classes.tree
with_softmax 3 tree=classes.tree >x.cfg
refuses "tree=" "x.cfg: [dlb_cost] needs a [softmax] without tree="
with_softmax 3 noloss=1 >x.cfg
refuses "noloss=1" "x.cfg: [dlb_cost] needs ... noloss=1"

# ---- batch and classes ----

dlb_cfg batch=6 subdivisions=2 >x.cfg
refuses "an odd micro-batch" "x.cfg: [dlb_cost] revisits half of each micro-batch, but \
batch/subdivisions = 6/2 = 3 is odd"
dlb_cfg batch=1 >x.cfg
refuses "a micro-batch of one row" "x.cfg: [dlb_cost] ... 1/1 = 1 is odd"

baseline_cfg batch=20 >baseline.cfg
dlb_cfg batch=20 >x.cfg
for cfg in x.cfg baseline.cfg; do
    refuses "fewer images than half a batch, $cfg" \
        "x.data: train.list has 9 images, fewer than half of batch=20 in $cfg" x.data $cfg
done
dlb_cfg batch=20 subdivisions=2 >x.cfg
refuses "the same in two micro-batches" "x.data: train.list has 9 images, fewer than half of batch=20"
dlb_cfg batch=18 >x.cfg
check "half a batch of images is enough" train x.data x.cfg

baseline_cfg >baseline.cfg
dlb_cfg >x.cfg
for classes in 2 5; do
    sentence="bad.data has classes=$classes, but the network of"
    data_file classes=$classes >bad.data
    refuses "classes=$classes" "$sentence x.cfg has 3 outputs" bad.data x.cfg
    refuses "classes=$classes in a baseline" "$sentence baseline.cfg has 3 outputs" \
        bad.data baseline.cfg
    refuses "classes=$classes with -stock_loader" "$sentence baseline.cfg has 3 outputs" \
        bad.data baseline.cfg -stock_loader
done
for value in 0 abc; do
    refuses_data "classes=$value" "bad.data: classes=$value" classes=$value
done
printf 'k0\nk1\n' >two.names
refuses_data "fewer names than classes" \
    "two.names has 2 class names, but bad.data has classes=3" labels=two.names

# ---- labels ----

list_with() { # LINE...: the usual list, and these
    cat train.list
    printf '%s\n' "$@"
}

list_with img/u{1,2,3,4,5,6}.ppm >bad.list
refuses_data "six images without a label" "bad.list: 6 of 15 images have no label or several: \
img/u1.ppm (none), img/u2.ppm (none), img/u3.ppm (none), img/u4.ppm (none), img/u5.ppm (none), ..." \
    train=bad.list
check "and names five of them" test "$(grep -o '(none)' said | wc -l)" = 5
list_with img/k1_k2.ppm img/u.ppm >bad.list
refuses_data "an image with several labels" "bad.list: 2 of 11 images have no label or several: \
img/k1_k2.ppm (several), img/u.ppm (none)" train=bad.list
list_with $'img/1_k1.ppm\tk9' >bad.list
refuses_data "an explicit label that is not in the list of names" \
    'bad.list: 1 of 10 images have no label or several: img/1_k1.ppm ... "k9"' train=bad.list
refuses "it in a baseline too" "bad.list: 1 of 10 images" bad.data baseline.cfg
list_with $'img/1_k1.ppm\t' >bad.list
refuses_data "an empty explicit label" "bad.list: 1 of 10 images ... img/1_k1.ppm" train=bad.list

# ---- files ----

refuses_data "a missing list" "... nowhere.list" train=nowhere.list
refuses "it with -stock_loader" "... nowhere.list" bad.data baseline.cfg -stock_loader
: >empty.list
refuses_data "an empty list" "empty.list names no image" train=empty.list
refuses "it with -stock_loader" "... empty.list" bad.data baseline.cfg -stock_loader
printf '\n\r\n\n' >blank.list
refuses_data "a list of blank lines" "blank.list names no image" train=blank.list
refuses_data "a folder as the list" "cannot read img: Is a directory" train=img
refuses_data "train= without a value" "bad.data: ... train" train=
refuses_data "a missing file of labels" "... nowhere.names" labels=nowhere.names
refuses "a missing cfg" "... nowhere.cfg" x.data nowhere.cfg
refuses "a missing data file" "... nowhere.data" nowhere.data x.cfg
refuses "missing weights" "... nowhere.weights" x.data x.cfg nowhere.weights
refuses "no cfg at all" "usage: darknet classifier train DATA CFG" x.data

: >file
before=$(snapshot file)
refuses_data "a file as the backup folder" "cannot write into the backup folder file: Not a directory" \
    backup=file
refuses "one behind -backup" "cannot write into the backup folder file: Not a directory" \
    x.data baseline.cfg -backup file
refuses_data "a backup folder below a file" "cannot make the backup folder file/folder: \
Not a directory" backup=file/folder
refuses_data "a backup folder in a folder that is not there" "cannot make the backup folder \
none/folder: No such file or directory" backup=none/folder
data_file backup=file/folder >bad.data
refuses "it with -stock_loader" "... file/folder" bad.data baseline.cfg -stock_loader
check "and makes none of them" test "$before" = "$(snapshot file)" -a ! -e none
mkdir -p taken/x.log.csv
refuses_data "a folder where the log should go" "cannot write taken/x.log.csv: Is a directory" \
    backup=taken
if (: >/proc/x) 2>&- || [ ! -d /proc ]; then
    skip "refuses a backup folder that cannot be written" "no folder here that root cannot write"
else
    refuses_data "a backup folder that cannot be written" "cannot write /proc/x.log.csv: " \
        backup=/proc
fi

# ---- the rest of the cfg ----

{
    net
    section convolutionl filters=4
    section softmax
} >x.cfg
refuses "an unknown layer type" "x.cfg: Type not recognized: [convolutionl]"
{
    echo filters=4
    dlb_cfg
} >x.cfg
refuses "an option before any section" "x.cfg: line 1 stands before any section: filters=4"
dlb_cfg channels=1 >x.cfg
refuses "channels=1" "x.cfg: channels=1, but a classifier's images have 3"
baseline_cfg channels=1 >x.cfg
refuses "channels=1 in a baseline" "x.cfg: channels=1, but a classifier's images have 3"
dlb_cfg batch=0 >x.cfg
refuses "batch=0" "x.cfg: ... batch"

# ---- the command line ----

dlb_cfg >x.cfg
refuses "an unknown option" "classifier train has no option -sead" x.data x.cfg -sead 1
for value in abc -1 4294967296 1.5 ''; do
    refuses "-seed '$value'" "-seed $value: a number from 0 to 4294967295 is needed" \
        x.data x.cfg -seed "$value"
done
for value in 0 many; do
    refuses "-threads $value" "-threads $value: a number from 1 to " \
        x.data x.cfg -threads $value
done
refuses "-seed without a value" "classifier train has no option -seed, or its value is missing" \
    x.data x.cfg -seed
refuses "-backup with -stock_loader" "-stock_loader knows nothing of -seed, -valid_every, " \
    x.data baseline.cfg -stock_loader -backup x
refuses "[dlb_cost] with -stock_loader" \
    "x.cfg has [dlb_cost], which needs its own loader; leave out -stock_loader" \
    x.data x.cfg -stock_loader

# ---- images that cannot be read ----

# An 8x8 JPEG of 313 bytes and a 16x16 PNG of 401.
base64 -d >bad.jpg <<'END'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19i
Z2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2Nj
Y2NjY2NjY2P/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAaEAEAAQUAAAAAAAAAAAAAAAAABAYR
EyKh/8QAFQEBAQAAAAAAAAAAAAAAAAAAAwT/xAAaEQACAwEBAAAAAAAAAAAAAAABAgADBBEh/9oADAMBAAIRAxEAPwCXCp7JbTgB
cmu0Vj2SUMXTpn//2Q==
END
base64 -d >bad.png <<'END'
iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAABWElEQVQoFRXBsQ2FZACAwfsTG6vP1gIqF7CEyhVseAs4AVROgWsY
GMPirWECexjvhv9FRERERERENAyLFi1atGjRokWLFi1atGjRouEHu3bt2rVr165du3bt2rVr167hR5cuXbp06dKlS5cuXbp06dKl
4SePHj169OjRo0ePHj169OjRo+FnkyZNmjRp0qRJkyZNmjRp0qThF5s2bdq0adOmTZs2bdq0adOm4VenTp06derUqVOnTp06derU
qeE3X3311VdfffXVV1999dVXX3311fC7oaGhoaGhoaGhoaGhoaGh4Q+rVq1atWrVqlWrVq1atWrVquFPhw4dOnTo0KFDhw4dOnTo
0KHhL7du3bp169atW7du3bp169at4W+vXr169erVq1evXr169erVq+Efs2bNmjVr1qxZs2bNmjVr1qzhXx999NFHH3300UcfffTR
Rx999NF/8RV3wf0K838AAAAASUVORK5CYII=
END
ppm bad.ppm 3 16 16
echo 'no image' >bad.txt

# The image that takes its place in bad.list is the last of 30, so that a few iterations of two
# rows come before it.
for ((i = 0; i < 29; i++)); do echo "img/$((i % 9 + 1))_k$(((i + 1) % 3)).ppm"; done >long.list
data_file train=bad.list >bad.data
baseline_cfg batch=2 max_batches=20 >x.cfg
seed=1

bad_list() { # IMAGE: of class k1
    cat long.list
    printf '%s\tk1\n' "$1"
}

lines_in_log() { # iterations; 0 without a log
    awk 'FNR > 1' backup/x.log.csv 2>/dev/null | wc -l
}

images_seen() { # FILE of weights
    od -An -tu8 -j12 -N8 "$1" | tr -d ' '
}

stops_at() { # IMAGE
    rm -rf backup
    bad_list "$1" >bad.list
    train bad.data x.cfg -seed $seed
    iterations=$(lines_in_log)
    if [ "$status" != 1 ]; then
        echo "expected status 1"
    elif ! said_last "cannot use $1 of bad.list: "; then
        echo "expected the path in the last line"
    elif [ "$iterations" -lt 1 ] || [ "$iterations" -ge 20 ]; then
        echo "expected some of 20 iterations, not $iterations"
    elif [ ! -f backup/x.backup ]; then
        echo "expected the weights so far in backup/x.backup"
    elif [ "$(images_seen backup/x.backup)" != $((2 * iterations)) ]; then
        echo "expected weights after $((2 * iterations)) images in backup/x.backup"
    elif [ -e backup/x.weights ]; then
        echo "expected no backup/x.weights"
    else
        return 0
    fi
    return 1
}

# What the run that stops_at looked at saved is what a whole image in the bad one's place, which
# comes later, and as many iterations end in.
same_as_shorter_run() {
    bad_list img/1_k1.ppm >bad.list
    baseline_cfg batch=2 max_batches="$iterations" >shorter.cfg
    train bad.data shorter.cfg -seed $seed && cmp stopped.weights backup/shorter.weights
}

stops_and_skips() { # NAME IMAGE
    check "$1 stops the run, with the weights so far" stops_at "$2"
    cp backup/x.backup stopped.weights # the run with -skip_bad has a checkpoint of its own
    check "with -skip_bad it is left out" train bad.data x.cfg -seed $seed -skip_bad
    check "and all iterations are done" test "$(images_seen backup/x.weights)" = 40
    check "and it is reported at the end" grep -qxF "Left out: $2" said
}

mkfifo pipe.ppm # whose reader would wait for ever
check "a pipe in the list stops the run" stops_at pipe.ppm
check "and is called one" said_last "cannot use pipe.ppm of bad.list: not a regular file"

for image in bad.jpg bad.png bad.ppm; do
    bad_list $image >bad.list
    rm -rf backup
    check "a whole $image trains" train bad.data x.cfg -seed $seed
done

stops_and_skips "a missing image" nowhere.ppm
check "the weights so far are those of a run that ends there" same_as_shorter_run
: >empty.ppm
stops_and_skips "an empty file" empty.ppm
stops_and_skips "a file that is no image" bad.txt
check "a folder stops the run" stops_at img
size=$(wc -c <bad.jpg)
for length in $((size - 1)) $((size * 3 / 4)) 3; do
    head -c $length bad.jpg >"jpeg_of_$length"
    check "a JPEG file cut to $length of $size bytes stops the run" stops_at "jpeg_of_$length"
done
stops_and_skips "a truncated JPEG file" "jpeg_of_$((size - 2))"
size=$(wc -c <bad.png)
for length in $((size - 13)) 3; do
    head -c $length bad.png >"png_of_$length"
    check "a PNG file cut to $length of $size bytes stops the run" stops_at "png_of_$length"
done
stops_and_skips "a truncated PNG file" "png_of_$((size / 2))"
size=$(wc -c <bad.ppm)
for length in $((size - 1)) $((size / 2)) 3; do
    head -c $length bad.ppm >"ppm_of_$length"
    check "a PPM file cut to $length of $size bytes stops the run" stops_at "ppm_of_$length"
done

dlb_cfg batch=2 max_batches=20 >x.cfg
stops_and_skips "with [dlb_cost], a missing image" nowhere.ppm
dlb_cfg batch=4 subdivisions=2 max_batches=30 >x.cfg
{
    cat long.list
    printf '%s\tk1\n' nowhere.ppm bad.txt "jpeg_of_3"
} >bad.list
train bad.data x.cfg -seed $seed -skip_bad
check "three bad images are left out" test "$status" = 0
check "and all three reported" test "$(grep '^Left out: ' said | sort | tr '\n' ' ')" = \
    "Left out: bad.txt Left out: jpeg_of_3 Left out: nowhere.ppm "
check "and counted" grep -q '^3 of 32 images were left out' said
cp backup/x.weights one_run
check "and other threads train the same" train bad.data x.cfg -seed $seed -skip_bad -threads 5
check "to the last bit" cmp one_run backup/x.weights

dlb_cfg >x.cfg
printf 'nowhere/%d_k1.ppm\n' 1 2 3 4 5 >bad.list
for options in '' -skip_bad; do
    # shellcheck disable=SC2086  # none or one
    train bad.data x.cfg -seed $seed $options
    check "ends with an error where all images are bad${options:+, $options too}" \
        test "$status" = 1
    check "and with a path${options:+, $options too}" said_last "cannot use nowhere/"
done

# Options without a command.
darknet -nogpu
check "options alone are answered with the usage" test "$status$(cut -c-6 said)" = 1usage:
darknet classifier -i 0
check "so is a command with nothing but options" test "$(cut -c-6 said)" = usage:

finish
