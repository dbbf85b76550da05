//! Whether the reporter of this host is told who sends the reports, and runs.

use tlsrpt_config::{Configuration, Report};
use tlsrpt_store::Url;

use crate::{collector::Collector, finding::Finding, paste, processes, remedy::Remedy};

const CHECK: &str = "reports";
/// The process of the reporter: its name, and its subcommands.
const PROCESS: &str = "tlsrpt";
const SUBCOMMANDS: [&str; 2] = ["deliver", "serve"];
/// The first process of a host. Who does not see it does not see the reporter, either.
const FIRST: u32 = 1;

/// Checks the keys without which no reports are made, and whether the reporter runs. A database has the reporter of another
/// host, perhaps, and so has the collector of another project.
#[must_use]
pub fn check_reports(configuration: &Configuration, collector: &Collector) -> Option<Finding> {
    if !matches!(configuration.store.url, Url::Sqlite(_)) || collector.may_be_another_one() {
        return None;
    }
    let Report { organization, contact, from, .. } = &configuration.report;
    let keys = [("organization", organization), ("contact", contact), ("from", from)];
    let missing: Vec<_> = keys.into_iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key).collect();
    if missing.is_empty() {
        let sees_all = processes::name_of_running(FIRST).is_some();
        return without_reporter(collector, sees_all && running_reporter().is_none());
    }
    let file = collector.configuration().to_string_lossy();
    let missing = missing.join(", ");
    let message = format!("events are counted, and no reports are made: {missing} in [report] of {file} are not set");
    let words = "set them, and start the reporter (man tlsrpt.toml has an example of each)";
    let command = format!("${{EDITOR:-vi}} {} && {}", paste::word(&file), collector.restart_reporter());
    Some(Finding::warn(CHECK, message, Remedy::after(words, command)))
}

/// The process of a reporter that runs all the time.
pub(crate) fn running_reporter() -> Option<u32> {
    processes::running(PROCESS, |word| SUBCOMMANDS.contains(&word))
}

fn without_reporter(collector: &Collector, is_absent: bool) -> Option<Finding> {
    let message = "events are counted, and no reports are sent: tlsrpt deliver is a service that starts with this host, and \
                   it does not run";
    (is_absent && collector.starts_reporter())
        .then(|| Finding::warn(CHECK, message, Remedy::run(collector.restart_reporter())))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tlsrpt_config::load_text;

    use super::{check_reports, without_reporter};
    use crate::{
        collector::tests::{of_other, of_service, with_reporter},
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

    #[test]
    fn a_reporter_that_should_run_is_missed() {
        let found = without_reporter(&with_reporter(), true).unwrap();
        assert_eq!((found.status, found.command()), (Status::Warn, Some("systemctl restart tlsrpt-deliver")));
        assert_eq!(without_reporter(&with_reporter(), false), None);
        assert_eq!(without_reporter(&of_service(), true), None);
    }
}
