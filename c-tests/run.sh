#!/bin/sh
# Compiles C test programs with one header and one library, and runs them.
#
#   c-tests/run.sh OUTPUT INCLUDEDIR LIBRARY [PROGRAM...]
#
# LIBRARY is a shared or a static library, by its path. PROGRAM is a source file below this folder, without .c, and its
# arguments in one word: 'threads/threads 8 2000'. Without one: the use and the misuse of the functions.
#
# Most programs are linked with the library. Those that include library.h load it from the path in their first argument
# instead, which is a shared library then; the other arguments come after it.
#
# CC, CFLAGS, LDFLAGS and RUN (a program to run the tests under, as valgrind) come from the environment. Each program
# prints its closing line.
set -eu

output=$1 include=$2 library=$3
shift 3
tests=$(dirname "$0")
[ $# -gt 0 ] || set -- api/walk_through api/return_codes api/failing_allocations misuse/misuse api/allocator_hooks \
    api/socket_behaviour api/function_types api/constants

# Where the programs put their sockets: a short name, since a socket's is limited. Programs that die leave theirs behind.
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
            # It comes before libc in the order in which the loader looks functions up. GNU's type of an address is no
            # standard C.
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
