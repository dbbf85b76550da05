//! Makes the files and mails in which reports come.

use std::io::{Cursor, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use tlsrpt_received::{Found, Item, find};
use zip::{ZipWriter, write::SimpleFileOptions};

pub(crate) const REPORT: &str = include_str!("../senders/no-place.json");

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A part of a mail in base64, in lines.
pub(crate) fn part(header: &str, content: &[u8]) -> String {
    let text = STANDARD.encode(content);
    let lines: Vec<_> = text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("{header}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n", lines.join("\r\n"))
}

pub(crate) fn multipart(kind: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    format!("Content-Type: {kind}; boundary=\"{boundary}\"\r\n\r\npreamble\r\n{parts}--{boundary}--\r\nepilogue\r\n")
}

pub(crate) const HEADER: &str = "Received: from mx.sender.example\r\n\tby mx.example.org; Tue, 24 Nov 2026 00:00:00 +0000\r\n\
     From: TLS reports <tls@Sender.example>\r\nTo: tls@example.org\r\nSubject: Report Domain: example.org\r\n\
     TLS-Report-Domain: example.org\r\nTLS-Report-Submitter: sender.example\r\nMIME-Version: 1.0\r\n";

/// A report mail with this attachment, as RFC 8460 section 5.3 has it.
pub(crate) fn mail(attachment: String) -> String {
    let text = "Content-Type: text/plain\r\n\r\nA report: {\"policies\"}\r\n".to_owned();
    HEADER.to_owned() + &multipart("multipart/report; report-type=\"tlsrpt\"", "=_b", &[text, attachment])
}

/// What is found: the reports, the problems, and how many have no report.
pub(crate) fn search(bytes: &[u8]) -> (Vec<Found>, Vec<String>, usize) {
    let (mut reports, mut problems, mut without) = (Vec::new(), Vec::new(), 0);
    find(bytes, "file", &mut |item| match item {
        Item::Report(found) => reports.push(*found),
        Item::Problem(problem) => problems.push(problem.to_string()),
        Item::NoReport(_) => without += 1,
    });
    (reports, problems, without)
}

/// The one report in these bytes.
pub(crate) fn only(bytes: &[u8]) -> Found {
    let (mut reports, problems, _) = search(bytes);
    assert_eq!((reports.len(), &problems), (1, &vec![]), "{}", String::from_utf8_lossy(bytes));
    reports.remove(0)
}
