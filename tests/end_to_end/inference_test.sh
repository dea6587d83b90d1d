#!/bin/bash
# What training with [dlb_cost] leaves to the rest of Darknet: the section changes no prediction,
# weights move between cfgs with and without it, and the detector is as it was. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set
host=$repository/darknet/host
# What the host's commands take they never give back.
leaks_allowed="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
export ASAN_OPTIONS=$leaks_allowed

# ---- helpers ----

# Ends in [avgpool], so that the host's commands that resize the network work too.
small_cfg() { # [KEY=VALUE...]: of [net]
    net "$@"
    section convolutional filters=4 size=3 stride=2 pad=1 batch_normalize=1 activation=leaky
    section convolutional filters=3 size=1 stride=1 pad=1 activation=linear
    section avgpool
    section softmax groups=1
}

both_cfgs() { # NAME [KEY=VALUE...]: NAME_baseline.cfg and NAME_dlb.cfg, which ends in [dlb_cost]
    local name=$1
    shift
    small_cfg "$@" >"${name}_baseline.cfg"
    {
        small_cfg "$@"
        section dlb_cost alpha=2 temperature=3
    } >"${name}_dlb.cfg"
}

images_seen() { # FILE of weights
    od -An -tu8 -j12 -N8 "$1" | tr -d ' '
}

# The command prints the same with both cfgs, and something; standard error has the times.
same_output() { # COMMAND NAME WEIGHTS [ARGUMENT...]
    local command=$1 name=$2
    shift 2
    darknet classifier "$command" x.data "${name}_baseline.cfg" "$@" || return 1
    mv printed expected
    darknet classifier "$command" x.data "${name}_dlb.cfg" "$@" || return 1
    [ -s printed ] && diff expected printed
}

# ---- weights ----

both_cfgs x
check "trains with [dlb_cost]" train x.data x_dlb.cfg -seed 3
cp backup/x_dlb.weights dlb.weights
check "trains without" train x.data x_baseline.cfg -seed 3
cp backup/x_baseline.weights baseline.weights
check "the weights' files have the same size" test \
    "$(wc -c <dlb.weights)" = "$(wc -c <baseline.weights)"
check "and differ" test "$(cksum <dlb.weights)" != "$(cksum <baseline.weights)"

# max_batches is reached, so a run only loads and saves.
for weights in dlb baseline; do
    for cfg in dlb baseline; do
        rm -rf backup
        check "weights of $weights load in $cfg" train x.data x_$cfg.cfg $weights.weights
        check "and are saved as they were" cmp $weights.weights backup/x_$cfg.weights
    done
done
both_cfgs longer max_batches=9
check "[dlb_cost] goes on from weights without" train x.data longer_dlb.cfg baseline.weights
check "to the end" test "$(images_seen backup/longer_dlb.weights)" = 36
check "and the other way round" train x.data longer_baseline.cfg dlb.weights
check "to the end" test "$(images_seen backup/longer_baseline.weights)" = 36

# ---- predictions ----

for command in valid validmulti valid10; do
    check "classifier $command prints the same with [dlb_cost] and without" \
        same_output $command x dlb.weights
done
check "classifier fout, too" same_output fout x dlb.weights train.list
check "with a line for each image" test "$(wc -l <printed)" = 9
check "classifier predict, too" same_output predict x dlb.weights img/4_k1.ppm -t 3
check "with three classes" test "$(grep -cE '^ *[0-9.]+%: k[012]$' printed)" = 3
cp printed four
check "other weights predict otherwise" eval \
    'darknet classifier predict x.data x_dlb.cfg baseline.weights img/4_k1.ppm -t 3 &&
     ! cmp -s four printed'

both_cfgs single batch=1
check "classifier predict with batch=1" same_output predict single dlb.weights img/4_k1.ppm -t 3
check "prints what it does with batch=4" cmp four printed
both_cfgs odd batch=6 subdivisions=2
check "classifier predict with an odd micro-batch" \
    same_output predict odd dlb.weights img/4_k1.ppm -t 3
check "prints what it does with batch=4, too" cmp four printed
printf '%s\n' img/4_k1.ppm | timeout 120 "$DARKNET" classifier predict x.data x_dlb.cfg \
    dlb.weights -t 3 >asked 2>said
check "an image from standard input" test "$(grep -c '%: k[012]$' asked)" = 3

# ---- an image that cannot be read ----

# Fails, and runs nothing that stands in the name.
fails_quietly() { # NAME
    darknet classifier predict x.data x_dlb.cfg dlb.weights "$1"
    [ "$status" = 1 ] && grep -qF "Cannot load image \"$1\"" said && [ ! -e pwned ] &&
        [ ! -e bad.list ]
}

check "predict fails at a missing image" fails_quietly nowhere.jpg
check "and runs no command in its name" fails_quietly 'x; touch pwned'
echo 'no image' >'y; touch pwned'
check "nor in the name of a file that is no image" fails_quietly 'y; touch pwned'
echo 'no image' >"\$(touch pwned)"
check "nor within" fails_quietly "\$(touch pwned)"
printf '%s\n' 'z; touch pwned' >valid.list
data_file valid=valid.list >bad.data
darknet classifier valid bad.data x_dlb.cfg dlb.weights
check "valid fails at it, too" test "$status" = 1
check "and runs no command" test ! -e pwned

# ---- the detector ----

# The host's detector copies strings onto themselves and shifts into the sign; only how it ends
# counts here.
host_darknet() { # ARGUMENT...
    ASAN_OPTIONS=$leaks_allowed:replace_str=0 timeout 300 "$DARKNET" "$@" >printed 2>said </dev/null
    status=$?
    [ $status = 0 ]
}

if [ -f "$host/cfg/yolov3-tiny.cfg" ]; then
    # A twentieth of the pixels, and no batch_normalize, which needs more than two iterations.
    sed -e 's/^\(width\|height\)=.*/\1=96/' -e '/^batch_normalize/d' -e 's/^random=.*/random=0/' \
        -e 's/^max_batches.*/max_batches=2/' "$host/cfg/yolov3-tiny.cfg" >tiny.cfg
    ln -s "$host/data" data # the letters for the boxes
    cp "$host/data/dog.jpg" .
    echo 16 0.5 0.5 0.3 0.3 >dog.txt
    echo dog.jpg >dog.list
    printf '%s\n' classes=80 train=dog.list valid=dog.list names=data/coco.names backup=. \
        >tiny.data
    check "detector train" host_darknet detector train tiny.data tiny.cfg
    check "leaves weights" test -s tiny_final.weights
    check "detector test" host_darknet detector test tiny.data tiny.cfg tiny_final.weights dog.jpg \
        -out boxes
    check "predicts" grep -q '^dog.jpg: Predicted in ' printed
    check "and draws" eval 'test -s boxes.jpg || test -s boxes.png'
    host_darknet detector test tiny.data tiny.cfg tiny_final.weights 'x; touch pwned.jpg'
    check "fails at a missing image" test "$status" = 1
    check "and runs no command" test ! -e pwned.jpg
else
    skip "the detector" "the host's cfgs are not at $host"
fi

finish
