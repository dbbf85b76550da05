#!/bin/sh
# Builds the committed state twice, in different folders, and compares the libraries byte for byte.
set -eu

cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for copy in one another-and-longer-name; do
    git clone --quiet --no-hardlinks . "$work/$copy"
    ${MAKE:-make} --silent --no-print-directory -C "$work/$copy" build/libtlsrpt.a >/dev/null 2>&1
done
first=$work/one/build second=$work/another-and-longer-name/build
status=0
for library in libtlsrpt.so.0.0.0 libtlsrpt.a; do
    if cmp "$first/$library" "$second/$library"; then
        echo "$library: $(sha256sum <"$first/$library" | cut -c1-64)"
    else
        status=1
    fi
    # A name of a folder in a library would be another one elsewhere.
    if grep -q "$work" "$first/$library"; then
        echo "$library names the folder it was built in" >&2
        status=1
    fi
done
exit "$status"
