#!/bin/sh
# Prints nvcc's options for what a GPU build is compiled for: the cards at hand or, where there are
# none, every architecture from 7.5 on that the toolkit knows, and PTX of the newest.
#
#   darknet/gpu_arch.sh /usr/local/cuda/bin/nvcc
set -eu
export LC_ALL=C
nvcc=$1
oldest=75

die() {
    echo "gpu_arch.sh: $*" >&2
    exit 1
}

command -v "$nvcc" >/dev/null 2>&1 ||
    die "GPU=1 needs nvcc, but there is no $nvcc: set CUDA to the folder of the CUDA toolkit."

# one number a line, 75 for 7.5
known=$("$nvcc" --list-gpu-arch | sed -n 's/^compute_\([0-9]*\)$/\1/p' | sort -n -u)
# nvidia-smi says on standard output too that it found no driver
cards=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null |
    sed -n 's/^\([0-9]*\)\.\([0-9]\)$/\1\2/p' | sort -n -u) || true

if [ -n "$cards" ]; then
    for card in $cards; do
        echo "$known" | grep -qx "$card" ||
            die "the card's architecture, sm_$card, is none of those that $nvcc knows, $(echo "$known" | paste -s -d " "): use another toolkit, or set ARCH yourself."
    done
    wanted=$cards
    ptx=
else
    wanted=$(echo "$known" | awk -v oldest=$oldest '$1 >= oldest')
    ptx=$(echo "$wanted" | tail -n 1)
fi

for number in $wanted; do
    printf -- '-gencode=arch=compute_%s,code=sm_%s ' "$number" "$number"
done
[ -z "$ptx" ] || printf -- '-gencode=arch=compute_%s,code=compute_%s' "$ptx" "$ptx"
echo
