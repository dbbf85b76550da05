#!/bin/sh
# Compiles the types of the functions and the constants as several versions of C and C++, without a warning, and runs
# the programs.
#
#   c-tests/links/headers.sh OUTPUT INCLUDEDIR LIBRARY C_COMPILERS [C++_COMPILERS]
#
# The compilers are lists of words. A missing compiler is an error.
set -eu

output=$1 include=$2 library=$3 c_compilers=$4 cxx_compilers=${5-}
tests=$(dirname "$0")/..
mkdir -p "$output"
passed=0 failed=0

# try COMPILER LANGUAGE STANDARD...: with all warnings, which are errors.
try() {
    compiler=$1 language=$2
    shift 2
    for program in function_types constants; do
        # shellcheck disable=SC2086 # the flags are several words
        if "$compiler" ${CFLAGS-} "$@" -Wall -Wextra -Werror -I"$include" -I"$tests/harness" -o "$output/$program" \
            -x "$language" "$tests/api/$program.c" -x none "$library" \
            -Wl,-rpath,"$(cd "$(dirname "$library")" && pwd)" && "$output/$program" >"$output/$program.out"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "$compiler $*: $program fails" >&2
        fi
    done
}

for compiler in $c_compilers; do
    try "$compiler" c -std=gnu89
    try "$compiler" c -std=c99 -pedantic
    try "$compiler" c -std=c17 -pedantic
done
for compiler in $cxx_compilers; do
    try "$compiler" c++ -std=c++98
    try "$compiler" c++ -std=c++17 -pedantic
done
echo "headers with $c_compilers${cxx_compilers:+ $cxx_compilers}: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
