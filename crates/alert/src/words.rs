//! An alert in words, and as JSON for a command.

use serde_json::{Value, json};
use tlsrpt_format::printable;
use tlsrpt_store::Alert;

/// The alert in one line, for the log and the subject of a mail. Safe to show.
pub(crate) fn line(alert: &Alert) -> String {
    let Alert { domain, events, failed, .. } = alert;
    format!("TLS with {} has begun to fail: {failed} of {events} sessions", printable(domain))
}

/// The text of a mail.
pub(crate) fn letter(alert: &Alert) -> String {
    let Alert { domain, begun, reasons, .. } = alert;
    let domain = printable(domain);
    let reasons = if reasons.is_empty() { "unknown".to_string() } else { printable(reasons).to_string() };
    format!(
        "{}.\n\n\
         Noticed: {begun:.0}\n\
         Reasons today: {reasons}\n\n\
         Sessions with this domain succeeded within the last days. If other domains fail as well, look at this host first.\n\
         For details, run:\n\n    tlsrpt status --domain {domain}\n\n\
         There is no further mail about this domain until its sessions have succeeded again.\n",
        line(alert)
    )
}

/// The facts for a command, as JSON.
pub(crate) fn facts(alert: &Alert) -> Value {
    let Alert { domain, begun, events, failed, reasons, .. } = alert;
    json!({
        "domain": domain,
        "noticed": begun.to_string(),
        "sessions": events,
        "failed": failed,
        "reasons": reasons,
        "text": line(alert),
    })
}
