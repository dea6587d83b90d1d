#!/bin/bash
# What `darknet classifier train` does with input that is right: the same seed gives the same
# weights, the log agrees with standard output, lists are read as documented. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set

# ---- helpers ----

# Trains anew; what the run leaves is in the folder NAME.
train_as() { # NAME CFG [ARGUMENT...]: seed 5 and two threads, unless the arguments say more
    local name=$1 cfg=$2
    shift 2
    [ $# -gt 0 ] || set -- -seed 5 -threads 2
    rm -rf backup "$name"
    train "${data:-x.data}" "$cfg" "$@"
    mkdir -p backup
    mv backup "$name"
    cp printed said "$name"
    [ "$status" = 0 ]
}

same() { # FILE OTHER
    cmp "$1" "$2"
}

differ() { # FILE OTHER: both are there, and differ
    [ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"
}

header=iteration,images,epoch,rate,ce,lb,total,load_s,step_s,valid_top1,valid_topk,valid_ce

# One header, then a line for each iteration FROM to TO, each with the numbers that follow from
# batch, list and [dlb_cost], and a validation after each epoch and at the end; LB names the iterations whose lb is empty: all, none, or a list.
log_is_sound() { # LOG FROM TO ALPHA LB [BATCH]
    awk -F, -v header=$header -v from="$2" -v to="$3" -v alpha="$4" -v empty="$5" \
        -v batch="${6:-4}" -v list="$(grep -c . train.list)" '
        function wrong(what) { print "line " FNR ": " what ": " $0; bad = 1 }
        function near(a, b) { return (a - b) ^ 2 <= (1e-5 * (1 + b)) ^ 2 }
        BEGIN { count = split(empty, given, " "); for (i = 1; i <= count; i++) lacks[given[i]] }
        FNR == 1 { if ($0 != header) wrong("header"); next }
        NF != 12 { wrong(NF " columns") }
        {
            due = int($2 / list) > int(($2 - batch) / list) || $1 == to
            for (i = 10; i <= NF; i++)
                if (($i != "") != due) wrong("validation in column " i)
            for (i = 1; i <= NF; i++)
                if (!((i == 6 || i > 9) && $i == "") && $i !~ /^[0-9]+([.][0-9]+)?(e-?[0-9]+)?$/)
                    wrong("column " i)
            if ($1 != from + FNR - 2) wrong("iteration")
            if ($2 != $1 * batch) wrong("images")
            if (!near($3, $2 / list)) wrong("epoch")
            if (!near($4, 0.05)) wrong("rate")
            expected_empty = empty == "all" || ($1 in lacks)
            if (($6 == "") != expected_empty) wrong("lb")
            if ($6 != "" && !($6 > 0)) wrong("lb is not positive")
            if (!near($7, $5 + alpha * $6)) wrong("total")
        }
        END {
            if (from + FNR - 2 != to) { print "ends with iteration " from + FNR - 2; bad = 1 }
            exit bad
        }' "$1"
}

# Each line on standard output about an iteration agrees with the log.
agrees_with_log() { # PRINTED LOG
    awk -v log_file="$2" '
        function wrong(what) { print "iteration " iteration ": " what; bad = 1 }
        function near(a, b, error) { return (a - b) ^ 2 <= error ^ 2 }
        BEGIN {
            getline line <log_file
            while ((getline line <log_file) > 0) lines[++count] = line
        }
        /^Loaded: [0-9.]+ seconds$/ { loaded = $2 }
        /^[0-9]+, [0-9.]+: / {
            iteration = $1 + 0
            split(lines[++seen], field, ",")
            if (field[1] != iteration) wrong("is " field[1] " in the log")
            loss = $3 + 0
            average = seen == 1 ? loss : .9 * average + .1 * loss
            # ce, lb and total by name; lb is "-" where the log has none
            delete value
            for (i = 4; i < NF; i++)
                if ($i ~ /^(ce|lb|total)$/ && $(i + 1) !~ /^-/) value[$i] = $(i + 1) + 0
            if (!near($2, field[3], .00051)) wrong("epoch")
            if (!near($4, average, 2e-5)) wrong("average loss " $4 ", expected " average)
            if (!near($6, field[4], 1e-6)) wrong("rate")
            if ($8 + 0 != field[9] + 0) wrong("seconds of the step")
            if (loaded != field[8]) wrong("seconds of loading")
            if ($10 != field[2]) wrong("images")
            if (!near(loss, value["ce"], 1e-4 * (1 + loss))) wrong("loss and ce")
            if (!near(value["ce"], field[5], 1e-6 * (1 + loss))) wrong("ce")
            if (("lb" in value) != (field[6] != "")) wrong("lb is in one of them only")
            if (("lb" in value) && !near(value["lb"], field[6], 1e-6 * (1 + value["lb"])))
                wrong("lb")
            if (!near(value["total"], field[7], 1e-6 * (1 + value["total"]))) wrong("total")
        }
        END {
            if (!count || seen != count) { print seen " iterations, " count " in the log"; bad = 1 }
            exit bad
        }' "$1"
}

lines_in() { # LOG: iterations
    awk 'FNR > 1' "$1" | wc -l
}

dlb_cfg >dlb.cfg
baseline_cfg >baseline.cfg

# ---- seeds and threads ----

train_as first dlb.cfg -seed 5 -threads 2
check "trains with [dlb_cost]" test "$status" = 0
check "and leaves weights" test -s first/dlb.weights
check "and weights after each epoch" test -s first/dlb_1.weights -a -s first/dlb_2.weights
check "trains again with the same seed" train_as again dlb.cfg -seed 5 -threads 2
check "to the same weights" same first/dlb.weights again/dlb.weights
check "and with one thread" train_as one dlb.cfg -seed 5 -threads 1
check "to the same weights" same first/dlb.weights one/dlb.weights
check "and with three" train_as three dlb.cfg -seed 5 -threads 3
check "to the same weights" same first/dlb.weights three/dlb.weights
check "trains with another seed" train_as other dlb.cfg -seed 6 -threads 2
check "to other weights" differ first/dlb.weights other/dlb.weights
check "the seed is printed" grep -qx 'Seed: 6' other/printed

check "trains without -seed" train_as unseeded dlb.cfg -threads 2
seed=$(sed -n 's/^Seed: \([0-9][0-9]*\)$/\1/p' unseeded/printed)
check "a seed is drawn and printed" test -n "$seed"
check "trains with that seed" train_as drawn dlb.cfg -seed "${seed:-0}"
check "to the same weights" same unseeded/dlb.weights drawn/dlb.weights
check "trains without -seed once more" train_as unseeded_too dlb.cfg -threads 2
check "to other weights" differ unseeded/dlb.weights unseeded_too/dlb.weights

check "trains the baseline" train_as plain baseline.cfg -seed 5 -threads 1
check "and again with three threads" train_as plain_three baseline.cfg -seed 5 -threads 3
check "to the same weights" same plain/baseline.weights plain_three/baseline.weights
check "the largest seed" train_as largest baseline.cfg -seed 4294967295

# ---- log and standard output ----

check "the log with [dlb_cost]" log_is_sound first/dlb.log.csv 1 6 1 1
check "standard output agrees with it" agrees_with_log first/printed first/dlb.log.csv
check "the log of the baseline" log_is_sound plain/baseline.log.csv 1 6 0 all
check "standard output agrees with it" agrees_with_log plain/printed plain/baseline.log.csv

same_first_ce() { # LOG OTHER: but for rounding
    awk -F, 'FNR == 2 { ce[++files] = $5 }
        END { print ce[1], ce[2]; exit !(ce[1] > 0 && (ce[1] / ce[2] - 1) ^ 2 < 1e-10) }' "$1" "$2"
}
check "both begin with the same batch" same_first_ce first/dlb.log.csv plain/baseline.log.csv
check "and train differently" differ first/dlb.weights plain/baseline.weights

{
    baseline_cfg
    section dlb_cost alpha=0
} >zero.cfg
check "trains with alpha=0" train_as zero zero.cfg
check "and still logs lb" log_is_sound zero/zero.log.csv 1 6 0 1
check "standard output agrees with it" agrees_with_log zero/printed zero/zero.log.csv
check "and trains otherwise than with alpha=1" differ zero/zero.weights first/dlb.weights

{
    baseline_cfg
    section dlb_cost alpha=0.25 temperature=1.5
} >quarter.cfg
check "trains with alpha=0.25" train_as quarter quarter.cfg
check "which counts in the total" log_is_sound quarter/quarter.log.csv 1 6 0.25 1
{
    baseline_cfg
    section dlb_cost logits=-2
} >relative.cfg
check "trains with logits=, relative" train_as relative relative.cfg
check "as with the default" same first/dlb.weights relative/relative.weights

dlb_cfg batch=8 subdivisions=2 >parts.cfg
check "trains with subdivisions=2" train_as parts parts.cfg -seed 5 -threads 1
check "and logs iterations, not micro-batches" log_is_sound parts/parts.log.csv 1 6 1 1 8
check "standard output agrees with it" agrees_with_log parts/printed parts/parts.log.csv
check "and again with three threads" train_as parts_three parts.cfg -seed 5 -threads 3
check "to the same weights" same parts/parts.weights parts_three/parts.weights

if script -qec true /dev/null >printed 2>said </dev/null; then
    script -qec "'$DARKNET' classifier train x.data dlb.cfg -seed 5" /dev/null >terminal </dev/null
    check "shows progress on a terminal" \
        grep -qE '5 of 6 iterations, [0-9]+ images/s, [0-9]+:[0-9]{2}:[0-9]{2} left' terminal
else
    skip "shows progress on a terminal" "no script(1) here"
fi
check "shows none elsewhere" test "$(grep -c 'images/s' first/said)" = 0

# ---- going on ----

rm -rf backup
dlb_cfg max_batches=3 >going.cfg
check "trains 3 iterations" train x.data going.cfg -seed 5
cp backup/going.weights three.weights
cp backup/going.log.csv three.csv
dlb_cfg >going.cfg
check "goes on from their weights" train x.data going.cfg three.weights -seed 5
check "and appends to the log; the first iteration has no teacher" \
    log_is_sound backup/going.log.csv 1 6 1 "1 4"
check "what was there stays" same three.csv <(head -n 4 backup/going.log.csv)
cp backup/going.weights six.weights
cp backup/going.log.csv six.csv
check "with iterations 4 to 6 on standard output" test \
    "$(sed -n 's/^\([0-9][0-9]*\), .*/\1/p' printed | tr '\n' ' ')" = "4 5 6 "
check "goes on from them again" train x.data going.cfg three.weights -seed 5
check "to the same weights" same six.weights backup/going.weights
check "goes on in a folder without a log" train_as fresh going.cfg three.weights -seed 5
check "which gets a header too" log_is_sound fresh/going.log.csv 4 6 1 4

mkdir backup
cp six.csv backup/going.log.csv
check "goes on where nothing is left to do" train x.data going.cfg six.weights -seed 5
check "and leaves the weights as they were" same six.weights backup/going.weights
check "and the log" same six.csv backup/going.log.csv
check "goes on from a baseline's weights" train x.data going.cfg plain/baseline_1.weights
check "starts anew with -clear" train x.data going.cfg three.weights -clear -seed 5
check "and with it the log" log_is_sound backup/going.log.csv 1 6 1 1
check "a run from the start" train x.data going.cfg -seed 5
check "starts the log anew" log_is_sound backup/going.log.csv 1 6 1 1

# ---- a resize on the way ----

# The host's range is 128 to 448; the last connected layer does not mind, after [avgpool].
random_cfg() {
    net batch=4 random=1 max_batches=43
    section convolutional filters=3 size=3 stride=8 pad=1 activation=leaky
    section avgpool
    section connected output=3 activation=linear
    section softmax groups=1
}
{
    random_cfg
    section dlb_cost
} >resized.cfg
check "trains with random=1" train_as resized resized.cfg -seed 5 -threads 1
check "lb stays filled after the resize" log_is_sound resized/resized.log.csv 1 43 1 1
sizes=$(sed -n '/^Resizing$/{n;p}' resized/printed)
resized_well() {
    local size
    echo "$sizes"
    [ "$(echo "$sizes" | wc -l)" = 2 ] || return 1
    for size in $sizes; do
        [ "$size" -ge 128 ] && [ "$size" -le 448 ] && [ $((size % 32)) = 0 ] || return 1
    done
    # shellcheck disable=SC2086  # two numbers
    set -- $sizes
    [ "$1" != "$2" ]
}
check "at iteration 1 and 41 the size changes" resized_well
check "standard output agrees with the log" agrees_with_log resized/printed resized/resized.log.csv
check "and again with three threads" train_as resized_three resized.cfg -seed 5 -threads 3
check "to the same weights" same resized/resized.weights resized_three/resized.weights

# ---- lists ----

# The same images under other names must train to the weights of train.list.
usual=first/dlb.weights

# Copies of the images, in the usual order; the files' names hold no class, or a wrong one.
mkdir -p copies 'with spaces'/äöü
while read -r path; do
    name=${path#img/}
    cp "$path" "copies/${name%_*}_k0_k1.ppm"
    cp "$path" "with spaces/äöü/ $name ☃.ppm"
done <train.list

trains_alike() { # NAME LIST [KEY=VALUE...]: of the data file
    local name=$1
    data_file train="$2" "${@:3}" >other.data
    data=other.data train_as listed dlb.cfg
    check "$name" test "$status" = 0
    check "trains to the same weights" same $usual listed/dlb.weights
}

awk -F/ '{
    split($2, part, /[_.]/)
    printf "copies/%s_k0_k1.ppm\t%s\n", part[1], part[2]
}' train.list >explicit.list
trains_alike "path<TAB>class" explicit.list
awk '{ print ($2 == "k1" ? $1 "\tk2" : $2 == "k2" ? $1 "\tk1" : $0) }' explicit.list >swapped.list
data_file train=swapped.list >other.data
data=other.data train_as listed dlb.cfg
check "other classes train" test "$status" = 0
check "to other weights" differ $usual listed/dlb.weights

sed 's/$/\r/' train.list | head -c -2 >crlf.list
sed 's/$/\r/' labels | head -c -2 >crlf.names
trains_alike "a list and names with CRLF and no final newline" crlf.list labels=crlf.names
sed 's/$/\r/' explicit.list >crlf.list
trains_alike "path<TAB>class with CRLF" crlf.list
printf '\n%s\n\n\n' "$(sed 's/$/\n/' train.list)" >gaps.list
trains_alike "empty lines between" gaps.list
for ((i = 1; i <= 9; i++)); do echo "with spaces/äöü/ ${i}_k$((i % 3)).ppm ☃.ppm"; done >spaces.list
trains_alike "paths with spaces and UTF-8" spaces.list
sed "s|^|$WORK/|" spaces.list >absolute.list
trains_alike "absolute paths" absolute.list

# Gray, and of other shapes than the network's input.
mkdir shapes
printf 'P5\n5 11\n255\n%055d' 4 >shapes/1_k0.pgm
printf 'P5\n1 1\n255\nx' >shapes/2_k1.pgm
ppm shapes/3_k2.ppm 3 40 3
printf '%s\n' shapes/* >shapes.list
data_file train=shapes.list >other.data
data=other.data
check "gray images, and images of other sizes, train" train_as shaped dlb.cfg
data=x.data

printf '%s\n' img/1_k1.ppm img/2_k2.ppm >short.list
data_file train=short.list >other.data
data=other.data
check "half a batch of images trains" train_as short dlb.cfg
check "where each iteration revisits all of them" test \
    "$(awk -F, 'FNR > 2 && $6 > 0' short/dlb.log.csv | wc -l)" = 5
data=x.data

# ---- where it writes, and only checking ----

rm -rf backup
grep -v '^backup' x.data >other.data
check "-backup names the folder, blanks included" \
    train other.data baseline.cfg -seed 4 -backup "a b"
check "weights and log are there" test -s "a b/baseline.weights" -a -s "a b/baseline.log.csv"
check "-backup goes before the data file's" train x.data baseline.cfg -seed 4 -backup c
check "which stays as it was" test ! -e backup
check "with the same weights" cmp "a b/baseline.weights" c/baseline.weights
check "-check ends well" train x.data baseline.cfg -check
check "before anything is written" test ! -e backup

# ---- the host's own loader ----

rm -rf backup
mkdir backup
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # it ends while it loads
check "-stock_loader trains a cfg without [dlb_cost]" train x.data baseline.cfg -stock_loader
check "and leaves weights, after all iterations" test \
    "$(od -An -tu8 -j12 -N8 backup/baseline.weights | tr -d ' ')" = 24
check "and prints the host's lines" grep -qE '^6, [0-9.]+: [0-9.]+, [0-9.]+ avg, ' printed

finish
