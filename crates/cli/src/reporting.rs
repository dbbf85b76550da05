//! Makes the parts of the reporter from the configuration.

use std::{collections::HashSet, fs, io, path::Path, sync::Arc, time::Duration};

use rustls_pki_types::{CertificateDer, pem::PemObject};
use tlsrpt_alert::{Messenger, Threshold};
use tlsrpt_config::{Configuration, MailDkim, Report};
use tlsrpt_deliver::{
    AddressGuard, Carrier, ContentSettings, DkimSigner, LookUp, MailAddress, MailRoute, PlanSettings, Privacy,
    ReporterSettings,
    https::{HttpsClient, Verify},
    mail::Submitter,
    smtp::{Security, SmtpServer},
};
use tlsrpt_sendmail::{
    records::{texts_within, tlsrpt_record_within},
    resolver::Resolver,
};
use tlsrpt_store::{ReportStore, open_reports};

use crate::{
    configuration::{host_name, synchronous},
    failure::{Failure, cannot},
};

/// How long the mail server may take for each reply. RFC 5321 section 4.5.3.2 has minutes; this server is usually
/// local.
const SMTP_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the lookup of a record may take, with all servers and attempts.
const LONGEST_LOOKUP: Duration = Duration::from_secs(10);
/// The local part of the envelope sender, if the configuration has none.
const BOUNCES: &str = "tlsrpt-bounces";
/// The most characters of the host name in a report id.
const LONGEST_HOST: usize = 32;

/// Opens the store for reports.
pub(crate) fn store(configuration: &Configuration) -> Result<Box<dyn ReportStore>, Failure> {
    open_reports(&configuration.store.url, synchronous(configuration)).map_err(failed)
}

/// The sender of reports: the keys that have no default.
#[derive(Debug)]
pub(crate) struct Identity {
    organization: String,
    contact: String,
    from: MailAddress,
}

/// The sender of reports. The error lists the missing lines.
pub(crate) fn identity(report: &Report) -> Result<Identity, Failure> {
    let Report { organization, contact, from, .. } = report;
    match (organization, contact, from) {
        (Some(organization), Some(contact), Some(from)) => Ok(Identity {
            organization: organization.clone(),
            contact: contact.clone(),
            from: from.parse().map_err(|why| Failure::Failed(format!("from in [report]: {why}")))?,
        }),
        _ => {
            let lines = [
                (organization, "organization = \"Example GmbH\""),
                (contact, "contact = \"tlsrpt@example.com\""),
                (from, "from = \"noreply-smtp-tls-reporting@example.com\""),
            ];
            let missing = lines.into_iter().filter(|(value, _)| value.is_none()).map(|(_, line)| format!("  {line}"));
            let what = "reports need to say who sends them; write into the section [report] of the configuration:";
            Err(Failure::Lines(std::iter::once(what.into()).chain(missing).collect()))
        }
    }
}

/// The settings of the reporter.
pub(crate) fn settings(configuration: &Configuration, identity: &Identity) -> ReporterSettings {
    let (report, privacy) = (&configuration.report, &configuration.privacy);
    let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    ReporterSettings {
        plan: PlanSettings {
            content: ContentSettings {
                organization: identity.organization.clone(),
                contact: identity.contact.clone(),
                submitter: identity.from.domain().to_owned(),
                host: host_in_ids(),
                max_size: size(report.max_size),
                max_failure_details: size(report.max_failure_details),
                privacy: Privacy {
                    omit_sending_mta_ip: privacy.omit_sending_mta_ip,
                    omit_additional_information: privacy.omit_additional_information,
                    omit_failure_reason_code: privacy.omit_failure_reason_code,
                    omit_receiving_mx_helo: privacy.omit_helo,
                },
            },
            max_destinations: size(report.max_destinations),
            ports: configuration.https.ports.clone(),
            failures_only: report.failures_only,
            report_mx_hosts: report.report_mx_hosts,
            exclude: report.exclude.iter().map(|domain| domain.to_lowercase()).collect::<HashSet<_>>(),
        },
        spread: report.spread,
        day: None,
        max_per_destination: report.max_per_destination,
        grace: report.grace,
    }
}

/// Makes the carrier, which delivers reports by mail and HTTPS.
pub(crate) fn carrier(configuration: &Configuration, identity: &Identity) -> Result<Carrier, Failure> {
    let (mail, https) = (&configuration.mail, &configuration.https);
    let authorities = authorities(https.ca.as_deref())?;
    let route = match &mail.sendmail {
        Some(command) => MailRoute::Sendmail(command.clone()),
        None => MailRoute::Smtp(SmtpServer {
            host: mail.server.host.clone(),
            port: mail.server.port,
            security: if mail.server.tls_from_start { Security::Implicit } else { Security::Opportunistic },
            credentials: match (&mail.username, &mail.password) {
                (Some(name), Some(password)) => Some((name.clone(), password.expose().to_owned()).into()),
                _ => None,
            },
            hello_name: host_name(),
            timeout: SMTP_TIMEOUT,
            authorities: authorities.clone(),
        }),
    };
    let verify = match https.verify {
        tlsrpt_config::Verify::Prefer => Verify::Prefer,
        tlsrpt_config::Verify::Require => Verify::Require,
    };
    Ok(Carrier {
        mail: route,
        submitter: Submitter { from: identity.from.clone(), signer: signer(&configuration.mail_dkim)? },
        bounces: bounces(configuration, identity)?,
        https: HttpsClient::new(https.timeout, verify, &AddressGuard::new(https.allow.clone()), &authorities),
    })
}

/// When and how the operator is told about domains that begin to fail. None if the configuration has neither command nor mail.
pub(crate) fn alert(configuration: &Configuration) -> Result<Option<(Threshold, Messenger)>, Failure> {
    let tlsrpt_config::Alert { command, mail, count, rate } = &configuration.alert;
    let messenger = match (command, mail) {
        (None, None) => return Ok(None),
        (Some(command), _) => Messenger::Command(command.clone()),
        (None, Some(to)) => Messenger::Mail {
            carrier: Box::new(carrier(configuration, &identity(&configuration.report)?)?),
            to: to.parse().map_err(|why| Failure::Failed(format!("mail in [alert]: {why}")))?,
        },
    };
    Ok(Some((Threshold { count: *count, rate: *rate }, messenger)))
}

/// Looks up the TLSRPT records of MX hosts through the resolvers of this host.
pub(crate) fn record_lookup() -> Result<Arc<LookUp>, Failure> {
    let resolver = Resolver::of_system().map_err(cannot("read the configuration of DNS"))?;
    Ok(Arc::new(move |host: &str| {
        let found = tlsrpt_record_within(&resolver, host, LONGEST_LOOKUP).map_err(|error| error.to_string())?;
        Ok(found.map(|record| String::from_utf8_lossy(&record).into_owned()))
    }))
}

/// Looks up the TXT records of a name through the resolvers of this host.
pub(crate) fn texts(name: &str) -> io::Result<Vec<Vec<u8>>> {
    texts_within(&Resolver::of_system()?, name, LONGEST_LOOKUP)
}

/// The envelope sender without the number of the delivery.
pub(crate) fn bounces(configuration: &Configuration, identity: &Identity) -> Result<MailAddress, Failure> {
    let address = match &configuration.mail.bounces {
        Some(address) => address.clone(),
        None => format!("{BOUNCES}@{}", identity.from.domain()),
    };
    address.parse().map_err(|why| Failure::Failed(format!("bounces in [mail]: {why}")))
}

fn signer(dkim: &MailDkim) -> Result<Option<DkimSigner>, Failure> {
    let (Some(domain), Some(selector), Some(key)) = (&dkim.domain, &dkim.selector, &dkim.key) else { return Ok(None) };
    let signer = DkimSigner::from_file(domain, selector, key);
    signer.map(Some).map_err(|error| Failure::Failed(format!("key in [mail.dkim]: {}: {error}", key.display())))
}

/// The certification authorities of the system, and those of a file.
pub(crate) fn authorities(file: Option<&Path>) -> Result<Vec<Vec<u8>>, Failure> {
    let mut all: Vec<_> = rustls_native_certs::load_native_certs().certs.into_iter().map(|der| der.to_vec()).collect();
    if let Some(file) = file {
        let wrong = |why: String| Failure::Failed(format!("ca in [https]: {}: {why}", file.display()));
        let pem = fs::read(file).map_err(|error| wrong(error.to_string()))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            all.push(certificate.map_err(|error| wrong(error.to_string()))?.to_vec());
        }
    }
    Ok(all)
}

/// The host name with characters that a report id can have.
fn host_in_ids() -> String {
    let host: String = host_name()
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .take(LONGEST_HOST)
        .collect();
    if host.is_empty() { "host".into() } else { host }
}

pub(crate) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}
