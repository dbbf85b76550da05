#!/bin/sh
# Runs the C tests with the C library as Debian builds it.
#
#   c-tests/reference.sh together OUTPUT LIBRARY    both libraries in one process
#   c-tests/reference.sh survey OUTPUT              the C library in place of ours: prints the results and ignores failures
set -eu

action=$1 output=$2
folder=$(tests/reference/fetch.sh)
theirs=$(find "$folder/usr/lib" -name libtlsrpt.so.0)

if [ "$action" = together ]; then
    # Under another name: for some loaders, two files with the same name are the same library.
    mkdir -p "$output"
    cp "$theirs" "$output/libother.so"
    exec c-tests/run.sh "$output" include "$3" "surroundings/unload $output/libother.so"
fi

# show PROGRAM: runs it with the C library; prints its first findings and its closing line.
show() {
    echo "the C library: $1"
    c-tests/run.sh "$output" include "$theirs" "$1" 2>&1 |
        awk 'NR <= 12 { print "    " $0 } { last = $0 } END { if (NR > 12) print "    " last }'
}

show 'faults/faults survey'
show faults/large
show surroundings/surroundings
show 'threads/threads 8 2000'
show surroundings/unload
show 'faults/waits survey'
show 'soak/soak 200000'
