# shellcheck shell=bash disable=SC2034
# For the tests of several ranks, which source it: end_to_end/tap.sh and jobs under mpirun.
# DARKNET names a binary built with MPI=1, COMPARE_WEIGHTS that program.

. "$(dirname "${BASH_SOURCE[0]}")/../end_to_end/tap.sh"
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0
MPIRUN=${MPIRUN:-mpirun}
: "${COMPARE_WEIGHTS:?names the program compare_weights}"
COMPARE_WEIGHTS=$(realpath "$COMPARE_WEIGHTS")

if ! command -v "$MPIRUN" >/dev/null; then
    echo "1..1"
    echo "ok 1 - several ranks # SKIP no $MPIRUN here"
    exit 0
fi

# As darknet() and train() of tap.sh, on several ranks.
job() { # RANKS ARGUMENT...
    local ranks=$1
    shift
    # shellcheck disable=SC2086 # options
    timeout 120 "$MPIRUN" ${MPIRUN_OPTIONS:-} -np "$ranks" "$DARKNET" "$@" >printed 2>said </dev/null
    status=$?
    [ "$status" = 0 ]
}

job_trains() { # RANKS ARGUMENT...
    local ranks=$1
    shift
    job "$ranks" classifier train "$@"
}

# Images of WIDTH x HEIGHT in two more numbers; COUNT of them of three classes.
make_images() { # COUNT
    local i
    mkdir -p img
    for i in $(seq "$1"); do
        ppm "img/${i}_k$((i % 3)).ppm" "$i"
    done
    printf '%s\n' img/*.ppm >train.list
    printf '%s\n' k0 k1 k2 >labels
    data_file >x.data
}

# ---- parts of cfgs ----

no_crop() { net "$@" max_crop= min_crop= angle= aspect= | grep -v '=$'; }

conv() { # [LINE...]
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky "$@"
}

head_of() { # [dlb]
    section connected output=3 activation=linear
    section softmax groups=1
    [ $# -eq 0 ] || section dlb_cost alpha=1 temperature=3
}

# ---- logs ----

log_losses() { # LOG: iteration, images, ce, lb, total and validation
    cut -d, -f1,2,5-7,10- "$1"
}

# Losses to relative 1e-4; all else alike.
same_losses() { # LOG OTHER
    paste -d, <(log_losses "$1") <(log_losses "$2") | awk -F, '
        { half = NF / 2
          for (i = 1; i <= half; i++) {
              a = $i; b = $(half + i)
              if (a == b) continue
              d = a - b; if (d < 0) d = -d
              if (a + 0 != a || b + 0 != b || d > 1e-4 * (b < 0 ? -b : b) + 1e-6) {
                  print "line " NR ", column " i ": " a " and " b; exit 1
              }
          } }'
}
