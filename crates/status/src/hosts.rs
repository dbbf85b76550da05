//! The hosts that share the store.

use std::fmt::Write;

use bytesize::ByteSize;
use jiff::SignedDuration;
use tlsrpt_format::printable;
use tlsrpt_store::Host;

/// How long a host may be silent. A collector says every minute how it does.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_mins(15);
/// The largest difference between its clock and that of the store. More moves events into another day.
const LARGEST_DIFFERENCE: SignedDuration = SignedDuration::from_mins(1);

/// A host on one line. Safe to show.
#[must_use]
pub fn in_words(host: &Host) -> String {
    let state = &host.state;
    let mut text = format!("{}: seen {:#} ago", printable(&state.name), host.silent_for);
    // A string takes everything.
    let _ = match state.last_batch {
        Some(last) => write!(text, ", last batch {last:.0}"),
        None => write!(text, ", no batch yet"),
    };
    if state.spool_batches > 0 {
        let _ = write!(text, ", {} batches ({}) wait", state.spool_batches, ByteSize(state.spool_bytes));
    }
    let _ = write!(text, ", complete before {}", state.complete_before);
    if host.clock_difference.as_secs() != 0 {
        let _ = write!(text, ", its clock is {}", difference(host));
    }
    text
}

/// `5s ahead`, `2m behind`.
fn difference(host: &Host) -> String {
    let whole = SignedDuration::from_secs(host.clock_difference.as_secs());
    format!("{:#} {}", whole.abs(), if whole.is_negative() { "behind" } else { "ahead" })
}

/// What needs attention about a host, with the remedy. Safe to show.
pub(crate) fn attention(host: &Host) -> Vec<String> {
    let name = printable(&host.state.name);
    let mut lines = Vec::new();
    if host.silent_for > LONGEST_SILENCE {
        lines.push(format!(
            "host {name}: not seen for {:#}; start its collector, or if it is gone for good, run: tlsrpt hosts forget {name}",
            host.silent_for
        ));
    }
    if host.clock_difference.abs() > LARGEST_DIFFERENCE {
        lines.push(format!("host {name}: its clock is {}; set it by NTP", difference(host)));
    }
    lines
}
