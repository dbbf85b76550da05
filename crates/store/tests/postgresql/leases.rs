//! Several reporters of one store: none has what another has, and what one leaves is taken over.

use std::{collections::BTreeSet, thread};

use tlsrpt_store::{Attempt, Delivery, DeliveryState, Leases, MxHostShare, NewReport, ReportStore, Route, Timestamp};

use crate::{
    behaviour::{
        batches::{DAY, GOOD, batch, day, event},
        reporting::{ALL, NOW, attempt, make, report, store},
    },
    place::Place,
};

fn reporter(place: &Place) -> Box<dyn ReportStore> {
    let mut reporter = place.reports();
    reporter.become_reporter(NOW).unwrap();
    reporter
}

/// Ends all leases, as time does.
fn end_leases(place: &Place) {
    place.sql("UPDATE delivery SET leased_until = server_time() - 1 WHERE started IS NOT NULL");
}

/// Makes what waits for the end of a lease due, as time does.
fn pass_time(place: &Place) {
    place.sql("UPDATE delivery SET next_attempt = 0 WHERE state = 'waiting' AND started IS NULL");
}

fn begin(reporter: &mut dyn ReportStore) -> Vec<Delivery> {
    reporter.begin_attempts(Route::Mail, NOW, None, 10).unwrap()
}

#[test]
fn each_report_is_made_by_one_of_the_reporters_and_each_delivery_begun_by_one() {
    const DOMAINS: usize = 300;
    let place = Place::new();
    let events: Vec<_> = (0..DOMAINS).map(|n| (event(&format!("d{n}.example"), "r", &[GOOD]), 1)).collect();
    place.open().add(&batch(1, DAY, &events)).unwrap();
    let work = || {
        let mut reporter = reporter(&place);
        let mut made = Vec::new();
        // A reporter passes over domains that another has just now, and looks again.
        while !reporter.unreported_days(day("2026-11-25")).unwrap().is_empty() {
            let mut after = String::new();
            while let Some(last) = reporter
                .make_reports(day(DAY), &after, 20, ALL, &mut |unreported| {
                    made.push((unreported.domain.clone(), unreported.number));
                    let id = format!("{}@sender.example", unreported.domain);
                    Some(NewReport { report_id: id, ..report() })
                })
                .unwrap()
            {
                after = last;
            }
        }
        let mut begun = Vec::new();
        loop {
            let some = begin(reporter.as_mut());
            if some.is_empty() {
                return (made, begun);
            }
            let delivered: Vec<_> = some.iter().map(|delivery| attempt(delivery, DeliveryState::Delivered)).collect();
            reporter.end_attempts(&delivered).unwrap();
            begun.extend(some.into_iter().map(|delivery| delivery.id));
        }
    };
    let all = thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    let made: Vec<_> = all.iter().flat_map(|(made, _)| made).collect();
    let different: BTreeSet<_> = made.iter().map(|(domain, _)| domain).collect();
    assert_eq!((made.len(), different.len()), (DOMAINS, DOMAINS));
    assert!(made.iter().all(|(_, number)| *number == 1));
    let begun: Vec<_> = all.iter().flat_map(|(_, begun)| begun).collect();
    assert_eq!((begun.len(), begun.iter().collect::<BTreeSet<_>>().len()), (DOMAINS, DOMAINS));
    assert_eq!(place.number("SELECT count(*) FROM delivery WHERE state = 'delivered'"), DOMAINS as i64);
    assert_eq!(place.number("SELECT sum(attempts) FROM delivery WHERE state = 'delivered'"), DOMAINS as i64);
}

#[test]
fn what_a_dead_reporter_had_is_taken_over_with_an_unknown_outcome_after_its_lease() {
    let (place, mut first) = store();
    assert_eq!(first.become_reporter(NOW), Ok(0));
    make(first.as_mut());
    let begun = begin(first.as_mut());
    assert_eq!(begun.len(), 1);
    let mut second = place.reports();
    // The first may still live.
    assert_eq!((second.become_reporter(NOW), begin(second.as_mut())), (Ok(0), vec![]));
    drop(first);
    end_leases(&place);
    assert_eq!(place.reports().become_reporter(NOW), Ok(1));
    let left = second.delivery(begun[0].id).unwrap().unwrap();
    assert_eq!((left.state, left.unknown, left.attempts), (DeliveryState::Waiting, true, 1));
    assert_eq!(left.answer, "the reporter was interrupted");
    // Whoever was only cut off has time to say what became of it.
    assert_eq!(begin(second.as_mut()), []);
    pass_time(&place);
    let again = begin(second.as_mut());
    assert_eq!(again.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [begun[0].id]);
    second.end_attempts(&[attempt(&again[0], DeliveryState::Delivered)]).unwrap();
    let done = second.delivery(begun[0].id).unwrap().unwrap();
    assert_eq!((done.state, done.unknown, done.attempts), (DeliveryState::Delivered, true, 2));
}

#[test]
fn a_reporter_that_lost_its_lease_only_tells_what_was_delivered() {
    for (outcome, expected) in [
        (DeliveryState::Delivered, DeliveryState::Delivered),
        (DeliveryState::Failed, DeliveryState::Waiting),
        (DeliveryState::Waiting, DeliveryState::Waiting),
    ] {
        let (place, mut first) = store();
        first.become_reporter(NOW).unwrap();
        make(first.as_mut());
        let begun = begin(first.as_mut());
        end_leases(&place);
        let mut second = reporter(&place);
        pass_time(&place);
        let taken = begin(second.as_mut());
        assert_eq!(taken.len(), 1);
        first.end_attempts(&[attempt(&begun[0], outcome)]).unwrap();
        assert_eq!(first.delivery(begun[0].id).unwrap().unwrap().state, expected, "{outcome:?}");
        // The second one's outcome changes nothing about a delivery.
        second.end_attempts(&[Attempt { unknown: true, ..attempt(&taken[0], DeliveryState::Waiting) }]).unwrap();
        let state = second.delivery(begun[0].id).unwrap().unwrap().state;
        assert_eq!(state, expected, "{outcome:?}");
        // The positive control: its outcome counts where it has the lease.
        if expected == DeliveryState::Waiting {
            let answers = place.sql("SELECT unknown, answer FROM delivery WHERE attempts = 2");
            assert_eq!(answers, "t|the answer");
        }
    }
}

#[test]
fn leases_that_are_renewed_do_not_end_and_lost_ones_are_named() {
    let (place, mut first) = store();
    first.become_reporter(NOW).unwrap();
    make(first.as_mut());
    let mail = begin(first.as_mut())[0].id;
    let https = first.begin_attempts(Route::Https, NOW, None, 10).unwrap()[0].id;
    place.sql("UPDATE delivery SET leased_until = server_time() + 5 WHERE started IS NOT NULL");
    assert_eq!(first.renew_leases(&[mail, https]), Ok(Leases::default()));
    assert_eq!(place.sql("SELECT count(*) FROM delivery WHERE leased_until > server_time() + 30"), "2");
    // One that is not renewed ends, and another reporter finds it when it renews its own.
    place.sql("UPDATE delivery SET leased_until = server_time() - 1 WHERE started IS NOT NULL");
    assert_eq!(first.renew_leases(&[mail]), Ok(Leases { lost: vec![], taken_over: 1 }));
    let mut second = reporter(&place);
    assert_eq!(second.renew_leases(&[https]), Ok(Leases { lost: vec![https], taken_over: 0 }));
    end_leases(&place);
    assert_eq!(second.renew_leases(&[]), Ok(Leases { lost: vec![], taken_over: 1 }));
    assert_eq!(first.renew_leases(&[mail, https]), Ok(Leases { lost: vec![mail, https], taken_over: 0 }));
}

#[test]
fn the_attempts_at_a_destination_are_counted_over_all_reporters() {
    let place = Place::new();
    let hour = Timestamp::from_second(1_795_262_400).unwrap();
    let count = |_| {
        let mut reporter = reporter(&place);
        (0..25).map(|_| reporter.count_attempt("mailto:r@a.example", hour).unwrap()).collect::<Vec<_>>()
    };
    let mut counts = thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|number| scope.spawn(move || count(number))).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    counts.sort_unstable();
    assert_eq!(counts, (0..100).collect::<Vec<_>>());
    let mut reporter = reporter(&place);
    assert_eq!(reporter.count_attempt("mailto:r@b.example", hour), Ok(0));
    let next = Timestamp::from_second(hour.as_second() + 3600).unwrap();
    assert_eq!(reporter.count_attempt("mailto:r@a.example", next), Ok(0));
}

#[test]
fn an_mx_host_is_looked_up_and_reported_to_by_one_reporter() {
    let (place, mut first) = store();
    let share = MxHostShare { host: "mx".into(), domain: "a".into(), destinations: vec![], policies: vec![] };
    let mut made = Some(NewReport { mx_hosts: vec![share], ..report() });
    first.make_reports(day(DAY), "", 10, ALL, &mut |_| made.take()).unwrap();
    let mut second = place.reports();
    let now = Timestamp::now();
    assert_eq!((first.has_mx_hosts(now, None), second.has_mx_hosts(now, None)), (Ok(true), Ok(true)));
    assert_eq!(first.mx_hosts(now, None, 10).unwrap(), [(day(DAY), "mx".to_owned())]);
    assert_eq!((second.mx_hosts(now, None, 10).unwrap(), second.has_mx_hosts(now, None)), (vec![], Ok(false)));
    assert_eq!(second.waiting_mx_hosts(None), Ok(1));
    let of_host = |number: u32| vec![NewReport { report_id: format!("{number}@x"), ..report() }];
    assert_eq!(first.make_mx_host_reports(day(DAY), "mx", &mut |number, _| of_host(number)), Ok(1));
    assert_eq!(second.make_mx_host_reports(day(DAY), "mx", &mut |number, _| of_host(number)), Ok(0));
    assert_eq!(second.waiting_mx_hosts(None), Ok(0));
}

#[test]
fn texts_that_the_server_cannot_keep_do_not_hold_a_batch_up() {
    let place = Place::new();
    let mut store = place.open();
    let failing = r#""policy-type":9,"failure-details":[{"c":204,"f":"a\u0000b"},{"c":201,"f":"\",\"c\":7"}],"f":1"#;
    let long = "x".repeat(70_000);
    let events = [
        (event("nul\\u0000.example", "r\\u0000", &[failing]), 1),
        (event(&long, &long, &[GOOD]), 2),
        (event(&format!("{long}y"), &long, &[GOOD]), 4),
        (event("b.example", "r", &[failing]), 8),
    ];
    store.add(&batch(1, DAY, &events)).unwrap();
    let mut reader = place.reader();
    let mut found: Vec<_> = reader.domains(day(DAY), "", 10).unwrap().iter().map(|domain| domain.events).collect();
    found.sort_unstable();
    assert_eq!(found, [1, 2, 4, 8]);
    assert_eq!(reader.policies(day(DAY), "b.example").unwrap()[0].failures.len(), 2);
    // Failures for which there is no room are added up by code, whatever their texts are.
    let none = tlsrpt_store::FailureLimit { number: 0, bytes: 0 };
    let unreported = place.reports().unreported(day(DAY), "b.example", none).unwrap().unwrap();
    let mut kinds: Vec<_> =
        unreported.policies[0].failures.iter().map(|counts| counts.failure.as_ref().unwrap().result_type()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [Ok("certificate-expired"), Ok("starttls-not-supported")]);
    // A destination of any length.
    let mut long_one = report();
    long_one.deliveries[0].destination = long;
    assert_eq!(place.reports().keep_report(day(DAY), "b.example", &long_one), Ok(true));
}

#[test]
fn a_text_that_was_removed_with_its_day_is_sent_again() {
    let place = Place::new();
    let mut store = place.open();
    let bad = r#""policy-type":9,"failure-details":[{"c":204}],"f":1"#;
    let events = [(event("a.example", "r", &[bad]), 1)];
    store.add(&batch(1, DAY, &events)).unwrap();
    let forget = "DELETE FROM failures; DELETE FROM sessions; DELETE FROM domain_of_day; DELETE FROM day; \
                  DELETE FROM record WHERE id > 0; DELETE FROM policy WHERE id > 0; DELETE FROM failure WHERE id > 0";
    place.sql(forget);
    store.add(&batch(2, DAY, &events)).unwrap();
    let policies = place.reader().policies(day(DAY), "a.example").unwrap();
    assert_eq!((policies.len(), policies[0].record.as_str(), policies[0].failures.len()), (1, "r", 1));
    assert_eq!(place.reports().check().unwrap(), [""; 0]);
    // The control of the check.
    place.sql("DELETE FROM policy WHERE id > 0");
    assert_eq!(place.reports().check().unwrap(), ["rows of sessions that refer to a missing row of policy: 1"]);
}

#[test]
fn collectors_that_add_at_once_lose_nothing_and_do_not_deadlock() {
    const COLLECTORS: u64 = 8;
    const BATCHES: u64 = 12;
    let place = Place::new();
    thread::scope(|scope| {
        for number in 0..COLLECTORS {
            let place = &place;
            scope.spawn(move || {
                let mut collector = crate::privileges::shared(place);
                for n in 1..=BATCHES {
                    // Common domains in another order for each, and new texts in each batch, on two days.
                    let mut events: Vec<_> =
                        (0..40).map(|d| (event(&format!("d{d}.example"), &format!("r{n}"), &[GOOD]), 1)).collect();
                    let middle = usize::try_from((number * 7) % 40).unwrap();
                    events.rotate_left(middle);
                    events.push((event(&format!("own{number}-{n}.example"), "r", &[GOOD]), 1));
                    let on = if (n + number) % 2 == 0 { DAY } else { "2026-11-25" };
                    let mut batch = batch(n, on, &events);
                    batch.id.writer = format!("collector{number}");
                    collector.add(&batch).unwrap();
                }
            });
        }
    });
    let total = COLLECTORS * BATCHES * 41;
    let days = place.reader().days().unwrap();
    assert_eq!(days.iter().map(|day| day.events).sum::<u64>(), total);
    assert_eq!(days.iter().map(|day| day.domains).sum::<u64>(), 40 * 2 + COLLECTORS * BATCHES);
    assert_eq!(place.sql("SELECT sum(succeeded) FROM sessions"), total.to_string());
    assert_eq!(place.reports().check().unwrap(), [""; 0]);
}

#[test]
fn the_limits_of_a_day_hold_over_all_collectors() {
    let place = Place::new();
    let collector = place.url("tlsrpt_collector");
    let limits = tlsrpt_store::Limits { domains: 30, policies: 20, failures: 10, ..tlsrpt_store::Limits::default() };
    thread::scope(|scope| {
        for number in 0..6 {
            let collector = &collector;
            scope.spawn(move || {
                let options = tlsrpt_store::Options { limits, ..Default::default() };
                let mut store = tlsrpt_store::open(collector, options).unwrap();
                for n in 1..=5 {
                    let failing =
                        format!(r#""policy-type":9,"failure-details":[{{"c":204,"f":"{number} {n}"}}],"f":1"#);
                    let events: Vec<_> =
                        (0..4).map(|d| (event(&format!("d{number}-{n}-{d}.example"), "r", &[&failing]), 1)).collect();
                    let mut batch = batch(n, DAY, &events);
                    batch.id.writer = format!("collector{number}");
                    store.add(&batch).unwrap();
                }
            });
        }
    });
    let counts = &place.reader().days().unwrap()[0];
    assert_eq!((counts.events, counts.domains, counts.policies, counts.failures), (120, 30, 20, 10));
    assert_eq!(place.sql("SELECT sum(events) FROM domain_of_day"), "120");
    assert_eq!(place.sql("SELECT count(*) FROM domain WHERE id > 0"), "30");
    assert_eq!(place.sql("SELECT sum(times) FROM failures"), "120");
    assert_eq!(place.sql("SELECT count(*) FROM failures WHERE failure > 0"), "10");
}
