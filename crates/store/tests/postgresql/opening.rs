//! Opening a store that is not there, not ours, or not reached: each time one clear line.

use std::{thread, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tlsrpt_store::{
    Error, ErrorKind, Limits, Options, PostgresqlUrl, Synchronous, Url, open, open_reader, open_reports, open_shared,
};

use crate::{
    behaviour::batches::{DAY, GOOD, batch, event},
    place::{Place, server},
    privileges::shared,
    server::{PASSWORDS, Server},
};

fn url(text: &str) -> Url {
    Url::Postgresql(Box::new(text.parse().unwrap()))
}

fn error_of(text: &str) -> Error {
    let error = open_reports(&url(text), Synchronous::Full).err().unwrap();
    assert!(!error.to_string().contains('\n'), "{error}");
    error
}

#[test]
fn several_reporters_that_start_at_once_make_one_schema() {
    let place = Place::empty();
    thread::scope(|scope| {
        let all: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| place.reports().become_reporter(tlsrpt_store::Timestamp::UNIX_EPOCH)))
            .collect();
        for one in all {
            assert_eq!(one.join().unwrap(), Ok(0));
        }
    });
    assert_eq!(place.number("SELECT count(*) FROM version"), 1);
}

#[test]
fn without_a_schema_only_the_reporter_makes_one() {
    let place = Place::empty();
    let collector = server().url("tlsrpt_collector", &place.database).parse().unwrap();
    let error = open_shared(&collector, Limits::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.to_string().contains("tlsrpt deliver creates it"), "{error}");
    assert_eq!(open_reader(&place.url("tlsrpt_status")).err().unwrap().kind(), ErrorKind::Missing);
    // With the role of a collector, a reporter cannot.
    let error = error_of(&server().url("tlsrpt_collector", &place.database));
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(
        error.to_string().contains("permission denied for schema tlsrpt; the role of the URL is not for this"),
        "{error}"
    );
    drop(place.reports());
    shared(&place);
}

#[test]
fn a_newer_or_older_schema_is_refused_also_by_a_connection_that_is_made_again() {
    let place = Place::new();
    let (mut collector, mut reports) = (shared(&place), place.reports());
    place.sql("UPDATE version SET version = version + 1");
    for error in [
        open(&place.url("tlsrpt_collector"), Options::default()).err().unwrap(),
        open_reader(&place.url("tlsrpt_status")).err().unwrap(),
        open_reports(&place.url("tlsrpt_reporter"), Synchronous::Full).err().unwrap(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Newer);
        assert!(error.to_string().contains("a later version of tlsrpt made this store"), "{error}");
    }
    place.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE 'tlsrpt%'");
    let again = |result: Result<u64, Error>| result.unwrap_err().kind();
    let kinds = [(); 2].map(|()| again(collector.last_batch("x")));
    assert_eq!(kinds[1], ErrorKind::Newer);
    let kinds = [(); 2].map(|()| again(reports.waiting_mx_hosts(None)));
    assert_eq!(kinds[1], ErrorKind::Newer);
    place.sql("UPDATE version SET version = 0");
    assert_eq!(open_reader(&place.url("tlsrpt_status")).err().unwrap().kind(), ErrorKind::Missing);
}

#[test]
fn what_the_server_refuses_is_said_with_the_remedy() {
    let place = Place::new();
    let database = &place.database;
    let error = error_of(&server().url("nobody", database));
    assert!(error.to_string().contains("passwords") || error.to_string().contains("password"), "{error}");
    let error = error_of(&server().url("tlsrpt_reporter", "missing"));
    assert!(error.to_string().contains("database \"missing\" does not exist; create it"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    // No permission for this database.
    server().sql("postgres", "CREATE ROLE stranger LOGIN PASSWORD 'x'");
    let passwords = server().folder().join("wrong");
    std::fs::write(&passwords, "*:*:*:*:wrong\n").unwrap();
    let with_wrong = |role: &str| {
        format!(
            "postgresql://{role}@/{database}?host={}&port={}&passfile={}",
            server().folder().display(),
            server().port,
            passwords.display()
        )
    };
    let error = error_of(&with_wrong("tlsrpt_reporter"));
    assert!(error.to_string().contains("others can read the passwords; run: chmod 0600"), "{error}");
    std::process::Command::new("chmod").arg("0600").arg(&passwords).status().unwrap();
    let error = error_of(&with_wrong("tlsrpt_reporter"));
    assert!(
        error.to_string().contains("password authentication failed for user \"tlsrpt_reporter\"; check the file"),
        "{error}"
    );
    std::fs::write(&passwords, "*:*:*:another:x\n").unwrap();
    let error = error_of(&with_wrong("tlsrpt_reporter"));
    assert!(
        error.to_string().contains("password missing; the file that passfile= or PGPASSFILE names has no"),
        "{error}"
    );
    std::fs::write(&passwords, "*:*:*:*:x\n").unwrap();
    let error = error_of(&with_wrong("stranger"));
    assert!(error.to_string().contains("permission denied for database"), "{error}");
}

#[test]
fn a_server_that_is_away_or_silent_is_an_error_in_time() {
    let error = error_of("postgresql://x@127.0.0.1:1/x");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("Connection refused"), "{error}");
    // It takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error =
        error_of(&format!("postgresql://x@127.0.0.1:{}/x?connect_timeout=1", silent.local_addr().unwrap().port()));
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("did not answer in 1 seconds"), "{error}");
}

#[test]
fn a_port_without_a_host_is_that_of_the_socket() {
    let place = Place::new();
    let (folder, port) = (server().folder().display(), server().port);
    let text =
        format!("postgresql://tlsrpt_reporter@:{port}/{}?host={folder}&passfile={folder}/passwords", place.database);
    assert_eq!(open_reports(&url(&text), Synchronous::Full).unwrap().waiting(None), Ok(0));
    let wrong = text.replace(&format!(":{port}/"), ":1/");
    assert!(error_of(&wrong).to_string().contains("No such file"), "{}", error_of(&wrong));
}

#[test]
fn a_server_that_falls_silent_in_the_middle_is_an_error_in_time_and_nothing_counts_twice() {
    let place = Place::new();
    let limited = server().url("tlsrpt_collector", &place.database).parse::<PostgresqlUrl>().unwrap();
    let limited = limited.with_statement_limit(Duration::from_millis(400));
    let mut collector = open_shared(&limited, Limits::default()).unwrap();
    let events = [(event("a.example", "r", &[GOOD]), 1)];
    in_time(|| collector.add(&batch(1, DAY, &events)));
    let process = place.number(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tlsrpt_collector' \
         ORDER BY backend_start DESC LIMIT 1",
    );
    let process = Pid::from_raw(i32::try_from(process).unwrap());
    kill(process, Signal::SIGSTOP).unwrap();
    let error = collector.add(&batch(2, DAY, &events)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("the server did not answer in 0.5 seconds"), "{error}");
    // Another process of the server takes it.
    in_time(|| collector.add(&batch(2, DAY, &events)));
    // The silent one has the batch still, and works on it now.
    kill(process, Signal::SIGCONT).unwrap();
    let is_there = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {process}");
    while place.number(&is_there) > 0 {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(in_time(|| collector.last_batch("test")), 2);
    assert_eq!(place.number("SELECT events FROM day"), 2);
}

/// What the server answers. On a machine that stalls, the short time may be up before: then it is asked again, which adds nothing
/// twice.
fn in_time<T>(mut ask: impl FnMut() -> Result<T, Error>) -> T {
    const ATTEMPTS: usize = 20;
    (0..ATTEMPTS).find_map(|_| ask().ok()).expect("the server answers")
}

#[test]
fn a_connection_that_is_lost_is_made_again() {
    let mut server = Server::start("", "local all all trust");
    server.create_roles();
    server.create_database("tlsrpt");
    server.write_passwords(PASSWORDS);
    let mut reports = open_reports(&url(&server.url("tlsrpt_reporter", "tlsrpt")), Synchronous::Full).unwrap();
    assert_eq!(reports.waiting_mx_hosts(None), Ok(0));
    server.stop_hard();
    let kinds = [(); 2].map(|()| reports.waiting_mx_hosts(None).unwrap_err().kind());
    assert_eq!(kinds, [ErrorKind::Unreachable; 2]);
    server.go_on();
    assert_eq!(reports.waiting_mx_hosts(None), Ok(0));
}

mod tls {
    use super::{error_of, url};
    use crate::server::{PASSWORDS, Server};
    use std::{fs, path::Path, process::Command};
    use tlsrpt_store::{Synchronous, open_reports};

    /// Makes an authority and certificates with openssl: those of the server and of a client.
    fn certificates(folder: &Path) {
        let run = |arguments: &str| {
            let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
            assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for authority in ["authority", "other"] {
            run(&format!("req -x509 {key} -keyout {authority}.key -out {authority}.pem -subj /CN={authority} -days 2"));
        }
        fs::write(folder.join("server.ext"), "subjectAltName=DNS:db.example").unwrap();
        fs::write(folder.join("client.ext"), "extendedKeyUsage=clientAuth").unwrap();
        for (name, subject) in [("server", "db.example"), ("client", "tlsrpt_reporter")] {
            run(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={subject}"));
            run(&format!(
                "x509 -req -in {name}.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.pem"
            ));
        }
    }

    #[test]
    fn tls_is_as_the_url_demands() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        certificates(folder.path());
        let file = |name: &str| folder.path().join(name).display().to_string();
        // The server reads its key as its own user.
        let access = "hostssl tls all 127.0.0.1/32 scram-sha-256\nhostnossl plain all 127.0.0.1/32 scram-sha-256\n\
                      hostssl certificates all 127.0.0.1/32 cert";
        let mut server = Server::start("", access);
        server.create_roles();
        for database in ["tls", "plain", "certificates"] {
            server.create_database(database);
        }
        server.write_passwords(PASSWORDS);
        let connect = |server: &Server, database: &str, parameters: &str| {
            let opened =
                open_reports(&url(&server.tcp_url("tlsrpt_reporter", database, parameters)), Synchronous::Full);
            opened.map(drop).map_err(|error| error.to_string())
        };
        // The server has no TLS yet.
        assert_eq!(connect(&server, "plain", ""), Ok(()));
        assert_eq!(connect(&server, "plain", "&sslmode=disable"), Ok(()));
        for mode in ["require", "verify-ca", "verify-full"] {
            let error = error_of(&server.tcp_url("tlsrpt_reporter", "plain", &format!("&sslmode={mode}")));
            assert!(error.to_string().contains("server does not support TLS; set ssl = on"), "{mode}: {error}");
        }
        server.use_tls(&file("server.pem"), &file("server.key"), &file("authority.pem"));
        assert_eq!(connect(&server, "tls", ""), Ok(()));
        assert_eq!(connect(&server, "tls", "&sslmode=require"), Ok(()));
        let error = connect(&server, "tls", "&sslmode=disable").unwrap_err();
        assert!(error.contains("no encryption"), "{error}");
        let roots = |name: &str| format!("&sslrootcert={}", file(name));
        let verified =
            |mode: &str, authority: &str| connect(&server, "tls", &format!("&sslmode={mode}{}", roots(authority)));
        assert_eq!(verified("verify-ca", "authority.pem"), Ok(()));
        for mode in ["require", "verify-ca", "verify-full"] {
            let error = verified(mode, "other.pem").unwrap_err();
            assert!(error.contains("invalid peer certificate: "), "{mode}: {error}");
        }
        // The certificate is of db.example, not of 127.0.0.1.
        let error = verified("verify-full", "authority.pem").unwrap_err();
        assert!(error.contains("not valid for name") || error.contains("NotValidForName"), "{error}");
        let named = |database: &str, parameters: &str| {
            let text = server.tcp_url("tlsrpt_reporter", database, &format!("&hostaddr=127.0.0.1{parameters}"));
            let opened = open_reports(&url(&text.replace("@127.0.0.1", "@db.example")), Synchronous::Full);
            opened.map(drop).map_err(|error| error.to_string())
        };
        let full = format!("&sslmode=verify-full{}", roots("authority.pem"));
        assert_eq!(named("tls", &full), Ok(()));
        let error = connect(&server, "tls", "&sslmode=verify-ca").unwrap_err();
        assert!(error.contains("UnknownIssuer"), "the authorities of the system: {error}");

        let error = named("certificates", &full).unwrap_err();
        assert!(error.contains("certificate"), "{error}");
        let client = format!("{full}&sslcert={}&sslkey={}", file("client.pem"), file("client.key"));
        assert_eq!(named("certificates", &client), Ok(()));
        let missing = format!("&sslmode=verify-full&sslrootcert={}", file("missing.pem"));
        assert!(connect(&server, "tls", &missing).unwrap_err().contains("missing.pem: No such file"));
    }
}
