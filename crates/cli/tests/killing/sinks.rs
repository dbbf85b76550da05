//! Servers that accept every report and record the reports in the order of arrival.

#[path = "../../../deliver/tests/sinks/tls.rs"]
mod tls;

use std::{
    io::{BufRead, BufReader, Write},
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tls::{key_file, listen, posted, server_config};

/// One report that a server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The recipient or the path of the URL.
    pub(crate) to: String,
    /// The Message-ID of a mail; empty for HTTPS.
    pub(crate) message_id: String,
    /// The report id, from the Subject of a mail or from the JSON.
    pub(crate) report_id: String,
}

/// The arrivals of all servers together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals(Arc<Mutex<Vec<Arrival>>>);

impl Arrivals {
    fn push(&self, arrival: Arrival) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
    }

    pub(crate) fn number(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn all(&self) -> Vec<Arrival> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A mail server. It records a mail after its last line, whether or not the client reads the answer.
pub(crate) fn smtp(arrivals: Arrivals) -> u16 {
    listen(Ipv4Addr::LOCALHOST, move |stream| {
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream).lines();
        let mut to = String::new();
        out.write_all(b"220 sink\r\n")?;
        while let Some(line) = lines.next().transpose()? {
            if let Some(recipient) = line.strip_prefix("RCPT TO:<") {
                to = recipient.split('>').next().unwrap_or_default().to_owned();
            }
            if line == "DATA" {
                out.write_all(b"354 go on\r\n")?;
                let mut mail = String::new();
                loop {
                    match lines.next().transpose()? {
                        None => return Ok(()),
                        Some(line) if line == "." => break,
                        Some(line) => mail.push_str(&format!("{line}\n")),
                    }
                }
                let header = unfolded_header(&mail);
                let subject = field(&header, "Subject: ");
                arrivals.push(Arrival {
                    to: to.clone(),
                    message_id: field(&header, "Message-ID: ").to_owned(),
                    report_id: subject.rsplit('<').next().unwrap_or_default().trim_end_matches('>').to_owned(),
                });
            }
            out.write_all(b"250 fine\r\n")?;
        }
        Ok(())
    })
}

fn unfolded_header(mail: &str) -> String {
    mail.split("\n\n").next().unwrap_or_default().replace("\n ", " ")
}

fn field<'h>(header: &'h str, name: &str) -> &'h str {
    header.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

/// A web server with a certificate that `authority()` signed. It records a report after its last byte.
pub(crate) fn https(arrivals: Arrivals) -> u16 {
    let config = server_config("sound");
    listen(Ipv4Addr::LOCALHOST, move |stream| {
        let (mut tls, path, report) = posted(stream, &config)?;
        let report_id = report["report-id"].as_str().unwrap_or_default().to_owned();
        arrivals.push(Arrival { to: path, message_id: String::new(), report_id });
        tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        tls.conn.send_close_notify();
        tls.flush()
    })
}

/// The certificate authority of the web server, in PEM.
pub(crate) fn authority() -> PathBuf {
    key_file("authority.pem")
}
