//! `tlsrpt receive` with what would take all memory or time: a mail server starts it with whatever strangers send.

use std::{
    fs,
    io::{Cursor, Write},
};

use flate2::{Compression, write::GzEncoder};

use crate::host::{Done, Host, day_before, report};

/// The most memory that the command may map, in KiB: for two reports of 64 MiB, the program and its libraries.
const MOST_MEMORY: u32 = 400 << 10;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// An archive with the same member so many times.
fn zip(name: &str, member: &[u8], times: usize) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..times {
        archive.start_file(format!("{name}{number}"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(member).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn many(begin: &str, item: &str, times: usize, end: &str) -> Vec<u8> {
    [begin.as_bytes(), format!("{item},").repeat(times).as_bytes(), item.as_bytes(), end.as_bytes()].concat()
}

/// Runs `tlsrpt receive` with a limit of its memory in KiB.
fn receive(host: &Host, input: &[u8], memory: u32) -> Done {
    host.receive_with_limit(&format!("-v {memory}"), input)
}

#[test]
fn bombs_are_refused_in_little_memory() {
    let host = Host::new();
    let spaces = vec![b' '; 65 << 20];
    let thousandfold = gzip(&spaces);
    assert!(thousandfold.len() * 1000 < spaces.len(), "{}", thousandfold.len());
    let unpacks = "it unpacks to more than 64 MiB";
    let mut nested = zip("a", b"{", 20);
    for _ in 0..3 {
        nested = zip(&"long".repeat(1000), &nested, 5);
    }
    let values = "it has more than 2000000 values";
    let no_report = "tlsrpt: standard input: ";
    let cases = [
        ("gzip, a thousand times", thousandfold.clone(), unpacks),
        ("zip in zip in zip", nested, " others\n"),
        ("many objects", gzip(&many("{\"policies\":[", "{\"a\":0}", 200_000, "]}")), values),
        ("a million policies", gzip(&many("{\"policies\":[", "{}", 1_000_000, "]}")), values),
        ("a million texts", gzip(&many("{\"policies\":[", "\"a\"", 1_000_000, "]}")), values),
        ("many arrays", gzip(&many("{\"policies\":[", "[0]", 500_000, "]}")), values),
        ("deep JSON", gzip(&[b"{\"policies\":".to_vec(), vec![b'['; 100_000]].concat()), "recursion limit exceeded"),
        ("deep objects", gzip("{\"policies\":".repeat(100_000).as_bytes()), "recursion limit exceeded"),
    ];
    for (what, input, expected) in cases {
        let (code, shown, said) = receive(&host, &input, MOST_MEMORY);
        assert_eq!((code, shown.as_str()), (65, ""), "{what}: {said}");
        assert!(said.starts_with(no_report) && said.contains(expected) && said.len() < 3000, "{what}: {said}");
    }
    assert!(!host.path("tlsrpt.db").exists(), "nothing is kept");
    // A control: the limit of the memory is in force.
    let (code, _, said) = receive(&host, &thousandfold, 30 << 10);
    assert_ne!(code, 65, "{said}");
}

#[test]
fn what_is_just_within_the_limits_is_kept_in_little_memory() {
    let host = Host::new();
    for (what, input) in [
        ("objects", many("{\"policies\":[", "{\"a\":0}", 100_000, "]}")),
        (
            "failures",
            many("{\"policies\":[{\"failure-details\":[", "{\"result-type\":\"tlsa-invalid\"}", 100_000, "]}]}"),
        ),
        ("a long text", many("{\"policies\":[],\"x\":\"", "aaaaaaa", 1_000_000, "\"}")),
    ] {
        let (code, _, said) = receive(&host, &gzip(&input), MOST_MEMORY);
        assert_eq!(code, 0, "{what}: {said}");
    }
    assert!(fs::metadata(host.path("tlsrpt.db")).unwrap().len() < 4 << 20);
}

#[test]
fn a_mailbox_of_100_000_mails() {
    let host = Host::new();
    let mail = |text: &str| {
        format!("From a Tue Nov 24\nFrom: a@b.example\nContent-Type: application/tlsrpt+json\n\n{text}\n\n")
    };
    let (code, _, said) = receive(&host, mail("{").repeat(100_000).as_bytes(), MOST_MEMORY);
    assert!(code == 65 && said.ends_with("; and 99997 others\n"), "{code} {said}");
    let (code, _, said) =
        receive(&host, "From a Tue\nSubject: lunch\n\nAt noon?\n\n".repeat(100_000).as_bytes(), MOST_MEMORY);
    assert_eq!((code, said.as_str()), (0, "tlsrpt: the mail has no TLS report\n"));
    let reports: String =
        (0..1000).map(|number| mail(&report(&format!("Sender {number}"), day_before(1), 1, 0, ""))).collect();
    let (code, _, said) = receive(&host, reports.as_bytes(), MOST_MEMORY);
    assert!(
        code == 65 && said.contains("the mail has more than 100 reports") && said.ends_with("; and 897 others\n"),
        "{said}"
    );
    let (_, shown, _) = host.run(&["received", "--format", "json", "--days", "3"], b"");
    assert_eq!(shown.matches("\"report-id\"").count(), 100);
}
