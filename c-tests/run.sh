#!/bin/sh
# Compiles the C test programs with one header and one library, and runs them.
#
#   c-tests/run.sh OUTPUT INCLUDEDIR LIBRARY [PROGRAM...]
#
# LIBRARY is a shared or a static library, by its path. CC, CFLAGS and RUN (what a program is run under) come from the
# environment. Each program prints its closing line.
set -eu

output=$1 include=$2 library=$3
shift 3
tests=$(dirname "$0")
[ $# -gt 0 ] || set -- walk_through return_codes failing_allocations misuse allocator_hooks socket_behaviour \
    function_types constants

# Where the programs put their sockets: a short name, since a socket's is limited. Programs that die leave theirs behind.
TMPDIR=$(mktemp -d /tmp/tlsrpt-tests.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
chmod 755 "$TMPDIR"

mkdir -p "$output"
wrong=0
echo "with ${library##*/}:"
for program; do
    # shellcheck disable=SC2086
    ${CC:-cc} ${CFLAGS--O1 -g} -std=c11 -D_DEFAULT_SOURCE -pedantic -Wall -Wextra -Werror -I"$include" \
        -o "$output/$program" "$tests/$program.c" "$library" -Wl,-rpath,"$(cd "$(dirname "$library")" && pwd)"
    status=0
    ${RUN:-} "$output/$program" || status=$?
    # One that dies has no closing line, and what a program is run under may find fault where the program finds none.
    [ "$status" -le 1 ] || echo "$program, which ended with status $status: 0 passed, 1 failed"
    [ "$status" -eq 0 ] || wrong=1
done
exit "$wrong"
