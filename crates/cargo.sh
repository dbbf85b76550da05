#!/bin/sh
# Runs cargo with the settings of `make`:
#
#   crates/cargo.sh [--c-library] SUBCOMMAND ARGUMENT...
#
# TARGET        the target triple to build for; empty: this machine's
# TARGET_DIR    the folder for cargo's output
# CC            the linker; one word, or cargo keeps its own
# LDFLAGS       more arguments for the linker
# RUSTFLAGS     more arguments for rustc; use CARGO_ENCODED_RUSTFLAGS for arguments with spaces
#
# The output contains no path of the build host: the checkout becomes /usr/src/tlsrpt, and CARGO_HOME /usr/src/cargo.
#
# --c-library: adds the arguments that a shared C library needs with musl. By default Rust links statically there, and
# cannot make a shared library.
set -eu

c_library=
if [ "$1" = --c-library ]; then
    c_library=yes
    shift
fi
subcommand=$1
shift

triple=${TARGET:-$(${RUSTC:-rustc} -vV | sed -n 's/^host: //p')}
separator=$(printf '\037')
flags=

# add FLAG: adds an argument for rustc, which may contain spaces.
add() {
    flags=$flags${flags:+$separator}$1
}

add "--remap-path-prefix=$PWD=/usr/src/tlsrpt"
add "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/usr/src/cargo"
if [ -n "$c_library" ]; then
    case $triple in
    *-musl*)
        add -Ctarget-feature=-crt-static
        add -Clink-arg=-lc
        ;;
    esac
fi
for flag in ${LDFLAGS-}; do
    add "-Clink-arg=$flag"
done
if [ -n "${CARGO_ENCODED_RUSTFLAGS-}" ]; then
    add "$CARGO_ENCODED_RUSTFLAGS"
else
    for flag in ${RUSTFLAGS-}; do
        add "$flag"
    done
fi
CARGO_ENCODED_RUSTFLAGS=$flags
export CARGO_ENCODED_RUSTFLAGS
unset RUSTFLAGS CARGO_BUILD_TARGET

linker=CARGO_TARGET_$(echo "$triple" | tr 'a-z.-' 'A-Z__')_LINKER
case ${CC-} in
'' | *' '*) ;;
*)
    eval ": \"\${$linker:=\$CC}\""
    export "${linker?}"
    ;;
esac

exec "${CARGO:-cargo}" "$subcommand" --target-dir "${TARGET_DIR:-target}" ${TARGET:+--target "$TARGET"} "$@"
