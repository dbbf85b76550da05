//! The events that are sent to a collector, and the threads that send them.

use std::{io, os::unix::net::UnixDatagram, path::Path, thread};

/// Threads that send at the same time. Each waits while the queue of the collector is full.
pub(crate) const SENDERS: usize = 20;

/// The events of one measurement.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) name: &'static str,
    domains: usize,
}

/// Many events for one domain, a usual day, and a day of a large host.
pub(crate) const LOADS: [Load; 3] = [
    Load { name: "1 domain", domains: 1 },
    Load { name: "24 domains", domains: 24 },
    Load { name: "10,000 domains", domains: 10_000 },
];

impl Load {
    /// Sends `events` events, a multiple of [`SENDERS`], and returns when the last one is in the queue.
    pub(crate) fn send(self, socket: &Path, events: usize) -> io::Result<()> {
        let datagrams: Vec<_> = (0..self.domains).map(datagram).collect();
        thread::scope(|scope| {
            let start = |number| {
                let datagrams = &datagrams;
                scope.spawn(move || send(socket, datagrams, number * self.domains / SENDERS, events / SENDERS))
            };
            let senders: Vec<_> = (0..SENDERS).map(start).collect();
            senders.into_iter().try_for_each(|sender| sender.join().expect("a sender does not panic"))
        })
    }
}

fn send(socket: &Path, datagrams: &[String], first: usize, events: usize) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.connect(socket)?;
    for datagram in datagrams.iter().cycle().skip(first).take(events) {
        sender.send(datagram.as_bytes())?;
    }
    Ok(())
}

/// An event under MTA-STS as the library sends it; each tenth domain fails.
pub(crate) fn datagram(domain: usize) -> String {
    let result = if domain % 10 == 9 {
        r#""failure-details":[{"c":204,"s":"192.0.2.1","n":"mx.example.org","r":"192.0.2.25"}],"t":1,"f":1"#
    } else {
        r#""t":0,"f":0"#
    };
    format!(
        r#"{{"dpv":"1","d":"{domain}.example.org","pr":"v=TLSRPTv1; rua=mailto:tls@{domain}.example.org","policies":[{{"policy-type":2,"policy-string":["version: STSv1","mode: enforce","mx: mx1.example.org","max_age: 604800"],"policy-domain":"{domain}.example.org","mx-host":["mx1.example.org"],{result}}}]}}"#
    )
}
