//! A relay that wants TLS, a name and a password: STARTTLS and TLS from the first byte, AUTH PLAIN and LOGIN, and certificates that
//! verify or do not.

#[path = "sinks/mail.rs"]
mod mail;
#[path = "sinks/tls.rs"]
mod tls;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{ServerConnection, StreamOwned};
use tlsrpt_deliver::{
    Outcome,
    smtp::{Security, SmtpClient, SmtpServer},
};

use crate::{
    mail::mail,
    tls::{key_file, server_config},
};

const NAME: &str = "reports";
const PASSWORD: &str = "p\u{e4}ss word";
/// Certificates by which the relay is not the one that was named.
const INVALID: [&str; 4] = ["other-host", "other-authority", "self-signed", "expired"];
/// Nothing waits as long unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a relay has seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    /// The name and the password, and the mechanism, given within TLS.
    given: Option<(&'static str, String)>,
    /// Mails that were taken, and whether within TLS.
    mails: Vec<bool>,
    /// Anything but EHLO and STARTTLS came before TLS.
    in_clear: bool,
}

/// Serves one connection.
fn relay(security: Security, certificate: &'static str, mechanism: &'static str) -> (u16, JoinHandle<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let mut seen = Seen::default();
        let stream = listener.accept().unwrap().0;
        let config = server_config(certificate);
        let tls = |stream| StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        if security == Security::Implicit {
            talk(tls(stream), true, Some(mechanism), true, &mut seen);
        } else if talk(stream.try_clone().unwrap(), true, None, false, &mut seen) {
            talk(tls(stream), false, Some(mechanism), true, &mut seen);
        }
        seen
    });
    (port, thread)
}

/// Whether STARTTLS came, which ends it.
fn talk(
    stream: impl Read + Write,
    greets: bool,
    mechanism: Option<&'static str>,
    is_tls: bool,
    seen: &mut Seen,
) -> bool {
    let mut stream = BufReader::new(stream);
    if greets && !say(&mut stream, "220 relay") {
        return false;
    }
    while let Some(line) = read(&mut stream) {
        let command = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        seen.in_clear |= !is_tls && !matches!(command.as_str(), "EHLO" | "STARTTLS" | "QUIT");
        let answer = match command.as_str() {
            "EHLO" => match mechanism {
                Some(mechanism) => format!("250-relay\r\n250 AUTH {mechanism}"),
                None => "250-relay\r\n250 STARTTLS".into(),
            },
            "STARTTLS" => return say(&mut stream, "220 go on"),
            "AUTH" => match credentials(&mut stream, &line) {
                Some(given) => {
                    let is_right = given.1 == format!("{NAME}:{PASSWORD}");
                    seen.given = Some(given);
                    if is_right { "235 welcome".into() } else { "535 5.7.8 who?".into() }
                }
                None => "501 what?".into(),
            },
            "DATA" => {
                if !say(&mut stream, "354 go on") {
                    return false;
                }
                while read(&mut stream).is_some_and(|line| line != ".") {}
                seen.mails.push(is_tls);
                "250 taken".into()
            }
            _ => "250 fine".into(),
        };
        if !say(&mut stream, &answer) {
            break;
        }
    }
    false
}

/// The mechanism, and the name and the password with ":" between (RFC 4616; LOGIN as clients do it).
fn credentials(stream: &mut BufReader<impl Read + Write>, command: &str) -> Option<(&'static str, String)> {
    let text = |encoded: &str| String::from_utf8(STANDARD.decode(encoded).ok()?).ok();
    let mut words = command.split(' ').skip(1);
    match words.next()? {
        "PLAIN" => {
            let plain = text(words.next()?)?;
            Some(("PLAIN", plain.strip_prefix('\0')?.replacen('\0', ":", 1)))
        }
        "LOGIN" => {
            let mut ask = |prompt: &str| {
                say(stream, &format!("334 {}", STANDARD.encode(prompt)));
                text(&read(stream)?)
            };
            let (name, password) = (ask("Username:")?, ask("Password:")?);
            Some(("LOGIN", format!("{name}:{password}")))
        }
        _ => None,
    }
}

fn say(stream: &mut BufReader<impl Read + Write>, line: &str) -> bool {
    let out = stream.get_mut();
    out.write_all(format!("{line}\r\n").as_bytes()).and_then(|()| out.flush()).is_ok()
}

fn read(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

fn send(port: u16, security: Security, password: Option<&str>) -> Outcome {
    let server = SmtpServer {
        host: "localhost".into(),
        port,
        security,
        credentials: password.map(|password| (NAME.to_owned(), password.to_owned()).into()),
        hello_name: "sender.example".into(),
        timeout: PATIENCE,
        authorities: vec![fs::read(key_file("authority.der")).unwrap()],
    };
    SmtpClient::new(server).send(&mail())
}

/// How a relay is spoken to that wants a name and a password. Opportunistic becomes STARTTLS then.
const SECURED: [Security; 3] = [Security::Opportunistic, Security::StartTls, Security::Implicit];

#[test]
fn a_relay_whose_certificate_verifies_gets_the_password_and_the_mail_within_tls() {
    for security in SECURED {
        for mechanism in ["PLAIN", "LOGIN"] {
            let (port, thread) = relay(security, "sound", mechanism);
            let outcome = send(port, security, Some(PASSWORD));
            assert!(matches!(outcome, Outcome::Delivered { .. }), "{security:?} {mechanism}: {outcome:?}");
            let given = Some((mechanism, format!("{NAME}:{PASSWORD}")));
            assert_eq!(thread.join().unwrap(), Seen { given, mails: vec![true], in_clear: false });
        }
    }
}

#[test]
fn a_wrong_password_leaves_the_mail_for_later() {
    let (port, thread) = relay(Security::StartTls, "sound", "LOGIN");
    let outcome = send(port, Security::StartTls, Some("guess"));
    let Outcome::Deferred { answer, unknown: false, .. } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(answer, "535 5.7.8 who?");
    assert_eq!(thread.join().unwrap().mails, Vec::<bool>::new());
}

#[test]
fn a_relay_whose_certificate_does_not_verify_gets_neither_password_nor_mail() {
    for security in SECURED {
        for certificate in INVALID {
            let (port, thread) = relay(security, certificate, "PLAIN");
            let outcome = send(port, security, Some(PASSWORD));
            let Outcome::Deferred { answer, unknown: false, .. } = &outcome else { panic!("{outcome:?}") };
            assert!(answer.contains("certificate"), "{security:?} {certificate}: {answer}");
            assert_eq!(thread.join().unwrap(), Seen::default(), "{security:?} {certificate}");
        }
    }
}

#[test]
fn a_mail_server_without_a_password_may_have_any_certificate() {
    for certificate in INVALID {
        let (port, thread) = relay(Security::Opportunistic, certificate, "PLAIN");
        let outcome = send(port, Security::Opportunistic, None);
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{certificate}: {outcome:?}");
        assert_eq!(thread.join().unwrap(), Seen { given: None, mails: vec![true], in_clear: false });
    }
}
