#!/bin/sh
# Runs c-tests/checkers/under-valgrind.sh on a correct program and on faulty ones. All of them pass without valgrind.
#
#   c-tests/checkers/controls.sh OUTPUT INCLUDEDIR LIBRARY
set -eu

output=$1 include=$2 library=$3
checkers=$(dirname "$0")
mkdir -p "$output"
passed=0 failed=0

# control PROGRAM FINDINGS: the findings that under-valgrind.sh must print; none for a correct program.
control() {
    ${CC:-cc} -g -std=c11 -D_DEFAULT_SOURCE -I"$include" -I"$checkers/../harness" -o "$output/${1##*/}" "$checkers/$1.c" "$library" \
        -Wl,-rpath,"$(cd "$(dirname "$library")" && pwd)"
    "$output/${1##*/}" >/dev/null
    "$checkers/under-valgrind.sh" "$output/${1##*/}" >/dev/null 2>"$output/errors" || true
    found=$(sed -n 's/^valgrind: //p' "$output/errors")
    if [ "$found" = "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$1: found $found, not $2" >&2
    fi
}

control ../api/walk_through ""
control controls/leaks_a_block "1 errors, 0 descriptors left open"
control controls/leaves_a_descriptor "0 errors, 1 descriptors left open"
control controls/reads_past_a_block "1 errors, 0 descriptors left open"
echo "memory controls: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
