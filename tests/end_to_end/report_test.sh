#!/bin/bash
# `darknet dlb report`, on runs written by hand whose figures are worked out by hand. Prints TAP.
# Needs gnuplot for the charts. DARKNET names the binary (default: bin/darknet).

# shellcheck source=tests/end_to_end/tap.sh
. "$(dirname "$0")/tap.sh"

has_gnuplot() { command -v gnuplot >checked 2>&1; }

# ---- runs ----

comparison() { # SEEDS [PROTOCOL]: makes the folder runs anew
    rm -rf runs
    mkdir runs
    cat >runs/comparison.txt <<END
version=0.1.0
command=bin/darknet dlb compare x.data base.cfg 'dlb,1.cfg'
data=/d/x.data
protocol=${2:-equal-images}
topk=2
seeds=$1
train_images=8
valid_images=100
build=openblas onednn
valid_every=1
lists_crc32=1
END
    cat >runs/arms.csv <<'END'
arm,role,parent,batch,subdivisions,max_batches,cfg
base,baseline,,4,1,4,cfg/base.cfg
"dlb,1",arm,,4,1,4,"cfg/dlb,1.cfg"
control,control,"dlb,1",4,1,4,cfg/control.cfg
END
}

header=iteration,images,epoch,rate,ce,lb,total,load_s,step_s,valid_top1,valid_topk,valid_ce

# Two epochs of two iterations. images/s are 10, 10, 10 and 0.4; seconds per step .3, .3, .3 and 9.
log() { # ARM SEED FIRST_TOP1 LAST_TOP1 [LB]: with LB in the log where it is not empty
    local lb2='' lb3='' lb4=''
    [ -z "${5:-}" ] || lb2=0.2 lb3=0.3 lb4=0.4
    mkdir -p "runs/$1/seed-$2"
    printf '%s\n' $header \
        "1,4,0.500000,0.1,2,,2,0.1,0.3,,," \
        "2,8,1.000000,0.1,1,$lb2,1,0.1,0.3,$3,0.95,0.75" \
        "3,12,1.500000,0.1,0.5,$lb3,0.5,0.1,0.3,,," \
        "4,16,2.000000,0.1,0.25,$lb4,0.25,1,9,$4,0.99,0.5" >"runs/$1/seed-$2/$1.log.csv"
}

record() { # STATUS PEAK_KIB ARM SEED
    printf '%s\n' "command=train $3 -seed $4" "status=$1" seconds=12.34 "peak_memory_kib=$2" \
        threads=2 started=2026-01-02T03:04:05Z
}

finished() { # PEAK_KIB ARM SEED FIRST_TOP1 LAST_TOP1 [LB]
    log "${@:2}"
    record 0 "$1" "$2" "$3" >"runs/$2/seed-$3/finished.txt"
}

failed() { # ARM SEED ERROR
    mkdir -p "runs/$1/seed-$2"
    { record 1 0 "$1" "$2"; echo "error=$3"; } >"runs/$1/seed-$2/failed.txt"
}

# The baseline complete; of dlb,1 seed 3 failed, of its control seed 2 is missing.
part_of_the_runs() {
    comparison 3,1,2
    finished 10240 base 1 0.81 0.80
    finished 20480 base 2 0.80 0.82
    finished 15360 base 3 0.86 0.84
    finished 10240 dlb,1 1 0.5 0.83 lb
    finished 10240 dlb,1 2 0.5 0.87 lb
    failed dlb,1 3 'darknet: cannot read a|b.png'
    finished 10240 control 1 0.5 0.81 lb
    finished 10240 control 3 0.5 0.83 lb
    mkdir runs/control/seed-2
    echo $header >runs/control/seed-2/control.log.csv
}

# ---- checks ----

report() { darknet dlb report runs; }

says() { # LINE: report.md has it, whole
    grep -qxF -- "$1" runs/report.md
}


fails_with() { # SENTENCE: the last run ended with it
    [ "$status" = 1 ] && grep -qF -- "darknet: $1" said && [ "$(wc -l <said)" = 1 ]
}

is_png() { # FILE
    [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] &&
        [ "$(tail -c 8 "$1" | head -c 4)" = IEND ]
}

is_svg() { # FILE WORD...: and names every word
    local file=$1 word
    shift
    grep -q '<svg' "$file" && grep -q '</svg>' "$file" || return 1
    for word; do grep -qF ">$word<" "$file" || return 1; done
}

no_leftovers() { [ -z "$(find runs -name '*.tmp')" ]; }

# ---- part of the runs ----

part_of_the_runs
check "reports whatever runs are there" report
check "and says where" grep -qx 'runs/report.md: 7 of 9 runs finished' printed
cat >expected <<'END'
arm,seed,epoch,iteration,images,train_ce,train_lb,valid_top1,valid_topk,valid_ce
base,3,1.000000,2,8,1.500000,,0.86,0.95,0.75
base,3,2.000000,4,16,0.375000,,0.84,0.99,0.5
base,1,1.000000,2,8,1.500000,,0.81,0.95,0.75
base,1,2.000000,4,16,0.375000,,0.80,0.99,0.5
base,2,1.000000,2,8,1.500000,,0.80,0.95,0.75
base,2,2.000000,4,16,0.375000,,0.82,0.99,0.5
"dlb,1",1,1.000000,2,8,1.500000,0.200000,0.5,0.95,0.75
"dlb,1",1,2.000000,4,16,0.375000,0.350000,0.83,0.99,0.5
"dlb,1",2,1.000000,2,8,1.500000,0.200000,0.5,0.95,0.75
"dlb,1",2,2.000000,4,16,0.375000,0.350000,0.87,0.99,0.5
control,3,1.000000,2,8,1.500000,0.200000,0.5,0.95,0.75
control,3,2.000000,4,16,0.375000,0.350000,0.83,0.99,0.5
control,1,1.000000,2,8,1.500000,0.200000,0.5,0.95,0.75
control,1,2.000000,4,16,0.375000,0.350000,0.81,0.99,0.5
END
check "results.csv is exact" cmp expected runs/results.csv

# 80, 82, 84: deviation 2. Best 81, 82, 86: deviation sqrt 7. 83, 87: deviation sqrt 8.
check "the baseline's figures" says \
    '| base | 3 of 3 | 16 | 82.00 ± 2.00 | 83.00 ± 2.65 | 99.00 ± 0.00 | 0.5000 ± 0.0000 | 10.0 | 0.3000 | 20 |'
check "those of an arm with a failed run" says \
    '| dlb,1 | 2 of 3 | 16 | 85.00 ± 2.83 | 85.00 ± 2.83 | 99.00 ± 0.00 | 0.5000 ± 0.0000 | 10.0 | 0.3000 | 10 |'
# 3 and 5: 4 ± 12.7062 * sqrt 2 / sqrt 2. Best: 83 - 81 and 87 - 82.
check "a difference over two pairs" says \
    '| dlb,1 minus base | 2 | +4.00 (-8.71 to +16.71) | +3.50 (-15.56 to +22.56) |'
check "one whose mean is 0" says \
    '| control minus base | 2 | +0.00 (-12.71 to +12.71) | -1.50 (-20.56 to +17.56) |'
check "an interval around 0 is read as no difference" says \
    '- dlb,1 minus base: the interval contains 0: this comparison does not show a difference.'
# Only seed 1 is finished in all three.
check "the split: sampling" says '| sampling: control minus base | 1 | +1.00 (-) | +0.00 (-) |'
check "distillation" says '| distillation: dlb,1 minus control | 1 | +2.00 (-) | +2.00 (-) |'
check "and their sum" says '| total: dlb,1 minus base | 1 | +3.00 (-) | +2.00 (-) |'
check "one pair has no interval" grep -q 'total, .*: one pair has no spread' runs/report.md
check "a failed run is listed with its error" says \
    '- dlb,1, seed 3: failed with status 1: darknet: cannot read a\|b.png'
check "a missing one by name" says '- control, seed 2: missing, not finished yet.'
check "the best epoch is called optimistic" grep -q 'that column is optimistic' runs/report.md
check "of arms that are validated equally often alike" eval '! grep -q "validated about twice as often" runs/report.md'
check "the protocol is said in words" grep -q \
    'Protocol equal-images. Every arm processes the same number of images' runs/report.md
check "every command is there" says 'train control -seed 3'
check "the comparison's too" says "bin/darknet dlb compare x.data base.cfg 'dlb,1.cfg'"
check "version and build" says \
    'DLB for Darknet 0.1.0, built with openblas onednn. The command at the top does everything; these are its runs, one by one:'
check "times, in the report only" says '| base, seed 1 | 2026-01-02T03:04:05Z | 12.3 | 2 |'

if has_gnuplot; then
    for chart in validation_error training_loss; do
        check "$chart.png is a picture" is_png runs/charts/$chart.png
        check "$chart.svg names the arms" is_svg runs/charts/$chart.svg base dlb,1 control
        check "report.md shows $chart" grep -qF "](charts/$chart.png)" runs/report.md
    done
    check "a chart can be drawn by hand" eval '(cd runs/charts && rm training_loss.png && gnuplot *loss.gp)'
    check "and is the same kind of picture" is_png runs/charts/training_loss.png
else
    skip "charts" "gnuplot is not installed"
fi
check "nothing is left aside" no_leftovers
cp runs/results.csv runs/report.md .
check "again" report
check "gives the same bytes" eval 'cmp results.csv runs/results.csv && cmp report.md runs/report.md'

# 80 + 1, 82 + 1.2, 84 + 1.4: 1.2 ± 4.30265 * .2 / sqrt 3.
comparison 1,2,3 equal-updates-2n
for seed in 1 2 3; do
    finished 1024 base $seed 0.1 0.8$((2 * seed - 2))
    finished 1024 control $seed 0.1 0.7 lb
done
finished 1024 dlb,1 1 0.1 0.81 lb
finished 1024 dlb,1 2 0.1 0.832 lb
finished 1024 dlb,1 3 0.1 0.854 lb
check "a complete comparison" report
check "a difference over three pairs" says \
    '| dlb,1 minus base | 3 | +1.20 (+0.70 to +1.70) | +1.20 (+0.70 to +1.70) |'
check "is read as one" says \
    '- dlb,1 minus base: the interval lies above 0: dlb,1 has the higher top-1, by 0.70 to 1.70 percentage points.'
check "a worse arm as worse" says \
    '- control minus base: the interval lies below 0: base has the higher top-1, by 7.03 to 16.97 percentage points.'
check "nothing is missing" says 'None.'
check "the paper's protocol is said in words" grep -q 'costs about twice the compute' runs/report.md
check "and that it validates DLB more often" grep -q 'validated about twice as often' runs/report.md

# ---- few runs ----

comparison 7
finished 1024 base 7 0.5 0.6
finished 1024 dlb,1 7 0.5 0.7 lb
check "one seed" report
check "has no deviation" says \
    '| base | 1 of 1 | 16 | 60.00 | 60.00 | 99.00 | 0.5000 | 10.0 | 0.3000 | 1 |'
check "and no interval" says '| dlb,1 minus base | 1 | +10.00 (-) | +10.00 (-) |'
check "an arm without runs has dashes" says '| control | 0 of 1 | - | - | - | - | - | - | - | - |'
check "and no difference" says '| control minus base | 0 | - | - |'
! has_gnuplot || check "one seed has a chart" is_png runs/charts/validation_error.png
! has_gnuplot || check "without a band" eval '! grep -q filledcurves runs/charts/*.gp'

sed -i 's/,0.1,[0-9.]*,/,0.1,nan,/' runs/base/seed-7/base.log.csv runs/dlb,1/seed-7/dlb,1.log.csv
check "runs that diverged" report
check "are in results.csv" grep -qxF 'base,7,1.000000,2,8,nan,,0.5,0.95,0.75' runs/results.csv
! has_gnuplot || check "and leave an empty chart" is_png runs/charts/training_loss.png

rm -r runs/base runs/dlb,1
failed base 7 'out of memory'
check "no finished run" report
check "is reported" grep -qxF 'No run is finished, so there is nothing to report yet.' runs/report.md
check "with the failed one" says '- base, seed 7: failed with status 1: out of memory'
check "and without charts, old ones included" eval '! ls runs/charts/*.png runs/charts/*.svg'

# ---- names ----

comparison 1
mv runs "it's \"a\" \$(touch evil) folder"
cd "it's \"a\" \$(touch evil) folder" || exit 1
awkward="x'y \"z\" \`touch evil\` <& \\ @a |_b_"
printf 'arm,role,parent,batch,subdivisions,max_batches,cfg\n"%s",baseline,,4,1,4,c\n' \
    "${awkward//\"/\"\"}" >arms.csv
ln -s . runs
finished 1024 "$awkward" 1 0.5 0.6
check "a folder and an arm with awkward names" darknet dlb report .
check "nothing in them is run" eval '! find .. -name evil | grep .'
check "results.csv quotes the name" grep -qF "\"${awkward//\"/\"\"}\",1,1.000000,2" results.csv
# shellcheck disable=SC2016  # nothing in it is to be run
check "report.md shows it" grep -qF \
    '| x'"'"'y "z" \`touch evil\` \<\& \\ @a \|_b\_ | 1 of 1 |' report.md
! has_gnuplot || check "and so does the chart" is_svg charts/validation_error.svg \
    "x'y \"z\" \`touch evil\` &lt;&amp; \\ @a |_b_"
cd .. || exit 1

# ---- gnuplot ----

part_of_the_runs
PATH=$WORK/nothing "$DARKNET" dlb report runs >printed 2>said
status=$?
check "without gnuplot the report is written" test $status = 0 -a -s runs/report.md -a -s runs/results.csv
check "which is said" grep -q '^no charts: they need gnuplot' said
check "and is in it" grep -q '^Charts need gnuplot, which is not installed here' runs/report.md
check "no picture is shown" eval '! grep -qF "![" runs/report.md'

mkdir fake
printf '#!/bin/sh\necho broken >&2\nexit 3\n' >fake/gnuplot
chmod +x fake/gnuplot
PATH=$WORK/fake:$PATH "$DARKNET" dlb report runs >printed 2>said
status=$?
check "a gnuplot that fails ends the run" test $status = 1
check "with a sentence" grep -q \
    '^darknet: gnuplot could not draw the charts of runs; the rest of the report is written' said
check "after the report is written" grep -q '^gnuplot failed, so there are no charts' runs/report.md

# ---- refusals ----

refuses() { # NAME SENTENCE
    report
    check "$1" fails_with "$2"
}

part_of_the_runs
printf '5,20,2.5,0.1' >>runs/base/seed-1/base.log.csv
refuses "a log that is cut" "runs/base/seed-1/base.log.csv, line 6: the last row is cut"
part_of_the_runs
sed -i '3s/0.95/x/' runs/dlb,1/seed-2/dlb,1.log.csv
refuses "a log that is malformed" \
    'runs/dlb,1/seed-2/dlb,1.log.csv, line 3: valid_topk is "x", but must be a number'
part_of_the_runs
rm runs/base/seed-2/base.log.csv
refuses "a finished run without its log" \
    "cannot read runs/base/seed-2/base.log.csv: No such file or directory"
part_of_the_runs
mkdir runs/report.md.tmp
refuses "a report that cannot be written" "cannot write runs/report.md: Is a directory"
rm -r runs
refuses "a folder that is missing" "cannot read runs/comparison.txt: No such file or directory"
darknet dlb report
check "no folder" fails_with "usage: darknet dlb report RUNS_FOLDER"
darknet dlb report -x
check "an unknown option" fails_with 'unknown option "-x"; usage: darknet dlb report'

finish
