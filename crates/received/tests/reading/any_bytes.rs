//! What holds for any bytes that somebody sends. The fuzzer `received` and the test of its inputs share it.

use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use tlsrpt_received::{Found, Item, dkim, find, keeping::to_keep, read, text};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A record of a DKIM key.
const KEY: &[u8] = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// Reads the bytes as they are, and in each container: a fuzzer cannot guess checksums.
pub(crate) fn run(bytes: &[u8]) {
    search(bytes);
    search(&gzip(bytes));
    search(&zip(bytes));
    search(&[b"From: a@b.example\nContent-Type: application/tlsrpt+json\n\n", bytes].concat());
    let _ = dkim::verify(bytes, now(), &|_| Ok(vec![KEY.to_vec()]));
    let _ = dkim::verify(
        b"From: a@b.example\nDKIM-Signature: v=1; a=ed25519-sha256; d=b.example; s=s; h=from; bh=; b=\n\n",
        now(),
        &|_| Ok(vec![bytes.to_vec()]),
    );
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap_or_default()
}

fn search(bytes: &[u8]) {
    find(bytes, "input", &mut |item| match item {
        Item::Report(found) => report(&found),
        Item::Problem(problem) | Item::NoReport(problem) => is_safe(&problem.to_string()),
    });
}

/// A report that was found has words that are safe to show and JSON, can be kept, and is read again from its text.
fn report(found: &Found) {
    let mut words = Vec::new();
    text::found(&mut words, found).expect("memory takes everything");
    let words = String::from_utf8(words).expect("words are UTF-8");
    words.lines().for_each(is_safe);
    serde_json::to_string(found).expect("it has JSON");
    let kept = to_keep(found, String::new(), now());
    assert!(kept.counts.len() <= found.report.policies.len());
    let again = read(&found.json).expect("it was read before");
    assert_eq!((&again.organization, again.failed()), (&found.report.organization, found.report.failed()));
}

/// No control character and no mark of the direction of a text reaches a terminal.
fn is_safe(line: &str) {
    let bad = |character: &char| character.is_control() || ('\u{202a}'..='\u{202e}').contains(character);
    assert_eq!(line.chars().find(bad), None, "{line:?}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("memory takes everything");
    packed.finish().expect("memory takes everything")
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("a", SimpleFileOptions::default()).expect("a short name");
    archive.write_all(bytes).expect("memory takes everything");
    archive.finish().expect("memory takes everything").into_inner()
}
