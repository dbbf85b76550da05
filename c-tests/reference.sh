#!/bin/sh
# The C library, as Debian builds it, and our probes.
#
#   c-tests/reference.sh together PROBES LIBRARY    both libraries in one process
#   c-tests/reference.sh survey PROBES LIBRARY      it in our library's place: what it does is told, not judged
set -eu

action=$1 probes=$2 library=$3
folder=$(tests/reference/fetch.sh)
theirs=$(find "$folder/usr/lib" -name libtlsrpt.so.0)

if [ "$action" = together ]; then
    # Under another name: two files of one name are one library for some loaders.
    cp "$theirs" "$probes/libother.so"
    exec "$probes/unload" "$library" "$probes/libother.so"
fi

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
