#!/bin/sh
# Compiles C test programs with one header and one library, and runs them.
#
#   c-tests/run.sh OUTPUT INCLUDEDIR LIBRARY [PROGRAM...]
#
# LIBRARY is the path of a shared or a static library. PROGRAM is a source file below this folder, without .c, with its
# arguments in one word: 'threads/threads 8 2000'. The default is the programs for the use and the misuse of the
# functions.
#
# Most programs are linked with the library. Those that include library.h load a shared library instead; their first
# argument is its path, and the other arguments follow.
#
# CC, CFLAGS, LDFLAGS and RUN (a program to run the tests under, such as valgrind) come from the environment. Each
# program prints its closing line.
set -eu

output=$1 include=$2 library=$3
shift 3
tests=$(dirname "$0")
[ $# -gt 0 ] || set -- api/walk_through api/return_codes api/failing_allocations misuse/misuse api/allocator_hooks \
    api/socket_behaviour api/function_types api/constants

# The folder for the sockets of the programs. Its name is short, because the length of a socket name is limited.
# Programs that die do not remove their sockets.
TMPDIR=$(mktemp -d /tmp/tlsrpt-tests.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
chmod 755 "$TMPDIR"

# compile ARGUMENT...
compile() {
    # shellcheck disable=SC2086 # the compiler and the flags are several words
    ${CC:-cc} ${CFLAGS--O1 -g} -std=c11 -D_DEFAULT_SOURCE -pedantic -Wall -Wextra -Werror -I"$include" \
        -I"$tests/harness" -pthread "$@" ${LDFLAGS-} -ldl
}

# includes PROGRAM HEADER...: whether a program includes one of the headers.
includes() {
    file=$tests/$1.c
    shift
    for header; do
        ! grep -q "^#include \"$header\"" "$file" || return 0
    done
    return 1
}

mkdir -p "$output"
libraries=$(cd "$(dirname "$library")" && pwd)
wrong=0
echo "with ${library##*/}:"
for program; do
    # shellcheck disable=SC2086 # the arguments are several words
    set -- $program
    source=$1 binary=$output/${1##*/}
    shift
    if includes "$source" library.h loaded_events.h; then
        set -- "$library" "$@"
        if includes "$source" interposer.h; then
            # The loader looks functions up in the interposer before libc. -Wno-pedantic: GNU's type for addresses is
            # not standard C.
            compile -Wno-pedantic -fno-builtin -fPIC -shared -o "$output/libinterposer.so" "$tests/harness/interposer.c"
            # shellcheck disable=SC2016 # the loader expands it
            compile -o "$binary" "$tests/$source.c" -L"$output" -linterposer -Wl,-rpath,'$ORIGIN'
        else
            compile -o "$binary" "$tests/$source.c"
        fi
    else
        compile -o "$binary" "$tests/$source.c" "$library" -Wl,-rpath,"$libraries"
    fi
    status=0
    ${RUN:-} "$binary" "$@" || status=$?
    # A program that dies prints no closing line. RUN may fail although the program itself passes.
    [ "$status" -le 1 ] || echo "$source, which ended with status $status: 0 passed, 1 failed"
    [ "$status" -eq 0 ] || wrong=1
done
exit "$wrong"
