//! `tlsrpt read`.

use std::fs;

use serde_json::Value;

use crate::host::{Host, day_before, report, run};

#[test]
fn a_report_in_words() {
    let json = report("Sender Inc.", "2026-11-24".parse().unwrap(), 12, 3, "certificate-expired");
    let (code, shown, said) = run(&["read", "-"], json.as_bytes());
    assert_eq!((code, said.as_str()), (0, ""));
    let expected = "example.org on 2026-11-24, reported by Sender Inc.\n  \
        read from   standard input\n  report id   2026-11-24\n  contact     a@b.example\n  \
        sessions    12 succeeded, 3 failed\n\n  Example.org, no policy: 12 succeeded, 3 failed\n    \
        3 failed: certificate-expired\n\n  certificate-expired: The certificate has expired.\n    Renew the certificate";
    assert!(shown.starts_with(expected), "{shown}");
}

#[test]
fn files_that_cannot_be_read_are_named_and_the_others_are_read() {
    let host = Host::new();
    let path = |name: &str| host.path(name).to_str().unwrap().to_owned();
    fs::write(path("good"), report("Sender Inc.", day_before(1), 1, 0, "")).unwrap();
    fs::write(path("bad"), "{").unwrap();
    let (code, shown, said) = run(&["read", &path("bad"), &path("none"), &path("good")], b"");
    assert_eq!((code, shown.matches("reported by Sender Inc.").count()), (1, 1), "{shown}");
    let bad =
        format!("tlsrpt: {}: it is not valid JSON: EOF while parsing an object at line 1 column 1\n", path("bad"));
    assert_eq!(said, format!("{bad}tlsrpt: {}: No such file or directory\n", path("none")));
    let (code, shown, _) = run(&["read", "--format", "json", &path("bad"), &path("good")], b"");
    let value: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((code, &value["reports"][0]["report"]["organization"]), (1, &"Sender Inc.".into()));
    assert_eq!(value["problems"][0]["source"], path("bad"));
}

#[test]
fn a_maildir_with_mails_that_have_no_report() {
    let host = Host::new();
    for name in ["new", "cur", "tmp"] {
        fs::create_dir(host.path(name)).unwrap();
    }
    let folder = host.folder.path().to_str().unwrap();
    let mail = |json: String| format!("From: a@b.example\nContent-Type: application/tlsrpt+json\n\n{json}");
    fs::write(host.path("new/1"), mail(report("One", day_before(1), 1, 0, ""))).unwrap();
    fs::write(host.path("cur/2:2,S"), mail(report("Two", day_before(1), 1, 0, ""))).unwrap();
    fs::write(host.path("cur/3:2,S"), "Subject: lunch\n\nAt noon?\n").unwrap();
    fs::write(host.path("tmp/4"), mail(report("Four", day_before(1), 1, 0, ""))).unwrap();
    let (code, shown, said) = run(&["read", folder], b"");
    assert_eq!((code, said.as_str()), (0, "tlsrpt: 1 files or mails have no TLS report\n"));
    let by: Vec<_> = shown.lines().filter_map(|line| line.split_once("reported by ")).map(|(_, by)| by).collect();
    assert_eq!(by, ["One", "Two"]);
    for name in ["new/1", "cur/2:2,S"] {
        fs::remove_file(host.path(name)).unwrap();
    }
    let (code, _, said) = run(&["read", folder], b"");
    assert_eq!(code, 1);
    assert!(said.contains("no file of this directory has a TLS report"), "{said}");
}

#[test]
fn a_page_with_what_to_do() {
    let host = Host::new();
    let path = |name: &str| host.path(name).to_str().unwrap().to_owned();
    fs::write(path("one"), report("<b>One</b>", day_before(1), 12, 3, "certificate-expired")).unwrap();
    fs::write(path("two"), report("Two", day_before(2), 1, 0, "")).unwrap();
    fs::write(path("bad"), "{").unwrap();
    let (page, out) = (path("page.html"), path("bad"));
    let (code, shown, _) = run(&["read", "--format", "html", "--output", &page, &path("one"), &path("two"), &out], b"");
    assert_eq!((code, shown.as_str()), (1, ""));
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("&lt;b&gt;One&lt;/b&gt;") && !page.contains("<b>One"), "{page}");
    for text in ["Renew the certificate of the MX host", "Sessions and failures by day", "What cannot be read", "Two"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let (code, page, _) = run(&["read", "--format", "html", &path("two")], b"");
    assert!(code == 0 && page.contains("<title>TLS report from Two</title>"), "{page}");
    assert!(!page.contains("What cannot be read"), "{page}");
}
