//! Facts that need no attention of this host, and that whoever looks at it should know.

use tlsrpt_format::printable;
use tlsrpt_store::{Error, ErrorKind};

use crate::{deliveries::failed_deliveries, extent::Extent, stored::Stored};

/// Each fact on one line.
pub(crate) fn notes(stored: &Result<Stored, Error>, extent: Extent) -> Vec<String> {
    match stored {
        // A search for damage was asked for and cannot be made, which needs attention.
        Err(error) if error.kind() == ErrorKind::AddsOnly && !extent.integrity => vec![format!(
            "store: the counters, reports, alerts and hosts in it are not shown: {}",
            printable(&error.to_string())
        )],
        Err(_) => Vec::new(),
        Ok(stored) => failed_deliveries(stored)
            .filter(|failed| !failed.needs_attention())
            .map(|failed| failed.in_words())
            .collect(),
    }
}
