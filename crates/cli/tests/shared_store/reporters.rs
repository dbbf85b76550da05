//! Several reporters of one store, some of which are killed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use tlsrpt_store::HostState;

use crate::{
    clock::Clock,
    host::{Service, until, yesterday},
    site::Site,
    smtp_sink::Sink,
};

const DOMAINS: usize = 400;

fn domains() -> Vec<String> {
    (0..DOMAINS).map(|n| format!("d{n}.example")).collect()
}

#[test]
fn reporters_share_the_work_and_take_over_what_a_killed_one_leaves() {
    let (site, sink) = (Site::new(), Sink::start());
    site.add(1, yesterday(), &domains());
    let host = Site::host(&site.url("tlsrpt_reporter"), sink.port);
    host.set("grace = \"0s\"");
    let killed = Service::start(&host, "deliver");
    let pid = killed.id();
    let _others: Vec<_> = (0..2).map(|_| Service::start(&host, "deliver")).collect();
    until("mails arrive", || sink.mails().len() > 20);
    drop(killed);
    let delivered = || site.sql("SELECT count(*) FROM delivery WHERE state = 'delivered'");
    until("everything is delivered, with what the killed one left", || {
        // Time passes faster for what it left.
        site.sql(&format!(
            "UPDATE delivery SET leased_until = 0 WHERE reporter LIKE '%-{pid}-%'; \
             UPDATE delivery SET next_attempt = 0 WHERE state = 'waiting' AND started IS NULL AND unknown"
        ));
        delivered() == DOMAINS.to_string()
    });
    let mut mails = BTreeMap::<_, Vec<_>>::new();
    for mail in sink.mails() {
        mails.entry(mail.to[0].clone()).or_default().push(mail.id());
    }
    assert_eq!(mails.len(), DOMAINS);
    assert_eq!(site.sql("SELECT count(*) FROM report"), DOMAINS.to_string());
    for (to, ids) in &mails {
        if ids.len() > 1 {
            let unknown = site.sql(&format!("SELECT unknown FROM delivery WHERE destination = 'mailto:{to}'"));
            assert_eq!(unknown, "t", "{to} has two mails: {ids:?}");
            assert!(ids.iter().all(|id| id == &ids[0]), "{ids:?}");
        }
    }
}

#[test]
fn a_day_waits_for_a_host_that_has_not_handed_in_all_of_it() {
    let day: Date = "2031-03-30".parse().unwrap();
    let (site, sink) = (Site::new(), Sink::start());
    let host = Site::host(&site.url("tlsrpt_reporter"), sink.port);
    site.add(1, day, &["a.example".into()]);
    site.add(2, day.yesterday().unwrap(), &["earlier.example".into()]);
    let check_in = |complete_before: Date| {
        let state = HostState {
            name: "mx1.example".into(),
            now: jiff::Timestamp::now(),
            complete_before,
            last_batch: None,
            spool_batches: 1,
            spool_bytes: 1,
        };
        site.collector().check_in(&state).unwrap();
    };
    check_in(day);
    let midnight = day.tomorrow().unwrap().to_zoned(TimeZone::UTC).unwrap().timestamp();
    let clock = Clock::at(&host, midnight + SignedDuration::from_mins(34));
    let deliver = || {
        let mut command = host.command(&["deliver", "--once"]);
        clock.for_process(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let mut to: Vec<_> = sink.mails().into_iter().map(|mail| mail.to[0].clone()).collect();
        to.sort();
        to
    };
    assert_eq!(deliver(), ["r@earlier.example"]);
    clock.set(midnight + SignedDuration::from_mins(36));
    assert_eq!(deliver(), ["r@a.example", "r@earlier.example"], "the grace of 30 minutes has passed");
    // What comes later goes into a further report.
    site.add(3, day, &["a.example".into()]);
    clock.set(midnight + SignedDuration::from_mins(7));
    assert_eq!(deliver().len(), 2);
    check_in(day.tomorrow().unwrap());
    assert_eq!(deliver(), ["r@a.example", "r@a.example", "r@earlier.example"]);
    assert_eq!(site.sql("SELECT max(number) FROM report"), "2");
}
