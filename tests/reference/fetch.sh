#!/bin/sh
# Fetches the C library that ours is compared with: Debian's libtlsrpt0 and libtlsrpt0-dev, without installing them.
#
#   tests/reference/fetch.sh [SUITE]    prints the folder that holds usr/lib/... and usr/include/... of both packages
#
# The suite is forky (Debian testing, 0.5.1; the default) or trixie (Debian 13, 0.5.0rc1). The mirror is the one that
# mirror.sh finds. The packages are unpacked once, into a cache outside the checkout: $TLSRPT_CACHE, or libtlsrpt below the
# user's cache folder. Needs apt, dpkg-deb and a Debian keyring.
set -eu

suite=${1:-forky}
case $suite in
forky) version=0.5.1 ;;
trixie) version=0.5.0rc1 ;;
*)
    echo "fetch.sh: no version of libtlsrpt0 is known for the suite $suite: name forky or trixie" >&2
    exit 1
    ;;
esac
cache=${TLSRPT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libtlsrpt}
reference=$cache/debian-$version

if [ ! -e "$reference/complete" ]; then
    site=$("$(dirname "$0")/mirror.sh")
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/reference.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/unpacked"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main" >"$work/sources.list"
    private_apt() {
        (cd "$work" && apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
            -o Dir::State::lists="$work/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$work" \
            -o APT::Sandbox::User=root "$@" >&2)
    }
    private_apt update
    private_apt download "libtlsrpt0=$version-*" "libtlsrpt0-dev=$version-*"
    for package in "$work"/*.deb; do
        dpkg-deb --extract "$package" "$work/unpacked"
    done
    touch "$work/unpacked/complete"
    # A second run at the same time may have been first: either result is whole.
    mv -T "$work/unpacked" "$reference" 2>/dev/null || [ -e "$reference/complete" ]
fi
echo "$reference"
