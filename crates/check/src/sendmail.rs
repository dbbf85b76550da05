//! The checks of Sendmail, which reports through a socket map.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    access::{Visitor, describe},
    bounded,
    collector::{Collector, USUAL},
    drop_in::drop_in,
    finding::Finding,
    mail_routes::AT_RELAY,
    packages, paste, processes,
    remedy::Remedy,
    socket::{self, Asker, check_socket, check_socket_of},
    socket_map::{LONGEST_WAIT, Place, SocketMap},
};

/// What the names of its processes begin with.
const NAME: &str = "sendmail";
const FILE: &str = "/etc/mail/sendmail.cf";
const SOURCE: &str = "/etc/mail/sendmail.mc";
/// The line of the source, see docs/sendmail.md.
const LINE: &str = "sinclude(`/usr/share/tlsrpt/sendmail/tlsrpt.m4')dnl";
/// The process that serves the map, and its subcommand.
const SERVER: &str = "tlsrpt";
/// Its unit.
const UNIT: &str = "tlsrpt-sendmail.service";
/// Its user in the units of systemd.
const USER: &str = "tlsrpt-sendmail";
const PACKAGE: &str = "tlsrpt";
/// Its option for the socket of the collector.
const SOCKET_OPTION: &str = "--socket";
const SUBCOMMAND: &str = "sendmail-map";
const ACCESS: &str = "/etc/mail/access";
/// Debian's rules for the files of the maps.
const MAKEFILE: &str = "/etc/mail/Makefile";
/// The name of the map in tlsrpt.m4, and how a rule asks it.
const MAP: &str = "tlsrpt";
const RULE: &str = "$(tlsrpt ";
/// The path at which the units have the server listen.
const USUAL_MAP: &str = "/run/tlsrpt-sendmail/map.sock";
/// The answer about which there is no event.
const NOT_FOUND: &str = "NOTFOUND";
/// What Sendmail asks about a connection to a host in brackets, about which there is no event.
const QUESTION: &str = "OK;[192.0.2.25];mx.example.org;192.0.2.25;;?;";
const MAKE: &str = "m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf && systemctl restart sendmail";
/// The units of the map's server. A restart makes the file of the socket anew.
const START: &str = "systemctl enable tlsrpt-sendmail.socket tlsrpt-sendmail.service && \
                     systemctl restart tlsrpt-sendmail.socket tlsrpt-sendmail.service";
/// The file of the package that defines the map, and what a line of the source that includes it has.
const M4: &str = "/usr/share/tlsrpt/sendmail/tlsrpt.m4";
const INCLUDES: &str = "tlsrpt.m4";
/// The letter in the options of outgoing connections that switches STARTTLS off.
const NO_STARTTLS: char = 'S';

/// The configuration of Sendmail.
#[derive(Debug, Clone)]
pub struct Sendmail {
    lines: Vec<String>,
    access: Option<String>,
    /// The file that the configuration is made from.
    source: String,
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
        let source = bounded::read_text(Path::new(SOURCE)).unwrap_or_default();
        let access = bounded::read_text(Path::new(ACCESS)).ok();
        Ok(Self { source, ..Self::read(&cf, access, compiled) })
    }

    fn read(cf: &str, access: Option<String>, compiled: String) -> Self {
        Self { lines: cf.lines().map(str::to_owned).collect(), access, source: String::new(), compiled }
    }

    /// Runs all checks of Sendmail and of the map.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = vec![self.running()];
        findings.extend(self.compiled());
        findings.extend(self.tls());
        findings.extend(self.without_starttls());
        findings.extend(self.relay());
        match self.map() {
            Some(map) => {
                findings.push(self.rule());
                findings.push(self.flags(&map));
                findings.extend(map_socket(Path::new(map.path)));
            }
            None => findings.push(self.no_map()),
        }
        findings
    }

    fn no_map(&self) -> Finding {
        let message = if self.includes() && !Path::new(M4).exists() {
            format!(
                "{FILE} has no map {MAP}, because {M4}, which {SOURCE} includes, does not exist: Sendmail reports nothing"
            )
        } else if self.includes() {
            format!("{FILE} has no map {MAP}: it was not made anew since {SOURCE} includes {M4}")
        } else {
            format!("{FILE} has no map {MAP}: Sendmail reports nothing")
        };
        let start = if self.includes() { String::new() } else { format!("{START} && ") };
        Finding::fail("map", message, Remedy::run(format!("{start}{}", self.include())))
    }

    /// Whether the source includes the file of the package.
    fn includes(&self) -> bool {
        self.source.lines().any(|line| line.contains(INCLUDES) && !line.trim_start().starts_with("dnl"))
    }

    /// The command that makes the configuration with the file of the package.
    fn include(&self) -> String {
        let mut commands = Vec::new();
        if !Path::new(M4).exists() {
            commands.push(packages::install(PACKAGE));
        }
        if !self.includes() {
            commands.push(format!("echo {} >>{SOURCE}", paste::word(LINE)));
        }
        commands.push(MAKE.into());
        commands.join(" && ")
    }

    /// Without a limit of time, a map server that hangs makes Sendmail hang.
    fn flags(&self, map: &Map<'_>) -> Finding {
        if map.flags.iter().any(|flag| flag.starts_with("-d")) {
            return Finding::ok(
                "map",
                format!("Sendmail waits for the map {MAP} for a limited time ({})", map.flags.join(" ")),
            );
        }
        let message = format!("the map {MAP} in {FILE} has no -d5: Sendmail waits long for a server that hangs");
        let line = paste::word("s/^Ktlsrpt socket /&-d5 /");
        // The file of the package has the limit.
        let by_hand = format!("sed -i -e {line} {SOURCE} {FILE} && systemctl restart sendmail");
        Finding::warn("map", message, Remedy::run(if self.includes() { self.include() } else { by_hand }))
    }

    /// The options of outgoing connections can switch STARTTLS off.
    fn without_starttls(&self) -> Option<Finding> {
        let options = self.option("ClientPortOptions")?;
        let modify = options.split(',').map(str::trim).find(|option| option.starts_with(['M', 'm']))?;
        modify.split_once('=')?.1.contains(NO_STARTTLS).then(|| {
            let message =
                format!("ClientPortOptions={options} has S: Sendmail uses no STARTTLS, so there is nothing to report");
            let remedy = format!("sed -i -e '/confCLIENT_OPTIONS/s/^/dnl /' {SOURCE} && {MAKE}");
            Finding::fail("tls", message, Remedy::run(remedy))
        })
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
        let is_sendmail = |id: &u32| processes::name_of_running(*id).is_some_and(|name| name.starts_with(NAME));
        // A Sendmail in a container may have no file.
        let by_name = || processes::named(NAME).first().map(|process| process.id);
        match id.filter(is_sendmail).or_else(by_name) {
            Some(id) => Finding::ok(CHECK, format!("Sendmail runs: process {id}")),
            None => {
                let message = format!("Sendmail does not run: {file} names no process of it");
                Finding::fail(CHECK, message, Remedy::run("systemctl start sendmail"))
            }
        }
    }

    fn compiled(&self) -> Option<Finding> {
        let missing = ["STARTTLS", "SOCKETMAP"].into_iter().find(|part| !self.compiled.contains(part))?;
        Some(if self.compiled.is_empty() {
            Finding::warn(
                "sendmail",
                "sendmail -d0.1 -bt does not say what Sendmail is compiled with",
                Remedy::as_root(),
            )
        } else {
            let message = format!("this Sendmail is compiled without {missing}: it cannot report");
            Finding::fail("sendmail", message, Remedy::run(packages::install("sendmail-bin")))
        })
    }

    /// The access map can switch TLS off for hosts.
    fn tls(&self) -> Option<Finding> {
        let map = self.lines.iter().find_map(|line| line.strip_prefix("Kaccess "))?;
        let text = self.access.as_ref()?;
        let off = text.lines().find_map(|line| {
            let (key, value) = line.split_once(char::is_whitespace)?;
            let host = key.get(..8).filter(|start| start.eq_ignore_ascii_case("Try_TLS:")).map(|_| &key[8..])?;
            value.trim().eq_ignore_ascii_case("NO").then_some(host)
        })?;
        let line = paste::word(&format!("/^try_tls:{}[[:space:]]/Id", paste::pattern(off)));
        let index = match map.split_whitespace().next() {
            Some("text") => String::new(),
            // The file of the map belongs to a user of Debian's Sendmail.
            _ if Path::new(MAKEFILE).exists() => " && make -C /etc/mail access.db".into(),
            kind => format!(" && makemap {} {ACCESS} <{ACCESS}", kind.unwrap_or("hash")),
        };
        let remedy = Remedy::run(format!("sed -i -e {line} {ACCESS}{index}"));
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
        let remedy = Remedy::after(AT_RELAY, format!("sed -i -e '/SMART_HOST/s/^/dnl /' {SOURCE} && {MAKE}"));
        Some(Finding::warn("route", message, remedy))
    }

    fn rule(&self) -> Finding {
        if self.lines.iter().any(|line| line.starts_with('R') && line.contains(RULE)) {
            return Finding::ok("map", format!("{FILE} has the map {MAP} and a rule that asks it after TLS"));
        }
        let message = format!("{FILE} has the map {MAP}, but no rule asks it: Sendmail reports nothing");
        Finding::fail("map", message, Remedy::run(self.include()))
    }
}

/// What makes the socket of the map anew, without what is in its way.
fn start_at(path: &Path) -> Remedy {
    let is_other = fs::symlink_metadata(path).is_ok_and(|file| !file.file_type().is_socket());
    match is_other {
        true => Remedy::run(format!("rm -d {} && {START}", paste::word(&path.to_string_lossy()))),
        false => Remedy::run(START),
    }
}

/// The process that serves the map.
fn server() -> Option<u32> {
    processes::running(SERVER, |word| word == SUBCOMMAND)
}

/// The socket that a command line of the server names.
fn socket_in(words: &[String]) -> Option<&str> {
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word.strip_prefix(SOCKET_OPTION) {
            Some("") => return words.next(),
            Some(value) => return value.strip_prefix('='),
            None => {}
        }
    }
    None
}

/// Checks the socket of the collector as the server of the map uses it: the one that the server was started with, or
/// `usual`.
#[must_use]
pub fn check_sendmail_socket(usual: &socket::Place, collector: &Collector) -> (socket::Place, Vec<Finding>) {
    let server = server();
    let words = server.map(processes::words).unwrap_or_default();
    let place = socket_in(&words).map_or_else(|| usual.clone(), |named| socket::Place::of_host(Path::new(named)));
    let Some(visitor) = server.and_then(Visitor::of_process).or_else(|| Visitor::named(USER)) else {
        let findings = check_socket(&place, &Visitor::Anybody, collector);
        return (place, findings);
    };
    let group = visitor.group();
    let asker =
        Asker { visitor: &visitor, group: group.as_deref(), rename: &rename, usual: Path::new(USUAL), collector };
    let findings = check_socket_of(&place, asker);
    (place, findings)
}

/// The command by which the server sends to a collector at this path. Its unit names no socket: it uses the usual one.
fn rename(path: &Path) -> Option<String> {
    let start = "ExecStart=$(command -v tlsrpt) sendmail-map";
    let line = match path == Path::new(USUAL) {
        true => start.to_owned(),
        false => format!("{start} {SOCKET_OPTION} {}", path.to_string_lossy()),
    };
    let is_plain = paste::word(&path.to_string_lossy()) == path.to_string_lossy();
    is_plain.then(|| {
        let change = drop_in(UNIT, "socket.conf", "Service", &["ExecStart=".into(), format!("\"{line}\"")]);
        format!("{change} && systemctl restart {UNIT}")
    })
}

/// A stopped server goes on; another one is started.
fn wake_or_start() -> Remedy {
    match server().filter(|id| processes::is_stopped(*id)) {
        Some(id) => Remedy::run(format!("kill -CONT {id}")),
        None => Remedy::run(START),
    }
}

fn ask(path: &Path) -> Option<io::Result<String>> {
    let name = path.to_string_lossy();
    SocketMap { place: Place::Unix(&name), name: MAP }.ask(QUESTION, Path::new("/"))
}

fn answers(path: &Path) -> bool {
    path.exists() && matches!(ask(path), Some(Ok(answer)) if answer.starts_with(NOT_FOUND))
}

/// Whether the server of the map answers.
fn map_socket(path: &Path) -> Vec<Finding> {
    const CHECK: &str = "map socket";
    let shown = path.display();
    let folder: PathBuf = path.parent().unwrap_or(path).into();
    match fs::symlink_metadata(path) {
        Ok(file) if file.file_type().is_socket() => {}
        Ok(_) => {
            return vec![Finding::fail(
                CHECK,
                format!("{shown} is not a socket: Sendmail defers mail"),
                start_at(path),
            )];
        }
        Err(error) => {
            let other = Path::new(USUAL_MAP);
            return vec![match other != path && answers(other) {
                true => {
                    let message = format!(
                        "{shown}: {error}, and the server listens at {USUAL_MAP}: Sendmail defers mail from its queue"
                    );
                    // Without a definition, the file of the package has the usual path.
                    let remedy = format!("sed -i -e '/confTLSRPT_MAP/d' {SOURCE} && {MAKE}");
                    Finding::fail(CHECK, message, Remedy::run(remedy))
                }
                false => Finding::fail(
                    CHECK,
                    format!("{shown}: {error}: Sendmail defers mail from its queue"),
                    start_at(path),
                ),
            }];
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
                Remedy::run(format!("chmod go-w {}", paste::word(&folder.to_string_lossy()))),
            ));
        }
    }
    findings.push(match ask(path) {
        Some(Ok(answer)) if answer.starts_with(NOT_FOUND) => {
            Finding::ok(CHECK, format!("the server at {shown} answers"))
        }
        Some(Ok(answer)) => {
            let message = format!("the server at {shown} is not tlsrpt sendmail-map: it answers {:.40}", answer);
            Finding::fail(CHECK, message, Remedy::after("end the program that listens there", START))
        }
        Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::warn(CHECK, format!("{shown}: {error}"), Remedy::as_root())
        }
        Some(Err(error)) => {
            let late = [io::ErrorKind::TimedOut, io::ErrorKind::WouldBlock].contains(&error.kind());
            let why = if late { format!("no answer in {} s", LONGEST_WAIT.as_secs()) } else { error.to_string() };
            Finding::fail(CHECK, format!("the server at {shown} does not answer: {why}"), wake_or_start())
        }
        None => Finding::warn(CHECK, format!("{shown} cannot be asked"), Remedy::run(START)),
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::{MAKE, Map, Sendmail, map_socket, socket_in};
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
        assert_eq!((sound.rule().status, sound.flags(&sound.map().unwrap()).status), (Status::Ok, Status::Ok));
        assert_eq!((sound.relay(), sound.compiled(), sound.tls()), (None, None, None));
        assert_eq!(sendmail("Ktlsrpt", "#Ktlsrpt").map(), None);
        assert_eq!(sendmail("$(tlsrpt", "$(other").rule().status, Status::Fail);
        let without = sendmail(" -d5", "");
        assert_eq!(without.flags(&without.map().unwrap()).status, Status::Warn);
    }

    #[test]
    fn a_relay_and_a_sendmail_without_tls_are_found() {
        assert_eq!(sendmail("DS\n", "DSsmtp.isp.example\n").relay().unwrap().status, Status::Warn);
        let without = Sendmail::read(CF, None, "Compiled with: SOCKETMAP".into());
        assert_eq!(without.compiled().unwrap().status, Status::Fail);
    }

    #[test]
    fn a_source_that_includes_the_map_is_made_again_and_not_changed() {
        let mut without = sendmail("Ktlsrpt", "#Ktlsrpt");
        let command = |sendmail: &Sendmail| sendmail.no_map().command().unwrap().to_owned();
        assert!(command(&without).contains("systemctl enable ") && command(&without).contains("echo 'sinclude("));
        without.source = format!("{}\n", super::LINE);
        assert!(!command(&without).contains("echo") && command(&without).ends_with(MAKE), "{}", command(&without));
        without.source = format!("dnl {}\n", super::LINE);
        assert!(command(&without).contains("echo 'sinclude("));
    }

    #[test]
    fn options_without_starttls_are_found() {
        let with = |options: &str| {
            let option = format!("O ClientPortOptions={options}\nO PidFile");
            sendmail("O PidFile", &option).without_starttls().map(|found| found.status)
        };
        assert_eq!(with("Family=inet, Modify=S"), Some(Status::Fail));
        assert_eq!(with("Family=inet,M=hS"), Some(Status::Fail));
        assert_eq!(with("Family=inet, Address=192.0.2.1, Modify=h"), None);
        assert_eq!(sendmail("DS", "DS").without_starttls(), None);
    }

    #[test]
    fn the_socket_of_the_server_is_in_its_command_line() {
        let named = |line: &str| {
            let words: Vec<String> = line.split(' ').map(Into::into).collect();
            socket_in(&words).map(str::to_owned)
        };
        assert_eq!(named("tlsrpt sendmail-map --socket /a --listen unix:/b").as_deref(), Some("/a"));
        assert_eq!(named("tlsrpt sendmail-map --socket=/a").as_deref(), Some("/a"));
        assert_eq!(named("tlsrpt sendmail-map"), None);
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
