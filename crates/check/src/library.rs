//! Finds the libtlsrpt that a program loads, its version, and who made it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    bounded::{self, Ran},
    finding::Finding,
    packages,
    remedy::Remedy,
};

const CHECK: &str = "library";
/// What the name of the file begins with.
pub(crate) const NAME: &str = "libtlsrpt.so";
/// How long the process that loads the library may take.
const LONGEST: Duration = Duration::from_secs(5);
const PACKAGE: &str = "libtlsrpt0";
/// A message of Postfix that only a Postfix with TLSRPT has, and the library of Postfix that has it where the program
/// itself has not.
const MESSAGE: &[u8] = b"Could not report TLS handshake result to tlsrpt library";
const LIBRARY_OF_POSTFIX: &str = "libpostfix-tls.so";
/// The hidden subcommand of this program that reads the version.
const SUBCOMMAND: &str = "library-version";
/// What it prints between the version and the maker.
pub const SEPARATOR: char = '\t';

/// Who made a libtlsrpt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// This project.
    ThisProject,
    /// The authors of the library in C.
    Original,
    /// The same, before 0.5.0: Debian 13 has that.
    Candidate,
}

impl Maker {
    const ALL: [Self; 3] = [Self::ThisProject, Self::Original, Self::Candidate];

    /// One word, for the process that reads it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ThisProject => "rust",
            Self::Original => "c",
            Self::Candidate => "candidate",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::ThisProject => "the one of this project, in Rust",
            Self::Original => "the one in C",
            Self::Candidate => {
                "the release candidate in C that Debian 13 has; it sends no protocol version, and an EHLO reply with control \
                 characters makes an event that no collector can read"
            }
        }
    }
}

/// Finds with ldd the libtlsrpt that a program of Postfix loads, and reads its version.
pub(crate) fn check_library(program: &Path) -> Finding {
    let shown = program.display();
    let listing = match bounded::run("ldd", [program]) {
        Ok(ran) => ran.stdout,
        Err(error) => {
            return Finding::warn(
                CHECK,
                format!("cannot run ldd {shown}: {error}"),
                Remedy::run(packages::install("libc-bin")),
            );
        }
    };
    match loaded(&listing, NAME) {
        Loaded::No => not_shared(program, &listing),
        Loaded::Missing => {
            let message =
                format!("{shown} needs libtlsrpt, and the loader does not find it: the program does not start");
            Finding::fail(CHECK, message, Remedy::run(format!("{} && ldconfig", packages::install(PACKAGE))))
        }
        Loaded::From(file) => match version(file) {
            Ok((version, maker)) => {
                let maker = maker.map_or(String::new(), |maker| format!(", {}", maker.in_words()));
                Finding::ok(CHECK, format!("{shown} loads libtlsrpt {version} from {file}{maker}"))
            }
            Err(why) => Finding::warn(
                CHECK,
                format!("{shown} loads {file}: {why}"),
                Remedy::run(format!("{} && ldconfig", packages::reinstall(PACKAGE))),
            ),
        },
    }
}

/// The finding for a program that loads no shared libtlsrpt: it has the static one, or none.
fn not_shared(program: &Path, listing: &str) -> Finding {
    let shown = program.display();
    let mut files = vec![program];
    if let Loaded::From(file) = loaded(listing, LIBRARY_OF_POSTFIX) {
        files.push(Path::new(file));
    }
    let has_message = |file: &&Path| {
        bounded::read(file).is_ok_and(|content| content.windows(MESSAGE.len()).any(|window| window == MESSAGE))
    };
    if files.iter().any(has_message) {
        return Finding::ok(CHECK, format!("{shown} has the static libtlsrpt linked in"));
    }
    let message = format!("{shown} loads no libtlsrpt and has none linked in: this Postfix was built without TLSRPT");
    Finding::fail(CHECK, message, packages::postfix_with_tlsrpt())
}

/// The file of the libtlsrpt that a program loads.
pub(crate) fn loaded_by(program: &Path) -> Option<PathBuf> {
    match loaded(&bounded::run("ldd", [program]).ok()?.stdout, NAME) {
        Loaded::From(file) => Some(file.into()),
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Loaded<'a> {
    No,
    Missing,
    From(&'a str),
}

/// Finds a library in the output of ldd.
fn loaded<'a>(listing: &'a str, name: &str) -> Loaded<'a> {
    let Some(line) = listing.lines().find(|line| line.trim_start().starts_with(name)) else { return Loaded::No };
    match line.split_once("=>").map(|(_, target)| target.trim()) {
        Some(target) if target.starts_with('/') => Loaded::From(target.split(" (").next().unwrap_or(target)),
        _ => Loaded::Missing,
    }
}

/// Reads version and maker in a separate process, because a file that does not load or crashes must not end the check.
fn version(library: &str) -> Result<(String, Option<Maker>), String> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(this);
    command.args([SUBCOMMAND, library]);
    let Ran { status, stdout, stderr } =
        bounded::run_within(command, LONGEST).map_err(|error| format!("cannot read its version: {error}"))?;
    if !status.success() {
        return Err(format!("cannot read its version: {}", stderr.trim()));
    }
    let (version, maker) = stdout.trim_end().split_once(SEPARATOR).unwrap_or((stdout.trim_end(), ""));
    Ok((version.into(), Maker::ALL.into_iter().find(|known| known.word() == maker)))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{Loaded, MESSAGE, NAME, loaded, not_shared};
    use crate::finding::Status;

    #[test]
    fn the_library_is_found_in_the_output_of_ldd() {
        let found = "\tlinux-vdso.so.1 (0x1)\n\tlibtlsrpt.so.0 => /lib/x86_64-linux-gnu/libtlsrpt.so.0 (0x00007f47)\n";
        assert_eq!(loaded(found, NAME), Loaded::From("/lib/x86_64-linux-gnu/libtlsrpt.so.0"));
        assert_eq!(loaded("\tlibtlsrpt.so.0 => not found\n", NAME), Loaded::Missing);
        assert_eq!(loaded("\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x1)\n", NAME), Loaded::No);
    }

    #[test]
    fn a_static_library_is_told_from_none() {
        let folder = tempfile::tempdir().unwrap();
        let (program, library) = (folder.path().join("smtp"), folder.path().join("libpostfix-tls.so"));
        fs::write(&program, "").unwrap();
        fs::write(&library, [b"...", MESSAGE].concat()).unwrap();
        let listing = format!("\tlibpostfix-tls.so => {} (0x1)\n", library.display());
        assert_eq!(not_shared(&program, "").status, Status::Fail);
        assert_eq!(not_shared(&program, &listing).status, Status::Ok);
        fs::write(&program, MESSAGE).unwrap();
        assert_eq!(not_shared(Path::new(&program), "").status, Status::Ok);
    }
}
