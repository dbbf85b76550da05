//! Hostile records, from the store to the mail server, the sendmail command and the web server. Each case has an expected outcome. The
//! actual outcomes are the table of docs/hostile-records.md: the test fails if the table differs, and
//! `WRITE_GENERATED=1 cargo test -p tlsrpt-deliver --test hostile` writes it.

#[path = "hostile/cases.rs"]
mod cases;
#[path = "sinks/sender.rs"]
mod sender;
#[path = "hostile/servers.rs"]
mod servers;
#[path = "hostile/table.rs"]
mod table;

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use cases::{Case, Expected, Setup};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use sender::{carrier, plan_settings, smtp_server, url};
use servers::{MailServer, WebServers};
use tlsrpt_deliver::{
    AddressGuard, Carrier, MailRoute, Observer, PlanSettings, Reporter, ReporterSettings,
    https::{HttpsClient, Verify},
};
use tlsrpt_format::datagram;
use tlsrpt_store::{
    Batch, BatchId, CountedEvent, Delivery, DeliveryState, Options, ReportFilter, Synchronous, open, open_reports,
};
use ureq::unversioned::{
    resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
    transport::NextTimeout,
};

/// How long one report may take. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one report may take to a web server where the cases wait for it.
const SHORT: Duration = Duration::from_secs(5);
/// How often cases with a short time are run again on a machine that stalls.
const ATTEMPTS: usize = 5;
const MAX_DESTINATIONS: usize = 10;
/// The address that `allow` has in the cases that need a server.
const PERMITTED: [u8; 4] = [127, 0, 0, 1];

/// The outcome of a case.
struct Happened {
    deliveries: Vec<Delivery>,
    /// What came at the servers for it: recipients, paths, arguments.
    arrived: Vec<String>,
}

#[test]
fn what_becomes_of_hostile_records() {
    let (web, mail) = (WebServers::start(), MailServer::start());
    let cases = cases::all(&web);
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let (mut rows, mut wrong) = (vec![None; cases.len()], Vec::new());
    for setup in Setup::ALL {
        let numbered: Vec<_> = cases.iter().enumerate().filter(|(_, case)| case.setup == setup).collect();
        for (number, happened) in run_all(setup, &numbered, &web, &mail) {
            let case = &cases[number];
            // All are judged: one run names all that are wrong.
            wrong.extend(std::panic::catch_unwind(|| judge(case, &happened)).err().map(|_| case.name));
            rows[number] = Some(table::row(case, &happened.deliveries, &web));
        }
    }
    assert_eq!(wrong, [""; 0]);
    let rows: Vec<_> = rows.into_iter().map(|row| row.expect("each case has run")).collect();
    // Each mail had one recipient, which its record names, and nothing in it that we did not write.
    for mail in mail.mails() {
        assert_eq!(mail.recipients, 1, "{mail:?}");
        assert_eq!(mail.headers.iter().filter(|name| *name == "To").count(), 1, "{mail:?}");
        let unknown: BTreeSet<_> =
            mail.headers.iter().filter(|name| !servers::HEADERS.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
    assert_eq!(web.at_other_addresses(), 0, "a report was posted to an address that is not permitted");
    table::compare(&rows);
}

fn judge(case: &Case, Happened { deliveries, arrived }: &Happened) {
    let name = case.name;
    let states: Vec<_> =
        deliveries.iter().map(|delivery| (delivery.state, delivery.attempts, delivery.unknown)).collect();
    let all = |state, attempts, unknown| {
        assert!(!states.is_empty(), "{name}: nothing is kept");
        assert!(states.iter().all(|found| *found == (state, attempts, unknown)), "{name}: {deliveries:?}");
    };
    match &case.expected {
        Expected::NeverTried => all(DeliveryState::Failed, 0, false),
        Expected::Refused => all(DeliveryState::Failed, 1, false),
        Expected::TriedAgain => all(DeliveryState::Waiting, 1, false),
        Expected::Unknown => all(DeliveryState::Waiting, 1, true),
        Expected::Delivered(to) => {
            all(DeliveryState::Delivered, 1, false);
            assert_eq!(arrived, to, "{name}");
            assert!(deliveries.iter().all(|delivery| delivery.warning.is_none()), "{name}: {deliveries:?}");
        }
        Expected::DeliveredWithWarning => {
            all(DeliveryState::Delivered, 1, false);
            assert!(deliveries.iter().all(|delivery| delivery.warning.is_some()), "{name}: {deliveries:?}");
        }
        Expected::DeliveredUpToTheLimit => {
            let delivered = states.iter().filter(|(state, ..)| *state == DeliveryState::Delivered).count();
            assert_eq!((delivered, states.len()), (MAX_DESTINATIONS, 2 * MAX_DESTINATIONS), "{name}");
        }
        Expected::NoReport => assert!(deliveries.is_empty(), "{name}: {deliveries:?}"),
    }
    if matches!(case.expected, Expected::NeverTried | Expected::NoReport) {
        assert_eq!(*arrived, [""; 0], "{name}");
    }
}

fn day_before_yesterday() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date().checked_sub(2.days()).unwrap()
}

/// Runs the cases of a setup. On a machine that stalls, the short time of some may be up before the server has the report: then
/// they are run again.
fn run_all(setup: Setup, cases: &[(usize, &Case)], web: &WebServers, mail: &MailServer) -> Vec<(usize, Happened)> {
    let mut happened = run(setup, cases, web, mail);
    for _ in 0..ATTEMPTS {
        let is_unknown =
            |(_, happened): &(usize, Happened)| happened.deliveries.iter().all(|delivery| delivery.unknown);
        if setup != Setup::Hasty || happened.iter().all(is_unknown) {
            break;
        }
        happened = run(setup, cases, web, mail);
    }
    happened
}

/// Runs the cases of a setup: each is the record of a domain of its own.
fn run(setup: Setup, cases: &[(usize, &Case)], web: &WebServers, mail: &MailServer) -> Vec<(usize, Happened)> {
    let directory = tempfile::tempdir().unwrap();
    let url = url(directory.path());
    let domain = |number: usize| format!("case{number}.example");
    let event = |number: usize, record: &str| {
        let text = serde_json::json!({
            "d": domain(number), "pr": record, "policies": [{"policy-type": 9, "t": 1, "f": 1}],
        });
        CountedEvent { event: datagram::parse(text.to_string().as_bytes()).unwrap(), times: 1 }
    };
    let batch = Batch {
        id: BatchId { writer: "test".into(), number: 1 },
        day: day_before_yesterday(),
        last_event: None,
        events: cases.iter().map(|(number, case)| event(*number, &case.record)).collect(),
        invalid: vec![],
        dropped: 0,
    };
    open(&url, Options::default()).unwrap().add(&batch).unwrap();
    let store = open_reports(&url, Synchronous::Full).unwrap();
    let carrier = carrier_of(setup, directory.path(), web, mail);
    let (mut reporter, _) = Reporter::new(store, settings(web), carrier, Observer::silent()).unwrap();
    reporter.make_all().unwrap();
    reporter.work_off().unwrap();
    drop(reporter);
    let mut store = open_reports(&url, Synchronous::Full).unwrap();
    let mut happened = |number: usize| {
        let filter = ReportFilter { domain: Some(domain(number)), ..ReportFilter::default() };
        let reports = store.reports(&filter, 10).unwrap();
        let deliveries: Vec<_> = reports.iter().flat_map(|report| store.deliveries(report.id).unwrap()).collect();
        let of_case = |domain_of_report: &str| domain_of_report == domain(number);
        let mut arrived: Vec<_> =
            mail.mails().into_iter().filter(|mail| of_case(&mail.domain)).map(|mail| mail.to).collect();
        arrived.extend(web.requests().into_iter().filter(|(domain, _)| of_case(domain)).map(|(_, path)| path));
        arrived
            .extend(commands(directory.path()).into_iter().filter(|(domain, _)| of_case(domain)).map(|(_, line)| line));
        arrived.sort();
        Happened { deliveries, arrived }
    };
    cases.iter().map(|(number, _)| (*number, happened(*number))).collect()
}

fn settings(web: &WebServers) -> ReporterSettings {
    ReporterSettings {
        plan: PlanSettings {
            max_destinations: MAX_DESTINATIONS,
            ports: [443].into_iter().chain(web.ports()).collect(),
            report_mx_hosts: false,
            ..plan_settings()
        },
        spread: Duration::ZERO,
        day: Some(day_before_yesterday()),
        max_per_destination: 1000,
        grace: Duration::ZERO,
    }
}

fn carrier_of(setup: Setup, directory: &Path, web: &WebServers, mail: &MailServer) -> Carrier {
    let (allow, verify) = match setup {
        Setup::Strict | Setup::Sendmail => (vec![], Verify::Prefer),
        Setup::Allowed | Setup::Hasty => {
            (vec![format!("{}/32", IpAddr::from(PERMITTED)).parse().unwrap()], Verify::Prefer)
        }
        Setup::Required => (vec![format!("{}/32", IpAddr::from(PERMITTED)).parse().unwrap()], Verify::Require),
    };
    let mail = match setup {
        Setup::Sendmail => MailRoute::Sendmail(command(directory)),
        _ => smtp_server(mail.port, PATIENCE),
    };
    let (guard, names) = (AddressGuard::new(allow), Arc::new(Names::default()));
    let timeout = if setup == Setup::Hasty { SHORT } else { PATIENCE };
    carrier(mail, HttpsClient::with_resolver(timeout, verify, &guard, &[web.authority()], names))
}

/// A sendmail command that keeps its arguments, a line each, and the mail.
fn command(directory: &Path) -> std::path::PathBuf {
    let file = directory.join("sendmail");
    let text = format!(
        "#!/bin/sh\nhere=$(mktemp -d {}/command.XXXXXX)\nprintf '%s\\n' \"$@\" >\"$here/arguments\"\ncat >\"$here/mail\"\n",
        directory.display()
    );
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

/// What the command was called with: the domain of the report, and the arguments without the envelope sender, which has a token.
fn commands(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let calls = entries.filter(|path| path.is_dir()).map(|call| {
        let arguments = fs::read_to_string(call.join("arguments")).unwrap();
        let (sender, rest): (Vec<_>, Vec<_>) = arguments.lines().partition(|line| line.starts_with("tlsrpt-bounces+"));
        assert_eq!(sender.len(), 1, "{arguments}");
        (servers::domain_of(&fs::read_to_string(call.join("mail")).unwrap()), rest.join(" "))
    });
    calls.collect()
}

/// The DNS of the cases: a URL with a path below `/dns-` has addresses as the case says, at each lookup anew; all else is the
/// system's.
#[derive(Debug, Default)]
struct Names {
    system: DefaultResolver,
    lookups: Mutex<HashMap<String, usize>>,
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some(name) = uri.path().strip_prefix("/dns-") else {
            return self.system.resolve(uri, config, timeout);
        };
        let mut lookups = self.lookups.lock().unwrap();
        let lookup = lookups.entry(name.to_owned()).or_default();
        let mut found = self.empty();
        for address in cases::addresses(name, *lookup) {
            found.push(SocketAddr::new(address, uri.port_u16().unwrap()));
        }
        *lookup += 1;
        if found.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(found) }
    }
}
