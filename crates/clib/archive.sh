#!/bin/sh
# Makes the static library: one object in which only the exported functions are global. The symbols of Rust's core
# library become local, so a program can also link other Rust libraries.
#
#   crates/clib/archive.sh RUST_ARCHIVE SHARED OUTPUT
#
# RUST_ARCHIVE is the archive that rustc made. SHARED is the shared library of the same source; its dynamic symbols are
# the list of exported functions. The tools are LD, NM, OBJCOPY, AR and CC.
#
# The script checks the result: it links a program with it, and runs the program unless TARGET is set. Some linkers fail
# at this step without an error: mold with --gc-sections removes sections that are in use.
set -eu

rust_archive=$1 shared=$2 output=$3
object=${output%.a}.o exports=${output%/*}/exports

"$NM" -D --defined-only "$shared" | awk '$2 == "T" { print $3 }' >"$exports"
# No --gc-sections: on loong64 and riscv64 GNU ld then writes an .eh_frame section with which the linker of a program
# warns or crashes. shellcheck disable=SC2046 # the names are several words
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
