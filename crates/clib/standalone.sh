#!/bin/sh
# Writes a workspace of the C library alone: the packages tlsrpt-clib and tlsrpt, with libc as their only dependency.
#
#   crates/clib/standalone.sh FOLDER [ANY]
#
# Even to build one package, cargo needs every crate in the lock file of the workspace. With this workspace the library
# builds where libc is the only available crate. Its lock file names the same version of libc as the project's. With ANY
# no lock file is written, and cargo uses the version of libc that is available.
#
# The manifests are made from Cargo.toml and crates/clib/Cargo.toml; the packages use the sources where they are.
set -eu

folder=$1 any=${2-}
cd "$(dirname "$0")/../.."
mkdir -p "$folder/client"
# The path from the folder to the sources. It is relative if the folder is inside the checkout, so that the symbols are
# the same in each checkout.
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

# package FILE: its section [package] with the inherited values filled in, without the keys that this build does not
# need.
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
# Each paragraph is one package. In the project's lock file tlsrpt has further dependencies, for its tests.
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
