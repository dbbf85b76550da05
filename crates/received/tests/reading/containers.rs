//! Files, archives, mails and mailboxes, known by their content.

use crate::making::{HEADER, REPORT, gzip, mail, multipart, only, part, search, zip};

#[test]
fn plain_and_packed() {
    let bytes = REPORT.as_bytes();
    for (packed, place) in [
        (bytes.to_vec(), "file"),
        ([b"\xef\xbb\xbf\r\n", bytes].concat(), "file"),
        (gzip(bytes), "file"),
        (gzip(&gzip(bytes)), "file"),
        // As gzip does, what is behind the packed report is left out.
        ([gzip(bytes), vec![0; 512]].concat(), "file"),
        ([gzip(bytes), b"\r\n".to_vec()].concat(), "file"),
        ([gzip(&bytes[..99]), gzip(&bytes[99..]), b"-- \nfooter\n".to_vec()].concat(), "file"),
        (zip(&[("a.json", bytes)]), "file: a.json"),
        (zip(&[("a.json", bytes), ("__MACOSX/._a.json", b"\0\x05\x16\x07"), (".DS_Store", b"\0")]), "file: a.json"),
        (zip(&[("in/", b""), ("in/a.gz", &gzip(bytes))]), "file: in/a.gz"),
    ] {
        let found = only(&packed);
        assert_eq!((found.place.as_str(), found.report.failed()), (place, 3));
        assert_eq!(found.mail, None);
    }
}

#[test]
fn mails_as_they_come() {
    let (json, packed) = (REPORT.as_bytes(), gzip(REPORT.as_bytes()));
    let attachments = [
        part("Content-Type: application/tlsrpt+gzip; name=\"a!b!1!2.json.gz\"", &packed),
        part("Content-Type: application/tlsrpt+json", json),
        format!("Content-Type: application/tlsrpt+json\r\n\r\n{REPORT}"),
        format!(
            "Content-Type: APPLICATION/TLSRPT+JSON\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n{}",
            REPORT.replace('=', "=3D").replace("policies", "polic=\r\nies")
        ),
        part(
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment;\r\n filename=\"a!b.json.gz\"",
            &packed,
        ),
        part("Content-Type: application/gzip", &packed),
        part("Content-Type: application/zip; name=a.zip", &zip(&[("a.json", json)])),
        part("Content-Type: text/plain; name=a.json", json),
    ];
    for attachment in &attachments {
        let found = only(mail(attachment.clone()).as_bytes());
        assert_eq!(found.report.failed(), 3, "{attachment}");
        let facts = found.mail.unwrap();
        assert_eq!(facts.from_domain.as_deref(), Some("sender.example"));
        assert_eq!(facts.report_domain.as_deref(), Some("example.org"));
        assert_eq!(facts.submitter.as_deref(), Some("sender.example"));
        let other_type = found.report.departures.iter().any(|departure| departure.to_string().contains("tlsrpt+gzip"));
        assert_eq!(other_type, !attachment.to_lowercase().contains("application/tlsrpt"), "{attachment}");
    }
    // A mailing list has added to the part.
    for content in [packed.clone(), [&packed[..], b"\0"].concat(), [&packed[..], b"\0\0"].concat()] {
        let footer = "\r\n____________\r\nTo unsubscribe: https://lists.example.org/\r\n";
        let attachment = part("Content-Type: application/tlsrpt+gzip", &content) + footer;
        assert_eq!(only(mail(attachment).as_bytes()).report.failed(), 3);
    }
    // An editor has put a mark before the mail.
    assert_eq!(only(format!("\u{feff}{}", mail(attachments[0].clone())).as_bytes()).report.failed(), 3);
    // The whole mail is the report.
    let whole = format!("{HEADER}Content-Type: application/tlsrpt+gzip\r\n{}", part("X: y", &packed));
    assert_eq!(only(whole.as_bytes()).report.failed(), 3);
    assert_eq!(only(whole.replace("\r\n", "\n").as_bytes()).report.failed(), 3);
    // Without the last boundary, as a mail that was cut behind the report.
    let cut = mail(attachments[1].clone());
    assert_eq!(only(cut.split("--=_b--").next().unwrap().as_bytes()).report.failed(), 3);
}

#[test]
fn forwarded_and_nested_mails() {
    let attachment = part("Content-Type: application/tlsrpt+gzip", &gzip(REPORT.as_bytes()));
    let inner = mail(attachment.clone());
    let text = "Content-Type: text/plain\r\n\r\nsee below\r\n".to_owned();
    let forwarded = format!("Content-Type: message/rfc822\r\n\r\n{inner}");
    let outer =
        "From: me@office.example\r\n".to_owned() + &multipart("multipart/mixed", "=_outer", &[text.clone(), forwarded]);
    let found = only(outer.as_bytes());
    assert_eq!(found.mail.unwrap().from_domain.as_deref(), Some("sender.example"));
    let in_base64 = part("Content-Type: message/rfc822", inner.as_bytes());
    assert_eq!(only(in_base64.as_bytes()).report.failed(), 3);
    let nested = multipart("multipart/mixed", "=_in", &[text, attachment]);
    let outer = HEADER.to_owned() + &multipart("multipart/mixed", "=_out", &[nested]);
    assert_eq!(only(outer.as_bytes()).report.failed(), 3);
    let packed = only(&gzip(inner.as_bytes()));
    assert_eq!(packed.mail.unwrap().report_domain.as_deref(), Some("example.org"));
}

#[test]
fn the_domain_of_the_mail_stands_for_a_missing_policy_domain() {
    let json = REPORT.replace(", \"policy-domain\": \"example.org\"", "");
    assert_ne!(json, REPORT);
    let found = only(mail(part("Content-Type: application/tlsrpt+json", json.as_bytes())).as_bytes());
    assert_eq!(found.report.domains(), ["example.org"]);
    let without =
        HEADER.replace("TLS-Report-Domain", "X-Other") + "Content-Type: application/tlsrpt+json\r\n\r\n" + &json;
    let found = only(without.as_bytes());
    assert_eq!(found.report.domains(), [""; 0]);
    let listed: Vec<_> = found.report.departures.iter().map(ToString::to_string).collect();
    assert!(
        listed.contains(&"TLS-Report-Domain is missing in the header of the mail (RFC 8460 section 5.3)".into()),
        "{listed:?}"
    );
}

#[test]
fn mailboxes_have_mails_with_and_without_reports() {
    let report = mail(part("Content-Type: application/tlsrpt+json", REPORT.as_bytes()));
    let other = "Subject: lunch\r\n\r\nAt noon?\r\n";
    let mailbox =
        format!("From a Tue Nov 24\r\n{report}\r\nFrom b Tue Nov 24\r\n{other}\r\nFrom c Tue Nov 24\r\n{report}");
    let (reports, problems, without) = search(mailbox.as_bytes());
    let places: Vec<_> = reports.iter().map(|found| found.place.as_str()).collect();
    assert_eq!((places, problems, without), (vec!["file: mail 1", "file: mail 3"], vec![], 1));
}

#[test]
fn what_is_no_report_says_why() {
    let attachment = |kind: &str, bytes: &[u8]| mail(part(kind, bytes)).into_bytes();
    for (bytes, reason) in [
        (b"".to_vec(), "file: it is empty"),
        (b"\x89PNG".to_vec(), "file: it is neither JSON, nor gzip, nor zip, nor a mail"),
        (b"{\"policies\": [".to_vec(), "file: it is not valid JSON: EOF while parsing a list at line 1 column 14"),
        (b"{\"a\": 1}".to_vec(), "file: it is JSON, but not a TLS report: it has no member policies"),
        (b"{\"policies\": 5}".to_vec(), "file: it is JSON, but not a TLS report: its member policies has no policies"),
        (gzip(b"text"), "file: it is neither JSON, nor gzip, nor zip, nor a mail"),
        (gzip(REPORT.as_bytes())[..60].to_vec(), "file: it cannot be unpacked: "),
        (attachment("Content-Type: application/tlsrpt+gzip; name=a.gz", b"no gzip"), "file: a.gz: it is neither JSON"),
        (
            attachment("Content-Type: application/octet-stream; name=a.json.gz", b"no gzip"),
            "file: a.json.gz: it is neither",
        ),
        (b"PK\x03\x04".to_vec(), "file: it cannot be unpacked: "),
    ] {
        let (reports, problems, without) = search(&bytes);
        assert_eq!((reports.len(), problems.len(), without), (0, 1, 0), "{reason}: {problems:?}");
        assert!(problems[0].starts_with(reason), "{reason}: {problems:?}");
    }
    // Mails about other things are no problem, whatever is attached.
    for other in [
        b"Subject: x\n\nhello\n".to_vec(),
        attachment("Content-Type: image/png; name=a.png", b"\x89PNG"),
        attachment("Content-Type: application/json", b"{\"a\": 1}"),
    ] {
        let (reports, problems, without) = search(&other);
        assert_eq!((reports.len(), problems, without), (0, vec![], 1));
    }
}
