#!/bin/sh
# Runs the unit tests of the library's memory and encoder under Miri, which is in nightly Rust alone.
#
#   c-tests/checkers/miri.sh
set -eu
cd "$(dirname "$0")/../.."

toolchain=${MIRI_TOOLCHAIN:-nightly}
# A toolchain that is there may lack the component.
if ! cargo "+$toolchain" miri --version >/dev/null 2>&1; then
    rustup component add miri rust-src --toolchain "$toolchain"
fi
cargo "+$toolchain" miri test --locked --target-dir target/miri --package tlsrpt --lib -- memory event
