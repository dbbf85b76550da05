//! Finds the facts that need attention.

use std::path::Path;

use bytesize::ByteSize;
use jiff::{SignedDuration, Timestamp, civil::Date};
use tlsrpt_format::printable;
use tlsrpt_store::{Alert, DayCounts, Error, ErrorKind, Limits, SpoolState, Url};

use crate::{
    collector::Collector,
    deliveries::failed_deliveries,
    extent::Extent,
    hosts,
    place::Place,
    stored::{Disk, Stored, recent},
};

/// Less free space than this in bytes on the file system of the store needs attention.
pub const LEAST_FREE: u64 = 100 << 20;

/// Each fact with its remedy, on one line.
pub(crate) fn attention(
    place: &Place,
    collector: &Collector,
    stored: &Result<Stored, Error>,
    today: Date,
    extent: Extent,
) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(of_collector(&place.socket, collector));
    match stored {
        // A note says so.
        Err(error) if error.kind() == ErrorKind::AddsOnly && !extent.integrity => {}
        Err(error) => lines.push(format!("store: {}", printable(&error.to_string()))),
        Ok(stored) => {
            let is_recent = |counts: &&DayCounts| recent(today).contains(&counts.day);
            lines.extend(stored.days.iter().filter(is_recent).filter_map(of_dropped));
            // A database that hosts share has no such limit.
            if let Url::Sqlite(_) = place.store {
                lines.extend(of_size(stored.size, place.limits.size));
            }
            lines.extend(stored.days.iter().filter(is_recent).flat_map(|counts| of_limits(counts, &place.limits)));
            lines.extend(
                failed_deliveries(stored).filter(|failed| failed.needs_attention()).map(|failed| failed.in_words()),
            );
            lines.extend(stored.alerts.iter().map(of_alert));
            lines.extend(stored.hosts.iter().flat_map(hosts::attention));
            lines.extend(stored.disk.and_then(of_disk));
            lines.extend(stored.damage.iter().flatten().map(|line| format!("store: {}", printable(line))));
        }
    }
    lines
}

/// The same for the spool of the collector. A host without a collector has none.
pub(crate) fn of_spool(spool: &Result<SpoolState, Error>, now: Timestamp) -> Vec<String> {
    /// The collector passes a batch on within seconds.
    const LONG: SignedDuration = SignedDuration::from_mins(5);
    let mut lines = Vec::new();
    match spool {
        Err(error) if error.kind() == ErrorKind::Missing => {}
        Err(error) => lines.push(format!("spool: {}", printable(&error.to_string()))),
        Ok(SpoolState { batches, oldest, unreadable, .. }) => {
            if let Some(oldest) = oldest.filter(|oldest| now.duration_since(*oldest) > LONG) {
                lines.push(format!(
                    "spool: {batches} batches wait since {oldest:.0} for the store to take them; see the log of the collector"
                ));
            }
            if *unreadable > 0 {
                lines.push(format!(
                    "spool: {unreadable} batches cannot be read; they are in the table unreadable of the spool, and in no \
                     report"
                ));
            }
        }
    }
    lines
}

fn of_collector(socket: &Path, collector: &Collector) -> Option<String> {
    let socket = printable(&socket.to_string_lossy()).to_string();
    match collector {
        Collector::Listening => None,
        Collector::QueueFull => Some(format!(
            "collector: the queue of {socket} is full; see its log, or restart it: systemctl restart tlsrpt-collect"
        )),
        Collector::NotListening(reason) => Some(format!(
            "collector: {socket}: {}; start it: systemctl start tlsrpt-collect, or tlsrpt collect",
            printable(reason)
        )),
        Collector::Unknown(reason) => Some(format!("collector: {socket}: {}", printable(reason))),
    }
}

fn of_dropped(counts: &DayCounts) -> Option<String> {
    let DayCounts { day, dropped, .. } = counts;
    (*dropped > 0).then(|| {
        format!(
            "collector: {dropped} datagrams were dropped on {day} because its memory was full; see its log for the \
             store, or raise buffer in [collect]"
        )
    })
}

/// A store that takes nothing new.
fn of_size(size: u64, limit: u64) -> Option<String> {
    (size >= limit).then(|| {
        format!(
            "store: it is full: it has {}, and max-size in [store] is {}, so it takes no new domains, policies and failures; \
             raise max-size, or lower keep-days",
            ByteSize(size),
            ByteSize(limit)
        )
    })
}

/// The limits of a day that are reached.
fn of_limits(counts: &DayCounts, limits: &Limits) -> Vec<String> {
    let reached = [
        (counts.domains, limits.domains, "domains"),
        (counts.policies, limits.policies, "policies"),
        (counts.failures, limits.failures, "failures"),
    ];
    let reached = reached.into_iter().filter(|(number, limit, _)| number >= limit);
    let line = |(_, limit, noun)| {
        format!(
            "store: {} has the most {noun} of a day, {limit}, and counts those of further {noun} in one row; raise \
             max-{noun} in [collect]",
            counts.day
        )
    };
    reached.map(line).collect()
}

fn of_alert(alert: &Alert) -> String {
    let Alert { domain, begun, events, failed, reasons, problem, .. } = alert;
    let (domain, reasons) = (printable(domain), printable(reasons));
    let problem = if problem.is_empty() {
        String::new()
    } else {
        format!("; the alert could not be told: {}; see [alert]", printable(problem))
    };
    format!(
        "alert: TLS with {domain} fails since {begun:.0}: {failed} of {events} sessions ({reasons}); see tlsrpt status \
         --domain {domain}{problem}"
    )
}

fn of_disk(disk: Disk) -> Option<String> {
    (disk.free < LEAST_FREE).then(|| {
        format!(
            "store: {} are free on its file system; free some space, or lower keep-days in [store]",
            ByteSize(disk.free)
        )
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use tlsrpt_store::{DayCounts, Limits};

    use super::{of_limits, of_size};

    #[test]
    fn limits_that_are_reached_need_attention() {
        let counts = DayCounts {
            day: date(2026, 11, 29),
            events: 9,
            failed: 0,
            domains: 3,
            policies: 4,
            failures: 0,
            invalid: 0,
            dropped: 0,
            last_event: None,
        };
        let limits = |domains, policies| Limits { domains, policies, failures: 1, size: u64::MAX };
        assert_eq!(of_limits(&counts, &limits(4, 5)), [""; 0]);
        let lines = of_limits(&counts, &limits(3, 4));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("2026-11-29 has the most domains of a day, 3"), "{lines:?}");
        assert!(lines[1].ends_with("raise max-policies in [collect]"), "{lines:?}");
    }

    #[test]
    fn a_full_store_needs_attention() {
        assert_eq!(of_size(1 << 20, 1 << 30), None);
        let line = of_size(1 << 30, 1 << 30).unwrap();
        assert!(line.contains("it is full: it has 1.0 GiB, and max-size in [store] is 1.0 GiB"), "{line}");
    }
}
