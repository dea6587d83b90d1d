# shellcheck shell=bash disable=SC2034,SC2119,SC2120  # for the scripts that source this
# For the end-to-end tests, which source it: TAP, small images, cfgs, and running the binary. It
# moves into a fresh folder, gone at the end. DARKNET names the binary (default: bin/darknet).

set -u
export LC_ALL=C
end_to_end=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
repository=$(cd "$end_to_end/../.." && pwd) || exit 1
DARKNET=$(realpath "${DARKNET:-bin/darknet}")
[ -x "$DARKNET" ] || { echo "Bail out! no program at $DARKNET: build it, or set DARKNET"; exit 1; }
export LSAN_OPTIONS="suppressions=$repository/tests/host_leaks.lsan:print_suppressions=0"
WORK=$(mktemp -d) || exit 1
WORK=$(realpath "$WORK")
trap 'rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1

# ---- TAP ----

number=0
failures=0

ok() { # NAME
    number=$((number + 1))
    echo "ok $number - $1"
}

not_ok() { # NAME
    number=$((number + 1))
    failures=$((failures + 1))
    echo "not ok $number - $1"
    echo "# the last run ended with status ${status:-unknown}, after:"
    [ ! -f said ] || tail -n 12 said | sed 's/^/# /'
}

skip() { # NAME REASON
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# The command decides; what it prints is shown if it fails.
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >checked 2>&1; then
        ok "$name"
    else
        not_ok "$name"
        head -n 12 checked | sed 's/^/# /'
    fi
}

finish() { # the plan; the exit status says whether all passed
    echo "1..$number"
    [ $failures -eq 0 ]
}

# ---- running ----

# Leaves standard output in `printed`, standard error in `said` and the exit status in $status,
# which is "sanitizer" where a sanitizer found something: programs that fail as they should exit
# with 1, and so do sanitizers.
darknet() { # ARGUMENT...
    timeout 120 "$DARKNET" "$@" >printed 2>said </dev/null
    status=$?
    ! grep -qE 'Sanitizer|runtime error:' said || status=sanitizer
    [ "$status" = 0 ]
}

train() { # ARGUMENT...
    darknet classifier train "$@"
}

# ---- images ----

# Pixels that differ from image to image, 0..255 in a pattern of its own for each NUMBER.
ppm() { # FILE NUMBER [WIDTH HEIGHT]
    local width=${3:-8} height=${4:-8}
    # shellcheck disable=SC2059  # the format is the octal escapes of all bytes
    {
        printf 'P6\n%d %d\n255\n' "$width" "$height"
        printf "$(awk -v size=$((width * height * 3)) -v number="$2" 'BEGIN {
            for (i = 0; i < size; i++) printf "\\%03o", (i * (number + 7) + number * 41) % 256
        }')"
    } >"$1"
}

# Nine of them, img/1_k1.ppm to img/9_k0.ppm, of the classes k0, k1 and k2; train.list, labels
# and x.data, whose backup folder is "backup".
make_data_set() {
    local i
    mkdir -p img
    for i in 1 2 3 4 5 6 7 8 9; do
        ppm "img/${i}_k$((i % 3)).ppm" $i
    done
    printf '%s\n' img/*.ppm >train.list
    printf '%s\n' k0 k1 k2 >labels
    data_file >x.data
}

data_file() { # [KEY=VALUE...]: these replace the usual ones; to standard output
    pairs "$@" -- classes=3 train=train.list valid=train.list labels=labels backup=backup
}

# ---- cfgs ----

section() { # NAME [LINE...]
    echo "[$1]"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@"
    echo
}

# The pairs after --, and those before it, which replace those with the same key.
pairs() { # [KEY=VALUE...] -- [KEY=VALUE...]
    printf '%s\n' "$@" | awk -F= '
        $0 == "--" { usual = 1; next }
        usual && ($1 in given) { next }
        { given[$1]; print }'
}

# The [net] section for 8x8 images, all augmentation on.
net() { # [KEY=VALUE...]: these replace the usual ones
    echo '[net]'
    pairs "$@" -- batch=4 subdivisions=1 width=8 height=8 channels=3 momentum=0.9 decay=0.0005 \
        learning_rate=0.05 policy=constant max_batches=6 min_crop=8 max_crop=12 angle=7 \
        aspect=1.3 hue=.1 saturation=1.5 exposure=1.5
    echo
}

body() { # [CLASSES]: two layers between [net] and [softmax]
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky
    section connected output="${1:-3}" activation=linear
}

baseline_cfg() { # [KEY=VALUE...]: of [net]
    net "$@"
    body
    section softmax groups=1
}

dlb_cfg() { # [KEY=VALUE...]: of [net]
    baseline_cfg "$@"
    section dlb_cost alpha=1 temperature=3
}
