#!/bin/sh
# Makes the static library: one object in which only the exported functions are global. What Rust adds stays local, so
# the library shares a program with other Rust libraries.
#
#   crates/clib/archive.sh RUST_ARCHIVE SHARED OUTPUT
#
# RUST_ARCHIVE is what rustc made. SHARED, made of the same source, has the list of the functions. The tools are LD, NM,
# OBJCOPY, AR and CC.
set -eu

rust_archive=$1 shared=$2 output=$3
object=${output%.a}.o exports=${output%/*}/exports

"$NM" -D --defined-only "$shared" | awk '$2 == "T" { print $3 }' >"$exports"
# No --gc-sections: on loong64 and riscv64 it leaves an .eh_frame that makes the linker of a program complain, or crash.
# shellcheck disable=SC2046 # the names are several words
"$LD" -r $(sed 's/^/-u /' "$exports") -o "$object" "$rust_archive"
"$OBJCOPY" --keep-global-symbols="$exports" "$object"
rm -f "$output"
"$AR" rcs "$output" "$object"
