#!/bin/bash
# `darknet dlb inspect`: its numbers against a count by hand, and cfgs that are wrong. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"

# ---- helpers ----

inspect() { # ARGUMENT...
    darknet dlb inspect "$@"
}

inspects_quietly() { # CFG: nothing but the report, on standard output
    inspect "$1" && [ ! -s said ] && head -n 1 printed | grep -qxF "$1"
}

# Whether the line that begins with KEY goes on, after blanks, with VALUE.
says() { # KEY VALUE
    sed -n "s/^$1  *//p" printed | head -n 1 | grep -qxF -- "$2"
}

# Whether the table has this line: index, type, output, parameters, multiply-adds.
has_layer() { # INDEX TYPE OUTPUT PARAMETERS MULTIPLY_ADDS
    tr -s ' ' <printed | grep -qxF -- " $*"
}

grouped() { # NUMBER: with commas
    sed -e ':again' -e 's/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/' -e 't again' <<<"$1"
}

refuses() { # NAME SENTENCE [ARGUMENT...]: of inspect; x.cfg without any
    local name=$1 sentence=$2
    shift 2
    [ $# -gt 0 ] || set -- x.cfg
    check "refuses $name" fails_with "$sentence" "$@"
}

fails_with() { # SENTENCE ARGUMENT...
    local sentence=$1
    shift
    inspect "$@"
    [ "$status" = 1 ] && [ ! -s printed ] && tail -n 1 said | grep -qF -- "$sentence"
}

# ---- ResNet-20, He et al. 2016, section 4.2 ----

# 3x3 convolutions without bias: 3 to 16 channels, six of 16 to 16 at 32x32; 16 to 32, five of 32
# to 32 at 16x16; 32 to 64, five of 64 to 64 at 8x8; then 64 to 10. Batch normalization has a bias
# and a scale, and rolling mean and variance, for each of 7 * 16 + 6 * 32 + 6 * 64 channels.
channels=$((7 * 16 + 6 * 32 + 6 * 64))
weights=$((9 * (3 * 16 + 6 * 16 * 16 + 16 * 32 + 5 * 32 * 32 + 32 * 64 + 5 * 64 * 64) + 64 * 10))
parameters=$((weights + channels + 10 + channels))
multiply_adds=$((9 * 32 * 32 * (3 * 16 + 6 * 16 * 16) + 9 * 16 * 16 * (16 * 32 + 5 * 32 * 32) + \
    9 * 8 * 8 * (32 * 64 + 5 * 64 * 64) + 64 * 10))

cfg=$repository/cfg/resnet20-dlb.cfg
check "prints a report and nothing else" inspects_quietly "$cfg"
check "ResNet-20: parameters" says "trainable parameters" "$(grouped $parameters): $(
    grouped $weights) weights, $((channels + 10)) biases, $channels scales"
check "ResNet-20: rolling statistics" says "rolling statistics" \
    "$(grouped $((2 * channels))), not trained"
check "ResNet-20: memory" says "memory of all these" \
    "$(grouped $((4 * (parameters + 2 * channels)))) bytes"
check "ResNet-20: multiply-adds" grep -q "^multiply-adds  *$(grouped $multiply_adds) for one image" \
    printed
check "ResNet-20: FLOPs" says "FLOPs of a step" \
    "$(grouped $((3 * 2 * multiply_adds * 128))), estimated as 3 * 2 * multiply-adds * batch"
check "ResNet-20: the first layer" has_layer 0 convolutional 32 x 32 x 16 \
    $((27 * 16 + 2 * 16)) 442,368
check "ResNet-20: the logits" says logits "layer 29, [connected], output 10"
check "ResNet-20: the ring" says ring "1 slot of 64 rows, 10 logits and an id each: $(
    grouped $((64 * (10 * 4 + 8)))) bytes"

cp printed with_section
check "the baseline" inspects_quietly "$repository/cfg/resnet20.cfg"
check "says that it has no section" says DLB "no [dlb_cost]: trained as a baseline"
check "and has no ring" test "$(grep -cE '^(ring|logits|alpha|halves)' printed)" = 0
check "and all else the same" diff \
    <(grep -vE '^(/|halves|logits|temperature|alpha|ring|delta|DLB| +31 )' with_section) \
    <(grep -vE '^(/|DLB)' printed)

# ---- batch and ring ----

{
    net batch=12 subdivisions=3
    body 5
    section dropout probability=.5
    section softmax groups=1
    section dlb_cost alpha=0.5 temperature=4 logits=1
} >x.cfg
check "a cfg with subdivisions" inspects_quietly x.cfg
check "input" says input "8 x 8 x 3"
check "batch" says batch "12 images"
check "subdivisions" says subdivisions 3
check "micro-batch" says micro-batch "4 rows"
check "no shards" test "$(grep -c '^shards' printed)" = 0
check "halves" says halves \
    "2 new and 2 revisited rows of each micro-batch, 6 and 6 of the batch"
check "logits by key" says logits "layer 1, [connected], output 5"
check "temperature" says temperature 4
check "alpha" says alpha 0.5
check "ring" says ring "3 slots of 2 rows, 5 logits and an id each: $((6 * (5 * 4 + 8))) bytes"
check "delta buffer" says "delta buffer" "$((2 * 5 * 4)) bytes"
check "both" says "DLB's memory" "$((6 * (5 * 4 + 8) + 2 * 5 * 4)) bytes"

# ---- every kind of layer with parameters ----

{
    net batch=4
    section convolutional batch_normalize=1 filters=4 size=3 stride=2 pad=1 activation=relu
    section convolutional groups=2 filters=6 size=3 stride=1 pad=1 activation=relu
    section deconvolutional filters=2 size=2 stride=2 activation=relu
    section batchnorm
    section activation activation=relu
    section convolutional bias=0 filters=6 size=1 stride=2 activation=linear
    section avgpool size=2 stride=1 padding=1
    section local filters=3 size=3 stride=1 pad=1 activation=relu
    section maxpool size=2 stride=2
    section upsample stride=2
    section dropout probability=.5
    section connected batch_normalize=1 output=5 activation=linear
    section softmax groups=1
} >x.cfg
check "a cfg of many kinds" inspects_quietly x.cfg
check "convolution with batch normalization" has_layer 0 convolutional 4 x 4 x 4 \
    $((9 * 3 * 4 + 4 + 4)) "$(grouped $((9 * 3 * 4 * 16)))"
check "convolution in groups" has_layer 1 convolutional 4 x 4 x 6 $((9 * 2 * 6 + 6)) \
    "$(grouped $((9 * 2 * 6 * 16)))"
check "deconvolution" has_layer 2 deconvolutional 8 x 8 x 2 $((4 * 6 * 2 + 2)) $((4 * 6 * 2 * 16))
check "batchnorm" has_layer 3 batchnorm 8 x 8 x 2 4 0
check "activation" has_layer 4 activation 8 x 8 x 2 0 0
check "convolution without bias" has_layer 5 convolutional 4 x 4 x 6 12 192
check "avgpool of windows" has_layer 6 avgpool 4 x 4 x 6 0 0
check "local" has_layer 7 local 4 x 4 x 3 "$(grouped $((9 * 6 * 3 * 16 + 3 * 16)))" \
    "$(grouped $((9 * 6 * 3 * 16)))"
check "maxpool" has_layer 8 maxpool 2 x 2 x 3 0 0
check "upsample" has_layer 9 upsample 4 x 4 x 3 0 0
check "dropout" has_layer 10 dropout 4 x 4 x 3 0 0
check "connected with batch normalization" has_layer 11 connected 5 $((48 * 5 + 5 + 5)) 240
check "softmax" has_layer 12 softmax 5 0 0
weights=$((108 + 108 + 48 + 12 + 2592 + 240))
biases=$((4 + 6 + 2 + 2 + 48 + 5))
scales=$((4 + 2 + 5))
check "their sum" says "trainable parameters" "$(grouped $((weights + biases + scales))): $(
    grouped $weights) weights, $biases biases, $scales scales"
check "rolling statistics" says "rolling statistics" "$((2 * scales)), not trained"
check "memory" says "memory of all these" "$(
    grouped $((4 * (weights + biases + scales + 2 * scales)))) bytes"

{
    section net inputs=10 batch=2 momentum=0.9 learning_rate=0.1 decay=0 max_batches=1
    section rnn output=4 activation=relu
    section gru output=3
    section lstm output=2
    section softmax groups=1
} >x.cfg
check "a recurrent cfg" inspects_quietly x.cfg
check "input that is no picture" says input 10
check "rnn" has_layer 0 rnn 4 $((10 * 4 + 4 * 4 + 4 * 4 + 3 * 4)) $((10 * 4 + 4 * 4 + 4 * 4))
check "gru" has_layer 1 gru 3 $((3 * 4 * 3 + 3 * 3 * 3 + 6 * 3)) $((3 * 4 * 3 + 3 * 3 * 3))
check "lstm" has_layer 2 lstm 2 $((4 * 3 * 2 + 4 * 2 * 2 + 8 * 2)) $((4 * 3 * 2 + 4 * 2 * 2))

# ---- what a user should know ----

{
    net
    section convolutional filters=2 size=1 activation=relu colour=red
    section softmax groups=1
} >x.cfg
inspect x.cfg
check "names a setting that Darknet does not use" grep -qxF \
    "x.cfg: Unused field: 'colour = red'" said
{ net; body; section cost type=never; } >x.cfg
inspect x.cfg
check "names a setting that Darknet replaces" grep -qxF \
    "x.cfg: Couldn't find cost type never, going with SSE" said
baseline_cfg random=1 >x.cfg
inspect x.cfg
check "says that random=1 resizes" says input "8 x 8 x 3; random=1 resizes it during training"

# ---- wrong ----

usage="usage: darknet dlb inspect CFG"
check "refuses no cfg" fails_with "$usage"
baseline_cfg >x.cfg
refuses "two cfgs" "$usage" x.cfg x.cfg
refuses "an option" "unknown option \"-all\"; $usage" -all
refuses "a missing file" "Couldn't open file: nowhere.cfg" nowhere.cfg
{ baseline_cfg; section nonsense; } >x.cfg
refuses "an unknown section" "x.cfg: Type not recognized: [nonsense]"
{ baseline_cfg; section dlb_cost beta=1; } >x.cfg
refuses "an unknown key" "x.cfg: [dlb_cost]"
dlb_cfg batch=6 subdivisions=2 >x.cfg
refuses "an odd micro-batch" "batch/subdivisions = 6/2 = 3 is odd"
dlb_cfg batch=8 shards=2 >x.cfg
check "a cfg with shards" inspects_quietly x.cfg
check "shards" says shards "2 of 4 rows, in training"
dlb_cfg batch=6 shards=2 >x.cfg
check "shards with an odd number of rows" inspects_quietly x.cfg
check "are said to be refused" says shards \
    "2, which the batch cannot be shared out over: training refuses it"
dlb_cfg batch=2 subdivisions=4 >x.cfg
refuses "a batch without rows" "x.cfg: batch/subdivisions leaves no row for a micro-batch"
{ section net inputs=10 batch=2; section avgpool; } >x.cfg
refuses "a layer without the picture it needs" \
    "x.cfg: layer 0, a [avgpool]: it needs a picture, but gets 10 values without" x.cfg

if [ -e /dev/full ]; then
    baseline_cfg >x.cfg
    "$DARKNET" dlb inspect x.cfg >/dev/full 2>said
    check "fails where standard output is full" grep -qx \
        "darknet: cannot write to standard output: No space left on device" said
else
    skip "fails where standard output is full" "no /dev/full here"
fi

finish
