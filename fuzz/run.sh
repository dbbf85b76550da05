#!/bin/sh
# Fuzzes one target for some seconds.
#
#   fuzz/run.sh TARGET SECONDS
#
# It starts with the committed inputs. New inputs, and cargo-fuzz if it is not installed, go to the cache outside the
# checkout: $TLSRPT_CACHE, or libtlsrpt in the user's cache folder. An input that fails is in fuzz/artifacts/TARGET: fix
# the defect, then commit the input to fuzz/corpus/TARGET, where `make test-model` runs it.
set -eu

target=$1 seconds=$2
cargo_fuzz_version=0.13.2
cache=${TLSRPT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libtlsrpt}
cd "$(dirname "$0")/.."

PATH=$PATH:$cache/tools/bin
if ! command -v cargo-fuzz >/dev/null; then
    ${CARGO:-cargo} install --quiet --locked --root "$cache/tools" --version "$cargo_fuzz_version" cargo-fuzz
fi

# A short name, since a socket's is limited. What the fuzzer leaves in the folder is removed with it.
TMPDIR=$(mktemp -d /tmp/tlsrpt-fuzz.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# A mail or a report is longer than the calls or a datagram.
longest=256
set --
if [ "$target" = received ]; then
    longest=4096
    set -- -dict=fuzz/received.dict
fi

mkdir -p "$cache/corpus/$target" "fuzz/artifacts/$target"
# Sanitizers are unstable flags of the Rust compiler; the installed one takes them so, whatever its channel.
RUSTC_BOOTSTRAP=1 cargo fuzz run --target-dir "$cache/fuzz-target" "$target" "$cache/corpus/$target" "fuzz/corpus/$target" \
    -- -max_total_time="$seconds" -max_len="$longest" "$@" -print_final_stats=1 -verbosity=0
