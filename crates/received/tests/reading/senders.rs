//! What real senders write, and how it departs from the RFC.

use jiff::civil::date;
use tlsrpt_received::{Report, read};

fn report(json: &str) -> Report {
    read(json.as_bytes()).unwrap_or_else(|why| panic!("{why}: {json}"))
}

fn departures(report: &Report) -> Vec<String> {
    let words = |departure: &tlsrpt_received::Departure| {
        let text = departure.to_string();
        let section = departure.rule.section();
        text.strip_suffix(&format!(" (RFC 8460 section {section})")).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    report.departures.iter().map(words).collect()
}

const NO_DETAILS: &str = "policies[0].failure-details is missing; an empty array says that nothing failed";

#[test]
fn failure_details_are_left_out_where_nothing_failed() {
    let found = report(include_str!("../senders/no-failure-details.json"));
    assert_eq!(departures(&found), [NO_DETAILS]);
    assert_eq!((found.day(), found.succeeded(), found.failed()), (Some(date(2026, 11, 22)), 1204, 0));
    assert_eq!(found.policies[0].mx_hosts, ["*.example.org"]);
    assert_eq!(found.policies[0].lines.len(), 4);
    assert_eq!(departures(&report(include_str!("../senders/no-policy.json"))), [NO_DETAILS]);
}

#[test]
fn tlsa_records_as_one_text() {
    let found = report(include_str!("../senders/tlsa-as-json-text.json"));
    let lines: Vec<_> = found.policies[0].lines.iter().map(|line| &line[..10]).collect();
    assert_eq!(lines, ["3 1 1 6007", "3 1 1 837C"]);
    let expected = "policies[0].policy.policy-string is one text with a JSON array in it, and not an array of texts";
    assert_eq!(departures(&found), [expected]);
}

#[test]
fn no_contact_and_the_midnight_after_the_day() {
    let found = report(include_str!("../senders/no-contact.json"));
    assert_eq!((found.day(), &found.contact), (Some(date(2026, 11, 11)), &None));
    assert_eq!(found.policies[0].mx_hosts, ["mx.example.org"]);
    assert_eq!(
        departures(&found),
        [
            "contact-info is null, and not a value",
            "date-range.end-datetime is the midnight after the day, which belongs to the next day; the last second of the day is usual",
            "policies[0].policy.mx-host is a line of the policy file, and not the name of a host",
        ]
    );
}

#[test]
fn failures_without_a_place_are_in_order() {
    let found = report(include_str!("../senders/no-place.json"));
    assert_eq!(departures(&found), [""; 0]);
    assert_eq!((found.policies[0].failures[0].sessions, found.failed()), (3, 3));
}

#[test]
fn much_at_once() {
    let found = report(include_str!("../senders/strange.json"));
    assert_eq!(
        (found.report_id.as_str(), found.day(), found.succeeded(), found.failed()),
        ("17", Some(date(2026, 11, 24)), 12, 4)
    );
    let policy = &found.policies[0];
    assert_eq!((policy.kind.as_str(), policy.domain_name().as_deref()), ("sts", Some("example.org")));
    assert_eq!((policy.lines.len(), policy.mx_hosts.len(), policy.failures[0].sessions), (1, 1, 4));
    assert_eq!(
        departures(&found),
        [
            "report-id is not text, and is left out",
            "date-range.start-datetime is a time without an offset such as Z, and is taken as UTC: 2026-11-24T02:00:00",
            "date-range is not one full day in UTC",
            "policies is one value, and not an array",
            "policies[0].policy.policy-type is not in lower case: STS",
            "policies[0].policy.policy-string is one value, and not an array",
            "policies[0].policy.mx-host has another name: mx-host-pattern",
            "policies[0].summary.total-successful-session-count is text, and not a number: 12",
            "policies[0].summary.total-failure-session-count has another name: total-failure-session-count:",
            "policies[0].summary.total-failure-session-count: is text, and not a number: 4",
            "policies[0].failure-details is one value, and not an array",
            "policies[0].failure-details[0].result-type is not a result type of the RFC: certificate-too-old",
            "policies[0].failure-details[0].failed-session-count is text, and not a number: 4",
            "policies[0].failure-details[0].receiving-ip is null, and not a value",
        ]
    );
}

#[test]
fn a_number_of_sessions_is_whole() {
    let failed = |number: &str| {
        let summary = format!(r#"{{"total-successful-session-count": 0, "total-failure-session-count": {number}}}"#);
        let json = format!(r#"{{"policies": [{{"summary": {summary}, "failure-details": []}}]}}"#);
        let found = report(&json);
        (found.failed(), departures(&found).iter().any(|known| known.ends_with("is not a number of sessions")))
    };
    for number in ["12", "12.0", "1.2e1"] {
        assert_eq!(failed(number), (12, false), "{number}");
    }
    for number in ["12.5", "-12", "-12.0", "1e300", "true"] {
        assert_eq!(failed(number), (0, true), "{number}");
    }
}

#[test]
fn what_is_missing_is_said_and_the_rest_is_read() {
    let found = report(
        "{\"policies\": [{}, 5, {\"summary\": null, \"failure-details\": [{\"failed-session-count\": 2}, {}]}]}",
    );
    assert_eq!((found.day(), found.policies.len(), found.failed()), (None, 2, 3));
    let missing = departures(&found);
    for expected in [
        "organization-name is missing",
        "date-range is missing",
        "contact-info is missing",
        "report-id is missing",
        "policies[0].policy is missing (2 times)",
        "policies[0].policy.policy-type is missing (2 times)",
        "policies[0].summary is missing",
        "policies[1] is not an object, and is left out",
        "policies[2].summary is not an object, and is left out",
        "policies[2].failure-details[0].result-type is missing, so the reason of these failures is not known (2 times)",
        "policies[2].failure-details[1].failed-session-count is missing",
    ] {
        assert!(missing.iter().any(|found| found == expected), "{expected}: {missing:#?}");
    }
}

#[test]
fn the_day_is_that_of_the_middle_of_the_range() {
    for (begin, end, day) in [
        ("2026-11-24T00:00:00Z", "2026-11-24T23:59:59Z", Some(date(2026, 11, 24))),
        ("2026-11-23T23:59:59Z", "2026-11-24T23:59:59Z", Some(date(2026, 11, 24))),
        ("2026-11-24T00:00:00-05:00", "2026-11-24T23:59:59-05:00", Some(date(2026, 11, 24))),
        ("2026-11-24", "2026-11-25", Some(date(2026, 11, 24))),
        ("soon", "2026-11-25T00:00:00Z", Some(date(2026, 11, 24))),
        ("2026-11-24T00:00:00Z", "later", Some(date(2026, 11, 24))),
        ("soon", "later", None),
    ] {
        let json = format!(
            "{{\"date-range\": {{\"start-datetime\": \"{begin}\", \"end-datetime\": \"{end}\"}}, \"policies\": []}}"
        );
        assert_eq!(report(&json).day(), day, "{begin} {end}");
    }
}
