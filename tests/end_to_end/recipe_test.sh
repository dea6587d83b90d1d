#!/bin/bash
# The recipe's keys of [net] with the real binary: each trains and changes something, is the same
# with any number of threads, and is refused where it cannot mean what it says. Prints TAP.
# DARKNET names the binary (default: bin/darknet). What each key computes is checked in tests/unit
# and tests/trajectory.

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set

statistics="mean=.5,.4,.3 std=.25,.2,.1"

# The [net] section without the host's crop keys.
plain_net() { # [KEY=VALUE...]
    echo '[net]'
    pairs "$@" -- batch=8 subdivisions=2 width=8 height=8 channels=3 momentum=0.9 decay=0.0005 \
        learning_rate=0.02 policy=constant max_batches=5
    echo
}

plain_cfg() { # [KEY=VALUE...]
    plain_net "$@"
    body
    section softmax groups=1
}

plain_dlb_cfg() { # [KEY=VALUE...]
    plain_cfg "$@"
    section dlb_cost alpha=1 temperature=3
}

# ---- each key trains ----

# Leaves the end weights in FILE.
trained() { # FILE ARGUMENT...
    local file=$1
    shift
    rm -rf backup
    train x.data x.cfg -seed 5 -valid_every 0 "$@" && mv backup/x.weights "$file"
}

trains() { # NAME KEY=VALUE...: unlike without the keys, and the same with one thread and with five
    local name=$1 kind
    shift
    for kind in plain_cfg plain_dlb_cfg; do
        $kind >x.cfg
        check "without $name trains, $kind" trained without.weights -threads 3
        $kind "$@" >x.cfg
        check "$name trains, $kind" trained one.weights -threads 1
        check "$name changes the end weights, $kind" \
            test "$(cmp -s one.weights without.weights; echo $?)" = 1
        check "$name trains with five threads, $kind" trained five.weights -threads 5
        check "$name is the same with them, $kind" cmp one.weights five.weights
    done
}

trains nesterov nesterov=1
trains pad_crop pad_crop=2
trains flip flip=0
# shellcheck disable=SC2086  # two words
trains "mean and std" $statistics
trains cutout cutout=4
trains label_smoothing label_smoothing=.1
trains mixup mixup=.4
trains cutmix cutmix=1 cutmix_prob=.5
# shellcheck disable=SC2086
trains "all of it" nesterov=1 pad_crop=2 cutout=4 label_smoothing=.1 mixup=.4 hue=.1 $statistics

what_is_off_changes_nothing() {
    plain_dlb_cfg >x.cfg
    trained without.weights -nogpu || return 1
    plain_dlb_cfg nesterov=0 flip=1 cutout=0 label_smoothing=0 mixup=0 cutmix=0 cuda_graph=1 half=1 fused_batchnorm=1 augment_on_gpu=1 >x.cfg
    trained off.weights -nogpu && cmp without.weights off.weights
}
check "keys that are switched off change nothing, bit for bit, nor do cuda_graph, half, fused_batchnorm and augment_on_gpu on the CPU" what_is_off_changes_nothing

# On a GPU these change where and in which order it is computed, on the CPU nothing.
normalised_cfg() { # [KEY=VALUE...]
    plain_net mixup=.4 nesterov=1 "$@"
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky batch_normalize=1
    section batchnorm
    section connected output=3 activation=linear
    section softmax groups=1
    section dlb_cost alpha=1 temperature=3
}
ends_about_as_without() { # KEY=VALUE...
    normalised_cfg >x.cfg
    trained without.weights || return 1
    normalised_cfg "$@" >x.cfg
    trained with.weights && "$COMPARE_WEIGHTS" with.weights without.weights 1e-5
}
for keys in cuda_graph=1 fused_batchnorm=1 augment_on_gpu=1 'cuda_graph=1 fused_batchnorm=1 augment_on_gpu=1'; do
    if [ -x "${COMPARE_WEIGHTS:-}" ]; then
        # shellcheck disable=SC2086 # several words
        check "$keys ends about as without" ends_about_as_without $keys
    else
        skip "$keys ends about as without" 'COMPARE_WEIGHTS names no program'
    fi
done

# ---- inference ----

# shellcheck disable=SC2086
plain_cfg batch=6 $statistics >x.cfg
check "trains normalised" trained x.weights
top1_of_valid() { # [OPTION]
    darknet classifier valid x.data x.cfg x.weights "$@" && cut -d: -f2 printed | tail -n 1
}
# The host prints each image's first two probabilities, ours the same to rounding.
valid_agrees_with_the_host() {
    top1_of_valid >ours && mv printed ours.printed || return 1
    ASAN_OPTIONS=detect_leaks=0 top1_of_valid -stock_loader >host || return 1
    cmp ours host || return 1
    paste -d' ' <(grep ppm ours.printed | tr -d ,) <(grep ppm printed | tr -d ,) |
        awk '{ if ($1 != $5 || ($3 - $7)^2 > 1e-8 || ($4 - $8)^2 > 1e-8) exit 1 }'
}
check "valid normalises as training does, with the host's loader too" valid_agrees_with_the_host
validation_in_training_agrees() {
    rm -rf backup
    train x.data x.cfg -seed 5 -threads 2 || return 1
    sed 's/.*top 1: \([0-9.]*\),.*/\1/' ours.printed | tail -n 1
    tail -n 1 backup/x.log.csv | cut -d, -f10
    awk -v a="$(sed 's/.*top 1: \([0-9.]*\),.*/\1/' ours.printed | tail -n 1)" \
        -v b="$(tail -n 1 backup/x.log.csv | cut -d, -f10)" \
        'BEGIN { exit !(a != "" && b != "" && (a - b)^2 < 1e-10) }'
}
check "so does validation in training" validation_in_training_agrees
sed '/^mean=/d; /^std=/d' x.cfg >unnormalised.cfg
other_predictions() {
    darknet classifier valid x.data x.cfg x.weights && grep ppm printed >normalised || return 1
    darknet classifier valid x.data unnormalised.cfg x.weights && grep ppm printed >raw || return 1
    ! cmp -s normalised raw
}
check "without the keys the predictions are others" other_predictions

# ---- refused ----

refuses() { # NAME SENTENCE [ARGUMENT...]: of `classifier train`; x.data x.cfg without any
    local name=$1 sentence=$2
    shift 2
    [ $# -gt 0 ] || set -- x.data x.cfg
    rm -rf backup
    check "refuses $name" fails_with "$sentence" "$@"
}
fails_with() { # SENTENCE ARGUMENT...
    local sentence=$1
    shift
    train "$@"
    [ "$status" = 1 ] && [ "$(grep -c '^darknet: ' said)" = 1 ] &&
        tail -n 1 said | grep -qF -- "$sentence" && [ ! -e backup ]
}
refuses_keys() { # SENTENCE KEY=VALUE...
    local sentence=$1
    shift
    plain_dlb_cfg "$@" >x.cfg
    refuses "$*" "darknet: x.cfg: $sentence"
}

refuses_keys "[net] nesterov=2 is not 0 or 1" nesterov=2
refuses_keys "[net] pad_crop=-1 is not a whole number from 0 to 65536" pad_crop=-1
refuses_keys "[net] flip=yes is not 0 or 1" flip=yes
refuses_keys "[net] mean=.5,.5 is not three numbers from 0 to 1, with commas" mean=.5,.5 std=1,1,1
refuses_keys "[net] std=0,1,1 is not three numbers from 1e-6 to 1, with commas" mean=0,0,0 std=0,1,1
refuses_keys "[net] mean=0,0,0 needs std= too" mean=0,0,0
refuses_keys "[net] cutout=1.5 is not a whole number" cutout=1.5
refuses_keys "[net] label_smoothing=2 is not a number from 0 to 1" label_smoothing=2
refuses_keys "[net] mixup=-1 is not a number from 0 to 1000" mixup=-1
refuses_keys "[net] cutmix=x is not a number from 0 to 1000" cutmix=x
refuses_keys "[net] cutmix_prob=.5 needs cutmix= too" cutmix_prob=.5
refuses_keys "[net] mixup=1 and cutmix=1 exclude each other" mixup=1 cutmix=1
refuses_keys "[net] pad_crop=2 and max_crop=9 exclude each other" pad_crop=2 max_crop=9
refuses_keys "[net] cuda_graph=2 is not 0 or 1" cuda_graph=2
refuses_keys "[net] fused_batchnorm=2 is not 0 or 1" fused_batchnorm=2
refuses_keys "[net] augment_on_gpu=2 is not 0 or 1" augment_on_gpu=2
refuses_keys "[net] half=2 is not 0, 1 or bfloat16" half=2
refuses_keys "[net] nesterov=1 needs a momentum above 0, but momentum=0" nesterov=1 momentum=0
refuses_keys "[net] nesterov=1 and adam=1 exclude each other" nesterov=1 adam=1
refuses_keys "mixup=0.4 mixes the rows of half a micro-batch, but with batch/subdivisions = 2" \
    mixup=.4 batch=2 subdivisions=1

{
    plain_net nesterov=1
    section gru output=4
    section connected output=3 activation=linear
    section softmax groups=1
} >x.cfg
refuses "nesterov for a layer that it does not know" \
    "darknet: x.cfg: nesterov=1 does not know how layer 0, a [gru], is updated"
{
    plain_net cuda_graph=1
    section connected output=3 activation=linear
    section dropout probability=.5
    section softmax groups=1
} >x.cfg
refuses "cuda_graph for a layer that no graph can have" \
    "darknet: x.cfg: [net] cuda_graph=1 does not go with layer 1, a [dropout]"
{
    plain_cfg mixup=.4
    section cost type=sse
} >x.cfg
refuses "soft labels for another loss" "label_smoothing, mixup and cutmix need a network that ends in"

for key in nesterov=1 pad_crop=2 flip=0 cutout=4 label_smoothing=.1 mixup=.4 cutmix=1 cuda_graph=1 fused_batchnorm=1 augment_on_gpu=1; do
    plain_cfg $key >x.cfg
    refuses "$key with -stock_loader" \
        "darknet: x.cfg: [net] $key is known to \`classifier train\` alone, and not with -stock_loader" \
        x.data x.cfg -stock_loader
done

plain_cfg label_smothing=.1 >x.cfg
names_a_slip() {
    train x.data x.cfg -seed 5 -check && grep -qF "label_smothing = .1" said
}
check "names a key that nothing reads" names_a_slip

finish
