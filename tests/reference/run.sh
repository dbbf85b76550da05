#!/bin/sh
# Compares a shared library with Debian's build of the C library.
#
#   tests/reference/run.sh LIBRARY OUTPUT [COUNT [SEED]]
#
# COUNT random call sequences, 2,000 by default, are answered alike. The C tests of what both promise compile and pass
# with the C library and its header. What misuse does to the C library is only shown.
set -eu

library=$1 output=$2 count=${3:-2000} seed=${4-}
here=$(dirname "$0")
tests=$here/../../c-tests

debian=$("$here/fetch.sh")
set -- "$debian"/usr/lib/*/libtlsrpt.so.0
reference=$1

"${PYTHON:-python3}" "$here/compare.py" "$library" "$reference" "$count" ${seed:+"$seed"}
CFLAGS="-O1 -g -DREFERENCE" "$tests/run.sh" "$output" "$debian/usr/include" "$reference" walk_through function_types constants

MISUSE=count "$tests/run.sh" "$output" "$debian/usr/include" "$reference" misuse
