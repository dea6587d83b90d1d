#!/bin/sh
# Installs those of the named Debian or Ubuntu packages that are missing. With
# nothing missing it says nothing and needs neither root nor the network.
#
#   darknet/install_packages.sh gcc make libopencv-dev
set -eu
export LC_ALL=C

log=
trap '[ -z "$log" ] || rm -f "$log"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

die() {
    echo "install_packages.sh: $*" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

list_missing() {
    for package; do
        is_installed "$package" || echo "$package"
    done | paste -s -d ' '
}

# 'sudo true' and not 'sudo -v', which asks for a password even where the rule for
# this user says NOPASSWD but the one for a group does not.
choose_root_command() {
    as_root=
    [ "$(id -u)" -ne 0 ] || return 0
    as_root=sudo
    { command -v sudo && sudo true; } >/dev/null 2>&1 ||
        die "these packages are missing and need root: run 'apt-get install --no-install-recommends $missing' as root, then run make again."
}

apt_get() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get --yes -o DPkg::Lock::Timeout=120 "$@"
}

# An update that fails in part may still know the packages: the install decides.
try_install() {
    apt_get update >"$log" 2>&1 || true
    # shellcheck disable=SC2086 # one word for each package
    apt_get install --no-install-recommends $missing >>"$log" 2>&1
}

{ command -v dpkg-query && command -v apt-get; } >/dev/null 2>&1 ||
    die "this is no Debian or Ubuntu: install the equivalent of these packages by hand: $*."
missing=$(list_missing "$@")
[ -n "$missing" ] || exit 0

choose_root_command
log=$(mktemp)
echo "installing $missing"
# Once more, because mirrors change under one's feet.
if ! try_install && ! try_install; then
    tail -n 20 "$log" >&2
    die "apt-get could not install $missing: see its last lines above, then run 'apt-get install --no-install-recommends $missing' as root."
fi
