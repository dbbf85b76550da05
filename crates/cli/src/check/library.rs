//! Finds the libtlsrpt that a program loads, and its version.

use std::{env, path::Path, process::Command};

use super::finding::Finding;

const CHECK: &str = "library";
const NAME: &str = "libtlsrpt.so";

/// Finds with ldd the libtlsrpt that a program of Postfix loads, and reads its version.
pub(super) fn check_library(program: &Path) -> Finding {
    let shown = program.display();
    let listing = match Command::new("ldd").arg(program).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => return Finding::warn(CHECK, format!("cannot run ldd {shown}: {error}"), "install ldd"),
    };
    match loaded(&listing) {
        Loaded::No => {
            let message =
                format!("{shown} loads no shared libtlsrpt: built without TLSRPT, or with the static library");
            Finding::warn(CHECK, message, "unless it is the static library, install a Postfix with TLSRPT")
        }
        Loaded::Missing => {
            let message =
                format!("{shown} needs libtlsrpt, and the loader does not find it: the program does not start");
            Finding::fail(CHECK, message, "install libtlsrpt; run ldconfig")
        }
        Loaded::From(file) => match version(file) {
            Ok(version) => Finding::ok(CHECK, format!("{shown} loads libtlsrpt {version} from {file}")),
            Err(why) => Finding::warn(CHECK, format!("{shown} loads {file}: {why}"), "install libtlsrpt again"),
        },
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Loaded<'a> {
    No,
    Missing,
    From(&'a str),
}

/// Finds libtlsrpt in the output of ldd.
fn loaded(listing: &str) -> Loaded<'_> {
    let Some(line) = listing.lines().find(|line| line.trim_start().starts_with(NAME)) else { return Loaded::No };
    match line.split_once("=>").map(|(_, target)| target.trim()) {
        Some(target) if target.starts_with('/') => Loaded::From(target.split(" (").next().unwrap_or(target)),
        _ => Loaded::Missing,
    }
}

/// Reads the version in a separate process: see [`crate::commands::library_version`].
fn version(library: &str) -> Result<String, String> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(this).args(["library-version", library]).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().into())
    } else {
        Err(format!("cannot read its version: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Loaded, loaded};

    #[test]
    fn the_library_is_found_in_the_output_of_ldd() {
        let found = "\tlinux-vdso.so.1 (0x1)\n\tlibtlsrpt.so.0 => /lib/x86_64-linux-gnu/libtlsrpt.so.0 (0x00007f47)\n";
        assert_eq!(loaded(found), Loaded::From("/lib/x86_64-linux-gnu/libtlsrpt.so.0"));
        assert_eq!(loaded("\tlibtlsrpt.so.0 => not found\n"), Loaded::Missing);
        assert_eq!(loaded("\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x1)\n"), Loaded::No);
    }
}
