//! The reporter over a real store and a real (scripted) mail server: nothing is lost, nothing is sent twice.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use tlsrpt_deliver::{
    AddressGuard, Carrier, ContentSettings, MailAddress, MailRoute, Observer, PlanSettings, Privacy, Reporter,
    ReporterSettings,
    https::{HttpsClient, Verify},
    mail::Submitter,
    smtp::{Security, SmtpServer},
};
use tlsrpt_format::datagram;
use tlsrpt_store::{
    Batch, BatchId, CountedEvent, DeliveryState, Options, ReportFilter, Suppression, Synchronous, Url, open,
    open_reports,
};

/// A mail server that takes everything. Its port, and the Message-IDs that came.
fn sink(refuse: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let ids = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&ids);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let ids = Arc::clone(&all);
            thread::spawn(move || serve(stream.unwrap(), refuse, &ids));
        }
    });
    (port, ids)
}

fn serve(stream: TcpStream, refuse: &str, ids: &Mutex<Vec<String>>) {
    let mut out = stream.try_clone().unwrap();
    let mut say = |line: &str| out.write_all(format!("{line}\r\n").as_bytes());
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    if say("220 sink").is_err() {
        return;
    }
    while let Some(line) = lines.next() {
        let answer = match line.as_str() {
            "DATA" => {
                let _ = say("354 go on");
                let mail: Vec<_> = lines.by_ref().take_while(|line| line != ".").collect();
                let id = mail.iter().find(|line| line.starts_with("Message-ID:")).cloned().unwrap_or_default();
                ids.lock().unwrap().push(id);
                "250 taken"
            }
            line if !refuse.is_empty() && line.contains(refuse) => "550 5.1.1 no such user",
            _ => "250 fine",
        };
        if say(answer).is_err() {
            return;
        }
    }
}

fn yesterday() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date().checked_sub(1.day()).unwrap()
}

fn url(folder: &Path) -> Url {
    Url::Sqlite(folder.join("tlsrpt.db"))
}

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
        plan: PlanSettings {
            content: ContentSettings {
                organization: "Sender".into(),
                contact: "c@sender.example".into(),
                submitter: "sender.example".into(),
                host: "h".into(),
                max_size: 1 << 20,
                max_failure_details: 100,
                privacy: Privacy::default(),
            },
            max_destinations: 3,
            ports: vec![443],
            failures_only: false,
            exclude: HashSet::new(),
        },
        spread: Duration::ZERO,
        day: Some(yesterday()),
        max_per_destination: 100,
    }
}

fn carrier(port: u16) -> Carrier {
    let address = |text: &str| text.parse::<MailAddress>().unwrap();
    Carrier {
        mail: MailRoute::Smtp(SmtpServer {
            host: "127.0.0.1".into(),
            port,
            security: Security::Opportunistic,
            credentials: None,
            hello_name: "mail.sender.example".into(),
            timeout: Duration::from_secs(10),
            authorities: vec![],
        }),
        submitter: Submitter { from: address("noreply@sender.example"), signer: None },
        bounces: address("tlsrpt-bounces@sender.example"),
        https: HttpsClient::new(Duration::from_secs(2), Verify::Prefer, &AddressGuard::default(), &[]),
    }
}

fn reporter(folder: &Path, port: u16) -> Reporter {
    Reporter::new(open_reports(&url(folder), Synchronous::Full).unwrap(), settings(), carrier(port), Observer::silent())
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
    let (port, ids) = sink("");
    let domains = || (0..300).map(|n| format!("d{n}.example"));
    add(folder.path(), yesterday(), 1, domains(), true);
    {
        let mut reporter = reporter(folder.path(), port);
        assert_eq!(reporter.make_all().unwrap(), 300);
        assert_eq!(reporter.work_off().unwrap().delivered, 300);
        assert_eq!(reporter.make_all().unwrap(), 0);
    }
    let first: HashSet<_> = ids.lock().unwrap().iter().cloned().collect();
    assert_eq!((first.len(), ids.lock().unwrap().len()), (300, 300));

    add(folder.path(), yesterday(), 2, ["d7.example".to_owned()].into_iter(), true);
    let mut reporter = reporter(folder.path(), port);
    assert_eq!(reporter.make_all().unwrap(), 1);
    assert_eq!(reporter.work_off().unwrap().delivered, 1);
    let last = ids.lock().unwrap().last().unwrap().clone();
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
        carrier(1),
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
    let (port, _) = sink("RCPT");
    add(folder.path(), yesterday(), 1, ["a.example".to_owned()].into_iter(), true);
    let mut reporter = reporter(folder.path(), port);
    reporter.make_all().unwrap();
    assert_eq!(reporter.work_off().unwrap().ended, 1);
    let expected = ("mailto:r@a.example".to_owned(), DeliveryState::Failed, "550 5.1.1 no such user".to_owned());
    assert_eq!(states(folder.path()), [expected]);
}

#[test]
fn a_server_that_is_away_is_tried_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    add(folder.path(), yesterday(), 1, ["a.example".to_owned()].into_iter(), true);
    let mut reporter = reporter(folder.path(), port);
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
    let (port, ids) = sink("");
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
    let mut reporter = reporter(folder.path(), port);
    reporter.make_all().unwrap();
    let round = reporter.work_off().unwrap();
    assert_eq!((round.delivered, round.ended, ids.lock().unwrap().len()), (1, 2, 1));
    let states: Vec<_> = states(folder.path()).into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, [DeliveryState::Suppressed, DeliveryState::Suppressed, DeliveryState::Delivered]);
}

#[test]
fn a_destination_of_many_domains_gets_no_more_than_its_limit_in_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let (port, ids) = sink("");
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
    let mut reporter = reporter(folder.path(), port);
    reporter.make_all().unwrap();
    let round = reporter.work_off().unwrap();
    // The hour may end in between, which gives the destination a new limit.
    assert!(round.delivered >= 100 && round.delivered + round.deferred == 150, "{round:?}");
    assert_eq!(ids.lock().unwrap().len() as u64, round.delivered);
}
