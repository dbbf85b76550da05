//! The reporter over a real store and a real (scripted) mail server: nothing is lost, nothing is sent twice.

#[path = "sinks/sender.rs"]
mod sender;
#[path = "sinks/smtp.rs"]
mod smtp_sink;

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{Timestamp, civil::Date};
use tlsrpt_deliver::{
    AddressGuard, Carrier, Observer, Reporter, ReporterSettings,
    https::{HttpsClient, Verify},
    service,
};
use tlsrpt_format::datagram;
use tlsrpt_service::{Ending, Log};
use tlsrpt_store::{
    Attempt, Batch, BatchId, CountedEvent, DeliveryState, Options, ReportFilter, Route, Suppression, Synchronous, open,
    open_reports,
};

use crate::{
    sender::{carrier, plan_settings, smtp_server, url, yesterday},
    smtp_sink::{Sink, nobody, silent},
};

/// Adds an event for each of these domains, failed or not.
fn add(folder: &Path, day: Date, number: u64, domains: impl Iterator<Item = String>, failed: bool) {
    let events = domains.map(|domain| {
        let text = format!(
            "{{\"dpv\":\"1\",\"d\":\"{domain}\",\"pr\":\"v=TLSRPTv1;rua=mailto:r@{domain}\",\
             \"policies\":[{{\"policy-type\":9,\"t\":0,\"f\":{}}}]}}",
            u8::from(failed)
        );
        CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 1 }
    });
    let batch = Batch {
        id: BatchId { writer: "test".into(), number },
        day,
        last_event: None,
        events: events.collect(),
        invalid: vec![],
        dropped: 0,
    };
    open(&url(folder), Options::default()).unwrap().add(&batch).unwrap();
}

fn settings() -> ReporterSettings {
    ReporterSettings {
        plan: plan_settings(),
        spread: Duration::ZERO,
        day: Some(yesterday()),
        max_per_destination: 100,
        grace: Duration::ZERO,
    }
}

/// How long an attempt may take. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn carrier_to(port: u16) -> Carrier {
    let https = HttpsClient::new(PATIENCE, Verify::Prefer, &AddressGuard::default(), &[]);
    carrier(smtp_server(port, PATIENCE), https)
}

fn reporter(folder: &Path, port: u16) -> Reporter {
    Reporter::new(
        open_reports(&url(folder), Synchronous::Full).unwrap(),
        settings(),
        carrier_to(port),
        Observer::silent(),
    )
    .unwrap()
    .0
}

fn states(folder: &Path) -> Vec<(String, DeliveryState, String)> {
    let mut store = open_reports(&url(folder), Synchronous::Full).unwrap();
    let reports = store.reports(&ReportFilter::default(), 10_000).unwrap();
    let deliveries = reports.iter().flat_map(|report| store.deliveries(report.id).unwrap()).collect::<Vec<_>>();
    deliveries.into_iter().map(|to| (to.destination, to.state, to.answer)).collect()
}

#[test]
fn each_domain_gets_one_report_and_later_events_a_further_one() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let domains = || (0..300).map(|n| format!("d{n}.example"));
    add(folder.path(), yesterday(), 1, domains(), true);
    {
        let mut reporter = reporter(folder.path(), sink.port);
        assert_eq!(reporter.make_all().unwrap(), 300);
        assert_eq!(reporter.work_off().unwrap().delivered, 300);
        assert_eq!(reporter.make_all().unwrap(), 0);
    }
    let first: HashSet<_> = sink.ids().into_iter().collect();
    assert_eq!((first.len(), sink.ids().len()), (300, 300));

    add(folder.path(), yesterday(), 2, ["d7.example".to_owned()].into_iter(), true);
    let mut reporter = reporter(folder.path(), sink.port);
    assert_eq!(reporter.make_all().unwrap(), 1);
    assert_eq!(reporter.work_off().unwrap().delivered, 1);
    let last = sink.ids().last().unwrap().clone();
    assert!(last.contains(&format!("{}.2.", yesterday())) && !first.contains(&last), "{last}");
    let mut store = open_reports(&url(folder.path()), Synchronous::Full).unwrap();
    let filter = ReportFilter { domain: Some("D7.example.".into()), ..ReportFilter::default() };
    let reports = store.reports(&filter, 10).unwrap();
    assert_eq!(reports.iter().map(|report| (report.number, report.failed)).collect::<Vec<_>>(), [(1, 1), (2, 1)]);
}

#[test]
fn only_one_reporter_works_on_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let first = reporter(folder.path(), 1);
    let second = Reporter::new(
        open_reports(&url(folder.path()), Synchronous::Full).unwrap(),
        settings(),
        carrier_to(1),
        Observer::silent(),
    );
    let error = second.err().unwrap();
    assert_eq!(error.kind(), tlsrpt_store::ErrorKind::Locked, "{error}");
    drop(first);
    reporter(folder.path(), 1);
}

#[test]
fn a_refused_delivery_keeps_the_words_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::refusing("RCPT");
    add(folder.path(), yesterday(), 1, ["a.example".to_owned()].into_iter(), true);
    let mut reporter = reporter(folder.path(), sink.port);
    reporter.make_all().unwrap();
    assert_eq!(reporter.work_off().unwrap().ended, 1);
    let expected = ("mailto:r@a.example".to_owned(), DeliveryState::Failed, "550 5.1.1 no such user".to_owned());
    assert_eq!(states(folder.path()), [expected]);
}

#[test]
fn a_server_that_is_away_is_tried_again_later() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), yesterday(), 1, ["a.example".to_owned()].into_iter(), true);
    let mut reporter = reporter(folder.path(), nobody());
    reporter.make_all().unwrap();
    assert_eq!(reporter.work_off().unwrap().deferred, 1);
    assert_eq!(reporter.waiting().unwrap(), 1);
    let mut store = open_reports(&url(folder.path()), Synchronous::Full).unwrap();
    let delivery = store.delivery(1).unwrap().unwrap();
    let wait = delivery.next_attempt.unwrap().duration_since(delivery.last_attempt.unwrap());
    assert_eq!((delivery.attempts, delivery.unknown, wait.as_mins()), (1, false, 5));
}

#[test]
fn suppressed_targets_get_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let domains = ["a.example", "b.example", "c.example"].map(str::to_owned);
    add(folder.path(), yesterday(), 1, domains.into_iter(), true);
    let mut store = open_reports(&url(folder.path()), Synchronous::Full).unwrap();
    let entry = |target: &str, until: Option<Timestamp>| Suppression {
        target: target.into(),
        until,
        days: None,
        reason: "they asked".into(),
    };
    store.suppress(&entry("mailto:r@a.example", None)).unwrap();
    store.suppress(&entry("b.example", None)).unwrap();
    store.suppress(&entry("c.example", Some(Timestamp::UNIX_EPOCH))).unwrap();
    drop(store);
    let mut reporter = reporter(folder.path(), sink.port);
    reporter.make_all().unwrap();
    let round = reporter.work_off().unwrap();
    assert_eq!((round.delivered, round.ended, sink.ids().len()), (1, 2, 1));
    let states: Vec<_> = states(folder.path()).into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, [DeliveryState::Suppressed, DeliveryState::Suppressed, DeliveryState::Delivered]);
}

#[test]
fn a_destination_of_many_domains_gets_no_more_than_its_limit_in_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let record = "v=TLSRPTv1;rua=mailto:all@hoster.example";
    let events = (0..150).map(|n| {
        let text = format!(
            "{{\"d\":\"d{n}.example\",\"pr\":\"{record}\",\"policies\":[{{\"policy-type\":9,\"t\":0,\"f\":1}}]}}"
        );
        CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 1 }
    });
    let batch = Batch {
        id: BatchId { writer: "test".into(), number: 1 },
        day: yesterday(),
        last_event: None,
        events: events.collect(),
        invalid: vec![],
        dropped: 0,
    };
    open(&url(folder.path()), Options::default()).unwrap().add(&batch).unwrap();
    let mut reporter = reporter(folder.path(), sink.port);
    reporter.make_all().unwrap();
    let round = reporter.work_off().unwrap();
    // The hour may end in between, which gives the destination a new limit.
    assert!(round.delivered >= 100 && round.delivered + round.deferred == 150, "{round:?}");
    assert_eq!(sink.ids().len() as u64, round.delivered);
}

/// An event with the DANE policy of an MX host.
fn dane(domain: &str, record: &str, host: &str) -> CountedEvent {
    let text = format!(
        "{{\"d\":\"{domain}\",\"pr\":\"{record}\",\"policies\":[{{\"policy-type\":1,\"policy-domain\":\"{host}\",\
         \"policy-string\":[\"3 1 1 AB\"],\"failure-details\":[{{\"c\":304}}],\"t\":1,\"f\":1}}]}}"
    );
    CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 2 }
}

fn add_all(folder: &Path, events: Vec<CountedEvent>) {
    let id = BatchId { writer: "test".into(), number: 1 };
    let batch = Batch { id, day: yesterday(), last_event: None, events, invalid: vec![], dropped: 0 };
    open(&url(folder), Options::default()).unwrap().add(&batch).unwrap();
}

#[test]
fn an_mx_host_gets_a_report_that_names_the_domains_and_no_address_hears_twice() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    add_all(
        folder.path(),
        vec![
            dane("a.example", "v=TLSRPTv1;rua=mailto:r@a.example", "MX.hoster.example."),
            dane("b.example", "v=TLSRPTv1;rua=mailto:all@hoster.example", "mx.hoster.example"),
            dane("c.example", "v=TLSRPTv1;rua=mailto:r@c.example", "mx.silent.example"),
            dane("d.example", "v=TLSRPTv1;rua=mailto:r@d.example", "mx.none.example"),
        ],
    );
    let asked = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&asked);
    let look_up = move |host: &str| {
        names.lock().unwrap().push(host.to_owned());
        match host {
            "mx.hoster.example" => Ok(Some("v=TLSRPTv1;rua=mailto:all@hoster.example,mailto:x@hoster.example".into())),
            "mx.none.example" => Ok(None),
            _ => Err("no answer".into()),
        }
    };
    let mut reporter = reporter(folder.path(), sink.port).with_mx_hosts(Arc::new(look_up));
    assert_eq!(reporter.make_all().unwrap(), 4);
    assert_eq!(reporter.work_off().unwrap().delivered, 6);
    let mut asked = asked.lock().unwrap().clone();
    asked.sort();
    assert_eq!(asked, ["mx.hoster.example", "mx.none.example", "mx.silent.example"]);
    // The host without an answer is looked up again later.
    assert_eq!(reporter.waiting().unwrap(), 1);

    let mails = sink.mails();
    let of_host = |to: &str| {
        let has_host = |line: &String| line.as_str() == "TLS-Report-Domain: mx.hoster.example";
        let found = mails.iter().filter(|mail| mail.to == [to] && mail.lines.iter().any(has_host));
        found
            .flat_map(|mail| mail.lines.iter().find(|line| line.contains("recipient domains:")).cloned())
            .collect::<Vec<_>>()
    };
    // all@ has the report of b.example, so it hears of a.example alone.
    assert_eq!(of_host("all@hoster.example"), ["  recipient domains: a.example"]);
    assert_eq!(of_host("x@hoster.example"), ["  recipient domains: a.example, b.example"]);
    let mut store = open_reports(&url(folder.path()), Synchronous::Full).unwrap();
    let filter = ReportFilter { domain: Some("mx.hoster.example".into()), ..ReportFilter::default() };
    let counts: Vec<_> =
        store.reports(&filter, 10).unwrap().iter().map(|report| (report.number, report.failed)).collect();
    assert_eq!(counts, [(1, 2), (2, 4)]);
}

/// An event with the DANE policies of these MX hosts, each with so many different failures whose text has so many bytes.
fn dane_of_many(domain: &str, hosts: impl Iterator<Item = String>, failures: usize, bytes: usize) -> CountedEvent {
    let details: Vec<_> = (0..failures).map(|n| serde_json::json!({"c": 304, "a": format!("{n:0>bytes$}")})).collect();
    let policy = |host| {
        serde_json::json!({
            "policy-type": 1, "policy-domain": host, "policy-string": ["3 1 1 AB"], "failure-details": details,
            "t": failures, "f": 1,
        })
    };
    let event = serde_json::json!({
        "d": domain, "pr": format!("v=TLSRPTv1;rua=mailto:r@{domain}"), "policies": hosts.map(policy).collect::<Vec<_>>(),
    });
    CountedEvent { event: datagram::parse(event.to_string().as_bytes()).unwrap(), times: 1 }
}

#[test]
fn one_report_of_an_mx_host_has_at_most_2_mib_of_shares() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let names = ["a.example", "b.example", "c.example"];
    // Each share has more than 1 MiB, so the second is the last in the first report.
    let of_host = || std::iter::once("mx.hoster.example".to_owned());
    add_all(folder.path(), names.map(|name| dane_of_many(name, of_host(), 90, 12_000)).into());
    let look_up = |_: &str| Ok(Some("v=TLSRPTv1;rua=mailto:all@hoster.example".into()));
    let mut reporter = reporter(folder.path(), sink.port).with_mx_hosts(Arc::new(look_up));
    assert_eq!(reporter.make_all().unwrap(), 3);
    assert_eq!(reporter.work_off().unwrap().delivered, 5);
    let mut store = open_reports(&url(folder.path()), Synchronous::Full).unwrap();
    let filter = ReportFilter { domain: Some("mx.hoster.example".into()), ..ReportFilter::default() };
    let ids: Vec<_> = store.reports(&filter, 10).unwrap().iter().map(|report| report.id).collect();
    let reports = ids.into_iter().map(|id| store.report(id).unwrap().unwrap());
    let of_host: Vec<_> =
        reports.map(|report| (report.number, names.map(|name| report.summary.contains(name)))).collect();
    assert_eq!(of_host, [(1, [true, true, false]), (2, [false, false, true])]);
}

#[test]
fn once_ends_when_the_hour_has_its_lookups_and_the_next_one_looks_the_other_mx_hosts_up() {
    const LOOKUPS_OF_AN_HOUR: usize = 10_000;
    const HOSTS: usize = 10_200;
    const HOSTS_OF_A_DOMAIN: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let host = |n: usize| format!("mx{n}.example");
    let event =
        |first: usize| dane_of_many(&format!("d{first}.example"), (first..first + HOSTS_OF_A_DOMAIN).map(host), 1, 1);
    add_all(folder.path(), (0..HOSTS).step_by(HOSTS_OF_A_DOMAIN).map(event).collect());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let run = || {
        let names = Arc::clone(&asked);
        let look_up = move |host: &str| {
            names.lock().unwrap().push(host.to_owned());
            Ok(None)
        };
        let store = open_reports(&url(folder.path()), Synchronous::Normal).unwrap();
        let (reporter, _) = Reporter::new(store, settings(), carrier_to(sink.port), Observer::silent()).unwrap();
        let (ending, _end) = Ending::of_part();
        service::once(reporter.with_mx_hosts(Arc::new(look_up)), &ending, Log::start().unwrap()).unwrap()
    };
    let first = run();
    let looked_up = asked.lock().unwrap().len();
    assert_eq!((first.made, first.deliveries.delivered), (51, 51));
    assert!((LOOKUPS_OF_AN_HOUR..HOSTS).contains(&looked_up), "{looked_up}");
    assert_eq!(first.waiting, (HOSTS - looked_up) as u64);
    assert_eq!(run().waiting, 0);
    let mut asked = asked.lock().unwrap().clone();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), HOSTS);
}

#[test]
fn what_was_not_begun_at_the_end_waits_as_before() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), yesterday(), 1, (0..40).map(|n| format!("d{n}.example")), true);
    {
        let mut reporter = reporter(folder.path(), silent());
        reporter.make_all().unwrap();
        reporter.round().unwrap();
        // The threads of mail wait for the greeting; the rest was not begun.
        let under_way = reporter.finish(Duration::from_secs(2)).unwrap();
        assert!((1..=4).contains(&under_way), "{under_way}");
    }
    let mut store = open_reports(&url(folder.path()), Synchronous::Full).unwrap();
    let interrupted = store.become_reporter(Timestamp::now()).unwrap();
    assert!((1..=4).contains(&interrupted), "{interrupted}");
    assert_eq!(store.waiting(None).unwrap(), 40);
    let unknown = (1..=40).filter(|id| store.delivery(*id).unwrap().unwrap().unknown).count();
    assert_eq!(unknown as u64, interrupted);
}

#[test]
fn a_cancelled_delivery_stays_so_and_a_resent_one_has_a_day_again() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), yesterday(), 1, ["a.example".to_owned()].into_iter(), true);
    let mut reporter = reporter(folder.path(), nobody());
    reporter.make_all().unwrap();
    let mut store = open_reports(&url(folder.path()), Synchronous::Full).unwrap();
    let begun = store.begin_attempts(Route::Mail, Timestamp::now(), None, 10).unwrap();
    assert_eq!((begun.len(), store.cancel(1).unwrap()), (1, 1));
    let now = Timestamp::now();
    let attempt = |state| Attempt {
        delivery: 1,
        at: now,
        tried: true,
        state,
        next_attempt: (state == DeliveryState::Waiting).then_some(now),
        unknown: false,
        answer: "451 later".into(),
        warning: None,
    };
    store.end_attempts(&[attempt(DeliveryState::Waiting)]).unwrap();
    let delivery = store.delivery(1).unwrap().unwrap();
    assert_eq!((delivery.state, delivery.next_attempt), (DeliveryState::Cancelled, None));
    assert_eq!(store.resend(1, now).unwrap(), 1);
    let delivery = store.delivery(1).unwrap().unwrap();
    assert_eq!((delivery.state, delivery.first_attempt), (DeliveryState::Waiting, None));
    // One that is delivered was not stopped in time.
    store.cancel(1).unwrap();
    store.end_attempts(&[attempt(DeliveryState::Delivered)]).unwrap();
    assert_eq!(store.delivery(1).unwrap().unwrap().state, DeliveryState::Delivered);
}

#[test]
fn sessions_that_can_be_in_no_report_are_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let event = |domain: &str, policy_type: u32| {
        let text = format!(
            "{{\"d\":\"{domain}\",\"pr\":\"v=TLSRPTv1;rua=mailto:r@a.example\",\"policies\":[{{\"policy-type\":{policy_type},\"f\":0}}]}}"
        );
        CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 2 }
    };
    let batch = Batch {
        id: BatchId { writer: "test".into(), number: 1 },
        day: yesterday(),
        last_event: None,
        events: vec![event("a.example", 9), event("b.example", 7), event("no host name", 9), event("no host name", 7)],
        invalid: vec![],
        dropped: 0,
    };
    open(&url(folder.path()), Options::default()).unwrap().add(&batch).unwrap();
    // Nothing is delivered here.
    let mut reporter = reporter(folder.path(), 1);
    let mut made = Vec::new();
    for _ in 0..3 {
        let some = reporter.make_some().unwrap().unwrap();
        made.push((some.reports, some.in_no_report));
    }
    // One of a type that is unknown, two of a name that is none; said once, with the last reports about the day.
    assert_eq!(made, [(1, 0), (0, 6), (0, 0)]);
}

#[test]
fn the_limit_of_a_destination_holds_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let add = |number, domains: std::ops::Range<u32>| {
        let event = |n| {
            let text = format!(
                "{{\"d\":\"d{n}.example\",\"pr\":\"v=TLSRPTv1;rua=mailto:all@hoster.example\",\
                 \"policies\":[{{\"policy-type\":9,\"t\":0,\"f\":1}}]}}"
            );
            CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 1 }
        };
        let id = BatchId { writer: "test".into(), number };
        let events = domains.map(event).collect();
        let batch = Batch { id, day: yesterday(), last_event: None, events, invalid: vec![], dropped: 0 };
        open(&url(folder.path()), Options::default()).unwrap().add(&batch).unwrap();
    };
    let hour = || Timestamp::now().as_second() / 3600;
    let begin = hour();
    let mut delivered = Vec::new();
    for (number, domains) in [(1, 0..60), (2, 60..120)] {
        add(number, domains);
        let mut reporter = reporter(folder.path(), sink.port);
        reporter.make_all().unwrap();
        delivered.push(reporter.work_off().unwrap().delivered);
    }
    // The hour may end in between, which gives the destination a new limit.
    assert!(delivered == [60, 40] || hour() > begin, "{delivered:?}");
    assert_eq!(sink.ids().len() as u64, delivered.iter().sum::<u64>());
}
