//! For monitoring: the text format of OpenMetrics, which Prometheus and its textfile collector read.
//!
//! All values are gauges: the counters start at 0 again on the next day.

use std::fmt::{self, Display, Write as _};

use tlsrpt_store::{DayCounts, Host, SpoolState};

use crate::{Status, Stored, collector::Collector};

/// The whole host.
#[must_use]
pub fn metrics(status: &Status) -> String {
    let mut text = Metrics::default();
    let listening = status.collector == Collector::Listening;
    text.family("tlsrpt_collector_up", "Whether the collector receives events at its socket.");
    text.sample("", u8::from(listening));
    text.family("tlsrpt_attention", "The number of facts that need attention.");
    text.sample("", status.attention.len());
    text.family("tlsrpt_store_up", "Whether the store works, as far as the role of its URL may know.");
    text.sample("", u8::from(status.store_works()));
    text.family(
        "tlsrpt_store_readable",
        "Whether it can be read; the role of a collector of many hosts may only add to it.",
    );
    text.sample("", u8::from(status.stored.is_ok()));
    if let Ok(stored) = &status.stored {
        add_stored(&mut text, stored);
    }
    if let Some(Ok(spool)) = &status.spool {
        add_spool(&mut text, spool);
    }
    text.end()
}

fn add_stored(text: &mut Metrics, stored: &Stored) {
    text.family("tlsrpt_store_size_bytes", "The size of the store.");
    text.sample("", stored.size);
    if let Some(disk) = stored.disk {
        text.family("tlsrpt_store_free_bytes", "The free space on the file system of the store.");
        text.sample("", disk.free);
    }
    if let Some(last) = stored.last_event {
        text.family("tlsrpt_last_event_timestamp_seconds", "When the latest valid event arrived.");
        text.sample("", last.as_second());
    }
    let counts: [(&str, &str, Count); 5] = [
        ("tlsrpt_day_events", "Valid events of the UTC day.", |day| day.events),
        ("tlsrpt_day_failed_events", "Events of the UTC day with a policy that was not met.", |day| day.failed),
        ("tlsrpt_day_domains", "Different policy domains of the UTC day.", |day| day.domains),
        ("tlsrpt_day_invalid_datagrams", "Invalid datagrams of the UTC day.", |day| day.invalid),
        ("tlsrpt_day_dropped_datagrams", "Datagrams of the UTC day that the collector dropped.", |day| day.dropped),
    ];
    for (name, help, count) in counts {
        text.family(name, help);
        for (label, day) in ["today", "yesterday"].iter().zip(&stored.days) {
            text.sample(&format!("{{day=\"{label}\"}}"), count(day));
        }
    }
    text.family("tlsrpt_yesterday_reports", "Reports about yesterday (UTC) that were made.");
    text.sample("", stored.reports.made);
    text.family("tlsrpt_yesterday_deliveries", "Deliveries of the reports about yesterday (UTC), by state.");
    for (state, number) in &stored.reports.deliveries {
        text.sample(&format!("{{state=\"{}\"}}", state.name()), number);
    }
    text.family("tlsrpt_domain_failed_events", "Failed events of today and yesterday, for the domains with most.");
    for worst in &stored.worst {
        text.sample(&format!("{{domain=\"{}\"}}", Label(&worst.domain)), worst.failed);
    }
    text.family("tlsrpt_alerts", "The domains whose sessions have begun to fail.");
    text.sample("", stored.alerts.len());
    if !stored.hosts.is_empty() {
        add_hosts(text, &stored.hosts);
    }
}

fn add_hosts(text: &mut Metrics, hosts: &[Host]) {
    let facts: [(&str, &str, Fact); 4] = [
        ("tlsrpt_host_silent_seconds", "How long ago the host said how it does.", |host| host.silent_for.as_secs_f64()),
        ("tlsrpt_host_waiting_batches", "Batches that wait on the host for the store.", |host| {
            host.state.spool_batches as f64
        }),
        ("tlsrpt_host_waiting_bytes", "The bytes of these batches.", |host| host.state.spool_bytes as f64),
        ("tlsrpt_host_clock_difference_seconds", "The clock of the host minus that of the store.", |host| {
            host.clock_difference.as_secs_f64()
        }),
    ];
    for (name, help, fact) in facts {
        text.family(name, help);
        for host in hosts {
            text.sample(&format!("{{host=\"{}\"}}", Label(&host.state.name)), fact(host));
        }
    }
}

/// A number about a host.
type Fact = fn(&Host) -> f64;

fn add_spool(text: &mut Metrics, spool: &SpoolState) {
    text.family("tlsrpt_spool_batches", "Batches of events in the spool that wait for the store.");
    text.sample("", spool.batches);
    text.family("tlsrpt_spool_size_bytes", "The size of these batches.");
    text.sample("", spool.bytes);
    if let Some(oldest) = spool.oldest {
        text.family(
            "tlsrpt_spool_oldest_timestamp_seconds",
            "When the oldest of these batches was added to the spool.",
        );
        text.sample("", oldest.as_second());
    }
    text.family("tlsrpt_spool_unreadable_batches", "Batches that were put aside, because they cannot be read.");
    text.sample("", spool.unreadable);
}

/// One count of a day.
type Count = fn(&DayCounts) -> u64;

/// The text that is being written.
#[derive(Default)]
struct Metrics {
    text: String,
    name: &'static str,
}

impl Metrics {
    fn family(&mut self, name: &'static str, help: &str) {
        self.name = name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn sample(&mut self, labels: &str, value: impl Display) {
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }

    fn end(self) -> String {
        self.text + "# EOF\n"
    }
}

/// The value of a label. Dangerous characters are escaped as everywhere, and then those that the format escapes.
struct Label<'t>(&'t str);

impl Display for Label<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printable = tlsrpt_format::printable(self.0).to_string();
        out.write_str(&printable.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
