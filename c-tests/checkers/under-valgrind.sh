#!/bin/sh
# Runs a program under valgrind memcheck, its forked children too. A wrong access, a leak or a descriptor that is left
# open in any of them is a failure.
#
#   c-tests/checkers/under-valgrind.sh PROGRAM [ARGUMENT...]
set -eu

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

status=0
valgrind --quiet --verbose --log-file="$logs/%p" --error-exitcode=99 --leak-check=full --show-leak-kinds=all \
    --errors-for-leak-kinds=all --track-fds=yes "$@" || status=$?

set -- "$logs"/*
[ -e "$1" ] || {
    echo "valgrind wrote no log" >&2
    exit 1
}
for log; do
    # valgrind does not count descriptors as errors. Inherited descriptors, such as those of make, are left out.
    awk '
        /FILE DESCRIPTORS: / { reported = 1 }
        / Open .* [0-9]+:/ { open++ }
        /<inherited from parent>/ { open-- }
        /ERROR SUMMARY: / { errors = $4 }
        END {
            # A child that executed another program has no report of descriptors.
            if (!reported && errors == "") exit 0
            if (reported && open == 0 && errors == "0") exit 0
            printf "valgrind: %s errors, %d descriptors left open\n", errors == "" ? "unknown" : errors, open
            exit 1
        }
    ' "$log" >&2 || {
        cat "$log" >&2
        status=99
    }
done
exit "$status"
