#!/bin/bash
# What a training step asks a GPU for: kernels, calls of cuDNN and cuBLAS, copies, graphs, and the host's waits for it,
# counted with the emulated CUDA (docs/gpu-checks.md); so none of it needs a card, and none of it is a time.
#
#   bench/launches.sh build/emulated/darknet my.data cfg/resnet20.cfg...      of make GPU=1 CUDNN=1 CUDA=$PWD/build/emulated_cuda
set -eu
[ $# -ge 3 ] || { sed -n '5s/^# *//p' "$0" >&2; exit 1; }
darknet=$(realpath "$1") data=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
settings=('' fused_batchnorm=1 augment_on_gpu=1 half=1 cuda_graph=1 'half=1 cuda_graph=1')
few=5 many=15 # the first ones measure, allocate and capture

# counted CFG KEYS ITERATIONS: five numbers, of a whole training; rows change none of them
counted() {
    sed "s/^batch=.*/batch=2/; s/^max_batches=.*/max_batches=$3/; s/^\[net\]/&\n${2// /\\n}/" "$1" >"$work/x.cfg"
    EMULATED_CUDA_COUNTS=1 "$darknet" classifier train "$data" "$work/x.cfg" -seed 1 -threads 1 -valid_every 0 -save_every 0 \
        -backup "$work/backup" 2>"$work/said" >"$work/printed" || { tail -n 3 "$work/said" >&2; exit 1; }
    sed -n 's/^emulated CUDA: //p' "$work/said" | grep -oE '[0-9]+' | paste -s -d ' '
}

echo '| network | `[net]` | kernels | calls of libraries | copies | graphs | waits |'
echo '| --- | --- | --- | --- | --- | --- | --- |'
for cfg; do
    for keys in "${settings[@]}"; do
        echo "$(counted "$cfg" "$keys" $few) $(counted "$cfg" "$keys" $many)" |
            awk -v network="$(basename "$cfg" .cfg)" -v keys="${keys:-as it is}" -v count=$((many - few)) '
            { printf "| %s | %s |", network, keys == "as it is" ? keys : "`" keys "`"; for (i = 1; i <= 5; i++) printf " %.3g |", ($(i + 5) - $i) / count; print "" }'
    done
done
