#!/bin/bash
# Runs unit tests under valgrind, which sees what is read before it is written; the sanitizers, under
# which all tests run, do not. Ends with a line: N programs, N tests, N programs with errors.
#
#   tests/valgrind.sh FOLDER-OF-TEST-PROGRAMS [PART-OF-A-NAME]
#
# The paper's whole networks are left out: they are too slow here, and their layers are in other tests. Leaks
# are the sanitizers' to tell. The children of tests that expect a failure are followed too.
set -u
folder=$1 only=${2:-}
log=build/log/valgrind
programs=0 tests=0 bad=0
mkdir -p "$log"
export CMOCKA_MESSAGE_OUTPUT=TAP OMP_NUM_THREADS=1

for program in "$folder"/test_*"$only"*; do
    case $program in *.d | */test_paper_networks) continue ;; esac
    name=${program##*/test_} start=$SECONDS
    rm -f "$log/$name".* # of another run
    valgrind --quiet --error-exitcode=99 --leak-check=no --track-origins=yes --trace-children=no \
        --log-file="$log/$name.valgrind.%p" "$program" >"$log/$name.log" 2>&1 </dev/null
    status=$?
    programs=$((programs + 1)) tests=$((tests + $(grep -c '^ok [0-9]' "$log/$name.log")))
    if [ $status -ne 0 ] || cat "$log/$name".valgrind.* | grep -q .; then
        bad=$((bad + 1))
        echo "$name: status $status; see $log/$name.*"
        cat "$log/$name".valgrind.* | head -n 30
    else
        printf '%-24s clean, %d s\n' "$name" $((SECONDS - start))
    fi
done
echo "$programs programs, $tests tests, $bad programs with errors"
[ "$programs" -gt 0 ] && [ $bad -eq 0 ]
