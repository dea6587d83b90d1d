#!/bin/bash
# Batched validation and prediction against the host's own, one image at a time; validation in the
# course of training, which must not disturb it. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set
# What the host's commands take they never give back.
host_options="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

# ---- helpers ----

# Of other shapes than the network's input, so that the centre is cut out and scaled.
for i in 1 2 3 4 5 6 7 8 9 10; do
    ppm "img/other${i}_k$((i % 3)).ppm" $((i + 20)) $((5 + i)) $((14 - i))
done
printf '%s\n' img/*.ppm >valid.list
data_file valid=valid.list top=2 >x.data
dlb_cfg >dlb.cfg
baseline_cfg >baseline.cfg
{ net batch=1; sed -n '/convolutional/,$p' dlb.cfg; } >single.cfg

validate() { # [ARGUMENT...]: with ours
    darknet classifier valid "$@"
}

host_validate() { # [ARGUMENT...]: with the host's, whose output goes to `expected`
    ASAN_OPTIONS=$host_options darknet classifier valid "$@" -stock_loader && mv printed expected
}

# The accuracies after each image; the probabilities may round differently from batch to batch.
same_accuracies() {
    grep 'top 1' expected >expected.accuracies
    grep 'top 1' printed >printed.accuracies
    [ "$(wc -l <printed.accuracies)" = 19 ] && diff expected.accuracies printed.accuracies
}

near() { # the numbers of `expected` and `printed`, to the last digit that is printed
    paste -d' ' expected printed | awk '{
        half = NF / 2
        for (i = 1; i <= half; i++)
            if ($i != $(i + half) && ($i - $(i + half)) ^ 2 > 4e-12) { print; bad = 1 }
    } END { exit bad || NR == 0 }'
}

column() { # LOG NUMBER: the lines where it is filled: iteration and value
    awk -F, -v n="$2" 'FNR > 1 && $n != "" { print $1 ":" $n }' "$1"
}

last_accuracy() { # top-1 of the last line of `printed`
    grep 'top 1' printed | tail -n 1 | sed 's/.*top 1: \([0-9.]*\),.*/\1/'
}

# ---- the command ----

check "trains" train x.data dlb.cfg -seed 4
cp backup/dlb.weights dlb.weights
check "the host validates" host_validate x.data single.cfg dlb.weights
check "one image a batch" validate x.data single.cfg dlb.weights
check "prints what the host prints, byte for byte" cmp expected printed
for threads in 1 3; do
    check "four images a batch, threads $threads" validate x.data dlb.cfg dlb.weights \
        -threads $threads
    check "have the same accuracy after each image" same_accuracies
    check "and the same probabilities" near
done
check "prints the cross entropy on standard error" \
    grep -qE '^19 images, cross entropy [0-9.]+$' said
sed 's/\(.*_k\([0-2]\).ppm\)/\1\tk\2/' valid.list >labelled.list
data_file valid=labelled.list top=2 >labelled.data
check "a list with labels" validate labelled.data dlb.cfg dlb.weights
check "gives the same" same_accuracies
check "-skip_bad without bad images" validate x.data dlb.cfg dlb.weights -skip_bad
check "gives the same" same_accuracies

cp img/1_k1.ppm whole.ppm
head -c 100 whole.ppm >img/1_k1.ppm
validate x.data dlb.cfg dlb.weights
check "an image that cannot be read ends it" test "$status" = 1
check "with its name" grep -q '^darknet: cannot use img/1_k1.ppm: .*, in valid.list$' said
check "-skip_bad goes on" validate x.data dlb.cfg dlb.weights -skip_bad
check "without it" grep -qx 'Left out: img/1_k1.ppm' said
check "and counts the others" grep -q '^17: top 1' printed
cp whole.ppm img/1_k1.ppm

refuses() { # NAME SENTENCE [ARGUMENT...] after `classifier`
    local name=$1 sentence=$2
    shift 2
    darknet classifier "$@"
    check "refuses $name" grep -qF "darknet: $sentence" said
    check "with status 1" test "$status" = 1
}
refuses "an unknown option" "classifier valid has no option -batch" \
    valid x.data dlb.cfg dlb.weights -batch
refuses "-threads 0" "-threads 0: a number from 1 to 1024 is needed" \
    valid x.data dlb.cfg dlb.weights -threads 0
data_file valid=nowhere.list >bad.data
refuses "a missing list" "cannot read nowhere.list: No such file or directory" \
    valid bad.data dlb.cfg dlb.weights
printf 'img/1_k1.ppm\tk9\n' >bad.list
data_file valid=bad.list >bad.data
refuses "an unknown label" "bad.list: 1 of 1 images have no label or several" \
    valid bad.data dlb.cfg dlb.weights
data_file top=0 >bad.data
refuses "top=0" "bad.data: top=0 is not a number of at least 1" valid bad.data dlb.cfg dlb.weights

# ---- prediction of a list ----

one_by_one() { # the host's predictions, as lines of our form
    local path
    while read -r path; do
        ASAN_OPTIONS=$host_options darknet classifier predict x.data single.cfg dlb.weights \
            "$path" -t 3 || return 1
        sed 's/^ *\([0-9.]*\)%: \(.*\)/\2 \1/' printed | tr '\n' ' ' | sed "s|^|$path |; s/ \$//"
        echo
    done <valid.list >expected
}
check "predicts a list" darknet classifier predict x.data dlb.cfg dlb.weights -list valid.list -t 3
tr '\t' ' ' <printed >listed
check "the host, one by one" one_by_one
cp listed printed
check "gives the same" eval 'near && test "$(wc -l <listed)" = 19'
timeout 60 "$DARKNET" classifier predict x.data dlb.cfg dlb.weights -list - -t 3 \
    <valid.list 2>said | tr '\t' ' ' >printed
check "reads the list from standard input" cmp listed printed
refuses "more classes than there are" "the likeliest 4 classes of 3 are asked for" \
    predict x.data dlb.cfg dlb.weights -list valid.list -t 4
: >empty.list
refuses "an empty list" "empty.list names no image" \
    predict x.data dlb.cfg dlb.weights -list empty.list

# ---- in the course of training ----

train_into() { # FOLDER CFG [ARGUMENT...]
    local folder=$1
    shift
    rm -rf backup
    train x.data "$@" -seed 4 || return 1
    rm -rf "$folder"
    mv backup "$folder"
}
same_weights() { # FOLDER OTHER NAME
    cmp "$1/$3.weights" "$2/$3.weights"
}

# 6 iterations of 4, a list of 9: epochs end in iterations 3 and 5, training in 6.
for cfg in dlb baseline; do
    check "$cfg without validation" train_into never $cfg.cfg -valid_every 0
    check "has no figures" test -z "$(column never/$cfg.log.csv 10)"
    check "and no best weights" test ! -e never/${cfg}_best.weights
    check "$cfg with validation" train_into always_$cfg $cfg.cfg
    check "after each epoch and at the end" test \
        "$(column always_$cfg/$cfg.log.csv 10 | cut -d: -f1 | tr '\n' ' ')" = "3 5 6 "
    check "has the same end weights" same_weights never always_$cfg $cfg
    check "and the same losses" eval \
        "diff <(cut -d, -f1-7 never/$cfg.log.csv) <(cut -d, -f1-7 always_$cfg/$cfg.log.csv)"
    check "validates" validate x.data $cfg.cfg always_$cfg/$cfg.weights
    check "to what the log ends with" test "$(last_accuracy)" = \
        "$(column always_$cfg/$cfg.log.csv 10 | tail -n 1 | cut -d: -f2 | xargs printf '%.6f')"
    entropy=$(sed -n 's/.*cross entropy //p' said)
    check "with its cross entropy" test "$entropy" = \
        "$(column always_$cfg/$cfg.log.csv 12 | tail -n 1 | cut -d: -f2 | xargs printf '%.6f')"
    check "the best weights validate" validate x.data $cfg.cfg always_$cfg/${cfg}_best.weights
    check "to the best of the log" test "$(last_accuracy)" = "$(column always_$cfg/$cfg.log.csv 10 |
        cut -d: -f2 | sort -g | tail -n 1 | xargs printf '%.6f')"
done
check "every second epoch" train_into second dlb.cfg -valid_every 2 -threads 3
check "and the end are validated" test \
    "$(column second/dlb.log.csv 10 | cut -d: -f1 | tr '\n' ' ')" = "5 6 "
check "with the same end weights" same_weights second always_dlb dlb

# Sizes from 128 up, so a validation at the cfg's 8x8 must go there and back.
{ net random=1 max_batches=3; section convolutional filters=4 size=3 stride=2 pad=1 \
    activation=leaky; section convolutional filters=3 size=1 stride=1 activation=linear
    section avgpool; section softmax groups=1; section dlb_cost; } >random.cfg
check "random=1 without validation" train_into never random.cfg -valid_every 0
check "and with it" train_into always random.cfg
check "has the same end weights" same_weights never always random
check "its result" validate x.data random.cfg always/random.weights
check "is that at the size of the cfg" test "$(last_accuracy)" = \
    "$(column always/random.log.csv 10 | tail -n 1 | cut -d: -f2 | xargs printf '%.6f')"

# A rate of nearly 0: no validation is better than the first.
dlb_cfg max_batches=40 learning_rate=1e-30 >still.cfg
check "-patience" train_into patient still.cfg -patience 3 -save_every 0
check "stops after so many without a better one" test \
    "$(column patient/still.log.csv 10 | wc -l)" = 4
check "and says so" grep -q '^Stopped after iteration 9 of 40: no better top 1 in 3 validations' said
check "with the weights saved" test -s patient/still.weights
check "-save_every 0 leaves no numbered weights" eval '! ls patient/still_[0-9]* >/dev/null 2>&1'

# Going on: the best result of the first part still counts.
check "a first part" train_into first dlb.cfg
dlb_cfg max_batches=9 learning_rate=1e-30 >longer.cfg
mkdir backup
sed 's/,0\.[0-9]*,\([0-9.]*,[0-9.]*\)$/,0.999,\1/' first/dlb.log.csv >backup/longer.log.csv
cp first/dlb_best.weights backup/longer_best.weights
check "goes on" train x.data longer.cfg first/dlb.weights -seed 4
check "and keeps the best weights of before" cmp first/dlb_best.weights \
    backup/longer_best.weights
rm -rf backup

# ---- what is wrong ----

grep -v '^valid' x.data >none.data
check "without valid= it trains" train none.data dlb.cfg -seed 4
check "and says that it does not validate" grep -q 'none.data has no line valid=: training goes' said
check "with the same end weights" cmp backup/dlb.weights second/dlb.weights
refuses "-valid_every without valid=" \
    "none.data has no line valid=, which -valid_every and -patience need" \
    train none.data dlb.cfg -valid_every 1
refuses "-patience without validation" "-patience 2 counts validations, but -valid_every 0" \
    train x.data dlb.cfg -valid_every 0 -patience 2
data_file valid=bad.list >bad.data
rm -rf backup
refuses "a broken validation list" "bad.list: 1 of 1 images have no label or several" \
    train bad.data dlb.cfg
check "before the first iteration" test ! -e backup/dlb.weights
printf '%s\n' img/1_k1.ppm gone_k1.ppm >gone.list
data_file valid=gone.list >gone.data
rm -rf backup
refuses "a validation image that is gone" \
    "cannot use gone_k1.ppm: No such file or directory, in gone.list" train gone.data dlb.cfg -seed 4
check "with the weights so far saved" test -s backup/dlb.backup
check "-skip_bad leaves it out" train gone.data dlb.cfg -seed 4 -skip_bad
check "and names it once" test "$(grep -c '^Left out: gone_k1.ppm' said)" = 1

finish
