#!/bin/bash
# Checkpoints: a training that is stopped and resumed ends as an undisturbed one, bit for bit;
# signals, what is refused, what happens where nothing can be written. Prints TAP.
# DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"
make_data_set
export OMP_NUM_THREADS=1 # a result may depend on it

# ---- helpers ----

iterations_in() { # LOG
    if [ -f "$1" ]; then awk 'FNR > 1' "$1" | wc -l; else echo 0; fi
}

# Trains anew or, with -resume, on, until the log has LINES iterations; then sends the signal and
# waits for the end.
train_until() { # SIGNAL LINES CFG [ARGUMENT...]
    local signal=$1 lines=$2 cfg=$3 process
    shift 3
    # The shell has its background processes ignore SIGINT.
    env --default-signal=INT,TERM,USR1 "$DARKNET" classifier train "${data:-x.data}" "$cfg" -threads 2 "$@" >printed 2>said </dev/null &
    process=$!
    while [ "$(iterations_in "backup/${cfg%.cfg}.log.csv")" -lt "$lines" ] &&
        kill -0 $process 2>kills; do
        sleep 0.01
    done
    kill -s "$signal" $process 2>kills
    wait $process
    status=$?
}

train_on() { # CFG [ARGUMENT...]
    local cfg=$1
    shift
    train "${data:-x.data}" "$cfg" -threads 2 "$@"
}

without_times() { # LOG
    cut -d, -f1-7,10- "$1"
}

# The folder of an undisturbed run and that of one that was stopped: the same files, but for the
# time columns of the log.
same_run() { # FOLDER OTHER
    local file
    diff <(ls "$1") <(ls "$2") || return
    for file in "$1"/*; do
        case $file in
        *.state) ;; # says how many bytes the log has, and with it the times
        *.csv) cmp <(without_times "$file") <(without_times "$2/$(basename "$file")") || return ;;
        *) cmp "$file" "$2/$(basename "$file")" || return ;;
        esac
    done
}

went_on() { # whether the last run did, and not from its start or after its end
    local first
    first=$(sed -n 's/.* written after \([0-9]*\) iterations$/\1/p' said)
    [ "${first:-0}" -gt 0 ] && [ "$first" -lt "${1:-300}" ]
}

# A run that ends by itself and one that is stopped twice, the second time soon after it went on.
resumes_exactly() { # NAME CFG [ARGUMENT...]
    local name=$1 cfg=$2
    shift 2
    rm -rf backup whole
    train_on "$cfg" -seed 3 "$@" || { not_ok "$name: trains"; return; }
    mv backup whole
    train_until TERM 40 "$cfg" -seed 3 "$@"
    check "$name: SIGTERM ends with 143" test "$status" = 143
    train_until TERM 60 "$cfg" -resume "$@"
    check "$name: and again" test "$status" = 143
    train_on "$cfg" -resume "$@"
    check "$name: goes on to the end" test "$status" = 0
    check "$name: from where it was" went_on
    check "$name: to the same files" same_run whole backup
}

# ---- to the same result ----

long="max_batches=300"

dlb_cfg $long >x.cfg
resumes_exactly "[dlb_cost]" x.cfg

# On a GPU [dropout] and [crop] draw numbers of their own, which no checkpoint has, and Adam does not know [batchnorm].
on_gpu=0
! grep -q '^Training on GPU' said || on_gpu=1

deep() { # SOLVER: layers with everything that has a state
    section convolutional filters=4 size=3 stride=2 pad=1 activation=leaky batch_normalize=1
    section convolutional filters=4 size=1 activation=linear bias=0
    [ "$1$on_gpu" = adam1 ] || section batchnorm
    section activation activation=leaky
    [ $on_gpu = 1 ] || section dropout probability=.3
    section connected output=3 activation=linear
    section softmax groups=1
}
{
    net $long batch=8 subdivisions=2 mixup=0.5 nesterov=1 pad_crop=1 max_crop= min_crop= angle= aspect= |
        grep -v '=$'
    deep sgd
    section dlb_cost
} >x.cfg
resumes_exactly "subdivisions, mixup, nesterov, dropout, batch normalisation" x.cfg -valid_every 2

{
    net $long adam=1 cutmix=1 cutout=3 label_smoothing=0.1 policy=random power=1
    [ $on_gpu = 1 ] || section crop crop_height=6 crop_width=6 flip=1
    deep adam
    section dlb_cost
} >x.cfg
resumes_exactly "adam, cutmix, cutout, smoothed labels, random rates, [crop]" x.cfg

echo 'no image' >img/5_k2.ppm
baseline_cfg $long >x.cfg
resumes_exactly "the baseline with -skip_bad" x.cfg -skip_bad -save_every 20
check "which names the image in the end" grep -qx 'Left out: img/5_k2.ppm' said
check "once" test "$(grep -c '^Left out: ' said)" = 2 # and once for the validation
make_data_set

# Two sizes at least, drawn anew every 40 iterations; both stops come after the first.
{
    net max_batches=44 random=1 batch=2 width=32 height=32
    section convolutional filters=2 size=3 stride=4 pad=1 activation=leaky
    section avgpool
    section connected output=3 activation=linear
    section softmax groups=1
    section dlb_cost
} >x.cfg
rm -rf backup whole
check "random=1: trains" train_on x.cfg -seed 3 -valid_every 3
mv backup whole
train_until TERM 10 x.cfg -seed 3 -valid_every 3
check "random=1: SIGTERM ends with 143" test "$status" = 143
check "random=1: goes on to the end" train_on x.cfg -resume -valid_every 3
check "random=1: from where it was" went_on 44
check "random=1: to the same files" same_run whole backup

# ---- signals ----

dlb_cfg max_batches=1500 >x.cfg
rm -rf backup whole
check "a run without -seed" train_on x.cfg -save_every 0 -valid_every 0
seed=$(sed -n 's/^Seed: //p' printed)
mv backup whole
train_until INT 30 x.cfg -seed "$seed" -save_every 0 -valid_every 0
check "SIGINT ends with 130" test "$status" = 130
check "and says where" grep -qE '^Interrupt after iteration [0-9]+; -resume goes on from there$' said
check "going on needs no -seed" train_on x.cfg -resume -save_every 0 -valid_every 0
check "which is printed" test "$(sed -n 's/^Seed: //p' printed)" = "$seed"
check "to the same files" same_run whole backup
check "a run that has ended goes on no more" train_on x.cfg -resume -save_every 0 -valid_every 0
check "and says so" grep -qx \
    'backup/x.backup has seen 1500 of max_batches=1500 iterations: nothing is left to train' said
check "with the same files" same_run whole backup
check "nor from its weights alone" train_on x.cfg -resume=weights -save_every 0 -valid_every 0
check "which says so" grep -q '^backup/x.backup has seen 1500 of max_batches=1500 iterations' said

# What is asked for in vain is told at the end, also by the status.
rm -rf backup
mkdir backup
mkdir backup/x.backup
train_until TERM 30 x.cfg -seed "$seed" -save_every 0 -valid_every 0
check "a signal, but nothing can be saved: status 1" test "$status" = 1
check "and what is missing" grep -qx 'darknet: could not be written: x.state' said
rm -rf backup
cp -r whole backup

# SIGUSR1 until a checkpoint is there, then SIGKILL.
rm -rf backup
"$DARKNET" classifier train x.data x.cfg -seed "$seed" -save_every 0 -valid_every 0 \
    >printed 2>said </dev/null &
process=$!
until [ -f backup/x.state ] || ! kill -0 $process 2>kills; do
    [ ! -s backup/x.log.csv ] || kill -s USR1 $process 2>kills
    sleep 0.02
done
kill -s KILL $process 2>kills
wait $process 2>kills
check "SIGUSR1 saves" test -s backup/x.state
check "the run goes on after SIGKILL" train_on x.cfg -resume -save_every 0 -valid_every 0
check "from the checkpoint" went_on 1500
check "to the same files" same_run whole backup

# The validation after the third iteration takes long enough to be left.
for _ in $(seq 400); do cat train.list; done >many.list
data_file valid=many.list >many.data
dlb_cfg max_batches=4 >x.cfg
data=many.data
rm -rf backup whole
check "a long validation" train_on x.cfg -seed 3 -valid_every 1
mv backup whole
train_until TERM 2 x.cfg -seed 3
check "is left on SIGTERM" test "$status" = 143
check "after the third iteration" grep -q '^Terminated after iteration 3;' said
check "before its result" test "$(grep -c '^Validation: ' printed)" = 0
check "and done when the run goes on" train_on x.cfg -resume
check "once an epoch" test "$(grep -c '^Validation: ' printed)" = 2
check "to the same files" same_run whole backup
data=x.data

# ---- an image that is repaired ----

cp img/5_k2.ppm aside.ppm
echo 'no image' >img/5_k2.ppm
dlb_cfg max_batches=12 >x.cfg
rm -rf backup
train_on x.cfg -seed 8 -valid_every 0
check "a bad image ends a run" test "$status" = 1
mv aside.ppm img/5_k2.ppm
cp -r backup before
check "which goes on once it is good" train_on x.cfg -resume -valid_every 0
check "from where it was" went_on 12
mv backup repaired
check "an undisturbed run" train_on x.cfg -seed 8 -valid_every 0
check "comes to the same files" same_run backup repaired

# ---- -resume without a checkpoint, -resume=weights ----

rm -rf backup
check "-resume without a checkpoint" train_on x.cfg -resume -seed 8 -valid_every 0
check "says so" grep -qx 'There is no backup/x.state: the training starts from the beginning' said
check "and trains from the beginning" same_run repaired backup

rm -rf backup
cp -r before backup
before=$(od -An -tu8 -j12 -N8 backup/x.backup | tr -d ' ')
check "-resume=weights" train_on x.cfg -resume=weights -seed 8 -valid_every 0
check "says what is lost" grep -q '^Starting from backup/x.backup alone: momentum, .* are lost$' said
check "and goes on from their iteration" grep -q "^$((before / 4 + 1)), " printed
check "without a teacher in the first one" eval 'grep "^$((before / 4 + 1)), " printed | grep -q "lb -,"'

# ---- refusals ----

refuses() { # NAME SENTENCE [ARGUMENT...]: with the checkpoint of `before`, which stays
    local name=$1 sentence=$2
    shift 2
    rm -rf backup
    cp -r before backup
    train "$@" -valid_every 0
    check "refuses $name" grep -qF "darknet: $sentence" said
    check "with status 1" test "$status" = 1
    check "and leaves all as it was" diff -r before backup
}

refuses "another seed" \
    "backup/x.state is another training's: -seed was 8 and is 9" x.data x.cfg -resume -seed 9
mv x.cfg kept.cfg
sed 's/^decay=.*/decay=0.1/' kept.cfg >x.cfg
refuses "another cfg" "backup/x.state is another training's: line 9 of the cfg was \"decay=0.0005\" \
and is \"decay=0.1\"; -resume=weights starts from its weights alone" x.data x.cfg -resume
mv kept.cfg x.cfg
head -n 8 train.list >fewer.list
data_file train=fewer.list >other.data
refuses "another list" "backup/x.state is another training's: the training list was 9 images, crc32 " \
    other.data x.cfg -resume
awk '{ print $0 "\tk" (FNR + 1) % 3 }' train.list >labelled.list
data_file train=labelled.list >other.data
refuses "other labels" "backup/x.state is another training's: the labels was crc32 " \
    other.data x.cfg -resume
mv before kept
cp -r kept before
head -c 100 kept/x.state >before/x.state
refuses "a state that is cut" "backup/x.state has 100 bytes, but says that it has " x.data x.cfg -resume
cp kept/x.state before/x.state
cp repaired/x.backup before/x.backup
refuses "a state of other weights" \
    "backup/x.state belongs to other weights than backup/x.backup; -resume=weights starts from the \
weights alone" x.data x.cfg -resume
cp kept/x.backup before/x.backup
rm before/x.state
mkdir before/x.state
refuses "a folder in place of a state" "cannot read backup/x.state: Is a directory" x.data x.cfg -resume
rm -r before/x.state
cp kept/x.state before/x.state
refuses "-clear" "-resume goes on with the checkpoint's count of images" x.data x.cfg -resume -clear
refuses "an interval that is no number" "-checkpoint_every 10s: a number of iterations is needed" \
    x.data x.cfg -checkpoint_every 10s
refuses "both kinds of -resume" "-resume and -resume=weights exclude each other" \
    x.data x.cfg -resume -resume=weights
refuses "-resume with -stock_loader" "-stock_loader knows nothing of -checkpoint_every and -resume" \
    x.data x.cfg -resume -stock_loader
{
    net max_batches=3
    section connected output=4 activation=linear
    section gru output=3
    section softmax groups=1
} >gru.cfg
rm -rf backup
check "a network whose state cannot be kept trains" train_on gru.cfg -seed 1 -valid_every 0
check "and says so" grep -qx \
    'gru.cfg: layer 1, a \[gru\], keeps what no state file has: -resume will not work' said
check "with weights alone" test -s backup/gru.backup -a ! -e backup/gru.state
train_on gru.cfg -resume -valid_every 0
check "-resume refuses it" grep -q '^darknet: gru.cfg: layer 1, a \[gru\], keeps what no state' said

rm -rf backup
cp -r kept backup
OMP_NUM_THREADS=2 train_on x.cfg -resume -valid_every 0
check "another number of threads is said" grep -qx "backup/x.state: the number of threads was 1 and \
is 2. The result can differ in the last bits from that of one process" said
rm -rf backup
cp -r kept backup
check "without -resume" train_on x.cfg -seed 8 -valid_every 0
check "a checkpoint that is there is mentioned" grep -q \
    '^backup/x.state is there, but without -resume' said
check "and replaced" same_run repaired backup
rm -rf backup
cp -r kept backup
check "a run goes on with -skip_bad" train_on x.cfg -resume -skip_bad -valid_every 0
check "to the same files, where no image is bad" same_run repaired backup
rm -rf backup
train_on x.cfg -seed 8 -skip_bad -valid_every 0
train_on x.cfg -resume -valid_every 0
check "one with -skip_bad does not without" grep -qF \
    "another training's: the option -skip_bad was another one and is off" said

finish
