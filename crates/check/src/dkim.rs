//! Checks that report mails get a DKIM signature of the domain of `from`: receivers ignore mails without it (RFC 8460
//! section 3).

use std::{fs, io, net::IpAddr, path::Path};

use tlsrpt_config::{Configuration, MailDkim};
use tlsrpt_deliver::{DkimKey, RecordProblem, permits_reports};
use tlsrpt_store::Url;

use crate::{
    access::{Permission, Visitor, describe},
    collector::Collector,
    dns,
    finding::Finding,
    milter::{self, Signature},
    paste,
    postfix::Postfix,
    processes,
    remedy::Remedy,
    toml,
};

const SIGNER: &str = "dkim signer";
const KEY: &str = "dkim key";
const RECORD: &str = "dkim record";
/// The user of the reporter in the units of systemd. The names of all their users begin with it.
const USER: &str = "tlsrpt";
/// The process of the reporter: its name, and its subcommands.
const PROCESS: &str = "tlsrpt";
const SUBCOMMANDS: [&str; 2] = ["deliver", "serve"];
/// The key and the selector of a signature that is to be set up.
const NEW_KEY: &str = "/etc/tlsrpt/dkim.pem";
const NEW_SELECTOR: &str = "tlsrpt";

/// Looks up the TXT records of a name. An error means that no answer was received.
pub type LookUpTexts<'l> = &'l dyn Fn(&str) -> io::Result<Vec<Vec<u8>>>;

/// Checks that report mails are signed. Returns no findings if the configuration has no `from`: no reports are sent
/// then.
#[must_use]
pub fn check_dkim(
    configuration: &Configuration,
    postfix: Option<&Postfix>,
    collector: &Collector,
    texts: LookUpTexts<'_>,
) -> Vec<Finding> {
    let Some(from) = configuration.report.from.as_deref().filter(|from| from.contains('@')) else {
        return Vec::new();
    };
    let MailDkim { domain: Some(domain), selector: Some(selector), key: Some(file) } = &configuration.mail_dkim else {
        return signer_elsewhere(configuration, postfix, from, collector, texts);
    };
    // Loading the configuration refuses a domain other than that of `from`.
    let mut findings = vec![Finding::ok(SIGNER, format!("tlsrpt signs report mails with d={domain}, s={selector}"))];
    match DkimKey::from_file(file) {
        Ok(key) => {
            let well = Finding::ok(KEY, format!("{} holds a key: {key}", file.display()));
            findings.push(access(file, &reporter(&configuration.store.url), well));
            findings.push(record(&name_of(selector, domain), Some(&key), texts));
        }
        Err(error) => findings.push(no_key(file, &error)),
    }
    findings
}

/// The name of a public key in DNS.
fn name_of(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// The findings without `[mail.dkim]`: a milter of the mail server or a relay has to sign.
fn signer_elsewhere(
    configuration: &Configuration,
    postfix: Option<&Postfix>,
    from: &str,
    collector: &Collector,
    texts: LookUpTexts<'_>,
) -> Vec<Finding> {
    let domain = milter::domain_of(from);
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
        return match milter::of_host(milters, from) {
            Some(found) => by_milter(&found, milters, domain, collector, texts),
            None => {
                let passed = format!("{message}; Postfix passes them to {milters}, which has to sign with d={domain}");
                vec![Finding::ok(SIGNER, passed)]
            }
        };
    }
    let unless = match own {
        Some(_) => "Postfix passes them to no milter".into(),
        None => format!("a milter of {to} or the relay behind it has to sign with d={domain}"),
    };
    let nothing = format!("nothing, if a milter or relay signs them with d={domain}; else, to have tlsrpt sign them");
    vec![Finding::warn(SIGNER, format!("{message}; {unless}"), Remedy::after(nothing, sign(domain, collector)))]
}

/// The findings for a milter whose configuration is known.
fn by_milter(
    milter: &milter::Milter,
    milters: &str,
    domain: &str,
    collector: &Collector,
    texts: LookUpTexts<'_>,
) -> Vec<Finding> {
    let (name, file) = (milter.name, milter.file);
    let instead = || Remedy::after("to have tlsrpt sign them", sign(domain, collector));
    let Some(Signature { domain: signs, selector, key }) = &milter.signature else {
        let message = format!(
            "tlsrpt does not sign report mails, and Postfix passes them to {milters}; {name} there signs no mails of {domain} ({file})"
        );
        return vec![Finding::warn(SIGNER, message, instead())];
    };
    let described = format!("{name} signs report mails with d={signs}, s={selector} ({file})");
    if !signs.eq_ignore_ascii_case(domain) {
        let message = format!("{described}, and their From domain is {domain}: receivers ignore them");
        return vec![Finding::warn(SIGNER, message, instead())];
    }
    // Another user than root cannot read it.
    let private = DkimKey::from_file(key).ok();
    vec![Finding::ok(SIGNER, described), record(&name_of(selector, signs), private.as_ref(), texts)]
}

/// The command that has tlsrpt sign, and then prints the record to publish.
fn sign(domain: &str, collector: &Collector) -> String {
    let pairs = [("domain", toml::text(domain)), ("selector", toml::text(NEW_SELECTOR)), ("key", toml::text(NEW_KEY))];
    let set = toml::set(collector.configuration(), "mail.dkim", &pairs);
    let close = close(Path::new(NEW_KEY), &Visitor::Anybody);
    let config = paste::word(&collector.configuration().to_string_lossy());
    format!(
        "{{ test -e {NEW_KEY} || openssl genrsa -out {NEW_KEY} 2048; }} && {close} && {set} && tlsrpt check --config {config}"
    )
}

fn is_this_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The user of `tlsrpt deliver`: that of the process; the owner of the store, which the units share between two users; or
/// the user of the units.
fn reporter(store: &Url) -> Visitor {
    // The process of another store, in tests for instance, belongs to another user.
    let store = match store {
        Url::Sqlite(path) => fs::metadata(path).ok(),
        Url::Postgresql(_) => None,
    };
    let owner = store.as_ref().map(Visitor::owner_of);
    let of_units = || Visitor::named(USER);
    match owner {
        Some(Visitor::User { name, user, groups }) if name.starts_with(USER) => {
            of_units().unwrap_or(Visitor::User { name, user, groups })
        }
        Some(owner) => owner,
        None => {
            let running = processes::running(PROCESS, |word| SUBCOMMANDS.contains(&word));
            running.and_then(Visitor::of_process).or_else(of_units).unwrap_or(Visitor::Anybody)
        }
    }
}

/// Checks that the reporter may read the key and other users may not. Returns `well` if so.
fn access(file: &Path, reporter: &Visitor, well: Finding) -> Finding {
    let shown = file.display();
    let found = fs::metadata(file).and_then(|key| Ok((key, fs::canonicalize(file)?)));
    let (key, path) = match found {
        Ok(found) => found,
        Err(error) => return Finding::fail(KEY, format!("{shown}: {error}"), Remedy::as_root()),
    };
    if Visitor::Anybody.may(Permission::Read, &key) {
        let message = format!("everybody may read the private key {shown} ({})", describe(&key));
        return Finding::warn(KEY, message, Remedy::run(close(&path, reporter)));
    }
    let (what, remedy) = match reporter.closed_folder(&path) {
        Some(directory) => (
            format!("may not pass through {} to the key {shown}", directory.display()),
            format!("chmod o+x {}", paste::word(&directory.to_string_lossy())),
        ),
        None if reporter.may(Permission::Read, &key) => return well,
        None => (format!("may not read {shown} ({})", describe(&key)), close(&path, reporter)),
    };
    let remedy = Remedy::run(remedy);
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
fn close(key: &Path, reporter: &Visitor) -> String {
    let key = paste::word(&key.to_string_lossy());
    let (user, make) = match reporter {
        Visitor::User { name, .. } if Visitor::named(name).is_some() => (&**name, String::new()),
        _ if Visitor::named(USER).is_some() => (USER, String::new()),
        _ => (
            USER,
            format!("useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin {USER} && "),
        ),
    };
    format!("{make}chown {user} {key} && chmod 400 {key}")
}

fn no_key(file: &Path, error: &tlsrpt_deliver::KeyError) -> Finding {
    let message = format!("{}: {error}", file.display());
    match error {
        tlsrpt_deliver::KeyError::Read(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::warn(KEY, message, Remedy::as_root())
        }
        _ => {
            let file = paste::word(&file.to_string_lossy());
            let make = format!("openssl genrsa -out {file} 2048 && chown {USER} {file} && chmod 400 {file}");
            Finding::fail(
                KEY,
                message,
                Remedy::after("name the file of your key as key in [mail.dkim], or make one", make),
            )
        }
    }
}

/// Judges the public key in DNS, by the private key if it can be read.
fn record(name: &str, key: Option<&DkimKey>, texts: LookUpTexts<'_>) -> Finding {
    let records = match texts(name) {
        Ok(records) => records,
        Err(error) => {
            let message = format!("cannot look up the public key at {name}: {error}");
            return Finding::warn(RECORD, message, dns::no_answer(Path::new("/etc/resolv.conf")));
        }
    };
    let judged = match key {
        Some(key) => key.verify_by(&records),
        None => permits_reports(&records),
    };
    match judged {
        Ok(()) => Finding::ok(RECORD, format!("{name} has the public key, which permits reports")),
        Err(problem) => {
            let words = match (&problem, key) {
                (RecordProblem::OtherService(_), _) => {
                    format!("add tlsrpt to s= of the record at {name}, or take out s=")
                }
                (RecordProblem::OtherHash(_), _) => format!("add sha256 to h= of the record at {name}, or take out h="),
                (RecordProblem::Several(_), _) => {
                    format!("remove all records at {name} but the one with the public key")
                }
                (_, Some(key)) => format!("publish at {name}: {}", key.record()),
                (_, None) => format!("publish the public key at {name}"),
            };
            Finding::fail(RECORD, format!("{name}: {problem}"), Remedy::check_again(words))
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
    use crate::{Finding, Postfix, Status, Visitor, collector::tests::of_service, milter};

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
        check_dkim(&configuration, postfix, &of_service(), &texts)
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
        let remedy = findings[2].remedy.as_ref().unwrap().to_string();
        assert!(remedy.starts_with(&format!("publish at {NAME}: {right}; run: ")), "{remedy}");
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
            (status, message, remedy.map_or_else(String::new, |remedy| remedy.to_string()))
        };
        let owner = Visitor::owner_of(&fs::metadata(&key).unwrap());
        assert_eq!(seen(0o600, &owner).0, Status::Ok);
        let (status, message, remedy) = seen(0o640, &other);
        assert_eq!(status, Status::Fail);
        assert!(message.starts_with("the user 4242, who runs tlsrpt deliver, may not read "), "{message}");
        assert!(remedy.contains("chown tlsrpt ") && remedy.contains(" && chmod 400 "), "{remedy}");
        assert_eq!(seen(0o600, &Visitor::Anybody).0, Status::Warn);
        let (status, message, _) = seen(0o644, &other);
        assert!(status == Status::Warn && message.starts_with("everybody may read the private key "), "{message}");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        let (status, message, remedy) = seen(0o640, &other);
        assert!(status == Status::Fail && message.contains("may not pass through"), "{message}");
        assert!(remedy.starts_with("run: chmod o+x "), "{remedy}");
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
    fn a_milter_that_signs_for_another_domain_or_with_a_key_for_others_is_found() {
        let by = |signature: Option<(&str, &str)>, record: &str| {
            let signature = signature.map(|(domain, key)| milter::Signature {
                domain: domain.into(),
                selector: "tlsrpt".into(),
                key: key.into(),
            });
            let milter = milter::Milter { name: "OpenDKIM", file: "/etc/opendkim.conf", signature };
            let texts = |_: &str| Ok(vec![record.as_bytes().to_vec()]);
            super::by_milter(&milter, "inet:localhost:8891", "sender.example", &of_service(), &texts)
        };
        let key = "/no/such/key";
        let warned = [(Status::Warn, "dkim signer")];
        let none = by(None, "");
        assert_eq!(shown(&none), warned);
        let command = none[0].command().unwrap();
        assert!(command.contains("openssl genrsa") && command.contains(r#"domain = "sender.example""#), "{command}");
        assert_eq!(shown(&by(Some(("example", key)), "")), warned);
        let signed = |record: &str| shown(&by(Some(("Sender.example", key)), record))[1].0;
        assert_eq!(signed("v=DKIM1; p=abc="), Status::Ok);
        assert_eq!(signed("v=DKIM1; s=email; p=abc="), Status::Fail);
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("key");
        fs::write(&private, ED25519).unwrap();
        let of_other = by(Some(("sender.example", private.to_str().unwrap())), "v=DKIM1; k=ed25519; p=abcd");
        assert_eq!(shown(&of_other)[1], (Status::Fail, "dkim record"));
    }

    #[test]
    fn without_a_sender_of_reports_there_are_no_findings() {
        assert_eq!(found("[report]\norganization = \"Sender\"\n", None, Err(io::ErrorKind::Other.into())), []);
    }
}
