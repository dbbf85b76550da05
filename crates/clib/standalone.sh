#!/bin/sh
# Writes a workspace of the C library alone: the packages tlsrpt-clib and tlsrpt, with libc as their only dependency.
#
#   crates/clib/standalone.sh FOLDER [ANY]
#
# Cargo wants all crates that a workspace's lock file names, also to build one package of it. With this workspace the
# library builds where libc is the only crate at hand. The lock file names the same libc as the project's; with ANY there
# is none, and cargo takes the libc that is there.
#
# The packages are made from Cargo.toml and crates/clib/Cargo.toml, and use their sources in place.
set -eu

folder=$1 any=${2-}
cd "$(dirname "$0")/../.."
mkdir -p "$folder/client"
# The way from the folder to the sources: the same in each checkout, where the folder is in it, and so are the symbols.
top=$PWD
inside=$(cd "$folder" && pwd)
case $inside in
"$top"/*) top=$(echo "${inside#"$top"/}" | sed 's,[^/]*,..,g') ;;
esac

# section NAME FILE: the lines of a section of a manifest, without its head and its comments.
section() {
    awk -v head="[$1]" '/^\[/ { inside = $0 == head; next } inside && NF && !/^#/' "$2"
}

# The keys that packages inherit.
inherited=$(section workspace.package Cargo.toml)

# package FILE: its section [package] with the inherited values in place, without what names files of the project.
package() {
    section package "$1" | awk -v inherited="$inherited" '
        BEGIN {
            count = split(inherited, lines, "\n")
            for (i = 1; i <= count; i++) values[substr(lines[i], 1, index(lines[i], " ") - 1)] = lines[i]
        }
        /^(readme|include|keywords|categories|description) / { next }
        /^[a-z-]*\.workspace = true/ { sub(/\..*/, ""); print values[$0]; next }
        { print }'
}

{
    echo "# Written by crates/clib/standalone.sh."
    echo '[workspace]'
    echo 'members = ["client"]'
    echo 'resolver = "3"'
    echo
    echo '[package]'
    package crates/clib/Cargo.toml
    echo
    echo '[lib]'
    echo "path = '$top/crates/clib/src/lib.rs'"
    section lib crates/clib/Cargo.toml
    echo
    echo '[dependencies]'
    section dependencies crates/clib/Cargo.toml | sed 's,path = "[^"]*",path = "client",'
    echo
    echo '[profile.release]'
    section profile.release Cargo.toml
} >"$folder/Cargo.toml"

case $top in
/*) ;;
*) top=../$top ;;
esac
{
    echo "# Written by crates/clib/standalone.sh."
    echo '[package]'
    package Cargo.toml
    echo
    echo '[lib]'
    echo "path = '$top/src/lib.rs'"
    echo
    echo '[features]'
    section features Cargo.toml
    echo
    echo '[dependencies]'
    section dependencies Cargo.toml
} >"$folder/client/Cargo.toml"

rm -f "$folder/Cargo.lock"
[ -z "$any" ] || exit 0
# Blocks are paragraphs. The package tlsrpt depends on more in the project's file, for its tests.
awk -v RS= -v ORS='\n\n' '
    /^# / { print; next }
    /^\[\[package\]\]\nname = "libc"\n/ { print; next }
    match($0, /^\[\[package\]\]\nname = "tlsrpt"\nversion = "[^"]*"/) {
        client = substr($0, 1, RLENGTH) "\ndependencies = [\n \"libc\",\n]"
        print client
        library = client
        sub(/"tlsrpt"/, "\"tlsrpt-clib\"", library)
        sub(/ "libc",/, "& \n \"tlsrpt\",", library)
        sub(/, \n/, ",\n", library)
        print library
    }' Cargo.lock >"$folder/Cargo.lock"
