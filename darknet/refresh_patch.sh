#!/bin/sh
# Puts the edits made by hand in darknet/host into one patch of the series.
#
#   darknet/refresh_patch.sh 0005               into the patch with that number
#   darknet/refresh_patch.sh NNNN-some-name     into a new patch, the last one
#
# The patch becomes the difference of two trees: a, pristine with the patches
# before it; b, the edited host with the patches after it taken back. Its header
# stays. Nothing changes unless the series then gives the edited host again.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
host=$here/host
patches=$here/../patches
manifest=.series.sha256
work=

die() {
    echo "refresh_patch.sh: $*" >&2
    exit 1
}

clean_up() {
    [ -z "$work" ] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- which patch ----

list_patches() {
    for patch in "$patches"/[0-9][0-9][0-9][0-9]-*.patch; do
        [ ! -f "$patch" ] || echo "${patch##*/}"
    done
}

last_number() {
    list_patches | tail -n 1 | cut -c 1-4
}

find_patch() {
    set -- "$patches/$number"-*.patch
    [ $# -eq 1 ] || die "patches/ has $# patches with the number $number: give each its own, then refresh."
    [ ! -f "$1" ] || echo "${1##*/}"
}

name_new_patch() {
    case $argument in
    *-?*) ;;
    *) die "there is no patch $number in patches/: give a new one a name too, such as $number-what-it-does." ;;
    esac
    last=$(last_number)
    [ "$number" -gt "${last:-0}" ] || die "a new patch comes last: give it a number above $last, not $number."
    echo "${argument%.patch}.patch"
}

choose_patch() {
    argument=${1:-}
    number=${argument%%-*}
    case $number in
    [0-9][0-9][0-9][1-9] | [0-9][0-9][1-9]0 | [0-9][1-9]00 | [1-9]000) ;;
    *) die "say which patch takes the edits: a number such as 0005, or NNNN-some-name for a new one." ;;
    esac
    name=$(find_patch) || exit 1
    [ -n "$name" ] || name=$(name_new_patch) || exit 1
    case $argument in
    "$number" | "${name%.patch}" | "$name") ;;
    *) die "$number is already patches/$name: run make refresh-patch PATCH=$number, or give the new one a higher number." ;;
    esac
}

# ---- the two trees ----

build() {
    HOST_DIR=$1 SERIES_UPTO=$2 PATCHES_DIR=${3:-$patches} "$here/apply_patches.sh" || exit 1
}

# Otherwise a change to another patch would be taken for an edit by hand.
check_host_is_of_this_series() {
    build "$work/series" ""
    cmp -s "$work/series/$manifest" "$host/$manifest" ||
        die "patches/ has changed since darknet/host was made: put the patches back as they were (git stash), refresh, then bring the change in again."
}

build_tree_before() {
    build "$work/a" "$(printf %04d $((1${number} - 10001)))"
}

manifest_files() {
    cut -c 67- "$1/$manifest"
}

# The series' own files and new sources; not what was built in between.
copy_edited_host() {
    { manifest_files "$host"; HOST_DIR=$host "$here/apply_patches.sh" --list-edits; } | sort -u |
        while read -r file; do
            [ ! -f "$host/$file" ] || echo "$file"
        done >"$work/files"
    mkdir "$work/edited"
    tar -cf - -C "$host" -T "$work/files" | tar -xf - -C "$work/edited"
}

reverse_later_patches() {
    cp -R "$work/edited" "$work/b"
    list_patches | sort -r | while read -r patch; do
        [ "${patch%%-*}" -gt "$number" ] || break
        patch -d "$work/b" -p1 --reverse --fuzz=0 --force --no-backup-if-mismatch \
            <"$patches/$patch" >/dev/null 2>&1 ||
            die "your edits touch lines of the later patches/$patch: refresh that one instead, or move the edits away from its lines; nothing was changed."
    done
}

# ---- the patch ----

old_header() {
    sed -E '/^(--- (a\/|\/dev\/null)|diff -|Index: )/,$d' "$patches/$name"
}

new_header() {
    echo "Say here in a few lines why the host needs this change, and whether it is fit"
    echo "to go upstream."
    echo
}

# File by file and not with diff -r, which would print time stamps.
diff_one() {
    old=a/$1 new=b/$1
    [ -f "$old" ] || old=/dev/null
    [ -f "$new" ] || new=/dev/null
    diff -a -U2 --label "$old" --label "$new" "$old" "$new" || [ $? -eq 1 ]
}

diff_trees() (
    cd "$work"
    { (cd a && find . -type f ! -name $manifest); (cd b && find . -type f); } |
        sed 's,^\./,,' | sort -u | while read -r file; do
            diff_one "$file"
        done
)

write_patch() {
    diff_trees >"$work/diff"
    [ -s "$work/diff" ] || die "patches/$name would be empty: edit a file in darknet/host first, or delete the patch if nothing of it is wanted."
    mkdir "$work/patches"
    cp "$patches"/*.patch "$work/patches" 2>/dev/null || true
    if [ -f "$patches/$name" ]; then
        old_header
    else
        new_header
    fi >"$work/header"
    cat "$work/header" "$work/diff" >"$work/patches/$name"
}

check_series_gives_edited_host() {
    (build "$work/check" "" "$work/patches" &&
        diff -r -q -x $manifest "$work/check" "$work/edited") >/dev/null 2>&1 ||
        die "the series would not give darknet/host again with the new patches/$name: refresh another patch, or make the edits smaller; nothing was changed."
}

# The new manifest says that the host is what the series gives: no edits left.
put_in_place() {
    trap '' HUP INT TERM
    cp "$work/patches/$name" "$patches/.$name.new"
    mv "$patches/.$name.new" "$patches/$name"
    cp "$work/check/$manifest" "$host/$manifest"
}

[ -f "$host/$manifest" ] || die "darknet/host is not there yet: run make, edit it, then refresh."
choose_patch "$@"
mkdir -p "$here/.series"
work=$(mktemp -d "$here/.series/refresh.XXXXXX")
check_host_is_of_this_series
build_tree_before
copy_edited_host
reverse_later_patches
write_patch
check_series_gives_edited_host
put_in_place
echo "patches/$name has the edits of darknet/host"
