#!/bin/sh
# Builds the command with musl: one file that needs no other one of the system that it runs on.
#
#   packaging/static.sh FILE
#
# TARGET        the target triple; empty: this machine's architecture with musl
# TARGET_DIR    the folder for cargo's output
# MUSL_CC       the C compiler for musl, for SQLite and ring; empty: musl-gcc, or cc where musl is the C library
#
# Says what is missing, and how to get it.
set -eu

output=$1
host=$(${RUSTC:-rustc} -vV | sed -n 's/^host: //p')
triple=${TARGET:-$(echo "$host" | sed 's/-linux-gnu/-linux-musl/')}

fail() {
    echo "make static: $*" >&2
    exit 1
}

case $triple in
*-linux-musl*) ;;
*) fail "$triple has no musl: set TARGET, for instance TARGET=x86_64-unknown-linux-musl" ;;
esac

# rustc names the folder of a target that it knows, also if nothing is in there.
libraries=$(${RUSTC:-rustc} --print target-libdir --target "$triple")
if ! ls "$libraries"/libstd-*.rlib >/dev/null 2>&1; then
    remedy="run: rustup target add $triple"
    # Distributions package their own target alone.
    [ "$(command -v rustup)" ] || remedy="install Rust with rustup, then $remedy"
    fail "$libraries has no standard library of Rust for $triple: $remedy"
fi

compiler=${MUSL_CC:-}
if [ -z "$compiler" ]; then
    case $host in
    *-musl*) compiler=cc ;;
    *) compiler=musl-gcc ;;
    esac
fi
command -v "$compiler" >/dev/null ||
    fail "$compiler is missing, the C compiler for musl: run: apt install musl-tools, or set MUSL_CC"

# Distributions whose C library is musl have a Rust that links with it dynamically.
static='-Ctarget-feature=+crt-static'
if ${RUSTC:-rustc} --print cfg --target "$triple" | grep -q '^target_feature="crt-static"'; then
    static=
fi

# Rust links with the C compiler of this machine and its own copy of musl. musl-gcc cannot link a static program that is
# loaded at a random address.
export "CC_$(echo "$triple" | tr .- __)=$compiler"
TARGET=$triple RUSTFLAGS="${RUSTFLAGS:-} $static" CC='' LDFLAGS='' \
    crates/cargo.sh build --profile command ${LOCKED:+"$LOCKED"} --package tlsrpt-cli
mkdir -p "$(dirname "$output")"
cp "${TARGET_DIR:-target}/$triple/command/tlsrpt" "$output"
