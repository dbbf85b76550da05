#!/bin/sh
# Builds the committed state twice, for different users in different folders, and compares the libraries, the module for
# Exim and the command byte for byte.
#
# The second user has another name, home, cargo home and umask, and as root another user number, in a user namespace.
set -eu

cd "$(dirname "$0")/.."
: "${MAKE:=make}"
unset MAKEFLAGS MFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR RUSTFLAGS
cargo_home=${CARGO_HOME:-$HOME/.cargo}
RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export RUSTUP_HOME
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Unoptimized code contains at least as many paths, and compiles faster.
export CARGO_PROFILE_COMMAND_OPT_LEVEL=0

# build FOLDER COMMAND...: makes all in a clone, by the command.
build() {
    folder=$1
    shift
    git clone --quiet --no-hardlinks . "$folder"
    "$@" "$MAKE" --silent --no-print-directory -C "$folder" all exim >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}

home="$work/home of another"
mkdir -p "$home/cargo"
mkdir "$home/cargo/registry"
cp -R "$cargo_home/registry/cache" "$cargo_home/registry/index" "$home/cargo/registry"
set -- env HOME="$home" CARGO_HOME="$home/cargo" USER=another LOGNAME=another sh -c 'umask 077; exec "$@"' -
if [ "$(id -u)" = 0 ]; then
    set -- unshare --user --map-user=12345 --map-group=12345 "$@"
    [ "$("$@" id -u)" = 12345 ]
fi

build "$work/one" env
build "$work/another and longer name" "$@"

passed=0 failed=0
# verdict STATUS TEXT: counts.
verdict() {
    if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "reproducible: $2" >&2
    fi
}
# names FILE PATH: whether the path is in the file.
names() { grep -q -a -F -e "$2" "$1"; }

names "$work/one/Makefile" 'libtlsrpt' && ! names "$work/one/Makefile" "$work"
verdict $? 'the search for paths does not work'
for file in libtlsrpt.so.0.0.0 libtlsrpt.a tlsrpt-exim.so tlsrpt; do
    status=0
    cmp "$work/one/build/$file" "$work/another and longer name/build/$file" || status=1
    verdict "$status" "$file is not the same"
    for path in "$work" "$cargo_home/" "$HOME/"; do
        status=0
        ! names "$work/another and longer name/build/$file" "$path" && ! names "$work/one/build/$file" "$path" || status=1
        verdict "$status" "$file names $path, where it was built"
    done
    echo "$file: $(sha256sum <"$work/one/build/$file" | cut -c1-64)"
done
echo "reproducible builds: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
