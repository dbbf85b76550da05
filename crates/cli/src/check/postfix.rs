//! Checks the configuration of Postfix, as `postconf` prints it.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    access::Visitor,
    finding::Finding,
    library::check_library,
    socket::{Place, check_socket},
};

const SETTINGS: [&str; 10] = [
    "mail_version",
    ENABLE,
    SOCKET_NAME,
    "queue_directory",
    "mail_owner",
    "daemon_directory",
    REUSE,
    "compatibility_level",
    SMTPD_MILTERS,
    OTHER_MILTERS,
];
const ENABLE: &str = "smtp_tlsrpt_enable";
const SOCKET_NAME: &str = "smtp_tlsrpt_socket_name";
const REUSE: &str = "smtp_tls_connection_reuse";
const SMTPD_MILTERS: &str = "smtpd_milters";
const OTHER_MILTERS: &str = "non_smtpd_milters";
/// The directories in which postconf may be. Empty: the search path.
const COMMAND_DIRECTORIES: [&str; 3] = ["", "/usr/sbin/", "/usr/local/sbin/"];

/// The configuration, from `postconf`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Postfix {
    settings: HashMap<String, String>,
    services: Vec<Service>,
}

/// A line of master.cf.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Service {
    name: String,
    kind: String,
    chroot: Option<bool>,
    command: String,
}

impl Postfix {
    /// Runs `postconf`.
    pub(crate) fn ask() -> io::Result<Self> {
        let mut options = vec!["-x"];
        options.extend(SETTINGS);
        Ok(Self::read(&postconf(&options)?, &postconf(&["-M"])?))
    }

    pub(super) fn read(settings: &str, services: &str) -> Self {
        let setting = |line: &str| line.split_once('=').map(|(name, value)| (name.trim().into(), value.trim().into()));
        Self {
            settings: settings.lines().filter_map(setting).collect(),
            services: services.lines().filter_map(Service::read).collect(),
        }
    }

    /// Runs all checks: of the configuration, the library and the socket.
    pub(crate) fn check(&self) -> Vec<Finding> {
        let Some(enabled) = self.settings.get(ENABLE) else { return vec![self.too_old()] };
        let mut findings = vec![self.enabled(enabled)];
        findings.push(check_library(&self.path("daemon_directory").join("smtp")));
        findings.push(self.tlsproxy());
        findings.extend(self.socket());
        findings
    }

    /// The milters for mails submitted by SMTP, or for mails submitted by the sendmail command. Empty: none.
    pub(crate) fn milters(&self, by_smtp: bool) -> &str {
        self.setting(if by_smtp { SMTPD_MILTERS } else { OTHER_MILTERS })
    }

    fn too_old(&self) -> Finding {
        let message = format!("Postfix {} has no TLSRPT", self.setting("mail_version"));
        Finding::fail("postfix", message, "install Postfix 3.10 or later")
    }

    fn enabled(&self, value: &str) -> Finding {
        const CHECK: &str = "enabled";
        if value == "yes" {
            Finding::ok(CHECK, format!("Postfix {} has {ENABLE} = yes", self.setting("mail_version")))
        } else {
            let message = format!("Postfix {} has {ENABLE} = {value}", self.setting("mail_version"));
            Finding::fail(CHECK, message, format!("postconf -e {ENABLE}=yes && postfix reload"))
        }
    }

    /// With connection reuse, tlsproxy makes the TLS connections.
    fn tlsproxy(&self) -> Finding {
        const CHECK: &str = "tlsproxy";
        let reuse = self.setting(REUSE);
        if reuse != "yes" {
            return Finding::ok(CHECK, format!("not needed: {REUSE} = {reuse}"));
        }
        match self.service_of_tlsproxy() {
            Some(_) => Finding::ok(CHECK, format!("{REUSE} = yes, and master.cf has the service")),
            None => {
                let message = format!("{REUSE} = yes, but the service tlsproxy is off in master.cf");
                let remedy = "postconf -M 'tlsproxy/unix=tlsproxy unix - - y - 0 tlsproxy' && postfix reload";
                Finding::fail(CHECK, message, remedy)
            }
        }
    }

    fn socket(&self) -> Vec<Finding> {
        let name = Path::new(self.setting(SOCKET_NAME));
        if name.as_os_str().is_empty() {
            let remedy = format!("postconf -e {SOCKET_NAME}=run/tlsrpt/tlsrpt.sock && postfix reload");
            return vec![Finding::fail("name", format!("{SOCKET_NAME} is empty"), remedy)];
        }
        let owner = self.setting("mail_owner");
        let Some(visitor) = Visitor::named(owner) else {
            return vec![Finding::fail(
                "user",
                format!("the user {owner}, Postfix's mail_owner, does not exist"),
                format!("create the user {owner}, or correct mail_owner in main.cf"),
            )];
        };
        let (place, finding) = self.place(name);
        let mut findings = vec![finding];
        findings.extend(check_socket(&place, &visitor));
        findings
    }

    /// The path that the name of the socket means for the reporting services. They run in the queue directory; some are
    /// chrooted to it.
    fn place(&self, name: &Path) -> (Place, Finding) {
        const CHECK: &str = "place";
        let queue = self.path("queue_directory");
        let (inside, outside): (Vec<_>, Vec<_>) = self.reporting().partition(|service| self.is_chrooted(service));
        let below_queue = Place { name: name.into(), from: Some(queue) };
        let as_named = Place { name: name.into(), from: None };
        let shown = |place: &Place| format!("{SOCKET_NAME} = {} is {}", name.display(), place.path().display());
        let named =
            |services: &[&Service]| services.iter().map(|service| &*service.name).collect::<Vec<_>>().join(", ");
        if name.is_relative() {
            let finding = Finding::ok(CHECK, format!("{}: relative to the queue directory", shown(&below_queue)));
            return (below_queue, finding);
        }
        match (inside.is_empty(), outside.is_empty()) {
            (true, _) => {
                let finding = Finding::ok(CHECK, format!("{}: no service is chrooted", shown(&as_named)));
                (as_named, finding)
            }
            (false, true) => {
                let finding = Finding::ok(CHECK, format!("{}: {} chrooted", shown(&below_queue), named(&inside)));
                (below_queue, finding)
            }
            (false, false) => {
                let message = format!(
                    "the path is {} for {} (chrooted) and {} for {} (not chrooted)",
                    below_queue.path().display(),
                    named(&inside),
                    as_named.path().display(),
                    named(&outside)
                );
                let remedy = "use a relative name: it leads all services to the same socket";
                let finding = Finding::warn(CHECK, message, remedy);
                (below_queue, finding)
            }
        }
    }

    /// The services that send events: SMTP clients, and tlsproxy with connection reuse.
    fn reporting(&self) -> impl Iterator<Item = &Service> {
        let tlsproxy = self.service_of_tlsproxy().filter(|_| self.setting(REUSE) == "yes");
        self.services.iter().filter(|service| service.kind == "unix" && service.command == "smtp").chain(tlsproxy)
    }

    fn service_of_tlsproxy(&self) -> Option<&Service> {
        self.services.iter().find(|service| service.kind == "unix" && service.name == "tlsproxy")
    }

    fn is_chrooted(&self, service: &Service) -> bool {
        // postconf(5), compatibility_level: from level 1 on, a "-" in master.cf means n.
        service.chroot.unwrap_or_else(|| self.setting("compatibility_level").starts_with('0'))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.setting(name).into()
    }

    fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }
}

impl Service {
    /// `name type private unpriv chroot wakeup maxproc command arguments`.
    fn read(line: &str) -> Option<Self> {
        let mut columns = line.split_whitespace();
        let name = columns.next()?.into();
        let kind = columns.next()?.into();
        let chroot = match columns.nth(2)? {
            "y" => Some(true),
            "n" => Some(false),
            _ => None,
        };
        let command = columns.nth(2)?.into();
        Some(Self { name, kind, chroot, command })
    }
}

fn postconf(options: &[&str]) -> io::Result<String> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for directory in COMMAND_DIRECTORIES {
        match Command::new(format!("{directory}postconf")).args(options).output() {
            Ok(output) if output.status.success() => return Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            Ok(output) => return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_string())),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::Postfix;
    use crate::check::finding::{Finding, Status};

    /// The output of `postconf` of Postfix 3.10.13 on Debian 13, with a few services only.
    const SETTINGS: &str = "\
mail_version = 3.10.13
smtp_tlsrpt_enable = yes
smtp_tlsrpt_socket_name = run/tlsrpt/tlsrpt.sock
queue_directory = /var/spool/postfix
mail_owner = postfix
daemon_directory = /usr/lib/postfix/sbin
smtp_tls_connection_reuse = no
compatibility_level = 3.9
";
    const SERVICES: &str = "\
smtp       inet  n       -       y       -       -       smtpd
smtp       unix  -       -       y       -       -       smtp
relay      unix  -       -       y       -       -       smtp -o syslog_name=x
lmtp       unix  -       -       y       -       -       lmtp
";
    const TLSPROXY: &str = "tlsproxy unix - - y - 0 tlsproxy\n";

    fn postfix(changes: &[(&str, &str)], services: &str) -> Postfix {
        let mut postfix = Postfix::read(SETTINGS, services);
        for (name, value) in changes {
            postfix.settings.insert((*name).into(), (*value).into());
        }
        postfix
    }

    fn place(changes: &[(&str, &str)], services: &str) -> (String, Status) {
        let postfix = postfix(changes, services);
        let (place, Finding { status, .. }) = postfix.place(postfix.setting("smtp_tlsrpt_socket_name").as_ref());
        (place.path().display().to_string(), status)
    }

    #[test]
    fn a_postfix_without_the_setting_is_too_old() {
        let old = Postfix::read("mail_version = 3.7.11\n", SERVICES);
        let [finding] = &old.check()[..] else { panic!("one finding") };
        assert_eq!((finding.status, &*finding.message), (Status::Fail, "Postfix 3.7.11 has no TLSRPT"));
    }

    #[test]
    fn off_is_a_failure() {
        let on = postfix(&[], SERVICES);
        assert_eq!(on.enabled(on.setting("smtp_tlsrpt_enable")).status, Status::Ok);
        let off = on.enabled("no");
        assert_eq!((off.status, off.remedy.is_some()), (Status::Fail, true));
    }

    #[test]
    fn tlsproxy_is_needed_for_reuse_only() {
        let reuse = [("smtp_tls_connection_reuse", "yes")];
        assert_eq!(postfix(&[], SERVICES).tlsproxy().status, Status::Ok);
        assert_eq!(postfix(&reuse, SERVICES).tlsproxy().status, Status::Fail);
        let with_tlsproxy = format!("{SERVICES}{TLSPROXY}");
        assert_eq!(postfix(&reuse, &with_tlsproxy).tlsproxy().status, Status::Ok);
        assert_eq!(postfix(&[], &with_tlsproxy).reporting().count(), 2);
        assert_eq!(postfix(&reuse, &with_tlsproxy).reporting().count(), 3);
    }

    #[test]
    fn an_empty_name_is_a_failure() {
        let findings = postfix(&[("smtp_tlsrpt_socket_name", "")], SERVICES).socket();
        assert_eq!(findings.iter().map(|finding| finding.status).collect::<Vec<_>>(), [Status::Fail]);
    }

    #[test]
    fn a_mail_owner_who_does_not_exist_is_a_failure() {
        let findings = postfix(&[("mail_owner", "no-such-user")], SERVICES).socket();
        assert_eq!(findings.iter().map(|finding| finding.check).collect::<Vec<_>>(), ["user"]);
    }

    #[test]
    fn the_path_of_the_socket_depends_on_the_chroot() {
        let in_queue = "/var/spool/postfix/run/tlsrpt/tlsrpt.sock".to_string();
        let in_root = "/run/tlsrpt/tlsrpt.sock".to_string();
        let absolute = ("smtp_tlsrpt_socket_name", "/run/tlsrpt/tlsrpt.sock");
        let free = SERVICES.replace("-       y ", "-       n ");
        let mixed = SERVICES.replace("relay      unix  -       -       y", "relay      unix  -       -       n");
        let unset = SERVICES.replace("-       y ", "-       - ");
        assert_eq!(place(&[], SERVICES), (in_queue.clone(), Status::Ok));
        assert_eq!(place(&[], &free), (in_queue.clone(), Status::Ok));
        assert_eq!(place(&[absolute], SERVICES), (in_queue.clone(), Status::Ok));
        assert_eq!(place(&[absolute], &free), (in_root.clone(), Status::Ok));
        assert_eq!(place(&[absolute], &mixed), (in_queue.clone(), Status::Warn));
        assert_eq!(place(&[absolute], &unset), (in_root, Status::Ok));
        assert_eq!(place(&[absolute, ("compatibility_level", "0")], &unset), (in_queue, Status::Ok));
    }
}
