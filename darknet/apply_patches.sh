#!/bin/sh
# Makes darknet/host: darknet/pristine with patches/NNNN-*.patch applied in order.
# Files that come out as they were keep their time stamp, so make rebuilds only
# what a patch changed. Edits made by hand in darknet/host are never overwritten.
#
#   darknet/apply_patches.sh
#   darknet/apply_patches.sh --discard-edits    back to what the patches give
#   darknet/apply_patches.sh --list-edits       names the files edited by hand
#
# SERIES_UPTO=0004   applies the patches up to that number, to test each step
# HOST_DIR=path      writes there and not in darknet/host
# PATCHES_DIR=path   reads the patches there and not in patches
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
pristine=$here/pristine
host=${HOST_DIR:-$here/host}
patches=${PATCHES_DIR:-$here/../patches}
# Lies in the host itself, so that the two come and go together.
manifest=.series.sha256
work=

die() {
    echo "apply_patches.sh: $*" >&2
    exit 1
}

clean_up() {
    [ -z "$work" ] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Three names are enough to know which edit it was.
few_names() {
    awk 'NR <= 3 { names = names (NR > 1 ? ", " : "") $0 }
         END { print names (NR > 3 ? " and " NR - 3 " more" : "") }' "$1"
}

# ---- the tree that the series gives ----

wanted() {
    number=${1##*/}
    number=${number%%-*}
    [ -z "${SERIES_UPTO:-}" ] || [ "$number" -le "$SERIES_UPTO" ]
}

# A file named in patch's report before "FAILED", or the one it could not find.
failing_file() {
    awk '/^(patching|checking) file / { file = $3 }
         /^\|\+\+\+ / { file = $2; sub(/^b\//, "", file) }
         /^The next patch would (create|delete) the file / { file = $8; sub(/,$/, "", file) }
         /FAILED|find file to patch|malformed/ && !/^\|/ { failed = 1 }
         failed && file != "" { print file; exit }' "$1"
}

apply_one() {
    patch -d "$work/tree" -p1 --fuzz=0 --force --no-backup-if-mismatch <"$1" >"$work/patch.log" 2>&1 && return
    file=$(failing_file "$work/patch.log")
    die "patches/${1##*/} does not apply to ${file:-the host}: correct the patch and run make again; ${HOST_DIR:-darknet/host} is as it was."
}

# Without the old time stamps: a file that a patch no longer touches must look
# newer than the object that was built from its patched form.
build_tree() {
    mkdir "$work/tree"
    cp -R "$pristine/." "$work/tree"
    for patch in "$patches"/[0-9][0-9][0-9][0-9]-*.patch; do
        if [ -f "$patch" ] && wanted "$patch"; then
            apply_one "$patch"
        fi
    done
    write_manifest "$work/tree"
}

write_manifest() {
    (cd "$1" && find . -type f ! -name $manifest | sed 's,^\./,,' | sort |
        tr '\n' '\0' | xargs -0 sha256sum) >"$work/manifest"
    mv "$work/manifest" "$1/$manifest"
}

manifest_files() {
    cut -c 67- "$1/$manifest"
}

# ---- edits by hand ----

# Objects, weights and whatever else was built or dropped in the host are not
# edits; a source file that no patch made is one.
list_new_sources() {
    (cd "$host" && find src include examples -type f \( -name '*.[ch]' -o -name '*.cu' \) 2>/dev/null) |
        sort >"$work/sources"
    manifest_files "$host" | sort | comm -23 "$work/sources" -
}

list_changed_files() {
    { (cd "$host" && sha256sum --check --quiet $manifest) 2>/dev/null || true; } | sed 's/: FAILED.*//'
}

list_edits() {
    list_changed_files
    list_new_sources
}

# Also a file of the user's at a path where the new tree brings one.
list_files_in_the_way() {
    manifest_files "$work/tree" | sort >"$work/new_files"
    manifest_files "$host" | sort | comm -13 - "$work/new_files" | while read -r file; do
        [ ! -e "$host/$file" ] || echo "$file"
    done
}

# An edit that the new tree has as well is in no danger.
would_be_lost() {
    while read -r file; do
        if [ -e "$work/tree/$file" ]; then
            cmp -s "$work/tree/$file" "$host/$file" || echo "$file"
        elif [ -e "$host/$file" ]; then
            echo "$file"
        fi
    done
}

refuse_edits() {
    { list_edits; list_files_in_the_way; } | sort -u | would_be_lost >"$work/edits"
    [ -s "$work/edits" ] || return 0
    die "the patches have changed, but so have files in ${HOST_DIR:-darknet/host}: $(few_names "$work/edits"): put your edits into a patch (make refresh-patch PATCH=NNNN, with the patches as they were), or drop them (make host-reset)."
}

discard_edits() {
    list_edits >"$work/edits"
    while read -r file; do
        rm -f "$host/$file"
    done <"$work/edits"
}

# ---- darknet/host ----

# A copy beside the file, then a rename: no reader meets half a file.
replace_file() {
    mkdir -p "$(dirname "$host/$1")"
    cp -p "$work/tree/$1" "$host/$1.new"
    mv -f "$host/$1.new" "$host/$1"
}

delete_gone_files() {
    manifest_files "$host" | sort | comm -23 - "$work/new_files" | while read -r file; do
        rm -f "$host/$file"
        rmdir -p "$(dirname "$host/$file")" 2>/dev/null || true
    done
}

# Short, and a half done update would look like edits by hand: signals wait.
update_host() {
    trap '' HUP INT TERM
    manifest_files "$work/tree" | sort >"$work/new_files"
    delete_gone_files
    while read -r file; do
        cmp -s "$work/tree/$file" "$host/$file" || replace_file "$file"
    done <"$work/new_files"
    cp "$work/tree/$manifest" "$host/$manifest"
}

is_empty_folder() {
    [ -d "$host" ] && [ -z "$(ls -A "$host")" ]
}

check_arguments() {
    command -v patch >/dev/null 2>&1 ||
        die "patch is missing: install it with 'apt-get install patch', then run make again."
    [ -d "$pristine" ] || die "darknet/pristine is not there yet: run darknet/fetch.sh first."
    case ${SERIES_UPTO:-0} in
    *[!0-9]*) die "SERIES_UPTO=$SERIES_UPTO is not the number of a patch, such as 0004." ;;
    esac
    case ${1:-} in
    '' | --discard-edits | --list-edits) ;;
    *) die "unknown argument '$1': there are --discard-edits and --list-edits." ;;
    esac
    [ ! -e "$host" ] || [ -f "$host/$manifest" ] || is_empty_folder ||
        die "${HOST_DIR:-darknet/host} was not made by apply_patches.sh: move it away and run make again."
}

check_arguments "$@"
mkdir -p "$here/.series"
work=$(mktemp -d "$here/.series/apply.XXXXXX")

if [ "${1:-}" = --list-edits ]; then
    [ ! -f "$host/$manifest" ] || list_edits
    exit 0
fi

build_tree
if [ ! -f "$host/$manifest" ]; then
    ! is_empty_folder || rmdir "$host"
    mv "$work/tree" "$host"
    exit 0
fi
if [ "${1:-}" = --discard-edits ]; then
    discard_edits
    update_host
elif ! cmp -s "$work/tree/$manifest" "$host/$manifest"; then
    refuse_edits
    update_host
fi
# With the patches as they were, edits stay and get built: that is how one tries them.
