#!/bin/sh
# Checks the licences, sources and bans of deny.toml in both lock files, offline, and that the library depends on libc
# alone.
set -eu

cargo_deny_version=0.20.2
cache=${TLSRPT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libtlsrpt}
cd "$(dirname "$0")/.."

PATH=$PATH:$cache/tools/bin
if ! command -v cargo-deny >/dev/null; then
    ${CARGO:-cargo} install --quiet --locked --root "$cache/tools" --version "$cargo_deny_version" \
        --no-default-features cargo-deny
fi

for manifest in Cargo.toml fuzz/Cargo.toml; do
    cargo fetch --quiet --locked --manifest-path "$manifest"
    cargo deny --offline --locked --config deny.toml --workspace --manifest-path "$manifest" check licenses bans sources
done

tree=$(cargo tree --offline --locked --package tlsrpt --features capi --edges normal --prefix none --format '{lib}')
echo "$tree"
[ "$tree" = "tlsrpt
libc" ] || {
    echo "the library depends on more than libc" >&2
    exit 1
}
