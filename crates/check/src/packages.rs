//! The commands that install packages of this host.

use std::path::Path;

use crate::remedy::Remedy;

/// The programs that install packages, and their commands that install or upgrade, and that install again.
const KNOWN: [(&str, &str, &str); 5] = [
    ("/usr/bin/apt", "apt update && apt install", "apt install --reinstall"),
    ("/usr/bin/dnf", "dnf install", "dnf reinstall"),
    ("/usr/bin/zypper", "zypper install", "zypper install --force"),
    ("/usr/bin/pacman", "pacman -S", "pacman -S"),
    ("/sbin/apk", "apk add", "apk fix"),
];

/// The command that installs or upgrades a package.
pub(crate) fn install(name: &str) -> String {
    format!("{} {name}", of_host().1)
}

/// The command that puts the files of an installed package in place again.
pub(crate) fn reinstall(name: &str) -> String {
    format!("{} {name}", of_host().2)
}

/// The remedy for a Postfix that was built without TLSRPT.
pub(crate) fn postfix_with_tlsrpt() -> Remedy {
    Remedy::after("install a Postfix that was built with -DUSE_TLSRPT, as Debian 13's is", install("postfix"))
}

fn of_host() -> (&'static str, &'static str, &'static str) {
    KNOWN.into_iter().find(|(program, _, _)| Path::new(program).exists()).unwrap_or(KNOWN[0])
}
