//! Whether the reporter of this host is told who sends the reports.

use tlsrpt_config::{Configuration, Report};
use tlsrpt_store::Url;

use crate::{collector::Collector, finding::Finding, paste, remedy::Remedy};

const CHECK: &str = "reports";

/// Checks the keys without which no reports are made. A database has the reporter of another host, perhaps, and so has the collector of
/// another project.
#[must_use]
pub fn check_reports(configuration: &Configuration, collector: &Collector) -> Option<Finding> {
    if !matches!(configuration.store.url, Url::Sqlite(_)) || collector.may_be_another_one() {
        return None;
    }
    let Report { organization, contact, from, .. } = &configuration.report;
    let keys = [("organization", organization), ("contact", contact), ("from", from)];
    let missing: Vec<_> = keys.into_iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key).collect();
    if missing.is_empty() {
        return None;
    }
    let file = collector.configuration().to_string_lossy();
    let missing = missing.join(", ");
    let message = format!("events are counted, and no reports are made: {missing} in [report] of {file} are not set");
    let words = "set them, and start the reporter (man tlsrpt.toml has an example of each)";
    let command = format!("${{EDITOR:-vi}} {} && {}", paste::word(&file), collector.restart_reporter());
    Some(Finding::warn(CHECK, message, Remedy::after(words, command)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tlsrpt_config::load_text;

    use super::check_reports;
    use crate::{
        collector::tests::{of_other, of_service},
        finding::Status,
    };

    #[test]
    fn the_missing_keys_are_named() {
        let of = |text: &str| load_text(Path::new("f"), text).unwrap().configuration;
        let partly = of("[report]\norganization = \"Example GmbH\"\n");
        let found = check_reports(&partly, &of_service()).unwrap();
        assert_eq!(found.status, Status::Warn);
        assert!(found.message.contains("no reports are made: contact, from in [report] of /etc/"), "{found:?}");
        assert_eq!(found.command(), Some("${EDITOR:-vi} /etc/tlsrpt/tlsrpt.toml && systemctl restart tlsrpt-deliver"));
        assert_eq!(check_reports(&partly, &of_other()), None);
        assert_eq!(check_reports(&of("[store]\nurl = \"postgresql://host/db\"\n"), &of_service()), None);
        let whole = "[report]\norganization = \"A\"\ncontact = \"a@example.com\"\nfrom = \"b@example.com\"\n";
        assert_eq!(check_reports(&of(whole), &of_service()), None);
    }
}
