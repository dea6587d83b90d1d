#!/bin/bash
# What a cfg refers to: layers above, places of lists, inputs of the right number, classes of a tree; and
# whether its numbers are numbers.
# What is not there is refused with one sentence; what other people's cfgs do is taken. Images that are
# damaged where the decoder is stb_image. Prints TAP. BARE_DARKNET names a binary without OpenCV and
# sanitizers, with which the many short runs are fast; tests/fuzz has the cfgs that crashed. Without it
# DARKNET is taken (default: bin/darknet).
DARKNET=${BARE_DARKNET:-${DARKNET:-bin/darknet}}

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set

# ---- helpers ----

# Of the host's commands, which free little.
inspect() { # CFG
    ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" darknet dlb inspect "$1"
}

ends_with() { # SENTENCE: status 1, and the sentence as the last line
    local last
    last=$(tail -n 1 said)
    echo "expected status 1 and: $1"
    [ "$status" = 1 ] && [[ ${last#darknet: } == "$1"* ]]
}

inspect_fails_with() { # CFG SENTENCE
    inspect "$1"
    ends_with "$2"
}

refuses_cfg() { # SENTENCE
    inspect_fails_with x.cfg "x.cfg: $1"
}

# The cfg: [net], a convolution of 8 x 8 x 4 and one of 4 x 4 x 4, then the section, then what
# makes it a classifier.
write_cfg() { # SECTION LINE...
    {
        net
        section convolutional filters=4 size=3 pad=1 activation=leaky
        section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky
        section "$@"
        section connected output=3 activation=linear
        section softmax
    } >x.cfg
}

refuses() { # SENTENCE SECTION LINE...: as layer 2
    local sentence=$1
    shift
    write_cfg "$@"
    check "refuses $*" refuses_cfg "layer 2, a [$1]: $sentence"
}

takes() { # SECTION LINE...: as layer 2
    write_cfg "$@"
    check "takes $*" inspect x.cfg
}

refuses_net() { # SENTENCE KEY=VALUE...
    local sentence=$1
    shift
    baseline_cfg "$@" >x.cfg
    check "refuses $*" refuses_cfg "[net]$sentence"
}

refuses_first() { # SENTENCE SECTION LINE...: as layer 0
    local sentence=$1
    shift
    {
        net
        section "$@"
        section softmax
    } >x.cfg
    check "refuses $* as the first layer" refuses_cfg "layer 0, a [$1]: $sentence"
}

# ---- layers above ----

above="is not a layer above it, 0 to 1 or -2 to -1"
refuses "from is missing" shortcut activation=linear
for from in 2 7 -3 2147483647 99999999999 -99999999999; do
    refuses "from=$from: $from $above" shortcut from=$from
done
refuses "from=x: a number is missing in place 1" shortcut from=x
refuses "from=-1.5: no whole number stands in place 1" shortcut from=-1.5
refuses "from=-1,-2 has 2 numbers, but one layer is added" shortcut from=-1,-2
refuses_first "from=-1, but no layer is above it" shortcut from=-1
takes shortcut from=-1
takes shortcut from=-2 activation=leaky
takes shortcut from=1
refuses "layers is missing" route
refuses "layers=-1,2: 2 $above" route layers=-1,2
refuses "layers=-3: -3 $above" route "layers = -3"
refuses "layers=,: a number is missing in place 1" route layers=,
refuses "layers=-1,: a number is missing in place 2" route layers=-1,
refuses "layers=-1,,0: a number is missing in place 2" route layers=-1,,0
refuses "layers=-1,0x: no whole number stands in place 2" route layers=-1,0x
takes route "layers = -1, 0"
takes route layers=-1
refuses_first "no layer is above it" dropout probability=.5
takes dropout probability=.5
{
    net width=8 height=12
    section crop crop_height=12 crop_width=8
    section crop crop_height=4 crop_width=4
    section shortcut from=0
    section softmax
} >x.cfg
check "refuses a shortcut between pictures that do not fit" refuses_cfg \
    "layer 2, a [shortcut]: from=0 has 8 x 12 x 3 values, which do not fit the 4 x 4 x 3 of"
refuses_first "crop_height=9, but the picture above it is 8 x 8" crop crop_height=9 crop_width=8
refuses_first "crop_width=100, but the picture above it is 8 x 8" crop crop_height=8 crop_width=100
refuses_first "crop_height=100000, but the picture above it is 8 x 8" crop crop_height=100000 crop_width=100000
refuses "crop_height=5, but the picture above it is 4 x 4" crop crop_height=5 crop_width=4
takes crop crop_height=4 crop_width=4
small_crop() { # HEIGHT: of 448, with random=1
    { net width=448 height=448 random=1 && section crop crop_height="$1" crop_width=8; } >x.cfg
    section softmax >>x.cfg
}
small_crop 3
check "refuses a crop that random=1 shrinks to nothing" refuses_cfg \
    "layer 0, a [crop]: crop_height=3 of height=448 leaves no pixel of the 128 x 128 that random=1 may draw"
small_crop 4
check "takes one that it shrinks to a pixel" inspect x.cfg
{ net && section softmax && section softmax && section shortcut from=0; } >x.cfg
check "refuses a shortcut without pictures" refuses_cfg \
    "layer 2, a [shortcut]: from=0 has 0 x 0 x 0 values, which do not fit the 0 x 0 x 0 of"

# ---- inputs ----

refuses "stride=3 does not divide 4 x 4 x 4 values" reorg stride=3
refuses "stride=4 does not divide 4 x 4 x 4 values" reorg stride=4
refuses "stride=4 does not divide 4 x 4 x 4 values" reorg stride=4 reverse=1
takes reorg stride=2
takes reorg stride=4 flatten=1
takes reorg stride=2 reverse=1
refuses "it needs 400 inputs, but gets 64" region num=1
refuses "it needs 320 inputs, but gets 64" yolo num=1 classes=15
refuses "it needs 832 inputs, but gets 64" iseg
refuses "it needs 147 inputs, but gets 64" detection
for section in convolutional local maxpool batchnorm lrn upsample; do
    { net && section softmax && section $section; } >x.cfg
    check "refuses [$section] without a picture" refuses_cfg \
        "layer 1, a [$section]: it needs a picture, but gets 192 values without width, height and channels"
done

refuses "groups=3 does not divide both the 4 channels above it and filters=6" convolutional filters=6 groups=3
refuses "groups=4 does not divide both the 4 channels above it and filters=6" convolutional filters=6 groups=4
refuses "groups=0 is not a size from 1" convolutional groups=0
takes convolutional filters=6 groups=2

# ---- numbers ----

for pair in learning_rate=abc momentum=.9x decay=0x1 hue=nan saturation=1e99; do
    refuses_net ": $pair is not a number that fits a float" $pair
done
for pair in batch=4x subdivisions=1.0 max_batches=1e3 adam=no; do
    refuses_net ": $pair is not a whole number that fits an int" $pair
done
refuses_net ": batch=99999999999 is not a whole number that fits an int" batch=99999999999
refuses_net ": width=8.5 is not a size from 0 to 2147483647" width=8.5
refuses "filters=4x is not a size from 1 to 2147483647" convolutional filters=4x
refuses "pad=yes is not a whole number that fits an int" convolutional filters=4 pad=yes
refuses "probability=,5 is not a number that fits a float" dropout probability=,5
{ net batch=4 && echo learning_rate; } >x.cfg
check "refuses a key without a value" refuses_cfg "line 20 has no value: learning_rate"
baseline_cfg "learning_rate = 5.E-2" momentum=+.9 decay=0 "batch= +4" hue=-.1 >x.cfg
check "takes blanks, signs and exponents" inspect x.cfg

refuses_number_of_data() { # SENTENCE KEY=VALUE
    data_file "$2" >number.data
    train number.data x.cfg -stock_loader
    ends_with "$1"
}
baseline_cfg >x.cfg
check "refuses classes=3.0 of a data file" refuses_number_of_data \
    "number.data: classes=3.0 is not a whole number that fits an int" classes=3.0

# ---- names ----

refuses_net ": policy=foo is none of constant, step, steps, poly, exp, sigmoid, random" policy=foo
refuses_net ": policy=Poly is none of" policy=Poly
for policy in constant poly exp sigmoid random; do
    baseline_cfg policy=$policy >x.cfg
    check "takes policy=$policy" inspect x.cfg
done
for section in convolutional deconvolutional local connected rnn crnn shortcut activation; do
    refuses "activation=foo is none of logistic, relu, " $section from=-1 activation=foo
done
for activation in logistic loggy relu elu selu relie plse hardtan lhtan linear ramp leaky tanh stair; do
    takes activation activation=$activation
done
names_in_cfgs() { # KEY: those of the host's cfgs and ours
    cat "$repository"/darknet/host/cfg/*.cfg "$repository"/cfg/*.cfg "$repository"/cfg/paper/*.cfg |
        tr -d ' \t\r' | sed -n "s/^$1=//p" | sort -u
}
known=$(printf '%s\n' logistic relu ramp linear leaky constant poly steps | sort)
check "takes the names in the host's cfgs and in ours" test \
    "$( (names_in_cfgs activation && names_in_cfgs policy) | sort)" = "$known"

# ---- lists ----

refuses_net ": steps=5,8 has 2 numbers, but scales=.1 has 1" policy=steps steps=5,8 scales=.1
refuses_net ": steps=5 has 1 numbers, but scales=.1,.1 has 2" policy=steps steps=5 scales=.1,.1
refuses_net ": steps=5,: a number is missing in place 2" policy=steps steps=5, scales=.1,.1
refuses_net ": steps=5e3: no whole number stands in place 1" policy=steps steps=5e3 scales=.1
refuses_net ": scales=.1;: no number stands in place 1" policy=steps steps=5 "scales=.1;"
refuses_net ": scales is missing" policy=steps steps=5
refuses_net ": policy=step with step=0, but at least 1 is needed" policy=step step=0
baseline_cfg policy=steps "steps = -1, 100,200" scales=.1,10,.1 >x.cfg
check "takes policy=steps" inspect x.cfg
boxes() { # LINE...: a [yolo] of 2 x (5 + 3) channels
    {
        net
        section convolutional filters=16 size=1 activation=linear
        section yolo classes=3 "$@"
    } >x.cfg
}
boxes mask=0,2 num=3 "anchors = 10,13,  16,30,  33,23"
check "takes [yolo]" inspect x.cfg
boxes mask=0,3 num=3 anchors=1,2
check "refuses a mask without such a box" refuses_cfg \
    "layer 1, a [yolo]: mask=0,3: 3 is none of num=3 boxes"
boxes mask=0, num=3
check "refuses a mask with an empty place" refuses_cfg \
    "layer 1, a [yolo]: mask=0,: a number is missing in place 2"
boxes mask=0,1 num=2 anchors=1,2,3,4,5
check "refuses too many anchors" refuses_cfg \
    "layer 1, a [yolo]: anchors=1,2,3,4,5 has 5 numbers, but num=2 boxes have 4"

# ---- networks without layers ----

net >x.cfg
check "refuses a cfg without a layer" refuses_cfg "no layer below [net] has an output"
{ net && section cost; } >x.cfg
check "refuses one of [cost] only" refuses_cfg "no layer below [net] has an output"
: >x.cfg
check "refuses an empty cfg" refuses_cfg "the first section must be [net] or [network]"
section convolutional >x.cfg
check "refuses a cfg without [net]" refuses_cfg "the first section must be [net] or [network]"
section net batch=1 >x.cfg
check "refuses a [net] without inputs" refuses_cfg "[net] has neither inputs nor width, height and channels"
refuses_net ": inputs=3, but width=8, height=8, channels=3 make 192" inputs=3

# ---- trees ----

tree_cfg() { # LINE...: of the tree
    printf '%s\n' "$@" >tree
    {
        net
        body
        section softmax tree=tree
    } >x.cfg
}
refuses_tree() { # SENTENCE
    inspect x.cfg
    ends_with "$1"
}
long=$(printf '%0300d' 0)
tree_cfg "$long -1" 'b -1' 'c 0'
check "takes a tree, and names of any length in it" inspect x.cfg
for parent in 1 2 3 1000000000; do
    tree_cfg 'a -1' "b $parent" 'c 0'
    check "refuses parent $parent of the class in line 2" refuses_tree \
        "tree: line 2: its parent $parent is neither -1 nor a line above it, which are counted from 0"
done
tree_cfg 'a -1' 'b -7' 'c 0'
check "refuses parent -7" refuses_tree "tree: line 2: its parent -7 is neither -1"
tree_cfg 'a -1' 'b 0'
check "refuses a tree of two classes for three" refuses_tree \
    "x.cfg: layer 2: its tree has 2 classes, but the layer 3"
rm tree
check "refuses a tree that is not there" refuses_tree "Couldn't open file: tree"

refuses_tree_of_data() { # SENTENCE
    train tree.data x.cfg -check
    ends_with "$1"
}
baseline_cfg >x.cfg
data_file tree=tree >tree.data
check "refuses a data file's tree that is not there" refuses_tree_of_data "Couldn't open file: tree"
printf '%s\n' 'a -1' 'b 0' >tree
check "refuses a data file's tree of two classes" refuses_tree_of_data \
    "tree.data has classes=3, but the tree of tree has 2"
printf '%s\n' 'a -1' 'b 5' 'c 0' >tree
check "refuses parent 5 in it" refuses_tree_of_data "tree: line 2: its parent 5 is neither -1"

# ---- byte order marks ----

{ printf '\xef\xbb\xbf' && baseline_cfg; } >marked.cfg
check "takes a cfg with one" inspect marked.cfg
{ printf '\n\xef\xbb\xbf' && baseline_cfg; } >marked.cfg
check "refuses one in line 2" inspect_fails_with marked.cfg "marked.cfg: line 2 stands before any section"

# ---- lines that begin with a zero byte ----

{ data_file && printf '\0rest\n'; } >zero.data
check "takes a data file with one" train zero.data x.cfg -check
{ cat x.cfg && printf '\0rest\n'; } >zero.cfg
check "takes a cfg with one" inspect zero.cfg

# ---- images that are damaged ----

stops_at() { # IMAGE
    cp "$repository/tests/fuzz/regressions/image/$1" img/damaged_k1.ppm
    { cat train.list && echo img/damaged_k1.ppm; } >damaged.list
    data_file train=damaged.list >damaged.data
    train damaged.data x.cfg -seed 1
    ends_with "cannot use img/damaged_k1.ppm of damaged.list"
}
check "a training stops at a damaged progressive JPEG" stops_at progressive_jpeg
check "and at a cut GIF" stops_at cut_gif

finish
