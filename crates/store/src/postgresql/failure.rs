//! Converts what fails at the server into an error of the store.

use std::{error::Error as _, time::Duration};

use tlsrpt_format::printable;
use tokio_postgres::error::SqlState;

use super::url::PostgresqlUrl;
use crate::{Error, ErrorKind};

/// What fails while the store works with the server.
#[derive(Debug)]
pub(super) enum Failed {
    /// The server, or the connection to it.
    Server(tokio_postgres::Error),
    /// There was no answer in this time.
    Late(Duration),
    /// What is wrong before anything is sent, or with what the server sent.
    Here(Error),
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl Failed {
    /// A column has a value that this program does not write.
    pub(super) fn unreadable(column: &str) -> Self {
        Self::Here(Error::new(ErrorKind::Corrupt, format!("{column}: not what this program writes there")))
    }

    /// The code of the server.
    pub(super) fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Server(error) => error.code(),
            Self::Late(_) | Self::Here(_) => None,
        }
    }

    /// Whether the connection cannot be used again. After a late answer, the answer may still come.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Late(_) => true,
            // The server ends the connection, or says nothing in its protocol.
            Self::Server(error) => error.code().is_none_or(|code| code.code().starts_with("57P")),
            Self::Here(_) => false,
        }
    }

    pub(super) fn into_error(self, url: &PostgresqlUrl) -> Error {
        match self {
            Self::Here(error) => Error::new(error.kind(), format!("{url}: {error}")),
            Self::Late(after) => {
                let text = format!("{url}: the server did not answer in {} seconds", after.as_secs_f64());
                Error::new(ErrorKind::Unreachable, text)
            }
            Self::Server(error) => match error.as_db_error() {
                Some(said) => {
                    let (kind, remedy) = of_code(said.code());
                    Error::new(kind, format!("{url}: {}{remedy}", printable(said.message())))
                }
                None => {
                    let text = chain(&error);
                    let remedy = remedy_of(&text);
                    Error::new(ErrorKind::Unreachable, format!("{url}: {}{remedy}", printable(&text)))
                }
            },
        }
    }
}

/// The error and its causes, without those that it repeats.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}

/// What the operator can do about an error of the crate, which has no codes.
fn remedy_of(text: &str) -> &'static str {
    if text.ends_with("password missing") {
        "; the file that passfile= or PGPASSFILE names has no line for this host, port, database and role"
    } else if text.ends_with("server does not support TLS") {
        "; set ssl = on in postgresql.conf of the server"
    } else {
        ""
    }
}

/// The kind of an error of the server, and what the operator can do.
fn of_code(code: &SqlState) -> (ErrorKind, &'static str) {
    let unreachable = ErrorKind::Unreachable;
    match *code {
        SqlState::INVALID_PASSWORD => (unreachable, "; check the file that passfile= or PGPASSFILE names"),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => (unreachable, "; check pg_hba.conf of the server"),
        SqlState::INVALID_CATALOG_NAME => (unreachable, "; create it, see docs/many-hosts.md"),
        SqlState::INSUFFICIENT_PRIVILEGE => {
            (unreachable, "; the role of the URL is not for this, see docs/many-hosts.md")
        }
        SqlState::DISK_FULL => (ErrorKind::Full, ""),
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            (ErrorKind::ReadOnly, "; name the primary server, or add target_session_attrs=read-write to the URL")
        }
        SqlState::LOCK_NOT_AVAILABLE | SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE => {
            (ErrorKind::Locked, "")
        }
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => (ErrorKind::Corrupt, ""),
        _ if code.code().starts_with("08") || code.code().starts_with("57") || code.code().starts_with("53") => {
            (unreachable, "")
        }
        _ => (ErrorKind::Other, ""),
    }
}
