#!/bin/sh
# Checks the built module: it exports one function, links only to libc, and contains no panic code.
#
#   crates/exim/check.sh MODULE
set -eu

module=$1
passed=0 failed=0

# expect WHAT WANTED FOUND
expect() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$1: wanted \"$2\", found \"$3\""
    fi
}

names=$(nm --demangle "$module")
expect exports tlsrpt_event "$(nm --dynamic --defined-only "$module" | awk '$2 == "T" { print $3 }')"
expect libraries libc.so.6 "$(readelf --dynamic --wide "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')"
expect "panic code" "" "$(echo "$names" | grep -i panic || true)"
# The symbol table exists, so the check above would find panic code.
expect "names of functions" 1 "$(echo "$names" | grep -c ' T tlsrpt_event$')"
expect "names of Rust functions" yes "$(echo "$names" | grep -q 'tlsrpt::\|tlsrpt_exim::' && echo yes || echo no)"
echo "Exim module: $passed passed, $failed failed"
[ "$failed" = 0 ]
