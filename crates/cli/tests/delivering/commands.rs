//! What the commands do and print.

use std::{
    fs,
    io::Write,
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    sync::atomic::Ordering,
};

use serde_json::Value;

use crate::{
    host::{Host, Service, code_and_texts, today, until, yesterday},
    https_sink::{self, Fault, answering, certificates},
    smtp_sink::{Sink, nobody, silent},
};

#[test]
fn once_delivers_all_reports_by_mail_and_https() {
    let sink = Sink::start();
    let answer = answering("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    let (port, requests) = https_sink::serve(certificates(Fault::None).server, answer);
    let mut host = Host::new(sink.port, &format!("[https]\nallow = [\"127.0.0.0/8\"]\nports = [{port}]\n"));
    let url = format!("https://127.0.0.1:{port}/v1");
    host.add(yesterday(), &[("a.example", "mailto:r@a.example"), ("b.example", &url)]);
    let out = host.run_well(&["deliver", "--once"]);
    let expected = "2 reports made, 2 deliveries succeeded, 0 failed for good or were suppressed, 0 are left\n";
    assert_eq!(out, expected);
    assert_eq!((sink.ids().len(), requests.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(sink.mails()[0].to, ["r@a.example"]);
    assert!(sink.mails()[0].from.starts_with("tlsrpt-bounces+"), "{:?}", sink.mails());
    assert!(host.run_well(&["deliver", "--once"]).starts_with("0 reports made, 0 deliveries succeeded, "));

    let posted = host.reports(&["--domain", "B.example"]);
    let delivery = &posted["reports"][0]["deliveries"][0];
    assert_eq!(
        (delivery["state"].as_str(), delivery["answer"].as_str()),
        (Some("delivered"), Some("HTTP 201 Created"))
    );
    assert!(delivery["warning"].as_str().unwrap().contains("certificate"), "{posted}");
    assert_eq!(host.reports(&["--day", "today"])["reports"].as_array().unwrap().len(), 0);
    assert_eq!(host.reports(&["--state", "delivered"])["reports"].as_array().unwrap().len(), 2);
    assert_eq!(host.reports(&["--state", "failed"])["reports"].as_array().unwrap().len(), 0);
    let (_, status, _) = host.run(&["status"]);
    let line = format!("reports     of {}: 2 made; deliveries: 2 delivered\n", yesterday());
    assert!(status.contains(&line), "{status}");
}

/// The text, the page and the exit code of `tlsrpt status`, with a collector.
fn status(host: &Host) -> (String, String, Option<i32>) {
    let _collector = UnixDatagram::bind(host.file("s")).unwrap();
    let (code, text, _) = host.run(&["status"]);
    let (code_of_page, page, _) = host.run(&["status", "--format", "html"]);
    assert_eq!(code, code_of_page);
    fs::remove_file(host.file("s")).unwrap();
    (text, page, code)
}

#[test]
fn failed_deliveries_are_told_alike_by_the_text_and_the_page() {
    let sink = Sink::refusing("bad.example");
    let mut host = Host::new(sink.port, "");
    host.add(yesterday(), &[("good.example", "mailto:r@good.example")]);
    host.run_well(&["deliver", "--once"]);
    let (text, page, code) = status(&host);
    assert!(!text.contains("failed for good") && !page.contains("failed for good"), "{text}");
    assert_eq!(code, Some(0), "{text}");
    let day = yesterday();
    let expected = |number| {
        format!("reports: {number} deliveries about {day} failed for good; see why: tlsrpt reports list --day {day}")
    };
    host.add(day, &[("bad.example", "mailto:r@bad.example")]);
    host.run_well(&["deliver", "--once"]);
    let (text, page, code) = status(&host);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("\nNotes\n  {}", expected("1 of 2"))), "{text}");
    assert!(page.contains("Nothing needs attention.") && page.contains(&expected("1 of 2")), "{page}");
    // More fail than succeed.
    host.add(day, &[("more.bad.example", "mailto:r@more.bad.example")]);
    host.run_well(&["deliver", "--once"]);
    let (text, page, code) = status(&host);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("\nNeeds attention\n  {}", expected("2 of 3"))), "{text}");
    assert!(page.contains("<h2>Needs attention</h2>") && page.contains(&expected("2 of 3")), "{page}");
    assert!(!page.contains("Nothing needs attention.") && !text.contains("\nNotes\n"), "{text}");
}

#[test]
fn one_day_is_delivered_and_later_events_go_into_a_further_report() {
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "");
    host.add(yesterday(), &[("old.example", "mailto:r@old.example")]);
    host.add(today(), &[("a.example", "mailto:r@a.example")]);
    let dry = host.run_well(&["deliver", "--day", "today", "--dry-run"]);
    assert!(dry.contains("  a.example: 1 sessions, 1 failed\n    to mailto:r@a.example\n"), "{dry}");
    assert!(!dry.contains("old.example") && sink.ids().is_empty(), "{dry}");
    assert!(host.run_well(&["deliver", "--dry-run"]).contains("  old.example: 1 sessions"));

    host.run_well(&["deliver", "--day", "today"]);
    host.add(today(), &[("a.example", "mailto:r@a.example")]);
    host.run_well(&["deliver", "--day", "today"]);
    let ids = sink.ids();
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert!(ids[0].contains(&format!("{}.1.", today())) && ids[1].contains(&format!("{}.2.", today())), "{ids:?}");

    // Waiting deliveries of another day do not count for today.
    host.change_server(nobody());
    assert_eq!(host.run(&["deliver", "--once"]).0, Some(1));
    let waits = host.run_well(&["deliver", "--dry-run"]);
    assert!(waits.contains("  old.example: report 3 is made\n    to mailto:r@old.example, next attempt "), "{waits}");
    assert!(host.run_well(&["deliver", "--day", "today"]).ends_with(" 0 are left\n"));
}

#[test]
fn a_report_can_be_shown_cancelled_and_sent_again() {
    let sink = Sink::start();
    let mut host = Host::new(nobody(), "");
    host.add(yesterday(), &[("a.example", "mailto:r@a.example")]);
    let (code, out, said) = host.run(&["deliver", "--once"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.ends_with(", 1 are left\n"), "{out}");
    assert!(said.contains("report 1 about a.example to mailto:r@a.example: waiting: "), "{said}");

    let shown = host.run_well(&["reports", "show", "1"]);
    assert!(shown.starts_with(&format!("1  {}  a.example  1 sessions, 1 failed\n", yesterday())), "{shown}");
    for part in ["waiting, 1 attempts", "next attempt ", "starttls-not-supported", "\"organization-name\": \"Sender\""]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown: Value = serde_json::from_str(&host.run_well(&["reports", "show", "1", "--format", "json"])).unwrap();
    assert_eq!(shown["report"]["contact-info"], "c@sender.example");
    assert_eq!(shown["deliveries"][0]["attempts"], 1);
    let file = host.file("report.html");
    let arguments = ["reports", "show", "1", "--format", "html", "--output", file.to_str().unwrap()];
    assert_eq!(host.run_well(&arguments), "");
    let page = fs::read_to_string(&file).unwrap();
    for part in ["TLS report about a.example", "mailto:r@a.example", "waiting", "starttls-not-supported", "Sender"] {
        assert!(page.contains(part), "{part}: {page}");
    }

    assert_eq!(host.run_well(&["reports", "cancel", "1"]), "1 of 1 deliveries are cancelled\n");
    assert_eq!((host.state().as_str(), host.run(&["deliver", "--once"]).0), ("cancelled", Some(0)));
    assert_eq!(host.run_well(&["reports", "resend", "1"]), "1 of 1 deliveries wait for another attempt\n");
    host.change_server(sink.port);
    host.run_well(&["deliver", "--once"]);
    assert_eq!((host.state().as_str(), sink.ids().len()), ("delivered", 1));
    let (code, _, said) = host.run(&["reports", "show", "7"]);
    assert_eq!((code, said.as_str()), (Some(1), "tlsrpt: there is no report 7; see tlsrpt reports\n"));
}

#[test]
fn a_preview_is_shown_and_mailed_without_a_change_of_the_store() {
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "");
    host.add(today(), &[("a.example", "mailto:r@a.example")]);
    let shown = host.run_well(&["reports", "preview", "A.example"]);
    assert!(shown.contains("    to mailto:r@a.example\n") && shown.contains("\"report-id\": "), "{shown}");
    assert!(sink.ids().is_empty());
    let json = host.run_well(&["reports", "preview", "a.example", "--format", "json", "--mail-to", "me@own.example"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["destinations"][0]["destination"], "mailto:r@a.example");
    assert_eq!(json["report"]["policies"][0]["policy"]["policy-domain"], "a.example");
    assert_eq!(sink.mails().iter().map(|mail| mail.to.concat()).collect::<Vec<_>>(), ["me@own.example"]);
    assert_eq!(host.reports(&[])["reports"].as_array().unwrap().len(), 0);
    let none = yesterday().to_string();
    let (code, _, said) = host.run(&["reports", "preview", "a.example", "--day", &none]);
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("there is nothing about a.example on {none}")), "{said}");
    assert_eq!(host.run(&["reports", "preview", "a.example", "--mail-to", "a\r\nb@c.example"]).0, Some(2));
}

#[test]
fn suppressed_destinations_get_nothing_until_they_are_removed() {
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "");
    host.add(yesterday(), &[("a.example", "mailto:r@a.example")]);
    host.run_well(&["suppress", "add", "r@A.example", "--reason", "they asked"]);
    assert_eq!(host.run_well(&["suppress", "list"]), "mailto:r@a.example  for ever: they asked\n");
    host.run_well(&["deliver", "--once"]);
    assert_eq!((host.state().as_str(), sink.ids().len()), ("suppressed", 0));
    host.run_well(&["suppress", "remove", "mailto:r@a.example"]);
    assert_eq!(host.run(&["suppress", "remove", "r@a.example"]).0, Some(1));
    host.run_well(&["reports", "resend", "1"]);
    host.run_well(&["deliver", "--once"]);
    assert_eq!((host.state().as_str(), sink.ids().len()), ("delivered", 1));
    assert_eq!(host.run(&["suppress", "add", "nonsense"]).0, Some(2));
}

#[test]
fn a_bounce_suppresses_its_destination_once_for_all_mails_of_the_day() {
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "");
    host.add(yesterday(), &[("a.example", "mailto:r@all.example"), ("b.example", "mailto:r@all.example")]);
    host.run_well(&["deliver", "--once"]);
    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    let notice = |to: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example\nTo: {to}\n\nAction: failed\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n"
        )
    };
    let bounce = |mail: &str| {
        let mut child = host.command(&["bounce"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(mail.as_bytes()).unwrap();
        let (code, _, said) = code_and_texts(child.wait_with_output().unwrap());
        assert_eq!(code, Some(0), "{said}");
        said
    };
    let (name, domain) = mails[0].from.split_once('@').unwrap();
    let forged = format!("{}00000000@{domain}", &name[..name.len() - 8]);
    assert!(bounce(&notice(&forged)).contains("is not in the store"));
    assert_eq!(host.run_well(&["suppress", "list"]), "");
    bounce(&notice(&mails[0].from));
    let listed = host.run_well(&["suppress", "list"]);
    assert!(listed.starts_with("mailto:r@all.example  until "), "{listed}");
    assert!(listed.ends_with(": a report mail was returned: smtp; 550 5.1.1 unknown\n"), "{listed}");
    // While the store cannot be opened, the exit code makes the mail server keep the bounce.
    let (store, elsewhere) = (host.file("db"), host.file("elsewhere"));
    fs::rename(&store, &elsewhere).unwrap();
    fs::create_dir(&store).unwrap();
    let mut child = host.command(&["bounce"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(notice(&mails[1].from).as_bytes()).unwrap();
    let (code, _, said) = code_and_texts(child.wait_with_output().unwrap());
    assert_eq!(code, Some(75), "{said}");
    fs::remove_dir(&store).unwrap();
    fs::rename(&elsewhere, &store).unwrap();
    // The other mail was sent before the suppression: its bounce counts as no further failure.
    bounce(&notice(&mails[1].from));
    assert_eq!(host.run_well(&["suppress", "list"]), listed);
    host.add(today(), &[("a.example", "mailto:r@all.example")]);
    host.run_well(&["deliver", "--day", "today"]);
    assert_eq!((host.state().as_str(), sink.ids().len()), ("suppressed", 2));
}

#[test]
fn serve_collects_and_delivers_until_one_signal_ends_both() {
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "");
    host.add(yesterday(), &[("a.example", "mailto:r@a.example")]);
    let service = Service::start(&host, "serve");
    until("the report is delivered", || sink.ids().len() == 1);
    let event =
        r#"{"d":"b.example","pr":"v=TLSRPTv1;rua=mailto:r@b.example","policies":[{"policy-type":9,"t":0,"f":0}]}"#;
    let socket = UnixDatagram::unbound().unwrap();
    until("the collector listens", || socket.send_to(event.as_bytes(), host.file("s")).is_ok());
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    for line in ["1 reports about ", ": delivered: 250 taken", "1 datagrams arrived: 1 events"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(host.run_well(&["reports", "preview", "b.example"]).contains("b.example: 1 sessions, 0 failed"));
}

#[test]
fn check_says_who_signs_report_mails() {
    let host = Host::new(25, "");
    let checked = || host.run(&["check", "--socket", "/no/such/socket"]).1;
    let line = "WARN  dkim signer   tlsrpt does not sign report mails: there is no [mail.dkim] in the configuration; a milter of \
                127.0.0.1 or the relay behind it has to sign with d=sender.example -> nothing, if ";
    assert!(checked().contains(line), "{}", checked());
    let with_key = |domain: &str| {
        let text = fs::read_to_string(host.file("tlsrpt.toml")).unwrap();
        let text = text.split("[mail.dkim]").next().unwrap().to_owned();
        let dkim = format!("[mail.dkim]\ndomain = \"{domain}\"\nselector = \"s\"\nkey = \"/no/such/key\"\n");
        fs::write(host.file("tlsrpt.toml"), text + &dkim).unwrap();
    };
    with_key("sender.example");
    let found = checked();
    assert!(found.contains("OK    dkim signer   tlsrpt signs report mails with d=sender.example, s=s\n"), "{found}");
    assert!(found.contains("FAIL  dkim key      /no/such/key: cannot read the DKIM key: No such file"), "{found}");
    with_key("other.example");
    let found = checked();
    assert!(found.contains("FAIL  configuration ") && found.contains("is not the domain of [report] from"), "{found}");
    host.configure("");
    assert!(!checked().contains("dkim"), "{}", checked());
}

#[test]
fn without_an_identity_the_missing_lines_are_named_and_serve_collects() {
    let host = Host { folder: tempfile::tempdir().unwrap(), batches: 0 };
    host.configure("[report]\ncontact = \"c@sender.example\"\n");
    let (code, _, said) = host.run(&["deliver", "--once"]);
    assert_eq!(code, Some(1));
    let lines = ["organization = \"Example GmbH\"", "from = \"noreply-smtp-tls-reporting@example.com\""];
    let are_lines = |said: &str| {
        let said: Vec<_> = said.lines().map(|line| line.trim_start_matches("tlsrpt:").trim()).collect();
        lines.iter().all(|line| said.contains(line))
    };
    assert!(are_lines(&said) && !said.contains("contact ="), "{said}");
    let service = Service::start(&host, "serve");
    let event = r#"{"d":"b.example","pr":"","policies":[{"policy-type":9,"t":0,"f":0}]}"#;
    let socket = UnixDatagram::unbound().unwrap();
    until("the collector listens", || socket.send_to(event.as_bytes(), host.file("s")).is_ok());
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("collecting only, and delivering no reports\n") && are_lines(&said), "{said}");
    assert!(said.contains("1 events"), "{said}");
}

#[test]
fn an_interrupted_delivery_is_repeated_with_the_same_ids_by_the_next_start() {
    let mut host = Host::new(silent(), "");
    host.add(yesterday(), &[("a.example", "mailto:r@a.example")]);
    let service = Service::start(&host, "deliver");
    until("an attempt is begun", || {
        let reports = host.reports(&[]);
        reports["reports"].as_array().is_some_and(|reports| !reports.is_empty())
    });
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    let sink = Sink::start();
    host.change_server(sink.port);
    let id = host.reports(&[])["reports"][0]["report-id"].as_str().unwrap().to_owned();
    let (code, out, said) = host.run(&["deliver", "--once"]);
    assert_eq!(code, Some(0), "{out}{said}");
    assert!(sink.ids()[0].contains(&id), "{:?} {id}", sink.ids());
}

#[test]
fn a_sendmail_command_that_fails_is_tried_again_and_explained() {
    let mut host = Host::new(25, "");
    host.sendmail("cat >/dev/null; echo 'postdrop: cannot create a file' >&2; exit 75");
    let text = fs::read_to_string(host.file("tlsrpt.toml")).unwrap();
    let server = text.lines().find(|line| line.starts_with("server = ")).unwrap();
    let text = text.replace(server, &format!("sendmail = \"{}\"", host.file("sendmail").display()));
    fs::write(host.file("tlsrpt.toml"), text).unwrap();
    host.add(yesterday(), &[("a.example", "mailto:r@a.example")]);
    let hint = "set server instead of sendmail in [mail]";
    let (code, _, said) = host.run(&["deliver", "--once"]);
    assert_eq!((code, host.state().as_str()), (Some(1), "waiting"), "{said}");
    assert!(said.contains("postdrop: cannot create a file") && !said.contains(hint), "{said}");

    let restricted = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.arg("--no-new-privs").arg(env!("CARGO_BIN_EXE_tlsrpt")).args(arguments);
        code_and_texts(command.arg("--config").arg(host.file("tlsrpt.toml")).output().unwrap())
    };
    host.run_well(&["reports", "cancel", "1"]);
    host.run_well(&["reports", "resend", "1"]);
    let (code, _, said) = restricted(&["deliver", "--once"]);
    assert_eq!((code, host.state().as_str()), (Some(1), "waiting"), "{said}");
    assert!(said.contains(hint), "{said}");

    let folder = host.folder.path().display();
    host.sendmail(&format!("cat >{folder}/mail; echo \"$@\" >{folder}/arguments"));
    host.run_well(&["reports", "cancel", "1"]);
    host.run_well(&["reports", "resend", "1"]);
    host.run_well(&["deliver", "--once"]);
    assert_eq!(host.state(), "delivered");
    let arguments = fs::read_to_string(host.file("arguments")).unwrap();
    assert!(arguments.ends_with(" r@a.example\n") && arguments.contains("tlsrpt-bounces+1-"), "{arguments}");
}

#[test]
fn sessions_without_a_report_are_logged() {
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "");
    host.add(yesterday(), &[("no host name", "mailto:r@a.example"), ("a.example", "mailto:r@a.example")]);
    let (code, _, said) = host.run(&["deliver", "--once"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("1 sessions of {} are in no report: ", yesterday())), "{said}");
    assert!(!host.run(&["deliver", "--once"]).2.contains("in no report"));
}

#[test]
fn a_record_that_changes_within_the_day_makes_one_report_to_the_destinations_of_both() {
    let mut host = Host::new(nobody(), "");
    host.add(today(), &[("a.example", "mailto:r%2Btls@a.example,mailto:old@a.example")]);
    host.add(today(), &[("A.example.", "mailto:r+tls@A.example,mailto:new@a.example")]);
    let shown = host.run_well(&["reports", "preview", "a.example", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let to: Vec<_> =
        shown["destinations"].as_array().unwrap().iter().map(|to| to["destination"].as_str().unwrap()).collect();
    assert_eq!(to, ["mailto:r+tls@a.example", "mailto:old@a.example", "mailto:new@a.example"]);
    let policies = &shown["report"]["policies"];
    assert_eq!(policies.as_array().unwrap().len(), 1, "{policies}");
    assert_eq!(policies[0]["summary"]["total-failure-session-count"], 2, "{policies}");
    assert_eq!(policies[0]["failure-details"][0]["failed-session-count"], 2, "{policies}");
}

#[test]
fn members_that_the_configuration_omits_are_in_no_report() {
    let mut host = Host::new(nobody(), "");
    let event = r#"{"d":"a.example","pr":"v=TLSRPTv1;rua=mailto:r@a.example","policies":[{"policy-type":9,"t":1,"f":1,"failure-details":[
        {"c":201,"s":"192.0.2.1","n":"mx.a.example","h":"helo.a.example","r":"192.0.2.2","a":"more","f":"reason"}]}]}"#;
    host.add_event(today(), event);
    let details = |privacy: &str| {
        let plain = fs::read_to_string(host.file("tlsrpt.toml")).unwrap();
        fs::write(host.file("tlsrpt.toml"), format!("{plain}[privacy]\n{privacy}\n")).unwrap();
        let shown = host.run_well(&["reports", "preview", "a.example", "--format", "json"]);
        fs::write(host.file("tlsrpt.toml"), plain).unwrap();
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown["report"]["policies"][0]["failure-details"][0].as_object().unwrap().clone()
    };
    for (key, member) in [
        ("omit-sending-mta-ip", "sending-mta-ip"),
        ("omit-additional-information", "additional-information"),
        ("omit-failure-reason-code", "failure-reason-code"),
        ("omit-helo", "receiving-mx-helo"),
    ] {
        let (with, mut without) = (details(""), details(&format!("{key} = true")));
        assert!(without.insert(member.into(), with[member].clone()).is_none(), "{key}: {without:?}");
        assert_eq!(without, with, "{key}");
    }
    let dry = |setting: &str| {
        let plain = fs::read_to_string(host.file("tlsrpt.toml")).unwrap();
        fs::write(host.file("tlsrpt.toml"), plain.replace("[report]\n", &format!("[report]\n{setting}\n"))).unwrap();
        let out = host.run_well(&["deliver", "--day", "today", "--dry-run"]);
        fs::write(host.file("tlsrpt.toml"), plain).unwrap();
        out
    };
    assert!(dry("exclude = [\"A.example\"]").contains("a.example: no report: exclude in [report] lists it"));
    assert!(dry("failures-only = true").contains("    to mailto:r@a.example"));
}

#[test]
fn a_suppression_is_listed_with_its_last_day() {
    let host = Host::new(nobody(), "");
    let day = today().tomorrow().unwrap().to_string();
    host.run_well(&["suppress", "add", "B.example", "--until", &day, "--reason", "a test"]);
    let listed = host.run_well(&["suppress", "list"]);
    assert!(listed.starts_with("b.example  until ") && listed.ends_with(": a test\n"), "{listed}");
}

#[test]
fn report_mails_are_read_back_without_a_departure_from_the_rfc() {
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "");
    let details =
        r#"{"c":204,"s":"192.0.2.1","n":"mx.a.example","h":"helo.a.example","r":"192.0.2.2","a":"more","f":"reason"}"#;
    let described = [
        r#""policy-type":2,"policy-domain":"a.example","policy-string":["version: STSv1","mode: enforce","mx: *.a.example"],"mx-host":["*.a.example"]"#,
        r#""policy-type":1,"policy-domain":"mx.a.example","policy-string":["3 1 1 00"]"#,
        r#""policy-type":9"#,
    ];
    for policy in described {
        for result in [format!(r#""failure-details":[{details}],"t":1,"f":1"#), r#""t":0,"f":0"#.to_owned()] {
            let event = format!(
                r#"{{"d":"a.example","pr":"v=TLSRPTv1;rua=mailto:r@a.example","policies":[{{{policy},{result}}}]}}"#
            );
            host.add_event(yesterday(), &event);
        }
    }
    host.run_well(&["deliver", "--once"]);
    let mail = host.file("mail.eml");
    fs::write(&mail, sink.mails()[0].lines.join("\r\n")).unwrap();
    let read =
        Command::new(env!("CARGO_BIN_EXE_tlsrpt")).args(["read", "--format", "json"]).arg(&mail).output().unwrap();
    let (code, out, said) = code_and_texts(read);
    let shown: Value = serde_json::from_str(&out).unwrap();
    let report = &shown["reports"][0]["report"];
    assert_eq!((code, said.as_str(), &report["departures"]), (Some(0), "", &Value::Array(vec![])), "{out}");
    let kinds: Vec<_> = report["policies"].as_array().unwrap().iter().map(|policy| &policy["policy-type"]).collect();
    assert_eq!((kinds.len(), &report["day"]), (3, &Value::from(yesterday().to_string())), "{out}");
}
