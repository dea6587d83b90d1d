#!/bin/sh
# Puts the pristine host into darknet/pristine: from this machine's own apt
# sources, or from DARKNET_SRC, which is a tarball or a checkout of the same
# commit. host.lock and host.sha256 say what counts as the same.
#
#   darknet/fetch.sh
#   DARKNET_SRC=~/src/darknet darknet/fetch.sh
#   darknet/fetch.sh --print-sources /etc/apt     shows the deb-src entries it would ask
#
# APT_DIR: where sources.list and sources.list.d are, /etc/apt if unset.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
pristine=$here/pristine
cache=$here/cache
series=$here/.series
work=

. "$here/host.lock"

die() {
    echo "fetch.sh: $*" >&2
    exit 1
}

need_tool() {
    command -v "$1" >/dev/null 2>&1 ||
        die "$1 is missing: install it with 'apt-get install $2', then run make again."
}

clean_up() {
    [ -z "$work" ] || rm -rf "$work"
}
# dash runs the EXIT trap after a signal only if the signal has a trap that exits.
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- the machine's apt sources, as deb-src ----

# A line of sources.list may carry [options]; only its first word changes.
# A cdrom is left out: apt-get update cannot read one by itself.
print_one_line_sources() {
    for list in "$1/sources.list" "$1"/sources.list.d/*.list; do
        [ -f "$list" ] || continue
        awk '($1 == "deb" || $1 == "deb-src") && !/cdrom:/ { $1 = "deb-src"; print }' "$list"
    done | awk '!seen[$0]++'
}

# Stanzas stay in this format, because an inline Signed-By key has no one-line form.
print_deb822_sources() {
    for sources in "$1"/sources.list.d/*.sources; do
        [ -f "$sources" ] || continue
        awk '
            function end_stanza() {
                if (has_types && !disabled && !seen[stanza]++)
                    print "Types: deb-src\n" stanza
                stanza = field = ""; has_types = disabled = 0
            }
            /^#/ { next }
            /^\r?$/ { end_stanza(); next }
            /^[^ \t]/ { field = tolower($0); sub(/[ \t]*:.*/, "", field) }
            field == "types" { has_types = 1; next }
            field == "enabled" {
                disabled = tolower($0) ~ /[: \t](no|false|without|off|disable|0)[ \t\r]*$/
                next
            }
            { stanza = stanza $0 "\n" }
            END { end_stanza() }' "$sources"
    done
}

if [ "${1:-}" = --print-sources ]; then
    [ -d "${2:-}" ] || die "--print-sources needs a folder with sources.list or sources.list.d in it."
    print_one_line_sources "$2"
    print_deb822_sources "$2"
    exit 0
fi
[ $# -eq 0 ] || die "unknown argument '$1': the only one is --print-sources DIR."

# ---- the tarball ----

sha256_of() {
    sha256sum "$1" | cut -d ' ' -f 1
}

check_tarball() {
    sum=$(sha256_of "$1")
    [ "$sum" = "$HOST_SHA256" ] ||
        die "$1 has SHA-256 $sum, but darknet/host.lock asks for $HOST_SHA256: get $HOST_TARBALL again, or set DARKNET_SRC to a good copy."
}

# Lists, cache and sources are all private, so that this works without root and
# leaves the machine's own apt state alone. A -c file is read after /etc/apt, so
# it can also clear the hooks that would write there.
write_apt_config() {
    mkdir -p "$work/apt/parts" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    print_one_line_sources "${APT_DIR:-/etc/apt}" >"$work/apt/parts/host.list"
    print_deb822_sources "${APT_DIR:-/etc/apt}" >"$work/apt/parts/host.sources"
    cat >"$work/apt/apt.conf" <<CONFIG
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "root";
Acquire::Retries "1";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/apt/parts";
Dir::State::Lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
CONFIG
}

# Any Debian revision will do: only the upstream tarball is used.
find_package_version() {
    apt-cache -c "$work/apt/apt.conf" showsrc "$HOST_PACKAGE" 2>>"$apt_log" |
        awk -v upstream="$HOST_VERSION-" '
            $1 == "Version:" && index($2, upstream) == 1 { version = $2 }
            END { print version }'
}

download_tarball() {
    for tool in apt-get apt-cache; do
        command -v $tool >/dev/null 2>&1 ||
            die "$tool is missing, so the host cannot come from the distribution: set DARKNET_SRC to $HOST_TARBALL or to a checkout of Darknet at $HOST_COMMIT."
    done
    write_apt_config
    [ -s "$work/apt/parts/host.list" ] || [ -s "$work/apt/parts/host.sources" ] ||
        die "no deb or deb-src entry is enabled in ${APT_DIR:-/etc/apt}: add one for your Debian or Ubuntu release, or set DARKNET_SRC to $HOST_TARBALL."

    # One unreachable source makes update fail while the others are fine, so the
    # outcome is judged by whether the package is found.
    apt_log=$series/apt.log
    apt-get -c "$work/apt/apt.conf" update >"$apt_log" 2>&1 || true
    version=$(find_package_version)
    if [ -z "$version" ]; then
        ls "$work"/apt/lists/*Sources* >/dev/null 2>&1 ||
            die "none of the apt sources could be reached: check the network (darknet/.series/apt.log has the details), or set DARKNET_SRC to $HOST_TARBALL."
        die "no apt source that could be reached has $HOST_PACKAGE $HOST_VERSION: enable one that does (on Ubuntu it is in universe), or set DARKNET_SRC to $HOST_TARBALL."
    fi
    mkdir "$work/download"
    (cd "$work/download" &&
        apt-get -c "$work/apt/apt.conf" source --download-only "$HOST_PACKAGE=$version") >>"$apt_log" 2>&1 || true
    [ -f "$work/download/$HOST_TARBALL" ] ||
        die "$HOST_PACKAGE $version could not be downloaded: check the network and run make again (darknet/.series/apt.log has the details), or set DARKNET_SRC to $HOST_TARBALL."
    check_tarball "$work/download/$HOST_TARBALL"
    keep_in_cache "$work/download/$HOST_TARBALL"
}

keep_in_cache() {
    mkdir -p "$cache"
    cp "$1" "$work/tarball"
    mv "$work/tarball" "$cache/$HOST_TARBALL"
}

cached_tarball_is_good() {
    [ -f "$cache/$HOST_TARBALL" ] && [ "$(sha256_of "$cache/$HOST_TARBALL")" = "$HOST_SHA256" ]
}

unpack() {
    need_tool tar tar
    need_tool xz xz-utils
    mkdir "$work/new"
    tar -xJf "$1" -C "$work/new" --strip-components=1 --no-same-owner 2>/dev/null ||
        die "$1 could not be unpacked: make room on the disk and run make again."
}

# ---- a user's own checkout ----

manifest_files() {
    cut -c 67- "$here/host.sha256"
}

# Three names are enough to see whether it is another commit or a local edit.
few_names() {
    awk 'NR <= 3 { names = names (NR > 1 ? ", " : "") $0 }
         END { print names (NR > 3 ? " and " NR - 3 " more" : "") }'
}

check_checkout() {
    wrong=$(cd "$1" && sha256sum --check --quiet "$here/host.sha256" 2>/dev/null |
        sed 's/: FAILED.*//') || true
    [ -z "$wrong" ] && return
    die "$1 is not Darknet at commit $HOST_COMMIT: $(echo "$wrong" | few_names) differ or are missing: check that commit out unchanged (git checkout $HOST_COMMIT), or unset DARKNET_SRC."
}

# Objects, .git and whatever else lies in a checkout stay behind; a symbolic
# link becomes the file that was checked.
copy_checkout() {
    need_tool tar tar
    mkdir "$work/new"
    manifest_files >"$work/files"
    { tar -chf - -C "$1" -T "$work/files" | tar -xf - -C "$work/new" --no-same-owner; } 2>/dev/null || true
    is_complete "$work/new" ||
        die "$1 could not be copied: make room on the disk and run make again."
}

# ---- darknet/pristine ----

is_complete() {
    [ -d "$1" ] && (cd "$1" && sha256sum --check --status "$here/host.sha256" 2>/dev/null)
}

# Every source gives the same files; a new DARKNET_SRC is still read, so that a
# wrong one is refused and not passed over.
is_up_to_date() {
    is_complete "$pristine" || return 1
    [ -z "$source" ] || [ "$source" = "$(cat "$series/fetched_from" 2>/dev/null)" ]
}

absolute_path() {
    case $1 in
    /*) echo "$1" ;;
    *) echo "$PWD/$1" ;;
    esac
}

# The slow work was done beside the old folder; what is left are two renames.
move_into_place() {
    [ ! -e "$pristine" ] || mv "$pristine" "$work/old"
    mv "$work/new" "$pristine"
    echo "$source" >"$series/fetched_from"
}

need_tool sha256sum coreutils
source=${DARKNET_SRC:-}
[ -z "$source" ] || source=$(absolute_path "$source")
if is_up_to_date; then
    exit 0
fi

mkdir -p "$series"
work=$(mktemp -d "$series/fetch.XXXXXX")
if [ -z "$source" ]; then
    cached_tarball_is_good || download_tarball
    unpack "$cache/$HOST_TARBALL"
elif [ -d "$source" ]; then
    check_checkout "$source"
    copy_checkout "$source"
elif [ -f "$source" ]; then
    check_tarball "$source"
    unpack "$source"
else
    die "DARKNET_SRC=$DARKNET_SRC does not exist: set it to $HOST_TARBALL or to a checkout of Darknet at $HOST_COMMIT."
fi
move_into_place
echo "darknet/pristine: Darknet $HOST_VERSION${source:+ from $source}"
