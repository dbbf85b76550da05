//! What becomes of a report mail for each class of answer of the mail server, at each command. The server is scripted.

#[path = "sinks/mail.rs"]
mod mail;
#[path = "sinks/tls.rs"]
mod tls;

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
    time::Duration,
};

use rustls::{ServerConnection, StreamOwned};
use tlsrpt_deliver::{
    Outcome,
    smtp::{Security, SmtpClient, SmtpServer},
};

use crate::{
    mail::mail,
    tls::{key_file, server_config},
};

/// How long the client waits for an answer. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where the test waits for it.
const SHORT: Duration = Duration::from_millis(500);
/// How often a case is tried whose outcome another one takes the place of if the machine stalls.
const ATTEMPTS: usize = 20;

/// What the server does when a command comes.
#[derive(Clone, Copy)]
enum Act {
    Answer(&'static str),
    /// Closes the connection without an answer.
    Close,
    /// Neither answers nor closes, until the client goes.
    Silence,
    /// Answers with a pause behind each byte. The whole answer takes longer than the client waits for a byte.
    Slow(&'static str),
}

use Act::{Answer, Close, Silence, Slow};

/// How long a slow server waits after a byte.
const PAUSE: Duration = Duration::from_millis(60);

/// The commands at which a server can refuse, in their order.
const STEPS: [&str; 6] = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."];

/// A server that takes everything but at one step of each connection. Gives its port; ends after so many connections.
fn server(step: &'static str, act: Act, connections: usize) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let streams = listener.incoming().take(connections);
        streams.flat_map(|stream| serve(stream.unwrap(), step, act, "250 fine")).collect()
    });
    (port, thread)
}

/// What a server answers to EHLO that offers STARTTLS.
const OFFERS_STARTTLS: &str = "250-sink\r\n250 STARTTLS";
/// What a server answers to EHLO that wants a name and a password.
const OFFERS_AUTH: &str = "250-sink\r\n250 AUTH PLAIN";

/// A server that offers STARTTLS, and acts at one step.
fn server_with_starttls(act: Act) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, thread::spawn(move || serve(listener.accept().unwrap().0, "STARTTLS", act, OFFERS_STARTTLS)))
}

/// A server with TLS from the first byte that wants a name and a password, and acts at one step.
fn server_with_auth(step: &'static str, act: Act) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let connection = ServerConnection::new(server_config("sound")).unwrap();
        serve(StreamOwned::new(connection, listener.accept().unwrap().0), step, act, OFFERS_AUTH)
    });
    (port, thread)
}

/// Serves one connection. The commands that came, a mail as ".".
fn serve(stream: impl Read + Write, step: &str, act: Act, ehlo: &'static str) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut commands = Vec::new();
    let mut command = String::from("greeting");
    loop {
        let usual = match command.as_str() {
            "greeting" => "220 sink",
            "EHLO" => ehlo,
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        match if command == step { act } else { Answer(usual) } {
            Answer(text) => {
                if say(stream.get_mut(), format!("{text}\r\n").as_bytes()).is_err() {
                    return commands;
                }
            }
            Slow(text) => {
                for byte in format!("{text}\r\n").bytes() {
                    thread::sleep(PAUSE);
                    if say(stream.get_mut(), &[byte]).is_err() {
                        return commands;
                    }
                }
            }
            Close => return commands,
            Silence => {
                while read_line(&mut stream).is_some() {}
                return commands;
            }
        }
        command = match command.as_str() {
            "DATA" if step != "DATA" => {
                while read_line(&mut stream).is_some_and(|line| line != ".") {}
                ".".into()
            }
            _ => match read_line(&mut stream) {
                Some(line) => line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase(),
                None => return commands,
            },
        };
        commands.push(command.clone());
    }
}

fn say(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes)?;
    out.flush()
}

fn read_line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

fn client(port: u16) -> SmtpClient {
    SmtpClient::new(settings(port))
}

fn settings(port: u16) -> SmtpServer {
    SmtpServer {
        host: "127.0.0.1".into(),
        port,
        security: Security::Opportunistic,
        credentials: None,
        hello_name: "mail.sender.example".into(),
        timeout: PATIENCE,
        authorities: vec![],
    }
}

fn attempt(step: &'static str, act: Act) -> Outcome {
    for _ in 0..ATTEMPTS {
        let (port, thread) = server(step, act, 1);
        let outcome = SmtpClient::new(SmtpServer { timeout: patience(act), ..settings(port) }).send(&mail());
        let commands = thread.join().unwrap();
        // On a machine that stalls, the time of a short wait may be up at an earlier step.
        if !matches!(act, Silence) || step == STEPS[0] || commands.contains(&step.into()) {
            return outcome;
        }
    }
    panic!("no attempt got to {step}");
}

/// How long the client waits where the server acts so.
fn patience(act: Act) -> Duration {
    if matches!(act, Silence | Slow(_)) { SHORT } else { PATIENCE }
}

fn summary(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Delivered { answer, .. } => ("delivered", answer),
        Outcome::Deferred { answer, unknown: false, .. } => ("deferred", answer),
        Outcome::Deferred { answer, unknown: true, .. } => ("unknown", answer),
        Outcome::Refused { answer } => ("refused", answer),
    }
}

#[test]
fn a_mail_that_is_taken_is_delivered_with_the_answer_of_the_server() {
    assert_eq!(summary(&attempt(".", Answer("250 2.0.0 queued as 1"))), ("delivered", "250 2.0.0 queued as 1"));
}

#[test]
fn a_temporary_refusal_is_deferred_at_each_step() {
    for step in STEPS {
        let outcome = attempt(step, Answer("451 4.7.1 try again later"));
        assert_eq!(summary(&outcome), ("deferred", "451 4.7.1 try again later"), "{step}");
    }
}

#[test]
fn a_permanent_refusal_of_the_mail_is_final_and_one_of_the_connection_is_not() {
    for step in STEPS {
        let expected = if matches!(step, "greeting" | "EHLO") { "deferred" } else { "refused" };
        let outcome = attempt(step, Answer("554 5.7.1 go away"));
        assert_eq!(summary(&outcome), (expected, "554 5.7.1 go away"), "{step}");
    }
}

#[test]
fn a_connection_that_breaks_leaves_the_outcome_unknown_only_behind_the_mail() {
    for act in [Close, Silence, Answer("what?")] {
        for step in STEPS {
            let expected = if step == "." { "unknown" } else { "deferred" };
            assert_eq!(summary(&attempt(step, act)).0, expected, "{step}");
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_deferred() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = client(port).send(&mail());
    assert_eq!(summary(&outcome).0, "deferred");
    assert!(summary(&outcome).1.contains("refused"), "{outcome:?}");
}

#[test]
fn one_connection_carries_many_mails_and_another_follows_a_broken_one() {
    let (port, thread) = server("none", Close, 1);
    let mut sender = client(port);
    for _ in 0..3 {
        assert_eq!(summary(&sender.send(&mail())).0, "delivered");
    }
    drop(sender);
    let commands = thread.join().unwrap();
    assert_eq!(commands.iter().filter(|command| *command == "EHLO").count(), 1);
    assert_eq!(commands.iter().filter(|command| *command == ".").count(), 3);

    let (port, thread) = server("RCPT", Answer("550 5.1.1 no such user"), 2);
    let mut sender = client(port);
    for _ in 0..2 {
        assert_eq!(summary(&sender.send(&mail())), ("refused", "550 5.1.1 no such user"));
    }
    drop(sender);
    thread.join().unwrap();
}

#[test]
fn credentials_are_never_sent_without_verified_tls() {
    for security in [Security::Opportunistic, Security::StartTls] {
        let (port, thread) = server("none", Close, 1);
        let credentials = Some(("user".to_owned(), "secret".to_owned()).into());
        let outcome = SmtpClient::new(SmtpServer { security, credentials, ..settings(port) }).send(&mail());
        assert_eq!(summary(&outcome).0, "deferred");
        let commands = thread.join().unwrap();
        assert!(commands.contains(&"EHLO".into()) && !commands.contains(&"AUTH".into()), "{commands:?}");
    }
}

#[test]
fn a_slow_answer_counts_as_any_other() {
    for step in STEPS {
        let answer = match step {
            "greeting" => "220 slow and sure",
            "DATA" => "354 slow and sure",
            _ => "250 slow and sure",
        };
        assert!(comes_to("delivered", step, Slow(answer)), "{step}");
    }
    assert!(comes_to("deferred", ".", Slow("451 4.3.0 later")));
}

/// Whether an attempt has this outcome. On a machine that stalls, a byte may come too late in some.
fn comes_to(expected: &str, step: &'static str, act: Act) -> bool {
    (0..ATTEMPTS).any(|_| summary(&attempt(step, act)).0 == expected)
}

#[test]
fn what_is_wrong_with_starttls_is_deferred_and_no_mail_goes_without() {
    for act in [Answer("454 4.7.0 not now"), Answer("554 5.7.3 never"), Close, Silence, Answer("what?")] {
        for security in [Security::Opportunistic, Security::StartTls] {
            let attempt = || {
                let (port, thread) = server_with_starttls(act);
                let server = SmtpServer { security, timeout: patience(act), ..settings(port) };
                let outcome = SmtpClient::new(server).send(&mail());
                assert_eq!(summary(&outcome).0, "deferred", "{outcome:?}");
                let commands = thread.join().unwrap();
                assert!(!commands.contains(&"MAIL".into()), "{commands:?}");
                commands
            };
            // On a machine that stalls, the time of a short wait may be up before.
            assert!((0..ATTEMPTS).any(|_| attempt().contains(&"STARTTLS".into())));
        }
    }
}

#[test]
fn what_is_wrong_with_auth_is_deferred_and_no_mail_goes_without() {
    let attempt = |step, act| {
        let (port, thread) = server_with_auth(step, act);
        let server = SmtpServer {
            security: Security::Implicit,
            credentials: Some(("user".to_owned(), "secret".to_owned()).into()),
            authorities: vec![fs::read(key_file("authority.der")).unwrap()],
            timeout: patience(act),
            ..settings(port)
        };
        let outcome = SmtpClient::new(server).send(&mail());
        (outcome, thread.join().unwrap())
    };
    for act in [Answer("454 4.7.0 not now"), Answer("535 5.7.8 wrong password"), Close, Silence, Answer("what?")] {
        let (outcome, commands) = attempt("AUTH", act);
        assert_eq!(summary(&outcome).0, "deferred", "{outcome:?}");
        assert!(!commands.contains(&"MAIL".into()), "{commands:?}");
    }
    let (outcome, commands) = attempt("none", Close);
    assert_eq!(summary(&outcome), ("delivered", "250 fine"));
    assert_eq!(commands.iter().filter(|command| *command == "AUTH").count(), 1);
}
