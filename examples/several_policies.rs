//! One event for a whole delivery, for mail servers that report once for each delivery (mox, in Go, does): it contains the
//! MTA-STS policy of the recipients' domain and the DANE policy of each MX host that was tried.
//!
//! ```text
//! cargo run --example several_policies /run/tlsrpt/tlsrpt.sock
//! ```
//!
//! The delivery is an example: the certificate of the first MX host had expired and matched no TLSA record. The second MX
//! host accepted the mail.

use std::{env, process::ExitCode};

use tlsrpt::{Connection, Error, FailureDetails, FailureType, FinalResult, PolicyType, only_record};

/// One attempt to deliver to an MX host.
struct Attempt<'a> {
    host: &'a str,
    address: &'a str,
    /// The greeting of the host.
    ehlo: &'a str,
    /// Its TLSA records, validated by DNSSEC. Empty: DANE does not apply.
    tlsa: &'a [&'a str],
    /// The failure under DANE and the failure under MTA-STS, if any.
    dane_failure: Option<FailureType>,
    sts_failure: Option<FailureType>,
}

/// The MTA-STS policy of a domain.
struct StsPolicy<'a> {
    strings: &'a [&'a str],
    mx_host_patterns: &'a [&'a str],
}

/// One delivery to one domain: the MX hosts that were tried, in their order. The last one accepted the mail, or none did.
struct Delivery<'a> {
    domain: &'a str,
    sts: Option<StsPolicy<'a>>,
    attempts: &'a [Attempt<'a>],
}

const OUR_ADDRESS: &str = "192.0.2.1";

/// Reports a delivery to the collector. `texts` are the TXT records at `_smtp._tls` below the domain.
fn report(collector: &str, delivery: &Delivery<'_>, texts: &[&[u8]]) -> Result<(), Error> {
    // A domain without a record requests no reports.
    let Some(record) = only_record(texts.iter().copied()) else { return Ok(()) };
    // One connection can serve many deliveries, from several threads; this program has one only.
    let connection = Connection::open(collector)?;
    let mut request = connection.delivery_request(delivery.domain, record)?;
    if let Some(sts) = &delivery.sts {
        let mut policy = request.policy(PolicyType::Sts, Some(delivery.domain.as_bytes()))?;
        sts.strings.iter().try_for_each(|text| policy.add_policy_string(text))?;
        sts.mx_host_patterns.iter().try_for_each(|pattern| policy.add_mx_host_pattern(pattern))?;
        for attempt in delivery.attempts {
            if let Some(failure) = attempt.sts_failure {
                policy.add_failure(failure, &details(attempt))?;
            }
        }
        policy.finish(result(delivery.attempts.iter().all(|attempt| attempt.sts_failure.is_some())))?;
    }
    for attempt in delivery.attempts.iter().filter(|attempt| !attempt.tlsa.is_empty()) {
        let mut policy = request.policy(PolicyType::Tlsa, Some(attempt.host.as_bytes()))?;
        attempt.tlsa.iter().try_for_each(|tlsa| policy.add_policy_string(tlsa))?;
        if let Some(failure) = attempt.dane_failure {
            policy.add_failure(failure, &details(attempt))?;
        }
        policy.finish(result(attempt.dane_failure.is_some()))?;
    }
    if delivery.sts.is_none() && delivery.attempts.iter().all(|attempt| attempt.tlsa.is_empty()) {
        request.policy(PolicyType::NoPolicyFound, Some(delivery.domain.as_bytes()))?.finish(FinalResult::Success)?;
    }
    request.send()
}

fn result(failed: bool) -> FinalResult {
    if failed { FinalResult::Failure } else { FinalResult::Success }
}

fn details<'a>(attempt: &Attempt<'a>) -> FailureDetails<'a> {
    FailureDetails::new()
        .sending_mta_ip(OUR_ADDRESS)
        .receiving_mx_hostname(attempt.host)
        .receiving_mx_helo(attempt.ehlo)
        .receiving_ip(attempt.address)
}

fn main() -> ExitCode {
    let Some(collector) = env::args().nth(1) else {
        eprintln!("usage: several_policies SOCKET");
        return ExitCode::from(2);
    };
    let delivery = Delivery {
        domain: "example.org",
        sts: Some(StsPolicy {
            strings: &["version: STSv1", "mode: enforce", "mx: *.example.org", "max_age: 604800"],
            mx_host_patterns: &["*.example.org"],
        }),
        attempts: &[
            Attempt {
                host: "mx1.example.org",
                address: "2001:db8::25",
                ehlo: "mx1.example.org",
                tlsa: &["3 1 1 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"],
                dane_failure: Some(FailureType::CertificateNotTrusted),
                sts_failure: Some(FailureType::CertificateExpired),
            },
            Attempt {
                host: "mx2.example.org",
                address: "192.0.2.26",
                ehlo: "mx2.example.org",
                tlsa: &["3 1 1 FFEEDDCCBBAA99887766554433221100FFEEDDCCBBAA99887766554433221100"],
                dane_failure: None,
                sts_failure: None,
            },
        ],
    };
    // A lost event must not fail the delivery: log it.
    if let Err(error) = report(&collector, &delivery, &[b"v=TLSRPTv1; rua=mailto:tls@example.org"]) {
        eprintln!("warning: no TLSRPT event for {}: {error}", delivery.domain);
    }
    ExitCode::SUCCESS
}
