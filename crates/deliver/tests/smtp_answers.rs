//! What becomes of a report mail for each class of answer of the mail server, at each command. The server is scripted.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use tlsrpt_deliver::{
    MailAddress, Outcome,
    mail::{FinishedReport, ReportMail, Submitter},
    smtp::{Security, SmtpClient, SmtpServer},
};

/// How long the client waits for an answer: short, since one case waits for it.
const TIMEOUT: Duration = Duration::from_millis(500);

/// What the server does when a command comes.
#[derive(Clone, Copy)]
enum Act {
    Answer(&'static str),
    /// Closes the connection without an answer.
    Close,
    /// Neither answers nor closes, until the client goes.
    Silence,
}

use Act::{Answer, Close, Silence};

/// The commands at which a server can refuse, in their order.
const STEPS: [&str; 6] = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."];

/// A server that takes everything but at one step of each connection. Gives its port; ends after so many connections.
fn server(step: &'static str, act: Act, connections: usize) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let streams = listener.incoming().take(connections);
        streams.flat_map(|stream| serve(stream.unwrap(), step, act)).collect()
    });
    (port, thread)
}

/// Serves one connection. The commands that came, a mail as ".".
fn serve(stream: TcpStream, step: &str, act: Act) -> Vec<String> {
    let mut out = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut commands = Vec::new();
    let mut command = String::from("greeting");
    loop {
        let usual = match command.as_str() {
            "greeting" => "220 sink",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        match if command == step { act } else { Answer(usual) } {
            Answer(text) => {
                if out.write_all(format!("{text}\r\n").as_bytes()).is_err() {
                    return commands;
                }
            }
            Close => return commands,
            Silence => {
                lines.by_ref().for_each(drop);
                return commands;
            }
        }
        command = match command.as_str() {
            "DATA" if step != "DATA" => {
                lines.by_ref().take_while(|line| line.as_ref().is_ok_and(|line| line != ".")).for_each(drop);
                ".".into()
            }
            _ => match lines.next() {
                Some(Ok(line)) => line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase(),
                _ => return commands,
            },
        };
        commands.push(command.clone());
    }
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
        timeout: TIMEOUT,
        authorities: vec![],
    }
}

fn mail() -> ReportMail {
    let address = |text: &str| text.parse::<MailAddress>().unwrap();
    let submitter = Submitter { from: address("noreply@sender.example"), signer: None };
    let report = FinishedReport {
        domain: "a.example",
        id: "1@sender.example",
        made: 0,
        summary: ".\n",
        file_name: "a.json.gz",
        compressed: &[1],
    };
    submitter.mail(&report, &address("r@a.example"), &address("b@sender.example")).unwrap()
}

fn attempt(step: &'static str, act: Act) -> Outcome {
    let (port, thread) = server(step, act, 1);
    let outcome = {
        let mut client = client(port);
        client.send(&mail())
    };
    thread.join().unwrap();
    outcome
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
