//! URLs of the store and of the mail server.

use std::path::PathBuf;

use fluent_uri::Uri;
use tlsrpt_store::Url;
use toml::de::DeValue;

use super::{
    definition::{Kind, Refused, quoted, string},
    place::absolute,
};

/// A URL of a store.
#[derive(Debug)]
pub enum StoreLocation {}

impl Kind for StoreLocation {
    type Value = Url;
    const NAME: &'static str = "URL of a store";
    const EXAMPLE: &'static str = "\"sqlite:/var/lib/tlsrpt/tlsrpt.db\"";

    fn read(value: &DeValue<'_>) -> Result<Url, Refused> {
        let text = string(value)?;
        match text.split_once(':') {
            Some(("sqlite", path)) => file(path).map(Url::Sqlite),
            Some(("postgresql" | "postgres", rest)) if rest.starts_with("//") => {
                text.parse().map(|url| Url::Postgresql(Box::new(url))).map_err(Refused::Because)
            }
            _ => Err(Refused::Form),
        }
    }

    fn show(value: &Url) -> String {
        quoted(&value.to_string())
    }
}

fn file(path: &str) -> Result<PathBuf, Refused> {
    // Other programs write an empty host.
    let path = path.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    if path.starts_with("//") {
        return Err("sqlite: must be followed by a path, not by a host".into());
    }
    let path = absolute(path)?;
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err("it names a directory, not the file of a database".into());
    }
    Ok(path)
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub struct SmtpServer {
    /// Whether TLS begins with the connection. If not, it begins with STARTTLS, if the server offers it.
    pub tls_from_start: bool,
    /// Its name or address, an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// A URL of a mail server.
#[derive(Debug)]
pub enum Smtp {}

impl Kind for Smtp {
    type Value = SmtpServer;
    const NAME: &'static str = "URL of a mail server";
    const EXAMPLE: &'static str = "\"smtp://localhost:25\"";

    fn read(value: &DeValue<'_>) -> Result<SmtpServer, Refused> {
        let uri = Uri::parse(string(value)?).map_err(|_| Refused::Form)?;
        let (tls_from_start, usual_port) = match uri.scheme().as_str() {
            "smtp" => (false, 25),
            "smtps" => (true, 465),
            _ => return Err(Refused::Form),
        };
        let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or(Refused::Form)?;
        if authority.userinfo().is_some() {
            return Err("write the user and the password as username and password".into());
        }
        if !matches!(uri.path().as_str(), "" | "/") || uri.query().is_some() || uri.fragment().is_some() {
            return Err("the URL of a mail server has only a host and a port".into());
        }
        let port = match authority.port().map(|port| port.as_str()) {
            None | Some("") => usual_port,
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("a port is a number from 1 to 65535")?,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_string();
        Ok(SmtpServer { tls_from_start, host, port })
    }

    fn show(value: &SmtpServer) -> String {
        let SmtpServer { tls_from_start, host, port } = value;
        let scheme = if *tls_from_start { "smtps" } else { "smtp" };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        quoted(&format!("{scheme}://{host}:{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Smtp, StoreLocation};
    use crate::kind::definition::tests::{again, of_another_form, reason, unchanged};

    #[test]
    fn stores() {
        unchanged::<StoreLocation>(&[
            "\"sqlite:/var/lib/tlsrpt/tlsrpt.db\"",
            "\"postgresql://collector@db.example/tlsrpt?sslmode=verify-full\"",
            "\"postgres:///tlsrpt\"",
        ]);
        assert_eq!(again::<StoreLocation>("\"sqlite:///a b\""), Ok("\"sqlite:/a b\"".into()));
        of_another_form::<StoreLocation>(&["\"/var/lib/tlsrpt.db\"", "\"mysql://localhost\"", "1"]);
        of_another_form::<StoreLocation>(&["\"postgresql:tlsrpt\""]);
        assert!(reason::<StoreLocation>("\"postgresql://me:secret@db.example/\"").contains("passfile"));
        assert!(reason::<StoreLocation>("\"sqlite:tlsrpt.db\"").contains("absolute"));
        assert!(reason::<StoreLocation>("\"sqlite:\"").contains("empty"));
        assert!(reason::<StoreLocation>("\"sqlite://host/x\"").contains("not by a host"));
        assert!(reason::<StoreLocation>("\"sqlite:/var/lib/\"").contains("directory"));
    }

    #[test]
    fn mail_servers() {
        unchanged::<Smtp>(&["\"smtp://localhost:25\"", "\"smtps://mail.example.com:465\"", "\"smtp://[::1]:2525\""]);
        assert_eq!(again::<Smtp>("\"smtp://localhost\""), Ok("\"smtp://localhost:25\"".into()));
        assert_eq!(again::<Smtp>("\"smtps://localhost/\""), Ok("\"smtps://localhost:465\"".into()));
        of_another_form::<Smtp>(&["\"localhost:25\"", "\"http://localhost\"", "\"smtp:\"", "\"smtp://\"", "25"]);
        assert!(reason::<Smtp>("\"smtp://me:secret@localhost\"").contains("username"));
        assert!(reason::<Smtp>("\"smtp://localhost:0\"").contains("65535"));
        assert!(reason::<Smtp>("\"smtp://localhost:99999\"").contains("65535"));
        assert!(reason::<Smtp>("\"smtp://localhost/x\"").contains("only a host and a port"));
    }
}
