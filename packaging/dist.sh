#!/bin/sh
# Makes the source tarball: the files under version control and the sources of all crates. Building from it needs Rust and
# a C compiler, and no network.
#
#   packaging/dist.sh FOLDER LEVEL    writes libtlsrpt-VERSION.tar.xz, libtlsrpt.spec, PKGBUILD, APKBUILD and freebsd/;
#                                     prints the path of the tarball
#
# VERSION is the project's, from Cargo.toml; LEVEL is the level of the C interface, which the packages provide. The same
# commit gives the same bytes with the same tar and xz.
set -eu

mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
level=$2
name=libtlsrpt-$version
work=$(mktemp -d "$folder/dist.XXXXXX")
trap 'rm -rf "$work"' EXIT

debian=$(sed -n '1s/^libtlsrpt (\(.*\)-[0-9]*) .*/\1/p' debian/changelog)
if [ "$debian" != "$version" ]; then
    echo "dist.sh: debian/changelog begins with version ${debian:-of another form}, Cargo.toml has $version: add an entry" >&2
    exit 1
fi

mkdir "$work/$name"
git ls-files -z | tar --create --null --files-from=- | tar --extract --directory "$work/$name"
"${CARGO:-cargo}" vendor --quiet --locked --versioned-dirs "$work/$name/vendor" >/dev/null
"${PYTHON:-python3}" packaging/without-windows.py "$work/$name"
mkdir -p "$folder/freebsd"
for file in libtlsrpt.spec PKGBUILD APKBUILD freebsd/Makefile; do
    "${PYTHON:-python3}" packaging/fill.py "packaging/$file.in" "$version" "$level" >"$work/$name/packaging/$file"
    cp "$work/$name/packaging/$file" "$folder/$file"
done
# What abuild wants beside the APKBUILD, and FreeBSD's ports beside the Makefile.
cp packaging/alpine/tlsrpt.pre-install "$folder"
cp packaging/freebsd/pkg-descr packaging/freebsd/pkg-plist "$folder/freebsd"
mkdir "$work/$name/.cargo"
cat >"$work/$name/.cargo/config.toml" <<CONFIG
# Written by make dist: cargo takes the crates from this tarball.
[source.crates-io]
replace-with = "vendored-sources"

[source.vendored-sources]
directory = "vendor"

[net]
offline = true
CONFIG
find "$work/$name" -exec touch --no-dereference --date="@$(git log -1 --format=%ct)" {} +
XZ_OPT='-3 --threads=0' tar --create --xz --file "$work/$name.tar.xz" --directory "$work" --sort=name \
    --owner=root:0 --group=root:0 --mode=u=rwX,go=rX "$name"
mv "$work/$name.tar.xz" "$folder/$name.tar.xz"
echo "$folder/$name.tar.xz"
