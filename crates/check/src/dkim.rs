//! Checks that report mails get a DKIM signature of the domain of `from`: receivers ignore mails without it (RFC 8460
//! section 3).

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use tlsrpt_config::{Configuration, MailDkim};
use tlsrpt_deliver::{DkimKey, RecordProblem};
use tlsrpt_store::Url;

use crate::{
    access::{Permission, Visitor, describe},
    finding::Finding,
    postfix::Postfix,
};

const SIGNER: &str = "dkim signer";
const KEY: &str = "dkim key";
const RECORD: &str = "dkim record";
/// The user in the units of systemd.
const USER: &str = "tlsrpt";

/// Looks up the TXT records of a name. An error means that no answer was received.
pub type LookUpTexts<'l> = &'l dyn Fn(&str) -> io::Result<Vec<Vec<u8>>>;

/// Checks that report mails are signed. Returns no findings if the configuration has no `from`: no reports are sent
/// then.
#[must_use]
pub fn check_dkim(configuration: &Configuration, postfix: Option<&Postfix>, texts: LookUpTexts<'_>) -> Vec<Finding> {
    let Some((_, from)) = configuration.report.from.as_ref().and_then(|from| from.rsplit_once('@')) else {
        return Vec::new();
    };
    let MailDkim { domain: Some(domain), selector: Some(selector), key: Some(file) } = &configuration.mail_dkim else {
        return vec![signer_elsewhere(configuration, postfix, from)];
    };
    // Loading the configuration refuses a domain other than that of `from`.
    let mut findings = vec![Finding::ok(SIGNER, format!("tlsrpt signs report mails with d={domain}, s={selector}"))];
    match DkimKey::from_file(file) {
        Ok(key) => {
            let well = Finding::ok(KEY, format!("{} holds a key: {key}", file.display()));
            findings.push(access(file, &reporter(&configuration.store.url), well));
            findings.push(record(&format!("{selector}._domainkey.{domain}"), &key, texts));
        }
        Err(error) => findings.push(no_key(file, &error)),
    }
    findings
}

/// The finding without `[mail.dkim]`: a milter of the mail server or a relay has to sign.
fn signer_elsewhere(configuration: &Configuration, postfix: Option<&Postfix>, from: &str) -> Finding {
    let mail = &configuration.mail;
    let by_smtp = mail.sendmail.is_none();
    let to = match &mail.sendmail {
        Some(command) => command.display().to_string(),
        None => mail.server.host.clone(),
    };
    let own = postfix.filter(|_| !by_smtp || is_this_host(&mail.server.host));
    let milters = own.map_or("", |postfix| postfix.milters(by_smtp));
    let message = "tlsrpt does not sign report mails: there is no [mail.dkim] in the configuration";
    if !milters.is_empty() {
        return Finding::ok(
            SIGNER,
            format!("{message}; Postfix passes them to {milters}, which has to sign with d={from}"),
        );
    }
    let unless = match own {
        Some(_) => "Postfix passes them to no milter".into(),
        None => format!("a milter of {to} or the relay behind it has to sign with d={from}"),
    };
    let remedy =
        format!("unless a milter or relay signs them with d={from}, set domain, selector and key in [mail.dkim]");
    Finding::warn(SIGNER, format!("{message}; {unless}"), remedy)
}

fn is_this_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The user of `tlsrpt deliver`: the owner of the store, or the user of the units if there is no file of a store.
fn reporter(store: &Url) -> Visitor {
    let store = match store {
        Url::Sqlite(path) => fs::metadata(path).ok(),
        Url::Postgresql(_) => None,
    };
    match store {
        Some(store) => Visitor::owner_of(&store),
        None => Visitor::named(USER).unwrap_or(Visitor::Anybody),
    }
}

/// Checks that the reporter may read the key and other users may not. Returns `well` if so.
fn access(file: &Path, reporter: &Visitor, well: Finding) -> Finding {
    let shown = file.display();
    let found = fs::metadata(file).and_then(|key| Ok((key, fs::canonicalize(file)?)));
    let (key, path) = match found {
        Ok(found) => found,
        Err(error) => return Finding::fail(KEY, format!("{shown}: {error}"), "check again as root"),
    };
    if Visitor::Anybody.may(Permission::Read, &key) {
        let message = format!("everybody may read the private key {shown} ({})", describe(&key));
        return Finding::warn(KEY, message, remedy(&path, reporter));
    }
    let closed: Option<PathBuf> = path.ancestors().skip(1).map(Into::into).find(|directory: &PathBuf| {
        fs::metadata(directory).is_ok_and(|directory| !reporter.may(Permission::Pass, &directory))
    });
    let (what, remedy) = match closed {
        Some(directory) => (
            format!("may not pass through {} to the key {shown}", directory.display()),
            format!("chmod o+x {}", directory.display()),
        ),
        None if reporter.may(Permission::Read, &key) => return well,
        None => (format!("may not read {shown} ({})", describe(&key)), remedy(&path, reporter)),
    };
    match reporter {
        // There is neither a store nor the user of the units.
        Visitor::Anybody => {
            let message =
                format!("it is not known who runs tlsrpt deliver: the user {USER} does not exist, and another {what}");
            Finding::warn(KEY, message, remedy)
        }
        Visitor::User { .. } => Finding::fail(KEY, format!("{reporter}, who runs tlsrpt deliver, {what}"), remedy),
    }
}

/// The commands that let the reporter, and no other user, read the key.
fn remedy(key: &Path, reporter: &Visitor) -> String {
    let shown = key.display();
    match reporter {
        Visitor::User { name, .. } if Visitor::named(name).is_some() => {
            format!("chgrp \"$(id -gn {name})\" {shown} && chmod 640 {shown}")
        }
        _ => format!(
            "useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin {USER}; \
             chgrp {USER} {shown} && chmod 640 {shown}; systemctl restart tlsrpt-collect tlsrpt-deliver"
        ),
    }
}

fn no_key(file: &Path, error: &tlsrpt_deliver::KeyError) -> Finding {
    let message = format!("{}: {error}", file.display());
    match error {
        tlsrpt_deliver::KeyError::Read(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::warn(KEY, message, "check again as root")
        }
        _ => Finding::fail(KEY, message, "name the file with the private key as key in [mail.dkim]"),
    }
}

fn record(name: &str, key: &DkimKey, texts: LookUpTexts<'_>) -> Finding {
    let records = match texts(name) {
        Ok(records) => records,
        Err(error) => {
            let message = format!("cannot look up the public key at {name}: {error}");
            return Finding::warn(
                RECORD,
                message,
                "see why the resolvers of /etc/resolv.conf give no answer, and check again",
            );
        }
    };
    match key.verify_by(&records) {
        Ok(()) => Finding::ok(RECORD, format!("{name} has the public key, which permits reports")),
        Err(problem) => {
            let remedy = match &problem {
                RecordProblem::OtherService(_) => "add tlsrpt to s= of the record, or remove s=".into(),
                RecordProblem::OtherHash(_) => "add sha256 to h= of the record, or remove h=".into(),
                RecordProblem::Several(_) => "remove all records but the one with the public key".into(),
                _ => format!("publish at {name}: {}", key.record()),
            };
            Finding::fail(RECORD, format!("{name}: {problem}"), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        io,
        os::unix::fs::PermissionsExt,
        path::Path,
    };

    use tempfile::TempDir;
    use tlsrpt_config::load_text;
    use tlsrpt_deliver::DkimKey;

    use super::{access, check_dkim};
    use crate::{Finding, Postfix, Status, Visitor};

    const ED25519: &str = include_str!("../../deliver/tests/keys/ed25519.pem");
    const NAME: &str = "tlsrpt._domainkey.sender.example";

    /// A folder with a store and a key, both owned by this user, and the text of a configuration that names them.
    fn host(more: &str) -> (TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("db"), "").unwrap();
        fs::write(path("key.pem"), ED25519).unwrap();
        fs::set_permissions(path("key.pem"), Permissions::from_mode(0o600)).unwrap();
        let shown = folder.path().display();
        let text = format!(
            "[store]\nurl = \"sqlite:{shown}/db\"\n[report]\nfrom = \"noreply@sender.example\"\n\
             {}",
            more.replace("KEY", &path("key.pem").display().to_string())
        );
        (folder, text)
    }

    const SIGNS: &str = "[mail.dkim]\ndomain = \"sender.example\"\nselector = \"tlsrpt\"\nkey = \"KEY\"\n";

    fn found(text: &str, postfix: Option<&Postfix>, answer: Result<&str, io::Error>) -> Vec<Finding> {
        let configuration = load_text(Path::new("tlsrpt.toml"), text).unwrap().configuration;
        let answer = answer.map(|record| vec![record.as_bytes().to_vec()]);
        let texts = |name: &str| {
            assert_eq!(name, NAME);
            answer.as_ref().map(Clone::clone).map_err(|error| error.kind().into())
        };
        check_dkim(&configuration, postfix, &texts)
    }

    fn shown(findings: &[Finding]) -> Vec<(Status, &str)> {
        findings.iter().map(|finding| (finding.status, finding.check)).collect()
    }

    #[test]
    fn a_host_that_signs_and_publishes_its_key_passes() {
        let (_folder, text) = host(SIGNS);
        let record = DkimKey::from_pem(ED25519).unwrap().record();
        let findings = found(&text, None, Ok(&record));
        let well = ["dkim signer", "dkim key", "dkim record"].map(|check| (Status::Ok, check));
        assert_eq!(shown(&findings), well, "{findings:?}");
        assert!(findings[0].message.contains("d=sender.example, s=tlsrpt"), "{findings:?}");
    }

    #[test]
    fn a_record_without_the_key_or_for_another_service_is_a_failure() {
        let (_folder, text) = host(SIGNS);
        let right = DkimKey::from_pem(ED25519).unwrap().record();
        let findings = found(&text, None, Ok("v=DKIM1; k=ed25519; p="));
        assert_eq!(shown(&findings)[2], (Status::Fail, "dkim record"));
        assert_eq!(findings[2].remedy.as_deref(), Some(&*format!("publish at {NAME}: {right}")));
        let findings = found(&text, None, Ok(&right.replace("s=tlsrpt", "s=email")));
        assert_eq!(shown(&findings)[2], (Status::Fail, "dkim record"));
        assert!(findings[2].message.ends_with("the record permits s=email, without tlsrpt"), "{findings:?}");
    }

    #[test]
    fn a_resolver_that_fails_is_a_warning() {
        let (_folder, text) = host(SIGNS);
        let findings = found(&text, None, Err(io::ErrorKind::TimedOut.into()));
        assert_eq!(shown(&findings)[2], (Status::Warn, "dkim record"), "{findings:?}");
        assert!(findings[2].message.contains(NAME), "{findings:?}");
    }

    #[test]
    fn a_file_without_a_key_is_a_failure_and_dns_is_not_queried() {
        let (folder, text) = host(SIGNS);
        let nobody = || Err(io::ErrorKind::Other.into());
        fs::write(folder.path().join("key.pem"), "no key").unwrap();
        assert_eq!(shown(&found(&text, None, nobody()))[1..], [(Status::Fail, "dkim key")]);
        fs::remove_file(folder.path().join("key.pem")).unwrap();
        assert_eq!(shown(&found(&text, None, nobody()))[1..], [(Status::Fail, "dkim key")]);
    }

    #[test]
    fn the_reporter_must_be_able_to_read_the_key_and_other_users_must_not() {
        let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
        let key = folder.path().join("key.pem");
        fs::write(&key, ED25519).unwrap();
        let other = Visitor::User { name: "4242".into(), user: 4242, groups: vec![4242] };
        let seen = |mode, visitor: &Visitor| {
            fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
            let Finding { status, message, remedy, .. } = access(&key, visitor, Finding::ok("dkim key", "well"));
            (status, message, remedy.unwrap_or_default())
        };
        let owner = Visitor::owner_of(&fs::metadata(&key).unwrap());
        assert_eq!(seen(0o600, &owner).0, Status::Ok);
        let (status, message, remedy) = seen(0o640, &other);
        assert_eq!(status, Status::Fail);
        assert!(message.starts_with("the user 4242, who runs tlsrpt deliver, may not read "), "{message}");
        assert!(remedy.contains("useradd --system") && remedy.contains("chgrp tlsrpt "), "{remedy}");
        assert_eq!(seen(0o600, &Visitor::Anybody).0, Status::Warn);
        let (status, message, _) = seen(0o644, &other);
        assert!(status == Status::Warn && message.starts_with("everybody may read the private key "), "{message}");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        let (status, message, remedy) = seen(0o640, &other);
        assert!(status == Status::Fail && message.contains("may not pass through"), "{message}");
        assert!(remedy.starts_with("chmod o+x "), "{remedy}");
    }

    #[test]
    fn without_a_key_the_mail_server_has_to_sign() {
        let (_folder, text) = host("");
        let nobody = || Err(io::ErrorKind::Other.into());
        let findings = found(&text, None, nobody());
        assert_eq!(shown(&findings), [(Status::Warn, "dkim signer")]);
        assert!(
            findings[0]
                .message
                .contains("a milter of localhost or the relay behind it has to sign with d=sender.example")
        );

        let postfix = Postfix::read("smtpd_milters = inet:127.0.0.1:8891\nnon_smtpd_milters = \n", "", "");
        let findings = found(&text, Some(&postfix), nobody());
        assert_eq!(shown(&findings), [(Status::Ok, "dkim signer")]);
        assert!(
            findings[0]
                .message
                .ends_with("Postfix passes them to inet:127.0.0.1:8891, which has to sign with d=sender.example")
        );
        // The sendmail command and another host do not lead to these milters.
        for route in ["sendmail = \"/usr/sbin/sendmail\"", "server = \"smtp://relay.example:25\""] {
            let findings = found(&format!("{text}[mail]\n{route}\n"), Some(&postfix), nobody());
            assert_eq!(shown(&findings), [(Status::Warn, "dkim signer")], "{route}");
        }
    }

    #[test]
    fn without_a_sender_of_reports_there_are_no_findings() {
        assert_eq!(found("[report]\norganization = \"Sender\"\n", None, Err(io::ErrorKind::Other.into())), []);
    }
}
