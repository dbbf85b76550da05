//! Midnight UTC while the service runs. The service has a clock of its own, which the test sets.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

use crate::{
    clock::Clock,
    host::{Host, Service, until},
    smtp_sink::Sink,
};

const DOMAINS: usize = 8;
const SPREAD: SignedDuration = SignedDuration::from_hours(2);

fn midnight_after(day: Date) -> Timestamp {
    day.tomorrow().unwrap().to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// The deliveries, and the time of each in this member, sorted.
fn times(reports: &Value, member: &str) -> Vec<(String, Timestamp)> {
    let deliveries = reports["reports"].as_array().unwrap().iter().map(|report| &report["deliveries"][0]);
    let time = |delivery: &Value| {
        let text = delivery[member].as_str().unwrap_or_else(|| panic!("no {member}: {delivery}"));
        (delivery["destination"].as_str().unwrap().to_owned(), text.parse().unwrap())
    };
    let mut times: Vec<(String, Timestamp)> = deliveries.map(time).collect();
    times.sort_by_key(|(_, time)| *time);
    times
}

#[test]
fn the_reports_of_a_day_are_made_after_midnight_and_leave_within_the_spread() {
    let day: Date = "2031-03-30".parse().unwrap();
    let (midnight, ready) = (midnight_after(day), midnight_after(day) + SignedDuration::from_mins(5));
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "");
    host.change("spread = \"0s\"", &format!("spread = \"{}h\"", SPREAD.as_hours()));
    let domains: Vec<_> = (0..DOMAINS).map(|n| (format!("d{n}.example"), format!("mailto:r@d{n}.example"))).collect();
    let domains: Vec<_> = domains.iter().map(|(domain, to)| (domain.as_str(), to.as_str())).collect();
    host.add(day, &domains);
    // Of a day that has ended already, so that a report shows that the service has looked at all days.
    let earlier = day.yesterday().unwrap();
    host.add(earlier, &[("earlier.example", "mailto:r@earlier.example")]);

    let clock = Clock::at(&host, midnight - SignedDuration::from_mins(1));
    let mut command = host.command(&["deliver"]);
    clock.for_process(&mut command);
    let service = Service::spawn(command);
    until("the report of the day before is delivered", || sink.ids().len() == 1);
    let of_day = |day: Date| host.reports(&["--day", &day.to_string()]);
    assert_eq!(of_day(day)["reports"].as_array().unwrap().len(), 0, "the day has not ended");

    clock.set(ready);
    let reports = || of_day(day)["reports"].as_array().unwrap().len();
    until("the reports are made after midnight", || reports() == DOMAINS);
    let due = times(&of_day(day), "next-attempt");
    let ends = ready + SPREAD;
    assert!(due.iter().all(|(_, time)| (ready..=ends).contains(time)), "{due:?}");
    assert!(due[0].1 < due[DOMAINS - 1].1, "all are due at once: {due:?}");

    // A delivery that is begun too early has this time in the store.
    for some in [DOMAINS / 2, DOMAINS] {
        clock.set(due[some - 1].1);
        until("what is due is delivered", || sink.ids().len() > some);
    }
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    for (destination, at) in times(&of_day(day), "last-attempt") {
        let due = due.iter().find(|(of, _)| *of == destination).unwrap().1;
        assert!(at >= due, "{destination} was due at {due}, and tried at {at}");
    }
    assert_eq!(sink.ids().len(), DOMAINS + 1);
    assert!(said.contains(&format!("{DOMAINS} reports about {day}")), "{said}");
}
