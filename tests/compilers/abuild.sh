#!/bin/sh
# Runs the functions of an APKBUILD as Alpine's abuild does, and puts each package into a folder of its own.
#
#   abuild.sh FOLDER    has APKBUILD and its sources, gets src/, and pkg/NAME for each package
#
# abuild also makes archives of the folders, adds the dependencies on libraries, and checks its rules.
set -eu

cd "$1"
startdir=$PWD
srcdir=$startdir/src pkgbasedir=$startdir/pkg
options='' depends='' subpackages='' install=''
. ./APKBUILD
pkgdir=$pkgbasedir/$pkgname
builddir=$srcdir/$pkgname-$pkgver
export srcdir pkgdir

for name in pkgname pkgver pkgrel pkgdesc url arch license source; do
    eval "[ -n \"\$$name\" ]" || { echo "APKBUILD: $name is empty" >&2; exit 1; }
done
for file in $source $install; do
    [ -e "$file" ] || { echo "APKBUILD: there is no file $file" >&2; exit 1; }
done

# amove PATTERN...: moves files of the package to the subpackage, and removes the folders that are empty then.
amove() {
    for pattern in "$@"; do
        for path in "$pkgdir"/$pattern; do
            [ -e "$path" ] || [ -L "$path" ] || { echo "amove: there is no $pattern" >&2; exit 1; }
            inside=${path#"$pkgdir"/}
            mkdir -p "$subpkgdir/$(dirname "$inside")"
            mv "$path" "$subpkgdir/$inside"
            (cd "$pkgdir" && rmdir -p "$(dirname "$inside")" 2>/dev/null) || true
        done
    done
}

mkdir -p "$srcdir" "$pkgdir"
for file in $source; do tar -xf "$file" -C "$srcdir"; done
for phase in build check package; do
    (cd "$builddir" && "$phase")
done
for subpackage in $subpackages; do
    function=${subpackage#*:}
    (
        subpkgname=${subpackage%%:*} subpkgdir=$pkgbasedir/${subpackage%%:*}
        mkdir -p "$subpkgdir"
        cd "$builddir"
        "${function%%:*}"
    )
done
