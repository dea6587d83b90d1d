#!/bin/bash
# The networks of cfg/paper: the committed cfgs are what cfg/generate.sh makes, have the parameters
# that the authors' networks have, and learn a few images by heart, as baseline and with DLB.
# tests/unit/test_paper_networks.c compares what they compute with PyTorch. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
paper=$repository/cfg/paper

# Trainable parameters of the authors' networks for 100 classes; those among them that are biases of
# a convolution in front of batch normalization, which cancels them, so that Darknet has none; the
# inputs of the last layer.
networks='
vgg16         15299748 4224 512
vgg19         20612004 5504 512
resnet32        472756    0  64
resnet110      1170868    0 256
wrn20-8        6871220    0 256
densenet40-12   188092    0 132'
names=$(awk 'NF { print $1 }' <<<"$networks")

# ---- the files ----

check "the generator runs" "$repository/cfg/generate.sh" made
check "cfg/paper is what it makes" diff -r "$paper" made
check "there are 36 of them" test "$(find "$paper" -name '*.cfg' | wc -l)" = 36

# All but what DLB adds: the title, 64 images more in a batch and the section at the end.
only_dlb_differs() { # CFG
    diff "$1.cfg" "$1-dlb.cfg" >difference
    diff - <(grep '^[<>]' difference | sed 1,2d) <<'END'
< batch=64
> batch=128
> 
> [dlb_cost]
> alpha=1
> temperature=3
END
}

# ---- parameters ----

parameters_are() { # CFG PARAMETERS
    darknet dlb inspect "$1" || return 1
    tr -d , <printed | grep "^trainable parameters  *$2:" && return
    grep '^trainable' printed
    return 1
}

logits_are() { # CLASSES; of the last cfg that was inspected
    grep "^logits  *layer [0-9]*, \[connected\], output $1\$" printed
}

while read -r name parameters biases inputs; do
    for classes in 10 100 200; do
        cfg=$paper/$name-$classes
        expected=$((parameters - biases + (classes - 100) * (inputs + 1)))
        check "$name, $classes classes: $expected parameters" parameters_are "$cfg.cfg" $expected
        check "and with DLB" parameters_are "$cfg-dlb.cfg" $expected
        check "whose logits are the classes" logits_are "$classes"
        check "and which differs in nothing but DLB" only_dlb_differs "$cfg"
    done
done < <(sed 1d <<<"$networks")

# ---- learning ----

mkdir img
for i in 1 2 3 4; do
    ppm img/$i.ppm $((i * 7)) 32 32
    printf 'img/%d.ppm\tclass%02d\n' $i $((i * 20))
done >train.list
printf 'class%02d\n' {0..99} >labels
data_file classes=100 >x.data

# The cfg, but with 8 images an iteration, ITERATIONS of them, and a rate for so few images.
short() { # CFG ITERATIONS RATE
    sed "s/^batch=.*/batch=8/; s/^max_batches=.*/max_batches=$2/; s/^learning_rate=.*/learning_rate=$3/" "$1"
}

# The cross entropy of the last three iterations is on average below that of the first three. VGG,
# whose connected layers start with small weights, starts slowly; the deepest network wants a small rate.
learns() { # NAME
    local iterations=12 rate=0.01
    case $1 in
    vgg*) iterations=20 ;;
    resnet110*) rate=0.001 ;;
    esac
    short "$paper/$1.cfg" $iterations $rate >"$1.cfg"
    train x.data "$1.cfg" -seed 3 -valid_every 0 -save_every 0 || return 1
    awk -F, -v n=$iterations 'FNR > 1 { ce[FNR - 1] = $5 } END {
        first = (ce[1] + ce[2] + ce[3]) / 3; last = (ce[n - 2] + ce[n - 1] + ce[n]) / 3
        print "from " first " to " last
        exit !(FNR == n + 1 && last < 0.75 * first)
    }' "backup/$1.log.csv"
}

for name in $names; do
    check "$name learns four images" learns "$name-100"
    check "and with DLB" learns "$name-100-dlb"
done

# ---- the paper's protocol ----

# As many as an update draws anew.
for _ in {1..15}; do cat train.list; done >more.list
cat more.list >>train.list

plan_keeps_batches() {
    darknet dlb compare x.data "$paper/resnet32-100.cfg" "$paper/resnet32-100-dlb.cfg" \
        -protocol equal-updates-2n -plan -out runs &&
        grep -qx batch=64 runs/resnet32-100.cfg && grep -qx batch=128 runs/resnet32-100-dlb.cfg
}
check "dlb compare takes the pair as it is for equal-updates-2n" plan_keeps_batches

plan_from_one_keeps_batches() {
    darknet dlb compare x.data "$paper/resnet32-100-dlb.cfg" -protocol equal-updates-2n -plan \
        -out runs1 && grep -qx batch=64 runs1/resnet32-100-dlb-baseline.cfg &&
        grep -qx batch=128 runs1/resnet32-100-dlb.cfg
}
check "and makes the same of the one with DLB alone" plan_from_one_keeps_batches

finish
