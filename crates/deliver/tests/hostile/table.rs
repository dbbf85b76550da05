//! The table in docs/hostile-records.md.

use std::{env, fs, path::Path};

use tlsrpt_format::printable;
use tlsrpt_store::{Delivery, DeliveryState};

use crate::{cases::Case, servers::WebServers};

const FILE: &str = "../../docs/hostile-records.md";
/// How much of a record is shown, in characters.
const SHOWN: usize = 70;

const INTRODUCTION: &str = "# Hostile records

Anyone who owns a domain can write its TLSRPT record. The table shows what `tlsrpt deliver` does with records that try to add a header
field, a recipient or a command argument, to reach an address in the reporter's own network, or to slow the reporter down.

- PORT is a port that `ports` in `[https]` permits.
- The cases from `DNS: 16 times a loopback address` to the end have `allow = [\"127.0.0.1/32\"]` in `[https]`, the address of the test's
  server. The server listens at all addresses of this host, so the test sees a report that is posted to another one.
- `it may have arrived`: the connection was lost after the report was sent.

`cargo test -p tlsrpt-deliver --test hostile` runs each case from the store to the servers, and fails if the table differs.
`WRITE_GENERATED=1` before the command writes the table.

| case | record | outcome |
| --- | --- | --- |
";

/// The line of a case.
pub(crate) fn row(case: &Case, deliveries: &[Delivery], web: &WebServers) -> String {
    format!(
        "| {} | <code>{}</code> | {} |\n",
        case.name,
        cell(&shown(&case.record, web)),
        cell(&outcome(deliveries, web))
    )
}

/// Each different outcome, with how many deliveries have it where that is more than one.
fn outcome(deliveries: &[Delivery], web: &WebServers) -> String {
    let mut outcomes: Vec<(String, usize)> = Vec::new();
    for delivery in deliveries {
        let text = of_delivery(delivery);
        match outcomes.iter_mut().find(|(known, _)| *known == text) {
            Some((_, times)) => *times += 1,
            None => outcomes.push((text, 1)),
        }
    }
    if outcomes.is_empty() {
        return "nothing: there is no destination".into();
    }
    let texts =
        outcomes.into_iter().map(|(text, times)| if times > 1 { format!("{times} times {text}") } else { text });
    let text = texts.collect::<Vec<_>>().join("; ");
    let text = match deliveries {
        [only] if text == "delivered" && only.destination.starts_with("mailto:") => {
            format!("delivered to {}", only.destination)
        }
        _ => text,
    };
    without_ports(&text, web)
}

fn of_delivery(delivery: &Delivery) -> String {
    let answer = printable(&delivery.answer).to_string();
    match (delivery.state, delivery.attempts, delivery.unknown) {
        (DeliveryState::Failed, 0, _) => format!("never tried: {answer}"),
        (DeliveryState::Failed, ..) => format!("refused: {answer}"),
        // What the client had read by then differs.
        (DeliveryState::Waiting, _, true) => "tried again: it may have arrived".into(),
        (DeliveryState::Waiting, _, false) => format!("tried again: {}", without_time(&answer)),
        (DeliveryState::Delivered, ..) => {
            let warning = delivery.warning.as_deref().map(|warning| format!("; warning: {}", without_time(warning)));
            format!("delivered{}", warning.unwrap_or_default())
        }
        (state, ..) => state.name().to_owned(),
    }
}

/// The error of a certificate, without the time of the test.
fn without_time(text: &str) -> String {
    printable(text.split(": verification time").next().unwrap_or_default()).to_string()
}

fn shown(record: &str, web: &WebServers) -> String {
    let record = without_ports(record, web);
    let mut text: String = record.chars().take(SHOWN).collect();
    if text.len() < record.len() {
        text.push_str("...");
    }
    printable(&text).to_string()
}

fn without_ports(text: &str, web: &WebServers) -> String {
    web.ports().iter().fold(text.to_owned(), |text, port| text.replace(&format!(":{port}"), ":PORT"))
}

/// Text in a cell of a table in Markdown.
fn cell(text: &str) -> String {
    let pairs =
        [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;"), ("`", "&#96;"), ("*", "&#42;"), ("$", "&#36;")];
    pairs.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Compares the file with these rows, or writes it.
pub(crate) fn compare(rows: &[String]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let text = format!("{INTRODUCTION}{}", rows.concat());
    if env::var_os("WRITE_GENERATED").is_some() {
        return fs::write(&file, text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap();
    for (made, kept) in text.lines().zip(kept.lines()) {
        assert_eq!(made, kept, "docs/hostile-records.md is not what happens; run this test with WRITE_GENERATED=1");
    }
    assert_eq!(
        text.lines().count(),
        kept.lines().count(),
        "docs/hostile-records.md: run this test with WRITE_GENERATED=1"
    );
}
