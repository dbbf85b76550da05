#!/bin/sh
# Reads the port for FreeBSD with bmake, which is FreeBSD's make, runs its installation here, and compares the files with its
# list. FreeBSD's ports collection is not here: a stub stands in for bsd.port.mk, and nothing is built on FreeBSD.
#
#   tests/freebsd-port.sh FOLDER LEVEL    works in FOLDER; LEVEL is the level of the C interface
set -eu

mkdir -p "$1"
work=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
rm -rf "$work/port" "$work/stub" "$work/stage"
mkdir "$work/port" "$work/stub"
cp packaging/freebsd/pkg-* "$work/port"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
sed -e "s/@VERSION@/$version/" -e "s/@LEVEL@/$2/" packaging/freebsd/Makefile.in >"$work/port/Makefile"
: >"$work/stub/bsd.port.mk"
: >"$work/stub/sys.mk"

fail() {
    echo "FAIL  packaging/freebsd: $*" >&2
    exit 1
}

# value NAME: what a variable of the port is, with what the ports collection would set.
value() {
    (cd "$work/port" && env -u MAKEFLAGS bmake -m "$work/stub" PREFIX=/usr/local WRKDIR=/wrkdirs DISTNAME="libtlsrpt-$version" \
        RUST_DEFAULT=rust -V "\${$1}")
}

for name in PORTNAME DISTVERSION CATEGORIES DISTFILES MAINTAINER COMMENT WWW LICENSE BUILD_DEPENDS USES ALL_TARGET INSTALL_TARGET; do
    [ -n "$(value $name)" ] || fail "$name is empty"
done
[ "$(value DISTFILES)" = "libtlsrpt-$version.tar.xz" ] || fail "make dist writes no $(value DISTFILES)"
# The rules of portlint.
[ "$(value COMMENT | wc -c)" -le 71 ] || fail "COMMENT is longer than 70 characters"
[ "$(wc -l <"$work/port/pkg-descr")" -ge 3 ] && [ "$(awk 'length > 80' "$work/port/pkg-descr" | wc -l)" = 0 ] ||
    fail "pkg-descr has too few lines, or lines of more than 80 characters"
for file in $(value LICENSE_FILE_MIT) $(value LICENSE_FILE_APACHE20); do
    [ -e "${file##*/}" ] || fail "there is no ${file##*/}"
done

eval "set -- $(value MAKE_ARGS)"
"${MAKE:-make}" -s "$(value ALL_TARGET)"
"${MAKE:-make}" -s "$(value INSTALL_TARGET)" DESTDIR="$work/stage" "$@"
# The ports collection compresses manual pages.
(cd "$work/stage/usr/local" && find . ! -type d | sed -e 's,^\./,,' -e 's,^\(share/man/.*\),\1.gz,' | LC_ALL=C sort) >"$work/installed"
diff packaging/freebsd/pkg-plist "$work/installed" >&2 || fail "pkg-plist (<) is not what is installed (>)"
find "$work/stage" -path "$work/stage/usr/local" -prune -o ! -type d -print | grep . && fail "files outside of PREFIX"
echo "freebsd-port: $(wc -l <"$work/installed") files: 1 passed, 0 failed"
