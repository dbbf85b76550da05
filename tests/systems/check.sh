#!/bin/sh
# Compiles the client library for systems that this project does not run on: checks types and names, links nothing.
#
#   tests/systems/check.sh OUTPUT
#
# Needs root and debootstrap. OUTPUT keeps a root with Debian 13's Rust 1.85 and the source of core; the library is
# no_std, so core is all that a target needs besides libc. CARGO comes from the environment.
set -eu

mkdir -p "$1"
output=$(cd "$1" && pwd)
root=$output/root
cd "$(dirname "$0")/../.."

targets='
    aarch64-apple-darwin
    aarch64-unknown-freebsd x86_64-unknown-freebsd
    i686-unknown-hurd-gnu
    powerpc64le-unknown-linux-musl s390x-unknown-linux-musl x86_64-unknown-linux-musl
    x86_64-pc-solaris
    x86_64-unknown-dragonfly
    x86_64-unknown-haiku
    x86_64-unknown-illumos
    x86_64-unknown-netbsd
    x86_64-unknown-openbsd
'

if ! [ -e "$root/ready" ]; then
    rm -rf "$root"
    debootstrap --variant=minbase --include=cargo,gcc,libc6-dev,rust-src,rustc trixie "$root" "$(tests/reference/mirror.sh)" \
        /usr/share/debootstrap/scripts/sid >"$output/debootstrap.log" 2>&1 || {
        tail "$output/debootstrap.log" >&2
        exit 1
    }
    touch "$root/ready"
fi

# The published library with its one dependency beside it, as a packager compiles it.
rm -rf "$root/library"
mkdir "$root/library"
${CARGO:-cargo} package --quiet --allow-dirty --no-verify --locked --package tlsrpt --target-dir "$output/target"
tar -xf "$output"/target/package/tlsrpt-*.crate -C "$root/library" --strip-components=1
# A separate workspace, also inside the folder of another one.
echo '[workspace]' >>"$root/library/Cargo.toml"
(cd "$root/library" && ${CARGO:-cargo} vendor --quiet --locked >/dev/null)

# Inside the root: compiles core for the target once, then the library.
cat >"$root/check" <<'EOF'
#!/bin/sh
set -eu
export RUSTC_BOOTSTRAP=1 HOME=/root
target=$1
cd /library
host=$(rustc --print host-tuple)
sysroot=/sysroot/$target
libraries=$sysroot/lib/rustlib/$target/lib
if ! [ -e "$libraries/libcore.rmeta" ]; then
    mkdir -p "$libraries"
    ln -sfn "$(rustc --print sysroot)/lib/rustlib/$host" "$sysroot/lib/rustlib/$host"
    # no_std crates name it; what it holds is needed for code alone.
    echo '#![feature(compiler_builtins)] #![compiler_builtins] #![no_std]' >/sysroot/compiler_builtins.rs
    core=$(rustc --print sysroot)/lib/rustlib/src/rust/library/core/src/lib.rs
    for source in core=$core compiler_builtins=/sysroot/compiler_builtins.rs; do
        rustc --crate-name "${source%%=*}" --crate-type rlib --edition 2021 --emit metadata --target "$target" \
            --sysroot "$sysroot" --cap-lints allow -Z force-unstable-if-unmarked --out-dir "$libraries" "${source#*=}"
    done
fi
for features in '' capi; do
    RUSTFLAGS="--sysroot $sysroot -D warnings" cargo check --quiet --offline --target "$target" --features "$features" \
        --config 'source.crates-io.replace-with="vendored"' --config 'source.vendored.directory="vendor"'
done
EOF
chmod +x "$root/check"

passed=0 failed=0
known=$(chroot "$root" rustc --print target-list)
for target in $targets; do
    if ! echo "$known" | grep -qx "$target"; then
        echo "$target: FAILED: Rust 1.85 has no such target"
        failed=$((failed + 1))
    elif chroot "$root" /check "$target" 2>"$output/$target.log"; then
        echo "$target: compiles"
        passed=$((passed + 1))
    else
        echo "$target: FAILED: $output/$target.log"
        tail -n 40 "$output/$target.log" >&2
        failed=$((failed + 1))
    fi
done
echo "systems: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
