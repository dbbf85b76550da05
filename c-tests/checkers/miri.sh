#!/bin/sh
# Runs the unit tests of the library's memory and encoder under Miri, which only nightly Rust has.
#
#   c-tests/checkers/miri.sh
set -eu
cd "$(dirname "$0")/../.."

toolchain=${MIRI_TOOLCHAIN:-nightly}
# An installed toolchain may lack the component.
if ! cargo "+$toolchain" miri --version >/dev/null 2>&1; then
    rustup component add miri rust-src --toolchain "$toolchain"
fi
cargo "+$toolchain" miri test --locked --target-dir target/miri --package tlsrpt --lib -- memory event
