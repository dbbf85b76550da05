#!/bin/sh
# Compiles the C test programs with one header and one library, and runs them.
#
#   c-tests/run.sh OUTPUT INCLUDEDIR LIBRARY [PROGRAM...]
#
# LIBRARY is a shared or a static library, by its path. CC, CFLAGS and RUN (what a program is run under) come from the
# environment. Each program prints its closing line; the last line here adds them up.
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
passed=0 failed=0
for program; do
    # shellcheck disable=SC2086
    ${CC:-cc} ${CFLAGS--O1 -g} -std=c11 -D_DEFAULT_SOURCE -pedantic -Wall -Wextra -Werror -I"$include" \
        -o "$output/$program" "$tests/$program.c" "$library" -Wl,-rpath,"$(cd "$(dirname "$library")" && pwd)"
    # The program's own status decides too: one that dies has no closing line, and one under valgrind may end well.
    status=0
    ${RUN:-} "$output/$program" >"$output/$program.out" || status=$?
    cat "$output/$program.out"
    counts=$(sed -n "s/^$program: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p" "$output/$program.out")
    right=${counts% *} wrong=${counts#* }
    if [ "$status" -ne 0 ] && [ "${wrong:-0}" -eq 0 ]; then
        echo "$program: ended with status $status" >&2
        wrong=1
    fi
    passed=$((passed + ${right:-0}))
    failed=$((failed + ${wrong:-1}))
done
echo "C programs with ${library##*/}: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
