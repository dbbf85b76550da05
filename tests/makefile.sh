#!/bin/sh
# Tests the Makefile: in a path with spaces and a leading dash, with the variables that it honours, installing and
# removing.
#
#   tests/makefile.sh
#
# Works on copies of the files under version control, below a folder that is removed at the end.
set -eu

cd "$(dirname "$0")/.."
: "${MAKE:=make}" "${CARGO:=cargo}"
# The environment of this script must not influence the builds.
unset MAKEFLAGS MFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR DESTDIR LDFLAGS RUSTFLAGS TARGET TARGET_DIR
host=$(rustc -vV | sed -n 's/^host: //p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# check NAME COMMAND...: runs it, and counts; shows its output only if it fails.
check() {
    name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "makefile: $name: FAILED" >&2
        tail -n 25 "$work/log" >&2
    fi
}

# copy FOLDER: the files under version control, as they are now.
copy() {
    mkdir -p "$1"
    git ls-files -z | tar --create --null --ignore-failed-read --files-from=- 2>/dev/null | tar --extract --directory "$1"
}

# in_copy COMMAND...: runs it in the copy.
in_copy() (cd "$copy" && "$@")

refuses() { ! "$@"; }

# Names, times and contents of all that is in the copy.
state() (cd "$copy" && find . -printf '%p %T@ %C@ %s %i\n' | sort)

unchanged() {
    state >"$work/before"
    "$@" && state >"$work/after" && diff "$work/before" "$work/after"
}

# --- the start of the path, up to its first space, is the name of another folder, which must not change

neighbour="$work/-a"
copy="$work/-a b/c  d"
mkdir -p "$neighbour"
echo kept >"$neighbour/file"
copy "$copy"
# Without optimization, for a short build.
export CARGO_PROFILE_COMMAND_OPT_LEVEL=0 CARGO_PROFILE_COMMAND_DEBUG=false CARGO_PROFILE_COMMAND_CODEGEN_UNITS=16

prints_only() {
    "$MAKE" -C "$copy" -n demo >"$work/printed" && "$MAKE" -C "$copy" -n test >>"$work/printed" &&
        [ -s "$work/printed" ] && ! grep -q -e '^Building' -e '[0-9] passed' "$work/printed" &&
        [ ! -e "$copy/build" ] && [ ! -e "$copy/target" ]
}
check 'make -n demo and make -n test only print' prints_only

helps() {
    "$MAKE" -s --no-print-directory -C "$copy" help >"$work/help" &&
        sed -n 's/^  \([a-z][a-z-]*\)  *.*/\1/p' "$work/help" >"$work/listed" && [ "$(wc -l <"$work/listed")" -ge 30 ] &&
        while read -r target; do
            grep -rq --include=Makefile --include='*.mk' "^\.PHONY:.* $target\$" "$copy" || {
                echo "help lists $target, which is no target"
                return 1
            }
        done <"$work/listed"
}
check 'make help lists targets that exist' helps

check 'builds in a path with spaces and a dash' "$MAKE" -C "$copy"
check 'make demo in that path' "${PYTHON:-python3}" tests/demo.py "$MAKE" -C "$copy"
check 'test-links in that path' "$MAKE" -C "$copy" test-links
check 'test-vectors in that path' "$MAKE" -C "$copy" test-vectors
check 'test-c-headers in that path' "$MAKE" -C "$copy" test-c-headers
check 'test-integrations in that path' "$MAKE" -C "$copy" test-integrations
check 'the neighbour is as it was' grep -q kept "$neighbour/file"

# --- installing and removing

# make_in DESTDIR TARGET...
make_in() {
    destination=$1
    shift
    "$MAKE" -C "$copy" "$@" DESTDIR="$destination"
}
nothing_left() { [ -d "$1" ] && [ -z "$(find "$1" ! -type d -o -type d -name '*tlsrpt*')" ]; }

root="$work/a root"
check 'installs below a path with spaces, and writes nothing into the checkout' \
    unchanged make_in "$root" install install-exim install-sendmail
check 'what was installed is there' test -s "$root/usr/local/bin/tlsrpt" -a -s "$root/usr/local/lib/libtlsrpt.so" \
    -a -s "$root/usr/local/lib/exim4/tlsrpt-exim.so" -a -s "$root/usr/local/lib/systemd/system/tlsrpt-sendmail.service"
check 'installs elsewhere with another PREFIX and writes nothing into the checkout' \
    unchanged make_in "$work/other root" install PREFIX=/opt/tlsrpt
check 'the files name that PREFIX' grep -q '^prefix=/opt/tlsrpt$' "$work/other root/opt/tlsrpt/lib/pkgconfig/libtlsrpt.pc"
prefix="$work/a prefix"
check 'installs with a PREFIX with spaces' unchanged make_in '' install install-exim install-sendmail PREFIX="$prefix"
for unit in collect deliver listen sendmail; do
    check "tlsrpt-$unit.service names the command there" \
        grep -q "^ExecStart=\"$prefix/bin/tlsrpt\" " "$prefix/lib/systemd/system/tlsrpt-$unit.service"
done
links_there() {
    PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config --cflags --libs libtlsrpt >"$work/flags" &&
        echo 'int main(void) { return tlsrpt_version() == 0; }' |
        xargs -a "$work/flags" "${CC:-cc}" -include tlsrpt_version.h -x c -o "$work/linked" /dev/stdin &&
        LD_LIBRARY_PATH="$prefix/lib" "$work/linked"
}
check 'pkg-config finds the library there' links_there
check 'removes from there' make_in '' uninstall-sendmail uninstall-exim uninstall PREFIX="$prefix"
check 'nothing is left there' nothing_left "$prefix"
keeps_the_map() {
    refuses make_in "$root" uninstall 2>"$work/errors" && grep -q 'make uninstall-sendmail' "$work/errors" &&
        test -e "$root/usr/local/bin/tlsrpt"
}
check "does not remove the command that Sendmail's map runs" keeps_the_map
check 'removes' make_in "$root" uninstall-sendmail uninstall-exim uninstall
check 'nothing is left' nothing_left "$root"
check 'removes where nothing is installed' make_in "$work/nowhere" uninstall uninstall-exim uninstall-sendmail
check 'installs the library alone' make_in "$work/part" install-library
check 'removes after a part was installed' make_in "$work/part" uninstall
check 'nothing is left of that part' nothing_left "$work/part"

# --- the folder and the triple of cargo

stale() {
    for folder in "$copy/target/library" "$copy/target" "$copy/target/library/$host" "$work/its target/library"; do
        mkdir -p "$folder/release"
        echo stale | tee "$folder/release/libtlsrpt.so" >"$folder/release/libtlsrpt.a"
    done
    rm -f "$copy/build"/libtlsrpt.*
}
honours() (
    stale
    "$MAKE" -C "$copy" library && "${PYTHON:-python3}" tests/artefacts.py check "$copy/build"
)
check 'CARGO_TARGET_DIR decides where cargo builds' env CARGO_TARGET_DIR="$work/its target" sh -c \
    '"$1" -C "$2" library BUILD=build/a && test -s "$CARGO_TARGET_DIR/library/release/libtlsrpt.so"' - "$MAKE" "$copy"
CARGO_TARGET_DIR="$work/its target"
export CARGO_TARGET_DIR
check 'a stale library is not taken with CARGO_TARGET_DIR' honours
unset CARGO_TARGET_DIR
CARGO_BUILD_TARGET=$host
export CARGO_BUILD_TARGET
check 'a stale library is not taken with CARGO_BUILD_TARGET' honours
check 'that triple has a folder of its own' test -s "$copy/target/library/$host/release/libtlsrpt.so"
unset CARGO_BUILD_TARGET

# --- flags

cat >"$work/cc" <<'CC'
#!/bin/sh
printf '%s\n' "$*" >>"$CALLS"
exec cc "$@"
CC
cp "$work/cc" "$work/rustc"
sed -i 's/exec cc/exec rustc/' "$work/rustc"
chmod +x "$work/cc" "$work/rustc"
CALLS="$work/calls"
export CALLS
flagged() (
    rm -f "$copy/build"/libtlsrpt.* "$CALLS"
    "$MAKE" -C "$copy" library CC="$work/cc" LDFLAGS=-Wl,--build-id=0xc0ffee00 RUSTFLAGS='--cfg tlsrpt_marker' &&
        grep -q -e '-shared.*-Wl,--build-id=0xc0ffee00' "$CALLS" &&
        LC_ALL=C readelf -n "$copy/build/libtlsrpt.so.0" | grep -q 'Build ID: c0ffee00' &&
        RUSTC="$work/rustc" "$MAKE" -B -C "$copy" library RUSTFLAGS='--cfg tlsrpt_marker' &&
        grep 'crate-name tlsrpt ' "$CALLS" | grep -q -e '--cfg tlsrpt_marker'
)
check 'CC, LDFLAGS and RUSTFLAGS' flagged
cat >"$work/ld" <<'LD'
#!/bin/sh
# Links, and then loses the constants, as mold --gc-sections does.
ld "$@"
while [ "$1" != -o ]; do shift; done
objcopy -O binary --only-section=.rodata.str1.1 "$2" "$2.text"
tr '\001-\377' x <"$2.text" >"$2.wrong"
objcopy --update-section ".rodata.str1.1=$2.wrong" "$2"
LD
chmod +x "$work/ld"
refuses_archive() {
    rm -f "$copy/build/libtlsrpt.a"
    refuses "$MAKE" -C "$copy" library LD="$work/ld" 2>"$work/errors" && grep -q 'use GNU ld' "$work/errors" &&
        [ ! -e "$copy/build/libtlsrpt.a" ] && "$MAKE" -C "$copy" library
}
check 'an archive that does not work is refused' refuses_archive
compiles_with_cflags() (
    rm -f "$CALLS"
    "$MAKE" -C "$copy" test-vectors test-c-headers test-c test-links CC="$work/cc" \
        CFLAGS='-O1 -DTLSRPT_MARKER' LDFLAGS=-Wl,-z,relro || true
    [ "$(grep -c 'c-tests/.*\.c' "$CALLS")" -ge 10 ] && ! grep 'c-tests/.*\.c' "$CALLS" | grep -v TLSRPT_MARKER
)
check 'CFLAGS' compiles_with_cflags

# --- the library from libc's crate alone

libc_folder() {
    "$CARGO" vendor --quiet --locked --manifest-path "$copy/build/library/Cargo.toml" "$work/vendor" &&
        [ "$(ls "$work/vendor")" = libc ]
}
check "the library's workspace needs libc alone" libc_folder
mkdir -p "$work/cargo home"
printf '[source.crates-io]\nreplace-with = "here"\n[source.here]\ndirectory = "%s"\n' "$work/vendor" \
    >"$work/cargo home/config.toml"
alone() {
    env CARGO_HOME="$work/cargo home" CARGO_NET_OFFLINE=true CARGO_TARGET_DIR="$work/alone" "$@"
}
alone_library() (
    rm -rf "$copy/build"
    alone "$MAKE" -C "$copy" library "$@" && "${PYTHON:-python3}" tests/artefacts.py check "$copy/build"
)
check 'builds the library offline where libc is the only crate' alone_library
check "which the project's own workspace does not" refuses in_copy alone "$CARGO" build --locked --package tlsrpt-clib
# As Debian has it: another version, and no checksums.
sed -i 's/^version = "0\.2\.[0-9]*"/version = "0.2.170"/' "$work/vendor/libc/Cargo.toml"
echo '{"files":{}}' >"$work/vendor/libc/.cargo-checksum.json"
check 'LOCKED= takes the libc that is there' alone_library LOCKED=
check 'which the lock file does not allow' refuses alone_library

# --- cargo build without make

plain() {
    in_copy "$CARGO" build --release --quiet && test -s "$copy/target/release/libtlsrpt.so" \
        -a -s "$copy/target/release/libtlsrpt.a" && ! grep -q stale "$copy/target/release/libtlsrpt.so"
}
check 'cargo build --release gives both libraries' plain

echo "makefile: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
