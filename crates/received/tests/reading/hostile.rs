//! What strangers can send: it is refused with a reason, or read within the limits.

use std::fmt::Write;

use tlsrpt_received::{Unreadable, limits, read, text};

use crate::making::{HEADER, REPORT, gzip, mail, only, part, search, zip};

/// A file that unpacks to more than a report may have.
fn bomb() -> Vec<u8> {
    gzip(&vec![b' '; usize::try_from(limits::REPORT).unwrap() + 1])
}

fn only_problem(bytes: &[u8]) -> String {
    let (reports, mut problems, _) = search(bytes);
    assert_eq!((reports.len(), problems.len()), (0, 1), "{problems:?}");
    problems.remove(0)
}

const REFUSED: &str = "it unpacks to more than 64 MiB, which no report needs: it is refused";

#[test]
fn bombs_are_refused() {
    let bomb = bomb();
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert_eq!(only_problem(&bomb), format!("file: {REFUSED}"));
    let spaces = vec![b' '; usize::try_from(limits::REPORT).unwrap() + 1];
    assert_eq!(only_problem(&zip(&[("a.json", &spaces)])), format!("file: a.json: {REFUSED}"));
    let mail = mail(part("Content-Type: image/png; name=a.png", &bomb));
    assert_eq!(only_problem(mail.as_bytes()), format!("file: a.png: {REFUSED}"));
}

#[test]
fn all_members_of_an_archive_share_one_limit() {
    let spaces = vec![b' '; 40 << 20];
    let (reports, problems, _) = search(&zip(&[("1", &spaces), ("2", &spaces), ("3", &spaces), ("4", &spaces)]));
    let empty = |name| format!("file: {name}: it is empty");
    let over =
        |name, most| format!("file: {name}: it unpacks to more than {most} MiB, which no report needs: it is refused");
    assert_eq!((reports.len(), problems), (0, vec![empty("1"), empty("2"), empty("3"), over("4", 8)]));
}

#[test]
fn archives_have_a_limited_number_of_members() {
    let names: Vec<_> = (0..=limits::MEMBERS).map(|number| number.to_string()).collect();
    let members: Vec<_> = names.iter().map(|name| (name.as_str(), REPORT.as_bytes())).collect();
    assert_eq!(only_problem(&zip(&members)), "file: it has more than 100 members, which no report needs");
    assert_eq!(search(&zip(&members[1..])).0.len(), limits::MEMBERS);
}

#[test]
fn archives_in_archives_have_a_limited_depth() {
    let nested = |depth| (0..depth).fold(REPORT.as_bytes().to_vec(), |bytes, _| gzip(&bytes));
    assert_eq!(only(&nested(limits::DEPTH)).report.failed(), 3);
    assert_eq!(only_problem(&nested(limits::DEPTH + 1)), "file: it is nested more than 16 deep");
}

#[test]
fn parts_of_mails_have_a_limited_depth_and_number() {
    let mut nested = String::new();
    for depth in 0..100_000 {
        write!(nested, "Content-Type: multipart/mixed; boundary={depth}\n\n--{depth}\n").unwrap();
    }
    assert_eq!(only_problem(nested.as_bytes()), "file: its parts are nested more than 16 deep");
    let forwarded = "Content-Type: message/rfc822\n\n".repeat(100_000);
    assert_eq!(only_problem(forwarded.as_bytes()), "file: its parts are nested more than 16 deep");
    let many = format!("{HEADER}Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n\n".repeat(100_000));
    let (_, problems, _) = search(many.as_bytes());
    assert_eq!(problems[0], "file: it has more than 1000 parts");
}

#[test]
fn json_has_a_limited_depth_and_number_of_values() {
    let deep = "[".repeat(400_000);
    assert!(matches!(read(format!("{{\"policies\": {deep}").as_bytes()), Err(Unreadable::NotJson(_))));
    let many = format!("{{\"policies\": [{}{{}}]}}", "0,".repeat(limits::VALUES));
    assert_eq!(read(many.as_bytes()), Err(Unreadable::TooManyValues));
}

#[test]
fn policies_failures_and_texts_beyond_the_limits_are_counted() {
    let many = format!("{{\"policies\": [{}{{}}]}}", "{},".repeat(limits::POLICIES + 6));
    let found = read(many.as_bytes()).unwrap();
    assert_eq!((found.policies.len(), found.left_out), (limits::POLICIES, 7));
    let failures = "{},".repeat(limits::FAILURES);
    let many =
        format!("{{\"policies\": [{{\"failure-details\": [{failures}{{}},{{}}]}},{{\"failure-details\": [{{}}]}}]}}");
    let found = read(many.as_bytes()).unwrap();
    assert_eq!(
        (found.policies[0].failures.len(), found.policies[1].failures.len(), found.left_out),
        (limits::FAILURES, 0, 3)
    );
    let long = "ä".repeat(limits::TEXT);
    let found = read(format!("{{\"organization-name\": \"x{long}\", \"policies\": []}}").as_bytes()).unwrap();
    assert_eq!((found.organization.len(), found.shortened), (limits::TEXT - 1, 1));
}

#[test]
fn numbers_that_overflow_stay_at_the_largest() {
    let most = format!(
        "{{\"summary\": {{\"total-successful-session-count\": {0}, \"total-failure-session-count\": {0}}}}}",
        u64::MAX
    );
    let found = read(format!("{{\"policies\": [{most},{most}]}}").as_bytes()).unwrap();
    assert_eq!((found.succeeded(), found.failed()), (u64::MAX, u64::MAX));
}

#[test]
fn no_text_of_a_stranger_reaches_the_terminal_as_it_is() {
    const HOSTILE: &str = "\u{1b}[2J\u{9b}\u{202e}\n\u{7f}";
    let json = REPORT.replace(
        "result-type\": \"sts",
        "receiving-mx-hostname\": \"HOSTILE\", \"receiving-ip\": \"HOSTILE\", \
        \"sending-mta-ip\": \"HOSTILE\", \"receiving-mx-helo\": \"HOSTILE\", \"failure-reason-code\": \"HOSTILE\", \
        \"additional-information\": \"HOSTILE\", \"result-type\": \"HOSTILEsts",
    );
    let json = ["Office", "tlsrpt-noreply", "1234567890", "sts\"", "example.org"]
        .iter()
        .fold(json, |json, text| json.replace(text, &format!("HOSTILE{text}")));
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let json = json.replace("HOSTILE", quoted.trim_matches('"'));
    let header = "Content-Type: application/tlsrpt+json; name=\"x\u{1b}[2Jy\"";
    let found = only(mail(part(header, json.as_bytes())).as_bytes());
    let mut shown = Vec::new();
    text::found(&mut shown, &found).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    let escaped = shown.matches(r"\u{1b}[2J\u{9b}\u{202e}\n\u{7f}").count();
    assert!(escaped >= 12, "{escaped}: {shown}");
    assert!(shown.contains(r"file: x\u{1b}[2Jy"), "{shown}");
    assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown:?}");
    assert!(!shown.contains('\u{202e}'), "{shown:?}");
}
