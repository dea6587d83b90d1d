#!/bin/bash
# The loader alone beside torchvision's DataLoader: images decoded a second, images augmented a
# second, rows a second by number of workers. On the photographs that come with the host, 224x224.
#
#   bench/loader.sh LOADER_SPEED       `make bench-loader` builds it and calls this
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
list=$(mktemp)
trap 'rm -f "$list"' EXIT
ls "$PWD"/darknet/host/data/*.jpg >"$list"
echo 'this loader (load: every row new; overlap: half of them revisited, decoded once for both)'
"$1" "$list" 224 3
if "$python" -c 'import torchvision' 2>/dev/null; then
    echo 'torchvision'
    "$python" -W ignore bench/loader_torchvision.py "$list" 224 3
else
    echo "SKIP torchvision: $python has none (Debian: python3-torchvision); PYTHON=... names another"
fi
