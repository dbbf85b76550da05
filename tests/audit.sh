#!/bin/sh
# Checks the licences, sources and bans of deny.toml in both lock files, offline, and that the library depends on libc
# alone.
set -eu

cargo_deny_version=0.20.2
cache=${TLSRPT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libtlsrpt}
cd "$(dirname "$0")/.."

PATH=$PATH:$cache/tools/bin
if ! command -v cargo-deny >/dev/null; then
    ${CARGO:-cargo} install --quiet --locked --root "$cache/tools" --version "$cargo_deny_version" \
        --no-default-features cargo-deny
fi

for manifest in Cargo.toml fuzz/Cargo.toml; do
    cargo fetch --quiet --locked --manifest-path "$manifest"
    cargo deny --offline --locked --config deny.toml --workspace --manifest-path "$manifest" check licenses bans sources
done

tree=$(cargo tree --offline --locked --package tlsrpt --features capi --edges normal --prefix none --format '{lib}')
echo "$tree"
[ "$tree" = "tlsrpt
libc" ] || {
    echo "the library depends on more than libc" >&2
    exit 1
}

"${PYTHON:-python3}" packaging/licences.py --check

# debian/copyright names each crate that is under neither of the two licences of the project alone.
cargo metadata --offline --locked --all-features --format-version 1 | "${PYTHON:-python3}" -c '
import json, re, sys
with open("debian/copyright") as source:
    named = set(re.findall(r"vendor/(\S+?)-(?:\?\.)?\*", source.read()))
crates = [package for package in json.load(sys.stdin)["packages"] if package["source"]]
other = {crate["name"] for crate in crates if crate["license"] in ("Apache-2.0", "MIT-0") or " AND " in crate["license"]
         or not re.search(r"\b(MIT|Apache-2.0)\b", crate["license"])}
if other != named:
    sys.exit("debian/copyright lacks %s, and names without need %s" % (sorted(other - named), sorted(named - other)))
print("%d crates with stanzas of their own in debian/copyright" % len(named))'
