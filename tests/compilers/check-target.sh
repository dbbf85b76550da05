#!/bin/sh
# Compiles the client library for a system that this project does not run on: checks types and names, links nothing.
#
#   check-target.sh TARGET SYSROOT    in the library's folder, which has its crates in vendor/
#
# Runs in a root filesystem with Rust and its source, which tests/compilers/systems starts. SYSROOT keeps the metadata of
# core for TARGET; the library is no_std, so core is all that it needs besides libc.
set -eu

target=$1 sysroot=$2
export RUSTC_BOOTSTRAP=1
rustlib=$(rustc --print sysroot)/lib/rustlib
host=$(rustc --print host-tuple)
libraries=$sysroot/lib/rustlib/$target/lib

if ! [ -e "$sysroot/complete" ]; then
    mkdir -p "$libraries"
    ln -sfn "$rustlib/$host" "$sysroot/lib/rustlib/$host"
    # Each no_std crate names compiler_builtins. Its content is needed only to generate code, so an empty crate is
    # enough.
    echo '#![feature(compiler_builtins)] #![compiler_builtins] #![no_std]' >"$sysroot/compiler_builtins.rs"
    for source in "core=$rustlib/src/rust/library/core/src/lib.rs" "compiler_builtins=$sysroot/compiler_builtins.rs"; do
        rustc --crate-name "${source%%=*}" --crate-type rlib --edition 2021 --emit metadata --target "$target" \
            --sysroot "$sysroot" --cap-lints allow -Z force-unstable-if-unmarked --out-dir "$libraries" "${source#*=}"
    done
    touch "$sysroot/complete"
fi
for features in '' capi; do
    RUSTFLAGS="--sysroot $sysroot -D warnings" cargo check --quiet --offline --target "$target" --features "$features" \
        --config 'source.crates-io.replace-with="vendored"' --config 'source.vendored.directory="vendor"'
done
