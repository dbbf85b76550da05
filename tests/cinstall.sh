#!/bin/sh
# Installs the C library by cargo-c and compares names and versions with those of `make install`.
#
#   tests/cinstall.sh OUTPUT
set -eu

mkdir -p "$1"
output=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
installed=$output/installed
level=$(sed -n 's/^level!(\([0-9]*\), \([0-9]*\), \([0-9]*\), "\(.*\)");$/\1.\2.\3\4/p' src/version.rs)
soname=$(sed -n 's/^SONAME = //p' Makefile)

rm -rf "$installed"
${CARGO:-cargo} cinstall --locked --release --package tlsrpt-clib --target-dir "$output/target" \
    --prefix /usr --libdir /usr/lib --destdir "$installed"

passed=0 failed=0
# same WHAT EXPECTED ACTUAL
same() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$1: expected $2, found $3" >&2
    fi
}
same 'version in libtlsrpt.pc' "$level" "$(sed -n 's/^Version: //p' "$installed/usr/lib/pkgconfig/libtlsrpt.pc")"
same 'SONAME' "$soname" "$(${READELF:-readelf} -d "$installed/usr/lib/$soname" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')"
same 'files' 'libtlsrpt.a libtlsrpt.so libtlsrpt.so.0 libtlsrpt.so.0.0.0' \
    "$(cd "$installed/usr/lib" && echo libtlsrpt.*)"
for header in tlsrpt.h tlsrpt_version.h; do
    same "$header" "$(cksum <"include/$header")" "$(cksum <"$installed/usr/include/$header")"
done

# A program that is compiled with the installed files.
cat >"$output/program.c" <<'EOF'
#include <string.h>
#include <tlsrpt.h>

int main(void)
{
    return strcmp(tlsrpt_version(), TLSRPT_VERSION_STRING);
}
EOF
${CC:-cc} -I"$installed/usr/include" -o "$output/program" "$output/program.c" -L"$installed/usr/lib" -ltlsrpt
same 'a program' 0 "$(LD_LIBRARY_PATH="$installed/usr/lib" "$output/program" && echo 0)"
echo "cinstall: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
