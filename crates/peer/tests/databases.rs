//! Databases in the form in which tlsrpt-reporter 0.6.0 writes them, and answers of the fetcher. `make test-peer` has the real
//! tlsrpt-reporter.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;
use tlsrpt_deliver::NotTaken;
use tlsrpt_format::datagram;
use tlsrpt_peer::{Settings, Taken, Told, fetcher, migrate};
use tlsrpt_store::{
    Batch, BatchId, CountedEvent, Date, KeptDays, Limits, Options, ReportStore, Synchronous, Timestamp, Url, open,
    open_reader, open_reports,
};

const COLLECTD: &str = "\
    CREATE TABLE finalresults(day, domain, tlsrptrecord, policy, cntrtotal, cntrfailure, its datetime default CURRENT_TIMESTAMP,
        PRIMARY KEY(day, domain, tlsrptrecord, policy));
    CREATE TABLE failures(day, domain, tlsrptrecord, policy, reason, cntr, PRIMARY KEY(day, domain, tlsrptrecord, policy, reason));
    CREATE TABLE daystatus(daycomplete, its datetime default CURRENT_TIMESTAMP, PRIMARY KEY(daycomplete));
    CREATE TABLE dbversion(version, installdate, purpose);
    INSERT INTO dbversion VALUES (1, '2026-11-29 00-35-44.332', 'TLSRPT-Collectd-DB-devel-2024-10-28');";
const REPORTD: &str = "\
    CREATE TABLE fetchjobs(day, fetcherindex, fetcher, retries, status, nexttry, its datetime default CURRENT_TIMESTAMP,
        PRIMARY KEY(day, fetcherindex));
    CREATE TABLE reportdata(day, domain, data, fetcher, fetcherindex, retries, status, nexttry,
        its datetime default CURRENT_TIMESTAMP, PRIMARY KEY(day, domain, fetcher));
    CREATE TABLE reports(r_id INTEGER PRIMARY KEY ASC, day, domain, uniqid, tlsrptrecord, report,
        its datetime default CURRENT_TIMESTAMP);
    CREATE TABLE destinations(destination, d_r_id INTEGER, retries, status, nexttry, its datetime default CURRENT_TIMESTAMP,
        PRIMARY KEY(destination, d_r_id), FOREIGN KEY(d_r_id) REFERENCES reports(r_id));
    CREATE TABLE dbversion(version, installdate, purpose);
    INSERT INTO dbversion VALUES (1, '2026-11-29 00-37-59.156', 'TLSRPT-Reportd-DB-devel-2024-10-28');";
const TODAY: &str = "2026-11-29";

/// A folder with a store and with databases.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self) -> Url {
        Url::Sqlite(self.path("tlsrpt.db"))
    }

    fn store(&self) -> Box<dyn ReportStore> {
        open_reports(&self.url(), Synchronous::Full).unwrap()
    }

    fn database(&self, name: &str, schema: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(schema).unwrap();
        connection.execute_batch(content).unwrap();
        path
    }

    fn migrate(&self, paths: &[&Path], unreported: bool) -> (Result<(), String>, Vec<String>) {
        let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
        let settings = Settings { kept: KeptDays::last(10, TODAY.parse().unwrap()), unreported };
        let mut told = Vec::new();
        let folder = format!("{}/", self.folder.path().display());
        let mut tell = |what| {
            let (mark, line) = match what {
                Told::Done(line) => ("", line),
                Told::LeftOut(line) => ("! ", line),
            };
            told.push(format!("{mark}{}", line.replace(&folder, "")));
        };
        let mut take = |_: &_| -> Taken { Ok(Err(NotTaken::NotADomain)) };
        let outcome = migrate(&paths, self.store().as_mut(), settings, &mut take, &mut tell);
        (outcome.map_err(|error| error.to_string().replace(&folder, "")), told)
    }
}

fn row(day: &str, domain: &str, policy: &str, sessions: u64) -> String {
    format!(
        "INSERT INTO finalresults (day, domain, tlsrptrecord, policy, cntrtotal, cntrfailure) \
         VALUES ('{day}', '{domain}', 'v=TLSRPTv1;rua=mailto:a@{domain}', '{policy}', {sessions}, 0);"
    )
}

const POLICY: &str = r#"{"policy-type": 9}"#;

#[test]
fn what_is_left_out_is_told() {
    let site = Site::new();
    let rows = [
        row("2026-11-01", "old.example", POLICY, 7),
        row(TODAY, "a.example", POLICY, 3),
        row(TODAY, "a.example", "{}", 2),
        row(TODAY, "a\u{202e}.example", POLICY, 1),
        "INSERT INTO failures SELECT day, domain, tlsrptrecord, policy, '{\"c\": \"x\"}', 4 FROM finalresults;".into(),
    ];
    let path = site.database("collectd.sqlite", COLLECTD, &rows.concat());
    let expected = [
        "collectd.sqlite: 7 sessions of 2026-11-01 are older than keep-days and left out",
        "collectd.sqlite: 4 sessions of 2026-11-29 counted",
        "! collectd.sqlite: not taken over: 2 sessions of 2026-11-29 under policies that cannot be read (policy-type is missing)",
        "! collectd.sqlite: not taken over: details of 8 failures of 2026-11-29 that cannot be read",
    ];
    assert_eq!(site.migrate(&[&path], false), (Ok(()), expected.map(str::to_owned).to_vec()));
    let days = site.store().days().unwrap();
    assert_eq!(days.iter().map(|day| (day.events, day.domains)).collect::<Vec<_>>(), [(4, 2)]);
}

#[test]
fn days_before_today_are_counted_only_if_it_is_known_what_was_reported() {
    let site = Site::new();
    let (day, before) = ("2026-11-28", "2026-11-27");
    let path = site.database(
        "collectd.sqlite",
        COLLECTD,
        &[row(day, "a.example", POLICY, 3), row(day, "b.example", POLICY, 2)].concat(),
    );
    let reportd = |name, day| {
        let content = format!(
            "INSERT INTO fetchjobs (day, fetcherindex, fetcher, status) VALUES ('{day}', 1, 'tlsrpt-fetcher', 'ok'), \
             ('{day}', 2, 'ssh mx2 tlsrpt-fetcher', 'timedout'); \
             INSERT INTO reports (day, domain, uniqid, report) VALUES ('2026-11-28', 'a.example', 1, '{{}}'); \
             INSERT INTO reportdata (day, domain, data, fetcher, status) VALUES \
             ('2026-11-28', 'a.example', '{{\"r\": 1}}', 'f', 'fetched'), ('2026-11-28', 'b.example', '{{\"r\": 1}}', 'f', 'fetched'), \
             ('2026-11-28', 'c.example', '{{\"r\": 1}}', 'f', 'fetched'), ('2026-11-28', 'd.example', '{{}}', 'f', 'fetched'), \
             ('2026-11-28', 'e.example', NULL, 'f', NULL);"
        );
        site.database(name, REPORTD, &content)
    };
    let (knowing, later) = (reportd("knowing.sqlite", before), reportd("later.sqlite", TODAY));
    let refused = |paths: &[&Path]| {
        let (outcome, told) = site.migrate(paths, false);
        assert_eq!((told, site.store().days().unwrap().len()), (vec![], 0));
        outcome.unwrap_err()
    };
    let error = refused(&[&path]);
    assert!(error.contains("name the database of tlsrpt-reportd too"), "{error}");
    let error = refused(&[&path, &later]);
    assert!(error.contains("tlsrpt-reportd did not fetch it, or has forgotten it"), "{error}");
    let (outcome, told) = site.migrate(&[&path, &knowing], false);
    let expected = [
        "knowing.sqlite: 0 reports with 0 open deliveries taken over",
        "collectd.sqlite: 2 sessions of 2026-11-28 counted",
        "collectd.sqlite: 3 sessions of 2026-11-28 are in reports of tlsrpt-reportd and not counted",
        "! knowing.sqlite: not taken over: the sessions of c.example on 2026-11-28, which tlsrpt-reportd fetched and has not \
         reported; name the collectd.sqlite.yesterday of the host that counted them",
    ];
    assert_eq!((outcome, told), (Ok(()), expected.map(str::to_owned).to_vec()));
    let other = Site::new();
    assert_eq!(other.migrate(&[&path], true).0, Ok(()));
    assert_eq!(other.store().days().unwrap()[0].events, 5);
}

#[test]
fn a_fetcher_that_did_not_answer_is_named() {
    let site = Site::new();
    let content = "INSERT INTO fetchjobs (day, fetcherindex, fetcher, status) VALUES ('2026-11-28', 1, 'tlsrpt-fetcher', 'ok'), \
                   ('2026-11-28', 2, 'ssh mx2 tlsrpt-fetcher', 'timedout'), ('2026-11-29', 1, 'tlsrpt-fetcher', NULL); \
                   INSERT INTO reports (day, domain, uniqid, report) VALUES ('2026-11-28', 'a.example', 1, '{}');";
    let path = site.database("reportd.sqlite", REPORTD, content);
    let (outcome, told) = site.migrate(&[&path], false);
    let expected = "reportd.sqlite: tlsrpt-reportd made its reports about 2026-11-28 without an answer of \"ssh mx2 tlsrpt-fetcher\"";
    assert_eq!((outcome, told.len(), told[1].as_str()), (Ok(()), 2, expected));
}

#[test]
fn reports_that_cannot_be_taken_over_are_told() {
    let site = Site::new();
    let content = "INSERT INTO reports (r_id, day, domain, uniqid, report) VALUES (1, '2026-11-28', 'a', 1, '{}'), \
                   (2, '2026-11-28', 'b.example', 1, '{}'), (3, '2026-11-01', 'c.example', 1, '{}'); \
                   INSERT INTO destinations VALUES ('mailto:a@a', 1, 0, NULL, '', ''), ('mailto:b@b.example', 2, 0, 'sent', '', ''), \
                   ('mailto:c@c.example', 3, 0, NULL, '', '');";
    let path = site.database("reportd.sqlite", REPORTD, content);
    let expected = [
        "! reportd.sqlite: not taken over: the report about a on 2026-11-28: the name is not a host name",
        "! reportd.sqlite: not taken over: the report about c.example on 2026-11-01, which is older than keep-days",
        "reportd.sqlite: 0 reports with 0 open deliveries taken over",
    ];
    assert_eq!(site.migrate(&[&path], false), (Ok(()), expected.map(str::to_owned).to_vec()));
}

#[test]
fn two_files_that_were_made_in_the_same_millisecond_are_both_counted() {
    let site = Site::new();
    let one = site.database("one.sqlite", COLLECTD, &row(TODAY, "a.example", POLICY, 3));
    let two = site.database("two.sqlite", COLLECTD, &row(TODAY, "b.example", POLICY, 3));
    assert_eq!(site.migrate(&[&one, &two], false).0, Ok(()));
    assert_eq!(site.store().days().unwrap()[0].events, 6);
}

#[test]
fn a_transaction_that_a_killed_process_left_is_refused() {
    let site = Site::new();
    let running = site.database("running.sqlite", COLLECTD, &row(TODAY, "a.example", POLICY, 3));
    let connection = Connection::open(&running).unwrap();
    // A small cache is written to the file before the transaction ends.
    connection.execute_batch("PRAGMA cache_size = 1; BEGIN").unwrap();
    for number in 0..1000 {
        connection.execute_batch(&row(TODAY, &format!("{number}.example"), POLICY, 1)).unwrap();
    }
    let killed = site.path("killed.sqlite");
    for ending in ["", "-journal"] {
        let name = |path: &Path| format!("{}{ending}", path.display());
        fs::copy(name(&running), name(&killed)).unwrap();
    }
    let error = site.migrate(&[&killed], false).0.unwrap_err();
    assert_eq!(
        error,
        "killed.sqlite: a killed process left a transaction unfinished; start its program again, and stop it with SIGTERM"
    );
    connection.execute_batch("ROLLBACK").unwrap();
    drop(connection);
    assert_eq!(site.migrate(&[&running], false).1, ["running.sqlite: 3 sessions of 2026-11-29 counted"]);
}

/// A store with a domain on each of two days.
fn collected(site: &Site, limits: Limits, events: &[&str]) {
    let mut store = open(&site.url(), Options { limits, ..Options::default() }).unwrap();
    for (number, day) in [(1, "2026-11-27"), (2, "2026-11-28")] {
        let event = |text: &&str| CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 2 };
        let batch = Batch {
            id: BatchId { writer: "test".into(), number },
            day: day.parse().unwrap(),
            last_event: None,
            events: events.iter().map(event).collect(),
            invalid: vec![],
            dropped: 0,
        };
        store.add(&batch).unwrap();
    }
}

/// The list of a day, and the names that are left out.
fn list(site: &Site, day: &str, now: &str) -> (String, Vec<(String, u64)>) {
    let mut out = Vec::new();
    let (day, now): (Date, Timestamp) = (day.parse().unwrap(), now.parse().unwrap());
    let left_out = fetcher::domains(open_reader(&site.url()).unwrap().as_mut(), day, now, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), left_out)
}

#[test]
fn a_day_is_complete_ten_seconds_after_midnight() {
    let site = Site::new();
    collected(&site, Limits::default(), &[r#"{"d":"a.example","pr":"r","policies":[{"policy-type":9,"f":0}]}"#]);
    let answer = |time: &str, day: &str, domains: &str| {
        format!("TLSRPT FETCHER v1devel-c domain list\n2026-11-29 {time}\n{day}\n{domains}.\n")
    };
    let (early, late) = ("2026-11-29T00:00:09.9Z", "2026-11-29T00:00:10Z");
    assert_eq!(list(&site, "2026-11-28", early).0, answer("00:00:09", "2026-11-27", ""));
    assert_eq!(list(&site, "2026-11-28", late).0, answer("00:00:10", "2026-11-28", "a.example\n"));
    // An older day, the day that is under way, and days without events.
    assert_eq!(list(&site, "2026-11-27", late).0, answer("00:00:10", "2026-11-27", "a.example\n"));
    for day in ["2026-11-29", "2026-11-26", "1999-01-01"] {
        assert_eq!(list(&site, day, late).0, answer("00:00:10", "2026-11-28", ""), "{day}");
    }
}

#[test]
fn what_the_protocol_cannot_name_is_left_out() {
    let site = Site::new();
    let event = |domain: &str| format!(r#"{{"d":"{domain}","pr":"r","policies":[{{"policy-type":9,"f":0}}]}}"#);
    let events = ["a.example", r"b\n.example", "-c.example", "é.example", " d.example", "beyond.example"].map(event);
    let limits = Limits { domains: 5, ..Limits::default() };
    collected(&site, limits, &events.iter().map(String::as_str).collect::<Vec<_>>());
    let (text, left_out) = list(&site, "2026-11-28", "2026-11-29T12:00:00Z");
    assert_eq!(text.lines().skip(3).collect::<Vec<_>>(), ["a.example", "é.example", "."]);
    let names: Vec<_> = left_out.iter().map(|(name, events)| (name.as_str(), *events)).collect();
    assert_eq!(names, [(" d.example", 2), ("(domains over the limit)", 2), ("-c.example", 2), ("b\n.example", 2)]);
}

#[test]
fn sessions_over_the_limit_have_no_record() {
    let site = Site::new();
    let event = |kind: u8| {
        format!(
            r#"{{"d":"a.example","pr":"r","policies":[{{"policy-type":{kind},"f":1,"failure-details":[{{"c":201}},{{"c":202}}]}}]}}"#
        )
    };
    let events = [event(9), event(2)];
    let limits = Limits { policies: 1, failures: 1, ..Limits::default() };
    collected(&site, limits, &events.iter().map(String::as_str).collect::<Vec<_>>());
    let mut out = Vec::new();
    let mut store = open_reader(&site.url()).unwrap();
    let left_out = fetcher::domain(store.as_mut(), "2026-11-28".parse().unwrap(), "A.example.", &mut out).unwrap();
    let expected = r#"{
    "d": "A.example.",
    "policies": {
        "r": {
            "{\"policy-type\": 9}": {
                "cntrtotal": 2,
                "cntrfailure": 2,
                "failures": {
                    "{\"c\": 201}": 2
                }
            }
        }
    }
}
"#;
    assert_eq!((String::from_utf8(out).unwrap().as_str(), left_out), (expected, 2));
}
