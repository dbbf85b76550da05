//! The file of passwords that the variable PGPASSFILE names.

use std::os::unix::net::UnixDatagram;

use tlsrpt_store::look_at_spool;

use crate::{
    host::{Host, Service, code_and_texts, until, yesterday},
    site::{Site, server},
    smtp_sink::Sink,
};

const EVENT: &[u8] =
    br#"{"d":"b.example","pr":"v=TLSRPTv1;rua=mailto:r@b.example","policies":[{"policy-type":9,"f":0}]}"#;

#[test]
fn the_collector_and_the_reporter_use_the_file_that_the_variable_names() {
    let (site, sink) = (Site::new(), Sink::start());
    let host = |role: &str| {
        let url = site.url(role);
        let host = Site::host(url.split("&passfile=").next().unwrap(), sink.port);
        host.change("[store]\n", &format!("[store]\nspool = \"{}\"\n", host.file("spool.db").display()));
        host.set("grace = \"0s\"");
        host
    };
    let command = |host: &Host, arguments: &[&str], with_file: bool| {
        let mut command = host.command(arguments);
        // Else ~/.pgpass is read.
        command.env("HOME", host.folder.path()).env_remove("PGPASSFILE");
        if with_file {
            command.env("PGPASSFILE", server().folder().join("passwords"));
        }
        command
    };
    let events = || site.sql("SELECT coalesce(sum(events), 0) FROM day");

    let mail_host = host("tlsrpt_collector");
    let collector = Service::spawn(command(&mail_host, &["collect"], false));
    until("the collector listens", || mail_host.file("s").exists());
    UnixDatagram::unbound().unwrap().send_to(EVENT, mail_host.file("s")).unwrap();
    until("the event waits", || look_at_spool(&mail_host.file("spool.db")).is_ok_and(|spool| spool.batches == 1));
    assert_eq!((collector.end().0, events().as_str()), (Some(0), "0"));
    let collector = Service::spawn(command(&mail_host, &["collect"], true));
    until("the database has what waited", || events() == "1");
    assert_eq!(collector.end().0, Some(0));

    site.add(1, yesterday(), &["a.example".into()]);
    let reporting_host = host("tlsrpt_reporter");
    let deliver =
        |with_file| code_and_texts(command(&reporting_host, &["deliver", "--once"], with_file).output().unwrap());
    let (code, _, said) = deliver(false);
    assert_eq!((code, sink.mails().len()), (Some(1), 0), "{said}");
    assert!(said.contains("password missing; the file that passfile= or PGPASSFILE names has no line"), "{said}");
    let (code, _, said) = deliver(true);
    assert_eq!((code, sink.mails().len()), (Some(0), 1), "{said}");
}
