#!/bin/bash
# Two ranks of a GPU=1 MPI=1 build end in the weights of one: both on one card and, where there are two,
# on a card each; with -nogpu as its argument on the CPU. With -under COMMAND... two ranks on one card train a
# few iterations, each started by this command, which has to end well. Prints TAP. DARKNET names that build,
# COMPARE_WEIGHTS that program.
way=${1:-}

# shellcheck source=tests/mpi/ranks.sh
. "$(dirname "$0")/../mpi/ranks.sh"
export NVIDIA_TF32_OVERRIDE=0 # products of float32
usual=(-seed 3 -threads 1 -save_every 0)
make_images 36
printf '%s\n' img/1?_*.ppm img/2_*.ppm >valid.list
data_file valid=valid.list >x.data

head_of() {
    section connected output=3 activation=linear
    section softmax groups=1
    section dlb_cost alpha=1 temperature=3
}

plain() { # [KEY=VALUE...]: of [net]
    # shellcheck disable=SC2046 # a word for each
    net $(pairs "$@" -- batch=24 subdivisions=2 max_batches=12 nesterov=1 decay_all=1)
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky
    head_of
}

normalized() { # [KEY=VALUE...]: of [net]
    net batch=24 max_batches=12 "$@"
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky batch_normalize=1
    section convolutional filters=4 size=1 activation=linear bias=0
    section batchnorm
    section connected output=5 batch_normalize=1 activation=leaky
    head_of
}

# Trains x.cfg on one rank and on two, which get the arguments.
equals_one_rank() { # NAME ARGUMENT...
    local name=$1
    shift
    rm -rf backup one
    check "$name: one rank" train x.data x.cfg "${usual[@]}" $way
    mv backup one
    check "$name: two ranks" job_trains 2 x.data x.cfg "${usual[@]}" "$@"
    cp said said_by_two
    check "$name: the same weights" "$COMPARE_WEIGHTS" backup/x.weights one/x.weights 1e-4
    check "$name: the same log" same_losses backup/x.log.csv one/x.log.csv
}

# SIGTERM to one of two ranks ends both, one goes on. mpirun would pass it on only after a second.
goes_on_alone() { # NAME ARGUMENT...
    local name=$1 job
    shift
    plain max_batches=300 learning_rate=.01 >x.cfg
    rm -rf backup one
    train x.data x.cfg "${usual[@]}" -valid_every 0 $way
    mv backup one
    "$MPIRUN" -np 2 "$DARKNET" classifier train x.data x.cfg "${usual[@]}" \
        -valid_every 0 "$@" >printed 2>said </dev/null &
    job=$!
    while [ "$(cat backup/x.log.csv 2>/dev/null | wc -l)" -le 60 ] && kill -0 $job 2>kills; do
        sleep 0.01
    done
    pgrep -P $job | head -n 1 | xargs -r kill -s TERM
    wait $job
    check "$name: one rank goes on" train x.data x.cfg -threads 1 -save_every 0 -valid_every 0 -resume $way
    check "$name: from where the two were" grep -qE 'written after [1-9][0-9]* iterations' said
    check "$name: to the same weights" "$COMPARE_WEIGHTS" backup/x.weights one/x.weights 1e-4
}

# Ranks that normalise by their own rows, without the keys and with them.
equals_without() { # NAME KEYS ARGUMENT...
    local name=$1 keys=$2
    shift 2
    normalized >x.cfg
    rm -rf backup without
    check "$name: two ranks without $keys" job_trains 2 x.data x.cfg "${usual[@]}" "$@"
    mv backup without
    # shellcheck disable=SC2086 # several words
    normalized $keys >x.cfg
    check "$name: two ranks with $keys" job_trains 2 x.data x.cfg "${usual[@]}" "$@"
    check "$name: the same weights with $keys" "$COMPARE_WEIGHTS" backup/x.weights without/x.weights 1e-4
}

# The program becomes mpirun.
by_one_command() { # GPUS
    plain >x.cfg
    rm -rf backup one
    check "-gpus $1 alone: one rank" train x.data x.cfg "${usual[@]}"
    mv backup one
    check "-gpus $1 alone" train x.data x.cfg "${usual[@]}" -gpus "$1"
    check "-gpus $1 alone: starts two ranks" grep -q '^Starting 2 ranks: ' said
    check "-gpus $1 alone: the same weights" "$COMPARE_WEIGHTS" backup/x.weights one/x.weights 1e-4
}

has_cudnn() { readelf -d "$DARKNET" | grep -q 'NEEDED.*libcudnn'; }

# Each rank rounds its gradients to 11 bits. The first loss scale goes by the rows of a rank, so one rank and
# two may have to leave out other updates.
in_float16() { # NAME ARGUMENT...
    if ! has_cudnn; then
        skip "$1, half=1" 'the program is built without CUDNN=1'
        return
    fi
    plain half=1 >x.cfg
    rm -rf backup one
    check "$1, half=1: one rank" train x.data x.cfg "${usual[@]}"
    mv backup one
    cp said said_by_one
    check "$1, half=1: two ranks" job_trains 2 x.data x.cfg "${usual[@]}" "${@:2}"
    if grep -q '^Dropped' said said_by_one; then
        skip "$1, half=1: about the same weights" 'an update was left out'
    else
        check "$1, half=1: about the same weights" "$COMPARE_WEIGHTS" backup/x.weights one/x.weights 1e-2
    fi
}

ranks_train() { # NAME ARGUMENT...
    plain >x.cfg
    equals_one_rank "$1" "${@:2}"
    normalized sync_bn=1 >x.cfg
    equals_one_rank "$1, sync_bn" "${@:2}"
    if [ "$way" != -nogpu ]; then
        plain cuda_graph=1 >x.cfg
        equals_one_rank "$1, cuda_graph" "${@:2}"
        plain augment_on_gpu=1 mixup=.4 >x.cfg
        equals_one_rank "$1, augment_on_gpu" "${@:2}"
        equals_without "$1" 'cuda_graph=1 fused_batchnorm=1' "${@:2}"
        in_float16 "$@"
    fi
    goes_on_alone "$1" "${@:2}"
}

train_under() { # COMMAND...
    timeout 600 "$MPIRUN" -np 2 "$@" "$DARKNET" classifier train x.data x.cfg "${usual[@]}" -gpus 0,0 >printed 2>said </dev/null
    status=$?
    [ "$status" = 0 ]
}

two_under() { # NAME COMMAND...
    check "$1" train_under "${@:2}"
    [ "$status" = 0 ] || grep -h '^=====' printed said | head -n 100 | sed 's/^/# /' # what compute-sanitizer found
}

cards=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU')
if [ "$way" = -nogpu ]; then
    ranks_train 'on the CPU' -nogpu
    finish
    exit
fi
if [ "$way" = -under ]; then
    plain max_batches=3 >x.cfg
    two_under "two ranks on one card under $2" "${@:2}"
    normalized sync_bn=1 | sed 's/^max_batches=.*/max_batches=3/' >x.cfg
    two_under "two ranks on one card under $2, sync_bn" "${@:2}"
    finish
    exit
fi
if [ "$cards" -ge 1 ]; then
    ranks_train 'two ranks on one card' -gpus 0,0
    by_one_command 0,0
    check 'whose gradients go through the host' grep -q 'through the host.*ranks share a card' said_by_two
else
    skip 'two ranks on one card' 'there is no card'
fi
if [ "$cards" -ge 2 ]; then
    ranks_train 'two ranks on two cards' -gpus 0,1
    if readelf -d "$DARKNET" | grep -q libnccl; then
        check 'whose gradients NCCL adds up' grep -q 'added up by NCCL' said_by_two
    fi
else
    skip 'two ranks on two cards' "there are $cards cards"
fi
finish
