//! How the collector of this host is started, and the commands that change where it listens.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tlsrpt_config::{DEFAULT_FILE, DEFAULT_SOCKET};

use crate::{access::Visitor, drop_in::drop_in, paste, toml};

/// The folders of the units of systemd.
const UNITS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];
const SOCKET_UNIT: &str = "tlsrpt.socket";
const SERVICE: &str = "tlsrpt-collect";
const SERVICE_UNIT: &str = "tlsrpt-collect.service";
/// The script of an init system other than systemd.
const SCRIPT: &str = "etc/init.d/tlsrpt-collect";
/// The unit of the reporter, and its script.
const REPORTER: &str = "tlsrpt-deliver";
const REPORTER_SCRIPT: &str = "etc/init.d/tlsrpt-deliver";
/// The links by which systemd and OpenRC start it with the host.
const REPORTER_LINKS: [&str; 2] =
    ["etc/systemd/system/multi-user.target.wants/tlsrpt-deliver.service", "etc/runlevels/default/tlsrpt-deliver"];
/// Leads to [`MASKED`] where systemd may not start it at all.
const REPORTER_MASK: &str = "etc/systemd/system/tlsrpt-deliver.service";
const MASKED: &str = "/dev/null";
/// The collector of tlsrpt-reporter: its unit and its configuration.
const OTHER: &str = "tlsrpt-collectd";
const OTHER_UNIT: &str = "tlsrpt-collectd.service";
pub(crate) const OTHER_FILE: &str = "/etc/tlsrpt/collectd.cfg";
/// The files that change the unit of the socket.
const PATH_FILE: &str = "tlsrpt-path.conf";
const GROUP_FILE: &str = "tlsrpt-group.conf";
/// The path that the command and programs outside of a chroot expect.
pub(crate) const USUAL: &str = DEFAULT_SOCKET;
/// Its user in the units of systemd.
pub(crate) const USER: &str = "tlsrpt-collect";
/// The users as which a collector runs, the first one that exists.
const USERS: [&str; 2] = [USER, "tlsrpt"];
const MODE: &str = "0660";

/// The collector of this host.
#[derive(Debug, Clone)]
pub struct Collector {
    configuration: PathBuf,
    start: Start,
    starts_reporter: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// systemd holds the socket.
    SocketUnit,
    Service,
    Script,
    Other,
}

impl Collector {
    /// The collector as it is installed. Its configuration is in this file, or in the usual one.
    #[must_use]
    pub fn of_host(configuration: Option<&Path>) -> Self {
        Self::below(Path::new("/"), configuration)
    }

    fn below(root: &Path, configuration: Option<&Path>) -> Self {
        let has_unit = |unit: &str| UNITS.iter().any(|folder| root.join(folder).join(unit).exists());
        let start = if has_unit(SOCKET_UNIT) {
            Start::SocketUnit
        } else if has_unit(SERVICE_UNIT) {
            Start::Service
        } else if root.join(SCRIPT).exists() {
            Start::Script
        } else if has_unit(OTHER_UNIT) {
            Start::Other
        } else {
            Start::Service
        };
        let is_masked = fs::read_link(root.join(REPORTER_MASK)).is_ok_and(|target| target == Path::new(MASKED));
        let has_link = REPORTER_LINKS.iter().any(|link| root.join(link).is_symlink());
        let configuration = configuration.unwrap_or(Path::new(DEFAULT_FILE)).into();
        Self { configuration, start, starts_reporter: has_link && !is_masked }
    }

    /// The file of its configuration.
    pub(crate) fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// Whether the collector of tlsrpt-reporter is set up on this host.
    #[must_use]
    pub fn may_be_another_one(&self) -> bool {
        self.start == Start::Other || Path::new(OTHER_FILE).exists()
    }

    /// The command that says whether its configuration has errors.
    #[must_use]
    pub fn check_configuration(&self) -> String {
        format!("tlsrpt config check --config {}", paste::word(&self.configuration.to_string_lossy()))
    }

    /// The command that starts it, or starts it again, with a new file of its socket.
    #[must_use]
    pub fn restart(&self) -> String {
        match self.start {
            Start::SocketUnit => format!("systemctl restart {SOCKET_UNIT} {SERVICE}"),
            Start::Service => format!("systemctl restart {SERVICE}"),
            Start::Script => format!("/{SCRIPT} restart"),
            Start::Other => format!("systemctl restart {OTHER}"),
        }
    }

    /// The command that starts the reporter, or starts it again.
    pub(crate) fn restart_reporter(&self) -> String {
        match self.start {
            Start::Script => format!("/{REPORTER_SCRIPT} restart"),
            _ => format!("systemctl restart {REPORTER}"),
        }
    }

    /// Whether the reporter is a service that starts with the host. Else `tlsrpt deliver --once` may be run by a timer.
    pub(crate) fn starts_reporter(&self) -> bool {
        self.starts_reporter
    }

    /// The command that makes it listen at this path, for the members of a group.
    pub(crate) fn listen_at(&self, path: &Path, group: Option<&str>) -> String {
        let shown = path.to_string_lossy();
        let set = match self.start {
            Start::SocketUnit => {
                let mut lines = vec!["ListenDatagram=".into(), format!("ListenDatagram={shown}"), "Symlinks=".into()];
                if path != Path::new(USUAL) {
                    lines.push(format!("Symlinks={USUAL}"));
                }
                change_socket(PATH_FILE, lines, group)
            }
            Start::Service | Start::Script => {
                self.set(&[&[("socket", toml::text(&shown))], &for_group(group)[..]].concat())
            }
            Start::Other => set_other("socketname", &shown),
        };
        format!("{set} && {}", self.restart())
    }

    /// The command that gives its present socket to a group, also when it starts the next time.
    pub(crate) fn give_to(&self, path: &Path, group: &str) -> String {
        let file = paste::word(&path.to_string_lossy());
        let keep = match self.start {
            Start::SocketUnit => change_socket(GROUP_FILE, Vec::new(), Some(group)),
            Start::Service | Start::Script => self.set(&for_group(Some(group))),
            Start::Other => set_other("socketmode", MODE),
        };
        format!("chgrp {group} {file} && chmod {MODE} {file} && {keep}")
    }

    /// The command that makes the folder of its socket.
    pub(crate) fn make_folder(&self, folder: &Path, group: Option<&str>) -> String {
        let word = paste::word(&folder.to_string_lossy());
        match (self.start, group) {
            // systemd makes the socket, as root.
            (Start::SocketUnit, _) | (_, None) => format!("install -d -m 755 {word}"),
            (_, Some(group)) => format!("install -d -o {} -g {group} -m 2750 {word}", Self::user()),
        }
    }

    /// The user as which it runs, as far as the names of users tell.
    pub(crate) fn user() -> &'static str {
        USERS.into_iter().find(|user| Visitor::named(user).is_some()).unwrap_or(USERS[0])
    }

    fn set(&self, pairs: &[(&str, String)]) -> String {
        toml::set(&self.configuration, "collect", pairs)
    }
}

/// The command that changes the unit of the socket.
fn change_socket(file: &str, mut lines: Vec<String>, group: Option<&str>) -> String {
    if let Some(group) = group {
        lines.extend([format!("SocketGroup={group}"), format!("SocketMode={MODE}")]);
    }
    let lines: Vec<_> = lines.iter().map(|line| paste::word(line)).collect();
    drop_in(SOCKET_UNIT, file, "Socket", &lines)
}

fn for_group(group: Option<&str>) -> Vec<(&'static str, String)> {
    let Some(group) = group else { return Vec::new() };
    vec![("socket-group", toml::text(group)), ("socket-mode", toml::text(MODE))]
}

/// The configuration of the other collector has a line for each key.
fn set_other(key: &str, value: &str) -> String {
    let script = format!("s|^{key} *=.*|{key} = {value}|");
    format!("sed -i -e {} {OTHER_FILE}", paste::word(&script))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use super::{Collector, Start};

    /// A collector without systemd's socket.
    pub(crate) fn of_service() -> Collector {
        Collector { configuration: "/etc/tlsrpt/tlsrpt.toml".into(), start: Start::Service, starts_reporter: false }
    }

    /// The same with a reporter that starts with the host.
    pub(crate) fn with_reporter() -> Collector {
        Collector { starts_reporter: true, ..of_service() }
    }

    /// The collector of tlsrpt-reporter.
    pub(crate) fn of_other() -> Collector {
        Collector { start: Start::Other, ..of_service() }
    }

    /// A collector whose socket systemd holds.
    pub(crate) fn of_socket_unit() -> Collector {
        Collector { start: Start::SocketUnit, ..of_service() }
    }

    #[test]
    fn the_installed_unit_decides() {
        let root = tempfile::tempdir().unwrap();
        let start = || Collector::below(root.path(), None).start;
        let install = |name: &str| {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        };
        assert_eq!(start(), Start::Service);
        install("lib/systemd/system/tlsrpt-collectd.service");
        assert_eq!(start(), Start::Other);
        install("etc/init.d/tlsrpt-collect");
        assert_eq!(start(), Start::Script);
        install("usr/lib/systemd/system/tlsrpt-collect.service");
        assert_eq!(start(), Start::Service);
        install("usr/lib/systemd/system/tlsrpt.socket");
        assert_eq!(start(), Start::SocketUnit);
    }

    #[test]
    fn a_link_starts_the_reporter_with_the_host() {
        for link in super::REPORTER_LINKS {
            let root = tempfile::tempdir().unwrap();
            let starts = || Collector::below(root.path(), None).starts_reporter();
            let make = |target: &str, link: &str| {
                fs::create_dir_all(root.path().join(link).parent().unwrap()).unwrap();
                symlink(target, root.path().join(link)).unwrap();
            };
            assert!(!starts());
            make("/usr/lib/systemd/system/tlsrpt-deliver.service", link);
            assert!(starts());
            make("/dev/null", super::REPORTER_MASK);
            assert!(!starts());
        }
    }

    #[test]
    fn the_socket_of_systemd_is_moved_where_systemd_has_it() {
        let path = Path::new("/var/spool/postfix/run/tlsrpt/tlsrpt.sock");
        assert_eq!(
            of_socket_unit().listen_at(path, Some("postfix")),
            "mkdir -p /etc/systemd/system/tlsrpt.socket.d && printf '%s\\n' '[Socket]' ListenDatagram= \
             ListenDatagram=/var/spool/postfix/run/tlsrpt/tlsrpt.sock Symlinks= Symlinks=/run/tlsrpt/tlsrpt.sock \
             SocketGroup=postfix SocketMode=0660 >/etc/systemd/system/tlsrpt.socket.d/tlsrpt-path.conf && \
             systemctl daemon-reload && systemctl restart tlsrpt.socket tlsrpt-collect"
        );
        let by_file = of_service().listen_at(path, None);
        assert!(by_file.contains("/etc/tlsrpt/tlsrpt.toml") && by_file.contains("socket = "), "{by_file}");
        assert!(by_file.ends_with(" && systemctl restart tlsrpt-collect"), "{by_file}");
    }
}
