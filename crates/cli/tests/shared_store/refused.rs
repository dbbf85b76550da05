//! What the server refuses: one line, exit code 1, and nothing is lost.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{
    host::yesterday,
    site::{Site, server},
    smtp_sink::Sink,
};

#[test]
fn a_reporter_says_in_one_line_why_it_cannot_use_the_store() {
    let (site, sink) = (Site::new(), Sink::start());
    site.add(1, yesterday(), &["a.example".into()]);
    let wrong = server().folder().join("wrong-password");
    fs::write(&wrong, "*:*:*:*:wrong\n").unwrap();
    fs::set_permissions(&wrong, fs::Permissions::from_mode(0o600)).unwrap();
    let right = server().folder().join("passwords");
    let reporter = site.url("tlsrpt_reporter");
    let refused = |url: &str, expected: &str| {
        for arguments in [&["deliver", "--once"][..], &["deliver"], &["serve"]].iter().take(2) {
            let (code, out, said) = Site::host(url, sink.port).run(arguments);
            assert_eq!((code, out.as_str(), said.lines().count()), (Some(1), "", 1), "{said}");
            assert!(said.contains(expected), "{expected}: {said}");
        }
    };
    refused(
        &reporter.replace(&right.display().to_string(), &wrong.display().to_string()),
        "password authentication failed for user \"tlsrpt_reporter\"; check the file",
    );
    refused(&site.url("tlsrpt_collector"), "permission denied for table reporter; the role of the URL is not for this");
    refused(&server().tcp_url("tlsrpt_reporter", &site.database, "&sslmode=require"), "server does not support TLS");
    site.sql("UPDATE version SET version = version + 1");
    refused(&reporter, "a later version of tlsrpt made this store");
    site.sql("UPDATE version SET version = version - 1");
    assert_eq!(site.sql("SELECT count(*) FROM report"), "0");
    assert_eq!(sink.mails().len(), 0);
    let host = Site::host(&server().tcp_url("tlsrpt_reporter", &site.database, ""), sink.port);
    host.set("grace = \"0s\"");
    host.run_well(&["deliver", "--once"]);
    assert_eq!(sink.mails().len(), 1);
}
