#!/bin/bash
# darknet/apply_patches.sh and darknet/refresh_patch.sh, on a small host of three
# files and a series of three patches in a temporary folder; and, where the
# tarball of the real host is at hand, the repository's own series. Prints TAP.
#
#   tests/host/patches_test.sh
#   DARKNET_SRC=~/Downloads/darknet_....orig.tar.xz tests/host/patches_test.sh
set -u
export LC_ALL=C

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/darknet/host.lock"
unset HOST_DIR PATCHES_DIR SERIES_UPTO
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# ---- TAP ----

count=0
failures=0

# check NAME FUNCTION: status 77 is a skip; why_skipped then says why.
check() {
    count=$((count + 1))
    new_box
    "$2" >"$work/diagnosis" 2>&1
    case $? in
    0) echo "ok $count - $1" ;;
    77) echo "ok $count - $1 # SKIP $why_skipped" ;;
    *)
        echo "not ok $count - $1"
        sed 's/^/# /' "$work/diagnosis"
        failures=$((failures + 1))
        ;;
    esac
}

skip() {
    why_skipped=$1
    return 77
}

# ---- boxes: a small host and its series for each test ----

# gemm.c has ten lines "line 1" to "line 10"; blas.c and the Makefile have three.
new_box() {
    box=$(mktemp -d "$work/box.XXXXXX")
    host=$box/darknet/host
    mkdir -p "$box/darknet/pristine/src" "$box/patches"
    cp "$root"/darknet/*.sh "$box/darknet"
    seq -f 'line %g' 10 >"$box/darknet/pristine/src/gemm.c"
    seq -f 'blas %g' 3 >"$box/darknet/pristine/src/blas.c"
    seq -f 'rule %g' 3 >"$box/darknet/pristine/Makefile"
    cat >"$box/patches/0001-first-line.patch" <<'PATCH'
The first line, because it comes first.
---
No diff of anything yet.

--- a/src/gemm.c
+++ b/src/gemm.c
@@ -1,3 +1,3 @@
-line 1
+LINE 1
 line 2
 line 3
PATCH
    cat >"$box/patches/0002-new-file.patch" <<'PATCH'
A file that the host lacks.

--- /dev/null
+++ b/src/new.c
@@ -0,0 +1,2 @@
+new 1
+new 2
PATCH
    cat >"$box/patches/0003-last-line.patch" <<'PATCH'
The last line, and a file that goes.

--- a/src/gemm.c
+++ b/src/gemm.c
@@ -8,3 +8,3 @@
 line 8
 line 9
-line 10
+LINE 10
--- a/src/blas.c
+++ /dev/null
@@ -1,3 +0,0 @@
-blas 1
-blas 2
-blas 3
PATCH
}

apply() {
    "$box/darknet/apply_patches.sh" "$@"
}

refresh() {
    "$box/darknet/refresh_patch.sh" "$@"
}

# refuses PATTERN COMMAND...: status 1, nothing on stdout, and on stderr one line
# that matches.
refuses() {
    local pattern=$1 status
    shift
    "$@" >"$work/stdout" 2>"$work/stderr"
    status=$?
    cat "$work/stdout" "$work/stderr"
    [ $status -eq 1 ] && [ ! -s "$work/stdout" ] &&
        [ "$(wc -l <"$work/stderr")" -eq 1 ] && grep -q -e "$pattern" "$work/stderr"
}

# Names, contents, and time stamps of the host and the patches.
state() {
    (cd "$box" && find darknet/host patches -type f -printf '%p %T@ ' -exec md5sum {} \; 2>/dev/null | sort)
}

# unchanged COMMAND...: the command succeeds and neither host nor patches change.
unchanged() {
    local before
    before=$(state)
    "$@" && diff <(echo "$before") <(state)
}

nothing_left() {
    [ -z "$(find "$box" -name '*.orig' -o -name '*.rej' -o -name '*.new' -o -path '*/.series/*')" ]
}

# lines_are FILE LINE...
lines_are() {
    local file=$1
    shift
    diff "$file" <(printf '%s\n' "$@")
}

mtime() {
    stat -c %Y "$1"
}

# So that a rewritten file shows, however fast the test runs.
age_host() {
    find "$host" -type f -exec touch -d '2001-01-01' {} +
    long_ago=$(mtime "$host/Makefile")
}

# ---- apply ----

test_apply() {
    [ -z "$(apply 2>&1)" ] && nothing_left &&
        grep -q '^LINE 1$' "$host/src/gemm.c" && grep -q '^LINE 10$' "$host/src/gemm.c" &&
        lines_are "$host/src/new.c" 'new 1' 'new 2' && [ ! -e "$host/src/blas.c" ] &&
        cmp "$host/Makefile" "$box/darknet/pristine/Makefile"
}
check 'the series is applied in order and in silence' test_apply

test_no_patches() {
    rm "$box"/patches/*
    apply && diff -r -x .series.sha256 "$host" "$box/darknet/pristine"
}
check 'without patches the host is as fetched' test_no_patches

test_upto() {
    SERIES_UPTO=0002 apply || return 1
    grep -q '^LINE 1$' "$host/src/gemm.c" && [ -f "$host/src/new.c" ] && [ -f "$host/src/blas.c" ]
}
check 'SERIES_UPTO stops after that patch' test_upto

test_upto_is_no_number() {
    SERIES_UPTO=two refuses 'SERIES_UPTO=two is not the number' apply
}
check 'a SERIES_UPTO that is no number is refused' test_upto_is_no_number

test_host_dir() {
    HOST_DIR=$box/elsewhere apply && [ -f "$box/elsewhere/src/new.c" ] && [ ! -e "$host" ]
}
check 'HOST_DIR is written to in place of darknet/host' test_host_dir

test_foreign_host_dir() {
    mkdir "$box/elsewhere"
    echo precious >"$box/elsewhere/thesis"
    HOST_DIR=$box/elsewhere refuses 'was not made by apply_patches.sh: move it away' apply &&
        lines_are "$box/elsewhere/thesis" precious
}
check 'a HOST_DIR that holds something else is refused' test_foreign_host_dir

test_second_apply() {
    apply && unchanged apply
}
check 'a second run changes nothing' test_second_apply

test_time_stamps() {
    SERIES_UPTO=0002 apply || return 1
    age_host
    apply || return 1
    [ "$(mtime "$host/Makefile")" -eq "$long_ago" ] && [ "$(mtime "$host/src/new.c")" -eq "$long_ago" ] &&
        [ "$(mtime "$host/src/gemm.c")" -gt "$long_ago" ] && [ ! -e "$host/src/blas.c" ]
}
check 'files that come out the same keep their time stamp' test_time_stamps

test_back_to_pristine_is_new() {
    touch -d '2001-01-01' "$box/darknet/pristine/src/gemm.c"
    apply || return 1
    age_host
    rm -r "$host"
    SERIES_UPTO=0000 apply && [ "$(mtime "$host/src/gemm.c")" -gt "$long_ago" ]
}
check 'a file that loses its patch looks newer than its object' test_back_to_pristine_is_new

test_patch_goes() {
    apply && rm "$box/patches/0002-new-file.patch" && apply && [ ! -e "$host/src/new.c" ] && nothing_left
}
check 'a file goes with the patch that made it' test_patch_goes

test_objects_stay() {
    apply || return 1
    mkdir "$host/obj"
    echo object >"$host/obj/gemm.o"
    rm "$box/patches/0003-last-line.patch"
    apply && lines_are "$host/obj/gemm.o" object && [ -z "$(apply --list-edits)" ]
}
check 'objects in the host are no edits, and stay' test_objects_stay

# ---- patches that do not apply ----

test_bad_patch() {
    apply || return 1
    sed -i 's/^ line 2$/ line 2 once/' "$box/patches/0001-first-line.patch"
    unchanged refuses 'patches/0001-first-line.patch does not apply to src/gemm.c: correct' apply && nothing_left
}
check 'a patch that does not apply is named with its file; the host is as it was' test_bad_patch

test_patch_needs_fuzz() {
    sed -i 's/^ line 3$/ line three/' "$box/patches/0001-first-line.patch"
    refuses '0001-first-line.patch does not apply to src/gemm.c' apply && [ ! -e "$host" ]
}
check 'a patch that would need fuzz is refused' test_patch_needs_fuzz

test_patch_of_missing_file() {
    sed -i 's,src/gemm.c,src/conv.c,' "$box/patches/0003-last-line.patch"
    refuses '0003-last-line.patch does not apply to src/conv.c' apply && [ ! -e "$host" ]
}
check 'a patch to a file that is not there names that file' test_patch_of_missing_file

test_patch_twice() {
    cp "$box/patches/0002-new-file.patch" "$box/patches/0004-again.patch"
    refuses '0004-again.patch does not apply to src/new.c' apply && [ ! -e "$host" ]
}
check 'a patch that is applied already is refused' test_patch_twice

test_no_pristine() {
    rm -r "$box/darknet/pristine"
    refuses 'darknet/pristine is not there yet: run darknet/fetch.sh' apply
}
check 'without pristine it says what to run' test_no_pristine

test_no_patch_tool() {
    mkdir "$box/path"
    ln -s /usr/bin/* "$box/path" 2>/dev/null
    ln -s /bin/* "$box/path" 2>/dev/null
    rm "$box/path/patch"
    PATH=$box/path refuses "patch is missing: install it with 'apt-get install patch'" apply
}
check 'without patch it says what to install' test_no_patch_tool

test_unknown_argument() {
    refuses "unknown argument '--force'" apply --force
}
check 'an unknown argument is refused' test_unknown_argument

# ---- edits by hand ----

edit_host() {
    apply && sed -i 's/^line 5$/line five/' "$host/src/gemm.c"
}

test_edits_stay() {
    edit_host && unchanged apply
}
check 'with the patches as they were, edits stay and can be built' test_edits_stay

test_edits_are_listed() {
    edit_host || return 1
    rm "$host/Makefile"
    echo mine >"$host/src/mine.c"
    lines_are <(apply --list-edits | sort) Makefile src/gemm.c src/mine.c
}
check 'changed, deleted and added files are edits' test_edits_are_listed

test_edits_are_protected() {
    edit_host && rm "$box/patches/0003-last-line.patch" || return 1
    unchanged refuses 'so have files in darknet/host: src/gemm.c: .*make refresh-patch.*make host-reset' apply
}
check 'edits are not overwritten when the patches change' test_edits_are_protected

test_added_file_is_protected() {
    apply || return 1
    echo mine >"$host/notes.txt"
    cat >"$box/patches/0004-notes.patch" <<'PATCH'
--- /dev/null
+++ b/notes.txt
@@ -0,0 +1 @@
+theirs
PATCH
    unchanged refuses 'darknet/host: notes.txt: ' apply
}
check 'a file of the user is not overwritten by a new patch' test_added_file_is_protected

test_edit_that_a_patch_has_too() {
    edit_host || return 1
    cat >"$box/patches/0004-five.patch" <<'PATCH'
--- a/src/gemm.c
+++ b/src/gemm.c
@@ -4,3 +4,3 @@
 line 4
-line 5
+line five
 line 6
PATCH
    apply && [ -z "$(apply --list-edits)" ]
}
check 'an edit that a new patch brings too is in nobody'"'"'s way' test_edit_that_a_patch_has_too

test_discard() {
    apply || return 1
    age_host
    cp -R "$host" "$box/before"
    echo edit >>"$host/src/gemm.c"
    rm "$host/Makefile"
    echo mine >"$host/src/mine.c"
    apply --discard-edits && diff -r "$host" "$box/before" && [ -z "$(apply --list-edits)" ] &&
        [ "$(mtime "$host/src/new.c")" -eq "$long_ago" ]
}
check '--discard-edits gives what the patches give' test_discard

# ---- refresh ----

# refreshes NAME ARGUMENT: the edits are in that patch, the others are as they
# were, and the series gives the edited host.
refreshes() {
    cp -R "$host" "$box/edited"
    cp -R "$box/patches" "$box/patches_before"
    refresh "$2" || return 1
    cat "$box/patches/$1"
    diff -r -x "$1" "$box/patches" "$box/patches_before" &&
        diff -r -x .series.sha256 "$host" "$box/edited" && [ -z "$(apply --list-edits)" ] &&
        HOST_DIR=$box/again apply && diff -r "$box/again" "$host" && nothing_left
}

test_refresh_first() {
    edit_host && refreshes 0001-first-line.patch 0001 || return 1
    lines_are "$box/patches/0001-first-line.patch" \
        'The first line, because it comes first.' '---' 'No diff of anything yet.' '' \
        '--- a/src/gemm.c' '+++ b/src/gemm.c' '@@ -1,7 +1,7 @@' \
        '-line 1' '+LINE 1' ' line 2' ' line 3' ' line 4' '-line 5' '+line five' ' line 6' ' line 7'
}
check 'edits go into an early patch, below its header' test_refresh_first

test_refresh_last() {
    edit_host && refreshes 0003-last-line.patch 0003 &&
        grep -q '^+line five' "$box/patches/0003-last-line.patch" &&
        grep -q '^The last line, and a file that goes.$' "$box/patches/0003-last-line.patch" &&
        grep -q '^+++ /dev/null$' "$box/patches/0003-last-line.patch"
}
check 'edits go into the last patch' test_refresh_last

test_refresh_by_name() {
    edit_host && refreshes 0003-last-line.patch 0003-last-line
}
check 'a patch may be given by its whole name' test_refresh_by_name

test_refresh_added_and_deleted() {
    apply || return 1
    echo mine >"$host/src/mine.c"
    rm "$host/Makefile"
    mkdir "$host/obj"
    echo object >"$host/obj/gemm.o"
    cp -R "$box/patches" "$box/patches_before"
    refresh 0002 && cat "$box/patches/0002-new-file.patch" &&
        grep -q '^+++ b/src/mine.c' "$box/patches/0002-new-file.patch" &&
        grep -q '^--- a/Makefile' "$box/patches/0002-new-file.patch" &&
        ! grep -q object "$box/patches/0002-new-file.patch" || return 1
    HOST_DIR=$box/again apply && [ -f "$box/again/src/mine.c" ] && [ ! -e "$box/again/Makefile" ]
}
check 'added and deleted sources go into the patch, objects do not' test_refresh_added_and_deleted

test_refresh_twice() {
    edit_host && refresh 0002 || return 1
    cp "$box/patches/0002-new-file.patch" "$box/once"
    refresh 0002 && cmp "$box/once" "$box/patches/0002-new-file.patch"
}
check 'refreshing twice is the same as once' test_refresh_twice

test_refresh_new() {
    edit_host && refreshes 0004-fifth-line.patch 0004-fifth-line &&
        head -n 1 "$box/patches/0004-fifth-line.patch" | grep -q 'why the host needs this'
}
check 'a new patch comes last and asks for its why' test_refresh_new

test_refresh_no_newline() {
    apply && printf 'no newline' >>"$host/src/gemm.c" && refreshes 0003-last-line.patch 0003
}
check 'a last line without newline survives' test_refresh_no_newline

test_refresh_later_lines() {
    apply && sed -i 's/^LINE 10$/LINE TEN/' "$host/src/gemm.c" || return 1
    unchanged refuses 'edits touch lines of the later patches/0003-last-line.patch: refresh that one' refresh 0001
}
check 'edits to the lines of a later patch are refused, and nothing changes' test_refresh_later_lines

test_refresh_other_series() {
    edit_host && rm "$box/patches/0002-new-file.patch" || return 1
    unchanged refuses 'patches/ has changed since darknet/host was made' refresh 0001
}
check 'a host of another state of the patches is refused' test_refresh_other_series

test_refresh_nothing() {
    apply && unchanged refuses '0004-nothing.patch would be empty: edit a file' refresh 0004-nothing
}
check 'a new patch without edits is refused' test_refresh_nothing

test_refresh_empty_file() {
    apply && : >"$host/src/empty.c" || return 1
    unchanged refuses 'would not give darknet/host again' refresh 0002
}
check 'edits that a patch cannot say are refused, and nothing changes' test_refresh_empty_file

test_refresh_without_number() {
    apply && refuses 'say which patch takes the edits' refresh && refuses 'say which patch' refresh gemm
}
check 'refresh without a number is refused' test_refresh_without_number

test_refresh_unknown_number() {
    apply && refuses 'no patch 0009 in patches/: give a new one a name' refresh 0009
}
check 'a number without a patch asks for a name' test_refresh_unknown_number

test_refresh_number_taken() {
    edit_host && refuses '0002 is already patches/0002-new-file.patch' refresh 0002-other-name
}
check 'a new name for a taken number is refused' test_refresh_number_taken

test_refresh_not_last() {
    edit_host && rm "$box/patches/0002-new-file.patch" && apply --discard-edits || return 1
    refuses 'a new patch comes last: give it a number above 0003' refresh 0002-other-name
}
check 'a new patch between others is refused' test_refresh_not_last

test_refresh_number_twice() {
    cp "$box/patches/0002-new-file.patch" "$box/patches/0001-again.patch"
    rm "$box/patches/0002-new-file.patch"
    apply && refuses 'patches/ has 2 patches with the number 0001' refresh 0001
}
check 'two patches with one number are refused' test_refresh_number_twice

test_refresh_no_host() {
    refuses 'darknet/host is not there yet: run make' refresh 0001
}
check 'refresh without a host says what to run' test_refresh_no_host

# ---- the repository's own series ----

find_tarball() {
    for tarball in "${DARKNET_SRC:-}" "$root/darknet/cache/$HOST_TARBALL"; do
        [ ! -f "$tarball" ] || return 0
    done
    skip 'no tarball: set DARKNET_SRC, or run darknet/fetch.sh'
}

own_patches() {
    (cd "$root/patches" && printf '%s\n' [0-9][0-9][0-9][0-9]-*.patch)
}

use_real_host() {
    find_tarball || return
    [ -n "$(ls "$root/patches")" ] || { skip 'patches/ is empty'; return; }
    rm -r "$box/darknet" "$box/patches"
    mkdir "$box/darknet"
    cp "$root"/darknet/*.sh "$root"/darknet/host.* "$box/darknet"
    cp -R "$root/patches" "$box/patches"
    DARKNET_SRC=$tarball "$box/darknet/fetch.sh" >/dev/null
}

test_own_series() {
    use_real_host || return
    apply && nothing_left_of_patch
}

nothing_left_of_patch() {
    [ -z "$(find "$host" -name '*.orig' -o -name '*.rej')" ]
}
check "the repository's series applies without fuzz" test_own_series

# A patch can be taken out and put back: the documented command works on it. Every fourth one, as
# each costs the whole series twice; EVERY_PATCH=1 tries each.
test_own_series_refreshes() {
    use_real_host || return
    local name
    apply && cp -R "$host" "$box/before" || return 1
    for name in $(own_patches | awk -v every="${EVERY_PATCH:-4}" 'NR % every == 0'); do
        refresh "${name%%-*}" || return 1
    done
    diff -r "$host" "$box/before"
}
check "patches of the repository's series can be refreshed" test_own_series_refreshes

echo "1..$count"
[ $failures -eq 0 ]
