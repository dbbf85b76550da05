//! The URL of a database, as the library of PostgreSQL (libpq) reads it.

use std::{borrow::Cow, cmp::Ordering, error::Error, fmt, path::PathBuf, str::FromStr, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::{Config, config::SslMode};

/// Where Debian's server has its socket, for a URL without a host.
const SOCKET_DIRECTORY: &str = "/run/postgresql";

/// How long the server may work on one statement.
const STATEMENT: Duration = Duration::from_secs(60);

/// The value of `sslrootcert` for the certificate authorities of the system.
const SYSTEM: &str = "system";

/// The parameters that this program reads itself. The crate reads the others.
const OURS: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "passfile"];

const PASSWORD: &str = "it has a password, which others could read; write HOST:PORT:DATABASE:USER:PASSWORD into a file that \
                        only the user of the services can read, and name it with passfile=/PATH";

/// A database of a PostgreSQL server, and how to connect to it. It has no password, so it can be shown.
#[derive(Clone)]
pub struct PostgresqlUrl {
    text: String,
    pub(super) config: Config,
    pub(super) tls: TlsFiles,
    /// The file of passwords that the URL names.
    pub(super) passfile: Option<PathBuf>,
    /// How long the server may work on one statement.
    pub(super) statement: Duration,
}

/// Which certificates are used and trusted.
#[derive(Debug, Clone, Default)]
pub(super) struct TlsFiles {
    pub(super) verify: Verify,
    /// None: the authorities of the system.
    pub(super) authorities: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// What is checked about the certificate of the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Verify {
    #[default]
    Nothing,
    /// Its authority.
    Authority,
    /// Its authority, and the name of the host.
    Full,
}

impl PostgresqlUrl {
    /// The same database, whose server may work so long on one statement. It is a minute by default. This program waits a
    /// quarter longer for the answer.
    #[must_use]
    pub fn with_statement_limit(self, limit: Duration) -> Self {
        Self { statement: limit, ..self }
    }

    /// Takes a parameter that this program reads itself.
    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let file = || match value {
            _ if value.starts_with('/') => Ok(Some(PathBuf::from(value))),
            _ => Err(format!("{name} must be an absolute path")),
        };
        match name {
            "sslrootcert" => self.tls.authorities = if value == SYSTEM { None } else { file()? },
            "sslcert" => self.tls.certificate = file()?,
            "sslkey" => self.tls.key = file()?,
            "passfile" => self.passfile = file()?,
            _ => {
                let (mode, verify) = match value {
                    "disable" => (SslMode::Disable, Verify::Nothing),
                    "prefer" => (SslMode::Prefer, Verify::Nothing),
                    "require" => (SslMode::Require, Verify::Nothing),
                    "verify-ca" => (SslMode::Require, Verify::Authority),
                    "verify-full" => (SslMode::Require, Verify::Full),
                    _ => return Err("sslmode is disable, prefer, require, verify-ca or verify-full".into()),
                };
                self.config.ssl_mode(mode);
                self.tls.verify = verify;
            }
        }
        Ok(())
    }

    /// Refuses what belongs elsewhere, and adds what libpq adds.
    fn complete(mut self) -> Result<Self, String> {
        let (config, tls) = (&mut self.config, &mut self.tls);
        if config.get_password().is_some() {
            return Err(PASSWORD.into());
        }
        if tls.certificate.is_some() != tls.key.is_some() {
            return Err("sslcert and sslkey belong together; one of them is missing".into());
        }
        // Who names authorities wants the certificate checked.
        let is_required = config.get_ssl_mode() == SslMode::Require;
        if is_required && tls.authorities.is_some() && tls.verify == Verify::Nothing {
            tls.verify = Verify::Authority;
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host_path(SOCKET_DIRECTORY);
        }
        Ok(self)
    }
}

impl FromStr for PostgresqlUrl {
    type Err = String;

    /// The error is the reason why it is refused.
    fn from_str(text: &str) -> Result<Self, String> {
        let (location, query) = text.split_once('?').unwrap_or((text, ""));
        let is_ours = |parameter: &&str| OURS.iter().any(|name| parameter.split('=').next() == Some(name));
        let (ours, others): (Vec<_>, Vec<_>) =
            query.split('&').filter(|parameter| !parameter.is_empty()).partition(is_ours);
        let (location, port) = without_port_alone(location)?;
        // Before the others: a port among them is taken instead.
        let others: Vec<_> = port.iter().map(String::as_str).chain(others).collect();
        let config = format!("{location}?{}", others.join("&")).parse::<Config>();
        let config = config.map_err(|error| error.source().map_or_else(|| error.to_string(), ToString::to_string))?;
        let mut url =
            Self { text: text.into(), config, tls: TlsFiles::default(), passfile: None, statement: STATEMENT };
        for parameter in ours {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_decode_str(value).decode_utf8().map_err(|_| format!("{name} is not UTF-8"))?;
            url.take(name, &value)?;
        }
        url.complete()
    }
}

/// The location without a port that stands without a host, as in `postgresql://ROLE@:PORT/DATABASE`, and the port as a
/// parameter. The crate takes the empty host for a name.
fn without_port_alone(location: &str) -> Result<(Cow<'_, str>, Option<String>), String> {
    let begin = location.find('@').or_else(|| location.find("//").map(|slashes| slashes + 1)).map_or(0, |at| at + 1);
    let (before, rest) = location.split_at(begin);
    let (hosts, database) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if let Some(port) = hosts.strip_prefix(':').filter(|_| !hosts.contains(',')) {
        return Ok((format!("{before}{database}").into(), Some(format!("port={port}"))));
    }
    if hosts.contains(',') && hosts.split(',').any(|host| host.is_empty() || host.starts_with(':')) {
        return Err("one of several hosts has no name".into());
    }
    Ok((location.into(), None))
}

impl fmt::Display for PostgresqlUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for PostgresqlUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(out)
    }
}

impl PartialEq for PostgresqlUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PostgresqlUrl {}

impl PartialOrd for PostgresqlUrl {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.text.partial_cmp(&other.text)
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::{Host, SslMode};

    use super::{PostgresqlUrl, Verify};

    fn url(text: &str) -> PostgresqlUrl {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn the_parameters_of_tls_and_passwords_are_read() {
        let all = "postgresql://c@db.example,db2.example:5433/tlsrpt?sslmode=verify-full&sslrootcert=/a%20b&\
                   connect_timeout=3&sslcert=/c&sslkey=/k&passfile=/p";
        let read = url(all);
        assert_eq!(read.to_string(), all);
        assert_eq!((read.config.get_ssl_mode(), read.tls.verify), (SslMode::Require, Verify::Full));
        assert_eq!(read.config.get_hosts().len(), 2);
        assert_eq!((read.config.get_user(), read.config.get_dbname()), (Some("c"), Some("tlsrpt")));
        let paths = [&read.tls.authorities, &read.tls.certificate, &read.tls.key, &read.passfile];
        assert_eq!(paths.map(|path| path.as_ref().unwrap().to_str().unwrap()), ["/a b", "/c", "/k", "/p"]);
        for (mode, expected, verify) in [
            ("", SslMode::Prefer, Verify::Nothing),
            ("sslmode=disable", SslMode::Disable, Verify::Nothing),
            ("sslmode=require", SslMode::Require, Verify::Nothing),
            ("sslmode=require&sslrootcert=/r", SslMode::Require, Verify::Authority),
            ("sslmode=verify-ca&sslrootcert=system", SslMode::Require, Verify::Authority),
        ] {
            let read = url(&format!("postgres://db.example/?{mode}"));
            assert_eq!((read.config.get_ssl_mode(), read.tls.verify), (expected, verify), "{mode}");
        }
    }

    #[test]
    fn without_a_host_it_is_the_socket_of_the_system() {
        let socket = |directory: &str| Host::Unix(directory.into());
        assert_eq!(url("postgresql:///tlsrpt").config.get_hosts(), [socket("/run/postgresql")]);
        assert_eq!(url("postgresql:///tlsrpt?host=/tmp/x").config.get_hosts(), [socket("/tmp/x")]);
        for (text, directory, user) in [
            ("postgresql://c@:5433/tlsrpt", "/run/postgresql", Some("c")),
            ("postgresql://:5433/tlsrpt", "/run/postgresql", None),
            ("postgresql://c@:5433/tlsrpt?host=/tmp/x", "/tmp/x", Some("c")),
            ("postgresql://c@:5433/tlsrpt?passfile=/p&host=%2Ftmp%2Fx", "/tmp/x", Some("c")),
        ] {
            let read = url(text);
            assert_eq!(
                (read.config.get_hosts(), read.config.get_ports()),
                (&[socket(directory)][..], &[5433][..]),
                "{text}"
            );
            assert_eq!((read.config.get_user(), read.config.get_dbname()), (user, Some("tlsrpt")), "{text}");
            assert_eq!(read.to_string(), text);
        }
        assert_eq!(url("postgresql://c@[::1]:5433/d").config.get_hosts(), [Host::Tcp("::1".into())]);
    }

    #[test]
    fn what_is_refused_has_a_reason() {
        for (text, reason) in [
            ("postgresql://u:secret@h/d", "passfile"),
            ("postgresql://u@h/d?password=secret", "passfile"),
            ("postgresql://u@h/d?sslmode=allow", "verify-full"),
            ("postgresql://u@h/d?sslcert=/c", "belong together"),
            ("postgresql://u@h/d?passfile=p", "absolute"),
            ("postgresql://u@h/d?unheard=of", "unheard"),
            ("postgresql://u@h:x/d", "invalid"),
            ("postgresql://u@:x/d", "invalid"),
            ("postgresql://u@h,:5433/d", "has no name"),
            ("postgresql://h,/d", "has no name"),
        ] {
            let why = text.parse::<PostgresqlUrl>().unwrap_err();
            assert!(why.contains(reason), "{text}: {why}");
        }
    }
}
