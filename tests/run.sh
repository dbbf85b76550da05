#!/bin/sh
# Makes all targets, even if one fails, and prints the sums of passed and failed tests.
#
#   tests/run.sh MAKE TARGET...
set -eu

make=$1
shift
report=$(mktemp)
trap 'rm -f "$report"' EXIT

for target; do
    # A pipe has the status of its last command. A target that fails is a line in the report.
    {
        "$make" --no-print-directory "$target" 2>&1 || echo "make $target: failed"
    } | tee -a "$report"
done

# There are three forms of closing lines: cargo's, that of the recorded sequences, and this project's.
awk '
    function add(right, wrong) { passed += right; failed += wrong }
    /^test result: / { add($4, $6) }
    /^[0-9]+ of [0-9]+ call sequences/ { add($1, $3 - $1) }
    /: [0-9]+ passed, [0-9]+ failed$/ { add($(NF - 3), $(NF - 1)) }
    /^make [a-z-]+: failed$/ { broken++ }
    END {
        if (failed < broken) failed = broken
        printf "%d passed, %d failed\n", passed, failed
        exit failed > 0 || passed == 0
    }
' "$report"
