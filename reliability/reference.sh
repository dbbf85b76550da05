#!/bin/sh
# Both libraries in one process, then the same probes with the C library in our library's place: what it does is told,
# not judged.
#
#   reliability/reference.sh PROBES LIBRARY
set -eu

probes=$1 library=$2
folder=$(tests/reference/fetch.sh)
theirs=$(find "$folder/usr/lib" -name libtlsrpt.so.0)
# Under another name: two files of one name are one library for some loaders.
cp "$theirs" "$probes/libother.so"

"$probes/unload" "$library" "$probes/libother.so"

# told PROBE ARGUMENT...: runs the probe with the C library; its first findings and its closing line.
told() {
    echo "the C library: $*"
    probe=$1
    shift
    "$probes/$probe" "$theirs" "$@" 2>&1 | awk 'NR <= 12 { print "    " $0 } { last = $0 } END { if (NR > 12) print "    " last }'
}

told faults survey
told large
told surroundings
told threads 8 2000
told unload
told waits survey
told soak 200000
