//! The URL of a store. The configuration reads it, from `url` in the section `[store]`.

use std::{fmt, path::PathBuf};

use crate::PostgresqlUrl;

/// The engine and the location of a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub enum Url {
    /// `sqlite:PATH`: a file of this host.
    Sqlite(PathBuf),
    /// `postgresql://...`: a database of a PostgreSQL server, which many hosts share.
    Postgresql(Box<PostgresqlUrl>),
}

impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "sqlite:{}", path.display()),
            Self::Postgresql(url) => url.fmt(out),
        }
    }
}
