#!/bin/bash
# Any number of ranks ends in the weights of one rank, whatever the cfg asks for; the validation's
# figures are the same to the last digit. Prints TAP.

# shellcheck source=tests/mpi/ranks.sh
. "$(dirname "$0")/ranks.sh"
make_images 36
printf '%s\n' img/1?_*.ppm img/2_*.ppm >valid.list
data_file valid=valid.list >x.data

# Trains x.cfg on one rank, then on each number of ranks in RANKS.
equals_one_rank() { # NAME RANKS [ARGUMENT...]
    local name=$1 numbers=$2 ranks
    shift 2
    rm -rf backup one
    if ! train x.data x.cfg -seed 3 -threads 1 -save_every 0 "$@"; then
        not_ok "$name: trains on one rank"
        return
    fi
    mv backup one
    for ranks in $numbers; do
        rm -rf backup
        if ! job_trains "$ranks" x.data x.cfg -seed 3 -threads 1 -save_every 0 "$@"; then
            not_ok "$name: trains on $ranks ranks"
            continue
        fi
        check "$name: $ranks ranks, the same weights" \
            "$COMPARE_WEIGHTS" backup/x.weights one/x.weights 1e-5
        check "$name: $ranks ranks, the same log" same_losses backup/x.log.csv one/x.log.csv
    done
}

usual="max_batches=12"

{ net $usual batch=24; conv; head_of dlb; } >x.cfg
equals_one_rank "[dlb_cost]" "2 3 4"

{ net $usual batch=24 subdivisions=2; conv; head_of dlb; } >x.cfg
equals_one_rank "[dlb_cost], subdivisions" "3"

{ net $usual batch=12; conv; head_of; } >x.cfg
equals_one_rank "the baseline" "4"

{ net $usual batch=24 subdivisions=2 nesterov=1 decay_all=1 policy=poly power=2 burn_in=3; conv; head_of dlb; } >x.cfg
equals_one_rank "nesterov, decay_all, poly" "3"

{ net $usual batch=12 policy=random power=1 adam=1; section crop crop_height=6 crop_width=6 flip=1; conv; head_of; } >x.cfg
equals_one_rank "random rates, adam, [crop]" "2"

{ no_crop $usual batch=24 mixup=0.5 pad_crop=1 cutout=3 mean=.5,.5,.5 std=.2,.2,.2; conv; head_of dlb; } >x.cfg
equals_one_rank "mixup, pad_crop, cutout, mean and std" "3"

{ net $usual batch=24 subdivisions=2 cutmix=1 cutmix_prob=.7 label_smoothing=.1; conv; head_of dlb; } >x.cfg
equals_one_rank "cutmix, label smoothing, subdivisions" "2"

{ net $usual batch=12 mixup=1; conv; head_of; } >x.cfg
equals_one_rank "mixup without [dlb_cost]" "4"

{ net $usual batch=24; conv; section dropout probability=.3; head_of dlb; } >x.cfg
equals_one_rank "dropout" "3"

{
    net $usual batch=24 sync_bn=1
    conv batch_normalize=1
    section convolutional filters=4 size=1 activation=linear bias=0
    section batchnorm
    section activation activation=leaky
    section connected output=5 batch_normalize=1 activation=leaky
    head_of dlb
} >x.cfg
equals_one_rank "sync_bn" "2 4"

{ net $usual batch=24 learning_rate=0.01; conv stopbackward=1; section connected output=5 activation=leaky; head_of dlb; } >x.cfg
equals_one_rank "layers that are not trained" "2"

# From iteration 40 on another input size, which all ranks draw alike.
{
    net random=1 max_batches=42 batch=8 angle=
    section convolutional filters=4 size=3 stride=4 pad=1 activation=leaky
    section avgpool
    head_of dlb
} | grep -v '=$' >x.cfg
equals_one_rank "random=1" "2"
check "random=1: another size was drawn" grep -qx Resizing printed

echo 'no image' >img/5_k2.ppm
{ net $usual batch=24 mixup=.4; conv; head_of dlb; } >x.cfg
equals_one_rank "-skip_bad" "3" -skip_bad
check "names the image" grep -qx 'Left out: img/5_k2.ppm' said

finish
