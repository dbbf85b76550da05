#!/bin/sh
# Compares a shared library with Debian's builds of the C library: 0.5.1 (testing) and 0.5.0rc1 (Debian 13).
#
#   tests/reference/run.sh LIBRARY OUTPUT [COUNT [SEED]]
#
# Both answer COUNT random call sequences, 2,000 by default, as our library does; 0.5.0rc1 without dpv. The C tests
# of the common contract compile and pass with 0.5.1 and its header. The effects of misuse on 0.5.1 are only printed.
set -eu

library=$1 output=$2 count=${3:-2000} seed=${4-}
here=$(dirname "$0")
tests=$here/../../c-tests

debian=$("$here/fetch.sh")
set -- "$debian"/usr/lib/*/libtlsrpt.so.0
reference=$1

"${PYTHON:-python3}" "$here/compare.py" "$library" "$reference" "$count" ${seed:+"$seed"}
debian_13=$("$here/fetch.sh" trixie)
set -- "$debian_13"/usr/lib/*/libtlsrpt.so.0
"${PYTHON:-python3}" "$here/compare.py" --without-dpv "$library" "$1" "$count" ${seed:+"$seed"}
CFLAGS="-O1 -g -DREFERENCE" "$tests/run.sh" "$output" "$debian/usr/include" "$reference" api/walk_through api/function_types \
    api/constants

MISUSE=count "$tests/run.sh" "$output" "$debian/usr/include" "$reference" misuse/misuse
