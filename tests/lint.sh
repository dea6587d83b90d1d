#!/bin/bash
# Static checks of our own files; the first finding's tool and all findings are shown, and the
# status is not 0. Settings: .clang-format, .clang-tidy, tests/cppcheck_suppressions.txt.
#
#   tests/lint.sh COMPILER-FLAG...        as of C; `make lint` knows them
set -u
cd "$(dirname "$0")/.." || exit 1
mapfile -t c < <(ls dlb_layer/*.c commands/*.c onednn/*.c bench/*.c tests/fuzz/*.c tests/fuzz/targets/*.c)
mapfile -t cpp < <(ls dlb_layer/*.cpp commands/*.cpp)
mapfile -t formatted < <(git ls-files '*.c' '*.h' '*.inc' '*.cpp' '*.cu' '*.cuh')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
# shellcheck disable=SC2034  # tidy() takes the name
flags=("$@")
cxx_flags=()
for flag in "$@"; do
    [ "$flag" = -std=gnu11 ] || cxx_flags+=("$flag")
done
failed=0

# check NAME COMMAND...
check() {
    local start=$SECONDS
    if "${@:2}"; then
        printf '%-14s clean, %d s\n' "$1" $((SECONDS - start))
    else
        printf '%-14s FAILED\n' "$1"
        failed=1
    fi
}

# tidy FLAGS FILE...: as many at once as there are processors. clang counts warnings in headers
# that are not ours on standard error.
tidy() {
    local -n with=$1
    shift
    printf '%s\0' "$@" | xargs -0 -n 4 -P "$(nproc)" \
        bash -c 'flags=("${@:1:$1+1}"); shift $(($1 + 1)); clang-tidy --quiet "$@" -- "${flags[@]:1}" 2>/dev/null' \
        _ "${#with[@]}" "${with[@]}"
}

check clang-format clang-format --dry-run -Werror "${formatted[@]}"
check shellcheck shellcheck -x --severity=warning "${scripts[@]}"
check cppcheck cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --inline-suppr \
    --error-exitcode=1 -j "$(nproc)" --suppress=missingIncludeSystem \
    --suppressions-list=tests/cppcheck_suppressions.txt -Idlb_layer -Icommands -Ionednn -Itests/fuzz \
    '-DDLB_VERSION="x"' '-DDLB_BUILD="x"' -DDLB_MPI dlb_layer commands onednn bench tests/fuzz
check clang-tidy tidy flags "${c[@]}"
check 'clang-tidy C++' tidy cxx_flags "${cpp[@]}"
exit $failed
