//! The URL of a store, `url` in the section `[store]` of the configuration.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::{Error, ErrorKind};

const SQLITE: &str = "sqlite:";

/// The engine and the location of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Url {
    /// `sqlite:PATH`: a file of this host.
    Sqlite(PathBuf),
}

impl FromStr for Url {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::new(ErrorKind::Url, format!("{text:?} is not a URL of a store: {why}"));
        let Some(path) = text.strip_prefix(SQLITE) else {
            return Err(wrong("it does not begin with sqlite:"));
        };
        // sqlite:///var/lib/x is the same as sqlite:/var/lib/x.
        let path = path.strip_prefix("//").unwrap_or(path);
        if !path.starts_with('/') {
            return Err(wrong("write an absolute path after sqlite:, for instance sqlite:/var/lib/tlsrpt/tlsrpt.db"));
        }
        Ok(Self::Sqlite(path.into()))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "{SQLITE}{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn urls_of_sqlite() {
        let url = "sqlite:/var/lib/tlsrpt/tlsrpt.db";
        let expected = Url::Sqlite("/var/lib/tlsrpt/tlsrpt.db".into());
        assert_eq!(url.parse(), Ok(expected.clone()));
        assert_eq!("sqlite:///var/lib/tlsrpt/tlsrpt.db".parse(), Ok(expected.clone()));
        assert_eq!(expected.to_string(), url);
        for wrong in ["", "sqlite:", "sqlite:relative.db", "sqlite://host/x", "mysql:/x", "/var/lib/x"] {
            let error = wrong.parse::<Url>().unwrap_err();
            assert!(error.to_string().contains(&format!("{wrong:?}")), "{error}");
        }
    }
}
