//! Checks that report mails get a DKIM signature of the domain of `from`: receivers ignore mails without it (RFC 8460
//! section 3).

mod by_server;
mod key;
mod record;

pub use record::LookUpTexts;

use std::{net::IpAddr, path::Path};

use by_server::{SIGNER, Server, UNSIGNED};
use key::Signer;
use record::Signs;
use tlsrpt_config::{Configuration, MailDkim};
use tlsrpt_deliver::DkimKey;

use crate::{
    access::Visitor,
    collector::Collector,
    exim::Exim,
    finding::Finding,
    milter, paste,
    postfix::Postfix,
    remedy::Remedy,
    signature::{Mail, Signature},
    toml,
};

/// The key and the selector of a signature that is to be set up.
const NEW_KEY: &str = "/etc/tlsrpt/dkim.pem";
const NEW_SELECTOR: &str = "tlsrpt";

/// The mail server of this host, as far as it is known here whether it signs mails.
#[derive(Debug, Clone, Copy)]
pub enum MailServer<'s> {
    /// It passes mails to milters.
    Postfix(&'s Postfix),
    /// It signs by itself.
    Exim(&'s Exim),
}

/// Checks that report mails are signed. Returns no findings if the configuration has no `from`: no reports are sent
/// then.
#[must_use]
pub fn check_dkim(
    configuration: &Configuration,
    server: Option<MailServer<'_>>,
    collector: &Collector,
    texts: LookUpTexts<'_>,
) -> Vec<Finding> {
    let Some(from) = configuration.report.from.as_deref().filter(|from| from.contains('@')) else {
        return Vec::new();
    };
    let MailDkim { domain: Some(domain), selector: Some(selector), key: Some(file) } = &configuration.mail_dkim else {
        // Without an address for bounces, they go to one of the same domain.
        let mail = Mail { from, envelope: configuration.mail.bounces.as_deref().unwrap_or(from) };
        return signer_elsewhere(configuration, server, mail, collector, texts);
    };
    // Loading the configuration refuses a domain other than that of `from`.
    let mut findings = vec![Finding::ok(SIGNER, format!("tlsrpt signs report mails with d={domain}, s={selector}"))];
    let signature = Signature { domain: domain.clone(), selector: selector.clone(), key: file.clone() };
    let reporter = Signer::reporter(&configuration.store.url);
    match DkimKey::from_file(file) {
        Ok(key) => {
            findings.push(key::access(file, &reporter, key::well(file, &key)));
            findings.push(record::check(&signature, Some(&key), Signs::Reports, texts));
        }
        Err(error) => findings.push(key::none(file, &reporter, &error)),
    }
    findings
}

/// The findings without `[mail.dkim]`: the mail server, one of its milters or a relay has to sign.
fn signer_elsewhere(
    configuration: &Configuration,
    server: Option<MailServer<'_>>,
    mail: Mail<'_>,
    collector: &Collector,
    texts: LookUpTexts<'_>,
) -> Vec<Finding> {
    let settings = &configuration.mail;
    let by_smtp = settings.sendmail.is_none();
    let to = match &settings.sendmail {
        Some(command) => command.display().to_string(),
        None => settings.server.host.clone(),
    };
    match server.filter(|_| !by_smtp || is_this_host(&settings.server.host)) {
        Some(MailServer::Postfix(postfix)) => match postfix.milters(by_smtp) {
            "" => vec![unsigned(": Postfix passes them to no milter", mail, collector)],
            milters => by_milter(milters, mail, collector, texts),
        },
        Some(MailServer::Exim(exim)) => by_exim(exim, mail, collector, texts),
        None => {
            let has_to = format!("a milter of {to} or the relay behind it has to sign with d={}", mail.domain());
            vec![unsigned(&format!(": there is no [mail.dkim] in the configuration; {has_to}"), mail, collector)]
        }
    }
}

fn by_milter(milters: &str, mail: Mail<'_>, collector: &Collector, texts: LookUpTexts<'_>) -> Vec<Finding> {
    let Some(milter) = milter::of_host(milters, mail) else {
        let message = format!(
            "{UNSIGNED}: there is no [mail.dkim] in the configuration; Postfix passes them to {milters}, which has to sign with d={}",
            mail.domain()
        );
        return vec![Finding::ok(SIGNER, message)];
    };
    let server = Server {
        name: milter.name,
        place: format!("{}, milter {milters}", milter.file),
        user: milter.user,
        domain: mail.domain(),
        unsigned: instead(mail, collector),
        instead: instead(mail, collector),
    };
    server.check(milter.signing, texts)
}

/// The findings for the transports that send mail to other sites, each once.
fn by_exim(exim: &Exim, mail: Mail<'_>, collector: &Collector, texts: LookUpTexts<'_>) -> Vec<Finding> {
    let transports = exim.signing(mail);
    if transports.is_empty() {
        return vec![unsigned(", and Exim has no transport that sends them by SMTP", mail, collector)];
    }
    let mut findings = Vec::new();
    for (transport, signing) in transports {
        let server = Server {
            name: "Exim",
            place: format!("transport {transport}"),
            user: exim.visitor(),
            domain: mail.domain(),
            unsigned: unless_signed(mail, collector),
            instead: instead(mail, collector),
        };
        for finding in server.check(signing, texts) {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings
}

fn unsigned(why: &str, mail: Mail<'_>, collector: &Collector) -> Finding {
    Finding::warn(SIGNER, format!("{UNSIGNED}{why}"), unless_signed(mail, collector))
}

/// The remedy where nothing signs: tlsrpt does, unless something behind this host does.
fn unless_signed(mail: Mail<'_>, collector: &Collector) -> Remedy {
    let domain = mail.domain();
    let nothing = format!("nothing, if a milter or relay signs them with d={domain}; else, to have tlsrpt sign them");
    Remedy::after(nothing, sign(domain, collector))
}

/// The remedy where something else signs wrongly.
fn instead(mail: Mail<'_>, collector: &Collector) -> Remedy {
    Remedy::after("to have tlsrpt sign them", sign(mail.domain(), collector))
}

/// The command that has tlsrpt sign, and then prints the record to publish.
fn sign(domain: &str, collector: &Collector) -> String {
    let pairs = [("domain", toml::text(domain)), ("selector", toml::text(NEW_SELECTOR)), ("key", toml::text(NEW_KEY))];
    let set = toml::set(collector.configuration(), "mail.dkim", &pairs);
    let close = key::close(Path::new(NEW_KEY), &Visitor::Anybody);
    let config = paste::word(&collector.configuration().to_string_lossy());
    format!(
        "{{ test -e {NEW_KEY} || openssl genrsa -out {NEW_KEY} 2048; }} && {close} && {set} && tlsrpt check --config {config}"
    )
}

fn is_this_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
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

    use super::{
        MailServer, Server, check_dkim,
        key::{Signer, access},
    };
    use crate::{
        Finding, Postfix, Remedy, Status, Visitor,
        collector::tests::of_service,
        signature::{Signature, Signing},
    };

    const ED25519: &str = include_str!("../../../deliver/tests/keys/ed25519.pem");
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
        check_dkim(&configuration, postfix.map(MailServer::Postfix), &of_service(), &texts)
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
            let Finding { status, message, remedy, .. } =
                access(&key, &Signer::Reporter(visitor.clone()), Finding::ok("dkim key", "well"));
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
    fn a_server_that_signs_for_another_domain_or_with_a_key_for_others_is_found() {
        let server = Server {
            name: "Exim",
            place: "transport remote_smtp".into(),
            user: None,
            domain: "sender.example",
            unsigned: Remedy::run("unsigned"),
            instead: Remedy::run("instead"),
        };
        let by = |signatures: &[(&str, &str, &str)], record: &str| {
            let signature = |(domain, selector, key): &(&str, &str, &str)| Signature {
                domain: (*domain).into(),
                selector: (*selector).into(),
                key: (*key).into(),
            };
            let signing = Signing::By(signatures.iter().map(signature).collect());
            // Only the selector of the name has a record.
            let texts = |name: &str| {
                Ok(if name.eq_ignore_ascii_case(NAME) { vec![record.as_bytes().to_vec()] } else { Vec::new() })
            };
            server.check(signing, &texts)
        };
        let key = "/no/such/key";
        let other = by(&[("example", "tlsrpt", key)], "");
        assert_eq!(shown(&other), [(Status::Warn, "dkim signer")]);
        assert_eq!(other[0].command(), Some("instead"));
        let signed = |record: &str| shown(&by(&[("Sender.example", "tlsrpt", key)], record))[1].0;
        assert_eq!(signed("v=DKIM1; p=abc="), Status::Ok);
        assert_eq!(signed("v=DKIM1; s=email; p=abc="), Status::Fail);
        // One valid signature is enough.
        let (first, second) = (("sender.example", "old", key), ("sender.example", "tlsrpt", key));
        assert_eq!(by(&[first, second], "v=DKIM1; p=abc=").len(), 2);
        let none = by(&[first, second], "v=DKIM1; s=email; p=abc=");
        assert!(none[1].message.starts_with("old._domainkey.sender.example: "), "{none:?}");
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("key");
        fs::write(&private, ED25519).unwrap();
        let of_other = by(&[("sender.example", "tlsrpt", private.to_str().unwrap())], "v=DKIM1; k=ed25519; p=abcd");
        assert_eq!(shown(&of_other)[1], (Status::Fail, "dkim record"));
        // The key signs the mails of users too.
        let record = DkimKey::from_pem(ED25519).unwrap().record_for_all_mails();
        let remedy = of_other[1].remedy.as_ref().unwrap().to_string();
        assert!(remedy.starts_with(&format!("publish at {NAME}: {record}; run: ")), "{remedy}");
    }

    #[test]
    fn a_server_that_does_not_sign_and_a_key_that_it_may_not_read_are_found() {
        let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
        let key = folder.path().join("key.pem");
        let server = Server {
            name: "Exim",
            place: "transport remote_smtp".into(),
            user: Some(Visitor::User { name: "4242".into(), user: 4242, groups: vec![4242] }),
            domain: "sender.example",
            unsigned: Remedy::run("unsigned"),
            instead: Remedy::run("instead"),
        };
        let record = DkimKey::from_pem(ED25519).unwrap().record();
        let check = |signing: Signing| server.check(signing, &|_: &str| Ok(vec![record.as_bytes().to_vec()]));
        let nothing = check(Signing::Nothing("why".into()));
        assert_eq!((shown(&nothing), nothing[0].command()), (vec![(Status::Warn, "dkim signer")], Some("unsigned")));
        assert_eq!(shown(&check(Signing::Unknown("why".into()))), [(Status::Ok, "dkim signer")]);
        let signature = Signature { domain: "sender.example".into(), selector: "tlsrpt".into(), key: key.clone() };
        let signed = || check(Signing::By(vec![signature.clone()]));
        let missing = signed();
        assert_eq!(shown(&missing)[1], (Status::Fail, "dkim key"));
        assert!(missing[1].command().unwrap().contains("openssl genrsa -out "), "{missing:?}");
        fs::write(&key, ED25519).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let closed = signed();
        assert_eq!(shown(&closed)[1], (Status::Fail, "dkim key"));
        assert!(closed[1].message.starts_with("the user 4242, who signs for Exim, may not read "), "{closed:?}");
        let command = format!("chgrp 4242 {0} && chmod 640 {0}", key.display());
        assert_eq!(closed[1].command(), Some(&*command));
    }

    #[test]
    fn without_a_sender_of_reports_there_are_no_findings() {
        assert_eq!(found("[report]\norganization = \"Sender\"\n", None, Err(io::ErrorKind::Other.into())), []);
    }
}
