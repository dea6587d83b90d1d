#!/bin/bash
# darknet/fetch.sh and darknet/install_packages.sh, in copies of darknet/ in a
# temporary folder. Prints TAP.
#
#   tests/host/fetch_test.sh
#   DARKNET_SRC=~/Downloads/darknet_....orig.tar.xz tests/host/fetch_test.sh
#
# The tarball comes from DARKNET_SRC or darknet/cache; only without either is it
# fetched once. apt itself is tested against an archive in a folder.
set -u
export LC_ALL=C

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/darknet/host.lock"
given_source=${DARKNET_SRC:-}
unset DARKNET_SRC APT_DIR
work=$(mktemp -d)
chmod 755 "$work"
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

# ---- boxes: a fresh copy of darknet/ for each test ----

new_box() {
    box=$(mktemp -d "$work/box.XXXXXX")
    mkdir "$box/darknet"
    cp "$root"/darknet/*.sh "$root"/darknet/host.* "$box/darknet"
}

fetch() {
    "$box/darknet/fetch.sh" "$@"
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

# Neither a pristine folder nor anything half unpacked.
nothing_left() {
    [ ! -e "$box/darknet/pristine" ] && [ -z "$(find "$box/darknet" -name 'fetch.*' ! -name fetch.sh)" ]
}

is_pristine() {
    (cd "$1" && sha256sum --check --quiet "$root/darknet/host.sha256") &&
        [ "$(find "$1" -type f | wc -l)" -eq "$(wc -l <"$root/darknet/host.sha256")" ]
}

# A folder of links to every program but the named ones.
path_without() {
    local folder tool
    folder=$(mktemp -d "$work/path.XXXXXX")
    chmod 755 "$folder"
    ln -s /usr/bin/* "$folder" 2>/dev/null
    ln -s /bin/* "$folder" 2>/dev/null
    for tool; do
        rm -f "$folder/$tool"
    done
    echo "$folder"
}

fake_tool() {
    rm -f "$1/$2"
    { echo '#!/bin/sh'; cat; } >"$1/$2"
    chmod 755 "$1/$2"
}

# ---- the tarball and a checkout ----

find_tarball() {
    local candidate
    for candidate in "$given_source" "$root/darknet/cache/$HOST_TARBALL"; do
        if [ -f "$candidate" ]; then
            cp "$candidate" "$work/$HOST_TARBALL"
            return
        fi
    done
    new_box
    fetch >/dev/null 2>"$work/fetch_error" && cp "$box/darknet/cache/$HOST_TARBALL" "$work"
}

if ! find_tarball; then
    echo "1..0 # SKIP no tarball of the host: $(cat "$work/fetch_error")"
    exit 0
fi
tarball=$work/$HOST_TARBALL
chmod 644 "$tarball"
mkdir "$work/unpacked"
tar -xJf "$tarball" -C "$work/unpacked" --strip-components=1 --no-same-owner

# As a user has it: with objects and git's folder in it.
new_checkout() {
    checkout=$box/checkout
    cp -R "$work/unpacked" "$checkout"
    mkdir "$checkout/obj" "$checkout/.git"
    echo object >"$checkout/obj/gemm.o"
    echo main >"$checkout/.git/HEAD"
}

spoil() {
    cp "$tarball" "$1"
    printf spoilt >>"$1"
}

# ---- DARKNET_SRC ----

test_tarball() {
    DARKNET_SRC=$tarball fetch >"$work/stdout" && cat "$work/stdout" &&
        [ "$(wc -l <"$work/stdout")" -eq 1 ] && is_pristine "$box/darknet/pristine"
}
check 'a tarball is unpacked, with one line of output' test_tarball

test_second_run() {
    DARKNET_SRC=$tarball fetch >/dev/null || return 1
    local before
    before=$(stat -c %i "$box/darknet/pristine")
    [ -z "$(DARKNET_SRC=$tarball fetch 2>&1)" ] && [ -z "$(fetch 2>&1)" ] &&
        [ "$(stat -c %i "$box/darknet/pristine")" = "$before" ]
}
check 'a second run does nothing and says nothing' test_second_run

test_damaged_pristine() {
    DARKNET_SRC=$tarball fetch >/dev/null || return 1
    rm "$box/darknet/pristine/src/gemm.c"
    DARKNET_SRC=$tarball fetch >/dev/null && is_pristine "$box/darknet/pristine"
}
check 'a damaged pristine folder is made again' test_damaged_pristine

test_spoilt_tarball() {
    spoil "$box/spoilt.tar.xz"
    DARKNET_SRC=$box/spoilt.tar.xz refuses 'has SHA-256 .* asks for .* get .* again' fetch && nothing_left
}
check 'a tarball with another SHA-256 is refused' test_spoilt_tarball

test_missing_source() {
    DARKNET_SRC=$box/nowhere refuses 'does not exist: set it to' fetch && nothing_left
}
check 'a DARKNET_SRC that does not exist is refused' test_missing_source

test_new_source_is_read() {
    DARKNET_SRC=$tarball fetch >/dev/null || return 1
    DARKNET_SRC=$box/nowhere refuses 'does not exist' fetch && is_pristine "$box/darknet/pristine"
}
check 'a wrong DARKNET_SRC is refused although pristine is there, and leaves it' test_new_source_is_read

test_relative_source() {
    (cd "$work" && DARKNET_SRC=$HOST_TARBALL fetch) && is_pristine "$box/darknet/pristine"
}
check 'DARKNET_SRC may be relative' test_relative_source

test_checkout() {
    new_checkout
    local before after
    before=$(cd "$checkout" && find . -printf '%p %i %T@ %m\n' | sort)
    DARKNET_SRC=$checkout fetch >/dev/null || return 1
    after=$(cd "$checkout" && find . -printf '%p %i %T@ %m\n' | sort)
    [ "$before" = "$after" ] && is_pristine "$box/darknet/pristine"
}
check 'a checkout is copied without its objects, and not changed' test_checkout

test_tampered_checkout() {
    new_checkout
    echo '// tampered' >>"$checkout/src/gemm.c"
    rm "$checkout/src/blas.c"
    DARKNET_SRC=$checkout refuses 'not Darknet at commit .*: src/blas.c, src/gemm.c differ or are missing' fetch &&
        nothing_left
}
check 'a checkout with other files is refused by their names' test_tampered_checkout

test_folder_of_something_else() {
    mkdir "$box/other"
    DARKNET_SRC=$box/other refuses 'and [0-9]* more differ or are missing' fetch && nothing_left
}
check 'a folder that is no checkout is refused, with few names' test_folder_of_something_else

# ---- missing tools ----

test_no_sha256sum() {
    DARKNET_SRC=$tarball PATH=$(path_without sha256sum) refuses 'sha256sum is missing: install it' fetch
}
check 'without sha256sum it says what to install' test_no_sha256sum

test_no_xz() {
    DARKNET_SRC=$tarball PATH=$(path_without xz) refuses "xz is missing: .*xz-utils" fetch && nothing_left
}
check 'without xz it says what to install' test_no_xz

test_no_tar() {
    DARKNET_SRC=$tarball PATH=$(path_without tar) refuses 'tar is missing: install it' fetch && nothing_left
}
check 'without tar it says what to install' test_no_tar

test_no_apt_get() {
    PATH=$(path_without apt-get) refuses 'apt-get is missing.*: set DARKNET_SRC' fetch && nothing_left
}
check 'without apt-get it asks for DARKNET_SRC' test_no_apt_get

test_unknown_argument() {
    refuses "unknown argument '--help'" fetch --help
}
check 'an unknown argument is refused' test_unknown_argument

# ---- interruption ----

# The fake tar says that it has begun and then waits: no sleep decides the order.
# setsid, so that the signal reaches the whole group as Ctrl-C would.
test_interrupted() {
    local path group status
    path=$(path_without)
    mkfifo "$box/begun"
    fake_tool "$path" tar <<FAKE
mkdir -p "\$4/half"
echo begun >"$box/begun"
exec sleep 600
FAKE
    DARKNET_SRC=$tarball PATH=$path setsid "$box/darknet/fetch.sh" &
    group=$!
    # Opened both ways, so that a fetch that never comes to tar fails and does not hang.
    read -t 60 -r _ <>"$box/begun" || return 1
    kill -TERM -- "-$group"
    wait "$group"
    status=$?
    [ $status -eq 143 ] && nothing_left
}
check 'an interrupted run leaves nothing half unpacked' test_interrupted

test_disk_full() {
    local path
    path=$(path_without)
    echo 'exit 2' | fake_tool "$path" tar
    DARKNET_SRC=$tarball PATH=$path refuses 'could not be unpacked: make room' fetch && nothing_left
}
check 'a failed unpacking leaves nothing half unpacked' test_disk_full

# ---- the apt sources ----

new_apt_dir() {
    apt_dir=$box/apt
    mkdir -p "$apt_dir/sources.list.d"
}

sources_are() {
    fetch --print-sources "$apt_dir" >"$box/printed"
    diff "$box/printed" -
}

test_one_line_sources() {
    new_apt_dir
    cat >"$apt_dir/sources.list" <<'LIST'
# deb http://commented.example/mirror stable main
deb http://one.example/mirror stable main contrib # a remark
deb-src http://one.example/mirror stable main contrib # a remark
  deb	[ arch=amd64 signed-by=/usr/share/keyrings/two.gpg ]  http://two.example/ubuntu noble universe
deb cdrom:[Debian 12]/ bookworm main
LIST
    printf 'deb [trusted=yes] file:/srv/flat ./' >"$apt_dir/sources.list.d/flat.list"
    echo 'deb http://disabled.example/ x main' >"$apt_dir/sources.list.d/old.list.save"
    sources_are <<'LIST'
deb-src http://one.example/mirror stable main contrib # a remark
deb-src [ arch=amd64 signed-by=/usr/share/keyrings/two.gpg ] http://two.example/ubuntu noble universe
deb-src [trusted=yes] file:/srv/flat ./
LIST
}
check 'one-line sources become deb-src' test_one_line_sources

test_deb822_sources() {
    new_apt_dir
    cat >"$apt_dir/sources.list.d/distribution.sources" <<'STANZAS'
# A remark before the first stanza

Types: deb deb-src
URIs: http://one.example/mirror
# a remark within
Suites: stable stable-updates
Components: main
Signed-By: /usr/share/keyrings/one.gpg

types: deb
uris: http://two.example/mirror
suites: stable
components: main
enabled: yes
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEXample
 -----END PGP PUBLIC KEY BLOCK-----


Enabled: no
Types: deb
URIs: http://three.example/mirror
Suites: stable
Components: main
STANZAS
    printf 'Types:deb\nURIs: http://four.example/\nSuites: ./' >"$apt_dir/sources.list.d/four.sources"
    sources_are <<'STANZAS'
Types: deb-src
URIs: http://one.example/mirror
Suites: stable stable-updates
Components: main
Signed-By: /usr/share/keyrings/one.gpg

Types: deb-src
uris: http://two.example/mirror
suites: stable
components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEXample
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb-src
URIs: http://four.example/
Suites: ./

STANZAS
}
check 'deb822 sources become deb-src' test_deb822_sources

test_print_sources_of_nothing() {
    refuses 'print-sources needs a folder' fetch --print-sources "$box/nowhere"
}
check '--print-sources without a folder is refused' test_print_sources_of_nothing

# ---- apt, with an archive in a folder ----

size_and_name() {
    echo " $("$1" "$2" | cut -d ' ' -f 1) $(stat -c %s "$2") ${2##*/}"
}

# new_archive TARBALL VERSION: a source archive of one package.
new_archive() {
    archive=$box/archive
    mkdir "$archive"
    cp "$1" "$archive/$HOST_TARBALL"
    cat >"$archive/darknet_$2.dsc" <<DSC
Format: 3.0 (quilt)
Source: darknet
Version: $2
DSC
    {
        printf 'Package: darknet\nFormat: 3.0 (quilt)\nBinary: darknet\nArchitecture: any\nVersion: %s\nDirectory: .\n' "$2"
        echo 'Files:'
        size_and_name md5sum "$archive/darknet_$2.dsc"
        size_and_name md5sum "$archive/$HOST_TARBALL"
        echo 'Checksums-Sha256:'
        size_and_name sha256sum "$archive/darknet_$2.dsc"
        size_and_name sha256sum "$archive/$HOST_TARBALL"
        echo
    } >"$archive/Sources"
    chmod -R a+rX "$box"
}

has_apt() {
    command -v apt-get >/dev/null || skip 'no apt-get here'
}

use_archive() {
    has_apt || return
    new_archive "$@"
    new_apt_dir
    echo "deb [trusted=yes] file:$archive ./" >"$apt_dir/sources.list"
}

test_apt() {
    use_archive "$tarball" "$HOST_VERSION-7ubuntu1" || return
    touch "$work/before"
    APT_DIR=$apt_dir fetch >"$work/stdout" || return 1
    cat "$work/stdout"
    [ "$(wc -l <"$work/stdout")" -eq 1 ] && is_pristine "$box/darknet/pristine" &&
        cmp "$tarball" "$box/darknet/cache/$HOST_TARBALL"
}
check 'apt-get brings the tarball, of any Debian revision' test_apt

test_apt_state_untouched() {
    use_archive "$tarball" "$HOST_VERSION-2" || return
    local before
    before=$(find /etc/apt /var/lib/apt /var/cache/apt -printf '%p %T@\n' 2>/dev/null | sort)
    APT_DIR=$apt_dir fetch >/dev/null &&
        [ "$before" = "$(find /etc/apt /var/lib/apt /var/cache/apt -printf '%p %T@\n' 2>/dev/null | sort)" ]
}
check "the machine's own apt state stays as it was" test_apt_state_untouched

# Such hooks clean and refresh the machine's own lists after each update.
test_no_apt_hooks() {
    use_archive "$tarball" "$HOST_VERSION-2" || return
    local hook
    for hook in Pre-Invoke Post-Invoke Post-Invoke-Success; do
        echo "APT::Update::$hook { \"touch $box/hook_ran\"; };"
    done >"$box/hooks.conf"
    APT_CONFIG=$box/hooks.conf APT_DIR=$apt_dir fetch && [ ! -e "$box/hook_ran" ]
}
check "the machine's apt hooks do not run" test_no_apt_hooks

test_apt_as_ordinary_user() {
    use_archive "$tarball" "$HOST_VERSION-2" || return
    [ "$(id -u)" -eq 0 ] || { skip 'all of these tests run as an ordinary user here'; return; }
    command -v setpriv >/dev/null || { skip 'no setpriv here'; return; }
    chown -R 65534:65534 "$box"
    APT_DIR=$apt_dir HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups "$box/darknet/fetch.sh" &&
        is_pristine "$box/darknet/pristine"
}
check 'an ordinary user can fetch too' test_apt_as_ordinary_user

test_unreachable_third_party() {
    use_archive "$tarball" "$HOST_VERSION-2" || return
    printf 'Types: deb\nURIs: http://127.0.0.1:9/\nSuites: stable\nComponents: main\n' \
        >"$apt_dir/sources.list.d/third.sources"
    APT_DIR=$apt_dir fetch && is_pristine "$box/darknet/pristine"
}
check 'an unreachable third party does not matter' test_unreachable_third_party

test_cache_needs_no_apt() {
    mkdir "$box/darknet/cache"
    cp "$tarball" "$box/darknet/cache"
    PATH=$(path_without apt-get apt-cache) fetch && is_pristine "$box/darknet/pristine"
}
check 'with the tarball in cache/ neither apt nor network is needed' test_cache_needs_no_apt

test_spoilt_cache() {
    use_archive "$tarball" "$HOST_VERSION-2" || return
    mkdir "$box/darknet/cache"
    spoil "$box/darknet/cache/$HOST_TARBALL"
    APT_DIR=$apt_dir fetch && is_pristine "$box/darknet/pristine"
}
check 'a spoilt tarball in cache/ is fetched again' test_spoilt_cache

test_other_tarball_in_archive() {
    has_apt || return
    spoil "$box/spoilt.tar.xz"
    use_archive "$box/spoilt.tar.xz" "$HOST_VERSION-2"
    APT_DIR=$apt_dir refuses 'has SHA-256 .* asks for' fetch && nothing_left && [ ! -e "$box/darknet/cache" ]
}
check 'an archive with another tarball is refused, and nothing is cached' test_other_tarball_in_archive

test_download_fails() {
    use_archive "$tarball" "$HOST_VERSION-2" || return
    rm "$archive/$HOST_TARBALL"
    APT_DIR=$apt_dir refuses 'could not be downloaded: check the network' fetch && nothing_left
}
check 'a failed download says what to do' test_download_fails

test_other_version_in_archive() {
    use_archive "$tarball" "9.9-1" || return
    APT_DIR=$apt_dir refuses "no apt source that could be reached has darknet .*: enable one" fetch && nothing_left
}
check 'an archive without this version says what to do' test_other_version_in_archive

test_no_network() {
    has_apt || return
    new_apt_dir
    echo 'deb [trusted=yes] http://127.0.0.1:9/debian stable main' >"$apt_dir/sources.list"
    APT_DIR=$apt_dir refuses 'none of the apt sources could be reached: check the network' fetch && nothing_left
}
check 'without network it says what to do' test_no_network

test_no_sources() {
    has_apt || return
    new_apt_dir
    echo '# deb http://commented.example/mirror stable main' >"$apt_dir/sources.list"
    APT_DIR=$apt_dir refuses 'no deb or deb-src entry is enabled .*: add one' fetch && nothing_left
}
check 'without any apt source it says what to do' test_no_sources

# ---- install_packages.sh, with a fake dpkg-query that knows gcc and make ----

new_package_path() {
    packages=$(path_without sudo)
    echo "echo apt-get \"\$@\" >>$box/calls; exit ${1:-0}" | fake_tool "$packages" apt-get
    fake_tool "$packages" dpkg-query <<'FAKE'
for package; do :; done
case $package in gcc | make) printf installed ;; *) exit 1 ;; esac
FAKE
}

install_packages() {
    PATH=$packages "$box/darknet/install_packages.sh" "$@"
}

test_nothing_missing() {
    new_package_path
    [ -z "$(install_packages gcc make 2>&1)" ] && [ ! -e "$box/calls" ]
}
check 'with all packages there, nothing is said or run' test_nothing_missing

test_installs_the_missing() {
    new_package_path
    echo 'echo 0' | fake_tool "$packages" id
    install_packages gcc libone make libtwo || return 1
    cat "$box/calls"
    [ "$(grep -c ' update$' "$box/calls")" -eq 1 ] &&
        grep -q ' install --no-install-recommends libone libtwo$' "$box/calls"
}
check 'only the missing packages are installed, after an update' test_installs_the_missing

test_sudo() {
    new_package_path
    echo 'echo 1000' | fake_tool "$packages" id
    echo "echo sudo >>$box/calls; exec \"\$@\"" | fake_tool "$packages" sudo
    install_packages libone && grep -q sudo "$box/calls" && grep -q 'install .*libone' "$box/calls"
}
check 'an ordinary user installs through sudo' test_sudo

test_neither_root_nor_sudo() {
    new_package_path
    echo 'echo 1000' | fake_tool "$packages" id
    refuses "run 'apt-get install --no-install-recommends libone libtwo' as root" \
        install_packages gcc libone libtwo && [ ! -e "$box/calls" ]
}
check 'with neither root nor sudo it names the command to run' test_neither_root_nor_sudo

test_install_fails() {
    new_package_path 100
    echo 'echo 0' | fake_tool "$packages" id
    ! install_packages libone >"$work/stdout" 2>"$work/stderr" || return 1
    cat "$work/stderr"
    [ "$(grep -c ' install ' "$box/calls")" -eq 2 ] && grep -q 'could not install libone' "$work/stderr"
}
check 'a failed install is tried once more and then reported' test_install_fails

test_no_dpkg() {
    packages=$(path_without dpkg-query)
    refuses 'no Debian or Ubuntu: install the equivalent of these packages by hand: gcc libone' \
        install_packages gcc libone
}
check 'on another system the packages are named' test_no_dpkg

echo "1..$count"
[ $failures -eq 0 ]
