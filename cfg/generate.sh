#!/bin/sh
# Writes the networks of Shen et al., CVPR 2022, as cfgs, each as baseline and with DLB, for 10, 100
# and 200 classes of 32x32 images:
#
#   cfg/generate.sh            into cfg/paper
#   cfg/generate.sh FOLDER     elsewhere
#
# Names are NETWORK-CLASSES.cfg and NETWORK-CLASSES-dlb.cfg. Networks, initial weights and recipe are
# those of the authors' code, https://github.com/Meta-knowledge-Lab/DLB, but for what "Where the
# cfgs differ" in docs/paper.md lists.
set -eu

# ---- sections ----

# section NAME [LINE...]
section() {
    printf '[%s]\n' "$1"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@"
    echo
}

# convolution FILTERS SIZE STRIDE ACTIVATION [LINE...]: width and height stay, but for the stride
convolution() {
    filters=$1 size=$2 stride=$3 activation=$4
    shift 4
    [ -z "$init" ] || set -- "$@" init="$init"
    section convolutional "$@" filters="$filters" size="$size" stride="$stride" \
        pad=$((size / 2)) activation="$activation"
}

# With batch normalization after it.
normalized() { convolution "$@" batch_normalize=1; }

# With neither bias nor batch normalization after it.
bare() { convolution "$@" bias=0; }

# connected OUTPUT ACTIVATION STD
connected() { section connected output="$1" activation="$2" init_std="$3"; }

# The last layers; STD is that of the weights.
head_of() { # STD
    connected "$classes" linear "$1"
    section softmax groups=1
}

# ---- VGG ----

# vgg_group COUNT FILTERS
vgg_group() {
    count=$1
    while [ "$count" -gt 0 ]; do
        normalized "$2" 3 1 relu
        count=$((count - 1))
    done
    section maxpool size=2 stride=2
}

# vgg COUNT: convolutions in each of the last three groups
vgg() {
    init=he_fan_out
    vgg_group 2 64
    vgg_group 2 128
    vgg_group "$1" 256
    vgg_group "$1" 512
    vgg_group "$1" 512
    connected 512 relu 0.01
    connected 512 relu 0.01
    head_of 0.01
}

# ---- ResNet ----

# Each block's layers are its branch, then, where the shape changes, its input again and the
# projection of it, then the sum; `channels` is the depth of what goes into the block.

# basic WIDTH STRIDE WIDENING
basic() {
    normalized "$1" 3 "$2" relu
    normalized "$1" 3 1 linear
    sum_of "$1" "$2" 2
}

# bottleneck WIDTH STRIDE WIDENING: the inner convolutions are WIDENING times as wide
bottleneck() {
    normalized $(($1 * $3)) 1 1 relu
    normalized $(($1 * $3)) 3 "$2" relu
    normalized $(($1 * 4)) 1 1 linear
    sum_of $(($1 * 4)) "$2" 3
}

# sum_of DEPTH STRIDE LENGTH: a branch of LENGTH layers and its input, then ReLU
sum_of() {
    from=-$(($3 + 1))
    if [ "$channels" -ne "$1" ] || [ "$2" -ne 1 ]; then
        section route layers=$from
        normalized "$1" 1 "$2" linear
        from=-3
    fi
    section shortcut from=$from activation=relu
    channels=$1
}

# stage BLOCK COUNT WIDTH STRIDE WIDENING
stage() {
    "$1" "$3" "$4" "$5"
    left=$(($2 - 1))
    while [ $left -gt 0 ]; do
        "$1" "$3" 1 "$5"
        left=$((left - 1))
    done
}

# resnet BLOCK COUNT WIDENING STD
resnet() {
    init=he_fan_out
    channels=16
    normalized 16 3 1 relu
    stage "$1" "$2" 16 1 "$3"
    stage "$1" "$2" 32 2 "$3"
    stage "$1" "$2" 64 2 "$3"
    section avgpool
    head_of "$4"
}

# ---- DenseNet ----

normalize_and_activate() {
    section batchnorm
    section activation activation=relu
}

# dense_block COUNT GROWTH: each layer's output is put behind all that came before it
dense_block() {
    left=$1
    while [ "$left" -gt 0 ]; do
        normalize_and_activate
        normalized $((4 * $2)) 1 1 relu
        bare "$2" 3 1 linear
        section route layers=-5,-1
        left=$((left - 1))
    done
    channels=$((channels + $1 * $2))
}

# Half the channels, half the width and height.
transition() {
    channels=$((channels / 2))
    normalize_and_activate
    bare $channels 1 1 linear
    section avgpool size=2 stride=2
}

# densenet COUNT GROWTH STD
densenet() {
    init= # Darknet's own: as he_fan_out, but of the inputs
    channels=$((2 * $2))
    bare $channels 3 1 linear
    dense_block "$1" "$2"
    transition
    dense_block "$1" "$2"
    transition
    dense_block "$1" "$2"
    normalize_and_activate
    section avgpool
    head_of "$3"
}

# ---- one cfg ----

# The last connected layer of ResNets and DenseNet: PyTorch's default is uniform with variance
# 1 / (3 * inputs); this is normal with the same. VGG's is the authors' own.
layers_of() { # NETWORK
    case $1 in
    vgg16) vgg 3 ;;
    vgg19) vgg 4 ;;
    resnet32) resnet basic 5 1 0.0721688 ;;
    resnet110) resnet bottleneck 12 1 0.0360844 ;;
    wrn20-8) resnet bottleneck 2 8 0.0360844 ;;
    densenet40-12) densenet 6 12 0.0502519 ;;
    esac
}

title_of() { # NETWORK
    case $1 in
    vgg16) echo 'VGG-16 (Simonyan and Zisserman 2015) with batch normalization' ;;
    vgg19) echo 'VGG-19 (Simonyan and Zisserman 2015) with batch normalization' ;;
    resnet32) echo 'ResNet-32 (He et al. 2016) with projected shortcuts' ;;
    resnet110) echo 'ResNet-110 (He et al. 2016) of bottlenecks' ;;
    wrn20-8) echo 'WRN-20-8 (Zagoruyko and Komodakis 2016) of bottlenecks' ;;
    densenet40-12) echo 'DenseNet-BC-40-12 (Huang et al. 2017)' ;;
    esac
}

# Mean and standard deviation are those of the authors' code: of CIFAR-10, of CIFAR-100, of ImageNet.
inputs_of() { # CLASSES
    case $1 in
    10) printf '%s\n' mean=0.4914,0.4822,0.4465 std=0.2470,0.2435,0.2616 ;;
    100) printf '%s\n' mean=0.5071,0.4865,0.4409 std=0.2673,0.2564,0.2762 ;;
    200) printf '%s\n' mean=0.485,0.456,0.406 std=0.229,0.224,0.225 ;;
    esac
}

# 240 epochs in updates of 64 new images, the rate a tenth from epochs 150, 180 and 210 on; CIFAR has
# 50,000 images, Tiny ImageNet (200 classes) 100,000.
updates_of() { # CLASSES
    case $1 in
    200) printf '%s\n' steps=234375,281250,328125 scales=.1,.1,.1 max_batches=375000 ;;
    *) printf '%s\n' steps=117188,140625,164063 scales=.1,.1,.1 max_batches=187500 ;;
    esac
}

net_of() { # CLASSES BATCH
    cat <<END
[net]
batch=$2
subdivisions=1
height=32
width=32
channels=3
pad_crop=4
flip=1
$(inputs_of "$1")
momentum=0.9
nesterov=1
decay=0.0005
decay_all=1
learning_rate=0.05
policy=steps
$(updates_of "$1")

END
}

# NETWORK BATCH HOW; of `classes`
cfg() {
    printf '# %s, %s classes, %s,\n' "$(title_of "$1")" "$classes" "$3"
    echo "# as in Shen et al., CVPR 2022. Made by cfg/generate.sh: change that, not this file."
    net_of "$classes" "$2"
    layers_of "$1"
}

# Without the empty line at the end.
write() { # NAME
    sed '$d' >"$folder/$1.cfg"
}

folder=${1:-$(dirname "$0")/paper}
mkdir -p "$folder"
for network in vgg16 vgg19 resnet32 resnet110 wrn20-8 densenet40-12; do
    for classes in 10 100 200; do
        cfg $network 64 baseline | write $network-$classes
        # 64 new images and the 64 of the update before
        {
            cfg $network 128 DLB
            section dlb_cost alpha=1 temperature=3
        } | write $network-$classes-dlb
    done
done
