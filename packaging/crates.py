"""What cargo says of the crates that this project is compiled from."""

import os
import subprocess

# On each of these the project is compiled; a crate that is needed on none of them is not needed.
TARGETS = ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl", "aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf",
           "i686-unknown-linux-gnu", "riscv64gc-unknown-linux-gnu", "powerpc64le-unknown-linux-gnu", "s390x-unknown-linux-gnu",
           "loongarch64-unknown-linux-gnu", "x86_64-unknown-freebsd", "x86_64-unknown-netbsd", "x86_64-unknown-openbsd",
           "x86_64-apple-darwin", "aarch64-apple-darwin"]
LINUX = [target for target in TARGETS if "-linux-" in target]


def cargo(*arguments):
    """The output of a subcommand of cargo, which uses the versions in Cargo.lock."""
    return subprocess.run([os.environ.get("CARGO", "cargo"), *arguments, "--locked"], stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout
