//! The threads that find the results and report them.

use std::{
    io,
    net::{IpAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use tlsrpt::{Connection, Error, FailureDetails, FailureMember, FinalResult, PolicyType};

use crate::{
    dns::{Resolver, unspecified_like},
    handshake::Handshake,
    outcome::{Outcome, outcome},
    records::{dane_records, tlsrpt_record},
};

/// DNS may be slow; so many connections can wait for it at the same time.
const THREADS: usize = 8;
/// So many more wait for a thread. Beyond that they are lost, as events are when the collector is too slow.
const LONGEST_QUEUE: usize = 4096;

const SMTP_PORT: u16 = 25;

/// Takes what Sendmail says and reports it, without keeping anyone waiting.
#[derive(Debug, Clone)]
pub struct Reporter {
    queue: SyncSender<Handshake>,
}

impl Reporter {
    /// Starts the threads. They report to the collector at `socket`, and call `complain` about what is lost.
    ///
    /// # Errors
    ///
    /// The system refuses to start a thread.
    pub fn start(socket: &[u8], complain: fn(&str)) -> io::Result<Self> {
        let (queue, waiting) = sync_channel(LONGEST_QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..THREADS {
            let (waiting, socket) = (Arc::clone(&waiting), socket.to_vec());
            thread::Builder::new().spawn(move || work(&waiting, &socket, complain))?;
        }
        Ok(Self { queue })
    }

    /// Reports this later.
    ///
    /// # Errors
    ///
    /// The queue is full.
    pub fn take(&self, handshake: Handshake) -> Result<(), String> {
        self.queue.try_send(handshake).map_err(|refused| {
            let (TrySendError::Full(lost) | TrySendError::Disconnected(lost)) = refused;
            format!("no event for {}: too many connections wait for DNS", lost.domain)
        })
    }
}

fn work(waiting: &Mutex<Receiver<Handshake>>, socket: &[u8], complain: fn(&str)) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(handshake) = next else { return };
        if let Err(problem) = report(&handshake, socket) {
            complain(&format!("no event for {}: {problem}", handshake.domain));
        }
    }
}

/// Finds the result and reports it, if there is one and the domain wants to know.
fn report(handshake: &Handshake, socket: &[u8]) -> Result<(), String> {
    let in_dns = |error: io::Error| format!("DNS: {error}");
    let resolver = Resolver::of_system().map_err(in_dns)?;
    let Some(record) = tlsrpt_record(&resolver, &handshake.domain).map_err(in_dns)? else { return Ok(()) };
    let tlsa = dane_records(&resolver, handshake).map_err(in_dns)?;
    let Some(outcome) = outcome(handshake, !tlsa.is_empty()) else { return Ok(()) };
    send(handshake, &record, &outcome, &tlsa, socket).map_err(|error| with_reason(&error))
}

fn send(handshake: &Handshake, record: &[u8], outcome: &Outcome, tlsa: &[String], socket: &[u8]) -> Result<(), Error> {
    let connection = Connection::open(socket)?;
    let mut request = connection.delivery_request(&handshake.domain, record)?;
    let by_dane = outcome.policy == PolicyType::Tlsa;
    // DANE is the policy of a host.
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

/// The address from which this host sends to another. Sendmail does not tell it of every interface.
fn source_address(destination: IpAddr) -> Option<IpAddr> {
    // Nothing is sent: the system chooses its address when it learns the other.
    let socket = UdpSocket::bind((unspecified_like(destination), 0)).ok()?;
    socket.connect((destination, SMTP_PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// An error of the library with the system's word for its errno.
fn with_reason(error: &Error) -> String {
    let kind = error.kind();
    error.errno().map_or_else(|| kind.to_string(), |errno| format!("{kind}: {}", io::Error::from_raw_os_error(errno)))
}
