#!/bin/bash
# What goes wrong in the midst of a run, or lies wrong on the disk: numbers that are not finite,
# damaged weights, absurd images, long and odd names, long lists, sizes beyond memory. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set

# ---- helpers ----

fails_with() { # SENTENCE COMMAND...: status 1 and the sentence as the last line; "..." for anything
    local pattern last
    pattern=$(sed 's/[][\\*?]/\\&/g; s/\.\.\./*/g' <<<"$1")
    echo "expected status 1 and: $1"
    shift
    "$@"
    last=$(tail -n 1 said)
    # shellcheck disable=SC2053  # a pattern
    [ "$status" = 1 ] && [[ ${last#darknet: } == $pattern* ]]
}

leaking() { # COMMAND...: one that runs the host's commands, which free little
    ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" "$@"
}

contents() { # FOLDER: names, times and bytes of all files in it
    find "$1" -type f -printf '%p %s %T@\n' | sort
    find "$1" -type f -exec cksum {} + | sort
}

column() { # NUMBER: of the log
    cut -d, -f"$1" backup/x.log.csv | tail -n +2
}

# ---- numbers that are not finite ----

# Eight black images, and a white one whose sums overflow in a layer with weights of 1e37.
small_image() { # FILE OCTAL
    {
        printf 'P6\n32 32\n255\n'
        head -c 3072 /dev/zero | tr '\0' "\\$2"
    } >"$1"
}
mkdir -p dark
for i in 1 2 3 4 5 6 7; do small_image dark/${i}_k$((i % 3)).ppm 000; done
small_image dark/8_k2.ppm 377
printf '%s\n' dark/*.ppm >dark.list
data_file train=dark.list valid=dark.list >dark.data

overflowing_cfg() { # [SECTION LINE...]
    net width=32 height=32 min_crop=32 max_crop=32 angle=0 aspect=1 hue=0 saturation=1 exposure=1 \
        learning_rate=0.001 max_batches=12
    section connected output=3 activation=linear init_std=1e37
    section softmax groups=1
    [ $# -eq 0 ] || section "$@"
}

says_where() { # CFG: of the training before
    fails_with "$1: iteration ..., learning rate 0.001: the output of layer 0, a [connected], has a \
value that is ...; the training stops, and weights that were saved stay as they are" \
        train dark.data "$1" -seed 1 -save_every 1
}

stops_and_keeps_checkpoints() {
    rm -rf backup
    baseline_cfg max_batches=3 >x.cfg
    train x.data x.cfg -seed 1 || return
    contents backup | grep -v log.csv >before
    baseline_cfg max_batches=9 decay=1e38 >x.cfg
    fails_with "x.cfg: iteration 4, learning rate 0.05: the weights of layer 0, a [convolutional], \
has a value that is ...; the training stops" train x.data x.cfg backup/x.weights -seed 1 &&
        contents backup | grep -v log.csv | diff before - &&
        [ ! -e backup/x.weights.new ]
}

check "an update that makes weights infinite stops the run, and nothing is overwritten" \
    stops_and_keeps_checkpoints
overflowing_cfg >x.cfg
check "a loss that is not finite stops the run with iteration, rate and layer" says_where x.cfg
check "and no weights are written" test ! -e backup/x.weights.new -a ! -e backup/x_2.weights

rm -rf backup
check "-on_nan=skip goes on" train dark.data x.cfg -seed 1 -on_nan=skip
dropped=$(grep -c '^Dropped the update of iteration [0-9]*, learning rate 0.001: ' said)
check "each dropped update is said" test "$dropped" -gt 0 -a "$dropped" -lt 12
check "and how many they were" grep -qxF \
    "$dropped of 12 updates were dropped because they were not finite" said
check "all iterations are in the log" test "$(column 1 | wc -l)" = 12
check "the smoothed loss has nothing of them" test \
    "$(grep -c ' avg,' printed)" = 12 -a "$(grep -cE '(nan|inf) avg' printed)" = 0
check "-on_nan skip is the same" train dark.data x.cfg -seed 1 -on_nan skip
check "-on_nan with anything else is refused" fails_with "-on_nan go: either skip or stop" \
    train dark.data x.cfg -on_nan go
check "-on_nan=skip with -stock_loader is refused" fails_with "-stock_loader knows nothing of " \
    train dark.data x.cfg -on_nan=skip -stock_loader

# An iteration after a dropped one has no LB, and all the others but the first have.
lb_follows_drops() {
    awk -F, 'NR > 2 && ($5 ~ /nan|inf/ && !bad) { bad = 1; next }
        NR > 2 && !bad && $6 == "" || NR > 2 && bad && $6 != "" { exit 1 }
        NR > 2 { bad = ($5 ~ /nan|inf/) }' backup/x.log.csv
}
rm -rf backup
overflowing_cfg dlb_cost >x.cfg
check "-on_nan=skip with [dlb_cost]" train dark.data x.cfg -seed 1 -on_nan=skip
check "the iteration after a dropped one has no LB, others have" lb_follows_drops
check "and some were dropped" grep -q '^[1-9][0-9]* of 12 updates were dropped' said

# ---- weights that are damaged, or another network's ----

baseline_cfg >x.cfg
rm -rf backup
check "trains" train x.data x.cfg -seed 1
cp backup/x.weights good.weights
size=$(wc -c <good.weights) # 20 of them the header: three ints and the images seen

predict() { # WEIGHTS
    darknet classifier predict x.data x.cfg "$1" -list train.list
}
one_image() { # WEIGHTS
    leaking darknet classifier predict x.data x.cfg "$1" img/1_k1.ppm
}
valid() { # WEIGHTS
    darknet classifier valid x.data x.cfg "$1"
}
go_on() { # WEIGHTS
    rm -rf backup
    train x.data x.cfg "$1" -clear
}

refused_everywhere() { # SENTENCE FILE
    local command
    for command in go_on valid predict one_image; do
        fails_with "$2$1" $command "$2" || return
    done
    [ ! -e backup ]
}

refused() { # SENTENCE FILE
    fails_with "$2$1" train x.data x.cfg "$2" -check
}

patched() { # FILE OFFSET OCTAL...: good.weights with these bytes
    cp good.weights "$1"
    printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

for bytes in 0 19; do
    head -c $bytes good.weights >bad.weights
    check "$bytes bytes of weights are refused" refused \
        ": $bytes bytes are fewer than the header of a file of weights has" bad.weights
done
for bytes in 20 132 $((size - 1)); do
    head -c "$bytes" good.weights >bad.weights
    check "$bytes of $size bytes of weights are refused" refused \
        " has $bytes bytes, but the weights of this network take $size: it is truncated, or another" \
        bad.weights
done
check "by every command" refused_everywhere " has $((size - 1)) bytes, " bad.weights
for more in 1 4; do
    { cat good.weights && head -c $more /dev/zero; } >bad.weights
    check "$more bytes too many are refused" refused \
        " has $((size + more)) bytes, but the weights of this network take $size: it is another" \
        bad.weights
done
patched bad.weights 0 '\0377\0377\0377\0377'
check "a negative version is refused" refused \
    " is not a file of weights: its header has version -1.2.0" bad.weights
patched bad.weights 4 '\0350\0003'
check "version 0.1000.0 is refused" refused \
    " is not a file of weights: its header has version 0.1000.0" bad.weights
yes 'no weights' | head -c "$size" >bad.weights
check "a text is refused" refused \
    " is not a file of weights: its header has version " bad.weights
patched bad.weights 19 '\0200'
check "a negative number of images seen is refused" refused \
    ": its header says -9223372036854775784 images were seen; 0 to 281474976710656 is possible" \
    bad.weights
patched bad.weights 132 '\0000\0000\0300\0177'
check "NaN among the weights is refused" refused \
    ": value 28, of layer 0, a [convolutional], is NaN" bad.weights
patched bad.weights 468 '\0000\0000\0200\0377'
check "an infinite weight is refused" refused \
    ": value 112, of layer 1, a [connected], is infinite" bad.weights
mkdir folder.weights
check "a folder is refused" refused " is not a regular file" folder.weights

# What stock Darknet writes: before version 0.2 the images seen have 4 bytes; the oldest files have
# rates in place of the version and their matrices the other way round.
same_predictions() { # WEIGHTS
    predict good.weights && mv printed expected && predict "$1" && diff expected printed
}
{
    printf '\0\0\0\0\1\0\0\0\0\0\0\0\30\0\0\0'
    tail -c +21 good.weights
} >old.weights
check "version 0.1.0 loads" same_predictions old.weights
{
    printf '\12\327\43\74\146\146\146\77\157\22\3\72\30\0\0\0'
    tail -c +21 good.weights
} >oldest.weights
check "rates in place of the version load" predict oldest.weights
patched newer.weights 8 '\0005'
check "version 0.2.5 loads" same_predictions newer.weights

check "darknet partial writes the first layers" leaking darknet partial x.cfg good.weights part.weights 1
part=$(wc -c <part.weights)
check "which a training takes" go_on part.weights
check "and says so" grep -qxF "part.weights has $part of $size bytes, the weights of layers up to 0; \
layers after it keep their initial weights" said
for command in valid predict one_image; do
    check "and $command refuses" fails_with "part.weights has $part bytes, but the weights of this \
network take $size: it has those of the first layers only" $command part.weights
done

# ---- images of absurd sizes ----

printf 'P6\n60000 60000\n255\n' >img/bomb_k1.ppm
{ cat train.list && echo img/bomb_k1.ppm; } >bomb.list
data_file train=bomb.list >bomb.data
claim="it claims 60000 x 60000 pixels; sides of up to 1048576 and 134217728 pixels in all are possible"
check "a training stops at an image that claims 60000 x 60000 pixels" fails_with \
    "cannot use img/bomb_k1.ppm of bomb.list: $claim" train bomb.data x.cfg -seed 1
check "predict -list refuses it" fails_with "cannot use img/bomb_k1.ppm: $claim" \
    darknet classifier predict x.data x.cfg good.weights -list bomb.list
check "predict refuses it" fails_with "cannot use img/bomb_k1.ppm: $claim" \
    darknet classifier predict x.data x.cfg good.weights img/bomb_k1.ppm
rm img/bomb_k1.ppm

# ---- paths of any length and any bytes ----

deep=$WORK/$(printf 'folder%0194d/' 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
mkdir -p "$deep"
for file in x.cfg labels good.weights; do cp $file "$deep"; done
cp img/1_k1.ppm img/2_k2.ppm img/3_k0.ppm img/4_k1.ppm "$deep"
printf '%s\n' "$deep"?_k?.ppm >"$deep/list"
data_file train="$deep/list" valid="$deep/list" labels="$deep/labels" \
    backup="$deep/backup" >"$deep/x.data"
check "the paths have some 2,900 bytes" test ${#deep} -gt 2800
check "such paths train and validate" train "$deep/x.data" "$deep/x.cfg" -seed 1
check "and the weights are there" test -s "$deep/backup/x.weights" -a -s "$deep/backup/x_6.weights"
check "go on" train "$deep/x.data" "$deep/x.cfg" "$deep/good.weights" -seed 1
check "with -stock_loader" leaking train "$deep/x.data" "$deep/x.cfg" -stock_loader
check "are predicted" leaking darknet classifier predict "$deep/x.data" "$deep/x.cfg" \
    "$deep/good.weights" "$deep/1_k1.ppm"
check "are predicted in a list" darknet classifier predict "$deep/x.data" "$deep/x.cfg" \
    "$deep/good.weights" -list "$deep/list"
check "and printed whole" grep -qF "${deep}1_k1.ppm" printed
check "are validated" darknet classifier valid "$deep/x.data" "$deep/x.cfg" "$deep/good.weights"
check "and with -stock_loader" leaking darknet classifier valid "$deep/x.data" "$deep/x.cfg" \
    "$deep/good.weights" -stock_loader

# Any byte but the end of a line; two of them name a command for a shell.
odd="odd 'folder'; \$(touch shell) \"%s%n\" "$'\xc3\xa4\xff\x01'
mkdir "$odd"
names=("it's \"quoted\"" ' $(touch shell)' '`touch shell`;touch shell' '%s%n%d' $'\xe6\x97\xa5 \xff\x01\\' '#first')
for i in "${!names[@]}"; do ppm "$odd/${names[i]}_k$((i % 3)).ppm" "$i"; done
printf '%s\n' "$odd"/*.ppm >"$odd/list"
cp labels "$odd/labels"
cp x.cfg "$odd/x.cfg"
printf '%s\n' classes=3 "train = $odd/list" "valid=$odd/list " "labels	=	$odd/labels" \
    "backup=$odd/back up" >"$odd/x.data"
check "odd names train and validate" train "$odd/x.data" "$odd/x.cfg" -seed 1
check "weights are where the data file says" test -s "$odd/back up/x.weights"
check "odd names are predicted" darknet classifier predict "$odd/x.data" "$odd/x.cfg" \
    "$odd/back up/x.weights" -list "$odd/list"
cut -f1 printed >names
check "and printed byte for byte" cmp names "$odd/list"
printf '%s\n' "$odd/\$(touch shell)_k1.ppm" >>"$odd/list"
check "an unreadable one is named" fails_with "cannot use $odd/\$(touch shell)_k1.ppm: No such" \
    darknet classifier predict "$odd/x.data" "$odd/x.cfg" "$odd/back up/x.weights" -list "$odd/list"
check "by the host, too" fails_with "Cannot load image \"$odd/\$(touch shell)\"" \
    darknet classifier predict "$odd/x.data" "$odd/x.cfg" "$odd/back up/x.weights" \
    "$odd/\$(touch shell)"
check "no shell was called" test ! -e shell -a -z "$(find . -name shell)"

# ---- lists and data files as people write them ----

same_as_plain() { # DATA: the weights of a training with x.data
    train x.data x.cfg -seed 1 && mv backup/x.weights expected &&
        train "$1" x.cfg -seed 1 && cmp expected backup/x.weights
}

{
    printf '\xef\xbb\xbf# images\r\n\r\n'
    sed 's/$/\r/' train.list | sed '4i\   \n#img/none.ppm'
} | head -c -2 >windows.list
sed 's/$/\r/' labels >windows.labels
{
    printf '\xef\xbb\xbf'
    data_file train=windows.list valid=windows.list labels=windows.labels | sed 's/$/\r/'
    printf '; a comment\r\n   # another=one\r\n\r\n'
} >windows.data
{ printf '\xef\xbb\xbf' && sed 's/$/\r/' x.cfg; } >windows.cfg
check "CRLF, comments, blank lines, a byte order mark and no final newline change nothing" \
    same_as_plain windows.data
check "CRLF and a byte order mark in a cfg" train x.data windows.cfg -seed 1
check "gives the same" cmp expected backup/windows.weights
check "the host reads them, too" leaking train windows.data x.cfg -stock_loader
check "and counts the images" grep -qx 9 printed
check "predict leaves blank lines and comments out" darknet classifier predict windows.data x.cfg \
    good.weights -list windows.list
check "and has a line for every image" test "$(wc -l <printed)" = 9
cp img/1_k1.ppm '#1_k1.ppm'
{ cat train.list && echo './#1_k1.ppm'; } >hash.list
data_file train=hash.list >hash.data
check "an image whose name begins with #" train hash.data x.cfg -check
check "counts behind ./" grep -qx 10 printed
printf '#only\n\n' >none.list
data_file train=none.list >none.data
check "a list of comments has no image" fails_with "none.list names no image" \
    train none.data x.cfg -check

yes "$(cat train.list)" | head -n 10000000 >long.list
data_file train=long.list >long.data
check "a list of 10 million lines" train long.data x.cfg -check
check "has as many images" grep -qx 10000000 printed
rm long.list

# ---- sizes beyond an int, or beyond memory ----

refuses_layer() { # SENTENCE LINE...: the section of layer 0, its name first; of any size
    local sentence=$1
    shift
    {
        net
        section "$@"
        section connected output=3
        section softmax
    } >size.cfg
    check "refuses $*" fails_with "size.cfg: layer 0, a [$1] with ...: $sentence" \
        darknet dlb inspect size.cfg
}

refuses_layer "its weights are 27000000000 values, but 2147483647 is the most here" \
    convolutional filters=1000000000 size=3 activation=linear
refuses_layer "its weights are ... values, but 2147483647 is the most here" \
    deconvolutional filters=8 size=100000 activation=linear
refuses_layer "its weights are ... values, but" local filters=100000000 size=3 pad=1 activation=linear
refuses_layer "its weights are 384000000000 values, but" connected output=2000000000
for type in rnn gru lstm; do
    refuses_layer "its weights are 100000000000000 values, but" $type output=10000000
done
refuses_layer "its weights are ... values, but" crnn hidden_filters=100000 output_filters=3
refuses_layer "its outputs are ... values, but" upsample stride=100000
refuses_layer "its rows with padding are 4000000008 pixels, but" \
    convolutional filters=1 size=1 padding=2000000000 stride=2000000000
refuses_layer "its outputs are ... values, but" region classes=2000000000 num=5
for line in filters=0 size=-3 stride=0 groups=0 filters=99999999999 padding=-1; do
    {
        net
        section convolutional $line activation=linear
        section softmax
    } >size.cfg
    check "refuses $line" fails_with "size.cfg: layer 0, a [convolutional]: $line is not a size from " \
        darknet dlb inspect size.cfg
done
baseline_cfg width=100000 height=100000 >size.cfg
check "refuses a picture beyond an int" fails_with "size.cfg: [net] with width=100000, \
height=100000, batch=4, channels=3: its inputs are 30000000000 values, but 2147483647 is the most here" \
    train x.data size.cfg
baseline_cfg batch=2000000000 >size.cfg
check "refuses a batch beyond an int" fails_with \
    "size.cfg: [net] with batch=2000000000...: its inputs of a micro-batch are 384000000000 values" \
    train x.data size.cfg
{
    net batch=200000
    section convolutional filters=200 activation=linear
    section softmax
} >size.cfg
check "refuses outputs of a batch beyond an int" fails_with "size.cfg: layer 0, a [convolutional] with \
filters=200: its outputs of a micro-batch are 2560000000 values" train x.data size.cfg
baseline_cfg width=9999999999 >size.cfg
check "refuses width=9999999999" fails_with \
    "size.cfg: [net]: width=9999999999 is not a size from 0 to 2147483647" train x.data size.cfg

# `ulimit -m` limits nothing itself, so that sanitizers work under it, but is heeded.
with_memory() { # KIB COMMAND...
    (ulimit -m "$1" && shift && "$@"; exit $?)
}
too_large() { # KIB SENTENCE COMMAND...
    local memory=$1 sentence=$2
    shift 2
    with_memory "$memory" "$@"
    status=$?
    fails_with "$sentence" true
}
{
    net
    section connected output=4000 activation=linear
    section connected output=4000 activation=linear
    section softmax
} >size.cfg
check "refuses weights beyond memory" too_large 40000 "size.cfg: layer 1, a [connected] with \
output=4000: its weights are 64000000 bytes, but 40960000 is the most here" darknet dlb inspect size.cfg
check "adds up the layers' weights" too_large 65000 "size.cfg: layer 1, a [connected] with \
output=4000: its weights and those of the layers above are 67088000 bytes, but 66560000 is the most" \
    darknet dlb inspect size.cfg
check "goes where there is memory" with_memory 80000 darknet dlb inspect size.cfg
{
    net
    for i in 1 2 3; do section convolutional filters=64 activation=linear; done
    section connected output=3
    section softmax
} >size.cfg
check "a training is told what it takes" too_large 100 "size.cfg: a training of this network takes \
at least ... bytes of memory, with batch/subdivisions = 4, but 102400 is the most here" \
    train x.data size.cfg -check
check "of which inference needs little" with_memory 100 darknet dlb inspect size.cfg

finish
