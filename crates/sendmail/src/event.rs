//! Looks up the DNS records, and sends the event of one connection to the collector.

use std::{
    io,
    net::{IpAddr, UdpSocket},
    sync::Arc,
};

use tlsrpt::{Connection, Error, FailureDetails, FailureMember, FinalResult, PolicyType};

use crate::{
    exchange::unspecified_like,
    handshake::Handshake,
    outcome::{Outcome, outcome},
    records::{dane_records, tlsrpt_record},
    resolver::Resolver,
};

const SMTP_PORT: u16 = 25;

/// Sends the event for a connection to the collector at `socket`, if there is a result and the domain has a TLSRPT record.
///
/// # Errors
///
/// A DNS lookup fails, or the event cannot be sent.
pub async fn report(handshake: Handshake, socket: Arc<[u8]>) -> Result<(), String> {
    let in_dns = |error: io::Error| format!("DNS: {error}");
    let resolver = Resolver::of_system().map_err(in_dns)?;
    let Some(record) = tlsrpt_record(&resolver, &handshake.domain).await.map_err(in_dns)? else { return Ok(()) };
    let tlsa = dane_records(&resolver, &handshake).await.map_err(in_dns)?;
    let Some(outcome) = outcome(&handshake, !tlsa.is_empty()) else { return Ok(()) };
    send(&handshake, &record, &outcome, &tlsa, &socket).map_err(|error| with_reason(&error))
}

fn send(handshake: &Handshake, record: &[u8], outcome: &Outcome, tlsa: &[String], socket: &[u8]) -> Result<(), Error> {
    let connection = Connection::open(socket)?;
    let mut request = connection.delivery_request(&handshake.domain, record)?;
    let by_dane = outcome.policy == PolicyType::Tlsa;
    // The policy domain of DANE is the MX host (RFC 8460 section 4.4).
    let policy_domain = if by_dane { &handshake.host } else { &handshake.domain };
    let mut policy = request.policy(outcome.policy, Some(policy_domain.as_bytes()))?;
    for record in tlsa.iter().filter(|_| by_dane) {
        policy.add_policy_string(record)?;
    }
    let Some(failure) = outcome.failure else {
        policy.finish(FinalResult::Success)?;
        return request.send();
    };
    let ours =
        handshake.sending_ip.or_else(|| source_address(handshake.receiving_ip?)).map(|address| address.to_string());
    let theirs = handshake.receiving_ip.map(|address| address.to_string());
    policy.add_failure(
        failure.failure_type,
        &FailureDetails::new()
            .with(FailureMember::SendingMtaIp, ours.as_deref().map(str::as_bytes))
            .receiving_mx_hostname(&handshake.host)
            .with(FailureMember::ReceivingIp, theirs.as_deref().map(str::as_bytes))
            .with(FailureMember::FailureReasonCode, failure.reason.map(str::as_bytes)),
    )?;
    policy.finish(FinalResult::Failure)?;
    request.send()
}

/// The address from which this host sends to `destination`. Sendmail does not report it for every interface.
fn source_address(destination: IpAddr) -> Option<IpAddr> {
    // Connecting a UDP socket sends nothing: the system only chooses its address.
    let socket = UdpSocket::bind((unspecified_like(destination), 0)).ok()?;
    socket.connect((destination, SMTP_PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// An error of the library with the system's text for its errno.
fn with_reason(error: &Error) -> String {
    let kind = error.kind();
    error.errno().map_or_else(|| kind.to_string(), |errno| format!("{kind}: {}", io::Error::from_raw_os_error(errno)))
}
