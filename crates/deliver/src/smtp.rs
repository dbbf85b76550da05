//! Delivery by SMTP to the configured mail server (RFC 5321).
//!
//! One connection carries many mails. Each command is given by itself, so that the answer says what was refused, and so that it
//! is known whether the mail may have been taken when the connection breaks.

use std::{net::ToSocketAddrs, time::Duration};

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{Certificate, CertificateStore, SmtpConnection, TlsParameters},
    commands::{Data, Mail, Rcpt},
    extension::ClientId,
    response::Response,
};

use crate::{
    mail::ReportMail,
    outcome::{Outcome, answer},
};

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS where the server offers it, with any certificate: a mail server on the same host or network.
    Opportunistic,
    /// STARTTLS with a certificate that verifies, or nothing is sent.
    StartTls,
    /// TLS from the first byte, with a certificate that verifies.
    Implicit,
}

/// The mail server that takes the reports.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Name and password, for a relay that wants them. With them, [`Security::Opportunistic`] is [`Security::StartTls`]: they go to
    /// no server that is not verified.
    pub credentials: Option<Credentials>,
    /// The name for EHLO.
    pub hello_name: String,
    /// How long connecting and each answer may take.
    pub timeout: Duration,
    /// Certification authorities in addition to the system's, in DER.
    pub authorities: Vec<Vec<u8>>,
}

/// A client of the mail server. Not for several threads at once: each has its own.
pub struct SmtpClient {
    server: SmtpServer,
    connection: Option<SmtpConnection>,
}

impl std::fmt::Debug for SmtpClient {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SmtpClient").field("server", &self.server).finish_non_exhaustive()
    }
}

impl SmtpClient {
    /// A client that connects when there is something to send.
    #[must_use]
    pub fn new(server: SmtpServer) -> Self {
        Self { server, connection: None }
    }

    /// Hands a mail over. Blocks for at most the timeout at each step.
    pub fn send(&mut self, mail: &ReportMail) -> Outcome {
        let mut connection = match self.connected() {
            Ok(connection) => connection,
            // Whatever the server answers to a greeting, it says nothing about the mail.
            Err(error) => return deferred(&error, false),
        };
        match give_envelope(&mut connection, mail) {
            Err(error) => of_error(&error, false),
            Ok(()) => match connection.command(Content(&String::from_utf8_lossy(&mail.bytes))) {
                Ok(response) => {
                    self.connection = Some(connection);
                    Outcome::Delivered { answer: in_words(&response), warning: None }
                }
                Err(error) => of_error(&error, true),
            },
        }
    }

    /// The open connection if the server still answers, or a new one.
    fn connected(&mut self) -> Result<SmtpConnection, Error> {
        match self.connection.take() {
            Some(mut connection) => {
                if connection.test_connected() {
                    return Ok(connection);
                }
                self.server.connect()
            }
            None => self.server.connect(),
        }
    }
}

impl Drop for SmtpClient {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            // The mails are delivered whatever the server answers to QUIT.
            let _ = connection.quit();
        }
    }
}

impl SmtpServer {
    fn connect(&self) -> Result<SmtpConnection, Error> {
        let hello_name = ClientId::Domain(self.hello_name.clone());
        let tls = self.tls()?;
        let security = self.security();
        let implicit = (security == Security::Implicit).then_some(&tls);
        let address = (self.host.as_str(), self.port);
        let mut connection = connect(address, self.timeout, &hello_name, implicit)?;
        let starttls = match security {
            Security::Implicit => false,
            // lettre answers with an error where the server does not offer it.
            Security::StartTls => true,
            Security::Opportunistic => connection.can_starttls(),
        };
        if starttls {
            connection.starttls(&tls, &hello_name)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials)?;
        }
        Ok(connection)
    }

    fn security(&self) -> Security {
        match self.security {
            Security::Opportunistic if self.credentials.is_some() => Security::StartTls,
            security => security,
        }
    }

    fn tls(&self) -> Result<TlsParameters, Error> {
        let any = self.security() == Security::Opportunistic;
        let builder = TlsParameters::builder(self.host.clone())
            .certificate_store(CertificateStore::Default)
            .dangerous_accept_invalid_certs(any)
            .dangerous_accept_invalid_hostnames(any);
        let builder = self.authorities.iter().try_fold(builder, |builder, der| {
            Ok::<_, Error>(builder.add_root_certificate(Certificate::from_der(der.clone())?))
        })?;
        builder.build_rustls()
    }
}

fn connect(
    address: impl ToSocketAddrs,
    timeout: Duration,
    hello_name: &ClientId,
    tls: Option<&TlsParameters>,
) -> Result<SmtpConnection, Error> {
    SmtpConnection::connect(address, Some(timeout), hello_name, tls, None)
}

/// A mail with its end, as it follows DATA (RFC 5321 section 4.5.2).
///
/// lettre writes the end apart from the mail. TCP holds it back until the server has acknowledged the mail, which takes the server 40 ms.
struct Content<'m>(&'m str);

impl std::fmt::Display for Content<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.0.split_inclusive("\r\n") {
            if line.starts_with('.') {
                out.write_str(".")?;
            }
            out.write_str(line)?;
        }
        out.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

fn give_envelope(connection: &mut SmtpConnection, mail: &ReportMail) -> Result<(), Error> {
    connection.command(Mail::new(mail.envelope.from().cloned(), vec![]))?;
    for recipient in mail.envelope.to() {
        connection.command(Rcpt::new(recipient.clone(), vec![]))?;
    }
    connection.command(Data)?;
    Ok(())
}

fn of_error(error: &Error, mail_was_under_way: bool) -> Outcome {
    if error.is_permanent() {
        return Outcome::Refused { answer: answer(in_words_of(error)) };
    }
    // A 4xx is an answer: the mail was not taken.
    deferred(error, mail_was_under_way && !error.is_transient())
}

fn deferred(error: &Error, unknown: bool) -> Outcome {
    Outcome::Deferred { answer: answer(in_words_of(error)), wait: None, unknown }
}

/// The server's answer, or what happened to the connection.
fn in_words_of(error: &Error) -> String {
    use std::error::Error as _;
    let cause = error.source().map(ToString::to_string);
    match (error.status(), cause) {
        (Some(code), Some(text)) => format!("{code} {text}"),
        (Some(code), None) => code.to_string(),
        (None, Some(text)) => text,
        (None, None) => error.to_string(),
    }
}

fn in_words(response: &Response) -> String {
    answer(format_args!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")))
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn a_dot_at_the_begin_of_a_line_is_doubled() {
        let given = |mail| Content(mail).to_string();
        assert_eq!(given("a: b\r\n\r\n.\r\n..c\r\nd.\r\n"), "a: b\r\n\r\n..\r\n...c\r\nd.\r\n.\r\n");
        assert_eq!(given(".a\r\nb"), "..a\r\nb\r\n.\r\n");
    }
}
