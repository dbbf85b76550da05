#!/bin/sh
# Links C programs with the installed library, shared and static, and runs them.
#
#   c-tests/links/links.sh OUTPUT ROOT PREFIX [PKG_CONFIG]
#
# The library is installed below ROOT (a DESTDIR) in PREFIX. With PKG_CONFIG the flags come from that program; otherwise
# from this script, so that only a C compiler and rustc are needed.
set -eu

output=$1 root=$2 prefix=$3 pkg_config=${4-}
tests=$(dirname "$0")/..
libraries=$root$prefix/lib
mkdir -p "$output"

if [ -n "$pkg_config" ]; then
    export PKG_CONFIG_LIBDIR="$libraries/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
    # Without these, pkg-config leaves out the system's own folders, even below a root.
    export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
    cflags=$($pkg_config --cflags libtlsrpt)
    shared=$($pkg_config --libs libtlsrpt)
    static=$($pkg_config --static --libs libtlsrpt)
else
    cflags=-I$root$prefix/include
    shared="-L$libraries -ltlsrpt"
    static=$shared
fi
# In a folder without the shared library -ltlsrpt is the static one.
mkdir -p "$output/static-only"
cp "$libraries/libtlsrpt.a" "$output/static-only"
static="-L$output/static-only $static"

# The libraries that Rust's standard library needs: rustc prints them in a note.
other=$output/libother_rust_library.a
note=$(${RUSTC:-rustc} --edition 2024 --crate-type staticlib --print native-static-libs -o "$other" \
    "$tests/links/other-rust-library/lib.rs" 2>&1)
native=$(echo "$note" | sed -n 's/^note: native-static-libs: //p')

passed=0 failed=0

# link NAME PROGRAM ARGUMENT...
link() {
    name=$1 program=$2
    shift 2
    # shellcheck disable=SC2086
    if ${CC:-cc} ${CFLAGS--O1 -g} -std=c11 -D_DEFAULT_SOURCE -I"$tests/harness" -o "$output/$name" "$tests/$program.c" $cflags "$@" &&
        LD_LIBRARY_PATH=$libraries "$output/$name" >"$output/$name.out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$name: does not link or run" >&2
    fi
}

# needs NAME COUNT: whether the program loads the shared library.
needs() {
    found=$(${READELF:-readelf} -d "$output/$1" | grep -c 'NEEDED.*libtlsrpt\.so\.0\]' || true)
    if [ "$found" -eq "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$1: needs libtlsrpt.so.0 $found times, not $2" >&2
    fi
}

# Lists of flags.
# shellcheck disable=SC2086
{
    link shared api/walk_through $shared -Wl,-z,defs
    needs shared 1
    link static api/walk_through $static
    needs static 0
    link all-static api/walk_through -static $static
    link ours-first links/with_other_rust_library $static "$other" $native
    needs ours-first 0
    link ours-last links/with_other_rust_library "$other" $static $native
    # Whole archives: all symbols of both are linked together.
    link whole links/with_other_rust_library -Wl,--whole-archive $static "$other" -Wl,--no-whole-archive $native
    link beside-shared links/with_other_rust_library "$other" $shared $native
    needs beside-shared 1
}
echo "links${pkg_config:+ by $pkg_config}: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
