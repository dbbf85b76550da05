#!/bin/sh
# Makes the static library: one object in which only the exported functions are global. What Rust adds stays local, so
# the library shares a program with other Rust libraries.
#
#   crates/clib/archive.sh RUST_ARCHIVE SHARED OUTPUT
#
# RUST_ARCHIVE is what rustc made. SHARED, made of the same source, has the list of the functions. The tools are LD, NM,
# OBJCOPY, AR and CC.
#
# The result is checked: a program is linked with it, and runs unless TARGET is set. Not every linker is able to do this
# step: mold with --gc-sections removes sections that are in use, and says nothing.
set -eu

rust_archive=$1 shared=$2 output=$3
object=${output%.a}.o exports=${output%/*}/exports

"$NM" -D --defined-only "$shared" | awk '$2 == "T" { print $3 }' >"$exports"
# No --gc-sections: on loong64 and riscv64 GNU ld leaves an .eh_frame then that makes the linker of a program complain, or
# crash.
# shellcheck disable=SC2046 # the names are several words
"$LD" -r $(sed 's/^/-u /' "$exports") -o "$object" "$rust_archive"
"$OBJCOPY" --keep-global-symbols="$exports" "$object"
rm -f "$output"
"$AR" rcs "$output" "$object"

log=${output%.a}.log
RUN=${TARGET:+true} CFLAGS="${CFLAGS-} -w" c-tests/run.sh "${output%/*}/archive-check" include "$output" api/walk_through \
    >"$log" 2>&1 || {
    cat "$log" >&2
    rm -f "$output"
    echo "archive.sh: the library that LD=$LD made does not work in a program: use GNU ld or LLVM's ld.lld" >&2
    exit 1
}
