//! The checks of Sendmail, which reports through a socket map.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    access::describe,
    bounded,
    finding::Finding,
    paste, processes,
    socket_map::{Place, SocketMap},
};

/// What the names of its processes begin with.
const NAME: &str = "sendmail";
const FILE: &str = "/etc/mail/sendmail.cf";
const ACCESS: &str = "/etc/mail/access";
/// The name of the map in tlsrpt.m4, and how a rule asks it.
const MAP: &str = "tlsrpt";
const RULE: &str = "$(tlsrpt ";
/// What Sendmail asks about a connection to a host in brackets, about which there is no event.
const QUESTION: &str = "OK;[192.0.2.25];mx.example.org;192.0.2.25;;?;";
const MAKE: &str = "m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf && systemctl restart sendmail";
const START: &str = "systemctl enable --now tlsrpt-sendmail.socket tlsrpt-sendmail.service";

/// The configuration of Sendmail.
#[derive(Debug, Clone)]
pub struct Sendmail {
    lines: Vec<String>,
    access: Option<String>,
    /// What `sendmail -d0.1` says that it is compiled with.
    compiled: String,
}

/// The line of the map: `Ktlsrpt socket -f -d5 unix:/run/tlsrpt-sendmail/map.sock`.
#[derive(Debug, PartialEq, Eq)]
struct Map<'a> {
    flags: Vec<&'a str>,
    path: &'a str,
}

impl Sendmail {
    /// Reads the configuration, and runs `sendmail`.
    ///
    /// # Errors
    ///
    /// The configuration cannot be read.
    pub fn ask() -> io::Result<Self> {
        let cf = bounded::read_text(Path::new(FILE))
            .map_err(|error| io::Error::new(error.kind(), format!("{FILE}: {error}")))?;
        let compiled = bounded::tool("sendmail", &["-d0.1", "-bt"]).unwrap_or_default();
        Ok(Self::read(&cf, bounded::read_text(Path::new(ACCESS)).ok(), compiled))
    }

    fn read(cf: &str, access: Option<String>, compiled: String) -> Self {
        Self { lines: cf.lines().map(str::to_owned).collect(), access, compiled }
    }

    /// Runs all checks of Sendmail and of the map.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = vec![self.running()];
        findings.extend(self.compiled());
        findings.extend(self.tls());
        findings.extend(self.relay());
        match self.map() {
            Some(map) => {
                findings.push(self.rule());
                findings.push(flags(&map));
                findings.extend(map_socket(Path::new(map.path)));
            }
            None => {
                let message = format!("{FILE} has no map {MAP}: Sendmail reports nothing");
                let line = "sinclude(`/usr/share/tlsrpt/sendmail/tlsrpt.m4')dnl";
                let remedy = format!("echo {} >>/etc/mail/sendmail.mc && {START} && {MAKE}", paste::word(line));
                findings.push(Finding::fail("map", message, remedy));
            }
        }
        findings
    }

    fn map(&self) -> Option<Map<'_>> {
        let mut words = self.lines.iter().find_map(|line| line.strip_prefix("Ktlsrpt "))?.split_whitespace();
        if words.next() != Some("socket") {
            return None;
        }
        let (flags, rest): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with('-'));
        Some(Map { flags, path: rest.first()?.strip_prefix("unix:")? })
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.lines
            .iter()
            .rev()
            .find_map(|line| line.strip_prefix("O ")?.trim_start().strip_prefix(name)?.strip_prefix('='))
    }

    fn running(&self) -> Finding {
        const CHECK: &str = "running";
        let file = self.option("PidFile").unwrap_or("/var/run/sendmail.pid");
        let text = bounded::read_text(Path::new(file)).unwrap_or_default();
        let id = text.lines().next().and_then(|line| line.trim().parse().ok());
        let is_sendmail = |id: &u32| processes::name(*id).is_some_and(|name| name.starts_with(NAME));
        // A Sendmail in a container may have no file.
        let by_name = || processes::named(NAME).first().map(|process| process.id);
        match id.filter(is_sendmail).or_else(by_name) {
            Some(id) => Finding::ok(CHECK, format!("Sendmail runs: process {id}")),
            None => {
                let message = format!("Sendmail does not run: {file} names no process of it");
                Finding::fail(CHECK, message, "systemctl start sendmail")
            }
        }
    }

    fn compiled(&self) -> Option<Finding> {
        let missing = ["STARTTLS", "SOCKETMAP"].into_iter().find(|part| !self.compiled.contains(part))?;
        Some(if self.compiled.is_empty() {
            Finding::warn(
                "sendmail",
                "sendmail -d0.1 -bt does not say what Sendmail is compiled with",
                "check again as root",
            )
        } else {
            let message = format!("this Sendmail is compiled without {missing}: it cannot report");
            Finding::fail("sendmail", message, "apt install sendmail-bin")
        })
    }

    /// The access map can switch TLS off for hosts.
    fn tls(&self) -> Option<Finding> {
        let text = self.access.as_ref().filter(|_| self.lines.iter().any(|line| line.starts_with("Kaccess ")))?;
        let off = text.lines().find_map(|line| {
            let (key, value) = line.split_once(char::is_whitespace)?;
            let host = key.get(..8).filter(|start| start.eq_ignore_ascii_case("Try_TLS:")).map(|_| &key[8..])?;
            value.trim().eq_ignore_ascii_case("NO").then_some(host)
        })?;
        let remedy = format!("take the line Try_TLS:{off} NO out of {ACCESS}; makemap hash {ACCESS} <{ACCESS}");
        Some(if off.is_empty() {
            Finding::fail("tls", format!("{ACCESS} has Try_TLS: NO: without TLS there is nothing to report"), remedy)
        } else {
            Finding::warn(
                "tls",
                format!("{ACCESS} has Try_TLS:{off} NO: TLS with these hosts is not used and not reported"),
                remedy,
            )
        })
    }

    fn relay(&self) -> Option<Finding> {
        let host = self.lines.iter().find_map(|line| line.strip_prefix("DS")).filter(|host| !host.trim().is_empty())?;
        let message = format!(
            "SMART_HOST is {host}: Sendmail reports TLS with this relay alone; TLS with the domains of the recipients is known to the \
             relay"
        );
        let remedy =
            format!("nothing, if the relay reports itself; else take SMART_HOST out of /etc/mail/sendmail.mc; {MAKE}");
        Some(Finding::warn("route", message, remedy))
    }

    fn rule(&self) -> Finding {
        if self.lines.iter().any(|line| line.starts_with('R') && line.contains(RULE)) {
            return Finding::ok("map", format!("{FILE} has the map {MAP} and a rule that asks it after TLS"));
        }
        let message = format!("{FILE} has the map {MAP}, but no rule asks it: Sendmail reports nothing");
        let remedy = format!(
            "put sinclude(`/usr/share/tlsrpt/sendmail/tlsrpt.m4')dnl at the end of /etc/mail/sendmail.mc; {MAKE}"
        );
        Finding::fail("map", message, remedy)
    }
}

/// Without a limit of time, a map server that hangs makes Sendmail hang.
fn flags(map: &Map<'_>) -> Finding {
    if map.flags.iter().any(|flag| flag.starts_with("-d")) {
        return Finding::ok(
            "map",
            format!("Sendmail waits for the map {MAP} for a limited time ({})", map.flags.join(" ")),
        );
    }
    let message = format!("the map {MAP} in {FILE} has no -d5: Sendmail waits long for a server that hangs");
    Finding::warn(
        "map",
        message,
        format!("use the line Ktlsrpt socket -f -d5 unix:{} as in tlsrpt.m4; {MAKE}", map.path),
    )
}

/// Whether the server of the map answers.
fn map_socket(path: &Path) -> Vec<Finding> {
    const CHECK: &str = "map socket";
    let shown = path.display();
    let folder: PathBuf = path.parent().unwrap_or(path).into();
    match fs::symlink_metadata(path) {
        Ok(file) if file.file_type().is_socket() => {}
        Ok(_) => return vec![Finding::fail(CHECK, format!("{shown} is not a socket: Sendmail defers mail"), START)],
        Err(error) => {
            return vec![Finding::fail(CHECK, format!("{shown}: {error}: Sendmail defers mail from its queue"), START)];
        }
    }
    let mut findings = Vec::new();
    if let Ok(found) = fs::metadata(&folder).map(|found| (found.permissions().mode(), describe(&found))) {
        if found.0 & 0o022 != 0 {
            let message = format!(
                "others may write to {} ({}), so Sendmail does not use the socket there",
                folder.display(),
                found.1
            );
            findings.push(Finding::fail(
                CHECK,
                message,
                format!("chmod go-w {}", paste::word(&folder.to_string_lossy())),
            ));
        }
    }
    let name = path.to_string_lossy();
    let map = SocketMap { place: Place::Unix(&name), name: MAP };
    findings.push(match map.ask(QUESTION, Path::new("/")) {
        Some(Ok(answer)) if answer.starts_with("NOTFOUND") => {
            Finding::ok(CHECK, format!("the server at {shown} answers"))
        }
        Some(Ok(answer)) => {
            let message = format!("the server at {shown} is not tlsrpt sendmail-map: it answers {:.40}", answer);
            Finding::fail(CHECK, message, START)
        }
        Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::warn(CHECK, format!("{shown}: {error}"), "check again as root")
        }
        Some(Err(error)) => {
            let message = format!("the server at {shown} does not answer: {error}");
            Finding::fail(CHECK, message, "systemctl restart tlsrpt-sendmail.service")
        }
        None => Finding::warn(CHECK, format!("{shown} cannot be asked"), START),
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::{Map, Sendmail, flags, map_socket};
    use crate::finding::Status;

    /// The lines of Debian's sendmail.cf with tlsrpt.m4 that matter.
    const CF: &str = "DS\nKaccess hash -T<TMPF> /etc/mail/access\nO PidFile=/var/run/sendmail/mta/sendmail.pid\n\
                      Ktlsrpt socket -f -d5 unix:/run/tlsrpt-sendmail/map.sock\n\
                      R$* $| $*\t\t$: $(tlsrpt $1;$&h;$&{server_name};$&{server_addr};$&{if_addr_out};$2; $: $)\n";
    const COMPILED: &str = "Compiled with: DANE SOCKETMAP STARTTLS";

    fn sendmail(from: &str, to: &str) -> Sendmail {
        Sendmail::read(&CF.replace(from, to), None, COMPILED.into())
    }

    #[test]
    fn the_map_and_the_rule_are_found() {
        let map = Map { flags: vec!["-f", "-d5"], path: "/run/tlsrpt-sendmail/map.sock" };
        let sound = sendmail("DS", "DS");
        assert_eq!(sound.map(), Some(map));
        assert_eq!((sound.rule().status, flags(&sound.map().unwrap()).status), (Status::Ok, Status::Ok));
        assert_eq!((sound.relay(), sound.compiled(), sound.tls()), (None, None, None));
        assert_eq!(sendmail("Ktlsrpt", "#Ktlsrpt").map(), None);
        assert_eq!(sendmail("$(tlsrpt", "$(other").rule().status, Status::Fail);
        assert_eq!(flags(&sendmail(" -d5", "").map().unwrap()).status, Status::Warn);
    }

    #[test]
    fn a_relay_and_a_sendmail_without_tls_are_found() {
        assert_eq!(sendmail("DS\n", "DSsmtp.isp.example\n").relay().unwrap().status, Status::Warn);
        let without = Sendmail::read(CF, None, "Compiled with: SOCKETMAP".into());
        assert_eq!(without.compiled().unwrap().status, Status::Fail);
    }

    #[test]
    fn an_access_map_that_switches_tls_off_is_found() {
        let with =
            |access: &str| Sendmail::read(CF, Some(access.into()), COMPILED.into()).tls().map(|found| found.status);
        assert_eq!(with("try_tls:\tNO\n"), Some(Status::Fail));
        assert_eq!(with("Try_TLS:old.example NO\n"), Some(Status::Warn));
        assert_eq!(with("TLS_Srv:a.example ENCR:112\n# Try_TLS: NO\n"), None);
    }

    #[test]
    fn a_map_socket_without_a_server_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.sock");
        assert_eq!(map_socket(&path)[0].status, Status::Fail);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let found = map_socket(&path);
        assert_eq!(found.last().unwrap().status, Status::Fail, "{found:?}");
    }
}
